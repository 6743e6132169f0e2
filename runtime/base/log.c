/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log sinks: one line a message, text or JSON, in the shape that callers of OCI runtimes parse. */
#include "log.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "utf8.h"

#define LOG_TEXT_MAX 4096u

static const char *const level_names[] = { "debug", "info", "warning", "error" };

char *log_rfc3339(char *buf, unsigned int size, bool nanos)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (nanos)
		snprintf(buf + n, size - n, ".%09ldZ", ts.tv_nsec);
	else
		snprintf(buf + n, size - n, "Z");
	return buf;
}

/* Append @s as the inside of a JSON (and logrus text) string: one line, pure ASCII controls escaped. */
static size_t put_quoted(char *out, size_t size, size_t at, const char *s)
{
	for (; *s && at + 8 < size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			out[at++] = '\\';
			out[at++] = (char)c;
		} else if (c == '\n') {
			out[at++] = '\\';
			out[at++] = 'n';
		} else if (c < 0x20 || c == 0x7f) {
			at += (size_t)snprintf(out + at, size - at, "\\u%04x", c);
		} else {
			out[at++] = (char)c;
		}
	}
	/* The bound may have cut a character; what came in was whole ones. */
	while (*s && at && ((unsigned char)*s & 0xc0) == 0x80) {
		s--;
		at--;
	}
	out[at] = 0;
	return at;
}

/* Severities of RFC 5424, by enum log_level. */
static const unsigned char severities[] = { 7, 6, 4, 3 };

/* One datagram is one message, so only what would end a field early is taken out of it. */
static void datagram_emit(const struct log_sink *s, enum log_level level, const char *text)
{
	char out[LOG_TEXT_MAX], clean[LOG_TEXT_MAX / 2], when[32];
	const char *who = s->ident ? s->ident : "cleat";
	struct timespec ts;
	struct tm tm;
	char *p;
	int n;

	utf8_copy(clean, sizeof(clean), text);
	for (p = clean; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	if (s->format == LOG_FORMAT_JOURNAL) {
		n = snprintf(out, sizeof(out), "PRIORITY=%u\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", severities[level],
			     who, clean);
	} else {
		clock_gettime(CLOCK_REALTIME, &ts);
		localtime_r(&ts.tv_sec, &tm);
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
		/* facility "user" */
		n = snprintf(out, sizeof(out), "<%u>%s %s[%d]: %s", 8u + severities[level], when, who, (int)getpid(),
			     clean);
	}
	if (n < 0)
		return;
	/* A daemon that does not keep up must not stop the work. */
	(void)send(s->fd, out, (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void sink_emit(const struct log *l, enum log_level level, const char *text)
{
	const struct log_sink *s = (const struct log_sink *)l;
	char line[LOG_TEXT_MAX + 128], when[48], clean[LOG_TEXT_MAX / 2];
	size_t n;

	if (s->fd < 0)
		return;
	if (s->format == LOG_FORMAT_SYSLOG || s->format == LOG_FORMAT_JOURNAL) {
		datagram_emit(s, level, text);
		return;
	}
	/* A decoder would refuse the whole file for one bad byte. */
	utf8_copy(clean, sizeof(clean), text);
	log_rfc3339(when, sizeof(when), false);
	if (s->format == LOG_FORMAT_JSON)
		n = (size_t)snprintf(line, sizeof(line), "{\"level\":\"%s\",\"msg\":\"", level_names[level]);
	else
		n = (size_t)snprintf(line, sizeof(line), "time=\"%s\" level=%s msg=\"", when, level_names[level]);
	n = put_quoted(line, sizeof(line) - 64, n, clean);
	if (s->format == LOG_FORMAT_JSON)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "\",\"time\":\"%s\"}\n", when);
	else
		n += (size_t)snprintf(line + n, sizeof(line) - n, "\"\n");
	/* One write: lines of several processes do not mix. A log that cannot be written must not stop the work. */
	while (write(s->fd, line, n) < 0 && errno == EINTR)
		;
}

void log_sink_init(struct log_sink *s, int fd, enum log_format format, enum log_level min)
{
	*s = (struct log_sink){ .log = { .min = min, .emit = sink_emit }, .fd = fd, .format = format };
}

void log_msg(const struct log *l, enum log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX / 2];
	int saved = errno;
	va_list ap;

	if (!l || level < l->min)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->emit(l, level, text);
	errno = saved;
}

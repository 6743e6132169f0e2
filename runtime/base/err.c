/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error record: filling, wrapping and rendering it. */
#include "err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "utf8.h"

static const struct {
	const char *name;
	uint8_t grpc;	/* google.rpc.Code */
} err_kinds[ERR_KIND_MAX] = {
	[ERR_NONE]        = { "none", 0 },
	[ERR_SPEC]        = { "spec", 3 },		/* INVALID_ARGUMENT */
	[ERR_UNSUPPORTED] = { "unsupported", 12 },	/* UNIMPLEMENTED */
	[ERR_NOT_FOUND]   = { "not-found", 5 },
	[ERR_EXISTS]      = { "exists", 6 },
	[ERR_STATE]       = { "state", 9 },		/* FAILED_PRECONDITION */
	[ERR_DENIED]      = { "denied", 7 },		/* PERMISSION_DENIED */
	[ERR_LIMIT]       = { "limit", 8 },		/* RESOURCE_EXHAUSTED */
	[ERR_TIMEOUT]     = { "timeout", 4 },		/* DEADLINE_EXCEEDED */
	[ERR_KERNEL]      = { "kernel", 2 },		/* UNKNOWN */
	[ERR_PEER]        = { "peer", 13 },		/* INTERNAL */
	[ERR_BUG]         = { "bug", 13 },
};

static const char *const stage_names[STAGE_MAX] = {
	"none", "host", "mid", "init", "root", "join", "seal",
};

/* Copy @s into a field of @size; what does not fit is cut out of the middle. */
static void copy_cut_middle(char *dst, size_t size, const char *s)
{
	size_t len = strlen(s), head, tail;

	if (len < size) {
		memcpy(dst, s, len + 1);
		return;
	}
	tail = (size - 4) / 2;
	head = size - 4 - tail;
	memcpy(dst, s, head);
	memcpy(dst + head, "...", 3);
	memcpy(dst + head + 3, s + len - tail, tail + 1);
}

static int err_code(const struct err *e)
{
	return e->errnum > 0 ? -e->errnum : -EINVAL;
}

int err_set(struct err *e, enum err_kind kind, int r, const char *where, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (e && e->kind == ERR_NONE) {
		e->kind = (uint8_t)kind;
		e->errnum = r < 0 ? -r : 0;
		if (where)
			copy_cut_middle(e->where, sizeof(e->where), where);
		va_start(ap, fmt);
		n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		e->msglen = (uint16_t)(n < 0 ? 0 : (size_t)n < sizeof(e->msg) ? (size_t)n : sizeof(e->msg) - 1);
	}
	return r < 0 ? r : -EINVAL;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_code(e);
	if ((size_t)n > sizeof(text) - 3)
		n = (int)sizeof(text) - 3;
	memcpy(text + n, ": ", 3);
	n += 2;
	snprintf(text + n, sizeof(text) - (size_t)n, "%.*s", (int)(sizeof(text) - 1 - (size_t)n), e->msg);
	memcpy(e->msg, text, sizeof(text));
	e->msglen = (uint16_t)strlen(e->msg);
	return err_code(e);
}

void err_clear(struct err *e)
{
	memset(e, 0, sizeof(*e));
}

/* Where C libraries differ: callers compare with these, which are glibc's and (in small letters) Go's. */
static const char *const usual_words[] = {
	[EIO] = "Input/output error",
	[ECHILD] = "No child processes",
	[ENOMEM] = "Cannot allocate memory",
	[EBUSY] = "Device or resource busy",
	[EXDEV] = "Invalid cross-device link",
	[EMFILE] = "Too many open files",
	[ENOTTY] = "Inappropriate ioctl for device",
	[ESPIPE] = "Illegal seek",
	[EDOM] = "Numerical argument out of domain",
	[ERANGE] = "Numerical result out of range",
	[EDEADLK] = "Resource deadlock avoided",
	[ENAMETOOLONG] = "File name too long",
	[ELOOP] = "Too many levels of symbolic links",
	[ETIME] = "Timer expired",
	[EOVERFLOW] = "Value too large for defined data type",
	[ELIBBAD] = "Accessing a corrupted shared library",	/* execve(2): the program's own loader */
	[EILSEQ] = "Invalid or incomplete multibyte or wide character",
	[EUSERS] = "Too many users",
	[ENOTSOCK] = "Socket operation on non-socket",
	[EMSGSIZE] = "Message too long",
	[EOPNOTSUPP] = "Operation not supported",
	[EADDRINUSE] = "Address already in use",
	[EADDRNOTAVAIL] = "Cannot assign requested address",
	[ENETUNREACH] = "Network is unreachable",
	[ENETRESET] = "Network dropped connection on reset",
	[ECONNABORTED] = "Software caused connection abort",
	[EISCONN] = "Transport endpoint is already connected",
	[ENOTCONN] = "Transport endpoint is not connected",
	[ESHUTDOWN] = "Cannot send after transport endpoint shutdown",
	[ETIMEDOUT] = "Connection timed out",
	[EHOSTUNREACH] = "No route to host",
	[EINPROGRESS] = "Operation now in progress",
	[EUCLEAN] = "Structure needs cleaning",
	[EDQUOT] = "Disk quota exceeded",
	[EOWNERDEAD] = "Owner died",
	[ERFKILL] = "Operation not possible due to RF-kill",
	[EHWPOISON] = "Memory page has hardware error",
};

const char *err_words(int errnum, char *buf, size_t size)
{
	const char *s = errnum > 0 && (size_t)errnum < sizeof(usual_words) / sizeof(usual_words[0]) ?
		usual_words[errnum] : NULL;

	if (!s)
		s = strerror(errnum);
	/* musl's words for what it does not know, without the number */
	if (!strcmp(s, "No error information"))
		snprintf(buf, size, "unknown error %d", errnum);
	else
		snprintf(buf, size, "%s", s);
	/* "No such file" reads "no such file" elsewhere; callers compare words. "I/O" and the like stay. */
	if (buf[0] >= 'A' && buf[0] <= 'Z' && buf[1] >= 'a' && buf[1] <= 'z')
		buf[0] = (char)(buf[0] - 'A' + 'a');
	return buf;
}

static size_t put_escaped(char *buf, size_t size, size_t at, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t n = utf8_len((const char *)s, strlen((const char *)s));

		if (!n || *s < 0x20 || *s == 0x7f) {
			if (at + 4 >= size)
				break;
			buf[at++] = '\\';
			buf[at++] = 'x';
			buf[at++] = hex[*s >> 4];
			buf[at++] = hex[*s & 15];
			s++;
			continue;
		}
		if (at + n >= size)
			break;
		memcpy(buf + at, s, n);
		at += n;
		s += n;
	}
	buf[at] = 0;
	return at;
}

const char *err_render(const struct err *e, char *buf, size_t size)
{
	char words[128];
	size_t at = 0;

	if (!size)
		return "";
	buf[0] = 0;
	if (e->where[0]) {
		at = put_escaped(buf, size, at, e->where);
		at = put_escaped(buf, size, at, ": ");
	}
	at = put_escaped(buf, size, at, e->msg);
	if (e->errnum > 0) {
		if (e->msg[0])
			at = put_escaped(buf, size, at, ": ");
		put_escaped(buf, size, at, err_words(e->errnum, words, sizeof(words)));
	}
	return buf;
}

int err_grpc_code(const struct err *e)
{
	return e->kind < ERR_KIND_MAX ? err_kinds[e->kind].grpc : 2;
}

const char *err_kind_name(unsigned int kind)
{
	return kind < ERR_KIND_MAX ? err_kinds[kind].name : "?";
}

const char *err_stage_name(unsigned int stage)
{
	return stage < STAGE_MAX ? stage_names[stage] : "?";
}

int err_sanitize(struct err *e, size_t len)
{
	if (len != sizeof(*e) || e->kind == ERR_NONE || e->kind >= ERR_KIND_MAX)
		return -EPROTO;
	if (e->stage >= STAGE_MAX)
		e->stage = STAGE_NONE;
	if (e->errnum < 0 || e->errnum > 4095)
		e->errnum = 0;
	e->where[sizeof(e->where) - 1] = 0;
	e->msg[sizeof(e->msg) - 1] = 0;
	e->msglen = (uint16_t)strlen(e->msg);
	e->pad = 0;
	return 0;
}

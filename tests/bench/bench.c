/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks, CPU time, samples: see bench.h. */
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 4096

_Noreturn void bench_die(const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	exit(1);
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t bench_now(void)
{
	return nanoseconds(CLOCK_MONOTONIC);
}

void bench_cpu_open(struct bench_cpu *c, const char *path)
{
	c->fd = -1;
	if (!path)
		return;
	c->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->fd < 0)
		bench_die("%s", path);
}

uint64_t bench_cpu(const struct bench_cpu *c)
{
	char text[TEXT_MAX];
	uint64_t own, used;
	ssize_t n;

	if (c->fd < 0)
		return 0;
	own = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	n = pread(c->fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		bench_die("cannot read the CPU time");
	text[n] = 0;
	if (!strncmp(text, "usage_usec ", 11))
		used = strtoull(text + 11, NULL, 10) * 1000;
	else
		used = strtoull(text, NULL, 10);
	return used > own ? used - own : 0;
}

uint64_t bench_process_cpu(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) ? 0 : nanoseconds(clock);
}

void bench_sample(const char *figure, const char *who, const char *metric, double value)
{
	printf("%s\t%s\t%s\t%.10g\n", figure, who, metric, value);
}

long bench_number(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0)
		bench_die("%s is no number", text);
	return n;
}

int bench_split(char *line, char **words, int max)
{
	char *save = NULL, *w;
	int n = 0;

	for (w = strtok_r(line, " \t\n", &save); w && n < max - 1; w = strtok_r(NULL, " \t\n", &save))
		words[n++] = w;
	words[n] = NULL;
	return n;
}

size_t bench_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	size_t len = 0;

	while (fd >= 0 && len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	if (fd >= 0)
		close(fd);
	return len;
}

double bench_field(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *p = text;

	for (; p; p = strchr(p, '\n'), p += p != NULL)
		if (!strncmp(p, key, len))
			return strtod(p + len, NULL);
	return 0;
}

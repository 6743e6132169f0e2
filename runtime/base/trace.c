/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spans of work on a page shared by the processes of one operation. */
#include "trace.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct trace_page {
	uint64_t begin_ns;
	uint32_t n;			/* taken by fetch-and-add: may run past the end */
	struct trace_span span[TRACE_SPANS_MAX];
};

struct trace_page *trace_page;

/* By the vDSO: no system call, so no filter is asked. */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int trace_begin(void)
{
	void *p = mmap(NULL, sizeof(*trace_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	trace_page = p;
	trace_page->begin_ns = now_ns();
	return 0;
}

void trace_end(void)
{
	if (trace_page)
		munmap(trace_page, sizeof(*trace_page));
	trace_page = NULL;
}

uint64_t trace_now_ns(void)
{
	return trace_page ? now_ns() - trace_page->begin_ns : 0;
}

unsigned int trace_enter_slow(enum stage stage, const char *name)
{
	uint32_t i = __atomic_fetch_add(&trace_page->n, 1, __ATOMIC_RELAXED);
	struct trace_span *s;

	if (i >= TRACE_SPANS_MAX)
		return 0;
	s = &trace_page->span[i];
	s->stage = (uint8_t)stage;
	strncpy(s->name, name, sizeof(s->name) - 1);
	s->open = 1;
	s->from_ns = trace_now_ns();
	return i + 1;
}

void trace_leave_slow(unsigned int mark)
{
	struct trace_span *s;

	if (!trace_page || mark > TRACE_SPANS_MAX)
		return;
	s = &trace_page->span[mark - 1];
	s->took_ns = trace_now_ns() - s->from_ns;
	s->open = 0;
}

void trace_settle(void)
{
	uint64_t now = trace_now_ns();
	size_t i;

	for (i = 0; trace_page && i < TRACE_SPANS_MAX && i < trace_page->n; i++) {
		struct trace_span *s = &trace_page->span[i];

		if (!s->open || s->stage <= STAGE_HOST)
			continue;
		s->took_ns = now - s->from_ns;
		s->open = 0;
	}
}

static int by_begin(const void *a, const void *b)
{
	const struct trace_span *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

size_t trace_read(struct trace_span *out)
{
	uint64_t now = trace_now_ns();
	size_t i, n;
	char *p;

	if (!trace_page)
		return 0;
	n = trace_page->n < TRACE_SPANS_MAX ? trace_page->n : TRACE_SPANS_MAX;
	memcpy(out, trace_page->span, n * sizeof(*out));
	for (i = 0; i < n; i++) {
		/* A container may have written here: nothing but plain words and times that can be. */
		if (out[i].stage >= STAGE_MAX)
			out[i].stage = STAGE_NONE;
		out[i].name[TRACE_NAME_MAX - 1] = 0;
		for (p = out[i].name; *p; p++)
			if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
				*p = '?';
		if (out[i].from_ns > now)
			out[i].from_ns = now;
		if (out[i].open || out[i].took_ns > now - out[i].from_ns)
			out[i].took_ns = now - out[i].from_ns;
	}
	qsort(out, n, sizeof(*out), by_begin);
	return n;
}

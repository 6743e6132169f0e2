/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TRACE_H
#define CLEAT_TRACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/*
 * Where the time goes: spans of work, noted by the process that does it on a
 * page that it shares with those it was cloned from. Off, a span costs one
 * load and a branch. The page is in the memory of container processes until
 * they execute their program, so what is read from it is bounded and cleaned.
 */
#define TRACE_SPANS_MAX 200
#define TRACE_NAME_MAX 40

struct trace_span {
	uint64_t from_ns;		/* since trace_begin() */
	uint64_t took_ns;
	uint8_t stage;			/* enum stage of the process */
	uint8_t open;			/* not left (yet) */
	char name[TRACE_NAME_MAX];
};

struct trace_page;
/* The one variable of its kind: a stage's steps know only their own context, and all processes share one page. */
extern struct trace_page *trace_page;

/** trace_begin() - From now on, note spans in this process and in those it clones. Return: 0 or -errno. */
int trace_begin(void);
/** trace_end() - No more; forgets what was noted. */
void trace_end(void);

unsigned int trace_enter_slow(enum stage stage, const char *name);
void trace_leave_slow(unsigned int mark);

/**
 * trace_enter() - A span of work begins.
 * @name: copied, cut at TRACE_NAME_MAX - 1 bytes.
 * Return: what trace_leave() takes; 0 when nothing is traced or the page is full.
 */
static inline unsigned int trace_enter(enum stage stage, const char *name)
{
	return __builtin_expect(trace_page != NULL, 0) ? trace_enter_slow(stage, name) : 0;
}

/** trace_leave() - It ends. */
static inline void trace_leave(unsigned int mark)
{
	if (__builtin_expect(mark != 0, 0))
		trace_leave_slow(mark);
}

/** trace_call() - The value of @expr, whose evaluation is a span. */
#define trace_call(stage, name, expr) ({			\
	unsigned int mark_ = trace_enter(stage, name);		\
	__auto_type value_ = (expr);				\
								\
	trace_leave(mark_);					\
	value_;							\
})

/** trace_settle() - What is open in a stage after the clone ends now: its process executes its program. */
void trace_settle(void);
/** trace_read() - The spans, by their begin. @out: room for TRACE_SPANS_MAX. Return: how many. */
size_t trace_read(struct trace_span *out);
/** trace_now_ns() - Nanoseconds since trace_begin(); 0 when nothing is traced. */
uint64_t trace_now_ns(void);
#endif

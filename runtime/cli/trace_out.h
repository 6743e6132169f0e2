/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TRACE_OUT_H
#define CLEAT_TRACE_OUT_H
#include <stdbool.h>
#include "buf.h"
#include "trace.h"

/** struct trace_doc - What a traced command has to tell. */
struct trace_doc {
	const char *command, *id;	/* id "" when there is none; no character that JSON escapes */
	uint64_t total_ns;
	const struct trace_span *spans;
	size_t n;
};
/** trace_text() - A table for people: when, how long, which process, what. */
void trace_text(const struct trace_doc *d, struct buf *out);
/** trace_json() - One line: spans in their order, and the sum of each stage. Times are microseconds. */
void trace_json(const struct trace_doc *d, struct buf *out);
#endif

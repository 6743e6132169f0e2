/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The --trace option of commands that make processes. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fdio.h"
#include "trace_out.h"

int cli_trace_begin(const char *format, struct err *e)
{
	int r;

	if (!format)
		return 0;
	if (*format && strcmp(format, "text") && strcmp(format, "json"))
		return err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" for --trace: not text or json",
			       format);
	r = trace_begin();
	return r ? err_set(e, ERR_LIMIT, r, NULL, "get a page for --trace") : 0;
}

void cli_trace_print(const char *format, const char *command, const char *id)
{
	struct trace_span *spans = format ? calloc(TRACE_SPANS_MAX, sizeof(*spans)) : NULL;
	auto_buf b = BUF_INIT;
	struct trace_doc d = {
		/* An id that is none was refused, and goes to no document. */
		.command = command, .id = cleat_id_check(id, NULL) ? "" : id,
		.spans = spans, .total_ns = trace_now_ns(),
	};

	if (!spans)
		return;
	d.n = trace_read(spans);
	if (!strcmp(format, "json"))
		trace_json(&d, &b);
	else
		trace_text(&d, &b);
	if (buf_ok(&b) && b.len)
		(void)fdio_write_full(STDERR_FILENO, b.data, b.len);
	free(spans);
	trace_end();
}

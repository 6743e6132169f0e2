/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --trace: how long each step of each process took. */
#include "trace_out.h"
#include <inttypes.h>

/* Microseconds with one decimal. */
static void add_us(struct buf *out, uint64_t ns, int width)
{
	uint64_t tenths = (ns + 50) / 100;

	buf_addf(out, "%*" PRIu64 ".%u", width, tenths / 10, (unsigned int)(tenths % 10));
}

static uint64_t sum_of(const struct trace_doc *d, unsigned int stage)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->spans[i].stage == stage)
			sum += d->spans[i].took_ns;
	return sum;
}

static bool has(const struct trace_doc *d, unsigned int stage)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->spans[i].stage == stage)
			return true;
	return false;
}

void trace_text(const struct trace_doc *d, struct buf *out)
{
	buf_addf(out, "cleat %s%s%s: ", d->command, *d->id ? " " : "", d->id);
	add_us(out, d->total_ns, 1);
	buf_adds(out, " us\n          AT        TOOK  STAGE  STEP\n");
	for (size_t i = 0; i < d->n; i++) {
		add_us(out, d->spans[i].from_ns, 10);
		add_us(out, d->spans[i].took_ns, 10);
		buf_addf(out, "  %-5s  %s\n", err_stage_name(d->spans[i].stage), d->spans[i].name);
	}
	/* Processes work side by side: the sums are of work, and of waiting for each other. */
	for (unsigned int s = 0; s < STAGE_MAX; s++) {
		if (!has(d, s))
			continue;
		buf_addf(out, "%12s", "");
		add_us(out, sum_of(d, s), 10);
		buf_addf(out, "  %-5s  in all\n", err_stage_name(s));
	}
}

void trace_json(const struct trace_doc *d, struct buf *out)
{
	bool first = true;

	buf_addf(out, "{\"command\":\"%s\",\"id\":\"%s\",\"microseconds\":", d->command, d->id);
	add_us(out, d->total_ns, 1);
	buf_adds(out, ",\"stages\":{");
	for (unsigned int s = 0; s < STAGE_MAX; s++) {
		if (!has(d, s))
			continue;
		buf_addf(out, "%s\"%s\":", first ? "" : ",", err_stage_name(s));
		add_us(out, sum_of(d, s), 1);
		first = false;
	}
	buf_adds(out, "},\"steps\":[");
	for (size_t i = 0; i < d->n; i++) {
		buf_addf(out, "%s{\"stage\":\"%s\",\"step\":\"%s\",\"at\":", i ? "," : "",
			 err_stage_name(d->spans[i].stage), d->spans[i].name);
		add_us(out, d->spans[i].from_ns, 1);
		buf_adds(out, ",\"microseconds\":");
		add_us(out, d->spans[i].took_ns, 1);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}\n");
}

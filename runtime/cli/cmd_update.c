/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `update`: limits given as options become the JSON document that the engine takes. */
#include "cli.h"
#include <errno.h>
#include <string.h>
#include "num.h"

/* clang-format off */
#define U(member) .off = OPT_AT(struct update_values, member), .type = OPT_STR
const struct opt cli_update_options[] = {
	{ .name = "resources", .letter = 'r', U(resources), .value = "FILE",
	  .help = "LinuxResources document, - for stdin" },
	{ .name = "memory", U(memory), .value = "SIZE", .help = "memory limit" },
	{ .name = "memory-reservation", U(reservation), .value = "SIZE",
	  .help = "soft memory limit" },
	{ .name = "memory-swap", U(swap), .value = "SIZE",
	  .help = "limit of memory and swap together" },
	{ .name = "kernel-memory", U(kernel), .value = "SIZE" },
	{ .name = "kernel-memory-tcp", U(kernel_tcp), .value = "SIZE" },
	{ .name = "cpu-share", U(shares), .value = "N",
	  .help = "weight of the container for the CPU" },
	{ .name = "cpu-period", U(period), .value = "US", .help = "CFS period in microseconds" },
	{ .name = "cpu-quota", U(quota), .value = "US",
	  .help = "CPU time per period in microseconds" },
	{ .name = "cpu-burst", U(burst), .value = "US", .help = "CPU time saved up for bursts" },
	{ .name = "cpu-rt-period", U(rt_period), .value = "US", .help = "realtime period" },
	{ .name = "cpu-rt-runtime", U(rt_runtime), .value = "US",
	  .help = "realtime CPU time per period" },
	{ .name = "cpu-idle", U(idle), .value = "0|1", .help = "run only when nothing else does" },
	{ .name = "cpuset-cpus", U(cpus), .value = "LIST", .help = "CPUs to run on" },
	{ .name = "cpuset-mems", U(mems), .value = "LIST", .help = "memory nodes to use" },
	{ .name = "pids-limit", U(pids), .value = "N", .help = "most processes" },
	{ .name = "blkio-weight", U(blkio_weight), .value = "N",
	  .help = "weight of the container for disks (10 to 1000)" },
	{ .name = "l3-cache-schema", U(l3_cache), .value = "SCHEMA",
	  .help = "share of the L3 caches, L3:0=ff;1=f" },
	{ .name = "mem-bw-schema", U(mem_bw), .value = "SCHEMA",
	  .help = "share of the memory bandwidth, MB:0=50;1=20" },
	{ .type = OPT_END },
};

enum form { FORM_SIZE, FORM_INT, FORM_UINT, FORM_LIST };

/* Which option becomes which member. Rows of one section stand together. */
static const struct member {
	const char *section, *key, *option;
	uint16_t off;
	uint8_t form;
} members[] = {
#define M(section, key, option, member, form) \
	{ section, key, option, OPT_AT(struct update_values, member), form }
	M("memory", "limit", "memory", memory, FORM_SIZE),
	M("memory", "reservation", "memory-reservation", reservation, FORM_SIZE),
	M("memory", "swap", "memory-swap", swap, FORM_SIZE),
	M("cpu", "shares", "cpu-share", shares, FORM_UINT),
	M("cpu", "period", "cpu-period", period, FORM_UINT),
	M("cpu", "quota", "cpu-quota", quota, FORM_INT),
	M("cpu", "burst", "cpu-burst", burst, FORM_UINT),
	M("cpu", "realtimePeriod", "cpu-rt-period", rt_period, FORM_UINT),
	M("cpu", "realtimeRuntime", "cpu-rt-runtime", rt_runtime, FORM_INT),
	M("cpu", "idle", "cpu-idle", idle, FORM_INT),
	M("cpu", "cpus", "cpuset-cpus", cpus, FORM_LIST),
	M("cpu", "mems", "cpuset-mems", mems, FORM_LIST),
	M("pids", "limit", "pids-limit", pids, FORM_INT),
	M("blockIO", "weight", "blkio-weight", blkio_weight, FORM_UINT),
#undef M
};
/* clang-format on */

static int add_value(const struct member *m, const char *text, struct buf *out, struct err *e)
{
	int64_t n = 0;
	uint64_t u = 0;
	int r = 0;

	switch ((enum form)m->form) {
	case FORM_SIZE:
		r = opt_size(text, &n);
		buf_addf(out, "%lld", (long long)n);
		break;
	case FORM_INT:
		r = num_i64(text, INT64_MIN, INT64_MAX, &n);
		buf_addf(out, "%lld", (long long)n);
		break;
	case FORM_UINT:
		r = num_u64(text, UINT64_MAX, &u);
		buf_addf(out, "%llu", (unsigned long long)u);
		break;
	case FORM_LIST:
		/* Whether it makes sense is the engine's to say; it must not break the document. */
		r = text[strspn(text, "0123456789,-")] ? -EINVAL : 0;
		buf_addf(out, "\"%s\"", r ? "" : text);
		break;
	}
	if (r == -ERANGE)
		return err_set(e, ERR_SPEC, r, NULL, "invalid value \"%s\" for --%s", text,
			       m->option);
	return r ? err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" for --%s: not a %s", text,
			   m->option,
			   m->form == FORM_SIZE	  ? "size"
			   : m->form == FORM_LIST ? "list"
						  : "number")
		 : 0;
}

int update_json(const struct update_values *v, struct buf *out, struct err *e)
{
	const char *section = NULL;
	size_t i;

	buf_addc(out, '{');
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct member *m = &members[i];
		const char *text = *(const char *const *)(const void *)((const char *)v + m->off);
		int r;

		if (!text || !*text)
			continue;
		if (section && !strcmp(section, m->section))
			buf_addf(out, ",\"%s\":", m->key);
		else
			buf_addf(out, "%s\"%s\":{\"%s\":", section ? "}," : "", m->section, m->key);
		section = m->section;
		r = add_value(m, text, out, e);
		if (r)
			return r;
	}
	buf_adds(out, section ? "}}" : "}");
	return buf_ok(out) ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, NULL, "build the resources");
}

int cmd_update(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct update_values *v = values;
	auto_buf doc = BUF_INIT;
	int r;

	if (v->resources) {
		r = cli_read_file(v->resources, true, "resources document", &doc, e);
	} else {
		if (v->kernel || v->kernel_tcp)
			log_warn(c->env.log,
				 "--kernel-memory%s is ignored: the kernel has no such limit any "
				 "more",
				 v->kernel ? "" : "-tcp");
		r = update_json(v, &doc, e);
	}
	/* First: what is refused here must not have changed anything else. */
	if (!r && !v->resources && ((v->l3_cache && *v->l3_cache) || (v->mem_bw && *v->mem_bw)))
		r = cleat_update_rdt(&c->env, argv[0], v->l3_cache, v->mem_bw, e);
	if (r)
		return r;
	return cleat_update(&c->env, argv[0], doc.data ? doc.data : "", doc.len, e);
}

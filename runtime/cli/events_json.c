/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines of `events`. Programs decode them, so keys, their order and what
 * is left out when it is 0 are those of other runtimes, byte for byte
 * (contract oci-runtime 1.11).
 */
#include "events_json.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "rdt.h"

/* An object that is being written: "key":value, ... */
struct object_out {
	struct buf *b;
	bool any;
};

static void key(struct object_out *o, const char *name)
{
	buf_addf(o->b, "%s\"%s\":", o->any ? "," : "", name);
	o->any = true;
}

static struct object_out begin(struct buf *b)
{
	buf_addc(b, '{');
	return (struct object_out){ b, false };
}

static void end(const struct object_out *o)
{
	buf_addc(o->b, '}');
}

static void number(struct object_out *o, const char *name, uint64_t v)
{
	key(o, name);
	buf_addf(o->b, "%" PRIu64, v);
}

static void nonzero(struct object_out *o, const char *name, uint64_t v)
{
	if (v)
		number(o, name, v);
}

static void numbers(struct object_out *o, const char *name, const uint64_t *v, size_t n)
{
	if (!n)
		return;
	key(o, name);
	for (size_t i = 0; i < n; i++)
		buf_addf(o->b, "%c%" PRIu64, i ? ',' : '[', v[i]);
	buf_addc(o->b, ']');
}

static void list(struct object_out *o, const char *name, const struct u32v *v)
{
	if (!v->n)
		return;
	key(o, name);
	for (size_t i = 0; i < v->n; i++)
		buf_addf(o->b, "%c%" PRIu32, i ? ',' : '[', v->v[i]);
	buf_addc(o->b, ']');
}

/* The kernel writes two decimals; 0 has none here. */
static void average(struct object_out *o, const char *name, double v)
{
	uint64_t hundredths = (uint64_t)(v * 100 + 0.5);

	key(o, name);
	buf_addf(o->b, "%" PRIu64, hundredths / 100);
	if (hundredths % 10)
		buf_addf(o->b, ".%02u", (unsigned int)(hundredths % 100));
	else if (hundredths % 100)
		buf_addf(o->b, ".%u", (unsigned int)(hundredths % 100) / 10);
}

static void psi_line(struct object_out *parent, const char *name, const struct cg_psi_line *l)
{
	struct object_out o;

	key(parent, name);
	o = begin(parent->b);
	average(&o, "avg10", l->avg10);
	average(&o, "avg60", l->avg60);
	average(&o, "avg300", l->avg300);
	number(&o, "total", l->total);
	end(&o);
}

static void psi(struct object_out *parent, const struct cg_psi *p)
{
	struct object_out o;

	if (!p->present)
		return;
	key(parent, "psi");
	o = begin(parent->b);
	psi_line(&o, "some", &p->some);
	psi_line(&o, "full", &p->full);
	end(&o);
}

static void cpu(struct object_out *data, const struct cg_stats *s, const struct cg_detail *d)
{
	struct object_out c, o;

	key(data, "cpu");
	c = begin(data->b);
	key(&c, "usage");
	o = begin(data->b);
	nonzero(&o, "total", s->v2 ? s->cpu.usage_us * 1000 : s->cpu.v1_total_ns);
	numbers(&o, "percpu", s->cpu.per_cpu_ns, s->cpu.n_cpu);
	numbers(&o, "percpu_kernel", d->per_cpu_kernel_ns, d->n_cpu);
	numbers(&o, "percpu_user", d->per_cpu_user_ns, d->n_cpu);
	number(&o, "kernel", s->v2 ? s->cpu.system_us * 1000 : d->stat_kernel_ns);
	number(&o, "user", s->v2 ? s->cpu.user_us * 1000 : d->stat_user_ns);
	end(&o);
	key(&c, "throttling");
	o = begin(data->b);
	nonzero(&o, "periods", s->cpu.nr_periods);
	nonzero(&o, "throttledPeriods", s->cpu.nr_throttled);
	nonzero(&o, "throttledTime", s->v2 ? s->cpu.throttled_us * 1000 : s->cpu.v1_throttled_ns);
	end(&o);
	psi(&c, &s->cpu.psi);
	end(&c);
}

static void cpuset(struct object_out *data, const struct cg_detail *d)
{
	const uint64_t *f = d->cpuset.flags;
	struct object_out o;

	key(data, "cpuset");
	o = begin(data->b);
	list(&o, "cpus", &d->cpuset.cpus);
	number(&o, "cpu_exclusive", f[CG_CPU_EXCLUSIVE]);
	list(&o, "mems", &d->cpuset.mems);
	number(&o, "mem_hardwall", f[CG_MEM_HARDWALL]);
	number(&o, "mem_exclusive", f[CG_MEM_EXCLUSIVE]);
	number(&o, "memory_migrate", f[CG_MEMORY_MIGRATE]);
	number(&o, "memory_spread_page", f[CG_MEMORY_SPREAD_PAGE]);
	number(&o, "memory_spread_slab", f[CG_MEMORY_SPREAD_SLAB]);
	number(&o, "memory_pressure", f[CG_MEMORY_PRESSURE]);
	number(&o, "sched_load_balance", f[CG_SCHED_LOAD_BALANCE]);
	key(&o, "sched_relax_domain_level");
	buf_addf(data->b, "%" PRId64, d->cpuset.sched_relax_domain_level);
	end(&o);
}

static void counter(struct object_out *parent, const char *name, const struct cg_stat_mem_counter *m)
{
	struct object_out o;

	key(parent, name);
	o = begin(parent->b);
	number(&o, "limit", m->limit);
	nonzero(&o, "usage", m->usage);
	nonzero(&o, "max", m->max);
	number(&o, "failcnt", m->failcnt);
	end(&o);
}

static uint64_t cache(const struct cg_stats *s, const struct cg_detail *d)
{
	for (size_t i = 0; i < d->memory.n; i++)
		if (!strcmp(d->memory.v[i].key, s->v2 ? "file" : "cache"))
			return strtoull(d->memory.v[i].val, NULL, 10);
	return 0;
}

/* v2 counts swap alone, v1 memory and swap together: what is printed is v1's. */
static struct cg_stat_mem_counter with_swap(const struct cg_stats *s)
{
	struct cg_stat_mem_counter m = { .usage = s->memory.usage + s->memory.swap_usage };

	m.limit = s->memory.swap_limit;
	if (__builtin_add_overflow(m.limit, s->memory.limit, &m.limit))
		m.limit = UINT64_MAX;
	return m;
}

static void memory(struct object_out *data, const struct cg_stats *s, const struct cg_detail *d)
{
	static const struct cg_stat_mem_counter none;
	const struct cg_stat_mem_counter
		usage = { .usage = s->memory.usage, .max = s->memory.peak, .limit = s->memory.limit },
		swap = with_swap(s);
	struct object_out m, o;

	key(data, "memory");
	m = begin(data->b);
	nonzero(&m, "cache", cache(s, d));
	counter(&m, "usage", s->v2 ? &usage : &s->memory.v1_usage);
	counter(&m, "swap", s->v2 ? &swap : &s->memory.v1_swap);
	counter(&m, "kernel", s->v2 ? &none : &s->memory.v1_kernel);
	counter(&m, "kernelTCP", s->v2 ? &none : &s->memory.v1_kernel_tcp);
	if (d->memory.n) {
		key(&m, "raw");
		o = begin(data->b);
		for (size_t i = 0; i < d->memory.n; i++) {
			key(&o, d->memory.v[i].key);
			buf_adds(data->b, d->memory.v[i].val);
		}
		end(&o);
	}
	psi(&m, &s->memory.psi);
	end(&m);
}

static void pids(struct object_out *data, const struct cg_stats *s)
{
	struct object_out o;

	key(data, "pids");
	o = begin(data->b);
	nonzero(&o, "current", s->pids.current);
	nonzero(&o, "limit", s->pids.limit == UINT64_MAX ? 0 : s->pids.limit);
	end(&o);
}

static void blkio(struct object_out *data, const struct cg_stats *s, const struct cg_detail *d)
{
	static const char *const names[CG_IO_TABLES] = {
		[CG_IO_BYTES] = "ioServiceBytesRecursive",
		[CG_IO_SERVICED] = "ioServicedRecursive",
		[CG_IO_QUEUED] = "ioQueueRecursive",
		[CG_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
		[CG_IO_WAIT_TIME] = "ioWaitTimeRecursive",
		[CG_IO_MERGED] = "ioMergedRecursive",
		[CG_IO_TIME] = "ioTimeRecursive",
		[CG_IO_SECTORS] = "sectorsRecursive",
	};
	struct object_out b, o;

	key(data, "blkio");
	b = begin(data->b);
	for (size_t t = 0; t < CG_IO_TABLES; t++) {
		const struct cg_io_value *v = d->io[t].v;

		if (!d->io[t].n)
			continue;
		key(&b, names[t]);
		for (size_t i = 0; i < d->io[t].n; i++) {
			buf_addc(data->b, i ? ',' : '[');
			o = begin(data->b);
			nonzero(&o, "major", v[i].major);
			nonzero(&o, "minor", v[i].minor);
			if (*v[i].op) {
				key(&o, "op");
				buf_addf(data->b, "\"%s\"", v[i].op);
			}
			nonzero(&o, "value", v[i].value);
			end(&o);
		}
		buf_addc(data->b, ']');
	}
	psi(&b, &s->io.psi);
	end(&b);
}

static int by_size(const void *a, const void *b)
{
	return strcmp(((const struct cg_stat_huge *)a)->size, ((const struct cg_stat_huge *)b)->size);
}

static void hugetlb(struct object_out *data, const struct cg_stats *s)
{
	struct cg_stat_huge v[CG_STAT_HUGE_MAX];
	struct object_out h, o;

	memcpy(v, s->huge.v, s->huge.n * sizeof(*v));
	qsort(v, s->huge.n, sizeof(*v), by_size);
	key(data, "hugetlb");
	h = begin(data->b);
	for (size_t i = 0; i < s->huge.n; i++) {
		key(&h, v[i].size);
		o = begin(data->b);
		nonzero(&o, "usage", v[i].usage);
		/* v2 remembers no maximum; what stands there is the limit */
		nonzero(&o, "max", s->v2 ? 0 : v[i].max);
		number(&o, "failcnt", v[i].failcnt);
		end(&o);
	}
	end(&h);
}

static void text(struct object_out *o, const char *name, const char *value)
{
	if (!*value)
		return;
	key(o, name);
	buf_addf(o->b, "\"%s\"", value);
}

static void rdt_nodes(struct object_out *parent, const struct rdt_stats *s, bool bytes)
{
	struct object_out o;

	if (!s->n_nodes || !(bytes ? s->counts_bytes : s->counts_occupancy))
		return;
	key(parent, bytes ? "mbm_stats" : "cmt_stats");
	for (size_t i = 0; i < s->n_nodes; i++) {
		buf_addc(parent->b, i ? ',' : '[');
		o = begin(parent->b);
		nonzero(&o, bytes ? "mbm_total_bytes" : "llc_occupancy",
			bytes ? s->nodes[i].total_bytes : s->nodes[i].occupancy);
		if (bytes)
			nonzero(&o, "mbm_local_bytes", s->nodes[i].local_bytes);
		end(&o);
	}
	buf_addc(parent->b, ']');
}

static void rdt(struct object_out *data, const struct rdt_stats *s)
{
	struct object_out r, o;

	key(data, "intel_rdt");
	r = begin(data->b);
	if (s && s->has_l3) {
		key(&r, "l3_cache_info");
		o = begin(data->b);
		text(&o, "cbm_mask", s->cbm_mask);
		nonzero(&o, "min_cbm_bits", s->min_cbm_bits);
		nonzero(&o, "num_closids", s->l3_closids);
		end(&o);
		text(&r, "l3_cache_schema_root", s->l3_root);
		text(&r, "l3_cache_schema", s->l3_own);
	}
	if (s && s->has_mb) {
		key(&r, "mem_bw_info");
		o = begin(data->b);
		nonzero(&o, "bandwidth_gran", s->gran);
		nonzero(&o, "delay_linear", s->linear);
		nonzero(&o, "min_bandwidth", s->min_bandwidth);
		nonzero(&o, "num_closids", s->mb_closids);
		end(&o);
		text(&r, "mem_bw_schema_root", s->mb_root);
		text(&r, "mem_bw_schema", s->mb_own);
	}
	if (s) {
		rdt_nodes(&r, s, true);
		rdt_nodes(&r, s, false);
	}
	end(&r);
}

void events_stats_json(const char *id, const struct cg_stats *s, const struct cg_detail *d, struct buf *out)
{
	struct object_out data;

	buf_addf(out, "{\"type\":\"stats\",\"id\":\"%s\",\"data\":", id);
	data = begin(out);
	cpu(&data, s, d);
	cpuset(&data, d);
	memory(&data, s, d);
	pids(&data, s);
	blkio(&data, s, d);
	hugetlb(&data, s);
	rdt(&data, d->rdt);
	key(&data, "network_interfaces");
	buf_adds(out, "null");
	end(&data);
	buf_adds(out, "}\n");
}

void events_oom_json(const char *id, struct buf *out)
{
	buf_addf(out, "{\"type\":\"oom\",\"id\":\"%s\"}\n", id);
}

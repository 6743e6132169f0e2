/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics as the metrics messages of containerd (contract shim 5): which
 * of the two depends on the hierarchy. Runs in workers.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "op.h"
#include "task.pb-c.h"

/*
 * memory.stat's values are in the order of the message's first fields, so
 * they are copied as a block; the assertions hold message and order together.
 */
#define V1_FIRST offsetof(Io__Containerd__Cgroups__V1__MemoryStat, cache)
#define V1_LAST offsetof(Io__Containerd__Cgroups__V1__MemoryStat, total_unevictable)
#define V2_FIRST offsetof(Io__Containerd__Cgroups__V2__MemoryStat, anon)
#define V2_LAST offsetof(Io__Containerd__Cgroups__V2__MemoryStat, thp_collapse_alloc)
_Static_assert(V1_LAST - V1_FIRST == 31 * sizeof(uint64_t), "32 fields in a row");
_Static_assert(V2_LAST - V2_FIRST == 30 * sizeof(uint64_t), "31 fields in a row");

static int pack_response(void *metrics, struct arena *a, struct buf *b)
{
	Cleat__Task__StatsResponse res = CLEAT__TASK__STATS_RESPONSE__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

	if (any_set(a, &any, metrics))
		return -ENOMEM;
	res.stats = &any;
	msg_pack(b, &res);
	return buf_ok(b) ? 0 : -ENOMEM;
}

/* ---- v1 ------------------------------------------------------------------------- */

static Io__Containerd__Cgroups__V1__MemoryEntry *entry_v1(struct arena *a,
							  const struct cg_stat_mem_counter *c)
{
	Io__Containerd__Cgroups__V1__MemoryEntry *m =
		arena_new(a, Io__Containerd__Cgroups__V1__MemoryEntry);

	if (!m)
		return NULL;
	*m = (Io__Containerd__Cgroups__V1__MemoryEntry)IO__CONTAINERD__CGROUPS__V1__MEMORY_ENTRY__INIT;
	m->limit = c->limit;
	m->usage = c->usage;
	m->max = c->max;
	m->failcnt = c->failcnt;
	return m;
}

static void memory_v1(const struct cg_stats *s, Io__Containerd__Cgroups__V1__MemoryStat *m,
		      struct arena *a)
{
	memcpy((char *)m + V1_FIRST, s->memory.v1_stat, sizeof(s->memory.v1_stat));
	m->usage = entry_v1(a, &s->memory.v1_usage);
	m->swap = entry_v1(a, &s->memory.v1_swap);
	m->kernel = entry_v1(a, &s->memory.v1_kernel);
	m->kernel_tcp = entry_v1(a, &s->memory.v1_kernel_tcp);
}

static int add_blkio(Io__Containerd__Cgroups__V1__BlkIOEntry **list, size_t *n, const char *op,
		     const struct cg_stat_io *d, uint64_t value, struct arena *a)
{
	Io__Containerd__Cgroups__V1__BlkIOEntry *en =
		arena_new(a, Io__Containerd__Cgroups__V1__BlkIOEntry);

	if (!en)
		return -ENOMEM;
	*en = (Io__Containerd__Cgroups__V1__BlkIOEntry)IO__CONTAINERD__CGROUPS__V1__BLK_IOENTRY__INIT;
	en->op = msg_set(op);
	en->major = d->major;
	en->minor = d->minor;
	en->value = value;
	list[(*n)++] = en;
	return 0;
}

static int blkio_v1(const struct cg_stats *s, Io__Containerd__Cgroups__V1__BlkIOStat *b,
		    struct arena *a)
{
	size_t room = 2 * s->io.n + 1;
	int r = 0;

	b->io_service_bytes_recursive = arena_alloc(a, room * sizeof(void *));
	b->io_serviced_recursive = arena_alloc(a, room * sizeof(void *));
	if (!b->io_service_bytes_recursive || !b->io_serviced_recursive)
		return -ENOMEM;
	for (size_t i = 0; i < s->io.n && !r; i++) {
		const struct cg_stat_io *d = &s->io.dev[i];

		r = add_blkio(b->io_service_bytes_recursive, &b->n_io_service_bytes_recursive,
			      "Read", d, d->rbytes, a);
		r = r ? r : add_blkio(b->io_service_bytes_recursive,
				      &b->n_io_service_bytes_recursive, "Write", d, d->wbytes, a);
		r = r ? r : add_blkio(b->io_serviced_recursive, &b->n_io_serviced_recursive,
				      "Read", d, d->rios, a);
		r = r ? r : add_blkio(b->io_serviced_recursive, &b->n_io_serviced_recursive,
				      "Write", d, d->wios, a);
	}
	return r;
}

static int huge_v1(const struct cg_stats *s, Io__Containerd__Cgroups__V1__Metrics *m,
		   struct arena *a)
{
	m->hugetlb = arena_alloc(a, (s->huge.n + 1) * sizeof(void *));
	for (size_t i = 0; m->hugetlb && i < s->huge.n; i++) {
		Io__Containerd__Cgroups__V1__HugetlbStat *h =
			arena_new(a, Io__Containerd__Cgroups__V1__HugetlbStat);

		if (!h)
			return -ENOMEM;
		*h = (Io__Containerd__Cgroups__V1__HugetlbStat)IO__CONTAINERD__CGROUPS__V1__HUGETLB_STAT__INIT;
		h->usage = s->huge.v[i].usage;
		h->max = s->huge.v[i].max;
		h->failcnt = s->huge.v[i].failcnt;
		h->pagesize = msg_set(s->huge.v[i].size);
		m->hugetlb[m->n_hugetlb++] = h;
	}
	return m->hugetlb ? 0 : -ENOMEM;
}

static void cpu_v1(const struct cg_stats *s, Io__Containerd__Cgroups__V1__CPUUsage *u,
		   Io__Containerd__Cgroups__V1__Throttle *t)
{
	u->total = s->cpu.v1_total_ns;
	u->kernel = s->cpu.v1_kernel_ns;
	u->user = s->cpu.v1_user_ns;
	u->per_cpu = s->cpu.per_cpu_ns;
	u->n_per_cpu = s->cpu.n_cpu;
	t->periods = s->cpu.nr_periods;
	t->throttled_periods = s->cpu.nr_throttled;
	t->throttled_time = s->cpu.v1_throttled_ns;
}

static int pack_v1(const struct cg_stats *s, struct arena *a, struct buf *b)
{
	Io__Containerd__Cgroups__V1__Metrics m = IO__CONTAINERD__CGROUPS__V1__METRICS__INIT;
	Io__Containerd__Cgroups__V1__PidsStat pids = IO__CONTAINERD__CGROUPS__V1__PIDS_STAT__INIT;
	Io__Containerd__Cgroups__V1__CPUStat cpu = IO__CONTAINERD__CGROUPS__V1__CPUSTAT__INIT;
	Io__Containerd__Cgroups__V1__CPUUsage usage = IO__CONTAINERD__CGROUPS__V1__CPUUSAGE__INIT;
	Io__Containerd__Cgroups__V1__Throttle throttle = IO__CONTAINERD__CGROUPS__V1__THROTTLE__INIT;
	Io__Containerd__Cgroups__V1__MemoryStat memory = IO__CONTAINERD__CGROUPS__V1__MEMORY_STAT__INIT;
	Io__Containerd__Cgroups__V1__BlkIOStat blkio = IO__CONTAINERD__CGROUPS__V1__BLK_IOSTAT__INIT;
	Io__Containerd__Cgroups__V1__MemoryOomControl oom =
		IO__CONTAINERD__CGROUPS__V1__MEMORY_OOM_CONTROL__INIT;
	int r;

	pids.current = s->pids.current;
	pids.limit = s->pids.limit;
	cpu_v1(s, &usage, &throttle);
	cpu.usage = &usage;
	cpu.throttling = &throttle;
	memory_v1(s, &memory, a);
	oom.oom_kill_disable = s->memory.v1_oom_kill_disable;
	oom.under_oom = s->memory.v1_under_oom;
	oom.oom_kill = s->memory.v1_oom_kill;
	m.pids = &pids;
	m.cpu = &cpu;
	m.memory = &memory;
	m.blkio = &blkio;
	m.memory_oom_control = &oom;
	r = blkio_v1(s, &blkio, a);
	if (!r)
		r = huge_v1(s, &m, a);
	return r ? r : pack_response(&m, a, b);
}

/* ---- v2 ------------------------------------------------------------------------- */

static Io__Containerd__Cgroups__V2__PSIData *psi_line(struct arena *a, const struct cg_psi_line *l)
{
	Io__Containerd__Cgroups__V2__PSIData *d = arena_new(a, Io__Containerd__Cgroups__V2__PSIData);

	if (!d)
		return NULL;
	*d = (Io__Containerd__Cgroups__V2__PSIData)IO__CONTAINERD__CGROUPS__V2__PSIDATA__INIT;
	d->avg10 = l->avg10;
	d->avg60 = l->avg60;
	d->avg300 = l->avg300;
	d->total = l->total;
	return d;
}

static Io__Containerd__Cgroups__V2__PSIStats *psi_v2(struct arena *a, const struct cg_psi *p)
{
	Io__Containerd__Cgroups__V2__PSIStats *s;

	if (!p->present)
		return NULL;
	s = arena_new(a, Io__Containerd__Cgroups__V2__PSIStats);
	if (!s)
		return NULL;
	*s = (Io__Containerd__Cgroups__V2__PSIStats)IO__CONTAINERD__CGROUPS__V2__PSISTATS__INIT;
	s->some = psi_line(a, &p->some);
	s->full = psi_line(a, &p->full);
	return s;
}

static int io_v2(const struct cg_stats *s, Io__Containerd__Cgroups__V2__IOStat *io, struct arena *a)
{
	io->usage = arena_alloc(a, (s->io.n + 1) * sizeof(void *));
	for (size_t i = 0; io->usage && i < s->io.n; i++) {
		const struct cg_stat_io *d = &s->io.dev[i];
		Io__Containerd__Cgroups__V2__IOEntry *en =
			arena_new(a, Io__Containerd__Cgroups__V2__IOEntry);

		if (!en)
			return -ENOMEM;
		*en = (Io__Containerd__Cgroups__V2__IOEntry)IO__CONTAINERD__CGROUPS__V2__IOENTRY__INIT;
		en->major = d->major;
		en->minor = d->minor;
		en->rbytes = d->rbytes;
		en->wbytes = d->wbytes;
		en->rios = d->rios;
		en->wios = d->wios;
		io->usage[io->n_usage++] = en;
	}
	io->psi = psi_v2(a, &s->io.psi);
	return io->usage ? 0 : -ENOMEM;
}

static int huge_v2(const struct cg_stats *s, Io__Containerd__Cgroups__V2__Metrics *m,
		   struct arena *a)
{
	m->hugetlb = arena_alloc(a, (s->huge.n + 1) * sizeof(void *));
	for (size_t i = 0; m->hugetlb && i < s->huge.n; i++) {
		Io__Containerd__Cgroups__V2__HugeTlbStat *h =
			arena_new(a, Io__Containerd__Cgroups__V2__HugeTlbStat);

		if (!h)
			return -ENOMEM;
		*h = (Io__Containerd__Cgroups__V2__HugeTlbStat)IO__CONTAINERD__CGROUPS__V2__HUGE_TLB_STAT__INIT;
		h->current = s->huge.v[i].usage;
		h->max = s->huge.v[i].limit;
		h->failcnt = s->huge.v[i].failcnt;
		h->pagesize = msg_set(s->huge.v[i].size);
		m->hugetlb[m->n_hugetlb++] = h;
	}
	return m->hugetlb ? 0 : -ENOMEM;
}

static void cpu_v2(const struct cg_stats *s, Io__Containerd__Cgroups__V2__CPUStat *c,
		   struct arena *a)
{
	c->usage_usec = s->cpu.usage_us;
	c->user_usec = s->cpu.user_us;
	c->system_usec = s->cpu.system_us;
	c->nr_periods = s->cpu.nr_periods;
	c->nr_throttled = s->cpu.nr_throttled;
	c->throttled_usec = s->cpu.throttled_us;
	c->nr_bursts = s->cpu.nr_bursts;
	c->burst_usec = s->cpu.burst_us;
	c->psi = psi_v2(a, &s->cpu.psi);
}

static void memory_v2(const struct cg_stats *s, Io__Containerd__Cgroups__V2__MemoryStat *m,
		      struct arena *a)
{
	memcpy((char *)m + V2_FIRST, s->memory.v2_stat, sizeof(s->memory.v2_stat));
	m->usage = s->memory.usage;
	m->usage_limit = s->memory.limit;
	m->swap_usage = s->memory.swap_usage;
	m->swap_limit = s->memory.swap_limit;
	m->max_usage = s->memory.peak;
	m->swap_max_usage = s->memory.swap_peak;
	m->psi = psi_v2(a, &s->memory.psi);
}

static void events_v2(const struct cg_stats *s, Io__Containerd__Cgroups__V2__MemoryEvents *e)
{
	e->low = s->memory.ev_low;
	e->high = s->memory.ev_high;
	e->max = s->memory.ev_max;
	e->oom = s->memory.ev_oom;
	e->oom_kill = s->memory.ev_oom_kill;
	e->oom_group_kill = s->memory.ev_oom_group_kill;
}

static int pack_v2(const struct cg_stats *s, struct arena *a, struct buf *b)
{
	Io__Containerd__Cgroups__V2__Metrics m = IO__CONTAINERD__CGROUPS__V2__METRICS__INIT;
	Io__Containerd__Cgroups__V2__PidsStat pids = IO__CONTAINERD__CGROUPS__V2__PIDS_STAT__INIT;
	Io__Containerd__Cgroups__V2__CPUStat cpu = IO__CONTAINERD__CGROUPS__V2__CPUSTAT__INIT;
	Io__Containerd__Cgroups__V2__MemoryStat memory = IO__CONTAINERD__CGROUPS__V2__MEMORY_STAT__INIT;
	Io__Containerd__Cgroups__V2__MemoryEvents events =
		IO__CONTAINERD__CGROUPS__V2__MEMORY_EVENTS__INIT;
	Io__Containerd__Cgroups__V2__IOStat io = IO__CONTAINERD__CGROUPS__V2__IOSTAT__INIT;
	int r;

	pids.current = s->pids.current;
	pids.limit = s->pids.limit;
	cpu_v2(s, &cpu, a);
	memory_v2(s, &memory, a);
	events_v2(s, &events);
	m.pids = &pids;
	m.cpu = &cpu;
	m.memory = &memory;
	m.memory_events = &events;
	m.io = &io;
	r = io_v2(s, &io, a);
	if (!r)
		r = huge_v2(s, &m, a);
	return r ? r : pack_response(&m, a, b);
}

int metrics_pack(const struct cg_stats *s, struct buf *b)
{
	auto_arena a = ARENA_INIT;

	return s->v2 ? pack_v2(s, &a, b) : pack_v1(s, &a, b);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics as the metrics messages of containerd (contract shim 5): which
 * of the two depends on the hierarchy. Runs in workers.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "cgroups_v2.pb-c.h"
#include "metrics_internal.h"
#include "utf8.h"

/*
 * memory.stat's values are in the order of the message's first fields, so
 * they are copied as a block; the assertion holds message and order together.
 */
#define V2_FIRST offsetof(Io__Containerd__Cgroups__V2__MemoryStat, anon)
#define V2_LAST offsetof(Io__Containerd__Cgroups__V2__MemoryStat, thp_collapse_alloc)
_Static_assert(V2_LAST - V2_FIRST == 30 * sizeof(uint64_t), "31 fields in a row");

int metrics_any(void *metrics, struct arena *a, struct buf *b)
{
	Cleat__Task__StatsResponse res = CLEAT__TASK__STATS_RESPONSE__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

	if (any_set(a, &any, metrics))
		return -ENOMEM;
	res.stats = &any;
	msg_pack(b, &res);
	return buf_ok(b) ? 0 : -ENOMEM;
}

/* ---- both versions ------------------------------------------------------------------ */

/* A name that is no UTF-8 would spoil the message for its reader: its device is left out. */
static int rdma_list(const struct objv *from, Io__Containerd__Cgroups__RdmaEntry ***list, size_t *n,
		     struct arena *a)
{
	const struct cg_rdma *d = from->v;

	*list = arena_alloc(a, (from->n + 1) * sizeof(void *));
	for (size_t i = 0; *list && i < from->n; i++) {
		Io__Containerd__Cgroups__RdmaEntry *en;

		if (!utf8_valid(d[i].device, strlen(d[i].device)))
			continue;
		en = msg_new(a, &io__containerd__cgroups__rdma_entry__descriptor);
		if (!en)
			return -ENOMEM;
		en->device = msg_set(d[i].device);
		en->hca_handles = d[i].handles;
		en->hca_objects = d[i].objects;
		(*list)[(*n)++] = en;
	}
	return *list ? 0 : -ENOMEM;
}

int metrics_rdma(const struct cg_detail *d, Io__Containerd__Cgroups__RdmaStat *to, struct arena *a)
{
	int r = rdma_list(&d->rdma_current, &to->current, &to->n_current, a);

	return r ? r : rdma_list(&d->rdma_max, &to->limit, &to->n_limit, a);
}

int metrics_net(const struct objv *net, Io__Containerd__Cgroups__NetworkStat ***list, size_t *n,
		struct arena *a)
{
	const struct cleat_net *d = net->v;

	*list = arena_alloc(a, (net->n + 1) * sizeof(void *));
	for (size_t i = 0; *list && i < net->n; i++) {
		Io__Containerd__Cgroups__NetworkStat *en;

		if (!utf8_valid(d[i].name, strlen(d[i].name)))
			continue;
		en = msg_new(a, &io__containerd__cgroups__network_stat__descriptor);
		if (!en)
			return -ENOMEM;
		en->name = msg_set(d[i].name);
		en->rx_bytes = d[i].rx_bytes;
		en->rx_packets = d[i].rx_packets;
		en->rx_errors = d[i].rx_errors;
		en->rx_dropped = d[i].rx_dropped;
		en->tx_bytes = d[i].tx_bytes;
		en->tx_packets = d[i].tx_packets;
		en->tx_errors = d[i].tx_errors;
		en->tx_dropped = d[i].tx_dropped;
		(*list)[(*n)++] = en;
	}
	return *list ? 0 : -ENOMEM;
}

/* ---- v2 ------------------------------------------------------------------------- */

static Io__Containerd__Cgroups__V2__PSIData *psi_line(struct arena *a, const struct cg_psi_line *l)
{
	Io__Containerd__Cgroups__V2__PSIData *d =
		msg_new(a, &io__containerd__cgroups__v2__psidata__descriptor);

	if (!d)
		return NULL;
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
	s = msg_new(a, &io__containerd__cgroups__v2__psistats__descriptor);
	if (!s)
		return NULL;
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
			msg_new(a, &io__containerd__cgroups__v2__ioentry__descriptor);

		if (!en)
			return -ENOMEM;
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
			msg_new(a, &io__containerd__cgroups__v2__huge_tlb_stat__descriptor);

		if (!h)
			return -ENOMEM;
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

static int pack_v2(const struct metrics *from, struct arena *a, struct buf *b)
{
	const struct cg_stats *s = from->stats;
	Io__Containerd__Cgroups__RdmaStat rdma = IO__CONTAINERD__CGROUPS__RDMA_STAT__INIT;
	Io__Containerd__Cgroups__V2__Metrics m = IO__CONTAINERD__CGROUPS__V2__METRICS__INIT;
	Io__Containerd__Cgroups__PidsStat pids = IO__CONTAINERD__CGROUPS__PIDS_STAT__INIT;
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
	if (!r)
		r = metrics_net(&from->net, &m.network, &m.n_network, a);
	if (!r)
		r = metrics_rdma(from->detail, &rdma, a);
	if (rdma.n_current || rdma.n_limit)
		m.rdma = &rdma;
	return r ? r : metrics_any(&m, a, b);
}

int metrics_pack(const struct metrics *m, struct buf *b)
{
	auto_arena a = ARENA_INIT;

	return m->stats->v2 ? pack_v2(m, &a, b) : metrics_v1(m, &a, b);
}

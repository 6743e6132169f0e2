/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statistics of a v1 host as containerd's message for it (contract shim 5). Runs in workers. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "bounds.h"
#include "cgroups_v1.pb-c.h"
#include "metrics_internal.h"
#include "pathfs.h"
#include "utf8.h"

/*
 * memory.stat's values are in the order of the message's first fields, so
 * they are copied as a block; the assertion holds message and order together.
 */
#define V1_FIRST offsetof(Io__Containerd__Cgroups__V1__MemoryStat, cache)
#define V1_LAST offsetof(Io__Containerd__Cgroups__V1__MemoryStat, total_unevictable)
_Static_assert(V1_LAST - V1_FIRST == 31 * sizeof(uint64_t), "32 fields in a row");

static Io__Containerd__Cgroups__V1__MemoryEntry *entry_v1(struct arena *a,
							  const struct cg_stat_mem_counter *c)
{
	Io__Containerd__Cgroups__V1__MemoryEntry *m =
		msg_new(a, &io__containerd__cgroups__v1__memory_entry__descriptor);

	if (!m)
		return NULL;
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

/* ---- block devices ------------------------------------------------------------------ */

/* "   8       0 sda 123 ..." per line: the name of a device, or "". */
static const char *device_name(const char *diskstats, uint64_t major, uint64_t minor, struct arena *a)
{
	char name[64];
	unsigned long long ma, mi;

	for (const char *p = diskstats; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (sscanf(p, "%llu %llu %63s", &ma, &mi, name) == 3 && ma == major && mi == minor &&
		    utf8_valid(name, strlen(name)))
			return arena_printf(a, "/dev/%s", name);
	return "";
}

static int blkio_list(const struct objv *from, const char *disks,
		      Io__Containerd__Cgroups__V1__BlkIOEntry ***list, size_t *n, struct arena *a)
{
	const struct cg_io_value *v = from->v;
	const char *name = "";

	*list = arena_alloc(a, (from->n + 1) * sizeof(void *));
	for (size_t i = 0; *list && i < from->n; i++) {
		Io__Containerd__Cgroups__V1__BlkIOEntry *en =
			msg_new(a, &io__containerd__cgroups__v1__blk_ioentry__descriptor);

		/* the lines of one device come in a row */
		if (!i || v[i].major != v[i - 1].major || v[i].minor != v[i - 1].minor)
			name = device_name(disks, v[i].major, v[i].minor, a);
		if (!en || !name)
			return -ENOMEM;
		en->op = msg_set(v[i].op);
		en->device = msg_set(name);
		en->major = v[i].major;
		en->minor = v[i].minor;
		en->value = v[i].value;
		(*list)[(*n)++] = en;
	}
	return *list ? 0 : -ENOMEM;
}

static int blkio_v1(const struct cg_detail *d, Io__Containerd__Cgroups__V1__BlkIOStat *b, struct arena *a)
{
	const struct {
		enum cg_io_table from;
		Io__Containerd__Cgroups__V1__BlkIOEntry ***list;
		size_t *n;
	} to[] = {
		{ CG_IO_BYTES, &b->io_service_bytes_recursive, &b->n_io_service_bytes_recursive },
		{ CG_IO_SERVICED, &b->io_serviced_recursive, &b->n_io_serviced_recursive },
		{ CG_IO_QUEUED, &b->io_queued_recursive, &b->n_io_queued_recursive },
		{ CG_IO_SERVICE_TIME, &b->io_service_time_recursive, &b->n_io_service_time_recursive },
		{ CG_IO_WAIT_TIME, &b->io_wait_time_recursive, &b->n_io_wait_time_recursive },
		{ CG_IO_MERGED, &b->io_merged_recursive, &b->n_io_merged_recursive },
		{ CG_IO_TIME, &b->io_time_recursive, &b->n_io_time_recursive },
		{ CG_IO_SECTORS, &b->sectors_recursive, &b->n_sectors_recursive },
	};
	auto_buf disks = BUF_INIT;
	size_t any = 0;
	int r = 0;

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		any += d->io[to[i].from].n;
	if (any && path_read(AT_FDCWD, "/proc/diskstats", LIMIT_PROC_FILE, &disks))
		buf_reset(&disks);
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]) && !r; i++)
		r = blkio_list(&d->io[to[i].from], disks.len ? disks.data : "", to[i].list, to[i].n, a);
	return r;
}

static int huge_v1(const struct cg_stats *s, Io__Containerd__Cgroups__V1__Metrics *m,
		   struct arena *a)
{
	m->hugetlb = arena_alloc(a, (s->huge.n + 1) * sizeof(void *));
	for (size_t i = 0; m->hugetlb && i < s->huge.n; i++) {
		Io__Containerd__Cgroups__V1__HugetlbStat *h =
			msg_new(a, &io__containerd__cgroups__v1__hugetlb_stat__descriptor);

		if (!h)
			return -ENOMEM;
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

/* The lists, whose lengths the host and the container decide. */
static int lists_v1(const struct metrics *from, Io__Containerd__Cgroups__V1__Metrics *m, struct arena *a)
{
	int r = blkio_v1(from->detail, m->blkio, a);

	if (!r)
		r = huge_v1(from->stats, m, a);
	if (!r)
		r = metrics_net(&from->net, &m->network, &m->n_network, a);
	if (!r)
		r = metrics_rdma(from->detail, m->rdma, a);
	if (!m->rdma->n_current && !m->rdma->n_limit)
		m->rdma = NULL;
	return r;
}

int metrics_v1(const struct metrics *from, struct arena *a, struct buf *b)
{
	const struct cg_stats *s = from->stats;
	const struct cg_tasks *t = &from->detail->tasks;
	Io__Containerd__Cgroups__V1__CgroupStats tasks = IO__CONTAINERD__CGROUPS__V1__CGROUP_STATS__INIT;
	Io__Containerd__Cgroups__RdmaStat rdma = IO__CONTAINERD__CGROUPS__RDMA_STAT__INIT;
	Io__Containerd__Cgroups__V1__Metrics m = IO__CONTAINERD__CGROUPS__V1__METRICS__INIT;
	Io__Containerd__Cgroups__PidsStat pids = IO__CONTAINERD__CGROUPS__PIDS_STAT__INIT;
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
	m.rdma = &rdma;
	tasks.nr_sleeping = t->sleeping;
	tasks.nr_running = t->running;
	tasks.nr_stopped = t->stopped;
	tasks.nr_uninterruptible = t->uninterruptible;
	tasks.nr_io_wait = t->io_wait;
	if (t->known)
		m.cgroup_stats = &tasks;
	r = lists_v1(from, &m, a);
	return r ? r : metrics_any(&m, a, b);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits in the files of cgroup v1. Each function takes one part of the
 * resources; the order of two writes matters where the kernel checks one
 * value against the other, and is said there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cg_internal.h"
#include "pathfs.h"

/* Hierarchy of @controller, or an error that names the limit that needs it. */
static int need(const struct cg *c, const char *controller, const char *field, struct err *e)
{
	int i = cg_controller(c, controller);

	if (i >= 0)
		return i;
	if (cg_index(c->host, controller) >= 0)
		return err_set(e, ERR_UNSUPPORTED, 0, c->path,
			       "resources.%s: the container has no cgroup for the controller %s",
			       field, controller);
	return err_set(e, ERR_UNSUPPORTED, 0, c->path,
		       "resources.%s needs the cgroup controller %s, which this host has not mounted (cgroup v1)",
		       field, controller);
}

/* ---- memory ---- */

#define MEM_LIMIT "memory.limit_in_bytes"
#define MEM_SWAP "memory.memsw.limit_in_bytes"

struct mem_old { int64_t limit, swap; };

static void read_old(const struct cg *c, size_t i, struct mem_old *old)
{
	uint64_t v;

	old->limit = cg_read_u64(c->dirfd[i], MEM_LIMIT, &v) < 0 || v > INT64_MAX ? -1 : (int64_t)v;
	old->swap = cg_read_u64(c->dirfd[i], MEM_SWAP, &v) < 0 || v > INT64_MAX ? -1 : (int64_t)v;
}

static int put_limit(const struct cg *c, size_t i, int64_t limit, struct err *e)
{
	char val[24], where[CG_WHERE_MAX];
	uint64_t usage = 0;
	int len = snprintf(val, sizeof(val), "%lld", (long long)limit);
	int r = path_write(c->dirfd[i], MEM_LIMIT, val, (size_t)len);

	if (r != -EBUSY)
		return r < 0 ? cg_put(c, i, MEM_LIMIT, "memory.limit", val, e) : 0;
	(void)cg_read_u64(c->dirfd[i], "memory.usage_in_bytes", &usage);
	cg_where(c, i, MEM_LIMIT, where, sizeof(where));
	return err_set(e, ERR_LIMIT, r, where,
		       "resources.memory.limit: %s is below what is in use and cannot be reclaimed (%llu)",
		       val, (unsigned long long)usage);
}

static int put_swap(const struct cg *c, size_t i, int64_t swap, struct err *e)
{
	char where[CG_WHERE_MAX];

	if (cg_has_file(c->dirfd[i], MEM_SWAP))
		return cg_putf(c, i, MEM_SWAP, "memory.swap", e, "%lld", (long long)swap);
	if (swap < 0)
		return 0;	/* unlimited is what a kernel without swap accounting gives */
	cg_where(c, i, MEM_SWAP, where, sizeof(where));
	return err_set(e, ERR_UNSUPPORTED, -ENOENT, where,
		       "resources.memory.swap is %lld, but this kernel does not account swap (swapaccount=1)",
		       (long long)swap);
}

/*
 * limit <= memsw must hold after every write. A memsw that is at or above the
 * new limit now lets the limit go first (lowering); else memsw does (raising).
 */
static int put_both(const struct cg *c, size_t i, int64_t limit, int64_t swap,
		    const struct mem_old *old, struct err *e)
{
	bool limit_first = limit >= 0 && (old->swap < 0 || old->swap >= limit);
	int r;

	if (!limit)
		return swap ? put_swap(c, i, swap, e) : 0;
	if (!swap)
		return put_limit(c, i, limit, e);
	r = limit_first ? put_limit(c, i, limit, e) : put_swap(c, i, swap, e);
	if (r < 0)
		return r;
	r = limit_first ? put_swap(c, i, swap, e) : put_limit(c, i, limit, e);
	if (r < 0 && limit_first)	/* what is half done must not stay */
		(void)put_limit(c, i, old->limit, NULL);
	else if (r < 0)
		(void)put_swap(c, i, old->swap, NULL);
	return r;
}

static int memory_limit(const struct cg *c, size_t i, const struct cg_memory *m, struct err *e)
{
	int64_t limit = m->has_limit ? m->limit : 0, swap = m->has_swap ? m->swap : 0;
	struct mem_old old = { -1, -1 };

	if (!limit && !swap)
		return 0;
	if (limit == -1 && !swap && cg_has_file(c->dirfd[i], MEM_SWAP))
		swap = -1;	/* memory without limit means swap without limit */
	if (!c->made[i])
		read_old(c, i, &old);	/* else both are what a new cgroup has: none */
	return put_both(c, i, limit, swap, &old, e);
}

static int memory(const struct cg *c, const struct cg_memory *m, const struct log *log,
		  struct err *e)
{
	int i, r = 0;

	if (m->has_kernel && m->kernel)
		log_warn(log, "resources.memory.kernel is ignored: it is no longer a limit of its own");
	if (!(m->has_limit && m->limit) && !(m->has_swap && m->swap) &&
	    !(m->has_reservation && m->reservation) && !(m->has_kernel_tcp && m->kernel_tcp) &&
	    !m->has_swappiness && !m->disable_oom_killer)
		return 0;
	i = need(c, "memory", "memory", e);
	if (i < 0)
		return i;
	if (m->use_hierarchy && c->made[i])	/* kernels since 5.11 know nothing else */
		(void)path_write(c->dirfd[i], "memory.use_hierarchy", "1", 1);
	r = memory_limit(c, (size_t)i, m, e);
	if (!r && m->has_reservation && m->reservation)
		r = cg_putf(c, (size_t)i, "memory.soft_limit_in_bytes", "memory.reservation", e,
			    "%lld", (long long)m->reservation);
	if (!r && m->has_kernel_tcp && m->kernel_tcp)
		r = cg_putf(c, (size_t)i, "memory.kmem.tcp.limit_in_bytes", "memory.kernelTCP", e,
			    "%lld", (long long)m->kernel_tcp);
	if (!r && m->has_disable_oom_killer && m->disable_oom_killer)
		r = cg_put(c, (size_t)i, "memory.oom_control", "memory.disableOOMKiller", "1", e);
	if (!r && m->has_swappiness)
		r = cg_putf(c, (size_t)i, "memory.swappiness", "memory.swappiness", e, "%llu",
			    (unsigned long long)m->swappiness);
	return r;
}

/* ---- cpu, cpuset ---- */

/* A period shorter than what the old quota allows is refused until the quota is lowered: then after it. */
static int cpu_quota(const struct cg *c, size_t i, const struct cg_cpu *p, struct err *e)
{
	char period[24];
	int len = snprintf(period, sizeof(period), "%llu", (unsigned long long)p->period);
	bool has_period = p->has_period && p->period;
	bool late = false;
	int r = 0;

	if (has_period) {
		r = path_write(c->dirfd[i], "cpu.cfs_period_us", period, (size_t)len);
		late = r == -EINVAL && p->has_quota && p->quota;
		if (r < 0 && !late)
			return cg_put(c, i, "cpu.cfs_period_us", "cpu.period", period, e);
	}
	r = 0;
	if (p->has_quota && p->quota)
		r = cg_putf(c, i, "cpu.cfs_quota_us", "cpu.quota", e, "%lld",
			    (long long)(p->quota < 0 ? -1 : p->quota));
	if (!r && late)
		r = cg_put(c, i, "cpu.cfs_period_us", "cpu.period", period, e);
	return r;
}

/* A burst may be at most the quota, the old one or the new: so before or after it. */
static int cpu_bandwidth(const struct cg *c, size_t i, const struct cg_cpu *p, struct err *e)
{
	char burst[24];
	int len = snprintf(burst, sizeof(burst), "%llu", (unsigned long long)p->burst), r;
	bool late = false;

	if (p->has_burst) {
		r = path_write(c->dirfd[i], "cpu.cfs_burst_us", burst, (size_t)len);
		late = r == -EINVAL;
		if (r == -ENOENT && !p->burst)
			r = 0;		/* before 5.14, and none is asked for */
		if (r < 0 && !late)
			return cg_put(c, i, "cpu.cfs_burst_us", "cpu.burst", burst, e);
	}
	r = cpu_quota(c, i, p, e);
	if (!r && late)
		r = cg_put(c, i, "cpu.cfs_burst_us", "cpu.burst", burst, e);
	return r;
}

static int cpu_realtime(const struct cg *c, size_t i, const struct cg_cpu *p, struct err *e)
{
	int r = 0;

	if (p->has_rt_period && p->rt_period)
		r = cg_putf(c, i, "cpu.rt_period_us", "cpu.realtimePeriod", e, "%llu",
			    (unsigned long long)p->rt_period);
	if (!r && p->has_rt_runtime && p->rt_runtime)
		r = cg_putf(c, i, "cpu.rt_runtime_us", "cpu.realtimeRuntime", e, "%lld",
			    (long long)p->rt_runtime);
	return r;
}

static int cpu(const struct cg *c, const struct cg_cpu *p, struct err *e)
{
	int i, r = 0;

	if (!(p->has_shares && p->shares) && !(p->has_quota && p->quota) &&
	    !(p->has_period && p->period) && !(p->has_burst && p->burst) && !p->has_idle &&
	    !(p->has_rt_runtime && p->rt_runtime) && !(p->has_rt_period && p->rt_period))
		return 0;
	i = need(c, "cpu", "cpu", e);
	if (i < 0)
		return i;
	/* an idle group takes no shares, so first; before 5.15 there is no such file and no idle */
	if (p->has_idle && (p->idle || cg_has_file(c->dirfd[i], "cpu.idle")))
		r = cg_putf(c, (size_t)i, "cpu.idle", "cpu.idle", e, "%lld", (long long)p->idle);
	if (!r && p->has_shares && p->shares && !(p->has_idle && p->idle))
		r = cg_putf(c, (size_t)i, "cpu.shares", "cpu.shares", e, "%llu",
			    (unsigned long long)p->shares);
	if (!r)
		r = cpu_bandwidth(c, (size_t)i, p, e);
	if (!r)
		r = cpu_realtime(c, (size_t)i, p, e);
	return r;
}

static int cpuset(const struct cg *c, const struct cg_cpu *p, struct err *e)
{
	bool cpus = p->cpus && *p->cpus, mems = p->mems && *p->mems;
	int i, r = 0;

	if (!cpus && !mems)
		return 0;
	i = need(c, "cpuset", cpus ? "cpu.cpus" : "cpu.mems", e);
	if (i < 0)
		return i;
	if (cpus)
		r = cg_put(c, (size_t)i, "cpuset.cpus", "cpu.cpus", p->cpus, e);
	if (!r && mems)
		r = cg_put(c, (size_t)i, "cpuset.mems", "cpu.mems", p->mems, e);
	return r;
}

/* ---- pids, blkio, hugetlb ---- */

static int pids(const struct cg *c, const struct cg_pids *p, struct err *e)
{
	char val[24];
	int i;

	if (!p->has_limit)
		return 0;
	i = need(c, "pids", "pids.limit", e);
	if (i < 0)
		return p->limit < 0 ? (err_clear(e), 0) : i;
	cg_conv_i64(p->limit, val);
	return cg_put(c, (size_t)i, "pids.max", "pids.limit", val, e);
}

static int throttle(const struct cg *c, size_t i, const struct objv *v, const char *file,
		    const char *field, struct err *e)
{
	const struct cg_throttle *t = v->v;

	for (size_t k = 0; k < v->n; k++) {
		int r = cg_putf(c, i, file, field, e, "%lld:%lld %llu", (long long)t[k].major,
				(long long)t[k].minor, (unsigned long long)t[k].rate);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Weights exist under two names, by the I/O scheduler that the kernel has. */
static int blkio_weights(const struct cg *c, size_t i, const struct cg_blkio *b, struct err *e)
{
	const struct cg_weight_device *d = b->weight_device.v;
	bool bfq = !cg_has_file(c->dirfd[i], "blkio.weight");
	int r = 0;

	if (b->has_weight && b->weight)
		r = cg_putf(c, i, bfq ? "blkio.bfq.weight" : "blkio.weight", "blockIO.weight", e,
			    "%u", b->weight);
	if (!r && b->has_leaf_weight && b->leaf_weight)
		r = cg_putf(c, i, "blkio.leaf_weight", "blockIO.leafWeight", e, "%u",
			    b->leaf_weight);
	for (size_t k = 0; !r && k < b->weight_device.n; k++) {
		if (d[k].has_weight && d[k].weight)
			r = cg_putf(c, i, bfq ? "blkio.bfq.weight_device" : "blkio.weight_device",
				    "blockIO.weightDevice", e, "%lld:%lld %u", (long long)d[k].major,
				    (long long)d[k].minor, d[k].weight);
		if (!r && d[k].has_leaf_weight && d[k].leaf_weight)
			r = cg_putf(c, i, "blkio.leaf_weight_device", "blockIO.weightDevice", e,
				    "%lld:%lld %u", (long long)d[k].major, (long long)d[k].minor,
				    d[k].leaf_weight);
	}
	return r;
}

static int blkio(const struct cg *c, const struct cg_blkio *b, struct err *e)
{
	int i, r;

	if (!(b->has_weight && b->weight) && !(b->has_leaf_weight && b->leaf_weight) &&
	    !b->weight_device.n && !b->read_bps.n && !b->write_bps.n && !b->read_iops.n &&
	    !b->write_iops.n)
		return 0;
	i = need(c, "blkio", "blockIO", e);
	if (i < 0)
		return i;
	r = blkio_weights(c, (size_t)i, b, e);
	if (!r)
		r = throttle(c, (size_t)i, &b->read_bps, "blkio.throttle.read_bps_device",
			     "blockIO.throttleReadBpsDevice", e);
	if (!r)
		r = throttle(c, (size_t)i, &b->write_bps, "blkio.throttle.write_bps_device",
			     "blockIO.throttleWriteBpsDevice", e);
	if (!r)
		r = throttle(c, (size_t)i, &b->read_iops, "blkio.throttle.read_iops_device",
			     "blockIO.throttleReadIOPSDevice", e);
	if (!r)
		r = throttle(c, (size_t)i, &b->write_iops, "blkio.throttle.write_iops_device",
			     "blockIO.throttleWriteIOPSDevice", e);
	return r;
}

static int hugetlb(const struct cg *c, const struct cg_limits *l, struct err *e)
{
	const struct cg_hugetlb *h = l->hugepage_limits.v;

	for (size_t k = 0; k < l->hugepage_limits.n; k++) {
		unsigned long long limit = (unsigned long long)h[k].limit;
		char file[64];
		int i = need(c, "hugetlb", "hugepageLimits", e), r;

		if (i < 0)
			return i;
		snprintf(file, sizeof(file), "hugetlb.%.16s.limit_in_bytes", h[k].page_size);
		r = cg_putf(c, (size_t)i, file, "hugepageLimits", e, "%llu", limit);
		snprintf(file, sizeof(file), "hugetlb.%.16s.rsvd.limit_in_bytes", h[k].page_size);
		if (!r && cg_has_file(c->dirfd[i], file))	/* since 5.7 */
			r = cg_putf(c, (size_t)i, file, "hugepageLimits", e, "%llu", limit);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- rdma, network ---- */

static int rdma(const struct cg *c, const struct cg_limits *l, struct err *e)
{
	const struct cg_rdma *d = l->rdma.v;
	char line[128];
	int i, r = 0;

	if (!l->rdma.n)
		return 0;
	i = need(c, "rdma", "rdma", e);
	for (size_t k = 0; i >= 0 && !r && k < l->rdma.n; k++) {
		cg_rdma_line(&d[k], line);
		r = cg_put(c, (size_t)i, "rdma.max", "rdma", line, e);
	}
	return i < 0 ? i : r;
}

static int network(const struct cg *c, const struct cg_network *n, struct err *e)
{
	const struct cg_if_priority *p = n->priorities.v;
	int i, r = 0;

	if (n->class_id) {
		i = need(c, "net_cls", "network.classID", e);
		r = i < 0 ? i : cg_putf(c, (size_t)i, "net_cls.classid", "network.classID", e, "%u", n->class_id);
	}
	if (r || !n->priorities.n)
		return r;
	i = need(c, "net_prio", "network.priorities", e);
	for (size_t k = 0; i >= 0 && !r && k < n->priorities.n; k++)
		r = cg_putf(c, (size_t)i, "net_prio.ifpriomap", "network.priorities", e, "%s %u", p[k].name,
			    p[k].priority);
	return i < 0 ? i : r;
}

/** cg_v1_apply() - Write the limits of @l, all but devices. See cg_apply(). */
int cg_v1_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log,
		struct err *e)
{
	int r = 0;

	if (l->unified.n)
		return err_set(e, ERR_UNSUPPORTED, 0, "/linux/resources/unified",
			       "\"%.64s\" is a file of cgroup v2, and this host has cgroup v1",
			       l->unified.v[0].key);
	if (l->memory)
		r = memory(c, l->memory, log, e);
	if (!r && l->cpu)
		r = cpu(c, l->cpu, e);
	if (!r && l->cpu)
		r = cpuset(c, l->cpu, e);
	if (!r && l->pids)
		r = pids(c, l->pids, e);
	if (!r && l->block_io)
		r = blkio(c, l->block_io, e);
	if (!r)
		r = hugetlb(c, l, e);
	if (!r)
		r = rdma(c, l, e);
	if (!r && l->network)
		r = network(c, l->network, e);
	return r;
}

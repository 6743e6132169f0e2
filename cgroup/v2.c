/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits in the files of cgroup v2; values that v1 counts otherwise go through
 * convert.c. What v2 has no file for is warned of: a caller that asks for it
 * on every container (runc ignores it) must still get its container.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cg_internal.h"
#include "pathfs.h"

/* The one directory of a v2 container. */
static size_t at(const struct cg *c)
{
	return c->host->n - 1;
}

static int need(const struct cg *c, const char *controller, const char *file, const char *field,
		struct err *e)
{
	char have[512] = "";

	if (cg_has_file(c->dirfd[at(c)], file))
		return 0;
	(void)cg_read(c->dirfd[at(c)], "cgroup.controllers", have, sizeof(have));
	if (!cg_has_word(have, controller, ' '))
		return cg_v2_missing(c, at(c), controller, field, e);
	return err_set(e, ERR_UNSUPPORTED, -ENOENT, file,
		       "resources.%s: this kernel's %s controller has no such control file", field,
		       controller);
}

/* One write; only when that finds no file it is asked why. */
static int put(const struct cg *c, const char *controller, const char *file, const char *field,
	       const char *val, struct err *e)
{
	int r = path_write(c->dirfd[at(c)], file, val, strlen(val));

	if (!r)
		return 0;
	if (r == -ENOENT) {
		r = need(c, controller, file, field, e);
		if (r < 0)
			return r;
	}
	return cg_put(c, at(c), file, field, val, e);
}

/* ---- memory ---- */

struct mem_plan {
	bool has_max, has_swap;
	char max[24], swap[24];
};

static int plan_memory(const struct cg *c, const struct cg_memory *m, struct mem_plan *p,
		       struct err *e)
{
	int64_t limit = m->has_limit ? m->limit : 0, swap = m->has_swap ? m->swap : 0, out;
	uint64_t now;
	int r;

	*p = (struct mem_plan){ 0 };
	if (swap > 0 && !limit && !c->made[at(c)] &&
	    !cg_read_u64(c->dirfd[at(c)], "memory.max", &now) && now <= INT64_MAX)
		limit = (int64_t)now;	/* an update of swap alone: it is counted with the old limit */
	else if (limit)
		p->has_max = true;
	r = cg_conv_swap(limit, swap, &out);
	if (r == -EINVAL)
		return err_set(e, ERR_SPEC, 0, "/linux/resources/memory/swap",
			       "%lld is memory and swap together, and there is no memory limit",
			       (long long)swap);
	if (r < 0)
		return err_set(e, ERR_SPEC, 0, "/linux/resources/memory/swap",
			       "%lld is memory and swap together and below the memory limit %lld",
			       (long long)swap, (long long)limit);
	if (p->has_max)
		cg_conv_i64(limit, p->max);
	p->has_swap = out != INT64_MIN;
	if (p->has_swap) {
		cg_conv_i64(out, p->swap);
		/* a kernel without swap accounting gives none and limits none */
		if (out <= 0 && !cg_has_file(c->dirfd[at(c)], "memory.swap.max"))
			p->has_swap = false;
	}
	return 0;
}

static int put_max(const struct cg *c, const char *val, struct err *e)
{
	return put(c, "memory", "memory.max", "memory.limit", val, e);
}

static int put_swap(const struct cg *c, const char *val, struct err *e)
{
	return put(c, "memory", "memory.swap.max", "memory.swap", val, e);
}

static uint64_t as_u64(const char *val)
{
	unsigned long long v;

	return sscanf(val, "%llu", &v) == 1 ? v : UINT64_MAX;
}

/* Raising: swap first, so that nothing dies between the two; lowering: memory first. */
static int put_memory(const struct cg *c, const struct mem_plan *p, bool update, struct err *e)
{
	char old_max[24] = "max", old_swap[24] = "max";
	bool swap_first;
	int r;

	if (update) {
		(void)cg_read(c->dirfd[at(c)], "memory.max", old_max, sizeof(old_max));
		(void)cg_read(c->dirfd[at(c)], "memory.swap.max", old_swap, sizeof(old_swap));
	}
	swap_first = p->has_swap && (!p->has_max || as_u64(p->max) > as_u64(old_max));
	if (swap_first) {
		r = put_swap(c, p->swap, e);
		if (r < 0)
			return r;
	}
	r = p->has_max ? put_max(c, p->max, e) : 0;
	if (r < 0) {
		if (swap_first)
			(void)put_swap(c, old_swap, NULL);
		return r;
	}
	if (!p->has_swap || swap_first)
		return 0;
	r = put_swap(c, p->swap, e);
	if (r < 0 && p->has_max)
		(void)put_max(c, old_max, NULL);
	return r;
}

static int check_usage(const struct cg *c, const struct mem_plan *p, struct err *e)
{
	uint64_t usage;

	if (!p->has_max || cg_read_u64(c->dirfd[at(c)], "memory.current", &usage) < 0 ||
	    as_u64(p->max) >= usage)
		return 0;
	return err_set(e, ERR_LIMIT, 0, "/linux/resources/memory/limit",
		       "%s is below the memory in use (%llu); nothing was changed", p->max,
		       (unsigned long long)usage);
}

static void warn_memory(const struct cg_memory *m, const struct log *log)
{
	if (m->has_kernel && m->kernel)
		log_warn(log, "resources.memory.kernel is ignored: cgroup v2 has no such limit");
	if (m->has_kernel_tcp && m->kernel_tcp)
		log_warn(log, "resources.memory.kernelTCP is ignored: cgroup v2 has no such limit");
	if (m->has_swappiness)
		log_warn(log, "resources.memory.swappiness is ignored: cgroup v2 has no such setting");
	if (m->has_disable_oom_killer && m->disable_oom_killer)
		log_warn(log, "resources.memory.disableOOMKiller is ignored: cgroup v2 has no such setting");
}

static int memory(const struct cg *c, const struct cg_memory *m, bool update,
		  const struct log *log, struct err *e)
{
	struct mem_plan p;
	char low[24];
	int r = plan_memory(c, m, &p, e);

	if (r < 0)
		return r;
	warn_memory(m, log);
	if (update && m->check_before_update) {
		r = check_usage(c, &p, e);
		if (r < 0)
			return r;
	}
	r = put_memory(c, &p, update, e);
	if (r < 0 || !m->has_reservation || !m->reservation)
		return r;
	cg_conv_i64(m->reservation, low);
	return put(c, "memory", "memory.low", "memory.reservation", low, e);
}

/* ---- cpu, cpuset ---- */

/* "quota period"; a quota alone keeps the period, a period alone has its quota read back. */
static int cpu_max(const struct cg *c, const struct cg_cpu *p, struct err *e)
{
	bool quota = p->has_quota && p->quota, period = p->has_period && p->period;
	char q[64] = "max", val[100];

	if (!quota && !period)
		return 0;
	if (quota)
		cg_conv_i64(p->quota, q);
	else if (cg_read(c->dirfd[at(c)], "cpu.max", q, sizeof(q)) > 0)
		q[strcspn(q, " ")] = 0;
	if (period)
		snprintf(val, sizeof(val), "%s %llu", q, (unsigned long long)p->period);
	else if (c->made[at(c)])
		snprintf(val, sizeof(val), "%s 100000", q);
	else
		snprintf(val, sizeof(val), "%s", q);
	return put(c, "cpu", "cpu.max", quota ? "cpu.quota" : "cpu.period", val, e);
}

/* A burst may be at most the quota, the old one or the new: so before or after it. */
static int cpu_bandwidth(const struct cg *c, const struct cg_cpu *p, struct err *e)
{
	char burst[24];
	bool late = false;
	int r;

	snprintf(burst, sizeof(burst), "%llu", (unsigned long long)p->burst);
	if (p->has_burst) {
		r = path_write(c->dirfd[at(c)], "cpu.max.burst", burst, strlen(burst));
		late = r == -EINVAL;
		if (r == -ENOENT && !p->burst)
			r = 0;		/* before 5.14, and none is asked for */
		if (r < 0 && !late)
			return put(c, "cpu", "cpu.max.burst", "cpu.burst", burst, e);
	}
	r = cpu_max(c, p, e);
	if (!r && late)
		r = put(c, "cpu", "cpu.max.burst", "cpu.burst", burst, e);
	return r;
}

static int cpu(const struct cg *c, const struct cg_cpu *p, const struct log *log, struct err *e)
{
	bool idle = p->has_idle && p->idle;
	char val[24];
	int r = 0;

	if ((p->has_rt_runtime && p->rt_runtime) || (p->has_rt_period && p->rt_period))
		log_warn(log, "resources.cpu.realtime* are ignored: cgroup v2 has no such limits");
	/* idle takes the place of the weight: a new idle 0 must come before a weight */
	if (p->has_idle && (idle || cg_has_file(c->dirfd[at(c)], "cpu.idle")))
		r = put(c, "cpu", "cpu.idle", "cpu.idle", idle ? "1" : "0", e);
	if (!r && p->has_shares && p->shares && !idle) {
		snprintf(val, sizeof(val), "%llu", (unsigned long long)cg_conv_weight(p->shares));
		r = put(c, "cpu", "cpu.weight", "cpu.shares", val, e);
	}
	if (!r)
		r = cpu_bandwidth(c, p, e);
	if (!r && p->cpus && *p->cpus)
		r = put(c, "cpuset", "cpuset.cpus", "cpu.cpus", p->cpus, e);
	if (!r && p->mems && *p->mems)
		r = put(c, "cpuset", "cpuset.mems", "cpu.mems", p->mems, e);
	return r;
}

/* ---- pids, io, hugetlb ---- */

static int pids(const struct cg *c, const struct cg_pids *p, struct err *e)
{
	char val[24];

	if (!p->has_limit || (p->limit < 0 && !cg_has_file(c->dirfd[at(c)], "pids.max")))
		return 0;
	cg_conv_i64(p->limit, val);
	return put(c, "pids", "pids.max", "pids.limit", val, e);
}

static int throttle(const struct cg *c, const struct objv *v, const char *key, const char *field,
		    struct err *e)
{
	const struct cg_throttle *t = v->v;

	for (size_t k = 0; k < v->n; k++) {
		char val[96], rate[24] = "max";
		int r;

		if (t[k].rate)
			snprintf(rate, sizeof(rate), "%llu", (unsigned long long)t[k].rate);
		snprintf(val, sizeof(val), "%lld:%lld %s=%s", (long long)t[k].major,
			 (long long)t[k].minor, key, rate);
		r = put(c, "io", "io.max", field, val, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_weight(const struct cg *c, const char *device, uint32_t weight, const char *field,
		      struct err *e)
{
	bool bfq = cg_has_file(c->dirfd[at(c)], "io.bfq.weight");
	char val[64];

	snprintf(val, sizeof(val), "%s%s%llu", device, *device ? " " : "",
		 bfq ? (unsigned long long)weight : (unsigned long long)cg_conv_io_weight(weight));
	return put(c, "io", bfq ? "io.bfq.weight" : "io.weight", field, val, e);
}

static int io_weights(const struct cg *c, const struct cg_blkio *b, const struct log *log,
		      struct err *e)
{
	const struct cg_weight_device *d = b->weight_device.v;
	bool leaf = b->has_leaf_weight && b->leaf_weight;
	int r = 0;

	if (b->has_weight && b->weight)
		r = put_weight(c, "", b->weight, "blockIO.weight", e);
	for (size_t k = 0; !r && k < b->weight_device.n; k++) {
		char device[48];

		leaf = leaf || (d[k].has_leaf_weight && d[k].leaf_weight);
		if (!d[k].has_weight || !d[k].weight)
			continue;
		snprintf(device, sizeof(device), "%lld:%lld", (long long)d[k].major,
			 (long long)d[k].minor);
		r = put_weight(c, device, d[k].weight, "blockIO.weightDevice", e);
	}
	if (leaf)
		log_warn(log, "resources.blockIO.leafWeight is ignored: cgroup v2 has no such weight");
	return r;
}

static int io(const struct cg *c, const struct cg_blkio *b, const struct log *log, struct err *e)
{
	int r = io_weights(c, b, log, e);

	if (!r)
		r = throttle(c, &b->read_bps, "rbps", "blockIO.throttleReadBpsDevice", e);
	if (!r)
		r = throttle(c, &b->write_bps, "wbps", "blockIO.throttleWriteBpsDevice", e);
	if (!r)
		r = throttle(c, &b->read_iops, "riops", "blockIO.throttleReadIOPSDevice", e);
	if (!r)
		r = throttle(c, &b->write_iops, "wiops", "blockIO.throttleWriteIOPSDevice", e);
	return r;
}

static int hugetlb(const struct cg *c, const struct cg_limits *l, struct err *e)
{
	const struct cg_hugetlb *h = l->hugepage_limits.v;

	for (size_t k = 0; k < l->hugepage_limits.n; k++) {
		char file[64], val[24];
		int r;

		snprintf(val, sizeof(val), "%llu", (unsigned long long)h[k].limit);
		snprintf(file, sizeof(file), "hugetlb.%.16s.max", h[k].page_size);
		r = put(c, "hugetlb", file, "hugepageLimits", val, e);
		snprintf(file, sizeof(file), "hugetlb.%.16s.rsvd.max", h[k].page_size);
		if (!r && cg_has_file(c->dirfd[at(c)], file))	/* since 5.7 */
			r = put(c, "hugetlb", file, "hugepageLimits", val, e);
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
	int r = 0;

	for (size_t k = 0; !r && k < l->rdma.n; k++) {
		cg_rdma_line(&d[k], line);
		r = put(c, "rdma", "rdma.max", "rdma", line, e);
	}
	return r;
}

static void warn_network(const struct cg_network *n, const struct log *log)
{
	if (n->class_id || n->priorities.n)
		log_warn(log, "resources.network is ignored: cgroup v2 has no such control files (packets are "
			 "told apart by the cgroup's path there)");
}

/* ---- unified ---- */

/* io.max and its like take one device per write, so each line is one. */
static int unified_one(const struct cg *c, const struct keyval *kv, struct err *e)
{
	char controller[64], field[96], line[CG_FILE_MAX];
	size_t n = strcspn(kv->key, ".");

	snprintf(controller, sizeof(controller), "%.*s", (int)n, kv->key);
	snprintf(field, sizeof(field), "unified[%.64s]", kv->key);
	for (const char *p = kv->val; *p; p += n, p += *p == '\n') {
		int r;

		n = strcspn(p, "\n");
		if (!n)
			continue;
		if (n >= sizeof(line))
			return err_set(e, ERR_SPEC, -E2BIG, "/linux/resources/unified",
				       "a line of \"%.64s\" is too long", kv->key);
		memcpy(line, p, n);
		line[n] = 0;
		r = strcmp(controller, "cgroup") ? put(c, controller, kv->key, field, line, e) :
						   cg_put(c, at(c), kv->key, field, line, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/** cg_v2_apply() - Write the limits of @l, all but devices. See cg_apply(). */
int cg_v2_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log,
		struct err *e)
{
	int r = 0;

	if (c->dirfd[at(c)] < 0)
		return err_set(e, ERR_NOT_FOUND, -ENOENT, c->path, "cgroup");
	if (l->memory)
		r = memory(c, l->memory, update, log, e);
	if (!r && l->cpu)
		r = cpu(c, l->cpu, log, e);
	if (!r && l->pids)
		r = pids(c, l->pids, e);
	if (!r && l->block_io)
		r = io(c, l->block_io, log, e);
	if (!r)
		r = hugetlb(c, l, e);
	if (!r)
		r = rdma(c, l, e);
	if (l->network)
		warn_network(l->network, log);
	for (size_t k = 0; !r && k < l->unified.n; k++)
		r = unified_one(c, &l->unified.v[k], e);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read of a container without stopping anybody: its processes, its statistics, its end. */
#include <errno.h>
#include "ops.h"

/* For what only reads the cgroup: no lock. */
static int open_to_read(struct container *c, const struct cleat_env *env, const char *id, struct cg *cg,
			struct err *e)
{
	int r = container_open(c, env, id, STORE_NO_LOCK, e);

	return r ? r : container_cgroup(c, cg, e);
}

int cleat_pids(const struct cleat_env *env, const char *id, pid_t **pids, size_t *n, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = open_to_read(&c, env, id, &cg, e);

	if (r)
		return r;
	r = cg_pids(&cg, pids, n, e);
	cg_close(&cg);
	return r;
}

int cleat_stats(const struct cleat_env *env, const char *id, enum cg_wanted wanted, struct cg_stats *s,
		struct cg_detail *d, struct objv *net, struct arena *a, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = open_to_read(&c, env, id, &cg, e);

	if (r)
		return r;
	r = cg_stats(&cg, s, a, e);
	if (!r)
		r = cg_detail(&cg, wanted, d, a, e);
	if (!r && (op_rdt_stats(&c.state.rdt, id, a, &d->rdt) || (net && op_net_counters(&c, net, a))))
		r = err_set(e, ERR_LIMIT, -ENOMEM, id, "read the statistics");
	cg_close(&cg);
	return r;
}

int cleat_watch(const struct cleat_env *env, const char *id, struct cleat_process *out, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct err ignored = { 0 };
	struct cg cg;
	int r = container_open(&c, env, id, STORE_NO_LOCK, e);

	if (r)
		return r;
	*out = CLEAT_PROCESS_INIT;
	out->pidfd = store_pidfd(&c.state, c.procfd);
	if (c.status == CLEAT_STOPPED || out->pidfd == -ESRCH)
		return err_set(e, ERR_STATE, 0, NULL, "container with id %s is not running", id);
	if (out->pidfd < 0)
		out->pidfd = -1;	/* a kernel below 5.3 */
	out->pid = c.state.pid;
	out->own_pidns = c.state.own_pidns;
	if (container_cgroup(&c, &cg, &ignored))
		return 0;
	if (cg_watch_open(&cg, &out->oom, &ignored))
		out->oom = (struct cg_watch){ .event = -1, .source = -1 };
	cg_close(&cg);
	return 0;
}

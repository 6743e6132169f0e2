/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill, pause, resume, and what else acts on a live container's cgroup. */
#include <errno.h>
#include <signal.h>
#include "child.h"
#include "fd.h"
#include "json.h"
#include "ops.h"

static int signal_init(struct container *c, int sig, struct err *e)
{
	auto_fd pidfd = store_pidfd(&c->state, c->procfd);
	int r;

	if (pidfd == -ESRCH)
		return container_not_running(c->state.id, e);
	r = child_pidfd_signal(pidfd, c->state.pid, sig);
	if (r == -ESRCH)
		return container_not_running(c->state.id, e);
	return r ? err_set(e, r == -EPERM ? ERR_DENIED : ERR_SPEC, r, c->state.id, "send signal %d", sig) : 0;
}

/* A frozen v1 process does not die of SIGKILL before it is thawed. */
static void thaw(struct container *c)
{
	struct err ignored = { 0 };
	struct cg cg;

	if (container_cgroup(c, &cg, &ignored))
		return;
	cg_freeze(&cg, false, &ignored);
	cg_close(&cg);
}

int cleat_kill(const struct cleat_env *env, const char *id, int sig, bool all, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = container_open(&c, env, id, STORE_SHARED, e);

	if (r)
		return r;
	if (sig < 0 || sig >= NSIG)
		return err_set(e, ERR_SPEC, -EINVAL, id, "unknown signal \"%d\"", sig);
	if (c.status == CLEAT_STOPPED && !all)
		return container_not_running(id, e);
	/* Without a pid namespace of its own, init's death does not end the others. */
	if (all || (sig == SIGKILL && !c.state.own_pidns)) {
		r = container_cgroup(&c, &cg, e);
		if (!r) {
			r = cg_kill(&cg, sig, e);
			cg_close(&cg);
			return r;
		}
		if (all && c.status == CLEAT_STOPPED) {
			err_clear(e);
			return 0;
		}
		err_clear(e);
	}
	r = signal_init(&c, sig, e);
	if (!r && sig == SIGKILL && c.status == CLEAT_PAUSED)
		thaw(&c);
	return r;
}

static int freeze(const struct cleat_env *env, const char *id, bool frozen, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = container_open(&c, env, id, STORE_EXCLUSIVE, e);

	if (r)
		return r;
	if (frozen && c.status != CLEAT_RUNNING && c.status != CLEAT_CREATED)
		return container_not_running(id, e);
	if (!frozen && c.status != CLEAT_PAUSED)
		return err_set(e, ERR_STATE, 0, id, "container not paused");
	r = container_cgroup(&c, &cg, e);
	if (r)
		return r;
	r = cg_freeze(&cg, frozen, e);
	cg_close(&cg);
	/* A shim's own workers tell it themselves. */
	if (!r && !env->parent_clone)
		store_tell(&c.store);
	return r;
}

int cleat_pause(const struct cleat_env *env, const char *id, struct err *e)
{
	return freeze(env, id, true, e);
}

int cleat_resume(const struct cleat_env *env, const char *id, struct err *e)
{
	return freeze(env, id, false, e);
}

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

int cleat_stats(const struct cleat_env *env, const char *id, struct cg_stats *s, struct cg_detail *d,
		struct arena *a, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = open_to_read(&c, env, id, &cg, e);

	if (r)
		return r;
	r = cg_stats(&cg, s, a, e);
	if (!r && d)
		r = cg_detail(&cg, d, a, e);
	if (!r && d && op_rdt_stats(&c.state.rdt, id, a, &d->rdt))
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

int cleat_update(const struct cleat_env *env, const char *id, const char *json, size_t len, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg_limits limits = { 0 };
	struct cg cg;
	int r = container_open(&c, env, id, STORE_EXCLUSIVE, e);

	if (r)
		return r;
	if (c.status == CLEAT_STOPPED || c.status == CLEAT_CREATING)
		return container_not_running(id, e);
	r = json_read(json, len, &cg_limits_object, &limits, &c.arena, "resources", "", env->log, e);
	if (!r)
		r = cg_limits_check(&limits, "", e);
	if (!r)
		r = container_cgroup(&c, &cg, e);
	if (r)
		return r;
	if (c.state.unit && *c.state.unit) {
		cg_unit_round(&cg, &limits);
		r = cg_unit_update(c.state.unit, c.state.user_unit, &cg, &limits, env->log, e);
	}
	if (!r)
		r = cg_apply(&cg, &limits, true, env->log, e);
	cg_close(&cg);
	return r;
}

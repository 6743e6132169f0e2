/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill: a signal for init, or for all of the container's cgroup. */
#include <errno.h>
#include <signal.h>
#include "child.h"
#include "fd.h"
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

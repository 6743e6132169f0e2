/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start: open the gate. */
#include <errno.h>
#include <signal.h>
#include "child.h"
#include "fd.h"
#include "gate.h"
#include "ops.h"
#include "trace.h"

static int wrong_state(enum cleat_status status, const char *id, struct err *e)
{
	if (status == CLEAT_STOPPED)
		return err_set(e, ERR_STATE, 0, id, "cannot start a container that has stopped");
	if (status == CLEAT_PAUSED)
		return err_set(e, ERR_STATE, 0, id, "cannot start a paused container");
	if (status == CLEAT_CREATING)
		return err_set(e, ERR_STATE, 0, id, "cannot start a container that is still being created");
	return err_set(e, ERR_STATE, 0, id, "cannot start an already running container");
}

int cleat_start(const struct cleat_env *env, const char *id, struct err *e)
{
	bool hook_failed = false;
	int r;

	{
		auto_container c = CONTAINER_INIT;
		auto_fd pidfd = -1;

		r = trace_call(STAGE_HOST, "start-open", container_open(&c, env, id, STORE_EXCLUSIVE, e));
		if (r)
			return r;
		if (c.status != CLEAT_CREATED)
			return wrong_state(c.status, id, e);
		pidfd = store_pidfd(&c.state, c.procfd);
		if (pidfd == -ESRCH)
			return wrong_state(CLEAT_STOPPED, id, e);
		r = trace_call(STAGE_HOST, "start-gate", gate_open(c.store.dirfd, pidfd, c.procfd, &c.state, e));
		trace_settle();
		if (!r && !env->parent_clone)
			store_tell(&c.store);
		if (!r && (r = container_poststart(&c.state, env->log, e))) {
			child_pidfd_signal(pidfd, c.state.pid, SIGKILL);
			hook_failed = true;
		}
	}
	if (hook_failed) {
		struct err ignored = { 0 };

		cleat_delete(env, id, true, &ignored);
	}
	return r;
}

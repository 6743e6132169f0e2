/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start: open the gate. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "child.h"
#include "fd.h"
#include "gate.h"
#include "hooks.h"
#include "ops.h"

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

/* The spec (1.3): when a poststart hook fails, start fails and the container is killed and deleted. */
static int poststart(struct container *c, const struct cleat_env *env, int pidfd, struct err *e)
{
	const struct spec_hooks *h = c->state.hooks;
	char *state;
	int r;

	if (!h || !h->poststart.n)
		return 0;
	state = container_hook_state(&c->state, CLEAT_RUNNING, c->state.pid);
	if (!state)
		return err_set(e, ERR_LIMIT, -ENOMEM, "/hooks/poststart", "state for hooks");
	r = hooks_run(&h->poststart, "poststart", state, NULL, false, env->log, e);
	free(state);
	if (r)
		child_pidfd_signal(pidfd, c->state.pid, SIGKILL);
	return r;
}

int cleat_start(const struct cleat_env *env, const char *id, struct err *e)
{
	bool hook_failed = false;
	int r;

	{
		auto_container c = CONTAINER_INIT;
		auto_fd pidfd = -1;

		r = container_open(&c, env, id, STORE_EXCLUSIVE, e);
		if (r)
			return r;
		if (c.status != CLEAT_CREATED)
			return wrong_state(c.status, id, e);
		pidfd = store_pidfd(&c.state, c.procfd);
		if (pidfd == -ESRCH)
			return wrong_state(CLEAT_STOPPED, id, e);
		r = gate_open(c.store.dirfd, pidfd, c.procfd, &c.state, e);
		if (!r && !env->parent_clone)
			store_tell(&c.store);
		if (!r && (r = poststart(&c, env, pidfd, e)))
			hook_failed = true;
	}
	if (hook_failed) {
		struct err ignored = { 0 };

		cleat_delete(env, id, true, &ignored);
	}
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start: open the gate. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
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

/*
 * What cleat_start() finds out about the container, the caller knows: it made it, and the command line tells of
 * all it does (store_tell()) before it gives the lock up. So with the lock in hand and no news it is as it was.
 */
int cleat_start_try(const char *root, const char *id, int news, struct cleat_starting *s)
{
	auto_store store = STORE_INIT;
	struct err ignored = { 0 };
	struct gate gate;
	char byte;
	int r = store_open(&store, root, id, STORE_AT_ONCE, &ignored);

	*s = CLEAT_STARTING_INIT;
	if (!r && (recv(news, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN))
		r = -EBUSY;
	if (!r)
		r = gate_knock(&gate, store.dirfd, id, &ignored);
	if (r) {
		store_unlock(&store);
		return r;
	}
	*s = (struct cleat_starting){ gate.fd, take_fd(&store.dirfd), take_fd(&store.lockfd), false };
	return 0;
}

int cleat_start_hear(struct cleat_starting *s, const char *id, struct err *e)
{
	struct gate gate = { s->gate, s->passed };
	int r = gate_hear(&gate, s->dir, id, e);

	s->passed = gate.passed;
	return r;
}

void cleat_start_unlock(struct cleat_starting *s)
{
	struct store lock = { -1, -1, take_fd(&s->lock), NULL };

	store_unlock(&lock);
}

void cleat_start_end(struct cleat_starting *s)
{
	cleat_start_unlock(s);
	fd_close(&s->dir);
	fd_close(&s->gate);
	*s = CLEAT_STARTING_INIT;
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

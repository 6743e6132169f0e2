/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* delete: leave nothing. Repeatable: an interrupted one is finished by the next. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "hooks.h"
#include "ops.h"
#include "pathfs.h"
#include "trace.h"

#define DEATH_WAIT_MS 10000

static int kill_init(struct container *c, struct err *e)
{
	auto_fd pidfd = store_pidfd(&c->state, c->procfd);
	struct err ignored = { 0 };
	struct cg cg;
	int r;

	if (pidfd == -ESRCH)
		return 0;
	r = child_pidfd_signal(pidfd, c->state.pid, SIGKILL);
	if (r && r != -ESRCH)
		return err_set(e, ERR_KERNEL, r, c->state.id, "kill process %d", c->state.pid);
	if (c->status == CLEAT_PAUSED && !container_cgroup(c, &cg, &ignored)) {
		cg_freeze(&cg, false, &ignored);
		cg_close(&cg);
	}
	if (store_wait_dead(&c->state, c->procfd, pidfd, DEATH_WAIT_MS))
		return err_set(e, ERR_TIMEOUT, 0, c->state.id, "process %d does not die", c->state.pid);
	return 0;
}

/* What is left in the cgroup: children that had no pid namespace to die with, or that detached. */
static int kill_leftovers(struct container *c, struct err *e)
{
	struct err ignored = { 0 };
	struct cg cg;
	int r;

	if (!c->state.cgroup[0] || cg_open(&cg, &c->host, c->state.cgroup, &ignored))
		return 0;
	r = cg_kill(&cg, SIGKILL, e);
	cg_close(&cg);
	return r;
}

static void poststop(struct container *c, const struct cleat_env *env)
{
	struct err ignored = { 0 };
	char *state;

	if (!c->state.hooks || !c->state.hooks->poststop.n)
		return;
	state = container_hook_state(&c->state, CLEAT_STOPPED, 0);
	if (state)
		hooks_run(&c->state.hooks->poststop, "poststop", state, NULL, true, env->log, &ignored);
	free(state);
}

static int remove_cgroup(struct container *c, const struct cleat_env *env, struct err *e)
{
	bool ours = true;
	int r = 0;

	/* Processes that are left keep a directory busy, or systemd waiting: only then are they looked for. */
	if (c->state.unit && *c->state.unit) {
		r = kill_leftovers(c, e);
		if (!r)
			ours = op_unit_stop(c, env->log);
		if (!r && ours && c->state.cgroup[0])
			r = trace_call(STAGE_HOST, "delete-cgroup", cg_remove(&c->host, c->state.cgroup, e));
	} else if (c->state.cgroup[0] &&
		   trace_call(STAGE_HOST, "delete-cgroup", cg_remove_empty(&c->host, c->state.cgroup))) {
		r = trace_call(STAGE_HOST, "delete-leftovers", kill_leftovers(c, e));
		if (!r)
			r = trace_call(STAGE_HOST, "delete-busy-cgroup", cg_remove(&c->host, c->state.cgroup, e));
	}
	return r;
}

static int destroy(struct container *c, const struct cleat_env *env, struct err *e)
{
	int r;

	log_debug(env->log, "delete %s: was %s, cgroup \"%s\"", c->state.id, cleat_status_name(c->status), c->state.cgroup);
	r = remove_cgroup(c, env, e);
	if (!r)
		op_rdt_remove(&c->state.rdt, c->state.id);
	if (!r)
		r = trace_call(STAGE_HOST, "delete-state", store_remove(&c->store, e));
	if (!r)
		poststop(c, env);
	return r;
}

/* Processes and the cgroup that a state.json of another version names. */
static int kill_salvaged(struct container *c, const struct cleat_env *env, struct err *e)
{
	int r = 0;

	if (!store_salvage(&c->store, &c->arena, &c->state))
		return 0;
	if (c->state.cgroup[0])
		r = op_cgroups(env, &c->host, &c->arena, e);
	if (!r) {
		container_look(c);
		r = kill_init(c, e);
	}
	return r ? r : remove_cgroup(c, env, e);
}

/* A directory without a readable state.json: with force, what that tells all the same goes as well. */
static int delete_half_made(struct container *c, const struct cleat_env *env, bool force, const char *id,
			    struct err *e)
{
	struct err why = *e;
	int r;

	/* A damaged state.json names a cgroup and processes that we then cannot see; only force gives that up. */
	if (why.kind != ERR_NOT_FOUND && !force)
		return -EINVAL;
	err_clear(e);
	r = why.kind == ERR_NOT_FOUND ? 0 : kill_salvaged(c, env, e);
	if (!r)
		r = store_remove(&c->store, e);
	if (r)
		return r;
	if (force)
		return 0;
	err_set(e, ERR_NOT_FOUND, 0, id, "container does not exist");
	return -ENOENT;
}

/*
 * A process on its way in can be stopped by those who are inside, and whoever waits for it holds the lock.
 * What force kills anyway is killed before the lock is waited for, so that the waiting comes to an end.
 */
static void kill_locked(const struct cleat_env *env, const char *id)
{
	auto_container c = CONTAINER_INIT;
	struct err ignored = { 0 };

	if (container_open(&c, env, id, STORE_NO_LOCK, &ignored) ||
	    c.status == CLEAT_STOPPED || c.status == CLEAT_CREATING)
		return;
	if (!kill_init(&c, &ignored))
		kill_leftovers(&c, &ignored);
}

static int open_to_delete(struct container *c, const struct cleat_env *env, const char *id, bool force, struct err *e)
{
	int r = container_open(c, env, id, force ? STORE_AT_ONCE : STORE_EXCLUSIVE, e);

	if (!force || r != -EWOULDBLOCK)
		return r;
	err_clear(e);
	kill_locked(env, id);
	return container_open(c, env, id, STORE_EXCLUSIVE, e);
}

/* @c is locked. */
static int delete_locked(const struct cleat_env *env, struct container *c, const char *id, bool force, struct err *e)
{
	int r = 0;

	if ((c->status == CLEAT_RUNNING || c->status == CLEAT_PAUSED) && !force)
		return err_set(e, ERR_STATE, 0, NULL, "cannot delete container %s that is not stopped: %s", id,
			       cleat_status_name(c->status));
	if (c->status != CLEAT_STOPPED)
		r = trace_call(STAGE_HOST, "delete-kill", kill_init(c, e));
	return r ? r : destroy(c, env, e);
}

int cleat_delete(const struct cleat_env *env, const char *id, bool force, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	int r;

	r = trace_call(STAGE_HOST, "delete-open", open_to_delete(&c, env, id, force, e));
	if (r && c.unreadable)
		return delete_half_made(&c, env, force, id, e);
	if (r) {
		if (!force || e->kind != ERR_NOT_FOUND)
			return r;
		err_clear(e);
		return 0;
	}
	return delete_locked(env, &c, id, force, e);
}

/** struct cleat_deletion - A container opened ahead. Its state.json is not written again once it is complete. */
struct cleat_deletion {
	struct container c;
};

void cleat_deletion_free(struct cleat_deletion *d)
{
	if (d)
		container_close(&d->c);
}

struct cleat_deletion *deletion_of_new(struct arena *a, const struct cg_host *host, const struct state *st,
				       struct store *store, int *procfd)
{
	/* Poststop hooks, systemd and resctrl need more of the state: that is then read. */
	bool plain = host && !st->hooks && !(st->unit && *st->unit) && !st->rdt.name && store->dirfd >= 0;
	struct cleat_deletion *d = plain ? arena_new(a, struct cleat_deletion) : NULL;
	const char *cgroup = d ? arena_strdup(a, st->cgroup) : NULL;

	if (!cgroup)
		return NULL;
	fd_close(&store->lockfd);
	d->c = (struct container)CONTAINER_INIT;
	d->c.state = (struct state){
		.version = st->version, .id = store->id, .cgroup = cgroup, .pid = st->pid, .start_time = st->start_time,
		.own_pidns = st->own_pidns,
	};
	d->c.host = *host;
	d->c.store = *store;
	*store = (struct store)STORE_INIT;
	d->c.procfd = take_fd(procfd);
	return d;
}

struct cleat_deletion *cleat_delete_prepare(const struct cleat_env *env, const char *id, struct arena *a)
{
	struct cleat_deletion *d = arena_new(a, struct cleat_deletion);
	struct err ignored = { 0 };

	if (!d)
		return NULL;
	d->c = (struct container)CONTAINER_INIT;
	if (!container_open(&d->c, env, id, STORE_NO_LOCK, &ignored) && d->c.status != CLEAT_CREATING)
		return d;
	cleat_deletion_free(d);
	return NULL;
}

int cleat_delete_prepared(const struct cleat_env *env, struct cleat_deletion *d, const char *id, struct err *e)
{
	int r;

	if (!d)
		return cleat_delete(env, id, false, e);
	r = trace_call(STAGE_HOST, "delete-lock", store_lock(&d->c.store, STORE_EXCLUSIVE, e));
	if (!r) {
		container_look(&d->c);
		r = delete_locked(env, &d->c, id, false, e);
	}
	cleat_deletion_free(d);
	return r;
}

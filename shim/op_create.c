/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Create: its worker, its deadline, and what happens when the caller is gone
 * or the worker dies. It ends in a container that is whole, or in nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include "ctr.h"
#include "events.pb-c.h"
#include "fd.h"
#include "logger.h"
#include "op_internal.h"
#include "outside.h"
#include "sproc.h"
#include "task.pb-c.h"

static void tell_create(const struct op *op)
{
	Containerd__Events__TaskCreate ev = CONTAINERD__EVENTS__TASK_CREATE__INIT;
	Containerd__Events__TaskIO io = CONTAINERD__EVENTS__TASK_IO__INIT;
	const struct ctr *c = op->ctr;
	auto_arena a = ARENA_INIT;
	Containerd__Types__Mount **list = arena_alloc(&a, (op->n_mounts + 1) * sizeof(*list));

	for (size_t i = 0; list && i < op->n_mounts; i++) {
		const struct task_mount *m = &op->mounts[i];
		ProtobufCBinaryData *words = arena_alloc(&a, (m->options.n + 1) * sizeof(*words));

		list[i] = arena_new(&a, Containerd__Types__Mount);
		if (!list[i] || !words)
			break;
		*list[i] = (Containerd__Types__Mount)CONTAINERD__TYPES__MOUNT__INIT;
		list[i]->type = msg_set(m->type);
		list[i]->source = msg_set(m->source);
		list[i]->target = msg_set(m->target);
		for (size_t k = 0; k < m->options.n; k++)
			words[k] = msg_set(m->options.v[k]);
		list[i]->options = words;
		list[i]->n_options = m->options.n;
		ev.n_rootfs = i + 1;
	}
	ev.rootfs = list;
	io.stdin = msg_set(c->init.in);
	io.stdout = msg_set(c->init.out);
	io.stderr = msg_set(c->init.err);
	io.terminal = c->init.terminal;
	ev.container_id = msg_set(c->id);
	ev.bundle = msg_set(c->bundle);
	ev.io = &io;
	ev.pid = (uint32_t)c->init.pid;
	if (publish_event(&c->srv->pub, "/tasks/create", &ev) != -EMSGSIZE)
		return;
	/* The request fitted into a frame, but this does not: the mounts are what nobody reads in it. */
	ev.n_rootfs = 0;
	publish_event(&c->srv->pub, "/tasks/create", &ev);
}

static void give_up(struct op *op, const struct err *e)
{
	struct ctr *c = op->ctr;

	/* Out of the list first: once the answer is out, nothing of it may be found. */
	c->init.exit_due = false;
	ctr_forget(c);
	op_fail(op, e);
}

/* The worker died or was killed: only another worker knows how to clean up after it. */
static void undo_finish(struct op *op, struct work *w)
{
	if (w->res.r < 0) {
		char text[ERR_TEXT_MAX];

		log_error(&op->ctr->srv->log.log, "container %s: cleaning up after a failed create: %s",
			  op->ctr->id, err_render(&w->res.err, text, sizeof(text)));
	}
	give_up(op, op->why);
}

static void undo_begin(struct op *op, const struct err *why)
{
	op->why = arena_memdup(&op->arena, why, sizeof(*why));
	if (!op->why) {
		give_up(op, why);
		return;
	}
	op->what = "undo";
	op->job = job_undo;
	op->undo = NULL;
	op->process = NULL;
	op->finish = undo_finish;
	op_fork(op);
}

static void create_finish(struct op *op, struct work *w)
{
	Cleat__Task__CreateTaskResponse res = CLEAT__TASK__CREATE_TASK_RESPONSE__INIT;
	struct ctr *c = op->ctr;
	struct cg_watch watch;

	c->creating = NULL;
	loop_timer_cancel(&c->create_timer);
	if (w->logger > 0 && (c->create_aborted || w->res.r < 0))
		logger_dismiss(c->srv, w->logger, take_fd(&w->logger_pidfd));
	if (c->create_aborted) {
		struct err e = { 0 };

		err_set(&e, ERR_TIMEOUT, -ETIMEDOUT, NULL, "the caller has not waited for the end");
		undo_begin(op, &e);
		return;
	}
	if (w->res.r < 0) {
		if (w->answered)
			give_up(op, &w->res.err);
		else
			undo_begin(op, &w->res.err);
		return;
	}
	watch = (struct cg_watch){
		take_fd(&w->fd[WF_OOM_EVENT]), take_fd(&w->fd[WF_OOM_SOURCE]),
		w->res.watch_v2, w->res.watch_seen,
	};
	c->own_pidns = w->res.own_pidns;
	c->start_by_worker = w->res.poststart;
	c->init.state = PROC_CREATED;
	oom_start(c, &watch);
	proc_streams(&c->init, w);
	tell_create(op);
	outside_watch(c);
	res.pid = (uint32_t)c->init.pid;
	rpc_reply(&c->srv->rpc, op->token, &res);
	oom_check(c);			/* an exit that is settled here may have that reason */
	proc_settle(&c->init);
	op_end(op);
}

void create_abort(struct ctr *c)
{
	if (!c->creating)
		return;
	c->create_aborted = true;
	work_kill(c->creating);
}

static void deadline(struct loop_timer *t)
{
	create_abort(loop_owner(t, struct ctr, create_timer));
}

void op_create(struct op *op, int64_t timeout_nano)
{
	struct ctr *c = op->ctr;
	struct work *w;

	op->prefix = "OCI runtime create failed";
	op->job = job_create;
	op->undo = job_create_undo;
	op->process = op_process;
	op->finish = create_finish;
	c->create_timer.fn = deadline;
	if (timeout_nano > 0)
		loop_timer_set(&c->srv->loop, &c->create_timer,
			       (uint64_t)timeout_nano / 1000000 + 1);
	c->create_conn = op->token.conn;
	w = op_fork(op);
	if (w)			/* else the container is gone already */
		c->creating = w;
}

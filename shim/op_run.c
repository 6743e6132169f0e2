/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Start of init and of execs, and Delete of both. */
#include <errno.h>
#include <signal.h>
#include "bundle.h"
#include "child.h"
#include "ctr.h"
#include "events.pb-c.h"
#include "fd.h"
#include "logger.h"
#include "op_internal.h"
#include "outside.h"
#include "sproc.h"
#include "task.pb-c.h"

#define LOCK_MS 2000	/* of a Start; a command line waits for it for 10 s */
#define DRAIN_MS 2000	/* CRI allows 10 s for all of a Delete */
#define ANSWER_MS 4500	/* a process that does not die, a mount that hangs: nobody waits that long */
#define AGAIN_MS 1000	/* and twice as long each time, up to: */
#define AGAIN_MAX_MS 30000

static void reply_pid(struct op *op)
{
	Cleat__Task__StartResponse res = CLEAT__TASK__START_RESPONSE__INIT;

	res.pid = (uint32_t)op->proc->pid;
	rpc_reply(&op->ctr->srv->rpc, op->token, &res);
}

/* ---- start --------------------------------------------------------------------- */

/*
 * The start failed, or its worker died: behind the gate, and then the program runs whatever the
 * caller is told; or the command line has started it while we tried to.
 */
static void start_looked(struct op *op, struct work *w)
{
	struct proc *p = op->proc;

	if (!outside_settle(op->ctr, outside_status(w)))
		p->state = PROC_CREATED;
	proc_settle(p);
	op_fail(op, op->why);
}

static void start_failed(struct op *op, const struct err *e)
{
	outside_look(op, e, start_looked);
}

static void start_done(struct op *op)
{
	outside_settle(op->ctr, CLEAT_RUNNING);
	reply_pid(op);
	proc_settle(op->proc);
	op_end(op);
}

static void gate_close(struct op *op)
{
	op->proc->starting = NULL;
	loop_timer_cancel(&op->late);
	loop_del(&op->ctr->srv->loop, &op->gate_ev);
	cleat_start_end(&op->gate);
}

static void start_finish(struct op *op, struct work *w)
{
	gate_close(op);
	if (w->res.r < 0)
		start_failed(op, &w->res.err);
	else
		start_done(op);
}

/* Hear what init has said. Return: was it the last word? Then @op is gone. */
static bool gate_heard(struct op *op)
{
	struct err e = { 0 };
	int r = cleat_start_hear(&op->gate, op->ctr->id, &e);

	if (r == -EAGAIN)
		return false;
	gate_close(op);
	if (r)
		start_failed(op, &e);
	else
		start_done(op);
	return true;
}

static void gate_ready(struct loop_source *s, uint32_t events)
{
	gate_heard(loop_owner(s, struct op, gate_ev));
}

/* It is frozen, or a hook of its own takes long: whoever can help must get at it. */
static void gate_late(struct loop_timer *t)
{
	cleat_start_unlock(&loop_owner(t, struct op, late)->gate);
}

void op_start_lost(struct op *op)
{
	/* All that it had to say lies there: nothing, or that it has passed, and after that how its execve went. */
	if (!gate_heard(op))
		gate_heard(op);
}

/*
 * The gate takes no worker, only somebody who listens. Everything else, hooks or a container that the command line
 * is at, is a worker's.
 */
static bool start_here(struct op *op)
{
	struct ctr *c = op->ctr;

	if (c->start_by_worker || c->outside < 0 || op->proc->reaped ||
	    cleat_start_try(c->root, c->id, c->outside, &op->gate))
		return false;
	op->late.fn = gate_late;
	loop_timer_set(&c->srv->loop, &op->late, LOCK_MS);
	op->gate_ev.fn = gate_ready;
	if (loop_add(&c->srv->loop, &op->gate_ev, op->gate.gate, EPOLLIN)) {
		/* Init is on its way, and finds a reader as long as this is open; the worker takes it from there. */
		cleat_start_unlock(&op->gate);
		return false;
	}
	op->proc->starting = op;
	return true;
}

static void start_begin(struct op *op)
{
	op->proc->state = PROC_STARTING;
	if (!start_here(op))
		op_fork(op);
}

void op_start(struct op *op)
{
	op->class = OP_EXCLUSIVE;
	op->rule = OP_START;
	op->prefix = "OCI runtime start failed";
	op->begin = start_begin;
	op->job = job_start;
	op->finish = start_finish;
	op_submit(op);
}

static void exec_finish(struct op *op, struct work *w)
{
	Containerd__Events__TaskExecStarted ev = CONTAINERD__EVENTS__TASK_EXEC_STARTED__INIT;
	struct proc *p = op->proc;
	struct ctr *c = op->ctr;

	arena_fini(&p->spec_arena);
	p->spec = NULL;
	if (w->res.r < 0) {
		if (w->logger > 0)
			logger_dismiss(c->srv, w->logger, take_fd(&w->logger_pidfd));
		/* A worker that died may leave a process: the pidfd came home before anything else. */
		if (p->pid > 0 && !p->reaped)
			child_pidfd_signal(p->pidfd, p->pid, SIGKILL);
		proc_start_failed(p);
		op_fail(op, &w->res.err);
		return;
	}
	p->state = PROC_RUNNING;
	proc_streams(p, w);
	ev.container_id = msg_set(c->id);
	ev.exec_id = msg_set(p->id);
	ev.pid = (uint32_t)p->pid;
	publish_event(&c->srv->pub, "/tasks/exec-started", &ev);
	reply_pid(op);
	proc_settle(p);
	op_end(op);
}

static void exec_begin(struct op *op)
{
	enum proc_state init = op->ctr->init.state;
	struct err e = { 0 };

	if ((init != PROC_CREATED && init != PROC_RUNNING) || op->ctr->init.reaped) {
		if (init == PROC_PAUSING || init == PROC_PAUSED)
			err_set(&e, ERR_STATE, 0, NULL, "cannot exec in a paused state");
		else
			err_set(&e, ERR_STATE, 0, NULL, "container %s init process is not running",
				op->ctr->id);
		op->prefix = NULL;
		op_fail(op, &e);
		return;
	}
	op->proc->state = PROC_STARTING;
	op_fork(op);
}

void op_start_exec(struct op *op)
{
	op->class = OP_SHARED;
	op->rule = OP_START;
	op->prefix = "OCI runtime exec failed";
	op->begin = exec_begin;
	op->job = job_exec;
	op->process = op_process;
	op->finish = exec_finish;
	op_submit(op);
}

/* ---- delete -------------------------------------------------------------------- */

static void reply_deleted(const struct op *op)
{
	Cleat__Task__DeleteResponse res = CLEAT__TASK__DELETE_RESPONSE__INIT;
	Google__Protobuf__Timestamp ts;
	const struct proc *p = op->proc;

	if (op->silent)
		return;
	res.pid = (uint32_t)p->pid;
	res.exit_status = p->exit_status;
	res.exited_at = proc_timestamp(&p->exited_at, &ts);
	rpc_reply(&op->ctr->srv->rpc, op->token, &res);
}

static void tell_deleted(const struct ctr *c)
{
	Containerd__Events__TaskDelete ev = CONTAINERD__EVENTS__TASK_DELETE__INIT;
	Google__Protobuf__Timestamp ts;

	ev.container_id = msg_set(c->id);
	ev.pid = (uint32_t)c->init.pid;
	ev.exit_status = c->init.exit_status;
	ev.exited_at = proc_timestamp(&c->init.exited_at, &ts);
	publish_event(&c->srv->pub, "/tasks/delete", &ev);
}

/* The container is gone and its output has been read, or had its time. */
static void delete_complete(struct op *op)
{
	struct ctr *c = op->ctr;

	op->proc->deleting = NULL;
	proc_exit_flush(c);
	tell_deleted(c);
	reply_deleted(op);
	ctr_forget(c);
	op_end(op);
}

void op_delete_step(struct op *op)
{
	struct proc *p = op->proc;

	/*
	 * Init that the delete itself has killed has still to be reaped, for its status is the
	 * answer. That of an exec whose start failed is known, and its end is nobody's news.
	 */
	if (!op->drained || !op->removed || (p->pid > 0 && !p->reaped && !p->start_failed))
		return;
	if (!proc_is_init(p))
		ctr_remove_exec(p);	/* answers, by op_delete_cut() */
	else if (proc_execs_told(op->ctr))
		delete_complete(op);
}

void op_delete_cut(struct op *op)
{
	bundle_remove_pid(op->ctr->bundle, op->proc->id);
	reply_deleted(op);
	op_end(op);
}

void op_drained(struct op *op)
{
	op->drained = true;
	op_delete_step(op);
}

/*
 * It failed, and whoever wanted it has given up, or was told meanwhile that the container is gone. Without this it
 * would stay, and its server with it.
 */
static void delete_later(struct ctr *c)
{
	c->abandoned = true;
	c->again_ms = c->again_ms ? 2 * c->again_ms : AGAIN_MS;
	if (c->again_ms > AGAIN_MAX_MS)
		c->again_ms = AGAIN_MAX_MS;
	loop_timer_set(&c->srv->loop, &c->again, c->again_ms);
}

void op_delete_again(struct loop_timer *t)
{
	struct ctr *c = loop_owner(t, struct ctr, again);
	struct op *op = op_new(c, &c->init, NULL, "delete");

	if (op)
		op_delete(op);
	else
		delete_later(c);
}

static void delete_finish(struct op *op, struct work *w)
{
	struct proc *p = op->proc;
	struct server *srv = op->ctr->srv;

	if (w->res.r < 0) {
		if (op->silent || op->ctr->abandoned || srv->shutdown_due || !srv->rpc.n_conns)
			delete_later(op->ctr);
		/* It can be tried again; what was read stays read. */
		p->draining = NULL;
		p->deleting = NULL;
		loop_timer_cancel(&p->drain);
		p->state = op->before;
		proc_settle(p);
		op_fail(op, &w->res.err);
		return;
	}
	op->removed = true;
	op_delete_step(op);
}

static void delete_begin(struct op *op)
{
	struct proc *p = op->proc;

	op->before = p->state;
	p->state = PROC_DELETING;
	p->deleting = op;
	proc_drain(p, op, DRAIN_MS);
	op_fork(op);
}

/* The caller gets its answer now; what is in progress goes on. */
static void delete_late(struct loop_timer *t)
{
	struct op *op = loop_owner(t, struct op, late);

	rpc_reply_status(&op->ctr->srv->rpc, op->token, RPC_DEADLINE_EXCEEDED,
			 "container %s: not all of it is gone yet, the rest is done in the background",
			 op->ctr->id);
	op->silent = true;
}

void op_delete(struct op *op)
{
	struct ctr *c = op->ctr;

	loop_timer_cancel(&c->again);
	op->late.fn = delete_late;
	if (!op->silent) {
		c->again_ms = 0;
		loop_timer_set(&c->srv->loop, &op->late, ANSWER_MS);
	}
	/* Their processes are killed anyway, and one that hangs in its start would hold this back. */
	for (struct work *w = op->ctr->srv->works; w; w = w->next)
		if (w->ctr == op->ctr && w->proc && !proc_is_init(w->proc))
			work_kill(w);
	op->class = OP_EXCLUSIVE;
	op->rule = OP_DELETE;
	op->begin = delete_begin;
	op->job = job_delete;
	op->finish = delete_finish;
	op_submit(op);
}

static void delete_exec_begin(struct op *op)
{
	op->before = op->proc->state;
	op->proc->state = PROC_DELETING;
	op->proc->deleting = op;
	op->removed = true;
	proc_drain(op->proc, op, DRAIN_MS);
}

void op_delete_exec(struct op *op)
{
	op->class = OP_FREE;
	op->rule = OP_DELETE;
	op->begin = delete_exec_begin;
	op_submit(op);
}

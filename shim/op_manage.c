/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kill, pause, resume, update, pids, stats. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "child.h"
#include "ctr.h"
#include "op_internal.h"
#include "outside.h"
#include "sproc.h"

static void reply_empty(struct op *op)
{
	if (!op->silent)
		rpc_reply(&op->ctr->srv->rpc, op->token, NULL);
	op_end(op);
}

/* Answer with the packed message that the worker sent. */
static void reply_data(struct op *op, struct work *w)
{
	struct ttrpc_out *o;
	uint8_t *at;

	o = buf_ok(&w->data) ? ttrpc_reply_begin(op->token.stream, w->data.len, &at) : NULL;
	if (!o) {
		rpc_reply_status(&op->ctr->srv->rpc, op->token, RPC_RESOURCE_EXHAUSTED,
				 "%s: answer is too large", op->what);
	} else {
		if (w->data.len)
			memcpy(at, w->data.data, w->data.len);
		ttrpc_reply_end(&op->ctr->srv->rpc, op->token, o);
	}
	op_end(op);
}

static void fork_now(struct op *op)
{
	op_fork(op);
}

/* ---- kill ------------------------------------------------------------------------ */

static void kill_finish(struct op *op, struct work *w)
{
	struct err e = { 0 };

	if (w->res.r >= 0) {
		reply_empty(op);
		return;
	}
	/* The engine's view of a container that has ended is a state error; callers expect NotFound. */
	if (w->res.err.kind == ERR_STATE || w->res.err.kind == ERR_NOT_FOUND ||
	    w->res.err.errnum == ESRCH) {
		err_set(&e, ERR_NOT_FOUND, 0, NULL, "process already finished: not found");
		op_fail(op, &e);
		return;
	}
	op_fail(op, &w->res.err);
}

/* One process, by its pidfd: cannot block, so it needs no worker. */
static void kill_one(struct op *op)
{
	struct proc *p = op->proc;
	struct err e = { 0 };
	int r = p->reaped ? -ESRCH : child_pidfd_signal(p->pidfd, p->pid, op->signal);

	if (!r) {
		reply_empty(op);
		return;
	}
	if (r == -ESRCH)
		err_set(&e, ERR_NOT_FOUND, 0, NULL, "process already finished: not found");
	else
		err_set(&e, r == -EINVAL ? ERR_SPEC : ERR_KERNEL, r, p->ctr->id,
			"send signal %d", op->signal);
	op_fail(op, &e);
}

void op_kill(struct op *op)
{
	const struct proc *p = op->proc;
	bool init = proc_is_init(p), paused = p->state == PROC_PAUSED || p->state == PROC_PAUSING;

	op->class = OP_FREE;
	op->all = op->all && init;
	op->rule = op->all ? OP_KILL_ALL : OP_KILL;
	op->job = job_kill;
	op->finish = kill_finish;
	/* SIGKILL thaws, and takes a shared pid namespace's other processes along. */
	if (op->all || (init && op->signal == SIGKILL && (paused || !p->ctr->own_pidns)))
		op->begin = fork_now;
	else
		op->begin = kill_one;
	op_submit(op);
}

void op_kill_rest(struct ctr *c)
{
	struct op *op = op_new(c, &c->init, NULL, "kill");

	if (!op)
		return;
	op->signal = SIGKILL;
	op->all = true;
	op_kill(op);
}

/* ---- pause, resume, update ------------------------------------------------------- */

/* The worker died or failed: is the container frozen all the same? */
static void freeze_looked(struct op *op, struct work *w)
{
	struct proc *p = op->proc;
	int status = outside_status(w);

	outside_settle(op->ctr, status);
	if (p->state == PROC_PAUSING)
		p->state = PROC_RUNNING;
	if (status == (op->rule == OP_PAUSE ? CLEAT_PAUSED : CLEAT_RUNNING))
		reply_empty(op);
	else
		op_fail(op, op->why);
}

static void pause_finish(struct op *op, struct work *w)
{
	if (w->res.r < 0) {
		outside_look(op, &w->res.err, freeze_looked);
		return;
	}
	/* Unless it has died meanwhile. */
	if (op->proc->state == PROC_PAUSING)
		outside_settle(op->ctr, CLEAT_PAUSED);
	reply_empty(op);
}

static void pause_begin(struct op *op)
{
	op->proc->state = PROC_PAUSING;
	op_fork(op);
}

void op_pause(struct op *op)
{
	op->class = OP_EXCLUSIVE;
	op->rule = OP_PAUSE;
	op->begin = pause_begin;
	op->job = job_pause;
	op->finish = pause_finish;
	op_submit(op);
}

static void resume_finish(struct op *op, struct work *w)
{
	if (w->res.r < 0) {
		outside_look(op, &w->res.err, freeze_looked);
		return;
	}
	if (op->proc->state == PROC_PAUSED)
		outside_settle(op->ctr, CLEAT_RUNNING);
	reply_empty(op);
}

void op_resume(struct op *op)
{
	op->class = OP_EXCLUSIVE;
	op->rule = OP_RESUME;
	op->begin = fork_now;
	op->job = job_resume;
	op->finish = resume_finish;
	op_submit(op);
}

static void update_finish(struct op *op, struct work *w)
{
	if (w->res.r < 0)
		op_fail(op, &w->res.err);
	else
		reply_empty(op);
}

void op_update(struct op *op)
{
	op->class = OP_EXCLUSIVE;
	op->rule = OP_UPDATE;
	op->begin = fork_now;
	op->job = job_update;
	op->finish = update_finish;
	op_submit(op);
}

/* ---- pids, stats ------------------------------------------------------------------ */

static void data_finish(struct op *op, struct work *w)
{
	if (w->res.r < 0)
		op_fail(op, &w->res.err);
	else
		reply_data(op, w);
}

void op_pids(struct op *op)
{
	op->class = OP_FREE;
	op->rule = OP_READ;
	op->begin = fork_now;
	op->job = job_pids;
	op->finish = data_finish;
	op_submit(op);
}

void op_stats(struct op *op)
{
	op->class = OP_FREE;
	op->rule = OP_READ;
	op->begin = fork_now;
	op->job = job_stats;
	op->finish = data_finish;
	op_submit(op);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations: whose turn it is, and forking their workers. Exclusive ones run
 * alone and in the order of arrival, shared ones a few at a time, free ones
 * at once. What an operation means is op_*.c's.
 */
#include "op_internal.h"
#include <stdlib.h>
#include "ctr.h"
#include "fd.h"
#include "sproc.h"

#define SHARED_MAX 8

static void op_free(struct op *op)
{
	loop_timer_cancel(&op->late);
	arena_fini(&op->arena);
	free(op);
}

struct op *op_new(struct ctr *c, struct proc *p, const struct rpc_call *call, const char *what)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op) {
		if (call)
			rpc_reply_status(call->server, call->token, RPC_RESOURCE_EXHAUSTED,
					 "out of memory");
		return NULL;
	}
	op->ctr = c;
	op->proc = p;
	op->what = what;
	op->rule = OP_READ;
	op->options = SHIM_OPTIONS_INIT;
	op->silent = !call;
	op->gate = CLEAT_STARTING_INIT;
	op->gate_ev.fd = -1;
	if (call) {
		op->token = call->token;
		op->arena = *call->arena;
		*call->arena = ARENA_INIT;
	}
	ctr_get(c);
	return op;
}

static bool turn_has_come(const struct ctr *c, const struct op *op)
{
	if (op->class == OP_FREE)
		return true;
	if (op->class == OP_SHARED)
		return !c->exclusive && c->shared < SHARED_MAX;
	return !c->exclusive && !c->shared;
}

static void refuse(struct op *op, const struct verdict *v)
{
	if (!op->silent)
		rpc_reply_status(&op->ctr->srv->rpc, op->token, (enum rpc_code)v->code, "%s",
				 v->text);
	op_end(op);
}

static void run(struct op *op)
{
	const struct verdict *v = proc_verdict(op->proc, op->rule);

	op->ctr->shared += op->class == OP_SHARED;
	op->ctr->exclusive += op->class == OP_EXCLUSIVE;
	if (v->code != RPC_OK)
		refuse(op, v);
	else
		op->begin(op);
}

static void run_queue(struct ctr *c)
{
	while (c->queue && turn_has_come(c, c->queue)) {
		struct op *op = c->queue;

		c->queue = op->next;
		if (!c->queue)
			c->queue_tail = &c->queue;
		op->next = NULL;
		run(op);
	}
}

void op_submit(struct op *op)
{
	struct ctr *c = op->ctr;

	if (op->class == OP_FREE || (!c->queue && turn_has_come(c, op))) {
		run(op);
		return;
	}
	*c->queue_tail = op;
	c->queue_tail = &op->next;
}

void op_end(struct op *op)
{
	struct ctr *c = op->ctr;

	c->shared -= op->class == OP_SHARED;
	c->exclusive -= op->class == OP_EXCLUSIVE;
	op_free(op);
	run_queue(c);
	ctr_put(c);
}

void op_fail(struct op *op, const struct err *e)
{
	char text[ERR_TEXT_MAX];
	int code = err_grpc_code(e);

	/* Both have a meaning of their own for callers of Create and Start, so they cannot carry ours. */
	if (op->prefix && code == RPC_UNIMPLEMENTED)
		code = RPC_INVALID_ARGUMENT;
	if (op->prefix && code == RPC_NOT_FOUND)
		code = RPC_UNKNOWN;
	err_render(e, text, sizeof(text));
	if (!op->silent)
		rpc_reply_status(&op->ctr->srv->rpc, op->token, (enum rpc_code)code, "%s%s%s",
				 op->prefix ? op->prefix : "", op->prefix ? ": " : "", text);
	op_end(op);
}

/* It never had its turn, so nothing is counted down. */
static void drop(struct op *op, const char *text)
{
	struct ctr *c = op->ctr;

	if (!op->silent)
		rpc_reply_status(&c->srv->rpc, op->token, RPC_NOT_FOUND, "%s", text);
	op_free(op);
	ctr_put(c);
}

void op_fail_queue(struct ctr *c)
{
	struct op *op, *list = c->queue;

	c->queue = NULL;
	c->queue_tail = &c->queue;
	while ((op = list)) {
		list = op->next;
		drop(op, TEXT_NO_CONTAINER);
	}
}

void op_fail_queued(struct proc *p)
{
	struct ctr *c = p->ctr;
	struct op **at = &c->queue, *op, *gone = NULL;

	while ((op = *at)) {
		if (op->proc != p) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		op->next = gone;
		gone = op;
	}
	c->queue_tail = at;
	while ((op = gone)) {
		gone = op->next;
		drop(op, "process was deleted: not found");
	}
}

static void worker_done(struct work *w)
{
	struct op *op = w->op;

	op->finish(op, w);
}

void op_process(struct work *w, pid_t pid, int pidfd)
{
	struct op *op = w->op;

	proc_born(op->proc, pid);
	reap_unwatch(op->proc);
	fd_close(&op->proc->pidfd);
	op->proc->pidfd = pidfd;
	if (!reap_adopt(w->srv, op->proc))
		reap_watch(op->proc);
}

/* What does not change while we run is found out once, not by each worker. Without it they say what is wrong. */
static void learn_cgroups(struct server *srv)
{
	struct err e = { 0 };

	if (srv->cgroups)
		return;
	srv->cgroups = arena_new(&srv->cgroups_mem, struct cg_host);
	if (!srv->cgroups || cg_host_detect(srv->cgroups, &srv->cgroups_mem, &e) || !srv->cgroups->n) {
		srv->cgroups = NULL;
		arena_fini(&srv->cgroups_mem);
	}
}

/* The container as it is at the fork: the original is in memory that workers do not get (pool.h). */
struct view {
	struct op *op;
	bool init;		/* the operation is about the container's own process */
	struct ctr ctr;
};

/* In the worker. */
static const struct op *look_at(const void *arg)
{
	struct view *v = (struct view *)(uintptr_t)arg;

	v->ctr.init.ctr = &v->ctr;
	v->op->ctr = &v->ctr;
	if (v->init)
		v->op->proc = &v->ctr.init;
	else if (v->op->proc)
		v->op->proc->ctr = &v->ctr;
	return v->op;
}

static int job_in_view(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = look_at(arg);

	return op->job(side, op, e);
}

static void undo_in_view(struct work_side *side, const void *arg)
{
	const struct op *op = look_at(arg);

	op->undo(side, op);
}

struct work *op_fork(struct op *op)
{
	struct err e = { 0 };
	struct view view = { op, op->proc == &op->ctr->init, *op->ctr };
	struct work_plan plan = {
		.name = op->what, .run = job_in_view, .undo = op->undo ? undo_in_view : NULL, .arg = &view,
		.process = op->process, .done = worker_done,
		.ctr = op->ctr, .proc = op->proc, .op = op,
	};
	struct work *w;

	learn_cgroups(op->ctr->srv);
	w = work_start(op->ctr->srv, &plan, &e);
	if (!w) {
		struct work none = { .srv = op->ctr->srv, .op = op, .res = { .r = -1, .err = e } };

		for (int i = 0; i < WF_MAX; i++)
			none.fd[i] = -1;
		none.logger_pidfd = -1;
		op->finish(op, &none);
	}
	return w;
}

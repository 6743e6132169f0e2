/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_OP_H
#define CLEAT_SHIM_OP_H
#include "mounts.h"
#include "server.h"
#include "task_options.h"

/** enum op_class - How an operation shares a container with others. */
enum op_class {
	OP_FREE,	/* at once, whatever runs: it only reads, or must not wait */
	OP_SHARED,	/* with others of its kind, a few at a time */
	OP_EXCLUSIVE,	/* alone, in the order of arrival */
};

/**
 * struct op - One request that takes a worker. It holds its container; what
 * it needs of the request lies in its arena.
 */
struct op {
	struct op *next;
	struct ctr *ctr;
	struct proc *proc;
	const char *what;	/* "create": name of the worker, and in messages */
	const char *prefix;	/* "OCI runtime create failed"; NULL */
	enum op_class class;
	enum proc_op rule;	/* checked when its turn has come */
	struct rpc_token token;
	bool silent;		/* nobody waits for an answer, or no longer */
	struct loop_timer late;	/* Delete: the caller's patience ends; Start: the lock is given up */
	struct arena arena;
	int (*job)(struct work_side *side, const void *arg, struct err *e);
	void (*undo)(struct work_side *side, const void *arg);
	void (*begin)(struct op *op);
	void (*process)(struct work *w, pid_t pid, int pidfd);
	void (*finish)(struct op *op, struct work *w);
	enum proc_state before;	/* state of the process before it began */
	/* what the request said */
	const struct task_mount *mounts;
	size_t n_mounts;
	struct shim_options options;
	const char *json;
	size_t json_len;
	struct cleat_starting gate;	/* Start: open, until the program runs */
	struct loop_source gate_ev;
	bool drained, removed;	/* Delete: what is done of it */
	int signal;
	bool all;
	const struct err *why;	/* what the answer will say when all is cleaned up */
};

/** op_new() - An operation of @c; takes the arena of @call. NULL: out of memory, answered. */
struct op *op_new(struct ctr *c, struct proc *p, const struct rpc_call *call, const char *what);
/** op_submit() - Run it when its turn is. */
void op_submit(struct op *op);
/** op_end() - Free it and let the next one run. It must have been answered. */
void op_end(struct op *op);
/** op_fail() - Answer with @e (prefixed) and end it. */
void op_fail(struct op *op, const struct err *e);
/** op_fail_queue() - The container goes: answer all that waits. */
void op_fail_queue(struct ctr *c);
/** op_fail_queued() - An exec goes: answer what waits for its turn with it. */
void op_fail_queued(struct proc *p);
/** op_start_lost() - Init has died; its Start waits at the gate. */
void op_start_lost(struct op *op);
/** op_drained() - The streams that a Delete waited for are closed. */
void op_drained(struct op *op);
/** op_delete_step() - Something that a Delete waits for has happened. */
void op_delete_step(struct op *op);
/** op_delete_cut() - The exec of a Delete is being freed: answer with what is known. */
void op_delete_cut(struct op *op);
/** op_delete_again() - In op_run.c: the timer of struct ctr's again. */
void op_delete_again(struct loop_timer *t);
/** op_kill_rest() - Init is gone: kill what is left in the container. */
void op_kill_rest(struct ctr *c);

/* Operations; each is prepared by task.c and then submitted. */
void op_create(struct op *op, int64_t timeout_nano);
void op_start(struct op *op);
void op_start_exec(struct op *op);
void op_delete(struct op *op);
void op_delete_exec(struct op *op);
void op_kill(struct op *op);
void op_pause(struct op *op);
void op_resume(struct op *op);
void op_update(struct op *op);
void op_pids(struct op *op);
void op_stats(struct op *op);

/* jobs.c: what the workers run; @arg is the struct op, as it was at the fork. */
int job_create(struct work_side *side, const void *arg, struct err *e);
void job_create_undo(struct work_side *side, const void *arg);
int job_undo(struct work_side *side, const void *arg, struct err *e);
int job_start(struct work_side *side, const void *arg, struct err *e);
int job_exec(struct work_side *side, const void *arg, struct err *e);
int job_delete(struct work_side *side, const void *arg, struct err *e);
int job_kill(struct work_side *side, const void *arg, struct err *e);
int job_pause(struct work_side *side, const void *arg, struct err *e);
int job_resume(struct work_side *side, const void *arg, struct err *e);
int job_update(struct work_side *side, const void *arg, struct err *e);
int job_pids(struct work_side *side, const void *arg, struct err *e);
/** job_look() - Sends one byte: the container's enum cleat_status. */
int job_look(struct work_side *side, const void *arg, struct err *e);
int job_stats(struct work_side *side, const void *arg, struct err *e);

/* metrics.c */
/** struct metrics - All that Stats tells of a container. */
struct metrics {
	const struct cg_stats *stats;
	const struct cg_detail *detail;
	struct objv net;		/* struct cleat_net */
};
/** metrics_pack() - Append StatsResponse with the Any of @m to @b. Return: 0 or -ENOMEM. */
int metrics_pack(const struct metrics *m, struct buf *b);
#endif

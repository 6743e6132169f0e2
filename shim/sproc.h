/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_SPROC_H
#define CLEAT_SHIM_SPROC_H
#include "server.h"

/*
 * A process as the server sees it: its state, its exit, its streams. What
 * may be done when is rules.c's; doing it is op.c's.
 */

/** proc_init() - Fill @p; strings are copied. Return: 0 or -ENOMEM (then proc_fini() it). */
int proc_init(struct proc *p, struct ctr *c, const char *id, bool terminal, const char *in,
	      const char *out, const char *err);
/** proc_fini() - Close and free what it holds; its waiters are answered with what is known. */
void proc_fini(struct proc *p);
/** proc_born() - It is process @pid; ctr_proc_by_pid() finds it, until it is reaped. 0: none any more. */
void proc_born(struct proc *p, pid_t pid);
/** proc_logger() - @pid is its logging program. 0: none any more. */
void proc_logger(struct proc *p, pid_t pid);
/** proc_is_init() - Init process or exec? */
static inline bool proc_is_init(const struct proc *p) { return &p->ctr->init == p; }
/** proc_verdict() - rules.c for this process. */
const struct verdict *proc_verdict(const struct proc *p, enum proc_op op);

/** proc_reaped() - The process has ended; tells of it when its turn is. */
void proc_reaped(struct proc *p, int wstatus, const struct timespec *at);
/**
 * proc_settle() - Tell of an exit that was held back while a worker was busy
 * with the process. Exits of execs go before that of init.
 */
void proc_settle(struct proc *p);
/** proc_execs_told() - May init's exit be told? Its event is the last one, within bounds: see ctr_exit_wait_due(). */
bool proc_execs_told(struct ctr *c);
/** proc_exit_flush() - Tell of all exits of the container that are still held back. */
void proc_exit_flush(struct ctr *c);
/** proc_start_failed() - An exec that could not be started: stopped, without an exit event. */
void proc_start_failed(struct proc *p);

/** proc_wait() - Answer @t when the process has ended, or now. */
void proc_wait(struct proc *p, struct rpc_token t);
/** proc_forget_conn() - Drop the waiters of a connection that is gone. */
void proc_forget_conn(struct proc *p, uint64_t conn);

/** proc_streams() - Take the stdio that a worker opened and start moving. */
void proc_streams(struct proc *p, struct work *w);
/** proc_resume_stream() - Go on with stream @i, whose fds and flags are set. */
void proc_resume_stream(struct proc *p, int i);
/** proc_close_stdin() - CloseIO. */
void proc_close_stdin(struct proc *p);
/** proc_resize() - Window size; kept until there is a terminal. Return: 0 or -errno. */
int proc_resize(struct proc *p, uint16_t width, uint16_t height);
/** proc_drain() - Give output at most @ms to reach its readers; @op goes on when it has. */
void proc_drain(struct proc *p, struct op *op, unsigned int ms);

/** proc_timestamp() - @at as a message field; @at zero: nothing is set. */
Google__Protobuf__Timestamp *proc_timestamp(const struct timespec *at,
					    Google__Protobuf__Timestamp *ts);
#endif

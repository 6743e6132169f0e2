/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes: states, exits and who is told of them. An exit is held back
 * while a worker starts the process (its start event goes first), and the event
 * of init's while an exec has not been told of (contract shim 6). Who waits
 * for init does not wait for that. Both are held back for a moment as long as
 * the client has not begun to read the output, see reader_is_due().
 */
#include "sproc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "bundle.h"
#include "child.h"
#include "ctr.h"
#include "events.pb-c.h"
#include "fd.h"
#include "logger.h"
#include "op.h"
#include "task.pb-c.h"

#define HOLD_INIT_EXIT_MS 3000
#define UNREAD_MS 250		/* for its first read of a quick process's output */

static void drain_due(struct loop_timer *t);
static void unread_due(struct loop_timer *t);

static char *copy(const char *s)
{
	return s && s[0] ? strdup(s) : NULL;
}

int proc_init(struct proc *p, struct ctr *c, const char *id, bool terminal, const char *in,
	      const char *out, const char *err)
{
	*p = (struct proc){
		.ctr = c, .pidfd = -1, .exit_ev = { .fd = -1 }, .console = -1, .logger_pidfd = -1, .terminal = terminal,
		.id = strdup(id), .in = copy(in), .out = copy(out), .err = copy(err),
		.spec_arena = ARENA_INIT, .drain = { .fn = drain_due },
		.unread = { .fn = unread_due },
	};
	if (!p->id || (in && in[0] && !p->in) || (out && out[0] && !p->out) ||
	    (err && err[0] && !p->err))
		return -ENOMEM;
	return 0;
}

void proc_born(struct proc *p, pid_t pid)
{
	struct table *t = &p->ctr->srv->by_pid;

	table_del(t, &p->by_pid);
	p->pid = pid;
	if (pid > 0 && !p->reaped)
		table_add(t, &p->by_pid, (uint32_t)pid);
}

void proc_logger(struct proc *p, pid_t pid)
{
	struct table *t = &p->ctr->srv->by_logger;

	table_del(t, &p->by_logger);
	p->logger = pid;
	if (pid > 0)
		table_add(t, &p->by_logger, (uint32_t)pid);
}

static void answer_waiters(struct proc *p)
{
	Cleat__Task__WaitResponse res = CLEAT__TASK__WAIT_RESPONSE__INIT;
	Google__Protobuf__Timestamp ts;
	struct waiter *w;

	res.exit_status = p->exit_status;
	res.exited_at = proc_timestamp(&p->exited_at, &ts);
	while ((w = p->waiters)) {
		p->waiters = w->next;
		rpc_reply(&p->ctr->srv->rpc, w->token, &res);
		free(w);
	}
}

void proc_fini(struct proc *p)
{
	loop_timer_cancel(&p->drain);
	loop_timer_cancel(&p->unread);
	for (int i = 0; i < 3; i++) {
		stream_close(&p->stream[i]);
		stream_forget(&p->stream[i]);
	}
	loop_timer_cancel(&p->drain);	/* a stream's end arms it */
	answer_waiters(p);
	if (p->deleting)
		op_delete_cut(p->deleting);
	if (p->logger > 0)
		logger_dismiss(p->ctr->srv, p->logger, take_fd(&p->logger_pidfd));
	proc_logger(p, 0);
	table_del(&p->ctr->srv->by_pid, &p->by_pid);
	reap_unwatch(p);
	fd_close(&p->pidfd);
	fd_close(&p->console);
	arena_fini(&p->spec_arena);
	free(p->id);
	free(p->in);
	free(p->out);
	free(p->err);
}

const struct verdict *proc_verdict(const struct proc *p, enum proc_op op)
{
	return proc_is_init(p) ? rule_init(p->state, op) : rule_exec(p->state, op);
}

Google__Protobuf__Timestamp *proc_timestamp(const struct timespec *at,
					    Google__Protobuf__Timestamp *ts)
{
	*ts = (Google__Protobuf__Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	if (!at->tv_sec)
		return NULL;
	ts->seconds = at->tv_sec;
	ts->nanos = (int32_t)at->tv_nsec;
	return ts;
}

/* ---- exits ------------------------------------------------------------------ */

static void tell_exit(struct proc *p)
{
	Containerd__Events__TaskExit ev = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	Google__Protobuf__Timestamp ts;
	struct ctr *c = p->ctr;

	p->exit_due = false;
	loop_timer_cancel(&p->unread);
	oom_check(c);
	ev.container_id = msg_set(c->id);
	ev.id = msg_set(proc_is_init(p) ? c->id : p->id);
	ev.pid = (uint32_t)p->pid;
	ev.exit_status = p->exit_status;
	ev.exited_at = proc_timestamp(&p->exited_at, &ts);
	publish_event(&c->srv->pub, "/tasks/exit", &ev);
	answer_waiters(p);
}

static bool exec_pending(const struct ctr *c)
{
	for (const struct proc *p = c->execs; p; p = p->next)
		if (p->state == PROC_STARTING || p->state == PROC_RUNNING)
			return true;
	return false;
}

bool proc_execs_told(struct ctr *c)
{
	if (!exec_pending(c) || c->exit_forced)
		return true;
	if (!c->exit_wait.pprev)
		loop_timer_set(&c->srv->loop, &c->exit_wait, HOLD_INIT_EXIT_MS);
	return false;
}

static void tell_init_exit(struct ctr *c)
{
	struct proc *p = &c->init;

	if (!p->exit_due || p->state == PROC_CREATING || p->state == PROC_STARTING ||
	    !proc_execs_told(c))
		return;
	loop_timer_cancel(&c->exit_wait);
	tell_exit(p);
}

/* An exec cannot be reaped (it hangs in the kernel): init's exit waits no longer. */
void ctr_exit_wait_due(struct loop_timer *t)
{
	struct ctr *c = loop_owner(t, struct ctr, exit_wait);

	c->exit_forced = true;
	tell_init_exit(c);
	if (c->init.deleting)
		op_delete_step(c->init.deleting);	/* may free @c */
}

/*
 * containerd's client gives up a reader that has not come to its first read when it hears of the exit: what a quick
 * process wrote last, or all of it, would be lost on a busy machine. So the exit waits a little for that read.
 */
static bool reader_is_due(struct proc *p)
{
	bool unread = false;

	if (p->unread.pprev)
		return true;
	for (int i = 0; i < 3; i++)
		unread = unread || stream_unread(&p->stream[i]);
	if (unread && p->unread_ms < UNREAD_MS) {
		uint32_t ms = p->unread_ms ? p->unread_ms : 1;	/* after 1, 2, 4, 8 ms and so on */

		p->unread_ms += ms;
		loop_timer_set(&p->ctr->srv->loop, &p->unread, ms);
		return true;
	}
	for (int i = 0; i < 3; i++)
		stream_forget(&p->stream[i]);
	return false;
}

void proc_settle(struct proc *p)
{
	struct ctr *c = p->ctr;

	if (!p->exit_due || p->state == PROC_CREATING || p->state == PROC_STARTING)
		return;
	if (p->state != PROC_DELETING && p->state != PROC_STOPPED && reader_is_due(p))
		return;
	if (proc_is_init(p))
		bundle_write_exit(c->bundle, p->exit_status, &p->exited_at);
	answer_waiters(p);
	if (p->state == PROC_DELETING)
		return;
	p->state = PROC_STOPPED;
	if (!proc_is_init(p)) {
		tell_exit(p);
		tell_init_exit(c);
		return;
	}
	/* Without a pid namespace of its own, nobody else ends what init leaves behind. */
	if (!c->own_pidns)
		op_kill_rest(c);
	tell_init_exit(c);
}

void proc_exit_flush(struct ctr *c)
{
	for (struct proc *p = c->execs; p; p = p->next)
		if (p->exit_due)
			tell_exit(p);
	c->exit_forced = true;
	tell_init_exit(c);
}

/* It has ended, and maybe a Delete waits for that: of an exec, or of init, which waits for execs as well. May free @p. */
static void settle(struct proc *p)
{
	proc_settle(p);
	if (p->deleting)
		op_delete_step(p->deleting);
	else if (p->ctr->init.deleting)
		op_delete_step(p->ctr->init.deleting);
}

static void unread_due(struct loop_timer *t)
{
	settle(loop_owner(t, struct proc, unread));
}

void proc_reaped(struct proc *p, int wstatus, const struct timespec *at)
{
	p->reaped = true;
	table_del(&p->ctr->srv->by_pid, &p->by_pid);
	reap_unwatch(p);
	if (p->start_failed) {
		/* Its Waits were answered then, and an exit without a start must not be told. */
		fd_close(&p->pidfd);
		return;
	}
	p->exit_due = true;
	p->exit_status = (uint32_t)child_status(wstatus);
	p->exited_at = *at;
	fd_close(&p->pidfd);
	oom_check(p->ctr);
	for (int i = 0; i < 3; i++)
		stream_last_call(&p->stream[i]);
	if (p->starting)
		op_start_lost(p->starting);	/* settles it, when that has been told */
	else
		settle(p);
}

void proc_start_failed(struct proc *p)
{
	p->state = PROC_STOPPED;
	p->start_failed = true;
	p->exit_due = false;
	if (!p->reaped) {
		p->exit_status = 255;
		clock_gettime(CLOCK_REALTIME, &p->exited_at);
	}
	answer_waiters(p);
	tell_init_exit(p->ctr);
}

void proc_wait(struct proc *p, struct rpc_token t)
{
	struct waiter *w = malloc(sizeof(*w));

	if (!w) {
		rpc_reply_status(&p->ctr->srv->rpc, t, RPC_RESOURCE_EXHAUSTED, "out of memory");
		return;
	}
	*w = (struct waiter){ p->waiters, t };
	p->waiters = w;
	if ((p->state == PROC_STOPPED || p->state == PROC_DELETING) && p->exited_at.tv_sec)
		answer_waiters(p);
}

void proc_forget_conn(struct proc *p, uint64_t conn)
{
	struct waiter **at = &p->waiters, *w;

	while ((w = *at)) {
		if (w->token.conn == conn) {
			*at = w->next;
			free(w);
		} else {
			at = &w->next;
		}
	}
}

/* ---- streams ------------------------------------------------------------------ */

static bool streams_open(const struct proc *p)
{
	return stream_open(&p->stream[0]) || stream_open(&p->stream[1]) ||
	       stream_open(&p->stream[2]);
}

static void stream_done(struct stream *s)
{
	struct proc *p = s->arg;

	if (s->lost)
		log_warn(&p->ctr->srv->log.log, "container %s: output was lost, its file cannot be written",
			 p->ctr->id);
	if (p->reaped && !p->exit_due)
		stream_forget(s);
	if (p->reaped && !stream_open(&p->stream[1]))
		fd_close(&p->console);
	/* Not from here: what goes on may free this stream. */
	if (p->draining && !streams_open(p))
		loop_timer_set(&p->ctr->srv->loop, &p->drain, 0);
}

void proc_streams(struct proc *p, struct work *w)
{
	struct loop *l = &p->ctr->srv->loop;

	p->console = take_fd(&w->fd[WF_CONSOLE]);
	proc_logger(p, w->logger);
	p->logger_pidfd = take_fd(&w->logger_pidfd);
	w->logger = 0;
	p->streams_up = true;
	for (int i = 0; i < 3; i++) {
		int *fd = &w->fd[WF_STREAMS + 3 * i];
		struct stream_fds f = {
			take_fd(&fd[0]), take_fd(&fd[1]), take_fd(&fd[2]),
			w->res.src_kind[i], w->res.dst_kind[i],
		};

		if (p->console >= 0 && f.dst >= 0 && f.src_kind == STREAM_TTY)
			f.src = dup(p->console);
		if (p->console >= 0 && f.src >= 0 && f.dst_kind == STREAM_TTY)
			f.dst = dup(p->console);
		if (f.src < 0 && f.dst < 0)
			continue;
		fd_cloexec(f.src, 1);
		fd_cloexec(f.dst, 1);
		if (stream_start(&p->stream[i], l, &f, i == 0, stream_done, p))
			log_warn(&p->ctr->srv->log.log, "container %s: cannot move the bytes of fd %d",
				 p->ctr->id, i);
	}
	if (p->stdin_closed)
		stream_close_input(&p->stream[0]);
	if (p->console >= 0 && (p->width || p->height))
		proc_resize(p, p->width, p->height);
	if (p->reaped)
		for (int i = 0; i < 3; i++)
			stream_last_call(&p->stream[i]);
}

void proc_resume_stream(struct proc *p, int i)
{
	stream_resume(&p->stream[i], &p->ctr->srv->loop, stream_done, p);
}

void proc_close_stdin(struct proc *p)
{
	p->stdin_closed = true;
	stream_close_input(&p->stream[0]);
}

int proc_resize(struct proc *p, uint16_t width, uint16_t height)
{
	struct winsize size = { .ws_col = width, .ws_row = height };

	p->width = width;
	p->height = height;
	if (p->console >= 0 && ioctl(p->console, TIOCSWINSZ, &size))
		return -errno;
	return 0;
}

static void drain_due(struct loop_timer *t)
{
	struct proc *p = loop_owner(t, struct proc, drain);
	struct op *op = p->draining;

	p->draining = NULL;
	for (int i = 0; i < 3; i++)
		stream_close(&p->stream[i]);
	if (op)
		op_drained(op);
}

void proc_drain(struct proc *p, struct op *op, unsigned int ms)
{
	/* Nothing was ever written by a process that did not run. */
	bool ran = proc_is_init(p) ? p->ctr->started : p->pid > 0;

	stream_close(&p->stream[0]);
	for (int i = 1; i < 3; i++) {
		if (ran)
			stream_limit(&p->stream[i], ms);
		else
			stream_close(&p->stream[i]);
	}
	p->draining = op;
	loop_timer_set(&p->ctr->srv->loop, &p->drain, streams_open(p) ? ms : 0);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reaping. The server is a subreaper, so any pid may turn up: workers,
 * processes of containers, logging programs, and strangers whose parents are
 * gone. Each is looked at first and then reaped by its pid, so none is taken
 * that somebody waits for elsewhere, and none is left behind.
 *
 * A process may end before its worker's message about it was read. So first
 * the messages are read; what is unknown even then is kept as long as any
 * worker runs, and matched when the message comes.
 *
 * SIGCHLD tells of one child, and of any others that ended before it was read
 * nothing. To find those the kernel looks at each child, which in a server of
 * thousands takes longer than most operations. So there the known ones are
 * asked for one by one: workers, which are few, at each signal, and processes
 * when their pidfds in the loop say so. All children are looked at a moment
 * later, once for all signals until then. None is missed: whoever ends raises
 * the signal, or it is pending; it is read after that, and having been read it
 * is followed by a look at all. Who comes as late as that is a stranger or a
 * logging program, and nobody waits for those.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "ctr.h"
#include "logger.h"
#include "server.h"
#include "sproc.h"
#include "sysx.h"

#define EARLY_MAX 256
#define FEW 50			/* processes that are looked through in no time */
#define WORKERS_MAX 32		/* the look at all finds the rest */
#define LOOK_MS 100

static void early_add(struct server *srv, pid_t pid, int wstatus, const struct timespec *at)
{
	struct early **last = &srv->early, *e;
	unsigned int n = 0;

	for (; *last && n < EARLY_MAX; last = &(*last)->next)
		n++;
	/* The list is newest first: what falls off its end is the oldest stranger. */
	if (*last) {
		free(*last);
		*last = NULL;
	}
	e = malloc(sizeof(*e));
	if (!e)
		return;
	*e = (struct early){ srv->early, pid, wstatus, *at };
	srv->early = e;
}

static void early_clear(struct server *srv)
{
	struct early *e;

	while ((e = srv->early)) {
		srv->early = e->next;
		free(e);
	}
}

/* It may not be ours to wait for yet: then the one that cloned it has still to exit. */
static bool was_reaped(const struct proc *p)
{
	int r = p->pidfd >= 0 ? sysx_pidfd_send_signal(p->pidfd, 0) : -ENOSYS;
	siginfo_t si = { 0 };

	if (r != -ENOSYS)
		return r == -ESRCH;
	return waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0;
}

bool reap_adopt(struct server *srv, struct proc *p)
{
	struct early **at = &srv->early, *e;

	while (*at && (*at)->pid != p->pid)
		at = &(*at)->next;
	e = *at;
	/* If the process was not reaped yet, the exit was that of an earlier owner of its pid. */
	if (!e || !was_reaped(p))
		return false;
	*at = e->next;
	proc_reaped(p, e->wstatus, &e->at);
	free(e);
	return true;
}

static void dispatch(struct server *srv, pid_t pid, int wstatus)
{
	struct timespec now;
	struct proc *p;

	clock_gettime(CLOCK_REALTIME, &now);
	if (work_reaped(srv, pid, wstatus))
		return;
	p = ctr_proc_by_pid(srv, pid);
	if (!p) {
		work_poll_all(srv);
		p = ctr_proc_by_pid(srv, pid);
	}
	if (p)
		proc_reaped(p, wstatus, &now);
	else if (!logger_reaped(srv, pid) && srv->works)
		early_add(srv, pid, wstatus, &now);
}

/* What work_poll_all() has read of other workers is finished; without any, no message is to come. */
static void settle(struct server *srv)
{
	work_finish_answered(srv);
	if (!srv->works)
		early_clear(srv);
}

static bool reap(struct server *srv, pid_t pid)
{
	int wstatus;

	/* 0 and less would be any of a group. */
	if (pid <= 0 || waitpid(pid, &wstatus, WNOHANG | __WALL) <= 0)
		return false;
	dispatch(srv, pid, wstatus);
	return true;
}

static void reap_all(struct server *srv)
{
	for (;;) {
		siginfo_t si = { 0 };

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) || !reap(srv, si.si_pid))
			break;
	}
}

static void look_due(struct loop_timer *t)
{
	struct server *srv = loop_owner(t, struct server, look);

	reap_all(srv);
	settle(srv);
	server_leave_if_done(srv);
}

void reap_init(struct server *srv)
{
	srv->look.fn = look_due;
}

void reap_told(struct server *srv, pid_t pid)
{
	reap(srv, pid);
}

static void reap_workers(struct server *srv)
{
	pid_t pids[WORKERS_MAX];
	size_t n = 0;

	/* Reaping one may change the list. */
	for (const struct work *w = srv->works; w && n < WORKERS_MAX; w = w->next)
		if (w->pid > 0)
			pids[n++] = w->pid;
	while (n)
		reap(srv, pids[--n]);
}

void reap_rest(struct server *srv)
{
	if (!srv->watching || srv->unwatched) {
		reap_all(srv);
	} else {
		reap_workers(srv);
		/* Not later than the first SIGCHLD asked for: more of them must not put it off for ever. */
		if (!srv->look.pprev)
			loop_timer_set(&srv->loop, &srv->look, LOOK_MS);
	}
	settle(srv);
}

/* ---- processes, by their pidfds ------------------------------------------------- */

static void exit_ready(struct loop_source *s, uint32_t events)
{
	struct proc *p = loop_owner(s, struct proc, exit_ev);
	struct server *srv = p->ctr->srv;

	/*
	 * Not ours to reap as long as somebody traces it, or until the one that cloned it has exited. We are told when
	 * that is over, by SIGCHLD.
	 */
	if (!reap(srv, p->pid))
		reap_unwatch(p);
	settle(srv);
}

static void watch(struct proc *p)
{
	struct server *srv = p->ctr->srv;

	if (p->pid <= 0 || p->reaped || p->exit_ev.fd >= 0)
		return;
	p->exit_ev.fn = exit_ready;
	/* No pidfd (below 5.2), or none that tells (below 5.3), or out of memory. */
	if (loop_add(&srv->loop, &p->exit_ev, p->pidfd, EPOLLIN))
		srv->unwatched = true;
}

void reap_watch(struct proc *p)
{
	struct server *srv = p->ctr->srv;

	if (srv->watching) {
		watch(p);
		return;
	}
	if (srv->by_pid.n <= FEW)
		return;
	srv->watching = true;
	for (struct ctr *c = srv->ctrs; c; c = c->next) {
		if (c->init.ctr)
			watch(&c->init);
		for (struct proc *x = c->execs; x; x = x->next)
			watch(x);
	}
}

void reap_unwatch(struct proc *p)
{
	loop_del(&p->ctr->srv->loop, &p->exit_ev);
}

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
 */
#include <stdlib.h>
#include <sys/wait.h>
#include "ctr.h"
#include "logger.h"
#include "server.h"
#include "sproc.h"

#define EARLY_MAX 256

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

bool reap_adopt(struct server *srv, struct proc *p)
{
	struct early **at = &srv->early, *e;
	siginfo_t si = { 0 };

	while (*at && (*at)->pid != p->pid)
		at = &(*at)->next;
	e = *at;
	if (!e)
		return false;
	/* If the process can still be waited for, the exit was that of an earlier owner of its pid. */
	if (!waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT | __WALL))
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

void reap_all(struct server *srv)
{
	for (;;) {
		siginfo_t si = { 0 };
		int wstatus;
		pid_t pid;

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) || !si.si_pid)
			break;
		pid = waitpid(si.si_pid, &wstatus, WNOHANG | __WALL);
		if (pid <= 0)
			break;
		dispatch(srv, pid, wstatus);
	}
	work_finish_answered(srv);
	if (!srv->works)
		early_clear(srv);
}

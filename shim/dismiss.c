/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending logging programs without waiting for them (contract shim 7.4). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "logger.h"

#define KILL_MS 12000

static void dismissed_free(struct dismissed *d)
{
	struct dismissed **at = &d->srv->dismissed;

	while (*at && *at != d)
		at = &(*at)->next;
	if (*at)
		*at = d->next;
	loop_timer_cancel(&d->timer);
	fd_close(&d->pidfd);
	free(d);
}

static void kill_due(struct loop_timer *t)
{
	struct dismissed *d = loop_owner(t, struct dismissed, timer);

	child_pidfd_signal(d->pidfd, d->pid, SIGKILL);
}

void logger_dismiss(struct server *srv, pid_t pid, int pidfd)
{
	struct dismissed *d = calloc(1, sizeof(*d));
	int r = child_pidfd_signal(pidfd, pid, d ? SIGTERM : SIGKILL);

	/* It may have been reaped before the server knew whose it was. */
	if (!d || r == -ESRCH) {
		free(d);
		fd_close(&pidfd);
		return;
	}
	*d = (struct dismissed){ srv->dismissed, srv, pid, pidfd, { .fn = kill_due } };
	srv->dismissed = d;
	loop_timer_set(&srv->loop, &d->timer, KILL_MS);
}

void logger_leave(struct server *srv)
{
	size_t n = 0;
	int *keep;

	for (const struct dismissed *d = srv->dismissed; d; d = d->next)
		n++;
	if (!n || fork())
		return;
	keep = calloc(n, sizeof(*keep));
	n = 0;
	for (const struct dismissed *d = srv->dismissed; keep && d; d = d->next)
		if (d->pidfd >= 0)
			keep[n++] = d->pidfd;
	fd_close_except(3, keep, keep ? n : 0);
	prctl(PR_SET_NAME, "cleat:loggers");
	for (struct dismissed *d = srv->dismissed; d; d = d->next) {
		uint64_t now = loop_now_ms();
		int left = d->timer.at_ms > now ? (int)(d->timer.at_ms - now) : 0;

		/* Without a handle its pid may be somebody else's by then. */
		if (!keep || d->pidfd < 0)
			child_pidfd_signal(-1, d->pid, SIGKILL);
		else if (child_pidfd_wait_ms(d->pidfd, left))
			child_pidfd_signal(d->pidfd, d->pid, SIGKILL);
	}
	_exit(0);
}

bool logger_reaped(struct server *srv, pid_t pid)
{
	for (struct dismissed *d = srv->dismissed; d; d = d->next) {
		if (d->pid == pid) {
			dismissed_free(d);
			return true;
		}
	}
	/* One that ended by itself: its pid may be somebody else's from now on. */
	for (struct ctr *c = srv->ctrs; c; c = c->next) {
		struct proc *p = &c->init, *next = c->execs;

		for (; p; p = next, next = next ? next->next : NULL) {
			if (p->logger != pid)
				continue;
			p->logger = 0;
			fd_close(&p->logger_pidfd);
			return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending logging programs without waiting for them (contract shim 7.4). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "logger.h"
#include "pathfs.h"
#include "sproc.h"

#define EOF_MS 2000	/* to read what is left in the pipes */
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

static void term_due(struct loop_timer *t)
{
	struct dismissed *d = loop_owner(t, struct dismissed, timer);

	d->told = true;
	child_pidfd_signal(d->pidfd, d->pid, SIGTERM);
	d->timer.fn = kill_due;
	loop_timer_set(&d->srv->loop, &d->timer, KILL_MS);
}

void logger_dismiss(struct server *srv, pid_t pid, int pidfd)
{
	struct dismissed *d = calloc(1, sizeof(*d));
	int r = child_pidfd_signal(pidfd, pid, d ? 0 : SIGKILL);

	/* It may have been reaped before the server knew whose it was. */
	if (!d || r == -ESRCH) {
		free(d);
		fd_close(&pidfd);
		return;
	}
	*d = (struct dismissed){
		.next = srv->dismissed, .srv = srv, .pid = pid, .pidfd = pidfd, .timer = { .fn = term_due },
	};
	srv->dismissed = d;
	loop_timer_set(&srv->loop, &d->timer, EOF_MS);
}

/* Without a handle (before 5.3): its pid may be somebody else's as soon as it is gone. */
static bool gone_by_time(int procfd, const struct dismissed *d, uint64_t start)
{
	const struct timespec pause = { 0, 20000000 };
	struct child_stat now;

	for (;;) {
		if (child_stat(procfd, d->pid, &now) || now.start_time != start)
			return true;
		if (loop_now_ms() >= d->timer.at_ms)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* Wait until its time is up. Return: has it ended? */
static bool ended_in_time(const struct dismissed *d)
{
	uint64_t now = loop_now_ms();

	return !child_pidfd_wait_ms(d->pidfd, d->timer.at_ms > now ? (int)(d->timer.at_ms - now) : 0);
}

static void leave_without_handle(struct dismissed *d)
{
	auto_fd procfd = proc_open();
	struct child_stat s;

	if (procfd < 0 || child_stat(procfd, d->pid, &s))
		return;
	if (!gone_by_time(procfd, d, s.start_time))
		child_pidfd_signal(-1, d->pid, SIGKILL);
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
		if (!keep || d->pidfd < 0) {
			leave_without_handle(d);
		} else if (!d->told && !ended_in_time(d)) {
			child_pidfd_signal(d->pidfd, d->pid, SIGTERM);
			d->timer.at_ms += KILL_MS;
		}
	}
	for (struct dismissed *d = srv->dismissed; d; d = d->next)
		if (keep && d->pidfd >= 0 && !ended_in_time(d))
			child_pidfd_signal(d->pidfd, d->pid, SIGKILL);
	_exit(0);
}

bool logger_reaped(struct server *srv, pid_t pid)
{
	struct table_node *n;
	struct proc *p;

	for (struct dismissed *d = srv->dismissed; d; d = d->next) {
		if (d->pid == pid) {
			dismissed_free(d);
			return true;
		}
	}
	/* One that ended by itself: its pid may be somebody else's from now on. */
	n = table_first(&srv->by_logger, (uint32_t)pid);
	if (!n)
		return false;
	p = loop_owner(n, struct proc, by_logger);
	proc_logger(p, 0);
	fd_close(&p->logger_pidfd);
	return true;
}

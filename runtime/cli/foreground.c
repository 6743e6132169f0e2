/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standing in for a process: signals go to it, its end is ours. */
#include "foreground.h"
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"

static void on_exit_seen(struct foreground *fg, int status)
{
	fg->exited = true;
	fg->status = status;
	if (fg->relaying)
		relay_drain(&fg->relay);
	else
		loop_quit(&fg->loop);
}

static void on_drained(struct relay *r)
{
	struct foreground *fg = loop_owner(r, struct foreground, relay);

	fg->relaying = false;
	loop_quit(&fg->loop);
}

/* Reap whatever has ended: as a subreaper we inherit what the container's processes leave. */
static void reap(struct foreground *fg)
{
	siginfo_t si = { 0 };

	while (!waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid) {
		int status = 0;

		if (child_wait(si.si_pid, &status))
			break;
		if (si.si_pid == fg->p->pid && !fg->exited)
			on_exit_seen(fg, status);
		si.si_pid = 0;
	}
}

static void forward(struct foreground *fg, const struct signalfd_siginfo *si)
{
	int sig = (int)si->ssi_signo;

	if (sig == SIGCHLD) {
		reap(fg);
	} else if (sig == SIGWINCH) {
		if (fg->tty.fd >= 0 && fg->p->console >= 0)
			tty_size_copy(fg->tty.fd, fg->p->console);
	} else if (sig == SIGURG || (sig == SIGPIPE && si->ssi_pid == (uint32_t)getpid())) {
		/* The first is nobody's; the second is our own write to a reader who left. */
		return;
	} else if (!fg->exited) {
		/* It may end just now: then the signal has no addressee, and that is all right. */
		child_pidfd_signal(fg->p->pidfd, fg->p->pid, sig);
	} else if (sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT) {
		/* Whoever asks us to end while output is stuck means us. */
		loop_quit(&fg->loop);
	}
}

static void on_signals(struct loop_source *s, uint32_t events)
{
	struct foreground *fg = loop_owner(s, struct foreground, signals);
	struct signalfd_siginfo si;

	while (read(fg->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		forward(fg, &si);
}

static int take_terminal(struct foreground *fg, struct err *e)
{
	int r;

	tty_find(&fg->tty);
	if (fg->tty.fd >= 0)
		tty_size_copy(fg->tty.fd, fg->p->console);
	r = tty_raw(&fg->tty);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "set up the terminal");
	r = relay_start(&fg->relay, &fg->loop, fg->p->console, STDIN_FILENO, STDOUT_FILENO,
			on_drained);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "copy from and to the terminal");
	fg->relaying = true;
	return 0;
}

void foreground_init(struct foreground *fg)
{
	fg->loop.epfd = -1;
	fg->tty = TTY_INIT;
	fg->signals = (struct loop_source){ on_signals, -1 };
	fg->signal_fd = -1;
}

int foreground_begin(struct foreground *fg, const struct cleat_process *p, struct err *e)
{
	sigset_t all;
	int r;

	fg->p = p;
	r = loop_init(&fg->loop);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "make an epoll set");
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL))
		return err_set(e, ERR_KERNEL, -errno, NULL, "block signals");
	fg->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fg->signal_fd < 0)
		return err_set(e, ERR_KERNEL, -errno, NULL, "make a signalfd");
	r = loop_add(&fg->loop, &fg->signals, fg->signal_fd, EPOLLIN);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "watch for signals");
	return p->console >= 0 ? take_terminal(fg, e) : 0;
}

static void on_notify(struct loop_source *s, uint32_t events)
{
	struct foreground *fg = loop_owner(s, struct foreground, notifying);

	if (notify_pass(fg->notify, getpid()))
		loop_del(&fg->loop, s);
}

int foreground_notify(struct foreground *fg, struct notify *n, struct err *e)
{
	int r;

	fg->notify = n;
	fg->notifying = (struct loop_source){ on_notify, -1 };
	r = loop_add(&fg->loop, &fg->notifying, n->sock, EPOLLIN);
	return r ? err_set(e, ERR_KERNEL, r, "NOTIFY_SOCKET", "watch the container's socket") : 0;
}

int foreground_wait(struct foreground *fg, struct err *e)
{
	int r;

	/* What ended before signals were caught has left no SIGCHLD. */
	reap(fg);
	r = loop_run(&fg->loop);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "wait for the process");
	return child_status(fg->status);
}

void foreground_end(struct foreground *fg)
{
	if (fg->relaying)
		relay_stop(&fg->relay);
	fg->relaying = false;
	tty_restore(&fg->tty);
	loop_fini(&fg->loop);
	fd_close(&fg->signal_fd);
}

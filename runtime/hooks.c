/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running hooks. */
#include "hooks.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "loop.h"
#include "sysx.h"

/* A file and not a pipe: a hook that never reads its stdin can then neither block nor SIGPIPE us. */
static int state_file(const char *state, struct err *e)
{
	auto_fd fd = memfd_create("state", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(e, ERR_KERNEL, -errno, NULL, "memfd_create for a hook's stdin");
	r = fdio_write_full(fd, state, strlen(state));
	if (r || lseek(fd, 0, SEEK_SET))
		return err_set(e, ERR_KERNEL, r ? r : -errno, NULL, "write a hook's stdin");
	return take_fd(&fd);
}

static void hook_child(const struct spec_hook *h, int in, int out, const struct hook_view *view)
{
	char *none[] = { NULL };
	char **argv = h->args.n ? calloc(h->args.n + 1, sizeof(*argv)) : calloc(2, sizeof(*argv));
	char **envp = calloc(h->env.n + 1, sizeof(*envp));

	if (!argv || !envp)
		_exit(126);
	if (h->args.n)
		memcpy(argv, h->args.v, h->args.n * sizeof(*argv));
	else
		argv[0] = (char *)(uintptr_t)h->path;
	if (h->env.n)
		memcpy(envp, h->env.v, h->env.n * sizeof(*envp));
	setpgid(0, 0);
	/* A hook does not outlive the operation that it is part of: an aborted create kills its worker. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_default_signals();
	if (view->has_umask)
		umask(view->umask);
	/* A bundle may be gone by now; then the folder says nothing to the hook either. */
	if (view->cwd && chdir(view->cwd) && errno != ENOENT && errno != EACCES)
		_exit(126);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	fd_close_except(3, NULL, 0);
	execve(h->path, argv, h->has_env ? envp : view->env ? view->env : environ ? environ : none);
	dprintf(2, "execve: %s", strerror(errno));
	_exit(127);
}

/* Read what is there, but return to look at the clock; drop what is over the bound. */
static void take_output(int fd, char *text, size_t *len)
{
	char drop[1024];
	ssize_t n;
	int i;

	for (i = 0; i < 64; i++) {
		size_t room = LIMIT_HOOK_OUTPUT - 1 - *len;

		n = read(fd, room ? text + *len : drop, room ? room : sizeof(drop));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (room)
			*len += (size_t)n;
	}
}

/* Wait for @pid while reading its output. Return: 0 with @status, or -ETIME. */
static int wait_hook(pid_t pid, int pidfd, int out, const struct spec_hook *h, char *text, size_t *len, int *status)
{
	uint64_t end = h->has_timeout && h->timeout > 0 ? loop_now_ms() + (uint64_t)h->timeout * 1000 : 0;
	bool open_out = true;

	for (;;) {
		struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN },
				       { .fd = open_out ? out : -1, .events = POLLIN } };
		uint64_t now = loop_now_ms();
		pid_t got;

		/* Without a pidfd (below 5.2) look every 10 ms. */
		poll(p, 2, pidfd < 0 ? 10 : !end ? -1 : end > now ? (int)(end - now) : 0);
		if (p[1].revents) {
			take_output(out, text, len);
			if (p[1].revents & POLLHUP)
				open_out = false;
		}
		got = waitpid(pid, status, WNOHANG);
		if (got == pid || (got < 0 && errno != EINTR)) {
			take_output(out, text, len);
			return 0;
		}
		if (end && loop_now_ms() >= end)
			return -ETIME;
	}
}

static int hook_failed(const struct spec_hook *h, const char *name, int status, const char *text, struct err *e)
{
	if (WIFSIGNALED(status))
		return err_set(e, ERR_PEER, 0, h->path, "%s hook died by signal %d, output \"%s\"", name,
			       WTERMSIG(status), text);
	return err_set(e, ERR_PEER, 0, h->path, "%s hook exited with status %d, output \"%s\"", name,
		       WEXITSTATUS(status), text);
}

static int run_one(const struct spec_hook *h, const char *name, const char *state, const struct hook_view *view,
		   struct err *e)
{
	struct child_args ca = { .cgroup_fd = -1 };
	auto_fd in = state_file(state, e), pidfd = -1, rd = -1, wr = -1;
	char text[LIMIT_HOOK_OUTPUT];
	size_t len = 0;
	int p[2], r, status = 0;
	pid_t pid;

	if (in < 0)
		return in;
	r = fdio_pipe(p);
	if (r)
		return err_set(e, ERR_KERNEL, r, h->path, "pipe for a hook");
	rd = p[0];
	wr = p[1];
	fd_nonblock(rd, 1);
	pid = child_clone(&ca, &pidfd);
	if (pid < 0)
		return err_set(e, ERR_LIMIT, pid, h->path, "fork the %s hook", name);
	if (!pid)
		hook_child(h, in, wr, view);
	fd_close(&wr);
	r = wait_hook(pid, pidfd, rd, h, text, &len, &status);
	text[len] = 0;
	if (r) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		child_wait(pid, NULL);
		return err_set(e, ERR_TIMEOUT, 0, h->path, "%s hook did not end within %d s", name, h->timeout);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : hook_failed(h, name, status, text, e);
}

int hooks_run(const struct objv *hooks, const char *name, const char *state, const struct hook_view *view,
	      bool keep_going, const struct log *log, struct err *e)
{
	static const struct hook_view ours;
	const struct spec_hook *h = hooks->v;
	size_t i;
	int r;

	for (i = 0; i < hooks->n; i++) {
		struct err one = { 0 };
		char text[ERR_TEXT_MAX];

		r = run_one(&h[i], name, state, view ? view : &ours, &one);
		if (!r)
			continue;
		if (!keep_going) {
			*e = one;
			return r;
		}
		log_warn(log, "%s", err_render(&one, text, sizeof(text)));
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logging programs (binary://, contract shim 7.4). A worker starts them; when
 * it exits, the server inherits them as their subreaper and reaps them. They
 * are told to end by EOF, and some time after Delete by SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "sio.h"
#include "sysx.h"

#define READY_MS 30000

struct logger_pipes {
	int out[2], err[2], ready[2];
	int exec[2];		/* closes on exec, or brings the errno of why not */
};

/* Never returns: the logger's side of fork. */
static void logger_exec(const struct sio_uri *uri, const char *id, const char *ns,
			struct logger_pipes *p, struct arena *a)
{
	char *env[3] = {
		arena_printf(a, "CONTAINER_ID=%s", id),
		arena_printf(a, "CONTAINER_NAMESPACE=%s", ns),
		NULL,
	};
	char **argv = arena_alloc(a, (uri->args.n + 2) * sizeof(*argv));
	int fd[3] = { p->out[0], p->err[0], p->ready[1] }, status, i;

	if (!argv || !env[0] || !env[1])
		_exit(127);
	argv[0] = (char *)(uintptr_t)uri->path;
	for (size_t k = 0; k < uri->args.n; k++)
		argv[k + 1] = (char *)(uintptr_t)uri->args.v[k];
	/* Out of the way of 3, 4, 5 first, then to their places without close-on-exec. */
	for (i = 0; i < 3; i++) {
		fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 16);
		if (fd[i] < 0)
			_exit(127);
	}
	status = fcntl(p->exec[1], F_DUPFD_CLOEXEC, 16);
	for (i = 0; i < 3; i++)
		if (dup2(fd[i], 3 + i) < 0)
			_exit(127);
	fd_close_except(6, &status, 1);
	child_default_signals();
	prctl(PR_SET_PDEATHSIG, 0);
	setsid();
	execvpe(uri->path, argv, env);
	i = errno;
	fdio_write_full(status, &i, sizeof(i));
	_exit(127);
}

static int wait_exec(int fd, const struct sio_uri *uri, struct err *e)
{
	int errnum;
	ssize_t n = fdio_read_full(fd, &errnum, sizeof(errnum));

	if (n == sizeof(errnum))
		return err_set(e, ERR_SPEC, -errnum, uri->path, "start logging program");
	return 0;
}

static int wait_ready(int fd, const struct sio_uri *uri, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	char c;
	int r;

	do {
		r = poll(&p, 1, READY_MS);
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(e, ERR_TIMEOUT, -ETIMEDOUT, uri->path,
			       "logging program is not ready after %d s", READY_MS / 1000);
	n = read(fd, &c, 1);
	/* In the first version EOF is readiness too: programs exist that never write. */
	if (n == 1 || uri->scheme == SIO_BINARY)
		return 0;
	return err_set(e, ERR_PEER, -EPIPE, uri->path, "logging program ended before it was ready");
}

static int make_pipes(struct logger_pipes *p)
{
	int r = fdio_pipe(p->out);

	if (!r)
		r = fdio_pipe(p->err);
	if (!r)
		r = fdio_pipe(p->ready);
	if (!r)
		r = fdio_pipe(p->exec);
	return r;
}

static void close_pipes(struct logger_pipes *p)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&p->out[i]);
		fd_close(&p->err[i]);
		fd_close(&p->ready[i]);
		fd_close(&p->exec[i]);
	}
}

int logger_start(const struct sio_uri *uri, const struct sio_request *req, int *out, int *err,
		 pid_t *pid, int *pidfd, struct err *e)
{
	struct logger_pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	auto_arena a = ARENA_INIT;
	auto_fd handle = -1;
	pid_t child;
	int r = make_pipes(&p);

	if (r < 0) {
		close_pipes(&p);
		return err_set(e, ERR_KERNEL, r, uri->path, "make pipes of logging program");
	}
	child = fork();
	if (!child)
		logger_exec(uri, req->id, req->ns, &p, &a);
	if (child < 0) {
		r = err_set(e, ERR_KERNEL, -errno, uri->path, "fork logging program");
	} else {
		handle = sysx_pidfd_open(child, 0);
		if (req->born)
			req->born(req->arg, child, handle);
		fd_close(&p.ready[1]);
		fd_close(&p.exec[1]);
		r = wait_exec(p.exec[0], uri, e);
		if (!r)
			r = wait_ready(p.ready[0], uri, e);
		if (r < 0 && req->born)
			kill(child, SIGKILL);
		else if (r < 0)
			child_kill_reap(&child);
	}
	if (!r) {
		*pid = child;
		*pidfd = take_fd(&handle);
		*out = take_fd(&p.out[1]);
		*err = take_fd(&p.err[1]);
	}
	close_pipes(&p);
	return r;
}

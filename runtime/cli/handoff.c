/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handing pid, terminal and pidfd of a process to who asked for it; fds that pass through. */
#include "handoff.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "fdio.h"
#include "num.h"
#include "pathfs.h"
#include "usock.h"

static bool given(const char *path)
{
	return path && *path;
}

int handoff_check(const struct handoff_paths *p, bool detach, bool terminal, struct err *e)
{
	if (detach && terminal && !given(p->console_socket))
		return err_set(e, ERR_SPEC, 0, NULL,
			       "cannot allocate tty if cleat will detach without setting console "
			       "socket");
	if ((!detach || !terminal) && given(p->console_socket))
		return err_set(e, ERR_SPEC, 0, NULL,
			       "cannot use console socket if cleat will not detach or allocate "
			       "tty");
	return 0;
}

static int connect_to(const char *path, const char *what, struct err *e)
{
	int sock = usock_connect(path, SOCK_STREAM, 0);

	return sock < 0 ? err_set(e, ERR_SPEC, sock, path, "connect to the %s", what) : sock;
}

/* Open the directory of the pid file now: the path is meant as of now. */
static int open_pid_dir(struct handoff *h, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	auto_buf dir = BUF_INIT;

	h->pid_path = path;
	h->pid_name = slash ? slash + 1 : path;
	if (!*h->pid_name || !strcmp(h->pid_name, ".") || !strcmp(h->pid_name, ".."))
		return err_set(e, ERR_SPEC, -EISDIR, path, "the pid file");
	if (!slash)
		buf_adds(&dir, ".");
	else
		buf_add(&dir, path, slash == path ? 1 : (size_t)(slash - path));
	if (!buf_ok(&dir))
		return err_set(e, ERR_LIMIT, -ENOMEM, path, "the pid file");
	h->pid_dir = openat(AT_FDCWD, dir.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return h->pid_dir < 0
		       ? err_set(e, ERR_SPEC, -errno, path, "open the directory of the pid file")
		       : 0;
}

int handoff_open(struct handoff *h, const struct handoff_paths *p, struct err *e)
{
	int r = 0;

	if (given(p->pid_file))
		r = open_pid_dir(h, p->pid_file, e);
	if (!r && given(p->console_socket))
		r = h->console_sock = connect_to(p->console_socket, "console socket", e);
	if (r >= 0 && given(p->pidfd_socket))
		r = h->pidfd_sock = connect_to(p->pidfd_socket, "pidfd socket", e);
	return r < 0 ? r : 0;
}

int handoff_give(struct handoff *h, pid_t pid, int pidfd, const char *pidfd_name, int console,
		 struct err *e)
{
	char text[16];
	int r, n;

	if (h->console_sock >= 0) {
		/* Receivers ignore the text, but there must be some. */
		static const char name[] = "/dev/ptmx";

		if (console < 0)
			return err_set(e, ERR_BUG, 0, NULL,
				       "the process has no terminal for the console socket");
		r = fdio_send(h->console_sock, name, sizeof(name) - 1, &console, 1);
		if (r)
			return err_set(e, ERR_PEER, r, NULL,
				       "send the terminal to the console socket");
		fd_close(&h->console_sock);
	}
	if (h->pidfd_sock >= 0) {
		if (pidfd < 0)
			return err_set(e, ERR_UNSUPPORTED, 0, NULL,
				       "--pidfd-socket needs Linux 5.3");
		r = fdio_send(h->pidfd_sock, pidfd_name, strlen(pidfd_name), &pidfd, 1);
		if (r)
			return err_set(e, ERR_PEER, r, NULL, "send the pidfd to the pidfd socket");
		fd_close(&h->pidfd_sock);
	}
	/* Last: who waits for the file takes the rest as done. */
	if (h->pid_dir >= 0) {
		n = snprintf(text, sizeof(text), "%d", pid);
		r = path_replace(h->pid_dir, h->pid_name, 0666, text, (size_t)n);
		if (r)
			return err_set(e, ERR_KERNEL, r, h->pid_path, "write the pid file");
	}
	return 0;
}

void handoff_close(struct handoff *h)
{
	fd_close(&h->console_sock);
	fd_close(&h->pidfd_sock);
	fd_close(&h->pid_dir);
}

int preserve_fds(int extra, int *listen, struct err *e)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint32_t n, owner;
	int i, flags;

	*listen = 0;
	if (fds && pid && !num_u32(pid, &owner) && owner == (uint32_t)getpid()) {
		if (num_u32(fds, &n) || n > LIMIT_PRESERVE_FDS)
			return err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" of $LISTEN_FDS",
				       fds);
		*listen = (int)n;
	}
	for (i = 3; i < 3 + *listen + extra; i++) {
		flags = fcntl(i, F_GETFD);
		/* What has close-on-exec set came into being here; nobody passed it to us. */
		if (flags < 0 || flags & FD_CLOEXEC)
			return err_set(e, ERR_SPEC, 0, NULL,
				       "fd %d, one of %d to be preserved, is not open", i,
				       *listen + extra);
	}
	return *listen + extra;
}

int listen_env(struct arena *a, const struct opt_list *env, int listen, const char *const **out,
	       size_t *n, struct err *e)
{
	const char *names = getenv("LISTEN_FDNAMES");
	const char **v;

	*out = env->v;
	*n = env->n;
	if (!listen)
		return 0;
	v = arena_alloc(a, (env->n + 3) * sizeof(*v));
	if (!v)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "keep the environment");
	if (env->n)
		memcpy(v, env->v, env->n * sizeof(*v));
	v[(*n)++] = arena_printf(a, "LISTEN_FDS=%d", listen);
	v[(*n)++] = "LISTEN_PID=1";
	if (names)
		v[(*n)++] = arena_printf(a, "LISTEN_FDNAMES=%s", names);
	if (!v[env->n] || !v[*n - 1])
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "keep the environment");
	*out = v;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate between create and start. */
#include "gate.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "fdio.h"
#include "pathfs.h"

int gate_make(int dirfd, struct err *e)
{
	int fd;

	/* Others may write: init has any uid by then. They reach it by fd only, the directory is 0711 below a 0700. */
	if (mkfifoat(dirfd, GATE_NAME, 0600) || fchmodat(dirfd, GATE_NAME, 0622, 0))
		return err_set(e, ERR_KERNEL, -errno, GATE_NAME, "make the start gate");
	fd = openat(dirfd, GATE_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(e, ERR_KERNEL, -errno, GATE_NAME, "open the start gate") : fd;
}

int gate_pass(int procfd, int fifo)
{
	int fd, r;

	do {
		fd = proc_reopen(procfd, fifo, O_WRONLY);
	} while (fd == -EINTR);
	if (fd < 0)
		return fd;
	r = fdio_write_full(fd, "", 1);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

void gate_fail(int fd, const struct err *e)
{
	fdio_write_full(fd, e, sizeof(*e));
}

_Static_assert(sizeof(struct err) <= PIPE_BUF, "an error comes in one piece");

int gate_knock(struct gate *g, int dirfd, const char *id, struct err *e)
{
	*g = (struct gate){ openat(dirfd, GATE_NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), false };
	if (g->fd < 0)
		return err_set(e, errno == ENOENT ? ERR_STATE : ERR_KERNEL, -errno, id, "open the start gate");
	return 0;
}

static int gate_stopped(const char *id, struct err *e)
{
	err_set(e, ERR_STATE, 0, id, "cannot start a container that has stopped");
	return -ESRCH;
}

int gate_hear(struct gate *g, int dirfd, const char *id, struct err *e)
{
	struct err told;
	ssize_t n;
	char byte;

	if (!g->passed) {
		n = fdio_read(g->fd, &byte, 1);
		if (n == -EAGAIN)
			return -EAGAIN;
		if (n != 1)
			return gate_stopped(id, e);
		unlinkat(dirfd, GATE_NAME, 0);
		g->passed = true;
		return -EAGAIN;		/* its execve takes a while */
	}
	n = fdio_read(g->fd, &told, sizeof(told));
	if (n == -EAGAIN)
		return -EAGAIN;
	if (n == 0)
		return 0;
	if (n < 0 || err_sanitize(&told, (size_t)n))
		return err_set(e, ERR_PEER, n < 0 ? (int)n : 0, id, "the container's process spoke nonsense at the gate");
	*e = told;
	return told.errnum ? -told.errnum : -EINVAL;
}

/* Wait for input or hang-up on the fifo, or for init's death before it has passed. Return: 0 or -errno. */
static int wait_ready(const struct gate *g, int pidfd, int procfd, const struct state *st)
{
	struct pollfd p[2] = { { .fd = g->fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

	/* Its death closes the fifo. */
	if (g->passed)
		p[1].fd = -1;
	for (;;) {
		/* Asked for before poll, so that the last word of a process that dies between is not missed. */
		bool dead = !g->passed && pidfd < 0 && !store_alive(st, procfd);
		int r = poll(p, 2, dead ? 0 : !g->passed && pidfd < 0 ? 10 : -1);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 || dead)
			return 0;
	}
}

int gate_open(int dirfd, int pidfd, int procfd, const struct state *st, struct err *e)
{
	struct gate g;
	int r = gate_knock(&g, dirfd, st->id, e);

	if (r)
		return r;
	do {
		r = wait_ready(&g, pidfd, procfd, st);
		if (r < 0)
			err_set(e, ERR_KERNEL, r, st->id, "wait at the start gate");
		else
			r = gate_hear(&g, dirfd, st->id, e);	/* dead: what it said before, or that it said nothing */
	} while (r == -EAGAIN);
	fd_close(&g.fd);
	return r;
}

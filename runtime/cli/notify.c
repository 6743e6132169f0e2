/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passing readiness on, from the container's socket to $NOTIFY_SOCKET. */
#include "notify.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "usock.h"

#define MESSAGE_MAX 4096
#define BARRIER_MS 30000

void notify_close(struct notify *n)
{
	fd_close(&n->sock);
}

bool notify_wanted(void)
{
	const char *to = getenv("NOTIFY_SOCKET");

	return to && *to;
}

int notify_open(struct notify *n, const char *root, const char *id, struct err *e)
{
	const char *to = getenv("NOTIFY_SOCKET");
	auto_fd at = -1, dir = -1, sock = -1;
	struct sockaddr_un sa;
	socklen_t len;

	if (usock_address(to, &n->to, &n->to_len))
		return err_set(e, ERR_SPEC, 0, "NOTIFY_SOCKET", "\"%.200s\" is neither a path nor @name of at most %zu bytes",
			       to, sizeof(n->to.sun_path) - 1);
	at = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	dir = at < 0 ? -1 : openat(at, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd_close(&at);
	if (dir >= 0)
		at = openat(dir, CLEAT_NOTIFY_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return 0;	/* made by somebody without $NOTIFY_SOCKET */
	usock_address_at(at, CLEAT_NOTIFY_NAME, &sa, &len);
	unlinkat(at, CLEAT_NOTIFY_NAME, 0);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || bind(sock, (const struct sockaddr *)&sa, len) ||
	    fchmodat(at, CLEAT_NOTIFY_NAME, 0777, 0))
		return err_set(e, ERR_KERNEL, -errno, "NOTIFY_SOCKET", "make the container's socket");
	n->sock = take_fd(&sock);
	return 0;
}

/* A datagram to the caller's socket, with @fd if it is not -1. */
static int tell(const struct notify *n, const char *text, int fd)
{
	auto_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || connect(sock, (const struct sockaddr *)&n->to, n->to_len))
		return -errno;
	return fdio_send(sock, text, strlen(text), &fd, fd >= 0);
}

bool notify_pass(struct notify *n, pid_t pid)
{
	char text[MESSAGE_MAX + 1], out[256], *line, *save = NULL;
	ssize_t len = recv(n->sock, text, MESSAGE_MAX, MSG_DONTWAIT);

	if (len <= 0)
		return false;
	text[len] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "READY=", 6))
			continue;
		snprintf(out, sizeof(out), "%.200s\nMAINPID=%d\n", line, (int)pid);
		tell(n, out, -1);
		return true;
	}
	return false;
}

/* The other end of the pipe is closed when the messages before it have been dealt with. */
static void barrier(const struct notify *n, const struct log *log)
{
	int p[2];

	if (fdio_pipe(p))
		return;
	if (!tell(n, "BARRIER=1", p[1])) {
		struct pollfd end = { .fd = p[0] };
		int r;

		close(p[1]);
		p[1] = -1;
		do {
			r = poll(&end, 1, BARRIER_MS);
		} while (r < 0 && errno == EINTR);
		if (!r)
			log_warn(log, "NOTIFY_SOCKET: nobody read our messages within %d s", BARRIER_MS / 1000);
	}
	fd_close(&p[0]);
	fd_close(&p[1]);
}

void notify_wait(struct notify *n, pid_t pid, int pidfd, const struct log *log)
{
	while (n->sock >= 0) {
		struct pollfd p[2] = { { .fd = n->sock, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

		/* Without a pidfd (below 5.3) look now and then. */
		if (poll(p, 2, pidfd < 0 ? 100 : -1) < 0 && errno != EINTR)
			return;
		if (notify_pass(n, pid)) {
			barrier(n, log);
			return;
		}
		if (p[1].revents || (pidfd < 0 && kill(pid, 0) && errno == ESRCH))
			return;
	}
}

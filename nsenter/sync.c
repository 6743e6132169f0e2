/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between a worker and the process it makes. */
#include "sync.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fdio.h"

int sync_send(int sock, enum sync_type type, int32_t value, int fd)
{
	struct sync_msg m = { .type = type, .value = value };

	return fdio_send(sock, &m, sizeof(m), &fd, fd >= 0);
}

void sync_fail(int sock, const struct err *e)
{
	struct sync_msg m = { .type = SYNC_FAILED, .err = *e };

	fdio_send(sock, &m, sizeof(m), NULL, 0);
}

void sync_warn(int sock, const char *text)
{
	struct sync_msg m = { .type = SYNC_WARN };

	err_set(&m.err, ERR_UNSUPPORTED, 0, NULL, "%s", text);
	fdio_send(sock, &m, sizeof(m), NULL, 0);
}

int sync_send_fds(int sock, enum sync_type type, const int *fds, size_t n)
{
	struct sync_msg m = { .type = type, .value = (int32_t)n };

	return fdio_send(sock, &m, sizeof(m), fds, n);
}

int sync_recv_fds(int sock, struct sync_msg *m, int *fds, size_t *n)
{
	ssize_t r = fdio_recv(sock, m, sizeof(*m), fds, n);
	size_t i;

	/* It died with a message of ours unread. What it said before is still in the queue. */
	if (r == -ECONNRESET)
		r = fdio_recv(sock, m, sizeof(*m), fds, n);
	if (r <= 0)
		return r == -ECONNRESET ? 0 : (int)r;
	if (r == (ssize_t)sizeof(*m) && m->type >= SYNC_GO && m->type <= SYNC_FAILED &&
	    ((m->type != SYNC_FAILED && m->type != SYNC_WARN) || !err_sanitize(&m->err, sizeof(m->err))))
		return 1;
	for (i = 0; i < *n; i++)
		close(fds[i]);
	*n = 0;
	return -EPROTO;
}

int sync_recv(int sock, struct sync_msg *m, int *fd)
{
	int fds[FDIO_FDS_MAX];
	size_t n, i;
	int r = sync_recv_fds(sock, m, fds, &n);

	if (fd)
		*fd = -1;
	for (i = 0; r == 1 && i < n; i++) {
		if (i == 0 && fd)
			*fd = fds[0];
		else
			close(fds[i]);
	}
	return r;
}

int sync_wait_go(int sock)
{
	struct sync_msg m;

	return sync_recv(sock, &m, NULL) == 1 && m.type == SYNC_GO ? 0 : -ECANCELED;
}

int sync_ask_plain(int sock, enum sync_type type, int32_t value)
{
	struct sync_msg m = { .type = type, .value = value };
	ssize_t n;

	if (write(sock, &m, sizeof(m)) != sizeof(m))
		return -ECANCELED;
	do {
		n = read(sock, &m, sizeof(m));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(m) && m.type == SYNC_GO && m.value >= 0 ? m.value : -ECANCELED;
}

int sync_ask(int sock, enum sync_type type, int32_t value)
{
	int r = sync_send(sock, type, value, -1);

	return r ? -ECANCELED : sync_wait_go(sock);
}

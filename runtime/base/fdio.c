/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole reads and writes, and fds over unix sockets. */
#include "fdio.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t fdio_read(int fd, void *p, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, p, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t fdio_read_full(int fd, void *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = fdio_read(fd, (char *)p + done, len - done);

		if (n < 0)
			return n;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fdio_write_full(int fd, const void *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, (const char *)p + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int fdio_read_all(int fd, struct buf *b, size_t max)
{
	size_t start = b->len;

	for (;;) {
		ssize_t n;

		if (b->len - start > max)
			return -EFBIG;
		/* With its NUL it fits into a KiB, which holds most files. */
		if (buf_reserve(b, b->cap > b->len + 512 ? b->cap - b->len - 1 : 1000))
			return -ENOMEM;
		n = read(fd, b->data + b->len, b->cap - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		b->len += (size_t)n;
		b->data[b->len] = 0;
		if (!n)
			return 0;
	}
}

union fds_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * FDIO_FDS_MAX)];
};

int fdio_send(int sock, const void *p, size_t len, const int *fds, size_t nfds)
{
	union fds_control c;
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;
	ssize_t n;

	if (nfds > FDIO_FDS_MAX)
		return -EINVAL;
	if (nfds) {
		memset(&c, 0, sizeof(c));
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * nfds);
	}
	do {
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

ssize_t fdio_recv(int sock, void *p, size_t len, int *fds, size_t *nfds)
{
	union fds_control c;
	struct iovec iov = { p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *h;
	size_t got = 0, i;
	bool cut;
	ssize_t n;

	if (fds)
		for (i = 0; i < FDIO_FDS_MAX; i++)
			fds[i] = -1;
	if (nfds)
		*nfds = 0;
	do {
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	cut = m.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
	for (h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		int v[FDIO_FDS_MAX];
		size_t k;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		k = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (k > FDIO_FDS_MAX)
			k = FDIO_FDS_MAX;
		memcpy(v, CMSG_DATA(h), k * sizeof(int));
		for (i = 0; i < k; i++) {
			if (!fds || cut || got == FDIO_FDS_MAX)
				close(v[i]);
			else
				fds[got++] = v[i];
		}
	}
	if (nfds)
		*nfds = got;
	if (cut) {
		for (i = 0; fds && i < got; i++) {
			close(fds[i]);
			fds[i] = -1;
		}
		if (nfds)
			*nfds = 0;
		return -EPROTO;
	}
	return n;
}

int fdio_socketpair(int sv[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) ? -errno : 0;
}

int fdio_pipe(int p[2])
{
	return pipe2(p, O_CLOEXEC) ? -errno : 0;
}

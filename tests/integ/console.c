/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console: the other end of --console-socket.
 *
 *   console SOCKET <to-terminal >from-terminal
 *
 * Listens, takes one message, demands what a caller such as conmon demands
 * (1 to 4095 bytes, exactly one fd, a terminal), writes its stdin to the
 * terminal and copies what comes from it to stdout until the terminal ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int die(const char *what)
{
	fprintf(stderr, "console: %s: %s\n", what, strerror(errno));
	return 1;
}

static int receive(int s)
{
	union { char buf[CMSG_SPACE(8 * sizeof(int))]; struct cmsghdr align; } ctl;
	char data[4096];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.buf,
			    .msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	n = recvmsg(s, &m, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (n < 1 || n >= 4096 || !c || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)) || CMSG_NXTHDR(&m, c)) {
		errno = EPROTO;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (!isatty(fd)) {
		errno = ENOTTY;
		return -1;
	}
	/* One message, then the end. */
	if (recv(s, data, sizeof(data), 0) != 0) {
		errno = EPROTO;
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int l, s, tty, in = 0;
	char buf[4096];

	if (argc != 2 || strlen(argv[1]) >= sizeof(sa.sun_path)) {
		fprintf(stderr, "usage: console SOCKET\n");
		return 2;
	}
	alarm(60);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", argv[1]);
	l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l < 0 || bind(l, (struct sockaddr *)&sa, sizeof(sa)) || listen(l, 1))
		return die(argv[1]);
	s = accept(l, NULL, NULL);
	if (s < 0)
		return die("accept");
	tty = receive(s);
	if (tty < 0)
		return die("receive");
	close(s);
	close(l);
	unlink(argv[1]);
	for (;;) {
		struct pollfd p[2] = { { tty, POLLIN, 0 }, { in, POLLIN, 0 } };
		ssize_t n;

		if (poll(p, 2, -1) < 0)
			return die("poll");
		if (p[1].revents) {
			n = read(0, buf, sizeof(buf));
			if (n <= 0)
				in = -1;
			else if (write(tty, buf, n) != n)
				return die("write");
		}
		if (p[0].revents) {
			n = read(tty, buf, sizeof(buf));
			if (n <= 0)
				return n == 0 || errno == EIO ? 0 : die("read");
			if (write(1, buf, n) != n)
				return die("stdout");
		}
	}
}

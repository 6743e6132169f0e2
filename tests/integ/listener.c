/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * listener SOCKET FILE: receive seccomp listeners and serve them until killed. Each
 * document is appended to FILE as a line. mkdir and mkdirat answer ENOMEDIUM, sethostname
 * answers 0 without being done, everything else goes on.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 64

static int accept_one(int sock, FILE *out)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } c;
	char doc[65536];
	struct iovec iov = { doc, sizeof(doc) - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	int conn = accept(sock, NULL, NULL), fd = -1;
	struct cmsghdr *h;
	ssize_t n;

	if (conn < 0)
		return -1;
	n = recvmsg(conn, &m, MSG_CMSG_CLOEXEC);
	h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	doc[n > 0 ? n : 0] = 0;
	fprintf(out, "%s\n", doc);
	fflush(out);
	close(conn);
	return fd;
}

static int serve(int fd)
{
	struct seccomp_notif req = { 0 };
	struct seccomp_notif_resp resp = { 0 };

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req))
		return errno == EINTR || errno == ENOENT ? 0 : -1;
	resp.id = req.id;
	if (req.data.nr == SYS_mkdir || req.data.nr == SYS_mkdirat)
		resp.error = -ENOMEDIUM;
	else if (req.data.nr != SYS_sethostname)
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp))
		return errno == ENOENT ? 0 : -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct pollfd p[FDS_MAX];
	FILE *out = argc == 3 ? fopen(argv[2], "ae") : NULL;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), n = 1, i;

	if (!out || strlen(argv[1]) >= sizeof(sun.sun_path))
		return 2;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if (bind(sock, (struct sockaddr *)&sun, sizeof(sun)) || listen(sock, 16))
		return 2;
	p[0] = (struct pollfd){ .fd = sock, .events = POLLIN };
	for (;;) {
		if (poll(p, (nfds_t)n, -1) < 0)
			continue;
		for (i = n - 1; i > 0; i--) {
			if (!p[i].revents)
				continue;
			if (!(p[i].revents & POLLIN) || serve(p[i].fd)) {
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
		if (p[0].revents && n < FDS_MAX) {
			int fd = accept_one(sock, out);

			if (fd >= 0)
				p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		}
	}
}

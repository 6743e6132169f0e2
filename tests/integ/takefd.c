/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * takefd SOCKET: listen, take one message with one fd, as callers do who want
 * a pidfd. Prints its text, then the process it stands for ("Pid:" of fdinfo).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union { char buf[CMSG_SPACE(8 * sizeof(int))]; struct cmsghdr align; } ctl;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char text[4096], line[256], path[64];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *c;
	int s, conn, fd;
	ssize_t n;
	FILE *f;

	if (argc != 2 || strlen(argv[1]) >= sizeof(sun.sun_path))
		return 2;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&sun, sizeof(sun)) || listen(s, 1))
		return 3;
	conn = accept(s, NULL, NULL);
	n = conn < 0 ? -1 : recvmsg(conn, &m, 0);
	if (n <= 0)
		return 4;
	text[n] = 0;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)) || (m.msg_flags & MSG_CTRUNC))
		return 5;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	printf("%s\n", text);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Pid:", 4))
			printf("%d\n", (int)strtol(line + 4, NULL, 10));
	/* one message, then the end */
	return read(conn, text, 1) ? 6 : 0;
}

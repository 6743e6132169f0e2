/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * notified wait SOCKET FILE: stand in for a service manager: datagrams go to FILE, lines
 * with '|' between, until killed. An fd that comes along is closed after the text is written.
 * notified tell TEXT: send TEXT to $NOTIFY_SOCKET, as a service does.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t address(struct sockaddr_un *sun, const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(sun->sun_path))
		exit(2);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, name, len + 1);
	if (name[0] == '@')
		sun->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int tell(const char *text)
{
	struct sockaddr_un sun = { 0 };
	const char *name = getenv("NOTIFY_SOCKET");
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (!name)
		return 3;
	if (sendto(sock, text, strlen(text), 0, (struct sockaddr *)&sun, address(&sun, name)) < 0) {
		perror(name);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } c;
	struct sockaddr_un sun = { 0 };
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);
	FILE *out;

	if (argc == 3 && !strcmp(argv[1], "tell"))
		return tell(argv[2]);
	if (argc != 4 || bind(sock, (struct sockaddr *)&sun, address(&sun, argv[2])))
		return 2;
	out = fopen(argv[3], "a");
	for (;;) {
		char text[4096];
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
		ssize_t n = recvmsg(sock, &m, 0);
		struct cmsghdr *h = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
		int fd;

		if (n < 0 || !out)
			return 1;
		text[n] = 0;
		for (char *p = text; (p = strchr(p, '\n')); p++)
			*p = '|';
		fprintf(out, "%s\n", text);
		fflush(out);
		if (h && h->cmsg_type == SCM_RIGHTS) {
			memcpy(&fd, CMSG_DATA(h), sizeof(fd));
			close(fd);
		}
	}
}

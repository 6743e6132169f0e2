// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * logsock PATH COUNT - be a log daemon: print COUNT datagrams that come to the
 * socket PATH, each followed by a line of "--". "ready" says that it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[8192];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), left;

	if (argc != 3 || fd < 0 || strlen(argv[1]) >= sizeof(a.sun_path))
		return 2;
	memcpy(a.sun_path, argv[1], strlen(argv[1]));
	unlink(argv[1]);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return 1;
	dprintf(1, "ready\n");
	alarm(30);
	for (left = (int)strtol(argv[2], NULL, 10); left > 0; left--) {
		ssize_t n = recv(fd, text, sizeof(text), 0);

		if (n < 0)
			return 1;
		dprintf(1, "%.*s\n--\n", (int)n, text);
	}
	return 0;
}

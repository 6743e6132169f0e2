/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of unix sockets; a path that is too long for one is reached through an fd. */
#include "usock.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include "fd.h"
#include "text.h"

int usock_address(const char *name, struct sockaddr_un *sa, socklen_t *len)
{
	size_t n = strlen(name);

	if ((*name != '/' && *name != '@') || n < 2)
		return -EINVAL;
	if (n >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sa->sun_path, name, n);
	/* An abstract name has its length and no end. */
	if (*name == '@')
		sa->sun_path[0] = 0;
	else
		n++;
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return 0;
}

void usock_address_at(int dirfd, const char *name, struct sockaddr_un *sa, socklen_t *len)
{
	char dir[FD_PATH_SIZE];

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	text_join(sa->sun_path, sizeof(sa->sun_path), fd_path(dir, dirfd), "/", name);
	*len = sizeof(*sa);
}

int usock_connect(const char *path, int type, unsigned int wait_s)
{
	const struct timeval wait = { .tv_sec = wait_s };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	auto_fd at = -1, sock = -1;

	/* Zeros alone would be a name in the abstract namespace. */
	if (!*path)
		return -ENOENT;
	if (strlen(path) < sizeof(sa.sun_path)) {
		memcpy(sa.sun_path, path, strlen(path) + 1);
	} else {
		at = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
		if (at < 0)
			return -errno;
		fd_path(sa.sun_path, at);
	}
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0 || (wait_s && setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait))) ||
	    connect(sock, (const struct sockaddr *)&sa, sizeof(sa)))
		return -errno;
	return take_fd(&sock);
}

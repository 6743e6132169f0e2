/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix sockets for ttrpc: listening, connecting. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "fd.h"
#include "ttrpc.h"
#include "usock.h"

int ttrpc_connect(const char *address)
{
	struct sockaddr_un sa;
	socklen_t len;
	auto_fd fd = -1;
	int r;

	r = usock_address(strncmp(address, "unix://", 7) ? address : address + 7, &sa, &len);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, len))
		return -errno;
	return take_fd(&fd);
}

int ttrpc_listen(const char *path)
{
	struct sockaddr_un sa;
	socklen_t len;
	auto_fd fd = -1;
	int r;

	r = usock_address(path, &sa, &len);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the unbound socket is the one bind() gives to the file: no moment with another. */
	if (fd < 0 || fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)&sa, len))
		return -errno;
	if (listen(fd, SOMAXCONN))
		return -errno;
	return take_fd(&fd);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix sockets for ttrpc: addresses, listening, connecting. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "fd.h"
#include "ttrpc.h"

static int fill_address(const char *address, struct sockaddr_un *sa, socklen_t *len)
{
	size_t n;

	if (!strncmp(address, "unix://", 7))
		address += 7;
	n = strlen(address);
	if (*address != '/' && *address != '@')
		return -EINVAL;
	if (n >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sa->sun_path, address, n);
	if (*address == '@')
		sa->sun_path[0] = '\0';
	else
		n++;
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return 0;
}

int ttrpc_connect(const char *address)
{
	struct sockaddr_un sa;
	socklen_t len;
	auto_fd fd = -1;
	int r;

	r = fill_address(address, &sa, &len);
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

	r = fill_address(path, &sa, &len);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loopback device without libmnl: takes the place of loopback.c in a program that has none, as static ones. */
#include "loopback.h"
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "fd.h"

#define LOOPBACK "lo"

int net_loopback_up(struct err *e)
{
	auto_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = LOOPBACK };

	/* Interface requests are served by any socket; one of this family needs no network protocol built in. */
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &req))
		return err_set(e, ERR_KERNEL, -errno, LOOPBACK, "look at the loopback device");
	req.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &req))
		return err_set(e, ERR_KERNEL, -errno, LOOPBACK, "bring the loopback device up");
	return 0;
}

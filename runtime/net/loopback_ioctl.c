/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links without libmnl, for static builds on a system that has no libmnl.a:
 * takes the place of loopback.c, devices.c and netlink.c.
 */
#include "loopback.h"
#include "devices.h"
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

int net_devices_move(const struct objv *devices, int netns, struct arena *a, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, 0, "/linux/netDevices", "this build has no libmnl and moves no devices");
}

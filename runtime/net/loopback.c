/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links of a network namespace. */
#include "loopback.h"
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "netlink.h"

#define LOOPBACK "lo"
#define LOOPBACK_INDEX 1	/* include/net/flow.h: in every namespace, since 2.6.24 */

int net_loopback_up(struct err *e)
{
	auto_netlink n = { .sock = NULL };
	struct ifinfomsg *link;
	void *extra;
	int r;

	r = netlink_open(&n);
	if (r)
		return err_set(e, ERR_KERNEL, r, LOOPBACK, "open a route netlink socket");
	netlink_request(&n, RTM_NEWLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = LOOPBACK_INDEX;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	r = netlink_ack(&n);
	return r ? err_set(e, ERR_KERNEL, r, LOOPBACK, "bring the loopback device up") : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request, one answer, by libmnl. */
#include "netlink.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

int netlink_open(struct netlink *n)
{
	n->seq = 0;
	n->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!n->sock)
		return -errno;
	if (mnl_socket_bind(n->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;

		netlink_close(n);
		return r;
	}
	return 0;
}

void netlink_close(struct netlink *n)
{
	if (n->sock)
		mnl_socket_close(n->sock);
	n->sock = NULL;
}

struct nlmsghdr *netlink_request(struct netlink *n, uint16_t type, uint16_t flags, size_t extra,
				 void **extra_out)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++n->seq;
	*extra_out = mnl_nlmsg_put_extra_header(h, extra);
	return h;
}

int netlink_ack(struct netlink *n)
{
	const struct nlmsghdr *h = (const void *)n->buf;
	ssize_t len;
	int r;

	if (mnl_socket_sendto(n->sock, h, h->nlmsg_len) < 0)
		return -errno;
	/*
	 * An answer repeats the request it belongs to and adds a little. One that
	 * does not fit is an error (ENOSPC), as is one with another sequence number.
	 */
	do {
		len = mnl_socket_recvfrom(n->sock, n->buf, sizeof(n->buf));
		if (len < 0 && errno != EINTR)
			return -errno;
	} while (len < 0);
	r = mnl_cb_run(n->buf, (size_t)len, n->seq, mnl_socket_get_portid(n->sock), NULL, NULL);
	if (r == MNL_CB_ERROR)
		return -errno;
	/* anything but the acknowledgement is no answer to a change */
	return r == MNL_CB_STOP ? 0 : -EPROTO;
}

int netlink_collect(struct netlink *n, int (*cb)(const struct nlmsghdr *h, void *arg), void *arg)
{
	const struct nlmsghdr *h = (const void *)n->buf;
	char *data = malloc(NETLINK_DATA_BYTES);
	int r = MNL_CB_OK;

	if (!data)
		return -ENOMEM;
	if (mnl_socket_sendto(n->sock, h, h->nlmsg_len) < 0)
		r = -errno;
	while (r == MNL_CB_OK) {
		ssize_t len = mnl_socket_recvfrom(n->sock, data, NETLINK_DATA_BYTES);

		if (len < 0 && errno == EINTR)
			continue;
		r = len < 0 ? MNL_CB_ERROR :
			mnl_cb_run(data, (size_t)len, n->seq, mnl_socket_get_portid(n->sock), cb, arg);
		if (r == MNL_CB_ERROR)
			r = -errno;
	}
	free(data);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_NETLINK_H
#define CLEAT_NETLINK_H
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/*
 * Route netlink, one request and its answer at a time. A message is built in
 * the caller's own struct netlink; nothing is allocated but what libmnl keeps
 * for the socket, and room for an answer with data while it is read.
 */
#define NETLINK_BYTES 1024u	/* requests and acknowledgements of ours are far below */
#define NETLINK_DATA_BYTES 65536u	/* more than the kernel puts into one datagram of a dump */

struct mnl_socket;
struct netlink {
	struct mnl_socket *sock;
	uint32_t seq;
	char buf[NETLINK_BYTES] __attribute__((aligned(8)));
};

/** netlink_open() - Socket in the caller's network namespace, close-on-exec. Return: 0 or -errno. */
int netlink_open(struct netlink *n);
void netlink_close(struct netlink *n);
#define auto_netlink __attribute__((cleanup(netlink_close))) struct netlink

/**
 * netlink_request() - Begin a message in @n->buf.
 * @type:  RTM_*; @flags: NLM_F_* beside REQUEST and ACK.
 * @extra: zeroed room behind the header, for struct ifinfomsg and its like.
 * Return: the header; attributes are added by libmnl's mnl_attr_put_*_check(…, NETLINK_BYTES, …).
 */
struct nlmsghdr *netlink_request(struct netlink *n, uint16_t type, uint16_t flags, size_t extra,
				 void **extra_out);
/** netlink_ack() - Send what netlink_request() began and wait for the kernel's answer. Return: 0 or -errno. */
int netlink_ack(struct netlink *n);
/**
 * netlink_collect() - Send a request that asks for data; @cb (an mnl_cb_t) gets every message of the answer.
 * Return: 0 when the answer was complete, or -errno.
 */
int netlink_collect(struct netlink *n, int (*cb)(const struct nlmsghdr *h, void *arg), void *arg);
#endif

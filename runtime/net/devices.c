/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices that are handed to a container. */
#include "devices.h"
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "netlink.h"
#include "spec.h"

#define NUMBERS_MAX 4096u	/* of a name with "%d" that are tried */
/* What of an address's flags is its owner's choice; the rest is the kernel's own state. */
#define ADDR_FLAGS (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

/** struct move - The two sides of a move. */
struct move {
	struct netlink here, there;
	struct arena *arena;
	const struct spec_net_device *d;
	char where[64];
	/* of the device that is being moved */
	unsigned int index;
	char name[IFNAMSIZ];		/* there */
	struct nlmsghdr **addr;
	size_t n_addr;
	bool full;			/* no memory for addresses */
};

/* ---- one link ---- */

static int take_index(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);

	*(unsigned int *)arg = (unsigned int)link->ifi_index;
	return MNL_CB_OK;
}

/* Index of the device of this name. Return: 0, -ENODEV or -errno. */
static int find_link(struct netlink *n, const char *name, unsigned int *index)
{
	struct nlmsghdr *h;
	void *extra;

	h = netlink_request(n, RTM_GETLINK, 0, sizeof(struct ifinfomsg), &extra);
	mnl_attr_put_u32_check(h, NETLINK_BYTES, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	mnl_attr_put_strz_check(h, NETLINK_BYTES, IFLA_IFNAME, name);
	return netlink_collect(n, take_index, index);
}

static int link_up(struct netlink *n, unsigned int index)
{
	struct ifinfomsg *link;
	void *extra;

	netlink_request(n, RTM_NEWLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_index = (int)index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	return netlink_ack(n);
}

/* ---- addresses ---- */

static uint32_t addr_flags(const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(*m))
		if (mnl_attr_get_type(a) == IFA_FLAGS)
			return mnl_attr_get_u32(a);
	return m->ifa_flags;
}

static int take_addr(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct move *c = arg;
	struct nlmsghdr **v;

	if (m->ifa_index != c->index || m->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(addr_flags(h) & IFA_F_PERMANENT))
		return MNL_CB_OK;
	v = arena_grow(c->arena, c->addr, c->n_addr * sizeof(*v), (c->n_addr + 1) * sizeof(*v));
	if (v) {
		c->addr = v;
		v[c->n_addr] = arena_memdup(c->arena, h, h->nlmsg_len);
	}
	if (!v || !v[c->n_addr]) {
		c->full = true;
		return MNL_CB_OK;	/* the answer is read to its end all the same */
	}
	c->n_addr++;
	return MNL_CB_OK;
}

static int read_addrs(struct move *c)
{
	void *extra;
	int r;

	c->addr = NULL;
	c->n_addr = 0;
	c->full = false;
	netlink_request(&c->here, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg), &extra);
	r = netlink_collect(&c->here, take_addr, c);
	return r ? r : c->full ? -ENOMEM : 0;
}

static int add_addr(struct move *c, const struct nlmsghdr *old, unsigned int index)
{
	const struct ifaddrmsg *was = mnl_nlmsg_get_payload(old);
	struct ifaddrmsg *m;
	struct nlattr *a;
	struct nlmsghdr *h;
	void *extra;
	bool fits = true;

	h = netlink_request(&c->there, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*m), &extra);
	m = extra;
	m->ifa_family = was->ifa_family;
	m->ifa_prefixlen = was->ifa_prefixlen;
	m->ifa_scope = was->ifa_scope;
	m->ifa_index = index;
	/* Not the label (it begins with the old name) and not the lifetime (for ever). */
	mnl_attr_for_each(a, old, sizeof(*was)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type == IFA_ADDRESS || type == IFA_LOCAL || type == IFA_BROADCAST || type == IFA_RT_PRIORITY)
			fits &= mnl_attr_put_check(h, NETLINK_BYTES, type, mnl_attr_get_payload_len(a),
						   mnl_attr_get_payload(a));
	}
	fits &= mnl_attr_put_u32_check(h, NETLINK_BYTES, IFA_FLAGS, addr_flags(old) & ADDR_FLAGS);
	return fits ? netlink_ack(&c->there) : -E2BIG;
}

/* ---- the move ---- */

/* The name that it is to have, which nobody there has. */
static int choose_name(struct move *c, struct err *e)
{
	const char *name = c->d->name ? c->d->name : c->d->key, *d = strstr(name, "%d");
	unsigned int i, taken;
	int r = 0;

	for (i = 0; i < (d ? NUMBERS_MAX : 1); i++) {
		int n = d ? snprintf(c->name, sizeof(c->name), "%.*s%u%s", (int)(d - name), name, i, d + 2) :
			    snprintf(c->name, sizeof(c->name), "%s", name);

		if (n < 0 || (size_t)n >= sizeof(c->name))
			return err_set(e, ERR_SPEC, -ENAMETOOLONG, c->where, "no name like \"%s\" is free", name);
		r = find_link(&c->there, c->name, &taken);
		if (r == -ENODEV)
			return 0;
		if (r)
			return err_set(e, ERR_KERNEL, r, c->where, "look for \"%s\" in the container", c->name);
	}
	return err_set(e, ERR_STATE, -EEXIST, c->where, "the container's network namespace has a device \"%s\"", name);
}

/*
 * One request: the device arrives under its new name or stays as it is. It is not brought down before, since
 * the kernel does that itself, after all that can fail.
 */
static int send_link(struct move *c, int netns)
{
	struct ifinfomsg *link;
	struct nlmsghdr *h;
	void *extra;

	h = netlink_request(&c->here, RTM_NEWLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_index = (int)c->index;
	mnl_attr_put_u32_check(h, NETLINK_BYTES, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_put_strz_check(h, NETLINK_BYTES, IFLA_IFNAME, c->name);
	return netlink_ack(&c->here);
}

static int move_failed(struct move *c, int r, struct err *e)
{
	if (r == -EPERM)
		return err_set(e, ERR_DENIED, r, c->where, "move \"%s\" (needs root of the host's network)", c->d->key);
	if (r == -EINVAL)
		return err_set(e, ERR_SPEC, r, c->where, "\"%s\" is a device that cannot leave its network namespace",
			       c->d->key);
	return err_set(e, ERR_KERNEL, r, c->where, "move \"%s\" to the container", c->d->key);
}

static int move_one(struct move *c, int netns, struct err *e)
{
	unsigned int index;
	size_t i;
	int r;

	snprintf(c->where, sizeof(c->where), "/linux/netDevices/%s", c->d->key);
	r = find_link(&c->here, c->d->key, &c->index);
	if (r)
		return err_set(e, r == -ENODEV ? ERR_SPEC : ERR_KERNEL, r, c->where, "the host's network device \"%s\"",
			       c->d->key);
	r = choose_name(c, e);
	if (r)
		return r;
	r = read_addrs(c);
	if (r)
		return err_set(e, ERR_KERNEL, r, c->where, "read the addresses of \"%s\"", c->d->key);
	r = send_link(c, netns);
	if (r)
		return move_failed(c, r, e);
	r = find_link(&c->there, c->name, &index);	/* its number may have been taken there */
	for (i = 0; i < c->n_addr && !r; i++)
		r = add_addr(c, c->addr[i], index);
	if (!r)
		r = link_up(&c->there, index);
	return r ? err_set(e, ERR_KERNEL, r, c->where, "set up \"%s\" in the container", c->name) : 0;
}

/* A socket belongs to the namespace that it was made in. */
static int open_there(struct netlink *n, int netns, struct err *e)
{
	auto_fd own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0)
		return err_set(e, ERR_KERNEL, -errno, "/linux/netDevices", "open our network namespace");
	if (setns(netns, CLONE_NEWNET))
		return err_set(e, errno == EPERM ? ERR_DENIED : ERR_KERNEL, -errno, "/linux/netDevices",
			       "visit the container's network namespace");
	r = netlink_open(n);
	if (setns(own, CLONE_NEWNET))
		return err_set(e, ERR_KERNEL, -errno, "/linux/netDevices", "return to our network namespace");
	return r ? err_set(e, ERR_KERNEL, r, "/linux/netDevices", "open a route netlink socket") : 0;
}

int net_devices_available(struct err *e)
{
	return 0;
}

int net_devices_move(const struct objv *devices, int netns, struct arena *a, struct err *e)
{
	const struct spec_net_device *d = devices->v;
	struct move c = { .arena = a };
	size_t i;
	int r;

	r = netlink_open(&c.here);
	if (r)
		return err_set(e, ERR_KERNEL, r, "/linux/netDevices", "open a route netlink socket");
	r = open_there(&c.there, netns, e);
	for (i = 0; i < devices->n && !r; i++) {
		c.d = &d[i];
		r = move_one(&c, netns, e);
	}
	netlink_close(&c.there);
	netlink_close(&c.here);
	return r;
}

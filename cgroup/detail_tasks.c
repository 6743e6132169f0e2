/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many tasks of a v1 cgroup sleep, run or wait: the kernel counts them
 * and tells by generic netlink (cgroupstats), and only for v1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/cgroupstats.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "bounds.h"
#include "cg_internal.h"
#include "fd.h"
#include "pathfs.h"

#define PAYLOAD_MAX 32

struct request {
	struct nlmsghdr h;
	struct genlmsghdr g;
	struct nlattr a;
	char payload[PAYLOAD_MAX];
};

/*
 * One request with one attribute, and one attribute of the answer into @out.
 * Return: its length, or -errno.
 */
static int ask(int sock, uint16_t family, uint8_t cmd, uint16_t attr, const void *value, uint16_t len,
	       uint16_t wanted, void *out, size_t size)
{
	struct request q = {
		.h = { .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST },
		.g = { .cmd = cmd, .version = 1 },
		.a = { .nla_type = attr, .nla_len = (uint16_t)(NLA_HDRLEN + len) },
	};
	char answer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN;
	ssize_t n;

	memcpy(q.payload, value, len);
	q.h.nlmsg_len = (uint32_t)(offsetof(struct request, payload) + NLA_ALIGN(len));
	if (send(sock, &q, q.h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(sock, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < at || h->nlmsg_len > (size_t)n || h->nlmsg_type != family)
		return -EPROTO;
	while (at + NLA_HDRLEN <= h->nlmsg_len) {
		const struct nlattr *a = (const struct nlattr *)(answer + at);
		size_t got = (size_t)a->nla_len - NLA_HDRLEN;

		if (a->nla_len < NLA_HDRLEN || at + a->nla_len > h->nlmsg_len)
			return -EPROTO;
		if (a->nla_type == wanted) {
			memcpy(out, answer + at + NLA_HDRLEN, got < size ? got : size);
			return (int)got;
		}
		at += NLA_ALIGN(a->nla_len);
	}
	return -ENOENT;
}

/* Lines of the file "tasks". */
static uint64_t listed(int dirfd)
{
	auto_buf b = BUF_INIT;
	uint64_t n = 0;

	if (path_read(dirfd, "tasks", LIMIT_PROC_FILE, &b))
		return 0;
	for (size_t i = 0; i < b.len; i++)
		n += b.data[i] == '\n';
	return n;
}

int cg_count_tasks(int dirfd, struct cg_tasks *t)
{
	static const char name[] = TASKSTATS_GENL_NAME;
	struct timeval limit = { .tv_sec = 1 };
	auto_fd dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct cgroupstats s;
	uint32_t fd = (uint32_t)dir;
	uint64_t others, all;
	uint16_t family;
	int r;

	memset(t, 0, sizeof(*t));
	if (dir < 0 || sock < 0)
		return -errno;
	/* Answers come at once; nothing may hang if one does not. */
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r = ask(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name, sizeof(name),
		CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	if (r != sizeof(family))
		return r < 0 ? r : -EPROTO;
	r = ask(sock, family, CGROUPSTATS_CMD_GET, CGROUPSTATS_CMD_ATTR_FD, &fd, sizeof(fd),
		CGROUPSTATS_TYPE_CGROUP_STATS, &s, sizeof(s));
	if (r != sizeof(s))
		return r < 0 ? r : -EPROTO;
	/* Since 6.1 a sleep that the freezer may see is in a state of its own, which the kernel does not count. */
	all = listed(dirfd);
	others = s.nr_running + s.nr_stopped + s.nr_uninterruptible + s.nr_io_wait;
	if (all > others + s.nr_sleeping)
		s.nr_sleeping = all - others;
	*t = (struct cg_tasks){
		.known = true, .sleeping = s.nr_sleeping, .running = s.nr_running,
		.stopped = s.nr_stopped, .uninterruptible = s.nr_uninterruptible,
		.io_wait = s.nr_io_wait,
	};
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Route netlink in network namespaces of children's own; they report by exit status. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "err.h"
#include "loopback.h"
#include "netlink.h"

#define NO_NAMESPACE 77
#define CHECK(cond, n) do { if (!(cond)) return (n); } while (0)

/* Run @fn in a child with a network namespace of its own. Return: its exit status. */
static int in_namespace(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		_exit(fn());
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(fn) do { \
	int r_ = in_namespace(fn); \
	if (r_ == NO_NAMESPACE) \
		SKIP(return, "no network namespace to be had"); \
	EXPECT_EQ(0, r_); \
} while (0)

static int lo_flags(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = ioctl(s, SIOCGIFFLAGS, &ifr);

	close(s);
	return r ? -errno : (int)ifr.ifr_flags & 0xffff;
}

/* Does a datagram to 127.0.0.1 come back? */
static int lo_carries(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
	char c = 0;

	r = bind(s, (struct sockaddr *)&a, len) || getsockname(s, (struct sockaddr *)&a, &len) ||
	    sendto(s, "x", 1, 0, (struct sockaddr *)&a, len) != 1 ||
	    recv(s, &c, 1, MSG_DONTWAIT) != 1 || c != 'x';
	close(s);
	return !r;
}

static unsigned int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static int up(void)
{
	struct err e = { 0 };
	unsigned int fds = open_fds();

	CHECK(!(lo_flags() & IFF_UP), 1);
	CHECK(!lo_carries(), 2);
	CHECK(!net_loopback_up(&e), 3);
	CHECK(lo_flags() & IFF_UP, 4);
	CHECK(lo_carries(), 5);
	CHECK(!net_loopback_up(&e), 6);		/* again is no error */
	CHECK(lo_flags() & IFF_UP, 7);
	CHECK(open_fds() == fds, 8);
	CHECK(e.kind == ERR_NONE, 9);
	return 0;
}

TEST(loopback_comes_up_and_carries)
{
	RUN(up);
}

static int without_privilege(void)
{
	struct err e = { 0 };
	unsigned int fds;

	if (geteuid() || setresuid(65534, 65534, 65534))
		return NO_NAMESPACE;
	fds = open_fds();
	CHECK(net_loopback_up(&e) == -EPERM, 1);
	CHECK(e.errnum == EPERM && e.kind == ERR_KERNEL && !strcmp(e.where, "lo"), 2);
	CHECK(!(lo_flags() & IFF_UP), 3);
	CHECK(open_fds() == fds, 4);
	return 0;
}

TEST(refusal_is_reported_and_leaves_nothing)
{
	RUN(without_privilege);
}

static int kernel_error(void)
{
	auto_netlink n;
	struct ifinfomsg *link;
	void *extra;

	CHECK(!netlink_open(&n), 1);
	netlink_request(&n, RTM_NEWLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_index = 9999;
	link->ifi_flags = link->ifi_change = IFF_UP;
	CHECK(netlink_ack(&n) == -ENODEV, 2);
	/* the socket is still good: the answer to one request is not taken for the next one's */
	netlink_request(&n, RTM_NEWLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_index = 1;
	link->ifi_flags = link->ifi_change = IFF_UP;
	CHECK(!netlink_ack(&n), 3);
	CHECK(lo_flags() & IFF_UP, 4);
	return 0;
}

TEST(kernels_errno_comes_through)
{
	RUN(kernel_error);
}

/* A request that asks for data gets another answer than an acknowledgement first. */
static int not_an_ack(void)
{
	auto_netlink n;
	struct ifinfomsg *link;
	void *extra;

	CHECK(!netlink_open(&n), 1);
	netlink_request(&n, RTM_GETLINK, 0, sizeof(*link), &extra);
	link = extra;
	link->ifi_index = 1;
	CHECK(netlink_ack(&n) < 0, 2);
	return 0;
}

TEST(other_answers_are_errors)
{
	RUN(not_an_ack);
}

TEST_HARNESS_MAIN

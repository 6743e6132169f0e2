/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which user namespace we are in. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fdio.h"
#include "pathfs.h"
#include "userns.h"

TEST(maps_every_id)
{
	char line[64] = "";
	int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned int inside = 1, outside = 1, count = 0;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, line, sizeof(line) - 1));
	close(fd);
	ASSERT_EQ(3, sscanf(line, "%u %u %u", &inside, &outside, &count));
	EXPECT_EQ(inside || outside || count != 4294967295u, userns_is_own());
	EXPECT_EQ(inside ? 0 : outside, userns_root_uid());
}

/* What the child sees: 1 that it is in a namespace of its own, 2 that its root is @root above. */
static int look(unsigned int root)
{
	return (userns_is_own() ? 1 : 0) | (userns_root_uid() == root ? 2 : 0);
}

FIXTURE(child) {};
FIXTURE_VARIANT(child) { unsigned int inside; bool as_root; unsigned int count; };
FIXTURE_VARIANT_ADD(child, with_one_id) { 0, false, 1 };
FIXTURE_VARIANT_ADD(child, with_many_ids) { 0, true, 65536 };
FIXTURE_VARIANT_ADD(child, without_uid_0) { 7, true, 2 };
FIXTURE_SETUP(child) {}
FIXTURE_TEARDOWN(child) {}

TEST_F(child, has_a_namespace_of_its_own)
{
	unsigned int outside = variant->as_root ? 100000 : geteuid();
	char path[64], map[64], c;
	int made[2], mapped[2], status, n;
	pid_t pid;

	if (variant->as_root && (geteuid() || userns_is_own()))
		SKIP(return, "needs root");
	ASSERT_EQ(0, fdio_pipe(made));
	ASSERT_EQ(0, fdio_pipe(mapped));
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(8);
			/* no map yet */
		if (!userns_is_own())
			_exit(9);
		if (write(made[1], "", 1) != 1 || read(mapped[0], &c, 1) != 1)
			_exit(10);
		_exit(look(variant->inside ? 0 : outside));
	}
	ASSERT_LT(0, pid);
	close(made[1]);
	close(mapped[0]);
	if (read(made[0], &c, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		n = snprintf(map, sizeof(map), "%u %u %u\n", variant->inside, outside, variant->count);
		EXPECT_EQ(0, path_write(AT_FDCWD, path, map, (size_t)n));
		EXPECT_EQ(1, write(mapped[1], "", 1));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 8)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(3, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: LGPL-2.1-or-later
/* A running program that becomes the one on a read-only mount, without an exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cleat.h"
#include "kselftest_harness.h"

static int written = 7;				/* .data: must survive */
static char zero[3 * 4096];			/* .bss beside it */
static const char constant[] = "read-only data";

/* In a child: the program under test may not be able to go on. Return: what failed, 0 for nothing. */
static int switch_and_look(void)
{
	char before[4096] = "", after[4096] = "", *heap = malloc(100000);
	int r, fd, mount = -1;

	written = 42;
	memset(zero, 'z', sizeof(zero));
	memset(heap, 'h', 100000);
	if (cleat_selfexe_protected())
		return 1;
	if (readlink("/proc/self/exe", before, sizeof(before) - 1) < 0)
		return 2;
	r = cleat_selfexe_switch(&mount);
	if (r == -EPERM || r == -EINVAL || r == -ENOSYS)
		return 77;			/* this kernel or user cannot */
	if (r)
		return 3;
	if (!cleat_selfexe_protected())
		return 4;
	if (written != 42 || zero[0] != 'z' || zero[sizeof(zero) - 1] != 'z' || heap[99999] != 'h' ||
	    strcmp(constant, "read-only data"))
		return 5;
	fd = open("/proc/self/exe", O_RDWR | O_CLOEXEC);
	if (fd >= 0 || (errno != EROFS && errno != ETXTBSY))
		return 6;			/* busy while it runs, read-only for ever */
	if (readlink("/proc/self/exe", after, sizeof(after) - 1) < 0 || !strcmp(before, after))
		return 7;
	free(heap);
	/* The C library still works: a fork, an exec, formatted output. */
	r = fork();
	if (!r) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	if (r < 0 || waitpid(r, &r, 0) < 0 || r)
		return 8;
	snprintf(after, sizeof(after), "%d %s", written, constant);
	return strcmp(after, "42 read-only data") ? 9 : 0;
}

TEST(switched_program_goes_on_and_cannot_be_written)
{
	pid_t pid = fork();
	int status;

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(switch_and_look());
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP(return, "no PR_SET_MM_MAP for us here");
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

/* The old file is not mapped any more anywhere. */
TEST(nothing_of_the_old_file_stays_mapped)
{
	pid_t pid = fork();
	int status;

	ASSERT_GE(pid, 0);
	if (!pid) {
		char exe[4096] = "", line[8192];
		FILE *maps;
		int mount = -1;

		if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
			_exit(2);
		if (cleat_selfexe_switch(&mount))
			_exit(77);
		maps = fopen("/proc/self/maps", "re");
		while (maps && fgets(line, sizeof(line), maps))
			if (strstr(line, exe))
				_exit(1);
		_exit(maps ? 0 : 3);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP(return, "no PR_SET_MM_MAP for us here");
	EXPECT_EQ(status, 0);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FILTER_TEST_H
#define CLEAT_FILTER_TEST_H
/* What the filter tests share: documents as C, confined children, a scratch directory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "arena.h"
#include "buf.h"
#include "filter.h"
#include "filter_internal.h"
#include "names.h"
#include "pathfs.h"

#define NAMES(...) { (const char *[]){ __VA_ARGS__ }, \
	sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) }
#define ARGS(...) { (struct filter_arg[]){ __VA_ARGS__ }, \
	sizeof((struct filter_arg[]){ __VA_ARGS__ }) / sizeof(struct filter_arg) }
#define ARCHS(...) { (int[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / sizeof(int) }
#define RULES(...) { (struct filter_rule[]){ __VA_ARGS__ }, \
	sizeof((struct filter_rule[]){ __VA_ARGS__ }) / sizeof(struct filter_rule) }
#define ALLOW_ALL .default_action = FILTER_ALLOW, .has_default_action = true
#define DENY_ALL(n) .default_action = FILTER_ERRNO, .has_default_action = true, \
	.default_errno_ret = (n), .has_default_errno_ret = true
#define DENY(n, ...) { .names = NAMES(__VA_ARGS__), .action = FILTER_ERRNO, .errno_ret = (n), \
	.has_errno_ret = true }
#define ALLOW(...) { .names = NAMES(__VA_ARGS__), .action = FILTER_ALLOW }
/* what a child needs to end, sanitizers included, and a bound for "newest" */
#define LIFE ALLOW("exit_group", "exit", "write", "rt_sigreturn", "munmap", "mmap", "close")

#define SIGNALLED 1000

/* Run @fn under @f. Return: what it returned, SIGNALLED + signal, or -1 if the load failed. */
static inline int confined(const struct filter *f, int (*fn)(const void *), const void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int r;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* no core of a killed child */
		r = filter_load(f);
		if (r)
			_exit(255);
		syscall(SYS_exit_group, fn(arg) & 0xff);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -2;
	if (WIFSIGNALED(status))
		return SIGNALLED + WTERMSIG(status);
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

struct call { long nr; uint64_t a[6]; };

/* errno of a call, 0 when it went through. */
static inline int try_call(const void *arg)
{
	const struct call *c = arg;

	return syscall(c->nr, c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5]) < 0 ? errno : 0;
}

static inline int call_errno(const struct filter *f, long nr)
{
	return confined(f, try_call, &(struct call){ .nr = nr });
}

FIXTURE(filter)
{
	struct arena a;
	struct filter f;
	struct err e;
	char key[65];
	char dir[64];
	int dirfd;
};

FIXTURE_SETUP(filter)
{
	memset(self, 0, sizeof(*self));
	strcpy(self->dir, "/tmp/cleat-filter-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->dirfd = open(self->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dirfd);
}

FIXTURE_TEARDOWN(filter)
{
	close(self->dirfd);
	path_remove_tree(AT_FDCWD, self->dir);
	arena_fini(&self->a);
}

#define BUILD(spec) do { \
	char text_[ERR_TEXT_MAX]; \
	ASSERT_EQ(0, filter_check((spec), "/linux/seccomp", &self->e)) \
		TH_LOG("%s", err_render(&self->e, text_, sizeof(text_))); \
	ASSERT_EQ(0, filter_build((spec), &self->a, &self->f, NULL, &self->e)) \
		TH_LOG("%s", err_render(&self->e, text_, sizeof(text_))); \
} while (0)
#endif

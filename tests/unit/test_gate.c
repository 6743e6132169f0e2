/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate: one byte, then silence or one error; a death on the way is noticed, also without pidfds. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "child.h"
#include "deny.h"
#include "fd.h"
#include "fdio.h"
#include "gate.h"
#include "pathfs.h"

enum how { EXECS, FAILS, DIES_BEFORE, DIES_AT_THE_GATE, SILENT, HALF_AN_ERROR, NONSENSE };

FIXTURE(gate) { char top[64]; int dir, procfd, fifo; struct err e; };
FIXTURE_VARIANT(gate) { int no_pidfd; };
FIXTURE_VARIANT_ADD(gate, by_pidfd) { 0 };
FIXTURE_VARIANT_ADD(gate, by_start_time) { 1 };
FIXTURE_SETUP(gate)
{
	memset(&self->e, 0, sizeof(self->e));
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-gate.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	self->dir = open(self->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	self->procfd = proc_open();
	self->fifo = gate_make(self->dir, &self->e);
	ASSERT_GE(self->fifo, 0);
}
FIXTURE_TEARDOWN(gate)
{
	close(self->fifo);
	close(self->dir);
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
}

static void init(int procfd, int fifo, enum how how)
{
	char *argv[] = { (char *)"true", NULL };
	struct err why = { 0 };
	int fd;

	if (how == DIES_BEFORE)
		_exit(1);
	if (how == DIES_AT_THE_GATE) {
		usleep(100000);
		kill(getpid(), SIGKILL);
	}
	fd = gate_pass(procfd, fifo);
	if (fd < 0)
		_exit(2);
	if (how == EXECS)
		execv("/bin/true", argv);
	err_set(&why, ERR_SPEC, -ENOENT, NULL, "exec: \"x\"");
	if (how == FAILS)
		gate_fail(fd, &why);
	if (how == HALF_AN_ERROR)
		(void)!write(fd, &why, 100);
	if (how == NONSENSE) {
		memset(&why, 0xee, sizeof(why));
		(void)!write(fd, &why, sizeof(why));
	}
	_exit(3);
}

/* gate_open() against an init that does @how. */
static int meet(const char *top, int dir, int procfd, int fifo, int no_pidfd, enum how how, struct err *e)
{
	struct child_args a = { .cgroup_fd = -1 };
	struct state st = { .id = "c" };
	struct child_stat s = { 0 };
	auto_fd pidfd = -1;
	int r;

	st.pid = child_clone(&a, &pidfd);
	if (!st.pid)
		init(procfd, fifo, how);
	child_stat(procfd, st.pid, &s);
	st.start_time = s.start_time;
	if (how == DIES_BEFORE)
		usleep(30000);
	r = gate_open(dir, no_pidfd ? -1 : pidfd, procfd, &st, e);
	child_wait(st.pid, NULL);
	return r;
}

TEST_F(gate, tells_how_it_ended)
{
	static const struct { enum how how; int r; const char *msg; int fifo_left; } rows[] = {
		{ EXECS, 0, "", 0 }, { FAILS, -ENOENT, "exec: \"x\"", 0 },
		{ DIES_BEFORE, -ESRCH, "cannot start a container that has stopped", 1 },
		{ DIES_AT_THE_GATE, -ESRCH, "cannot start a container that has stopped", 1 },
		{ SILENT, 0, "", 0 },	/* closed without a word: as execve does */
		{ HALF_AN_ERROR, -EINVAL, "nonsense", 0 }, { NONSENSE, -EINVAL, "nonsense", 0 },
	};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };

		EXPECT_EQ(rows[i].r, meet(self->top, self->dir, self->procfd, self->fifo, variant->no_pidfd,
					  rows[i].how, &e)) {
			TH_LOG("row %zu: %s", i, e.msg);
		}
		EXPECT_NE(NULL, strstr(e.msg, rows[i].msg)) {
			TH_LOG("row %zu: %s", i, e.msg);
		}
		EXPECT_EQ(rows[i].fifo_left, !fstatat(self->dir, GATE_NAME, &st, 0));
		unlinkat(self->dir, GATE_NAME, 0);
		close(self->fifo);
		self->fifo = gate_make(self->dir, &e);
		ASSERT_GE(self->fifo, 0);
	}
}

TEST_F(gate, any_user_may_pass_by_the_fd)
{
	struct stat st;
	int status, p[2];
	pid_t pid;
	auto_fd rd = -1;
	char c;

	ASSERT_EQ(0, fstat(self->fifo, &st));
	EXPECT_EQ(S_IFIFO | 0622, st.st_mode);
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, pipe(p));
	pid = fork();
	if (!pid)
		_exit(setresuid(1234, 1234, 1234) || prctl(PR_SET_DUMPABLE, 0) ||
		      gate_pass(self->procfd, self->fifo) < 0);
	rd = openat(self->dir, GATE_NAME, O_RDONLY);
	EXPECT_EQ(1, read(rd, &c, 1));
	child_wait(pid, &status);
	EXPECT_EQ(0, status);
}

/* For a caller with a loop: nobody is waited for, and each word is heard once. */
TEST_F(gate, heard_bit_by_bit)
{
	struct err told = { 0 };
	struct stat st;
	struct gate g;
	int w;

	ASSERT_EQ(0, gate_knock(&g, self->dir, "c", &self->e));
	w = proc_reopen(self->procfd, self->fifo, O_WRONLY);
	ASSERT_GE(w, 0);
	EXPECT_EQ(-EAGAIN, gate_hear(&g, self->dir, "c", &self->e));
	EXPECT_FALSE(g.passed);
	EXPECT_EQ(0, fstatat(self->dir, GATE_NAME, &st, 0));
	EXPECT_EQ(0, fdio_write_full(w, "", 1));
	EXPECT_EQ(-EAGAIN, gate_hear(&g, self->dir, "c", &self->e));
	EXPECT_TRUE(g.passed);
	EXPECT_EQ(-1, fstatat(self->dir, GATE_NAME, &st, 0));
	EXPECT_EQ(-EAGAIN, gate_hear(&g, self->dir, "c", &self->e));
	err_set(&told, ERR_SPEC, -ENOENT, NULL, "exec: \"x\"");
	gate_fail(w, &told);
	EXPECT_EQ(-ENOENT, gate_hear(&g, self->dir, "c", &self->e));
	EXPECT_STREQ("exec: \"x\"", self->e.msg);
	close(w);
	EXPECT_EQ(0, gate_hear(&g, self->dir, "c", &self->e));
	close(g.fd);
}

TEST_F(gate, made_once)
{
	EXPECT_EQ(-EEXIST, gate_make(self->dir, &self->e));
	unlinkat(self->dir, GATE_NAME, 0);
	err_clear(&self->e);
	EXPECT_EQ(-ENOENT, gate_open(self->dir, -1, self->procfd, &(struct state){ .id = "c" }, &self->e));
	EXPECT_EQ(ERR_STATE, self->e.kind);
	symlinkat("/dev/null", self->dir, GATE_NAME);
	EXPECT_EQ(-ELOOP, gate_open(self->dir, -1, self->procfd, &(struct state){ .id = "c" }, &(struct err){ 0 }));
}

TEST_HARNESS_MAIN

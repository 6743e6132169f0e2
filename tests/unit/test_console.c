/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal comes from the container's own devpts, or not at all. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <termios.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "deny.h"
#include "fd.h"
#include "fdio.h"
#include "pathfs.h"
#include "steps.h"
#include "sync.h"

FIXTURE(console) { char top[48]; int sv[2], tmp; };
FIXTURE_VARIANT(console) { int gone[8]; };
FIXTURE_VARIANT_ADD(console, by_the_new_calls) { { DENY_END } };
FIXTURE_VARIANT_ADD(console, by_the_old_calls) { { 428, 429, 430, 431, 432, 437, 442, DENY_END } };
FIXTURE_SETUP(console)
{
	char path[96];

	if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP(return, "no mount namespace to be had");
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-cons.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	ASSERT_EQ(0, mount("t", self->top, "tmpfs", 0, NULL));
	snprintf(path, sizeof(path), "%s/dev", self->top);
	mkdir(path, 0755);
	strcat(path, "/pts");
	mkdir(path, 0755);
	ASSERT_EQ(0, fdio_socketpair(self->sv));
	if (variant->gone[0] != DENY_END)
		ASSERT_EQ(0, deny_calls(ENOSYS, variant->gone));
}
FIXTURE_TEARDOWN(console)
{
	umount2(self->top, MNT_DETACH);
	EXPECT_EQ(0, rmdir(self->top));
}

static void devpts(const char *top)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/dev/pts", top);
	mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=0666");
}

/* console_make() in a session leader that then asks its terminal. Return: 0, or what is wrong. */
static int make(const char *top, int sock, bool bind, struct err *e)
{
	struct process p = { .rows = 33, .columns = 77 };
	struct seal_ctx c = { .p = &p, .sock = sock, .bare_newlines = bind };
	struct termios t;
	struct mnt_env m = { .procfd = proc_open() };
	struct winsize ws;
	struct stat a, b;
	char path[96];
	int root = open(top, O_PATH | O_DIRECTORY), i;

	setsid();
	if (console_make(root, &c, bind ? &m : NULL, e))
		return 100;
	for (i = 0; i < 3; i++)
		if (!isatty(i) || fcntl(i, F_GETFD))
			return 1;
	if (ioctl(0, TIOCGWINSZ, &ws) || ws.ws_row != 33 || ws.ws_col != 77)
		return 2;
	if (tcgetsid(0) != getpid())
		return 3;
	if (bind) {
		snprintf(path, sizeof(path), "%s/dev/console", top);
		if (stat(path, &a) || fstat(0, &b) || a.st_rdev != b.st_rdev)
			return 4;
	}
	if (!c.console_done || tcgetattr(0, &t) || !(t.c_oflag & ONLCR) != bind)
		return 6;
	return write(1, "hello", 5) == 5 ? 0 : 5;
}

TEST_F(console, a_pty_of_the_containers_own)
{
	int bind;

	devpts(self->top);
	for (bind = 0; bind < 2; bind++) {
		struct sync_msg m;
		char text[16] = "";
		auto_fd master = -1;
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(make(self->top, self->sv[1], bind, &(struct err){ 0 }));
		ASSERT_EQ(1, sync_recv(self->sv[0], &m, &master));
		EXPECT_EQ(SYNC_CONSOLE, m.type);
		EXPECT_GE(master, 0);
		waitpid(pid, &status, 0);
		EXPECT_EQ(0, status);
		EXPECT_EQ(5, read(master, text, sizeof(text) - 1));
		EXPECT_STREQ("hello", text);
	}
}

TEST_F(console, anything_else_is_refused)
{
	static const struct { const char *target, *msg; } rows[] = {
		{ NULL, "is devpts mounted" },			/* nothing there */
		{ "/dev/file", "not a pty multiplexer" },		/* a regular file */
		{ "/dev/null", "not a pty multiplexer" },		/* another device, through a link */
		{ "/dev/fake", "/dev/pts/ptmx" },			/* the right number, outside of a devpts */
		{ "../../../../../../dev/ptmx", "is devpts mounted" },	/* the host's: not inside */
	};
	char path[96], name[96];
	size_t i;

	snprintf(name, sizeof(name), "%s/dev/file", self->top);
	close(open(name, O_WRONLY | O_CREAT, 0644));
	snprintf(name, sizeof(name), "%s/dev/null", self->top);
	mknod(name, S_IFCHR | 0666, makedev(1, 3));
	snprintf(name, sizeof(name), "%s/dev/fake", self->top);
	mknod(name, S_IFCHR | 0666, makedev(5, 2));
	snprintf(path, sizeof(path), "%s/dev/pts/ptmx", self->top);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };

		unlink(path);
		if (rows[i].target)
			ASSERT_EQ(0, symlink(rows[i].target, path));
		EXPECT_EQ(100, make(self->top, self->sv[1], true, &e)) {
			TH_LOG("row %zu", i);
		}
		EXPECT_NE(NULL, strstr(e.msg, rows[i].msg)) {
			TH_LOG("row %zu: %s", i, e.msg);
		}
		EXPECT_STREQ("/process/terminal", e.where);
	}
}

/* /dev/console as a link must not let the pty be bound to something else outside. */
TEST_F(console, a_console_link_stays_inside)
{
	struct stat st;
	char path[96];
	int status;
	pid_t pid;

	devpts(self->top);
	snprintf(path, sizeof(path), "%s/dev/console", self->top);
	ASSERT_EQ(0, symlink("/../../../../etc/passwd", path));
	pid = fork();
	if (!pid)
		_exit(make(self->top, self->sv[1], true, &(struct err){ 0 }));
	waitpid(pid, &status, 0);
	EXPECT_EQ(100, WEXITSTATUS(status));	/* a dangling link is not written through */
	EXPECT_EQ(0, stat("/etc/passwd", &st));
	EXPECT_TRUE(S_ISREG(st.st_mode));
}

TEST_HARNESS_MAIN

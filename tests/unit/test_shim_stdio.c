/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stdio strings and what is opened for them; rootfs option words; the small files of a bundle. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "bundle.h"
#include "fd.h"
#include "logger.h"
#include "loop.h"
#include "mounts.h"
#include "sio.h"
#include "sysx.h"

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- strings --------------------------------------------------------------------------- */

FIXTURE(uri) { struct arena a; };
FIXTURE_VARIANT(uri) { const char *text; int scheme; const char *path, *args; };
FIXTURE_SETUP(uri) { self->a = ARENA_INIT; }
FIXTURE_TEARDOWN(uri) { arena_fini(&self->a); }
FIXTURE_VARIANT_ADD(uri, empty_is_null) { "", SIO_NULL, "", "" };
FIXTURE_VARIANT_ADD(uri, plain_path) { "/run/f%20x", SIO_FIFO, "/run/f%20x", "" };
FIXTURE_VARIANT_ADD(uri, fifo) { "fifo:///run/f", SIO_FIFO, "/run/f", "" };
FIXTURE_VARIANT_ADD(uri, file_decoded) { "file:///a%20b%2fc", SIO_FILE, "/a b/c", "" };
FIXTURE_VARIANT_ADD(uri, binary) { "binary:///bin/x", SIO_BINARY, "/bin/x", "" };
FIXTURE_VARIANT_ADD(uri, binary_by_name) { "binary://nerdctl?_X=/d", SIO_BINARY, "nerdctl", "_X /d " };
FIXTURE_VARIANT_ADD(uri, binary_v2) { "binary-v2:///x?a=1", SIO_BINARY_V2, "/x", "a 1 " };
FIXTURE_VARIANT_ADD(uri, binary_values) { "binary:///x?a=1&b&c=&a=2&d=e+f%26", SIO_BINARY, "/x", "a 1 b c d e f& " };
FIXTURE_VARIANT_ADD(uri, path_with_scheme_inside) { "/x/http://y", SIO_FIFO, "/x/http://y", "" };
TEST_F(uri, is_understood)
{
	struct sio_uri u;
	struct err e = { 0 };
	char args[128] = "";

	ASSERT_EQ(sio_parse(variant->text, "stdout", &self->a, &u, &e), 0);
	EXPECT_EQ((int)u.scheme, variant->scheme);
	EXPECT_STREQ(u.path ? u.path : "", variant->path);
	for (size_t i = 0; i < u.args.n; i++)
		snprintf(args + strlen(args), sizeof(args) - strlen(args), "%s ", u.args.v[i]);
	EXPECT_STREQ(args, variant->args);
}

FIXTURE(bad_uri) { struct arena a; };
FIXTURE_VARIANT(bad_uri) { const char *text, *msg; };
FIXTURE_SETUP(bad_uri) { self->a = ARENA_INIT; }
FIXTURE_TEARDOWN(bad_uri) { arena_fini(&self->a); }
FIXTURE_VARIANT_ADD(bad_uri, reject_scheme) { "ttrpc+unix:///x", "unknown STDIO scheme ttrpc+unix" };
FIXTURE_VARIANT_ADD(bad_uri, reject_relative) { "a/b", "path \"a/b\" is not absolute" };
FIXTURE_VARIANT_ADD(bad_uri, reject_relative_file) { "file://x/y", "path \"x/y\" is not absolute" };
FIXTURE_VARIANT_ADD(bad_uri, reject_no_path) { "binary://?a=b", "no path in \"binary://?a=b\"" };
TEST_F(bad_uri, says_why)
{
	struct sio_uri u;
	struct err e = { 0 };

	EXPECT_LT(sio_parse(variant->text, "stderr", &self->a, &u, &e), 0);
	EXPECT_EQ(e.kind, ERR_SPEC);
	EXPECT_STREQ(e.where, "stderr");
	EXPECT_STREQ(e.msg, variant->msg);
}

/* ---- opening ---------------------------------------------------------------------------- */

FIXTURE(opened)
{
	char dir[64], fifo[80], file[80];
	int before;
	struct sio_ends ends;
	struct err e;
};
FIXTURE_SETUP(opened)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->dir, sizeof(self->dir), "/tmp/test-stdio.XXXXXX");
	ASSERT_NE(mkdtemp(self->dir), NULL);
	snprintf(self->fifo, sizeof(self->fifo), "%s/f", self->dir);
	snprintf(self->file, sizeof(self->file), "%s/x", self->dir);
	ASSERT_EQ(mkfifo(self->fifo, 0600), 0);
	self->ends = SIO_ENDS_INIT;
	self->before = open_fds();
}
FIXTURE_TEARDOWN(opened)
{
	sio_close(&self->ends);
	EXPECT_EQ(open_fds(), self->before);
	unlink(self->fifo);
	unlink(self->file);
	rmdir(self->dir);
}

TEST_F(opened, nothing_asked_for_is_dev_null)
{
	struct sio_request req = { .in = NULL, .out = "", .id = "i", .ns = "n" };
	struct stat st, null;

	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	ASSERT_EQ(stat("/dev/null", &null), 0);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(fstat(self->ends.process[i], &st), 0);
		EXPECT_EQ(st.st_rdev, null.st_rdev);
		EXPECT_EQ(self->ends.stream[i].src, -1);
		EXPECT_EQ(self->ends.stream[i].dst, -1);
	}
}

TEST_F(opened, fifos_never_block_and_never_reach_the_process)
{
	struct sio_request req = { self->fifo, self->fifo, self->fifo, false, "i", "n" };
	struct stat st, fifo;

	ASSERT_EQ(stat(self->fifo, &fifo), 0);
	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(fstat(self->ends.process[i], &st), 0);
		EXPECT_TRUE(S_ISFIFO(st.st_mode));
		EXPECT_NE(st.st_ino, fifo.st_ino);
		EXPECT_GE(self->ends.stream[i].src, 0);
		EXPECT_GE(self->ends.stream[i].dst, 0);
		EXPECT_GE(self->ends.stream[i].keep, 0);
	}
	EXPECT_EQ(fcntl(self->ends.process[0], F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(opened, missing_readers_are_waited_for_once)
{
	struct sio_request req = { "", self->fifo, self->file, false, "i", "n" };
	uint64_t begin = loop_now_ms(), took;

	ASSERT_EQ(mkfifo(self->file, 0600), 0);
	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	took = loop_now_ms() - begin;
	EXPECT_GE(took, 700);
	EXPECT_LT(took, 1200);
	EXPECT_GE(self->ends.stream[1].dst, 0);
	EXPECT_GE(self->ends.stream[2].dst, 0);
}

TEST_F(opened, a_terminal_leaves_the_side_of_the_pty_free)
{
	struct sio_request req = { self->fifo, self->fifo, "", true, "i", "n" };

	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_EQ(self->ends.process[0], -1);
	EXPECT_EQ(self->ends.stream[0].dst, -1);
	EXPECT_GE(self->ends.stream[0].src, 0);
	EXPECT_EQ(self->ends.stream[1].src, -1);
	EXPECT_GE(self->ends.stream[1].dst, 0);
	EXPECT_EQ(self->ends.stream[1].src_kind, STREAM_TTY);
	EXPECT_EQ(self->ends.stream[2].dst, -1);
}

static int ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

static long file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long)st.st_size;
}

TEST_F(opened, a_file_gets_both_outputs)
{
	char uri[96];
	struct sio_request req = { "", uri, "", false, "i", "n" };

	snprintf(uri, sizeof(uri), "file://%s", self->file);
	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_GT(self->ends.logger, 0);
	EXPECT_EQ(self->ends.stream[2].src, -1);
	ASSERT_EQ(write(self->ends.process[1], "one\n", 4), 4);
	ASSERT_EQ(write(self->ends.process[2], "two\n", 4), 4);
	fd_close(&self->ends.process[1]);
	/* The loop's stream does not end before the other output has, and all is in the file. */
	EXPECT_EQ(ready(self->ends.stream[1].src, 100), 0);
	fd_close(&self->ends.process[2]);
	EXPECT_EQ(ready(self->ends.stream[1].src, 5000), 1);
	ASSERT_EQ(file_size(self->file), 8);
	EXPECT_EQ(waitpid(self->ends.logger, NULL, 0), self->ends.logger);
	self->ends.logger = 0;
}

TEST_F(opened, a_terminal_reaches_a_file_by_a_pipe)
{
	char uri[96];
	struct sio_request req = { "", uri, "", true, "i", "n" };

	snprintf(uri, sizeof(uri), "file://%s", self->file);
	ASSERT_EQ(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_EQ(self->ends.stream[1].src_kind, STREAM_TTY);
	EXPECT_EQ(self->ends.stream[1].dst_kind, STREAM_PIPE);
	ASSERT_EQ(write(self->ends.stream[1].dst, "one\n", 4), 4);
	fd_close(&self->ends.stream[1].dst);
	EXPECT_EQ(ready(self->ends.stream[2].src, 5000), 1);
	EXPECT_EQ(file_size(self->file), 4);
	EXPECT_EQ(waitpid(self->ends.logger, NULL, 0), self->ends.logger);
	self->ends.logger = 0;
}

TEST_F(opened, failure_leaves_nothing_open)
{
	struct sio_request req = { self->fifo, self->fifo, "/nonexistent/fifo", false, "i", "n" };

	EXPECT_LT(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_EQ(open_fds(), self->before);
	EXPECT_STREQ(self->e.where, "/nonexistent/fifo");
}

TEST_F(opened, a_symlink_is_not_followed)
{
	struct sio_request req = { "", self->file, "", false, "i", "n" };

	ASSERT_EQ(symlink(self->fifo, self->file), 0);
	EXPECT_LT(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_EQ(self->e.errnum, ELOOP);
}

TEST_F(opened, stdin_must_be_a_fifo)
{
	struct sio_request req = { "/dev/null", "", "", false, "i", "n" };

	EXPECT_LT(sio_open(&req, &self->ends, &self->e), 0);
	EXPECT_STREQ(self->e.msg, "stdin is not a FIFO");
}

/* ---- rootfs options ------------------------------------------------------------------------- */

FIXTURE(words) { struct arena a; };
FIXTURE_VARIANT(words) { const char *w[5]; unsigned long flags, propagation; const char *data; };
FIXTURE_SETUP(words) { self->a = ARENA_INIT; }
FIXTURE_TEARDOWN(words) { arena_fini(&self->a); }
FIXTURE_VARIANT_ADD(words, none) { { NULL }, 0, 0, "" };
FIXTURE_VARIANT_ADD(words, bind_ro) { { "rbind", "ro" }, MS_BIND | MS_REC | MS_RDONLY, 0, "" };
FIXTURE_VARIANT_ADD(words, last_wins) { { "ro", "nosuid", "rw", "suid" }, 0, 0, "" };
FIXTURE_VARIANT_ADD(words, overlay) { { "index=off", "lowerdir=/a:/b", "ro" }, MS_RDONLY, 0,
				      "index=off,lowerdir=/a:/b" };
FIXTURE_VARIANT_ADD(words, propagation) { { "rslave", "size=1m" }, 0, MS_SLAVE | MS_REC, "size=1m" };
TEST_F(words, are_taken_apart)
{
	struct task_mount m = { "t", "s", "", { (const char **)variant->w, 0 } };
	struct task_mount_options o;
	struct err e = { 0 };

	while (m.options.n < 5 && variant->w[m.options.n])
		m.options.n++;
	ASSERT_EQ(mounts_parse(&m, &self->a, &o, &e), 0);
	EXPECT_EQ(o.flags, variant->flags);
	EXPECT_EQ(o.propagation, variant->propagation);
	EXPECT_STREQ(o.data, variant->data);
}

TEST(words_that_are_ours)
{
	const char *w[] = { "loop", "direct-io", "ro", "uidmap=0:1:2", "gidmap=3:4:5", "x=y" };
	struct task_mount m = { "ext4", "s", "", { w, 6 } };
	struct arena a = ARENA_INIT;
	struct task_mount_options o;
	struct err e = { 0 };

	ASSERT_EQ(mounts_parse(&m, &a, &o, &e), 0);
	EXPECT_TRUE(o.loop);
	EXPECT_TRUE(o.direct);
	EXPECT_STREQ(o.uidmap, "0:1:2");
	EXPECT_STREQ(o.gidmap, "3:4:5");
	EXPECT_STREQ(o.data, "x=y");
	arena_fini(&a);
}

TEST(words_that_make_no_sense_are_refused_by_name)
{
	static const char *const bad[] = { "direct-io", "uidmap", "gidmap", "X-containerd.x=y" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena a = ARENA_INIT;
		const char *word = !strcmp(bad[i], "uidmap") ? "uidmap=0:1:2" :
				   !strcmp(bad[i], "gidmap") ? "gidmap=0:1:2" : bad[i];
		struct task_mount m = { "overlay", "s", "", { &word, 1 } };
		struct task_mount_options o;
		struct err e = { 0 };

		EXPECT_LT(mounts_parse(&m, &a, &o, &e), 0);
		EXPECT_EQ(e.kind, ERR_SPEC);
		EXPECT_NE(strstr(e.msg, bad[i]), NULL);
		arena_fini(&a);
	}
}

/* ---- bundle ------------------------------------------------------------------------------------ */

TEST(bundle_files)
{
	char dir[] = "/tmp/test-bundle.XXXXXX", root[PATH_MAX], path[64];
	struct timespec at = { 1700000000, 42 }, got = { 0 };
	uint32_t status = 0;

	ASSERT_NE(mkdtemp(dir), NULL);
	EXPECT_EQ(bundle_read_pid(dir), 0);
	EXPECT_LT(bundle_read_exit(dir, &status, &got), 0);
	EXPECT_LT(bundle_read_root(dir, root, sizeof(root)), 0);
	ASSERT_EQ(bundle_write_pid(dir, "", 4321), 0);
	EXPECT_EQ(bundle_read_pid(dir), 4321);
	ASSERT_EQ(bundle_write_exit(dir, 137, &at), 0);
	ASSERT_EQ(bundle_read_exit(dir, &status, &got), 0);
	EXPECT_EQ(status, 137);
	EXPECT_EQ(got.tv_sec, at.tv_sec);
	EXPECT_EQ(got.tv_nsec, at.tv_nsec);
	ASSERT_EQ(bundle_write_root(dir, "/run/other"), 0);
	ASSERT_EQ(bundle_read_root(dir, root, sizeof(root)), 0);
	EXPECT_STREQ(root, "/run/other");
	bundle_remove_pid(dir, "init");	/* an exec of that name */
	EXPECT_EQ(bundle_read_pid(dir), 4321);
	bundle_remove_pid(dir, "");
	EXPECT_EQ(bundle_read_pid(dir), 0);
	snprintf(path, sizeof(path), "%s/cleat.exit", dir);
	EXPECT_EQ(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/cleat.root", dir);
	EXPECT_EQ(unlink(path), 0);
	EXPECT_EQ(rmdir(dir), 0);	/* no temporary file is left */
}

TEST(bundle_roots)
{
	char root[64];

	ASSERT_EQ(bundle_root("/x", "ns", root, sizeof(root)), 0);
	EXPECT_STREQ(root, "/x/ns");
	EXPECT_EQ(bundle_root("/a/long/base/directory/that/does/not/fit/into/the/buffer/given", "ns",
			      root, sizeof(root)), -ENAMETOOLONG);
}

/* ---- logging programs --------------------------------------------------------------------- */

/* One that ended before the server knew its pid is not waited for once more. */
TEST(logger_reaped_before)
{
	struct server *srv = calloc(1, sizeof(*srv));
	int before = open_fds(), pidfd;
	pid_t pid;

	ASSERT_NE(srv, NULL);
	ASSERT_EQ(loop_init(&srv->loop), 0);
	pid = fork();
	if (!pid)
		_exit(0);
	pidfd = sysx_pidfd_open(pid, 0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	if (pidfd < 0)
		SKIP(return, "no pidfd");
	logger_dismiss(srv, pid, pidfd);
	EXPECT_EQ(srv->dismissed, NULL);
	loop_fini(&srv->loop);
	EXPECT_EQ(open_fds(), before);
	free(srv);
}

TEST_HARNESS_MAIN

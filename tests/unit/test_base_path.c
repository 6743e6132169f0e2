/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of others: the same table by openat2, by the walk below 5.6, and under a filter. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "child.h"
#include "deny.h"
#include "fd.h"
#include "pathfs.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

FIXTURE(path) { char top[64]; int out, root; };
FIXTURE_VARIANT(path) { int err; };
FIXTURE_VARIANT_ADD(path, by_openat2) { 0 };
FIXTURE_VARIANT_ADD(path, by_walk_without_openat2) { ENOSYS };
FIXTURE_VARIANT_ADD(path, by_walk_under_a_filter) { EPERM };

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT, 0644);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* T/secret, T/root/{secret,dir/file,dir/sub/,links...} */
FIXTURE_SETUP(path)
{
	static const char *const links[][2] = {
		{ "/", "abs-root" }, { "/etc-not-there", "dangling" }, { "/secret", "abs-secret" },
		{ "../secret", "up-secret" }, { "../../../../../../secret", "far-up" }, { "dir", "to-dir" },
		{ "/dir", "abs-dir" }, { "loop", "loop" }, { "b-loop", "a-loop" }, { "a-loop", "b-loop" },
		{ "dir/../dir/./file", "winding" }, { "file", "dir/to-file" }, { "../..", "dir/out" },
		{ "/abs-dir/to-file", "chain" }, { "/dir/new/deep", "to-new" },
	};
	char long_target[64];
	size_t i;

	umask(022);
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-path.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	self->out = open(self->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put(self->out, "secret", "outside");
	mkdirat(self->out, "root", 0755);
	self->root = openat(self->out, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	put(self->root, "secret", "inside");
	mkdirat(self->root, "dir", 0755);
	mkdirat(self->root, "dir/sub", 0755);
	put(self->root, "dir/file", "file");
	for (i = 0; i < N(links); i++)
		ASSERT_EQ(0, symlinkat(links[i][0], self->root, links[i][1]));
	/* 40 links are followed, 41 are not */
	symlinkat("secret", self->root, "l1");
	for (i = 2; i <= 41; i++) {
		char name[16];

		snprintf(name, sizeof(name), "l%zu", i);
		snprintf(long_target, sizeof(long_target), "l%zu", i - 1);
		symlinkat(long_target, self->root, name);
	}
	if (variant->err)
		ASSERT_EQ(0, DENY(variant->err, SYS_openat2));
}

FIXTURE_TEARDOWN(path)
{
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
	close(self->root);
	close(self->out);
}

TEST_F(path, stays_in_the_root_and_finds_what_the_kernel_finds)
{
	static const struct { const char *path; int flags; int r; const char *text; } rows[] = {
		{ "secret", O_RDONLY, 0, "inside" }, { "/secret", O_RDONLY, 0, "inside" },
		{ "../secret", O_RDONLY, 0, "inside" }, { "/../../../secret", O_RDONLY, 0, "inside" },
		{ "dir/../../secret", O_RDONLY, 0, "inside" }, { "//secret", O_RDONLY, 0, "inside" },
		{ "./././secret", O_RDONLY, 0, "inside" }, { "abs-secret", O_RDONLY, 0, "inside" },
		{ "up-secret", O_RDONLY, 0, "inside" }, { "far-up", O_RDONLY, 0, "inside" },
		{ "abs-root/secret", O_RDONLY, 0, "inside" }, { "abs-root/abs-root/../secret", O_RDONLY, 0, "inside" },
		{ "dir/out/secret", O_RDONLY, 0, "inside" }, { "dir/out/out/../secret", O_RDONLY, -ENOENT, NULL },
		{ "winding", O_RDONLY, 0, "file" }, { "chain", O_RDONLY, 0, "file" },
		{ "to-dir/to-file", O_RDONLY, 0, "file" }, { "abs-dir//file", O_RDONLY, 0, "file" },
		{ "dir/sub/../file", O_RDONLY, 0, "file" }, { "l40", O_RDONLY, 0, "inside" },
		{ "l41", O_RDONLY, -ELOOP, NULL }, { "loop", O_RDONLY, -ELOOP, NULL }, { "a-loop", O_RDONLY, -ELOOP, NULL },
		{ "loop/x", O_RDONLY, -ELOOP, NULL }, { "loop", O_PATH | O_NOFOLLOW, 0, NULL },
		{ "dangling", O_RDONLY, -ENOENT, NULL }, { "dangling", O_PATH | O_NOFOLLOW, 0, NULL },
		{ "nothing", O_RDONLY, -ENOENT, NULL }, { "nothing/x", O_RDONLY, -ENOENT, NULL },
		{ "secret/x", O_RDONLY, -ENOTDIR, NULL }, { "secret/..", O_RDONLY, -ENOTDIR, NULL },
		{ "secret", O_PATH | O_DIRECTORY, -ENOTDIR, NULL }, { "dir", O_PATH | O_DIRECTORY, 0, NULL },
		{ "dir/", O_PATH | O_DIRECTORY, 0, NULL }, { "", O_PATH, 0, NULL }, { "/", O_PATH, 0, NULL },
		{ ".", O_PATH | O_DIRECTORY, 0, NULL }, { "..", O_PATH | O_DIRECTORY, 0, NULL },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		int fd = path_open_in_root(self->root, rows[i].path, rows[i].flags);
		char text[16] = "";

		EXPECT_EQ(rows[i].r, fd < 0 ? fd : 0) {
			TH_LOG("%s", rows[i].path);
		}
		if (fd >= 0) {
			EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
			if (rows[i].text) {
				(void)!read(fd, text, sizeof(text) - 1);
				EXPECT_STREQ(rows[i].text, text) {
					TH_LOG("%s", rows[i].path);
				}
			}
			close(fd);
		}
	}
}

TEST_F(path, names_that_are_too_long_are_errors)
{
	static char name[NAME_MAX + 2], path[PATH_MAX + 10];

	memset(name, 'n', NAME_MAX + 1);
	EXPECT_EQ(-ENAMETOOLONG, path_open_in_root(self->root, name, O_PATH));
	memset(path, '/', sizeof(path) - 1);
	EXPECT_EQ(-ENAMETOOLONG, path_open_in_root(self->root, path, O_PATH));
	EXPECT_EQ(-ENAMETOOLONG, path_mkdir_in_root(self->root, path, 0755));
	EXPECT_EQ(-ENAMETOOLONG, path_mkdir_in_root(self->root, name, 0755));
	EXPECT_EQ(-ENAMETOOLONG, path_touch_in_root(self->root, name, 0644));
}

TEST_F(path, magic_links_lead_nowhere)
{
	char at[96];
	int r;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP(return, "no mount namespace to be had");
	mkdirat(self->root, "proc", 0755);
	snprintf(at, sizeof(at), "%s/root/proc", self->top);
	ASSERT_EQ(0, mount("/proc", at, NULL, MS_BIND, NULL));
	close(self->root);	/* it shows the mounts of the old namespace */
	snprintf(at, sizeof(at), "%s/root", self->top);
	self->root = open(at, O_PATH | O_DIRECTORY);
	r = path_open_in_root(self->root, "proc/self/root/etc/passwd", O_RDONLY);
	EXPECT_LT(r, 0);
	r = path_open_in_root(self->root, "proc/self/cwd", O_PATH);
	if (r >= 0) {
		/* The walk reads the link's text inside the root; it must not be the host's directory. */
		struct stat a, b;

		EXPECT_EQ(0, fstat(r, &a) || stat(".", &b));
		EXPECT_FALSE(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
		close(r);
	}
	snprintf(at, sizeof(at), "%s/root/proc", self->top);
	EXPECT_EQ(0, umount2(at, MNT_DETACH));
}

TEST_F(path, directories_are_made_inside_only)
{
	static const struct { const char *path; int r; const char *made; } rows[] = {
		{ "a/b/c", 0, "a/b/c" }, { "/a/b/c", 0, "a/b/c" }, { "dir", 0, "dir" }, { "../../up/x", 0, "up/x" },
		{ "to-dir/n1", 0, "dir/n1" }, { "abs-dir/n2/n3", 0, "dir/n2/n3" }, { "dangling/y", 0, "etc-not-there/y" },
		{ "to-new", 0, "dir/new/deep" }, { "missing/../m2", 0, "m2" }, { "secret", -ENOTDIR, NULL },
		{ "secret/x", -ENOTDIR, NULL }, { "loop/x", -ELOOP, NULL }, { "dir/out/from-above", 0, "from-above" },
		{ "/", 0, "." }, { ".", 0, "." }, { "t/", 0, "t" },
	};
	struct stat st, want;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		int fd = path_mkdir_in_root(self->root, rows[i].path, 0750);

		EXPECT_EQ(rows[i].r, fd < 0 ? fd : 0) {
			TH_LOG("%s", rows[i].path);
		}
		if (fd < 0)
			continue;
		EXPECT_EQ(0, fstat(fd, &st) || fstatat(self->root, rows[i].made, &want, 0)) {
			TH_LOG("%s", rows[i].path);
		}
		EXPECT_TRUE(S_ISDIR(st.st_mode));
		EXPECT_EQ(want.st_ino, st.st_ino);
		close(fd);
	}
	ASSERT_EQ(0, fstatat(self->root, "a/b", &st, 0));
	EXPECT_EQ(0750, st.st_mode & 07777);
	EXPECT_NE(0, fstatat(self->out, "up", &st, 0));
	EXPECT_NE(0, fstatat(self->out, "from-above", &st, 0));
	EXPECT_NE(0, stat("/etc-not-there", &st));
}

TEST_F(path, files_are_made_but_never_through_a_link)
{
	struct stat st;
	char last[NAME_MAX + 1];
	int fd;

	fd = path_touch_in_root(self->root, "x/y/file", 0600);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	close(fd);
	fd = path_touch_in_root(self->root, "secret", 0600);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(6, st.st_size);
	close(fd);
	fd = path_touch_in_root(self->root, "dir", 0600);	/* the caller sees that it is one */
	EXPECT_GE(fd, 0);
	close(fd);
	EXPECT_EQ(-ENOENT, path_touch_in_root(self->root, "dangling", 0600));
	EXPECT_NE(0, fstatat(self->root, "etc-not-there", &st, 0));
	EXPECT_EQ(-EINVAL, path_touch_in_root(self->root, "nothing/..", 0600));
	fd = path_parent_in_root(self->root, "/p/q/r", last);
	EXPECT_GE(fd, 0);
	EXPECT_STREQ("r", last);
	close(fd);
	EXPECT_EQ(-EINVAL, path_parent_in_root(self->root, "/", last));
	EXPECT_EQ(-EINVAL, path_parent_in_root(self->root, "", last));
	EXPECT_EQ(-EINVAL, path_parent_in_root(self->root, "a/..", last));
	EXPECT_EQ(-EINVAL, path_parent_in_root(self->root, "a/.", last));
}

TEST_F(path, beneath_takes_no_link_and_no_way_up)
{
	static const struct { const char *path; int ok; } rows[] = {
		{ "dir", 1 }, { "dir/sub", 1 }, { "./dir/./sub", 1 }, { "dir/", 1 },
		{ "..", 0 }, { "../root", 0 }, { "dir/../..", 0 }, { "/dir", 0 }, { "to-dir", 0 }, { "to-dir/sub", 0 },
		{ "abs-root/dir", 0 }, { "nothing", 0 }, { "", 0 }, { "secret", 0 },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		int fd = path_open_beneath(self->root, rows[i].path, O_RDONLY | O_DIRECTORY, 0);

		EXPECT_EQ(rows[i].ok, fd >= 0) {
			TH_LOG("%s: %d", rows[i].path, fd);
		}
		fd_close(&fd);
	}
	i = (size_t)path_open_beneath(self->root, "made", O_WRONLY | O_CREAT | O_EXCL, 0640);
	EXPECT_GE((int)i, 0);
	close((int)i);
	EXPECT_EQ(-EEXIST, path_open_beneath(self->root, "made", O_WRONLY | O_CREAT | O_EXCL, 0640));
}

/* A directory that is renamed out of the root while it is walked through: ".." then leads outside. */
TEST_F(path, a_rename_out_of_the_root_does_not_take_us_along)
{
	struct stat st, outside;
	auto_child mover = 0;
	uint64_t i;

	ASSERT_EQ(0, fstatat(self->out, "secret", &outside, 0));
	mkdirat(self->root, "a", 0755);
	mkdirat(self->root, "a/b", 0755);
	mkdirat(self->root, "a/b/c", 0755);
	mover = fork();
	if (!mover) {
		for (;;) {
			renameat(self->root, "a/b", self->out, "b");
			renameat(self->out, "b", self->root, "a/b");
		}
	}
	for (i = 0; i < 30000; i++) {
		int fd = path_open_in_root(self->root, "a/b/c/../../secret", O_PATH);

		if (fd < 0) {
			EXPECT_TRUE(fd == -ENOENT || fd == -EXDEV || fd == -EAGAIN) {
				TH_LOG("%d", fd);
			}
			continue;
		}
		ASSERT_EQ(0, fstat(fd, &st));
		close(fd);
		ASSERT_FALSE(st.st_ino == outside.st_ino && st.st_dev == outside.st_dev);
	}
}

TEST_F(path, proc_is_the_kernels_own)
{
	auto_fd procfd = proc_open(), fd = -1;
	char b[8] = "";

	ASSERT_GE(procfd, 0);
	fd = proc_openat(procfd, "self/stat", O_RDONLY);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(-ENOENT, proc_openat(procfd, "self/nothing", O_RDONLY));
	fd_close(&fd);
	fd = openat(self->root, "secret", O_PATH);
	{
		auto_fd again = proc_reopen(procfd, fd, O_RDONLY);

		EXPECT_GE(again, 0);
		EXPECT_EQ(6, read(again, b, sizeof(b) - 1));
		EXPECT_STREQ("inside", b);
	}
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP(return, "no mount namespace to be had");
	ASSERT_EQ(0, mount("none", "/proc/sys", "tmpfs", 0, NULL));
	fd_close(&procfd);
	procfd = proc_open();		/* the first one shows the mounts of the old namespace */
	EXPECT_EQ(-EXDEV, proc_openat(procfd, "sys", O_RDONLY | O_DIRECTORY));
	ASSERT_EQ(0, mount("none", "/proc", "tmpfs", 0, NULL));
	EXPECT_EQ(-EXDEV, proc_open());
	umount2("/proc", 0);
	umount2("/proc/sys", 0);
	ASSERT_EQ(0, mount("/proc/sys", "/proc", NULL, MS_BIND, NULL));	/* a procfs, but not its root */
	EXPECT_EQ(-EXDEV, proc_open());
	umount2("/proc", 0);
}

TEST(small_files)
{
	char top[] = "/tmp/cleat-path.XXXXXX", tmp[NAME_MAX + 1];
	auto_buf b = BUF_INIT;
	struct stat st;
	auto_fd dir = -1;

	ASSERT_NE(NULL, mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(-ENOENT, path_write(dir, "f", "x", 1));
	EXPECT_EQ(0, path_replace(dir, "f", 0640, "abc", 3));
	ASSERT_EQ(0, fstatat(dir, "f", &st, 0));
	EXPECT_EQ(0640, st.st_mode & 07777);
	EXPECT_EQ(0, path_read(dir, "f", 3, &b));
	EXPECT_STREQ("abc", b.data);
	EXPECT_EQ(-EFBIG, path_read(dir, "f", 2, &b));
	EXPECT_EQ(0, path_write(dir, "f", "x", 1));
	/* a link is replaced, never followed; a left-over temporary file is no obstacle */
	symlinkat("f", dir, "link");
	snprintf(tmp, sizeof(tmp), ".link.%d", (int)getpid());
	symlinkat("f", dir, tmp);
	EXPECT_EQ(-ELOOP, path_write(dir, "link", "y", 1));
	EXPECT_EQ(0, path_replace(dir, "link", 0600, "new", 3));
	ASSERT_EQ(0, fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW));
	EXPECT_TRUE(S_ISREG(st.st_mode));
	buf_reset(&b);
	EXPECT_EQ(0, path_read(dir, "f", 10, &b));
	EXPECT_STREQ("xbc", b.data);
	/* never blocks on a FIFO, never reads a directory or a device */
	ASSERT_EQ(0, mkfifoat(dir, "fifo", 0600));
	EXPECT_EQ(-EINVAL, path_read(dir, "fifo", 10, &b));
	EXPECT_EQ(-EISDIR, path_read(dir, ".", 10, &b));
	EXPECT_EQ(-EINVAL, path_read(AT_FDCWD, "/dev/zero", 10, &b));
	mkdirat(dir, "d", 0755);
	EXPECT_LT(path_replace(dir, "d", 0600, "x", 1), 0);
	EXPECT_NE(0, fstatat(dir, ".d", &st, 0));
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, top));
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, top));
}

TEST(removing_a_tree_follows_nothing)
{
	char top[] = "/tmp/cleat-path.XXXXXX", kept[] = "/tmp/cleat-kept.XXXXXX";
	auto_fd dir = -1, keep = -1;
	struct stat st;

	ASSERT_NE(NULL, mkdtemp(top));
	ASSERT_NE(NULL, mkdtemp(kept));
	dir = open(top, O_RDONLY | O_DIRECTORY);
	keep = open(kept, O_RDONLY | O_DIRECTORY);
	put(keep, "f", "x");
	mkdirat(dir, "a", 0700);
	mkdirat(dir, "a/b", 0700);
	put(dir, "a/b/f", "x");
	symlinkat(kept, dir, "a/link");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP(return, "no mount namespace to be had");
	mkdirat(dir, "a/m", 0700);
	{
		char at[64];

		snprintf(at, sizeof(at), "%s/a/m", top);
		ASSERT_EQ(0, mount("none", at, "tmpfs", 0, NULL));
		put(dir, "a/m/mounted", "x");
		EXPECT_EQ(-EXDEV, path_remove_tree(AT_FDCWD, top));
		EXPECT_EQ(0, fstatat(dir, "a/m/mounted", &st, 0));
		umount2(at, MNT_DETACH);
	}
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, top));
	EXPECT_EQ(0, fstatat(keep, "f", &st, 0));
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, kept));
}

TEST(cleaning_is_lexical_and_never_climbs)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "/", "/" }, { "", "/" }, { "///", "/" }, { "/a", "/a" }, { "/a/", "/a" }, { "//a///b//", "/a/b" },
		{ "/a/./b", "/a/b" }, { "/a/../b", "/b" }, { "/../../b", "/b" }, { "/a/b/../..", "/" }, { "/..", "/" },
		{ "/a/b/../../../c", "/c" }, { "a/b", "/a/b" }, { "/...", "/..." }, { "/a/.b/..c", "/a/.b/..c" },
	};
	char out[64], exact[5];
	size_t i;

	for (i = 0; i < N(rows); i++) {
		EXPECT_EQ(0, path_clean(rows[i].in, out, sizeof(out)));
		EXPECT_STREQ(rows[i].out, out);
	}
	EXPECT_EQ(0, path_clean("/abc", exact, 5));
	EXPECT_EQ(-ENAMETOOLONG, path_clean("/abcd", exact, 5));
	EXPECT_EQ(-ENAMETOOLONG, path_clean("/", exact, 1));
}

TEST_F(path, only_the_one_name_of_a_directory_is_resolved)
{
	static const struct { const char *name; int ok; } rows[] = {
		{ "/root/dir/sub", 1 }, { "/root/.hidden", 1 }, { "/root/..two", 1 }, { "/root", 1 },
		{ "/root/to-dir", 0 }, { "/root/abs-dir/sub", 0 }, { "/root/dir/", 0 }, { "/root//dir", 0 },
		{ "/root/./dir", 0 }, { "/root/dir/..", 0 }, { "/root/dir/.", 0 }, { "/root/dir/../dir", 0 },
		{ "/root/file-not-there", 0 }, { "/root/dir/file", 0 },
	};
	char path[256];
	size_t i;

	mkdirat(self->root, ".hidden", 0755);
	mkdirat(self->root, "..two", 0755);
	for (i = 0; i < N(rows); i++) {
		auto_fd fd = -1;

		snprintf(path, sizeof(path), "%s%s", self->top, rows[i].name);
		fd = path_open_resolved(path);
		EXPECT_EQ(rows[i].ok && !variant->err, fd >= 0) {
			TH_LOG("%s: %d", path, fd);
		}
	}
	EXPECT_LT(path_open_resolved("/"), 0);
	EXPECT_LT(path_open_resolved(""), 0);
	EXPECT_LT(path_open_resolved("tmp"), 0);
	EXPECT_LT(path_open_resolved("."), 0);
}

TEST_F(path, a_new_file_is_made_once)
{
	struct stat st;

	EXPECT_EQ(0, path_create(self->root, "new", 0600, "text", 4));
	EXPECT_EQ(0, fstatat(self->root, "new", &st, 0));
	EXPECT_EQ(4, st.st_size);
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(-EEXIST, path_create(self->root, "new", 0600, "more", 4));
	EXPECT_EQ(-EEXIST, path_create(self->root, "dangling", 0600, "more", 4));
	EXPECT_EQ(-ENOENT, path_create(self->root, "none/new", 0600, "more", 4));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building a root out of a hostile tree, in private mount namespaces, by the
 * new calls and by what older kernels have. Nothing outside of the root may
 * change, whatever links the tree has.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "deny.h"
#include "fd.h"
#include "pathfs.h"
#include "rootfs.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS(...) { (const char *[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) }

FIXTURE(root) { char top[48], path[64]; int topfd, out; };
FIXTURE_VARIANT(root) { int gone[10]; };
FIXTURE_VARIANT_ADD(root, by_the_new_calls) { { DENY_END } };
FIXTURE_VARIANT_ADD(root, without_mount_setattr) { { 442, DENY_END } };
FIXTURE_VARIANT_ADD(root, by_the_old_calls) { { 442, 428, 429, 430, 431, 432, 433, 437, DENY_END } };

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT, 0644);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* T/out is what must not change; T/root is the container's. */
FIXTURE_SETUP(root)
{
	static const char *const dirs[] = { "dev", "proc", "sys", "tmp", "dir", "data", "data/sub" };
	int root;
	size_t i;

	if (geteuid())
		SKIP(return, "needs root");
	umask(0);
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-root.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	self->topfd = open(self->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	mkdirat(self->topfd, "out", 0755);
	mkdirat(self->topfd, "root", 0755);
	self->out = openat(self->topfd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(self->out, "file", "outside");
	snprintf(self->path, sizeof(self->path), "%s/root", self->top);
	root = openat(self->topfd, "root", O_PATH | O_DIRECTORY);
	for (i = 0; i < N(dirs); i++)
		mkdirat(root, dirs[i], 0755);
	put(root, "file", "inside");
	put(root, "data/f", "data");
	close(root);
}
FIXTURE_TEARDOWN(root)
{
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
}

struct result { int r, check; struct err e; };
struct plan {
	const struct spec_mount *mounts;
	size_t n_mounts;
	struct strv masked, readonly;
	bool ro_root, devices, no_pivot;
	const char *cgroup;	/* the container's; "" for none */
	int (*check)(void);	/* inside, after the pivot: 0 or a number that says what */
};

static int *warned;	/* shared with the children */

static void warn(void *arg, const char *text)
{
	if (warned)
		++*warned;
}

static int before(void *arg, const char *type, struct err *e)
{
	return 0;
}

static int build(const char *top, const char *path, const struct plan *p, struct err *e)
{
	static struct arena a;
	static struct cg_host host;
	struct spec_root root = { .path = path, .readonly = p->ro_root };
	struct spec_linux l = { .masked_paths = p->masked, .readonly_paths = p->readonly };
	struct spec s = { .root = &root, .linux_ = &l, .mounts = { (void *)(uintptr_t)p->mounts, p->n_mounts } };
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r;
	struct rootfs rf = {
		.mnt = { .procfd = proc_open() }, .rootfd = -1, .bundle = top, .rootpath = path, .netns = true,
		.cg_host = &host, .cgroup = p->cgroup ? p->cgroup : "", .arena = &a, .warn = warn, .no_pivot = p->no_pivot,
	};

	r = cg_host_detect(&host, &a, e);
	if (r)
		return r;
	rf.tree = rootfs_tree(dir);
	if (rf.tree < 0 && rf.tree != -ENOSYS)
		return rf.tree;
	r = rootfs_begin(&rf, &s, e);
	if (!r)
		r = rootfs_mounts(&rf, &s, before, NULL, e);
	if (!r && p->devices)
		r = rootfs_devices(&rf, &s, e);
	if (!r)
		r = rootfs_masks(&rf, &s, e);
	if (!r)
		r = rootfs_readonly(&rf, &s, e);
	return r ? r : rootfs_pivot(&rf, &s, e);
}

/* In a child with a mount namespace of its own. */
static struct result run(const char *top, const char *path, const int *gone, const struct plan *p)
{
	struct result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct result res;
	int status;
	pid_t pid = fork();

	if (!pid) {
		shared->r = -1000;
		if (unshare(CLONE_NEWNS) || (gone[0] != DENY_END && deny_calls(ENOSYS, gone)))
			_exit(1);
		shared->r = build(top, path, p, &shared->e);
		shared->check = !shared->r && p->check ? p->check() : 0;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		shared->r = -2000 - status;
	res = *shared;
	munmap(shared, sizeof(*shared));
	return res;
}

static int outside_unchanged(int out)
{
	struct stat st;
	struct dirent *de;
	int n = 0, dup = openat(out, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(dup);

	while ((de = readdir(d)))
		n++;
	closedir(d);
	return n == 3 && !fstatat(out, "file", &st, 0) && st.st_size == 7 && S_ISREG(st.st_mode);
}

static bool mounted(const char *path, long magic)
{
	struct statfs sfs;
	struct stat a, b;
	char up[128];

	snprintf(up, sizeof(up), "%s/..", path);
	return !statfs(path, &sfs) && (!magic || sfs.f_type == magic) && !stat(path, &a) && !stat(up, &b) &&
	       a.st_dev != b.st_dev;
}
#define TMPFS_MAGIC_ 0x01021994

/* ---- links in the tree (security contract 2.2) ---- */

static int at_dir(void) { return mounted("/dir", TMPFS_MAGIC_) ? 0 : 1; }
static int at_made(void) { return mounted("/made/by/link", TMPFS_MAGIC_) ? 0 : 1; }
static int in_out(void) { return mounted("/inside-out", TMPFS_MAGIC_) ? 0 : 1; }

TEST_F(root, a_mount_lands_inside_whatever_the_links_say)
{
	static const struct {
		const char *link, *target, *dest, *type;
		int ok;
		const char *msg;
		int (*check)(void);
	} rows[] = {
		{ NULL, NULL, "/dir", "tmpfs", 1, NULL, at_dir }, { NULL, NULL, "dir", "tmpfs", 1, NULL, at_dir },
		{ NULL, NULL, "/../../dir", "tmpfs", 1, NULL, at_dir },
		{ "to", "/dir", "/to", "tmpfs", 1, NULL, at_dir }, { "to", "../../../dir", "/to", "tmpfs", 1, NULL, at_dir },
		{ "to", "/made/by/link", "/to", "tmpfs", 1, NULL, at_made },
		{ "to", "/inside-out", "/to", "tmpfs", 1, NULL, in_out },
		{ NULL, NULL, "/", "tmpfs", 0, "is the root file system itself", NULL },
		{ NULL, NULL, "/.", "tmpfs", 0, "is the root file system itself", NULL },
		{ NULL, NULL, "//..//", "tmpfs", 0, "is the root file system itself", NULL },
		{ NULL, NULL, "/dir/..", "tmpfs", 0, "is the root file system itself", NULL },
		{ "to", "/", "/to", "tmpfs", 0, "is the root file system itself", NULL },
		{ "to", "to", "/to", "tmpfs", 0, "make mountpoint", NULL },
		{ NULL, NULL, "/file", "tmpfs", 0, "make mountpoint", NULL },
		{ NULL, NULL, "/file/x", "tmpfs", 0, "make mountpoint", NULL },
		{ "lproc", "/dir", "/lproc", "proc", 0, "ordinary directory", NULL },
		{ "lsys", "/dir", "/lsys", "sysfs", 0, "ordinary directory", NULL },
		{ NULL, NULL, "/proc", "tmpfs", 0, "only a proc file system", NULL },
		{ NULL, NULL, "/proc/sys", "tmpfs", 0, "inside of /proc", NULL },
		{ NULL, NULL, "/dir/../proc/./self", "tmpfs", 0, "inside of /proc", NULL },
		{ NULL, NULL, "/dir", "nosuchfs", 0, "not known to this kernel", NULL },
		{ NULL, NULL, "/dir", NULL, 0, "has no type", NULL },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		struct spec_mount m = { .destination = rows[i].dest, .type = rows[i].type, .source = "x" };
		struct plan p = { .mounts = &m, .n_mounts = 1, .check = rows[i].check };
		char name[80] = "";
		struct result res;

		if (rows[i].link) {
			snprintf(name, sizeof(name), "root/%s", rows[i].link);
			ASSERT_EQ(0, symlinkat(rows[i].target, self->topfd, name));
		}
		res = run(self->top, self->path, variant->gone, &p);
		EXPECT_EQ(rows[i].ok, !res.r) {
			TH_LOG("%s (%s -> %s): %d %s", rows[i].dest, rows[i].link, rows[i].target, res.r, res.e.msg);
		}
		EXPECT_EQ(0, res.check) {
			TH_LOG("%s", rows[i].dest);
		}
		if (rows[i].msg) {
			EXPECT_NE(NULL, strstr(res.e.msg, rows[i].msg)) {
				TH_LOG("%s: %s", rows[i].dest, res.e.msg);
			}
			EXPECT_STREQ("/mounts/0", res.e.where);
		}
		if (name[0])
			unlinkat(self->topfd, name, 0);
		EXPECT_TRUE(outside_unchanged(self->out));
	}
}

TEST_F(root, dev_as_a_link_stays_inside)
{
	static const char *const targets[] = { "/tmp", "../../../../../tmp", NULL };
	char outside[80];
	size_t i;

	snprintf(outside, sizeof(outside), "%s/out", self->top);
	for (i = 0; i < 3; i++) {
		struct plan p = { .devices = true };
		struct result res;
		struct stat st;

		unlinkat(self->topfd, "root/dev", 0);
		unlinkat(self->topfd, "root/dev", AT_REMOVEDIR);
		ASSERT_EQ(0, symlinkat(targets[i] ? targets[i] : outside, self->topfd, "root/dev"));
		res = run(self->top, self->path, variant->gone, &p);
		EXPECT_EQ(0, res.r) {
			TH_LOG("%s: %s", res.e.where, res.e.msg);
		}
		EXPECT_EQ(0, fstatat(self->topfd, targets[i] ? "root/tmp/null" : "root/tmp/null", &st, 0));
		EXPECT_TRUE(outside_unchanged(self->out));
		EXPECT_NE(0, lstat("/tmp/full", &st));
	}
}

/* ---- masks, read-only ---- */

static int masks_hold(void)
{
	struct stat st;
	int fd;

	if (stat("/file", &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return 1;
	if (!mounted("/data", TMPFS_MAGIC_) || !access("/data/f", F_OK))
		return 2;
	if (open("/data/new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS)
		return 3;
	if (open("/dir/new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS)
		return 4;
	fd = open("/tmp/new", O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return 5;
	return access("/missing", F_OK) ? 0 : 6;
}

TEST_F(root, masks_do_not_trust_the_containers_null)
{
	static const char *const null[] = { NULL, "/proc/sys/kernel/core_pattern", "/file", "regular" };
	size_t i;

	for (i = 0; i < N(null); i++) {
		struct plan p = { .masked = WORDS("/file", "/data", "/missing", "/file/below", "/dir/../file"),
				  .readonly = WORDS("/dir", "/missing"), .check = masks_hold };
		struct result res;

		unlinkat(self->topfd, "root/dev/null", 0);
		if (i == 3) {
			int dev = openat(self->topfd, "root/dev", O_RDONLY);

			put(dev, "null", "not the null device");
			close(dev);
		} else if (null[i]) {
			ASSERT_EQ(0, symlinkat(null[i], self->topfd, "root/dev/null"));
		}
		res = run(self->top, self->path, variant->gone, &p);
		EXPECT_EQ(0, res.r) {
			TH_LOG("%s: %s", res.e.where, res.e.msg);
		}
		EXPECT_EQ(0, res.check);
		unlinkat(self->topfd, "root/tmp/new", 0);
	}
}

static int ro_root(void)
{
	if (open("/new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS)
		return 1;
	return open("/dir/new", O_WRONLY | O_CREAT, 0600) < 0 ? 2 : 0;	/* the tmpfs on it is not */
}

static int ro_tmpfs(void)
{
	struct stat st;

	/* Mount points were made in it before it turned read-only; it has the directory's mode. */
	if (!mounted("/dir/in/it", TMPFS_MAGIC_) || stat("/dir", &st) || (st.st_mode & 07777) != 0755)
		return 1;
	return open("/dir/new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS ? 2 : 0;
}

static int copied(void)
{
	char b[8] = "";
	int fd = open("/data/f", O_RDONLY);

	return mounted("/data", TMPFS_MAGIC_) && read(fd, b, 7) == 4 && !strcmp(b, "data") &&
	       !access("/data/sub", F_OK) ? 0 : 1;
}

static int flags_of_bind(void)
{
	struct statvfs a, b;

	if (statvfs("/dir", &a) || statvfs("/data", &b))
		return 1;
	if ((a.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) !=
	    (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC))
		return 2;
	if (b.f_flag & ST_RDONLY)
		return 3;
	return access("/dir/file", F_OK) ? 4 : 0;
}

static int only_the_second_dev(void)
{
	struct stat st;

	if (!mounted("/dev", TMPFS_MAGIC_) || !mounted("/dev/late", TMPFS_MAGIC_) || !access("/dev/early", F_OK))
		return 1;
	if (stat("/dev/null", &st) || !S_ISCHR(st.st_mode))
		return 2;
	return umount2("/dev", MNT_DETACH) || !mounted("/dev/early", TMPFS_MAGIC_) || !access("/dev/null", F_OK) ? 3 : 0;
}

/* What is kept of the tmpfs on /dev is what /dev leads to, however the next one on it is called. */
TEST_F(root, what_is_made_in_dev_is_in_the_topmost)
{
	static const char *const names[] = { "/dev", "/tmp/../dev", "//dev/.", "/todev" };
	size_t i;

	ASSERT_EQ(0, symlinkat("dev", self->topfd, "root/todev"));
	for (i = 0; i < N(names); i++) {
		const struct spec_mount m[] = {
			{ .destination = "/dev", .type = "tmpfs", .source = "t" },
			{ .destination = "/dev/early", .type = "tmpfs", .source = "t" },
			{ .destination = names[i], .type = "tmpfs", .source = "t" },
			{ .destination = "/dev/late", .type = "tmpfs", .source = "t" },
		};
		const struct plan p = { .mounts = m, .n_mounts = 4, .devices = true, .check = only_the_second_dev };
		struct result res = run(self->top, self->path, variant->gone, &p);

		EXPECT_EQ(0, res.r) {
			TH_LOG("%s: %s: %s", names[i], res.e.where, res.e.msg);
		}
		EXPECT_EQ(0, res.check) {
			TH_LOG("%s", names[i]);
		}
	}
}

TEST_F(root, options_take_effect)
{
	const struct spec_mount over[] = { { .destination = "/dir", .type = "tmpfs", .source = "t" } },
	      late[] = { { .destination = "/dir", .type = "tmpfs", .source = "t", .options = WORDS("ro") },
			 { .destination = "/dir/in/it", .type = "tmpfs", .source = "t" } },
	      copy[] = { { .destination = "/data", .type = "tmpfs", .source = "t", .options = WORDS("tmpcopyup") } },
	      bind[] = { { .destination = "/dir", .type = "bind", .source = "out",
			   .options = WORDS("bind", "ro", "nosuid", "nodev", "noexec") },
			 { .destination = "/data", .type = "none", .source = "out", .options = WORDS("rbind", "rw") } };
	const struct { const char *what; struct plan p; } rows[] = {
		{ "read-only root", { .mounts = over, .n_mounts = 1, .ro_root = true, .check = ro_root } },
		{ "read-only tmpfs", { .mounts = late, .n_mounts = 2, .check = ro_tmpfs } },
		{ "tmpcopyup", { .mounts = copy, .n_mounts = 1, .check = copied } },
		{ "bind", { .mounts = bind, .n_mounts = 2, .check = flags_of_bind } },
		{ "bind without pivot", { .mounts = bind, .n_mounts = 2, .no_pivot = true, .check = flags_of_bind } },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		struct result res = run(self->top, self->path, variant->gone, &rows[i].p);

		EXPECT_EQ(0, res.r) {
			TH_LOG("%s: %s: %s", rows[i].what, res.e.where, res.e.msg);
		}
		EXPECT_EQ(0, res.check) {
			TH_LOG("%s", rows[i].what);
		}
		EXPECT_TRUE(outside_unchanged(self->out));
	}
}

static int nothing_of_the_host(void)
{
	struct stat st, up;

	if (stat("/", &st) || stat("/..", &up) || st.st_ino != up.st_ino || access("/file", F_OK))
		return 1;
	return access("/etc", F_OK) ? 0 : 2;
}

TEST_F(root, after_the_pivot_the_host_is_gone)
{
	struct plan p = { .check = nothing_of_the_host };
	struct result res = run(self->top, self->path, variant->gone, &p);

	EXPECT_EQ(0, res.r);
	EXPECT_EQ(0, res.check);
	p.no_pivot = true;
	res = run(self->top, self->path, variant->gone, &p);
	EXPECT_EQ(0, res.r);
	EXPECT_EQ(0, res.check);
}

#define PROC_MAGIC_ 0x9fa0
static int proc_is_there(void)
{
	return mounted("/proc", PROC_MAGIC_) && !access("/proc/self/stat", F_OK) ? nothing_of_the_host() : 3;
}

/* Without pivot_root the host's proc goes; the container's own must not go with it. */
TEST_F(root, the_containers_own_proc_stays)
{
	const struct spec_mount m[] = { { .destination = "/proc", .type = "proc", .source = "proc" } };
	struct plan p = { .mounts = m, .n_mounts = 1, .check = proc_is_there };
	struct result res;
	int i;

	for (i = 0; i < 2; i++) {
		warned = mmap(NULL, sizeof(*warned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		p.no_pivot = i;
		res = run(self->top, self->path, variant->gone, &p);
		EXPECT_EQ(0, res.r) {
			TH_LOG("%s: %s", res.e.where, res.e.msg);
		}
		EXPECT_EQ(0, res.check);
		EXPECT_EQ(0, *warned);
	}
}

static int cgroups_are_shown(void)
{
	struct statfs sfs;

	if (statfs("/sys/fs/cgroup", &sfs))
		return 1;
	if (sfs.f_type == 0x63677270)
		return 0;
	return access("/sys/fs/cgroup/memory/tasks", F_OK) && access("/sys/fs/cgroup/pids/tasks", F_OK) ? 2 :
	       open("/sys/fs/cgroup/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS ? 0 : 3;
}

static int cgroups_are_hidden(void)
{
	return !mounted("/sys/fs/cgroup", TMPFS_MAGIC_) ? 1 : !access("/sys/fs/cgroup/memory", F_OK) ||
	       !access("/sys/fs/cgroup/cgroup.procs", F_OK) ? 2 :
	       open("/sys/fs/cgroup/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS ? 0 : 3;
}

TEST_F(root, the_cgroup_mount)
{
	const struct spec_mount m = { .destination = "/sys/fs/cgroup", .type = "cgroup", .source = "cgroup",
				      .options = WORDS("nosuid", "noexec", "nodev", "relatime", "ro") };
	struct plan p = { .mounts = &m, .n_mounts = 1, .cgroup = "/", .check = cgroups_are_shown };
	struct result res = run(self->top, self->path, variant->gone, &p);

	if (res.r && res.e.kind == ERR_UNSUPPORTED)
		SKIP(return, "this host has no cgroup hierarchy");
	EXPECT_EQ(0, res.r) {
		TH_LOG("%s: %s", res.e.where, res.e.msg);
	}
	EXPECT_EQ(0, res.check);
	/* Without one of its own, those of whoever made the container are not for it to see. */
	p.cgroup = "";
	p.check = cgroups_are_hidden;
	res = run(self->top, self->path, variant->gone, &p);
	EXPECT_EQ(0, res.r);
	EXPECT_EQ(0, res.check);
}

TEST_HARNESS_MAIN

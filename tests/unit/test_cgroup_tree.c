/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a cgroup on this kernel: made, entered, frozen, killed, removed. */
#include <sys/mman.h>
#include <time.h>
#include "cgroup.h"
#include "cgroup_fixture.h"
#include "kselftest_harness.h"

FIXTURE(cgroup) { struct test_cg t; };
FIXTURE_VARIANT(cgroup) { bool v2; };
FIXTURE_VARIANT_ADD(cgroup, v1) { .v2 = false };
FIXTURE_VARIANT_ADD(cgroup, v2) { .v2 = true };
FIXTURE_SETUP(cgroup)
{
	(void)test_cg_host(&self->t, variant->v2);
}
FIXTURE_TEARDOWN(cgroup) { test_cg_fini(&self->t); }

#define MAKE(t) ASSERT_EQ(0, cg_make(&(t)->cg, &(t)->host, (t)->path, NULL, NULL, &(t)->e)) \
	TH_LOG("%s", why(t))

static int count_dirs(struct test_cg *t, const char *path)
{
	int n = 0;

	for (size_t i = 0; i < t->host.n; i++) {
		char dir[CG_PATH_MAX];
		struct stat st;

		cg_join(&t->host, i, path, NULL, dir, sizeof(dir));
		n += !stat(dir, &st);
	}
	return n;
}

static bool in_cgroup(struct test_cg *t, pid_t pid)
{
	char name[64], text[8192], want[256];
	int n = 0, all = 0;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	if (cg_read(AT_FDCWD, name, text, sizeof(text)) < 0)
		return false;
	snprintf(want, sizeof(want), ":%s", t->path);
	for (char *p = text; (p = strstr(p, want)); p++)
		n++;
	for (size_t i = 0; i < t->host.n; i++)
		all += t->cg.dirfd[i] >= 0;
	return n == all;
}

TEST_F(cgroup, made_entered_listed_removed)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	pid_t pid, *pids;
	size_t n;
	struct cg again;

	MAKE(t);
	EXPECT_LT(0, count_dirs(t, t->path));
	for (size_t i = 0; i < t->host.n; i++) {
		EXPECT_EQ(t->cg.dirfd[i] >= 0, t->cg.made[i]);
	}
	pid = test_cg_child(t, fn_sleep, NULL);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(in_cgroup(t, pid));
	ASSERT_EQ(0, cg_open(&again, &t->host, t->path, &t->e));
	ASSERT_EQ(0, cg_pids(&again, &pids, &n, &t->e));
	ASSERT_EQ(1, n);
	EXPECT_EQ(pid, pids[0]);
	free(pids);
	cg_close(&again);
	ASSERT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(128 + SIGKILL, test_cg_wait(pid));
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, count_dirs(t, t->path));
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e));	/* absent: success */
	EXPECT_EQ(-ENOENT, cg_open(&again, &t->host, t->path, &t->e));
	EXPECT_EQ(ERR_NOT_FOUND, t->e.kind);
}

TEST_F(cgroup, enter_pid)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	pid_t pid;

	MAKE(t);
	pid = fork();
	if (!pid)
		_exit(fn_sleep(NULL));
	EXPECT_EQ(0, cg_enter_pid(&t->cg, pid, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_TRUE(in_cgroup(t, pid));
	EXPECT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e));
	EXPECT_EQ(128 + SIGKILL, test_cg_wait(pid));
}

/* Of v1 hierarchies that no limit is for, the file by which a process enters is enough. */
TEST_F(cgroup, opened_as_far_as_limits_need)
{
	HERE(&self->t);
	struct cg_pids pids = { .limit = 9, .has_limit = true };
	struct cg_limits l = { .pids = &pids };
	struct test_cg *t = &self->t;
	int entered = 0, dirs = 0;

	ASSERT_EQ(0, cg_make(&t->cg, &t->host, t->path, &l, NULL, &t->e))
		TH_LOG("%s", why(t));
	ASSERT_EQ(0, cg_enter_prepare(&t->cg, &t->e));
	for (size_t i = 0; i < t->host.n; i++) {
		if (!t->cg.made[i])
			continue;
		dirs += t->cg.dirfd[i] >= 0;
		entered += t->host.h[i].v2 || t->cg.enterfd[i] >= 0;
	}
	EXPECT_EQ(count_dirs(t, t->path), entered);
	EXPECT_LT(0, dirs);
	if (t->host.mode != CG_MODE_V2)
		EXPECT_EQ(cg_index(&t->host, "pids"), cg_controller(&t->cg, "pids"));
	if (test_cg_has(t, "pids"))
		EXPECT_EQ(0, cg_apply(&t->cg, &l, false, NULL, &t->e))
			TH_LOG("%s", why(t));
}

TEST_F(cgroup, levels_between_are_made_and_stay)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	char deep[200];
	struct cg c;

	snprintf(deep, sizeof(deep), "%s/a/b/c", t->path);
	ASSERT_EQ(0, cg_make(&c, &t->host, deep, NULL, NULL, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, cg_enter_prepare(&c, &t->e));
	cg_close(&c);
	EXPECT_EQ(0, cg_remove(&t->host, deep, &t->e));
	EXPECT_EQ(0, count_dirs(t, deep));
	*strrchr(deep, '/') = 0;
	EXPECT_LT(0, count_dirs(t, deep));
}

/* A level that cannot be made: what was made above it, and in the hierarchies before, goes again. */
TEST_F(cgroup, failure_leaves_nothing)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	char bad[700];
	struct cg c;

	snprintf(bad, sizeof(bad), "%s/a/cgroup.procs/b", t->path);
	EXPECT_GT(0, cg_make(&c, &t->host, bad, NULL, NULL, &t->e));
	EXPECT_EQ(ENOTDIR, t->e.errnum)
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, count_dirs(t, t->path));
	/* the last hierarchy fails: the others are undone */
	if (t->host.n > 1) {
		size_t last = t->host.n - (t->host.h[t->host.n - 1].v2 ? 2 : 1);

		t->e = (struct err){ 0 };
		t->host.h[last].mountpoint = "/proc/self";
		EXPECT_GT(0, cg_make(&c, &t->host, t->path, NULL, NULL, &t->e));
		EXPECT_NE(0, t->e.kind);
		EXPECT_EQ(0, count_dirs(t, t->path));
	}
}

TEST_F(cgroup, in_use_is_refused)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg second;
	pid_t pid;

	MAKE(t);
	/* empty: a left-over that may be used */
	ASSERT_EQ(0, cg_make(&second, &t->host, t->path, NULL, NULL, &t->e))
		TH_LOG("%s", why(t));
	for (size_t i = 0; i < t->host.n; i++) {
		EXPECT_FALSE(second.made[i]);
	}
	cg_close(&second);
	pid = test_cg_child(t, fn_sleep, NULL);
	EXPECT_GT(0, cg_make(&second, &t->host, t->path, NULL, NULL, &t->e));
	EXPECT_EQ(ERR_STATE, t->e.kind)
		TH_LOG("%s", why(t));
	EXPECT_LT(0, count_dirs(t, t->path));		/* it was not ours to undo */
	EXPECT_EQ(0, cg_kill(&t->cg, SIGKILL, NULL));
	test_cg_wait(pid);
	if (cg_freeze(&t->cg, true, NULL))
		return;
	t->e = (struct err){ 0 };
	EXPECT_GT(0, cg_make(&second, &t->host, t->path, NULL, NULL, &t->e));
	EXPECT_EQ(ERR_STATE, t->e.kind);
	EXPECT_NE(NULL, strstr(t->e.msg, "frozen"));
	EXPECT_EQ(0, cg_freeze(&t->cg, false, NULL));
}

/* Counts in shared memory as fast as it can: stands still when frozen. */
static int fn_count(void *arg)
{
	volatile unsigned long *n = arg;

	for (;;)
		++*n;
	return 0;
}

static bool counts_beyond(volatile unsigned long *n, unsigned long before)
{
	for (int k = 0; k < 1000; k++) {
		if (*n > before)
			return true;
		usleep(5000);
	}
	return false;
}

TEST_F(cgroup, frozen_stands_still)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	unsigned long *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long before;
	struct timespec tick = { .tv_nsec = 30000000 };
	pid_t pid;

	MAKE(t);
	pid = test_cg_child(t, fn_count, n);
	ASSERT_TRUE(counts_beyond(n, 0));
	EXPECT_EQ(0, cg_frozen(&t->cg));
	ASSERT_EQ(0, cg_freeze(&t->cg, true, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(1, cg_frozen(&t->cg));
	before = *(volatile unsigned long *)n;
	nanosleep(&tick, NULL);
	EXPECT_EQ(before, *(volatile unsigned long *)n);
	EXPECT_EQ(0, cg_freeze(&t->cg, true, &t->e));	/* twice is as once */
	ASSERT_EQ(0, cg_freeze(&t->cg, false, &t->e));
	EXPECT_EQ(0, cg_frozen(&t->cg));
	EXPECT_TRUE(counts_beyond(n, before));
	/* a signal to a frozen one is kept for the thaw; SIGKILL thaws */
	ASSERT_EQ(0, cg_freeze(&t->cg, true, &t->e));
	EXPECT_EQ(0, cg_kill(&t->cg, SIGTERM, &t->e));
	EXPECT_EQ(1, cg_frozen(&t->cg));
	EXPECT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, variant->v2 ? 0 : cg_frozen(&t->cg));
	test_cg_wait(pid);
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e))
		TH_LOG("%s", why(t));
}

/* Each process keeps the number of processes up; only an atomic kill or a freeze ends it. */
static int fn_bomb(void *arg)
{
	signal(SIGCHLD, SIG_IGN);
	for (int k = 0; k < 3; k++)
		if (!fork())
			for (;;)
				if (fork())
					_exit(0);
	for (;;)
		pause();
	return 0;
}

TEST_F(cgroup, fork_bomb_dies)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	pid_t pid, *pids;
	size_t n;

	MAKE(t);
	pid = test_cg_child(t, fn_bomb, NULL);
	usleep(50000);
	ASSERT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e))
		TH_LOG("%s", why(t));
	ASSERT_EQ(0, cg_pids(&t->cg, &pids, &n, &t->e));
	EXPECT_EQ(0, n);
	free(pids);
	EXPECT_EQ(128 + SIGKILL, test_cg_wait(pid));
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e))
		TH_LOG("%s", why(t));
}

/* The same as a kernel before 5.14 has to do it. */
TEST_F(cgroup, fork_bomb_dies_without_cgroup_kill)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	pid_t pid, *pids;
	size_t n;

	MAKE(t);
	pid = test_cg_child(t, fn_bomb, NULL);
	usleep(50000);
	ASSERT_EQ(0, cg_kill_listed(&t->cg, &t->e))
		TH_LOG("%s", why(t));
	ASSERT_EQ(0, cg_pids(&t->cg, &pids, &n, &t->e));
	EXPECT_EQ(0, n);
	free(pids);
	EXPECT_EQ(128 + SIGKILL, test_cg_wait(pid));
}

TEST_F(cgroup, below_a_threaded_one_is_refused)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	char path[200];
	struct cg c;

	if (!variant->v2)
		return;		/* v1 knows no threaded cgroups */
	MAKE(t);
	snprintf(path, sizeof(path), "%s/threads", t->path);
	ASSERT_EQ(0, mkdirat(t->cg.dirfd[0], "threads", 0755));
	ASSERT_EQ(0, path_write(t->cg.dirfd[0], "threads/cgroup.type", "threaded", 8));
	snprintf(path, sizeof(path), "%s/threads/c", t->path);
	EXPECT_GT(0, cg_make(&c, &t->host, path, NULL, NULL, &t->e));
	EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
	EXPECT_NE(NULL, strstr(t->e.msg, "threaded"))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, count_dirs(t, path));
}

TEST_F(cgroup, other_signals_go_to_all_once)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	pid_t a, b;

	MAKE(t);
	a = test_cg_child(t, fn_sleep, NULL);
	b = test_cg_child(t, fn_sleep, NULL);
	EXPECT_EQ(0, cg_kill(&t->cg, SIGUSR1, &t->e));
	EXPECT_EQ(128 + SIGUSR1, test_cg_wait(a));
	EXPECT_EQ(128 + SIGUSR1, test_cg_wait(b));
	EXPECT_EQ(0, cg_frozen(&t->cg));
}

TEST_F(cgroup, what_the_container_made_below_goes_too)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg sub;
	char path[300];
	pid_t pid, *pids;
	size_t n;

	MAKE(t);
	snprintf(path, sizeof(path), "%s/x/y", t->path);
	ASSERT_EQ(0, cg_make(&sub, &t->host, path, NULL, NULL, &t->e))
		TH_LOG("%s", why(t));
	pid = fork();
	if (!pid)
		_exit(fn_sleep(NULL));
	ASSERT_EQ(0, cg_enter_pid(&sub, pid, &t->e))
		TH_LOG("%s", why(t));
	cg_close(&sub);
	ASSERT_EQ(0, cg_pids(&t->cg, &pids, &n, &t->e));
	EXPECT_EQ(1, n);
	free(pids);
	ASSERT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e));
	EXPECT_EQ(128 + SIGKILL, test_cg_wait(pid));
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, count_dirs(t, t->path));
}

TEST_F(cgroup, remove_says_who_is_in_it)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	char want[32];
	pid_t pid;

	MAKE(t);
	pid = test_cg_child(t, fn_sleep, NULL);
	snprintf(want, sizeof(want), "pid %d first", (int)pid);
	EXPECT_GT(0, cg_remove(&t->host, t->path, &t->e));
	EXPECT_EQ(ERR_STATE, t->e.kind);
	EXPECT_NE(NULL, strstr(t->e.msg, want))
		TH_LOG("%s", why(t));
}

TEST_F(cgroup, root_is_never_removed)
{
	HERE(&self->t);
	static const char *const bad[] = { "", "/", "relative", "/a/../b" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		self->t.e = (struct err){ 0 };
		EXPECT_GT(0, cg_remove(&self->t.host, bad[i], &self->t.e));
		EXPECT_EQ(ERR_BUG, self->t.e.kind);
	}
}

TEST_F(cgroup, cpuset_has_its_parents_cpus)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	char root[256];
	int i;

	if (variant->v2)
		return;		/* there a new cpuset has its parent's */
	if (cg_index(&t->host, "cpuset") < 0)
		SKIP(return, "no cpuset controller of cgroup v1");
	MAKE(t);
	i = cg_index(&t->host, "cpuset");
	snprintf(root, sizeof(root), "%s/cpuset.cpus", t->host.h[i].mountpoint);
	ASSERT_LT(0, cg_read(AT_FDCWD, root, root, sizeof(root)));
	EXPECT_STREQ(root, test_cg_value(t, "cpuset", "cpuset.cpus"));
}

TEST_F(cgroup, delegated_files_change_their_owner)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct stat st;
	int r;

	MAKE(t);
	r = cg_delegate(&t->cg, 1234, &t->e);
	if (!variant->v2) {
		EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
		return;
	}
	ASSERT_EQ(0, r)
		TH_LOG("%s", why(t));
	ASSERT_EQ(0, fstat(t->cg.dirfd[0], &st));
	EXPECT_EQ(1234, st.st_uid);
	ASSERT_EQ(0, fstatat(t->cg.dirfd[0], "cgroup.procs", &st, 0));
	EXPECT_EQ(1234, st.st_uid);
	ASSERT_EQ(0, fstatat(t->cg.dirfd[0], "cgroup.max.depth", &st, 0));
	EXPECT_EQ(0, st.st_uid);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int fn_exit(void *arg)
{
	return 0;
}

/* The way in must not wait for a grace period, which is longer than many clones. */
TEST_F(cgroup, entering_is_fast)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	double best = 1e9, floor = 1e9;

	MAKE(t);
	for (int k = 0; k < 10; k++) {
		double from = now_us();
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		EXPECT_EQ(0, test_cg_wait(pid));
		if (now_us() - from < floor)
			floor = now_us() - from;
		from = now_us();
		EXPECT_EQ(0, test_cg_wait(test_cg_child(t, fn_exit, NULL)));
		if (now_us() - from < best)
			best = now_us() - from;
		usleep(30000);
	}
	TH_LOG("fork, exit, reap: %.0f us; in the cgroup: %.0f us", floor, best);
	EXPECT_GT(4 * floor + 2000, best);
}

TEST(mountinfo)
{
	static const char text[] =
		"30 1 0:2 / / rw,relatime - ext4 /dev/sda rw\n"
		"36 25 0:31 / /sys/fs/cgroup/x cgroup rw - cgroup cgroup rw,cpu,cpuacct\n"
		"37 25 0:31 /docker/abc /mnt/cg\\040p rw shared:3 - cgroup cgroup rw,memory\n"
		"38 1 0:2 / /sd rw - cgroup systemd rw,xattr,name=systemd\n"
		"39 1 0:2 / /v2 rw - cgroup2 none rw,nsdelegate\n"
		"40 broken";
	static const struct { const char *controllers, *mountpoint, *root; } v[] = {
		{ "cpu,cpuacct", "/sys/fs/cgroup/x", "/" }, { "memory", "/mnt/cg p", "/docker/abc" },
		{ "name=systemd", "/sd", "/" }, { "", "/v2", "/" }, { "pids", NULL, NULL },
		{ "relatime", NULL, NULL }, { "mem", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char copy[sizeof(text)], *mountpoint = NULL, *root = NULL;

		memcpy(copy, text, sizeof(copy));
		EXPECT_EQ(v[i].mountpoint != NULL,
			  cg_mountinfo_find(copy, v[i].controllers, &mountpoint, &root));
		if (v[i].mountpoint && mountpoint) {
			EXPECT_STREQ(v[i].mountpoint, mountpoint);
			EXPECT_STREQ(v[i].root, root);
		}
	}
}

TEST(detect)
{
	struct test_cg t;
	int fd;

	(void)test_cg_host(&t, false);
	if (geteuid())
		SKIP(return, "%s", t.no);
	for (size_t i = 0; i < t.host.n; i++) {
		EXPECT_EQ('/', t.host.h[i].mountpoint[0]);
		EXPECT_EQ('/', t.host.h[i].own_path[0]);
		fd = cg_open_dir(&t.host, i, t.host.h[i].own_path, SIZE_MAX);
		EXPECT_LE(0, fd);
		EXPECT_TRUE(cg_has_file(fd, "cgroup.procs"));
		close(fd);
	}
	switch (t.host.mode) {
	case CG_MODE_V2:
		EXPECT_EQ(1, t.host.n);
		break;
	case CG_MODE_HYBRID:
		EXPECT_TRUE(t.host.h[t.host.n - 1].v2);
		break;
	case CG_MODE_V1:
		EXPECT_FALSE(t.host.h[t.host.n - 1].v2);
		break;
	case CG_MODE_NONE:
		EXPECT_EQ(0, t.host.n);
		break;
	}
	arena_fini(&t.arena);
}

/* A kernel that forgets them panics when the device goes. */
TEST(limits_of_rdma_devices_go_first)
{
	static const char limits[] = "one hca_handle=max hca_object=max\ntwo hca_handle=3 hca_object=max\n";
	static const char want[] = "two hca_handle=max hca_object=max";
	struct cg_host host = { .mode = CG_MODE_V1, .n = 2 };
	char top[] = "/tmp/cleat-rdma-XXXXXX", dir[64], file[80], got[128] = "";
	FILE *f;

	ASSERT_NE(NULL, mkdtemp(top));
	host.h[0] = (struct cg_hierarchy){ .controllers = "pids", .mountpoint = "/nonexistent" };
	host.h[1] = (struct cg_hierarchy){ .controllers = "rdma", .mountpoint = top };
	snprintf(dir, sizeof(dir), "%s/c", top);
	snprintf(file, sizeof(file), "%s/rdma.max", dir);
	ASSERT_EQ(0, mkdir(dir, 0755));
	f = fopen(file, "w");
	ASSERT_NE(NULL, f);
	fputs(limits, f);
	fclose(f);
	EXPECT_EQ(-EBUSY, cg_remove_empty(&host, "/c"));	/* a file that only the kernel could remove */
	f = fopen(file, "r");
	ASSERT_NE(NULL, f);
	got[fread(got, 1, sizeof(got) - 1, f)] = 0;
	fclose(f);
	/* Only the device with a limit, in one write, which in a real file is a command. */
	EXPECT_EQ(0, strncmp(got, want, strlen(want))) TH_LOG("%s", got);
	unlink(file);
	rmdir(dir);
	rmdir(top);
}

/* No cgroup file system at all: containers go without, limits are refused by name. */
TEST(host_without_cgroups)
{
	struct cg_host none = { .mode = CG_MODE_NONE };
	struct cg_memory m = { .limit = 1 << 20, .has_limit = true };
	struct cg_limits l = { .memory = &m };
	struct err e = { 0 };
	struct cg c;

	EXPECT_EQ(0, cg_make(&c, &none, "/x", NULL, NULL, &e));
	EXPECT_EQ(0, cg_apply(&c, NULL, false, NULL, &e));
	EXPECT_EQ(0, cg_enter_pid(&c, getpid(), &e));
	EXPECT_EQ(0, cg_kill(&c, SIGKILL, &e));
	EXPECT_EQ(0, cg_frozen(&c));
	EXPECT_EQ(-EOPNOTSUPP, cg_enter_fd(&c));
	EXPECT_GT(0, cg_apply(&c, &l, false, NULL, &e));
	EXPECT_EQ(ERR_UNSUPPORTED, e.kind);
	EXPECT_NE(NULL, strstr(e.msg, "memory"));
	EXPECT_EQ(0, cg_remove(&none, "/x", NULL));
}

TEST_HARNESS_MAIN

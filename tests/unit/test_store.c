/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory: who may own it, what state.json may say, locks, and who is dead. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "child.h"
#include "fd.h"
#include "pathfs.h"
#include "store.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

FIXTURE(store) { char top[64], root[80]; struct err e; int procfd; };
FIXTURE_SETUP(store)
{
	umask(022);
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-store.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	snprintf(self->root, sizeof(self->root), "%s/a/b", self->top);
	memset(&self->e, 0, sizeof(self->e));
	self->procfd = proc_open();
}
FIXTURE_TEARDOWN(store)
{
	close(self->procfd);
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
}

TEST_F(store, the_root_is_ours_and_nobody_elses)
{
	static const struct { mode_t mode; int ok; } modes[] = {
		{ 0700, 1 }, { 0711, 1 }, { 0755, 1 }, { 0720, 0 }, { 0702, 0 }, { 0777, 0 }, { 01777, 1 },
	};
	char slashes[100];
	struct stat st;
	size_t i;
	int fd;

	EXPECT_EQ(-ENOENT, store_root(self->root, false, &self->e));
	EXPECT_EQ(ERR_NOT_FOUND, self->e.kind);
	snprintf(slashes, sizeof(slashes), "%s//", self->root);
	fd = store_root(slashes, true, &self->e);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0700, st.st_mode & 07777);	/* also with slashes behind it */
	close(fd);
	for (i = 0; i < N(modes); i++) {
		struct err e = { 0 };

		chmod(self->root, modes[i].mode);
		fd = store_root(self->root, true, &e);
		EXPECT_EQ(modes[i].ok, fd >= 0) {
			TH_LOG("mode %o", modes[i].mode);
		}
		EXPECT_EQ(modes[i].ok ? ERR_NONE : ERR_DENIED, e.kind);
		fd_close(&fd);
	}
	err_clear(&self->e);
	EXPECT_LT(store_root("run/x", true, &self->e), 0);
	EXPECT_EQ(ERR_SPEC, self->e.kind);
	EXPECT_LT(store_root("/", true, &(struct err){ 0 }), 0);
	EXPECT_LT(store_root("/tmp/..", true, &(struct err){ 0 }), 0);
	if (geteuid())
		return;
	chmod(self->root, 0700);
	ASSERT_EQ(0, chown(self->root, 1234, -1));
	err_clear(&self->e);
	EXPECT_EQ(-EPERM, store_root(self->root, true, &self->e));
	EXPECT_EQ(ERR_DENIED, self->e.kind);
}

static struct state sample(const char *id)
{
	return (struct state){ .version = STORE_VERSION, .oci_version = "1.0.2", .id = id, .bundle = "/b/\xc3\xa9",
			       .rootfs = "/r", .created = "2026-01-01T00:00:00Z", .owner = 7, .pid = 42,
			       .start_time = UINT64_MAX, .cgroup = "/c", .own_pidns = true, .terminal = true,
			       .namespaces = 0x7c020000 };
}

TEST_F(store, what_is_saved_is_loaded_and_all_is_removed)
{
	auto_store s = STORE_INIT, other = STORE_INIT;
	auto_arena a = ARENA_INIT;
	struct state in = sample("c1"), out;
	struct stat st;

	in.annotations.v = (struct keyval[]){ { "k", "v\n\"" } };
	in.annotations.n = 1;
	ASSERT_EQ(0, store_make(&s, self->root, "c1", &self->e));
	EXPECT_LT(store_make(&other, self->root, "c1", &self->e), 0);
	EXPECT_EQ(ERR_EXISTS, self->e.kind);
	EXPECT_STREQ("container with given ID already exists", self->e.msg);
	err_clear(&self->e);
	EXPECT_EQ(-ENOENT, store_load(&s, &a, &out, &self->e));
	ASSERT_EQ(0, store_save(&s, &in, &self->e));
	ASSERT_EQ(0, fstatat(s.dirfd, "state.json", &st, 0));
	EXPECT_EQ(0600, st.st_mode & 07777);
	ASSERT_EQ(0, store_load(&s, &a, &out, &self->e)) {
		TH_LOG("%s: %s", self->e.where, self->e.msg);
	}
	EXPECT_STREQ("/b/\xc3\xa9", out.bundle);
	EXPECT_EQ(UINT64_MAX, out.start_time);
	EXPECT_EQ(42, out.pid);
	EXPECT_EQ(7, out.owner);
	EXPECT_TRUE(out.own_pidns && out.terminal);
	EXPECT_EQ(in.namespaces, out.namespaces);
	EXPECT_STREQ("v\n\"", out.annotations.v[0].val);
	EXPECT_EQ(NULL, out.hooks);
	mkdirat(s.dirfd, "odd", 0700);		/* whatever else there is */
	EXPECT_EQ(0, store_remove(&s, &self->e));
	EXPECT_NE(0, fstatat(s.rootfd, "c1", &st, 0));
	EXPECT_EQ(0, store_remove(&s, &self->e));
	EXPECT_EQ(-ENOENT, store_open(&other, self->root, "c1", STORE_NO_LOCK, &self->e));
	EXPECT_STREQ("container does not exist", self->e.msg);
	EXPECT_EQ(ERR_NOT_FOUND, self->e.kind);
	EXPECT_EQ(-1, other.rootfd);
}

#define REST "\"ociVersion\":\"1\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"x\""
TEST_F(store, a_damaged_state_is_an_error_that_says_where)
{
	static const struct { const char *text, *where; } rows[] = {
		{ "{\"version\":1,\"id\":\"c\"," REST "}", NULL },
		{ "{\"version\":1,\"id\":\"c\"," REST ",\"unknown\":[1,{}]}", NULL },
		{ "", "" }, { "{", "" }, { "null", "" }, { "[]", "" }, { "{}", "" }, { "\0\0", "" },
		{ "{\"version\":1,\"id\":\"c\"," REST "} x", "" },
		{ "{\"version\":2,\"id\":\"c\"," REST "}", "/version" }, { "{\"version\":0,\"id\":\"c\"," REST "}", "/version" },
		{ "{\"version\":\"1\",\"id\":\"c\"," REST "}", "/version" },
		{ "{\"version\":1,\"id\":\"d\"," REST "}", "/id" }, { "{\"version\":1,\"id\":7," REST "}", "/id" },
		{ "{\"version\":1," REST "}", "" },
		{ "{\"version\":1,\"id\":\"c\",\"pid\":-1," REST "}", "/pid" },
		{ "{\"version\":1,\"id\":\"c\",\"pid\":2147483648," REST "}", "/pid" },
		{ "{\"version\":1,\"id\":\"c\",\"pid\":1.5," REST "}", "/pid" },
		{ "{\"version\":1,\"id\":\"c\",\"startTime\":18446744073709551616," REST "}", "/startTime" },
		{ "{\"version\":1,\"id\":\"c\",\"ownPidNamespace\":1," REST "}", "/ownPidNamespace" },
		{ "{\"version\":1,\"id\":\"c\",\"cgroup\":\"\\u0000\"," REST "}", "/cgroup" },
		{ "{\"version\":1,\"id\":\"c\",\"hooks\":{\"poststop\":[{}]}," REST "}", "/hooks/poststop/0" },
		{ "{\"version\":1,\"id\":\"c\",\"annotations\":{\"a\":1}," REST "}", "/annotations/a" },
	};
	auto_store s = STORE_INIT;
	size_t i;

	ASSERT_EQ(0, store_make(&s, self->root, "c", &self->e));
	for (i = 0; i < N(rows); i++) {
		auto_arena a = ARENA_INIT;
		struct err e = { 0 };
		struct state st;

		ASSERT_EQ(0, path_replace(s.dirfd, "state.json", 0600, rows[i].text, strlen(rows[i].text)));
		EXPECT_EQ(!rows[i].where, !store_load(&s, &a, &st, &e)) {
			TH_LOG("%s", rows[i].text);
		}
		if (rows[i].where) {
			EXPECT_NE(ERR_NONE, e.kind);
			EXPECT_NE(ERR_NOT_FOUND, e.kind);
			EXPECT_NE(NULL, strstr(e.where, rows[i].where)) {
				TH_LOG("%s: at \"%s\": %s", rows[i].text, e.where, e.msg);
			}
		} else {
			EXPECT_STREQ("", st.cgroup);
			EXPECT_EQ(CLEAT_CREATING, store_status(&s, &st, self->procfd, NULL));
		}
	}
	unlinkat(s.dirfd, "state.json", 0);
	ASSERT_EQ(0, mkfifoat(s.dirfd, "state.json", 0600));
	EXPECT_EQ(-EINVAL, store_load(&s, &(struct arena){ 0 }, &(struct state){ 0 }, &self->e));
	unlinkat(s.dirfd, "state.json", 0);
	{
		auto_fd big = openat(s.dirfd, "state.json", O_WRONLY | O_CREAT, 0600);

		ASSERT_EQ(0, ftruncate(big, 2 << 20));
		EXPECT_EQ(-EFBIG, store_load(&s, &(struct arena){ 0 }, &(struct state){ 0 }, &(struct err){ 0 }));
	}
}

TEST_F(store, locks_exclude_and_share)
{
	auto_store s = STORE_INIT, t = STORE_INIT, u = STORE_INIT;
	struct err e = { 0 };
	int status;
	pid_t pid;

	ASSERT_EQ(0, store_make(&s, self->root, "c", &e));
	EXPECT_EQ(FD_CLOEXEC, fcntl(s.lockfd, F_GETFD));
	EXPECT_EQ(0, store_open(&t, self->root, "c", STORE_NO_LOCK, &e));	/* nobody waits for a create to look */
	store_close(&t);
	store_close(&s);
	EXPECT_EQ(0, store_open(&s, self->root, "c", STORE_SHARED, &e));
	EXPECT_EQ(0, store_open(&t, self->root, "c", STORE_SHARED, &e));
	pid = fork();
	if (!pid) {
		store_close(&s);
		store_close(&t);
		_exit(store_open(&u, self->root, "c", STORE_EXCLUSIVE, &e) ? 1 : 0);
	}
	usleep(100000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	store_close(&s);
	usleep(50000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	store_close(&t);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(store, of_two_creates_exactly_one_wins)
{
	int round, i, status, won;
	char dir[120];

	for (round = 0; round < 100; round++) {
		won = 0;
		for (i = 0; i < 3; i++) {
			pid_t pid = fork();

			if (!pid) {
				auto_store s = STORE_INIT;
				struct err e = { 0 };
				int r = store_make(&s, self->root, "same", &e);

				usleep(1000);
				_exit(!r ? 0 : e.kind == ERR_EXISTS ? 1 : 2);
			}
		}
		for (i = 0; i < 3; i++) {
			wait(&status);
			EXPECT_NE(2, WEXITSTATUS(status));
			won += !WEXITSTATUS(status);
		}
		EXPECT_EQ(1, won);
		snprintf(dir, sizeof(dir), "%s/same", self->root);
		ASSERT_EQ(0, path_remove_tree(AT_FDCWD, dir));
	}
}

TEST_F(store, who_waited_for_a_deleted_container_finds_none)
{
	auto_store s = STORE_INIT;
	struct err e = { 0 };
	int i, status;

	ASSERT_EQ(0, store_make(&s, self->root, "c", &e));
	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			auto_store t = STORE_INIT;

			/* The copy of the lock's fd would keep it held. */
			store_close(&s);
			_exit(store_open(&t, self->root, "c", i & 1 ? STORE_SHARED : STORE_EXCLUSIVE, &e) == -ENOENT &&
			      e.kind == ERR_NOT_FOUND ? 0 : 1);
		}
	}
	usleep(100000);
	EXPECT_EQ(0, store_remove(&s, &e));
	store_close(&s);
	for (i = 0; i < 4; i++) {
		wait(&status);
		EXPECT_EQ(0, status);
	}
}

/* An operation on the id of a container that is being made may take the lock first. */
TEST_F(store, a_create_survives_who_looks_at_it_early)
{
	auto_child looker = fork();
	int i;

	if (!looker) {
		for (;;) {
			auto_store t = STORE_INIT;

			store_open(&t, self->root, "c", STORE_SHARED, &(struct err){ 0 });
		}
	}
	for (i = 0; i < 2000; i++) {
		auto_store s = STORE_INIT;
		struct err e = { 0 };

		ASSERT_EQ(0, store_make(&s, self->root, "c", &e)) {
			TH_LOG("round %d: %s", i, e.msg);
		}
		ASSERT_EQ(0, store_remove(&s, &e));
	}
}

TEST_F(store, bad_ids_are_refused_before_any_path_is_made_of_them)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/", "../c", "a b", "a\n", "\xc3\xa9" };
	auto_store s = STORE_INIT;
	size_t i;

	for (i = 0; i < N(bad); i++) {
		struct err e = { 0 };

		EXPECT_LT(store_open(&s, self->root, bad[i], STORE_NO_LOCK, &e), 0);
		EXPECT_EQ(ERR_SPEC, e.kind) {
			TH_LOG("\"%s\"", bad[i]);
		}
	}
}

TEST_F(store, status_is_derived_from_the_process)
{
	auto_store s = STORE_INIT;
	struct state st = sample("c");
	struct rlimit none = { 0, 0 }, old;
	struct child_stat now;
	int fd, status;

	ASSERT_EQ(0, store_make(&s, self->root, "c", &self->e));
	st.cgroup = "";
	st.pid = fork();
	if (!st.pid) {
		pause();
		_exit(0);
	}
	ASSERT_EQ(0, child_stat(self->procfd, st.pid, &now));
	st.start_time = now.start_time;
	EXPECT_EQ(CLEAT_RUNNING, store_status(&s, &st, self->procfd, NULL));
	ASSERT_EQ(0, mkfifoat(s.dirfd, "exec.fifo", 0600));
	EXPECT_EQ(CLEAT_CREATED, store_status(&s, &st, self->procfd, NULL));
	/* Without an fd to look with, nobody is dead. */
	getrlimit(RLIMIT_NOFILE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	EXPECT_NE(CLEAT_STOPPED, store_status(&s, &st, self->procfd, NULL));
	EXPECT_TRUE(store_alive(&st, self->procfd));
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(-ETIME, store_wait_dead(&st, self->procfd, -1, 30));
	fd = store_pidfd(&st, self->procfd);
	EXPECT_TRUE(fd >= 0 || fd == -ENOSYS);
	fd_close(&fd);
	/* The pid of somebody else who was started at another time. */
	st.start_time++;
	EXPECT_EQ(CLEAT_STOPPED, store_status(&s, &st, self->procfd, NULL));
	EXPECT_LT(store_pidfd(&st, self->procfd), 0);
	st.start_time--;
	kill(st.pid, SIGKILL);
	EXPECT_EQ(0, store_wait_dead(&st, self->procfd, -1, 5000));	/* a zombie is dead */
	EXPECT_EQ(CLEAT_STOPPED, store_status(&s, &st, self->procfd, NULL));
	EXPECT_EQ(-ESRCH, store_pidfd(&st, self->procfd));
	waitpid(st.pid, &status, 0);
	EXPECT_EQ(CLEAT_STOPPED, store_status(&s, &st, self->procfd, NULL));
	EXPECT_EQ(-ESRCH, store_pidfd(&st, self->procfd));
	st.pid = 0;
	EXPECT_EQ(CLEAT_CREATING, store_status(&s, &st, self->procfd, NULL));
	EXPECT_EQ(-ESRCH, store_pidfd(&st, self->procfd));
}

TEST_F(store, the_cache_is_private_or_not_used)
{
	char path[120];
	int fd = store_cache(self->root);

	ASSERT_GE(fd, 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/.cache/seccomp", self->root);
	chmod(path, 0755);
	EXPECT_EQ(-1, store_cache(self->root));
	rmdir(path);
	ASSERT_EQ(0, symlink("/tmp", path));
	EXPECT_EQ(-1, store_cache(self->root));
}

TEST_HARNESS_MAIN

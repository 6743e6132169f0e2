/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sync messages, namespace files, maps, and who is whose parent after a launch. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "child.h"
#include "deny.h"
#include "fd.h"
#include "fdio.h"
#include "idmap.h"
#include "join.h"
#include "launch.h"
#include "pathfs.h"
#include "stage.h"
#include "sync.h"
#include "sysx.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define CGROUP2 "/sys/fs/cgroup/unified"

static int open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- sync ---- */

FIXTURE(sync) { int sv[2]; };
FIXTURE_SETUP(sync) { ASSERT_EQ(0, fdio_socketpair(self->sv)); }
FIXTURE_TEARDOWN(sync) { fd_close(&self->sv[0]); fd_close(&self->sv[1]); }

TEST_F(sync, messages_arrive_with_at_most_one_fd)
{
	struct err why = { 0 };
	struct sync_msg m;
	int fd, before, v[3] = { 0, 1, 2 };

	ASSERT_EQ(0, sync_send(self->sv[0], SYNC_CHILD, 42, 1));
	before = open_fds();
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, &fd));
	EXPECT_EQ(SYNC_CHILD, m.type);
	EXPECT_EQ(42, m.value);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	ASSERT_EQ(0, sync_send(self->sv[0], SYNC_READY, -1, -1));
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, &fd));
	EXPECT_EQ(-1, fd);
	/* fds that nobody asked for */
	ASSERT_EQ(0, fdio_send(self->sv[0], &m, sizeof(m), v, 3));
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, NULL));
	ASSERT_EQ(0, fdio_send(self->sv[0], &m, sizeof(m), v, 3));
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, &fd));
	close(fd);
	EXPECT_EQ(before, open_fds());
	err_set(&why, ERR_SPEC, -ENOENT, "/a", "it is not there");
	sync_fail(self->sv[0], &why);
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, NULL));
	EXPECT_EQ(SYNC_FAILED, m.type);
	EXPECT_EQ(ENOENT, m.err.errnum);
	EXPECT_STREQ("it is not there", m.err.msg);
	sync_warn(self->sv[0], "50% of it");
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, NULL));
	EXPECT_EQ(SYNC_WARN, m.type);
	EXPECT_STREQ("50% of it", m.err.msg);
	fd_close(&self->sv[0]);
	EXPECT_EQ(0, sync_recv(self->sv[1], &m, NULL));
}

TEST_F(sync, nonsense_is_refused_and_its_fd_closed)
{
	struct sync_msg m, bad[5] = { { .type = 0 }, { .type = SYNC_FAILED + 1 }, { .type = 0x7fffffff },
				      { .type = SYNC_FAILED }, { .type = SYNC_WARN } };
	int one = 1, fd, before = open_fds();
	size_t i;

	bad[4].err.kind = ERR_KIND_MAX;
	for (i = 0; i < N(bad); i++) {
		ASSERT_EQ(0, fdio_send(self->sv[0], &bad[i], sizeof(bad[i]), &one, 1));
		EXPECT_EQ(-EPROTO, sync_recv(self->sv[1], &m, &fd)) {
			TH_LOG("message %zu", i);
		}
		EXPECT_EQ(-1, fd);
	}
	bad[0].type = SYNC_GO;
	for (i = 1; i < sizeof(m); i += 37) {
		ASSERT_EQ(0, fdio_send(self->sv[0], &bad[0], i, &one, 1));
		EXPECT_EQ(-EPROTO, sync_recv(self->sv[1], &m, &fd));
	}
	{
		char big[sizeof(m) + 1] = { SYNC_GO };

		ASSERT_EQ(0, fdio_send(self->sv[0], big, sizeof(big), &one, 1));
		EXPECT_EQ(-EPROTO, sync_recv(self->sv[1], &m, &fd));
	}
	/* a text without an end is given one */
	memset(&bad[0], 'x', sizeof(bad[0]));
	bad[0].type = SYNC_FAILED;
	bad[0].err.kind = ERR_PEER;
	ASSERT_EQ(0, fdio_send(self->sv[0], &bad[0], sizeof(m), NULL, 0));
	ASSERT_EQ(1, sync_recv(self->sv[1], &m, NULL));
	EXPECT_EQ(sizeof(m.err.msg) - 1, strlen(m.err.msg));
	EXPECT_EQ(before, open_fds());
}

TEST_F(sync, only_go_lets_go)
{
	int type;

	for (type = SYNC_GO; type <= SYNC_READY; type++) {
		ASSERT_EQ(0, sync_send(self->sv[0], type, 0, -1));
		EXPECT_EQ(type == SYNC_GO ? 0 : -ECANCELED, sync_wait_go(self->sv[1]));
	}
	ASSERT_EQ(0, sync_send(self->sv[0], SYNC_GO, 0, -1));
	EXPECT_EQ(0, sync_ask(self->sv[1], SYNC_LIMITS, 0));
	fd_close(&self->sv[0]);
	EXPECT_EQ(-ECANCELED, sync_wait_go(self->sv[1]));
	EXPECT_EQ(-ECANCELED, sync_ask(self->sv[1], SYNC_READY, 0));
}

/* ---- stages ---- */

STAGE(toy, STAGE_SEAL);
struct toy_ctx { char done[16]; int fail_at, how; };

static int toy_do(struct toy_ctx *c, char name, struct err *e)
{
	size_t n = strlen(c->done);

	c->done[n] = name;
	if ((int)n != c->fail_at)
		return 0;
	if (c->how == 1)
		return err_set(e, ERR_SPEC, -ENOENT, "/x", "own words");
	if (c->how == 2) {
		e->kind = ERR_PEER;
		e->stage = STAGE_INIT;
		e->step = 9;
	}
	return -EIO;
}
static void toy_undo(struct toy_ctx *c, char name) { c->done[strlen(c->done)] = name; }
static int toy_a(struct toy_ctx *c, struct err *e) { return toy_do(c, 'a', e); }
static int toy_b(struct toy_ctx *c, struct err *e) { return toy_do(c, 'b', e); }
static int toy_c(struct toy_ctx *c, struct err *e) { return toy_do(c, 'c', e); }
static void toy_ua(struct toy_ctx *c) { toy_undo(c, 'A'); }
static void toy_uc(struct toy_ctx *c) { toy_undo(c, 'C'); }

TEST(stages_undo_what_was_done_in_reverse)
{
	static const struct toy_step steps[] = { { "a", toy_a, toy_ua }, { "b", toy_b, NULL }, { "c", toy_c, toy_uc } };
	static const struct { int fail_at, how; const char *done; int r, kind, stage, step; } rows[] = {
		{ -1, 0, "abc", 0, ERR_NONE, STAGE_NONE, 0 },
		{ 0, 0, "a", -EIO, ERR_KERNEL, STAGE_SEAL, 1 },
		{ 1, 0, "abA", -EIO, ERR_KERNEL, STAGE_SEAL, 2 },
		{ 2, 1, "abcA", -ENOENT, ERR_SPEC, STAGE_SEAL, 3 },
		{ 2, 2, "abcA", -EIO, ERR_PEER, STAGE_INIT, 9 },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		struct toy_ctx c = { .fail_at = rows[i].fail_at, .how = rows[i].how };
		struct err e = { 0 };

		EXPECT_EQ(rows[i].r, toy_run(steps, 3, &c, &e));
		EXPECT_STREQ(rows[i].done, c.done);
		EXPECT_EQ(rows[i].kind, e.kind);
		EXPECT_EQ(rows[i].stage, e.stage);
		EXPECT_EQ(rows[i].step, e.step);
	}
}

/* ---- namespace files ---- */

TEST(namespace_files_are_checked_and_nothing_blocks)
{
	char dir[] = "/tmp/cleat-ns.XXXXXX", fifo[64];
	struct { const char *path; int flag; const char *msg; } rows[] = {
		{ "/proc/self/ns/net", CLONE_NEWNET, NULL }, { "/proc/self/ns/mnt", CLONE_NEWNS, NULL },
		{ "/proc/self/ns/user", CLONE_NEWUSER, NULL },
		{ "/proc/self/ns/net", CLONE_NEWIPC, "not a namespace of type ipc" },
		{ "/proc/self/ns/nothing", CLONE_NEWNET, "open namespace" },
		{ "/etc/passwd", CLONE_NEWNET, "is not a namespace" }, { "/tmp", CLONE_NEWNET, "is not a namespace" },
		{ "/dev/null", CLONE_NEWNET, "is not a namespace" }, { fifo, CLONE_NEWNET, "is not a namespace" },
		{ "/proc/self/root", CLONE_NEWNET, "is not a namespace" },
	};
	int before;
	size_t i;

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	before = open_fds();
	for (i = 0; i < N(rows); i++) {
		struct err e = { 0 };
		int fd = join_open(rows[i].path, rows[i].flag, "/linux/namespaces/0/path", &e);

		EXPECT_EQ(!rows[i].msg, fd >= 0) {
			TH_LOG("%s", rows[i].path);
		}
		if (rows[i].msg) {
			EXPECT_NE(NULL, strstr(e.msg, rows[i].msg)) {
				TH_LOG("%s: %s", rows[i].path, e.msg);
			}
			EXPECT_EQ(ERR_SPEC, e.kind);
			EXPECT_STREQ("/linux/namespaces/0/path", e.where);
		} else {
			EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		}
		fd_close(&fd);
	}
	EXPECT_EQ(before, open_fds());
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, dir));
	EXPECT_EQ(-1, join_index(0));
	EXPECT_EQ(-1, join_index(CLONE_NEWNET | CLONE_NEWIPC));
	for (i = 0; i < JOIN_KINDS; i++)
		EXPECT_EQ((int)i, join_index(join_kinds[i].flag));
	EXPECT_EQ(CLONE_NEWUSER, join_kinds[JOIN_KINDS - 1].flag);
}

/* ---- maps ---- */

TEST(ids_translate_by_extents)
{
	static const struct idmap m[] = { { 0, 100000, 1000 }, { 1000, 1000, 1 }, { 4294967294u, 5, 1 } };
	static const struct { uint32_t id; int r; uint32_t host; } rows[] = {
		{ 0, 0, 100000 }, { 999, 0, 100999 }, { 1000, 0, 1000 }, { 1001, -EINVAL, 7 }, { 4294967294u, 0, 5 },
		{ 4294967295u, -EINVAL, 7 },
	};
	size_t i;

	for (i = 0; i < N(rows); i++) {
		uint32_t host = 7;

		EXPECT_EQ(rows[i].r, idmap_to_host(m, N(m), rows[i].id, &host));
		EXPECT_EQ(rows[i].host, host);
	}
	EXPECT_EQ(-EINVAL, idmap_to_host(NULL, 0, 0, &(uint32_t){ 0 }));
}

TEST(maps_are_written_whole)
{
	struct child_args a = { .ns_flags = CLONE_NEWUSER, .cgroup_fd = -1 };
	struct idmap many[340], one = { 0, 100000, 10 };
	auto_fd procfd = proc_open();
	auto_buf b = BUF_INIT;
	struct err e = { 0 };
	auto_child pid = 0;
	char path[64];
	int pidfd, i, lines = 0;

	pid = child_clone(&a, &pidfd);
	if (!pid) {
		pause();
		_exit(0);
	}
	if (pid < 0 || geteuid())
		SKIP(return, "no user namespace to be had");
	for (i = 0; i < 340; i++)
		many[i] = (struct idmap){ (uint32_t)i, (uint32_t)i, 1 };	/* the text must fit a page */
	ASSERT_EQ(0, idmap_write(procfd, pid, many, 340, &one, 1, false, &e)) {
		TH_LOG("%s", e.msg);
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	ASSERT_EQ(0, path_read(AT_FDCWD, path, 100000, &b));
	for (i = 0; i < (int)b.len; i++)
		lines += b.data[i] == '\n';
	EXPECT_EQ(340, lines);
	EXPECT_LT(idmap_write(procfd, pid, &one, 1, &one, 1, false, &e), 0);	/* only once */
	EXPECT_EQ(ERR_DENIED, e.kind);
	EXPECT_NE(NULL, strstr(e.msg, "gid_map"));
}

/* What a caller without privilege may write: its own id, for a gid after setgroups is denied. */
TEST(idmap_unprivileged)
{
	struct child_args a = { .ns_flags = CLONE_NEWUSER, .cgroup_fd = -1 };
	struct idmap uid = { 7, geteuid(), 1 }, gid = { 8, getegid(), 1 };
	auto_fd procfd = proc_open();
	auto_buf b = BUF_INIT;
	struct err e = { 0 };
	auto_child pid = 0;
	char path[64];
	int pidfd;

	pid = child_clone(&a, &pidfd);
	if (!pid) {
		pause();
		_exit(0);
	}
	if (pid < 0)
		SKIP(return, "no user namespace to be had");
	ASSERT_EQ(0, idmap_write(procfd, pid, &uid, 1, &gid, 1, true, &e)) {
		TH_LOG("%s", e.msg);
	}
	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	ASSERT_EQ(0, path_read(AT_FDCWD, path, 100, &b));
	EXPECT_STREQ("deny\n", b.data);
}

static void tool(const char *dir, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/maptool", dir);
	f = fopen(path, "we");
	if (!f)
		return;
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	chmod(path, 0755);
}

TEST(idmap_tool)
{
	const struct idmap m[] = { { 0, 1000, 1 }, { 1, 4294967290U, 5 } };
	char dir[] = "/tmp/cleat-idmap.XXXXXX", env[160], text[200], log[64];
	auto_buf b = BUF_INIT;
	struct err e = { 0 };

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(env, sizeof(env), "%s:/usr/bin:/bin", dir);
	setenv("PATH", env, 1);
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(text, sizeof(text), "echo \"$@\" >%s", log);
	tool(dir, text);
	EXPECT_EQ(0, idmap_by_tool("maptool", 42, m, 2, "/p", &e));
	ASSERT_EQ(0, path_read(AT_FDCWD, log, 1000, &b));
	EXPECT_STREQ("42 0 1000 1 1 4294967290 5\n", b.data);

	tool(dir, "echo one; echo two >&2; exit 3");
	EXPECT_GT(0, idmap_by_tool("maptool", 42, m, 2, "/p", &e));
	EXPECT_EQ(ERR_DENIED, e.kind);
	EXPECT_STREQ("/p", e.where);
	EXPECT_STREQ("maptool refuses it (status 3): one two", e.msg);
	err_clear(&e);
	tool(dir, "head -c 100000 /dev/zero | tr '\\0' x; exit 1");	/* it may say more than a pipe holds */
	EXPECT_GT(0, idmap_by_tool("maptool", 42, m, 2, "/p", &e));
	EXPECT_EQ(0, strncmp(e.msg, "maptool refuses it (status 1): xxx", 34));
	err_clear(&e);
	tool(dir, "kill -9 $$");
	EXPECT_GT(0, idmap_by_tool("maptool", 42, m, 2, "/p", &e));
	EXPECT_NE(NULL, strstr(e.msg, "status 137"));
	err_clear(&e);
	setenv("PATH", "/nonexistent", 1);
	EXPECT_GT(0, idmap_by_tool("maptool", 42, m, 2, "/p", &e));
	EXPECT_NE(NULL, strstr(e.msg, "needs maptool, which is not in PATH"));
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, dir));
}

/* ---- launch ---- */

/* A process that holds new namespaces for others to join. */
static pid_t holder(int flags)
{
	struct child_args a = { .ns_flags = (uint64_t)flags, .cgroup_fd = -1 };
	auto_fd procfd = proc_open();
	struct idmap map = { 0, 0, 65536 };
	struct err e = { 0 };
	int pidfd = -1;
	pid_t pid = child_clone(&a, &pidfd);

	if (!pid) {
		for (;;)
			pause();
	}
	fd_close(&pidfd);
	if (pid > 0 && (flags & CLONE_NEWUSER))
		idmap_write(procfd, pid, &map, 1, &map, 1, false, &e);
	return pid;
}

static ino_t ns_of(pid_t pid, const char *name)
{
	struct stat st = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return stat(path, &st) ? 0 : st.st_ino;
}

static int ppid_of(pid_t pid)
{
	auto_buf b = BUF_INIT;
	char path[64], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (path_read(AT_FDCWD, path, 10000, &b))
		return -1;
	p = strrchr(b.data, ')');
	return p ? atoi(p + 4) : -1;
}

/* The launched process tells what is left to do, and waits. */
static void launched(void *arg, int left)
{
	const struct launch *l = arg;
	struct sync_msg m;

	if (fcntl(l->sock, F_GETFD) >= 0)
		_exit(77);	/* the worker's end lives on in the child */
	if (prctl(PR_GET_DUMPABLE) != 0)
		_exit(78);
	sync_send(l->child_sock, SYNC_READY, left, -1);
	sync_recv(l->child_sock, &m, NULL);
	_exit(5);
}

FIXTURE(launch) { struct launch l; int sv[2]; pid_t holder; };
FIXTURE_VARIANT(launch) { int err; };
FIXTURE_VARIANT_ADD(launch, by_clone3) { 0 };
FIXTURE_VARIANT_ADD(launch, by_clone) { ENOSYS };
FIXTURE_SETUP(launch)
{
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, fdio_socketpair(self->sv));
	self->l = (struct launch){ .join = JOIN_SET_INIT, .pidfd = -1, .cgroup_fd = -1, .child = launched,
				   .arg = &self->l, .sock = self->sv[0], .child_sock = self->sv[1] };
	if (variant->err)
		ASSERT_EQ(0, DENY(variant->err, SYS_clone3));
}
FIXTURE_TEARDOWN(launch)
{
	join_close(&self->l.join);
	child_kill_reap(&self->holder);
}

static void join_of(struct launch *l, pid_t pid, int flags)
{
	struct err e = { 0 };
	char path[64];
	int i;

	for (i = 0; i < JOIN_KINDS; i++) {
		if (!(flags & join_kinds[i].flag))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, join_kinds[i].file);
		l->join.fd[i] = join_open(path, join_kinds[i].flag, NULL, &e);
	}
}

static int left_of(const struct launch *l)
{
	struct sync_msg m;

	return sync_recv(l->sock, &m, NULL) == 1 && m.type == SYNC_READY ? m.value : -1;
}

/* It ends when it loses us, as our child, with a status we can read. */
static int ends(pid_t pid, const struct launch *l)
{
	int status;

	shutdown(l->sock, SHUT_RDWR);
	return child_wait(pid, &status) ? -1 : child_status(status);
}

TEST_F(launch, makes_new_namespaces_and_leaves_ours)
{
	int pidfd = -1;
	struct err e = { 0 };
	ino_t mnt = ns_of(getpid(), "mnt"), ipc = ns_of(getpid(), "ipc");
	pid_t pid;

	self->l.new_ns = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
	pid = launch(&self->l, &pidfd, &e);
	ASSERT_GT(pid, 0);
	EXPECT_GE(pidfd, 0);
	EXPECT_EQ(1, prctl(PR_GET_DUMPABLE));
	EXPECT_EQ(0, left_of(&self->l));
	EXPECT_NE(mnt, ns_of(pid, "mnt"));
	EXPECT_EQ(ipc, ns_of(pid, "ipc"));
	EXPECT_EQ(mnt, ns_of(getpid(), "mnt"));
	EXPECT_EQ(getpid(), ppid_of(pid));
	EXPECT_EQ(5, ends(pid, &self->l));
}

TEST_F(launch, visits_the_pid_namespace_and_comes_back)
{
	ino_t ours = ns_of(getpid(), "pid_for_children");
	int pidfd = -1, before;
	struct err e = { 0 };
	pid_t pid;

	self->holder = holder(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS);
	ASSERT_GT(self->holder, 0);
	join_of(&self->l, self->holder, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS);
	before = open_fds();
	pid = launch(&self->l, &pidfd, &e);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(CLONE_NEWNET | CLONE_NEWNS, left_of(&self->l));
	EXPECT_EQ(ns_of(self->holder, "pid"), ns_of(pid, "pid"));
	EXPECT_EQ(ours, ns_of(getpid(), "pid_for_children"));
	EXPECT_EQ(before + 1, open_fds());	/* the pidfd */
	EXPECT_EQ(5, ends(pid, &self->l));
}

TEST_F(launch, with_a_new_user_namespace_it_is_born_in_the_joined_ones)
{
	ino_t net = ns_of(getpid(), "net"), uts = ns_of(getpid(), "uts");
	int pidfd = -1;
	struct err e = { 0 };
	pid_t pid;

	self->holder = holder(CLONE_NEWNET | CLONE_NEWUTS);
	ASSERT_GT(self->holder, 0);
	join_of(&self->l, self->holder, CLONE_NEWNET | CLONE_NEWUTS);
	self->l.new_ns = CLONE_NEWUSER | CLONE_NEWNS;
	pid = launch(&self->l, &pidfd, &e);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, left_of(&self->l));
	EXPECT_EQ(ns_of(self->holder, "net"), ns_of(pid, "net"));
	EXPECT_EQ(ns_of(self->holder, "uts"), ns_of(pid, "uts"));
	EXPECT_EQ(net, ns_of(getpid(), "net"));
	EXPECT_EQ(uts, ns_of(getpid(), "uts"));
	EXPECT_EQ(5, ends(pid, &self->l));
}

TEST_F(launch, by_a_joined_user_namespace_it_is_our_child_all_the_same)
{
	ino_t user = ns_of(getpid(), "user");
	int pidfd = -1, status;
	struct err e = { 0 };
	pid_t pid;

	self->holder = holder(CLONE_NEWUSER | CLONE_NEWNET);
	if (self->holder < 0)
		SKIP(return, "no user namespace to be had");
	join_of(&self->l, self->holder, CLONE_NEWUSER | CLONE_NEWNET);
	self->l.new_ns = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
	pid = launch(&self->l, &pidfd, &e);
	ASSERT_GT(pid, 0) {
		TH_LOG("%s", e.msg);
	}
	EXPECT_GE(pidfd, 0);
	EXPECT_EQ(0, left_of(&self->l));
	EXPECT_EQ(getpid(), ppid_of(pid));
	EXPECT_EQ(ns_of(self->holder, "user"), ns_of(pid, "user"));
	EXPECT_EQ(ns_of(self->holder, "net"), ns_of(pid, "net"));
	EXPECT_EQ(user, ns_of(getpid(), "user"));
	EXPECT_EQ(5, ends(pid, &self->l));
	child_kill_reap(&self->holder);
	EXPECT_EQ(-ECHILD, child_wait(-1, &status));	/* the one between is reaped */
}

TEST_F(launch, in_a_worker_all_that_is_made_is_its_parents)
{
	static const int user[] = { 0, CLONE_NEWUSER };
	size_t i;

	for (i = 0; i < N(user); i++) {
		struct err e = { 0 };
		int pidfd = -1, p[2], status, init = 0, n = 0;
		pid_t worker;

		self->holder = holder(CLONE_NEWPID | user[i]);
		if (self->holder < 0)
			SKIP(return, "no user namespace to be had");
		join_of(&self->l, self->holder, user[i]);
		self->l.new_ns = CLONE_NEWNS | CLONE_NEWPID;
		self->l.parent = true;
		ASSERT_EQ(0, pipe(p));
		worker = fork();
		if (!worker) {
			pid_t pid = launch(&self->l, &pidfd, &e);

			(void)!write(p[1], &pid, sizeof(pid));
			_exit(pid > 0 && left_of(&self->l) == 0 ? 0 : 1);
		}
		EXPECT_EQ(0, child_wait(worker, &status));
		EXPECT_EQ(0, status);
		ASSERT_EQ(sizeof(init), read(p[0], &init, sizeof(init)));
		EXPECT_EQ(getpid(), ppid_of(init));
		EXPECT_EQ(5, ends(init, &self->l));
		child_kill_reap(&self->holder);
		while (waitpid(-1, &status, 0) > 0)
			n++;
		EXPECT_EQ(!!user[i], n);	/* the one between, ours too */
		join_close(&self->l.join);
		close(self->sv[0]);
		close(self->sv[1]);
		ASSERT_EQ(0, fdio_socketpair(self->sv));
		self->l.sock = self->sv[0];
		self->l.child_sock = self->sv[1];
	}
}

/* A mid child's part before it enters: fds of ours are closed, all that it needs is kept. */
static int close_ours(void *arg, int fd, struct err *e)
{
	const struct launch *l = arg;
	int keep[JOIN_KINDS + 3];

	memcpy(keep, l->join.fd, sizeof(l->join.fd));
	keep[JOIN_KINDS] = l->pidfd;
	keep[JOIN_KINDS + 1] = l->child_sock;
	keep[JOIN_KINDS + 2] = fd;
	fd_close_except(3, keep, N(keep));
	return 0;
}

static int written;

/* Takes about @n pages of the stack. */
static __attribute__((noinline)) int deep(int n)
{
	volatile char page[4000];

	page[0] = (char)n;
	return n ? deep(n - 1) + (page[0] == (char)n) : 0;
}

static void inside(void *arg, int left)
{
	written = deep(48);
	if (open_fds() != 4)	/* 0, 1, 2 and the socket */
		_exit(79);
	launched(arg, written == 48 ? left : -2);
}

TEST_F(launch, in_a_worker_it_is_born_inside_and_becomes_its_parents)
{
	static const int kinds = CLONE_NEWPID | CLONE_NEWNS;
	int p[2], status, born = 0;
	pid_t worker;

	self->holder = holder(kinds);
	if (self->holder < 0)
		SKIP(return, "no namespaces to be had");
	self->l.pidfd = sysx_pidfd_open(self->holder, 0);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	self->l.pidfd_flags = kinds;
	self->l.enter = close_ours;
	self->l.parent = true;
	ASSERT_EQ(0, pipe(p));
	worker = fork();
	if (!worker) {
		struct err e = { 0 };
		int pidfd = -1;
		pid_t pid = launch(&self->l, &pidfd, &e);

		(void)!write(p[1], &pid, sizeof(pid));
		_exit(pid > 0 && pidfd >= 0 && left_of(&self->l) == 0 ? 0 : 1);
	}
	EXPECT_EQ(0, child_wait(worker, &status));
	ASSERT_EQ(sizeof(born), read(p[0], &born, sizeof(born)));
	if (self->l.pidfd < 0 || born == -EINVAL)
		SKIP(return, "this kernel cannot join by pidfd");
	EXPECT_EQ(0, status);
	/* The one between has exited, or is about to. */
	EXPECT_LT(0, waitpid(-1, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(getpid(), ppid_of(born));
	EXPECT_EQ(ns_of(self->holder, "pid"), ns_of(born, "pid"));
	EXPECT_EQ(5, ends(born, &self->l));
	child_kill_reap(&self->holder);
	EXPECT_EQ(-ECHILD, child_wait(-1, &status));
}

TEST_F(launch, in_a_running_container_it_is_born_inside_without_fds_of_ours)
{
	static const int times[] = { 0, CLONE_NEWTIME }, kinds = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS;
	size_t i;

	for (i = 0; i < 2 * N(times); i++) {
		int flags = kinds | times[i / 2], pidfd = -1, before, status;
		ino_t net = ns_of(getpid(), "net");
		struct err e = { 0 };
		pid_t pid;

		if (times[i / 2] && (variant->err || faccessat(AT_FDCWD, "/proc/self/ns/time", F_OK, 0)))
			break;
		self->holder = holder(flags);
		ASSERT_GT(self->holder, 0);
		if (i % 2)
			join_of(&self->l, self->holder, flags);
		else
			self->l.pidfd = sysx_pidfd_open(self->holder, 0);
		self->l.pidfd_flags = flags;
		self->l.enter = close_ours;
		self->l.child = inside;
		before = open_fds();
		pid = launch(&self->l, &pidfd, &e);
		ASSERT_GT(pid, 0) {
			TH_LOG("%s", e.msg);
		}
		EXPECT_EQ(0, left_of(&self->l));
		EXPECT_EQ(ns_of(self->holder, "net"), ns_of(pid, "net"));
		EXPECT_EQ(ns_of(self->holder, "pid"), ns_of(pid, "pid"));
		EXPECT_EQ(ns_of(self->holder, "time"), ns_of(pid, "time"));
		EXPECT_EQ(net, ns_of(getpid(), "net"));
		EXPECT_EQ(getpid(), ppid_of(pid));
		EXPECT_EQ(before + 1, open_fds());
		EXPECT_EQ(0, written);
		EXPECT_EQ(1, prctl(PR_GET_DUMPABLE));
		close(pidfd);
		kill(pid, SIGKILL);
		EXPECT_EQ(0, child_wait(pid, &status));
		child_kill_reap(&self->holder);
		EXPECT_EQ(-ECHILD, child_wait(-1, &status));
		join_close(&self->l.join);
		fd_close(&self->l.pidfd);
	}
}

TEST_F(launch, says_that_this_kernel_cannot_join_by_pidfd)
{
	int pidfd = -1, status;
	struct err e = { 0 };

	self->holder = holder(CLONE_NEWPID | CLONE_NEWNS);
	ASSERT_GT(self->holder, 0);
	/* To a kernel below 5.8 a pidfd is a file of no namespace. */
	self->l.pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	self->l.pidfd_flags = CLONE_NEWPID | CLONE_NEWNS;
	self->l.enter = close_ours;
	EXPECT_EQ(-EINVAL, launch(&self->l, &pidfd, &e));
	EXPECT_EQ(ERR_NONE, e.kind);
	EXPECT_EQ(-1, pidfd);
	child_kill_reap(&self->holder);
	EXPECT_EQ(-ECHILD, child_wait(-1, &status));
}

TEST_F(launch, says_by_either_way_that_a_cgroup_cannot_be_cloned_into)
{
	static const int user[] = { 0, CLONE_NEWUSER };
	struct statfs sfs;
	char dir[64];
	size_t i;

	snprintf(dir, sizeof(dir), CGROUP2 "/cleat-launch-%d", (int)getpid());
	if (!variant->err)
		SKIP(return, "this kernel can");
	if (statfs(CGROUP2, &sfs) || sfs.f_type != 0x63677270 || mkdir(dir, 0755))
		SKIP(return, "no cgroup2 hierarchy at " CGROUP2);
	for (i = 0; i < N(user); i++) {
		int pidfd = -1, status;
		struct err e = { 0 };
		pid_t pid;

		self->holder = holder(CLONE_NEWPID | user[i]);
		join_of(&self->l, self->holder, user[i]);
		self->l.new_ns = CLONE_NEWNS;
		self->l.cgroup_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		pid = launch(&self->l, &pidfd, &e);
		EXPECT_EQ(-EOPNOTSUPP, pid);
		EXPECT_EQ(ERR_NONE, e.kind);
		fd_close(&self->l.cgroup_fd);
		child_kill_reap(&self->holder);
		EXPECT_EQ(-ECHILD, child_wait(-1, &status));
	}
	EXPECT_EQ(0, rmdir(dir));
}

TEST_F(launch, into_a_dead_pid_namespace_it_fails_by_name)
{
	int pidfd = -1, status;
	ino_t ours = ns_of(getpid(), "pid_for_children");
	struct err e = { 0 };
	pid_t pid;

	self->holder = holder(CLONE_NEWPID);
	join_of(&self->l, self->holder, CLONE_NEWPID);
	child_kill_reap(&self->holder);
	pid = launch(&self->l, &pidfd, &e);
	EXPECT_LT(pid, 0);
	EXPECT_NE(ERR_NONE, e.kind);
	EXPECT_EQ(-1, pidfd);
	EXPECT_EQ(ours, ns_of(getpid(), "pid_for_children"));
	EXPECT_EQ(-ECHILD, child_wait(-1, &status));
}

TEST_HARNESS_MAIN

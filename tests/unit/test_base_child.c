/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cloning by every way there is, reaping, start times. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "child.h"
#include "deny.h"
#include "fd.h"
#include "pathfs.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define CGROUP2 "/sys/fs/cgroup/unified"

FIXTURE(clone) {};
FIXTURE_VARIANT(clone) { int err; };
FIXTURE_VARIANT_ADD(clone, by_clone3) { 0 };
FIXTURE_VARIANT_ADD(clone, by_clone_without_clone3) { ENOSYS };
FIXTURE_VARIANT_ADD(clone, by_clone_without_the_size) { E2BIG };
FIXTURE_VARIANT_ADD(clone, by_clone_under_a_filter) { EPERM };
FIXTURE_SETUP(clone)
{
	if (variant->err)
		ASSERT_EQ(0, DENY(variant->err, SYS_clone3));
}
FIXTURE_TEARDOWN(clone) {}

TEST_F(clone, makes_a_child_of_ours_with_a_pidfd)
{
	struct child_args a = { .cgroup_fd = -1 };
	int pidfd = -5, status;
	pid_t pid = child_clone(&a, &pidfd);

	if (!pid)
		_exit(pidfd == -1 ? 7 : 8);
	ASSERT_GT(pid, 0);
	ASSERT_GE(pidfd, 0);
	EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
	EXPECT_EQ(0, child_pidfd_wait_ms(pidfd, 10000));
	EXPECT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(7, child_status(status));
	EXPECT_EQ(-ECHILD, child_wait(pid, NULL));
	close(pidfd);
}

TEST_F(clone, makes_a_child_without_a_pidfd)
{
	struct child_args a = { .cgroup_fd = -1 };
	int status, next = dup(0);
	pid_t pid;

	close(next);
	pid = child_clone(&a, NULL);
	if (!pid)
		_exit(7);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(-1, fcntl(next, F_GETFD));
	EXPECT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(7, child_status(status));
}

TEST_F(clone, makes_a_sibling_with_parent)
{
	struct child_args a = { .cgroup_fd = -1 };
	int pidfd, status, p[2];
	pid_t pid, sibling = 0;

	ASSERT_EQ(0, pipe(p));
	pid = child_clone(&a, &pidfd);
	if (!pid) {
		a.parent = true;
		pid = child_clone(&a, &pidfd);
		if (!pid)
			_exit(9);
		_exit(pid < 0 || write(p[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	ASSERT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(0, status);
	ASSERT_EQ(sizeof(sibling), read(p[0], &sibling, sizeof(sibling)));
	ASSERT_EQ(0, child_wait(sibling, &status));	/* ours to reap, and by plain waitpid */
	EXPECT_EQ(9, child_status(status));
}

/* Of a table that is shared, only the fds that are asked for; what is closed there stays open here. */
TEST_F(clone, shares_a_table_of_fds_until_it_takes_its_own)
{
	struct child_args a = { .cgroup_fd = -1, .share_fds = true };
	int keep = open("/dev/null", O_RDONLY), low = open("/dev/null", O_RDONLY), p[2], status, fd;
	pid_t pid;

	ASSERT_GE(keep, 3);
	keep = fcntl(keep, F_DUPFD_CLOEXEC, 20);
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(30, dup2(low, 30));
	pid = child_clone(&a, NULL);
	if (!pid) {
		if (open("/dev/zero", O_RDONLY) != p[1] + 1)	/* ours too */
			_exit(1);
		if (fd_unshare_except(3, keep))
			_exit(2);
		for (fd = 3; fd < 40; fd++)
			if ((fcntl(fd, F_GETFD) >= 0) != (fd == keep))
				_exit(3);
		close(keep);
		_exit(0);
	}
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(0, child_status(status));
	EXPECT_GE(fcntl(keep, F_GETFD), 0);
	EXPECT_GE(fcntl(low, F_GETFD), 0);
	EXPECT_GE(fcntl(30, F_GETFD), 0);
	EXPECT_GE(fcntl(p[1] + 1, F_GETFD), 0);
}

/* musl's own abort() would signal the thread whose number it noted before the clone: us. */
TEST_F(clone, whoever_aborts_dies_alone)
{
	struct child_args a = { .cgroup_fd = -1 };
	int status;
	pid_t pid = child_clone(&a, NULL);

	if (!pid)
		abort();
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, child_wait(pid, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
}

TEST_F(clone, never_loses_a_namespace)
{
	static const int flags[] = { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWTIME };
	static const char *const names[] = { "mnt", "pid", "uts", "ipc", "net", "time" };
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct child_args a = { .ns_flags = (uint64_t)flags[i], .cgroup_fd = -1 };
		char path[64], ours[64] = "", theirs[64] = "";
		int pidfd = -1;
		pid_t pid = child_clone(&a, &pidfd);

		if (!pid) {
			pause();
			_exit(0);
		}
		if (pid == -EPERM && geteuid())
			SKIP(return, "needs privilege");
		if (flags[i] == CLONE_NEWTIME && variant->err) {
			EXPECT_LT(pid, 0);	/* clone(2) takes the flag for a signal number */
		} else {
			ASSERT_GT(pid, 0) {
				TH_LOG("%s: %d", names[i], pid);
			}
			snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
			EXPECT_GT(readlink(path, ours, sizeof(ours) - 1), 0);
			snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, names[i]);
			EXPECT_GT(readlink(path, theirs, sizeof(theirs) - 1), 0);
			EXPECT_STRNE(ours, theirs);
		}
		child_kill_reap(&pid);
		fd_close(&pidfd);
	}
}

TEST_F(clone, is_born_in_the_cgroup_or_says_that_it_cannot)
{
	struct child_args a = { 0 };
	char dir[64], text[256] = "";
	struct statfs sfs;
	int pidfd = -1;
	auto_fd f = -1;
	pid_t pid;

	snprintf(dir, sizeof(dir), CGROUP2 "/cleat-unit-%d", (int)getpid());
	if (statfs(CGROUP2, &sfs) || sfs.f_type != 0x63677270 || mkdir(dir, 0755))
		SKIP(return, "no cgroup2 hierarchy at " CGROUP2);
	a.cgroup_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = child_clone(&a, &pidfd);
	if (!pid) {
		pause();
		_exit(0);
	}
	if (variant->err) {
		EXPECT_EQ(-EOPNOTSUPP, pid);
		EXPECT_EQ(-1, pidfd);
	} else {
		EXPECT_GT(pid, 0);
		snprintf(text, sizeof(text), "/proc/%d/cgroup", pid);
		f = open(text, O_RDONLY);
		memset(text, 0, sizeof(text));
		EXPECT_GT(read(f, text, sizeof(text) - 1), 0);
		EXPECT_NE(NULL, strstr(text, "cleat-unit-"));
	}
	child_kill_reap(&pid);
	close(a.cgroup_fd);
	EXPECT_EQ(0, rmdir(dir));
}

static int leave_word(void *arg)
{
	close(STDIN_FILENO);		/* the table of fds is its own */
	*(int *)arg = CHILD_SHARES ? 5 : 0;
	return 9;
}

TEST(a_vfork_has_our_memory_and_is_over_when_it_returns)
{
	int word = 0, status;
	pid_t pid = child_vfork(leave_word, &word);

	ASSERT_GT(pid, 0);
	EXPECT_EQ(CHILD_SHARES ? 5 : 0, word);
	EXPECT_GE(fcntl(STDIN_FILENO, F_GETFD), 0);
	EXPECT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(9, child_status(status));
}

TEST(without_any_pidfd_call_the_pid_is_used)
{
	struct child_args a = { .cgroup_fd = -1 };
	int pidfd = -1, status;
	pid_t pid = child_clone(&a, &pidfd);

	if (!pid) {
		pause();
		_exit(0);
	}
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, DENY(ENOSYS, SYS_pidfd_send_signal));
	EXPECT_EQ(0, child_pidfd_signal(pidfd, pid, 0));
	EXPECT_EQ(0, child_pidfd_signal(-1, pid, SIGTERM));
	EXPECT_EQ(0, child_wait(pid, &status));
	EXPECT_EQ(128 + SIGTERM, child_status(status));
	EXPECT_EQ(-ESRCH, child_pidfd_signal(-1, pid, 0));
}

TEST(a_pidfd_never_signals_another_process)
{
	struct child_args a = { .cgroup_fd = -1 };
	int pidfd = -1;
	pid_t pid = child_clone(&a, &pidfd);

	if (!pid)
		_exit(0);
	child_wait(pid, NULL);
	EXPECT_EQ(-ESRCH, child_pidfd_signal(pidfd, getpid(), SIGKILL));	/* we live to tell */
	EXPECT_EQ(-ETIME, child_pidfd_wait_ms(-1, 20));
}

TEST(statuses)
{
	EXPECT_EQ(0, child_status(0));
	EXPECT_EQ(255, child_status(255 << 8));
	EXPECT_EQ(137, child_status(9));
	EXPECT_EQ(139, child_status(11 | 0x80));
}

TEST(start_time_with_a_hostile_name)
{
	auto_fd procfd = proc_open();
	static const char *const names[] = { "plain", ") S 1 2 3", "a b) R (", "((((", "\n\n", "" };
	size_t i;

	ASSERT_GE(procfd, 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct child_stat s = { 0 }, again = { 0 };
		int p[2];
		char c;
		auto_child pid = 0;

		ASSERT_EQ(0, pipe(p));
		pid = fork();
		if (!pid) {
			prctl(PR_SET_NAME, names[i]);
			(void)!write(p[1], "", 1);
			pause();
			_exit(0);
		}
		ASSERT_EQ(1, read(p[0], &c, 1));
		EXPECT_EQ(0, child_stat(procfd, pid, &s));
		EXPECT_GT(s.start_time, 0);
		EXPECT_NE(NULL, strchr("RSD", s.state));
		EXPECT_TRUE(s.cpu >= 0 && s.cpu < sysconf(_SC_NPROCESSORS_CONF));
		kill(pid, SIGKILL);
		waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
		EXPECT_EQ(0, child_stat(procfd, pid, &again));
		EXPECT_EQ('Z', again.state);
		EXPECT_EQ(s.start_time, again.start_time);
	}
	EXPECT_LT(child_stat(procfd, 0x7ffffff0, &(struct child_stat){ 0 }), 0);
}

/* Which CPU we are on after child_step_aside(), that was @from, with this /proc/loadavg. */
static int aside(const char *load, int from, struct child_stat child)
{
	char dir[] = "/tmp/cleat-aside.XXXXXX";
	int dirfd, fd, cpu;

	if (!mkdtemp(dir))
		return -1;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dirfd, "loadavg", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)!write(fd, load, strlen(load));
	close(fd);
	child.cpu += from;
	child_step_aside(dirfd, &child);
	cpu = sched_getcpu();
	unlinkat(dirfd, "loadavg", 0);
	close(dirfd);
	rmdir(dir);
	return cpu;
}

TEST(steps_aside_for_a_child_that_waits)
{
	static const struct { const char *load; struct child_stat child; bool moves; } rows[] = {
		{ "0.50 0.40 0.30 2/100 7\n", { 0, 0, 'R' }, true },
		{ "0.50 0.40 0.30 1/100 7\n", { 0, 0, 'R' }, true },
		{ "0.50 0.40 0.30 9999/9999 7\n", { 0, 0, 'R' }, false },	/* nobody has room */
		{ "0.50 0.40 0.30 2/100 7\n", { 0, 1, 'R' }, false },		/* it is elsewhere */
		{ "0.50 0.40 0.30 2/100 7\n", { 0, 0, 'S' }, false },		/* it rests */
		{ "", { 0, 0, 'R' }, false }, { "0.50 0.40", { 0, 0, 'R' }, false }, { "1 2 3 x/y", { 0, 0, 'R' }, false },
	};
	cpu_set_t all, one, after;
	size_t i;
	int cpu;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	if (CPU_COUNT(&all) < 2)
		SKIP(return, "needs two CPUs");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int moved = 0, tries;

		/* The scheduler may move us at any time as well. */
		for (tries = 0; tries < 5; tries++) {
			cpu = sched_getcpu();
			moved += aside(rows[i].load, cpu, rows[i].child) != cpu;
		}
		EXPECT_TRUE(rows[i].moves ? moved >= 3 : moved <= 2) {
			TH_LOG("row %zu: moved %d times of 5", i, moved);
		}
	}
	EXPECT_EQ(0, sched_getaffinity(0, sizeof(after), &after));
	EXPECT_TRUE(CPU_EQUAL(&all, &after));
	/* One for each of the others, and one more. */
	for (i = 1; i <= 2; i++) {
		char load[64];
		int moved = 0, tries;

		snprintf(load, sizeof(load), "0 0 0 %d/9 7", CPU_COUNT(&all) + (int)i);
		for (tries = 0; tries < 5; tries++) {
			cpu = sched_getcpu();
			moved += aside(load, cpu, rows[0].child) != cpu;
		}
		EXPECT_TRUE(i == 1 ? moved >= 3 : moved <= 2) {
			TH_LOG("%s: moved %d times of 5", load, moved);
		}
	}
	/* Nowhere to go. */
	cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	EXPECT_EQ(cpu, aside(rows[0].load, cpu, rows[0].child));
	sched_setaffinity(0, sizeof(all), &all);
}

/* What a child of ours that made all signals default still ignores, a bit each. */
static uint64_t still_ignored(void)
{
	uint64_t bits = 0;
	int p[2], i;
	auto_child pid = 0;

	if (pipe(p))
		return UINT64_MAX;
	pid = fork();
	if (!pid) {
		struct sigaction sa;

		child_default_signals();
		for (i = 1; i <= 64; i++)
			if (!sigaction(i, NULL, &sa) && sa.sa_handler == SIG_IGN)
				bits |= 1ULL << (i - 1);
		(void)!write(p[1], &bits, sizeof(bits));
		_exit(0);
	}
	(void)!read(p[0], &bits, sizeof(bits));
	close(p[0]);
	close(p[1]);
	return bits;
}

TEST(every_signal_that_may_be_ignored_is_made_default)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	EXPECT_EQ(0, still_ignored());
	child_look_at_signals();
	EXPECT_EQ(0, still_ignored());
	child_ignore(SIGPIPE);
	child_ignore(SIGRTMIN);
	EXPECT_EQ(0, still_ignored());
	/* Told that nobody ignores it, it is left alone. */
	child_ignored_are(1ULL << (SIGHUP - 1), 0);
	EXPECT_EQ(1ULL << (SIGHUP - 1), still_ignored());
	child_ignored_are(0x7fffffff, 1ULL << (SIGHUP - 1));
	EXPECT_EQ(1ULL << (SIGPIPE - 1), still_ignored());
}

TEST_HARNESS_MAIN

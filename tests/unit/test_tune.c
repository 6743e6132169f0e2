/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a process runs: its environment, lists, what exec takes from whom, and the calls on ourselves. */
#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "process.h"
#include "spec.h"
#include "tune.h"

TEST(environment)
{
	static const char *const had[] = { "A=1", "AB=2" }, *const more[] = { "A=3", "C=" };
	auto_arena a = ARENA_INIT;
	struct process p = { .env = { (const char **)(uintptr_t)had, 2 } }, none = { .env = { NULL, 0 } };

	ASSERT_EQ(0, process_env_append(&p, NULL, 0, &a));
	EXPECT_EQ(2, p.env.n);
	EXPECT_STREQ("1", process_env(&p, "A"));
	EXPECT_EQ(NULL, process_env(&p, "C"));
	ASSERT_EQ(0, process_env_append(&p, more, 2, &a));
	ASSERT_EQ(4, p.env.n);
	EXPECT_STREQ("3", process_env(&p, "A"));
	EXPECT_STREQ("2", process_env(&p, "AB"));
	EXPECT_STREQ("", process_env(&p, "C"));
	EXPECT_STREQ("A=1", had[0]);
	ASSERT_EQ(0, process_env_append(&none, more, 2, &a));
	EXPECT_STREQ("3", process_env(&none, "A"));
	a.limit = 1;
	EXPECT_EQ(-ENOMEM, process_env_append(&none, more, 2, &a));
	EXPECT_EQ(2, none.env.n);
}

TEST(lists)
{
	struct tune_mask m;

	ASSERT_EQ(0, tune_list("0-2,64,8191", &m));
	EXPECT_EQ(7, m.bits[0]);
	EXPECT_EQ(1, m.bits[1]);
	EXPECT_EQ(1UL << 63, m.bits[127]);
	EXPECT_EQ(-ERANGE, tune_list("8192", &m));
	EXPECT_EQ(-ERANGE, tune_list("0-4294967295", &m));
	EXPECT_EQ(-EINVAL, tune_list("1,", &m));
	EXPECT_EQ(-EINVAL, tune_list("2-1", &m));
}

TEST(exec_has_its_own_or_the_containers)
{
	struct spec_scheduler sched = { .policy = SCHED_BATCH, .nice = 3 };
	struct spec_io_priority io = { IOPRIO_CLASS_RT, 5 };
	struct spec_affinity cpus = { "1", NULL };
	struct spec_personality per = { .domain = PER_LINUX32 };
	int flags[] = { 1 << 15 };
	struct spec_mempolicy mem = { 2, "0", { flags, 1 } };
	const struct spec_process container = { .scheduler = &sched, .exec_affinity = &cpus };
	const struct spec_linux linux_ = { .personality = &per, .memory_policy = &mem };
	const struct spec_process doc = { .io_priority = &io };
	struct tune c = { 0 }, t = { 0 };

	tune_from_process(&container, &c);
	tune_from_linux(&linux_, &c);
	EXPECT_EQ(TUNE_SCHED | TUNE_AFFINITY | TUNE_PERSONALITY | TUNE_MEMPOLICY, c.n.set);
	EXPECT_EQ(1 << 15 | 2, c.n.mem_mode);
	tune_from_process(&doc, &t);
	EXPECT_TRUE(tune_outside(&t));
	tune_inherit(&t, &c);
	EXPECT_EQ(31, t.n.set);
	EXPECT_EQ(SCHED_BATCH, t.n.policy);
	EXPECT_EQ(3, t.n.nice);
	EXPECT_EQ(IOPRIO_CLASS_RT << 13 | 5, t.n.ioprio);
	EXPECT_EQ(PER_LINUX32, t.n.personality);
	EXPECT_STREQ("0", t.mem_nodes);
	EXPECT_STREQ("1", t.cpus_initial);
	sched.policy = SCHED_IDLE;
	t = (struct tune){ 0 };
	tune_from_process(&container, &t);
	tune_inherit(&t, &c);
	EXPECT_EQ(SCHED_IDLE, t.n.policy);
}

/* What a process does to itself is done by a child. */
static int in_child(int (*f)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(f());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int by_itself(void)
{
	struct tune t = { .n = { .set = TUNE_PERSONALITY, .personality = PER_LINUX32 }, .cpus_final = "8000" };
	struct tune_mask old, now;
	struct err e = { 0 };
	cpu_set_t one;

	if (tune_self(&t, true, &e) != -EINVAL || !strstr(e.msg, "8000"))
		return 1;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	err_clear(&e);
	if (tune_self(&t, false, &e) || personality(0xffffffff) != PER_LINUX32)
		return 2;
	memset(&now, 0, sizeof(now));
	syscall(SYS_sched_getaffinity, 0, sizeof(now), &now);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 && !(now.bits[0] & (now.bits[0] - 1)))
		return 3;
	t.cpus_initial = "0";
	if (tune_affinity_begin(&t, &old, &e) || memcmp(&old, &now, sizeof(old)))
		return 4;
	memset(&now, 0, sizeof(now));
	syscall(SYS_sched_getaffinity, 0, sizeof(now), &now);
	if (now.bits[0] != 1)
		return 5;
	tune_affinity_end(&t, &old);
	memset(&now, 0, sizeof(now));
	syscall(SYS_sched_getaffinity, 0, sizeof(now), &now);
	return memcmp(&old, &now, sizeof(old)) ? 6 : 0;
}

TEST(a_process_sets_itself)
{
	EXPECT_EQ(0, in_child(by_itself));
}

static int by_worker(void)
{
	struct tune t = { .n = { .set = TUNE_SCHED | TUNE_IOPRIO, .policy = SCHED_BATCH, .nice = 2,
				 .ioprio = IOPRIO_CLASS_BE << 13 | 7 } };
	struct err e = { 0 };

	if (tune_by_worker(&t, getpid(), &e) || syscall(SYS_sched_getscheduler, 0) != SCHED_BATCH)
		return 1;
	if (syscall(SYS_ioprio_get, 1, 0) != (IOPRIO_CLASS_BE << 13 | 7))
		return 2;
	t.n.runtime = 10;
	t.n.policy = SCHED_DEADLINE;
	if (!tune_by_worker(&t, getpid(), &e) || strcmp(e.where, "/process/scheduler") ||
	    !strstr(e.msg, "SCHED_DEADLINE"))
		return 3;
	return 0;
}

TEST(the_worker_sets_another)
{
	EXPECT_EQ(0, in_child(by_worker));
}

TEST_HARNESS_MAIN

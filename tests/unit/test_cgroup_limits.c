/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits as the kernel has them after they were written, by controller. */
#include <poll.h>
#include <sys/mman.h>
#include <time.h>
#include "cgroup.h"
#include "cgroup_fixture.h"
#include "kselftest_harness.h"

FIXTURE(limits) { struct test_cg t; };
FIXTURE_VARIANT(limits) { bool v2; };
FIXTURE_VARIANT_ADD(limits, v1) { .v2 = false };
FIXTURE_VARIANT_ADD(limits, v2) { .v2 = true };
FIXTURE_SETUP(limits)
{
	if (test_cg_host(&self->t, variant->v2))
		return;
	ASSERT_EQ(0, cg_make(&self->t.cg, &self->t.host, self->t.path, NULL, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
}
FIXTURE_TEARDOWN(limits) { test_cg_fini(&self->t); }

#define NEED(t, controller) do {					\
	if (!test_cg_has(t, controller))				\
		SKIP(return, "the %s hierarchy has no controller %s",	\
		     variant->v2 ? "v2" : "v1", controller);		\
} while (0)

#define APPLY(t, l, update)						\
	ASSERT_EQ(0, cg_apply(&(t)->cg, l, update, NULL, &(t)->e))	\
		TH_LOG("%s", why(t))

#define HAS(want, v1_controller, v1_file, v2_file)				\
	EXPECT_STREQ(want, variant->v2 ? test_cg_value(t, "", v2_file) :	\
					 test_cg_value(t, v1_controller, v1_file))

#define MIB (1ll << 20)

/* A limit that this hierarchy cannot keep is refused, and the message names limit and controller. */
TEST_F(limits, absent_controller_is_named)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 64 * MIB, .has_limit = true };
	struct cg_pids p = { 10, true };
	struct cg_hugetlb h = { "2MB", 0 };
	struct cg_limits l[] = {
		{ .memory = &m }, { .pids = &p }, { .hugepage_limits = { &h, 1 } },
	};
	static const char *const names[] = { "memory", "pids", "hugetlb" };
	static const char *const fields[] = { "memory", "pids.limit", "hugepageLimits" };

	for (int k = 0; k < 3; k++) {
		t->e = (struct err){ 0 };
		if (test_cg_has(t, names[k]))
			continue;
		EXPECT_GT(0, cg_apply(&t->cg, &l[k], false, NULL, &t->e));
		EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind)
			TH_LOG("%s", why(t));
		EXPECT_NE(NULL, strstr(t->e.msg, names[k]));
		EXPECT_NE(NULL, strstr(t->e.msg, fields[k]))
			TH_LOG("%s", why(t));
	}
}

/* v2: a cgroup with processes in it hands no controllers on; who is in it is said. */
TEST_F(limits, process_in_the_way_is_named)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 64 * MIB, .has_limit = true };
	struct cg_limits l = { .memory = &m };
	char path[200], want[32];
	struct cg c;
	pid_t pid;

	if (!variant->v2)
		return;		/* v1 has no such rule */
	NEED(t, "memory");
	pid = test_cg_child(t, fn_sleep, NULL);
	snprintf(path, sizeof(path), "%s/below", t->path);
	/* the container can be made; only a limit that needs the controller cannot be kept */
	ASSERT_EQ(0, cg_make(&c, &t->host, path, NULL, NULL, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_EQ(0, cg_apply(&c, NULL, false, NULL, &t->e))
		TH_LOG("%s", why(t));
	EXPECT_GT(0, cg_apply(&c, &l, false, NULL, &t->e));
	EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
	snprintf(want, sizeof(want), "(pid %d)", (int)pid);
	EXPECT_NE(NULL, strstr(t->e.msg, want))
		TH_LOG("%s", why(t));
	EXPECT_NE(NULL, strstr(t->e.msg, "memory.limit"));
	EXPECT_NE(NULL, strstr(t->e.where, t->path));
	EXPECT_STREQ("domain", test_cg_value(t, "", "cgroup.type"));	/* and nobody was changed */
	cg_close(&c);
}

TEST_F(limits, nothing_asked_nothing_missed)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 0, .has_limit = true };
	struct cg_cpu c = { .shares = 0, .has_shares = true };
	struct cg_pids p = { 0 };
	struct cg_blkio b = { .weight = 0, .has_weight = true };
	struct cg_limits l = { .memory = &m, .cpu = &c, .pids = &p, .block_io = &b };

	/* the hierarchies are there, their controllers are not */
	for (size_t i = 0; i < t->host.n; i++)
		if (!variant->v2)
			t->host.h[i].controllers = "name=none";
	EXPECT_EQ(0, cg_apply(&t->cg, &l, true, NULL, &t->e))
		TH_LOG("%s", why(t));
}

TEST_F(limits, memory)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 64 * MIB, .has_limit = true,
			       .reservation = 32 * MIB, .has_reservation = true };
	struct cg_limits l = { .memory = &m };

	NEED(t, "memory");
	APPLY(t, &l, false);
	HAS("67108864", "memory", "memory.limit_in_bytes", "memory.max");
	HAS("33554432", "memory", "memory.soft_limit_in_bytes", "memory.low");
	m = (struct cg_memory){ .limit = -1, .has_limit = true };
	APPLY(t, &l, true);
	HAS("33554432", "memory", "memory.soft_limit_in_bytes", "memory.low");
	if (variant->v2) {
		EXPECT_STREQ("max", test_cg_value(t, "memory", "memory.max"));
	} else {
		EXPECT_LT(1ll << 60, atoll(test_cg_value(t, "memory", "memory.limit_in_bytes")));
	}
}

/* Up and down, memory and swap together: each order of writes is right for one of them only. */
TEST_F(limits, memory_and_swap)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	static const struct { int64_t limit, swap; const char *v1_swap, *v2_swap; } v[] = {
		{ 64 * MIB, 128 * MIB, "134217728", "67108864" },
		{ 256 * MIB, 512 * MIB, "536870912", "268435456" },
		{ 512 * MIB, 512 * MIB, "536870912", "0" },
		{ 32 * MIB, 48 * MIB, "50331648", "16777216" },
		{ 600 * MIB, 0, NULL, NULL },
	};

	NEED(t, "memory");
	if (!cg_has_file(t->cg.dirfd[variant->v2 ? 0 : cg_controller(&t->cg, "memory")],
			 variant->v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"))
		SKIP(return, "this kernel does not account swap");
	for (size_t k = 0; k < 4; k++) {
		struct cg_memory m = { .limit = v[k].limit, .has_limit = true,
				       .swap = v[k].swap, .has_swap = true };
		struct cg_limits l = { .memory = &m };
		char want[24];

		snprintf(want, sizeof(want), "%lld", (long long)v[k].limit);
		APPLY(t, &l, k > 0);
		t->cg.made[variant->v2 ? 0 : cg_controller(&t->cg, "memory")] = false;
		HAS(want, "memory", "memory.limit_in_bytes", "memory.max");
		if (variant->v2) {
			EXPECT_STREQ(v[k].v2_swap, test_cg_value(t, "", "memory.swap.max"));
		} else {
			EXPECT_STREQ(v[k].v1_swap,
				     test_cg_value(t, "memory", "memory.memsw.limit_in_bytes"));
		}
	}
}

/* A value that fails half way leaves the old ones. */
TEST_F(limits, failed_update_changes_nothing)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 64 * MIB, .has_limit = true,
			       .swap = 128 * MIB, .has_swap = true };
	struct cg_limits l = { .memory = &m };

	NEED(t, "memory");
	if (cg_apply(&t->cg, &l, false, NULL, &t->e))
		SKIP(return, "%s", why(t));
	for (size_t i = 0; i < t->host.n; i++)
		t->cg.made[i] = false;
	m.limit = 32 * MIB;
	m.swap = 16 * MIB;
	EXPECT_GT(0, cg_apply(&t->cg, &l, true, NULL, &t->e));
	HAS("67108864", "memory", "memory.limit_in_bytes", "memory.max");
	HAS(variant->v2 ? "67108864" : "134217728", "memory", "memory.memsw.limit_in_bytes",
	    "memory.swap.max");
}

static int fn_hold(void *arg)
{
	/* more than the 16 MiB that are looked for: memory.stat of 5.10 is behind by up to 128 KiB a CPU */
	size_t size = 17 << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, size);
	mlock(p, size);
	if (write(*(int *)arg, "x", 1) != 1)
		return 1;
	return fn_sleep(NULL);
}

TEST_F(limits, below_usage)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 4 * MIB, .has_limit = true, .check_before_update = true };
	struct cg_limits l = { .memory = &m };
	int p[2];
	char x;

	NEED(t, "memory");
	ASSERT_EQ(0, pipe(p));
	ASSERT_LT(0, test_cg_child(t, fn_hold, &p[1]));
	ASSERT_EQ(1, read(p[0], &x, 1));
	for (size_t i = 0; i < t->host.n; i++)
		t->cg.made[i] = false;
	EXPECT_GT(0, cg_apply(&t->cg, &l, true, NULL, &t->e));
	EXPECT_EQ(ERR_LIMIT, t->e.kind)
		TH_LOG("%s", why(t));
	EXPECT_NE(NULL, strstr(t->e.msg, "4194304"));
	if (variant->v2) {
		EXPECT_STREQ("max", test_cg_value(t, "", "memory.max"));
	}
}

TEST_F(limits, cpu)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_cpu c = { .shares = 2048, .has_shares = true, .quota = 50000, .has_quota = true,
			    .period = 200000, .has_period = true };
	struct cg_limits l = { .cpu = &c };

	NEED(t, "cpu");
	APPLY(t, &l, false);
	if (variant->v2) {
		EXPECT_STREQ("174", test_cg_value(t, "", "cpu.weight"));
		EXPECT_STREQ("50000 200000", test_cg_value(t, "", "cpu.max"));
	} else {
		EXPECT_STREQ("2048", test_cg_value(t, "cpu", "cpu.shares"));
		EXPECT_STREQ("50000", test_cg_value(t, "cpu", "cpu.cfs_quota_us"));
		EXPECT_STREQ("200000", test_cg_value(t, "cpu", "cpu.cfs_period_us"));
	}
	for (size_t i = 0; i < t->host.n; i++)
		t->cg.made[i] = false;
	/* each alone: the other keeps its value */
	c = (struct cg_cpu){ .period = 100000, .has_period = true };
	APPLY(t, &l, true);
	c = (struct cg_cpu){ .quota = 30000, .has_quota = true };
	APPLY(t, &l, true);
	if (variant->v2) {
		EXPECT_STREQ("30000 100000", test_cg_value(t, "", "cpu.max"));
		EXPECT_STREQ("174", test_cg_value(t, "", "cpu.weight"));
	} else {
		EXPECT_STREQ("30000", test_cg_value(t, "cpu", "cpu.cfs_quota_us"));
		EXPECT_STREQ("100000", test_cg_value(t, "cpu", "cpu.cfs_period_us"));
	}
	c = (struct cg_cpu){ .quota = -5, .has_quota = true };
	APPLY(t, &l, true);
	HAS(variant->v2 ? "max 100000" : "-1", "cpu", "cpu.cfs_quota_us", "cpu.max");
	c = (struct cg_cpu){ .idle = 1, .has_idle = true, .shares = 512, .has_shares = true };
	if (cg_has_file(t->cg.dirfd[variant->v2 ? 0 : cg_controller(&t->cg, "cpu")], "cpu.idle")) {
		APPLY(t, &l, true);
		HAS("1", "cpu", "cpu.idle", "cpu.idle");
		c = (struct cg_cpu){ .idle = 0, .has_idle = true, .shares = 512, .has_shares = true };
		APPLY(t, &l, true);
		HAS("0", "cpu", "cpu.idle", "cpu.idle");
		HAS(variant->v2 ? "59" : "512", "cpu", "cpu.shares", "cpu.weight");
	}
	c = (struct cg_cpu){ .quota = 1, .has_quota = true };
	EXPECT_GT(0, cg_apply(&t->cg, &l, true, NULL, &t->e));
	EXPECT_EQ(ERR_SPEC, t->e.kind);
	EXPECT_NE(NULL, strstr(why(t), "cpu.quota: write \"1"))
		TH_LOG("%s", why(t));
}

TEST_F(limits, cpu_burst_follows_the_quota_both_ways)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_cpu c = { .quota = 50000, .has_quota = true, .burst = 40000, .has_burst = true };
	struct cg_limits l = { .cpu = &c };
	const char *file = variant->v2 ? "cpu.max.burst" : "cpu.cfs_burst_us";

	NEED(t, "cpu");
	if (!cg_has_file(t->cg.dirfd[variant->v2 ? 0 : cg_controller(&t->cg, "cpu")], file))
		SKIP(return, "this kernel has no CPU burst");
	APPLY(t, &l, false);
	HAS("40000", "cpu", "cpu.cfs_burst_us", "cpu.max.burst");
	for (size_t i = 0; i < t->host.n; i++)
		t->cg.made[i] = false;
	/* a burst may be at most the quota, after every single write */
	c.quota = 20000;
	c.burst = 10000;
	APPLY(t, &l, true);
	HAS("10000", "cpu", "cpu.cfs_burst_us", "cpu.max.burst");
	c.quota = 90000;
	c.burst = 80000;
	APPLY(t, &l, true);
	HAS("80000", "cpu", "cpu.cfs_burst_us", "cpu.max.burst");
	HAS(variant->v2 ? "90000 100000" : "90000", "cpu", "cpu.cfs_quota_us", "cpu.max");
	c.quota = 5000;
	c.burst = 6000;
	EXPECT_GT(0, cg_apply(&t->cg, &l, true, NULL, &t->e));
	EXPECT_EQ(ERR_SPEC, t->e.kind) TH_LOG("%s", why(t));
}

TEST_F(limits, cpuset)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_cpu c = { .cpus = "0", .mems = "0" };
	struct cg_limits l = { .cpu = &c };

	NEED(t, "cpuset");
	APPLY(t, &l, false);
	HAS("0", "cpuset", "cpuset.cpus", "cpuset.cpus");
	HAS("0", "cpuset", "cpuset.mems", "cpuset.mems");
	c = (struct cg_cpu){ .cpus = "4000" };
	EXPECT_GT(0, cg_apply(&t->cg, &l, true, NULL, &t->e));
	EXPECT_NE(NULL, strstr(why(t), "cpu.cpus"))
		TH_LOG("%s", why(t));
}

static int fn_forks(void *arg)
{
	int n = 0;

	for (; n < 20; n++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (!pid)
			_exit(fn_sleep(NULL));
	}
	return n;
}

TEST_F(limits, pids)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_pids p = { 5, true };
	struct cg_limits l = { .pids = &p };

	NEED(t, "pids");
	APPLY(t, &l, false);
	HAS("5", "pids", "pids.max", "pids.max");
	EXPECT_EQ(4, test_cg_wait(test_cg_child(t, fn_forks, NULL)));
	p.limit = 0;		/* a real limit */
	APPLY(t, &l, true);
	HAS("0", "pids", "pids.max", "pids.max");
	p.limit = -1;
	APPLY(t, &l, true);
	HAS("max", "pids", "pids.max", "pids.max");
}

TEST_F(limits, unified)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct keyval kv[] = { { "cgroup.max.depth", "7" }, { "cgroup.max.descendants", "9\n" } };
	struct keyval none = { "nosuch.file", "1" };
	struct cg_limits l = { .unified = { kv, 2 } };

	if (!variant->v2) {
		EXPECT_GT(0, cg_apply(&t->cg, &l, false, NULL, &t->e));
		EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
		EXPECT_NE(NULL, strstr(t->e.msg, "cgroup.max.depth"));
		return;
	}
	APPLY(t, &l, false);
	EXPECT_STREQ("7", test_cg_value(t, "", "cgroup.max.depth"));
	EXPECT_STREQ("9", test_cg_value(t, "", "cgroup.max.descendants"));
	l.unified = (struct strmap){ &none, 1 };
	EXPECT_GT(0, cg_apply(&t->cg, &l, false, NULL, &t->e));
	EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
	EXPECT_NE(NULL, strstr(t->e.msg, "controller nosuch"))
		TH_LOG("%s", why(t));
}

TEST_F(limits, weights)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_blkio b = { .weight = 200, .has_weight = true };
	struct cg_limits l = { .block_io = &b };
	int r;

	NEED(t, variant->v2 ? "io" : "blkio");
	r = cg_apply(&t->cg, &l, false, NULL, &t->e);
	if (r < 0) {
		/* a kernel without bfq has no weights on v1: then that is said */
		EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind)
			TH_LOG("%s", why(t));
		EXPECT_NE(NULL, strstr(t->e.msg, "blockIO.weight"));
	} else if (variant->v2 && !cg_has_file(t->cg.dirfd[0], "io.bfq.weight")) {
		EXPECT_STREQ("default 1920", test_cg_value(t, "", "io.weight"));
	} else {
		EXPECT_NE(NULL, strstr(test_cg_value(t, "blkio", variant->v2 ? "io.bfq.weight" :
						     "blkio.bfq.weight"), "200"));
	}
}

/* ---- statistics ---- */

static int fn_burn(void *arg)
{
	volatile unsigned long n = 0;

	while (clock() < CLOCKS_PER_SEC / 20)
		n++;
	return fn_hold(arg);
}

TEST_F(limits, statistics)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 64 * MIB, .has_limit = true };
	struct cg_pids p = { 77, true };
	struct cg_limits l = { .memory = test_cg_has(t, "memory") ? &m : NULL,
			       .pids = test_cg_has(t, "pids") ? &p : NULL };
	static struct cg_stats s;
	int pp[2];
	char x;

	APPLY(t, &l, false);
	ASSERT_EQ(0, pipe(pp));
	ASSERT_LT(0, test_cg_child(t, fn_burn, &pp[1]));
	ASSERT_EQ(1, read(pp[0], &x, 1));
	ASSERT_EQ(0, cg_stats(&t->cg, &s, &t->arena, &t->e));
	EXPECT_EQ(variant->v2, s.v2);
	EXPECT_EQ(test_cg_has(t, "memory"), s.has_memory);
	EXPECT_EQ(test_cg_has(t, "pids"), s.has_pids);
	if (s.has_cpu && (variant->v2 || test_cg_has(t, "cpuacct"))) {
		EXPECT_LE(40000, s.cpu.usage_us);
		EXPECT_LT(0, s.cpu.user_us + s.cpu.system_us);
	}
	if (!variant->v2 && test_cg_has(t, "cpuacct")) {
		uint64_t sum = 0;

		EXPECT_LT(0, s.cpu.n_cpu);
		for (size_t k = 0; k < s.cpu.n_cpu; k++)
			sum += s.cpu.per_cpu_ns[k];
		EXPECT_LE(40000000, sum);
	}
	if (s.has_pids) {
		EXPECT_EQ(1, s.pids.current);
		EXPECT_EQ(77, s.pids.limit);
	}
	if (s.has_memory) {
		EXPECT_LE(16 * MIB, s.memory.usage);
		EXPECT_EQ(64 * MIB, s.memory.limit);
		if (variant->v2) {
			EXPECT_LE(16 * MIB, s.memory.v2_stat[0]);	/* anon */
			EXPECT_LT(0, s.memory.v2_stat[17]);		/* pgfault */
			EXPECT_LE(s.memory.usage, s.memory.peak + 64 * MIB);
		} else {
			EXPECT_LE(16 * MIB, s.memory.v1_stat[1]);	/* rss */
			EXPECT_LE(16 * MIB, s.memory.v1_stat[18]);	/* total_rss */
			EXPECT_EQ(64 * MIB, s.memory.v1_stat[15]);	/* hierarchical limit */
			EXPECT_EQ(64 * MIB, s.memory.v1_usage.limit);
		}
	}
}

/* ---- out of memory ---- */

static int fn_eat(void *arg)
{
	/* beyond what swap could take, too */
	for (size_t k = 0; k < 4096; k++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			break;
		memset(p, 1, 1 << 20);
		mlock(p, 1 << 20);
	}
	return 0;
}

TEST_F(limits, oom_is_seen_once_and_removal_is_none)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 24 * MIB, .has_limit = true };
	struct cg_limits l = { .memory = &m };
	struct cg_watch w, later;
	struct pollfd p = { .events = POLLIN };

	if (!test_cg_has(t, "memory")) {
		EXPECT_EQ(-EOPNOTSUPP, cg_watch_open(&t->cg, &w, &t->e));
		EXPECT_EQ(ERR_UNSUPPORTED, t->e.kind);
		SKIP(return, "no memory controller in this hierarchy");
	}
	APPLY(t, &l, false);
	ASSERT_EQ(0, cg_watch_open(&t->cg, &w, &t->e))
		TH_LOG("%s", why(t));
	p.fd = w.event;
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(0, cg_watch_read(&w));
	for (int round = 0; round < 3; round++) {
		int seen = 0;

		EXPECT_EQ(128 + SIGKILL, test_cg_wait(test_cg_child(t, fn_eat, NULL)));
		/* known as soon as the process is reaped, without waiting for an event */
		seen = cg_watch_read(&w);
		EXPECT_EQ(1, seen);
		while (poll(&p, 1, 50) > 0)
			seen += cg_watch_read(&w);
		EXPECT_EQ(1, seen);
	}
	/* what was before is not news for a second watch */
	ASSERT_EQ(0, cg_watch_open(&t->cg, &later, &t->e));
	EXPECT_EQ(0, cg_watch_read(&later));
	EXPECT_EQ(20, test_cg_wait(test_cg_child(t, fn_forks, NULL)));	/* an exit that is none */
	EXPECT_EQ(0, cg_watch_read(&w));
	EXPECT_EQ(0, cg_kill(&t->cg, SIGKILL, &t->e));
	EXPECT_EQ(0, cg_remove(&t->host, t->path, &t->e))
		TH_LOG("%s", why(t));
	(void)poll(&p, 1, 100);
	EXPECT_EQ(0, cg_watch_read(&w));
	EXPECT_EQ(0, cg_watch_read(&later));
	cg_watch_close(&w);
	cg_watch_close(&later);
	EXPECT_EQ(-1, w.event);
}

/* The event is read while the victim still dies: it is told of then, and not once more afterwards. */
TEST_F(limits, oom_event_alone_is_enough)
{
	HERE(&self->t);
	struct test_cg *t = &self->t;
	struct cg_memory m = { .limit = 24 * MIB, .has_limit = true };
	struct cg_limits l = { .memory = &m };
	struct pollfd p = { .events = POLLIN };
	struct cg_watch w;
	int seen = 0, status;
	pid_t pid;

	NEED(t, "memory");
	APPLY(t, &l, false);
	ASSERT_EQ(0, cg_watch_open(&t->cg, &w, &t->e));
	p.fd = w.event;
	for (int round = 1; round <= 5; round++) {
		pid = test_cg_child(t, fn_eat, NULL);
		while (waitpid(pid, &status, WNOHANG) == 0)
			if (poll(&p, 1, 1) > 0)
				seen += cg_watch_read(&w);
		seen += cg_watch_read(&w);
		EXPECT_EQ(round, seen);
	}
	cg_watch_close(&w);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability names, and the sets as the kernel sees them in children that report by exit status. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "caps.h"
#include "field.h"
#include "log.h"

#define BIT(c) (UINT64_C(1) << (c))
#define NAMES(...) { (const char *[]){ __VA_ARGS__ }, \
	sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) }

/* ---- names ---- */
struct counting_log { struct log log; unsigned int warnings; char last[256]; };

static void count(const struct log *l, enum log_level level, const char *text)
{
	struct counting_log *c = (struct counting_log *)(uintptr_t)l;

	c->warnings += level == LOG_WARN_LEVEL;
	snprintf(c->last, sizeof(c->last), "%s", text);
}

#define COUNTING_LOG { .log = { .min = LOG_DEBUG_LEVEL, .emit = count } }

TEST(known_names_become_bits)
{
	struct strv v = NAMES("CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_BPF");
	struct counting_log l = COUNTING_LOG;
	uint64_t mask = ~UINT64_C(0);

	mask = caps_parse(&v, &l.log);
	EXPECT_EQ(BIT(CAP_CHOWN) | BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF), mask);
	EXPECT_EQ(0, l.warnings) TH_LOG("%s", l.last);
}

FIXTURE(unknown) { int unused; };
FIXTURE_SETUP(unknown) { }
FIXTURE_TEARDOWN(unknown) { }
FIXTURE_VARIANT(unknown) { const char *name; };
FIXTURE_VARIANT_ADD(unknown, no_such_name) { "CAP_TO_BE_ALL" };
FIXTURE_VARIANT_ADD(unknown, lower_case) { "cap_chown" };
FIXTURE_VARIANT_ADD(unknown, mixed_case) { "CAP_Chown" };
FIXTURE_VARIANT_ADD(unknown, no_prefix) { "CHOWN" };
FIXTURE_VARIANT_ADD(unknown, prefix_alone) { "CAP_" };
FIXTURE_VARIANT_ADD(unknown, empty) { "" };
FIXTURE_VARIANT_ADD(unknown, all) { "ALL" };
FIXTURE_VARIANT_ADD(unknown, cap_all) { "CAP_ALL" };
FIXTURE_VARIANT_ADD(unknown, number) { "21" };
FIXTURE_VARIANT_ADD(unknown, number_with_prefix) { "CAP_21" };
FIXTURE_VARIANT_ADD(unknown, more_behind) { "CAP_CHOWN " };
FIXTURE_VARIANT_ADD(unknown, longer) { "CAP_CHOWNX" };
FIXTURE_VARIANT_ADD(unknown, shorter) { "CAP_CHOW" };
FIXTURE_VARIANT_ADD(unknown, list) { "CAP_CHOWN,CAP_KILL" };
FIXTURE_VARIANT_ADD(unknown, capability_63) { "CAP_63" };

TEST_F(unknown, is_warned_of_and_skipped)
{
	struct strv v = NAMES("CAP_KILL", variant->name);
	struct counting_log l = COUNTING_LOG;
	uint64_t mask = ~UINT64_C(0);

	mask = caps_parse(&v, &l.log);
	EXPECT_EQ(BIT(CAP_KILL), mask);
	EXPECT_EQ(1, l.warnings);
	EXPECT_NE(NULL, strstr(l.last, variant->name)) TH_LOG("%s", l.last);
	/* no log is no crash */
	EXPECT_EQ(mask, caps_parse(&v, NULL));
}

TEST(no_names_are_no_capabilities)
{
	struct strv none = { 0 };
	uint64_t mask = 5;

	mask = caps_parse(&none, NULL);
	EXPECT_EQ(0, mask);
}

/* ---- sets ---- */
struct sets { uint64_t inh, prm, eff, bnd, amb; };

static void read_sets(struct sets *s)
{
	FILE *f = fopen("/proc/thread-self/status", "re");
	char line[256];
	unsigned long long v;

	memset(s, 0xff, sizeof(*s));
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapInh: %llx", &v) == 1)
			s->inh = v;
		else if (sscanf(line, "CapPrm: %llx", &v) == 1)
			s->prm = v;
		else if (sscanf(line, "CapEff: %llx", &v) == 1)
			s->eff = v;
		else if (sscanf(line, "CapBnd: %llx", &v) == 1)
			s->bnd = v;
		else if (sscanf(line, "CapAmb: %llx", &v) == 1)
			s->amb = v;
	}
	if (f)
		fclose(f);
}

/* Run @fn in a child. Return: its exit status. */
static int child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define CHECK(cond, n) do { if (!(cond)) return (n); } while (0)
#define NEED_ROOT() do { struct sets s_; read_sets(&s_); \
	if (geteuid() || !(s_.eff & BIT(CAP_SETPCAP))) \
		SKIP(return, "needs root with CAP_SETPCAP"); } while (0)

static int bounding(void)
{
	struct sets before, after;
	uint64_t keep = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(63);

	read_sets(&before);
	CHECK(!caps_apply_bounding(keep), 1);
	read_sets(&after);
	CHECK(after.bnd == (before.bnd & keep), 2);
	CHECK(after.prm == before.prm && after.eff == before.eff, 3);
	CHECK(!caps_apply_bounding(~UINT64_C(0)), 4);	/* nothing to drop, nothing back */
	read_sets(&after);
	CHECK(after.bnd == (before.bnd & keep), 5);
	CHECK(!caps_apply_bounding(0), 6);
	read_sets(&after);
	CHECK(!after.bnd, 7);
	return 0;
}

TEST(bounding_set_keeps_what_is_asked)
{
	NEED_ROOT();
	EXPECT_EQ(0, child(bounding));
}

static int bounding_without_setpcap(void)
{
	CHECK(!caps_apply(BIT(CAP_KILL), BIT(CAP_KILL), 0, 0), 1);
	CHECK(!caps_apply_bounding(~UINT64_C(0)), 2);	/* nothing to drop needs nothing */
	CHECK(caps_apply_bounding(0) == -EPERM, 3);
	return 0;
}

TEST(bounding_set_needs_setpcap_only_to_drop)
{
	NEED_ROOT();
	EXPECT_EQ(0, child(bounding_without_setpcap));
}

static int four_sets(void)
{
	uint64_t prm = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_FOWNER);
	uint64_t inh = BIT(CAP_CHOWN) | BIT(CAP_KILL);
	struct sets s;

	CHECK(!caps_apply(BIT(CAP_CHOWN), prm, inh, BIT(CAP_KILL)), 1);
	read_sets(&s);
	CHECK(s.eff == BIT(CAP_CHOWN), 2);
	CHECK(s.prm == prm, 3);
	CHECK(s.inh == inh, 4);
	CHECK(s.amb == BIT(CAP_KILL), 5);
	/* ambient goes with each new call; what cannot be ambient is left out */
	CHECK(!caps_apply(0, prm, inh, BIT(CAP_FOWNER) | BIT(CAP_CHOWN)), 6);
	read_sets(&s);
	CHECK(s.amb == BIT(CAP_CHOWN) && !s.eff, 7);
	/* no way back up, and effective stays inside permitted */
	CHECK(caps_apply(0, prm | BIT(CAP_SYS_ADMIN), inh, 0) == -EPERM, 8);
	CHECK(caps_apply(BIT(CAP_SYS_ADMIN), prm, inh, 0) == -EPERM, 9);
	read_sets(&s);
	CHECK(s.prm == prm && s.amb == BIT(CAP_CHOWN), 10);
	CHECK(!caps_apply(0, 0, 0, 0), 11);
	read_sets(&s);
	CHECK(!(s.eff | s.prm | s.inh | s.amb), 12);
	return 0;
}

TEST(four_sets_are_exactly_what_is_asked)
{
	NEED_ROOT();
	EXPECT_EQ(0, child(four_sets));
}

static int after_setuid(void)
{
	struct sets s;
	uint64_t m = BIT(CAP_NET_BIND_SERVICE);

	CHECK(!caps_apply_bounding(m), 1);
	CHECK(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 2);
	CHECK(!setresuid(65534, 65534, 65534), 3);
	CHECK(!caps_apply(m, m, m, m), 4);
	read_sets(&s);
	CHECK(s.eff == m && s.prm == m && s.inh == m && s.amb == m && s.bnd == m, 5);
	return 0;
}

TEST(sets_of_another_user)
{
	NEED_ROOT();
	EXPECT_EQ(0, child(after_setuid));
}

TEST_HARNESS_MAIN

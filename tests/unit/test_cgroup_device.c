/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules: the reference against written-down answers, then the BPF
 * program (by interpreting it) and v1's reduced form against the reference,
 * then both on this kernel.
 */
#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include "cgroup.h"
#include "cgroup_fixture.h"
#include "kselftest_harness.h"

struct dev { char type; int major, minor; };
static const struct dev devs[] = {
	{ 'c', 1, 3 }, { 'c', 1, 11 }, { 'c', 5, 0 }, { 'c', 5, 2 }, { 'c', 5, 9 },
	{ 'c', 136, 7 }, { 'c', 10, 200 }, { 'c', 10, 1 }, { 'c', 7, 3 }, { 'c', 4095, 1048575 },
	{ 'b', 1, 3 }, { 'b', 8, 0 }, { 'b', 8, 1 }, { 'b', 7, 0 }, { 'b', 259, 0 },
};
#define N_DEVS (sizeof(devs) / sizeof(devs[0]))

#define R(t, M, m, acc, ok) { .allow = ok, .type = t, .major = M, .minor = m, \
			      .has_major = (M) >= 0, .has_minor = (m) >= 0, .access = acc }

static const struct {
	const char *name;
	size_t n;
	struct cg_device d[6];
	bool v1;			/* does v1 have a form for it? */
	bool kmsg_r, kmsg_w, sda_r, sda1_rw;	/* c 1:11, b 8:0, b 8:1 */
} lists[] = {
	{ "none", 0, { { 0 } }, true, false, false, false, false },
	{ "deny all", 1, { R('a', -1, -1, "rwm", false) }, true, false, false, false, false },
	{ "allow all", 1, { R('a', -1, -1, "rwm", true) }, true, true, true, true, true },
	{ "absent type is all", 1, { { .allow = true, .access = "rwm" } }, true, true, true, true, true },
	{ "all forgets what was before", 2,
	  { R('b', 8, 0, "r", true), R('a', -1, -1, "rwm", false) }, true, false, false, false, false },
	{ "one", 1, { R('b', 8, 0, "r", true) }, true, false, false, true, false },
	{ "any minor", 1, { R('b', 8, -1, "rw", true) }, true, false, false, true, true },
	{ "any major", 1, { R('c', -1, 11, "rw", true) }, true, true, true, false, false },
	{ "two rules make one access", 2, { R('b', 8, 1, "r", true), R('b', 8, 1, "w", true) },
	  true, false, false, false, true },
	{ "all but one", 2, { R('a', -1, -1, "rwm", true), R('b', 8, 0, "rwm", false) },
	  true, true, true, false, true },
	{ "all but writes", 2, { R('a', -1, -1, "rwm", true), R('b', 8, 1, "w", false) },
	  true, true, true, true, false },
	{ "denied again", 2, { R('b', 8, 0, "rw", true), R('b', 8, 0, "rw", false) },
	  true, false, false, false, false },
	{ "a part denied again", 2, { R('c', 1, 11, "rw", true), R('c', 1, 11, "w", false) },
	  true, true, false, false, false },
	{ "allowed again", 3, { R('a', -1, -1, "rwm", true), R('b', 8, 0, "rw", false),
	  R('b', 8, -1, "rw", true) }, true, true, true, true, true },
	{ "a hole in a wildcard", 2, { R('b', 8, -1, "rw", true), R('b', 8, 0, "rw", false) },
	  false, false, false, false, true },
	{ "no access", 1, { R('b', 8, 0, "", true) }, true, false, false, false, false },
};
#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

static struct cg_limits limits_of(size_t i)
{
	union { const void *c; void *v; } d = { .c = lists[i].d };

	return (struct cg_limits){ .devices = { d.v, lists[i].n }, .has_devices = true };
}

TEST(reference)
{
	for (size_t i = 0; i < N_LISTS; i++) {
		struct cg_limits l = limits_of(i);
		auto_rules r = { 0 };

		ASSERT_EQ(0, cg_rules_build(&l, &r, NULL));
		EXPECT_EQ(lists[i].kmsg_r, cg_rules_allow(&r, 'c', 1, 11, CG_DEV_READ))
			TH_LOG("%s", lists[i].name);
		EXPECT_EQ(lists[i].kmsg_w, cg_rules_allow(&r, 'c', 1, 11, CG_DEV_WRITE))
			TH_LOG("%s", lists[i].name);
		EXPECT_EQ(lists[i].sda_r, cg_rules_allow(&r, 'b', 8, 0, CG_DEV_READ))
			TH_LOG("%s", lists[i].name);
		EXPECT_EQ(lists[i].sda1_rw,
			  cg_rules_allow(&r, 'b', 8, 1, CG_DEV_READ | CG_DEV_WRITE))
			TH_LOG("%s", lists[i].name);
		/* what every container has */
		EXPECT_TRUE(cg_rules_allow(&r, 'c', 1, 3, CG_DEV_ALL));
		EXPECT_TRUE(cg_rules_allow(&r, 'c', 136, 42, CG_DEV_READ | CG_DEV_WRITE));
		EXPECT_TRUE(cg_rules_allow(&r, 'b', 99, 1, CG_DEV_MKNOD));
	}
}

/* The kernel's verifier would refuse a jump out of the program or a loop; so does this. */
static int interpret(const struct bpf_insn *p, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t r[11] = { 0 };
	size_t pc = 0;

	for (size_t steps = 0; steps < 100000 && pc < n; steps++) {
		const struct bpf_insn *i = &p[pc++];
		uint64_t k = (uint64_t)(int64_t)i->imm;
		uint32_t w;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			memcpy(&w, (const char *)ctx + i->off, 4);
			r[i->dst_reg] = w;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = k;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= k;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= k;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += r[i->dst_reg] != k ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += r[i->dst_reg] & k ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			pc += (size_t)i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		default:
			return -1;
		}
	}
	return -2;
}

TEST(program_agrees_with_reference)
{
	for (size_t i = 0; i < N_LISTS; i++) {
		struct cg_limits l = limits_of(i);
		struct bpf_insn *p;
		auto_rules r = { 0 };
		size_t n;

		ASSERT_EQ(0, cg_rules_build(&l, &r, NULL));
		ASSERT_EQ(0, cg_bpf_build(&r, &p, &n));
		for (size_t d = 0; d < N_DEVS; d++) {
			for (unsigned int acc = 1; acc < 8; acc++) {
				struct bpf_cgroup_dev_ctx ctx = {
					.access_type = (acc << 16) | (devs[d].type == 'b' ?
						BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
					.major = devs[d].major, .minor = devs[d].minor,
				};

				EXPECT_EQ(cg_rules_allow(&r, devs[d].type, devs[d].major,
							 devs[d].minor, acc),
					  interpret(p, n, &ctx)) {
					TH_LOG("%s: %c %d:%d access %u", lists[i].name, devs[d].type,
					       devs[d].major, devs[d].minor, acc);
				}
			}
		}
		free(p);
	}
}

TEST(v1_form_agrees_with_reference)
{
	for (size_t i = 0; i < N_LISTS; i++) {
		struct cg_limits l = limits_of(i);
		auto_rules r = { 0 }, x = { 0 };
		struct err e = { 0 };

		ASSERT_EQ(0, cg_rules_build(&l, &r, NULL));
		EXPECT_EQ(lists[i].v1, !cg_rules_reduce(&r, &x, &e))
			TH_LOG("%s: %s", lists[i].name, e.msg);
		if (!lists[i].v1) {
			EXPECT_EQ(ERR_UNSUPPORTED, e.kind);
			continue;
		}
		for (size_t k = 0; k < x.n; k++) {
			EXPECT_NE(x.fallback, x.v[k].allow);
		}
		for (size_t d = 0; d < N_DEVS; d++) {
			for (unsigned int acc = 1; acc < 8; acc++) {
				EXPECT_EQ(cg_rules_allow(&r, devs[d].type, devs[d].major,
							 devs[d].minor, acc),
					  cg_rules_allow(&x, devs[d].type, devs[d].major,
							 devs[d].minor, acc))
					TH_LOG("%s: %c %d:%d access %u", lists[i].name, devs[d].type,
					       devs[d].major, devs[d].minor, acc);
			}
		}
	}
}

TEST(rule_text)
{
	char out[64];

	cg_rule_text(&(struct cg_rule){ true, 'c', 1, -1, CG_DEV_READ | CG_DEV_MKNOD }, out);
	EXPECT_STREQ("c 1:* rm", out);
	cg_rule_text(&(struct cg_rule){ true, 'b', -1, 1048575, CG_DEV_ALL }, out);
	EXPECT_STREQ("b *:1048575 rwm", out);
}

/* ---- on this kernel ---- */

FIXTURE(real) { struct test_cg t; };
FIXTURE_VARIANT(real) { bool v2; };
FIXTURE_VARIANT_ADD(real, v1) { .v2 = false };
FIXTURE_VARIANT_ADD(real, v2) { .v2 = true };
FIXTURE_SETUP(real)
{
	if (test_cg_host(&self->t, variant->v2))
		return;
	if (!variant->v2 && cg_index(&self->t.host, "devices") < 0) {
		self->t.no = "no devices controller";
		return;
	}
	ASSERT_EQ(0, cg_make(&self->t.cg, &self->t.host, self->t.path, NULL, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
}
FIXTURE_TEARDOWN(real) { test_cg_fini(&self->t); }

/* Bits: null opens, kmsg opens to read, kmsg to write, mknod of any number works. */
static int fn_probe(void *arg)
{
	const char *node = arg;
	int bits = 0;

	if (open("/dev/null", O_RDWR | O_CLOEXEC) >= 0)
		bits |= 1;
	if (open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
		bits |= 2;
	if (open("/dev/kmsg", O_WRONLY | O_CLOEXEC) >= 0)
		bits |= 4;
	if (!mknod(node, S_IFCHR | 0600, makedev(240, 17)))
		bits |= 8;
	return bits;
}

static int probe(struct test_cg *t)
{
	char node[64];
	int r;

	snprintf(node, sizeof(node), "/dev/cleat-test-%d", (int)getpid());
	r = test_cg_wait(test_cg_child(t, fn_probe, node));
	unlink(node);
	return r;
}

TEST_F(real, filters)
{
	HERE(&self->t);
	struct cg_device allow[] = { R('c', 1, 11, "r", true) };
	struct cg_device all[] = { R('a', -1, -1, "rwm", true) };
	struct cg_limits l = { .devices = { allow, 1 }, .has_devices = true };

	if (access("/dev/kmsg", F_OK))
		SKIP(return, "no /dev/kmsg");
	EXPECT_EQ(15, probe(&self->t));		/* nothing is filtered yet */
	ASSERT_EQ(0, cg_apply(&self->t.cg, NULL, false, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
	EXPECT_EQ(9, probe(&self->t));
	/* a second time takes the place of the first */
	self->t.cg.made[0] = false;
	ASSERT_EQ(0, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
	EXPECT_EQ(11, probe(&self->t));
	for (size_t i = 0; i < self->t.host.n; i++)
		self->t.cg.made[i] = false;
	l.devices = (struct objv){ all, 1 };
	/* an update never touches devices */
	ASSERT_EQ(0, cg_apply(&self->t.cg, &l, true, NULL, &self->t.e));
	EXPECT_EQ(11, probe(&self->t));
	ASSERT_EQ(0, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
	EXPECT_EQ(15, probe(&self->t));
}

TEST_F(real, never_more_than_one_program)
{
	HERE(&self->t);
	/* Below 5.11 that is room for two, and those that were replaced take theirs for a while. */
	const struct rlimit little = { 8192, 8192 };
	union bpf_attr a;
	uint32_t ids[8];

	if (!variant->v2)
		return;		/* cgroup v1 has no programs */
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &little));
	/* each another list, as device plug-ins would have it */
	for (int k = 0; k < 1000; k++) {
		struct cg_device d = { .allow = true, .type = 'c', .major = k, .has_major = true, .access = "rw" };
		struct cg_limits l = { .devices = { &d, (size_t)k % 2 }, .has_devices = true };

		ASSERT_EQ(0, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e))
			TH_LOG("%s", why(&self->t));
		self->t.cg.made[0] = false;
	}
	memset(&a, 0, sizeof(a));
	a.query.target_fd = self->t.cg.dirfd[0];
	a.query.attach_type = BPF_CGROUP_DEVICE;
	a.query.prog_ids = (uintptr_t)ids;
	a.query.prog_cnt = 8;
	ASSERT_EQ(0, syscall(__NR_bpf, BPF_PROG_QUERY, &a, sizeof(a)));
	EXPECT_EQ(1, a.query.prog_cnt);
}

TEST_F_TIMEOUT(real, many_rules, 180)
{
	HERE(&self->t);
	static struct cg_device d[500];
	struct cg_limits l = { .devices = { d, 500 }, .has_devices = true };

	if (!variant->v2)
		return;		/* one write per rule there: no limit to be hit */
	for (int k = 0; k < 500; k++)
		d[k] = (struct cg_device)R('c', 1000 + k, k, "rw", true);
	EXPECT_EQ(0, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e))
		TH_LOG("%s", why(&self->t));
	EXPECT_EQ(9, probe(&self->t));
}

/* What the kernel takes is its business; a refusal must say why and change nothing. */
TEST_F_TIMEOUT(real, too_many_rules, 180)
{
	HERE(&self->t);
	static struct cg_device d[200000];
	struct cg_limits l = { .devices = { d, 200000 }, .has_devices = true };

	if (!variant->v2)
		return;		/* one write per rule there: no limit to be hit */
	for (int k = 0; k < 200000; k++)
		d[k] = (struct cg_device)R('c', k % 4096, k, "rw", true);
	EXPECT_GT(0, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e));
	EXPECT_EQ(ERR_LIMIT, self->t.e.kind)
		TH_LOG("%s", why(&self->t));
	EXPECT_NE(NULL, strstr(self->t.e.msg, "200011 device rules"));
	EXPECT_EQ(15, probe(&self->t));
}

TEST_F(real, hole_is_refused_on_v1)
{
	HERE(&self->t);
	struct cg_device d[] = { R('b', 8, -1, "rw", true), R('b', 8, 0, "rw", false) };
	struct cg_limits l = { .devices = { d, 2 }, .has_devices = true };

	EXPECT_EQ(!variant->v2, cg_apply(&self->t.cg, &l, false, NULL, &self->t.e) < 0);
	EXPECT_EQ(variant->v2 ? ERR_NONE : ERR_UNSUPPORTED, self->t.e.kind);
}

TEST_HARNESS_MAIN

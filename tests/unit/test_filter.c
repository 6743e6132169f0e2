/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters are judged by installing them: children try the calls and report by
 * exit status. What this machine cannot run (other ABIs) is judged by a small
 * interpreter of the program.
 */
#include <seccomp.h>
#include <time.h>
#include "filter_test.h"
#include "filter.h"

/* ---- actions ------------------------------------------------------------------- */
TEST_F(filter, nothing_asked_is_no_filter)
{
	struct filter_spec s = { 0 };

	ASSERT_EQ(0, filter_check(&s, "/linux/seccomp", &self->e));
	ASSERT_EQ(0, filter_get(&s, self->dirfd, &self->a, &self->f, self->key, NULL, &self->e));
	EXPECT_EQ(0, self->f.len);
	EXPECT_STREQ("", self->key);
	EXPECT_EQ(0, call_errno(&self->f, SYS_getppid));
}

TEST_F(filter, errno_of_the_rule_and_eperm_without_one)
{
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		DENY(77, "getppid"),
		DENY(0, "getpgrp"),
		{ .names = NAMES("getuid"), .action = FILTER_ERRNO }) };

	BUILD(&s);
	EXPECT_EQ(77, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(EPERM, call_errno(&self->f, SYS_getuid));
	EXPECT_EQ(0, call_errno(&self->f, SYS_getgid));
}

static int caught;
static void on_sigsys(int sig, siginfo_t *si, void *ctx)
{
	caught = si->si_syscall;
}

static int trap_call(const void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	syscall(SYS_getppid);
	return caught == SYS_getppid ? 3 : 4;
}

TEST_F(filter, kill_and_trap)
{
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		{ .names = NAMES("getppid"), .action = FILTER_TRAP },
		{ .names = NAMES("getuid"), .action = FILTER_KILL_PROCESS },
		{ .names = NAMES("getgid"), .action = FILTER_KILL_THREAD },
		{ .names = NAMES("getegid"), .action = FILTER_LOG },
		{ .names = NAMES("geteuid"), .action = FILTER_TRACE, .errno_ret = 9,
		  .has_errno_ret = true }) };

	BUILD(&s);
	EXPECT_EQ(3, confined(&self->f, trap_call, NULL));
	EXPECT_EQ(SIGNALLED + SIGSYS, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(SIGNALLED + SIGSYS, call_errno(&self->f, SYS_getuid));
	EXPECT_EQ(SIGNALLED + SIGSYS, call_errno(&self->f, SYS_getgid));
	EXPECT_EQ(0, call_errno(&self->f, SYS_getegid));
	/* no tracer is there: the kernel says ENOSYS */
	EXPECT_EQ(ENOSYS, call_errno(&self->f, SYS_geteuid));
}

TEST_F(filter, rule_equal_to_default_is_dropped)
{
	struct filter_spec s = { DENY_ALL(5), .syscalls = RULES(LIFE,
		DENY(5, "getppid"), DENY(6, "getuid"), ALLOW("getgid", "openat2")) };

	BUILD(&s);
	EXPECT_EQ(5, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(6, call_errno(&self->f, SYS_getuid));
	EXPECT_EQ(0, call_errno(&self->f, SYS_getgid));
	EXPECT_EQ(5, call_errno(&self->f, SYS_getegid));
}

TEST_F(filter, unknown_names_are_skipped)
{
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		DENY(77, "no_such_call", "", "getppid", "READ", "read\n", "-1", "0")) };

	((const char **)((struct filter_rule *)s.syscalls.v)[0].names.v)[1] = "another";
	BUILD(&s);
	EXPECT_EQ(77, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(EBADF, confined(&self->f, try_call, &(struct call){ SYS_read, { 999 } }));
}

TEST_F(filter, first_rule_without_arguments_wins)
{
	struct filter_arg three = { 0, 3, 0, FILTER_EQ };
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		DENY(7, "getppid"), DENY(8, "getppid"),
		{ .names = NAMES("getppid", "getuid"), .action = FILTER_ERRNO, .errno_ret = 9,
		  .has_errno_ret = true, .args = { &three, 1 } },
		DENY(10, "getuid")) };
	struct call c = { SYS_getuid, { 3 } };

	BUILD(&s);
	EXPECT_EQ(7, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(10, confined(&self->f, try_call, &c));
}

TEST_F(filter, contradicting_rules_are_refused)
{
	struct filter_arg three = { 0, 3, 0, FILTER_EQ };
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		{ .names = NAMES("getppid"), .action = FILTER_ERRNO, .args = { &three, 1 } },
		{ .names = NAMES("getppid"), .action = FILTER_TRAP, .args = { &three, 1 } }) };

	ASSERT_GT(0, filter_build(&s, &self->a, &self->f, NULL, &self->e));
	EXPECT_EQ(ERR_SPEC, self->e.kind);
	EXPECT_STREQ("/linux/seccomp/syscalls/1", self->e.where);
}

/* ---- arguments -------------------------------------------------------------------- */
static bool model_op(int op, uint64_t have, uint64_t value, uint64_t two)
{
	switch (op) {
	case FILTER_NE: return have != value;
	case FILTER_LT: return have < value;
	case FILTER_LE: return have <= value;
	case FILTER_EQ: return have == value;
	case FILTER_GE: return have >= value;
	case FILTER_GT: return have > value;
	default: return (have & value) == two;
	}
}

struct probes { size_t n; uint64_t v[16]; unsigned int index; };

/* Bit per probe: did the rule match? Reported through the exit status, so at most 8 a child. */
static int try_probes(const void *arg)
{
	const struct probes *p = arg;
	unsigned int i, bits = 0;

	for (i = 0; i < p->n; i++) {
		uint64_t a[6] = { 0 };

		a[p->index] = p->v[i];
		if (syscall(SYS_getppid, a[0], a[1], a[2], a[3], a[4], a[5]) < 0)
			bits |= 1u << i;
	}
	return (int)bits;
}

static const uint64_t edges[] = {
	0, 1, 0x7fffffff, 0xffffffff, 0x100000000, 0x100000001, 0x8000000000000000, UINT64_MAX,
};

TEST_F(filter, every_operator_compares_64_bits)
{
	size_t v, i;
	int op;

	for (op = FILTER_NE; op <= FILTER_GT; op++) {
		for (v = 0; v < sizeof(edges) / sizeof(edges[0]); v++) {
			struct filter_arg arg = { 2, edges[v], 0, op };
			struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
				{ .names = NAMES("getppid"), .action = FILTER_ERRNO,
				  .args = { &arg, 1 } }) };
			struct probes p = { 7, { 0 }, 2 };
			unsigned int want = 0;

			for (i = 0; i < 7; i++) {	/* 255 means "not loaded" */
				p.v[i] = edges[i + 1];
				want |= (unsigned int)model_op(op, p.v[i], edges[v], 0) << i;
			}
			BUILD(&s);
			EXPECT_EQ(want, confined(&self->f, try_probes, &p))
				TH_LOG("%s %#llx", filter_op_names[op].name,
				       (unsigned long long)edges[v]);
		}
	}
}

TEST_F(filter, masked_equality_takes_value_as_mask)
{
	struct filter_arg arg = { 5, 0x7e02000000000f, 0x02000000000001, FILTER_MASKED_EQ };
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		{ .names = NAMES("getppid"), .action = FILTER_ERRNO, .args = { &arg, 1 } }) };
	struct probes p = { 5, { 0x02000000000001, 0x02000000000000, 0x0200000fffff1, 1,
				 0xff02000000000f1 }, 5 };
	unsigned int i, want = 0;

	for (i = 0; i < p.n; i++)
		want |= (unsigned int)model_op(FILTER_MASKED_EQ, p.v[i], arg.value, arg.value_two) << i;
	ASSERT_NE(0, want);
	BUILD(&s);
	EXPECT_EQ(want, confined(&self->f, try_probes, &p));
}

TEST_F(filter, all_arguments_must_hold)
{
	struct filter_arg args[] = { { 0, 1, 0, FILTER_EQ }, { 1, 2, 0, FILTER_GE },
				     { 5, 7, 0, FILTER_NE } };
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		{ .names = NAMES("getppid"), .action = FILTER_ERRNO, .errno_ret = 44,
		  .has_errno_ret = true, .args = { args, 3 } }) };

	BUILD(&s);
	EXPECT_EQ(44, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 1, 2 } }));
	EXPECT_EQ(0, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 1, 1 } }));
	EXPECT_EQ(0, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 2, 2 } }));
	EXPECT_EQ(0, confined(&self->f, try_call,
			      &(struct call){ SYS_getppid, { 1, 2, 0, 0, 0, 7 } }));
}

TEST_F(filter, an_index_twice_makes_every_condition_a_rule)
{
	struct filter_arg args[] = { { 0, 1, 0, FILTER_EQ }, { 0, 2, 0, FILTER_EQ },
				     { 3, 9, 0, FILTER_EQ } };
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(
		{ .names = NAMES("getppid"), .action = FILTER_ERRNO, .errno_ret = 44,
		  .has_errno_ret = true, .args = { args, 3 } }) };

	BUILD(&s);
	EXPECT_EQ(44, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 1 } }));
	EXPECT_EQ(44, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 2 } }));
	EXPECT_EQ(0, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 3 } }));
	EXPECT_EQ(44, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 3, 0, 0, 9 } }));
}

/* ---- ENOSYS stub ------------------------------------------------------------------- */
#define FACCESSAT2 439	/* the number is the same on every architecture */
#define OPENAT2 437
#define CLOSE_RANGE 436

FIXTURE(stub) { struct arena a; struct filter f; struct err e; };
FIXTURE_SETUP(stub) { memset(self, 0, sizeof(*self)); }
FIXTURE_TEARDOWN(stub) { arena_fini(&self->a); }
FIXTURE_VARIANT(stub) { int action; uint32_t ret; int below, above; };
FIXTURE_VARIANT_ADD(stub, errno_gets_enosys_above) {
	.action = FILTER_ERRNO, .ret = EACCES, .below = EACCES, .above = ENOSYS };
FIXTURE_VARIANT_ADD(stub, errno_enosys_needs_none) {
	.action = FILTER_ERRNO, .ret = ENOSYS, .below = ENOSYS, .above = ENOSYS };
FIXTURE_VARIANT_ADD(stub, kill_process_gets_enosys_above) {
	.action = FILTER_KILL_PROCESS, .below = SIGNALLED + SIGSYS, .above = ENOSYS };
FIXTURE_VARIANT_ADD(stub, kill_thread_gets_enosys_above) {
	.action = FILTER_KILL_THREAD, .below = SIGNALLED + SIGSYS, .above = ENOSYS };
FIXTURE_VARIANT_ADD(stub, trap_gets_enosys_above) {
	.action = FILTER_TRAP, .below = SIGNALLED + SIGSYS, .above = ENOSYS };
/* bad pointer and not ENOSYS: the calls reach the kernel */
FIXTURE_VARIANT_ADD(stub, log_has_no_stub) {
	.action = FILTER_LOG, .below = EINVAL, .above = EFAULT };
FIXTURE_VARIANT_ADD(stub, allow_has_no_stub) {
	.action = FILTER_ALLOW, .below = EINVAL, .above = EFAULT };

TEST_F(stub, newer_than_the_newest_mentioned)
{
	struct call below = { CLOSE_RANGE, { 5, 4 } }, above = { FACCESSAT2, { 0, 1, 0, 0 } };
	struct filter_spec s = { .default_action = variant->action, .has_default_action = true,
		.default_errno_ret = variant->ret, .has_default_errno_ret = variant->ret != 0,
		.syscalls = RULES(LIFE, ALLOW("openat2"), ALLOW("getppid")) };

	BUILD(&s);
	EXPECT_EQ(variant->below, confined(&self->f, try_call, &below));
	EXPECT_EQ(variant->above, confined(&self->f, try_call, &above));
	EXPECT_EQ(ENOSYS, call_errno(&self->f, 4000));
	EXPECT_EQ(EINVAL, call_errno(&self->f, OPENAT2));
	EXPECT_EQ(0, call_errno(&self->f, SYS_getppid));
}

TEST_F(filter, stub_counts_names_of_dropped_rules)
{
	struct filter_spec s = { DENY_ALL(EPERM), .syscalls = RULES(LIFE, DENY(EPERM, "openat2")) };

	BUILD(&s);
	EXPECT_EQ(EPERM, call_errno(&self->f, OPENAT2));
	EXPECT_EQ(EPERM, call_errno(&self->f, CLOSE_RANGE));
	EXPECT_EQ(ENOSYS, call_errno(&self->f, FACCESSAT2));
}

TEST_F(filter, default_without_rules_denies_all_without_stub)
{
	struct filter_spec s = { .default_action = FILTER_ERRNO, .has_default_action = true };
	static const struct sock_filter *p;

	BUILD(&s);
	ASSERT_LT(0, self->f.len);
	p = self->f.bpf;
	EXPECT_NE(SECCOMP_RET_ERRNO | ENOSYS, p[self->f.len - 1].k);
}

/* ---- other ABIs on this machine ---------------------------------------------------- */
#ifdef __x86_64__
/* errno of a 32 bit call, 0 when it went through. */
static int try_i386(const void *arg)
{
	const struct call *c = arg;
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(c->nr), "b"(c->a[0]), "c"(c->a[1])
			 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}
#define I386_GETPPID 64
#define I386_GETUID32 199

TEST_F(filter, i386_is_killed_unless_asked_for)
{
	struct filter none = { 0 };
	struct filter_spec s = { DENY_ALL(5), .syscalls = RULES(LIFE, ALLOW("getppid", "openat2")) };
	struct call getppid32 = { .nr = I386_GETPPID }, getuid32 = { .nr = I386_GETUID32 };

	if (confined(&none, try_i386, &getppid32))
		SKIP(return, "the kernel has no 32 bit system calls");
	BUILD(&s);
	EXPECT_EQ(SIGNALLED + SIGSYS, confined(&self->f, try_i386, &getppid32));
	EXPECT_EQ(SIGNALLED + SIGSYS, confined(&self->f, try_i386, &(struct call){ .nr = 4000 }));

	s.architectures = (struct intv)ARCHS(FILTER_X86, FILTER_X86_64, FILTER_X86);
	BUILD(&s);
	EXPECT_EQ(0, confined(&self->f, try_i386, &getppid32));
	EXPECT_EQ(5, confined(&self->f, try_i386, &getuid32));
	EXPECT_EQ(ENOSYS, confined(&self->f, try_i386, &(struct call){ .nr = FACCESSAT2 }));
	EXPECT_EQ(0, call_errno(&self->f, SYS_getppid));
	EXPECT_EQ(5, call_errno(&self->f, SYS_getuid));
	EXPECT_EQ(ENOSYS, call_errno(&self->f, FACCESSAT2));
}

TEST_F(filter, x32_is_killed_unless_asked_for)
{
	struct filter_spec s = { DENY_ALL(5), .syscalls = RULES(LIFE, ALLOW("getppid", "openat2")) };
	long bit = 0x40000000;

	BUILD(&s);
	EXPECT_EQ(SIGNALLED + SIGSYS, call_errno(&self->f, bit | SYS_getppid));
	EXPECT_EQ(SIGNALLED + SIGSYS, call_errno(&self->f, bit | FACCESSAT2));

	s.architectures = (struct intv)ARCHS(FILTER_X32, FILTER_X86);
	BUILD(&s);
	EXPECT_EQ(5, call_errno(&self->f, bit | SYS_getuid));
	EXPECT_EQ(ENOSYS, call_errno(&self->f, bit | FACCESSAT2));
	EXPECT_EQ(5, call_errno(&self->f, SYS_getuid));
	EXPECT_EQ(ENOSYS, call_errno(&self->f, FACCESSAT2));
}
#endif

/* ---- ABIs of other machines, by interpretation --------------------------------------- */
static uint32_t run_bpf(const struct filter *f, const struct seccomp_data *d)
{
	const struct sock_filter *p = f->bpf;
	uint32_t acc = 0;
	unsigned int pc = 0;

	while (pc < f->len) {
		const struct sock_filter *i = &p[pc++];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&acc, (const char *)d + i->k, sizeof(acc));
			break;
		case BPF_ALU | BPF_AND | BPF_K: acc &= i->k; break;
		case BPF_JMP | BPF_JA: pc += i->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: pc += acc == i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGT | BPF_K: pc += acc > i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: pc += acc >= i->k ? i->jt : i->jf; break;
		case BPF_RET | BPF_K: return i->k;
		default: return 0xdeadbeef;
		}
	}
	return 0xdeadbeef;
}

#define RET(n) (SECCOMP_RET_ERRNO | (n))
/* audit words, written out on purpose: this is what kernels put into seccomp_data */
static const struct { int arch; uint32_t audit; int getppid, getsid, openat2; } abis[] = {
	{ FILTER_X86_64, 0xc000003e, 110, 124, 437 },
	{ FILTER_X86, 0x40000003, 64, 147, 437 },
	{ FILTER_X32, 0xc000003e, 0x4000006e, 0x4000007c, 0x400001b5 },
	{ FILTER_ARM, 0x40000028, 64, 147, 437 },
	{ FILTER_AARCH64, 0xc00000b7, 173, 156, 437 },
	{ FILTER_MIPSEL, 0x40000008, 4064, 4151, 4437 },
	{ FILTER_MIPSEL64, 0xc0000008, 5108, 5122, 5437 },
	{ FILTER_MIPSEL64N32, 0xe0000008, 6108, 6122, 6437 },
	{ FILTER_PPC64LE, 0xc0000015, 64, 147, 437 },
	{ FILTER_RISCV64, 0xc00000f3, 173, 156, 437 },
};
#define N_ABIS (sizeof(abis) / sizeof(abis[0]))

TEST_F(filter, stub_of_every_little_endian_abi)
{
	int all[N_ABIS];
	struct filter_spec s = { DENY_ALL(5), .architectures = { all, N_ABIS }, .syscalls = RULES(
		LIFE, ALLOW("getppid", "openat2", "set_tls", "cacheflush")) };
	size_t i;

	for (i = 0; i < N_ABIS; i++)
		all[i] = abis[i].arch;
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		SKIP(return, "a big-endian machine");
	BUILD(&s);
	for (i = 0; i < N_ABIS; i++) {
		struct seccomp_data d = { .arch = abis[i].audit };
		const char *name = names_of(filter_arch_names, abis[i].arch);

		d.nr = abis[i].getppid;
		EXPECT_EQ(SECCOMP_RET_ALLOW, run_bpf(&self->f, &d)) TH_LOG("%s", name);
		d.nr = abis[i].getsid;
		EXPECT_EQ(RET(5), run_bpf(&self->f, &d)) TH_LOG("%s", name);
		d.nr = abis[i].openat2;
		EXPECT_EQ(SECCOMP_RET_ALLOW, run_bpf(&self->f, &d)) TH_LOG("%s", name);
		d.nr = abis[i].openat2 + 1;
		EXPECT_EQ(RET(ENOSYS), run_bpf(&self->f, &d)) TH_LOG("%s", name);
		d.nr = abis[i].openat2 + 2000;
		if (abis[i].arch == FILTER_X32)
			d.nr = 0x400001ff;	/* 512 and on are x32's own, and old */
		EXPECT_EQ(RET(ENOSYS), run_bpf(&self->f, &d)) TH_LOG("%s", name);
		if (abis[i].arch == FILTER_X32) {
			d.nr = 0x40000200;
			EXPECT_EQ(RET(5), run_bpf(&self->f, &d));
		}
		if (abis[i].arch != FILTER_ARM)
			continue;
		d.nr = 0xf0005;		/* set_tls: far above the newest, and allowed */
		EXPECT_EQ(SECCOMP_RET_ALLOW, run_bpf(&self->f, &d));
		d.nr = 0xf0001;		/* breakpoint */
		EXPECT_EQ(RET(5), run_bpf(&self->f, &d));
	}
	/* S390 was not asked for */
	EXPECT_EQ(SECCOMP_RET_KILL_THREAD, run_bpf(&self->f, &(struct seccomp_data){
		.arch = 0x80000016, .nr = 4000 }));
}

/* What a profile made from a name's own number says of it, whatever ABI it is looked at in. */
static uint32_t model_of(int native)
{
	if (native < 0 || native % 5 == 0)
		return RET(5);
	return native % 7 ? SECCOMP_RET_ALLOW : RET(7);
}

TEST_F(filter, a_large_profile_says_the_same_for_every_number)
{
	static const uint32_t token[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };
	static const char *allow[600], *deny[600];
	struct filter_rule rules[] = { { .names = { allow, 0 }, .action = FILTER_ALLOW },
		{ .names = { deny, 0 }, .action = FILTER_ERRNO, .errno_ret = 7,
		  .has_errno_ret = true } };
	struct filter_spec s = { DENY_ALL(5), .syscalls = { rules, 2 },
		.architectures = ARCHS(FILTER_X86_64, FILTER_X86, FILTER_X32) };
	unsigned int checked = 0, t;
	int nr;

	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		SKIP(return, "written for x86_64");
	for (nr = 0; nr < 440; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name && model_of(nr) == SECCOMP_RET_ALLOW)
			allow[rules[0].names.n++] = name;
		else if (name && model_of(nr) == RET(7))
			deny[rules[1].names.n++] = name;
	}
	BUILD(&s);
	for (t = 0; t < 3; t++) {
		uint32_t bit = t == 2 ? 0x40000000 : 0, audit = t == 1 ? 0x40000003 : 0xc000003e;

		for (nr = 0; nr < 500; nr++) {
			struct seccomp_data d = { .nr = (int)(bit | (uint32_t)nr), .arch = audit };
			char *name = seccomp_syscall_resolve_num_arch(token[t], d.nr);
			int native = name ? seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name)
				     : -1;

			/* 102 and 117 of i386, socketcall and ipc, stand for several calls each */
			if (!(t == 1 && (nr == 102 || nr == 117))) {
				uint32_t want = nr < 440 ? model_of(native) : RET(ENOSYS);

				EXPECT_EQ(want, run_bpf(&self->f, &d))
					TH_LOG("%s %d %s", t ? t == 1 ? "x86" : "x32" : "x86_64", nr,
					       name ? name : "-");
				checked++;
			}
			free(name);
		}
	}
	EXPECT_EQ(1498, checked);
}

TEST_F(filter, other_byte_order_is_refused)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	struct filter_spec s = { DENY_ALL(5),
		.architectures = ARCHS(little ? FILTER_S390X : FILTER_X86_64) };

	ASSERT_GT(0, filter_build(&s, &self->a, &self->f, NULL, &self->e));
	EXPECT_EQ(ERR_UNSUPPORTED, self->e.kind);
	EXPECT_NE(NULL, strstr(self->e.msg, little ? "SCMP_ARCH_S390X" : "SCMP_ARCH_X86_64"));
}

/* ---- flags and loading ------------------------------------------------------------------- */
TEST_F(filter, flags)
{
	unsigned int have = filter_flags_supported();
	struct filter_spec s = { ALLOW_ALL };

	EXPECT_TRUE(have & FILTER_TSYNC);	/* 3.17 */
	EXPECT_TRUE(have & FILTER_LOG_FLAG);	/* 4.14: below our oldest kernel */
	BUILD(&s);
	EXPECT_EQ(have & FILTER_SPEC_ALLOW ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0,
		  self->f.load_flags);
	s.has_flags = true;
	BUILD(&s);
	EXPECT_EQ(0, self->f.load_flags);
	s.flags = (struct intv)ARCHS(FILTER_TSYNC, FILTER_LOG_FLAG);
	BUILD(&s);
	EXPECT_EQ(SECCOMP_FILTER_FLAG_LOG, self->f.load_flags);
	EXPECT_EQ(0, call_errno(&self->f, SYS_getppid));
	s.flags = (struct intv)ARCHS(FILTER_WAIT_KILLABLE_RECV);
	EXPECT_GT(0, filter_check(&s, "/linux/seccomp", &self->e));
	EXPECT_EQ(ERR_SPEC, self->e.kind);
}

/* Load a second filter under a first that hides seccomp(2). */
static int load_nested(const void *arg)
{
	int r = filter_load(arg);

	if (r)
		return -r;
	return syscall(SYS_getppid) < 0 ? 200 : 201;
}

TEST_F(filter, load_falls_back_to_prctl_but_keeps_flags)
{
	struct filter_spec s = { ALLOW_ALL, .has_flags = true,
		.syscalls = RULES(DENY(ENOSYS, "seccomp")) };
	struct filter hide;

	BUILD(&s);
	hide = self->f;
	s.syscalls = (struct objv)RULES(DENY(3, "getppid"));
	BUILD(&s);
	EXPECT_EQ(200, confined(&hide, load_nested, &self->f));
	self->f.load_flags = SECCOMP_FILTER_FLAG_LOG;
	EXPECT_EQ(ENOSYS, confined(&hide, load_nested, &self->f));
}

static int supported_nested(const void *arg)
{
	return (int)filter_flags_supported();
}

TEST_F(filter, flags_are_probed_anew)
{
	struct filter_spec s = { ALLOW_ALL, .syscalls = RULES(DENY(ENOSYS, "seccomp")) };

	BUILD(&s);
	EXPECT_EQ(0, confined(&self->f, supported_nested, NULL));
}

TEST_F(filter, load_without_privilege_is_eacces)
{
	struct filter_spec s = { ALLOW_ALL };
	int status = 0;
	pid_t pid;

	BUILD(&s);
	pid = fork();
	if (!pid) {
		if (!getuid() && setresuid(65534, 65534, 65534))
			_exit(99);
		_exit(-filter_load(&self->f));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EACCES, WEXITSTATUS(status));
}

/* ---- filter_check() --------------------------------------------------------------------- */
FIXTURE(check) { struct err e; };
FIXTURE_SETUP(check) { memset(self, 0, sizeof(*self)); }
FIXTURE_TEARDOWN(check) { }
FIXTURE_VARIANT(check) { struct filter_spec s; const char *where; int kind; };
static struct filter_arg index6[] = { { 0, 0, 0, FILTER_EQ }, { 6, 0, 0, FILTER_EQ } };
static const char *one_name[] = { "read" }, *empty_name[] = { "read", "" };
static struct filter_rule r_index6[] = { { .names = { one_name, 1 }, .action = FILTER_ALLOW,
					   .args = { index6, 2 } } };
static struct filter_rule r_allow_errno[] = { { .names = { one_name, 1 }, .action = FILTER_ALLOW },
	{ .names = { one_name, 1 }, .action = FILTER_ALLOW, .has_errno_ret = true } };
static struct filter_rule r_errno5000[] = { { .names = { one_name, 1 }, .action = FILTER_ERRNO,
					      .errno_ret = 5000, .has_errno_ret = true } };
static struct filter_rule r_trace70000[] = { { .names = { one_name, 1 }, .action = FILTER_TRACE,
					       .errno_ret = 70000, .has_errno_ret = true } };
static struct filter_rule r_notify[] = { { .names = { one_name, 1 }, .action = FILTER_NOTIFY } };
static const char *write_name[] = { "mkdir", "write" };
static struct filter_rule r_notify_write[] = { { .names = { write_name, 2 }, .action = FILTER_NOTIFY } };
static int killable[] = { FILTER_WAIT_KILLABLE_RECV };
static struct filter_rule r_empty[] = { { .names = { empty_name, 2 }, .action = FILTER_LOG } };
FIXTURE_VARIANT_ADD(check, default_action_missing) {
	.s = { .syscalls = { r_empty, 1 } }, .where = "/p/defaultAction", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, default_notify) {
	.s = { .default_action = FILTER_NOTIFY, .has_default_action = true },
	.where = "/p/defaultAction", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, default_notify_with_listener) {
	.s = { .default_action = FILTER_NOTIFY, .has_default_action = true, .listener_path = "/s" },
	.where = "/p/defaultAction", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, default_errno_with_kill) {
	.s = { .has_default_action = true, .has_default_errno_ret = true },
	.where = "/p/defaultErrnoRet", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, default_errno_4095) {
	.s = { DENY_ALL(4095) }, .where = "/p/defaultErrnoRet", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, errno_with_allow) {
	.s = { ALLOW_ALL, .syscalls = { r_allow_errno, 2 } },
	.where = "/p/syscalls/1/errnoRet", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, errno_5000) {
	.s = { ALLOW_ALL, .syscalls = { r_errno5000, 1 } },
	.where = "/p/syscalls/0/errnoRet", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, trace_70000) {
	.s = { ALLOW_ALL, .syscalls = { r_trace70000, 1 } },
	.where = "/p/syscalls/0/errnoRet", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, rule_notify) {
	.s = { ALLOW_ALL, .syscalls = { r_notify, 1 } },
	.where = "/p/listenerPath", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, notify_write) {
	.s = { ALLOW_ALL, .syscalls = { r_notify_write, 1 }, .listener_path = "/s" },
	.where = "/p/syscalls/0/names/1", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, killable_without_notify) {
	.s = { ALLOW_ALL, .flags = { killable, 1 }, .has_flags = true },
	.where = "/p/flags", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, index_6) {
	.s = { ALLOW_ALL, .syscalls = { r_index6, 1 } },
	.where = "/p/syscalls/0/args/1/index", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, empty_name) {
	.s = { ALLOW_ALL, .syscalls = { r_empty, 1 } },
	.where = "/p/syscalls/0/names/1", .kind = ERR_SPEC };
FIXTURE_VARIANT_ADD(check, metadata_alone) {
	.s = { ALLOW_ALL, .listener_metadata = "x" },
	.where = "/p/listenerMetadata", .kind = ERR_SPEC };

TEST_F(check, refused_by_name)
{
	char text[ERR_TEXT_MAX];

	ASSERT_GT(0, filter_check(&variant->s, "/p", &self->e));
	EXPECT_EQ(variant->kind, self->e.kind);
	EXPECT_STREQ(variant->where, self->e.where)
		TH_LOG("%s", err_render(&self->e, text, sizeof(text)));
}

TEST_F(filter, largest_errno_passes)
{
	struct filter_spec s = { DENY_ALL(4094), .listener_path = "", .listener_metadata = "",
		.syscalls = RULES(LIFE, ALLOW("openat2")) };

	BUILD(&s);
	EXPECT_EQ(4094 & 0xff, call_errno(&self->f, SYS_getppid));
}

/* ---- sizes -------------------------------------------------------------------------------- */
static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

TEST_F(filter, a_hundred_thousand_names_are_linear)
{
	static const char *pool[] = { "read", "write", "no_such_call", "openat2", "getppid" };
	static const char *names[100000];
	struct filter_rule rule = { .names = { names, 100000 }, .action = FILTER_ALLOW };
	struct filter_spec s = { DENY_ALL(5), .syscalls = { &rule, 1 },
		.architectures = ARCHS(FILTER_X86, FILTER_X32) };
	double t = now_ms();
	size_t i;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		s.architectures.n = 0;
	for (i = 0; i < 100000; i++)
		names[i] = pool[i % 5];
	ASSERT_EQ(0, filter_check(&s, "/p", &self->e));
	ASSERT_EQ(0, filter_get(&s, self->dirfd, &self->a, &self->f, self->key, NULL, &self->e));
	EXPECT_GT(1000, now_ms() - t);
	EXPECT_GT(100, self->f.len);
}

TEST_F(filter, too_many_conditions_are_refused_before_they_cost)
{
	static struct filter_arg args[600];
	static struct filter_rule rules[256];
	static const char *names[600];
	struct filter_rule rule = { .names = NAMES("read"), .action = FILTER_ERRNO,
				    .args = { args, 600 } };
	struct filter_spec s = { ALLOW_ALL, .syscalls = { &rule, 1 } };
	double t = now_ms();
	size_t i;

	for (i = 0; i < 600; i++) {
		args[i] = (struct filter_arg){ 0, i, 0, FILTER_EQ };
		names[i] = "getppid";
	}
	EXPECT_GT(0, filter_check(&s, "/p", &self->e));
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
	err_clear(&self->e);
	rule.names = (struct strv){ names, 600 };
	rule.args.n = 1;
	EXPECT_GT(0, filter_check(&s, "/p", &self->e));
	EXPECT_STREQ("/p/syscalls/0", self->e.where);
	err_clear(&self->e);
	EXPECT_GT(50, now_ms() - t);
	/* and what passes is cheap enough */
	t = now_ms();
	for (i = 0; i < 256; i++)
		rules[i] = (struct filter_rule){ .names = { names, 1 }, .action = FILTER_ERRNO,
						 .args = { &args[i], 1 } };
	s.syscalls = (struct objv){ rules, 256 };
	BUILD(&s);
	EXPECT_GT(1000, now_ms() - t);
	EXPECT_EQ(EPERM, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 255 } }));
	EXPECT_EQ(0, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 256 } }));
	/* comparisons that are not plain cost much more: fewer of them on one syscall */
	for (i = 0; i < 256; i++)
		args[i].op = (int)(i % 2) ? FILTER_LT : FILTER_GT;
	t = now_ms();
	EXPECT_GT(0, filter_build(&s, &self->a, &self->f, NULL, &self->e));
	EXPECT_STREQ("/linux/seccomp/syscalls/64", self->e.where);
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
	err_clear(&self->e);
	/* the same in one rule */
	rules[0].args.n = 256;
	s.syscalls.n = 1;
	EXPECT_GT(0, filter_build(&s, &self->a, &self->f, NULL, &self->e));
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
	EXPECT_GT(1000, now_ms() - t);
}

/* ---- words ------------------------------------------------------------------------------- */
TEST(every_word_is_found_by_its_name)
{
	const struct name *tables[] = { filter_action_names, filter_arch_names, filter_op_names,
					filter_flag_names };
	size_t t, i;

	for (t = 0; t < 4; t++)
		for (i = 0; tables[t][i].name; i++)
			EXPECT_EQ(&tables[t][i], names_find(tables[t], tables[t][i].name));
	EXPECT_EQ(NULL, names_find(filter_action_names, "SCMP_ACT_ALLOW "));
	EXPECT_EQ(NULL, names_find(filter_arch_names, "x86_64"));
}

TEST_HARNESS_MAIN

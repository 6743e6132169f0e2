/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document's filter as a BPF program, by libseccomp.
 *
 * libseccomp decides what the rules mean together: the first rule without
 * arguments wins for its syscall, one with arguments yields to it, and a call
 * by an ABI that was not asked for kills. What is decided here is the
 * document's: which rules there are, and the ENOSYS stub in front (stub.c).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "bounds.h"
#include "fd.h"
#include "fdio.h"
#include "filter_internal.h"

#define WHERE "/linux/seccomp"
#define ERRNO_DEFAULT 1u	/* EPERM, on every architecture */
#define X32_BIT 0x40000000u
#define X32_OWN 0x40000200u	/* x32's own numbers follow: old calls in another form */
#define ARM_PRIVATE 0x000f0000u	/* ARM's own calls: far above, and not newer */
/* Syscalls by number: real ones, ARM's own, and libseccomp's negative ones for "elsewhere". */
#define CALLS_REAL 8192
#define CALLS_ARM 64
#define CALLS_PSEUDO 16384
#define CALLS (CALLS_REAL + CALLS_ARM + CALLS_PSEUDO)
#define SETTLED UINT8_MAX

/* 0: this libseccomp has not heard of it, and fields.c has no word for it either */
static const uint32_t tokens[FILTER_ARCH_MAX] = {
	[FILTER_X86] = SCMP_ARCH_X86,
	[FILTER_X86_64] = SCMP_ARCH_X86_64,
	[FILTER_X32] = SCMP_ARCH_X32,
	[FILTER_ARM] = SCMP_ARCH_ARM,
	[FILTER_AARCH64] = SCMP_ARCH_AARCH64,
	[FILTER_MIPS] = SCMP_ARCH_MIPS,
	[FILTER_MIPS64] = SCMP_ARCH_MIPS64,
	[FILTER_MIPS64N32] = SCMP_ARCH_MIPS64N32,
	[FILTER_MIPSEL] = SCMP_ARCH_MIPSEL,
	[FILTER_MIPSEL64] = SCMP_ARCH_MIPSEL64,
	[FILTER_MIPSEL64N32] = SCMP_ARCH_MIPSEL64N32,
	[FILTER_PPC] = SCMP_ARCH_PPC,
	[FILTER_PPC64] = SCMP_ARCH_PPC64,
	[FILTER_PPC64LE] = SCMP_ARCH_PPC64LE,
	[FILTER_S390] = SCMP_ARCH_S390,
	[FILTER_S390X] = SCMP_ARCH_S390X,
	[FILTER_PARISC] = SCMP_ARCH_PARISC,
	[FILTER_PARISC64] = SCMP_ARCH_PARISC64,
	[FILTER_RISCV64] = SCMP_ARCH_RISCV64,
#ifdef SCMP_ARCH_LOONGARCH64
	[FILTER_LOONGARCH64] = SCMP_ARCH_LOONGARCH64,
#endif
#ifdef SCMP_ARCH_M68K
	[FILTER_M68K] = SCMP_ARCH_M68K,
#endif
#ifdef SCMP_ARCH_SH
	[FILTER_SH] = SCMP_ARCH_SH,
	[FILTER_SHEB] = SCMP_ARCH_SHEB,
#endif
};

static const enum scmp_compare ops[] = {
	[FILTER_NE] = SCMP_CMP_NE, [FILTER_LT] = SCMP_CMP_LT, [FILTER_LE] = SCMP_CMP_LE,
	[FILTER_EQ] = SCMP_CMP_EQ, [FILTER_GE] = SCMP_CMP_GE, [FILTER_GT] = SCMP_CMP_GT,
	[FILTER_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

struct build {
	scmp_filter_ctx ctx;
	uint32_t def;			/* default action, libseccomp's word */
	uint32_t arch[FILTER_ARCH_MAX + 1];
	unsigned int n_arch;		/* the native one is the first */
	uint8_t *calls;			/* [CALLS]: rules with arguments so far, or SETTLED; arena */
};

static void build_fini(struct build *b)
{
	if (b->ctx)
		seccomp_release(b->ctx);
}

const char *filter_library(char *buf, size_t size)
{
	const struct scmp_version *v = seccomp_version();

	snprintf(buf, size, "libseccomp %u.%u.%u arch %u", v ? v->major : 0, v ? v->minor : 0,
		 v ? v->micro : 0, seccomp_arch_native());
	return buf;
}

static uint32_t action_word(int action, bool has_errno, uint32_t ret)
{
	uint32_t data = has_errno ? ret : ERRNO_DEFAULT;

	switch ((enum filter_action)action) {
	case FILTER_KILL_THREAD:
		return SCMP_ACT_KILL_THREAD;
	case FILTER_KILL_PROCESS:
		return SCMP_ACT_KILL_PROCESS;
	case FILTER_TRAP:
		return SCMP_ACT_TRAP;
	case FILTER_ERRNO:
		return SCMP_ACT_ERRNO(data);
	case FILTER_TRACE:
		return SCMP_ACT_TRACE(data);
	case FILTER_ALLOW:
		return SCMP_ACT_ALLOW;
	case FILTER_LOG:
		return SCMP_ACT_LOG;
	case FILTER_NOTIFY:
		return SCMP_ACT_NOTIFY;
	}
	return SCMP_ACT_KILL_PROCESS;
}

static int build_archs(struct build *b, const struct filter_spec *f, struct err *e)
{
	bool seen[FILTER_ARCH_MAX] = { false };
	size_t i;
	int r;

	b->arch[b->n_arch++] = seccomp_arch_native();
	for (i = 0; i < f->architectures.n; i++) {
		int a = f->architectures.v[i];

		if (a < 0 || a >= FILTER_ARCH_MAX || !tokens[a])
			return err_set(e, ERR_BUG, 0, WHERE "/architectures",
				       "no libseccomp architecture has number %d", a);
		if (seen[a] || tokens[a] == b->arch[0])
			continue;
		seen[a] = true;
		r = seccomp_arch_add(b->ctx, tokens[a]);
		if (r == -EDOM)
			return err_set(e, ERR_UNSUPPORTED, 0, WHERE "/architectures",
				       "%s: its byte order is not this machine's",
				       names_of(filter_arch_names, a));
		if (r)
			return err_set(e, ERR_UNSUPPORTED, r, WHERE "/architectures",
				       "add %s to the filter", names_of(filter_arch_names, a));
		b->arch[b->n_arch++] = tokens[a];
	}
	return 0;
}

static int build_init(struct build *b, const struct filter_spec *f, struct arena *a,
		      struct err *e)
{
	int r;

	b->calls = arena_alloc(a, CALLS);
	if (!b->calls)
		return err_set(e, ERR_LIMIT, -ENOMEM, WHERE, "memory for the filter");
	b->def = action_word(f->default_action, f->has_default_errno_ret, f->default_errno_ret);
	b->ctx = seccomp_init(b->def);
	if (!b->ctx)
		return err_set(e, ERR_UNSUPPORTED, 0, WHERE "/defaultAction",
			       "libseccomp cannot start a filter with %s on this kernel",
			       names_of(filter_action_names, f->default_action));
	/* binary search over syscall numbers: log2(n) tests a call instead of n */
	r = seccomp_attr_set(b->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r && r != -EOPNOTSUPP && r != -EINVAL && r != -EEXIST)
		return err_set(e, ERR_KERNEL, r, WHERE, "set libseccomp's optimisation");
	return build_archs(b, f, e);
}

/* The place of a syscall in @b->calls; one that has none is only treated with less care. */
static uint8_t *call_of(struct build *b, int nr, uint8_t *none)
{
	uint32_t n = (uint32_t)nr & ~X32_BIT;

	if (nr < 0)
		return nr > -CALLS_PSEUDO ? &b->calls[CALLS_REAL + CALLS_ARM - nr] : none;
	if (n < CALLS_REAL)
		return &b->calls[n];
	n -= ARM_PRIVATE;
	return n < CALLS_ARM ? &b->calls[CALLS_REAL + n] : none;
}

static int add_rule(struct build *b, uint32_t action, int nr, const struct scmp_arg_cmp *cmp,
		    unsigned int n, const char *name, size_t index, struct err *e)
{
	int r = seccomp_rule_add_array(b->ctx, action, nr, n, cmp);
	char where[64];

	/* the ABIs lack it, or it is what libseccomp sees as no rule at all */
	if (!r || r == -EDOM)
		return 0;
	snprintf(where, sizeof(where), WHERE "/syscalls/%zu", index);
	if (r == -EEXIST)
		return err_set(e, ERR_SPEC, 0, where, "%s: an earlier rule has the same arguments "
			       "and another action", name);
	return err_set(e, ERR_KERNEL, r, where, "libseccomp refused the rule for %s", name);
}

/* Conditions of a rule as libseccomp wants them. Return: does an index occur twice? */
static bool rule_conditions(const struct filter_rule *rule, struct scmp_arg_cmp *cmp)
{
	const struct filter_arg *arg = rule->args.v;
	bool twice = false;
	unsigned int seen = 0;
	size_t i;

	for (i = 0; i < rule->args.n; i++) {
		twice |= seen >> arg[i].index & 1;
		seen |= 1u << arg[i].index;
		cmp[i] = (struct scmp_arg_cmp){ arg[i].index, ops[arg[i].op], arg[i].value,
						arg[i].value_two };
	}
	return twice;
}

static int too_many(const char *name, size_t index, struct err *e)
{
	char where[64];

	snprintf(where, sizeof(where), WHERE "/syscalls/%zu", index);
	return err_set(e, ERR_LIMIT, 0, where, "%s: more than %u rules with comparisons other than "
		       "one SCMP_CMP_EQ", name, LIMIT_FILTER_RULES);
}

static int build_rule(struct build *b, const struct filter_rule *rule, size_t index,
		      struct arena *a, size_t *unknown, struct err *e)
{
	uint32_t action = action_word(rule->action, rule->has_errno_ret, rule->errno_ret);
	struct scmp_arg_cmp *cmp = NULL;
	unsigned int n = (unsigned int)rule->args.n, k, costly = 0;
	bool either = false;
	size_t i;
	int r = 0;

	if (action == b->def)
		return 0;
	if (n) {
		cmp = arena_alloc(a, n * sizeof(*cmp));
		if (!cmp)
			return err_set(e, ERR_LIMIT, -ENOMEM, WHERE, "conditions of a rule");
		either = rule_conditions(rule, cmp);
		for (k = 0; k < n; k++)
			costly += cmp[k].op != SCMP_CMP_EQ;
		if (!either)
			costly = n > 1 || costly;
	}
	for (i = 0; i < rule->names.n && !r; i++) {
		const char *name = rule->names.v[i];
		int nr = seccomp_syscall_resolve_name(name);
		uint8_t none = 0, *call;

		if (nr == __NR_SCMP_ERROR) {
			++*unknown;
			continue;
		}
		call = call_of(b, nr, &none);
		/* a first rule without arguments is final: libseccomp would only spend time */
		if (*call == SETTLED)
			continue;
		if (!n)
			*call = SETTLED;
		else if (*call + costly > LIMIT_FILTER_RULES)
			return too_many(name, index, e);
		else
			*call = (uint8_t)(*call + costly);
		if (!either)
			r = add_rule(b, action, nr, cmp, n, name, index, e);
		for (k = 0; either && k < n && !r; k++)
			r = add_rule(b, action, nr, &cmp[k], 1, name, index, e);
	}
	return r;
}

static int build_rules(struct build *b, const struct filter_spec *f, struct arena *a,
		       const struct log *log, struct err *e)
{
	const struct filter_rule *rule = f->syscalls.v;
	size_t i, unknown = 0;
	int r;

	for (i = 0; i < f->syscalls.n; i++) {
		r = build_rule(b, &rule[i], i, a, &unknown, e);
		if (r)
			return r;
	}
	if (unknown)
		log_debug(log, "seccomp: %zu syscall names unknown to libseccomp were skipped",
			  unknown);
	return 0;
}

static struct filter_stub stub_range(uint32_t token)
{
	struct filter_stub s = { .audit = token };

	if (token == SCMP_ARCH_X86_64)
		s.end = X32_BIT;
	else if (token == SCMP_ARCH_ARM)
		s.end = ARM_PRIVATE;
	else if (token == SCMP_ARCH_X32)
		s = (struct filter_stub){ SCMP_ARCH_X86_64, X32_BIT, X32_OWN, 0 };
	return s;
}

/* The newest syscall that the profile mentions, in any rule. Return: does it mention one? */
static bool stub_newest(const struct filter_spec *f, uint32_t token, struct filter_stub *s)
{
	const struct filter_rule *rule = f->syscalls.v;
	bool any = false;
	size_t i, k;

	for (i = 0; i < f->syscalls.n; i++) {
		for (k = 0; k < rule[i].names.n; k++) {
			/* below 0: not there, or one that this ABI reaches through another number */
			int v = seccomp_syscall_resolve_name_arch(token, rule[i].names.v[k]);
			uint32_t nr = (uint32_t)v;

			if (v < 0 || nr < s->first || (s->end && nr >= s->end))
				continue;
			if (!any || nr > s->newest)
				s->newest = nr;
			any = true;
		}
	}
	return any;
}

static unsigned int build_stub(const struct build *b, const struct filter_spec *f,
			       struct sock_filter *out)
{
	struct filter_stub s[FILTER_ARCH_MAX + 1];
	unsigned int i, n = 0;

	if (f->default_action == FILTER_ALLOW || f->default_action == FILTER_LOG ||
	    f->default_action == FILTER_TRACE || b->def == SCMP_ACT_ERRNO(ENOSYS))
		return 0;
	for (i = 0; i < b->n_arch; i++) {
		s[n] = stub_range(b->arch[i]);
		n += stub_newest(f, b->arch[i], &s[n]);
	}
	return filter_stub_write(s, n, out);
}

static int build_export(struct build *b, const struct filter_spec *f, struct arena *a,
			struct filter *out, struct err *e)
{
	struct sock_filter stub[FILTER_STUB_LEN(FILTER_ARCH_MAX + 1)];
	unsigned int n_stub = build_stub(b, f, stub);
	size_t head = n_stub * sizeof(stub[0]), body;
	struct stat st;
	auto_fd fd = memfd_create("filter", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(e, ERR_KERNEL, -errno, WHERE, "memfd_create for the program");
	r = seccomp_export_bpf(b->ctx, fd);
	if (r)
		return err_set(e, ERR_KERNEL, r, WHERE, "libseccomp could not write the program");
	if (fstat(fd, &st) || lseek(fd, 0, SEEK_SET))
		return err_set(e, ERR_KERNEL, -errno, WHERE, "read the program back");
	body = (size_t)st.st_size;
	if (!body || body % sizeof(stub[0]))
		return err_set(e, ERR_BUG, 0, WHERE, "libseccomp wrote a program of %zu bytes",
			       body);
	if ((head + body) / sizeof(stub[0]) > BPF_MAXINSNS)
		return err_set(e, ERR_LIMIT, 0, WHERE,
			       "the filter has %zu instructions, the kernel takes at most %d",
			       (head + body) / sizeof(stub[0]), BPF_MAXINSNS);
	out->bpf = arena_alloc(a, head + body);
	if (!out->bpf)
		return err_set(e, ERR_LIMIT, -ENOMEM, WHERE, "memory for the program");
	memcpy(out->bpf, stub, head);
	if (fdio_read_full(fd, (char *)out->bpf + head, body) != (ssize_t)body)
		return err_set(e, ERR_KERNEL, -EIO, WHERE, "read the program back");
	out->len = (uint16_t)((head + body) / sizeof(stub[0]));
	return 0;
}

int filter_compile(const struct filter_spec *f, struct arena *a, struct filter *out,
		   const struct log *log, struct err *e)
{
	__attribute__((cleanup(build_fini))) struct build b = { .n_arch = 0 };
	int r;

	r = build_init(&b, f, a, e);
	if (!r)
		r = build_rules(&b, f, a, log, e);
	if (!r)
		r = build_export(&b, f, a, out, e);
	return r;
}

int filter_set_flags(const struct filter_spec *f, struct filter *out, struct err *e)
{
	unsigned int missing = 0;
	int r;

	r = filter_load_flags(filter_flag_bits(f), !f->has_flags, filter_notifies(f), &out->load_flags, &missing);
	if (r && !missing)
		return err_set(e, ERR_UNSUPPORTED, r, WHERE, "SCMP_ACT_NOTIFY on this kernel (it needs Linux 5.0)");
	if (r)
		return err_set(e, ERR_UNSUPPORTED, r, WHERE "/flags", "%s on this kernel",
			       names_of(filter_flag_names, missing));
	return 0;
}

int filter_build(const struct filter_spec *f, struct arena *a, struct filter *out,
		 const struct log *log, struct err *e)
{
	int r;

	*out = (struct filter){ 0 };
	if (!filter_asked(f))
		return 0;
	r = filter_set_flags(f, out, e);
	return r ? r : filter_compile(f, a, out, log, e);
}

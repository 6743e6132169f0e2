/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FILTER_INTERNAL_H
#define CLEAT_FILTER_INTERNAL_H
/* What the files of this folder share. */
#include <linux/filter.h>
#include "filter.h"

/* The order is that of filter_arch_names and of the tokens in build.c. */
enum filter_arch {
	FILTER_X86, FILTER_X86_64, FILTER_X32, FILTER_ARM, FILTER_AARCH64,
	FILTER_MIPS, FILTER_MIPS64, FILTER_MIPS64N32,
	FILTER_MIPSEL, FILTER_MIPSEL64, FILTER_MIPSEL64N32,
	FILTER_PPC, FILTER_PPC64, FILTER_PPC64LE, FILTER_S390, FILTER_S390X,
	FILTER_PARISC, FILTER_PARISC64, FILTER_RISCV64,
	FILTER_LOONGARCH64, FILTER_M68K, FILTER_SH, FILTER_SHEB,
	FILTER_ARCH_MAX
};
enum filter_op {
	FILTER_NE, FILTER_LT, FILTER_LE, FILTER_EQ, FILTER_GE, FILTER_GT, FILTER_MASKED_EQ,
};

/** filter_asked() - Does @f ask for a filter at all? */
static inline bool filter_asked(const struct filter_spec *f)
{
	return f->has_default_action || f->syscalls.n;
}

/** filter_notifies() - Has @f a rule with SCMP_ACT_NOTIFY? */
static inline bool filter_notifies(const struct filter_spec *f)
{
	const struct filter_rule *rule = f->syscalls.v;
	size_t i;

	for (i = 0; i < f->syscalls.n; i++)
		if (rule[i].action == FILTER_NOTIFY)
			return true;
	return false;
}

/**
 * filter_load_flags() - Flags for seccomp(2) from enum filter_flag bits.
 * @asked: bits of the document.
 * @unset: the document has no "flags": SPEC_ALLOW where the kernel knows it.
 * @listener: a listener is wanted (5.0).
 * Return: 0, or -EOPNOTSUPP with @missing the first bit the running kernel lacks, 0 for the listener.
 */
int filter_load_flags(unsigned int asked, bool unset, bool listener, uint32_t *out, unsigned int *missing);

/** filter_flag_bits() - The bits of @f->flags. */
static inline unsigned int filter_flag_bits(const struct filter_spec *f)
{
	unsigned int bits = 0;
	size_t i;

	for (i = 0; i < f->flags.n; i++)
		bits |= (unsigned int)f->flags.v[i];
	return bits;
}

/** filter_compile() - The program of @f (not its load flags). Pure: only @f, libseccomp and the build count. */
int filter_compile(const struct filter_spec *f, struct arena *a, struct filter *out,
		   const struct log *log, struct err *e);

/** filter_set_flags() - @out->load_flags as the document and the running kernel want them. */
int filter_set_flags(const struct filter_spec *f, struct filter *out, struct err *e);

/** filter_library() - libseccomp's version and the native architecture, as text for the cache. */
const char *filter_library(char *buf, size_t size);

/* ---- stub.c: syscalls newer than the profile answer ENOSYS ---- */
struct filter_stub {
	uint32_t audit;		/* AUDIT_ARCH_* as the kernel tells it to the program */
	uint32_t first, end;	/* numbers of this ABI: first <= nr < end; end 0: no end */
	uint32_t newest;	/* numbers above are unknown to the profile */
};
#define FILTER_STUB_LEN(n) (7 * (n))	/* instructions at most, for @n ABIs */
/** filter_stub_write() - Write the program part for @n ABIs. Return: instructions. */
unsigned int filter_stub_write(const struct filter_stub *s, unsigned int n,
			       struct sock_filter *out);
#endif

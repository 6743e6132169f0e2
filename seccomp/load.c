/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Installing a program. filter_load() runs in the seal stage, the last thing
 * but execve: raw kernel calls, no allocation, nothing that could be refused
 * by the filter it has just installed.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "filter_internal.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV		/* 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct { unsigned int ours; uint32_t kernel, probe; } flags[] = {
	{ FILTER_TSYNC, SECCOMP_FILTER_FLAG_TSYNC, 0 },			/* 3.17 */
	{ FILTER_LOG_FLAG, SECCOMP_FILTER_FLAG_LOG, 0 },		/* 4.14 */
	{ FILTER_SPEC_ALLOW, SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0 },	/* 4.17 */
	{ FILTER_WAIT_KILLABLE_RECV, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
	  SECCOMP_FILTER_FLAG_NEW_LISTENER },	/* refused alone, known or not */
};

/* The flags are judged before the program is read: EFAULT says that the kernel knows them. */
static bool kernel_takes(uint32_t f)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f, NULL) < 0 && errno == EFAULT;
}

unsigned int filter_flags_supported(void)
{
	unsigned int i, bits = 0;
	int saved = errno;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (kernel_takes(flags[i].kernel | flags[i].probe))
			bits |= flags[i].ours;
	errno = saved;
	return bits;
}

int filter_load_flags(unsigned int asked, bool unset, bool listener, uint32_t *out, unsigned int *missing)
{
	unsigned int i;
	int saved = errno, r = 0;

	*out = 0;
	*missing = 0;
	if (unset)
		asked = FILTER_SPEC_ALLOW;
	/* a process about to execve has one thread: there is nothing to synchronise */
	asked &= ~(unsigned int)FILTER_TSYNC;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]) && !r; i++) {
		if (!(asked & flags[i].ours))
			continue;
		if (kernel_takes(flags[i].kernel | flags[i].probe)) {
			*out |= flags[i].kernel;
		} else if (!unset) {
			*missing = flags[i].ours;
			r = -EOPNOTSUPP;
		}
	}
	if (listener && !r)
		r = kernel_takes(SECCOMP_FILTER_FLAG_NEW_LISTENER) ? 0 : -EOPNOTSUPP;
	if (listener)
		*out |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	errno = saved;
	return r;
}

bool filter_has_listener(const struct filter *f)
{
	return f->len && (f->load_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

int filter_load(const struct filter *f)
{
	struct sock_fprog prog = { .len = f->len, .filter = f->bpf };
	long r;

	if (!f->len)
		return 0;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->load_flags, &prog);
	if (r >= 0)
		return (int)r;
	/* prctl can install a program, but knows no flags: those asked for are not dropped silently */
	if (errno != ENOSYS || f->load_flags)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capabilities: names by libcap on the host side; the sets themselves by the
 * kernel's own calls, for between clone and execve nothing may allocate.
 */
#include "caps.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include "sysx.h"

#define PREFIX "CAP_"

/*
 * libcap looks names up without regard to case, and takes numbers. Its cap_to_name() would tell, but allocates:
 * with musl that is a page mapped and unmapped for every name.
 * Return: the capability's number or -ENOENT.
 */
static int cap_number(const char *name)
{
	const char *p = name;
	cap_value_t v;

	while ((*p >= 'A' && *p <= 'Z') || *p == '_')
		p++;
	if (strncmp(name, PREFIX, strlen(PREFIX)) || *p ||
	    cap_from_name(name, &v) || v < 0 || v > 63)
		return -ENOENT;
	return v;
}

uint64_t caps_parse(const struct strv *names, const struct log *log)
{
	int known = cap_max_bits();	/* of the running kernel */
	uint64_t mask = 0;
	size_t i;

	for (i = 0; i < names->n; i++) {
		int v = cap_number(names->v[i]);

		if (v < 0)
			log_warn(log, "ignoring unknown capability \"%s\"", names->v[i]);
		else if (v >= known)
			log_warn(log, "ignoring capability %s: this kernel does not have it",
				 names->v[i]);
		else
			mask |= UINT64_C(1) << v;
	}
	return mask;
}

int caps_apply_bounding(uint64_t keep)
{
	unsigned long cap;
	int r;

	for (cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1 || !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			continue;
		if (errno == EINVAL)	/* the kernel has no more */
			return 0;
		if (errno != EPERM)
			return -errno;
		/* We may drop none: not there already, or no more in this kernel, is as good. */
		r = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (r < 0)
			return errno == EINVAL ? 0 : -errno;
		if (r)
			return -EPERM;
	}
	return 0;
}

int caps_apply(uint64_t effective, uint64_t permitted, uint64_t inheritable, uint64_t ambient)
{
	unsigned long cap;
	int r;

	ambient &= permitted & inheritable;
	r = sysx_capset(effective, permitted, inheritable);
	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	for (cap = 0; cap < 64; cap++)
		if (ambient >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			return -errno;
	return 0;
}

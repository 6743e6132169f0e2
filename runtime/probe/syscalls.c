/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel calls: asked with arguments that every kernel refuses, so the answer is only whether it knows them. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fd.h"
#include "filter.h"
#include "probe.h"
#include "sysx.h"

#define NOT_KNOWN "this kernel does not know the call"
#define HIDDEN "a seccomp filter of whoever started us hides it"

/* A filter answers nonsense by EPERM, the kernel never does for these. */
void probe_call(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	long r = syscall(p->value, -1L, -1L, -1L, -1L, -1L, -1L);

	if (r < 0 && errno == ENOSYS)
		probe_say(c, f, CLEAT_PARTLY, "%s; %s", NOT_KNOWN, p->word);
	else if (r < 0 && errno == EPERM && !(c->caps & 1ull << 21))
		probe_say(c, f, CLEAT_PARTLY, "not for this user");
	else if (r < 0 && errno == EPERM)
		probe_say(c, f, CLEAT_PARTLY, "%s; %s", HIDDEN, p->word);
	else
		probe_say(c, f, CLEAT_OK, "yes");
}

/* Contradictory flags, with the last member of struct clone_args in use: E2BIG where it is not known. */
void probe_into_cgroup(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	struct clone_args ca;

	memset(&ca, 0, sizeof(ca));
	ca.flags = CLONE_NEWNS | CLONE_FS | CLONE_INTO_CGROUP;
	ca.cgroup = (uint64_t)INT32_MAX;
	if (syscall(SYS_clone3, &ca, sizeof(ca)) < 0 && errno == EINVAL)
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_PARTLY, "no; processes are moved into their cgroup (v2) after the clone");
}

/* One's own UTS namespace, which changes nothing. */
void probe_pidfd_setns(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	auto_fd pidfd = sysx_pidfd_open(getpid(), 0);

	if (pidfd >= 0 && (!setns(pidfd, CLONE_NEWUTS) || errno == EPERM))
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_PARTLY, "no; namespace files are opened one by one");
}

void probe_seccomp(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	uint32_t action = (uint32_t)p->value;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		probe_say(c, f, CLEAT_MISSING, "the kernel was built without CONFIG_SECCOMP");
	else if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action))
		probe_say(c, f, CLEAT_MISSING, "the kernel has no %s", p->word);
	else
		probe_say(c, f, CLEAT_OK, "libseccomp %s", cleat_libseccomp_version());
}

void probe_keyrings(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	/* KEYCTL_GET_KEYRING_ID of the session keyring, which is not made if there is none */
	if (syscall(SYS_keyctl, 0, -3, 0, 0, 0) < 0 && (errno == ENOSYS || errno == EPERM))
		probe_say(c, f, CLEAT_PARTLY, "not here; containers keep the keyring they get");
	else
		probe_say(c, f, CLEAT_OK, "yes");
}

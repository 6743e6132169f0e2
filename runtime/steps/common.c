/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the stages of all container processes share. */
#include "steps.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "gate.h"
#include "keyring.h"
#include "label.h"
#include "sync.h"

int stage_begin(const char *name, struct err *e)
{
	prctl(PR_SET_NAME, name);
	if (setsid() < 0)
		return err_set(e, ERR_KERNEL, -errno, NULL, "setsid");
	/* The shim blocks and ignores signals; none of that may reach the container. */
	child_default_signals();
	return 0;
}

/* A keyring has the label that its maker asked for before. */
static int join_labelled(const char *name, bool userns, const struct seal_ctx *c, struct err *e)
{
	auto_fd own = c->procfd < 0 ? label_procfs() : -1;
	int procfd = c->procfd < 0 ? own : c->procfd, r;

	if (procfd < 0)
		return err_set(e, ERR_KERNEL, procfd, "/process/selinuxLabel", "open a procfs");
	r = label_keys(procfd, c->p->selinux, e);
	if (!r)
		r = keyring_join(name, userns);
	return r ? r : label_keys(procfd, NULL, e);
}

int stage_keyring(const char *name, bool userns, const struct seal_ctx *c, struct err *e)
{
	int r = 0;

	if (name && name[0])
		r = c->p->selinux ? join_labelled(name, userns, c, e) : keyring_join(name, userns);
	if (r == -ENOSYS) {
		sync_warn(c->sock, "this kernel has no keyrings: no session keyring is made");
		return 0;
	}
	return r ? err_set(e, r == -EDQUOT ? ERR_LIMIT : ERR_KERNEL, r, NULL, "join the session keyring %s", name) : 0;
}

void stage_exit(int sock, int gate, const struct err *e)
{
	if (gate >= 0)
		gate_fail(gate, e);
	else if (sock >= 0)
		sync_fail(sock, e);
	_exit(1);
}

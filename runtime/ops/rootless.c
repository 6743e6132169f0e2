/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is different for a caller without the host's privileges: an ordinary
 * user, or root of a user namespace only. Asked when something failed, so that
 * the host's root pays nothing for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "ops.h"
#include "pathfs.h"
#include "rootfs.h"
#include "userns.h"

bool rootless_is(const struct cleat_env *env)
{
	return env->rootless < 0 ? geteuid() || userns_is_own() : env->rootless > 0;
}

bool rootless_own_id(const struct objv *map, uint32_t id)
{
	const struct spec_idmap *m = map->v;

	return map->n == 1 && m->size == 1 && m->host_id == id;
}

int rootless_check(const struct spec *s, struct err *e)
{
	const struct spec_namespace *user = spec_namespace(s, CLONE_NEWUSER);

	if (!user)
		return err_set(e, ERR_DENIED, 0, "/linux/namespaces",
			       "rootless container requires user namespaces: uid %u is not root, and the list has none",
			       geteuid());
	/* With one id only, the kernel wants setgroups denied before it takes the map. */
	if (!user->path && s->process->user.additional_gids.n &&
	    rootless_own_id(&s->linux_->gid_mappings, getegid()))
		return err_set(e, ERR_DENIED, 0, "/process/user/additionalGids",
			       "cannot set any additional groups in a rootless container that maps one gid only");
	if (rootfs_wants_idmaps(s))
		return err_set(e, ERR_DENIED, -EPERM, "/mounts",
			       "id-mapped mounts need rights over the file system, which uid %u has not", geteuid());
	return 0;
}

int rootless_no_filter(const struct cleat_env *env, const struct cg *cg, struct err *e)
{
	if (!cg->devices_denied || !rootless_is(env))
		return e->errnum ? -e->errnum : -EINVAL;
	log_debug(env->log, "devices are not filtered: the kernel lets only privileged users");
	err_clear(e);
	return 0;
}

int rootless_no_cgroup(const struct cleat_env *env, const struct spec *s, bool own_pidns, struct err *e)
{
	const struct spec_linux *l = s->linux_;
	const char *needs, *path = l->cgroups_path;
	struct err why = *e;
	char text[ERR_TEXT_MAX];

	if (why.kind != ERR_DENIED || !rootless_is(env))
		return why.errnum ? -why.errnum : -EINVAL;
	needs = l->resources ? cg_limits_needed(l->resources) : NULL;
	if (!needs && (!path || !*path)) {
		err_clear(e);
		if (!own_pidns)
			log_warn(env->log, "no right to make a cgroup (%s): processes that outlive the first one, "
				 "in a pid namespace that is not the container's own, cannot be found any more",
				 err_render(&why, text, sizeof(text)));
		return 0;
	}
	err_clear(e);
	return err_set(e, ERR_DENIED, -why.errnum, needs ? needs : "/linux/cgroupsPath",
		       "needs a cgroup, and we may not make %s (a delegated one helps: systemd-run --user --scope "
		       "-p Delegate=yes)", why.where);
}

void rootless_oom_inherit(int procfd, const struct process *p, int *old)
{
	char text[16] = "";
	auto_fd fd = -1;
	int n;

	*old = INT_MIN;
	if (!p->has_oom_score_adj || !geteuid())
		return;
	fd = proc_openat(procfd, "self/oom_score_adj", O_RDWR);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return;
	*old = (int)strtol(text, NULL, 10);
	n = snprintf(text, sizeof(text), "%d", p->oom_score_adj);
	/* Lowering is refused; whoever supervises the process says so, by name. */
	if (*old == p->oom_score_adj || pwrite(fd, text, (size_t)n, 0) != n)
		*old = INT_MIN;
}

void rootless_oom_restore(int procfd, int old)
{
	char text[16];
	auto_fd fd = -1;
	int n;

	if (old == INT_MIN)
		return;
	n = snprintf(text, sizeof(text), "%d", old);
	fd = proc_openat(procfd, "self/oom_score_adj", O_RDWR);
	if (fd >= 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

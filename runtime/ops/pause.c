/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pause and resume: the freezer of the container's cgroup. */
#include "ops.h"

static int freeze(const struct cleat_env *env, const char *id, bool frozen, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg cg;
	int r = container_open(&c, env, id, STORE_EXCLUSIVE, e);

	if (r)
		return r;
	if (frozen && c.status != CLEAT_RUNNING && c.status != CLEAT_CREATED)
		return container_not_running(id, e);
	if (!frozen && c.status != CLEAT_PAUSED)
		return err_set(e, ERR_STATE, 0, id, "container not paused");
	r = container_cgroup(&c, &cg, e);
	if (r)
		return r;
	r = cg_freeze(&cg, frozen, e);
	cg_close(&cg);
	/* A shim's own workers tell it themselves. */
	if (!r && !env->parent_clone)
		store_tell(&c.store);
	return r;
}

int cleat_pause(const struct cleat_env *env, const char *id, struct err *e)
{
	return freeze(env, id, true, e);
}

int cleat_resume(const struct cleat_env *env, const char *id, struct err *e)
{
	return freeze(env, id, false, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update: other limits for a live container. */
#include "json.h"
#include "log.h"
#include "ops.h"

int cleat_update(const struct cleat_env *env, const char *id, const char *json, size_t len, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct cg_limits limits = { 0 };
	struct cg cg;
	int r = container_open(&c, env, id, STORE_EXCLUSIVE, e);

	if (r)
		return r;
	if (c.status == CLEAT_STOPPED || c.status == CLEAT_CREATING)
		return container_not_running(id, e);
	r = json_read(json, len, &cg_limits_object, &limits, &c.arena, "resources", "", env->log, e);
	if (!r)
		r = cg_limits_check(&limits, "", e);
	if (!r)
		r = container_cgroup(&c, &cg, e);
	if (r)
		return r;
	/* A shim's client hands back all that the container was made with: nobody asks for a change by that. */
	if (limits.devices.n && !env->parent_clone)
		log_warn(env->log, "resources.devices is ignored: the rules of a container that runs stay as they are");
	if (c.state.unit && *c.state.unit) {
		cg_unit_round(&cg, &limits);
		r = cg_unit_update(c.state.unit, c.state.user_unit, &cg, &limits, env->log, e);
	}
	if (!r)
		r = cg_apply(&cg, &limits, true, env->log, e);
	cg_close(&cg);
	return r;
}

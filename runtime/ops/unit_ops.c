/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that are units of systemd: whether, and their end. */
#include <errno.h>
#include "ops.h"

int op_unit(const struct cleat_env *env, const char *id, const char *cgroups_path, const struct cg_host *host,
	    struct arena *a, struct cg_unit *u, struct err *e)
{
	bool user;
	int r;

	*u = (struct cg_unit){ .name = NULL };
	if (!env->systemd_cgroup && !(cgroups_path && cg_unit_form(cgroups_path) && cg_unit_host()))
		return 0;
	if (host->mode == CG_MODE_NONE)
		return err_set(e, ERR_UNSUPPORTED, 0, "/linux/cgroupsPath",
			       "the systemd cgroup driver needs cgroups, and this host has none");
	user = cg_unit_user();
	/* ours in the last hierarchy: v2, or one of v1 that systemd moves us in as well */
	r = cg_unit_parse(cgroups_path, id, user, host->h[host->n - 1].own_path, a, u, e);
	return r ? r : cg_unit_available(e);
}

bool op_unit_stop(const struct container *c, const struct log *log)
{
	struct err why = { 0 };
	char text[ERR_TEXT_MAX];

	if (!c->state.unit || !*c->state.unit)
		return true;
	/* A scope ends by itself when it is empty; a container that never got a process may have no cgroup yet. */
	if (c->state.cgroup[0] && !cg_unit_exists(&c->host, c->state.cgroup))
		return true;
	/* An empty cgroup is all that is left: without systemd's answer the container can be deleted all the same. */
	if (cg_unit_stop(c->state.unit, c->state.user_unit, log, &why))
		log_warn(log, "%s", err_render(&why, text, sizeof(text)));
	return !cg_unit_keeps(&c->host, &why);
}

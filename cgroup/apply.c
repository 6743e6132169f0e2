/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: what is given is written, what is not is not missed. */
#include "cg_internal.h"

/**
 * cg_apply() - Write the limits.
 * @l:      may be NULL: none; devices are confined all the same.
 * @update: the container runs; devices are left alone, for device plug-ins have
 *	    changed them since, and old memory limits come back when a new one fails.
 * @log:    warnings of what the contract lets pass.
 *
 * Context: host stage. Return: 0 or the first error; the rest is not written.
 * Spec: config-linux.md#control-groups
 */
int cg_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log,
	     struct err *e)
{
	int r = 0;

	if (l)
		r = cg_is_v2(c) ? cg_v2_apply(c, l, update, log, e) :
				  cg_v1_apply(c, l, update, log, e);
	if (r < 0 || update)
		return r;
	r = cg_devices_apply(c, l, log, e);
	c->devices_denied = r < 0 && e->kind == ERR_DENIED;
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all stages share: marking failures, and failing on purpose in test builds. */
#include "stage.h"
#include <errno.h>

int stage_failed(struct err *e, enum stage stage, size_t step, const char *name, int r)
{
	if (r > 0)
		r = -r;
	if (e->kind == ERR_NONE)
		err_set(e, ERR_KERNEL, r, NULL, "%s", name);
	/* A record that came from another process names that process's own stage. */
	if (e->stage == STAGE_NONE) {
		e->stage = (uint8_t)stage;
		e->step = (uint16_t)(step + 1);
	}
	return r;
}

#ifdef CLEAT_FAULTS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int stage_fault(const char *stage, const char *step, struct err *e)
{
	const char *want = getenv("CLEAT_FAULT");
	char name[96];
	size_t n;

	if (!want)
		return 0;
	n = (size_t)snprintf(name, sizeof(name), "%s.%s:", stage, step);
	if (strncmp(want, name, n))
		return 0;
	return err_set(e, ERR_KERNEL, -(int)strtol(want + n, NULL, 10), NULL, "fault asked for in %s.%s", stage, step);
}
#endif

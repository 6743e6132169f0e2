/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A user namespace for those who mount for us. */
#include <stdlib.h>
#include "fd.h"
#include "idmap.h"
#include "ops.h"
#include "pathfs.h"

_Static_assert(sizeof(struct cleat_idmap) == sizeof(struct idmap), "the same three numbers");

int cleat_userns(const struct cleat_idmap *uids, size_t n_uids, const struct cleat_idmap *gids,
		 size_t n_gids, struct err *e)
{
	auto_fd procfd = proc_open();

	if (procfd < 0)
		return err_set(e, ERR_KERNEL, procfd, "/proc", "open");
	return idmap_userns(procfd, (const struct idmap *)uids, n_uids, (const struct idmap *)gids,
			    n_gids, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new network namespace for the caller. */
#include "namespace.h"
#include <errno.h>
#include <sched.h>

int net_namespace(struct err *e)
{
	if (!unshare(CLONE_NEWNET))
		return 0;
	return err_set(e, errno == ENOSPC || errno == ENOMEM ? ERR_LIMIT : ERR_KERNEL, -errno, "/linux/namespaces",
		       "make a network namespace%s", errno != ENOSPC ? "" :
		       ": no more namespaces are allowed, see /proc/sys/user/max_net_namespaces");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_ROOT_STEPS_H
#define CLEAT_ROOT_STEPS_H
#include "err.h"
#include "field.h"

struct root_ctx {
	int procfd;			/* the host's procfs */
	const char *hostname, *domainname;	/* NULL: left alone */
	const struct strmap *sysctl;
};
/** root_main() - Run the root stage in init. Return: 0 or -errno with @e set. */
int root_main(struct root_ctx *c, struct err *e);
#endif

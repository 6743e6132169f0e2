/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stage root: after pivot_root, still privileged. No path of the host is reachable any more but by fd. */
#include "root_steps.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "spec.h"
#include "stage.h"
#include "text.h"

STAGE(root, STAGE_ROOT);

static int root_hostname(struct root_ctx *c, struct err *e)
{
	if (c->hostname && sethostname(c->hostname, strlen(c->hostname)))
		return err_set(e, ERR_KERNEL, -errno, "/hostname", "set the host name \"%s\"", c->hostname);
	return 0;
}

static int root_domainname(struct root_ctx *c, struct err *e)
{
	if (c->domainname && setdomainname(c->domainname, strlen(c->domainname)))
		return err_set(e, ERR_KERNEL, -errno, "/domainname", "set the domain name \"%s\"", c->domainname);
	return 0;
}

/* Written through the host's own procfs, which shows the namespaces of the process that looks. */
static int root_sysctl(struct root_ctx *c, struct err *e)
{
	char path[512] = "sys/", where[116];
	size_t i;

	for (i = 0; i < c->sysctl->n; i++) {
		const char *val = c->sysctl->v[i].val;
		auto_fd fd = -1;
		int r = spec_sysctl_path(c->sysctl->v[i].key, path + 4, sizeof(path) - 4);

		text_join(where, sizeof(where), "/linux/sysctl/", c->sysctl->v[i].key);
		if (!r)
			r = fd = proc_openat(c->procfd, path, O_WRONLY);
		if (r < 0)
			return err_set(e, r == -ENOENT ? ERR_UNSUPPORTED : ERR_KERNEL, r, where, "open the sysctl");
		if (write(fd, val, strlen(val)) < 0)
			return err_set(e, ERR_SPEC, -errno, where, "write \"%s\"", val);
	}
	return 0;
}

static const struct root_step root_steps[] = {
	{ "hostname", root_hostname, NULL },
	{ "domainname", root_domainname, NULL },
	{ "sysctl", root_sysctl, NULL },
};

int root_main(struct root_ctx *c, struct err *e)
{
	return root_run(root_steps, sizeof(root_steps) / sizeof(root_steps[0]), c, e);
}

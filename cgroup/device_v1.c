/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules by devices.allow and devices.deny. First "a" sets what holds
 * for all, then each exception is one write.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"

static int failed(const struct cg *c, size_t i, const char *file, const char *text, int r,
		  struct err *e)
{
	char where[CG_WHERE_MAX];

	cg_where(c, i, file, where, sizeof(where));
	return err_set(e, cg_kind(r), r, where, "resources.devices: write \"%s\"", text);
}

static int put(const struct cg *c, size_t i, int fd, const char *file, const char *text,
	       struct err *e)
{
	if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		return 0;
	return failed(c, i, file, text, -errno, e);
}

/**
 * cg_v1_devices() - Write the rules; exceptions go all to one file, kept open.
 * @i: hierarchy of the devices controller.
 */
int cg_v1_devices(const struct cg *c, size_t i, const struct cg_rules *r, struct err *e)
{
	auto_rules x = { 0 };
	const char *first, *rest;
	int err = cg_rules_reduce(r, &x, e);

	if (err < 0)
		return err;
	first = x.fallback ? "devices.allow" : "devices.deny";
	rest = x.fallback ? "devices.deny" : "devices.allow";
	err = cg_put(c, i, first, "devices", "a", e);
	if (err < 0 || !x.n)
		return err;
	auto_fd fd = openat(c->dirfd[i], rest, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failed(c, i, rest, "", -errno, e);
	for (size_t k = 0; k < x.n; k++) {
		char text[64];

		cg_rule_text(&x.v[k], text);
		err = put(c, i, fd, rest, text, e);
		if (err < 0)
			return err;
	}
	return 0;
}

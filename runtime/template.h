/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TEMPLATE_H
#define CLEAT_TEMPLATE_H
#include "arena.h"
#include "err.h"
#include "process.h"

/*
 * exec.tmpl: what exec needs of the container's spec, flat and versioned, so
 * that exec parses no config.json and compiles no filter.
 */
struct template {
	struct process process;		/* the container's own process, its filter included */
	uint64_t namespaces;		/* CLONE_NEW* of init that exec joins */
	const char *keyring;		/* session keyring; "" for none */
};
/** template_save() - Write exec.tmpl (0600) into a state directory. */
int template_save(int dirfd, const struct template *t, struct err *e);
/** template_load() - Read it; every offset and count is checked. Strings point into @a. */
int template_load(int dirfd, struct arena *a, struct template *t, struct err *e);
#endif

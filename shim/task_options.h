/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_TASK_OPTIONS_H
#define CLEAT_SHIM_TASK_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "err.h"
#include "log.h"

/** struct shim_options - Runtime options, whichever message brought them (contract shim 5). */
struct shim_options {
	bool no_pivot_root, no_new_keyring, systemd_cgroup;
	const char *shim_cgroup;	/* "" : none */
	const char *root;		/* "" : none; keeps a state directory apart */
	uint32_t io_uid, io_gid;
};
#define SHIM_OPTIONS_INIT ((struct shim_options){ .shim_cgroup = "", .root = "" })

/**
 * options_any() - Read an Any with runtime options.
 * @type_url, @value: as received; an empty value changes nothing, an unknown
 *                    type is logged and ignored.
 * @o: filled in; strings are memory of @a.
 */
int options_any(const char *type_url, const void *value, size_t len, struct shim_options *o,
		struct arena *a, const struct log *log, struct err *e);

/**
 * options_toml() - Read `Key = value` lines as CRI writes them.
 *
 * Booleans, integers and quoted strings; tables and unknown keys are logged
 * and ignored. Return: 0, or -EINVAL naming the line.
 */
int options_toml(const char *text, size_t len, struct shim_options *o, struct arena *a,
		 const struct log *log, struct err *e);
#endif

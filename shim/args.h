/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_ARGS_H
#define CLEAT_SHIM_ARGS_H
#include <stdbool.h>
#include <stddef.h>
#include "err.h"

/** struct shim_args - The command line of a runtime-v2 shim; strings are borrowed from argv. */
struct shim_args {
	const char *ns, *id, *address, *publish_binary, *bundle, *socket, *debug_socket;
	const char *action;	/* first word that is no flag; NULL: server */
	bool debug, version, info;
};

/** struct shim_flag - A row of the table of flags, which ends with a row without a name. */
struct shim_flag {
	const char *name;
	const char *value;	/* how help calls it; NULL: a switch */
	const char *help;
	size_t off;		/* in struct shim_args */
};
extern const struct shim_flag shim_flags[];

/**
 * args_parse() - Read argv as Go's flag package does.
 * @out: filled; members that were not given are NULL or false.
 *
 * Accepts -x v, --x v, -x=v; boolean flags take no separate value. "--" and
 * the first word without '-' end the flags.
 * Return: 0, or -EINVAL with the flag named.
 */
int args_parse(int argc, char *const argv[], struct shim_args *out, struct err *e);
#endif

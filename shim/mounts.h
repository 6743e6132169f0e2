/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_MOUNTS_H
#define CLEAT_SHIM_MOUNTS_H
#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "err.h"
#include "field.h"

/** struct task_mount - One entry of Create's rootfs list; strings are borrowed. */
struct task_mount {
	const char *type, *source, *target;	/* target: below rootfs, "" for rootfs itself */
	struct strv options;
};

/** struct task_mount_options - Mount option words, taken apart. */
struct task_mount_options {
	unsigned long flags;		/* MS_*, never propagation */
	unsigned long propagation;	/* MS_SHARED ... with MS_REC, 0: none */
	bool helper;			/* a program mounts it, with the words as they are */
	bool loop, direct;		/* the source is a file: by a loop device, past the page cache */
	const char *uidmap, *gidmap;	/* "container:host:size,..."; NULL: none */
	const char *data;		/* the rest, joined by commas */
};
/** mounts_parse() - Take option words apart; refuses by name what is not built. Pure. */
int mounts_parse(const struct task_mount *m, struct arena *a, struct task_mount_options *o,
		   struct err *e);

/**
 * mounts_make() - Mount the list in order at <bundle>/rootfs, in this (the
 * host's) mount namespace.
 *
 * Context: a worker; changes the working directory.
 * Return: 0, or -errno with everything unmounted again.
 */
int mounts_make(const char *bundle, const struct task_mount *m, size_t n, struct err *e);

/**
 * mounts_undo() - Unmount all that is at or below <bundle>/rootfs, deepest
 * first. Nothing mounted: success.
 * @lazy: detach what stays busy for a second, instead of failing with -EBUSY.
 */
int mounts_undo(const char *bundle, bool lazy, struct err *e);
#endif

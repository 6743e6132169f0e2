/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_MOUNTS_INTERNAL_H
#define CLEAT_SHIM_MOUNTS_INTERNAL_H
#include "mounts.h"

/** mounts_open() - O_PATH fd of what is mounted on top at <rootfs>/<sub>. Return: fd or -errno. */
int mounts_open(const char *rootfs, const char *sub);
/** mounts_common_parent() - Length of the longest directory prefix (with its slash) of all layers. */
size_t mounts_common_parent(const char *layers);
/** mounts_fs() - Mount a file system (no bind) on @fd. */
int mounts_fs(const struct task_mount *m, const struct task_mount_options *o, int fd, struct err *e);

/**
 * mounts_loop() - A loop device for the file @source, which goes when its last user does.
 * @name: set to its path; 32 bytes. Return: fd, to be closed after mounting, or -errno with @e set.
 */
int mounts_loop(const char *source, bool read_only, bool direct, char *name, struct err *e);

/** mounts_helper() - The program that mounts file systems of this type, or NULL: the kernel does. */
const char *mounts_helper(const char *type);
/** mounts_fuse() - Have that program mount on @fd. Return: 0, or -errno with @e set. */
int mounts_fuse(const struct task_mount *m, int fd, struct arena *a, struct err *e);

/**
 * mounts_map_layers() - Mount an overlay on <rootfs>/<target> whose lower layers are seen id-mapped.
 * Context: a worker (its mount namespace changes meanwhile).
 */
int mounts_map_layers(const char *rootfs, const struct task_mount *m,
		      const struct task_mount_options *o, struct err *e);
/** mounts_map_top() - Put an id-mapped copy in the place of what is mounted at <rootfs>/<target>. */
int mounts_map_top(const char *rootfs, const struct task_mount *m,
		   const struct task_mount_options *o, struct err *e);
#endif

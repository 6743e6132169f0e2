/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_MOUNT_API_H
#define CLEAT_MOUNT_API_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include "sysx.h"
#include "err.h"
#include "field.h"

#ifndef MOUNT_ATTR_RDONLY
#error "linux/mount.h lacks mount_setattr"
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

/*
 * Mounts by fd. A mount is made detached and attached to a target fd; kernels
 * below 5.2 mount onto "self/fd/N" of the trusted /proc instead. All of it
 * runs in the init stage, in the container's mount namespace, before pivot_root.
 */
struct mnt_env {
	int procfd;		/* proc_open(), for the old calls */
	bool old_api;		/* fsopen or open_tree is not there */
	const char *context;	/* "context=LABEL" for new file systems that take it; NULL: none */
};

/** struct mnt_fs - A new file system to mount. */
struct mnt_fs {
	const char *type, *source;	/* source may be NULL */
	unsigned long flags;		/* MS_* */
	const struct strv *data;	/* "key" or "key=value" words */
};

/**
 * mnt_new() - Mount @fs on the directory @target.
 * @out: fd of the new mount's root (owned by the caller), -1 where only the old calls are there: the
 *       caller resolves its path again then; may be NULL.
 * Return: 0 or -errno (no text: the caller knows the entry).
 */
int mnt_new(struct mnt_env *m, const struct mnt_fs *fs, int target, int *out);
/**
 * mnt_clone() - Detached copy of the mount tree at @fd (@path below it, "" for itself).
 * Return: fd for mnt_attach(), or -errno; -ENOSYS on kernels below 5.2.
 */
int mnt_clone(int fd, const char *path, bool recursive);
/** mnt_attach() - Attach a detached mount at @target. Return: 0 or -errno. */
int mnt_attach(int mount, int target);
/**
 * mnt_bind() - Bind what @source (O_PATH fd or detached tree) shows onto @target.
 * @detached: @source comes from mnt_clone(). @out: as mnt_new(); may be NULL.
 */
int mnt_bind(struct mnt_env *m, int source, bool detached, bool recursive, int target, int *out);
/**
 * mnt_setattr() - Set and clear MOUNT_ATTR_* of the mount at @fd.
 * Falls back to a bind remount below 5.12 when not recursive; recursive: -ENOSYS there.
 */
int mnt_setattr(struct mnt_env *m, int fd, uint64_t set, uint64_t clear, bool recursive);
/** mnt_propagation() - Apply MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE (| MS_REC) at @fd. */
int mnt_propagation(struct mnt_env *m, int fd, unsigned long ms);
/** mnt_attr_of() - MOUNT_ATTR_* of the per-mount bits among MS_* @flags. */
uint64_t mnt_attr_of(unsigned long flags);
/** mnt_flags_of() - MS_* flags of the mount at @fd now (for locked flags). */
unsigned long mnt_flags_of(int fd);
#define MNT_PER_MOUNT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | \
		       MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_PATHFS_H
#define CLEAT_PATHFS_H
#include <stddef.h>
#include <sys/types.h>
#include "buf.h"

/*
 * Paths under somebody else's control are resolved here and nowhere else:
 * inside a directory fd, by openat2 (5.6), below that by walking component by
 * component with O_PATH|O_NOFOLLOW (rule D1 of the security contract).
 */

/**
 * path_open_in_root() - Open @path as if @rootfd were "/".
 * @rootfd: O_PATH directory; borrowed.
 * @flags:  open(2) flags; O_CLOEXEC is added. O_CREAT is not allowed.
 *          With O_NOFOLLOW|O_PATH a symlink as last component is returned itself.
 * Magic links are never followed; ".." never climbs above @rootfd.
 * Return: fd or -errno.
 */
int path_open_in_root(int rootfd, const char *path, int flags);
/**
 * path_mkdir_in_root() - Make @path and its parents (@mode & ~umask) inside @rootfd.
 * Return: O_PATH fd of the directory, or -errno (-ENOTDIR when a component is something else).
 */
int path_mkdir_in_root(int rootfd, const char *path, mode_t mode);
/**
 * path_touch_in_root() - Make parents (0755) and an empty regular file if nothing is there.
 * Return: O_PATH fd of what is there, or -errno.
 */
int path_touch_in_root(int rootfd, const char *path, mode_t mode);
/**
 * path_parent_in_root() - Open the parent of @path (made with 0755) and name its last component.
 * @last: room for NAME_MAX + 1 bytes. Return: O_PATH fd of the parent or -errno.
 */
int path_parent_in_root(int rootfd, const char *path, char *last);

/**
 * path_open_resolved() - Open the directory @path if that is how it is called: absolute, in its shortest form, no link
 * on the way. Then nobody need ask /proc, or look at each component. Return: O_PATH fd; -ELOOP: it is called something
 * else, or this kernel cannot tell; -errno.
 */
int path_open_resolved(const char *path);

/** path_open_beneath() - Open below @dirfd without symlinks or escapes. Return: fd or -errno. */
int path_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/** path_read() - Append a small file to @b: regular file, procfs or sysfs. Return: 0, -EFBIG or -errno. */
int path_read(int dirfd, const char *path, size_t max, struct buf *b);
/** path_write() - One write(2) of @len bytes to an existing file, no O_CREAT. Return: 0 or -errno. */
int path_write(int dirfd, const char *path, const void *p, size_t len);
/** path_create() - Write a new file, which nobody looks for before it is complete. Return: 0, -EEXIST or -errno. */
int path_create(int dirfd, const char *name, mode_t mode, const void *p, size_t len);
/** path_replace() - Write to a temporary name (O_EXCL|O_NOFOLLOW) and rename over @name. Return: 0 or -errno. */
int path_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t len);
/** path_remove_tree() - Remove @name below @dirfd and all it holds, never following links or crossing mounts. */
int path_remove_tree(int dirfd, const char *name);
/** path_clean() - Lexically clean absolute path ("//", ".", ".." resolved, never above "/"). Return: 0 or -ENAMETOOLONG. */
int path_clean(const char *path, char *out, size_t size);

/** proc_open() - O_PATH fd of the host's /proc, verified to be one (PROC_SUPER_MAGIC, root inode). */
int proc_open(void);
/** proc_openat() - Open @path below a proc handle: beneath, no mount crossings, no magic links (D3). */
int proc_openat(int procfd, const char *path, int flags);
/** proc_reopen() - Open the object of @fd anew, through "self/fd/N" of a proc handle. */
int proc_reopen(int procfd, int fd, int flags);
#endif

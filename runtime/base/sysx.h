/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SYSX_H
#define CLEAT_SYSX_H
#include <linux/mount.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Kernel calls that libc lacks or that old kernels lack. Each returns a
 * result >= 0 or -errno, never sets errno, and answers -ENOSYS on a kernel
 * without the call, also when a seccomp filter hides it by EPERM. The fallback,
 * where there is one, lives with the one caller that needs it;
 * Documentation/architecture.rst has the table.
 */
int sysx_openat2(int dirfd, const char *path, const struct open_how *how);	/* 5.6 */
int sysx_open_tree(int dirfd, const char *path, unsigned int flags);		/* 5.2 */
int sysx_move_mount(int from, const char *from_path, int to, const char *to_path,
		    unsigned int flags);					/* 5.2 */
int sysx_fsopen(const char *type, unsigned int flags);				/* 5.2 */
int sysx_fsconfig(int fd, unsigned int cmd, const char *key, const void *value, int aux); /* 5.2 */
int sysx_fsmount(int fd, unsigned int flags, unsigned int attrs);		/* 5.2 */
struct mount_attr;
int sysx_mount_setattr(int dirfd, const char *path, unsigned int flags,
		       const struct mount_attr *attr);				/* 5.12 */
int sysx_close_range(unsigned int first, unsigned int last, unsigned int flags); /* 5.9 */
int sysx_pidfd_open(pid_t pid, unsigned int flags);				/* 5.3 */
int sysx_pidfd_send_signal(int pidfd, int sig);					/* 5.1 */
int sysx_pivot_root(const char *new_root, const char *put_old);
int sysx_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);
int sysx_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/* The raw calls, of this thread, the only one: libc's stop all others first, with three calls each. */
int sysx_setgroups(size_t n, const uint32_t *gids);
int sysx_setgid(uint32_t gid);			/* real, effective, saved, and that of files */
int sysx_setuid(uint32_t uid);
int sysx_getcwd(char *buf, size_t size);	/* the raw call: tells "(unreachable)" */
#endif

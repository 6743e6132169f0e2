/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw kernel calls that libc lacks. Results are >= 0 or -errno. */
#include "sysx.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers are the same on all ABIs since 5.1; headers of older libcs lack some. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Where ids had 16 bits once, the old numbers still take such. */
#ifdef SYS_setresuid32
#define ID_CALL(name) SYS_##name##32
#else
#define ID_CALL(name) SYS_##name
#endif

static int sysret(long r)
{
	return r < 0 ? -errno : (int)r;
}

/*
 * For calls that a kernel or a filter may not know. Filters of container hosts answer EPERM for what they
 * do not know; such a one answers it for nonsense too, which the kernel itself refuses in other words.
 */
static int sysret_new(long nr, long r)
{
	if (r < 0 && errno == EPERM)
		return syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L) < 0 && errno == EPERM ? -ENOSYS : -EPERM;
	return sysret(r);
}

int sysx_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return sysret_new(SYS_openat2, syscall(SYS_openat2, dirfd, path, how, sizeof(*how)));
}

int sysx_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return sysret_new(SYS_open_tree, syscall(SYS_open_tree, dirfd, path, flags));
}

int sysx_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags)
{
	return sysret_new(SYS_move_mount, syscall(SYS_move_mount, from, from_path, to, to_path, flags));
}

int sysx_fsopen(const char *type, unsigned int flags)
{
	return sysret_new(SYS_fsopen, syscall(SYS_fsopen, type, flags));
}

int sysx_fsconfig(int fd, unsigned int cmd, const char *key, const void *value, int aux)
{
	return sysret_new(SYS_fsconfig, syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

int sysx_fsmount(int fd, unsigned int flags, unsigned int attrs)
{
	return sysret_new(SYS_fsmount, syscall(SYS_fsmount, fd, flags, attrs));
}

int sysx_mount_setattr(int dirfd, const char *path, unsigned int flags, const struct mount_attr *attr)
{
	return sysret_new(SYS_mount_setattr, syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sysx_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return sysret_new(SYS_close_range, syscall(SYS_close_range, first, last, flags));
}

int sysx_pidfd_open(pid_t pid, unsigned int flags)
{
	return sysret_new(SYS_pidfd_open, syscall(SYS_pidfd_open, pid, flags));
}

int sysx_pidfd_send_signal(int pidfd, int sig)
{
	return sysret_new(SYS_pidfd_send_signal, syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sysx_pivot_root(const char *new_root, const char *put_old)
{
	return sysret(syscall(SYS_pivot_root, new_root, put_old));
}

int sysx_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return sysret(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int sysx_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return sysret(syscall(SYS_capset, &h, d));
}

int sysx_setgroups(size_t n, const uint32_t *gids)
{
	return sysret(syscall(ID_CALL(setgroups), n, gids));
}

int sysx_setgid(uint32_t gid)
{
	return sysret(syscall(ID_CALL(setresgid), gid, gid, gid));
}

int sysx_setuid(uint32_t uid)
{
	return sysret(syscall(ID_CALL(setresuid), uid, uid, uid));
}

int sysx_getcwd(char *buf, size_t size)
{
	return sysret(syscall(SYS_getcwd, buf, size));
}

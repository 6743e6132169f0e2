/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FD_H
#define CLEAT_FD_H
#include <dirent.h>
#include <stddef.h>
#include <unistd.h>

/*
 * The one fd-closing idiom: auto_fd variables, take_fd() to pass ownership on, fd_close() for members. Files are opened
 * by openat(), with AT_FDCWD where there is no directory: open() of musl asks for O_CLOEXEC a second time, by fcntl.
 */

/** fd_close() - Close *@fd if it is open and set it to -1; keeps errno. No EINTR retry (Linux frees the fd). */
void fd_close(int *fd);
static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}
#define auto_fd __attribute__((cleanup(fd_close))) int

void fd_dir_close(DIR **d);
#define auto_dir __attribute__((cleanup(fd_dir_close))) DIR *

/** fd_cloexec() - Set (@on) or clear close-on-exec. Return: 0 or -errno. */
int fd_cloexec(int fd, int on);
/** fd_nonblock() - Set or clear O_NONBLOCK. Return: 0 or -errno. */
int fd_nonblock(int fd, int on);
/** fd_raise() - Move @fd (taken) to a number of at least @min, close-on-exec. Return: new fd or -errno (@fd closed). */
int fd_raise(int fd, int min);
/** fd_open_std() - Open /dev/null on each of 0, 1, 2 that is closed (security.md 2.1). Return: 0 or -errno. */
int fd_open_std(void);
#define FD_PATH_SIZE sizeof("/proc/self/fd/-2147483648")
/**
 * fd_path() - "/proc/self/fd/N": what @fd is, for calls that want a path, or to open it anew.
 * Context: where /proc is the host's.
 * Return: @out.
 */
const char *fd_path(char out[FD_PATH_SIZE], int fd);
/**
 * fd_close_except() - Close every fd of at least @from but those in @keep.
 * @keep: fds to keep, any order, -1 entries ignored; sorted in place.
 */
void fd_close_except(int from, int *keep, size_t n);
/**
 * fd_unshare_except() - The same for one fd in a process that shares its table of fds with another: it gets a
 * table of its own. The cost is that of the fds up to @keep, not of all (close_range, 5.9; below: of all).
 *
 * Return: 0 or -errno; then the table is shared still, and nothing was closed.
 */
int fd_unshare_except(int from, int keep);
#endif

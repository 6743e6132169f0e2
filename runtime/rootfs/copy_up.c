/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tmpcopyup: fill a fresh tmpfs with what it hides. */
#include "rootfs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"

static int copy_tree(int from, int to, unsigned int depth);

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	auto_fd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1;
	ssize_t n;

	if (in < 0)
		return -errno;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	do {
		n = sendfile(out, in, NULL, 1 << 20);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 || fchown(out, st->st_uid, st->st_gid) || fchmod(out, st->st_mode & 07777))
		return -errno;
	return 0;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = 0;
	if (symlinkat(target, to, name) || fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

static int copy_dir(int from, int to, const char *name, const struct stat *st, unsigned int depth)
{
	auto_fd in = -1, out = -1;
	int r;

	if (mkdirat(to, name, 0700))
		return -errno;
	in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || out < 0)
		return -errno;
	r = copy_tree(in, out, depth);
	if (!r && (fchown(out, st->st_uid, st->st_gid) || fchmod(out, st->st_mode & 07777)))
		r = -errno;
	return r;
}

static int copy_entry(int from, int to, const char *name, unsigned int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(from, to, name, &st);
	case S_IFDIR:
		return depth ? copy_dir(from, to, name, &st, depth - 1) : -ELOOP;
	case S_IFLNK:
		return copy_link(from, to, name, &st);
	default:
		if (mknodat(to, name, st.st_mode, st.st_rdev) ||
		    fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW))
			return -errno;
		return 0;
	}
}

static int copy_tree(int from, int to, unsigned int depth)
{
	int dup = fcntl(from, F_DUPFD_CLOEXEC, 3), r = 0;
	auto_dir d = dup < 0 ? NULL : fdopendir(dup);
	struct dirent *de;

	if (!d) {
		r = -errno;
		fd_close(&dup);
		return r;
	}
	while (!r && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = copy_entry(from, to, de->d_name, depth);
	return r;
}

int rootfs_copy_up(int from, int to)
{
	auto_fd in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), out = -1;
	struct stat st;

	out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0 || out < 0 || fstat(in, &st) || fchown(out, st.st_uid, st.st_gid))
		return -errno;
	return copy_tree(in, out, LIMIT_JSON_DEPTH);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths inside a directory fd (openat2, or a walk on kernels below 5.6) and a trusted /proc. */
#include "pathfs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "fd.h"
#include "fdio.h"
#include "bounds.h"
#include "sysx.h"
#include "text.h"

#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0
#endif
#define RETRIES 128	/* RESOLVE_IN_ROOT answers EAGAIN when a rename or mount raced it */

static int openat2_retry(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = resolve,
	};
	int r, i;

	if (flags & O_PATH)
		how.flags &= O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY;
	for (i = 0; i < RETRIES; i++) {
		r = sysx_openat2(dirfd, path, &how);
		if (r != -EAGAIN && r != -EINTR)
			break;
	}
	return r;
}

static int same_dir(int a, int b)
{
	struct stat x, y;

	if (fstat(a, &x) || fstat(b, &y))
		return -errno;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is left to walk, as a stack of text: the next component is at the front. */
struct walk {
	int rootfd, dirfd;	/* dirfd: owned, where we are */
	unsigned int links;
	char rest[PATH_MAX];
};

static int walk_begin(struct walk *w, int rootfd, const char *path)
{
	size_t n = strlen(path);

	if (n >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, path, n + 1);
	w->rootfd = rootfd;
	w->links = 0;
	w->dirfd = openat(rootfd, ".", O_PATH | O_CLOEXEC | O_DIRECTORY);
	return w->dirfd < 0 ? -errno : 0;
}

static __attribute__((noinline)) int walk_expand(struct walk *w, const char *target)
{
	char text[PATH_MAX];
	int n;

	if (++w->links > LIMIT_LINKS)
		return -ELOOP;
	n = text_join(text, sizeof(text), target, "/", w->rest);
	if (n < 0)
		return n;
	memcpy(w->rest, text, (size_t)n + 1);
	if (target[0] == '/') {
		int fd = openat(w->rootfd, ".", O_PATH | O_CLOEXEC | O_DIRECTORY);

		if (fd < 0)
			return -errno;
		fd_close(&w->dirfd);
		w->dirfd = fd;
	}
	return 0;
}

/* Take the next component off @w->rest into @name. Return: 1 when it is the last, 0 when more follow, -errno. */
static int walk_next(struct walk *w, char *name)
{
	char *p = w->rest;
	size_t n;

	p += strspn(p, "/");
	n = strcspn(p, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, n);
	name[n] = 0;
	p += n;
	p += strspn(p, "/");
	memmove(w->rest, p, strlen(p) + 1);
	return !w->rest[0];
}

/*
 * Is @dirfd still inside of @rootfd? A rename of a directory that we stand in makes its ".." lead out of
 * the root, and on from there. Return: 0, -EXDEV, or -errno.
 */
static int check_below(int rootfd, int dirfd)
{
	auto_fd at = -1;
	int i, r;

	for (i = 0; i < PATH_MAX / 2; i++) {
		auto_fd up = -1;

		r = same_dir(at < 0 ? dirfd : at, rootfd);
		if (r)
			return r < 0 ? r : 0;
		up = openat(at < 0 ? dirfd : at, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (up < 0)
			return -errno;
		r = same_dir(up, at < 0 ? dirfd : at);	/* ".." of the top is the top */
		if (r)
			return r < 0 ? r : -EXDEV;
		fd_close(&at);
		at = take_fd(&up);
	}
	return -ELOOP;
}

/* One step down to @name, which is no link, or follow it. Return: 0, or -errno. @last: honour @flags. */
static int walk_step(struct walk *w, const char *name, bool last, int flags)
{
	char target[PATH_MAX];
	struct stat st;
	auto_fd fd = -1;
	ssize_t n;
	int r;

	if (!name[0] || !strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		r = same_dir(w->dirfd, w->rootfd);
		if (r)
			return r < 0 ? r : 0;
	}
	fd = openat(w->dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISLNK(st.st_mode) && !(last && (flags & O_NOFOLLOW))) {
		n = readlinkat(fd, "", target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = 0;
		return walk_expand(w, target);
	}
	if (!last && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (!strcmp(name, "..")) {
		r = check_below(w->rootfd, fd);
		if (r)
			return r;
	}
	fd_close(&w->dirfd);
	w->dirfd = take_fd(&fd);
	return 0;
}

/*
 * Kernels below 5.6. Each step is an O_PATH|O_NOFOLLOW open, and what a step up leads to is checked to be
 * inside the root: a racing rename can move us, but only with files that were the root's own.
 */
static int open_in_root_walk(int rootfd, const char *path, int flags)
{
	char name[NAME_MAX + 1], self[FD_PATH_SIZE];
	struct walk w;
	struct stat st;
	int r = walk_begin(&w, rootfd, path), last;

	if (r)
		return r;
	do {
		last = walk_next(&w, name);
		r = last < 0 ? last : walk_step(&w, name, last, flags);
	} while (!r && w.rest[0]);
	if (!r && (flags & O_DIRECTORY) && (fstat(w.dirfd, &st) || !S_ISDIR(st.st_mode)))
		r = -ENOTDIR;
	if (!r && flags & O_PATH)
		return w.dirfd;
	if (!r) {
		r = openat(AT_FDCWD, fd_path(self, w.dirfd), (flags & ~O_NOFOLLOW) | O_CLOEXEC);
		if (r < 0)
			r = -errno;
	}
	fd_close(&w.dirfd);
	return r;
}

int path_open_in_root(int rootfd, const char *path, int flags)
{
	int r;

	if (!path[0])
		path = ".";
	r = openat2_retry(rootfd, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (r == -ENOSYS || r == -EPERM)
		r = open_in_root_walk(rootfd, path, flags);
	return r;
}

/* Split the first component off *@path. */
static bool next_component(const char **path, char *name)
{
	const char *p = *path + strspn(*path, "/");
	size_t n = strcspn(p, "/");

	if (!n || n > NAME_MAX)
		return false;
	memcpy(name, p, n);
	name[n] = 0;
	*path = p + n;
	return true;
}

/* Part @path before its last component, which must be a plain name. @dir: room for PATH_MAX bytes. */
static int split_last(const char *path, char *dir, char *last)
{
	size_t n = strlen(path), at;

	while (n && path[n - 1] == '/')
		n--;
	for (at = n; at && path[at - 1] != '/'; at--)
		;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!n || n - at > NAME_MAX)
		return -EINVAL;
	memcpy(dir, path, at);
	dir[at] = 0;
	memcpy(last, path + at, n - at);
	last[n - at] = 0;
	return !strcmp(last, ".") || !strcmp(last, "..") ? -EINVAL : 0;
}

/* The usual case of a missing directory: only its last component is. Return: fd; on any error, walk. */
static __attribute__((noinline)) int mkdir_last(int rootfd, const char *path, mode_t mode)
{
	char dir[PATH_MAX], last[NAME_MAX + 1];
	auto_fd parent = -1;

	if (split_last(path, dir, last))
		return -1;
	parent = path_open_in_root(rootfd, dir, O_PATH | O_DIRECTORY);
	if (parent < 0 || mkdirat(parent, last, mode))
		return -1;
	return openat(parent, last, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Make the directory @path. What exists is resolved by the kernel within the root; each missing part
 * is made by mkdirat() in the verified parent, never through a link: a dangling link as a component is
 * followed by its text, inside the root, as a resolver would.
 */
int path_mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	struct walk w;
	int r;

	r = path_open_in_root(rootfd, path, O_PATH | O_DIRECTORY);
	if (r != -ENOENT)
		return r;
	r = mkdir_last(rootfd, path, mode);
	if (r >= 0)
		return r;
	r = walk_begin(&w, rootfd, path);
	if (r)
		return r;
	while (w.rest[0]) {
		r = walk_next(&w, name);
		if (r >= 0)
			r = walk_step(&w, name, false, 0);
		if (r == -ENOENT) {
			if (mkdirat(w.dirfd, name, mode) && errno != EEXIST)
				r = -errno;
			else
				r = walk_step(&w, name, false, 0);
		}
		if (r < 0) {
			fd_close(&w.dirfd);
			return r;
		}
	}
	return w.dirfd;
}

int path_parent_in_root(int rootfd, const char *path, char *last)
{
	char dir[PATH_MAX];
	int r = split_last(path, dir, last);

	return r ? r : path_mkdir_in_root(rootfd, dir[0] ? dir : ".", 0755);
}

int path_touch_in_root(int rootfd, const char *path, mode_t mode)
{
	char last[NAME_MAX + 1];
	auto_fd parent = -1;
	int r, fd;

	r = path_open_in_root(rootfd, path, O_PATH);
	if (r != -ENOENT)
		return r;
	parent = path_parent_in_root(rootfd, path, last);
	if (parent < 0)
		return parent;
	fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 && errno != EEXIST)
		return -errno;
	if (fd >= 0)
		close(fd);
	/* EEXIST: a dangling link. It is not written through; the caller sees ENOENT. */
	return path_open_in_root(rootfd, path, O_PATH);
}

int path_open_resolved(const char *path)
{
	const char *p = path;
	int r;

	/* Each slash is followed by a name that is neither "." nor "..", and the last name by nothing. */
	while (*p == '/' && p[1 + strspn(p + 1, ".")] != '/' && p[1 + strspn(p + 1, ".")])
		p += 1 + strcspn(p + 1, "/");
	if (*p || p == path)
		return -ELOOP;
	r = openat2_retry(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	return r == -ENOSYS || r == -EPERM || r == -EAGAIN ? -ELOOP : r;
}

int path_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	const char *rest = path;
	auto_fd at = -1;
	int r;

	r = openat2_retry(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (r != -ENOSYS && r != -EPERM)
		return r;
	if (path[0] == '/')
		return -EXDEV;
	while (next_component(&rest, name)) {
		bool last = !rest[strspn(rest, "/")];
		int fd;

		if (!strcmp(name, ".."))
			return -EXDEV;
		fd = openat(at < 0 ? dirfd : at, name,
			    last ? flags | O_NOFOLLOW | O_CLOEXEC : O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC,
			    mode);
		if (fd < 0)
			return -errno;
		if (last)
			return fd;
		fd_close(&at);
		at = fd;
	}
	return -EINVAL;
}

int path_read(int dirfd, const char *path, size_t max, struct buf *b)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	return fdio_read_all(fd, b, max);
}

int path_write(int dirfd, const char *path, const void *p, size_t len)
{
	auto_fd fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, p, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

int path_create(int dirfd, const char *name, mode_t mode, const void *p, size_t len)
{
	auto_fd fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fdio_write_full(fd, p, len);
	if (r)
		unlinkat(dirfd, name, 0);
	return r;
}

int path_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *base = strrchr(name, '/');
	char tmp[NAME_MAX + 1];
	auto_fd fd = -1;
	size_t dir;
	int r;

	/* ".NAME.PID" beside it */
	dir = base ? (size_t)(base + 1 - name) : 0;
	if (dir >= sizeof(tmp))
		return -ENAMETOOLONG;
	memcpy(tmp, name, dir);
	r = text_join(tmp + dir, sizeof(tmp) - dir, ".", name + dir, ".", text_num(getpid()));
	if (r < 0)
		return r;
	fd = openat(dirfd, tmp, flags, mode);
	if (fd < 0 && errno == EEXIST && !unlinkat(dirfd, tmp, 0))
		fd = openat(dirfd, tmp, flags, mode);
	if (fd < 0)
		return -errno;
	r = fdio_write_full(fd, p, len);
	if (!r && renameat(dirfd, tmp, dirfd, name))
		r = -errno;
	if (r)
		unlinkat(dirfd, tmp, 0);
	return r;
}

static int remove_tree(int parent, const char *name, dev_t dev, unsigned int depth)
{
	auto_fd fd = -1;
	auto_dir d = NULL;
	struct dirent *de;
	struct stat st;
	int r = 0;

	if (!unlinkat(parent, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (!depth)
		return -ELOOP;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (dev && st.st_dev != dev)
		return -EXDEV;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	take_fd(&fd);
	while ((de = readdir(d))) {
		int q;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		q = remove_tree(dirfd(d), de->d_name, st.st_dev, depth - 1);
		if (!r)
			r = q;
	}
	if (unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT && !r)
		r = -errno;
	return r;
}

int path_remove_tree(int dirfd, const char *name)
{
	return remove_tree(dirfd, name, 0, LIMIT_JSON_DEPTH);
}

int path_clean(const char *path, char *out, size_t size)
{
	char name[NAME_MAX + 1];
	size_t at = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	while (path[strspn(path, "/")]) {
		size_t n;

		if (!next_component(&path, name))
			return -ENAMETOOLONG;
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			while (at && out[--at] != '/')
				;
			continue;
		}
		n = strlen(name);
		if (at + n + 2 > size)
			return -ENAMETOOLONG;
		out[at++] = '/';
		memcpy(out + at, name, n);
		at += n;
	}
	if (!at)
		out[at++] = '/';
	out[at] = 0;
	return 0;
}

int proc_open(void)
{
	auto_fd fd = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs sfs;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &sfs) || fstat(fd, &st))
		return -errno;
	/* Inode 1 is the root of a procfs: nothing below it was bound here. */
	if (sfs.f_type != PROC_SUPER_MAGIC || st.st_ino != 1)
		return -EXDEV;
	return take_fd(&fd);
}

int proc_openat(int procfd, const char *path, int flags)
{
	struct statfs sfs;
	auto_fd fd = -1;

	/* "self" and "thread-self" are ordinary links inside procfs, so links are allowed and mounts are not. */
	fd = openat2_retry(procfd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd == -ENOSYS || fd == -EPERM) {
		fd = openat(procfd, path, flags | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (fstatfs(fd, &sfs))
			return -errno;
		if (sfs.f_type != PROC_SUPER_MAGIC)
			return -EXDEV;
	}
	return take_fd(&fd);
}

int proc_reopen(int procfd, int fd, int flags)
{
	auto_fd dir = -1;
	int r;

	dir = proc_openat(procfd, "self/fd", O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir;
	r = openat(dir, text_num(fd), flags | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

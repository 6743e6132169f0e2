/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup with all that a container may have made below it: the processes
 * of the tree, and its removal. Directories are opened relative to their
 * parent, so nothing a container does to its sub-cgroups leads elsewhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"

#define REMOVE_MAX_MS	2000
#define DIR_FLAGS	(O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static int pids_add(struct cg_pidlist *l, pid_t pid)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		pid_t *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = pid;
	return 0;
}

/* It may be long, so it is parsed as it comes. 0 is a process outside our pid namespace. */
static int read_procs(int dirfd, struct cg_pidlist *l)
{
	auto_fd fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char chunk[4096];
	long pid = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (ssize_t k = 0; k < n; k++) {
			if (chunk[k] >= '0' && chunk[k] <= '9') {
				pid = pid * 10 + (chunk[k] - '0');
				if (pid > INT_MAX)
					return -ERANGE;
				continue;
			}
			if (pid > 0 && pids_add(l, (pid_t)pid) < 0)
				return -ENOMEM;
			pid = 0;
		}
	}
	return 0;
}

static DIR *open_dir(int at, const char *name)
{
	auto_fd fd = openat(at, name, DIR_FLAGS);
	DIR *d;

	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (d)
		(void)take_fd(&fd);
	return d;
}

/* The next sub-directory of a cgroup, or NULL. */
static const char *next_dir(DIR *d)
{
	struct dirent *de;

	while ((de = readdir(d)))
		if (de->d_type == DT_DIR && strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			return de->d_name;
	return NULL;
}

/* A directory of a cgroup file system counts its sub-directories in st_nlink. */
static bool is_leaf(int dirfd)
{
	struct stat st;

	return !fstat(dirfd, &st) && st.st_nlink == 2;
}

/**
 * cg_tree_pids() - Append the processes of a cgroup and its descendants.
 * @depth: 0 from outside.
 *
 * A cgroup that goes away meanwhile has no processes. In a threaded v2 cgroup
 * cgroup.procs cannot be read; its processes show in the domain above it.
 * Return: 0 or -errno.
 */
int cg_tree_pids(int dirfd, struct cg_pidlist *l, int depth)
{
	int r = read_procs(dirfd, l);

	if (r < 0 && r != -ENOENT && r != -ENODEV && r != -EOPNOTSUPP)
		return r;
	if (is_leaf(dirfd))
		return 0;
	if (depth >= CG_DEPTH_MAX)
		return -ELOOP;
	auto_dir d = open_dir(dirfd, ".");
	if (!d)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	for (const char *name; (name = next_dir(d)); ) {
		auto_fd sub = openat(dirfd, name, DIR_FLAGS);

		if (sub < 0)
			continue;
		r = cg_tree_pids(sub, l, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * cg_tree_rmdir() - One pass of removing @name below @at, children first.
 * Return: 0 (also when it is not there), -EBUSY while something is in it, or -errno.
 */
int cg_tree_rmdir(int at, const char *name, int depth)
{
	if (!unlinkat(at, name, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	if (depth >= CG_DEPTH_MAX)
		return -ELOOP;
	auto_dir d = open_dir(at, name);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (const char *sub; (sub = next_dir(d)); )
		(void)cg_tree_rmdir(dirfd(d), sub, depth + 1);
	return unlinkat(at, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}

static int remove_error(const struct cg_host *host, size_t i, const char *path, int r,
			struct err *e)
{
	char where[CG_WHERE_MAX];
	struct cg_pidlist l = { 0 };
	int n;

	auto_fd fd = cg_open_dir(host, i, path, SIZE_MAX);

	cg_where(&(struct cg){ .host = host, .path = path }, i, NULL, where, sizeof(where));
	if (r == -EBUSY && fd >= 0 && !cg_tree_pids(fd, &l, 0) && l.n) {
		n = err_set(e, ERR_STATE, r, where,
			    "remove cgroup: %zu processes are in it, pid %d first", l.n,
			    (int)l.v[0]);
		free(l.v);
		return n;
	}
	free(l.v);
	return err_set(e, cg_kind(r), r, where, "remove cgroup");
}

/*
 * A limit of an RDMA device that is left when the cgroup goes stays in the device's list, whose other end has been
 * freed: the kernel panics as soon as the device goes (6.1: list corruption in rdmacg_unregister_device). One that
 * is taken back is freed.
 */
__attribute__((noinline))	/* keeps its buffers out of its callers' frames */
static void rdma_unlimit(const struct cg_host *host, size_t i, const char *path)
{
	static const char none[] = "hca_handle=max hca_object=max";
	char file[CG_PATH_MAX], text[2048], *line, *rest;

	if (!host->h[i].v2 && !cg_has_word(host->h[i].controllers, "rdma", ','))
		return;
	if (cg_join(host, i, path, "rdma.max", file, sizeof(file)) || cg_read(AT_FDCWD, file, text, sizeof(text)) <= 0)
		return;
	for (line = text; *line; line = rest) {
		char limit[128];
		size_t len = strcspn(line, "\n");
		int n;

		rest = line + len + (line[len] != 0);
		line[len] = 0;
		if (strstr(line, none))
			continue;
		n = snprintf(limit, sizeof(limit), "%.*s %s", (int)strcspn(line, " "), line, none);
		if (n > 0 && (size_t)n < sizeof(limit))
			(void)path_write(AT_FDCWD, file, limit, (size_t)n);
	}
}

/* A kill takes effect a moment after it is sent, so a busy directory is tried again. */
static int remove_one(const char *dir, int *left_ms)
{
	int r, wait_ms = 1;

	while ((r = cg_tree_rmdir(AT_FDCWD, dir, 0)) == -EBUSY && *left_ms > 0) {
		nanosleep(&(struct timespec){ .tv_nsec = wait_ms * 1000000L }, NULL);
		*left_ms -= wait_ms;
		wait_ms = wait_ms < 50 ? wait_ms * 2 : 50;
	}
	return r;
}

/**
 * cg_remove() - Remove the container's cgroup from every hierarchy, children first.
 * @path: from cg_path(). The directories above it stay: other containers may come there.
 *
 * Retries -EBUSY for about two seconds in all. Every hierarchy is tried, the first error is told.
 * Return: 0 (also when there is none), ERR_STATE while processes are left, or -errno.
 */
int cg_remove(const struct cg_host *host, const char *path, struct err *e)
{
	int left_ms = REMOVE_MAX_MS, first = 0;

	if (path[0] != '/' || !path[1] || strstr(path, "/../"))
		return err_set(e, ERR_BUG, -EINVAL, path, "not a path of a container's cgroup");
	for (size_t i = 0; i < host->n; i++) {
		char dir[CG_PATH_MAX];
		int r;

		if (!cg_uses(host, i))
			continue;
		rdma_unlimit(host, i, path);
		r = cg_join(host, i, path, NULL, dir, sizeof(dir));
		if (!r)
			r = remove_one(dir, &left_ms);
		if (r < 0)
			r = remove_error(host, i, path, r, e);
		if (!first)
			first = r;
	}
	return first;
}

/**
 * cg_remove_empty() - The usual case of cg_remove(): nothing is left in the cgroup.
 * One pass, no waiting. Return: 0 when it is gone, -EBUSY when something is in it or below it.
 */
int cg_remove_empty(const struct cg_host *host, const char *path)
{
	int r = 0;

	for (size_t i = 0; i < host->n; i++) {
		char dir[CG_PATH_MAX];

		if (!cg_uses(host, i))
			continue;
		rdma_unlimit(host, i, path);
		if (cg_join(host, i, path, NULL, dir, sizeof(dir)) || (rmdir(dir) && errno != ENOENT))
			r = -EBUSY;
	}
	return r;
}

/**
 * cg_pids() - All processes of the cgroup's tree, as our pid namespace numbers them.
 * @pids: heap array, caller frees; may be NULL when @n is 0.
 */
int cg_pids(const struct cg *c, pid_t **pids, size_t *n, struct err *e)
{
	struct cg_pidlist l = { 0 };
	int i = cg_main(c), r;
	char where[CG_WHERE_MAX];

	*pids = NULL;
	*n = 0;
	if (i < 0)
		return 0;
	r = cg_tree_pids(c->dirfd[i], &l, 0);
	if (r < 0) {
		free(l.v);
		cg_where(c, (size_t)i, "cgroup.procs", where, sizeof(where));
		return err_set(e, cg_kind(r), r, where, "list the processes of the cgroup");
	}
	*pids = l.v;
	*n = l.n;
	return 0;
}

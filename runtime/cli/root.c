/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state root. Whoever can write there can make us kill and remove what
 * they like, so it must be ours alone. Its path is resolved once, here.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "userns.h"

/* Contract oci-runtime 1.1: without the host's privileges, state is in the runtime directory. */
static const char *default_root(struct cli *c, bool *sticky)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR"), *user = getenv("USER");

	if (!xdg || *xdg != '/' ||
	    (!geteuid() && ((user && !strcmp(user, "root")) || !userns_is_own())))
		return "/run/cleat";
	*sticky = true;
	return arena_printf(&c->arena, "%s/cleat", xdg);
}

/*
 * Open @path as a directory, made if wanted; -ENOENT when it is missing and not wanted.
 * @resolved: nothing else is its resolved path.
 */
static int open_dir(const char *path, bool make, bool *resolved)
{
	auto_fd top = -1;
	int fd = path_open_resolved(path);

	*resolved = fd >= 0;
	if (fd >= 0)
		return fd;
	fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT || !make)
		return fd >= 0 ? fd : -errno;
	top = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	return path_mkdir_in_root(top, path, 0700);
}

static int check_dir(const char *path, const struct stat *st, const struct stat *top, struct err *e)
{
	if (!S_ISDIR(st->st_mode))
		return err_set(e, ERR_SPEC, -ENOTDIR, path, "--root");
	if (st->st_dev == top->st_dev && st->st_ino == top->st_ino)
		return err_set(e, ERR_SPEC, 0, path,
			       "--root: the root directory cannot hold the state of containers");
	if (st->st_uid != geteuid())
		return err_set(e, ERR_DENIED, 0, path,
			       "--root: the directory belongs to uid %u, not to us (uid %u)",
			       st->st_uid, geteuid());
	if (st->st_mode & 022)
		return err_set(e, ERR_DENIED, 0, path,
			       "--root: the directory (mode %04o) is writable by others",
			       st->st_mode & 07777);
	return 0;
}

/* The one resolved path of @fd, whose identity is @st. */
static int resolve(struct cli *c, int fd, const struct stat *st, const char *given, struct err *e)
{
	char link[FD_PATH_SIZE], path[PATH_MAX];
	struct stat now;
	ssize_t n;

	n = readlink(fd_path(link, fd), path, sizeof(path) - 1);
	if (n < 0)
		return err_set(e, ERR_KERNEL, -errno, given, "--root: resolve the path");
	path[n] = 0;
	if (stat(path, &now) || now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return err_set(e, ERR_KERNEL, -ESTALE, given, "--root: resolve the path");
	c->env.root = arena_strdup(&c->arena, path);
	return c->env.root ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, given, "--root");
}

int cli_root_open(struct cli *c, enum cli_root want, struct err *e)
{
	const char *path = c->global.root;
	struct stat st, top;
	bool sticky = false, resolved;
	auto_fd fd = -1;
	int r;

	if (!path || !*path)
		path = default_root(c, &sticky);
	if (path && *path != '/') {
		char *cwd = arena_alloc(&c->arena, PATH_MAX);

		if (!cwd)
			return err_set(e, ERR_LIMIT, -ENOMEM, path, "--root");
		if (!getcwd(cwd, PATH_MAX))
			return err_set(e, ERR_SPEC, -errno, path,
				       "--root: a relative path, and no working directory");
		path = arena_printf(&c->arena, "%s/%s", cwd, path);
	}
	if (!path)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "--root");
	fd = open_dir(path, want == ROOT_MAKE, &resolved);
	if (fd == -ENOENT && want != ROOT_MAKE) {
		/* No root, no containers: the engine says so in its own words. */
		c->env.root = path;
		return 0;
	}
	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, path, "--root");
	if (fstat(fd, &st) || stat("/", &top))
		return err_set(e, ERR_KERNEL, -errno, path, "--root");
	r = check_dir(path, &st, &top, e);
	if (r)
		return r;
	c->env.root = path;
	r = resolved ? 0 : resolve(c, fd, &st, path, e);
	/* The sticky bit keeps cleaners of runtime directories away. */
	if (!r && sticky && want == ROOT_MAKE && !(st.st_mode & S_ISVTX) &&
	    chmod(c->env.root, 01700))
		return err_set(e, ERR_KERNEL, -errno, path, "--root: set the mode");
	return r;
}

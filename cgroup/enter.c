/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a process gets into a cgroup.
 *
 * v2: it is born there (CLONE_INTO_CGROUP with cg_enter_fd()), or is written
 * to cgroup.procs. v1: it is written to one file per hierarchy; see
 * cg_enter_prepare() in cgroup.h for why it had better do so itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"
#include "text.h"

/**
 * cg_enter_fd() - Directory fd for CLONE_INTO_CGROUP; borrowed.
 * Return: fd, or -EOPNOTSUPP where there is no v2 cgroup.
 */
int cg_enter_fd(const struct cg *c)
{
	size_t last = c->host->n - 1;

	if (!c->host->n || !cg_is_v2(c) || c->dirfd[last] < 0)
		return -EOPNOTSUPP;
	return c->dirfd[last];
}

static int enter_error(const struct cg *c, size_t i, const char *file, int r, struct err *e)
{
	const struct cg_hierarchy *h = &c->host->h[i];
	const char *hint = "";
	char where[CG_WHERE_MAX];

	if (h->v2 && r == -EBUSY)
		hint = ": the cgroup hands controllers to its children, so it may not hold processes itself";
	else if (h->v2 && r == -EOPNOTSUPP)
		hint = ": the cgroup is threaded, or below a threaded one";
	else if (r == -ENOSPC)
		hint = ": its cpuset has no CPUs or no memory nodes";
	else if (r == -EINVAL && cg_has_word(h->controllers, "cpu", ','))
		hint = ": a realtime process needs a cgroup with realtime runtime";
	cg_where(c, i, file, where, sizeof(where));
	return err_set(e, cg_kind(r) == ERR_SPEC ? ERR_KERNEL : cg_kind(r), r, where,
		       "enter the cgroup%s", hint);
}

/**
 * cg_enter_pid() - Write @pid to cgroup.procs of every hierarchy.
 * @pid: as our pid namespace numbers it.
 *
 * May take a grace period (see cg_enter_prepare()). When it fails the process
 * may be in some of them; it is the caller's to kill.
 * Context: host stage.
 */
int cg_enter_pid(const struct cg *c, pid_t pid, struct err *e)
{
	char text[16];
	int len = text_join(text, sizeof(text), text_num(pid));

	for (size_t i = 0; i < c->host->n; i++) {
		int r;

		if (c->dirfd[i] < 0)
			continue;
		r = path_write(c->dirfd[i], "cgroup.procs", text, (size_t)len);
		if (r < 0)
			return enter_error(c, i, "cgroup.procs", r, e);
	}
	return 0;
}

/**
 * cg_enter_prepare() - Open the task files for cg_enter_self().
 *
 * Opened by the worker, for the kernel checks the privilege of whom opened
 * them, and the new process may be in a user namespace already. Closed by
 * cg_close(); close-on-exec.
 */
int cg_enter_prepare(struct cg *c, struct err *e)
{
	for (size_t i = 0; i < c->host->n; i++) {
		if (c->host->h[i].v2 || c->dirfd[i] < 0 || c->enterfd[i] >= 0)
			continue;
		c->enterfd[i] = openat(c->dirfd[i], "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (c->enterfd[i] < 0)
			return enter_error(c, i, "tasks", -errno, e);
	}
	return 0;
}

/**
 * cg_enter_self() - Enter every prepared hierarchy; "0" is who writes it.
 * Context: the new process, single-threaded. No allocation.
 */
int cg_enter_self(const struct cg *c, struct err *e)
{
	for (size_t i = 0; i < c->host->n; i++)
		if (c->enterfd[i] >= 0 && write(c->enterfd[i], "0", 1) != 1)
			return enter_error(c, i, "tasks", -errno, e);
	return 0;
}

/* Replace the directory of hierarchy @i by one below it. @sub: relative, no "..", not a link. */
static int enter_below(struct cg *c, size_t i, const char *sub, const char *asked, struct err *e)
{
	int fd;

	sub += strspn(sub, "/");
	if (!*sub || !strcmp(sub, "."))
		return 0;
	fd = path_open_beneath(c->dirfd[i], sub, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -EXDEV)
		return err_set(e, ERR_SPEC, 0, "--cgroup", "%s is not a sub cgroup path", asked);
	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, "--cgroup", "open the sub-cgroup \"%s\"%s%s", asked,
			       c->host->h[i].v2 ? "" : " of ", c->host->h[i].controllers);
	close(c->dirfd[i]);
	c->dirfd[i] = fd;
	return 0;
}

/* "PATH": in every hierarchy */
static int enter_all(struct cg *c, const char *path, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < c->host->n && !r; i++)
		if (c->dirfd[i] >= 0)
			r = enter_below(c, i, path, path, e);
	return r;
}

/* "cpu,memory:PATH": in the hierarchies of these controllers. @done: index of hierarchies that have one. */
static int enter_some(struct cg *c, const char *asked, const char *path, bool *done, struct err *e)
{
	char word[64];
	const char *p = asked;
	size_t len;
	int i, r;

	do {
		len = strcspn(p, ",:");
		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		i = cg_is_v2(c) || !len || len >= sizeof(word) ? -1 : cg_controller(c, word);
		if (i < 0 && !cg_is_v2(c) && !strcmp(word, "systemd"))
			i = cg_controller(c, "name=systemd");
		if (i < 0)
			return err_set(e, ERR_SPEC, 0, "--cgroup",
				       "\"%s\": unknown controller %s in sub-cgroup paths", asked, word);
		if (done[i])
			return err_set(e, ERR_SPEC, 0, "--cgroup",
				       "\"%s\": controller %s has a sub-cgroup already", asked, word);
		done[i] = true;
		r = enter_below(c, (size_t)i, path, path, e);
		if (r)
			return r;
		p += len + 1;
	} while (p < path);
	return 0;
}

/**
 * cg_enter_below() - Let a process enter sub-cgroups of a container that exist, instead of its own cgroup.
 * @c: opened; its directories are exchanged, so it is good for nothing but entering afterwards.
 * @paths: "PATH" alone, or "CONTROLLER[,CONTROLLER]:PATH" each (v1).
 *
 * Controllers that share a hierarchy share a place in it: naming two of them is an error.
 * Return: 0 or -errno.
 */
int cg_enter_below(struct cg *c, const char *const *paths, size_t n, struct err *e)
{
	bool done[CG_HIERARCHIES_MAX] = { false };
	int r = 0;

	for (size_t k = 0; k < n && !r; k++) {
		const char *colon = strchr(paths[k], ':');

		if (colon && strchr(colon + 1, ':'))
			return err_set(e, ERR_SPEC, 0, "--cgroup", "invalid argument: %s", paths[k]);
		if (!colon && n > 1)
			return err_set(e, ERR_SPEC, 0, "--cgroup",
				       "invalid argument: %s (missing <controller>: prefix)", paths[k]);
		r = colon ? enter_some(c, paths[k], colon + 1, done, e) : enter_all(c, paths[k], e);
	}
	return r;
}

/**
 * cg_enter_beside() - v2: let a process enter the sub-cgroup that @pid is in.
 *
 * A container whose cgroup hands controllers to its children (an init system
 * runs in it) takes no processes itself: the kernel says EBUSY or EOPNOTSUPP.
 * Return: 0, or -ENOENT when @pid is not below the container's cgroup.
 */
int cg_enter_beside(struct cg *c, pid_t pid)
{
	size_t last = c->host->n - 1, len = strlen(c->path);
	auto_buf b = BUF_INIT;
	char path[48], *line, *end;
	int fd, r;

	if (cg_enter_fd(c) < 0)
		return -ENOENT;
	text_join(path, sizeof(path), "/proc/", text_num(pid), "/cgroup");
	r = path_read(AT_FDCWD, path, CG_PATH_MAX * 2, &b);
	if (r < 0)
		return r;
	line = b.data ? strstr(b.data, "0::") : NULL;
	if (!line || (line != b.data && line[-1] != '\n'))
		return -ENOENT;
	line += 3;
	end = strchr(line, '\n');
	if (end)
		*end = 0;
	if (strncmp(line, c->path, len) || line[len] != '/')
		return -ENOENT;
	fd = path_open_beneath(c->dirfd[last], line + len + 1, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	close(c->dirfd[last]);
	c->dirfd[last] = fd;
	return 0;
}

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
	int len = snprintf(text, sizeof(text), "%d", (int)pid);

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

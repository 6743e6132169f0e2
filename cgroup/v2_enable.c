/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * v2: controllers of a new cgroup. A cgroup has those that every cgroup above
 * it lists in cgroup.subtree_control. All that the root offers are enabled,
 * as other container managers do: statistics and later updates need them.
 * What cannot be enabled is not an error here; a limit that needs it is one
 * when it is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"

/* Enable one controller in the cgroup of @dirfd. */
static int enable_one(int dirfd, const char *name)
{
	char word[64];
	int n = snprintf(word, sizeof(word), "+%s", name);

	return path_write(dirfd, "cgroup.subtree_control", word, (size_t)n);
}

/* A process of the cgroup itself; 0: none. */
static pid_t first_process(int dirfd)
{
	struct cg_pidlist l = { 0 };
	pid_t first;

	(void)cg_tree_pids(dirfd, &l, CG_DEPTH_MAX);
	first = l.n ? l.v[0] : 0;
	free(l.v);
	return first;
}

/*
 * Enable in @dirfd what it has and its children lack: in one write, or one by
 * one if that fails. Not where processes are (the root may have some): the
 * kernel refuses, or, for controllers that can be threaded, makes the cgroup
 * and all below it a threaded one, which nobody asked for.
 */
static void enable_missing(int dirfd, bool root)
{
	char have[512], on[512], all[1100] = "", *save = NULL;
	size_t len = 0;

	/* the root of a cgroup namespace is a cgroup like others: only the real one has no type */
	root = root && !cg_has_file(dirfd, "cgroup.type");
	if (!root && first_process(dirfd))
		return;
	if (cg_read(dirfd, "cgroup.controllers", have, sizeof(have)) <= 0 ||
	    cg_read(dirfd, "cgroup.subtree_control", on, sizeof(on)) < 0)
		return;
	for (char *p = have; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, " "), p);
		if (!cg_has_word(on, name, ' '))
			len += (size_t)snprintf(all + len, sizeof(all) - len, " +%s", name);
	}
	if (!len || !path_write(dirfd, "cgroup.subtree_control", all + 1, len - 1))
		return;
	for (char *w = strtok_r(all, " +", &save); w; w = strtok_r(NULL, " +", &save))
		(void)enable_one(dirfd, w);
}

static int check_type(const struct cg *c, size_t i, struct err *e)
{
	char type[64], where[CG_WHERE_MAX];

	/* absent in kernels before 4.14, which have no threaded cgroups */
	if (cg_read(c->dirfd[i], "cgroup.type", type, sizeof(type)) < 0 || !strcmp(type, "domain"))
		return 0;
	cg_where(c, i, NULL, where, sizeof(where));
	return err_set(e, ERR_UNSUPPORTED, -EOPNOTSUPP, where,
		       "the cgroup is \"%s\": a cgroup above it is threaded", type);
}

/**
 * cg_v2_enable() - Enable the controllers above the container's new cgroup.
 *
 * Costs two reads when the cgroup has them all already.
 * Return: 0, or ERR_UNSUPPORTED below a threaded cgroup.
 */
int cg_v2_enable(const struct cg *c, size_t i, struct err *e)
{
	char want[512] = "", have[512] = "";
	auto_fd root = cg_open_dir(c->host, i, "", 0);

	(void)cg_read(root, "cgroup.controllers", want, sizeof(want));
	(void)cg_read(c->dirfd[i], "cgroup.controllers", have, sizeof(have));
	if (*want && !strcmp(want, have))
		return 0;
	for (const char *p = c->path; p; p = strchr(p + 1, '/')) {
		auto_fd fd = cg_open_dir(c->host, i, c->path, (size_t)(p - c->path));

		if (fd >= 0)
			enable_missing(fd, p == c->path);
	}
	return check_type(c, i, e);
}

/*
 * The cgroup above @dirfd's that does not hand @controller on: the first from
 * the root down that has it and does not list it in cgroup.subtree_control.
 */
static int find_blocker(const struct cg *c, size_t i, const char *controller, char *path,
			bool *has)
{
	for (const char *p = c->path; p; p = strchr(p + 1, '/')) {
		char have[512] = "", on[512] = "";

		auto_fd fd = cg_open_dir(c->host, i, c->path, (size_t)(p - c->path));

		if (fd < 0)
			return fd;
		(void)cg_read(fd, "cgroup.controllers", have, sizeof(have));
		(void)cg_read(fd, "cgroup.subtree_control", on, sizeof(on));
		*has = cg_has_word(have, controller, ' ');
		snprintf(path, CG_PATH_MAX, "%.*s", (int)(p - c->path), c->path);
		if (!*has || !cg_has_word(on, controller, ' '))
			return take_fd(&fd);
	}
	return -ENOENT;
}

/**
 * cg_v2_missing() - Say why the container's cgroup has no @controller.
 * @field: field of the resources that needs it.
 *
 * Return: ERR_UNSUPPORTED that names the cgroup to blame, or ERR_DENIED.
 */
int cg_v2_missing(const struct cg *c, size_t i, const char *controller, const char *field,
		  struct err *e)
{
	char path[CG_PATH_MAX], where[CG_WHERE_MAX];
	bool has = false;
	auto_fd fd = find_blocker(c, i, controller, path, &has);
	pid_t first;
	int r;

	if (fd < 0)
		return err_set(e, ERR_UNSUPPORTED, 0, c->path,
			       "resources.%s needs the cgroup controller %s, which the cgroup lacks",
			       field, controller);
	cg_where(&(struct cg){ .host = c->host, .path = path }, i, NULL, where, sizeof(where));
	if (!has)
		return err_set(e, ERR_UNSUPPORTED, 0, where,
			       "resources.%s needs the cgroup controller %s, which this %s lacks",
			       field, controller, *path ? "cgroup" : "host");
	first = *path ? first_process(fd) : 0;
	r = first ? -EBUSY : enable_one(fd, controller);	/* it failed before; the reason is wanted */
	/* a root that is busy is a cgroup namespace's, which is no root for the kernel */
	if (r == -EBUSY && !first)
		first = first_process(fd);
	if (first)
		return err_set(e, ERR_UNSUPPORTED, -EBUSY, where,
			       "resources.%s needs the cgroup controller %s, which a cgroup "
			       "with processes in it (pid %d) cannot hand on",
			       field, controller, (int)first);
	return err_set(e, r == -EPERM || r == -EACCES ? ERR_DENIED : ERR_UNSUPPORTED, r, where,
		       "resources.%s needs the cgroup controller %s; enable it here", field,
		       controller);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * linux.cgroupsPath to the one path that a container has in every hierarchy.
 * The result is absolute from the hierarchies' roots and clean, so that
 * state.json means the same to a later command, wherever that one runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "cg_internal.h"
#include "pathfs.h"
#include "text.h"
#include "unit.h"

#define COMPONENT_MAX 255

/*
 * Our own cgroup below a hierarchy's mount point. /proc/self/cgroup counts from the
 * hierarchy's root; what is mounted may be a part of it (in a container without a
 * cgroup namespace), and only mountinfo tells which.
 */
__attribute__((noinline))
static void own_path(const struct cg_host *host, size_t i, char *out, size_t size)
{
	const char *own = host->h[i].own_path;
	auto_buf mi = BUF_INIT;
	char dir[CG_PATH_MAX], *mountpoint, *root;
	struct stat st;

	if (strcmp(own, "/") && !cg_join(host, i, own, NULL, dir, sizeof(dir)) && stat(dir, &st) &&
	    !path_read(AT_FDCWD, "/proc/self/mountinfo", LIMIT_PROC_FILE, &mi) && mi.data &&
	    cg_mountinfo_find(mi.data, host->h[i].controllers, &mountpoint, &root))
		own = cg_below_root(own, root);
	text_join(out, size, strcmp(own, "/") ? own : NULL);
}

/*
 * Where relative paths start: on v2 beside our own cgroup, since a cgroup with
 * processes cannot have controllers in its children; on v1 below our own.
 * Where the v1 hierarchies do not agree it is below what they have in common,
 * for a container has one path.
 */
__attribute__((noinline))
static void own_base(const struct cg_host *host, char *out, size_t size)
{
	size_t len = 0;
	bool first = true;

	*out = 0;
	for (size_t i = 0; i < host->n; i++) {
		char own[CG_PATH_MAX];
		size_t n = 0, cut = 0;

		if (!cg_uses(host, i))
			continue;
		own_path(host, i, own, sizeof(own));
		if (first) {
			text_join(out, size, own);
			len = strlen(out);
			first = false;
			continue;
		}
		while (n < len && own[n] == out[n])
			n++;
		for (cut = n; cut > 0; cut--)
			if ((cut == len || out[cut] == '/') && (!own[cut] || own[cut] == '/'))
				break;
		len = cut;
		out[len] = 0;
	}
	if (cg_is_v2(&(struct cg){ .host = host })) {
		char *slash = strrchr(out, '/');

		if (slash)
			*slash = 0;
	}
}

/* "/" and @s without "..", "." and "//", into @out. */
static int add_clean(const char *s, char *out, size_t size)
{
	char tmp[CG_PATH_MAX];
	int n = text_join(tmp, sizeof(tmp), "/", s);

	return n < 0 ? n : path_clean(tmp, out, size);
}

static int check_components(const char *asked, const char *path, struct err *e)
{
	if (!path[1])
		return err_set(e, ERR_SPEC, 0, "/linux/cgroupsPath",
			       "\"%.64s\" names the root cgroup", asked);
	for (const char *p = path; *p; ) {
		size_t n = strcspn(p + 1, "/");

		if (n > COMPONENT_MAX)
			return err_set(e, ERR_SPEC, -ENAMETOOLONG, "/linux/cgroupsPath",
				       "\"%.64s...\"", p + 1);
		p += 1 + n;
	}
	/* the kernel refuses it, and /proc/PID/cgroup would have a line of our making */
	if (strchr(path, '\n'))
		return err_set(e, ERR_SPEC, 0, "/linux/cgroupsPath", "holds a newline");
	return 0;
}

/**
 * cg_path() - The cgroup path that cgroupsPath asks for.
 * @cgroups_path: as in config.json; NULL or "" is @id.
 * @out: result, "/a/b", clean: ".." never climbs above the place it started from.
 *
 * Return: 0, ERR_UNSUPPORTED for the systemd driver's slice:prefix:name, ERR_SPEC.
 * Spec: config-linux.md#cgroups-path
 */
int cg_path(const struct cg_host *host, const char *cgroups_path, const char *id,
	    char *out, size_t size, struct err *e)
{
	const char *asked = cgroups_path && *cgroups_path ? cgroups_path : id;
	size_t base;
	int r;

	if (cg_unit_form(asked))
		return err_set(e, ERR_UNSUPPORTED, 0, "/linux/cgroupsPath",
			       "\"%.128s\" is for the systemd cgroup driver, and systemd does not manage this host",
			       asked);
	*out = 0;
	if (*asked != '/')
		own_base(host, out, size);
	base = strlen(out);
	r = add_clean(asked, out + base, size - base);
	if (r < 0)
		return err_set(e, ERR_SPEC, r, "/linux/cgroupsPath", "\"%.64s...\"", asked);
	return check_components(asked, out + base, e);
}

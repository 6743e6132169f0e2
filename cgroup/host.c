/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which hierarchies this host has mounted, and where we are in them.
 *
 * /sys/fs/cgroup is where every distribution mounts them, so one statfs() and
 * /proc/self/cgroup tell nearly always: cgroup2 there is a v2 host; a tmpfs
 * with a directory per hierarchy a v1 host, a hybrid one if "unified" is
 * among them. Mountinfo, which grows with the number of containers, is read
 * only when that does not fit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include "bounds.h"
#include "cg_internal.h"
#include "pathfs.h"
#include "text.h"

static bool is_type(const char *path, unsigned long magic)
{
	struct statfs st;

	return !statfs(path, &st) && (unsigned long)st.f_type == magic;
}

static int full(struct err *e, const char *what)
{
	return err_set(e, ERR_KERNEL, -ENOMEM, what, "no memory for the list of hierarchies");
}

/* One line of /proc/self/cgroup, cut into its fields: "4:memory:/a/b". */
static char *next_line(char **text, char **controllers, char **path)
{
	char *line = *text, *end, *c, *p;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end) {
		*end = 0;
		*text = end + 1;
	} else {
		*text = line + strlen(line);
	}
	*controllers = *path = line + strlen(line);
	c = strchr(line, ':');
	p = c ? strchr(c + 1, ':') : NULL;
	if (p) {
		*p = 0;
		*controllers = c + 1;
		*path = p + 1;
	}
	return line;
}

/* Spaces and backslashes in mountinfo are written as octal numbers. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/**
 * cg_mountinfo_find() - Find a mounted hierarchy in mountinfo.
 * @text: cut into pieces; what is found points into it.
 * @controllers: as in /proc/self/cgroup, "" for v2.
 *
 * Fields 4 and 5 are the root and the mount point; after " - " come type,
 * source and super block options.
 * Return: 1 found, 0 not.
 */
int cg_mountinfo_find(char *text, const char *controllers, char **mountpoint, char **root)
{
	char first[64];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(controllers, ","), controllers);
	for (char *line = text, *next; line && *line; line = next) {
		char *f[5], *save = NULL, *tail, *type, *opts;
		int n = 0;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		tail = strstr(line, " - ");
		if (!tail)
			continue;
		*tail = 0;
		type = strtok_r(tail + 3, " ", &save);
		if (!type || strcmp(type, *controllers ? "cgroup" : "cgroup2"))
			continue;
		strtok_r(NULL, " ", &save);
		opts = strtok_r(NULL, " ", &save);
		if (*controllers && (!opts || !cg_has_word(opts, first, ',')))
			continue;
		while (n < 5 && (f[n] = strtok_r(n ? NULL : line, " ", &save)))
			n++;
		if (n < 5)
			continue;
		*root = f[3];
		*mountpoint = f[4];
		unescape(*root);
		unescape(*mountpoint);
		return 1;
	}
	return 0;
}

/**
 * cg_below_root() - @path, which counts from the hierarchy's root, from the @root of a mount.
 *
 * The mount's root may be a sub-cgroup (a container that sees only its own):
 * our path counts from there.
 */
const char *cg_below_root(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (len <= 1 || strncmp(path, root, len))
		return path;
	if (!path[len])
		return "/";
	return path[len] == '/' ? path + len : path;
}

static int add(struct cg_host *host, struct arena *a, const char *controllers,
	       const char *mountpoint, const char *own_path, bool v2, struct err *e)
{
	struct cg_hierarchy *h;

	if (host->n == CG_HIERARCHIES_MAX)
		return err_set(e, ERR_LIMIT, -E2BIG, mountpoint,
			       "more than %d cgroup hierarchies are mounted", CG_HIERARCHIES_MAX);
	h = &host->h[host->n++];
	h->controllers = arena_strdup(a, controllers);
	h->mountpoint = arena_strdup(a, mountpoint);
	h->own_path = arena_strdup(a, *own_path == '/' ? own_path : "/");
	h->v2 = v2;
	return h->controllers && h->mountpoint && h->own_path ? 0 : full(e, mountpoint);
}

static int add_from_mountinfo(struct cg_host *host, struct arena *a, const char *controllers,
			      const char *own_path, struct err *e)
{
	auto_buf mi = BUF_INIT;
	char *mountpoint, *root;
	int r = path_read(AT_FDCWD, "/proc/self/mountinfo", LIMIT_PROC_FILE, &mi);

	if (r < 0)
		return err_set(e, ERR_KERNEL, r, "/proc/self/mountinfo", "read");
	if (!mi.data || !cg_mountinfo_find(mi.data, controllers, &mountpoint, &root))
		return 0;	/* not mounted: as if the host did not have it */
	return add(host, a, controllers, mountpoint, cg_below_root(own_path, root), !*controllers, e);
}

static int add_v1(struct cg_host *host, struct arena *a, const char *controllers,
		  const char *own_path, struct err *e)
{
	const char *name = strncmp(controllers, "name=", 5) ? controllers : controllers + 5;
	char path[300], *comma;

	if (text_join(path, sizeof(path), CG_ROOT "/", name) > 0) {
		if (is_type(path, CGROUP_SUPER_MAGIC))
			return add(host, a, controllers, path, own_path, false, e);
		comma = strchr(path, ',');
		if (comma)
			*comma = 0;
		if (comma && is_type(path, CGROUP_SUPER_MAGIC))
			return add(host, a, controllers, path, own_path, false, e);
	}
	return add_from_mountinfo(host, a, controllers, own_path, e);
}

static int detect(struct cg_host *host, struct arena *a, char *text, struct err *e)
{
	bool v2_only = is_type(CG_ROOT, CGROUP2_SUPER_MAGIC);
	char *controllers, *path;
	const char *v2_path = NULL;
	int r;

	while (next_line(&text, &controllers, &path)) {
		if (!*controllers) {
			v2_path = path;
		} else if (!v2_only) {
			r = add_v1(host, a, controllers, path, e);
			if (r < 0)
				return r;
		}
	}
	host->mode = host->n ? CG_MODE_V1 : CG_MODE_NONE;
	if (!v2_path)
		return 0;
	if (v2_only)
		r = add(host, a, "", CG_ROOT, v2_path, true, e);
	else if (is_type(CG_ROOT "/unified", CGROUP2_SUPER_MAGIC))
		r = add(host, a, "", CG_ROOT "/unified", v2_path, true, e);
	else if (!host->n)
		r = add_from_mountinfo(host, a, "", v2_path, e);
	else
		return 0;
	if (r < 0)
		return r;
	if (host->n && host->h[host->n - 1].v2)
		host->mode = host->n > 1 ? CG_MODE_HYBRID : CG_MODE_V2;
	return 0;
}

/**
 * cg_host_detect() - Learn the layout of the mounted hierarchies.
 * @host: filled; strings live in @a.
 *
 * A v1 hierarchy mounted beside a v2 host's /sys/fs/cgroup is not used.
 * No hierarchy at all is CG_MODE_NONE, not an error.
 * Context: host stage. Return: 0 or -errno.
 */
int cg_host_detect(struct cg_host *host, struct arena *a, struct err *e)
{
	char text[2048];
	auto_buf own = BUF_ON(text);
	int r;

	memset(host, 0, sizeof(*host));
	r = path_read(AT_FDCWD, "/proc/self/cgroup", LIMIT_PROC_FILE, &own);
	if (r == -ENOENT)
		return 0;	/* a kernel without cgroups */
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, "/proc/self/cgroup", "read");
	return detect(host, a, own.data, e);
}

/**
 * cg_open_dir() - Open a cgroup's directory.
 * @len: only so much of @path; SIZE_MAX for all of it.
 * Return: fd or -errno.
 */
__attribute__((noinline))	/* keeps its path buffer out of its callers' frames */
int cg_open_dir(const struct cg_host *host, size_t i, const char *path, size_t len)
{
	char dir[CG_PATH_MAX];
	int n = text_join(dir, sizeof(dir), host->h[i].mountpoint, path);

	if (n < 0)
		return n;
	if (len < strlen(path))
		dir[strlen(host->h[i].mountpoint) + len] = 0;
	n = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return n < 0 ? -errno : n;
}

/**
 * cg_join() - Path of @file of cgroup @path in hierarchy @i.
 * @file: NULL for the directory. Return: 0 or -ENAMETOOLONG.
 */
int cg_join(const struct cg_host *host, size_t i, const char *path, const char *file,
	    char *out, size_t size)
{
	int n = text_join(out, size, host->h[i].mountpoint, path, file ? "/" : NULL, file);

	return n < 0 ? n : 0;
}

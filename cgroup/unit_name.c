/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "slice:prefix:name" to a unit and the place of its cgroup.
 *
 * The place can be told before systemd is asked: dashes in a slice's name are
 * its parents, and the container's first process needs to know. What systemd
 * then really did is read from the process.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cg_internal.h"
#include "pathfs.h"
#include "unit.h"
#include "userns.h"

#define UNIT_NAME_MAX	255
#define FIELD		"/linux/cgroupsPath"

static bool ends_in(const char *s, size_t len, const char *tail)
{
	size_t n = strlen(tail);

	return len > n && !memcmp(s + len - n, tail, n);
}

bool cg_unit_form(const char *s)
{
	const char *a = strchr(s, ':');
	const char *b = a ? strchr(a + 1, ':') : NULL;

	if (!b || strchr(b + 1, ':'))
		return false;
	return a == s || ends_in(s, (size_t)(a - s), ".slice");
}

bool cg_unit_host(void)
{
	return !faccessat(AT_FDCWD, "/run/systemd/system", F_OK, 0);
}

bool cg_unit_user(void)
{
	return geteuid() || userns_is_own();
}

static int bad(const char *path, struct err *e, const char *why)
{
	return err_set(e, ERR_SPEC, 0, FIELD, "\"%.128s\": %s", path, why);
}

/* What systemd takes for a name. */
static bool name_ok(const char *s, size_t len)
{
	if (!len || len > UNIT_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(":-_.\\@", s[i]))
			return false;
	return true;
}

/*
 * systemd sets "_" before a name that would be taken for one of a cgroup's
 * own files.
 */
static bool is_escaped(const char *name)
{
	static const char *const files[] = { "cgroup.", "cpu.", "cpuacct.", "cpuset.", "io.", "blkio.",
					     "memory.", "devices.", "pids.", "misc.", "hugetlb." };

	if (name[0] == '_' || name[0] == '.')
		return true;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!strncmp(name, files[i], strlen(files[i])))
			return true;
	return !strcmp(name, "tasks") || !strcmp(name, "notify_on_release") ||
	       !strcmp(name, "release_agent");
}

static void add_level(struct buf *b, const char *name, size_t len)
{
	char level[UNIT_NAME_MAX + 8];

	snprintf(level, sizeof(level), "%.*s", (int)len, name);
	buf_addf(b, "/%s%s", is_escaped(level) ? "_" : "", level);
}

/* "a-b.slice": /a.slice/a-b.slice. "-.slice" is the root and adds nothing. */
static int add_slice(struct buf *b, const char *slice)
{
	size_t len = strlen(slice) - strlen(".slice");
	char level[UNIT_NAME_MAX + 8];

	if (len == 1 && slice[0] == '-')
		return 0;
	if (slice[0] == '-' || slice[len - 1] == '-' || strstr(slice, "--"))
		return -EINVAL;
	for (size_t i = 1; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		snprintf(level, sizeof(level), "%.*s.slice", (int)i, slice);
		add_level(b, level, strlen(level));
	}
	return 0;
}

/*
 * Below which cgroup a user's manager has its units. A process that it started
 * is below it; others (a login session) know it by systemd's own layout.
 */
static void add_user_manager(struct buf *b, const char *own_path)
{
	char tail[32];
	const char *p;
	unsigned int uid = geteuid();

	if (!uid)
		uid = userns_root_uid();
	p = strstr(own_path, "/user@");
	if (p && (p = strstr(p, ".service"))) {
		buf_add(b, own_path, (size_t)(p - own_path) + strlen(".service"));
		return;
	}
	snprintf(tail, sizeof(tail), "%u", uid);
	buf_addf(b, "/user.slice/user-%s.slice/user@%s.service", tail, tail);
}

static int unit_path(struct cg_unit *u, const char *asked, const char *own_path, struct arena *a,
		     struct err *e)
{
	auto_buf b = BUF_INIT;

	if (u->user)
		add_user_manager(&b, own_path);
	if (add_slice(&b, u->slice_unit ? u->name : u->slice))
		return bad(asked, e, "a slice's name neither begins nor ends with a dash, nor has two in a row");
	if (!u->slice_unit)
		add_level(&b, u->name, strlen(u->name));
	u->path = buf_ok(&b) && b.len ? arena_strdup(a, b.data) : NULL;
	return u->path ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, FIELD, "\"%.128s\"", asked);
}

int cg_unit_parse(const char *cgroups_path, const char *id, bool user, const char *own_path,
		  struct arena *a, struct cg_unit *u, struct err *e)
{
	const char *asked = cgroups_path && *cgroups_path ? cgroups_path : arena_printf(a, ":cleat:%s", id);
	const char *prefix, *name;
	size_t slice_len, prefix_len;

	*u = (struct cg_unit){ .user = user };
	if (!asked)
		return err_set(e, ERR_LIMIT, -ENOMEM, FIELD, "out of memory");
	prefix = strchr(asked, ':');
	name = prefix ? strchr(prefix + 1, ':') : NULL;
	if (!name || strchr(name + 1, ':'))
		return bad(asked, e, "the systemd cgroup driver wants slice:prefix:name");
	slice_len = (size_t)(prefix++ - asked);
	prefix_len = (size_t)(name++ - prefix);
	if (!slice_len)
		u->slice = user ? "user.slice" : "system.slice";
	else if (slice_len == 1 && *asked == '-')
		u->slice = "-.slice";
	else
		u->slice = arena_strndup(a, asked, slice_len);
	u->slice_unit = ends_in(name, strlen(name), ".slice");
	u->name = u->slice_unit ? name : prefix_len ?
		arena_printf(a, "%.*s-%s.scope", (int)prefix_len, prefix, name) :
		arena_printf(a, "%s.scope", name);
	if (!u->slice || !u->name)
		return err_set(e, ERR_LIMIT, -ENOMEM, FIELD, "\"%.128s\"", asked);
	if (!ends_in(u->slice, strlen(u->slice), ".slice") || !name_ok(u->slice, strlen(u->slice)))
		return bad(asked, e, "the first part is not the name of a slice");
	if (!*name || !name_ok(u->name, strlen(u->name)))
		return bad(asked, e, "the unit's name is empty, too long, or has characters that systemd forbids");
	if (u->slice_unit && !strcmp(u->name, "-.slice"))
		return bad(asked, e, "the root slice cannot be a container's");
	return unit_path(u, asked, own_path, a, e);
}

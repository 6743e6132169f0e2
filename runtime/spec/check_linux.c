/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of the linux object: namespaces, devices, paths that are hidden, and
 * the cgroup path. Resources and seccomp bring their own rules with them.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include "spec_internal.h"

/* config-linux.md: "MUST NOT have duplicate namespaces of the same type", paths absolute. */
static int check_namespaces(const struct spec_linux *l, struct err *e)
{
	const struct spec_namespace *ns = l->namespaces.v;
	int seen = 0;
	struct pointer at;

	for (size_t i = 0; i < l->namespaces.n; i++) {
		if (seen & ns[i].type)
			return spec_bad(e, spec_at(&at, "/linux/namespaces/%zu/type", i),
					"\"%s\" is given twice", spec_namespace_name(ns[i].type));
		seen |= ns[i].type;
		if (ns[i].path && ns[i].path[0] != '/')
			return spec_bad(e, spec_at(&at, "/linux/namespaces/%zu/path", i),
					"must be an absolute path, is \"%.200s\"", ns[i].path);
	}
	return 0;
}

static int check_devices(const struct spec_linux *l, struct err *e)
{
	const struct spec_device *d = l->devices.v;
	struct pointer at;

	for (size_t i = 0; i < l->devices.n; i++) {
		const char *last = strrchr(d[i].path, '/') + 1;

		if (*last && strcmp(last, ".") && strcmp(last, ".."))
			continue;
		return spec_bad(e, spec_at(&at, "/linux/devices/%zu/path", i),
				"does not name a file: \"%.200s\"", d[i].path);
	}
	return 0;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/' || p[-1] == ':') && (!p[2] || p[2] == '/' || p[2] == ':'))
			return true;
	return false;
}

/* Climbing is refused, not cleaned away: who writes ".." means another place than he would get. */
static int check_cgroups_path(const char *path, struct err *e)
{
	if (!path)
		return 0;
	if (has_dotdot(path))
		return spec_bad(e, "/linux/cgroupsPath", "must not have \"..\": \"%.200s\"", path);
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return spec_bad(e, "/linux/cgroupsPath",
					"must not have control characters: \"%.200s\"", path);
	return 0;
}

/* Both are made with mounts: without a mount namespace they would hide the host's files. */
static int check_hidden_paths(const struct spec *s, struct err *e)
{
	const struct spec_linux *l = s->linux_;

	if (spec_namespace(s, CLONE_NEWNS))
		return 0;
	if (l->masked_paths.n)
		return spec_bad(e, "/linux/maskedPaths", "needs a mount namespace: \"%.200s\"",
				l->masked_paths.v[0]);
	if (l->readonly_paths.n)
		return spec_bad(e, "/linux/readonlyPaths", "needs a mount namespace: \"%.200s\"",
				l->readonly_paths.v[0]);
	return 0;
}

static int check_propagation(const struct spec *s, struct err *e)
{
	const char *word = s->linux_->rootfs_propagation;

	if (!word)
		return 0;
	if (!names_find(spec_propagation_names, word))
		return spec_bad(e, "/linux/rootfsPropagation", "unknown value \"%.100s\", known: "
				"[r]private, [r]shared, [r]slave, [r]unbindable", word);
	if (!spec_namespace(s, CLONE_NEWNS))
		return spec_bad(e, "/linux/rootfsPropagation",
				"needs a mount namespace: \"%.100s\"", word);
	return 0;
}

/**
 * spec_check_linux() - Rules of the linux object.
 * @s: parsed document; linux_ is set.
 * Spec: config-linux.md
 */
int spec_check_linux(const struct spec *s, struct err *e)
{
	const struct spec_linux *l = s->linux_;
	int r = check_namespaces(l, e);

	if (!r)
		r = spec_check_idmaps(s, e);
	if (!r)
		r = check_devices(l, e);
	if (!r)
		r = check_cgroups_path(l->cgroups_path, e);
	if (!r)
		r = check_hidden_paths(s, e);
	if (!r)
		r = check_propagation(s, e);
	if (!r)
		r = spec_check_sysctl(s, e);
	if (!r)
		r = spec_check_net_devices(s, e);
	if (!r && l->resources)
		r = cg_limits_check(l->resources, "/linux/resources", e);
	if (!r && l->intel_rdt)
		r = rdt_check(l->intel_rdt, "/linux/intelRdt", e);
	if (!r && l->seccomp)
		r = filter_check(l->seccomp, "/linux/seccomp", e);
	return r;
}

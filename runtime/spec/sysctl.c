/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which kernel settings a container may have. Only those that belong to a
 * namespace of its own: anything else would be a setting of the host. Keys
 * come in two forms, "net.ipv4.conf.eth0/1.mtu" and "net/ipv4/conf/eth0.1/mtu";
 * they are judged, and later written, as the one path that both mean.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include "names.h"
#include "spec_internal.h"

/* @prefix ends in '/': everything below; else exactly this. */
static const struct { const char *path; int ns; } allowed[] = {
	{ "fs/mqueue/", CLONE_NEWIPC },
	{ "kernel/domainname", CLONE_NEWUTS },
	{ "kernel/msgmax", CLONE_NEWIPC },
	{ "kernel/msgmnb", CLONE_NEWIPC },
	{ "kernel/msgmni", CLONE_NEWIPC },
	{ "kernel/sem", CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel/shmall", CLONE_NEWIPC },
	{ "kernel/shmmax", CLONE_NEWIPC },
	{ "kernel/shmmni", CLONE_NEWIPC },
	{ "net/", CLONE_NEWNET },
	{ "user/", CLONE_NEWUSER },
};

/**
 * spec_sysctl_path() - Path below /proc/sys that a sysctl key means.
 * @key:  dotted or slashed form; the first separator tells which.
 * @out:  relative path; every component is a plain name.
 * @size: its room.
 *
 * Return: 0, -EINVAL (empty component, "." or "..", control character), -ENAMETOOLONG.
 */
int spec_sysctl_path(const char *key, char *out, size_t size)
{
	size_t len = strlen(key), first = strcspn(key, "./"), start = 0;
	bool dots = key[first] == '.';

	if (len >= size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i <= len; i++) {
		char c = key[i];

		if (dots && (c == '.' || c == '/'))
			c = c == '.' ? '/' : '.';
		if (c && ((unsigned char)c < 0x20 || c == 0x7f))
			return -EINVAL;
		out[i] = c;
		if (c && c != '/')
			continue;
		if (i == start || (i - start == 1 && out[start] == '.') ||
		    (i - start == 2 && out[start] == '.' && out[start + 1] == '.'))
			return -EINVAL;
		start = i + 1;
	}
	return 0;
}

static const struct name own_files[] = {
	{ "/proc/self/ns/ipc", CLONE_NEWIPC },
	{ "/proc/self/ns/net", CLONE_NEWNET },
	{ "/proc/self/ns/user", CLONE_NEWUSER },
	{ "/proc/self/ns/uts", CLONE_NEWUTS },
	{ NULL, 0 },
};

/** spec_joins_host() - Does @ns join the namespace that we are in? A path that cannot be read is told when it is joined. */
bool spec_joins_host(const struct spec_namespace *ns)
{
	struct stat a, b;

	return ns->path && !stat(ns->path, &a) && !stat(names_of(own_files, ns->type), &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int check_key(const struct spec *s, const char *key, const char *path, const char *where,
		     struct err *e)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		size_t n = strlen(allowed[i].path);
		bool below = allowed[i].path[n - 1] == '/';
		const struct spec_namespace *ns;

		if (below ? strncmp(path, allowed[i].path, n) || !path[n] : strcmp(path, allowed[i].path))
			continue;
		ns = spec_namespace(s, allowed[i].ns);
		if (!ns)
			return spec_bad(e, where, "\"%.100s\" needs a %s namespace of the container's own",
					key, spec_namespace_name(allowed[i].ns));
		if (spec_joins_host(ns))
			return spec_bad(e, where, "\"%.100s\" would change the host: \"%.100s\" is its "
					"%s namespace", key, ns->path, spec_namespace_name(ns->type));
		return 0;
	}
	if (!strcmp(path, "kernel/hostname"))
		return spec_bad(e, where, "\"%.100s\" is not allowed, hostname sets it", key);
	return spec_bad(e, where, "\"%.100s\" is not allowed: it belongs to no namespace", key);
}

/**
 * spec_check_sysctl() - Keys on the list of what namespaces own, values on one line.
 * Spec: config-linux.md#sysctl
 */
int spec_check_sysctl(const struct spec *s, struct err *e)
{
	const struct strmap *m = &s->linux_->sysctl;
	char path[256];
	int r;

	for (size_t i = 0; i < m->n; i++) {
		r = spec_sysctl_path(m->v[i].key, path, sizeof(path));
		if (r)
			return spec_bad(e, "/linux/sysctl", "not a key: \"%.200s\"", m->v[i].key);
		r = check_key(s, m->v[i].key, path, "/linux/sysctl", e);
		if (r)
			return r;
		for (const char *p = m->v[i].val; *p; p++)
			if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
				return spec_bad(e, "/linux/sysctl",
						"the value of \"%.100s\" has a control character: \"%.100s\"",
						m->v[i].key, m->v[i].val);
	}
	return 0;
}

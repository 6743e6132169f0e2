/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of config.json that concern more than one field, or one field in a
 * way its table row cannot say: version, process, mounts, annotations. Those
 * of the linux object are in check_linux.c, idmaps.c and sysctl.c.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "pathfs.h"
#include "spec_internal.h"
#include "text.h"
#include "utf8.h"

/** spec_at() - Format a JSON pointer. Return: its text. */
const char *spec_at(struct pointer *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return p->text;
}

/** spec_bad() - A rule is broken: err_set() with what all rules have in common. Return: -EINVAL. */
int spec_bad(struct err *e, const char *where, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_SPEC, 0, where, "%s", text);
}

/* ---- ociVersion, root ---- */

/* One number of a version; no leading zero. */
static bool version_number(const char **s)
{
	size_t n = strspn(*s, "0123456789");

	if (!n || (n > 1 && **s == '0'))
		return false;
	*s += n;
	return true;
}

/* Dot-separated identifiers behind '-' or '+'. */
static bool version_words(const char **s)
{
	for (;;) {
		size_t n = strspn(*s, "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

		if (!n)
			return false;
		*s += n;
		if (**s != '.')
			return true;
		(*s)++;
	}
}

/* config.md: "MUST be in SemVer v2.0.0 format"; a major version is compatible in itself. */
static int check_version(const char *v, struct err *e)
{
	const char *s = v;
	bool ok;

	ok = version_number(&s) && *s++ == '.' && version_number(&s) && *s++ == '.' &&
	     version_number(&s);
	if (ok && *s == '-') {
		s++;
		ok = version_words(&s);
	}
	if (ok && *s == '+') {
		s++;
		ok = version_words(&s);
	}
	if (!ok || *s)
		return spec_bad(e, "/ociVersion", "is not a version: \"%.100s\"", v);
	if (strncmp(v, "1.", 2))
		return spec_bad(e, "/ociVersion", "version \"%.100s\" is not supported, only 1.x is", v);
	return 0;
}

/* Neither the host's own root nor the bundle, where config.json lies, is a root file system. */
static int check_root(const struct spec_root *root, struct err *e)
{
	char clean[PATH_MAX];

	if (path_clean(root->path, clean, sizeof(clean)))	/* relative: as below the bundle */
		return spec_bad(e, "/root/path", "is too long: \"%.100s...\"", root->path);
	if (root->path[0] == '/' && !clean[1])
		return spec_bad(e, "/root/path", "must not be the host's root: \"%.200s\"", root->path);
	if (!clean[1] && !strstr(root->path, ".."))
		return spec_bad(e, "/root/path", "must not be the bundle itself: \"%.200s\"", root->path);
	return 0;
}

/* ---- process ---- */

static int check_args(const struct spec_process *p, const char *base, struct err *e)
{
	struct pointer at;

	if (!p->args.n)
		return spec_bad(e, spec_at(&at, "%s/args", base), "must have at least one element");
	if (!p->args.v[0][0])
		return spec_bad(e, spec_at(&at, "%s/args/0", base),
				"exec: \"\": executable file not found in $PATH");
	return 0;
}

static int check_env(const struct spec_process *p, const char *base, struct err *e)
{
	struct pointer at;

	for (size_t i = 0; i < p->env.n; i++) {
		const char *s = p->env.v[i], *eq = strchr(s, '=');

		if (eq && eq != s && utf8_valid(s, (size_t)(eq - s)))
			continue;
		spec_at(&at, "%s/env/%zu", base, i);
		if (!eq)
			return spec_bad(e, at.text, "must be KEY=value, is \"%.200s\"", s);
		if (eq == s)
			return spec_bad(e, at.text, "the name is empty: \"%.200s\"", s);
		return spec_bad(e, at.text, "the name is not valid UTF-8: \"%.200s\"", s);
	}
	return 0;
}

static int check_rlimits(const struct spec_process *p, const char *base, struct err *e)
{
	const struct spec_rlimit *l = p->rlimits.v;
	uint64_t seen = 0;
	struct pointer at;

	for (size_t i = 0; i < p->rlimits.n; i++) {
		const char *name = names_of(spec_rlimit_names, l[i].type);

		if (seen >> l[i].type & 1)
			return spec_bad(e, spec_at(&at, "%s/rlimits/%zu/type", base, i),
					"\"%s\" is given twice", name);
		seen |= (uint64_t)1 << l[i].type;
		if (l[i].soft > l[i].hard)
			return spec_bad(e, spec_at(&at, "%s/rlimits/%zu/soft", base, i),
					"%s: the soft limit %llu is above the hard limit %llu", name,
					(unsigned long long)l[i].soft, (unsigned long long)l[i].hard);
	}
	return 0;
}

/**
 * spec_check_process() - Rules of a process, of config.json or of exec.
 * @base: JSON pointer of the process.
 * Spec: config.md#process
 */
int spec_check_process(const struct spec_process *p, const char *base, struct err *e)
{
	struct pointer at;
	int r;

	for (size_t i = 0; i < p->user.additional_gids.n; i++)
		if (p->user.additional_gids.v[i] == UINT32_MAX)
			return spec_bad(e, spec_at(&at, "%s/user/additionalGids/%zu", base, i),
					"%u is not a group id", UINT32_MAX);
	r = check_args(p, base, e);
	if (!r)
		r = check_env(p, base, e);
	if (!r)
		r = check_rlimits(p, base, e);
	if (!r)
		r = spec_check_run(p, base, e);
	return r;
}

/* ---- mounts ---- */

static bool has_word(const struct strv *v, const char *word)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->v[i], word))
			return true;
	return false;
}

/* What programs that fake parts of /proc for a container (lxcfs) may cover. */
static const char *const proc_files[] = {
	"cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps",
	"sys/crypto/fips_enabled", "sys/kernel/ns_last_pid", "uptime",
};

/*
 * A mount over /proc, or inside it, would let an image choose what is read
 * and written there on its behalf. The path is judged as written here, and
 * again by what it resolves to when it is mounted.
 */
static int check_proc(const struct spec_mount *m, const char *clean, bool bind, const char *where,
		      struct err *e)
{
	if (strncmp(clean, "/proc", 5) || (clean[5] && clean[5] != '/'))
		return 0;
	if (!clean[5]) {
		if (bind || !strcmp(m->type, "proc"))
			return 0;
		return spec_bad(e, where, "\"%.100s\" cannot be a mount of type \"%.100s\", only proc",
				m->destination, m->type);
	}
	for (size_t i = 0; i < sizeof(proc_files) / sizeof(proc_files[0]); i++)
		if (!strcmp(clean + 6, proc_files[i]))
			return 0;
	return spec_bad(e, where, "\"%.200s\" cannot be mounted because it is inside /proc",
			m->destination);
}

/* config.md: both lists or none; "idmap" alone takes those of the container's user namespace. */
static int check_idmap(const struct spec *s, const struct spec_mount *m, size_t i, bool bind, struct err *e)
{
	struct pointer uids, gids, at;
	bool word = has_word(&m->options, "idmap") || has_word(&m->options, "ridmap");
	int r;

	if (word && !m->uid_mappings.n && !m->gid_mappings.n && !spec_namespace(s, CLONE_NEWUSER))
		return spec_bad(e, spec_at(&at, "/mounts/%zu/options", i),
				"\"%s\" needs uidMappings and gidMappings, or a user namespace to take them from",
				has_word(&m->options, "idmap") ? "idmap" : "ridmap");
	if (!m->uid_mappings.n && !m->gid_mappings.n)
		return 0;
	spec_at(&uids, "/mounts/%zu/uidMappings", i);
	spec_at(&gids, "/mounts/%zu/gidMappings", i);
	if (!m->uid_mappings.n || !m->gid_mappings.n)
		return spec_bad(e, m->uid_mappings.n ? gids.text : uids.text,
				"an id-mapped mount needs both lists, this one is missing or empty");
	if (!bind || has_word(&m->options, "remount"))
		return spec_bad(e, uids.text, "only a new bind mount can be id-mapped");
	r = spec_check_map(&m->uid_mappings, uids.text, e);
	return r ? r : spec_check_map(&m->gid_mappings, gids.text, e);
}

static int check_mount(const struct spec *s, const struct spec_mount *m, size_t i, const struct log *log,
		       struct err *e)
{
	bool bind = has_word(&m->options, "bind") || has_word(&m->options, "rbind");
	char clean[PATH_MAX];
	struct pointer at, dest;
	int r;

	text_join(dest.text, sizeof(dest.text), "/mounts/", text_num(i), "/destination");
	if (path_clean(m->destination, clean, sizeof(clean)))
		return spec_bad(e, dest.text, "is too long: \"%.100s...\"", m->destination);
	if (!clean[1])
		return spec_bad(e, dest.text, "must be below the root: \"%.200s\"", m->destination);
	if (m->destination[0] != '/')
		log_warn(log, "%s: \"%.200s\" is relative, which is deprecated; taken as \"%s\"",
			 dest.text, m->destination, clean);
	if (!bind && !has_word(&m->options, "remount")) {
		if (!m->type)
			return spec_bad(e, spec_at(&at, "/mounts/%zu/type", i),
					"required unless options has \"bind\" or \"rbind\"");
		if (!strcmp(m->type, "bind"))
			return spec_bad(e, spec_at(&at, "/mounts/%zu/options", i),
					"type is \"bind\" but neither \"bind\" nor \"rbind\" is here");
	}
	if (bind && !m->source)
		return spec_bad(e, spec_at(&at, "/mounts/%zu/source", i), "required for a bind mount");
	r = check_idmap(s, m, i, bind, e);
	if (r)
		return r;
	if (m->type || bind)
		return check_proc(m, clean, bind, dest.text, e);
	return 0;
}

/**
 * spec_check_mounts() - Rules of mount points; option words are read when they are mounted.
 * Spec: config.md#mounts
 */
int spec_check_mounts(const struct spec *s, const struct log *log, struct err *e)
{
	const struct spec_mount *m = s->mounts.v;
	int r;

	if (s->mounts.n && !spec_namespace(s, CLONE_NEWNS))
		return spec_bad(e, "/mounts", "needs a mount namespace: \"%.200s\" would be mounted on the host",
				m[0].destination);
	for (size_t i = 0; i < s->mounts.n; i++) {
		r = check_mount(s, &m[i], i, log, e);
		if (r)
			return r;
	}
	return 0;
}

/* ---- the whole ---- */

static int check_names(const struct spec *s, struct err *e)
{
	if (spec_namespace(s, CLONE_NEWUTS))
		return 0;
	if (s->hostname)
		return spec_bad(e, "/hostname", "needs a uts namespace: \"%.100s\"", s->hostname);
	if (s->domainname)
		return spec_bad(e, "/domainname", "needs a uts namespace: \"%.100s\"", s->domainname);
	return 0;
}

/**
 * spec_check() - Rules across fields.
 * @s:   parsed document; linux_ is set.
 * @log: takes warnings; may be NULL.
 * @e:   set on failure; where is the JSON pointer of the culprit.
 *
 * Looks at the host only where a rule is about it (a namespace given by path
 * whose settings are changed is compared with our own).
 *
 * Return: 0 or -EINVAL.
 */
int spec_check(const struct spec *s, const struct log *log, struct err *e)
{
	int r = check_version(s->oci_version, e);

	if (!r)
		r = check_root(s->root, e);
	if (!r && s->process)
		r = spec_check_process(s->process, "/process", e);
	if (!r)
		r = check_names(s, e);
	if (!r)
		r = spec_check_linux(s, e);
	if (!r)
		r = spec_check_run_linux(s, log, e);
	if (!r)
		r = spec_check_mounts(s, log, e);
	for (size_t i = 0; !r && i < s->annotations.n; i++)
		if (!s->annotations.v[i].key[0])
			r = spec_bad(e, "/annotations", "a key is empty (its value: \"%.100s\")",
				     s->annotations.v[i].val);
	return r;
}

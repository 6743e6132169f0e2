/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a bundle asks of the host, entry by entry, each named by its JSON pointer. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "join.h"
#include "mount_options.h"
#include "pathfs.h"
#include "probe.h"

struct asks {
	struct probe_ctx *c;
	const struct spec *s;
	const char *bundle;
	int bundlefd, rootfd;
	int r;			/* what the callback said, or -ENOMEM */
};

/* A finding of the bundle's own. @remedy: when it is not there. */
static void tell(struct asks *k, const char *pointer, enum cleat_verdict v, const char *remedy, const char *detail)
{
	struct cleat_finding f = {
		.group = "bundle", .name = pointer, .verdict = v, .detail = detail,
		.remedy = v == CLEAT_OK ? "" : remedy,
	};

	if (!pointer || !detail)
		k->r = -ENOMEM;
	if (!k->r)
		k->r = k->c->cb(&f, k->c->arg);
}

/* @pointer needs what a probe of the host has found, or has not. */
static void need(struct asks *k, const char *pointer, enum probe_id id)
{
	const struct cleat_finding *have = &k->c->found[id];

	tell(k, pointer, have->verdict, have->remedy,
	     arena_printf(k->c->a, "%s: %s", have->name, have->detail));
}

#define POINTER(k, ...) arena_printf((k)->c->a, __VA_ARGS__)

/* ---- files ---- */

static void file(struct asks *k, const char *pointer, const char *what, const char *path, int dirfd, mode_t type,
		 bool run)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, 0))
		tell(k, pointer, CLEAT_MISSING, "make it, or correct the path",
		     POINTER(k, "%s \"%s\" is not there", what, path));
	else if (type && (st.st_mode & S_IFMT) != type)
		tell(k, pointer, CLEAT_MISSING, "correct the path",
		     POINTER(k, "%s \"%s\" is not a %s", what, path, type == S_IFDIR ? "directory" : "file"));
	else if (run && faccessat(dirfd, path, X_OK, AT_EACCESS))
		tell(k, pointer, CLEAT_MISSING, "chmod +x",
		     POINTER(k, "%s \"%s\" cannot be executed", what, path));
	else
		tell(k, pointer, CLEAT_OK, "", POINTER(k, "%s \"%s\"", what, path));
}

static void hooks(struct asks *k, const char *name, const struct objv *v)
{
	const struct spec_hook *h = v->v;

	for (size_t i = 0; i < v->n; i++)
		file(k, POINTER(k, "/hooks/%s/%zu/path", name, i), "program", h[i].path, AT_FDCWD, S_IFREG, true);
}

/* The program, as the container's PATH finds it. Who may run it is for the container to say. */
static void program(struct asks *k)
{
	const struct spec_process *p = k->s->process;
	const char *name, *path = NULL;

	if (!p || !p->args.n || k->rootfd < 0)
		return;
	name = p->args.v[0];
	for (size_t i = 0; i < p->env.n; i++)
		if (!strncmp(p->env.v[i], "PATH=", 5))
			path = p->env.v[i] + 5;
	if (strchr(name, '/')) {
		auto_fd fd = path_open_in_root(k->rootfd, *name == '/' ? name : POINTER(k, "%s/%s", p->cwd, name),
					       O_PATH);

		tell(k, "/process/args/0", fd >= 0 ? CLEAT_OK : CLEAT_MISSING, "put it into the root file system",
		     POINTER(k, "program \"%s\"%s", name, fd >= 0 ? "" : " is not in the root file system"));
		return;
	}
	while (path && *path) {
		size_t n = strcspn(path, ":");
		auto_fd fd = path_open_in_root(k->rootfd, POINTER(k, "%.*s/%s", (int)n, path, name), O_PATH);

		if (fd >= 0) {
			tell(k, "/process/args/0", CLEAT_OK, "",
			     POINTER(k, "program %.*s/%s", (int)n, path, name));
			return;
		}
		path += n + (path[n] == ':');
	}
	tell(k, "/process/args/0", CLEAT_MISSING, "put it into the root file system, or correct PATH in /process/env",
	     POINTER(k, "program \"%s\" is not found by PATH", name));
}

static void root(struct asks *k)
{
	if (!k->s->root) {
		tell(k, "/root", CLEAT_MISSING, "\"root\": {\"path\": \"rootfs\"}", "required field missing");
		return;
	}
	file(k, "/root/path", "directory", k->s->root->path, k->bundlefd, S_IFDIR, false);
	k->rootfd = openat(k->bundlefd, k->s->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	program(k);
}

/* ---- mounts ---- */

static bool filesystem_known(struct asks *k, const char *type)
{
	auto_buf b = BUF_INIT;
	char *line, *save;

	if (path_read(AT_FDCWD, "/proc/filesystems", LIMIT_PROC_FILE, &b) || !b.data)
		return true;	/* cannot be told */
	for (line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *name = strrchr(line, '\t');

		if (!strcmp(name ? name + 1 : line, type))
			return true;
	}
	return false;
}

static void mounts(struct asks *k)
{
	const struct spec_mount *m = k->s->mounts.v;

	for (size_t i = 0; i < k->s->mounts.n; i++) {
		struct mount_options o = { 0 };
		struct err ignored = { 0 };

		if (mount_options_parse(&m[i].options, k->c->a, &o, "", &ignored))
			continue;	/* refused by create in its own words, and by the check of the document */
		if (o.bind && m[i].source)
			file(k, POINTER(k, "/mounts/%zu/source", i), "source", m[i].source, k->bundlefd, 0, false);
		else if (m[i].type && !strncmp(m[i].type, "cgroup", 6))
			need(k, POINTER(k, "/mounts/%zu/type", i), PROBE_CG_LAYOUT);
		else if (m[i].type && !o.bind && !filesystem_known(k, m[i].type))
			tell(k, POINTER(k, "/mounts/%zu/type", i), CLEAT_PARTLY, "modprobe it",
			     POINTER(k, "file system \"%s\" is not loaded", m[i].type));
		if (o.rec_set || o.rec_clear || o.idmap || o.ridmap || m[i].uid_mappings.n)
			need(k, POINTER(k, "/mounts/%zu/options", i), PROBE_MOUNT_SETATTR);
	}
}

/* ---- namespaces ---- */

static void namespaces(struct asks *k)
{
	static const struct { int flag; enum probe_id id;
	} kinds[] = {
		{ CLONE_NEWNS, PROBE_NS_MNT }, { CLONE_NEWPID, PROBE_NS_PID }, { CLONE_NEWNET, PROBE_NS_NET },
		{ CLONE_NEWIPC, PROBE_NS_IPC }, { CLONE_NEWUTS, PROBE_NS_UTS }, { CLONE_NEWCGROUP, PROBE_NS_CGROUP },
		{ CLONE_NEWUSER, PROBE_NS_USER }, { CLONE_NEWTIME, PROBE_NS_TIME },
	};
	const struct spec_namespace *n = k->s->linux_->namespaces.v;
	const struct spec_linux *l = k->s->linux_;
	bool user = false;

	for (size_t i = 0; i < l->namespaces.n; i++) {
		user |= n[i].type == CLONE_NEWUSER;
		if (n[i].path) {
			file(k, POINTER(k, "/linux/namespaces/%zu/path", i), "namespace", n[i].path, AT_FDCWD, 0, false);
			continue;
		}
		for (size_t t = 0; t < sizeof(kinds) / sizeof(kinds[0]); t++)
			if (kinds[t].flag == n[i].type)
				need(k, POINTER(k, "/linux/namespaces/%zu", i), kinds[t].id);
	}
	if (geteuid() && !user)
		tell(k, "/linux/namespaces", CLEAT_MISSING, "run as root, or add {\"type\": \"user\"} with mappings",
		     "an ordinary user's container needs a user namespace");
	if (geteuid() && (l->uid_mappings.n > 1 || l->gid_mappings.n > 1))
		need(k, "/linux/uidMappings", PROBE_IDMAP_TOOLS);
}

/* ---- process ---- */

static void limits(struct asks *k)
{
	const struct spec_process *p = k->s->process;
	const struct spec_rlimit *rl = p->rlimits.v;
	char text[16] = "";
	const char *now;

	for (size_t i = 0; i < p->rlimits.n; i++) {
		const char *name = names_of(spec_rlimit_names, rl[i].type);
		struct rlimit have;

		if (getrlimit(rl[i].type, &have) || rl[i].hard <= have.rlim_max)
			continue;
		tell(k, POINTER(k, "/process/rlimits/%zu", i), k->c->found[PROBE_CAP_RESOURCE].verdict,
		     POINTER(k, "ask for at most %llu, or run with CAP_SYS_RESOURCE", (unsigned long long)have.rlim_max),
		     POINTER(k, "%s above this process's hard limit %llu", name ? name : "limit",
			     (unsigned long long)have.rlim_max));
	}
	now = probe_text(k->c, "/proc/self/oom_score_adj");
	snprintf(text, sizeof(text), "%d", p->oom_score_adj);
	if (p->has_oom_score_adj && now && p->oom_score_adj < strtol(now, NULL, 10))
		tell(k, "/process/oomScoreAdj", k->c->found[PROBE_CAP_RESOURCE].verdict,
		     POINTER(k, "ask for at least %s, or run with CAP_SYS_RESOURCE", now),
		     POINTER(k, "%s is below this process's own %s", text, now));
}

static void security(struct asks *k)
{
	const struct spec_process *p = k->s->process;
	const struct filter_spec *f = k->s->linux_->seccomp;
	bool notify = false;

	if (p && p->apparmor_profile && *p->apparmor_profile && strcmp(p->apparmor_profile, "unconfined"))
		need(k, "/process/apparmorProfile", PROBE_APPARMOR);
	if (p && p->selinux_label && *p->selinux_label)
		need(k, "/process/selinuxLabel", PROBE_SELINUX);
	if (k->s->linux_->mount_label && *k->s->linux_->mount_label)
		need(k, "/linux/mountLabel", PROBE_SELINUX);
	if (!f)
		return;
	need(k, "/linux/seccomp", PROBE_SECCOMP);
	for (size_t i = 0; i < f->syscalls.n; i++)
		notify |= ((const struct filter_rule *)f->syscalls.v)[i].action == FILTER_NOTIFY;
	if (notify || f->default_action == FILTER_NOTIFY || f->listener_path)
		need(k, "/linux/seccomp/syscalls", PROBE_SECCOMP_NOTIFY);
}

/* ---- resources ---- */

static void resources(struct asks *k)
{
	const struct cg_limits *l = k->s->linux_->resources;
	const char *at = "/linux/resources";

	if (!l)
		return;
	if (l->memory && (l->memory->has_limit || l->memory->has_reservation))
		need(k, POINTER(k, "%s/memory", at), PROBE_CG_MEMORY);
	if (l->memory && l->memory->has_swap)
		need(k, POINTER(k, "%s/memory/swap", at), PROBE_CG_SWAP);
	if (l->cpu && (l->cpu->has_shares || l->cpu->has_quota || l->cpu->has_period || l->cpu->has_burst ||
		       l->cpu->has_idle || l->cpu->has_rt_runtime || l->cpu->has_rt_period))
		need(k, POINTER(k, "%s/cpu", at), PROBE_CG_CPU);
	if (l->cpu && ((l->cpu->cpus && *l->cpu->cpus) || (l->cpu->mems && *l->cpu->mems)))
		need(k, POINTER(k, "%s/cpu/cpus", at), PROBE_CG_CPUSET);
	if (l->pids && l->pids->has_limit)
		need(k, POINTER(k, "%s/pids", at), PROBE_CG_PIDS);
	if (l->block_io)
		need(k, POINTER(k, "%s/blockIO", at), PROBE_CG_IO);
	if (l->hugepage_limits.n)
		need(k, POINTER(k, "%s/hugepageLimits", at), PROBE_CG_HUGETLB);
	if (l->has_devices && l->devices.n)
		need(k, POINTER(k, "%s/devices", at), PROBE_CG_DEVICES);
}

int probe_bundle(struct probe_ctx *c, const char *bundle, const char *config, struct err *e)
{
	auto_fd dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct asks k = { .c = c, .bundle = bundle, .bundlefd = dir, .rootfd = -1 };
	struct err why = { 0 };
	char text[ERR_TEXT_MAX];
	struct spec *s;

	if (dir < 0)
		return err_set(e, ERR_SPEC, -errno, bundle, "open the bundle");
	if (spec_load(config ? AT_FDCWD : dir, config ? config : "config.json", c->a, &s, c->log, &why)) {
		tell(&k, "config.json", CLEAT_MISSING, "correct it; \"cleat spec\" writes one to start from",
		     arena_strdup(c->a, err_render(&why, text, sizeof(text))));
		return k.r;
	}
	k.s = s;
	tell(&k, "config.json", CLEAT_OK, "", POINTER(&k, "valid, version %s", s->oci_version));
	root(&k);
	namespaces(&k);
	mounts(&k);
	if (s->process)
		limits(&k);
	security(&k);
	resources(&k);
	if (s->linux_->intel_rdt)
		need(&k, "/linux/intelRdt", PROBE_RESCTRL);
	if (s->hooks) {
		hooks(&k, "prestart", &s->hooks->prestart);
		hooks(&k, "createRuntime", &s->hooks->create_runtime);
		hooks(&k, "createContainer", &s->hooks->create_container);
		hooks(&k, "poststart", &s->hooks->poststart);
		hooks(&k, "poststop", &s->hooks->poststop);
	}
	fd_close(&k.rootfd);
	return k.r == -ENOMEM ? err_set(e, ERR_LIMIT, k.r, NULL, "check the bundle") : k.r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of create that place the container: where its cgroup is, who makes it, what it may use. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include "child.h"
#include "create.h"
#include "idmap.h"
#include "ops.h"
#include "rootfs.h"
#include "sync.h"
#include "text.h"

/* None is made and none is joined, wherever cgroupsPath leads: what needs one is refused. */
static int no_cgroups(struct host_ctx *c, struct err *e)
{
	const struct cg_limits *l = c->spec->linux_->resources;
	const char *needs = l ? cg_limits_needed(l) : NULL;

	if (needs)
		return err_set(e, ERR_SPEC, 0, needs, "needs a cgroup, and cgroups are disabled (--cgroup-manager)");
	log_warn(c->env->log, "devices are not filtered: cgroups are disabled");
	c->no_cg = true;
	c->cgroup = c->state.cgroup = "";
	return 0;
}

int host_cgroup_path(struct host_ctx *c, struct err *e)
{
	const char *wanted = c->spec->linux_->cgroups_path;
	char path[PATH_MAX];
	int r = op_cgroups(c->env, &c->host, c->arena, e);

	path[0] = 0;
	if (!r && c->env->no_cgroups)
		return no_cgroups(c, e);
	if (!r)
		r = op_unit(c->env, c->req->id, wanted, &c->host, c->arena, &c->unit, e);
	if (!r && c->unit.name)
		text_join(path, sizeof(path), c->unit.path);
	else if (!r && c->host.mode != CG_MODE_NONE)
		r = cg_path(&c->host, wanted, c->req->id, path, sizeof(path), e);
	if (r)
		return r;
	c->cgroup = arena_strdup(c->arena, path);
	return c->cgroup ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, "/linux/cgroupsPath", "cgroup path");
}

/* systemd moves init into a scope that it makes; what it tells of the place holds from then on. */
static int make_unit(struct host_ctx *c, struct err *e)
{
	char path[PATH_MAX];
	struct cg_unit_start s = {
		.unit = &c->unit, .host = &c->host, .pid = c->pid, .id = c->req->id,
		.limits = c->spec->linux_->resources, .annotations = &c->spec->annotations, .log = c->env->log,
	};
	int r;

	cg_unit_round(NULL, c->spec->linux_->resources);
	r = cg_unit_start(&s, path, sizeof(path), e);
	if (r)
		return r;
	c->has_unit = true;
	c->cgroup = c->state.cgroup = arena_strdup(c->arena, path);
	return c->cgroup ? cg_adopt(&c->cg, &c->host, c->cgroup, e) : err_set(e, ERR_LIMIT, -ENOMEM, path, "cgroup");
}

static int make_cgroup(struct host_ctx *c, struct err *e)
{
	static const struct cg_limits none;
	const struct cg_limits *l = c->spec->linux_->resources;
	int r;

	if (c->unit.name) {
		r = make_unit(c, e);
		/* There was no process to move any more: supervise tells why. */
		if (r && !c->has_unit && c->pidfd >= 0 && !child_pidfd_wait_ms(c->pidfd, 0)) {
			err_clear(e);
			return 0;
		}
	} else {
		/* A host without cgroups refuses each limit by name; without limits it is a host all the same. */
		r = cg_make(&c->cg, &c->host, c->cgroup, l ? l : &none, c->env->log, e);
		if (r && !rootless_no_cgroup(c->env, c->spec, c->state.own_pidns, e)) {
			c->no_cg = true;
			c->state.cgroup = c->cgroup = "";
			return 0;
		}
	}
	if (!r)
		c->has_cg = c->host.mode != CG_MODE_NONE;
	return r;
}

/* Without limits as well: devices start from "deny all". */
static int limit_cgroup(struct host_ctx *c, struct err *e)
{
	int r = cg_apply(&c->cg, c->spec->linux_->resources, false, c->env->log, e);

	return r ? rootless_no_filter(c->env, &c->cg, e) : 0;
}

int host_cgroup(struct host_ctx *c, struct err *e)
{
	int r = 0;

	if (c->unit.name || c->no_cg)
		return 0;	/* a scope is made of a process */
	if (c->host.mode == CG_MODE_V2 || c->host.mode == CG_MODE_NONE)
		r = make_cgroup(c, e);
	return !r && c->host.mode == CG_MODE_NONE ? limit_cgroup(c, e) : r;
}

/* Is a read-write cgroup file system asked for at /sys/fs/cgroup? */
static bool mounts_cgroup_rw(const struct spec *s)
{
	const struct spec_mount *m = s->mounts.v;
	size_t i, k;

	for (i = 0; i < s->mounts.n; i++) {
		bool ro = false;

		if (!m[i].type || (strcmp(m[i].type, "cgroup") && strcmp(m[i].type, "cgroup2")) ||
		    strcmp(m[i].destination, "/sys/fs/cgroup"))
			continue;
		for (k = 0; k < m[i].options.n; k++)
			ro |= !strcmp(m[i].options.v[k], "ro") || !strcmp(m[i].options.v[k], "rro");
		return !ro;
	}
	return false;
}

int host_delegate(struct host_ctx *c, struct err *e)
{
	const struct spec_linux *l = c->spec->linux_;
	uint32_t uid = c->process.uid;
	struct idmap *uids;
	int r;

	if (!c->has_cg || c->host.mode != CG_MODE_V2 || !c->new_cgroupns || !mounts_cgroup_rw(c->spec))
		return 0;
	if (c->new_ns & CLONE_NEWUSER) {
		if (rootfs_idmap_array(&l->uid_mappings, c->arena, &uids))
			return err_set(e, ERR_LIMIT, -ENOMEM, "/linux/uidMappings", "maps");
		if (idmap_to_host(uids, l->uid_mappings.n, c->process.uid, &uid))
			return 0;	/* setuid will say so */
	}
	r = uid == c->euid ? 0 : cg_delegate(&c->cg, uid, e);
	if (!r || !c->euid || e->kind != ERR_DENIED)
		return r;
	err_clear(e);	/* an ordinary user gives nothing away */
	return 0;
}

void host_cgroup_undo(struct host_ctx *c)
{
	struct err ignored = { 0 }, why = { 0 };

	/* Anew, for it is open as far as it was needed. */
	if (c->has_cg) {
		cg_close(&c->cg);
		if (!cg_open(&c->cg, &c->host, c->cgroup, &ignored))
			cg_kill(&c->cg, SIGKILL, &ignored);
		err_clear(&ignored);
		cg_close(&c->cg);
	}
	if (c->has_unit)
		cg_unit_stop(c->unit.name, c->unit.user, c->env->log, &why);
	if ((c->has_cg || c->has_unit) && !cg_unit_keeps(&c->host, &why))
		cg_remove(&c->host, c->cgroup, &ignored);
	c->has_cg = c->has_unit = false;
}

/* v1: init enters by itself, through these files. */
static int open_tasks(struct host_ctx *c, int *fds, size_t *n, struct err *e)
{
	int r = cg_enter_prepare(&c->cg, e);
	size_t i;

	for (i = 0; !r && i < CG_HIERARCHIES_MAX; i++)
		if (c->cg.enterfd[i] >= 0)
			fds[(*n)++] = c->cg.enterfd[i];
	return r;
}

int host_placement(struct host_ctx *c, struct err *e)
{
	const bool v2 = c->host.mode == CG_MODE_V2;
	int fds[CG_HIERARCHIES_MAX], r = 0;
	size_t n = 0;

	if (c->cloned_in || c->host.mode == CG_MODE_NONE || c->no_cg)
		return 0;
	if (!v2 || c->unit.name) {
		r = make_cgroup(c, e);
		if (r)
			return r;
		if (c->no_cg)
			return host_answer(c, SYNC_GO, NULL, 0, e);
		if (!c->has_cg)
			return 0;
	}
	/* Before init enters: v1 refuses a memory limit below what is in use. */
	if (!v2)
		r = limit_cgroup(c, e);
	if (!r && c->unit.name)
		r = host_delegate(c, e);
	if (!r && !v2)
		r = open_tasks(c, fds, &n, e);
	else if (!r && (!c->unit.name || c->unit.slice_unit))
		r = cg_enter_pid(&c->cg, c->pid, e);	/* into a scope systemd has moved it */
	return r ? r : host_answer(c, SYNC_CGROUP, fds, n, e);
}

int host_limits(struct host_ctx *c, struct err *e)
{
	return c->host.mode == CG_MODE_V2 && c->has_cg ? limit_cgroup(c, e) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec: a further process in a running container. Reads the template, not the bundle. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "caps.h"
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "label.h"
#include "launch.h"
#include "num.h"
#include "ops.h"
#include "pathfs.h"
#include "steps.h"
#include "sync.h"
#include "template.h"
#include "trace.h"

struct exec_ctx {
	const struct cleat_env *env;
	const struct cleat_exec *req;
	struct container *c;
	struct template t;
	struct process p;
	struct cg cg;
	bool has_cg;
	bool beside;		/* in init's own sub-cgroup */
	int pidfd;		/* init's */
	struct join_set join;
	bool by_pidfd;
	bool enter_self;	/* the process enters by itself (v1) */
	bool entered;		/* in the new process: a mid child has done so */
	int sock, child_sock;
};

/* "UID[:GID]", the whole string (CVE-2026-30892). */
static int parse_user(const char *user, struct process *p, struct err *e)
{
	const char *colon = strchr(user, ':');
	char uid[16];
	size_t n = colon ? (size_t)(colon - user) : strlen(user);
	uint32_t u, g = p->gid;

	if (n < sizeof(uid)) {
		memcpy(uid, user, n);
		uid[n] = 0;
		if (!num_u32(uid, &u) && u != UINT32_MAX &&
		    (!colon || (!num_u32(colon + 1, &g) && g != UINT32_MAX))) {
			p->uid = u;
			p->gid = g;
			return 0;
		}
	}
	return err_set(e, ERR_SPEC, -EINVAL, "--user", "\"%s\" is not UID or UID:GID", user);
}

/* The container's own process with what the caller lays over it. */
static int overlay(struct exec_ctx *x, struct err *e)
{
	const struct cleat_exec *q = x->req;
	struct process *p = &x->p;
	const struct strv names = { (const char **)(uintptr_t)q->caps, q->n_caps };
	uint64_t more = 0;
	size_t i;
	int r = 0;

	*p = x->t.process;
	p->terminal = false;
	p->rows = p->columns = 0;
	if (q->n_args) {
		p->args.v = (const char **)(uintptr_t)q->args;
		p->args.n = q->n_args;
	}
	if (q->cwd)
		p->cwd = q->cwd;
	for (i = 0; i < q->n_env; i++)
		if (!strchr(q->env_add[i], '=') || q->env_add[i][0] == '=')
			return err_set(e, ERR_SPEC, -EINVAL, "--env", "\"%s\" is not NAME=VALUE", q->env_add[i]);
	if (process_env_append(p, q->env_add, q->n_env, &x->c->arena))
		return err_set(e, ERR_LIMIT, -ENOMEM, "--env", "environment");
	if (q->user)
		r = parse_user(q->user, p, e);
	if (!r && q->n_gids) {
		p->gids.v = (uint32_t *)(uintptr_t)q->additional_gids;
		p->gids.n = q->n_gids;
	}
	if (!r)
		r = label_check_apparmor(q->apparmor, "--apparmor", e);
	if (!r)
		r = label_check_selinux(q->process_label, "--process-label", e);
	if (q->apparmor && q->apparmor[0])
		p->apparmor = q->apparmor;
	if (q->process_label && q->process_label[0])
		p->selinux = q->process_label;
	if (q->no_new_privs == 1)
		p->no_new_privileges = true;
	if (!r && q->n_caps) {
		more = caps_parse(&names, x->env->log);
		p->caps[CAP_SET_BOUNDING] |= more;
		p->caps[CAP_SET_EFFECTIVE] |= more;
		p->caps[CAP_SET_PERMITTED] |= more;
		/* Never inheritable (CVE-2022-29162); ambient only where the spec has it inheritable. */
		p->caps[CAP_SET_AMBIENT] |= more & p->caps[CAP_SET_INHERITABLE];
	}
	if (!r && (p->cwd[0] != '/'))
		r = err_set(e, ERR_SPEC, -EINVAL, "/process/cwd", "\"%s\" is not an absolute path", p->cwd);
	return r;
}

static int from_document(struct exec_ctx *x, struct err *e)
{
	struct spec_process *sp;
	int r = spec_process_parse(x->req->process_json, x->req->process_len, &x->c->arena, &sp, x->env->log, e);

	if (!r)
		r = process_from_spec(sp, &x->t.process.filter, &x->c->arena, &x->p, "", x->env->log, e);
	if (r)
		return r;
	/* A document without capabilities leaves the container's own. */
	if (!sp->capabilities)
		memcpy(x->p.caps, x->t.process.caps, sizeof(x->p.caps));
	if (!x->p.has_umask) {
		x->p.umask = x->t.process.umask;
		x->p.has_umask = x->t.process.has_umask;
	}
	tune_inherit(&x->p.tune, &x->t.process.tune);
	x->p.listener_path = x->t.process.listener_path;
	x->p.listener_metadata = x->t.process.listener_metadata;
	if (!x->p.apparmor)
		x->p.apparmor = x->t.process.apparmor;
	if (!x->p.selinux)
		x->p.selinux = x->t.process.selinux;
	return 0;
}

/* Namespace files of init: for kernels below 5.8, and to check what we join. */
static int open_namespaces(struct exec_ctx *x, struct err *e)
{
	int i, r;

	for (i = 0; i < JOIN_KINDS; i++) {
		char path[48];

		if (!(x->t.namespaces & (uint64_t)join_kinds[i].flag))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", x->c->state.pid, join_kinds[i].file);
		r = join_open(path, join_kinds[i].flag, NULL, e);
		if (r < 0)
			return r;
		x->join.fd[i] = r;
	}
	/* The pid may have been used again before the files were opened. */
	return store_status(&x->c->store, &x->c->state, x->c->procfd, NULL) == CLEAT_STOPPED ?
		container_not_running(x->c->state.id, e) : 0;
}

static struct join_ctx join_ctx(struct exec_ctx *x)
{
	return (struct join_ctx){
		.join = x->join, .pidfd = x->by_pidfd ? x->pidfd : -1, .sock_too = -1,
		.cg = x->enter_self ? &x->cg : NULL, .keyring = x->t.keyring,
		.userns = x->t.namespaces & CLONE_NEWUSER,
		.seal = {
			.p = &x->p, .sock = x->child_sock, .fifo = -1, .bare_newlines = x->req->foreground_console,
			/* Out of reach for those who are in a user namespace; see label_procfs() for the others. */
			.procfd = (x->p.apparmor || x->p.selinux) && (x->t.namespaces & CLONE_NEWUSER) ?
				  x->c->procfd : -1,
			.stdio = { x->req->stdio.in, x->req->stdio.out, x->req->stdio.err },
			.preserve_fds = x->req->preserve_fds,
			/* With a list of CPUs: once the worker has put it into its cgroup; so with a resctrl group. */
			.limits = x->p.has_oom_score_adj || x->c->state.rdt.name || tune_outside(&x->p.tune) ||
				  (x->p.tune.n.set & TUNE_AFFINITY) ||
				  ((x->t.namespaces & CLONE_NEWUSER) && x->p.rlimits.n),
		},
	};
}

/* In the mid child. */
static int enter_first(void *arg, int fd, struct err *e)
{
	struct exec_ctx *x = arg;
	struct join_ctx j = join_ctx(x);
	int r;

	j.sock_too = fd;
	r = join_enter_first(&j, e);
	x->entered = true;
	return r;
}

/* In the new process. */
static void child(void *arg, int left)
{
	struct exec_ctx *x = arg;
	struct join_ctx j = join_ctx(x);

	j.left = left;
	j.entered = x->entered;
	if (x->entered) {	/* mid closed these; the numbers may be others' by now */
		struct join_set none = JOIN_SET_INIT;

		j.join = none;
		j.pidfd = -1;
		j.cg = NULL;
	}
	join_main(&j);
}

static pid_t try_launch(struct exec_ctx *x, int cgroup_fd, int *pidfd, struct err *e)
{
	struct launch l = {
		.join = x->join, .pidfd = x->by_pidfd ? x->pidfd : -1, .pidfd_flags = (int)x->t.namespaces,
		.parent = x->env->parent_clone, .cgroup_fd = cgroup_fd, .unprivileged = geteuid() != 0,
		.sock = x->sock, .child_sock = x->child_sock,
		.enter = enter_first, .child = child, .arg = x,
	};

	return launch(&l, pidfd, e);
}

/* The container's cgroup takes no processes: is init in one below it? Once, and not if a place was asked for. */
static bool go_beside(struct exec_ctx *x)
{
	if (x->beside || x->req->n_cgroups)
		return false;
	x->beside = !cg_enter_beside(&x->cg, x->c->state.pid);
	return x->beside;
}

/* Clone into the cgroup and by pidfd where the kernel can; else by cgroup.procs and by namespace files. */
static pid_t start_process(struct exec_ctx *x, int *pidfd, bool *placed, struct err *e)
{
	int cgfd = x->has_cg ? cg_enter_fd(&x->cg) : -1;
	pid_t r;
	int q;

	if (cgfd < 0)
		cgfd = -1;
	x->enter_self = x->has_cg && cgfd < 0;
	if (x->enter_self && (q = cg_enter_prepare(&x->cg, e)))
		return q;
	for (;;) {
		*placed = cgfd >= 0 || x->enter_self;
		r = try_launch(x, cgfd, pidfd, e);
		if (r == -EBUSY && cgfd >= 0 && go_beside(x)) {
			err_clear(e);
			cgfd = cg_enter_fd(&x->cg);
			continue;
		}
		if (e->kind != ERR_NONE || r > 0)
			return r;
		if (r == -EOPNOTSUPP && cgfd >= 0) {
			cgfd = -1;
		} else if (r == -EINVAL && x->by_pidfd) {
			x->by_pidfd = false;
			q = open_namespaces(x, e);
			if (q)
				return q;
		} else {
			return err_set(e, ERR_KERNEL, r, NULL, "clone the process");
		}
	}
}

static int place(struct exec_ctx *x, pid_t pid, struct err *e)
{
	int r = x->has_cg ? cg_enter_pid(&x->cg, pid, e) : 0;

	if ((r != -EBUSY && r != -EOPNOTSUPP) || !go_beside(x))
		return r;
	err_clear(e);
	return cg_enter_pid(&x->cg, pid, e);
}

static int run(struct exec_ctx *x, struct cleat_process *out, struct err *e)
{
	struct supervise s = {
		.log = x->env->log, .procfd = x->c->procfd, .p = &x->p, .console = -1, .pidfd = -1,
		.state = &x->c->state, .status = CLEAT_RUNNING,
	};
	struct tune_mask cpus;
	bool placed = false;
	int sv[2], oom, r = fdio_socketpair(sv);

	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "socketpair");
	x->sock = s.sock = sv[0];
	x->child_sock = sv[1];
	r = tune_affinity_begin(&x->p.tune, &cpus, e);
	rootless_oom_inherit(x->c->procfd, &x->p, &oom);
	s.pid = r ? r : trace_call(STAGE_HOST, "exec-launch", start_process(x, &s.pidfd, &placed, e));
	rootless_oom_restore(x->c->procfd, oom);
	if (!r)
		tune_affinity_end(&x->p.tune, &cpus);
	fd_close(&x->child_sock);
	r = s.pid < 0 ? s.pid : 0;
	if (!r && x->env->on_process && (r = x->env->on_process(x->env->arg, s.pid, s.pidfd)))
		err_set(e, ERR_PEER, r, NULL, "report the process");
	if (!r && !placed)
		r = place(x, s.pid, e);
	if (!r)
		r = op_rdt_enter(&x->c->state.rdt, x->req->id, s.pid, e);
	if (!r)
		r = trace_call(STAGE_HOST, "exec-supervise", supervise_until_ready(&s, e));
	if (!r && x->env->idle_close)
		fd_close(x->env->idle_close);
	if (!r)
		r = trace_call(STAGE_HOST, "exec-run", supervise_until_exec(&s, e));
	trace_settle();
	fd_close(&x->sock);
	if (!r) {
		log_debug(x->env->log, "exec in %s: process %d runs \"%s\"", x->req->id, (int)s.pid, x->p.args.v[0]);
		*out = (struct cleat_process){
			.pid = s.pid, .pidfd = s.pidfd, .console = s.console, .oom = { .event = -1, .source = -1 },
		};
		return 0;
	}
	err_set(e, ERR_PEER, r, NULL, "the process died while it was being set up");
	if (s.pid > 0) {
		child_pidfd_signal(s.pidfd, s.pid, SIGKILL);
		op_reap(x->env, s.pid, s.pidfd);
	}
	fd_close(&s.pidfd);
	fd_close(&s.console);
	return r;
}

static int prepare(struct exec_ctx *x, struct err *e)
{
	struct container *c = x->c;
	int r;

	if (c->status == CLEAT_STOPPED || c->status == CLEAT_CREATING)
		return err_set(e, ERR_STATE, 0, c->state.id, "cannot exec in a stopped container");
	if (c->status == CLEAT_PAUSED && !x->req->ignore_paused)
		return err_set(e, ERR_STATE, 0, c->state.id,
			       "cannot exec in a paused container (use --ignore-paused to override)");
	r = template_load(c->store.dirfd, &c->arena, &x->t, e);
	if (!r)
		r = x->req->process_json ? from_document(x, e) : overlay(x, e);
	if (r)
		return r;
	if (x->req->terminal >= 0)
		x->p.terminal = x->req->terminal;
	if (x->req->rows || x->req->columns) {
		x->p.rows = x->req->rows;
		x->p.columns = x->req->columns;
	}
	/*
	 * Without a pid namespace to visit, only the new process would learn that this kernel (below 5.8)
	 * cannot join by pidfd, when it is too late to open anything.
	 */
	x->by_pidfd = x->pidfd >= 0 && (x->t.namespaces & CLONE_NEWPID);
	return x->by_pidfd ? 0 : open_namespaces(x, e);
}

static int open_subcgroups(struct exec_ctx *x, struct err *e)
{
	if (!x->req->n_cgroups)
		return 0;
	if (!x->has_cg)
		return err_set(e, ERR_SPEC, 0, "--cgroup", "the container has no cgroup");
	return cg_enter_below(&x->cg, x->req->cgroups, x->req->n_cgroups, e);
}

int cleat_exec(const struct cleat_env *env, const struct cleat_exec *req, struct cleat_process *out, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	struct exec_ctx x = {
		.env = env, .req = req, .c = &c, .pidfd = -1, .join = JOIN_SET_INIT,
		.sock = -1, .child_sock = -1,
	};
	/* Shared: execs run side by side, none runs beside a start, a pause or a delete. */
	int r = trace_call(STAGE_HOST, "exec-open", container_open_pidfd(&c, env, req->id, STORE_SHARED, &x.pidfd, e));

	if (!r)
		r = trace_call(STAGE_HOST, "exec-prepare", prepare(&x, e));
	if (!r && c.state.cgroup[0]) {
		r = trace_call(STAGE_HOST, "exec-cgroup",
			       req->n_cgroups ? container_cgroup(&c, &x.cg, e) : container_enter(&c, &x.cg, e));
		x.has_cg = !r;
	}
	if (!r)
		r = open_subcgroups(&x, e);
	/* The process freezes as soon as it is in the cgroup: whoever is to thaw it must not wait for us. */
	if (!r && c.status == CLEAT_PAUSED)
		store_unlock(&c.store);
	if (!r)
		r = run(&x, out, e);
	if (x.has_cg)
		cg_close(&x.cg);
	fd_close(&x.pidfd);
	join_close(&x.join);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runs in workers: calls of the engine with what the request said. The
 * memory is the server's as it was at the fork; nothing here may be meant to
 * reach the server but through the answer.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bundle.h"
#include "fd.h"
#include "op.h"
#include "runc.pb-c.h"
#include "sproc.h"
#include "task.pb-c.h"

struct job {
	struct work_side *side;
	const struct op *op;
	int pid_file;	/* why init.pid could not be written */
};

/* The engine made a process: first of all the server must know. */
static int tell_process(void *arg, pid_t pid, int pidfd)
{
	struct job *j = arg;
	const struct proc *p = j->op->proc;
	int r = work_send_process(j->side, pid, pidfd);

	if (r)
		return r;
	r = bundle_write_pid(j->op->ctr->bundle, p->id, pid);
	if (!proc_is_init(p))
		return 0;
	/* Without init.pid the delete action could not say whose exit it reports. */
	j->pid_file = r;
	return r;
}

static struct cleat_env env_of(const struct op *op, struct job *j)
{
	return (struct cleat_env){
		.root = op->ctr->root, .log = j->side->log, .parent_clone = true,
		.rootless = -1, .systemd_cgroup = op->ctr->systemd_cgroup, .cgroups = op->ctr->srv->cgroups,
		.on_process = tell_process, .arg = j,
	};
}

/* A caller that gives up has this worker killed, and then nobody else knows of the program. */
static void tell_logger(void *arg, pid_t pid, int pidfd)
{
	struct job *j = arg;

	work_send_logger(j->side, pid, pidfd);
}

static int open_stdio(struct job *j, struct sio_ends *ends, struct err *e)
{
	const struct proc *p = j->op->proc;
	struct sio_request req = {
		.in = p->in, .out = p->out, .err = p->err, .terminal = p->terminal,
		.id = proc_is_init(p) ? p->ctr->id : p->id, .ns = p->ctr->srv->ns,
		.log = j->side->log, .born = tell_logger, .arg = j,
	};
	const struct ctr *c = p->ctr;
	int r = sio_open(&req, ends, e);

	if (r < 0)
		return r;
	if (!c->has_io_owner)
		return 0;
	r = sio_own(ends, c->io_uid, c->io_gid);
	if (!r)
		return 0;
	sio_close(ends);
	return err_set(e, ERR_KERNEL, r, NULL, "give the standard streams to %u:%u", c->io_uid, c->io_gid);
}

/* Lay what was made out for the answer; it is sent and then closed by exiting. */
static void hand_over(struct work_side *side, const struct sio_ends *ends,
		      const struct cleat_process *p)
{
	side->fd[WF_CONSOLE] = p->console;
	side->fd[WF_OOM_EVENT] = p->oom.event;
	side->fd[WF_OOM_SOURCE] = p->oom.source;
	for (int i = 0; i < 3; i++) {
		int *fd = &side->fd[WF_STREAMS + 3 * i];

		fd[0] = ends->stream[i].src;
		fd[1] = ends->stream[i].dst;
		fd[2] = ends->stream[i].keep;
		side->res.src_kind[i] = ends->stream[i].src_kind;
		side->res.dst_kind[i] = ends->stream[i].dst_kind;
	}
	side->res.own_pidns = p->own_pidns;
	side->res.poststart = p->poststart;
	side->res.watch_v2 = p->oom.v2;
	side->res.watch_seen = p->oom.seen;
}

static struct cleat_stdio stdio_of(const struct sio_ends *ends)
{
	return (struct cleat_stdio){ ends->process[0], ends->process[1], ends->process[2] };
}

int job_create(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	const struct ctr *c = op->ctr;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	struct sio_ends ends = SIO_ENDS_INIT;
	struct cleat_process p = CLEAT_PROCESS_INIT;
	struct cleat_create req = {
		.id = c->id, .bundle = c->bundle, .no_pivot = op->options.no_pivot_root,
		.no_new_keyring = op->options.no_new_keyring, .terminal = c->init.terminal,
		.detached_console = true, .watch_oom = true,
	};
	int r = mounts_make(c->bundle, op->mounts, op->n_mounts, e);

	if (r < 0)
		return r;
	if (op->options.root[0])
		r = bundle_write_root(c->bundle, c->root);
	if (r < 0)
		err_set(e, ERR_KERNEL, r, c->bundle, "write cleat.root");
	if (!r)
		r = open_stdio(&j, &ends, e);
	if (!r) {
		req.stdio = stdio_of(&ends);
		r = cleat_create(&env, &req, &p, e);
	}
	if (j.pid_file) {
		err_clear(e);
		err_set(e, ERR_KERNEL, j.pid_file, c->bundle, "write init.pid");
	}
	if (r < 0) {
		sio_close(&ends);
		mounts_undo(c->bundle, true, NULL);
		bundle_remove_pid(c->bundle, "");
		return r;
	}
	/* It waits at the gate. */
	if (!c->has_io_owner)
		sio_own_as(&ends, p.pid);
	hand_over(side, &ends, &p);
	return 0;
}

/* Everything that a create may have left, whoever died in the middle of it. */
static int undo_create(struct work_side *side, const struct op *op, struct err *e)
{
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	int r = cleat_delete(&env, op->ctr->id, true, e);
	int u = mounts_undo(op->ctr->bundle, true, e);

	bundle_remove_pid(op->ctr->bundle, "");
	return r < 0 ? r : u;
}

void job_create_undo(struct work_side *side, const void *arg)
{
	undo_create(side, arg, NULL);
}

int job_undo(struct work_side *side, const void *arg, struct err *e)
{
	return undo_create(side, arg, e);
}

int job_start(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);

	return cleat_start(&env, op->ctr->id, e);
}

int job_exec(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	struct sio_ends ends = SIO_ENDS_INIT;
	struct cleat_process p = CLEAT_PROCESS_INIT;
	struct cleat_exec req = {
		.id = op->ctr->id, .process_json = op->proc->spec,
		.process_len = op->proc->spec_len, .no_new_privs = -1,
		.terminal = op->proc->terminal, .rows = op->proc->height, .columns = op->proc->width,
	};
	int r = open_stdio(&j, &ends, e);

	if (r < 0)
		return r;
	if (!op->ctr->has_io_owner)
		sio_own_in_userns(&ends, op->ctr->init.pid);
	req.stdio = stdio_of(&ends);
	r = cleat_exec(&env, &req, &p, e);
	if (r < 0) {
		sio_close(&ends);
		bundle_remove_pid(op->ctr->bundle, op->proc->id);
		return r;
	}
	hand_over(side, &ends, &p);
	return 0;
}

int job_delete(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	int r = cleat_delete(&env, op->ctr->id, true, e);

	return r < 0 ? r : mounts_undo(op->ctr->bundle, false, e);
}

int job_kill(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	pid_t *pids = NULL;
	size_t n = 0;
	int r;

	/* After init's end only what it left behind can be meant. */
	if (op->ctr->init.reaped && op->all) {
		r = cleat_pids(&env, op->ctr->id, &pids, &n, e);
		free(pids);
		if (r < 0 || !n)
			return r < 0 ? r : err_set(e, ERR_NOT_FOUND, -ESRCH, op->ctr->id,
						   "no process is left");
	}
	return cleat_kill(&env, op->ctr->id, op->signal, op->all, e);
}

int job_pause(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);

	return cleat_pause(&env, op->ctr->id, e);
}

int job_resume(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);

	return cleat_resume(&env, op->ctr->id, e);
}

int job_update(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);

	return cleat_update(&env, op->ctr->id, op->json, op->json_len, e);
}

/* Exec id of a running exec's process, or NULL. */
static const char *exec_of(const struct ctr *c, pid_t pid)
{
	for (const struct proc *p = c->execs; p; p = p->next)
		if (p->pid == pid && !p->reaped)
			return p->id;
	return NULL;
}

static int pack_pids(const struct ctr *c, const pid_t *pids, size_t n, struct buf *b)
{
	Cleat__Task__PidsResponse res = CLEAT__TASK__PIDS_RESPONSE__INIT;
	auto_arena a = ARENA_INIT;
	Cleat__Task__ProcessInfo **list = arena_alloc(&a, (n + 1) * sizeof(*list));

	for (size_t i = 0; list && i < n; i++) {
		const char *id = exec_of(c, pids[i]);

		list[i] = arena_new(&a, Cleat__Task__ProcessInfo);
		if (!list[i])
			return -ENOMEM;
		*list[i] = (Cleat__Task__ProcessInfo)CLEAT__TASK__PROCESS_INFO__INIT;
		list[i]->pid = (uint32_t)pids[i];
		if (id) {
			Containerd__Runc__V1__ProcessDetails d =
				CONTAINERD__RUNC__V1__PROCESS_DETAILS__INIT;
			Google__Protobuf__Any *any = arena_new(&a, Google__Protobuf__Any);

			d.exec_id = msg_set(id);
			if (!any || any_set(&a, any, &d))
				return -ENOMEM;
			list[i]->info = any;
		}
	}
	res.processes = list;
	res.n_processes = n;
	msg_pack(b, &res);
	return list && buf_ok(b) ? 0 : -ENOMEM;
}

/*
 * What the server knows by itself: init, and the execs that run. A rootless container may have no
 * cgroup to ask. And containerd, when it starts, takes a task without processes for the remains of
 * a failed Create, and deletes it unasked; one that has ended while it was away still has its exit
 * to tell, so init stays listed until it is deleted.
 */
static int pack_known(const struct ctr *c, struct buf *b)
{
	size_t n = 1;
	pid_t *pids;
	int r;

	for (const struct proc *p = c->execs; p; p = p->next)
		n++;
	pids = calloc(n, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	n = 0;
	pids[n++] = c->init.pid;
	for (const struct proc *p = c->execs; p; p = p->next)
		if (p->pid > 0 && !p->reaped)
			pids[n++] = p->pid;
	r = pack_pids(c, pids, n, b);
	free(pids);
	return r;
}

int job_pids(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	auto_buf b = BUF_INIT;
	pid_t *pids = NULL;
	size_t n = 0;
	int r = cleat_pids(&env, op->ctr->id, &pids, &n, e);

	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	err_clear(e);
	r = n ? pack_pids(op->ctr, pids, n, &b) : pack_known(op->ctr, &b);
	free(pids);
	if (!r)
		r = work_send_data(side, b.data, b.len);
	return r < 0 ? err_set(e, ERR_LIMIT, r, op->ctr->id, "send list of processes") : 0;
}

int job_stats(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	auto_arena a = ARENA_INIT;
	auto_buf b = BUF_INIT;
	struct cg_stats *s = arena_new(&a, struct cg_stats);
	struct cg_detail d;
	struct metrics m = { .stats = s, .detail = &d };
	int r;

	if (!s)
		return err_set(e, ERR_LIMIT, -ENOMEM, op->ctr->id, "read the statistics");
	r = cleat_stats(&env, op->ctr->id, CG_FOR_METRICS, s, &d, &m.net, &a, e);
	if (r)
		return r;
	r = metrics_pack(&m, &b);
	if (!r)
		r = work_send_data(side, b.data, b.len);
	return r < 0 ? err_set(e, ERR_LIMIT, r, op->ctr->id, "send statistics") : 0;
}

/* Nobody has passed the gate; a frozen container does not show that by its status. */
static bool at_gate(const struct ctr *c)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s/exec.fifo", c->root, c->id);

	return n > 0 && (size_t)n < sizeof(path) && !lstat(path, &st);
}

int job_look(struct work_side *side, const void *arg, struct err *e)
{
	const struct op *op = arg;
	struct job j = { side, op, 0 };
	struct cleat_env env = env_of(op, &j);
	struct cleat_state st;
	auto_arena a = ARENA_INIT;
	char status;
	int r = cleat_state(&env, op->ctr->id, &st, &a, e);

	if (r < 0)
		return r;
	status = (char)st.status;
	if (status == CLEAT_PAUSED && at_gate(op->ctr))
		status = CLEAT_CREATED;
	r = work_send_data(side, &status, 1);
	return r < 0 ? err_set(e, ERR_LIMIT, r, op->ctr->id, "send state") : 0;
}

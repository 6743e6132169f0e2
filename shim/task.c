/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The methods of the task service (contract shim 4): each takes its request
 * apart, answers at once when it can, and else makes an operation of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bundle.h"
#include "ctr.h"
#include "events.pb-c.h"
#include "op.h"
#include "sproc.h"
#include "task.pb-c.h"

static struct server *server_of(const struct rpc_call *c)
{
	return c->server->owner;
}

static struct ctr *container(const struct rpc_call *call, const ProtobufCBinaryData *id)
{
	struct ctr *c = ctr_find(server_of(call), msg_str(id));

	if (c && c->init.state != PROC_CREATING)
		return c;
	rpc_reply_status(call->server, call->token, RPC_NOT_FOUND, TEXT_NO_CONTAINER);
	return NULL;
}

static struct proc *process(const struct rpc_call *call, const ProtobufCBinaryData *id,
			    const ProtobufCBinaryData *exec_id)
{
	struct ctr *c = container(call, id);
	struct proc *p = c ? ctr_proc(c, msg_str(exec_id)) : NULL;

	if (c && !p)
		rpc_reply_status(call->server, call->token, RPC_NOT_FOUND, TEXT_NO_PROCESS,
				 msg_str(exec_id));
	return p;
}

/* Ask the table; a refusal is answered. */
static bool allowed(const struct rpc_call *call, const struct proc *p, enum proc_op op)
{
	const struct verdict *v = proc_verdict(p, op);

	if (v->code == RPC_OK)
		return true;
	rpc_reply_status(call->server, call->token, (enum rpc_code)v->code, "%s", v->text);
	return false;
}

/* ---- create, exec ---------------------------------------------------------------- */

static int copy_mounts(struct op *op, const Cleat__Task__CreateTaskRequest *q)
{
	struct task_mount *list = arena_alloc(&op->arena, (q->n_rootfs + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < q->n_rootfs; i++) {
		const Containerd__Types__Mount *m = q->rootfs[i];
		const char **words = arena_alloc(&op->arena, (m->n_options + 1) * sizeof(*words));

		if (!words)
			return -ENOMEM;
		for (size_t k = 0; k < m->n_options; k++)
			words[k] = msg_str(&m->options[k]);
		list[i] = (struct task_mount){
			.type = msg_str(&m->type), .source = msg_str(&m->source),
			.target = msg_str(&m->target), .options = { words, m->n_options },
		};
	}
	op->mounts = list;
	op->n_mounts = q->n_rootfs;
	return 0;
}

/* What can be said against a Create before anything is made. */
static int check_create(const struct rpc_call *call, const Cleat__Task__CreateTaskRequest *q,
			struct shim_options *o, struct err *e)
{
	struct server *srv = server_of(call);
	const char *id = msg_str(&q->id);
	int r = cleat_id_check(id, e);

	if (r < 0)
		return r;
	if (srv->stopping)
		return err_set(e, ERR_STATE, 0, id, "the shim is shutting down");
	if (ctr_find(srv, id))
		return err_set(e, ERR_EXISTS, 0, id, "container already exists");
	if (msg_str(&q->bundle)[0] != '/')
		return err_set(e, ERR_SPEC, 0, msg_str(&q->bundle), "bundle is not an absolute path");
	if (q->checkpoint.len)
		return err_set(e, ERR_UNSUPPORTED, 0, msg_str(&q->checkpoint),
			       "restoring a checkpoint is not supported");
	if (!q->options)
		return 0;
	return options_any(msg_str(&q->options->type_url), q->options->value.data,
			   q->options->value.len, o, call->arena, &srv->log.log, e);
}

static void create(struct rpc_call *call, const void *req)
{
	const Cleat__Task__CreateTaskRequest *q = req;
	struct shim_options o = SHIM_OPTIONS_INIT;
	struct server *srv = server_of(call);
	const char *id = msg_str(&q->id);
	struct err e = { 0 };
	char root[4096];
	struct ctr *c;
	struct op *op;

	if (check_create(call, q, &o, &e) ||
	    (bundle_root(o.root, srv->ns, root, sizeof(root)) &&
	     err_set(&e, ERR_SPEC, -ENAMETOOLONG, o.root, "state root"))) {
		rpc_reply_err(call->server, call->token, &e);
		return;
	}
	c = ctr_new(srv, id, msg_str(&q->bundle), root);
	if (!c || proc_init(&c->init, c, "", q->terminal, msg_str(&q->stdin),
			    msg_str(&q->stdout), msg_str(&q->stderr))) {
		rpc_reply_status(call->server, call->token, RPC_RESOURCE_EXHAUSTED, "out of memory");
		if (c)
			ctr_forget(c);
		return;
	}
	c->systemd_cgroup = o.systemd_cgroup;
	c->io_uid = o.io_uid;
	c->io_gid = o.io_gid;
	c->has_io_owner = o.io_uid || o.io_gid;
	server_check_idle(srv);
	op = op_new(c, &c->init, call, "create");
	if (!op) {
		ctr_forget(c);
		return;
	}
	op->options = o;
	if (copy_mounts(op, q)) {
		rpc_reply_status(&srv->rpc, op->token, RPC_RESOURCE_EXHAUSTED, "out of memory");
		ctr_forget(c);
		op_end(op);
		return;
	}
	op_create(op, call->timeout_nano);
}

static void exec(struct rpc_call *call, const void *req)
{
	const Cleat__Task__ExecProcessRequest *q = req;
	Containerd__Events__TaskExecAdded ev = CONTAINERD__EVENTS__TASK_EXEC_ADDED__INIT;
	struct ctr *c = container(call, &q->id);
	const char *id = msg_str(&q->exec_id);
	struct err e = { 0 };
	struct proc *p;

	if (!c)
		return;
	if (cleat_id_check(id, &e)) {
		rpc_reply_err(call->server, call->token, &e);
		return;
	}
	if (ctr_proc(c, id)) {
		rpc_reply_status(call->server, call->token, RPC_ALREADY_EXISTS,
				 "id %s: already exists", id);
		return;
	}
	if (!allowed(call, &c->init, OP_EXEC))
		return;
	p = q->spec && q->spec->value.len ? ctr_add_exec(c, id, q->terminal, msg_str(&q->stdin),
			msg_str(&q->stdout), msg_str(&q->stderr)) : NULL;
	if (!p) {
		rpc_reply_status(call->server, call->token, RPC_INVALID_ARGUMENT,
				 "exec %s has no process specification", id);
		return;
	}
	p->spec = q->spec->value.data;
	p->spec_len = q->spec->value.len;
	p->spec_arena = *call->arena;
	*call->arena = ARENA_INIT;
	ev.container_id = msg_set(c->id);
	ev.exec_id = msg_set(p->id);
	publish_event(&c->srv->pub, "/tasks/exec-added", &ev);
	rpc_reply(&c->srv->rpc, call->token, NULL);
}

/* ---- answered at once -------------------------------------------------------------- */

static void state(struct rpc_call *call, const void *req)
{
	const Cleat__Task__StateRequest *q = req;
	Cleat__Task__StateResponse res = CLEAT__TASK__STATE_RESPONSE__INIT;
	struct proc *p = process(call, &q->id, &q->exec_id);
	Google__Protobuf__Timestamp ts;
	enum proc_state s, init;

	if (!p)
		return;
	s = p->state;
	init = p->ctr->init.state;
	/* A running exec of a frozen container does not run. */
	if (!proc_is_init(p) && s == PROC_RUNNING && (init == PROC_PAUSED || init == PROC_PAUSING))
		s = init;
	res.id = msg_set(proc_is_init(p) ? p->ctr->id : p->id);
	res.bundle = msg_set(p->ctr->bundle);
	res.pid = (uint32_t)p->pid;
	res.status = (Cleat__Task__Status)rule_status(s);
	res.stdin = msg_set(p->in);
	res.stdout = msg_set(p->out);
	res.stderr = msg_set(p->err);
	res.terminal = p->terminal;
	if (rule_status(s) == CLEAT__TASK__STATUS__STOPPED) {
		res.exit_status = p->exit_status;
		res.exited_at = proc_timestamp(&p->exited_at, &ts);
	}
	res.exec_id = msg_set(p->id);
	rpc_reply(call->server, call->token, &res);
}

static void wait_process(struct rpc_call *call, const void *req)
{
	const Cleat__Task__WaitRequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);

	if (p)
		proc_wait(p, call->token);
}

static void connect_task(struct rpc_call *call, const void *req)
{
	const Cleat__Task__ConnectRequest *q = req;
	Cleat__Task__ConnectResponse res = CLEAT__TASK__CONNECT_RESPONSE__INIT;
	const struct ctr *c = ctr_find(server_of(call), msg_str(&q->id));

	res.shim_pid = (uint32_t)getpid();
	if (c && c->init.state != PROC_CREATING)
		res.task_pid = (uint32_t)c->init.pid;
	res.version = msg_set(CLEAT_VERSION);
	rpc_reply(call->server, call->token, &res);
}

static void close_io(struct rpc_call *call, const void *req)
{
	const Cleat__Task__CloseIORequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);

	if (!p)
		return;
	if (q->stdin)
		proc_close_stdin(p);
	rpc_reply(call->server, call->token, NULL);
}

static void resize(struct rpc_call *call, const void *req)
{
	const Cleat__Task__ResizePtyRequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);
	char words[64];
	int r;

	if (!p || !allowed(call, p, OP_RESIZE))
		return;
	if (q->width > UINT16_MAX || q->height > UINT16_MAX) {
		rpc_reply_status(call->server, call->token, RPC_INVALID_ARGUMENT,
				 "terminal size %ux%u is out of range", q->width, q->height);
		return;
	}
	r = p->terminal ? proc_resize(p, (uint16_t)q->width, (uint16_t)q->height) : 0;
	if (r < 0)
		rpc_reply_status(call->server, call->token, RPC_UNKNOWN, "resize terminal: %s",
				 err_words(-r, words, sizeof(words)));
	else
		rpc_reply(call->server, call->token, NULL);
}

static void checkpoint(struct rpc_call *call, const void *req)
{
	rpc_reply_status(call->server, call->token, RPC_UNIMPLEMENTED,
			 "checkpoint is not supported");
}

static void shutdown_task(struct rpc_call *call, const void *req)
{
	server_shutdown(server_of(call), call->token);
}

/* ---- operations --------------------------------------------------------------------- */

static void start(struct rpc_call *call, const void *req)
{
	const Cleat__Task__StartRequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);
	struct op *op;

	if (!p)
		return;
	op = op_new(p->ctr, p, call, proc_is_init(p) ? "start" : "exec");
	if (op)
		(proc_is_init(p) ? op_start : op_start_exec)(op);
}

static void delete(struct rpc_call *call, const void *req)
{
	const Cleat__Task__DeleteRequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);
	struct op *op;

	/* Who hears now that it is gone does not ask again. */
	if (p && proc_is_init(p))
		p->ctr->abandoned = p->state == PROC_DELETING;
	if (!p || !allowed(call, p, OP_DELETE))
		return;
	op = op_new(p->ctr, p, call, "delete");
	if (op)
		(proc_is_init(p) ? op_delete : op_delete_exec)(op);
}

static void kill_process(struct rpc_call *call, const void *req)
{
	const Cleat__Task__KillRequest *q = req;
	struct proc *p = process(call, &q->id, &q->exec_id);
	struct op *op;

	if (!p)
		return;
	if (q->signal > 64) {
		rpc_reply_status(call->server, call->token, RPC_INVALID_ARGUMENT,
				 "unknown signal %u", q->signal);
		return;
	}
	op = op_new(p->ctr, p, call, "kill");
	if (!op)
		return;
	op->signal = (int)q->signal;
	op->all = q->all;
	op_kill(op);
}

static void update(struct rpc_call *call, const void *req)
{
	const Cleat__Task__UpdateTaskRequest *q = req;
	struct ctr *c = container(call, &q->id);
	struct op *op;

	if (!c)
		return;
	if (!q->resources || !q->resources->value.len) {
		rpc_reply_status(call->server, call->token, RPC_INVALID_ARGUMENT,
				 "update without resources");
		return;
	}
	op = op_new(c, &c->init, call, "update");
	if (!op)
		return;
	op->json = (const char *)q->resources->value.data;
	op->json_len = q->resources->value.len;
	op_update(op);
}

static void simple(struct rpc_call *call, const ProtobufCBinaryData *id, const char *what,
		   void (*submit)(struct op *op))
{
	struct ctr *c = container(call, id);
	struct op *op = c ? op_new(c, &c->init, call, what) : NULL;

	if (op)
		submit(op);
}

static void pause_task(struct rpc_call *call, const void *req)
{
	simple(call, &((const Cleat__Task__PauseRequest *)req)->id, "pause", op_pause);
}

static void resume_task(struct rpc_call *call, const void *req)
{
	simple(call, &((const Cleat__Task__ResumeRequest *)req)->id, "resume", op_resume);
}

static void pids(struct rpc_call *call, const void *req)
{
	simple(call, &((const Cleat__Task__PidsRequest *)req)->id, "pids", op_pids);
}

static void stats(struct rpc_call *call, const void *req)
{
	simple(call, &((const Cleat__Task__StatsRequest *)req)->id, "stats", op_stats);
}

static const struct rpc_method methods[] = {
	{ "State", &cleat__task__state_request__descriptor, state },
	{ "Create", &cleat__task__create_task_request__descriptor, create },
	{ "Start", &cleat__task__start_request__descriptor, start },
	{ "Delete", &cleat__task__delete_request__descriptor, delete },
	{ "Pids", &cleat__task__pids_request__descriptor, pids },
	{ "Pause", &cleat__task__pause_request__descriptor, pause_task },
	{ "Resume", &cleat__task__resume_request__descriptor, resume_task },
	{ "Checkpoint", &cleat__task__checkpoint_task_request__descriptor, checkpoint },
	{ "Kill", &cleat__task__kill_request__descriptor, kill_process },
	{ "Exec", &cleat__task__exec_process_request__descriptor, exec },
	{ "ResizePty", &cleat__task__resize_pty_request__descriptor, resize },
	{ "CloseIO", &cleat__task__close_iorequest__descriptor, close_io },
	{ "Update", &cleat__task__update_task_request__descriptor, update },
	{ "Wait", &cleat__task__wait_request__descriptor, wait_process },
	{ "Stats", &cleat__task__stats_request__descriptor, stats },
	{ "Connect", &cleat__task__connect_request__descriptor, connect_task },
	{ "Shutdown", &cleat__task__shutdown_request__descriptor, shutdown_task },
};

static const struct rpc_service services[] = {
	{ { RPC_TASK_V2, RPC_TASK_V3 }, methods, sizeof(methods) / sizeof(methods[0]) },
};

void task_request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
	rpc_dispatch(services, sizeof(services) / sizeof(services[0]), s, r);
}

void task_gone(struct ttrpc_server *s, uint64_t conn)
{
	struct server *srv = s->owner;

	for (struct ctr *c = srv->ctrs; c; c = c->next) {
		if (c->creating && c->create_conn == conn)
			create_abort(c);
		if (c->init.ctr)
			proc_forget_conn(&c->init, conn);
		for (struct proc *p = c->execs; p; p = p->next)
			proc_forget_conn(p, conn);
	}
	/* What a burst of requests took goes back with the connection. */
	server_trim();
	server_check_idle(srv);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * null-shim: a shim that does nothing. `ctr run` with it costs what
 * containerd and ctr cost by themselves; the rest of `ctr run` with another
 * shim is that shim's part. Its container "exits" in the moment it is
 * started, unless its id begins with "sleep": then when it is killed. Execs
 * exit when they are started.
 *
 *   containerd-shim-null-v2 -namespace NS -id ID -address A ... start|delete
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "dispatch.h"
#include "fd.h"
#include "loop.h"
#include "task.pb-c.h"

#undef stdout		/* fields have these names, and musl puts its macros in parentheses */
#undef stderr

#define PROCS_MAX 256
#define PATH_SIZE 512

struct proc {
	char id[128];			/* exec_id; "": the container itself */
	char out[PATH_SIZE], err[PATH_SIZE];
	bool used, exited;
	struct rpc_token waiter;	/* one is enough for ctr */
};

struct shim {
	struct loop loop;
	struct ttrpc_server server;
	struct loop_source listener;
	bool sleeps;
	struct proc procs[PROCS_MAX];
};

static struct shim *shim_of(const struct rpc_call *c)
{
	return c->server->owner;
}

static struct proc *find(struct rpc_call *c, const ProtobufCBinaryData *exec_id, bool make)
{
	struct shim *s = shim_of(c);
	struct proc *unused = NULL;

	for (int i = 0; i < PROCS_MAX; i++) {
		if (s->procs[i].used && !strcmp(s->procs[i].id, msg_str(exec_id)))
			return &s->procs[i];
		if (!s->procs[i].used && !unused)
			unused = &s->procs[i];
	}
	if (!make || !unused) {
		rpc_reply_status(c->server, c->token, RPC_NOT_FOUND, "no such process");
		return NULL;
	}
	*unused = (struct proc){ .used = true };
	snprintf(unused->id, sizeof(unused->id), "%s", msg_str(exec_id));
	return unused;
}

/* Whoever reads the FIFOs sees their end. */
static void touch(const char *path)
{
	int fd = *path ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;

	if (fd >= 0)
		close(fd);
}

static void reply_wait(struct ttrpc_server *server, struct rpc_token token)
{
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Cleat__Task__WaitResponse p = CLEAT__TASK__WAIT_RESPONSE__INIT;

	at.seconds = 1;
	p.exited_at = &at;
	rpc_reply(server, token, &p);
}

static void die(struct rpc_call *c, struct proc *p)
{
	p->exited = true;
	touch(p->out);
	touch(p->err);
	if (p->waiter.conn)
		reply_wait(c->server, p->waiter);
	p->waiter.conn = 0;
}

static void create(struct rpc_call *c, const void *req)
{
	static const ProtobufCBinaryData none;
	const Cleat__Task__CreateTaskRequest *q = req;
	Cleat__Task__CreateTaskResponse a = CLEAT__TASK__CREATE_TASK_RESPONSE__INIT;
	struct proc *p = find(c, &none, true);

	if (!p)
		return;
	snprintf(p->out, sizeof(p->out), "%s", msg_str(&q->stdout));
	snprintf(p->err, sizeof(p->err), "%s", msg_str(&q->stderr));
	a.pid = (uint32_t)getpid();
	rpc_reply(c->server, c->token, &a);
}

static void exec(struct rpc_call *c, const void *req)
{
	const Cleat__Task__ExecProcessRequest *q = req;
	struct proc *p = find(c, &q->exec_id, true);

	if (!p)
		return;
	snprintf(p->out, sizeof(p->out), "%s", msg_str(&q->stdout));
	snprintf(p->err, sizeof(p->err), "%s", msg_str(&q->stderr));
	rpc_reply(c->server, c->token, NULL);
}

static void start(struct rpc_call *c, const void *req)
{
	const Cleat__Task__StartRequest *q = req;
	Cleat__Task__StartResponse a = CLEAT__TASK__START_RESPONSE__INIT;
	struct proc *p = find(c, &q->exec_id, false);

	if (!p)
		return;
	a.pid = (uint32_t)getpid();
	rpc_reply(c->server, c->token, &a);
	if (*p->id || !shim_of(c)->sleeps)
		die(c, p);
}

static void state(struct rpc_call *c, const void *req)
{
	const Cleat__Task__StateRequest *q = req;
	Cleat__Task__StateResponse a = CLEAT__TASK__STATE_RESPONSE__INIT;
	struct proc *p = find(c, &q->exec_id, false);

	if (!p)
		return;
	a.id = q->id;
	a.exec_id = q->exec_id;
	a.pid = (uint32_t)getpid();
	a.status = p->exited ? CLEAT__TASK__STATUS__STOPPED : CLEAT__TASK__STATUS__RUNNING;
	rpc_reply(c->server, c->token, &a);
}

static void wait_call(struct rpc_call *c, const void *req)
{
	const Cleat__Task__WaitRequest *q = req;
	struct proc *p = find(c, &q->exec_id, false);

	if (p && p->exited)
		reply_wait(c->server, c->token);
	else if (p)
		p->waiter = c->token;
}

static void kill_call(struct rpc_call *c, const void *req)
{
	const Cleat__Task__KillRequest *q = req;
	struct proc *p = find(c, &q->exec_id, false);

	if (!p)
		return;
	rpc_reply(c->server, c->token, NULL);
	die(c, p);
}

static void delete_call(struct rpc_call *c, const void *req)
{
	const Cleat__Task__DeleteRequest *q = req;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Cleat__Task__DeleteResponse a = CLEAT__TASK__DELETE_RESPONSE__INIT;
	struct proc *p = find(c, &q->exec_id, false);

	if (!p)
		return;
	p->used = false;
	at.seconds = 1;
	a.exited_at = &at;
	rpc_reply(c->server, c->token, &a);
}

static void connect_call(struct rpc_call *c, const void *req)
{
	Cleat__Task__ConnectResponse a = CLEAT__TASK__CONNECT_RESPONSE__INIT;

	a.shim_pid = a.task_pid = (uint32_t)getpid();
	rpc_reply(c->server, c->token, &a);
}

static void pids(struct rpc_call *c, const void *req)
{
	rpc_reply(c->server, c->token, NULL);
}

static void shutdown_call(struct rpc_call *c, const void *req)
{
	rpc_reply(c->server, c->token, NULL);
	loop_quit(&shim_of(c)->loop);
}

static void request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
#define M(m) &cleat__task__##m##_request__descriptor
	static const struct rpc_method ms[] = {
		{ "Create", M(create_task), create }, { "Start", M(start), start }, { "State", M(state), state },
		{ "Wait", M(wait), wait_call }, { "Exec", M(exec_process), exec }, { "Kill", M(kill), kill_call },
		{ "Delete", M(delete), delete_call }, { "Connect", M(connect), connect_call },
		{ "Pids", M(pids), pids }, { "Shutdown", M(shutdown), shutdown_call },
		{ "CloseIO", &cleat__task__close_iorequest__descriptor, pids }, { "ResizePty", M(resize_pty), pids },
	};
#undef M
	static const struct rpc_service services[] = {
		{ { RPC_TASK_V2, RPC_TASK_V3 }, ms, sizeof(ms) / sizeof(ms[0]) },
	};

	rpc_dispatch(services, 1, s, r);
}

static void on_accept(struct loop_source *src, uint32_t flags)
{
	struct shim *s = loop_owner(src, struct shim, listener);

	ttrpc_server_accept(&s->server, src->fd);
}

static _Noreturn void serve(int fd, const char *id)
{
	static struct shim s;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	s.sleeps = !strncmp(id, "sleep", 5);
	s.listener = (struct loop_source){ on_accept, -1 };
	s.server.loop = &s.loop;
	s.server.owner = &s;
	s.server.request = request;
	if (loop_init(&s.loop) || loop_add(&s.loop, &s.listener, fd, EPOLLIN) || loop_run(&s.loop))
		_exit(1);
	/* The answer to Shutdown is on its way. */
	loop_once(&s.loop, 10);
	unlink("s");
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *id = "";
	char cwd[PATH_SIZE], path[PATH_SIZE + 2];
	int fd;

	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "-id"))
			id = argv[i + 1];
	if (argc < 2 || strcmp(argv[argc - 1], "start"))
		return 0;	/* delete: an empty answer */
	if (!getcwd(cwd, sizeof(cwd)))
		bench_die("folder");
	snprintf(path, sizeof(path), "%s/s", cwd);
	fd = ttrpc_listen(path);
	if (fd < 0) {
		errno = -fd;
		bench_die("%s", path);
	}
	if (!fork())
		serve(fd, id);
	printf("unix://%s", path);
	return 0;
}

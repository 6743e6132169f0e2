/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shims without containerd: see peer.h. */
#include "peer.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dispatch.h"
#include "fd.h"
#include "fdio.h"
#include "task.pb-c.h"

#undef stdout		/* fields have these names, and musl puts its macros in parentheses */
#undef stderr

#define PROCESS_TYPE "types.containerd.io/opencontainers/runtime-spec/1/Process"
#define CONFIG_MAX (64 << 10)
#define ANSWER_MS 120000

void peer_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l)) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

const char *peer_namespace(void)
{
	const char *ns = getenv("BENCH_NS");

	return ns ? ns : "bench";
}

int peer_kinds(struct peer_kind *kinds, int max, char **words, const struct peer_kind *common)
{
	int n = 0;

	for (; words[n] && n < max; n++) {
		char *eq = strchr(words[n], '=');

		errno = 0;
		if (!eq)
			bench_die("%s is not NAME=SHIM", words[n]);
		*eq = 0;
		kinds[n] = *common;
		kinds[n].name = words[n];
		kinds[n].path = eq + 1;
	}
	return n;
}

/* ---- bundles, start action --------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text, size_t len)
{
	char path[PEER_PATH_MAX + 32];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fdio_write_full(fd, text, len))
		bench_die("%s", path);
}

void peer_bundle(struct peer *p, const struct peer_kind *kind, const char *id, const char *group)
{
	static char text[CONFIG_MAX];
	char log[PEER_PATH_MAX + 8];
	const char *s = text, *v;
	auto_buf out = BUF_INIT;

	*p = (struct peer){ .kind = kind, .exec_id = "e", .server_fd = -1 };
	snprintf(p->id, sizeof(p->id), "%s", id);
	snprintf(p->bundle, sizeof(p->bundle), "%s/%s", kind->bundles, id);
	if (!bench_read(kind->template, text, sizeof(text)))
		bench_die("cannot read %s", kind->template);
	while ((v = strchr(s, '@'))) {
		buf_add(&out, s, (size_t)(v - s));
		if (!strncmp(v, "@ID@", 4)) {
			buf_adds(&out, id);
			s = v + 4;
		} else if (!strncmp(v, "@GROUP@", 7)) {
			buf_adds(&out, group ? group : id);
			s = v + 7;
		} else {
			buf_addc(&out, '@');
			s = v + 1;
		}
	}
	buf_adds(&out, s);
	if (mkdir(p->bundle, 0700) && errno != EEXIST)
		bench_die("%s", p->bundle);
	write_file(p->bundle, "config.json", out.data, out.len);
	/* containerd reads the shim's messages here; a shim may insist on it. */
	snprintf(log, sizeof(log), "%s/log", p->bundle);
	if (mkfifo(log, 0600) && errno != EEXIST)
		bench_die("%s", log);
	p->log_fd = open(log, O_RDWR | O_CLOEXEC);
}

static pid_t shim_action(struct peer *p, const char *action, int *answer)
{
	char *argv[] = {
		(char *)(uintptr_t)p->kind->path, (char *)(uintptr_t)"-namespace", (char *)(uintptr_t)p->kind->ns,
		(char *)(uintptr_t)"-address", (char *)(uintptr_t)p->kind->events,
		(char *)(uintptr_t)"-publish-binary", (char *)(uintptr_t)"/bin/false",
		(char *)(uintptr_t)"-id", p->id, (char *)(uintptr_t)action, NULL,
	};
	posix_spawn_file_actions_t fa;
	extern char **environ;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		bench_die("pipe");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addchdir_np(&fa, p->bundle);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 1);
	r = posix_spawn(&pid, p->kind->path, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(fds[1]);
	if (r) {
		errno = r;
		bench_die("%s", p->kind->path);
	}
	*answer = fds[0];
	return pid;
}

void peer_boot(struct peer *p, int n)
{
	pid_t *pids = calloc((size_t)n, sizeof(*pids));
	int *fds = calloc((size_t)n, sizeof(*fds));
	int status, i;

	if (!pids || !fds)
		bench_die("memory");
	for (i = 0; i < n; i++)
		pids[i] = shim_action(&p[i], "start", &fds[i]);
	for (i = 0; i < n; i++) {
		size_t len = 0;
		ssize_t got;

		while ((got = read(fds[i], p[i].address + len, sizeof(p[i].address) - 1 - len)) > 0)
			len += (size_t)got;
		p[i].address[len] = 0;
		close(fds[i]);
		errno = 0;
		if (waitpid(pids[i], &status, 0) != pids[i] || status || !len)
			bench_die("start action of %s failed: %s", p[i].kind->name, p[i].address);
	}
	free(pids);
	free(fds);
}

void peer_connect(struct peer *p, int n)
{
	for (int i = 0; i < n; i++) {
		Cleat__Task__ConnectRequest q = CLEAT__TASK__CONNECT_REQUEST__INIT;
		const Cleat__Task__ConnectResponse *a;
		auto_arena arena = ARENA_INIT;
		struct err e = { 0 };

		if (client_open(&p[i].client, p[i].address, 5000, &e))
			bench_die("%s: %s", p[i].address, e.msg);
		p[i].client.ns = p[i].kind->ns;
		p[i].connected = true;
		q.id = msg_set(p[i].id);
		if (client_call(&p[i].client, &p[i].call, RPC_TASK_V2, "Connect", &q, ANSWER_MS, &e))
			bench_die("%s: Connect: %s", p[i].kind->name, e.msg);
		a = msg_unpack(&arena, &cleat__task__connect_response__descriptor, p[i].call.payload.data,
			       p[i].call.payload.len, &e);
		if (!a)
			bench_die("%s: Connect: %s", p[i].kind->name, e.msg);
		p[i].server = (pid_t)a->shim_pid;
		p[i].server_fd = (int)syscall(SYS_pidfd_open, p[i].server, 0);
		client_call_fini(&p[i].call);
	}
}

/* ---- scripts ------------------------------------------------------------------------- */

/* All requests have id first and exec_id second, or only id. */
static void send_op(struct peer *p, enum peer_op op, struct client_call *call)
{
	static const struct {
		const char *method;
		const ProtobufCMessageDescriptor *request;
		bool exec;
	} ops[OP_MAX] = {
#define M(m) &cleat__task__##m##_request__descriptor
		[OP_CREATE] = { "Create", M(create_task), false },
		[OP_START] = { "Start", M(start), false },
		[OP_STATS] = { "Stats", M(stats), false },
		[OP_STATE] = { "State", M(state), false },
		[OP_KILL] = { "Kill", M(kill), false },
		[OP_WAIT_LATER] = { "Wait", M(wait), false },
		[OP_DELETE] = { "Delete", M(delete), false },
		[OP_SHUTDOWN] = { "Shutdown", M(shutdown), false },
		[OP_EXEC] = { "Exec", M(exec_process), true },
		[OP_EXEC_WAIT_LATER] = { "Wait", M(wait), true },
		[OP_EXEC_START] = { "Start", M(start), true },
		[OP_EXEC_KILL] = { "Kill", M(kill), true },
		[OP_EXEC_DELETE] = { "Delete", M(delete), true },
#undef M
	};
	union {
		ProtobufCMessage base;
		Cleat__Task__CreateTaskRequest create;
		Cleat__Task__StartRequest start;
		Cleat__Task__StatsRequest stats;
		Cleat__Task__StateRequest state;
		Cleat__Task__KillRequest kill;
		Cleat__Task__WaitRequest wait;
		Cleat__Task__DeleteRequest delete;
		Cleat__Task__ShutdownRequest shutdown;
		Cleat__Task__ExecProcessRequest exec;
	} q;
	Google__Protobuf__Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	ProtobufCBinaryData id = msg_set(p->id), exec_id = msg_set(ops[op].exec ? p->exec_id : "");
	struct err e = { 0 };

	protobuf_c_message_init(ops[op].request, &q);
	q.wait.id = id;
	if (op == OP_CREATE) {
		q.create.bundle = msg_set(p->bundle);
		q.create.stdout = msg_set(p->out);
		q.create.stderr = msg_set(p->err);
	} else if (op != OP_STATS && op != OP_SHUTDOWN) {
		q.wait.exec_id = exec_id;
	}
	if (op == OP_KILL || op == OP_EXEC_KILL)
		q.kill.signal = SIGKILL;
	if (op == OP_EXEC) {
		spec.type_url = msg_set(PROCESS_TYPE);
		spec.value = msg_set(p->exec_spec);
		q.exec.spec = &spec;
	}
	if (client_send(&p->client, call, RPC_TASK_V2, ops[op].method, &q, 0, &e))
		bench_die("%s: %s: %s", p->kind->name, ops[op].method, e.msg);
}

_Static_assert(offsetof(Cleat__Task__WaitRequest, id) == offsetof(Cleat__Task__CreateTaskRequest, id) &&
	       offsetof(Cleat__Task__WaitRequest, id) == offsetof(Cleat__Task__StatsRequest, id) &&
	       offsetof(Cleat__Task__WaitRequest, exec_id) == offsetof(Cleat__Task__KillRequest, exec_id) &&
	       offsetof(Cleat__Task__WaitRequest, exec_id) == offsetof(Cleat__Task__ExecProcessRequest, exec_id),
	       "ids come first in every request");

/* The answer of the call that is done: its status, and the pid if it has one. */
static void take_answer(struct peer *p, enum peer_op op, struct client_call *call)
{
	struct err e = { 0 };

	if (op == OP_SHUTDOWN) {
		/* The server may be gone before its last answer is on the wire. */
		client_call_fini(call);
		return;
	}
	if (call->error || client_status(call, &e)) {
		errno = -call->error;
		bench_die("%s: %s: step %d: %s", p->kind->name, p->id, (int)op, e.msg);
	}
	if (op == OP_CREATE || op == OP_START || op == OP_EXEC_START) {
		auto_arena a = ARENA_INIT;
		const Cleat__Task__StartResponse *r;

		r = msg_unpack(&a, &cleat__task__start_response__descriptor, call->payload.data,
			       call->payload.len, &e);
		if (!r)
			bench_die("%s: %s", p->kind->name, e.msg);
		p->pid = r->pid;
	}
	client_call_fini(call);
}

/* Go on with the script until something has to be awaited. Return: whether it is over. */
static bool advance(struct peer *p)
{
	for (;; p->at++) {
		struct client_call *call = *p->at == OP_JOIN ? &p->later : &p->call;

		if (*p->at == OP_END)
			return true;
		if (*p->at == OP_WAIT_LATER || *p->at == OP_EXEC_WAIT_LATER) {
			send_op(p, *p->at, &p->later);
			continue;
		}
		if (*p->at != OP_JOIN && !p->in_flight) {
			send_op(p, *p->at, call);
			p->in_flight = true;
		}
		if (!call->done)
			return false;
		p->in_flight = false;
		take_answer(p, *p->at, call);
	}
}

static void await_servers(struct peer *p, int n)
{
	for (int i = 0; i < n; i++) {
		struct pollfd f = { .fd = p[i].server_fd, .events = POLLIN };

		if (f.fd >= 0 && poll(&f, 1, 10000) != 1)
			bench_die("%s: server %d is still there", p[i].kind->name, p[i].server);
	}
}

void peer_run(struct peer *p, int n, const enum peer_op *ops)
{
	struct pollfd *f = calloc((size_t)n, sizeof(*f));
	int left = 0, i;

	if (!f)
		bench_die("memory");
	for (i = 0; i < n; i++) {
		p[i].at = ops;
		f[i] = (struct pollfd){ .fd = p[i].client.loop.epfd, .events = POLLIN };
		if (advance(&p[i]))
			f[i].fd = -1;
		else
			left++;
	}
	while (left) {
		i = poll(f, (nfds_t)n, ANSWER_MS);
		if (i <= 0)
			bench_die("%s: no answer", p->kind->name);
		for (i = 0; i < n; i++) {
			if (f[i].fd < 0 || !f[i].revents)
				continue;
			loop_once(&p[i].client.loop, 0);
			if (!advance(&p[i]))
				continue;
			f[i].fd = -1;
			left--;
		}
	}
	free(f);
	while (ops[0] && ops[1])
		ops++;
	if (*ops == OP_SHUTDOWN)
		await_servers(p, n);
}

/* What shims leave in a bundle; no folder in it has anything inside any more. */
static void remove_bundle(const char *path)
{
	const struct dirent *de;
	DIR *d = opendir(path);

	while (d && (de = readdir(d)))
		if (unlinkat(dirfd(d), de->d_name, 0) && errno == EISDIR)
			unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
	rmdir(path);
}

void peer_close(struct peer *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (p[i].connected)
			client_close(&p[i].client);
		close(p[i].log_fd);
		if (p[i].server_fd >= 0)
			close(p[i].server_fd);
		remove_bundle(p[i].bundle);
	}
}

struct peer *peer_new(const struct peer_kind *kind, const char *prefix, const char *group, int n, int step)
{
	static const enum peer_op ops[] = { OP_CREATE, OP_START, OP_END };
	struct peer *p = calloc((size_t)n, sizeof(*p));
	char id[64];

	if (!p)
		bench_die("memory");
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%s-%d", prefix, i);
		peer_bundle(&p[i], kind, id, group);
	}
	for (int i = 0, k; i < n; i += k) {
		/* The first of a pod alone: the others find its server. */
		k = !i && group ? 1 : n - i < step ? n - i : step;
		peer_boot(p + i, k);
		peer_connect(p + i, k);
		peer_run(p + i, k, ops);
	}
	return p;
}

void peer_end(struct peer *p, int n, int step, bool shutdown)
{
	static const enum peer_op ops[] = { OP_WAIT_LATER, OP_KILL, OP_JOIN, OP_DELETE, OP_END };
	static const enum peer_op off[] = { OP_SHUTDOWN, OP_END };

	for (int i = 0; i < n; i += step)
		peer_run(p + i, n - i < step ? n - i : step, ops);
	/* A pod's server is one, and gone after the first. */
	for (int i = 0; i < n && shutdown; i++)
		if (!i || p[i].server != p[0].server)
			peer_run(p + i, 1, off);
	peer_close(p, n);
	free(p);
}

int peer_servers(const struct peer *p, int n, pid_t *pids)
{
	int k = 0;

	for (int i = 0; i < n; i++) {
		int j = 0;

		while (j < k && pids[j] != p[i].server)
			j++;
		if (j == k)
			pids[k++] = p[i].server;
	}
	return k;
}

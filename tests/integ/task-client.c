/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Speaks to a shim, or stands in for containerd's event service, so that
 * shell tests can drive and watch every call. See usage() for the modes.
 * Needs -Iruntime/base -Ishim/rpc -Ishim/client -I$(O)/gen and libclient,
 * librpc, libbase, -lprotobuf-c.
 *
 * Exit status: 0; 1 an answer was an error; 2 wrong usage; 3 no answer.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "client.h"
#include "dispatch.h"
#include "fd.h"
#include "fdio.h"
#include "message_text.h"
#include "num.h"
#include "task.pb-c.h"
#include "ttrpc.pb-c.h"
#include "types.pb-c.h"

#define OCI_TYPE "types.containerd.io/opencontainers/runtime-spec/1/"
#define WORDS_MAX 1024
#define BACKGROUND_MAX 20000

struct options {
	const char *service;
	const char *ns;
	int timeout_ms;		/* 0: wait for ever */
	bool time;		/* print how long each call took */
	int refuse_s, block_s;
	unsigned int fail;
};

/* ---- the task service ------------------------------------------------------------ */

static const struct method {
	const char *word;
	const char *name;
	const ProtobufCMessageDescriptor *request, *response;	/* response NULL: Empty */
} methods[] = {
#define T(m) &cleat__task__##m##__descriptor
	{ "create", "Create", T(create_task_request), T(create_task_response) },
	{ "start", "Start", T(start_request), T(start_response) },
	{ "state", "State", T(state_request), T(state_response) },
	{ "wait", "Wait", T(wait_request), T(wait_response) },
	{ "exec", "Exec", T(exec_process_request), NULL },
	{ "kill", "Kill", T(kill_request), NULL },
	{ "delete", "Delete", T(delete_request), T(delete_response) },
	{ "pids", "Pids", T(pids_request), T(pids_response) },
	{ "pause", "Pause", T(pause_request), NULL },
	{ "resume", "Resume", T(resume_request), NULL },
	{ "checkpoint", "Checkpoint", T(checkpoint_task_request), NULL },
	{ "resize", "ResizePty", T(resize_pty_request), NULL },
	{ "closeio", "CloseIO", T(close_iorequest), NULL },
	{ "update", "Update", T(update_task_request), NULL },
	{ "stats", "Stats", T(stats_request), T(stats_response) },
	{ "connect", "Connect", T(connect_request), T(connect_response) },
	{ "shutdown", "Shutdown", T(shutdown_request), NULL },
#undef T
};

static const struct method *find_method(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].word, word))
			return &methods[i];
	return NULL;
}

/* mount=TYPE|SOURCE|OPT,OPT[|TARGET]: one element of rootfs. */
static int add_mount(struct arena *a, void *m, const char *value, struct err *e)
{
	static const char *const fields[] = { "rootfs+.type=", "rootfs.source=", NULL, "rootfs.target=" };
	const char *s = value;
	size_t n;
	int i, r = 0;

	for (i = 0; i < 4 && !r; i++, s += n + (s[n] == '|')) {
		n = strcspn(s, "|");
		if (fields[i]) {
			r = text_set(a, m, arena_printf(a, "%s%.*s", fields[i], (int)n, s), e);
			continue;
		}
		const char *end = s + n, *o = s;

		while (o < end && !r) {
			size_t len = strcspn(o, ",|");

			r = text_set(a, m, arena_printf(a, "rootfs.options=%.*s", (int)len, o), e);
			o += len + (o[len] == ',');
		}
	}
	return r;
}

/* One argument. Beside text_set()'s there are mount=, spec=@FILE and resources=@FILE (JSON). */
static int set_argument(struct arena *a, void *m, const char *arg, struct err *e)
{
	static const char *const any[][2] = {
		{ "spec=", OCI_TYPE "Process" }, { "resources=", OCI_TYPE "LinuxResources" },
	};
	size_t i, n;
	int r;

	if (!strncmp(arg, "mount=", 6))
		return add_mount(a, m, arg + 6, e);
	for (i = 0; i < 2; i++) {
		n = strlen(any[i][0]) - 1;
		if (strncmp(arg, any[i][0], n + 1))
			continue;
		r = text_set(a, m, arena_printf(a, "%.*s.type_url=%s", (int)n, arg, any[i][1]), e);
		return r ? r : text_set(a, m, arena_printf(a, "%.*s.value=%s", (int)n, arg, arg + n + 1), e);
	}
	return text_set(a, m, arg, e);
}

static int fail(const struct err *e)
{
	char text[ERR_TEXT_MAX];

	fflush(stdout);
	fprintf(stderr, "task-client: %s\n", err_render(e, text, sizeof(text)));
	return e->kind == ERR_SPEC || e->kind == ERR_BUG ? 2 : 3;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int send_call(struct client *c, const struct options *o, struct client_call *call,
		     const struct method *m, char **args, int n)
{
	auto_arena a = ARENA_INIT;
	struct err e = { 0 };
	void *req = text_new(&a, m->request);
	int i;

	for (i = 0; i < n; i++)
		if (set_argument(&a, req, args[i], &e))
			return fail(&e);
	if (client_send(c, call, o->service, m->name, req, o->timeout_ms, &e))
		return fail(&e);
	return 0;
}

static int show_call(struct client *c, const struct options *o, struct client_call *call,
		     const struct method *m)
{
	auto_arena a = ARENA_INIT;
	auto_buf out = BUF_INIT;
	struct err e = { 0 };
	const void *p;

	if (client_wait(c, call, o->timeout_ms ? o->timeout_ms : -1, &e)) {
		/* A server may be gone before its last answer is on the wire: callers take that for success. */
		if (!strcmp(m->word, "shutdown") && call->done)
			return 0;
		return fail(&e);
	}
	if (call->code) {
		printf("status %d %s\n", call->code, call->message.len ? call->message.data : "");
		return 1;
	}
	if (!m->response)
		return 0;
	p = msg_unpack(&a, m->response, call->payload.data, call->payload.len, &e);
	if (!p)
		return fail(&e);
	text_add(&out, p, "\n");
	if (out.len)
		fwrite(out.data, 1, out.len, stdout);
	return 0;
}

static int do_call(struct client *c, const struct options *o, char **words, int n)
{
	const struct method *m = find_method(words[0]);
	struct client_call call = { 0 };
	uint64_t start = now_us();
	int r;

	if (!m) {
		fprintf(stderr, "task-client: no method %s\n", words[0]);
		return 2;
	}
	r = send_call(c, o, &call, m, words + 1, n - 1);
	if (!r)
		r = show_call(c, o, &call, m);
	client_call_fini(&call);
	if (o->time)
		printf("%s time_us=%" PRIu64 "\n", words[0], now_us() - start);
	return r;
}

/* ---- batch: many commands on one connection ---------------------------------------- */

struct background {
	struct client_call call;
	const struct method *method;
	char name[32];
};

struct batch {
	struct client *c;
	const struct options *o;
	struct background **bg;
	int n_bg;
};

static int background_start(struct batch *b, char **words, int n)
{
	struct background *g;
	int r;

	if (n < 2 || b->n_bg >= BACKGROUND_MAX || !find_method(words[1]))
		return 2;
	g = calloc(1, sizeof(*g));
	g->method = find_method(words[1]);
	snprintf(g->name, sizeof(g->name), "%s", words[0] + 1);
	r = send_call(b->c, b->o, &g->call, g->method, words + 2, n - 2);
	if (r)
		free(g);
	else
		b->bg[b->n_bg++] = g;
	return r;
}

/* Wait for the background call of that name, or for all. */
static int join(struct batch *b, const char *name)
{
	int i, left = 0, r, worst = 0;

	for (i = 0; i < b->n_bg; i++) {
		struct background *g = b->bg[i];

		if (name && strcmp(name, g->name)) {
			b->bg[left++] = g;
			continue;
		}
		if (*g->name)
			printf("join %s\n", g->name);
		r = show_call(b->c, b->o, &g->call, g->method);
		if (r > worst)
			worst = r;
		client_call_fini(&g->call);
		free(g);
	}
	b->n_bg = left;
	return worst;
}

static int batch_line(struct batch *b, char *line)
{
	char *words[WORDS_MAX], *save = NULL, *w;
	uint32_t ms;
	int n = 0;

	for (w = strtok_r(line, " \t\n", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " \t\n", &save))
		words[n++] = w;
	if (!n || *words[0] == '#')
		return 0;
	if (*words[0] == '&')
		return background_start(b, words, n);
	if (!strcmp(words[0], "join"))
		return join(b, n > 1 ? words[1] : NULL);
	if (!strcmp(words[0], "echo")) {
		for (int i = 1; i < n; i++)
			printf("%s%s", words[i], i + 1 < n ? " " : "");
		putchar('\n');
		return 0;
	}
	if (!strcmp(words[0], "sleep") && n == 2 && !num_u32(words[1], &ms))
		return usleep(ms * 1000) ? 2 : 0;
	return do_call(b->c, b->o, words, n);
}

static int run_batch(struct client *c, const struct options *o)
{
	struct batch b = { c, o, calloc(BACKGROUND_MAX, sizeof(*b.bg)), 0 };
	uint64_t start = now_us();
	char *line = NULL;
	size_t size = 0;
	int worst = 0, r;

	while (getline(&line, &size, stdin) >= 0) {
		r = batch_line(&b, line);
		if (r > worst)
			worst = r;
		fflush(stdout);
	}
	r = join(&b, NULL);
	if (r > worst)
		worst = r;
	if (o->time)
		printf("total time_us=%" PRIu64 "\n", now_us() - start);
	free(line);
	free(b.bg);
	return worst;
}

/* ---- events-server: containerd's event service ---------------------------------------- */

struct events {
	struct loop loop;
	struct ttrpc_server server;
	struct loop_source listener;
	struct loop_timer unblock;
	bool blocked;
	unsigned int fail;
};

static void print_event(const char *mark, const Containerd__Types__Envelope *env)
{
	auto_arena a = ARENA_INIT;
	auto_buf out = BUF_INIT;
	const ProtobufCMessageDescriptor *d = text_type(any_name(env->event));
	const void *m = NULL;

	buf_addf(&out, "%s%s ns=%s type=%s ", mark, msg_str(&env->topic), msg_str(&env->namespace_),
		 any_name(env->event));
	if (d)
		m = msg_unpack(&a, d, env->event->value.data, env->event->value.len, NULL);
	if (m)
		text_add(&out, m, " ");
	else
		buf_adds(&out, "undecodable ");
	if (env->timestamp)
		buf_addf(&out, "time=%" PRId64 ".%09" PRId32, env->timestamp->seconds,
			 env->timestamp->nanos);
	printf("%s\n", out.data);
	fflush(stdout);
}

static void forward(struct rpc_call *call, const void *req)
{
	struct events *ev = call->server->owner;
	const Containerd__Types__ForwardRequest *q = req;
	const Containerd__Types__Envelope *env = q->envelope;

	if (!env || !env->event || !env->timestamp || !env->namespace_.len ||
	    *msg_str(&env->topic) != '/') {
		printf("INVALID\n");
		fflush(stdout);
		rpc_reply_status(call->server, call->token, RPC_INVALID_ARGUMENT, "invalid event");
	} else if (ev->blocked) {
		print_event("BLOCKED ", env);
	} else if (ev->fail) {
		ev->fail--;
		print_event("FAILED ", env);
		rpc_reply_status(call->server, call->token, RPC_UNAVAILABLE, "not now");
	} else {
		print_event("", env);
		rpc_reply(call->server, call->token, NULL);
	}
}

static void events_request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
	static const struct rpc_method ms[] = {
		{ "Forward", &containerd__types__forward_request__descriptor, forward },
	};
	static const struct rpc_service services[] = { { { RPC_EVENTS }, ms, 1 } };

	rpc_dispatch(services, 1, s, r);
}

static void events_accept(struct loop_source *src, uint32_t flags)
{
	struct events *ev = loop_owner(src, struct events, listener);

	ttrpc_server_accept(&ev->server, src->fd);
}

/* Who was left without an answer loses the connection, as when the daemon is restarted. */
static void events_unblock(struct loop_timer *t)
{
	struct events *ev = loop_owner(t, struct events, unblock);

	ev->blocked = false;
	ttrpc_server_close(&ev->server);
}

static int run_events(const struct options *o, const char *path)
{
	struct events ev = { .listener = { events_accept, -1 }, .fail = o->fail };
	int fd;

	if (o->refuse_s)
		sleep((unsigned int)o->refuse_s);
	unlink(path);
	fd = ttrpc_listen(path);
	if (fd < 0) {
		fprintf(stderr, "task-client: %s: cannot listen: %s\n", path, strerror(-fd));
		return 3;
	}
	if (loop_init(&ev.loop) || loop_add(&ev.loop, &ev.listener, fd, EPOLLIN))
		return 3;
	ev.server.loop = &ev.loop;
	ev.server.owner = &ev;
	ev.server.request = events_request;
	if (o->block_s) {
		ev.blocked = true;
		ev.unblock.fn = events_unblock;
		loop_timer_set(&ev.loop, &ev.unblock, (uint64_t)o->block_s * 1000);
	}
	printf("listening\n");
	fflush(stdout);
	return loop_run(&ev.loop) ? 3 : 0;
}

/* ---- raw: frames by hand --------------------------------------------------------------- */

static void add_be32(struct buf *b, uint32_t v)
{
	const unsigned char p[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16),
				     (unsigned char)(v >> 8), (unsigned char)v };

	buf_add(b, p, 4);
}

static int add_hex(struct buf *b, const char *s)
{
	unsigned int byte;

	for (; *s; s += 2) {
		if (strspn(s, "0123456789abcdefABCDEF") < 2 || sscanf(s, "%2x", &byte) != 1)
			return -EINVAL;
		buf_addc(b, (char)byte);
	}
	return 0;
}

/* "req:STREAM:SERVICE:METHOD[:HEX]": a whole request frame with a payload. */
static int add_request(struct buf *b, char *word)
{
	char *stream = strtok(word + 4, ":"), *service = strtok(NULL, ":");
	char *method = strtok(NULL, ":"), *hex = strtok(NULL, ":");
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	auto_buf payload = BUF_INIT, packed = BUF_INIT;
	uint32_t id;

	if (!method || num_u32(stream, &id) || (hex && add_hex(&payload, hex)))
		return -EINVAL;
	q.service = msg_set(service);
	q.method = msg_set(method);
	q.payload = msg_bytes(payload.data, payload.len);
	msg_pack(&packed, &q);
	add_be32(b, (uint32_t)packed.len);
	add_be32(b, id);
	buf_addc(b, TTRPC_REQUEST);
	buf_addc(b, 0);
	buf_add(b, packed.data, packed.len);
	return 0;
}

static void print_frame(struct ttrpc_chan *ch, const struct ttrpc_frame *f)
{
	auto_arena a = ARENA_INIT;
	const Ttrpc__Response *p = NULL;
	size_t i;

	printf("frame stream=%" PRIu32 " type=%u flags=%u len=%" PRIu32, f->stream, f->type, f->flags,
	       f->len);
	if (f->type == TTRPC_RESPONSE && !f->oversized)
		p = msg_unpack(&a, &ttrpc__response__descriptor, f->data, f->len, NULL);
	if (p)
		printf(" code=%d payload=", p->status ? p->status->code : 0);
	for (i = 0; p && i < p->payload.len; i++)
		printf("%02x", p->payload.data[i]);
	if (p && p->status)
		printf(" message=%s", msg_str(&p->status->message));
	putchar('\n');
}

static void raw_closed(struct ttrpc_chan *ch, int error)
{
	printf("closed\n");
	fflush(stdout);
	_exit(0);
}

/*
 * Words: hex, "req:...", "zero:N" (N zero bytes), "sleep:MS". Then answers
 * until --timeout ms pass without one.
 */
static int run_raw(const struct options *o, const char *address, char **words, int n)
{
	struct ttrpc_chan ch = { .frame = print_frame, .closed = raw_closed };
	int fd = ttrpc_connect(address), i, r = 0;
	struct loop loop;

	if (fd < 0 || fd_nonblock(fd, 0)) {
		fprintf(stderr, "task-client: %s: %s\n", address, strerror(-fd));
		return 3;
	}
	for (i = 0; i < n && !r; i++) {
		auto_buf b = BUF_INIT;

		if (!strncmp(words[i], "req:", 4)) {
			r = add_request(&b, words[i]);
		} else if (!strncmp(words[i], "zero:", 5)) {
			size_t zeros = strtoul(words[i] + 5, NULL, 10);

			r = buf_reserve(&b, zeros + 1);
			if (!r)
				memset(b.data, 0, zeros);
			b.len = zeros;
		} else if (!strncmp(words[i], "sleep:", 6)) {
			poll(NULL, 0, (int)strtoul(words[i] + 6, NULL, 10));
		} else {
			r = add_hex(&b, words[i]);
		}
		if (!r && send(fd, b.data, b.len, MSG_NOSIGNAL) < 0)
			break;
	}
	if (r) {
		fprintf(stderr, "task-client: bad word %s\n", words[i - 1]);
		return 2;
	}
	if (loop_init(&loop) || ttrpc_chan_open(&ch, &loop, fd))
		return 3;
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };

		if (poll(&p, 1, o->timeout_ms ? o->timeout_ms : 1000) <= 0)
			return 0;
		loop_once(&loop, 0);
	}
}

/* ---- encode, decode: the messages on stdin and stdout of the one-shot modes ------------- */

static int run_decode(const char *type)
{
	const ProtobufCMessageDescriptor *d = text_type(type);
	auto_arena a = ARENA_INIT;
	auto_buf in = BUF_INIT, out = BUF_INIT;
	struct err e = { 0 };
	const void *m;

	if (!d || fdio_read_all(0, &in, 10 << 20)) {
		fprintf(stderr, "task-client: cannot decode %s\n", type);
		return 2;
	}
	m = msg_unpack(&a, d, in.data, in.len, &e);
	if (!m)
		return fail(&e);
	text_add(&out, m, "\n");
	return fdio_write_full(1, out.data, out.len) ? 3 : 0;
}

static int run_encode(const char *type, char **args, int n)
{
	const ProtobufCMessageDescriptor *d = text_type(type);
	auto_arena a = ARENA_INIT;
	auto_buf out = BUF_INIT;
	struct err e = { 0 };
	void *m = d ? text_new(&a, d) : NULL;
	int i;

	if (!m) {
		fprintf(stderr, "task-client: cannot encode %s\n", type);
		return 2;
	}
	for (i = 0; i < n; i++)
		if (text_set(&a, m, args[i], &e))
			return fail(&e);
	msg_pack(&out, m);
	return fdio_write_full(1, out.data, out.len) ? 3 : 0;
}

static int usage(void)
{
	fputs("usage: task-client [options] ADDRESS METHOD [name=value ...]\n"
	      "       task-client [options] ADDRESS batch < lines of METHOD [name=value ...]\n"
	      "         (also: &NAME METHOD ..., join [NAME], sleep MS, echo ...)\n"
	      "       task-client [options] ADDRESS raw WORD ...  (hex, zero:N, sleep:MS,\n"
	      "         req:STREAM:SERVICE:METHOD[:HEX])\n"
	      "       task-client [--refuse S] [--block S] [--fail N] events-server PATH\n"
	      "       task-client encode TYPE [name=value ...]; task-client decode TYPE < file\n"
	      "options: --service v2|v3|NAME, --namespace NS, --timeout MS, --time\n"
	      "values: mount=TYPE|SOURCE|OPT,OPT[|TARGET], spec=@FILE, resources=@FILE,\n"
	      "  options:containerd.runc.v1.Options:io_uid=1, others by field name\n", stderr);
	return 2;
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "service", required_argument, NULL, 's' }, { "namespace", required_argument, NULL, 'n' },
		{ "timeout", required_argument, NULL, 't' }, { "time", no_argument, NULL, 'T' },
		{ "refuse", required_argument, NULL, 'r' }, { "block", required_argument, NULL, 'b' },
		{ "fail", required_argument, NULL, 'f' }, { NULL, 0, NULL, 0 },
	};
	uint32_t v;
	int c;

	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		v = 0;
		if (strchr("trbf", c) && num_u32(optarg, &v))
			return -EINVAL;
		if (c == 's')
			o->service = !strcmp(optarg, "v2") ? RPC_TASK_V2 :
				     !strcmp(optarg, "v3") ? RPC_TASK_V3 : optarg;
		else if (c == 'n')
			o->ns = optarg;
		else if (c == 't')
			o->timeout_ms = (int)v;
		else if (c == 'T')
			o->time = true;
		else if (c == 'r')
			o->refuse_s = (int)v;
		else if (c == 'b')
			o->block_s = (int)v;
		else if (c == 'f')
			o->fail = v;
		else
			return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .service = RPC_TASK_V2 };
	struct err e = { 0 };
	struct client c;
	char **words;
	int n, r;

	if (parse_options(&o, argc, argv) || argc - optind < 2)
		return usage();
	words = argv + optind;
	n = argc - optind;
	if (!strcmp(words[0], "events-server"))
		return run_events(&o, words[1]);
	if (!strcmp(words[0], "decode"))
		return run_decode(words[1]);
	if (!strcmp(words[0], "encode"))
		return run_encode(words[1], words + 2, n - 2);
	if (!strcmp(words[1], "raw"))
		return run_raw(&o, words[0], words + 2, n - 2);
	if (client_open(&c, words[0], 1000, &e))
		return fail(&e);
	c.ns = o.ns;
	r = strcmp(words[1], "batch") ? do_call(&c, &o, words + 1, n - 1) : run_batch(&c, &o);
	client_close(&c);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ttrpc: frames in every cut, bad frames, stream ids, back-pressure, both sides. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "buf.h"
#include "dispatch.h"
#include "fd.h"
#include "task.pb-c.h"
#include "ttrpc.h"
#include "ttrpc.pb-c.h"

#define HELD_MAX 70000
#define BIG (1u << 20)

/* ---- a server with three methods, and the peer's end of a connection ---- */

struct state {
	struct loop loop;
	struct ttrpc_server server;
	int fd;				/* the peer's end */
	unsigned int calls, gone;
	struct rpc_token *held;
	unsigned int n_held;
	char id[300], ns[64], service[64];
	int64_t timeout;
};

/* State: echo the id. */
static void echo(struct rpc_call *c, const void *req)
{
	struct state *t = c->server->owner;
	const Cleat__Task__StateRequest *q = req;
	Cleat__Task__StateResponse p = CLEAT__TASK__STATE_RESPONSE__INIT;

	t->calls++;
	snprintf(t->id, sizeof(t->id), "%s", msg_str(&q->id));
	snprintf(t->ns, sizeof(t->ns), "%s", c->ns);
	snprintf(t->service, sizeof(t->service), "%s", c->service);
	t->timeout = c->timeout_nano;
	p.id = q->id;
	rpc_reply(c->server, c->token, &p);
}

/* Wait: answered later. */
static void hold(struct rpc_call *c, const void *req)
{
	struct state *t = c->server->owner;

	t->calls++;
	t->held[t->n_held++] = c->token;
}

static void reply_sized(struct ttrpc_server *s, struct rpc_token token, size_t size)
{
	Cleat__Task__StateResponse p = CLEAT__TASK__STATE_RESPONSE__INIT;
	char *text = malloc(size + 1);

	memset(text, 'x', size);
	text[size] = '\0';
	p.id = msg_set(text);
	rpc_reply(s, token, &p);
	free(text);
}

/* Kill: as many bytes as the signal number says. */
static void sized(struct rpc_call *c, const void *req)
{
	const Cleat__Task__KillRequest *q = req;
	struct state *t = c->server->owner;

	t->calls++;
	reply_sized(c->server, c->token, q->signal);
}

/* Shutdown: the server closes while its own callback runs. */
static void leave(struct rpc_call *c, const void *req)
{
	rpc_reply(c->server, c->token, NULL);
	ttrpc_server_close(c->server);
}

static const struct rpc_method methods[] = {
	{ "State", &cleat__task__state_request__descriptor, echo },
	{ "Wait", &cleat__task__wait_request__descriptor, hold },
	{ "Kill", &cleat__task__kill_request__descriptor, sized },
	{ "Shutdown", &cleat__task__shutdown_request__descriptor, leave },
};
static const struct rpc_service services[] = { { { RPC_TASK_V2, RPC_TASK_V3 }, methods, 4 } };

static void on_request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
	rpc_dispatch(services, 1, s, r);
}

static void on_gone(struct ttrpc_server *s, uint64_t conn)
{
	((struct state *)s->owner)->gone++;
}

static int connect_peer(struct state *t)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	if (ttrpc_server_add(&t->server, sv[0]))
		return -1;
	return sv[1];
}

static void turn(struct state *t, int times)
{
	while (times--)
		loop_once(&t->loop, 0);
}

/* Send bytes, letting the server read when its socket is full. */
static void push(struct state *t, int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = send(fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (w < 0 && errno != EAGAIN)
			return;
		if (w > 0) {
			at += w;
			n -= (size_t)w;
		}
		turn(t, 1);
	}
}

static void head(struct buf *b, uint32_t len, uint32_t stream, uint8_t type, uint8_t flags)
{
	const uint8_t h[TTRPC_HEADER] = {
		(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream,
		type, flags,
	};

	buf_add(b, h, sizeof(h));
}

static void add_request(struct buf *b, uint32_t stream, const char *method, const void *payload,
			size_t len, int64_t timeout)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	Ttrpc__KeyValue kv = TTRPC__KEY_VALUE__INIT, *list[1] = { &kv };
	struct buf packed = BUF_INIT;

	q.service = msg_set(RPC_TASK_V3);
	q.method = msg_set(method);
	q.payload = msg_bytes(payload, len);
	q.timeout_nano = timeout;
	kv.key = msg_set("containerd-namespace-ttrpc");
	kv.value = msg_set("k8s.io");
	q.metadata = list;
	q.n_metadata = 1;
	msg_pack(&packed, &q);
	head(b, (uint32_t)packed.len, stream, TTRPC_REQUEST, 0);
	buf_add(b, packed.data, packed.len);
	buf_fini(&packed);
}

static void add_state(struct buf *b, uint32_t stream, const char *id)
{
	Cleat__Task__StateRequest m = CLEAT__TASK__STATE_REQUEST__INIT;
	struct buf p = BUF_INIT;

	m.id = msg_set(id);
	msg_pack(&p, &m);
	add_request(b, stream, "State", p.data, p.len, 0);
	buf_fini(&p);
}

static void add_kill(struct buf *b, uint32_t stream, uint32_t size)
{
	Cleat__Task__KillRequest m = CLEAT__TASK__KILL_REQUEST__INIT;
	struct buf p = BUF_INIT;

	m.signal = size;
	msg_pack(&p, &m);
	add_request(b, stream, "Kill", p.data, p.len, 0);
	buf_fini(&p);
}

struct answer {
	uint32_t stream, len;
	int code;
	char text[300];		/* id of a StateResponse, or the status's message */
	size_t id_len;
};

static bool get(struct state *t, int fd, void *p, size_t n)
{
	size_t got = 0;
	int idle = 0;

	while (got < n && idle < 200) {
		ssize_t r = recv(fd, (char *)p + got, n - got, MSG_DONTWAIT);

		if (!r)
			return false;
		if (r > 0) {
			got += (size_t)r;
			idle = 0;
			continue;
		}
		if (errno != EAGAIN)
			return false;
		loop_once(&t->loop, 1);
		idle++;
	}
	return got == n;
}

/* Next frame from the server; false: none within 200 ms, or the end. */
static bool answer(struct state *t, int fd, struct answer *a)
{
	struct arena arena = ARENA_INIT;
	Cleat__Task__StateResponse *p = NULL;
	Ttrpc__Response *r;
	uint8_t h[TTRPC_HEADER], *data;

	memset(a, 0, sizeof(*a));
	if (!get(t, fd, h, sizeof(h)) || h[8] != TTRPC_RESPONSE || h[9])
		return false;
	a->len = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
	a->stream = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
	data = malloc(a->len + 1);
	if (!get(t, fd, data, a->len)) {
		free(data);
		return false;
	}
	r = msg_unpack(&arena, &ttrpc__response__descriptor, data, a->len, NULL);
	if (r && r->status) {
		a->code = r->status->code;
		snprintf(a->text, sizeof(a->text), "%s", msg_str(&r->status->message));
	} else if (r) {
		p = msg_unpack(&arena, &cleat__task__state_response__descriptor, r->payload.data,
			       r->payload.len, NULL);
	}
	if (p) {
		a->id_len = p->id.len;
		snprintf(a->text, sizeof(a->text), "%s", msg_str(&p->id));
	}
	free(data);
	arena_fini(&arena);
	return r && (r->status || p);
}

FIXTURE(link) {
	struct state t;
	struct buf b;
	struct answer a;
};

FIXTURE_SETUP(link)
{
	self->b = BUF_INIT;
	self->t = (struct state){ .held = calloc(HELD_MAX, sizeof(struct rpc_token)) };
	ASSERT_EQ(0, loop_init(&self->t.loop));
	self->t.server.loop = &self->t.loop;
	self->t.server.owner = &self->t;
	self->t.server.request = on_request;
	self->t.server.gone = on_gone;
	self->t.fd = connect_peer(&self->t);
	ASSERT_LE(0, self->t.fd);
}

FIXTURE_TEARDOWN(link)
{
	ttrpc_server_close(&self->t.server);
	EXPECT_EQ(0, self->t.server.n_conns);
	loop_fini(&self->t.loop);
	fd_close(&self->t.fd);
	buf_fini(&self->b);
	free(self->t.held);
}

#define T (&self->t)
#define B (&self->b)
#define A (&self->a)
#define PUSH() do { push(T, T->fd, B->data, B->len); buf_reset(B); } while (0)
#define ANSWER(s, c) do { \
	ASSERT_TRUE(answer(T, T->fd, A)); \
	EXPECT_EQ(s, A->stream); \
	EXPECT_EQ(c, A->code) { TH_LOG("%s", A->text); } \
} while (0)
#define SILENT() EXPECT_FALSE(answer(T, T->fd, A))
/* The connection still serves. */
#define ALIVE(s) do { add_state(B, s, "alive"); PUSH(); ANSWER(s, 0); \
	EXPECT_STREQ("alive", A->text); } while (0)

TEST_F(link, request_and_reply)
{
	add_request(B, 1, "State", "\x0a\x02" "c1", 4, 5000000000);
	PUSH();
	ANSWER(1, 0);
	EXPECT_STREQ("c1", A->text);
	EXPECT_STREQ("k8s.io", T->ns);
	EXPECT_STREQ(RPC_TASK_V3, T->service);
	EXPECT_EQ(5000000000, T->timeout);
}

TEST_F(link, byte_at_a_time)
{
	size_t i;

	add_state(B, 1, "slowly");
	add_state(B, 3, "too");
	for (i = 0; i < B->len; i++) {
		EXPECT_EQ(1, send(T->fd, B->data + i, 1, 0));
		turn(T, 1);
	}
	ANSWER(1, 0);
	EXPECT_STREQ("slowly", A->text);
	ANSWER(3, 0);
	EXPECT_STREQ("too", A->text);
}

TEST_F(link, many_frames_in_one_write)
{
	uint32_t i;

	for (i = 0; i < 500; i++)
		add_state(B, 2 * i + 1, "packed");
	PUSH();
	for (i = 0; i < 500; i++)
		ANSWER(2 * i + 1, 0);
}

TEST_F(link, empty_request_frame)
{
	head(B, 0, 1, TTRPC_REQUEST, 0);
	PUSH();
	ANSWER(1, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("service ", A->text);
	ALIVE(3);
}

TEST_F(link, empty_reply_is_an_empty_frame)
{
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	rpc_reply(&T->server, T->held[0], NULL);
	ANSWER(1, 0);
	EXPECT_EQ(0, A->len);
}

TEST_F(link, unknown_service_and_method)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	struct buf p = BUF_INIT;

	q.service = msg_set("containerd.runtime.sandbox.v1.Sandbox");
	q.method = msg_set("CreateSandbox");
	msg_pack(&p, &q);
	head(B, (uint32_t)p.len, 1, TTRPC_REQUEST, 0);
	buf_add(B, p.data, p.len);
	buf_fini(&p);
	add_request(B, 3, "Fly", "", 0, 0);
	PUSH();
	ANSWER(1, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("service containerd.runtime.sandbox.v1.Sandbox", A->text);
	ANSWER(3, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("method Fly", A->text);
}

TEST_F(link, deadline_that_is_over)
{
	add_request(B, 1, "State", "", 0, -1);
	PUSH();
	ANSWER(1, RPC_DEADLINE_EXCEEDED);
	EXPECT_EQ(0, T->calls);
}

TEST_F(link, oversized_frame_is_discarded_exactly)
{
	char *junk = calloc(1, LIMIT_RPC_FRAME + 1);

	head(B, LIMIT_RPC_FRAME + 1, 1, TTRPC_REQUEST, 0);
	buf_add(B, junk, LIMIT_RPC_FRAME + 1);
	free(junk);
	add_state(B, 3, "after");
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	ANSWER(3, 0);
	EXPECT_STREQ("after", A->text);
}

TEST_F(link, largest_length_costs_no_memory)
{
	char *junk = calloc(1, BIG);

	head(B, UINT32_MAX, 1, TTRPC_REQUEST, 0);
	buf_add(B, junk, BIG);
	free(junk);
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	EXPECT_EQ(NULL, T->server.conns->chan.data);
	EXPECT_EQ(UINT32_MAX - BIG, T->server.conns->chan.discard);
}

TEST_F(link, largest_legal_frame)
{
	Cleat__Task__StateRequest m = CLEAT__TASK__STATE_REQUEST__INIT;
	struct buf p = BUF_INIT;
	char *id = malloc(LIMIT_RPC_FRAME);

	/* The overhead of the envelope in add_request() is 80 bytes. */
	memset(id, 'i', LIMIT_RPC_FRAME - 200);
	id[LIMIT_RPC_FRAME - 200] = '\0';
	m.id = msg_set(id);
	msg_pack(&p, &m);
	add_request(B, 1, "State", p.data, p.len, 0);
	buf_fini(&p);
	free(id);
	PUSH();
	ANSWER(1, 0);
	EXPECT_EQ(LIMIT_RPC_FRAME - 200, A->id_len);
	/* All of it was given back. */
	EXPECT_EQ(NULL, T->server.conns->chan.data);
	EXPECT_EQ(0, T->server.conns->chan.out_bytes);
}

TEST_F(link, half_frame_holds_only_what_came)
{
	int other = connect_peer(T);

	head(B, LIMIT_RPC_FRAME, 1, TTRPC_REQUEST, 0);
	buf_adds(B, "half a frame");
	PUSH();
	turn(T, 3);
	EXPECT_EQ(2, T->server.n_conns);
	EXPECT_GE(8192, T->server.conns->next->chan.room);
	EXPECT_EQ(12, T->server.conns->next->chan.got);
	/* Others go on, and the end of this one is the end of this one. */
	add_state(B, 1, "other");
	push(T, other, B->data, B->len);
	ASSERT_TRUE(answer(T, other, A));
	EXPECT_STREQ("other", A->text);
	shutdown(T->fd, SHUT_RDWR);
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	EXPECT_EQ(1, T->server.n_conns);
	close(other);
}

TEST_F(link, bad_stream_ids)
{
	add_state(B, 2, "even");
	add_state(B, 0, "zero");
	add_state(B, 7, "first");
	add_state(B, 7, "again");
	add_state(B, 5, "below");
	add_state(B, UINT32_MAX, "last");
	PUSH();
	ANSWER(2, RPC_INVALID_ARGUMENT);
	ANSWER(0, RPC_INVALID_ARGUMENT);
	ANSWER(7, 0);
	ANSWER(7, RPC_INVALID_ARGUMENT);
	ANSWER(5, RPC_INVALID_ARGUMENT);
	ANSWER(UINT32_MAX, 0);
	EXPECT_EQ(2, T->calls);
}

TEST_F(link, other_frame_types)
{
	int type;

	for (type = 0; type < 256; type++)
		if (type != TTRPC_REQUEST && type != TTRPC_DATA) {
			head(B, 3, 1, (uint8_t)type, 0xff);
			buf_adds(B, "abc");
		}
	PUSH();
	SILENT();
	head(B, 3, 1, TTRPC_DATA, 1);
	buf_adds(B, "abc");
	PUSH();
	ANSWER(1, RPC_INVALID_ARGUMENT);
	ALIVE(1);
}

TEST_F(link, request_that_is_no_request)
{
	head(B, 5, 1, TTRPC_REQUEST, 0);
	buf_adds(B, "\xff\xff\xff\xff\xff");
	head(B, 3, 3, TTRPC_REQUEST, 0);
	buf_add(B, "\x0a\x01\xff", 3);	/* a service that is not UTF-8 */
	PUSH();
	ANSWER(1, RPC_INVALID_ARGUMENT);
	ANSWER(3, RPC_INVALID_ARGUMENT);
	ALIVE(5);
}

TEST_F(link, random_bytes)
{
	unsigned int seed, i;

	for (seed = 1; seed <= 200; seed++) {
		int fd = connect_peer(T);
		char junk[2000];

		srandom(seed);
		for (i = 0; i < sizeof(junk); i++)
			junk[i] = (char)random();
		/* Half of them with a plausible header, so that the inner decoder sees them. */
		if (seed % 2)
			memcpy(junk, (const char[]){ 0, 0, 3, 0, 0, 0, 0, 1, 1, 0 }, 10);
		send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
		turn(T, 3);
		close(fd);
		turn(T, 3);
	}
	EXPECT_EQ(200, T->gone);
	EXPECT_EQ(1, T->server.n_conns);
	ALIVE(1);
}

TEST_F(link, every_truncation)
{
	size_t n;
	int fd;

	add_state(B, 1, "cut");
	for (n = 0; n < B->len; n++) {
		fd = connect_peer(T);
		send(fd, B->data, n, 0);
		turn(T, 2);
		close(fd);
		turn(T, 2);
	}
	EXPECT_EQ(0, T->calls);
	EXPECT_EQ(B->len, T->gone);
	buf_reset(B);
	ALIVE(1);
}

TEST_F(link, replies_in_any_order)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	add_state(B, 7, "between");
	PUSH();
	ANSWER(7, 0);
	ASSERT_EQ(3, T->n_held);
	reply_sized(&T->server, T->held[2], 3);
	reply_sized(&T->server, T->held[0], 1);
	rpc_reply_status(&T->server, T->held[1], RPC_NOT_FOUND, "no %s", "such thing");
	ANSWER(5, 0);
	EXPECT_EQ(3, A->id_len);
	ANSWER(1, 0);
	EXPECT_EQ(1, A->id_len);
	ANSWER(3, RPC_NOT_FOUND);
	EXPECT_STREQ("no such thing", A->text);
	EXPECT_EQ(0, T->server.conns->n_open);
}

TEST_F(link, reply_after_the_peer_is_gone)
{
	struct rpc_token stale;

	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	stale = T->held[0];
	fd_close(&T->fd);
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	/* A newcomer, with the same stream id, must not get it. */
	T->fd = connect_peer(T);
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	EXPECT_EQ(2, T->n_held);
	rpc_reply(&T->server, stale, NULL);
	rpc_reply(&T->server, (struct rpc_token){ 0 }, NULL);
	SILENT();
	EXPECT_EQ(1, T->server.conns->n_open);
}

TEST_F(link, ten_thousand_open_streams)
{
	unsigned int i, n = 10000;

	for (i = 0; i < n; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	PUSH();
	turn(T, 50);
	ASSERT_EQ(n, T->n_held);
	EXPECT_EQ(n, T->server.conns->n_open);
	ALIVE(2 * n + 1);
	for (i = n; i--;)
		rpc_reply(&T->server, T->held[i], NULL);
	for (i = n; i--;)
		ANSWER(2 * i + 1, 0);
	EXPECT_EQ(0, T->server.conns->n_open);
}

TEST_F(link, too_many_open_streams)
{
	unsigned int i;

	for (i = 0; i < LIMIT_RPC_OPEN + 2; i++) {
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
		if (i % 1000 == 0)
			PUSH();
	}
	PUSH();
	ANSWER(2 * LIMIT_RPC_OPEN + 1, RPC_RESOURCE_EXHAUSTED);
	ANSWER(2 * LIMIT_RPC_OPEN + 3, RPC_RESOURCE_EXHAUSTED);
	EXPECT_EQ(LIMIT_RPC_OPEN, T->n_held);
	rpc_reply(&T->server, T->held[0], NULL);
	ANSWER(1, 0);
	ALIVE(2 * LIMIT_RPC_OPEN + 5);
}

TEST_F(link, peer_that_never_reads_is_dropped)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(30, T->n_held);
	for (i = 0; i < 15; i++)
		reply_sized(&T->server, T->held[i], BIG);
	turn(T, 3);
	EXPECT_EQ(0, T->gone);
	EXPECT_LT(14u * BIG, ttrpc_server_unsent(&T->server));
	for (; i < 30; i++)
		reply_sized(&T->server, T->held[i], BIG);
	/* Its memory goes at once, the connection itself from the loop. */
	EXPECT_EQ(0, ttrpc_server_unsent(&T->server));
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	EXPECT_EQ(0, T->server.n_conns);
}

TEST_F(link, peer_that_does_not_read_is_not_read)
{
	unsigned int i, before;

	for (i = 0; i < 100; i++) {
		add_kill(B, 2 * i + 1, BIG / 4);
		send(T->fd, B->data, B->len, MSG_DONTWAIT);
		buf_reset(B);
		turn(T, 2);
	}
	before = T->calls;
	EXPECT_GT(20, before);
	EXPECT_EQ(0, T->gone);
	/* Once it reads, everything comes, whole and in order. */
	for (i = 0; i < 100; i++) {
		ANSWER(2 * i + 1, 0);
		ASSERT_EQ(BIG / 4, A->id_len);
	}
	EXPECT_EQ(100, T->calls);
}

TEST_F(link, reply_over_the_limit)
{
	add_kill(B, 1, LIMIT_RPC_FRAME);
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	ALIVE(3);
}

TEST_F(link, server_closes_in_its_own_callback)
{
	add_request(B, 1, "Shutdown", "", 0, 0);
	add_state(B, 3, "never");
	send(T->fd, B->data, B->len, 0);
	buf_reset(B);
	turn(T, 3);
	EXPECT_EQ(0, T->server.n_conns);
	EXPECT_EQ(0, T->calls);
	EXPECT_EQ(0, T->gone);
	ANSWER(1, 0);
	SILENT();
}

TEST_F(link, status_text_is_valid_utf8)
{
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	rpc_reply_status(&T->server, T->held[0], RPC_UNKNOWN, "a\xff" "b\xc3\xa9 \xed\xa0\x80.");
	ANSWER(1, RPC_UNKNOWN);
	EXPECT_STREQ("a?b\xc3\xa9 ???.", A->text);
}

TEST_F(link, err_becomes_a_status)
{
	struct err e = { 0 };

	err_set(&e, ERR_STATE, 0, "c1", "cannot pause a stopped container");
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	rpc_reply_err(&T->server, T->held[0], &e);
	ANSWER(1, RPC_FAILED_PRECONDITION);
	EXPECT_STREQ("c1: cannot pause a stopped container", A->text);
}

/* ---- client side -------------------------------------------------------------------- */

struct wish {
	struct ttrpc_call call;
	int n, error, code;
	size_t len;
	bool frees;		/* the callback closes and frees the client */
	struct ttrpc_client *client;
};

static void wish_done(struct ttrpc_call *call, const struct ttrpc_result *res)
{
	struct wish *w = loop_owner(call, struct wish, call);

	w->n++;
	w->error = res->error;
	w->code = res->code;
	w->len = res->len;
	if (w->frees) {
		ttrpc_client_close(w->client);
		free(w->client);
	}
}

static int n_lost;

static void on_lost(struct ttrpc_client *c, int error)
{
	n_lost++;
}

FIXTURE(caller) {
	struct state t;
	struct ttrpc_client *c;
	struct wish w[3];
	struct ttrpc_call_args args;
	int fd;			/* a peer that is no server of ours */
};

FIXTURE_SETUP(caller)
{
	int sv[2], i;

	self->t = (struct state){ .held = calloc(HELD_MAX, sizeof(struct rpc_token)), .fd = -1 };
	ASSERT_EQ(0, loop_init(&self->t.loop));
	self->t.server.loop = &self->t.loop;
	self->t.server.owner = &self->t;
	self->t.server.request = on_request;
	self->c = calloc(1, sizeof(*self->c));
	self->c->lost = on_lost;
	memset(self->w, 0, sizeof(self->w));
	for (i = 0; i < 3; i++)
		self->w[i].call.done = wish_done;
	self->args = (struct ttrpc_call_args){ .service = RPC_TASK_V2, .method = "Wait", .ns = "moby" };
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	ASSERT_EQ(0, ttrpc_client_open(self->c, &self->t.loop, sv[0]));
	self->fd = sv[1];
	n_lost = 0;
}

FIXTURE_TEARDOWN(caller)
{
	if (self->c)
		ttrpc_client_close(self->c);
	free(self->c);
	ttrpc_server_close(&self->t.server);
	loop_fini(&self->t.loop);
	fd_close(&self->fd);
	free(self->t.held);
}

/* Let our server serve the other end. */
#define SERVE() ASSERT_EQ(0, ttrpc_server_add(&self->t.server, take_fd(&self->fd)))
#define CALL(i) ASSERT_EQ(0, ttrpc_client_call(self->c, &self->w[i].call, &self->args))
#define TURN() turn(&self->t, 5)

TEST_F(caller, answers_find_their_calls)
{
	int i;

	SERVE();
	for (i = 0; i < 3; i++)
		CALL(i);
	TURN();
	ASSERT_EQ(3, self->t.n_held);
	EXPECT_EQ(1, self->t.held[0].stream);
	EXPECT_EQ(5, self->t.held[2].stream);
	reply_sized(&self->t.server, self->t.held[2], 30);
	rpc_reply_status(&self->t.server, self->t.held[0], RPC_ABORTED, "no");
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_EQ(RPC_ABORTED, self->w[0].code);
	EXPECT_EQ(0, self->w[1].n);
	EXPECT_EQ(32, self->w[2].len);
	/* A call that was given up stays silent; its answer does no harm. */
	ttrpc_client_forget(&self->w[1].call);
	rpc_reply(&self->t.server, self->t.held[1], NULL);
	TURN();
	EXPECT_EQ(0, self->w[1].n);
	EXPECT_TRUE(ttrpc_client_is_open(self->c));
}

TEST_F(caller, connection_lost)
{
	CALL(0);
	CALL(1);
	fd_close(&self->fd);
	TURN();
	EXPECT_EQ(-ECONNRESET, self->w[0].error);
	EXPECT_EQ(-ECONNRESET, self->w[1].error);
	EXPECT_EQ(1, n_lost);
	EXPECT_FALSE(ttrpc_client_is_open(self->c));
	EXPECT_EQ(-ENOTCONN, ttrpc_client_call(self->c, &self->w[2].call, &self->args));
	EXPECT_EQ(0, self->w[2].n);
}

TEST_F(caller, peer_closed_before_the_call)
{
	fd_close(&self->fd);
	CALL(0);		/* the socket says EPIPE, but callbacks come from the loop only */
	EXPECT_EQ(0, self->w[0].n);
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_GT(0, self->w[0].error);
	EXPECT_EQ(1, n_lost);
}

TEST_F(caller, close_cancels)
{
	CALL(0);
	ttrpc_client_close(self->c);
	EXPECT_EQ(-ECANCELED, self->w[0].error);
	EXPECT_EQ(0, n_lost);
}

TEST_F(caller, callback_frees_the_client)
{
	SERVE();
	CALL(0);
	CALL(1);
	TURN();
	self->w[0].frees = true;
	self->w[0].client = self->c;
	rpc_reply(&self->t.server, self->t.held[0], NULL);
	rpc_reply(&self->t.server, self->t.held[1], NULL);
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_EQ(-ECANCELED, self->w[1].error);
	self->c = NULL;
}

TEST_F(caller, answer_that_is_none)
{
	auto_buf b = BUF_INIT;
	auto_buf junk = BUF_INIT;

	CALL(0);
	CALL(1);
	CALL(2);
	head(&b, 2, 1, TTRPC_RESPONSE, 0);
	buf_adds(&b, "\xff\xff");
	head(&b, 4, 99, TTRPC_RESPONSE, 0);		/* nobody asked */
	buf_adds(&b, "\xff\xff\xff\xff");
	head(&b, 0, 3, TTRPC_REQUEST, 0);		/* we serve nothing here */
	head(&b, LIMIT_RPC_FRAME + 9, 3, TTRPC_RESPONSE, 0);
	buf_reserve(&junk, LIMIT_RPC_FRAME + 10);
	memset(junk.data, 0, LIMIT_RPC_FRAME + 9);
	buf_add(&b, junk.data, LIMIT_RPC_FRAME + 9);
	head(&b, 0, 5, TTRPC_RESPONSE, 0);
	push(&self->t, self->fd, b.data, b.len);
	TURN();
	EXPECT_EQ(-EPROTO, self->w[0].error);
	EXPECT_EQ(0, self->w[1].error);
	EXPECT_EQ(RPC_RESOURCE_EXHAUSTED, self->w[1].code);
	EXPECT_EQ(1, self->w[2].n);
	EXPECT_EQ(0, self->w[2].error);
	EXPECT_EQ(0, self->w[2].code);
}

TEST_F(caller, request_over_the_limit)
{
	char *big = calloc(1, LIMIT_RPC_FRAME);

	self->args.payload = (const uint8_t *)big;
	self->args.len = LIMIT_RPC_FRAME;
	EXPECT_EQ(-EMSGSIZE, ttrpc_client_call(self->c, &self->w[0].call, &self->args));
	EXPECT_EQ(NULL, self->w[0].call.pprev);
	free(big);
}

/* ---- sockets ------------------------------------------------------------------------- */

TEST(listening_socket)
{
	char dir[] = "/tmp/test_ttrpc.XXXXXX", path[64], address[80];
	struct ttrpc_server s = { .request = on_request };
	struct loop loop;
	struct stat st;
	int fd, c;
	pid_t pid;

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix://%s", path);
	umask(0);
	fd = ttrpc_listen(path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(-EADDRINUSE, ttrpc_listen(path));
	EXPECT_EQ(0, loop_init(&loop));
	s.loop = &loop;
	EXPECT_EQ(0, ttrpc_server_accept(&s, fd));
	c = ttrpc_connect(address);
	ASSERT_LE(0, c);
	EXPECT_EQ(1, ttrpc_server_accept(&s, fd));
	close(c);
	if (!geteuid()) {
		/* Somebody else who got hold of the socket is turned away. */
		chmod(dir, 0777);
		chmod(path, 0777);
		pid = fork();
		if (!pid) {
			struct pollfd p = { .events = POLLIN };

			if (setresgid(1, 1, 1) || setresuid(1, 1, 1))
				_exit(2);
			p.fd = ttrpc_connect(path);
			_exit(p.fd >= 0 && poll(&p, 1, 5000) == 1 && (p.revents & POLLHUP) ? 0 : 1);
		}
		for (c = 0; c < 50; c++, usleep(10000))
			EXPECT_EQ(0, ttrpc_server_accept(&s, fd));
		waitpid(pid, &c, 0);
		EXPECT_EQ(0, c);
		EXPECT_EQ(1, s.n_conns);
	}
	ttrpc_server_close(&s);
	close(fd);
	EXPECT_EQ(-ECONNREFUSED, ttrpc_connect(path));
	unlink(path);
	EXPECT_EQ(-ENOENT, ttrpc_connect(path));
	EXPECT_EQ(-EINVAL, ttrpc_connect("relative"));
	EXPECT_EQ(-EINVAL, ttrpc_connect("vsock://1:2"));
	rmdir(dir);
	loop_fini(&loop);
}

TEST(full_backlog_does_not_block)
{
	char dir[] = "/tmp/test_ttrpc.XXXXXX", path[64], longer[200];
	int lfd, n, fd = 0, fds[64];

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	lfd = ttrpc_listen(path);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, listen(lfd, 2));
	for (n = 0; n < 64; n++) {
		fd = fds[n] = ttrpc_connect(path);
		if (fd < 0)
			break;
	}
	EXPECT_EQ(-EAGAIN, fd);
	while (n--)
		close(fds[n]);
	close(lfd);
	unlink(path);
	rmdir(dir);
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, ttrpc_connect(longer));
}

TEST_HARNESS_MAIN

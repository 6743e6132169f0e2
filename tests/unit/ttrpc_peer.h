/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small task server on a loop, and the raw peer's end of a connection to it. */
#ifndef TEST_TTRPC_PEER_H
#define TEST_TTRPC_PEER_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "buf.h"
#include "dispatch.h"
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
static inline void echo(struct rpc_call *c, const void *req)
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
static inline void hold(struct rpc_call *c, const void *req)
{
	struct state *t = c->server->owner;

	t->calls++;
	t->held[t->n_held++] = c->token;
}

static inline void reply_sized(struct ttrpc_server *s, struct rpc_token token, size_t size)
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
static inline void sized(struct rpc_call *c, const void *req)
{
	const Cleat__Task__KillRequest *q = req;
	struct state *t = c->server->owner;

	t->calls++;
	reply_sized(c->server, c->token, q->signal);
}

/* Shutdown: the server closes while its own callback runs. */
static inline void leave(struct rpc_call *c, const void *req)
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

static inline void on_request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
	rpc_dispatch(services, 1, s, r);
}

static inline void on_gone(struct ttrpc_server *s, uint64_t conn)
{
	((struct state *)s->owner)->gone++;
}

static inline int connect_peer(struct state *t)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	if (ttrpc_server_add(&t->server, sv[0]))
		return -1;
	return sv[1];
}

static inline void turn(struct state *t, int times)
{
	while (times--)
		loop_once(&t->loop, 0);
}

/* Send bytes, letting the server read when its socket is full. */
static inline void push(struct state *t, int fd, const void *p, size_t n)
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

static inline void head(struct buf *b, uint32_t len, uint32_t stream, uint8_t type, uint8_t flags)
{
	const uint8_t h[TTRPC_HEADER] = {
		(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream,
		type, flags,
	};

	buf_add(b, h, sizeof(h));
}

static inline void add_request(struct buf *b, uint32_t stream, const char *method, const void *payload,
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

static inline void add_state(struct buf *b, uint32_t stream, const char *id)
{
	Cleat__Task__StateRequest m = CLEAT__TASK__STATE_REQUEST__INIT;
	struct buf p = BUF_INIT;

	m.id = msg_set(id);
	msg_pack(&p, &m);
	add_request(b, stream, "State", p.data, p.len, 0);
	buf_fini(&p);
}

static inline void add_kill(struct buf *b, uint32_t stream, uint32_t size)
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

static inline bool get(struct state *t, int fd, void *p, size_t n)
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
static inline bool answer(struct state *t, int fd, struct answer *a)
{
	struct arena arena = ARENA_INIT;
	Cleat__Task__StateResponse *p = NULL;
	Ttrpc__Response *r;
	uint8_t h[TTRPC_HEADER], *data;
	bool ok;

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
	ok = r && (r->status || p);
	free(data);
	arena_fini(&arena);
	return ok;
}

/* Under AddressSanitizer: nothing is left behind. A test's process ends without the usual check. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
static inline int leaks(void)
{
	return __lsan_do_recoverable_leak_check ? __lsan_do_recoverable_leak_check() : 0;
}
#endif

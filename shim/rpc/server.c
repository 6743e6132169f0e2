/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ttrpc server side: connections, stream ids, request and response envelopes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "message.h"
#include "ttrpc.h"
#include "ttrpc.pb-c.h"
#include "utf8.h"

#define NS_KEY "containerd-namespace-ttrpc"
#define STATUS_TEXT_MAX 4096u

static struct ttrpc_conn *find_conn(const struct ttrpc_server *s, uint64_t id)
{
	struct table_node *n = table_first(&s->by_id, (uint32_t)id);

	while (n && loop_owner(n, struct ttrpc_conn, by_id)->id != id)
		n = table_next(n);
	return n ? loop_owner(n, struct ttrpc_conn, by_id) : NULL;
}

static void conn_free(struct ttrpc_conn *c)
{
	*c->pprev = c->next;
	if (c->next)
		c->next->pprev = c->pprev;
	table_del(&c->server->by_id, &c->by_id);
	c->server->n_conns--;
	ttrpc_chan_close(&c->chan);
	pool_free(&c->server->conn_pool, c);
}

static void send_status(struct ttrpc_conn *c, uint32_t stream, enum rpc_code code, const char *msg)
{
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	Ttrpc__Status status = TTRPC__STATUS__INIT;
	char text[STATUS_TEXT_MAX];
	struct ttrpc_out *o;

	utf8_copy(text, sizeof(text), msg);
	status.code = code;
	status.message = msg_set(text);
	response.status = &status;
	o = ttrpc_chan_frame(stream, TTRPC_RESPONSE, ttrpc__response__get_packed_size(&response));
	if (!o)
		return;
	ttrpc__response__pack(&response, o->bytes + TTRPC_HEADER);
	ttrpc_chan_send(&c->chan, o);
}

static const char *namespace_of(const Ttrpc__Request *q)
{
	size_t i;

	for (i = 0; i < q->n_metadata; i++)
		if (!strcmp(msg_str(&q->metadata[i]->key), NS_KEY))
			return msg_str(&q->metadata[i]->value);
	return "";
}

/* Is this frame a request that may be served? Answers for those that are not. */
static bool acceptable(struct ttrpc_conn *c, const struct ttrpc_frame *f)
{
	char text[128];

	/* Other types, and responses to a peer that was never called, mean nothing here. */
	if (f->type != TTRPC_REQUEST && f->type != TTRPC_DATA)
		return false;
	if (f->oversized) {
		snprintf(text, sizeof(text), "message of %u bytes is larger than the limit of %u",
			 f->len, LIMIT_RPC_FRAME);
		send_status(c, f->stream, RPC_RESOURCE_EXHAUSTED, text);
	} else if (f->stream % 2 == 0) {
		snprintf(text, sizeof(text), "stream id %u is not odd", f->stream);
		send_status(c, f->stream, RPC_INVALID_ARGUMENT, text);
	} else if (f->type == TTRPC_DATA) {
		snprintf(text, sizeof(text), "stream id %u is not active", f->stream);
		send_status(c, f->stream, RPC_INVALID_ARGUMENT, text);
	} else if (f->stream <= c->last_stream) {
		snprintf(text, sizeof(text), "stream id %u is not above the last one, %u",
			 f->stream, c->last_stream);
		send_status(c, f->stream, RPC_INVALID_ARGUMENT, text);
	} else if (c->n_open >= LIMIT_RPC_OPEN) {
		c->last_stream = f->stream;
		snprintf(text, sizeof(text), "%u requests are unanswered already", c->n_open);
		send_status(c, f->stream, RPC_RESOURCE_EXHAUSTED, text);
	} else {
		return true;
	}
	return false;
}

static void conn_frame(struct ttrpc_chan *ch, const struct ttrpc_frame *f)
{
	struct ttrpc_conn *c = loop_owner(ch, struct ttrpc_conn, chan);
	auto_arena arena = { .limit = LIMIT_RPC_MESSAGE };
	struct ttrpc_request r = { .arena = &arena };
	struct err e = { 0 };
	char text[ERR_TEXT_MAX];
	const Ttrpc__Request *q;

	if (!acceptable(c, f))
		return;
	c->last_stream = f->stream;
	q = msg_unpack(&arena, &ttrpc__request__descriptor, f->data, f->len, &e);
	if (!q) {
		send_status(c, f->stream, e.kind == ERR_LIMIT ? RPC_RESOURCE_EXHAUSTED :
			    RPC_INVALID_ARGUMENT, err_render(&e, text, sizeof(text)));
		return;
	}
	c->n_open++;
	r.token = (struct rpc_token){ c->id, f->stream };
	r.service = msg_str(&q->service);
	r.method = msg_str(&q->method);
	r.ns = namespace_of(q);
	r.timeout_nano = q->timeout_nano;
	r.payload = q->payload.data;
	r.len = q->payload.len;
	/* The connection may be gone when this returns. */
	c->server->request(c->server, &r);
}

static void conn_closed(struct ttrpc_chan *ch, int error)
{
	struct ttrpc_conn *c = loop_owner(ch, struct ttrpc_conn, chan);
	struct ttrpc_server *s = c->server;
	uint64_t id = c->id;

	conn_free(c);
	if (s->gone)
		s->gone(s, id);
}

/* At @at of the list. */
static int conn_new(struct ttrpc_server *s, struct ttrpc_conn **at, int fd, uint64_t id)
{
	struct ttrpc_conn *c = pool_alloc(&s->conn_pool, sizeof(*c));
	int r;

	if (!c) {
		fd_close(&fd);
		return -ENOMEM;
	}
	c->chan.frame = conn_frame;
	c->chan.closed = conn_closed;
	r = ttrpc_chan_open(&c->chan, s->loop, fd);
	if (r) {
		pool_free(&s->conn_pool, c);
		return r;
	}
	c->server = s;
	c->id = id;
	c->next = *at;
	c->pprev = at;
	if (c->next)
		c->next->pprev = &c->next;
	*at = c;
	table_add(&s->by_id, &c->by_id, (uint32_t)id);
	s->n_conns++;
	return 0;
}

int ttrpc_server_add(struct ttrpc_server *s, int fd)
{
	return conn_new(s, &s->conns, fd, ++s->last_id);
}

int ttrpc_server_resume(struct ttrpc_server *s, int fd, uint64_t id)
{
	struct ttrpc_conn **at = &s->conns;

	if (!id || id > s->last_id || find_conn(s, id)) {
		fd_close(&fd);
		return -EBADMSG;
	}
	while (*at)
		at = &(*at)->next;
	return conn_new(s, at, fd, id);
}

static bool peer_is_us(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	       cred.uid == geteuid() && cred.gid == getegid();
}

int ttrpc_server_accept(struct ttrpc_server *s, int listener)
{
	int n = 0, fd, r;

	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return errno == EAGAIN ? n : -errno;
		if (!peer_is_us(fd)) {
			close(fd);
			continue;
		}
		r = ttrpc_server_add(s, fd);
		if (r)
			return r;
		n++;
	}
}

size_t ttrpc_server_unsent(const struct ttrpc_server *s)
{
	const struct ttrpc_conn *c;
	size_t n = 0;

	for (c = s->conns; c; c = c->next)
		n += c->chan.out_bytes;
	return n;
}

void ttrpc_server_close(struct ttrpc_server *s)
{
	while (s->conns)
		conn_free(s->conns);
	table_fini(&s->by_id);
}

static size_t put_varint(uint8_t *p, size_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		p[n++] = (uint8_t)(v | 0x80);
	p[n++] = (uint8_t)v;
	return n;
}

/*
 * A successful Response has one field, the payload, and none if that is
 * empty: written by hand so that the message is packed right into the frame.
 */
struct ttrpc_out *ttrpc_reply_begin(uint32_t stream, size_t len, uint8_t **payload)
{
	uint8_t head[16];
	size_t n = 0;
	struct ttrpc_out *o;

	if (len > LIMIT_RPC_FRAME)
		return NULL;
	if (len) {
		head[n++] = 2 << 3 | 2;		/* field 2, length-delimited */
		n += put_varint(head + n, len);
	}
	o = ttrpc_chan_frame(stream, TTRPC_RESPONSE, n + len);
	if (!o)
		return NULL;
	memcpy(o->bytes + TTRPC_HEADER, head, n);
	*payload = o->bytes + TTRPC_HEADER + n;
	return o;
}

/* The connection of a token, its request now counted as answered; NULL when it is gone. */
static struct ttrpc_conn *answered(struct ttrpc_server *s, struct rpc_token t)
{
	struct ttrpc_conn *c = find_conn(s, t.conn);

	if (c && c->n_open)
		c->n_open--;
	return c;
}

void ttrpc_reply_end(struct ttrpc_server *s, struct rpc_token t, struct ttrpc_out *o)
{
	struct ttrpc_conn *c = answered(s, t);

	if (c)
		ttrpc_chan_send(&c->chan, o);
	else
		free(o);
}

void ttrpc_reply_status(struct ttrpc_server *s, struct rpc_token t, enum rpc_code code,
			const char *msg)
{
	struct ttrpc_conn *c = answered(s, t);

	if (c)
		send_status(c, t.stream, code, msg);
}

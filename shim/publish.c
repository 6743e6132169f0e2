/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event queue (contract shim 6). One call at a time: the next event is
 * sent when the one before was taken, so their order is containerd's too.
 * Whatever goes wrong is tried again; only an event that containerd says it
 * can never take is logged and passed by, for it would hold all others back.
 */
#include "publish.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "arena.h"
#include "bounds.h"
#include "dispatch.h"
#include "message.h"
#include "types.pb-c.h"

#define CALL_MS 5000
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 1000
#define FRAME_ROOM 4096		/* for what the call is wrapped in: service, method, namespace */

static void send_head(struct publisher *p);

static void retry_later(struct publisher *p)
{
	loop_timer_set(p->loop, &p->timer, p->pause_ms);
	p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
}

static void drop_head(struct publisher *p)
{
	struct event *ev = p->head;

	p->head = ev->next;
	if (!p->head)
		p->tail = &p->head;
	free(ev);
}

/* Codes that say that the same event will never be taken. */
static bool refused(int code)
{
	return code == RPC_INVALID_ARGUMENT || code == RPC_UNIMPLEMENTED;
}

static void call_done(struct ttrpc_call *call, const struct ttrpc_result *res)
{
	struct publisher *p = loop_owner(call, struct publisher, call);

	p->calling = false;
	loop_timer_cancel(&p->timer);
	if (res->error == -ECANCELED)
		return;
	if (res->error || (res->code != RPC_OK && !refused(res->code))) {
		retry_later(p);
		return;
	}
	if (res->code != RPC_OK)
		log_error(p->log, "event refused by containerd: %s", res->message);
	p->pause_ms = PAUSE_FIRST_MS;
	drop_head(p);
	if (p->head)
		send_head(p);
	else if (p->drained)
		p->drained(p);
}

static void connection_lost(struct ttrpc_client *c, int error)
{
	loop_owner(c, struct publisher, client)->connected = false;
}

/* A call that is not answered in time: the connection is of no use any more. */
static void timer_due(struct loop_timer *t)
{
	struct publisher *p = loop_owner(t, struct publisher, timer);

	if (p->calling) {
		log_warn(p->log, "containerd does not take events, trying again");
		ttrpc_client_forget(&p->call);
		p->calling = false;
		ttrpc_client_close(&p->client);
		p->connected = false;
	}
	if (p->head)
		send_head(p);
}

static int connect_now(struct publisher *p)
{
	int fd, r;

	if (p->connected)
		return 0;
	fd = ttrpc_connect(p->address);
	if (fd < 0)
		return fd;
	p->client = (struct ttrpc_client){ .lost = connection_lost };
	r = ttrpc_client_open(&p->client, p->loop, fd);
	p->connected = r == 0;
	return r;
}

static void send_head(struct publisher *p)
{
	struct ttrpc_call_args args = {
		.service = RPC_EVENTS, .method = "Forward", .ns = p->ns,
		.timeout_nano = (int64_t)CALL_MS * 1000000,
		.payload = p->head->payload, .len = p->head->len,
	};
	int r = connect_now(p);

	if (!r)
		r = ttrpc_client_call(&p->client, &p->call, &args);
	if (r < 0) {
		retry_later(p);
		return;
	}
	p->calling = true;
	loop_timer_set(p->loop, &p->timer, CALL_MS);
}

void publish_init(struct publisher *p, struct loop *l, const struct log *log, const char *address,
		  const char *ns)
{
	*p = (struct publisher){
		.loop = l, .log = log, .address = address, .ns = ns, .pause_ms = PAUSE_FIRST_MS,
		.call = { .done = call_done }, .timer = { .fn = timer_due },
	};
	p->tail = &p->head;
}

int publish_packed(struct publisher *p, const void *payload, size_t len)
{
	struct event *ev = malloc(sizeof(*ev) + len);

	if (!ev)
		return -ENOMEM;
	ev->next = NULL;
	ev->len = len;
	memcpy(ev->payload, payload, len);
	*p->tail = ev;
	p->tail = &ev->next;
	if (!p->calling && !p->timer.pprev)
		send_head(p);
	return 0;
}

int publish_event(struct publisher *p, const char *topic, const void *event)
{
	Containerd__Types__ForwardRequest req = CONTAINERD__TYPES__FORWARD_REQUEST__INIT;
	Containerd__Types__Envelope env = CONTAINERD__TYPES__ENVELOPE__INIT;
	Google__Protobuf__Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	auto_arena a = ARENA_INIT;
	auto_buf b = BUF_INIT;
	struct timespec now;

	if (!p->address)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	ts.seconds = now.tv_sec;
	ts.nanos = (int32_t)now.tv_nsec;
	env.timestamp = &ts;
	env.namespace_ = msg_set(p->ns);
	env.topic = msg_set(topic);
	env.event = &any;
	req.envelope = &env;
	if (!any_set(&a, &any, event))
		msg_pack(&b, &req);
	/* In the queue it would hold all others back, for it can never be sent. */
	if (buf_ok(&b) && b.len > LIMIT_RPC_FRAME - FRAME_ROOM) {
		log_error(p->log, "event %s of %zu bytes is too large for containerd", topic, b.len);
		return -EMSGSIZE;
	}
	if (!buf_ok(&b) || !b.len || publish_packed(p, b.data, b.len)) {
		log_error(p->log, "out of memory: event %s is lost", topic);
		return -ENOMEM;
	}
	return 0;
}

void publish_fini(struct publisher *p)
{
	loop_timer_cancel(&p->timer);
	if (p->connected)
		ttrpc_client_close(&p->client);
	p->connected = false;
	while (p->head)
		drop_head(p);
}

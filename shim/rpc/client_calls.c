/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ttrpc client side: calls in flight on one connection. */
#include <errno.h>
#include <stdlib.h>
#include "bounds.h"
#include "message.h"
#include "ttrpc.h"
#include "ttrpc.pb-c.h"

#define NS_KEY "containerd-namespace-ttrpc"

static void finish(struct ttrpc_call *call, const struct ttrpc_result *res)
{
	ttrpc_client_forget(call);
	call->done(call, res);
}

static void client_frame(struct ttrpc_chan *ch, const struct ttrpc_frame *f)
{
	struct ttrpc_client *c = loop_owner(ch, struct ttrpc_client, chan);
	auto_arena arena = { .limit = LIMIT_RPC_MESSAGE };
	struct ttrpc_result res = { .message = "" };
	struct ttrpc_call *call;
	const Ttrpc__Response *p;

	if (f->type != TTRPC_RESPONSE)
		return;
	for (call = c->calls; call && call->stream != f->stream; call = call->next)
		;
	if (!call)			/* given up before: a late answer */
		return;
	if (f->oversized) {
		res.code = RPC_RESOURCE_EXHAUSTED;
		res.message = "response is larger than the frame limit";
		finish(call, &res);
		return;
	}
	p = msg_unpack(&arena, &ttrpc__response__descriptor, f->data, f->len, NULL);
	if (!p) {
		res.error = -EPROTO;
	} else {
		res.code = p->status ? p->status->code : RPC_OK;
		res.message = p->status ? msg_str(&p->status->message) : "";
		res.payload = p->payload.data;
		res.len = p->payload.len;
	}
	finish(call, &res);
}

/* Tell all calls that there will be no answer. */
static void fail_calls(struct ttrpc_client *c, int error)
{
	struct ttrpc_result res = { .error = error, .message = "" };

	while (c->calls)
		finish(c->calls, &res);
}

static void client_closed(struct ttrpc_chan *ch, int error)
{
	struct ttrpc_client *c = loop_owner(ch, struct ttrpc_client, chan);

	fail_calls(c, error);
	if (c->lost)
		c->lost(c, error);
}

int ttrpc_client_open(struct ttrpc_client *c, struct loop *l, int fd)
{
	c->chan.frame = client_frame;
	c->chan.closed = client_closed;
	c->calls = NULL;
	c->next_stream = 1;
	return ttrpc_chan_open(&c->chan, l, fd);
}

bool ttrpc_client_is_open(const struct ttrpc_client *c)
{
	/* A zeroed client was never opened and has no loop yet. */
	return c->chan.loop && c->chan.fd >= 0 && !c->chan.broken;
}

int ttrpc_client_call(struct ttrpc_client *c, struct ttrpc_call *call,
		      const struct ttrpc_call_args *a)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	Ttrpc__KeyValue ns = TTRPC__KEY_VALUE__INIT, *metadata[1] = { &ns };
	struct ttrpc_out *o;
	size_t n;

	if (!ttrpc_client_is_open(c) || c->next_stream > UINT32_MAX - 2)
		return -ENOTCONN;
	q.service = msg_set(a->service);
	q.method = msg_set(a->method);
	q.payload = msg_bytes(a->payload, a->len);
	q.timeout_nano = a->timeout_nano;
	if (a->ns && *a->ns) {
		ns.key = msg_set(NS_KEY);
		ns.value = msg_set(a->ns);
		q.metadata = metadata;
		q.n_metadata = 1;
	}
	n = ttrpc__request__get_packed_size(&q);
	if (n > LIMIT_RPC_FRAME)
		return -EMSGSIZE;
	o = ttrpc_chan_frame(c->next_stream, TTRPC_REQUEST, n);
	if (!o)
		return -ENOMEM;
	ttrpc__request__pack(&q, o->bytes + TTRPC_HEADER);
	call->stream = c->next_stream;
	c->next_stream += 2;
	call->next = c->calls;
	call->pprev = &c->calls;
	if (call->next)
		call->next->pprev = &call->next;
	c->calls = call;
	ttrpc_chan_send(&c->chan, o);
	return 0;
}

void ttrpc_client_forget(struct ttrpc_call *call)
{
	if (!call->pprev)
		return;
	*call->pprev = call->next;
	if (call->next)
		call->next->pprev = call->pprev;
	call->next = NULL;
	call->pprev = NULL;
}

void ttrpc_client_close(struct ttrpc_client *c)
{
	if (!c->chan.loop)
		return;
	ttrpc_chan_close(&c->chan);
	fail_calls(c, -ECANCELED);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocking ttrpc client: the asynchronous one with a loop of its own. */
#include "client.h"
#include <errno.h>
#include <poll.h>

#define RETRY_MS 5

static void client_lost(struct ttrpc_client *rpc, int error)
{
	struct client *c = loop_owner(rpc, struct client, rpc);

	c->error = error;
}

int client_open_fd(struct client *c, int fd, struct err *e)
{
	int r;

	*c = (struct client){ .rpc.lost = client_lost };
	r = loop_init(&c->loop);
	if (!r)
		r = ttrpc_client_open(&c->rpc, &c->loop, fd);
	if (r) {
		loop_fini(&c->loop);
		return err_set(e, ERR_KERNEL, r, NULL, "cannot watch the connection");
	}
	return 0;
}

int client_open(struct client *c, const char *address, int timeout_ms, struct err *e)
{
	uint64_t until = loop_now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	int fd;

	while ((fd = ttrpc_connect(address)) == -EAGAIN && loop_now_ms() < until)
		poll(NULL, 0, RETRY_MS);
	if (fd < 0)
		return err_set(e, ERR_PEER, fd, address, "cannot connect");
	return client_open_fd(c, fd, e);
}

void client_close(struct client *c)
{
	ttrpc_client_close(&c->rpc);
	loop_fini(&c->loop);
}

static void call_done(struct ttrpc_call *t, const struct ttrpc_result *res)
{
	struct client_call *call = loop_owner(t, struct client_call, call);

	call->done = true;
	call->error = res->error;
	call->code = res->code;
	buf_adds(&call->message, res->message);
	buf_add(&call->payload, res->payload, res->len);
	if (!call->error && (!buf_ok(&call->message) || !buf_ok(&call->payload)))
		call->error = -ENOMEM;
}

int client_send(struct client *c, struct client_call *call, const char *service,
		const char *method, const void *msg, int timeout_ms, struct err *e)
{
	auto_buf payload = BUF_INIT;
	struct ttrpc_call_args a = {
		.service = service, .method = method, .ns = c->ns,
		.timeout_nano = (int64_t)timeout_ms * 1000000,
	};
	int r;

	*call = (struct client_call){ .call.done = call_done };
	if (c->error)
		return err_set(e, ERR_PEER, c->error, method, "connection is lost");
	if (msg)
		msg_pack(&payload, msg);
	if (!buf_ok(&payload))
		return err_set(e, ERR_LIMIT, -ENOMEM, method, "cannot pack the request");
	a.payload = (const uint8_t *)payload.data;
	a.len = payload.len;
	r = ttrpc_client_call(&c->rpc, &call->call, &a);
	if (r)
		return err_set(e, ERR_PEER, r, method, "cannot send the request");
	return 0;
}

int client_wait(struct client *c, struct client_call *call, int timeout_ms, struct err *e)
{
	uint64_t until = loop_now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	int r, left = timeout_ms;

	while (!call->done) {
		if (!call->call.pprev)
			return err_set(e, ERR_BUG, -EINVAL, NULL, "call is not in flight");
		r = loop_once(&c->loop, left);
		if (r)
			return err_set(e, ERR_KERNEL, r, NULL, "cannot wait for the answer");
		if (call->done || timeout_ms < 0)
			continue;
		if (loop_now_ms() >= until)
			return err_set(e, ERR_TIMEOUT, -ETIMEDOUT, NULL, "no answer in %d ms", timeout_ms);
		left = (int)(until - loop_now_ms());
	}
	if (call->error)
		return err_set(e, ERR_PEER, call->error, NULL, "no answer");
	return 0;
}

static enum err_kind kind_of_code(int code)
{
	static const uint8_t kinds[] = {
		[RPC_INVALID_ARGUMENT] = ERR_SPEC,
		[RPC_DEADLINE_EXCEEDED] = ERR_TIMEOUT,
		[RPC_NOT_FOUND] = ERR_NOT_FOUND,
		[RPC_ALREADY_EXISTS] = ERR_EXISTS,
		[RPC_PERMISSION_DENIED] = ERR_DENIED,
		[RPC_RESOURCE_EXHAUSTED] = ERR_LIMIT,
		[RPC_FAILED_PRECONDITION] = ERR_STATE,
		[RPC_UNIMPLEMENTED] = ERR_UNSUPPORTED,
	};

	if (code < 0 || (size_t)code >= sizeof(kinds) || !kinds[code])
		return ERR_PEER;
	return kinds[code];
}

int client_status(const struct client_call *call, struct err *e)
{
	if (!call->code)
		return 0;
	return err_set(e, kind_of_code(call->code), 0, NULL, "%s",
		       call->message.len ? call->message.data : "failed without a reason");
}

int client_call(struct client *c, struct client_call *call, const char *service,
		const char *method, const void *msg, int timeout_ms, struct err *e)
{
	int r;

	r = client_send(c, call, service, method, msg, timeout_ms, e);
	if (!r)
		r = client_wait(c, call, timeout_ms > 0 ? timeout_ms : -1, e);
	if (!r)
		r = client_status(call, e);
	return r;
}

void client_call_fini(struct client_call *call)
{
	ttrpc_client_forget(&call->call);
	buf_fini(&call->message);
	buf_fini(&call->payload);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From service and method names to handlers. */
#include "dispatch.h"
#include <string.h>

static const struct rpc_service *find_service(const struct rpc_service *services, unsigned int n,
					      const char *name)
{
	unsigned int i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof(services->names) / sizeof(services->names[0]); k++)
			if (services[i].names[k] && !strcmp(services[i].names[k], name))
				return &services[i];
	return NULL;
}

static const struct rpc_method *find_method(const struct rpc_service *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->methods[i].name, name))
			return &s->methods[i];
	return NULL;
}

static enum rpc_code unpack_code(const struct err *e)
{
	switch (e->kind) {
	case ERR_SPEC:
		return RPC_INVALID_ARGUMENT;
	case ERR_LIMIT:
		return RPC_RESOURCE_EXHAUSTED;
	default:
		return RPC_INTERNAL;
	}
}

void rpc_dispatch(const struct rpc_service *services, unsigned int n, struct ttrpc_server *s,
		  const struct ttrpc_request *r)
{
	const struct rpc_service *service = find_service(services, n, r->service);
	const struct rpc_method *method = service ? find_method(service, r->method) : NULL;
	struct rpc_call call = {
		.server = s, .token = r->token, .service = r->service, .method = r->method,
		.ns = r->ns, .timeout_nano = r->timeout_nano, .arena = r->arena,
	};
	struct err e = { 0 };
	char text[ERR_TEXT_MAX];
	const void *req;

	if (!service) {
		rpc_reply_status(s, r->token, RPC_UNIMPLEMENTED, "service %s", r->service);
		return;
	}
	if (!method) {
		rpc_reply_status(s, r->token, RPC_UNIMPLEMENTED, "method %s", r->method);
		return;
	}
	/* A caller whose time was over when it asked has gone: do nothing on its behalf. */
	if (r->timeout_nano < 0) {
		rpc_reply_status(s, r->token, RPC_DEADLINE_EXCEEDED, "context deadline exceeded");
		return;
	}
	req = msg_unpack(r->arena, method->request, r->payload, r->len, &e);
	if (!req) {
		rpc_reply_status(s, r->token, unpack_code(&e), "%s",
				 err_render(&e, text, sizeof(text)));
		return;
	}
	method->handler(&call, req);
}

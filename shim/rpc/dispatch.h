/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_DISPATCH_H
#define CLEAT_DISPATCH_H
#include <protobuf-c/protobuf-c.h>
#include "message.h"
#include "status.h"
#include "ttrpc.h"

/*
 * From a request to a handler, by tables. A handler gets its message unpacked
 * and checked, and must answer @call->token exactly once, now or later
 * (status.h). Example:
 *
 *	static void state(struct rpc_call *c, const void *req)
 *	{
 *		const Cleat__Task__StateRequest *q = req;
 *		Cleat__Task__StateResponse p = CLEAT__TASK__STATE_RESPONSE__INIT;
 *
 *		p.id = msg_set(msg_str(&q->id));
 *		rpc_reply(c->server, c->token, &p);
 *	}
 *	static const struct rpc_method methods[] = {
 *		{ "State", &cleat__task__state_request__descriptor, state },
 *	};
 *	static const struct rpc_service services[] = {
 *		{ { RPC_TASK_V2, RPC_TASK_V3 }, methods, N_ELEMENTS },
 *	};
 *
 * and ttrpc_server.request calls rpc_dispatch().
 */

#define RPC_TASK_V2 "containerd.task.v2.Task"
#define RPC_TASK_V3 "containerd.task.v3.Task"
#define RPC_EVENTS "containerd.services.events.ttrpc.v1.Events"

/** struct rpc_call - What a handler knows of its call beside the message. */
struct rpc_call {
	struct ttrpc_server *server;	/* @server->owner is the shim */
	struct rpc_token token;		/* copy it to answer later */
	const char *service, *method, *ns;
	int64_t timeout_nano;		/* relative to now; 0: none (never negative) */
	/**
	 * @arena: holds the message and the strings above; freed when the handler returns, unless
	 * the handler took it: "mine = *c->arena; *c->arena = ARENA_INIT;".
	 */
	struct arena *arena;
};

struct rpc_method {
	const char *name;
	const ProtobufCMessageDescriptor *request;
	void (*handler)(struct rpc_call *c, const void *req);
};

struct rpc_service {
	const char *names[3];		/* all names it answers to; NULL after the last */
	const struct rpc_method *methods;
	unsigned int n;
};

/**
 * rpc_dispatch() - Call the handler of @r, or answer for it: Unimplemented
 * ("service X", "method Y"), Internal (payload is no such message),
 * InvalidArgument (bad string), ResourceExhausted (too large unpacked).
 */
void rpc_dispatch(const struct rpc_service *services, unsigned int n, struct ttrpc_server *s,
		  const struct ttrpc_request *r);
#endif

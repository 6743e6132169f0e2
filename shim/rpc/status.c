/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies of handlers: messages, and errors as statuses. */
#include "status.h"
#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdio.h>
#include "bounds.h"

void rpc_reply(struct ttrpc_server *s, struct rpc_token t, const void *m)
{
	size_t n = m ? protobuf_c_message_get_packed_size(m) : 0;
	struct ttrpc_out *o;
	uint8_t *payload;

	o = ttrpc_reply_begin(t.stream, n, &payload);
	if (!o) {
		rpc_reply_status(s, t, RPC_RESOURCE_EXHAUSTED,
				 "reply of %zu bytes is larger than the limit of %u or than memory", n,
				 LIMIT_RPC_FRAME);
		return;
	}
	if (n)
		protobuf_c_message_pack(m, payload);
	ttrpc_reply_end(s, t, o);
}

void rpc_reply_err(struct ttrpc_server *s, struct rpc_token t, const struct err *e)
{
	char text[ERR_TEXT_MAX];
	int code = err_grpc_code(e);

	ttrpc_reply_status(s, t, code ? (enum rpc_code)code : RPC_UNKNOWN,
			   err_render(e, text, sizeof(text)));
}

void rpc_reply_status(struct ttrpc_server *s, struct rpc_token t, enum rpc_code code,
		      const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ttrpc_reply_status(s, t, code, text);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_STATUS_H
#define CLEAT_STATUS_H
#include "err.h"
#include "ttrpc.h"

/*
 * Replies: exactly one of these per request. Each may be called from a
 * handler or any time later. What cannot be sent because the connection is
 * gone is dropped.
 */

/** rpc_reply() - Success with message @m (a generated struct); NULL: Empty. */
void rpc_reply(struct ttrpc_server *s, struct rpc_token t, const void *m);
/** rpc_reply_err() - Failure: code by err_grpc_code(), text by err_render(). */
void rpc_reply_err(struct ttrpc_server *s, struct rpc_token t, const struct err *e);
/** rpc_reply_status() - Failure with a text of the caller's. */
void rpc_reply_status(struct ttrpc_server *s, struct rpc_token t, enum rpc_code code,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#endif

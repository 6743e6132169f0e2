/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CLIENT_H
#define CLEAT_CLIENT_H
#include <stdbool.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "loop.h"
#include "message.h"
#include "status.h"
#include "ttrpc.h"

/*
 * A ttrpc client that blocks: for managers, tests and benches that do one
 * thing after another. Any number of calls may be in flight, so a Wait can be
 * sent before the Start whose exit it waits for. The structs must not move.
 */
struct client {
	struct loop loop;
	struct ttrpc_client rpc;
	const char *ns;			/* namespace of all calls; borrowed; set it after opening */
	int error;			/* -errno once the connection is lost */
};

struct client_call {
	struct ttrpc_call call;
	bool done;
	int error;			/* -errno: no answer */
	int code;			/* status of the answer */
	struct buf message;		/* of the status */
	struct buf payload;
};

/**
 * client_open() - Connect.
 * @address: "unix:///path" or "/path". @timeout_ms: how long a full backlog is retried.
 */
int client_open(struct client *c, const char *address, int timeout_ms, struct err *e);
/** client_open_fd() - The same on a connected socket, taken. */
int client_open_fd(struct client *c, int fd, struct err *e);
void client_close(struct client *c);

/**
 * client_send() - Start a call. @msg: message struct, NULL: Empty. @timeout_ms: told to
 * the server, 0: none.
 */
int client_send(struct client *c, struct client_call *call, const char *service,
		const char *method, const void *msg, int timeout_ms, struct err *e);
/**
 * client_wait() - Wait for the answer to @call, at most @timeout_ms (-1: for ever).
 * Return: 0 when there is an answer, whatever its status; ERR_TIMEOUT leaves the call in flight.
 */
int client_wait(struct client *c, struct client_call *call, int timeout_ms, struct err *e);
/**
 * client_status() - 0 if the call succeeded, else its status as an error with the server's
 * text.
 */
int client_status(const struct client_call *call, struct err *e);
/** client_call() - Send, wait, check the status. @call: room for the answer. */
int client_call(struct client *c, struct client_call *call, const char *service,
		const char *method, const void *msg, int timeout_ms, struct err *e);
/** client_call_fini() - Give up what is in flight and free what came. */
void client_call_fini(struct client_call *call);
#endif

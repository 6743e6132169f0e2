/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TTRPC_H
#define CLEAT_TTRPC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "loop.h"
#include "pool.h"
#include "table.h"

/*
 * ttrpc: frames of a 10-byte header and data over a stream socket, driven by
 * the epoll loop. Three layers, each a plain struct that its owner embeds:
 * a channel moves frames, a server makes requests of them, a client calls.
 * Nothing blocks; a call or a reply that a socket does not take yet is queued.
 */

enum { TTRPC_HEADER = 10 };
enum { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3 };

/** enum rpc_code - gRPC status codes, as far as they are used. */
enum rpc_code {
	RPC_OK = 0,
	RPC_UNKNOWN = 2,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_ALREADY_EXISTS = 6,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_ABORTED = 10,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
};

/* ---- channel: frames ------------------------------------------------------ */

struct ttrpc_frame {
	uint32_t stream;
	uint8_t type, flags;
	bool oversized;		/* @len is what the header said; the data is being thrown away */
	const uint8_t *data;	/* valid during the callback; NULL when oversized */
	uint32_t len;
};

struct ttrpc_out {			/* one frame that waits to be sent */
	struct ttrpc_out *next;
	uint32_t size, sent;		/* of bytes */
	uint8_t bytes[];		/* header and data */
};

struct ttrpc_chan {
	struct loop_source src;
	struct loop *loop;
	int fd;				/* owned; -1: closed */
	uint32_t events;		/* epoll events asked for */
	/**
	 * the frame being received: memory grows with what arrived, not with what the
	 * header says
	 */
	uint8_t head[TTRPC_HEADER];
	uint8_t head_len;
	uint32_t len, got, room;
	uint32_t discard;		/* bytes of an oversized frame still to come */
	uint8_t *data;
	/* frames to send */
	struct ttrpc_out *out, **out_tail;
	size_t out_bytes;
	bool *dead;			/* set by closing while a callback runs, in which the owner may go */
	bool broken;			/* @closed is due */
	int error;
	/**
	 * @frame: one received frame; may send, may close the channel and free what holds
	 * it.
	 */
	void (*frame)(struct ttrpc_chan *ch, const struct ttrpc_frame *f);
	/**
	 * @closed: called last of all, with the channel already closed; may free its
	 * owner. EOF is -ECONNRESET.
	 */
	void (*closed)(struct ttrpc_chan *ch, int error);
};

/**
 * ttrpc_chan_open() - Start on a connected stream socket.
 * @ch: @frame and @closed must be set; the rest is initialised here.
 * @fd: taken, also on failure; made non-blocking.
 * Return: 0 or -errno (then @closed is not called).
 */
int ttrpc_chan_open(struct ttrpc_chan *ch, struct loop *l, int fd);
/**
 * ttrpc_chan_frame() - A frame with room for @len bytes, header filled in; NULL: no memory
 * or @len over the limit.
 */
struct ttrpc_out *ttrpc_chan_frame(uint32_t stream, uint8_t type, size_t len);
/**
 * ttrpc_chan_send() - Send @o (taken) after all frames sent before.
 * A socket error or too much unread output breaks the channel: its @closed
 * follows, not before the caller's own callback has returned to the loop.
 */
void ttrpc_chan_send(struct ttrpc_chan *ch, struct ttrpc_out *o);
/**
 * ttrpc_chan_resume() - Go on in the middle of a frame: @head, @head_len and @discard are set, @data (taken; NULL:
 * none) are the @got bytes of it that have come. Return: 0, or -EBADMSG when that cannot be.
 */
int ttrpc_chan_resume(struct ttrpc_chan *ch, uint8_t *data, size_t got);
/**
 * ttrpc_chan_close() - Close now, if open; unsent frames are lost and @closed is not
 * called.
 */
void ttrpc_chan_close(struct ttrpc_chan *ch);

/* ---- server ------------------------------------------------------------------ */

/**
 * struct rpc_token - Where a reply goes. Plain data: keep it as long as
 * needed; a reply for a connection that is gone is dropped.
 */
struct rpc_token {
	uint64_t conn;		/* never used twice in the life of a server; 0: nowhere */
	uint32_t stream;
};

/** struct ttrpc_request - One unary request; pointers are valid during the callback. */
struct ttrpc_request {
	struct rpc_token token;
	const char *service, *method;
	const char *ns;			/* metadata containerd-namespace-ttrpc, "" without */
	int64_t timeout_nano;		/* relative; 0 or less: none */
	const uint8_t *payload;
	size_t len;
	struct arena *arena;		/* of this request; goes after the callback */
};

struct ttrpc_conn {
	struct ttrpc_chan chan;
	struct ttrpc_conn *next, **pprev;
	struct table_node by_id;
	struct ttrpc_server *server;
	uint64_t id;
	uint32_t last_stream;
	uint32_t n_open;		/* requests without a reply yet */
};

struct ttrpc_server {
	struct loop *loop;
	struct ttrpc_conn *conns;
	struct pool conn_pool;
	struct table by_id;		/* of connections */
	unsigned int n_conns;
	uint64_t last_id;
	void *owner;			/* the shim's */
	/** @request: must lead to exactly one reply, now or later. */
	void (*request)(struct ttrpc_server *s, const struct ttrpc_request *r);
	/** @gone: a connection ended by itself (not by ttrpc_server_close()); may be NULL. */
	void (*gone)(struct ttrpc_server *s, uint64_t conn);
};

/**
 * ttrpc_listen() - Socket listening at @path, mode 0600, non-blocking. Return: fd or
 * -errno (-EADDRINUSE: exists).
 */
int ttrpc_listen(const char *path);
/**
 * ttrpc_server_accept() - Accept what waits on @listener, for as long as there is any.
 * Peers whose uid and gid are not our effective ones are refused.
 * Return: number of connections accepted, or -errno (-EMFILE and the like: rest a while).
 */
int ttrpc_server_accept(struct ttrpc_server *s, int listener);
/** ttrpc_server_add() - Serve a connected socket. @fd: taken. Return: 0 or -errno. */
int ttrpc_server_add(struct ttrpc_server *s, int fd);
/** ttrpc_server_resume() - The same behind the others, by the number it has. Return: 0, -EBADMSG or -errno. */
int ttrpc_server_resume(struct ttrpc_server *s, int fd, uint64_t id);
/** ttrpc_server_unsent() - Bytes of replies that sockets did not take yet. */
size_t ttrpc_server_unsent(const struct ttrpc_server *s);
/** ttrpc_server_close() - Close all connections. */
void ttrpc_server_close(struct ttrpc_server *s);

/**
 * ttrpc_reply_begin() - Frame of a successful reply with room for a payload of @len bytes.
 * @payload: where to write it.
 * Return: frame for ttrpc_reply_end(), or NULL (no memory, over the frame limit).
 */
struct ttrpc_out *ttrpc_reply_begin(uint32_t stream, size_t len, uint8_t **payload);
/** ttrpc_reply_end() - Send a frame of ttrpc_reply_begin() (taken). */
void ttrpc_reply_end(struct ttrpc_server *s, struct rpc_token t, struct ttrpc_out *o);
/** ttrpc_reply_status() - Answer with an error; bytes of @msg that are not UTF-8 become '?'. */
void ttrpc_reply_status(struct ttrpc_server *s, struct rpc_token t, enum rpc_code code,
			const char *msg);

/* ---- client -------------------------------------------------------------------- */

/** struct ttrpc_result - How a call ended; pointers are valid during the callback. */
struct ttrpc_result {
	int error;		/* -errno when there was no answer: connection lost, nonsense */
	int code;		/* status of the answer; RPC_OK: success */
	const char *message;	/* of the status; "" */
	const uint8_t *payload;
	size_t len;
};

/** struct ttrpc_call - A call in flight; a member of what it serves. */
struct ttrpc_call {
	struct ttrpc_call *next, **pprev;	/* pprev NULL: not in flight */
	uint32_t stream;
	/**
	 * @done: called once, from the loop or from ttrpc_client_close(); the call is free again.
	 * May close the client, and may free it unless @res->error is set: that is for @lost.
	 */
	void (*done)(struct ttrpc_call *call, const struct ttrpc_result *res);
};

struct ttrpc_client {
	struct ttrpc_chan chan;
	struct ttrpc_call *calls;
	uint32_t next_stream;
	/**
	 * @lost: the connection ended; every call in flight was told before. May reopen or
	 * free. May be NULL.
	 */
	void (*lost)(struct ttrpc_client *c, int error);
};

/**
 * ttrpc_connect() - Connect to "unix:///path", "/path" or "@abstract"; never blocks.
 * Return: fd or -errno (-EAGAIN: the listener's backlog is full, try again later).
 */
int ttrpc_connect(const char *address);
/**
 * ttrpc_client_open() - Start on @fd (taken, also on failure). @c: @lost set, rest zero.
 * Return: 0 or -errno.
 */
int ttrpc_client_open(struct ttrpc_client *c, struct loop *l, int fd);
bool ttrpc_client_is_open(const struct ttrpc_client *c);

struct ttrpc_call_args {
	const char *service, *method;
	const char *ns;			/* NULL or "": no namespace metadata */
	int64_t timeout_nano;		/* told to the peer; the caller keeps its own timer */
	const uint8_t *payload;		/* a packed message */
	size_t len;
};
/**
 * ttrpc_client_call() - Send a request. Return: 0, -ENOTCONN, -EMSGSIZE (over the frame
 * limit) or -ENOMEM.
 */
int ttrpc_client_call(struct ttrpc_client *c, struct ttrpc_call *call,
		      const struct ttrpc_call_args *a);
/** ttrpc_client_forget() - Give a call up; its answer will be dropped. */
void ttrpc_client_forget(struct ttrpc_call *call);
/**
 * ttrpc_client_close() - Close; calls in flight get done() with -ECANCELED, @lost is not
 * called.
 */
void ttrpc_client_close(struct ttrpc_client *c);
#endif

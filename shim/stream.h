/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_STREAM_H
#define CLEAT_SHIM_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "loop.h"

/** enum stream_end - What the far end (or the near one) of a stream is. */
enum stream_end {
	STREAM_PIPE,	/* anonymous pipe: of the process, or of a logger */
	STREAM_FIFO,	/* the client's FIFO; we keep its other end too */
	STREAM_FILE,	/* regular file or /dev/null: always takes what is written */
	STREAM_TTY,	/* pty master */
};

/* Most bytes that a stream holds. */
#define STREAM_REST_MAX 4096

/** struct stream_fds - The fds of one direction of one process; all are owned by the stream. */
struct stream_fds {
	int src, dst;
	int keep;		/* other end of the client's FIFO; -1: none */
	uint8_t src_kind, dst_kind;	/* enum stream_end */
};
#define STREAM_FDS_INIT ((struct stream_fds){ -1, -1, -1, STREAM_PIPE, STREAM_PIPE })

/**
 * struct stream - One direction of a process's stdio, moved by the loop.
 * Nothing is read from src that dst cannot take, so a full FIFO stops the
 * writer. Memory is only held for bytes that a terminal took in part.
 */
struct stream {
	struct loop *loop;
	struct loop_source src_ev, dst_ev, watch_ev;
	struct loop_timer timer;
	struct loop_timer rest_timer;	/* a full pipe is looked at again; armed: neither end is in the loop */
	struct stream_fds fd;
	int watch;		/* inotify fd while waiting for a reader; -1 */
	bool input;		/* client to process */
	bool no_splice;
	bool unread;		/* closed, and its reader had read nothing: keep is a read end to look at */
	bool blocked;		/* dst is full, src is out of the loop */
	bool last_call;		/* the process is gone: an empty terminal is its end */
	bool wide;		/* its pipes were made larger */
	uint32_t moved;		/* bytes spliced so far, as long as it is not wide */
	uint64_t written;	/* bytes that have reached dst */
	bool lost;		/* a write to a file failed; said once */
	uint32_t wait_ms;	/* how long a missing reader is waited for */
	char *rest;		/* bytes read that dst has not taken yet */
	size_t rest_len;
	/** @done: called once, when everything is closed; may free the stream. */
	void (*done)(struct stream *s);
	void *arg;
};

/**
 * stream_start() - Take the fds and move bytes from now on.
 * Return: 0, or -errno after done() was called.
 */
int stream_start(struct stream *s, struct loop *l, const struct stream_fds *fds, bool input,
		 void (*done)(struct stream *s), void *arg);
/** stream_resume() - The same with a stream whose fds, flags and rest are set: go on as it did. */
int stream_resume(struct stream *s, struct loop *l, void (*done)(struct stream *s), void *arg);
/** stream_close_input() - CloseIO: drop our own write end of the FIFO; bytes in it still go. */
void stream_close_input(struct stream *s);
/** stream_last_call() - The process was reaped: move what is there; a terminal then ends. */
void stream_last_call(struct stream *s);
/** stream_limit() - From now on wait at most @ms for a reader that has not come. */
void stream_limit(struct stream *s, uint32_t ms);
/** stream_close() - Close at once, calling done(). Safe on a stream that is closed. */
void stream_close(struct stream *s);
/**
 * stream_unread() - Has the client's FIFO a reader that has not begun to read what is there for it?
 *
 * Also of a stream that is closed, until stream_forget(), which is called in any case.
 */
bool stream_unread(const struct stream *s);
void stream_forget(struct stream *s);
/** stream_open() - Does it still move bytes? */
static inline bool stream_open(const struct stream *s) { return s->loop != NULL; }
#endif

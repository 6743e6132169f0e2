/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_WORK_H
#define CLEAT_SHIM_WORK_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"
#include "cleat.h"
#include "err.h"
#include "loop.h"
#include "sio.h"

/*
 * Workers: a fork of the server for one blocking operation. The child runs
 * plain engine code and answers over a SOCK_SEQPACKET pair with one record
 * and the fds that the server keeps. It is done when its record is here or
 * when it has been reaped without one: EOF proves nothing, because a process
 * that it cloned may hold a copy of the socket.
 *
 * A server of many containers has thousands of fds, of which the worker wants
 * one. It is born sharing the server's table and makes one of its own, which
 * begins with that fd: so its number has to be low. The server keeps a few such
 * places; when all are taken, a worker gets a copy of everything and closes it.
 */
#define WORK_PLACES 4

struct server;
struct ctr;
struct proc;

/** enum work_fd - Places of the fds that a worker hands over. */
enum work_fd {
	WF_CONSOLE,
	WF_OOM_EVENT,
	WF_OOM_SOURCE,
	WF_STREAMS,				/* three each of stdin, stdout, stderr: src, dst, keep */
	WF_MAX = WF_STREAMS + 9,
};

/** struct work_result - What a worker answers; the wire record, without pointers. */
struct work_result {
	int32_t r;
	uint8_t own_pidns, poststart, watch_v2, pad;
	uint64_t watch_seen;
	uint8_t src_kind[3], dst_kind[3];	/* enum stream_end */
	uint8_t place[16];			/* enum work_fd of each fd attached */
	uint8_t pad2[2];
	struct err err;
};

/** struct work_side - The worker's side: what its function may use. */
struct work_side {
	const struct log *log;
	int sock;
	int fd[WF_MAX];				/* set by the function; sent with the answer */
	struct work_result res;
};

/** struct work - The server's side of one running worker. */
struct work {
	struct work *next;
	struct server *srv;
	const char *name;
	pid_t pid;
	int sock;
	int place;				/* where its end of the socket is, until it has begun; -1 */
	struct loop_source ev;
	bool answered;				/* the record has come */
	int fd[WF_MAX];				/* taken over by done(), the rest is closed after it */
	struct work_result res;
	struct buf data;			/* bulk bytes sent before the record */
	pid_t logger;				/* told by the worker; 0: none */
	int logger_pidfd;
	/** @process: a process was made; takes pidfd. May be NULL. */
	void (*process)(struct work *w, pid_t pid, int pidfd);
	/** @done: the operation ended; res.r and res.err say how. */
	void (*done)(struct work *w);
	struct ctr *ctr;			/* owner's use */
	struct proc *proc;
	void *op;
	bool aborted;				/* owner's use: killed on purpose */
};

/** struct work_plan - What to run; everything is only read, and only until the fork. */
struct work_plan {
	const char *name;			/* "create": shows in ps and in messages */
	/** @run: in the worker. Return: 0 or -errno with @e set. */
	int (*run)(struct work_side *side, const void *arg, struct err *e);
	/** @undo: in the worker, when the answer could not be delivered. May be NULL. */
	void (*undo)(struct work_side *side, const void *arg);
	const void *arg;
	void (*process)(struct work *w, pid_t pid, int pidfd);
	void (*done)(struct work *w);
	struct ctr *ctr;
	struct proc *proc;
	void *op;
};

/** work_init() - Take the places, while low numbers are free. Without any it goes on all the same. */
void work_init(struct server *srv);
/** work_start() - Fork a worker. Return: it, or NULL with @e set (done is not called). */
struct work *work_start(struct server *srv, const struct work_plan *plan, struct err *e);
/** work_kill() - End a worker by force; done() follows when it is reaped. */
void work_kill(struct work *w);
/** work_poll_all() - Read what workers have sent so far, so that their processes are known. */
void work_poll_all(struct server *srv);
/** work_finish_answered() - Finish those whose answer work_poll_all() has read. */
void work_finish_answered(struct server *srv);
/** work_reaped() - @pid was reaped. Return: was it a worker? */
bool work_reaped(struct server *srv, pid_t pid, int wstatus);

/** work_send_process(), work_send_logger() - Worker: tell the server of a process at once. */
int work_send_process(struct work_side *side, pid_t pid, int pidfd);
int work_send_logger(struct work_side *side, pid_t pid, int pidfd);
/** work_send_data() - Worker: send bulk bytes ahead of the answer. */
int work_send_data(struct work_side *side, const void *p, size_t len);
#endif

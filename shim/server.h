/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_SERVER_H
#define CLEAT_SHIM_SERVER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "arena.h"
#include "cleat.h"
#include "dispatch.h"
#include "log.h"
#include "loop.h"
#include "pool.h"
#include "publish.h"
#include "rules.h"
#include "stream.h"
#include "table.h"
#include "work.h"

/*
 * All state of the server is here, in plain structs and fds: one struct per
 * server, container and process. Nothing that matters lives on a stack.
 */
struct op;
struct dismissed;

/** struct waiter - A Wait that has not been answered. */
struct waiter {
	struct waiter *next;
	struct rpc_token token;
};

/** struct proc - The init process of a container, or an exec. */
struct proc {
	struct proc *next;		/* execs of a container */
	struct ctr *ctr;
	char *id;			/* exec id; "" for init */
	enum proc_state state;
	pid_t pid;			/* stays after exit; 0: never had one. Set by proc_born() */
	struct table_node by_pid;	/* until it is reaped */
	int pidfd;			/* -1 once reaped */
	struct loop_source exit_ev;	/* of pidfd, in servers of many: see reap.c */
	bool reaped;			/* status and time below are set */
	bool start_failed;		/* exec: its end is nobody's news */
	bool exit_due;			/* reaped, its exit is not told yet */
	bool terminal;
	bool stdin_closed;		/* CloseIO came, maybe before there was a stdin */
	bool streams_up;
	uint32_t exit_status;
	struct timespec exited_at;
	char *in, *out, *err;		/* as the client gave them */
	struct stream stream[3];
	int console;			/* pty master for resizing; -1 */
	uint16_t width, height;		/* asked for before there was a console */
	struct waiter *waiters;
	struct arena spec_arena;	/* exec: the request, until it is started */
	const void *spec;
	size_t spec_len;
	pid_t logger;			/* logging program; 0: none. Set by proc_logger() */
	struct table_node by_logger;
	int logger_pidfd;
	struct op *starting;		/* the Start that waits at the gate */
	struct op *deleting;		/* the Delete under way */
	struct op *draining;		/* the same, as long as it waits for the streams */
	struct loop_timer drain;
	struct loop_timer unread;	/* the exit is held back until the output is being read */
	uint32_t unread_ms;		/* how long it has been */
};

/** struct ctr - A container. A worker has a copy of its own one only: see op_fork(). */
struct ctr {
	struct ctr *next, **pprev;	/* pprev NULL: not in the list */
	struct table_node by_id;
	struct server *srv;
	unsigned int refs;
	char *id, *bundle, *root;	/* root: state root of the engine */
	bool systemd_cgroup, own_pidns;
	bool start_by_worker;		/* its Start has hooks to run, or others have been at the container */
	bool has_io_owner;		/* of the pipes of its processes, by Create's options */
	uint32_t io_uid, io_gid;
	bool started;			/* Start has succeeded */
	bool exit_forced;		/* init's exit no longer waits for execs */
	struct proc init;
	struct proc *execs;
	struct cg_watch oom;
	struct loop_source oom_ev;
	bool oom_due;			/* a kill that is not told yet */
	int outside;			/* socket "news" in the state directory; -1 */
	struct loop_source outside_ev;
	struct loop_timer exit_wait;	/* bounds how long execs hold init's exit back */
	bool abandoned;			/* nobody will ask again for the Delete that runs, or has failed */
	struct loop_timer again;	/* then it is tried again */
	unsigned int again_ms;
	struct op *queue, **queue_tail;	/* operations that wait for their turn */
	unsigned int shared, exclusive;	/* operations running */
	struct work *creating;		/* worker of Create */
	uint64_t create_conn;		/* connection that asked for it */
	bool create_aborted;
	struct loop_timer create_timer;	/* timeout_nano of Create */
};

/** struct early - A child that was reaped before a worker told of it. */
struct early {
	struct early *next;
	pid_t pid;
	int wstatus;
	struct timespec at;
};

struct server {
	struct loop loop;
	struct log_sink log;
	const char *ns, *address, *id;
	char *events_address;		/* TTRPC_ADDRESS; NULL: nobody to tell */
	char socket[108];		/* path of the listening socket; "" once unlinked */
	int listener, signal_fd;
	struct loop_source listen_ev, signal_ev;
	struct loop_timer listen_rest;	/* after a failed accept */
	struct ttrpc_server rpc;
	struct publisher pub;
	struct ctr *ctrs;
	struct pool ctr_pool;
	struct table by_id;		/* containers */
	struct table by_pid;		/* processes that have not been reaped */
	struct table by_logger;		/* processes that have one */
	struct work *works;
	int places[WORK_PLACES];	/* fds of low numbers, for the workers' ends of their sockets */
	unsigned int n_places, places_taken;	/* a bit for each */
	struct cg_host *cgroups;	/* for the workers, which would look it up each time; NULL: not known yet */
	struct arena cgroups_mem;
	struct early *early;
	bool watching;			/* processes are in the loop, see reap.c */
	bool unwatched;			/* but one could not be */
	struct loop_timer look;		/* look at all children */
	struct dismissed *dismissed;	/* logging programs told to end */
	struct loop_timer idle;		/* nobody needs us: shut down */
	unsigned int idle_rounds;	/* how often that was put off for events that are not told yet */
	struct loop_timer leaving;	/* Shutdown was asked for, or the flush is over */
	bool had_container;
	bool stopping;			/* the socket is gone, events are flushed */
	bool shutdown_due;		/* as soon as the last Delete is done */
};

/* ---- serve.c --------------------------------------------------------------- */
struct shim_args;
/** server_main() - Become the server of the socket on fd 3. Return: exit status. */
int server_main(const struct shim_args *args);
/** server_stop() - Orderly end: unlink the socket, flush events, quit. Containers stay. */
void server_stop(struct server *srv);
/** server_leave_if_done() - Quit, if that was all that a server that stops had to do. */
void server_leave_if_done(struct server *srv);
/** server_shutdown() - Shutdown was asked for: obey unless a container is left. */
void server_shutdown(struct server *srv, struct rpc_token t);
/** server_trim() - Give freed memory back to the kernel. */
void server_trim(void);
/** server_check_idle() - (Dis)arm the timer that ends a server nobody needs. */
void server_check_idle(struct server *srv);

/* ---- task.c ---------------------------------------------------------------- */
/** task_request() - ttrpc_server.request of the server. */
void task_request(struct ttrpc_server *s, const struct ttrpc_request *r);
/** task_gone() - ttrpc_server.gone: a Create whose caller has gone is undone. */
void task_gone(struct ttrpc_server *s, uint64_t conn);

/* ---- reap.c ---------------------------------------------------------------- */
/** reap_init() - Before any child. */
void reap_init(struct server *srv);
/** reap_told() - SIGCHLD told of @pid: reap it, if it has ended. reap_rest() must follow. */
void reap_told(struct server *srv, pid_t pid);
/** reap_rest() - One SIGCHLD tells of any number of children: see to the others. */
void reap_rest(struct server *srv);
/** reap_watch() - @p has its pid and its pidfd. */
void reap_watch(struct proc *p);
/** reap_unwatch() - Before its pidfd is closed. */
void reap_unwatch(struct proc *p);
/** reap_adopt() - A worker told of @p: take an exit seen before. Return: was there one? */
bool reap_adopt(struct server *srv, struct proc *p);

/* ---- oom.c ----------------------------------------------------------------- */
/** oom_start() - Watch the container's OOM kills; takes the fds of @w. */
void oom_start(struct ctr *c, const struct cg_watch *w);
/** oom_check() - Tell of kills that were not told yet; before any exit of the container is. */
void oom_check(struct ctr *c);
void oom_stop(struct ctr *c);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server: what it sets up, whom it accepts, and when it ends. It is one
 * thread and one loop, and sleeps until something happens.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "args.h"
#include "child.h"
#include "ctr.h"
#include "fd.h"
#include "logger.h"
#include "server.h"
#include "sproc.h"

#define LISTENER 3
#define IDLE_MS 10000		/* after the last Delete, without a connection */
#define UNUSED_MS 60000		/* after start, when nobody ever comes */
#define IDLE_ROUNDS 60		/* of IDLE_MS, as long as containerd has not taken all events */
#define FLUSH_MS 2000
#define REST_MS 100

/* ---- the end ----------------------------------------------------------------------- */

static void remove_socket(struct server *srv)
{
	if (srv->socket[0])
		unlink(srv->socket);
	srv->socket[0] = 0;
}

void server_leave_if_done(struct server *srv)
{
	if (srv->stopping && publish_idle(&srv->pub) && !ttrpc_server_unsent(&srv->rpc) &&
	    !srv->works)
		loop_quit(&srv->loop);
}

static void flushed(struct publisher *p)
{
	server_leave_if_done(loop_owner(p, struct server, pub));
}

void server_stop(struct server *srv)
{
	if (srv->stopping)
		return;
	srv->stopping = true;
	/* First the socket: a start action from now on makes a server of its own. */
	remove_socket(srv);
	loop_del(&srv->loop, &srv->listen_ev);
	loop_timer_cancel(&srv->listen_rest);
	fd_close(&srv->listener);
	loop_timer_cancel(&srv->idle);
	loop_timer_set(&srv->loop, &srv->leaving, FLUSH_MS);
	srv->pub.drained = flushed;
	server_leave_if_done(srv);
}

/* Containers that count: one that is being deleted, or will be again, goes by itself. */
static bool has_container(const struct server *srv, bool deleting_too)
{
	for (const struct ctr *c = srv->ctrs; c; c = c->next)
		if (deleting_too || (c->init.state != PROC_DELETING && !c->abandoned))
			return true;
	return false;
}

static void leaving_due(struct loop_timer *t)
{
	struct server *srv = loop_owner(t, struct server, leaving);

	if (srv->stopping) {
		loop_quit(&srv->loop);
		return;
	}
	/* A Create may have got in before this turn of the loop; then it has won. */
	if (!srv->ctrs)
		server_stop(srv);
	else if (!has_container(srv, false))
		srv->shutdown_due = true;
}

void server_shutdown(struct server *srv, struct rpc_token t)
{
	rpc_reply(&srv->rpc, t, NULL);
	if (!has_container(srv, false) && !srv->stopping)
		loop_timer_set(&srv->loop, &srv->leaving, 0);
}

static void idle_due(struct loop_timer *t)
{
	struct server *srv = loop_owner(t, struct server, idle);

	if (srv->ctrs || srv->rpc.n_conns)
		return;
	/* The last exit may still be news to a containerd that hangs or is being restarted. */
	if (!publish_idle(&srv->pub) && srv->idle_rounds++ < IDLE_ROUNDS)
		loop_timer_set(&srv->loop, &srv->idle, IDLE_MS);
	else
		server_stop(srv);
}

/* glibc's allocator: no second arena, and freed pages go back. musl's has nothing to tune. */
static void tune_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 0);
	mallopt(M_TRIM_THRESHOLD, 32 << 10);
	mallopt(M_MMAP_THRESHOLD, 32 << 10);
#endif
}

void server_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void server_check_idle(struct server *srv)
{
	srv->idle_rounds = 0;
	if (srv->ctrs || srv->rpc.n_conns || srv->stopping)
		loop_timer_cancel(&srv->idle);
	else
		loop_timer_set(&srv->loop, &srv->idle,
			       srv->had_container ? IDLE_MS : UNUSED_MS);
	if (srv->shutdown_due && !srv->ctrs && !srv->stopping)
		loop_timer_set(&srv->loop, &srv->leaving, 0);
	if (has_container(srv, false))
		srv->shutdown_due = false;
	if (!srv->ctrs)
		server_trim();
}

/* ---- connections, signals ------------------------------------------------------------- */

static void accept_ready(struct loop_source *s, uint32_t events)
{
	struct server *srv = loop_owner(s, struct server, listen_ev);
	int r = ttrpc_server_accept(&srv->rpc, srv->listener);

	server_check_idle(srv);
	if (r >= 0)
		return;
	/* Out of fds or memory: until it has rested, connections stay in the backlog. */
	loop_del(&srv->loop, s);
	loop_timer_set(&srv->loop, &srv->listen_rest, REST_MS);
}

static void rested(struct loop_timer *t)
{
	struct server *srv = loop_owner(t, struct server, listen_rest);

	loop_add(&srv->loop, &srv->listen_ev, srv->listener, EPOLLIN);
}

static void dump(const struct server *srv)
{
	unsigned int workers = 0;

	for (const struct work *w = srv->works; w; w = w->next)
		workers++;
	log_info(&srv->log.log, "server %s: %u connections, %u workers, events %s", srv->id,
		 srv->rpc.n_conns, workers, publish_idle(&srv->pub) ? "delivered" : "waiting");
	for (const struct ctr *c = srv->ctrs; c; c = c->next) {
		log_info(&srv->log.log, "container %s: pid %d, state %d, %u shared, %u exclusive%s",
			 c->id, c->init.pid, c->init.state, c->shared, c->exclusive,
			 c->queue ? ", queue" : "");
		for (const struct proc *p = c->execs; p; p = p->next)
			log_info(&srv->log.log, "exec %s: pid %d, state %d", p->id, p->pid,
				 p->state);
	}
}

static void signal_ready(struct loop_source *s, uint32_t events)
{
	struct server *srv = loop_owner(s, struct server, signal_ev);
	struct signalfd_siginfo si;
	bool children = false;

	while (read(srv->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		children = children || si.ssi_signo == SIGCHLD;
		if (si.ssi_signo == SIGCHLD)
			reap_told(srv, (pid_t)si.ssi_pid);
		else if (si.ssi_signo == SIGUSR1)
			dump(srv);
		else
			server_stop(srv);
	}
	if (children) {
		reap_rest(srv);
		server_leave_if_done(srv);
	}
}

static int take_signals(struct server *srv)
{
	sigset_t set;

	child_look_at_signals();
	child_ignore(SIGPIPE);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	srv->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (srv->signal_fd < 0)
		return -errno;
	srv->signal_ev = (struct loop_source){ signal_ready, -1 };
	return loop_add(&srv->loop, &srv->signal_ev, srv->signal_fd, EPOLLIN);
}

static int take_listener(struct server *srv)
{
	struct sockaddr_un sun = { 0 };
	socklen_t len = sizeof(sun) - 1;
	int on = 0, r;
	socklen_t on_len = sizeof(on);

	if (getsockopt(LISTENER, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_len) || !on)
		return -ENOTSOCK;
	if (getsockname(LISTENER, (struct sockaddr *)&sun, &len))
		return -errno;
	if (sun.sun_path[0] == '/')
		snprintf(srv->socket, sizeof(srv->socket), "%s", sun.sun_path);
	srv->listener = LISTENER;
	r = fd_cloexec(LISTENER, 1);
	if (!r)
		r = fd_nonblock(LISTENER, 1);
	srv->listen_ev = (struct loop_source){ accept_ready, -1 };
	return r ? r : loop_add(&srv->loop, &srv->listen_ev, LISTENER, EPOLLIN);
}

/* TTRPC_ADDRESS is ours alone: what workers execute must not inherit it. */
static char *take_env(const char *name)
{
	const char *v = getenv(name);
	char *copy = v && v[0] ? strdup(v) : NULL;

	unsetenv(name);
	return copy;
}

static int server_setup(struct server *srv, const struct shim_args *args)
{
	static const char *const not_ours[] = {
		"GOMAXPROCS", "GRPC_ADDRESS", "NAMESPACE", "MAX_SHIM_VERSION", "SCHED_CORE",
	};
	int r = loop_init(&srv->loop);

	if (r < 0)
		return r;
	work_init(srv);
	srv->ns = args->ns;
	srv->id = args->id;
	srv->address = args->address;
	srv->rpc = (struct ttrpc_server){
		.loop = &srv->loop, .owner = srv, .request = task_request, .gone = task_gone,
	};
	srv->idle.fn = idle_due;
	srv->leaving.fn = leaving_due;
	srv->listen_rest.fn = rested;
	reap_init(srv);
	srv->events_address = take_env("TTRPC_ADDRESS");
	publish_init(&srv->pub, &srv->loop, &srv->log.log, srv->events_address, args->ns);
	for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++)
		unsetenv(not_ours[i]);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	r = take_signals(srv);
	return r ? r : take_listener(srv);
}

int server_main(const struct shim_args *args)
{
	struct server *srv = calloc(1, sizeof(*srv));
	char words[64];
	int r;

	tune_memory();
	if (!srv)
		return 1;
	log_sink_init(&srv->log, STDERR_FILENO, LOG_FORMAT_TEXT,
		      args->debug ? LOG_DEBUG_LEVEL : LOG_INFO_LEVEL);
	srv->listener = -1;
	r = server_setup(srv, args);
	if (r < 0) {
		log_error(&srv->log.log, "server on fd %d: %s", LISTENER, err_words(-r, words, sizeof(words)));
		remove_socket(srv);
		return 1;
	}
	server_check_idle(srv);
	r = loop_run(&srv->loop);
	if (r < 0)
		log_error(&srv->log.log, "event loop: %s", err_words(-r, words, sizeof(words)));
	remove_socket(srv);
	logger_leave(srv);
	ttrpc_server_close(&srv->rpc);
	publish_fini(&srv->pub);
	arena_fini(&srv->cgroups_mem);
	table_fini(&srv->by_id);
	table_fini(&srv->by_pid);
	table_fini(&srv->by_logger);
	free(srv->events_address);
	free(srv);
	return r < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forking workers and receiving their answers. Messages, one per packet:
 *
 *   process  pid + pidfd       at once after a process was made
 *   logger   pid + pidfd       a logging program runs
 *   data     bytes             a part of a bulk result
 *   done     work_result + fds the answer; nothing follows
 */
#include "work.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "server.h"

#define DATA_CHUNK 3072

enum { MSG_PROCESS = 1, MSG_LOGGER, MSG_DATA, MSG_DONE };

struct work_msg {
	uint32_t type;
	int32_t pid;
	union {
		struct work_result result;
		char data[DATA_CHUNK];
	} u;
};
#define MSG_HEAD offsetof(struct work_msg, u)

_Static_assert(WF_MAX <= FDIO_FDS_MAX, "one message carries all fds");
_Static_assert(sizeof(((struct work_result *)0)->place) >= WF_MAX, "each fd has its place told");

/* ---- the worker's side --------------------------------------------------- */

static int send_pid(struct work_side *side, uint32_t type, pid_t pid, int pidfd)
{
	struct work_msg m = { .type = type, .pid = pid };

	return fdio_send(side->sock, &m, MSG_HEAD, &pidfd, pidfd >= 0 ? 1 : 0);
}

int work_send_process(struct work_side *side, pid_t pid, int pidfd)
{
	return send_pid(side, MSG_PROCESS, pid, pidfd);
}

int work_send_logger(struct work_side *side, pid_t pid, int pidfd)
{
	return send_pid(side, MSG_LOGGER, pid, pidfd);
}

int work_send_data(struct work_side *side, const void *p, size_t len)
{
	const char *at = p;
	int r = 0;

	while (len && !r) {
		size_t n = len < DATA_CHUNK ? len : DATA_CHUNK;
		struct work_msg m = { .type = MSG_DATA };

		memcpy(m.u.data, at, n);
		r = fdio_send(side->sock, &m, MSG_HEAD + n, NULL, 0);
		at += n;
		len -= n;
	}
	return r;
}

static int send_done(struct work_side *side)
{
	struct work_msg m = { .type = MSG_DONE };
	int fds[FDIO_FDS_MAX];
	size_t n = 0;

	for (int i = 0; i < WF_MAX; i++) {
		if (side->fd[i] < 0)
			continue;
		side->res.place[n] = (uint8_t)i;
		fds[n++] = side->fd[i];
	}
	m.u.result = side->res;
	return fdio_send(side->sock, &m, MSG_HEAD + sizeof(m.u.result), fds, n);
}

/* The child of the fork: never returns, and leaves nothing of the server's open. */
static void worker_main(const struct server *srv, const struct work_plan *plan, int sock,
			bool shared, pid_t server)
{
	struct work_side side = { .log = &srv->log.log, .sock = sock };
	char name[16];
	sigset_t none;

	/* Another container's FIFO must not stay open because this worker lives. */
	if (!shared)
		fd_close_except(3, &sock, 1);
	else if (fd_unshare_except(3, sock))
		_exit(1);
	for (int i = 0; i < WF_MAX; i++)
		side.fd[i] = -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != server)
		_exit(1);
	snprintf(name, sizeof(name), "cleat:%s", plan->name);
	prctl(PR_SET_NAME, name);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	side.res.r = plan->run(&side, plan->arg, &side.res.err);
	if (side.res.r < 0 && side.res.err.kind == ERR_NONE)
		err_set(&side.res.err, ERR_KERNEL, side.res.r, NULL, "%s failed", plan->name);
	if (send_done(&side) < 0 && plan->undo && !side.res.r)
		plan->undo(&side, plan->arg);
	_exit(0);
}

/* ---- the server's side --------------------------------------------------- */

void work_init(struct server *srv)
{
	int fd;

	while (srv->n_places < WORK_PLACES && (fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0)
		srv->places[srv->n_places++] = fd;
}

/* Move @sock to a free place. Return: its index, or -1: @sock is where it was. */
static int place_take(struct server *srv, int *sock)
{
	for (unsigned int i = 0; i < srv->n_places; i++) {
		if ((srv->places_taken & 1u << i) || dup3(*sock, srv->places[i], O_CLOEXEC) < 0)
			continue;
		close(*sock);
		*sock = srv->places[i];
		srv->places_taken |= 1u << i;
		return (int)i;
	}
	return -1;
}

/* The worker of it has its own table of fds, or is gone: let go of its end, but not of the number. */
static void place_free(struct work *w)
{
	if (w->place < 0)
		return;
	dup3(STDIN_FILENO, w->srv->places[w->place], O_CLOEXEC);
	w->srv->places_taken &= ~(1u << w->place);
	w->place = -1;
}

static void work_free(struct work *w)
{
	struct work **p = &w->srv->works;

	while (*p && *p != w)
		p = &(*p)->next;
	if (*p)
		*p = w->next;
	place_free(w);
	loop_del(&w->srv->loop, &w->ev);
	fd_close(&w->sock);
	fd_close(&w->logger_pidfd);
	for (int i = 0; i < WF_MAX; i++)
		fd_close(&w->fd[i]);
	buf_fini(&w->data);
	free(w);
}

static void take_done(struct work *w, const struct work_msg *m, size_t len, int *fds, size_t nfds)
{
	if (len != MSG_HEAD + sizeof(m->u.result))
		return;
	w->res = m->u.result;
	err_sanitize(&w->res.err, sizeof(w->res.err));
	for (size_t i = 0; i < nfds; i++) {
		unsigned int place = w->res.place[i];

		if (place < WF_MAX && w->fd[place] < 0)
			w->fd[place] = take_fd(&fds[i]);
	}
	w->answered = true;
}

static void take_message(struct work *w, const struct work_msg *m, size_t len, int *fds,
			 size_t nfds)
{
	int fd = nfds ? fds[0] : -1;

	place_free(w);
	switch (m->type) {
	case MSG_PROCESS:
		if (!w->process)
			break;
		fds[0] = -1;
		w->process(w, m->pid, fd);
		break;
	case MSG_LOGGER:
		w->logger = m->pid;
		fd_close(&w->logger_pidfd);
		w->logger_pidfd = fd;
		fds[0] = -1;
		break;
	case MSG_DATA:
		buf_add(&w->data, m->u.data, len - MSG_HEAD);
		break;
	case MSG_DONE:
		take_done(w, m, len, fds, nfds);
		break;
	default:
		break;
	}
}

/* Take in all that has arrived. */
static void work_read(struct work *w)
{
	while (!w->answered && w->sock >= 0) {
		struct work_msg m;
		int fds[FDIO_FDS_MAX];
		size_t nfds;
		ssize_t n = fdio_recv(w->sock, &m, sizeof(m), fds, &nfds);

		if (n == -EAGAIN)
			return;
		if (n < (ssize_t)MSG_HEAD) {
			/* EOF: what follows is told by reaping. */
			loop_del(&w->srv->loop, &w->ev);
			fd_close(&w->sock);
			return;
		}
		take_message(w, &m, (size_t)n, fds, nfds);
		for (size_t i = 0; i < FDIO_FDS_MAX; i++)
			fd_close(&fds[i]);
	}
}

static void work_finish(struct work *w)
{
	w->done(w);
	if (w->pid <= 0) {
		work_free(w);
		return;
	}
	/* Its process is still to be reaped; nobody waits for it any more. */
	loop_del(&w->srv->loop, &w->ev);
	fd_close(&w->sock);
	w->done = NULL;
	w->ctr = NULL;		/* they may be gone before it is */
	w->proc = NULL;
}

static void work_ready(struct loop_source *s, uint32_t events)
{
	struct work *w = loop_owner(s, struct work, ev);

	work_read(w);
	if (w->answered)
		work_finish(w);
}

void work_poll_all(struct server *srv)
{
	for (struct work *w = srv->works; w; w = w->next)
		if (w->done)
			work_read(w);
}

void work_finish_answered(struct server *srv)
{
	struct work *w = srv->works;

	while (w) {
		if (!w->done || !w->answered) {
			w = w->next;
			continue;
		}
		work_finish(w);
		w = srv->works;		/* done() may have changed the list */
	}
}

bool work_reaped(struct server *srv, pid_t pid, int wstatus)
{
	struct work *w;

	for (w = srv->works; w && w->pid != pid; w = w->next)
		;
	if (!w)
		return false;
	w->pid = 0;
	place_free(w);
	if (!w->done) {
		work_free(w);
		return true;
	}
	work_read(w);
	if (!w->answered) {
		w->res.r = -EPIPE;
		if (WIFSIGNALED(wstatus))
			err_set(&w->res.err, ERR_PEER, 0, NULL, "%s: worker was killed by signal %d",
				w->name, WTERMSIG(wstatus));
		else
			err_set(&w->res.err, ERR_PEER, 0, NULL, "%s: worker exited with status %d",
				w->name, WEXITSTATUS(wstatus));
	}
	work_finish(w);
	return true;
}

void work_kill(struct work *w)
{
	if (w->pid > 0)
		kill(w->pid, SIGKILL);
}

struct work *work_start(struct server *srv, const struct work_plan *plan, struct err *e)
{
	struct work *w = calloc(1, sizeof(*w));
	pid_t self = getpid();
	int sv[2], r;

	if (!w) {
		err_set(e, ERR_LIMIT, -ENOMEM, NULL, "start worker for %s", plan->name);
		return NULL;
	}
	*w = (struct work){
		.srv = srv, .name = plan->name, .sock = -1, .place = -1, .ev = { work_ready, -1 },
		.logger_pidfd = -1, .process = plan->process, .done = plan->done,
		.ctr = plan->ctr, .proc = plan->proc, .op = plan->op,
	};
	for (int i = 0; i < WF_MAX; i++)
		w->fd[i] = -1;
	r = fdio_socketpair(sv);
	if (r < 0) {
		free(w);
		err_set(e, ERR_LIMIT, r, NULL, "make socket of worker for %s", plan->name);
		return NULL;
	}
	w->sock = sv[0];
	r = fd_nonblock(w->sock, 1);
	if (!r)
		r = loop_add(&srv->loop, &w->ev, w->sock, EPOLLIN);
	if (!r) {
		struct child_args how = { .cgroup_fd = -1 };

		w->place = place_take(srv, &sv[1]);
		how.share_fds = w->place >= 0;
		w->pid = child_clone(&how, NULL);
		if (!w->pid)
			worker_main(srv, plan, sv[1], how.share_fds, self);
		r = w->pid < 0 ? w->pid : 0;
	}
	if (w->place < 0)
		close(sv[1]);
	w->next = srv->works;
	srv->works = w;
	if (r < 0) {
		w->pid = 0;
		work_free(w);
		err_set(e, ERR_LIMIT, r, NULL, "start worker for %s", plan->name);
		return NULL;
	}
	return w;
}

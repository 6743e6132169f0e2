/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens to containers beside our own calls. The command line may
 * start, pause and resume a container of ours (it shares the state directory
 * and its lock), and a worker of ours may die half way. containerd must learn
 * of it either way: a worker then asks the engine how the container is.
 *
 * The command line says what it did by a datagram to the socket "news" in the
 * state directory. (A watch would cost one of the user's 128 inotify
 * instances for each server.)
 */
#include "outside.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "events.pb-c.h"
#include "fd.h"
#include "op_internal.h"
#include "sproc.h"
#include "usock.h"

int outside_status(const struct work *w)
{
	return w->res.r >= 0 && w->data.len == 1 ? w->data.data[0] : -1;
}

static void tell_start(struct ctr *c)
{
	Containerd__Events__TaskStart ev = CONTAINERD__EVENTS__TASK_START__INIT;

	c->init.state = PROC_RUNNING;
	c->started = true;
	ev.container_id = msg_set(c->id);
	ev.pid = (uint32_t)c->init.pid;
	publish_event(&c->srv->pub, "/tasks/start", &ev);
	oom_check(c);
}

static void tell_paused(struct ctr *c)
{
	Containerd__Events__TaskPaused ev = CONTAINERD__EVENTS__TASK_PAUSED__INIT;

	c->init.state = PROC_PAUSED;
	ev.container_id = msg_set(c->id);
	publish_event(&c->srv->pub, "/tasks/paused", &ev);
}

static void tell_resumed(struct ctr *c)
{
	Containerd__Events__TaskResumed ev = CONTAINERD__EVENTS__TASK_RESUMED__INIT;

	c->init.state = PROC_RUNNING;
	ev.container_id = msg_set(c->id);
	publish_event(&c->srv->pub, "/tasks/resumed", &ev);
}

bool outside_settle(struct ctr *c, int status)
{
	enum proc_state was = c->init.state;

	if (status != CLEAT_RUNNING && status != CLEAT_PAUSED)
		return false;
	if (was == PROC_CREATED || was == PROC_STARTING)
		tell_start(c);
	if (status == CLEAT_PAUSED && (c->init.state == PROC_RUNNING || was == PROC_PAUSING))
		tell_paused(c);
	else if (status == CLEAT_RUNNING && was == PROC_PAUSED)
		tell_resumed(c);
	return c->init.state != was;
}

void outside_look(struct op *op, const struct err *why,
		  void (*finish)(struct op *op, struct work *w))
{
	static const struct err no_memory = { .kind = ERR_LIMIT, .errnum = ENOMEM };
	const struct err *keep = arena_memdup(&op->arena, why, sizeof(*why));

	op->why = keep ? keep : &no_memory;
	op->what = "look";
	op->job = job_look;
	op->undo = NULL;
	op->process = NULL;
	op->finish = finish;
	op_fork(op);
}

static void look_finish(struct op *op, struct work *w)
{
	outside_settle(op->ctr, outside_status(w));
	op_end(op);
}

static void look_begin(struct op *op)
{
	op_fork(op);
}

static void news(struct loop_source *s, uint32_t events)
{
	struct ctr *c = loop_owner(s, struct ctr, outside_ev);
	bool any = false;
	struct op *op;
	char buf[16];

	while (recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		any = true;
	c->start_by_worker = c->start_by_worker || any;
	op = any ? op_new(c, &c->init, NULL, "look") : NULL;
	if (!op)
		return;
	op->class = OP_EXCLUSIVE;
	op->rule = OP_READ;
	op->begin = look_begin;
	op->job = job_look;
	op->finish = look_finish;
	op_submit(op);
}

static int bind_news(const char *dir)
{
	auto_fd d = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), sock = -1;
	struct sockaddr_un sa;
	socklen_t len;

	if (d < 0)
		return -errno;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	usock_address_at(d, "news", &sa, &len);
	if (bind(sock, (const struct sockaddr *)&sa, len))
		return -errno;
	return take_fd(&sock);
}

void outside_watch(struct ctr *c)
{
	char dir[PATH_MAX];
	int n = snprintf(dir, sizeof(dir), "%s/%s", c->root, c->id);

	if (n < 0 || (size_t)n >= sizeof(dir))
		return;
	c->outside = bind_news(dir);
	outside_resume(c);
}

void outside_resume(struct ctr *c)
{
	c->outside_ev = (struct loop_source){ news, -1 };
	/* Out of fds: what the command line does is then not told, everything else is. */
	if (c->outside < 0 || loop_add(&c->srv->loop, &c->outside_ev, c->outside, EPOLLIN)) {
		log_debug(&c->srv->log.log, "container %s: nobody can tell us of it", c->id);
		fd_close(&c->outside);
	}
}

void outside_stop(struct ctr *c)
{
	loop_del(&c->srv->loop, &c->outside_ev);
	fd_close(&c->outside);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line may start a container of ours (it shares the state
 * directory and its lock). containerd must learn of that start: so as long as
 * a container is only created, its state directory is watched, and a change
 * there makes a worker ask the engine how the container is.
 */
#include "outside.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "events.pb-c.h"
#include "fd.h"
#include "op_internal.h"
#include "sproc.h"

static void look_finish(struct op *op, struct work *w)
{
	Containerd__Events__TaskStart ev = CONTAINERD__EVENTS__TASK_START__INIT;
	struct ctr *c = op->ctr;
	bool runs = w->res.r >= 0 && w->data.len == 1 && w->data.data[0];

	if (runs && c->init.state == PROC_CREATED) {
		outside_stop(c);
		c->init.state = PROC_RUNNING;
		c->started = true;
		ev.container_id = msg_set(c->id);
		ev.pid = (uint32_t)c->init.pid;
		publish_event(&c->srv->pub, "/tasks/start", &ev);
	}
	op_end(op);
}

static void look_begin(struct op *op)
{
	op_fork(op);
}

static void changed(struct loop_source *s, uint32_t events)
{
	struct ctr *c = loop_owner(s, struct ctr, outside_ev);
	char buf[1024];
	struct op *op;

	while (read(s->fd, buf, sizeof(buf)) > 0)
		;
	op = op_new(c, &c->init, NULL, "look");
	if (!op)
		return;
	op->class = OP_EXCLUSIVE;
	op->rule = OP_START;	/* only as long as it is created */
	op->begin = look_begin;
	op->job = job_look;
	op->finish = look_finish;
	op_submit(op);
}

void outside_watch(struct ctr *c)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", c->root, c->id);

	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	c->outside = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	c->outside_ev = (struct loop_source){ changed, -1 };
	/* Out of watches: the start is then not told, everything else is. */
	if (c->outside < 0 || inotify_add_watch(c->outside, path, IN_DELETE | IN_ONLYDIR) < 0 ||
	    loop_add(&c->srv->loop, &c->outside_ev, c->outside, EPOLLIN)) {
		log_debug(&c->srv->log.log, "container %s: its state directory is not watched",
			  c->id);
		fd_close(&c->outside);
	}
}

void outside_stop(struct ctr *c)
{
	loop_del(&c->srv->loop, &c->outside_ev);
	fd_close(&c->outside);
}

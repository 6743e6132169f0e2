/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OOM kills: the cgroup layer counts them, here is when containerd is told.
 * The watch is read when it wakes the loop and once more at every exit, so
 * that a kill is told before the exit it caused.
 */
#include "events.pb-c.h"
#include "fd.h"
#include "server.h"

void oom_check(struct ctr *c)
{
	Containerd__Events__TaskOOM ev = CONTAINERD__EVENTS__TASK_OOM__INIT;

	if (c->oom.event >= 0 && cg_watch_read(&c->oom) > 0)
		c->oom_due = true;
	/* A program that is quicker than the worker that starts it: its start is told first. */
	if (!c->oom_due || c->init.state == PROC_STARTING)
		return;
	c->oom_due = false;
	ev.container_id = msg_set(c->id);
	publish_event(&c->srv->pub, "/tasks/oom", &ev);
}

static void oom_ready(struct loop_source *s, uint32_t events)
{
	struct ctr *c = loop_owner(s, struct ctr, oom_ev);

	oom_check(c);
	/* A watch whose cgroup is gone must not wake the loop for ever. */
	if (events & (EPOLLHUP | EPOLLERR))
		loop_del(&c->srv->loop, s);
}

void oom_start(struct ctr *c, const struct cg_watch *w)
{
	c->oom = *w;
	c->oom_ev = (struct loop_source){ oom_ready, -1 };
	if (c->oom.event >= 0 && loop_add(&c->srv->loop, &c->oom_ev, c->oom.event, EPOLLIN))
		log_warn(&c->srv->log.log, "container %s: OOM kills are seen at exits only", c->id);
}

void oom_stop(struct ctr *c)
{
	loop_del(&c->srv->loop, &c->oom_ev);
	fd_close(&c->oom.event);
	fd_close(&c->oom.source);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers of the server: the list, their processes, and how long they live. */
#include "ctr.h"
#include <stdlib.h>
#include <string.h>
#include "op.h"
#include "outside.h"
#include "sproc.h"

struct ctr *ctr_new(struct server *srv, const char *id, const char *bundle, const char *root)
{
	struct ctr *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->srv = srv;
	c->refs = 1;
	c->id = strdup(id);
	c->bundle = strdup(bundle);
	c->root = strdup(root);
	c->oom = (struct cg_watch){ -1, -1, false, 0 };
	c->oom_ev.fd = -1;
	c->outside = -1;
	c->outside_ev.fd = -1;
	c->exit_wait.fn = ctr_exit_wait_due;
	c->again.fn = op_delete_again;
	c->queue_tail = &c->queue;
	c->next = srv->ctrs;
	srv->ctrs = c;
	srv->had_container = true;
	if (!c->id || !c->bundle || !c->root) {
		ctr_forget(c);
		return NULL;
	}
	return c;
}

struct ctr *ctr_find(const struct server *srv, const char *id)
{
	struct ctr *c;

	for (c = srv->ctrs; c && strcmp(c->id, id) != 0; c = c->next)
		;
	return c;
}

void ctr_get(struct ctr *c)
{
	c->refs++;
}

void ctr_put(struct ctr *c)
{
	if (--c->refs)
		return;
	free(c->id);
	free(c->bundle);
	free(c->root);
	free(c);
}

void ctr_forget(struct ctr *c)
{
	struct ctr **at = &c->srv->ctrs;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	loop_timer_cancel(&c->exit_wait);
	loop_timer_cancel(&c->create_timer);
	loop_timer_cancel(&c->again);
	oom_stop(c);
	outside_stop(c);
	op_fail_queue(c);
	while (c->execs)
		ctr_remove_exec(c->execs);
	if (c->init.ctr)
		proc_fini(&c->init);
	c->init = (struct proc){ .pidfd = -1 };
	server_check_idle(c->srv);
	ctr_put(c);
}

struct proc *ctr_proc(struct ctr *c, const char *exec_id)
{
	struct proc *p;

	if (!exec_id[0])
		return &c->init;
	for (p = c->execs; p && strcmp(p->id, exec_id) != 0; p = p->next)
		;
	return p;
}

struct proc *ctr_add_exec(struct ctr *c, const char *exec_id, bool terminal, const char *in,
			  const char *out, const char *err)
{
	struct proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (proc_init(p, c, exec_id, terminal, in, out, err)) {
		proc_fini(p);
		free(p);
		return NULL;
	}
	p->state = PROC_CREATED;
	p->next = c->execs;
	c->execs = p;
	return p;
}

void ctr_remove_exec(struct proc *p)
{
	struct proc **at = &p->ctr->execs;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	op_fail_queued(p);
	proc_fini(p);
	free(p);
}

struct proc *ctr_proc_by_pid(struct server *srv, pid_t pid)
{
	for (struct ctr *c = srv->ctrs; c; c = c->next) {
		if (c->init.pid == pid && !c->init.reaped)
			return &c->init;
		for (struct proc *p = c->execs; p; p = p->next)
			if (p->pid == pid && !p->reaped)
				return p;
	}
	return NULL;
}

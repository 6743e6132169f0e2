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
	struct ctr *c = pool_alloc(&srv->ctr_pool, sizeof(*c));

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
	ctr_link(c, &srv->ctrs);
	srv->had_container = true;
	if (!c->id || !c->bundle || !c->root) {
		ctr_forget(c);
		return NULL;
	}
	table_add(&srv->by_id, &c->by_id, table_text(id));
	return c;
}

void ctr_link(struct ctr *c, struct ctr **at)
{
	c->next = *at;
	c->pprev = at;
	if (c->next)
		c->next->pprev = &c->next;
	*at = c;
}

void ctr_unlink(struct ctr *c)
{
	if (!c->pprev)
		return;
	*c->pprev = c->next;
	if (c->next)
		c->next->pprev = c->pprev;
	c->next = NULL;
	c->pprev = NULL;
}

struct ctr *ctr_find(const struct server *srv, const char *id)
{
	struct table_node *n = table_first(&srv->by_id, table_text(id));

	while (n && strcmp(loop_owner(n, struct ctr, by_id)->id, id) != 0)
		n = table_next(n);
	return n ? loop_owner(n, struct ctr, by_id) : NULL;
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
	pool_free(&c->srv->ctr_pool, c);
}

void ctr_forget(struct ctr *c)
{
	ctr_unlink(c);
	table_del(&c->srv->by_id, &c->by_id);
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

struct proc *ctr_proc_by_pid(const struct server *srv, pid_t pid)
{
	struct table_node *n = table_first(&srv->by_pid, (uint32_t)pid);

	return n ? loop_owner(n, struct proc, by_pid) : NULL;
}

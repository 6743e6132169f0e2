/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* linux.intelRdt in the operations. Without it nothing is opened. */
#include <errno.h>
#include "create.h"
#include "fd.h"
#include "ops.h"

int host_rdt(struct host_ctx *c, struct err *e)
{
	const struct rdt *r = c->spec->linux_->intel_rdt;
	auto_fd root = -1;

	if (!r)
		return 0;
	root = rdt_open(e);
	return root < 0 ? root : rdt_plan(root, r, c->req->id, &c->rdt, e);
}

int host_rdt_group(struct host_ctx *c, struct err *e)
{
	auto_fd root = -1;

	if (!c->rdt.name)
		return 0;
	root = rdt_open(e);
	return root < 0 ? root : rdt_make(root, c->spec->linux_->intel_rdt, c->req->id, &c->rdt, e);
}

void host_rdt_undo(struct host_ctx *c)
{
	op_rdt_remove(&c->rdt, c->req->id);
}

/* Init waits for more than one thing yet; what it makes from here on is in its class as well. */
int host_rdt_enter(struct host_ctx *c, struct err *e)
{
	return c->rdt.name ? op_rdt_enter(&c->rdt, c->req->id, c->pid, e) : 0;
}

static bool has_group(const struct rdt_group *g)
{
	return g->name && *g->name;
}

int op_rdt_enter(const struct rdt_group *g, const char *id, pid_t pid, struct err *e)
{
	auto_fd root = -1;

	if (!has_group(g))
		return 0;
	root = rdt_open(e);
	return root < 0 ? root : rdt_enter(root, g, id, pid, e);
}

void op_rdt_remove(const struct rdt_group *g, const char *id)
{
	struct err ignored = { 0 };
	auto_fd root = -1;

	if (!has_group(g) || (!g->made && !g->monitored))
		return;
	root = rdt_open(&ignored);
	if (root >= 0)
		rdt_remove(root, g, id);
}

int op_rdt_stats(const struct rdt_group *g, const char *id, struct arena *a, const struct rdt_stats **out)
{
	struct err ignored = { 0 };
	struct rdt_stats *s;
	auto_fd root = -1;

	*out = NULL;
	if (!has_group(g))
		return 0;
	root = rdt_open(&ignored);
	if (root < 0)
		return 0;
	s = arena_new(a, struct rdt_stats);
	*out = s;
	return s ? rdt_stats(root, g, id, a, s) : -ENOMEM;
}

int cleat_update_rdt(const struct cleat_env *env, const char *id, const char *l3, const char *mem_bw, struct err *e)
{
	const struct rdt want = { .l3 = l3, .mem_bw = mem_bw };
	auto_container c = CONTAINER_INIT;
	auto_fd root = -1;
	int r = container_open(&c, env, id, STORE_EXCLUSIVE, e);

	if (r)
		return r;
	if (c.status == CLEAT_STOPPED || c.status == CLEAT_CREATING)
		return container_not_running(id, e);
	if (!has_group(&c.state.rdt))
		return err_set(e, ERR_STATE, 0, id, "the container was made without linux.intelRdt");
	r = rdt_check(&want, "", e);
	if (!r)
		r = root = rdt_open(e);
	return r < 0 ? r : rdt_update(root, &c.state.rdt, l3, mem_bw, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stage join: a process that enters a running container. What it finds there is hostile (D7). */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#include "fd.h"
#include "stage.h"
#include "sysx.h"

STAGE(join, STAGE_JOIN);

static size_t keep_fds(const int *fds, size_t n, int *keep)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (fds[i] >= 0)
			keep[kept++] = fds[i];
	return kept;
}

static void close_fds(struct join_ctx *c)
{
	const int more[] = { c->pidfd, c->seal.sock, c->seal.procfd, c->sock_too };
	int keep[JOIN_KINDS + 3 + sizeof(more) / sizeof(more[0])];
	size_t n;

	n = keep_fds(c->join.fd, JOIN_KINDS, keep);
	n += keep_fds(c->seal.stdio, 3, keep + n);
	n += keep_fds(more, sizeof(more) / sizeof(more[0]), keep + n);
	fd_close_except(3 + c->seal.preserve_fds, keep, n);
}

int join_enter_first(struct join_ctx *c, struct err *e)
{
	int r = c->cg ? cg_enter_self(c->cg, e) : 0;

	/* The files of the cgroup as well. Nobody in the container can see us, or look into us. */
	if (!r)
		close_fds(c);
	return r;
}

static int join_enter_container(struct join_ctx *c, struct err *e)
{
	return c->entered ? 0 : join_enter_first(c, e);
}

static int join_session(struct join_ctx *c, struct err *e)
{
	return stage_begin("cleat:[exec]", e);
}

static int join_namespaces(struct join_ctx *c, struct err *e)
{
	int r;

	if (!c->left)
		return 0;
	if (c->pidfd < 0)
		r = join_enter(&c->join, ~c->left, e);
	else if ((r = join_pidfd(c->pidfd, c->left)))
		err_set(e, r == -ESRCH ? ERR_STATE : ERR_KERNEL, r, NULL, "join the container's namespaces");
	fd_close(&c->pidfd);
	join_close(&c->join);
	if (r || !(c->left & CLONE_NEWUSER))
		return r;
	r = sysx_setgid(0);
	if (!r)
		r = sysx_setuid(0);
	return r ? err_set(e, ERR_KERNEL, r, NULL, "become root of the user namespace") : 0;
}

/* After the user namespace is joined, before the ids change: as init did. */
static int join_keyring(struct join_ctx *c, struct err *e)
{
	return stage_keyring(c->keyring, c->userns, &c->seal, e);
}

static int join_console(struct join_ctx *c, struct err *e)
{
	auto_fd root = -1;

	if (!c->seal.p->terminal)
		return 0;
	root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, ERR_KERNEL, -errno, NULL, "open the container's root");
	return console_make(root, &c->seal, NULL, e);
}

static const struct join_step join_steps[] = {
	{ "enter", join_enter_container, NULL },	/* before anything of the container is touched */
	{ "session", join_session, NULL },
	{ "namespaces", join_namespaces, NULL },
	{ "keyring", join_keyring, NULL },
	{ "console", join_console, NULL },
};

void join_main(struct join_ctx *c)
{
	struct err e = { 0 };

	if (join_run(join_steps, sizeof(join_steps) / sizeof(join_steps[0]), c, &e))
		stage_exit(c->seal.sock, -1, &e);
	seal_main(&c->seal);
}

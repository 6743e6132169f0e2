/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TEST_CGROUP_FIXTURE_H
#define CLEAT_TEST_CGROUP_FIXTURE_H
/*
 * A cgroup of this host for one test, in its v1 hierarchies or in its v2 one.
 * A hybrid host has both: there the v2 tests run in its "unified" hierarchy,
 * which has no controllers, so what needs one is skipped by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cg_internal.h"
#include "child.h"
#include "fd.h"
#include "pathfs.h"

struct test_cg {
	struct arena arena;
	struct cg_host host;
	struct cg cg;
	char path[128];
	struct err e;
	char text[ERR_TEXT_MAX];
	const char *no;		/* what is missing for the test, or NULL */
};

/* First line of a test: a SKIP of the fixture's setup does not keep the test from running. */
#define HERE(t) do {				\
	if ((t)->no)				\
		SKIP(return, "%s", (t)->no);	\
} while (0)

static inline const char *why(struct test_cg *t)
{
	return err_render(&t->e, t->text, sizeof(t->text));
}

static inline const char *test_cg_missing(struct test_cg *t, bool v2)
{
	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < CG_HIERARCHIES_MAX; i++)
		t->cg.dirfd[i] = t->cg.enterfd[i] = -1;
	t->cg.host = &t->host;
	snprintf(t->path, sizeof(t->path), "/cleat-test-%d", (int)getpid());
	t->cg.path = t->path;
	if (geteuid())
		return "needs root";
	if (cg_host_detect(&t->host, &t->arena, &t->e))
		return why(t);
	if (!v2)
		return t->host.n && !t->host.h[0].v2 ? NULL : "this host has no cgroup v1";
	if (!t->host.n || !t->host.h[t->host.n - 1].v2)
		return "this host has no cgroup v2";
	t->host.h[0] = t->host.h[t->host.n - 1];
	t->host.n = 1;
	t->host.mode = CG_MODE_V2;
	return NULL;
}

/* Return: NULL, or what is missing for the test; also in t->no. */
static inline const char *test_cg_host(struct test_cg *t, bool v2)
{
	const char *no = test_cg_missing(t, v2);

	t->no = no;
	return no;
}

static inline bool test_cg_has(struct test_cg *t, const char *controller)
{
	char have[512] = "";

	if (t->host.mode != CG_MODE_V2)
		return cg_controller(&t->cg, controller) >= 0;
	(void)cg_read(t->cg.dirfd[0], "cgroup.controllers", have, sizeof(have));
	return cg_has_word(have, controller, ' ');
}

static inline void test_cg_fini(struct test_cg *t)
{
	struct cg all;

	cg_close(&t->cg);
	if (t->no) {
		arena_fini(&t->arena);
		return;
	}
	if (t->host.n && !cg_open(&all, &t->host, t->path, NULL)) {
		(void)cg_kill(&all, SIGKILL, NULL);
		cg_close(&all);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (t->host.n)
		(void)cg_remove(&t->host, t->path, NULL);
	arena_fini(&t->arena);
}

/* A process in the cgroup: born there on v2, entering by itself on v1. */
static inline pid_t test_cg_child(struct test_cg *t, int (*fn)(void *), void *arg)
{
	struct child_args a = { .cgroup_fd = cg_enter_fd(&t->cg) };
	int pidfd = -1, go[2];
	pid_t pid;
	char c = 1;

	if (a.cgroup_fd < 0)
		a.cgroup_fd = -1;
	if (cg_enter_prepare(&t->cg, &t->e) || pipe2(go, O_CLOEXEC))
		return -1;
	pid = child_clone(&a, &pidfd);
	if (!pid) {
		if (a.cgroup_fd < 0 && cg_enter_self(&t->cg, &t->e))
			_exit(99);
		if (write(go[1], &c, 1) != 1)
			_exit(98);
		_exit(fn(arg));
	}
	fd_close(&go[1]);
	if (pid > 0 && read(go[0], &c, 1) != 1)
		fprintf(stderr, "# the child did not enter\n");
	fd_close(&go[0]);
	fd_close(&pidfd);
	return pid;
}

static inline int test_cg_wait(pid_t pid)
{
	int status = -1;

	return child_wait(pid, &status) < 0 ? -1 : child_status(status);
}

static inline int fn_sleep(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static inline char *test_cg_value(struct test_cg *t, const char *controller, const char *file)
{
	static char out[4096];
	int i = t->host.mode == CG_MODE_V2 ? 0 : cg_controller(&t->cg, controller);

	if (i < 0 || cg_read(t->cg.dirfd[i], file, out, sizeof(out)) < 0)
		snprintf(out, sizeof(out), "(no %s)", file);
	return out;
}
#endif

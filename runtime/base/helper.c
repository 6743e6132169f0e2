/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executing helper programs. */
#include "helper.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/local/libexec/cleat"
#endif

/*
 * The name we were started by. A program that executes itself again from a
 * protected mount is a number there; it keeps argv[0].
 */
static const char *own_name(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);

	if (!name || !strncmp(name, "/dev/fd/", 8) || !strncmp(name, "/proc/", 6))
		name = program_invocation_name;
	return name && strchr(name, '/') ? name : "";
}

void helper_remember(void)
{
	const char *own = own_name(), *slash = strrchr(own, '/');
	char dir[PATH_MAX];
	int n = snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - own + 1) : 0, own);

	if (own[0] == '/' && n > 0 && (size_t)n < sizeof(dir))
		setenv(HELPER_PLACE_ENV, dir, 0);
}

static bool find(const char *program, char *path, size_t size)
{
	static const char *const places[] = { "", "../libexec/cleat/" };
	const char *own = getenv(HELPER_PLACE_ENV);
	const char *slash;

	if (!own || own[0] != '/')
		own = own_name();
	slash = strrchr(own, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, size, "%.*s/%s%s", (int)(slash - own), own, places[i], program);

		if (n > 0 && (size_t)n < size && !faccessat(AT_FDCWD, path, X_OK, 0))
			return true;
	}
	snprintf(path, size, "%s/%s", LIBEXECDIR, program);
	return !faccessat(AT_FDCWD, path, X_OK, 0);
}

static int not_there(const struct helper_call *c, const char *path, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, -ENOENT, path,
		       "%s needs this program, which is not installed (cleat was built without %s)", c->need,
		       c->library);
}

int helper_there(const struct helper_call *c, struct err *e)
{
	char path[PATH_MAX];

	return find(c->program, path, sizeof(path)) ? 0 : not_there(c, path, e);
}

static void become(const char *path, const char *program, int sock)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_default_signals();
	if (dup2(sock, 0) == 0) {
		fd_close_except(3, NULL, 0);
		execve(path, argv, environ);
	}
	err_set(&e, ERR_KERNEL, -errno, path, "execve");
	fdio_send(0, &e, sizeof(e), NULL, 0);
	_exit(127);
}

static int receive(const struct helper_call *c, int sock, void *answer, size_t size, const char *path, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct err *told = answer;
	ssize_t n;
	int r;

	do {
		r = poll(&p, 1, c->deadline_ms);
	} while (r < 0 && errno == EINTR);
	if (!r)
		return err_set(e, ERR_TIMEOUT, -ETIMEDOUT, path, "no answer within %d s", c->deadline_ms / 1000);
	n = fdio_recv(sock, answer, size, NULL, NULL);
	if (n < 0)
		return err_set(e, ERR_PEER, (int)n, path, "answer");
	if ((size_t)n != size && (size_t)n != sizeof(*told))
		return err_set(e, ERR_PEER, 0, path, "ended without an answer");
	if (told->kind == ERR_NONE && (size_t)n == size)
		return 0;
	if (err_sanitize(told, sizeof(*told)))
		return err_set(e, ERR_PEER, 0, path, "an answer that makes no sense");
	*e = *told;
	return e->errnum ? -e->errnum : -EINVAL;
}

int helper_ask(const struct helper_call *c, void *answer, size_t size, struct err *e)
{
	struct child_args ca = { .cgroup_fd = -1 };
	char path[PATH_MAX];
	int sv[2], r;

	if (!find(c->program, path, sizeof(path)))
		return not_there(c, path, e);
	r = fdio_socketpair(sv);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "socketpair");
	auto_fd mine = sv[0], theirs = sv[1], pidfd = -1;
	auto_child pid = child_clone(&ca, &pidfd);
	if (pid < 0)
		return err_set(e, ERR_LIMIT, pid, path, "fork");
	if (!pid)
		become(path, c->program, theirs);
	fd_close(&theirs);
	r = fdio_send(mine, c->request, c->len, &c->fd, c->fd >= 0);
	if (r && r != -EPIPE)
		return err_set(e, ERR_PEER, r, path, "request");
	return receive(c, mine, answer, size, path, e);
}

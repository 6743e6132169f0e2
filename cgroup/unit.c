/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker's side of a unit: what is asked of the helper program, and what
 * became of the process.
 *
 * The helper is a process of its own for each request: a container needs two
 * in its life, and nobody else pays for libsystemd. It is looked for beside
 * our own program and where `make install` puts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "cg_internal.h"
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "pathfs.h"
#include "unit_internal.h"
#include "unit_wire.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/local/libexec/cleat"
#endif

/* ---- the helper program ---- */

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

void cg_unit_remember(void)
{
	const char *own = own_name();
	char dir[CG_PATH_MAX];
	int n = snprintf(dir, sizeof(dir), "%.*s", (int)(strlen(own) - strlen(basename(own))), own);

	if (own[0] == '/' && n > 0 && (size_t)n < sizeof(dir))
		setenv(UNIT_HELPER_ENV, dir, 0);
}

static bool find_helper(char *path, size_t size)
{
	static const char *const places[] = { "", "../libexec/cleat/" };
	const char *own = getenv(UNIT_HELPER_ENV);
	const char *slash;

	if (!own || own[0] != '/')
		own = own_name();
	slash = strrchr(own, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, size, "%.*s/%s" UNIT_HELPER, (int)(slash - own), own, places[i]);

		if (n > 0 && (size_t)n < size && !faccessat(AT_FDCWD, path, X_OK, 0))
			return true;
	}
	snprintf(path, size, "%s", LIBEXECDIR "/" UNIT_HELPER);
	return !faccessat(AT_FDCWD, path, X_OK, 0);
}

static int no_helper(struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, -ENOENT, LIBEXECDIR "/" UNIT_HELPER,
		       "the systemd cgroup driver needs this program, which is not installed "
		       "(cleat was built without libsystemd)");
}

int cg_unit_available(struct err *e)
{
	char path[CG_PATH_MAX];

	return find_helper(path, sizeof(path)) ? 0 : no_helper(e);
}

static void helper_child(const char *path, int sock)
{
	char name[] = UNIT_HELPER;
	char *argv[] = { name, NULL };
	struct unit_answer a = { .calls = 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_default_signals();
	if (dup2(sock, 0) == 0) {
		fd_close_except(3, NULL, 0);
		execve(path, argv, environ);
	}
	err_set(&a.err, ERR_KERNEL, -errno, path, "execve");
	fdio_send(0, &a, sizeof(a), NULL, 0);
	_exit(127);
}

static int receive(int sock, struct unit_answer *a, const char *path, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t n;
	int r;

	do {
		r = poll(&p, 1, UNIT_DEADLINE_MS + UNIT_GRACE_MS);
	} while (r < 0 && errno == EINTR);
	if (!r)
		return err_set(e, ERR_TIMEOUT, -ETIMEDOUT, path, "no answer within %d s",
			       (UNIT_DEADLINE_MS + UNIT_GRACE_MS) / 1000);
	n = fdio_recv(sock, a, sizeof(*a), NULL, NULL);
	if (n < 0)
		return err_set(e, ERR_PEER, (int)n, path, "answer");
	if ((size_t)n != sizeof(*a))
		return err_set(e, ERR_PEER, 0, path, "ended without an answer");
	a->cgroup[sizeof(a->cgroup) - 1] = 0;
	if (a->err.kind == ERR_NONE)
		return 0;
	if (err_sanitize(&a->err, sizeof(a->err)))
		return err_set(e, ERR_PEER, 0, path, "an answer that makes no sense");
	*e = a->err;
	return e->errnum ? -e->errnum : -EINVAL;
}

static int ask(const struct buf *request, struct unit_answer *a, struct err *e)
{
	struct child_args ca = { .cgroup_fd = -1 };
	struct err ignored = { 0 };
	char path[CG_PATH_MAX];
	int sv[2], r;

	if (!e)
		e = &ignored;
	if (!buf_ok(request))
		return err_set(e, ERR_LIMIT, -ENOMEM, UNIT_HELPER, "request");
	if (request->len > UNIT_REQUEST_MAX)
		return err_set(e, ERR_LIMIT, -E2BIG, UNIT_HELPER, "the unit's properties are above %u bytes",
			       UNIT_REQUEST_MAX);
	if (!find_helper(path, sizeof(path)))
		return no_helper(e);
	r = fdio_socketpair(sv);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "socketpair");
	auto_fd mine = sv[0], theirs = sv[1], pidfd = -1;
	auto_child pid = child_clone(&ca, &pidfd);
	if (pid < 0)
		return err_set(e, ERR_LIMIT, pid, path, "fork");
	if (!pid)
		helper_child(path, theirs);
	fd_close(&theirs);
	r = fdio_send(mine, request->data, request->len, NULL, 0);
	if (r && r != -EPIPE)
		return err_set(e, ERR_PEER, r, path, "request");
	return receive(mine, a, path, e);
}

static void head(struct buf *b, const char *op, bool user, const char *name)
{
	unit_word(b, UNIT_WIRE_VERSION);
	unit_word(b, op);
	unit_word(b, user ? "user" : "system");
	unit_word(b, name);
}

static void tell(const struct log *log, const char *op, const char *name, const struct unit_answer *a)
{
	log_debug(log, "systemd %s %s: %u calls, %u us", op, name, a->calls, a->usec);
}

/* ---- a unit's life ---- */

static void basics(struct buf *b, const struct cg_unit_start *s)
{
	static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting", "TasksAccounting" };
	const struct cg_unit *u = s->unit;
	char text[320];

	snprintf(text, sizeof(text), "cleat container %.255s", s->id);
	unit_str(b, "Description", text);
	if (u->slice_unit) {
		unit_word(b, "Wants");
		unit_word(b, "as");
		unit_word(b, "1");
		unit_word(b, u->slice);
	} else {
		unit_str(b, "Slice", u->slice);
		unit_bool(b, "Delegate", true);
		unit_word(b, "PIDs");
		unit_word(b, "au");
		unit_word(b, "1");
		snprintf(text, sizeof(text), "%d", (int)s->pid);
		unit_word(b, text);
		/* or one that failed (say, by the OOM killer) would stay until somebody asks for it */
		unit_str(b, "?CollectMode", "inactive-or-failed");
	}
	unit_bool(b, "DefaultDependencies", false);
	for (size_t i = 0; i < sizeof(accounting) / sizeof(accounting[0]); i++)
		unit_bool(b, accounting[i], true);
	unit_bool(b, s->host->mode == CG_MODE_V2 ? "IOAccounting" : "BlockIOAccounting", true);
}

/* The line of the hierarchy that systemd keeps its units in. */
static int own_line(char *text, bool v2, char *path, size_t size)
{
	const char *want = v2 ? "0::" : ":name=systemd:";
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *p = v2 ? (strncmp(l, want, 3) ? NULL : l) : strstr(l, want);

		if (!p)
			continue;
		p += strlen(want);
		if (p[0] != '/' || strlen(p) >= size)
			return -EINVAL;
		snprintf(path, size, "%s", p);
		return 0;
	}
	return -ENOENT;
}

static int scope_path(const struct cg_unit_start *s, char *path, size_t size, struct err *e)
{
	const struct cg_unit *u = s->unit;
	auto_buf text = BUF_INIT;
	char file[32];
	const char *last;
	int r;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)s->pid);
	r = path_read(AT_FDCWD, file, LIMIT_PROC_FILE, &text);
	if (r || !text.data)
		return err_set(e, ERR_PEER, r, file, "where systemd put the container's process");
	r = own_line(text.data, s->host->mode == CG_MODE_V2, path, size);
	if (r)
		return err_set(e, ERR_KERNEL, r, file, "systemd's hierarchy is not there");
	last = strrchr(path, '/') + 1;
	if (!strcmp(last + (last[0] == '_' && u->name[0] != '_'), u->name) || !strcmp(last, u->name))
		return 0;
	return err_set(e, ERR_PEER, 0, file, "systemd made %.128s, but process %d is in \"%.128s\"", u->name,
		       (int)s->pid, path);
}

int cg_unit_start(const struct cg_unit_start *s, char *path, size_t size, struct err *e)
{
	const struct cg_unit *u = s->unit;
	struct unit_answer a = { .calls = 0 };
	auto_buf b = BUF_INIT;
	int r;

	head(&b, "start", u->user, u->name);
	basics(&b, s);
	r = unit_limits(&b, s->host, NULL, s->limits, e);
	if (!r)
		r = unit_devices(&b, s->limits, e);
	if (!r)
		r = unit_annotations(&b, s->annotations, e);
	if (!r)
		r = ask(&b, &a, e);
	if (r)
		return r;
	tell(s->log, "start", u->name, &a);
	if (!u->slice_unit) {
		r = scope_path(s, path, size, e);
	} else if (a.cgroup[0] != '/' || strlen(a.cgroup) >= size) {
		r = err_set(e, ERR_PEER, 0, u->name, "systemd tells no cgroup of it");
	} else {
		snprintf(path, size, "%s", a.cgroup);
	}
	/* a unit without our process ends by itself, or is somebody else's */
	return r;
}

int cg_unit_update(const char *name, bool user, const struct cg *c, const struct cg_limits *l,
		   const struct log *log, struct err *e)
{
	struct unit_answer a = { .calls = 0 };
	auto_buf b = BUF_INIT;
	size_t empty;
	int r;

	head(&b, "set", user, name);
	empty = b.len;
	r = unit_limits(&b, c->host, c, l, e);
	if (r || (buf_ok(&b) && b.len == empty))
		return r;
	r = ask(&b, &a, e);
	if (!r)
		tell(log, "set", name, &a);
	return r;
}

int cg_unit_stop(const char *name, bool user, const struct log *log, struct err *e)
{
	struct unit_answer a = { .calls = 0 };
	auto_buf b = BUF_INIT;
	int r;

	head(&b, "stop", user, name);
	r = ask(&b, &a, e);
	if (!r)
		tell(log, "stop", name, &a);
	return r;
}

bool cg_unit_exists(const struct cg_host *host, const char *path)
{
	for (size_t i = host->n; i-- > 0; ) {
		const struct cg_hierarchy *h = &host->h[i];
		char dir[CG_PATH_MAX];
		struct stat st;

		if (!h->v2 && strcmp(h->controllers, "name=systemd"))
			continue;
		if (!cg_join(host, i, path, NULL, dir, sizeof(dir)) && !stat(dir, &st))
			return true;
	}
	return false;
}

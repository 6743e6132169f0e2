/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker's side of a unit: what is asked of the helper program, and what
 * became of the process. A container needs two requests in its life.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "cg_internal.h"
#include "helper.h"
#include "pathfs.h"
#include "unit_internal.h"
#include "unit_wire.h"

#define SYSTEMD(...) { \
	.program = UNIT_HELPER, .need = "the systemd cgroup driver", .library = "libsystemd", .fd = -1, \
	.deadline_ms = UNIT_DEADLINE_MS + UNIT_GRACE_MS, __VA_ARGS__ }

int cg_unit_available(struct err *e)
{
	const struct helper_call c = SYSTEMD(.request = NULL);

	return helper_there(&c, e);
}

static int ask(const struct buf *request, struct unit_answer *a, struct err *e)
{
	const struct helper_call c = SYSTEMD(.request = request->data, .len = request->len);
	struct err ignored = { 0 };
	int r;

	if (!e)
		e = &ignored;
	if (!buf_ok(request))
		return err_set(e, ERR_LIMIT, -ENOMEM, UNIT_HELPER, "request");
	if (request->len > UNIT_REQUEST_MAX)
		return err_set(e, ERR_LIMIT, -E2BIG, UNIT_HELPER, "the unit's properties are above %u bytes",
			       UNIT_REQUEST_MAX);
	r = helper_ask(&c, a, sizeof(*a), e);
	a->cgroup[sizeof(a->cgroup) - 1] = 0;
	return r;
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

bool cg_unit_keeps(const struct cg_host *host, const struct err *why)
{
	/* ERR_UNSUPPORTED: there is no systemd */
	return host->mode == CG_MODE_V2 && why->kind != ERR_NONE && why->kind != ERR_UNSUPPORTED;
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

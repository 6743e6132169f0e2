/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a container, and the documents that describe it. */
#include "ops.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "hooks.h"
#include "json.h"
#include "pathfs.h"
#include "sysx.h"

void container_close(struct container *c)
{
	store_close(&c->store);
	arena_fini(&c->arena);
	fd_close(&c->procfd);
}

int op_cgroups(const struct cleat_env *env, struct cg_host *host, struct arena *a, struct err *e)
{
	if (!env->cgroups)
		return cg_host_detect(host, a, e);
	*host = *env->cgroups;
	return 0;
}

/* All but the look. */
static int open_unseen(struct container *c, const struct cleat_env *env, const char *id, enum store_lock lock,
		       struct err *e)
{
	int r = store_open(&c->store, env->root, id, lock, e);

	if (r)
		return r;
	if (!c->arena.head)
		c->arena = ARENA_ON(c->room);
	c->procfd = proc_open();
	if (c->procfd < 0)
		return err_set(e, ERR_KERNEL, c->procfd, "/proc", "open a trusted procfs");
	r = store_load(&c->store, &c->arena, &c->state, e);
	c->unreadable = r != 0;
	if (r == -ENOENT)
		err_set(e, ERR_NOT_FOUND, 0, id, "container does not exist (it is half made)");
	if (r)
		return r;
	return c->state.cgroup[0] ? op_cgroups(env, &c->host, &c->arena, e) : 0;
}

int container_open(struct container *c, const struct cleat_env *env, const char *id, enum store_lock lock,
		   struct err *e)
{
	int r = open_unseen(c, env, id, lock, e);

	if (!r)
		container_look(c);
	return r;
}

int container_open_pidfd(struct container *c, const struct cleat_env *env, const char *id, enum store_lock lock,
			 int *pidfd, struct err *e)
{
	int r = open_unseen(c, env, id, lock, e);

	*pidfd = -1;
	if (r)
		return r;
	if (c->state.pid > 0)
		*pidfd = sysx_pidfd_open(c->state.pid, 0);
	/* Only now: a pid that was used again before the pidfd was taken has another start time. */
	container_look(c);
	if (*pidfd >= 0 && c->status == CLEAT_STOPPED)
		fd_close(pidfd);
	return 0;
}

void container_look(struct container *c)
{
	c->status = store_status(&c->store, &c->state, c->procfd, c->state.cgroup[0] ? &c->host : NULL);
}

static int no_cgroup(const struct container *c, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, -ENOENT, c->state.id, "the container has no cgroup");
}

int container_cgroup(struct container *c, struct cg *cg, struct err *e)
{
	return c->state.cgroup[0] ? cg_open(cg, &c->host, c->state.cgroup, e) : no_cgroup(c, e);
}

int container_enter(struct container *c, struct cg *cg, struct err *e)
{
	return c->state.cgroup[0] ? cg_open_to_enter(cg, &c->host, c->state.cgroup, e) : no_cgroup(c, e);
}

int container_poststart(const struct state *st, const struct log *log, struct err *e)
{
	const struct hook_view view = { .cwd = st->bundle };
	char *state;
	int r;

	if (!st->hooks || !st->hooks->poststart.n)
		return 0;
	state = container_hook_state(st, CLEAT_RUNNING, st->pid);
	if (!state)
		return err_set(e, ERR_LIMIT, -ENOMEM, "/hooks/poststart", "state for hooks");
	r = hooks_run(&st->hooks->poststart, "poststart", state, &view, false, log, e);
	free(state);
	return r;
}

int container_not_running(const char *id, struct err *e)
{
	return err_set(e, ERR_STATE, 0, id, "container not running");
}

void op_reap(const struct cleat_env *env, pid_t pid, int pidfd)
{
	if (!env->parent_clone)
		child_wait(pid, NULL);
	else if (pidfd >= 0)
		child_pidfd_wait_ms(pidfd, 10000);
}

/* ---- documents ---- */

/* What `state` prints and hooks read; the order is the spec's. */
struct state_document {
	const char *oci_version, *id, *status, *bundle, *rootfs, *created, *owner;
	int32_t pid;
	bool has_created, has_owner;
	struct strmap annotations;
};
#define OFF(m) FIELD_OFF(struct state_document, m)
static const struct field hook_fields[] = {
	{ .key = "ociVersion", .type = FT_STR, .off = OFF(oci_version) },
	{ .key = "id", .type = FT_STR, .off = OFF(id) },
	{ .key = "status", .type = FT_STR, .off = OFF(status) },
	{ .key = "pid", .type = FT_I32, .off = OFF(pid), .flags = F_OMITEMPTY },
	{ .key = "bundle", .type = FT_STR, .off = OFF(bundle), .flags = F_BYTES },
	{ .key = "annotations", .type = FT_MAP, .off = OFF(annotations), .flags = F_OMITEMPTY },
};
static OBJECT(hook_object, struct state_document, hook_fields);
static const struct field state_fields[] = {
	{ .key = "ociVersion", .type = FT_STR, .off = OFF(oci_version) },
	{ .key = "id", .type = FT_STR, .off = OFF(id) },
	{ .key = "pid", .type = FT_I32, .off = OFF(pid) },
	{ .key = "status", .type = FT_STR, .off = OFF(status) },
	{ .key = "bundle", .type = FT_STR, .off = OFF(bundle), .flags = F_BYTES },
	{ .key = "rootfs", .type = FT_STR, .off = OFF(rootfs), .flags = F_BYTES },
	{ .key = "created", .type = FT_STR, .off = OFF(created) },
	{ .key = "annotations", .type = FT_MAP, .off = OFF(annotations), .flags = F_OMITEMPTY },
	{ .key = "owner", .type = FT_STR, .off = OFF(owner) },
};
static OBJECT(state_document_object, struct state_document, state_fields);

static char *write_document(const struct object *o, const struct state_document *d, bool pretty)
{
	auto_buf b = BUF_INIT;
	char *text;

	if (json_write(o, d, pretty, &b) || !buf_ok(&b))
		return NULL;
	text = b.data;
	b.data = NULL;
	return text;
}

char *container_hook_state(const struct state *st, enum cleat_status status, pid_t pid)
{
	struct state_document d = {
		.oci_version = st->oci_version, .id = st->id, .status = cleat_status_name(status),
		.bundle = st->bundle, .pid = pid, .annotations = st->annotations,
	};

	return write_document(&hook_object, &d, false);
}

static int compare_key(const void *a, const void *b)
{
	return strcmp(((const struct keyval *)a)->key, ((const struct keyval *)b)->key);
}

char *cleat_state_json(const struct cleat_state *s, bool pretty)
{
	struct state_document d = {
		.oci_version = s->oci_version, .id = s->id, .status = cleat_status_name(s->status),
		.bundle = s->bundle, .rootfs = s->rootfs, .created = s->created,
		.owner = s->owner, .pid = s->pid, .annotations = s->annotations,
	};
	char *text;

	/* As programs of Go write a map. */
	if (d.annotations.n) {
		d.annotations.v = malloc(s->annotations.n * sizeof(*d.annotations.v));
		if (!d.annotations.v)
			return NULL;
		memcpy(d.annotations.v, s->annotations.v, s->annotations.n * sizeof(*d.annotations.v));
		qsort(d.annotations.v, d.annotations.n, sizeof(*d.annotations.v), compare_key);
	}
	text = write_document(&state_document_object, &d, pretty);
	if (d.annotations.n)
		free(d.annotations.v);
	return text;
}

static int fill_state(const struct container *c, struct cleat_state *s, struct arena *a, struct err *e)
{
	const struct state *st = &c->state;
	size_t i;

	*s = (struct cleat_state){
		.oci_version = arena_strdup(a, st->oci_version), .id = arena_strdup(a, st->id),
		.bundle = arena_strdup(a, st->bundle), .rootfs = arena_strdup(a, st->rootfs),
		.created = arena_strdup(a, st->created), .owner = arena_printf(a, "#%u", st->owner),
		.status = c->status, .pid = c->status == CLEAT_STOPPED ? 0 : st->pid,
		.own_pidns = st->own_pidns, .terminal = st->terminal,
		.cgroup_path = arena_strdup(a, st->cgroup),
	};
	s->annotations.n = st->annotations.n;
	s->annotations.v = arena_alloc(a, (st->annotations.n + 1) * sizeof(*s->annotations.v));
	if (!s->oci_version || !s->id || !s->bundle || !s->rootfs || !s->created || !s->owner || !s->cgroup_path ||
	    !s->annotations.v)
		goto nomem;
	for (i = 0; i < st->annotations.n; i++) {
		s->annotations.v[i].key = arena_strdup(a, st->annotations.v[i].key);
		s->annotations.v[i].val = arena_strdup(a, st->annotations.v[i].val);
		if (!s->annotations.v[i].key || !s->annotations.v[i].val)
			goto nomem;
	}
	return 0;
nomem:
	return err_set(e, ERR_LIMIT, -ENOMEM, st->id, "state");
}

int cleat_state(const struct cleat_env *env, const char *id, struct cleat_state *s, struct arena *a, struct err *e)
{
	auto_container c = CONTAINER_INIT;
	/* No lock: state.json is replaced by rename, and hooks ask for the state of the container being made. */
	int r = container_open(&c, env, id, STORE_NO_LOCK, e);

	return r ? r : fill_state(&c, s, a, e);
}

static int compare_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of all containers, sorted, in @a. */
static int list_names(int rootfd, struct arena *a, struct strv *names, struct err *e)
{
	int dup = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir d = dup < 0 ? NULL : fdopendir(dup);
	size_t room = 0;
	struct dirent *de;

	*names = (struct strv){ 0 };
	if (!d) {
		fd_close(&dup);
		return err_set(e, ERR_KERNEL, -errno, NULL, "read the state root");
	}
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.' || cleat_id_check(de->d_name, NULL))
			continue;
		if (names->n == room) {
			size_t more = room ? room * 2 : 64;

			names->v = arena_grow(a, names->v, room * sizeof(*names->v), more * sizeof(*names->v));
			room = more;
		}
		if (!names->v || !(names->v[names->n++] = arena_strdup(a, de->d_name)))
			return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "list");
	}
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), compare_name);
	return 0;
}

int cleat_list(const struct cleat_env *env, int (*cb)(const struct cleat_state *s, void *arg),
	       void (*bad)(const char *id, const struct err *why, void *arg), void *arg, struct err *e)
{
	auto_arena names_arena = ARENA_INIT;
	struct err why = { 0 };
	auto_fd rootfd = store_root(env->root, false, &why);
	struct strv names;
	size_t i;
	int r;

	if (rootfd == -ENOENT)
		return 0;
	if (rootfd < 0) {
		*e = why;
		return rootfd;
	}
	r = list_names(rootfd, &names_arena, &names, e);
	for (i = 0; i < names.n && !r; i++) {
		auto_arena a = ARENA_INIT;
		struct cleat_state s;

		err_clear(&why);
		if (!cleat_state(env, names.v[i], &s, &a, &why))
			r = cb(&s, arg);
		else if (why.kind == ERR_NOT_FOUND && faccessat(rootfd, names.v[i], F_OK, 0))
			continue;	/* deleted while we list */
		else if (bad)
			bad(names.v[i], &why, arg);
	}
	return r;
}

void cleat_process_close(struct cleat_process *p)
{
	fd_close(&p->pidfd);
	fd_close(&p->console);
	cg_watch_close(&p->oom);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `list`: all containers of the root, as a table, as JSON, or ids alone. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "num.h"
#include "pathfs.h"

const struct opt cli_list_options[] = {
	{ .name = "format",
	  .letter = 'f',
	  .type = OPT_STR,
	  .off = OPT_AT(struct list_values, format),
	  .value = "table|json",
	  .help = "form of the list (table)" },
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPT_FLAG,
	  .off = OPT_AT(struct list_values, quiet),
	  .help = "ids alone" },
	{ .type = OPT_END },
};

enum { COLUMNS = 6 };
#define COLUMN_GAP 3u
#define COLUMN_MIN 12u

struct row {
	struct row *next;
	const char *cell[COLUMNS];
};

struct listing {
	struct cli *c;
	int rootfd;
	bool quiet, json;
	struct buf out;
	size_t n;
	struct row *rows, **tail;
	uid_t last_uid;			/* almost all have the same owner: ask once */
	const char *last_owner;
};

/*
 * The name of @uid in /etc/passwd. Read by hand: the name service would load
 * libraries into a program that may be static.
 */
static const char *owner_name(struct listing *l, uid_t uid)
{
	auto_buf b = BUF_INIT;
	char *line, *rest;
	uint32_t n;

	if (l->last_owner && l->last_uid == uid)
		return l->last_owner;
	l->last_uid = uid;
	l->last_owner = arena_printf(&l->c->arena, "#%u", uid);
	if (path_read(AT_FDCWD, "/etc/passwd", LIMIT_PASSWD_BYTES, &b) || !b.data)
		return l->last_owner;
	for (line = b.data; line; line = rest) {
		char *name = line, *pass, *id;

		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		pass = strchr(name, ':');
		id = pass ? strchr(pass + 1, ':') : NULL;
		if (!id)
			continue;
		*pass = 0;
		id++;
		id[strcspn(id, ":")] = 0;
		if (!num_u32(id, &n) && n == uid) {
			l->last_owner = arena_strdup(&l->c->arena, name);
			break;
		}
	}
	return l->last_owner;
}

static const char *owner_of(struct listing *l, const char *id)
{
	struct stat st;

	if (l->rootfd < 0 || fstatat(l->rootfd, id, &st, AT_SYMLINK_NOFOLLOW))
		return "";
	return owner_name(l, st.st_uid);
}

static int add_row(struct listing *l, const struct cleat_state *s)
{
	struct arena *a = &l->c->arena;
	struct row *row = arena_new(a, struct row);
	unsigned int i;

	if (!row)
		return -ENOMEM;
	row->cell[0] = arena_strdup(a, s->id);
	row->cell[1] = arena_printf(a, "%d", s->pid);
	row->cell[2] = cleat_status_name(s->status);
	row->cell[3] = arena_strdup(a, s->bundle);
	row->cell[4] = arena_strdup(a, s->created);
	row->cell[5] = s->owner;
	for (i = 0; i < COLUMNS; i++)
		if (!row->cell[i])
			return -ENOMEM;
	*l->tail = row;
	l->tail = &row->next;
	return 0;
}

static int on_container(const struct cleat_state *s, void *arg)
{
	struct listing *l = arg;
	struct cleat_state copy = *s;
	char *json;

	if (l->quiet) {
		buf_adds(&l->out, s->id);
		buf_addc(&l->out, '\n');
		return 0;
	}
	copy.owner = owner_of(l, s->id);
	if (!copy.owner)
		return -ENOMEM;
	if (!l->json)
		return add_row(l, &copy);
	json = cleat_state_json(&copy, false);
	if (!json)
		return -ENOMEM;
	buf_adds(&l->out, l->n++ ? "," : "[");
	buf_adds(&l->out, json);
	free(json);
	return 0;
}

static void on_unreadable(const char *id, const struct err *why, void *arg)
{
	struct listing *l = arg;
	char text[ERR_TEXT_MAX];

	log_warn(l->c->env.log, "container %s is not listed: %s", id,
		 err_render(why, text, sizeof(text)));
}

static void print_row(struct buf *out, const char *const *cell, const size_t *width)
{
	unsigned int i;

	for (i = 0; i < COLUMNS - 1; i++)
		buf_addf(out, "%-*s", (int)width[i], cell[i]);
	buf_addf(out, "%s\n", cell[COLUMNS - 1]);
}

static void print_table(struct listing *l)
{
	static const char *const header[COLUMNS] = {
		"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"
	};
	size_t width[COLUMNS], i;
	const struct row *row;

	for (i = 0; i < COLUMNS; i++)
		width[i] = COLUMN_MIN;
	for (row = l->rows; row; row = row->next)
		for (i = 0; i < COLUMNS; i++)
			if (strlen(row->cell[i]) + COLUMN_GAP > width[i])
				width[i] = strlen(row->cell[i]) + COLUMN_GAP;
	print_row(&l->out, header, width);
	for (row = l->rows; row; row = row->next)
		print_row(&l->out, row->cell, width);
}

int cmd_list(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct list_values *v = values;
	struct listing l = { .c = c, .rootfd = -1, .quiet = v->quiet };
	int r;

	l.tail = &l.rows;
	l.json = v->format && !strcmp(v->format, "json");
	if (v->format && !l.json && strcmp(v->format, "table"))
		return err_set(e, ERR_SPEC, 0, NULL, "invalid format option: %s", v->format);
	l.rootfd = openat(AT_FDCWD, c->env.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l.rootfd < 0 && c->global.root)
		return err_set(e, ERR_NOT_FOUND, -errno, c->env.root, "--root");
	r = cleat_list(&c->env, on_container, on_unreadable, &l, e);
	fd_close(&l.rootfd);
	if (r == -ENOMEM)
		err_set(e, ERR_LIMIT, r, NULL, "build the list");
	if (!r && !l.quiet && l.json)
		buf_adds(&l.out, l.n ? "]\n" : "[]\n");
	else if (!r && !l.quiet)
		print_table(&l);
	if (!r)
		r = cli_out_buf(&l.out, e);
	buf_fini(&l.out);
	return r;
}

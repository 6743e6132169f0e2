/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of the resctrl file system: made, entered, changed, removed. */
#include "rdt.h"
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

#define WHERE "/linux/intelRdt"
#define SPEC "config-linux.md#intelrdt"
#define USUAL_PLACE "/sys/fs/resctrl"

#define AT(m) .off = FIELD_OFF(struct rdt, m)
static const struct field rdt_fields[] = {
	{ .key = "closID", .type = FT_STR, .flags = F_OMITEMPTY, AT(clos_id), .spec = SPEC,
	  .doc = "class of service, / for the root group; the container's id when absent" },
	{ .key = "l3CacheSchema", .type = FT_STR, .flags = F_OMITEMPTY, AT(l3), .spec = SPEC,
	  .doc = "L3: and the capacity mask of each cache" },
	{ .key = "memBwSchema", .type = FT_STR, .flags = F_OMITEMPTY, AT(mem_bw), .spec = SPEC,
	  .doc = "MB: and the memory bandwidth at each cache" },
	{ .key = "schemata", .type = FT_STRV, .flags = F_OMITEMPTY, AT(schemata), .spec = SPEC,
	  .doc = "lines of the schemata file, written last" },
	{ .key = "enableMonitoring", .type = FT_BOOL, .flags = F_OMITEMPTY, AT(monitoring), .spec = SPEC,
	  .doc = "count what the container uses, in a group of its own" },
	{ .key = "enableCMT", .type = FT_IGNORED, .spec = SPEC, .doc = "earlier versions: without effect" },
	{ .key = "enableMBM", .type = FT_IGNORED, .spec = SPEC, .doc = "earlier versions: without effect" },
};
OBJECT(rdt_object, struct rdt, rdt_fields);

static bool given(const char *s)
{
	return s && *s;
}

static bool has_schema(const struct rdt *r)
{
	return given(r->l3) || given(r->mem_bw) || r->schemata.n;
}

static int bad(struct err *e, const char *where, const char *member, const char *why, const char *value)
{
	char at[96];

	snprintf(at, sizeof(at), "%s/%s", where, member);
	return err_set(e, ERR_SPEC, -EINVAL, at, "%s: \"%.100s\"", why, value);
}

int rdt_check(const struct rdt *r, const char *where, struct err *e)
{
	const char *id = r->clos_id;
	char member[32];
	size_t i;

	if (given(id) && strcmp(id, "/") &&
	    (!strcmp(id, ".") || !strcmp(id, "..") || strchr(id, '/') || strlen(id) > LIMIT_ID_BYTES))
		return bad(e, where, "closID", "not the name of a class", id);
	if (given(r->mem_bw) && (strncmp(r->mem_bw, "MB:", 3) || strchr(r->mem_bw, '\n')))
		return bad(e, where, "memBwSchema", "must be one line that begins with \"MB:\"", r->mem_bw);
	for (i = 0; i < r->schemata.n; i++) {
		snprintf(member, sizeof(member), "schemata/%zu", i);
		if (strchr(r->schemata.v[i], '\n'))
			return bad(e, where, member, "more than one line", r->schemata.v[i]);
	}
	return 0;
}

/* ---- where it is ---- */

static bool is_resctrl(int fd)
{
	return !faccessat(fd, "schemata", F_OK, 0) && !faccessat(fd, "info", F_OK, 0);
}

/* The place of a mount that is not where it is expected; mountinfo's text is cut up. */
static const char *find_mount(char *text)
{
	char *line, *rest;

	for (line = text; line; line = rest) {
		char *type = strstr(line, " - resctrl "), *end = strchr(line, '\n'), *save = NULL, *word;
		int i;

		rest = end ? end + 1 : NULL;
		if (!type || (end && type > end))
			continue;
		for (i = 0, word = strtok_r(line, " ", &save); word && i < 4; i++)
			word = strtok_r(NULL, " ", &save);
		return word;
	}
	return NULL;
}

int rdt_open(struct err *e)
{
	auto_fd fd = openat(AT_FDCWD, USUAL_PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_buf b = BUF_INIT;
	const char *place;

	if (fd >= 0 && is_resctrl(fd))
		return take_fd(&fd);
	fd_close(&fd);
	place = !path_read(AT_FDCWD, "/proc/self/mountinfo", LIMIT_PROC_FILE, &b) && b.data ? find_mount(b.data) : NULL;
	if (place)
		fd = openat(AT_FDCWD, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && is_resctrl(fd))
		return take_fd(&fd);
	return err_set(e, ERR_UNSUPPORTED, 0, WHERE,
		       "no resctrl file system is mounted (mount -t resctrl resctrl " USUAL_PLACE
		       ", where the processor and the kernel know it)");
}

int rdt_open_group(int root, const struct rdt_group *g)
{
	const char *folder = strcmp(g->name, "/") ? g->name : ".";
	int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The kernel's errno says little; why it refused stands in a file. */
static int refused(int root, int r, const char *where, const char *what, struct err *e)
{
	auto_buf b = BUF_INIT;
	const char *why = "";

	if (!path_read(root, "info/last_cmd_status", LIMIT_PROC_FILE, &b) && b.data && strncmp(b.data, "ok", 2)) {
		b.data[strcspn(b.data, "\n")] = 0;
		why = b.data;
	}
	return err_set(e, r == -EPERM || r == -EACCES ? ERR_DENIED : ERR_KERNEL, r, where, "%s%s%.200s", what,
		       *why ? ": " : "", why);
}

/* ---- schemata ---- */

/* All lines of @text but, when @skip is given, those that begin with it. */
static void add_lines(struct buf *b, const char *text, const char *skip)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n && (!skip || strncmp(text, skip, strlen(skip)))) {
			buf_add(b, text, n);
			buf_addc(b, '\n');
		}
		text += n + (text[n] == '\n');
	}
}

static int write_schemata(int root, int dir, const struct buf *b, struct err *e)
{
	int r = buf_ok(b) ? 0 : -ENOMEM;

	if (!r && b->len)
		r = path_write(dir, "schemata", b->data, b->len);
	return r ? refused(root, r, WHERE "/schemata", "write the schemata", e) : 0;
}

/* Both of the old words at once; the general ones after them, and over them. */
static void old_words(struct buf *b, const char *l3, const char *mem_bw)
{
	if (given(l3))
		add_lines(b, l3, given(mem_bw) ? "MB:" : NULL);
	if (given(mem_bw))
		add_lines(b, mem_bw, NULL);
}

static void new_words(struct buf *b, const struct strv *lines)
{
	size_t i;

	for (i = 0; i < lines->n; i++)
		add_lines(b, lines->v[i], NULL);
}

/* The value of @domain in @line, "L3:0=f;1=ff" say, or NULL; @len: its length. Domains go without leading zeros: "" is 0. */
static const char *value_of(const char *line, const char *domain, size_t domain_len, size_t *len)
{
	const char *p = strchr(line, ':');

	while (p && *p && *p != '\n') {
		p++;
		p += strspn(p, " \t0");
		*len = strcspn(p, ";\n");
		if (*len > domain_len && !strncmp(p, domain, domain_len) && p[domain_len] == '=') {
			*len -= domain_len + 1;
			return p + domain_len + 1;
		}
		p += *len;
	}
	return NULL;
}

const char *rdt_line(const char *text, const char *name, size_t n)
{
	while (*text) {
		text += strspn(text, " \t\n");
		if (!strncmp(text, name, n))
			return text;
		text += strcspn(text, "\n");
	}
	return NULL;
}

uint64_t rdt_number(int dir, const char *path)
{
	auto_buf b = BUF_INIT;

	return path_read(dir, path, LIMIT_PROC_FILE, &b) || !b.data ? 0 : strtoull(b.data, NULL, 10);
}

/* The kernel takes bandwidth in steps, from a least one on, and says what it made of it. */
static uint64_t rounded(int root, uint64_t v)
{
	uint64_t gran = rdt_number(root, "info/MB/bandwidth_gran"), least = rdt_number(root, "info/MB/min_bandwidth");

	v = v < least ? least : v;
	return gran ? (v + gran - 1) / gran * gran : v;
}

static bool equal(int root, const char *line, const char *want, const char *have)
{
	int base = strncmp(line, "MB:", 3) ? 16 : 10;
	uint64_t w = strtoull(want, NULL, base), h = strtoull(have, NULL, base);

	return w == h || (base == 10 && rounded(root, w) == h);
}

/* Does the group that is there have what line @want asks for, domain by domain? */
static bool line_holds(int root, const char *text, const char *want)
{
	const char *have = rdt_line(text, want, strcspn(want, ":") + 1), *p = strchr(want, ':');

	if (!have || !p)
		return false;
	while (*p && *p != '\n') {
		size_t n, len;
		const char *v;

		p++;
		p += strspn(p, " \t0");
		n = strcspn(p, "=;\n");
		if (p[n] != '=')
			return false;
		v = value_of(have, p, n, &len);
		if (!v || !equal(root, want, p + n + 1, v))
			return false;
		p += strcspn(p, ";\n");
	}
	return true;
}

static int compare_schemata(int root, int dir, const struct rdt *r, const char *name, struct err *e)
{
	auto_buf want = BUF_INIT, have = BUF_INIT;
	const char *line;
	int q = path_read(dir, "schemata", LIMIT_PROC_FILE, &have);

	if (q)
		return refused(root, q, WHERE "/closID", "read the schemata of the class", e);
	old_words(&want, r->l3, r->mem_bw);
	new_words(&want, &r->schemata);
	if (!buf_ok(&want) || !buf_ok(&have))
		return err_set(e, ERR_LIMIT, -ENOMEM, WHERE, "compare the schemata");
	for (line = want.data; line && *line; line += strcspn(line, "\n") + 1)
		if (!line_holds(root, have.data ? have.data : "", line))
			return err_set(e, ERR_STATE, 0, WHERE "/closID",
				       "the class \"%s\" exists and its schemata are not \"%.*s\"", name,
				       (int)strcspn(line, "\n"), line);
	return 0;
}

/* ---- groups ---- */

static bool holds_tasks(int dir)
{
	auto_buf b = BUF_INIT;
	int r = path_read(dir, "tasks", LIMIT_PROC_FILE, &b);

	return r != -ENOENT && (r || b.len);
}

int rdt_plan(int root, const struct rdt *r, const char *id, struct rdt_group *g, struct err *e)
{
	auto_fd dir = -1;

	*g = (struct rdt_group){ .name = given(r->clos_id) ? r->clos_id : id, .monitored = r->monitoring };
	dir = rdt_open_group(root, g);
	if (dir == -ENOENT) {
		g->made = true;
		return given(r->clos_id) && !has_schema(r) ?
			err_set(e, ERR_STATE, 0, WHERE "/closID",
				"the class \"%s\" does not exist, and there is no schema to make it with", g->name) : 0;
	}
	if (dir < 0)
		return refused(root, dir, WHERE "/closID", "open the class", e);
	if (faccessat(dir, "tasks", F_OK, 0))
		return err_set(e, ERR_SPEC, 0, WHERE "/closID", "\"%s\" is the name of something else in resctrl", g->name);
	if (given(r->clos_id))
		return 0;
	/* What bears the container's id was left by one that is no more. */
	g->made = true;
	return holds_tasks(dir) ? err_set(e, ERR_STATE, -EBUSY, WHERE, "the class \"%s\" exists and holds processes", id) : 0;
}

static int make_counted(int root, int dir, const char *id, struct err *e)
{
	char path[LIMIT_ID_BYTES + 16];

	snprintf(path, sizeof(path), "mon_groups/%s", id);
	if (!mkdirat(dir, path, 0755) || errno == EEXIST)
		return 0;
	return refused(root, -errno, WHERE "/enableMonitoring", "make the group that is counted", e);
}

int rdt_make(int root, const struct rdt *r, const char *id, const struct rdt_group *g, struct err *e)
{
	auto_buf words = BUF_INIT, more = BUF_INIT;
	auto_fd dir = -1;
	int q = 0;

	if (g->made && mkdirat(root, g->name, 0755) && errno != EEXIST)
		return refused(root, -errno, WHERE "/closID", "make a class of service", e);
	dir = rdt_open_group(root, g);
	if (dir < 0)
		return refused(root, dir, WHERE "/closID", "open the class", e);
	old_words(&words, r->l3, r->mem_bw);
	new_words(&more, &r->schemata);
	if (!g->made && has_schema(r))
		q = compare_schemata(root, dir, r, g->name, e);
	else if (g->made)
		q = write_schemata(root, dir, &words, e);
	if (!q && g->made)
		q = write_schemata(root, dir, &more, e);
	if (!q && g->monitored)
		q = make_counted(root, dir, id, e);
	if (q)
		rdt_remove(root, g, id);
	return q;
}

int rdt_enter(int root, const struct rdt_group *g, const char *id, pid_t pid, struct err *e)
{
	char text[16], path[LIMIT_ID_BYTES + 32];
	auto_fd dir = rdt_open_group(root, g);
	int n = snprintf(text, sizeof(text), "%d", (int)pid), r;

	if (dir < 0)
		return refused(root, dir, WHERE "/closID", "open the class", e);
	r = path_write(dir, "tasks", text, (size_t)n);
	if (!r && g->monitored) {
		snprintf(path, sizeof(path), "mon_groups/%s/tasks", id);
		r = path_write(dir, path, text, (size_t)n);
	}
	return r ? refused(root, r, WHERE, "put the process into the class", e) : 0;
}

int rdt_update(int root, const struct rdt_group *g, const char *l3, const char *mem_bw, struct err *e)
{
	auto_buf words = BUF_INIT;
	auto_fd dir = rdt_open_group(root, g);

	if (dir < 0)
		return refused(root, dir, WHERE "/closID", "open the class", e);
	old_words(&words, l3, mem_bw);
	return write_schemata(root, dir, &words, e);
}

void rdt_remove(int root, const struct rdt_group *g, const char *id)
{
	char path[LIMIT_ID_BYTES + 16];
	auto_fd dir = rdt_open_group(root, g);

	if (dir < 0)
		return;
	if (g->monitored) {
		snprintf(path, sizeof(path), "mon_groups/%s", id);
		unlinkat(dir, path, AT_REMOVEDIR);
	}
	/* Whoever joined a class of ours meanwhile would lose what it gives. */
	if (g->made && !holds_tasks(dir))
		unlinkat(root, g->name, AT_REMOVEDIR);
}

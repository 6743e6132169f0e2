/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directories of a container's cgroup: made, opened, entered.
 *
 * v1: one mkdir per hierarchy; a new cpuset has no CPUs and nobody may enter
 * it, so it gets its parent's. v2: one mkdir; if the new directory lacks
 * controllers that the root has, they are enabled from the root down, before
 * any process is placed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"
#include "text.h"
#include "unit.h"

#define DIR_MODE	0755
#define CG_ABOVE_MAX	(3 * CG_DEPTH_MAX + 32)

/** struct made - What cg_make() has to undo in one hierarchy. */
struct made {
	size_t from;	/* length of the path's part that was there before; 0: nothing was made */
};

/** struct plan - How cg_make() and cg_adopt() differ. */
struct plan {
	const struct cg_limits *l;	/* what will be written; NULL: whatever */
	bool adopt;			/* processes may be in it */
};

static void cg_init(struct cg *c, const struct cg_host *host, const char *path)
{
	memset(c, 0, sizeof(*c));
	c->host = host;
	c->path = path;
	for (size_t i = 0; i < CG_HIERARCHIES_MAX; i++)
		c->dirfd[i] = c->enterfd[i] = -1;
}

/** cg_close() - Close what is open of it. The cgroup stays. */
void cg_close(struct cg *c)
{
	for (size_t i = 0; i < CG_HIERARCHIES_MAX; i++) {
		fd_close(&c->dirfd[i]);
		fd_close(&c->enterfd[i]);
	}
}

static int fail(const struct cg *c, size_t i, const char *file, int r, struct err *e,
		const char *what)
{
	char where[CG_WHERE_MAX];

	cg_where(c, i, file, where, sizeof(where));
	return err_set(e, cg_kind(r) == ERR_UNSUPPORTED ? ERR_KERNEL : cg_kind(r), r, where, "%s",
		       what);
}

/*
 * mkdir of the whole path. The usual case, a parent that is there, is one
 * call; else each level is tried, and one that somebody else makes at the same
 * moment is as good as ours.
 * Return: 1 made, 0 the cgroup was there, or -errno.
 */
__attribute__((noinline))
static int make_dirs(const struct cg *c, size_t i, struct made *m)
{
	char dir[CG_PATH_MAX];
	size_t base = strlen(c->host->h[i].mountpoint);
	int r = cg_join(c->host, i, c->path, NULL, dir, sizeof(dir));

	if (r < 0)
		return r;
	m->from = (size_t)(strrchr(c->path, '/') - c->path);
	if (!mkdir(dir, DIR_MODE)) {
		if (!m->from)
			m->from = 1;	/* its parent is the root */
		return 1;
	}
	m->from = 0;
	if (errno != ENOENT)
		return errno == EEXIST ? 0 : -errno;
	for (char *p = dir + base + 1; p; ) {
		char *slash = strchr(p, '/');

		if (slash)
			*slash = 0;
		if (!mkdir(dir, DIR_MODE)) {
			if (!m->from)
				m->from = (size_t)(p - dir) - base;
			if (!slash)
				return 1;
		} else if (errno != EEXIST) {
			return -errno;
		}
		if (slash)
			*slash = '/';
		p = slash ? slash + 1 : NULL;
	}
	return 0;
}

/* Remove what make_dirs() made, the container's directory first; a level that others use stays. */
__attribute__((noinline))
static void undo_dirs(const struct cg *c, size_t i, const struct made *m)
{
	char dir[CG_PATH_MAX];
	size_t base = strlen(c->host->h[i].mountpoint);

	if (!m->from || cg_join(c->host, i, c->path, NULL, dir, sizeof(dir)) < 0)
		return;
	for (; strlen(dir) > base + m->from; *strrchr(dir, '/') = 0)
		if (rmdir(dir) && errno != ENOENT && errno != ENOTDIR)
			return;
}

/* "../../cpuset.cpus": a file of the cgroup @up levels above. */
static void above(char out[CG_ABOVE_MAX], size_t up, const char *file)
{
	size_t len = 0;

	while (up-- > 0 && len + 3 < CG_ABOVE_MAX) {
		memcpy(out + len, "../", 3);
		len += 3;
	}
	text_join(out + len, CG_ABOVE_MAX - len, file);
}

/*
 * A new cpuset has no CPUs and no memory nodes. Look upward for the nearest
 * level that has some, then write them downward: each level may have only what
 * the one above it has.
 */
__attribute__((noinline))
static int inherit_cpuset(const struct cg *c, size_t i, const char *file, struct err *e)
{
	char path[CG_ABOVE_MAX], val[CG_FILE_MAX];
	size_t levels = 0, up = 1;
	int r;

	val[0] = 0;

	for (const char *p = c->path; (p = strchr(p, '/')); p++)
		levels++;
	if (levels > CG_DEPTH_MAX)
		return fail(c, i, NULL, -ENAMETOOLONG, e, "too many levels");
	for (; up <= levels; up++) {
		above(path, up, file);
		r = cg_read(c->dirfd[i], path, val, sizeof(val));
		if (r < 0)
			return fail(c, i, file, r, e, "read the value of the cgroup above");
		if (r > 0)
			break;
	}
	while (up-- > 0) {
		above(path, up, file);
		r = path_write(c->dirfd[i], path, val, strlen(val));
		if (r < 0)
			return fail(c, i, file, r, e, "copy the value of the cgroup above");
	}
	return 0;
}

static int fill_cpuset(const struct cg *c, size_t i, struct err *e)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char val[8];

	for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
		int r;

		r = c->made[i] ? 0 : cg_read(c->dirfd[i], files[k], val, sizeof(val));
		if (r > 0 || r == -EFBIG)
			continue;	/* filled by whoever made it */
		r = inherit_cpuset(c, i, files[k], e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A cgroup that was there must be nobody's: an empty, thawed left-over. */
static int check_unused(const struct cg *c, size_t i, struct err *e)
{
	struct cg_pidlist l = { 0 };
	char where[CG_WHERE_MAX], state[32];
	int r = cg_tree_pids(c->dirfd[i], &l, 0);
	size_t n = l.n;
	pid_t first = n ? l.v[0] : 0;
	bool frozen = false;

	free(l.v);
	cg_where(c, i, NULL, where, sizeof(where));
	if (r < 0)
		return fail(c, i, "cgroup.procs", r, e, "read");
	if (n)
		return err_set(e, ERR_STATE, -EBUSY, where,
			       "the cgroup exists and holds %zu processes, pid %d first", n,
			       (int)first);
	if (c->host->h[i].v2)
		frozen = cg_read(c->dirfd[i], "cgroup.freeze", state, sizeof(state)) > 0 &&
			 *state == '1';
	else if (cg_has_word(c->host->h[i].controllers, "freezer", ','))
		frozen = cg_read(c->dirfd[i], "freezer.state", state, sizeof(state)) > 0 &&
			 strcmp(state, "THAWED");
	if (frozen)
		return err_set(e, ERR_STATE, -EBUSY, where, "the cgroup exists and is frozen");
	return 0;
}

/* Of v1, what a process enters a cgroup by. */
__attribute__((noinline))	/* as cg_open_dir() */
static int open_tasks(const struct cg_host *host, size_t i, const char *path)
{
	char file[CG_PATH_MAX];
	int r = cg_join(host, i, path, "tasks", file, sizeof(file));

	if (r)
		return r;
	r = openat(AT_FDCWD, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return r < 0 ? -errno : r;
}

/*
 * Is anything done in hierarchy @i of v1 but to enter it? A new cpuset is filled, devices are confined in any case,
 * and the memory controller tells of OOM kills.
 */
static bool is_needed(const struct cg_host *host, size_t i, const struct cg_limits *l)
{
	const struct { const char *controller; bool needed; } v[] = {
		{ "cpuset", true }, { "devices", true }, { "memory", true },
		{ "cpu", l->cpu }, { "pids", l->pids }, { "blkio", l->block_io },
		{ "hugetlb", l->hugepage_limits.n }, { "rdma", l->rdma.n },
		{ "net_cls", l->network }, { "net_prio", l->network },
	};

	for (size_t k = 0; k < sizeof(v) / sizeof(v[0]); k++)
		if (v[k].needed && cg_has_word(host->h[i].controllers, v[k].controller, ','))
			return true;
	return false;
}

static int make_one(struct cg *c, size_t i, const struct plan *p, struct made *m, struct err *e)
{
	bool v2 = c->host->h[i].v2, tasks;
	int r = make_dirs(c, i, m);

	if (r < 0)
		return fail(c, i, NULL, r, e, "make the cgroup");
	c->made[i] = r;
	tasks = c->made[i] && !v2 && p->l && !is_needed(c->host, i, p->l);
	r = tasks ? open_tasks(c->host, i, c->path) : cg_open_dir(c->host, i, c->path, SIZE_MAX);
	if (r < 0)
		return fail(c, i, NULL, r, e, "open the cgroup");
	*(tasks ? &c->enterfd[i] : &c->dirfd[i]) = r;
	if (!c->made[i] && !p->adopt) {
		r = check_unused(c, i, e);
		if (r < 0)
			return r;
	}
	if (v2)
		return cg_v2_enable(c, i, e);
	if (cg_has_word(c->host->h[i].controllers, "cpuset", ','))
		return fill_cpuset(c, i, e);
	return 0;
}

static int make_all(struct cg *c, const struct cg_host *host, const char *path, const struct plan *p,
		    struct err *e)
{
	struct made made[CG_HIERARCHIES_MAX] = { 0 };

	cg_init(c, host, path);
	if (path[0] != '/' || !path[1])
		return err_set(e, ERR_BUG, -EINVAL, path, "not a path of a container's cgroup");
	for (size_t i = 0; i < host->n; i++) {
		int r = cg_uses(host, i) ? make_one(c, i, p, &made[i], e) : 0;

		if (r < 0) {
			cg_close(c);
			for (size_t k = 0; k <= i; k++)
				undo_dirs(c, k, &made[k]);
			return r;
		}
	}
	return 0;
}

/**
 * cg_make() - Make the directories (and enable v2 controllers on the way down).
 * @c:    filled; for cg_close(). Keeps @host and @path, which must outlive it.
 * @path: from cg_path().
 * @l:    limits to come; nothing is written of them here. Of a v1 hierarchy that has none of them only the file is
 *	  opened by which a process enters. NULL: all directories are opened.
 *
 * On failure nothing that it made is left. Context: host stage.
 * Return: 0, ERR_STATE when the cgroup exists and holds processes or is frozen, or -errno.
 */
int cg_make(struct cg *c, const struct cg_host *host, const char *path,
	    const struct cg_limits *l, const struct log *log, struct err *e)
{
	return make_all(c, host, path, &(struct plan){ .l = l }, e);
}

/**
 * cg_adopt() - Open a cgroup that systemd made for us.
 *
 * systemd makes it only in the hierarchies that it manages; in the others it
 * is made here. Processes may be in it: the container's, which systemd moved.
 * Context: host stage. Return: 0 or -errno.
 */
int cg_adopt(struct cg *c, const struct cg_host *host, const char *path, struct err *e)
{
	return make_all(c, host, path, &(struct plan){ .adopt = true }, e);
}

/* @to_enter: of v1 hierarchies only the file that is written to. */
static int open_all(struct cg *c, const struct cg_host *host, const char *path, bool to_enter, struct err *e)
{
	bool any = false;

	cg_init(c, host, path);
	for (size_t i = 0; i < host->n; i++) {
		bool tasks = to_enter && !host->h[i].v2;
		int r;

		if (!cg_uses(host, i))
			continue;
		r = tasks ? open_tasks(host, i, path) : cg_open_dir(host, i, path, SIZE_MAX);
		if (r < 0 && r != -ENOENT) {
			fail(c, i, NULL, r, e, "open the cgroup");
			cg_close(c);
			return r;
		}
		if (r >= 0) {
			*(tasks ? &c->enterfd[i] : &c->dirfd[i]) = r;
			any = true;
		}
	}
	if (any)
		return 0;
	return err_set(e, ERR_NOT_FOUND, -ENOENT, path, "cgroup");
}

/**
 * cg_open() - Open the directories of an existing cgroup.
 *
 * Hierarchies in which it has none stay -1. A directory that cannot be opened
 * for another reason is an error: acting on a part of the cgroup would be wrong.
 * Return: 0, -ENOENT (ERR_NOT_FOUND) when there is none at all, or -errno.
 */
int cg_open(struct cg *c, const struct cg_host *host, const char *path, struct err *e)
{
	return open_all(c, host, path, false, e);
}

int cg_open_to_enter(struct cg *c, const struct cg_host *host, const char *path, struct err *e)
{
	return open_all(c, host, path, true, e);
}

/**
 * cg_delegate() - Hand the cgroup to a user namespace's root.
 * @uid: as the host sees it.
 *
 * v2 only: the files that the kernel names in /sys/kernel/cgroup/delegate may
 * be written by whom the cgroup is delegated to; limits are not among them.
 * Return: 0, -EOPNOTSUPP on v1 (where delegation is not safe), or -errno.
 */
int cg_delegate(const struct cg *c, uid_t uid, struct err *e)
{
	char list[2048], *save = NULL;
	int fd = cg_enter_fd(c);

	if (fd < 0)
		return err_set(e, ERR_UNSUPPORTED, -EOPNOTSUPP, c->path,
			       "a cgroup of v1 cannot be delegated");
	if (cg_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof(list)) <= 0)
		text_join(list, sizeof(list), "cgroup.procs\ncgroup.subtree_control\ncgroup.threads");
	if (fchown(fd, uid, (gid_t)-1))
		return fail(c, c->host->n - 1, NULL, -errno, e, "change the owner");
	for (char *f = strtok_r(list, "\n", &save); f; f = strtok_r(NULL, "\n", &save)) {
		if (strchr(f, '/'))
			continue;
		/* the list is the kernel's, and names files that this cgroup may not have */
		if (fchownat(fd, f, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) && errno != ENOENT)
			return fail(c, c->host->n - 1, f, -errno, e, "change the owner");
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Out-of-memory kills, as facts. The kernel's counter oom_kill is what counts;
 * events only say when to look. On v1 the event comes before the counter is
 * raised and also when the cgroup is removed; there an event that finds the
 * cgroup alive is a kill that the counter will show in a moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"
#include "text.h"

/* Return: length, -ENODEV when the cgroup is gone, or -errno. */
static int read_source(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	if (n < 0)
		return -errno;
	out[n] = 0;
	return (int)n;
}

static int failed(const struct cg *c, size_t i, const char *file, int r, struct err *e)
{
	char where[CG_WHERE_MAX];

	cg_where(c, i, file, where, sizeof(where));
	return err_set(e, cg_kind(r), r, where, "watch for out-of-memory kills");
}

static int open_v2(const struct cg *c, size_t i, struct cg_watch *w, struct err *e)
{
	auto_fd source = openat(c->dirfd[i], "memory.events", O_RDONLY | O_CLOEXEC);
	auto_fd event = -1;
	char path[CG_PATH_MAX];

	if (source < 0 && errno == ENOENT)
		return err_set(e, ERR_UNSUPPORTED, -EOPNOTSUPP, c->path,
			       "the cgroup has no memory controller: out-of-memory kills are not seen");
	if (source < 0)
		return failed(c, i, "memory.events", -errno, e);
	event = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (event < 0)
		return failed(c, i, "memory.events", -errno, e);
	cg_where(c, i, "memory.events", path, sizeof(path));
	if (inotify_add_watch(event, path, IN_MODIFY) < 0)
		return failed(c, i, "memory.events", -errno, e);
	w->v2 = true;
	w->event = take_fd(&event);
	w->source = take_fd(&source);
	return 0;
}

static int open_v1(const struct cg *c, size_t i, struct cg_watch *w, struct err *e)
{
	auto_fd source = openat(c->dirfd[i], "memory.oom_control", O_RDONLY | O_CLOEXEC);
	auto_fd event = -1;
	char text[32];
	int n, r;

	if (source < 0)
		return failed(c, i, "memory.oom_control", -errno, e);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return failed(c, i, "memory.oom_control", -errno, e);
	n = text_join(text, sizeof(text), text_num(event), " ", text_num(source));
	r = path_write(c->dirfd[i], "cgroup.event_control", text, (size_t)n);
	if (r < 0)
		return failed(c, i, "cgroup.event_control", r, e);
	w->v2 = false;
	w->event = take_fd(&event);
	w->source = take_fd(&source);
	return 0;
}

/* The hierarchy that counts kills, or -1. */
static int memory_at(const struct cg *c)
{
	return cg_is_v2(c) ? cg_main(c) : cg_controller(c, "memory");
}

/**
 * cg_watch_open() - Watch the container's cgroup for OOM kills.
 * @w: filled; for cg_watch_close(). Kills from before are not counted.
 * Return: 0, -EOPNOTSUPP (ERR_UNSUPPORTED) without a memory controller, or -errno.
 */
int cg_watch_open(const struct cg *c, struct cg_watch *w, struct err *e)
{
	int i = memory_at(c), r;
	char text[1024];

	*w = (struct cg_watch){ .event = -1, .source = -1 };
	if (i < 0)
		return err_set(e, ERR_UNSUPPORTED, -EOPNOTSUPP, c->path,
			       "the cgroup has no memory controller: out-of-memory kills are not seen");
	r = cg_is_v2(c) ? open_v2(c, (size_t)i, w, e) : open_v1(c, (size_t)i, w, e);
	if (r < 0)
		return r;
	if (read_source(w->source, text, sizeof(text)) > 0)
		(void)cg_find_key(text, "oom_kill", &w->seen);
	return 0;
}

static bool drain(const struct cg_watch *w)
{
	char buf[4096] __attribute__((aligned(8)));
	bool any = false;

	/* an eventfd is empty after one read, an inotify fd when it says so */
	while (read(w->event, buf, w->v2 ? sizeof(buf) : sizeof(uint64_t)) > 0) {
		any = true;
		if (!w->v2)
			break;
	}
	return any;
}

/**
 * cg_watch_read() - New OOM kills since the last call; never blocks.
 *
 * Return: count >= 0 (0 also when the cgroup is gone), or -errno.
 */
int cg_watch_read(struct cg_watch *w)
{
	bool event = drain(w), counted;
	uint64_t kills = 0, disabled = 0, news;
	char text[1024];
	int r = read_source(w->source, text, sizeof(text));

	if (r < 0)
		return r == -ENODEV || r == -ENOENT ? 0 : r;
	counted = cg_find_key(text, "oom_kill", &kills);
	if (counted && kills > w->seen) {
		news = kills - w->seen;
		w->seen = kills;
		return news > INT32_MAX ? INT32_MAX : (int)news;
	}
	if (w->v2 || !event)
		return 0;
	/* somebody else may have told the kernel not to kill but to wait */
	if (cg_find_key(text, "oom_kill_disable", &disabled) && disabled)
		return 0;
	if (counted && kills < w->seen)
		return 0;	/* told of already, and not counted yet */
	w->seen = kills + 1;
	return 1;
}

/** cg_watch_close() - Close both fds. */
void cg_watch_close(struct cg_watch *w)
{
	fd_close(&w->event);
	fd_close(&w->source);
}

int64_t cg_oom_kills(const struct cg *c, bool begin)
{
	int i = memory_at(c), r;
	auto_fd fd = -1;
	uint64_t kills;
	char text[1024];

	if (i < 0)
		return -EOPNOTSUPP;
	if (begin && c->made[i])
		return 0;
	fd = openat(c->dirfd[i], cg_is_v2(c) ? "memory.events" : "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = read_source(fd, text, sizeof(text));
	if (r < 0)
		return r;
	return cg_find_key(text, "oom_kill", &kills) && kills < INT64_MAX ? (int64_t)kills : -EOPNOTSUPP;
}

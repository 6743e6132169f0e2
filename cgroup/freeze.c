/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeze and thaw. Both versions answer at once and freeze in the background:
 * v2 tells when it is done by waking a poller of cgroup.events, v1 must be
 * asked again and again and can hang in FREEZING while processes fork; a thaw
 * in between lets them get to a place where they can stop.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"

#define FREEZE_MAX_MS	2000
#define RETHAW_MS	100	/* v1: this long in FREEZING calls for a thaw */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int failed(const struct cg *c, size_t i, const char *file, bool frozen, int r,
		  struct err *e)
{
	char where[CG_WHERE_MAX];

	cg_where(c, i, file, where, sizeof(where));
	if (r == -ETIME)
		return err_set(e, ERR_TIMEOUT, -ETIME, where, "%s the cgroup: not done after %d ms",
			       frozen ? "freeze" : "thaw", FREEZE_MAX_MS);
	if (r == -ENOENT)
		return err_set(e, ERR_UNSUPPORTED, r, where, "this kernel cannot freeze a cgroup");
	return err_set(e, cg_kind(r), r, where, "%s the cgroup", frozen ? "freeze" : "thaw");
}

/* ---- v2 ---- */

/* @fd: of cgroup.events. Return: 1 frozen, 0 not, -errno. */
static int events_frozen(int fd)
{
	char text[512];
	uint64_t v;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = 0;
	return cg_find_key(text, "frozen", &v) ? v != 0 : -ENODATA;
}

static int v2_wait(const struct cg *c, size_t i, bool frozen)
{
	auto_fd fd = openat(c->dirfd[i], "cgroup.events", O_RDONLY | O_CLOEXEC);
	long end = now_ms() + FREEZE_MAX_MS;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int r = events_frozen(fd);
		long left = end - now_ms();

		if (r < 0)
			return r;
		if (r == frozen)
			return 0;
		if (left <= 0)
			return -ETIME;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

static int v2_set(const struct cg *c, size_t i, bool frozen)
{
	int r = path_write(c->dirfd[i], "cgroup.freeze", frozen ? "1" : "0", 1);

	if (!r)
		r = v2_wait(c, i, frozen);
	if (r < 0 && r != -ENOENT && frozen)
		(void)path_write(c->dirfd[i], "cgroup.freeze", "0", 1);
	return r;
}

/* ---- v1 ---- */

static int v1_write(const struct cg *c, size_t i, bool frozen)
{
	return frozen ? path_write(c->dirfd[i], "freezer.state", "FROZEN", 6) :
			path_write(c->dirfd[i], "freezer.state", "THAWED", 6);
}

static int v1_set(const struct cg *c, size_t i, bool frozen)
{
	const char *want = frozen ? "FROZEN" : "THAWED";
	long end = now_ms() + FREEZE_MAX_MS, rethaw = now_ms() + RETHAW_MS;
	long wait_us = 50;
	char state[32];
	int r;

	for (;;) {
		r = v1_write(c, i, frozen);
		if (!r)
			r = cg_read(c->dirfd[i], "freezer.state", state, sizeof(state));
		if (r < 0 || !strcmp(state, want))
			break;
		if (now_ms() >= end) {
			r = -ETIME;
			break;
		}
		if (frozen && now_ms() >= rethaw) {
			(void)v1_write(c, i, false);
			rethaw = now_ms() + RETHAW_MS;
		}
		nanosleep(&(struct timespec){ .tv_nsec = wait_us * 1000 }, NULL);
		wait_us = wait_us < 10000 ? wait_us * 2 : 10000;
	}
	if (r >= 0)
		return 0;
	if (frozen && r != -ENOENT)
		(void)v1_write(c, i, false);
	return r;
}

/**
 * cg_freeze() - Freeze or thaw and wait until it is so, at most about two seconds.
 *
 * What cannot be frozen is thawed again. Thawing a cgroup that has no freezer
 * is a success.
 * Return: 0, ERR_TIMEOUT, ERR_UNSUPPORTED without a freezer, or -errno.
 */
int cg_freeze(const struct cg *c, bool frozen, struct err *e)
{
	bool v2 = cg_is_v2(c);
	int i = v2 ? cg_main(c) : cg_controller(c, "freezer"), r;

	if (i < 0 && !frozen)
		return 0;
	if (i < 0)
		return err_set(e, ERR_UNSUPPORTED, -EOPNOTSUPP, c->path,
			       "this host has no cgroup controller freezer (cgroup v1)");
	r = v2 ? v2_set(c, (size_t)i, frozen) : v1_set(c, (size_t)i, frozen);
	if (!r || (r == -ENOENT && !frozen))
		return 0;
	return failed(c, (size_t)i, v2 ? "cgroup.freeze" : "freezer.state", frozen, r, e);
}

/**
 * cg_frozen() - Was the cgroup told to freeze?
 *
 * What was asked for counts, not whether the last process has stopped already,
 * nor whether a cgroup above it is frozen.
 * Return: 1 frozen, 0 not (also without a freezer), -errno.
 */
int cg_frozen(const struct cg *c)
{
	int i = cg_is_v2(c) ? cg_main(c) : cg_controller(c, "freezer"), r;
	char state[32];

	if (i < 0)
		return 0;
	r = cg_read(c->dirfd[i], cg_is_v2(c) ? "cgroup.freeze" : "freezer.self_freezing", state,
		    sizeof(state));
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : *state == '1';
}

/**
 * cg_frozen_at() - The same for a cgroup that is not open: reads one file.
 * @path: as in struct cg.
 */
int cg_frozen_at(const struct cg_host *host, const char *path)
{
	bool v2 = host->mode == CG_MODE_V2;
	int i = v2 ? (int)host->n - 1 : cg_index(host, "freezer"), r;
	char file[CG_PATH_MAX], state[32];

	if (i < 0 || !*path)
		return 0;
	r = cg_join(host, (size_t)i, path, v2 ? "cgroup.freeze" : "freezer.self_freezing", file,
		    sizeof(file));
	if (!r)
		r = cg_read(AT_FDCWD, file, state, sizeof(state));
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : *state == '1';
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals to every process of a cgroup. SIGKILL goes by cgroup.kill where the
 * kernel has it (5.14, v2). Elsewhere new processes may be forked between
 * listing and signalling, so the tree is frozen, listed, signalled and thawed,
 * until a list comes back empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "pathfs.h"

#define KILL_MAX_MS	10000
#define WAIT_MAX_MS	50

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int still_there(const struct cg *c, size_t i, size_t n, pid_t first, struct err *e)
{
	char where[CG_WHERE_MAX];

	cg_where(c, i, NULL, where, sizeof(where));
	return err_set(e, ERR_TIMEOUT, -ETIME, where,
		       "%zu killed processes are still there after %d s, pid %d first", n,
		       KILL_MAX_MS / 1000, (int)first);
}

/*
 * Signal what is listed now. The pid of a process that ended since the list
 * was made may be another's; in a frozen cgroup that cannot be, and without a
 * freezer the caller's loop is short.
 * Return: number of processes listed, or -errno.
 */
static int signal_all(const struct cg *c, int sig, pid_t *first, struct err *e)
{
	pid_t *pids;
	size_t n;
	int r = cg_pids(c, &pids, &n, e);

	if (r < 0)
		return r;
	*first = n ? pids[0] : 0;
	for (size_t k = 0; k < n; k++)
		if (kill(pids[k], sig) && errno != ESRCH && !r)
			r = err_set(e, cg_kind(-errno), -errno, c->path, "send signal %d to pid %d",
				    sig, (int)pids[k]);
	free(pids);
	return r < 0 ? r : (int)n;
}

/* One signal for everybody; a paused container gets it when it is resumed. */
static int signal_once(const struct cg *c, int sig, struct err *e)
{
	bool thaw = cg_frozen(c) == 0 && cg_freeze(c, true, NULL) == 0;
	pid_t first;
	int r = signal_all(c, sig, &first, e);

	if (thaw)
		(void)cg_freeze(c, false, NULL);
	return r < 0 ? r : 0;
}

/* v2: cgroup.events wakes a poller when the last process is gone. */
static int v2_wait_empty(const struct cg *c, size_t i, struct err *e)
{
	auto_fd fd = openat(c->dirfd[i], "cgroup.events", O_RDONLY | O_CLOEXEC);
	long end = now_ms() + KILL_MAX_MS;
	pid_t first = 0;
	int n;

	while (fd >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		long left = end - now_ms();
		uint64_t populated = 0;
		char text[512];
		ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

		if (len < 0)
			return 0;	/* removed meanwhile */
		text[len] = 0;
		if (!cg_find_key(text, "populated", &populated) || !populated)
			return 0;
		if (left <= 0)
			break;
		(void)poll(&p, 1, (int)left);
	}
	n = signal_all(c, SIGKILL, &first, e);
	return n <= 0 ? n : still_there(c, i, (size_t)n, first, e);
}

/* Return: 0 done, -ENOENT without cgroup.kill, or another error (in @e). */
static int v2_kill(const struct cg *c, struct err *e)
{
	int i = cg_main(c);
	int r = path_write(c->dirfd[i], "cgroup.kill", "1", 1);
	char where[CG_WHERE_MAX];

	if (r == -ENOENT)
		return r;
	if (!r)
		return v2_wait_empty(c, (size_t)i, e);
	if (r == -ENODEV)
		return 0;	/* removed meanwhile, as systemd does with an empty one */
	cg_where(c, (size_t)i, "cgroup.kill", where, sizeof(where));
	return err_set(e, cg_kind(r), r, where, "kill the cgroup's processes");
}

/**
 * cg_kill_listed() - Kill by listing, as kernels without cgroup.kill need it.
 *
 * A frozen process of v1 dies only when it is thawed, so every round ends so,
 * also one of a container that was paused.
 * Return: 0 when the list is empty, ERR_TIMEOUT, or -errno.
 */
int cg_kill_listed(const struct cg *c, struct err *e)
{
	long end = now_ms() + KILL_MAX_MS, wait_ms = 1;
	size_t i = (size_t)cg_main(c);

	for (;;) {
		pid_t first = 0, *pids;
		size_t n;
		int r = cg_pids(c, &pids, &n, e);

		free(pids);
		if (r < 0)
			return r;
		if (!n)
			return cg_frozen(c) == 1 ? cg_freeze(c, false, e) : 0;
		(void)cg_freeze(c, true, NULL);
		r = signal_all(c, SIGKILL, &first, e);
		(void)cg_freeze(c, false, NULL);
		if (r < 0)
			return r;
		if (now_ms() >= end)
			return still_there(c, i, (size_t)r, first, e);
		nanosleep(&(struct timespec){ .tv_nsec = wait_ms * 1000000L }, NULL);
		wait_ms = wait_ms < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
	}
}

/**
 * cg_kill() - Send @sig to every process of the tree.
 *
 * SIGKILL also thaws, and returns when no process is left (zombies do not
 * count). Other signals are sent once.
 * Return: 0, ERR_TIMEOUT when killed processes do not die, or -errno.
 */
int cg_kill(const struct cg *c, int sig, struct err *e)
{
	if (cg_main(c) < 0)
		return 0;
	if (sig != SIGKILL)
		return signal_once(c, sig, e);
	if (cg_is_v2(c)) {
		int r = v2_kill(c, e);

		if (r != -ENOENT)
			return r;
	}
	return cg_kill_listed(c, e);
}

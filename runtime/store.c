/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory: layout, locks, state.json. */
#include "store.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "bounds.h"
#include "child.h"
#include "fd.h"
#include "json.h"
#include "loop.h"
#include "pathfs.h"
#include "sysx.h"
#include "usock.h"

#define LOCK_WAIT_MS 10000
#define OFF(m) FIELD_OFF(struct state, m)

static const struct field state_fields[] = {
	{ .key = "version", .type = FT_U32, .off = OFF(version), .flags = F_REQUIRED },
	{ .key = "ociVersion", .type = FT_STR, .off = OFF(oci_version), .flags = F_REQUIRED },
	{ .key = "id", .type = FT_STR, .off = OFF(id), .flags = F_REQUIRED },
	{ .key = "bundle", .type = FT_STR, .off = OFF(bundle), .flags = F_REQUIRED | F_BYTES },
	{ .key = "rootfs", .type = FT_STR, .off = OFF(rootfs), .flags = F_REQUIRED | F_BYTES },
	{ .key = "created", .type = FT_STR, .off = OFF(created), .flags = F_REQUIRED },
	{ .key = "owner", .type = FT_U32, .off = OFF(owner) },
	{ .key = "pid", .type = FT_I32, .min = 0, .max = INT32_MAX, .off = OFF(pid) },
	{ .key = "startTime", .type = FT_U64, .off = OFF(start_time) },
	{ .key = "cgroup", .type = FT_STR, .off = OFF(cgroup) },
	{ .key = "systemdUnit", .type = FT_STR, .off = OFF(unit), .flags = F_OMITEMPTY },
	{ .key = "systemdUser", .type = FT_BOOL, .off = OFF(user_unit), .flags = F_OMITEMPTY },
	{ .key = "ownPidNamespace", .type = FT_BOOL, .off = OFF(own_pidns) },
	{ .key = "terminal", .type = FT_BOOL, .off = OFF(terminal) },
	{ .key = "namespaces", .type = FT_U64, .off = OFF(namespaces) },
	{ .key = "hooks", .type = FT_OBJP, .off = OFF(hooks), .sub = &spec_hooks_object, .flags = F_OMITEMPTY },
	{ .key = "annotations", .type = FT_MAP, .off = OFF(annotations), .flags = F_OMITEMPTY },
	{ .key = "rdtGroup", .type = FT_STR, .off = OFF(rdt.name), .flags = F_OMITEMPTY },
	{ .key = "rdtMade", .type = FT_BOOL, .off = OFF(rdt.made), .flags = F_OMITEMPTY },
	{ .key = "rdtMonitored", .type = FT_BOOL, .off = OFF(rdt.monitored), .flags = F_OMITEMPTY },
};
static OBJECT(state_object, struct state, state_fields);

void store_unlock(struct store *s)
{
	if (s->lockfd >= 0)
		flock(s->lockfd, LOCK_UN);
	fd_close(&s->lockfd);
}

void store_close(struct store *s)
{
	fd_close(&s->lockfd);
	fd_close(&s->dirfd);
	fd_close(&s->rootfd);
}

/* mkdir -p with mode 0700; components that exist are left as they are. */
static int make_path(const char *path)
{
	char text[PATH_MAX], *p;

	if (strlen(path) >= sizeof(text))
		return -ENAMETOOLONG;
	strncpy(text, path, sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (p = text + strlen(text); p > text + 1 && p[-1] == '/'; p--)
		p[-1] = 0;	/* or the last component would be taken for a parent, with a parent's mode */
	for (p = text + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(text, 0711) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(text, 0700) && errno != EEXIST ? -errno : 0;
}

int store_root(const char *root, bool make, struct err *e)
{
	auto_fd fd = -1;
	struct stat st, top;
	int r;

	if (root[0] != '/')
		return err_set(e, ERR_SPEC, -EINVAL, root, "the state root must be an absolute path");
	fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		r = make_path(root);
		if (r)
			return err_set(e, ERR_KERNEL, r, root, "make the state root");
		fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_KERNEL, -errno, root, "open the state root");
	if (fstat(fd, &st) || stat("/", &top))
		return err_set(e, ERR_KERNEL, -errno, root, "stat the state root");
	if (st.st_dev == top.st_dev && st.st_ino == top.st_ino)
		return err_set(e, ERR_SPEC, -EINVAL, root, "the state root must not be /");
	if (st.st_uid != geteuid())
		return err_set(e, ERR_DENIED, -EPERM, root, "the state root belongs to uid %u", st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return err_set(e, ERR_DENIED, -EPERM, root, "the state root is writable by others (mode %04o)",
			       st.st_mode & 07777);
	return take_fd(&fd);
}

static int take_lock(int fd, enum store_lock lock)
{
	struct timespec pause = { 0, 500000 };
	int waited_us = 0;

	while (flock(fd, (lock == STORE_SHARED ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || lock == STORE_AT_ONCE)
			return -errno;
		if (waited_us > LOCK_WAIT_MS * 1000)
			return -ETIME;
		nanosleep(&pause, NULL);
		waited_us += (int)(pause.tv_nsec / 1000);
		if (pause.tv_nsec < 10000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}

int store_make(struct store *s, const char *root, const char *id, struct err *e)
{
	struct stat st;
	int r;

	s->id = id;
	s->rootfd = store_root(root, true, e);
	if (s->rootfd < 0)
		return s->rootfd;
	if (mkdirat(s->rootfd, id, 0711)) {
		r = -errno;
		store_close(s);
		if (r == -EEXIST)
			return err_set(e, ERR_EXISTS, 0, id, "container with given ID already exists");
		return err_set(e, ERR_KERNEL, r, root, "make the state directory of \"%s\"", id);
	}
	/* Another operation may come between and take the lock first; a delete then takes the directory away. */
	s->dirfd = openat(s->rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dirfd >= 0)
		s->lockfd = openat(s->dirfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = s->lockfd < 0 ? -errno : take_lock(s->lockfd, STORE_EXCLUSIVE);
	if (!r && (fstat(s->lockfd, &st) || !st.st_nlink))
		r = -ENOENT;
	if (!r)
		return 0;
	unlinkat(s->rootfd, id, AT_REMOVEDIR);
	store_close(s);
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, r, id, "the container was deleted while it was being created");
	return err_set(e, r == -ETIME ? ERR_TIMEOUT : ERR_KERNEL, r, root, "lock the state directory of \"%s\"", id);
}

static int not_there(struct store *s, const char *id, struct err *e)
{
	store_close(s);
	/* No errno's words: "no such file or directory" would make callers think of a missing program. */
	err_set(e, ERR_NOT_FOUND, 0, id, "container does not exist");
	return -ENOENT;
}

int store_lock(struct store *s, enum store_lock lock, struct err *e)
{
	const char *id = s->id;
	struct stat st;
	int r;

	/* A create that was killed before it made the lock leaves a directory that delete must still take. */
	s->lockfd = openat(s->dirfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = s->lockfd < 0 ? -errno : take_lock(s->lockfd, lock);
	/* Whoever held it may have deleted the container meanwhile. */
	if (r == -ENOENT || (!r && (fstat(s->lockfd, &st) || !st.st_nlink)))
		return not_there(s, id, e);
	if (r) {
		store_close(s);
		return err_set(e, r == -ETIME ? ERR_TIMEOUT : ERR_KERNEL, r, id,
			       "lock the container (another operation holds it)");
	}
	return 0;
}

int store_open(struct store *s, const char *root, const char *id, enum store_lock lock, struct err *e)
{
	struct err ignored = { 0 };
	int r;

	s->id = id;
	r = cleat_id_check(id, e);
	if (r)
		return r;
	s->rootfd = store_root(root, false, &ignored);
	if (s->rootfd == -ENOENT)
		return not_there(s, id, e);
	if (s->rootfd < 0) {
		r = s->rootfd;
		*e = ignored;
		return r;
	}
	s->dirfd = openat(s->rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dirfd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return not_there(s, id, e);
		r = err_set(e, ERR_KERNEL, -errno, id, "open the state directory");
		store_close(s);
		return r;
	}
	return lock == STORE_NO_LOCK ? 0 : store_lock(s, lock, e);
}

int store_load(const struct store *s, struct arena *a, struct state *st, struct err *e)
{
	char text[2048];
	auto_buf b = BUF_ON(text);
	int r;

	memset(st, 0, sizeof(*st));
	r = path_read(s->dirfd, "state.json", LIMIT_STATE_BYTES, &b);
	if (r == -ENOENT)
		return r;
	if (r)
		return err_set(e, ERR_KERNEL, r, s->id, "read state.json");
	r = json_read(b.data, b.len, &state_object, st, a, "state.json", "", NULL, e);
	if (r) {
		err_context(e, "%s/state.json", s->id);
		return r;
	}
	if (st->version != STORE_VERSION)
		return err_set(e, ERR_SPEC, -EINVAL, "/version", "state.json of version %u, this program knows %u",
			       st->version, STORE_VERSION);
	if (strcmp(st->id, s->id))
		return err_set(e, ERR_SPEC, -EINVAL, "/id", "state.json of another container (\"%s\")", st->id);
	if (!st->cgroup)
		st->cgroup = "";
	return 0;
}

/* Whoever kills by it must not get at anything but a container's cgroup. */
static bool names_cgroup(const char *path)
{
	return path && path[0] == '/' && path[strspn(path, "/")] && !strstr(path, "..");
}

/* One key, all others unknown: what another version means by those does not hide this one. */
static struct state only(const char *key, const struct buf *b, struct arena *a)
{
	struct field f = *field_find(&state_object, key, strlen(key));
	struct object one = { "state", sizeof(struct state), &f, 1 };
	struct err ignored = { 0 };
	struct state st;

	f.flags &= (uint8_t)~F_REQUIRED;
	json_read(b->data, b->len, &one, &st, a, "state.json", "", NULL, &ignored);
	return st;
}

bool store_salvage(const struct store *s, struct arena *a, struct state *st)
{
	auto_buf b = BUF_INIT;

	memset(st, 0, sizeof(*st));
	if (path_read(s->dirfd, "state.json", LIMIT_STATE_BYTES, &b) || !b.len)
		return false;
	st->id = only("id", &b, a).id;
	st->pid = only("pid", &b, a).pid;
	st->start_time = only("startTime", &b, a).start_time;
	st->cgroup = only("cgroup", &b, a).cgroup;
	st->unit = only("systemdUnit", &b, a).unit;
	st->user_unit = only("systemdUser", &b, a).user_unit;
	if (st->id && strcmp(st->id, s->id))
		return false;
	st->id = s->id;
	if (!names_cgroup(st->cgroup))
		st->cgroup = "";
	return st->pid > 0 || st->cgroup[0];
}

int store_save(const struct store *s, const struct state *st, struct err *e)
{
	char text[2048];
	auto_buf b = BUF_ON(text);
	int r;

	r = json_write(&state_object, st, false, &b);
	if (!r && !buf_ok(&b))
		r = -ENOMEM;
	if (!r)
		r = path_replace(s->dirfd, "state.json", 0600, b.data, b.len);
	return r ? err_set(e, ERR_KERNEL, r, s->id, "write state.json") : 0;
}

void store_tell(const struct store *s)
{
	struct sockaddr_un to;
	auto_fd sock = -1;
	socklen_t len;

	if (faccessat(s->dirfd, "news", F_OK, 0))
		return;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return;
	usock_address_at(s->dirfd, "news", &to, &len);
	sendto(sock, "!", 1, MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
}

int store_remove(struct store *s, struct err *e)
{
	/* The lock goes last: whoever waits for it must find the rest gone. */
	static const char *const files[] = { "exec.fifo", "exec.tmpl", "news", "state.json", "lock" };
	size_t i;
	int r, tries = 100;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(s->dirfd, files[i], 0);
	if (!unlinkat(s->rootfd, s->id, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	/* Whoever comes now makes a new lock in the directory, finds no state in it, and is gone again. */
	do {
		r = path_remove_tree(s->rootfd, s->id);
	} while (r == -ENOTEMPTY && --tries);
	return r ? err_set(e, ERR_KERNEL, r, s->id, "remove the state directory") : 0;
}

bool store_alive(const struct state *st, int procfd)
{
	struct child_stat now;
	int r;

	if (st->pid <= 0)
		return false;
	r = child_stat(procfd, st->pid, &now);
	/* Out of fds or memory, say: nothing may be taken for dead that was not seen to be. */
	if (r)
		return r != -ENOENT && r != -ESRCH;
	return now.start_time == st->start_time && now.state != 'Z' && now.state != 'X';
}

int store_wait_dead(const struct state *st, int procfd, int pidfd, int timeout_ms)
{
	const struct timespec pause = { 0, 5000000 };
	uint64_t end = loop_now_ms() + (uint64_t)timeout_ms;

	if (pidfd >= 0)
		return child_pidfd_wait_ms(pidfd, timeout_ms);
	while (store_alive(st, procfd)) {
		if (loop_now_ms() >= end)
			return -ETIME;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int store_pidfd(const struct state *st, int procfd)
{
	auto_fd fd = -1;

	if (st->pid <= 0)
		return -ESRCH;
	fd = sysx_pidfd_open(st->pid, 0);
	if (fd < 0)
		return fd == -EINVAL ? -ESRCH : fd;
	/* Only now: a pid that was used again before the pidfd was taken has another start time. */
	return store_alive(st, procfd) ? take_fd(&fd) : -ESRCH;
}

enum cleat_status store_status(const struct store *s, const struct state *st, int procfd,
			       const struct cg_host *host)
{
	enum cleat_status status = CLEAT_RUNNING;
	struct stat gate;

	if (st->pid <= 0)
		return CLEAT_CREATING;
	if (!store_alive(st, procfd))
		return CLEAT_STOPPED;
	if (!fstatat(s->dirfd, "exec.fifo", &gate, AT_SYMLINK_NOFOLLOW))	/* faccessat's flag is a new call */
		status = CLEAT_CREATED;
	if (host && cg_frozen_at(host, st->cgroup) == 1)
		status = CLEAT_PAUSED;
	return status;
}

int store_cache(const char *root)
{
	struct err ignored = { 0 };
	auto_fd rootfd = store_root(root, true, &ignored), cache = -1;
	struct stat st;
	int fd;

	if (rootfd < 0)
		return -1;
	if (mkdirat(rootfd, ".cache", 0700) && errno != EEXIST)
		return -1;
	cache = openat(rootfd, ".cache", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cache < 0 || (mkdirat(cache, "seccomp", 0700) && errno != EEXIST))
		return -1;
	fd = openat(cache, "seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 077))) {
		close(fd);
		return -1;
	}
	return fd < 0 ? -1 : fd;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User namespace maps. */
#include "idmap.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "buf.h"
#include "child.h"
#include "fd.h"
#include "join.h"
#include "pathfs.h"

static int write_proc(int procfd, pid_t pid, const char *file, const char *text, size_t len, struct err *e)
{
	char path[64];
	auto_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	fd = proc_openat(procfd, path, O_WRONLY);
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, NULL, "open /proc/%s", path);
	/* The kernel takes a map in one write only. */
	n = write(fd, text, len);
	if (n < 0)
		return err_set(e, errno == EPERM ? ERR_DENIED : ERR_KERNEL, -errno, NULL, "write /proc/%s", path);
	return (size_t)n == len ? 0 : err_set(e, ERR_KERNEL, -EIO, NULL, "write /proc/%s", path);
}

static int write_map(int procfd, pid_t pid, const char *file, const struct idmap *m, size_t n, struct err *e)
{
	auto_buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		buf_addf(&b, "%u %u %u\n", m[i].inside, m[i].outside, m[i].count);
	if (!buf_ok(&b))
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "%s", file);
	return n ? write_proc(procfd, pid, file, b.data, b.len, e) : 0;
}

static bool is_own(const struct idmap *m, size_t n, uint32_t id)
{
	return n == 1 && m->count == 1 && m->outside == id;
}

int idmap_write(int procfd, pid_t pid, const struct idmap *uids, size_t n_uids,
		const struct idmap *gids, size_t n_gids, bool unprivileged, struct err *e)
{
	int r = 0;

	if (unprivileged && n_gids && !is_own(gids, n_gids, getegid())) {
		r = idmap_by_tool("newgidmap", pid, gids, n_gids, "/linux/gidMappings", e);
	} else {
		/* Without that, groups that deny their members something could be dropped (CVE-2014-8989). */
		if (unprivileged)
			r = write_proc(procfd, pid, "setgroups", "deny", strlen("deny"), e);
		if (!r)
			r = write_map(procfd, pid, "gid_map", gids, n_gids, e);
	}
	if (!r && unprivileged && n_uids && !is_own(uids, n_uids, geteuid()))
		r = idmap_by_tool("newuidmap", pid, uids, n_uids, "/linux/uidMappings", e);
	else if (!r)
		r = write_map(procfd, pid, "uid_map", uids, n_uids, e);
	return r;
}

int idmap_userns(int procfd, const struct idmap *uids, size_t n_uids, const struct idmap *gids, size_t n_gids,
		 struct err *e)
{
	struct child_args ca = { .ns_flags = CLONE_NEWUSER, .cgroup_fd = -1 };
	auto_child pid = 0;
	auto_fd pidfd = -1;
	int r;

	r = pid = child_clone(&ca, &pidfd);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (r < 0) {
		pid = 0;
		return err_set(e, ERR_KERNEL, r, NULL, "make a user namespace");
	}
	r = idmap_write(procfd, pid, uids, n_uids, gids, n_gids, false, e);
	return r ? r : join_open_of(procfd, pid, CLONE_NEWUSER, e);
}

int idmap_to_host(const struct idmap *m, size_t n, uint32_t id, uint32_t *host)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (id >= m[i].inside && id - m[i].inside < m[i].count) {
			*host = m[i].outside + (id - m[i].inside);
			return 0;
		}
	}
	return -EINVAL;
}

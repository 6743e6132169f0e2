/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joining namespaces: the order table and setns. */
#include "join.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"

/*
 * The mount namespace comes last of all but user: after it paths mean the container's files, and nothing
 * may be opened by path any more. The pid namespace has no effect on the caller, only on its children.
 */
const struct join_kind join_kinds[JOIN_KINDS] = {
	{ CLONE_NEWCGROUP, "cgroup", "cgroup" },
	{ CLONE_NEWIPC, "ipc", "ipc" },
	{ CLONE_NEWUTS, "uts", "uts" },
	{ CLONE_NEWNET, "net", "network" },
	{ CLONE_NEWPID, "pid", "pid" },
	{ CLONE_NEWTIME, "time", "time" },
	{ CLONE_NEWNS, "mnt", "mount" },
	{ CLONE_NEWUSER, "user", "user" },
};

int join_index(int flag)
{
	int i;

	for (i = 0; i < JOIN_KINDS; i++)
		if (join_kinds[i].flag == flag)
			return i;
	return -1;
}

int join_open(const char *path, int flag, const char *where, struct err *e)
{
	auto_fd fd = -1;
	int type;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(e, ERR_SPEC, -errno, where, "open namespace \"%s\"", path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_set(e, ERR_SPEC, -EINVAL, where, "\"%s\" is not a namespace", path);
	if (type != flag)
		return err_set(e, ERR_SPEC, -EINVAL, where, "\"%s\" is not a namespace of type %s", path,
			       join_kinds[join_index(flag)].name);
	return take_fd(&fd);
}

int join_open_of(int procfd, pid_t pid, int flag, struct err *e)
{
	const char *file = join_kinds[join_index(flag)].file;
	char path[32];
	auto_fd dir = -1;
	int fd;

	snprintf(path, sizeof(path), "%d/ns", (int)pid);
	dir = proc_openat(procfd, path, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return err_set(e, ERR_KERNEL, dir, NULL, "open /proc/%s", path);
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, ERR_KERNEL, -errno, NULL, "open /proc/%s/%s", path, file) : fd;
}

void join_close(struct join_set *s)
{
	int i;

	for (i = 0; i < JOIN_KINDS; i++)
		fd_close(&s->fd[i]);
}

static int enter_failed(int i, struct err *e)
{
	return err_set(e, errno == EPERM ? ERR_DENIED : ERR_KERNEL, -errno, NULL, "join the %s namespace",
		       join_kinds[i].name);
}

int join_enter(const struct join_set *s, int skip, struct err *e)
{
	bool later[JOIN_KINDS] = { false }, user_left;
	int i, user = join_index(CLONE_NEWUSER);

	user_left = s->fd[user] >= 0 && !(skip & CLONE_NEWUSER);
	for (i = 0; i < JOIN_KINDS; i++) {
		if (i == user || s->fd[i] < 0 || (skip & join_kinds[i].flag))
			continue;
		if (!setns(s->fd[i], join_kinds[i].flag))
			continue;
		/* Owned by the user namespace that we are about to join, perhaps. */
		if (errno != EPERM || !user_left)
			return enter_failed(i, e);
		later[i] = true;
	}
	if (user_left && setns(s->fd[user], CLONE_NEWUSER))
		return enter_failed(user, e);
	for (i = 0; i < JOIN_KINDS; i++)
		if (later[i] && setns(s->fd[i], join_kinds[i].flag))
			return enter_failed(i, e);
	return 0;
}

int join_pidfd(int pidfd, int flags)
{
	return setns(pidfd, flags) ? -errno : 0;
}

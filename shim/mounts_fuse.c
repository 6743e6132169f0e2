/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rootfs mounts of types "fuse.X" and "fuse3.X": mount.fuse or mount.fuse3
 * makes them, and the file system's daemon stays behind as long as it is mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "mounts_internal.h"

#define SAID_MAX 160

const char *mounts_helper(const char *type)
{
	if (!strncmp(type, "fuse3.", 6) && type[6])
		return "mount.fuse3";
	return !strncmp(type, "fuse.", 5) && type[5] ? "mount.fuse" : NULL;
}

static void become_helper(const char *helper, char **argv, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Not beyond the worker, which may be killed when Create's time is up. Daemons do not inherit it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_default_signals();
	if (null < 0 || dup2(null, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0)
		_exit(126);
	fd_close_except(3, NULL, 0);
	execvp(helper, argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* The first line of what the helper has said. */
static void first_line(int said, char *out)
{
	ssize_t n = pread(said, out, SAID_MAX - 1, 0);

	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\r\n")] = 0;
}

static int run_helper(const struct task_mount *m, const char *helper, char **argv, struct err *e)
{
	auto_fd said = memfd_create("mount", MFD_CLOEXEC);
	char text[SAID_MAX];
	int status = 0, r;
	pid_t pid;

	if (said < 0)
		return err_set(e, ERR_KERNEL, -errno, m->source, "make a file for %s", helper);
	pid = fork();
	if (!pid)
		become_helper(helper, argv, said);
	if (pid < 0)
		return err_set(e, ERR_KERNEL, -errno, m->source, "fork %s", helper);
	r = child_wait(pid, &status);
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, m->source, "wait for %s", helper);
	status = child_status(status);
	if (!status)
		return 0;
	if (status == 127)
		return err_set(e, ERR_SPEC, -ENOENT, m->source, "mount %s: %s cannot be executed", m->type,
			       helper);
	first_line(said, text);
	return err_set(e, ERR_SPEC, 0, m->source, "mount %s: %s ended with status %d: %s", m->type, helper,
		       status, text);
}

int mounts_fuse(const struct task_mount *m, int fd, struct arena *a, struct err *e)
{
	const char *helper = mounts_helper(m->type);
	char link[FD_PATH_SIZE], target[PATH_MAX];
	char **argv = arena_alloc(a, (2 * m->options.n + 6) * sizeof(*argv));
	size_t n = 0;
	ssize_t len;

	/* The helper, and its daemon after it, want a name; what it leads to was opened without following links. */
	len = readlink(fd_path(link, fd), target, sizeof(target));
	if (len <= 0 || (size_t)len >= sizeof(target))
		return err_set(e, ERR_KERNEL, len < 0 ? -errno : -ENAMETOOLONG, m->source,
			       "find the mount point's name");
	target[len] = 0;
	if (!argv)
		return err_set(e, ERR_LIMIT, -ENOMEM, m->source, "mount %s", m->type);
	argv[n++] = (char *)(uintptr_t)helper;
	argv[n++] = (char *)(uintptr_t)m->source;
	argv[n++] = target;
	for (size_t i = 0; i < m->options.n; i++) {
		argv[n++] = (char *)(uintptr_t)"-o";
		argv[n++] = (char *)(uintptr_t)m->options.v[i];
	}
	argv[n++] = (char *)(uintptr_t)"-t";
	argv[n++] = strchr(m->type, '.') + 1;
	argv[n] = NULL;
	return run_helper(m, helper, argv, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running our own program from where no container can write it (rule D4 of
 * the security contract). A process that joins a container shows it
 * /proc/PID/exe; what is opened through that must lead to nothing writable.
 *
 *   1. a detached read-only bind of the file (5.12): costs a plain exec
 *   2. a detached read-only overlay of its directory (5.2)
 *   3. a sealed copy in memory: works everywhere, but shares no pages
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "cleat.h"
#include "fd.h"
#include "selfexe.h"
#include "sysx.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U		/* 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020		/* 6.3 */
#endif
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SELF "/proc/self/exe"

/* A file that memfd_create(2) made is on a tmpfs, or on what stands for it in kernels without. */
static bool is_memory(const struct statfs *st)
{
	return (unsigned long)st->f_type == TMPFS_MAGIC || (unsigned long)st->f_type == RAMFS_MAGIC;
}

bool cleat_selfexe_protected(void)
{
	auto_fd fd = -1;
	struct statfs st;
	int seals;

	if (statfs(SELF, &st))
		return false;
	if (st.f_flags & ST_RDONLY)
		return true;
	if (!is_memory(&st))
		return false;
	fd = openat(AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC);
	seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int run(int fd, char *const argv[], char *const envp[])
{
	return sysx_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

int selfexe_open_readonly(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd tree = sysx_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r;

	if (tree < 0)
		return tree;
	r = sysx_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : take_fd(&tree);
}

static int run_bind(char *const argv[], char *const envp[])
{
	auto_fd tree = selfexe_open_readonly();

	return tree < 0 ? tree : run(tree, argv, envp);
}

static int run_overlay(char *const argv[], char *const envp[])
{
	char dir[PATH_MAX], layers[256], *name;	/* 256: what fsconfig takes */
	ssize_t n = readlink(SELF, dir, sizeof(dir) - 1);
	auto_fd fs = -1, mnt = -1, file = -1;
	int r;

	if (n < 0)
		return -errno;
	dir[n] = 0;
	name = strrchr(dir, '/');
	if (dir[0] != '/' || name == dir)
		return -EOPNOTSUPP;
	*name++ = 0;
	fs = sysx_fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	/* Without an upper layer two lower ones are asked for; the second holds nothing of that name. */
	n = snprintf(layers, sizeof(layers), "%s:%s", dir, strncmp(dir, "/dev", 4) ? "/dev" : "/sys");
	if (n < 0 || (size_t)n >= sizeof(layers) || strchr(dir, ':'))
		return -EOPNOTSUPP;
	r = sysx_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", layers, 0);
	if (!r)
		r = sysx_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	mnt = sysx_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (mnt < 0)
		return mnt;
	file = openat(mnt, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return file < 0 ? -errno : run(file, argv, envp);
}

static int copy_self(int to)
{
	auto_fd from = openat(AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t done = 0;

	if (from < 0 || fstat(from, &st))
		return -errno;
	while (done < st.st_size) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(st.st_size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += n;
	}
	return 0;
}

static int run_memory(char *const argv[], char *const envp[])
{
	auto_fd fd = memfd_create("cleat", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("cleat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = copy_self(fd);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS))
		return -errno;
	fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC);	/* more than is needed, so it may fail */
	return run(fd, argv, envp);
}

int cleat_selfexe_exec(char *const argv[], char *const envp[], struct err *e)
{
	int r;

	/* Each returns only when it failed. */
	run_bind(argv, envp);
	run_overlay(argv, envp);
	r = run_memory(argv, envp);
	return err_set(e, ERR_KERNEL, r, SELF, "run from a protected copy");
}

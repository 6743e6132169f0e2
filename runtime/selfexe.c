/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nobody may write to our executable, not even through an image whose program
 * is "#!/proc/self/exe" (rule D4): so we run from a mount that is read-only.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "cleat.h"
#include "fd.h"
#include "sysx.h"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A read-only mount: ours, or the host's own (firmware). A sealed memfd is as good. */
static bool is_protected(int exe)
{
	auto_fd fd = -1;
	struct statvfs st;

	if (!fstatvfs(exe, &st) && (st.f_flag & ST_RDONLY))
		return true;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fcntl(fd, F_GET_SEALS) == ALL_SEALS;
}

/* A detached copy of the executable's mount, read-only: 5.12, costs about as much as nothing. */
static int open_readonly(int exe)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd tree = sysx_open_tree(exe, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int r;

	if (tree < 0)
		return tree;
	r = sysx_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : take_fd(&tree);
}

/* Older kernels and unprivileged callers: a sealed copy in memory. */
static int open_sealed(void)
{
	auto_fd from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = -1;
	struct stat st;
	ssize_t n;

	if (from < 0 || fstat(from, &st))
		return -errno;
	to = memfd_create("cleat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0)
		return -errno;
	while (st.st_size > 0) {
		n = sendfile(to, from, NULL, (size_t)st.st_size);
		if (n <= 0)
			return n ? -errno : -EIO;
		st.st_size -= n;
	}
	if (fchmod(to, 0755) || fcntl(to, F_ADD_SEALS, ALL_SEALS))
		return -errno;
	return take_fd(&to);
}

int cleat_protect_exe(char *const argv[], struct err *e)
{
	auto_fd exe = open("/proc/self/exe", O_PATH | O_CLOEXEC), fd = -1;
	const char *name;

	if (exe < 0)
		return err_set(e, ERR_KERNEL, -errno, "/proc/self/exe", "open our own executable");
	if (is_protected(exe)) {
		/* execveat names a process after its fd. */
		name = strrchr(argv[0], '/');
		prctl(PR_SET_NAME, name ? name + 1 : argv[0]);
		return 0;
	}
	fd = open_readonly(exe);
	if (fd < 0)
		fd = open_sealed();
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, "/proc/self/exe", "make our own executable unwritable");
	return err_set(e, ERR_KERNEL, sysx_execveat(fd, "", argv, environ, AT_EMPTY_PATH), "/proc/self/exe",
		       "run our own executable from a read-only mount");
}

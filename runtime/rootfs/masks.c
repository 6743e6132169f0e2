/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* readonlyPaths and maskedPaths. */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "text.h"

/* Missing targets are nothing to protect; every other failure is one. */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

static int readonly_path(struct rootfs *r, const char *path, const char *where, struct err *e)
{
	auto_fd fd = path_open_in_root(r->rootfd, path, O_PATH), mount = -1;
	int q;

	if (is_absent(fd))
		return 0;
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, where, "open \"%s\"", path);
	q = mnt_bind(&r->mnt, fd, false, true, fd, &mount);
	if (!q && mount < 0)
		mount = path_open_in_root(r->rootfd, path, O_PATH);
	if (!q)
		q = mnt_setattr(&r->mnt, mount, MOUNT_ATTR_RDONLY, 0, true);
	if (q == -ENOSYS)	/* below 5.12: the top mount, as other runtimes do */
		q = mnt_setattr(&r->mnt, mount, MOUNT_ATTR_RDONLY, 0, false);
	return q ? err_set(e, ERR_KERNEL, q, where, "make \"%s\" read-only", path) : 0;
}

/* One empty read-only tmpfs serves all masked directories. @empty: -1 until the first. */
static int mask_dir(struct rootfs *r, int target, const char *path, int *empty)
{
	static const char *const words[] = { "nr_blocks=1", "nr_inodes=1", "mode=0755" };
	const struct strv data = { (const char **)(uintptr_t)words, 3 };
	const struct mnt_fs f = { "tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, &data };
	int q;

	if (*empty >= 0)
		return mnt_bind(&r->mnt, *empty, false, false, target, NULL);
	q = mnt_new(&r->mnt, &f, target, empty);
	if (!q && *empty < 0)
		*empty = path_open_in_root(r->rootfd, path, O_PATH);
	return q;
}

/* The host's null device, verified on the fd that is then mounted (D8): the image's /dev is not asked. */
static int open_null(struct err *e)
{
	auto_fd fd = openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_set(e, ERR_KERNEL, -errno, "/dev/null", "open the host's null device");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, ERR_KERNEL, -ENODEV, "/dev/null", "the host's /dev/null is not the null device");
	return take_fd(&fd);
}

static int mask_path(struct rootfs *r, const char *path, const char *where, int *empty, int null, struct err *e)
{
	auto_fd fd = path_open_in_root(r->rootfd, path, O_PATH);
	struct stat st;
	int q;

	if (is_absent(fd))
		return 0;
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, where, "open \"%s\"", path);
	if (fstat(fd, &st))
		return err_set(e, ERR_KERNEL, -errno, where, "stat \"%s\"", path);
	q = S_ISDIR(st.st_mode) ? mask_dir(r, fd, path, empty) :
		mnt_bind(&r->mnt, null, false, false, fd, NULL);
	return q ? err_set(e, ERR_KERNEL, q, where, "mask \"%s\"", path) : 0;
}

int rootfs_masks(struct rootfs *r, const struct spec *s, struct err *e)
{
	auto_fd empty = -1, null = -1;
	char where[64];
	size_t i;
	int q = 0;

	for (i = 0; i < s->linux_->readonly_paths.n && !q; i++) {
		text_join(where, sizeof(where), "/linux/readonlyPaths/", text_num(i));
		q = readonly_path(r, s->linux_->readonly_paths.v[i], where, e);
	}
	if (!q && s->linux_->masked_paths.n)
		q = (null = open_null(e)) < 0 ? null : 0;
	for (i = 0; i < s->linux_->masked_paths.n && !q; i++) {
		text_join(where, sizeof(where), "/linux/maskedPaths/", text_num(i));
		q = mask_path(r, s->linux_->masked_paths.v[i], where, &empty, null, e);
	}
	return q;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes and links of /dev. */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "text.h"

static const struct spec_device default_devices[] = {
	{ .type = 'c', .path = "/dev/null", .major = 1, .minor = 3 },
	{ .type = 'c', .path = "/dev/zero", .major = 1, .minor = 5 },
	{ .type = 'c', .path = "/dev/full", .major = 1, .minor = 7 },
	{ .type = 'c', .path = "/dev/random", .major = 1, .minor = 8 },
	{ .type = 'c', .path = "/dev/urandom", .major = 1, .minor = 9 },
	{ .type = 'c', .path = "/dev/tty", .major = 5, .minor = 0 },
};

static mode_t type_bits(int type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static bool is_same(const struct stat *st, const struct spec_device *d)
{
	return (st->st_mode & S_IFMT) == type_bits(d->type) &&
	       (d->type == 'p' || st->st_rdev == makedev((unsigned int)d->major, (unsigned int)d->minor));
}

/* In a user namespace (or where mknod is refused) the host's node is bound. */
static int bind_device(struct rootfs *r, const struct spec_device *d, const char *where, struct err *e)
{
	auto_fd host = openat(AT_FDCWD, d->path, O_PATH | O_CLOEXEC), target = -1;
	struct stat st;
	int q;

	if (host < 0)
		return err_set(e, ERR_SPEC, -errno, where, "device \"%s\" of the host", d->path);
	if (fstat(host, &st) || !is_same(&st, d))
		return err_set(e, ERR_SPEC, -ENODEV, where, "the host's \"%s\" is not the device %c %lld:%lld", d->path,
			       d->type, (long long)d->major, (long long)d->minor);
	target = path_touch_in_root(r->rootfd, d->path, 0666);
	if (target < 0)
		return err_set(e, ERR_KERNEL, target, where, "make \"%s\"", d->path);
	q = mnt_bind(&r->mnt, host, false, false, target, NULL);
	return q ? err_set(e, ERR_KERNEL, q, where, "bind the device \"%s\"", d->path) : 0;
}

/* @dev: /dev, where @d belongs there; else -1. */
static int make_device(struct rootfs *r, const struct spec_device *d, int dev, const char *where, struct err *e)
{
	mode_t mode = d->has_file_mode ? d->file_mode & 07777 : 0666;
	const char *name = strrchr(d->path, '/') + 1;
	char last[NAME_MAX + 1];
	auto_fd parent = -1, fd = -1;
	struct stat st;

	if (r->userns)
		return bind_device(r, d, where, e);
	if (dev < 0) {
		dev = parent = path_parent_in_root(r->rootfd, d->path, last);
		name = last;
	}
	if (dev < 0)
		return err_set(e, ERR_SPEC, dev, where, "make the directory of \"%s\"", d->path);
	if (!mknodat(dev, name, type_bits(d->type) | mode,
		     d->type == 'p' ? 0 : makedev((unsigned int)d->major, (unsigned int)d->minor))) {
		if (!d->has_uid && !d->has_gid)
			return 0;
	} else if (errno == EPERM) {
		return bind_device(r, d, where, e);
	} else if (errno != EEXIST) {
		return err_set(e, ERR_KERNEL, -errno, where, "mknod \"%s\"", d->path);
	}
	fd = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_set(e, ERR_KERNEL, -errno, where, "open \"%s\"", d->path);
	if (!is_same(&st, d))
		return err_set(e, ERR_SPEC, -EEXIST, where, "\"%s\" is there and is not the device %c %lld:%lld",
			       d->path, d->type, (long long)d->major, (long long)d->minor);
	if (((d->has_uid && d->uid != st.st_uid) || (d->has_gid && d->gid != st.st_gid)) &&
	    fchownat(fd, "", d->has_uid ? d->uid : (uid_t)-1, d->has_gid ? d->gid : (gid_t)-1, AT_EMPTY_PATH))
		return err_set(e, ERR_KERNEL, -errno, where, "chown \"%s\"", d->path);
	/* umask is 0 here and chown clears no bits of a device, so the mode needs no second call. */
	return 0;
}

static int make_link(int dev, const char *name, const char *target, bool replace, struct err *e)
{
	char where[32];

	text_join(where, sizeof(where), "/dev/", name);
	if (!symlinkat(target, dev, name) || (errno == EEXIST && !replace))
		return 0;
	if (errno == EEXIST && unlinkat(dev, name, 0) && errno != ENOENT)
		return err_set(e, ERR_KERNEL, -errno, where, "remove the old link");
	if (symlinkat(target, dev, name) && errno != EEXIST)
		return err_set(e, ERR_KERNEL, -errno, where, "make the link");
	return 0;
}

static int make_links(struct rootfs *r, struct err *e)
{
	static const struct { const char *name, *target; } links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	};
	auto_fd own = -1;
	int dev = r->dev_kept ? r->devfd : -1, q = 0;
	size_t i;

	if (dev < 0)
		dev = own = path_mkdir_in_root(r->rootfd, "/dev", 0755);
	if (dev < 0)
		return err_set(e, ERR_KERNEL, dev, "/dev", "make the directory");
	if (!access("/proc/kcore", F_OK))
		q = make_link(dev, "core", "/proc/kcore", false, e);
	for (i = 0; i < sizeof(links) / sizeof(links[0]) && !q; i++)
		q = make_link(dev, links[i].name, links[i].target, false, e);
	return q ? q : make_link(dev, "ptmx", "pts/ptmx", true, e);
}

/* A default device that is listed is made as listed, and once. */
static bool is_listed(const struct objv *devices, const char *path)
{
	const struct spec_device *d = devices->v;
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (!strcmp(d[i].path, path))
			return true;
	return false;
}

int rootfs_devices(struct rootfs *r, const struct spec *s, struct err *e)
{
	const struct spec_device *d = s->linux_->devices.v;
	char where[48];
	auto_fd own = -1;
	int dev = -1, q = 0;
	size_t i;

	if (r->dev_is_bind)
		return 0;
	if (!r->userns)
		dev = r->dev_kept ? r->devfd : (own = path_open_in_root(r->rootfd, "/dev", O_PATH | O_DIRECTORY));
	for (i = 0; i < sizeof(default_devices) / sizeof(default_devices[0]) && !q; i++)
		if (!is_listed(&s->linux_->devices, default_devices[i].path))
			q = make_device(r, &default_devices[i], dev, default_devices[i].path, e);
	for (i = 0; i < s->linux_->devices.n && !q; i++) {
		if (!strcmp(d[i].path, "/dev/ptmx"))
			continue;	/* the link to pts/ptmx below */
		text_join(where, sizeof(where), "/linux/devices/", text_num(i));
		q = make_device(r, &d[i], -1, where, e);
	}
	if (!q)
		q = make_links(r, e);
	rootfs_drop_dev(r);
	return q;
}

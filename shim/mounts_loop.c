/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loop devices for rootfs mounts that are files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fd.h"
#include "mounts_internal.h"

#define TRIES 100	/* others take free devices, too */

/* One call since 5.8; before, two. */
static int configure(int dev, int file, const struct loop_info64 *info)
{
	struct loop_config c = { .fd = (uint32_t)file, .info = *info };
	int r;

	if (!ioctl(dev, LOOP_CONFIGURE, &c))
		return 0;
	if (errno != EINVAL && errno != ENOTTY)
		return -errno;
	if (ioctl(dev, LOOP_SET_FD, file))
		return -errno;
	/* Direct I/O is no flag that it sets, but a call of its own (4.4). */
	if (!ioctl(dev, LOOP_SET_STATUS64, info) &&
	    (!(info->lo_flags & LO_FLAGS_DIRECT_IO) || !ioctl(dev, LOOP_SET_DIRECT_IO, 1UL)))
		return 0;
	r = -errno;
	ioctl(dev, LOOP_CLR_FD, 0);
	return r;
}

int mounts_loop(const char *source, bool read_only, bool direct, char *name, struct err *e)
{
	auto_fd file = open(source, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	auto_fd control = -1, dev = -1;
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int r = -EBUSY;

	if (file < 0)
		return err_set(e, ERR_SPEC, -errno, source, "open image");
	if (read_only)
		info.lo_flags |= LO_FLAGS_READ_ONLY;
	if (direct)
		info.lo_flags |= LO_FLAGS_DIRECT_IO;
	snprintf((char *)info.lo_file_name, sizeof(info.lo_file_name), "%s", source);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return err_set(e, ERR_KERNEL, -errno, "/dev/loop-control", "open");
	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		if (n < 0)
			return err_set(e, ERR_KERNEL, -errno, source, "get a loop device");
		snprintf(name, 32, "/dev/loop%d", n);
		fd_close(&dev);
		dev = open(name, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (dev < 0)
			return err_set(e, ERR_KERNEL, -errno, name, "open loop device");
		r = configure(dev, file, &info);
	}
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, source, "set up loop device %s", name);
	return take_fd(&dev);
}

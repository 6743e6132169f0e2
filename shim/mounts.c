/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rootfs mounts of Create. They are made in the host's mount namespace,
 * because containerd and the delete action unmount the same path. Runs in
 * workers only.
 */
#include "mounts_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "bounds.h"
#include "buf.h"
#include "fd.h"
#include "pathfs.h"
#include "sysx.h"

#define BUSY_MS 1000

int mounts_open(const char *rootfs, const char *sub)
{
	auto_fd root = open(rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0)
		return -errno;
	if (!sub || !sub[0])
		return take_fd(&root);
	return path_open_in_root(root, sub, O_PATH);
}

/* Those of mount(2)'s flags that are the mount's, as fsmount(2) counts them. */
static unsigned int attrs_of(unsigned long flags)
{
	static const struct { unsigned long flag; unsigned int attr; } map[] = {
		{ MS_RDONLY, MOUNT_ATTR_RDONLY }, { MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ MS_NODEV, MOUNT_ATTR_NODEV }, { MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	};
	unsigned int attrs = MOUNT_ATTR_RELATIME;

	/* One of these three; mount(2) takes the strictest of what it is given. */
	if (flags & MS_STRICTATIME)
		attrs = MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attrs = MOUNT_ATTR_NOATIME;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (flags & map[i].flag)
			attrs |= map[i].attr;
	return attrs;
}

/* And those that are the file system's. */
static int config_flags(int fs, unsigned long flags)
{
	static const struct { unsigned long flag; const char *name; } map[] = {
		{ MS_RDONLY, "ro" }, { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]) && !r; i++)
		if (flags & map[i].flag)
			r = sysx_fsconfig(fs, FSCONFIG_SET_FLAG, map[i].name, NULL, 0);
	return r;
}

/* One comma-separated option into the file system's context; layers one by one. */
static int config_word(int fs, char *word)
{
	char *val = strchr(word, '='), *layer;
	int r;

	if (!val)
		return sysx_fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0);
	*val++ = 0;
	if (strcmp(word, "lowerdir"))
		return sysx_fsconfig(fs, FSCONFIG_SET_STRING, word, val, 0);
	while ((layer = strsep(&val, ":"))) {
		r = sysx_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", layer, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* More layers than mount(2)'s page of options holds: fsconfig takes them singly (6.8). */
static int overlay_by_layers(const struct task_mount *m, const struct task_mount_options *o,
			     int target)
{
	char *data = strdup(o->data), *p = data, *word;
	auto_fd fs = sysx_fsopen("overlay", FSOPEN_CLOEXEC), mnt = -1;
	int r = 0;

	if (!data || fs < 0) {
		free(data);
		return fs < 0 ? fs : -ENOMEM;
	}
	sysx_fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source, 0);
	while (!r && (word = strsep(&p, ",")))
		r = config_word(fs, word);
	free(data);
	if (!r)
		r = config_flags(fs, o->flags);
	if (!r)
		r = sysx_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	mnt = sysx_fsmount(fs, FSMOUNT_CLOEXEC, attrs_of(o->flags));
	if (mnt < 0)
		return mnt;
	return sysx_move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH |
			       MOVE_MOUNT_T_EMPTY_PATH);
}

size_t mounts_common_parent(const char *layers)
{
	size_t n = strcspn(layers, ":"), k;
	const char *p = layers;

	while (*p) {
		size_t len = strcspn(p, ":");

		for (k = 0; k < n && k < len && p[k] == layers[k]; k++)
			;
		n = k;
		p += len + (p[len] == ':');
	}
	while (n && layers[n - 1] != '/')
		n--;
	return n;
}

/* The same for older kernels: go where the layers are and name them relatively. */
static int overlay_relative(const struct task_mount *m, const struct task_mount_options *o,
			    const char *target, struct err *e)
{
	const char *layers = strstr(o->data, "lowerdir="), *p;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), cut, head, total;
	auto_buf data = BUF_INIT, dir = BUF_INIT;
	int r = 0;

	if (!layers)
		return err_set(e, ERR_SPEC, -E2BIG, m->source, "mount options is too long");
	head = (size_t)(layers - o->data) + sizeof("lowerdir=") - 1;
	layers += sizeof("lowerdir=") - 1;
	total = strcspn(layers, ",");
	buf_add(&data, layers, total);
	cut = data.data ? mounts_common_parent(data.data) : 0;
	buf_reset(&data);
	if (!cut)
		return err_set(e, ERR_SPEC, -E2BIG, m->source, "mount options is too long");
	buf_add(&dir, layers, cut);
	buf_add(&data, o->data, head);
	for (p = layers; p < layers + total;) {
		size_t len = strcspn(p, ":,");

		buf_add(&data, p + cut, len - cut);
		p += len;
		if (p < layers + total)
			buf_addc(&data, *p++);
	}
	buf_adds(&data, layers + total);
	if (!buf_ok(&data) || !buf_ok(&dir))
		return err_set(e, ERR_LIMIT, -ENOMEM, m->source, "mount options");
	if (data.len >= page)
		return err_set(e, ERR_SPEC, -E2BIG, m->source, "mount options is too long");
	if (chdir(dir.data))
		return err_set(e, ERR_KERNEL, -errno, dir.data, "enter directory of the layers");
	if (mount(m->source, target, m->type, o->flags, data.data))
		r = err_set(e, ERR_KERNEL, -errno, m->source, "mount %s", m->type);
	if (chdir("/") && !r)
		r = err_set(e, ERR_KERNEL, -errno, "/", "change directory");
	return r;
}

/* Flags of a bind take a second call; in a user namespace those the source has are locked. */
static int bind_flags(const char *rootfs, const struct task_mount *m, unsigned long flags,
		      struct err *e)
{
	static const struct { unsigned long st, ms; } locked[] = {
		{ ST_RDONLY, MS_RDONLY }, { ST_NOSUID, MS_NOSUID }, { ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC }, { ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME }, { ST_RELATIME, MS_RELATIME },
	};
	auto_fd fd = mounts_open(rootfs, m->target);
	char target[FD_PATH_SIZE];
	struct statvfs st;

	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, m->target, "open mount point");
	fd_path(target, fd);
	flags = (flags & ~(unsigned long)MS_REC) | MS_REMOUNT | MS_BIND;
	if (!mount(NULL, target, NULL, flags, NULL))
		return 0;
	if (errno != EPERM || fstatvfs(fd, &st))
		return err_set(e, ERR_KERNEL, -errno, m->source, "remount bind with its flags");
	for (size_t i = 0; i < sizeof(locked) / sizeof(locked[0]); i++)
		if (st.f_flag & locked[i].st)
			flags |= locked[i].ms;
	if (mount(NULL, target, NULL, flags, NULL))
		return err_set(e, ERR_KERNEL, -errno, m->source, "remount bind with its flags");
	return 0;
}

int mounts_fs(const struct task_mount *m, const struct task_mount_options *o, int fd, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char target[FD_PATH_SIZE];

	fd_path(target, fd);
	if (!strcmp(m->type, "overlay") && strlen(o->data) >= page - 512) {
		if (!overlay_by_layers(m, o, fd))
			return 0;
		return overlay_relative(m, o, target, e);
	}
	if (strlen(o->data) >= page)
		return err_set(e, ERR_SPEC, -E2BIG, m->source, "mount options is too long");
	if (mount(m->source, target, m->type, o->flags, o->data))
		return err_set(e, ERR_KERNEL, -errno, m->source, "mount %s", m->type);
	return 0;
}

/* A file system in a file, by a loop device. */
static int mount_image(const struct task_mount *m, const struct task_mount_options *o, int fd,
		       struct err *e)
{
	char device[32];
	auto_fd loop = mounts_loop(m->source, o->flags & MS_RDONLY, o->direct, device, e);
	struct task_mount by_device = *m;

	if (loop < 0)
		return loop;
	by_device.source = device;
	return mounts_fs(&by_device, o, fd, e);
}

static int mount_new(const char *rootfs, const struct task_mount *m,
		     const struct task_mount_options *o, int fd, struct err *e)
{
	struct stat st;
	int r;

	if (o->loop)
		return mount_image(m, o, fd, e);
	if (o->uidmap && !strcmp(m->type, "overlay"))
		return mounts_map_layers(rootfs, m, o, e);
	r = mounts_fs(m, o, fd, e);
	/* Since 6.12 erofs reads files itself; before, it takes what it always took. */
	if (r < 0 && e && e->errnum == ENOTBLK && !strcmp(m->type, "erofs") &&
	    !stat(m->source, &st) && S_ISREG(st.st_mode)) {
		err_clear(e);
		r = mount_image(m, o, fd, e);
	}
	return r;
}

static int mount_one(const char *rootfs, const struct task_mount *m, struct arena *a,
		     struct err *e)
{
	unsigned long extra;
	struct task_mount_options o;
	char target[FD_PATH_SIZE];
	auto_fd fd = -1, top = -1;
	int r = mounts_parse(m, a, &o, e);

	if (r < 0)
		return r;
	fd = mounts_open(rootfs, m->target);
	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, m->target[0] ? m->target : rootfs,
			       "open mount point");
	if (o.helper)
		return mounts_fuse(m, fd, a, e);
	if (o.flags & MS_BIND) {
		if (mount(m->source, fd_path(target, fd), NULL, o.flags & (MS_BIND | MS_REC), NULL))
			return err_set(e, ERR_KERNEL, -errno, m->source, "bind mount");
		extra = o.flags & ~(unsigned long)(MS_BIND | MS_REC);
		if (extra)
			r = bind_flags(rootfs, m, extra, e);
	} else {
		r = mount_new(rootfs, m, &o, fd, e);
	}
	if (!r && o.uidmap && (o.flags & MS_BIND || strcmp(m->type, "overlay")))
		r = mounts_map_top(rootfs, m, &o, e);
	if (r < 0 || !o.propagation)
		return r;
	top = mounts_open(rootfs, m->target);
	if (top < 0)
		return err_set(e, ERR_KERNEL, top, m->target, "open mount point");
	if (mount(NULL, fd_path(target, top), NULL, o.propagation, NULL))
		return err_set(e, ERR_KERNEL, -errno, m->source, "set mount propagation");
	return 0;
}

static int rootfs_path(const char *bundle, char *out, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/rootfs", bundle);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_SPEC, -ENAMETOOLONG, bundle, "bundle path");
	return 0;
}

int mounts_make(const char *bundle, const struct task_mount *m, size_t n, struct err *e)
{
	char rootfs[PATH_MAX];
	auto_arena a = ARENA_INIT;
	int r = rootfs_path(bundle, rootfs, e);

	if (r < 0 || !n)
		return r;
	if (mkdir(rootfs, 0711) && errno != EEXIST)
		return err_set(e, ERR_KERNEL, -errno, rootfs, "make directory");
	for (size_t i = 0; i < n; i++) {
		r = mount_one(rootfs, &m[i], &a, e);
		if (r < 0) {
			mounts_undo(bundle, true, NULL);
			return r;
		}
	}
	return 0;
}

/* Undo mountinfo's octal escapes in place. */
static void unescape(char *s)
{
	char *w = s;

	for (; *s; s++, w++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*w = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*w = *s;
		}
	}
	*w = 0;
}

/* Mount point of the last mountinfo line below @rootfs that @text still holds; cuts @text there. */
static char *last_below(char *text, const char *rootfs)
{
	size_t len = strlen(rootfs);
	char *line;

	while (*text) {
		char *p, *end;

		line = strrchr(text, '\n');
		line = line ? line + 1 : text;
		p = line;
		for (int i = 0; i < 4 && p; i++) {
			p = strchr(p, ' ');
			p = p ? p + 1 : NULL;
		}
		if (line == text)
			*text = 0;
		else
			line[-1] = 0;
		end = p ? strchr(p, ' ') : NULL;
		if (!end)
			continue;
		*end = 0;
		unescape(p);
		if (!strncmp(p, rootfs, len) && p[len] == '/')
			return p;
	}
	return NULL;
}

/* Later lines are later (or deeper) mounts, so the list is taken from its end. */
static void unmount_below(const char *rootfs)
{
	auto_buf text = BUF_INIT;
	char *copy, *p;

	if (path_read(AT_FDCWD, "/proc/self/mountinfo", LIMIT_PROC_FILE, &text) || !text.len)
		return;
	copy = text.data;
	if (copy[text.len - 1] == '\n')
		copy[text.len - 1] = 0;
	while ((p = last_below(copy, rootfs)))
		umount2(p, UMOUNT_NOFOLLOW);
}

int mounts_undo(const char *bundle, bool lazy, struct err *e)
{
	char rootfs[PATH_MAX];
	unsigned int waited_ms = 0, step_ms = 10;
	int r = rootfs_path(bundle, rootfs, e);

	if (r < 0)
		return r;
	for (;;) {
		struct timespec nap;

		if (!umount2(rootfs, UMOUNT_NOFOLLOW))
			continue;
		if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)
			return 0;
		if (errno != EBUSY)
			return err_set(e, ERR_KERNEL, -errno, rootfs, "unmount");
		unmount_below(rootfs);
		if (!umount2(rootfs, UMOUNT_NOFOLLOW))
			continue;
		/* A process that was just killed lets go of its root a moment later. */
		if (waited_ms >= BUSY_MS) {
			if (lazy && !umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW))
				continue;
			return err_set(e, ERR_STATE, -EBUSY, rootfs, "unmount");
		}
		nap = (struct timespec){ 0, (long)step_ms * 1000000 };
		nanosleep(&nap, NULL);
		waited_ms += step_ms;
		step_ms = step_ms < 80 ? step_ms * 2 : step_ms;
	}
}

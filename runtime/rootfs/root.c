/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root mount itself: making it one, read-only at the end, pivoting into it. */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "names.h"
#include "pathfs.h"

static unsigned long propagation_of(const struct spec *s)
{
	const struct name *n = s->linux_->rootfs_propagation ?
		names_find(spec_propagation_names, s->linux_->rootfs_propagation) : NULL;

	return n ? (unsigned long)n->value : 0;
}

/* Kernels below 5.2: the directory is bound onto itself, then opened again through its path. */
static int bind_root_old(struct rootfs *r)
{
	if (mount(r->rootpath, r->rootpath, NULL, MS_BIND | MS_REC, NULL))
		return -errno;
	r->mnt.old_api = true;
	r->rootfd = openat(AT_FDCWD, r->rootpath, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->rootfd < 0 ? -errno : 0;
}

/*
 * Where the tree is attached: on top of "/", the one directory that every user namespace can reach. Hooks are told
 * of the root file system by its path and mount below it, or chroot to it: for them it must be there. Return: fd.
 */
static int attach_point(const struct rootfs *r, const struct spec *s)
{
	const struct spec_hooks *h = s->hooks;
	struct stat tree, st;
	auto_fd fd = -1;

	if (h && (h->prestart.n || h->create_runtime.n || h->create_container.n)) {
		fd = openat(AT_FDCWD, r->rootpath, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !fstat(fd, &st) && !fstat(r->tree, &tree) && st.st_dev == tree.st_dev &&
		    st.st_ino == tree.st_ino)
			return take_fd(&fd);
	}
	return openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int rootfs_begin(struct rootfs *r, const struct spec *s, struct err *e)
{
	auto_fd top = -1;
	struct stat st;
	int q;

	/* Nothing of ours may travel to the host; what the host mounts may still arrive (slave). */
	if (mount(NULL, "/", NULL, propagation_of(s) & MS_PRIVATE ? MS_PRIVATE | MS_REC : MS_SLAVE | MS_REC, NULL))
		return err_set(e, ERR_KERNEL, -errno, "/linux/rootfsPropagation", "make \"/\" a slave mount");
	if (r->tree == -EPERM) {	/* not the worker's to copy: it is ours, by path */
		top = openat(AT_FDCWD, r->rootpath, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r->tree = top < 0 ? -errno : rootfs_tree(top);
		fd_close(&top);
		if (r->tree < 0)
			return err_set(e, ERR_KERNEL, r->tree, "/root/path", "clone the mounts of \"%s\"", r->rootpath);
	}
	if (r->tree < 0) {
		q = bind_root_old(r);
	} else {
		/* pivot_root takes it from there. */
		top = attach_point(r, s);
		q = top < 0 ? -errno : mnt_attach(r->tree, top);
		r->rootfd = take_fd(&r->tree);
	}
	if (!q && fstat(r->rootfd, &st))
		q = -errno;
	/* Below 5.12 the tree is still a peer of the host's mounts: no mount may be made in it before this. */
	if (!q)
		q = mnt_propagation(&r->mnt, r->rootfd,
				    (propagation_of(s) & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE) | MS_REC);
	if (q)
		return err_set(e, q == -EPERM ? ERR_DENIED : ERR_KERNEL, q, "/root/path", "mount the root file system \"%s\"",
			       r->rootpath);
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	return 0;
}

int rootfs_readonly(struct rootfs *r, const struct spec *s, struct err *e)
{
	size_t i;
	int q = 0;

	for (i = 0; i < r->n_late_ro && !q; i++) {
		q = mnt_setattr(&r->mnt, r->late_ro[i], MOUNT_ATTR_RDONLY, 0, false);
		fd_close(&r->late_ro[i]);
	}
	if (q)
		return err_set(e, ERR_KERNEL, q, "/mounts", "make a mount read-only");
	if (s->root->readonly)
		q = mnt_setattr(&r->mnt, r->rootfd, MOUNT_ATTR_RDONLY, 0, false);
	return q ? err_set(e, ERR_KERNEL, q, "/root/readonly", "make the root file system read-only") : 0;
}

/* " N ": the id of the container's root mount. */
static int own_mount_id(struct rootfs *r, char *out, size_t size)
{
	auto_buf b = BUF_INIT;
	char path[48];
	const char *p;
	int q;

	snprintf(path, sizeof(path), "self/fdinfo/%d", r->rootfd);
	q = path_read(r->mnt.procfd, path, LIMIT_PROC_FILE, &b);
	p = q ? NULL : strstr(b.data, "mnt_id:");
	if (!p)
		return q ? q : -EPROTO;
	snprintf(out, size, " %d ", (int)strtol(p + strlen("mnt_id:"), NULL, 10));
	return 0;
}

/*
 * Without pivot_root the host's mounts stay below "/" of the namespace, only hidden by chroot. A procfs or
 * sysfs among them would let a new one be mounted in full view, so they go first.
 */
static void drop_foreign_proc(struct rootfs *r)
{
	auto_buf b = BUF_INIT, own = BUF_INIT;
	char *line, *next, ids[32];

	/* " 7 8 9 ": mounts of the container, which stay; mountinfo names a mount after its parent. */
	if (own_mount_id(r, ids, sizeof(ids)) ||
	    path_read(r->mnt.procfd, "self/mountinfo", LIMIT_PROC_FILE, &b) || !b.data) {
		r->warn(r->arg, "the host's proc and sysfs could not be looked for");
		return;
	}
	buf_adds(&own, ids);
	for (line = b.data; line && *line; line = next) {
		char *save = NULL, *id, *parent, *point, *type;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		type = strstr(line, " - ");
		id = strtok_r(line, " ", &save);
		parent = strtok_r(NULL, " ", &save);
		strtok_r(NULL, " ", &save);
		strtok_r(NULL, " ", &save);
		point = strtok_r(NULL, " ", &save);
		if (!type || !point)
			continue;
		snprintf(ids, sizeof(ids), " %s ", parent);
		if (strstr(own.data, ids)) {
			buf_addf(&own, "%s ", id);
			continue;
		}
		type += 3;
		if (strncmp(type, "proc ", 5) && strncmp(type, "sysfs ", 6))
			continue;
		if (umount2(point, MNT_DETACH))
			r->warn(r->arg, "a proc or sysfs of the host could not be unmounted");
	}
}

static int move_root(struct rootfs *r, struct err *e)
{
	drop_foreign_proc(r);
	/* ELOOP: it is on top of "/" already, see attach_point(). */
	if (fchdir(r->rootfd) || (mount(".", "/", NULL, MS_MOVE, NULL) && errno != ELOOP) || chroot(".") || chdir("/"))
		return err_set(e, ERR_KERNEL, -errno, "/root/path", "move the root file system to \"/\"");
	return 0;
}

int rootfs_pivot(struct rootfs *r, const struct spec *s, struct err *e)
{
	unsigned long p = propagation_of(s);
	int q;

	if (r->no_pivot) {
		q = move_root(r, e);
	} else {
		if (fchdir(r->rootfd))
			return err_set(e, ERR_KERNEL, -errno, "/root/path", "enter the root file system");
		/* The old root is stacked on the new one, so both are "." and no directory for it is needed. */
		q = sysx_pivot_root(".", ".");
		if (q == -EINVAL)
			return err_set(e, ERR_KERNEL, q, "/root/path",
				       "pivot_root (on an initramfs use --no-pivot, or switch to a tmpfs root first)");
		if (q)
			return err_set(e, ERR_KERNEL, q, "/root/path", "pivot_root");
		/* Nothing of it is a peer of the host's mounts since rootfs_begin(): only ours go. */
		if (umount2(".", MNT_DETACH) || chdir("/"))
			return err_set(e, ERR_KERNEL, -errno, "/root/path", "detach the host's root");
	}
	if (!q && p && mount(NULL, "/", NULL, p, NULL))
		q = err_set(e, ERR_KERNEL, -errno, "/linux/rootfsPropagation", "set propagation of the root");
	return q;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id-mapped rootfs mounts. An overlay itself cannot be mapped, but its layers
 * can: the directory that holds them all is cloned, mapped, and mounted where
 * the overlay reads them. This is done in a mount namespace of our own, so
 * that nothing of it is ever seen, or left, on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "buf.h"
#include "cleat.h"
#include "fd.h"
#include "mounts_internal.h"
#include "num.h"
#include "sysx.h"

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000	/* 5.12 */
#endif
#define MAPS_MAX 340			/* as many as the kernel takes */

/* One "container:host:size". */
static int parse_map(char *text, struct cleat_idmap *m)
{
	const char *inside = strsep(&text, ":"), *outside = strsep(&text, ":");

	if (!outside || !text)
		return -EINVAL;
	if (num_u32(inside, &m->inside) || num_u32(outside, &m->outside) || num_u32(text, &m->count))
		return -EINVAL;
	return 0;
}

/* "0:1000:65536,65536:70000:1" */
static int parse_maps(const char *text, struct arena *a, struct cleat_idmap **out, size_t *n,
		      const char *source, struct err *e)
{
	struct cleat_idmap *list = arena_alloc(a, MAPS_MAX * sizeof(*list));
	char *copy = arena_memdup(a, text, strlen(text) + 1), *part;

	if (!list || !copy)
		return err_set(e, ERR_LIMIT, -ENOMEM, source, "id mappings");
	*out = list;
	for (*n = 0; (part = strsep(&copy, ",")); (*n)++)
		if (*n == MAPS_MAX || parse_map(part, &list[*n]))
			return err_set(e, ERR_SPEC, -EINVAL, source,
				       "id mapping \"%s\" is not a list of container:host:size",
				       text);
	return 0;
}

static int make_userns(const struct task_mount *m, const struct task_mount_options *o, struct err *e)
{
	struct cleat_idmap *uids, *gids;
	auto_arena a = ARENA_INIT;
	size_t n_uids, n_gids;
	int r = parse_maps(o->uidmap, &a, &uids, &n_uids, m->source, e);

	if (!r)
		r = parse_maps(o->gidmap, &a, &gids, &n_gids, m->source, e);
	return r ? r : cleat_userns(uids, n_uids, gids, n_gids, e);
}

/*
 * A detached, mapped copy of what is mounted at a path, with what lies below it. As @layers it is
 * read-only, and private: what is mounted on it must not appear where the original is.
 */
static int mapped_copy(int dir, const char *path, const struct task_mount *m,
		       const struct task_mount_options *o, bool layers, struct err *e)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP | (layers ? MOUNT_ATTR_RDONLY : 0),
		.propagation = layers ? MS_PRIVATE : 0,
	};
	auto_fd ns = make_userns(m, o, e), tree = -1;
	int r;

	if (ns < 0)
		return ns;
	tree = sysx_open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			      AT_RECURSIVE);
	if (tree < 0)
		return err_set(e, ERR_KERNEL, tree, path[0] ? path : m->source, "copy mount");
	attr.userns_fd = (uint64_t)ns;
	r = sysx_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, path[0] ? path : m->source,
			       "id-map mount (uidmap, gidmap)");
	return take_fd(&tree);
}

static int attach(int tree, const char *rootfs, const struct task_mount *m, struct err *e)
{
	auto_fd at = mounts_open(rootfs, m->target);
	int r = at;

	if (at >= 0)
		r = sysx_move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH |
				    MOVE_MOUNT_T_EMPTY_PATH);
	return r < 0 ? err_set(e, ERR_KERNEL, r, m->target[0] ? m->target : rootfs, "attach mount") : 0;
}

int mounts_map_top(const char *rootfs, const struct task_mount *m,
		   const struct task_mount_options *o, struct err *e)
{
	char target[FD_PATH_SIZE];
	auto_fd tree = -1;

	{
		auto_fd top = mounts_open(rootfs, m->target);

		if (top < 0)
			return err_set(e, ERR_KERNEL, top, m->target, "open mount point");
		tree = mapped_copy(top, "", m, o, false, e);
		if (tree < 0)
			return tree;
		/* The unmapped one goes: whoever is inside could reach it by an unmount. */
		if (umount2(fd_path(target, top), MNT_DETACH))
			return err_set(e, ERR_KERNEL, -errno, m->source, "unmount");
	}
	return attach(tree, rootfs, m, e);
}

/* The data with all lower layers moved from @cut bytes of common parent to @to. */
static int move_layers(const char *data, const char *to, struct buf *out, size_t *cut, struct buf *parent)
{
	const char *layers = strstr(data, "lowerdir="), *p;
	size_t total;

	if (!layers || (layers > data && layers[-1] != ','))
		return -EINVAL;
	layers += sizeof("lowerdir=") - 1;
	total = strcspn(layers, ",");
	buf_add(parent, layers, total);
	*cut = parent->data ? mounts_common_parent(parent->data) : 0;
	if (*cut < 2)
		return -EINVAL;
	buf_reset(parent);
	buf_add(parent, layers, *cut);
	buf_add(out, data, (size_t)(layers - data));
	for (p = layers; p < layers + total; ) {
		size_t len = strcspn(p, ":,");

		buf_adds(out, to);
		buf_addc(out, '/');
		buf_add(out, p + *cut, len - *cut);
		p += len;
		if (p < layers + total)
			buf_addc(out, *p++);
	}
	buf_adds(out, layers + total);
	return buf_ok(out) && buf_ok(parent) ? 0 : -ENOMEM;
}

/* In a mount namespace of our own: layers at the target, the overlay over them, a copy of that out. */
static int overlay_inside(const char *rootfs, const struct task_mount *m,
			  const struct task_mount_options *o, int layers, struct err *e)
{
	auto_fd at = -1, top = -1;
	int r, tree;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return err_set(e, ERR_KERNEL, -errno, "/", "make mounts private");
	r = attach(layers, rootfs, m, e);
	if (r < 0)
		return r;
	at = mounts_open(rootfs, m->target);
	r = at < 0 ? err_set(e, ERR_KERNEL, at, m->target, "open mount point") : mounts_fs(m, o, at, e);
	if (r < 0)
		return r;
	top = mounts_open(rootfs, m->target);
	tree = top < 0 ? top : sysx_open_tree(top, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? err_set(e, ERR_KERNEL, tree, m->source, "copy overlay") : tree;
}

int mounts_map_layers(const char *rootfs, const struct task_mount *m,
		      const struct task_mount_options *o, struct err *e)
{
	struct task_mount_options moved = *o;
	auto_buf data = BUF_INIT, parent = BUF_INIT;
	auto_fd host = -1, layers = -1, tree = -1;
	char where[PATH_MAX];
	size_t cut;
	int r;

	snprintf(where, sizeof(where), "%s%s%s", rootfs, m->target[0] ? "/" : "", m->target);
	r = move_layers(o->data, where, &data, &cut, &parent);
	if (r < 0)
		return err_set(e, ERR_SPEC, r, m->source, "layers to be id-mapped need a common directory");
	layers = mapped_copy(AT_FDCWD, parent.data, m, o, true, e);
	if (layers < 0)
		return layers;
	host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (host < 0 || unshare(CLONE_NEWNS))
		return err_set(e, ERR_KERNEL, -errno, m->source, "make a mount namespace");
	moved.data = data.data;
	tree = overlay_inside(rootfs, m, &moved, layers, e);
	if (setns(host, CLONE_NEWNS))
		return err_set(e, ERR_KERNEL, -errno, m->source, "return to the host's mount namespace");
	return tree < 0 ? tree : attach(tree, rootfs, m, e);
}

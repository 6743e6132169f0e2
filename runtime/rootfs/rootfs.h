/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_ROOTFS_H
#define CLEAT_ROOTFS_H
#include <stdbool.h>
#include <sys/types.h>
#include "arena.h"
#include "cgroup.h"
#include "err.h"
#include "idmap.h"
#include "log.h"
#include "mount_api.h"
#include "mount_options.h"
#include "spec.h"

/*
 * Building the container's view of files. All functions run in the init stage
 * (the container's mount namespace, the host's root still visible).
 */
struct rootfs {
	struct mnt_env mnt;
	int rootfd;			/* top of the container's root mount */
	dev_t dev; ino_t ino;		/* of that directory */
	const char *bundle;		/* absolute: for relative bind sources */
	const char *rootpath;		/* absolute path of the root directory on the host */
	int tree;			/* detached tree of it; -ENOSYS: kernels below 5.2; -EPERM: init's to make */
	bool userns;			/* in a user namespace of our own or joined */
	bool new_cgroupns;
	bool no_pivot;
	bool netns;			/* own or joined network namespace: sysfs may be mounted */
	bool dev_is_bind;		/* /dev is the host's: nothing is made in it */
	bool dev_kept;			/* devfd is the new tmpfs on /dev, and that is what /dev leads to */
	int devfd;
	dev_t dev_dev; ino_t dev_ino;	/* of its root */
	const struct cg_host *cg_host;
	const char *cgroup;		/* the container's path, "" for none */
	int *sources;			/* detached trees of bind sources by mount index; NULL: open by path */
	struct arena *arena;
	void (*warn)(void *arg, const char *text);
	void *arg;
	/* mounts that turn read-only after everything was made in them */
	int *late_ro; size_t n_late_ro;
};

/**
 * rootfs_tree() - Detached copy of the root directory's mounts, made where the host's paths can be walked.
 * Context: host. An fd that was opened before the clone belongs to the old mount namespace and can be
 * looked through, but not be mounted from; a detached tree belongs to none and can be attached anywhere.
 * Return: fd, -ENOSYS below 5.2, or -errno.
 */
int rootfs_tree(int dirfd);
/**
 * rootfs_sources() - The same for bind sources, which a user namespace's root could not reach. Context: host.
 * @all: all of them; else only those of id-mapped mounts.
 */
int rootfs_sources(const struct spec *s, const char *bundle, bool all, struct arena *a, int **out, struct err *e);
/** struct idmapping - What id-mapped mounts need. */
struct idmapping {
	const struct spec *spec;
	int procfd;
	int userns;		/* the container's own user namespace; -1: it has none */
	int *sources;		/* of rootfs_sources() */
	struct arena *arena;
};
/** rootfs_wants_idmaps() - Is any mount of @s id-mapped? */
bool rootfs_wants_idmaps(const struct spec *s);
/** rootfs_idmaps() - Map the ids of those trees that want it, before anybody sees them. Context: host. */
int rootfs_idmaps(const struct idmapping *c, struct err *e);
/** rootfs_idmap_array() - Maps of the spec as the kernel's extents. Return: 0 or -ENOMEM. */
int rootfs_idmap_array(const struct objv *v, struct arena *a, struct idmap **out);
/** rootfs_begin() - Propagation of "/", then the root as a mount of its own; sets r->rootfd. */
int rootfs_begin(struct rootfs *r, const struct spec *s, struct err *e);
/**
 * rootfs_mounts() - All of s->mounts in order.
 * @before: called before a file system of @type is mounted (but for binds): of cgroups the process must be in its
 *          cgroup (and cgroup namespace) by then, for what shows the network in its network namespace.
 */
int rootfs_mounts(struct rootfs *r, const struct spec *s,
		  int (*before)(void *arg, const char *type, struct err *e), void *arg, struct err *e);
/** rootfs_devices() - Default and listed device nodes, links, ptmx. */
int rootfs_devices(struct rootfs *r, const struct spec *s, struct err *e);
/** rootfs_masks() - readonlyPaths, then maskedPaths. */
int rootfs_masks(struct rootfs *r, const struct spec *s, struct err *e);
/** rootfs_readonly() - Late read-only mounts, then the root itself. */
int rootfs_readonly(struct rootfs *r, const struct spec *s, struct err *e);
/** rootfs_pivot() - pivot_root (or move and chroot), detach the host's tree; cwd is "/" after it. */
int rootfs_pivot(struct rootfs *r, const struct spec *s, struct err *e);

/* ---- inside rootfs/ ---- */
/** rootfs_cgroup_mount() - A mount of type cgroup or cgroup2 at @target. */
int rootfs_cgroup_mount(struct rootfs *r, const struct spec_mount *m, const struct mount_options *o,
			int target, const char *where, struct err *e);
/** rootfs_copy_up() - Copy the directory @from (fd) into the fresh tmpfs @to (fd). Return: 0 or -errno. */
int rootfs_copy_up(int from, int to);
/** rootfs_drop_dev() - What is made in /dev from now on is looked up from the root again. */
void rootfs_drop_dev(struct rootfs *r);
/** rootfs_late_ro() - Turn the mount of @fd (taken) read-only at the end. */
int rootfs_late_ro(struct rootfs *r, int fd, struct err *e);
#endif

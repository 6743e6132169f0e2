/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts of type cgroup and cgroup2. */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "text.h"

/*
 * Where a hierarchy goes: the directory @fd; -1: the directory @name that was made in @at, a tmpfs which nobody but us
 * has seen yet. To find what was mounted on it by the old calls, @at and @name are always given.
 */
struct spot { int fd, at; const char *name; };

static int spot_attach(int mount, const struct spot *s)
{
	return s->fd >= 0 ? mnt_attach(mount, s->fd) :
			    sysx_move_mount(mount, "", s->at, s->name, MOVE_MOUNT_F_EMPTY_PATH);
}

/* @own: takes what must be closed. */
static int spot_open(const struct spot *s, int *own)
{
	if (s->fd >= 0)
		return s->fd;
	*own = openat(s->at, s->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *own < 0 ? -errno : *own;
}

static int spot_new(struct rootfs *r, const struct mnt_fs *f, const struct spot *s)
{
	auto_fd own = -1;
	int target = spot_open(s, &own);

	return target < 0 ? target : mnt_new(&r->mnt, f, target, NULL);
}

static int bind_own_old(struct rootfs *r, const char *full, const struct spot *s, int *mount)
{
	auto_fd from = openat(AT_FDCWD, full, O_PATH | O_DIRECTORY | O_CLOEXEC), own = -1;
	int target = spot_open(s, &own), q = from < 0 ? -errno : target;

	if (q >= 0)
		q = mnt_bind(&r->mnt, from, false, false, target, NULL);
	if (q < 0)
		return q;
	*mount = openat(s->at, s->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return *mount < 0 ? -errno : 0;
}

/* Bind the cgroup @path of a hierarchy. Its name is looked up once, by the call that clones its mount. */
static int bind_own(struct rootfs *r, const struct cg_hierarchy *h, const char *path, unsigned long flags,
		    const struct spot *s)
{
	char full[PATH_MAX];
	auto_fd own = -1, mount = -1;
	int q = text_join(full, sizeof(full), h->mountpoint, path);

	if (q < 0)
		return q;
	own = r->mnt.old_api ? -ENOSYS : mnt_clone(AT_FDCWD, full, false);
	if (own < 0 && own != -ENOSYS)
		return own;
	if (own >= 0) {
		q = spot_attach(own, s);
		mount = take_fd(&own);
	} else {
		r->mnt.old_api = true;
		q = bind_own_old(r, full, s, &mount);
	}
	if (!q && mnt_attr_of(flags))
		q = mnt_setattr(&r->mnt, mount, mnt_attr_of(flags), 0, false);
	return q;
}

/*
 * Without a cgroup namespace the container sees the host's tree, and a bind shows it: mounting cgroup2 anew
 * from the initial namespace waits for an RCU grace period on newer kernels (6.17: 5 to 15 ms).
 */
static int mount_unified(struct rootfs *r, const struct cg_hierarchy *h, unsigned long flags,
			 const struct spot *s)
{
	const struct mnt_fs f = { "cgroup2", "cgroup", flags, NULL };
	int q = r->new_cgroupns ? spot_new(r, &f, s) : -EPERM;

	if (q != -EPERM && q != -EBUSY)
		return q;
	return bind_own(r, h, r->new_cgroupns ? r->cgroup : "", flags, s);
}

/* Words of a v1 mount: its controllers, or "none,name=...". */
static int v1_words(struct rootfs *r, const struct cg_hierarchy *h, struct strv *out)
{
	const char *p = h->controllers;
	size_t n = 0;

	out->v = arena_alloc(r->arena, 16 * sizeof(*out->v));
	if (!out->v)
		return -ENOMEM;
	if (!strncmp(p, "name=", 5))
		out->v[n++] = "none";
	while (*p && n < 16) {
		size_t len = strcspn(p, ",");

		out->v[n] = arena_strndup(r->arena, p, len);
		if (!out->v[n++])
			return -ENOMEM;
		p += len;
		p += *p == ',';
	}
	out->n = n;
	return 0;
}

static int mount_v1_one(struct rootfs *r, const struct cg_hierarchy *h, unsigned long flags,
			const struct spot *s)
{
	struct mnt_fs f = { "cgroup", "cgroup", flags, NULL };
	struct strv words;
	int q;

	/* On a hybrid host the container is in no v2 cgroup of its own: what is shown is the host's, to look at. */
	if (h->v2)
		return mount_unified(r, h, flags | (r->new_cgroupns ? 0 : MS_RDONLY), s);
	if (r->new_cgroupns) {
		q = v1_words(r, h, &words);
		if (q)
			return q;
		f.data = &words;
		return spot_new(r, &f, s);
	}
	return bind_own(r, h, r->cgroup, flags, s);
}

/* "cpu,cpuacct" is also reachable as cpu and as cpuacct. */
static int link_names(int dir, const char *name)
{
	const char *p = name;
	char one[NAME_MAX + 1];

	if (!strchr(name, ','))
		return 0;
	while (*p) {
		size_t n = strcspn(p, ",");

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(one, p, n);
		one[n] = 0;
		if (symlinkat(name, dir, one) && errno != EEXIST)
			return -errno;
		p += n;
		p += *p == ',';
	}
	return 0;
}

static int mount_v1(struct rootfs *r, const struct spec_mount *m, const struct mount_options *o, int target,
		    const char *where, struct err *e)
{
	static const char *const words[] = { "mode=755" };
	const struct strv data = { (const char **)(uintptr_t)words, 1 };
	const struct mnt_fs f = { "tmpfs", "tmpfs", o->flags & ~(unsigned long)MS_RDONLY, &data };
	auto_fd top = -1;
	size_t i;
	int q;

	q = mnt_new(&r->mnt, &f, target, &top);
	if (!q && top < 0)
		top = path_open_in_root(r->rootfd, m->destination, O_PATH);
	if (q || top < 0)
		return err_set(e, ERR_KERNEL, q ? q : top, where, "mount a tmpfs for the cgroup hierarchies");
	for (i = 0; i < r->cg_host->n; i++) {
		const struct cg_hierarchy *h = &r->cg_host->h[i];
		const char *name = strrchr(h->mountpoint, '/') + 1;
		const struct spot spot = { -1, top, name };

		q = mkdirat(top, name, 0755) ? -errno : mount_v1_one(r, h, o->flags, &spot);
		if (!q)
			q = link_names(top, name);
		if (q)
			return err_set(e, q == -EPERM ? ERR_DENIED : ERR_KERNEL, q, where,
				       "mount the cgroup hierarchy \"%s\"", name);
	}
	return o->flags & MS_RDONLY ? rootfs_late_ro(r, take_fd(&top), e) : 0;
}

/* Without a cgroup of its own and a namespace to hide them, the container would be shown those of its caller. */
static int mask(struct rootfs *r, int target, const char *where, struct err *e)
{
	static const char *const words[] = { "nr_blocks=1", "nr_inodes=1", "mode=0755" };
	const struct strv data = { (const char **)(uintptr_t)words, 3 };
	const struct mnt_fs f = { "tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, &data };
	int q = mnt_new(&r->mnt, &f, target, NULL);

	return q ? err_set(e, ERR_KERNEL, q, where, "mask the cgroup hierarchies") : 0;
}

int rootfs_cgroup_mount(struct rootfs *r, const struct spec_mount *m, const struct mount_options *o,
			int target, const char *where, struct err *e)
{
	struct mount_options own = *o;
	struct spot spot;
	int q;

	if (r->cg_host->mode == CG_MODE_NONE)
		return err_set(e, ERR_UNSUPPORTED, 0, where, "this host has no cgroup hierarchy to mount");
	if (!r->cgroup[0] && !r->new_cgroupns)
		return mask(r, target, where, e);
	/* The root of its cgroup namespace is then the cgroup of whoever made it. */
	if (!r->cgroup[0])
		own.flags |= MS_RDONLY;
	o = &own;
	if (r->cg_host->mode != CG_MODE_V2)
		return mount_v1(r, m, o, target, where, e);
	spot = (struct spot){ target, r->rootfd, m->destination + strspn(m->destination, "/") };
	q = mount_unified(r, &r->cg_host->h[r->cg_host->n - 1], o->flags, &spot);
	return q ? err_set(e, q == -EPERM ? ERR_DENIED : ERR_KERNEL, q, where, "mount the cgroup2 hierarchy") : 0;
}

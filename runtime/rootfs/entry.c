/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The spec's mounts, one after the other. Targets are resolved inside the root
 * by fd (rule D1) and mounted on by fd (D2); nothing is looked up twice by name.
 */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "text.h"

struct entry {
	const struct spec_mount *m;
	struct mount_options o;
	char where[48];		/* "/mounts/N" */
	size_t index;
	const char *type;	/* never NULL */
	bool bind;
};

int rootfs_late_ro(struct rootfs *r, int fd, struct err *e)
{
	int *v = arena_grow(r->arena, r->late_ro, r->n_late_ro * sizeof(*v),
			    (r->n_late_ro + 1) * sizeof(*v));

	if (!v) {
		fd_close(&fd);
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "read-only mounts");
	}
	r->late_ro = v;
	v[r->n_late_ro++] = fd;
	return 0;
}

/* O_PATH fd of a bind's source; relative ones are relative to the bundle. */
static int open_source(const char *source, const char *bundle, bool nofollow)
{
	char full[PATH_MAX];
	int fd, n = text_join(full, sizeof(full), source[0] == '/' ? NULL : bundle, "/", source);

	if (n < 0)
		return n;
	fd = openat(AT_FDCWD, full, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0));
	return fd < 0 ? -errno : fd;
}

/* Detached, recursive, and a slave: what the container mounts must not reach the host. */
static int clone_slave(int fd, bool recursive)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };
	int tree = mnt_clone(fd, "", recursive), r;

	if (tree < 0)
		return tree;
	r = sysx_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0 && r != -ENOSYS) {	/* below 5.12 it is made one as soon as it is attached */
		fd_close(&tree);
		return r;
	}
	return tree;
}

int rootfs_tree(int dirfd)
{
	return clone_slave(dirfd, true);
}

static bool is_link(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISLNK(st.st_mode);
}

int rootfs_sources(const struct spec *s, const char *bundle, bool all, struct arena *a, int **out,
		   struct err *e)
{
	const struct spec_mount *m = s->mounts.v;
	int *v = arena_alloc(a, (s->mounts.n + 1) * sizeof(*v));
	size_t i;

	if (!v)
		return err_set(e, ERR_LIMIT, -ENOMEM, "/mounts", "bind sources");
	for (i = 0; i < s->mounts.n; i++) {
		struct mount_options o;
		auto_fd fd = -1;
		char where[48];
		bool mapped;
		int r;

		v[i] = -1;
		text_join(where, sizeof(where), "/mounts/", text_num(i));
		r = mount_options_parse(&m[i].options, a, &o, where, e);
		if (r)
			return r;
		mapped = o.idmap || o.ridmap || m[i].uid_mappings.n;
		if (!o.bind || o.remount || !m[i].source || !(all || mapped))
			continue;
		fd = open_source(m[i].source, bundle, o.src_nofollow || o.copy_symlink);
		if (fd < 0)
			return err_set(e, ERR_SPEC, fd, where, "bind source \"%s\"", m[i].source);
		if (o.copy_symlink && is_link(fd)) {
			v[i] = take_fd(&fd);	/* nothing to mount: only read */
			continue;
		}
		/*
		 * Recursive even for a plain bind: a mount namespace of another user may not see below a mount.
		 * What is id-mapped is what was named, and no more.
		 */
		v[i] = clone_slave(fd, !mapped || o.rbind);
		if (v[i] < 0 && v[i] != -ENOSYS)
			return err_set(e, ERR_KERNEL, v[i], where, "clone the mount of \"%s\"",
				       m[i].source);
	}
	*out = v;
	return 0;
}

/* Files of /proc that lxcfs and the like may cover; anything else there would be a fake procfs. */
static bool allowed_below_proc(const char *path)
{
	static const char *const ok[] = {
		"cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo",
		"sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
	};
	size_t i;

	for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
		if (!strcmp(path, ok[i]))
			return true;
	return false;
}

/* @source: O_PATH fd of a bind's source, or -1. */
static int check_proc(struct rootfs *r, const struct entry *en, int source, struct err *e)
{
	char clean[PATH_MAX];
	struct statfs sfs;
	struct stat st;

	if (path_clean(en->m->destination, clean, sizeof(clean)))
		return err_set(e, ERR_SPEC, -ENAMETOOLONG, en->where, "destination");
	if (strncmp(clean, "/proc", 5) || (clean[5] && clean[5] != '/'))
		return 0;
	if (clean[5])
		return allowed_below_proc(clean + 6) ?
			       0 :
			       err_set(e, ERR_SPEC, -EINVAL, en->where,
				       "\"%s\" is inside of /proc and may not be mounted on",
				       en->m->destination);
	if (!en->bind && !strcmp(en->type, "proc"))
		return 0;
	if (en->bind && source >= 0 && !fstatfs(source, &sfs) && sfs.f_type == PROC_SUPER_MAGIC) {
		if (!fstat(source, &st) && st.st_ino != 1)
			r->warn(r->arg, "the source bound to /proc is not the root of a procfs");
		return 0;
	}
	return err_set(e, ERR_SPEC, -EINVAL, en->where,
		       "only a proc file system may be mounted on /proc, not \"%s\"",
		       en->bind ? en->m->source : en->type);
}

/*
 * The directory that proc or sysfs goes on. A link there would put the one trusted file system somewhere
 * else, so the fd that was looked at is the fd that is mounted on.
 */
static int make_plain_target(struct rootfs *r, const struct entry *en, struct stat *st, struct err *e)
{
	const char *dest = en->m->destination;
	auto_fd parent = -1, fd = path_open_in_root(r->rootfd, dest, O_PATH | O_NOFOLLOW);
	char last[NAME_MAX + 1];

	if (fd == -ENOENT) {
		parent = path_parent_in_root(r->rootfd, dest, last);
		if (parent >= 0 && (!mkdirat(parent, last, 0755) || errno == EEXIST)) {
			fd = openat(parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			if (fd < 0)
				fd = -errno;
		} else {
			fd = parent < 0 ? parent : -errno;
		}
	}
	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, en->where, "make mountpoint \"%s\"", dest);
	if (fstat(fd, st) || !S_ISDIR(st->st_mode))
		return err_set(e, ERR_SPEC, -ENOTDIR, en->where,
			       "%s must be mounted on an ordinary directory, \"%s\" is none",
			       en->type, dest);
	return take_fd(&fd);
}

/* Is @fd in a procfs that the destination's text does not name? A link of the image led there. */
static bool is_hidden_proc(const struct entry *en, int fd)
{
	char clean[PATH_MAX];
	struct statfs sfs;

	return !fstatfs(fd, &sfs) && sfs.f_type == PROC_SUPER_MAGIC &&
	       (path_clean(en->m->destination, clean, sizeof(clean)) ||
		strncmp(clean, "/proc", 5) || (clean[5] && clean[5] != '/'));
}

void rootfs_drop_dev(struct rootfs *r)
{
	if (r->dev_kept)
		fd_close(&r->devfd);
	r->dev_kept = false;
}

/* NAME of "/dev/NAME"; NULL: it is elsewhere, or deeper. */
static const char *below_dev(const char *dest)
{
	const char *name = dest + 5;

	return strncmp(dest, "/dev/", 5) || !*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ?
		NULL : name;
}

/*
 * A directory right in the tmpfs that we have just put on /dev is made there, without a walk from the root. Anything
 * unusual, a link say, is left to that walk.
 */
static int make_in_dev(struct rootfs *r, const char *dest)
{
	const char *name = r->dev_kept ? below_dev(dest) : NULL;
	int fd = -1;

	if (name && (!mkdirat(r->devfd, name, 0755) || errno == EEXIST))
		fd = openat(r->devfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : path_mkdir_in_root(r->rootfd, dest, 0755);
}

/*
 * Keep the tmpfs mounted on /dev for what is made in it. Only if /dev is a directory of the root itself: then it
 * leads there until something is mounted on that very tmpfs, which make_target() sees.
 */
static void keep_dev(struct rootfs *r, const struct entry *en, int *mount)
{
	auto_fd plain = -1;
	struct stat st, there;

	if (strcmp(en->m->destination, "/dev") || *mount < 0 || fstat(*mount, &st))
		return;
	plain = openat(r->rootfd, "dev", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (plain < 0 || fstat(plain, &there) || there.st_dev != st.st_dev || there.st_ino != st.st_ino)
		return;
	r->dev_dev = st.st_dev;
	r->dev_ino = st.st_ino;
	rootfs_drop_dev(r);
	r->devfd = take_fd(mount);
	r->dev_kept = true;
}

/* The destination's directory or file, made when missing. @st: what it is. Return: O_PATH fd or -errno with @e set. */
static int make_target(struct rootfs *r, const struct entry *en, bool file, struct stat *st, struct err *e)
{
	bool plain = !en->bind && (!strcmp(en->type, "proc") || !strcmp(en->type, "sysfs"));
	const char *dest = en->m->destination;
	auto_fd fd = -1;

	if (en->o.dest_nofollow) {
		fd = path_open_in_root(r->rootfd, dest, O_PATH | O_NOFOLLOW);
		if (fd >= 0 && is_link(fd))
			return err_set(e, ERR_SPEC, -ELOOP, en->where,
				       "destination \"%s\" is a symbolic link", dest);
		fd_close(&fd);
	}
	fd = plain ? make_plain_target(r, en, st, e) :
	     file  ? path_touch_in_root(r->rootfd, dest, 0644) :
		     make_in_dev(r, dest);
	if (fd < 0 && plain)
		return fd;
	if (fd < 0 || (!plain && fstat(fd, st)))
		return err_set(e, ERR_SPEC, fd < 0 ? fd : -errno, en->where, "make mountpoint \"%s\"", dest);
	if (r->dev_kept && st->st_dev == r->dev_dev && st->st_ino == r->dev_ino)
		rootfs_drop_dev(r);
	if (st->st_dev == r->dev && st->st_ino == r->ino)
		return err_set(e, ERR_SPEC, -EINVAL, en->where,
			       "destination \"%s\" is the root file system itself", dest);
	if (is_hidden_proc(en, fd))
		return err_set(e, ERR_SPEC, -EINVAL, en->where,
			       "destination \"%s\" leads into /proc, where nothing may be mounted",
			       dest);
	if (file && S_ISDIR(st->st_mode))
		return err_set(e, ERR_SPEC, -EISDIR, en->where,
			       "a file cannot be mounted on the directory \"%s\"", dest);
	return take_fd(&fd);
}

/* Fd of the mount that was just made: as given, or looked up again on kernels with the old calls only. */
static int top_of(struct rootfs *r, const struct entry *en, int *fd, struct err *e)
{
	if (*fd < 0)
		*fd = path_open_in_root(r->rootfd, en->m->destination, O_PATH);
	return *fd < 0 ? err_set(e, ERR_KERNEL, *fd, en->where, "open mounted \"%s\"",
				 en->m->destination) :
			 0;
}

/*
 * Flags of a bind: runc sets exactly what is given, so flags of the source that are not named go away,
 * unless the kernel has them locked (user namespace), when they are kept; a locked flag that the caller
 * clears by name is an error.
 */
static int bind_flags(struct rootfs *r, const struct entry *en, int mount, struct err *e)
{
	const uint64_t plain = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       MOUNT_ATTR_NOEXEC;
	unsigned long given = en->o.flags & MNT_PER_MOUNT, has;
	uint64_t set = mnt_attr_of(given), clear;
	int q;

	if (!given && !(en->o.clear & MNT_PER_MOUNT))
		return 0;
	clear = plain & ~set;
	if (en->o.clear & MS_NODIRATIME)
		clear |= MOUNT_ATTR_NODIRATIME;
	if (given & MS_RELATIME)
		clear |= MOUNT_ATTR__ATIME;
	q = mnt_setattr(&r->mnt, mount, set, clear, false);
	if (q == -EPERM) {
		has = mnt_flags_of(mount);
		if (has & en->o.clear & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC))
			return err_set(
				e, ERR_DENIED, -EPERM, en->where,
				"a flag of \"%s\" is locked and cannot be cleared in a user namespace",
				en->m->source);
		q = mnt_setattr(&r->mnt, mount, set, clear & ~mnt_attr_of(has), false);
	}
	return q ? err_set(e, q == -EPERM ? ERR_DENIED : ERR_KERNEL, q, en->where,
			   "set mount flags of \"%s\"", en->m->destination) :
		   0;
}

static int recursive_flags(struct rootfs *r, const struct entry *en, int mount, struct err *e)
{
	int q;

	if (!en->o.rec_set && !en->o.rec_clear)
		return 0;
	q = mnt_setattr(&r->mnt, mount, en->o.rec_set, en->o.rec_clear, true);
	return q ? err_set(e, q == -ENOSYS ? ERR_UNSUPPORTED : ERR_KERNEL, q, en->where,
			   "set recursive mount flags of \"%s\"", en->m->destination) : 0;
}

static int propagation(struct rootfs *r, const struct entry *en, int mount, struct err *e)
{
	unsigned int i;
	int q;

	for (i = 0; i < en->o.n_propagation; i++) {
		q = mnt_propagation(&r->mnt, mount, en->o.propagation[i]);
		if (q)
			return err_set(e, ERR_KERNEL, q, en->where, "set propagation of \"%s\"",
				       en->m->destination);
	}
	return 0;
}

static int finish(struct rootfs *r, const struct entry *en, int *mount, bool late_ro, struct err *e)
{
	int q = 0;

	if (late_ro || en->o.rec_set || en->o.rec_clear || en->o.n_propagation)
		q = top_of(r, en, mount, e);
	if (!q)
		q = recursive_flags(r, en, *mount, e);
	if (!q)
		q = propagation(r, en, *mount, e);
	if (!q && late_ro)
		q = rootfs_late_ro(r, take_fd(mount), e);
	return q;
}

/* "copy-symlink": a link is made anew in the container, where it may lead elsewhere. */
static int copy_link(struct rootfs *r, const struct entry *en, int source, struct err *e)
{
	char to[PATH_MAX], last[NAME_MAX + 1], *there;
	ssize_t n = readlinkat(source, "", to, sizeof(to) - 1), m;
	auto_fd parent = -1;

	if (n < 0)
		return err_set(e, ERR_KERNEL, -errno, en->where, "read the link \"%s\"", en->m->source);
	to[n] = 0;
	parent = path_parent_in_root(r->rootfd, en->m->destination, last);
	if (parent < 0)
		return err_set(e, ERR_SPEC, parent, en->where, "make the directory of \"%s\"", en->m->destination);
	if (!symlinkat(to, parent, last))
		return 0;
	if (errno != EEXIST)
		return err_set(e, ERR_KERNEL, -errno, en->where, "make the link \"%s\"", en->m->destination);
	there = arena_alloc(r->arena, PATH_MAX);
	m = there ? readlinkat(parent, last, there, PATH_MAX) : -1;
	return m == n && !memcmp(to, there, (size_t)n) ? 0 :
		err_set(e, ERR_SPEC, -EEXIST, en->where, "\"%s\" is there and is no link to \"%.200s\"",
			en->m->destination, to);
}

/*
 * The host's /sys shown read-only, in a user namespace that may not mount one of its own: without the rest of
 * the tree, /sys/fs/cgroup in it would stay writable for whom it belongs to (CVE-2023-25809).
 */
static int readonly_sys(struct rootfs *r, const struct entry *en, int mount, struct err *e)
{
	struct statfs sfs;
	int q;

	if (!r->userns || !en->o.rbind || !(en->o.flags & MS_RDONLY) || fstatfs(mount, &sfs) ||
	    sfs.f_type != SYSFS_MAGIC)
		return 0;
	q = mnt_setattr(&r->mnt, mount, MOUNT_ATTR_RDONLY, 0, true);
	return q && q != -ENOSYS ? err_set(e, ERR_KERNEL, q, en->where, "make \"%s\" read-only",
					   en->m->destination) : 0;
}

static int mount_bind(struct rootfs *r, const struct entry *en, struct err *e)
{
	bool detached = r->sources && r->sources[en->index] >= 0, rec = en->o.rbind;
	auto_fd source = -1, target = -1, mount = -1;
	struct stat st, now;
	bool again;
	int q;

	if (!en->m->source)
		return err_set(e, ERR_SPEC, -EINVAL, en->where, "a bind mount needs a source");
	source = detached ? take_fd(&r->sources[en->index]) :
		open_source(en->m->source, r->bundle, en->o.src_nofollow || en->o.copy_symlink);
	if (source < 0)
		return err_set(e, ERR_SPEC, source, en->where, "bind source \"%s\"", en->m->source);
	if (fstat(source, &st))
		return err_set(e, ERR_KERNEL, -errno, en->where, "bind source \"%s\"",
			       en->m->source);
	q = check_proc(r, en, source, e);
	if (q)
		return q;
	if (en->o.copy_symlink && S_ISLNK(st.st_mode))
		return copy_link(r, en, source, e);
	target = make_target(r, en, !S_ISDIR(st.st_mode), &now, e);
	if (target < 0)
		return target;
	q = mnt_bind(&r->mnt, source, detached, rec, target, &mount);
	/* What is mounted below it is locked in a user namespace, and may be shown only together with it. */
	if (q == -EINVAL && r->userns && !detached && !rec)
		q = mnt_bind(&r->mnt, source, false, true, target, &mount);
	if (q)
		return err_set(e, q == -EPERM ? ERR_DENIED : ERR_KERNEL, q, en->where,
			       "bind \"%s\" to \"%s\"", en->m->source, en->m->destination);
	/* A bind keeps the propagation of what it copies; the host's own tree (below 5.12) is no slave yet. */
	again = mount < 0;
	if (again && S_ISLNK(st.st_mode))	/* a link that was mounted itself: it is not to be followed */
		mount = path_open_in_root(r->rootfd, en->m->destination, O_PATH | O_NOFOLLOW);
	q = top_of(r, en, &mount, e);
	/* The name may lead elsewhere by now: flags and propagation are for what was bound, nothing else. */
	if (!q && again &&
	    (fstat(mount, &now) || now.st_dev != st.st_dev || now.st_ino != st.st_ino))
		return err_set(e, ERR_KERNEL, -ESTALE, en->where,
			       "\"%s\" changed while it was mounted on", en->m->destination);
	if (!q && detached && (q = mnt_propagation(&r->mnt, mount, MS_SLAVE | MS_REC)))
		return err_set(e, ERR_KERNEL, q, en->where, "make \"%s\" a slave mount",
			       en->m->destination);
	if (!q)
		q = bind_flags(r, en, mount, e);
	if (!q)
		q = readonly_sys(r, en, mount, e);
	return q ? q : finish(r, en, &mount, false, e);
}

static int explain(const struct entry *en, const struct rootfs *r, int q, struct err *e)
{
	const char *label = r->mnt.context;

	if (q == -EPERM && !strcmp(en->type, "proc"))
		return err_set(
			e, ERR_DENIED, q, en->where,
			"mount proc in a user namespace (the host's own /proc is partly covered, which the kernel refuses)");
	if (q == -ENODEV)
		return err_set(e, ERR_UNSUPPORTED, q, en->where,
			       "file system type \"%s\" is not known to this kernel", en->type);
	return err_set(e,
		       q == -EPERM  ? ERR_DENIED :
		       q == -EINVAL ? ERR_SPEC :
				      ERR_KERNEL,
		       q, en->where, "mount \"%s\" (type %s, options \"%s\"%s%s%s)", en->m->destination,
		       en->type, en->o.data_text, label ? ", by /linux/mountLabel \"" : "", label ? label : "",
		       label ? "\"" : "");
}

/* sysfs belongs to the network namespace: without rights over it, the host's is shown read-only. */
static int bind_host_sys(struct rootfs *r, const struct entry *en, int target, struct err *e)
{
	auto_fd sys = openat(AT_FDCWD, "/sys", O_PATH | O_DIRECTORY | O_CLOEXEC), mount = -1;
	int q = sys < 0 ? -errno : mnt_bind(&r->mnt, sys, false, true, target, &mount);

	if (!q)
		q = top_of(r, en, &mount, e);
	if (!q)
		q = mnt_setattr(&r->mnt, mount, MOUNT_ATTR_RDONLY, 0, true);
	if (q == -ENOSYS)
		q = mnt_setattr(&r->mnt, mount, MOUNT_ATTR_RDONLY, 0, false);
	return q ? err_set(e, ERR_KERNEL, q, en->where, "bind the host's /sys") : 0;
}

static int mount_fs(struct rootfs *r, struct entry *en, struct err *e)
{
	bool tmpfs = !strcmp(en->type, "tmpfs"), late_ro = tmpfs && (en->o.flags & MS_RDONLY),
	     has_mode = false;
	struct mnt_fs f = { en->type, en->m->source, en->o.flags, &en->o.data };
	auto_fd target = -1, mount = -1;
	struct strv data;
	struct stat st;
	size_t i;
	int q = check_proc(r, en, -1, e);

	if (q)
		return q;
	target = make_target(r, en, false, &st, e);
	if (target < 0)
		return target;
	if (tmpfs) {
		for (i = 0; i < en->o.data.n; i++)
			has_mode |= !strncmp(en->o.data.v[i], "mode=", 5) || strstr(en->o.data.v[i], ",mode=");
		/* A tmpfs over an existing directory looks like it. */
		if (!has_mode) {
			data.v = arena_alloc(r->arena, (en->o.data.n + 1) * sizeof(*data.v));
			if (!data.v)
				return err_set(e, ERR_LIMIT, -ENOMEM, en->where, "tmpfs options");
			for (i = 0; i < en->o.data.n; i++)
				data.v[i] = en->o.data.v[i];
			data.v[i] = arena_printf(r->arena, "mode=%04o", st.st_mode & 07777);
			data.n = i + 1;
			f.data = &data;
		}
		f.flags &= ~(unsigned long)MS_RDONLY;
	}
	q = mnt_new(&r->mnt, &f, target, &mount);
	if (q == -EPERM && !strcmp(en->type, "sysfs"))
		return bind_host_sys(r, en, target, e);
	if (q)
		return explain(en, r, q, e);
	if (tmpfs && en->o.tmpcopyup) {
		q = top_of(r, en, &mount, e);
		if (q)
			return q;
		q = rootfs_copy_up(target, mount);
		if (q)
			return err_set(e, ERR_KERNEL, q, en->where, "copy \"%s\" up into the tmpfs",
				       en->m->destination);
	}
	q = finish(r, en, &mount, late_ro, e);
	if (!q && tmpfs)
		keep_dev(r, en, &mount);
	return q;
}

static int mount_cgroup(struct rootfs *r, const struct entry *en, struct err *e)
{
	auto_fd target = -1, mount = -1;
	struct stat st;
	int q = check_proc(r, en, -1, e);

	if (q)
		return q;
	target = make_target(r, en, false, &st, e);
	if (target < 0)
		return target;
	q = rootfs_cgroup_mount(r, en->m, &en->o, target, en->where, e);
	return q ? q : finish(r, en, &mount, false, e);
}

/* "remount": change flags of what is mounted at the destination already. */
static int mount_again(struct rootfs *r, const struct entry *en, struct err *e)
{
	auto_fd fd = path_open_in_root(r->rootfd, en->m->destination, O_PATH);
	int q;

	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, en->where, "remount \"%s\"", en->m->destination);
	q = bind_flags(r, en, fd, e);
	if (!q)
		q = recursive_flags(r, en, fd, e);
	return q ? q : propagation(r, en, fd, e);
}

static __attribute__((noinline)) bool is_dev(const char *destination)
{
	char clean[PATH_MAX];

	return !path_clean(destination, clean, sizeof(clean)) && !strcmp(clean, "/dev");
}

static int mount_new(struct rootfs *r, struct entry *en, struct err *e)
{
	if (!strcmp(en->type, "cgroup") || !strcmp(en->type, "cgroup2"))
		return mount_cgroup(r, en, e);
	return mount_fs(r, en, e);
}

int rootfs_mounts(struct rootfs *r, const struct spec *s,
		  int (*before)(void *arg, const char *type, struct err *e), void *arg, struct err *e)
{
	const struct spec_mount *m = s->mounts.v;
	size_t i;
	int q = 0;

	for (i = 0; i < s->mounts.n && !q; i++) {
		struct entry en = { .m = &m[i], .index = i, .type = m[i].type ? m[i].type : "" };

		text_join(en.where, sizeof(en.where), "/mounts/", text_num(i));
		q = mount_options_parse(&m[i].options, r->arena, &en.o, en.where, e);
		if (q)
			break;
		en.bind = en.o.bind || en.o.rbind;
		r->dev_is_bind |= en.bind && is_dev(m[i].destination);
		if (en.o.remount)
			q = mount_again(r, &en, e);
		else if (en.bind)
			q = mount_bind(r, &en, e);
		else if (!en.type[0])
			q = err_set(e, ERR_SPEC, -EINVAL, en.where, "mount \"%s\" has no type",
				    m[i].destination);
		else
			q = (q = before(arg, en.type, e)) ? q : mount_new(r, &en, e);
	}
	return q;
}

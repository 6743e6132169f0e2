/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts by fd, with the old calls behind the same functions. */
#include "mount_api.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "arena.h"
#include "fd.h"

/* Per-mount bits of the two APIs. */
static const struct { unsigned long ms, excludes; uint64_t attr; } attr_map[] = {
	{ MS_RDONLY, 0, MOUNT_ATTR_RDONLY }, { MS_NOSUID, 0, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, 0, MOUNT_ATTR_NODEV }, { MS_NOEXEC, 0, MOUNT_ATTR_NOEXEC },
	{ MS_NOATIME, MS_RELATIME, MOUNT_ATTR_NOATIME },
	{ MS_STRICTATIME, MS_RELATIME, MOUNT_ATTR_STRICTATIME },
	{ MS_NODIRATIME, 0, MOUNT_ATTR_NODIRATIME },
	{ MS_NOSYMFOLLOW, 0, 0x00200000 /* MOUNT_ATTR_NOSYMFOLLOW, 5.14 */ },
};

uint64_t mnt_attr_of(unsigned long flags)
{
	uint64_t attr = 0;
	size_t i;

	for (i = 0; i < sizeof(attr_map) / sizeof(attr_map[0]); i++)
		if (flags & attr_map[i].ms)
			attr |= attr_map[i].attr;
	return attr;
}

unsigned long mnt_flags_of(int fd)
{
	static const struct { unsigned long st, ms; } map[] = {
		{ ST_RDONLY, MS_RDONLY }, { ST_NOSUID, MS_NOSUID }, { ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC }, { ST_NOATIME, MS_NOATIME }, { ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	unsigned long flags = 0;
	struct statvfs st;
	size_t i;

	if (fstatvfs(fd, &st))
		return 0;
	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (st.f_flag & map[i].st)
			flags |= map[i].ms;
	return flags;
}

/* Super block flags that fsconfig knows by name; the rest of MS_* is per mount. */
static int config_flags(int fs, unsigned long flags)
{
	static const struct { unsigned long ms; const char *word; } map[] = {
		{ MS_RDONLY, "ro" }, { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
		{ MS_LAZYTIME, "lazytime" }, { MS_MANDLOCK, "mand" },
	};
	size_t i;
	int r;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (!(flags & map[i].ms))
			continue;
		r = sysx_fsconfig(fs, FSCONFIG_SET_FLAG, map[i].word, NULL, 0);
		if (r < 0 && r != -EINVAL)
			return r;
	}
	return 0;
}

/* "context=LABEL" and its like. A label may have commas, so callers write it as "context=\"LABEL\"" for mount(2). */
static bool is_label(const char *word)
{
	static const char *const kinds[] = { "context=", "fscontext=", "defcontext=", "rootcontext=" };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(word, kinds[i], strlen(kinds[i])))
			return true;
	return false;
}

/* Do the options of a mount say a label, one of the words or one of the many in a word? */
static bool has_label(const struct strv *data)
{
	const char *p;
	size_t i;

	for (i = 0; data && i < data->n; i++)
		for (p = data->v[i]; p; p = strchr(p, ','), p += p ? 1 : 0)
			if (is_label(p))
				return true;
	return false;
}

static int config_word(int fs, const char *word)
{
	const char *eq = strchr(word, '=');
	bool label = is_label(word);
	char key[256], value[256];
	size_t n, len;

	/* Of many options in one word only mount(2) makes sense. */
	if (!label && strchr(word, ','))
		return -E2BIG;
	if (!eq)
		return sysx_fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0);
	n = (size_t)(eq++ - word);
	len = strlen(eq);
	if (label && len > 1 && eq[0] == '"' && eq[len - 1] == '"') {
		eq++;
		len -= 2;
	}
	if (n >= sizeof(key) || len >= sizeof(value))
		return -E2BIG;	/* fsconfig takes 256 bytes; mount(2) takes a page */
	memcpy(key, word, n);
	key[n] = 0;
	memcpy(value, eq, len);
	value[len] = 0;
	return sysx_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* File systems of which the policy alone says how they are labelled. */
static bool labelled_by_policy(const char *type)
{
	static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2" };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/*
 * The word with the label, if @f takes it and has none of its own. A message queue's root takes the label,
 * but not the option.
 */
static const char *context_of(const struct mnt_env *m, const struct mnt_fs *f)
{
	return m->context && !labelled_by_policy(f->type) && strcmp(f->type, "mqueue") && !has_label(f->data) ?
		m->context : NULL;
}

static int label_root(const struct mnt_env *m, const struct mnt_fs *f, int mount)
{
	const char *label = m->context && !strcmp(f->type, "mqueue") ? strchr(m->context, '=') + 1 : NULL;
	char path[FD_PATH_SIZE];

	return label && setxattr(fd_path(path, mount), "security.selinux", label, strlen(label) + 1, 0) ? -errno : 0;
}

/* A detached mount of @fs, or -errno; -ENOSYS and -E2BIG mean "by mount(2), please". */
static int new_detached(const struct mnt_env *m, const struct mnt_fs *f)
{
	auto_fd fs = sysx_fsopen(f->type, FSOPEN_CLOEXEC), mount = -1;
	const char *context = context_of(m, f);
	size_t i;
	int r = 0;

	if (fs < 0)
		return fs;
	if (f->source)
		r = sysx_fsconfig(fs, FSCONFIG_SET_STRING, "source", f->source, 0);
	if (r >= 0)
		r = config_flags(fs, f->flags);
	for (i = 0; f->data && i < f->data->n && r >= 0; i++)
		r = config_word(fs, f->data->v[i]);
	if (r >= 0 && context)
		r = config_word(fs, context);
	if (r >= 0)
		r = sysx_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	mount = sysx_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)mnt_attr_of(f->flags));
	r = mount < 0 ? mount : label_root(m, f, mount);
	return r ? r : take_fd(&mount);
}

/* One more word for mount(2), a label in quotes. */
static const char *join_word(struct arena *a, const char *data, const char *word)
{
	const char *value = is_label(word) ? strchr(word, '=') + 1 : NULL, *comma = *data ? "," : "";

	if (value && *value != '"')
		return arena_printf(a, "%s%s%.*s\"%s\"", data, comma, (int)(value - word), word, value);
	return arena_join(a, data, comma, word);
}

static int mount_old(const struct mnt_env *m, const struct mnt_fs *f, int target)
{
	const char *context = context_of(m, f);
	auto_arena a = ARENA_INIT;
	const char *data = "";
	char path[FD_PATH_SIZE];
	size_t i;

	for (i = 0; data && f->data && i < f->data->n; i++)
		data = join_word(&a, data, f->data->v[i]);
	if (data && context)
		data = join_word(&a, data, context);
	if (!data)
		return -ENOMEM;
	if (m->context && !strcmp(f->type, "mqueue"))
		return -EOPNOTSUPP;	/* its root cannot be reached by fd */
	return mount(f->source ? f->source : f->type, fd_path(path, target), f->type, f->flags, data) ? -errno : 0;
}

int mnt_new(struct mnt_env *m, const struct mnt_fs *f, int target, int *out)
{
	auto_fd mount = m->old_api ? -ENOSYS : new_detached(m, f);
	int r;

	if (out)
		*out = -1;
	if (mount == -ENOSYS || mount == -E2BIG) {
		if (mount == -ENOSYS)
			m->old_api = true;
		return mount_old(m, f, target);
	}
	if (mount < 0)
		return mount;
	r = mnt_attach(mount, target);
	if (!r && out)
		*out = take_fd(&mount);
	return r;
}

int mnt_clone(int fd, const char *path, bool recursive)
{
	return sysx_open_tree(fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path[0] ? 0 : AT_EMPTY_PATH) |
			      (recursive ? AT_RECURSIVE : 0));
}

int mnt_attach(int mount, int target)
{
	return sysx_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mnt_bind(struct mnt_env *m, int source, bool detached, bool recursive, int target, int *out)
{
	auto_fd tree = -1;
	char from[FD_PATH_SIZE], to[FD_PATH_SIZE];
	int r;

	if (out)
		*out = -1;
	if (!detached && !m->old_api) {
		tree = mnt_clone(source, "", recursive);
		if (tree == -ENOSYS)
			m->old_api = true;
		else if (tree < 0)
			return tree;
	}
	if (detached || tree >= 0) {
		r = mnt_attach(detached ? source : tree, target);
		if (r || !out)
			return r;
		*out = detached ? fcntl(source, F_DUPFD_CLOEXEC, 3) : take_fd(&tree);
		return *out < 0 ? -errno : 0;
	}
	if (mount(fd_path(from, source), fd_path(to, target), NULL, MS_BIND | (recursive ? MS_REC : 0), NULL))
		return -errno;
	return 0;
}

int mnt_setattr(struct mnt_env *m, int fd, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };
	unsigned long flags;
	char path[FD_PATH_SIZE];
	size_t i;
	int r;

	/* A choice of atime must replace the whole field. */
	if ((set | clear) & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	r = sysx_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
	if (r != -ENOSYS || recursive)
		return r;
	flags = mnt_flags_of(fd);
	for (i = 0; i < sizeof(attr_map) / sizeof(attr_map[0]); i++) {
		if (set & attr_map[i].attr)
			flags = (flags & ~attr_map[i].excludes) | attr_map[i].ms;
		else if (clear & attr_map[i].attr)
			flags &= ~attr_map[i].ms;
	}
	return mount(NULL, fd_path(path, fd), NULL, MS_REMOUNT | MS_BIND | flags, NULL) ? -errno : 0;
}

int mnt_propagation(struct mnt_env *m, int fd, unsigned long ms)
{
	struct mount_attr attr = { .propagation = ms & (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE) };
	char path[FD_PATH_SIZE];
	int r;

	r = sysx_mount_setattr(fd, "", AT_EMPTY_PATH | (ms & MS_REC ? AT_RECURSIVE : 0), &attr);
	if (r == -ENOSYS)
		r = mount(NULL, fd_path(path, fd), NULL, ms, NULL) ? -errno : 0;
	return r;
}

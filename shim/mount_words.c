/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount option words of Create's rootfs list: a table, and nothing is mounted. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include "mounts_internal.h"

struct word {
	const char *name;
	unsigned long set, clear, propagation;
};

static const struct word words[] = {
	{ "async", 0, MS_SYNCHRONOUS, 0 },
	{ "atime", 0, MS_NOATIME, 0 },
	{ "bind", MS_BIND, 0, 0 },
	{ "defaults", 0, 0, 0 },
	{ "dev", 0, MS_NODEV, 0 },
	{ "diratime", 0, MS_NODIRATIME, 0 },
	{ "dirsync", MS_DIRSYNC, 0, 0 },
	{ "exec", 0, MS_NOEXEC, 0 },
	{ "mand", MS_MANDLOCK, 0, 0 },
	{ "noatime", MS_NOATIME, 0, 0 },
	{ "nodev", MS_NODEV, 0, 0 },
	{ "nodiratime", MS_NODIRATIME, 0, 0 },
	{ "noexec", MS_NOEXEC, 0, 0 },
	{ "nomand", 0, MS_MANDLOCK, 0 },
	{ "norelatime", 0, MS_RELATIME, 0 },
	{ "nostrictatime", 0, MS_STRICTATIME, 0 },
	{ "nosuid", MS_NOSUID, 0, 0 },
	{ "private", 0, 0, MS_PRIVATE },
	{ "rbind", MS_BIND | MS_REC, 0, 0 },
	{ "relatime", MS_RELATIME, 0, 0 },
	{ "remount", MS_REMOUNT, 0, 0 },
	{ "ro", MS_RDONLY, 0, 0 },
	{ "rprivate", 0, 0, MS_PRIVATE | MS_REC },
	{ "rshared", 0, 0, MS_SHARED | MS_REC },
	{ "rslave", 0, 0, MS_SLAVE | MS_REC },
	{ "runbindable", 0, 0, MS_UNBINDABLE | MS_REC },
	{ "rw", 0, MS_RDONLY, 0 },
	{ "shared", 0, 0, MS_SHARED },
	{ "slave", 0, 0, MS_SLAVE },
	{ "strictatime", MS_STRICTATIME, 0, 0 },
	{ "suid", 0, MS_NOSUID, 0 },
	{ "sync", MS_SYNCHRONOUS, 0, 0 },
	{ "unbindable", 0, 0, MS_UNBINDABLE },
};

static const struct word *word_find(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, name))
			return &words[i];
	return NULL;
}

/* Options that mean work of ours, and not the kernel's. */
static bool word_ours(const char *w, struct task_mount_options *o)
{
	if (!strcmp(w, "loop"))
		o->loop = true;
	else if (!strcmp(w, "direct-io"))
		o->direct = true;
	else if (!strncmp(w, "uidmap=", 7))
		o->uidmap = w + 7;
	else if (!strncmp(w, "gidmap=", 7))
		o->gidmap = w + 7;
	else
		return false;
	return true;
}

static int check(const struct task_mount *m, const struct task_mount_options *o, struct err *e)
{
	if (!o->uidmap != !o->gidmap)
		return err_set(e, ERR_SPEC, -EINVAL, m->source, "rootfs mount has %s but no %s",
			       o->uidmap ? "uidmap" : "gidmap", o->uidmap ? "gidmap" : "uidmap");
	if (o->direct && !o->loop)
		return err_set(e, ERR_SPEC, -EINVAL, m->source,
			       "rootfs mount option \"direct-io\" needs \"loop\"");
	if (o->loop && (o->flags & MS_BIND))
		return err_set(e, ERR_SPEC, -EINVAL, m->source,
			       "rootfs mount option \"loop\" does not go with a bind mount");
	return 0;
}

int mounts_parse(const struct task_mount *m, struct arena *a, struct task_mount_options *o,
		   struct err *e)
{
	size_t size = 1;
	char *data, *w;

	*o = (struct task_mount_options){ .data = "" };
	o->helper = mounts_helper(m->type) != NULL;
	for (size_t i = 0; i < m->options.n; i++)
		size += strlen(m->options.v[i]) + 1;
	data = w = arena_alloc(a, size);
	if (!data)
		return err_set(e, ERR_LIMIT, -ENOMEM, m->source, "mount options");
	for (size_t i = 0; i < m->options.n; i++) {
		const char *name = m->options.v[i];
		const struct word *k = word_find(name);
		size_t len = strlen(name);

		/* containerd's mount manager should have acted on it: without that the root is not what was meant. */
		if (!strncmp(name, "X-containerd.", 13))
			return err_set(e, ERR_SPEC, -EINVAL, m->source,
				       "rootfs mount option \"%s\" is containerd's own", name);
		/* A helper takes all words as they are. */
		if (o->helper)
			continue;
		if (word_ours(name, o))
			continue;
		if (k) {
			o->flags = (o->flags & ~k->clear) | k->set;
			if (k->propagation)
				o->propagation = k->propagation;
			continue;
		}
		if (w != data)
			*w++ = ',';
		memcpy(w, name, len);
		w += len;
	}
	o->data = data;
	return check(m, o, e);
}

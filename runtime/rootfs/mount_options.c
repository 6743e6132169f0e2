/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The option words of a mount entry: one table, sorted, that the features
 * document shows as well. A word that is not in it is for the file system.
 *
 * Of two words about one thing the later wins. What a word clears is kept
 * apart from what nobody spoke of: a bind mount must not drop a flag that
 * its source has unless somebody asked, and must not fail to silently.
 */
#include "mount_options.h"
#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <unistd.h>
#include "text.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256			/* 5.10 */
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000	/* 5.14 */
#endif
#ifndef MS_POSIXACL
#define MS_POSIXACL (1 << 16)
#endif

#define ATIMES (MS_NOATIME | MS_RELATIME | MS_STRICTATIME)

enum word_kind {
	WORD_SET, WORD_CLEAR,		/* MS_* of this mount */
	WORD_REC_SET, WORD_REC_CLEAR,	/* MOUNT_ATTR_* of the whole tree */
	WORD_PROPAGATION,
	WORD_BOOL,			/* value: offset of a bool in struct mount_options */
	WORD_NONE,			/* recognised, says nothing */
};

struct word {
	const char *name;
	enum word_kind kind;
	uint64_t value;
};

#define BOOL(m) WORD_BOOL, offsetof(struct mount_options, m)

/* Sorted as strcmp() sorts. */
static const struct word words[] = {
	{ "acl",		WORD_SET, MS_POSIXACL },
	{ "async",		WORD_CLEAR, MS_SYNCHRONOUS },
	{ "atime",		WORD_CLEAR, MS_NOATIME },
	{ "bind",		BOOL(bind) },
	{ "copy-symlink",	BOOL(copy_symlink) },
	{ "defaults",		WORD_NONE, 0 },
	{ "dest-nofollow",	BOOL(dest_nofollow) },
	{ "dev",		WORD_CLEAR, MS_NODEV },
	{ "diratime",		WORD_CLEAR, MS_NODIRATIME },
	{ "dirsync",		WORD_SET, MS_DIRSYNC },
	{ "exec",		WORD_CLEAR, MS_NOEXEC },
	{ "idmap",		BOOL(idmap) },
	{ "iversion",		WORD_SET, MS_I_VERSION },
	{ "lazytime",		WORD_SET, MS_LAZYTIME },
	{ "loud",		WORD_CLEAR, MS_SILENT },
	{ "mand",		WORD_SET, MS_MANDLOCK },
	{ "noacl",		WORD_CLEAR, MS_POSIXACL },
	{ "noatime",		WORD_SET, MS_NOATIME },
	{ "nodev",		WORD_SET, MS_NODEV },
	{ "nodiratime",		WORD_SET, MS_NODIRATIME },
	{ "noexec",		WORD_SET, MS_NOEXEC },
	{ "noiversion",		WORD_CLEAR, MS_I_VERSION },
	{ "nolazytime",		WORD_CLEAR, MS_LAZYTIME },
	{ "nomand",		WORD_CLEAR, MS_MANDLOCK },
	{ "norelatime",		WORD_CLEAR, MS_RELATIME },
	{ "nostrictatime",	WORD_CLEAR, MS_STRICTATIME },
	{ "nosuid",		WORD_SET, MS_NOSUID },
	{ "nosymfollow",	WORD_SET, MS_NOSYMFOLLOW },
	{ "private",		WORD_PROPAGATION, MS_PRIVATE },
	{ "ratime",		WORD_REC_CLEAR, MOUNT_ATTR_NOATIME },
	{ "rbind",		BOOL(rbind) },
	{ "rdev",		WORD_REC_CLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime",		WORD_REC_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime",		WORD_SET, MS_RELATIME },
	{ "remount",		BOOL(remount) },
	{ "rexec",		WORD_REC_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "ridmap",		BOOL(ridmap) },
	{ "rnoatime",		WORD_REC_SET, MOUNT_ATTR_NOATIME },
	{ "rnodev",		WORD_REC_SET, MOUNT_ATTR_NODEV },
	{ "rnodiratime",	WORD_REC_SET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec",		WORD_REC_SET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime",	WORD_REC_CLEAR, MOUNT_ATTR_RELATIME },
	{ "rnostrictatime",	WORD_REC_CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid",		WORD_REC_SET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow",	WORD_REC_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro",			WORD_SET, MS_RDONLY },
	{ "rprivate",		WORD_PROPAGATION, MS_PRIVATE | MS_REC },
	{ "rrelatime",		WORD_REC_SET, MOUNT_ATTR_RELATIME },
	{ "rro",		WORD_REC_SET, MOUNT_ATTR_RDONLY },
	{ "rrw",		WORD_REC_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared",		WORD_PROPAGATION, MS_SHARED | MS_REC },
	{ "rslave",		WORD_PROPAGATION, MS_SLAVE | MS_REC },
	{ "rstrictatime",	WORD_REC_SET, MOUNT_ATTR_STRICTATIME },
	{ "rsuid",		WORD_REC_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow",		WORD_REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable",	WORD_PROPAGATION, MS_UNBINDABLE | MS_REC },
	{ "rw",			WORD_CLEAR, MS_RDONLY },
	{ "shared",		WORD_PROPAGATION, MS_SHARED },
	{ "silent",		WORD_SET, MS_SILENT },
	{ "slave",		WORD_PROPAGATION, MS_SLAVE },
	{ "src-nofollow",	BOOL(src_nofollow) },
	{ "strictatime",	WORD_SET, MS_STRICTATIME },
	{ "suid",		WORD_CLEAR, MS_NOSUID },
	{ "symfollow",		WORD_CLEAR, MS_NOSYMFOLLOW },
	{ "sync",		WORD_SET, MS_SYNCHRONOUS },
	{ "tmpcopyup",		BOOL(tmpcopyup) },
	{ "unbindable",		WORD_PROPAGATION, MS_UNBINDABLE },
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

static const struct word *find_word(const char *name)
{
	size_t lo = 0, hi = N_WORDS;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, words[mid].name);

		if (!c)
			return &words[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/**
 * mount_options_word() - Words that this version acts on, sorted.
 * @i: 0 and up. Return: NULL past the end.
 */
const char *mount_options_word(unsigned int i)
{
	return i < N_WORDS ? words[i].name : NULL;
}

/* The three ways to keep access times exclude each other: a later one replaces an earlier one. */
static void set_flag(struct mount_options *o, unsigned long flag)
{
	if (flag & ATIMES)
		o->flags &= ~(unsigned long)ATIMES;
	o->flags |= flag;
	o->clear &= ~flag;
}

static void clear_flag(struct mount_options *o, unsigned long flag)
{
	o->flags &= ~flag;
	o->clear |= flag;
}

/*
 * mount_setattr(2): access times are a number in a field, not flags, and
 * MOUNT_ATTR_RELATIME is its zero. Any choice must clear the whole field, and
 * must say so in attr_clr, or the kernel answers EINVAL. Taking back one that
 * is not set leaves relatime, what the kernel takes by default.
 */
static void rec_flag(struct mount_options *o, uint64_t flag, bool set)
{
	bool atime = (flag & MOUNT_ATTR__ATIME) == flag;	/* RELATIME, being 0, too */

	if (atime && set)
		o->rec_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	if (atime)
		o->rec_clear |= MOUNT_ATTR__ATIME;
	if (set) {
		o->rec_set |= flag;
		if (!atime)
			o->rec_clear &= ~flag;
	} else {
		o->rec_set &= ~flag;
		o->rec_clear |= flag;
	}
}

/* Return: false when there are too many of its kind. */
static bool apply_word(struct mount_options *o, const struct word *w)
{
	switch (w->kind) {
	case WORD_SET:
		set_flag(o, w->value);
		break;
	case WORD_CLEAR:
		clear_flag(o, w->value);
		break;
	case WORD_REC_SET:
	case WORD_REC_CLEAR:
		rec_flag(o, w->value, w->kind == WORD_REC_SET);
		break;
	case WORD_PROPAGATION:
		if (o->n_propagation == sizeof(o->propagation) / sizeof(o->propagation[0]))
			return false;
		o->propagation[o->n_propagation++] = w->value;
		break;
	case WORD_BOOL:
		*(bool *)((char *)o + w->value) = true;
		break;
	case WORD_NONE:
		break;
	}
	return true;
}

/* @o->data has room for every word. */
static void add_data(struct mount_options *o, const char *word)
{
	bool deep = !strncmp(word, "ridmap=", strlen("ridmap="));

	if (deep || !strncmp(word, "idmap=", strlen("idmap="))) {
		o->idmap |= !deep;
		o->ridmap |= deep;
		o->idmap_text = strchr(word, '=') + 1;
		return;
	}
	o->data.v[o->data.n++] = word;
}

/* mount(2) copies one page of data and cuts what is longer without a word. */
static int join_data(struct mount_options *o, struct arena *a, const char *pointer, struct err *e)
{
	size_t len = 0, at = 0;
	char *text;

	for (size_t i = 0; i < o->data.n; i++)
		len += strlen(o->data.v[i]) + 1;
	if (len > (size_t)sysconf(_SC_PAGESIZE))
		return err_set(e, ERR_SPEC, -E2BIG, pointer,
			       "options for the file system are %zu bytes long", len - 1);
	text = arena_alloc(a, len + 1);
	if (!text)
		return err_set(e, ERR_LIMIT, -ENOMEM, pointer, "mount options");
	for (size_t i = 0; i < o->data.n; i++) {
		size_t n = strlen(o->data.v[i]);

		if (at)
			text[at++] = ',';
		memcpy(text + at, o->data.v[i], n);
		at += n;
	}
	o->data_text = text;
	return 0;
}

static int check_together(const struct mount_options *o, const char *pointer, struct err *e)
{
	if (o->bind && o->data.n)
		return err_set(e, ERR_SPEC, 0, pointer,
			       "a bind mount has no file system options: \"%.200s\"", o->data.v[0]);
	if (o->bind && o->tmpcopyup)
		return err_set(e, ERR_SPEC, 0, pointer, "\"tmpcopyup\" is for tmpfs, not for a bind mount");
	if (o->tmpcopyup && o->remount)
		return err_set(e, ERR_SPEC, 0, pointer, "\"tmpcopyup\" and \"remount\" contradict each other");
	if (o->copy_symlink && o->src_nofollow)
		return err_set(e, ERR_SPEC, 0, pointer,
			       "\"copy-symlink\" and \"src-nofollow\" contradict each other");
	if ((o->idmap || o->ridmap) && (!o->bind || o->remount))
		return err_set(e, ERR_SPEC, 0, pointer, "\"%s\" is for new bind mounts",
			       o->ridmap ? "ridmap" : "idmap");
	if (!o->bind && (o->copy_symlink || o->src_nofollow))
		return err_set(e, ERR_SPEC, 0, pointer, "\"%s\" is for bind mounts",
			       o->copy_symlink ? "copy-symlink" : "src-nofollow");
	return 0;
}

/**
 * mount_options_parse() - Read the words of one mount entry.
 * @words_in: in the order given; empty ones say nothing.
 * @a:       takes @o->data; its words are those of @words.
 * @o:       result. rbind implies bind; MS_BIND, MS_REC and MS_REMOUNT are never in flags.
 * @pointer: JSON pointer of the mount entry ("/mounts/3").
 * @e:       set on failure; where is the pointer of its options and, for one word, the index.
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 * Spec: config-linux.md#mount-options
 */
int mount_options_parse(const struct strv *words_in, struct arena *a, struct mount_options *o,
			const char *pointer, struct err *e)
{
	char options[112], where[144];
	int r;

	text_join(options, sizeof(options), pointer, "/options");
	*o = (struct mount_options){ .data_text = "" };
	if (words_in->n) {
		o->data.v = arena_alloc(a, words_in->n * sizeof(*o->data.v));
		if (!o->data.v)
			return err_set(e, ERR_LIMIT, -ENOMEM, options, "mount options");
	}
	for (size_t i = 0; i < words_in->n; i++) {
		const struct word *w = find_word(words_in->v[i]);

		if (!words_in->v[i][0])
			continue;
		if (!w) {
			add_data(o, words_in->v[i]);
		} else if (!apply_word(o, w)) {
			text_join(where, sizeof(where), options, "/", text_num(i));
			return err_set(e, ERR_SPEC, 0, where, "too many propagation words: \"%s\"", w->name);
		}
	}
	o->bind |= o->rbind;
	r = check_together(o, options, e);
	return r || !o->data.n ? r : join_data(o, a, options, e);
}

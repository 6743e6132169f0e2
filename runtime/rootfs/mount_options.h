/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_MOUNT_OPTIONS_H
#define CLEAT_MOUNT_OPTIONS_H
#include <stdbool.h>
#include <stdint.h>
#include "arena.h"
#include "err.h"
#include "field.h"

/* All option words of runc, parsed once into what both mount APIs need. */
struct mount_options {
	unsigned long flags;	/* MS_* to set (MS_RDONLY, MS_NOSUID ...), never propagation bits */
	unsigned long clear;	/* MS_* explicitly cleared by a word ("rw", "suid" ...) */
	uint64_t rec_set, rec_clear;	/* MOUNT_ATTR_* for AT_RECURSIVE ("rro" ...); atime rule of the contract applied */
	unsigned long propagation[8];	/* MS_PRIVATE|MS_REC ..., in the order given */
	unsigned int n_propagation;
	bool bind, rbind, remount;	/* rbind implies bind; none of them is in flags */
	const char *idmap_text;	/* what "idmap=" or "ridmap=" says; NULL: nothing */
	bool tmpcopyup, idmap, ridmap, copy_symlink, src_nofollow, dest_nofollow;
	struct strv data;	/* words for the file system, in order ("size=64k") */
	const char *data_text;	/* the same, joined by commas; "" if none */
};
/** mount_options_parse() - @pointer: JSON pointer of the mount entry ("/mounts/3"). See mount_options.c. */
int mount_options_parse(const struct strv *words, struct arena *a, struct mount_options *o,
			const char *pointer, struct err *e);
/** mount_options_word() - Every word that is recognised, sorted; NULL past the end. For features. */
const char *mount_options_word(unsigned int i);
#endif

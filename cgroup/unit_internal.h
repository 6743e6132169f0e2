/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UNIT_INTERNAL_H
#define CLEAT_UNIT_INTERNAL_H
#include <stdint.h>
#include "buf.h"
#include "unit.h"

/* What the files unit_*.c share. */

/* ---- words: a property is its name, its signature, and the value's words, each with a NUL ---- */
void unit_word(struct buf *b, const char *s);
void unit_bool(struct buf *b, const char *name, bool v);
void unit_u64(struct buf *b, const char *name, uint64_t v);
void unit_str(struct buf *b, const char *name, const char *v);

/* ---- unit_gvariant.c ---- */
int unit_gvariant(const char *text, char *sig, size_t size, struct buf *words);

/* ---- unit_props.c, unit_devices.c ---- */
int unit_limits(struct buf *b, const struct cg_host *host, const struct cg *c,
		const struct cg_limits *l, struct err *e);
int unit_devices(struct buf *b, const struct cg_limits *l, struct err *e);
int unit_annotations(struct buf *b, const struct strmap *annotations, struct err *e);

#define UNIT_ANNOTATION "org.systemd.property."
#endif

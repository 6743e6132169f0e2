/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FIELD_H
#define CLEAT_FIELD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "names.h"

/*
 * Descriptor tables: a plain C struct and, beside it, a table that says where
 * each JSON key lands. The same rows feed the parser, the writer, the
 * validator, the features document and the generated documentation.
 */
enum field_type {
	FT_BOOL,	/* bool */
	FT_I32, FT_I64,	/* int32_t, int64_t; min..max applies */
	FT_U32, FT_U64,	/* uint32_t, uint64_t; 0..max applies, max 0: the whole type */
	FT_STR,		/* const char *: no NUL inside, valid UTF-8 unless F_BYTES */
	FT_ENUM,	/* int: sub is a struct name table; an unknown word is an error */
	FT_STRV,	/* struct strv */
	FT_ENUMV,	/* struct intv of enum values */
	FT_U32V,	/* struct u32v */
	FT_OBJ,		/* struct embedded at off; sub is its struct object */
	FT_OBJP,	/* pointer to such a struct, NULL when absent */
	FT_OBJV,	/* struct objv: array of such structs */
	FT_MAP,		/* struct strmap: string to string, in document order, last duplicate wins */
	FT_OBJMAP,	/* struct objv of structs whose FIRST member is const char *key: {"k":{...}} */
	FT_IGNORED,	/* known, deliberately without effect: any JSON value is skipped silently */
	FT_REFUSED,	/* known, not built: refused by name unless it is null/empty (README: limits) */
};

enum {
	F_REQUIRED = 1 << 0,	/* absent (or null) is an error */
	F_ABSPATH  = 1 << 1,	/* string must start with '/' */
	F_BYTES    = 1 << 2,	/* string may hold bytes that are not UTF-8 */
	F_NONEMPTY = 1 << 3,	/* empty string or array is an error */
	F_OMITEMPTY = 1 << 4,	/* writer: leave out false, 0, "", [], {} and NULL */
};

struct strv { const char **v; size_t n; };
struct intv { int *v; size_t n; };
struct u32v { uint32_t *v; size_t n; };
struct objv { void *v; size_t n; };		/* element size: struct object.size */
struct keyval { const char *key, *val; };
struct strmap { struct keyval *v; size_t n; };

struct field {
	const char	*key;
	uint8_t		type, flags;
	uint16_t	off;		/* offset of the value */
	uint16_t	present;	/* offset of a bool "was set", 0 if none: so never the first member */
	int64_t		min, max;
	const void	*sub;		/* struct object or struct name table, by type */
	int		(*check)(const void *value, const char *pointer, struct err *e);
	const char	*spec;		/* section of the specification */
	const char	*doc;
};

struct object {
	const char *name;
	size_t size;
	const struct field *f;
	unsigned int n;
};

#define FIELD_OFF(type, member) ((uint16_t)offsetof(type, member))
#define OBJECT(var, type, table) \
	const struct object var = { #type, sizeof(type), table, sizeof(table) / sizeof((table)[0]) }

/** field_find() - Row of @key (length @len, not terminated) in @o, or NULL. */
const struct field *field_find(const struct object *o, const char *key, size_t len);
/** field_find_icase() - The same ignoring case: only to warn of misspelt keys. */
const struct field *field_find_icase(const struct object *o, const char *key, size_t len);
#endif

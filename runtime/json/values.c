/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values on their way into plain C structs: texts are checked and copied into
 * the arena, numbers keep their digits until they are checked against the
 * type and range of the row, vectors grow by doubling.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "num.h"
#include "reader.h"
#include "unescape.h"
#include "utf8.h"

/* struct strv, intv, u32v, objv and strmap are all {pointer, count}: read and written as bytes. */
struct vec { void *v; size_t n; };
_Static_assert(sizeof(struct vec) == sizeof(struct objv) &&
	       offsetof(struct vec, n) == offsetof(struct objv, n), "objv");
_Static_assert(sizeof(struct vec) == sizeof(struct strv) &&
	       offsetof(struct vec, n) == offsetof(struct strv, n), "strv");
_Static_assert(sizeof(struct vec) == sizeof(struct intv) &&
	       offsetof(struct vec, n) == offsetof(struct intv, n), "intv");
_Static_assert(sizeof(struct vec) == sizeof(struct u32v) &&
	       offsetof(struct vec, n) == offsetof(struct u32v, n), "u32v");
_Static_assert(sizeof(struct vec) == sizeof(struct strmap) &&
	       offsetof(struct vec, n) == offsetof(struct strmap, n), "strmap");

static size_t put_escaped(char *buf, size_t at, size_t size, const char *key)
{
	for (; *key && at + 3 < size; key++) {
		if (*key == '~' || *key == '/') {
			buf[at++] = '~';
			buf[at++] = *key == '~' ? '0' : '1';
		} else {
			buf[at++] = *key;
		}
	}
	return at;
}

/**
 * read_pointer() - JSON pointer (RFC 6901) of the value being read.
 * @buf: result; cut when it is too long.
 *
 * Return: @buf, the document's name when the pointer is empty.
 */
const char *read_pointer(const struct reader *rd, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "%s", rd->base);

	if (at >= size)
		at = size - 1;
	for (unsigned int i = 0; i < rd->frames; i++) {
		const struct frame *fr = &rd->frame[i];
		const char *key = fr->kind == FRAME_MAP ? fr->key :
				  fr->kind == FRAME_OBJECT && fr->f ? fr->f->key : NULL;

		if (fr->kind == FRAME_ARRAY ? !fr->index : !key)
			continue;
		if (at + 24 >= size)
			break;
		buf[at++] = '/';
		if (key)
			at = put_escaped(buf, at, size, key);
		else
			at += (size_t)snprintf(buf + at, size - at, "%zu", fr->index - 1);
	}
	buf[at] = 0;
	return at ? buf : rd->what;
}

/**
 * read_fail() - Record the first failure, at the value being read.
 * @r: negative errno, or 0 when the document is to blame.
 *
 * Return: 0, what a parser callback returns to stop the parser.
 */
int read_fail(struct reader *rd, enum err_kind kind, int r, const char *fmt, ...)
{
	char pointer[READ_POINTER], text[300];
	va_list ap;

	if (rd->r)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rd->r = err_set(rd->e, kind, r, read_pointer(rd, pointer, sizeof(pointer)), "%s", text);
	return 0;
}

/** read_nomem() - Memory, or the arena's limit, is out. Return: as read_fail(). */
int read_nomem(struct reader *rd)
{
	return read_fail(rd, ERR_LIMIT, -ENOMEM, "%s needs too much memory", rd->what);
}

/**
 * read_warn() - Log one line about a key of the current object or map.
 * @text: what is the matter. @key, @len: the key, not terminated.
 */
void read_warn(struct reader *rd, const char *text, const char *key, size_t len)
{
	char pointer[READ_POINTER];

	if (!rd->log || rd->warnings >= READ_WARNINGS)
		return;
	rd->warnings++;
	log_warn(rd->log, "%s: key \"%.*s\" near %s: %s%s", rd->what, (int)(len < 100 ? len : 100),
		 key, read_pointer(rd, pointer, sizeof(pointer)), text,
		 rd->warnings == READ_WARNINGS ? " (further warnings are left out)" : "");
}

/**
 * read_text() - Copy a string of the document into the arena, checked.
 * @s, @len: as the library hands it: in the document itself when it has no escapes.
 * @bytes: any bytes but NUL may pass (program arguments, environment values).
 *
 * Return: the terminated copy, or NULL with the failure recorded.
 */
char *read_text(struct reader *rd, const char *s, size_t len, bool bytes)
{
	bool lone = false;
	char *out;

	if ((uintptr_t)s < (uintptr_t)rd->doc || (uintptr_t)s >= (uintptr_t)rd->doc + rd->end) {
		size_t raw_len;
		const char *raw = json_raw_string(rd->doc, rd->end, &raw_len);

		out = arena_alloc(rd->a, raw_len + 1);
		if (out)
			len = json_unescape(raw, raw_len, out, &lone);
	} else {
		out = arena_strndup(rd->a, s, len);
	}
	if (!out) {
		read_nomem(rd);
		return NULL;
	}
	if (memchr(out, 0, len))
		read_fail(rd, ERR_SPEC, 0, "a NUL character is not allowed: \"%.100s\\u0000...\"", out);
	else if (lone && !bytes)
		read_fail(rd, ERR_SPEC, 0, "a lone surrogate (\\ud800 to \\udfff) is not allowed: "
			  "\"%.100s\"", out);
	else if (!bytes && !utf8_valid(out, len))
		read_fail(rd, ERR_SPEC, 0, "is not valid UTF-8: \"%.100s\"", out);
	return rd->r ? NULL : out;
}

/* Known words of a name table, for messages. */
static void list_words(const struct name *t, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = 0;
	for (; t->name && at + 1 < size; t++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "", t->name);
	if (at >= size && size > 4)
		memcpy(buf + size - 4, "...", 4);
}

static int check_str(struct reader *rd, const struct field *f, const char *s, size_t len, bool element)
{
	if ((f->flags & F_ABSPATH) && s[0] != '/')
		return read_fail(rd, ERR_SPEC, 0, "must be an absolute path, is \"%.200s\"", s);
	if (!element && (f->flags & F_NONEMPTY) && !len)
		return read_fail(rd, ERR_SPEC, 0, "must not be empty");
	if (!element && f->max && len > (uint64_t)f->max)
		return read_fail(rd, ERR_SPEC, 0, "is %zu bytes long, at most %" PRId64
				 " are allowed: \"%.100s...\"", len, f->max, s);
	return 1;
}

/**
 * read_string() - Store a string, or the value of a known word.
 * @f:    row of the field, or of the array that this is an element of.
 * @type: FT_STR or FT_ENUM; anything else is a type error.
 * @dst:  where it goes.
 *
 * Return: 1, or 0 with the failure recorded.
 */
int read_string(struct reader *rd, const struct field *f, enum field_type type, void *dst,
		const char *s, size_t len)
{
	const struct name *word;
	char known[200];
	char *text;

	if (type != FT_STR && type != FT_ENUM)
		return read_fail(rd, ERR_SPEC, 0, "expected %s, found the string \"%.*s\"",
				 read_expected(type), (int)(len < 200 ? len : 200), s);
	text = read_text(rd, s, len, (f->flags & F_BYTES) != 0);
	if (!text)
		return 0;
	if (type == FT_STR) {
		if (!check_str(rd, f, text, strlen(text), f->type != FT_STR))
			return 0;
		*(const char **)dst = text;
		return 1;
	}
	word = names_find(f->sub, text);
	if (!word) {
		list_words(f->sub, known, sizeof(known));
		return read_fail(rd, ERR_SPEC, 0, "unknown value \"%.100s\", known: %s", text, known);
	}
	*(int *)dst = (int)word->value;
	return 1;
}

/* Range of an integer row; both bounds 0 mean the whole type. */
static void int_range(const struct field *f, enum field_type type, int64_t *min, uint64_t *max)
{
	bool own = f->type == type && (f->min || f->max);	/* of a vector they bound its length */

	*min = type == FT_I32 ? INT32_MIN : type == FT_I64 ? INT64_MIN : 0;
	*max = type == FT_I32 ? INT32_MAX : type == FT_I64 ? INT64_MAX :
	       type == FT_U32 ? UINT32_MAX : UINT64_MAX;
	if (!own)
		return;
	if (type == FT_I32 || type == FT_I64) {
		*min = f->min;
		*max = (uint64_t)f->max;	/* compared as signed */
	} else if (f->max) {
		*max = (uint64_t)f->max;
	}
}

static bool whole_number(const char *s, size_t len)
{
	for (size_t i = 1; i < len; i++)	/* the first is '-' or a digit */
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

/**
 * read_number() - Store an integer, exactly.
 * @s, @len: the digits as they stand in the document.
 * @type: integer type wanted; anything else is a type error.
 *
 * Return: 1, or 0 with the failure recorded.
 */
int read_number(struct reader *rd, const struct field *f, enum field_type type, void *dst,
		const char *s, size_t len)
{
	bool is_signed = type == FT_I32 || type == FT_I64;
	char num[32];
	uint64_t max, u = 0;
	int64_t min, i = 0;
	int r = -ERANGE;

	if (!is_signed && type != FT_U32 && type != FT_U64)
		return read_fail(rd, ERR_SPEC, 0, "expected %s, found the number %.*s",
				 read_expected(type), (int)(len < 64 ? len : 64), s);
	if (!whole_number(s, len))
		return read_fail(rd, ERR_SPEC, 0, "expected a whole number, found %.*s",
				 (int)(len < 64 ? len : 64), s);
	int_range(f, type, &min, &max);
	if (len < sizeof(num)) {
		memcpy(num, s, len);
		num[len] = 0;
		r = is_signed ? num_i64(num, min, (int64_t)max, &i) :
		    s[0] == '-' ? -ERANGE : num_u64(num, max, &u);
	}
	if (r && is_signed)
		return read_fail(rd, ERR_SPEC, 0, "%.*s is out of range, allowed: %" PRId64 " to %"
				 PRId64, (int)(len < 64 ? len : 64), s, min, (int64_t)max);
	if (r)
		return read_fail(rd, ERR_SPEC, 0, "%.*s is out of range, allowed: 0 to %" PRIu64,
				 (int)(len < 64 ? len : 64), s, max);
	if (type == FT_I32)
		*(int32_t *)dst = (int32_t)i;
	else if (type == FT_I64)
		*(int64_t *)dst = i;
	else if (type == FT_U32)
		*(uint32_t *)dst = (uint32_t)u;
	else
		*(uint64_t *)dst = u;
	return 1;
}

/** read_expected() - What a row takes, in words. */
const char *read_expected(enum field_type type)
{
	switch (type) {
	case FT_BOOL:
		return "true or false";
	case FT_I32: case FT_I64: case FT_U32: case FT_U64:
		return "a number";
	case FT_STR: case FT_ENUM:
		return "a string";
	case FT_STRV: case FT_ENUMV: case FT_U32V: case FT_OBJV:
		return "an array";
	case FT_OBJ: case FT_OBJP: case FT_MAP: case FT_OBJMAP:
		return "an object";
	case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return "anything";
}

/** field_size() - Bytes of a row's value in its struct. */
size_t field_size(const struct field *f)
{
	switch ((enum field_type)f->type) {
	case FT_BOOL:
		return sizeof(bool);
	case FT_I32: case FT_U32:
		return sizeof(uint32_t);
	case FT_I64: case FT_U64:
		return sizeof(uint64_t);
	case FT_ENUM:
		return sizeof(int);
	case FT_STR: case FT_OBJP:
		return sizeof(void *);
	case FT_OBJ:
		return ((const struct object *)f->sub)->size;
	case FT_STRV: case FT_ENUMV: case FT_U32V: case FT_OBJV: case FT_MAP: case FT_OBJMAP:
		return sizeof(struct vec);
	case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return 0;
}

/**
 * vec_push() - Room for one more element at the end of a frame's vector.
 * @size: bytes of an element.
 *
 * Return: the zeroed element, or NULL with the failure recorded.
 */
void *vec_push(struct reader *rd, struct frame *fr, size_t size)
{
	struct vec v;

	memcpy(&v, fr->base, sizeof(v));
	if (v.n == fr->cap) {
		size_t cap = fr->cap ? fr->cap * 2 : 4;

		v.v = arena_grow(rd->a, v.v, fr->cap * size, cap * size);
		if (!v.v) {
			read_nomem(rd);
			return NULL;
		}
		fr->cap = cap;
	}
	v.n++;
	memcpy(fr->base, &v, sizeof(v));
	/* not zero any more when vec_pop() took it back */
	return memset((char *)v.v + (v.n - 1) * size, 0, size);
}

/** vec_pop() - Take the last element back (a map's null value). */
void vec_pop(struct frame *fr)
{
	struct vec v;

	memcpy(&v, fr->base, sizeof(v));
	v.n--;
	memcpy(fr->base, &v, sizeof(v));
}

/** vec_len() - Elements of a vector of any kind. */
size_t vec_len(const void *vec)
{
	struct vec v;

	memcpy(&v, vec, sizeof(v));
	return v.n;
}

static const char *elem_key(const char *elem)
{
	const char *key;

	memcpy(&key, elem, sizeof(key));
	return key;
}

static int cmp_elem(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int c = strcmp(elem_key(x), elem_key(y));

	return c ? c : x < y ? -1 : x > y;
}

/**
 * vec_dedup() - Keep the last of equal keys, in document order; each loss is a warning.
 * @vec:  a map's vector; every element starts with its key.
 * @size: bytes of an element.
 *
 * Sorted pointers, not pairwise comparison: a hostile map stays n log n.
 *
 * Return: 1, or 0 with the failure recorded.
 */
int vec_dedup(struct reader *rd, void *vec, size_t size)
{
	struct vec v;
	const char **by_key;
	size_t kept = 0;

	memcpy(&v, vec, sizeof(v));
	if (v.n < 2)
		return 1;
	by_key = malloc(v.n * sizeof(*by_key));
	if (!by_key)
		return read_nomem(rd);
	for (size_t i = 0; i < v.n; i++)
		by_key[i] = (const char *)v.v + i * size;
	qsort(by_key, v.n, sizeof(*by_key), cmp_elem);
	for (size_t i = 0; i + 1 < v.n; i++) {
		const char *key = elem_key(by_key[i]);
		const char *none = NULL;

		if (strcmp(key, elem_key(by_key[i + 1])))
			continue;
		read_warn(rd, "given twice, the last one counts", key, strlen(key));
		memcpy((char *)v.v + (by_key[i] - (const char *)v.v), &none, sizeof(none));
	}
	free(by_key);
	for (size_t i = 0; i < v.n; i++) {
		char *elem = (char *)v.v + i * size;

		if (elem_key(elem))
			memmove((char *)v.v + kept++ * size, elem, size);
	}
	v.n = kept;
	memcpy(vec, &v, sizeof(v));
	return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON into C structs by descriptor table. The library's streaming callbacks
 * walk a small stack of frames, one per object, array or map that a table
 * knows; what no table knows is skipped by a counter. So memory is bounded by
 * what the tables ask for, never by what the document brings along:
 *
 *  - bytes, depth and number of values are checked before anything is stored;
 *  - numbers come as text (yajl_number alone is set), so 64-bit values stay
 *    exact, and 1.5 or 2^63 is an error of ours;
 *  - of equal keys the last one counts, as in other runtimes, with a warning;
 *  - null is the same as an absent key.
 *
 * The library does not check its own allocations for failure: they come from
 * an arena of their own, and a failing one leaves the parser by longjmp().
 */
#include "json.h"
#include <errno.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include "bounds.h"
#include "reader.h"

/* ---- frames ---- */

static struct frame *top(struct reader *rd)
{
	return rd->frames ? &rd->frame[rd->frames - 1] : NULL;
}

static struct frame *push(struct reader *rd, enum frame_kind kind, void *base)
{
	struct frame *fr;

	if (rd->frames == READ_FRAMES) {
		read_fail(rd, ERR_BUG, 0, "tables nest deeper than %d", READ_FRAMES);
		return NULL;
	}
	fr = &rd->frame[rd->frames++];
	memset(fr, 0, sizeof(*fr));
	fr->kind = kind;
	fr->base = base;
	return fr;
}

static struct frame *push_object(struct reader *rd, const struct object *o, void *base)
{
	struct frame *fr;

	if (o->n > READ_FIELDS) {
		read_fail(rd, ERR_BUG, 0, "table %s has more than %d rows", o->name, READ_FIELDS);
		return NULL;
	}
	fr = push(rd, FRAME_OBJECT, base);
	if (fr)
		fr->o = o;
	return fr;
}

static bool seen(const struct frame *fr, const struct field *f)
{
	size_t i = (size_t)(f - fr->o->f);

	return fr->seen[i / 64] >> (i % 64) & 1;
}

static void set_seen(struct frame *fr, const struct field *f, bool on)
{
	size_t i = (size_t)(f - fr->o->f);

	if (on)
		fr->seen[i / 64] |= (uint64_t)1 << (i % 64);
	else
		fr->seen[i / 64] &= ~((uint64_t)1 << (i % 64));
}

static void set_present(const struct frame *fr, const struct field *f, bool on)
{
	if (f->present)
		*(bool *)(fr->base + f->present) = on;
}

/* A field's value is complete: the caller's own rule, if it has one. */
static int field_done(struct reader *rd, struct frame *fr)
{
	const struct field *f = fr->f;
	char pointer[READ_POINTER];
	int r;

	set_present(fr, f, true);
	if (!f->check)
		return 1;
	r = f->check(fr->base + f->off, read_pointer(rd, pointer, sizeof(pointer)), rd->e);
	if (!r)
		return 1;
	rd->r = r;
	return 0;
}

/* ---- where the next value goes ---- */

struct slot {
	const struct field *f;
	enum field_type type;		/* of the value itself: an array's element, not the array */
	void *dst;
};

static enum field_type element_type(const struct field *f)
{
	switch ((enum field_type)f->type) {
	case FT_ENUMV:
		return FT_ENUM;
	case FT_U32V:
		return FT_U32;
	case FT_OBJV: case FT_OBJMAP:
		return FT_OBJ;
	case FT_BOOL: case FT_I32: case FT_I64: case FT_U32: case FT_U64: case FT_STR: case FT_ENUM:
	case FT_STRV: case FT_OBJ: case FT_OBJP: case FT_MAP: case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return FT_STR;
}

static size_t element_size(const struct field *f)
{
	switch ((enum field_type)f->type) {
	case FT_ENUMV:
		return sizeof(int);
	case FT_U32V:
		return sizeof(uint32_t);
	case FT_OBJV: case FT_OBJMAP:
		return ((const struct object *)f->sub)->size;
	case FT_MAP:
		return sizeof(struct keyval);
	case FT_BOOL: case FT_I32: case FT_I64: case FT_U32: case FT_U64: case FT_STR: case FT_ENUM:
	case FT_STRV: case FT_OBJ: case FT_OBJP: case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return sizeof(char *);
}

static int next_slot(struct reader *rd, struct slot *s)
{
	struct frame *fr = top(rd);
	char *elem;

	s->f = fr->f;
	if (fr->kind == FRAME_OBJECT) {
		s->type = fr->f->type;
		s->dst = fr->base + fr->f->off;
		return 1;
	}
	s->type = element_type(fr->f);
	fr->index++;
	if (fr->kind == FRAME_ARRAY && fr->f->max && fr->index > (uint64_t)fr->f->max) {
		rd->frames--;		/* the array is to blame, not the element */
		return read_fail(rd, ERR_SPEC, 0, "has more than %lld elements",
				 (long long)s->f->max);
	}
	elem = vec_push(rd, fr, element_size(fr->f));
	if (!elem)
		return 0;
	if (fr->kind == FRAME_MAP)
		memcpy(elem, &fr->key, sizeof(fr->key));
	s->dst = fr->f->type == FT_MAP ? elem + offsetof(struct keyval, val) : elem;
	return 1;
}

/* The value in a slot is complete; rules of rows are for fields, not for elements. */
static int slot_done(struct reader *rd)
{
	struct frame *fr = top(rd);

	return fr->kind == FRAME_OBJECT ? field_done(rd, fr) : 1;
}

/* ---- what is skipped ---- */

static int count_value(struct reader *rd)
{
	if (++rd->values > LIMIT_JSON_VALUES)
		return read_fail(rd, ERR_LIMIT, -E2BIG, "%s has more than %u values", rd->what,
				 LIMIT_JSON_VALUES);
	return 1;
}

static int refused(struct reader *rd)
{
	return read_fail(rd, ERR_UNSUPPORTED, 0, "\"%s\" is not supported by this version",
			 top(rd)->f->key);
}

/* Is this scalar part of something skipped? @empty: null, false, "". 1 skip, 0 failed, -1 keep. */
static int skip_scalar(struct reader *rd, bool empty)
{
	if (!rd->skip_depth && !rd->skip_next)
		return -1;
	if (rd->refuse && !empty)
		return refused(rd);
	if (!rd->skip_depth)
		rd->skip_next = rd->refuse = false;
	return 1;
}

static bool skip_open(struct reader *rd)
{
	if (!rd->skip_depth && !rd->skip_next)
		return false;
	rd->skip_depth++;
	rd->skip_next = false;
	return true;
}

static bool skip_close(struct reader *rd)
{
	if (!rd->skip_depth)
		return false;
	if (!--rd->skip_depth)
		rd->refuse = false;
	return true;
}

/* ---- callbacks: 1 goes on, 0 stops ---- */

static size_t consumed(const struct reader *rd)
{
	return yajl_get_bytes_consumed(rd->handle);
}

static int type_error(struct reader *rd, const char *found)
{
	const struct frame *fr = top(rd);

	if (!fr)
		return read_fail(rd, ERR_SPEC, 0, "expected an object, found %s", found);
	return read_fail(rd, ERR_SPEC, 0, "expected %s, found %s",
			 read_expected(fr->kind == FRAME_OBJECT ? (enum field_type)fr->f->type :
				       element_type(fr->f)), found);
}

static int on_null(void *ctx)
{
	struct reader *rd = ctx;
	struct frame *fr = top(rd);
	int r;

	if (!count_value(rd))
		return 0;
	r = skip_scalar(rd, true);
	if (r >= 0)
		return r;
	if (!fr)
		return type_error(rd, "null");
	if (fr->kind == FRAME_MAP)	/* no such key, then */
		return 1;
	if (fr->kind == FRAME_ARRAY) {
		fr->index++;
		return type_error(rd, "null");
	}
	memset(fr->base + fr->f->off, 0, field_size(fr->f));
	set_present(fr, fr->f, false);
	set_seen(fr, fr->f, false);
	return 1;
}

static int on_bool(void *ctx, int value)
{
	struct reader *rd = ctx;
	struct slot s;
	int r;

	if (!count_value(rd))
		return 0;
	r = skip_scalar(rd, !value);
	if (r >= 0)
		return r;
	if (!top(rd))
		return type_error(rd, value ? "true" : "false");
	if (!next_slot(rd, &s))
		return 0;
	if (s.type != FT_BOOL)
		return type_error(rd, value ? "true" : "false");
	*(bool *)s.dst = value != 0;
	return slot_done(rd);
}

static int on_number(void *ctx, const char *text, size_t len)
{
	struct reader *rd = ctx;
	struct slot s;
	int r;

	if (!count_value(rd))
		return 0;
	r = skip_scalar(rd, false);
	if (r >= 0)
		return r;
	if (!top(rd))
		return type_error(rd, "a number");
	return next_slot(rd, &s) && read_number(rd, s.f, s.type, s.dst, text, len) && slot_done(rd);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	struct reader *rd = ctx;
	struct slot s;
	int r;

	if (!count_value(rd))
		return 0;
	r = skip_scalar(rd, !len);
	if (r >= 0)
		return r;
	if (!top(rd))
		return type_error(rd, "a string");
	rd->end = consumed(rd);
	return next_slot(rd, &s) &&
	       read_string(rd, s.f, s.type, s.dst, (const char *)text, len) && slot_done(rd);
}

static int open_depth(struct reader *rd)
{
	if (!count_value(rd))
		return 0;
	if (++rd->depth > LIMIT_JSON_DEPTH)
		return read_fail(rd, ERR_LIMIT, -E2BIG, "%s nests deeper than %u", rd->what,
				 LIMIT_JSON_DEPTH);
	return 1;
}

static int on_start_map(void *ctx)
{
	struct reader *rd = ctx;
	struct frame *fr;
	struct slot s;
	void *obj;

	if (!open_depth(rd))
		return 0;
	if (skip_open(rd))
		return 1;
	if (!rd->frames)
		return push_object(rd, rd->root, rd->out) != NULL;
	if (!next_slot(rd, &s))
		return 0;
	switch (s.type) {
	case FT_OBJ:
		memset(s.dst, 0, ((const struct object *)s.f->sub)->size);
		if (top(rd)->kind == FRAME_MAP)	/* FT_OBJMAP: its first member is the key */
			memcpy(s.dst, &top(rd)->key, sizeof(char *));
		return push_object(rd, s.f->sub, s.dst) != NULL;
	case FT_OBJP:
		obj = arena_alloc(rd->a, ((const struct object *)s.f->sub)->size);
		if (!obj)
			return read_nomem(rd);
		memcpy(s.dst, &obj, sizeof(obj));
		return push_object(rd, s.f->sub, obj) != NULL;
	case FT_MAP: case FT_OBJMAP:
		memset(s.dst, 0, sizeof(struct objv));
		fr = push(rd, FRAME_MAP, s.dst);
		if (fr)
			fr->f = s.f;
		return fr != NULL;
	case FT_BOOL: case FT_I32: case FT_I64: case FT_U32: case FT_U64: case FT_STR: case FT_ENUM:
	case FT_STRV: case FT_ENUMV: case FT_U32V: case FT_OBJV: case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return type_error(rd, "an object");
}

static int known_key(struct reader *rd, struct frame *fr, const struct field *f)
{
	if (seen(fr, f))
		read_warn(rd, "given twice, the last one counts", f->key, strlen(f->key));
	fr->f = f;
	set_seen(fr, f, true);
	if (f->type == FT_IGNORED || f->type == FT_REFUSED) {
		rd->skip_next = true;
		rd->refuse = f->type == FT_REFUSED;
	}
	return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct reader *rd = ctx;
	struct frame *fr = top(rd);
	const char *key = (const char *)text;
	const struct field *f;

	if (rd->skip_depth)
		return 1;
	rd->end = consumed(rd);
	if (fr->kind == FRAME_MAP) {
		fr->key = NULL;		/* a bad key is told by the pointer of its map */
		fr->key = read_text(rd, key, len, false);
		return fr->key != NULL;
	}
	f = field_find(fr->o, key, len);
	if (f)
		return known_key(rd, fr, f);
	fr->f = NULL;
	f = field_find_icase(fr->o, key, len);
	if (f)
		read_warn(rd, "unknown and ignored; keys are spelt exactly", key, len);
	else if (rd->log && rd->log->min <= LOG_DEBUG_LEVEL)
		log_debug(rd->log, "%s: unknown key \"%.*s\" is ignored", rd->what,
			  (int)(len < 100 ? len : 100), key);
	rd->skip_next = true;
	return 1;
}

static int check_required(struct reader *rd, struct frame *fr)
{
	for (unsigned int i = 0; i < fr->o->n; i++) {
		const struct field *f = &fr->o->f[i];

		if (!(f->flags & F_REQUIRED) || seen(fr, f))
			continue;
		fr->f = f;
		return read_fail(rd, ERR_SPEC, 0, "required field missing");
	}
	return 1;
}

static int on_end_map(void *ctx)
{
	struct reader *rd = ctx;
	struct frame *fr = top(rd);

	rd->depth--;
	if (skip_close(rd))
		return 1;
	if (fr->kind == FRAME_OBJECT && !check_required(rd, fr))
		return 0;
	rd->frames--;
	if (fr->kind == FRAME_MAP && !vec_dedup(rd, fr->base, element_size(fr->f)))
		return 0;
	if (fr->kind == FRAME_MAP && (fr->f->flags & F_NONEMPTY) && !vec_len(fr->base))
		return read_fail(rd, ERR_SPEC, 0, "must not be empty");
	return rd->frames ? slot_done(rd) : 1;
}

static int on_start_array(void *ctx)
{
	struct reader *rd = ctx;
	struct frame *fr = top(rd);
	struct slot s;

	if (!open_depth(rd))
		return 0;
	if (skip_open(rd))
		return 1;
	if (!fr)
		return type_error(rd, "an array");
	if (fr->kind != FRAME_OBJECT) {
		fr->index++;
		return type_error(rd, "an array");
	}
	if (!next_slot(rd, &s))
		return 0;
	if (s.type != FT_STRV && s.type != FT_ENUMV && s.type != FT_U32V && s.type != FT_OBJV)
		return type_error(rd, "an array");
	memset(s.dst, 0, sizeof(struct objv));
	fr = push(rd, FRAME_ARRAY, s.dst);
	if (fr)
		fr->f = s.f;
	return fr != NULL;
}

static int on_end_array(void *ctx)
{
	struct reader *rd = ctx;
	struct frame *fr = top(rd);

	rd->depth--;
	if (skip_close(rd))
		return 1;
	rd->frames--;
	if ((fr->f->flags & F_NONEMPTY) && !vec_len(fr->base))
		return read_fail(rd, ERR_SPEC, 0, "must have at least one element");
	return slot_done(rd);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* ---- the library's memory ---- */

#define LIB_BYTES 3072	/* the parser and its buffer of 2048 bytes: most documents need no more */

struct lib_head {
	size_t size;
	max_align_t mem[];
};

static void *lib_malloc(void *ctx, size_t size)
{
	struct reader *rd = ctx;
	struct lib_head *h = size > LIMIT_ARENA_BYTES ? NULL :
			     arena_alloc(&rd->lib, sizeof(*h) + size);

	if (!h)
		longjmp(rd->nomem, 1);
	h->size = size;
	return h->mem;
}

static void *lib_realloc(void *ctx, void *old, size_t size)
{
	void *p = lib_malloc(ctx, size);

	if (old) {
		const struct lib_head *h = (const void *)((char *)old - sizeof(*h));

		memcpy(p, old, h->size < size ? h->size : size);
	}
	return p;
}

static void lib_free(void *ctx, void *p)
{
	/* the arena goes as a whole */
}

static void syntax_error(struct reader *rd, size_t at)
{
	unsigned char *text = yajl_get_error(rd->handle, 0, NULL, 0);
	const char *s = text ? (const char *)text : "syntax error";

	rd->r = err_set(rd->e, ERR_SPEC, 0, rd->what, "not valid JSON at byte %zu: %.*s", at,
			(int)strcspn(s, "\n"), s);
}

static void parse(struct reader *rd, size_t len)
{
	yajl_alloc_funcs funcs = { lib_malloc, lib_realloc, lib_free, rd };
	size_t at;

	if (setjmp(rd->nomem)) {
		read_nomem(rd);
		return;
	}
	rd->handle = yajl_alloc(&callbacks, &funcs, rd);
	if (!rd->handle) {
		read_nomem(rd);
		return;
	}
	/* UTF-8 is ours to judge: some strings may hold any bytes, what is skipped is nobody's. */
	yajl_config(rd->handle, yajl_dont_validate_strings, 1);
	if (yajl_parse(rd->handle, (const unsigned char *)rd->doc, len) != yajl_status_ok) {
		if (!rd->r)
			syntax_error(rd, consumed(rd));
		return;
	}
	at = consumed(rd);	/* completing resets it */
	if (yajl_complete_parse(rd->handle) != yajl_status_ok && !rd->r)
		syntax_error(rd, at);
}

/**
 * json_read() - Parse a document into a struct by descriptor table.
 * @json: document; need not be terminated.
 * @len:  its bytes.
 * @o:    table of the outermost object.
 * @out:  struct of that table, zeroed here.
 * @a:    takes all strings, vectors and objects reached from @out.
 * @what: name of the document in messages ("config.json").
 * @base: JSON pointer put in front of pointers in messages; "" for a whole document.
 * @log:  takes warnings (duplicate and misspelt keys) and debug lines; may be NULL.
 * @e:    set on failure; where is the JSON pointer of the culprit, or @what.
 *
 * A row's check function gets the address of the value in its struct. Rows of
 * vectors: F_NONEMPTY and max are about their length, F_ABSPATH about every
 * element. On failure @out is undefined.
 *
 * Return: 0, -EINVAL for a bad document, -E2BIG beyond a limit, -ENOMEM, or what a check returned.
 */
int json_read(const char *json, size_t len, const struct object *o, void *out, struct arena *a,
	      const char *what, const char *base, const struct log *log, struct err *e)
{
	ARENA_ROOM(room, LIB_BYTES);
	struct reader rd = {
		.root = o, .out = out, .doc = json, .a = a, .what = what, .base = base,
		.log = log, .e = e, .lib = ARENA_ON(room),
	};

	memset(out, 0, o->size);
	if (len > LIMIT_JSON_BYTES)
		return err_set(e, ERR_LIMIT, -E2BIG, what, "is %zu bytes long, at most %u are allowed",
			       len, LIMIT_JSON_BYTES);
	if (len >= 3 && !memcmp(json, "\xef\xbb\xbf", 3))
		return err_set(e, ERR_SPEC, 0, what,
			       "not valid JSON at byte 0: starts with a byte order mark");
	parse(&rd, len);
	arena_fini(&rd.lib);
	return rd.r;
}

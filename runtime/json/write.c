/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C structs into JSON by the tables that read them. A value whose row has a
 * "was set" flag is written only when it was; a NULL string or object is left
 * out; F_OMITEMPTY leaves out what is false, 0 or empty as well.
 */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "text.h"

struct writer {
	struct buf *b;
	bool pretty;
	unsigned int depth;
	int r;
};

static void new_line(struct writer *w)
{
	if (!w->pretty)
		return;
	buf_addc(w->b, '\n');
	for (unsigned int i = 0; i < w->depth; i++)
		buf_adds(w->b, "  ");
}

static void open_bracket(struct writer *w, char c)
{
	buf_addc(w->b, c);
	w->depth++;
}

static void close_bracket(struct writer *w, char c, bool empty)
{
	w->depth--;
	if (!empty)
		new_line(w);
	buf_addc(w->b, c);
}

static void put_key(struct writer *w, const char *key, bool *first)
{
	if (!*first)
		buf_addc(w->b, ',');
	*first = false;
	new_line(w);
	buf_add_json(w->b, key);
	buf_adds(w->b, w->pretty ? ": " : ":");
}

static void put_element(struct writer *w, bool *first)
{
	if (!*first)
		buf_addc(w->b, ',');
	*first = false;
	new_line(w);
}

static void put_object(struct writer *w, const struct object *o, const char *in);

static void put_word(struct writer *w, const struct name *table, int value)
{
	const char *word = names_of(table, value);

	if (word)
		buf_add_json(w->b, word);
	else
		w->r = -EINVAL;		/* no document can say this */
}

static void put_number(struct writer *w, int64_t v)
{
	buf_adds(w->b, text_num(v));
}

static void put_strv(struct writer *w, const struct strv *v)
{
	bool first = true;

	open_bracket(w, '[');
	for (size_t i = 0; i < v->n; i++) {
		put_element(w, &first);
		buf_add_json(w->b, v->v[i]);
	}
	close_bracket(w, ']', first);
}

static void put_intv(struct writer *w, const struct intv *v, const struct name *table)
{
	bool first = true;

	open_bracket(w, '[');
	for (size_t i = 0; i < v->n; i++) {
		put_element(w, &first);
		put_word(w, table, v->v[i]);
	}
	close_bracket(w, ']', first);
}

static void put_u32v(struct writer *w, const struct u32v *v)
{
	bool first = true;

	open_bracket(w, '[');
	for (size_t i = 0; i < v->n; i++) {
		put_element(w, &first);
		put_number(w, v->v[i]);
	}
	close_bracket(w, ']', first);
}

static void put_objv(struct writer *w, const struct objv *v, const struct object *o, bool keyed)
{
	const char *elem = v->v, *key;
	bool first = true;

	open_bracket(w, keyed ? '{' : '[');
	for (size_t i = 0; i < v->n; i++, elem += o->size) {
		if (keyed) {
			memcpy(&key, elem, sizeof(key));
			put_key(w, key, &first);
		} else {
			put_element(w, &first);
		}
		put_object(w, o, elem);
	}
	close_bracket(w, keyed ? '}' : ']', first);
}

static void put_map(struct writer *w, const struct strmap *m)
{
	bool first = true;

	open_bracket(w, '{');
	for (size_t i = 0; i < m->n; i++) {
		put_key(w, m->v[i].key, &first);
		buf_add_json(w->b, m->v[i].val);
	}
	close_bracket(w, '}', first);
}

/* Pointers are read as bytes: the struct's member has its own pointer type. */
static const void *pointer_at(const char *p)
{
	const void *v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool is_empty(const struct field *f, const char *p)
{
	switch ((enum field_type)f->type) {
	case FT_BOOL:
		return !*(const bool *)p;
	case FT_I32: case FT_U32: case FT_ENUM:
		return !*(const uint32_t *)p;
	case FT_I64: case FT_U64:
		return !*(const uint64_t *)p;
	case FT_STR:
		return !*(const char *)pointer_at(p);
	case FT_STRV: case FT_ENUMV: case FT_U32V: case FT_OBJV: case FT_MAP: case FT_OBJMAP:
		return !((const struct objv *)(const void *)p)->n;
	case FT_OBJ: case FT_OBJP: case FT_IGNORED: case FT_REFUSED:
		break;
	}
	return false;
}

static bool is_absent(const struct field *f, const char *in)
{
	const char *p = in + f->off;

	if (f->type == FT_IGNORED || f->type == FT_REFUSED)
		return true;
	if (f->present && !*(const bool *)(in + f->present))
		return true;
	if ((f->type == FT_STR || f->type == FT_OBJP) && !pointer_at(p))
		return true;
	if (f->type == FT_ENUM && !f->present && !*(const int *)(const void *)p &&
	    !names_of(f->sub, 0))
		return true;		/* never set: no word means 0 */
	return (f->flags & F_OMITEMPTY) && is_empty(f, p);
}

static void put_value(struct writer *w, const struct field *f, const char *p)
{
	switch ((enum field_type)f->type) {
	case FT_BOOL:
		buf_adds(w->b, *(const bool *)p ? "true" : "false");
		break;
	case FT_I32:
		put_number(w, *(const int32_t *)(const void *)p);
		break;
	case FT_I64:
		put_number(w, *(const int64_t *)(const void *)p);
		break;
	case FT_U32:
		put_number(w, *(const uint32_t *)(const void *)p);
		break;
	case FT_U64:
		buf_adds(w->b, text_u64((char[TEXT_NUM_SIZE]){ 0 }, *(const uint64_t *)(const void *)p));
		break;
	case FT_STR:
		buf_add_json(w->b, pointer_at(p));
		break;
	case FT_ENUM:
		put_word(w, f->sub, *(const int *)(const void *)p);
		break;
	case FT_STRV:
		put_strv(w, (const void *)p);
		break;
	case FT_ENUMV:
		put_intv(w, (const void *)p, f->sub);
		break;
	case FT_U32V:
		put_u32v(w, (const void *)p);
		break;
	case FT_OBJ:
		put_object(w, f->sub, p);
		break;
	case FT_OBJP:
		put_object(w, f->sub, pointer_at(p));
		break;
	case FT_OBJV: case FT_OBJMAP:
		put_objv(w, (const void *)p, f->sub, f->type == FT_OBJMAP);
		break;
	case FT_MAP:
		put_map(w, (const void *)p);
		break;
	case FT_IGNORED: case FT_REFUSED:
		break;
	}
}

static void put_object(struct writer *w, const struct object *o, const char *in)
{
	bool first = true;

	open_bracket(w, '{');
	for (unsigned int i = 0; i < o->n; i++) {
		if (is_absent(&o->f[i], in))
			continue;
		put_key(w, o->f[i].key, &first);
		put_value(w, &o->f[i], in + o->f[i].off);
	}
	close_bracket(w, '}', first);
}

/**
 * json_write() - Append a struct as a document.
 * @o:      its table.
 * @in:     the struct.
 * @pretty: one value a line, indented by two blanks; else without any blank.
 * @b:      buffer; no newline is added at the end.
 *
 * Return: 0, -ENOMEM, or -EINVAL when an enum holds a value that has no word.
 */
int json_write(const struct object *o, const void *in, bool pretty, struct buf *b)
{
	struct writer w = { .b = b, .pretty = pretty };

	put_object(&w, o, in);
	return w.r ? w.r : buf_ok(b) ? 0 : -ENOMEM;
}

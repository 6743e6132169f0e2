/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages in arenas: unpacking with bounds and checks, packing, Any. */
#include "message.h"
#include <errno.h>
#include <stdio.h>
#include "runtimeoptions.pb-c.h"
#include "ttrpc.pb-c.h"
#include "utf8.h"

/* bytes fields that are bytes; all others are strings (see google.proto). */
static const struct {
	const ProtobufCMessageDescriptor *message;
	unsigned int field;
} raw_fields[] = {
	{ &google__protobuf__any__descriptor, 2 },
	{ &ttrpc__request__descriptor, 3 },
	{ &ttrpc__response__descriptor, 2 },
	{ &runtimeoptions__v1__options__descriptor, 3 },
};

struct allocator {
	ProtobufCAllocator pb;
	struct arena *arena;
	bool failed;
};

/* One byte more, which the arena has zeroed: so each string ends in a NUL. */
static void *pb_alloc(void *data, size_t size)
{
	struct allocator *al = data;
	void *p = size < SIZE_MAX ? arena_alloc(al->arena, size + 1) : NULL;

	if (!p)
		al->failed = true;
	return p;
}

static void pb_free(void *data, void *p)
{
}

static bool is_raw(const ProtobufCMessageDescriptor *d, unsigned int field)
{
	size_t i;

	for (i = 0; i < sizeof(raw_fields) / sizeof(raw_fields[0]); i++)
		if (raw_fields[i].message == d && raw_fields[i].field == field)
			return true;
	return false;
}

static int check_string(const ProtobufCMessageDescriptor *d, const char *name,
			const ProtobufCBinaryData *s, struct err *e)
{
	const char *what = NULL;
	char where[sizeof(e->where)];
	size_t i = 0, n;

	while (i < s->len && !what) {
		n = utf8_len((const char *)s->data + i, s->len - i);
		if (!n)
			what = "is not valid UTF-8";
		else if (!s->data[i])
			what = "holds a NUL byte";
		i += n;
	}
	if (!what)
		return 0;
	snprintf(where, sizeof(where), "%s.%s", d->short_name, name);
	return err_set(e, ERR_SPEC, 0, where, "string %s", what);
}

/*
 * Walk a message by its descriptor. None of our types holds itself, so the
 * depth is that of the types, whatever a peer sends.
 */
static int check_message(const ProtobufCMessage *m, struct err *e)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	unsigned int i;
	size_t k, n;
	int r;

	for (i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		const char *at = (const char *)m + f->offset;
		bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
		const void *v = at;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE &&
		    (f->type != PROTOBUF_C_TYPE_BYTES || is_raw(d, f->id)))
			continue;
		n = 1;
		if (repeated) {
			memcpy(&n, (const char *)m + f->quantifier_offset, sizeof(n));
			memcpy(&v, at, sizeof(v));
		}
		for (k = 0; k < n; k++) {
			if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
				const ProtobufCMessage *sub = ((ProtobufCMessage *const *)v)[k];

				r = sub ? check_message(sub, e) : 0;
			} else {
				r = check_string(d, f->name, (const ProtobufCBinaryData *)v + k, e);
			}
			if (r)
				return r;
		}
	}
	return 0;
}

void *msg_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const void *p, size_t len,
		 struct err *e)
{
	struct allocator al = { .pb = { pb_alloc, pb_free, &al }, .arena = a };
	ProtobufCMessage *m;

	m = protobuf_c_message_unpack(d, &al.pb, len, len ? p : (const void *)"");
	if (!m && al.failed)
		err_set(e, ERR_LIMIT, -ENOMEM, d->short_name,
			"message of %zu bytes needs too much memory", len);
	else if (!m)
		err_set(e, ERR_PEER, 0, d->short_name, "%zu bytes are not a message of this type", len);
	else if (check_message(m, e))
		m = NULL;
	return m;
}

void *msg_new(struct arena *a, const ProtobufCMessageDescriptor *d)
{
	void *m = arena_alloc(a, d->sizeof_message);

	if (m)
		protobuf_c_message_init(d, m);
	return m;
}

void msg_pack(struct buf *b, const void *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);

	if (b->broken || buf_reserve(b, n + 1)) {
		b->broken = true;
		return;
	}
	protobuf_c_message_pack(m, (uint8_t *)b->data + b->len);
	b->len += n;
	b->data[b->len] = '\0';
}

const char *any_name(const Google__Protobuf__Any *any)
{
	const char *url, *slash;

	if (!any)
		return "";
	url = msg_str(&any->type_url);
	slash = strrchr(url, '/');
	return slash ? slash + 1 : url;
}

int any_set(struct arena *a, Google__Protobuf__Any *any, const void *m)
{
	const ProtobufCMessage *base = m;
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *p = arena_alloc(a, n);

	if (!p)
		return -ENOMEM;
	protobuf_c_message_pack(m, p);
	*any = (Google__Protobuf__Any)GOOGLE__PROTOBUF__ANY__INIT;
	any->type_url = msg_set(base->descriptor->name);
	any->value = msg_bytes(p, n);
	return 0;
}

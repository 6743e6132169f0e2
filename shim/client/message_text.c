/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to and from text, by protobuf-c's descriptors. */
#include "message_text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "bootstrap.pb-c.h"
#include "bounds.h"
#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "events.pb-c.h"
#include "fd.h"
#include "fdio.h"
#include "num.h"
#include "runc.pb-c.h"
#include "runtimeoptions.pb-c.h"
#include "task.pb-c.h"
#include "types.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
	&containerd__events__task_create__descriptor,
	&containerd__events__task_start__descriptor,
	&containerd__events__task_delete__descriptor,
	&containerd__events__task_exit__descriptor,
	&containerd__events__task_oom__descriptor,
	&containerd__events__task_exec_added__descriptor,
	&containerd__events__task_exec_started__descriptor,
	&containerd__events__task_paused__descriptor,
	&containerd__events__task_resumed__descriptor,
	&containerd__events__task_checkpointed__descriptor,
	&containerd__runc__v1__options__descriptor,
	&containerd__runc__v1__checkpoint_options__descriptor,
	&containerd__runc__v1__process_details__descriptor,
	&runtimeoptions__v1__options__descriptor,
	&io__containerd__cgroups__v1__metrics__descriptor,
	&io__containerd__cgroups__v2__metrics__descriptor,
	&containerd__runtime__bootstrap__v1__bootstrap_params__descriptor,
	&containerd__runtime__bootstrap__v1__bootstrap_result__descriptor,
	&containerd__types__runtime_info__descriptor,
	&google__protobuf__any__descriptor,
	&cleat__task__delete_response__descriptor,
};

const ProtobufCMessageDescriptor *text_type(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

void *text_new(struct arena *a, const ProtobufCMessageDescriptor *d)
{
	void *m = arena_alloc(a, d->sizeof_message);

	if (m)
		protobuf_c_message_init(d, m);
	return m;
}

/* ---- from text ---------------------------------------------------------------- */

struct setter {
	struct arena *arena;
	const char *text;		/* the whole assignment, for messages */
	const char *value;
	struct err *e;
};

static int set_path(struct setter *s, ProtobufCMessage *m, const char *path);

static int no_memory(struct setter *s)
{
	return err_set(s->e, ERR_LIMIT, -ENOMEM, s->text, "cannot hold the value");
}

static int read_file(struct setter *s, const char *path, ProtobufCBinaryData *out)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_buf b = BUF_INIT;
	void *p;
	int r;

	r = fd < 0 ? -errno : fdio_read_all(fd, &b, LIMIT_JSON_BYTES);
	if (r)
		return err_set(s->e, ERR_SPEC, r, path, "cannot read the value");
	p = arena_memdup(s->arena, b.data, b.len);
	if (!p)
		return no_memory(s);
	*out = msg_bytes(p, b.len);
	return 0;
}

static int set_number(struct setter *s, ProtobufCType type, void *at)
{
	int64_t i = 0;
	uint64_t u = 0;
	uint32_t u32;
	int r;

	switch ((int)type) {
	case PROTOBUF_C_TYPE_UINT32:
		r = num_u32(s->value, &u32);
		if (!r)
			memcpy(at, &u32, sizeof(u32));
		break;
	case PROTOBUF_C_TYPE_UINT64:
		r = num_u64(s->value, UINT64_MAX, &u);
		if (!r)
			memcpy(at, &u, sizeof(u));
		break;
	case PROTOBUF_C_TYPE_INT64:
		r = num_i64(s->value, INT64_MIN, INT64_MAX, &i);
		if (!r)
			memcpy(at, &i, sizeof(i));
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL:
		r = num_i64(s->value, INT32_MIN, INT32_MAX, &i);
		if (!r) {
			int32_t v = (int32_t)i;

			memcpy(at, &v, sizeof(v));
		}
		break;
	default:
		r = -EOPNOTSUPP;
	}
	return r ? err_set(s->e, ERR_SPEC, r, s->text, "not a value of this field") : 0;
}

/* Room for the element that is meant: the last one, or with @append a new one. */
static int pick_element(struct setter *s, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
			bool append, void **at)
{
	size_t size = f->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) :
		      f->type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *) : sizeof(int32_t);
	char *count = (char *)m + f->quantifier_offset, *list;
	size_t n;

	memcpy(&n, count, sizeof(n));
	memcpy(&list, (char *)m + f->offset, sizeof(list));
	if (append || !n) {
		list = arena_grow(s->arena, list, n * size, (n + 1) * size);
		if (!list)
			return no_memory(s);
		n++;
		memcpy(count, &n, sizeof(n));
		memcpy((char *)m + f->offset, &list, sizeof(list));
	}
	*at = list + (n - 1) * size;
	return 0;
}

/* Set a field of the message that an Any holds: open it, set, pack it again. */
static int set_in_any(struct setter *s, Google__Protobuf__Any *any, const char *path)
{
	const char *colon = strchr(path, ':');
	const ProtobufCMessageDescriptor *d;
	const char *name;
	void *m;
	int r;

	name = colon ? arena_strndup(s->arena, path, (size_t)(colon - path)) : path;
	d = name ? text_type(name) : NULL;
	if (!d)
		return err_set(s->e, ERR_SPEC, 0, s->text, "unknown message type");
	m = any->value.len ? msg_unpack(s->arena, d, any->value.data, any->value.len, s->e) :
			     text_new(s->arena, d);
	if (!m)
		return any->value.len ? -EINVAL : no_memory(s);
	r = colon ? set_path(s, m, colon + 1) : 0;
	if (!r && any_set(s->arena, any, m))
		r = no_memory(s);
	return r;
}

static int set_message(struct setter *s, const ProtobufCFieldDescriptor *f, void *at,
		       const char *rest)
{
	ProtobufCMessage *sub;

	memcpy(&sub, at, sizeof(sub));
	if (!sub) {
		sub = text_new(s->arena, f->descriptor);
		if (!sub)
			return no_memory(s);
		memcpy(at, &sub, sizeof(sub));
	}
	if (*rest == ':' && sub->descriptor == &google__protobuf__any__descriptor)
		return set_in_any(s, (Google__Protobuf__Any *)sub, rest + 1);
	if (*rest != '.')
		return err_set(s->e, ERR_SPEC, 0, s->text, "%s is a message, not a value", f->name);
	return set_path(s, sub, rest + 1);
}

static int set_path(struct setter *s, ProtobufCMessage *m, const char *path)
{
	size_t n = strcspn(path, ".:+=");
	const ProtobufCFieldDescriptor *f = NULL;
	const char *rest = path + n;
	bool append = *rest == '+';
	unsigned int i;
	void *at;
	int r;

	for (i = 0; i < m->descriptor->n_fields && !f; i++)
		if (strlen(m->descriptor->fields[i].name) == n &&
		    !memcmp(m->descriptor->fields[i].name, path, n))
			f = &m->descriptor->fields[i];
	if (!f)
		return err_set(s->e, ERR_SPEC, 0, s->text, "%s has no such field",
			       m->descriptor->short_name);
	at = (char *)m + f->offset;
	if (append)
		rest++;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		r = pick_element(s, m, f, append || f->type != PROTOBUF_C_TYPE_MESSAGE, &at);
		if (r)
			return r;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return set_message(s, f, at, rest);
	if (*rest != '=')
		return err_set(s->e, ERR_SPEC, 0, s->text, "%s is a value, not a message", f->name);
	if (f->type != PROTOBUF_C_TYPE_BYTES)
		return set_number(s, f->type, at);
	if (*s->value == '@')
		return read_file(s, s->value + 1, at);
	*(ProtobufCBinaryData *)at = msg_set(s->value);
	return 0;
}

int text_set(struct arena *a, void *m, const char *assignment, struct err *e)
{
	const char *eq = strchr(assignment, '=');
	struct setter s = { a, assignment, NULL, e };

	if (!eq)
		return err_set(e, ERR_SPEC, 0, assignment, "not of the form name=value");
	s.value = arena_strdup(a, eq + 1);
	if (!s.value)
		return no_memory(&s);
	return set_path(&s, m, assignment);
}

/* ---- to text -------------------------------------------------------------------- */

struct printer {
	struct buf *out;
	const char *sep;
	struct arena arena;		/* names and unpacked messages */
};

static void print_message(struct printer *p, const char *prefix, const ProtobufCMessage *m);

static void print_bytes(struct printer *p, const ProtobufCBinaryData *d)
{
	size_t i;

	for (i = 0; i < d->len; i++) {
		uint8_t c = d->data[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			buf_addf(p->out, "\\x%02x", c);
		else
			buf_addc(p->out, (char)c);
	}
}

static void print_any(struct printer *p, const char *name, const Google__Protobuf__Any *any)
{
	const ProtobufCMessageDescriptor *d = text_type(any_name(any));
	const ProtobufCMessage *m = NULL;

	buf_addf(p->out, "%s.type_url=", name);
	print_bytes(p, &any->type_url);
	buf_adds(p->out, p->sep);
	if (d)
		m = msg_unpack(&p->arena, d, any->value.data, any->value.len, NULL);
	if (m) {
		print_message(p, name, m);
		return;
	}
	buf_addf(p->out, "%s.value=", name);
	print_bytes(p, &any->value);
	buf_adds(p->out, p->sep);
}

static void print_inner(struct printer *p, const char *name, const ProtobufCMessage *m)
{
	if (m->descriptor == &google__protobuf__any__descriptor) {
		print_any(p, name, (const Google__Protobuf__Any *)m);
	} else if (m->descriptor == &google__protobuf__timestamp__descriptor) {
		const Google__Protobuf__Timestamp *t = (const Google__Protobuf__Timestamp *)m;

		buf_addf(p->out, "%s=%" PRId64 ".%09" PRId32 "%s", name, t->seconds, t->nanos, p->sep);
	} else {
		print_message(p, name, m);
	}
}

static void print_enum(struct printer *p, const ProtobufCEnumDescriptor *d, int32_t v)
{
	const ProtobufCEnumValue *ev = protobuf_c_enum_descriptor_get_value(d, v);

	if (ev)
		buf_adds(p->out, ev->name);
	else
		buf_addf(p->out, "%" PRId32, v);
}

static void print_value(struct printer *p, const ProtobufCFieldDescriptor *f, const void *at)
{
	switch ((int)f->type) {
	case PROTOBUF_C_TYPE_BYTES:
		print_bytes(p, at);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		buf_addf(p->out, "%" PRIu32, *(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
		buf_addf(p->out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
		buf_addf(p->out, "%" PRId64, *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		buf_addf(p->out, "%.2f", *(const double *)at);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		print_enum(p, f->descriptor, *(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_BOOL:
		buf_addf(p->out, "%" PRId32, *(const int32_t *)at);
		break;
	default:
		buf_adds(p->out, "?");
	}
}

static size_t value_size(ProtobufCType type)
{
	switch ((int)type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t);
	}
}

static void print_one(struct printer *p, const char *name, const ProtobufCFieldDescriptor *f,
		      const void *at)
{
	const ProtobufCMessage *sub;

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		memcpy(&sub, at, sizeof(sub));
		if (sub)
			print_inner(p, name, sub);
		return;
	}
	buf_addf(p->out, "%s=", name);
	print_value(p, f, at);
	buf_adds(p->out, p->sep);
}

static void print_message(struct printer *p, const char *prefix, const ProtobufCMessage *m)
{
	unsigned int i;
	size_t k, n;

	for (i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const char *at = (const char *)m + f->offset, *name, *list;

		name = arena_printf(&p->arena, "%s%s%s", prefix, *prefix ? "." : "", f->name);
		if (!name) {
			p->out->broken = true;
			return;
		}
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			print_one(p, name, f, at);
			continue;
		}
		memcpy(&n, (const char *)m + f->quantifier_offset, sizeof(n));
		memcpy(&list, at, sizeof(list));
		for (k = 0; k < n; k++) {
			const char *nth = arena_printf(&p->arena, "%s.%zu", name, k);

			if (nth)
				print_one(p, nth, f, list + k * value_size(f->type));
		}
	}
}

void text_add(struct buf *b, const void *m, const char *sep)
{
	struct printer p = { b, sep, ARENA_INIT };

	print_message(&p, "", m);
	arena_fini(&p.arena);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_MESSAGE_H
#define CLEAT_MESSAGE_H
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "google.pb-c.h"

/*
 * Messages in arenas. msg_unpack() is the one way to read a message: all of
 * it lies in the arena (never call free_unpacked), its size is bounded, and
 * every string was checked: UTF-8, no NUL inside, NUL-terminated in memory.
 */

/**
 * msg_unpack() - Read a message.
 * Return: the message; NULL with @e filled: ERR_PEER (not a message of this
 * type), ERR_SPEC (a string that is not UTF-8 or holds NUL, field named) or
 * ERR_LIMIT (more memory than the arena may take).
 */
void *msg_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const void *p, size_t len,
		 struct err *e);
/** msg_new() - A message of type @d with all fields at their defaults; NULL: out of memory. */
void *msg_new(struct arena *a, const ProtobufCMessageDescriptor *d);
/** msg_pack() - Append @m (a generated message struct) to @b, which may become broken. */
void msg_pack(struct buf *b, const void *m);

/** msg_str() - A string field, "" when it is absent. */
static inline const char *msg_str(const ProtobufCBinaryData *f)
{
	return f->data ? (const char *)f->data : "";
}

/** msg_set() - A string field to be packed; @s (NULL: empty) is borrowed. */
static inline ProtobufCBinaryData msg_set(const char *s)
{
	return (ProtobufCBinaryData){ s ? strlen(s) : 0, (uint8_t *)(uintptr_t)s };
}

/** msg_bytes() - A raw bytes field to be packed; borrowed. */
static inline ProtobufCBinaryData msg_bytes(const void *p, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)p };
}

/** any_name() - Type name of an Any: what follows the last '/' of its URL; "" for NULL. */
const char *any_name(const Google__Protobuf__Any *any);
/**
 * any_set() - Fill @any with @m packed into the arena; the type URL is the message's full
 * name. Return: 0 or -ENOMEM.
 */
int any_set(struct arena *a, Google__Protobuf__Any *any, const void *m);
#endif

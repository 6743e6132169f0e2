/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_MESSAGE_TEXT_H
#define CLEAT_MESSAGE_TEXT_H
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "message.h"

/* Messages as text, by their descriptors: for people, scripts and tests. */

/**
 * text_type() - Descriptor of a message by its full name ("containerd.events.TaskExit"),
 * or NULL.
 */
const ProtobufCMessageDescriptor *text_type(const char *name);
/** text_new() - An empty message of type @d in the arena, or NULL. */
void *text_new(struct arena *a, const ProtobufCMessageDescriptor *d);

/**
 * text_set() - Set one field from "path=value".
 *
 * path: "id", "io.stdin" (a message inside), "rootfs+.type" (append to a
 * repeated field; without the '+' its last element is meant) or
 * "options:containerd.runc.v1.Options:io_uid" (the message in an Any).
 * value: a number, 0 or 1, text, or for text "@FILE".
 */
int text_set(struct arena *a, void *m, const char *assignment, struct err *e);

/**
 * text_add() - Append all fields of @m as "name=value", @sep after each.
 * Fields of inner messages are "outer.name", elements "outer.0.name", times
 * "seconds.nanos"; an Any shows its type_url and the fields of a known type.
 */
void text_add(struct buf *b, const void *m, const char *sep);
#endif

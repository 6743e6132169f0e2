/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_BUF_H
#define CLEAT_BUF_H
#include <stdbool.h>
#include <stddef.h>

/*
 * Growing byte buffer on the heap, or in an array of the caller's as long as that does. A failed append makes it "broken": later
 * appends do nothing and buf_ok() tells once, at the end. data is always
 * NUL-terminated (the NUL is not counted) once anything was appended.
 */
struct buf {
	char *data;
	size_t len, cap;
	bool broken;
	bool borrowed;	/* data is the caller's array */
};
#define BUF_INIT ((struct buf){ 0 })
/** BUF_ON() - Begin in @array, which outlives the buffer: with musl a page is mapped and unmapped for each one of heap. */
#define BUF_ON(array) ((struct buf){ .data = (array), .cap = sizeof(array), .borrowed = true })

void buf_add(struct buf *b, const void *p, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/**
 * buf_add_json() - Append @s as a JSON string: control characters escaped, bytes that are not UTF-8 replaced by U+FFFD,
 * "/" as it is.
 */
void buf_add_json(struct buf *b, const char *s);
/** buf_reserve() - Room for @more bytes past len; -ENOMEM when there is none. */
int buf_reserve(struct buf *b, size_t more);
void buf_reset(struct buf *b);
void buf_fini(struct buf *b);
static inline bool buf_ok(const struct buf *b) { return !b->broken; }
#define auto_buf __attribute__((cleanup(buf_fini))) struct buf
#endif

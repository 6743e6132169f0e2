/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arena: chained blocks, bump allocation, one free. */
#include "arena.h"
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bounds.h"
#include "text.h"

/* Data of a block: the first is small, as most requests need no more. Both fill a size of musl's allocator. */
#define ARENA_FIRST 1984u
#define ARENA_BLOCK 8128u
#define ARENA_ALIGN alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size, used;	/* of data */
	alignas(max_align_t) char data[];
};

static size_t round_up(size_t n)
{
	return (n + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
}

/* A block for @need bytes; what the caller has lent is the first one if they fit. */
static struct arena_block *new_block(const struct arena *a, size_t need)
{
	struct arena_block *b = a->head ? NULL : a->room;
	size_t cap = a->head ? ARENA_BLOCK : ARENA_FIRST;

	if (b && a->room_size >= sizeof(*b) && a->room_size - sizeof(*b) >= need) {
		cap = a->room_size - sizeof(*b);
	} else {
		if (need > (a->head ? cap / 4 : cap))
			cap = need;
		b = malloc(sizeof(*b) + cap);
		if (!b)
			return NULL;
	}
	b->size = cap;
	b->used = 0;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = round_up(size ? size : 1), limit = a->limit ? a->limit : LIMIT_ARENA_BYTES;
	struct arena_block *b = a->head;
	void *p;

	if (need < size || need > limit || a->used > limit - need)
		return NULL;
	if (!b || b->size - b->used < need) {
		b = new_block(a, need);
		if (!b)
			return NULL;
		/* A large block of its own goes behind, so that the head keeps serving small ones. */
		if (a->head && b->size == need) {
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	/* Only what is handed out is touched, and zeroed. */
	return memset(p, 0, need);
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	size_t o = round_up(old_size ? old_size : 1), n = round_up(new_size ? new_size : 1);
	size_t limit = a->limit ? a->limit : LIMIT_ARENA_BYTES;
	struct arena_block *b = a->head;
	void *p;

	if (old && new_size <= old_size)
		return old;
	if (old && b && (char *)old + o == b->data + b->used && b->size - b->used >= n - o &&
	    n >= new_size && a->used <= limit - (n - o)) {
		memset(b->data + b->used, 0, n - o);
		b->used += n - o;
		a->used += n - o;
		return old;
	}
	p = arena_alloc(a, new_size);
	if (p && old)
		memcpy(p, old, old_size);
	return p;
}

void *arena_memdup(struct arena *a, const void *src, size_t len)
{
	void *p = arena_alloc(a, len);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (p && len)
		memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_join_v(struct arena *a, const char *const *v, size_t n)
{
	size_t size = 1, i;
	char *p;

	for (i = 0; i < n; i++)
		size += v[i] ? strlen(v[i]) : 0;
	p = arena_alloc(a, size);
	if (p)
		text_join_v(p, size, v, n);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		p = arena_alloc(a, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return p;
}

void arena_fini(struct arena *a)
{
	struct arena_block *b = a->head, *next;

	for (; b; b = next) {
		next = b->next;
		if (b != a->room)
			free(b);
	}
	a->head = NULL;
	a->used = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_ARENA_H
#define CLEAT_ARENA_H
#include <stddef.h>

/*
 * One arena per lifetime: a parsed bundle, an RPC request, a CLI run. What is
 * allocated is zeroed, is never freed one by one, and goes with the arena.
 */
struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used;		/* bytes handed out in total */
	size_t limit;		/* -ENOMEM beyond; 0: LIMIT_ARENA_BYTES */
	void *room;		/* the caller's memory, used before any of the heap; NULL: none */
	size_t room_size;
};
#define ARENA_INIT ((struct arena){ 0 })
/**
 * ARENA_ON() - Begin in @array of ARENA_ROOM(), which outlives the arena and all that is taken from it: with musl a
 * block of heap is a mapping that is made, touched twice and unmapped.
 */
#define ARENA_ON(array) ((struct arena){ .room = (array), .room_size = sizeof(array) })
/** ARENA_ROOM() - Declare @name, an array for ARENA_ON() of @bytes. */
#define ARENA_ROOM(name, bytes) _Alignas(max_align_t) char name[bytes]

/** arena_alloc() - @size zeroed bytes aligned for any type; NULL when memory or the limit is out. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2)));
/** arena_grow() - @old enlarged (in place when it was the last allocation); new bytes are zero. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size);
/** arena_strdup(), arena_memdup() - Copies; the string form stops at @len and adds a NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
void *arena_memdup(struct arena *a, const void *p, size_t len);
/** arena_join() - The strings given, one after the other; NULL is none. NULL when out of memory. */
#define arena_join(a, ...)							\
	arena_join_v(a, (const char *const[]){ __VA_ARGS__ },			\
		     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
char *arena_join_v(struct arena *a, const char *const *v, size_t n);
/** arena_printf() - Formatted string; NULL when out of memory. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** arena_fini() - Give all blocks back; the arena may be used again. */
void arena_fini(struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define auto_arena __attribute__((cleanup(arena_fini))) struct arena
#endif

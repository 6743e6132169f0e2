/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools: chunks of slots that are not inherited. */
#include "pool.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FEW 16
#define CHUNK (64u << 10)
#define ALIGN 16u

/* Ahead of each struct. */
struct slot {
	struct pool_chunk *chunk;	/* NULL: malloc's */
	struct slot *next;		/* while it is free */
};
_Static_assert(sizeof(struct slot) <= ALIGN, "what follows it is aligned");

struct pool_chunk {
	struct pool_chunk *next;
	struct slot *free;
	unsigned int used, begun;	/* slots; those from begun on have never been used */
};
#define CHUNK_HEAD ((sizeof(struct pool_chunk) + ALIGN - 1) / ALIGN * ALIGN)

static size_t slot_size(const struct pool *p)
{
	return ALIGN + (p->size + ALIGN - 1) / ALIGN * ALIGN;
}

static unsigned int slots(const struct pool *p)
{
	return (unsigned int)((CHUNK - CHUNK_HEAD) / slot_size(p));
}

static struct pool_chunk *chunk_new(struct pool *p)
{
	struct pool_chunk *c;

	if (!slots(p))
		return NULL;
	c = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	/* A child that has it all the same is slower, no more. */
	madvise(c, CHUNK, MADV_DONTFORK);
	c->next = p->chunks;
	p->chunks = c;
	return c;
}

static struct slot *chunk_slot(struct pool *p)
{
	struct pool_chunk *c = p->chunks;
	struct slot *s;

	while (c && c->used == slots(p))
		c = c->next;
	if (!c)
		c = chunk_new(p);
	if (!c)
		return NULL;
	c->used++;
	s = c->free;
	if (s)
		c->free = s->next;
	else
		s = (struct slot *)(void *)((char *)c + CHUNK_HEAD + c->begun++ * slot_size(p));
	memset(s, 0, slot_size(p));
	s->chunk = c;
	return s;
}

void *pool_alloc(struct pool *p, size_t size)
{
	struct slot *s;

	p->size = size;
	s = p->n < FEW ? NULL : chunk_slot(p);
	if (!s)
		s = calloc(1, slot_size(p));
	if (!s)
		return NULL;
	p->n++;
	return (char *)s + ALIGN;
}

static void chunk_free(struct pool *p, struct pool_chunk *c)
{
	struct pool_chunk **at = &p->chunks;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	munmap(c, CHUNK);
}

void pool_free(struct pool *p, void *v)
{
	struct slot *s = v ? (struct slot *)(void *)((char *)v - ALIGN) : NULL;
	struct pool_chunk *c;

	if (!s)
		return;
	p->n--;
	c = s->chunk;
	if (!c) {
		free(s);
		return;
	}
	s->next = c->free;
	c->free = s;
	if (!--c->used)
		chunk_free(p, c);
}

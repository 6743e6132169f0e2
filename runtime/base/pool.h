/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_POOL_H
#define CLEAT_POOL_H
#include <stddef.h>

/*
 * Structs of one size that forked processes do without. A fork copies the
 * page tables of all memory, and its exit takes them apart again: of two MiB
 * that costs more than what the process is forked for. Memory of a pool is
 * not there in the child at all: it must not touch what comes from one, and
 * is killed (SIGSEGV) if it does. The first few are ordinary memory, for a
 * process that has no more of them than that.
 */
struct pool_chunk;
/** struct pool - Zero: empty. */
struct pool {
	size_t size;			/* of a struct, from the first one on */
	unsigned int n;			/* in use */
	struct pool_chunk *chunks;
};

/** pool_alloc() - A zeroed struct of @size, the same for all of a pool, aligned for any type; NULL: out of memory. */
void *pool_alloc(struct pool *p, size_t size);
/** pool_free() - Give @v back, which may be NULL. What is empty goes back to the kernel. */
void pool_free(struct pool *p, void *v);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TABLE_H
#define CLEAT_TABLE_H
#include <stdint.h>

/*
 * What is looked up among many: a hash table of nodes that are members of the
 * structs they find. It cannot fail: a few nodes are one list, and without
 * memory to grow the lists become longer, no more.
 */

/** struct table_node - Zero: in no table. */
struct table_node {
	struct table_node *next;
	uint32_t key;
};

/** struct table - Zero: empty. */
struct table {
	struct table_node **slots;	/* NULL: all are in @few */
	struct table_node *few;
	uint32_t size;			/* of slots; a power of two */
	uint32_t n;
};

/** table_add() - @node, which is in no table, is found by @key from now on. */
void table_add(struct table *t, struct table_node *node, uint32_t key);
/** table_del() - Take @node out, if it is in. */
void table_del(struct table *t, struct table_node *node);
/** table_first(), table_next() - All nodes of a key, in no order; different things may have the same. NULL: no more. */
struct table_node *table_first(const struct table *t, uint32_t key);
struct table_node *table_next(const struct table_node *node);
/** table_text() - A key of a string. */
uint32_t table_text(const char *s);
/** table_fini() - Free what the table itself has; its nodes are not touched. */
void table_fini(struct table *t);
#endif

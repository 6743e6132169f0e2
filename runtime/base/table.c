/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash tables of nodes that their owners embed. */
#include "table.h"
#include <stdlib.h>

#define FEW 16		/* then slots are made, and more of them at two nodes for each */
#define STEP 4

static struct table_node **slot_of(const struct table *t, uint32_t key)
{
	/* Keys are often numbers in a row: the upper bits of the product differ most. */
	return &t->slots[(key * 0x9e3779b1u) >> 16 & (t->size - 1)];
}

static struct table_node *chain(const struct table *t, uint32_t key)
{
	return t->slots ? *slot_of(t, key) : t->few;
}

static void push(struct table *t, struct table_node *node)
{
	struct table_node **at = t->slots ? slot_of(t, node->key) : &t->few;

	node->next = *at;
	*at = node;
}

static void move(struct table *t, struct table_node *list)
{
	struct table_node *node;

	while ((node = list)) {
		list = node->next;
		push(t, node);
	}
}

static void grow(struct table *t)
{
	struct table old = *t;
	uint32_t size = old.slots ? old.size * STEP : FEW * STEP;
	struct table_node **slots = size <= 1u << 16 ? calloc(size, sizeof(*slots)) : NULL;

	if (!slots)
		return;
	t->slots = slots;
	t->size = size;
	t->few = NULL;
	move(t, old.few);
	for (uint32_t i = 0; old.slots && i < old.size; i++)
		move(t, old.slots[i]);
	free(old.slots);
}

void table_add(struct table *t, struct table_node *node, uint32_t key)
{
	if (t->n >= (t->slots ? 2 * t->size : FEW))
		grow(t);
	node->key = key;
	push(t, node);
	t->n++;
}

void table_del(struct table *t, struct table_node *node)
{
	struct table_node **at = t->slots ? slot_of(t, node->key) : &t->few;

	while (*at && *at != node)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = node->next;
	*node = (struct table_node){ 0 };
	t->n--;
}

struct table_node *table_next(const struct table_node *node)
{
	struct table_node *at = node->next;

	while (at && at->key != node->key)
		at = at->next;
	return at;
}

struct table_node *table_first(const struct table *t, uint32_t key)
{
	struct table_node *at = chain(t, key);

	while (at && at->key != key)
		at = at->next;
	return at;
}

uint32_t table_text(const char *s)
{
	uint32_t key = 2166136261u;	/* FNV-1a */

	for (; *s; s++)
		key = (key ^ (uint8_t)*s) * 16777619u;
	return key;
}

void table_fini(struct table *t)
{
	free(t->slots);
	*t = (struct table){ 0 };
}

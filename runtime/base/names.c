/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name/value tables and descriptor look-up. */
#include "names.h"
#include <string.h>
#include <strings.h>
#include "field.h"

const struct name *names_find(const struct name *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

const char *names_of(const struct name *table, int64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

const struct field *field_find(const struct object *o, const char *key, size_t len)
{
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if ((!len || o->f[i].key[0] == key[0]) && strlen(o->f[i].key) == len &&
		    !memcmp(o->f[i].key, key, len))	/* @key may hold a NUL */
			return &o->f[i];
	return NULL;
}

const struct field *field_find_icase(const struct object *o, const char *key, size_t len)
{
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if (strlen(o->f[i].key) == len && !strncasecmp(o->f[i].key, key, len))
			return &o->f[i];
	return NULL;
}

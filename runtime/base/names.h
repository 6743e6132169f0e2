/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_NAMES_H
#define CLEAT_NAMES_H
#include <stdint.h>

/** struct name - A row of a name/value table; tables end with a NULL name. */
struct name {
	const char *name;
	int64_t value;
};

/** names_find() - Row of @name (exact match), or NULL. */
const struct name *names_find(const struct name *table, const char *name);
/** names_of() - First name of @value, or NULL. */
const char *names_of(const struct name *table, int64_t value);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_JSON_H
#define CLEAT_JSON_H
#include <stddef.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "field.h"
#include "log.h"

/**
 * json_read() - Parse a document into @out by descriptor table (yajl's streaming callbacks, no tree).
 * @base: JSON pointer put in front of messages ("" for a whole document).
 * @what: names the document in messages ("config.json").
 *
 * Limits of limits.h apply; unknown keys are skipped (debug line; warning when one equals a known key
 * ignoring case); duplicate keys: the last wins, with a warning; null is absent; NUL in strings is refused.
 * Return: 0, or -EINVAL with @e->where the JSON pointer of the culprit, or -ENOMEM/-E2BIG.
 */
int json_read(const char *json, size_t len, const struct object *o, void *out, struct arena *a,
	      const char *what, const char *base, const struct log *log, struct err *e);
/** json_write() - Append the document of @in to @b, by the same tables. @pretty: indented by two blanks. */
int json_write(const struct object *o, const void *in, bool pretty, struct buf *b);
#endif

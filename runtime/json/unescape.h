/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UNESCAPE_H
#define CLEAT_UNESCAPE_H
#include <stdbool.h>
#include <stddef.h>

/**
 * json_raw_string() - Find the text between the quotes of a string, given where it ends.
 * @doc: the document; @end: offset just past the closing quote.
 * Return: start of the text; *@len its length.
 */
const char *json_raw_string(const char *doc, size_t end, size_t *len);
/**
 * json_unescape() - Decode that text (syntax already checked by the lexer).
 * @out: room for @len bytes: decoding never grows.
 * @lone: set when a surrogate had no partner; U+FFFD stands in its place.
 * Return: bytes written.
 */
size_t json_unescape(const char *raw, size_t len, char *out, bool *lone);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UTF8_H
#define CLEAT_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** utf8_len() - Bytes of the valid sequence at @p (at most @n), or 0: surrogates and overlong forms are invalid. */
size_t utf8_len(const char *p, size_t n);
/** utf8_valid() - Are all @n bytes of @p valid UTF-8? */
bool utf8_valid(const char *p, size_t n);
/** utf8_put() - Encode @cp (up to 0x10ffff, not checked for surrogates) into @out; returns 1 to 4 bytes. */
size_t utf8_put(uint32_t cp, char out[4]);
/** utf8_copy() - Copy @s into @out, cut to @size at a whole character, with '?' for bytes that are not UTF-8. */
void utf8_copy(char *out, size_t size, const char *s);
#endif

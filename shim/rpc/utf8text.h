/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UTF8TEXT_H
#define CLEAT_UTF8TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** utf8_sequence() - Length of the valid UTF-8 sequence at @p, which has @n bytes; 0: none. */
size_t utf8_sequence(const uint8_t *p, size_t n);
/**
 * utf8_text() - Copy @s into @out, cut to @size at a whole character, with '?' for bytes
 * that are not UTF-8.
 */
void utf8_text(char *out, size_t size, const char *s);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TEXT_H
#define CLEAT_TEXT_H
#include <stddef.h>
#include <stdint.h>

/*
 * Paths, names and lines of control files are strings and numbers one after the other. snprintf() takes a thousand
 * instructions for such a text, more than the call that the text is for; it is for messages.
 */

/**
 * text_join() - The strings given, one after the other; NULL is none.
 * @out: terminated in any case; what does not fit is left out.
 * Return: the length, or -ENAMETOOLONG when something was left out.
 */
#define text_join(out, size, ...)						\
	text_join_v(out, size, (const char *const[]){ __VA_ARGS__ },		\
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
int text_join_v(char *out, size_t size, const char *const *v, size_t n);

#define TEXT_NUM_SIZE sizeof("-9223372036854775808")
/** text_u64(), text_i64() - @v in decimal digits, somewhere in @out. Return: where the text begins. */
const char *text_u64(char out[TEXT_NUM_SIZE], uint64_t v);
const char *text_i64(char out[TEXT_NUM_SIZE], int64_t v);
/** text_num() - The digits of @v (which an int64_t holds) as long as the block is not left. */
#define text_num(v) text_i64((char[TEXT_NUM_SIZE]){ 0 }, (int64_t)(v))
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings and numbers one after the other. */
#include "text.h"
#include <errno.h>
#include <stdbool.h>

int text_join_v(char *out, size_t size, const char *const *v, size_t n)
{
	size_t at = 0, i;
	bool cut = false;

	for (i = 0; i < n && !cut; i++) {
		const char *s = v[i];

		for (; s && *s && at < size - 1; s++)
			out[at++] = *s;
		cut |= s && *s;
	}
	out[at] = 0;
	return cut ? -ENAMETOOLONG : (int)at;
}

static char *digits(char out[TEXT_NUM_SIZE], uint64_t v)
{
	char *p = out + TEXT_NUM_SIZE - 1;

	*p = 0;
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return p;
}

const char *text_u64(char out[TEXT_NUM_SIZE], uint64_t v)
{
	return digits(out, v);
}

const char *text_i64(char out[TEXT_NUM_SIZE], int64_t v)
{
	char *p = digits(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

	if (v < 0)
		*--p = '-';
	return p;
}

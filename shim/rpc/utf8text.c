/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 as protobuf's strings want it. */
#include "utf8text.h"
#include <string.h>

size_t utf8_sequence(const uint8_t *p, size_t n)
{
	size_t len, i;

	if (!n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	len = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
	      p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
	if (!len || len > n)
		return 0;
	for (i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

void utf8_text(char *out, size_t size, const char *s)
{
	size_t left = strlen(s), n;

	for (; left; s += n, left -= n) {
		size_t put = utf8_sequence((const uint8_t *)s, left);

		n = put ? put : 1;
		if (n >= size)
			break;
		if (put)
			memcpy(out, s, n);
		else
			*out = '?';
		out += n;
		size -= n;
	}
	*out = '\0';
}

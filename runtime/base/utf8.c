/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-8 as RFC 3629 defines it: what readers demand of strings that name
 * something, and what writers need to know to replace what is invalid.
 */
#include "utf8.h"
#include <string.h>

/**
 * utf8_len() - Length of the sequence at @p.
 * @p: bytes, need not be terminated.
 * @n: bytes available.
 *
 * Return: 1 to 4, or 0 when @p does not start a valid sequence (or @n is 0).
 */
size_t utf8_len(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned int lo = 0x80, hi = 0xbf;
	size_t len;

	if (!n)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	/* The second byte carries the bans on overlong forms, surrogates and what is past 0x10ffff. */
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/**
 * utf8_valid() - Check a whole string.
 * @p: bytes, need not be terminated.
 * @n: their number.
 */
bool utf8_valid(const char *p, size_t n)
{
	while (n) {
		size_t len = (unsigned char)*p < 0x80 ? 1 : utf8_len(p, n);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/**
 * utf8_put() - Encode one code point.
 * @cp:  code point up to 0x10ffff.
 * @out: room for four bytes; not terminated.
 *
 * Return: bytes written.
 */
size_t utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/**
 * utf8_copy() - Copy for a peer that refuses a whole message for one bad byte.
 * @out: at least one byte of room; always terminated.
 */
void utf8_copy(char *out, size_t size, const char *s)
{
	size_t left = strlen(s), n;

	for (; left; s += n, left -= n) {
		size_t put = utf8_len(s, left);

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
	*out = 0;
}

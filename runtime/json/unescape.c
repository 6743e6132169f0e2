/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * String escapes. The parser library decodes them too, but turns a lone high
 * surrogate into '?' and a lone low one into bytes that are not UTF-8 without
 * telling, so that two different documents would name the same path. Strings
 * with a backslash are therefore decoded here from the document's own text.
 */
#include <stdint.h>
#include "unescape.h"
#include "utf8.h"

/**
 * json_raw_string() - The text of the string that ends at @end.
 * @doc: whole document.
 * @end: offset just past the closing quote.
 * @len: length of the text without its quotes.
 *
 * A quote inside a string has an odd number of backslashes before it, the
 * opening one has none: so walking back finds the start in linear time.
 */
const char *json_raw_string(const char *doc, size_t end, size_t *len)
{
	size_t start = end - 1;

	for (;;) {
		size_t slashes = 0;

		while (start > 0 && doc[start - 1] != '"')
			start--;
		/* doc[start - 1] is a quote (or the document's start, which the lexer excludes) */
		while (start >= slashes + 2 && doc[start - 2 - slashes] == '\\')
			slashes++;
		if (!(slashes & 1))
			break;
		start--;
	}
	*len = end - 1 - start;
	return doc + start;
}

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

/* Code point of the \u escape at @p (on the backslash); *@used bytes of text were taken. */
static uint32_t unicode_escape(const char *p, size_t left, size_t *used, bool *lone)
{
	uint32_t hi = hex4(p + 2), lo;

	*used = 6;
	if (hi < 0xd800 || hi > 0xdfff)
		return hi;
	if (hi < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
		lo = hex4(p + 8);
		if (lo >= 0xdc00 && lo <= 0xdfff) {
			*used = 12;
			return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
		}
	}
	*lone = true;
	return 0xfffd;
}

/**
 * json_unescape() - Decode the text of a string.
 * @raw:  text between the quotes; the lexer has seen that its escapes are complete.
 * @len:  its length.
 * @out:  room for @len bytes, not terminated.
 * @lone: set (never cleared) when a surrogate stands alone.
 *
 * Return: bytes written, at most @len.
 */
size_t json_unescape(const char *raw, size_t len, char *out, bool *lone)
{
	size_t i = 0, n = 0, used;

	while (i < len) {
		if (raw[i] != '\\' || i + 1 >= len) {
			out[n++] = raw[i++];
			continue;
		}
		switch (raw[i + 1]) {
		case 'b': out[n++] = '\b'; break;
		case 'f': out[n++] = '\f'; break;
		case 'n': out[n++] = '\n'; break;
		case 'r': out[n++] = '\r'; break;
		case 't': out[n++] = '\t'; break;
		case 'u':
			if (len - i < 6)
				return n;
			n += utf8_put(unicode_escape(raw + i, len - i, &used, lone), out + n);
			i += used;
			continue;
		default:	/* '"', '\\', '/' stand for themselves */
			out[n++] = raw[i + 1];
		}
		i += 2;
	}
	return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Growing byte buffer. */
#include "buf.h"
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "utf8.h"

int buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->broken)
		return -ENOMEM;
	if (b->cap > b->len && b->cap - b->len > more)
		return 0;
	if (more >= SIZE_MAX / 2 - b->len)
		goto fail;
	while (cap - b->len <= more)
		cap *= 2;
	p = realloc(b->borrowed ? NULL : b->data, cap);
	if (!p)
		goto fail;
	if (b->borrowed)
		memcpy(p, b->data, b->len);
	b->borrowed = false;
	b->data = p;
	b->cap = cap;
	b->data[b->len] = 0;
	return 0;
fail:
	b->broken = true;
	return -ENOMEM;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	if (buf_reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = 0;
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

/* Does it stand for itself in a JSON string? */
static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

void buf_add_json(struct buf *b, const char *s)
{
	static const char special[] = "\b\f\n\r\t\"\\", escape[] = "bfnrt\"\\";
	size_t len = strlen(s), plain = 0;	/* plain: bytes seen but not yet appended */

	buf_addc(b, '"');
	while (len) {
		size_t n = is_plain(*s) ? 1 : utf8_len(s, len);
		const char *hit;

		if (n > 1 || is_plain(*s)) {
			plain += n;
			s += n;
			len -= n;
			continue;
		}
		buf_add(b, s - plain, plain);
		plain = 0;
		hit = strchr(special, *s);
		if (!n)
			buf_adds(b, "\xef\xbf\xbd");
		else if (hit)
			buf_addf(b, "\\%c", escape[hit - special]);
		else
			buf_addf(b, "\\u%04x", (unsigned int)(unsigned char)*s);
		s++;
		len--;
	}
	buf_add(b, s - plain, plain);
	buf_addc(b, '"');
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->broken = true;
	else if (!buf_reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->broken = false;
	if (b->data)
		b->data[0] = 0;
}

void buf_fini(struct buf *b)
{
	if (!b->borrowed)
		free(b->data);
	*b = BUF_INIT;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strings that name a process's stdio: pure parsing, nothing is opened. */
#include <errno.h>
#include <string.h>
#include "sio.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Percent-decode [s, s+len) into the arena; @plus: '+' is a blank, as in queries. */
static char *decode(const char *s, size_t len, bool plus, struct arena *a)
{
	char *out = arena_alloc(a, len + 1), *w = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && hex_digit(s[i + 1]) >= 0 &&
		    hex_digit(s[i + 2]) >= 0) {
			*w++ = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
			i += 2;
		} else {
			*w++ = plus && s[i] == '+' ? ' ' : s[i];
		}
	}
	return out;
}

static bool seen_before(const struct strv *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->v[i], key))
			return true;
	return false;
}

/* k=v&k2: the arguments k v k2; of a key given twice the first value counts. */
static int parse_query(const char *q, struct arena *a, struct strv *args)
{
	size_t parts = 1;
	struct strv keys = { 0 };

	for (const char *p = q; *p; p++)
		parts += *p == '&';
	args->v = arena_alloc(a, (2 * parts + 1) * sizeof(*args->v));
	keys.v = arena_alloc(a, parts * sizeof(*keys.v));
	if (!args->v || !keys.v)
		return -ENOMEM;
	while (*q) {
		size_t len = strcspn(q, "&"), klen = strcspn(q, "&=");
		char *key = decode(q, klen, true, a), *val = NULL;

		if (klen < len)
			val = decode(q + klen + 1, len - klen - 1, true, a);
		if (!key || (klen < len && !val))
			return -ENOMEM;
		if (len && !seen_before(&keys, key)) {
			keys.v[keys.n++] = key;
			args->v[args->n++] = key;
			if (val && val[0])
				args->v[args->n++] = val;
		}
		q += len + (q[len] == '&');
	}
	return 0;
}

static int parse_binary(const char *rest, struct arena *a, struct sio_uri *out)
{
	size_t len = strcspn(rest, "?");

	out->path = decode(rest, len, false, a);
	if (!out->path)
		return -ENOMEM;
	return parse_query(rest[len] ? rest + len + 1 : rest + len, a, &out->args);
}

int sio_parse(const char *text, const char *field, struct arena *a, struct sio_uri *out,
		struct err *e)
{
	const char *colon, *rest;
	size_t len;
	int r = 0;

	*out = (struct sio_uri){ .scheme = SIO_NULL };
	if (!text || !text[0])
		return 0;
	colon = strstr(text, "://");
	if (!colon || memchr(text, '/', (size_t)(colon - text))) {
		out->scheme = SIO_FIFO;
		out->path = text;
	} else {
		len = (size_t)(colon - text);
		rest = colon + 3;
		if (len == 4 && !memcmp(text, "fifo", 4)) {
			out->scheme = SIO_FIFO;
			out->path = decode(rest, strlen(rest), false, a);
		} else if (len == 4 && !memcmp(text, "file", 4)) {
			out->scheme = SIO_FILE;
			out->path = decode(rest, strcspn(rest, "?"), false, a);
		} else if (len == 6 && !memcmp(text, "binary", 6)) {
			out->scheme = SIO_BINARY;
			r = parse_binary(rest, a, out);
		} else if (len == 9 && !memcmp(text, "binary-v2", 9)) {
			out->scheme = SIO_BINARY_V2;
			r = parse_binary(rest, a, out);
		} else {
			return err_set(e, ERR_SPEC, -EINVAL, field, "unknown STDIO scheme %.*s",
				       (int)(len < 64 ? len : 64), text);
		}
		if (r || !out->path)
			return err_set(e, ERR_LIMIT, -ENOMEM, field, "stdio address");
	}
	if (!out->path[0])
		return err_set(e, ERR_SPEC, -EINVAL, field, "no path in \"%s\"", text);
	if (out->path[0] != '/' && out->scheme != SIO_BINARY && out->scheme != SIO_BINARY_V2)
		return err_set(e, ERR_SPEC, -EINVAL, field, "path \"%s\" is not absolute",
			       out->path);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of org.systemd.property.* annotations, in GVariant's text form, to a
 * D-Bus signature and words. What systemd's properties are made of: numbers,
 * strings, booleans, arrays and tuples of them. Pure.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "unit_internal.h"
#include "utf8.h"

#define DEPTH_MAX	8
#define SIG_MAX		64
#define TOKEN_MAX	64

static const struct { const char *word; char sig; } types[] = {
	{ "boolean", 'b' }, { "byte", 'y' }, { "int16", 'n' }, { "uint16", 'q' }, { "int32", 'i' },
	{ "uint32", 'u' }, { "int64", 'x' }, { "uint64", 't' }, { "double", 'd' },
	{ "string", 's' }, { "objectpath", 'o' }, { "signature", 'g' },
};

struct parse {
	const char *p;
	unsigned int depth;
};

/* @want: the signature that the value must have, or NULL; @sig gets what it has. */
static int value(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words);

static void blanks(struct parse *ps)
{
	while (isspace((unsigned char)*ps->p))
		ps->p++;
}

static int one(char type, char sig[SIG_MAX])
{
	sig[0] = type;
	sig[1] = 0;
	return 0;
}

/* Length of the one complete type at the front of @s, or 0. */
static size_t type_len(const char *s, unsigned int depth)
{
	size_t n = 1, k;

	if (depth > DEPTH_MAX)
		return 0;
	if (*s && strchr("bynqiuxtdsog", *s))
		return 1;
	if (*s == 'a') {
		k = type_len(s + 1, depth + 1);
		return k ? 1 + k : 0;
	}
	if (*s != '(')
		return 0;
	while (s[n] != ')') {
		k = type_len(s + n, depth + 1);
		if (!k)
			return 0;
		n += k;
	}
	return n > 1 ? n + 1 : 0;
}

static int escape(struct parse *ps, struct buf *out)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	const char *at = *ps->p ? strchr(from, *ps->p) : NULL;

	if (!at)
		return -EINVAL;	/* \u and \U too: the text is UTF-8 and can hold the character itself */
	buf_addc(out, to[at - from]);
	ps->p++;
	return 0;
}

static int string(struct parse *ps, char type, char sig[SIG_MAX], struct buf *words)
{
	char quote = *ps->p++;

	while (*ps->p && *ps->p != quote) {
		if (*ps->p == '\\') {
			ps->p++;
			if (escape(ps, words))
				return -EINVAL;
		} else {
			buf_addc(words, *ps->p++);
		}
	}
	if (!*ps->p++)
		return -EINVAL;
	buf_addc(words, 0);
	return one(type, sig);
}

static int integer(const char *token, char type, struct buf *words)
{
	static const struct { char sig; int64_t min; uint64_t max; } range[] = {
		{ 'y', 0, UINT8_MAX }, { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX },
		{ 'i', INT32_MIN, INT32_MAX }, { 'u', 0, UINT32_MAX },
		{ 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
	};
	bool minus = *token == '-';
	const char *digits = token + (minus || *token == '+');
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return -EINVAL;
	errno = 0;
	v = strtoull(digits, &end, 0);
	if (*end || errno)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		if (range[i].sig != type)
			continue;
		if (minus ? v > (uint64_t)-(range[i].min + 1) + 1 || !range[i].min : v > range[i].max)
			return -ERANGE;
		buf_addf(words, "%s%llu", minus ? "-" : "", v);
		buf_addc(words, 0);
		return 0;
	}
	return -EINVAL;
}

static int number(struct parse *ps, char type, char sig[SIG_MAX], struct buf *words)
{
	char token[TOKEN_MAX], *end;
	size_t n = strspn(ps->p, "+-.0123456789abcdefABCDEFxX");
	int r;

	if (!n || n >= sizeof(token))
		return -EINVAL;
	memcpy(token, ps->p, n);
	token[n] = 0;
	ps->p += n;
	if (!type)
		type = strncmp(token, "0x", 2) && strpbrk(token, ".eE") ? 'd' : 'i';
	if (type == 'd') {
		(void)strtod(token, &end);
		if (*end || end == token)
			return -EINVAL;
		unit_word(words, token);
		return one('d', sig);
	}
	r = integer(token, type, words);
	return r ? r : one(type, sig);
}

/* A word: true, false, or a type before a value ("uint64 5"). */
static int keyword(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words)
{
	size_t n = 0;
	char type[2] = "";

	while (isalnum((unsigned char)ps->p[n]))
		n++;
	if ((n == 4 && !memcmp(ps->p, "true", 4)) || (n == 5 && !memcmp(ps->p, "false", 5))) {
		unit_word(words, n == 4 ? "1" : "0");
		ps->p += n;
		return one('b', sig);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].word) == n && !memcmp(ps->p, types[i].word, n))
			type[0] = types[i].sig;
	if (!type[0])
		return -EINVAL;
	ps->p += n;
	return value(ps, type, sig, words);
}

/* "@as []" */
static int annotated(struct parse *ps, char sig[SIG_MAX], struct buf *words)
{
	char want[SIG_MAX];
	size_t n = type_len(++ps->p, 0);

	if (!n || n >= sizeof(want))
		return -EINVAL;
	memcpy(want, ps->p, n);
	want[n] = 0;
	ps->p += n;
	return value(ps, want, sig, words);
}

static int array(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words)
{
	char element[SIG_MAX] = "", seen[SIG_MAX], count[16];
	auto_buf body = BUF_INIT;
	unsigned int n = 0;
	int r = 0;

	if (want)
		snprintf(element, sizeof(element), "%s", want + 1);
	ps->p++;
	for (blanks(ps); *ps->p != ']'; blanks(ps)) {
		if (n && *ps->p++ != ',')
			return -EINVAL;
		r = value(ps, *element ? element : NULL, seen, &body);
		if (r)
			return r;
		snprintf(element, sizeof(element), "%s", seen);
		n++;
	}
	ps->p++;
	if (!*element || strlen(element) + 2 > SIG_MAX || !buf_ok(&body))
		return -EINVAL;		/* an empty array has no type of its own */
	snprintf(sig, SIG_MAX, "a%.60s", element);
	snprintf(count, sizeof(count), "%u", n);
	unit_word(words, count);
	if (body.len)
		buf_add(words, body.data, body.len);
	return 0;
}

static int tuple(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words)
{
	char member[SIG_MAX], seen[SIG_MAX];
	const char *w = want ? want + 1 : NULL;
	size_t len = 1;
	unsigned int n = 0;

	sig[0] = '(';
	ps->p++;
	for (blanks(ps); *ps->p != ')'; blanks(ps)) {
		size_t k = w ? type_len(w, 0) : 0;
		int r;

		if ((n && *ps->p++ != ',') || (w && !k))
			return -EINVAL;
		blanks(ps);
		if (n == 1 && *ps->p == ')')
			break;		/* "(1,)" */
		if (w)
			snprintf(member, sizeof(member), "%.*s", (int)k, w);
		r = value(ps, w ? member : NULL, seen, words);
		if (r)
			return r;
		if (w)
			w += k;
		if (len + strlen(seen) + 2 > SIG_MAX)
			return -EINVAL;
		memcpy(sig + len, seen, strlen(seen));
		len += strlen(seen);
		n++;
	}
	ps->p++;
	if (!n || (w && *w != ')'))
		return -EINVAL;
	sig[len] = ')';
	sig[len + 1] = 0;
	return 0;
}

static int any(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words)
{
	switch (*ps->p) {
	case '[':
		return want && *want != 'a' ? -EINVAL : array(ps, want, sig, words);
	case '(':
		return want && *want != '(' ? -EINVAL : tuple(ps, want, sig, words);
	case '\'':
	case '"':
		return string(ps, want && (*want == 'o' || *want == 'g') ? *want : 's', sig, words);
	case '@':
		return annotated(ps, sig, words);
	default:
		if (isalpha((unsigned char)*ps->p))
			return keyword(ps, want, sig, words);
		return number(ps, want ? *want : 0, sig, words);
	}
}

static int value(struct parse *ps, const char *want, char sig[SIG_MAX], struct buf *words)
{
	int r;

	if (ps->depth == DEPTH_MAX)
		return -EINVAL;
	ps->depth++;
	blanks(ps);
	r = any(ps, want, sig, words);
	ps->depth--;
	return r ? r : want && strcmp(want, sig) ? -EINVAL : 0;
}

/**
 * unit_gvariant() - Parse @text.
 * @sig:   the D-Bus signature of it.
 * @words: the value's words are appended.
 * Return: 0, -EINVAL (not such a text, or of a type that is not known here), -ERANGE.
 */
int unit_gvariant(const char *text, char *sig, size_t size, struct buf *words)
{
	struct parse ps = { .p = text };
	char own[SIG_MAX];
	int r;

	if (!utf8_valid(text, strlen(text)))
		return -EINVAL;
	r = value(&ps, NULL, own, words);
	blanks(&ps);
	if (!r && (*ps.p || strlen(own) >= size))
		r = -EINVAL;
	if (!r)
		snprintf(sig, size, "%s", own);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request: words to properties, properties to a message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "systemd.h"

#define DEPTH_MAX 8

struct cursor { const char *p, *end; };

static const char *next(struct cursor *c)
{
	const char *word = c->p;

	if (word >= c->end)
		return NULL;
	c->p += strlen(word) + 1;
	return word;
}

/* Length of the complete type at the front of @sig, or 0. */
static size_t type_len(const char *sig, unsigned int depth)
{
	size_t n = 1, k;

	if (depth > DEPTH_MAX || !*sig)
		return 0;
	if (*sig == 'a') {
		k = type_len(sig + 1, depth + 1);
		return k ? k + 1 : 0;
	}
	if (*sig != '(')
		return strchr("bynqiuxtdsog", *sig) ? 1 : 0;
	while (sig[n] && sig[n] != ')') {
		k = type_len(sig + n, depth + 1);
		if (!k)
			return 0;
		n += k;
	}
	return sig[n] ? n + 1 : 0;
}

static int append_number(sd_bus_message *m, char type, const char *word)
{
	unsigned long long v = strtoull(word, NULL, 10);
	long long s = strtoll(word, NULL, 10);
	double d = strtod(word, NULL);

	switch (type) {
	case 'b': return sd_bus_message_append(m, "b", (int)v);
	case 'y': return sd_bus_message_append(m, "y", (int)(uint8_t)v);
	case 'n': return sd_bus_message_append(m, "n", (int)(int16_t)s);
	case 'q': return sd_bus_message_append(m, "q", (int)(uint16_t)v);
	case 'i': return sd_bus_message_append(m, "i", (int32_t)s);
	case 'u': return sd_bus_message_append(m, "u", (uint32_t)v);
	case 'x': return sd_bus_message_append(m, "x", (int64_t)s);
	case 't': return sd_bus_message_append(m, "t", (uint64_t)v);
	default: return sd_bus_message_append(m, "d", d);
	}
}

/* One value of type @sig, of which @len bytes are meant. @m NULL: only go over the words. */
static int append(sd_bus_message *m, const char *sig, size_t len, struct cursor *c, unsigned int depth)
{
	char inner[256];
	const char *word;
	unsigned long n = 1;
	int r = 0;

	if (depth > DEPTH_MAX || len - 1 >= sizeof(inner))
		return -EPROTO;
	if (*sig != '(') {
		word = next(c);
		if (!word)
			return -EPROTO;
		if (*sig != 'a' && !m)
			return 0;
		if (strchr("sog", *sig))
			return sd_bus_message_append_basic(m, *sig, word);
		if (*sig != 'a')
			return append_number(m, *sig, word);
		n = strtoul(word, NULL, 10);
	}
	memcpy(inner, sig + 1, len - 1);
	inner[*sig == '(' ? len - 2 : len - 1] = 0;
	if (m)
		r = sd_bus_message_open_container(m, *sig == '(' ? 'r' : 'a', inner);
	while (r >= 0 && n-- > 0) {
		for (const char *p = inner; *p && r >= 0; ) {
			size_t k = type_len(p, 0);

			r = k ? append(m, p, k, c, depth + 1) : -EPROTO;
			p += k;
		}
	}
	return r < 0 || !m ? r : sd_bus_message_close_container(m);
}

int request_parse(struct request *q, char *text, size_t len)
{
	struct cursor c = { text, text + len };
	const char *version, *who;

	memset(q, 0, sizeof(*q));
	if (!len || text[len - 1])
		return -EPROTO;
	version = next(&c);
	q->op = next(&c);
	who = next(&c);
	q->unit = next(&c);
	if (!q->unit || strcmp(version, UNIT_WIRE_VERSION) || (strcmp(who, "user") && strcmp(who, "system")))
		return -EPROTO;
	q->user = !strcmp(who, "user");
	while (c.p < c.end) {
		struct property *p = &q->p[q->n];

		if (q->n == PROPERTIES_MAX)
			return -E2BIG;
		p->name = next(&c);
		p->sig = next(&c);
		p->words = c.p;
		p->end = c.end;
		if (!p->sig || !*p->sig || type_len(p->sig, 0) != strlen(p->sig) ||
		    append(NULL, p->sig, strlen(p->sig), &c, 0) < 0)
			return -EPROTO;
		p->optional = *p->name == '?';
		p->name += p->optional;
		q->n++;
	}
	return 0;
}

bool request_drop(struct request *q, const char *message)
{
	for (size_t i = 0; message && i < q->n; i++) {
		if (!q->p[i].optional || !strstr(message, q->p[i].name))
			continue;
		q->n--;
		memmove(&q->p[i], &q->p[i + 1], (q->n - i) * sizeof(q->p[0]));
		return true;
	}
	return false;
}

int request_append(const struct request *q, sd_bus_message *m)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < q->n; i++) {
		const struct property *p = &q->p[i];
		struct cursor c = { p->words, p->end };

		r = sd_bus_message_open_container(m, 'r', "sv");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", p->name);
		if (r >= 0)
			r = sd_bus_message_open_container(m, 'v', p->sig);
		if (r >= 0)
			r = append(m, p->sig, strlen(p->sig), &c, 0);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

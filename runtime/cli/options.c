/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Option parsing by tables. getopt_long is not used: callers of OCI runtimes
 * send long options with one dash ("-no-subreaper"), and the help text would
 * have to be kept beside the table by hand.
 */
#include "options.h"
#include <errno.h>
#include <string.h>
#include "num.h"

#define HELP_COLUMN_MAX 36u

/* ---- values ---------------------------------------------------------------- */

int opt_bool(const char *s, bool *out)
{
	static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
			*out = !strcmp(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/*
 * Read "12" or "12.5" at *@s and return it times @unit in *@out; @unit_of
 * looks at what follows the number and tells the unit and its length.
 */
static int scaled(const char **s, int64_t (*unit_of)(const char *s, size_t *len), int64_t *out)
{
	const char *p = *s;
	int64_t whole = 0, frac = 0, scale = 1, unit, part;
	bool digits = false;
	size_t len = 0;

	for (; *p >= '0' && *p <= '9'; p++, digits = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, digits = true) {
			/* Below 1e-9 of the unit nothing is left of the number. */
			if (scale >= 1000000000)
				continue;
			frac = frac * 10 + (*p - '0');
			scale *= 10;
		}
	}
	unit = unit_of(p, &len);
	if (!digits || !unit)
		return -EINVAL;
	*s = p + len;
	part = (int64_t)((__int128)frac * unit / scale);
	if (__builtin_mul_overflow(whole, unit, &whole) || __builtin_add_overflow(whole, part, out))
		return -ERANGE;
	return 0;
}

static int64_t duration_unit(const char *s, size_t *len)
{
	static const struct { const char *name; int64_t ns;
	} units[] = {
		/* "ms" before "m": the first match counts */
		{ "ns", 1 },	       { "us", 1000 },	       { "\xc2\xb5s", 1000 },
		{ "\xce\xbcs", 1000 }, { "ms", 1000000 },      { "s", 1000000000 },
		{ "m", 60000000000 },  { "h", 3600000000000 },
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		*len = strlen(units[i].name);
		if (!strncmp(s, units[i].name, *len))
			return units[i].ns;
	}
	return 0;
}

int opt_duration(const char *s, int64_t *ns)
{
	int64_t sum = 0, part;

	if (!strcmp(s, "0")) {
		*ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		int r = scaled(&s, duration_unit, &part);

		if (r)
			return r;
		if (__builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
	}
	*ns = sum;
	return 0;
}

static int64_t size_unit(const char *s, size_t *len)
{
	static const char letters[] = "kmgtp";
	const char *l;
	int64_t unit = 1;
	size_t n = 0;

	if (s[n]) {
		l = strchr(letters, s[n] | 0x20);
		if (l) {
			unit <<= 10 * (l - letters + 1);
			n++;
			if (s[n] == 'i' || s[n] == 'I')
				n++;
		}
		if (s[n] == 'b' || s[n] == 'B')
			n++;
	}
	*len = n;
	return s[n] ? 0 : unit;
}

int opt_size(const char *s, int64_t *bytes)
{
	if (!strcmp(s, "-1")) {
		*bytes = -1;
		return 0;
	}
	return scaled(&s, size_unit, bytes);
}

/* ---- parsing ----------------------------------------------------------------- */

/* Does it stand alone, so that the next word is not its value? */
static bool alone(const struct opt *o)
{
	return o->type == OPT_FLAG || o->type == OPT_MAYBE;
}

static const struct opt *by_name(const struct opt *rows, const char *name, size_t len)
{
	for (; rows->type != OPT_END; rows++)
		if (!strncmp(rows->name, name, len) && !rows->name[len])
			return rows;
	return NULL;
}

static const struct opt *by_letter(const struct opt *rows, char c)
{
	for (; rows->type != OPT_END; rows++)
		if (rows->letter && rows->letter == c)
			return rows;
	return NULL;
}

static int bad_value(const struct opt *o, const char *text, int r, struct err *e)
{
	if (o->type == OPT_DURATION)
		return err_set(e, ERR_SPEC, 0, NULL,
			       "invalid value \"%s\" for --%s: not a duration%s "
			       "such as 5s, 1m30s or 300ms",
			       text, o->name, o->min > 0 ? " above 0" : "");
	if (o->type == OPT_FLAG)
		return err_set(e, ERR_SPEC, 0, NULL,
			       "invalid value \"%s\" for --%s: not true or false", text, o->name);
	if (o->type == OPT_IDS)
		return err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" for --%s: not an id", text,
			       o->name);
	return err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" for --%s: %s%lld to %lld", text,
		       o->name, r == -ERANGE ? "out of range " : "not a number from ",
		       (long long)o->min, (long long)o->max);
}

static int no_memory(const struct opt *o, struct err *e)
{
	return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "keep the values of --%s", o->name);
}

/* Store the value of @o; @text is NULL for a flag without one. */
static int store(const struct opt *o, void *values, const char *text, struct arena *a,
		 struct err *e)
{
	char *at = (char *)values + o->off;
	int r = 0;

	switch ((enum opt_type)o->type) {
	case OPT_FLAG:
		if (!text)
			*(bool *)at = true;
		else
			r = opt_bool(text, (bool *)at);
		break;
	case OPT_STR:
		*(const char **)(void *)at = text;
		break;
	case OPT_MAYBE:
		*(const char **)(void *)at = text ? text : "";
		break;
	case OPT_LIST: {
		struct opt_list *l = (struct opt_list *)(void *)at;
		const char **v = arena_grow(a, l->v, l->n * sizeof(*v), (l->n + 1) * sizeof(*v));

		if (!v)
			return no_memory(o, e);
		v[l->n++] = text;
		l->v = v;
		break;
	}
	case OPT_IDS: {
		struct opt_ids *l = (struct opt_ids *)(void *)at;
		uint32_t *v = arena_grow(a, l->v, l->n * sizeof(*v), (l->n + 1) * sizeof(*v));

		if (!v)
			return no_memory(o, e);
		l->v = v;
		/* The last number is what the kernel calls no id. */
		r = num_u32(text, &v[l->n]) || v[l->n] == UINT32_MAX ? -EINVAL : 0;
		l->n++;
		break;
	}
	case OPT_INT:
		r = num_i64(text, o->min, o->max, (int64_t *)(void *)at);
		break;
	case OPT_DURATION:
		r = opt_duration(text, (int64_t *)(void *)at);
		if (!r && *(int64_t *)(void *)at < o->min)
			r = -EINVAL;
		break;
	case OPT_END:
		break;
	}
	return r ? bad_value(o, text, r, e) : 0;
}

struct parser {
	const struct opt *rows;
	void *values;
	char **argv;
	int argc, at;		/* argv[at] is the word being read */
	struct arena *a;
	bool help;
	struct err *e;
};

/* The value of @o: @inword if there was one in the word, else the next word. */
static int take_value(struct parser *p, const struct opt *o, const char *inword, const char *word)
{
	if (!inword) {
		if (p->at + 1 >= p->argc)
			return err_set(p->e, ERR_SPEC, 0, NULL, "flag needs an argument: %s", word);
		inword = p->argv[++p->at];
	}
	return store(o, p->values, inword, p->a, p->e);
}

/*
 * "-ab": letters of flags, the last of which may take a value. A value does not
 * follow its letter at once: a misspelt "-bundl" would be taken for "-b undl".
 */
static int parse_letters(struct parser *p, const char *word)
{
	const char *c;

	for (c = word + 1; *c && *c != '='; c++) {
		const struct opt *o = by_letter(p->rows, *c);
		const char *inword = c[1] == '=' ? c + 2 : NULL;
		int r;

		if (!o || (!alone(o) && c[1] && !inword))
			return err_set(p->e, ERR_SPEC, 0, NULL, "flag provided but not defined: %s",
				       word);
		r = alone(o) ? store(o, p->values, inword, p->a, p->e) :
			       take_value(p, o, inword, word);
		if (r)
			return r;
	}
	return 0;
}

static int parse_word(struct parser *p)
{
	const char *word = p->argv[p->at];
	bool two = word[1] == '-';
	const char *name = word + (two ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *inword = name[len] ? name + len + 1 : NULL;
	const struct opt *o = by_name(p->rows, name, len);

	if (!o && ((len == 4 && !memcmp(name, "help", 4)) ||
		   (!two && len == 1 && *name == 'h' && !by_letter(p->rows, 'h')))) {
		p->help = true;
		return 0;
	}
	if (!o && !two && len)
		return parse_letters(p, word);
	if (!o)
		return err_set(p->e, ERR_SPEC, 0, NULL, "flag provided but not defined: %s", word);
	if (alone(o))
		return store(o, p->values, inword, p->a, p->e);
	return take_value(p, o, inword, word);
}

int opt_parse(const struct opt *rows, void *values, enum opt_order order, char **argv, int argc,
	      struct arena *a, struct opt_parsed *out, struct err *e)
{
	struct parser p = { rows, values, argv, argc, 0, a, false, e };
	/* A vector of our own: the caller's is what the program runs itself again with. */
	char **kept = arena_alloc(a, ((size_t)argc + 1) * sizeof(*kept));
	int n = 0;

	if (!kept)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "keep the arguments");
	for (; p.at < argc && !p.help; p.at++) {
		char *word = argv[p.at];
		int r;

		if (!strcmp(word, "--")) {
			p.at++;
			break;
		}
		if (word[0] != '-' || !word[1]) {
			if (order == OPT_FIRST)
				break;
			kept[n++] = word;
			continue;
		}
		r = parse_word(&p);
		if (r)
			return r;
	}
	/* What follows "--", or the first argument, goes after the arguments met so far. */
	for (; p.at < argc; p.at++)
		kept[n++] = argv[p.at];
	*out = (struct opt_parsed){ kept, n, p.help };
	return 0;
}

/* ---- help ------------------------------------------------------------------------ */

static size_t spelling(const struct opt *o, struct buf *out)
{
	size_t from = out->len;

	buf_addf(out, "   --%s", o->name);
	if (o->letter)
		buf_addf(out, ", -%c", o->letter);
	if (o->type == OPT_MAYBE)
		buf_addf(out, "[=%s]", o->value);
	else if (o->type != OPT_FLAG)
		buf_addf(out, " %s", o->value ? o->value : "VALUE");
	return out->len - from;
}

void opt_help(const struct opt *rows, struct buf *out)
{
	auto_buf scratch = BUF_INIT;
	const struct opt *o;
	size_t width = 0;

	for (o = rows; o->type != OPT_END; o++) {
		size_t n = o->help ? spelling(o, &scratch) : 0;

		if (n > width && n <= HELP_COLUMN_MAX)
			width = n;
	}
	for (o = rows; o->type != OPT_END; o++) {
		size_t n;

		if (!o->help)
			continue;
		n = spelling(o, out);
		if (n > width)
			buf_addf(out, "\n%*s", (int)width, "");
		else
			buf_addf(out, "%*s", (int)(width - n), "");
		buf_addf(out, "  %s\n", o->help);
	}
}

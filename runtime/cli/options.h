/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_OPTIONS_H
#define CLEAT_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"

/*
 * Option tables: one row per option says how it is spelt, where its value
 * lands and what the help says. Parser and help read the same rows, so an
 * option that exists is documented, and nothing else is.
 */
enum opt_type {
	OPT_END,	/* ends a table */
	OPT_FLAG,	/* bool */
	OPT_STR,	/* const char * */
	OPT_MAYBE,	/* const char *: a flag, "", that takes a value in the same word only */
	OPT_LIST,	/* struct opt_list: may be given several times */
	OPT_IDS,	/* struct opt_ids: user or group ids, may be given several times */
	OPT_INT,	/* int64_t, min..max */
	OPT_DURATION,	/* int64_t nanoseconds, not negative: "5s", "1m30s", "300ms" */
};

struct opt_list { const char **v; size_t n; };
struct opt_ids { uint32_t *v; size_t n; };

struct opt {
	const char	*name;		/* long form, without dashes */
	const char	*value;		/* how the help calls the value; NULL for flags */
	const char	*help;		/* one line; NULL: accepted, not shown */
	int64_t		min, max;	/* OPT_INT; min also of OPT_DURATION */
	uint16_t	off;		/* of the value in the command's struct */
	uint8_t		type;		/* enum opt_type */
	char		letter;		/* short form, 0: none */
};
/** opt_repeats() - May @o be given several times? */
static inline bool opt_repeats(const struct opt *o)
{
	return o->type == OPT_LIST || o->type == OPT_IDS;
}

#define OPT_AT(type, member) ((uint16_t)offsetof(type, member))

/** enum opt_order - Where options may stand. */
enum opt_order {
	OPT_ANYWHERE,	/* before, between and after the arguments, up to "--" */
	OPT_FIRST,	/* the first argument ends them: what follows is somebody else's */
};

/** struct opt_parsed - What is left when the options are taken out. */
struct opt_parsed {
	char **argv;	/* positional arguments, NULL-terminated; arena */
	int argc;
	bool help;	/* --help or -h was met; nothing after it was looked at */
};

/**
 * opt_parse() - Parse @argv (without the program's name) by @rows.
 * @values: the command's struct, zeroed or holding defaults. Strings point into @argv.
 * @a:      takes the lists.
 *
 * Long options are taken with one dash or two, and with their value in the
 * same word after '=' or in the next one; letters may be combined, the last one
 * with a value. @argv is left as it is.
 *
 * Return: 0 or -EINVAL, -ENOMEM with @e set.
 */
int opt_parse(const struct opt *rows, void *values, enum opt_order order, char **argv, int argc,
	      struct arena *a, struct opt_parsed *out, struct err *e);

/** opt_help() - Append the table's lines, one per option, for people. */
void opt_help(const struct opt *rows, struct buf *out);

/** opt_duration() - Parse "1h2m3.5s" style durations. Return: 0, -EINVAL or -ERANGE. */
int opt_duration(const char *s, int64_t *ns);
/**
 * opt_size() - Parse bytes with a binary suffix: "64m", "1.5G", "2GiB", "1024"; "-1" is -1.
 * Return: 0, -EINVAL or -ERANGE.
 */
int opt_size(const char *s, int64_t *bytes);
/** opt_bool() - "true", "false" and the short forms of them that Go programs take. 0 or -EINVAL. */
int opt_bool(const char *s, bool *out);
#endif

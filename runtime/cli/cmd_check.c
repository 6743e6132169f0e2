/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `check`: what this host can do, what a bundle asks of it, what is missing
 * and how to get it. A table for people, with colours on a terminal only;
 * JSON for programs. The exit status is 1 when the bundle lacks something.
 */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct opt cli_check_options[] = {
	{ .name = "config", .letter = 'f', .type = OPT_STR, .off = OPT_AT(struct check_values, config),
	  .value = "FILE", .help = "configuration to use in place of config.json" },
	{ .name = "json", .type = OPT_FLAG, .off = OPT_AT(struct check_values, json),
	  .help = "for programs" },
	{ .name = "missing", .letter = 'm', .type = OPT_FLAG, .off = OPT_AT(struct check_values, missing),
	  .help = "only what is not all there" },
	{ .type = OPT_END },
};

struct checking {
	struct buf out;
	bool json, colour, missing;
	bool lacks;			/* the bundle lacks something */
	const char *group;		/* of the last finding */
	size_t n;
};

static const struct { const char *word, *colour; } verdicts[] = {
	[CLEAT_OK] = { "ok", "\033[32m" },
	[CLEAT_PARTLY] = { "partly", "\033[33m" },
	[CLEAT_MISSING] = { "missing", "\033[31m" },
};

static void json_finding(struct checking *k, const struct cleat_finding *f)
{
	const char *const keys[] = { "group", "name", "verdict", "detail", "remedy" };
	const char *const values[] = { f->group, f->name, verdicts[f->verdict].word, f->detail, f->remedy };

	buf_adds(&k->out, k->n++ ? ",{" : "{");
	for (size_t i = 0; i < 5; i++) {
		buf_addf(&k->out, "%s\"%s\":", i ? "," : "", keys[i]);
		buf_add_json(&k->out, values[i]);
	}
	buf_addc(&k->out, '}');
}

/* What comes from a config.json may hold anything; a terminal gets printable characters. */
static void plain(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_addc(b, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
}

static void text_finding(struct checking *k, const struct cleat_finding *f)
{
	size_t at;

	if (!k->group || strcmp(k->group, f->group))
		buf_addf(&k->out, "%s%s%s%s\n", k->group ? "\n" : "", k->colour ? "\033[1m" : "", f->group,
			 k->colour ? "\033[0m" : "");
	k->group = f->group;
	at = k->out.len;
	buf_adds(&k->out, "  ");
	plain(&k->out, f->name);
	while (buf_ok(&k->out) && k->out.len - at < 26)
		buf_addc(&k->out, ' ');
	buf_addf(&k->out, " %s%-7s%s  ", k->colour ? verdicts[f->verdict].colour : "",
		 verdicts[f->verdict].word, k->colour ? "\033[0m" : "");
	plain(&k->out, f->detail);
	buf_addc(&k->out, '\n');
	if (*f->remedy)
		buf_addf(&k->out, "%36s-> %s\n", "", f->remedy);
}

static int on_finding(const struct cleat_finding *f, void *arg)
{
	struct checking *k = arg;

	if (!strcmp(f->group, "bundle") && f->verdict == CLEAT_MISSING)
		k->lacks = true;
	if (k->missing && f->verdict == CLEAT_OK)
		return 0;
	if (k->json)
		json_finding(k, f);
	else
		text_finding(k, f);
	return buf_ok(&k->out) ? 0 : -ENOMEM;
}

static bool wants_colour(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb");
}

int cmd_check(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct check_values *v = values;
	const char *bundle = argc ? argv[0] : v->config ? "." : NULL;
	struct checking k = { .json = v->json, .missing = v->missing, .colour = !v->json && wants_colour() };
	int r;

	if (k.json)
		buf_adds(&k.out, "{\"findings\":[");
	r = cleat_check(bundle, v->config, c->env.log, on_finding, &k, e);
	if (r == -ENOMEM)
		err_set(e, ERR_LIMIT, r, NULL, "build the table");
	if (!r && k.json)
		buf_addf(&k.out, "],\"ok\":%s}\n", k.lacks ? "false" : "true");
	else if (!r && bundle)
		buf_addf(&k.out, "\n%s\n", k.lacks ? "This host cannot run the bundle as it is." :
						     "This host can run the bundle.");
	if (!r)
		r = cli_out_buf(&k.out, e);
	buf_fini(&k.out);
	return r ? r : k.lacks;
}

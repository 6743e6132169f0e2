/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option tables of the command line: spellings, values, order, help; and what else it parses. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "cli.h"
#include "options.h"
#include "process_peek.h"

struct values {
	bool force, detach;
	const char *bundle, *trace;
	struct opt_list env;
	struct opt_ids ids;
	int64_t n, time;
};

#define V(member) .off = OPT_AT(struct values, member)
static const struct opt rows[] = {
	{ .name = "force", .letter = 'f', .type = OPT_FLAG, V(force), .help = "do it anyway" },
	{ .name = "detach", .letter = 'd', .type = OPT_FLAG, V(detach), .help = "do not wait" },
	{ .name = "bundle", .letter = 'b', .type = OPT_STR, V(bundle), .value = "DIR", .help = "where" },
	{ .name = "env", .letter = 'e', .type = OPT_LIST, V(env), .value = "K=V", .help = "add" },
	{ .name = "group", .letter = 'g', .type = OPT_IDS, V(ids), .value = "ID", .help = "and this" },
	{ .name = "number", .letter = 'n', .type = OPT_INT, V(n), .min = 0, .max = 10, .help = "count" },
	{ .name = "interval", .type = OPT_DURATION, V(time), .min = 1 },
	{ .name = "trace", .letter = 't', .type = OPT_MAYBE, V(trace), .value = "a|b", .help = "how" },
	{ .type = OPT_END },
};

#define WORDS 12

FIXTURE(words)
{
	struct arena a;
	struct values v;
	struct opt_parsed rest;
	struct err e;
	char *argv[WORDS + 1], *before[WORDS + 1];
	int argc, r;
};

FIXTURE_SETUP(words)
{
	memset(self, 0, sizeof(*self));
}

FIXTURE_TEARDOWN(words)
{
	arena_fini(&self->a);
}

/* Split @line at blanks and parse it. */
static void parse(FIXTURE_DATA(words) *self, char *line, enum opt_order order)
{
	char *save = NULL, *w;

	for (w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		self->argv[self->argc++] = w;
	memcpy(self->before, self->argv, sizeof(self->before));
	self->r = opt_parse(rows, &self->v, order, self->argv, self->argc, &self->a, &self->rest, &self->e);
}

FIXTURE_VARIANT(words) {
	const char *line;
	enum opt_order order;
	bool force, detach;
	const char *bundle, *trace, *env, *ids, *args;	/* env, ids and args joined by commas */
	int64_t n, time;
	const char *error;			/* part of the message; NULL: accepted */
};

#define OK(name, ...) FIXTURE_VARIANT_ADD(words, accept_##name) { __VA_ARGS__ }
#define BAD(name, ...) FIXTURE_VARIANT_ADD(words, refuse_##name) { __VA_ARGS__ }
OK(nothing, .line = "", .args = "");
OK(long_value_next_word, .line = "--bundle /b id", .bundle = "/b", .args = "id");
OK(long_value_same_word, .line = "--bundle=/b id", .bundle = "/b", .args = "id");
OK(long_value_with_equals, .line = "--env=A=B id", .env = "A=B", .args = "id");
OK(empty_value, .line = "--bundle= id", .bundle = "", .args = "id");
OK(one_dash_flag, .line = "-force id", .force = true, .args = "id");
OK(one_dash_value, .line = "-bundle /b id", .bundle = "/b", .args = "id");
OK(one_dash_value_same_word, .line = "-bundle=/b id", .bundle = "/b", .args = "id");
OK(letter, .line = "-f id", .force = true, .args = "id");
OK(letter_value, .line = "-b /b id", .bundle = "/b", .args = "id");
OK(letter_value_equals, .line = "-b=/b id", .bundle = "/b", .args = "id");
OK(letters_together_with_value_equals, .line = "-fe=A=B id", .force = true, .env = "A=B", .args = "id");
OK(letters_together, .line = "-fd id", .force = true, .detach = true, .args = "id");
OK(letters_together_with_value, .line = "-fdb /b id", .force = true, .detach = true, .bundle = "/b", .args = "id");
OK(flag_false, .line = "--force --force=false id", .args = "id");
OK(flag_true_word, .line = "-f=1 id", .force = true, .args = "id");
OK(list_twice, .line = "-e A=1 --env B=2 id", .env = "A=1,B=2", .args = "id");
OK(ids, .line = "-g 4294967294 --group=0 id", .ids = "4294967294,0", .args = "id");
OK(last_value_wins, .line = "-b x -b y", .bundle = "y", .args = "");
OK(number, .line = "--number 10", .n = 10, .args = "");
OK(duration, .line = "--interval 1m30s", .time = 90000000000, .args = "");
OK(maybe_alone, .line = "--trace id", .trace = "", .args = "id");
OK(maybe_with_value, .line = "--trace=b id", .trace = "b", .args = "id");
OK(maybe_letters, .line = "-tf id", .trace = "", .force = true, .args = "id");
OK(options_after_id, .line = "id --force 9 -b x", .force = true, .bundle = "x", .args = "id,9");
OK(first_argument_ends, .line = "-f id -d --bundle x", .order = OPT_FIRST, .force = true, .args = "id,-d,--bundle,x");
OK(dashes_end, .line = "-f -- -rf --bundle", .force = true, .args = "-rf,--bundle");
OK(dashes_end_after_id, .line = "id -- -f", .args = "id,-f");
OK(dash_is_argument, .line = "-f - x", .force = true, .args = "-,x");
OK(value_that_looks_like_option, .line = "-b --force id", .bundle = "--force", .args = "id");
BAD(unknown_long, .line = "--nosuch id", .error = "flag provided but not defined: --nosuch");
BAD(unknown_one_dash, .line = "-nosuch id", .error = "flag provided but not defined: -nosuch");
BAD(letter_value_glued, .line = "-bundl id", .error = "flag provided but not defined: -bundl");
BAD(equals_alone, .line = "-=x id", .error = "flag provided but not defined: -=x");
BAD(unknown_letter, .line = "-fx id", .error = "flag provided but not defined: -fx");
BAD(prefix_of_option, .line = "--forc id", .error = "not defined: --forc");
BAD(missing_value, .line = "id --bundle", .error = "flag needs an argument: --bundle");
BAD(missing_letter_value, .line = "id -fb", .error = "flag needs an argument: -fb");
BAD(flag_with_word, .line = "--force=maybe", .error = "invalid value \"maybe\" for --force");
BAD(number_too_big, .line = "-n 11", .error = "invalid value \"11\" for --number: out of range");
BAD(number_negative, .line = "-n -1", .error = "invalid value \"-1\" for --number");
BAD(number_word, .line = "-n many", .error = "invalid value \"many\" for --number");
BAD(number_trailing, .line = "-n 1x", .error = "invalid value \"1x\" for --number");
BAD(id_word, .line = "-g 1 -g x", .error = "invalid value \"x\" for --group: not an id");
BAD(id_negative, .line = "-g -1", .error = "invalid value \"-1\" for --group");
BAD(id_that_is_none, .line = "-g 4294967295", .error = "for --group: not an id");
BAD(duration_zero, .line = "--interval 0", .error = "not a duration above 0");
BAD(duration_without_unit, .line = "--interval 5", .error = "invalid value \"5\" for --interval");

static void expect_joined(struct __test_metadata *_metadata, const char *want, const char *const *v, size_t n)
{
	char got[256] = "";
	size_t i;

	for (i = 0; i < n; i++) {
		strcat(got, i ? "," : "");
		strcat(got, v[i]);
	}
	EXPECT_STREQ(want ? want : "", got);
}

static void expect_ids(struct __test_metadata *_metadata, const char *want, const struct opt_ids *ids)
{
	char got[64] = "";
	size_t i, len = 0;

	for (i = 0; i < ids->n; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, i ? ",%u" : "%u", ids->v[i]);
	EXPECT_STREQ(want ? want : "", got);
}

TEST_F(words, parse)
{
	char line[128], text[ERR_TEXT_MAX];

	snprintf(line, sizeof(line), "%s", variant->line);
	parse(self, line, variant->order);
	/* The program runs itself again with the words it was given. */
	EXPECT_EQ(0, memcmp(self->before, self->argv, sizeof(self->before)));
	if (variant->error) {
		EXPECT_EQ(-EINVAL, self->r);
		EXPECT_EQ(ERR_SPEC, self->e.kind);
		err_render(&self->e, text, sizeof(text));
		EXPECT_NE(NULL, strstr(text, variant->error)) TH_LOG("%s", text);
		return;
	}
	ASSERT_EQ(0, self->r) TH_LOG("%s", self->e.msg);
	EXPECT_EQ(variant->force, self->v.force);
	EXPECT_EQ(variant->detach, self->v.detach);
	EXPECT_EQ(variant->n, self->v.n);
	EXPECT_EQ(variant->time, self->v.time);
	if (variant->bundle) {
		ASSERT_NE(NULL, self->v.bundle);
		EXPECT_STREQ(variant->bundle, self->v.bundle);
	} else {
		EXPECT_EQ(NULL, self->v.bundle);
	}
	EXPECT_EQ(!variant->trace, !self->v.trace);
	if (variant->trace && self->v.trace)
		EXPECT_STREQ(variant->trace, self->v.trace);
	expect_ids(_metadata, variant->ids, &self->v.ids);
	expect_joined(_metadata, variant->env, self->v.env.v, self->v.env.n);
	expect_joined(_metadata, variant->args, (const char *const *)self->rest.argv, (size_t)self->rest.argc);
	EXPECT_EQ(NULL, self->rest.argv[self->rest.argc]);
	EXPECT_FALSE(self->rest.help);
}

TEST(help_is_asked_for_in_all_spellings)
{
	static const char *const words[] = { "--help", "-help", "-h" };
	struct arena a = ARENA_INIT;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char word[16], *argv[] = { word, NULL };
		struct values v = { 0 };
		struct opt_parsed rest;
		struct err e = { 0 };

		strcpy(word, words[i]);
		ASSERT_EQ(0, opt_parse(rows, &v, OPT_ANYWHERE, argv, 1, &a, &rest, &e));
		EXPECT_TRUE(rest.help) TH_LOG("%s", word);
	}
	arena_fini(&a);
}

TEST(every_option_with_a_text_is_in_the_help)
{
	const struct cli_command *cmd;
	char want[64];
	int seen = 0;

	for (cmd = cli_commands; cmd->name; cmd++) {
		struct buf b = BUF_INIT;
		const struct opt *o;

		if (!cmd->options)
			continue;
		opt_help(cmd->options, &b);
		ASSERT_TRUE(buf_ok(&b));
		for (o = cmd->options; o->type != OPT_END; o++, seen++) {
			snprintf(want, sizeof(want), "   --%s%s", o->name, o->letter ? "," : "");
			EXPECT_EQ(!!o->help, !!strstr(b.data, want)) TH_LOG("%s --%s", cmd->name, o->name);
		}
		buf_fini(&b);
	}
	EXPECT_LT(30, seen);
}

/* A name or letter twice in a table: the second row could never be reached. */
TEST(no_option_is_in_a_table_twice)
{
	const struct cli_command *cmd;
	const struct opt *o, *p;

	for (cmd = cli_commands; cmd->name; cmd++) {
		for (o = cmd->options; o && o->type != OPT_END; o++) {
			for (p = o + 1; p->type != OPT_END; p++) {
				EXPECT_STRNE(o->name, p->name);
				EXPECT_FALSE(o->letter && o->letter == p->letter) TH_LOG("%s -%c", cmd->name, o->letter);
			}
		}
	}
}

TEST(durations)
{
	static const struct { const char *s; int r; int64_t ns; } t[] = {
		{ "5s", 0, 5000000000 }, { "1m30s", 0, 90000000000 }, { "300ms", 0, 300000000 },
		{ "0", 0, 0 }, { "1.5s", 0, 1500000000 }, { ".5s", 0, 500000000 }, { "2h", 0, 7200000000000 },
		{ "7us", 0, 7000 }, { "7\xc2\xb5s", 0, 7000 }, { "9ns", 0, 9 },
		{ "", -EINVAL, 0 }, { "5", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "-5s", -EINVAL, 0 },
		{ "5x", -EINVAL, 0 }, { "5s ", -EINVAL, 0 }, { ".s", -EINVAL, 0 },
		{ "99999999999h", -ERANGE, 0 }, { "99999999999999999999s", -ERANGE, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t ns = 0;

		EXPECT_EQ(t[i].r, opt_duration(t[i].s, &ns)) TH_LOG("%s", t[i].s);
		EXPECT_EQ(t[i].ns, ns) TH_LOG("%s", t[i].s);
	}
}

TEST(sizes)
{
	static const struct { const char *s; int r; int64_t n; } t[] = {
		{ "1024", 0, 1024 }, { "64m", 0, 64 << 20 }, { "64M", 0, 64 << 20 }, { "1k", 0, 1024 },
		{ "1.5g", 0, 3ll << 29 }, { "2GiB", 0, 2ll << 30 }, { "3kb", 0, 3072 }, { "7b", 0, 7 },
		{ "1t", 0, 1ll << 40 }, { "-1", 0, -1 }, { "0", 0, 0 },
		{ "", -EINVAL, 0 }, { "m", -EINVAL, 0 }, { "-2", -EINVAL, 0 }, { "5x", -EINVAL, 0 },
		{ "5mm", -EINVAL, 0 }, { " 5", -EINVAL, 0 }, { "9999999t", -ERANGE, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t n = 0;

		EXPECT_EQ(t[i].r, opt_size(t[i].s, &n)) TH_LOG("%s", t[i].s);
		EXPECT_EQ(t[i].n, n) TH_LOG("%s", t[i].s);
	}
}

TEST(signal_names_and_numbers)
{
	static const struct { const char *s; int want; } t[] = {
		{ "KILL", SIGKILL }, { "SIGKILL", SIGKILL }, { "sigkill", SIGKILL }, { "kill", SIGKILL },
		{ "9", 9 }, { "0", 0 }, { "64", 64 }, { "TERM", SIGTERM }, { "WINCH", SIGWINCH },
		{ "RTMIN", 34 }, { "SIGRTMIN+3", 37 }, { "rtmax", 64 }, { "RTMAX-1", 63 },
		{ "65", -EINVAL }, { "-9", -EINVAL }, { "", -EINVAL }, { "SIG", -EINVAL },
		{ "NOSUCH", -EINVAL }, { "9x", -EINVAL }, { "RTMIN+99", -EINVAL }, { "RTMIN-1", -EINVAL },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		EXPECT_EQ(t[i].want, cli_signal(t[i].s)) TH_LOG("row %zu", i);
}

TEST(process_documents_tell_their_terminal)
{
	static const struct { const char *json; bool want; } t[] = {
		{ "{\"terminal\":true}", true },
		{ "{ \"args\" : [\"a\"] ,\n\"terminal\" :\ttrue }", true },
		{ "{\"terminal\":false}", false },
		{ "{\"args\":[\"terminal\",\":true\"]}", false },
		{ "{\"user\":{\"terminal\":true}}", false },
		{ "{\"cwd\":\"\\\"terminal\\\":true\"}", false },
		{ "{\"terminal\":true,\"terminal\":false}", false },
		{ "{\"args\":[\"\\\\\"],\"terminal\":true}", true },
		{ "{\"terminal\"", false }, { "{\"terminal\":", false }, { "{\"terminal\":tru", false },
		{ "{\"a\\", false }, { "\"", false }, { "", false },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		/* On the heap, exactly as long: a sanitizer sees a step over the end. */
		size_t len = strlen(t[i].json);
		char *copy = malloc(len + !len);

		ASSERT_NE(NULL, copy);
		memcpy(copy, t[i].json, len);
		EXPECT_EQ(t[i].want, process_peek_terminal(copy, len)) TH_LOG("%s", t[i].json);
		free(copy);
	}
}

TEST(update_options_become_resources)
{
	static const struct { struct update_values v; const char *want; } t[] = {
		{ { 0 }, "{}" },
		{ { .memory = "64m" }, "{\"memory\":{\"limit\":67108864}}" },
		{ { .memory = "-1", .swap = "1g", .pids = "5" },
		  "{\"memory\":{\"limit\":-1,\"swap\":1073741824},\"pids\":{\"limit\":5}}" },
		{ { .shares = "512", .quota = "-1", .cpus = "0-1,3", .mems = "" },
		  "{\"cpu\":{\"shares\":512,\"quota\":-1,\"cpus\":\"0-1,3\"}}" },
		{ { .memory = "many" }, NULL },
		{ { .shares = "-1" }, NULL },
		{ { .pids = "1.5" }, NULL },
		{ { .cpus = "0\",\"x\":\"" }, NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = BUF_INIT;
		struct err e = { 0 };
		int r = update_json(&t[i].v, &b, &e);

		EXPECT_EQ(!t[i].want, r < 0);
		EXPECT_EQ(t[i].want ? ERR_NONE : ERR_SPEC, e.kind);
		if (t[i].want)
			EXPECT_STREQ(t[i].want, b.data);
		buf_fini(&b);
	}
}

TEST_HARNESS_MAIN

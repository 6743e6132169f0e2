/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error record: first writer wins, one line for people, safe after a trip between processes. */
#include <errno.h>
#include <string.h>
#include "kselftest_harness.h"
#include "err.h"

TEST(first_writer_wins_and_the_result_is_never_zero)
{
	struct err e = { 0 };

	EXPECT_EQ(-ENOENT, err_set(&e, ERR_NOT_FOUND, -ENOENT, "/a", "open \"%s\"", "b"));
	EXPECT_EQ(-EPERM, err_set(&e, ERR_DENIED, -EPERM, "/z", "later"));
	EXPECT_EQ(ERR_NOT_FOUND, e.kind);
	EXPECT_EQ(ENOENT, e.errnum);
	EXPECT_STREQ("/a", e.where);
	EXPECT_STREQ("open \"b\"", e.msg);
	EXPECT_EQ(strlen(e.msg), e.msglen);
	EXPECT_EQ(-EINVAL, err_set(NULL, ERR_SPEC, 0, NULL, "no record"));
	EXPECT_EQ(-EINVAL, err_set(NULL, ERR_SPEC, 5, NULL, "positive"));
	EXPECT_EQ(-ENOENT, err_context(&e, "container \"%s\"", "c"));
	EXPECT_STREQ("container \"c\": open \"b\"", e.msg);
	EXPECT_EQ(strlen(e.msg), e.msglen);
	err_clear(&e);
	EXPECT_EQ(ERR_NONE, e.kind);
	EXPECT_EQ(-EINVAL, err_set(&e, ERR_STATE, 0, NULL, "x"));
	EXPECT_EQ(0, e.errnum);
	EXPECT_EQ(-EINVAL, err_context(&e, "y"));
}

TEST(long_texts_are_cut_where_they_hurt_least)
{
	struct err e = { 0 };
	char path[400], ctx[800];

	memset(path, 'm', sizeof(path));
	memcpy(path, "/begin", 6);
	memcpy(path + sizeof(path) - 5, "/end", 5);
	err_set(&e, ERR_SPEC, -EINVAL, path, "%s%s%s", path, path, path);
	EXPECT_EQ(sizeof(e.where) - 1, strlen(e.where));
	EXPECT_EQ(0, strncmp(e.where, "/begin", 6));
	EXPECT_STREQ("/end", e.where + strlen(e.where) - 4);
	EXPECT_NE(NULL, strstr(e.where, "..."));
	EXPECT_EQ(sizeof(e.msg) - 1, strlen(e.msg));
	EXPECT_EQ(sizeof(e.msg) - 1, e.msglen);
	memset(ctx, 'c', sizeof(ctx));
	ctx[sizeof(ctx) - 1] = 0;
	err_context(&e, "%s", ctx);
	EXPECT_EQ(sizeof(e.msg) - 1, strlen(e.msg));
	EXPECT_EQ(sizeof(e.msg) - 1, e.msglen);
}

TEST(where_of_every_length_around_the_bound)
{
	char s[200];
	size_t n;

	for (n = 100; n < 130; n++) {
		struct err e = { 0 };

		memset(s, 'x', n);
		s[n] = 0;
		err_set(&e, ERR_SPEC, 0, s, "m");
		EXPECT_EQ(n < sizeof(e.where) ? n : sizeof(e.where) - 1, strlen(e.where));
		EXPECT_STREQ("m", e.msg);
	}
}

TEST(rendered_as_one_line_of_utf8)
{
	static const struct { const char *where, *msg; int errnum; const char *want; } rows[] = {
		{ "", "it broke", 0, "it broke" },
		{ "/a", "it broke", 0, "/a: it broke" },
		{ "/a", "open", -ENOENT, "/a: open: no such file or directory" },
		{ "", "", -EPERM, "operation not permitted" },
		{ "", "read", -EIO, "read: input/output error" },
		{ "", "a\nb\tc\033[1m\x7f", 0, "a\\x0ab\\x09c\\x1b[1m\\x7f" },
		{ "", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 0, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "", "\xff\xc3(\xe2\x82", 0, "\\xff\\xc3(\\xe2\\x82" },
		{ "", "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xf5", 0,
		  "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xf5" },
		{ "a\nb", "c", 0, "a\\x0ab: c" },
	};
	char buf[ERR_TEXT_MAX];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };

		err_set(&e, ERR_SPEC, rows[i].errnum, rows[i].where, "%s", rows[i].msg);
		EXPECT_STREQ(rows[i].want, err_render(&e, buf, sizeof(buf))) {
			TH_LOG("row %zu", i);
		}
	}
}

TEST(rendered_into_any_size_without_a_byte_beyond)
{
	struct err e = { 0 };
	char buf[64], full[ERR_TEXT_MAX];
	size_t n;

	err_set(&e, ERR_SPEC, -ENOENT, "/\xc3\xa9", "a\n\xe2\x82\xac");
	err_render(&e, full, sizeof(full));
	EXPECT_STREQ("", err_render(&e, NULL, 0));
	for (n = 1; n < sizeof(buf); n++) {
		memset(buf, '#', sizeof(buf));
		err_render(&e, buf, n);
		EXPECT_NE(NULL, memchr(buf, 0, n));
		EXPECT_EQ('#', n < sizeof(buf) ? buf[n] : '#');
	}
}

TEST(words_begin_small_but_names_stay)
{
	char b[128];

	EXPECT_STREQ("no such file or directory", err_words(ENOENT, b, sizeof(b)));
	EXPECT_STREQ("permission denied", err_words(EACCES, b, sizeof(b)));
	EXPECT_NE(NULL, strstr(err_words(99999, b, sizeof(b)), "99999"));
	EXPECT_EQ(2, strlen(err_words(ENOENT, b, 3)));
}

/* Callers compare words: whatever C library we are built with, they are these. */
TEST(words_are_the_usual_ones)
{
	static const struct { int errnum; const char *words; } rows[] = {
		{ EBUSY, "device or resource busy" }, { ELOOP, "too many levels of symbolic links" },
		{ ENAMETOOLONG, "file name too long" }, { EMFILE, "too many open files" },
		{ ENOMEM, "cannot allocate memory" }, { EOPNOTSUPP, "operation not supported" },
		{ EXDEV, "invalid cross-device link" }, { EPERM, "operation not permitted" },
		{ ENOEXEC, "exec format error" }, { ETXTBSY, "text file busy" }, { EIO, "input/output error" },
		{ ELIBBAD, "accessing a corrupted shared library" }, { EHWPOISON, "memory page has hardware error" },
	};
	char b[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_STREQ(rows[i].words, err_words(rows[i].errnum, b, sizeof(b)));
#ifdef __GLIBC__
	for (i = 1; i < 134; i++)
		EXPECT_EQ(0, strcasecmp(strerror((int)i), err_words((int)i, b, sizeof(b))));
#endif
}

TEST(every_kind_and_stage_has_a_name_and_a_code)
{
	static const struct { int kind, grpc; } rows[] = {
		{ ERR_SPEC, 3 }, { ERR_UNSUPPORTED, 12 }, { ERR_NOT_FOUND, 5 }, { ERR_EXISTS, 6 }, { ERR_STATE, 9 },
		{ ERR_DENIED, 7 }, { ERR_LIMIT, 8 }, { ERR_TIMEOUT, 4 }, { ERR_KERNEL, 2 }, { ERR_PEER, 13 },
		{ ERR_BUG, 13 }, { 200, 2 },
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { .kind = (uint8_t)rows[i].kind };

		EXPECT_EQ(rows[i].grpc, err_grpc_code(&e));
	}
	for (i = 0; i < ERR_KIND_MAX; i++) {
		ASSERT_NE(NULL, err_kind_name(i));
		for (j = 0; j < i; j++)
			EXPECT_STRNE(err_kind_name(i), err_kind_name(j));
	}
	for (i = 0; i < STAGE_MAX; i++)
		EXPECT_NE(NULL, err_stage_name(i));
	EXPECT_STREQ("?", err_kind_name(ERR_KIND_MAX));
	EXPECT_STREQ("?", err_stage_name(STAGE_MAX));
}

TEST(a_hostile_record_is_made_safe_or_refused)
{
	struct err e, good = { .kind = ERR_SPEC, .errnum = 5, .msg = "m" };
	size_t i;

	for (i = 0; i < sizeof(e) + 8; i++) {
		e = good;
		EXPECT_EQ(i == sizeof(e) ? 0 : -EPROTO, err_sanitize(&e, i));
	}
	memset(&e, 0xff, sizeof(e));
	EXPECT_EQ(-EPROTO, err_sanitize(&e, sizeof(e)));
	memset(&e, 0xff, sizeof(e));
	e.kind = ERR_PEER;
	ASSERT_EQ(0, err_sanitize(&e, sizeof(e)));
	EXPECT_EQ(STAGE_NONE, e.stage);
	EXPECT_EQ(0, e.errnum);
	EXPECT_EQ(sizeof(e.where) - 1, strlen(e.where));
	EXPECT_EQ(sizeof(e.msg) - 1, strlen(e.msg));
	EXPECT_EQ(strlen(e.msg), e.msglen);
	e = good;
	e.kind = ERR_NONE;
	EXPECT_EQ(-EPROTO, err_sanitize(&e, sizeof(e)));
	e = good;
	e.kind = ERR_KIND_MAX;
	EXPECT_EQ(-EPROTO, err_sanitize(&e, sizeof(e)));
	e = good;
	e.errnum = 4096;
	EXPECT_EQ(0, err_sanitize(&e, sizeof(e)));
	EXPECT_EQ(0, e.errnum);
}

TEST_HARNESS_MAIN

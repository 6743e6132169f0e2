/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict numbers, kernel lists, name tables, log lines, JSON strings, UTF-8. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "buf.h"
#include "field.h"
#include "log.h"
#include "names.h"
#include "num.h"
#include "text.h"
#include "utf8.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

TEST(unsigned_numbers)
{
	static const struct { const char *s; uint64_t max; int r; uint64_t v; } rows[] = {
		{ "0", UINT64_MAX, 0, 0 }, { "00012", 20, 0, 12 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "255", 255, 0, 255 }, { "256", 255, -ERANGE, 0 },
		{ "", 9, -EINVAL, 0 }, { " 1", 9, -EINVAL, 0 }, { "1 ", 9, -EINVAL, 0 }, { "+1", 9, -EINVAL, 0 },
		{ "-1", 9, -EINVAL, 0 }, { "-0", 9, -EINVAL, 0 }, { "0x1", 9, -EINVAL, 0 }, { "1\n", 9, -EINVAL, 0 },
		{ "1e3", 9999, -EINVAL, 0 }, { "1.0", 9, -EINVAL, 0 }, { "\xd9\xa1", 9, -EINVAL, 0 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		v = 77;
		EXPECT_EQ(rows[i].r, num_u64(rows[i].s, rows[i].max, &v)) {
			TH_LOG("\"%s\"", rows[i].s);
		}
		EXPECT_EQ(rows[i].r ? 77 : rows[i].v, v);
	}
}

TEST(signed_numbers)
{
	static const struct { const char *s; int64_t min, max; int r; int64_t v; } rows[] = {
		{ "0", INT64_MIN, INT64_MAX, 0, 0 }, { "-0", -1, 1, 0, 0 }, { "-1", -1, 1, 0, -1 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "-1", 0, 9, -ERANGE, 0 }, { "10", 0, 9, -ERANGE, 0 },
		{ "-", -9, 9, -EINVAL, 0 }, { "--1", -9, 9, -EINVAL, 0 }, { "+1", -9, 9, -EINVAL, 0 },
		{ "- 1", -9, 9, -EINVAL, 0 }, { "1-", -9, 9, -EINVAL, 0 }, { "", -9, 9, -EINVAL, 0 },
	};
	int64_t v;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		v = 77;
		EXPECT_EQ(rows[i].r, num_i64(rows[i].s, rows[i].min, rows[i].max, &v)) {
			TH_LOG("\"%s\"", rows[i].s);
		}
		EXPECT_EQ(rows[i].r ? 77 : rows[i].v, v);
	}
}

TEST(texts_are_joined)
{
	char out[16], num[TEXT_NUM_SIZE];
	const char *none = NULL;

	EXPECT_EQ(5, text_join(out, sizeof(out), "a", none, "/", "", "bcd"));
	EXPECT_STREQ("a/bcd", out);
	EXPECT_EQ(0, text_join(out, sizeof(out), none));
	EXPECT_STREQ("", out);
	EXPECT_EQ(15, text_join(out, sizeof(out), "0123456789", "abcde", none, ""));
	EXPECT_STREQ("0123456789abcde", out);
	EXPECT_EQ(-ENAMETOOLONG, text_join(out, sizeof(out), "0123456789", "abcdef", "g"));
	EXPECT_STREQ("0123456789abcde", out);
	EXPECT_EQ(-ENAMETOOLONG, text_join(out, 1, "a"));
	EXPECT_STREQ("", out);
	EXPECT_STREQ("0", text_u64(num, 0));
	EXPECT_STREQ("18446744073709551615", text_u64(num, UINT64_MAX));
	EXPECT_STREQ("9223372036854775807", text_i64(num, INT64_MAX));
	EXPECT_STREQ("-9223372036854775808", text_i64(num, INT64_MIN));
	text_join(out, sizeof(out), text_num(-7), ":", text_num((size_t)42));
	EXPECT_STREQ("-7:42", out);
}

TEST(ids_do_not_wrap)
{
	uint32_t v = 7;

	EXPECT_EQ(-ERANGE, num_u32("4294967296", &v));
	EXPECT_EQ(-ERANGE, num_u32("4294967297", &v));
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, num_u32("4294967295", &v));
	EXPECT_EQ(UINT32_MAX, v);
}

static int collect(uint32_t a, uint32_t b, void *arg)
{
	char *s = arg;

	if (a == 66)
		return 6;
	sprintf(s + strlen(s), "[%u %u]", a, b);
	return 0;
}

TEST(kernel_lists)
{
	static const struct { const char *s; int r; const char *want; } rows[] = {
		{ "", 0, "" }, { "0", 0, "[0 0]" }, { "0-3", 0, "[0 3]" }, { "0-3,7", 0, "[0 3][7 7]" },
		{ "1,2,3\n", 0, "[1 1][2 2][3 3]" }, { "5-5", 0, "[5 5]" }, { "4294967295", 0, "[4294967295 4294967295]" },
		{ "3-1", -EINVAL, "" }, { "1,", -EINVAL, "[1 1]" }, { ",1", -EINVAL, "" }, { "1-", -EINVAL, "" },
		{ "-1", -EINVAL, "" }, { "a", -EINVAL, "" }, { "1 2", -EINVAL, "[1 1]" }, { "4294967296", -EINVAL, "" },
		{ "0-4294967296", -EINVAL, "" }, { "1\n2", -EINVAL, "[1 1]" }, { "99999999999999999999", -EINVAL, "" },
		{ "1,66,2", 6, "[1 1]" },
	};
	char got[256];
	size_t i;

	for (i = 0; i < N(rows); i++) {
		got[0] = 0;
		EXPECT_EQ(rows[i].r, num_list(rows[i].s, collect, got)) {
			TH_LOG("\"%s\"", rows[i].s);
		}
		EXPECT_STREQ(rows[i].want, got);
	}
}

TEST(names_match_whole_words_only)
{
	static const struct name t[] = { { "one", 1 }, { "uno", 1 }, { "two", 2 }, { NULL, 0 } };
	static const struct field f[] = { { .key = "abc" }, { .key = "abcd" }, { .key = "" } };
	static const struct object o = { "o", 0, f, 3 };

	EXPECT_EQ(&t[2], names_find(t, "two"));
	EXPECT_EQ(NULL, names_find(t, "Two"));
	EXPECT_EQ(NULL, names_find(t, "tw"));
	EXPECT_EQ(NULL, names_find(t, ""));
	EXPECT_STREQ("one", names_of(t, 1));
	EXPECT_EQ(NULL, names_of(t, 0));
	EXPECT_EQ(&f[0], field_find(&o, "abcX", 3));
	EXPECT_EQ(&f[1], field_find(&o, "abcd", 4));
	EXPECT_EQ(&f[2], field_find(&o, "x", 0));
	EXPECT_EQ(NULL, field_find(&o, "ab", 2));
	EXPECT_EQ(NULL, field_find(&o, "abc\0d", 5));
	EXPECT_EQ(NULL, field_find(&o, "ABC", 3));
	EXPECT_EQ(&f[0], field_find_icase(&o, "ABC", 3));
}

/* What a sink writes for @text; errno must survive. */
static const char *logged(enum log_format format, enum log_level min, enum log_level level, const char *text)
{
	static char out[20000];
	struct log_sink s;
	ssize_t n;
	int p[2];

	if (pipe(p))
		return "pipe";
	log_sink_init(&s, p[1], format, min);
	errno = EXDEV;
	log_msg(&s.log, level, "%s", text);
	if (errno != EXDEV)
		return "errno was changed";
	close(p[1]);
	n = read(p[0], out, sizeof(out) - 1);
	close(p[0]);
	out[n < 0 ? 0 : n] = 0;
	return out;
}

TEST(log_lines)
{
	static const struct { const char *text, *json; } rows[] = {
		{ "plain", "{\"level\":\"warning\",\"msg\":\"plain\",\"time\":\"" },
		{ "q\"b\\n\nt\t\033\x7f", "{\"level\":\"warning\",\"msg\":\"q\\\"b\\\\n\\nt\\u0009\\u001b\\u007f\",\"time\":\"" },
		{ "\xc3\xa9\xff\xc3", "{\"level\":\"warning\",\"msg\":\"\xc3\xa9??\",\"time\":\"" },
		{ "\xed\xa0\x80\xe0\x80\x80", "{\"level\":\"warning\",\"msg\":\"??????\",\"time\":\"" },
		{ "", "{\"level\":\"warning\",\"msg\":\"\",\"time\":\"" },
	};
	const char *got;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		got = logged(LOG_FORMAT_JSON, LOG_INFO_LEVEL, LOG_WARN_LEVEL, rows[i].text);
		EXPECT_EQ(0, strncmp(got, rows[i].json, strlen(rows[i].json))) {
			TH_LOG("row %zu: %s", i, got);
		}
		EXPECT_STREQ("Z\"}\n", got + strlen(got) - 4);
		EXPECT_EQ(got + strlen(got) - 1, strchr(got, '\n'));
	}
	got = logged(LOG_FORMAT_TEXT, LOG_INFO_LEVEL, LOG_ERROR_LEVEL, "a \"b\"");
	EXPECT_EQ(0, strncmp(got, "time=\"2", 7));
	EXPECT_NE(NULL, strstr(got, "Z\" level=error msg=\"a \\\"b\\\"\"\n"));
	EXPECT_STREQ("", logged(LOG_FORMAT_TEXT, LOG_WARN_LEVEL, LOG_INFO_LEVEL, "dropped"));
	log_msg(NULL, LOG_ERROR_LEVEL, "a log that is not there");
}

/* Valid UTF-8, as the C library sees it? */
static int decodes(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		int n = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;

		if (n < 0)
			return 0;
		for (p++; n > 0; n--, p++)
			if ((*p & 0xc0) != 0x80)
				return 0;
	}
	return 1;
}

TEST(long_lines_are_cut_between_characters)
{
	char text[5000];
	size_t pad, i;

	/* 3-byte characters behind escapes that are six times as long, at every offset of the bound. */
	for (pad = 0; pad < 40; pad++) {
		const char *got;

		memset(text, 'x', pad);
		memset(text + pad, 1, 650);
		for (i = pad + 650; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);
		text[i] = 0;
		got = logged(LOG_FORMAT_JSON, LOG_INFO_LEVEL, LOG_WARN_LEVEL, text);
		EXPECT_TRUE(decodes(got)) {
			TH_LOG("pad %zu", pad);
		}
		EXPECT_STREQ("Z\"}\n", got + strlen(got) - 4);
	}
}

TEST(times)
{
	char b[48];
	int y, mo, d, h, mi, s, n = 0, nanos;

	EXPECT_EQ(6, sscanf(log_rfc3339(b, sizeof(b), false), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &mo, &d, &h, &mi, &s, &n));
	EXPECT_EQ(20, n);
	EXPECT_EQ(7, sscanf(log_rfc3339(b, sizeof(b), true), "%4d-%2d-%2dT%2d:%2d:%2d.%9dZ%n", &y, &mo, &d, &h, &mi,
			    &s, &nanos, &n));
	EXPECT_EQ(30, n);
	EXPECT_EQ(30, strlen(b));
}

/* What a log daemon would get. */
static const char *datagram(enum log_format format, const char *ident, const char *text)
{
	static char got[4096];
	struct log_sink s;
	int sv[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv))
		return "";
	log_sink_init(&s, sv[1], format, LOG_INFO_LEVEL);
	s.ident = ident;
	log_warn(&s.log, "%s", text);
	n = recv(sv[0], got, sizeof(got) - 1, MSG_DONTWAIT);
	got[n < 0 ? 0 : n] = 0;
	close(sv[0]);
	close(sv[1]);
	return got;
}

TEST(log_datagrams)
{
	char want[64];

	EXPECT_STREQ("PRIORITY=4\nSYSLOG_IDENTIFIER=me\nMESSAGE=a \"b\" FAKE=1\n",
		     datagram(LOG_FORMAT_JOURNAL, "me", "a \"b\"\nFAKE=1"));
	EXPECT_STREQ("PRIORITY=4\nSYSLOG_IDENTIFIER=cleat\nMESSAGE=x\n", datagram(LOG_FORMAT_JOURNAL, NULL, "x"));
	snprintf(want, sizeof(want), " me[%d]: a  b", (int)getpid());
	EXPECT_EQ(0, strncmp("<12>", datagram(LOG_FORMAT_SYSLOG, "me", "a\n\033b"), 4));
	EXPECT_NE(NULL, strstr(datagram(LOG_FORMAT_SYSLOG, "me", "a\n\033b"), want));
}

FIXTURE(json_string) { int unused; };
FIXTURE_SETUP(json_string) { }
FIXTURE_TEARDOWN(json_string) { }
FIXTURE_VARIANT(json_string) { const char *in, *out; };
FIXTURE_VARIANT_ADD(json_string, plain) { .in = "a/b <&> \xc3\xa9", .out = "\"a/b <&> \xc3\xa9\"" };
FIXTURE_VARIANT_ADD(json_string, escapes_controls) { .in = "\x01\x1f\n\r\t\b\f\x7f", .out = "\"\\u0001\\u001f\\n\\r\\t\\b\\f\\u007f\"" };
FIXTURE_VARIANT_ADD(json_string, escapes_quote_and_backslash) { .in = "\"\\", .out = "\"\\\"\\\\\"" };
FIXTURE_VARIANT_ADD(json_string, replaces_invalid_utf8) { .in = "a\xff\xc3", .out = "\"a\xef\xbf\xbd\xef\xbf\xbd\"" };
FIXTURE_VARIANT_ADD(json_string, replaces_surrogate_bytes)
	{ .in = "\xed\xa0\x80", .out = "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" };
FIXTURE_VARIANT_ADD(json_string, empty) { .in = "", .out = "\"\"" };
TEST_F(json_string, text)
{
	auto_buf b = BUF_INIT;

	buf_add_json(&b, variant->in);
	EXPECT_STREQ(variant->out, b.data);
}

TEST(utf8_boundaries)
{
	static const struct { const char *s; size_t n, want; } rows[] = {
		{ "\x7f", 1, 1 }, { "\xc2\x80", 2, 2 }, { "\xdf\xbf", 2, 2 }, { "\xe0\xa0\x80", 3, 3 },
		{ "\xed\x9f\xbf", 3, 3 }, { "\xee\x80\x80", 3, 3 }, { "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 }, { "\x80", 1, 0 }, { "\xc1\xbf", 2, 0 }, { "\xe0\x9f\xbf", 3, 0 },
		{ "\xed\xa0\x80", 3, 0 }, { "\xf0\x8f\xbf\xbf", 4, 0 }, { "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 }, { "\xe2\x82", 2, 0 }, { "\xe2\x28\xa1", 3, 0 }, { "", 0, 0 },
	};
	char out[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_EQ(rows[i].want, utf8_len(rows[i].s, rows[i].n));
	EXPECT_EQ(4, utf8_put(0x10ffff, out));
	EXPECT_EQ(0, memcmp(out, "\xf4\x8f\xbf\xbf", 4));
	EXPECT_TRUE(utf8_valid("a\xc3\xa9", 3));
	EXPECT_FALSE(utf8_valid("a\xc3", 2));
}

TEST_HARNESS_MAIN

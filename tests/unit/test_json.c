/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON into structs by table and back: every type, every bad value, every limit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "json.h"

/* ---- one struct with every field type ---- */

struct item { const char *name; uint32_t n; };
struct entry { const char *key; int32_t v; };
struct deep { struct objv items; struct item *item; };
struct all {
	const char *str, *path, *bytes, *need, *shortish;
	bool flag, has_i32, has_strv, has_map, has_objp;
	int32_t i32;
	int64_t i64, ranged;
	uint32_t u32, capped;
	uint64_t u64;
	int word;
	struct strv strv, paths, args;
	struct intv words;
	struct u32v ids;
	struct item obj;
	struct item *objp;
	struct objv objv;
	struct strmap map;
	struct objv objmap;
	struct deep *deep;
	int32_t checked;
};

static const struct name word_names[] = { { "one", 1 }, { "two", 2 }, { NULL, 0 } };

static int is_even(const void *value, const char *pointer, struct err *e)
{
	int32_t v = *(const int32_t *)value;

	return v % 2 ? err_set(e, ERR_SPEC, 0, pointer, "%d is odd", v) : 0;
}

#define AT(t, m) .off = FIELD_OFF(struct t, m)
static const struct field item_fields[] = {
	{ .key = "name", .type = FT_STR, .flags = F_REQUIRED, AT(item, name) },
	{ .key = "n", .type = FT_U32, AT(item, n) },
};
static OBJECT(item_object, struct item, item_fields);
static const struct field entry_fields[] = { { .key = "v", .type = FT_I32, AT(entry, v) } };
static OBJECT(entry_object, struct entry, entry_fields);
static const struct field deep_fields[] = {
	{ .key = "items", .type = FT_OBJV, AT(deep, items), .sub = &item_object },
	{ .key = "item", .type = FT_OBJP, AT(deep, item), .sub = &item_object },
};
static OBJECT(deep_object, struct deep, deep_fields);
static const struct field all_fields[] = {
	{ .key = "str", .type = FT_STR, .flags = F_OMITEMPTY, AT(all, str) },
	{ .key = "path", .type = FT_STR, .flags = F_ABSPATH | F_NONEMPTY, AT(all, path) },
	{ .key = "bytes", .type = FT_STR, .flags = F_BYTES, AT(all, bytes) },
	{ .key = "need", .type = FT_STR, .flags = F_REQUIRED, AT(all, need) },
	{ .key = "shortish", .type = FT_STR, .max = 4, AT(all, shortish) },
	{ .key = "flag", .type = FT_BOOL, .flags = F_OMITEMPTY, AT(all, flag) },
	{ .key = "i32", .type = FT_I32, AT(all, i32), .present = FIELD_OFF(struct all, has_i32) },
	{ .key = "i64", .type = FT_I64, .flags = F_OMITEMPTY, AT(all, i64) },
	{ .key = "ranged", .type = FT_I64, .flags = F_OMITEMPTY, .min = -1, .max = INT64_MAX,
	  AT(all, ranged) },
	{ .key = "u32", .type = FT_U32, .flags = F_OMITEMPTY, AT(all, u32) },
	{ .key = "capped", .type = FT_U32, .flags = F_OMITEMPTY, .max = 7, AT(all, capped) },
	{ .key = "u64", .type = FT_U64, .flags = F_OMITEMPTY, AT(all, u64) },
	{ .key = "word", .type = FT_ENUM, AT(all, word), .sub = word_names },
	{ .key = "strv", .type = FT_STRV, AT(all, strv), .present = FIELD_OFF(struct all, has_strv) },
	{ .key = "paths", .type = FT_STRV, .flags = F_ABSPATH | F_NONEMPTY | F_OMITEMPTY, .max = 3,
	  AT(all, paths) },
	{ .key = "args", .type = FT_STRV, .flags = F_BYTES | F_OMITEMPTY, AT(all, args) },
	{ .key = "words", .type = FT_ENUMV, .flags = F_OMITEMPTY, AT(all, words), .sub = word_names },
	{ .key = "ids", .type = FT_U32V, .flags = F_OMITEMPTY, AT(all, ids) },
	{ .key = "obj", .type = FT_OBJ, .flags = F_OMITEMPTY, AT(all, obj), .sub = &item_object },
	{ .key = "objp", .type = FT_OBJP, AT(all, objp), .sub = &item_object,
	  .present = FIELD_OFF(struct all, has_objp) },
	{ .key = "objv", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(all, objv), .sub = &item_object },
	{ .key = "map", .type = FT_MAP, AT(all, map), .present = FIELD_OFF(struct all, has_map) },
	{ .key = "objmap", .type = FT_OBJMAP, .flags = F_OMITEMPTY, AT(all, objmap), .sub = &entry_object },
	{ .key = "deep", .type = FT_OBJP, AT(all, deep), .sub = &deep_object },
	{ .key = "checked", .type = FT_I32, .flags = F_OMITEMPTY, AT(all, checked), .check = is_even },
	{ .key = "other", .type = FT_IGNORED },
	{ .key = "later", .type = FT_REFUSED },
};
static OBJECT(all_object, struct all, all_fields);

/* ---- fixture ---- */

FIXTURE(json)
{
	struct arena a;
	struct all v;
	struct err e;
};
FIXTURE_SETUP(json)
{
	memset(self, 0, sizeof(*self));
}
FIXTURE_TEARDOWN(json)
{
	arena_fini(&self->a);
}

static char logged[4096];	/* a log is called back without an argument of ours */

static void keep_line(const struct log *l, enum log_level level, const char *text)
{
	size_t n = strlen(logged);

	snprintf(logged + n, sizeof(logged) - n, "%d %s\n", level, text);
}
static const struct log test_log = { LOG_DEBUG_LEVEL, keep_line };

static int parse_n(FIXTURE_DATA(json) *self, const char *s, size_t len)
{
	/* A copy of exactly this size, without a NUL, so that a checker sees reads past the end. */
	char *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, s, len);
	memset(&self->e, 0, sizeof(self->e));
	logged[0] = 0;
	r = json_read(copy, len, &all_object, &self->v, &self->a, "doc.json", "", &test_log, &self->e);
	free(copy);
	return r;
}

static int parse(FIXTURE_DATA(json) *self, const char *s)
{
	return parse_n(self, s, strlen(s));
}

TEST_F(json, every_type)
{
	struct all *v = &self->v;
	const struct item *items;
	const struct entry *entries;

	ASSERT_EQ(0, parse(self,
		"{ \"str\": \"a\\u00e9\\ud83d\\ude00\\n\", \"path\":\"/p\", \"bytes\":\"\xff\", \"need\":\"\","
		"\"flag\":true, \"i32\":-2147483648, \"i64\":-9223372036854775808, \"ranged\":-1,"
		"\"u32\":4294967295, \"capped\":7, \"u64\":18446744073709551615, \"word\":\"two\","
		"\"strv\":[], \"paths\":[\"/a\",\"/b\"], \"args\":[\"x\",\"\"], \"words\":[\"two\",\"one\"],"
		"\"ids\":[1,4294967295], \"obj\":{\"name\":\"o\",\"n\":3}, \"objp\":{\"name\":\"p\"},"
		"\"objv\":[{\"name\":\"i0\"},{\"n\":9,\"name\":\"i1\"}], \"map\":{\"k\":\"v\",\"\":\"e\"},"
		"\"objmap\":{\"a\":{\"v\":1},\"b\":{}}, \"deep\":{\"items\":[{\"name\":\"d\"}]},"
		"\"checked\":4, \"other\":[{\"x\":[1,{}]}], \"later\":{}, \"unknown\":{\"a\":[[1]]} }\n"));
	EXPECT_STREQ("a\xc3\xa9\xf0\x9f\x98\x80\n", v->str);
	EXPECT_STREQ("/p", v->path);
	EXPECT_STREQ("\xff", v->bytes);
	EXPECT_STREQ("", v->need);
	EXPECT_TRUE(v->flag && v->has_i32 && v->has_strv && v->has_map && v->has_objp);
	EXPECT_EQ(INT32_MIN, v->i32);
	EXPECT_EQ(INT64_MIN, v->i64);
	EXPECT_EQ(-1, v->ranged);
	EXPECT_EQ(UINT32_MAX, v->u32);
	EXPECT_EQ(UINT64_MAX, v->u64);
	EXPECT_EQ(2, v->word);
	EXPECT_EQ(0, v->strv.n);
	ASSERT_EQ(2, v->paths.n);
	EXPECT_STREQ("/b", v->paths.v[1]);
	EXPECT_EQ(2, v->args.n);
	ASSERT_EQ(2, v->words.n);
	EXPECT_EQ(1, v->words.v[1]);
	EXPECT_EQ(UINT32_MAX, v->ids.v[1]);
	EXPECT_EQ(3, v->obj.n);
	EXPECT_STREQ("p", v->objp->name);
	items = v->objv.v;
	ASSERT_EQ(2, v->objv.n);
	EXPECT_STREQ("i1", items[1].name);
	EXPECT_EQ(9, items[1].n);
	ASSERT_EQ(2, v->map.n);
	EXPECT_STREQ("v", v->map.v[0].val);
	EXPECT_STREQ("", v->map.v[1].key);
	entries = v->objmap.v;
	ASSERT_EQ(2, v->objmap.n);
	EXPECT_STREQ("b", entries[1].key);
	EXPECT_EQ(1, entries[0].v);
	EXPECT_EQ(1, v->deep->items.n);
	EXPECT_NE(NULL, strstr(logged, "unknown key \"unknown\""));
}

TEST_F(json, null_is_absent)
{
	ASSERT_EQ(0, parse(self, "{\"need\":\"x\",\"i32\":null,\"strv\":null,\"objp\":null,\"map\":{\"a\":null,"
		"\"b\":\"c\"},\"later\":null,\"str\":null,\"path\":null,\"word\":null,\"obj\":null,"
		"\"objmap\":{\"a\":null}}"));
	EXPECT_FALSE(self->v.has_i32 || self->v.has_strv || self->v.has_objp);
	EXPECT_EQ(NULL, self->v.objp);
	ASSERT_EQ(1, self->v.map.n);
	EXPECT_STREQ("b", self->v.map.v[0].key);
	EXPECT_EQ(0, self->v.objmap.n);
}

TEST_F(json, last_duplicate_wins_with_a_warning)
{
	ASSERT_EQ(0, parse(self, "{\"need\":\"1\",\"need\":\"2\",\"strv\":[\"a\",\"b\"],\"strv\":[\"c\"],"
		"\"objp\":{\"name\":\"a\",\"n\":7},\"objp\":{\"name\":\"b\"},\"obj\":{\"name\":\"a\",\"n\":7},"
		"\"obj\":{\"name\":\"b\"},\"map\":{\"x\":\"1\",\"y\":\"2\",\"x\":\"3\"},\"i32\":5,\"i32\":null}"));
	EXPECT_STREQ("2", self->v.need);
	EXPECT_EQ(1, self->v.strv.n);
	EXPECT_EQ(0, self->v.objp->n);		/* not merged with the first */
	EXPECT_EQ(0, self->v.obj.n);
	ASSERT_EQ(2, self->v.map.n);
	EXPECT_STREQ("y", self->v.map.v[0].key);
	EXPECT_STREQ("3", self->v.map.v[1].val);
	EXPECT_FALSE(self->v.has_i32);
	EXPECT_NE(NULL, strstr(logged, "2 doc.json: key \"need\" near /need: given twice"));
	EXPECT_NE(NULL, strstr(logged, "key \"x\""));
}

TEST_F(json, misspelt_case_is_warned_of_and_ignored)
{
	ASSERT_EQ(0, parse(self, "{\"need\":\"x\",\"STR\":\"y\"}"));
	EXPECT_EQ(NULL, self->v.str);
	EXPECT_NE(NULL, strstr(logged, "2 doc.json: key \"STR\""));
}

TEST_F(json, warnings_are_bounded)
{
	char doc[8192] = "{\"need\":\"x\"";
	int lines = 0;

	for (int i = 0; i < 100; i++)
		strcat(doc, ",\"need\":\"x\"");
	strcat(doc, "}");
	ASSERT_EQ(0, parse(self, doc));
	for (const char *p = logged; (p = strchr(p, '\n')); p++)
		lines++;
	EXPECT_EQ(20, lines);
}

/* ---- what is refused ---- */

#define N ",\"need\":\"\"}"
static const struct { const char *json, *where, *text; } bad[] = {
	/* syntax, with the byte where it ends */
	{ "", "doc.json", "at byte 0" },
	{ " \n", "doc.json", "not valid JSON at byte 2" },
	{ "{", "doc.json", "not valid JSON at byte 1" },
	{ "{\"need\":\"\"", "doc.json", "not valid JSON at byte 10" },
	{ "{\"need\":\"\"}x", "doc.json", "at byte 12: parse error: trailing garbage" },
	{ "{\"need\":\"\"}{}", "doc.json", "trailing garbage" },
	{ "{\"need\":\"\"} 1", "doc.json", "not valid JSON at byte" },
	{ "\xef\xbb\xbf{\"need\":\"\"}", "doc.json", "byte order mark" },
	{ "/* c */{\"need\":\"\"}", "doc.json", "not valid JSON at byte" },
	{ "// c\n{\"need\":\"\"}", "doc.json", "not valid JSON at byte" },
	{ "{\"need\":\"\",}", "doc.json", "not valid JSON at byte" },
	{ "{\"need\":'x'}", "doc.json", "not valid JSON at byte" },
	{ "{\"need\":\"\\x\"}", "doc.json", "not valid JSON at byte" },
	{ "{\"need\":\"\\u12\"}", "doc.json", "not valid JSON at byte" },
	{ "{\"need\":\"a\nb\"}", "doc.json", "not valid JSON at byte" },
	{ "{\"i32\":01" N, "doc.json", "not valid JSON at byte" },
	{ "{\"i32\":+1" N, "doc.json", "not valid JSON at byte" },
	{ "{\"i32\":NaN" N, "doc.json", "not valid JSON at byte" },
	/* the outermost value */
	{ "[]", "doc.json", "expected an object, found an array" },
	{ "null", "doc.json", "expected an object, found null" },
	{ "true", "doc.json", "expected an object, found true" },
	{ "\"x\"", "doc.json", "expected an object, found a string" },
	{ "1 ", "doc.json", "expected an object, found a number" },
	/* wrong types */
	{ "{\"str\":5" N, "/str", "expected a string, found the number 5" },
	{ "{\"str\":true" N, "/str", "expected a string, found true" },
	{ "{\"str\":[]" N, "/str", "expected a string, found an array" },
	{ "{\"str\":{}" N, "/str", "expected a string, found an object" },
	{ "{\"flag\":\"true\"" N, "/flag", "expected true or false, found the string \"true\"" },
	{ "{\"flag\":1" N, "/flag", "expected true or false, found the number 1" },
	{ "{\"i32\":\"1\"" N, "/i32", "expected a number, found the string" },
	{ "{\"strv\":\"x\"" N, "/strv", "expected an array, found the string" },
	{ "{\"strv\":[1]" N, "/strv/0", "expected a string, found the number 1" },
	{ "{\"strv\":[\"a\",null]" N, "/strv/1", "expected a string, found null" },
	{ "{\"strv\":[[]]" N, "/strv/0", "expected a string, found an array" },
	{ "{\"strv\":[{}]" N, "/strv/0", "expected a string, found an object" },
	{ "{\"ids\":[1,\"2\"]" N, "/ids/1", "expected a number" },
	{ "{\"objv\":[[]]" N, "/objv/0", "expected an object, found an array" },
	{ "{\"objv\":[{\"name\":\"a\"},null]" N, "/objv/1", "expected an object, found null" },
	{ "{\"objv\":{}" N, "/objv", "expected an array, found an object" },
	{ "{\"objp\":[]" N, "/objp", "expected an object, found an array" },
	{ "{\"map\":{\"a/b~\":1}" N, "/map/a~1b~0", "expected a string, found the number 1" },
	{ "{\"map\":[]" N, "/map", "expected an object, found an array" },
	{ "{\"objmap\":{\"k\":1}" N, "/objmap/k", "expected an object, found the number 1" },
	{ "{\"objmap\":{\"k\":{\"v\":\"\"}}" N, "/objmap/k/v", "expected a number" },
	{ "{\"deep\":{\"items\":[{\"name\":\"\"},{\"name\":1}]}" N, "/deep/items/1/name", "expected a string" },
	/* numbers */
	{ "{\"i32\":1.5" N, "/i32", "expected a whole number, found 1.5" },
	{ "{\"i32\":1e3" N, "/i32", "expected a whole number, found 1e3" },
	{ "{\"i32\":1e400" N, "/i32", "expected a whole number, found 1e400" },
	{ "{\"i32\":2147483648" N, "/i32", "2147483648 is out of range, allowed: -2147483648 to 2147483647" },
	{ "{\"i64\":9223372036854775808" N, "/i64", "out of range" },
	{ "{\"i64\":-9223372036854775809" N, "/i64", "out of range" },
	{ "{\"ranged\":-2" N, "/ranged", "-2 is out of range, allowed: -1 to 9223372036854775807" },
	{ "{\"u32\":-1" N, "/u32", "-1 is out of range, allowed: 0 to 4294967295" },
	{ "{\"u32\":4294967296" N, "/u32", "out of range" },
	{ "{\"capped\":8" N, "/capped", "8 is out of range, allowed: 0 to 7" },
	{ "{\"u64\":18446744073709551616" N, "/u64", "out of range" },
	{ "{\"u64\":99999999999999999999999999999999999999999999" N, "/u64", "out of range" },
	{ "{\"ids\":[-1]" N, "/ids/0", "out of range" },
	/* strings */
	{ "{\"str\":\"a\\u0000b\"" N, "/str", "a NUL character is not allowed" },
	{ "{\"bytes\":\"a\\u0000b\"" N, "/bytes", "a NUL character is not allowed" },
	{ "{\"map\":{\"a\\u0000\":\"\"}" N, "/map", "a NUL character is not allowed" },
	{ "{\"map\":{\"a\":\"\\u0000\"}" N, "/map/a", "a NUL character is not allowed" },
	{ "{\"word\":\"one\\u0000\"" N, "/word", "a NUL character is not allowed" },
	{ "{\"str\":\"\xff\"" N, "/str", "is not valid UTF-8" },
	{ "{\"str\":\"\xc0\x80\"" N, "/str", "is not valid UTF-8" },
	{ "{\"str\":\"\xed\xa0\x80\"" N, "/str", "is not valid UTF-8" },
	{ "{\"str\":\"\\ud800\"" N, "/str", "lone surrogate" },
	{ "{\"str\":\"\\udc00\"" N, "/str", "lone surrogate" },
	{ "{\"str\":\"\\ud800\\ud800\"" N, "/str", "lone surrogate" },
	{ "{\"str\":\"\\ud800x\"" N, "/str", "lone surrogate" },
	{ "{\"map\":{\"\xff\":\"\"}" N, "/map", "is not valid UTF-8" },
	{ "{\"path\":\"\"" N, "/path", "must be an absolute path" },
	{ "{\"path\":\"a/b\"" N, "/path", "must be an absolute path, is \"a/b\"" },
	{ "{\"paths\":[\"/a\",\"b\"]" N, "/paths/1", "must be an absolute path, is \"b\"" },
	{ "{\"paths\":[]" N, "/paths", "must have at least one element" },
	{ "{\"paths\":[\"/\",\"/\",\"/\",\"/\"]" N, "/paths", "has more than 3 elements" },
	{ "{\"shortish\":\"12345\"" N, "/shortish", "is 5 bytes long, at most 4" },
	{ "{\"word\":\"three\"" N, "/word", "unknown value \"three\", known: one, two" },
	{ "{\"words\":[\"one\",\"\"]" N, "/words/1", "unknown value \"\"" },
	/* required, refused, own rules */
	{ "{}", "/need", "required field missing" },
	{ "{\"need\":null}", "/need", "required field missing" },
	{ "{\"need\":\"x\",\"need\":null}", "/need", "required field missing" },
	{ "{\"obj\":{}" N, "/obj/name", "required field missing" },
	{ "{\"objv\":[{\"name\":\"\"},{\"n\":1}]" N, "/objv/1/name", "required field missing" },
	{ "{\"later\":1" N, "/later", "\"later\" is not supported by this version" },
	{ "{\"later\":0" N, "/later", "is not supported" },
	{ "{\"later\":true" N, "/later", "is not supported" },
	{ "{\"later\":\"x\"" N, "/later", "is not supported" },
	{ "{\"later\":[\"x\"]" N, "/later", "is not supported" },
	{ "{\"later\":{\"a\":{\"b\":[1]}}" N, "/later", "is not supported" },
	{ "{\"checked\":3" N, "/checked", "3 is odd" },
};

TEST_F(json, bad_documents_name_pointer_and_value)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int r = parse(self, bad[i].json);

		EXPECT_EQ(-EINVAL, r);
		EXPECT_STREQ(bad[i].where, self->e.where);
		EXPECT_NE(NULL, strstr(self->e.msg, bad[i].text));
		if (r != -EINVAL || strcmp(bad[i].where, self->e.where) || !strstr(self->e.msg, bad[i].text))
			TH_LOG("%s -> %s: %s", bad[i].json, self->e.where, self->e.msg);
	}
}

TEST_F(json, refused_but_empty_is_accepted)
{
	static const char *const empty[] = { "null", "false", "\"\"", "[]", "{}", "{\"a\":{\"b\":[]}}",
					     "{\"a\":null}", "[\"\",false]" };
	char doc[100];

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		snprintf(doc, sizeof(doc), "{\"later\":%s,\"need\":\"x\",\"other\":1}", empty[i]);
		EXPECT_EQ(0, parse(self, doc));
		EXPECT_STREQ("x", self->v.need);
	}
}

TEST_F(json, values_of_bytes_pass_as_given)
{
	ASSERT_EQ(0, parse(self, "{\"need\":\"\",\"args\":[\"\xff\xfe\",\"\\ud800z\",\"\\\\\\\"\\/\\b\"]}"));
	EXPECT_STREQ("\xff\xfe", self->v.args.v[0]);
	EXPECT_STREQ("\xef\xbf\xbdz", self->v.args.v[1]);
	EXPECT_STREQ("\\\"/\b", self->v.args.v[2]);
}

TEST_F(json, base_is_put_in_front)
{
	static const char doc[] = "{\"need\":1}";

	EXPECT_EQ(-EINVAL, json_read(doc, sizeof(doc) - 1, &all_object, &self->v, &self->a, "d",
				     "/process", NULL, &self->e));
	EXPECT_STREQ("/process/need", self->e.where);
}

/* ---- limits ---- */

static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	size_t u = strlen(unit), h = strlen(head);
	char *s = malloc(h + n * u + strlen(tail) + 1), *p = s + h;

	memcpy(s, head, h);
	for (size_t i = 0; i < n; i++, p += u)
		memcpy(p, unit, u);
	strcpy(p, tail);
	return s;
}

TEST_F(json, depth_is_capped_where_nobody_looks)
{
	char *open = repeat("{\"x\":", "[", LIMIT_JSON_DEPTH - 1, ""), *doc;

	doc = repeat(open, "]", LIMIT_JSON_DEPTH - 1, N);
	EXPECT_EQ(0, parse(self, doc));
	free(doc);
	free(open);
	doc = repeat("{\"x\":", "[", LIMIT_JSON_DEPTH, "");
	EXPECT_EQ(-E2BIG, parse(self, doc));
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
	free(doc);
	doc = repeat("{\"x\":", "{\"y\":", 1000000, "");
	EXPECT_EQ(-E2BIG, parse(self, doc));
	EXPECT_NE(NULL, strstr(self->e.msg, "deeper than 128"));
	free(doc);
}

TEST_F(json, size_is_capped)
{
	char *doc = repeat("{\"need\":\"\"", " ", LIMIT_JSON_BYTES - 11, "}");

	ASSERT_EQ(LIMIT_JSON_BYTES, strlen(doc));
	EXPECT_EQ(0, parse(self, doc));
	free(doc);
	doc = repeat("{\"need\":\"\"", " ", LIMIT_JSON_BYTES - 10, "}");
	EXPECT_EQ(-E2BIG, parse(self, doc));
	free(doc);
}

TEST_F(json, number_of_values_is_capped)
{
	/* one for the outermost object, one for the array, one for need */
	char *doc = repeat("{\"need\":\"\",\"x\":[1", ",1", LIMIT_JSON_VALUES - 4, "]}");

	EXPECT_EQ(0, parse(self, doc));
	free(doc);
	doc = repeat("{\"need\":\"\",\"x\":[1", ",1", LIMIT_JSON_VALUES - 3, "]}");
	EXPECT_EQ(-E2BIG, parse(self, doc));
	EXPECT_NE(NULL, strstr(self->e.msg, "more than 1000000 values"));
	free(doc);
}

TEST_F(json, memory_is_bounded_by_the_arena)
{
	char *doc = repeat("{\"need\":\"\",\"objv\":[{\"name\":\"x\"}", ",{\"name\":\"x\"}", 400000, "]}");

	self->a.limit = 1 << 20;
	EXPECT_EQ(-ENOMEM, parse(self, doc));
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
	EXPECT_LE(self->a.used, self->a.limit);
	free(doc);
}

TEST_F(json, hostile_map_stays_fast)
{
	struct timespec t0, t1;
	char *doc = repeat("{\"need\":\"\",\"map\":{\"k\":\"v\"", ",\"k\":\"v\"", 300000, "}}");
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	ASSERT_EQ(0, parse(self, doc));
	clock_gettime(CLOCK_MONOTONIC, &t1);
	EXPECT_EQ(1, self->v.map.n);
	ms = (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000;
	EXPECT_LT(ms, 10000);	/* pairwise comparison would take minutes */
	free(doc);
}

/* ---- nothing crashes ---- */

static const char sample[] =
	"{\"str\":\"a\\u00e9\\ud83d\\ude00\\\\\",\"path\":\"/p\",\"need\":\"n\",\"flag\":true,\"i32\":-1,\"u64\":"
	"18446744073709551615,\"word\":\"two\",\"strv\":[\"a\\\"b\"],\"words\":[\"one\"],\"ids\":[1,2],\"obj\":{\"name\":"
	"\"o\"},\"objp\":{\"name\":\"p\",\"n\":1},\"objv\":[{\"name\":\"i\"}],\"map\":{\"k\":\"v\"},\"objmap\":{\"a\":{\"v\":1}},"
	"\"deep\":{\"items\":[{\"name\":\"d\"}],\"item\":{\"name\":\"e\"}},\"other\":[1],\"later\":{},\"x\":{\"y\":[null]}}";

TEST_F(json, every_cut_document_is_refused)
{
	ASSERT_EQ(0, parse(self, sample));
	for (size_t len = 0; len < sizeof(sample) - 1; len++) {
		EXPECT_EQ(-EINVAL, parse_n(self, sample, len));
		EXPECT_NE(0, self->e.msg[0]);
	}
}

TEST_F(json, every_changed_byte_is_read_or_refused)
{
	static const char with[] = "\"\\{}[],:0-9eu\x80\xff\0/n ";
	char doc[sizeof(sample)];
	int refused = 0;

	for (size_t i = 0; i < sizeof(sample) - 1; i++) {
		for (size_t k = 0; k < sizeof(with) - 1; k++) {
			int r;

			memcpy(doc, sample, sizeof(sample));
			doc[i] = with[k];
			r = parse_n(self, doc, sizeof(sample) - 1);
			EXPECT_TRUE(r == 0 || r == -EINVAL);
			EXPECT_EQ(r != 0, self->e.msg[0] != 0);
			refused += r != 0;
			arena_fini(&self->a);
		}
	}
	EXPECT_GT(refused, 1000);
}

/* ---- writing ---- */

TEST_F(json, written_documents_read_back_the_same)
{
	auto_buf one = BUF_INIT, two = BUF_INIT;

	ASSERT_EQ(0, parse(self, sample));
	ASSERT_EQ(0, json_write(&all_object, &self->v, true, &one));
	EXPECT_NE(NULL, strstr(one.data, "\n  \"deep\": {\n    \"items\": [\n      {\n        \"name\": \"d\""));
	ASSERT_EQ(0, parse(self, one.data));
	ASSERT_EQ(0, json_write(&all_object, &self->v, true, &two));
	EXPECT_STREQ(one.data, two.data);
	buf_reset(&two);
	ASSERT_EQ(0, json_write(&all_object, &self->v, false, &two));
	EXPECT_EQ(NULL, strpbrk(two.data, " \n\t"));
}

TEST_F(json, absent_values_are_not_written)
{
	auto_buf b = BUF_INIT;

	self->v.need = "n/";
	ASSERT_EQ(0, json_write(&all_object, &self->v, false, &b));
	/* obj is embedded, so always there; a required string that was never set is NULL, so left out */
	EXPECT_STREQ("{\"need\":\"n/\",\"obj\":{\"n\":0}}", b.data);
	buf_reset(&b);
	self->v.has_strv = self->v.has_map = self->v.has_i32 = true;
	self->v.str = "";
	ASSERT_EQ(0, json_write(&all_object, &self->v, false, &b));
	EXPECT_STREQ("{\"need\":\"n/\",\"i32\":0,\"strv\":[],\"obj\":{\"n\":0},\"map\":{}}", b.data);
}

TEST_F(json, a_value_without_a_word_is_an_error)
{
	auto_buf b = BUF_INIT;

	self->v.word = 77;
	EXPECT_EQ(-EINVAL, json_write(&all_object, &self->v, false, &b));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Spans noted by several processes, and how they are told. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "stage.h"
#include "trace_out.h"
#include "kselftest_harness.h"

STAGE(init, STAGE_INIT);
struct init_ctx { int ran; };

static int first(struct init_ctx *c, struct err *e)
{
	c->ran++;
	return 0;
}

static int fails(struct init_ctx *c, struct err *e)
{
	return err_set(e, ERR_SPEC, -EPERM, NULL, "no");
}

static const struct init_step steps[] = { { "first", first, NULL }, { "fails", fails, NULL } };

TEST(nothing_is_noted_when_it_is_off)
{
	struct trace_span spans[TRACE_SPANS_MAX];

	EXPECT_EQ(0, trace_enter(STAGE_HOST, "x"));
	trace_leave(0);
	trace_settle();
	EXPECT_EQ(0, trace_read(spans));
	EXPECT_EQ(0, trace_now_ns());
}

TEST(steps_of_a_child_come_home)
{
	struct trace_span spans[TRACE_SPANS_MAX];
	struct init_ctx c = { 0 };
	struct err e = { 0 };
	int status, outer;

	ASSERT_EQ(0, trace_begin());
	outer = trace_enter(STAGE_HOST, "launch");
	if (!fork()) {
		init_run(steps, 2, &c, &e);
		trace_enter(STAGE_SEAL, "exec");
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(5, trace_call(STAGE_HOST, "inner", 5));
	trace_leave(outer);
	trace_settle();
	ASSERT_EQ(5, trace_read(spans));
	EXPECT_STREQ("launch", spans[0].name);
	EXPECT_STREQ("first", spans[1].name);
	EXPECT_EQ(STAGE_INIT, spans[1].stage);
	EXPECT_STREQ("fails", spans[2].name);
	EXPECT_STREQ("exec", spans[3].name);
	EXPECT_EQ(0, spans[3].open);
	EXPECT_STREQ("inner", spans[4].name);
	for (int i = 1; i < 5; i++)
		EXPECT_GE(spans[i].from_ns, spans[i - 1].from_ns);
	EXPECT_GE(spans[0].took_ns, spans[4].from_ns + spans[4].took_ns - spans[0].from_ns);
	trace_end();
}

TEST(full_page_drops_what_comes)
{
	struct trace_span spans[TRACE_SPANS_MAX];
	unsigned int mark = 1;

	ASSERT_EQ(0, trace_begin());
	for (int i = 0; i < TRACE_SPANS_MAX + 5; i++)
		mark = trace_enter(STAGE_HOST, "a name that is longer than what a span has room for");
	EXPECT_EQ(0, mark);
	ASSERT_EQ(TRACE_SPANS_MAX, trace_read(spans));
	EXPECT_EQ(TRACE_NAME_MAX - 1, strlen(spans[0].name));
	trace_end();
}

/* A container's process has the page in its memory. */
TEST(hostile_page_is_cleaned)
{
	struct trace_span spans[TRACE_SPANS_MAX];

	ASSERT_EQ(0, trace_begin());
	trace_leave(trace_enter(STAGE_HOST, "x"));
	/* begin_ns, n, then the spans */
	memset((char *)trace_page + 8, 0xff, 16 + sizeof(struct trace_span));
	ASSERT_EQ(TRACE_SPANS_MAX, trace_read(spans));
	for (size_t i = 0; i < TRACE_SPANS_MAX; i++) {
		EXPECT_GT(STAGE_MAX, spans[i].stage);
		EXPECT_LE(spans[i].from_ns + spans[i].took_ns, trace_now_ns());
		EXPECT_GT(TRACE_NAME_MAX, strlen(spans[i].name));
		for (const char *p = spans[i].name; *p; p++)
			EXPECT_TRUE(*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\');
	}
	trace_end();
}

static const struct trace_span two[] = {
	{ .from_ns = 1000, .took_ns = 2500, .stage = STAGE_HOST, .name = "bundle" },
	{ .from_ns = 12345678, .took_ns = 49, .stage = STAGE_INIT, .name = "mounts" },
	{ .from_ns = 20000000, .took_ns = 1000000, .stage = STAGE_HOST, .name = "spec" },
};
static const struct trace_doc doc = { "run", "c1", 21000000, two, 3 };

TEST(json)
{
	auto_buf b = BUF_INIT;

	trace_json(&doc, &b);
	EXPECT_STREQ("{\"command\":\"run\",\"id\":\"c1\",\"microseconds\":21000.0,"
		     "\"stages\":{\"host\":1002.5,\"init\":0.0},\"steps\":["
		     "{\"stage\":\"host\",\"step\":\"bundle\",\"at\":1.0,\"microseconds\":2.5},"
		     "{\"stage\":\"init\",\"step\":\"mounts\",\"at\":12345.7,\"microseconds\":0.0},"
		     "{\"stage\":\"host\",\"step\":\"spec\",\"at\":20000.0,\"microseconds\":1000.0}]}\n", b.data);
}

TEST(text)
{
	auto_buf b = BUF_INIT;

	trace_text(&doc, &b);
	EXPECT_STREQ("cleat run c1: 21000.0 us\n"
		     "          AT        TOOK  STAGE  STEP\n"
		     "         1.0         2.5  host   bundle\n"
		     "     12345.7         0.0  init   mounts\n"
		     "     20000.0      1000.0  host   spec\n"
		     "                  1002.5  host   in all\n"
		     "                     0.0  init   in all\n", b.data);
}

TEST_HARNESS_MAIN

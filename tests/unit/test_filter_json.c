/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* linux.seccomp as JSON: the tables of seccomp/fields.c under the real parser. */
#include <string.h>
#include "kselftest_harness.h"
#include "arena.h"
#include "err.h"
#include "filter.h"
#include "filter_internal.h"
#include "json.h"

FIXTURE(json) { struct arena a; struct err e; struct filter_spec s; };
FIXTURE_SETUP(json) { memset(self, 0, sizeof(*self)); }
FIXTURE_TEARDOWN(json) { arena_fini(&self->a); }

static int parse(const char *text, struct filter_spec *s, struct arena *a, struct err *e)
{
	return json_read(text, strlen(text), &filter_spec_object, s, a, "test", "/linux/seccomp",
			 NULL, e);
}

TEST_F(json, every_field_lands)
{
	const struct filter_rule *r;
	const struct filter_arg *arg;

	ASSERT_EQ(0, parse("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
		"\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X32\"],"
		"\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"],"
		"\"listenerPath\":\"/p\",\"listenerMetadata\":\"m\","
		"\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\"},"
		"{\"names\":[\"a\",\"b\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7,"
		"\"args\":[{\"index\":5,\"value\":18446744073709551615,\"valueTwo\":3,"
		"\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}", &self->s, &self->a, &self->e));
	EXPECT_EQ(FILTER_ERRNO, self->s.default_action);
	EXPECT_TRUE(self->s.has_default_action && self->s.has_default_errno_ret);
	EXPECT_EQ(38, self->s.default_errno_ret);
	ASSERT_EQ(2, self->s.architectures.n);
	EXPECT_EQ(FILTER_X32, self->s.architectures.v[1]);
	EXPECT_TRUE(self->s.has_flags);
	EXPECT_EQ(FILTER_LOG_FLAG | FILTER_TSYNC, filter_flag_bits(&self->s));
	EXPECT_STREQ("/p", self->s.listener_path);
	EXPECT_STREQ("m", self->s.listener_metadata);
	ASSERT_EQ(2, self->s.syscalls.n);
	r = self->s.syscalls.v;
	EXPECT_EQ(FILTER_KILL_THREAD, r[0].action);
	EXPECT_FALSE(r[0].has_errno_ret);
	EXPECT_EQ(FILTER_TRACE, r[1].action);
	EXPECT_EQ(7, r[1].errno_ret);
	EXPECT_STREQ("b", r[1].names.v[1]);
	ASSERT_EQ(1, r[1].args.n);
	arg = r[1].args.v;
	EXPECT_EQ(5, arg->index);
	EXPECT_EQ(UINT64_MAX, arg->value);
	EXPECT_EQ(3, arg->value_two);
	EXPECT_EQ(FILTER_MASKED_EQ, arg->op);
}

TEST_F(json, absent_and_empty_flags_differ)
{
	ASSERT_EQ(0, parse("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":null}", &self->s,
			   &self->a, &self->e));
	EXPECT_FALSE(self->s.has_flags);
	ASSERT_EQ(0, parse("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}", &self->s,
			   &self->a, &self->e));
	EXPECT_TRUE(self->s.has_flags);
	EXPECT_EQ(0, self->s.flags.n);
}

FIXTURE(bad) { struct arena a; struct err e; struct filter_spec s; };
FIXTURE_SETUP(bad) { memset(self, 0, sizeof(*self)); }
FIXTURE_TEARDOWN(bad) { arena_fini(&self->a); }
FIXTURE_VARIANT(bad) { const char *text, *where; };
FIXTURE_VARIANT_ADD(bad, unknown_action) {
	"{\"defaultAction\":\"SCMP_ACT_ALOW\"}", "/linux/seccomp/defaultAction" };
FIXTURE_VARIANT_ADD(bad, unknown_architecture) {
	"{\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_VAX\"]}",
	"/linux/seccomp/architectures/1" };
FIXTURE_VARIANT_ADD(bad, unknown_flag) {
	"{\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]}", "/linux/seccomp/flags/0" };
FIXTURE_VARIANT_ADD(bad, names_missing) {
	"{\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\"}]}", "/linux/seccomp/syscalls/0/names" };
FIXTURE_VARIANT_ADD(bad, action_missing) {
	"{\"syscalls\":[{\"names\":[\"read\"]}]}", "/linux/seccomp/syscalls/0/action" };
FIXTURE_VARIANT_ADD(bad, op_missing) {
	"{\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
	"\"args\":[{\"index\":0,\"value\":1}]}]}", "/linux/seccomp/syscalls/0/args/0/op" };
FIXTURE_VARIANT_ADD(bad, value_above_64_bits) {
	"{\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
	"[{\"index\":0,\"value\":18446744073709551616,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	"/linux/seccomp/syscalls/0/args/0/value" };
FIXTURE_VARIANT_ADD(bad, negative_errno) {
	"{\"defaultErrnoRet\":-1}", "/linux/seccomp/defaultErrnoRet" };

TEST_F(bad, names_the_field)
{
	char text[ERR_TEXT_MAX];

	ASSERT_GT(0, parse(variant->text, &self->s, &self->a, &self->e));
	EXPECT_EQ(ERR_SPEC, self->e.kind);
	EXPECT_STREQ(variant->where, self->e.where)
		TH_LOG("%s", err_render(&self->e, text, sizeof(text)));
}

TEST_HARNESS_MAIN

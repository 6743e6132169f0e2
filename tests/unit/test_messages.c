/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages: hostile bytes, bounds, string checks, text form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "arena.h"
#include "bootstrap.pb-c.h"
#include "bounds.h"
#include "buf.h"
#include "events.pb-c.h"
#include "message.h"
#include "message_text.h"
#include "runc.pb-c.h"
#include "runtimeoptions.pb-c.h"
#include "task.pb-c.h"
#include "types.pb-c.h"
#include "utf8.h"

#define STATE (&cleat__task__state_request__descriptor)
#define CREATE (&cleat__task__create_task_request__descriptor)

FIXTURE(msg) {
	struct arena a;
	struct buf b;
	struct err e;
};

FIXTURE_SETUP(msg)
{
	self->a = (struct arena){ .limit = LIMIT_RPC_MESSAGE };
	self->b = BUF_INIT;
	memset(&self->e, 0, sizeof(self->e));
}

FIXTURE_TEARDOWN(msg)
{
	arena_fini(&self->a);
	buf_fini(&self->b);
}

#define BYTES(s) s, sizeof(s) - 1
#define UNPACK(d, ...) msg_unpack(&self->a, d, __VA_ARGS__, &self->e)
#define REFUSED(k, d, ...) do { \
	err_clear(&self->e); \
	EXPECT_EQ(NULL, UNPACK(d, __VA_ARGS__)); \
	EXPECT_EQ(k, self->e.kind) { TH_LOG("%s", self->e.msg); } \
} while (0)

TEST_F(msg, empty)
{
	Cleat__Task__StateRequest *q = UNPACK(STATE, NULL, 0);

	ASSERT_NE(NULL, q);
	EXPECT_STREQ("", msg_str(&q->id));
}

TEST_F(msg, strings_end_in_nul)
{
	Cleat__Task__StateRequest *q = UNPACK(STATE, BYTES("\x0a\x10" "0123456789abcdef\x12\x01x"));

	ASSERT_NE(NULL, q);
	EXPECT_STREQ("0123456789abcdef", msg_str(&q->id));
	EXPECT_STREQ("x", msg_str(&q->exec_id));
}

TEST_F(msg, truncated_anywhere)
{
	Cleat__Task__CreateTaskRequest m = CLEAT__TASK__CREATE_TASK_REQUEST__INIT, *q;
	Containerd__Types__Mount mount = CONTAINERD__TYPES__MOUNT__INIT, *list[1] = { &mount };
	size_t n, whole = 0;

	m.id = msg_set("container");
	mount.type = msg_set("overlay");
	m.rootfs = list;
	m.n_rootfs = 1;
	m.terminal = 1;
	msg_pack(&self->b, &m);
	for (n = 0; n < self->b.len; n++) {
		err_clear(&self->e);
		q = UNPACK(CREATE, self->b.data, n);
		if (q)
			whole++;
		else
			EXPECT_EQ(ERR_PEER, self->e.kind);
	}
	/* Only where one field ends and the next begins. */
	EXPECT_EQ(3, whole);
}

TEST_F(msg, varints)
{
	Cleat__Task__KillRequest *q;

	/* Ten bytes where one would do are legal; eleven are not, nor is an end in the middle. */
	q = UNPACK(&cleat__task__kill_request__descriptor,
		   BYTES("\x18\x89\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
	ASSERT_NE(NULL, q);
	EXPECT_EQ(9, q->signal);
	REFUSED(ERR_PEER, &cleat__task__kill_request__descriptor,
		BYTES("\x18\x89\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
	REFUSED(ERR_PEER, &cleat__task__kill_request__descriptor, BYTES("\x18\x89"));
	REFUSED(ERR_PEER, STATE, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
	/* A length that wraps. */
	REFUSED(ERR_PEER, STATE, BYTES("\x0a\xff\xff\xff\xff\x0f" "abc"));
	REFUSED(ERR_PEER, STATE, BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "abc"));
}

TEST_F(msg, wrong_wire_types)
{
	REFUSED(ERR_PEER, STATE, BYTES("\x08\x01"));		/* a number for a string */
	REFUSED(ERR_PEER, STATE, BYTES("\x0d\x01\x02\x03\x04"));
	REFUSED(ERR_PEER, &cleat__task__kill_request__descriptor, BYTES("\x1a\x01" "9"));
	REFUSED(ERR_PEER, STATE, BYTES("\x0b\x0c"));		/* groups */
	REFUSED(ERR_PEER, STATE, BYTES("\x0e"));
	REFUSED(ERR_PEER, STATE, BYTES("\x02\x01" "a"));	/* field 0 */
}

TEST_F(msg, bad_strings_name_their_field)
{
	REFUSED(ERR_SPEC, STATE, BYTES("\x0a\x03" "a\0b"));
	EXPECT_STREQ("StateRequest.id", self->e.where);
	EXPECT_STREQ("string holds a NUL byte", self->e.msg);
	REFUSED(ERR_SPEC, STATE, BYTES("\x12\x01\xff"));
	EXPECT_STREQ("StateRequest.exec_id", self->e.where);
	EXPECT_STREQ("string is not valid UTF-8", self->e.msg);
	/* In an inner message, in a repeated field. */
	REFUSED(ERR_SPEC, CREATE, BYTES("\x1a\x07\x22\x02rw\x22\x01\xc0"));
	EXPECT_STREQ("Mount.options", self->e.where);
}

TEST_F(msg, raw_fields_are_not_strings)
{
	Cleat__Task__CreateTaskRequest *q = UNPACK(CREATE, BYTES("\x52\x05\x12\x03\x00\xff\x01"));

	ASSERT_NE(NULL, q);
	EXPECT_EQ(3, q->options->value.len);
	EXPECT_NE(NULL, UNPACK(&runtimeoptions__v1__options__descriptor, BYTES("\x1a\x01\xff")));
	REFUSED(ERR_SPEC, &runtimeoptions__v1__options__descriptor, BYTES("\x12\x01\xff"));
	/* The type URL of an Any is a string. */
	REFUSED(ERR_SPEC, CREATE, BYTES("\x52\x03\x0a\x01\xff"));
}

TEST(utf8)
{
	static const struct { const char *s; size_t n, want; } rows[] = {
		{ BYTES("a"), 1 }, { BYTES("\x7f"), 1 }, { BYTES("\x80"), 0 }, { BYTES("\xc1\xbf"), 0 },
		{ BYTES("\xc2\x80"), 2 }, { BYTES("\xc2"), 0 }, { BYTES("\xc2" "a"), 0 },
		{ BYTES("\xe0\x9f\xbf"), 0 }, { BYTES("\xe0\xa0\x80"), 3 }, { BYTES("\xed\x9f\xbf"), 3 },
		{ BYTES("\xed\xa0\x80"), 0 }, { BYTES("\xef\xbf\xbf"), 3 }, { BYTES("\xf0\x8f\xbf\xbf"), 0 },
		{ BYTES("\xf0\x90\x80\x80"), 4 }, { BYTES("\xf4\x8f\xbf\xbf"), 4 },
		{ BYTES("\xf4\x90\x80\x80"), 0 }, { BYTES("\xf5\x80\x80\x80"), 0 }, { BYTES("\xff"), 0 },
		{ "", 0, 0 },
	};
	char out[4];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_EQ(rows[i].want, utf8_len(rows[i].s, rows[i].n)) {
			TH_LOG("row %zu", i);
		}
	utf8_copy(out, sizeof(out), "ab\xc3\xa9");	/* the last character does not fit whole */
	EXPECT_STREQ("ab", out);
}

TEST_F(msg, unknown_fields_are_skipped)
{
	Cleat__Task__StateRequest *q;

	buf_add(&self->b, BYTES("\x0a\x01x"));
	buf_add(&self->b, BYTES("\x98\x06\x01"));				/* 99: varint */
	buf_add(&self->b, BYTES("\xa1\x06" "12345678"));			/* 100: 64 bits */
	buf_add(&self->b, BYTES("\xaa\x06\x02\xff\x00"));			/* 101: bytes */
	buf_add(&self->b, BYTES("\xb5\x06" "1234"));				/* 102: 32 bits */
	q = UNPACK(STATE, self->b.data, self->b.len);
	ASSERT_NE(NULL, q);
	EXPECT_STREQ("x", msg_str(&q->id));
}

TEST_F(msg, flood_of_unknown_fields_is_capped)
{
	size_t i;

	for (i = 0; i < LIMIT_RPC_FRAME / 3; i++)
		buf_add(&self->b, BYTES("\x98\x06\x01"));
	REFUSED(ERR_LIMIT, STATE, self->b.data, self->b.len);
	EXPECT_GE(LIMIT_RPC_MESSAGE, self->a.used);
}

TEST_F(msg, flood_of_tiny_elements_is_capped)
{
	size_t i;

	for (i = 0; i < LIMIT_RPC_FRAME / 2; i++)
		buf_add(&self->b, BYTES("\x1a\x00"));		/* an empty Mount */
	REFUSED(ERR_LIMIT, CREATE, self->b.data, self->b.len);
	EXPECT_GE(LIMIT_RPC_MESSAGE, self->a.used);
}

TEST_F(msg, repeated_single_message_is_merged_within_bounds)
{
	size_t i;

	/* The same options Any, over and over. */
	for (i = 0; i < 20000; i++)
		buf_add(&self->b, BYTES("\x52\x42\x12\x40" "01234567890123456789012345678901"
					"01234567890123456789012345678901"));
	if (!UNPACK(CREATE, self->b.data, self->b.len))
		EXPECT_EQ(ERR_LIMIT, self->e.kind);
	EXPECT_GE(LIMIT_RPC_MESSAGE, self->a.used);
}

TEST_F(msg, deep_nesting)
{
	struct buf inner = BUF_INIT, outer = BUF_INIT;
	int depth;

	/* Ten thousand messages in each other, in a field that nobody knows. */
	for (depth = 0; depth < 10000; depth++) {
		size_t len = inner.len;

		buf_reset(&outer);
		buf_add(&outer, BYTES("\x9a\x06"));
		for (; len >= 0x80; len >>= 7)
			buf_addc(&outer, (char)(len | 0x80));
		buf_addc(&outer, (char)len);
		buf_add(&outer, inner.data, inner.len);
		buf_reset(&inner);
		buf_add(&inner, outer.data, outer.len);
	}
	EXPECT_NE(NULL, UNPACK(STATE, inner.data, inner.len));
	/* The same as groups, which the API has never had. */
	buf_reset(&inner);
	for (depth = 0; depth < 10000; depth++)
		buf_add(&inner, BYTES("\x9b\x06"));
	REFUSED(ERR_PEER, STATE, inner.data, inner.len);
	buf_fini(&inner);
	buf_fini(&outer);
}

TEST_F(msg, random_bytes)
{
	uint8_t junk[64];
	unsigned int seed, i, n, ok = 0;

	srandom(1);
	for (seed = 0; seed < 20000; seed++) {
		struct arena a = { .limit = LIMIT_RPC_MESSAGE };

		n = (unsigned int)random() % sizeof(junk);
		for (i = 0; i < n; i++)
			junk[i] = (uint8_t)(random() & (seed % 2 ? 0xff : 0x3f));
		ok += !!msg_unpack(&a, CREATE, junk, n, NULL);
		arena_fini(&a);
	}
	EXPECT_LT(0, ok);
	EXPECT_GT(20000, ok);
}

TEST_F(msg, any)
{
	Containerd__Events__TaskExit m = CONTAINERD__EVENTS__TASK_EXIT__INIT, *q;
	Google__Protobuf__Any any;

	m.id = msg_set("e1");
	m.exit_status = 137;
	ASSERT_EQ(0, any_set(&self->a, &any, &m));
	EXPECT_STREQ("containerd.events.TaskExit", msg_str(&any.type_url));
	q = UNPACK(&containerd__events__task_exit__descriptor, any.value.data, any.value.len);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(137, q->exit_status);
	any.type_url = msg_set("type.googleapis.com/containerd.runc.v1.Options");
	EXPECT_STREQ("containerd.runc.v1.Options", any_name(&any));
	EXPECT_STREQ("", any_name(NULL));
}

/* ---- text ------------------------------------------------------------------------------ */

TEST_F(msg, text_there_and_back)
{
	static const char *const set[] = {
		"id=c1", "terminal=1", "rootfs+.type=overlay", "rootfs.source=a=b", "rootfs.options=ro",
		"rootfs.options=nosuid", "rootfs+.type=bind",
		"options:containerd.runc.v1.Options:io_uid=7",
		"options:containerd.runc.v1.Options:shim_cgroup=/x",
	};
	Cleat__Task__CreateTaskRequest *q = text_new(&self->a, CREATE);
	size_t i;

	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		ASSERT_EQ(0, text_set(&self->a, q, set[i], &self->e)) { TH_LOG("row %zu", i); }
	msg_pack(&self->b, q);
	q = UNPACK(CREATE, self->b.data, self->b.len);
	ASSERT_NE(NULL, q);
	ASSERT_EQ(2, q->n_rootfs);
	EXPECT_STREQ("a=b", msg_str(&q->rootfs[0]->source));
	EXPECT_EQ(2, q->rootfs[0]->n_options);
	buf_reset(&self->b);
	text_add(&self->b, q, "\n");
	EXPECT_NE(NULL, strstr(self->b.data, "id=c1\n"));
	EXPECT_NE(NULL, strstr(self->b.data, "rootfs.0.options.1=nosuid\n"));
	EXPECT_NE(NULL, strstr(self->b.data, "rootfs.1.type=bind\n"));
	EXPECT_NE(NULL, strstr(self->b.data, "options.io_uid=7\n"));
	EXPECT_NE(NULL, strstr(self->b.data, "options.shim_cgroup=/x\n"));
}

TEST_F(msg, text_refuses)
{
	static const char *const bad[] = {
		"id", "nope=1", "terminal=yes", "rootfs=x", "id.x=1", "options:no.such.Type:x=1",
		"stdin=@/no/such/file", "",
	};
	Cleat__Task__CreateTaskRequest *q = text_new(&self->a, CREATE);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&self->e);
		EXPECT_GT(0, text_set(&self->a, q, bad[i], &self->e)) { TH_LOG("%s", bad[i]); }
		EXPECT_EQ(ERR_SPEC, self->e.kind) { TH_LOG("%s", bad[i]); }
	}
}

TEST_F(msg, text_of_negative_enum)
{
	void *m = text_new(&self->a, text_type("containerd.runtime.bootstrap.v1.BootstrapParams"));

	ASSERT_EQ(0, text_set(&self->a, m, "log_level=-8", &self->e));
	ASSERT_EQ(0, text_set(&self->a, m, "extensions+.value:runtimeoptions.v1.Options:config_path=/x",
			      &self->e));
	msg_pack(&self->b, m);
	/* As containerd writes it: a negative number takes ten bytes. */
	EXPECT_EQ(0, memcmp(self->b.data, BYTES("\x18\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
	m = UNPACK(&containerd__runtime__bootstrap__v1__bootstrap_params__descriptor, self->b.data,
		   self->b.len);
	ASSERT_NE(NULL, m);
	EXPECT_EQ(-8, ((Containerd__Runtime__Bootstrap__V1__BootstrapParams *)m)->log_level);
}

TEST_HARNESS_MAIN

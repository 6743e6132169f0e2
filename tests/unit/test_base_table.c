/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables: found is what was added and not taken out, while they grow and when they cannot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "kselftest_harness.h"
#include "table.h"

#define MANY 5000u

struct thing {
	struct table_node node;
	uint32_t number;
};

FIXTURE(table)
{
	struct table t;
	struct thing *v;
};

FIXTURE_SETUP(table)
{
	self->t = (struct table){ 0 };
	self->v = calloc(MANY, sizeof(*self->v));
	ASSERT_TRUE(self->v != NULL);
	for (uint32_t i = 0; i < MANY; i++)
		self->v[i].number = i;
}

FIXTURE_TEARDOWN(table)
{
	table_fini(&self->t);
	free(self->v);
}

TEST_F(table, finds_each_of_many)
{
	for (uint32_t i = 0; i < MANY; i++) {
		EXPECT_EQ(NULL, table_first(&self->t, i + 1000));
		table_add(&self->t, &self->v[i].node, i + 1000);
		EXPECT_EQ(&self->v[i].node, table_first(&self->t, i + 1000));
	}
	EXPECT_EQ(MANY, self->t.n);
	for (uint32_t i = 0; i < MANY; i++) {
		EXPECT_EQ(&self->v[i].node, table_first(&self->t, i + 1000));
		EXPECT_EQ(NULL, table_next(&self->v[i].node));
	}
	/* Not one long list. */
	EXPECT_LE(MANY / 2, self->t.size);
}

TEST_F(table, what_is_out_is_not_found)
{
	for (uint32_t i = 0; i < MANY; i++)
		table_add(&self->t, &self->v[i].node, i);
	for (uint32_t i = 0; i < MANY; i += 2)
		table_del(&self->t, &self->v[i].node);
	for (uint32_t i = 0; i < MANY; i++)
		EXPECT_EQ(i % 2 ? &self->v[i].node : NULL, table_first(&self->t, i));
	EXPECT_EQ(MANY / 2, self->t.n);
	/* Once more does no harm, and it can come back. */
	table_del(&self->t, &self->v[0].node);
	EXPECT_EQ(MANY / 2, self->t.n);
	table_add(&self->t, &self->v[0].node, 8);
	EXPECT_EQ(&self->v[0].node, table_first(&self->t, 8));
	EXPECT_EQ(NULL, table_next(&self->v[0].node));
}

TEST_F(table, all_of_the_same_key)
{
	bool seen[100] = { false };
	uint32_t n_seen = 0;

	for (uint32_t i = 0; i < 100; i++) {
		table_add(&self->t, &self->v[i].node, 5);
		table_add(&self->t, &self->v[100 + i].node, 6);
	}
	for (struct table_node *n = table_first(&self->t, 5); n; n = table_next(n), n_seen++) {
		for (uint32_t i = 0; i < 100; i++) {
			if (n != &self->v[i].node)
				continue;
			EXPECT_FALSE(seen[i]);
			seen[i] = true;
		}
	}
	EXPECT_EQ(100, n_seen);
	EXPECT_EQ(NULL, memchr(seen, false, sizeof(seen)));
}

TEST_F(table, grows_on_no_memory)
{
	struct rlimit none = { 0, 0 };

#ifdef __SANITIZE_ADDRESS__
	SKIP(return, "a sanitizer dies without memory");
#endif
	/* What malloc has at hand is used up, so that growing fails. */
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &none));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	for (size_t size = 1 << 20; size >= 8; size /= 2)
		while (malloc(size))
			;
	for (uint32_t i = 0; i < 500; i++)
		table_add(&self->t, &self->v[i].node, i);
	EXPECT_EQ(NULL, self->t.slots);
	for (uint32_t i = 0; i < 500; i++)
		EXPECT_EQ(&self->v[i].node, table_first(&self->t, i));
}

TEST(keys_of_texts_differ)
{
	EXPECT_EQ(table_text("c1"), table_text("c1"));
	EXPECT_NE(table_text("c1"), table_text("c2"));
	EXPECT_NE(table_text(""), table_text("c"));
}

TEST_HARNESS_MAIN

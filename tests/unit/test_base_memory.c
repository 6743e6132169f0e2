/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arena and buffer. */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "arena.h"
#include "bounds.h"
#include "buf.h"

static int all_zero(const void *p, size_t n)
{
	const char *c = p;

	while (n--)
		if (*c++)
			return 0;
	return 1;
}

TEST(arena_gives_aligned_zeroed_memory_that_does_not_overlap)
{
	static const size_t sizes[] = { 0, 1, 7, 15, 16, 17, 100, 2047, 2048, 2049, 8191, 8192, 8193, 100000 };
	struct { unsigned char *p; size_t n; } got[14 * 20];
	struct arena a = ARENA_INIT;
	size_t n = 0, i, j, k;

	for (k = 0; k < 20; k++) {
		for (i = 0; i < 14; i++) {
			unsigned char *p = arena_alloc(&a, sizes[i]);

			ASSERT_NE(NULL, p);
			EXPECT_EQ(0, (uintptr_t)p % alignof(max_align_t));
			EXPECT_TRUE(all_zero(p, sizes[i]));
			memset(p, (int)(n & 0xff) | 1, sizes[i]);
			got[n].p = p;
			got[n++].n = sizes[i];
		}
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < got[i].n; j++)
			if (got[i].p[j] != (unsigned char)((i & 0xff) | 1))
				ASSERT_TRUE(0);
	arena_fini(&a);
	EXPECT_EQ(0, a.used);
	EXPECT_NE(NULL, arena_alloc(&a, 5));	/* usable again */
	arena_fini(&a);
	arena_fini(&a);
}

TEST(arena_begins_in_lent_memory_as_far_as_it_goes)
{
	ARENA_ROOM(room, 512);
	struct arena a = ARENA_ON(room);
	char *p, *q;
	int i;

	memset(room, 0x55, sizeof(room));
	for (i = 0; i < 2; i++) {
		p = arena_alloc(&a, 100);
		ASSERT_NE(NULL, p);
		EXPECT_TRUE(p >= room && p + 100 <= room + sizeof(room));
		EXPECT_EQ(0, (uintptr_t)p % alignof(max_align_t));
		EXPECT_TRUE(all_zero(p, 100));
		memset(p, 1, 100);
		EXPECT_EQ(p, arena_grow(&a, p, 100, 200));
		q = arena_alloc(&a, 400);
		ASSERT_NE(NULL, q);
		EXPECT_TRUE(q + 400 <= room || q >= room + sizeof(room));
		memset(q, 2, 400);
		EXPECT_EQ(1, p[99]);
		EXPECT_TRUE(all_zero(p + 100, 100));
		arena_fini(&a);	/* and again */
	}
	/* What does not fit at first is heap, and so is all that follows. */
	p = arena_alloc(&a, 5000);
	q = arena_alloc(&a, 8);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);
	memset(p, 3, 5000);
	EXPECT_EQ(0, q[0]);
	arena_fini(&a);
}

TEST(arena_limit_is_exact_and_failure_takes_nothing)
{
	struct arena a = { .limit = 4096 };
	size_t used;

	EXPECT_EQ(NULL, arena_alloc(&a, 4097));
	EXPECT_EQ(NULL, arena_alloc(&a, SIZE_MAX));
	EXPECT_EQ(NULL, arena_alloc(&a, SIZE_MAX - 8));
	EXPECT_NE(NULL, arena_alloc(&a, 4080));
	used = a.used;
	EXPECT_EQ(NULL, arena_alloc(&a, 17));
	EXPECT_EQ(used, a.used);
	EXPECT_NE(NULL, arena_alloc(&a, 16));
	EXPECT_EQ(NULL, arena_alloc(&a, 0));
	arena_fini(&a);
	a = ARENA_INIT;
	EXPECT_EQ(NULL, arena_alloc(&a, (size_t)LIMIT_ARENA_BYTES + 1));
	arena_fini(&a);
}

TEST(arena_grows_in_place_or_moves_and_new_bytes_are_zero)
{
	struct arena a = ARENA_INIT;
	char *p, *q, *other;
	size_t n;

	p = arena_grow(&a, NULL, 0, 10);
	ASSERT_NE(NULL, p);
	memset(p, 'a', 10);
	q = arena_grow(&a, p, 10, 100);
	EXPECT_EQ(p, q);
	EXPECT_TRUE(all_zero(q + 10, 90));
	EXPECT_EQ(q, arena_grow(&a, q, 100, 50));
	other = arena_alloc(&a, 1);
	*other = 'o';
	p = arena_grow(&a, q, 100, 200);
	EXPECT_NE(p, q);
	EXPECT_EQ(0, memcmp(p, "aaaaaaaaaa", 10));
	EXPECT_TRUE(all_zero(p + 10, 190));
	EXPECT_EQ('o', *other);
	for (n = 200; n < 300000; n = n * 3 / 2) {
		p = arena_grow(&a, p, n, n * 3 / 2);
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, memcmp(p, "aaaaaaaaaa", 10));
		EXPECT_TRUE(all_zero(p + n, n * 3 / 2 - n));
	}
	EXPECT_EQ(NULL, arena_grow(&a, p, n, SIZE_MAX));
	EXPECT_EQ(NULL, arena_grow(&a, p, n, SIZE_MAX - 30));
	EXPECT_EQ('o', *other);
	arena_fini(&a);
	a.limit = 64;
	p = arena_alloc(&a, 48);
	EXPECT_EQ(NULL, arena_grow(&a, p, 48, 65));
	EXPECT_EQ(p, arena_grow(&a, p, 48, 64));
	arena_fini(&a);
}

TEST(arena_strings)
{
	struct arena a = ARENA_INIT;

	EXPECT_STREQ("", arena_strdup(&a, ""));
	EXPECT_STREQ("abc", arena_strdup(&a, "abc"));
	EXPECT_STREQ("ab", arena_strndup(&a, "abc", 2));
	EXPECT_STREQ("", arena_strndup(&a, NULL, 0));
	EXPECT_EQ(0, memcmp("a\0b", arena_memdup(&a, "a\0b", 3), 3));
	EXPECT_NE(NULL, arena_memdup(&a, NULL, 0));
	EXPECT_STREQ("x-7-y", arena_printf(&a, "%s-%d-%c", "x", 7, 'y'));
	EXPECT_EQ(70000, strlen(arena_printf(&a, "%70000s", "")));
	arena_fini(&a);
	a.limit = 16;
	EXPECT_EQ(NULL, arena_printf(&a, "%100s", ""));
	EXPECT_EQ(NULL, arena_strdup(&a, "0123456789abcdef"));
	EXPECT_NE(NULL, arena_strdup(&a, "0123456789abcde"));
	arena_fini(&a);
}

TEST(buffer_is_always_terminated)
{
	auto_buf b = BUF_INIT;
	size_t i;

	buf_adds(&b, "");
	ASSERT_NE(NULL, b.data);
	EXPECT_STREQ("", b.data);
	for (i = 0; i < 2000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		ASSERT_EQ(i + 1, b.len);
		ASSERT_EQ(0, b.data[b.len]);
		ASSERT_GT(b.cap, b.len);
	}
	buf_reset(&b);
	EXPECT_EQ(0, b.len);
	EXPECT_STREQ("", b.data);
	buf_addf(&b, "%d %s", 5, "x");
	buf_add(&b, "\0y", 2);
	buf_add(&b, NULL, 0);
	EXPECT_EQ(5, b.len);
	EXPECT_EQ(0, memcmp("5 x\0y", b.data, 6));
	buf_addf(&b, "%5000s", "");
	EXPECT_EQ(5005, b.len);
	EXPECT_TRUE(buf_ok(&b));
	buf_fini(&b);
	EXPECT_EQ(NULL, b.data);
	buf_fini(&b);
}

TEST(a_buffer_outgrows_what_it_began_on)
{
	char array[8];
	auto_buf b = BUF_ON(array);

	buf_adds(&b, "1234567");
	EXPECT_TRUE(b.data == array);
	EXPECT_STREQ("1234567", b.data);
	buf_addc(&b, '8');
	EXPECT_TRUE(b.data != array);
	EXPECT_STREQ("12345678", b.data);
	EXPECT_STREQ("1234567", array);
	buf_fini(&b);
	EXPECT_TRUE(!b.data);
	buf_adds(&b, "again");
	EXPECT_STREQ("again", b.data);
}

TEST(a_broken_buffer_stays_as_it_was)
{
	auto_buf b = BUF_INIT;

	buf_adds(&b, "kept");
	EXPECT_NE(0, buf_reserve(&b, SIZE_MAX));
	EXPECT_FALSE(buf_ok(&b));
	buf_adds(&b, "more");
	buf_addf(&b, "%d", 1);
	EXPECT_STREQ("kept", b.data);
	EXPECT_EQ(4, b.len);
	EXPECT_NE(0, buf_reserve(&b, 1));
	buf_reset(&b);
	EXPECT_TRUE(buf_ok(&b));
	buf_adds(&b, "new");
	EXPECT_STREQ("new", b.data);
}

TEST_HARNESS_MAIN

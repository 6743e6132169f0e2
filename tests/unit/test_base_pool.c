/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools: zeroed, apart from each other, not in a child, and given back. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "pool.h"

#define FEW 16		/* ordinary memory */
#define MANY 1000

FIXTURE(pool)
{
	struct pool p;
	unsigned char *v[MANY];
};

FIXTURE_VARIANT(pool)
{
	size_t size;
};
FIXTURE_VARIANT_ADD(pool, small) { .size = 20 };
FIXTURE_VARIANT_ADD(pool, usual) { .size = 1168 };
FIXTURE_VARIANT_ADD(pool, larger_than_a_chunk) { .size = 70000 };

FIXTURE_SETUP(pool)
{
	for (int i = 0; i < MANY; i++) {
		self->v[i] = pool_alloc(&self->p, variant->size);
		ASSERT_TRUE(self->v[i] != NULL);
	}
}

FIXTURE_TEARDOWN(pool)
{
	for (int i = 0; i < MANY; i++)
		pool_free(&self->p, self->v[i]);
	EXPECT_EQ(0, self->p.n);
	EXPECT_EQ(NULL, self->p.chunks);
}

static bool all(const unsigned char *v, size_t size, int c)
{
	for (size_t i = 0; i < size; i++)
		if (v[i] != c)
			return false;
	return true;
}

TEST_F(pool, zeroed_aligned_and_apart)
{
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			EXPECT_EQ(0, (uintptr_t)self->v[i] % 16);
			EXPECT_TRUE(all(self->v[i], variant->size, 0));
			memset(self->v[i], i, variant->size);
		}
		for (int i = 0; i < MANY; i++)
			EXPECT_TRUE(all(self->v[i], variant->size, i & 0xff));
		/* Some go and come back, the others stay as they are. */
		for (int i = round; i < MANY; i += 3) {
			pool_free(&self->p, self->v[i]);
			self->v[i] = NULL;
		}
		for (int i = 0; i < MANY; i++)
			EXPECT_TRUE(!self->v[i] || all(self->v[i], variant->size, i & 0xff));
		for (int i = 0; i < MANY; i++) {
			if (!self->v[i])
				self->v[i] = pool_alloc(&self->p, variant->size);
			else
				memset(self->v[i], 0, variant->size);
			ASSERT_TRUE(self->v[i] != NULL);
		}
	}
	EXPECT_EQ(MANY, self->p.n);
	pool_free(&self->p, NULL);
	EXPECT_EQ(MANY, self->p.n);
}

/* Return: is there no memory at @v in a child? */
static bool kept_from_child(const unsigned char *v)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(*(const volatile unsigned char *)v);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

TEST_F(pool, only_the_first_few_are_in_a_child)
{
	bool kept = variant->size < 65536;

	EXPECT_FALSE(kept_from_child(self->v[0]));
	EXPECT_FALSE(kept_from_child(self->v[FEW - 1]));
	EXPECT_EQ(kept, kept_from_child(self->v[FEW]));
	EXPECT_EQ(kept, kept_from_child(self->v[MANY - 1]));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop: order of timers, deletion from inside callbacks, no busy waiting. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fd.h"
#include "fdio.h"
#include "loop.h"

struct item {
	struct loop_source s;
	struct loop_timer t;
	struct loop *l;
	struct item *victim;
	int fired, fd[2];
	char name;
};

static char order[64];

static void note(char c)
{
	size_t n = strlen(order);

	if (n + 1 < sizeof(order)) {
		order[n] = c;
		order[n + 1] = 0;
	}
}

static void on_timer(struct loop_timer *t)
{
	struct item *i = loop_owner(t, struct item, t);

	i->fired++;
	note(i->name);
	if (i->victim)
		loop_timer_cancel(&i->victim->t);
	if (i->name == 'q')
		loop_quit(i->l);
}

static void on_event(struct loop_source *s, uint32_t events)
{
	struct item *i = loop_owner(s, struct item, s);

	i->fired++;
	note(i->name);
	if (i->victim) {
		loop_del(i->l, &i->victim->s);
		memset(&i->victim->s, 0xaa, sizeof(i->victim->s));	/* as freed memory would be */
	}
}

FIXTURE(loop) { struct loop l; };
FIXTURE_SETUP(loop)
{
	order[0] = 0;
	ASSERT_EQ(0, loop_init(&self->l));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->l.epfd, F_GETFD));
}
FIXTURE_TEARDOWN(loop) { loop_fini(&self->l); loop_fini(&self->l); }

TEST_F(loop, timers_fire_by_time_and_equal_ones_in_order)
{
	struct item a = { .t.fn = on_timer, .name = 'a' }, b = a, c = a, d = a, q = a;

	b.name = 'b'; c.name = 'c'; d.name = 'd'; q.name = 'q';
	q.l = &self->l;
	loop_timer_set(&self->l, &q.t, 60);
	loop_timer_set(&self->l, &b.t, 30);
	loop_timer_set(&self->l, &a.t, 5);
	loop_timer_set(&self->l, &c.t, 30);
	loop_timer_set(&self->l, &d.t, 1000);
	loop_timer_set(&self->l, &d.t, 15);		/* armed again: the old time is forgotten */
	EXPECT_EQ(0, loop_run(&self->l));
	EXPECT_STREQ("adbcq", order);
	EXPECT_EQ(NULL, self->l.timers);
	EXPECT_EQ(NULL, a.t.pprev);
}

TEST_F(loop, a_cancelled_timer_stays_silent_wherever_it_stood)
{
	struct item v[4], killer = { .t.fn = on_timer, .name = 'k' };
	uint64_t begin = loop_now_ms();
	int i;

	for (i = 0; i < 4; i++) {
		v[i] = (struct item){ .t.fn = on_timer, .name = (char)('0' + i) };
		loop_timer_set(&self->l, &v[i].t, 10 + (uint64_t)i);
	}
	loop_timer_cancel(&v[0].t);
	loop_timer_cancel(&v[0].t);
	loop_timer_cancel(&v[2].t);
	killer.victim = &v[1];
	loop_timer_set(&self->l, &killer.t, 0);
	while (self->l.timers)
		ASSERT_EQ(0, loop_once(&self->l, -1));
	EXPECT_STREQ("k3", order);
	EXPECT_GE(loop_now_ms(), begin + 13);
}

TEST_F(loop, a_source_deleted_in_the_same_batch_is_not_called)
{
	struct item a = { .name = 'x', .l = &self->l }, b = a;
	int i;

	/* Whichever comes first deletes the other one. */
	a.victim = &b;
	b.victim = &a;
	for (i = 0; i < 2; i++) {
		struct item *it = i ? &b : &a;

		ASSERT_EQ(0, fdio_pipe(it->fd));
		ASSERT_EQ(1, write(it->fd[1], "x", 1));
		it->s.fn = on_event;
		ASSERT_EQ(0, loop_add(&self->l, &it->s, it->fd[0], EPOLLIN));
	}
	ASSERT_EQ(0, loop_once(&self->l, 1000));
	EXPECT_STREQ("x", order);
	EXPECT_EQ(1, a.fired + b.fired);
}

TEST_F(loop, sources)
{
	struct item a = { .name = 'a', .l = &self->l, .s = { .fn = on_event, .fd = -1 } };

	loop_del(&self->l, &a.s);		/* not added: nothing happens */
	EXPECT_EQ(-EBADF, loop_add(&self->l, &a.s, 999, EPOLLIN));
	EXPECT_EQ(-1, a.s.fd);
	ASSERT_EQ(0, fdio_pipe(a.fd));
	ASSERT_EQ(0, loop_add(&self->l, &a.s, a.fd[0], 0));
	ASSERT_EQ(1, write(a.fd[1], "x", 1));
	ASSERT_EQ(0, loop_once(&self->l, 10));
	EXPECT_STREQ("", order);
	ASSERT_EQ(0, loop_mod(&self->l, &a.s, EPOLLIN));
	ASSERT_EQ(0, loop_once(&self->l, 1000));
	ASSERT_EQ(0, loop_once(&self->l, 1000));
	EXPECT_STREQ("aa", order);
	loop_del(&self->l, &a.s);
	EXPECT_EQ(-1, a.s.fd);
	ASSERT_EQ(0, loop_once(&self->l, 0));
	EXPECT_STREQ("aa", order);
	EXPECT_GE(fcntl(a.fd[0], F_GETFD), 0);	/* the fd is the owner's */
	ASSERT_EQ(0, loop_add(&self->l, &a.s, a.fd[0], EPOLLIN));
	ASSERT_EQ(0, loop_once(&self->l, 1000));
	EXPECT_STREQ("aaa", order);
}

TEST_F(loop, waiting_costs_nothing)
{
	struct item a = { .t.fn = on_timer, .name = 'a' };
	struct rusage before, after;
	int rounds = 0;

	loop_timer_set(&self->l, &a.t, 200);
	getrusage(RUSAGE_SELF, &before);
	while (!a.fired && rounds++ < 1000)
		ASSERT_EQ(0, loop_once(&self->l, -1));
	getrusage(RUSAGE_SELF, &after);
	EXPECT_LE(rounds, 5);
	EXPECT_LT((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
		  before.ru_utime.tv_usec, 50000);
	loop_timer_set(&self->l, &a.t, UINT64_MAX / 2);	/* far away is no overflow */
	ASSERT_EQ(0, loop_once(&self->l, 1));
	EXPECT_EQ(1, a.fired);
}

TEST_HARNESS_MAIN

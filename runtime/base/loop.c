/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The epoll loop with timers. */
#include "loop.h"
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#define LOOP_BATCH 32

uint64_t loop_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int loop_init(struct loop *l)
{
	*l = (struct loop){ .epfd = epoll_create1(EPOLL_CLOEXEC) };
	return l->epfd < 0 ? -errno : 0;
}

void loop_fini(struct loop *l)
{
	while (l->timers)
		loop_timer_cancel(l->timers);
	if (l->epfd >= 0)
		close(l->epfd);
	l->epfd = -1;
}

int loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev)) {
		s->fd = -1;
		return -errno;
	}
	s->fd = fd;
	return 0;
}

int loop_mod(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(l->epfd, EPOLL_CTL_MOD, s->fd, &ev) ? -errno : 0;
}

void loop_del(struct loop *l, struct loop_source *s)
{
	int i;

	if (s->fd < 0)
		return;
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, s->fd, NULL);
	s->fd = -1;
	/* Events of this batch that are still to come must not reach a source that may be gone. */
	for (i = 0; i < l->nevents; i++)
		if (l->events[i].data.ptr == s)
			l->events[i].data.ptr = NULL;
}

void loop_timer_cancel(struct loop_timer *t)
{
	if (!t->pprev)
		return;
	*t->pprev = t->next;
	if (t->next)
		t->next->pprev = t->pprev;
	t->next = NULL;
	t->pprev = NULL;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t ms)
{
	struct loop_timer **p = &l->timers;

	loop_timer_cancel(t);
	t->at_ms = loop_now_ms() + ms;
	while (*p && (*p)->at_ms <= t->at_ms)
		p = &(*p)->next;
	t->next = *p;
	t->pprev = p;
	if (*p)
		(*p)->pprev = &t->next;
	*p = t;
}

static void run_timers(struct loop *l)
{
	uint64_t now;

	if (!l->timers)
		return;
	now = loop_now_ms();
	while (l->timers && l->timers->at_ms <= now) {
		struct loop_timer *t = l->timers;

		loop_timer_cancel(t);
		t->fn(t);
	}
}

static int wait_ms(const struct loop *l, int max_ms)
{
	uint64_t now, left;

	if (!l->timers)
		return max_ms;
	now = loop_now_ms();
	left = l->timers->at_ms > now ? l->timers->at_ms - now : 0;
	if (left > INT_MAX)
		left = INT_MAX;
	return max_ms >= 0 && (uint64_t)max_ms < left ? max_ms : (int)left;
}

int loop_once(struct loop *l, int max_ms)
{
	struct epoll_event ev[LOOP_BATCH];
	int n, i;

	n = epoll_wait(l->epfd, ev, LOOP_BATCH, wait_ms(l, max_ms));
	if (n < 0 && errno != EINTR)
		return -errno;
	l->events = ev;
	l->nevents = n < 0 ? 0 : n;
	for (i = 0; i < l->nevents; i++) {
		struct loop_source *s = ev[i].data.ptr;

		if (s)
			s->fn(s, ev[i].events);
	}
	l->events = NULL;
	l->nevents = 0;
	run_timers(l);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->quit) {
		int r = loop_once(l, -1);

		if (r)
			return r;
	}
	return 0;
}

void loop_quit(struct loop *l)
{
	l->quit = true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_LOOP_H
#define CLEAT_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * One thread, one epoll set. Sources and timers are members of the structs
 * they serve; the loop allocates nothing after loop_init(). An idle loop with
 * no timer armed sleeps for ever.
 */
struct loop;

struct loop_source {
	/** @fn: called with the ready epoll events; may delete any source, itself too. */
	void (*fn)(struct loop_source *s, uint32_t events);
	int fd;			/* borrowed while added; -1: not added */
};

struct loop_timer {
	struct loop_timer *next, **pprev;	/* pprev NULL: not armed */
	uint64_t at_ms;				/* CLOCK_MONOTONIC */
	void (*fn)(struct loop_timer *t);	/* already disarmed when called */
};

struct loop {
	int epfd;
	bool quit;
	struct loop_timer *timers;		/* by time */
	struct epoll_event *events;		/* batch being dispatched */
	int nevents;
};

int loop_init(struct loop *l);
void loop_fini(struct loop *l);
/** loop_add() - Watch @fd (borrowed) for @events. Return: 0 or -errno. */
int loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events);
/** loop_mod() - Change the events of an added source. */
int loop_mod(struct loop *l, struct loop_source *s, uint32_t events);
/** loop_del() - Stop watching; safe on a source that is not added. Does not close the fd. */
void loop_del(struct loop *l, struct loop_source *s);
/** loop_timer_set() - (Re)arm to fire in @ms. */
void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t ms);
void loop_timer_cancel(struct loop_timer *t);
/** loop_run() - Dispatch until loop_quit(). Return: 0 or -errno of epoll_wait. */
int loop_run(struct loop *l);
/** loop_once() - One epoll_wait and its dispatch, waiting at most @max_ms (-1: as the timers say). */
int loop_once(struct loop *l, int max_ms);
void loop_quit(struct loop *l);
uint64_t loop_now_ms(void);

/** container_of() - The struct that holds a source or timer. */
#define loop_owner(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#endif

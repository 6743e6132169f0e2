/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copy loop of a foreground terminal. */
#include "relay.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include "fd.h"

/* Turns before the loop gets its say: a flood of output must not starve signals. */
#define RELAY_TURNS 16
#define EOT 4		/* what a terminal takes as the end of the input */

/* May @fd be read or written now without blocking? Also true when that fails at once. */
static bool ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) > 0;
}

/* Fill an empty buffer. @blocking: @fd must be polled first. True when something came of it. */
static bool fill(struct relay_half *h, int fd, bool blocking)
{
	ssize_t n;

	if (h->len || h->eof || (blocking && !ready(fd, POLLIN)))
		return false;
	n = read(fd, h->data, sizeof(h->data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	h->at = 0;
	h->len = n > 0 ? (size_t)n : 0;
	/* A pty whose last user is gone answers EIO: the usual end. */
	h->eof = n <= 0;
	return true;
}

static bool spill(struct relay_half *h, int fd, bool blocking)
{
	ssize_t n;

	if (!h->len)
		return false;
	if (h->broken) {
		h->len = 0;
		return true;
	}
	if (blocking && !ready(fd, POLLOUT))
		return false;
	n = write(fd, h->data + h->at, h->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		h->broken = true;
		h->len = 0;
		return true;
	}
	h->at += (size_t)n;
	h->len -= (size_t)n;
	return true;
}

/* The input has ended: a program in the container can only learn it as from a keyboard. */
static void pass_eof_on(struct relay *r)
{
	r->up.at = 0;
	/* In the middle of a line the first one only sends the line off. */
	if (r->last_in && r->last_in != '\n')
		r->up.data[r->up.len++] = EOT;
	r->up.data[r->up.len++] = EOT;
}

static bool turn(struct relay *r)
{
	bool moved = false;

	moved |= fill(&r->down, r->master_fd, false);
	moved |= spill(&r->down, r->out_fd, true);
	if (r->closing)
		return moved;
	if (fill(&r->up, r->in_fd, !r->in_always)) {
		moved = true;
		if (r->up.len)
			r->last_in = r->up.data[r->up.len - 1];
		else
			pass_eof_on(r);
	}
	moved |= spill(&r->up, r->master_fd, false);
	return moved;
}

/* Ask the loop for exactly what can help; what can not is taken out, or its HUP would spin. */
static int want(struct relay *r, struct loop_source *s, int fd, uint32_t events)
{
	if (!events) {
		loop_del(r->loop, s);
		return 0;
	}
	return s->fd < 0 ? loop_add(r->loop, s, fd, events) : loop_mod(r->loop, s, events);
}

static void rearm(struct relay *r)
{
	uint32_t m = 0;

	if (!r->down.len && !r->down.eof)
		m |= EPOLLIN;
	if (!r->closing && (r->up.len || (r->in_always && !r->up.eof)) && !r->down.eof)
		m |= EPOLLOUT;
	want(r, &r->master, r->master_fd, m);
	if (!r->in_always)
		want(r, &r->in, r->in_fd,
		     !r->closing && !r->up.len && !r->up.eof && !r->down.eof ? EPOLLIN : 0);
	/* A stdout that epoll refuses is a file, and always ready. */
	want(r, &r->out, r->out_fd, r->down.len ? EPOLLOUT : 0);
}

static void step(struct relay *r)
{
	int turns = RELAY_TURNS;
	bool moved = true;

	while (moved && turns--)
		moved = turn(r);
	if (r->closing && !moved && !r->down.len) {
		relay_stop(r);
		r->done(r);
		return;
	}
	rearm(r);
}

static void on_master(struct loop_source *s, uint32_t events)
{
	step(loop_owner(s, struct relay, master));
}

static void on_in(struct loop_source *s, uint32_t events)
{
	step(loop_owner(s, struct relay, in));
}

static void on_out(struct loop_source *s, uint32_t events)
{
	step(loop_owner(s, struct relay, out));
}

int relay_start(struct relay *r, struct loop *loop, int master_fd, int in_fd, int out_fd,
		void (*done)(struct relay *r))
{
	int err;

	*r = (struct relay){ .loop = loop, .master = { on_master, -1 }, .in = { on_in, -1 },
			     .out = { on_out, -1 }, .master_fd = master_fd, .in_fd = in_fd,
			     .out_fd = out_fd, .done = done };
	err = fd_nonblock(master_fd, 1);
	if (err)
		return err;
	err = loop_add(loop, &r->in, in_fd, EPOLLIN);
	if (err == -EPERM)
		r->in_always = true;
	else if (err)
		return err;
	step(r);
	return 0;
}

void relay_drain(struct relay *r)
{
	r->closing = true;
	loop_del(r->loop, &r->in);
	step(r);
}

void relay_stop(struct relay *r)
{
	loop_del(r->loop, &r->master);
	loop_del(r->loop, &r->in);
	loop_del(r->loop, &r->out);
}

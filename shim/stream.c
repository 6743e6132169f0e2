/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving bytes between a process and its client.
 *
 *   output: process -> pipe or pty -> [src  loop  dst] -> FIFO, file or logger's pipe
 *   input:  FIFO -> [src  loop  dst] -> pipe or pty -> process
 *
 * From a page upward splice(2) moves pages; below that a small stack buffer
 * does, for splice fills the 16 slots of a FIFO with short lines. dst is
 * asked for room before anything is read.
 *
 * Of the client's FIFO both ends are held, so that a client may come late,
 * leave and return. At the source's end the read end is dropped, and the
 * write end then tells whether a reader is there (no EPOLLERR), has had all
 * (something was written and nothing is left) or has still to come (inotify
 * IN_OPEN, for a bounded time).
 */
#include "stream.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fd.h"

#define CHUNK STREAM_REST_MAX		/* PIPE_BUF: a pipe that polls writable takes this much */
#define TURN_BYTES (1 << 20)		/* moved before other sources get their turn */
#define WIDE_AFTER (1 << 20)
#define WIDE_BYTES (1 << 20)		/* what a pipe may have without privilege */
#define REST_MS 2			/* a quick reader empties most of a wide pipe in it */
#define WAIT_READER_MS 30000

static bool poll_now(int fd, short events, short *revents)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do {
		r = poll(&p, 1, 0);
	} while (r < 0 && errno == EINTR);
	*revents = r > 0 ? p.revents : 0;
	return r >= 0;
}

static size_t bytes_waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) || n < 0 ? 0 : (size_t)n;
}

bool stream_unread(const struct stream *s)
{
	int fd = s->loop ? s->fd.dst : s->unread ? s->fd.keep : -1;

	/* With a watch its reader has still to come, and is waited for anyway. */
	if (fd < 0 || s->input || s->fd.dst_kind != STREAM_FIFO || (s->loop && s->watch >= 0))
		return false;
	if (!s->written)
		return s->fd.src >= 0 && bytes_waiting(s->fd.src);
	return bytes_waiting(fd) == s->written;
}

void stream_forget(struct stream *s)
{
	if (s->unread)
		fd_close(&s->fd.keep);
	s->unread = false;
}

void stream_close(struct stream *s)
{
	struct loop *l = s->loop;
	char path[FD_PATH_SIZE];
	int fd = -1;

	if (!l)
		return;
	if (s->written && stream_unread(s))
		fd = open(fd_path(path, s->fd.dst), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	s->loop = NULL;
	loop_del(l, &s->src_ev);
	loop_del(l, &s->dst_ev);
	loop_del(l, &s->watch_ev);
	loop_timer_cancel(&s->timer);
	loop_timer_cancel(&s->rest_timer);
	fd_close(&s->fd.src);
	fd_close(&s->fd.dst);
	fd_close(&s->fd.keep);
	fd_close(&s->watch);
	free(s->rest);
	s->rest = NULL;
	s->rest_len = 0;
	s->fd.keep = fd;
	s->unread = fd >= 0;
	s->done(s);
}

/* Is somebody reading the FIFO, or has somebody read all of it? */
static bool reader_served(struct stream *s)
{
	short ev;

	if (!poll_now(s->fd.dst, POLLOUT, &ev) || !(ev & POLLERR))
		return true;
	return s->written && !bytes_waiting(s->fd.dst);
}

static void reader_came(struct loop_source *src, uint32_t events)
{
	struct stream *s = loop_owner(src, struct stream, watch_ev);
	char buf[1024];

	while (read(s->watch, buf, sizeof(buf)) > 0)
		;
	if (reader_served(s))
		stream_close(s);
}

static void reader_late(struct loop_timer *t)
{
	stream_close(loop_owner(t, struct stream, timer));
}

static void wait_for_reader(struct stream *s)
{
	char path[FD_PATH_SIZE];

	fd_close(&s->fd.keep);
	if (reader_served(s)) {
		stream_close(s);
		return;
	}
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* Without a watch the timer alone ends the wait; a reader that comes meanwhile gets its bytes. */
	if (s->watch >= 0 && inotify_add_watch(s->watch, fd_path(path, s->fd.dst), IN_OPEN) >= 0)
		loop_add(s->loop, &s->watch_ev, s->watch, EPOLLIN);
	/* Once more: one may have come between the first look and the watch. */
	if (reader_served(s))
		stream_close(s);
	else
		loop_timer_set(s->loop, &s->timer, s->wait_ms);
}

static void source_ended(struct stream *s)
{
	loop_del(s->loop, &s->src_ev);
	fd_close(&s->fd.src);
	if (s->input || s->fd.dst_kind != STREAM_FIFO) {
		stream_close(s);
		return;
	}
	loop_del(s->loop, &s->dst_ev);
	s->blocked = false;
	wait_for_reader(s);
}

/* Results of one move; positive is a number of bytes. */
enum { MOVED_END = 0, MOVED_EMPTY = -1, MOVED_FULL = -2, MOVED_BROKEN = -3 };

/*
 * Whoever has moved much will move more: with larger pipes that takes fewer turns of the loop and
 * of its neighbours. Where the kernel refuses, they stay as they are.
 */
static void widen(struct stream *s, size_t n)
{
	s->moved += (uint32_t)n;
	if (s->moved < WIDE_AFTER)
		return;
	s->wide = true;
	fcntl(s->fd.src, F_SETPIPE_SZ, WIDE_BYTES);
	fcntl(s->fd.dst, F_SETPIPE_SZ, WIDE_BYTES);
}

static int splice_some(struct stream *s, size_t n)
{
	ssize_t r = splice(s->fd.src, NULL, s->fd.dst, NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (r > 0)
		s->written += (uint64_t)r;
	if (r > 0 && !s->wide)
		widen(s, (size_t)r);
	if (r > 0)
		return (int)r;
	if (!r)
		return MOVED_END;
	if (errno == EAGAIN)
		return MOVED_FULL;	/* src is known to hold bytes */
	if (errno == EINTR)
		return 1;
	if (errno == EPIPE)
		return MOVED_BROKEN;
	s->no_splice = true;
	return 1;
}

/* Write what was read; what dst leaves is kept until it has room. */
static int write_some(struct stream *s, const char *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(s->fd.dst, p + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && s->fd.dst_kind == STREAM_FILE) {
			/* A full disk must not stop the container: the rest of this line is lost. */
			s->lost = true;
			return (int)len;
		}
		if (n < 0)
			return MOVED_BROKEN;
		done += (size_t)n;
	}
	s->written += done;
	if (done == len)
		return (int)len;
	if (!s->rest) {
		s->rest = malloc(CHUNK);
		if (!s->rest)
			return MOVED_BROKEN;
	}
	s->rest_len = len - done;
	memmove(s->rest, p + done, s->rest_len);
	return MOVED_FULL;
}

static int flush_rest(struct stream *s)
{
	size_t len = s->rest_len;
	int r;

	s->rest_len = 0;
	r = write_some(s, s->rest, len);
	if (r > 0) {
		free(s->rest);
		s->rest = NULL;
	}
	return r;
}

static int copy_some(struct stream *s)
{
	char buf[CHUNK];
	short ev = POLLOUT;
	ssize_t n;

	if (s->fd.dst_kind != STREAM_FILE) {
		if (!poll_now(s->fd.dst, POLLOUT, &ev))
			return MOVED_BROKEN;
		if (ev & (POLLERR | POLLHUP))
			return MOVED_BROKEN;
		if (!(ev & POLLOUT))
			return MOVED_FULL;
	}
	n = read(s->fd.src, buf, sizeof(buf));
	if (!n)
		return MOVED_END;
	if (n > 0)
		return write_some(s, buf, (size_t)n);
	if (errno == EINTR)
		return 1;
	if (errno == EAGAIN)
		return MOVED_EMPTY;
	return MOVED_END;	/* EIO: the last slave of a terminal was closed */
}

static int move_some(struct stream *s)
{
	size_t n;

	if (s->rest_len)
		return flush_rest(s);
	if (!s->no_splice) {
		n = bytes_waiting(s->fd.src);
		if (n >= CHUNK)
			return splice_some(s, n < TURN_BYTES ? n : TURN_BYTES);
	}
	return copy_some(s);
}

/* Have exactly that end in the loop which the stream waits for. */
static void set_blocked(struct stream *s, bool blocked)
{
	if (s->blocked == blocked)
		return;
	s->blocked = blocked;
	if (blocked) {
		loop_del(s->loop, &s->src_ev);
		if (s->dst_ev.fd >= 0)
			loop_mod(s->loop, &s->dst_ev, EPOLLOUT);
		else
			loop_add(s->loop, &s->dst_ev, s->fd.dst, EPOLLOUT);
	} else {
		if (s->input)
			loop_mod(s->loop, &s->dst_ev, 0);
		else
			loop_del(s->loop, &s->dst_ev);
		loop_add(s->loop, &s->src_ev, s->fd.src, EPOLLIN);
	}
}

/*
 * A full pipe polls writable again as soon as its reader has taken one page. A reader that goes on taking
 * would wake us for each, so it is given a moment; one that has stopped is waited for by epoll.
 */
static void give_rest(struct stream *s)
{
	loop_del(s->loop, &s->src_ev);
	loop_del(s->loop, &s->dst_ev);
	s->blocked = true;
	loop_timer_set(s->loop, &s->rest_timer, REST_MS);
}

static void stream_pump(struct stream *s)
{
	int left = TURN_BYTES, r;
	short ev;

	do {
		r = move_some(s);
		left -= r > 0 ? r : 0;
	} while (r > 0 && left > 0);

	/* An empty terminal makes no event, so after a full turn it has to be asked. */
	if (r > 0 && s->last_call && poll_now(s->fd.src, POLLIN, &ev) && !ev)
		r = MOVED_EMPTY;
	if (r == MOVED_FULL && s->wide && !s->input && left < TURN_BYTES)
		give_rest(s);
	else if (r == MOVED_FULL)
		set_blocked(s, true);
	else if (r == MOVED_BROKEN)
		stream_close(s);
	else if (r == MOVED_END || (r == MOVED_EMPTY && s->last_call))
		source_ended(s);
	else
		set_blocked(s, false);
}

static void rested(struct loop_timer *t)
{
	struct stream *s = loop_owner(t, struct stream, rest_timer);

	s->blocked = false;
	loop_add(s->loop, &s->src_ev, s->fd.src, EPOLLIN);
	stream_pump(s);
}

static void src_ready(struct loop_source *src, uint32_t events)
{
	stream_pump(loop_owner(src, struct stream, src_ev));
}

static void dst_ready(struct loop_source *src, uint32_t events)
{
	struct stream *s = loop_owner(src, struct stream, dst_ev);

	/* The process has closed its stdin, or is gone: there is nobody to write to. */
	if (s->input && (events & (EPOLLERR | EPOLLHUP)))
		stream_close(s);
	else
		stream_pump(s);
}

/* What of a stream is code. */
static void set_up(struct stream *s, struct loop *l, void (*done)(struct stream *s), void *arg)
{
	s->loop = l;
	s->watch = -1;
	s->done = done;
	s->arg = arg;
	s->src_ev = (struct loop_source){ src_ready, -1 };
	s->dst_ev = (struct loop_source){ dst_ready, -1 };
	s->watch_ev = (struct loop_source){ reader_came, -1 };
	s->timer = (struct loop_timer){ .fn = reader_late };
	s->rest_timer = (struct loop_timer){ .fn = rested };
}

static int watch_ends(struct stream *s)
{
	int r = loop_add(s->loop, &s->src_ev, s->fd.src, EPOLLIN);

	/* Errors are always reported: this is how a closed stdin is noticed. */
	if (!r && s->input)
		r = loop_add(s->loop, &s->dst_ev, s->fd.dst, 0);
	return r;
}

int stream_resume(struct stream *s, struct loop *l, void (*done)(struct stream *s), void *arg)
{
	int r;

	set_up(s, l, done, arg);
	s->blocked = false;
	if (s->fd.src < 0 && s->fd.dst >= 0 && !s->input) {
		/* Its process is done, its reader has not come. */
		wait_for_reader(s);
		return 0;
	}
	r = watch_ends(s);
	if (r)
		stream_close(s);
	else if (s->rest_len)
		set_blocked(s, true);
	else if (s->last_call)
		stream_pump(s);
	return r;
}

int stream_start(struct stream *s, struct loop *l, const struct stream_fds *fds, bool input,
		 void (*done)(struct stream *s), void *arg)
{
	bool tty = fds->src_kind == STREAM_TTY || fds->dst_kind == STREAM_TTY;
	int r;

	*s = (struct stream){
		.fd = *fds, .input = input, .wait_ms = WAIT_READER_MS,
		.no_splice = tty || fds->dst_kind == STREAM_FILE,
	};
	set_up(s, l, done, arg);
	r = fd_nonblock(s->fd.src, 1);
	if (!r && fds->dst_kind != STREAM_FILE)
		r = fd_nonblock(s->fd.dst, 1);
	if (!r)
		r = watch_ends(s);
	if (r)
		stream_close(s);
	return r;
}

void stream_close_input(struct stream *s)
{
	if (s->loop && s->input)
		fd_close(&s->fd.keep);
}

void stream_last_call(struct stream *s)
{
	if (!s->loop || s->fd.src < 0)
		return;
	if (s->input) {
		/* A pipe may have other readers still, and tells by EPOLLERR when the last is gone. */
		if (s->fd.dst_kind == STREAM_TTY)
			stream_close(s);
		return;
	}
	if (s->fd.src_kind != STREAM_TTY)
		return;
	s->last_call = true;
	if (!s->blocked)
		stream_pump(s);
}

void stream_limit(struct stream *s, uint32_t ms)
{
	if (!s->loop)
		return;
	s->wait_ms = ms;
	if (s->timer.pprev)
		loop_timer_set(s->loop, &s->timer, ms);
}

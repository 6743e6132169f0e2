/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames over a stream socket: a state machine fed with what the socket has,
 * and a queue of what it does not take yet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "bounds.h"
#include "fd.h"
#include "ttrpc.h"

#define CHUNK 4096u			/* read on the stack; most frames fit and need no memory */
#define TURN (256u << 10)		/* read at most that much before others get their turn */

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void drop_out(struct ttrpc_chan *ch)
{
	struct ttrpc_out *o;

	while ((o = ch->out)) {
		ch->out = o->next;
		free(o);
	}
	ch->out_tail = &ch->out;
	ch->out_bytes = 0;
}

static void drop_frame(struct ttrpc_chan *ch)
{
	free(ch->data);
	ch->data = NULL;
	ch->head_len = 0;
	ch->len = ch->got = ch->room = 0;
}

/*
 * The end of the channel is told from the loop only, so that nobody loses it
 * while sending. After shutdown() epoll reports the socket in any case.
 */
static void chan_break(struct ttrpc_chan *ch, int error)
{
	if (ch->broken)
		return;
	ch->broken = true;
	ch->error = error;
	drop_out(ch);
	shutdown(ch->fd, SHUT_RDWR);
	ch->events = EPOLLIN;
	loop_mod(ch->loop, &ch->src, ch->events);
}

static void watch(struct ttrpc_chan *ch)
{
	uint32_t want = 0;
	int r;

	if (ch->broken)
		return;
	if (ch->out)
		want |= EPOLLOUT;
	if (ch->out_bytes < LIMIT_RPC_OUT_PAUSE)
		want |= EPOLLIN;
	if (want == ch->events)
		return;
	ch->events = want;
	r = loop_mod(ch->loop, &ch->src, want);
	if (r)
		chan_break(ch, r);
}

static void flush(struct ttrpc_chan *ch)
{
	struct ttrpc_out *o;
	ssize_t n;

	while ((o = ch->out)) {
		n = send(ch->fd, o->bytes + o->sent, o->size - o->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				chan_break(ch, -errno);
			return;
		}
		o->sent += (uint32_t)n;
		if (o->sent < o->size)
			continue;
		ch->out = o->next;
		if (!ch->out)
			ch->out_tail = &ch->out;
		ch->out_bytes -= o->size + sizeof(*o);
		free(o);
	}
}

struct ttrpc_out *ttrpc_chan_frame(uint32_t stream, uint8_t type, size_t len)
{
	struct ttrpc_out *o;

	if (len > LIMIT_RPC_FRAME)
		return NULL;
	o = malloc(sizeof(*o) + TTRPC_HEADER + len);
	if (!o)
		return NULL;
	*o = (struct ttrpc_out){ .size = (uint32_t)(TTRPC_HEADER + len) };
	put_be32(o->bytes, (uint32_t)len);
	put_be32(o->bytes + 4, stream);
	o->bytes[8] = type;
	o->bytes[9] = 0;
	return o;
}

void ttrpc_chan_send(struct ttrpc_chan *ch, struct ttrpc_out *o)
{
	bool first = !ch->out;

	if (ch->fd < 0 || ch->broken) {
		free(o);
		return;
	}
	*ch->out_tail = o;
	ch->out_tail = &o->next;
	ch->out_bytes += o->size + sizeof(*o);
	if (first)
		flush(ch);
	if (ch->out_bytes > LIMIT_RPC_OUT)
		chan_break(ch, -ENOBUFS);
	watch(ch);
}

/* Make room for more of the frame: twice what is there, for a header alone must not cost 4 MiB. */
static int make_room(struct ttrpc_chan *ch, uint32_t more)
{
	uint32_t room = ch->got + more;
	uint8_t *p;

	if (room <= ch->room)
		return 0;
	if (room < 2 * ch->room)
		room = 2 * ch->room;
	if (room > ch->len)
		room = ch->len;
	p = realloc(ch->data, room);
	if (!p)
		return -ENOMEM;
	ch->data = p;
	ch->room = room;
	return 0;
}

/* Hand one frame up; the channel is ready for the next one before, and is not touched after. */
static void deliver(struct ttrpc_chan *ch, const uint8_t *data, bool oversized)
{
	struct ttrpc_frame f = {
		.stream = get_be32(ch->head + 4), .type = ch->head[8], .flags = ch->head[9],
		.oversized = oversized, .data = data, .len = ch->len,
	};
	uint8_t *own = ch->data;

	ch->data = NULL;
	drop_frame(ch);
	ch->frame(ch, &f);
	free(own);
}

/* Take bytes for the header. Return: bytes used. */
static size_t take_header(struct ttrpc_chan *ch, const uint8_t *p, size_t n)
{
	size_t take = TTRPC_HEADER - ch->head_len;

	if (take > n)
		take = n;
	memcpy(ch->head + ch->head_len, p, take);
	ch->head_len = (uint8_t)(ch->head_len + take);
	if (ch->head_len < TTRPC_HEADER)
		return take;
	ch->len = get_be32(ch->head);
	if (ch->len > LIMIT_RPC_FRAME) {
		ch->discard = ch->len;
		deliver(ch, NULL, true);
	} else if (!ch->len) {
		deliver(ch, NULL, false);
	}
	return take;
}

/* Take bytes for the data. Return: bytes used. */
static size_t take_data(struct ttrpc_chan *ch, const uint8_t *p, size_t n)
{
	size_t take = ch->len - ch->got;

	if (take > n)
		take = n;
	if (take == ch->len) {
		deliver(ch, p, false);
		return take;
	}
	if (make_room(ch, (uint32_t)take)) {
		chan_break(ch, -ENOMEM);
		return take;
	}
	memcpy(ch->data + ch->got, p, take);
	ch->got += (uint32_t)take;
	if (ch->got == ch->len)
		deliver(ch, ch->data, false);
	return take;
}

static void feed(struct ttrpc_chan *ch, const uint8_t *p, size_t n, const bool *dead)
{
	size_t used;

	while (n && !*dead && !ch->broken) {
		if (ch->discard) {
			used = ch->discard < n ? ch->discard : n;
			ch->discard -= (uint32_t)used;
		} else if (ch->head_len < TTRPC_HEADER) {
			used = take_header(ch, p, n);
		} else {
			used = take_data(ch, p, n);
		}
		p += used;
		n -= used;
	}
}

/* One recv(). Return: bytes, 0 when there is nothing now or the channel is over. */
static size_t receive(struct ttrpc_chan *ch, const bool *dead)
{
	uint8_t chunk[CHUNK];
	bool direct = ch->head_len == TTRPC_HEADER && ch->len - ch->got >= CHUNK;
	ssize_t n;

	if (direct && make_room(ch, CHUNK)) {
		chan_break(ch, -ENOMEM);
		return 0;
	}
	if (direct)
		n = recv(ch->fd, ch->data + ch->got, ch->room - ch->got, MSG_DONTWAIT);
	else
		n = recv(ch->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n <= 0) {
		if (!n)
			chan_break(ch, -ECONNRESET);
		else if (errno != EAGAIN && errno != EINTR)
			chan_break(ch, -errno);
		return 0;
	}
	if (!direct) {
		feed(ch, chunk, (size_t)n, dead);
	} else {
		ch->got += (uint32_t)n;
		if (ch->got == ch->len)
			deliver(ch, ch->data, false);
	}
	return (size_t)n;
}

static void chan_event(struct loop_source *src, uint32_t events)
{
	struct ttrpc_chan *ch = loop_owner(src, struct ttrpc_chan, src);
	bool dead = false;
	size_t n, turn = 0;

	ch->dead = &dead;
	if (!ch->broken && (events & EPOLLOUT)) {
		flush(ch);
		watch(ch);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		do {
			if (ch->broken)
				break;
			n = receive(ch, &dead);
			turn += n;
			/* A short read means that the socket is empty: save the call that would say so. */
		} while (n >= CHUNK && turn < TURN && !dead && (ch->events & EPOLLIN));
	}
	if (dead)
		return;
	ch->dead = NULL;
	if (ch->broken) {
		int error = ch->error;

		ttrpc_chan_close(ch);
		ch->closed(ch, error);
	}
}

int ttrpc_chan_open(struct ttrpc_chan *ch, struct loop *l, int fd)
{
	int r;

	*ch = (struct ttrpc_chan){
		.src = { chan_event, -1 }, .loop = l, .fd = -1, .events = EPOLLIN,
		.frame = ch->frame, .closed = ch->closed,
	};
	ch->out_tail = &ch->out;
	r = fd_nonblock(fd, 1);
	if (!r)
		r = loop_add(l, &ch->src, fd, EPOLLIN);
	if (r) {
		fd_close(&fd);
		return r;
	}
	ch->fd = fd;
	return 0;
}

void ttrpc_chan_close(struct ttrpc_chan *ch)
{
	if (ch->dead)
		*ch->dead = true;
	ch->dead = NULL;
	if (ch->fd < 0)
		return;
	loop_del(ch->loop, &ch->src);
	fd_close(&ch->fd);
	drop_out(ch);
	drop_frame(ch);
	ch->discard = 0;
	ch->broken = false;
}

int ttrpc_chan_resume(struct ttrpc_chan *ch, uint8_t *data, size_t got)
{
	bool whole = ch->head_len == TTRPC_HEADER;
	uint32_t len = whole ? get_be32(ch->head) : 0;

	if (ch->head_len > TTRPC_HEADER || (ch->discard && ch->head_len) ||
	    (whole ? len > LIMIT_RPC_FRAME || got >= len : got)) {
		free(data);
		ch->head_len = 0;
		ch->discard = 0;
		return -EBADMSG;
	}
	ch->len = len;
	ch->data = data;
	ch->got = ch->room = (uint32_t)got;
	return 0;
}

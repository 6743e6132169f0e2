/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of the server, written and read by the same functions, field by
 * field: what one direction knows, the other cannot forget. The order of the
 * lists is kept. Values are in host order; the state never leaves the host.
 *
 * A member of these structs that is not dealt with here stands in one of the
 * two lists; `make check` compares them with the headers.
 *
 * Set up by whoever reads, or made anew by what is called here:
 *   proc: ctr by_pid by_logger exit_ev
 *   ctr: by_id refs oom_ev outside_ev queue_tail
 *   server: log ns address events_address signal_fd listen_ev signal_ev listen_rest idle_rounds cgroups cgroups_mem
 *   server: places n_places places_taken by_id by_pid by_logger watching unwatched ctr_pool
 *   stream: src_ev dst_ev watch_ev timer rest_timer blocked unread done arg
 *   publisher: log address ns client connected tail call timer pause_ms drained
 *   ttrpc_chan: events out_tail out_bytes dead broken error frame closed
 *   ttrpc_conn: by_id server
 *   ttrpc_server: by_id conn_pool owner request gone
 * Without a value as long as nothing is under way, see busy():
 *   proc: drain starting unread unread_ms
 *   ctr: create_conn create_aborted create_timer
 */
#include "keep.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctr.h"
#include "fd.h"
#include "outside.h"
#include "sproc.h"

#define MAGIC 0x544c434bu		/* "KCLT" */
#define VERSION 1
#define NO_FD UINT32_MAX
#define ITEMS_MAX (1u << 20)

struct io {
	bool reading;
	struct buf *out;		/* writing */
	const uint8_t *p;		/* reading */
	size_t left;
	struct keep_fds *fds;
	struct server *srv;
	int r;				/* the first error; nothing is done after it */
};

static void fail(struct io *io, int r)
{
	if (!io->r)
		io->r = r;
}

static void io_bytes(struct io *io, void *p, size_t n)
{
	if (io->r)
		return;
	if (!io->reading) {
		buf_add(io->out, p, n);
		return;
	}
	if (n > io->left) {
		fail(io, -EBADMSG);
		return;
	}
	memcpy(p, io->p, n);
	io->p += n;
	io->left -= n;
}

#define IO(io, field) io_bytes((io), &(field), sizeof(field))

/* Items of a list that hang together by @next. */
#define COUNT(first) ({						\
	uint32_t n_ = 0;					\
	for (__typeof__(first) i_ = (first); i_; i_ = i_->next)	\
		n_++;						\
	n_;							\
})

/* A flag is one of two values, whatever the bytes say. */
static void io_bool(struct io *io, bool *b)
{
	uint8_t v = *b;

	IO(io, v);
	if (v > 1)
		fail(io, -EBADMSG);
	*b = v == 1;
}

/* Memory of the heap with its length; "" is told from NULL. */
static void io_blob(struct io *io, void **p, size_t *len)
{
	uint32_t n = *p ? (uint32_t)*len + 1 : 0;
	char *copy;

	IO(io, n);
	if (!io->reading) {
		if (n)
			io_bytes(io, *p, n - 1);
		return;
	}
	*p = NULL;
	*len = 0;
	if (io->r || !n)
		return;
	if (n - 1 > io->left) {
		fail(io, -EBADMSG);
		return;
	}
	copy = malloc(n);
	if (!copy) {
		fail(io, -ENOMEM);
		return;
	}
	io_bytes(io, copy, n - 1);
	copy[n - 1] = 0;
	*p = copy;
	*len = n - 1;
}

static void io_str(struct io *io, char **s)
{
	size_t len = *s && !io->reading ? strlen(*s) : 0;

	io_blob(io, (void **)s, &len);
	if (io->reading && *s && strlen(*s) != len)
		fail(io, -EBADMSG);
}

static void io_fd(struct io *io, int *fd)
{
	struct keep_fds *f = io->fds;
	uint32_t place = NO_FD;

	if (!io->reading && *fd >= 0 && !io->r) {
		if (f->n == f->room) {
			size_t room = f->room ? 2 * f->room : 64;
			int *v = realloc(f->v, room * sizeof(*v));

			if (!v) {
				fail(io, -ENOMEM);
				return;
			}
			f->v = v;
			f->room = room;
		}
		place = (uint32_t)f->n;
		f->v[f->n++] = *fd;
	}
	IO(io, place);
	if (!io->reading)
		return;
	*fd = -1;
	if (io->r || place == NO_FD)
		return;
	/* Each belongs to one place only. */
	if (place >= f->n || f->v[place] < 0) {
		fail(io, -EBADMSG);
		return;
	}
	*fd = f->v[place];
	f->v[place] = -1;
}

static uint32_t io_count(struct io *io, uint32_t n)
{
	IO(io, n);
	if (n > ITEMS_MAX)
		fail(io, -EBADMSG);
	return io->r ? 0 : n;
}

/* Timers go by a clock that runs on. */
static void io_timer(struct io *io, struct loop_timer *t)
{
	uint64_t at = t->pprev ? t->at_ms : 0, now = loop_now_ms();

	IO(io, at);
	if (!io->reading || io->r || !at)
		return;
	loop_timer_set(&io->srv->loop, t, at > now ? at - now : 0);
	t->at_ms = at;
}

/* ---- processes -------------------------------------------------------------------- */

static void io_stream(struct io *io, struct proc *p, int i)
{
	struct stream *s = &p->stream[i], fresh = { .watch = -1, .fd = STREAM_FDS_INIT };
	bool open = stream_open(s);

	io_bool(io, &open);
	if (!open || io->r)
		return;
	if (io->reading)
		s = &fresh;
	io_fd(io, &s->fd.src);
	io_fd(io, &s->fd.dst);
	io_fd(io, &s->fd.keep);
	IO(io, s->fd.src_kind);
	IO(io, s->fd.dst_kind);
	io_bool(io, &s->input);
	io_bool(io, &s->no_splice);
	IO(io, s->written);
	io_bool(io, &s->last_call);
	io_bool(io, &s->wide);
	io_bool(io, &s->lost);
	IO(io, s->moved);
	IO(io, s->wait_ms);
	io_blob(io, (void **)&s->rest, &s->rest_len);
	if (!io->reading)
		return;
	if (s->fd.src_kind > STREAM_TTY || s->fd.dst_kind > STREAM_TTY || s->rest_len > STREAM_REST_MAX)
		fail(io, -EBADMSG);
	/* Also with an error: then it is closed with the rest. */
	p->stream[i] = fresh;
	proc_resume_stream(p, i);
}

static void io_waiters(struct io *io, struct proc *p)
{
	struct waiter **at = &p->waiters;
	uint32_t n = io_count(io, COUNT(*at));

	while (n-- && !io->r) {
		if (io->reading) {
			*at = calloc(1, sizeof(**at));
			if (!*at) {
				fail(io, -ENOMEM);
				return;
			}
		}
		IO(io, (*at)->token.conn);
		IO(io, (*at)->token.stream);
		at = &(*at)->next;
	}
}

static void io_spec(struct io *io, struct proc *p)
{
	void *spec = (void *)(uintptr_t)p->spec;
	size_t len = p->spec_len;

	io_blob(io, &spec, &len);
	if (!io->reading)
		return;
	p->spec_len = len;
	p->spec = spec ? arena_memdup(&p->spec_arena, spec, len + 1) : NULL;
	if (spec && !p->spec)
		fail(io, -ENOMEM);
	free(spec);
}

static void io_proc(struct io *io, struct proc *p)
{
	uint8_t state = (uint8_t)p->state;
	int64_t sec = p->exited_at.tv_sec, nsec = p->exited_at.tv_nsec;

	IO(io, state);
	if (state >= PROC_STATE_MAX)
		fail(io, -EBADMSG);
	p->state = io->r ? PROC_STOPPED : (enum proc_state)state;
	IO(io, p->pid);
	io_fd(io, &p->pidfd);
	io_bool(io, &p->reaped);
	io_bool(io, &p->start_failed);
	io_bool(io, &p->exit_due);
	io_bool(io, &p->terminal);
	io_bool(io, &p->stdin_closed);
	io_bool(io, &p->streams_up);
	IO(io, p->exit_status);
	IO(io, sec);
	IO(io, nsec);
	p->exited_at = (struct timespec){ sec, nsec };
	io_str(io, &p->in);
	io_str(io, &p->out);
	io_str(io, &p->err);
	io_fd(io, &p->console);
	IO(io, p->width);
	IO(io, p->height);
	IO(io, p->logger);
	io_fd(io, &p->logger_pidfd);
	if (io->reading) {
		proc_born(p, p->pid);
		reap_watch(p);
		proc_logger(p, p->logger);
	}
	io_waiters(io, p);
	io_spec(io, p);
	for (int i = 0; i < 3; i++)
		io_stream(io, p, i);
}

/* ---- containers -------------------------------------------------------------------- */

static void io_execs(struct io *io, struct ctr *c)
{
	struct proc **at = &c->execs;
	uint32_t n = io_count(io, COUNT(*at));

	while (n-- && !io->r) {
		char *id = io->reading ? NULL : (*at)->id;

		io_str(io, &id);
		if (io->reading) {
			struct proc *p = id ? calloc(1, sizeof(*p)) : NULL;
			int r = p ? proc_init(p, c, id, false, NULL, NULL, NULL) : -ENOMEM;

			free(id);
			if (p)
				*at = p;	/* now it goes with the container */
			if (r) {
				fail(io, r);
				return;
			}
		}
		io_proc(io, *at);
		at = &(*at)->next;
	}
}

static void io_ctr(struct io *io, struct ctr *c)
{
	struct cg_watch w = c->oom;

	io_bool(io, &c->systemd_cgroup);
	io_bool(io, &c->own_pidns);
	io_bool(io, &c->start_by_worker);
	io_bool(io, &c->has_io_owner);
	IO(io, c->io_uid);
	IO(io, c->io_gid);
	io_bool(io, &c->started);
	io_bool(io, &c->exit_forced);
	io_bool(io, &c->oom_due);
	io_fd(io, &w.event);
	io_fd(io, &w.source);
	io_bool(io, &w.v2);
	IO(io, w.seen);
	io_fd(io, &c->outside);
	if (io->reading) {
		oom_start(c, &w);
		outside_resume(c);
	}
	io_timer(io, &c->exit_wait);
	io_bool(io, &c->abandoned);
	IO(io, c->again_ms);
	io_timer(io, &c->again);
	io_proc(io, &c->init);
	io_execs(io, c);
}

static void io_ctrs(struct io *io)
{
	struct ctr **at = &io->srv->ctrs;
	uint32_t n = io_count(io, COUNT(*at));

	while (n-- && !io->r) {
		char *id = io->reading ? NULL : (*at)->id, *bundle = io->reading ? NULL : (*at)->bundle;
		char *root = io->reading ? NULL : (*at)->root;

		io_str(io, &id);
		io_str(io, &bundle);
		io_str(io, &root);
		if (io->reading) {
			struct ctr *rest = io->srv->ctrs, *c = NULL;

			if (!io->r && id && bundle && root)
				c = ctr_new(io->srv, id, bundle, root);
			free(id);
			free(bundle);
			free(root);
			if (!c || proc_init(&c->init, c, "", false, NULL, NULL, NULL)) {
				fail(io, c ? -ENOMEM : -EBADMSG);
				return;
			}
			/* It was put in front; the list keeps its order. */
			if (rest) {
				ctr_unlink(c);
				ctr_link(c, at);
			}
		}
		io_ctr(io, *at);
		at = &(*at)->next;
	}
}

/* ---- connections, events ------------------------------------------------------------ */

static void io_unsent(struct io *io, struct ttrpc_chan *ch)
{
	struct ttrpc_out *o = ch->out;
	uint32_t n = io_count(io, COUNT(o));

	while (n-- && !io->r) {
		uint32_t size = io->reading ? 0 : o->size, sent = io->reading ? 0 : o->sent;

		IO(io, size);
		IO(io, sent);
		if (io->reading) {
			if (!io->r && (size < TTRPC_HEADER || sent >= size || size > io->left))
				fail(io, -EBADMSG);
			o = io->r ? NULL : ttrpc_chan_frame(0, 0, size - TTRPC_HEADER);
			if (!o) {
				fail(io, -ENOMEM);
				return;
			}
			o->sent = sent;
		}
		io_bytes(io, o->bytes, size);
		if (io->reading)
			ttrpc_chan_send(ch, o);
		else
			o = o->next;
	}
}

/* The frame that has come in part. */
static void io_half(struct io *io, struct ttrpc_chan *ch)
{
	void *data = ch->got ? ch->data : NULL;
	size_t got = ch->got;

	IO(io, ch->head);
	IO(io, ch->head_len);
	IO(io, ch->discard);
	io_blob(io, &data, &got);
	if (!io->reading)
		return;
	if (ttrpc_chan_resume(ch, data, got))
		fail(io, -EBADMSG);
}

static void io_conns(struct io *io)
{
	struct ttrpc_server *s = &io->srv->rpc;
	struct ttrpc_conn **at = &s->conns;
	uint32_t n = io_count(io, s->n_conns);

	IO(io, s->last_id);
	while (n-- && !io->r) {
		uint64_t id = io->reading ? 0 : (*at)->id;
		int fd = io->reading ? -1 : (*at)->chan.fd;

		io_fd(io, &fd);
		IO(io, id);
		if (io->reading) {
			int r = fd < 0 ? -EBADMSG : ttrpc_server_resume(s, fd, id);

			if (r) {
				fail(io, r);
				return;
			}
		}
		IO(io, (*at)->last_stream);
		IO(io, (*at)->n_open);
		io_half(io, &(*at)->chan);
		io_unsent(io, &(*at)->chan);
		at = &(*at)->next;
	}
}

static void io_events(struct io *io)
{
	struct publisher *p = &io->srv->pub;
	struct event *ev = p->head;
	uint32_t n = io_count(io, COUNT(ev));

	while (n-- && !io->r) {
		void *data = io->reading ? NULL : ev->payload;
		size_t len = io->reading ? 0 : ev->len;

		io_blob(io, &data, &len);
		if (!io->reading) {
			ev = ev->next;
			continue;
		}
		if (!io->r && (!data || publish_packed(p, data, len)))
			fail(io, -ENOMEM);
		free(data);
	}
}

/* ---- all ------------------------------------------------------------------------------ */

static void io_server(struct io *io)
{
	struct server *srv = io->srv;
	uint32_t magic = MAGIC, version = VERSION;

	IO(io, magic);
	IO(io, version);
	if (magic != MAGIC || version != VERSION)
		fail(io, -EBADMSG);
	io_fd(io, &srv->listener);
	io_bytes(io, srv->socket, sizeof(srv->socket));
	if (memchr(srv->socket, 0, sizeof(srv->socket)) == NULL)
		fail(io, -EBADMSG);
	io_bool(io, &srv->had_container);
	io_bool(io, &srv->shutdown_due);
	io_conns(io);
	io_ctrs(io);
	io_events(io);
}

/* Is something under way that only this process can end? */
static bool busy(const struct server *srv)
{
	if (srv->works || srv->early || srv->look.pprev || srv->dismissed || srv->stopping || srv->leaving.pprev ||
	    srv->pub.calling)
		return true;
	for (const struct ctr *c = srv->ctrs; c; c = c->next) {
		if (c->queue || c->shared || c->exclusive || c->creating || c->init.deleting || c->init.unread.pprev)
			return true;
		for (const struct proc *p = c->execs; p; p = p->next)
			if (p->deleting || p->draining || p->unread.pprev)
				return true;
	}
	return false;
}

int keep_write(struct server *srv, struct buf *out, struct keep_fds *fds)
{
	struct io io = { .out = out, .fds = fds, .srv = srv };

	if (busy(srv))
		return -EBUSY;
	io_server(&io);
	if (!io.r && !buf_ok(out))
		io.r = -ENOMEM;
	return io.r;
}

/* What was read so far; nobody is answered, nobody is told, no process is touched. */
static void drop_all(struct server *srv)
{
	ttrpc_server_close(&srv->rpc);
	publish_fini(&srv->pub);
	while (srv->ctrs) {
		struct ctr *c = srv->ctrs;

		proc_logger(&c->init, 0);
		for (struct proc *p = c->execs; p; p = p->next)
			proc_logger(p, 0);
		ctr_forget(c);
	}
	loop_timer_cancel(&srv->idle);
	fd_close(&srv->listener);
	srv->socket[0] = 0;
}

int keep_read(struct server *srv, const void *p, size_t len, const struct keep_fds *fds)
{
	struct keep_fds left = *fds;
	struct io io = { .reading = true, .p = p, .left = len, .fds = &left, .srv = srv };

	io_server(&io);
	if (!io.r && io.left)
		io.r = -EBADMSG;
	for (size_t i = 0; i < left.n; i++)
		if (left.v[i] >= 0) {
			if (!io.r)
				io.r = -EBADMSG;	/* one that nobody has asked for */
			fd_close(&left.v[i]);
		}
	if (!io.r)
		return 0;
	drop_all(srv);
	return io.r;
}

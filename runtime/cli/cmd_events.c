/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `events`: statistics once, or every interval until the container has
 * stopped, with a line for each process that the kernel killed for memory.
 */
#include "cli.h"
#include <errno.h>
#include <string.h>
#include "events_json.h"
#include "fd.h"
#include "loop.h"

#define INTERVAL_DEFAULT_NS 5000000000
/* Below 5.3 nobody tells of init's end: it is looked for so often. */
#define LOOK_MS 500u

const struct opt cli_events_options[] = {
	{ .name = "interval",
	  .type = OPT_DURATION,
	  .min = 1,
	  .off = OPT_AT(struct events_values, interval_ns),
	  .value = "TIME",
	  .help = "time between two lines of statistics (5s)" },
	{ .name = "stats",
	  .type = OPT_FLAG,
	  .off = OPT_AT(struct events_values, stats),
	  .help = "print the statistics once" },
	{ .type = OPT_END },
};

struct watching {
	struct cli *c;
	const char *id;
	struct cleat_process p;
	struct loop loop;
	struct loop_source exited, oom;
	struct loop_timer tick, look;
	uint64_t interval_ms;
	int r;
	struct err *e;
};

static int print_stats(struct cli *c, const char *id, struct err *e)
{
	auto_arena a = ARENA_INIT;
	struct cg_stats *s = arena_new(&a, struct cg_stats);
	auto_buf b = BUF_INIT;
	struct cg_detail d;
	int r;

	if (!s)
		return err_set(e, ERR_LIMIT, -ENOMEM, id, "read the statistics");
	r = cleat_stats(&c->env, id, CG_FOR_EVENTS, s, &d, NULL, &a, e);
	if (r)
		return r;
	events_stats_json(id, s, &d, &b);
	return cli_out_buf(&b, e);
}

static void finish(struct watching *w, int r)
{
	if (!w->r)
		w->r = r;
	loop_quit(&w->loop);
}

static bool has_stopped(struct watching *w)
{
	auto_arena a = ARENA_INIT;
	struct err ignored = { 0 };
	struct cleat_state s;

	return cleat_state(&w->c->env, w->id, &s, &a, &ignored) || s.status == CLEAT_STOPPED ||
	       s.pid != w->p.pid;
}

static void print_ooms(struct watching *w)
{
	auto_buf b = BUF_INIT;
	int n = w->p.oom.event >= 0 ? cg_watch_read(&w->p.oom) : 0;

	while (n-- > 0)
		events_oom_json(w->id, &b);
	if (b.len && cli_out_buf(&b, w->e))
		finish(w, -EPIPE);
}

static void on_exited(struct loop_source *s, uint32_t events)
{
	finish(loop_owner(s, struct watching, exited), 0);
}

static void on_oom(struct loop_source *s, uint32_t events)
{
	print_ooms(loop_owner(s, struct watching, oom));
}

static void on_tick(struct loop_timer *t)
{
	struct watching *w = loop_owner(t, struct watching, tick);
	struct err why = { 0 };

	if (print_stats(w->c, w->id, &why)) {
		if (why.kind == ERR_PEER) {	/* nobody reads us any more */
			*w->e = why;
			finish(w, -EPIPE);
			return;
		}
		/* It may be ending just now; then its end is told to us next. */
		if (has_stopped(w)) {
			finish(w, 0);
			return;
		}
		log_warn(w->c->env.log, "statistics of %s: %s", w->id, why.msg);
	}
	loop_timer_set(&w->loop, t, w->interval_ms);
}

static void on_look(struct loop_timer *t)
{
	struct watching *w = loop_owner(t, struct watching, look);

	if (has_stopped(w))
		finish(w, 0);
	else
		loop_timer_set(&w->loop, t, LOOK_MS);
}

static int stream(struct watching *w, struct err *e)
{
	int r = loop_init(&w->loop);

	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "make an epoll set");
	w->exited = (struct loop_source){ on_exited, -1 };
	w->oom = (struct loop_source){ on_oom, -1 };
	w->tick.fn = on_tick;
	w->look.fn = on_look;
	if (w->p.pidfd >= 0)
		r = loop_add(&w->loop, &w->exited, w->p.pidfd, EPOLLIN);
	else
		loop_timer_set(&w->loop, &w->look, LOOK_MS);
	if (!r && w->p.oom.event >= 0)
		r = loop_add(&w->loop, &w->oom, w->p.oom.event, EPOLLIN);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "watch the container");
	loop_timer_set(&w->loop, &w->tick, w->interval_ms);
	r = loop_run(&w->loop);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "wait for events");
	/* What killed it was told before it died. */
	if (!w->r)
		print_ooms(w);
	return w->r;
}

int cmd_events(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct events_values *v = values;
	struct watching w = {
		.c = c, .id = argv[0], .p = CLEAT_PROCESS_INIT, .loop = { .epfd = -1 }, .e = e,
		.interval_ms = (uint64_t)(v->interval_ns ? v->interval_ns : INTERVAL_DEFAULT_NS) / 1000000,
	};
	int r;

	if (!w.interval_ms)
		w.interval_ms = 1;
	r = cleat_watch(&c->env, argv[0], &w.p, e);
	if (r)
		return r;
	if (v->stats)
		r = print_stats(c, argv[0], e);
	else
		r = stream(&w, e);
	loop_fini(&w.loop);
	cleat_process_close(&w.p);
	return r;
}

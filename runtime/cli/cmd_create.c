/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `create` and `run`: the same way up to the gate. */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include "bounds.h"
#include "cgroup.h"
#include "fd.h"
#include "foreground.h"
#include "handoff.h"
#include "notify.h"
#include "trace.h"

/* clang-format off */
#define C(member) .off = OPT_AT(struct create_values, member)
#define CREATE_OPTIONS \
	{ .name = "bundle", .letter = 'b', .type = OPT_STR, C(bundle), .value = "DIR", \
	  .help = "directory of the bundle (the working directory)" }, \
	{ .name = "config", .letter = 'f', .type = OPT_STR, C(config), .value = "FILE", \
	  .help = "configuration to use in place of config.json" }, \
	{ .name = "console-socket", .type = OPT_STR, C(console_socket), .value = "PATH", \
	  .help = "unix socket that gets the master of the terminal" }, \
	{ .name = "pidfd-socket", .type = OPT_STR, C(pidfd_socket), .value = "PATH", \
	  .help = "unix socket that gets a pidfd of the process" }, \
	{ .name = "pid-file", .type = OPT_STR, C(pid_file), .value = "FILE", \
	  .help = "write the process id to FILE" }, \
	{ .name = "no-pivot", .type = OPT_FLAG, C(no_pivot), \
	  .help = "do not use pivot_root (for a root on a ramdisk)" }, \
	{ .name = "no-new-keyring", .type = OPT_FLAG, C(no_new_keyring), \
	  .help = "keep the session keyring of the caller" }, \
	{ .name = "preserve-fds", .type = OPT_INT, C(preserve_fds), .value = "N", \
	  .max = LIMIT_PRESERVE_FDS, .help = "pass fds 3 to 3+N-1 on, after those of $LISTEN_FDS" }

const struct opt cli_create_options[] = {
	CREATE_OPTIONS,
	CLI_TRACE_OPTION(struct create_values),
	{ .name = "no-subreaper", .type = OPT_FLAG, C(no_subreaper) },
	{ .type = OPT_END },
};

const struct opt cli_run_options[] = {
	{ .name = "detach", .letter = 'd', .type = OPT_FLAG, C(detach),
	  .help = "return when the program runs" },
	{ .name = "keep", .type = OPT_FLAG, C(keep),
	  .help = "do not delete the container at the end" },
	{ .name = "no-subreaper", .type = OPT_FLAG, C(no_subreaper),
	  .help = "do not adopt what the container's processes leave" },
	CREATE_OPTIONS,
	CLI_TRACE_OPTION(struct create_values),
	{ .type = OPT_END },
};
/* clang-format on */

/* The first error stays the one told. */
static void warn_left(struct cli *c, const char *id, const struct err *e)
{
	char text[ERR_TEXT_MAX];

	if (e->kind != ERR_NONE && e->kind != ERR_NOT_FOUND)
		log_warn(c->env.log, "container %s is left behind: %s", id, err_render(e, text, sizeof(text)));
}

/* Remove a container that failed after it was made. */
static void undo(struct cli *c, const char *id)
{
	struct err e = { 0 };

	cleat_delete(&c->env, id, true, &e);
	warn_left(c, id, &e);
}

/** struct run - What `run` does between "set up" and "let go". */
struct run {
	struct handoff *h;
	struct foreground *fg;	/* NULL: detached */
	struct cli *c;
	const char *id;
	struct notify notify;
	struct cleat_deletion *deletion;
	struct cg_host host;	/* foreground: found out once, to make the container and to remove it */
};

static int run_ready(void *arg, const struct cleat_process *p, struct err *e)
{
	struct run *run = arg;
	/* Signals belong to the program from here on. */
	int r = run->fg ? foreground_begin(run->fg, p, e) : 0;

	if (!r && notify_wanted())
		r = notify_open(&run->notify, run->c->env.root, run->id, e);
	if (!r && run->fg && run->notify.sock >= 0)
		r = foreground_notify(run->fg, &run->notify, e);
	return r ? r : handoff_give(run->h, p->pid, p->pidfd, "standard", run->fg ? -1 : p->console, e);
}

/* @run: NULL for `create`. */
static int make(struct cli *c, const struct create_values *v, const char *id, bool detach,
		struct handoff *h, struct run *run, struct cleat_process *p, struct err *e)
{
	const struct handoff_paths paths = { v->console_socket, v->pidfd_socket, v->pid_file };
	static const struct opt_list no_env;
	struct cleat_create req = {
		.id = id,
		.bundle = v->bundle ? v->bundle : ".",
		.config = v->config,
		.stdio = CLEAT_STDIO_INHERIT,
		.no_pivot = v->no_pivot,
		.no_new_keyring = v->no_new_keyring,
		/* Detached, a terminal and a place for its master come together or not at all. */
		.terminal = !detach ? -1 : v->console_socket && *v->console_socket,
		.detached_console = detach,
		.ready = run ? run_ready : NULL,
		.ready_arg = run,
		.deletion = run && run->fg && !v->keep ? &run->deletion : NULL,
		.arena = &c->arena,
	};
	int r, listen;

	if (!detach) {
		r = handoff_check(&paths, false, false, e);
		if (r)
			return r;
	}
	r = preserve_fds((int)v->preserve_fds, &listen, e);
	if (r < 0)
		return r;
	req.preserve_fds = r;
	r = listen_env(&c->arena, &no_env, listen, &req.env_add, &req.n_env, e);
	if (r)
		return r;
	req.notify = notify_wanted();
	req.ready_early = !req.notify && !v->pid_file && !v->pidfd_socket && !v->console_socket;
	r = handoff_open(h, &paths, e);
	if (r)
		return r;
	return cleat_create(&c->env, &req, p, e);
}

int cmd_create(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct create_values *v = values;
	struct cleat_process p = CLEAT_PROCESS_INIT;
	auto_handoff h = HANDOFF_INIT;
	int r;

	r = make(c, v, argv[0], true, &h, NULL, &p, e);
	if (r)
		return r;
	r = handoff_give(&h, p.pid, p.pidfd, "standard", p.console, e);
	cleat_process_close(&p);
	if (r)
		undo(c, argv[0]);
	return r;
}

/* Stand in for the program, and remove what is left of the container. Return: its exit status, or -errno. */
static int attend(struct cli *c, struct foreground *fg, const char *id, bool keep, struct cleat_deletion *d,
		  struct err *e)
{
	struct err left = { 0 };
	int r;

	if (!keep && !d)
		d = cleat_delete_prepare(&c->env, id, &c->arena);
	r = trace_call(STAGE_HOST, "program", foreground_wait(fg, e));

	foreground_end(fg);
	if (r < 0) {
		cleat_deletion_free(d);
		undo(c, id);
	} else if (!keep) {
		cleat_delete_prepared(&c->env, d, id, &left);
		warn_left(c, id, &left);
	}
	return r;
}

int cmd_run(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct create_values *v = values;
	struct cleat_process p = CLEAT_PROCESS_INIT;
	auto_handoff h = HANDOFF_INIT;
	struct run run = { .h = &h, .c = c, .id = argv[0], .notify = NOTIFY_INIT };
	static struct foreground foreground;	/* mostly buffers that are seldom touched */
	struct err ignored = { 0 };
	int r;

	if (!v->detach) {
		if (!v->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
			return err_set(e, ERR_KERNEL, -errno, NULL, "become a subreaper");
		run.fg = &foreground;
		foreground_init(run.fg);
		/* If that fails, whoever needs it tells. */
		if (!cg_host_detect(&run.host, &c->arena, &ignored))
			c->env.cgroups = &run.host;
	}
	r = make(c, v, argv[0], v->detach, &h, &run, &p, e);
	if (run.fg && !r)
		r = attend(c, run.fg, argv[0], v->keep, run.deletion, e);
	else if (run.fg)
		foreground_end(run.fg);
	if (!r && !run.fg)
		notify_wait(&run.notify, p.pid, p.pidfd, c->env.log);
	notify_close(&run.notify);
	cleat_process_close(&p);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `exec`: one more process in a container. */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include "bounds.h"
#include "child.h"
#include "fd.h"
#include "foreground.h"
#include "handoff.h"
#include "num.h"
#include "process_peek.h"
#include "trace.h"

/* clang-format off */
#define X(member) .off = OPT_AT(struct exec_values, member)
const struct opt cli_exec_options[] = {
	{ .name = "process", .letter = 'p', .type = OPT_STR, X(process), .value = "FILE",
	  .help = "OCI process document that describes it all" },
	{ .name = "cwd", .type = OPT_STR, X(cwd), .value = "DIR",
	  .help = "working directory in the container" },
	{ .name = "env", .letter = 'e', .type = OPT_LIST, X(env), .value = "NAME=VALUE",
	  .help = "add to the environment" },
	{ .name = "user", .letter = 'u', .type = OPT_STR, X(user), .value = "UID[:GID]",
	  .help = "run as" },
	{ .name = "additional-gids", .letter = 'g', .type = OPT_IDS, X(gids), .value = "GID",
	  .help = "add a supplementary group" },
	{ .name = "cap", .letter = 'c', .type = OPT_LIST, X(caps), .value = "CAP",
	  .help = "add a capability" },
	{ .name = "no-new-privs", .type = OPT_FLAG, X(no_new_privs),
	  .help = "execve gains no privilege" },
	{ .name = "tty", .letter = 't', .type = OPT_FLAG, X(tty), .help = "give it a terminal" },
	{ .name = "detach", .letter = 'd', .type = OPT_FLAG, X(detach),
	  .help = "return when it runs" },
	{ .name = "console-socket", .type = OPT_STR, X(console_socket), .value = "PATH",
	  .help = "unix socket that gets the master of the terminal" },
	{ .name = "pidfd-socket", .type = OPT_STR, X(pidfd_socket), .value = "PATH",
	  .help = "unix socket that gets a pidfd of the process" },
	{ .name = "pid-file", .type = OPT_STR, X(pid_file), .value = "FILE",
	  .help = "write the process id to FILE" },
	{ .name = "preserve-fds", .type = OPT_INT, X(preserve_fds), .value = "N",
	  .max = LIMIT_PRESERVE_FDS, .help = "pass fds 3 to 3+N-1 on, after those of $LISTEN_FDS" },
	{ .name = "cgroup", .type = OPT_LIST, X(cgroups), .value = "[CONTROLLER,...:]PATH",
	  .help = "existing sub-cgroup of the container's cgroup to run in" },
	{ .name = "ignore-paused", .type = OPT_FLAG, X(ignore_paused),
	  .help = "also in a paused container; it runs when that is resumed" },
	CLI_TRACE_OPTION(struct exec_values),
	{ .name = "process-label", .type = OPT_STR, X(process_label), .value = "LABEL",
	  .help = "SELinux label of the process" },
	{ .name = "apparmor", .type = OPT_STR, X(apparmor), .value = "PROFILE",
	  .help = "AppArmor profile of the process" },
	{ .type = OPT_END },
};
/* clang-format on */

static int build_request(struct cli *c, const struct exec_values *v, int argc, char **argv,
			 struct buf *doc, struct cleat_exec *x, struct err *e)
{
	int r, listen;

	*x = (struct cleat_exec){
		.id = argv[0],
		.cwd = v->cwd,
		.user = v->user,
		.additional_gids = v->gids.v,
		.n_gids = v->gids.n,
		.caps = v->caps.v,
		.n_caps = v->caps.n,
		.no_new_privs = v->no_new_privs ? 1 : -1,
		.apparmor = v->apparmor,
		.process_label = v->process_label,
		.terminal = v->tty,
		.cgroups = v->cgroups.v,
		.n_cgroups = v->cgroups.n,
		.ignore_paused = v->ignore_paused,
		.stdio = CLEAT_STDIO_INHERIT,
	};
	if (v->process) {
		r = cli_read_file(v->process, false, "process document", doc, e);
		if (r)
			return r;
		x->process_json = doc->data ? doc->data : "";
		x->process_len = doc->len;
		if (!v->tty)
			x->terminal = -1;
	} else if (argc < 2) {
		return err_set(e, ERR_SPEC, 0, NULL, "process args cannot be empty");
	} else {
		x->args = (const char *const *)(argv + 1);
		x->n_args = (size_t)argc - 1;
	}
	r = preserve_fds((int)v->preserve_fds, &listen, e);
	if (r < 0)
		return r;
	x->preserve_fds = r;
	return listen_env(&c->arena, &v->env, listen, &x->env_add, &x->n_env, e);
}

/* Does the process get a terminal? As far as can be told before it exists. */
static bool has_terminal(const struct cleat_exec *x)
{
	if (x->terminal >= 0)
		return x->terminal;
	return process_peek_terminal(x->process_json, x->process_len);
}

static int detached(struct handoff *h, struct cleat_process *p, struct err *e)
{
	int r;

	if (p->console >= 0 && h->console_sock < 0)
		r = err_set(e, ERR_SPEC, 0, NULL,
			    "cannot allocate tty if cleat will detach without setting console "
			    "socket");
	else
		r = handoff_give(h, p->pid, p->pidfd, "setns", p->console, e);
	if (r)
		child_kill_reap(&p->pid);
	return r;
}

static int attached(struct handoff *h, struct cleat_process *p, struct err *e)
{
	static struct foreground fg;	/* mostly buffers that are seldom touched */
	int r;

	foreground_init(&fg);
	r = foreground_begin(&fg, p, e);
	if (!r)
		r = handoff_give(h, p->pid, p->pidfd, "setns", -1, e);
	if (!r)
		r = trace_call(STAGE_HOST, "program", foreground_wait(&fg, e));
	if (r < 0 && !fg.exited)
		child_kill_reap(&p->pid);
	foreground_end(&fg);
	return r;
}

int cmd_exec(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct exec_values *v = values;
	const struct handoff_paths paths = { v->console_socket, v->pidfd_socket, v->pid_file };
	struct cleat_process p = CLEAT_PROCESS_INIT;
	auto_handoff h = HANDOFF_INIT;
	auto_buf doc = BUF_INIT;
	struct cleat_exec x;
	int r;

	r = build_request(c, v, argc, argv, &doc, &x, e);
	x.foreground_console = !v->detach;
	if (!r)
		r = handoff_check(&paths, v->detach, has_terminal(&x), e);
	if (!r)
		r = handoff_open(&h, &paths, e);
	if (!r)
		r = cleat_exec(&c->env, &x, &p, e);
	if (r)
		return r;
	r = v->detach ? detached(&h, &p, e) : attached(&h, &p, e);
	cleat_process_close(&p);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that are one call of the engine: start, state, kill, delete, pause, resume. */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "fd.h"
#include "notify.h"
#include "sysx.h"

const struct opt cli_kill_options[] = {
	{ .name = "all", .letter = 'a', .type = OPT_FLAG, .off = OPT_AT(struct all_values, all),
	  .help = "to every process of the container, not only the first" },
	{ .type = OPT_END },
};

const struct opt cli_delete_options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .type = OPT_FLAG,
	  .off = OPT_AT(struct force_values, force),
	  .help = "kill it first if it runs; it may also be gone" },
	{ .type = OPT_END },
};

int cmd_start(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	auto_notify n = NOTIFY_INIT;
	auto_fd pidfd = -1;
	struct cleat_state s;
	int r = notify_wanted() ? notify_open(&n, c->env.root, argv[0], e) : 0;

	if (!r)
		r = cleat_start(&c->env, argv[0], e);
	if (r || n.sock < 0)
		return r;
	/* It may have ended already: then there is nothing to wait for. */
	if (cleat_state(&c->env, argv[0], &s, &c->arena, &(struct err){ 0 }) || !s.pid)
		return 0;
	pidfd = sysx_pidfd_open(s.pid, 0);
	if (pidfd != -ESRCH)
		notify_wait(&n, s.pid, pidfd, c->env.log);
	return 0;
}

int cmd_state(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	auto_buf b = BUF_INIT;
	struct cleat_state s;
	char *json;
	int r;

	r = cleat_state(&c->env, argv[0], &s, &c->arena, e);
	if (r)
		return r;
	/* Names of owners are the list's (contract oci-runtime 1.7). */
	s.owner = "";
	json = cleat_state_json(&s, true);
	if (!json)
		return err_set(e, ERR_LIMIT, -ENOMEM, argv[0], "write the state");
	buf_adds(&b, json);
	free(json);
	buf_addc(&b, '\n');
	return cli_out_buf(&b, e);
}

int cmd_kill(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct all_values *v = values;
	int sig = argc > 1 && *argv[1] ? cli_signal(argv[1]) : SIGTERM;

	if (sig < 0)
		return err_set(e, ERR_SPEC, 0, NULL, "unknown signal \"%s\"", argv[1]);
	return cleat_kill(&c->env, argv[0], sig, v->all, e);
}

int cmd_delete(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct force_values *v = values;

	return cleat_delete(&c->env, argv[0], v->force, e);
}

int cmd_pause(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	return cleat_pause(&c->env, argv[0], e);
}

int cmd_resume(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	return cleat_resume(&c->env, argv[0], e);
}

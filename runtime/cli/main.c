/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The `cleat` program: global options, the choice of the command, its exit
 * status. The command's own process is the engine's worker, so main() stays
 * lean: no locale, no stdio, nothing allocated before it is needed.
 */
#include "cli.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "fd.h"
#include "trace.h"

static int too_many_or_few(const struct cli_command *cmd, int argc, struct err *e)
{
	const char *how = cmd->min_args == cmd->max_args ? "exactly" :
			  argc < cmd->min_args ? "a minimum of" : "a maximum of";
	unsigned int n = argc < cmd->min_args ? cmd->min_args : cmd->max_args;
	struct err dropped = { 0 };

	/* Callers expect the usage as well; that stdout is closed is no news worth an error. */
	cli_command_help(cmd, &dropped);
	return err_set(e, ERR_SPEC, 0, NULL, "\"%s\" requires %s %u argument(s)", cmd->name, how,
		       n);
}

static int run_protected(struct cli *c, const struct cli_command *cmd, const void *values,
			 const struct opt_parsed *rest, struct err *e)
{
	if (cmd->exposed && !cleat_selfexe_protected() &&
	    trace_call(STAGE_HOST, "protect-program", cleat_selfexe_switch(&c->exe_mount)))
		return cleat_selfexe_exec(c->argv, environ, e);
	return cmd->run(c, values, rest->argc, rest->argv, e);
}

static int run_traced(struct cli *c, const struct cli_command *cmd, const void *values,
		      const struct opt_parsed *rest, struct err *e)
{
	const char *format = *(const char *const *)(const void *)((const char *)values + cmd->trace);
	int r = cli_trace_begin(format, e);

	if (r)
		return r;
	r = run_protected(c, cmd, values, rest, e);
	cli_trace_print(format, cmd->name, rest->argv[0]);
	return r;
}

/* Options and arguments of @cmd, then the command itself. *@status is what a failure exits with. */
static int run_command(struct cli *c, const struct cli_command *cmd, int argc, char **argv,
		       int *status, struct err *e)
{
	static const struct opt none[] = { { .type = OPT_END } };
	struct opt_parsed rest;
	void *values;
	int r;

	if (!cmd->run)
		return err_set(e, ERR_UNSUPPORTED, 0, NULL,
			       "the command \"%s\" is not in this version", cmd->name);
	values = arena_alloc(&c->arena, cmd->values_size ? cmd->values_size : 1);
	if (!values)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "keep the options");
	r = opt_parse(cmd->options ? cmd->options : none, values, (enum opt_order)cmd->order, argv,
		      argc, &c->arena, &rest, e);
	if (r)
		return r;
	if (rest.help)
		return cli_command_help(cmd, e);
	if (rest.argc < cmd->min_args || (cmd->max_args != CLI_ANY && rest.argc > cmd->max_args))
		return too_many_or_few(cmd, rest.argc, e);
	*status = cmd->fail_status;
	if (cmd->root != ROOT_NONE) {
		r = cli_root_open(c, (enum cli_root)cmd->root, e);
		if (r)
			return r;
	}
	if (cmd->trace)
		return run_traced(c, cmd, values, &rest, e);
	return run_protected(c, cmd, values, &rest, e);
}

/* Everything but the report. @cmd is set as soon as the command is known. */
static int run_cli(struct cli *c, int argc, char **argv, const struct cli_command **cmd,
		   int *status, struct err *e)
{
	struct opt_parsed rest;
	int r;

	r = opt_parse(cli_global_options, &c->global, OPT_FIRST, argv + 1, argc - 1, &c->arena,
		      &rest, e);
	if (r)
		return r;
	if (c->global.version)
		return cmd_version(c, NULL, 0, NULL, e);
	if (rest.help || !rest.argc)
		return cli_command_help(NULL, e);
	r = cli_log_open(c, e);
	if (r)
		return r;
	*cmd = cli_command_find(rest.argv[0]);
	if (!*cmd)
		return err_set(e, ERR_SPEC, 0, NULL,
			       "unknown command \"%s\"; \"cleat help\" lists the commands",
			       rest.argv[0]);
	return run_command(c, *cmd, rest.argc - 1, rest.argv + 1, status, e);
}

int main(int argc, char **argv)
{
	ARENA_ROOM(room, 4096);
	struct cli c = { .name = "cleat", .argv = argv, .log_fd = -1, .exe_mount = -1, .arena = ARENA_ON(room) };
	const struct cli_command *cmd = NULL;
	struct err e = { 0 };
	const char *slash;
	int r, status = 1;

	/* First of all: an fd we open must never become the 0, 1 or 2 of a container. */
	r = fd_open_std();
	if (r)
		return 1;
	if (argc < 1)
		return 1;
	slash = strrchr(argv[0], '/');
	if (!strcmp(slash ? slash + 1 : argv[0], "runc"))
		c.name = "runc";
	/* A program that was run by fd is named after the fd. */
	prctl(PR_SET_NAME, c.name);
	log_sink_init(&c.sink, STDERR_FILENO, LOG_FORMAT_TEXT, LOG_WARN_LEVEL);
	c.env.log = &c.sink.log;
	c.env.idle_close = &c.exe_mount;

	r = run_cli(&c, argc, argv, &cmd, &status, &e);
	if (r < 0) {
		cli_report(&c, cmd ? cmd->name : NULL, &e);
		r = status;
	}
	fd_close(&c.log_fd);
	arena_fini(&c.arena);
	return r;
}

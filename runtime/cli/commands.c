/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands, the global options, and the help that both print. */
#include "cli.h"
#include <errno.h>
#include <string.h>

/* clang-format off */
#define G(member) .off = OPT_AT(struct cli_globals, member)
const struct opt cli_global_options[] = {
	{ .name = "debug", .type = OPT_FLAG, G(debug), .help = "log debug lines" },
	{ .name = "log", .type = OPT_STR, G(log), .value = "FILE",
	  .help = "append log lines to FILE, or to syslog:NAME or journald:NAME" },
	{ .name = "log-format", .type = OPT_STR, G(log_format), .value = "text|json",
	  .help = "form of the log lines (text)" },
	{ .name = "log-level", .type = OPT_STR, G(log_level), .value = "debug|info|warning|error",
	  .help = "log nothing below this (warning)" },
	{ .name = "root", .type = OPT_STR, G(root), .value = "DIR",
	  .help = "where the state of containers is kept (/run/cleat)" },
	{ .name = "systemd-cgroup", .type = OPT_FLAG, G(systemd_cgroup),
	  .help = "cgroups by systemd" },
	{ .name = "cgroup-manager", .type = OPT_STR, G(cgroup_manager), .value = "cgroupfs|systemd|disabled",
	  .help = "who makes cgroups (cgroupfs)" },
	{ .name = "rootless", .type = OPT_STR, G(rootless), .value = "true|false|auto",
	  .help = "go without a cgroup and without device rules that we may not make, if nothing asks for them" },
	{ .name = "criu", .type = OPT_STR, G(criu), .value = "PATH" },
	{ .name = "version", .letter = 'v', .type = OPT_FLAG, G(version),
	  .help = "print the version" },
	{ .type = OPT_END },
};

#define ID "CONTAINER-ID"
#define ONE_ID .usage = ID, .min_args = 1, .max_args = 1, .fail_status = 1
const struct cli_command cli_commands[] = {
	{ .name = "create",
	  .brief = "make a container and stop before its program", ONE_ID, .root = ROOT_MAKE,
	  .options = cli_create_options, .values_size = sizeof(struct create_values),
	  .run = cmd_create, .exposed = true, .trace = OPT_AT(struct create_values, trace),
	  .more = "The container is described by config.json in the bundle directory.\n"
		  "\"cleat start\" runs it." },
	{ .name = "start",
	  .brief = "run the program of a created container", ONE_ID, .root = ROOT_LOOK,
	  .run = cmd_start },
	{ .name = "run",
	  .brief = "create and start; wait for the end and delete", ONE_ID, .root = ROOT_MAKE,
	  .options = cli_run_options, .values_size = sizeof(struct create_values), .run = cmd_run,
	  .exposed = true, .trace = OPT_AT(struct create_values, trace),
	  .more = "The exit status is the program's, or 128 and the number of the signal that\n"
		  "ended it." },
	{ .name = "exec", .usage = ID " COMMAND [ARGUMENT...]  |  --process FILE " ID,
	  .brief = "run one more process in a container",
	  .min_args = 1, .max_args = CLI_ANY, .fail_status = 255, .order = OPT_FIRST,
	  .root = ROOT_LOOK,
	  .options = cli_exec_options, .values_size = sizeof(struct exec_values), .run = cmd_exec,
	  .exposed = true, .trace = OPT_AT(struct exec_values, trace),
	  .more = "The exit status is the process's; 255 when it could not be run." },
	{ .name = "state",
	  .brief = "print the state of a container (JSON)", ONE_ID, .root = ROOT_LOOK,
	  .run = cmd_state },
	{ .name = "list", .usage = "",
	  .brief = "list the containers of the root", .fail_status = 1, .root = ROOT_LOOK,
	  .options = cli_list_options, .values_size = sizeof(struct list_values), .run = cmd_list },
	{ .name = "ps", .usage = ID " [PS-OPTION...]",
	  .brief = "list the processes of a container", .min_args = 1, .max_args = CLI_ANY,
	  .fail_status = 1, .order = OPT_FIRST, .root = ROOT_LOOK,
	  .options = cli_ps_options, .values_size = sizeof(struct list_values), .run = cmd_ps,
	  .more = "The table is that of the host's ps (default options: -ef), for the container's\n"
		  "processes." },
	{ .name = "events", .brief = "print statistics and out-of-memory kills (JSON)", ONE_ID,
	  .root = ROOT_LOOK,
	  .options = cli_events_options, .values_size = sizeof(struct events_values),
	  .run = cmd_events,
	  .more = "One JSON object per line, until the container has stopped." },
	{ .name = "kill", .usage = ID " [SIGNAL]", .brief = "send a signal (TERM) to a container",
	  .min_args = 1, .max_args = 2,
	  .fail_status = 1, .order = OPT_FIRST, .root = ROOT_LOOK,
	  .options = cli_kill_options, .values_size = sizeof(struct all_values), .run = cmd_kill },
	{ .name = "delete", .brief = "remove a stopped container", ONE_ID, .root = ROOT_LOOK,
	  .options = cli_delete_options, .values_size = sizeof(struct force_values),
	  .run = cmd_delete },
	{ .name = "pause",
	  .brief = "freeze all processes of a container", ONE_ID, .root = ROOT_LOOK,
	  .run = cmd_pause },
	{ .name = "resume", .brief = "thaw a paused container", ONE_ID, .root = ROOT_LOOK,
	  .run = cmd_resume },
	{ .name = "update", .brief = "change the limits of a container", ONE_ID, .root = ROOT_LOOK,
	  .options = cli_update_options, .values_size = sizeof(struct update_values),
	  .run = cmd_update,
	  .more = "With --resources (a LinuxResources JSON document, - for stdin) the other\n"
		  "options are ignored.\n"
		  "Sizes take the suffixes k, m, g, t; -1 is unlimited." },
	{ .name = "spec", .usage = "",
	  .brief = "write a config.json to start from", .fail_status = 1,
	  .options = cli_spec_options, .values_size = sizeof(struct spec_values), .run = cmd_spec },
	{ .name = "features", .usage = "",
	  .brief = "print what this build can do (JSON)", .fail_status = 1, .run = cmd_features },
	{ .name = "check", .usage = "[BUNDLE]",
	  .brief = "tell what this host can do, and what a bundle lacks", .max_args = 1, .fail_status = 1,
	  .options = cli_check_options, .values_size = sizeof(struct check_values), .run = cmd_check,
	  .more = "Nothing is changed.\n"
		  "With a bundle, the exit status is 1 when the host lacks something that it asks for." },
	{ .name = "version", .usage = "", .brief = "print the version", .fail_status = 1,
	  .run = cmd_version },
	{ .name = "help", .usage = "[COMMAND]",
	  .brief = "print help", .max_args = 1, .fail_status = 1, .run = cmd_help },
	/* Known from other runtimes; refused by name. */
	{ .name = "checkpoint", .fail_status = 1 },
	{ .name = "restore", .fail_status = 1 },
	{ .name = NULL },
};
/* clang-format on */

const struct cli_command *cli_command_find(const char *name)
{
	const struct cli_command *cmd;

	for (cmd = cli_commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

static void program_help(struct buf *b)
{
	const struct cli_command *cmd;

	buf_adds(b, "cleat - run containers of the Open Container Initiative\n\n"
		    "USAGE:\n   cleat [GLOBAL OPTION...] COMMAND [OPTION...] "
		    "[ARGUMENT...]\n\nCOMMANDS:\n");
	for (cmd = cli_commands; cmd->name; cmd++)
		if (cmd->run)
			buf_addf(b, "   %-10s %s\n", cmd->name, cmd->brief);
	buf_adds(b, "\nGLOBAL OPTIONS:\n");
	opt_help(cli_global_options, b);
	buf_adds(b, "   --help, -h  print help; \"cleat help COMMAND\" has that of a command\n");
}

int cli_command_help(const struct cli_command *cmd, struct err *e)
{
	auto_buf b = BUF_INIT;

	if (!cmd) {
		program_help(&b);
		return cli_out_buf(&b, e);
	}
	buf_addf(&b, "cleat %s - %s\n\nUSAGE:\n   cleat %s %s%s%s\n", cmd->name, cmd->brief,
		 cmd->name, cmd->options ? "[OPTION...]" : "",
		 cmd->options && *cmd->usage ? " " : "", cmd->usage);
	if (cmd->more)
		buf_addf(&b, "\n%s\n", cmd->more);
	if (cmd->options) {
		buf_adds(&b, "\nOPTIONS:\n");
		opt_help(cmd->options, &b);
	}
	return cli_out_buf(&b, e);
}

int cmd_help(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct cli_command *cmd = NULL;

	if (argc) {
		cmd = cli_command_find(argv[0]);
		if (!cmd)
			return err_set(e, ERR_SPEC, 0, NULL, "unknown command \"%s\"", argv[0]);
		if (!cmd->run)
			return err_set(e, ERR_UNSUPPORTED, 0, NULL,
				       "the command \"%s\" is not in this version", argv[0]);
	}
	return cli_command_help(cmd, e);
}

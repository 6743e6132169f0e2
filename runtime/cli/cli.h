/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CLI_H
#define CLEAT_CLI_H
#include <stdbool.h>
#include "arena.h"
#include "buf.h"
#include "cleat.h"
#include "err.h"
#include "log.h"
#include "options.h"

/* What the files of the `cleat` program share. One run of the program is one struct cli. */

/** struct cli_globals - Values of the options before the command. */
struct cli_globals {
	bool debug, systemd_cgroup, version;
	const char *log, *log_format, *log_level, *root, *cgroup_manager, *rootless, *criu;
};
extern const struct opt cli_global_options[];
/** CLI_TRACE_OPTION() - Row of --trace; @type: the command's struct, whose member trace takes it. */
#define CLI_TRACE_OPTION(values) \
	{ .name = "trace", .type = OPT_MAYBE, .off = OPT_AT(values, trace), .value = "text|json", \
	  .help = "print how long each step of each process took, on the standard error output" }

struct cli {
	const char *name;		/* "cleat"; "runc" when called so, for --version only */
	char **argv;			/* of main() */
	struct cli_globals global;
	struct cleat_env env;
	struct log_sink sink;		/* the --log file, else stderr */
	int log_fd;			/* the --log file, or -1 */
	int exe_mount;			/* what cleat_selfexe_switch() leaves to be closed, or -1 */
	struct arena arena;		/* whatever lives as long as the program */
};

/** enum cli_root - What a command needs of the state root. */
enum cli_root {
	ROOT_NONE,	/* works without one */
	ROOT_LOOK,	/* need not exist */
	ROOT_MAKE,	/* is made */
};

struct cli_command {
	const char *name;
	const char *usage;		/* arguments, for the help */
	const char *brief;		/* one line */
	const char *more;		/* further help; may be NULL */
	const struct opt *options;
	uint16_t values_size;		/* of the struct that options point into */
	uint8_t order;			/* enum opt_order */
	uint8_t root;			/* enum cli_root */
	uint8_t min_args, max_args;	/* equal: exactly; max CLI_ANY: no maximum */
	uint8_t fail_status;		/* exit status when run fails */
	bool exposed;			/* a container will see our executable: protect it */
	uint16_t trace;			/* where in its values the format of --trace is; 0: it has no such option */
	/**
	 * @run: Return: the exit status, or -errno with @e set. NULL: not in this version.
	 * @values: filled by @options; argv: the arguments, argc of them.
	 */
	int (*run)(struct cli *c, const void *values, int argc, char **argv, struct err *e);
};
#define CLI_ANY 255

/** cli_commands - All commands, ending in a row without a name. */
extern const struct cli_command cli_commands[];
/** cli_command_find() - Row of @name, or NULL. */
const struct cli_command *cli_command_find(const char *name);
/** cli_command_help() - Print help of one command, or with NULL of the program, on stdout. */
int cli_command_help(const struct cli_command *cmd, struct err *e);

/* ---- report.c: log and output ---- */
/** cli_log_open() - Set the log up as --log, --log-format, --log-level and --debug say. */
int cli_log_open(struct cli *c, struct err *e);
/**
 * cli_report() - The one error line of a failed command: in the log, and bare on stderr if that
 * is a file.
 * @cmd: name of the command, NULL before there is one.
 */
void cli_report(const struct cli *c, const char *cmd, const struct err *e);
/** cli_out() - Write @len bytes to stdout. */
int cli_out(const void *p, size_t len, struct err *e);
/** cli_out_buf() - Write @b to stdout; fails when building it ran out of memory. */
int cli_out_buf(const struct buf *b, struct err *e);
/**
 * cli_read_file() - Append a file to @b.
 * @path: of a regular file; "-" is stdin if @dash.
 * @what: what errors call it.
 */
int cli_read_file(const char *path, bool dash, const char *what, struct buf *b, struct err *e);

/* ---- trace.c ---- */
/**
 * cli_trace_begin() - Begin to note times if --trace was given.
 * @format: its value: NULL, "", "text" or "json".
 */
int cli_trace_begin(const char *format, struct err *e);
/** cli_trace_print() - Print them on stderr. @id: of the container, for the heading. */
void cli_trace_print(const char *format, const char *command, const char *id);

/* ---- root.c ---- */
/**
 * cli_root_open() - Find and check the state root: not "/", ours, writable by us only.
 * @want: ROOT_MAKE makes it, 0700; else a missing one is fine. Sets c->env.root.
 * Spec: contract security 4
 */
int cli_root_open(struct cli *c, enum cli_root want, struct err *e);

/* ---- signals.c ---- */
/** cli_signal() - Number of "9", "KILL", "SIGKILL", "RTMIN+3" in any case, 0 too; -EINVAL. */
int cli_signal(const char *text);

/* ---- the commands' option tables and functions ---- */
struct create_values {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *trace;
	bool no_pivot, no_new_keyring, no_subreaper, detach, keep;
	int64_t preserve_fds;
};
struct exec_values {
	const char *console_socket, *pidfd_socket, *cwd, *user, *process, *pid_file, *process_label,
		*apparmor, *trace;
	struct opt_list env, caps, cgroups;
	struct opt_ids gids;
	bool tty, detach, no_new_privs, ignore_paused;
	int64_t preserve_fds;
};
struct check_values { const char *config; bool json, missing; };
struct events_values { int64_t interval_ns; bool stats; };
struct force_values { bool force; };
struct all_values { bool all; };
struct list_values { const char *format; bool quiet; };
struct spec_values { const char *bundle; bool rootless; };
struct update_values {
	const char *resources, *memory, *reservation, *swap, *kernel, *kernel_tcp, *shares, *period,
		*quota, *burst, *rt_period, *rt_runtime, *idle, *cpus, *mems, *pids, *blkio_weight,
		*l3_cache, *mem_bw;
};
extern const struct opt cli_check_options[], cli_create_options[], cli_run_options[], cli_exec_options[],
	cli_delete_options[], cli_events_options[], cli_kill_options[], cli_list_options[], cli_ps_options[],
	cli_spec_options[], cli_update_options[];

int cmd_create(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_run(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_start(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_exec(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_state(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_kill(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_delete(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_pause(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_resume(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_check(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_events(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_list(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_ps(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_update(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_spec(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_features(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_version(struct cli *c, const void *values, int argc, char **argv, struct err *e);
int cmd_help(struct cli *c, const void *values, int argc, char **argv, struct err *e);

/* update.c */
/** update_json() - The LinuxResources document that the flags of `update` mean. */
int update_json(const struct update_values *v, struct buf *out, struct err *e);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the program says: the log, the one error line of a failed command,
 * its output; and what it reads. Callers of runtimes show their users the
 * last error line of the log, and parse the log as a whole: one bad line
 * costs the message (contract oci-runtime 1.4).
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "fdio.h"
#include "names.h"
#include "usock.h"

static const struct name log_levels[] = {
	{ "debug", LOG_DEBUG_LEVEL },
	{ "info", LOG_INFO_LEVEL },
	{ "warning", LOG_WARN_LEVEL },
	{ "warn", LOG_WARN_LEVEL },
	{ "error", LOG_ERROR_LEVEL },
	{ NULL, 0 },
};

/* "syslog:NAME", "journald:NAME" */
static int open_log_daemon(struct cli *c, const char *path, struct err *e)
{
	bool journal = *path == 'j';
	const char *socket = journal ? LOG_JOURNAL_SOCKET : LOG_SYSLOG_SOCKET, *name = strchr(path, ':') + 1;
	const char *p;

	for (p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(e, ERR_SPEC, 0, NULL, "invalid value \"%s\" for --log: \"%s\" is no name",
				       path, name);
	c->log_fd = usock_connect(socket, SOCK_DGRAM, 0);
	if (c->log_fd < 0)
		return err_set(e, ERR_UNSUPPORTED, c->log_fd, socket, "--log %s: connect", path);
	c->sink.fd = c->log_fd;
	c->sink.format = journal ? LOG_FORMAT_JOURNAL : LOG_FORMAT_SYSLOG;
	c->sink.ident = *name ? name : NULL;
	return 0;
}

static int open_log_file(struct cli *c, const char *path, struct err *e)
{
	int r;

	if (!strncmp(path, "file:", 5))
		path += 5;
	/* O_NONBLOCK for the open alone: a FIFO that nobody reads must not hang us. */
	c->log_fd = openat(AT_FDCWD, path,
			 O_WRONLY | O_APPEND | O_CREAT | O_SYNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			 0644);
	if (c->log_fd < 0)
		return err_set(e, ERR_SPEC, -errno, path, "open the log");
	r = fd_nonblock(c->log_fd, 0);
	if (r)
		return err_set(e, ERR_KERNEL, r, path, "open the log");
	c->sink.fd = c->log_fd;
	return 0;
}

int cli_log_open(struct cli *c, struct err *e)
{
	const struct cli_globals *g = &c->global;
	const struct name *level;
	int r;

	if (g->log_format) {
		if (!strcmp(g->log_format, "json"))
			c->sink.format = LOG_FORMAT_JSON;
		else if (strcmp(g->log_format, "text") && *g->log_format)
			return err_set(e, ERR_SPEC, 0, NULL, "invalid log-format: %s",
				       g->log_format);
	}
	if (g->log && *g->log) {
		r = !strncmp(g->log, "syslog:", 7) || !strncmp(g->log, "journald:", 9) ?
			open_log_daemon(c, g->log, e) : open_log_file(c, g->log, e);
		if (r)
			return r;
	}
	if (g->log_level) {
		level = names_find(log_levels, g->log_level);
		if (!level)
			return err_set(e, ERR_SPEC, 0, NULL, "invalid log-level: %s", g->log_level);
		c->sink.log.min = (enum log_level)level->value;
	}
	if (g->debug)
		c->sink.log.min = LOG_DEBUG_LEVEL;
	c->env.rootless = -1;
	if (g->rootless && *g->rootless && strcmp(g->rootless, "auto")) {
		bool on;

		if (opt_bool(g->rootless, &on))
			return err_set(e, ERR_SPEC, 0, NULL,
				       "invalid value \"%s\" for --rootless: not true, "
				       "false or auto",
				       g->rootless);
		c->env.rootless = on;
	}
	c->env.systemd_cgroup = g->systemd_cgroup;
	if (g->cgroup_manager && !strcmp(g->cgroup_manager, "systemd"))
		c->env.systemd_cgroup = true;
	else if (g->cgroup_manager && !strcmp(g->cgroup_manager, "disabled"))
		c->env.no_cgroups = true;
	else if (g->cgroup_manager && strcmp(g->cgroup_manager, "cgroupfs"))
		return err_set(e, ERR_SPEC, 0, NULL,
			       "invalid value \"%s\" for --cgroup-manager: not cgroupfs, "
			       "systemd or disabled",
			       g->cgroup_manager);
	return 0;
}

void cli_report(const struct cli *c, const char *cmd, const struct err *e)
{
	char text[ERR_TEXT_MAX], line[ERR_TEXT_MAX + 128];
	int n;

	err_render(e, text, sizeof(text));
	n = snprintf(line, sizeof(line), "cleat%s%s failed: %s%s%s\n", cmd ? " " : "",
		     cmd ? cmd : "", e->stage > STAGE_HOST ? err_stage_name(e->stage) : "",
		     e->stage > STAGE_HOST ? ": " : "", text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = (int)sizeof(line) - 1;
	log_error(&c->sink.log, "%.*s", n - 1, line);
	if (c->log_fd >= 0)
		(void)fdio_write_full(STDERR_FILENO, line, (size_t)n);
}

int cli_out(const void *p, size_t len, struct err *e)
{
	int r = fdio_write_full(STDOUT_FILENO, p, len);

	return r ? err_set(e, ERR_PEER, r, NULL, "write to stdout") : 0;
}

int cli_out_buf(const struct buf *b, struct err *e)
{
	if (!buf_ok(b))
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "build the output");
	return b->len ? cli_out(b->data, b->len, e) : 0;
}

int cli_read_file(const char *path, bool dash, const char *what, struct buf *b, struct err *e)
{
	bool from_stdin = dash && !strcmp(path, "-");
	auto_fd fd = -1;
	struct stat st;
	int r;

	if (!from_stdin) {
		/* Neither a FIFO without a writer nor /dev/zero may hold us up. */
		fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &st))
			return err_set(e, ERR_SPEC, -errno, path, "open the %s", what);
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_SPEC, 0, path, "the %s is not a regular file", what);
	}
	r = fdio_read_all(from_stdin ? STDIN_FILENO : fd, b, LIMIT_JSON_BYTES);
	if (r == -EFBIG)
		return err_set(e, ERR_LIMIT, r, path, "the %s has more than %u bytes", what,
			       LIMIT_JSON_BYTES);
	return r ? err_set(e, ERR_KERNEL, r, path, "read the %s", what) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `ps`: the processes of a container. The table is the host's ps: its columns
 * are what people know, and its options are passed through as they are.
 */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bounds.h"
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "num.h"

const struct opt cli_ps_options[] = {
	{ .name = "format",
	  .letter = 'f',
	  .type = OPT_STR,
	  .off = OPT_AT(struct list_values, format),
	  .value = "table|json",
	  .help = "form of the list (table)" },
	{ .type = OPT_END },
};

#define PS_OUTPUT_MAX (16u << 20)

static int print_json(const pid_t *pids, size_t n, struct err *e)
{
	auto_buf b = BUF_INIT;
	size_t i;

	buf_addc(&b, '[');
	for (i = 0; i < n; i++)
		buf_addf(&b, "%s%d", i ? "," : "", pids[i]);
	buf_adds(&b, "]\n");
	return cli_out_buf(&b, e);
}

/* Run ps with @args and collect its output. */
static int run_ps(char *const *argv, struct buf *out, struct err *e)
{
	auto_fd rd = -1;
	int p[2], r, status;
	pid_t pid;

	r = fdio_pipe(p);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "make a pipe for ps");
	rd = p[0];
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(p[1]);
		return err_set(e, ERR_KERNEL, r, NULL, "fork for ps");
	}
	if (!pid) {
		if (dup2(p[1], STDOUT_FILENO) >= 0)
			execvp(argv[0], argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(p[1]);
	r = fdio_read_all(rd, out, PS_OUTPUT_MAX);
	if (r) {
		child_kill_reap(&pid);
		return err_set(e, ERR_KERNEL, r, NULL, "read what ps prints");
	}
	r = child_wait(pid, &status);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "wait for ps");
	status = child_status(status);
	if (status == 127 || status == 126)
		return err_set(e, ERR_UNSUPPORTED, 0, NULL, "the host's ps cannot be run");
	return status ? err_set(e, ERR_PEER, 0, NULL, "ps failed with status %d", status) : 0;
}

/* The @n-th word (from 0) of @line. */
static const char *word(const char *line, size_t n, size_t *len)
{
	for (;; n--) {
		line += strspn(line, " \t");
		*len = strcspn(line, " \t");
		if (!n || !*len)
			return line;
		line += *len;
	}
}

static bool has_pid(const char *line, size_t column, const pid_t *pids, size_t n)
{
	char text[16];
	uint64_t pid;
	size_t len, i;
	const char *w = word(line, column, &len);

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, w, len);
	text[len] = 0;
	if (num_u64(text, INT32_MAX, &pid))
		return false;
	for (i = 0; i < n; i++)
		if ((uint64_t)pids[i] == pid)
			return true;
	return false;
}

static int print_table(char *text, const pid_t *pids, size_t n, struct err *e)
{
	auto_buf b = BUF_INIT;
	size_t column = 0, len;
	char *line, *rest;
	bool header = true;

	for (line = text; line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		if (header) {
			const char *w;

			while (w = word(line, column, &len),
			       len && !(len == 3 && !memcmp(w, "PID", 3)))
				column++;
			if (!len)
				return err_set(e, ERR_SPEC, 0, NULL,
					       "couldn't find PID field in ps output");
		} else if (!has_pid(line, column, pids, n)) {
			continue;
		}
		header = false;
		buf_addf(&b, "%s\n", line);
	}
	return cli_out_buf(&b, e);
}

int cmd_ps(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct list_values *v = values;
	bool json = v->format && !strcmp(v->format, "json");
	static char ps[] = "ps", all[] = "-ef";
	auto_buf out = BUF_INIT;
	char **ps_argv;
	pid_t *pids = NULL;
	size_t n = 0;
	int r;

	if (v->format && !json && strcmp(v->format, "table"))
		return err_set(e, ERR_SPEC, 0, NULL, "invalid format option: %s", v->format);
	ps_argv = arena_alloc(&c->arena, ((size_t)argc + 2) * sizeof(*ps_argv));
	if (!ps_argv)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "run ps");
	ps_argv[0] = ps;
	ps_argv[1] = all;
	if (argc > 1)
		memcpy(ps_argv + 1, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	r = cleat_pids(&c->env, argv[0], &pids, &n, e);
	if (!r && json)
		r = print_json(pids, n, e);
	else if (!r)
		r = run_ps(ps_argv, &out, e);
	if (!r && !json && out.data)
		r = print_table(out.data, pids, n, e);
	free(pids);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Maps of more than one's own id, for a caller that may not write them: by
 * newuidmap and newgidmap, which are privileged and ask /etc/subuid and
 * /etc/subgid.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "idmap.h"

#define ID_TEXT		12
#define STATUS_MISSING	127

/* "tool PID inside outside count ...", one block of memory. */
static char **arguments(const char *tool, pid_t pid, const struct idmap *m, size_t n)
{
	size_t argc = 2 + 3 * n, i;
	char **argv = malloc((argc + 1) * sizeof(*argv) + argc * ID_TEXT);
	char *text;

	if (!argv)
		return NULL;
	text = (char *)(argv + argc + 1);
	for (i = 0; i < argc; i++)
		argv[i] = text + i * ID_TEXT;
	argv[argc] = NULL;
	argv[0] = (char *)(uintptr_t)tool;
	snprintf(argv[1], ID_TEXT, "%d", (int)pid);
	for (i = 0; i < n; i++) {
		snprintf(argv[2 + 3 * i], ID_TEXT, "%u", m[i].inside);
		snprintf(argv[3 + 3 * i], ID_TEXT, "%u", m[i].outside);
		snprintf(argv[4 + 3 * i], ID_TEXT, "%u", m[i].count);
	}
	return argv;
}

static void tool_child(char **argv, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	child_default_signals();
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(STATUS_MISSING - 1);
	fd_close_except(3, NULL, 0);
	execvp(argv[0], argv);
	_exit(STATUS_MISSING);
}

/* What it says up to its end; more than fits is dropped. The newlines go: the text becomes part of a sentence. */
static void take_words(int fd, char *text, size_t size)
{
	char drop[256];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = len + 1 < size ? read(fd, text + len, size - 1 - len) : read(fd, drop, sizeof(drop));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (len + 1 < size)
			len += (size_t)n;
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	text[len] = 0;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			text[i] = ' ';
}

int idmap_by_tool(const char *tool, pid_t pid, const struct idmap *m, size_t n, const char *where, struct err *e)
{
	struct child_args ca = { .cgroup_fd = -1 };
	char **argv = arguments(tool, pid, m, n);
	auto_fd pidfd = -1, rd = -1, wr = -1;
	char words[160];
	int p[2], status = 0, r;
	pid_t child;

	r = argv ? fdio_pipe(p) : -ENOMEM;
	if (r) {
		free(argv);
		return err_set(e, ERR_LIMIT, r, where, "run %s", tool);
	}
	rd = p[0];
	wr = p[1];
	child = child_clone(&ca, &pidfd);
	if (!child)
		tool_child(argv, wr);
	free(argv);
	if (child < 0)
		return err_set(e, ERR_LIMIT, child, where, "run %s", tool);
	fd_close(&wr);
	take_words(rd, words, sizeof(words));
	r = child_wait(child, &status);
	if (r)
		return err_set(e, ERR_KERNEL, r, where, "wait for %s", tool);
	status = child_status(status);
	if (!status)
		return 0;
	if (status == STATUS_MISSING && !words[0])
		return err_set(e, ERR_DENIED, 0, where,
			       "more than one's own id needs %s, which is not in PATH (Debian package uidmap)", tool);
	return err_set(e, ERR_DENIED, 0, where, "%s refuses it (status %d): %s", tool, status, words);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the network devices of a container have counted: /proc/PID/net/dev of
 * its init. A container in the host's network namespace has no devices of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "fd.h"
#include "num.h"
#include "ops.h"
#include "pathfs.h"

#define COLUMNS 16

/* "  eth0: 1 2 3 ...": eight numbers of what came, eight of what went. */
static bool counters_line(char *line, struct cleat_net *n)
{
	char *colon = strrchr(line, ':'), *save = NULL;
	uint64_t v[COLUMNS];
	size_t i = 0;

	if (!colon)
		return false;
	*colon = 0;
	line += strspn(line, " ");
	for (char *w = strtok_r(colon + 1, " ", &save); w && i < COLUMNS; w = strtok_r(NULL, " ", &save))
		if (num_u64(w, UINT64_MAX, &v[i++]))
			return false;
	if (i < COLUMNS || !*line || strlen(line) >= sizeof(n->name))
		return false;
	*n = (struct cleat_net){
		.rx_bytes = v[0], .rx_packets = v[1], .rx_errors = v[2], .rx_dropped = v[3],
		.tx_bytes = v[8], .tx_packets = v[9], .tx_errors = v[10], .tx_dropped = v[11],
	};
	memcpy(n->name, line, strlen(line) + 1);
	return true;
}

int net_counters_parse(char *text, struct objv *out, struct arena *a)
{
	size_t lines = 0;
	char *rest;

	*out = (struct objv){ 0 };
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	out->v = arena_alloc(a, (lines + 1) * sizeof(struct cleat_net));
	if (!out->v)
		return -ENOMEM;
	for (char *line = text; *line; line = rest) {
		struct cleat_net *n = (struct cleat_net *)out->v + out->n;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		/* What a container says to itself is no traffic. */
		if (counters_line(line, n) && strcmp(n->name, "lo"))
			out->n++;
	}
	return 0;
}

int op_net_counters(const struct container *c, struct objv *out, struct arena *a)
{
	auto_buf text = BUF_INIT;
	struct stat theirs, ours;
	char pid[16];
	auto_fd dir = -1;

	*out = (struct objv){ 0 };
	if (c->state.pid <= 0)
		return 0;
	snprintf(pid, sizeof(pid), "%d", (int)c->state.pid);
	dir = openat(c->procfd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The handle stays that process's own; it is init if its start time is right now. */
	if (dir < 0 || !store_alive(&c->state, c->procfd))
		return 0;
	if (fstatat(dir, "ns/net", &theirs, 0) || fstatat(c->procfd, "self/ns/net", &ours, 0) ||
	    theirs.st_ino == ours.st_ino)
		return 0;
	if (path_read(dir, "net/dev", LIMIT_PROC_FILE, &text) || !text.len)
		return 0;
	return net_counters_parse(text.data, out, a);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cleat-netdev: moves network devices for a program that has no libmnl. The
 * worker executes it in its own network namespace; see devices_wire.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "devices.h"
#include "devices_wire.h"
#include "fd.h"
#include "fdio.h"
#include "spec.h"

/* The words of @text as devices. Return: 0, -EPROTO or -ENOMEM. */
static int parse(char *text, size_t len, struct arena *a, struct objv *out)
{
	struct spec_net_device *d = arena_alloc(a, (len + 1) * sizeof(*d) / 2);
	char *end = text + len, *p = text;

	if (!d)
		return -ENOMEM;
	if (!len || end[-1] || strcmp(p, DEVICES_WIRE_VERSION))
		return -EPROTO;
	out->v = d;
	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		d[out->n].key = p;
		p += strlen(p) + 1;
		if (p == end)
			return -EPROTO;
		d[out->n++].name = *p ? p : NULL;
	}
	return 0;
}

int main(void)
{
	auto_arena a = ARENA_INIT;
	struct objv devices = { 0 };
	struct err e = { 0 };
	char *text = malloc(DEVICES_REQUEST_MAX);
	int fds[FDIO_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n;

	if (!text)
		return 1;
	n = fdio_recv(0, text, DEVICES_REQUEST_MAX, fds, &n_fds);
	if (n <= 0) {
		dprintf(2, DEVICES_HELPER ": this program is executed by cleat, with a request on a socket\n");
		return 2;
	}
	if (n_fds != 1 || parse(text, (size_t)n, &a, &devices))
		err_set(&e, ERR_BUG, -EPROTO, DEVICES_HELPER, "the request is not of this program's version");
	else
		net_devices_move(&devices, fds[0], &a, &e);
	fdio_send(0, &e, sizeof(e), NULL, 0);
	free(text);
	return 0;
}

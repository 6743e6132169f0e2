/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_KEEP_H
#define CLEAT_SHIM_KEEP_H
#include "buf.h"
#include "server.h"

/*
 * The server's state as bytes and fds, so that another executable of the
 * same pid and the same children can go on where this one stops. It can be
 * written whenever no worker runs; what callers wait for, bytes under way
 * and events not yet told are part of it.
 *
 * No command asks for that yet. It is here so that it stays possible: who
 * adds to the server's structs what cannot be handed on, or forgets to, is
 * told by the test of this file and by the check of its lists of members.
 */

/** struct keep_fds - The fds that the bytes speak of, by their place in this list; borrowed from the server. */
struct keep_fds { int *v; size_t n, room; };

/**
 * keep_write() - Append the state of @srv to @out and its fds to @fds (free @fds->v).
 * Return: 0; -EBUSY: an operation, a call of containerd's or the end of the server is under way; -ENOMEM.
 */
int keep_write(struct server *srv, struct buf *out, struct keep_fds *fds);
/**
 * keep_read() - Go on with that state.
 * @srv: its loop, log, namespace and publisher set up, nothing else in it.
 * @fds: taken, each where its place in the state is, also on failure.
 * Return: 0 or -EBADMSG, -ENOMEM (then @srv is empty again).
 */
int keep_read(struct server *srv, const void *p, size_t len, const struct keep_fds *fds);
#endif

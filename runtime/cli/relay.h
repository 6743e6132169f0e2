/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_RELAY_H
#define CLEAT_RELAY_H
#include <stdbool.h>
#include <stddef.h>
#include "loop.h"

#define RELAY_CHUNK 4096 /* PIPE_BUF: what a pipe that polls writable takes without blocking */

/** struct relay_half - One direction: a bounded buffer on its way from one fd to another. */
struct relay_half {
	char data[RELAY_CHUNK];
	size_t at, len;		/* what is still to be written: data[at .. at+len) */
	bool eof;		/* nothing more will come */
	bool broken;		/* nobody takes it: what comes is dropped */
};

/**
 * struct relay - Moves bytes between a pty master and our stdin and stdout.
 *
 * Only the master is made non-blocking; 0 and 1 are shared with others (a
 * shell), so they are polled before each read or write instead.
 */
struct relay {
	struct loop *loop;
	struct loop_source master, in, out;
	int master_fd, in_fd, out_fd;
	bool in_always;		/* stdin cannot be polled: a regular file, /dev/null */
	bool closing;		/* the program has ended: drain, then call done */
	char last_in;		/* last byte of the input */
	struct relay_half up;	/* stdin to master */
	struct relay_half down;	/* master to stdout */
	void (*done)(struct relay *r);
};

/** relay_start() - Begin to copy. @master_fd is borrowed and made non-blocking. 0 or -errno. */
int relay_start(struct relay *r, struct loop *loop, int master_fd, int in_fd, int out_fd,
		void (*done)(struct relay *r));
/** relay_drain() - The program has ended: r->done is called when all output is out. */
void relay_drain(struct relay *r);
void relay_stop(struct relay *r);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FOREGROUND_H
#define CLEAT_FOREGROUND_H
#include <stdbool.h>
#include "cleat.h"
#include "notify.h"
#include "relay.h"
#include "tty.h"

/**
 * struct foreground - The wait for a process that this program stands for.
 *
 * Without a terminal the process has our own 0, 1 and 2: no byte is copied.
 * Pipes in between would cost two copies and a context switch per write, and
 * protect from nothing here: the process leads a session of its own, so a
 * terminal among them is not its controlling one, and it cannot push input
 * into it.
 *
 * With a terminal, ours is set raw and bytes are moved by a relay.
 */
struct foreground {
	struct loop loop;
	struct loop_source signals;
	int signal_fd;
	const struct cleat_process *p;	/* borrowed */
	struct tty tty;
	struct relay relay;
	bool relaying, exited;
	int status;			/* as waitpid(2) */
	struct notify *notify;		/* borrowed; NULL: nothing to pass on */
	struct loop_source notifying;
};

/** foreground_init() - @fg: zeroed memory, about 9 KiB: not for the stack. Then foreground_end() is safe at any time. */
void foreground_init(struct foreground *fg);
/**
 * foreground_begin() - Catch signals from now on and take the terminal.
 * @p:  the process, our child; borrowed until foreground_end().
 *
 * Signals stay blocked until the program ends: none of them may cut the
 * removal of the container short.
 */
int foreground_begin(struct foreground *fg, const struct cleat_process *p, struct err *e);
/** foreground_notify() - Pass readiness on, once, while waiting. We stay the process to watch. */
int foreground_notify(struct foreground *fg, struct notify *n, struct err *e);
/**
 * foreground_wait() - Forward signals and bytes until the process ends.
 * Return: its exit status, or -errno.
 */
int foreground_wait(struct foreground *fg, struct err *e);
/** foreground_end() - Give the terminal back. */
void foreground_end(struct foreground *fg);
#endif

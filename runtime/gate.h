/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_GATE_H
#define CLEAT_GATE_H
#include <sys/types.h>
#include "err.h"
#include "store.h"

/*
 * The gate between create and start: <state>/exec.fifo. init opens it for
 * writing, which blocks until start opens it for reading; it writes one byte
 * and execve()s. The starter reads the byte, then EOF (execve closed the fd:
 * the program runs) or one struct err.
 */
#define GATE_NAME "exec.fifo"

/** gate_make() - Make the fifo. Return: O_PATH fd for gate_pass(), or -errno with @e set. Context: host. */
int gate_make(int dirfd, struct err *e);
/**
 * gate_pass() - Wait at the gate. Context: seal stage, raw calls only.
 * @procfd: handle of proc_open(); @fifo: what gate_make() gave.
 * Return: write end (close-on-exec) to report a failed execve on, or -errno.
 */
int gate_pass(int procfd, int fifo);
/** gate_fail() - Report why execve did not happen. Context: seal stage. */
void gate_fail(int fd, const struct err *e);
/** struct gate - A gate that was opened. */
struct gate {
	int fd;
	bool passed;		/* init has said so */
};
/** gate_knock() - Let init pass; waits for nobody. @g->fd is the caller's to close. Return: 0 or -errno with @e set. */
int gate_knock(struct gate *g, int dirfd, const char *id, struct err *e);
/**
 * gate_hear() - Take what init has said since, one thing at a time; waits for nobody. When nothing was said, init must
 * have come to the gate already, or be dead. Unlinks the fifo once init has passed.
 * Return: -EAGAIN: when @g->fd is readable again there is more to hear. Else as gate_open().
 */
int gate_hear(struct gate *g, int dirfd, const char *id, struct err *e);
/**
 * gate_open() - Let init pass and learn whether its program runs.
 * @pidfd: init's; negative on old kernels, where the process of @st is looked at in @procfd instead.
 * Unlinks the fifo once init has passed.
 * Return: 0, -ESRCH with "cannot start a container that has stopped", or init's error.
 */
int gate_open(int dirfd, int pidfd, int procfd, const struct state *st, struct err *e);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SYNC_H
#define CLEAT_SYNC_H
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/*
 * The one message type between the worker and the process it makes, over one
 * SOCK_SEQPACKET pair. Requests of the child are answered by SYNC_GO; EOF on
 * either side means that the other one is dead (or, for an exec'ed process,
 * that execve closed the socket).
 */
enum sync_type {
	SYNC_GO = 1,	/* worker: go on */
	SYNC_CGROUP,	/* worker: value fds, the files through which init enters its cgroups (v1); none: it is in */
	SYNC_NETWORK,	/* worker: one fd, the network namespace that init enters; none: init makes it */
	SYNC_CHILD,	/* mid: value is the pid of init, one fd: its pidfd (none on old kernels); -errno: try another way */
	SYNC_CLOCKS,	/* init: its time namespace is made, write the offsets of the clocks */
	SYNC_HOOKS,	/* init: mounts are done; limits must be in force, prestart and createRuntime run */
	SYNC_CONSOLE,	/* init/join: one fd, the pty master; no answer */
	SYNC_LISTENER,	/* init/join: value is our fd of the seccomp listener, or one fd; GO with 1: send it as one */
	SYNC_LIMITS,	/* init/join: set my rlimits, oom_score_adj, scheduler and I/O priority */
	SYNC_READY,	/* init/join: all that can fail before execve is done; answered to init only */
	SYNC_WARN,	/* any: err.msg is a warning for the log; no answer */
	SYNC_FAILED,	/* any: err tells why; the sender exits */
};

struct sync_msg {
	uint32_t type;
	int32_t value;
	struct err err;
};

/** sync_send() - Send one message, with @fd if it is >= 0 (borrowed). Return: 0 or -errno. */
int sync_send(int sock, enum sync_type type, int32_t value, int fd);
/** sync_fail() - Send SYNC_FAILED with @e; used just before _exit(). */
void sync_fail(int sock, const struct err *e);
/** sync_warn() - Send a warning. */
void sync_warn(int sock, const char *text);
/**
 * sync_recv() - Receive one message.
 * @fd: one received fd or -1; owned by the caller; may be NULL.
 * Records of the other side are checked and terminated: it may be hostile.
 * Return: 1, 0 at EOF, or -errno.
 */
int sync_recv(int sock, struct sync_msg *m, int *fd);
/**
 * sync_send_fds(), sync_recv_fds() - The same with several fds.
 * @fds: room for FDIO_FDS_MAX when receiving; owned by the receiver.
 */
int sync_send_fds(int sock, enum sync_type type, const int *fds, size_t n);
int sync_recv_fds(int sock, struct sync_msg *m, int *fds, size_t *n);
/** sync_ask() - Send @type and wait for SYNC_GO. Return: 0, or -ECANCELED when the worker is gone. */
int sync_ask(int sock, enum sync_type type, int32_t value);
/**
 * sync_ask_plain() - The same by write(2) and read(2) alone, under a filter.
 * Return: the value of the answer, or -ECANCELED.
 */
int sync_ask_plain(int sock, enum sync_type type, int32_t value);
/** sync_wait_go() - Wait for SYNC_GO. Return: 0 or -ECANCELED. */
int sync_wait_go(int sock);
#endif

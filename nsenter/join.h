/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_JOIN_H
#define CLEAT_JOIN_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080	/* 5.6 */
#endif

/** struct join_kind - A namespace type; the table's order is the order of joining. */
struct join_kind {
	int flag;			/* CLONE_NEW* */
	const char *file;		/* below /proc/PID/ns */
	const char *name;		/* the OCI spec's word */
};
#define JOIN_KINDS 8
extern const struct join_kind join_kinds[JOIN_KINDS];

/** struct join_set - Open namespace fds by index in join_kinds; -1: not joined. */
struct join_set { int fd[JOIN_KINDS]; };
#define JOIN_SET_INIT { { -1, -1, -1, -1, -1, -1, -1, -1 } }

/** join_index() - Index of a CLONE_NEW* flag, or -1. */
int join_index(int flag);
/**
 * join_open() - Open a namespace file and check its type.
 * @path: absolute; opened O_NONBLOCK, so that a FIFO cannot block us. @where: JSON pointer for messages.
 * Return: fd (owned by the caller) or -errno with @e set.
 */
int join_open(const char *path, int flag, const char *where, struct err *e);
/** join_open_of() - The namespace @flag of @pid, a child that was not reaped. Return: fd or -errno with @e set. */
int join_open_of(int procfd, pid_t pid, int flag, struct err *e);
/** join_close() - Close all of a set. */
void join_close(struct join_set *s);
/**
 * join_enter() - Join every namespace of @s but those in @skip, user last; a setns that is
 * refused before the user namespace is joined is tried again after it.
 * Context: the process that moves; single-threaded.
 */
int join_enter(const struct join_set *s, int skip, struct err *e);
/** join_pidfd() - Join the namespaces @flags of the process of @pidfd by one call. -EINVAL/-EBADF below 5.8. */
int join_pidfd(int pidfd, int flags);
#endif

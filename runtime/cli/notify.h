/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_NOTIFY_H
#define CLEAT_NOTIFY_H
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "cleat.h"

/*
 * sd_notify: when $NOTIFY_SOCKET is set, the container has a socket of ours, and its word that it is ready
 * is passed on, with the process that is to be watched from then on.
 */
struct notify {
	int sock;			/* what the container writes to; -1: nothing to pass on */
	struct sockaddr_un to;
	socklen_t to_len;
};
#define NOTIFY_INIT { .sock = -1 }
void notify_close(struct notify *n);
#define auto_notify __attribute__((cleanup(notify_close))) struct notify

/** notify_wanted() - Is $NOTIFY_SOCKET set? */
bool notify_wanted(void);
/** notify_open() - Make the container's socket, if it was created for one. Before the program runs. */
int notify_open(struct notify *n, const char *root, const char *id, struct err *e);
/** notify_pass() - Read one message; if it tells readiness, tell it with MAINPID @pid. Return: was it told? */
bool notify_pass(struct notify *n, pid_t pid);
/**
 * notify_wait() - Until the container is ready or @pidfd (of @pid) dead; then until our messages have been
 * read, for whoever watches us must know of @pid before we end.
 */
void notify_wait(struct notify *n, pid_t pid, int pidfd, const struct log *log);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_LOGGER_H
#define CLEAT_SHIM_LOGGER_H
#include <sys/types.h>
#include "loop.h"
#include "server.h"

/** struct dismissed - A logging program that is to end; reaped in the background. */
struct dismissed {
	struct dismissed *next;
	struct server *srv;
	pid_t pid;
	int pidfd;
	struct loop_timer timer;	/* to SIGTERM, then to SIGKILL */
	bool told;			/* SIGTERM was sent */
};

/**
 * logger_dismiss() - Its pipes are closed: 2 s to read them to the end, then SIGTERM, 12 s later SIGKILL.
 * @pidfd: taken.
 */
void logger_dismiss(struct server *srv, pid_t pid, int pidfd);
/**
 * logger_leave() - The server ends: those that have not ended yet keep their time, for which a
 * small process stays behind.
 */
void logger_leave(struct server *srv);
/** logger_reaped() - Was @pid a logging program? */
bool logger_reaped(struct server *srv, pid_t pid);
#endif

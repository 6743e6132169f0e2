/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_OUTSIDE_H
#define CLEAT_SHIM_OUTSIDE_H
#include "server.h"

struct op;

/** outside_watch() - From now on notice when somebody else starts, pauses or resumes the container. */
void outside_watch(struct ctr *c);
/** outside_resume() - The same with the socket that is in @c already, if there is one. */
void outside_resume(struct ctr *c);
/** outside_stop() - The container is gone. */
void outside_stop(struct ctr *c);

/**
 * outside_look() - A worker of @op failed or died, so how far it got is not known: ask the engine
 * how the container is. @finish then finds @op->why set to (a copy of) @why.
 */
void outside_look(struct op *op, const struct err *why,
		  void (*finish)(struct op *op, struct work *w));
/** outside_status() - In such a finish: what the engine says, an enum cleat_status; -1: unknown. */
int outside_status(const struct work *w);
/**
 * outside_settle() - Take @status for the state of init where that is news (started, paused,
 * resumed), and tell containerd. Return: was it?
 */
bool outside_settle(struct ctr *c, int status);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_OUTSIDE_H
#define CLEAT_SHIM_OUTSIDE_H
#include "server.h"

/** outside_watch() - From now on notice when somebody else starts the (created) container. */
void outside_watch(struct ctr *c);
/** outside_stop() - It was started, or is gone. */
void outside_stop(struct ctr *c);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CLOCKS_H
#define CLEAT_CLOCKS_H
#include <sys/types.h>
#include "err.h"
#include "field.h"

/**
 * clocks_write() - Offsets (struct spec_clock) of the time namespace that @pid has made and nobody is in yet.
 * Context: host stage: the process's own files belong to the host's root.
 */
int clocks_write(int procfd, pid_t pid, const struct objv *offsets, struct err *e);
#endif

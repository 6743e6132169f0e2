/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_OP_INTERNAL_H
#define CLEAT_SHIM_OP_INTERNAL_H
#include "op.h"

/**
 * op_fork() - Fork the worker of @op, whose job and finish are set. When that
 * fails, finish() has been called with the error on return.
 * Return: the worker, or NULL.
 */
struct work *op_fork(struct op *op);
/** op_process() - work.process of operations that make op->proc's process. */
void op_process(struct work *w, pid_t pid, int pidfd);
#endif

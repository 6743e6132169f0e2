/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_CTR_H
#define CLEAT_SHIM_CTR_H
#include "server.h"

/** ctr_new() - A container in state CREATING, in the server's list. NULL: out of memory. */
struct ctr *ctr_new(struct server *srv, const char *id, const char *bundle, const char *root);
/** ctr_find() - Container of @id, also one that is being created; NULL. */
struct ctr *ctr_find(const struct server *srv, const char *id);
/** ctr_link(), ctr_unlink() - Put it into the server's list at @at, and out. Out of it already: nothing happens. */
void ctr_link(struct ctr *c, struct ctr **at);
void ctr_unlink(struct ctr *c);
/** ctr_forget() - Take it out of the list and free it as soon as no operation uses it. */
void ctr_forget(struct ctr *c);
/** ctr_get(), ctr_put() - Hold on to a container while a worker of it runs. */
void ctr_get(struct ctr *c);
void ctr_put(struct ctr *c);
/** ctr_proc() - Init (@exec_id "") or exec of a container; NULL. */
struct proc *ctr_proc(struct ctr *c, const char *exec_id);
/** ctr_add_exec() - A new exec in state CREATED. NULL: out of memory. */
struct proc *ctr_add_exec(struct ctr *c, const char *exec_id, bool terminal, const char *in,
			  const char *out, const char *err);
/** ctr_remove_exec() - Free an exec. */
void ctr_remove_exec(struct proc *p);
/** ctr_proc_by_pid() - Process of @pid that has not been reaped. */
struct proc *ctr_proc_by_pid(const struct server *srv, pid_t pid);
/** create_abort() - In op_create.c: nobody waits for the Create that runs; end and undo it. */
void create_abort(struct ctr *c);
/** ctr_exit_wait_due() - In sproc.c: the timer of exit_wait. */
void ctr_exit_wait_due(struct loop_timer *t);
#endif

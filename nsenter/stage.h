/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_STAGE_H
#define CLEAT_STAGE_H
#include <stddef.h>
#include "err.h"
#include "trace.h"

/*
 * Each process's work is a table of small steps. Every stage has its own
 * context type that holds only what that process may use, so a step that ends
 * up in the wrong table is an incompatible pointer, not a bug in the field.
 *
 * STAGE(x) declares struct x_step and x_run(). A failing step marks the error
 * with stage and step and undoes the steps before it, last one first.
 */
#define STAGE(s, id)								\
struct s##_ctx;									\
struct s##_step {								\
	const char *name;	/* in errors and traces */			\
	int (*run)(struct s##_ctx *c, struct err *e);				\
	void (*undo)(struct s##_ctx *c);	/* may be NULL */		\
};										\
static inline int s##_run(const struct s##_step *v, size_t n,			\
			  struct s##_ctx *c, struct err *e)			\
{										\
	size_t i;								\
	int r = 0;								\
										\
	for (i = 0; i < n && !r; i++) {						\
		unsigned int mark = trace_enter(id, v[i].name);			\
										\
		r = stage_fault(#s, v[i].name, e);				\
		if (!r)								\
			r = v[i].run(c, e);					\
		trace_leave(mark);						\
		if (r)								\
			r = stage_failed(e, id, i, v[i].name, r);		\
	}									\
	if (r && i)								\
		for (i--; i-- > 0;)						\
			if (v[i].undo)						\
				v[i].undo(c);					\
	return r;								\
}										\
struct s##_step

/**
 * stage_failed() - Mark @e as failed in a stage's step.
 * Return: @r.
 */
int stage_failed(struct err *e, enum stage stage, size_t step, const char *name, int r);

/**
 * stage_fault() - In test builds (-DCLEAT_FAULTS), fail the step that the environment's
 * CLEAT_FAULT=stage.step:errno names. Return: 0 or -errno with @e set.
 */
#ifdef CLEAT_FAULTS
int stage_fault(const char *stage, const char *step, struct err *e);
#else
static inline int stage_fault(const char *stage, const char *step, struct err *e)
{
	return 0;
}
#endif
#endif

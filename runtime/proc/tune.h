/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TUNE_H
#define CLEAT_TUNE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"

struct spec_process;
struct spec_linux;

/* A set of CPUs or memory nodes; no kernel is built for more. */
#define TUNE_MASK_BITS 8192u
struct tune_mask { unsigned long bits[TUNE_MASK_BITS / (8 * sizeof(unsigned long))]; };
/** tune_list() - A list such as "0-3,7" as a mask. Return: 0, -EINVAL, or -ERANGE: a number is too large. */
int tune_list(const char *list, struct tune_mask *m);

enum { TUNE_SCHED = 1, TUNE_IOPRIO = 2, TUNE_PERSONALITY = 4, TUNE_MEMPOLICY = 8, TUNE_AFFINITY = 16 };

/** struct tune_numbers - What the kernel is told; plain data, kept as it is in exec.tmpl. */
struct tune_numbers {
	uint32_t set;			/* TUNE_* that were asked for */
	uint32_t policy, priority, ioprio, personality;
	int32_t nice, mem_mode;		/* mem_mode with MPOL_F_* */
	uint32_t pad;
	uint64_t sched_flags, runtime, deadline, period;
};

/** struct tune - How a process runs. Strings are lists, NULL or "" for none. */
struct tune {
	struct tune_numbers n;
	const char *mem_nodes, *cpus_initial, *cpus_final;
};

/** tune_from_process() - What a process object says. */
void tune_from_process(const struct spec_process *s, struct tune *t);
/** tune_from_linux() - What the linux object says; holds for all of the container's processes. */
void tune_from_linux(const struct spec_linux *l, struct tune *t);
/** tune_inherit() - Fill what @t leaves open from the container's own; what is the linux object's always. */
void tune_inherit(struct tune *t, const struct tune *container);

/** tune_outside() - Must tune_by_worker() be called for @t? */
static inline bool tune_outside(const struct tune *t)
{
	return t->n.set & (TUNE_SCHED | TUNE_IOPRIO);
}
/** tune_by_worker() - Scheduler and I/O priority of @pid, set by who has the rights. Context: host stage. */
int tune_by_worker(const struct tune *t, pid_t pid, struct err *e);
/** tune_self() - The rest, by the process: CPUs, execution domain, memory policy. @exec: it entered the container. */
int tune_self(const struct tune *t, bool exec, struct err *e);
/**
 * tune_affinity_begin() - Give the caller, and so what it clones, the CPUs that execCPUAffinity.initial asks for.
 * @old: takes what it had, for tune_affinity_end().
 */
int tune_affinity_begin(const struct tune *t, struct tune_mask *old, struct err *e);
void tune_affinity_end(const struct tune *t, const struct tune_mask *old);
#endif

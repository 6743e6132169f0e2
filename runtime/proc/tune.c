/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a process runs: scheduler, I/O priority, CPUs, execution domain, memory policy. */
#include "tune.h"
#include <errno.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "num.h"
#include "spec.h"

#define WORD_BITS (CHAR_BIT * sizeof(unsigned long))

static int add_range(uint32_t first, uint32_t last, void *arg)
{
	struct tune_mask *m = arg;

	if (last >= TUNE_MASK_BITS)
		return -ERANGE;
	for (; first <= last; first++)
		m->bits[first / WORD_BITS] |= 1UL << first % WORD_BITS;
	return 0;
}

int tune_list(const char *list, struct tune_mask *m)
{
	memset(m, 0, sizeof(*m));
	return num_list(list, add_range, m);
}

static uint32_t or_all(const struct intv *v)
{
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < v->n; i++)
		bits |= (uint32_t)v->v[i];
	return bits;
}

static bool given(const char *list)
{
	return list && *list;
}

void tune_from_process(const struct spec_process *s, struct tune *t)
{
	const struct spec_scheduler *c = s->scheduler;

	if (c) {
		t->n.set |= TUNE_SCHED;
		t->n.policy = (uint32_t)c->policy;
		t->n.nice = c->nice;
		t->n.priority = (uint32_t)c->priority;
		t->n.sched_flags = or_all(&c->flags);
		t->n.runtime = c->runtime;
		t->n.deadline = c->deadline;
		t->n.period = c->period;
	}
	if (s->io_priority) {
		t->n.set |= TUNE_IOPRIO;
		t->n.ioprio = IOPRIO_PRIO_VALUE((uint32_t)s->io_priority->class_, (uint32_t)s->io_priority->priority);
	}
	if (s->exec_affinity && (given(s->exec_affinity->initial) || given(s->exec_affinity->final_))) {
		t->n.set |= TUNE_AFFINITY;
		t->cpus_initial = s->exec_affinity->initial;
		t->cpus_final = s->exec_affinity->final_;
	}
}

void tune_from_linux(const struct spec_linux *l, struct tune *t)
{
	if (l->personality) {
		t->n.set |= TUNE_PERSONALITY;
		t->n.personality = (uint32_t)l->personality->domain;
	}
	if (l->memory_policy) {
		t->n.set |= TUNE_MEMPOLICY;
		t->n.mem_mode = l->memory_policy->mode | (int32_t)or_all(&l->memory_policy->flags);
		t->mem_nodes = l->memory_policy->nodes;
	}
}

void tune_inherit(struct tune *t, const struct tune *container)
{
	const struct tune own = *t;

	*t = *container;
	if (own.n.set & TUNE_SCHED) {
		t->n.policy = own.n.policy;
		t->n.nice = own.n.nice;
		t->n.priority = own.n.priority;
		t->n.sched_flags = own.n.sched_flags;
		t->n.runtime = own.n.runtime;
		t->n.deadline = own.n.deadline;
		t->n.period = own.n.period;
	}
	if (own.n.set & TUNE_IOPRIO)
		t->n.ioprio = own.n.ioprio;
	if (own.n.set & TUNE_AFFINITY) {
		t->cpus_initial = own.cpus_initial;
		t->cpus_final = own.cpus_final;
	}
	t->n.set |= own.n.set;
}

static int set_scheduler(const struct tune_numbers *n, pid_t pid, struct err *e)
{
	struct sched_attr a = {
		.size = sizeof(a), .sched_policy = n->policy, .sched_flags = n->sched_flags, .sched_nice = n->nice,
		.sched_priority = n->priority, .sched_runtime = n->runtime, .sched_deadline = n->deadline,
		.sched_period = n->period,
	};
	const char *policy = names_of(spec_sched_names, n->policy);
	int r;

	if (!syscall(SYS_sched_setattr, pid, &a, 0))
		return 0;
	r = -errno;
	if (r == -EPERM && n->policy == SCHED_DEADLINE)
		return err_set(e, ERR_DENIED, r, "/process/scheduler", "set %s (it needs CAP_SYS_NICE, and a cpuset that "
			       "leaves it all CPUs)", policy);
	if (r == -EPERM)
		return err_set(e, ERR_DENIED, r, "/process/scheduler", "set %s, nice %d, priority %u (it needs "
			       "CAP_SYS_NICE, and realtime on cgroup v1 resources.cpu.realtimeRuntime)", policy, n->nice,
			       n->priority);
	if (r == -EBUSY)
		return err_set(e, ERR_LIMIT, r, "/process/scheduler", "set %s: so much time is not free on these CPUs",
			       policy);
	return err_set(e, r == -EINVAL ? ERR_SPEC : ERR_KERNEL, r, "/process/scheduler",
		       "set %s, nice %d, priority %u, flags 0x%llx, runtime %llu, deadline %llu, period %llu", policy,
		       n->nice, n->priority, (unsigned long long)n->sched_flags, (unsigned long long)n->runtime,
		       (unsigned long long)n->deadline, (unsigned long long)n->period);
}

int tune_by_worker(const struct tune *t, pid_t pid, struct err *e)
{
	int r = t->n.set & TUNE_SCHED ? set_scheduler(&t->n, pid, e) : 0;

	if (r || !(t->n.set & TUNE_IOPRIO) || !syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, t->n.ioprio))
		return r;
	r = -errno;
	return err_set(e, r == -EPERM ? ERR_DENIED : ERR_KERNEL, r, "/process/ioPriority",
		       "set class %s, priority %u%s", names_of(spec_ioprio_names, t->n.ioprio >> IOPRIO_CLASS_SHIFT),
		       t->n.ioprio & (IOPRIO_NR_LEVELS - 1), r == -EPERM ? " (it needs CAP_SYS_NICE)" : "");
}

static int set_affinity(const char *list, const char *where, struct err *e)
{
	struct tune_mask m;
	int r = tune_list(list, &m);

	if (!r && syscall(SYS_sched_setaffinity, 0, sizeof(m), &m))
		r = -errno;
	return r ? err_set(e, r == -EINVAL ? ERR_SPEC : ERR_KERNEL, r, where,
			   "run on CPUs \"%.100s\"%s", list, r == -EINVAL ? " (none of them may be used here)" : "") : 0;
}

int tune_self(const struct tune *t, bool exec, struct err *e)
{
	struct tune_mask m;
	int r = 0;

	if (exec && given(t->cpus_final)) {
		r = set_affinity(t->cpus_final, "/process/execCPUAffinity/final", e);
	} else {
		/* Since 6.2 the CPUs that we run on would stay, whatever the cgroup allows. Not ours to refuse. */
		memset(&m, 0xff, sizeof(m));
		syscall(SYS_sched_setaffinity, 0, sizeof(m), &m);
	}
	if (!r && (t->n.set & TUNE_PERSONALITY) && personality(t->n.personality) < 0)
		r = err_set(e, ERR_KERNEL, -errno, "/linux/personality", "set the execution domain %u", t->n.personality);
	if (r || !(t->n.set & TUNE_MEMPOLICY))
		return r;
	r = given(t->mem_nodes) ? tune_list(t->mem_nodes, &m) : 0;
	/* The kernel takes one bit fewer than it is told of. */
	if (!r && syscall(SYS_set_mempolicy, t->n.mem_mode, given(t->mem_nodes) ? m.bits : NULL,
			  given(t->mem_nodes) ? TUNE_MASK_BITS : 0))
		r = -errno;
	if (!r)
		return 0;
	return err_set(e, r == -EINVAL ? ERR_SPEC : r == -ENOSYS ? ERR_UNSUPPORTED : ERR_KERNEL, r,
		       "/linux/memoryPolicy", "set mode 0x%x with nodes \"%.100s\"%s", (unsigned int)t->n.mem_mode,
		       given(t->mem_nodes) ? t->mem_nodes : "", r == -EINVAL ?
		       " (this kernel lacks the mode or a flag for it, or none of the nodes is there)" : "");
}

int tune_affinity_begin(const struct tune *t, struct tune_mask *old, struct err *e)
{
	if (!given(t->cpus_initial))
		return 0;
	memset(old, 0, sizeof(*old));
	if (syscall(SYS_sched_getaffinity, 0, sizeof(*old), old) < 0)
		return err_set(e, ERR_KERNEL, -errno, "/process/execCPUAffinity/initial", "read our own CPUs");
	return set_affinity(t->cpus_initial, "/process/execCPUAffinity/initial", e);
}

void tune_affinity_end(const struct tune *t, const struct tune_mask *old)
{
	if (given(t->cpus_initial))
		syscall(SYS_sched_setaffinity, 0, sizeof(*old), old);
}

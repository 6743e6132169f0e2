/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of how a process runs: scheduling, CPUs, memory nodes, clocks. Tables: fields_run.c. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "num.h"
#include "spec_internal.h"
#include "tune.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define RT_MIN 1
#define RT_MAX 99

static int check_scheduler(const struct spec_scheduler *s, const char *base, struct err *e)
{
	const char *policy = names_of(spec_sched_names, s->policy);
	bool fair = s->policy == SCHED_NORMAL || s->policy == SCHED_BATCH;
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	struct pointer at;

	if (!strcmp(policy, "SCHED_ISO"))
		return err_set(e, ERR_UNSUPPORTED, 0, spec_at(&at, "%s/scheduler/policy", base),
			       "\"SCHED_ISO\" is a number without a scheduler in every kernel");
	if (fair && (s->nice < NICE_MIN || s->nice > NICE_MAX))
		return spec_bad(e, spec_at(&at, "%s/scheduler/nice", base), "%d is not from %d to %d",
				s->nice, NICE_MIN, NICE_MAX);
	if (realtime && (s->priority < RT_MIN || s->priority > RT_MAX))
		return spec_bad(e, spec_at(&at, "%s/scheduler/priority", base), "%d is not from %d to %d, which %s needs",
				s->priority, RT_MIN, RT_MAX, policy);
	if (!realtime && s->priority)
		return spec_bad(e, spec_at(&at, "%s/scheduler/priority", base),
				"%d: allowed only with SCHED_FIFO and SCHED_RR, not with %s", s->priority, policy);
	if (s->policy != SCHED_DEADLINE && (s->runtime || s->deadline || s->period))
		return spec_bad(e, spec_at(&at, "%s/scheduler/%s", base, s->runtime ? "runtime" :
					   s->deadline ? "deadline" : "period"),
				"%llu: allowed only with SCHED_DEADLINE, not with %s",
				(unsigned long long)(s->runtime ? s->runtime : s->deadline ? s->deadline : s->period),
				policy);
	return 0;
}

static int check_list(const char *list, const char *where, const char *what, struct err *e)
{
	struct tune_mask m;
	int r = list && *list ? tune_list(list, &m) : 0;

	if (r == -ERANGE)
		return spec_bad(e, where, "\"%.100s\": there is no %s above %u", list, what, TUNE_MASK_BITS - 1);
	return r ? spec_bad(e, where, "\"%.100s\" is not a list such as 0-3,7", list) : 0;
}

/** spec_check_run() - Rules of scheduler, ioPriority and execCPUAffinity. Spec: config.md#linux-process */
int spec_check_run(const struct spec_process *p, const char *base, struct err *e)
{
	struct pointer at;
	int r = p->scheduler ? check_scheduler(p->scheduler, base, e) : 0;

	if (r || !p->exec_affinity)
		return r;
	r = check_list(p->exec_affinity->initial, spec_at(&at, "%s/execCPUAffinity/initial", base), "CPU", e);
	return r ? r : check_list(p->exec_affinity->final_, spec_at(&at, "%s/execCPUAffinity/final", base), "CPU", e);
}

static int check_mempolicy(const struct spec_mempolicy *m, struct err *e)
{
	const char *mode = names_of(spec_mempolicy_names, m->mode);
	bool nodes = m->nodes && *m->nodes;
	int flags = 0;

	for (size_t i = 0; i < m->flags.n; i++)
		flags |= m->flags.v[i];
	if ((m->mode == MPOL_DEFAULT || m->mode == MPOL_LOCAL) && nodes)
		return spec_bad(e, "/linux/memoryPolicy/nodes", "\"%.100s\": %s takes no nodes", m->nodes, mode);
	/* Without nodes, MPOL_PREFERRED is MPOL_LOCAL. */
	if (m->mode != MPOL_DEFAULT && m->mode != MPOL_LOCAL && m->mode != MPOL_PREFERRED && !nodes)
		return spec_bad(e, "/linux/memoryPolicy/nodes", "%s needs nodes", mode);
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return spec_bad(e, "/linux/memoryPolicy/flags",
				"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return check_list(m->nodes, "/linux/memoryPolicy/nodes", "node", e);
}

static int check_clocks(const struct spec *s, struct err *e)
{
	const struct spec_namespace *ns = spec_namespace(s, CLONE_NEWTIME);
	const struct spec_clock *c = s->linux_->time_offsets.v;
	struct pointer at;

	for (size_t i = 0; i < s->linux_->time_offsets.n; i++)
		if (strcmp(c[i].key, "monotonic") && strcmp(c[i].key, "boottime"))
			return spec_bad(e, spec_at(&at, "/linux/timeOffsets/%.60s", c[i].key),
					"only monotonic and boottime have an offset");
	if (!s->linux_->time_offsets.n)
		return 0;
	if (!ns)
		return spec_bad(e, "/linux/timeOffsets", "needs a time namespace");
	if (ns->path)
		return spec_bad(e, "/linux/timeOffsets", "needs a new time namespace, not the one at \"%.200s\"", ns->path);
	return 0;
}

/** spec_check_run_linux() - Rules of personality, memoryPolicy and timeOffsets. Spec: config-linux.md */
int spec_check_run_linux(const struct spec *s, const struct log *log, struct err *e)
{
	const struct spec_linux *l = s->linux_;
	int r = check_clocks(s, e);

	if (l->personality && l->personality->flags.n)
		log_warn(log, "/linux/personality/flags: \"%.100s\" is ignored: no flag is defined",
			 l->personality->flags.v[0]);
	return !r && l->memory_policy ? check_mempolicy(l->memory_policy, e) : r;
}

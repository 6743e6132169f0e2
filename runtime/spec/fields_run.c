/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of the parts of config.json that say how a process runs: scheduling,
 * CPUs, memory nodes, execution domain, clocks. Their rules are in check_run.c.
 */
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include "spec_internal.h"

/* What may be newer than the headers we are built with. */
#ifndef SCHED_FLAG_UTIL_CLAMP_MIN
#define SCHED_FLAG_UTIL_CLAMP_MIN 0x20	/* 5.3 */
#define SCHED_FLAG_UTIL_CLAMP_MAX 0x40
#endif
#define SCHED_ISO_ 4			/* a number without a scheduler */
#define MPOL_PREFERRED_MANY_ 5		/* 5.15 */
#define MPOL_WEIGHTED_INTERLEAVE_ 6	/* 6.9 */
#define MPOL_F_NUMA_BALANCING_ (1 << 13)	/* 5.12 */

#define PROCESS "config.md#linux-process"
#define LINUX(n) "config-linux.md#" n

const struct name spec_sched_names[] = {
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_ISO", SCHED_ISO_ },
	{ "SCHED_OTHER", SCHED_NORMAL },
	{ "SCHED_RR", SCHED_RR },
	{ NULL, 0 },
};

static const struct name sched_flags[] = {
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ NULL, 0 },
};

const struct name spec_ioprio_names[] = {
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ NULL, 0 },
};

static const struct name domains[] = {
	{ "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 }, { NULL, 0 },
};

const struct name spec_mempolicy_names[] = {
	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_DEFAULT", MPOL_DEFAULT },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY_ },
	{ "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_ },
	{ NULL, 0 },
};

const struct name spec_mempolicy_flag_names[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING_ },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ NULL, 0 },
};

#define AT(m) .off = FIELD_OFF(struct spec_scheduler, m)
static const struct field scheduler_fields[] = {
	{ .key = "policy", .type = FT_ENUM, .flags = F_REQUIRED, AT(policy), .sub = spec_sched_names,
	  .spec = PROCESS, .doc = "scheduling policy" },
	{ .key = "nice", .type = FT_I32, .min = INT32_MIN, .max = INT32_MAX, AT(nice), .spec = PROCESS,
	  .doc = "-20 to 19, for SCHED_OTHER and SCHED_BATCH" },
	{ .key = "priority", .type = FT_I32, .min = INT32_MIN, .max = INT32_MAX, AT(priority), .spec = PROCESS,
	  .doc = "1 to 99, for SCHED_FIFO and SCHED_RR" },
	{ .key = "flags", .type = FT_ENUMV, .flags = F_OMITEMPTY, AT(flags), .sub = sched_flags,
	  .spec = PROCESS, .doc = "SCHED_FLAG_*" },
	{ .key = "runtime", .type = FT_U64, AT(runtime), .spec = PROCESS,
	  .doc = "nanoseconds per period, for SCHED_DEADLINE" },
	{ .key = "deadline", .type = FT_U64, AT(deadline), .spec = PROCESS,
	  .doc = "nanoseconds, for SCHED_DEADLINE" },
	{ .key = "period", .type = FT_U64, AT(period), .spec = PROCESS,
	  .doc = "nanoseconds, for SCHED_DEADLINE" },
};
OBJECT(spec_scheduler_object, struct spec_scheduler, scheduler_fields);
#undef AT

static const struct field io_priority_fields[] = {
	{ .key = "class", .type = FT_ENUM, .flags = F_REQUIRED, .off = FIELD_OFF(struct spec_io_priority, class_),
	  .sub = spec_ioprio_names, .spec = PROCESS, .doc = "class of I/O scheduling" },
	{ .key = "priority", .type = FT_I32, .min = 0, .max = IOPRIO_NR_LEVELS - 1,
	  .off = FIELD_OFF(struct spec_io_priority, priority), .spec = PROCESS, .doc = "0, the highest, to 7" },
};
OBJECT(spec_io_priority_object, struct spec_io_priority, io_priority_fields);

static const struct field affinity_fields[] = {
	{ .key = "initial", .type = FT_STR, .flags = F_OMITEMPTY, .off = FIELD_OFF(struct spec_affinity, initial),
	  .spec = PROCESS, .doc = "list of CPUs until the process is in the container's cgroup" },
	{ .key = "final", .type = FT_STR, .flags = F_OMITEMPTY, .off = FIELD_OFF(struct spec_affinity, final_),
	  .spec = PROCESS, .doc = "list of CPUs from then on" },
};
OBJECT(spec_affinity_object, struct spec_affinity, affinity_fields);

static const struct field personality_fields[] = {
	{ .key = "domain", .type = FT_ENUM, .flags = F_REQUIRED, .off = FIELD_OFF(struct spec_personality, domain),
	  .sub = domains, .spec = LINUX("personality"), .doc = "LINUX32: uname tells a 32-bit machine" },
	{ .key = "flags", .type = FT_STRV, .flags = F_OMITEMPTY, .off = FIELD_OFF(struct spec_personality, flags),
	  .spec = LINUX("personality"), .doc = "none is defined: warned of and ignored" },
};
OBJECT(spec_personality_object, struct spec_personality, personality_fields);

#define AT(m) .off = FIELD_OFF(struct spec_mempolicy, m)
static const struct field mempolicy_fields[] = {
	{ .key = "mode", .type = FT_ENUM, .flags = F_REQUIRED, AT(mode), .sub = spec_mempolicy_names,
	  .spec = LINUX("memory-policy"), .doc = "how a node is chosen" },
	{ .key = "nodes", .type = FT_STR, .flags = F_OMITEMPTY, AT(nodes),
	  .spec = LINUX("memory-policy"), .doc = "list of memory nodes, such as 0-1,3" },
	{ .key = "flags", .type = FT_ENUMV, .flags = F_OMITEMPTY, AT(flags), .sub = spec_mempolicy_flag_names,
	  .spec = LINUX("memory-policy"), .doc = "MPOL_F_*" },
};
OBJECT(spec_mempolicy_object, struct spec_mempolicy, mempolicy_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_clock, m)
static const struct field clock_fields[] = {
	{ .key = "secs", .type = FT_I64, .min = INT64_MIN, .max = INT64_MAX, AT(secs),
	  .spec = LINUX("offset-for-time-namespace"), .doc = "seconds that the clock is ahead" },
	{ .key = "nanosecs", .type = FT_U32, .max = 999999999, AT(nanosecs),
	  .spec = LINUX("offset-for-time-namespace"), .doc = "and nanoseconds" },
};
OBJECT(spec_clock_object, struct spec_clock, clock_fields);

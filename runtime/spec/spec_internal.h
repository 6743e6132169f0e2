/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SPEC_INTERNAL_H
#define CLEAT_SPEC_INTERNAL_H
#include "buf.h"
#include "spec.h"

/* Private to runtime/spec. Rules return 0 or fail through spec_bad(). */

/** struct pointer - Room for the JSON pointer of an error. */
struct pointer { char text[160]; };
const char *spec_at(struct pointer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int spec_bad(struct err *e, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* tables of how a process runs: fields_run.c */
extern const struct object spec_scheduler_object, spec_io_priority_object, spec_affinity_object,
	spec_personality_object, spec_mempolicy_object, spec_clock_object;

/** spec_check_run() - Rules of scheduler, ioPriority and execCPUAffinity. @base: pointer of the process. */
int spec_check_run(const struct spec_process *p, const char *base, struct err *e);
/** spec_check_run_linux() - Rules of personality, memoryPolicy and timeOffsets. */
int spec_check_run_linux(const struct spec *s, const struct log *log, struct err *e);
int spec_check_process(const struct spec_process *p, const char *base, struct err *e);
int spec_check_mounts(const struct spec *s, const struct log *log, struct err *e);
int spec_check_linux(const struct spec *s, struct err *e);
/** spec_check_map() - One list of maps: sizes, ranges, overlaps. */
int spec_check_map(const struct objv *v, const char *where, struct err *e);
int spec_check_idmaps(const struct spec *s, struct err *e);
int spec_check_net_devices(const struct spec *s, struct err *e);
/** spec_joins_host() - Does @ns join the namespace that we are in? */
bool spec_joins_host(const struct spec_namespace *ns);
int spec_check_sysctl(const struct spec *s, struct err *e);

/** SPEC_TYPICAL_BYTES - Documents up to this size need no heap when they are read. */
#define SPEC_TYPICAL_BYTES 6144
/** spec_read_file() - Append a whole document to @doc. */
int spec_read_file(int dirfd, const char *path, struct buf *doc, struct err *e);
#endif

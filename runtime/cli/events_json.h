/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_EVENTS_JSON_H
#define CLEAT_EVENTS_JSON_H
#include "buf.h"
#include "cgroup.h"

/**
 * events_stats_json() - Append one line of `events`: {"type":"stats", ...}.
 * @id: a checked container id: it needs no escapes.
 */
void events_stats_json(const char *id, const struct cg_stats *s, const struct cg_detail *d, struct buf *out);
/** events_oom_json() - Append {"type":"oom","id":ID} and a newline. */
void events_oom_json(const char *id, struct buf *out);
#endif

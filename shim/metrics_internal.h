/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_METRICS_INTERNAL_H
#define CLEAT_SHIM_METRICS_INTERNAL_H
#include "cgroups.pb-c.h"
#include "op.h"
#include "task.pb-c.h"

/* What the two metrics messages share. */

/** metrics_rdma() - Both lists of RDMA devices; their names are borrowed. Return: 0 or -ENOMEM. */
int metrics_rdma(const struct cg_detail *d, Io__Containerd__Cgroups__RdmaStat *to, struct arena *a);
/** metrics_net() - The list of network devices; their names are borrowed. Return: 0 or -ENOMEM. */
int metrics_net(const struct objv *net, Io__Containerd__Cgroups__NetworkStat ***list, size_t *n,
		struct arena *a);
/** metrics_any() - Append StatsResponse with the Any of @metrics to @b. */
int metrics_any(void *metrics, struct arena *a, struct buf *b);
/** metrics_v1() - The same for what a v1 host counts. */
int metrics_v1(const struct metrics *m, struct arena *a, struct buf *b);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_METRICS_INTERNAL_H
#define CLEAT_SHIM_METRICS_INTERNAL_H
#include "op.h"
#include "task.pb-c.h"

/* What the two metrics messages share; the messages of both versions have the same names within. */

#define METRICS_NET(to, from) do {			\
	(to)->name = msg_set((from)->name);		\
	(to)->rx_bytes = (from)->rx_bytes;		\
	(to)->rx_packets = (from)->rx_packets;		\
	(to)->rx_errors = (from)->rx_errors;		\
	(to)->rx_dropped = (from)->rx_dropped;		\
	(to)->tx_bytes = (from)->tx_bytes;		\
	(to)->tx_packets = (from)->tx_packets;		\
	(to)->tx_errors = (from)->tx_errors;		\
	(to)->tx_dropped = (from)->tx_dropped;		\
} while (0)

/** metrics_any() - Append StatsResponse with the Any of @metrics to @b. */
int metrics_any(void *metrics, struct arena *a, struct buf *b);
/** metrics_v1() - The same for what a v1 host counts. */
int metrics_v1(const struct metrics *m, struct arena *a, struct buf *b);
#endif

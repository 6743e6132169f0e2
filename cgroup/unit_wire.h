/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UNIT_WIRE_H
#define CLEAT_UNIT_WIRE_H
#include <stdint.h>
#include "err.h"

/*
 * Between the worker and the helper program: one message each way over a
 * SOCK_SEQPACKET pair that is the helper's stdin.
 *
 * The request is a list of words, each ended by a NUL:
 *	UNIT_WIRE_VERSION, "start" | "set" | "stop", "system" | "user", unit,
 *	and properties: name, D-Bus signature, the words of the value. An array's
 *	first word is the number of its elements; structs are flat. A '?' before
 *	the name: systemd may be too old to know it, it is left out then.
 */
#define UNIT_WIRE_VERSION	"1"
#define UNIT_REQUEST_MAX	(128u << 10)
#define UNIT_DEADLINE_MS	25000	/* of the helper, for all it does */
#define UNIT_GRACE_MS		2000	/* more, until the worker gives the helper up */
#define UNIT_HELPER		"cleat-systemd"

/** struct unit_answer - Plain data; err.kind ERR_NONE is success. */
struct unit_answer {
	struct err err;
	uint32_t calls;		/* method calls made, without what the bus itself asks for */
	uint32_t usec;		/* from the helper's start */
	char cgroup[1024];	/* of a slice unit; else empty */
};
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_DEVICES_WIRE_H
#define CLEAT_DEVICES_WIRE_H
#include "err.h"

/*
 * Between the worker and cleat-netdev: the request is a list of words, each
 * ended by a NUL: DEVICES_WIRE_VERSION, then for each device its name on the
 * host and its name in the container ("": the same); the container's network
 * namespace goes along as an fd. The answer is a struct err.
 */
#define DEVICES_WIRE_VERSION	"1"
#define DEVICES_REQUEST_MAX	(64u << 10)
#define DEVICES_DEADLINE_MS	20000
#define DEVICES_HELPER		"cleat-netdev"
#endif

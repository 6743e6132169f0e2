/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_DEVICES_H
#define CLEAT_DEVICES_H
#include "arena.h"
#include "err.h"
#include "field.h"

/**
 * net_devices_move() - Move devices of our network namespace into @netns, with their addresses, and bring them up.
 * @devices: struct spec_net_device.
 *
 * Addresses that somebody gave for good and that are valid everywhere go along; those that the kernel or a
 * lease made are theirs to make again. A device that cannot be moved is left as it was; one that was moved stays
 * (a device of hardware returns to the host by itself when @netns goes).
 *
 * Context: host stage, single-threaded: we stand in @netns while a socket is opened there.
 * Return: 0 or -errno with @e set.
 */
int net_devices_move(const struct objv *devices, int netns, struct arena *a, struct err *e);
/** net_devices_available() - Can this program, or one that is installed with it, do so? Return: 0 or ERR_UNSUPPORTED. */
int net_devices_available(struct err *e);
#endif

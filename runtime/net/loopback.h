/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_LOOPBACK_H
#define CLEAT_LOOPBACK_H
#include "err.h"

/**
 * net_loopback_up() - Bring "lo" of the caller's network namespace up; the kernel adds its addresses.
 *
 * Context: init stage, in a network namespace of its own. One socket, one message.
 * Return: 0 or -errno.
 */
int net_loopback_up(struct err *e);
#endif

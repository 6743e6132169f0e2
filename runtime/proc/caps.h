/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CAPS_H
#define CLEAT_CAPS_H
#include <stdint.h>
#include "field.h"
#include "log.h"

/**
 * caps_parse() - Capability names as a mask, bit N for capability N.
 * @names: "CAP_CHOWN" and the like, exactly so: no lower case, no missing prefix.
 *
 * Names that libcap or the running kernel does not know are warned of and
 * skipped: an unknown name is less privilege, never more.
 *
 * Context: host stage.
 * Spec: config.md#linux-process (capabilities)
 */
uint64_t caps_parse(const struct strv *names, const struct log *log);

/**
 * caps_apply_bounding() - Drop every capability outside @keep from the bounding set.
 *
 * Context: seal stage; kernel calls only. Needs CAP_SETPCAP if anything is to be dropped.
 * Return: 0 or -errno.
 */
int caps_apply_bounding(uint64_t keep);

/**
 * caps_apply() - Set the other four sets of the calling thread.
 * @ambient: those that are not permitted and inheritable as well cannot be, and are left out.
 *
 * Context: seal stage, after the ids have changed; kernel calls only.
 * Return: 0 or -errno (-EPERM: a capability is asked for that this process does not hold).
 */
int caps_apply(uint64_t effective, uint64_t permitted, uint64_t inheritable, uint64_t ambient);
#endif

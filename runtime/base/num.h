/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_NUM_H
#define CLEAT_NUM_H
#include <stddef.h>
#include <stdint.h>

/*
 * Strict decimal numbers: the whole string, no blanks, no sign but '-' for
 * the signed form, no leading '+', range checked.
 * Return: 0, -EINVAL (not a number) or -ERANGE.
 */
int num_u64(const char *s, uint64_t max, uint64_t *out);
int num_i64(const char *s, int64_t min, int64_t max, int64_t *out);
int num_u32(const char *s, uint32_t *out);

/**
 * num_list() - Walk a kernel list such as "0-3,7" (cpus, nodes).
 * @cb: called per range, in order; a non-zero return ends the walk.
 * Return: 0, -EINVAL, or what @cb returned.
 */
int num_list(const char *s, int (*cb)(uint32_t first, uint32_t last, void *arg), void *arg);
#endif

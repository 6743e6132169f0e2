/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of the specification, which speaks cgroup v1, in the units of v2.
 * Pure functions, no libm.
 */
#include <errno.h>
#include <stdio.h>
#include "cg_internal.h"
#include "text.h"

#define SHARES_MIN	2u
#define SHARES_MAX	262144u
#define WEIGHT_MAX	10000u
#define LN2		0.69314718055994530942
#define LN10		2.30258509299404568402

/* Base 2 logarithm of v >= 1: halve to [1, 2), then ln m = 2 atanh((m-1)/(m+1)). */
static double log2_of(double v)
{
	double whole = 0, t, sq, term, sum = 0;

	for (; v >= 2; v /= 2)
		whole++;
	t = (v - 1) / (v + 1);
	sq = t * t;
	term = t;
	for (int k = 1; k < 40; k += 2, term *= sq)
		sum += term / k;
	return whole + 2 * sum / LN2;
}

/* 10^x for 0 <= x <= 5: e^(x ln 10 / 32) by its series, squared five times. */
static double pow10_of(double x)
{
	double y = x * LN10 / 32, term = 1, sum = 1;

	for (int k = 1; k < 20; k++) {
		term *= y / k;
		sum += term;
	}
	for (int k = 0; k < 5; k++)
		sum *= sum;
	return sum;
}

/**
 * cg_conv_weight() - cpu.shares to cpu.weight.
 * @shares: not 0 (which is unset).
 *
 * The curve goes through (2, 1), (1024, 100) and (262144, 10000), so that the
 * default of v1 becomes the default of v2: 10^((l^2 + 125 l) / 612 - 7/34) with
 * l = log2 shares, rounded up.
 * Return: 1 to 10000.
 */
uint64_t cg_conv_weight(uint64_t shares)
{
	double l, w;
	uint64_t up;

	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = log2_of((double)shares);
	w = pow10_of((l * l + 125 * l) / 612 - 7.0 / 34) - 1e-7;	/* 100.00000001 is 100 */
	up = (uint64_t)w;
	return up + (w > (double)up);
}

/** cg_conv_io_weight() - blkio.weight (10 to 1000) to io.weight (1 to 10000), linearly. */
uint64_t cg_conv_io_weight(uint64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

/**
 * cg_conv_swap() - Memory and swap together, as v1 counts, to swap alone.
 * @limit, @swap: bytes; -1 unlimited, 0 unset.
 * @out: bytes; -1 unlimited, INT64_MIN when there is nothing to write.
 * Return: 0, -EINVAL (swap without limit) or -ERANGE (swap below limit).
 */
int cg_conv_swap(int64_t limit, int64_t swap, int64_t *out)
{
	*out = INT64_MIN;
	if (!swap) {
		if (limit == -1)
			*out = -1;
		return 0;
	}
	if (swap == -1 || limit == -1) {
		*out = swap;
		return 0;
	}
	if (!limit)
		return -EINVAL;
	if (swap < limit)
		return -ERANGE;
	*out = swap - limit;
	return 0;
}

/** cg_conv_i64() - Text for a v2 file: negative is "max". */
void cg_conv_i64(int64_t v, char out[24])
{
	text_join(out, 24, v < 0 ? "max" : text_num(v));
}

/** cg_rdma_line() - The line of rdma.max for @d; what is not given is not changed. */
void cg_rdma_line(const struct cg_rdma *d, char out[128])
{
	int n = snprintf(out, 128, "%.63s", d->device);

	if (d->has_handles)
		n += snprintf(out + n, 128 - (size_t)n, " hca_handle=%u", d->handles);
	if (d->has_objects)
		snprintf(out + n, 128 - (size_t)n, " hca_object=%u", d->objects);
}

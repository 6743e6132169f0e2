/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict numbers and kernel lists. */
#include "num.h"
#include <errno.h>
#include <stdbool.h>

/* Digits at *@s up to the first other byte. */
static int digits(const char **s, uint64_t *out)
{
	const char *p = *s;
	uint64_t v = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned int d = (unsigned int)(*p - '0');

		if (v > (UINT64_MAX - d) / 10)
			return -ERANGE;
		v = v * 10 + d;
	}
	*s = p;
	*out = v;
	return 0;
}

int num_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v;
	int r = digits(&s, &v);

	if (r)
		return r;
	if (*s)
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int num_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool neg = *s == '-';
	uint64_t v;
	int64_t n;
	int r;

	s += neg;
	r = digits(&s, &v);
	if (r)
		return r;
	if (*s)
		return -EINVAL;
	if (v > (uint64_t)INT64_MAX + neg)
		return -ERANGE;
	n = neg ? (int64_t)(0 - v) : (int64_t)v;
	if (n < min || n > max)
		return -ERANGE;
	*out = n;
	return 0;
}

int num_u32(const char *s, uint32_t *out)
{
	uint64_t v;
	int r = num_u64(s, UINT32_MAX, &v);

	if (!r)
		*out = (uint32_t)v;
	return r;
}

int num_list(const char *s, int (*cb)(uint32_t first, uint32_t last, void *arg), void *arg)
{
	uint64_t a, b;
	int r;

	while (*s) {
		r = digits(&s, &a);
		if (r || a > UINT32_MAX)
			return -EINVAL;
		b = a;
		if (*s == '-') {
			s++;
			r = digits(&s, &b);
			if (r || b > UINT32_MAX || b < a)
				return -EINVAL;
		}
		r = cb((uint32_t)a, (uint32_t)b, arg);
		if (r)
			return r;
		if (*s == '\n' && !s[1])
			return 0;
		if (!*s)
			return 0;
		if (*s++ != ',' || !*s)
			return -EINVAL;
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits and annotations as properties of a unit (contract oci-runtime 3.3).
 *
 * systemd writes them into the cgroup's files, and again whenever it is
 * reloaded; so what it is told must be what cg_apply() writes. A '?' before a
 * name: versions that are still in use do not know it.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cg_internal.h"
#include "num.h"
#include "unit_internal.h"

#define PERIOD_US	100000u
#define PER_CENT	10000u		/* of a second, in microseconds */
#define USEC		1000000u
#define LIST_MAX	8192u		/* CPUs or nodes */
#define NAME_MIN	3

void unit_word(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s) + 1);
}

static void property(struct buf *b, const char *name, const char *sig)
{
	unit_word(b, name);
	unit_word(b, sig);
}

static void number(struct buf *b, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	unit_word(b, text);
}

void unit_bool(struct buf *b, const char *name, bool v)
{
	property(b, name, "b");
	unit_word(b, v ? "1" : "0");
}

void unit_u64(struct buf *b, const char *name, uint64_t v)
{
	property(b, name, "t");
	number(b, v);
}

void unit_str(struct buf *b, const char *name, const char *v)
{
	property(b, name, "s");
	unit_word(b, v);
}

static uint64_t infinite(int64_t v)
{
	return v < 0 ? UINT64_MAX : (uint64_t)v;
}

static bool is_v2(const struct cg_host *host)
{
	return host->mode == CG_MODE_V2;
}

/* ---- memory ---- */

static void memory(struct buf *b, const struct cg_host *host, const struct cg *c,
		   const struct cg_memory *m)
{
	int64_t limit = m->has_limit ? m->limit : 0, swap;
	uint64_t now;

	if (limit)
		unit_u64(b, is_v2(host) ? "MemoryMax" : "MemoryLimit", infinite(limit));
	if (!is_v2(host))
		return;
	if (m->has_reservation && m->reservation)
		unit_u64(b, "MemoryLow", infinite(m->reservation));
	if (!limit && c && !cg_read_u64(c->dirfd[host->n - 1], "memory.max", &now) && now <= INT64_MAX)
		limit = (int64_t)now;
	/* what makes no sense is refused where the files are written */
	if (!cg_conv_swap(limit, m->has_swap ? m->swap : 0, &swap) && swap != INT64_MIN)
		unit_u64(b, "MemorySwapMax", infinite(swap));
}

/* ---- cpu ---- */

static uint64_t period_now(const struct cg *c)
{
	char text[64], *p;
	uint64_t v = PERIOD_US;
	int i = c ? cg_controller(c, "cpu") : -1;

	if (c && cg_is_v2(c) && cg_read(c->dirfd[c->host->n - 1], "cpu.max", text, sizeof(text)) > 0 &&
	    (p = strchr(text, ' ')))
		(void)num_u64(p + 1, UINT64_MAX, &v);
	else if (i >= 0)
		(void)cg_read_u64(c->dirfd[i], "cpu.cfs_period_us", &v);
	return v;
}

/* Time per second that @quota in @period is, rounded up to whole per cent; 0 where it is too large. */
static uint64_t per_second(uint64_t quota, uint64_t period)
{
	uint64_t v;

	if (!period || quota > UINT64_MAX / USEC)
		return 0;
	v = quota * USEC / period;
	return v > UINT64_MAX - PER_CENT ? 0 : (v + PER_CENT - 1) / PER_CENT * PER_CENT;
}

static uint64_t period_of(const struct cg *c, const struct cg_cpu *p)
{
	return p->has_period && p->period ? p->period : period_now(c);
}

void cg_unit_round(const struct cg *c, struct cg_limits *l)
{
	struct cg_cpu *p = l ? l->cpu : NULL;
	uint64_t v, period;

	if (!p || !p->has_quota || p->quota <= 0)
		return;
	period = period_of(c, p);
	v = per_second((uint64_t)p->quota, period);
	if (v && period <= UINT64_MAX / v && v * period / USEC <= INT64_MAX)
		p->quota = (int64_t)(v * period / USEC);
}

static void bandwidth(struct buf *b, const struct cg *c, const struct cg_cpu *p)
{
	uint64_t v = UINT64_MAX;

	if (p->has_period && p->period)
		unit_u64(b, "?CPUQuotaPeriodUSec", p->period);
	if (!p->has_quota || !p->quota)
		return;
	if (p->quota > 0)
		v = per_second((uint64_t)p->quota, period_of(c, p));
	if (v)
		unit_u64(b, "CPUQuotaPerSecUSec", v);
}

struct mask { unsigned char bit[LIST_MAX / 8]; size_t bytes; };

static int set_bits(uint32_t first, uint32_t last, void *arg)
{
	struct mask *m = arg;

	if (last >= LIST_MAX)
		return -ERANGE;
	for (uint32_t i = first; i <= last; i++)
		m->bit[i / 8] |= (unsigned char)(1u << (i % 8));
	if (last / 8 + 1 > m->bytes)
		m->bytes = last / 8 + 1;
	return 0;
}

static int cpu_list(struct buf *b, const char *name, const char *list, const char *field,
		    struct err *e)
{
	struct mask m = { .bytes = 0 };

	if (!list || !*list)
		return 0;
	if (num_list(list, set_bits, &m) || !m.bytes)
		return err_set(e, ERR_SPEC, 0, field, "\"%.64s\" is not a list of numbers below %u",
			       list, LIST_MAX);
	property(b, name, "ay");
	number(b, m.bytes);
	for (size_t i = 0; i < m.bytes; i++)
		number(b, m.bit[i]);
	return 0;
}

static int cpu(struct buf *b, const struct cg_host *host, const struct cg *c,
	       const struct cg_cpu *p, struct err *e)
{
	bool idle = is_v2(host) && p->has_idle && p->idle;
	int r;

	if (idle)
		unit_u64(b, "?CPUWeight", 0);	/* since 252 */
	else if (p->has_shares && p->shares && is_v2(host))
		unit_u64(b, "CPUWeight", cg_conv_weight(p->shares));
	else if (p->has_shares && p->shares)
		unit_u64(b, "CPUShares", p->shares);
	bandwidth(b, c, p);
	if (!is_v2(host))
		return 0;	/* systemd leaves v1's cpuset alone */
	r = cpu_list(b, "?AllowedCPUs", p->cpus, "/linux/resources/cpu/cpus", e);
	return r ? r : cpu_list(b, "?AllowedMemoryNodes", p->mems, "/linux/resources/cpu/mems", e);
}

/* ---- io ---- */

static void io(struct buf *b, const struct cg_host *host, const struct cg_blkio *io)
{
	const struct cg_weight_device *d = io->weight_device.v;
	size_t n = 0;
	char node[64];

	if (io->has_weight && io->weight && is_v2(host))
		unit_u64(b, "IOWeight", cg_conv_io_weight(io->weight));
	else if (io->has_weight && io->weight)
		unit_u64(b, "BlockIOWeight", io->weight);
	for (size_t k = 0; k < io->weight_device.n; k++)
		n += d[k].has_weight && d[k].weight;
	if (!n)
		return;
	property(b, is_v2(host) ? "IODeviceWeight" : "BlockIODeviceWeight", "a(st)");
	number(b, n);
	for (size_t k = 0; k < io->weight_device.n; k++) {
		if (!d[k].has_weight || !d[k].weight)
			continue;
		snprintf(node, sizeof(node), "/dev/block/%" PRId64 ":%" PRId64, d[k].major, d[k].minor);
		unit_word(b, node);
		number(b, is_v2(host) ? cg_conv_io_weight(d[k].weight) : d[k].weight);
	}
}

/* ---- unified: files of v2 that have a property ---- */

static bool bytes(const char *val, uint64_t *out)
{
	char text[24];
	size_t n = strcspn(val, "\n");

	if (n >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)n, val);
	if (!strcmp(text, "max")) {
		*out = UINT64_MAX;
		return true;
	}
	return !num_u64(text, UINT64_MAX, out);
}

static void unified_cpu_max(struct buf *b, const char *val)
{
	char text[64], *p, *save = NULL;
	uint64_t quota, period = PERIOD_US;

	snprintf(text, sizeof(text), "%.60s", val);
	p = strtok_r(text, " \n", &save);
	if (!p || !bytes(p, &quota))
		return;
	p = strtok_r(NULL, " \n", &save);
	if (p && (num_u64(p, UINT64_MAX, &period) || !period))
		return;
	if (p)
		unit_u64(b, "?CPUQuotaPeriodUSec", period);
	if (quota != UINT64_MAX)
		quota = per_second(quota, period);
	if (quota)
		unit_u64(b, "CPUQuotaPerSecUSec", quota);
}

static int unified_one(struct buf *b, const struct keyval *kv, struct err *e)
{
	static const struct { const char *file, *property; } plain[] = {
		{ "cpu.weight", "CPUWeight" }, { "memory.min", "MemoryMin" },
		{ "memory.low", "MemoryLow" }, { "memory.high", "MemoryHigh" },
		{ "memory.max", "MemoryMax" }, { "memory.swap.max", "MemorySwapMax" },
		{ "memory.zswap.max", "?MemoryZSwapMax" }, { "pids.max", "TasksMax" },
		{ "io.weight", "IOWeight" },
	};
	const char *key = kv->key, *val = kv->val;
	uint64_t v;

	if (!strcmp(key, "cpuset.cpus"))
		return cpu_list(b, "?AllowedCPUs", val, "/linux/resources/unified", e);
	if (!strcmp(key, "cpuset.mems"))
		return cpu_list(b, "?AllowedMemoryNodes", val, "/linux/resources/unified", e);
	if (!strcmp(key, "cpu.max"))
		unified_cpu_max(b, val);
	else if (!strcmp(key, "cpu.idle") && bytes(val, &v) && v == 1)
		unit_u64(b, "?CPUWeight", 0);
	else if (!strcmp(key, "memory.oom.group") && bytes(val, &v))
		unit_str(b, "?OOMPolicy", v ? "kill" : "continue");	/* of scopes: since 253 */
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		const char *p = val;

		if (strcmp(key, plain[i].file))
			continue;
		if (!strncmp(p, "default ", 8))
			p += 8;		/* io.weight's other form */
		if (!bytes(p, &v))
			continue;	/* the kernel will say what it thinks of it */
		unit_u64(b, plain[i].property, !strcmp(key, "pids.max") && !v ? 1 : v);
	}
	return 0;
}

/**
 * unit_limits() - Properties for @l, all but devices.
 * @c: the cgroup that is updated, whose values complete what is given; NULL for a new one.
 * Return: 0 or ERR_SPEC.
 */
int unit_limits(struct buf *b, const struct cg_host *host, const struct cg *c,
		const struct cg_limits *l, struct err *e)
{
	int r = 0;

	if (!l)
		return 0;
	if (l->memory)
		memory(b, host, c, l->memory);
	if (l->cpu)
		r = cpu(b, host, c, l->cpu, e);
	if (l->pids && l->pids->has_limit)
		unit_u64(b, "TasksMax", l->pids->limit ? infinite(l->pids->limit) : 1);
	if (l->block_io)
		io(b, host, l->block_io);
	for (size_t i = 0; !r && is_v2(host) && i < l->unified.n; i++)
		r = unified_one(b, &l->unified.v[i], e);
	return r;
}

/* ---- annotations ---- */

/* "TimeoutStopSec" is not what the bus knows: seconds are microseconds there, and called so. */
static int seconds(struct buf *b, const char *name, const char *sig, const char *val, struct err *e)
{
	char usec[128];
	size_t n = strlen(name) - strlen("Sec");
	double v;

	if (!strchr("ynqiuxtd", *sig) || sig[1] || *val == '-')
		return err_set(e, ERR_SPEC, 0, "/annotations", UNIT_ANNOTATION "%.64s: not a number of seconds", name);
	v = strtod(val, NULL) * USEC;
	if (v >= (double)UINT64_MAX)
		return err_set(e, ERR_SPEC, -ERANGE, "/annotations", UNIT_ANNOTATION "%.64s", name);
	snprintf(usec, sizeof(usec), "%.*sUSec", (int)n, name);
	unit_u64(b, usec, (uint64_t)v);
	return 0;
}

static bool name_ok(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]))
		n++;
	return n >= NAME_MIN && n < 100 && !s[n];
}

static int annotation(struct buf *b, const char *name, const char *val, struct err *e)
{
	auto_buf words = BUF_INIT;
	size_t n = strlen(name);
	char sig[64];
	int r;

	if (!name_ok(name))
		return err_set(e, ERR_SPEC, 0, "/annotations",
			       UNIT_ANNOTATION "%.64s: a property's name has only letters, and at least %d",
			       name, NAME_MIN);
	r = unit_gvariant(val, sig, sizeof(sig), &words);
	if (r || !buf_ok(&words))
		return err_set(e, ERR_SPEC, 0, "/annotations", UNIT_ANNOTATION "%.64s: \"%.64s\" is %s", name,
			       val, r == -ERANGE ? "a number out of its type's range" :
			       "no value in GVariant's text form");
	if (n > 4 && !strcmp(name + n - 3, "Sec") && islower((unsigned char)name[n - 4]))
		return seconds(b, name, sig, words.data, e);
	property(b, name, sig);
	buf_add(b, words.data, words.len);
	return 0;
}

/** unit_annotations() - The properties that org.systemd.property.* ask for. Return: 0 or ERR_SPEC. */
int unit_annotations(struct buf *b, const struct strmap *annotations, struct err *e)
{
	const size_t n = strlen(UNIT_ANNOTATION);

	for (size_t i = 0; annotations && i < annotations->n; i++) {
		const struct keyval *kv = &annotations->v[i];
		int r = strncmp(kv->key, UNIT_ANNOTATION, n) ? 0 : annotation(b, kv->key + n, kv->val, e);

		if (r)
			return r;
	}
	return 0;
}

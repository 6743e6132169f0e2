/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules for linux.resources that a table cannot say. Pure: what the host can
 * do is found out when the limits are written.
 */
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cg_internal.h"
#include "num.h"
#include "text.h"

#define WEIGHT_MIN 10u
#define WEIGHT_MAX 1000u
#define DEVICE_NAME_MAX 63u	/* IB_DEVICE_NAME_MAX without the NUL */

__attribute__((format(printf, 4, 5)))
static int bad(struct err *e, const char *pointer, const char *field, const char *fmt, ...)
{
	char where[sizeof(e->where)], msg[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "%s/%s", pointer, field);
	return err_set(e, ERR_SPEC, 0, where, "%s", msg);
}

static int bad_access(const char *access, const char *pointer, size_t i, struct err *e)
{
	char field[48];

	text_join(field, sizeof(field), "devices/", text_num(i), "/access");
	return bad(e, pointer, field, "access \"%.16s\" is not one or more of r, w and m", access);
}

static int check_devices(const struct cg_limits *l, const char *pointer, struct err *e)
{
	const struct cg_device *d = l->devices.v;

	for (size_t i = 0; i < l->devices.n; i++) {
		const char *access = d[i].access;

		if (d[i].type == 'a' || !d[i].type) {
			if (access && access[strspn(access, "rwm")])
				return bad_access(access, pointer, i, e);
			continue;	/* covers everything, whatever its other fields say */
		}
		if (!access || !*access)
			return bad_access("", pointer, i, e);
		if (access[strspn(access, "rwm")])
			return bad_access(access, pointer, i, e);
	}
	return 0;
}

static int check_memory(const struct cg_memory *m, const char *pointer, struct err *e)
{
	if (m->has_limit && m->has_swap && m->limit > 0 && m->swap > 0 && m->swap < m->limit)
		return bad(e, pointer, "memory/swap",
			   "%lld is memory and swap together and below the memory limit %lld",
			   (long long)m->swap, (long long)m->limit);
	return 0;
}

static int any_range(uint32_t first, uint32_t last, void *arg)
{
	return 0;
}

static int check_list(const char *list, const char *pointer, const char *field, struct err *e)
{
	if (!list || !*list || !num_list(list, any_range, NULL))
		return 0;
	return bad(e, pointer, field, "\"%.64s\" is not a list such as 0-3,7", list);
}

static int check_cpu(const struct cg_cpu *c, const char *pointer, struct err *e)
{
	int r = check_list(c->cpus, pointer, "cpu/cpus", e);

	if (r < 0)
		return r;
	return check_list(c->mems, pointer, "cpu/mems", e);
}

static bool weight_ok(bool given, uint32_t w)
{
	return !given || !w || (w >= WEIGHT_MIN && w <= WEIGHT_MAX);
}

static int check_blkio(const struct cg_blkio *b, const char *pointer, struct err *e)
{
	const struct cg_weight_device *d = b->weight_device.v;

	if (!weight_ok(b->has_weight, b->weight))
		return bad(e, pointer, "blockIO/weight", "%u is not from 10 to 1000", b->weight);
	if (!weight_ok(b->has_leaf_weight, b->leaf_weight))
		return bad(e, pointer, "blockIO/leafWeight", "%u is not from 10 to 1000",
			   b->leaf_weight);
	for (size_t i = 0; i < b->weight_device.n; i++) {
		char field[64];

		snprintf(field, sizeof(field), "blockIO/weightDevice/%zu", i);
		if (!weight_ok(d[i].has_weight, d[i].weight) ||
		    !weight_ok(d[i].has_leaf_weight, d[i].leaf_weight))
			return bad(e, pointer, field, "a weight is not from 10 to 1000");
	}
	return 0;
}

/* The kernel's spelling, digits and KB, MB or GB: it becomes part of a file name. */
static bool page_size_ok(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n < 10 && s[0] != '0' && s[n] && strchr("KMG", s[n]) &&
	       s[n + 1] == 'B' && !s[n + 2];
}

static int check_huge(const struct cg_limits *l, const char *pointer, struct err *e)
{
	const struct cg_hugetlb *h = l->hugepage_limits.v;

	for (size_t i = 0; i < l->hugepage_limits.n; i++) {
		char field[64];

		snprintf(field, sizeof(field), "hugepageLimits/%zu/pageSize", i);
		if (!page_size_ok(h[i].page_size))
			return bad(e, pointer, field, "\"%.32s\" is not a size such as 2MB or 1GB",
				   h[i].page_size);
	}
	return 0;
}

/*
 * A key is a file name in the container's own cgroup directory. cgroup.procs
 * and its like move processes and delegate: never by configuration.
 */
static bool unified_key_ok(const char *key)
{
	const char *dot = strchr(key, '.');

	if (!dot || dot == key || !dot[1] || strlen(key) > 200)
		return false;
	for (const char *p = key; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || *p == '.'))
			return false;
	return strncmp(key, "cgroup.", 7) || !strncmp(key, "cgroup.max.", 11);
}

static int check_unified(const struct cg_limits *l, const char *pointer, struct err *e)
{
	for (size_t i = 0; i < l->unified.n; i++) {
		const char *key = l->unified.v[i].key;

		if (!unified_key_ok(key))
			return bad(e, pointer, "unified",
				   "key \"%.64s\" is not the name of a controller's file", key);
		if (!l->unified.v[i].val || !l->unified.v[i].val[0])
			return bad(e, pointer, "unified", "the value of \"%.64s\" is empty", key);
	}
	return 0;
}

/* Names become words of a control file's line. */
static bool word_ok(const char *s, size_t max)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || s[i] == '/' || s[i] == '=')
			return false;
	return n && n <= max;
}

static int check_rdma(const struct cg_limits *l, const char *pointer, struct err *e)
{
	const struct cg_rdma *d = l->rdma.v;

	for (size_t i = 0; i < l->rdma.n; i++) {
		if (!word_ok(d[i].device, DEVICE_NAME_MAX))
			return bad(e, pointer, "rdma", "\"%.64s\" is not the name of a device", d[i].device);
		if (!d[i].has_handles && !d[i].has_objects)
			return bad(e, pointer, "rdma", "\"%.64s\" needs hcaHandles or hcaObjects", d[i].device);
	}
	return 0;
}

static int check_network(const struct cg_network *n, const char *pointer, struct err *e)
{
	const struct cg_if_priority *p = n->priorities.v;
	char field[64];

	for (size_t i = 0; i < n->priorities.n; i++) {
		snprintf(field, sizeof(field), "network/priorities/%zu/name", i);
		if (!word_ok(p[i].name, IFNAMSIZ - 1))
			return bad(e, pointer, field, "\"%.64s\" is not the name of an interface", p[i].name);
	}
	return 0;
}

/**
 * cg_limits_check() - Rules across fields.
 * @pointer: JSON pointer of the object, for the message.
 * Return: 0 or ERR_SPEC with the field and the value.
 * Spec: config-linux.md#control-groups
 */
int cg_limits_check(const struct cg_limits *l, const char *pointer, struct err *e)
{
	int r = check_devices(l, pointer, e);

	if (!r && l->memory)
		r = check_memory(l->memory, pointer, e);
	if (!r && l->cpu)
		r = check_cpu(l->cpu, pointer, e);
	if (!r && l->block_io)
		r = check_blkio(l->block_io, pointer, e);
	if (!r)
		r = check_huge(l, pointer, e);
	if (!r)
		r = check_unified(l, pointer, e);
	if (!r)
		r = check_rdma(l, pointer, e);
	if (!r && l->network)
		r = check_network(l->network, pointer, e);
	return r;
}

static const char *memory_needed(const struct cg_memory *m)
{
	return m->limit ? "/linux/resources/memory/limit" :
	       m->reservation ? "/linux/resources/memory/reservation" :
	       m->swap ? "/linux/resources/memory/swap" :
	       m->kernel ? "/linux/resources/memory/kernel" :
	       m->kernel_tcp ? "/linux/resources/memory/kernelTCP" :
	       m->has_swappiness ? "/linux/resources/memory/swappiness" :
	       m->disable_oom_killer ? "/linux/resources/memory/disableOOMKiller" : NULL;
}

static const char *cpu_needed(const struct cg_cpu *c)
{
	return c->shares ? "/linux/resources/cpu/shares" :
	       c->quota ? "/linux/resources/cpu/quota" :
	       c->period ? "/linux/resources/cpu/period" :
	       c->burst ? "/linux/resources/cpu/burst" :
	       c->rt_runtime ? "/linux/resources/cpu/realtimeRuntime" :
	       c->rt_period ? "/linux/resources/cpu/realtimePeriod" :
	       c->idle ? "/linux/resources/cpu/idle" :
	       c->cpus && *c->cpus ? "/linux/resources/cpu/cpus" :
	       c->mems && *c->mems ? "/linux/resources/cpu/mems" : NULL;
}

const char *cg_limits_needed(const struct cg_limits *l)
{
	const struct cg_blkio *b = l->block_io;
	const char *what = l->memory ? memory_needed(l->memory) : NULL;

	if (!what && l->cpu)
		what = cpu_needed(l->cpu);
	if (!what && l->pids && l->pids->limit)
		what = "/linux/resources/pids/limit";
	if (!what && b && (b->weight || b->leaf_weight || b->weight_device.n || b->read_bps.n || b->write_bps.n ||
			   b->read_iops.n || b->write_iops.n))
		what = "/linux/resources/blockIO";
	if (!what && l->hugepage_limits.n)
		what = "/linux/resources/hugepageLimits";
	if (!what && l->unified.n)
		what = "/linux/resources/unified";
	if (!what && l->rdma.n)
		what = "/linux/resources/rdma";
	if (!what && l->network)
		what = "/linux/resources/network";
	return what;
}

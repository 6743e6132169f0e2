/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The long tail of the statistics: tables per device, per CPU and per line of
 * memory.stat, whose size the kernel decides. Like cg_stats(), nothing fails
 * but for memory: a file that is not there is an empty table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bounds.h"
#include "cg_internal.h"
#include "num.h"
#include "pathfs.h"

struct reader {
	struct arena *a;
	struct buf b;
	int r;			/* 0 or -ENOMEM */
	char nothing[1];	/* a file that is not there */
};

/* The file's text, to be cut up by the caller; "" when there is none. */
static char *text_of(struct reader *rd, int dirfd, const char *file)
{
	buf_reset(&rd->b);
	if (dirfd < 0 || path_read(dirfd, file, LIMIT_PROC_FILE, &rd->b) < 0 || !buf_ok(&rd->b) ||
	    !rd->b.data || !rd->b.len)
		return rd->nothing;
	return rd->b.data;
}

/* An arena array that doubles: room for one more element, or NULL. */
static void *one_more(struct reader *rd, struct objv *v, size_t size)
{
	/* a power of two is a full array */
	if (!(v->n & (v->n - 1))) {
		size_t room = v->n ? v->n * 2 : 1;
		void *p = arena_grow(rd->a, v->v, v->n * size, room * size);

		if (!p) {
			rd->r = -ENOMEM;
			return NULL;
		}
		v->v = p;
	}
	return (char *)v->v + v->n++ * size;
}

/* ---- block devices ---- */

static void add_io(struct reader *rd, struct objv *table, uint64_t major, uint64_t minor,
		   const char *op, uint64_t value)
{
	struct cg_io_value *v = one_more(rd, table, sizeof(*v));
	char *name = v ? arena_strdup(rd->a, op) : NULL;

	if (!v || !name) {
		rd->r = -ENOMEM;
		return;
	}
	*v = (struct cg_io_value){ major, minor, value, name };
}

/* "8:0 Read 4096" or "8:0 4096" per line; "Total 4096" says nothing new */
static void v1_io_file(struct reader *rd, int dirfd, const char *file, struct objv *table)
{
	char *line, *rest, *save;

	for (line = text_of(rd, dirfd, file); *line && !rd->r; line = rest) {
		uint64_t major, minor, value;
		char *word[4];
		size_t n = 0;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		for (char *w = strtok_r(line, " :", &save); w && n < 4; w = strtok_r(NULL, " :", &save))
			word[n++] = w;
		if (n < 3 || num_u64(word[0], UINT64_MAX, &major) ||
		    num_u64(word[1], UINT64_MAX, &minor) || num_u64(word[n - 1], UINT64_MAX, &value))
			continue;
		add_io(rd, table, major, minor, n == 4 ? word[2] : "", value);
	}
}

struct io_file { const char *file; enum cg_io_table table; };

/*
 * The same numbers have other names under each I/O scheduler. The first group
 * whose first file says anything is taken, as other runtimes do.
 */
static const struct io_file bfq_debug[] = {
	{ "blkio.bfq.sectors_recursive", CG_IO_SECTORS },
	{ "blkio.bfq.io_service_time_recursive", CG_IO_SERVICE_TIME },
	{ "blkio.bfq.io_wait_time_recursive", CG_IO_WAIT_TIME },
	{ "blkio.bfq.io_merged_recursive", CG_IO_MERGED },
	{ "blkio.bfq.io_queued_recursive", CG_IO_QUEUED },
	{ "blkio.bfq.time_recursive", CG_IO_TIME },
	{ "blkio.bfq.io_serviced_recursive", CG_IO_SERVICED },
	{ "blkio.bfq.io_service_bytes_recursive", CG_IO_BYTES },
	{ NULL, 0 },
};
static const struct io_file bfq[] = {
	{ "blkio.bfq.io_serviced_recursive", CG_IO_SERVICED },
	{ "blkio.bfq.io_service_bytes_recursive", CG_IO_BYTES },
	{ NULL, 0 },
};
static const struct io_file cfq[] = {
	{ "blkio.sectors_recursive", CG_IO_SECTORS },
	{ "blkio.io_service_bytes_recursive", CG_IO_BYTES },
	{ "blkio.io_serviced_recursive", CG_IO_SERVICED },
	{ "blkio.io_queued_recursive", CG_IO_QUEUED },
	{ "blkio.io_service_time_recursive", CG_IO_SERVICE_TIME },
	{ "blkio.io_wait_time_recursive", CG_IO_WAIT_TIME },
	{ "blkio.io_merged_recursive", CG_IO_MERGED },
	{ "blkio.time_recursive", CG_IO_TIME },
	{ NULL, 0 },
};
static const struct io_file throttle_recursive[] = {
	{ "blkio.throttle.io_serviced_recursive", CG_IO_SERVICED },
	{ "blkio.throttle.io_service_bytes_recursive", CG_IO_BYTES },
	{ NULL, 0 },
};
static const struct io_file throttle[] = {
	{ "blkio.throttle.io_serviced", CG_IO_SERVICED },
	{ "blkio.throttle.io_service_bytes", CG_IO_BYTES },
	{ NULL, 0 },
};

static void v1_io(struct reader *rd, int dirfd, struct cg_detail *d)
{
	static const struct io_file *const groups[] = { bfq_debug, bfq, cfq, throttle_recursive, throttle };

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		for (const struct io_file *f = groups[g]; f->file; f++) {
			v1_io_file(rd, dirfd, f->file, &d->io[f->table]);
			if (f == groups[g] && !d->io[f->table].n)
				break;
		}
		if (d->io[groups[g]->table].n)
			return;
	}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" per line */
static void v2_io(struct reader *rd, int dirfd, struct cg_detail *d)
{
	static const struct { const char *key, *op; enum cg_io_table table;
	} keys[] = {
		{ "rbytes=", "Read", CG_IO_BYTES }, { "wbytes=", "Write", CG_IO_BYTES },
		{ "rios=", "Read", CG_IO_SERVICED }, { "wios=", "Write", CG_IO_SERVICED },
	};
	char *line, *rest, *save;

	for (line = text_of(rd, dirfd, "io.stat"); *line && !rd->r; line = rest) {
		uint64_t major, minor, value;
		char *dev, *colon, *w;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		dev = strtok_r(line, " ", &save);
		colon = dev ? strchr(dev, ':') : NULL;
		if (!colon)
			continue;
		*colon = 0;
		if (num_u64(dev, UINT64_MAX, &major) || num_u64(colon + 1, UINT64_MAX, &minor))
			continue;
		while ((w = strtok_r(NULL, " ", &save)))
			for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
				size_t len = strlen(keys[i].key);

				if (!strncmp(w, keys[i].key, len) && !num_u64(w + len, UINT64_MAX, &value))
					add_io(rd, &d->io[keys[i].table], major, minor, keys[i].op, value);
			}
	}
}

/* ---- memory.stat ---- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct keyval *)a)->key, ((const struct keyval *)b)->key);
}

static void memory(struct reader *rd, int dirfd, struct cg_detail *d)
{
	char *copy = arena_strdup(rd->a, text_of(rd, dirfd, "memory.stat"));
	struct objv v = { 0 };
	char *line, *rest;

	if (!copy) {
		rd->r = -ENOMEM;
		return;
	}
	for (line = copy; *line; line = rest) {
		struct keyval *kv;
		uint64_t value;
		char *val;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		val = strchr(line, ' ');
		if (!val)
			continue;
		*val++ = 0;
		if (num_u64(val, UINT64_MAX, &value))
			continue;
		kv = one_more(rd, &v, sizeof(*kv));
		if (!kv)
			return;
		*kv = (struct keyval){ line, val };
	}
	if (v.n)
		qsort(v.v, v.n, sizeof(struct keyval), by_key);
	d->memory = (struct strmap){ v.v, v.n };
}

/* ---- v1: CPUs ---- */

/* A head line, then "<cpu> <user> <system>" per CPU, in nanoseconds. */
static void v1_per_cpu(struct reader *rd, int dirfd, struct cg_detail *d)
{
	struct objv user = { 0 }, kernel = { 0 };
	char *line, *rest;

	for (line = text_of(rd, dirfd, "cpuacct.usage_all"); *line && !rd->r; line = rest) {
		char *end;
		uint64_t u, s, *p;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		if (*line < '0' || *line > '9')
			continue;
		end = strchr(line, ' ');
		if (!end)
			continue;
		u = strtoull(end, &end, 10);
		s = strtoull(end, &end, 10);
		p = one_more(rd, &user, sizeof(*p));
		if (p)
			*p = u;
		p = one_more(rd, &kernel, sizeof(*p));
		if (p)
			*p = s;
	}
	d->n_cpu = rd->r ? 0 : user.n;
	d->per_cpu_user_ns = user.v;
	d->per_cpu_kernel_ns = kernel.v;
}

/* Not cpuacct.usage_user and _sys, which cg_stats() prefers: these numbers are scaled to the true sum. */
static void v1_cpu_modes(int dirfd, struct cg_detail *d)
{
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK), user = 0, kernel = 0;

	(void)cg_read_key(dirfd, "cpuacct.stat", "user", &user);
	(void)cg_read_key(dirfd, "cpuacct.stat", "system", &kernel);
	d->stat_user_ns = user * tick;
	d->stat_kernel_ns = kernel * tick;
}

struct numbers { struct reader *rd; struct objv v; };

static int add_range(uint32_t first, uint32_t last, void *arg)
{
	struct numbers *ns = arg;

	if (last >= CG_STAT_CPUS_MAX * 64)
		return -ERANGE;
	for (uint64_t n = first; n <= last; n++) {
		uint32_t *p = one_more(ns->rd, &ns->v, sizeof(*p));

		if (!p)
			return -ENOMEM;
		*p = (uint32_t)n;
	}
	return 0;
}

static struct u32v list_of(struct reader *rd, int dirfd, const char *file)
{
	struct numbers ns = { .rd = rd };
	char *text = text_of(rd, dirfd, file);

	text[strcspn(text, "\n")] = 0;
	if (!*text || num_list(text, add_range, &ns))
		return (struct u32v){ 0 };
	return (struct u32v){ ns.v.v, ns.v.n };
}

static void v1_cpuset(struct reader *rd, int dirfd, struct cg_detail *d)
{
	static const char *const files[CG_CPUSET_FLAGS] = {
		[CG_CPU_EXCLUSIVE] = "cpuset.cpu_exclusive",
		[CG_MEM_HARDWALL] = "cpuset.mem_hardwall",
		[CG_MEM_EXCLUSIVE] = "cpuset.mem_exclusive",
		[CG_MEMORY_MIGRATE] = "cpuset.memory_migrate",
		[CG_MEMORY_SPREAD_PAGE] = "cpuset.memory_spread_page",
		[CG_MEMORY_SPREAD_SLAB] = "cpuset.memory_spread_slab",
		[CG_MEMORY_PRESSURE] = "cpuset.memory_pressure",
		[CG_SCHED_LOAD_BALANCE] = "cpuset.sched_load_balance",
	};
	char *text;

	d->cpuset.cpus = list_of(rd, dirfd, "cpuset.cpus");
	d->cpuset.mems = list_of(rd, dirfd, "cpuset.mems");
	for (size_t i = 0; i < CG_CPUSET_FLAGS; i++)
		if (cg_read_u64(dirfd, files[i], &d->cpuset.flags[i]) < 0)
			d->cpuset.flags[i] = 0;
	text = text_of(rd, dirfd, "cpuset.sched_relax_domain_level");
	text[strcspn(text, "\n")] = 0;
	if (num_i64(text, INT64_MIN, INT64_MAX, &d->cpuset.sched_relax_domain_level))
		d->cpuset.sched_relax_domain_level = 0;
}

/* ---- rdma: "mlx4_0 hca_handle=2 hca_object=2000" per line, "max" for no limit ---- */

static uint32_t rdma_number(const char *val)
{
	uint32_t v;

	return !strcmp(val, "max") || num_u32(val, &v) ? UINT32_MAX : v;
}

static void rdma(struct reader *rd, int dirfd, const char *file, struct objv *list)
{
	char *line, *rest, *save, *w;

	for (line = text_of(rd, dirfd, file); *line && !rd->r; line = rest) {
		struct cg_rdma *d;
		char *name;

		rest = line + strcspn(line, "\n");
		if (*rest)
			*rest++ = 0;
		name = strtok_r(line, " ", &save);
		if (!name)
			continue;
		d = one_more(rd, list, sizeof(*d));
		name = d ? arena_strdup(rd->a, name) : NULL;
		if (!name) {
			rd->r = -ENOMEM;
			return;
		}
		*d = (struct cg_rdma){ .device = name };
		while ((w = strtok_r(NULL, " ", &save))) {
			if (!strncmp(w, "hca_handle=", 11)) {
				d->handles = rdma_number(w + 11);
				d->has_handles = true;
			} else if (!strncmp(w, "hca_object=", 11)) {
				d->objects = rdma_number(w + 11);
				d->has_objects = true;
			}
		}
	}
}

static void rdma_both(struct reader *rd, int dirfd, struct cg_detail *d)
{
	rdma(rd, dirfd, "rdma.current", &d->rdma_current);
	rdma(rd, dirfd, "rdma.max", &d->rdma_max);
}

static void v1_detail(struct reader *rd, const struct cg *c, enum cg_wanted wanted, struct cg_detail *d)
{
	int i = cg_controller(c, "blkio");

	if (i >= 0)
		v1_io(rd, c->dirfd[i], d);
	i = cg_controller(c, "rdma");
	if (i >= 0)
		rdma_both(rd, c->dirfd[i], d);
	if (wanted == CG_FOR_METRICS) {
		(void)cg_count_tasks(c->dirfd[cg_main(c)], &d->tasks);
		return;
	}
	i = cg_controller(c, "memory");
	if (i >= 0)
		memory(rd, c->dirfd[i], d);
	i = cg_controller(c, "cpuacct");
	if (i >= 0) {
		v1_per_cpu(rd, c->dirfd[i], d);
		v1_cpu_modes(c->dirfd[i], d);
	}
	i = cg_controller(c, "cpuset");
	if (i >= 0)
		v1_cpuset(rd, c->dirfd[i], d);
}

int cg_detail(const struct cg *c, enum cg_wanted wanted, struct cg_detail *d, struct arena *a, struct err *e)
{
	struct reader rd = { .a = a };
	int i = cg_main(c);

	memset(d, 0, sizeof(*d));
	if (i >= 0 && cg_is_v2(c)) {
		rdma_both(&rd, c->dirfd[i], d);
		if (wanted == CG_FOR_EVENTS) {
			v2_io(&rd, c->dirfd[i], d);
			memory(&rd, c->dirfd[i], d);
		}
	} else if (i >= 0) {
		v1_detail(&rd, c, wanted, d);
	}
	buf_fini(&rd.b);
	return rd.r ? err_set(e, ERR_LIMIT, rd.r, c->path, "no memory for the statistics") : 0;
}

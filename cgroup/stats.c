/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics. A file that a kernel or a host does not have counts as zero, so
 * nothing here fails but for memory: whoever asks wants what there is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "cg_internal.h"
#include "num.h"
#include "pathfs.h"

/* In the order of the fields 1 to 31 of the v2 message. */
static const char *const v2_memory[31] = {
	"anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty",
	"file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file",
	"active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "pgfault",
	"pgmajfault", "workingset_refault", "workingset_activate", "workingset_nodereclaim",
	"pgrefill", "pgscan", "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree",
	"pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc",
};

/* In the order of the fields 1 to 32 of the v1 message. */
static const char *const v1_memory[32] = {
	"cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout",
	"pgfault", "pgmajfault", "inactive_anon", "active_anon", "inactive_file", "active_file",
	"unevictable", "hierarchical_memory_limit", "hierarchical_memsw_limit", "total_cache",
	"total_rss", "total_rss_huge", "total_mapped_file", "total_dirty", "total_writeback",
	"total_pgpgin", "total_pgpgout", "total_pgfault", "total_pgmajfault",
	"total_inactive_anon", "total_active_anon", "total_inactive_file", "total_active_file",
	"total_unevictable",
};

static uint64_t value(int dirfd, const char *file)
{
	uint64_t v = 0;

	return cg_read_u64(dirfd, file, &v) < 0 ? 0 : v;
}

/* A whole file as text; "" when there is none. */
static const char *text_of(int dirfd, const char *file, struct buf *b)
{
	buf_reset(b);
	if (path_read(dirfd, file, LIMIT_PROC_FILE, b) < 0 || !buf_ok(b) || !b->data || !b->len)
		return "";
	return b->data;
}

static uint64_t key(const char *text, const char *name)
{
	uint64_t v = 0;

	return cg_find_key(text, name, &v) ? v : 0;
}

/* "12.34" without the locale's opinion of the decimal point. */
static double decimal(const char *s)
{
	double v = 0, unit = 1;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++)
			v += (*s - '0') * (unit /= 10);
	return v;
}

static const char *after(const char *line, const char *name)
{
	const char *p = strstr(line, name);

	return p ? p + strlen(name) : "";
}

static void psi_line(const char *text, const char *which, struct cg_psi_line *l)
{
	const char *p = strstr(text, which);
	char line[256];

	if (!p)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
	l->avg10 = decimal(after(line, "avg10="));
	l->avg60 = decimal(after(line, "avg60="));
	l->avg300 = decimal(after(line, "avg300="));
	l->total = strtoull(after(line, "total="), NULL, 10);
}

static void psi(int dirfd, const char *file, struct cg_psi *p)
{
	char text[512];

	if (cg_read(dirfd, file, text, sizeof(text)) <= 0)
		return;		/* EOPNOTSUPP where it is switched off */
	p->present = true;
	psi_line(text, "some ", &p->some);
	psi_line(text, "full ", &p->full);
}

static struct cg_stat_io *device(struct cg_stats *s, uint64_t major, uint64_t minor)
{
	for (size_t k = 0; k < s->io.n; k++)
		if (s->io.dev[k].major == major && s->io.dev[k].minor == minor)
			return &s->io.dev[k];
	if (s->io.n == CG_STAT_DEVICES_MAX)
		return NULL;
	s->io.dev[s->io.n] = (struct cg_stat_io){ .major = major, .minor = minor };
	return &s->io.dev[s->io.n++];
}

/* ---- huge pages: one set of files per page size ---- */

static void huge_one(int dirfd, const char *size, size_t len, bool v2, struct cg_stats *s)
{
	struct cg_stat_huge *h = &s->huge.v[s->huge.n];
	char file[64];

	if (s->huge.n == CG_STAT_HUGE_MAX || len >= sizeof(h->size))
		return;
	s->huge.n++;
	memcpy(h->size, size, len);
	h->size[len] = 0;
	snprintf(file, sizeof(file), "hugetlb.%s.%s", h->size,
		 v2 ? "rsvd.current" : "rsvd.usage_in_bytes");
	if (cg_read_u64(dirfd, file, &h->usage) < 0) {
		snprintf(file, sizeof(file), "hugetlb.%s.%s", h->size,
			 v2 ? "current" : "usage_in_bytes");
		h->usage = value(dirfd, file);
	}
	snprintf(file, sizeof(file), "hugetlb.%s.%s", h->size, v2 ? "max" : "limit_in_bytes");
	h->limit = value(dirfd, file);
	if (v2) {
		h->max = h->limit;
		snprintf(file, sizeof(file), "hugetlb.%s.events", h->size);
		(void)cg_read_key(dirfd, file, "max", &h->failcnt);
		return;
	}
	snprintf(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", h->size);
	h->max = value(dirfd, file);
	snprintf(file, sizeof(file), "hugetlb.%s.failcnt", h->size);
	h->failcnt = value(dirfd, file);
}

static void huge(int dirfd, bool v2, struct cg_stats *s)
{
	const char *end = v2 ? ".current" : ".usage_in_bytes";
	auto_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return;
	(void)take_fd(&fd);
	while ((de = readdir(d))) {
		size_t len = strlen(de->d_name), tail = strlen(end);

		if (len <= 8 + tail || strncmp(de->d_name, "hugetlb.", 8) ||
		    strcmp(de->d_name + len - tail, end) || strstr(de->d_name, ".rsvd"))
			continue;
		huge_one(dirfd, de->d_name + 8, len - 8 - tail, v2, s);
	}
}

/* ---- v2 ---- */

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" per line */
static void v2_io(const char *text, struct cg_stats *s)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		unsigned long long major, minor;
		struct cg_stat_io *d;
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		if (sscanf(line, "%llu:%llu", &major, &minor) != 2)
			continue;
		d = device(s, major, minor);
		if (!d)
			return;
		d->rbytes = strtoull(after(line, " rbytes="), NULL, 10);
		d->wbytes = strtoull(after(line, " wbytes="), NULL, 10);
		d->rios = strtoull(after(line, " rios="), NULL, 10);
		d->wios = strtoull(after(line, " wios="), NULL, 10);
	}
}

static void v2_mem(int fd, struct cg_stats *s, struct buf *b)
{
	const char *t = text_of(fd, "memory.stat", b);

	s->has_memory = *t;
	for (size_t k = 0; k < 31; k++)
		s->memory.v2_stat[k] = key(t, v2_memory[k]);
	/* since 5.9 these two are split by what was evicted */
	if (!s->memory.v2_stat[19])
		s->memory.v2_stat[19] = key(t, "workingset_refault_anon") +
					key(t, "workingset_refault_file");
	if (!s->memory.v2_stat[20])
		s->memory.v2_stat[20] = key(t, "workingset_activate_anon") +
					key(t, "workingset_activate_file");
	s->memory.usage = value(fd, "memory.current");
	s->memory.limit = value(fd, "memory.max");
	s->memory.peak = value(fd, "memory.peak");
	s->memory.swap_usage = value(fd, "memory.swap.current");
	s->memory.swap_limit = value(fd, "memory.swap.max");
	s->memory.swap_peak = value(fd, "memory.swap.peak");
	t = text_of(fd, "memory.events", b);
	s->memory.ev_low = key(t, "low");
	s->memory.ev_high = key(t, "high");
	s->memory.ev_max = key(t, "max");
	s->memory.ev_oom = key(t, "oom");
	s->memory.ev_oom_kill = key(t, "oom_kill");
	s->memory.ev_oom_group_kill = key(t, "oom_group_kill");
	psi(fd, "memory.pressure", &s->memory.psi);
}

static void v2_stats(int fd, struct cg_stats *s, struct buf *b)
{
	const char *t = text_of(fd, "cpu.stat", b);

	s->v2 = true;
	s->has_cpu = *t;
	s->cpu.usage_us = key(t, "usage_usec");
	s->cpu.user_us = key(t, "user_usec");
	s->cpu.system_us = key(t, "system_usec");
	s->cpu.nr_periods = key(t, "nr_periods");
	s->cpu.nr_throttled = key(t, "nr_throttled");
	s->cpu.throttled_us = key(t, "throttled_usec");
	s->cpu.nr_bursts = key(t, "nr_bursts");
	s->cpu.burst_us = key(t, "burst_usec");
	psi(fd, "cpu.pressure", &s->cpu.psi);
	v2_mem(fd, s, b);
	s->has_pids = cg_has_file(fd, "pids.current");
	s->pids.current = value(fd, "pids.current");
	s->pids.limit = value(fd, "pids.max");
	v2_io(text_of(fd, "io.stat", b), s);
	psi(fd, "io.pressure", &s->io.psi);
	huge(fd, true, s);
}

/* ---- v1 ---- */

static void v1_counter(int fd, const char *name, struct cg_stat_mem_counter *m)
{
	char file[64];

	snprintf(file, sizeof(file), "memory.%susage_in_bytes", name);
	m->usage = value(fd, file);
	snprintf(file, sizeof(file), "memory.%smax_usage_in_bytes", name);
	m->max = value(fd, file);
	snprintf(file, sizeof(file), "memory.%sfailcnt", name);
	m->failcnt = value(fd, file);
	snprintf(file, sizeof(file), "memory.%slimit_in_bytes", name);
	m->limit = value(fd, file);
}

static void v1_mem(int fd, struct cg_stats *s, struct buf *b)
{
	const char *t = text_of(fd, "memory.stat", b);

	s->has_memory = true;
	for (size_t k = 0; k < 32; k++)
		s->memory.v1_stat[k] = key(t, v1_memory[k]);
	v1_counter(fd, "", &s->memory.v1_usage);
	v1_counter(fd, "memsw.", &s->memory.v1_swap);
	v1_counter(fd, "kmem.", &s->memory.v1_kernel);
	v1_counter(fd, "kmem.tcp.", &s->memory.v1_kernel_tcp);
	t = text_of(fd, "memory.oom_control", b);
	s->memory.v1_oom_kill_disable = key(t, "oom_kill_disable");
	s->memory.v1_under_oom = key(t, "under_oom");
	s->memory.v1_oom_kill = key(t, "oom_kill");
	s->memory.usage = s->memory.v1_usage.usage;
	s->memory.limit = s->memory.v1_usage.limit;
	s->memory.peak = s->memory.v1_usage.max;
	s->memory.ev_oom_kill = s->memory.v1_oom_kill;
}

static int v1_per_cpu(const char *text, struct cg_stats *s, struct arena *a)
{
	size_t n = 0;

	s->cpu.per_cpu_ns = arena_alloc(a, CG_STAT_CPUS_MAX * sizeof(*s->cpu.per_cpu_ns));
	if (!s->cpu.per_cpu_ns)
		return -ENOMEM;
	for (const char *p = text; n < CG_STAT_CPUS_MAX; ) {
		char *end;
		uint64_t v = strtoull(p, &end, 10);

		if (end == p)
			break;
		s->cpu.per_cpu_ns[n++] = v;
		p = end;
	}
	s->cpu.n_cpu = n;
	return 0;
}

static int v1_cpuacct(int fd, struct cg_stats *s, struct arena *a, struct buf *b)
{
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	const char *t;

	s->has_cpu = true;
	s->cpu.v1_total_ns = value(fd, "cpuacct.usage");
	if (cg_read_u64(fd, "cpuacct.usage_user", &s->cpu.v1_user_ns) < 0 ||
	    cg_read_u64(fd, "cpuacct.usage_sys", &s->cpu.v1_kernel_ns) < 0) {
		t = text_of(fd, "cpuacct.stat", b);	/* in ticks */
		s->cpu.v1_user_ns = key(t, "user") * tick;
		s->cpu.v1_kernel_ns = key(t, "system") * tick;
	}
	s->cpu.usage_us = s->cpu.v1_total_ns / 1000;
	s->cpu.user_us = s->cpu.v1_user_ns / 1000;
	s->cpu.system_us = s->cpu.v1_kernel_ns / 1000;
	return v1_per_cpu(text_of(fd, "cpuacct.usage_percpu", b), s, a);
}

static int v1_stats(const struct cg *c, struct cg_stats *s, struct arena *a, struct buf *b)
{
	int i = cg_controller(c, "pids"), r = 0;
	const char *t;

	if (i >= 0) {
		s->has_pids = true;
		s->pids.current = value(c->dirfd[i], "pids.current");
		s->pids.limit = value(c->dirfd[i], "pids.max");
	}
	i = cg_controller(c, "cpuacct");
	if (i >= 0)
		r = v1_cpuacct(c->dirfd[i], s, a, b);
	i = cg_controller(c, "cpu");
	if (i >= 0) {
		s->has_cpu = true;
		t = text_of(c->dirfd[i], "cpu.stat", b);
		s->cpu.nr_periods = key(t, "nr_periods");
		s->cpu.nr_throttled = key(t, "nr_throttled");
		s->cpu.v1_throttled_ns = key(t, "throttled_time");
		s->cpu.throttled_us = s->cpu.v1_throttled_ns / 1000;
		s->cpu.nr_bursts = key(t, "nr_bursts");
		s->cpu.burst_us = key(t, "burst_time") / 1000;
	}
	i = cg_controller(c, "memory");
	if (i >= 0)
		v1_mem(c->dirfd[i], s, b);
	i = cg_controller(c, "hugetlb");
	if (i >= 0)
		huge(c->dirfd[i], false, s);
	return r;
}

/**
 * cg_stats() - Statistics of the container's cgroup.
 * @s: filled; per_cpu_ns lives in @a.
 *
 * "max" is UINT64_MAX, what is absent is 0 and the has_ members tell.
 * Return: 0, or -ENOMEM.
 */
int cg_stats(const struct cg *c, struct cg_stats *s, struct arena *a, struct err *e)
{
	auto_buf b = BUF_INIT;
	int i = cg_main(c), r = 0;

	memset(s, 0, sizeof(*s));
	s->v2 = cg_is_v2(c);
	if (i < 0)
		return 0;
	if (s->v2)
		v2_stats(c->dirfd[i], s, &b);
	else
		r = v1_stats(c, s, a, &b);
	return r < 0 ? err_set(e, ERR_KERNEL, r, c->path, "no memory for the statistics") : 0;
}

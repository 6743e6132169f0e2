/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CGROUP_H
#define CLEAT_CGROUP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "err.h"
#include "field.h"
#include "log.h"

/* ---- limits: linux.resources of the OCI spec; tables in fields.c ---- */
struct cg_device {
	bool allow, has_major, has_minor;
	int type;		/* 'a' 'b' 'c'; 0 as 'a' */
	int64_t major, minor;	/* -1 or not given: any */
	const char *access;
};
struct cg_memory {
	int64_t limit, reservation, swap, kernel, kernel_tcp;
	uint64_t swappiness;
	bool disable_oom_killer, use_hierarchy, check_before_update;
	bool has_limit, has_reservation, has_swap, has_kernel, has_kernel_tcp, has_swappiness, has_disable_oom_killer;
};
struct cg_cpu {
	uint64_t shares, period, burst, rt_period;
	int64_t quota, rt_runtime, idle;
	const char *cpus, *mems;
	bool has_shares, has_period, has_burst, has_rt_period, has_quota, has_rt_runtime, has_idle;
};
struct cg_pids { int64_t limit; bool has_limit; };
struct cg_weight_device { int64_t major, minor; uint32_t weight, leaf_weight; bool has_weight, has_leaf_weight; };
struct cg_throttle { int64_t major, minor; uint64_t rate; };
struct cg_blkio {
	uint32_t weight, leaf_weight;
	bool has_weight, has_leaf_weight;
	struct objv weight_device;				/* struct cg_weight_device */
	struct objv read_bps, write_bps, read_iops, write_iops;	/* struct cg_throttle */
};
struct cg_hugetlb { const char *page_size; uint64_t limit; };
struct cg_rdma { const char *device; uint32_t handles, objects; bool has_handles, has_objects; };
struct cg_if_priority { const char *name; uint32_t priority; };
struct cg_network { uint32_t class_id; struct objv priorities; /* struct cg_if_priority */ };
struct cg_limits {
	struct objv devices;		/* struct cg_device */
	bool has_devices;
	struct cg_memory *memory;	/* NULL: not given */
	struct cg_cpu *cpu;
	struct cg_pids *pids;
	struct cg_blkio *block_io;
	struct objv hugepage_limits;	/* struct cg_hugetlb */
	struct strmap unified;
	struct objv rdma;		/* struct cg_rdma */
	struct cg_network *network;	/* NULL: not given */
};
/** cg_limits_object - JSON table of linux.resources, for the spec and for update. */
extern const struct object cg_limits_object;
/** cg_limits_check() - Rules across fields. @pointer: JSON pointer of the object, for the message. */
int cg_limits_check(const struct cg_limits *l, const char *pointer, struct err *e);

/** cg_limits_needed() - JSON pointer of the first limit that needs a controller, or NULL. Device rules do not. */
const char *cg_limits_needed(const struct cg_limits *l);

/* ---- where: the hierarchies of this host and a container's place in them ---- */
enum cg_mode { CG_MODE_NONE, CG_MODE_V1, CG_MODE_HYBRID, CG_MODE_V2 };
#define CG_HIERARCHIES_MAX 24

/** struct cg_hierarchy - One mounted hierarchy. */
struct cg_hierarchy {
	const char *controllers;	/* "cpu,cpuacct", "name=systemd", "" for v2 */
	const char *mountpoint;		/* "/sys/fs/cgroup/memory" */
	const char *own_path;		/* where this process is, from the hierarchy's root */
	bool v2;
};

struct cg_host {
	enum cg_mode mode;
	struct cg_hierarchy h[CG_HIERARCHIES_MAX];	/* v1 hierarchies first; the v2 one last if mounted */
	size_t n;
};
/** cg_host_detect() - Learn the layout: statfs and /proc/self/cgroup, mountinfo only for odd mounts. */
int cg_host_detect(struct cg_host *host, struct arena *a, struct err *e);

/**
 * struct cg - A container's cgroup: one directory per hierarchy used.
 * Plain data; path is what state.json keeps. fds are opened on demand.
 */
struct cg {
	const struct cg_host *host;
	const char *path;		/* from the hierarchies' roots, clean, "/a/b" */
	int dirfd[CG_HIERARCHIES_MAX];	/* by host->h index; -1: not in use */
	bool made[CG_HIERARCHIES_MAX];	/* directories that cg_make() made */
	bool devices_denied;		/* cg_apply() failed for the device rules alone: no right to filter */
	int enterfd[CG_HIERARCHIES_MAX]; /* v1 task files opened by cg_enter_prepare(); -1: not open */
};
/** cg_path() - The cgroup path that cgroupsPath asks for (contract oci-runtime 3.1). */
int cg_path(const struct cg_host *host, const char *cgroups_path, const char *id,
	    char *out, size_t size, struct err *e);
/**
 * cg_make() - Make the directories (and enable v2 controllers on the way down).
 * @l: limits to come: of a v1 hierarchy that is not needed for them, devices or the OOM watch, only the file is
 *     opened by which a process enters. NULL: all directories are opened.
 * Fails with ERR_STATE when the cgroup exists and holds processes or is frozen.
 * On failure nothing that it made is left. Context: host stage.
 */
int cg_make(struct cg *c, const struct cg_host *host, const char *path,
	    const struct cg_limits *l, const struct log *log, struct err *e);
/** cg_open() - Open the directories of an existing cgroup; missing ones stay -1; all missing: -ENOENT. */
int cg_open(struct cg *c, const struct cg_host *host, const char *path, struct err *e);
/**
 * cg_open_to_enter() - The same for a worker that makes a process to enter it: of a v1 hierarchy only the file that
 * cg_enter_self() writes to is opened, so nothing else can be done there. cg_close() closes it all.
 */
int cg_open_to_enter(struct cg *c, const struct cg_host *host, const char *path, struct err *e);
void cg_close(struct cg *c);
/** cg_apply() - Write the limits; only what is given. @update: devices are left alone (contract 1.12). */
int cg_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log, struct err *e);
/** cg_enter_fd() - v2: directory fd for CLONE_INTO_CGROUP (borrowed). -EOPNOTSUPP on v1: use cg_enter_pid(). */
int cg_enter_fd(const struct cg *c);
/** cg_enter_pid() - Write @pid to cgroup.procs of every hierarchy (not those a v2 clone entered already). */
int cg_enter_pid(const struct cg *c, pid_t pid, struct err *e);
/**
 * cg_enter_prepare() - v1: open the task files through which a new process enters by itself.
 *
 * To move another process, or a whole one, the kernel stops every fork of the
 * machine, which costs an RCU grace period (12 ms measured). A thread that
 * moves only itself skips that (since 5.6) and enters nine hierarchies in
 * 0.1 ms. So the worker calls this before it clones, and the new process, while
 * it has one thread, calls cg_enter_self(). Nothing to do on v2.
 */
int cg_enter_prepare(struct cg *c, struct err *e);
/**
 * cg_enter_self() - Called in the new process: enter every hierarchy prepared. Only raw write(2)s.
 * Before unshare(CLONE_NEWCGROUP), or the namespace shows the parent's place as the root.
 */
int cg_enter_self(const struct cg *c, struct err *e);
/** cg_enter_below() - Exchange the directories of @c for sub-cgroups: "PATH", or "CONTROLLER,...:PATH" each (v1). */
int cg_enter_below(struct cg *c, const char *const *paths, size_t n, struct err *e);
/** cg_enter_beside() - v2: exchange the directory for the sub-cgroup that @pid is in; -ENOENT: it is in none. */
int cg_enter_beside(struct cg *c, pid_t pid);
/** cg_freeze() - Freeze or thaw and wait until it is so (bounded); thaws again when it fails. */
int cg_freeze(const struct cg *c, bool frozen, struct err *e);
/** cg_frozen() - 1 frozen, 0 not, -errno. */
int cg_frozen(const struct cg *c);
/** cg_frozen_at() - The same by path: one file is read, nothing else opened. */
int cg_frozen_at(const struct cg_host *host, const char *path);
/** cg_pids() - All pids of the cgroup's tree, in our pid namespace. @pids: heap array, caller frees. */
int cg_pids(const struct cg *c, pid_t **pids, size_t *n, struct err *e);
/** cg_kill() - Send @sig to every process of the tree; SIGKILL by cgroup.kill or in a freeze loop until empty. */
int cg_kill(const struct cg *c, int sig, struct err *e);
/** cg_remove() - rmdir the tree, children first, retrying EBUSY with back-off up to about 2 s. Absent: success. */
int cg_remove(const struct cg_host *host, const char *path, struct err *e);
/** cg_remove_empty() - The same where nothing is left in it, in one pass. -EBUSY: kill what is there, then cg_remove(). */
int cg_remove_empty(const struct cg_host *host, const char *path);
/**
 * cg_delegate() - chown the cgroup to a user namespace's root (v2 delegate files; contract 3.2).
 */
int cg_delegate(const struct cg *c, uid_t uid, struct err *e);

/* ---- OOM watch: facts only, policy is the shim's ---- */
/**
 * struct cg_watch - Two fds that travel between processes.
 * v2: @event an inotify fd on memory.events, @source an fd of memory.events.
 * v1: @event an eventfd registered for memory.oom_control, @source an fd of memory.oom_control.
 */
struct cg_watch { int event, source; bool v2; uint64_t seen; };
int cg_watch_open(const struct cg *c, struct cg_watch *w, struct err *e);	/* -EOPNOTSUPP: no memory controller */
/**
 * cg_watch_read() - New OOM kills since the last call; drains the event fd; never blocks.
 * Return: count >= 0 (0 also when the cgroup is gone), or -errno.
 */
int cg_watch_read(struct cg_watch *w);
void cg_watch_close(struct cg_watch *w);
/**
 * cg_oom_kills() - OOM kills that the container's cgroup has ever seen, for who does not watch it.
 * @begin: nobody has entered it yet: there were none, without a look, if cg_make() has made it.
 *
 * Return: count, or -errno where nobody counts.
 */
int64_t cg_oom_kills(const struct cg *c, bool begin);

/* ---- statistics: superset of the v1 and v2 metrics messages (contract shim 5) ---- */
#define CG_STAT_DEVICES_MAX 64
#define CG_STAT_HUGE_MAX 8
#define CG_STAT_CPUS_MAX 1024
struct cg_psi_line { double avg10, avg60, avg300; uint64_t total; };
struct cg_psi { bool present; struct cg_psi_line some, full; };
struct cg_stat_io { uint64_t major, minor, rbytes, wbytes, rios, wios; };
struct cg_stat_huge { char size[16]; uint64_t usage, max, limit, failcnt; };
struct cg_stat_mem_counter { uint64_t usage, max, failcnt, limit; };
struct cg_stats {
	bool v2;
	struct { uint64_t current, limit; } pids;
	struct {
		uint64_t usage_us, user_us, system_us, nr_periods, nr_throttled, throttled_us, nr_bursts, burst_us;
		struct cg_psi psi;
		/* v1 only, nanoseconds */
		uint64_t v1_total_ns, v1_kernel_ns, v1_user_ns, v1_throttled_ns;
		uint64_t *per_cpu_ns; size_t n_cpu;	/* arena */
	} cpu;
	struct {
		/* memory.stat in the order of the contract's v2 list, 1..31, at index field-1 */
		uint64_t v2_stat[31];
		uint64_t usage, limit, swap_usage, swap_limit, peak, swap_peak;
		struct cg_psi psi;
		/* v1: memory.stat in the order of the contract's v1 list, 1..32, at index field-1 */
		uint64_t v1_stat[32];
		struct cg_stat_mem_counter v1_usage, v1_swap, v1_kernel, v1_kernel_tcp;
		uint64_t v1_oom_kill_disable, v1_under_oom, v1_oom_kill;
		uint64_t ev_low, ev_high, ev_max, ev_oom, ev_oom_kill, ev_oom_group_kill;
	} memory;
	struct { struct cg_stat_io dev[CG_STAT_DEVICES_MAX]; size_t n; struct cg_psi psi; } io;	/* v2; v1: cg_detail */
	struct { struct cg_stat_huge v[CG_STAT_HUGE_MAX]; size_t n; } huge;
	bool has_memory, has_pids, has_cpu;
};
int cg_stats(const struct cg *c, struct cg_stats *s, struct arena *a, struct err *e);

/* ---- what some want beside cg_stats; all memory is the arena's ---- */
enum cg_wanted {
	CG_FOR_METRICS,		/* what containerd's messages hold (contract shim 5) */
	CG_FOR_EVENTS,		/* what `events` prints (contract oci-runtime 1.11) */
};
enum cg_io_table {
	CG_IO_BYTES, CG_IO_SERVICED, CG_IO_QUEUED, CG_IO_SERVICE_TIME, CG_IO_WAIT_TIME, CG_IO_MERGED, CG_IO_TIME,
	CG_IO_SECTORS, CG_IO_TABLES
};
struct cg_io_value { uint64_t major, minor, value; const char *op; };	/* op "" for none */
enum cg_cpuset_flag {
	CG_CPU_EXCLUSIVE, CG_MEM_HARDWALL, CG_MEM_EXCLUSIVE, CG_MEMORY_MIGRATE, CG_MEMORY_SPREAD_PAGE,
	CG_MEMORY_SPREAD_SLAB, CG_MEMORY_PRESSURE, CG_SCHED_LOAD_BALANCE, CG_CPUSET_FLAGS
};
struct rdt_stats;
struct cg_tasks { bool known; uint64_t sleeping, running, stopped, uninterruptible, io_wait; };
struct cg_detail {
	struct objv io[CG_IO_TABLES];		/* struct cg_io_value; metrics: v1 */
	uint64_t *per_cpu_kernel_ns, *per_cpu_user_ns;	/* events, v1 */
	size_t n_cpu;
	uint64_t stat_kernel_ns, stat_user_ns;	/* events, v1: cpuacct.stat, in whole ticks */
	struct {				/* events, v1 */
		struct u32v cpus, mems;
		uint64_t flags[CG_CPUSET_FLAGS];
		int64_t sched_relax_domain_level;
	} cpuset;
	struct objv rdma_current, rdma_max;	/* struct cg_rdma; UINT32_MAX: no limit */
	struct cg_tasks tasks;			/* metrics, v1 */
	struct strmap memory;			/* events: memory.stat, every line, sorted by key; values as the kernel wrote them */
	const struct rdt_stats *rdt;		/* the caller's to fill in; NULL: none */
};
/** cg_detail() - Read what cg_stats() has no room for. What is absent or not @wanted is empty. Return: 0 or -ENOMEM. */
int cg_detail(const struct cg *c, enum cg_wanted wanted, struct cg_detail *d, struct arena *a, struct err *e);
#endif

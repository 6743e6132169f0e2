/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_PROBE_H
#define CLEAT_PROBE_H
#include <stdint.h>
#include "arena.h"
#include "cgroup.h"
#include "cleat.h"
#include "spec.h"

/*
 * `cleat check`: what the host can do, and what a bundle asks of it. A probe
 * asks the kernel in a way that changes nothing: a call with arguments that
 * it refuses, a file that it shows, an object that is gone with its fd.
 */

/** enum probe_id - Rows of the table in host order. */
enum probe_id {
	PROBE_KERNEL, PROBE_CLONE3, PROBE_INTO_CGROUP, PROBE_OPENAT2, PROBE_MOUNT_API, PROBE_MOUNT_SETATTR,
	PROBE_CLOSE_RANGE, PROBE_PIDFD, PROBE_PIDFD_SETNS,
	PROBE_PRIVILEGE, PROBE_CAP_RESOURCE, PROBE_CAP_MKNOD, PROBE_CAP_NET_ADMIN, PROBE_IDMAP_TOOLS,
	PROBE_NS_MNT, PROBE_NS_PID, PROBE_NS_NET, PROBE_NS_IPC, PROBE_NS_UTS, PROBE_NS_CGROUP,
	PROBE_NS_USER, PROBE_NS_TIME,
	PROBE_CG_LAYOUT, PROBE_CG_CPU, PROBE_CG_CPUSET, PROBE_CG_MEMORY, PROBE_CG_SWAP, PROBE_CG_PIDS, PROBE_CG_IO,
	PROBE_CG_DEVICES, PROBE_CG_FREEZER, PROBE_CG_HUGETLB, PROBE_CG_RDMA, PROBE_CG_KILL,
	PROBE_SYSTEMD,
	PROBE_SECCOMP, PROBE_SECCOMP_NOTIFY, PROBE_APPARMOR, PROBE_SELINUX, PROBE_KEYRINGS,
	PROBE_RESCTRL,
	PROBE_MAX
};

struct probe_ctx {
	struct arena *a;
	const struct log *log;
	struct cg_host host;
	uint64_t caps;				/* effective, of this process */
	struct cleat_finding found[PROBE_MAX];
	int (*cb)(const struct cleat_finding *f, void *arg);
	void *arg;
};

/** struct probe - One question. */
struct probe {
	const char *group, *name;
	/** @run: sets verdict and detail, and may set remedy. */
	void (*run)(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
	const char *remedy;			/* when it is missing, or partly there */
	int64_t value;				/* for @run */
	const char *word;
};
extern const struct probe probes[PROBE_MAX];

/** probe_say() - Set @f's verdict and detail (formatted into the arena). */
void probe_say(struct probe_ctx *c, struct cleat_finding *f, enum cleat_verdict v, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** probe_text() - A small file as text without its newline, in the arena; NULL when it cannot be read. */
char *probe_text(struct probe_ctx *c, const char *path);

/* syscalls.c */
void probe_call(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_into_cgroup(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_pidfd_setns(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_seccomp(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_keyrings(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
/* cgroups.c */
void probe_cg_layout(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_cg_controller(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_cg_swap(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_cg_devices(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_cg_freezer(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
void probe_cg_kill(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f);
/* bundle.c */
int probe_bundle(struct probe_ctx *c, const char *bundle, const char *config, struct err *e);
#endif

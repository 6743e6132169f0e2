/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CREATE_H
#define CLEAT_CREATE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "cgroup.h"
#include "cleat.h"
#include "join.h"
#include "process.h"
#include "spec.h"
#include "stage.h"
#include "steps.h"
#include "store.h"
#include "sync.h"
#include "unit.h"

/* The host stage of create: what its steps share, and those of them that are about the container's cgroup. */

/** struct host_ctx - A container that is being made, seen by the worker. */
struct host_ctx {
	const struct cleat_env *env;
	const struct cleat_create *req;
	struct cleat_process *out;	/* the caller's; filled before its @ready is called */
	struct arena *arena;
	const char *bundle, *rootpath, *cgroup;	/* absolute; cgroup "" for none */
	int bundlefd, rootdir, procfd, fifo;
	struct spec *spec;
	struct process process;
	struct join_set join;
	uint64_t new_ns, listed_ns;
	bool new_cgroupns, userns, idmaps;
	struct store store;
	struct state state;
	struct cg_host host;
	struct cg_unit unit;		/* of systemd; name NULL: the cgroup is ours */
	struct cg cg;
	enum net_maker net_maker;
	bool has_cg, cloned_in;		/* made; init was born in it */
	bool has_unit;
	bool no_cg;			/* it may not be made, and nothing needs it */
	bool gone;			/* let go: SYNC_GO for SYNC_READY is sent */
	uid_t euid;
	int tree, *sources;
	const char *keyring;	/* "" for none */
	const char *context;	/* "context=" and mountLabel; NULL: none */
	int sock, child_sock;
	pid_t pid;
	int pidfd, console;
	struct cg_watch oom;
	int64_t oom_kills;		/* without a watch: before init entered; < 0: nobody counts */
	struct rdt_group rdt;		/* name NULL: none */
};

STAGE(host, STAGE_HOST);

/** host_answer() - Send init, which waits, SYNC_GO or the like. Died already: success, supervise tells why. */
int host_answer(struct host_ctx *c, enum sync_type type, const int *fds, size_t n, struct err *e);

/* ---- create_cgroup.c ---- */
/** host_cgroup_path() - Learn the host's layout; whether systemd makes the cgroup, and where it will be. */
int host_cgroup_path(struct host_ctx *c, struct err *e);
/**
 * host_cgroup() - v2: the step that makes the cgroup before the clone, for init is born in it.
 * Its limits are written while init mounts, see host_limits().
 */
int host_cgroup(struct host_ctx *c, struct err *e);
/** host_cgroup_undo() - End what is in the cgroup, and remove it; also one that host_placement() made. */
void host_cgroup_undo(struct host_ctx *c);
/** host_delegate() - Whoever runs the container's first program may manage the cgroups below its own. */
int host_delegate(struct host_ctx *c, struct err *e);
/**
 * host_placement() - The step that places an init that was not born in its cgroup, and tells it so.
 *
 * v1: the directories are made only now, while init mounts, and init enters them by itself. A scope of systemd's
 * is made of a process. v2 without CLONE_INTO_CGROUP: the pid is written to cgroup.procs.
 */
int host_placement(struct host_ctx *c, struct err *e);
/**
 * host_limits() - The step that writes the limits of a v2 cgroup: late, since to load and attach a device
 * program takes the kernel longer than all else that is done for it.
 */
int host_limits(struct host_ctx *c, struct err *e);

/* ---- rdt_ops.c ---- */
/** host_rdt() - Which resctrl group the container is for, before its state is written. */
int host_rdt(struct host_ctx *c, struct err *e);
/** host_rdt_group() - Make that group. */
int host_rdt_group(struct host_ctx *c, struct err *e);
void host_rdt_undo(struct host_ctx *c);
/** host_rdt_enter() - Put init into it. */
int host_rdt_enter(struct host_ctx *c, struct err *e);
#endif

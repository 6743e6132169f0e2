/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_STEPS_H
#define CLEAT_STEPS_H
#include <limits.h>
#include <stdbool.h>
#include "err.h"
#include "join.h"
#include "process.h"
#include "rootfs.h"
#include "spec.h"

/*
 * The contexts of the stages between clone and execve. Each holds what that
 * stage may use and nothing else; fds are owned by the process that runs it.
 */

#define SEAL_FEW 64
/** struct seal_ctx - Dropping privilege up to execve; the same for init and exec'ed processes. */
struct seal_ctx {
	const struct process *p;
	bool init;			/* the container's first process, not an exec'ed one */
	bool ask;			/* the worker lets us go; else it is only told that we are ready */
	int sock;			/* to the worker; closed by execve, or before the gate */
	int procfd;			/* the host's procfs */
	int fifo;			/* the gate; -1: none */
	int stdio[3];			/* -1: keep ours; not used with a terminal */
	bool console_done;		/* 0, 1, 2 are the terminal already */
	bool bare_newlines;		/* the terminal adds no carriage returns: that of who copies from it will */
	int preserve_fds;
	bool limits;			/* the worker must set them; else rlimits and oom_score_adj are our own work */
	bool dumpable;			/* at the gate, to be joined by an unprivileged caller */
	const struct objv *start_hooks;	/* startContainer; NULL: none */
	const char *state;		/* document for these hooks */
	/* worked out by the steps */
	char **argv, **envp;
	char *few[SEAL_FEW];		/* both, where that is enough */
	char exe[PATH_MAX];
	int gate;			/* write end, after the gate */
};
/** seal_main() - Run the seal stage. Never returns. */
void seal_main(struct seal_ctx *c) __attribute__((noreturn));

/** enum net_maker - Who makes a new network namespace: it comes with the clone, or later. */
enum net_maker {
	NET_BY_CLONE,
	NET_BY_INIT,
	NET_BY_WORKER,		/* it sends NETWORK */
};
/** struct init_ctx - The container's first process, from clone to pivot_root. */
struct init_ctx {
	const struct spec *spec;
	struct seal_ctx seal;
	struct rootfs rf;
	struct join_set join;
	int left;			/* CLONE_NEW* still to join */
	uint64_t new_ns;		/* CLONE_NEW* that are new */
	bool new_cgroupns;
	bool late_ipc;			/* make the ipc namespace as root of the user namespace */
	bool own_clocks;		/* make the time namespace, ask the worker for its offsets, enter it */
	bool wait_maps;			/* a new user namespace: the worker maps ids first */
	enum net_maker net_maker;
	bool networked;			/* it has come from the worker, and been entered */
	bool wait_net;			/* the worker moves network devices in */
	mode_t umask;			/* the caller's, for hooks */
	bool dumpable;			/* born so, for the worker's sake; no longer than it needs */
	bool wait_placed;		/* not born in its cgroup: the worker sends CGROUP */
	bool placed;
	bool runtime_hooks;		/* the worker runs prestart and createRuntime */
	const char *keyring;		/* session keyring to join; NULL: none */
	const char *hook_state;		/* document for createContainer */
};
/** init_main() - Run the init, root and seal stages. Never returns. */
void init_main(struct init_ctx *c) __attribute__((noreturn));

/** struct join_ctx - An exec'ed process that enters a running container. */
struct join_ctx {
	struct seal_ctx seal;
	struct join_set join;
	int pidfd;			/* join @left of this process; -1: by the set */
	int left;
	struct cg *cg;			/* to enter by ourselves (v1), prepared; NULL: none, or born in it */
	const char *keyring;		/* "" for none */
	bool userns;			/* the container has a user namespace */
	int sock_too;			/* a further fd to keep; -1: none */
	bool entered;			/* join_enter_first() was run */
};
/**
 * join_enter_first() - Enter the cgroup and close what the process may not have; by a mid child (nsenter/launch.h)
 * before it enters the container, else by join_main().
 */
int join_enter_first(struct join_ctx *c, struct err *e);
/** join_main() - Run the join and seal stages. Never returns. */
void join_main(struct join_ctx *c) __attribute__((noreturn));

/* ---- shared by the stages ---- */
/** stage_begin() - First acts in a new process: own session, default signals, its name in ps. */
int stage_begin(const char *name, struct err *e);
/** stage_keyring() - Join the container's session keyring; NULL or "": keep ours. */
int stage_keyring(const char *name, bool userns, const struct seal_ctx *c, struct err *e);
/**
 * limits_apply() - Set @p's rlimits and oom_score_adj. What is in force already needs no privilege.
 * @pid: the process; 0: the calling one. @procfd: handle of proc_open().
 */
int limits_apply(const struct process *p, pid_t pid, int procfd, struct err *e);
/** stage_exit() - Report @e to the worker (or at the gate) and exit. */
void stage_exit(int sock, int gate, const struct err *e) __attribute__((noreturn));
/**
 * console_make() - Allocate a pty in the devpts below @rootfd, make it the controlling terminal and 0, 1, 2,
 * and send its master over @c's socket. @bind: also bind it to /dev/console.
 */
int console_make(int rootfd, struct seal_ctx *c, struct mnt_env *bind, struct err *e);
/** lookup_executable() - Find p->args[0] as execvp would, with the texts that callers parse. */
int lookup_executable(const struct process *p, char *out, size_t size, struct err *e);
/** lookup_home() - HOME of @uid by the container's /etc/passwd (bounded), "/" when there is none. */
void lookup_home(int rootfd, uint32_t uid, char *out, size_t size);
#endif

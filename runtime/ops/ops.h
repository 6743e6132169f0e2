/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_OPS_H
#define CLEAT_OPS_H
#include "cgroup.h"
#include "cleat.h"
#include "process.h"
#include "spec.h"
#include "store.h"
#include "unit.h"

/* What operations share. Context of all of it: host stage. */

/**
 * struct supervise - The worker's side of the conversation with a process it made.
 */
struct supervise {
	const struct log *log;
	int sock;		/* our end */
	int procfd;
	pid_t pid;
	int pidfd;
	const struct process *p;
	const struct state *state;	/* of the container, and its status, for a seccomp listener's document */
	enum cleat_status status;
	int console;		/* the pty master, once it came */
	int (*hooks)(void *arg, struct err *e);	/* answers SYNC_HOOKS */
	void *arg;
};
/** supervise_until_ready() - Serve requests until SYNC_READY, which is left unanswered. */
int supervise_until_ready(struct supervise *s, struct err *e);
/** supervise_until_exec() - After the answer: 0 once execve closed the socket, or why it did not happen. */
int supervise_until_exec(struct supervise *s, struct err *e);
struct sync_msg;
/** listener_give() - Answer SYNC_LISTENER @m, which came with @fd or -1: send the listener to p->listener_path. */
int listener_give(const struct supervise *s, const struct sync_msg *m, int fd, struct err *e);
/** notify_prepare() - What cleat_create.notify asks for: the directory, its mount in @s, the variable in @p. */
int notify_prepare(const struct store *st, const char *root, struct spec *s, struct process *p, struct arena *a,
		   struct err *e);
/** supervise_died() - Why a process ended the conversation: @m is its last message if @r is 1. Return: -errno. */
int supervise_died(const struct sync_msg *m, int r, struct err *e);

/**
 * deletion_of_new() - For create: what is needed to delete the container that it has just made.
 * @a: takes it. @host: NULL: not known beyond create. @store: unlocked and moved on success. @procfd: taken then.
 * Return: for cleat_delete_prepared(), or NULL: what it must know is only in the state directory.
 */
struct cleat_deletion *deletion_of_new(struct arena *a, const struct cg_host *host, const struct state *st,
				       struct store *store, int *procfd);

/** struct container - An opened container: what most operations begin with. */
struct container {
	struct store store;
	struct state state;
	struct arena arena;
	struct cg_host host;
	int procfd;
	enum cleat_status status;
	bool unreadable;	/* container_open() failed for state.json: missing or damaged */
	ARENA_ROOM(room, 1536);	/* of the arena, from container_open() on: it is not moved then */
};
#define CONTAINER_INIT { .store = STORE_INIT, .procfd = -1 }
/** container_open() - Open, lock, load, derive the status. -ENOENT: "container does not exist". */
int container_open(struct container *c, const struct cleat_env *env, const char *id, enum store_lock lock,
		   struct err *e);
/**
 * container_open_pidfd() - The same with a pidfd of init, to which the status belongs: store_pidfd() without looking
 * at init twice. @pidfd: -1 if it is not alive; -ENOSYS on old kernels, or another error of pidfd_open.
 */
int container_open_pidfd(struct container *c, const struct cleat_env *env, const char *id, enum store_lock lock,
			 int *pidfd, struct err *e);
/** op_cgroups() - What @env knows of the host's cgroups, or else the kernel; strings may live in @a. */
int op_cgroups(const struct cleat_env *env, struct cg_host *host, struct arena *a, struct err *e);
/** container_look() - Derive the status once more. */
void container_look(struct container *c);
void container_close(struct container *c);
#define auto_container __attribute__((cleanup(container_close))) struct container
/** container_cgroup() - Open the container's cgroup. -ENOENT with @e set when it has none. */
int container_cgroup(struct container *c, struct cg *cg, struct err *e);
/** container_enter() - The same for a process that is to enter it, by cg_open_to_enter(). */
int container_enter(struct container *c, struct cg *cg, struct err *e);
/** container_hook_state() - The document for hooks; heap, NULL when out of memory. */
char *container_hook_state(const struct state *st, enum cleat_status status, pid_t pid);
/** container_poststart() - Run the poststart hooks. When one fails, the container is to be killed and deleted (spec 1.3). */
int container_poststart(const struct state *st, const struct log *log, struct err *e);
/** container_not_running() - The error of operations that need a live container. */
int container_not_running(const char *id, struct err *e);
/**
 * op_unit() - The systemd unit of a container to be made.
 * @u: name NULL when its cgroup is not systemd's business.
 *
 * Asked for by the caller, or by the form of cgroupsPath where systemd runs.
 * Return: 0, ERR_SPEC, or ERR_UNSUPPORTED when the helper program is not installed.
 */
int op_unit(const struct cleat_env *env, const char *id, const char *cgroups_path, const struct cg_host *host,
	    struct arena *a, struct cg_unit *u, struct err *e);
/**
 * op_unit_stop() - Stop a container's unit, if it is there still; nothing of it may run any more.
 * Return: may the cgroup be removed? Else systemd does it as soon as it comes to it.
 */
bool op_unit_stop(const struct container *c, const struct log *log);
/** op_reap() - Wait for the death of a process we killed: by waitpid if it is our child, else by pidfd. */
void op_reap(const struct cleat_env *env, pid_t pid, int pidfd);
/** op_give_pidfd() - Send a container's pidfd, and its id as the text, to the socket that an annotation names. */
int op_give_pidfd(const char *path, const char *id, int pidfd, struct err *e);
/** op_rdt_enter() - Put @pid into a container's resctrl group, if it has one. */
int op_rdt_enter(const struct rdt_group *g, const char *id, pid_t pid, struct err *e);
/** op_rdt_remove() - Remove what was made of it. */
void op_rdt_remove(const struct rdt_group *g, const char *id);
/** op_rdt_stats() - What it counts; *@out is NULL where there is none. Return: 0 or -ENOMEM. */
int op_rdt_stats(const struct rdt_group *g, const char *id, struct arena *a, const struct rdt_stats **out);
/* ---- rootless.c: callers without the host's privileges ---- */
/** rootless_is() - env->rootless, worked out where it says auto. Only after a failure: it reads files. */
bool rootless_is(const struct cleat_env *env);
/** rootless_own_id() - Is @map (struct spec_idmap) what the kernel lets anybody write: @id alone? */
bool rootless_own_id(const struct objv *map, uint32_t id);
/** rootless_check() - What a config.json must have, and may not have, when the caller is not root. */
int rootless_check(const struct spec *s, struct err *e);
/**
 * rootless_no_cgroup() - After the cgroup could not be made: does the container go without?
 * Yes, as long as neither a limit nor a path is asked for; else @e is made to name what needs it.
 */
int rootless_no_cgroup(const struct cleat_env *env, const struct spec *s, bool own_pidns, struct err *e);
/**
 * rootless_no_filter() - After a failure of cg_apply(): was it for the device filter alone, and is that no matter?
 * Who has no right to filter devices has none to make nodes either: the host's are bound, one by one, and
 * opened as what the caller is there.
 */
int rootless_no_filter(const struct cleat_env *env, const struct cg *cg, struct err *e);
/** op_net_counters() - What cleat_stats() tells in @net. Return: 0 or -ENOMEM. */
int op_net_counters(const struct container *c, struct objv *out, struct arena *a);
/** net_counters_parse() - struct cleat_net of /proc/net/dev's lines, which are cut up. Return: 0 or -ENOMEM. */
int net_counters_parse(char *text, struct objv *out, struct arena *a);
/**
 * rootless_oom_inherit() - Take oom_score_adj ourselves, for the clone to inherit.
 *
 * The file of another process that is not dumpable is not ours to write. @old: for rootless_oom_restore()
 * after the clone.
 */
void rootless_oom_inherit(int procfd, const struct process *p, int *old);
void rootless_oom_restore(int procfd, int old);
#endif

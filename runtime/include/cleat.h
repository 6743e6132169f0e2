/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_H
#define CLEAT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "cgroup.h"
#include "err.h"
#include "log.h"
#include "loop.h"

/*
 * libcleat: the engine. Front ends see this header and nothing else of it.
 *
 * Functions take everything by argument, never exit, never log an error and
 * leave umask and signal dispositions alone. They block (lock, kernel,
 * hooks): the CLI calls them in its own process, the shim in forked workers.
 * A process that calls cleat_create(), cleat_exec() or cleat_restore must be
 * single-threaded, and when env->parent_clone is set must not be PID 1 of a
 * pid namespace and must have a subreaper for a parent.
 */

#define CLEAT_VERSION "0.1.0"
#define CLEAT_SPEC_VERSION "1.3.0"

/** struct cleat_env - What every operation needs. All pointers are borrowed. */
struct cleat_env {
	const char *root;		/* state root, absolute: "/run/cleat" */
	const struct log *log;		/* warnings and debug; may be NULL */
	bool parent_clone;		/* make containers' processes children of our parent (shim's workers) */
	int rootless;			/* without a right to cgroups or device rules, and with no need of them, go on: 1, 0; -1: auto */
	bool systemd_cgroup;		/* create only: cgroupsPath is slice:prefix:name, systemd makes the cgroup */
	bool no_cgroups;		/* create only: the container stays in the caller's cgroups, limits are refused */
	const struct cg_host *cgroups;	/* where hierarchies are mounted and we are in them; NULL: found out each time */
	/**
	 * @on_process: called right after a process exists and before anything can fail, with its
	 * pid and pidfd (borrowed; -1 on old kernels), so that a shim knows it whatever happens next.
	 */
	int (*on_process)(void *arg, pid_t pid, int pidfd);
	void *arg;
	/**
	 * @idle_close: NULL, or an fd (-1: none) to close while a new process sets itself up. The last close of
	 * a detached mount waits for an RCU grace period, up to 0.7 ms that nobody else then has to wait.
	 */
	int *idle_close;
};

enum cleat_status { CLEAT_CREATING, CLEAT_CREATED, CLEAT_RUNNING, CLEAT_PAUSED, CLEAT_STOPPED };
/** cleat_status_name() - "creating", "created", "running", "paused", "stopped". */
const char *cleat_status_name(enum cleat_status s);

/** struct cleat_stdio - fds for 0, 1, 2 of the process; borrowed; -1: the caller's own 0, 1, 2. */
struct cleat_stdio { int in, out, err; };
#define CLEAT_STDIO_INHERIT ((struct cleat_stdio){ -1, -1, -1 })

/** struct cleat_process - What create and exec hand out. fds are the caller's to close. */
struct cleat_process {
	pid_t pid;
	int pidfd;		/* -1 on kernels below 5.2 */
	int console;		/* pty master when the process has a terminal, else -1 */
	struct cg_watch oom;	/* create only; event and source -1 when there is nothing to watch */
	bool own_pidns;		/* create only: killing init kills all of it */
	bool poststart;		/* create only: its start has hooks to run */
};
#define CLEAT_PROCESS_INIT ((struct cleat_process){ 0, -1, -1, { -1, -1, false, 0 }, false, false })
void cleat_process_close(struct cleat_process *p);

#define CLEAT_NOTIFY_DIR "notify"
#define CLEAT_NOTIFY_NAME "notify.sock"
struct cleat_deletion;
struct cleat_create {
	const char *id;
	const char *bundle;		/* directory; made absolute by the callee */
	const char *config;		/* file; NULL: config.json of the bundle */
	struct cleat_stdio stdio;	/* ignored with a terminal */
	int preserve_fds;		/* fds 3 .. 3+N-1 of the caller go to the process */
	const char *const *env_add; size_t n_env;	/* "NAME=VALUE", put over the spec's environment */
	bool no_pivot, no_new_keyring;
	/**
	 * @notify: show the container a directory for the socket CLEAT_NOTIFY_NAME, which the caller makes in
	 * CLEAT_NOTIFY_DIR below the container's state directory, and name it in the environment.
	 */
	bool notify;
	/** @watch_oom: the caller wants @out's watch for OOM kills. */
	bool watch_oom;
	/** @terminal: -1 as the spec says; 0 or 1: what the caller expects, else ERR_SPEC. */
	int terminal;
	/**
	 * @detached_console: the terminal's master goes to somebody else. Else the caller copies from it to a terminal
	 * of its own, which turns newlines around; this one does not then.
	 */
	bool detached_console;
	/**
	 * @ready: NULL: the process waits at the gate for cleat_start(). Else there is no gate (`run`): called
	 * once the process is set up and state.json complete, with the caller's own @out filled in; when it
	 * returns 0 the program is let go, and cleat_create() returns when it runs, poststart hooks included.
	 */
	int (*ready)(void *arg, const struct cleat_process *p, struct err *e);
	void *ready_arg;
	/** @ready_early: nothing that @ready does shows outside: it may be called, and the program run, ahead of state.json */
	bool ready_early;
	/**
	 * @deletion: NULL, or takes what cleat_delete_prepare() would open, where create has it at hand; else NULL.
	 * With @ready only, and for the same env. @arena: takes it, and outlives it as @id does.
	 */
	struct cleat_deletion **deletion;
	struct arena *arena;
};
/**
 * cleat_create() - Everything up to the gate: the process exists, confined and
 * set up, and waits for cleat_start(). state.json is complete on return.
 * On failure nothing is left, and @out is CLEAT_PROCESS_INIT.
 */
int cleat_create(const struct cleat_env *env, const struct cleat_create *req,
		 struct cleat_process *out, struct err *e);

/** cleat_start() - Open the gate; returns when the program runs (execve done), poststart hooks included. */
int cleat_start(const struct cleat_env *env, const char *id, struct err *e);
/** struct cleat_starting - A start under way, for a caller with a loop. fds are the struct's. */
struct cleat_starting {
	int gate;		/* to be polled for input */
	int dir, lock;
	bool passed;		/* init is through */
};
#define CLEAT_STARTING_INIT ((struct cleat_starting){ -1, -1, -1, false })
/**
 * cleat_start_try() - Begin what cleat_start() does, waiting for nobody. For a container that the caller made, that
 * has no poststart hooks, and that it has not started.
 * @news: the socket "news" in its state directory, where other programs tell of what they do to it.
 * Return: 0: cleat_start_hear() follows. Else nothing has been done, and cleat_start() will.
 */
int cleat_start_try(const char *root, const char *id, int news, struct cleat_starting *s);
/**
 * cleat_start_hear() - @s->gate is readable, or init has died: then twice, for it has up to two things to say.
 * Return: -EAGAIN: not yet; 0: the program runs; else it does not.
 */
int cleat_start_hear(struct cleat_starting *s, const char *id, struct err *e);
/** cleat_start_unlock() - Give the container's lock up: cleat_start() may take over, as long as @s stays open. */
void cleat_start_unlock(struct cleat_starting *s);
/** cleat_start_end() - Close it and give the container's lock up. */
void cleat_start_end(struct cleat_starting *s);

struct cleat_exec {
	const char *id;
	/** @process_json: OCI process document (borrowed, need not be terminated), or NULL: @args and defaults. */
	const char *process_json; size_t process_len;
	/* overlay on the container's own process; all may be zero */
	const char *const *args; size_t n_args;
	const char *cwd;
	const char *const *env_add; size_t n_env;
	const char *user;		/* "UID[:GID]", strict */
	const uint32_t *additional_gids; size_t n_gids;
	const char *const *caps; size_t n_caps;
	int no_new_privs;		/* -1 as is, 1 set */
	const char *apparmor, *process_label;	/* AppArmor profile, SELinux label; NULL or "": the container's */
	int terminal;			/* -1: as the document says, 0, 1: overrides it */
	uint16_t rows, columns;		/* of the terminal; 0, 0: as the document says */
	bool foreground_console;	/* the opposite of struct cleat_create's detached_console */
	/** @cgroups: sub-cgroups that exist: "PATH" alone, or "CONTROLLER[,CONTROLLER]:PATH" each (v1) */
	const char *const *cgroups; size_t n_cgroups;
	bool ignore_paused;
	struct cleat_stdio stdio;
	int preserve_fds;
};
/** cleat_exec() - Run a process in a container; returns when it runs (execve done) or has failed. */
int cleat_exec(const struct cleat_env *env, const struct cleat_exec *req,
	       struct cleat_process *out, struct err *e);

/** cleat_kill() - Signal init, or with @all every process of its cgroup. SIGKILL thaws and, without an own pid ns, means all. */
int cleat_kill(const struct cleat_env *env, const char *id, int sig, bool all, struct err *e);

/** cleat_delete() - Remove a stopped (created: killed first) container; @force: any; absent with @force: success. */
int cleat_delete(const struct cleat_env *env, const char *id, bool force, struct err *e);
/**
 * cleat_delete_prepare() - Open, while the program still runs, what its deletion needs; nothing is locked.
 * @a: takes it.
 *
 * Return: for cleat_delete_prepared(), or NULL: then cleat_delete() will tell why.
 */
struct cleat_deletion *cleat_delete_prepare(const struct cleat_env *env, const char *id, struct arena *a);
/** cleat_delete_prepared() - As cleat_delete() without force; @d is freed, and may be NULL. */
int cleat_delete_prepared(const struct cleat_env *env, struct cleat_deletion *d, const char *id, struct err *e);
/** cleat_deletion_free() - For one that is not carried out; @d may be NULL. */
void cleat_deletion_free(struct cleat_deletion *d);

int cleat_pause(const struct cleat_env *env, const char *id, struct err *e);
int cleat_resume(const struct cleat_env *env, const char *id, struct err *e);

/** cleat_pids() - Every process of the container's cgroup tree; heap array, caller frees. */
int cleat_pids(const struct cleat_env *env, const char *id, pid_t **pids, size_t *n, struct err *e);
/** struct cleat_net - What a network device of a container has counted. */
struct cleat_net {
	char name[16];			/* as the container named it: any bytes */
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};
/**
 * cleat_stats() - Statistics of the container.
 * @wanted: what @d is filled with.
 * @net:    struct cleat_net of the devices (but lo) of its network namespace, none when that is ours or it has
 *          stopped; NULL: not wanted. Its memory and that of @d is @a's.
 */
int cleat_stats(const struct cleat_env *env, const char *id, enum cg_wanted wanted, struct cg_stats *s,
		struct cg_detail *d, struct objv *net, struct arena *a, struct err *e);
/**
 * cleat_watch() - pid, pidfd and OOM watch of a container that is not stopped, for whoever waits for its end.
 * oom.event is -1 where there is nothing to watch. Needs no lock and holds none.
 */
int cleat_watch(const struct cleat_env *env, const char *id, struct cleat_process *out, struct err *e);
/** cleat_update() - Apply a LinuxResources JSON document. */
int cleat_update(const struct cleat_env *env, const char *id, const char *json, size_t len, struct err *e);
/**
 * cleat_update_rdt() - Give a container's resctrl group other schemata; NULL or "": as it was.
 * Return: 0, or ERR_STATE when it was made without.
 */
int cleat_update_rdt(const struct cleat_env *env, const char *id, const char *l3, const char *mem_bw, struct err *e);

/** struct cleat_state - `state`, one entry of `list`. Strings live in the arena given. */
struct cleat_state {
	const char *oci_version, *id, *bundle, *rootfs, *created, *owner;
	enum cleat_status status;
	pid_t pid;			/* 0 when stopped */
	struct strmap annotations;
	bool own_pidns;
	bool terminal;
	const char *cgroup_path;	/* "" when it has none */
};
int cleat_state(const struct cleat_env *env, const char *id, struct cleat_state *s,
		struct arena *a, struct err *e);
/** cleat_state_json() - The document of `state`, as hooks get it too. @pretty: indented. Caller frees. */
char *cleat_state_json(const struct cleat_state *s, bool pretty);
/**
 * cleat_list() - All containers below env->root, by name. @cb: per readable one; @bad: per unreadable
 * entry (name and why), may be NULL. A root that does not exist has no containers.
 */
int cleat_list(const struct cleat_env *env, int (*cb)(const struct cleat_state *s, void *arg),
	       void (*bad)(const char *id, const struct err *why, void *arg), void *arg, struct err *e);

/** enum cleat_verdict - PARTLY: there is another way, or nothing needs it unless asked for. */
enum cleat_verdict { CLEAT_OK, CLEAT_PARTLY, CLEAT_MISSING };
/** struct cleat_finding - One line of `cleat check`; strings are valid during the callback. */
struct cleat_finding {
	const char *group;	/* "kernel", "cgroups", ...; "bundle" */
	const char *name;	/* what was asked for; of a bundle: JSON pointer */
	const char *detail;	/* what was found */
	const char *remedy;	/* how to get it; "" when it is there */
	enum cleat_verdict verdict;
};
/**
 * cleat_check() - What this host can do, and with @bundle what that asks of it. Changes nothing.
 * @bundle: directory, or NULL. @config: file in place of its config.json, or NULL.
 */
int cleat_check(const char *bundle, const char *config, const struct log *log,
		int (*cb)(const struct cleat_finding *f, void *arg), void *arg, struct err *e);

/** struct cleat_idmap - One extent of a uid or gid map. */
struct cleat_idmap { uint32_t inside, outside, count; };
/** cleat_userns() - A user namespace with these maps and nobody in it, for id-mapped mounts. Return: fd or -errno. */
int cleat_userns(const struct cleat_idmap *uids, size_t n_uids, const struct cleat_idmap *gids,
		 size_t n_gids, struct err *e);

/** cleat_id_check() - Is @id a container id we take (contract oci-runtime 1.6)? */
int cleat_id_check(const char *id, struct err *e);
/** cleat_spec_default() - The document of `cleat spec`. Caller frees; NULL when out of memory. */
char *cleat_spec_default(bool rootless);
/** cleat_features_json() - OCI features document, one line. Caller frees; NULL when out of memory. */
char *cleat_features_json(void);
/** cleat_spec_annotations() - annotations of a config.json (bounded read), for grouping by pod. */
int cleat_spec_annotations(const char *config_path, struct strmap *out, struct arena *a, struct err *e);
/** cleat_spec_terminal() - process.terminal of a config.json: 1, 0 or -errno. */
int cleat_spec_terminal(const char *config_path, struct err *e);
/**
 * cleat_selfexe_exec() - Replace this process by our own program again, run from where no container
 * can write it: a detached read-only bind, else a read-only overlay, else a sealed copy in memory.
 * Before create, run and exec, unless cleat_selfexe_protected(). fds that shall stay must not be
 * close-on-exec. Return: only when it failed.
 */
int cleat_selfexe_exec(char *const argv[], char *const envp[], struct err *e);
/**
 * cleat_selfexe_switch() - The same without an exec: the running program becomes the one on the read-only
 * bind (kernels with PR_SET_MM_MAP and a capability for it). The program must have one thread.
 * @mount: gets the fd of the mount, for struct cleat_env; nothing needs it any more.
 * Return: 0, or -errno: then cleat_selfexe_exec() is the way.
 */
int cleat_selfexe_switch(int *mount);
/** cleat_selfexe_protected() - Does this process run from such a place already? */
bool cleat_selfexe_protected(void);
/** cleat_libseccomp_version() - "2.5.4". */
const char *cleat_libseccomp_version(void);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_STORE_H
#define CLEAT_STORE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "cleat.h"
#include "err.h"
#include "spec.h"

/*
 * The state directory <root>/<id>: state.json, exec.tmpl, exec.fifo, lock.
 * All of it is reached by fds below the root directory, which must be ours.
 */
#define STORE_VERSION 1

/** struct state - state.json; the table is in store.c. */
struct state {
	uint32_t version;
	const char *oci_version, *id, *bundle, *rootfs, *created;
	uint32_t owner;			/* uid that made it */
	int32_t pid;			/* init; 0 while it is being made */
	uint64_t start_time;		/* of init, clock ticks after boot */
	const char *cgroup;		/* path below the hierarchies' roots, "" for none */
	const char *unit;		/* of systemd, "" for none */
	bool user_unit;			/* of the user's systemd */
	bool own_pidns, terminal;
	uint64_t namespaces;		/* CLONE_NEW* that init does not share with its creator */
	struct spec_hooks *hooks;	/* poststart and poststop only */
	struct strmap annotations;
	struct rdt_group rdt;
};

/** enum store_lock - AT_ONCE: exclusive as well, but whoever holds it is not waited for: -EWOULDBLOCK. */
enum store_lock { STORE_NO_LOCK, STORE_SHARED, STORE_EXCLUSIVE, STORE_AT_ONCE };

struct store {
	int rootfd, dirfd, lockfd;
	const char *id;			/* borrowed */
};
#define STORE_INIT { -1, -1, -1, NULL }
void store_close(struct store *s);
/** store_unlock() - Give the lock up, also for whoever inherited its fd; the store stays open. */
void store_unlock(struct store *s);
#define auto_store __attribute__((cleanup(store_close))) struct store

/** store_root() - Open the state root (made 0700 with @make); refuses "/", foreign owners and writable by others. */
int store_root(const char *root, bool make, struct err *e);
/** store_make() - Make a new container's directory and take its lock; -EEXIST with the texts callers know. */
int store_make(struct store *s, const char *root, const char *id, struct err *e);
/**
 * store_open() - Open a container's directory and lock it; waits at most 10 s for the lock.
 * Return: -ENOENT with "container does not exist" when there is none.
 */
int store_open(struct store *s, const char *root, const char *id, enum store_lock lock, struct err *e);
/** store_lock() - Lock what was opened without a lock. Errors as of store_open(); @s is closed then. */
int store_lock(struct store *s, enum store_lock lock, struct err *e);
/** store_load() - Read state.json. -ENOENT when it is not there (half made). */
int store_load(const struct store *s, struct arena *a, struct state *st, struct err *e);
/**
 * store_salvage() - What a state.json that store_load() refuses tells of the process, its start time and the cgroup,
 * whichever version wrote it. For a forced delete: all else in @st is empty.
 * Return: was there anything?
 */
bool store_salvage(const struct store *s, struct arena *a, struct state *st);
int store_save(const struct store *s, const struct state *st, struct err *e);
/**
 * store_tell() - Say that the container's state was changed from outside: one datagram to the
 * socket "news" of the directory, where a shim has one. Nobody listens: nothing happens.
 */
void store_tell(const struct store *s);
/** store_remove() - Remove the directory. The lock goes with it. */
int store_remove(struct store *s, struct err *e);
/**
 * store_status() - Derived, never trusted from disk: init alive with its recorded start time, gate, freezer.
 * @procfd: handle of proc_open(). @host: may be NULL (then paused is not told from running).
 */
enum cleat_status store_status(const struct store *s, const struct state *st, int procfd,
			       const struct cg_host *host);
/** store_alive() - Is init, with its recorded start time, not known to be dead? */
bool store_alive(const struct state *st, int procfd);
/** store_wait_dead() - Wait for init's death: by @pidfd, or by looking below 5.3 (-1). Return: 0, -ETIME, -errno. */
int store_wait_dead(const struct state *st, int procfd, int pidfd, int timeout_ms);
/** store_pidfd() - pidfd of init, checked by start time; -ESRCH when it is gone, -ENOSYS on old kernels. */
int store_pidfd(const struct state *st, int procfd);
/** store_cache() - Open (making it) <root>/.cache/seccomp; -1 when that cannot be: there is no cache then. */
int store_cache(const char *root);
#endif

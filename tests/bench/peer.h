/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shims as containerd drives them, without containerd: start action, one
 * connection per container, calls of the task service, an event service.
 * Whatever fails ends the program: figures of failed calls mean nothing.
 */
#ifndef CLEAT_PEER_H
#define CLEAT_PEER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "bench.h"
#include "client.h"

#define PEER_PATH_MAX 512

/** struct peer_kind - A shim and how its containers are made. */
struct peer_kind {
	const char *name;		/* in the figures */
	const char *path;		/* of the program */
	const char *ns;			/* namespace */
	const char *template;		/* config.json; @ID@ and @GROUP@ are filled in */
	const char *bundles;		/* folder for bundles */
	const char *events;		/* path of the event service, without ".ttrpc" */
};

/** enum peer_op - Steps of a script; those of execs are about exec_id "e". */
enum peer_op {
	OP_END,
	OP_CREATE,
	OP_START,
	OP_STATS,
	OP_STATE,
	OP_KILL,
	OP_WAIT_LATER,		/* sends Wait; OP_JOIN is its answer */
	OP_JOIN,
	OP_DELETE,
	OP_SHUTDOWN,		/* done when the server is gone */
	OP_EXEC,
	OP_EXEC_WAIT_LATER,	/* OP_JOIN too */
	OP_EXEC_START,
	OP_EXEC_KILL,
	OP_EXEC_DELETE,
	OP_MAX
};

/** struct peer - One container and the connection to its server. Must not move. */
struct peer {
	const struct peer_kind *kind;
	char id[64];
	char bundle[PEER_PATH_MAX];
	char address[PEER_PATH_MAX];
	const char *out, *err;		/* FIFOs for its stdout and stderr, or NULL */
	const char *exec_id;		/* of the OP_EXEC*; "e" */
	const char *exec_spec;		/* process document of OP_EXEC */
	uint32_t pid;			/* of what Create or Start made last */
	pid_t server;
	int server_fd;			/* pidfd */
	int log_fd;			/* holds the FIFO "log" open */
	struct client client;
	struct client_call call, later;
	const enum peer_op *at;		/* of the script that runs */
	bool connected, in_flight;
};

/** peer_files() - As many open files as the kernel lets us have. */
void peer_files(void);
/** peer_namespace() - Where the containers are: BENCH_NS of the environment, or "bench". */
const char *peer_namespace(void);
/** peer_kinds() - Words "NAME=SHIM", up to a NULL, as kinds like @common. Return: how many. */
int peer_kinds(struct peer_kind *kinds, int max, char **words, const struct peer_kind *common);
/** peer_bundle() - Write the bundle of a new container. @group: pod, or NULL: one of its own. */
void peer_bundle(struct peer *p, const struct peer_kind *kind, const char *id, const char *group);
/** peer_boot() - The start action of @n containers, all at once; the answers are awaited. */
void peer_boot(struct peer *p, int n);
/** peer_connect() - Connect all and learn their servers' pids. */
void peer_connect(struct peer *p, int n);
/** peer_run() - The script @ops, ended by OP_END, on @n containers at a time, each at its own pace. */
void peer_run(struct peer *p, int n, const enum peer_op *ops);
/** peer_close() - Drop the connections and remove the bundles. */
void peer_close(struct peer *p, int n);
/** peer_new() - Boot, connect, create and start @n containers "PREFIX-N", @step at a time. */
struct peer *peer_new(const struct peer_kind *kind, const char *prefix, const char *group, int n, int step);
/** peer_end() - Kill, delete, close and free what peer_new() made; @shutdown: end the servers too. */
void peer_end(struct peer *p, int n, int step, bool shutdown);
/** peer_servers() - Pids of the distinct servers of @n containers. Return: how many. */
int peer_servers(const struct peer *p, int n, pid_t *pids);

/** struct peer_exit - A TaskExit as the event service got it. */
struct peer_exit {
	uint64_t at;		/* bench_now() */
	uint32_t pid;
};
/**
 * peer_events() - Answer events on @path + ".ttrpc", in a thread of its own. Its CPU time is ours,
 * and so not counted by bench_cpu().
 * Return: read end of a pipe of struct peer_exit, if @want_exits; else -1.
 */
int peer_events(const char *path, bool want_exits);
/** peer_exit_of() - Wait for the TaskExit of @pid. Return: when it came. */
uint64_t peer_exit_of(int fd, uint32_t pid);
#endif

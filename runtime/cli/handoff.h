/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_HANDOFF_H
#define CLEAT_HANDOFF_H
#include <stdbool.h>
#include <sys/types.h>
#include "arena.h"
#include "err.h"
#include "options.h"

/*
 * What the caller of a detached process gets: its pid in a file, the master
 * of its terminal and its pidfd over sockets. Places are opened before
 * anything is made, so that a wrong path costs nothing, and filled when the
 * process exists.
 */
struct handoff {
	int console_sock;	/* connected; -1: not asked for */
	int pidfd_sock;
	int pid_dir;		/* directory of the pid file; -1: none asked for */
	const char *pid_path;	/* borrowed, as given */
	const char *pid_name;	/* its last part */
};
#define HANDOFF_INIT ((struct handoff){ -1, -1, -1, NULL, NULL })

/** struct handoff_paths - As given on the command line; NULL or empty: not asked for. */
struct handoff_paths { const char *console_socket, *pidfd_socket, *pid_file; };

/**
 * handoff_check() - The rules for terminal and console socket (contract oci-runtime 1.6).
 * @detach: the command returns while the process runs.
 */
int handoff_check(const struct handoff_paths *p, bool detach, bool terminal, struct err *e);
int handoff_open(struct handoff *h, const struct handoff_paths *p, struct err *e);
/**
 * handoff_give() - Send and write what was asked for.
 * @pidfd_name: payload of the pidfd message: "standard" for init, "setns" for exec.
 * @console: pty master or -1; borrowed.
 */
int handoff_give(struct handoff *h, pid_t pid, int pidfd, const char *pidfd_name, int console,
		 struct err *e);
void handoff_close(struct handoff *h);
#define auto_handoff __attribute__((cleanup(handoff_close))) struct handoff

/**
 * preserve_fds() - How many fds from 3 on go to the process: systemd's
 * $LISTEN_FDS, if they are meant for us, and @extra. Each must be open.
 * @listen: set to the share of $LISTEN_FDS.
 * Return: the sum, or -errno.
 */
int preserve_fds(int extra, int *listen, struct err *e);
/**
 * listen_env() - @env, and with @listen above 0 what socket activation tells by it, for PID 1.
 * @out: arena memory or that of @env.
 */
int listen_env(struct arena *a, const struct opt_list *env, int listen, const char *const **out,
	       size_t *n, struct err *e);
#endif

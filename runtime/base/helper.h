/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_HELPER_H
#define CLEAT_HELPER_H
#include <stdbool.h>
#include <stddef.h>
#include "err.h"

/*
 * Helper programs: what needs a library that no container should pay for, and
 * that static programs cannot have. A helper is a process of its own for each
 * request: one message each way over a SOCK_SEQPACKET pair that is its stdin.
 */
#define HELPER_PLACE_ENV "CLEAT_HELPERS"	/* "/usr/bin/": looked at instead of our own place */

/** struct helper_call - One request. */
struct helper_call {
	const char *program;	/* "cleat-systemd": beside us, or where `make install` puts it */
	const char *need;	/* for the error without it: "the systemd cgroup driver" */
	const char *library;	/* the same: "libsystemd" */
	const void *request;
	size_t len;
	int fd;			/* goes with the request (borrowed), or -1 */
	int deadline_ms;	/* for the answer */
};

/** helper_there() - Is the program installed? Return: 0 or ERR_UNSUPPORTED naming it. */
int helper_there(const struct helper_call *c, struct err *e);

/**
 * helper_ask() - Execute the helper and exchange one message with it.
 * @answer: @size bytes that begin with a struct err (ERR_NONE is success); filled, also when that tells of an error.
 *
 * Context: host stage; forks, and waits for the program up to its deadline. It dies with us.
 * Return: 0 or -errno with @e set.
 */
int helper_ask(const struct helper_call *c, void *answer, size_t size, struct err *e);

/**
 * helper_remember() - Keep in the environment where our program lies, for it is about to execute
 * itself again by a number.
 */
void helper_remember(void);
#endif

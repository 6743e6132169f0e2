/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_BUNDLE_H
#define CLEAT_SHIM_BUNDLE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/*
 * What the shim leaves in a bundle: init.pid, cleat.exit (status and time of
 * init, once known), cleat.root (state root, when it is not the usual one).
 * Each is written whole or not at all; any of them may be missing.
 */

/** bundle_root() - State root of the engine for @ns: @base/@ns; @base "": the usual place. */
int bundle_root(const char *base, const char *ns, char *out, size_t size);

/**
 * bundle_write_pid() - <bundle>/<exec id>.pid, decimal, without newline.
 * @exec_id: "" for init, whose file is init.pid; an exec of that name gets none.
 */
int bundle_write_pid(const char *bundle, const char *exec_id, pid_t pid);
/** bundle_remove_pid() - Remove it again. */
void bundle_remove_pid(const char *bundle, const char *exec_id);
/** bundle_read_pid() - Pid of init.pid, or 0. */
pid_t bundle_read_pid(const char *bundle);

int bundle_write_exit(const char *bundle, uint32_t status, const struct timespec *at);
/** bundle_read_exit() - Return: 0, or -errno when init's exit was not recorded. */
int bundle_read_exit(const char *bundle, uint32_t *status, struct timespec *at);

int bundle_write_root(const char *bundle, const char *root);
/** bundle_read_root() - Return: 0, or -errno when the usual root is used. */
int bundle_read_root(const char *bundle, char *out, size_t size);
#endif

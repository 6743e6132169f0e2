/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_HOOKS_H
#define CLEAT_HOOKS_H
#include <stdbool.h>
#include <sys/types.h>
#include "err.h"
#include "field.h"
#include "log.h"
#include "spec.h"

/** struct hook_view - What a hook starts with that is not simply ours. */
struct hook_view {
	char *const *env;	/* for hooks that have none of their own (NULL-terminated); NULL: ours */
	const char *cwd;	/* NULL, or one that cannot be entered: ours */
	mode_t umask;
	bool has_umask;
};

/**
 * hooks_run() - Run a list of hooks, one after the other, with the state document on stdin.
 * @hooks: struct spec_hook array. @name: "createRuntime", for messages.
 * @state: JSON document. @view: NULL: everything as it is here.
 * @keep_going: a failure is a warning (poststop).
 *
 * A hook that outlives its timeout is killed with its process group; its output is
 * shown only on failure, at most LIMIT_HOOK_OUTPUT bytes; background children that keep
 * the output open do not hold us up. Hooks inherit no fd but 0, 1, 2.
 * Context: host stage, or init stage before pivot (createContainer), or the seal stage's process
 * after the gate (startContainer).
 */
int hooks_run(const struct objv *hooks, const char *name, const char *state, const struct hook_view *view,
	      bool keep_going, const struct log *log, struct err *e);
#endif

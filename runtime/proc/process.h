/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_PROCESS_H
#define CLEAT_PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "err.h"
#include "filter.h"
#include "log.h"
#include "spec.h"
#include "tune.h"

enum cap_set { CAP_SET_BOUNDING, CAP_SET_EFFECTIVE, CAP_SET_INHERITABLE, CAP_SET_PERMITTED,
	       CAP_SET_AMBIENT, CAP_SETS };

/**
 * struct process - One process to run, in the form that the stages use and the
 * exec template keeps: numbers and masks, nothing that must be looked up again.
 */
struct process {
	struct strv args, env;
	const char *cwd;
	uint32_t uid, gid, umask;
	bool has_umask;
	struct u32v gids;
	bool keep_groups;		/* the caller's, for the container's first process */
	uint64_t caps[CAP_SETS];
	struct objv rlimits;		/* struct spec_rlimit */
	int32_t oom_score_adj;
	bool has_oom_score_adj;
	bool no_new_privileges;
	bool terminal;
	uint32_t rows, columns;		/* 0: not given */
	struct filter filter;
	const char *listener_path, *listener_metadata;	/* of its listener; NULL: none */
	struct tune tune;
	const char *apparmor, *selinux;	/* NULL: none */
};

/**
 * process_from_spec() - Translate and look up names.
 * @filter: compiled filter of the container (copied); NULL for none.
 * @pointer: JSON pointer of the process object, for messages.
 */
int process_from_spec(const struct spec_process *s, const struct filter *filter, struct arena *a,
		      struct process *p, const char *pointer, const struct log *log, struct err *e);
/**
 * process_env_append() - Give @p further variables, "NAME=VALUE"; the last entry of a name wins.
 * @v: @n strings; borrowed, as the process itself. What @p had is not changed: it may be somebody else's.
 * Return: 0 or -ENOMEM.
 */
int process_env_append(struct process *p, const char *const *v, size_t n, struct arena *a);
/** process_env() - Value of a variable (the last entry wins), or NULL. */
const char *process_env(const struct process *p, const char *name);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_UNIT_H
#define CLEAT_UNIT_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "cgroup.h"

/*
 * Containers as units of systemd: a scope, or a slice, that systemd makes,
 * with the limits as properties. What a unit is called and what it is told
 * is decided here; the words go to a helper program, the only one that is
 * linked with sd-bus (cgroup/systemd/). All else (freeze, kill, statistics)
 * is done on the unit's cgroup as with any other.
 */

/** struct cg_unit - A container's unit. Strings are the caller's arena's. */
struct cg_unit {
	const char *name;	/* "cleat-id.scope"; NULL: the container has none */
	const char *slice;	/* "machine.slice"; "-.slice" for the root */
	const char *path;	/* where its cgroup is expected */
	bool slice_unit;	/* the unit itself is a slice */
	bool user;		/* of the user's manager, not of the system's */
};

/** cg_unit_form() - Is cgroupsPath "slice:prefix:name", with a slice that is empty or says it is one? */
bool cg_unit_form(const char *cgroups_path);
/** cg_unit_host() - Does systemd manage this host (or, for the user's units, this user)? */
bool cg_unit_host(void);
/** cg_unit_user() - Are units the user manager's: without privilege, or in a user namespace? */
bool cg_unit_user(void);
/**
 * cg_unit_parse() - The unit that cgroupsPath asks for.
 * @cgroups_path: NULL or "": ":cleat:ID".
 * @own_path: our own cgroup, by which a user's manager is found; "" if not known.
 * Return: 0 or ERR_SPEC.
 */
int cg_unit_parse(const char *cgroups_path, const char *id, bool user, const char *own_path,
		  struct arena *a, struct cg_unit *u, struct err *e);
/** cg_unit_available() - Is the helper program installed? Return: 0 or ERR_UNSUPPORTED naming it. */
int cg_unit_available(struct err *e);
/**
 * cg_unit_round() - What systemd counts in per cent is rounded up in @l too, so that both say the same.
 * @c: NULL, or the cgroup whose period a quota alone is meant for.
 */
void cg_unit_round(const struct cg *c, struct cg_limits *l);

/** struct cg_unit_start - A unit to be made. */
struct cg_unit_start {
	const struct cg_unit *unit;
	const struct cg_host *host;
	pid_t pid;			/* moved into the scope */
	const char *id;
	const struct cg_limits *limits;	/* may be NULL */
	const struct strmap *annotations; /* org.systemd.property.*; may be NULL */
	const struct log *log;
};
/**
 * cg_unit_start() - Make the unit, wait until it is there, and say where its cgroup is.
 * @path: result, from the hierarchies' roots.
 *
 * Bounded: about half a minute when nobody answers. On failure nothing of it is left.
 * Context: host stage. Return: 0, ERR_TIMEOUT, ERR_EXISTS, ERR_UNSUPPORTED, ERR_PEER with systemd's words.
 */
int cg_unit_start(const struct cg_unit_start *s, char *path, size_t size, struct err *e);
/** cg_unit_update() - Tell the unit of changed limits. @c: its cgroup. The files are cg_apply()'s. */
int cg_unit_update(const char *name, bool user, const struct cg *c, const struct cg_limits *l,
		   const struct log *log, struct err *e);
/** cg_unit_stop() - Stop the unit and wait until it is gone; one that is not there is success. */
int cg_unit_stop(const char *name, bool user, const struct log *log, struct err *e);
/**
 * cg_unit_keeps() - After a failed cg_unit_stop(): has the cgroup to be left to systemd?
 *
 * v2: it learns from the directory's cgroup.events that a scope is empty, ends it and removes the directory. Where the
 * directory is gone before it looks, the unit is active for ever, and its name is taken.
 */
bool cg_unit_keeps(const struct cg_host *host, const struct err *why);
/** cg_unit_exists() - Is the unit's cgroup there, in the hierarchy that systemd itself uses? */
bool cg_unit_exists(const struct cg_host *host, const char *path);
/**
 * cg_adopt() - Open a cgroup that systemd made, and make it in the hierarchies that systemd leaves out.
 * As cg_make(), but processes may be in it.
 */
int cg_adopt(struct cg *c, const struct cg_host *host, const char *path, struct err *e);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CGROUP_RDT_H
#define CLEAT_CGROUP_RDT_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "err.h"
#include "field.h"

/*
 * linux.intelRdt: shares of the caches and of memory bandwidth, by groups of
 * the kernel's resctrl file system. A process is in one group for what it may
 * use, and below that in one for what is counted of it.
 */

/** struct rdt - linux.intelRdt of the specification. */
struct rdt {
	const char *clos_id;		/* NULL: the container's id */
	const char *l3, *mem_bw;	/* NULL: none */
	struct strv schemata;
	bool monitoring;
};
extern const struct object rdt_object;

/** struct rdt_group - A container's place, as its state keeps it. */
struct rdt_group {
	const char *name;	/* below the root; "/": the root group itself; NULL or "": none */
	bool made;		/* by us, so it goes with the container */
	bool monitored;		/* there is a group for counting, which has the container's id */
};

/** rdt_check() - What can be told without the host. @where: JSON pointer of the object. Return: 0 or ERR_SPEC. */
int rdt_check(const struct rdt *r, const char *where, struct err *e);
/** rdt_open() - The root of the resctrl file system. Return: fd, or ERR_UNSUPPORTED when none is mounted. */
int rdt_open(struct err *e);
/**
 * rdt_plan() - Which group it will be, and whether it is to be made. Changes nothing.
 * @id: of the container. @g: its name is borrowed from @r or @id.
 */
int rdt_plan(int root, const struct rdt *r, const char *id, struct rdt_group *g, struct err *e);
/** rdt_make() - Make the group and write its schemata, or compare them with those that are there. Undoes itself. */
int rdt_make(int root, const struct rdt *r, const char *id, const struct rdt_group *g, struct err *e);
/** rdt_enter() - Put @pid, as we see it, into the group. */
int rdt_enter(int root, const struct rdt_group *g, const char *id, pid_t pid, struct err *e);
/** rdt_update() - Write new schemata; NULL or "": as it was. */
int rdt_update(int root, const struct rdt_group *g, const char *l3, const char *mem_bw, struct err *e);
/** rdt_remove() - Remove what was made of the group, unless somebody else has come in. What is gone is gone. */
void rdt_remove(int root, const struct rdt_group *g, const char *id);

/* ---- between rdt.c and rdt_stats.c ---- */
/** rdt_open_group() - The folder of @g below @root. Return: fd or -errno. */
int rdt_open_group(int root, const struct rdt_group *g);
/** rdt_number() - What file @path holds; 0 when there is none. */
uint64_t rdt_number(int dir, const char *path);
/** rdt_line() - The line of @text that begins with @name[0..@n), "L3:" say, without the blanks before it; or NULL. */
const char *rdt_line(const char *text, const char *name, size_t n);

/** struct rdt_node - What was counted at one cache. */
struct rdt_node { uint64_t occupancy, total_bytes, local_bytes; };

/** struct rdt_stats - What `events` prints of it (contract oci-runtime 1.11); all memory is the arena's. */
struct rdt_stats {
	bool has_l3, has_mb;
	const char *cbm_mask;
	uint64_t min_cbm_bits, l3_closids;
	uint64_t gran, linear, min_bandwidth, mb_closids;
	const char *l3_root, *l3_own, *mb_root, *mb_own;	/* lines of schemata; "" for none */
	struct rdt_node *nodes;
	size_t n_nodes;
	bool counts_occupancy, counts_bytes;
};
/** rdt_stats() - Read them. What is not there is left empty. Return: 0 or -ENOMEM. */
int rdt_stats(int root, const struct rdt_group *g, const char *id, struct arena *a, struct rdt_stats *s);
#endif

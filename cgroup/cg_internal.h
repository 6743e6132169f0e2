/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CGROUP_INTERNAL_H
#define CLEAT_CGROUP_INTERNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "cgroup.h"

/* What the files of cgroup/ share; nobody else includes it. */

#define CG_ROOT		"/sys/fs/cgroup"
#define CG_PATH_MAX	4096	/* a whole path: mount point, cgroup, file */
#define CG_WHERE_MAX	256	/* the same in a message, cut in the middle */
#define CG_FILE_MAX	4096	/* one small control file; longer ones are read into a buf */
#define CG_DEPTH_MAX	64	/* levels of sub-cgroups that are walked */

/* ---- files.c: control files by directory fd ---- */
int cg_index(const struct cg_host *host, const char *controller);
int cg_controller(const struct cg *c, const char *controller);
int cg_main(const struct cg *c);
bool cg_is_v2(const struct cg *c);
bool cg_uses(const struct cg_host *host, size_t i);
enum err_kind cg_kind(int r);
void cg_where(const struct cg *c, size_t i, const char *file, char *out, size_t size);
bool cg_has_file(int dirfd, const char *file);
int cg_read(int dirfd, const char *file, char *out, size_t size);
int cg_read_u64(int dirfd, const char *file, uint64_t *out);
int cg_read_key(int dirfd, const char *file, const char *key, uint64_t *out);
bool cg_find_key(const char *text, const char *key, uint64_t *out);
int cg_put(const struct cg *c, size_t i, const char *file, const char *field, const char *val,
	   struct err *e);
int cg_putf(const struct cg *c, size_t i, const char *file, const char *field, struct err *e,
	    const char *fmt, ...) __attribute__((format(printf, 6, 7)));
bool cg_has_word(const char *list, const char *word, char sep);

/* ---- detail_tasks.c ---- */
/** cg_count_tasks() - The kernel's count of the tasks of a v1 cgroup, by state. Return: 0 or -errno (@t zero). */
int cg_count_tasks(int dirfd, struct cg_tasks *t);

/* ---- tree.c: a cgroup and its descendants ---- */

/** struct cg_pidlist - Growing array of pids. */
struct cg_pidlist { pid_t *v; size_t n, cap; };
int cg_tree_pids(int dirfd, struct cg_pidlist *l, int depth);
int cg_tree_rmdir(int at, const char *name, int depth);

/* ---- kill.c ---- */
int cg_kill_listed(const struct cg *c, struct err *e);

/* ---- host.c ---- */
int cg_mountinfo_find(char *text, const char *controllers, char **mountpoint, char **root);
const char *cg_below_root(const char *path, const char *root);
int cg_open_dir(const struct cg_host *host, size_t i, const char *path, size_t len);
int cg_join(const struct cg_host *host, size_t i, const char *path, const char *file,
	    char *out, size_t size);

/* ---- convert.c: pure conversions of contract table 3.2 ---- */
uint64_t cg_conv_weight(uint64_t shares);
uint64_t cg_conv_io_weight(uint64_t weight);
int cg_conv_swap(int64_t limit, int64_t swap, int64_t *out);
void cg_conv_i64(int64_t v, char out[24]);
void cg_rdma_line(const struct cg_rdma *d, char out[128]);

/* ---- v2_enable.c ---- */
int cg_v2_enable(const struct cg *c, size_t i, struct err *e);
int cg_v2_missing(const struct cg *c, size_t i, const char *controller, const char *field,
		  struct err *e);

/* ---- v1.c, v2.c: one hierarchy version's files ---- */
int cg_v1_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log,
		struct err *e);
int cg_v2_apply(struct cg *c, const struct cg_limits *l, bool update, const struct log *log,
		struct err *e);

/* ---- device.c, device_v1.c, device_bpf.c ---- */
enum { CG_DEV_MKNOD = 1, CG_DEV_READ = 2, CG_DEV_WRITE = 4, CG_DEV_ALL = 7 };

/** struct cg_rule - A device rule with its defaults filled in. */
struct cg_rule {
	bool allow;
	char type;		/* 'b' or 'c' */
	int64_t major, minor;	/* -1: any */
	unsigned int access;	/* CG_DEV_* bits, never 0 */
};

#define CG_RULES_FEW 24
/** struct cg_rules - What holds if nothing matches, and rules of which the last match wins. */
struct cg_rules {
	bool fallback;		/* allowed when no rule matches */
	struct cg_rule *v;	/* heap, or few */
	size_t n;
	struct cg_rule few[CG_RULES_FEW];	/* so it is not copied */
};
int cg_rules_build(const struct cg_limits *l, struct cg_rules *out, struct err *e);
int cg_rules_reduce(const struct cg_rules *in, struct cg_rules *out, struct err *e);
void cg_rules_fini(struct cg_rules *r);
void cg_rule_text(const struct cg_rule *r, char out[64]);
bool cg_rules_allow(const struct cg_rules *r, char type, int64_t major, int64_t minor,
		    unsigned int access);
#define auto_rules __attribute__((cleanup(cg_rules_fini))) struct cg_rules

struct bpf_insn;
int cg_bpf_build(const struct cg_rules *r, struct bpf_insn **out, size_t *n);
int cg_bpf_apply(const struct cg *c, size_t i, const struct cg_rules *r, struct err *e);
int cg_v1_devices(const struct cg *c, size_t i, const struct cg_rules *r, struct err *e);
int cg_devices_apply(const struct cg *c, const struct cg_limits *l, const struct log *log,
		     struct err *e);
#endif

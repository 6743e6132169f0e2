/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FILTER_H
#define CLEAT_FILTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "err.h"
#include "field.h"
#include "log.h"

/* ---- linux.seccomp of the OCI spec; tables in fields.c ---- */
struct filter_arg { uint32_t index; uint64_t value, value_two; int op; };
struct filter_rule {
	struct strv names;
	int action;
	uint32_t errno_ret; bool has_errno_ret;
	struct objv args;		/* struct filter_arg */
};
struct filter_spec {
	int default_action; bool has_default_action;
	uint32_t default_errno_ret; bool has_default_errno_ret;
	struct intv architectures;
	struct intv flags; bool has_flags;
	const char *listener_path, *listener_metadata;
	struct objv syscalls;		/* struct filter_rule */
};
extern const struct object filter_spec_object;
/** filter_check() - Rules across fields (errnoRet without ERRNO/TRACE, NOTIFY default, argument index ...). */
int filter_check(const struct filter_spec *f, const char *pointer, struct err *e);

/** struct filter - A compiled program, ready to install. */
struct filter {
	void *bpf;		/* struct sock_filter array, arena memory */
	uint16_t len;		/* instructions; 0: no filter asked for */
	uint32_t load_flags;	/* SECCOMP_FILTER_FLAG_* for seccomp(2) */
};
/** filter_build() - Compile by libseccomp (pure: same input, same bytes). */
int filter_build(const struct filter_spec *f, struct arena *a, struct filter *out,
		 const struct log *log, struct err *e);
/**
 * filter_get() - filter_build() through the cache directory.
 * @cachefd: directory owned by us, 0700, or -1 for no cache. Entries are named by SHA-256 of a canonical
 *           text of @f and hold the whole text, which is compared in full; owner and mode are checked on the fd.
 * @key:     room for 65 bytes: the entry's name, kept in the exec template ("" when no filter).
 */
int filter_get(const struct filter_spec *f, int cachefd, struct arena *a, struct filter *out,
	       char key[65], const struct log *log, struct err *e);
/** filter_load() - Install @f in the calling thread. Context: seal stage; no allocation. Return: 0 or -errno. */
int filter_load(const struct filter *f);
#endif

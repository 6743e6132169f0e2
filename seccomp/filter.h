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

/*
 * Words of the specification. The values are ours: libseccomp's and the
 * kernel's own numbers stay in build.c and load.c.
 */
enum filter_action {
	FILTER_KILL_THREAD, FILTER_KILL_PROCESS, FILTER_TRAP, FILTER_ERRNO, FILTER_TRACE,
	FILTER_ALLOW, FILTER_LOG,
	FILTER_NOTIFY,		/* a listener outside answers; not as the default */
};
enum filter_flag {		/* SECCOMP_FILTER_FLAG_*, bits of filter_flags_supported() */
	FILTER_TSYNC = 1 << 0, FILTER_LOG_FLAG = 1 << 1, FILTER_SPEC_ALLOW = 1 << 2,
	FILTER_WAIT_KILLABLE_RECV = 1 << 3,
};

/* Tables of all words known, ends with a NULL name; the features document is written from them. */
extern const struct name filter_action_names[], filter_arch_names[], filter_op_names[],
	filter_flag_names[];

/** filter_flags_supported() - enum filter_flag bits that the running kernel takes; asked anew each time. */
unsigned int filter_flags_supported(void);

/* ---- linux.seccomp of the OCI spec; tables in fields.c ---- */
struct filter_arg { uint32_t index; uint64_t value, value_two; int op; };
struct filter_rule {
	struct strv names;
	int action;			/* enum filter_action */
	uint32_t errno_ret; bool has_errno_ret;
	struct objv args;		/* struct filter_arg */
};
struct filter_spec {
	int default_action; bool has_default_action;
	uint32_t default_errno_ret; bool has_default_errno_ret;
	struct intv architectures;	/* beside the native one */
	struct intv flags; bool has_flags;	/* enum filter_flag */
	const char *listener_path, *listener_metadata;
	struct objv syscalls;		/* struct filter_rule */
};
extern const struct object filter_spec_object;
/**
 * filter_check() - Rules across fields (errnoRet without ERRNO/TRACE, NOTIFY, argument index ...).
 * @pointer: JSON pointer of @f, for messages: "/linux/seccomp".
 */
int filter_check(const struct filter_spec *f, const char *pointer, struct err *e);
/** filter_check_known() - Does libseccomp know every syscall that is named? Return: 0 or ERR_SPEC. */
int filter_check_known(const struct filter_spec *f, const char *pointer, struct err *e);

/** struct filter - A compiled program, ready to install. */
struct filter {
	void *bpf;		/* struct sock_filter array, arena memory */
	uint16_t len;		/* instructions; 0: no filter asked for */
	uint32_t load_flags;	/* SECCOMP_FILTER_FLAG_* for seccomp(2) */
};
/**
 * filter_build() - Compile by libseccomp (same input, same bytes).
 * @out->load_flags depends on the running kernel where the document leaves "flags" out.
 */
int filter_build(const struct filter_spec *f, struct arena *a, struct filter *out,
		 const struct log *log, struct err *e);
/**
 * filter_get() - filter_build() through the cache directory.
 * @cachefd: directory owned by us, 0700, or -1 for no cache. Entries are named by SHA-256 of a canonical
 *           text of @f and hold the whole text, which is compared in full; owner and mode are checked on the fd.
 * @key:     room for 65 bytes: the entry's name, set whenever there is a filter ("" when there is none).
 *
 * A cache that cannot be read or written is never an error: the filter is compiled then.
 */
int filter_get(const struct filter_spec *f, int cachefd, struct arena *a, struct filter *out,
	       char key[65], const struct log *log, struct err *e);
/** filter_has_listener() - Does filter_load() make a listener for notifications? */
bool filter_has_listener(const struct filter *f);
/**
 * filter_load() - Install @f in the calling thread. Context: seal stage; no allocation.
 * Return: fd of the listener if filter_has_listener(), else 0; or -errno.
 */
int filter_load(const struct filter *f);
#endif

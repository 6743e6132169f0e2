/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_ERR_H
#define CLEAT_ERR_H
#include <stddef.h>
#include <stdint.h>

/*
 * The one error record. It is plain data of fixed size, so that it crosses
 * a process border in one write() and maps to an exit status or an RPC
 * status by table. First writer wins; callers add context, never overwrite.
 */

/** enum err_kind - What the caller can do about it (not what went wrong). */
enum err_kind {
	ERR_NONE,
	ERR_SPEC,		/* bad input: a document, an argument, an id */
	ERR_UNSUPPORTED,	/* this kernel, host or build cannot do it */
	ERR_NOT_FOUND,		/* no such container, exec, process */
	ERR_EXISTS,
	ERR_STATE,		/* not in this state */
	ERR_DENIED,		/* privilege is missing */
	ERR_LIMIT,		/* a limit of ours or of the kernel's was hit */
	ERR_TIMEOUT,
	ERR_KERNEL,		/* a kernel call failed */
	ERR_PEER,		/* another process died or spoke nonsense */
	ERR_BUG,
	ERR_KIND_MAX
};

/** enum stage - The process that failed; see Documentation/architecture.rst. */
enum stage {
	STAGE_NONE,
	STAGE_HOST,		/* worker or CLI, host namespaces */
	STAGE_MID,		/* joins a user namespace, then clones again */
	STAGE_INIT,		/* PID 1 to be, old root still visible */
	STAGE_ROOT,		/* after pivot_root */
	STAGE_JOIN,		/* exec: entering a container */
	STAGE_SEAL,		/* dropping privilege, up to execve */
	STAGE_MAX
};

struct err {
	int32_t		errnum;		/* positive errno, 0 when none applies */
	uint8_t		kind;		/* enum err_kind */
	uint8_t		stage;		/* enum stage */
	uint16_t	step;		/* 1 + index in that stage's step table, 0: none */
	uint16_t	msglen;
	uint16_t	pad;
	char		where[116];	/* JSON pointer, path, cgroup file; may be empty */
	char		msg[384];	/* without the errno's words: err_render() adds them */
};
_Static_assert(sizeof(struct err) == 512, "wire record");

/**
 * err_set() - Fill @e unless it is filled already.
 * @e:     record of the caller; NULL is allowed and only @r is returned.
 * @kind:  what the caller can do.
 * @r:     negative errno, or 0 when no errno applies.
 * @where: JSON pointer, path or name; NULL for none. Cut in the middle if long.
 * @fmt:   what failed, lower case, no full stop, without the errno's words.
 *
 * Context: any stage but seal's last steps need care: formats with vsnprintf, never allocates.
 * Return: @r if negative, else -EINVAL; never 0, so "return err_set(...)" always fails.
 */
int err_set(struct err *e, enum err_kind kind, int r, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * err_context() - Put "context: " in front of the message of a filled record.
 *
 * Return: the negative errno of @e (-EINVAL when it has none).
 */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** err_clear() - Make @e empty. */
void err_clear(struct err *e);

/**
 * err_render() - One line for people: "where: msg: errno's words".
 * @buf: result, always NUL-terminated; control characters and bytes that are
 *       not UTF-8 are escaped as \xNN, so the result is always one line.
 *
 * Return: @buf.
 */
const char *err_render(const struct err *e, char *buf, size_t size);

/** err_words() - The errno's words as other runtimes print them (lower case). Static or @buf. */
const char *err_words(int errnum, char *buf, size_t size);

/** err_grpc_code() - gRPC status code for @e's kind. */
int err_grpc_code(const struct err *e);

/** err_kind_name(), err_stage_name() - Stable names for logs and tests. */
const char *err_kind_name(unsigned int kind);
const char *err_stage_name(unsigned int stage);

/**
 * err_sanitize() - Make a record that came from another process safe to use:
 * terminates its strings and bounds its enums.
 * @len: bytes received. Return: 0, or -EPROTO if it is no record at all.
 */
int err_sanitize(struct err *e, size_t len);

#define ERR_TEXT_MAX 1024	/* enough for err_render() of any record */
#endif

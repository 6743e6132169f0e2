/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules across the fields of linux.seccomp that a table cannot say. */
#include <errno.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "bounds.h"
#include "filter_internal.h"

#define ERRNO_MAX 4094u		/* libseccomp's; the kernel cuts what is above 4095, silently */
#define TRACE_MAX 65535u	/* the event message has 16 bits */
#define ARGS_MAX 6u

struct place { char text[200]; };	/* a JSON pointer; cut if somebody's prefix is very long */

static const char *place(struct place *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static const char *place(struct place *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return p->text;
}

static int check_action(int action, bool has_errno, uint32_t ret, const char *at,
			const char *errno_key, struct err *e)
{
	struct place where;
	uint32_t max = action == FILTER_TRACE ? TRACE_MAX : ERRNO_MAX;

	if (!has_errno)
		return 0;
	place(&where, "%s/%s", at, errno_key);
	if (action != FILTER_ERRNO && action != FILTER_TRACE)
		return err_set(e, ERR_SPEC, 0, where.text, "%u: allowed only with SCMP_ACT_ERRNO and "
			       "SCMP_ACT_TRACE, not with %s", ret,
			       names_of(filter_action_names, action));
	if (ret > max)
		return err_set(e, ERR_SPEC, 0, where.text, "%u is above %u, the largest that can "
			       "be told to a caller", ret, max);
	return 0;
}

static int check_rule(const struct filter_rule *r, const char *at, size_t *conditions,
		      struct err *e)
{
	const struct filter_arg *arg = r->args.v;
	struct place where;
	size_t i;
	int rc;

	rc = check_action(r->action, r->has_errno_ret, r->errno_ret, at, "errnoRet", e);
	if (rc)
		return rc;
	for (i = 0; i < r->names.n; i++) {
		if (!r->names.v[i][0])
			return err_set(e, ERR_SPEC, 0, place(&where, "%s/names/%zu", at, i),
				       "empty syscall name");
		if (r->action == FILTER_NOTIFY && !strcmp(r->names.v[i], "write"))
			return err_set(e, ERR_SPEC, 0, place(&where, "%s/names/%zu", at, i),
				       "\"write\" cannot have SCMP_ACT_NOTIFY: the listener is handed over by it");
	}
	for (i = 0; i < r->args.n; i++) {
		if (arg[i].index >= ARGS_MAX)
			return err_set(e, ERR_SPEC, 0, place(&where, "%s/args/%zu/index", at, i),
				       "%u: a syscall has arguments 0 to 5",
				       arg[i].index);
	}
	/* bounded before anything is multiplied or compiled */
	if (r->args.n > LIMIT_FILTER_CONDITIONS ||
	    (r->args.n && r->names.n > LIMIT_FILTER_CONDITIONS) ||
	    (*conditions += r->args.n * r->names.n) > LIMIT_FILTER_CONDITIONS)
		return err_set(e, ERR_LIMIT, 0, at, "more than %u argument comparisons in all "
			       "rules together", LIMIT_FILTER_CONDITIONS);
	return 0;
}

static int check_listener(const struct filter_spec *f, const char *pointer, struct err *e)
{
	struct place where;

	if (f->listener_path && *f->listener_path)
		return 0;
	if (f->listener_metadata && *f->listener_metadata)
		return err_set(e, ERR_SPEC, 0, place(&where, "%s/listenerMetadata", pointer),
			       "\"%.100s\": set without listenerPath", f->listener_metadata);
	if (filter_notifies(f))
		return err_set(e, ERR_SPEC, 0, place(&where, "%s/listenerPath", pointer),
			       "required field missing: SCMP_ACT_NOTIFY needs a socket for its listener");
	return 0;
}

int filter_check(const struct filter_spec *f, const char *pointer, struct err *e)
{
	const struct filter_rule *rule = f->syscalls.v;
	struct place where;
	size_t i, conditions = 0;
	int r;

	r = check_listener(f, pointer, e);
	if (r || !filter_asked(f))
		return r;
	if (!f->has_default_action)
		return err_set(e, ERR_SPEC, 0, place(&where, "%s/defaultAction", pointer), "required field missing");
	r = check_action(f->default_action, f->has_default_errno_ret, f->default_errno_ret,
			 pointer, "defaultErrnoRet", e);
	if (r)
		return r;
	if (f->default_action == FILTER_NOTIFY)
		return err_set(e, ERR_SPEC, 0, place(&where, "%s/defaultAction", pointer),
			       "SCMP_ACT_NOTIFY: the listener could not be handed over, since each of our own calls "
			       "would wait for it");
	if ((filter_flag_bits(f) & FILTER_WAIT_KILLABLE_RECV) && !filter_notifies(f))
		return err_set(e, ERR_SPEC, 0, place(&where, "%s/flags", pointer),
			       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: allowed only with a rule of SCMP_ACT_NOTIFY");
	for (i = 0; i < f->syscalls.n; i++) {
		r = check_rule(&rule[i], place(&where, "%s/syscalls/%zu", pointer, i), &conditions,
			       e);
		if (r)
			return r;
	}
	return 0;
}

int filter_check_known(const struct filter_spec *f, const char *pointer, struct err *e)
{
	const struct filter_rule *rule = f->syscalls.v;
	struct place where;
	size_t i, k;

	for (i = 0; i < f->syscalls.n; i++)
		for (k = 0; k < rule[i].names.n; k++)
			if (seccomp_syscall_resolve_name(rule[i].names.v[k]) == __NR_SCMP_ERROR)
				return err_set(e, ERR_SPEC, -EINVAL,
					       place(&where, "%s/syscalls/%zu/names/%zu", pointer, i, k),
					       "unknown system call \"%.100s\"", rule[i].names.v[k]);
	return 0;
}

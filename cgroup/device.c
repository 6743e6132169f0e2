/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules, as the specification means them: in order, the last rule that
 * matches wins, bit by bit of the access, starting from "nothing is allowed".
 * The devices that every container has are allowed after the given rules.
 *
 * v2 runs the list as it is (device_bpf.c). v1 knows only "all but" and "none
 * but", so the list is reduced to that form, and what has no such form is
 * refused (device_v1.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cg_internal.h"
#include "text.h"

/* Nodes may be made of any number, for making one gives no access; the rest is what /dev holds. */
static const struct cg_rule always[] = {
	{ true, 'c', -1, -1, CG_DEV_MKNOD },
	{ true, 'b', -1, -1, CG_DEV_MKNOD },
	{ true, 'c', 1, 3, CG_DEV_ALL },	/* null */
	{ true, 'c', 1, 8, CG_DEV_ALL },	/* random */
	{ true, 'c', 1, 7, CG_DEV_ALL },	/* full */
	{ true, 'c', 5, 0, CG_DEV_ALL },	/* tty */
	{ true, 'c', 1, 5, CG_DEV_ALL },	/* zero */
	{ true, 'c', 1, 9, CG_DEV_ALL },	/* urandom */
	{ true, 'c', 136, -1, CG_DEV_ALL },	/* pts */
	{ true, 'c', 5, 2, CG_DEV_ALL },	/* ptmx */
	{ true, 'c', 10, 200, CG_DEV_ALL },	/* net/tun */
};
#define N_ALWAYS (sizeof(always) / sizeof(always[0]))

static unsigned int access_bits(const char *s)
{
	unsigned int bits = 0;

	for (; s && *s; s++)
		bits |= *s == 'r' ? CG_DEV_READ : *s == 'w' ? CG_DEV_WRITE :
			*s == 'm' ? CG_DEV_MKNOD : 0;
	return bits;
}

/** cg_rules_fini() - Free the list. */
void cg_rules_fini(struct cg_rules *r)
{
	if (r->v != r->few)
		free(r->v);
	r->v = NULL;
	r->n = 0;
	r->fallback = false;
}

/* An empty list with room for @n. */
static int rules_init(struct cg_rules *r, bool fallback, size_t n, struct err *e)
{
	r->fallback = fallback;
	r->n = 0;
	r->v = n <= CG_RULES_FEW ? r->few : calloc(n, sizeof(*r->v));
	return r->v ? 0 : err_set(e, ERR_KERNEL, -ENOMEM, "devices", "no memory for the device rules");
}

/**
 * cg_rules_build() - The whole list for @l: its own rules, then those that always hold.
 * @l:   NULL: no rules given.
 * @out: for cg_rules_fini().
 *
 * A rule of type a replaces all before it, whatever its other fields say.
 * Return: 0 or -ENOMEM.
 */
int cg_rules_build(const struct cg_limits *l, struct cg_rules *out, struct err *e)
{
	size_t n = l ? l->devices.n : 0;
	const struct cg_device *d = l ? l->devices.v : NULL;
	int r = rules_init(out, false, n + N_ALWAYS, e);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct cg_rule rule = {
			.allow = d[i].allow,
			.type = (char)d[i].type,
			.major = d[i].has_major ? d[i].major : -1,
			.minor = d[i].has_minor ? d[i].minor : -1,
			.access = access_bits(d[i].access),
		};

		if (rule.type == 'a' || !rule.type) {
			out->fallback = rule.allow;
			out->n = 0;
		} else if (rule.access) {
			out->v[out->n++] = rule;
		}
	}
	memcpy(out->v + out->n, always, sizeof(always));
	out->n += N_ALWAYS;
	return 0;
}

static bool matches(const struct cg_rule *r, char type, int64_t major, int64_t minor)
{
	return r->type == type && (r->major < 0 || r->major == major) &&
	       (r->minor < 0 || r->minor == minor);
}

/**
 * cg_rules_allow() - May a device be accessed? The reference that both forms are tested against.
 * @access: CG_DEV_* bits, all of which must be allowed.
 */
bool cg_rules_allow(const struct cg_rules *r, char type, int64_t major, int64_t minor,
		    unsigned int access)
{
	for (size_t i = r->n; i-- > 0 && access; ) {
		if (!(r->v[i].access & access) || !matches(&r->v[i], type, major, minor))
			continue;
		if (!r->v[i].allow)
			return false;
		access &= ~r->v[i].access;
	}
	return !access || r->fallback;
}

static bool covers(int64_t outer, int64_t inner)
{
	return outer < 0 || outer == inner;
}

static bool meet(int64_t a, int64_t b)
{
	return a < 0 || b < 0 || a == b;
}

/** cg_rule_text() - A rule as v1's control files spell it: "c 1:* rwm". */
void cg_rule_text(const struct cg_rule *r, char out[64])
{
	char major[TEXT_NUM_SIZE], minor[TEXT_NUM_SIZE];

	text_join(out, 64, (const char[]){ r->type, ' ', 0 },
		  r->major >= 0 ? text_i64(major, r->major) : "*", ":",
		  r->minor >= 0 ? text_i64(minor, r->minor) : "*", " ",
		  r->access & CG_DEV_READ ? "r" : NULL, r->access & CG_DEV_WRITE ? "w" : NULL,
		  r->access & CG_DEV_MKNOD ? "m" : NULL);
}

/* An exception to the fallback: joins one for the same devices. */
static void add_exception(struct cg_rules *out, const struct cg_rule *r)
{
	for (size_t i = 0; i < out->n; i++) {
		struct cg_rule *x = &out->v[i];

		if (x->type == r->type && x->major == r->major && x->minor == r->minor) {
			x->access |= r->access;
			return;
		}
	}
	out->v[out->n++] = *r;
}

/* Take @r's access out of every exception; one that is wider than @r cannot be cut. */
static int cut_exceptions(struct cg_rules *out, const struct cg_rule *r, struct err *e)
{
	size_t kept = 0;
	char text[64], wide[64];

	for (size_t i = 0; i < out->n; i++) {
		struct cg_rule x = out->v[i];

		if (x.type == r->type && (x.access & r->access) && meet(x.major, r->major) &&
		    meet(x.minor, r->minor)) {
			if (!covers(r->major, x.major) || !covers(r->minor, x.minor)) {
				cg_rule_text(r, text);
				cg_rule_text(&x, wide);
				return err_set(e, ERR_UNSUPPORTED, 0, "/linux/resources/devices",
					       "cgroup v1 cannot %s \"%s\" after it was told to %s \"%s\"",
					       r->allow ? "allow" : "deny", text,
					       r->allow ? "deny" : "allow", wide);
			}
			x.access &= ~r->access;
		}
		if (x.access)
			out->v[kept++] = x;
	}
	out->n = kept;
	return 0;
}

/**
 * cg_rules_reduce() - The same as a fallback and exceptions to it, all of one kind.
 * @out: for cg_rules_fini(); empty on failure.
 * Return: 0, ERR_UNSUPPORTED when there is no such form, or -ENOMEM.
 */
int cg_rules_reduce(const struct cg_rules *in, struct cg_rules *out, struct err *e)
{
	int r = rules_init(out, in->fallback, in->n + 1, e);

	for (size_t i = 0; !r && i < in->n; i++) {
		if (in->v[i].allow != out->fallback)
			add_exception(out, &in->v[i]);
		else
			r = cut_exceptions(out, &in->v[i], e);
		if (r < 0) {
			cg_rules_fini(out);
			return r;
		}
	}
	return 0;
}

/**
 * cg_devices_apply() - Confine the container to its devices.
 *
 * A host that can filter no devices is told of as an error if rules were given
 * that deny anything, else as a warning.
 */
int cg_devices_apply(const struct cg *c, const struct cg_limits *l, const struct log *log,
		     struct err *e)
{
	auto_rules rules = { 0 };
	int r = cg_rules_build(l, &rules, e);
	int i = cg_controller(c, "devices"), at;
	bool all;

	if (r < 0)
		return r;
	all = rules.fallback && rules.n == N_ALWAYS;
	at = i >= 0 ? i : cg_is_v2(c) ? (int)c->host->n - 1 : -1;
	if (all && (at < 0 || c->made[at]))
		return 0;	/* a new cgroup may what the one above it may */
	if (i >= 0)
		return cg_v1_devices(c, (size_t)i, &rules, e);
	if (at >= 0 && c->dirfd[at] >= 0)
		return cg_bpf_apply(c, (size_t)at, &rules, e);
	if (l && l->has_devices && l->devices.n)
		return err_set(e, ERR_UNSUPPORTED, 0, "/linux/resources/devices",
			       "this host has no devices controller (cgroup v1) and no cgroup v2");
	log_warn(log, "devices are not filtered: this host has no devices controller");
	return 0;
}

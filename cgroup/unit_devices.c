/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules as systemd's list of what is allowed.
 *
 * Our own filter says exactly what the rules say. systemd has one as well,
 * which it sets up again when it is reloaded (on v1 in the very files that we
 * wrote); so it gets a list that allows at least as much, and the same
 * wherever such a list can say it.
 */
#include <inttypes.h>
#include <stdio.h>
#include "cg_internal.h"
#include "unit_internal.h"

static void allow(struct buf *b, const struct cg_rule *r)
{
	char node[64], access[4];
	size_t n = 0;

	if (r->major < 0)
		snprintf(node, sizeof(node), "%s-*", r->type == 'b' ? "block" : "char");
	else if (r->minor < 0)
		snprintf(node, sizeof(node), "%s-%" PRId64, r->type == 'b' ? "block" : "char", r->major);
	else
		snprintf(node, sizeof(node), "/dev/%s/%" PRId64 ":%" PRId64,
			 r->type == 'b' ? "block" : "char", r->major, r->minor);
	if (r->access & CG_DEV_READ)
		access[n++] = 'r';
	if (r->access & CG_DEV_WRITE)
		access[n++] = 'w';
	if (r->access & CG_DEV_MKNOD)
		access[n++] = 'm';
	access[n] = 0;
	unit_word(b, node);
	unit_word(b, access);
}

static void list(struct buf *b, const struct cg_rules *rules)
{
	char count[16];
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		n += rules->v[i].allow;
	unit_word(b, "DeviceAllow");
	unit_word(b, "a(ss)");
	snprintf(count, sizeof(count), "%zu", n);
	unit_word(b, count);
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i].allow)
			allow(b, &rules->v[i]);
}

/** unit_devices() - Properties for the device rules of @l. Return: 0 or -ENOMEM. */
int unit_devices(struct buf *b, const struct cg_limits *l, struct err *e)
{
	static const struct cg_rules none;
	auto_rules rules = { 0 }, reduced = { 0 };
	int r = cg_rules_build(l, &rules, e);

	if (r < 0)
		return r;
	list(b, &none);
	unit_str(b, "DevicePolicy", rules.fallback ? "auto" : "strict");
	if (rules.fallback)
		return 0;
	/* a list without denials, or every one that is allowed anywhere */
	list(b, cg_rules_reduce(&rules, &reduced, NULL) ? &rules : &reduced);
	return 0;
}

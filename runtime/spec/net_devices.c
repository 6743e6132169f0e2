/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of network devices that move into the container. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include "spec_internal.h"

/* As the kernel judges a device's name. @pattern: one "%d" may be in it. */
static bool name_ok(const char *name, bool pattern)
{
	const char *percent = strchr(name, '%');
	size_t len = strlen(name);

	if (!len || len >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == ':' || *p == ' ' || (*p >= '\t' && *p <= '\r'))
			return false;
	return !percent || !pattern || (percent[1] == 'd' && !strchr(percent + 1, '%'));
}

static const char *name_of(const struct spec_net_device *d)
{
	return d->name ? d->name : d->key;
}

/**
 * spec_check_net_devices() - Names that can be, each once, and a network namespace to move them to.
 * Spec: config-linux.md#network-devices
 */
int spec_check_net_devices(const struct spec *s, struct err *e)
{
	const struct objv *v = &s->linux_->net_devices;
	const struct spec_namespace *ns = spec_namespace(s, CLONE_NEWNET);
	const struct spec_net_device *d = v->v;
	struct pointer at;

	for (size_t i = 0; i < v->n; i++) {
		if (!name_ok(d[i].key, false))
			return spec_bad(e, "/linux/netDevices", "not a device's name: \"%.100s\"", d[i].key);
		spec_at(&at, "/linux/netDevices/%s/name", d[i].key);
		if (!name_ok(name_of(&d[i]), true))
			return spec_bad(e, at.text, "not a device's name: \"%.100s\"", name_of(&d[i]));
		for (size_t k = 0; k < i; k++)
			if (!strcmp(name_of(&d[i]), name_of(&d[k])) && !strchr(name_of(&d[i]), '%'))
				return spec_bad(e, at.text, "\"%s\" is the name of two devices", name_of(&d[i]));
	}
	if (!v->n)
		return 0;
	if (!ns)
		return spec_bad(e, "/linux/netDevices", "\"%s\" needs a network namespace to move to", d[0].key);
	if (spec_joins_host(ns))
		return spec_bad(e, "/linux/netDevices", "\"%s\" would move nowhere: \"%.100s\" is the host's network "
				"namespace", d[0].key, ns->path);
	return 0;
}

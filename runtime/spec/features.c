/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The features document (features.md of the specification): what this build
 * can do, whatever the host can. Words come from the tables that read them
 * from config.json. Absent means unknown there, false means not supported.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include "buf.h"
#include "cleat.h"
#include "filter.h"
#include "json.h"
#include "mount_options.h"
#include "spec.h"
#include "devices.h"
#include "unit.h"

#define WORDS_MAX 128

static int cmp_word(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_words(struct buf *b, const char *key, const char **words, size_t n)
{
	qsort(words, n, sizeof(*words), cmp_word);
	buf_addf(b, "\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		buf_adds(b, i ? "," : "");
		buf_add_json(b, words[i]);
	}
	buf_addc(b, ']');
}

/* Names of a table; @takes, when given, says which. */
static void add_names(struct buf *b, const char *key, const struct name *t,
		      bool (*takes)(const struct name *n))
{
	const char *words[WORDS_MAX];
	size_t n = 0;

	for (; t && t->name && n < WORDS_MAX; t++)
		if (!takes || takes(t))
			words[n++] = t->name;
	add_words(b, key, words, n);
}

static void add_keys(struct buf *b, const char *key, const struct object *o)
{
	const char *words[WORDS_MAX];
	size_t n = 0;

	for (; n < o->n && n < WORDS_MAX; n++)
		words[n] = o->f[n].key;
	add_words(b, key, words, n);
}

static void add_mount_options(struct buf *b)
{
	const char *words[WORDS_MAX];
	size_t n = 0;

	while (n < WORDS_MAX && (words[n] = mount_options_word((unsigned int)n)))
		n++;
	add_words(b, "mountOptions", words, n);
}

/* Every capability the library was built to know, also those this host lacks. */
static void add_capabilities(struct buf *b)
{
	char text[CAP_LAST_CAP + 1][32];
	const char *words[CAP_LAST_CAP + 1];
	size_t n = 0;

	for (cap_value_t c = 0; c <= CAP_LAST_CAP; c++) {
		char *name = cap_to_name(c);

		if (!name)
			continue;
		snprintf(text[n], sizeof(text[n]), "%s", name);
		cap_free(name);
		for (char *p = text[n]; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
		words[n] = text[n];
		n++;
	}
	add_words(b, "capabilities", words, n);
}

static bool flag_supported(const struct name *n)
{
	return filter_flags_supported() & (unsigned int)n->value;
}

static void add_seccomp(struct buf *b)
{
	buf_adds(b, "\"seccomp\":{\"enabled\":true,");
	add_names(b, "actions", filter_action_names, NULL);
	buf_addc(b, ',');
	add_names(b, "operators", filter_op_names, NULL);
	buf_addc(b, ',');
	add_names(b, "archs", filter_arch_names, NULL);
	buf_addc(b, ',');
	add_names(b, "knownFlags", filter_flag_names, NULL);
	buf_addc(b, ',');
	add_names(b, "supportedFlags", filter_flag_names, flag_supported);
	buf_addc(b, '}');
}

/**
 * cleat_features_json() - The features document, one line without a newline.
 *
 * Needs no privilege and no state root: other programs ask when they start.
 * Return: heap text, or NULL.
 */
char *cleat_features_json(void)
{
	struct buf b = BUF_INIT;
	const char *systemd;

	buf_adds(&b, "{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"" CLEAT_SPEC_VERSION "\",");
	add_keys(&b, "hooks", &spec_hooks_object);
	buf_addc(&b, ',');
	add_mount_options(&b);
	buf_adds(&b, ",\"linux\":{");
	add_names(&b, "namespaces", spec_namespace_names, NULL);
	buf_addc(&b, ',');
	add_capabilities(&b);
	systemd = cg_unit_available(NULL) ? "false" : "true";
	buf_addf(&b, ",\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":%s,\"systemdUser\":%s,"
		 "\"rdma\":true},", systemd, systemd);
	add_seccomp(&b);
	buf_adds(&b, ",\"apparmor\":{\"enabled\":true},\"selinux\":{\"enabled\":true},"
		 "\"intelRdt\":{\"enabled\":true,\"schemata\":true,\"monitoring\":true},\"memoryPolicy\":{");
	add_names(&b, "modes", spec_mempolicy_names, NULL);
	buf_addc(&b, ',');
	add_names(&b, "flags", spec_mempolicy_flag_names, NULL);
	buf_adds(&b, "},\"mountExtensions\":{\"idmap\":{\"enabled\":true}},"
		 "\"netDevices\":{\"enabled\":");
	buf_addf(&b, "%s}},\"annotations\":{", net_devices_available(NULL) ? "false" : "true");
	buf_addf(&b, "\"io.cleat.version\":\"%s\",\"io.github.seccomp.libseccomp.version\":\"%s\",",
		 CLEAT_VERSION, cleat_libseccomp_version());
	buf_adds(&b, "\"org.opencontainers.runc.checkpoint.enabled\":\"false\"},"
		 "\"potentiallyUnsafeConfigAnnotations\":[\"org.systemd.property.\",\"run.oci.keep_original_groups\","
		 "\"run.oci.mount_context_type\",\"run.oci.pidfd_receiver\",\"run.oci.seccomp.receiver\","
		 "\"run.oci.seccomp_fail_unknown_syscall\"]}");
	if (buf_ok(&b))
		return b.data;
	buf_fini(&b);
	return NULL;
}

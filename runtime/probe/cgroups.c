/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups: which hierarchies there are, and what each can limit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fd.h"
#include "probe.h"

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || strchr(", ", p[-1])) && (!p[len] || strchr(", ", p[len])))
			return true;
	return false;
}

static const struct cg_hierarchy *v2_of(const struct probe_ctx *c)
{
	return c->host.n && c->host.h[c->host.n - 1].v2 ? &c->host.h[c->host.n - 1] : NULL;
}

static const struct cg_hierarchy *v1_of(const struct probe_ctx *c, const char *controller)
{
	for (size_t i = 0; i < c->host.n; i++)
		if (!c->host.h[i].v2 && has_word(c->host.h[i].controllers, controller))
			return &c->host.h[i];
	return NULL;
}

/* Where a container's cgroup would be made: root's anywhere, another user's below his own. */
static const char *v2_base(struct probe_ctx *c, const struct cg_hierarchy *h)
{
	return geteuid() && strcmp(h->own_path, "/") ? arena_printf(c->a, "%s%s", h->mountpoint, h->own_path) :
						       h->mountpoint;
}

void probe_cg_layout(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const struct cg_hierarchy *v2 = v2_of(c);

	switch (c->host.mode) {
	case CG_MODE_NONE:
		probe_say(c, f, CLEAT_MISSING, "no hierarchy is mounted");
		break;
	case CG_MODE_V1:
		probe_say(c, f, CLEAT_OK, "v1, %zu hierarchies", c->host.n);
		break;
	case CG_MODE_HYBRID:
		probe_say(c, f, CLEAT_OK, "hybrid: %zu v1 hierarchies, v2 at %s", c->host.n - 1, v2->mountpoint);
		break;
	case CG_MODE_V2: {
		const char *base = v2_base(c, v2);

		if (base && faccessat(AT_FDCWD, base, W_OK, AT_EACCESS))
			probe_say(c, f, CLEAT_PARTLY, "v2, but %s is not writable for this user", base);
		else
			probe_say(c, f, CLEAT_OK, "v2 at %s", v2->mountpoint);
		break;
	}
	}
}

/* @p->word: the v1 name; the v2 one is "io" where that is "blkio". */
void probe_cg_controller(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const struct cg_hierarchy *v1 = v1_of(c, p->word), *v2 = v2_of(c);
	const char *name = strcmp(p->word, "blkio") ? p->word : "io", *have;

	if (v1) {
		probe_say(c, f, CLEAT_OK, "v1 at %s", v1->mountpoint);
		return;
	}
	have = v2 ? probe_text(c, arena_printf(c->a, "%s/cgroup.controllers", v2_base(c, v2))) : NULL;
	if (!have || !has_word(have, name))
		probe_say(c, f, CLEAT_MISSING, "no hierarchy here has the controller %s", name);
	else if (c->host.mode == CG_MODE_HYBRID)
		probe_say(c, f, CLEAT_MISSING, "only in the v2 tree of this hybrid host, which is not used");
	else
		probe_say(c, f, CLEAT_OK, "v2");
}

/* The file is in every memory cgroup but the root. */
static bool below_has(const char *top, const char *file)
{
	auto_dir d = opendir(top);
	struct dirent *de;
	char path[NAME_MAX + 64];

	while (d && (de = readdir(d))) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", de->d_name, file);
		if (!faccessat(dirfd(d), path, F_OK, 0))
			return true;
	}
	return false;
}

void probe_cg_swap(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const struct cg_hierarchy *v1 = v1_of(c, "memory"), *v2 = v2_of(c);

	if (c->found[PROBE_CG_MEMORY].verdict == CLEAT_MISSING)
		probe_say(c, f, CLEAT_MISSING, "no memory controller");
	else if (v1 ? !faccessat(AT_FDCWD, arena_printf(c->a, "%s/memory.memsw.limit_in_bytes", v1->mountpoint), F_OK, 0) :
		      v2 && below_has(v2->mountpoint, "memory.swap.max"))
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_MISSING, "the kernel does not count swap per cgroup");
}

/* v2: rules are a BPF program. The smallest one is loaded, and gone with its fd. */
void probe_cg_devices(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	static const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	auto_fd fd = -1;

	if (v1_of(c, "devices")) {
		probe_cg_controller(c, p, f);
		return;
	}
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)allow;
	attr.insn_cnt = 2;
	attr.license = (uint64_t)(uintptr_t)"GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		probe_say(c, f, CLEAT_OK, "v2, by BPF programs");
	else if (errno == EPERM)
		probe_say(c, f, CLEAT_MISSING, "this user may not load BPF programs");
	else
		probe_say(c, f, CLEAT_MISSING, "the kernel was built without CONFIG_CGROUP_BPF");
}

void probe_cg_freezer(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (c->host.mode == CG_MODE_V2 && below_has(v2_of(c)->mountpoint, "cgroup.freeze"))
		probe_say(c, f, CLEAT_OK, "v2");
	else if (c->host.mode == CG_MODE_V2)
		probe_say(c, f, CLEAT_MISSING, "the kernel cannot freeze v2 cgroups");
	else
		probe_cg_controller(c, p, f);
}

void probe_cg_kill(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (c->host.mode == CG_MODE_V2 && below_has(v2_of(c)->mountpoint, "cgroup.kill"))
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_PARTLY, "no; processes are frozen, signalled one by one and thawed");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of what is asked of a host, and the questions that are about files and privilege. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bounds.h"
#include "pathfs.h"
#include "probe.h"
#include "userns.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

void probe_say(struct probe_ctx *c, struct cleat_finding *f, enum cleat_verdict v, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->verdict = v;
	f->detail = arena_strdup(c->a, text);
	if (!f->detail)
		f->detail = "";
}

char *probe_text(struct probe_ctx *c, const char *path)
{
	auto_buf b = BUF_INIT;

	if (!path || path_read(AT_FDCWD, path, LIMIT_PROC_FILE, &b) || !buf_ok(&b) || !b.data)
		return NULL;
	b.data[strcspn(b.data, "\n")] = 0;
	return arena_strdup(c->a, b.data);
}

static void kernel(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	uname(&u);
	if (sscanf(u.release, "%u.%u", &major, &minor) == 2 && (major < 4 || (major == 4 && minor < 19)))
		probe_say(c, f, CLEAT_PARTLY, "%s %s; 4.19 is the oldest that is aimed at", u.release, u.machine);
	else
		probe_say(c, f, CLEAT_OK, "%s %s", u.release, u.machine);
}

static void privilege(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (geteuid())
		probe_say(c, f, CLEAT_PARTLY, "uid %u: containers need a user namespace", geteuid());
	else if (userns_is_own())
		probe_say(c, f, CLEAT_PARTLY, "root of a user namespace");
	else if (!(c->caps & 1ull << CAP_SYS_ADMIN))
		probe_say(c, f, CLEAT_PARTLY, "root without CAP_SYS_ADMIN");
	else
		probe_say(c, f, CLEAT_OK, "root");
}

static void capability(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (c->caps & 1ull << p->value)
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_MISSING, "not held: %s", p->word);
}

/* May @path raise privilege, by its mode or by file capabilities? (An attribute that is there says so.) */
static bool raises(const char *path)
{
	struct stat st;
	cap_t caps;
	bool yes;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	caps = cap_get_file(path);
	yes = (st.st_mode & S_ISUID) || caps;
	cap_free(caps);
	return yes;
}

static void idmap_tools(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const char *uid = arena_printf(c->a, "%s/newuidmap", dirs[i]),
			   *gid = arena_printf(c->a, "%s/newgidmap", dirs[i]);

		if (uid && gid && raises(uid) && raises(gid)) {
			probe_say(c, f, CLEAT_OK, "in %s", dirs[i]);
			return;
		}
	}
	probe_say(c, f, CLEAT_MISSING, "newuidmap and newgidmap are not installed");
}

/* @p->word: the file in /proc/self/ns, and in /proc/sys/user. */
static void namespace(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const char *max = probe_text(c, arena_printf(c->a, "/proc/sys/user/max_%s_namespaces", p->word)), *off;
	const char *file = arena_printf(c->a, "/proc/self/ns/%s", p->word);
	struct stat st;

	if (!file || lstat(file, &st)) {
		probe_say(c, f, CLEAT_MISSING, "the kernel was built without it, or is too old");
		return;
	}
	if (max && !strcmp(max, "0")) {
		probe_say(c, f, CLEAT_MISSING, "/proc/sys/user/max_%s_namespaces is 0", p->word);
		f->remedy = "sysctl -w user.max_..._namespaces=10000";
		return;
	}
	probe_say(c, f, CLEAT_OK, "yes");
	if (strcmp(p->word, "user") || !geteuid())
		return;
	off = probe_text(c, "/proc/sys/kernel/unprivileged_userns_clone");
	if (off && !strcmp(off, "0")) {
		probe_say(c, f, CLEAT_MISSING, "kernel.unprivileged_userns_clone is 0");
		f->remedy = "sysctl -w kernel.unprivileged_userns_clone=1";
	}
	off = probe_text(c, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
	if (off && !strcmp(off, "1")) {
		probe_say(c, f, CLEAT_PARTLY, "AppArmor lets only programs with a profile make them");
		f->remedy = "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
	}
}

static void systemd(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (!faccessat(AT_FDCWD, "/run/systemd/system", F_OK, 0))
		probe_say(c, f, CLEAT_OK, "yes");
	else
		probe_say(c, f, CLEAT_PARTLY, "not the init system here; cgroups are made by cleat itself");
}

static void apparmor(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const char *on = probe_text(c, "/sys/module/apparmor/parameters/enabled");

	if (on && *on == 'Y')
		probe_say(c, f, CLEAT_OK, "enabled");
	else
		probe_say(c, f, CLEAT_MISSING, "%s", on ? "built in, but not enabled" : "not in this kernel");
}

static void selinux(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	const char *on = probe_text(c, "/sys/fs/selinux/enforce");

	if (on)
		probe_say(c, f, CLEAT_OK, "%s", *on == '1' ? "enforcing" : "permissive");
	else
		probe_say(c, f, CLEAT_MISSING, "not in use");
}

static void resctrl(struct probe_ctx *c, const struct probe *p, struct cleat_finding *f)
{
	if (!faccessat(AT_FDCWD, "/sys/fs/resctrl/schemata", F_OK, 0))
		probe_say(c, f, CLEAT_OK, "mounted");
	else
		probe_say(c, f, CLEAT_MISSING, "/sys/fs/resctrl is not mounted");
}

#define V2_KERNEL "a kernel with the controller, or: mount the v1 hierarchy"
#define UNDELEGATED "enable it in cgroup.subtree_control above; for users: systemd's Delegate=yes"
#define CAPS "run as root of the machine, or give the service the capability"

const struct probe probes[PROBE_MAX] = {
	[PROBE_KERNEL] = { "kernel", "release", kernel, "a newer kernel", 0, NULL },
	[PROBE_CLONE3] = { "kernel", "clone3", probe_call, "Linux 5.3", SYS_clone3, "clone is used" },
	[PROBE_INTO_CGROUP] = { "kernel", "CLONE_INTO_CGROUP", probe_into_cgroup, "Linux 5.7", 0, NULL },
	[PROBE_OPENAT2] = { "kernel", "openat2", probe_call, "Linux 5.6", SYS_openat2, "paths are walked step by step" },
	[PROBE_MOUNT_API] = { "kernel", "new mount API", probe_call, "Linux 5.2", SYS_move_mount, "mount is used" },
	[PROBE_MOUNT_SETATTR] = { "kernel", "mount_setattr", probe_call, "Linux 5.12", SYS_mount_setattr,
				  "id-mapped mounts and recursive mount options are refused" },
	[PROBE_CLOSE_RANGE] = { "kernel", "close_range", probe_call, "Linux 5.9", SYS_close_range, "fds are closed one by one" },
	[PROBE_PIDFD] = { "kernel", "pidfd_open", probe_call, "Linux 5.3", SYS_pidfd_open, "pids are guarded by start times" },
	[PROBE_PIDFD_SETNS] = { "kernel", "setns by pidfd", probe_pidfd_setns, "Linux 5.8", 0, NULL },
	[PROBE_PRIVILEGE] = { "privilege", "caller", privilege, "", 0, NULL },
	[PROBE_CAP_RESOURCE] = { "privilege", "CAP_SYS_RESOURCE", capability, CAPS, CAP_SYS_RESOURCE,
				 "hard limits cannot be raised, nor oom_score_adj lowered" },
	[PROBE_CAP_MKNOD] = { "privilege", "CAP_MKNOD", capability, CAPS, CAP_MKNOD, "devices are bound from the host" },
	[PROBE_CAP_NET_ADMIN] = { "privilege", "CAP_NET_ADMIN", capability, CAPS, CAP_NET_ADMIN,
				  "network devices cannot be moved" },
	[PROBE_IDMAP_TOOLS] = { "privilege", "newuidmap, newgidmap", idmap_tools, "apt-get install uidmap", 0, NULL },
	[PROBE_NS_MNT] = { "namespaces", "mount", namespace, "CONFIG_NAMESPACES", 0, "mnt" },
	[PROBE_NS_PID] = { "namespaces", "pid", namespace, "CONFIG_PID_NS", 0, "pid" },
	[PROBE_NS_NET] = { "namespaces", "network", namespace, "CONFIG_NET_NS", 0, "net" },
	[PROBE_NS_IPC] = { "namespaces", "ipc", namespace, "CONFIG_IPC_NS", 0, "ipc" },
	[PROBE_NS_UTS] = { "namespaces", "uts", namespace, "CONFIG_UTS_NS", 0, "uts" },
	[PROBE_NS_CGROUP] = { "namespaces", "cgroup", namespace, "Linux 4.6", 0, "cgroup" },
	[PROBE_NS_USER] = { "namespaces", "user", namespace, "CONFIG_USER_NS", 0, "user" },
	[PROBE_NS_TIME] = { "namespaces", "time", namespace, "Linux 5.6 with CONFIG_TIME_NS", 0, "time" },
	[PROBE_CG_LAYOUT] = { "cgroups", "layout", probe_cg_layout, "mount -t cgroup2 cgroup2 /sys/fs/cgroup", 0, NULL },
	[PROBE_CG_CPU] = { "cgroups", "cpu", probe_cg_controller, UNDELEGATED, 0, "cpu" },
	[PROBE_CG_CPUSET] = { "cgroups", "cpuset", probe_cg_controller, UNDELEGATED, 0, "cpuset" },
	[PROBE_CG_MEMORY] = { "cgroups", "memory", probe_cg_controller,
			      "boot with cgroup_enable=memory, or " UNDELEGATED, 0, "memory" },
	[PROBE_CG_SWAP] = { "cgroups", "swap accounting", probe_cg_swap, "boot with swapaccount=1, or CONFIG_MEMCG_SWAP", 0, NULL },
	[PROBE_CG_PIDS] = { "cgroups", "pids", probe_cg_controller, UNDELEGATED, 0, "pids" },
	[PROBE_CG_IO] = { "cgroups", "io", probe_cg_controller, UNDELEGATED, 0, "blkio" },
	[PROBE_CG_DEVICES] = { "cgroups", "device rules", probe_cg_devices, "root, and a kernel with CONFIG_CGROUP_BPF", 0, "devices" },
	[PROBE_CG_FREEZER] = { "cgroups", "freezer", probe_cg_freezer, "Linux 5.2, or the v1 freezer", 0, "freezer" },
	[PROBE_CG_HUGETLB] = { "cgroups", "hugetlb", probe_cg_controller, V2_KERNEL, 0, "hugetlb" },
	[PROBE_CG_RDMA] = { "cgroups", "rdma", probe_cg_controller, V2_KERNEL, 0, "rdma" },
	[PROBE_CG_KILL] = { "cgroups", "cgroup.kill", probe_cg_kill, "Linux 5.14 with cgroup v2", 0, NULL },
	[PROBE_SYSTEMD] = { "cgroups", "systemd", systemd, "boot with systemd to use --systemd-cgroup", 0, NULL },
	[PROBE_SECCOMP] = { "security", "seccomp", probe_seccomp, "CONFIG_SECCOMP_FILTER", SECCOMP_RET_KILL_PROCESS, "SECCOMP_RET_KILL_PROCESS" },
	[PROBE_SECCOMP_NOTIFY] = { "security", "seccomp notify", probe_seccomp, "Linux 5.0", SECCOMP_RET_USER_NOTIF, "SECCOMP_RET_USER_NOTIF" },
	[PROBE_APPARMOR] = { "security", "AppArmor", apparmor, "boot with lsm=...,apparmor", 0, NULL },
	[PROBE_SELINUX] = { "security", "SELinux", selinux, "boot with lsm=...,selinux and load a policy", 0, NULL },
	[PROBE_KEYRINGS] = { "security", "session keyrings", probe_keyrings, "CONFIG_KEYS", 0, NULL },
	[PROBE_RESCTRL] = { "hardware", "resctrl", resctrl,
			    "mount -t resctrl resctrl /sys/fs/resctrl (needs Intel RDT or AMD QoS)", 0, NULL },
};

static uint64_t effective_caps(void)
{
	cap_t have = cap_get_proc();
	uint64_t mask = 0;

	for (cap_value_t v = 0; have && v <= CAP_LAST_CAP; v++) {
		cap_flag_value_t set;

		if (!cap_get_flag(have, v, CAP_EFFECTIVE, &set) && set == CAP_SET)
			mask |= 1ull << v;
	}
	cap_free(have);
	return mask;
}

int cleat_check(const char *bundle, const char *config, const struct log *log,
		int (*cb)(const struct cleat_finding *f, void *arg), void *arg, struct err *e)
{
	auto_arena a = ARENA_INIT;
	struct probe_ctx *c = arena_new(&a, struct probe_ctx);
	int r;

	if (!c)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "check");
	c->a = &a;
	c->log = log;
	c->cb = cb;
	c->arg = arg;
	c->caps = effective_caps();
	r = cg_host_detect(&c->host, &a, e);
	for (int i = 0; i < PROBE_MAX && !r; i++) {
		struct cleat_finding *f = &c->found[i];

		*f = (struct cleat_finding){
			.group = probes[i].group, .name = probes[i].name, .remedy = probes[i].remedy, .detail = "",
		};
		probes[i].run(c, &probes[i], f);
		if (f->verdict == CLEAT_OK)
			f->remedy = "";
		r = cb(f, arg);
	}
	return r || !bundle ? r : probe_bundle(c, bundle, config, e);
}

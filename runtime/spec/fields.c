/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of config.json, one per C struct of spec.h. What a row says is
 * checked while the document is read; what concerns more than one field is in
 * check.c and check_linux.c. Every key of the specification for Linux has a
 * row: a key without one is an extension and skipped.
 *
 * A key that is known but not built is refused when ignoring it would give
 * the container more than was asked for, or other limits, or another world
 * than the program expects; what has no effect on Linux is ignored.
 */
#include "spec_internal.h"
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define ID_MAX ((int64_t)UINT32_MAX - 1)	/* (uid_t)-1 means "unchanged" to the kernel */
#define PATH_LEN (PATH_MAX - 1)
#define NS(n) "config-linux.md#" n

const struct name spec_namespace_names[] = {
	{ "cgroup", CLONE_NEWCGROUP },
	{ "ipc", CLONE_NEWIPC },
	{ "mount", CLONE_NEWNS },
	{ "network", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID },
	{ "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER },
	{ "uts", CLONE_NEWUTS },
	{ NULL, 0 },
};

const struct name spec_rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};

const struct name spec_propagation_names[] = {
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "rshared", MS_SHARED | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
	{ NULL, 0 },
};

static const struct name device_types[] = {
	{ "b", 'b' }, { "c", 'c' }, { "p", 'p' }, { "u", 'u' }, { NULL, 0 },
};

/* ---- process ---- */

#define AT(m) .off = FIELD_OFF(struct spec_user, m)
static const struct field user_fields[] = {
	{ .key = "uid", .type = FT_U32, .max = ID_MAX, AT(uid), .spec = "config.md#user",
	  .doc = "user id inside the container" },
	{ .key = "gid", .type = FT_U32, .max = ID_MAX, AT(gid), .spec = "config.md#user",
	  .doc = "group id inside the container" },
	{ .key = "umask", .type = FT_U32, .max = 07777, AT(umask),
	  .present = FIELD_OFF(struct spec_user, has_umask), .spec = "config.md#user",
	  .doc = "file mode creation mask, decimal; 0022 when absent" },
	{ .key = "additionalGids", .type = FT_U32V, .flags = F_OMITEMPTY, .max = 65536,
	  AT(additional_gids), .spec = "config.md#user",
	  .doc = "supplementary groups, at most NGROUPS_MAX" },
	{ .key = "username", .type = FT_IGNORED, .spec = "config.md#user",
	  .doc = "Windows only" },
};
static OBJECT(user_object, struct spec_user, user_fields);
#undef AT

#define CAPS(k, m) { .key = k, .type = FT_STRV, .flags = F_OMITEMPTY,	\
	.off = FIELD_OFF(struct spec_caps, m), .spec = "config.md#linux-process", \
	.doc = "set of capabilities; unknown ones are warned of and skipped" }
static const struct field caps_fields[] = {
	CAPS("bounding", bounding),
	CAPS("effective", effective),
	CAPS("inheritable", inheritable),
	CAPS("permitted", permitted),
	CAPS("ambient", ambient),
};
OBJECT(spec_caps_object, struct spec_caps, caps_fields);

#define AT(m) .off = FIELD_OFF(struct spec_rlimit, m)
static const struct field rlimit_fields[] = {
	{ .key = "type", .type = FT_ENUM, .flags = F_REQUIRED, AT(type), .sub = spec_rlimit_names,
	  .spec = "config.md#posix-process", .doc = "RLIMIT_*; each at most once" },
	{ .key = "hard", .type = FT_U64, .flags = F_REQUIRED, AT(hard),
	  .spec = "config.md#posix-process", .doc = "ceiling; 18446744073709551615 is unlimited" },
	{ .key = "soft", .type = FT_U64, .flags = F_REQUIRED, AT(soft),
	  .spec = "config.md#posix-process", .doc = "limit, at most hard" },
};
OBJECT(spec_rlimit_object, struct spec_rlimit, rlimit_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_console, m)
static const struct field console_fields[] = {
	{ .key = "height", .type = FT_U32, .max = UINT16_MAX, AT(height),
	  .spec = "config.md#process", .doc = "rows" },
	{ .key = "width", .type = FT_U32, .max = UINT16_MAX, AT(width),
	  .spec = "config.md#process", .doc = "columns" },
};
static OBJECT(console_object, struct spec_console, console_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_process, m)
#define IGNORE(k, s, why) { .key = k, .type = FT_IGNORED, .spec = s, .doc = why }
static const struct field process_fields[] = {
	{ .key = "terminal", .type = FT_BOOL, .flags = F_OMITEMPTY, AT(terminal),
	  .spec = "config.md#process", .doc = "the process gets a pseudo-terminal" },
	{ .key = "consoleSize", .type = FT_OBJP, AT(console_size), .sub = &console_object,
	  .spec = "config.md#process", .doc = "first size of that terminal" },
	{ .key = "user", .type = FT_OBJ, AT(user), .sub = &user_object,
	  .spec = "config.md#user", .doc = "credentials; 0:0 when absent" },
	{ .key = "args", .type = FT_STRV, .flags = F_BYTES | F_OMITEMPTY, AT(args),
	  .spec = "config.md#process", .doc = "program and its arguments, at least one" },
	{ .key = "env", .type = FT_STRV, .flags = F_BYTES | F_OMITEMPTY, AT(env),
	  .spec = "config.md#process", .doc = "KEY=value each; the later of two counts" },
	{ .key = "cwd", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY | F_ABSPATH,
	  .max = PATH_LEN, AT(cwd), .spec = "config.md#process",
	  .doc = "working directory inside the container" },
	{ .key = "capabilities", .type = FT_OBJP, AT(capabilities), .sub = &spec_caps_object,
	  .spec = "config.md#linux-process", .doc = "the five sets; none when absent" },
	{ .key = "rlimits", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(rlimits),
	  .sub = &spec_rlimit_object, .spec = "config.md#posix-process",
	  .doc = "resource limits of the process" },
	{ .key = "noNewPrivileges", .type = FT_BOOL, .flags = F_OMITEMPTY, AT(no_new_privileges),
	  .spec = "config.md#linux-process", .doc = "setuid bits have no effect" },
	{ .key = "oomScoreAdj", .type = FT_I32, .min = -1000, .max = 1000, AT(oom_score_adj),
	  .present = FIELD_OFF(struct spec_process, has_oom_score_adj),
	  .spec = "config.md#linux-process", .doc = "left as it is when absent" },
	{ .key = "apparmorProfile", .type = FT_STR, .flags = F_OMITEMPTY, AT(apparmor_profile),
	  .spec = "config.md#linux-process", .doc = "AppArmor profile of the process" },
	{ .key = "selinuxLabel", .type = FT_STR, .flags = F_OMITEMPTY, AT(selinux_label),
	  .spec = "config.md#linux-process", .doc = "SELinux label of the process" },
	{ .key = "scheduler", .type = FT_OBJP, AT(scheduler), .sub = &spec_scheduler_object,
	  .spec = "config.md#linux-process", .doc = "CPU scheduling of the process" },
	{ .key = "ioPriority", .type = FT_OBJP, AT(io_priority), .sub = &spec_io_priority_object,
	  .spec = "config.md#linux-process", .doc = "I/O scheduling of the process" },
	{ .key = "execCPUAffinity", .type = FT_OBJP, AT(exec_affinity), .sub = &spec_affinity_object,
	  .spec = "config.md#linux-process", .doc = "CPUs of processes that enter the container" },
	IGNORE("commandLine", "config.md#process", "Windows only"),
};
OBJECT(spec_process_object, struct spec_process, process_fields);
#undef AT

/* ---- root, mounts, hooks ---- */

#define AT(m) .off = FIELD_OFF(struct spec_root, m)
static const struct field root_fields[] = {
	{ .key = "path", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY, .max = PATH_LEN,
	  AT(path), .spec = "config.md#root", .doc = "relative to the bundle, or absolute" },
	{ .key = "readonly", .type = FT_BOOL, .flags = F_OMITEMPTY, AT(readonly),
	  .spec = "config.md#root", .doc = "root file system is read-only" },
};
static OBJECT(root_object, struct spec_root, root_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_mount, m)
static const struct field mount_fields[] = {
	{ .key = "destination", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY, .max = PATH_LEN,
	  AT(destination), .spec = "config.md#mounts", .doc = "mount point in the container" },
	{ .key = "type", .type = FT_STR, .flags = F_OMITEMPTY, AT(type),
	  .spec = "config.md#mounts", .doc = "file system; anything for a bind mount" },
	{ .key = "source", .type = FT_STR, .flags = F_OMITEMPTY, .max = PATH_LEN, AT(source),
	  .spec = "config.md#mounts", .doc = "device, name, or path relative to the bundle" },
	{ .key = "options", .type = FT_STRV, .flags = F_OMITEMPTY, AT(options),
	  .spec = "config-linux.md#mount-options", .doc = "option words, the later wins" },
	{ .key = "uidMappings", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(uid_mappings),
	  .sub = &spec_idmap_object, .spec = "config.md#mounts", .doc = "user ids of an id-mapped bind mount" },
	{ .key = "gidMappings", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(gid_mappings),
	  .sub = &spec_idmap_object, .spec = "config.md#mounts", .doc = "group ids of an id-mapped bind mount" },
};
static OBJECT(mount_object, struct spec_mount, mount_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_hook, m)
static const struct field hook_fields[] = {
	{ .key = "path", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY | F_ABSPATH,
	  .max = PATH_LEN, AT(path), .spec = "config.md#posix-platform-hooks",
	  .doc = "program" },
	{ .key = "args", .type = FT_STRV, .flags = F_BYTES | F_OMITEMPTY, AT(args),
	  .spec = "config.md#posix-platform-hooks", .doc = "arguments with argv[0]; the path alone when absent" },
	{ .key = "env", .type = FT_STRV, .flags = F_BYTES, AT(env),
	  .present = FIELD_OFF(struct spec_hook, has_env),
	  .spec = "config.md#posix-platform-hooks", .doc = "environment; the runtime's own when absent" },
	{ .key = "timeout", .type = FT_I32, .min = 1, .max = INT32_MAX, AT(timeout),
	  .present = FIELD_OFF(struct spec_hook, has_timeout),
	  .spec = "config.md#posix-platform-hooks", .doc = "seconds until it is killed" },
};
static OBJECT(hook_object, struct spec_hook, hook_fields);
#undef AT

#define HOOKS(k, m) { .key = k, .type = FT_OBJV, .flags = F_OMITEMPTY,	\
	.off = FIELD_OFF(struct spec_hooks, m), .sub = &hook_object,	\
	.spec = "config.md#posix-platform-hooks", .doc = "run in the order given" }
static const struct field hooks_fields[] = {
	HOOKS("prestart", prestart),
	HOOKS("createRuntime", create_runtime),
	HOOKS("createContainer", create_container),
	HOOKS("startContainer", start_container),
	HOOKS("poststart", poststart),
	HOOKS("poststop", poststop),
};
OBJECT(spec_hooks_object, struct spec_hooks, hooks_fields);

/* ---- linux ---- */

#define AT(m) .off = FIELD_OFF(struct spec_namespace, m)
static const struct field namespace_fields[] = {
	{ .key = "type", .type = FT_ENUM, .flags = F_REQUIRED, AT(type),
	  .sub = spec_namespace_names, .spec = NS("namespaces"), .doc = "each at most once" },
	{ .key = "path", .type = FT_STR, .flags = F_OMITEMPTY, .max = PATH_LEN, AT(path),
	  .spec = NS("namespaces"), .doc = "namespace to join; a new one when absent" },
};
static OBJECT(namespace_object, struct spec_namespace, namespace_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_idmap, m)
static const struct field idmap_fields[] = {
	{ .key = "containerID", .type = FT_U32, .flags = F_REQUIRED, AT(container_id),
	  .spec = NS("user-namespace-mappings"), .doc = "first id inside" },
	{ .key = "hostID", .type = FT_U32, .flags = F_REQUIRED, AT(host_id),
	  .spec = NS("user-namespace-mappings"), .doc = "first id outside" },
	{ .key = "size", .type = FT_U32, .flags = F_REQUIRED, AT(size),
	  .spec = NS("user-namespace-mappings"), .doc = "number of ids" },
};
OBJECT(spec_idmap_object, struct spec_idmap, idmap_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_device, m)
#define HAS(m) .present = FIELD_OFF(struct spec_device, has_##m)
static const struct field device_fields[] = {
	{ .key = "type", .type = FT_ENUM, .flags = F_REQUIRED, AT(type), .sub = device_types,
	  .spec = NS("devices"), .doc = "character (c, u), block or fifo" },
	{ .key = "path", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY | F_ABSPATH,
	  .max = PATH_LEN, AT(path), .spec = NS("devices"), .doc = "node in the container" },
	{ .key = "major", .type = FT_I64, .max = 0xfff, AT(major),
	  .spec = NS("devices"), .doc = "major number; of no meaning for a fifo" },
	{ .key = "minor", .type = FT_I64, .max = 0xfffff, AT(minor),
	  .spec = NS("devices"), .doc = "minor number; of no meaning for a fifo" },
	{ .key = "fileMode", .type = FT_U32, AT(file_mode), HAS(file_mode),
	  .spec = NS("devices"), .doc = "mode; type bits have no effect; 0666 when absent" },
	{ .key = "uid", .type = FT_U32, .max = ID_MAX, AT(uid), HAS(uid),
	  .spec = NS("devices"), .doc = "owner in the container" },
	{ .key = "gid", .type = FT_U32, .max = ID_MAX, AT(gid), HAS(gid),
	  .spec = NS("devices"), .doc = "group in the container" },
};
static OBJECT(device_object, struct spec_device, device_fields);
#undef AT
#undef HAS

#define AT(m) .off = FIELD_OFF(struct spec_net_device, m)
static const struct field net_device_fields[] = {
	{ .key = "name", .type = FT_STR, .flags = F_OMITEMPTY, AT(name),
	  .spec = NS("network-devices"), .doc = "in the container; the same when absent; one %d takes a free number" },
};
static OBJECT(net_device_object, struct spec_net_device, net_device_fields);
#undef AT

#define AT(m) .off = FIELD_OFF(struct spec_linux, m)
static const struct field linux_fields[] = {
	{ .key = "uidMappings", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(uid_mappings),
	  .sub = &spec_idmap_object, .spec = NS("user-namespace-mappings"),
	  .doc = "user ids of a new user namespace" },
	{ .key = "gidMappings", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(gid_mappings),
	  .sub = &spec_idmap_object, .spec = NS("user-namespace-mappings"),
	  .doc = "group ids of a new user namespace" },
	{ .key = "sysctl", .type = FT_MAP, .flags = F_OMITEMPTY, AT(sysctl),
	  .spec = NS("sysctl"), .doc = "settings of the container's own namespaces" },
	{ .key = "resources", .type = FT_OBJP, AT(resources), .sub = &cg_limits_object,
	  .spec = NS("control-groups"), .doc = "limits, by control groups" },
	{ .key = "cgroupsPath", .type = FT_STR, .flags = F_OMITEMPTY, .max = PATH_LEN,
	  AT(cgroups_path), .spec = NS("cgroups-path"), .doc = "where the container's cgroup is" },
	{ .key = "namespaces", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(namespaces),
	  .sub = &namespace_object, .spec = NS("namespaces"),
	  .doc = "new or joined; what is not named is inherited" },
	{ .key = "devices", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(devices),
	  .sub = &device_object, .spec = NS("devices"), .doc = "device nodes to make" },
	{ .key = "seccomp", .type = FT_OBJP, AT(seccomp), .sub = &filter_spec_object,
	  .spec = NS("seccomp"), .doc = "system call filter" },
	{ .key = "rootfsPropagation", .type = FT_STR, .flags = F_OMITEMPTY,
	  AT(rootfs_propagation), .spec = NS("rootfs-mount-propagation"),
	  .doc = "propagation of the root mount" },
	{ .key = "maskedPaths", .type = FT_STRV, .flags = F_OMITEMPTY | F_ABSPATH,
	  AT(masked_paths), .spec = NS("masked-paths"), .doc = "made unreadable; missing ones are skipped" },
	{ .key = "readonlyPaths", .type = FT_STRV, .flags = F_OMITEMPTY | F_ABSPATH,
	  AT(readonly_paths), .spec = NS("readonly-paths"), .doc = "made read-only; missing ones are skipped" },
	{ .key = "mountLabel", .type = FT_STR, .flags = F_OMITEMPTY, AT(mount_label),
	  .spec = NS("mount-label"), .doc = "SELinux label of the mounts" },
	{ .key = "timeOffsets", .type = FT_OBJMAP, .flags = F_OMITEMPTY, AT(time_offsets),
	  .sub = &spec_clock_object, .spec = NS("offset-for-time-namespace"),
	  .doc = "of the clocks monotonic and boottime in a new time namespace" },
	{ .key = "memoryPolicy", .type = FT_OBJP, AT(memory_policy), .sub = &spec_mempolicy_object,
	  .spec = NS("memory-policy"), .doc = "nodes that memory comes from" },
	{ .key = "personality", .type = FT_OBJP, AT(personality), .sub = &spec_personality_object,
	  .spec = NS("personality"), .doc = "execution domain of the container's processes" },
	{ .key = "intelRdt", .type = FT_OBJP, AT(intel_rdt), .sub = &rdt_object,
	  .spec = NS("intelrdt"), .doc = "share of caches and memory bandwidth, by the resctrl file system" },
	{ .key = "netDevices", .type = FT_OBJMAP, .flags = F_OMITEMPTY, AT(net_devices),
	  .sub = &net_device_object, .spec = NS("network-devices"), .doc = "devices of the host that move in" },
};
static OBJECT(linux_object, struct spec_linux, linux_fields);
#undef AT

/* ---- config.json ---- */

#define AT(m) .off = FIELD_OFF(struct spec, m)
static const struct field spec_fields[] = {
	{ .key = "ociVersion", .type = FT_STR, .flags = F_REQUIRED, AT(oci_version),
	  .spec = "config.md#specification-version", .doc = "SemVer of the specification, major 1" },
	{ .key = "process", .type = FT_OBJP, AT(process), .sub = &spec_process_object,
	  .spec = "config.md#process", .doc = "the program; needed to start" },
	{ .key = "root", .type = FT_OBJP, .flags = F_REQUIRED, AT(root), .sub = &root_object,
	  .spec = "config.md#root", .doc = "root file system" },
	{ .key = "hostname", .type = FT_STR, .flags = F_OMITEMPTY, .max = 64, AT(hostname),
	  .spec = "config.md#hostname", .doc = "needs a uts namespace" },
	{ .key = "domainname", .type = FT_STR, .flags = F_OMITEMPTY, .max = 64, AT(domainname),
	  .spec = "config.md#domainname", .doc = "needs a uts namespace" },
	{ .key = "mounts", .type = FT_OBJV, .flags = F_OMITEMPTY, AT(mounts), .sub = &mount_object,
	  .spec = "config.md#mounts", .doc = "done in the order given" },
	{ .key = "hooks", .type = FT_OBJP, AT(hooks), .sub = &spec_hooks_object,
	  .spec = "config.md#posix-platform-hooks", .doc = "programs run along the way" },
	{ .key = "annotations", .type = FT_MAP, .flags = F_OMITEMPTY, AT(annotations),
	  .spec = "config.md#annotations", .doc = "copied to the state" },
	{ .key = "linux", .type = FT_OBJP, AT(linux_), .sub = &linux_object,
	  .spec = "config.md#platform-specific-configuration", .doc = "everything of Linux" },
	IGNORE("windows", "config-windows.md", "of another platform"),
	IGNORE("solaris", "config-solaris.md", "of another platform"),
	IGNORE("zos", "config-zos.md", "of another platform"),
	IGNORE("freebsd", "config-freebsd.md", "of another platform"),
	IGNORE("vm", "config-vm.md", "of runtimes that start a virtual machine"),
};
OBJECT(spec_object, struct spec, spec_fields);

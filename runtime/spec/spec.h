/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SPEC_H
#define CLEAT_SPEC_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "cgroup.h"
#include "err.h"
#include "field.h"
#include "filter.h"
#include "log.h"
#include "rdt.h"

/*
 * config.json as plain C. Everything reached from a struct spec is memory of
 * the arena it was parsed into and is constant afterwards. Tables: fields.c.
 */
struct spec_user {
	uint32_t uid, gid, umask;
	bool has_umask;
	struct u32v additional_gids;
};
struct spec_caps { struct strv bounding, effective, inheritable, permitted, ambient; };	/* "CAP_X" as given */
struct spec_rlimit { int type; uint64_t soft, hard; };	/* type: RLIMIT_* */
struct spec_console { uint32_t height, width; };
struct spec_scheduler {
	int policy;				/* SCHED_* */
	int32_t nice, priority;
	struct intv flags;			/* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;	/* nanoseconds */
};
struct spec_io_priority { int class_; int32_t priority; };	/* IOPRIO_CLASS_* */
struct spec_affinity { const char *initial, *final_; };		/* lists of CPUs; NULL or "": not given */
struct spec_process {
	bool terminal;
	struct spec_console *console_size;	/* NULL: not given */
	struct spec_user user;
	struct strv args, env;
	const char *cwd;
	struct spec_caps *capabilities;		/* NULL: not given */
	struct objv rlimits;			/* struct spec_rlimit */
	bool no_new_privileges;
	int32_t oom_score_adj; bool has_oom_score_adj;
	const char *apparmor_profile, *selinux_label;	/* NULL or "" : none */
	struct spec_scheduler *scheduler;	/* NULL: not given, as the next two */
	struct spec_io_priority *io_priority;
	struct spec_affinity *exec_affinity;
};
struct spec_root { const char *path; bool readonly; };
struct spec_idmap { uint32_t container_id, host_id, size; };
struct spec_mount {
	const char *destination, *type, *source;	/* type, source may be NULL */
	struct strv options;
	struct objv uid_mappings, gid_mappings;		/* struct spec_idmap; both or none */
};
struct spec_net_device {
	const char *key;	/* its name on the host */
	const char *name;	/* its name in the container; NULL: the same; one "%d" takes the first free number */
};
struct spec_namespace { int type; /* CLONE_NEW* */ const char *path; /* NULL: new */ };
struct spec_device {
	int type;			/* 'c' 'b' 'u' 'p' */
	const char *path;
	int64_t major, minor;
	uint32_t file_mode; bool has_file_mode;
	uint32_t uid, gid; bool has_uid, has_gid;
};
struct spec_hook { const char *path; struct strv args, env; bool has_env; int32_t timeout; bool has_timeout; };
struct spec_hooks {
	struct objv prestart, create_runtime, create_container, start_container, poststart, poststop; /* struct spec_hook */
};
struct spec_personality { int domain; /* PER_* */ struct strv flags; };
struct spec_mempolicy { int mode; /* MPOL_* */ const char *nodes; struct intv flags; };
struct spec_clock { const char *key; int64_t secs; uint32_t nanosecs; };	/* key: "monotonic", "boottime" */
struct spec_linux {
	struct objv namespaces;			/* struct spec_namespace */
	struct objv uid_mappings, gid_mappings;	/* struct spec_idmap */
	struct objv devices;			/* struct spec_device */
	struct objv net_devices;		/* struct spec_net_device */
	const char *cgroups_path;		/* NULL: not given */
	struct cg_limits *resources;
	struct filter_spec *seccomp;
	struct strmap sysctl;
	struct strv masked_paths, readonly_paths;
	const char *rootfs_propagation;		/* NULL or one of the propagation words */
	const char *mount_label;		/* NULL: none */
	struct spec_personality *personality;	/* NULL: not given */
	struct spec_mempolicy *memory_policy;	/* NULL: not given */
	struct objv time_offsets;		/* struct spec_clock */
	struct rdt *intel_rdt;			/* NULL: not given */
};
struct spec {
	const char *oci_version;
	struct spec_root *root;
	struct spec_process *process;		/* NULL: not given */
	const char *hostname, *domainname;
	struct objv mounts;			/* struct spec_mount */
	struct spec_hooks *hooks;
	struct spec_linux *linux_;		/* never NULL after spec_parse() */
	struct strmap annotations;
	/* of the annotations */
	bool keep_groups;			/* the caller's supplementary groups */
	const char *pidfd_receiver;		/* socket; NULL: none */
};

extern const struct object spec_object, spec_process_object, spec_hooks_object, spec_idmap_object,
	spec_rlimit_object, spec_caps_object;

/**
 * spec_load() - Read, parse and check a config.json.
 * @dirfd, @path: regular file, opened O_NONBLOCK, at most LIMIT_JSON_BYTES.
 */
int spec_load(int dirfd, const char *path, struct arena *a, struct spec **out,
	      const struct log *log, struct err *e);
int spec_parse(const char *json, size_t len, struct arena *a, struct spec **out,
	       const struct log *log, struct err *e);
/** spec_process_parse() - A process document (exec), checked by the same rules. */
int spec_process_parse(const char *json, size_t len, struct arena *a, struct spec_process **out,
		       const struct log *log, struct err *e);
/** spec_check() - Rules across fields, each citing its sentence; called by spec_parse(). */
int spec_check(const struct spec *s, const struct log *log, struct err *e);

/** spec_namespace() - The entry of @type (CLONE_NEW*), or NULL: inherited. */
const struct spec_namespace *spec_namespace(const struct spec *s, int type);
/** spec_namespace_name() - "pid", "mount", "network" ... of a CLONE_NEW* flag. */
const char *spec_namespace_name(int type);
/** spec_sysctl_path() - Path below /proc/sys that a (checked) sysctl key means; -EINVAL, -ENAMETOOLONG. */
int spec_sysctl_path(const char *key, char *out, size_t size);
/** name tables, shared with the features document */
extern const struct name spec_namespace_names[], spec_rlimit_names[], spec_propagation_names[],
	spec_sched_names[], spec_ioprio_names[], spec_mempolicy_names[], spec_mempolicy_flag_names[];
#endif

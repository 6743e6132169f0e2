/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of `cleat spec`: what other runtimes write, to be edited. It is
 * kept as text because it is read by people; a test parses it and compares it
 * with what the other runtime on the machine writes.
 */
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "buf.h"
#include "cleat.h"

static const char process[] =
"	\"ociVersion\": \"" CLEAT_SPEC_VERSION "\",\n"
"	\"process\": {\n"
"		\"terminal\": true,\n"
"		\"user\": {\n"
"			\"uid\": 0,\n"
"			\"gid\": 0\n"
"		},\n"
"		\"args\": [\n"
"			\"sh\"\n"
"		],\n"
"		\"env\": [\n"
"			\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
"			\"TERM=xterm\"\n"
"		],\n"
"		\"cwd\": \"/\",\n"
"		\"capabilities\": {\n"
"			\"bounding\": [\n"
"				\"CAP_AUDIT_WRITE\",\n"
"				\"CAP_KILL\",\n"
"				\"CAP_NET_BIND_SERVICE\"\n"
"			],\n"
"			\"effective\": [\n"
"				\"CAP_AUDIT_WRITE\",\n"
"				\"CAP_KILL\",\n"
"				\"CAP_NET_BIND_SERVICE\"\n"
"			],\n"
"			\"permitted\": [\n"
"				\"CAP_AUDIT_WRITE\",\n"
"				\"CAP_KILL\",\n"
"				\"CAP_NET_BIND_SERVICE\"\n"
"			]\n"
"		},\n"
"		\"rlimits\": [\n"
"			{\n"
"				\"type\": \"RLIMIT_NOFILE\",\n"
"				\"hard\": 1024,\n"
"				\"soft\": 1024\n"
"			}\n"
"		],\n"
"		\"noNewPrivileges\": true\n"
"	},\n"
"	\"root\": {\n"
"		\"path\": \"rootfs\",\n"
"		\"readonly\": true\n"
"	},\n"
"	\"hostname\": \"cleat\",\n";

#define MOUNT(dest, type, source) \
"		{\n" \
"			\"destination\": \"" dest "\",\n" \
"			\"type\": \"" type "\",\n" \
"			\"source\": \"" source "\""
#define OPTIONS ",\n			\"options\": ["
#define FIRST(word) "\n				\"" word "\""
#define WORD(word) "," FIRST(word)
#define END "\n			]\n		}"

/* @gid5: group tty, which a namespace with one mapped group cannot name. */
static const char mounts[] =
"	\"mounts\": [\n"
MOUNT("/proc", "proc", "proc") "\n		},\n"
MOUNT("/dev", "tmpfs", "tmpfs") OPTIONS
	FIRST("nosuid") WORD("strictatime") WORD("mode=755") WORD("size=65536k") END ",\n"
MOUNT("/dev/pts", "devpts", "devpts") OPTIONS
	FIRST("nosuid") WORD("noexec") WORD("newinstance") WORD("ptmxmode=0666") WORD("mode=0620");
static const char pts_group[] = WORD("gid=5");
static const char mounts_dev[] = END ",\n"
MOUNT("/dev/shm", "tmpfs", "shm") OPTIONS
	FIRST("nosuid") WORD("noexec") WORD("nodev") WORD("mode=1777") WORD("size=65536k") END ",\n"
MOUNT("/dev/mqueue", "mqueue", "mqueue") OPTIONS
	FIRST("nosuid") WORD("noexec") WORD("nodev") END ",\n";
static const char mount_sys[] =
MOUNT("/sys", "sysfs", "sysfs") OPTIONS
	FIRST("nosuid") WORD("noexec") WORD("nodev") WORD("ro") END ",\n";
/* sysfs shows the network namespace's devices: without one of our own the kernel refuses a new mount. */
static const char mount_sys_rootless[] =
MOUNT("/sys", "none", "/sys") OPTIONS
	FIRST("rbind") WORD("nosuid") WORD("noexec") WORD("nodev") WORD("ro") END ",\n";
static const char mount_cgroup[] =
MOUNT("/sys/fs/cgroup", "cgroup", "cgroup") OPTIONS
	FIRST("nosuid") WORD("noexec") WORD("nodev") WORD("relatime") WORD("ro") END "\n	],\n";

static const char resources[] =
"		\"resources\": {\n"
"			\"devices\": [\n"
"				{\n"
"					\"allow\": false,\n"
"					\"access\": \"rwm\"\n"
"				}\n"
"			]\n"
"		},\n";

static const char paths[] =
"		\"maskedPaths\": [\n"
"			\"/proc/acpi\",\n"
"			\"/proc/asound\",\n"
"			\"/proc/kcore\",\n"
"			\"/proc/keys\",\n"
"			\"/proc/latency_stats\",\n"
"			\"/proc/timer_list\",\n"
"			\"/proc/timer_stats\",\n"
"			\"/proc/sched_debug\",\n"
"			\"/sys/firmware\",\n"
"			\"/proc/scsi\"\n"
"		],\n"
"		\"readonlyPaths\": [\n"
"			\"/proc/bus\",\n"
"			\"/proc/fs\",\n"
"			\"/proc/irq\",\n"
"			\"/proc/sys\",\n"
"			\"/proc/sysrq-trigger\"\n"
"		]\n"
"	}\n"
"}";

static void add_mapping(struct buf *b, const char *key, unsigned int host_id)
{
	buf_addf(b, "\t\t\"%s\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n"
		 "\t\t\t\t\"hostID\": %u,\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n", key, host_id);
}

static void add_namespaces(struct buf *b, bool rootless)
{
	struct statfs sfs;
	bool v2 = !statfs("/sys/fs/cgroup", &sfs) && sfs.f_type == CGROUP2_SUPER_MAGIC;
	const char *names[] = {
		"pid", rootless ? NULL : "network", "ipc", "uts", "mount",
		rootless ? "user" : NULL, v2 ? "cgroup" : NULL,
	};
	bool first = true;

	buf_adds(b, "\t\t\"namespaces\": [");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!names[i])
			continue;
		buf_addf(b, "%s\n\t\t\t{\n\t\t\t\t\"type\": \"%s\"\n\t\t\t}", first ? "" : ",", names[i]);
		first = false;
	}
	buf_adds(b, "\n\t\t],\n");
}

/**
 * cleat_spec_default() - A config.json to start from.
 * @rootless: for a caller without privilege: a user namespace that maps the
 *            caller to 0, no network namespace, no resources.
 *
 * Return: heap text without a final newline, or NULL.
 */
char *cleat_spec_default(bool rootless)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{\n");
	buf_adds(&b, process);
	buf_adds(&b, mounts);
	buf_adds(&b, rootless ? "" : pts_group);
	buf_adds(&b, mounts_dev);
	buf_adds(&b, rootless ? mount_sys_rootless : mount_sys);
	buf_adds(&b, mount_cgroup);
	buf_adds(&b, "\t\"linux\": {\n");
	if (rootless) {
		add_mapping(&b, "uidMappings", geteuid());
		add_mapping(&b, "gidMappings", getegid());
	} else {
		buf_adds(&b, resources);
	}
	add_namespaces(&b, rootless);
	buf_adds(&b, paths);
	if (buf_ok(&b))
		return b.data;
	buf_fini(&b);
	return NULL;
}

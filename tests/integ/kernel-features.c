/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernel-features: what this kernel has of what a container can ask for, as TAP.
 *
 *   kernel-features [FEATURE...]
 *
 * A feature that is there is "ok"; one that is not is skipped with the kernel's own answer,
 * unless it is named as an argument ("all" names every one): then it is "not ok". To be run
 * as root with all capabilities. Each is asked for in a child of its own, for some of the
 * questions change the asker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROOT "/sys/fs/cgroup"

/* All probes: 0 when it is there, else -errno. */
static int answer(long r)
{
	return r < 0 ? -errno : 0;
}

/* For calls that are made with an argument that no kernel takes: only ENOSYS says no. */
static int known(long r)
{
	return r < 0 && errno == ENOSYS ? -ENOSYS : 0;
}

static int child(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	waitpid((pid_t)pid, NULL, __WALL);
	return 0;
}

static int clone_with(uint64_t flags, int cgroup)
{
	struct clone_args a = { .flags = flags, .exit_signal = SIGCHLD };

	if (cgroup >= 0)
		a.cgroup = (uint64_t)cgroup;
	return child(syscall(SYS_clone3, &a, sizeof(a)));
}

static int has_clone3(const char *arg)
{
	(void)arg;
	return clone_with(0, -1);
}

static int has_into_cgroup(const char *arg)
{
	int fd = open(arg, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : clone_with(CLONE_INTO_CGROUP, fd);
}

static int has_clone_pidfd(const char *arg)
{
	int fd = -1;
	long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0);
	int r = child(pid);

	(void)arg;
	return r ? r : fd < 0 ? -EINVAL : 0;
}

static int self(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

static int has_pidfd_open(const char *arg)
{
	(void)arg;
	return answer(self());
}

static int has_pidfd_signal(const char *arg)
{
	int fd = open("/proc/self", O_DIRECTORY | O_CLOEXEC);

	(void)arg;
	return answer(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

static int has_pidfd_getfd(const char *arg)
{
	(void)arg;
	return answer(syscall(SYS_pidfd_getfd, self(), 0, 0));
}

static int has_pidfd_setns(const char *arg)
{
	(void)arg;
	return answer(setns(self(), CLONE_NEWUTS));
}

static int has_waitid_pidfd(const char *arg)
{
	siginfo_t info;
	int fd = self();
	long r = waitid(3 /* P_PIDFD */, (id_t)fd, &info, WEXITED | WNOHANG);

	(void)arg;
	return fd < 0 ? -ENOSYS : r < 0 && errno != ECHILD ? -errno : 0;
}

static int has_close_range(const char *arg)
{
	return answer(syscall(SYS_close_range, 1000, 2000, *arg ? 4 /* CLOEXEC */ : 0));
}

static int has_openat2(const char *arg)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	(void)arg;
	return answer(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)));
}

static int has_fsopen(const char *arg)
{
	int fd = (int)syscall(SYS_fsopen, arg, 1 /* CLOEXEC */);

	if (fd < 0)
		return -errno;
	return answer(syscall(SYS_fsconfig, fd, 6 /* CMD_CREATE */, NULL, NULL, 0));
}

static int tree(void)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int has_open_tree(const char *arg)
{
	(void)arg;
	return answer(tree());
}

static int has_setattr(const char *arg)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd = tree();

	(void)arg;
	return answer(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)));
}

static int has_mnt_id(const char *arg)
{
	uint32_t st[64] = { 0 };	/* struct statx, which not every libc has; stx_mask comes first */
	unsigned int mask = (unsigned int)strtoul(arg, NULL, 0);

	if (syscall(SYS_statx, AT_FDCWD, "/", 0, mask, st))
		return -errno;
	return st[0] & mask ? 0 : -EINVAL;
}

static int has_statmount(const char *arg)
{
	(void)arg;
	return known(syscall(457 /* statmount */, NULL, NULL, 0, 0));
}

static int has_faccessat2(const char *arg)
{
	(void)arg;
	return answer(syscall(SYS_faccessat2, AT_FDCWD, "/", F_OK, AT_EACCESS));
}

static int has_pwait2(const char *arg)
{
	struct epoll_event e;
	struct timespec none = { 0, 0 };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	(void)arg;
	return answer(syscall(SYS_epoll_pwait2, fd, &e, 1, &none, NULL, 0));
}

static int has_namespace(const char *arg)
{
	return answer(unshare((int)strtoul(arg, NULL, 0)));
}

static int has_path(const char *arg)
{
	return answer(access(arg, F_OK));
}

/* A line, or a word of it, of a file: "FILE WORD". */
static int has_word(const char *arg)
{
	char path[128], buf[16384], *word;
	const char *want = strchr(arg, ' ');
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.*s", (int)(want - arg), arg);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	for (word = strtok(buf, " ,\t\n"); word; word = strtok(NULL, " ,\t\n"))
		if (!strcmp(word, want + 1))
			return 0;
	return -ENOENT;
}

/*
 * A controller by its v1 name: in the v2 tree if that is there, or in /proc/cgroups (name,
 * hierarchy, count, enabled), where newer kernels list only what v1 has.
 */
static int has_controller(const char *arg)
{
	char line[256], name[64], v2[128];
	unsigned int tree_id, count, enabled;
	int r = -ENOENT;
	FILE *f;

	snprintf(v2, sizeof(v2), CGROOT "/cgroup.controllers %s", strcmp(arg, "blkio") ? arg : "io");
	if (!has_word(v2))
		return 0;
	f = fopen("/proc/cgroups", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %u %u %u", name, &tree_id, &count, &enabled) == 4 && !strcmp(name, arg))
			r = enabled ? 0 : -EOPNOTSUPP;
	fclose(f);
	return r;
}

/* A file that every v2 cgroup but the root has. */
static int has_cgroup_file(const char *arg)
{
	char path[128];
	int fd, r;

	fd = open(CGROOT "/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		const char *dot = strchr(arg, '.');

		snprintf(path, sizeof(path), "+%.*s", (int)(dot - arg), arg);
		if (strcmp(path, "+cgroup") && write(fd, path, strlen(path)) < 0)
			return -errno;
		close(fd);
	}
	if (mkdir(CGROOT "/kernel-features", 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), CGROOT "/kernel-features/%s", arg);
	r = answer(access(path, F_OK));
	rmdir(CGROOT "/kernel-features");
	return r;
}

static int has_device_program(const char *arg)
{
	/* return 1 */
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr a = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };

	(void)arg;
	a.insns = (uint64_t)(uintptr_t)code;
	a.insn_cnt = 2;
	a.license = (uint64_t)(uintptr_t)"GPL";
	return answer(syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a)));
}

static int has_seccomp(const char *arg)
{
	uint32_t action = (uint32_t)strtoul(arg, NULL, 0);

	return answer(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

/* A flag of a filter is looked at before the filter: EFAULT says that it is known. */
static int has_filter_flag(const char *arg)
{
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, strtoul(arg, NULL, 0), NULL);

	return r < 0 && errno != EFAULT ? -errno : 0;
}

static int has_landlock(const char *arg)
{
	(void)arg;
	return answer(syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* VERSION */));
}

static int has_keyring(const char *arg)
{
	(void)arg;
	return answer(syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL));
}

static int has_prctl(const char *arg)
{
	return answer(prctl((int)strtoul(arg, NULL, 0), 0, 0, 0, 0));
}

static int has_mount(const char *arg)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return answer(mount("none", "/tmp", arg, 0, NULL));
}

static int has_proc_subset(const char *arg)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return answer(mount("none", "/tmp", "proc", 0, arg));
}

static const struct feature {
	const char *name;
	int (*there)(const char *arg);
	const char *arg;
} features[] = {
	{ "clone3", has_clone3, "" },
	{ "clone3-into-cgroup", has_into_cgroup, CGROOT },
	{ "clone-pidfd", has_clone_pidfd, "" },
	{ "pidfd-open", has_pidfd_open, "" },
	{ "pidfd-send-signal", has_pidfd_signal, "" },
	{ "pidfd-getfd", has_pidfd_getfd, "" },
	{ "pidfd-setns", has_pidfd_setns, "" },
	{ "pidfd-wait", has_waitid_pidfd, "" },
	{ "close-range", has_close_range, "" },
	{ "close-range-cloexec", has_close_range, "x" },
	{ "openat2", has_openat2, "" },
	{ "faccessat2", has_faccessat2, "" },
	{ "epoll-pwait2", has_pwait2, "" },
	{ "statx-mount-id", has_mnt_id, "0x1000" },
	{ "statx-unique-mount-id", has_mnt_id, "0x4000" },
	{ "statmount", has_statmount, "" },
	{ "fsopen", has_fsopen, "tmpfs" },
	{ "open-tree", has_open_tree, "" },
	{ "mount-setattr", has_setattr, "" },
	{ "mount-tmpfs", has_mount, "tmpfs" },
	{ "mount-mqueue", has_mount, "mqueue" },
	{ "mount-sysfs", has_mount, "sysfs" },
	{ "mount-devpts", has_mount, "devpts" },
	{ "mount-overlay", has_word, "/proc/filesystems overlay" },
	{ "proc-subset", has_proc_subset, "subset=pid" },
	{ "proc-hidepid-names", has_proc_subset, "hidepid=invisible" },
	{ "namespace-user", has_namespace, "0x10000000" },
	{ "namespace-pid", has_namespace, "0x20000000" },
	{ "namespace-net", has_namespace, "0x40000000" },
	{ "namespace-uts", has_namespace, "0x04000000" },
	{ "namespace-ipc", has_namespace, "0x08000000" },
	{ "namespace-mount", has_namespace, "0x00020000" },
	{ "namespace-cgroup", has_namespace, "0x02000000" },
	{ "namespace-time", has_namespace, "0x00000080" },
	{ "controller-cpu", has_controller, "cpu" },
	{ "controller-cpuset", has_controller, "cpuset" },
	{ "controller-io", has_controller, "blkio" },
	{ "controller-memory", has_controller, "memory" },
	{ "controller-pids", has_controller, "pids" },
	{ "controller-hugetlb", has_controller, "hugetlb" },
	{ "controller-rdma", has_controller, "rdma" },
	{ "controller-devices", has_controller, "devices" },
	{ "controller-freezer", has_controller, "freezer" },
	{ "controller-net-cls", has_controller, "net_cls" },
	{ "controller-net-prio", has_controller, "net_prio" },
	{ "controller-perf-event", has_controller, "perf_event" },
	{ "cgroup-v2", has_word, "/proc/filesystems cgroup2" },
	{ "cgroup-freeze", has_cgroup_file, "cgroup.freeze" },
	{ "cgroup-kill", has_cgroup_file, "cgroup.kill" },
	{ "cgroup-pressure-switch", has_cgroup_file, "cgroup.pressure" },
	{ "cgroup-threaded", has_cgroup_file, "cgroup.type" },
	{ "memory-max", has_cgroup_file, "memory.max" },
	{ "memory-oom-group", has_cgroup_file, "memory.oom.group" },
	{ "memory-swap-max", has_cgroup_file, "memory.swap.max" },
	{ "memory-peak", has_cgroup_file, "memory.peak" },
	{ "memory-pressure", has_cgroup_file, "memory.pressure" },
	{ "cpu-max", has_cgroup_file, "cpu.max" },
	{ "cpu-burst", has_cgroup_file, "cpu.max.burst" },
	{ "cpu-idle", has_cgroup_file, "cpu.idle" },
	{ "io-max", has_cgroup_file, "io.max" },
	{ "io-weight", has_cgroup_file, "io.weight" },
	{ "pids-max", has_cgroup_file, "pids.max" },
	{ "hugetlb-reservations", has_cgroup_file, "hugetlb.2MB.rsvd.max" },
	{ "device-programs", has_device_program, "" },
	{ "seccomp-filter", has_seccomp, "0x7fff0000" },
	{ "seccomp-notify", has_seccomp, "0x7fc00000" },
	{ "seccomp-log", has_seccomp, "0x7ffc0000" },
	{ "seccomp-kill-process", has_seccomp, "0x80000000" },
	{ "seccomp-wait-killable", has_filter_flag, "0x28" },
	{ "landlock", has_landlock, "" },
	{ "keyrings", has_keyring, "" },
	{ "no-new-privileges", has_prctl, "39" },
	{ "lsm-apparmor", has_word, "/sys/kernel/security/lsm apparmor" },
	{ "lsm-selinux", has_word, "/sys/kernel/security/lsm selinux" },
	{ "lsm-bpf", has_word, "/sys/kernel/security/lsm bpf" },
	{ "pressure-stall", has_path, "/proc/pressure/memory" },
	{ "uid-maps", has_path, "/proc/self/uid_map" },
	{ "process-memory-policy", has_path, "/proc/self/numa_maps" },
	{ "resource-control", has_word, "/proc/filesystems resctrl" },
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "all") || !strcmp(argv[i], name))
			return true;
	return false;
}

/* Asked in a child; a child that dies of the question has no such feature. */
static int ask(const struct feature *f)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		alarm(20);
		_exit(-f->there(f->arg));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EINTR;
	return -WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const size_t count = sizeof(features) / sizeof(features[0]);
	int failed = 0;

	/* a feature nobody knows is a mistake, not one that is missing */
	for (int i = 1; i < argc; i++) {
		size_t n = 0;

		while (n < count && strcmp(argv[i], features[n].name))
			n++;
		if (n == count && strcmp(argv[i], "all")) {
			printf("Bail out! no feature is called %s\n", argv[i]);
			return 1;
		}
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("1..%zu\n", count);
	for (size_t n = 0; n < count; n++) {
		const struct feature *f = &features[n];
		int r = ask(f);

		if (!r) {
			printf("ok %zu - %s\n", n + 1, f->name);
		} else if (wanted(f->name, argc, argv)) {
			printf("not ok %zu - %s\n#  this kernel: %s\n", n + 1, f->name, strerror(-r));
			failed = 1;
		} else {
			printf("ok %zu - %s # SKIP not in this kernel: %s\n", n + 1, f->name, strerror(-r));
		}
	}
	return failed;
}

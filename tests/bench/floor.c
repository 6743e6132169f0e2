/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor: what a container costs the kernel. The container that `cleat spec`
 * describes, with everything known beforehand: no document, no state, no
 * second process to speak to, no checks of the root's paths. It is the lower
 * bound of `run` in the benches, and is linked as cleat is.
 *
 *   floor [-g NAME] ROOT PROGRAM [ARG...]
 *
 * -g: also a cgroup NAME in every hierarchy, joined, and removed at the end.
 *
 * tests/integ/t-cost.sh compares what is inside with what `cleat run` makes.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUP "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270
#define HIERARCHIES 32
#define PLAIN (MS_NOSUID | MS_NOEXEC | MS_NODEV)

/* A hierarchy: its folder below /sys/fs/cgroup ("" on hosts with cgroup v2 only) and where we are in it. */
struct hierarchy {
	char name[64];
	char path[256];
};

static _Noreturn void die(const char *what, const char *which)
{
	fprintf(stderr, "floor: %s %s: %s\n", what, which ? which : "", strerror(errno));
	_exit(125);
}

static const struct {
	const char *type, *source, *dest, *data;
	unsigned long flags;
	bool make;
} mounts[] = {
	{ "proc", "proc", "proc", NULL, 0, false },
	{ "tmpfs", "tmpfs", "dev", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME, false },
	{ "devpts", "devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC, true },
	{ "tmpfs", "shm", "dev/shm", "mode=1777,size=65536k", PLAIN, true },
	{ "mqueue", "mqueue", "dev/mqueue", NULL, PLAIN, true },
	{ "sysfs", "sysfs", "sys", NULL, PLAIN | MS_RDONLY, false },
};

static const struct {
	const char *path;
	unsigned int major, minor;
} devices[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "pts/ptmx", "dev/ptmx" },
};

static const char *const readonly_paths[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
static const char *const masked_paths[] = {
	"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
	"proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi",
};

/* /proc/self/cgroup into @h; returns how many have a folder below /sys/fs/cgroup. */
static int hierarchies(struct hierarchy *h)
{
	char text[4096], *save = NULL, *line, *path;
	const char *name;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC), n = 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	struct statfs fs;
	bool v2;

	if (len <= 0 || statfs(CGROUP, &fs))
		die("read", "/proc/self/cgroup");
	close(fd);
	text[len] = 0;
	v2 = fs.f_type == CGROUP2_MAGIC;
	for (line = strtok_r(text, "\n", &save); line && n < HIERARCHIES; line = strtok_r(NULL, "\n", &save)) {
		line = strchr(line, ':') + 1;
		name = line;
		path = strchr(line, ':');
		*path++ = 0;
		if (!strncmp(name, "name=", 5))
			name += 5;
		if (!*name)
			name = v2 ? "" : "unified";
		else if (v2)
			continue;
		snprintf(h[n].name, sizeof(h[n].name), "%s", name);
		snprintf(h[n].path, sizeof(h[n].path), "%s", strcmp(path, "/") ? path : "");
		n++;
	}
	return n;
}

static void mount_or_die(const char *type, const char *source, const char *dest, unsigned long flags, const char *data)
{
	if (mount(source, dest, type, flags, data))
		die("mount", dest);
}

/* /sys/fs/cgroup as containers see it: their own cgroup of each hierarchy. */
static void mount_cgroups(const struct hierarchy *h, int n, const char *group)
{
	char source[512], dest[128];

	if (n == 1 && !*h->name) {
		snprintf(source, sizeof(source), CGROUP "%s%s%s", group ? "" : h->path, group ? "/" : "",
			 group ? group : "");
		mount_or_die(NULL, source, "sys/fs/cgroup", MS_BIND, NULL);
		mount_or_die(NULL, NULL, "sys/fs/cgroup", MS_REMOUNT | MS_BIND | PLAIN | MS_RDONLY | MS_RELATIME, NULL);
		return;
	}
	mount_or_die("tmpfs", "tmpfs", "sys/fs/cgroup", PLAIN, "mode=755");
	for (int i = 0; i < n; i++) {
		bool joined = group && strcmp(h[i].name, "unified");

		snprintf(source, sizeof(source), CGROUP "/%s%s%s", h[i].name, joined ? "/" : h[i].path,
			 joined ? group : "");
		snprintf(dest, sizeof(dest), "sys/fs/cgroup/%s", h[i].name);
		if (mkdir(dest, 0755))
			die("mkdir", dest);
		mount_or_die(NULL, source, dest, MS_BIND, NULL);
		mount_or_die(NULL, NULL, dest, MS_REMOUNT | MS_BIND | PLAIN | MS_RDONLY | MS_RELATIME, NULL);
	}
	mount_or_die(NULL, NULL, "sys/fs/cgroup", MS_REMOUNT | MS_BIND | PLAIN | MS_RDONLY | MS_RELATIME, NULL);
}

static void make_devices(void)
{
	size_t i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)))
			die("mknod", devices[i].path);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]))
			die("symlink", links[i][1]);
}

/* What a container must not see; on the new root, where /proc is its own. */
static void hide(void)
{
	const char *empty = NULL;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(readonly_paths) / sizeof(readonly_paths[0]); i++) {
		const char *p = readonly_paths[i];

		if (mount(p, p, NULL, MS_BIND | MS_REC, NULL)) {
			if (errno == ENOENT)
				continue;
			die("bind", p);
		}
		mount_or_die(NULL, NULL, p, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
	}
	for (i = 0; i < sizeof(masked_paths) / sizeof(masked_paths[0]); i++) {
		const char *p = masked_paths[i];

		if (stat(p, &st))
			continue;
		if (!S_ISDIR(st.st_mode)) {
			mount_or_die(NULL, "/dev/null", p, MS_BIND, NULL);
		} else if (empty) {
			mount_or_die(NULL, empty, p, MS_BIND, NULL);
		} else {
			mount_or_die("tmpfs", "tmpfs", p, PLAIN | MS_RDONLY, "size=4k,nr_inodes=1,mode=755");
			empty = p;
		}
	}
}

static void loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr))
		die("loopback", NULL);
	close(s);
}

static void drop_privilege(void)
{
	static const uint32_t caps = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { caps, caps, 0 } };
	struct rlimit files = { 1024, 1024 };

	if (setrlimit(RLIMIT_NOFILE, &files) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("limits", NULL);
	for (unsigned long c = 0; c < 64; c++)
		if (!(c < 32 && caps >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) && errno == EINVAL)
			break;
	if (setgroups(0, NULL))
		die("setgroups", NULL);
	if (syscall(SYS_capset, &head, data))
		die("capset", NULL);
}

static _Noreturn void init(const char *root, char **argv, const struct hierarchy *h, int n, const char *group)
{
	static char *const env[] = {
		(char *)(uintptr_t)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)(uintptr_t)"TERM=xterm", (char *)(uintptr_t)"HOME=/root", NULL,
	};

	setsid();
	umask(0);
	loopback();
	mount_or_die(NULL, NULL, "/", MS_REC | MS_SLAVE, NULL);
	mount_or_die(NULL, root, root, MS_BIND | MS_REC, NULL);
	if (chdir(root))
		die("chdir", root);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mounts[i].make && mkdir(mounts[i].dest, 0755))
			die("mkdir", mounts[i].dest);
		mount_or_die(mounts[i].type, mounts[i].source, mounts[i].dest, mounts[i].flags, mounts[i].data);
	}
	mount_cgroups(h, n, group);
	make_devices();
	hide();
	if (sethostname("cleat", 5))
		die("sethostname", NULL);
	mount_or_die(NULL, NULL, ".", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_RELATIME, NULL);
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		die("pivot_root", root);
	umask(022);
	drop_privilege();
	execve(argv[0], argv, env);
	die("execve", argv[0]);
}

static void group_path(char *to, size_t size, const struct hierarchy *h, const char *group, const char *file)
{
	snprintf(to, size, CGROUP "/%s%s%s%s", h->name, *h->name ? "/" : "", group, file);
}

/* As the runtimes do, nothing in "unified" beside v1. */
static void join_groups(const struct hierarchy *h, int n, const char *group, pid_t pid)
{
	char path[512], text[256];
	int fd, len;

	for (int i = 0; i < n; i++) {
		if (!strcmp(h[i].name, "unified"))
			continue;
		group_path(path, sizeof(path), &h[i], group, "");
		if (mkdir(path, 0755))
			die("mkdir", path);
		for (int k = 0; k < 2 && !strcmp(h[i].name, "cpuset"); k++) {
			static const char *const files[] = { "/cpuset.cpus", "/cpuset.mems" };

			group_path(path, sizeof(path), &h[i], ".", files[k]);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			len = (int)read(fd, text, sizeof(text));
			close(fd);
			group_path(path, sizeof(path), &h[i], group, files[k]);
			fd = open(path, O_WRONLY | O_CLOEXEC);
			if (len < 0 || write(fd, text, (size_t)len) != len)
				die("write", path);
			close(fd);
		}
		group_path(path, sizeof(path), &h[i], group, "/cgroup.procs");
		len = snprintf(text, sizeof(text), "%d", pid);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (write(fd, text, (size_t)len) != len)
			die("write", path);
		close(fd);
	}
}

static void leave_groups(const struct hierarchy *h, int n, const char *group)
{
	char path[512];

	for (int i = 0; i < n; i++) {
		if (!strcmp(h[i].name, "unified"))
			continue;
		group_path(path, sizeof(path), &h[i], group, "");
		if (rmdir(path))
			die("rmdir", path);
	}
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS,
		.exit_signal = SIGCHLD,
	};
	struct hierarchy h[HIERARCHIES];
	const char *group = NULL;
	int status, gate[2], n;
	pid_t pid;
	char c = 0;

	if (argc > 3 && !strcmp(argv[1], "-g")) {
		group = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 3) {
		fputs("usage: floor [-g NAME] ROOT PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	n = hierarchies(h);
	if (group && pipe2(gate, O_CLOEXEC))
		die("pipe", NULL);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3", NULL);
	if (!pid) {
		if (group && read(gate[0], &c, 1) != 1)
			_exit(125);
		init(argv[1], argv + 2, h, n, group);
	}
	if (group) {
		join_groups(h, n, group, pid);
		if (write(gate[1], &c, 1) != 1)
			die("write", "gate");
	}
	if (waitpid(pid, &status, 0) != pid)
		die("wait", NULL);
	if (group)
		leave_groups(h, n, group);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe: what a hostile or a curious program does inside a container.
 *
 *   probe fds			open fds: number and target
 *   probe open-exe SECONDS	keep every /proc/PID/exe it can, then try to open it for writing
 *   probe int80		getpid through the 32-bit entry
 *   probe sleep		wait until killed, as a program with no child
 *   probe abstract		connect to every abstract socket of /proc/net/unix
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *de;

	if (!d)
		return 1;
	while ((de = readdir(d))) {
		char to[256];
		ssize_t n;

		if (de->d_name[0] == '.' || (int)strtol(de->d_name, NULL, 10) == dirfd(d))
			continue;
		n = readlinkat(dirfd(d), de->d_name, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = 0;
		printf("%s %s\n", de->d_name, to);
	}
	return 0;
}

static int open_exe(int seconds)
{
	time_t end = time(NULL) + seconds;
	struct stat me, st;
	int held[256], n = 0, written = 0;

	if (stat("/proc/self/exe", &me))
		return 1;
	while (time(NULL) < end && n < 256) {
		DIR *d = opendir("/proc");
		struct dirent *de;

		while (d && n < 256 && (de = readdir(d))) {
			char path[64];
			int fd;

			if (de->d_name[0] < '1' || de->d_name[0] > '9' || (int)strtol(de->d_name, NULL, 10) == getpid())
				continue;
			snprintf(path, sizeof(path), "/proc/%s/exe", de->d_name);
			fd = open(path, O_RDONLY);
			if (fd < 0)
				continue;
			if (!fstat(fd, &st) && st.st_ino == me.st_ino && st.st_dev == me.st_dev) {
				close(fd);
				continue;
			}
			held[n++] = fd;
		}
		if (d)
			closedir(d);
	}
	/* The programs may be gone by now: then nothing but our fd keeps the file, and it can be written. */
	for (int i = 0; i < n; i++) {
		char path[64], to[256] = "";
		int fd, seals;

		/* A sealed copy in memory can be opened for writing, but not written. */
		seals = fcntl(held[i], F_GET_SEALS);
		if (seals > 0 && (seals & F_SEAL_WRITE))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
		if (readlink(path, to, sizeof(to) - 1) > 0 && strstr(to, "busybox"))
			continue;
		fd = open(path, O_WRONLY);
		if (fd >= 0) {
			printf("writable: %s\n", to);
			written++;
		}
	}
	printf("held %d, writable %d\n", n, written);
	return written != 0;
}

static int int80(void)
{
#ifdef __x86_64__
	long r = 20;	/* getpid of the i386 table */

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	printf("int80 %ld\n", r);
#else
	printf("int80 none\n");
#endif
	return 0;
}

static int abstract(void)
{
	char line[512];
	FILE *f = fopen("/proc/net/unix", "re");
	int n = 0;

	if (!f)
		return 1;
	while (fgets(line, sizeof(line), f)) {
		struct sockaddr_un sa = { .sun_family = AF_UNIX };
		char *at = strchr(line, '@');
		size_t len;
		int s;

		if (!at)
			continue;
		at[strcspn(at, "\n")] = 0;
		len = strlen(at + 1);
		if (len > sizeof(sa.sun_path) - 1)
			continue;
		memcpy(sa.sun_path + 1, at + 1, len);
		s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(s, (struct sockaddr *)&sa,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len))) {
			printf("connected: %s\n", at);
			n++;
		}
		close(s);
	}
	fclose(f);
	return n != 0;
}

static int say_label(const char *what, const char *label, long n)
{
	if (n < 0)
		printf("%s: %s\n", what, strerror(errno));
	else
		printf("%s %.*s\n", what, (int)n, label);
	return n < 0;
}

static int labels(char **paths)
{
	int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC), failed;
	char text[512];

	failed = say_label("process", text, fd < 0 ? -1 : read(fd, text, sizeof(text)));
	say_label("keyring", text, syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, text, sizeof(text)));
	for (; *paths; paths++)
		failed |= say_label(*paths, text, lgetxattr(*paths, "security.selinux", text, sizeof(text)));
	return failed;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "fds"))
		return fds();
	if (!strcmp(what, "open-exe") && argc > 2)
		return open_exe((int)strtol(argv[2], NULL, 10));
	if (!strcmp(what, "int80"))
		return int80();
	if (!strcmp(what, "abstract"))
		return abstract();
	if (!strcmp(what, "labels"))
		return labels(argv + 2);
	if (!strcmp(what, "sleep")) {
		pause();
		return 0;
	}
	fprintf(stderr, "usage: probe fds | open-exe SECONDS | int80 | sleep | abstract | labels PATH...\n");
	return 2;
}

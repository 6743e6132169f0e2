/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attack: what hostile programs do to a runtime, inside and beside containers.
 *
 *   attack swap A B		exchange two names until killed
 *   attack lurk SECONDS	look into every new process: its root, cwd, fds, memory
 *   attack stop SECONDS	stop every new process
 *   attack look PID		once: what of PID can be reached
 *   attack overwrite FD	try to open what FD is for writing, for up to 0.2 s
 *   attack tiocsti		push a byte into the terminals on 0, 1, 2
 *   attack groups		drop all groups, tell whether it worked
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int swap(const char *a, const char *b)
{
	if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */)) {
		perror("attack: swap");
		return 1;
	}
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whatever leads out: a root or cwd that is not ours, a directory held open. */
static int look(int pid)
{
	char path[64], to[256];
	struct stat own, st;
	struct dirent *de;
	int found = 0, fd;
	ssize_t n;
	DIR *d;

	if (stat("/", &own))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	if (!stat(path, &st) && !same(&st, &own)) {
		printf("root of %d\n", pid);
		found++;
	}
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	n = readlink(path, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = 0;
	if (n > 0 && (to[0] != '/' || strstr(to, "unreachable"))) {
		printf("cwd of %d: %s\n", pid, to);
		found++;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(d), de->d_name, &st, 0) || !S_ISDIR(st.st_mode))
			continue;
		n = readlinkat(dirfd(d), de->d_name, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = 0;
		fd = openat(dirfd(d), de->d_name, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			continue;
		close(fd);
		/* A directory of the container itself, or its own procfs, is no way out. */
		if (to[0] == '/' && !stat(to, &own) && same(&st, &own))
			continue;
		printf("fd %s of %d: %s\n", de->d_name, pid, to);
		found++;
	}
	if (d)
		closedir(d);
	return found;
}

static int last_pid(void)
{
	char text[128] = "", *p;
	int fd = open("/proc/loadavg", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	p = n > 0 ? strrchr(text, ' ') : NULL;
	return p ? (int)strtol(p + 1, NULL, 10) : 0;
}

/* Pids come one after the other: watch the next ones. */
static int watch(double seconds, bool stop)
{
	double end = now() + seconds;
	int base = last_pid(), seen = 0, found = 0, rounds = 0, pid;
	char path[64];

	printf("watching\n");
	fflush(stdout);
	while (now() < end) {
		for (pid = base + 1; pid < base + 4; pid++) {
			if (stop) {
				if (!kill(pid, SIGSTOP))
					base = pid, seen++;
				continue;
			}
			snprintf(path, sizeof(path), "/proc/%d", pid);
			if (access(path, F_OK))
				continue;
			seen++;
			for (rounds = 0; !access(path, F_OK) && rounds < 3000; rounds++)
				if (look(pid)) {
					found++;
					break;
				}
			base = pid;
		}
		if (last_pid() > base + 3)
			base = last_pid() - 1;
	}
	printf("seen %d, found %d\n", seen, found);
	return 0;
}

static int overwrite(const char *fd)
{
	double end = now() + 0.2;
	struct statvfs st;
	char path[64];
	int w, saved, seals;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", fd);
	do {
		w = open(path, O_WRONLY);
		/* Running programs cannot be written: wait for them to end. */
		if (w < 0 && errno == ETXTBSY)
			usleep(1000);
	} while (w < 0 && errno == ETXTBSY && now() < end);
	saved = errno;
	/* Busy is luck; what counts is the mount, or the seals of a copy in memory, which can be opened. */
	seals = fcntl((int)strtol(fd, NULL, 10), F_GET_SEALS);
	if ((seals > 0 && (seals & F_SEAL_WRITE)) ||
	    (w < 0 && saved == ETXTBSY && !fstatvfs((int)strtol(fd, NULL, 10), &st) && (st.f_flag & ST_RDONLY))) {
		saved = EROFS;
		w = -1;
	}
	printf("overwrite: %s\n", w >= 0 ? "OPENED" : strerror(saved));
	return w >= 0;
}

static int tiocsti(void)
{
	int i, worked = 0;

	for (i = 0; i < 3; i++) {
		ioctl(i, TIOCSCTTY, 0);
		if (!ioctl(i, TIOCSTI, "!"))
			worked++;
		else
			printf("tiocsti %d: %s\n", i, strerror(errno));
	}
	printf("pushed %d\n", worked);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "swap") && argc == 4)
		return swap(argv[2], argv[3]);
	if (!strcmp(what, "lurk") && argc == 3)
		return watch(atof(argv[2]), false);
	if (!strcmp(what, "stop") && argc == 3)
		return watch(atof(argv[2]), true);
	if (!strcmp(what, "look") && argc == 3) {
		printf("found %d\n", look((int)strtol(argv[2], NULL, 10)));
		return 0;
	}
	if (!strcmp(what, "overwrite") && argc == 3)
		return overwrite(argv[2]);
	if (!strcmp(what, "tiocsti"))
		return tiocsti();
	if (!strcmp(what, "groups")) {
		printf("setgroups: %s\n", setgroups(0, NULL) ? strerror(errno) : "DROPPED");
		return 0;
	}
	fprintf(stderr, "usage: attack swap A B | lurk S | stop S | look PID | overwrite FD | tiocsti | groups\n");
	return 2;
}

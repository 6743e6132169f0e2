/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * instructions: how many instructions a command and all that it starts take in user space, counted by
 * stepping through every one of them. No machine and no load changes the figure, and no counter of the
 * processor is needed; it takes some microseconds each.
 *
 *   instructions FILE COMMAND [ARG...]	until it has ended and what it leaves behind waits
 *   instructions FILE -p PID		PID and its children to come, until SIGTERM
 *
 * A program that is started in another root is a container's: it runs on, uncounted. A string instruction
 * (rep) counts once for every turn. FILE: the sum in its first line, then a line for each process. The status
 * is COMMAND's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_TRACEES	512
#define QUIET_MS	200	/* without a step: all that are left wait for somebody */
#define OPTIONS		(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
			 PTRACE_O_TRACEEXIT)

struct tracee {
	pid_t pid;
	bool gone;
	unsigned long n;
	char name[32];
};

struct count {
	struct tracee v[MAX_TRACEES];
	size_t n, last;
	pid_t command;		/* 0: none, or it has ended */
	int status;
	struct stat root;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(125);
}

static struct tracee *find(struct count *c, pid_t pid)
{
	if (c->last < c->n && c->v[c->last].pid == pid && !c->v[c->last].gone)
		return &c->v[c->last];
	for (c->last = 0; c->last < c->n; c->last++)
		if (c->v[c->last].pid == pid && !c->v[c->last].gone)
			return &c->v[c->last];
	if (c->n == MAX_TRACEES) {
		errno = E2BIG;
		die("processes");
	}
	c->v[c->n] = (struct tracee){ .pid = pid, .name = "?" };
	return &c->v[c->n++];
}

static void leave(struct tracee *t)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", t->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, t->name, sizeof(t->name) - 1);
	if (n > 0)
		t->name[n - 1] = 0;
	if (fd >= 0)
		close(fd);
}

/* Does a process that begins another program begin a container's? */
static bool elsewhere(const struct count *c, pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	return !stat(path, &st) && (st.st_dev != c->root.st_dev || st.st_ino != c->root.st_ino);
}

static void on(int how, pid_t pid, int sig)
{
	if (ptrace(how, pid, 0, (long)sig) && errno != ESRCH)
		die("ptrace");
}

static void stopped(struct count *c, pid_t pid, int status)
{
	struct tracee *t = find(c, pid);
	int sig = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case 0:
		if (sig == SIGTRAP) {
			t->n++;
			sig = 0;
		}
		on(PTRACE_SINGLESTEP, pid, sig);
		return;
	case PTRACE_EVENT_STOP:
		on(sig == SIGTRAP ? PTRACE_SINGLESTEP : PTRACE_LISTEN, pid, 0);
		return;
	case PTRACE_EVENT_EXEC:
		if (elsewhere(c, pid)) {
			leave(t);
			t->gone = true;
			on(PTRACE_DETACH, pid, 0);
			return;
		}
		break;
	case PTRACE_EVENT_EXIT:
		leave(t);
		break;
	default:
		break;
	}
	on(PTRACE_SINGLESTEP, pid, 0);
}

static unsigned long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long)t.tv_sec * 1000 + (unsigned long)t.tv_nsec / 1000000;
}

static bool told_to_end(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGTERM);
}

/* Step them all until there is none, or all wait and whoever called has what it wanted. */
static void step(struct count *c, bool attached)
{
	unsigned long last = now_ms();
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid < 0) {	/* the timer */
			if ((attached ? told_to_end() : !c->command) && now_ms() - last >= QUIET_MS)
				return;
			continue;
		}
		if (WIFSTOPPED(status)) {
			stopped(c, pid, status);
		} else {
			find(c, pid)->gone = true;
			if (pid == c->command) {
				c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
				c->command = 0;
			}
		}
		last = now_ms();
	}
}

/* A call that was broken off ends with a step's signal, which would end the process when nobody traces it. */
static bool trap_pending(pid_t pid)
{
	struct __ptrace_peeksiginfo_args args = { .nr = 1 };
	siginfo_t si;

	for (; ptrace(PTRACE_PEEKSIGINFO, pid, &args, &si) == 1; args.off++)
		if (si.si_signo == SIGTRAP)
			return true;
	return false;
}

/* What is left runs on by itself. */
static void let_go(struct count *c)
{
	size_t i;
	int status;

	for (i = 0; i < c->n; i++) {
		struct tracee *t = &c->v[i];

		if (t->gone)
			continue;
		leave(t);
		if (ptrace(PTRACE_INTERRUPT, t->pid, 0, 0) || waitpid(t->pid, &status, __WALL) < 0)
			continue;
		while (trap_pending(t->pid) && !ptrace(PTRACE_CONT, t->pid, 0, 0) &&
		       waitpid(t->pid, &status, __WALL) > 0 && WIFSTOPPED(status))
			;
		ptrace(PTRACE_DETACH, t->pid, 0, 0);
	}
}

static void begin_command(struct count *c, char **argv)
{
	int p[2];
	char byte;

	if (pipe(p))
		die("pipe");
	c->command = fork();
	if (c->command < 0)
		die("fork");
	if (!c->command) {
		close(p[1]);
		if (read(p[0], &byte, 1) != 1)
			_exit(125);
		close(p[0]);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	/* It stops when it begins the program. */
	if (ptrace(PTRACE_SEIZE, c->command, 0, OPTIONS))
		die("PTRACE_SEIZE");
	if (write(p[1], "", 1) != 1)
		die("write");
	close(p[0]);
	close(p[1]);
}

/* All its threads. */
static void begin_pid(const char *pid)
{
	char path[64];
	struct dirent *de;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	d = opendir(path);
	if (!d)
		die(path);
	while ((de = readdir(d))) {
		pid_t tid = (pid_t)strtol(de->d_name, NULL, 10);	/* "." is 0 */

		if (tid > 0 && (ptrace(PTRACE_SEIZE, tid, 0, OPTIONS) || ptrace(PTRACE_INTERRUPT, tid, 0, 0)))
			die("PTRACE_SEIZE");
	}
	closedir(d);
}

static void tick(int sig)
{
}

int main(int argc, char **argv)
{
	static struct count c;
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = tick };
	unsigned long sum = 0;
	bool attached;
	sigset_t term;
	FILE *f;
	size_t i;

	if (argc < 3) {
		fprintf(stderr, "usage: instructions FILE COMMAND [ARG...] | FILE -p PID\n");
		return 2;
	}
	attached = !strcmp(argv[2], "-p") && argc == 4;
	if (stat("/", &c.root))
		die("/");
	if (attached)
		begin_pid(argv[3]);
	else
		begin_command(&c, argv + 2);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (attached)
		sigprocmask(SIG_BLOCK, &term, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	step(&c, attached);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	let_go(&c);

	f = fopen(argv[1], "we");
	if (!f)
		die(argv[1]);
	for (i = 0; i < c.n; i++)
		sum += c.v[i].n;
	fprintf(f, "%lu\n", sum);
	for (i = 0; i < c.n; i++)
		fprintf(f, "%-10d %-20s %lu\n", c.v[i].pid, c.v[i].name, c.v[i].n);
	if (fclose(f))
		die(argv[1]);
	return c.status;
}

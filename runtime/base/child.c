/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making, signalling and reaping processes. */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fdio.h"
#include "num.h"
#include "pathfs.h"
#include "sysx.h"
#include "text.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL	/* 5.7 */
#endif

static unsigned long extra_flags(const struct child_args *a)
{
	return (a->parent ? CLONE_PARENT : 0) | (a->share_fds ? CLONE_FILES : 0);
}

/* clone(2) for kernels without clone3, or under a filter that hides it. */
static pid_t clone_legacy(const struct child_args *a, int *pidfd)
{
	unsigned long flags = (unsigned long)a->ns_flags | SIGCHLD | extra_flags(a);
	unsigned long with = pidfd ? CLONE_PIDFD : 0;
	long r;

	/* CLONE_NEWTIME is a bit of the signal number here: the namespace would be lost without a word. */
	if (a->ns_flags & CSIGNAL)
		return -ENOSYS;
#if defined(__s390x__) || defined(__CRIS__)
	r = syscall(SYS_clone, NULL, flags | with, pidfd, NULL, 0);
#else
	r = syscall(SYS_clone, flags | with, NULL, pidfd, NULL, 0);
#endif
	if (r < 0 && errno == EINVAL && with) {		/* no CLONE_PIDFD below 5.2 */
		*pidfd = -1;
#if defined(__s390x__) || defined(__CRIS__)
		r = syscall(SYS_clone, NULL, flags, NULL, NULL, 0);
#else
		r = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
#endif
	}
	return r < 0 ? -errno : (pid_t)r;
}

pid_t child_clone(const struct child_args *a, int *pidfd)
{
	int fd = -1;
	struct clone_args ca = {
		.flags = a->ns_flags | extra_flags(a) | (pidfd ? CLONE_PIDFD : 0),
		.pidfd = pidfd ? (uint64_t)(uintptr_t)&fd : 0,
		/* With CLONE_PARENT the signal must be 0: the child inherits ours, which is SIGCHLD. */
		.exit_signal = a->parent ? 0 : SIGCHLD,
	};
	long r;

	if (pidfd)
		*pidfd = -1;
	if (a->cgroup_fd >= 0) {
		ca.flags |= CLONE_INTO_CGROUP;
		ca.cgroup = (uint64_t)a->cgroup_fd;
	}
	r = syscall(SYS_clone3, &ca, sizeof(ca));
	/* E2BIG: clone3 without the cgroup field (5.3 to 5.6). A filter may answer EPERM for an unknown call. */
	if (r < 0 && (errno == ENOSYS || errno == E2BIG || errno == EPERM)) {
		int first = errno;

		if (a->cgroup_fd >= 0)
			return -EOPNOTSUPP;
		r = clone_legacy(a, pidfd ? &fd : NULL);
		if (r < 0 && first == EPERM)
			r = -EPERM;
		if (r < 0)
			return (pid_t)r;
	} else if (r < 0) {
		return -errno;
	}
	if (r > 0 && pidfd)
		*pidfd = fd;
	return (pid_t)r;
}

/* On a stack of its own. That of a process that goes on beside us is left to it. */
static pid_t clone_on_stack(int (*run)(void *arg), void *arg, int flags, int *pidfd)
{
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int r;

	if (stack == MAP_FAILED)
		return -errno;
	r = clone(run, stack + CHILD_STACK, flags, arg, pidfd, NULL, NULL);
	if (r < 0)
		r = -errno;
	if (r < 0 || (flags & CLONE_VFORK))
		munmap(stack, CHILD_STACK);
	return r;
}

pid_t child_share(int (*run)(void *arg), void *arg, bool sibling, int *pidfd)
{
	const int flags = CLONE_VM | (sibling ? CLONE_PARENT : 0) | SIGCHLD;
	int fd = -1, r;

	*pidfd = -1;
	r = clone_on_stack(run, arg, flags | CLONE_PIDFD, &fd);
	if (r == -EINVAL)		/* no CLONE_PIDFD below 5.2 */
		r = clone_on_stack(run, arg, flags, NULL);
	if (r >= 0)
		*pidfd = fd;
	return r;
}

pid_t child_vfork(int (*run)(void *arg), void *arg)
{
	pid_t pid;

	if (CHILD_SHARES)
		return clone_on_stack(run, arg, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	pid = fork();
	if (!pid)
		_exit(run(arg));
	return pid < 0 ? -errno : pid;
}

int child_wait(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int child_status(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

void child_kill_reap(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		child_wait(*pid, NULL);
	}
	*pid = 0;
}

/* The text of a file of procfs, terminated; as much as there is room for. */
static int read_proc(int procfd, const char *path, char *text, size_t size)
{
	int fd = proc_openat(procfd, path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = fdio_read(fd, text, size - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? (int)n : 0;
}

/* @n words further, each with one space behind it; NULL: there are not as many. */
static char *words_on(char *p, int n)
{
	/* The words are short: strchr() takes longer to begin than to find. */
	while (p && n) {
		if (!*p)
			return NULL;
		n -= *p++ == ' ';
	}
	return p;
}

static int number_at(char *p, char end, uint64_t max, uint64_t *number)
{
	char *after = p ? strchr(p, end) : NULL;

	if (!p)
		return -EPROTO;
	if (after)
		*after = 0;
	return num_u64(p, max, number);
}

int child_stat(int procfd, pid_t pid, struct child_stat *s)
{
	char path[32], text[1024], *p, *cpu;
	uint64_t number = 0;
	int r;

	text_join(path, sizeof(path), text_num(pid), "/stat");
	r = read_proc(procfd, path, text, sizeof(text));
	if (r)
		return r;
	/* The name is in parentheses and may hold anything, so start behind the last one. */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EPROTO;
	p += 2;
	s->state = *p;
	p = words_on(p, 22 - 3);
	cpu = words_on(p, 39 - 22);
	s->cpu = number_at(cpu, ' ', INT_MAX, &number) ? -1 : (int)number;
	return number_at(p, ' ', UINT64_MAX, &s->start_time);
}

/* CPU_COUNT() of musl looks at each of 1024 bits. */
static int cpus_of(const cpu_set_t *set)
{
	unsigned long words[sizeof(*set) / sizeof(unsigned long)];
	size_t i;
	int n = 0;

	memcpy(words, set, sizeof(words));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		n += words[i] ? __builtin_popcountl(words[i]) : 0;
	return n;
}

/* Is there on average less than one process for each of the other CPUs? Then nobody is worse off for one more. */
static bool others_have_room(int procfd, int cpus)
{
	char text[64];
	uint64_t running;

	if (read_proc(procfd, "loadavg", text, sizeof(text)) || number_at(words_on(text, 3), '/', INT_MAX, &running))
		return false;
	return running <= (uint64_t)cpus + 1;	/* we and our child are two of them */
}

void child_step_aside(int procfd, const struct child_stat *child)
{
	cpu_set_t all, others;
	int cpu = sched_getcpu(), cpus;

	if (cpu < 0 || child->cpu != cpu || child->state != 'R' || sched_getaffinity(0, sizeof(all), &all))
		return;
	others = all;
	CPU_CLR(cpu, &others);
	cpus = cpus_of(&all);
	if (cpus < 2 || !others_have_room(procfd, cpus) || sched_setaffinity(0, sizeof(others), &others))
		return;
	sched_setaffinity(0, sizeof(all), &all);
}

int child_pidfd_signal(int pidfd, pid_t pid, int sig)
{
	int r = -ENOSYS;

	if (pidfd >= 0)
		r = sysx_pidfd_send_signal(pidfd, sig);
	if (r == -ENOSYS)
		r = kill(pid, sig) ? -errno : 0;
	return r;
}

int child_pidfd_wait_ms(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r ? 0 : -ETIME;
}

/* Which of signals 1 to 64 may be ignored, as all may be in what was just executed. */
static uint64_t maybe_ignored = UINT64_MAX;

void child_ignored_are(uint64_t which, uint64_t ignored)
{
	maybe_ignored = (maybe_ignored & ~which) | (ignored & which);
}

void child_ignore(int sig)
{
	signal(sig, SIG_IGN);
	maybe_ignored |= 1ULL << (sig - 1);
}

static bool may_be_ignored(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP && (sig > 64 || maybe_ignored >> (sig - 1) & 1);
}

void child_look_at_signals(void)
{
	struct sigaction now;
	int i;

	/* Libc tells nothing of those that it keeps for itself: they stay in doubt. */
	for (i = 1; i < _NSIG && i <= 64; i++)
		if (may_be_ignored(i) && !sigaction(i, NULL, &now) && now.sa_handler != SIG_IGN)
			child_ignored_are(1ULL << (i - 1), 0);
}

void child_default_signals(void)
{
	/* The kernel's struct sigaction, whatever its layout: all zero is SIG_DFL without flags. */
	static const unsigned long dfl[16];
	sigset_t none;
	int i;

	for (i = 1; i < _NSIG; i++)
		if (may_be_ignored(i))
			syscall(SYS_rt_sigaction, i, dfl, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The libc's abort() may signal the thread whose number it noted when the program began, as musl's does: after a raw
 * clone that is the one whom we were cloned from. Libraries call it. Here, beside the clone, so that it is linked.
 */
_Noreturn void abort(void)
{
	sigset_t none;

	signal(SIGABRT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	kill(getpid(), SIGABRT);
	/* The first process of a pid namespace does not die of its own signals. */
	for (;;)
		__builtin_trap();
}

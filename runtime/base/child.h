/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_CHILD_H
#define CLEAT_CHILD_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

/** struct child_args - How to clone. */
struct child_args {
	uint64_t	ns_flags;	/* CLONE_NEW* */
	bool		parent;		/* CLONE_PARENT: the new process is our sibling */
	int		cgroup_fd;	/* v2 directory for CLONE_INTO_CGROUP, or -1 */
	bool		share_fds;	/* CLONE_FILES: one table for both, until fd_unshare_except() */
};

/**
 * child_clone() - clone3, or clone(2) where the kernel lacks it (below 5.3).
 * @pidfd: set in the parent; -1 on kernels without pidfds (below 5.2). NULL: none is wanted.
 *
 * With cgroup_fd set and a kernel without CLONE_INTO_CGROUP (below 5.7) the
 * answer is -EOPNOTSUPP and nothing was cloned: the caller writes cgroup.procs.
 * The same for EPERM, which may be a filter's: the second try tells.
 *
 * Context: host or mid stage, single-threaded process.
 * Return: 0 in the child, its pid in the parent, or -errno.
 */
pid_t child_clone(const struct child_args *a, int *pidfd);

/* A sanitizer takes every other stack for an error: what is built with one makes plain copies. */
#if defined(__SANITIZE_ADDRESS__)
#define CHILD_SHARES 0
#else
#define CHILD_SHARES 1
#endif
#define CHILD_STACK (256u << 10)
/**
 * child_share() - Clone a process that has our memory, and everything else of its own.
 * @run: what it does, with @arg, on a new stack of CHILD_STACK bytes; its value is the status. @pidfd: as above.
 * @sibling: its parent is ours.
 *
 * Nothing is copied: the process has the memory for itself as soon as the caller has exited, which is all
 * that the caller should do soon, with no work in between that it could disturb: errno is shared as well.
 * Context: mid stage, single-threaded process. Return: its pid, or -errno.
 */
pid_t child_share(int (*run)(void *arg), void *arg, bool sibling, int *pidfd);
/**
 * child_vfork() - Clone a child that has our memory until it executes a program or exits; so long we stand still.
 * @run: what it does, with @arg, on a new stack of CHILD_STACK bytes; its value is the status. Fds, signals and the
 *       working directory are its own, but what it allocates and writes is ours as well.
 *
 * A copy costs three times as much: page tables, and a fault for each page that either side writes.
 * Context: single-threaded process. Return: its pid, or -errno.
 */
pid_t child_vfork(int (*run)(void *arg), void *arg);

/**
 * child_wait() - Reap @pid, restarting on EINTR.
 * @status: as waitpid(2); may be NULL. Return: 0 or -errno.
 */
int child_wait(pid_t pid, int *status);
/** child_status() - Exit status as shells and OCI callers count it: code, or 128 + signal. */
int child_status(int wstatus);
/** child_kill_reap() - SIGKILL and reap *@pid if it is above 0, then set it to 0. For auto_child. */
void child_kill_reap(pid_t *pid);
#define auto_child __attribute__((cleanup(child_kill_reap))) pid_t

/**
 * child_default_signals() - Every signal to its default and none blocked, in a process that is to run
 * somebody else's program. Those that libc keeps for itself too: an ancestor may ignore them.
 */
void child_default_signals(void);
/** child_ignore() - Ignore @sig from now on, so that child_default_signals() knows of it, here and in our children. */
void child_ignore(int sig);
/**
 * child_ignored_are() - Tell which signals this process ignores, where that is known: child_default_signals() here and
 * in our children needs no call for one that nobody ignores, as nothing of ours has handlers.
 * @which: what is known, bit N - 1 for signal N. @ignored: which of them are.
 */
void child_ignored_are(uint64_t which, uint64_t ignored);
/** child_look_at_signals() - Find out all of that, once, for a process that will have many children. */
void child_look_at_signals(void);
/** struct child_stat - What /proc/PID/stat tells of a process. */
struct child_stat {
	uint64_t start_time;	/* clock ticks after boot */
	int cpu;		/* that it is on, or waits for; -1 */
	char state;		/* a letter, see proc(5) */
};
/** child_stat() - Return: 0 or -errno. @procfd: handle of proc_open(). */
int child_stat(int procfd, pid_t pid, struct child_stat *s);
/**
 * child_step_aside() - Go on on another CPU, when @child waits for this one and the others have room for one more.
 *
 * A new process may be left on the CPU of its parent though another sleeps: seen four times of five on a virtual machine
 * with Linux 6.18. Then it does not begin before its parent rests, and of the work of two nothing is done at
 * the same time. The CPUs that we may use are the same afterwards, but since 6.2 the kernel takes them for a choice:
 * one that is plugged in later is not among them.
 */
void child_step_aside(int procfd, const struct child_stat *child);
/** child_pidfd_signal() - Signal by pidfd, or by pid on kernels below 5.1. Return: 0 or -errno. */
int child_pidfd_signal(int pidfd, pid_t pid, int sig);
/** child_pidfd_wait_ms() - Wait until the process of @pidfd is dead. Return: 0, -ETIME, -errno. */
int child_pidfd_wait_ms(int pidfd, int timeout_ms);
#endif

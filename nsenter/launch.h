/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_LAUNCH_H
#define CLEAT_LAUNCH_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"
#include "join.h"

/*
 * The clone topology. The new process is born where it must be born:
 *
 * - Namespaces that only take effect on children (pid), or that the new ones must be made in
 *   (all of them when a user namespace is new), are joined by the caller itself before the clone
 *   and left again after it. No intermediate child, no second clone.
 * - A user namespace that is joined by path cannot be left again, so a "mid" child joins it, clones
 *   init and exits.
 * - A process that enters the pid namespace of a running container is seen by whoever is inside from
 *   its birth. Whoever may trace it could walk through its root and its fds into the host, so it must be
 *   born in all of the container's namespaces, with no fd of ours: a mid child as well. Not with a user
 *   namespace of the container's: nobody in it may trace what still has our memory. But then for an
 *   unprivileged caller, whom the kernel lets into the pid namespace only by way of the user namespace.
 *   Such a mid has nothing to do afterwards, so the process takes its memory over instead of copying it.
 * - Root of a user namespace may be in namespaces that belong to the one above, and could not come back to them:
 *   by a mid child, too.
 */
struct launch {
	uint64_t	new_ns;		/* CLONE_NEW* to make */
	struct join_set	join;		/* namespaces to join; borrowed fds */
	int		pidfd;		/* or: join @pidfd_flags of this process (5.8); -1: none */
	int		pidfd_flags;	/* CLONE_NEW* */
	bool		parent;		/* what is cloned is our parent's, which is a subreaper */
	int		cgroup_fd;	/* CLONE_INTO_CGROUP, or -1 */
	bool		unprivileged;	/* the caller has no rights in its own user namespace (an ordinary user) */
	int		sock;		/* the worker's end of the sync socket */
	int		child_sock;	/* the child's end */
	/*
	 * Run by a mid child before it enters a running container; NULL: nothing to do. It enters cgroups and closes
	 * all fds that the new process may not have, but @fd.
	 */
	int		(*enter)(void *arg, int fd, struct err *e);
	/*
	 * What the new process does; must not return. @left: CLONE_NEW* flags of @join or @pidfd_flags that it must
	 * still join itself (all but what it was born in); @enter was run if that is nothing. It has the caller's
	 * memory as it was, a stack of CHILD_STACK bytes (child.h) at least, and all the caller's fds but @sock.
	 * It is not dumpable, unless it is born in a new user namespace of an unprivileged caller, to whom only the
	 * files in /proc of a dumpable process belong (uid_map).
	 */
	void		(*child)(void *arg, int left);
	void		*arg;		/* of @enter and @child */
};

/**
 * launch() - Make the process.
 * @pidfd: of the process; -1 on old kernels. Owned by the caller.
 *
 * Context: host stage, single-threaded. The new process runs @l->child.
 * Return: its pid (in the caller's pid namespace), or -errno with @e set;
 * -EOPNOTSUPP without @e set: cgroup_fd cannot be cloned into, -EINVAL without @e set: this kernel
 * cannot join by pidfd. Nothing was made then.
 */
pid_t launch(const struct launch *l, int *pidfd, struct err *e);
#endif

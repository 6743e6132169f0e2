/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clone topology: where the caller stands while it clones. */
#include "launch.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "sync.h"

/* Namespaces that the caller can join for the time of the clone and leave again. */
#define VISITED (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* What of l->join the caller must stand in while it clones. */
static int visit_flags(const struct launch *l)
{
	/* With a new user namespace, the child has no rights over namespaces of ours any more. */
	int want = (l->new_ns & CLONE_NEWUSER) ? VISITED : CLONE_NEWPID;
	int flags = l->pidfd >= 0 ? l->pidfd_flags & CLONE_NEWPID : 0, i;

	for (i = 0; i < JOIN_KINDS; i++)
		if (l->join.fd[i] >= 0 && (join_kinds[i].flag & want))
			flags |= join_kinds[i].flag;
	return flags;
}

static int join_flags(const struct launch *l)
{
	int flags = l->pidfd >= 0 ? l->pidfd_flags : 0, i;

	for (i = 0; i < JOIN_KINDS; i++)
		if (l->join.fd[i] >= 0)
			flags |= join_kinds[i].flag;
	return flags;
}

/* Open our own namespaces of @flags, to come back to. */
static int open_own(int flags, struct join_set *own, struct err *e)
{
	char path[40];
	int i;

	for (i = 0; i < JOIN_KINDS; i++) {
		if (!(flags & join_kinds[i].flag))
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", join_kinds[i].file);
		own->fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (own->fd[i] < 0)
			return err_set(e, ERR_KERNEL, -errno, path, "open own namespace");
	}
	return 0;
}

static int setns_flags(const struct join_set *s, int flags, const char *what, struct err *e)
{
	int i;

	for (i = 0; i < JOIN_KINDS; i++)
		if ((flags & join_kinds[i].flag) && s->fd[i] >= 0 && setns(s->fd[i], join_kinds[i].flag))
			return err_set(e, errno == EPERM ? ERR_DENIED : ERR_KERNEL, -errno, NULL,
				       "%s the %s namespace", what, join_kinds[i].name);
	return 0;
}

/* EOF on our end must mean that the worker is dead, so its end may not live on in us. */
static void close_workers_end(const struct launch *l)
{
	int sock = l->sock;

	fd_close(&sock);
}

static pid_t clone_failed(pid_t r, struct err *e)
{
	if (r == -ENOSPC)
		return err_set(e, ERR_LIMIT, r, NULL, "clone the container's process: no more namespaces are allowed, "
			       "see /proc/sys/user/max_user_namespaces and its neighbours");
	return err_set(e, r == -EPERM ? ERR_DENIED : r == -EAGAIN || r == -ENOMEM || r == -ENOSPC ?
		       ERR_LIMIT : ERR_KERNEL, r, NULL, "clone the container's process");
}

/*
 * The clone is born undumpable, since it may be born in sight of a container that would ptrace it or open
 * /proc/PID/exe before it could make itself so. A fallback to a clone without CLONE_INTO_CGROUP is the
 * caller's decision: -EOPNOTSUPP passes through.
 */
static pid_t clone_here(const struct launch *l, int cgroup_fd, bool parent, int *pidfd, struct err *e)
{
	struct child_args ca = { .ns_flags = l->new_ns, .parent = parent, .cgroup_fd = cgroup_fd };
	int dumpable = prctl(PR_GET_DUMPABLE);
	pid_t r;

	if (!l->unprivileged || !(l->new_ns & CLONE_NEWUSER))
		prctl(PR_SET_DUMPABLE, 0);
	r = child_clone(&ca, pidfd);
	if (r && dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1);
	if (r < 0 && r != -EOPNOTSUPP)
		return clone_failed(r, e);
	return r;
}

/* Stage mid of a new container: join the user namespace and what it owns, or what cannot be left again. */
static int mid_join_new(const struct launch *l, struct err *e)
{
	int r = join_enter(&l->join, CLONE_NEWNS, e);

	if (!r && l->join.fd[join_index(CLONE_NEWUSER)] >= 0 && (setgid(0) || setuid(0)))
		r = err_set(e, ERR_KERNEL, -errno, NULL, "become root of the joined user namespace");
	return r;
}

/*
 * Stage mid of a running container: join all of it. @report: our fd that is still needed.
 * -EINVAL without @e set: this kernel cannot join by pidfd (below 5.8).
 */
static int mid_join_all(const struct launch *l, int report, struct err *e)
{
	struct join_set join = l->join;
	int pidfd = l->pidfd, r = l->enter ? l->enter(l->arg, report, e) : 0;

	if (r)
		return r;
	if (pidfd < 0)
		r = join_enter(&join, 0, e);
	else if ((r = join_pidfd(pidfd, l->pidfd_flags)) && r != -EINVAL)
		err_set(e, r == -ESRCH ? ERR_STATE : ERR_KERNEL, r, NULL, "join the container's namespaces");
	fd_close(&pidfd);
	join_close(&join);
	if (!r && (join_flags(l) & CLONE_NEWUSER) && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		r = err_set(e, ERR_KERNEL, -errno, NULL, "become root of the user namespace");
	return r;
}

/* What mid hands to the process that it clones. */
struct birth {
	const struct launch *l;
	int report;		/* mid's end of the socket to the caller */
	int left;
};

/* The new process. */
static int born(void *arg)
{
	const struct birth *b = arg;

	close(b->report);
	b->l->child(b->l->arg, b->left);
	return 1;	/* it does not return */
}

/*
 * Of memory that outlives its owner the kernel looks for a new one: among the owner's children, then among its
 * siblings from the oldest on. Those are all the processes of a shim, and with 2,000 of them that takes longer than
 * all the rest of mid. So there the process is mid's child, and the shim's when mid exits, since that is a subreaper.
 * Not where there may be no pidfds: by its own the shim tells a process that it cannot wait for yet from an earlier
 * one of that pid, which it has reaped.
 */
static bool left_to_reaper(const struct launch *l)
{
	return l->parent && l->pidfd >= 0;
}

/*
 * Clone the process from where it is to be born. Whoever is to be its parent is ours too, so it is a sibling, or
 * will be.
 *
 * What enters a running container takes mid's memory over: mid has nothing left to do but to report it and to exit,
 * and changes nothing on the way but its own end of its stack (and errno, should the caller be dead). So the
 * caller's memory is copied once for an exec, and not a second time from mid. The process is as undumpable as its
 * memory is, and joins no namespace any more, for which it would have to be alone in it (a time namespace). Init of
 * a new container may have to. Whoever may trace the process before it drops its privileges has the host's root by
 * that alone: to have mid's memory for the moment that it takes to exit gives nothing more.
 */
static pid_t mid_clone(struct birth *b, int *pidfd, struct err *e)
{
	pid_t r;

	if (CHILD_SHARES && !b->l->new_ns) {
		prctl(PR_SET_DUMPABLE, 0);	/* once more: another id has another default */
		r = child_share(born, b, !left_to_reaper(b->l), pidfd);
		return r < 0 ? clone_failed(r, e) : r;
	}
	r = clone_here(b->l, b->l->new_ns ? b->l->cgroup_fd : -1, true, pidfd, e);
	if (!r)
		_exit(born(b));
	return r;
}

/*
 * Join, clone the process, report its pid, go. The report has a socket of its own: what the new process has to say
 * may come earlier. A negative number instead of the pid: nothing was made, and the caller knows another way.
 */
static void mid_main(const struct launch *l, int report)
{
	struct birth b = { .l = l, .report = report, .left = l->new_ns ? join_flags(l) & CLONE_NEWNS : 0 };
	struct err e = { 0 };
	int pidfd = -1;
	pid_t r;

	prctl(PR_SET_NAME, "cleat:[mid]");
	prctl(PR_SET_DUMPABLE, 0);
	close_workers_end(l);
	r = l->new_ns ? mid_join_new(l, &e) : mid_join_all(l, report, &e);
	if (!r)
		r = mid_clone(&b, &pidfd, &e);
	if (e.kind == ERR_NONE) {
		sync_send(report, SYNC_CHILD, r, pidfd);
	} else {
		e.stage = STAGE_MID;
		sync_fail(report, &e);
	}
	_exit(0);
}

/* The caller's half of the mid case: wait for the report, reap mid if it is ours. */
static pid_t mid_wait(const struct launch *l, int report, pid_t mid, int *pidfd, struct err *e)
{
	struct sync_msg m;
	int r = sync_recv(report, &m, pidfd);

	if (!l->parent)
		child_wait(mid, NULL);
	if (r == 1 && m.type == SYNC_CHILD && m.value)
		return m.value;
	fd_close(pidfd);
	if (r == 1 && m.type == SYNC_FAILED) {
		*e = m.err;
		return e->errnum ? -e->errnum : -EINVAL;
	}
	return err_set(e, ERR_PEER, r < 0 ? r : 0, NULL, "the process that joins the namespaces died");
}

static pid_t launch_by_mid(const struct launch *l, int cgroup_fd, int *pidfd, struct err *e)
{
	struct child_args ca = { .parent = l->parent, .cgroup_fd = cgroup_fd };
	int report[2], r;
	pid_t mid;

	r = fdio_socketpair(report);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "socketpair");
	mid = child_clone(&ca, NULL);
	if (!mid) {
		close(report[0]);
		mid_main(l, report[1]);
	}
	close(report[1]);
	if (mid == -EOPNOTSUPP && cgroup_fd >= 0)
		r = mid;
	else
		r = mid < 0 ? clone_failed(mid, e) : mid_wait(l, report[0], mid, pidfd, e);
	close(report[0]);
	return r;
}

/*
 * May we come back to our own namespaces of @flags? Root of a user namespace may not where they belong to the
 * one above. Asked by joining what we are in already.
 */
static bool can_return(const struct join_set *own, int flags)
{
	int i;

	for (i = 0; i < JOIN_KINDS; i++)
		if ((flags & join_kinds[i].flag) && setns(own->fd[i], join_kinds[i].flag) && errno == EPERM)
			return false;
	return true;
}

pid_t launch(const struct launch *l, int *pidfd, struct err *e)
{
	struct join_set own = JOIN_SET_INIT;
	int visit, r;
	pid_t pid;

	*pidfd = -1;
	if (l->join.fd[join_index(CLONE_NEWUSER)] >= 0 && l->new_ns) {
		/* The root of that user namespace may not put a process into a cgroup that is not its own. */
		if (l->cgroup_fd >= 0)
			return -EOPNOTSUPP;
		return launch_by_mid(l, -1, pidfd, e);
	}
	if (l->enter && (join_flags(l) & CLONE_NEWPID) && (l->unprivileged || !(join_flags(l) & CLONE_NEWUSER)))
		return launch_by_mid(l, l->cgroup_fd, pidfd, e);
	visit = visit_flags(l);
	r = open_own(visit, &own, e);
	if (!r && visit && !can_return(&own, visit)) {
		join_close(&own);
		return launch_by_mid(l, l->new_ns ? -1 : l->cgroup_fd, pidfd, e);
	}
	if (!r && visit && l->pidfd >= 0) {
		r = join_pidfd(l->pidfd, visit);
		if (r && r != -EINVAL)
			err_set(e, r == -ESRCH ? ERR_STATE : ERR_KERNEL, r, NULL, "join the pid namespace");
	} else if (!r) {
		r = setns_flags(&l->join, visit, "join", e);
	}
	pid = r ? r : clone_here(l, l->cgroup_fd, l->parent, pidfd, e);
	if (!pid) {
		join_close(&own);
		close_workers_end(l);
		l->child(l->arg, join_flags(l) & ~visit);
		_exit(1);	/* it does not return */
	}
	r = setns_flags(&own, visit, "return to", e);
	join_close(&own);
	if (r && pid > 0) {
		/* We stand in somebody else's namespace: nothing more may be done here. */
		kill(pid, SIGKILL);
		if (!l->parent)
			child_wait(pid, NULL);
		fd_close(pidfd);
		return r;
	}
	return pid;
}

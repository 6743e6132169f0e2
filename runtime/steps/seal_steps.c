/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stage seal: from "everything is in place" to execve. Privilege only goes
 * down from step to step.
 */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "caps.h"
#include "fd.h"
#include "gate.h"
#include "hooks.h"
#include "label.h"
#include "pathfs.h"
#include "stage.h"
#include "sync.h"
#include "sysx.h"

STAGE(seal, STAGE_SEAL);

static bool is_null(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* An fd of the host's /dev/null leads to the host's file system; the container's own is as good. */
static void reopen_null(int fd)
{
	int own = openat(AT_FDCWD, "/dev/null", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);

	if (own < 0)
		return;
	if (is_null(own) && own != fd)
		dup2(own, fd);
	close(own);
}

static int seal_stdio(struct seal_ctx *c, struct err *e)
{
	int i;

	/* Sources may have the numbers 0 to 2 themselves, in any order: lift them out of the way first. */
	for (i = 0; i < 3 && !c->console_done; i++) {
		if (c->stdio[i] < 0 || c->stdio[i] > 2 || c->stdio[i] == i)
			continue;
		c->stdio[i] = fcntl(c->stdio[i], F_DUPFD_CLOEXEC, 3 + c->preserve_fds);
		if (c->stdio[i] < 0)
			return err_set(e, ERR_KERNEL, -errno, NULL, "dup stdio");
	}
	for (i = 0; i < 3 && !c->console_done; i++)
		if (c->stdio[i] >= 0 && (c->stdio[i] == i ? fd_cloexec(i, 0) < 0 : dup2(c->stdio[i], i) < 0))
			return err_set(e, ERR_KERNEL, -errno, NULL, "dup2 stdio");
	for (i = 0; i < 3; i++) {
		if (is_null(i)) {
			/* Not in a running container, where /dev may be hostile by now (D7). */
			if (c->init)
				reopen_null(i);
			continue;
		}
		if (c->p->uid && fchown(i, c->p->uid, (gid_t)-1) && errno != EPERM && errno != EROFS && errno != EINVAL)
			return err_set(e, ERR_KERNEL, -errno, NULL, "chown stdio %d to uid %u", i, c->p->uid);
	}
	return 0;
}

static int seal_limits(struct seal_ctx *c, struct err *e)
{
	if (!c->limits)
		return limits_apply(c->p, 0, c->procfd, e);
	return sync_ask(c->sock, SYNC_LIMITS, 0) ? err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone") : 0;
}

static int seal_tune(struct seal_ctx *c, struct err *e)
{
	return tune_self(&c->p->tune, !c->init, e);
}

/* What the next execve shall do, so nothing that we do until then is confined yet. */
static int seal_labels(struct seal_ctx *c, struct err *e)
{
	auto_fd own = -1;
	int r;

	if (!c->p->apparmor && !c->p->selinux)
		return 0;
	if (c->procfd < 0) {
		own = label_procfs();
		if (own < 0)
			return err_set(e, ERR_KERNEL, own, "/process/apparmorProfile", "open a procfs");
	}
	r = label_exec(own >= 0 ? own : c->procfd, c->p->apparmor, c->p->selinux, e);
	if (!c->init)
		fd_close(&c->procfd);
	return r;
}

static int seal_umask(struct seal_ctx *c, struct err *e)
{
	umask(c->p->has_umask ? c->p->umask : 0022);
	return 0;
}

static int seal_nnp(struct seal_ctx *c, struct err *e)
{
	if (c->p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(e, ERR_KERNEL, -errno, "/process/noNewPrivileges", "set no_new_privs");
	return 0;
}

/*
 * The worker takes the listener out of us. Calls that the filter holds up wait for whoever gets it, so until it is
 * handed over there is a write, and nothing else but waiting for the answer. "1": it could not take it.
 */
static int give_listener(struct seal_ctx *c, int fd, struct err *e)
{
	int r = sync_ask_plain(c->sock, SYNC_LISTENER, fd);

	if (r == 1)
		r = sync_send(c->sock, SYNC_LISTENER, -1, fd) || sync_wait_go(c->sock) ? -ECANCELED : 0;
	close(fd);
	return r ? err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone") : 0;
}

static int load_filter(struct seal_ctx *c, struct err *e)
{
	int r = c->p->filter.len ? filter_load(&c->p->filter) : 0;

	if (r < 0)
		return err_set(e, ERR_KERNEL, r, "/linux/seccomp", "install the seccomp filter");
	return filter_has_listener(&c->p->filter) ? give_listener(c, r, e) : 0;
}

/* Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter, which is about to go. */
static int seal_filter_privileged(struct seal_ctx *c, struct err *e)
{
	return c->p->no_new_privileges ? 0 : load_filter(c, e);
}

static int seal_bounding(struct seal_ctx *c, struct err *e)
{
	int r = caps_apply_bounding(c->p->caps[CAP_SET_BOUNDING]);

	return r ? err_set(e, r == -EPERM ? ERR_DENIED : ERR_KERNEL, r, "/process/capabilities/bounding",
			   "drop bounding capabilities") : 0;
}

/* The cwd must be inside the root: an fd of the host's tree must not be reachable as "." (CVE-2024-21626). */
static int check_cwd(struct err *e)
{
	char cwd[PATH_MAX];
	int r = sysx_getcwd(cwd, sizeof(cwd));

	if (r < 0)
		return err_set(e, ERR_SPEC, r, "/process/cwd", "current working directory is outside of the container");
	if (cwd[0] != '/')
		return err_set(e, ERR_SPEC, -ENOENT, "/process/cwd",
			       "current working directory is outside of the container root file system");
	return 0;
}

static int seal_chdir(struct seal_ctx *c, struct err *e)
{
	/* EACCES: tried again as the process's own user, who may enter what root in a user namespace may not. */
	if (chdir(c->p->cwd) && errno != EACCES)
		return err_set(e, ERR_SPEC, -errno, "/process/cwd", "chdir to \"%s\"", c->p->cwd);
	return 0;
}

static int seal_ids(struct seal_ctx *c, struct err *e)
{
	int r;

	/* Caps survive setuid until they are set to what was asked for. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return err_set(e, ERR_KERNEL, -errno, NULL, "keep capabilities");
	/* EPERM with none asked for: setgroups is denied in this user namespace, so there are none to drop either. */
	r = c->p->keep_groups ? 0 : sysx_setgroups(c->p->gids.n, c->p->gids.v);
	if (r && !(r == -EPERM && !c->p->gids.n))
		return err_set(e, ERR_KERNEL, r, "/process/user/additionalGids", "setgroups");
	r = sysx_setgid(c->p->gid);
	if (r)
		return err_set(e, ERR_SPEC, r, "/process/user/gid", "setgid to %u", c->p->gid);
	r = sysx_setuid(c->p->uid);
	if (r)
		return err_set(e, ERR_SPEC, r, "/process/user/uid", "setuid to %u", c->p->uid);
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

static int seal_caps(struct seal_ctx *c, struct err *e)
{
	const uint64_t *caps = c->p->caps;
	int r = caps_apply(caps[CAP_SET_EFFECTIVE], caps[CAP_SET_PERMITTED], caps[CAP_SET_INHERITABLE],
			   caps[CAP_SET_AMBIENT]);

	return r ? err_set(e, r == -EPERM ? ERR_DENIED : ERR_KERNEL, r, "/process/capabilities", "set capabilities") : 0;
}

static int seal_chdir_again(struct seal_ctx *c, struct err *e)
{
	if (chdir(c->p->cwd))
		return err_set(e, ERR_SPEC, -errno, "/process/cwd", "chdir to \"%s\"", c->p->cwd);
	return check_cwd(e);
}

/* argv and envp, HOME filled in. malloc is safe here: this process is a clone of a single-threaded one. */
static int seal_vectors(struct seal_ctx *c, struct err *e)
{
	const struct process *p = c->p;
	const char *home = process_env(p, "HOME");
	const size_t size = p->args.n + 1 + p->env.n + 2;	/* each ends in NULL; HOME */
	char text[5 + PATH_MAX];
	size_t i, n = 0;

	c->argv = size <= SEAL_FEW ? c->few : calloc(size, sizeof(*c->argv));
	if (!c->argv)
		return err_set(e, ERR_LIMIT, -ENOMEM, "/process", "arguments");
	c->envp = c->argv + p->args.n + 1;
	for (i = 0; i < p->args.n; i++)
		c->argv[i] = (char *)(uintptr_t)p->args.v[i];
	for (i = 0; i < p->env.n; i++)
		if (strncmp(p->env.v[i], "HOME=", 5) || p->env.v[i][5])
			c->envp[n++] = (char *)(uintptr_t)p->env.v[i];
	if (!home || !home[0]) {
		auto_fd root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		memcpy(text, "HOME=", 5);
		lookup_home(root, p->uid, text + 5, sizeof(text) - 5);
		c->envp[n] = strdup(text);
		if (!c->envp[n])
			return err_set(e, ERR_LIMIT, -ENOMEM, "/process/env", "HOME");
	}
	return 0;
}

static int seal_lookup(struct seal_ctx *c, struct err *e)
{
	return lookup_executable(c->p, c->exe, sizeof(c->exe), e);
}

/*
 * Init may wait at the gate for long, in sight of whoever shares its pid namespace. Whoever may trace it
 * would walk from the host's procfs into the host, so the container's own is used where it has one.
 */
static void take_own_procfs(struct seal_ctx *c)
{
	auto_fd own = proc_open(), dir = -1;

	if (own >= 0)
		dir = proc_openat(own, "self/fd", O_PATH | O_DIRECTORY);
	if (dir < 0)
		return;
	fd_close(&c->procfd);
	c->procfd = take_fd(&own);
}

/* The fds that the process keeps lose close-on-exec; all others go at execve or before. */
static int seal_fds(struct seal_ctx *c, struct err *e)
{
	int i;

	/* A wait at the gate, or a hook, gives them all the time they need. */
	if (c->fifo >= 0 || (c->start_hooks && c->start_hooks->n))
		take_own_procfs(c);
	for (i = 0; i < c->preserve_fds; i++)
		if (fd_cloexec(3 + i, 0))
			return err_set(e, ERR_SPEC, -errno, NULL, "preserve fd %d", 3 + i);
	return 0;
}

/* A listener must be on its way before create may succeed: not as late as another filter with no_new_privs. */
static int seal_filter_listened(struct seal_ctx *c, struct err *e)
{
	return c->p->no_new_privileges && filter_has_listener(&c->p->filter) ? load_filter(c, e) : 0;
}

static int seal_ready(struct seal_ctx *c, struct err *e)
{
	if (c->ask ? sync_ask(c->sock, SYNC_READY, 0) : sync_send(c->sock, SYNC_READY, 0, -1))
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	return 0;
}

/* From here on init is on its own: the worker has answered, errors go to whoever starts it. */
static int seal_gate(struct seal_ctx *c, struct err *e)
{
	if (c->fifo < 0)
		return 0;
	fd_close(&c->sock);
	/* An ordinary user's exec before the start could not join the namespaces of what he may not look at. */
	if (c->dumpable)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	c->gate = gate_pass(c->procfd, c->fifo);
	return c->gate < 0 ? err_set(e, ERR_KERNEL, c->gate, NULL, "pass the start gate") : 0;
}

static int seal_start_hooks(struct seal_ctx *c, struct err *e)
{
	const struct hook_view view = { .env = c->envp };

	return c->start_hooks && c->start_hooks->n ?
		hooks_run(c->start_hooks, "startContainer", c->state, &view, false, NULL, e) : 0;
}

static int seal_filter(struct seal_ctx *c, struct err *e)
{
	int keep[2] = { c->gate, c->sock };

	/* What is left open is closed, not only marked, before the program can look (D5). */
	fd_close_except(3 + c->preserve_fds, keep, 2);
	return c->p->no_new_privileges && !filter_has_listener(&c->p->filter) ? load_filter(c, e) : 0;
}

static int seal_exec(struct seal_ctx *c, struct err *e)
{
	execve(c->exe, c->argv, c->envp);
	if (errno == EACCES && c->p->selinux)	/* the file's mode let us, or the step before had complained */
		return err_set(e, ERR_SPEC, -errno, NULL, "exec: \"%s\" with the SELinux label \"%.200s\"", c->exe,
			       c->p->selinux);
	return err_set(e, ERR_SPEC, -errno, NULL, "exec: \"%s\"", c->exe);
}

static const struct seal_step seal_steps[] = {
	{ "stdio", seal_stdio, NULL },
	{ "limits", seal_limits, NULL },		/* while we are root: the worker needs equal ids */
	{ "tune", seal_tune, NULL },			/* in the cgroup, by whose CPUs and nodes it is judged */
	{ "labels", seal_labels, NULL },		/* no_new_privs would forbid some */
	{ "umask", seal_umask, NULL },
	{ "no-new-privileges", seal_nnp, NULL },
	{ "filter-privileged", seal_filter_privileged, NULL },
	{ "bounding", seal_bounding, NULL },		/* needs CAP_SETPCAP */
	{ "chdir", seal_chdir, NULL },
	{ "ids", seal_ids, NULL },
	{ "capabilities", seal_caps, NULL },
	{ "chdir-as-user", seal_chdir_again, NULL },
	{ "vectors", seal_vectors, NULL },
	{ "lookup", seal_lookup, NULL },		/* with the process's own rights */
	{ "fds", seal_fds, NULL },
	{ "filter-listened", seal_filter_listened, NULL },
	{ "ready", seal_ready, NULL },
	{ "gate", seal_gate, NULL },
	{ "start-hooks", seal_start_hooks, NULL },
	{ "filter", seal_filter, NULL },		/* last: the filter need not allow what we do */
	{ "exec", seal_exec, NULL },
};

void seal_main(struct seal_ctx *c)
{
	struct err e = { 0 };

	c->gate = -1;
	seal_run(seal_steps, sizeof(seal_steps) / sizeof(seal_steps[0]), c, &e);
	stage_exit(c->sock, c->gate, &e);
}

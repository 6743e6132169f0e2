/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stage init: the container's first process while the host's root is still visible. */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "fdio.h"
#include "hooks.h"
#include "loopback.h"
#include "namespace.h"
#include "pathfs.h"
#include "root_steps.h"
#include "stage.h"
#include "sync.h"
#include "sysx.h"

STAGE(init, STAGE_INIT);

/* One owner per fd: what the worker holds (locks, cgroups, caches) must not live on in the container's process. */
static int init_fds(struct init_ctx *c, struct err *e)
{
	size_t n = 0, i, sources = c->rf.sources ? c->spec->mounts.n : 0;
	int *keep = arena_alloc(c->rf.arena, (JOIN_KINDS + 16 + sources) * sizeof(*keep));

	if (!keep)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "fds");
	for (i = 0; i < JOIN_KINDS; i++)
		keep[n++] = c->join.fd[i];
	for (i = 0; i < sources; i++)
		keep[n++] = c->rf.sources[i];
	for (i = 0; i < 3; i++)
		keep[n++] = c->seal.stdio[i];
	keep[n++] = c->seal.sock;
	keep[n++] = c->seal.procfd;
	keep[n++] = c->seal.fifo;
	keep[n++] = c->rf.tree;
	fd_close_except(3 + c->seal.preserve_fds, keep, n);
	return 0;
}

static int init_session(struct init_ctx *c, struct err *e)
{
	c->umask = umask(0);	/* modes of what we make are the spec's */
	return stage_begin("cleat:[init]", e);
}

static int init_maps(struct init_ctx *c, struct err *e)
{
	int r;

	if (c->wait_maps && sync_wait_go(c->seal.sock))
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	if (!c->rf.userns)
		return 0;
	r = sysx_setgid(0);
	if (!r)
		r = sysx_setuid(0);
	if (r)
		return err_set(e, ERR_SPEC, r, "/linux/uidMappings", "become root of the user namespace");
	/* Groups of the caller mean nothing here; denied setgroups means that there is nothing to gain. */
	r = c->seal.p->keep_groups ? 0 : sysx_setgroups(0, NULL);
	if (r && r != -EPERM)
		return err_set(e, ERR_KERNEL, r, NULL, "setgroups");
	/* Only now: message queues belong to whoever makes their namespace. */
	if (c->late_ipc && unshare(CLONE_NEWIPC))
		return err_set(e, ERR_KERNEL, -errno, "/linux/namespaces", "make an ipc namespace");
	return 0;
}

/*
 * A clone is in its new time namespace at once, and the offsets of one that somebody is in stay as they are. So
 * it is made for children first, the worker writes (our own files belong to the host's root), and only then we go.
 */
static int init_clocks(struct init_ctx *c, struct err *e)
{
	auto_fd fd = -1;

	if (!c->own_clocks)
		return 0;
	if (unshare(CLONE_NEWTIME))
		return err_set(e, errno == EINVAL ? ERR_UNSUPPORTED : ERR_KERNEL, -errno, "/linux/namespaces",
			       "make a time namespace%s", errno == EINVAL ? " (it needs Linux 5.6)" : "");
	if (sync_ask(c->seal.sock, SYNC_CLOCKS, 0))
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	fd = openat(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME))
		return err_set(e, ERR_KERNEL, -errno, "/linux/timeOffsets", "enter the new time namespace");
	return 0;
}

/* A file per v1 hierarchy, opened by the worker: "0" is whoever writes it. */
static int enter_cgroups(const struct sync_msg *m, int *fds, size_t n, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n; i++) {
		if (!r && write(fds[i], "0", 1) != 1)
			r = err_set(e, ERR_KERNEL, -errno, "/linux/cgroupsPath", "enter the cgroup");
		close(fds[i]);
	}
	return !r && (size_t)m->value != n ? err_set(e, ERR_PEER, -EPROTO, NULL, "cgroup files") : r;
}

/* The worker makes the network namespace while we mount what does not need it. */
static int init_networked(struct init_ctx *c, struct err *e)
{
	auto_fd fd = -1;
	struct sync_msg m;
	int r = 0;

	if (c->net_maker != NET_BY_WORKER || c->networked)
		return 0;
	if (sync_recv(c->seal.sock, &m, &fd) != 1 || m.type != SYNC_NETWORK)
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	if (fd < 0)
		r = net_namespace(e);
	else if (setns(fd, CLONE_NEWNET))
		r = err_set(e, ERR_KERNEL, -errno, "/linux/namespaces", "enter the new network namespace");
	c->networked = true;
	return r ? r : net_loopback_up(e);
}

/*
 * The worker makes v1 cgroups while we mount. A process that writes itself to "tasks" is moved at once; one
 * that another writes to cgroup.procs waits for an RCU grace period. The cgroup namespace takes its root from
 * where we are when it is made.
 */
static int init_placed(struct init_ctx *c, struct err *e)
{
	int fds[FDIO_FDS_MAX], r = init_networked(c, e);	/* it is sent first */
	struct sync_msg m;
	size_t n;

	if (r || c->placed)
		return r;
	if (c->wait_placed) {
		if (sync_recv_fds(c->seal.sock, &m, fds, &n) != 1 || (m.type != SYNC_CGROUP && m.type != SYNC_GO))
			return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
		if (m.type == SYNC_GO)	/* there is none after all */
			c->rf.cgroup = "";
		else
			r = enter_cgroups(&m, fds, n, e);
	}
	if (!r && c->new_cgroupns && unshare(CLONE_NEWCGROUP))
		r = err_set(e, ERR_KERNEL, -errno, "/linux/namespaces", "make a cgroup namespace");
	c->placed = true;
	return r;
}

static int init_cgroup(struct init_ctx *c, struct err *e)
{
	return init_placed(c, e);
}

/* Before a file system of @type is mounted. */
static int init_before(void *arg, const char *type, struct err *e)
{
	static const char *const anywhere[] = { "proc", "tmpfs", "devpts", "mqueue" };
	size_t i;

	if (!strcmp(type, "cgroup") || !strcmp(type, "cgroup2"))
		return init_placed(arg, e);
	for (i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
		if (!strcmp(type, anywhere[i]))
			return 0;
	return init_networked(arg, e);
}

static int init_join(struct init_ctx *c, struct err *e)
{
	int r;

	/* Nothing in our /proc is to be written by the worker any more. */
	if (c->dumpable)
		prctl(PR_SET_DUMPABLE, 0);
	r = c->left ? join_enter(&c->join, ~c->left, e) : 0;

	join_close(&c->join);
	return r;
}

static int init_network(struct init_ctx *c, struct err *e)
{
	int r;

	if (c->wait_net && sync_wait_go(c->seal.sock))
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	if (c->net_maker == NET_BY_WORKER)
		return 0;	/* see init_networked() */
	r = c->net_maker == NET_BY_INIT ? net_namespace(e) : 0;
	return !r && (c->new_ns & CLONE_NEWNET) ? net_loopback_up(e) : r;
}

static int init_keyring(struct init_ctx *c, struct err *e)
{
	return stage_keyring(c->keyring, c->rf.userns, &c->seal, e);
}

static int init_root(struct init_ctx *c, struct err *e)
{
	return c->new_ns & CLONE_NEWNS ? rootfs_begin(&c->rf, c->spec, e) : 0;
}

static int init_mounts(struct init_ctx *c, struct err *e)
{
	return c->new_ns & CLONE_NEWNS ? rootfs_mounts(&c->rf, c->spec, init_before, c, e) : 0;
}

static int init_devices(struct init_ctx *c, struct err *e)
{
	return c->new_ns & CLONE_NEWNS ? rootfs_devices(&c->rf, c->spec, e) : 0;
}

static int init_runtime_hooks(struct init_ctx *c, struct err *e)
{
	if (c->runtime_hooks && sync_ask(c->seal.sock, SYNC_HOOKS, 0))
		return err_set(e, ERR_PEER, -ECANCELED, NULL, "the runtime is gone");
	return 0;
}

/* In the container's namespaces, paths of the runtime's. The container's environment is never theirs. */
static int init_container_hooks(struct init_ctx *c, struct err *e)
{
	const struct hook_view view = { .umask = c->umask, .has_umask = true };

	if (!c->spec->hooks || !c->spec->hooks->create_container.n)
		return 0;
	if (c->rf.rootfd >= 0 ? fchdir(c->rf.rootfd) : chdir(c->rf.rootpath))
		return err_set(e, ERR_KERNEL, -errno, "/hooks/createContainer", "enter the root file system");
	return hooks_run(&c->spec->hooks->create_container, "createContainer", c->hook_state, &view, false, NULL, e);
}

static int init_cwd(struct init_ctx *c, struct err *e)
{
	auto_fd fd = -1;

	if (!(c->new_ns & CLONE_NEWNS) || !strcmp(c->seal.p->cwd, "/"))
		return 0;
	fd = path_mkdir_in_root(c->rf.rootfd, c->seal.p->cwd, 0755);
	/* A cwd that exists and is no directory, or that root here may not see, is judged at chdir. */
	if (fd < 0 && fd != -ENOTDIR && fd != -EACCES && fd != -EROFS && fd != -EPERM)
		return err_set(e, ERR_SPEC, fd, "/process/cwd", "make the directory \"%s\"", c->seal.p->cwd);
	return 0;
}

static int init_console(struct init_ctx *c, struct err *e)
{
	auto_fd root = -1;

	if (!c->seal.p->terminal)
		return 0;
	if (c->new_ns & CLONE_NEWNS)
		return console_make(c->rf.rootfd, &c->seal, &c->rf.mnt, e);
	root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, ERR_KERNEL, -errno, NULL, "open the root");
	return console_make(root, &c->seal, NULL, e);
}

static int init_masks(struct init_ctx *c, struct err *e)
{
	return c->new_ns & CLONE_NEWNS ? rootfs_masks(&c->rf, c->spec, e) : 0;
}

static int init_readonly(struct init_ctx *c, struct err *e)
{
	return c->new_ns & CLONE_NEWNS ? rootfs_readonly(&c->rf, c->spec, e) : 0;
}

static int init_pivot(struct init_ctx *c, struct err *e)
{
	int r = 0;

	if (c->new_ns & CLONE_NEWNS)
		r = rootfs_pivot(&c->rf, c->spec, e);
	else if (!spec_namespace(c->spec, CLONE_NEWNS) &&
		 (chdir(c->rf.rootpath) || chroot(".") || chdir("/")))
		r = err_set(e, ERR_KERNEL, -errno, "/root/path", "chroot into the root file system");
	fd_close(&c->rf.rootfd);
	return r;
}

static const struct init_step init_steps[] = {
	{ "fds", init_fds, NULL },
	{ "session", init_session, NULL },
	{ "maps", init_maps, NULL },		/* before anything that asks for a capability */
	{ "clocks", init_clocks, NULL },
	{ "join", init_join, NULL },
	{ "network", init_network, NULL },
	{ "keyring", init_keyring, NULL },
	{ "root", init_root, NULL },
	{ "mounts", init_mounts, NULL },
	{ "devices", init_devices, NULL },
	{ "cgroup", init_cgroup, NULL },	/* limits are in force before hooks run */
	{ "runtime-hooks", init_runtime_hooks, NULL },
	{ "container-hooks", init_container_hooks, NULL },	/* may still write to the root */
	{ "cwd", init_cwd, NULL },
	{ "console", init_console, NULL },
	{ "masks", init_masks, NULL },
	{ "readonly", init_readonly, NULL },	/* after the last thing that is made */
	{ "pivot", init_pivot, NULL },
};

void init_main(struct init_ctx *c)
{
	struct root_ctx root = {
		.procfd = c->seal.procfd,
		.hostname = c->spec->hostname, .domainname = c->spec->domainname,
		.sysctl = &c->spec->linux_->sysctl,
	};
	struct err e = { 0 };
	int r;

	r = init_run(init_steps, sizeof(init_steps) / sizeof(init_steps[0]), c, &e);
	if (!r)
		r = root_main(&root, &e);
	if (r)
		stage_exit(c->seal.sock, -1, &e);
	seal_main(&c->seal);
}

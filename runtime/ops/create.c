/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create: from a bundle to a process that waits at the gate. Documentation/architecture.rst numbers the steps. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "child.h"
#include "clocks.h"
#include "create.h"
#include "devices.h"
#include "fd.h"
#include "fdio.h"
#include "gate.h"
#include "hooks.h"
#include "idmap.h"
#include "label.h"
#include "launch.h"
#include "namespace.h"
#include "ops.h"
#include "pathfs.h"
#include "stage.h"
#include "steps.h"
#include "sync.h"
#include "template.h"
#include "text.h"
#include "trace.h"

static int host_bundle(struct host_ctx *c, struct err *e)
{
	char path[PATH_MAX];

	c->bundlefd = path_open_resolved(c->req->bundle);
	if (c->bundlefd >= 0) {
		c->bundle = c->req->bundle;
		return 0;
	}
	if (!realpath(c->req->bundle, path))
		return err_set(e, ERR_SPEC, -errno, c->req->bundle, "bundle directory");
	c->bundle = arena_strdup(c->arena, path);
	if (!c->bundle)
		return err_set(e, ERR_LIMIT, -ENOMEM, path, "bundle directory");
	c->bundlefd = openat(AT_FDCWD, c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->bundlefd < 0 ? err_set(e, ERR_SPEC, -errno, c->bundle, "bundle directory") : 0;
}

static int host_spec(struct host_ctx *c, struct err *e)
{
	const char *path = c->req->config ? c->req->config : "config.json";
	int r = spec_load(c->req->config ? AT_FDCWD : c->bundlefd, path, c->arena, &c->spec, c->env->log, e);

	if (r)
		return r;
	if (!c->spec->root)
		return err_set(e, ERR_SPEC, -EINVAL, "/root", "required field missing");
	if (!c->spec->process)
		return err_set(e, ERR_SPEC, -EINVAL, "/process", "required field missing");
	c->euid = geteuid();
	return c->euid ? rootless_check(c->spec, e) : 0;
}

static int host_terminal(struct host_ctx *c, struct err *e)
{
	bool t = c->spec->process->terminal;

	if (c->req->terminal < 0 || t == (c->req->terminal == 1))
		return 0;
	if (t)
		return err_set(e, ERR_SPEC, 0, "/process/terminal",
			       "cannot allocate tty if cleat will detach without setting console socket");
	return err_set(e, ERR_SPEC, 0, "/process/terminal",
		       "cannot use console socket if cleat will not detach or allocate tty");
}

static int host_root(struct host_ctx *c, struct err *e)
{
	const char *word = c->spec->linux_->rootfs_propagation;
	const char *path = c->spec->root->path;
	struct stat root, top, bundle;

	/* The host's tree stays below the root then, and what is unmounted there would stay mounted here. */
	if (c->req->no_pivot && word && (!strcmp(word, "private") || !strcmp(word, "rprivate")))
		return err_set(e, ERR_SPEC, -EINVAL, "/linux/rootfsPropagation",
			       "\"%s\" is not safe with --no-pivot", word);
	c->rootdir = openat(c->bundlefd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->rootdir < 0)
		return err_set(e, ERR_SPEC, -errno, "/root/path", "root file system \"%s\"", path);
	if (fstat(c->rootdir, &root) || stat("/", &top) || fstat(c->bundlefd, &bundle))
		return err_set(e, ERR_KERNEL, -errno, "/root/path", "stat \"%s\"", path);
	if (root.st_dev == top.st_dev && root.st_ino == top.st_ino)
		return err_set(e, ERR_SPEC, -EINVAL, "/root/path", "\"%s\" is the host's own root", path);
	if (root.st_dev == bundle.st_dev && root.st_ino == bundle.st_ino)
		return err_set(e, ERR_SPEC, -EINVAL, "/root/path", "\"%s\" is the bundle itself", path);
	c->rootpath = path[0] == '/' ? path : arena_join(c->arena, c->bundle, "/", path);
	return c->rootpath ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, "/root/path", "\"%s\"", path);
}

static int host_process(struct host_ctx *c, struct err *e)
{
	struct filter filter = { 0 };
	auto_fd cache = -1;
	char key[65];
	int r = 0;

	if (c->spec->linux_->seccomp) {
		cache = store_cache(c->env->root);
		r = filter_get(c->spec->linux_->seccomp, cache, c->arena, &filter, key, c->env->log, e);
	}
	if (!r)
		r = process_from_spec(c->spec->process, &filter, c->arena, &c->process, "/process", c->env->log, e);
	if (!r && filter_has_listener(&filter)) {
		c->process.listener_path = c->spec->linux_->seccomp->listener_path;
		c->process.listener_metadata = c->spec->linux_->seccomp->listener_metadata;
	}
	if (!r)
		r = label_mount_option(c->spec, c->arena, &c->context, e);
	if (r)
		return r;
	tune_from_linux(c->spec->linux_, &c->process.tune);
	c->process.keep_groups = c->spec->keep_groups;
	r = process_env_append(&c->process, c->req->env_add, c->req->n_env, c->arena);
	return r ? err_set(e, ERR_LIMIT, r, "/process/env", "environment") : 0;
}

static int host_keyring(struct host_ctx *c, struct err *e)
{
	c->keyring = c->req->no_new_keyring ? "" : arena_join(c->arena, "_ses.", c->req->id);
	return c->keyring ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, NULL, "session keyring");
}

static int host_namespaces(struct host_ctx *c, struct err *e)
{
	const struct spec_namespace *ns = c->spec->linux_->namespaces.v;
	char where[64];
	size_t i;

	for (i = 0; i < c->spec->linux_->namespaces.n; i++) {
		int at = join_index(ns[i].type);

		c->listed_ns |= (uint64_t)ns[i].type;
		if (ns[i].type == CLONE_NEWUSER)
			c->userns = true;
		if (!ns[i].path) {
			if (ns[i].type == CLONE_NEWCGROUP)
				c->new_cgroupns = true;	/* unshared by init, once it is in its cgroup */
			else
				c->new_ns |= (uint64_t)ns[i].type;
			continue;
		}
		text_join(where, sizeof(where), "/linux/namespaces/", text_num(i), "/path");
		c->join.fd[at] = join_open(ns[i].path, ns[i].type, where, e);
		if (c->join.fd[at] < 0)
			return c->join.fd[at];
	}
	return 0;
}

static int host_store(struct host_ctx *c, struct err *e)
{
	return store_make(&c->store, c->env->root, c->req->id, e);
}

/* Without a mount namespace of its own the container could not see it. */
static int host_notify(struct host_ctx *c, struct err *e)
{
	if (!c->req->notify || !(c->new_ns & CLONE_NEWNS))
		return 0;
	return notify_prepare(&c->store, c->env->root, c->spec, &c->process, c->arena, e);
}

static void host_store_undo(struct host_ctx *c)
{
	struct err ignored = { 0 };

	store_remove(&c->store, &ignored);
}

/* Hierarchies of cgroup v1: our directories there are made while init mounts. */
static bool has_v1(const struct host_ctx *c)
{
	return c->host.mode != CG_MODE_V2 && c->host.mode != CG_MODE_NONE && !c->no_cg;
}

/*
 * It is written before there is anything to clean up: a create that is killed leaves what delete needs. With cgroup v1
 * and nothing else outside that is made while init mounts already, and init ends with us.
 */
static bool state_is_late(const struct host_ctx *c)
{
	return has_v1(c) && !c->rdt.name;
}

static int host_state_late(struct host_ctx *c, struct err *e)
{
	struct state half = c->state;

	if (!state_is_late(c))
		return 0;
	half.pid = 0;
	half.start_time = 0;
	return store_save(&c->store, &half, e);
}

static int host_state(struct host_ctx *c, struct err *e)
{
	char created[48];
	struct spec_hooks *h = NULL;
	int r = host_cgroup_path(c, e);

	if (r)
		return r;
	log_rfc3339(created, sizeof(created), true);
	c->state.created = arena_strdup(c->arena, created);
	if (!c->state.created)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "state");
	if (c->spec->hooks) {
		h = arena_new(c->arena, struct spec_hooks);
		if (!h)
			return err_set(e, ERR_LIMIT, -ENOMEM, "/hooks", "hooks");
		h->poststart = c->spec->hooks->poststart;
		h->poststop = c->spec->hooks->poststop;
	}
	c->state = (struct state){
		.version = STORE_VERSION, .oci_version = c->spec->oci_version, .id = c->req->id,
		.bundle = c->bundle, .rootfs = c->rootpath,
		.created = c->state.created, .owner = c->euid,
		.cgroup = c->cgroup, .unit = c->unit.name, .user_unit = c->unit.user,
		.own_pidns = c->new_ns & CLONE_NEWPID,
		.terminal = c->process.terminal, .namespaces = c->listed_ns,
		.hooks = h, .annotations = c->spec->annotations, .rdt = c->rdt,
	};
	return state_is_late(c) ? 0 : store_save(&c->store, &c->state, e);
}

static int host_gate(struct host_ctx *c, struct err *e)
{
	if (c->req->ready)
		return 0;
	c->fifo = gate_make(c->store.dirfd, e);
	return c->fifo < 0 ? c->fifo : 0;
}

static int map_trees(struct host_ctx *c, int userns, struct err *e)
{
	const struct idmapping m = {
		.spec = c->spec, .procfd = c->procfd, .userns = userns, .sources = c->sources, .arena = c->arena,
	};

	return rootfs_idmaps(&m, e);
}

/* Trees that only the host's view can reach; init attaches them. */
static int host_trees(struct host_ctx *c, struct err *e)
{
	int r;

	if (!(c->new_ns & CLONE_NEWNS))
		return 0;
	c->tree = rootfs_tree(c->rootdir);
	c->idmaps = rootfs_wants_idmaps(c->spec);
	if (c->tree == -EPERM && c->userns)
		return 0;	/* not our mounts: init, which has its own, opens everything by path */
	if (c->tree < 0 && c->tree != -ENOSYS)
		return err_set(e, c->tree == -EPERM ? ERR_DENIED : ERR_KERNEL, c->tree, "/root/path",
			       "clone the mounts of \"%s\"", c->rootpath);
	if (!c->userns && !c->idmaps)
		return 0;
	r = rootfs_sources(c->spec, c->bundle, c->userns, c->arena, &c->sources, e);
	/* A new user namespace is made with init; the maps of its mounts are set while it waits for its own. */
	if (!r && c->idmaps && !(c->new_ns & CLONE_NEWUSER))
		r = map_trees(c, c->join.fd[join_index(CLONE_NEWUSER)], e);
	return r;
}

static void warn_by_sync(void *arg, const char *text)
{
	sync_warn(*(int *)arg, text);
}

/* Does init have its limits set for it, see seal_limits()? */
static bool limits_from_outside(const struct host_ctx *c)
{
	return tune_outside(&c->process.tune) ||
	       (c->userns && (c->process.rlimits.n || c->process.has_oom_score_adj));
}

/* In the new process. */
static void child(void *arg, int left)
{
	struct host_ctx *c = arg;
	const struct spec_hooks *h = c->spec->hooks;
	struct init_ctx ic = {
		.spec = c->spec, .join = c->join, .left = left, .new_ns = c->new_ns,
		.new_cgroupns = c->new_cgroupns,
		.late_ipc = (c->new_ns & CLONE_NEWUSER) && (c->new_ns & CLONE_NEWIPC),
		.own_clocks = c->spec->linux_->time_offsets.n,
		.wait_maps = c->new_ns & CLONE_NEWUSER, .dumpable = c->euid && (c->new_ns & CLONE_NEWUSER),
		.wait_net = c->spec->linux_->net_devices.n,
		.net_maker = c->net_maker,
		/* The first of our own hooks waits as well: limits are in force by then. */
		.runtime_hooks = h && (h->prestart.n || h->create_runtime.n || h->create_container.n),
		.wait_placed = c->host.mode != CG_MODE_NONE && !c->cloned_in && !c->no_cg,
		.keyring = c->keyring,
		.rf = {
			.mnt = { .procfd = c->procfd, .context = c->context },
			.rootfd = -1, .bundle = c->bundle, .rootpath = c->rootpath,
			.tree = c->tree, .userns = c->userns, .new_cgroupns = c->new_cgroupns,
			.no_pivot = c->req->no_pivot, .cg_host = &c->host, .cgroup = c->cgroup,
			.sources = c->sources, .arena = c->arena,
			.warn = warn_by_sync, .arg = &c->child_sock,
		},
		.seal = {
			.p = &c->process, .init = true, .ask = true,
			.sock = c->child_sock, .procfd = c->procfd, .fifo = c->fifo,
			.bare_newlines = !c->req->detached_console,
			.stdio = { c->req->stdio.in, c->req->stdio.out, c->req->stdio.err },
			.preserve_fds = c->req->preserve_fds,
			.limits = limits_from_outside(c),
			.dumpable = c->euid && (c->new_ns & CLONE_NEWUSER) && (c->new_ns & CLONE_NEWPID),
			.start_hooks = h ? &h->start_container : NULL,
		},
	};

	/* Inside, the container's process is whatever its pid namespace calls it. */
	if (h) {
		ic.hook_state = container_hook_state(&c->state, CLEAT_CREATING, getpid());
		ic.seal.state = container_hook_state(&c->state, CLEAT_CREATED, getpid());
	}
	if (h && (!ic.hook_state || !ic.seal.state)) {
		struct err e = { 0 };

		err_set(&e, ERR_LIMIT, -ENOMEM, NULL, "state for hooks");
		stage_exit(c->child_sock, -1, &e);
	}
	init_main(&ic);
}

/*
 * A network namespace is most of what a clone costs, and there are two to share the work. With cgroup v1 we have
 * directories to make, so init makes the namespace: still at the cost of our cgroup, for it enters its own only later.
 * Without, we make it while init mounts. Only in the usual container, where nothing but init is inside, and not where
 * the namespace is needed at once or whose it is depends on the clone.
 */
static enum net_maker net_maker(const struct host_ctx *c)
{
	const uint64_t usual = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS;

	if ((c->new_ns & usual) != usual || c->userns || c->spec->linux_->net_devices.n)
		return NET_BY_CLONE;
	return has_v1(c) ? NET_BY_INIT : NET_BY_WORKER;
}

static void host_launch_undo(struct host_ctx *c)
{
	child_pidfd_signal(c->pidfd, c->pid, SIGKILL);
	op_reap(c->env, c->pid, c->pidfd);
}

static int host_launch(struct host_ctx *c, struct err *e)
{
	/* See init_maps(), init_clocks(), init_network() and host_network(). */
	const enum net_maker maker = net_maker(c);
	const uint64_t later = (c->new_ns & CLONE_NEWUSER ? CLONE_NEWIPC : 0) |
			       (c->spec->linux_->time_offsets.n ? CLONE_NEWTIME : 0) |
			       (maker != NET_BY_CLONE ? CLONE_NEWNET : 0);
	struct launch l = {
		.new_ns = c->new_ns & ~later, .join = c->join, .pidfd = -1, .parent = c->env->parent_clone,
		.unprivileged = c->euid, .child = child, .arg = c,
	};
	int r, sv[2], oom;

	r = fdio_socketpair(sv);
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "socketpair");
	c->net_maker = maker;
	c->sock = sv[0];
	c->child_sock = sv[1];
	l.sock = c->sock;
	l.child_sock = c->child_sock;
	l.cgroup_fd = c->has_cg ? cg_enter_fd(&c->cg) : -1;
	c->cloned_in = l.cgroup_fd >= 0;
	if (!c->cloned_in)
		l.cgroup_fd = -1;
	rootless_oom_inherit(c->procfd, &c->process, &oom);
	r = launch(&l, &c->pidfd, e);
	if (r == -EOPNOTSUPP && c->cloned_in) {
		c->cloned_in = false;
		l.cgroup_fd = -1;
		r = launch(&l, &c->pidfd, e);
	}
	rootless_oom_restore(c->procfd, oom);
	fd_close(&c->child_sock);
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, NULL, "clone the container's process");
	c->state.pid = c->pid = r;
	log_debug(c->env->log, "create %s: process %d, cgroup \"%s\", namespaces 0x%llx", c->req->id, (int)c->pid,
		  c->cgroup, (unsigned long long)c->new_ns);
	if (!c->env->on_process)
		return 0;
	r = c->env->on_process(c->env->arg, c->pid, c->pidfd);
	if (!r)
		return 0;
	host_launch_undo(c);
	return err_set(e, ERR_PEER, r, NULL, "report the container's process");
}

/* From here on there is work for two, here and in the child. */
static int host_apart(struct host_ctx *c, struct err *e)
{
	struct child_stat s;
	int r = child_stat(c->procfd, c->pid, &s);

	if (r == -ENOENT || r == -ESRCH)
		return 0;	/* it has died: supervise tells why */
	if (r)
		return err_set(e, ERR_KERNEL, r, NULL, "read the start time of process %d", (int)c->pid);
	c->state.start_time = s.start_time;
	child_step_aside(c->procfd, &s);
	return 0;
}

int host_answer(struct host_ctx *c, enum sync_type type, const int *fds, size_t n, struct err *e)
{
	int r = sync_send_fds(c->sock, type, fds, n);

	return !r || r == -EPIPE ? 0 : err_set(e, ERR_KERNEL, r, NULL, "answer the container's process");
}

static int host_maps(struct host_ctx *c, struct err *e)
{
	const struct spec_linux *l = c->spec->linux_;
	struct idmap *uids, *gids;
	auto_fd userns = -1;
	int r;

	if (!(c->new_ns & CLONE_NEWUSER))
		return 0;
	if (rootfs_idmap_array(&l->uid_mappings, c->arena, &uids) ||
	    rootfs_idmap_array(&l->gid_mappings, c->arena, &gids))
		return err_set(e, ERR_LIMIT, -ENOMEM, "/linux/uidMappings", "maps");
	r = idmap_write(c->procfd, c->pid, uids, l->uid_mappings.n, gids, l->gid_mappings.n, c->euid, e);
	if (!r && c->idmaps) {
		r = userns = join_open_of(c->procfd, c->pid, CLONE_NEWUSER, e);
		r = r < 0 ? r : map_trees(c, userns, e);
	}
	return r ? r : host_answer(c, SYNC_GO, NULL, 0, e);
}

static int host_clocks(struct host_ctx *c, struct err *e)
{
	struct sync_msg m;
	int r;

	if (!c->spec->linux_->time_offsets.n)
		return 0;
	r = sync_recv(c->sock, &m, NULL);
	if (r != 1 || m.type != SYNC_CLOCKS)
		return supervise_died(&m, r, e);
	r = clocks_write(c->procfd, c->pid, &c->spec->linux_->time_offsets, e);
	return r ? r : host_answer(c, SYNC_GO, NULL, 0, e);
}

/* Before init looks at any of them: its sysctls may be theirs. */
static int host_net_devices(struct host_ctx *c, struct err *e)
{
	const struct objv *devices = &c->spec->linux_->net_devices;
	int joined = c->join.fd[join_index(CLONE_NEWNET)], r;
	auto_fd own = -1;

	if (!devices->n)
		return 0;
	if (joined < 0) {
		r = own = join_open_of(c->procfd, c->pid, CLONE_NEWNET, e);
		if (r < 0)
			return r;
	}
	r = net_devices_move(devices, joined < 0 ? own : joined, c->arena, e);
	return r ? r : host_answer(c, SYNC_GO, NULL, 0, e);
}

/* Init waits for it where it mounts the first file system that may look at it. */
static int host_network(struct host_ctx *c, struct err *e)
{
	auto_fd own = -1, made = -1;
	int r;

	if (c->net_maker != NET_BY_WORKER)
		return 0;
	own = join_open_of(c->procfd, getpid(), CLONE_NEWNET, e);
	if (own < 0)
		return own;
	/* Inside a user namespace that does not own our network, we could not come back: it is init's then. */
	if (setns(own, CLONE_NEWNET))
		return host_answer(c, SYNC_NETWORK, NULL, 0, e);
	r = net_namespace(e);
	if (r)
		return r;
	made = join_open_of(c->procfd, getpid(), CLONE_NEWNET, e);
	if (made < 0)
		r = made;
	/* Nothing that follows, undoing it all included, needs the host's network. */
	if (setns(own, CLONE_NEWNET) && !r)
		r = err_set(e, ERR_KERNEL, -errno, NULL, "go back to the host's network namespace");
	return r ? r : host_answer(c, SYNC_NETWORK, &made, 1, e);
}

/* While init mounts: what the parent can do meanwhile. */
static int host_meanwhile(struct host_ctx *c, struct err *e)
{
	struct template t = { .process = c->process, .namespaces = c->listed_ns, .keyring = c->keyring };
	struct err ignored = { 0 };
	int r = template_save(c->store.dirfd, &t, e);

	if (r)
		return r;
	if (c->has_cg && !c->req->watch_oom)
		c->oom_kills = cg_oom_kills(&c->cg, true);
	else if (c->has_cg && cg_watch_open(&c->cg, &c->oom, &ignored))
		c->oom = (struct cg_watch){ .event = -1, .source = -1 };
	if (c->env->idle_close)
		fd_close(c->env->idle_close);
	return 0;
}

static int run_runtime_hooks(void *arg, struct err *e)
{
	struct host_ctx *c = arg;
	char *state = container_hook_state(&c->state, CLEAT_CREATING, c->pid);
	const struct hook_view view = { .cwd = c->bundle };
	int r;

	if (!state)
		return err_set(e, ERR_LIMIT, -ENOMEM, "/hooks", "state for hooks");
	r = hooks_run(&c->spec->hooks->prestart, "prestart", state, &view, false, c->env->log, e);
	if (!r)
		r = hooks_run(&c->spec->hooks->create_runtime, "createRuntime", state, &view, false, c->env->log, e);
	free(state);
	return r;
}

/* Was it the kernel that killed something in the container's cgroup? */
static bool oom_killed(struct host_ctx *c)
{
	if (c->oom.event >= 0)
		return cg_watch_read(&c->oom) > 0;
	return c->has_cg && !c->req->watch_oom && c->oom_kills >= 0 && cg_oom_kills(&c->cg, false) > c->oom_kills;
}

static int host_supervise(struct host_ctx *c, struct err *e)
{
	struct supervise s = {
		.log = c->env->log, .sock = c->sock, .procfd = c->procfd, .pid = c->pid, .pidfd = c->pidfd,
		.p = &c->process, .console = -1, .hooks = run_runtime_hooks, .arg = c,
		.state = &c->state, .status = CLEAT_CREATING,
	};
	int r = supervise_until_ready(&s, e);

	c->console = s.console;
	if (r && e->kind == ERR_PEER && oom_killed(c))
		err_context(e, "container init was OOM-killed (memory limit too low?)");
	return r;
}

/* What the caller of cleat_create() gets; without a gate it now sees to it, and the process is let go. */
static int let_go(struct host_ctx *c, struct err *e)
{
	int r = 0;

	*c->out = (struct cleat_process){
		.pid = c->pid, .pidfd = c->pidfd, .console = c->console, .oom = c->oom,
		.own_pidns = c->state.own_pidns,
		.poststart = c->spec->hooks && c->spec->hooks->poststart.n,
	};
	if (c->spec->pidfd_receiver)
		r = op_give_pidfd(c->spec->pidfd_receiver, c->req->id, c->pidfd, e);
	if (!r && c->req->ready)
		r = c->req->ready(c->req->ready_arg, c->out, e);
	if (r)
		return r;
	c->gone = true;
	return sync_send(c->sock, SYNC_GO, 0, -1) ?
		err_set(e, ERR_PEER, 0, NULL, "the container's process died while it was being set up") : 0;
}

/* Does the process send anything that waits for an answer, or ends up with the caller, before SYNC_READY? */
static bool has_questions(const struct host_ctx *c)
{
	const struct spec_hooks *h = c->spec->hooks;

	return limits_from_outside(c) || c->process.terminal || filter_has_listener(&c->process.filter) ||
	       (h && (h->prestart.n || h->create_runtime.n || h->create_container.n || h->start_container.n));
}

/*
 * The answer to SYNC_READY lies ready when the process asks: two wake-ups of sleeping processors less before its
 * program runs, and its state is written meanwhile.
 */
static int host_go_ahead(struct host_ctx *c, struct err *e)
{
	int r;

	/* Without a cgroup nobody would find the program if we are killed before its pid is written down. */
	if (!c->req->ready || !c->req->ready_early || !c->has_cg || has_questions(c))
		return 0;
	r = let_go(c, e);
	if (!r || !c->gone)
		return r;
	err_clear(e);	/* it died already: supervise tells why */
	return 0;
}

static int host_commit(struct host_ctx *c, struct err *e)
{
	int r = store_save(&c->store, &c->state, e);

	return r || c->gone ? r : let_go(c, e);
}

/* Without a gate: what cleat_start() does otherwise. */
static int host_start(struct host_ctx *c, struct err *e)
{
	struct supervise s = { .sock = c->sock };
	int r;

	if (!c->req->ready)
		return 0;
	r = supervise_until_exec(&s, e);
	trace_settle();
	return r ? r : container_poststart(&c->state, c->env->log, e);
}

static const struct host_step create_steps[] = {
	{ "bundle", host_bundle, NULL },
	{ "spec", host_spec, NULL },
	{ "terminal", host_terminal, NULL },
	{ "root", host_root, NULL },
	{ "process", host_process, NULL },
	{ "keyring", host_keyring, NULL },
	{ "namespaces", host_namespaces, NULL },
	{ "store", host_store, host_store_undo },
	{ "notify", host_notify, NULL },	/* undone by "store" */
	{ "rdt", host_rdt, NULL },
	{ "state", host_state, NULL },
	{ "rdt-group", host_rdt_group, host_rdt_undo },
	{ "cgroup", host_cgroup, host_cgroup_undo },
	{ "delegate", host_delegate, NULL },
	{ "gate", host_gate, NULL },
	{ "trees", host_trees, NULL },
	{ "launch", host_launch, host_launch_undo },
	{ "apart", host_apart, NULL },
	{ "state-file", host_state_late, NULL },
	{ "rdt-enter", host_rdt_enter, NULL },
	{ "maps", host_maps, NULL },
	{ "clocks", host_clocks, NULL },
	{ "net-devices", host_net_devices, NULL },
	{ "network", host_network, NULL },
	{ "placement", host_placement, NULL },		/* undone by "cgroup", when init is dead */
	{ "limits", host_limits, NULL },		/* in force before hooks and the program run */
	{ "meanwhile", host_meanwhile, NULL },
	{ "go-ahead", host_go_ahead, NULL },
	{ "supervise", host_supervise, NULL },
	{ "commit", host_commit, NULL },
	{ "start", host_start, NULL },
};

static void close_ctx(struct host_ctx *c)
{
	size_t i;

	for (i = 0; c->sources && i < c->spec->mounts.n; i++)
		fd_close(&c->sources[i]);
	fd_close(&c->bundlefd);
	fd_close(&c->rootdir);
	fd_close(&c->procfd);
	fd_close(&c->fifo);
	fd_close(&c->tree);
	fd_close(&c->sock);
	fd_close(&c->child_sock);
	join_close(&c->join);
	if (c->has_cg)
		cg_close(&c->cg);
	store_close(&c->store);
}

/* Once runtime hooks may have run, poststop must undo what they did, also after a failed create. */
static void poststop(struct host_ctx *c)
{
	struct err ignored = { 0 };
	char *state;

	if (!c->pid || !c->spec->hooks || !c->spec->hooks->poststop.n)
		return;
	state = container_hook_state(&c->state, CLEAT_STOPPED, 0);
	if (state)
		hooks_run(&c->spec->hooks->poststop, "poststop", state, NULL, true, c->env->log, &ignored);
	free(state);
}

/* Not in the frame that lends the arena its room. */
static __attribute__((noinline)) int create_in(struct arena *arena, const struct cleat_env *env,
					       const struct cleat_create *req, struct cleat_process *out,
					       struct err *e)
{
	struct host_ctx c = {
		.env = env, .req = req, .out = out, .arena = arena,
		.bundlefd = -1, .rootdir = -1, .procfd = -1, .fifo = -1, .tree = -1,
		.join = JOIN_SET_INIT, .store = STORE_INIT, .sock = -1, .child_sock = -1, .pidfd = -1, .console = -1,
		.oom = { .event = -1, .source = -1 },
	};
	int r = cleat_id_check(req->id, e);

	if (r)
		return r;
	c.procfd = proc_open();
	if (c.procfd < 0)
		return err_set(e, ERR_KERNEL, c.procfd, "/proc", "open a trusted procfs");
	r = host_run(create_steps, sizeof(create_steps) / sizeof(create_steps[0]), &c, e);
	if (r) {
		poststop(&c);
		fd_close(&c.pidfd);
		fd_close(&c.console);
		cg_watch_close(&c.oom);
		*out = CLEAT_PROCESS_INIT;
	} else {
		if (req->deletion)
			*req->deletion = deletion_of_new(req->arena, env->cgroups, &c.state, &c.store, &c.procfd);
		log_debug(env->log, "create %s: %s", req->id, req->ready ? "runs" : "waits at the gate");
	}
	close_ctx(&c);
	return r;
}

#define SPEC_BYTES 7168	/* what a usual document becomes */

int cleat_create(const struct cleat_env *env, const struct cleat_create *req, struct cleat_process *out,
		 struct err *e)
{
	ARENA_ROOM(room, SPEC_BYTES);
	auto_arena arena = ARENA_ON(room);

	return create_in(&arena, env, req, out, e);
}

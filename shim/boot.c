/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start action: join the group's server or become the parent of a new
 * one, and answer with its address. stdout is the answer and nothing else;
 * on success stderr stays empty, for containerd reads both as one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "address.h"
#include "boot.h"
#include "bootstrap.pb-c.h"
#include "buf.h"
#include "child.h"
#include "cleat.h"
#include "fd.h"
#include "fdio.h"
#include "helper.h"
#include "message.h"
#include "num.h"
#include "pathfs.h"
#include "task_options.h"
#include "ttrpc.h"

#define STDIN_BYTES (10u << 20)
#define PROBE_MS 100
#define PROBE_STEP_MS 10
#define SERVER_LISTENER 3

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62		/* 5.14 */
#define PR_SCHED_CORE_CREATE 1
#endif
#define SCHED_CORE_PROCESS_GROUP 2

extern char **environ;

struct boot {
	const struct shim_args *args;
	struct arena arena;
	struct shim_options options;
	const char *socket_dir;
	bool debug;
	bool bootstrap;			/* BootstrapParams came, so BootstrapResult is understood */
	struct shim_address address;
};

/* ---- what containerd says on stdin --------------------------------------------------- */

static void take_any(struct boot *b, const Google__Protobuf__Any *any)
{
	struct shim_options o = SHIM_OPTIONS_INIT;
	struct err ignored = { 0 };

	/* Create brings them again and reports what is wrong with them. */
	if (!options_any(msg_str(&any->type_url), any->value.data, any->value.len, &o, &b->arena,
			 NULL, &ignored) && any->value.len)
		b->options = o;
}

static void take_params(struct boot *b,
			const Containerd__Runtime__Bootstrap__V1__BootstrapParams *p)
{
	b->bootstrap = true;
	b->debug = b->debug || p->log_level <= -4;
	b->socket_dir = msg_str(&p->socket_dir);
	if (p->containerd_ttrpc_address.len)
		setenv("TTRPC_ADDRESS", msg_str(&p->containerd_ttrpc_address), 0);
	for (size_t i = 0; i < p->n_extensions; i++)
		if (p->extensions[i]->value)
			take_any(b, p->extensions[i]->value);
}

/* Both messages begin alike: it is BootstrapParams if id and namespace are ours. */
static int read_stdin(struct boot *b, struct err *e)
{
	Containerd__Runtime__Bootstrap__V1__BootstrapParams *p;
	Google__Protobuf__Any *any;
	struct err ignored = { 0 };
	auto_buf in = BUF_INIT;
	int r = fdio_read_all(STDIN_FILENO, &in, STDIN_BYTES);

	if (r < 0)
		return err_set(e, ERR_SPEC, r, "stdin", "read options");
	if (!in.len)
		return 0;
	p = msg_unpack(&b->arena, &containerd__runtime__bootstrap__v1__bootstrap_params__descriptor,
		       in.data, in.len, &ignored);
	if (p && !strcmp(msg_str(&p->instance_id), b->args->id) &&
	    !strcmp(msg_str(&p->namespace_), b->args->ns)) {
		take_params(b, p);
		return 0;
	}
	err_clear(&ignored);
	any = msg_unpack(&b->arena, &google__protobuf__any__descriptor, in.data, in.len, &ignored);
	if (any)
		take_any(b, any);
	return 0;
}

/* ---- the socket ----------------------------------------------------------------------- */

static int make_dir(const char *path, struct err *e)
{
	char text[ADDRESS_PATH_MAX];

	snprintf(text, sizeof(text), "%s", path);
	for (char *p = text + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdir(text, 0711) && errno != EEXIST)
			return err_set(e, ERR_KERNEL, -errno, text, "make directory");
		*p = '/';
	}
	if (mkdir(text, 0700) && errno != EEXIST)
		return err_set(e, ERR_KERNEL, -errno, text, "make socket directory");
	return 0;
}

/* Does a server answer there? One that is being made has a little time to listen. */
static bool server_answers(const char *url)
{
	struct timespec nap = { 0, PROBE_STEP_MS * 1000000L };

	for (int ms = 0; ms <= PROBE_MS; ms += PROBE_STEP_MS) {
		int fd = ttrpc_connect(url);

		if (fd >= 0)
			close(fd);
		if (fd >= 0 || fd == -EAGAIN)
			return true;
		if (fd != -ECONNREFUSED)
			return false;
		nanosleep(&nap, NULL);
	}
	return false;
}

/*
 * Bind, or find who did. Return: 1 with *@listener open, 0 when a server
 * answers at the address, or -errno. The lock on the directory keeps two
 * starts from each taking the other's new socket for a stale one.
 */
static int claim_socket(struct boot *b, int *listener, struct err *e)
{
	const char *path = b->address.path;
	auto_fd dir = open(b->address.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return err_set(e, ERR_KERNEL, -errno, b->address.dir, "open socket directory");
	while (flock(dir, LOCK_EX))
		if (errno != EINTR)
			return err_set(e, ERR_KERNEL, -errno, b->address.dir, "lock");
	r = ttrpc_listen(path);
	if (r == -EADDRINUSE) {
		if (server_answers(b->address.url))
			return 0;
		if (unlink(path) && errno != ENOENT)
			return err_set(e, ERR_KERNEL, -errno, path, "remove stale socket");
		r = ttrpc_listen(path);
	}
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, path, "listen");
	*listener = r;
	return 1;
}

/* ---- what the server inherits ------------------------------------------------------------ */

/* One more than containerd's, so that the kernel takes the shim first. */
static void raise_oom_score(void)
{
	char path[64], text[16];
	auto_buf b = BUF_INIT;
	int64_t score;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", getppid());
	if (path_read(AT_FDCWD, path, 64, &b) || !b.len)
		return;
	b.data[strcspn(b.data, "\n")] = 0;
	if (num_i64(b.data, -1000, 1000, &score))
		return;
	n = snprintf(text, sizeof(text), "%d", score < 1000 ? (int)score + 1 : 1000);
	/* Without privilege it may not be lowered: then it stays. */
	path_write(AT_FDCWD, "/proc/self/oom_score_adj", text, (size_t)n);
}

static int enter_cgroup(const char *path, struct err *e)
{
	struct cg_host *host = calloc(1, sizeof(*host));
	auto_arena a = ARENA_INIT;
	struct cg cg;
	int r;

	if (!host)
		return err_set(e, ERR_LIMIT, -ENOMEM, path, "enter cgroup of the shim");
	r = cg_host_detect(host, &a, e);
	if (!r)
		r = cg_open(&cg, host, path, e);
	if (!r) {
		r = cg_enter_pid(&cg, getpid(), e);
		cg_close(&cg);
	}
	free(host);
	return r < 0 ? err_context(e, "ShimCgroup %s", path) : 0;
}

/* Set up on ourselves what the server gets by being forked. */
static int prepare(struct boot *b, struct err *e)
{
	const char *core = getenv("SCHED_CORE");

	raise_oom_score();
	if (b->options.shim_cgroup[0]) {
		int r = enter_cgroup(b->options.shim_cgroup, e);

		if (r < 0)
			return r;
	}
	if (core && core[0] &&
	    prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, SCHED_CORE_PROCESS_GROUP, 0))
		return err_set(e, ERR_KERNEL, -errno, "SCHED_CORE", "enable core scheduling");
	return 0;
}

/* Opened without blocking: a log that nobody reads must never stop the server. */
static int open_log(void)
{
	int fd = open("log", O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* What the server to be is given. */
struct birth {
	const struct boot *b;
	int listener;
	int report;			/* closes on exec, or brings the struct err of why not */
};

/* The child, in our memory: it changes nothing there that we look at. */
static int become_server(void *arg)
{
	const struct birth *birth = arg;
	const struct boot *b = birth->b;
	int listener = birth->listener, report = birth->report;
	char *argv[9], **w = argv;
	struct err e = { 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), log = open_log();

	*w++ = (char *)(uintptr_t)SHIM_NAME;
	*w++ = (char *)(uintptr_t)"-namespace";
	*w++ = (char *)(uintptr_t)b->args->ns;
	*w++ = (char *)(uintptr_t)"-id";
	*w++ = (char *)(uintptr_t)b->args->id;
	*w++ = (char *)(uintptr_t)"-address";
	*w++ = (char *)(uintptr_t)b->args->address;
	if (b->debug)
		*w++ = (char *)(uintptr_t)"-debug";
	*w = NULL;

	setsid();
	listener = fd_raise(listener, 10);
	report = fd_raise(report, 10);
	null = fd_raise(null, 10);
	log = fd_raise(log, 10);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0 ||
	    dup2(listener, SERVER_LISTENER) < 0)
		err_set(&e, ERR_KERNEL, -errno, NULL, "hand fds to the server");
	fd_close_except(SERVER_LISTENER + 1, &report, 1);
	helper_remember();
	if (e.kind == ERR_NONE)
		cleat_selfexe_exec(argv, environ, &e);
	fdio_write_full(report, &e, sizeof(e));
	return 1;
}

static int start_server(struct boot *b, int listener, struct err *e)
{
	struct birth birth;
	struct err report;
	int p[2], r;
	ssize_t n;
	pid_t pid;

	r = prepare(b, e);
	if (r < 0)
		return r;
	r = fdio_pipe(p);
	if (r < 0)
		return err_set(e, ERR_KERNEL, r, NULL, "make pipe");
	birth = (struct birth){ b, listener, p[1] };
	pid = child_vfork(become_server, &birth);
	close(p[1]);
	if (pid < 0) {
		close(p[0]);
		return err_set(e, ERR_KERNEL, pid, NULL, "fork server");
	}
	/* EOF by exec: from then on the server is on its own. */
	n = fdio_read_full(p[0], &report, sizeof(report));
	close(p[0]);
	if (n <= 0)
		return 0;
	child_wait(pid, NULL);
	if (err_sanitize(&report, (size_t)n))
		return err_set(e, ERR_PEER, 0, NULL, "the server died at once");
	*e = report;
	return err_context(e, "start server");
}

/* ---- the answer -------------------------------------------------------------------------- */

static int write_address(const struct boot *b, struct err *e)
{
	auto_fd dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : path_replace(dir, "address", 0600, b->address.url,
						strlen(b->address.url));

	return r < 0 ? err_set(e, ERR_KERNEL, r, "address", "write") : 0;
}

static int answer(const struct boot *b, struct err *e)
{
	Containerd__Runtime__Bootstrap__V1__BootstrapResult res =
		CONTAINERD__RUNTIME__BOOTSTRAP__V1__BOOTSTRAP_RESULT__INIT;
	auto_buf out = BUF_INIT;
	int r;

	if (b->bootstrap) {
		res.version = 2;
		res.address = msg_set(b->address.url);
		res.protocol = msg_set("ttrpc");
		msg_pack(&out, &res);
	} else {
		buf_adds(&out, b->address.url);
	}
	r = buf_ok(&out) ? fdio_write_full(STDOUT_FILENO, out.data, out.len) : -ENOMEM;
	return r < 0 ? err_set(e, ERR_KERNEL, r, "stdout", "write answer") : 0;
}

static const char *find_group(struct boot *b)
{
	struct strmap annotations = { 0 };
	struct err ignored = { 0 };

	/* What is wrong with config.json is Create's to say. */
	if (cleat_spec_annotations("config.json", &annotations, &b->arena, &ignored))
		annotations = (struct strmap){ 0 };
	return address_group(&annotations, b->args->id);
}

static int start_in(struct boot *b, struct err *e)
{
	auto_fd listener = -1;
	int r = read_stdin(b, e);

	if (!r)
		r = address_make(&b->address, b->socket_dir, b->args->address, b->args->ns,
				 find_group(b), e);
	if (!r)
		r = make_dir(b->address.dir, e);
	if (!r)
		r = claim_socket(b, &listener, e);
	if (r < 0)
		return r;
	/* Before the server runs: what fails until then leaves nothing. */
	r = write_address(b, e);
	if (!r && listener >= 0)
		r = start_server(b, listener, e);
	if (r < 0) {
		if (listener >= 0)
			unlink(b->address.path);
		return r;
	}
	return answer(b, e);
}

int boot_start(const struct shim_args *args, struct err *e)
{
	struct boot b = {
		.args = args, .options = SHIM_OPTIONS_INIT, .debug = args->debug,
	};
	int r;

	if (!args->id)
		return err_set(e, ERR_SPEC, 0, "-id", "no container id");
	if (!args->address)
		return err_set(e, ERR_SPEC, 0, "-address", "no address of containerd");
	r = cleat_id_check(args->id, e);
	if (!r)
		r = start_in(&b, e);
	arena_fini(&b.arena);
	return r;
}

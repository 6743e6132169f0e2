/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The delete action (contract shim 8.4). containerd runs it after every
 * Delete and after a server has died, so it does whatever is left to do,
 * quickly, as often as it is asked, and says nothing when all is well. It
 * knows nothing of servers and sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "boot.h"
#include "bundle.h"
#include "cleat.h"
#include "fdio.h"
#include "message.h"
#include "mounts.h"
#include "task.pb-c.h"

#define PATIENCE_S 4

/* Where the bundle is: argv says, and the working directory is the same. */
static const char *find_bundle(const struct shim_args *args, struct arena *a, struct err *e)
{
	char *cwd;

	if (args->bundle && args->bundle[0] == '/')
		return args->bundle;
	cwd = arena_alloc(a, PATH_MAX);
	if (!cwd || !getcwd(cwd, PATH_MAX)) {
		err_set(e, ERR_KERNEL, cwd ? -errno : -ENOMEM, ".", "get working directory");
		return NULL;
	}
	return cwd;
}

/* The state root of the engine, as Create chose it. */
static int find_root(const char *bundle, const char *ns, char *root, struct err *e)
{
	if (!bundle_read_root(bundle, root, PATH_MAX))
		return 0;
	return bundle_root("", ns, root, PATH_MAX) ?
		err_set(e, ERR_SPEC, -ENAMETOOLONG, ns, "namespace") : 0;
}

static int answer(const char *bundle, struct err *e)
{
	Cleat__Task__DeleteResponse res = CLEAT__TASK__DELETE_RESPONSE__INIT;
	Google__Protobuf__Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	auto_buf out = BUF_INIT;
	struct timespec at;
	int r;

	res.pid = (uint32_t)bundle_read_pid(bundle);
	if (bundle_read_exit(bundle, &res.exit_status, &at)) {
		res.exit_status = 128 + 9;
		clock_gettime(CLOCK_REALTIME, &at);
	}
	ts.seconds = at.tv_sec;
	ts.nanos = (int32_t)at.tv_nsec;
	res.exited_at = &ts;
	msg_pack(&out, &res);
	r = buf_ok(&out) ? fdio_write_full(STDOUT_FILENO, out.data, out.len) : -ENOMEM;
	return r < 0 ? err_set(e, ERR_KERNEL, r, "stdout", "write answer") : 0;
}

/*
 * The caller's patience ends at 5 s, with a process that does not die or a mount that hangs: it gets
 * its answer now, and what is in progress goes on where it is, in a child that nobody waits for.
 */
static void out_of_time(int sig)
{
	static const char text[] = SHIM_NAME ": delete: not all of the container is gone after 4 s, "
		"the rest is done in the background\n";
	pid_t pid = _Fork();
	int null;

	if (pid) {
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
		_exit(1);
	}
	/* containerd reads until these are closed. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	setsid();
}

int remove_main(const struct shim_args *args, struct err *e)
{
	char root[PATH_MAX];
	struct cleat_env env = { .root = root };
	auto_arena a = ARENA_INIT;
	const char *bundle;
	int r;

	if (!args->id)
		return err_set(e, ERR_SPEC, 0, "-id", "no container id");
	r = cleat_id_check(args->id, e);
	if (r < 0)
		return r;
	bundle = find_bundle(args, &a, e);
	if (!bundle)
		return -EINVAL;
	signal(SIGALRM, out_of_time);
	alarm(PATIENCE_S);
	r = find_root(bundle, args->ns, root, e);
	if (!r)
		r = cleat_delete(&env, args->id, true, e);
	if (!r)
		r = mounts_undo(bundle, true, e);
	alarm(0);
	return r ? r : answer(bundle, e);
}

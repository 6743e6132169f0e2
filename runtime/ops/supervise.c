/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's side of a launch: answering the new process until its program runs. */
#include "ops.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "sync.h"

static int set_rlimit(const struct supervise *s, const struct spec_rlimit *rl, size_t i, struct err *e)
{
	struct rlimit want = { rl->soft, rl->hard }, now;
	const char *name = names_of(spec_rlimit_names, rl->type);
	char where[48];
	int r;

	if (!prlimit(s->pid, (enum __rlimit_resource)rl->type, &want, NULL))
		return 0;
	r = -errno;
	if (!prlimit(s->pid, (enum __rlimit_resource)rl->type, NULL, &now) &&
	    now.rlim_cur == want.rlim_cur && now.rlim_max == want.rlim_max)
		return 0;
	snprintf(where, sizeof(where), "/process/rlimits/%zu", i);
	return err_set(e, r == -EPERM ? ERR_DENIED : ERR_KERNEL, r, where, "set %s to soft %llu, hard %llu",
		       name ? name : "rlimit", (unsigned long long)rl->soft, (unsigned long long)rl->hard);
}

static int set_oom_score(const struct supervise *s, struct err *e)
{
	char path[48], text[16], now[16] = "";
	auto_fd fd = -1;
	int n = snprintf(text, sizeof(text), "%d", s->p->oom_score_adj), r;

	snprintf(path, sizeof(path), "%d/oom_score_adj", (int)s->pid);
	fd = proc_openat(s->procfd, path, O_RDWR);
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, "/process/oomScoreAdj", "open /proc/%s", path);
	if (read(fd, now, sizeof(now) - 1) > 0 && !strncmp(now, text, (size_t)n) && now[n] == '\n')
		return 0;
	if (pwrite(fd, text, (size_t)n, 0) == n)
		return 0;
	r = -errno;
	return err_set(e, r == -EACCES ? ERR_DENIED : ERR_KERNEL, r, "/process/oomScoreAdj",
		       "set oom_score_adj to %s (lowering it needs CAP_SYS_RESOURCE)", text);
}

static int set_limits(const struct supervise *s, struct err *e)
{
	const struct spec_rlimit *rl = s->p->rlimits.v;
	size_t i;
	int r = 0;

	for (i = 0; i < s->p->rlimits.n && !r; i++)
		r = set_rlimit(s, &rl[i], i, e);
	if (!r && s->p->has_oom_score_adj)
		r = set_oom_score(s, e);
	if (!r && tune_outside(&s->p->tune))
		r = tune_by_worker(&s->p->tune, s->pid, e);
	return r;
}

int supervise_died(const struct sync_msg *m, int r, struct err *e)
{
	if (r == 1 && m->type == SYNC_FAILED) {
		*e = m->err;
		return e->errnum ? -e->errnum : -EINVAL;
	}
	return err_set(e, ERR_PEER, r < 0 ? r : 0, NULL, "the container's process died while it was being set up");
}

int supervise_until_ready(struct supervise *s, struct err *e)
{
	for (;;) {
		char text[ERR_TEXT_MAX];
		struct sync_msg m;
		int fd = -1, r;

		r = sync_recv(s->sock, &m, &fd);
		if (r != 1 || m.type == SYNC_FAILED) {
			fd_close(&fd);
			return supervise_died(&m, r, e);
		}
		switch ((enum sync_type)m.type) {
		case SYNC_WARN:
			log_warn(s->log, "%s", err_render(&m.err, text, sizeof(text)));
			break;
		case SYNC_CONSOLE:
			fd_close(&s->console);
			s->console = take_fd(&fd);
			break;
		case SYNC_LIMITS:
			r = set_limits(s, e);
			if (r)
				return r;
			sync_send(s->sock, SYNC_GO, 0, -1);
			break;
		case SYNC_HOOKS:
			r = s->hooks ? s->hooks(s->arg, e) : 0;
			if (r)
				return r;
			sync_send(s->sock, SYNC_GO, 0, -1);
			break;
		case SYNC_READY:
			return 0;
		case SYNC_GO:
		case SYNC_CGROUP:
		case SYNC_CLOCKS:
		case SYNC_CHILD:
		case SYNC_FAILED:
			break;
		}
		fd_close(&fd);
	}
}

int supervise_until_exec(struct supervise *s, struct err *e)
{
	struct sync_msg m;
	int r = sync_recv(s->sock, &m, NULL);

	return r == 0 ? 0 : supervise_died(&m, r, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rlimits and oom_score_adj, set by the process itself or, across a user namespace, by the worker. */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "text.h"

static int set_rlimit(pid_t pid, const struct spec_rlimit *rl, size_t i, struct err *e)
{
	struct rlimit want = { rl->soft, rl->hard }, now;
	const char *name = names_of(spec_rlimit_names, rl->type);
	char where[48];
	int r;

	if (!prlimit(pid, (int)rl->type, &want, NULL))
		return 0;
	r = -errno;
	if (!prlimit(pid, (int)rl->type, NULL, &now) &&
	    now.rlim_cur == want.rlim_cur && now.rlim_max == want.rlim_max)
		return 0;
	text_join(where, sizeof(where), "/process/rlimits/", text_num(i));
	return err_set(e, r == -EPERM ? ERR_DENIED : ERR_KERNEL, r, where, "set %s to soft %llu, hard %llu",
		       name ? name : "rlimit", (unsigned long long)rl->soft, (unsigned long long)rl->hard);
}

static int set_oom_score(pid_t pid, int procfd, int score, struct err *e)
{
	char path[48], text[16], now[16] = "";
	auto_fd fd = -1;
	int n = text_join(text, sizeof(text), text_num(score)), r;

	text_join(path, sizeof(path), pid ? text_num(pid) : "self", "/oom_score_adj");
	fd = proc_openat(procfd, path, O_RDWR);
	if (fd == -EACCES)	/* an ordinary user's: inherited from the worker, or refused below */
		fd = proc_openat(procfd, path, O_RDONLY);
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, "/process/oomScoreAdj", "open /proc/%s", path);
	if (read(fd, now, sizeof(now) - 1) > 0 && !strncmp(now, text, (size_t)n) && now[n] == '\n')
		return 0;
	if (pwrite(fd, text, (size_t)n, 0) == n)
		return 0;
	r = errno == EBADF ? -EACCES : -errno;
	return err_set(e, r == -EACCES ? ERR_DENIED : ERR_KERNEL, r, "/process/oomScoreAdj",
		       "set oom_score_adj to %s (lowering it needs CAP_SYS_RESOURCE)", text);
}

int limits_apply(const struct process *p, pid_t pid, int procfd, struct err *e)
{
	const struct spec_rlimit *rl = p->rlimits.v;
	size_t i;
	int r = 0;

	for (i = 0; i < p->rlimits.n && !r; i++)
		r = set_rlimit(pid, &rl[i], i, e);
	if (!r && p->has_oom_score_adj)
		r = set_oom_score(pid, procfd, p->oom_score_adj, e);
	return r;
}

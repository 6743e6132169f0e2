/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's side of a launch: answering the new process until its program runs. */
#include "ops.h"
#include <errno.h>
#include "fd.h"
#include "steps.h"
#include "sync.h"

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
			r = limits_apply(s->p, s->pid, s->procfd, e);
			if (!r && tune_outside(&s->p->tune))
				r = tune_by_worker(&s->p->tune, s->pid, e);
			if (r)
				return r;
			sync_send(s->sock, SYNC_GO, 0, -1);
			break;
		case SYNC_LISTENER:
			r = listener_give(s, &m, fd, e);
			fd_close(&fd);
			if (r)
				return r;
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
		case SYNC_NETWORK:
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

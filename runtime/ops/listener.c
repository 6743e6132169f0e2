/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fds for sockets that the configuration names: the listener of a notifying filter, from the process that has
 * loaded it to listenerPath, and the container's pidfd.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "buf.h"
#include "fd.h"
#include "fdio.h"
#include "json.h"
#include "ops.h"
#include "sync.h"
#include "usock.h"

#define WHERE "/linux/seccomp/listenerPath"
#define ANSWER_WAIT_S 10	/* for a receiver that neither accepts nor reads */
#define SEND_WAIT_S 5

/* ContainerProcessState of the specification. */
static int document(const struct supervise *s, struct buf *b)
{
	char *state = container_hook_state(s->state, s->status, s->state->pid);

	buf_adds(b, "{\"ociVersion\":");
	buf_add_json(b, s->state->oci_version);
	buf_addf(b, ",\"fds\":[\"seccompFd\"],\"pid\":%d", (int)s->pid);
	if (s->p->listener_metadata) {
		buf_adds(b, ",\"metadata\":");
		buf_add_json(b, s->p->listener_metadata);
	}
	buf_addf(b, ",\"state\":%s}", state ? state : "");
	free(state);
	return state && buf_ok(b) ? 0 : -ENOMEM;
}

/* The process has to send it. If its filter holds that up, nobody ever lets it go on: whoever would has no listener. */
static int let_send(const struct supervise *s, struct err *e)
{
	struct pollfd p = { .fd = s->sock, .events = POLLIN };

	sync_send(s->sock, SYNC_GO, 1, -1);	/* it died: the next message tells */
	if (poll(&p, 1, SEND_WAIT_S * 1000))
		return 0;
	return err_set(e, ERR_UNSUPPORTED, -ETIMEDOUT, WHERE, "the filter holds up the call that hands its listener over "
		       "(sendmsg or recvmsg): without pidfd_getfd (Linux 5.6) these cannot have SCMP_ACT_NOTIFY");
}

int listener_give(const struct supervise *s, const struct sync_msg *m, int fd, struct err *e)
{
	auto_fd taken = -1, sock = -1;
	auto_buf b = BUF_INIT;
	int r;

	if (fd < 0) {
		taken = s->pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, s->pidfd, m->value, 0);
		/* Below 5.6, or without the right to look into it: it has to send it. */
		if (taken < 0)
			return let_send(s, e);
	}
	r = document(s, &b);
	if (r)
		return err_set(e, ERR_LIMIT, r, WHERE, "the listener's document");
	sock = usock_connect(s->p->listener_path, SOCK_STREAM, ANSWER_WAIT_S);
	if (sock < 0)
		return err_set(e, ERR_SPEC, sock, WHERE, "connect to \"%.200s\"", s->p->listener_path);
	/* All at once: receivers look for it in one message. */
	r = fdio_send(sock, b.data, b.len, fd < 0 ? &taken : &fd, 1);
	if (r)
		return err_set(e, ERR_PEER, r, WHERE, "send the listener to \"%.200s\"", s->p->listener_path);
	sync_send(s->sock, SYNC_GO, 0, -1);	/* it died: whoever waits for it learns that */
	return 0;
}

int op_give_pidfd(const char *path, const char *id, int pidfd, struct err *e)
{
	static const char where[] = "/annotations/run.oci.pidfd_receiver";
	auto_fd sock = -1;
	int r;

	if (pidfd < 0)
		return err_set(e, ERR_UNSUPPORTED, 0, where, "a pidfd needs Linux 5.3");
	sock = usock_connect(path, SOCK_STREAM, ANSWER_WAIT_S);
	if (sock < 0)
		return err_set(e, ERR_SPEC, sock, where, "connect to \"%.200s\"", path);
	r = fdio_send(sock, id, strlen(id), &pidfd, 1);
	return r ? err_set(e, ERR_PEER, r, where, "send the pidfd to \"%.200s\"", path) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event service of the benches, in a thread: see peer.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dispatch.h"
#include "events.pb-c.h"
#include "peer.h"
#include "types.pb-c.h"

struct sink {
	struct loop loop;
	struct ttrpc_server server;
	struct loop_source listener;
	int out;		/* pipe of struct peer_exit, or -1 */
};

static void forward(struct rpc_call *call, const void *req)
{
	struct sink *s = call->server->owner;
	const Containerd__Types__ForwardRequest *q = req;
	const Google__Protobuf__Any *any = q->envelope ? q->envelope->event : NULL;
	struct peer_exit x = { .at = bench_now() };
	const Containerd__Events__TaskExit *exit;

	if (s->out >= 0 && any && !strcmp(any_name(any), "containerd.events.TaskExit")) {
		exit = msg_unpack(call->arena, &containerd__events__task_exit__descriptor, any->value.data,
				  any->value.len, NULL);
		if (exit) {
			x.pid = exit->pid;
			if (write(s->out, &x, sizeof(x)) != sizeof(x))
				bench_die("event");
		}
	}
	rpc_reply(call->server, call->token, NULL);
}

static void sink_request(struct ttrpc_server *s, const struct ttrpc_request *r)
{
	static const struct rpc_method ms[] = {
		{ "Forward", &containerd__types__forward_request__descriptor, forward },
	};
	static const struct rpc_service services[] = { { { RPC_EVENTS }, ms, 1 } };

	rpc_dispatch(services, 1, s, r);
}

static void sink_accept(struct loop_source *src, uint32_t flags)
{
	struct sink *s = loop_owner(src, struct sink, listener);

	ttrpc_server_accept(&s->server, src->fd);
}

static void *sink_run(void *arg)
{
	struct sink *s = arg;

	loop_run(&s->loop);
	return NULL;
}

int peer_events(const char *path, bool want_exits)
{
	struct sink *s = calloc(1, sizeof(*s));
	char full[PEER_PATH_MAX];
	int fd, fds[2] = { -1, -1 };
	pthread_t thread;

	if (!s || (want_exits && pipe2(fds, O_CLOEXEC)))
		bench_die("event service");
	snprintf(full, sizeof(full), "%s.ttrpc", path);
	unlink(full);
	fd = ttrpc_listen(full);
	if (fd < 0) {
		errno = -fd;
		bench_die("%s", full);
	}
	s->listener = (struct loop_source){ sink_accept, -1 };
	s->out = fds[1];
	s->server.loop = &s->loop;
	s->server.owner = s;
	s->server.request = sink_request;
	if (loop_init(&s->loop) || loop_add(&s->loop, &s->listener, fd, EPOLLIN) ||
	    pthread_create(&thread, NULL, sink_run, s))
		bench_die("event service");
	setenv("TTRPC_ADDRESS", full, 1);
	setenv("GRPC_ADDRESS", path, 1);
	/* As containerd sets it for shims written in Go. */
	setenv("GOMAXPROCS", "2", 1);
	return fds[0];
}

uint64_t peer_exit_of(int fd, uint32_t pid)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };
	struct peer_exit x;

	do {
		if (poll(&f, 1, 30000) != 1 || read(fd, &x, sizeof(x)) != sizeof(x))
			bench_die("no TaskExit of process %u", pid);
	} while (x.pid != pid);
	return x.at;
}

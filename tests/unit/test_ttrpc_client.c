/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ttrpc client, and the sockets of both sides. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "client.h"
#include "dispatch.h"
#include "fd.h"
#include "ttrpc_peer.h"

/* ---- client side -------------------------------------------------------------------- */

struct wish {
	struct ttrpc_call call;
	int n, error, code;
	size_t len;
	bool frees;		/* the callback closes and frees the client */
	struct ttrpc_client *client;
};

static void wish_done(struct ttrpc_call *call, const struct ttrpc_result *res)
{
	struct wish *w = loop_owner(call, struct wish, call);

	w->n++;
	w->error = res->error;
	w->code = res->code;
	w->len = res->len;
	if (w->frees) {
		ttrpc_client_close(w->client);
		free(w->client);
	}
}

static int n_lost;

static void on_lost(struct ttrpc_client *c, int error)
{
	n_lost++;
}

FIXTURE(caller) {
	struct state t;
	struct ttrpc_client *c;
	struct wish w[3];
	struct ttrpc_call_args args;
	int fd;			/* a peer that is no server of ours */
};

FIXTURE_SETUP(caller)
{
	int sv[2], i;

	self->t = (struct state){ .held = calloc(HELD_MAX, sizeof(struct rpc_token)), .fd = -1 };
	ASSERT_EQ(0, loop_init(&self->t.loop));
	self->t.server.loop = &self->t.loop;
	self->t.server.owner = &self->t;
	self->t.server.request = on_request;
	self->c = calloc(1, sizeof(*self->c));
	self->c->lost = on_lost;
	memset(self->w, 0, sizeof(self->w));
	for (i = 0; i < 3; i++)
		self->w[i].call.done = wish_done;
	self->args = (struct ttrpc_call_args){ .service = RPC_TASK_V2, .method = "Wait", .ns = "moby" };
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	ASSERT_EQ(0, ttrpc_client_open(self->c, &self->t.loop, sv[0]));
	self->fd = sv[1];
	n_lost = 0;
}

FIXTURE_TEARDOWN(caller)
{
	if (self->c)
		ttrpc_client_close(self->c);
	free(self->c);
	ttrpc_server_close(&self->t.server);
	loop_fini(&self->t.loop);
	fd_close(&self->fd);
	free(self->t.held);
	EXPECT_EQ(0, leaks());
}

/* Let our server serve the other end. */
#define SERVE() ASSERT_EQ(0, ttrpc_server_add(&self->t.server, take_fd(&self->fd)))
#define CALL(i) ASSERT_EQ(0, ttrpc_client_call(self->c, &self->w[i].call, &self->args))
#define TURN() turn(&self->t, 5)

TEST_F(caller, answers_find_their_calls)
{
	int i;

	SERVE();
	for (i = 0; i < 3; i++)
		CALL(i);
	TURN();
	ASSERT_EQ(3, self->t.n_held);
	EXPECT_EQ(1, self->t.held[0].stream);
	EXPECT_EQ(5, self->t.held[2].stream);
	reply_sized(&self->t.server, self->t.held[2], 30);
	rpc_reply_status(&self->t.server, self->t.held[0], RPC_ABORTED, "no");
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_EQ(RPC_ABORTED, self->w[0].code);
	EXPECT_EQ(0, self->w[1].n);
	EXPECT_EQ(32, self->w[2].len);
	/* A call that was given up stays silent; its answer does no harm. */
	ttrpc_client_forget(&self->w[1].call);
	rpc_reply(&self->t.server, self->t.held[1], NULL);
	TURN();
	EXPECT_EQ(0, self->w[1].n);
	EXPECT_TRUE(ttrpc_client_is_open(self->c));
}

TEST_F(caller, connection_lost)
{
	CALL(0);
	CALL(1);
	fd_close(&self->fd);
	TURN();
	EXPECT_EQ(-ECONNRESET, self->w[0].error);
	EXPECT_EQ(-ECONNRESET, self->w[1].error);
	EXPECT_EQ(1, n_lost);
	EXPECT_FALSE(ttrpc_client_is_open(self->c));
	EXPECT_EQ(-ENOTCONN, ttrpc_client_call(self->c, &self->w[2].call, &self->args));
	EXPECT_EQ(0, self->w[2].n);
}

TEST_F(caller, peer_closed_before_the_call)
{
	fd_close(&self->fd);
	CALL(0);		/* the socket says EPIPE, but callbacks come from the loop only */
	EXPECT_EQ(0, self->w[0].n);
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_GT(0, self->w[0].error);
	EXPECT_EQ(1, n_lost);
}

TEST_F(caller, close_cancels)
{
	CALL(0);
	ttrpc_client_close(self->c);
	EXPECT_EQ(-ECANCELED, self->w[0].error);
	EXPECT_EQ(0, n_lost);
}

TEST_F(caller, callback_frees_the_client)
{
	SERVE();
	CALL(0);
	CALL(1);
	TURN();
	self->w[0].frees = true;
	self->w[0].client = self->c;
	rpc_reply(&self->t.server, self->t.held[0], NULL);
	rpc_reply(&self->t.server, self->t.held[1], NULL);
	TURN();
	EXPECT_EQ(1, self->w[0].n);
	EXPECT_EQ(-ECANCELED, self->w[1].error);
	self->c = NULL;
}

TEST_F(caller, answer_that_is_none)
{
	auto_buf b = BUF_INIT;
	auto_buf junk = BUF_INIT;

	CALL(0);
	CALL(1);
	CALL(2);
	head(&b, 2, 1, TTRPC_RESPONSE, 0);
	buf_adds(&b, "\xff\xff");
	head(&b, 4, 99, TTRPC_RESPONSE, 0);		/* nobody asked */
	buf_adds(&b, "\xff\xff\xff\xff");
	head(&b, 0, 3, TTRPC_REQUEST, 0);		/* we serve nothing here */
	head(&b, LIMIT_RPC_FRAME + 9, 3, TTRPC_RESPONSE, 0);
	buf_reserve(&junk, LIMIT_RPC_FRAME + 10);
	memset(junk.data, 0, LIMIT_RPC_FRAME + 9);
	buf_add(&b, junk.data, LIMIT_RPC_FRAME + 9);
	head(&b, 0, 5, TTRPC_RESPONSE, 0);
	push(&self->t, self->fd, b.data, b.len);
	TURN();
	EXPECT_EQ(-EPROTO, self->w[0].error);
	EXPECT_EQ(0, self->w[1].error);
	EXPECT_EQ(RPC_RESOURCE_EXHAUSTED, self->w[1].code);
	EXPECT_EQ(1, self->w[2].n);
	EXPECT_EQ(0, self->w[2].error);
	EXPECT_EQ(0, self->w[2].code);
}

TEST_F(caller, request_over_the_limit)
{
	char *big = calloc(1, LIMIT_RPC_FRAME);

	self->args.payload = (const uint8_t *)big;
	self->args.len = LIMIT_RPC_FRAME;
	EXPECT_EQ(-EMSGSIZE, ttrpc_client_call(self->c, &self->w[0].call, &self->args));
	EXPECT_EQ(NULL, self->w[0].call.pprev);
	free(big);
}

/* ---- the blocking client ---------------------------------------------------------------- */

TEST(blocking_client)
{
	Cleat__Task__StateRequest q = CLEAT__TASK__STATE_REQUEST__INIT;
	Cleat__Task__WaitRequest w = CLEAT__TASK__WAIT_REQUEST__INIT;
	Cleat__Task__StateResponse *p;
	struct client_call call = { 0 }, later = { 0 };
	struct arena a = ARENA_INIT;
	struct err e = { 0 };
	struct client c;
	int sv[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	pid = fork();
	if (!pid) {
		struct state t = { .held = calloc(8, sizeof(struct rpc_token)) };

		close(sv[1]);
		loop_init(&t.loop);
		t.server = (struct ttrpc_server){ .loop = &t.loop, .owner = &t, .request = on_request };
		_exit(ttrpc_server_add(&t.server, sv[0]) || loop_run(&t.loop));
	}
	close(sv[0]);
	ASSERT_EQ(0, client_open_fd(&c, sv[1], &e));
	c.ns = "moby";
	/* A Wait stays in flight while other calls come and go. */
	ASSERT_EQ(0, client_send(&c, &later, RPC_TASK_V2, "Wait", &w, 0, &e));
	EXPECT_EQ(-ETIMEDOUT, client_wait(&c, &later, 20, &e));
	EXPECT_EQ(ERR_TIMEOUT, e.kind);
	err_clear(&e);
	q.id = msg_set("c1");
	ASSERT_EQ(0, client_call(&c, &call, RPC_TASK_V2, "State", &q, 5000, &e));
	p = msg_unpack(&a, &cleat__task__state_response__descriptor, call.payload.data,
		       call.payload.len, &e);
	ASSERT_NE(NULL, p);
	EXPECT_STREQ("c1", msg_str(&p->id));
	client_call_fini(&call);
	EXPECT_GT(0, client_call(&c, &call, RPC_TASK_V3, "Fly", &q, 5000, &e));
	EXPECT_EQ(ERR_UNSUPPORTED, e.kind);
	EXPECT_STREQ("method Fly", e.msg);
	EXPECT_EQ(RPC_UNIMPLEMENTED, call.code);
	client_call_fini(&call);
	err_clear(&e);
	EXPECT_FALSE(later.done);
	kill(pid, SIGKILL);
	EXPECT_EQ(-ECONNRESET, client_wait(&c, &later, 5000, &e));
	EXPECT_EQ(ERR_PEER, e.kind);
	EXPECT_GT(0, client_send(&c, &call, RPC_TASK_V2, "Wait", &w, 0, NULL));
	client_call_fini(&later);
	client_close(&c);
	arena_fini(&a);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(0, leaks());
}

/* ---- sockets ------------------------------------------------------------------------- */

TEST(listening_socket)
{
	char dir[] = "/tmp/test_ttrpc.XXXXXX", path[64], address[80];
	struct ttrpc_server s = { .request = on_request };
	struct loop loop;
	struct stat st;
	int fd, c;
	pid_t pid;

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix://%s", path);
	umask(0);
	fd = ttrpc_listen(path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(-EADDRINUSE, ttrpc_listen(path));
	EXPECT_EQ(0, loop_init(&loop));
	s.loop = &loop;
	EXPECT_EQ(0, ttrpc_server_accept(&s, fd));
	c = ttrpc_connect(address);
	ASSERT_LE(0, c);
	EXPECT_EQ(1, ttrpc_server_accept(&s, fd));
	close(c);
	if (!geteuid()) {
		/* Somebody else who got hold of the socket is turned away. */
		chmod(dir, 0777);
		chmod(path, 0777);
		pid = fork();
		if (!pid) {
			struct pollfd p = { .events = POLLIN };

			if (setresgid(1, 1, 1) || setresuid(1, 1, 1))
				_exit(2);
			p.fd = ttrpc_connect(path);
			_exit(p.fd >= 0 && poll(&p, 1, 5000) == 1 && (p.revents & POLLHUP) ? 0 : 1);
		}
		for (c = 0; c < 50; c++, usleep(10000))
			EXPECT_EQ(0, ttrpc_server_accept(&s, fd));
		waitpid(pid, &c, 0);
		EXPECT_EQ(0, c);
		EXPECT_EQ(1, s.n_conns);
	}
	ttrpc_server_close(&s);
	close(fd);
	EXPECT_EQ(-ECONNREFUSED, ttrpc_connect(path));
	unlink(path);
	EXPECT_EQ(-ENOENT, ttrpc_connect(path));
	EXPECT_EQ(-EINVAL, ttrpc_connect("relative"));
	EXPECT_EQ(-EINVAL, ttrpc_connect("vsock://1:2"));
	rmdir(dir);
	loop_fini(&loop);
}

TEST(full_backlog_does_not_block)
{
	char dir[] = "/tmp/test_ttrpc.XXXXXX", path[64], longer[200];
	int lfd, n, fd = 0, fds[64];

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	lfd = ttrpc_listen(path);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, listen(lfd, 2));
	for (n = 0; n < 64; n++) {
		fd = fds[n] = ttrpc_connect(path);
		if (fd < 0)
			break;
	}
	EXPECT_EQ(-EAGAIN, fd);
	while (n--)
		close(fds[n]);
	close(lfd);
	unlink(path);
	rmdir(dir);
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, ttrpc_connect(longer));
}

TEST_HARNESS_MAIN

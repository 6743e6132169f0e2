/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ttrpc server: frames in every cut, bad frames, stream ids, back-pressure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "dispatch.h"
#include "fd.h"
#include "ttrpc_peer.h"

FIXTURE(link) {
	struct state t;
	struct buf b;
	struct answer a;
};

FIXTURE_SETUP(link)
{
	self->b = BUF_INIT;
	self->t = (struct state){ .held = calloc(HELD_MAX, sizeof(struct rpc_token)) };
	ASSERT_EQ(0, loop_init(&self->t.loop));
	self->t.server.loop = &self->t.loop;
	self->t.server.owner = &self->t;
	self->t.server.request = on_request;
	self->t.server.gone = on_gone;
	self->t.fd = connect_peer(&self->t);
	ASSERT_LE(0, self->t.fd);
}

FIXTURE_TEARDOWN(link)
{
	ttrpc_server_close(&self->t.server);
	EXPECT_EQ(0, self->t.server.n_conns);
	loop_fini(&self->t.loop);
	fd_close(&self->t.fd);
	buf_fini(&self->b);
	free(self->t.held);
	EXPECT_EQ(0, leaks());
}

#define T (&self->t)
#define B (&self->b)
#define A (&self->a)
#define PUSH() do { push(T, T->fd, B->data, B->len); buf_reset(B); } while (0)
#define ANSWER(s, c) do { \
	ASSERT_TRUE(answer(T, T->fd, A)); \
	EXPECT_EQ(s, A->stream); \
	EXPECT_EQ(c, A->code) { TH_LOG("%s", A->text); } \
} while (0)
#define SILENT() EXPECT_FALSE(answer(T, T->fd, A))
/* The connection still serves. */
#define ALIVE(s) do { add_state(B, s, "alive"); PUSH(); ANSWER(s, 0); \
	EXPECT_STREQ("alive", A->text); } while (0)

TEST_F(link, request_and_reply)
{
	add_request(B, 1, "State", "\x0a\x02" "c1", 4, 5000000000);
	PUSH();
	ANSWER(1, 0);
	EXPECT_STREQ("c1", A->text);
	EXPECT_STREQ("k8s.io", T->ns);
	EXPECT_STREQ(RPC_TASK_V3, T->service);
	EXPECT_EQ(5000000000, T->timeout);
}

TEST_F(link, byte_at_a_time)
{
	size_t i;

	add_state(B, 1, "slowly");
	add_state(B, 3, "too");
	for (i = 0; i < B->len; i++) {
		EXPECT_EQ(1, send(T->fd, B->data + i, 1, 0));
		turn(T, 1);
	}
	ANSWER(1, 0);
	EXPECT_STREQ("slowly", A->text);
	ANSWER(3, 0);
	EXPECT_STREQ("too", A->text);
}

TEST_F(link, many_frames_in_one_write)
{
	uint32_t i;

	for (i = 0; i < 500; i++)
		add_state(B, 2 * i + 1, "packed");
	PUSH();
	for (i = 0; i < 500; i++)
		ANSWER(2 * i + 1, 0);
}

TEST_F(link, empty_request_frame)
{
	head(B, 0, 1, TTRPC_REQUEST, 0);
	PUSH();
	ANSWER(1, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("service ", A->text);
	ALIVE(3);
}

TEST_F(link, empty_reply_is_an_empty_frame)
{
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	rpc_reply(&T->server, T->held[0], NULL);
	ANSWER(1, 0);
	EXPECT_EQ(0, A->len);
}

TEST_F(link, unknown_service_and_method)
{
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	struct buf p = BUF_INIT;

	q.service = msg_set("containerd.runtime.sandbox.v1.Sandbox");
	q.method = msg_set("CreateSandbox");
	msg_pack(&p, &q);
	head(B, (uint32_t)p.len, 1, TTRPC_REQUEST, 0);
	buf_add(B, p.data, p.len);
	buf_fini(&p);
	add_request(B, 3, "Fly", "", 0, 0);
	PUSH();
	ANSWER(1, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("service containerd.runtime.sandbox.v1.Sandbox", A->text);
	ANSWER(3, RPC_UNIMPLEMENTED);
	EXPECT_STREQ("method Fly", A->text);
}

TEST_F(link, deadline_that_is_over)
{
	add_request(B, 1, "State", "", 0, -1);
	PUSH();
	ANSWER(1, RPC_DEADLINE_EXCEEDED);
	EXPECT_EQ(0, T->calls);
}

TEST_F(link, oversized_frame_is_discarded_exactly)
{
	char *junk = calloc(1, LIMIT_RPC_FRAME + 1);

	head(B, LIMIT_RPC_FRAME + 1, 1, TTRPC_REQUEST, 0);
	buf_add(B, junk, LIMIT_RPC_FRAME + 1);
	free(junk);
	add_state(B, 3, "after");
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	ANSWER(3, 0);
	EXPECT_STREQ("after", A->text);
}

TEST_F(link, largest_length_costs_no_memory)
{
	char *junk = calloc(1, BIG);

	head(B, UINT32_MAX, 1, TTRPC_REQUEST, 0);
	buf_add(B, junk, BIG);
	free(junk);
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	EXPECT_EQ(NULL, T->server.conns->chan.data);
	EXPECT_EQ(UINT32_MAX - BIG, T->server.conns->chan.discard);
}

TEST_F(link, largest_legal_frame)
{
	Cleat__Task__StateRequest m = CLEAT__TASK__STATE_REQUEST__INIT;
	struct buf p = BUF_INIT;
	char *id = malloc(LIMIT_RPC_FRAME);

	/* The overhead of the envelope in add_request() is 80 bytes. */
	memset(id, 'i', LIMIT_RPC_FRAME - 200);
	id[LIMIT_RPC_FRAME - 200] = '\0';
	m.id = msg_set(id);
	msg_pack(&p, &m);
	add_request(B, 1, "State", p.data, p.len, 0);
	buf_fini(&p);
	free(id);
	PUSH();
	ANSWER(1, 0);
	EXPECT_EQ(LIMIT_RPC_FRAME - 200, A->id_len);
	/* All of it was given back. */
	EXPECT_EQ(NULL, T->server.conns->chan.data);
	EXPECT_EQ(0, T->server.conns->chan.out_bytes);
}

TEST_F(link, half_frame_holds_only_what_came)
{
	int other = connect_peer(T);

	head(B, LIMIT_RPC_FRAME, 1, TTRPC_REQUEST, 0);
	buf_adds(B, "half a frame");
	PUSH();
	turn(T, 3);
	EXPECT_EQ(2, T->server.n_conns);
	EXPECT_GE(8192, T->server.conns->next->chan.room);
	EXPECT_EQ(12, T->server.conns->next->chan.got);
	/* Others go on, and the end of this one is the end of this one. */
	add_state(B, 1, "other");
	push(T, other, B->data, B->len);
	ASSERT_TRUE(answer(T, other, A));
	EXPECT_STREQ("other", A->text);
	shutdown(T->fd, SHUT_RDWR);
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	EXPECT_EQ(1, T->server.n_conns);
	close(other);
}

TEST_F(link, bad_stream_ids)
{
	add_state(B, 2, "even");
	add_state(B, 0, "zero");
	add_state(B, 7, "first");
	add_state(B, 7, "again");
	add_state(B, 5, "below");
	add_state(B, UINT32_MAX, "last");
	PUSH();
	ANSWER(2, RPC_INVALID_ARGUMENT);
	ANSWER(0, RPC_INVALID_ARGUMENT);
	ANSWER(7, 0);
	ANSWER(7, RPC_INVALID_ARGUMENT);
	ANSWER(5, RPC_INVALID_ARGUMENT);
	ANSWER(UINT32_MAX, 0);
	EXPECT_EQ(2, T->calls);
}

TEST_F(link, other_frame_types)
{
	int type;

	for (type = 0; type < 256; type++)
		if (type != TTRPC_REQUEST && type != TTRPC_DATA) {
			head(B, 3, 1, (uint8_t)type, 0xff);
			buf_adds(B, "abc");
		}
	PUSH();
	SILENT();
	head(B, 3, 1, TTRPC_DATA, 1);
	buf_adds(B, "abc");
	PUSH();
	ANSWER(1, RPC_INVALID_ARGUMENT);
	ALIVE(1);
}

TEST_F(link, request_that_is_no_request)
{
	head(B, 5, 1, TTRPC_REQUEST, 0);
	buf_adds(B, "\xff\xff\xff\xff\xff");
	head(B, 3, 3, TTRPC_REQUEST, 0);
	buf_add(B, "\x0a\x01\xff", 3);	/* a service that is not UTF-8 */
	PUSH();
	ANSWER(1, RPC_INVALID_ARGUMENT);
	ANSWER(3, RPC_INVALID_ARGUMENT);
	ALIVE(5);
}

TEST_F(link, random_bytes)
{
	unsigned int seed, i;

	for (seed = 1; seed <= 200; seed++) {
		int fd = connect_peer(T);
		char junk[2000];

		srandom(seed);
		for (i = 0; i < sizeof(junk); i++)
			junk[i] = (char)random();
		/* Half of them with a plausible header, so that the inner decoder sees them. */
		if (seed % 2)
			memcpy(junk, (const char[]){ 0, 0, 3, 0, 0, 0, 0, 1, 1, 0 }, 10);
		send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
		turn(T, 3);
		close(fd);
		turn(T, 3);
	}
	EXPECT_EQ(200, T->gone);
	EXPECT_EQ(1, T->server.n_conns);
	ALIVE(1);
}

TEST_F(link, every_truncation)
{
	size_t n;
	int fd;

	add_state(B, 1, "cut");
	for (n = 0; n < B->len; n++) {
		fd = connect_peer(T);
		send(fd, B->data, n, 0);
		turn(T, 2);
		close(fd);
		turn(T, 2);
	}
	EXPECT_EQ(0, T->calls);
	EXPECT_EQ(B->len, T->gone);
	buf_reset(B);
	ALIVE(1);
}

TEST_F(link, replies_in_any_order)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	add_state(B, 7, "between");
	PUSH();
	ANSWER(7, 0);
	ASSERT_EQ(3, T->n_held);
	reply_sized(&T->server, T->held[2], 3);
	reply_sized(&T->server, T->held[0], 1);
	rpc_reply_status(&T->server, T->held[1], RPC_NOT_FOUND, "no %s", "such thing");
	ANSWER(5, 0);
	EXPECT_EQ(3, A->id_len);
	ANSWER(1, 0);
	EXPECT_EQ(1, A->id_len);
	ANSWER(3, RPC_NOT_FOUND);
	EXPECT_STREQ("no such thing", A->text);
	EXPECT_EQ(0, T->server.conns->n_open);
}

TEST_F(link, reply_after_the_peer_is_gone)
{
	struct rpc_token stale;

	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	stale = T->held[0];
	fd_close(&T->fd);
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	/* A newcomer, with the same stream id, must not get it. */
	T->fd = connect_peer(T);
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	EXPECT_EQ(2, T->n_held);
	rpc_reply(&T->server, stale, NULL);
	rpc_reply(&T->server, (struct rpc_token){ 0 }, NULL);
	SILENT();
	EXPECT_EQ(1, T->server.conns->n_open);
}

TEST_F(link, ten_thousand_open_streams)
{
	unsigned int i, n = 10000;

	for (i = 0; i < n; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	PUSH();
	turn(T, 50);
	ASSERT_EQ(n, T->n_held);
	EXPECT_EQ(n, T->server.conns->n_open);
	ALIVE(2 * n + 1);
	for (i = n; i--;)
		rpc_reply(&T->server, T->held[i], NULL);
	for (i = n; i--;)
		ANSWER(2 * i + 1, 0);
	EXPECT_EQ(0, T->server.conns->n_open);
}

TEST_F(link, too_many_open_streams)
{
	unsigned int i;

	for (i = 0; i < LIMIT_RPC_OPEN + 2; i++) {
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
		if (i % 1000 == 0)
			PUSH();
	}
	PUSH();
	ANSWER(2 * LIMIT_RPC_OPEN + 1, RPC_RESOURCE_EXHAUSTED);
	ANSWER(2 * LIMIT_RPC_OPEN + 3, RPC_RESOURCE_EXHAUSTED);
	EXPECT_EQ(LIMIT_RPC_OPEN, T->n_held);
	rpc_reply(&T->server, T->held[0], NULL);
	ANSWER(1, 0);
	ALIVE(2 * LIMIT_RPC_OPEN + 5);
}

TEST_F(link, peer_that_never_reads_is_dropped)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		add_request(B, 2 * i + 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(30, T->n_held);
	for (i = 0; i < 15; i++)
		reply_sized(&T->server, T->held[i], BIG);
	turn(T, 3);
	EXPECT_EQ(0, T->gone);
	EXPECT_LT(14u * BIG, ttrpc_server_unsent(&T->server));
	for (; i < 30; i++)
		reply_sized(&T->server, T->held[i], BIG);
	/* Its memory goes at once, the connection itself from the loop. */
	EXPECT_EQ(0, ttrpc_server_unsent(&T->server));
	turn(T, 3);
	EXPECT_EQ(1, T->gone);
	EXPECT_EQ(0, T->server.n_conns);
}

TEST_F(link, peer_that_does_not_read_is_not_read)
{
	unsigned int i, before;

	for (i = 0; i < 100; i++) {
		add_kill(B, 2 * i + 1, BIG / 4);
		send(T->fd, B->data, B->len, MSG_DONTWAIT);
		buf_reset(B);
		turn(T, 2);
	}
	before = T->calls;
	EXPECT_GT(20, before);
	EXPECT_EQ(0, T->gone);
	/* Once it reads, everything comes, whole and in order. */
	for (i = 0; i < 100; i++) {
		ANSWER(2 * i + 1, 0);
		ASSERT_EQ(BIG / 4, A->id_len);
	}
	EXPECT_EQ(100, T->calls);
}

TEST_F(link, reply_over_the_limit)
{
	add_kill(B, 1, LIMIT_RPC_FRAME);
	PUSH();
	ANSWER(1, RPC_RESOURCE_EXHAUSTED);
	ALIVE(3);
}

TEST_F(link, server_closes_in_its_own_callback)
{
	add_request(B, 1, "Shutdown", "", 0, 0);
	add_state(B, 3, "never");
	send(T->fd, B->data, B->len, 0);
	buf_reset(B);
	turn(T, 3);
	EXPECT_EQ(0, T->server.n_conns);
	EXPECT_EQ(0, T->calls);
	EXPECT_EQ(0, T->gone);
	ANSWER(1, 0);
	SILENT();
}

TEST_F(link, status_text_is_valid_utf8)
{
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	ASSERT_EQ(1, T->n_held);
	rpc_reply_status(&T->server, T->held[0], RPC_UNKNOWN, "a\xff" "b\xc3\xa9 \xed\xa0\x80.");
	ANSWER(1, RPC_UNKNOWN);
	EXPECT_STREQ("a?b\xc3\xa9 ???.", A->text);
}

TEST_F(link, err_becomes_a_status)
{
	struct err e = { 0 };

	err_set(&e, ERR_STATE, 0, "c1", "cannot pause a stopped container");
	add_request(B, 1, "Wait", "", 0, 0);
	PUSH();
	rpc_reply_err(&T->server, T->held[0], &e);
	ANSWER(1, RPC_FAILED_PRECONDITION);
	EXPECT_STREQ("c1: cannot pause a stopped container", A->text);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's state written out and read back: the same bytes again, and callers and containers do not notice. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "buf.h"
#include "ctr.h"
#include "fd.h"
#include "keep.h"
#include "sproc.h"
#include "sysx.h"
#include "task.pb-c.h"
#include "ttrpc.pb-c.h"

FIXTURE(keep)
{
	struct server *old, *new;
	struct buf bytes;
	struct keep_fds fds;
	char dir[64], fifo[2][96];	/* of the first and of the late output */
	int peer, out, late;	/* a client; the processes' ends of two pipes */
	pid_t child;
	struct buf frame;
};

static void quiet(struct stream *s)
{
}

static struct server *server_new(void)
{
	struct server *srv = calloc(1, sizeof(*srv));

	if (!srv || loop_init(&srv->loop))
		return NULL;
	srv->ns = "ns";
	srv->id = "first";
	srv->listener = srv->signal_fd = -1;
	log_sink_init(&srv->log, STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR_LEVEL);
	srv->rpc = (struct ttrpc_server){
		.loop = &srv->loop, .owner = srv, .request = task_request, .gone = task_gone,
	};
	publish_init(&srv->pub, &srv->loop, &srv->log.log, "unix:///nobody/listens", "ns");
	return srv;
}

/* What an exec of another program would make of it: nobody is answered or told. */
static void server_free(struct server *srv)
{
	if (!srv)
		return;
	ttrpc_server_close(&srv->rpc);
	publish_fini(&srv->pub);
	while (srv->ctrs) {
		srv->ctrs->init.logger = 0;
		for (struct proc *p = srv->ctrs->execs; p; p = p->next)
			p->logger = 0;
		ctr_forget(srv->ctrs);
	}
	fd_close(&srv->listener);
	loop_fini(&srv->loop);
	free(srv);
}

static void turns(struct server *srv)
{
	for (int i = 0; i < 10; i++)
		loop_once(&srv->loop, 5);
}

/* A whole request frame. */
static void request(struct buf *b, uint32_t stream, const char *method, const char *id)
{
	Cleat__Task__WaitRequest w = CLEAT__TASK__WAIT_REQUEST__INIT;
	Ttrpc__Request q = TTRPC__REQUEST__INIT;
	unsigned char head[10] = { 0 };
	auto_buf inner = BUF_INIT, outer = BUF_INIT;

	w.id = msg_set(id);
	msg_pack(&inner, &w);
	q.service = msg_set("containerd.task.v2.Task");
	q.method = msg_set(method);
	q.payload = msg_bytes(inner.data, inner.len);
	msg_pack(&outer, &q);
	head[2] = (unsigned char)(outer.len >> 8);
	head[3] = (unsigned char)outer.len;
	head[7] = (unsigned char)stream;
	head[8] = TTRPC_REQUEST;
	buf_add(b, head, sizeof(head));
	buf_add(b, outer.data, outer.len);
}

/* Streams of the frames that the client has got, as "5 7 ". */
static const char *answers(int fd, char *text)
{
	unsigned char b[8192];
	ssize_t n = recv(fd, b, sizeof(b), MSG_DONTWAIT);
	char *w = text;

	*w = 0;
	for (ssize_t i = 0; i + 10 <= n; i += 10 + (b[i + 2] << 8) + b[i + 3])
		w += sprintf(w, "%u ", b[i + 7]);
	return text;
}

/* Output of a process by a pipe to the client's FIFO, both ends of which we hold. Return: the process's end. */
static int stream_to(FIXTURE_DATA(keep) *self, struct proc *p, int i, const char *fifo)
{
	struct stream_fds f = STREAM_FDS_INIT;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	f.src = ends[0];
	f.keep = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f.dst = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	f.dst_kind = STREAM_FIFO;
	stream_start(&p->stream[i], &self->old->loop, &f, false, quiet, p);
	return ends[1];
}

static void fill_container(FIXTURE_DATA(keep) *self)
{
	struct server *srv = self->old;
	struct ctr *c = ctr_new(srv, "c1", "/b/c1", "/run/r");
	struct cg_watch w = { open("/dev/zero", O_RDONLY | O_CLOEXEC), open("/dev/null", O_RDONLY | O_CLOEXEC), false, 3 };
	struct proc *p;

	proc_init(&c->init, c, "", false, "/i", self->fifo[0], "");
	c->init.state = PROC_RUNNING;
	c->started = c->own_pidns = c->start_by_worker = c->has_io_owner = true;
	c->io_uid = 7;
	c->io_gid = 8;
	c->init.pid = self->child;
	c->init.pidfd = sysx_pidfd_open(self->child, 0);
	c->oom = w;
	self->out = stream_to(self, &c->init, 1, self->fifo[0]);
	p = ctr_add_exec(c, "added", true, "", "", "");
	p->spec = arena_memdup(&p->spec_arena, "{\"args\":[\"x\"]}", 15);
	p->spec_len = 14;
	proc_resize(p, 120, 40);
	p = ctr_add_exec(c, "ended", false, NULL, NULL, NULL);
	p->state = PROC_STOPPED;
	p->reaped = true;
	p->pid = 77;
	p->exit_status = 9;
	p->exited_at = (struct timespec){ 1700000000, 5 };
	p->stdin_closed = true;
	p = ctr_add_exec(c, "held", false, NULL, NULL, NULL);
	p->state = PROC_STOPPED;
	p->reaped = p->exit_due = true;
	p->exited_at = (struct timespec){ 1700000001, 6 };
	loop_timer_set(&srv->loop, &c->exit_wait, 60000);
	c = ctr_new(srv, "c2", "/b/c2", "/run/r");
	proc_init(&c->init, c, "", false, NULL, NULL, NULL);
	c->init.state = PROC_CREATED;
	/* its output has ended, and its reader has not come */
	self->late = stream_to(self, &c->init, 2, self->fifo[1]);
}

FIXTURE_SETUP(keep)
{
	int sv[2], more[2];
	auto_buf first = BUF_INIT;

	memset(self, 0, sizeof(*self));
	signal(SIGPIPE, SIG_IGN);
	strcpy(self->dir, "/tmp/test-keep.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	for (int i = 0; i < 2; i++) {
		snprintf(self->fifo[i], sizeof(self->fifo[i]), "%s/f%d", self->dir, i);
		ASSERT_EQ(0, mkfifo(self->fifo[i], 0600));
	}
	self->old = server_new();
	self->new = server_new();
	ASSERT_TRUE(self->old && self->new);
	self->child = fork();
	if (!self->child) {
		pause();
		_exit(0);
	}
	self->old->listener = open("/dev/null", O_RDONLY | O_CLOEXEC);
	strcpy(self->old->socket, "/run/s/abc");
	fill_container(self);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more));
	ASSERT_EQ(0, ttrpc_server_add(&self->old->rpc, sv[0]));
	ASSERT_EQ(0, ttrpc_server_add(&self->old->rpc, more[0]));
	self->peer = sv[1];
	/* a Wait that is not answered, and half of the next request */
	request(&first, 5, "Wait", "c1");
	ASSERT_EQ((ssize_t)first.len, write(self->peer, first.data, first.len));
	request(&self->frame, 7, "Connect", "c1");
	ASSERT_EQ(13, write(self->peer, self->frame.data, 13));
	ASSERT_EQ(0, publish_packed(&self->old->pub, "event one", 9));
	ASSERT_EQ(0, publish_packed(&self->old->pub, "event two", 9));
	ASSERT_EQ(4, write(self->out, "one\n", 4));
	ASSERT_EQ(4, write(self->late, "two\n", 4));
	fd_close(&self->late);
	turns(self->old);
	close(more[1]);		/* nobody has noticed yet */
}
FIXTURE_TEARDOWN(keep)
{
	server_free(self->old);
	server_free(self->new);
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	fd_close(&self->peer);
	fd_close(&self->out);
	buf_fini(&self->bytes);
	buf_fini(&self->frame);
	free(self->fds.v);
	unlink(self->fifo[0]);
	unlink(self->fifo[1]);
	rmdir(self->dir);
}

/* As after an exec: other fds of the same files. */
static struct keep_fds copies(const struct keep_fds *fds)
{
	struct keep_fds f = { calloc(fds->n + 1, sizeof(int)), fds->n, fds->n };

	for (size_t i = 0; i < fds->n; i++)
		f.v[i] = fcntl(fds->v[i], F_DUPFD_CLOEXEC, 3);
	return f;
}

static int move(FIXTURE_DATA(keep) *self, size_t len)
{
	struct keep_fds f = copies(&self->fds);
	int r = keep_read(self->new, self->bytes.data, len, &f);

	free(f.v);
	return r;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST_F(keep, the_same_again)
{
	struct keep_fds again = { 0 };
	auto_buf bytes = BUF_INIT;

	ASSERT_EQ(0, keep_write(self->old, &self->bytes, &self->fds));
	EXPECT_EQ(10, self->fds.n);
	ASSERT_EQ(0, move(self, self->bytes.len));
	ASSERT_EQ(0, keep_write(self->new, &bytes, &again));
	EXPECT_EQ(self->fds.n, again.n);
	ASSERT_EQ(self->bytes.len, bytes.len);
	EXPECT_EQ(0, memcmp(self->bytes.data, bytes.data, bytes.len));
	for (size_t i = 0; i < again.n; i++) {
		struct stat a, b;

		ASSERT_EQ(0, fstat(self->fds.v[i], &a));
		ASSERT_EQ(0, fstat(again.v[i], &b));
		EXPECT_EQ(a.st_ino, b.st_ino) { TH_LOG("fd %zu", i); }
	}
	free(again.v);
}

TEST_F(keep, what_it_knows)
{
	const struct ctr *c;
	const struct proc *p;

	ASSERT_EQ(0, keep_write(self->old, &self->bytes, &self->fds));
	ASSERT_EQ(0, move(self, self->bytes.len));
	EXPECT_STREQ("/run/s/abc", self->new->socket);
	EXPECT_EQ(2, self->new->rpc.n_conns);
	EXPECT_TRUE(self->new->had_container);
	c = ctr_find(self->new, "c1");
	ASSERT_NE(NULL, c);
	EXPECT_STREQ("/b/c1", c->bundle);
	EXPECT_TRUE(c->started && c->own_pidns && c->start_by_worker && !c->systemd_cgroup);
	EXPECT_TRUE(c->has_io_owner && c->io_uid == 7 && c->io_gid == 8);
	EXPECT_EQ(3, c->oom.seen);
	EXPECT_EQ(self->old->ctrs->next->exit_wait.at_ms, c->exit_wait.at_ms);
	EXPECT_EQ(self->child, c->init.pid);
	EXPECT_STREQ("/i", c->init.in);
	EXPECT_EQ(NULL, c->init.err);
	p = ctr_proc((struct ctr *)(uintptr_t)c, "ended");
	ASSERT_NE(NULL, p);
	EXPECT_EQ(9, p->exit_status);
	EXPECT_EQ(5, p->exited_at.tv_nsec);
	EXPECT_TRUE(p->stdin_closed);
	p = ctr_proc((struct ctr *)(uintptr_t)c, "added");
	ASSERT_NE(NULL, p);
	EXPECT_EQ(14, p->spec_len);
	EXPECT_EQ(0, memcmp(p->spec, "{\"args\":[\"x\"]}", 14));
	EXPECT_EQ(120, p->width);
	EXPECT_TRUE(ctr_find(self->new, "c2") != NULL);
}

TEST_F(keep, nobody_notices)
{
	char text[256], line[64] = "";
	int reader;

	ASSERT_EQ(0, keep_write(self->old, &self->bytes, &self->fds));
	ASSERT_EQ(0, move(self, self->bytes.len));
	server_free(self->old);
	self->old = NULL;
	/* the rest of the half request, and its answer */
	ASSERT_EQ((ssize_t)self->frame.len - 13,
		  write(self->peer, self->frame.data + 13, self->frame.len - 13));
	turns(self->new);
	EXPECT_STREQ("7 ", answers(self->peer, text));
	/* the one that hung up is gone now */
	EXPECT_EQ(1, self->new->rpc.n_conns);
	/* output goes on, and the late reader gets all of it */
	ASSERT_EQ(6, write(self->out, "three\n", 6));
	turns(self->new);
	reader = open(self->fifo[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_EQ(10, read(reader, line, sizeof(line)));
	EXPECT_EQ(0, memcmp("one\nthree\n", line, 10));
	close(reader);
	EXPECT_TRUE(stream_open(&ctr_find(self->new, "c2")->init.stream[2]));
	reader = open(self->fifo[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_EQ(4, read(reader, line, sizeof(line)));
	EXPECT_EQ(0, memcmp("two\n", line, 4));
	turns(self->new);
	EXPECT_FALSE(stream_open(&ctr_find(self->new, "c2")->init.stream[2]));
	close(reader);
	/* the Wait of before is answered when the process ends; its exit waits for the exec's */
	ASSERT_EQ(0, kill(self->child, SIGKILL));
	for (int i = 0; i < 100 && !ctr_find(self->new, "c1")->init.reaped; i++) {
		usleep(10000);
		reap_rest(self->new);
	}
	turns(self->new);
	EXPECT_STREQ("5 ", answers(self->peer, text));
	EXPECT_EQ(137, ctr_find(self->new, "c1")->init.exit_status);
	/* behind the two events of before */
	EXPECT_EQ(9, self->new->pub.head->len);
	EXPECT_EQ(0, memcmp(self->new->pub.head->payload, "event one", 9));
	EXPECT_NE(NULL, self->new->pub.head->next->next);
}

TEST_F(keep, not_while_something_is_under_way)
{
	struct ctr *c = self->old->ctrs;

	c->shared = 1;
	EXPECT_EQ(-EBUSY, keep_write(self->old, &self->bytes, &self->fds));
	c->shared = 0;
	self->old->stopping = true;
	EXPECT_EQ(-EBUSY, keep_write(self->old, &self->bytes, &self->fds));
	self->old->stopping = false;
	EXPECT_EQ(0, self->bytes.len);
	EXPECT_EQ(0, keep_write(self->old, &self->bytes, &self->fds));
}

TEST_F(keep, cut_anywhere_it_leaves_nothing)
{
	int before;

	ASSERT_EQ(0, keep_write(self->old, &self->bytes, &self->fds));
	before = open_fds();
	for (size_t len = 0; len < self->bytes.len; len++) {
		ASSERT_EQ(-EBADMSG, move(self, len)) { TH_LOG("length %zu", len); }
		ASSERT_TRUE(!self->new->ctrs && !self->new->rpc.conns && !self->new->pub.head);
		ASSERT_EQ(before, open_fds()) { TH_LOG("length %zu", len); }
		ASSERT_EQ(NULL, self->new->loop.timers);
		publish_init(&self->new->pub, &self->new->loop, &self->new->log.log, "unix:///nobody/listens", "ns");
	}
	/* more than there should be is wrong as well */
	buf_addc(&self->bytes, 0);
	EXPECT_EQ(-EBADMSG, move(self, self->bytes.len));
	EXPECT_EQ(before, open_fds());
	/* the process was not touched by any of it */
	EXPECT_EQ(0, kill(self->child, 0));
	EXPECT_EQ(0, waitpid(self->child, NULL, WNOHANG));
}

TEST_HARNESS_MAIN

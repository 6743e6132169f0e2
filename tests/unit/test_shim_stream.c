/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: bytes, back-pressure, and how the end of output finds its reader. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fd.h"
#include "loop.h"
#include "stream.h"

FIXTURE(stream)
{
	char dir[64], fifo[80];
	struct loop loop;
	struct stream s;
	int near;	/* the process's end of its pipe */
	int done;
};

static void stream_ended(struct stream *s)
{
	++*(int *)s->arg;
}

FIXTURE_SETUP(stream)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->dir, sizeof(self->dir), "/tmp/test-stream.XXXXXX");
	ASSERT_NE(mkdtemp(self->dir), NULL);
	snprintf(self->fifo, sizeof(self->fifo), "%s/f", self->dir);
	ASSERT_EQ(mkfifo(self->fifo, 0600), 0);
	ASSERT_EQ(loop_init(&self->loop), 0);
	self->near = -1;
	signal(SIGPIPE, SIG_IGN);
}
FIXTURE_TEARDOWN(stream)
{
	stream_close(&self->s);
	fd_close(&self->near);
	loop_fini(&self->loop);
	unlink(self->fifo);
	rmdir(self->dir);
}

static int client_open(FIXTURE_DATA(stream) *self, int flags)
{
	return open(self->fifo, flags | O_NONBLOCK | O_CLOEXEC);
}

/* Process's pipe on one side, both ends of the client's FIFO on the other. */
static int start(FIXTURE_DATA(stream) *self, bool input)
{
	struct stream_fds f = STREAM_FDS_INIT;
	int p[2], rd = client_open(self, O_RDONLY), wr = client_open(self, O_WRONLY);

	if (pipe2(p, O_CLOEXEC) || rd < 0 || wr < 0)
		return -1;
	f.src = input ? rd : p[0];
	f.dst = input ? p[1] : wr;
	f.keep = input ? wr : rd;
	self->near = input ? p[0] : p[1];
	*(input ? &f.src_kind : &f.dst_kind) = STREAM_FIFO;
	return stream_start(&self->s, &self->loop, &f, input, stream_ended, &self->done);
}

/* Turn the loop until nothing happens for a moment. */
static void settle(FIXTURE_DATA(stream) *self)
{
	struct pollfd p = { .fd = self->loop.epfd, .events = POLLIN };

	while (poll(&p, 1, 20) > 0)
		loop_once(&self->loop, 0);
}

static size_t drain(int fd, char *last)
{
	char buf[8192];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		sum += (size_t)n;
		if (last)
			*last = buf[n - 1];
	}
	return n < 0 ? sum : sum | 1ul << 62;	/* marks EOF */
}
#define AT_EOF(n) ((n) | 1ul << 62)

TEST_F(stream, output_with_a_reader_ends_at_once)
{
	int rd = client_open(self, O_RDONLY);

	ASSERT_EQ(start(self, false), 0);
	ASSERT_EQ(write(self->near, "hello", 5), 5);
	settle(self);
	EXPECT_EQ(self->done, 0);
	EXPECT_EQ(drain(rd, NULL), 5);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_FALSE(stream_open(&self->s));
	EXPECT_EQ(drain(rd, NULL), AT_EOF(0));
	close(rd);
}

/* What is still in the process's pipe counts, what was read in part does not; all of it as well when it is closed. */
TEST_F(stream, output_that_its_reader_has_not_begun_is_unread)
{
	int rd = client_open(self, O_RDONLY), before;
	char c;

	ASSERT_EQ(start(self, false), 0);
	EXPECT_FALSE(stream_unread(&self->s));
	ASSERT_EQ(write(self->near, "hello", 5), 5);
	EXPECT_TRUE(stream_unread(&self->s));
	settle(self);
	EXPECT_TRUE(stream_unread(&self->s));
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_TRUE(stream_unread(&self->s));
	ASSERT_EQ(read(rd, &c, 1), 1);
	EXPECT_FALSE(stream_unread(&self->s));
	before = self->s.fd.keep;
	EXPECT_GE(before, 0);
	stream_forget(&self->s);
	stream_forget(&self->s);
	EXPECT_LT(fcntl(before, F_GETFD), 0);
	EXPECT_FALSE(stream_unread(&self->s));
	EXPECT_EQ(drain(rd, NULL), AT_EOF(4));
	close(rd);
}

TEST_F(stream, nothing_is_unread_without_a_reader)
{
	ASSERT_EQ(start(self, false), 0);
	ASSERT_EQ(write(self->near, "hello", 5), 5);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 0);
	EXPECT_FALSE(stream_unread(&self->s));
	stream_close(&self->s);
	EXPECT_FALSE(stream_unread(&self->s));
}

TEST_F(stream, output_waits_for_a_late_reader)
{
	int rd;

	ASSERT_EQ(start(self, false), 0);
	ASSERT_EQ(write(self->near, "hello", 5), 5);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 0);
	rd = client_open(self, O_RDONLY);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_EQ(drain(rd, NULL), AT_EOF(5));
	close(rd);
}

TEST_F(stream, a_late_reader_without_data_gets_its_end)
{
	int rd;

	ASSERT_EQ(start(self, false), 0);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 0);
	rd = client_open(self, O_RDONLY);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_EQ(drain(rd, NULL), AT_EOF(0));
	close(rd);
}

TEST_F(stream, a_reader_may_leave_and_return)
{
	int rd = client_open(self, O_RDONLY);

	ASSERT_EQ(start(self, false), 0);
	ASSERT_EQ(write(self->near, "one", 3), 3);
	settle(self);
	EXPECT_EQ(drain(rd, NULL), 3);
	close(rd);
	ASSERT_EQ(write(self->near, "two!", 4), 4);
	settle(self);
	EXPECT_EQ(self->done, 0);
	rd = client_open(self, O_RDONLY);
	EXPECT_EQ(drain(rd, NULL), 4);
	close(rd);
	/* All was read by a reader who is gone: nobody has to be waited for. */
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 1);
}

TEST_F(stream, nobody_comes_and_the_wait_is_bounded)
{
	uint64_t before = loop_now_ms();

	ASSERT_EQ(start(self, false), 0);
	ASSERT_EQ(write(self->near, "x", 1), 1);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 0);
	stream_limit(&self->s, 100);
	while (!self->done && loop_now_ms() - before < 5000)
		loop_once(&self->loop, 1000);
	EXPECT_EQ(self->done, 1);
	EXPECT_LT(loop_now_ms() - before, 1000);
}

TEST_F(stream, a_full_fifo_stops_the_process)
{
	size_t put = 0, got;
	ssize_t n;
	char buf[4096], last = 0;
	int left = 0, rd;

	memset(buf, 'x', sizeof(buf));
	ASSERT_EQ(start(self, false), 0);
	fcntl(self->near, F_SETFL, O_NONBLOCK);
	while ((n = write(self->near, buf, sizeof(buf))) > 0) {
		put += (size_t)n;
		settle(self);
	}
	/* Both pipes are full, and nothing was read that the FIFO could not take. */
	ASSERT_EQ(ioctl(self->near, FIONREAD, &left), 0);
	EXPECT_GT(left, 60000);
	EXPECT_LT(put, 140000);
	EXPECT_EQ(self->s.rest, NULL);
	rd = client_open(self, O_RDONLY);
	got = drain(rd, NULL);
	settle(self);
	ASSERT_EQ(write(self->near, "y", 1), 1);
	fd_close(&self->near);
	for (int i = 0; i < 10 && !self->done; i++) {
		got += drain(rd, &last);
		settle(self);
	}
	got += drain(rd, &last);
	EXPECT_EQ(got, AT_EOF(put + 1));
	EXPECT_EQ(last, 'y');
	close(rd);
}

TEST_F(stream, short_lines_fill_the_fifo_not_its_slots)
{
	ASSERT_EQ(start(self, false), 0);
	for (int i = 0; i < 2000; i++) {
		ASSERT_EQ(write(self->near, "a short line\n", 13), 13);
		loop_once(&self->loop, 0);
	}
	settle(self);
	EXPECT_FALSE(self->s.blocked);
}

TEST_F(stream, input_ends_only_after_close_io)
{
	int wr;

	ASSERT_EQ(start(self, true), 0);
	fcntl(self->near, F_SETFL, O_NONBLOCK);
	wr = client_open(self, O_WRONLY);
	ASSERT_EQ(write(wr, "abc", 3), 3);
	close(wr);
	settle(self);
	EXPECT_EQ(drain(self->near, NULL), 3);
	EXPECT_EQ(self->done, 0);
	stream_close_input(&self->s);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_EQ(drain(self->near, NULL), AT_EOF(0));
}

TEST_F(stream, close_io_loses_no_bytes)
{
	int wr;

	ASSERT_EQ(start(self, true), 0);
	fcntl(self->near, F_SETFL, O_NONBLOCK);
	wr = client_open(self, O_WRONLY);
	ASSERT_EQ(write(wr, "abc", 3), 3);
	stream_close_input(&self->s);
	settle(self);
	EXPECT_EQ(drain(self->near, NULL), 3);
	ASSERT_EQ(write(wr, "de", 2), 2);
	close(wr);
	settle(self);
	EXPECT_EQ(self->done, 1);
	EXPECT_EQ(drain(self->near, NULL), AT_EOF(2));
}

TEST_F(stream, input_ends_when_the_process_closes_it)
{
	ASSERT_EQ(start(self, true), 0);
	settle(self);
	EXPECT_EQ(self->done, 0);
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 1);
}

TEST_F(stream, a_file_takes_all_and_ends_at_once)
{
	struct stream_fds f = STREAM_FDS_INIT;
	char path[96];
	struct stat st;
	int p[2];

	snprintf(path, sizeof(path), "%s/log", self->dir);
	ASSERT_EQ(pipe2(p, O_CLOEXEC), 0);
	f.src = p[0];
	f.dst = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	f.dst_kind = STREAM_FILE;
	self->near = p[1];
	ASSERT_EQ(stream_start(&self->s, &self->loop, &f, false, stream_ended, &self->done), 0);
	for (int i = 0; i < 10; i++) {
		char buf[6000];

		memset(buf, 'x', sizeof(buf));
		ASSERT_EQ(write(self->near, buf, sizeof(buf)), sizeof(buf));
		settle(self);
	}
	fd_close(&self->near);
	settle(self);
	EXPECT_EQ(self->done, 1);
	ASSERT_EQ(stat(path, &st), 0);
	EXPECT_EQ(st.st_size, 60000);
	unlink(path);
}

/* A terminal whose slave stays open in a child: what was written comes, then it ends. */
TEST_F(stream, last_call_of_a_terminal)
{
	struct stream_fds f = STREAM_FDS_INIT;
	int rd = client_open(self, O_RDONLY), master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlock = 0, slave;
	char buf[64];

	ASSERT_GE(master, 0);
	ASSERT_EQ(ioctl(master, TIOCSPTLCK, &unlock), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_GE(slave, 0);
	f.src = master;
	f.src_kind = STREAM_TTY;
	f.dst_kind = STREAM_FIFO;
	f.keep = client_open(self, O_RDONLY);
	f.dst = client_open(self, O_WRONLY);
	ASSERT_EQ(stream_start(&self->s, &self->loop, &f, false, stream_ended, &self->done), 0);
	ASSERT_EQ(write(slave, "bye\n", 4), 4);
	stream_last_call(&self->s);
	settle(self);
	EXPECT_EQ(self->done, 1);
	ASSERT_EQ(read(rd, buf, sizeof(buf)), 5);
	EXPECT_EQ(memcmp(buf, "bye\r\n", 5), 0);
	close(slave);
	close(rd);
}

TEST_HARNESS_MAIN

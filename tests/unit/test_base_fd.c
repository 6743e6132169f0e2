/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: who keeps what, with close_range, without it, and under a filter that denies it; whole I/O. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "deny.h"
#include "fd.h"
#include "fdio.h"

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int count_open(int from, int to)
{
	int n = 0;

	for (; from <= to; from++)
		n += is_open(from);
	return n;
}

TEST(closing_keeps_errno_and_forgets_the_number)
{
	int fd = open("/dev/null", O_RDONLY), taken;

	errno = EXDEV;
	taken = take_fd(&fd);
	EXPECT_EQ(-1, fd);
	fd_close(&fd);
	fd = taken;
	fd_close(&taken);
	EXPECT_EQ(-1, taken);
	taken = fd;
	fd_close(&taken);			/* a number that is closed already */
	EXPECT_EQ(EXDEV, errno);
	EXPECT_FALSE(is_open(fd));
}

TEST(flags)
{
	auto_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(0, fd_cloexec(fd, 0));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, fd_cloexec(fd, 1));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, fd_nonblock(fd, 1));
	EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fd_nonblock(fd, 0));
	EXPECT_FALSE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EBADF, fd_cloexec(999, 1));
	EXPECT_EQ(-EBADF, fd_nonblock(999, 1));
	fd = fd_raise(fd, 50);
	EXPECT_GE(fd, 50);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(fd, fd_raise(fd, 10));
	EXPECT_EQ(-EBADF, fd_raise(900, 901));
}

TEST(path_of_an_fd)
{
	char out[FD_PATH_SIZE], want[64] = "";
	int p[2], again;

	EXPECT_STREQ("/proc/self/fd/2147483647", fd_path(out, 2147483647));
	ASSERT_EQ(0, fdio_pipe(p));
	ASSERT_LT(0, readlink(fd_path(out, p[0]), want, sizeof(want) - 1));
	EXPECT_EQ(0, strncmp(want, "pipe:", 5));
	again = open(fd_path(out, p[1]), O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, again);
	EXPECT_EQ(1, write(again, "", 1));
	EXPECT_EQ(1, read(p[0], want, sizeof(want)));
	close(again);
	close(p[0]);
	close(p[1]);
}

TEST(closed_standard_fds_are_opened_on_null_in_all_combinations)
{
	int mask, i;

	for (mask = 0; mask < 8; mask++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			struct stat st, null;

			for (i = 0; i < 3; i++)
				if (mask & 1 << i)
					close(i);
			if (fd_open_std() || stat("/dev/null", &null))
				_exit(1);
			for (i = 0; i < 3; i++)
				if (fstat(i, &st) || ((mask & 1 << i) &&
						      (st.st_rdev != null.st_rdev || fcntl(i, F_GETFD))))
					_exit(2 + i);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		EXPECT_EQ(0, status) {
			TH_LOG("closed: %d", mask);
		}
	}
}

FIXTURE(closer) {};
FIXTURE_VARIANT(closer) { int err; bool no_proc; };
FIXTURE_VARIANT_ADD(closer, by_close_range) { 0, false };
FIXTURE_VARIANT_ADD(closer, by_proc_without_the_call) { ENOSYS, false };
FIXTURE_VARIANT_ADD(closer, by_proc_under_a_filter) { EPERM, false };
FIXTURE_VARIANT_ADD(closer, by_limit_without_proc) { ENOSYS, true };
FIXTURE_SETUP(closer)
{
	struct rlimit rl = { 1024, 4096 };

	setrlimit(RLIMIT_NOFILE, &rl);
	if (variant->no_proc) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/proc", "tmpfs", 0, NULL))
			SKIP(return, "no mount namespace to be had");
	}
	if (variant->err)
		ASSERT_EQ(0, DENY(variant->err, SYS_close_range));
}
FIXTURE_TEARDOWN(closer) {}

TEST_F(closer, closes_all_but_what_is_kept)
{
	static const int opened[] = { 20, 21, 22, 30, 31, 50, 99, 100, 500, 1000 };
	static const struct { int from, keep[6]; size_t n; int want[10]; } rows[] = {
		{ 20, { -1 }, 0, { 0 } },
		{ 20, { -1, -1, -1 }, 3, { 0 } },
		{ 20, { 20 }, 1, { 20 } },
		{ 20, { 1000, 21, 30, -1 }, 4, { 21, 30, 1000 } },
		{ 20, { 21, 20, 22 }, 3, { 20, 21, 22 } },
		{ 20, { 30, 30, 30 }, 3, { 30 } },
		{ 31, { 21, 50 }, 2, { 20, 21, 22, 30, 50 } },
		{ 20, { 500, 600 }, 2, { 500 } },		/* one to keep that is not open */
		{ 1001, { -1 }, 0, { 20, 21, 22, 30, 31, 50, 99, 100, 500, 1000 } },
	};
	size_t i, k, w;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int keep[6], null = open("/dev/null", O_RDONLY), n = 0;

		for (k = 0; k < 10; k++)
			ASSERT_EQ(opened[k], dup2(null, opened[k]));
		if (null < 20)
			close(null);
		memcpy(keep, rows[i].keep, sizeof(keep));
		fd_close_except(rows[i].from, keep, rows[i].n);
		for (w = 0; w < 10 && rows[i].want[w]; w++, n++)
			EXPECT_TRUE(is_open(rows[i].want[w])) {
				TH_LOG("row %zu fd %d", i, rows[i].want[w]);
			}
		EXPECT_EQ(n, count_open(20, 1023)) {
			TH_LOG("row %zu", i);
		}
	}
	fd_close_except(20, NULL, 0);
	EXPECT_EQ(0, count_open(20, 1023));
}

TEST(whole_reads_and_writes_survive_small_pipes_and_signals)
{
	struct itimerval tv = { { 0, 3000 }, { 0, 3000 } };
	struct sigaction sa = { .sa_handler = (void (*)(int))(void *)abs };	/* no SA_RESTART: EINTR */
	static char out[300000], in[300001];
	size_t i;
	int p[2], status;
	pid_t pid;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 256);
	ASSERT_EQ(0, fdio_pipe(p));
	EXPECT_EQ(FD_CLOEXEC, fcntl(p[0], F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(p[1], F_GETFD));
	pid = fork();
	if (!pid) {
		sigaction(SIGALRM, &sa, NULL);
		setitimer(ITIMER_REAL, &tv, NULL);
		close(p[0]);
		_exit(fdio_write_full(p[1], out, sizeof(out)) ? 1 : 0);
	}
	close(p[1]);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &tv, NULL);
	usleep(20000);
	EXPECT_EQ((ssize_t)sizeof(out), fdio_read_full(p[0], in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, out, sizeof(out)));
	EXPECT_EQ(0, fdio_read_full(p[0], in, 1));
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EBADF, fdio_read_full(999, in, 1));
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	ASSERT_EQ(0, fdio_pipe(p));
	close(p[0]);
	EXPECT_EQ(-EPIPE, fdio_write_full(p[1], "x", 1));
}

TEST(read_all_is_bounded_to_the_byte)
{
	static const struct { size_t size, max; int r; } rows[] = {
		{ 0, 0, 0 }, { 1, 0, -EFBIG }, { 1, 1, 0 }, { 4096, 4096, 0 }, { 4097, 4096, -EFBIG },
		{ 100000, 100000, 0 }, { 100001, 100000, -EFBIG },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf b = BUF_INIT;
		FILE *f = tmpfile();

		ASSERT_NE(NULL, f);
		ASSERT_EQ(0, ftruncate(fileno(f), (off_t)rows[i].size));
		buf_adds(&b, "front");
		EXPECT_EQ(rows[i].r, fdio_read_all(fileno(f), &b, rows[i].max)) {
			TH_LOG("row %zu", i);
		}
		if (!rows[i].r) {
			EXPECT_EQ(5 + rows[i].size, b.len);
			EXPECT_EQ(0, b.data[b.len]);
		}
		EXPECT_EQ(0, memcmp(b.data, "front", 5));
		fclose(f);
	}
}

static int fill(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	return n;
}

TEST(fds_travel_whole_or_not_at_all)
{
	int sv[2], fds[FDIO_FDS_MAX + 4], got[FDIO_FDS_MAX], before, i, n;
	char b[8];
	size_t k;

	ASSERT_EQ(0, fdio_socketpair(sv));
	EXPECT_EQ(FD_CLOEXEC, fcntl(sv[0], F_GETFD));
	fill(fds, FDIO_FDS_MAX + 4);
	before = count_open(0, 200);
	for (n = 0; n <= FDIO_FDS_MAX; n++) {
		ASSERT_EQ(0, fdio_send(sv[0], "abc", 3, fds, (size_t)n));
		ASSERT_EQ(3, fdio_recv(sv[1], b, sizeof(b), got, &k));
		ASSERT_EQ((size_t)n, k);
		for (i = 0; i < FDIO_FDS_MAX; i++) {
			EXPECT_EQ(i < n, got[i] >= 0);
			if (i < n)
				EXPECT_EQ(FD_CLOEXEC, fcntl(got[i], F_GETFD));
			fd_close(&got[i]);
		}
	}
	EXPECT_EQ(-EINVAL, fdio_send(sv[0], "abc", 3, fds, FDIO_FDS_MAX + 1));
	/* not asked for: closed */
	ASSERT_EQ(0, fdio_send(sv[0], "abc", 3, fds, 4));
	EXPECT_EQ(3, fdio_recv(sv[1], b, sizeof(b), NULL, NULL));
	/* text that does not fit: an error, and no fd of it stays */
	ASSERT_EQ(0, fdio_send(sv[0], "0123456789", 10, fds, 4));
	EXPECT_EQ(-EPROTO, fdio_recv(sv[1], b, sizeof(b), got, &k));
	EXPECT_EQ(0, k);
	EXPECT_EQ(-1, got[0]);
	EXPECT_EQ(before, count_open(0, 200));
	close(sv[0]);
	EXPECT_EQ(0, fdio_recv(sv[1], b, sizeof(b), got, &k));
	EXPECT_EQ(-EPIPE, fdio_send(sv[1], "a", 1, NULL, 0));	/* and no SIGPIPE */
}

/* More fds than we take, sent by somebody who does not use our code. */
TEST(too_many_fds_are_refused_and_closed)
{
	union { struct cmsghdr h; char space[CMSG_SPACE(sizeof(int) * 40)]; } c = { 0 };
	int sv[2], fds[40], got[FDIO_FDS_MAX], before;
	struct iovec iov = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	char b[8];
	size_t k;

	ASSERT_EQ(0, fdio_socketpair(sv));
	fill(fds, 40);
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	c.h.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&c.h), fds, sizeof(fds));
	before = count_open(0, 200);
	ASSERT_EQ(1, sendmsg(sv[0], &m, 0));
	EXPECT_EQ(-EPROTO, fdio_recv(sv[1], b, sizeof(b), got, &k));
	EXPECT_EQ(before, count_open(0, 200));
}

TEST_HARNESS_MAIN

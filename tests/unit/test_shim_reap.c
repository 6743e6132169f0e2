/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has ended is told of, however few of the signals come through: in servers of few and of many. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "ctr.h"
#include "fd.h"
#include "sproc.h"
#include "sysx.h"

#define FEW 5
#define MANY 120
#define SOON_MS 50	/* before all children are looked at */
#define LATE_MS 1000

FIXTURE(reap)
{
	struct server *srv;
	int n;
	struct proc *p[MANY];
	int pidfd[MANY];	/* the test's own */
};

FIXTURE_VARIANT(reap)
{
	int n;
	bool watched;
};
FIXTURE_VARIANT_ADD(reap, few) { .n = FEW, .watched = false };
FIXTURE_VARIANT_ADD(reap, many) { .n = MANY, .watched = true };

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void wait_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	poll(&p, 1, 5000);
}

static struct proc *container(struct server *srv, int i)
{
	char id[16];
	struct ctr *c;

	snprintf(id, sizeof(id), "c%d", i);
	c = ctr_new(srv, id, "/nowhere", "/nowhere");
	proc_init(&c->init, c, "", false, NULL, NULL, NULL);
	c->init.state = PROC_RUNNING;
	c->own_pidns = true;
	return &c->init;
}

/* As op_process() does it. */
static void known(struct proc *p, pid_t pid, int pidfd)
{
	proc_born(p, pid);
	p->pidfd = pidfd;
	if (!reap_adopt(p->ctr->srv, p))
		reap_watch(p);
}

FIXTURE_SETUP(reap)
{
	struct server *srv = calloc(1, sizeof(*srv));
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	self->srv = srv;
	ASSERT_EQ(0, loop_init(&srv->loop));
	srv->ns = "ns";
	srv->id = "first";
	log_sink_init(&srv->log, STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR_LEVEL);
	srv->rpc = (struct ttrpc_server){ .loop = &srv->loop, .owner = srv };
	publish_init(&srv->pub, &srv->loop, &srv->log.log, NULL, "ns");
	reap_init(srv);
	self->n = variant->n;
	for (int i = 0; i < self->n; i++) {
		pid_t pid = sleeper();

		ASSERT_LT(0, pid);
		self->p[i] = container(srv, i);
		self->pidfd[i] = sysx_pidfd_open(pid, 0);
		known(self->p[i], pid, fcntl(self->pidfd[i], F_DUPFD_CLOEXEC, 0));
	}
	ASSERT_EQ(variant->watched, srv->watching);
	ASSERT_FALSE(srv->unwatched);
}

FIXTURE_TEARDOWN(reap)
{
	for (int i = 0; i < self->n; i++) {
		sysx_pidfd_send_signal(self->pidfd[i], SIGKILL);
		fd_close(&self->pidfd[i]);
	}
	while (self->srv->ctrs)
		ctr_forget(self->srv->ctrs);
	EXPECT_EQ(0, self->srv->by_id.n);
	EXPECT_EQ(0, self->srv->by_pid.n);
	publish_fini(&self->srv->pub);
	loop_fini(&self->srv->loop);
	table_fini(&self->srv->by_id);
	table_fini(&self->srv->by_pid);
	free(self->srv);
}

static void turns(struct server *srv, uint64_t ms)
{
	uint64_t end = loop_now_ms() + ms, now;

	while ((now = loop_now_ms()) < end)
		loop_once(&srv->loop, (int)(end - now));
}

TEST_F(reap, all_at_once_and_one_signal)
{
	for (int i = 0; i < self->n; i++)
		sysx_pidfd_send_signal(self->pidfd[i], i % 2 ? SIGKILL : SIGTERM);
	for (int i = 0; i < self->n; i++)
		wait_ended(self->pidfd[i]);
	reap_told(self->srv, self->p[3]->pid);
	EXPECT_TRUE(self->p[3]->reaped);
	reap_rest(self->srv);
	EXPECT_EQ(variant->watched, self->srv->look.pprev != NULL);
	turns(self->srv, SOON_MS);
	for (int i = 0; i < self->n; i++) {
		EXPECT_TRUE(self->p[i]->reaped);
		EXPECT_EQ(128u + (i % 2 ? SIGKILL : SIGTERM), self->p[i]->exit_status);
		EXPECT_EQ(-1, self->p[i]->pidfd);
		EXPECT_EQ(PROC_STOPPED, self->p[i]->state);
	}
	EXPECT_EQ(0, self->srv->by_pid.n);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
}

TEST_F(reap, none_that_lives_and_none_twice)
{
	reap_told(self->srv, self->p[0]->pid);
	reap_told(self->srv, 0);
	reap_told(self->srv, -1);
	reap_rest(self->srv);
	turns(self->srv, SOON_MS);
	EXPECT_EQ(self->n, self->srv->by_pid.n);
	sysx_pidfd_send_signal(self->pidfd[0], SIGKILL);
	wait_ended(self->pidfd[0]);
	for (int i = 0; i < 3; i++) {
		reap_told(self->srv, self->p[0]->pid);
		reap_rest(self->srv);
	}
	EXPECT_EQ(128u + SIGKILL, self->p[0]->exit_status);
	EXPECT_EQ(self->n - 1, self->srv->by_pid.n);
}

TEST_F(reap, strangers_of_whom_no_signal_tells)
{
	pid_t pid[3];

	for (int i = 0; i < 3; i++) {
		siginfo_t si;

		pid[i] = sleeper();
		ASSERT_LT(0, pid[i]);
		kill(pid[i], SIGKILL);
		waitid(P_PID, (id_t)pid[i], &si, WEXITED | WNOWAIT);
	}
	reap_told(self->srv, pid[1]);
	reap_rest(self->srv);
	/* More signals do not put it off. */
	for (int i = 0; i < 10; i++) {
		turns(self->srv, SOON_MS / 2);
		reap_rest(self->srv);
	}
	for (int i = 0; i < 3; i++)
		EXPECT_NE(0, kill(pid[i], 0));
	EXPECT_EQ(self->n, self->srv->by_pid.n);
	/* And then nothing wakes us. */
	turns(self->srv, LATE_MS / 4);
	EXPECT_EQ(NULL, self->srv->loop.timers);
}

TEST_F(reap, ended_before_anybody_knew_it)
{
	struct proc *p = container(self->srv, MANY);
	pid_t pid = sleeper();
	int pidfd = sysx_pidfd_open(pid, 0);

	kill(pid, SIGKILL);
	wait_ended(pidfd);
	known(p, pid, pidfd);
	if (!variant->watched)
		reap_rest(self->srv);
	turns(self->srv, SOON_MS);
	EXPECT_TRUE(p->reaped);
	EXPECT_EQ(128u + SIGKILL, p->exit_status);
}

TEST_F(reap, traced_by_somebody_else)
{
	struct proc *p = self->p[1];
	pid_t tracer;
	int told[2], turn = 0;
	char c = 0;

	ASSERT_EQ(0, pipe2(told, O_CLOEXEC));
	tracer = fork();
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = !ptrace(PTRACE_SEIZE, p->pid, NULL, NULL);
		if (write(told[1], &c, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(told[0], &c, 1));
	close(told[0]);
	close(told[1]);
	if (!c) {
		kill(tracer, SIGKILL);
		waitpid(tracer, NULL, 0);
		SKIP(return, "may not trace a sibling");
	}
	sysx_pidfd_send_signal(self->pidfd[1], SIGKILL);
	wait_ended(self->pidfd[1]);
	reap_told(self->srv, p->pid);
	reap_rest(self->srv);
	for (uint64_t end = loop_now_ms() + SOON_MS; loop_now_ms() < end; turn++)
		loop_once(&self->srv->loop, SOON_MS);
	EXPECT_FALSE(p->reaped);
	EXPECT_GT(10, turn);	/* it does not keep the loop busy */
	kill(tracer, SIGKILL);
	for (int i = 0; i < 500 && !kill(tracer, 0); i++) {
		turns(self->srv, 10);
		reap_rest(self->srv);
	}
	turns(self->srv, 4 * SOON_MS);
	EXPECT_TRUE(p->reaped);
	EXPECT_EQ(self->n - 1, self->srv->by_pid.n);
}

TEST_F(reap, without_a_handle_all_are_looked_at_at_once)
{
	struct proc *p = container(self->srv, MANY);
	pid_t pid = sleeper();
	auto_fd own = sysx_pidfd_open(pid, 0);

	known(p, pid, -1);
	EXPECT_EQ(variant->watched, self->srv->unwatched);
	kill(pid, SIGKILL);
	wait_ended(own);
	reap_rest(self->srv);
	EXPECT_TRUE(p->reaped);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that misbehave in every way we know of. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fd.h"
#include "hooks.h"
#include "loop.h"
#include "pathfs.h"

FIXTURE(hook) { char top[64], out[80]; struct err e; };
FIXTURE_SETUP(hook)
{
	memset(&self->e, 0, sizeof(self->e));
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-hook.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	snprintf(self->out, sizeof(self->out), "%s/out", self->top);
	setenv("OUT", self->out, 1);
}
FIXTURE_TEARDOWN(hook) { EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top)); }

/* Run "sh -c @script" as the only hook. */
static int run(const char *script, int timeout, const char *state, struct err *e)
{
	const char *args[] = { "sh", "-c", script };
	struct spec_hook h = { .path = "/bin/sh", .args = { args, 3 }, .timeout = timeout, .has_timeout = timeout > 0 };
	const struct objv v = { &h, 1 };

	return hooks_run(&v, "prestart", state, NULL, false, NULL, e);
}

static const char *said(const char *path)
{
	static char text[20000];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	fd_close(&fd);
	return text;
}

/* State letter of a process, 0 when there is none. */
static char said_state(int pid)
{
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	p = strrchr(said(path), ')');
	return p ? p[2] : 0;
}

TEST_F(hook, gets_the_state_and_its_failure_is_shown)
{
	static const struct { const char *script; int ok; const char *msg; } rows[] = {
		{ "cat >$OUT; echo noise; echo noise >&2", 1, "" },
		{ "echo why >&2; exit 3", 0, "prestart hook exited with status 3, output \"why" },
		{ "echo dead; kill -9 $$", 0, "prestart hook died by signal 9, output \"dead" },
		{ "exit 127", 0, "status 127" }, { "exit 256", 1, "" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };

		EXPECT_EQ(rows[i].ok, !run(rows[i].script, 0, "{\"a\":1}", &e)) {
			TH_LOG("%s: %s", rows[i].script, e.msg);
		}
		EXPECT_NE(NULL, strstr(e.msg, rows[i].msg)) {
			TH_LOG("%s: %s", rows[i].script, e.msg);
		}
		EXPECT_STREQ(rows[i].ok ? "" : "/bin/sh", e.where);
	}
	EXPECT_STREQ("{\"a\":1}", said(self->out));
}

TEST_F(hook, that_never_reads_a_large_state_succeeds)
{
	char *state = malloc(3000001);

	memset(state, 'x', 3000000);
	state[3000000] = 0;
	EXPECT_EQ(0, run("exit 0", 0, state, &self->e));
	EXPECT_EQ(0, run("exec <&-; sleep 0.1", 0, state, &self->e));
	EXPECT_EQ(0, run("wc -c >$OUT", 0, state, &self->e));
	EXPECT_EQ(3000000, atoi(said(self->out)));
	free(state);
}

TEST_F(hook, that_hangs_is_killed_with_its_group)
{
	static const char *const scripts[] = {
		"echo $$ >$OUT; sleep 100 & echo $! >>$OUT; sleep 100",
		"trap '' TERM INT HUP; echo $$ >$OUT; sleep 100 & echo $! >>$OUT; while :; do sleep 1; done",
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		uint64_t begin = loop_now_ms();
		struct err e = { 0 };
		int a = 0, b = 0, n;

		EXPECT_NE(0, run(scripts[i], 1, "{}", &e));
		EXPECT_EQ(ERR_TIMEOUT, e.kind);
		EXPECT_NE(NULL, strstr(e.msg, "did not end within 1 s"));
		EXPECT_LT(loop_now_ms() - begin, 4000);
		ASSERT_EQ(2, sscanf(said(self->out), "%d %d", &a, &b));
		for (n = 0; n < 100 && !kill(b, 0); n++) {
			char state = said_state(b);

			if (state == 'Z' || !state)
				break;
			usleep(20000);
		}
		EXPECT_LT(n, 100);
		EXPECT_NE(0, kill(a, 0));
	}
}

TEST_F(hook, that_floods_is_bounded_in_time_and_text)
{
	uint64_t begin = loop_now_ms();

	EXPECT_NE(0, run("yes & yes & yes", 1, "{}", &self->e));
	EXPECT_EQ(ERR_TIMEOUT, self->e.kind);
	EXPECT_LT(loop_now_ms() - begin, 4000);
	err_clear(&self->e);
	EXPECT_EQ(0, run("head -c 10000000 /dev/zero", 20, "{}", &self->e));
	EXPECT_NE(0, run("head -c 10000000 /dev/zero | tr '\\0' x; exit 1", 20, "{}", &self->e));
	EXPECT_EQ(sizeof(self->e.msg) - 1, self->e.msglen);
}

TEST_F(hook, with_a_child_left_behind_does_not_hold_us)
{
	uint64_t begin = loop_now_ms();
	int pid;

	EXPECT_EQ(0, run("sleep 20 & echo $! >$OUT; exit 0", 0, "{}", &self->e));
	EXPECT_EQ(0, run("yes & echo $! >>$OUT; exit 0", 0, "{}", &self->e));
	EXPECT_LT(loop_now_ms() - begin, 5000);
	pid = atoi(said(self->out));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	kill(atoi(strchr(said(self->out), '\n') + 1), SIGKILL);
}

TEST_F(hook, environment_is_the_hooks_or_the_given_or_ours)
{
	static const struct { int has_env; const char *env[3]; size_t n; int given; const char *want; } rows[] = {
		{ 0, { 0 }, 0, 0, "mine=1" }, { 0, { 0 }, 0, 1, "given=1" },
		{ 1, { "own=1", "two=2" }, 2, 1, "own=1" }, { 1, { 0 }, 0, 1, NULL }, { 1, { 0 }, 0, 0, NULL },
	};
	char *given[] = { (char *)"given=1", NULL };
	size_t i, k;

	setenv("mine", "1", 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char script[200];
		const char *args[] = { "sh", "-c", script };
		struct spec_hook h = { .path = "/bin/sh", .args = { args, 3 }, .has_env = rows[i].has_env,
				       .env = { (const char **)(uintptr_t)rows[i].env, rows[i].n } };
		static const char *const all[] = { "mine=1", "given=1", "own=1" };
		const struct objv v = { &h, 1 };
		const struct hook_view view = { .env = given };

		snprintf(script, sizeof(script), "/usr/bin/env >%s", self->out);
		ASSERT_EQ(0, hooks_run(&v, "x", "{}", rows[i].given ? &view : NULL, false, NULL, &self->e));
		for (k = 0; k < 3; k++)
			EXPECT_EQ(rows[i].want && !strcmp(rows[i].want, all[k]), !!strstr(said(self->out), all[k])) {
				TH_LOG("row %zu: %s", i, said(self->out));
			}
	}
}

TEST_F(hook, starts_in_the_folder_and_with_the_umask_it_is_given)
{
	const char *args[] = { "sh", "-c", "{ pwd; umask; } >$OUT" };
	struct spec_hook h = { .path = "/bin/sh", .args = { args, 3 } };
	const struct objv v = { &h, 1 };
	struct hook_view view = { .cwd = self->top, .umask = 027, .has_umask = true };
	char own[PATH_MAX], want[PATH_MAX + 16];

	ASSERT_NE(NULL, getcwd(own, sizeof(own)));
	umask(022);
	EXPECT_EQ(0, hooks_run(&v, "x", "{}", &view, false, NULL, &self->e));
	snprintf(want, sizeof(want), "%s\n0027\n", self->top);
	EXPECT_STREQ(want, said(self->out));
	/* A bundle that is gone says nothing, to the hook either. */
	view = (struct hook_view){ .cwd = "/no/such/folder" };
	EXPECT_EQ(0, hooks_run(&v, "x", "{}", &view, false, NULL, &self->e));
	snprintf(want, sizeof(want), "%s\n0022\n", own);
	EXPECT_STREQ(want, said(self->out));
}

TEST_F(hook, inherits_nothing_but_three_fds_and_no_blocked_signal)
{
	int a = open("/etc/passwd", O_RDONLY), b = fcntl(a, F_DUPFD, 100);
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(0, run("for f in /proc/$$/fd/*; do echo ${f##*/}; done | sort -n | head -n 3 | tr '\\n' ' ' >$OUT;"
			 "grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -vc 0000000000000000 >>$OUT;"
			 "test ! -e /proc/$$/fd/100 && test ! -e /proc/$$/fd/3 && readlink /proc/$$/fd/1 | grep -q pipe",
			 0, "{}", &self->e)) {
		TH_LOG("%s", self->e.msg);
	}
	EXPECT_EQ(0, strncmp(said(self->out), "0 1 2 ", 6));
	EXPECT_NE(NULL, strstr(said(self->out), " 0\n")) {
		TH_LOG("%s", said(self->out));
	}
	close(a);
	close(b);
}

static int warnings;
static void count_warning(const struct log *l, enum log_level level, const char *text)
{
	warnings += level == LOG_WARN_LEVEL && strstr(text, "poststop");
}

TEST_F(hook, order_and_the_first_failure)
{
	const char *one[] = { "sh", "-c", "echo 1 >>$OUT" }, *bad[] = { "sh", "-c", "echo 2 >>$OUT; exit 1" },
		   *three[] = { "sh", "-c", "echo 3 >>$OUT" };
	struct spec_hook h[] = { { .path = "/bin/sh", .args = { one, 3 } }, { .path = "/bin/sh", .args = { bad, 3 } },
				 { .path = "/bin/sh", .args = { three, 3 } }, { .path = "/no/such/hook" } };
	const struct log log = { .min = LOG_DEBUG_LEVEL, .emit = count_warning };
	const struct objv v = { h, 4 }, last = { h + 3, 1 }, none = { NULL, 0 };

	EXPECT_NE(0, hooks_run(&v, "prestart", "{}", NULL, false, NULL, &self->e));
	EXPECT_STREQ("1\n2\n", said(self->out));
	unlink(self->out);
	err_clear(&self->e);
	EXPECT_EQ(0, hooks_run(&v, "poststop", "{}", NULL, true, &log, &self->e));
	EXPECT_STREQ("1\n2\n3\n", said(self->out));
	EXPECT_EQ(2, warnings);
	EXPECT_EQ(ERR_NONE, self->e.kind);
	EXPECT_NE(0, hooks_run(&last, "prestart", "{}", NULL, false, NULL, &self->e));
	EXPECT_STREQ("/no/such/hook", self->e.where);
	EXPECT_NE(NULL, strstr(self->e.msg, "No such file"));
	EXPECT_EQ(0, hooks_run(&none, "prestart", "{}", NULL, false, NULL, &self->e));
}

TEST_HARNESS_MAIN

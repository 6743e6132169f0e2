// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which directories a process enters when sub-cgroups are asked for; plain folders stand for cgroups. */
#include "cgroup_fixture.h"
#include "kselftest_harness.h"

FIXTURE(sub) { struct cg_host host; struct cg cg; char dir[64]; struct err e; };

static int made(int at, const char *name)
{
	return mkdirat(at, name, 0700) ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

FIXTURE_SETUP(sub)
{
	static const char *const controllers[] = { "cpu,cpuacct", "memory", "name=systemd", "pids" };

	memset(self, 0, sizeof(*self));
	for (size_t i = 0; i < CG_HIERARCHIES_MAX; i++)
		self->cg.dirfd[i] = self->cg.enterfd[i] = -1;
	strcpy(self->dir, "/tmp/cleat-enter.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	int top = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	self->cg.host = &self->host;
	self->cg.path = "/x";
	self->host.mode = CG_MODE_V1;
	self->host.n = 4;
	/* the last one is not in use */
	for (size_t i = 0; i < 3; i++) {
		self->host.h[i].controllers = controllers[i];
		self->cg.dirfd[i] = made(top, controllers[i]);
		ASSERT_EQ(0, mkdirat(self->cg.dirfd[i], "a", 0700));
		ASSERT_EQ(0, mkdirat(self->cg.dirfd[i], "a/b", 0700));
		ASSERT_EQ(0, symlinkat("..", self->cg.dirfd[i], "out"));
	}
	self->host.h[3].controllers = controllers[3];
	close(top);
}
FIXTURE_TEARDOWN(sub)
{
	for (size_t i = 0; i < 4; i++)
		fd_close(&self->cg.dirfd[i]);
	path_remove_tree(AT_FDCWD, self->dir);
}

/* The last two parts of where an fd leads. */
static const char *where(int fd, char *out)
{
	char link[32], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	strcpy(out, strchr(path + 5, '/'));
	return out;
}

#define ASK(...) ({ const char *const v_[] = { __VA_ARGS__ }; \
	cg_enter_below(&self->cg, v_, sizeof(v_) / sizeof(v_[0]), &self->e); })

TEST_F(sub, path_alone_is_for_all)
{
	char w[256];

	ASSERT_EQ(0, ASK("/a/b"));
	EXPECT_STREQ("/cpu,cpuacct/a/b", where(self->cg.dirfd[0], w));
	EXPECT_STREQ("/memory/a/b", where(self->cg.dirfd[1], w));
	EXPECT_STREQ("/name=systemd/a/b", where(self->cg.dirfd[2], w));
	EXPECT_EQ(-1, self->cg.dirfd[3]);
}

TEST_F(sub, container_itself)
{
	char w[256];

	ASSERT_EQ(0, ASK("/"));
	EXPECT_STREQ("/memory", where(self->cg.dirfd[1], w));
	ASSERT_EQ(0, ASK("."));
	EXPECT_STREQ("/memory", where(self->cg.dirfd[1], w));
}

TEST_F(sub, named_ones_move_and_others_stay)
{
	char w[256];

	ASSERT_EQ(0, ASK("memory,systemd:a", "cpuacct:a/b"));
	EXPECT_STREQ("/cpu,cpuacct/a/b", where(self->cg.dirfd[0], w));
	EXPECT_STREQ("/memory/a", where(self->cg.dirfd[1], w));
	EXPECT_STREQ("/name=systemd/a", where(self->cg.dirfd[2], w));
}

static const struct { const char *one, *two, *text; } wrong[] = {
	{ "..", NULL, "is not a sub cgroup path" },
	{ "a/../../b", NULL, "is not a sub cgroup path" },
	{ "memory:/..", NULL, "is not a sub cgroup path" },
	{ "none", NULL, "no such file or directory" },
	{ "out", NULL, "" },
	{ "out/memory", NULL, "" },
	{ "a:b:c", NULL, "invalid argument" },
	{ "a", "memory:a", "missing <controller>: prefix" },
	{ "nosuch:a", NULL, "unknown controller nosuch" },
	{ "pids:a", NULL, "unknown controller pids" },
	{ ":a", NULL, "unknown controller" },
	{ "systemd,:a", NULL, "unknown controller" },
	{ "memory:a", "memory:a/b", "controller memory has a sub-cgroup already" },
	{ "cpu,cpuacct:a", NULL, "controller cpuacct has a sub-cgroup already" },
};

TEST_F(sub, refused)
{
	char text[ERR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *v[] = { wrong[i].one, wrong[i].two };

		err_clear(&self->e);
		EXPECT_GT(0, cg_enter_below(&self->cg, v, wrong[i].two ? 2 : 1, &self->e));
		err_render(&self->e, text, sizeof(text));
		EXPECT_EQ(ERR_SPEC, self->e.kind);
		EXPECT_NE(NULL, strstr(text, wrong[i].text))
			TH_LOG("%s: %s", wrong[i].one, text);
	}
}

TEST_F(sub, v2_has_one_place)
{
	char w[256];

	self->host.h[0] = (struct cg_hierarchy){ .controllers = "", .v2 = true };
	self->host.n = 1;
	self->host.mode = CG_MODE_V2;
	EXPECT_GT(0, ASK("memory:a"));
	EXPECT_EQ(ERR_SPEC, self->e.kind);
	ASSERT_EQ(0, ASK("a"));
	EXPECT_STREQ("/cpu,cpuacct/a", where(cg_enter_fd(&self->cg), w));
}

TEST_F(sub, v2_beside_a_process_elsewhere_is_nowhere)
{
	self->host.h[0] = (struct cg_hierarchy){ .controllers = "", .v2 = true };
	self->host.n = 1;
	self->host.mode = CG_MODE_V2;
	self->cg.path = "/no/such/cgroup";
	EXPECT_EQ(-ENOENT, cg_enter_beside(&self->cg, getpid()));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups of resctrl in a plain folder. What the kernel does when a group is
 * made or removed is done by the two calls below, which stand before libc's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "events_json.h"
#include "fd.h"
#include "pathfs.h"
#include "rdt.h"

static bool kernel;	/* behave like one */
static int fail_mkdir;

static void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

struct node { const char *path, *text; };	/* a folder's path ends in "/" */

static void grow(int dir, const struct node *tree, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tree[i].path[strlen(tree[i].path) - 1] != '/')
			put(dir, tree[i].path, tree[i].text);
		else if (syscall(SYS_mkdirat, dir, tree[i].path, 0755))
			abort();
	}
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	char name[300];

	if (fail_mkdir) {
		errno = fail_mkdir;
		return -1;
	}
	if (syscall(SYS_mkdirat, dir, path, mode))
		return -1;
	if (!kernel)
		return 0;
	snprintf(name, sizeof(name), "%s/tasks", path);
	put(dir, name, "");
	if (strstr(path, "mon_groups/"))
		return 0;
	snprintf(name, sizeof(name), "%s/schemata", path);
	put(dir, name, "    L3:0=fff;1=fff\n    MB:0=100;1=100\n");
	snprintf(name, sizeof(name), "%s/mon_groups", path);
	return (int)syscall(SYS_mkdirat, dir, name, mode);
}

int unlinkat(int dir, const char *path, int flags)
{
	static const char *const files[] = { "tasks", "schemata" };
	char name[300];

	for (size_t i = 0; kernel && (flags & AT_REMOVEDIR) && i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, files[i]);
		syscall(SYS_unlinkat, dir, name, 0);
	}
	snprintf(name, sizeof(name), "%s/mon_groups", path);
	if (kernel && (flags & AT_REMOVEDIR))
		syscall(SYS_unlinkat, dir, name, AT_REMOVEDIR);
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

FIXTURE(rdt) { char dir[64]; int root; struct err e; char text[ERR_TEXT_MAX]; struct rdt_group g; };
FIXTURE_SETUP(rdt)
{
	static const struct node tree[] = {
		{ "schemata", "    L3:0=fff;1=fff\n    MB:0=100;1=100\n" },
		{ "tasks", "" },
		{ "info/", "" },
		{ "info/L3/", "" },
		{ "info/MB/", "" },
		{ "mon_groups/", "" },
		{ "info/L3/cbm_mask", "fff\n" },
		{ "info/L3/min_cbm_bits", "1\n" },
		{ "info/L3/num_closids", "16\n" },
		{ "info/MB/bandwidth_gran", "10\n" },
		{ "info/MB/min_bandwidth", "10\n" },
		{ "info/MB/num_closids", "8\n" },
		{ "info/last_cmd_status", "ok\n" },
	};

	memset(self, 0, sizeof(*self));
	strcpy(self->dir, "/tmp/cleat-rdt.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->root = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kernel = true;
	grow(self->root, tree, sizeof(tree) / sizeof(tree[0]));
}
FIXTURE_TEARDOWN(rdt)
{
	kernel = false;
	fail_mkdir = 0;
	fd_close(&self->root);
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->dir));
}

static const char *said(int root, const char *path)
{
	static char text[2000];
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	fd_close(&fd);
	return text;
}

/* A plain file keeps what stood behind. */
static bool begins(int root, const char *path, const char *with)
{
	return !strncmp(said(root, path), with, strlen(with));
}

static bool there(int root, const char *path)
{
	return !faccessat(root, path, F_OK, 0);
}

#define STRV(...) ({ static const char *v_[] = { __VA_ARGS__ }; (struct strv){ v_, sizeof(v_) / sizeof(v_[0]) }; })

/* Plan and make. Return: 0 or -errno with the text in self->text. */
#define MAKE(...) ({ \
	const struct rdt r_ = { __VA_ARGS__ }; \
	int q_; \
	err_clear(&self->e); \
	q_ = rdt_check(&r_, "/linux/intelRdt", &self->e); \
	q_ = q_ ? q_ : rdt_plan(self->root, &r_, "c1", &self->g, &self->e); \
	q_ = q_ ? q_ : rdt_make(self->root, &r_, "c1", &self->g, &self->e); \
	err_render(&self->e, self->text, sizeof(self->text)); \
	q_; })

TEST_F(rdt, a_group_of_its_own_comes_and_goes)
{
	ASSERT_EQ(0, MAKE(.l3 = "L3:0=f", .mem_bw = "MB:0=20;1=30")) {
		TH_LOG("%s", self->text);
	}
	EXPECT_STREQ("c1", self->g.name);
	EXPECT_TRUE(self->g.made);
	EXPECT_TRUE(begins(self->root, "c1/schemata", "L3:0=f\nMB:0=20;1=30\n"));
	EXPECT_EQ(0, rdt_enter(self->root, &self->g, "c1", 4711, &self->e));
	EXPECT_STREQ("4711", said(self->root, "c1/tasks"));
	/* The kernel forgets who has died; while somebody is in it, it stays. */
	rdt_remove(self->root, &self->g, "c1");
	EXPECT_TRUE(there(self->root, "c1"));
	put(self->root, "c1/tasks", "");
	rdt_remove(self->root, &self->g, "c1");
	EXPECT_FALSE(there(self->root, "c1"));
	rdt_remove(self->root, &self->g, "c1");
}

TEST_F(rdt, lines_of_bandwidth_in_the_cache_schema_give_way)
{
	ASSERT_EQ(0, MAKE(.l3 = "L3:0=f\nMB:0=50\nL2:0=1\n", .mem_bw = "MB:0=20"));
	EXPECT_TRUE(begins(self->root, "c1/schemata", "L3:0=f\nL2:0=1\nMB:0=20\n"));
	ASSERT_EQ(0, rdt_update(self->root, &self->g, "L3:0=3", NULL, &self->e));
	EXPECT_TRUE(begins(self->root, "c1/schemata", "L3:0=3\n"));
}

TEST_F(rdt, schemata_are_written_last)
{
	ASSERT_EQ(0, MAKE(.schemata = STRV("L3:0=1", "MB:1=10")));
	EXPECT_TRUE(begins(self->root, "c1/schemata", "L3:0=1\nMB:1=10\n"));
}

TEST_F(rdt, without_schemata_the_file_is_not_written)
{
	ASSERT_EQ(0, MAKE(.clos_id = NULL));
	EXPECT_STREQ("    L3:0=fff;1=fff\n    MB:0=100;1=100\n", said(self->root, "c1/schemata"));
}

TEST_F(rdt, a_class_that_exists_must_match_and_stays)
{
	static const struct { const char *l3, *mb; int ok; } rows[] = {
		{ NULL, NULL, 1 }, { "L3:0=0f0;1=f", NULL, 1 }, { "L3:1=f;0=F0", NULL, 1 }, { "L3:01=f", NULL, 1 },
		{ "L3:0=f", NULL, 0 }, { "L3:2=f0", NULL, 0 }, { "L2:0=f0", NULL, 0 }, { "L3:0", NULL, 0 },
		{ NULL, "MB:0=20", 1 }, { NULL, "MB:0=15", 1 }, { NULL, "MB:0=21", 0 }, { NULL, "MB:1=3", 1 },
		{ "L3:0=f0", "MB:1=10", 1 }, { "L3:0=f0\nMB:0=99", "MB:0=20", 1 }, { "L3:0=f0", "MB:1=99", 0 },
	};

	ASSERT_EQ(0, mkdirat(self->root, "gold", 0755));
	put(self->root, "gold/schemata", "    L3:0=0f0;1=00f\n    MB:0=  20;1=  10\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(rows[i].ok, !MAKE(.clos_id = "gold", .l3 = rows[i].l3, .mem_bw = rows[i].mb)) {
			TH_LOG("row %zu: %s", i, self->text);
		}
		EXPECT_FALSE(self->g.made);
		if (!rows[i].ok) {
			EXPECT_NE(NULL, strstr(self->text, "/linux/intelRdt/closID: the class \"gold\" exists and its schemata are not"));
		}
		rdt_remove(self->root, &self->g, "c1");
		EXPECT_TRUE(there(self->root, "gold"));
	}
	EXPECT_STREQ("    L3:0=0f0;1=00f\n    MB:0=  20;1=  10\n", said(self->root, "gold/schemata"));
}

TEST_F(rdt, a_class_that_is_named_and_missing_is_made_from_schemata_only)
{
	EXPECT_NE(0, MAKE(.clos_id = "gold"));
	EXPECT_NE(NULL, strstr(self->text, "/linux/intelRdt/closID: the class \"gold\" does not exist"));
	EXPECT_FALSE(there(self->root, "gold"));
	ASSERT_EQ(0, MAKE(.clos_id = "gold", .schemata = STRV("L3:0=1")));
	EXPECT_TRUE(self->g.made);
	rdt_remove(self->root, &self->g, "c1");
	EXPECT_FALSE(there(self->root, "gold"));
}

TEST_F(rdt, the_root_group_and_names_that_are_taken)
{
	ASSERT_EQ(0, MAKE(.clos_id = "/", .monitoring = true));
	EXPECT_FALSE(self->g.made);
	EXPECT_TRUE(there(self->root, "mon_groups/c1/tasks"));
	EXPECT_EQ(0, rdt_enter(self->root, &self->g, "c1", 12, &self->e));
	EXPECT_STREQ("12", said(self->root, "tasks"));
	EXPECT_STREQ("12", said(self->root, "mon_groups/c1/tasks"));
	rdt_remove(self->root, &self->g, "c1");
	EXPECT_FALSE(there(self->root, "mon_groups/c1"));
	EXPECT_TRUE(there(self->root, "schemata"));
	EXPECT_NE(0, MAKE(.clos_id = "info"));
	EXPECT_NE(NULL, strstr(self->text, "\"info\" is the name of something else"));
	/* What has the container's own id and lives is not taken over; what is dead is. */
	ASSERT_EQ(0, mkdirat(self->root, "c1", 0755));
	put(self->root, "c1/tasks", "7\n");
	EXPECT_NE(0, MAKE(.l3 = "L3:0=1"));
	EXPECT_NE(NULL, strstr(self->text, "\"c1\" exists and holds processes"));
	put(self->root, "c1/tasks", "");
	EXPECT_EQ(0, MAKE(.l3 = "L3:0=1"));
}

TEST_F(rdt, the_kernels_reason_is_told_and_nothing_is_left)
{
	fail_mkdir = ENOSPC;
	put(self->root, "info/last_cmd_status", "Out of CLOSIDs\n");
	EXPECT_NE(0, MAKE(.l3 = "L3:0=1"));
	EXPECT_NE(NULL, strstr(self->text, "make a class of service: Out of CLOSIDs")) {
		TH_LOG("%s", self->text);
	}
	fail_mkdir = 0;
	kernel = false;		/* a group without files: nothing can be written */
	EXPECT_NE(0, MAKE(.schemata = STRV("L3:0=zz")));
	EXPECT_NE(NULL, strstr(self->text, "/linux/intelRdt/schemata: write the schemata"));
}

TEST_F(rdt, words_that_cannot_be)
{
	static const struct { struct rdt r; const char *where; } rows[] = {
		{ { .clos_id = "." }, "/linux/intelRdt/closID" }, { { .clos_id = ".." }, "/linux/intelRdt/closID" },
		{ { .clos_id = "a/b" }, "/linux/intelRdt/closID" }, { { .clos_id = "//" }, "/linux/intelRdt/closID" },
		{ { .mem_bw = "L3:0=1" }, "/linux/intelRdt/memBwSchema" },
		{ { .mem_bw = "MB:0=1\nL3:0=1" }, "/linux/intelRdt/memBwSchema" },
	};
	const struct rdt two = { .schemata = STRV("L3:0=1", "L3:0=1\nMB:0=10") };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&self->e);
		EXPECT_NE(0, rdt_check(&rows[i].r, "/linux/intelRdt", &self->e));
		EXPECT_STREQ(rows[i].where, self->e.where);
	}
	err_clear(&self->e);
	EXPECT_NE(0, rdt_check(&two, "/linux/intelRdt", &self->e));
	EXPECT_STREQ("/linux/intelRdt/schemata/1", self->e.where);
}

TEST_F(rdt, what_is_counted)
{
	static const struct node tree[] = {
		{ "c1/schemata", "    L3:0=00f\n    MB:0= 100\n" },
		{ "c1/mon_groups/c1/mon_data/", "" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_01/", "" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_00/", "" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_00/llc_occupancy", "4096\n" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_00/mbm_total_bytes", "12\n" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_00/mbm_local_bytes", "7\n" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_01/llc_occupancy", "0\n" },
		{ "c1/mon_groups/c1/mon_data/mon_L3_01/mbm_total_bytes", "3\n" },
	};
	auto_arena a = ARENA_INIT;
	auto_buf b = BUF_INIT;
	static struct cg_stats s;
	struct cg_detail d = { 0 };
	struct rdt_stats t;

	ASSERT_EQ(0, MAKE(.l3 = "L3:0=f", .monitoring = true));
	grow(self->root, tree, sizeof(tree) / sizeof(tree[0]));
	ASSERT_EQ(0, rdt_stats(self->root, &self->g, "c1", &a, &t));
	d.rdt = &t;
	events_stats_json("c1", &s, &d, &b);
	ASSERT_TRUE(buf_ok(&b));
	EXPECT_NE(NULL, strstr(b.data, "\"intel_rdt\":{\"l3_cache_info\":{\"cbm_mask\":\"fff\",\"min_cbm_bits\":1,\"num_closids\":16},"
			       "\"l3_cache_schema_root\":\"L3:0=fff;1=fff\",\"l3_cache_schema\":\"L3:0=00f\","
			       "\"mem_bw_info\":{\"bandwidth_gran\":10,\"min_bandwidth\":10,\"num_closids\":8},"
			       "\"mem_bw_schema_root\":\"MB:0=100;1=100\",\"mem_bw_schema\":\"MB:0= 100\","
			       "\"mbm_stats\":[{\"mbm_total_bytes\":12,\"mbm_local_bytes\":7},{\"mbm_total_bytes\":3}],"
			       "\"cmt_stats\":[{\"llc_occupancy\":4096},{}]}")) {
		TH_LOG("%s", b.data);
	}
}

TEST_HARNESS_MAIN

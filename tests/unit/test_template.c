/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec.tmpl: a round trip, and every way in which the file can be short or wrong. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fd.h"
#include "pathfs.h"
#include "template.h"

FIXTURE(tmpl) { char top[64]; int dir; struct err e; };
FIXTURE_SETUP(tmpl)
{
	memset(&self->e, 0, sizeof(self->e));
	snprintf(self->top, sizeof(self->top), "/tmp/cleat-tmpl.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	self->dir = open(self->top, O_RDONLY | O_DIRECTORY);
}
FIXTURE_TEARDOWN(tmpl)
{
	close(self->dir);
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
}

static const char *args[] = { "prog", "", "a b\n\xff" }, *env[] = { "A=1", "PATH=/bin" };
static uint32_t gids[] = { 1, 2, 4294967294u };
static struct spec_rlimit limits[] = { { 7, 10, 20 }, { 3, UINT64_MAX, UINT64_MAX } };
static uint64_t bpf[] = { 0x1111, 0x2222, 0x3333 };

static struct template sample(void)
{
	return (struct template){
		.namespaces = 0x7c020080,
		.process = {
			.args = { args, 3 }, .env = { env, 2 }, .cwd = "/c w d", .uid = 4294967294u, .gid = 6,
			.umask = 027, .has_umask = true, .gids = { gids, 3 }, .caps = { 1, 2, 3, 4, UINT64_MAX },
			.rlimits = { limits, 2 }, .oom_score_adj = -1000, .has_oom_score_adj = true,
			.no_new_privileges = true, .terminal = true, .rows = 33, .columns = 77,
			.tune = { .n = { .set = 31, .policy = 6, .nice = -5, .mem_mode = 1 << 15 | 2, .period = UINT64_MAX },
				  .mem_nodes = "0-1", .cpus_initial = "", .cpus_final = "3" },
			.listener_path = "/l p", .listener_metadata = "m",
			.apparmor = "a b", .selinux = "u:r:t:s0:c1,c2",
			.filter = { .bpf = (void *)bpf, .len = 3, .load_flags = 5 },
		},
	};
}

TEST_F(tmpl, all_comes_back)
{
	struct template in = sample(), out;
	const struct process *p = &out.process;
	auto_arena a = ARENA_INIT;
	struct stat st;

	ASSERT_EQ(0, template_save(self->dir, &in, &self->e));
	ASSERT_EQ(0, fstatat(self->dir, "exec.tmpl", &st, 0));
	EXPECT_EQ(0600, st.st_mode & 07777);
	ASSERT_EQ(0, template_load(self->dir, &a, &out, &self->e));
	EXPECT_EQ(in.namespaces, out.namespaces);
	ASSERT_EQ(3, p->args.n);
	EXPECT_STREQ("prog", p->args.v[0]);
	EXPECT_STREQ("", p->args.v[1]);
	EXPECT_STREQ("a b\n\xff", p->args.v[2]);
	ASSERT_EQ(2, p->env.n);
	EXPECT_STREQ("PATH=/bin", p->env.v[1]);
	EXPECT_STREQ("/c w d", p->cwd);
	EXPECT_EQ(4294967294u, p->uid);
	EXPECT_EQ(6, p->gid);
	EXPECT_TRUE(p->has_umask && p->umask == 027 && p->has_oom_score_adj && p->oom_score_adj == -1000);
	EXPECT_TRUE(p->no_new_privileges && p->terminal && p->rows == 33 && p->columns == 77);
	ASSERT_EQ(3, p->gids.n);
	EXPECT_EQ(0, memcmp(gids, p->gids.v, sizeof(gids)));
	EXPECT_EQ(0, memcmp(in.process.caps, p->caps, sizeof(p->caps)));
	ASSERT_EQ(2, p->rlimits.n);
	EXPECT_EQ(0, memcmp(limits, p->rlimits.v, sizeof(limits)));
	EXPECT_EQ(0, memcmp(&in.process.tune.n, &p->tune.n, sizeof(p->tune.n)));
	EXPECT_STREQ("0-1", p->tune.mem_nodes);
	EXPECT_STREQ("/l p", p->listener_path);
	EXPECT_STREQ("m", p->listener_metadata);
	EXPECT_STREQ("a b", p->apparmor);
	EXPECT_STREQ("u:r:t:s0:c1,c2", p->selinux);
	EXPECT_STREQ("", p->tune.cpus_initial);
	EXPECT_STREQ("3", p->tune.cpus_final);
	ASSERT_EQ(3, p->filter.len);
	EXPECT_EQ(5, p->filter.load_flags);
	EXPECT_EQ(0, memcmp(bpf, p->filter.bpf, sizeof(bpf)));
}

TEST_F(tmpl, an_empty_one_is_empty)
{
	struct template in = { 0 }, out;
	auto_arena a = ARENA_INIT;

	ASSERT_EQ(0, template_save(self->dir, &in, &self->e));
	ASSERT_EQ(0, template_load(self->dir, &a, &out, &self->e));
	EXPECT_STREQ("/", out.process.cwd);
	EXPECT_EQ(0, out.process.args.n + out.process.env.n + out.process.gids.n + out.process.rlimits.n +
		     out.process.filter.len);
	EXPECT_EQ(0, out.process.tune.n.set);
	EXPECT_EQ(NULL, out.process.apparmor);
	EXPECT_EQ(NULL, out.process.selinux);
	EXPECT_FALSE(out.process.has_umask || out.process.has_oom_score_adj || out.process.terminal);
}

static void put_file(int dir, const void *p, size_t n)
{
	path_replace(dir, "exec.tmpl", 0600, p, n);
}

TEST_F(tmpl, every_truncation_and_every_surplus_is_refused)
{
	struct template in = sample(), out;
	auto_buf b = BUF_INIT;
	size_t n;

	ASSERT_EQ(0, template_save(self->dir, &in, &self->e));
	ASSERT_EQ(0, path_read(self->dir, "exec.tmpl", 100000, &b));
	for (n = 0; n < b.len + 20; n++) {
		int honest;

		/* as cut, and with a size that says so */
		for (honest = 0; honest < 2; honest++) {
			auto_arena a = ARENA_INIT;
			struct err e = { 0 };
			auto_buf c = BUF_INIT;
			uint32_t size = (uint32_t)n;

			buf_add(&c, b.data, b.len);
			buf_add(&c, "xxxxxxxxxxxxxxxxxxxx", 20);
			if (honest)
				memcpy(c.data + 8, &size, 4);
			put_file(self->dir, c.data, n);
			EXPECT_EQ(n == b.len, !template_load(self->dir, &a, &out, &e)) {
				TH_LOG("%zu of %zu bytes", n, b.len);
			}
			if (n != b.len)
				EXPECT_EQ(ERR_SPEC, e.kind);
		}
	}
}

TEST_F(tmpl, damaged_counts_are_refused)
{
	static const uint32_t values[] = { 0, 1, 2, 4, 5, 63, 64, 65, 1000, 65535, 65536, 0x1fffffff, 0x20000000,
					   0x40000001, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
	struct template in = sample(), out;
	auto_buf b = BUF_INIT;
	size_t field, i;

	ASSERT_EQ(0, template_save(self->dir, &in, &self->e));
	ASSERT_EQ(0, path_read(self->dir, "exec.tmpl", 100000, &b));
	/* magic, version, size; then gids, rlimits, filter, (flags), args, env */
	for (field = 0; field < 9; field++) {
		if (field == 6)
			continue;
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			auto_arena a = ARENA_INIT;
			struct err e = { 0 };
			auto_buf c = BUF_INIT;

			buf_add(&c, b.data, b.len);
			if (!memcmp(c.data + field * 4, &values[i], 4))
				continue;
			if (field == 3 && values[i] == 4)
				continue;	/* the third gid's padding is a fourth one */
			memcpy(c.data + field * 4, &values[i], 4);
			put_file(self->dir, c.data, c.len);
			EXPECT_NE(0, template_load(self->dir, &a, &out, &e)) {
				TH_LOG("field %zu: %u", field, values[i]);
			}
		}
	}
}

TEST_F(tmpl, any_changed_byte_is_survived)
{
	struct template in = sample(), out;
	auto_buf b = BUF_INIT;
	size_t i, k;

	ASSERT_EQ(0, template_save(self->dir, &in, &self->e));
	ASSERT_EQ(0, path_read(self->dir, "exec.tmpl", 100000, &b));
	for (i = 0; i < b.len; i++) {
		auto_arena a = ARENA_INIT;
		char kept = b.data[i];

		b.data[i] = (char)~kept;
		put_file(self->dir, b.data, b.len);
		if (!template_load(self->dir, &a, &out, &(struct err){ 0 })) {
			for (k = 0; k < out.process.args.n; k++)
				ASSERT_LE(strlen(out.process.args.v[k]), b.len);
			for (k = 0; k < out.process.env.n; k++)
				ASSERT_LE(strlen(out.process.env.v[k]), b.len);
		}
		b.data[i] = kept;
	}
	unlinkat(self->dir, "exec.tmpl", 0);
	EXPECT_EQ(-ENOENT, template_load(self->dir, &(struct arena){ 0 }, &out, &self->e));
	ASSERT_EQ(0, mkfifoat(self->dir, "exec.tmpl", 0600));
	EXPECT_EQ(-EINVAL, template_load(self->dir, &(struct arena){ 0 }, &out, &(struct err){ 0 }));
}

TEST_HARNESS_MAIN

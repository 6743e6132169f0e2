/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pure parts: conversions, paths, rules across fields. */
#include "cgroup.h"
#include "cgroup_fixture.h"
#include "kselftest_harness.h"

TEST(shares_to_weight)
{
	static const struct { uint64_t shares, weight; } v[] = {
		{ 1, 1 }, { 2, 1 }, { 3, 2 }, { 10, 4 }, { 100, 17 }, { 512, 59 }, { 1000, 99 },
		{ 1023, 100 }, { 1024, 100 }, { 1025, 101 }, { 2048, 174 }, { 4096, 303 },
		{ 10240, 639 }, { 65536, 3023 }, { 262143, 10000 }, { 262144, 10000 },
		{ UINT64_MAX, 10000 },
	};
	uint64_t last = 0;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		EXPECT_EQ(v[i].weight, cg_conv_weight(v[i].shares))
			TH_LOG("shares %llu", (unsigned long long)v[i].shares);
	}
	for (uint64_t s = 1; s <= 262144; s++) {
		uint64_t w = cg_conv_weight(s);

		ASSERT_GE(w, last);
		ASSERT_LE(w, 10000);
		last = w;
	}
}

TEST(io_weight)
{
	EXPECT_EQ(1, cg_conv_io_weight(10));
	EXPECT_EQ(910, cg_conv_io_weight(100));
	EXPECT_EQ(4950, cg_conv_io_weight(500));
	EXPECT_EQ(10000, cg_conv_io_weight(1000));
}

TEST(swap)
{
	static const struct { int64_t limit, swap, want; int r; } v[] = {
		{ 100, 300, 200, 0 },
		{ 100, 100, 0, 0 },		/* no swap at all */
		{ 100, 99, 0, -ERANGE },
		{ 0, 300, 0, -EINVAL },		/* swap without limit */
		{ 100, -1, -1, 0 },
		{ 0, -1, -1, 0 },
		{ -1, 0, -1, 0 },		/* memory unlimited means swap is */
		{ -1, 300, 300, 0 },
		{ 100, 0, INT64_MIN, 0 },	/* not asked for */
		{ 0, 0, INT64_MIN, 0 },
		{ INT64_MAX, INT64_MAX, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		int64_t out = 42;

		EXPECT_EQ(v[i].r, cg_conv_swap(v[i].limit, v[i].swap, &out));
		if (!v[i].r) {
			EXPECT_EQ(v[i].want, out);
		}
	}
}

static struct cg_host host_of(enum cg_mode mode, const char *own_a, const char *own_b)
{
	struct cg_host h = { .mode = mode };

	h.h[h.n++] = (struct cg_hierarchy){ mode == CG_MODE_V2 ? "" : "memory", "/m", own_a,
					    mode == CG_MODE_V2 };
	if (mode != CG_MODE_V2)
		h.h[h.n++] = (struct cg_hierarchy){ "cpu,cpuacct", "/c", own_b, false };
	return h;
}

TEST(path)
{
	static const struct {
		const char *name;
		enum cg_mode mode;
		const char *own_a, *own_b, *asked, *want;
		int kind;
	} v[] = {
		{ "absolute", CG_MODE_V1, "/x", "/x", "/a/b", "/a/b", 0 },
		{ "unclean", CG_MODE_V1, "/", "/", "//a/./b//c/../d/", "/a/b/d", 0 },
		{ "climbing", CG_MODE_V1, "/", "/", "/../../a", "/a", 0 },
		{ "climbing relative", CG_MODE_V1, "/x/y", "/x/y", "../../a", "/x/y/a", 0 },
		{ "empty is the id", CG_MODE_V1, "/", "/", "", "/the-id", 0 },
		{ "absent is the id", CG_MODE_V2, "/", "/", NULL, "/the-id", 0 },
		{ "v1 below our own", CG_MODE_V1, "/x/y", "/x/y", "a", "/x/y/a", 0 },
		{ "v1 below what they share", CG_MODE_V1, "/x/y", "/x/z", "a", "/x/a", 0 },
		{ "names that only begin alike", CG_MODE_V1, "/xy", "/xyz", "a", "/a", 0 },
		{ "one above the other", CG_MODE_V1, "/x/y/z", "/x/y", "a", "/x/y/a", 0 },
		{ "nothing in common", CG_MODE_V1, "/x", "/", "a", "/a", 0 },
		{ "v2 beside our own", CG_MODE_V2, "/x/y", "", "a", "/x/a", 0 },
		{ "v2 at the root", CG_MODE_V2, "/", "", "a", "/a", 0 },
		{ "literal colon", CG_MODE_V1, "/", "/", "a:b", "/a:b", 0 },
		{ "three parts, no slice", CG_MODE_V1, "/", "/", "/a:b:c", "/a:b:c", 0 },
		{ "systemd", CG_MODE_V1, "/", "/", "system.slice:cleat:id", NULL, ERR_UNSUPPORTED },
		{ "systemd, default slice", CG_MODE_V2, "/", "/", ":cleat:id", NULL, ERR_UNSUPPORTED },
		{ "systemd, all empty", CG_MODE_V2, "/", "/", "::", NULL, ERR_UNSUPPORTED },
		{ "systemd, climbing", CG_MODE_V2, "/", "/", "x.slice:..:y", NULL, ERR_UNSUPPORTED },
		{ "root", CG_MODE_V1, "/", "/", "/", NULL, ERR_SPEC },
		{ "root by climbing", CG_MODE_V1, "/", "/", "/a/..", NULL, ERR_SPEC },
		{ "our own by climbing", CG_MODE_V1, "/x", "/x", "..", NULL, ERR_SPEC },
		{ "newline", CG_MODE_V1, "/", "/", "/a\nb", NULL, ERR_SPEC },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct cg_host h = host_of(v[i].mode, v[i].own_a, v[i].own_b);
		char out[CG_PATH_MAX] = "";
		struct err e = { 0 };
		int r = cg_path(&h, v[i].asked, "the-id", out, sizeof(out), &e);

		EXPECT_EQ(v[i].kind != 0, r < 0)
			TH_LOG("%s", v[i].name);
		EXPECT_EQ(v[i].kind, e.kind)
			TH_LOG("%s", v[i].name);
		if (v[i].want) {
			EXPECT_STREQ(v[i].want, out)
				TH_LOG("%s", v[i].name);
		}
	}
}

TEST(path_too_long)
{
	struct cg_host h = host_of(CG_MODE_V1, "/", "/");
	char asked[5000], out[CG_PATH_MAX];
	struct err e = { 0 };

	memset(asked, 'a', sizeof(asked));
	asked[256] = 0;
	EXPECT_GT(0, cg_path(&h, asked, "id", out, sizeof(out), &e));
	EXPECT_EQ(ERR_SPEC, e.kind);
	asked[255] = 0;
	EXPECT_EQ(0, cg_path(&h, asked, "id", out, sizeof(out), NULL));
	for (size_t i = 0; i < sizeof(asked); i++)
		asked[i] = i % 2 ? 'a' : '/';
	asked[4998] = 0;
	e = (struct err){ 0 };
	EXPECT_GT(0, cg_path(&h, asked, "id", out, sizeof(out), &e));
	EXPECT_EQ(ERR_SPEC, e.kind);
	EXPECT_EQ(ENAMETOOLONG, e.errnum);
}

/* A message must keep the mount point and the file, whatever the path is. */
TEST(where_is_cut_in_the_middle)
{
	struct cg_host h = host_of(CG_MODE_V1, "/", "/");
	char path[2000], out[CG_WHERE_MAX];
	struct cg c = { .host = &h, .path = path };

	for (size_t len = 1; len < sizeof(path); len++) {
		memset(path, 'p', len);
		path[0] = '/';
		path[len] = 0;
		cg_where(&c, 0, "memory.max", out, sizeof(out));
		ASSERT_EQ(0, strncmp(out, "/m/", 3));
		ASSERT_STREQ(len == 1 ? "/memory.max" : "p/memory.max",
			     out + strlen(out) - (len == 1 ? 11 : 12));
	}
}

#define BAD(limits, field) do {						\
	struct err e_ = { 0 };						\
	EXPECT_GT(0, cg_limits_check(&(limits), "/p", &e_));		\
	EXPECT_EQ(ERR_SPEC, e_.kind);					\
	EXPECT_STREQ("/p/" field, e_.where);				\
} while (0)

TEST(check_devices)
{
	struct cg_device d = { .type = 'c', .access = "rwm" };
	struct cg_limits l = { .devices = { &d, 1 }, .has_devices = true };

	EXPECT_EQ(0, cg_limits_check(&l, "/p", NULL));
	d.access = "";
	BAD(l, "devices/0/access");
	d.access = NULL;
	BAD(l, "devices/0/access");
	d.access = "rx";
	BAD(l, "devices/0/access");
	d = (struct cg_device){ .type = 0, .access = NULL };	/* a type a needs none */
	EXPECT_EQ(0, cg_limits_check(&l, "/p", NULL));
}

TEST(check_values)
{
	struct cg_memory m = { .limit = 100, .has_limit = true, .swap = 99, .has_swap = true };
	struct cg_cpu cpu = { .cpus = "0-1,x" };
	struct cg_blkio b = { .weight = 9, .has_weight = true };
	struct cg_hugetlb h = { "2MB", 0 };
	struct cg_limits l = { .memory = &m };
	static const char *const sizes[] = { "", "2M", "../x", "0MB", "2MB/", "2mB", "MB" };

	BAD(l, "memory/swap");
	m.swap = -1;
	EXPECT_EQ(0, cg_limits_check(&l, "/p", NULL));
	l = (struct cg_limits){ .cpu = &cpu };
	BAD(l, "cpu/cpus");
	cpu = (struct cg_cpu){ .cpus = "0-1", .mems = "a" };
	BAD(l, "cpu/mems");
	l = (struct cg_limits){ .block_io = &b };
	BAD(l, "blockIO/weight");
	b.weight = 1001;
	BAD(l, "blockIO/weight");
	b.weight = 0;
	EXPECT_EQ(0, cg_limits_check(&l, "/p", NULL));
	l = (struct cg_limits){ .hugepage_limits = { &h, 1 } };
	EXPECT_EQ(0, cg_limits_check(&l, "/p", NULL));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		h.page_size = sizes[i];
		BAD(l, "hugepageLimits/0/pageSize");
	}
}

TEST(check_unified)
{
	static const struct { const char *key, *val; bool ok; } v[] = {
		{ "memory.max", "1", true }, { "cgroup.max.depth", "1", true },
		{ "hugetlb.2MB.max", "1", true }, { "io.bfq.weight", "8:0 3", true },
		{ "../x", "1", false }, { "cgroup.procs", "1", false }, { "cgroup.kill", "1", false },
		{ "cgroup.subtree_control", "-x", false }, { "cgroup.type", "threaded", false },
		{ "a/b.max", "1", false }, { "memory", "1", false }, { ".max", "1", false },
		{ "memory.", "1", false }, { "", "1", false }, { "memory.max\n", "1", false },
		{ "memory.max", "", false },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct keyval kv = { v[i].key, v[i].val };
		struct cg_limits l = { .unified = { &kv, 1 } };
		struct err e = { 0 };

		EXPECT_EQ(v[i].ok, !cg_limits_check(&l, "/p", &e))
			TH_LOG("%s", v[i].key);
	}
}

static const struct field *row(const struct object *o, const char *key)
{
	return field_find(o, key, strlen(key));
}

TEST(rdma_lines)
{
	const struct cg_rdma both = { "mlx5_0", 2, 2000, true, true }, one = { "hfi1", 0, 0, false, true };
	char line[128];

	cg_rdma_line(&both, line);
	EXPECT_STREQ("mlx5_0 hca_handle=2 hca_object=2000", line);
	cg_rdma_line(&one, line);
	EXPECT_STREQ("hfi1 hca_object=0", line);
}

TEST(check_rdma_and_network)
{
	static const struct { const char *name; bool device, interface; } v[] = {
		{ "mlx5_0", true, true }, { "eth0.5", true, true }, { "a", true, true }, { "", false, false },
		{ "a b", false, false }, { "a\n", false, false }, { "a=b", false, false }, { "../x", false, false },
		{ "sixteen-letters-", true, false }, { "fifteen-letters", true, true },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct cg_rdma d = { v[i].name, 1, 0, true, false };
		struct cg_if_priority p = { v[i].name, 5 };
		struct cg_network n = { .priorities = { &p, 1 } };
		struct cg_limits rdma = { .rdma = { &d, 1 } }, net = { .network = &n };
		struct err e = { 0 };

		EXPECT_EQ(v[i].device, !cg_limits_check(&rdma, "/p", &e)) TH_LOG("%s", v[i].name);
		err_clear(&e);
		EXPECT_EQ(v[i].interface, !cg_limits_check(&net, "/p", &e)) TH_LOG("%s", v[i].name);
		if (!v[i].interface)
			EXPECT_STREQ("/p/network/priorities/0/name", e.where);
		d.has_handles = false;
		EXPECT_GT(0, cg_limits_check(&rdma, "/p", &e));
	}
}

TEST(table_is_whole)
{
	ASSERT_NE(NULL, row(&cg_limits_object, "rdma"));
	EXPECT_EQ(FT_OBJMAP, row(&cg_limits_object, "rdma")->type);
	ASSERT_NE(NULL, row(&cg_limits_object, "network"));
	EXPECT_EQ(FT_OBJP, row(&cg_limits_object, "network")->type);
	EXPECT_EQ(NULL, row(&cg_limits_object, "Memory"));
	for (unsigned int i = 0; i < cg_limits_object.n; i++) {
		const struct field *f = &cg_limits_object.f[i];

		if (f->type == FT_OBJP || f->type == FT_OBJV) {
			EXPECT_NE(NULL, f->sub);
		}
		EXPECT_GT(cg_limits_object.size, f->off);
	}
}

/* Without a cgroup, whatever is asked of one is named; what is zero or of devices asks nothing. */
TEST(needed)
{
	struct cg_memory m = { .limit = 0, .has_limit = true };
	struct cg_cpu c = { .cpus = "" };
	struct cg_pids p = { .limit = 0, .has_limit = true };
	struct cg_blkio b = { 0 };
	struct cg_device d = { .type = 'a' };
	struct cg_limits l = {
		.memory = &m, .cpu = &c, .pids = &p, .block_io = &b, .devices = { &d, 1 }, .has_devices = true,
	};

	EXPECT_EQ(NULL, cg_limits_needed(&l));
	b.read_bps.n = 1;
	EXPECT_STREQ("/linux/resources/blockIO", cg_limits_needed(&l));
	p.limit = 5;
	EXPECT_STREQ("/linux/resources/pids/limit", cg_limits_needed(&l));
	c.cpus = "0";
	EXPECT_STREQ("/linux/resources/cpu/cpus", cg_limits_needed(&l));
	c.quota = -1;
	EXPECT_STREQ("/linux/resources/cpu/quota", cg_limits_needed(&l));
	m.limit = -1;
	EXPECT_STREQ("/linux/resources/memory/limit", cg_limits_needed(&l));
}

TEST_HARNESS_MAIN

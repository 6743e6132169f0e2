// SPDX-License-Identifier: LGPL-2.1-or-later
/* The lines of `events`, byte for byte, and what is read for them. */
#include "cgroup_fixture.h"
#include "events_json.h"
#include "kselftest_harness.h"
#include "ops.h"

static struct cg_stats v2_stats(void)
{
	struct cg_stats s = { .v2 = true };

	s.cpu.usage_us = 7;
	s.cpu.system_us = 5;
	s.cpu.user_us = 2;
	s.cpu.nr_periods = 1;
	s.cpu.throttled_us = 3;
	s.memory.usage = 4096;
	s.memory.limit = 1 << 20;
	s.memory.peak = 8192;
	s.memory.swap_usage = 1;
	s.memory.swap_limit = 10;
	s.pids.current = 2;
	s.pids.limit = UINT64_MAX;
	s.huge.n = 2;
	strcpy(s.huge.v[0].size, "2MB");
	strcpy(s.huge.v[1].size, "1GB");
	s.huge.v[0].max = 77;
	s.huge.v[1].usage = 9;
	s.huge.v[1].failcnt = 4;
	return s;
}

#define HEAD "{\"type\":\"stats\",\"id\":\"c1\",\"data\":{\"cpu\":{\"usage\":"
#define CPUSET "\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0," \
	"\"memory_migrate\":0,\"memory_spread_page\":0,\"memory_spread_slab\":0," \
	"\"memory_pressure\":0,\"sched_load_balance\":0,\"sched_relax_domain_level\":0}"
#define TAIL "\"intel_rdt\":{},\"network_interfaces\":null}}\n"

TEST(v2_has_v1_shapes)
{
	struct cg_stats s = v2_stats();
	struct keyval raw[] = { { "anon", "12" }, { "file", "34" } };
	struct cg_io_value io[] = { { 8, 0, 100, "Read" }, { 8, 0, 0, "Write" } };
	struct cg_detail d = { .memory = { raw, 2 } };
	auto_buf b = BUF_INIT;

	d.io[CG_IO_SERVICED] = (struct objv){ io, 2 };
	events_stats_json("c1", &s, &d, &b);
	ASSERT_TRUE(buf_ok(&b));
	EXPECT_STREQ(HEAD "{\"total\":7000,\"kernel\":5000,\"user\":2000},"
		     "\"throttling\":{\"periods\":1,\"throttledTime\":3000}}," CPUSET ","
		     "\"memory\":{\"cache\":34,\"usage\":{\"limit\":1048576,\"usage\":4096,"
		     "\"max\":8192,\"failcnt\":0},"
		     "\"swap\":{\"limit\":1048586,\"usage\":4097,\"failcnt\":0},"
		     "\"kernel\":{\"limit\":0,\"failcnt\":0},\"kernelTCP\":{\"limit\":0,\"failcnt\":0},"
		     "\"raw\":{\"anon\":12,\"file\":34}},\"pids\":{\"current\":2},"
		     "\"blkio\":{\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":100},"
		     "{\"major\":8,\"op\":\"Write\"}]},"
		     "\"hugetlb\":{\"1GB\":{\"usage\":9,\"failcnt\":4},\"2MB\":{\"failcnt\":0}}," TAIL,
		     b.data);
}

TEST(v2_no_swap_limit_stays_no_limit)
{
	struct cg_stats s = { .v2 = true };
	struct cg_detail d = { 0 };
	auto_buf b = BUF_INIT;

	s.memory.limit = 4096;
	s.memory.swap_limit = UINT64_MAX;
	events_stats_json("c1", &s, &d, &b);
	EXPECT_NE(NULL, strstr(b.data, "\"swap\":{\"limit\":18446744073709551615,\"failcnt\":0}"));
}

TEST(pressure_has_the_kernels_decimals)
{
	struct cg_stats s = { .v2 = true };
	struct cg_detail d = { 0 };
	auto_buf b = BUF_INIT;

	s.memory.psi = (struct cg_psi){ true, { 0, 1.5, 12.34, 99 }, { 0.05, 100, 0.1, 1 } };
	events_stats_json("c1", &s, &d, &b);
	EXPECT_NE(NULL, strstr(b.data, "\"psi\":{\"some\":{\"avg10\":0,\"avg60\":1.5,\"avg300\":12.34,"
				       "\"total\":99},\"full\":{\"avg10\":0.05,\"avg60\":100,"
				       "\"avg300\":0.1,\"total\":1}}"));
}

TEST(v1_lists_cpus)
{
	struct cg_stats s = { 0 };
	uint64_t per[] = { 1, 2 }, kernel[] = { 3, 4 }, user[] = { 5, 6 };
	uint32_t cpus[] = { 0, 1 };
	struct cg_detail d = { .per_cpu_kernel_ns = kernel, .per_cpu_user_ns = user, .n_cpu = 2 };
	auto_buf b = BUF_INIT;

	s.cpu.per_cpu_ns = per;
	s.cpu.n_cpu = 2;
	s.cpu.v1_total_ns = 3;
	d.cpuset.cpus = (struct u32v){ cpus, 2 };
	d.cpuset.flags[CG_SCHED_LOAD_BALANCE] = 1;
	d.cpuset.sched_relax_domain_level = -1;
	events_stats_json("c1", &s, &d, &b);
	EXPECT_NE(NULL, strstr(b.data, "{\"total\":3,\"percpu\":[1,2],\"percpu_kernel\":[3,4],"
				       "\"percpu_user\":[5,6],\"kernel\":0,\"user\":0}"));
	EXPECT_NE(NULL, strstr(b.data, "\"cpuset\":{\"cpus\":[0,1],\"cpu_exclusive\":0,"));
	EXPECT_NE(NULL, strstr(b.data, "\"sched_load_balance\":1,\"sched_relax_domain_level\":-1}"));
}

TEST(oom_line)
{
	auto_buf b = BUF_INIT;

	events_oom_json("c1", &b);
	EXPECT_STREQ("{\"type\":\"oom\",\"id\":\"c1\"}\n", b.data);
}

/* Files made by hand stand for a cgroup: which of the many blkio files counts. */
FIXTURE(files) { struct arena a; struct cg_host host; struct cg cg; char dir[64]; struct err e; };
FIXTURE_SETUP(files)
{
	memset(self, 0, sizeof(*self));
	for (size_t i = 0; i < CG_HIERARCHIES_MAX; i++)
		self->cg.dirfd[i] = self->cg.enterfd[i] = -1;
	strcpy(self->dir, "/tmp/cleat-detail.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->cg.host = &self->host;
	self->cg.path = "/x";
	self->host.n = 1;
	self->cg.dirfd[0] = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_GE(self->cg.dirfd[0], 0);
}
FIXTURE_TEARDOWN(files)
{
	path_remove_tree(AT_FDCWD, self->dir);
	arena_fini(&self->a);
	close(self->cg.dirfd[0]);
}

static int put(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

TEST_F(files, v1_takes_the_first_group_that_says_anything)
{
	struct cg_detail d;
	const struct cg_io_value *v;

	self->host.mode = CG_MODE_V1;
	self->host.h[0] = (struct cg_hierarchy){ .controllers = "blkio,cpuset,cpuacct,memory" };
	ASSERT_EQ(0, put(self->cg.dirfd[0], "blkio.bfq.io_serviced_recursive", "Total 0\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "blkio.throttle.io_serviced_recursive",
			 "8:16 Read 3\n8:16 Total 3\nTotal 3\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "blkio.throttle.io_service_bytes_recursive", "8:16 4096\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "blkio.throttle.io_serviced", "9:9 Read 1\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuset.cpus", "0-2,5\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuset.sched_relax_domain_level", "-1\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuacct.usage_all", "cpu user system\n0 10 20\n1 30 40\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuacct.stat", "user 1\nsystem 2\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "memory.stat", "rss 5\ncache 6\nbroken\nactive_anon 7\n"));
	ASSERT_EQ(0, cg_detail(&self->cg, CG_FOR_EVENTS, &d, &self->a, &self->e));
	ASSERT_EQ(2, d.io[CG_IO_SERVICED].n);
	v = d.io[CG_IO_SERVICED].v;
	EXPECT_EQ(8, v[0].major);
	EXPECT_EQ(16, v[0].minor);
	EXPECT_STREQ("Read", v[0].op);
	EXPECT_EQ(3, v[0].value);
	ASSERT_EQ(1, d.io[CG_IO_BYTES].n);
	v = d.io[CG_IO_BYTES].v;
	EXPECT_STREQ("", v[0].op);
	EXPECT_EQ(4096, v[0].value);
	ASSERT_EQ(4, d.cpuset.cpus.n);
	EXPECT_EQ(5, d.cpuset.cpus.v[3]);
	EXPECT_EQ(-1, d.cpuset.sched_relax_domain_level);
	ASSERT_EQ(2, d.n_cpu);
	EXPECT_EQ(30, d.per_cpu_user_ns[1]);
	EXPECT_EQ(20, d.per_cpu_kernel_ns[0]);
	EXPECT_EQ(2000000000ull / (uint64_t)sysconf(_SC_CLK_TCK), d.stat_kernel_ns);
	ASSERT_EQ(3, d.memory.n);
	EXPECT_STREQ("active_anon", d.memory.v[0].key);
	EXPECT_STREQ("7", d.memory.v[0].val);
	EXPECT_STREQ("rss", d.memory.v[2].key);
}

TEST_F(files, rdma_of_both_versions)
{
	const struct cg_rdma *v;
	struct cg_detail d;

	ASSERT_EQ(0, put(self->cg.dirfd[0], "rdma.current",
			 "mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "rdma.max", "mlx4_0 hca_handle=max hca_object=10000\n"));
	for (int v2 = 0; v2 < 2; v2++) {
		self->host.mode = v2 ? CG_MODE_V2 : CG_MODE_V1;
		self->host.h[0] = (struct cg_hierarchy){ .controllers = v2 ? "" : "rdma", .v2 = v2 };
		ASSERT_EQ(0, cg_detail(&self->cg, CG_FOR_EVENTS, &d, &self->a, &self->e));
		ASSERT_EQ(2, d.rdma_current.n);
		v = d.rdma_current.v;
		EXPECT_STREQ("mlx4_0", v[0].device);
		EXPECT_EQ(2, v[0].handles);
		EXPECT_EQ(2000, v[0].objects);
		EXPECT_STREQ("ocrdma1", v[1].device);
		EXPECT_EQ(3, v[1].handles);
		EXPECT_FALSE(v[1].has_objects);
		ASSERT_EQ(1, d.rdma_max.n);
		v = d.rdma_max.v;
		EXPECT_EQ(UINT32_MAX, v[0].handles);
		EXPECT_EQ(10000, v[0].objects);
		/* not a cgroup: the kernel counts nothing there */
		EXPECT_FALSE(d.tasks.known);
	}
}

TEST(devices_of_the_network)
{
	char text[] = "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
		"    lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n"
		"  eth0:1 2 3 4 5 6 7 8 11 12 13 14 15 16 17 18\n"
		"short: 1 2 3\n"
		"a_name_of_fifteen: 1 2 3 4 5 6 7 8 11 12 13 14 15 16 17 18\n"
		"x: 1 2 3 4 5 6 7 8 11 12 13 14 15 16 17 no\n"
		"last: 18446744073709551615 2 3 4 5 6 7 8 11 12 13 14 15 16 17 18";
	struct arena a = ARENA_INIT;
	const struct cleat_net *n;
	struct objv out;

	ASSERT_EQ(0, net_counters_parse(text, &out, &a));
	ASSERT_EQ(2, out.n);
	n = out.v;
	EXPECT_STREQ("eth0", n[0].name);
	EXPECT_EQ(1, n[0].rx_bytes);
	EXPECT_EQ(2, n[0].rx_packets);
	EXPECT_EQ(3, n[0].rx_errors);
	EXPECT_EQ(4, n[0].rx_dropped);
	EXPECT_EQ(11, n[0].tx_bytes);
	EXPECT_EQ(14, n[0].tx_dropped);
	EXPECT_STREQ("last", n[1].name);
	EXPECT_EQ(UINT64_MAX, n[1].rx_bytes);
	arena_fini(&a);
}

/* containerd's messages have no room for the rest, so nothing of it is read. */
TEST_F(files, metrics_take_devices_only)
{
	struct cg_detail d;

	self->host.mode = CG_MODE_V1;
	self->host.h[0] = (struct cg_hierarchy){ .controllers = "blkio,cpuset,cpuacct,memory" };
	ASSERT_EQ(0, put(self->cg.dirfd[0], "blkio.throttle.io_serviced", "9:9 Read 1\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuset.cpus", "0-2,5\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "cpuacct.stat", "user 1\nsystem 2\n"));
	ASSERT_EQ(0, put(self->cg.dirfd[0], "memory.stat", "rss 5\n"));
	ASSERT_EQ(0, cg_detail(&self->cg, CG_FOR_METRICS, &d, &self->a, &self->e));
	EXPECT_EQ(1, d.io[CG_IO_SERVICED].n);
	EXPECT_EQ(0, d.memory.n);
	EXPECT_EQ(0, d.cpuset.cpus.n);
	EXPECT_EQ(0, d.stat_user_ns);
}

TEST_F(files, v2_reads_io_stat)
{
	struct cg_detail d;
	const struct cg_io_value *v;

	self->host.mode = CG_MODE_V2;
	self->host.h[0] = (struct cg_hierarchy){ .controllers = "", .v2 = true };
	ASSERT_EQ(0, put(self->cg.dirfd[0], "io.stat",
			 "254:0 \n8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"));
	ASSERT_EQ(0, cg_detail(&self->cg, CG_FOR_EVENTS, &d, &self->a, &self->e));
	ASSERT_EQ(2, d.io[CG_IO_BYTES].n);
	v = d.io[CG_IO_BYTES].v;
	EXPECT_STREQ("Write", v[1].op);
	EXPECT_EQ(2, v[1].value);
	ASSERT_EQ(2, d.io[CG_IO_SERVICED].n);
	v = d.io[CG_IO_SERVICED].v;
	EXPECT_EQ(3, v[0].value);
}

TEST_HARNESS_MAIN

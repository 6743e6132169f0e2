/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units of systemd, the pure parts: names, places, values of annotations, properties. */
#include <errno.h>
#include <stdlib.h>
#include "cg_internal.h"
#include "unit_internal.h"
#include "kselftest_harness.h"

/* The words of @b with a '|' after each. */
static const char *shown(const struct buf *b)
{
	static char text[16384];
	size_t n = 0;

	for (; n < b->len && n + 1 < sizeof(text); n++)
		text[n] = b->data[n] ? b->data[n] : '|';
	text[n] = 0;
	return text;
}

TEST(forms)
{
	EXPECT_TRUE(cg_unit_form("system.slice:cleat:id"));
	EXPECT_TRUE(cg_unit_form(":cleat:id"));
	EXPECT_TRUE(cg_unit_form("::"));
	EXPECT_FALSE(cg_unit_form("/a/b"));
	EXPECT_FALSE(cg_unit_form("a:b"));
	EXPECT_FALSE(cg_unit_form("a.slice:b:c:d"));
	EXPECT_FALSE(cg_unit_form("/x:cri:id"));
	EXPECT_FALSE(cg_unit_form(".slice:cri:id"));
}

TEST(names)
{
	static const struct { const char *asked; bool user; const char *own, *name, *slice, *path; } v[] = {
		{ "system.slice:p:n", false, "/", "p-n.scope", "system.slice", "/system.slice/p-n.scope" },
		{ NULL, false, "/", "cleat-ID.scope", "system.slice", "/system.slice/cleat-ID.scope" },
		{ "", false, "/", "cleat-ID.scope", "system.slice", "/system.slice/cleat-ID.scope" },
		{ "::n", false, "/", "n.scope", "system.slice", "/system.slice/n.scope" },
		{ "-.slice:p:n", false, "/", "p-n.scope", "-.slice", "/p-n.scope" },
		{ "-:p:n", false, "/", "p-n.scope", "-.slice", "/p-n.scope" },
		{ "a-b-c.slice:p:n", false, "/", "p-n.scope", "a-b-c.slice",
		  "/a.slice/a-b.slice/a-b-c.slice/p-n.scope" },
		{ "a.slice:p:a-b.slice", false, "/", "a-b.slice", "a.slice", "/a.slice/a-b.slice" },
		{ ":cpu.x:n", false, "/", "cpu.x-n.scope", "system.slice", "/system.slice/_cpu.x-n.scope" },
		{ ":_x:n", false, "/", "_x-n.scope", "system.slice", "/system.slice/__x-n.scope" },
		{ ":p:n", true, "/user.slice/user-7.slice/user@7.service/app.slice/x.scope", "p-n.scope", "user.slice",
		  "/user.slice/user-7.slice/user@7.service/user.slice/p-n.scope" },
	};
	auto_arena a = ARENA_INIT;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct cg_unit u;
		struct err e = { 0 };
		char text[ERR_TEXT_MAX];

		ASSERT_EQ(0, cg_unit_parse(v[i].asked, "ID", v[i].user, v[i].own, &a, &u, &e))
			TH_LOG("%s: %s", v[i].asked, err_render(&e, text, sizeof(text)));
		EXPECT_STREQ(v[i].name, u.name);
		EXPECT_STREQ(v[i].slice, u.slice);
		EXPECT_STREQ(v[i].path, u.path);
		EXPECT_EQ(v[i].user, u.user);
	}
}

TEST(user_manager_by_its_usual_place)
{
	auto_arena a = ARENA_INIT;
	char want[128];
	struct cg_unit u;

	ASSERT_EQ(0, cg_unit_parse("", "ID", true, "/user.slice/user-7.slice/session-3.scope", &a, &u, NULL));
	snprintf(want, sizeof(want), "/user.slice/user-%u.slice/user@%u.service/user.slice/cleat-ID.scope",
		 geteuid(), geteuid());
	EXPECT_STREQ(want, u.path);
}

TEST(bad_names)
{
	static const char *const v[] = {
		"/a/b", "n", "a:b", "a.slice:b:c:d", "x:p:n", ".slice:p:n", "a/b.slice:p:n", "-a.slice:p:n",
		"a-.slice:p:n", "a--b.slice:p:n", "a.slice:p:", "a.slice:p/q:n", "a.slice:p:n/m", "a.slice:..:n+",
		"a.slice:p:n m", "a.slice:p:-.slice", "a.slice:p:a--b.slice",
	};
	auto_arena a = ARENA_INIT;
	struct cg_unit u;
	char lang[300];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct err e = { 0 };

		EXPECT_GT(0, cg_unit_parse(v[i], "ID", false, "/", &a, &u, &e))
			TH_LOG("%s was taken", v[i]);
		EXPECT_EQ(ERR_SPEC, e.kind);
		EXPECT_STREQ("/linux/cgroupsPath", e.where);
	}
	memset(lang, 'x', sizeof(lang));
	memcpy(lang, ":p:", 3);
	lang[299] = 0;
	EXPECT_GT(0, cg_unit_parse(lang, "ID", false, "/", &a, &u, NULL));
}

TEST(gvariant)
{
	static const struct { const char *text, *sig, *words; } v[] = {
		{ "true", "b", "1|" }, { "false", "b", "0|" },
		{ "5", "i", "5|" }, { "-5", "i", "-5|" }, { " 7 ", "i", "7|" },
		{ "uint64 5", "t", "5|" }, { "uint64 18446744073709551615", "t", "18446744073709551615|" },
		{ "int64 -9223372036854775808", "x", "-9223372036854775808|" },
		{ "byte 0xff", "y", "255|" }, { "uint32 010", "u", "8|" }, { "double 3", "d", "3|" },
		{ "1.5", "d", "1.5|" }, { "2e3", "d", "2e3|" },
		{ "'hello'", "s", "hello|" }, { "\"it's\"", "s", "it's|" }, { "'a\\'b\\n'", "s", "a'b\n|" },
		{ "''", "s", "|" }, { "objectpath '/a'", "o", "/a|" },
		{ "['a', 'b']", "as", "2|a|b|" }, { "@as []", "as", "0|" }, { "[uint32 1, 2]", "au", "2|1|2|" },
		{ "[1]", "ai", "1|1|" }, { "@at [1,2]", "at", "2|1|2|" },
		{ "('x', uint64 3)", "(st)", "x|3|" }, { "(1,)", "(i)", "1|" },
		{ "[('/dev/null', 'rwm'), ('/dev/zero', 'r')]", "a(ss)", "2|/dev/null|rwm|/dev/zero|r|" },
		{ "@a(st) [('/a', 1)]", "a(st)", "1|/a|1|" },
		{ "[[1],[2,3]]", "aai", "2|1|1|2|2|3|" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		auto_buf b = BUF_INIT;
		char sig[64] = "";

		EXPECT_EQ(0, unit_gvariant(v[i].text, sig, sizeof(sig), &b)) TH_LOG("%s", v[i].text);
		EXPECT_STREQ(v[i].sig, sig);
		EXPECT_STREQ(v[i].words, shown(&b));
	}
}

TEST(gvariant_bad)
{
	static const struct { const char *text; int r; } v[] = {
		{ "", -EINVAL }, { "x", -EINVAL }, { "5 6", -EINVAL }, { "'open", -EINVAL }, { "[]", -EINVAL },
		{ "[1,", -EINVAL }, { "[1,]", -EINVAL }, { "[1 2]", -EINVAL }, { "['a', 1]", -EINVAL },
		{ "()", -EINVAL }, { "(1", -EINVAL }, { "@", -EINVAL }, { "@a", -EINVAL }, { "@s 5", -EINVAL },
		{ "@(ii) (1)", -EINVAL }, { "@(i) (1,2)", -EINVAL }, { "uint32", -EINVAL }, { "uint32 'a'", -EINVAL },
		{ "{'a': 1}", -EINVAL }, { "<1>", -EINVAL }, { "nothing", -EINVAL }, { "'\\q'", -EINVAL },
		{ "'\xff'", -EINVAL }, { "5x", -EINVAL }, { "--5", -EINVAL }, { "1.2.3", -EINVAL },
		{ "2147483648", -ERANGE }, { "byte 256", -ERANGE }, { "uint64 -1", -ERANGE },
		{ "int16 -32769", -ERANGE }, { "uint64 18446744073709551616", -EINVAL },
		{ "[[[[[[[[[[[[1]]]]]]]]]]]]", -EINVAL }, { "uint32 uint32 uint32 uint32 uint32 uint32 uint32 uint32 uint32 1", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		auto_buf b = BUF_INIT;
		char sig[64] = "";

		EXPECT_EQ(v[i].r, unit_gvariant(v[i].text, sig, sizeof(sig), &b)) TH_LOG("%s", v[i].text);
	}
}

/* ---- properties ---- */

static const struct cg_host v1_host = { .mode = CG_MODE_V1 }, v2_host = { .mode = CG_MODE_V2 };

static const char *props(const struct cg_host *h, const struct cg_limits *l)
{
	auto_buf b = BUF_INIT;
	struct err e = { 0 };
	static char text[ERR_TEXT_MAX];

	if (unit_limits(&b, h, NULL, l, &e))
		return err_render(&e, text, sizeof(text));
	return shown(&b);
}

TEST(memory)
{
	struct cg_memory m = { .limit = 1000, .has_limit = true };
	struct cg_limits l = { .memory = &m };

	EXPECT_STREQ("MemoryMax|t|1000|", props(&v2_host, &l));
	EXPECT_STREQ("MemoryLimit|t|1000|", props(&v1_host, &l));
	m = (struct cg_memory){ .limit = 1000, .swap = 3000, .reservation = 500,
				.has_limit = true, .has_swap = true, .has_reservation = true };
	EXPECT_STREQ("MemoryMax|t|1000|MemoryLow|t|500|MemorySwapMax|t|2000|", props(&v2_host, &l));
	EXPECT_STREQ("MemoryLimit|t|1000|", props(&v1_host, &l));
	m = (struct cg_memory){ .limit = -1, .has_limit = true };
	EXPECT_STREQ("MemoryMax|t|18446744073709551615|MemorySwapMax|t|18446744073709551615|", props(&v2_host, &l));
	m = (struct cg_memory){ .swap = 3000, .has_swap = true };
	EXPECT_STREQ("", props(&v2_host, &l));	/* cg_apply() refuses it */
}

TEST(cpu)
{
	struct cg_cpu c = { .shares = 1024, .has_shares = true };
	struct cg_limits l = { .cpu = &c };

	EXPECT_STREQ("CPUWeight|t|100|", props(&v2_host, &l));
	EXPECT_STREQ("CPUShares|t|1024|", props(&v1_host, &l));
	c = (struct cg_cpu){ .shares = 1024, .has_shares = true, .idle = 1, .has_idle = true };
	EXPECT_STREQ("?CPUWeight|t|0|", props(&v2_host, &l));
	c = (struct cg_cpu){ .quota = 50000, .has_quota = true };
	EXPECT_STREQ("CPUQuotaPerSecUSec|t|500000|", props(&v2_host, &l));
	c = (struct cg_cpu){ .quota = 12345, .period = 50000, .has_quota = true, .has_period = true };
	EXPECT_STREQ("?CPUQuotaPeriodUSec|t|50000|CPUQuotaPerSecUSec|t|250000|", props(&v2_host, &l));
	c = (struct cg_cpu){ .quota = -1, .has_quota = true };
	EXPECT_STREQ("CPUQuotaPerSecUSec|t|18446744073709551615|", props(&v1_host, &l));
	c = (struct cg_cpu){ .quota = INT64_MAX, .has_quota = true, .period = 1, .has_period = true };
	EXPECT_STREQ("?CPUQuotaPeriodUSec|t|1|", props(&v2_host, &l));
	c = (struct cg_cpu){ .cpus = "0-1,9", .mems = "0" };
	EXPECT_STREQ("?AllowedCPUs|ay|2|3|2|?AllowedMemoryNodes|ay|1|1|", props(&v2_host, &l));
	EXPECT_STREQ("", props(&v1_host, &l));
	c = (struct cg_cpu){ .cpus = "8192" };
	EXPECT_STREQ("/linux/resources/cpu/cpus: \"8192\" is not a list of numbers below 8192", props(&v2_host, &l));
}

/* systemd counts in per cent: what it rounds up the files must say as well. */
TEST(quota_is_rounded)
{
	static const struct { int64_t quota; uint64_t period; int64_t want; } v[] = {
		{ 12345, 50000, 12500 }, { 50000, 100000, 50000 }, { 1, 100000, 1000 }, { 100001, 100000, 101000 },
		{ -1, 100000, -1 }, { 0, 100000, 0 }, { 12345, 0, 13000 }, { INT64_MAX, 1, INT64_MAX },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct cg_cpu c = { .quota = v[i].quota, .period = v[i].period, .has_quota = true, .has_period = true };
		struct cg_limits l = { .cpu = &c };

		cg_unit_round(NULL, &l);
		EXPECT_EQ(v[i].want, c.quota);
	}
	cg_unit_round(NULL, NULL);
}

TEST(pids_and_io)
{
	struct cg_weight_device d[] = { { 8, 0, 500, 0, true, false }, { 8, 16, 0, 20, false, true } };
	struct cg_blkio b = { .weight = 100, .has_weight = true, .weight_device = { d, 2 } };
	struct cg_pids p = { .limit = 0, .has_limit = true };
	struct cg_limits l = { .pids = &p };

	EXPECT_STREQ("TasksMax|t|1|", props(&v2_host, &l));
	p.limit = -1;
	EXPECT_STREQ("TasksMax|t|18446744073709551615|", props(&v1_host, &l));
	p.limit = 20;
	EXPECT_STREQ("TasksMax|t|20|", props(&v1_host, &l));
	l = (struct cg_limits){ .block_io = &b };
	EXPECT_STREQ("IOWeight|t|910|IODeviceWeight|a(st)|1|/dev/block/8:0|4950|", props(&v2_host, &l));
	EXPECT_STREQ("BlockIOWeight|t|100|BlockIODeviceWeight|a(st)|1|/dev/block/8:0|500|", props(&v1_host, &l));
}

TEST(unified)
{
	static const struct { const char *key, *val, *want; } v[] = {
		{ "memory.max", "max", "MemoryMax|t|18446744073709551615|" }, { "memory.high", "99", "MemoryHigh|t|99|" },
		{ "memory.min", "1", "MemoryMin|t|1|" }, { "memory.low", "2", "MemoryLow|t|2|" },
		{ "memory.swap.max", "0", "MemorySwapMax|t|0|" }, { "memory.zswap.max", "3", "?MemoryZSwapMax|t|3|" },
		{ "cpu.weight", "7", "CPUWeight|t|7|" }, { "cpu.idle", "1", "?CPUWeight|t|0|" }, { "cpu.idle", "0", "" },
		{ "cpu.max", "50000 100000", "?CPUQuotaPeriodUSec|t|100000|CPUQuotaPerSecUSec|t|500000|" },
		{ "cpu.max", "max", "CPUQuotaPerSecUSec|t|18446744073709551615|" },
		{ "cpu.max", "20000\n", "CPUQuotaPerSecUSec|t|200000|" }, { "cpu.max", "x", "" }, { "cpu.max", "1 0", "" },
		{ "cpuset.cpus", "0-7", "?AllowedCPUs|ay|1|255|" }, { "cpuset.mems", "1", "?AllowedMemoryNodes|ay|1|2|" },
		{ "memory.oom.group", "1", "?OOMPolicy|s|kill|" }, { "memory.oom.group", "0", "?OOMPolicy|s|continue|" },
		{ "pids.max", "0", "TasksMax|t|1|" }, { "pids.max", "max", "TasksMax|t|18446744073709551615|" },
		{ "io.weight", "default 200", "IOWeight|t|200|" }, { "io.weight", "8:0 5", "" },
		{ "io.max", "8:0 rbps=1", "" }, { "hugetlb.2MB.max", "0", "" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct keyval kv = { v[i].key, v[i].val };
		struct cg_limits l = { .unified = { &kv, 1 } };

		EXPECT_STREQ(v[i].want, props(&v2_host, &l)) TH_LOG("%s", v[i].key);
		EXPECT_STREQ("", props(&v1_host, &l));
	}
}

#define ALWAYS "char-*|m|block-*|m|/dev/char/1:3|rwm|/dev/char/1:8|rwm|/dev/char/1:7|rwm|/dev/char/5:0|rwm|" \
	"/dev/char/1:5|rwm|/dev/char/1:9|rwm|char-136|rwm|/dev/char/5:2|rwm|/dev/char/10:200|rwm|"

static const char *devices(struct cg_device *d, size_t n)
{
	struct cg_limits l = { .devices = { d, n }, .has_devices = true };
	auto_buf b = BUF_INIT;

	return unit_devices(&b, &l, NULL) ? "failed" : shown(&b);
}

TEST(device_rules)
{
	struct cg_device all = { .allow = true, .type = 'a', .access = "rwm" };
	struct cg_device none = { .allow = false, .access = "rwm" };
	struct cg_device some[] = {
		none,
		{ .allow = true, .type = 'b', .major = 8, .minor = 1, .has_major = true, .has_minor = true, .access = "r" },
		{ .allow = true, .type = 'c', .major = 4, .has_major = true, .access = "rw" },
	};
	struct cg_device denied[] = {
		some[2],
		{ .allow = false, .type = 'c', .major = 4, .minor = 7, .has_major = true, .has_minor = true, .access = "w" },
	};

	EXPECT_STREQ("DeviceAllow|a(ss)|0|DevicePolicy|s|auto|", devices(&all, 1));
	EXPECT_STREQ("DeviceAllow|a(ss)|0|DevicePolicy|s|strict|DeviceAllow|a(ss)|11|" ALWAYS, devices(&none, 1));
	EXPECT_STREQ("DeviceAllow|a(ss)|0|DevicePolicy|s|strict|DeviceAllow|a(ss)|13|/dev/block/8:1|r|char-4|rw|"
		     ALWAYS, devices(some, 3));
	/* systemd's list cannot say this; ours is the filter that does */
	EXPECT_STREQ("DeviceAllow|a(ss)|0|DevicePolicy|s|strict|DeviceAllow|a(ss)|12|char-4|rw|" ALWAYS,
		     devices(denied, 2));
}

static const char *notes(const char *name, const char *val)
{
	struct keyval kv[] = { { "other", "x" }, { name, val } };
	struct strmap map = { kv, 2 };
	static char text[ERR_TEXT_MAX];
	struct err e = { 0 };
	auto_buf b = BUF_INIT;

	if (unit_annotations(&b, &map, &e))
		return err_render(&e, text, sizeof(text));
	return shown(&b);
}

TEST(annotations)
{
#define P "org.systemd.property."
	EXPECT_STREQ("TimeoutStopUSec|t|5|", notes(P "TimeoutStopUSec", "uint64 5"));
	EXPECT_STREQ("TimeoutStopUSec|t|90000000|", notes(P "TimeoutStopSec", "90"));
	EXPECT_STREQ("TimeoutStopUSec|t|1500000|", notes(P "TimeoutStopSec", "1.5"));
	EXPECT_STREQ("CollectMode|s|inactive|", notes(P "CollectMode", "'inactive'"));
	EXPECT_STREQ("After|as|1|a.service|", notes(P "After", "['a.service']"));
	EXPECT_STREQ("", notes("org.systemd.propert", "x"));
	EXPECT_STREQ("/annotations: " P "TimeoutStopSec: not a number of seconds", notes(P "TimeoutStopSec", "'9'"));
	EXPECT_STREQ("/annotations: " P "TimeoutStopSec: not a number of seconds", notes(P "TimeoutStopSec", "-9"));
	EXPECT_STREQ("/annotations: " P "CollectMode: \"inactive\" is no value in GVariant's text form",
		     notes(P "CollectMode", "inactive"));
	EXPECT_STREQ("/annotations: " P "CPU: \"byte 300\" is a number out of its type's range", notes(P "CPU", "byte 300"));
	EXPECT_STREQ("/annotations: " P "X2: a property's name has only letters, and at least 3", notes(P "X2", "1"));
	EXPECT_STREQ("/annotations: " P "No: a property's name has only letters, and at least 3", notes(P "No", "1"));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the shim makes of argv, of annotations and of runtime options: pure parts of its start. */
#include <string.h>
#include "kselftest_harness.h"
#include "address.h"
#include "args.h"
#include "task_options.h"

#define HASH_ABC "8cb244a719603fe00870d5ce1d8e1f1db43a654cb993d107df1f1ae23ddffa59"

/* ---- argv ------------------------------------------------------------------------- */

#define ARGC(v) ((int)(sizeof(v) / sizeof(v[0])) - 1)

TEST(argv_as_containerd_gives_it)
{
	char *v[] = { "shim", "-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
		      "/usr/bin/containerd", "-id", "abc", "-bundle", "/b", "-debug", "delete", NULL };
	struct shim_args a;
	struct err e = { 0 };

	ASSERT_EQ(args_parse(ARGC(v), v, &a, &e), 0);
	EXPECT_STREQ(a.ns, "k8s.io");
	EXPECT_STREQ(a.address, "/run/c.sock");
	EXPECT_STREQ(a.publish_binary, "/usr/bin/containerd");
	EXPECT_STREQ(a.id, "abc");
	EXPECT_STREQ(a.bundle, "/b");
	EXPECT_STREQ(a.action, "delete");
	EXPECT_TRUE(a.debug);
	EXPECT_FALSE(a.info);
}

TEST(argv_forms_of_flags)
{
	char *v[] = { "shim", "--id", "x", "-namespace=n", "--debug=false", "-info", NULL };
	struct shim_args a;
	struct err e = { 0 };

	ASSERT_EQ(args_parse(ARGC(v), v, &a, &e), 0);
	EXPECT_STREQ(a.id, "x");
	EXPECT_STREQ(a.ns, "n");
	EXPECT_FALSE(a.debug);
	EXPECT_TRUE(a.info);
	EXPECT_EQ(a.action, NULL);
}

TEST(argv_flags_end_at_the_first_word)
{
	char *v[] = { "shim", "-id", "x", "start", "-nonsense", NULL };
	char *w[] = { "shim", "-id", "x", "--", "-dash", NULL };
	struct shim_args a;
	struct err e = { 0 };

	ASSERT_EQ(args_parse(ARGC(v), v, &a, &e), 0);
	EXPECT_STREQ(a.action, "start");
	ASSERT_EQ(args_parse(ARGC(w), w, &a, &e), 0);
	EXPECT_STREQ(a.action, "-dash");
}

FIXTURE(bad_argv) { int unused; };
FIXTURE_VARIANT(bad_argv) { char *word; const char *where; };
FIXTURE_SETUP(bad_argv) { self->unused = 0; }
FIXTURE_TEARDOWN(bad_argv) { }
FIXTURE_VARIANT_ADD(bad_argv, reject_unknown) { .word = "-bogus", .where = "-bogus" };
FIXTURE_VARIANT_ADD(bad_argv, reject_prefix) { .word = "-names=x", .where = "-names=x" };
FIXTURE_VARIANT_ADD(bad_argv, reject_missing_value) { .word = "-id", .where = "-id" };
FIXTURE_VARIANT_ADD(bad_argv, reject_bool_value) { .word = "-debug=maybe", .where = "-debug=maybe" };
TEST_F(bad_argv, names_the_flag)
{
	char *v[] = { "shim", variant->word, NULL };
	struct shim_args a;
	struct err e = { 0 };

	EXPECT_LT(args_parse(2, v, &a, &e), 0);
	EXPECT_EQ(e.kind, ERR_SPEC);
	EXPECT_STREQ(e.where, variant->where);
}

/* ---- socket and group ------------------------------------------------------------------ */

TEST(address_is_the_formula_of_ctr)
{
	struct shim_address a;
	struct err e = { 0 };

	/* printf %s /run/containerd/containerd.sock/default/abc | sha256sum */
	ASSERT_EQ(address_make(&a, NULL, "/run/containerd/containerd.sock", "default", "abc", &e), 0);
	EXPECT_STREQ(a.path, "/run/containerd/s/" HASH_ABC);
	EXPECT_STREQ(a.url, "unix:///run/containerd/s/" HASH_ABC);
	EXPECT_STREQ(a.dir, "/run/containerd/s");
}

TEST(address_cleans_the_path)
{
	struct shim_address a, b;
	struct err e = { 0 };

	ASSERT_EQ(address_make(&a, "", "/run//containerd/./containerd.sock", "default", "abc", &e), 0);
	ASSERT_EQ(address_make(&b, "/x", "/run/containerd/containerd.sock", "default", "abc", &e), 0);
	EXPECT_STREQ(strrchr(a.path, '/'), strrchr(b.path, '/'));
	EXPECT_EQ(strncmp(b.path, "/x/", 3), 0);
}

TEST(address_must_fit_a_socket)
{
	char dir[60];
	struct shim_address a;
	struct err e = { 0 };

	memset(dir, 'd', sizeof(dir) - 1);
	dir[0] = '/';
	dir[sizeof(dir) - 1] = 0;
	EXPECT_LT(address_make(&a, dir, "/c.sock", "ns", "id", &e), 0);
	EXPECT_EQ(e.kind, ERR_SPEC);
	dir[41] = 0;
	EXPECT_EQ(address_make(&a, dir, "/c.sock", "ns", "id", &(struct err){ 0 }), 0);
}

TEST(group_by_annotations)
{
	struct keyval kv[] = {
		{ "io.kubernetes.cri.sandbox-id", "pod" }, { "other", "x" },
		{ "io.containerd.runc.v2.group", "grp" },
	};
	struct strmap all = { kv, 3 }, cri = { kv, 2 }, none = { kv + 1, 1 }, empty = { 0 };

	EXPECT_STREQ(address_group(&all, "id"), "grp");
	EXPECT_STREQ(address_group(&cri, "id"), "pod");
	EXPECT_STREQ(address_group(&none, "id"), "id");
	EXPECT_STREQ(address_group(&empty, "id"), "id");
	kv[2].val = "";
	EXPECT_STREQ(address_group(&all, "id"), "pod");
}

/* ---- options ------------------------------------------------------------------------------ */

static int toml(const char *text, struct shim_options *o, struct arena *a, struct err *e)
{
	*o = SHIM_OPTIONS_INIT;
	return options_toml(text, strlen(text), o, a, NULL, e);
}

TEST(toml_as_cri_writes_it)
{
	static const char text[] =
		"BinaryName = \"/usr/bin/runc\"\n"
		"CriuImagePath = \"\"\n"
		"  IoGid = 7\r\n"
		"IoUid = 4294967295 # all\n"
		"NoPivotRoot = true\n"
		"NoNewKeyring = false\n"
		"Root = '/run/x y'\n"
		"ShimCgroup = \"a\\\"b\\\\\\t\"\n"
		"\"SystemdCgroup\" = true\n"
		"Unknown = [1, 2]\n"
		"\n[table]\nIoGid = 9\n";
	struct arena a = ARENA_INIT;
	struct shim_options o;
	struct err e = { 0 };

	ASSERT_EQ(toml(text, &o, &a, &e), 0);
	EXPECT_EQ(o.io_gid, 7);
	EXPECT_EQ(o.io_uid, UINT32_MAX);
	EXPECT_TRUE(o.no_pivot_root);
	EXPECT_FALSE(o.no_new_keyring);
	EXPECT_TRUE(o.systemd_cgroup);
	EXPECT_STREQ(o.root, "/run/x y");
	EXPECT_STREQ(o.shim_cgroup, "a\"b\\\t");
	arena_fini(&a);
}

/* What is not ours may be of any form, and what stands in it is no option. */
TEST(toml_values_of_several_lines)
{
	static const char text[] =
		"Array = [ # with a ] in the comment\n"
		"  \"a]\", 'b]\\',\n"
		"  \"\\\"]\", # IoUid = 2\n"
		"  [1, 2],\n"
		"]\n"
		"IoUid = 3\n"
		"CriuPath = { a = [\n"
		"IoUid = 4\n"
		"], b = 1 }\n"
		"IoGid = 5\n"
		"Text = \"\"\"\n"
		"IoGid = 6 \\\"\"\"\n"
		"[x]\n"
		"\"\"\" # \"\"\"\n"
		"Literal = '''\n"
		"NoPivotRoot = true\\'''\n"
		"Empty = \"\"\n"
		"Root = \"/r\"\n"
		"SystemdCgroup = true";
	struct arena a = ARENA_INIT;
	struct shim_options o;
	struct err e = { 0 };

	ASSERT_EQ(toml(text, &o, &a, &e), 0);
	EXPECT_EQ(o.io_uid, 3);
	EXPECT_EQ(o.io_gid, 5);
	EXPECT_FALSE(o.no_pivot_root);
	EXPECT_STREQ(o.root, "/r");
	EXPECT_TRUE(o.systemd_cgroup);
	EXPECT_EQ(toml("A = [\n1,", &o, &a, &e), 0);
	EXPECT_EQ(toml("A = \"\"\"\nx", &o, &a, &e), 0);
	EXPECT_EQ(toml("A = 'x\nIoUid = 1", &o, &a, &e), 0);
	EXPECT_EQ(o.io_uid, 1);
	arena_fini(&a);
}

FIXTURE(bad_toml) { struct arena a; };
FIXTURE_VARIANT(bad_toml) { const char *text, *where; };
FIXTURE_SETUP(bad_toml) { self->a = ARENA_INIT; }
FIXTURE_TEARDOWN(bad_toml) { arena_fini(&self->a); }
FIXTURE_VARIANT_ADD(bad_toml, reject_no_equals) { "NoPivotRoot", "runtime options" };
FIXTURE_VARIANT_ADD(bad_toml, reject_string_for_bool) { "SystemdCgroup = \"true\"", "SystemdCgroup" };
FIXTURE_VARIANT_ADD(bad_toml, reject_trailing) { "NoPivotRoot = true x", "NoPivotRoot" };
FIXTURE_VARIANT_ADD(bad_toml, reject_negative) { "IoUid = -1", "IoUid" };
FIXTURE_VARIANT_ADD(bad_toml, reject_large) { "IoUid = 4294967296", "IoUid" };
FIXTURE_VARIANT_ADD(bad_toml, reject_open_string) { "Root = \"/x", "Root" };
FIXTURE_VARIANT_ADD(bad_toml, reject_open_literal) { "Root = '/x", "Root" };
FIXTURE_VARIANT_ADD(bad_toml, reject_bare_word) { "ShimCgroup = abc", "ShimCgroup" };
FIXTURE_VARIANT_ADD(bad_toml, reject_array_of_lines) { "IoUid = [\n1\n]", "IoUid" };
FIXTURE_VARIANT_ADD(bad_toml, reject_empty_value) { "ShimCgroup =", "ShimCgroup" };
TEST_F(bad_toml, names_the_key)
{
	struct shim_options o;
	struct err e = { 0 };

	EXPECT_LT(toml(variant->text, &o, &self->a, &e), 0);
	EXPECT_EQ(e.kind, ERR_SPEC);
	EXPECT_STREQ(e.where, variant->where);
}

/* A config_body must never be taken for a field of another message (an empty ShimCgroup stays empty). */
TEST(any_with_toml_body)
{
	static const unsigned char any[] = "\x1a\x14SystemdCgroup = true";
	struct shim_options o = SHIM_OPTIONS_INIT;
	struct arena a = ARENA_INIT;
	struct err e = { 0 };

	ASSERT_EQ(options_any("runtimeoptions.v1.Options", any, sizeof(any) - 1, &o, &a, NULL, &e), 0);
	EXPECT_TRUE(o.systemd_cgroup);
	EXPECT_STREQ(o.shim_cgroup, "");
	EXPECT_EQ(options_any("x/unknown.Type", any, 3, &o, &a, NULL, &e), 0);
	EXPECT_EQ(options_any("runtimeoptions.v1.Options", NULL, 0, &o, &a, NULL, &e), 0);
	EXPECT_LT(options_any("x.io/containerd.runc.v1.Options", "\x1a\x7f", 2, &o, &a, NULL, &e), 0);
	arena_fini(&a);
}

TEST(any_with_runc_options)
{
	/* no_pivot_root, shim_cgroup "/c", io_uid 5, systemd_cgroup */
	static const unsigned char any[] = "\x08\x01\x1a\x02/c\x20\x05\x48\x01";
	struct shim_options o = SHIM_OPTIONS_INIT;
	struct arena a = ARENA_INIT;
	struct err e = { 0 };

	ASSERT_EQ(options_any("type.googleapis.com/containerd.runc.v1.Options", any,
			      sizeof(any) - 1, &o, &a, NULL, &e), 0);
	EXPECT_TRUE(o.no_pivot_root);
	EXPECT_TRUE(o.systemd_cgroup);
	EXPECT_STREQ(o.shim_cgroup, "/c");
	EXPECT_EQ(o.io_uid, 5);
	arena_fini(&a);
}

TEST_HARNESS_MAIN

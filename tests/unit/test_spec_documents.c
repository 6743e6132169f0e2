/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole documents: those that other programs really write (tests/unit/spec), the default one, features. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include "spec_fixture.h"
#include "cleat.h"
#include "json.h"
#include "pathfs.h"

/* ---- documents of other programs ---- */

FIXTURE(real)
{
	struct arena a;
	struct spec *s;
	struct err e;
};
FIXTURE_SETUP(real)
{
	memset(self, 0, sizeof(*self));
}
FIXTURE_TEARDOWN(real)
{
	arena_fini(&self->a);
}
FIXTURE_VARIANT(real) { const char *file; size_t mounts; };
FIXTURE_VARIANT_ADD(real, accept_runc) { "runc.json", 7 };
FIXTURE_VARIANT_ADD(real, accept_runc_rootless) { "runc-rootless.json", 7 };
FIXTURE_VARIANT_ADD(real, accept_crun) { "crun.json", 7 };
FIXTURE_VARIANT_ADD(real, accept_containerd) { "containerd.json", 7 };
FIXTURE_VARIANT_ADD(real, accept_docker) { "docker.json", 11 };
FIXTURE_VARIANT_ADD(real, accept_docker_privileged) { "docker-privileged.json", 10 };
FIXTURE_VARIANT_ADD(real, accept_podman) { "podman.json", 12 };
FIXTURE_VARIANT_ADD(real, accept_podman_privileged) { "podman-privileged.json", 11 };
FIXTURE_VARIANT_ADD(real, accept_podman_userns) { "podman-userns.json", 10 };
TEST_F(real, document)
{
	char path[512], *text;
	auto_buf b = BUF_INIT, copy = BUF_INIT;
	struct spec *again;

	snprintf(path, sizeof(path), "%s/tests/unit/spec/%s", TEST_SRCDIR, variant->file);
	logged[0] = 0;
	ASSERT_EQ(0, spec_load(AT_FDCWD, path, &self->a, &self->s, &test_log, &self->e))
		TH_LOG("%s: %s: %s", path, self->e.where, self->e.msg);
	EXPECT_STREQ("", logged);	/* nor a word of warning */
	EXPECT_NE(NULL, self->s->process);
	EXPECT_EQ(variant->mounts, self->s->mounts.n);
	ASSERT_EQ(0, json_write(&spec_object, self->s, false, &b));
	ASSERT_EQ(0, spec_parse(b.data, b.len, &self->a, &again, NULL, &self->e))
		TH_LOG("%s: %s", self->e.where, self->e.msg);
	ASSERT_EQ(0, json_write(&spec_object, again, false, &copy));
	text = copy.data;
	EXPECT_STREQ(b.data, text);
}

/* ---- the default document ---- */

static char *effect_of(FIXTURE_DATA(spec) *self, const char *json, size_t len)
{
	struct spec *s;
	struct buf b = BUF_INIT;
	struct spec_idmap *m;

	if (spec_parse(json, len, &self->a, &s, NULL, &self->e))
		return NULL;
	s->oci_version = s->hostname = "";
	/* ambient capabilities without inheritable ones have no effect */
	memset(&s->process->capabilities->ambient, 0, sizeof(struct strv));
	for (size_t i = 0; i < s->linux_->uid_mappings.n; i++) {
		m = s->linux_->uid_mappings.v;
		m[i].host_id = 0;
		m = s->linux_->gid_mappings.v;
		m[i].host_id = 0;
	}
	if (json_write(&spec_object, s, true, &b))
		return NULL;
	return b.data;
}

/* On a host with cgroup v2 alone the default has one namespace more than the file. */
static void cut_cgroup_namespace(char *json)
{
	static const char extra[] = ",\n      {\n        \"type\": \"cgroup\"\n      }";
	char *p = strstr(json, extra);

	if (p)
		memmove(p, p + sizeof(extra) - 1, strlen(p + sizeof(extra) - 1) + 1);
}

TEST_F(spec, default_is_what_others_write)
{
	for (int rootless = 0; rootless < 2; rootless++) {
		auto_buf file = BUF_INIT;
		char path[512], *ours = cleat_spec_default(rootless), *a, *b;

		snprintf(path, sizeof(path), "%s/tests/unit/spec/runc%s.json", TEST_SRCDIR,
			 rootless ? "-rootless" : "");
		ASSERT_EQ(0, path_read(AT_FDCWD, path, 1 << 20, &file));
		ASSERT_NE(NULL, ours);
		a = effect_of(self, ours, strlen(ours));
		ASSERT_NE(NULL, a) TH_LOG("%s: %s", self->e.where, self->e.msg);
		b = effect_of(self, file.data, file.len);
		ASSERT_NE(NULL, b);
		cut_cgroup_namespace(a);
		EXPECT_STREQ(b, a);
		EXPECT_EQ('}', ours[strlen(ours) - 1]);
		EXPECT_NE(NULL, strstr(ours, "\n\t\"mounts\": [\n\t\t{\n\t\t\t\"destination\": \"/proc\","));
		free(a);
		free(b);
		free(ours);
	}
}

/* ---- features ---- */

struct f_seccomp { bool enabled; struct strv actions, operators, archs, known_flags, supported_flags; };
struct f_linux { struct strv namespaces, capabilities; struct f_seccomp seccomp; };
struct features {
	const char *min, *max;
	struct strv hooks, mount_options;
	struct f_linux l;
	struct strmap annotations;
	struct strv unsafe; bool has_unsafe;
};
#define AT(t, m) .off = FIELD_OFF(struct t, m)
static const struct field f_seccomp_fields[] = {
	{ .key = "enabled", .type = FT_BOOL, AT(f_seccomp, enabled) },
	{ .key = "actions", .type = FT_STRV, .flags = F_NONEMPTY, AT(f_seccomp, actions) },
	{ .key = "operators", .type = FT_STRV, .flags = F_NONEMPTY, AT(f_seccomp, operators) },
	{ .key = "archs", .type = FT_STRV, .flags = F_NONEMPTY, AT(f_seccomp, archs) },
	{ .key = "knownFlags", .type = FT_STRV, .flags = F_NONEMPTY, AT(f_seccomp, known_flags) },
	{ .key = "supportedFlags", .type = FT_STRV, .flags = F_REQUIRED, AT(f_seccomp, supported_flags) },
};
static OBJECT(f_seccomp_object, struct f_seccomp, f_seccomp_fields);
static const struct field f_linux_fields[] = {
	{ .key = "namespaces", .type = FT_STRV, AT(f_linux, namespaces) },
	{ .key = "capabilities", .type = FT_STRV, AT(f_linux, capabilities) },
	{ .key = "seccomp", .type = FT_OBJ, .flags = F_REQUIRED, AT(f_linux, seccomp), .sub = &f_seccomp_object },
};
static OBJECT(f_linux_object, struct f_linux, f_linux_fields);
static const struct field features_fields[] = {
	{ .key = "ociVersionMin", .type = FT_STR, .flags = F_REQUIRED, AT(features, min) },
	{ .key = "ociVersionMax", .type = FT_STR, .flags = F_REQUIRED, AT(features, max) },
	{ .key = "hooks", .type = FT_STRV, AT(features, hooks) },
	{ .key = "mountOptions", .type = FT_STRV, AT(features, mount_options) },
	{ .key = "linux", .type = FT_OBJ, .flags = F_REQUIRED, AT(features, l), .sub = &f_linux_object },
	{ .key = "annotations", .type = FT_MAP, .flags = F_REQUIRED, AT(features, annotations) },
	{ .key = "potentiallyUnsafeConfigAnnotations", .type = FT_STRV, .flags = F_REQUIRED, AT(features, unsafe) },
};
static OBJECT(features_object, struct features, features_fields);

static bool has(const struct strv *v, const char *word)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->v[i], word))
			return true;
	return false;
}

TEST_F(spec, features_document)
{
	char *json = cleat_features_json();
	struct features f;

	ASSERT_NE(NULL, json);
	EXPECT_EQ(NULL, strchr(json, '\n'));
	ASSERT_EQ(0, json_read(json, strlen(json), &features_object, &f, &self->a, "features", "", NULL, &self->e))
		TH_LOG("%s: %s", self->e.where, self->e.msg);
	EXPECT_STREQ("1.0.0", f.min);
	EXPECT_STREQ(CLEAT_SPEC_VERSION, f.max);
	EXPECT_EQ(6, f.hooks.n);
	EXPECT_TRUE(has(&f.hooks, "createRuntime") && has(&f.hooks, "poststop"));
	EXPECT_EQ(67, f.mount_options.n);
	for (size_t i = 1; i < f.mount_options.n; i++)
		EXPECT_LT(strcmp(f.mount_options.v[i - 1], f.mount_options.v[i]), 0);
	EXPECT_TRUE(has(&f.mount_options, "idmap"));
	EXPECT_EQ(8, f.l.namespaces.n);
	EXPECT_EQ(CAP_LAST_CAP + 1, f.l.capabilities.n);
	EXPECT_TRUE(has(&f.l.capabilities, "CAP_SYS_ADMIN") && has(&f.l.capabilities, "CAP_BPF"));
	EXPECT_TRUE(f.l.seccomp.enabled && has(&f.l.seccomp.actions, "SCMP_ACT_ERRNO"));
	EXPECT_TRUE(has(&f.l.seccomp.actions, "SCMP_ACT_NOTIFY"));
	EXPECT_TRUE(has(&f.l.seccomp.operators, "SCMP_CMP_MASKED_EQ"));
	EXPECT_TRUE(has(&f.l.seccomp.archs, "SCMP_ARCH_X86_64"));
	for (size_t i = 0; i < f.l.seccomp.supported_flags.n; i++)
		EXPECT_TRUE(has(&f.l.seccomp.known_flags, f.l.seccomp.supported_flags.v[i]));
	EXPECT_EQ(3, f.annotations.n);
	ASSERT_EQ(6, f.unsafe.n);
	EXPECT_STREQ("run.oci.pidfd_receiver", f.unsafe.v[3]);
	EXPECT_STREQ("org.systemd.property.", f.unsafe.v[0]);
	free(json);
}

TEST_HARNESS_MAIN

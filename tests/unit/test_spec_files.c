/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json as a file: what is none, looks into one. Ids of containers, names of the tables. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "cleat.h"
#include "fd.h"
#include "pathfs.h"
#include "spec.h"

/* ---- files ---- */

FIXTURE(file)
{
	struct arena a;
	struct spec *s;
	struct err e;
	char dir[64];
	int dirfd;
};
FIXTURE_SETUP(file)
{
	memset(self, 0, sizeof(*self));
	strcpy(self->dir, "/tmp/cleat-test-spec-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->dirfd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_GE(self->dirfd, 0);
}
FIXTURE_TEARDOWN(file)
{
	fd_close(&self->dirfd);
	path_remove_tree(AT_FDCWD, self->dir);
	arena_fini(&self->a);
}

TEST_F(file, odd_files_are_refused)
{
	int big = openat(self->dirfd, "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_EQ(0, mkfifoat(self->dirfd, "fifo", 0600));
	ASSERT_EQ(0, mkdirat(self->dirfd, "folder", 0700));
	ASSERT_EQ(0, symlinkat("loop", self->dirfd, "loop"));
	ASSERT_EQ(0, path_replace(self->dirfd, "empty", 0600, "", 0));
	ASSERT_EQ(0, ftruncate(big, LIMIT_JSON_BYTES + 1));
	close(big);

	EXPECT_EQ(-ENOENT, spec_load(self->dirfd, "none", &self->a, &self->s, NULL, &self->e));
	EXPECT_EQ(ERR_NOT_FOUND, self->e.kind);
	EXPECT_STREQ("none", self->e.where);
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(-EINVAL, spec_load(self->dirfd, "fifo", &self->a, &self->s, NULL, &self->e));
	EXPECT_STREQ("is not a regular file", self->e.msg);
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(-EINVAL, spec_load(self->dirfd, "folder", &self->a, &self->s, NULL, &self->e));
	EXPECT_STREQ("is not a regular file", self->e.msg);
	EXPECT_EQ(-EINVAL, spec_load(AT_FDCWD, "/dev/zero", &self->a, &self->s, NULL, &self->e));
	EXPECT_EQ(-ELOOP, spec_load(self->dirfd, "loop", &self->a, &self->s, NULL, NULL));
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(-EINVAL, spec_load(self->dirfd, "empty", &self->a, &self->s, NULL, &self->e));
	EXPECT_NE(NULL, strstr(self->e.msg, "not valid JSON at byte 0"));
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(-EFBIG, spec_load(self->dirfd, "big", &self->a, &self->s, NULL, &self->e));
	EXPECT_EQ(ERR_LIMIT, self->e.kind);
}

TEST_F(file, peeks)
{
	static const char doc[] = "{\"process\":{\"terminal\":true,\"args\":5},\"annotations\":{\"a\":\"b\"},\"linux\":7}";
	struct strmap m = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/config.json", self->dir);
	EXPECT_EQ(-ENOENT, cleat_spec_terminal(path, &self->e));
	EXPECT_EQ(ERR_NOT_FOUND, self->e.kind);
	ASSERT_EQ(0, path_replace(self->dirfd, "config.json", 0600, doc, strlen(doc)));
	EXPECT_EQ(1, cleat_spec_terminal(path, NULL));
	ASSERT_EQ(0, cleat_spec_annotations(path, &m, &self->a, NULL));
	ASSERT_EQ(1, m.n);
	EXPECT_STREQ("b", m.v[0].val);
	ASSERT_EQ(0, path_replace(self->dirfd, "config.json", 0600, "{}", 2));
	EXPECT_EQ(0, cleat_spec_terminal(path, NULL));
	ASSERT_EQ(0, cleat_spec_annotations(path, &m, &self->a, NULL));
	EXPECT_EQ(0, m.n);
	ASSERT_EQ(0, path_replace(self->dirfd, "config.json", 0600, "{\"annotations\":[]}", 18));
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(-EINVAL, cleat_spec_annotations(path, &m, &self->a, &self->e));
	EXPECT_STREQ("/annotations", self->e.where);
}

/* ---- ids, names ---- */

FIXTURE(id) { struct err e; };
FIXTURE_SETUP(id) { memset(self, 0, sizeof(*self)); }
FIXTURE_TEARDOWN(id) { }
FIXTURE_VARIANT(id) { const char *id; int want; };
FIXTURE_VARIANT_ADD(id, accept_plain) { "a1_B+c.d-e", 0 };
FIXTURE_VARIANT_ADD(id, accept_like_an_option) { "-rf", 0 };
FIXTURE_VARIANT_ADD(id, accept_dot_inside) { "a..b", 0 };
FIXTURE_VARIANT_ADD(id, refuse_empty) { "", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_dot) { ".", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_dotdot) { "..", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_leading_dot) { ".cache", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_slash) { "a/b", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_climbing) { "../x", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_format) { "%s", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_newline) { "a\nb", -EINVAL };
FIXTURE_VARIANT_ADD(id, refuse_non_ascii) { "\xc3\xa9", -EINVAL };
TEST_F(id, check)
{
	char text[ERR_TEXT_MAX];

	EXPECT_EQ(variant->want, cleat_id_check(variant->id, &self->e));
	if (!variant->want)
		return;
	err_render(&self->e, text, sizeof(text));
	EXPECT_EQ(0, strncmp(text, "invalid container ID format: \"", 30)) TH_LOG("%s", text);
	EXPECT_EQ(NULL, strchr(text, '\n'));
}

TEST_F(id, ends_at_255_bytes)
{
	char id[2001];

	memset(id, 'a', 2000);
	id[255] = 0;
	EXPECT_EQ(0, cleat_id_check(id, NULL));
	id[255] = 'a';
	id[256] = 0;
	EXPECT_EQ(-EINVAL, cleat_id_check(id, NULL));
	id[256] = 'a';
	id[2000] = 0;
	EXPECT_EQ(-EINVAL, cleat_id_check(id, &self->e));
	EXPECT_LT(strlen(self->e.msg), 300);
}

TEST(names)
{
	EXPECT_STREQ("creating", cleat_status_name(CLEAT_CREATING));
	EXPECT_STREQ("created", cleat_status_name(CLEAT_CREATED));
	EXPECT_STREQ("running", cleat_status_name(CLEAT_RUNNING));
	EXPECT_STREQ("paused", cleat_status_name(CLEAT_PAUSED));
	EXPECT_STREQ("stopped", cleat_status_name(CLEAT_STOPPED));
	EXPECT_STREQ("unknown", cleat_status_name(77));
	EXPECT_STREQ("network", spec_namespace_name(CLONE_NEWNET));
	EXPECT_STREQ("?", spec_namespace_name(1));
	EXPECT_TRUE(strncmp(cleat_libseccomp_version(), "2.", 2) == 0);
	EXPECT_EQ(NULL, strstr(cleat_libseccomp_version(), "SCMP"));
}

TEST_HARNESS_MAIN

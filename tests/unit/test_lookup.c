/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the container that decide what runs: PATH, passwd. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "bounds.h"
#include "deny.h"
#include "fd.h"
#include "pathfs.h"
#include "steps.h"

FIXTURE(lookup) { char top[64]; int dir; };
FIXTURE_VARIANT(lookup) { int err; };
FIXTURE_VARIANT_ADD(lookup, by_the_kernel) { 0 };
FIXTURE_VARIANT_ADD(lookup, without_faccessat2) { ENOSYS };
FIXTURE_VARIANT_ADD(lookup, under_a_filter) { EPERM };

static void put(int dir, const char *name, mode_t mode, const char *text, size_t n)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)!write(fd, text, n);
	fchmod(fd, mode);
	close(fd);
}

FIXTURE_SETUP(lookup)
{
	static const char *const dirs[] = { "a", "b", "etc", "a/dir", "b/both" };
	size_t i;

	snprintf(self->top, sizeof(self->top), "/tmp/cleat-look.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	self->dir = open(self->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < 5; i++)
		mkdirat(self->dir, dirs[i], 0755);
	put(self->dir, "a/tool", 0755, "", 0);
	put(self->dir, "b/tool", 0755, "", 0);
	put(self->dir, "b/only-b", 0755, "", 0);
	put(self->dir, "a/plain", 0644, "", 0);
	put(self->dir, "a/later", 0644, "", 0);
	put(self->dir, "b/later", 0755, "", 0);
	put(self->dir, "here", 0755, "", 0);
	symlinkat("nowhere", self->dir, "a/broken");
	ASSERT_EQ(0, fchdir(self->dir));
	if (variant->err)
		ASSERT_EQ(0, DENY(variant->err, 439 /* faccessat2 */));
}
FIXTURE_TEARDOWN(lookup)
{
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(0, path_remove_tree(AT_FDCWD, self->top));
	close(self->dir);
}

TEST_F(lookup, programs)
{
	static const struct { const char *name, *path, *found, *msg; int r; } rows[] = {
		{ "tool", "PATH=a:b", "a/tool", NULL, 0 }, { "tool", "PATH=nothing:b", "b/tool", NULL, 0 },
		{ "only-b", "PATH=a:b", "b/only-b", NULL, 0 }, { "later", "PATH=a:b", "b/later", NULL, 0 },
		{ "here", "PATH=", NULL, "executable file not found in $PATH", -EINVAL },
		{ "here", "PATH=:b", "./here", NULL, 0 }, { "here", "PATH=b::a", "./here", NULL, 0 },
		{ "here", "NOPATH=b", NULL, "executable file not found in $PATH", -EINVAL },
		{ "plain", "PATH=a:b", NULL, "exec: \"plain\"", -EACCES },
		{ "dir", "PATH=a:b", NULL, "executable file not found in $PATH", -EINVAL },
		{ "broken", "PATH=a:b", NULL, "executable file not found in $PATH", -EINVAL },
		{ "", "PATH=a:b", NULL, "executable file not found in $PATH", -EINVAL },
		{ "missing", "PATH=a:b", NULL, "exec: \"missing\": executable file not found in $PATH", -EINVAL },
		{ "a/tool", "PATH=", "a/tool", NULL, 0 }, { "./here", "PATH=", "./here", NULL, 0 },
		{ "a/missing", "PATH=a", NULL, "exec: \"a/missing\": stat a/missing", -ENOENT },
		{ "a/plain", "PATH=a", NULL, "exec: \"a/plain\"", -EACCES },
		{ "a/dir", "PATH=a", NULL, "permission denied", -EISDIR },
		{ "a/tool/x", "PATH=a", NULL, "exec", -ENOTDIR },
	};
	char out[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *args[] = { rows[i].name }, *env[] = { "PATH=/first/one/is/overridden", rows[i].path };
		struct process p = { .args = { args, 1 }, .env = { env + !strncmp(rows[i].path, "NO", 2), 0 } };
		struct err e = { 0 };

		p.env.n = p.env.v == env ? 2 : 1;
		EXPECT_EQ(rows[i].r, lookup_executable(&p, out, sizeof(out), &e)) {
			TH_LOG("%s by %s: %s", rows[i].name, rows[i].path, e.msg);
		}
		if (rows[i].found) {
			EXPECT_STREQ(rows[i].found, out);
		} else {
			EXPECT_NE(NULL, strstr(e.msg, rows[i].msg)) {
				TH_LOG("%s: %s", rows[i].name, e.msg);
			}
		}
	}
}

TEST_F(lookup, a_long_path_is_skipped_not_cut)
{
	static char path[9000] = "PATH=";
	const char *args[] = { "tool" }, *env[] = { path };
	struct process p = { .args = { args, 1 }, .env = { env, 1 } };
	char out[PATH_MAX];
	struct err e = { 0 };

	memset(path + 5, 'x', 6000);
	strcpy(path + 6005, ":a");
	EXPECT_EQ(0, lookup_executable(&p, out, sizeof(out), &e));
	EXPECT_STREQ("a/tool", out);
}

static const char *home(int dir, uint32_t uid)
{
	static char out[PATH_MAX];

	lookup_home(dir, uid, out, sizeof(out));
	return out;
}

TEST_F(lookup, homes)
{
	static const char text[] =
		"# comment\n\nshort:x:7\nroot:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n"
		"twice:x:1000:1000::/second:/bin/sh\nempty:x:1001:1::/:\nnone:x:1002:1:::\nsix:x:1003:1:g:/six\n"
		"plus:x:+1004:1:g:/plus:\nspace:x: 1005:1:g:/space:\nwrap:x:4294967296:1:g:/wrap:\n"
		"many:x:1006:1:g:/many:sh:more:and:more\nlast:x:1007:1:g:/last:sh";
	static const struct { uint32_t uid; const char *home; } rows[] = {
		{ 0, "/root" }, { 1000, "/home/bob" }, { 1001, "/" }, { 1002, "/" }, { 1003, "/six" }, { 1004, "/" },
		{ 1005, "/" }, { 1006, "/many" }, { 1007, "/last" }, { 7, "/" }, { 4294967295u, "/" }, { 9, "/" },
	};
	size_t i;

	EXPECT_STREQ("/", home(self->dir, 0));
	put(self->dir, "etc/passwd", 0644, text, sizeof(text) - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_STREQ(rows[i].home, home(self->dir, rows[i].uid)) {
			TH_LOG("uid %u", rows[i].uid);
		}
}

TEST_F(lookup, a_passwd_bomb_costs_nothing)
{
	static const char tail[] = "\nroot:x:0:0::/found:sh\n";
	char *big = malloc(3 << 20);
	size_t n;
	int fd;

	memset(big, 'x', 3 << 20);
	/* one line around the bound, then the one that is looked for */
	for (n = LIMIT_PASSWD_LINE - 3; n <= LIMIT_PASSWD_LINE + 3; n++) {
		memcpy(big + n, tail, sizeof(tail) - 1);
		put(self->dir, "etc/passwd", 0644, big, n + sizeof(tail) - 1);
		EXPECT_STREQ(n < LIMIT_PASSWD_LINE ? "/found" : "/", home(self->dir, 0)) {
			TH_LOG("line of %zu", n);
		}
		memset(big + n, 'x', sizeof(tail));
	}
	/* lines of every length across the chunks */
	for (n = 0; n < 100000; n += 80)
		big[n] = '\n';
	memcpy(big + 100000, tail, sizeof(tail) - 1);
	put(self->dir, "etc/passwd", 0644, big, 100000 + sizeof(tail) - 1);
	EXPECT_STREQ("/found", home(self->dir, 0));
	memset(big, '\n', 3 << 20);
	memcpy(big + (2 << 20), tail, sizeof(tail) - 1);
	put(self->dir, "etc/passwd", 0644, big, 3 << 20);
	EXPECT_STREQ("/", home(self->dir, 0));
	memset(big, 0, 5000);
	memcpy(big + 4000, tail, sizeof(tail) - 1);
	put(self->dir, "etc/passwd", 0644, big, 5000);
	EXPECT_STREQ("/found", home(self->dir, 0));
	free(big);
	/* a file of a terabyte, a FIFO, a directory, a device by a link, a link out of the root */
	fd = openat(self->dir, "etc/passwd", O_WRONLY | O_TRUNC);
	EXPECT_EQ(0, ftruncate(fd, 1LL << 40));
	close(fd);
	EXPECT_STREQ("/", home(self->dir, 0));
	unlinkat(self->dir, "etc/passwd", 0);
	ASSERT_EQ(0, mkfifoat(self->dir, "etc/passwd", 0666));
	EXPECT_STREQ("/", home(self->dir, 0));
	unlinkat(self->dir, "etc/passwd", 0);
	mkdirat(self->dir, "etc/passwd", 0755);
	EXPECT_STREQ("/", home(self->dir, 0));
	unlinkat(self->dir, "etc/passwd", AT_REMOVEDIR);
	if (!mknodat(self->dir, "zero", S_IFCHR | 0666, 1 << 8 | 5)) {
		symlinkat("/zero", self->dir, "etc/passwd");
		EXPECT_STREQ("/", home(self->dir, 0));
		unlinkat(self->dir, "etc/passwd", 0);
	}
	symlinkat("../../../../../../../etc/passwd", self->dir, "etc/passwd");	/* itself, inside */
	EXPECT_STREQ("/", home(self->dir, 0));
}

TEST_HARNESS_MAIN

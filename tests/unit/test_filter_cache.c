/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of compiled filters: hits, damage, foreign hands, full and read-only directories. */
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include "filter_test.h"
#include "filter.h"

static struct filter_spec cached_spec(void)
{
	static const char *life[] = { "exit_group", "exit", "write", "openat2" };
	static const char *deny[] = { "getppid", "getuid" };
	static struct filter_arg arg[] = { { 1, 1ull << 40, 0, FILTER_LT } };
	static struct filter_rule rules[] = {
		{ .names = { life, 4 }, .action = FILTER_ALLOW },
		{ .names = { deny, 2 }, .action = FILTER_ERRNO, .errno_ret = 9,
		  .has_errno_ret = true, .args = { arg, 1 } },
	};

	return (struct filter_spec){ DENY_ALL(5), .syscalls = { rules, 2 } };
}

static bool same(const struct filter *a, const struct filter *b)
{
	return a->len == b->len && a->load_flags == b->load_flags &&
	       !memcmp(a->bpf, b->bpf, a->len * sizeof(struct sock_filter));
}

#define GET(spec, fd) ASSERT_EQ(0, filter_get((spec), (fd), &self->a, &self->f, self->key, NULL, \
					      &self->e))

TEST_F(filter, cache_hit_is_the_compiled_program)
{
	struct filter_spec s = cached_spec();
	struct filter fresh;
	char first[65];
	struct stat st, st2;

	BUILD(&s);
	fresh = self->f;
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
	strcpy(first, self->key);
	EXPECT_EQ(64, strlen(first));
	ASSERT_EQ(0, fstatat(self->dirfd, first, &st, AT_SYMLINK_NOFOLLOW));
	EXPECT_EQ(0600, st.st_mode & 07777);
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
	EXPECT_STREQ(first, self->key);
	/* not written again: it was a hit */
	ASSERT_EQ(0, fstatat(self->dirfd, first, &st2, AT_SYMLINK_NOFOLLOW));
	EXPECT_EQ(st.st_ino, st2.st_ino);
	EXPECT_EQ(9, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 0, 7 } }));
	EXPECT_EQ(5, confined(&self->f, try_call, &(struct call){ SYS_getppid, { 0, 1ull << 40 } }));
	/* the same key without a cache */
	GET(&s, -1);
	EXPECT_STREQ(first, self->key);
	EXPECT_TRUE(same(&fresh, &self->f));
}

TEST_F(filter, every_difference_is_another_key)
{
	struct filter_spec s = cached_spec();
	struct filter_rule rules[2], *r = rules;
	struct filter_arg arg;
	const char *ab[] = { "a", "b" }, *a_b[] = { "a\nb" }, *split[] = { "ab" };
	char keys[16][65];
	unsigned int n = 0, i, k;

	memcpy(rules, s.syscalls.v, sizeof(rules));
	s.syscalls.v = rules;
	arg = *(struct filter_arg *)r[1].args.v;
	r[1].args.v = &arg;
#define KEY() do { GET(&s, -1); strcpy(keys[n++], self->key); } while (0)
	KEY();
	s.default_errno_ret = 6; KEY();
	s.has_default_errno_ret = false; KEY();
	s.default_action = FILTER_KILL_PROCESS; KEY();
	s.architectures = (struct intv)ARCHS(FILTER_X86_64); KEY();
	arg.value++; KEY();
	arg.value_two++; KEY();
	arg.index++; KEY();
	arg.op = FILTER_GT; KEY();
	r[0].names = (struct strv){ ab, 2 }; KEY();
	r[0].names = (struct strv){ a_b, 1 }; KEY();
	r[0].names = (struct strv){ split, 1 }; KEY();
	r[0].action = FILTER_LOG; KEY();
	s.syscalls.n = 1; KEY();
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			EXPECT_STRNE(keys[k], keys[i]) TH_LOG("keys %u and %u", k, i);
}

/* Is the entry what @b holds? An entry that was taken for good is not written again. */
static bool entry_is(int dirfd, const char *key, const struct buf *b)
{
	auto_buf have = BUF_INIT;

	return !path_read(dirfd, key, 1 << 20, &have) && have.len == b->len &&
	       !memcmp(have.data, b->data, b->len);
}

TEST_F(filter, any_changed_byte_is_noticed_and_the_entry_rewritten)
{
	struct filter_spec s = cached_spec();
	struct filter fresh;
	struct buf b = BUF_INIT;
	size_t i;
	int fd;

	GET(&s, self->dirfd);
	fresh = self->f;
	ASSERT_EQ(0, path_read(self->dirfd, self->key, 1 << 20, &b));
	for (i = 0; i < b.len; i++) {
		b.data[i] ^= 1 << (i % 8);
		ASSERT_EQ(0, path_replace(self->dirfd, self->key, 0600, b.data, b.len));
		b.data[i] ^= 1 << (i % 8);
		GET(&s, self->dirfd);
		ASSERT_TRUE(same(&fresh, &self->f));
		ASSERT_TRUE(entry_is(self->dirfd, self->key, &b)) TH_LOG("byte %zu", i);
	}
	/* cut, empty, longer */
	for (i = 0; i < b.len; i += 31) {
		ASSERT_EQ(0, path_replace(self->dirfd, self->key, 0600, b.data, i));
		GET(&s, self->dirfd);
		ASSERT_TRUE(same(&fresh, &self->f));
		ASSERT_TRUE(entry_is(self->dirfd, self->key, &b)) TH_LOG("cut to %zu", i);
	}
	fd = openat(self->dirfd, self->key, O_WRONLY | O_APPEND);
	ASSERT_EQ(1, write(fd, "x", 1));
	close(fd);
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
	EXPECT_TRUE(entry_is(self->dirfd, self->key, &b));
	buf_fini(&b);
}

/* A true entry whose text is another document's, under our name: only the text tells. */
TEST_F(filter, entry_of_another_text_is_not_used)
{
	struct filter_spec s = cached_spec(), other = { ALLOW_ALL };
	struct filter fresh;
	char mine[65];

	GET(&s, self->dirfd);
	fresh = self->f;
	strcpy(mine, self->key);
	GET(&other, self->dirfd);
	ASSERT_EQ(0, renameat(self->dirfd, self->key, self->dirfd, mine));
	GET(&s, self->dirfd);
	EXPECT_STREQ(mine, self->key);
	EXPECT_TRUE(same(&fresh, &self->f));
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
}

TEST_F(filter, entries_that_others_could_write_are_not_used)
{
	struct filter_spec s = cached_spec();
	struct filter fresh;
	struct stat st;

	GET(&s, self->dirfd);
	fresh = self->f;
	ASSERT_EQ(0, fchmodat(self->dirfd, self->key, 0620, 0));
	GET(&s, self->dirfd);
	ASSERT_EQ(0, fstatat(self->dirfd, self->key, &st, 0));
	EXPECT_EQ(0600, st.st_mode & 07777);
	if (!geteuid()) {
		ASSERT_EQ(0, fchownat(self->dirfd, self->key, 65534, 0, 0));
		GET(&s, self->dirfd);
		ASSERT_EQ(0, fstatat(self->dirfd, self->key, &st, 0));
		EXPECT_EQ(0, st.st_uid);
	}
	ASSERT_EQ(0, renameat(self->dirfd, self->key, self->dirfd, "real"));
	ASSERT_EQ(0, symlinkat("real", self->dirfd, self->key));
	GET(&s, self->dirfd);
	ASSERT_EQ(0, fstatat(self->dirfd, self->key, &st, AT_SYMLINK_NOFOLLOW));
	EXPECT_TRUE(S_ISREG(st.st_mode));
	ASSERT_EQ(0, unlinkat(self->dirfd, self->key, 0));
	ASSERT_EQ(0, mkfifoat(self->dirfd, self->key, 0600));
	GET(&s, self->dirfd);
	ASSERT_EQ(0, unlinkat(self->dirfd, self->key, 0));
	ASSERT_EQ(0, mkdirat(self->dirfd, self->key, 0700));	/* cannot be replaced: compiled */
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
	/* a directory that others may write is no cache at all */
	ASSERT_EQ(0, unlinkat(self->dirfd, self->key, AT_REMOVEDIR));
	ASSERT_EQ(0, chmod(self->dir, 0770));
	GET(&s, self->dirfd);
	EXPECT_TRUE(same(&fresh, &self->f));
	EXPECT_NE(0, fstatat(self->dirfd, self->key, &st, 0));
}

TEST_F(filter, a_directory_that_cannot_be_written_is_no_error)
{
	struct filter_spec s = cached_spec();
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int plain = open("/dev/null", O_PATH | O_CLOEXEC);

	GET(&s, fd);
	EXPECT_LT(0, self->f.len);
	GET(&s, plain);
	EXPECT_LT(0, self->f.len);
	GET(&s, 987654);
	EXPECT_LT(0, self->f.len);
	close(fd);
	close(plain);
}

TEST_F(filter, a_full_file_system_is_no_error_and_keeps_no_rest)
{
	struct filter_spec s = cached_spec();
	struct stat st;
	int fd, fill;
	static char page[65536];

	if (geteuid() || unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", self->dir, "tmpfs", 0, "size=64k,mode=700"))
		SKIP(return, "needs root and a mount namespace of its own");
	fd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	fill = openat(fd, "fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fill, page, sizeof(page)) > 0 || write(fill, page, 4096) > 0)
		;
	close(fill);
	GET(&s, fd);
	EXPECT_LT(0, self->f.len);
	EXPECT_NE(0, fstatat(fd, self->key, &st, 0));
	ASSERT_EQ(0, unlinkat(fd, "fill", 0));
	GET(&s, fd);
	EXPECT_EQ(0, fstatat(fd, self->key, &st, 0));
	ASSERT_EQ(0, mount(NULL, self->dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	s.default_errno_ret++;
	GET(&s, fd);
	EXPECT_LT(0, self->f.len);
	EXPECT_NE(0, fstatat(fd, self->key, &st, 0));
	close(fd);
	umount2(self->dir, MNT_DETACH);
}

TEST_F(filter, the_oldest_entries_make_room)
{
	struct filter_spec s = cached_spec();
	char first[65] = "", last[65];
	struct dirent *de;
	struct stat st;
	int i, n = 0;
	DIR *d;

	for (i = 1; i <= 100; i++) {
		s.default_errno_ret = i;
		GET(&s, self->dirfd);
		if (!*first)
			strcpy(first, self->key);
	}
	strcpy(last, self->key);
	d = opendir(self->dir);
	ASSERT_NE(NULL, d);
	while ((de = readdir(d)))
		n += de->d_name[0] != '.';
	closedir(d);
	EXPECT_EQ(64, n);
	EXPECT_NE(0, fstatat(self->dirfd, first, &st, 0));
	EXPECT_EQ(0, fstatat(self->dirfd, last, &st, 0));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option words of mounts: what each sets and clears, what wins, what is refused. */
#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "mount_options.h"

#define WORDS 32

FIXTURE(words)
{
	struct arena a;
	struct mount_options o;
	struct err e;
	char line[512];
	const char *v[WORDS];
	struct strv in;
};
FIXTURE_SETUP(words)
{
	memset(self, 0, sizeof(*self));
}
FIXTURE_TEARDOWN(words)
{
	arena_fini(&self->a);
}

/* Words of @line are separated by blanks. */
static int parse(FIXTURE_DATA(words) *self, const char *line)
{
	char *save = NULL;

	memset(&self->e, 0, sizeof(self->e));
	snprintf(self->line, sizeof(self->line), "%s", line);
	self->in = (struct strv){ self->v, 0 };
	for (char *w = strtok_r(self->line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		self->v[self->in.n++] = w;
	return mount_options_parse(&self->in, &self->a, &self->o, "/mounts/7", &self->e);
}

#define ATIME MOUNT_ATTR__ATIME
static const struct {
	const char *line;
	unsigned long flags, clear;
	uint64_t rec_set, rec_clear;
	const char *data;
} good[] = {
	{ "", 0, 0, 0, 0, "" },
	{ "defaults", 0, 0, 0, 0, "" },
	{ "nosuid noexec nodev ro", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, 0, 0, 0, "" },
	{ "rw suid dev exec", 0, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, 0, 0, "" },
	{ "sync dirsync mand silent iversion lazytime", MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK |
	  MS_SILENT | MS_I_VERSION | MS_LAZYTIME, 0, 0, 0, "" },
	{ "async nomand loud noiversion nolazytime", 0, MS_SYNCHRONOUS | MS_MANDLOCK | MS_SILENT |
	  MS_I_VERSION | MS_LAZYTIME, 0, 0, "" },
	{ "acl", MS_POSIXACL, 0, 0, 0, "" },
	{ "noacl", 0, MS_POSIXACL, 0, 0, "" },
	{ "nodiratime", MS_NODIRATIME, 0, 0, 0, "" },
	{ "diratime", 0, MS_NODIRATIME, 0, 0, "" },
	{ "nosymfollow", 256, 0, 0, 0, "" },
	{ "symfollow", 0, 256, 0, 0, "" },
	/* the later wins */
	{ "ro rw", 0, MS_RDONLY, 0, 0, "" },
	{ "rw ro", MS_RDONLY, 0, 0, 0, "" },
	{ "nosuid suid nosuid", MS_NOSUID, 0, 0, 0, "" },
	/* access times exclude each other */
	{ "noatime", MS_NOATIME, 0, 0, 0, "" },
	{ "noatime strictatime", MS_STRICTATIME, 0, 0, 0, "" },
	{ "strictatime relatime", MS_RELATIME, 0, 0, 0, "" },
	{ "noatime atime", 0, MS_NOATIME, 0, 0, "" },
	{ "relatime norelatime", 0, MS_RELATIME, 0, 0, "" },
	{ "strictatime nostrictatime", 0, MS_STRICTATIME, 0, 0, "" },
	/* the whole tree */
	{ "rro", 0, 0, MOUNT_ATTR_RDONLY, 0, "" },
	{ "rrw", 0, 0, 0, MOUNT_ATTR_RDONLY, "" },
	{ "rro rrw", 0, 0, 0, MOUNT_ATTR_RDONLY, "" },
	{ "rrw rro", 0, 0, MOUNT_ATTR_RDONLY, 0, "" },
	{ "rnosuid rnodev rnoexec rnosymfollow rnodiratime", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	  MOUNT_ATTR_NOEXEC | 0x200000 | MOUNT_ATTR_NODIRATIME, 0, "" },
	{ "rsuid rdev rexec rsymfollow rdiratime", 0, 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	  MOUNT_ATTR_NOEXEC | 0x200000 | MOUNT_ATTR_NODIRATIME, "" },
	/* any choice of access times clears the whole field */
	{ "rnoatime", 0, 0, MOUNT_ATTR_NOATIME, ATIME, "" },
	{ "rstrictatime", 0, 0, MOUNT_ATTR_STRICTATIME, ATIME, "" },
	{ "rrelatime", 0, 0, 0, ATIME, "" },
	{ "ratime", 0, 0, 0, ATIME, "" },
	{ "rnorelatime", 0, 0, 0, ATIME, "" },
	{ "rnostrictatime", 0, 0, 0, ATIME, "" },
	{ "rnoatime rstrictatime", 0, 0, MOUNT_ATTR_STRICTATIME, ATIME, "" },
	{ "rstrictatime rrelatime rro", 0, 0, MOUNT_ATTR_RDONLY, ATIME, "" },
	{ "rnoatime ratime", 0, 0, 0, ATIME, "" },
	/* the rest is the file system's */
	{ "nosuid mode=755 size=65536k", MS_NOSUID, 0, 0, 0, "mode=755,size=65536k" },
	{ "newinstance ptmxmode=0666 gid=5", 0, 0, 0, 0, "newinstance,ptmxmode=0666,gid=5" },
	{ "RO Bind lowerdir=/a:/b,x", 0, 0, 0, 0, "RO,Bind,lowerdir=/a:/b,x" },
};

TEST_F(words, flags_and_data)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ASSERT_EQ(0, parse(self, good[i].line)) TH_LOG("%s: %s", good[i].line, self->e.msg);
		EXPECT_EQ(good[i].flags, self->o.flags) TH_LOG("%s", good[i].line);
		EXPECT_EQ(good[i].clear, self->o.clear) TH_LOG("%s", good[i].line);
		EXPECT_EQ(good[i].rec_set, self->o.rec_set) TH_LOG("%s", good[i].line);
		EXPECT_EQ(good[i].rec_clear, self->o.rec_clear) TH_LOG("%s", good[i].line);
		EXPECT_STREQ(good[i].data, self->o.data_text);
	}
}

TEST_F(words, kernel_takes_no_attribute_it_would_refuse)
{
	/* EINVAL for a bit both set and cleared outside the access time field */
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ASSERT_EQ(0, parse(self, good[i].line));
		EXPECT_EQ(0, self->o.rec_set & self->o.rec_clear & ~(uint64_t)ATIME);
		EXPECT_EQ(0, self->o.flags & self->o.clear);
		if (self->o.rec_set & ATIME)
			EXPECT_EQ(ATIME, self->o.rec_clear & ATIME);
	}
}

TEST_F(words, propagation_keeps_its_order)
{
	ASSERT_EQ(0, parse(self, "rprivate shared slave runbindable unbindable rshared rslave private"));
	ASSERT_EQ(8, self->o.n_propagation);
	EXPECT_EQ(MS_PRIVATE | MS_REC, self->o.propagation[0]);
	EXPECT_EQ(MS_SHARED, self->o.propagation[1]);
	EXPECT_EQ(MS_SLAVE, self->o.propagation[2]);
	EXPECT_EQ(MS_UNBINDABLE | MS_REC, self->o.propagation[3]);
	EXPECT_EQ(MS_UNBINDABLE, self->o.propagation[4]);
	EXPECT_EQ(MS_SHARED | MS_REC, self->o.propagation[5]);
	EXPECT_EQ(MS_SLAVE | MS_REC, self->o.propagation[6]);
	EXPECT_EQ(MS_PRIVATE, self->o.propagation[7]);
	EXPECT_EQ(0, self->o.flags | self->o.clear);
}

TEST_F(words, switches)
{
	ASSERT_EQ(0, parse(self, "rbind ro"));
	EXPECT_TRUE(self->o.bind && self->o.rbind);
	EXPECT_EQ(MS_RDONLY, self->o.flags);
	ASSERT_EQ(0, parse(self, "bind remount"));
	EXPECT_TRUE(self->o.bind && self->o.remount && !self->o.rbind);
	ASSERT_EQ(0, parse(self, "tmpcopyup mode=755"));
	EXPECT_TRUE(self->o.tmpcopyup);
	ASSERT_EQ(0, parse(self, "bind copy-symlink dest-nofollow"));
	EXPECT_TRUE(self->o.copy_symlink && self->o.dest_nofollow && !self->o.src_nofollow);
	ASSERT_EQ(0, parse(self, "bind src-nofollow"));
	EXPECT_TRUE(self->o.src_nofollow);
	ASSERT_EQ(0, parse(self, "bind idmap"));
	EXPECT_TRUE(self->o.idmap && !self->o.ridmap && !self->o.idmap_text);
	ASSERT_EQ(0, parse(self, "rbind ridmap=uids=0-1-10;gids=@0-1-10"));
	EXPECT_TRUE(self->o.ridmap && !self->o.idmap);
	EXPECT_STREQ("uids=0-1-10;gids=@0-1-10", self->o.idmap_text);
	EXPECT_EQ(0, self->o.data.n);
}

TEST_F(words, empty_words_say_nothing)
{
	const char *v[] = { "", "ro", "", "size=1", "" };
	struct strv in = { v, 5 };

	ASSERT_EQ(0, mount_options_parse(&in, &self->a, &self->o, "/m", &self->e));
	EXPECT_EQ(MS_RDONLY, self->o.flags);
	EXPECT_STREQ("size=1", self->o.data_text);
	EXPECT_EQ(1, self->o.data.n);
}

static const struct { const char *line, *where, *text; int kind; } bad[] = {
	{ "ro idmap", "/mounts/7/options", "\"idmap\" is for new bind mounts", ERR_SPEC },
	{ "ridmap=uids=@0-1-10", "/mounts/7/options", "\"ridmap\" is for new bind mounts", ERR_SPEC },
	{ "bind remount idmap", "/mounts/7/options", "\"idmap\" is for new bind mounts", ERR_SPEC },
	{ "bind size=1", "/mounts/7/options", "a bind mount has no file system options: \"size=1\"", ERR_SPEC },
	{ "uid=0 rbind", "/mounts/7/options", "a bind mount has no file system options: \"uid=0\"", ERR_SPEC },
	{ "bind tmpcopyup", "/mounts/7/options", "\"tmpcopyup\" is for tmpfs", ERR_SPEC },
	{ "tmpcopyup remount", "/mounts/7/options", "contradict", ERR_SPEC },
	{ "bind copy-symlink src-nofollow", "/mounts/7/options", "contradict", ERR_SPEC },
	{ "copy-symlink", "/mounts/7/options", "\"copy-symlink\" is for bind mounts", ERR_SPEC },
	{ "src-nofollow", "/mounts/7/options", "\"src-nofollow\" is for bind mounts", ERR_SPEC },
	{ "private private private private private private private private slave", "/mounts/7/options/8",
	  "too many propagation words: \"slave\"", ERR_SPEC },
};

TEST_F(words, refused)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, parse(self, bad[i].line)) TH_LOG("%s", bad[i].line);
		EXPECT_STREQ(bad[i].where, self->e.where);
		EXPECT_EQ(bad[i].kind, self->e.kind);
		EXPECT_NE(NULL, strstr(self->e.msg, bad[i].text)) TH_LOG("%s: %s", bad[i].line, self->e.msg);
	}
}

TEST_F(words, data_beyond_a_page_is_refused)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *word = malloc(page + 1);
	const char *v[] = { word };
	struct strv in = { v, 1 };

	memset(word, 'x', page);
	word[page] = 0;
	EXPECT_EQ(-E2BIG, mount_options_parse(&in, &self->a, &self->o, "/m", &self->e));
	word[page - 1] = 0;	/* with its NUL exactly a page */
	memset(&self->e, 0, sizeof(self->e));
	EXPECT_EQ(0, mount_options_parse(&in, &self->a, &self->o, "/m", &self->e));
	free(word);
}

TEST_F(words, table_is_sorted_complete_and_acts)
{
	/* the words of the contract that other runtimes list, one of each kind at least */
	static const char *const must[] = { "bind", "rbind", "ro", "rw", "rro", "rprivate", "tmpcopyup",
		"rsymfollow", "strictatime", "loud", "remount", "defaults", "unbindable", "copy-symlink" };
	const char *w, *last = "";
	unsigned int n = 0, found = 0;

	for (; (w = mount_options_word(n)); n++) {
		EXPECT_LT(strcmp(last, w), 0) TH_LOG("%s before %s", last, w);
		last = w;
		for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
			found += !strcmp(w, must[i]);
		/* recognised: never left to the file system */
		if (strcmp(w, "copy-symlink") && strcmp(w, "src-nofollow") && !strstr(w, "idmap")) {
			ASSERT_EQ(0, parse(self, w)) TH_LOG("%s: %s", w, self->e.msg);
			EXPECT_EQ(0, self->o.data.n) TH_LOG("%s", w);
		}
	}
	EXPECT_EQ(67, n);
	EXPECT_EQ(sizeof(must) / sizeof(must[0]), found);
	EXPECT_EQ(NULL, mount_options_word(n + 100));
}

TEST_HARNESS_MAIN

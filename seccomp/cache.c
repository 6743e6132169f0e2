/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled filters, kept per state root.
 *
 * Compiling a usual profile costs more than the rest of a container together.
 * A document is written as a canonical text: all that the program depends on,
 * libseccomp's version and this build's own stamp included, but not its flags,
 * which are the running kernel's matter and cheap. The text's SHA-256
 * names the entry, the entry holds the text and the program, and a hit needs
 * the whole text to be equal.
 *
 * An entry is trusted as far as its directory is: both must be ours alone, and
 * that is asked of the fds that are then used. Its sum is there for accidents,
 * not for attackers. Whatever is wrong with the cache, the filter is compiled.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "buf.h"
#include "fd.h"
#include "fdio.h"
#include "filter_internal.h"
#include "pathfs.h"

#ifndef FILTER_STAMP
#error "FILTER_STAMP: a text that changes with the sources of this folder (see the Makefile)"
#endif

#define ENTRY_MAGIC 0x31746c69666c63ull		/* "clfilt1" */
#define ENTRY_BYTES_MAX (4u << 20)
#define KEY_LEN 64u

/* An entry: this head, the instructions, the text. Of this host only, so in its byte order. */
struct entry {
	uint64_t magic;
	uint64_t sum;		/* of the whole entry, with 0 here */
	uint32_t len;		/* instructions */
	uint32_t text_len;
};

/* Every step can be undone, so that no single changed word goes unnoticed. */
static uint64_t entry_sum(const void *p, size_t len)
{
	const char *c = p;
	uint64_t h = len, w;

	for (; len; c += sizeof(w)) {
		size_t n = len < sizeof(w) ? len : sizeof(w);

		w = 0;
		memcpy(&w, c, n);
		len -= n;
		h = (h ^ w) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

static void text_action(struct buf *b, int action, bool has_errno, uint32_t ret)
{
	buf_addf(b, "%s %d", names_of(filter_action_names, action), has_errno ? (int)ret : -1);
}

static void text_rule(struct buf *b, const struct filter_rule *r)
{
	const struct filter_arg *arg = r->args.v;
	size_t i;

	buf_adds(b, "rule ");
	text_action(b, r->action, r->has_errno_ret, r->errno_ret);
	buf_addf(b, " %zu %zu\n", r->names.n, r->args.n);
	for (i = 0; i < r->args.n; i++)
		buf_addf(b, "%u %s %llu %llu\n", arg[i].index,
			 names_of(filter_op_names, arg[i].op), (unsigned long long)arg[i].value,
			 (unsigned long long)arg[i].value_two);
	/* no name holds a NUL, so that ends them without doubt */
	for (i = 0; i < r->names.n; i++)
		buf_add(b, r->names.v[i], strlen(r->names.v[i]) + 1);
}

static int filter_text(const struct filter_spec *f, struct buf *b)
{
	const struct filter_rule *rule = f->syscalls.v;
	char lib[64];
	size_t i;

	buf_addf(b, "stamp " FILTER_STAMP " %s\ndefault ", filter_library(lib, sizeof(lib)));
	text_action(b, f->default_action, f->has_default_errno_ret, f->default_errno_ret);
	buf_adds(b, "\narchs");
	for (i = 0; i < f->architectures.n; i++)
		buf_addf(b, " %d", f->architectures.v[i]);
	buf_addc(b, '\n');
	for (i = 0; i < f->syscalls.n; i++)
		text_rule(b, &rule[i]);
	return buf_ok(b) ? 0 : -ENOMEM;
}

static void text_key(const void *text, size_t len, char key[KEY_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;
	size_t i;

	SHA256Init(&ctx);
	SHA256Update(&ctx, text, len);
	SHA256Final(sum, &ctx);
	for (i = 0; i < sizeof(sum); i++) {
		key[2 * i] = hex[sum[i] >> 4];
		key[2 * i + 1] = hex[sum[i] & 15];
	}
	key[KEY_LEN] = '\0';
}

/* Ours, of the right type, and nobody else can write it. */
static bool ours(int fd, mode_t type, struct stat *st)
{
	return !fstat(fd, st) && (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH | S_ISUID | S_ISGID));
}

static const char *entry_text(const struct entry *en)
{
	return (const char *)(en + 1) + en->len * sizeof(struct sock_filter);
}

/* The entry @key whole and intact, in the arena; NULL when there is none. */
static struct entry *entry_read(int cachefd, const char *key, struct arena *a)
{
	struct entry *en;
	struct stat st;
	uint64_t sum;
	size_t size;
	auto_fd fd = -1;

	/* O_NONBLOCK: a FIFO must not stop us; ours() then refuses it */
	fd = openat(cachefd, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || !ours(fd, S_IFREG, &st) || st.st_size < (off_t)sizeof(*en) ||
	    st.st_size > (off_t)ENTRY_BYTES_MAX)
		return NULL;
	size = (size_t)st.st_size;
	en = arena_alloc(a, size);
	if (!en || fdio_read_full(fd, en, size) != (ssize_t)size)
		return NULL;
	sum = en->sum;
	en->sum = 0;
	if (en->magic != ENTRY_MAGIC || !en->len || en->len > BPF_MAXINSNS ||
	    en->text_len > ENTRY_BYTES_MAX ||
	    size != sizeof(*en) + en->len * sizeof(struct sock_filter) + en->text_len ||
	    entry_sum(en, size) != sum)
		return NULL;
	return en;
}

/* Make room: of as many entries as may be kept the oldest goes. Readers hold theirs by fd. */
static void cache_trim(int cachefd)
{
	char oldest[NAME_MAX + 1] = "";
	struct timespec when = { 0 };
	struct dirent *de;
	struct stat st;
	unsigned int n = 0;
	auto_dir d = NULL;
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	d = fdopendir(fd);
	if (!d) {
		fd_close(&fd);
		return;
	}
	while ((de = readdir(d))) {
		if (fstatat(cachefd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		n++;
		if (!*oldest || st.st_mtim.tv_sec < when.tv_sec ||
		    (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec)) {
			when = st.st_mtim;
			snprintf(oldest, sizeof(oldest), "%s", de->d_name);
		}
	}
	if (n >= LIMIT_FILTER_CACHE)
		unlinkat(cachefd, oldest, 0);
}

static void entry_write(int cachefd, const char *key, const struct buf *text,
			const struct filter *out, const struct log *log)
{
	struct entry en = { .magic = ENTRY_MAGIC, .len = out->len,
			    .text_len = (uint32_t)text->len };
	auto_buf b = BUF_INIT;
	int r;

	if (text->len > ENTRY_BYTES_MAX / 2)	/* a hostile document, not a profile */
		return;
	buf_add(&b, &en, sizeof(en));
	buf_add(&b, out->bpf, out->len * sizeof(struct sock_filter));
	buf_add(&b, text->data, text->len);
	if (!buf_ok(&b))
		return;
	en.sum = entry_sum(b.data, b.len);	/* of itself as 0 */
	memcpy(b.data + offsetof(struct entry, sum), &en.sum, sizeof(en.sum));
	cache_trim(cachefd);
	r = path_replace(cachefd, key, 0600, b.data, b.len);
	if (r)
		log_debug(log, "seccomp: the filter cache was not written: %s",
			  err_words(-r, (char[64]){ "" }, 64));
}

int filter_get(const struct filter_spec *f, int cachefd, struct arena *a, struct filter *out,
	       char key[65], const struct log *log, struct err *e)
{
	struct entry *en;
	struct stat st;
	auto_buf text = BUF_INIT;
	int r;

	*out = (struct filter){ 0 };
	key[0] = '\0';
	if (!filter_asked(f))
		return 0;
	r = filter_set_flags(f, out, e);
	if (r)
		return r;
	if (filter_text(f, &text))
		return err_set(e, ERR_LIMIT, -ENOMEM, "/linux/seccomp", "text for the cache");
	text_key(text.data, text.len, key);
	if (cachefd >= 0 && !ours(cachefd, S_IFDIR, &st)) {
		log_warn(log, "seccomp: the filter cache is not used: its directory is not ours "
			 "alone to write");
		cachefd = -1;
	}
	if (cachefd >= 0) {
		en = entry_read(cachefd, key, a);
		if (en && en->text_len == text.len && !memcmp(entry_text(en), text.data, text.len)) {
			out->bpf = en + 1;
			out->len = (uint16_t)en->len;
			return 0;
		}
	}
	r = filter_compile(f, a, out, log, e);
	if (!r && cachefd >= 0)
		entry_write(cachefd, key, &text, out, log);
	return r;
}

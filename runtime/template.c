/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exec.tmpl: a fixed head, then the variable parts in the head's order: gids,
 * rlimits, filter program (each aligned to 8), then strings, each
 * NUL-terminated: keyring, cwd, socket and metadata of a listener, AppArmor
 * profile, SELinux label, memory nodes, two lists of CPUs, args, env. Host
 * byte order: it never leaves the host.
 */
#include "template.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "buf.h"
#include "fd.h"
#include "fdio.h"
#include "pathfs.h"

#define TEMPLATE_MAGIC 0x544c4331u	/* "1CLT" */
#define TEMPLATE_VERSION 2u
#define TEMPLATE_MAX (LIMIT_JSON_BYTES + (1u << 20))

struct template_head {
	uint32_t magic, version, size;
	uint32_t n_gids, n_rlimits, filter_len, filter_flags, n_args, n_env;
	uint32_t uid, gid, umask, flags;
	int32_t oom_score_adj;
	uint32_t rows, columns;
	uint64_t namespaces;
	uint64_t caps[CAP_SETS];
	struct tune_numbers tune;
};
enum { T_UMASK = 1, T_OOM = 2, T_NNP = 4, T_TERMINAL = 8 };
struct template_rlimit { int32_t type, pad; uint64_t soft, hard; };
#define FILTER_INSN 8u		/* sizeof(struct sock_filter), part of the kernel's ABI */

static void pad8(struct buf *b)
{
	static const char zero[8];

	buf_add(b, zero, (8 - b->len % 8) % 8);
}

static void put_string(struct buf *b, const char *s)
{
	buf_add(b, s ? s : "", s ? strlen(s) + 1 : 1);
}

static void put_strings(struct buf *b, const struct strv *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		buf_add(b, v->v[i], strlen(v->v[i]) + 1);
}

int template_save(int dirfd, const struct template *t, struct err *e)
{
	const struct process *p = &t->process;
	const struct spec_rlimit *rl = p->rlimits.v;
	char text[2048];
	auto_buf b = BUF_ON(text);
	struct template_head h = {
		.magic = TEMPLATE_MAGIC, .version = TEMPLATE_VERSION,
		.n_gids = (uint32_t)p->gids.n, .n_rlimits = (uint32_t)p->rlimits.n,
		.filter_len = p->filter.len, .filter_flags = p->filter.load_flags,
		.n_args = (uint32_t)p->args.n, .n_env = (uint32_t)p->env.n,
		.uid = p->uid, .gid = p->gid, .umask = p->umask,
		.flags = (p->has_umask ? T_UMASK : 0) | (p->has_oom_score_adj ? T_OOM : 0) |
			 (p->no_new_privileges ? T_NNP : 0) | (p->terminal ? T_TERMINAL : 0),
		.oom_score_adj = p->oom_score_adj, .rows = p->rows, .columns = p->columns,
		.namespaces = t->namespaces, .tune = p->tune.n,
	};
	uint32_t size;
	size_t i;
	int r;

	memcpy(h.caps, p->caps, sizeof(h.caps));
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, p->gids.v, p->gids.n * sizeof(uint32_t));
	pad8(&b);
	for (i = 0; i < p->rlimits.n; i++) {
		struct template_rlimit tr = { rl[i].type, 0, rl[i].soft, rl[i].hard };

		buf_add(&b, &tr, sizeof(tr));
	}
	buf_add(&b, p->filter.bpf, (size_t)p->filter.len * FILTER_INSN);
	put_string(&b, t->keyring);
	put_string(&b, p->cwd ? p->cwd : "/");
	put_string(&b, p->listener_path);
	put_string(&b, p->listener_metadata);
	put_string(&b, p->apparmor);
	put_string(&b, p->selinux);
	put_string(&b, p->tune.mem_nodes);
	put_string(&b, p->tune.cpus_initial);
	put_string(&b, p->tune.cpus_final);
	put_strings(&b, &p->args);
	put_strings(&b, &p->env);
	if (!buf_ok(&b))
		return err_set(e, ERR_LIMIT, -ENOMEM, "exec.tmpl", "write the exec template");
	size = (uint32_t)b.len;
	memcpy(b.data + offsetof(struct template_head, size), &size, sizeof(size));
	r = path_create(dirfd, "exec.tmpl", 0600, b.data, b.len);
	return r ? err_set(e, ERR_KERNEL, r, "exec.tmpl", "write the exec template") : 0;
}

/* Cursor over the file; a part that does not fit makes it bad. */
struct cursor { char *p, *end; bool bad; };

static void *take(struct cursor *c, size_t size)
{
	void *p = c->p;

	if (c->bad || (size_t)(c->end - c->p) < size) {
		c->bad = true;
		return NULL;
	}
	c->p += size;
	return p;
}

static const char *take_string(struct cursor *c)
{
	char *nul = c->bad ? NULL : memchr(c->p, 0, (size_t)(c->end - c->p));

	if (!nul) {
		c->bad = true;
		return "";
	}
	return take(c, (size_t)(nul - c->p) + 1);
}

/* NULL for "". */
static const char *take_given(struct cursor *c)
{
	const char *s = take_string(c);

	return *s ? s : NULL;
}

static void take_strings(struct cursor *c, struct arena *a, uint32_t n, struct strv *v)
{
	uint32_t i;

	if (n > (size_t)(c->end - c->p) || !(v->v = arena_alloc(a, ((size_t)n + 1) * sizeof(*v->v)))) {
		c->bad = true;
		return;
	}
	for (i = 0; i < n; i++)
		v->v[i] = take_string(c);
	v->n = n;
}

static void take_rlimits(struct cursor *c, struct arena *a, uint32_t n, struct process *p)
{
	struct template_rlimit tr;
	struct spec_rlimit *rl;
	uint32_t i;

	if (n > 64 || !(rl = arena_alloc(a, n * sizeof(*rl)))) {
		c->bad = true;
		return;
	}
	for (i = 0; i < n; i++) {
		const void *src = take(c, sizeof(tr));

		if (!src)
			return;
		memcpy(&tr, src, sizeof(tr));
		rl[i] = (struct spec_rlimit){ .type = tr.type, .soft = tr.soft, .hard = tr.hard };
	}
	p->rlimits.v = rl;
	p->rlimits.n = n;
}

/* All of it, into the memory where it stays. The file was replaced as a whole, so it has its size. */
static int read_all(int dirfd, struct arena *a, struct cursor *c)
{
	auto_fd fd = openat(dirfd, "exec.tmpl", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > (off_t)TEMPLATE_MAX)
		return -EFBIG;
	c->p = arena_alloc(a, (size_t)st.st_size);
	if (!c->p)
		return -ENOMEM;
	n = fdio_read_full(fd, c->p, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	c->end = c->p + n;
	return 0;
}

int template_load(int dirfd, struct arena *a, struct template *t, struct err *e)
{
	struct process *p = &t->process;
	struct cursor c = { .bad = false };
	struct template_head h;
	size_t len;
	int r;

	memset(t, 0, sizeof(*t));
	r = read_all(dirfd, a, &c);
	if (r)
		return err_set(e, r == -ENOMEM ? ERR_LIMIT : ERR_KERNEL, r, "exec.tmpl", "read the exec template");
	len = (size_t)(c.end - c.p);
	if (len < sizeof(h))
		return err_set(e, ERR_SPEC, -EINVAL, "exec.tmpl", "cut short at %zu bytes", len);
	memcpy(&h, take(&c, sizeof(h)), sizeof(h));
	if (h.magic != TEMPLATE_MAGIC || h.version != TEMPLATE_VERSION || h.size != len)
		return err_set(e, ERR_SPEC, -EINVAL, "exec.tmpl", "not a template of version %u", TEMPLATE_VERSION);
	p->uid = h.uid;
	p->gid = h.gid;
	p->umask = h.umask;
	p->has_umask = h.flags & T_UMASK;
	p->has_oom_score_adj = h.flags & T_OOM;
	p->oom_score_adj = h.oom_score_adj;
	p->no_new_privileges = h.flags & T_NNP;
	p->terminal = h.flags & T_TERMINAL;
	p->rows = h.rows;
	p->columns = h.columns;
	t->namespaces = h.namespaces;
	memcpy(p->caps, h.caps, sizeof(p->caps));
	p->gids.v = take(&c, ((size_t)h.n_gids * sizeof(uint32_t) + 7) & ~(size_t)7);
	p->gids.n = c.bad ? 0 : h.n_gids;
	take_rlimits(&c, a, h.n_rlimits, p);
	p->filter.bpf = take(&c, h.filter_len <= UINT16_MAX ? (size_t)h.filter_len * FILTER_INSN : SIZE_MAX);
	p->filter.len = (uint16_t)h.filter_len;
	p->filter.load_flags = h.filter_flags;
	t->keyring = take_string(&c);
	p->cwd = take_string(&c);
	p->listener_path = take_given(&c);
	p->listener_metadata = take_given(&c);
	p->apparmor = take_given(&c);
	p->selinux = take_given(&c);
	p->tune.n = h.tune;
	p->tune.mem_nodes = take_string(&c);
	p->tune.cpus_initial = take_string(&c);
	p->tune.cpus_final = take_string(&c);
	take_strings(&c, a, h.n_args, &p->args);
	take_strings(&c, a, h.n_env, &p->env);
	if (c.bad || c.p != c.end)
		return err_set(e, ERR_SPEC, -EINVAL, "exec.tmpl", "the template is damaged");
	return 0;
}

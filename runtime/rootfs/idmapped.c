/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id-mapped bind mounts: the owners of files are shown through the maps of a
 * user namespace. The kernel wants a mount that nobody has seen yet and a
 * caller with rights over its file system, so the worker does it, on the
 * detached trees that init attaches later.
 */
#include "rootfs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include "bounds.h"
#include "fd.h"
#include "num.h"
#include "text.h"

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000	/* 5.12 */
#endif

/** struct maps - Two maps and, once one was made, a user namespace that has them. */
struct maps {
	struct idmap *uids, *gids;
	size_t n_uids, n_gids;
	int userns;		/* -1: none yet */
};

static bool same_map(const struct idmap *a, size_t n, const struct idmap *b, size_t m)
{
	size_t i;

	for (i = 0; n == m && i < n; i++)
		if (a[i].inside != b[i].inside || a[i].outside != b[i].outside || a[i].count != b[i].count)
			return false;
	return n == m;
}

static bool same_maps(const struct maps *a, const struct maps *b)
{
	return same_map(a->uids, a->n_uids, b->uids, b->n_uids) && same_map(a->gids, a->n_gids, b->gids, b->n_gids);
}

int rootfs_idmap_array(const struct objv *v, struct arena *a, struct idmap **out)
{
	const struct spec_idmap *m = v->v;
	struct idmap *to = arena_alloc(a, (v->n + 1) * sizeof(*to));
	size_t i;

	if (!to)
		return -ENOMEM;
	for (i = 0; i < v->n; i++)
		to[i] = (struct idmap){ m[i].container_id, m[i].host_id, m[i].size };
	*out = to;
	return 0;
}

static int spec_maps(const struct objv *uids, const struct objv *gids, struct arena *a, struct maps *out)
{
	*out = (struct maps){ .n_uids = uids->n, .n_gids = gids->n, .userns = -1 };
	return rootfs_idmap_array(uids, a, &out->uids) || rootfs_idmap_array(gids, a, &out->gids) ? -ENOMEM : 0;
}

/* ---- "uids=0-1000-10#10-@5-1;gids=..." ---- */

/* "A-B-N": three numbers. */
static int parse_triplet(const char *p, size_t len, struct idmap *m)
{
	char text[64], *b, *n;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, p, len);
	text[len] = 0;
	b = strchr(text, '-');
	n = b ? strchr(b + 1, '-') : NULL;
	if (!n)
		return -EINVAL;
	*b++ = 0;
	*n++ = 0;
	if (num_u32(text, &m->inside) || num_u32(b, &m->outside) || num_u32(n, &m->count) || !m->count ||
	    (uint64_t)m->inside + m->count > UINT32_MAX || (uint64_t)m->outside + m->count > UINT32_MAX)
		return -EINVAL;
	return 0;
}

/* @m's outside ids are ids of the container: look them up in its map, a piece per extent. */
static int add_relative(struct idmap m, const struct idmap *own, size_t n_own, struct idmap *out, size_t *n)
{
	size_t i;

	while (m.count) {
		uint32_t host, left = 0;

		for (i = 0; i < n_own && !left; i++)
			if (m.outside >= own[i].inside && m.outside - own[i].inside < own[i].count)
				left = own[i].count - (m.outside - own[i].inside);
		if (!left || *n == LIMIT_ID_MAPS || idmap_to_host(own, n_own, m.outside, &host))
			return -ERANGE;
		left = left < m.count ? left : m.count;
		out[(*n)++] = (struct idmap){ m.inside, host, left };
		m.inside += left;
		m.outside += left;
		m.count -= left;
	}
	return 0;
}

static int parse_list(const char *p, size_t len, const struct idmap *own, size_t n_own, struct arena *a,
		      struct idmap **out, size_t *n)
{
	int r = 0;

	*out = arena_alloc(a, LIMIT_ID_MAPS * sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (*n = 0; !r && len; ) {
		bool relative = *p == '@';
		const char *sep = memchr(p, '#', len);
		size_t one = sep ? (size_t)(sep - p) : len;
		struct idmap m;

		if (*n == LIMIT_ID_MAPS)
			return -ERANGE;
		r = parse_triplet(p + relative, one - relative, &m);
		if (!r && relative)
			r = add_relative(m, own, n_own, *out, n);
		else if (!r)
			(*out)[(*n)++] = m;
		one += !!sep;
		p += one;
		len -= one;
	}
	return r ? r : *n ? 0 : -EINVAL;
}

/* What is not given stays as in @m, which is the container's own. */
static int parse_text(const char *text, struct arena *a, struct maps *m)
{
	const struct maps own = *m;
	int r = 0;

	m->userns = -1;
	for (const char *p = text; !r && *p; ) {
		size_t len = strcspn(p, ";");

		if (len > 5 && !strncmp(p, "uids=", 5))
			r = parse_list(p + 5, len - 5, own.uids, own.n_uids, a, &m->uids, &m->n_uids);
		else if (len > 5 && !strncmp(p, "gids=", 5))
			r = parse_list(p + 5, len - 5, own.gids, own.n_gids, a, &m->gids, &m->n_gids);
		else
			r = -EINVAL;
		p += len;
		p += *p == ';';
	}
	return r;
}

/* ---- applying ---- */

/* Maps of one mount: its own, those of its option, or the container's. */
static int choose(const struct idmapping *c, const struct spec_mount *m, const struct mount_options *o,
		  const struct maps *own, struct maps *out, const char *where, struct err *e)
{
	int r = 0;

	*out = *own;
	if (m->uid_mappings.n)
		r = spec_maps(&m->uid_mappings, &m->gid_mappings, c->arena, out);
	else if (o->idmap_text)
		r = parse_text(o->idmap_text, c->arena, out);
	if (r == -ENOMEM)
		return err_set(e, ERR_LIMIT, r, where, "id maps");
	if (r == -ERANGE)
		return err_set(e, ERR_SPEC, 0, where, "ids of \"idmap=%.150s\" are not mapped by /linux", o->idmap_text);
	if (r)
		return err_set(e, ERR_SPEC, 0, where, "\"idmap=%.150s\" is not like uids=0-1000-10;gids=0-1000-10",
			       o->idmap_text);
	if (out->userns < 0 && (!out->n_uids || !out->n_gids))
		return err_set(e, ERR_SPEC, 0, where,
			       "an id-mapped mount needs uids and gids, or a user namespace to take them from");
	if (out->userns < 0 && own->userns >= 0 && same_maps(out, own))
		*out = *own;
	return 0;
}

static int refused(int q, int tree, const struct spec_mount *m, const char *where, struct err *e)
{
	struct statfs sfs;

	if (q == -ENOSYS)
		return err_set(e, ERR_UNSUPPORTED, q, where, "id-mapped mounts need Linux 5.12");
	if (q == -EPERM)
		return err_set(e, ERR_DENIED, q, where,
			       "map the ids of \"%s\" (it is id-mapped already, or not root of its file system's user namespace)",
			       m->source);
	if (q == -EINVAL)
		return err_set(e, ERR_UNSUPPORTED, q, where,
			       "the file system of \"%s\" (type 0x%llx) has no id-mapped mounts on this kernel", m->source,
			       fstatfs(tree, &sfs) ? 0 : (unsigned long long)sfs.f_type);
	return err_set(e, ERR_KERNEL, q, where, "map the ids of \"%s\"", m->source);
}

static int map_one(const struct idmapping *c, size_t i, const struct maps *own, struct maps *made, size_t *n_made,
		   struct err *e)
{
	const struct spec_mount *m = (const struct spec_mount *)c->spec->mounts.v + i;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	struct mount_options o;
	struct maps maps;
	char where[48];
	size_t k;
	int r;

	text_join(where, sizeof(where), "/mounts/", text_num(i));
	r = mount_options_parse(&m->options, c->arena, &o, where, e);
	if (r || (!o.idmap && !o.ridmap && !m->uid_mappings.n))
		return r;
	if (c->sources[i] < 0)
		return refused(-ENOSYS, -1, m, where, e);
	r = choose(c, m, &o, own, &maps, where, e);
	if (r)
		return r;
	for (k = 0; k < *n_made && maps.userns < 0; k++)
		if (same_maps(&made[k], &maps))
			maps = made[k];
	if (maps.userns < 0) {
		r = maps.userns = idmap_userns(c->procfd, maps.uids, maps.n_uids, maps.gids, maps.n_gids, e);
		if (r < 0) {
			err_context(e, "id maps of %s", where);
			return r;
		}
		made[(*n_made)++] = maps;
	}
	attr.userns_fd = (uint64_t)maps.userns;
	r = sysx_mount_setattr(c->sources[i], "", AT_EMPTY_PATH | (o.ridmap ? AT_RECURSIVE : 0), &attr);
	return r ? refused(r, c->sources[i], m, where, e) : 0;
}

bool rootfs_wants_idmaps(const struct spec *s)
{
	const struct spec_mount *m = s->mounts.v;
	size_t i, k;

	for (i = 0; i < s->mounts.n; i++) {
		if (m[i].uid_mappings.n)
			return true;
		for (k = 0; k < m[i].options.n; k++) {
			const char *word = m[i].options.v[k];

			if (!strncmp(word, "idmap", 5) || !strncmp(word, "ridmap", 6))
				return true;
		}
	}
	return false;
}

int rootfs_idmaps(const struct idmapping *c, struct err *e)
{
	const struct spec_linux *l = c->spec->linux_;
	size_t i, n_made = 0, n = c->spec->mounts.n;
	struct maps own, *made = arena_alloc(c->arena, (n + 1) * sizeof(*made));
	int r = 0;

	if (!made || spec_maps(&l->uid_mappings, &l->gid_mappings, c->arena, &own))
		return err_set(e, ERR_LIMIT, -ENOMEM, "/mounts", "id maps");
	own.userns = c->userns;
	for (i = 0; i < n && !r; i++)
		r = map_one(c, i, &own, made, &n_made, e);
	for (i = 0; i < n_made; i++)
		fd_close(&made[i].userns);
	return r;
}

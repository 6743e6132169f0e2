/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of user namespace mappings. The kernel answers any of these mistakes
 * with a bare EINVAL, and only when the first process exists already.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include "bounds.h"
#include "num.h"
#include "spec_internal.h"

static bool overlap(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	return (uint64_t)a < (uint64_t)b + nb && (uint64_t)b < (uint64_t)a + na;
}

static int check_pair(const struct spec_idmap *m, size_t i, size_t j, const char *where, struct err *e)
{
	if (overlap(m[i].container_id, m[i].size, m[j].container_id, m[j].size))
		return spec_bad(e, where, "container ids %u+%u overlap entry %zu, %u+%u",
				m[i].container_id, m[i].size, j, m[j].container_id, m[j].size);
	if (overlap(m[i].host_id, m[i].size, m[j].host_id, m[j].size))
		return spec_bad(e, where, "host ids %u+%u overlap entry %zu, %u+%u",
				m[i].host_id, m[i].size, j, m[j].host_id, m[j].size);
	return 0;
}

/** spec_check_map() - One list of maps. The order of entries is free: the kernel sorts them. */
int spec_check_map(const struct objv *v, const char *where, struct err *e)
{
	const struct spec_idmap *m = v->v;
	struct pointer at;
	int r;

	if (v->n > LIMIT_ID_MAPS)
		return spec_bad(e, where, "has %zu entries, the kernel takes %u", v->n, LIMIT_ID_MAPS);
	for (size_t i = 0; i < v->n; i++) {
		spec_at(&at, "%s/%zu", where, i);
		if (!m[i].size)
			return spec_bad(e, at.text, "size is 0 (containerID %u, hostID %u)",
					m[i].container_id, m[i].host_id);
		if ((uint64_t)m[i].container_id + m[i].size > UINT32_MAX)
			return spec_bad(e, at.text, "container ids %u+%u pass 4294967294",
					m[i].container_id, m[i].size);
		if ((uint64_t)m[i].host_id + m[i].size > UINT32_MAX)
			return spec_bad(e, at.text, "host ids %u+%u pass 4294967294",
					m[i].host_id, m[i].size);
		for (size_t j = 0; j < i; j++) {
			r = check_pair(m, i, j, at.text, e);
			if (r)
				return r;
		}
	}
	return 0;
}

static int check_mapped(const struct objv *v, uint32_t id, const char *where, const char *map, struct err *e)
{
	const struct spec_idmap *m = v->v;

	for (size_t i = 0; i < v->n; i++)
		if (id >= m[i].container_id && id - m[i].container_id < m[i].size)
			return 0;
	return spec_bad(e, where, "%u is not mapped by %s", id, map);
}

static int check_user(const struct spec *s, struct err *e)
{
	const struct spec_user *u = &s->process->user;
	const struct spec_linux *l = s->linux_;
	struct pointer at;
	int r = check_mapped(&l->uid_mappings, u->uid, "/process/user/uid", "/linux/uidMappings", e);

	if (!r)
		r = check_mapped(&l->gid_mappings, u->gid, "/process/user/gid", "/linux/gidMappings", e);
	for (size_t i = 0; !r && i < u->additional_gids.n; i++)
		r = check_mapped(&l->gid_mappings, u->additional_gids.v[i],
				 spec_at(&at, "/process/user/additionalGids/%zu", i),
				 "/linux/gidMappings", e);
	return r;
}

/* uid= and gid= of a new file system: the kernel answers EINVAL, which says nothing. */
static int check_owner_option(const struct spec_linux *l, const char *word, const char *where, struct err *e)
{
	bool uid = !strncmp(word, "uid=", 4);
	uint32_t id;

	if ((!uid && strncmp(word, "gid=", 4)) || num_u32(word + 4, &id))
		return 0;
	return uid ? check_mapped(&l->uid_mappings, id, where, "/linux/uidMappings", e) :
		     check_mapped(&l->gid_mappings, id, where, "/linux/gidMappings", e);
}

static int check_mounts(const struct spec *s, struct err *e)
{
	const struct spec_mount *m = s->mounts.v;
	struct pointer at;
	int r = 0;

	for (size_t i = 0; i < s->mounts.n; i++)
		for (size_t k = 0; !r && k < m[i].options.n; k++)
			r = check_owner_option(s->linux_, m[i].options.v[k],
					       spec_at(&at, "/mounts/%zu/options/%zu", i, k), e);
	return r;
}

/**
 * spec_check_idmaps() - Mappings, and that they and the user namespace belong together.
 *
 * With a user namespace given by path, mappings may be absent; whether given
 * ones are those of that namespace is seen when it is joined.
 *
 * Spec: config-linux.md#user-namespace-mappings
 */
int spec_check_idmaps(const struct spec *s, struct err *e)
{
	const struct spec_linux *l = s->linux_;
	const struct spec_namespace *user = spec_namespace(s, CLONE_NEWUSER);
	int r;

	if (!user && l->uid_mappings.n)
		return spec_bad(e, "/linux/uidMappings", "needs a user namespace");
	if (!user && l->gid_mappings.n)
		return spec_bad(e, "/linux/gidMappings", "needs a user namespace");
	if (user && !user->path && !l->uid_mappings.n)
		return spec_bad(e, "/linux/uidMappings", "required: the user namespace is new");
	if (user && !user->path && !l->gid_mappings.n)
		return spec_bad(e, "/linux/gidMappings", "required: the user namespace is new");
	r = spec_check_map(&l->uid_mappings, "/linux/uidMappings", e);
	if (!r)
		r = spec_check_map(&l->gid_mappings, "/linux/gidMappings", e);
	if (!r && user && !user->path && s->process)
		r = check_user(s, e);
	if (!r && user && !user->path)
		r = check_mounts(s, e);
	return r;
}

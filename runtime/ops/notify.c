/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory of the socket for readiness messages: made beside the state, shown to the container. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "ops.h"

#define INSIDE "/run/notify"

static int add_mount(struct spec *s, const char *source, struct arena *a)
{
	static const char *const words[] = { "bind", "nosuid", "noexec", "nodev", "ro" };
	struct spec_mount *m = arena_alloc(a, (s->mounts.n + 1) * sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (s->mounts.n)
		memcpy(m, s->mounts.v, s->mounts.n * sizeof(*m));
	m[s->mounts.n] = (struct spec_mount){
		.destination = INSIDE, .source = source,
		.options = { (const char **)(uintptr_t)words, sizeof(words) / sizeof(words[0]) },
	};
	s->mounts.v = m;
	s->mounts.n++;
	return 0;
}

int notify_prepare(const struct store *st, const char *root, struct spec *s, struct process *p, struct arena *a,
		   struct err *e)
{
	static const char *const variable = "NOTIFY_SOCKET=" INSIDE "/" CLEAT_NOTIFY_NAME;
	const char *dir = arena_printf(a, "%s/%s/" CLEAT_NOTIFY_DIR, root, st->id);
	int r = dir ? 0 : -ENOMEM;

	/* By mode and not by the caller's umask: whoever the program runs as must get to the socket. */
	if (!r && (mkdirat(st->dirfd, CLEAT_NOTIFY_DIR, 0755) || fchmodat(st->dirfd, CLEAT_NOTIFY_DIR, 0755, 0)))
		r = -errno;
	if (!r)
		r = add_mount(s, dir, a);
	if (!r)
		r = process_env_append(p, &variable, 1, a);
	return r ? err_set(e, ERR_KERNEL, r, "NOTIFY_SOCKET", "prepare the container's socket") : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_IDMAP_H
#define CLEAT_IDMAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"

/** struct idmap - One extent of a uid or gid map; as the kernel's file has it. */
struct idmap { uint32_t inside, outside, count; };

/**
 * idmap_write() - Write uid_map and gid_map of @pid, which waits in its new user namespace.
 * @procfd: handle of proc_open().
 * @unprivileged: the caller has neither CAP_SETUID nor CAP_SETGID. Its own id alone is written directly, for a
 *                gid after setgroups was denied; more goes by newuidmap and newgidmap of PATH.
 * Context: host stage.
 */
int idmap_write(int procfd, pid_t pid, const struct idmap *uids, size_t n_uids,
		const struct idmap *gids, size_t n_gids, bool unprivileged, struct err *e);
/**
 * idmap_userns() - A user namespace with these maps and nobody in it, as id-mapped mounts want one.
 * Context: host stage; as idmap_write(). A process is made for it and is gone again.
 * Return: fd (owned by the caller) or -errno with @e set.
 */
int idmap_userns(int procfd, const struct idmap *uids, size_t n_uids, const struct idmap *gids, size_t n_gids,
		 struct err *e);
/** idmap_by_tool() - Have @tool (newuidmap, newgidmap) of PATH write a map. @where: JSON pointer, for the message. */
int idmap_by_tool(const char *tool, pid_t pid, const struct idmap *m, size_t n, const char *where, struct err *e);
/** idmap_to_host() - Host id of @id by a map. Return: 0 or -EINVAL when it is not mapped. */
int idmap_to_host(const struct idmap *m, size_t n, uint32_t id, uint32_t *host);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_ADDRESS_H
#define CLEAT_SHIM_ADDRESS_H
#include "err.h"
#include "field.h"

#define ADDRESS_SOCKET_DIR "/run/containerd/s"
#define ADDRESS_PATH_MAX 106	/* sun_path as other shims bound it */

/** struct shim_address - Where a group's server listens. */
struct shim_address {
	char dir[ADDRESS_PATH_MAX];
	char path[ADDRESS_PATH_MAX + 1];
	char url[ADDRESS_PATH_MAX + sizeof("unix://")];
};

/**
 * address_make() - Socket of the server for @group (contract shim 1.6): the
 * lower-hex SHA-256 of the clean path <grpc>/<ns>/<group>, in @dir.
 * @dir: directory; NULL or "": ADDRESS_SOCKET_DIR.
 */
int address_make(struct shim_address *out, const char *dir, const char *grpc, const char *ns,
		 const char *group, struct err *e);

/**
 * address_group() - Group id of a container: the first grouping annotation
 * that is there and not empty, else @id. Return: borrowed from the arguments.
 */
const char *address_group(const struct strmap *annotations, const char *id);
#endif

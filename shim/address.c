/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of sockets and groups: pure functions. The formula is a contract
 * with `ctr shim`, which recomputes it to find a server.
 */
#include <errno.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>
#include "address.h"
#include "pathfs.h"

#define JOINED_MAX 2048	/* a socket path and two ids */

int address_make(struct shim_address *out, const char *dir, const char *grpc, const char *ns,
		 const char *group, struct err *e)
{
	char joined[JOINED_MAX], clean[JOINED_MAX], hex[SHA256_DIGEST_STRING_LENGTH];
	bool absolute = grpc[0] == '/';
	const char *text;
	int r, n;

	if (!dir || !dir[0])
		dir = ADDRESS_SOCKET_DIR;
	n = snprintf(joined, sizeof(joined), "%s%s/%s/%s", absolute || !grpc[0] ? "" : "/",
		     grpc, ns, group);
	if (n < 0 || (size_t)n >= sizeof(joined))
		return err_set(e, ERR_SPEC, -ENAMETOOLONG, grpc, "address of containerd");
	r = path_clean(joined, clean, sizeof(clean));
	if (r < 0)
		return err_set(e, ERR_SPEC, r, joined, "address of containerd");
	/* A relative address stays relative, as a joined path would. */
	text = absolute ? clean : clean + 1;
	SHA256Data((const uint8_t *)text, strlen(text), hex);

	n = snprintf(out->path, sizeof(out->path), "%s/%s", dir, hex);
	if (n < 0 || (size_t)n >= sizeof(out->path))
		return err_set(e, ERR_SPEC, -ENAMETOOLONG, dir, "socket directory");
	snprintf(out->dir, sizeof(out->dir), "%s", dir);
	snprintf(out->url, sizeof(out->url), "unix://%s", out->path);
	return 0;
}

const char *address_group(const struct strmap *annotations, const char *id)
{
	static const char *const keys[] = {
		"io.containerd.runc.v2.group",
		"io.kubernetes.cri.sandbox-id",
	};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		for (size_t i = 0; i < annotations->n; i++)
			if (!strcmp(annotations->v[i].key, keys[k]) && annotations->v[i].val[0])
				return annotations->v[i].val;
	return id;
}

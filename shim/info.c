/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* -info: RuntimeInfo on stdout (contract shim 1.8). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boot.h"
#include "cleat.h"
#include "fdio.h"
#include "message.h"
#include "types.pb-c.h"

#define FEATURES_TYPE "types.containerd.io/opencontainers/runtime-spec/1/features/Features"
#define OPTIONS_BYTES (10u << 20)

int info_main(struct err *e)
{
	Containerd__Types__RuntimeInfo info = CONTAINERD__TYPES__RUNTIME_INFO__INIT;
	Containerd__Types__RuntimeVersion version = CONTAINERD__TYPES__RUNTIME_VERSION__INIT;
	Google__Protobuf__Any features = GOOGLE__PROTOBUF__ANY__INIT;
	auto_arena a = ARENA_INIT;
	auto_buf in = BUF_INIT, out = BUF_INIT;
	char *json = NULL;
	int r = 0;

	/* Options are only echoed; a caller that leaves the input open has none. */
	if (!isatty(STDIN_FILENO))
		r = fdio_read_all(STDIN_FILENO, &in, OPTIONS_BYTES);
	if (r < 0)
		return err_set(e, ERR_SPEC, r, "stdin", "read options");
	info.name = msg_set(SHIM_RUNTIME);
	version.version = msg_set(CLEAT_VERSION);
	info.version = &version;
	if (in.len) {
		info.options = msg_unpack(&a, &google__protobuf__any__descriptor, in.data, in.len, e);
		if (!info.options)
			return err_context(e, "options on stdin");
	}
	json = cleat_features_json();
	if (!json)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "features");
	features.type_url = msg_set(FEATURES_TYPE);
	features.value = msg_bytes(json, strlen(json));
	info.features = &features;
	msg_pack(&out, &info);
	r = buf_ok(&out) ? fdio_write_full(STDOUT_FILENO, out.data, out.len) : -ENOMEM;
	free(json);
	return r < 0 ? err_set(e, ERR_KERNEL, r, "stdout", "write runtime info") : 0;
}

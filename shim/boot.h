/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_BOOT_H
#define CLEAT_SHIM_BOOT_H
#include "args.h"

#define SHIM_NAME "containerd-shim-cleat-v2"
#define SHIM_RUNTIME "io.containerd.cleat.v2"

/** boot_start() - The start action: find or make the group's server, answer its address. */
int boot_start(const struct shim_args *args, struct err *e);
/** remove_main() - The delete action: leave nothing of the container, answer how it ended. */
int remove_main(const struct shim_args *args, struct err *e);
/** info_main() - -info: what this runtime can do. */
int info_main(struct err *e);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shim's program: one binary, and the first word says which of its lives it leads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "boot.h"
#include "cleat.h"
#include "fd.h"
#include "fdio.h"
#include "server.h"

static int fail(const struct err *e)
{
	char text[ERR_TEXT_MAX], line[ERR_TEXT_MAX + 64];
	int n;

	err_render(e, text, sizeof(text));
	n = snprintf(line, sizeof(line), "%s: %s\n", SHIM_NAME, text);
	fdio_write_full(STDERR_FILENO, line, (size_t)n);
	return 1;
}

static int print_version(void)
{
	static const char text[] = SHIM_NAME ":\n"
		"  Version:  " CLEAT_VERSION "\n"
		"  Spec:     " CLEAT_SPEC_VERSION "\n";

	return fdio_write_full(STDOUT_FILENO, text, sizeof(text) - 1) ? 1 : 0;
}

static int run(const struct shim_args *args, struct err *e)
{
	if (!args->ns || !args->ns[0])
		return err_set(e, ERR_SPEC, 0, "-namespace", "shim namespace cannot be empty");
	/* It becomes a part of paths. */
	if (cleat_id_check(args->ns, e))
		return err_context(e, "namespace");
	if (!args->action)
		return server_main(args);
	if (!strcmp(args->action, "start"))
		return boot_start(args, e);
	if (!strcmp(args->action, "delete"))
		return remove_main(args, e);
	return err_set(e, ERR_SPEC, 0, args->action, "unknown action");
}

int main(int argc, char *argv[])
{
	struct shim_args args;
	struct err e = { 0 };
	int r;

	if (fd_open_std())
		return 1;
	r = args_parse(argc, argv, &args, &e);
	if (!r && args.version)
		return print_version();
	if (!r)
		r = args.info ? info_main(&e) : run(&args, &e);
	return e.kind == ERR_NONE ? r : fail(&e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that need no container: version, features, spec. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fd.h"
#include "fdio.h"

#ifndef CLEAT_COMMIT
#define CLEAT_COMMIT "v" CLEAT_VERSION
#endif

const struct opt cli_spec_options[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .type = OPT_STR,
	  .off = OPT_AT(struct spec_values, bundle),
	  .value = "DIR",
	  .help = "directory to write config.json to (the working directory)" },
	{ .name = "rootless",
	  .type = OPT_FLAG,
	  .off = OPT_AT(struct spec_values, rootless),
	  .help = "for a user without privileges" },
	{ .type = OPT_END },
};

int cmd_version(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	auto_buf b = BUF_INIT;

	/* Callers read these lines by their first words. */
	buf_addf(&b, "%s version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", c->name,
		 CLEAT_VERSION, CLEAT_COMMIT, CLEAT_SPEC_VERSION, cleat_libseccomp_version());
	return cli_out_buf(&b, e);
}

int cmd_features(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	auto_buf b = BUF_INIT;
	char *json = cleat_features_json();

	if (!json)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "write the features");
	buf_adds(&b, json);
	free(json);
	buf_addc(&b, '\n');
	return cli_out_buf(&b, e);
}

/* Write @text to a new file config.json in @dir; what was begun and failed is taken away again. */
static int write_config(int dir, const char *text, struct err *e)
{
	static const char name[] = "config.json";
	auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int r;

	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS, 0, NULL, "file %s exists, remove it first", name);
	if (fd < 0)
		return err_set(e, ERR_KERNEL, -errno, name, "make the file");
	r = fdio_write_full(fd, text, strlen(text));
	if (!r)
		r = fdio_write_full(fd, "\n", 1);
	if (r)
		unlinkat(dir, name, 0);
	return r ? err_set(e, ERR_KERNEL, r, name, "write the file") : 0;
}

int cmd_spec(struct cli *c, const void *values, int argc, char **argv, struct err *e)
{
	const struct spec_values *v = values;
	const char *bundle = v->bundle ? v->bundle : ".";
	auto_fd dir = openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *text;
	int r;

	if (dir < 0)
		return err_set(e, ERR_SPEC, -errno, bundle, "open the bundle");
	text = cleat_spec_default(v->rootless);
	if (!text)
		return err_set(e, ERR_LIMIT, -ENOMEM, NULL, "build the configuration");
	r = write_config(dir, text, e);
	free(text);
	return r;
}

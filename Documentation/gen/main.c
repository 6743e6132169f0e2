/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Print one generated document. Run by make; not installed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "docs.h"
#include "fdio.h"

enum docs_kind docs_kind(const struct opt *o)
{
	const char *v = o->value;

	if (o->type == OPT_FLAG || o->type == OPT_MAYBE)
		return DOCS_NONE;	/* nothing in the next word */
	if (!v)
		return DOCS_TEXT;
	if (!strcmp(v, "DIR"))
		return DOCS_DIR;
	if (!strcmp(v, "FILE") || !strcmp(v, "PATH") || !strcmp(v, "FILE|-"))
		return DOCS_FILE;
	return strchr(v, '|') ? DOCS_WORDS : DOCS_TEXT;
}

bool docs_takes_id(const struct cli_command *cmd)
{
	return cmd->usage && strstr(cmd->usage, "CONTAINER-ID");
}

bool docs_new_id(const struct cli_command *cmd)
{
	return cmd->root == ROOT_MAKE;
}

static int document(const char *what, const char *which, struct buf *b)
{
	if (!strcmp(what, "commands")) {
		for (const struct cli_command *c = cli_commands; c->name; c++)
			if (c->run)
				buf_addf(b, "%s\n", c->name);
	} else if (!strcmp(what, "bash")) {
		docs_bash(b);
	} else if (!strcmp(what, "zsh")) {
		docs_zsh(b);
	} else if (!strcmp(what, "man") && !strcmp(which, "cleat")) {
		docs_man(b);
	} else if (!strcmp(what, "man") && !strcmp(which, "containerd-shim-cleat-v2")) {
		docs_man_shim(b);
	} else if (!strcmp(what, "man") && !strncmp(which, "cleat-", 6)) {
		const struct cli_command *c = cli_command_find(which + 6);

		if (!c || !c->run)
			return -1;
		docs_man_command(c, b);
	} else {
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	auto_buf b = BUF_INIT;

	if (argc < 2 || argc > 3 || document(argv[1], argc > 2 ? argv[2] : "", &b)) {
		fprintf(stderr, "usage: docs commands|bash|zsh|man PAGE\n");
		return 1;
	}
	return !buf_ok(&b) || fdio_write_full(STDOUT_FILENO, b.data, b.len);
}

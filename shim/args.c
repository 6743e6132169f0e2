/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line that containerd gives a shim (contract shim 1.2). The
 * rules are those of Go's flag package, because that is what every caller
 * was written against.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "args.h"

#define TEXT(flag, value, member, help) { flag, value, help, offsetof(struct shim_args, member) }
#define BOOL(flag, member, help) { flag, NULL, help, offsetof(struct shim_args, member) }

const struct shim_flag shim_flags[] = {
	TEXT("namespace", "NAME", ns, "containerd's namespace of the container"),
	TEXT("id", "ID", id, "the container"),
	TEXT("address", "PATH", address, "containerd's own socket"),
	TEXT("publish-binary", "PATH", publish_binary, "the program that takes events; events go to the socket"),
	TEXT("bundle", "DIR", bundle, "directory of the container's bundle (the working directory)"),
	TEXT("socket", "PATH", socket, "taken and not used: the server's socket is handed over open"),
	TEXT("debug-socket", "PATH", debug_socket, "taken and not used"),
	BOOL("debug", debug, "log debug lines"),
	BOOL("v", version, "print the version"),
	BOOL("version", version, "print the version"),
	BOOL("info", info, "print what this runtime can do, as a protobuf message"),
	{ 0 },
};

static const struct shim_flag *flag_find(const char *name, size_t len)
{
	const struct shim_flag *f;

	for (f = shim_flags; f->name; f++)
		if (strlen(f->name) == len && !memcmp(f->name, name, len))
			return f;
	return NULL;
}

static int bool_value(const char *word, bool *out)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcmp(word, yes[i])) {
			*out = true;
			return 0;
		}
		if (!strcmp(word, no[i])) {
			*out = false;
			return 0;
		}
	}
	return -EINVAL;
}

/* Consume one flag at argv[*i]; *i is left on its last word. */
static int take_flag(int argc, char *const argv[], int *i, struct shim_args *out, struct err *e)
{
	const char *word = argv[*i], *name = word + 1, *value;
	const struct shim_flag *f;
	char *member;

	if (*name == '-')
		name++;
	value = strchr(name, '=');
	f = flag_find(name, value ? (size_t)(value - name) : strlen(name));
	if (!f)
		return err_set(e, ERR_SPEC, -EINVAL, word, "unknown flag");
	member = (char *)out + f->off;
	if (value)
		value++;
	if (!f->value) {
		bool *b = (bool *)(void *)member;

		if (!value)
			*b = true;
		else if (bool_value(value, b))
			return err_set(e, ERR_SPEC, -EINVAL, word, "not a boolean value");
		return 0;
	}
	if (!value) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_SPEC, -EINVAL, word, "flag needs a value");
		value = argv[++*i];
	}
	*(const char **)(void *)member = value;
	return 0;
}

int args_parse(int argc, char *const argv[], struct shim_args *out, struct err *e)
{
	int i, r;

	*out = (struct shim_args){ 0 };
	for (i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || !word[1])
			break;
		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		r = take_flag(argc, argv, &i, out, e);
		if (r < 0)
			return r;
	}
	if (i < argc)
		out->action = argv[i];
	return 0;
}

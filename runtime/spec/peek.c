/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small questions of front ends: what a config.json says in one place, without
 * judging the rest of it, and names that they show.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include "bounds.h"
#include "cleat.h"
#include "json.h"
#include "spec_internal.h"

struct peek_process { bool terminal; };
struct peek { struct peek_process process; struct strmap annotations; };

static const struct field process_fields[] = {
	{ .key = "terminal", .type = FT_BOOL, .off = FIELD_OFF(struct peek_process, terminal) },
};
static OBJECT(process_object, struct peek_process, process_fields);
static const struct field peek_fields[] = {
	{ .key = "process", .type = FT_OBJ, .off = FIELD_OFF(struct peek, process),
	  .sub = &process_object },
	{ .key = "annotations", .type = FT_MAP, .off = FIELD_OFF(struct peek, annotations) },
};
static OBJECT(peek_object, struct peek, peek_fields);

static int peek_at(const char *path, struct peek *p, struct arena *a, struct err *e)
{
	char text[SPEC_TYPICAL_BYTES];
	auto_buf doc = BUF_ON(text);
	int r = spec_read_file(AT_FDCWD, path, &doc, e);

	return r ? r : json_read(doc.data, doc.len, &peek_object, p, a, path, "", NULL, e);
}

/**
 * cleat_spec_annotations() - Annotations of a config.json.
 * @config_path: file; regular, at most LIMIT_JSON_BYTES.
 * @out: result, empty when there are none. @a: takes it.
 * @e:   set on failure.
 *
 * Return: 0 or -errno.
 */
int cleat_spec_annotations(const char *config_path, struct strmap *out, struct arena *a, struct err *e)
{
	struct peek p;
	int r = peek_at(config_path, &p, a, e);

	if (!r)
		*out = p.annotations;
	return r;
}

/**
 * cleat_spec_terminal() - Does a config.json ask for a terminal?
 * @config_path: as above. @e: set on failure.
 *
 * Return: 1, 0 or -errno.
 */
int cleat_spec_terminal(const char *config_path, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct peek p;
	int r = peek_at(config_path, &p, &a, e);

	arena_fini(&a);
	return r ? r : p.process.terminal;
}

/**
 * cleat_id_check() - Is @id a container id that we take?
 * @id: 1 to LIMIT_ID_BYTES of A-Z a-z 0-9 _ + - . and no dot in front, where
 *      state roots keep files of their own.
 * @e:  set on failure.
 *
 * Return: 0 or -EINVAL.
 */
int cleat_id_check(const char *id, struct err *e)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";
	size_t len = strlen(id);

	if (len && len <= LIMIT_ID_BYTES && id[0] != '.' && strspn(id, set) == len)
		return 0;
	return err_set(e, ERR_SPEC, 0, NULL, "invalid container ID format: \"%.200s\"%s", id,
		       len > LIMIT_ID_BYTES ? " (at most 255 bytes)" : "");
}

/** cleat_status_name() - OCI word of a status; "unknown" for anything else. */
const char *cleat_status_name(enum cleat_status s)
{
	static const char *const names[] = {
		[CLEAT_CREATING] = "creating",
		[CLEAT_CREATED] = "created",
		[CLEAT_RUNNING] = "running",
		[CLEAT_PAUSED] = "paused",
		[CLEAT_STOPPED] = "stopped",
	};

	return (unsigned int)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

/** cleat_libseccomp_version() - Version of the library that this was built with. */
const char *cleat_libseccomp_version(void)
{
	return TEXT(SCMP_VER_MAJOR) "." TEXT(SCMP_VER_MINOR) "." TEXT(SCMP_VER_MICRO);
}

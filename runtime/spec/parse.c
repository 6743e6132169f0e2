/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a file or a text to a checked struct spec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "bounds.h"
#include "fd.h"
#include "fdio.h"
#include "json.h"
#include "spec_internal.h"

/**
 * spec_read_file() - Read a document that somebody else wrote.
 * @dirfd, @path: as openat(2); the last component may be a symlink.
 * @doc:  empty; takes it.
 * @e:    set on failure; where is @path.
 *
 * O_NONBLOCK, so that a FIFO does not hold us up before it is found to be
 * none; the size is taken once, a file that shrinks meanwhile is an error.
 *
 * Return: 0 or -errno.
 */
int spec_read_file(int dirfd, const char *path, struct buf *doc, struct err *e)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SPEC, -errno, path, "open");
	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_KERNEL, -errno, path, "fstat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_SPEC, 0, path, "is not a regular file");
	if (st.st_size > (off_t)LIMIT_JSON_BYTES)
		return err_set(e, ERR_LIMIT, -EFBIG, path, "is %lld bytes long, at most %u are allowed",
			       (long long)st.st_size, LIMIT_JSON_BYTES);
	if (buf_reserve(doc, (size_t)st.st_size))
		return err_set(e, ERR_LIMIT, -ENOMEM, path, "read");
	n = fdio_read_full(fd, doc->data, (size_t)st.st_size);
	if (n < 0 || n != st.st_size)
		return n < 0 ? err_set(e, ERR_KERNEL, (int)n, path, "read") :
			       err_set(e, ERR_SPEC, 0, path, "changed while it was read");
	doc->len = (size_t)n;
	return 0;
}

/**
 * spec_load() - Read, parse and check a config.json.
 * @dirfd, @path: a regular file of at most LIMIT_JSON_BYTES.
 * @a:   takes the result.
 * @out: set on success.
 * @log: takes warnings; may be NULL.
 * @e:   set on failure.
 *
 * Return: 0 or -errno.
 */
int spec_load(int dirfd, const char *path, struct arena *a, struct spec **out,
	      const struct log *log, struct err *e)
{
	char text[SPEC_TYPICAL_BYTES];
	auto_buf doc = BUF_ON(text);
	int r = spec_read_file(dirfd, path, &doc, e);

	return r ? r : spec_parse(doc.data, doc.len, a, out, log, e);
}

static void drop_empty(const char **s)
{
	if (*s && !**s)
		*s = NULL;
}

/* "" and absent are the same for these, as other runtimes write both. */
static void normalise(struct spec *s)
{
	struct spec_namespace *ns = s->linux_->namespaces.v;
	struct spec_net_device *d = s->linux_->net_devices.v;
	struct spec_mount *m = s->mounts.v;

	for (size_t i = 0; i < s->linux_->namespaces.n; i++)
		drop_empty(&ns[i].path);
	for (size_t i = 0; i < s->mounts.n; i++) {
		drop_empty(&m[i].type);
		drop_empty(&m[i].source);
	}
	for (size_t i = 0; i < s->linux_->net_devices.n; i++)
		drop_empty(&d[i].name);
	drop_empty(&s->linux_->cgroups_path);
	drop_empty(&s->linux_->rootfs_propagation);
	drop_empty(&s->linux_->mount_label);
	drop_empty(&s->hostname);
	drop_empty(&s->domainname);
}

/* Annotations that callers of other runtimes rely on. Before the checks: one of them names the listener's socket. */
static int heed_annotations(struct spec *s, struct err *e)
{
	struct filter_spec *f = s->linux_->seccomp;

	for (size_t i = 0; i < s->annotations.n; i++) {
		const char *key = s->annotations.v[i].key, *val = s->annotations.v[i].val;

		if (strncmp(key, "run.oci.", 8) || !*val)
			continue;
		if (!strcmp(key, "run.oci.keep_original_groups"))
			s->keep_groups = strcmp(val, "0");
		else if (!strcmp(key, "run.oci.pidfd_receiver"))
			s->pidfd_receiver = val;
		else if (!strcmp(key, "run.oci.seccomp.receiver") && f && !(f->listener_path && *f->listener_path))
			f->listener_path = val;
		else if (!strcmp(key, "run.oci.seccomp_fail_unknown_syscall") && f && strcmp(val, "0") &&
			 filter_check_known(f, "/linux/seccomp", e))
			return -EINVAL;
	}
	if (s->keep_groups && s->process && s->process->user.additional_gids.n)
		return err_set(e, ERR_SPEC, -EINVAL, "/process/user/additionalGids",
			       "other groups are asked for, and the caller's are to be kept "
			       "(annotation run.oci.keep_original_groups)");
	return 0;
}

/**
 * spec_parse() - Parse and check the text of a config.json.
 * @json: text, need not be terminated. @len: its bytes.
 * @a:   takes the result, which does not refer to @json.
 * @out: set on success; linux_ is never NULL, empty hostname, domainname,
 *       namespace paths, mount types and sources, cgroupsPath and
 *       rootfsPropagation are NULL.
 * @log: takes warnings; may be NULL.
 * @e:   set on failure; where is a JSON pointer.
 *
 * Return: 0 or -errno.
 */
int spec_parse(const char *json, size_t len, struct arena *a, struct spec **out,
	       const struct log *log, struct err *e)
{
	struct spec *s = arena_new(a, struct spec);
	int r;

	if (!s)
		return err_set(e, ERR_LIMIT, -ENOMEM, "config.json", "parse");
	r = json_read(json, len, &spec_object, s, a, "config.json", "", log, e);
	if (r)
		return r;
	if (!s->linux_)
		s->linux_ = arena_new(a, struct spec_linux);
	if (!s->linux_)
		return err_set(e, ERR_LIMIT, -ENOMEM, "config.json", "parse");
	normalise(s);
	r = heed_annotations(s, e);
	if (!r)
		r = spec_check(s, log, e);
	if (r)
		return r;
	*out = s;
	return 0;
}

/**
 * spec_process_parse() - Parse and check a process document (exec).
 * @json: text, need not be terminated. @len: its bytes.
 * @a:   takes the result. @out: set on success.
 * @log: takes warnings; may be NULL.
 * @e:   set on failure; pointers start with "/process", as in config.json.
 *
 * Return: 0 or -errno.
 */
int spec_process_parse(const char *json, size_t len, struct arena *a, struct spec_process **out,
		       const struct log *log, struct err *e)
{
	struct spec_process *p = arena_new(a, struct spec_process);
	int r;

	if (!p)
		return err_set(e, ERR_LIMIT, -ENOMEM, "process", "parse");
	r = json_read(json, len, &spec_process_object, p, a, "process document", "/process", log, e);
	if (!r)
		r = spec_check_process(p, "/process", e);
	if (!r)
		*out = p;
	return r;
}

/** spec_namespace() - Entry of @type (CLONE_NEW*); NULL: the namespace is inherited. */
const struct spec_namespace *spec_namespace(const struct spec *s, int type)
{
	const struct spec_namespace *ns = s->linux_->namespaces.v;

	for (size_t i = 0; i < s->linux_->namespaces.n; i++)
		if (ns[i].type == type)
			return &ns[i];
	return NULL;
}

/** spec_namespace_name() - Word of a CLONE_NEW* flag; "?" for anything else. */
const char *spec_namespace_name(int type)
{
	const char *name = names_of(spec_namespace_names, type);

	return name ? name : "?";
}

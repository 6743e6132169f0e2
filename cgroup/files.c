/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control files. A cgroup is a set of directory fds; a file in it is opened
 * relative to its fd, gets one write(2) and is closed: the kernel parses per
 * call and names are resolved once, when the directory is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "num.h"
#include "pathfs.h"
#include "text.h"

/**
 * cg_has_word() - Is @word an element of @list, whose elements @sep divides?
 */
bool cg_has_word(const char *list, const char *word, char sep)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; ) {
		if (!strncmp(p, word, len) && (!p[len] || p[len] == sep || p[len] == '\n'))
			return true;
		while (*p && *p != sep && *p != '\n')
			p++;
		if (*p)
			p++;
	}
	return false;
}

/**
 * cg_index() - Index of the v1 hierarchy with @controller.
 * Return: index, or -1 when the host has none.
 */
int cg_index(const struct cg_host *host, const char *controller)
{
	for (size_t i = 0; i < host->n; i++)
		if (!host->h[i].v2 && cg_has_word(host->h[i].controllers, controller, ','))
			return (int)i;
	return -1;
}

/**
 * cg_controller() - Index of the hierarchy in which @c can use @controller of v1.
 * Return: index of an open directory, or -1.
 */
int cg_controller(const struct cg *c, const char *controller)
{
	int i = cg_index(c->host, controller);

	return i >= 0 && c->dirfd[i] >= 0 ? i : -1;
}

/**
 * cg_uses() - Does a container get a directory in hierarchy @i?
 *
 * On a hybrid host the v2 hierarchy holds no controllers and is systemd's; a
 * container that is left out of it loses nothing (stats, freezer and kill work
 * on v1) and saves a directory and a migration.
 */
bool cg_uses(const struct cg_host *host, size_t i)
{
	return !host->h[i].v2 || host->mode == CG_MODE_V2;
}

/** cg_is_v2() - Is the container's cgroup one v2 directory? */
bool cg_is_v2(const struct cg *c)
{
	return c->host->mode == CG_MODE_V2;
}

/**
 * cg_main() - The hierarchy whose lists of processes are believed.
 *
 * All of them hold the same processes. The freezer comes first: a kill must
 * list exactly what it has frozen.
 * Return: index of an open directory, or -1.
 */
int cg_main(const struct cg *c)
{
	static const char *const order[] = { "freezer", "pids", "memory", "devices" };

	for (size_t k = 0; !cg_is_v2(c) && k < sizeof(order) / sizeof(order[0]); k++) {
		int i = cg_controller(c, order[k]);

		if (i >= 0)
			return i;
	}
	for (size_t i = 0; i < c->host->n; i++)
		if (c->dirfd[i] >= 0)
			return (int)i;
	return -1;
}

/** cg_kind() - What a caller can do about a failed call on a cgroup file. */
enum err_kind cg_kind(int r)
{
	switch (-r) {
	case EPERM:
	case EACCES:
	case EROFS:
		return ERR_DENIED;
	case EBUSY:
	case ENOSPC:
	case EAGAIN:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return ERR_LIMIT;
	case EINVAL:
	case ERANGE:
	case ENAMETOOLONG:
		return ERR_SPEC;
	case ENOENT:
	case EOPNOTSUPP:
	case ENOSYS:
		return ERR_UNSUPPORTED;
	default:
		return ERR_KERNEL;
	}
}

/**
 * cg_where() - Path of @file of the cgroup in hierarchy @i, for messages.
 * @file: NULL for the directory itself.
 * @out:  where the path does not fit, the front of the cgroup's is left out.
 */
void cg_where(const struct cg *c, size_t i, const char *file, char *out, size_t size)
{
	const char *mount = c->host->h[i].mountpoint, *path = c->path, *cut = "";
	size_t len = strlen(mount) + strlen(path) + (file ? 1 + strlen(file) : 0);

	if (len + 4 > size) {
		size_t skip = len + 5 - size;

		path += skip < strlen(path) ? skip : strlen(path);
		cut = "/...";
	}
	text_join(out, size, mount, cut, path, file ? "/" : NULL, file);
}

/** cg_has_file() - Does the cgroup have a control file of this name? */
bool cg_has_file(int dirfd, const char *file)
{
	struct stat st;

	/* faccessat with a flag is a new call (5.8), which a host's filter may not know. */
	return !fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW);
}

/**
 * cg_read() - Read a small control file into @out, without the last newline.
 * Return: length, -EFBIG if it does not fit, or -errno.
 */
int cg_read(int dirfd, const char *file, char *out, size_t size)
{
	auto_fd fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, out + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
		if (len == size)
			return -EFBIG;
		/* The kernel gives what fits in one piece: no second call to be told that it was all. */
		if (out[len - 1] == '\n')
			break;
	}
	while (len && out[len - 1] == '\n')
		len--;
	out[len] = 0;
	return (int)len;
}

/**
 * cg_read_u64() - Read a file that holds one number; "max" is UINT64_MAX.
 * Return: 0, -EINVAL or -errno.
 */
int cg_read_u64(int dirfd, const char *file, uint64_t *out)
{
	char text[64];
	int r = cg_read(dirfd, file, text, sizeof(text));

	if (r < 0)
		return r;
	if (!strcmp(text, "max")) {
		*out = UINT64_MAX;
		return 0;
	}
	return num_u64(text, UINT64_MAX, out);
}

/**
 * cg_find_key() - Value of a "key value" line of @text.
 */
bool cg_find_key(const char *text, const char *key, uint64_t *out)
{
	size_t len = strlen(key);

	for (const char *p = text; *p; ) {
		size_t n = strcspn(p, "\n");

		if (n > len && !memcmp(p, key, len) && p[len] == ' ') {
			char v[32];

			if (n - len - 1 >= sizeof(v))
				return false;
			memcpy(v, p + len + 1, n - len - 1);
			v[n - len - 1] = 0;
			return !num_u64(v, UINT64_MAX, out);
		}
		p += n;
		if (*p)
			p++;
	}
	return false;
}

/**
 * cg_read_key() - Value of a "key value" line of a small control file.
 * Return: 0, -ENODATA if the file has no such line, or -errno.
 */
int cg_read_key(int dirfd, const char *file, const char *key, uint64_t *out)
{
	char text[CG_FILE_MAX];
	int r = cg_read(dirfd, file, text, sizeof(text));

	if (r < 0)
		return r;
	return cg_find_key(text, key, out) ? 0 : -ENODATA;
}

/**
 * cg_put() - Write one value to a control file, with one write(2).
 * @i:     hierarchy.
 * @file:  file name, no slash.
 * @field: field of the resources that asks for it, such as "memory.limit"; for the message.
 * @val:   text in the unit of @file.
 *
 * Context: host stage.
 * Return: 0 or -errno. A file that the kernel does not have is ERR_UNSUPPORTED and
 *	   a value that it refuses ERR_SPEC, missing privilege ERR_DENIED.
 */
int cg_put(const struct cg *c, size_t i, const char *file, const char *field, const char *val,
	   struct err *e)
{
	int r = path_write(c->dirfd[i], file, val, strlen(val));
	char where[CG_WHERE_MAX];

	if (!r)
		return 0;
	cg_where(c, i, file, where, sizeof(where));
	if (r == -ENOENT)
		return err_set(e, ERR_UNSUPPORTED, r, where,
			       "resources.%s is %.64s, but this kernel has no such control file",
			       field, val);
	return err_set(e, cg_kind(r), r, where, "resources.%s: write \"%.128s\"", field, val);
}

/** cg_putf() - cg_put() of a formatted value. */
int cg_putf(const struct cg *c, size_t i, const char *file, const char *field, struct err *e,
	    const char *fmt, ...)
{
	char val[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(val, sizeof(val), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(val))
		return err_set(e, ERR_SPEC, -E2BIG, file, "resources.%s: the value is too long",
			       field);
	return cg_put(c, i, file, field, val, e);
}

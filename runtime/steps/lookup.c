/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the container that decide what runs: PATH, passwd. Read with the process's own rights, bounded. */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "fdio.h"
#include "num.h"
#include "pathfs.h"
#include "text.h"

/* 0 if @path can be executed, else -errno. */
static int can_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return 0;
	/* EPERM is no answer about files: a host's filter does not know faccessat2. Our ids are all the same. */
	return errno == EPERM && !access(path, X_OK) ? 0 : -errno;
}

static int by_path(const char *name, char *out, size_t size, struct err *e)
{
	int r = can_execute(name);

	if (r == -EISDIR)
		return err_set(e, ERR_SPEC, -EISDIR, NULL, "exec: \"%s\": permission denied", name);
	if (r == -EACCES)
		return err_set(e, ERR_SPEC, r, NULL, "exec: \"%s\"", name);
	if (r)
		return err_set(e, ERR_SPEC, r, NULL, "exec: \"%s\": stat %s", name, name);
	if (strlen(name) >= size)
		return err_set(e, ERR_SPEC, -ENAMETOOLONG, NULL, "exec: \"%s\"", name);
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

int lookup_executable(const struct process *p, char *out, size_t size, struct err *e)
{
	const char *name = p->args.v[0], *path = process_env(p, "PATH");
	bool denied = false;

	if (strchr(name, '/'))
		return by_path(name, out, size, e);
	while (path && *path) {
		size_t n = strcspn(path, ":");

		if (n < size)
			memcpy(out, path, n);
		if (n < size && text_join(out + n, size - n, n ? "/" : "./", name) > 0) {
			int r = can_execute(out);

			if (!r)
				return 0;
			denied |= r == -EACCES;
		}
		path += n;
		path += *path == ':';
	}
	if (denied)
		return err_set(e, ERR_SPEC, -EACCES, NULL, "exec: \"%s\"", name);
	return err_set(e, ERR_SPEC, 0, NULL, "exec: \"%s\": executable file not found in $PATH", name);
}

/* The home directory in one passwd line of @uid, or NULL. Cuts the line up. */
static const char *home_of_line(char *line, uint32_t uid)
{
	char *field[7], *p = line;
	uint32_t id;
	int i;

	for (i = 0; i < 7; i++) {
		field[i] = p;
		p = strchr(p, ':');
		if (!p)
			break;
		*p++ = 0;
	}
	if (i < 5 || num_u32(field[2], &id) || id != uid)
		return NULL;
	return field[5];
}

void lookup_home(int rootfd, uint32_t uid, char *out, size_t size)
{
	auto_fd fd = path_open_in_root(rootfd, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char chunk[LIMIT_PASSWD_LINE + 1];
	size_t have = 0, total = 0;
	struct stat st;

	text_join(out, size, "/");
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > LIMIT_PASSWD_BYTES)
		return;
	while (total <= LIMIT_PASSWD_BYTES) {
		ssize_t n = read(fd, chunk + have, LIMIT_PASSWD_LINE - have);
		char *line = chunk, *end;

		if (n <= 0 && !have)
			return;
		if (n > 0) {
			have += (size_t)n;
			total += (size_t)n;
		}
		chunk[have] = 0;
		while ((end = memchr(line, '\n', have - (size_t)(line - chunk))) || (n <= 0 && *line)) {
			const char *home;

			if (end)
				*end = 0;
			home = home_of_line(line, uid);
			if (home) {
				if (home[0])
					text_join(out, size, home);
				return;
			}
			if (!end)
				return;
			line = end + 1;
		}
		if (n <= 0 || (line == chunk && have == LIMIT_PASSWD_LINE))
			return;		/* the end, or a line beyond the bound */
		have -= (size_t)(line - chunk);
		memmove(chunk, line, have);
	}
}

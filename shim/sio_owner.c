/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose the pipes of a process are. Who opens /dev/stdout anew is asked for the
 * right to it then, so they must be the process's own. The engine gives them to
 * the user of the process from inside; in a user namespace that fails for what
 * belongs to an id that is not mapped there, as ours is. So it is done here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "buf.h"
#include "pathfs.h"
#include "sio.h"

#define PROC_FILE 65536
#define PROC_PATH 48

static const char *proc_path(char *out, pid_t pid, const char *file)
{
	snprintf(out, PROC_PATH, "/proc/%d/%s", (int)pid, file);
	return out;
}

int sio_own(const struct sio_ends *ends, uid_t uid, gid_t gid)
{
	for (int i = 0; i < 3; i++) {
		struct stat st;

		/* /dev/null is everybody's. */
		if (ends->process[i] < 0 || fstat(ends->process[i], &st) || !S_ISFIFO(st.st_mode))
			continue;
		if (fchown(ends->process[i], uid, gid))
			return -errno;
	}
	return 0;
}

/* If it cannot be told, it is ours: then there is nothing to do. */
static bool other_userns(pid_t pid)
{
	struct stat own, its;
	char path[PROC_PATH];

	return !stat("/proc/self/ns/user", &own) && !stat(proc_path(path, pid, "ns/user"), &its) &&
	       (own.st_ino != its.st_ino || own.st_dev != its.st_dev);
}

/* Whom the id 0 of a user namespace is outside, or else the first that it has. */
static bool root_of(pid_t pid, const char *file, uint32_t *out)
{
	auto_buf b = BUF_INIT;
	bool found = false;
	char path[PROC_PATH];

	if (path_read(AT_FDCWD, proc_path(path, pid, file), PROC_FILE, &b) || !b.len)
		return false;
	for (const char *line = b.data; line; line = strchr(line, '\n')) {
		unsigned int inside, outside, size;

		line += *line == '\n';
		if (sscanf(line, "%u %u %u", &inside, &outside, &size) != 3)
			break;
		if (!found || !inside)
			*out = outside;
		found = true;
	}
	return found;
}

void sio_own_in_userns(const struct sio_ends *ends, pid_t init)
{
	uint32_t uid, gid;

	if (init > 0 && other_userns(init) && root_of(init, "uid_map", &uid) &&
	    root_of(init, "gid_map", &gid))
		sio_own(ends, uid, gid);
}

/* The real id in a line of /proc/PID/status, as we would call it. */
static bool id_of(const char *status, const char *key, uint32_t *out)
{
	const char *line = strstr(status, key);

	return line && sscanf(line + strlen(key), "%u", out) == 1;
}

void sio_own_as(const struct sio_ends *ends, pid_t pid)
{
	auto_buf b = BUF_INIT;
	char path[PROC_PATH];
	uint32_t uid, gid;

	if (other_userns(pid) &&
	    !path_read(AT_FDCWD, proc_path(path, pid, "status"), PROC_FILE, &b) && b.len &&
	    id_of(b.data, "\nUid:", &uid) && id_of(b.data, "\nGid:", &gid))
		sio_own(ends, uid, gid);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* linux.timeOffsets. */
#include "clocks.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "spec.h"

int clocks_write(int procfd, pid_t pid, const struct objv *offsets, struct err *e)
{
	const struct spec_clock *k = offsets->v;
	char path[48], text[96], where[48];
	auto_fd fd = -1;
	size_t i;

	snprintf(path, sizeof(path), "%d/timens_offsets", (int)pid);
	fd = proc_openat(procfd, path, O_WRONLY);
	if (fd < 0)
		return err_set(e, ERR_KERNEL, fd, "/linux/timeOffsets", "open /proc/%s", path);
	for (i = 0; i < offsets->n; i++) {
		int n = snprintf(text, sizeof(text), "%s %lld %u\n", k[i].key, (long long)k[i].secs, k[i].nanosecs);

		if (write(fd, text, (size_t)n) == n)
			continue;
		snprintf(where, sizeof(where), "/linux/timeOffsets/%s", k[i].key);
		return err_set(e, errno == ERANGE ? ERR_SPEC : ERR_KERNEL, -errno, where, "%lld s, %u ns%s",
			       (long long)k[i].secs, k[i].nanosecs,
			       errno == ERANGE ? " (a clock before its beginning or after its end)" : "");
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File descriptors: closing, flags, and who keeps what. */
#include "fd.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "sysx.h"
#include "text.h"

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void fd_dir_close(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	*d = NULL;
	errno = saved;
}

const char *fd_path(char out[FD_PATH_SIZE], int fd)
{
	text_join(out, FD_PATH_SIZE, "/proc/self/fd/", text_num(fd));
	return out;
}

int fd_cloexec(int fd, int on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_nonblock(int fd, int on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl < 0)
		return -errno;
	fl = on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, fl) < 0 ? -errno : 0;
}

int fd_raise(int fd, int min)
{
	int r;

	if (fd >= min)
		return fd;
	r = fcntl(fd, F_DUPFD_CLOEXEC, min);
	if (r < 0)
		r = -errno;
	close(fd);
	return r;
}

int fd_open_std(void)
{
	int fd;

	/* open() hands out the lowest free number: all below @fd are open. */
	for (fd = 0; fd <= 2; fd++)	/* no O_CLOEXEC: they are meant to be inherited */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -errno;
	return 0;
}

static int compare_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Close [first, last]; kernels below 5.9 get /proc/self/fd's highest number by RLIMIT. */
static void close_span(int first, int last)
{
	struct rlimit rl;
	int fd;

	if (first > last)
		return;
	/* Not there, or a host's filter denies what it does not know: in both cases nothing was closed. */
	if (sysx_close_range((unsigned int)first, last == INT_MAX ? UINT_MAX : (unsigned int)last, 0) >= 0)
		return;
	if (last == INT_MAX) {
		auto_dir d = opendir("/proc/self/fd");
		struct dirent *de;

		last = first - 1;
		while (d && (de = readdir(d))) {
			int n = (int)strtol(de->d_name, NULL, 10);

			if (n > last && n != dirfd(d))
				last = n;
		}
		if (!d && !getrlimit(RLIMIT_NOFILE, &rl))
			last = rl.rlim_cur > INT_MAX ? INT_MAX - 1 : (int)rl.rlim_cur;
	}
	for (fd = first; fd <= last; fd++)
		close(fd);
}

void fd_close_except(int from, int *keep, size_t n)
{
	size_t i;

	if (n)
		qsort(keep, n, sizeof(*keep), compare_int);
	for (i = 0; i < n; i++) {
		if (keep[i] < from)
			continue;
		close_span(from, keep[i] - 1);
		from = keep[i] + 1;
	}
	close_span(from, INT_MAX);
}

int fd_unshare_except(int from, int keep)
{
	/* Those that it is to close are not even copied. */
	if (sysx_close_range((unsigned int)keep + 1, UINT_MAX, CLOSE_RANGE_UNSHARE) < 0 && unshare(CLONE_FILES))
		return -errno;
	fd_close_except(from, &keep, 1);
	return 0;
}

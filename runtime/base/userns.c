/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user namespace we are in, by its map: lines "inside outside count". */
#include "userns.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include "buf.h"
#include "pathfs.h"

#define MAP_MAX 16384	/* 340 lines */

struct extent { unsigned long inside, outside, count; };

/* The first line; without procfs or user namespaces, what the first namespace has. */
static struct extent first_extent(void)
{
	struct extent x = { 0, 0, UINT_MAX };
	char text[1024];
	auto_buf b = BUF_ON(text);
	char *p;

	if (path_read(AT_FDCWD, "/proc/self/uid_map", MAP_MAX, &b))
		return x;
	p = b.data;
	x.inside = strtoul(p, &p, 10);
	x.outside = strtoul(p, &p, 10);
	x.count = strtoul(p, &p, 10);
	return x;
}

bool userns_is_own(void)
{
	struct extent x = first_extent();

	return x.inside || x.outside || x.count != UINT_MAX;
}

uid_t userns_root_uid(void)
{
	struct extent x = first_extent();

	return x.inside ? 0 : (uid_t)x.outside;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the resctrl file system tells of a container's group. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bounds.h"
#include "fd.h"
#include "pathfs.h"
#include "rdt.h"

#define NODES_MAX 1024u		/* caches of one machine */

/* The line of file "schemata" in @dir that begins with @name; "" when there is none. */
static const char *schema(int dir, const char *name, struct arena *a)
{
	auto_buf b = BUF_INIT;
	const char *line;

	if (path_read(dir, "schemata", LIMIT_PROC_FILE, &b) || !b.data)
		return "";
	line = rdt_line(b.data, name, strlen(name));
	return line ? arena_strndup(a, line, strcspn(line, "\n")) : "";
}

static const char *word(int dir, const char *path, struct arena *a)
{
	auto_buf b = BUF_INIT;

	if (path_read(dir, path, LIMIT_PROC_FILE, &b) || !b.data)
		return "";
	b.data[strcspn(b.data, "\n")] = 0;
	return arena_strdup(a, b.data);
}

static int compare_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folders mon_L3_00, mon_L3_01 ... in order. */
static int count(int mon, struct arena *a, struct rdt_stats *s)
{
	int copy = openat(mon, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir d = copy < 0 ? NULL : fdopendir(copy);
	const char **names = arena_alloc(a, NODES_MAX * sizeof(*names));
	struct dirent *de;
	size_t i;

	if (!d)
		fd_close(&copy);
	if (!names)
		return -ENOMEM;
	while (d && (de = readdir(d)) && s->n_nodes < NODES_MAX)
		if (!strncmp(de->d_name, "mon_L3_", 7) && !(names[s->n_nodes++] = arena_strdup(a, de->d_name)))
			return -ENOMEM;
	qsort(names, s->n_nodes, sizeof(*names), compare_name);
	s->nodes = arena_alloc(a, (s->n_nodes + 1) * sizeof(*s->nodes));
	if (!s->nodes)
		return -ENOMEM;
	for (i = 0; i < s->n_nodes; i++) {
		auto_fd dir = openat(mon, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		s->nodes[i] = (struct rdt_node){ rdt_number(dir, "llc_occupancy"), rdt_number(dir, "mbm_total_bytes"),
						 rdt_number(dir, "mbm_local_bytes") };
		s->counts_occupancy |= !faccessat(dir, "llc_occupancy", F_OK, 0);
		s->counts_bytes |= !faccessat(dir, "mbm_total_bytes", F_OK, 0);
	}
	return 0;
}

int rdt_stats(int root, const struct rdt_group *g, const char *id, struct arena *a, struct rdt_stats *s)
{
	auto_fd dir = rdt_open_group(root, g), mon = -1;
	char path[LIMIT_ID_BYTES + 32] = "mon_data";

	*s = (struct rdt_stats){ .cbm_mask = "", .l3_root = "", .l3_own = "", .mb_root = "", .mb_own = "" };
	if (dir < 0)
		return 0;
	s->has_l3 = !faccessat(root, "info/L3/cbm_mask", F_OK, 0);
	s->has_mb = !faccessat(root, "info/MB", F_OK, 0);
	if (s->has_l3) {
		s->cbm_mask = word(root, "info/L3/cbm_mask", a);
		s->min_cbm_bits = rdt_number(root, "info/L3/min_cbm_bits");
		s->l3_closids = rdt_number(root, "info/L3/num_closids");
		s->l3_root = schema(root, "L3:", a);
		s->l3_own = schema(dir, "L3:", a);
	}
	if (s->has_mb) {
		s->gran = rdt_number(root, "info/MB/bandwidth_gran");
		s->linear = rdt_number(root, "info/MB/delay_linear");
		s->min_bandwidth = rdt_number(root, "info/MB/min_bandwidth");
		s->mb_closids = rdt_number(root, "info/MB/num_closids");
		s->mb_root = schema(root, "MB:", a);
		s->mb_own = schema(dir, "MB:", a);
	}
	if (!s->cbm_mask || !s->l3_root || !s->l3_own || !s->mb_root || !s->mb_own)
		return -ENOMEM;
	if (g->monitored)
		snprintf(path, sizeof(path), "mon_groups/%s/mon_data", id);
	mon = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return mon < 0 ? 0 : count(mon, a, s);
}

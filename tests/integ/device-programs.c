/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Count the BPF programs that filter devices.
 *   device-programs CGROUP	prints "LOADED ATTACHED": on the machine, and on this cgroup
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* Of one program: 1 when it filters devices; it may be gone meanwhile. */
static int filters_devices(unsigned int id)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr;
	int fd, yes;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = (int)bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return 0;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (unsigned int)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (unsigned long)&info;
	yes = !bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) && info.type == BPF_PROG_TYPE_CGROUP_DEVICE;
	close(fd);
	return yes;
}

int main(int argc, char **argv)
{
	int cgroup = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	unsigned int ids[64], loaded = 0;
	union bpf_attr attr;

	if (cgroup < 0) {
		fprintf(stderr, "usage: device-programs CGROUP\n");
		return 2;
	}
	memset(&attr, 0, sizeof(attr));
	while (!bpf(BPF_PROG_GET_NEXT_ID, &attr)) {
		unsigned int id = attr.next_id;

		loaded += (unsigned int)filters_devices(id);
		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
	}
	if (errno != ENOENT) {
		perror("device-programs: BPF_PROG_GET_NEXT_ID");
		return 1;
	}
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (unsigned int)cgroup;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (unsigned long)ids;
	attr.query.prog_cnt = sizeof(ids) / sizeof(ids[0]);
	if (bpf(BPF_PROG_QUERY, &attr)) {
		perror("device-programs: BPF_PROG_QUERY");
		return 1;
	}
	printf("%u %u\n", loaded, attr.query.prog_cnt);
	return 0;
}

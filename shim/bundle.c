/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few small files that the shim keeps in a container's bundle. */
#include "bundle.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "buf.h"
#include "fd.h"
#include "num.h"
#include "pathfs.h"

#define USUAL_ROOT "/run/containerd/cleat"
#define SMALL_FILE 8192

int bundle_root(const char *base, const char *ns, char *out, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n;

	if (base && base[0])
		n = snprintf(out, size, "%s/%s", base, ns);
	else if (geteuid() && xdg && xdg[0] == '/')
		n = snprintf(out, size, "%s/containerd/cleat/%s", xdg, ns);
	else
		n = snprintf(out, size, "%s/%s", USUAL_ROOT, ns);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int open_bundle(const char *bundle)
{
	int fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_file(const char *bundle, const char *name, const char *text, size_t len)
{
	auto_fd dir = open_bundle(bundle);

	return dir < 0 ? dir : path_replace(dir, name, 0644, text, len);
}

/* The file without its newline. */
static int read_file(const char *bundle, const char *name, struct buf *b)
{
	auto_fd dir = open_bundle(bundle);
	int r;

	if (dir < 0)
		return dir;
	r = path_read(dir, name, SMALL_FILE, b);
	if (r < 0)
		return r;
	if (!b->len)
		return -ENODATA;
	b->data[strcspn(b->data, "\n")] = 0;
	return 0;
}

/* An exec may be called "init", too; then it has no file, for init's is of more use. */
static int pid_name(const char *exec_id, char *out)
{
	int n = snprintf(out, NAME_MAX + 1, "%s.pid", exec_id[0] ? exec_id : "init");

	if (!strcmp(exec_id, "init"))
		return -EEXIST;
	return n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

int bundle_write_pid(const char *bundle, const char *exec_id, pid_t pid)
{
	char file[NAME_MAX + 1], text[16];
	int r = pid_name(exec_id, file);

	return r < 0 ? r : write_file(bundle, file, text,
				      (size_t)snprintf(text, sizeof(text), "%d", pid));
}

void bundle_remove_pid(const char *bundle, const char *exec_id)
{
	char file[NAME_MAX + 1];
	auto_fd dir = open_bundle(bundle);

	if (dir >= 0 && !pid_name(exec_id, file))
		unlinkat(dir, file, 0);
}

pid_t bundle_read_pid(const char *bundle)
{
	auto_buf b = BUF_INIT;
	uint32_t pid;

	if (read_file(bundle, "init.pid", &b) || num_u32(b.data, &pid) || pid > INT_MAX)
		return 0;
	return (pid_t)pid;
}

int bundle_write_exit(const char *bundle, uint32_t status, const struct timespec *at)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%u %lld.%09ld\n", status, (long long)at->tv_sec,
			 at->tv_nsec);

	return write_file(bundle, "cleat.exit", text, (size_t)n);
}

int bundle_read_exit(const char *bundle, uint32_t *status, struct timespec *at)
{
	auto_buf b = BUF_INIT;
	long long sec;
	long nsec;
	int r = read_file(bundle, "cleat.exit", &b);

	if (r < 0)
		return r;
	if (sscanf(b.data, "%u %lld.%9ld", status, &sec, &nsec) != 3 || nsec < 0 ||
	    nsec > 999999999)
		return -EPROTO;
	at->tv_sec = (time_t)sec;
	at->tv_nsec = nsec;
	return 0;
}

int bundle_write_root(const char *bundle, const char *root)
{
	return write_file(bundle, "cleat.root", root, strlen(root));
}

int bundle_read_root(const char *bundle, char *out, size_t size)
{
	auto_buf b = BUF_INIT;
	int r = read_file(bundle, "cleat.root", &b);

	if (r < 0)
		return r;
	if (b.data[0] != '/' || strlen(b.data) >= size)
		return -EPROTO;
	memcpy(out, b.data, strlen(b.data) + 1);
	return 0;
}

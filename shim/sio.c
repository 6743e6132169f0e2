/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a process's stdio, in a worker: pipes for the process, the
 * client's FIFOs or files for the loop. Neither waits for a client for long: a
 * FIFO's read end is opened without blocking, then the write end cannot block
 * either. Host files never go to a process.
 */
#include "sio.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "loop.h"
#include "sysx.h"

static const char *const field_names[3] = { "stdin", "stdout", "stderr" };

static void stream_fds_close(struct stream_fds *f)
{
	fd_close(&f->src);
	fd_close(&f->dst);
	fd_close(&f->keep);
}

void sio_close(struct sio_ends *ends)
{
	for (int i = 0; i < 3; i++) {
		fd_close(&ends->process[i]);
		stream_fds_close(&ends->stream[i]);
	}
	if (ends->logger > 0)
		child_pidfd_signal(ends->logger_pidfd, ends->logger, SIGTERM);
	ends->logger = 0;
	fd_close(&ends->logger_pidfd);
}

#define READER_WAIT_MS 750	/* for all outputs of a process together */

/*
 * containerd's client opens a FIFO in the background, and gives up what is not open yet when it deletes: the
 * output of a process that is quicker than its reader would be lost. So the reader gets some time to come. One
 * who waits in open(2) for a writer counts as there.
 * @until: by loop_now_ms().
 * Return: write end, or -errno (-ENXIO: there is none yet).
 */
static int open_for_reader(const char *path, uint64_t until)
{
	const struct timespec pause = { 0, 1000000 };

	for (;;) {
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != ENXIO || loop_now_ms() >= until)
			return -errno;
		nanosleep(&pause, NULL);
	}
}

/*
 * Both ends of the client's FIFO. Its reader is waited for until then (0: it has none, this is stdin); without
 * one our own read end lets the write end open.
 */
static int open_fifo(const char *path, uint64_t until, int *rd, int *wr)
{
	auto_fd w = until ? open_for_reader(path, until) : -ENXIO, r = -1;
	struct stat st;

	if (w < 0 && w != -ENXIO)
		return w;
	r = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (r < 0)
		return -errno;
	if (fstat(r, &st))
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return -ENOTSUP;
	if (w < 0)
		w = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (w < 0)
		return -errno;
	*rd = take_fd(&r);
	*wr = take_fd(&w);
	return 0;
}

static int open_regular(const char *path, int flags, mode_t mode)
{
	auto_fd fd = open(path, flags | O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW |
			  O_CLOEXEC, mode);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return -EINVAL;
	return take_fd(&fd);
}

static int make_parents(const char *path)
{
	char dir[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len + 1);
	for (char *p = dir + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static int open_input(const struct sio_uri *uri, struct stream_fds *f, struct err *e)
{
	int r = open_fifo(uri->path, 0, &f->src, &f->keep);

	f->src_kind = STREAM_FIFO;
	if (r == -ENOTSUP)
		return err_set(e, ERR_SPEC, -EINVAL, uri->path, "stdin is not a FIFO");
	if (r < 0)
		return err_set(e, ERR_SPEC, r, uri->path, "open stdin");
	return 0;
}

static int open_output(const struct sio_uri *uri, const char *field, struct stream_fds *f, uint64_t until,
		       struct err *e)
{
	int r;

	if (uri->scheme == SIO_FIFO) {
		r = open_fifo(uri->path, until, &f->keep, &f->dst);
		f->dst_kind = STREAM_FIFO;
		if (r != -ENOTSUP)
			return r < 0 ? err_set(e, ERR_SPEC, r, uri->path, "open %s", field) : 0;
		f->dst = r = open_regular(uri->path, 0, 0);
	} else {
		r = make_parents(uri->path);
		if (!r)
			f->dst = r = open_regular(uri->path, O_CREAT, 0644);
	}
	f->dst_kind = STREAM_FILE;
	return r < 0 ? err_set(e, ERR_SPEC, r, uri->path, "open %s", field) : 0;
}

/* The process's end and the loop's end of one stream. */
static int make_pipe(struct sio_ends *ends, int i, struct err *e)
{
	struct stream_fds *f = &ends->stream[i];
	int p[2], r = fdio_pipe(p);

	if (r < 0)
		return err_set(e, ERR_KERNEL, r, field_names[i], "make pipe");
	ends->process[i] = p[i ? 1 : 0];
	*(i ? &f->src : &f->dst) = p[i ? 0 : 1];
	return 0;
}

int sio_open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_null(int *fd, struct err *e)
{
	*fd = sio_open_null();
	return *fd < 0 ? err_set(e, ERR_KERNEL, *fd, "/dev/null", "open") : 0;
}

static int open_terminal(const struct sio_request *req, const struct sio_uri *uri, uint64_t until,
			 struct sio_ends *ends, struct err *e)
{
	struct stream_fds *out = &ends->stream[1];
	int unused = -1, r;

	out->src_kind = STREAM_TTY;
	ends->stream[0].dst_kind = STREAM_TTY;
	switch (uri[1].scheme) {
	case SIO_NULL:
		/* Somebody must read the pty, or its process stops when it is full. */
		out->dst_kind = STREAM_FILE;
		r = open_null(&out->dst, e);
		break;
	case SIO_FIFO:
	case SIO_FILE:
		r = open_output(&uri[1], field_names[1], out, until, e);
		break;
	case SIO_BINARY:
	case SIO_BINARY_V2:
	default:
		r = logger_start(&uri[1], req, &out->dst, &unused, &ends->logger,
				 &ends->logger_pidfd, e);
		fd_close(&unused);
		break;
	}
	if (!r && uri[0].scheme != SIO_NULL)
		r = open_input(&uri[0], &ends->stream[0], e);
	return r;
}

static int open_plain(const struct sio_request *req, const struct sio_uri *uri, uint64_t until,
		      struct sio_ends *ends, struct err *e)
{
	bool program = uri[1].scheme == SIO_BINARY || uri[1].scheme == SIO_BINARY_V2;
	int r = 0;

	if (program)
		r = logger_start(&uri[1], req, &ends->process[1], &ends->process[2], &ends->logger,
				 &ends->logger_pidfd, e);
	for (int i = 0; i < 3 && !r; i++) {
		if (i && program)
			break;
		if (uri[i].scheme == SIO_NULL) {
			r = open_null(&ends->process[i], e);
			continue;
		}
		r = make_pipe(ends, i, e);
		if (!r)
			r = i ? open_output(&uri[i], field_names[i], &ends->stream[i], until, e) :
				open_input(&uri[i], &ends->stream[i], e);
	}
	return r;
}

int sio_open(const struct sio_request *req, struct sio_ends *ends, struct err *e)
{
	const char *text[3] = { req->in, req->out, req->err };
	const uint64_t until = loop_now_ms() + READER_WAIT_MS;
	struct sio_uri uri[3];
	auto_arena a = ARENA_INIT;
	int r;

	*ends = SIO_ENDS_INIT;
	for (int i = 0; i < 3; i++) {
		r = sio_parse(text[i], field_names[i], &a, &uri[i], e);
		if (r < 0)
			return r;
	}
	if (uri[0].scheme > SIO_FIFO)
		return err_set(e, ERR_SPEC, -EINVAL, "stdin", "\"%s\" is not a FIFO", text[0]);
	/* stdout decides the scheme: a file takes both streams, a program gets both. */
	if (uri[1].scheme == SIO_FILE)
		uri[2] = uri[1];
	if (uri[2].scheme > SIO_FILE && uri[1].scheme != uri[2].scheme)
		return err_set(e, ERR_SPEC, -EINVAL, "stderr",
			       "a logging program must be given as stdout");
	r = req->terminal ? open_terminal(req, uri, until, ends, e) : open_plain(req, uri, until, ends, e);
	if (!r)
		r = sio_copy_files(req, ends, e);
	if (r < 0)
		sio_close(ends);
	return r;
}

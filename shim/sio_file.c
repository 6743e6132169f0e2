/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output that goes to a regular file. A disk may hang, and the loop must not
 * hang with it: so a process of its own copies, one for both streams. It is
 * treated like a logging program, but ends by EOF alone, never by SIGTERM.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "child.h"
#include "fd.h"
#include "fdio.h"
#include "sio.h"
#include "sysx.h"

#define COPY_BYTES 65536

struct copy {
	int src, dst;
	bool lost;	/* said once */
};

/* What a full disk does not take is lost: the container goes on. */
static void write_out(struct copy *c, const char *p, size_t len, const char *id,
		      const struct log *log)
{
	int r = fdio_write_full(c->dst, p, len);
	char words[64];

	if (r < 0 && !c->lost)
		log_warn(log, "container %s: output was lost, its file cannot be written: %s", id,
			 err_words(-r, words, sizeof(words)));
	c->lost = c->lost || r < 0;
}

/* Never returns. */
static void copy_main(struct copy *c, int n, int done, char *buf, const char *id,
		      const struct log *log)
{
	int keep[5] = { done }, open = n;
	struct pollfd p[2];

	for (int i = 0; i < n; i++) {
		keep[1 + 2 * i] = c[i].src;
		keep[2 + 2 * i] = c[i].dst;
		p[i] = (struct pollfd){ .fd = c[i].src, .events = POLLIN };
	}
	fd_close_except(3, keep, (size_t)(1 + 2 * n));
	child_ignore(SIGTERM);
	child_ignore(SIGINT);
	child_ignore(SIGHUP);
	prctl(PR_SET_NAME, "cleat:file");
	setsid();
	while (open) {
		if (poll(p, (nfds_t)n, -1) < 0 && errno != EINTR)
			break;
		for (int i = 0; i < n; i++) {
			ssize_t r;

			if (p[i].fd < 0 || !p[i].revents)
				continue;
			r = read(p[i].fd, buf, COPY_BYTES);
			if (r > 0) {
				write_out(&c[i], buf, (size_t)r, id, log);
			} else if (!r || errno != EINTR) {
				p[i].fd = -1;
				open--;
			}
		}
	}
	_exit(0);
}

static bool is_file(const struct stream_fds *f)
{
	struct stat st;

	return f->dst >= 0 && f->dst_kind == STREAM_FILE && !fstat(f->dst, &st) &&
	       S_ISREG(st.st_mode);
}

/* The copier has the file now; a terminal is still ours, and reaches it by a pipe. */
static int divert(struct stream_fds *f, struct copy *c)
{
	int p[2], r;

	c->dst = take_fd(&f->dst);
	if (f->src_kind != STREAM_TTY) {
		c->src = take_fd(&f->src);
		return 0;
	}
	r = fdio_pipe(p);
	if (r < 0)
		return r;
	c->src = p[0];
	f->dst = p[1];
	f->dst_kind = STREAM_PIPE;
	return 0;
}

/* Where EOF says that the copier has written everything: a stream from it to nowhere. */
static void watch_end(struct sio_ends *ends, int *done, int *null)
{
	struct stream_fds *f = &ends->stream[ends->stream[1].src_kind == STREAM_TTY ? 2 : 1];

	if (f->src >= 0 || f->dst >= 0)
		f = &ends->stream[2];
	f->src = take_fd(done);
	f->dst = take_fd(null);
	f->src_kind = STREAM_PIPE;
	f->dst_kind = STREAM_FILE;
}

int sio_copy_files(const struct sio_request *req, struct sio_ends *ends, struct err *e)
{
	struct copy c[2] = { { -1, -1, false }, { -1, -1, false } };
	auto_fd rd = -1, wr = -1, null = -1;
	int n = 0, p[2], r = 0;
	char *buf;

	for (int i = 1; i < 3 && !r; i++)
		if (is_file(&ends->stream[i]))
			r = divert(&ends->stream[i], &c[n++]);
	if (!n)
		return 0;
	if (!r)
		r = fdio_pipe(p);
	if (!r) {
		rd = p[0];
		wr = p[1];
		null = sio_open_null();
		r = null < 0 ? null : 0;
	}
	buf = malloc(COPY_BYTES);
	if (!r && !buf)
		r = -ENOMEM;
	if (!r) {
		ends->logger = fork();
		if (!ends->logger)
			copy_main(c, n, wr, buf, req->id, req->log);
		if (ends->logger < 0)
			r = -errno;
	}
	free(buf);
	for (int i = 0; i < n; i++) {
		fd_close(&c[i].src);
		fd_close(&c[i].dst);
	}
	if (r < 0) {
		ends->logger = 0;
		return err_set(e, ERR_KERNEL, r, "stdout", "start copying to a file");
	}
	ends->logger_pidfd = sysx_pidfd_open(ends->logger, 0);
	if (req->born)
		req->born(req->arg, ends->logger, ends->logger_pidfd);
	watch_end(ends, &rd, &null);
	return 0;
}

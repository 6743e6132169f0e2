/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_FDIO_H
#define CLEAT_FDIO_H
#include <stddef.h>
#include <sys/types.h>
#include "buf.h"

/** fdio_read() - One read(2), restarted on EINTR. Return: bytes read (0 at EOF) or -errno. */
ssize_t fdio_read(int fd, void *p, size_t len);
/** fdio_read_full() - Read until @len bytes or EOF, restarting on EINTR. Return: bytes read or -errno. */
ssize_t fdio_read_full(int fd, void *p, size_t len);
/** fdio_write_full() - Write all of @len. Return: 0 or -errno. */
int fdio_write_full(int fd, const void *p, size_t len);
/** fdio_read_all() - Append all of @fd to @b. Return: 0, -EFBIG beyond @max bytes, -ENOMEM or -errno. */
int fdio_read_all(int fd, struct buf *b, size_t max);

#define FDIO_FDS_MAX 16
/**
 * fdio_send() - One message over a unix socket with fds; MSG_NOSIGNAL.
 * @fds: borrowed; -1 entries are not allowed. Return: 0 or -errno.
 */
int fdio_send(int sock, const void *p, size_t len, const int *fds, size_t nfds);
/**
 * fdio_recv() - Receive one message; received fds are close-on-exec.
 * @fds: room for FDIO_FDS_MAX; unused ones are set to -1. Owned by the caller afterwards.
 * @nfds: number received; NULL with @fds NULL when none are expected (stray ones are closed).
 * Return: bytes (0 at EOF) or -errno (-EPROTO when cut).
 */
ssize_t fdio_recv(int sock, void *p, size_t len, int *fds, size_t *nfds);
/** fdio_socketpair() - SOCK_SEQPACKET pair, close-on-exec. Return: 0 or -errno. */
int fdio_socketpair(int sv[2]);
/** fdio_pipe() - pipe2(O_CLOEXEC). Return: 0 or -errno. */
int fdio_pipe(int p[2]);
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_USOCK_H
#define CLEAT_USOCK_H
#include <sys/socket.h>
#include <sys/un.h>

/* Addresses of unix sockets. */

/**
 * usock_address() - The address of "/path", or of "@name" in the abstract namespace.
 * Return: 0, -EINVAL when it is neither, -ENAMETOOLONG (more than 107 bytes).
 */
int usock_address(const char *name, struct sockaddr_un *sa, socklen_t *len);
/**
 * usock_address_at() - The same of @name (one component) in the directory @dirfd, which may lie deeper than an
 * address is long. It holds as long as @dirfd is open. Context: where /proc is the host's.
 */
void usock_address_at(int dirfd, const char *name, struct sockaddr_un *sa, socklen_t *len);
/**
 * usock_connect() - Connected socket, close-on-exec. @path: of any length. @type: SOCK_STREAM or SOCK_DGRAM.
 * @wait_s: how long this call, and what is sent later, may wait for a peer that does not take it; 0: for ever.
 * Return: fd or -errno.
 */
int usock_connect(const char *path, int type, unsigned int wait_s);
#endif

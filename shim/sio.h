/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_SIO_H
#define CLEAT_SHIM_SIO_H
#include <stdbool.h>
#include <sys/types.h>
#include "arena.h"
#include "err.h"
#include "field.h"
#include "log.h"
#include "stream.h"

/** enum sio_scheme - What a client's stdio string asks for (contract shim 7.1). */
enum sio_scheme { SIO_NULL, SIO_FIFO, SIO_FILE, SIO_BINARY, SIO_BINARY_V2 };

/** struct sio_uri - A parsed stdio string; memory of the arena. */
struct sio_uri {
	enum sio_scheme scheme;
	const char *path;	/* of the FIFO, the file, the program; NULL with SIO_NULL */
	struct strv args;	/* of a program: each query key, then its value if it has one */
};

/** sio_parse() - Understand a stdio string. @field names it in messages ("stdout"). */
int sio_parse(const char *text, const char *field, struct arena *a, struct sio_uri *out,
		struct err *e);

/** struct sio_request - stdio of one process as Create or Exec gave it. */
struct sio_request {
	const char *in, *out, *err;
	bool terminal;
	const char *id, *ns;	/* what a logging program gets as CONTAINER_ID, CONTAINER_NAMESPACE */
	const struct log *log;	/* for what is lost on the way to a file; may be NULL */
	/** @born: told of the logging program or copier, before it is ready: who waits may be killed. May be NULL. */
	void (*born)(void *arg, pid_t pid, int pidfd);
	void *arg;
};

/**
 * struct sio_ends - What sio_open() made.
 * @process: fds 0, 1, 2 for the process; -1 with a terminal.
 * @stream:  the loop's half by fd number. With a terminal the side of the pty
 *           is -1: the same master is to be put in. All -1: nothing to move.
 */
struct sio_ends {
	int process[3];
	struct stream_fds stream[3];
	pid_t logger;		/* logging program, or our copier to a file; 0: none */
	int logger_pidfd;
};
#define SIO_ENDS_INIT ((struct sio_ends){ { -1, -1, -1 }, \
	{ STREAM_FDS_INIT, STREAM_FDS_INIT, STREAM_FDS_INIT }, 0, -1 })

/**
 * sio_open() - Open and make everything that the process's stdio needs.
 *
 * Context: a worker; may block on file systems and on a logger's readiness.
 * Return: 0 or -errno with everything closed again.
 */
int sio_open(const struct sio_request *req, struct sio_ends *ends, struct err *e);
/**
 * sio_copy_files() - Give streams that go to regular files to a process of their own. What is left
 * for the loop is one stream whose end says that all is written.
 */
int sio_copy_files(const struct sio_request *req, struct sio_ends *ends, struct err *e);
/**
 * sio_own() - Give the process's pipes to a user and a group.
 * Return: 0 or -errno.
 */
int sio_own(const struct sio_ends *ends, uid_t uid, gid_t gid);
/**
 * sio_own_in_userns() - Give them to root of the user namespace of process @init, if that is not
 * ours: the process that they are for can pass them on to its own user then.
 */
void sio_own_in_userns(const struct sio_ends *ends, pid_t init);
/** sio_own_as() - Give them to whoever process @pid runs as, if it is in another user namespace. */
void sio_own_as(const struct sio_ends *ends, pid_t pid);
/** sio_open_null() - /dev/null for both directions. Return: an fd or -errno. */
int sio_open_null(void);
/** sio_close() - Close all of it and end the logger. */
void sio_close(struct sio_ends *ends);

/**
 * logger_start() - Run a logging program (contract shim 7.4): fd 3 and 4 are the
 * read ends of stdout and stderr, fd 5 says that it is ready.
 * @out, @err: set to the write ends.
 * Context: a worker; waits for readiness, bounded. One that fails is killed, and if @req->born
 * was told of it left to whoever that is to be reaped.
 */
int logger_start(const struct sio_uri *uri, const struct sio_request *req, int *out, int *err,
		 pid_t *pid, int *pidfd, struct err *e);
#endif

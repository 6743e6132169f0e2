/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shim-stream: what flows through a shim, without containerd: a container's
 * standard output to a FIFO, and the news of a process's end.
 *
 *   shim-stream [OPTION...] -t CONFIG -o CONFIG -d DIR FIGURE NAME=SHIM...
 *
 * -t: config.json of a container that sleeps, -o: of one that writes BYTES to
 *     its standard output (@ID@ and @GROUP@ are filled in)
 * -s BYTES, -d: folder for bundles and sockets
 * -n ROUNDS of output, -x EXITS, -c CPUFILE (see turns)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "peer.h"

#define KINDS_MAX 8
#define CHUNK (1 << 20)
#define EXEC_SLEEP "{\"args\":[\"/bin/sleep\",\"10000\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]}"

static const enum peer_op make[] = { OP_CREATE, OP_END };
static const enum peer_op start[] = { OP_WAIT_LATER, OP_START, OP_END };
static const enum peer_op end[] = { OP_JOIN, OP_DELETE, OP_SHUTDOWN, OP_END };

struct options {
	const char *figure;
	struct bench_cpu cpu;
	long rounds, exits;
	double bytes;
	int exits_fd;
};

static double drain(int fd, double bytes)
{
	static char chunk[CHUNK];
	struct pollfd f = { .fd = fd, .events = POLLIN };
	double got = 0;
	ssize_t n;

	while (got < bytes) {
		if (poll(&f, 1, 60000) != 1)
			bench_die("output stops after %.0f bytes", got);
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			bench_die("output ends after %.0f bytes", got);
		got += (double)n;
	}
	return got;
}

static void output(const struct options *o, const struct peer_kind *k, const char *config)
{
	static int serial;
	struct peer_kind writes = *k;
	uint64_t wall, all, server;
	double gib = o->bytes / (1 << 30);
	char id[64], fifo[PEER_PATH_MAX], err[PEER_PATH_MAX], figure[256];
	struct peer p;
	int fd, err_fd;

	writes.template = config;
	snprintf(id, sizeof(id), "%s-o%d", k->name, serial++);
	snprintf(fifo, sizeof(fifo), "%s/%s.out", k->bundles, id);
	peer_bundle(&p, &writes, id, NULL);
	snprintf(err, sizeof(err), "%s/%s.err", k->bundles, id);
	p.out = fifo;
	p.err = err;
	if (mkfifo(fifo, 0600) || mkfifo(err, 0600))
		bench_die("%s", fifo);
	err_fd = open(err, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	peer_boot(&p, 1);
	peer_connect(&p, 1);
	peer_run(&p, 1, make);
	all = bench_cpu(&o->cpu);
	server = bench_process_cpu(p.server);
	wall = bench_now();
	peer_run(&p, 1, start);
	drain(fd, o->bytes);
	wall = bench_now() - wall;
	server = bench_process_cpu(p.server) - server;
	peer_run(&p, 1, end);
	all = bench_cpu(&o->cpu) - all;
	close(fd);
	close(err_fd);
	unlink(fifo);
	unlink(err);
	peer_close(&p, 1);
	snprintf(figure, sizeof(figure), "%s|stdout, per GiB, whole", o->figure);
	bench_sample(figure, k->name, "wall_ns", (double)wall / gib);
	if (o->cpu.fd >= 0)
		bench_sample(figure, k->name, "cpu_ns", (double)all / gib);
	snprintf(figure, sizeof(figure), "%s|stdout, per GiB, the server", o->figure);
	bench_sample(figure, k->name, "cpu_ns", (double)server / gib);
}

/* From SIGKILL to the TaskExit in the event service; the kernel's own part of it by the process's pidfd. */
static void exits(const struct options *o, const struct peer_kind *k, struct peer *p)
{
	static const enum peer_op begin[] = { OP_EXEC, OP_EXEC_START, OP_END };
	static const enum peer_op delete[] = { OP_EXEC_DELETE, OP_END };
	uint64_t killed, died, told;
	struct pollfd f = { .events = POLLIN };
	char figure[256];

	p->exec_spec = EXEC_SLEEP;
	peer_run(p, 1, begin);
	f.fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	killed = bench_now();
	if (f.fd < 0 || kill((pid_t)p->pid, SIGKILL) || poll(&f, 1, 10000) != 1)
		bench_die("process %u", p->pid);
	died = bench_now();
	told = peer_exit_of(o->exits_fd, p->pid);
	close(f.fd);
	peer_run(p, 1, delete);
	snprintf(figure, sizeof(figure), "%s|SIGKILL to TaskExit", o->figure);
	bench_sample(figure, "kernel", "wall_ns", (double)(died - killed));
	bench_sample(figure, k->name, "wall_ns", (double)(told - killed));
}

int main(int argc, char **argv)
{
	struct options o = { .rounds = 3, .exits = 20, .bytes = 1 << 30 };
	struct peer_kind kinds[KINDS_MAX], common = { .ns = peer_namespace() };
	struct peer *sleeps[KINDS_MAX];
	const char *writes = NULL, *cpu = NULL;
	char events[PEER_PATH_MAX], prefix[60];
	int c, n, i;

	while ((c = getopt(argc, argv, "n:x:c:s:t:o:d:")) != -1) {
		switch (c) {
		case 'n': o.rounds = bench_number(optarg); break;
		case 'x': o.exits = bench_number(optarg); break;
		case 'c': cpu = optarg; break;
		case 's': o.bytes = (double)bench_number(optarg); break;
		case 't': common.template = optarg; break;
		case 'o': writes = optarg; break;
		case 'd': common.bundles = optarg; break;
		default: return 2;
		}
	}
	if (!common.template || !writes || !common.bundles || argc - optind < 2) {
		fputs("usage: shim-stream [OPTION...] -t CONFIG -o CONFIG -d DIR FIGURE NAME=SHIM...\n", stderr);
		return 2;
	}
	o.figure = argv[optind++];
	common.events = events;
	peer_files();
	bench_cpu_open(&o.cpu, cpu);
	snprintf(events, sizeof(events), "%s/events", common.bundles);
	o.exits_fd = peer_events(events, true);
	n = peer_kinds(kinds, KINDS_MAX, argv + optind, &common);
	for (long r = 0; r < o.rounds; r++)
		for (i = 0; i < n; i++)
			output(&o, &kinds[i], writes);
	for (i = 0; i < n; i++) {
		snprintf(prefix, sizeof(prefix), "%s-x", kinds[i].name);
		sleeps[i] = peer_new(&kinds[i], prefix, NULL, 1, 1);
	}
	for (long r = 0; r < o.exits; r++)
		for (i = 0; i < n; i++)
			exits(&o, &kinds[i], sleeps[i]);
	for (i = 0; i < n; i++)
		peer_end(sleeps[i], 1, 1, true);
	return 0;
}

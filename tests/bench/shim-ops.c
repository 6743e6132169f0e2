/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shim-ops: what each operation of a shim costs, without containerd. Shims
 * take turns; so do the numbers of containers that are operated on at once.
 *
 *   shim-ops [OPTION...] -t CONFIG -l CONFIG -d DIR FIGURE NAME=SHIM...
 *
 * -t: config.json of a container that sleeps, -l: of one that ends at once
 *     (@ID@ and @GROUP@ are filled in); -d: folder for bundles and sockets
 * -n ROUNDS, -w WARMUP, -c CPUFILE (see turns)
 * -a N,N,...: how many containers at once; times are per operation
 * -b N: with N other containers that sleep, made before; -g: all in one pod
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "peer.h"

#define KINDS_MAX 8
#define COUNTS_MAX 16
#define AT_ONCE 8	/* when the others are made and ended */
#define EXEC_TRUE "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]}"

struct bench {
	struct bench_cpu cpu;
	const char *figure;
	struct peer_kind sleeps[KINDS_MAX], ends[KINDS_MAX];
	int n_kinds;
	int counts[COUNTS_MAX], n_counts;
	int n_others;
	bool one_pod;
	int serial;		/* ids are never used twice */
	bool sampled;
};

struct lap {
	uint64_t wall, cpu;
};

static struct lap lap_begin(const struct bench *b)
{
	struct lap l;

	l.cpu = bench_cpu(&b->cpu);
	l.wall = bench_now();
	return l;
}

static void lap_end(const struct bench *b, const struct lap *l, const struct peer *p, int n, const char *op)
{
	uint64_t wall = bench_now() - l->wall, cpu = bench_cpu(&b->cpu) - l->cpu;
	char figure[256];

	if (!b->sampled)
		return;
	if (b->n_counts > 1)
		snprintf(figure, sizeof(figure), "%s|%s, %d at once", b->figure, op, n);
	else
		snprintf(figure, sizeof(figure), "%s|%s", b->figure, op);
	bench_sample(figure, p->kind->name, "wall_ns", (double)wall / n);
	if (b->cpu.fd >= 0)
		bench_sample(figure, p->kind->name, "cpu_ns", (double)cpu / n);
}

static void timed(const struct bench *b, struct peer *p, int n, const char *op, const enum peer_op *script)
{
	struct lap l = lap_begin(b);

	peer_run(p, n, script);
	lap_end(b, &l, p, n, op);
}

static void make_bundles(struct bench *b, struct peer *p, int n, const struct peer_kind *kind)
{
	char id[64], pod[64];

	snprintf(pod, sizeof(pod), "%s-pod-0", kind->name);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%s-%d", kind->name, b->serial++);
		peer_bundle(&p[i], kind, id, b->one_pod ? pod : NULL);
	}
}

/* Every operation by itself. */
static void operations(struct bench *b, struct peer *p, int n, const struct peer_kind *kind)
{
	static const struct {
		const char *name;
		enum peer_op script[8];
	} ops[] = {
		{ "Create", { OP_CREATE } },
		{ "Start", { OP_START } },
		{ "exec round trip", { OP_EXEC, OP_EXEC_WAIT_LATER, OP_EXEC_START, OP_JOIN, OP_EXEC_DELETE } },
		{ "exec round trip", { OP_EXEC, OP_EXEC_WAIT_LATER, OP_EXEC_START, OP_JOIN, OP_EXEC_DELETE } },
		{ "State", { OP_STATE } },
		{ "Stats", { OP_STATS } },
		{ "Kill until exit", { OP_WAIT_LATER, OP_KILL, OP_JOIN } },
		{ "Delete", { OP_DELETE } },
		{ "Shutdown", { OP_SHUTDOWN } },
	};
	struct lap l;

	make_bundles(b, p, n, kind);
	l = lap_begin(b);
	peer_boot(p, n);
	lap_end(b, &l, p, n, "start action");
	peer_connect(p, n);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].script[0] == OP_SHUTDOWN && b->one_pod)
			continue;
		for (int k = 0; k < n; k++)
			p[k].exec_spec = EXEC_TRUE;
		timed(b, p, n, ops[i].name, ops[i].script);
	}
	peer_close(p, n);
}

/* From the start action to the server's end, of a program that ends at once. */
static void lives(struct bench *b, struct peer *p, int n, const struct peer_kind *kind)
{
	static const enum peer_op life[] = {
		OP_CREATE, OP_WAIT_LATER, OP_START, OP_JOIN, OP_DELETE, OP_SHUTDOWN, OP_END
	};
	static const enum peer_op guest[] = {
		OP_CREATE, OP_WAIT_LATER, OP_START, OP_JOIN, OP_DELETE, OP_END
	};
	struct lap l;

	make_bundles(b, p, n, kind);
	l = lap_begin(b);
	peer_boot(p, n);
	peer_connect(p, n);
	peer_run(p, n, b->one_pod ? guest : life);
	lap_end(b, &l, p, n, b->one_pod ? "whole life in a pod" : "whole life");
	peer_close(p, n);
}

static void rounds(struct bench *b, long warmup, long n_rounds)
{
	struct peer *p;
	int most = 1;

	for (int i = 0; i < b->n_counts; i++)
		most = b->counts[i] > most ? b->counts[i] : most;
	p = calloc((size_t)most, sizeof(*p));
	if (!p)
		bench_die("memory");
	for (long round = 0; round < warmup + n_rounds; round++) {
		b->sampled = round >= warmup;
		for (int i = 0; i < b->n_counts; i++)
			for (int k = 0; k < b->n_kinds; k++) {
				operations(b, p, b->counts[i], &b->sleeps[k]);
				lives(b, p, b->counts[i], &b->ends[k]);
			}
	}
	free(p);
}

/*
 * The other containers are held by a process of its own, with their connections and the event service that they tell:
 * a program with thousands of fds takes longer to start another, and that would be taken for the shim's start action.
 */
struct crowd {
	pid_t pid;
	int hold;	/* a pipe: closing it ends them */
};

static void crowd_main(const struct bench *b, const char *dir, int ready, int hold)
{
	struct peer *others[KINDS_MAX];
	char events[PEER_PATH_MAX], prefix[60], pod[64], byte;

	/* The name of their sockets comes from common.events, as that of the others. */
	snprintf(events, sizeof(events), "%s/events-others", dir);
	peer_events(events, false);
	for (int i = 0; i < b->n_kinds; i++) {
		snprintf(prefix, sizeof(prefix), "%s-pod", b->sleeps[i].name);
		snprintf(pod, sizeof(pod), "%s-0", prefix);
		others[i] = peer_new(&b->sleeps[i], prefix, b->one_pod ? pod : NULL, b->n_others, AT_ONCE);
	}
	if (write(ready, "", 1) != 1 || read(hold, &byte, 1))
		bench_die("others");
	for (int i = 0; i < b->n_kinds; i++)
		peer_end(others[i], b->n_others, AT_ONCE, true);
	exit(0);
}

static struct crowd crowd_begin(const struct bench *b, const char *dir)
{
	int ready[2], hold[2];
	struct crowd c;
	char byte;

	if (pipe2(ready, O_CLOEXEC) || pipe2(hold, O_CLOEXEC))
		bench_die("pipe");
	c.pid = fork();
	if (!c.pid) {
		close(hold[1]);
		crowd_main(b, dir, ready[1], hold[0]);
	}
	close(ready[1]);
	close(hold[0]);
	c.hold = hold[1];
	if (c.pid < 0 || read(ready[0], &byte, 1) != 1)
		bench_die("others");
	close(ready[0]);
	return c;
}

static void crowd_end(const struct crowd *c)
{
	int status;

	close(c->hold);
	if (waitpid(c->pid, &status, 0) != c->pid || status)
		bench_die("others");
}

static void parse_counts(struct bench *b, char *text)
{
	char *save = NULL, *w;

	for (w = strtok_r(text, ",", &save); w && b->n_counts < COUNTS_MAX; w = strtok_r(NULL, ",", &save))
		b->counts[b->n_counts++] = (int)bench_number(w);
}

int main(int argc, char **argv)
{
	static struct bench b;
	const char *cpu = NULL, *sleeps = NULL, *ends = NULL, *dir = NULL;
	long n_rounds = 5, warmup = 1;
	char events[PEER_PATH_MAX];
	struct crowd crowd = { 0, -1 };
	struct peer_kind common = { .ns = peer_namespace(), .events = events };
	int c;

	while ((c = getopt(argc, argv, "n:w:c:a:b:gt:l:d:")) != -1) {
		switch (c) {
		case 'n': n_rounds = bench_number(optarg); break;
		case 'w': warmup = bench_number(optarg); break;
		case 'c': cpu = optarg; break;
		case 'a': parse_counts(&b, optarg); break;
		case 'b': b.n_others = (int)bench_number(optarg); break;
		case 'g': b.one_pod = true; break;
		case 't': sleeps = optarg; break;
		case 'l': ends = optarg; break;
		case 'd': dir = optarg; break;
		default: return 2;
		}
	}
	if (!sleeps || !ends || !dir || argc - optind < 2) {
		fputs("usage: shim-ops [OPTION...] -t CONFIG -l CONFIG -d DIR FIGURE NAME=SHIM...\n", stderr);
		return 2;
	}
	if (!b.n_counts)
		b.counts[b.n_counts++] = 1;
	b.figure = argv[optind++];
	common.template = sleeps;
	common.bundles = dir;
	peer_files();
	bench_cpu_open(&b.cpu, cpu);
	snprintf(events, sizeof(events), "%s/events", dir);
	b.n_kinds = peer_kinds(b.sleeps, KINDS_MAX, argv + optind, &common);
	for (int i = 0; i < b.n_kinds; i++) {
		b.ends[i] = b.sleeps[i];
		b.ends[i].template = ends;
	}
	/* A pod has a first container, which keeps its server. */
	if (b.one_pod && !b.n_others)
		b.n_others = 1;
	if (b.n_others)
		crowd = crowd_begin(&b, dir);
	peer_events(events, false);
	rounds(&b, warmup, n_rounds);
	if (b.n_others)
		crowd_end(&crowd);
	return 0;
}

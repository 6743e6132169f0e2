/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shim-memory: what servers hold while their containers sleep, without
 * containerd: one shim after the other, with more and more containers.
 *
 *   shim-memory [OPTION...] -t CONFIG -d DIR FIGURE NAME=SHIM...
 *
 * -t: config.json of a container that sleeps (@ID@ and @GROUP@ are filled in)
 * -d: folder for bundles and sockets
 * -a N,N,...: numbers of containers, ascending; -g: all in one pod
 * -e N: at last, N execs that sleep in the first container
 * -i SECONDS: how long servers idle before they are looked at; they are idle
 *     all this time, so their wake-ups are counted too
 * -m DIR: memory cgroup with "run" (us and the servers) and "ctr" (the
 *     containers) in it, for the kernel's memory
 *
 * Every container has had one exec. Values are KiB, and wake-ups.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "peer.h"

#define KINDS_MAX 8
#define COUNTS_MAX 16
#define AT_ONCE 8
#define SETTLE_S 3
#define EXEC_TRUE "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]}"
#define EXEC_SLEEP "{\"args\":[\"/bin/sleep\",\"10000\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]}"

struct options {
	const char *figure, *memory;
	int counts[COUNTS_MAX], n_counts, idle_s, n_execs;
	bool one_pod;
};

struct memory {
	double pss, dirty, tables;	/* of all servers */
	double kernel_run, kernel_ctr;
	double wakeups;
	int servers;
};

/* Kernel memory of a cgroup and what is below it. */
static double kernel_kib(const char *dir, const char *sub)
{
	char path[PEER_PATH_MAX], text[8192];

	if (!dir)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/memory.kmem.usage_in_bytes", dir, sub);
	if (bench_read(path, text, sizeof(text)))
		return strtod(text, NULL) / 1024;
	snprintf(path, sizeof(path), "%s/%s/memory.stat", dir, sub);
	bench_read(path, text, sizeof(text));
	return bench_field(text, "kernel ") / 1024;
}

/* Context switches of all threads: each means that somebody was woken. */
static double switches(pid_t pid)
{
	char path[PEER_PATH_MAX], text[8192];
	const struct dirent *de;
	double sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, de->d_name);
		if (*de->d_name != '.' && bench_read(path, text, sizeof(text)))
			sum += bench_field(text, "voluntary_ctxt_switches:");
	}
	if (d)
		closedir(d);
	return sum;
}

static struct memory look(const struct options *o, const pid_t *pids, int n)
{
	char path[64], text[8192];
	struct memory m = { .servers = n };
	int i;

	sync();
	sleep((unsigned int)o->idle_s / 2 + 1);
	for (i = 0; i < n; i++)
		m.wakeups -= switches(pids[i]);
	sleep((unsigned int)o->idle_s);
	for (i = 0; i < n; i++)
		m.wakeups += switches(pids[i]);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pids[i]);
		bench_read(path, text, sizeof(text));
		m.pss += bench_field(text, "Pss:");
		m.dirty += bench_field(text, "Private_Dirty:");
		snprintf(path, sizeof(path), "/proc/%d/status", pids[i]);
		bench_read(path, text, sizeof(text));
		m.tables += bench_field(text, "VmPTE:");
	}
	m.kernel_run = kernel_kib(o->memory, "run");
	m.kernel_ctr = kernel_kib(o->memory, "ctr");
	return m;
}

static void sample(const struct options *o, const struct peer_kind *k, int n, const char *what, const char *unit,
		   double value)
{
	char figure[256];

	snprintf(figure, sizeof(figure), "%s|%s, %d container%s", o->figure, what, n, n == 1 ? "" : "s");
	bench_sample(figure, k->name, unit, value);
}

static void say(const struct options *o, const struct peer_kind *k, int n, const struct memory *m,
		const struct memory *before)
{
	sample(o, k, n, "PSS of all servers", "KiB", m->pss);
	sample(o, k, n, "PSS per container", "KiB", m->pss / n);
	sample(o, k, n, "private dirty per container", "KiB", m->dirty / n);
	sample(o, k, n, "page tables per container", "KiB", m->tables / n);
	if (o->memory) {
		sample(o, k, n, "kernel memory of the servers' cgroup", "KiB",
		       (m->kernel_run - before->kernel_run) / n);
		sample(o, k, n, "kernel memory of the container's cgroup", "KiB",
		       (m->kernel_ctr - before->kernel_ctr) / n);
		sample(o, k, n, "kernel memory of both", "KiB",
		       (m->kernel_run - before->kernel_run + m->kernel_ctr - before->kernel_ctr) / n);
	}
	sample(o, k, n, "wake-ups of idle servers", "number", m->wakeups);
}

static void idle_execs(const struct options *o, const struct peer_kind *k, struct peer *p)
{
	static const enum peer_op begin[] = { OP_EXEC, OP_EXEC_START, OP_END };
	static const enum peer_op end[] = { OP_EXEC_WAIT_LATER, OP_EXEC_KILL, OP_JOIN, OP_EXEC_DELETE, OP_END };
	struct memory m, before = look(o, &p->server, 1);
	char id[32];

	p->exec_id = id;
	p->exec_spec = EXEC_SLEEP;
	for (int i = 0; i < o->n_execs; i++) {
		snprintf(id, sizeof(id), "idle-%d", i);
		peer_run(p, 1, begin);
	}
	m = look(o, &p->server, 1);
	for (int i = 0; i < o->n_execs; i++) {
		snprintf(id, sizeof(id), "idle-%d", i);
		peer_run(p, 1, end);
	}
	p->exec_id = "e";
	sample(o, k, 1, "PSS per idle exec", "KiB", (m.pss - before.pss) / o->n_execs);
	sample(o, k, 1, "private dirty per idle exec", "KiB", (m.dirty - before.dirty) / o->n_execs);
	sample(o, k, 1, "kernel memory of the server per idle exec", "KiB",
	       (m.kernel_run - before.kernel_run) / o->n_execs);
}

static void measure(const struct options *o, const struct peer_kind *k)
{
	static const enum peer_op exec[] = {
		OP_EXEC, OP_EXEC_WAIT_LATER, OP_EXEC_START, OP_JOIN, OP_EXEC_DELETE, OP_END
	};
	struct peer *batch[COUNTS_MAX];
	struct memory m, before = { 0 };
	char prefix[60], pod[64];
	int n = 0, n_servers = 0, i, more;
	pid_t *pids = calloc((size_t)o->counts[o->n_counts - 1], sizeof(*pids));

	if (!pids)
		bench_die("memory");
	/* What the one before left goes away in its own time. */
	sleep(SETTLE_S);
	before.kernel_run = kernel_kib(o->memory, "run");
	before.kernel_ctr = kernel_kib(o->memory, "ctr");
	snprintf(pod, sizeof(pod), "%s-m0-0", k->name);
	for (i = 0; i < o->n_counts; i++, n += more) {
		more = o->counts[i] - n;
		snprintf(prefix, sizeof(prefix), "%s-m%d", k->name, i);
		batch[i] = peer_new(k, prefix, o->one_pod ? pod : NULL, more, AT_ONCE);
		for (int j = 0; j < more; j++) {
			batch[i][j].exec_spec = EXEC_TRUE;
			peer_run(batch[i] + j, 1, exec);
		}
		if (!i || !o->one_pod)
			n_servers += peer_servers(batch[i], more, pids + n_servers);
		m = look(o, pids, n_servers);
		say(o, k, n + more, &m, &before);
		if (!i && o->n_execs)
			idle_execs(o, k, batch[0]);
	}
	/* The pod's first container goes last, and its server with it. */
	while (i-- > 0)
		peer_end(batch[i], o->counts[i] - (i ? o->counts[i - 1] : 0), AT_ONCE, !i || !o->one_pod);
	free(pids);
}

static void parse_counts(struct options *o, char *text)
{
	char *save = NULL, *w;

	for (w = strtok_r(text, ",", &save); w && o->n_counts < COUNTS_MAX; w = strtok_r(NULL, ",", &save)) {
		o->counts[o->n_counts++] = (int)bench_number(w);
		errno = 0;
		if (o->counts[o->n_counts - 1] <= (o->n_counts > 1 ? o->counts[o->n_counts - 2] : 0))
			bench_die("-a is not ascending");
	}
}

int main(int argc, char **argv)
{
	struct options o = { .idle_s = 10 };
	char events[PEER_PATH_MAX];
	struct peer_kind kinds[KINDS_MAX], common = { .ns = peer_namespace(), .events = events };
	int c, n;

	while ((c = getopt(argc, argv, "a:ge:i:m:t:d:")) != -1) {
		switch (c) {
		case 'a': parse_counts(&o, optarg); break;
		case 'g': o.one_pod = true; break;
		case 'e': o.n_execs = (int)bench_number(optarg); break;
		case 'i': o.idle_s = (int)bench_number(optarg); break;
		case 'm': o.memory = optarg; break;
		case 't': common.template = optarg; break;
		case 'd': common.bundles = optarg; break;
		default: return 2;
		}
	}
	if (!common.template || !common.bundles || !o.n_counts || argc - optind < 2) {
		fputs("usage: shim-memory [OPTION...] -a N,... -t CONFIG -d DIR FIGURE NAME=SHIM...\n", stderr);
		return 2;
	}
	o.figure = argv[optind++];
	peer_files();
	snprintf(events, sizeof(events), "%s/events", common.bundles);
	peer_events(events, false);
	n = peer_kinds(kinds, KINDS_MAX, argv + optind, &common);
	for (int i = 0; i < n; i++)
		measure(&o, &kinds[i]);
	return 0;
}

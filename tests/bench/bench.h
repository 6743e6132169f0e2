/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of the benches share: clocks, CPU time of everything they start, samples. */
#ifndef CLEAT_BENCH_H
#define CLEAT_BENCH_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct bench_cpu - CPU time of a cgroup and all below it, ended processes included.
 *
 * The benches run in a cgroup of their own, and containers get theirs below it, so this counts
 * every child, server, worker and container, whoever reaped it. What the measuring program itself
 * took is left out.
 */
struct bench_cpu {
	int fd;			/* cpuacct.usage (nanoseconds) or cpu.stat (usage_usec); -1: not measured */
};

/** bench_die() - Say what failed, with errno's words if there is one, and end. */
_Noreturn void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** bench_now() - CLOCK_MONOTONIC in nanoseconds. */
uint64_t bench_now(void);
/** bench_cpu_open() - @path: cpuacct.usage or cpu.stat; NULL: nothing is measured. */
void bench_cpu_open(struct bench_cpu *c, const char *path);
/** bench_cpu() - Nanoseconds so far, without our own. */
uint64_t bench_cpu(const struct bench_cpu *c);
/** bench_process_cpu() - Nanoseconds that process @pid took so far, without its children. */
uint64_t bench_process_cpu(pid_t pid);
/** bench_sample() - One line of output: figure, who, metric, value. */
void bench_sample(const char *figure, const char *who, const char *metric, double value);
/** bench_number() - A number of the command line, or the end. */
long bench_number(const char *text);
/** bench_split() - Words of @line, in place, NULL after the last. Return: how many. */
int bench_split(char *line, char **words, int max);
/** bench_read() - A small file as text; empty if it cannot be read. Return: its length. */
size_t bench_read(const char *path, char *text, size_t size);
/** bench_field() - The number after @key in the text of such a file, or 0. */
double bench_field(const char *text, const char *key);
#endif

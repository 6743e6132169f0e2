/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * turns: commands of several contestants, measured in turn (A B A B ...), so
 * that whatever else the machine does falls on all of them alike.
 *
 *   turns [-n ROUNDS] [-w WARMUP] [-c CPUFILE] [-s SUM] FIGURE < commands
 *
 * A line is "WHO STEP COMMAND [ARG...]"; words are split at blanks, a '%' in
 * a word is the round's number. The lines of one WHO make its turn. STEP "-"
 * is not timed and may fail. WHO "name@FILE" runs in the mount namespace of
 * FILE. A step that fails ends everything, for its time would mean nothing.
 * The command "gone FILE" waits until the process whose pid FILE holds is dead.
 *
 * Samples are "FIGURE|STEP", and "FIGURE|SUM" for all timed steps of a turn:
 * wall_ns from before the fork to after the wait, and cpu_ns of the bench's
 * cgroup in that time. A '_' in WHO and STEP becomes a blank.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define LINES_MAX 256
#define WORDS_MAX 64
#define WORD_MAX 512

struct line {
	char *text;
	char *words[WORDS_MAX];
	const char *who, *step;
	int ns_fd;		/* mount namespace, or -1 */
	int turn;		/* lines of one contestant have one number */
};

struct turns {
	struct line line[LINES_MAX];
	int n;
	struct bench_cpu cpu;
	const char *figure, *sum;
	int null_fd;
	char errors[64];	/* what the commands say on stderr */
};

static void read_lines(struct turns *t)
{
	char *text = NULL, *at;
	size_t size = 0;

	while (getline(&text, &size, stdin) >= 0) {
		struct line *l = &t->line[t->n];

		if (*text == '#' || *text == '\n')
			continue;
		if (t->n == LINES_MAX)
			bench_die("more than %d lines", LINES_MAX);
		l->text = strdup(text);
		if (!l->text || bench_split(l->text, l->words, WORDS_MAX) < 3)
			bench_die("not WHO STEP COMMAND: %s", text);
		l->who = l->words[0];
		l->step = l->words[1];
		l->ns_fd = -1;
		for (int i = 0; i < 2; i++)
			for (at = l->words[i]; strchr(at, '_');)
				*strchr(at, '_') = ' ';
		at = strchr(l->words[0], '@');
		if (at) {
			*at = 0;
			l->ns_fd = open(at + 1, O_RDONLY | O_CLOEXEC);
			if (l->ns_fd < 0)
				bench_die("%s", at + 1);
		}
		l->turn = 0;
		for (int i = t->n - 1; i >= 0 && !l->turn; i--)
			if (!strcmp(t->line[i].who, l->who))
				l->turn = t->line[i].turn;
		if (!l->turn)
			l->turn = t->n + 1;
		t->n++;
	}
	free(text);
}

/* The command with the round's number in it. */
static void fill_in(const struct line *l, int round, char words[][WORD_MAX], char **argv)
{
	int i;

	for (i = 0; l->words[i + 2]; i++) {
		const char *s = l->words[i + 2];
		size_t n = 0;

		for (; *s && n < WORD_MAX - 16; s++)
			if (*s == '%')
				n += (size_t)snprintf(words[i] + n, WORD_MAX - n, "%d", round);
			else
				words[i][n++] = *s;
		words[i][n] = 0;
		argv[i] = words[i];
	}
	argv[i] = NULL;
}

static int run(const struct turns *t, const struct line *l, char **argv)
{
	int status, error_fd = open(t->errors, O_WRONLY | O_CLOEXEC | O_TRUNC);
	pid_t pid;

	/* Nothing of ours is copied: what the fork of a larger program costs is not theirs. */
	pid = vfork();
	if (pid < 0)
		bench_die("vfork");
	if (!pid) {
		if (l->ns_fd >= 0 && setns(l->ns_fd, CLONE_NEWNS))
			_exit(126);
		dup2(t->null_fd, 0);
		dup2(t->null_fd, 1);
		dup2(error_fd, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) != pid)
		;
	close(error_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until the process is a zombie or away; its parent may be anybody. */
static int await_end(const char *pid_file)
{
	char text[1024], path[64];
	const char *state;

	if (!bench_read(pid_file, text, sizeof(text)))
		return 1;
	snprintf(path, sizeof(path), "/proc/%ld/stat", strtol(text, NULL, 10));
	for (int i = 0; i < 10000; i++) {
		if (!bench_read(path, text, sizeof(text)))
			return 0;
		state = strrchr(text, ')');
		if (state && state[2] == 'Z')
			return 0;
		usleep(1000);
	}
	return 1;
}

static void say_failed(const struct turns *t, const struct line *l, char **argv, int status)
{
	char text[1024];

	bench_read(t->errors, text, sizeof(text));
	fflush(stdout);
	fprintf(stderr, "turns: %s:", l->who);
	for (; *argv; argv++)
		fprintf(stderr, " %s", *argv);
	fprintf(stderr, ": status %d\n%s", status, text);
	exit(1);
}

static void say(const struct turns *t, const char *step, const char *who, uint64_t wall, uint64_t cpu)
{
	char figure[256];

	snprintf(figure, sizeof(figure), "%s|%s", t->figure, step);
	bench_sample(figure, who, "wall_ns", (double)wall);
	if (t->cpu.fd >= 0)
		bench_sample(figure, who, "cpu_ns", (double)cpu);
}

/* All lines of one contestant, once. */
static void take_turn(const struct turns *t, int turn, int round, int sampled)
{
	static char words[WORDS_MAX][WORD_MAX];
	uint64_t wall_sum = 0, cpu_sum = 0, wall, cpu;
	const char *who = NULL;
	char *argv[WORDS_MAX];
	int i, status;

	for (i = 0; i < t->n; i++) {
		const struct line *l = &t->line[i];

		if (l->turn != turn)
			continue;
		who = l->who;
		fill_in(l, round, words, argv);
		cpu = bench_cpu(&t->cpu);
		wall = bench_now();
		status = strcmp(argv[0], "gone") ? run(t, l, argv) : await_end(argv[1]);
		wall = bench_now() - wall;
		cpu = bench_cpu(&t->cpu) - cpu;
		if (!strcmp(l->step, "-"))
			continue;
		if (status)
			say_failed(t, l, argv, status);
		wall_sum += wall;
		cpu_sum += cpu;
		if (!sampled)
			continue;
		say(t, l->step, who, wall, cpu);
	}
	if (sampled && t->sum)
		say(t, t->sum, who, wall_sum, cpu_sum);
}

int main(int argc, char **argv)
{
	static struct turns t;
	long rounds = 10, warmup = 1;
	const char *cpu = NULL;
	int c, fd;

	while ((c = getopt(argc, argv, "n:w:c:s:")) != -1) {
		if (c == 'n')
			rounds = bench_number(optarg);
		else if (c == 'w')
			warmup = bench_number(optarg);
		else if (c == 'c')
			cpu = optarg;
		else if (c == 's')
			t.sum = optarg;
		else
			return 2;
	}
	if (optind + 1 != argc) {
		fputs("usage: turns [-n ROUNDS] [-w WARMUP] [-c CPUFILE] [-s SUM] FIGURE < commands\n", stderr);
		return 2;
	}
	t.figure = argv[optind];
	bench_cpu_open(&t.cpu, cpu);
	t.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd = memfd_create("errors", MFD_CLOEXEC);
	snprintf(t.errors, sizeof(t.errors), "/proc/%d/fd/%d", getpid(), fd);
	errno = 0;
	read_lines(&t);
	for (long round = 0; round < warmup + rounds; round++)
		for (int i = 0; i < t.n; i++)
			if (t.line[i].turn == i + 1)
				take_turn(&t, i + 1, (int)round, round >= warmup);
	return 0;
}

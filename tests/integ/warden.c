/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * warden: run one test suite so that nothing of it can stay behind unseen.
 *
 *   warden PROGRAM [ARG...]
 *
 * The suite gets a mount namespace of its own, with shared propagation as on
 * a host with systemd, and (so that /proc/net/unix lists only its sockets) a
 * network namespace with the loopback up. The warden is a subreaper: whatever
 * daemonizes stays its descendant. When the suite has ended, processes that
 * are still there after a grace time are named, killed, and are a failure.
 * The suite finds the warden's pid in WARDEN_PID.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCS 65536
#define GRACE_MS 3000
#define KILL_MS 10000

struct proc {
	pid_t pid, ppid;
	char state;
	char comm[64];
	int ours;
};

static struct proc procs[MAX_PROCS];
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static int read_proc(const char *pid, struct proc *p)
{
	char path[64], buf[512], *open_paren, *close_paren;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = 0;
	open_paren = strchr(buf, '(');
	close_paren = strrchr(buf, ')');
	if (!open_paren || !close_paren || close_paren < open_paren)
		return -1;
	*close_paren = 0;
	p->pid = (int)strtol(buf, NULL, 10);
	p->ours = 0;
	snprintf(p->comm, sizeof(p->comm), "%s", open_paren + 1);
	return sscanf(close_paren + 2, "%c %d", &p->state, &p->ppid) == 2 ? 0 : -1;
}

/* Fill procs[] and mark what descends from us; returns how many entries there are. */
static size_t scan(void)
{
	pid_t me = getpid();
	struct dirent *de;
	size_t n = 0;
	int again;
	DIR *d;

	d = opendir("/proc");
	if (!d)
		return 0;
	while (n < MAX_PROCS && (de = readdir(d)))
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
		    !read_proc(de->d_name, &procs[n]))
			n++;
	closedir(d);
	do {
		again = 0;
		for (size_t i = 0; i < n; i++) {
			if (procs[i].ours)
				continue;
			if (procs[i].ppid == me)
				procs[i].ours = 1;
			for (size_t j = 0; !procs[i].ours && j < n; j++)
				if (procs[j].ours && procs[j].pid == procs[i].ppid)
					procs[i].ours = 1;
			again |= procs[i].ours;
		}
	} while (again);
	return n;
}

static void name_them(void)
{
	size_t n = scan();

	for (size_t i = 0; i < n; i++) {
		char path[64], cmd[200];
		size_t got = 0;
		FILE *f;

		if (!procs[i].ours || procs[i].state == 'Z')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/cmdline", procs[i].pid);
		f = fopen(path, "re");
		if (f) {
			got = fread(cmd, 1, sizeof(cmd) - 1, f);
			fclose(f);
		}
		for (size_t k = 0; k < got; k++)
			if (!cmd[k] || cmd[k] == '\n')
				cmd[k] = ' ';
		cmd[got] = 0;
		printf("#  left over: pid %d, parent %d, state %c, %s: %s\n", procs[i].pid,
		       procs[i].ppid, procs[i].state, procs[i].comm, cmd);
	}
	fflush(stdout);
}

static void kill_them(void)
{
	size_t n = scan();

	for (size_t i = 0; i < n; i++)
		if (procs[i].ours)
			kill(procs[i].pid, SIGKILL);
}

static void nap(void)
{
	struct timespec ts = { .tv_nsec = 20 * 1000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Reap for at most @ms; 1 when no child is left. */
static int drain(int ms, int killing)
{
	for (int t = 0; t <= ms; t += 20) {
		pid_t p;

		while ((p = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (p < 0 && errno == ECHILD)
			return 1;
		if (killing)
			kill_them();
		nap();
	}
	return 0;
}

static void surroundings(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int s;

	if (geteuid() != 0)
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL)) {
		perror("warden: mount namespace");
		exit(1);
	}
	if (unshare(CLONE_NEWNET)) {
		perror("warden: network namespace");
		exit(1);
	}
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr))
		perror("warden: loopback");
	if (s >= 0)
		close(s);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int status = 0, r = 0;
	pid_t suite, p;
	char pid[16];

	if (argc < 2) {
		fprintf(stderr, "usage: warden PROGRAM [ARG...]\n");
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	surroundings();
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WARDEN_PID", pid, 1);

	suite = fork();
	if (suite == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[1], argv + 1);
		fprintf(stderr, "warden: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	for (;;) {
		p = waitpid(-1, &status, 0);
		if (p == suite)
			break;
		if (p < 0 && stop) {
			/* The suite's own traps stop its daemons and remove what it made. */
			printf("#  cut off by signal %d\n", (int)stop);
			name_them();
			kill(suite, SIGTERM);
			for (int i = 0; i < 400 && waitpid(suite, &status, WNOHANG) != suite; i++)
				nap();
			kill(suite, SIGKILL);
			r = 128 + stop;
			break;
		}
		if (p < 0 && errno != EINTR)
			return 1;
	}
	if (!r)
		r = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (!drain(GRACE_MS, 0)) {
		name_them();
		if (!r)
			r = 1;
		if (!drain(KILL_MS, 1))
			printf("#  some could not be killed\n");
	}
	return r;
}

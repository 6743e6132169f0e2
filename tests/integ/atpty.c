/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * atpty: a person at a terminal.
 *
 *   atpty [ACTION...] -- COMMAND...
 *
 * Runs the command on a new pseudo-terminal and does one action after the
 * other; what comes from the terminal goes to stdout:
 *
 *   size=ROWSxCOLUMNS	change the window
 *   wait=TEXT		read until TEXT has come since the last wait
 *   send=TEXT		type; \n, \3 (^C), \4 (^D) as in C
 *   stop		SIGSTOP the command, wait for it, SIGCONT
 *
 * Then reads to the end. Last, "terminal kept" or "terminal changed" goes to
 * stdout: are its settings those from before? Exits with the command's status,
 * or 128 and the signal's number; 99 for a mistake or 20 s of silence.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define SILENCE_MS 20000

static char seen[1 << 20];
static size_t seen_len, waited;

static int die(const char *what)
{
	fprintf(stderr, "atpty: %s: %s\n", what, strerror(errno));
	return 99;
}

/* Read once. Return: 1, 0 at the end, -1 after silence. */
static int take(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, SILENCE_MS) <= 0)
		return -1;
	n = read(fd, seen + seen_len, sizeof(seen) - 1 - seen_len);
	if (n <= 0)
		return 0;
	fwrite(seen + seen_len, 1, (size_t)n, stdout);
	fflush(stdout);
	seen_len += (size_t)n;
	seen[seen_len] = 0;
	return 1;
}

static int wait_for(int fd, const char *text)
{
	const char *at;

	while (!(at = strstr(seen + waited, text)))
		if (take(fd) <= 0)
			return -1;
	waited = (size_t)(at - seen) + strlen(text);
	return 0;
}

static int type(int fd, const char *text)
{
	for (; *text; text++) {
		char c = *text;

		if (c == '\\' && text[1]) {
			text++;
			c = *text == 'n' ? '\n' : *text >= '1' && *text <= '7' ? (char)(*text - '0') : *text;
		}
		if (write(fd, &c, 1) != 1)
			return -1;
	}
	return 0;
}

static int act(int fd, const char *what)
{
	struct winsize ws = { 0 };

	if (!strncmp(what, "wait=", 5))
		return wait_for(fd, what + 5);
	if (!strncmp(what, "send=", 5))
		return type(fd, what + 5);
	if (!strncmp(what, "pause=", 6))
		return usleep((useconds_t)strtoul(what + 6, NULL, 10) * 1000);
	if (sscanf(what, "size=%hux%hu", &ws.ws_row, &ws.ws_col) != 2) {
		errno = EINVAL;
		return -1;
	}
	return ioctl(fd, TIOCSWINSZ, &ws);
}

int main(int argc, char **argv)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	struct termios before, after;
	int fd, other, i, status, r;
	pid_t pid;

	/* compared as bytes, with what lies between the members */
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i + 1 >= argc)
		return 99;
	argv[i] = NULL;
	if (openpty(&fd, &other, NULL, NULL, &ws) || tcgetattr(other, &before))
		return die("openpty");
	pid = fork();
	if (pid < 0)
		return die("fork");
	if (!pid) {
		close(fd);
		if (login_tty(other))
			_exit(99);
		execvp(argv[i + 1], argv + i + 1);
		_exit(99);
	}
	for (argv++; *argv; argv++) {
		if (!act(fd, *argv))
			continue;
		kill(pid, SIGKILL);
		return die(*argv);
	}
	/* "other" is open still, so its settings can be read; the end is the command's end. */
	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		r = waitpid(pid, &status, WNOHANG);
		if (!r && poll(&p, 1, 50) > 0 && take(fd) < 0)
			return die("read");
	} while (!r);
	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) > 0 && take(fd) > 0)
		;
	if (tcgetattr(other, &after))
		return die("tcgetattr");
	printf("terminal %s\n", !memcmp(&before, &after, sizeof(before)) ? "kept" : "changed");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

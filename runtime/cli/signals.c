/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals by name and number, as `kill` takes them. */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "names.h"
#include "num.h"

/* The kernel's real-time range. Libc keeps the first two for itself; a container need not. */
#define RT_FIRST 34
#define RT_LAST 64

static const struct name signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGIOT }, { "BUS", SIGBUS },
	{ "FPE", SIGFPE }, { "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
	{ "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH }, { "IO", SIGIO }, { "POLL", SIGIO }, { "PWR", SIGPWR },
	{ "SYS", SIGSYS },
	{ NULL, 0 },
};

/* What follows "RTMIN" or "RTMAX": nothing, or a distance with its sign. */
static int realtime(const char *rest, int base, char sign)
{
	uint64_t n = 0;

	if (*rest && (*rest != sign || num_u64(rest + 1, RT_LAST - RT_FIRST, &n)))
		return -EINVAL;
	return sign == '+' ? base + (int)n : base - (int)n;
}

int cli_signal(const char *text)
{
	const struct name *s;
	uint64_t n;

	if (!num_u64(text, RT_LAST, &n))
		return (int)n;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (s = signals; s->name; s++)
		if (!strcasecmp(s->name, text))
			return (int)s->value;
	if (!strncasecmp(text, "RTMIN", 5))
		return realtime(text + 5, RT_FIRST, '+');
	if (!strncasecmp(text, "RTMAX", 5))
		return realtime(text + 5, RT_LAST, '-');
	return -EINVAL;
}

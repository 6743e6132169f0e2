/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a command as if the kernel were older.
 *
 *   no-new-calls VERSION COMMAND [ARG...]	all that is newer than VERSION ("5.4") is missing
 *   no-new-calls NAME,NAME... COMMAND ...	only these are missing
 *   no-new-calls -l				print the names with their versions
 *   no-new-calls -m				print which of the calls are missing here
 *   option -p (first): missing calls answer EPERM, as filters of container hosts do
 *
 * A seccomp filter answers ENOSYS for a missing call and EINVAL for a missing
 * flag. What a filter cannot see (flags in clone3's struct, what kind of fd
 * setns gets) is not taken away by itself; setns_several, which a pidfd can do
 * and a namespace file cannot, only by name. The filter stays for all children.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_* is this?"
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define ANY -1			/* the call itself is missing */
#define SEVERAL -2		/* the argument has more than one bit: setns by pidfd joins several */

/* Numbers are given where the headers of Debian 11 lack them; they are the same everywhere. */
static const struct row {
	const char *name;
	int since;		/* 5.10: 510 */
	int nr;
	int arg;		/* ANY, SEVERAL, or argument whose bits (or value) are new */
	unsigned int bits;
	bool value;		/* argument equals bits */
} rows[] = {
	{ "pidfd_send_signal", 501, 424, ANY, 0, false },
	{ "clone_pidfd", 502, SYS_clone, 0, CLONE_PIDFD, false },
	{ "open_tree", 502, 428, ANY, 0, false },
	{ "move_mount", 502, 429, ANY, 0, false },
	{ "fsopen", 502, 430, ANY, 0, false },
	{ "fsconfig", 502, 431, ANY, 0, false },
	{ "fsmount", 502, 432, ANY, 0, false },
	{ "fspick", 502, 433, ANY, 0, false },
	{ "pidfd_open", 503, 434, ANY, 0, false },
	{ "clone3", 503, 435, ANY, 0, false },
	{ "waitid_pidfd", 504, SYS_waitid, 0, 3, true },
	{ "openat2", 506, 437, ANY, 0, false },
	{ "pidfd_getfd", 506, 438, ANY, 0, false },
	{ "faccessat2", 508, 439, ANY, 0, false },
	{ "setns_several", 508, SYS_setns, SEVERAL, 0, false },
	{ "statx_mnt_id", 508, SYS_statx, 3, 0x5000, false },
	{ "loop_configure", 508, SYS_ioctl, 1, 0x4c0a, true },	/* LOOP_CONFIGURE */
	{ "close_range", 509, 436, ANY, 0, false },
	{ "close_range_cloexec", 511, 436, 2, 4, false },
	{ "epoll_pwait2", 511, 441, ANY, 0, false },
	{ "mount_setattr", 512, 442, ANY, 0, false },
	{ "landlock_create_ruleset", 513, 444, ANY, 0, false },
	{ "landlock_add_rule", 513, 445, ANY, 0, false },
	{ "landlock_restrict_self", 513, 446, ANY, 0, false },
	{ "memfd_exec", 603, SYS_memfd_create, 1, 0x18, false },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct sock_filter code[ROWS * 12 + 8];
static unsigned short n;

static void put(unsigned short op, unsigned char jt, unsigned char jf, unsigned int k)
{
	code[n++] = (struct sock_filter){ op, jt, jf, k };
}

static void load(size_t offset)
{
	put(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned int)offset);
}

/* Offset of the low half of an argument; both machines are little endian. */
static size_t arg_offset(int arg)
{
	return offsetof(struct seccomp_data, args) + 8 * (size_t)arg;
}

static void put_row(const struct row *r, int missing)
{
	unsigned short start = n;

	load(offsetof(struct seccomp_data, nr));
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (unsigned int)r->nr);	/* jf: behind this row */
	if (r->arg == SEVERAL) {
		load(arg_offset(1));			/* x & (x - 1) */
		put(BPF_MISC | BPF_TAX, 0, 0, 0);
		put(BPF_ALU | BPF_SUB | BPF_K, 0, 0, 1);
		put(BPF_ALU | BPF_AND | BPF_X, 0, 0, 0);
		put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
	} else if (r->arg != ANY) {
		load(arg_offset(r->arg));
		if (r->value)
			put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, r->bits);
		else
			put(BPF_JMP | BPF_JSET | BPF_K, 0, 1, r->bits);
	}
	put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned int)(r->arg == ANY ? missing : EINVAL));
	code[start + 1].jf = (unsigned char)(n - start - 2);
}

static bool named(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *p;

	for (p = list; (p = strstr(p, name)); p += len)
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	return false;
}

/* Are all words of @list names? */
static bool known(const char *list)
{
	char word[64];
	size_t i, len;

	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		for (i = 0; i < ROWS && strcmp(rows[i].name, word); i++)
			;
		if (i == ROWS)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	int missing = ENOSYS, major = 0, minor = 0, at = 1;
	struct sock_fprog prog;
	bool version;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (i = 0; i < ROWS; i++)
			printf("%s %d.%d\n", rows[i].name, rows[i].since / 100, rows[i].since % 100);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "-m")) {
		/* Nonsense is refused as such by a kernel that has the call. */
		for (i = 0; i < ROWS; i++)
			if (rows[i].arg == ANY && syscall(rows[i].nr, -1L, -1L, -1L, -1L, -1L, -1L) < 0 &&
			    (errno == ENOSYS || errno == EPERM))
				printf("%s\n", rows[i].name);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "-p")) {
		missing = EPERM;
		at++;
	}
	if (argc < at + 2) {
		fprintf(stderr, "usage: no-new-calls [-p] VERSION|NAME,NAME... COMMAND [ARG...]\n");
		return 125;
	}
	version = sscanf(argv[at], "%d.%d", &major, &minor) == 2;
	if (!version && !known(argv[at])) {
		fprintf(stderr, "no-new-calls: unknown name in \"%s\"\n", argv[at]);
		return 125;
	}
	load(offsetof(struct seccomp_data, arch));
	put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
	put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	for (i = 0; i < ROWS; i++)
		if (version ? rows[i].arg != SEVERAL && major * 100 + minor < rows[i].since : named(argv[at], rows[i].name))
			put_row(&rows[i], missing);
	put(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	prog = (struct sock_fprog){ n, code };
	/* Without privilege it takes no_new_privs, which containers would inherit: only if it must be. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) &&
	    (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))) {
		perror("no-new-calls: seccomp");
		return 125;
	}
	execvp(argv[at + 1], argv + at + 1);
	perror(argv[at + 1]);
	return 127;
}

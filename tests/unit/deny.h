/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_DENY_H
#define CLEAT_DENY_H
/* Kernel calls taken away from the test's own process: how fallbacks are proven on a new kernel. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define DENY_END (-1)

/* From now on the calls @nrs (up to DENY_END) answer @err. Return: 0 or -errno. */
static inline int deny_calls(int err, const int *nrs)
{
	struct sock_filter code[64];
	unsigned short n = 0;
	struct sock_fprog prog;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (; *nrs != DENY_END && n < 60; nrs++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *nrs, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog = (struct sock_fprog){ n, code };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) ? -errno : 0;
}
#define DENY(err, ...) deny_calls((err), (const int[]){ __VA_ARGS__, DENY_END })
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ENOSYS stub, put in front of libseccomp's program.
 *
 * A profile cannot know syscalls that came after it, and libc takes "not
 * permitted" for an answer where it would fall back on "not there". So numbers
 * above the newest one that the profile mentions answer ENOSYS, ABI by ABI;
 * every other call goes on into libseccomp's program, whose jumps are relative
 * and which loads what it needs itself.
 *
 * One block per ABI, the native one first:
 *
 *	ld  arch
 *	jne audit  -> next block
 *	ld  nr
 *	jge end    -> next block	x86_64 and x32 share one audit word
 *	jlt first  -> next block
 *	jle newest -> the program
 *	ret ENOSYS
 */
#include <errno.h>
#include <linux/seccomp.h>
#include "filter_internal.h"

static unsigned int block_len(const struct filter_stub *s)
{
	return 5u + (s->end != 0) + (s->first != 0);
}

unsigned int filter_stub_write(const struct filter_stub *s, unsigned int n,
			       struct sock_filter *out)
{
	unsigned int i, total = 0, at = 0, next = 0;

	/* jump distances are one byte: all ABIs there are make 161 instructions */
	_Static_assert(FILTER_STUB_LEN(FILTER_ARCH_MAX) < 256, "jumps of a byte");
	for (i = 0; i < n; i++)
		total += block_len(&s[i]);
	for (i = 0; i < n; i++) {
		next += block_len(&s[i]);
		out[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							 offsetof(struct seccomp_data, arch));
		out[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s[i].audit, 0,
						       (uint8_t)(next - at - 1));
		at++;
		out[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							 offsetof(struct seccomp_data, nr));
		if (s[i].end) {
			out[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, s[i].end,
							       (uint8_t)(next - at - 1), 0);
			at++;
		}
		if (s[i].first) {
			out[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, s[i].first,
							       0, (uint8_t)(next - at - 1));
			at++;
		}
		out[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, s[i].newest, 0,
						       (uint8_t)(total - at - 1));
		at++;
		out[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ERRNO | ENOSYS);
	}
	return at;
}

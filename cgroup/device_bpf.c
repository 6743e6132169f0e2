/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules on v2: a BPF program that the kernel asks at every mknod and
 * open. It goes through the rules from the last to the first, with the access
 * bits still to be decided in r3:
 *
 *	r2 = type, r3 = access, r4 = major, r5 = minor
 *	per rule:	if type, major or minor differ: next
 *	  deny:		if any bit of r3 is the rule's: return 0
 *	  allow:	take the rule's bits from r3; none left: return 1
 *	return the fallback
 *
 * Attached with ALLOW_MULTI, so that a program of a cgroup above it (a
 * container in a container) goes on to apply.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "fd.h"
#include "cg_internal.h"
#include "userns.h"

#define INSNS_PER_RULE	7
#define INSNS_FRAME	8
#define PROGRAMS_MAX	64
#define LOAD_WAIT_MS	64	/* the longest of the waits, each twice the last */

static int bpf(int cmd, union bpf_attr *attr)
{
	long r = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static struct bpf_insn jump(unsigned int op, unsigned int reg, int64_t k, int off)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | op | BPF_K), .dst_reg = reg & 15,
				  .off = (int16_t)off, .imm = (int32_t)k };
}

static struct bpf_insn alu(unsigned int op, unsigned int reg, int64_t k)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | op | BPF_K), .dst_reg = reg & 15,
				  .imm = (int32_t)k };
}

static struct bpf_insn load(unsigned int reg, size_t off)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = reg & 15,
				  .src_reg = BPF_REG_1, .off = (int16_t)off };
}

static const struct bpf_insn leave = { .code = BPF_JMP | BPF_EXIT };

/* Each test jumps to the end of its rule when the rule is not for this device. */
static size_t emit_rule(struct bpf_insn *p, const struct cg_rule *r)
{
	size_t n = 0, tests;

	p[n++] = jump(BPF_JNE, BPF_REG_2,
		      r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 0);
	if (r->major >= 0)
		p[n++] = jump(BPF_JNE, BPF_REG_4, r->major, 0);
	if (r->minor >= 0)
		p[n++] = jump(BPF_JNE, BPF_REG_5, r->minor, 0);
	tests = n;
	if (r->allow) {
		p[n++] = alu(BPF_AND, BPF_REG_3, ~(int64_t)r->access & CG_DEV_ALL);
		p[n++] = jump(BPF_JNE, BPF_REG_3, 0, 2);
	} else {
		p[n++] = jump(BPF_JSET, BPF_REG_3, r->access, 1);
		p[n++] = jump(BPF_JA, 0, 0, 2);
	}
	p[n++] = alu(BPF_MOV, BPF_REG_0, r->allow);
	p[n++] = leave;
	for (size_t k = 0; k < tests; k++)
		p[k].off = (int16_t)(n - k - 1);
	return n;
}

/**
 * cg_bpf_build() - The program for @r. Pure.
 * @out: heap, caller frees. Return: 0 or -ENOMEM.
 */
int cg_bpf_build(const struct cg_rules *r, struct bpf_insn **out, size_t *n)
{
	struct bpf_insn *p = calloc(r->n * INSNS_PER_RULE + INSNS_FRAME, sizeof(*p));
	size_t k = 0;

	if (!p)
		return -ENOMEM;
	p[k++] = load(BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	p[k++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3,
				    .src_reg = BPF_REG_2 };
	p[k++] = alu(BPF_AND, BPF_REG_2, 0xffff);
	p[k++] = alu(BPF_RSH, BPF_REG_3, 16);
	p[k++] = load(BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	p[k++] = load(BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = r->n; i-- > 0; )
		k += emit_rule(p + k, &r->v[i]);
	p[k++] = alu(BPF_MOV, BPF_REG_0, r->fallback);
	p[k++] = leave;
	*out = p;
	*n = k;
	return 0;
}

static int load_program(const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uint64_t)(uintptr_t)"LGPL-2.1-or-later";
	memcpy(attr.prog_name, "cleat_devices", sizeof("cleat_devices"));
	return bpf(BPF_PROG_LOAD, &attr);
}

/*
 * Can EPERM mean that there is no room? Below 5.11 the memory of programs counts against RLIMIT_MEMLOCK, which may be
 * 64 KiB, for root as well. Root of another user namespace may not load any, room or not.
 */
static bool programs_are_locked(void)
{
	struct utsname u;
	unsigned int major, minor;

	if (geteuid() || userns_is_own() || uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < 5 || (major == 5 && minor < 11);
}

/*
 * A program that was replaced is still counted until an RCU grace period has passed: with little room, each new one
 * soon finds none (EPERM). The limit is raised as far as we may, and if that is not enough, waited.
 */
static int load_in_time(const struct bpf_insn *insns, size_t n)
{
	struct rlimit was, all = { RLIM_INFINITY, RLIM_INFINITY };
	int r = load_program(insns, n);

	if (r != -EPERM || !programs_are_locked() || getrlimit(RLIMIT_MEMLOCK, &was))
		return r;
	if (setrlimit(RLIMIT_MEMLOCK, &all)) {
		all.rlim_cur = all.rlim_max = was.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &all);
	}
	r = load_program(insns, n);
	for (long wait_ms = 1; r == -EPERM && wait_ms <= LOAD_WAIT_MS; wait_ms *= 2) {
		nanosleep(&(struct timespec){ .tv_nsec = wait_ms * 1000000L }, NULL);
		r = load_program(insns, n);
	}
	setrlimit(RLIMIT_MEMLOCK, &was);
	return r;
}

static int load_error(const struct cg *c, size_t n_rules, int r, struct err *e)
{
	const struct bpf_insn trivial[] = { alu(BPF_MOV, BPF_REG_0, 1), leave };

	if (r == -EPERM || r == -EACCES)
		return err_set(e, ERR_DENIED, r, c->path,
			       "resources.devices: load the BPF program that filters devices");
	if (r == -ENOSYS)
		return err_set(e, ERR_UNSUPPORTED, r, c->path,
			       "resources.devices: devices cannot be filtered, this kernel has no CONFIG_BPF_SYSCALL");
	if (r == -E2BIG)
		return err_set(e, ERR_LIMIT, r, c->path,
			       "resources.devices: %zu device rules are too many for this kernel",
			       n_rules);
	if (r == -EINVAL) {
		auto_fd fd = load_program(trivial, 2);

		if (fd < 0)
			return err_set(e, ERR_UNSUPPORTED, r, c->path,
				       "resources.devices: devices cannot be filtered, this kernel has no CONFIG_CGROUP_BPF");
	}
	return err_set(e, ERR_KERNEL, r, c->path,
		       "resources.devices: load the BPF program that filters devices");
}

/* Programs that hang at the cgroup itself; cgroups above it are not asked. */
static int query(int dirfd, uint32_t *ids, uint32_t max)
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dirfd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = max;
	r = bpf(BPF_PROG_QUERY, &attr);
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int program_by_id(uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int dirfd, int prog, int replaces)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dirfd;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaces >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaces;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int dirfd, int prog)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dirfd;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return bpf(BPF_PROG_DETACH, &attr);
}

/*
 * Put @prog in the place of what is there. One program is replaced in one
 * step; several, or a kernel without BPF_F_REPLACE (before 5.6): the new one is
 * added first, so that there is no moment without a filter.
 */
static int put_program(int dirfd, int prog, bool fresh)
{
	uint32_t ids[PROGRAMS_MAX];
	int n = fresh ? 0 : query(dirfd, ids, PROGRAMS_MAX), r;

	if (n < 0)
		return n;
	if (n == 1) {
		auto_fd old = program_by_id(ids[0]);

		if (old >= 0 && !attach(dirfd, prog, old))
			return 0;
	}
	r = attach(dirfd, prog, -1);
	for (int k = 0; !r && k < n; k++) {
		auto_fd old = program_by_id(ids[k]);

		r = old < 0 ? old : detach(dirfd, old);
	}
	return r;
}

/**
 * cg_bpf_apply() - Load the program for @r and attach it, replacing earlier ones.
 * @i: the v2 hierarchy.
 * Return: 0, ERR_DENIED without privilege, ERR_UNSUPPORTED naming what the kernel lacks.
 */
int cg_bpf_apply(const struct cg *c, size_t i, const struct cg_rules *r, struct err *e)
{
	struct bpf_insn *insns;
	char where[CG_WHERE_MAX];
	size_t n;
	int err = cg_bpf_build(r, &insns, &n);

	if (err < 0)
		return err_set(e, ERR_KERNEL, err, c->path, "no memory for the device program");
	auto_fd prog = load_in_time(insns, n);
	free(insns);
	if (prog < 0)
		return load_error(c, r->n, prog, e);
	err = put_program(c->dirfd[i], prog, c->made[i]);
	if (!err)
		return 0;
	cg_where(c, i, NULL, where, sizeof(where));
	return err_set(e, err == -EPERM ? ERR_DENIED : ERR_KERNEL, err, where,
		       "resources.devices: attach the BPF program that filters devices");
}

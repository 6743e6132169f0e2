/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* linux.seccomp of the specification: its words and its descriptor tables. */
#include <seccomp.h>
#include "filter_internal.h"

const struct name filter_action_names[] = {
	{ "SCMP_ACT_KILL", FILTER_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", FILTER_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", FILTER_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", FILTER_TRAP },
	{ "SCMP_ACT_ERRNO", FILTER_ERRNO },
	{ "SCMP_ACT_TRACE", FILTER_TRACE },
	{ "SCMP_ACT_ALLOW", FILTER_ALLOW },
	{ "SCMP_ACT_LOG", FILTER_LOG },
	{ "SCMP_ACT_NOTIFY", FILTER_NOTIFY },
	{ NULL, 0 }
};

const struct name filter_arch_names[] = {
	{ "SCMP_ARCH_X86", FILTER_X86 },
	{ "SCMP_ARCH_X86_64", FILTER_X86_64 },
	{ "SCMP_ARCH_X32", FILTER_X32 },
	{ "SCMP_ARCH_ARM", FILTER_ARM },
	{ "SCMP_ARCH_AARCH64", FILTER_AARCH64 },
	{ "SCMP_ARCH_MIPS", FILTER_MIPS },
	{ "SCMP_ARCH_MIPS64", FILTER_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", FILTER_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", FILTER_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", FILTER_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", FILTER_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", FILTER_PPC },
	{ "SCMP_ARCH_PPC64", FILTER_PPC64 },
	{ "SCMP_ARCH_PPC64LE", FILTER_PPC64LE },
	{ "SCMP_ARCH_S390", FILTER_S390 },
	{ "SCMP_ARCH_S390X", FILTER_S390X },
	{ "SCMP_ARCH_PARISC", FILTER_PARISC },
	{ "SCMP_ARCH_PARISC64", FILTER_PARISC64 },
	{ "SCMP_ARCH_RISCV64", FILTER_RISCV64 },
	/* libseccomp 2.6 */
#ifdef SCMP_ARCH_LOONGARCH64
	{ "SCMP_ARCH_LOONGARCH64", FILTER_LOONGARCH64 },
#endif
#ifdef SCMP_ARCH_M68K
	{ "SCMP_ARCH_M68K", FILTER_M68K },
#endif
#ifdef SCMP_ARCH_SH
	{ "SCMP_ARCH_SH", FILTER_SH },
	{ "SCMP_ARCH_SHEB", FILTER_SHEB },
#endif
	{ NULL, 0 }
};

const struct name filter_op_names[] = {
	{ "SCMP_CMP_NE", FILTER_NE },
	{ "SCMP_CMP_LT", FILTER_LT },
	{ "SCMP_CMP_LE", FILTER_LE },
	{ "SCMP_CMP_EQ", FILTER_EQ },
	{ "SCMP_CMP_GE", FILTER_GE },
	{ "SCMP_CMP_GT", FILTER_GT },
	{ "SCMP_CMP_MASKED_EQ", FILTER_MASKED_EQ },
	{ NULL, 0 }
};

const struct name filter_flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", FILTER_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", FILTER_LOG_FLAG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", FILTER_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", FILTER_WAIT_KILLABLE_RECV },
	{ NULL, 0 }
};

#define SPEC_SECCOMP "config-linux.md#seccomp"

static const struct field arg_fields[] = {
	{ .key = "index", .type = FT_U32, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct filter_arg, index),
	  .spec = SPEC_SECCOMP, .doc = "argument of the syscall, 0 to 5" },
	{ .key = "value", .type = FT_U64, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct filter_arg, value),
	  .spec = SPEC_SECCOMP, .doc = "compared with; the mask of SCMP_CMP_MASKED_EQ" },
	{ .key = "valueTwo", .type = FT_U64, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_arg, value_two),
	  .spec = SPEC_SECCOMP, .doc = "what the masked argument must equal" },
	{ .key = "op", .type = FT_ENUM, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct filter_arg, op), .sub = filter_op_names,
	  .spec = SPEC_SECCOMP, .doc = "comparison" },
};
static OBJECT(filter_arg_object, struct filter_arg, arg_fields);

static const struct field rule_fields[] = {
	{ .key = "names", .type = FT_STRV, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct filter_rule, names),
	  .spec = SPEC_SECCOMP, .doc = "syscalls; unknown ones are skipped" },
	{ .key = "action", .type = FT_ENUM, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct filter_rule, action), .sub = filter_action_names,
	  .spec = SPEC_SECCOMP, .doc = "what happens to a call that matches" },
	{ .key = "errnoRet", .type = FT_U32,
	  .off = FIELD_OFF(struct filter_rule, errno_ret),
	  .present = FIELD_OFF(struct filter_rule, has_errno_ret),
	  .spec = SPEC_SECCOMP, .doc = "for SCMP_ACT_ERRNO and SCMP_ACT_TRACE; EPERM when absent" },
	{ .key = "args", .type = FT_OBJV, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_rule, args), .sub = &filter_arg_object,
	  .spec = SPEC_SECCOMP,
	  .doc = "all must hold; any one when an index occurs twice" },
};
static OBJECT(filter_rule_object, struct filter_rule, rule_fields);

static const struct field spec_fields[] = {
	{ .key = "defaultAction", .type = FT_ENUM,
	  .off = FIELD_OFF(struct filter_spec, default_action),
	  .present = FIELD_OFF(struct filter_spec, has_default_action), .sub = filter_action_names,
	  .spec = SPEC_SECCOMP, .doc = "for calls that no rule matches" },
	{ .key = "defaultErrnoRet", .type = FT_U32,
	  .off = FIELD_OFF(struct filter_spec, default_errno_ret),
	  .present = FIELD_OFF(struct filter_spec, has_default_errno_ret),
	  .spec = SPEC_SECCOMP, .doc = "for SCMP_ACT_ERRNO and SCMP_ACT_TRACE; EPERM when absent" },
	{ .key = "architectures", .type = FT_ENUMV, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_spec, architectures), .sub = filter_arch_names,
	  .spec = SPEC_SECCOMP, .doc = "ABIs beside the native one" },
	{ .key = "flags", .type = FT_ENUMV,
	  .off = FIELD_OFF(struct filter_spec, flags),
	  .present = FIELD_OFF(struct filter_spec, has_flags), .sub = filter_flag_names,
	  .spec = SPEC_SECCOMP, .doc = "absent: SPEC_ALLOW where the kernel knows it" },
	{ .key = "listenerPath", .type = FT_STR, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_spec, listener_path),
	  .spec = SPEC_SECCOMP, .doc = "unix socket that gets the listener of SCMP_ACT_NOTIFY" },
	{ .key = "listenerMetadata", .type = FT_STR, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_spec, listener_metadata),
	  .spec = SPEC_SECCOMP, .doc = "told to that socket" },
	{ .key = "syscalls", .type = FT_OBJV, .flags = F_OMITEMPTY,
	  .off = FIELD_OFF(struct filter_spec, syscalls), .sub = &filter_rule_object,
	  .spec = SPEC_SECCOMP, .doc = "rules" },
};
OBJECT(filter_spec_object, struct filter_spec, spec_fields);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON of linux.resources. The same table reads the resources of a
 * config.json and those of an update.
 */
#include "cg_internal.h"

#define M(member) FIELD_OFF(struct cg_memory, member)
#define SPEC_MEM "config-linux.md#memory"
static const struct field memory_fields[] = {
	{ .key = "limit", .type = FT_I64, .off = M(limit), .present = M(has_limit),
	  .min = -1, .max = INT64_MAX, .spec = SPEC_MEM,
	  .doc = "bytes; -1 is unlimited, 0 unset" },
	{ .key = "reservation", .type = FT_I64, .off = M(reservation),
	  .present = M(has_reservation),
	  .min = -1, .max = INT64_MAX, .spec = SPEC_MEM,
	  .doc = "bytes kept when memory is short; -1 is unlimited, 0 unset" },
	{ .key = "swap", .type = FT_I64, .off = M(swap), .present = M(has_swap),
	  .min = -1, .max = INT64_MAX, .spec = SPEC_MEM,
	  .doc = "bytes of memory and swap together; -1 is unlimited, 0 unset" },
	{ .key = "kernel", .type = FT_I64, .off = M(kernel), .present = M(has_kernel),
	  .min = -1, .max = INT64_MAX, .spec = SPEC_MEM,
	  .doc = "ignored with a warning: kernels no longer have this limit" },
	{ .key = "kernelTCP", .type = FT_I64, .off = M(kernel_tcp), .present = M(has_kernel_tcp),
	  .min = -1, .max = INT64_MAX, .spec = SPEC_MEM,
	  .doc = "bytes of TCP buffers (cgroup v1); -1 is unlimited, 0 unset" },
	{ .key = "swappiness", .type = FT_U64, .off = M(swappiness), .present = M(has_swappiness),
	  .max = 100, .spec = SPEC_MEM, .doc = "0 to 100 (cgroup v1)" },
	{ .key = "disableOOMKiller", .type = FT_BOOL, .off = M(disable_oom_killer),
	  .present = M(has_disable_oom_killer), .spec = SPEC_MEM,
	  .doc = "wait instead of killing when memory is out (cgroup v1)" },
	{ .key = "useHierarchy", .type = FT_BOOL, .off = M(use_hierarchy), .spec = SPEC_MEM,
	  .doc = "always so since Linux 5.11; set on older kernels (cgroup v1)" },
	{ .key = "checkBeforeUpdate", .type = FT_BOOL, .off = M(check_before_update),
	  .spec = SPEC_MEM, .doc = "refuse a new limit that is below the usage (cgroup v2)" },
};
static OBJECT(memory_object, struct cg_memory, memory_fields);

#define C(member) FIELD_OFF(struct cg_cpu, member)
#define SPEC_CPU "config-linux.md#cpu"
static const struct field cpu_fields[] = {
	{ .key = "shares", .type = FT_U64, .off = C(shares), .present = C(has_shares),
	  .spec = SPEC_CPU, .doc = "relative weight, 2 to 262144; 0 unset" },
	{ .key = "quota", .type = FT_I64, .off = C(quota), .present = C(has_quota),
	  .min = INT64_MIN, .max = INT64_MAX, .spec = SPEC_CPU,
	  .doc = "microseconds of CPU time per period; negative is unlimited, 0 unset" },
	{ .key = "burst", .type = FT_U64, .off = C(burst), .present = C(has_burst),
	  .spec = SPEC_CPU, .doc = "microseconds that may be saved up" },
	{ .key = "period", .type = FT_U64, .off = C(period), .present = C(has_period),
	  .spec = SPEC_CPU, .doc = "microseconds; 0 unset" },
	{ .key = "realtimeRuntime", .type = FT_I64, .off = C(rt_runtime),
	  .present = C(has_rt_runtime), .min = INT64_MIN, .max = INT64_MAX, .spec = SPEC_CPU,
	  .doc = "microseconds of realtime scheduling per period (cgroup v1)" },
	{ .key = "realtimePeriod", .type = FT_U64, .off = C(rt_period), .present = C(has_rt_period),
	  .spec = SPEC_CPU, .doc = "microseconds (cgroup v1)" },
	{ .key = "cpus", .type = FT_STR, .off = C(cpus), .spec = SPEC_CPU,
	  .doc = "CPUs to run on, such as 0-3,7" },
	{ .key = "mems", .type = FT_STR, .off = C(mems), .spec = SPEC_CPU,
	  .doc = "memory nodes to use, such as 0-1" },
	{ .key = "idle", .type = FT_I64, .off = C(idle), .present = C(has_idle),
	  .min = 0, .max = 1, .spec = SPEC_CPU, .doc = "1: run only when nothing else does" },
};
static OBJECT(cpu_object, struct cg_cpu, cpu_fields);

static const struct field pids_fields[] = {
	{ .key = "limit", .type = FT_I64, .off = FIELD_OFF(struct cg_pids, limit),
	  .present = FIELD_OFF(struct cg_pids, has_limit), .min = INT64_MIN, .max = INT64_MAX,
	  .spec = "config-linux.md#pids", .doc = "number of tasks; negative is unlimited" },
};
static OBJECT(pids_object, struct cg_pids, pids_fields);

#define SPEC_IO "config-linux.md#block-io"
#define MAJOR_MAX 4095		/* a dev_t of Linux has 12 and 20 bits */
#define MINOR_MAX 1048575

#define W(member) FIELD_OFF(struct cg_weight_device, member)
static const struct field weight_device_fields[] = {
	{ .key = "major", .type = FT_I64, .flags = F_REQUIRED, .off = W(major),
	  .min = 0, .max = MAJOR_MAX, .spec = SPEC_IO },
	{ .key = "minor", .type = FT_I64, .flags = F_REQUIRED, .off = W(minor),
	  .min = 0, .max = MINOR_MAX, .spec = SPEC_IO },
	{ .key = "weight", .type = FT_U32, .off = W(weight), .present = W(has_weight),
	  .max = UINT16_MAX, .spec = SPEC_IO, .doc = "10 to 1000" },
	{ .key = "leafWeight", .type = FT_U32, .off = W(leaf_weight), .present = W(has_leaf_weight),
	  .max = UINT16_MAX, .spec = SPEC_IO, .doc = "10 to 1000 (cgroup v1, CFQ)" },
};
static OBJECT(weight_device_object, struct cg_weight_device, weight_device_fields);

#define T(member) FIELD_OFF(struct cg_throttle, member)
static const struct field throttle_fields[] = {
	{ .key = "major", .type = FT_I64, .flags = F_REQUIRED, .off = T(major),
	  .min = 0, .max = MAJOR_MAX, .spec = SPEC_IO },
	{ .key = "minor", .type = FT_I64, .flags = F_REQUIRED, .off = T(minor),
	  .min = 0, .max = MINOR_MAX, .spec = SPEC_IO },
	{ .key = "rate", .type = FT_U64, .flags = F_REQUIRED, .off = T(rate), .spec = SPEC_IO,
	  .doc = "bytes or operations per second; 0 is unlimited" },
};
static OBJECT(throttle_object, struct cg_throttle, throttle_fields);

#define B(member) FIELD_OFF(struct cg_blkio, member)
static const struct field blkio_fields[] = {
	{ .key = "weight", .type = FT_U32, .off = B(weight), .present = B(has_weight),
	  .max = UINT16_MAX, .spec = SPEC_IO, .doc = "relative weight, 10 to 1000; 0 unset" },
	{ .key = "leafWeight", .type = FT_U32, .off = B(leaf_weight), .present = B(has_leaf_weight),
	  .max = UINT16_MAX, .spec = SPEC_IO, .doc = "10 to 1000 (cgroup v1, CFQ); 0 unset" },
	{ .key = "weightDevice", .type = FT_OBJV, .off = B(weight_device),
	  .sub = &weight_device_object, .spec = SPEC_IO, .doc = "weights per device" },
	{ .key = "throttleReadBpsDevice", .type = FT_OBJV, .off = B(read_bps),
	  .sub = &throttle_object, .spec = SPEC_IO, .doc = "bytes read per second" },
	{ .key = "throttleWriteBpsDevice", .type = FT_OBJV, .off = B(write_bps),
	  .sub = &throttle_object, .spec = SPEC_IO, .doc = "bytes written per second" },
	{ .key = "throttleReadIOPSDevice", .type = FT_OBJV, .off = B(read_iops),
	  .sub = &throttle_object, .spec = SPEC_IO, .doc = "reads per second" },
	{ .key = "throttleWriteIOPSDevice", .type = FT_OBJV, .off = B(write_iops),
	  .sub = &throttle_object, .spec = SPEC_IO, .doc = "writes per second" },
};
static OBJECT(blkio_object, struct cg_blkio, blkio_fields);

static const struct field hugetlb_fields[] = {
	{ .key = "pageSize", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY,
	  .off = FIELD_OFF(struct cg_hugetlb, page_size),
	  .spec = "config-linux.md#huge-page-limits",
	  .doc = "such as 2MB or 1GB" },
	{ .key = "limit", .type = FT_U64, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct cg_hugetlb, limit), .spec = "config-linux.md#huge-page-limits",
	  .doc = "bytes" },
};
static OBJECT(hugetlb_object, struct cg_hugetlb, hugetlb_fields);

/* An absent type means all, as callers that leave it out expect. */
static const struct name device_types[] = {
	{ "a", 'a' }, { "b", 'b' }, { "c", 'c' }, { "", 0 }, { NULL, 0 },
};

#define D(member) FIELD_OFF(struct cg_device, member)
#define SPEC_DEV "config-linux.md#allowed-device-list"
static const struct field device_fields[] = {
	{ .key = "allow", .type = FT_BOOL, .flags = F_REQUIRED, .off = D(allow), .spec = SPEC_DEV },
	{ .key = "type", .type = FT_ENUM, .off = D(type), .sub = device_types, .spec = SPEC_DEV,
	  .doc = "a (all, replaces the rules before it), b or c" },
	{ .key = "major", .type = FT_I64, .off = D(major), .present = D(has_major),
	  .min = -1, .max = MAJOR_MAX, .spec = SPEC_DEV, .doc = "absent or -1 is any" },
	{ .key = "minor", .type = FT_I64, .off = D(minor), .present = D(has_minor),
	  .min = -1, .max = MINOR_MAX, .spec = SPEC_DEV, .doc = "absent or -1 is any" },
	{ .key = "access", .type = FT_STR, .off = D(access), .spec = SPEC_DEV,
	  .doc = "of r, w and m (mknod); at least one" },
};
static OBJECT(device_object, struct cg_device, device_fields);

#define SPEC_RDMA "config-linux.md#rdma"
#define R(member) FIELD_OFF(struct cg_rdma, member)
static const struct field rdma_fields[] = {
	{ .key = "hcaHandles", .type = FT_U32, .off = R(handles), .present = R(has_handles),
	  .spec = SPEC_RDMA, .doc = "handles of a host channel adapter" },
	{ .key = "hcaObjects", .type = FT_U32, .off = R(objects), .present = R(has_objects),
	  .spec = SPEC_RDMA, .doc = "objects of a host channel adapter" },
};
static OBJECT(rdma_object, struct cg_rdma, rdma_fields);

#define SPEC_NET "config-linux.md#network"
static const struct field if_priority_fields[] = {
	{ .key = "name", .type = FT_STR, .flags = F_REQUIRED | F_NONEMPTY,
	  .off = FIELD_OFF(struct cg_if_priority, name), .spec = SPEC_NET, .doc = "network interface" },
	{ .key = "priority", .type = FT_U32, .flags = F_REQUIRED,
	  .off = FIELD_OFF(struct cg_if_priority, priority), .spec = SPEC_NET, .doc = "of packets sent there" },
};
static OBJECT(if_priority_object, struct cg_if_priority, if_priority_fields);

static const struct field network_fields[] = {
	{ .key = "classID", .type = FT_U32, .off = FIELD_OFF(struct cg_network, class_id),
	  .spec = SPEC_NET, .doc = "class of all packets, for traffic control; 0 unset" },
	{ .key = "priorities", .type = FT_OBJV, .off = FIELD_OFF(struct cg_network, priorities),
	  .sub = &if_priority_object, .spec = SPEC_NET, .doc = "priorities by interface" },
};
static OBJECT(network_object, struct cg_network, network_fields);

#define L(member) FIELD_OFF(struct cg_limits, member)
static const struct field limits_fields[] = {
	{ .key = "devices", .type = FT_OBJV, .off = L(devices), .present = L(has_devices),
	  .sub = &device_object, .spec = SPEC_DEV, .doc = "device rules; the last match wins" },
	{ .key = "memory", .type = FT_OBJP, .off = L(memory), .sub = &memory_object,
	  .spec = SPEC_MEM },
	{ .key = "cpu", .type = FT_OBJP, .off = L(cpu), .sub = &cpu_object, .spec = SPEC_CPU },
	{ .key = "pids", .type = FT_OBJP, .off = L(pids), .sub = &pids_object,
	  .spec = "config-linux.md#pids" },
	{ .key = "blockIO", .type = FT_OBJP, .off = L(block_io), .sub = &blkio_object,
	  .spec = SPEC_IO },
	{ .key = "hugepageLimits", .type = FT_OBJV, .off = L(hugepage_limits),
	  .sub = &hugetlb_object, .spec = "config-linux.md#huge-page-limits" },
	{ .key = "unified", .type = FT_MAP, .off = L(unified), .spec = "config-linux.md#unified",
	  .doc = "control files of cgroup v2 and their values, written last" },
	{ .key = "rdma", .type = FT_OBJMAP, .off = L(rdma), .sub = &rdma_object, .spec = SPEC_RDMA,
	  .doc = "limits by RDMA device" },
	{ .key = "network", .type = FT_OBJP, .off = L(network), .sub = &network_object, .spec = SPEC_NET,
	  .doc = "class and priorities of network packets (cgroup v1)" },
};

OBJECT(cg_limits_object, struct cg_limits, limits_fields);

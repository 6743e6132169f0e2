#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Controllers that few hosts have: rdma with a software device, and net_cls and net_prio
# of cgroup v1. TAP; what the guest does not have is skipped.
# shellcheck disable=SC1091
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/guest-lib.sh"
suite guest-resources

device() {
	command -v rdma >/dev/null || skip "no rdma(8)"
	[ -e /sys/class/infiniband/rxe0 ] || { modprobe rdma_rxe && rdma link add rxe0 type rxe netdev lo; } || skip "no software RDMA device"
}

rdma_limits() {
	device
	live rd '.linux.resources.rdma = {rxe0: {hcaHandles: 3, hcaObjects: 1000}}'
	is "$(knob rdma.max rdma rdma.max | tr -d '\n' | sed 's/ *$//')" 'rxe0 hca_handle=3 hca_object=1000'
	echo '{"rdma": {"rxe0": {"hcaObjects": 7}}}' >"$T/u.json"
	rt update --resources "$T/u.json" "$ID"
	is "$(knob rdma.max rdma rdma.max | tr -d '\n' | sed 's/ *$//')" 'rxe0 hca_handle=3 hca_object=7'
	gone
	bundle rd2 '.linux.resources.rdma = {nosuch0: {hcaHandles: 3}}' true
	refused 1 'resources.rdma.*nosuch0' run_it
	no_cgroup
}

network() {
	[ -z "$V2" ] || skip "cgroup v1 only"
	live ne '.linux.resources.network = {classID: 1048577, priorities: [{name: "lo", priority: 5}]}'
	is "$(cat "$(cgdir net_cls)/net_cls.classid")" 1048577
	has "$(cat "$(cgdir net_prio)/net_prio.ifpriomap")" '^lo 5$'
	echo '{"network": {"classID": 2, "priorities": [{"name": "lo", "priority": 6}]}}' >"$T/u.json"
	rt update --resources "$T/u.json" "$ID"
	is "$(cat "$(cgdir net_cls)/net_cls.classid")" 2
	has "$(cat "$(cgdir net_prio)/net_prio.ifpriomap")" '^lo 6$'
	gone
	bundle ne2 '.linux.resources.network = {priorities: [{name: "nosuch0", priority: 5}]}' true
	refused 1 'network.priorities.*nosuch0' run_it
	no_cgroup
}

network_v2() {
	only_v2
	bundle n2 '.linux.resources.network = {classID: 5}' true
	status 0 run_it
	has "$(cat "$T/e")" 'resources.network is ignored'
}

t "rdma: limits of a device, one that is not there" rdma_limits
t "net_cls and net_prio" network
t "network on cgroup v2 is warned of" network_v2
finish

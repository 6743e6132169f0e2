#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in the lab's guest (cgroup v2 only): an ordinary user who was given a
# cgroup, and one who was not.
# shellcheck disable=SC2016
# shellcheck source=tests/harness/lib.sh
. "${0%/*}/../harness/lib.sh"
# shellcheck source=tests/harness/user.sh
. "${0%/*}/../harness/user.sh"
# shellcheck source=tests/lab/guest-lib.sh
. "${0%/*}/guest-lib.sh"
suite lab-rootless
if [ -z "$V2" ]; then
	echo "1..0 # SKIP cgroup v2 only"
	exit 0
fi
user_make
chown -R $U:$U "$T/rootfs"
ROOT=$X/run/cleat

# As an administrator delegates: the folder and what the kernel lists belong to the user, whose shell is in a leaf.
CG=/sys/fs/cgroup/given
mkdir -p $CG
for c in $(cat /sys/fs/cgroup/cgroup.controllers); do
	echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control
done
mkdir -p $CG/shell
chown $U $CG $CG/cgroup.procs $CG/cgroup.subtree_control $CG/cgroup.threads $CG/shell $CG/shell/cgroup.procs
expect


rt() {
	(
		[ -z "${GIVEN-}" ] || sh -c 'echo $PPID' >$CG/shell/cgroup.procs
		as timeout --foreground 60 "$RT" "$@"
	)
}

rootless() {
	n=$1 more=$2
	shift 2
	bundle "$n" 'del(.linux.cgroupsPath, .linux.resources) | .linux.namespaces += [{type: "user"}, {type: "cgroup"}]
		| .linux.uidMappings = [{containerID: 0, hostID: '$U', size: 1}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .options then .options -= ["gid=5"] else . end)'"${more:+ | $more}" "$@"
	chown -R $U:$U "$B"
}

given() {
	GIVEN=1
	rootless given '.linux.cgroupsPath = "/given/\($TAG)" | .linux.resources = {memory: {limit: 33554432}, pids: {limit: 20},
		devices: [{allow: false, access: "rwm"}]}' sleep 1000
	detached
	is "$(cat "$CG/$TAG/memory.max" "$CG/$TAG/pids.max" | tr '\n' ' ')" "33554432 20 "
	has "$(cat "$CG/$TAG/cgroup.procs")" "^$(pid_of "$ID")\$"
	status 0 rt exec "$ID" sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max'
	is "$(cat "$T/o")" "0::/
33554432"
	rt update --pids-limit 30 "$ID"
	is "$(cat "$CG/$TAG/pids.max")" 30
	rt pause "$ID"
	is "$(state_of "$ID")" paused
	rt resume "$ID"
	has "$(rt ps "$ID")" 'sleep 1000'
	rt kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	rt delete "$ID"
	[ ! -e "$CG/$TAG" ]
}
t "a cgroup that is the user's: limits, exec, update, pause, delete" given

oom() {
	GIVEN=1
	rootless goom '.linux.cgroupsPath = "/given/\($TAG)o" | .linux.resources = {memory: {limit: 33554432}}' \
		dd if=/dev/zero of=/dev/null bs=200M count=1
	status 137 run_it
	[ ! -e "$CG/${TAG}o" ]
}
t "its memory limit is felt" oom

beside() {
	GIVEN=1
	rootless beside '' sleep 1000
	detached
	is "$(jq -r .cgroup "$ROOT/$ID/state.json")" "/given/$ID"
	gone
	[ ! -e "$CG/$ID" ]
}
t "without a path: beside the caller's own" beside

manage() {
	GIVEN=1
	rootless manage '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)' \
		sh -c 'mkdir /sys/fs/cgroup/a /sys/fs/cgroup/b && echo $$ >/sys/fs/cgroup/a/cgroup.procs && echo +pids >/sys/fs/cgroup/cgroup.subtree_control &&
			echo 5 >/sys/fs/cgroup/b/pids.max && cat /sys/fs/cgroup/b/pids.max /proc/self/cgroup'
	status 0 run_it
	is "$(tr '\n' ' ' <"$T/o")" "5 0::/a "
}
t "root of the container manages cgroups of its own" manage

elsewhere() {
	GIVEN=1
	rootless else1 '.linux.cgroupsPath = "/notgiven"' true
	refused 1 '/linux/cgroupsPath: needs a cgroup, and we may not make /sys/fs/cgroup/notgiven.*Delegate=yes' run_it
	rootless else2 '.linux.cgroupsPath = "/given/x" | .linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 0}], unified: {"no.such": "1"}}' true
	status 1 run_it
	has "$(cat "$T/e")" 'no.such|hugetlb'
	[ ! -e "$CG/x" ]
	GIVEN=
	rootless else3 '.linux.resources = {memory: {limit: 1000000}}' true
	refused 1 '/linux/resources/memory/limit: needs a cgroup' run_it
	rootless else4 '' sh -c 'ls /sys/fs/cgroup | head -n 1; mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro'
	status 0 run_it
	has "$(cat "$T/o")" '^ro$'
	rootless else5 '.linux.cgroupsPath = "/given/y"' true
	refused 1 'denied' run_it
	[ ! -e "$CG/y" ]
}
t "a cgroup that is not the user's: none, or refused by name" elsewhere

finish

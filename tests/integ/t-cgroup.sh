#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Cgroups where they are less simple: containers in containers, with a cgroup namespace
# and without, threaded parents, groups that die together. For v1 hosts and v2 hosts: the
# lab runs it too.
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/shim.sh"
suite cgroup
events_listen
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then V2=1; else V2=; fi
MAIN=/sys/fs/cgroup
[ -n "$V2" ] || MAIN=$MAIN/pids

only_v2() {
	[ -n "$V2" ] || skip "cgroup v2 only"
}

# outer NAME FILTER [ARG...] - a container in which a container can be made: the host's own
# programs, its privileges, a writable tree of cgroups
outer() {
	n=$1 f=$2
	shift 2
	mkdir -p "$T/outer/proc" "$T/outer/sys" "$T/outer/dev" "$T/outer/run" "$T/outer/tmp"
	bundle "$n" '.root = {path: "\($T)/outer"}
		| (.mounts[] | select(.type == "cgroup")).options -= ["ro"]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmp", options: ["mode=1777"]},
			{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]},
			{destination: "/etc", type: "bind", source: "/etc", options: ["bind", "ro"]},
			{destination: $ENV.O, type: "bind", source: $ENV.O, options: ["bind", "ro"]},
			{destination: "/run", type: "tmpfs", source: "run", options: []},
			{destination: $T, type: "bind", source: $T, options: ["bind"]}]
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_MKNOD",
			"CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_PTRACE", "CAP_CHOWN",
			"CAP_FOWNER", "CAP_FSETID", "CAP_SETPCAP", "CAP_SYS_CHROOT", "CAP_BPF", "CAP_PERFMON"])
		| .linux.resources.devices = [{allow: true, access: "rwm"}]
		| .process.noNewPrivileges = false | .linux.maskedPaths = [] | .linux.readonlyPaths = []'"${f:+ | $f}" "$@"
	for d in bin sbin lib lib32 lib64 libx32; do
		if [ -L "/$d" ]; then ln -sfn "$(readlink "/$d")" "$T/outer/$d"; fi
	done
	OUTER=$ID
}

CGNS='.linux.namespaces += [{type: "cgroup"}]'
# in a namespace of its own the root of the tree is the container's cgroup, with a type
KIDS='if [ -e /sys/fs/cgroup/cgroup.type ]; then mkdir /sys/fs/cgroup/kids; for p in $(cat /sys/fs/cgroup/cgroup.procs); do
	echo $p >/sys/fs/cgroup/kids/cgroup.procs; done; fi 2>/dev/null'

# inner FILTER ARG... - a bundle for the container inside, $T/b/inner
inner() {
	keep=$B f=$1
	shift
	bundle inner '.linux.cgroupsPath = "" '"${f:+| $f}" "$@"
	INNER=$B B=$keep ID=$OUTER
}

# nested FILTER - a container in a container: its cgroup lies below the outer one's, and goes
nested() {
	limit='.linux.resources.pids = {limit: 20}'
	# beside the outer one's cgroup on v2, below it on v1
	[ -z "$V2" ] || [ -n "$1" ] || limit=''
	inner "$limit" \
		sh -c 'touch /tmp/alive; sleep 1000'
	outer nest "$1" sh -c "$KIDS; $RUNTIME --root /run/cleat run --bundle $INNER in </dev/null"
	rm -f "$T/rootfs/tmp/alive"
	detached
	until_true 5 test -e "$T/rootfs/tmp/alive"
	rm "$T/rootfs/tmp/alive"
	where=$(find "$MAIN" -type d -name in)
	[ -n "$where" ] || fail "no cgroup of the inner container: $(find "$MAIN" -path "*$TAG*" -type d)"
	[ -z "$limit" ] || case $where in
	*"/$OUTER"/*) ;;
	*) fail "the inner container is in $where, not below $OUTER" ;;
	esac
	case $where in *"$OUTER"/*"$OUTER"/*) fail "twice below the outer one: $where" ;; esac
	[ -z "$limit" ] || is "$(cat "$where/pids.max")" 20
	is "$(tr '\0' ' ' <"/proc/$(tail -n 1 "$where/cgroup.procs")/cmdline")" "sleep 1000 "
	rt exec "$OUTER" "$RUNTIME" --root /run/cleat pause in
	rt exec "$OUTER" "$RUNTIME" --root /run/cleat resume in
	is "$(rt exec "$OUTER" "$RUNTIME" --root /run/cleat exec in echo yes)" yes
	rt exec "$OUTER" "$RUNTIME" --root /run/cleat delete --force in
	[ ! -e "$where" ] || fail "$where is left"
	gone "$OUTER"
}

# On v2 a cgroup with processes hands on no controllers: said with the process's number.
nested_busy() {
	only_v2
	inner '.linux.resources.pids = {limit: 20}' true
	outer busy "$CGNS" sh -c "$RUNTIME --root /run/cleat run --bundle $INNER in </dev/null"
	status 1 run_it
	has "$(cat "$T/e")" 'resources.pids.* needs the cgroup controller pids, which a cgroup with processes in it .pid 1. cannot hand on'
	inner '' echo fine
	status 0 run_it
	is "$(cat "$T/o")" fine
}

threaded() {
	only_v2
	mkdir "/sys/fs/cgroup/$TAG-thr" "/sys/fs/cgroup/$TAG-thr/t"
	echo threaded >"/sys/fs/cgroup/$TAG-thr/t/cgroup.type"
	bundle thr '.linux.cgroupsPath = "/\($TAG)-thr/t/c"' true
	refused 1 'domain invalid.*a cgroup above it is threaded|is threaded' run_it
	# beside a threaded one, in what is "domain threaded" by it
	bundle thr '.linux.cgroupsPath = "/\($TAG)-thr/c"' true
	refused 1 'threaded' run_it
	[ ! -e "/sys/fs/cgroup/$TAG-thr/c" ]
	rmdir "/sys/fs/cgroup/$TAG-thr/t" "/sys/fs/cgroup/$TAG-thr"
}

oom_group() {
	only_v2
	bundle grp '.linux.resources = {memory: {limit: 33554432}, unified: {"memory.oom.group": "1"}}' sleep 1000
	detached
	is "$(cat "/sys/fs/cgroup/$ID/memory.oom.group")" 1
	rt exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1 >/dev/null 2>&1 || true
	until_true 10 is_state "$ID" stopped
	gone
}

pressure() {
	only_v2
	[ -e /proc/pressure/cpu ] || skip "this kernel counts no pressure"
	bundle psi '' sleep 1000
	detached
	has "$(rt events --stats "$ID" | jq -c .)" '"psi":\{.*"avg10"'
	gone
}

# on_v2 - a host with v1 controllers has a v2 tree too, where device programs work all the same
on_v2() {
	if [ -n "$V2" ]; then return; fi
	[ "$(stat -f -c %T /sys/fs/cgroup/unified 2>/dev/null)" = cgroup2fs ] || skip "this host has no v2 tree"
	mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup
	trap 'rt delete --force "$ID"; umount -l /sys/fs/cgroup' EXIT
}

# programs - loaded here, attached to the container's cgroup
programs() {
	"$TOOLS/device-programs" "/sys/fs/cgroup/$ID"
}

RESOURCES='{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 7, "minor": %d, "access": "r"}],
	"unified": {"cgroup.max.depth": "%d"}}'

update_devices() {
	on_v2
	bundle upd '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 9, access: "rw"}]' \
		sleep 1000
	detached
	before=$(programs)
	has "$before" ' 1$'
	# shellcheck disable=SC2059
	printf "$RESOURCES" 1 1001 >"$T/u.json"
	status 0 rt update --resources "$T/u.json" "$ID"
	has "$(cat "$T/e")" 'resources.devices is ignored'
	is "$(wc -l <"$T/e")" 1
	for i in $(seq 1000); do
		# shellcheck disable=SC2059
		printf "$RESOURCES" $((i % 250)) $((i + 1000)) >"$T/u.json"
		"$RUNTIME" --root "$ROOT" update --resources "$T/u.json" "$ID" 2>/dev/null
	done
	is "$(cat "/sys/fs/cgroup/$ID/cgroup.max.depth")" 2000
	is "$(programs)" "$before"
	gone
}

# By the shim nobody is warned: containerd sends the container's own devices back each time.
update_shim() {
	on_v2
	running updsh '' sleep 1000
	before=$(programs)
	has "$before" ' 1$'
	# shellcheck disable=SC2059
	printf "$RESOURCES" 1 1999 >"$T/u1.json"
	# shellcheck disable=SC2059
	printf "$RESOURCES" 2 2000 >"$T/u0.json"
	for i in $(seq 100); do
		echo "update id=$ID resources=@$T/u$((i % 2)).json"
	done >"$T/calls"
	for i in $(seq 10); do
		tc batch <"$T/calls" >"$T/o"
	done
	is "$(cat "/sys/fs/cgroup/$ID/cgroup.max.depth")" 2000
	is "$(programs)" "$before"
	down
}

disabled() {
	bundle off '' sleep 1000
	status 0 rt --cgroup-manager disabled create -b "$B" "$ID"
	has "$(cat "$T/e")" 'devices are not filtered: cgroups are disabled'
	rt start "$ID"
	is "$(cat "/proc/$(pid_of "$ID")/cgroup")" "$(cat /proc/self/cgroup)"
	is "$(find /sys/fs/cgroup -type d -path "*$ID*")" ""
	status 3 rt exec "$ID" sh -c 'cat /proc/self/cgroup; exit 3'
	is "$(cat "$T/o")" "$(cat /proc/self/cgroup)"
	refused 1 . rt pause "$ID"
	refused 1 . rt update --pids-limit 5 "$ID"
	rt kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	rt delete "$ID"
	for limit in memory.limit:'{memory: {limit: 10000000}}' pids.limit:'{pids: {limit: 5}}' cpu.shares:'{cpu: {shares: 100}}'; do
		bundle off ".linux.resources = ${limit#*:}" true
		where=$(echo "${limit%%:*}" | tr . /)
		refused 1 "/linux/resources/$where.* needs a cgroup, and cgroups are disabled" \
			rt --cgroup-manager disabled run -b "$B" "$ID"
	done
	[ ! -e "$ROOT/$ID" ]
}

t "--cgroup-manager disabled: none is made, none is joined, limits are refused" disabled
t "a container in a container without a cgroup namespace" nested ''
t "a container in a container with a cgroup namespace" nested "$CGNS"
t "limits in a container whose own processes are in the way" nested_busy
t "threaded cgroups are refused by name" threaded
t "memory.oom.group: one kill ends all" oom_group
t "pressure is among the statistics" pressure
t "1,000 updates that name devices: one device program, the first" update_devices
t "the same by the shim" update_shim
finish

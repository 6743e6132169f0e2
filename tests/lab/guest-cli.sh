#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in the lab's guest: the command line on the cgroup layout it was booted with.
# RUNTIME=runc proves the suite itself. UNIT: where the unit tests are.
# shellcheck source=tests/harness/lib.sh
. "${0%/*}/../harness/lib.sh"
# shellcheck source=tests/lab/guest-lib.sh
. "${0%/*}/guest-lib.sh"
suite lab-cli

unit() {
	"$1"
}

# A fresh guest: no controller is enabled anywhere below the root yet, so this goes first.
first() {
	needs memory
	bundle first '.linux.resources.memory = {limit: 67108864} | .linux.cgroupsPath = "/\($TAG)-first/a/b"' \
		sh -c 'echo out; echo err >&2; exit 7'
	status 7 run_it
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
	if [ -n "$V2" ]; then has "$(cat "/sys/fs/cgroup/$TAG-first/a/cgroup.subtree_control")" memory; fi
	find /sys/fs/cgroup -depth -type d -path "*$TAG-first*" -exec rmdir {} \;
}

life() {
	needs pids
	bundle life '.linux.resources.pids = {limit: 20}' sleep 1000
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	is "$(state_of "$ID")" created
	has "$(cat "$(cgdir pids)/cgroup.procs")" "^$(pid_of "$ID")\$"
	rt start "$ID"
	is "$(state_of "$ID")" running
	status 3 rt exec "$ID" sh -c 'cat /proc/self/cgroup; exit 3'
	if [ -n "$V2" ]; then
		is "$(cat "$T/o")" "0::/$ID"
	else
		has "$(cat "$T/o")" "pids:/$ID\$"
	fi
	rt kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	rt delete "$ID"
	no_cgroup
}

oom_status() {
	needs memory
	bundle oom '.linux.resources.memory = {limit: 33554432}' \
		dd if=/dev/zero of=/dev/null bs=200M count=1
	status 137 run_it
	no_cgroup
}

oom_event() {
	needs memory
	live oomev '.linux.resources.memory = {limit: 33554432}' \
		dd if=/dev/zero of=/dev/null bs=200M count=1
	until_true 10 is_state "$ID" stopped
	if [ -n "$V2" ]; then
		has "$(knob memory.events)" '^oom_kill 1$'
	else
		has "$(knob - memory memory.oom_control)" '^oom_kill 1$'
	fi
	rt delete "$ID"
	no_cgroup
}

# The exec dies of it, the container does not.
oom_exec() {
	needs memory
	live oomex '.linux.resources.memory = {limit: 33554432}'
	status 137 rt exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1
	is_state "$ID" running
	gone
}

limits_cpu() {
	needs cpu cpuset
	live cpu '.linux.resources.cpu = {quota: 25000, period: 50000, shares: 1024, cpus: "0", mems: "0"}' \
		sh -c 'while :; do :; done'
	if [ -n "$V2" ]; then
		is "$(knob cpu.max)" "25000 50000"
		if [ -n "$CLEAT" ]; then w=100; else w=39; fi
		is "$(knob cpu.weight)" "$w"
	else
		is "$(knob - cpu cpu.cfs_quota_us)" 25000
		is "$(knob - cpu cpu.cfs_period_us)" 50000
		is "$(knob - cpu cpu.shares)" 1024
	fi
	is "$(knob cpuset.cpus cpuset cpuset.cpus)" 0
	is "$(knob cpuset.mems cpuset cpuset.mems)" 0
	throttled() {
		knob cpu.stat cpu cpu.stat | grep -Eq '^nr_throttled [1-9]'
	}
	until_true 10 throttled
	gone
	no_cgroup
}

limits_burst() {
	live noburst '.linux.resources.cpu = {quota: 25000, period: 50000}'
	[ -n "$V2" ] && f=$(cgdir)/cpu.max.burst || f=$(cgdir cpu)/cpu.cfs_burst_us
	[ -e "$f" ] && burst=1 || burst=''
	gone
	if [ -z "$burst" ]; then
		bundle burst '.linux.resources.cpu = {quota: 25000, period: 50000, burst: 20000}' true
		refused 1 'resources.cpu.burst' run_it
		no_cgroup
		skip "no cpu burst in this kernel (5.14)"
	fi
	live burst '.linux.resources.cpu = {quota: 25000, period: 50000, burst: 20000}'
	is "$(knob cpu.max.burst cpu cpu.cfs_burst_us)" 20000
	gone
	live idle '.linux.resources.cpu = {idle: 1}'
	is "$(knob cpu.idle cpu cpu.idle)" 1
	gone
}

# A limit below what is in use is refused before it kills, where that is asked for.
checked_update() {
	only_v2
	needs memory
	[ -n "$CLEAT" ] || skip "runc 1.1 has no such thing"
	live checked '.linux.resources.memory = {limit: 67108864} | .mounts += [{destination: "/m", type: "tmpfs", source: "t"}]' \
		sh -c 'head -c 20000000 /dev/zero >/m/f; touch /m/full; sleep 1000'
	until_true 20 rt exec "$ID" test -e /m/full
	echo '{"memory": {"limit": 8388608, "checkBeforeUpdate": true}}' >"$T/r.json"
	refused 1 'memory.limit.*8388608.*in use' rt update -r "$T/r.json" "$ID"
	is "$(knob memory.max)" 67108864
	is_state "$ID" running
	gone
}

limits_memory() {
	needs memory
	live mem '.linux.resources.memory = {limit: 67108864, reservation: 33554432, swap: 100663296}'
	is "$(knob memory.max memory memory.limit_in_bytes)" 67108864
	is "$(knob memory.low memory memory.soft_limit_in_bytes)" 33554432
	if [ -n "$V2" ]; then
		is "$(knob memory.swap.max)" 33554432
	elif [ -e "$(cgdir memory)/memory.memsw.limit_in_bytes" ]; then
		is "$(knob - memory memory.memsw.limit_in_bytes)" 100663296
	fi
	gone
}

limits_pids() {
	needs pids
	live pids '.linux.resources.pids = {limit: 8}'
	is "$(knob pids.max pids pids.max)" 8
	status 2 rt exec "$ID" sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; kill $(jobs -p)'
	has "$(cat "$T/e")" "Resource temporarily unavailable"
	has "$(knob pids.events pids pids.events)" '^max [1-9]'
	gone
}

limits_io() {
	only_v2
	needs blkio
	live io '.linux.resources.blockIO = {weight: 500}'
	is "$(knob io.weight)" "default 4950"
	gone
}

limits_io_max() {
	needs blkio
	modprobe -q virtio_blk || true
	disk=$(cat /sys/block/vda/dev 2>/dev/null) || skip "the guest has no disk"
	live iomax '.linux.resources.blockIO = {
		throttleReadBpsDevice: [{major: '"${disk%:*}, minor: ${disk#*:}"', rate: 1048576}],
		throttleWriteIOPSDevice: [{major: '"${disk%:*}, minor: ${disk#*:}"', rate: 50}]}'
	if [ -n "$V2" ]; then
		is "$(knob io.max)" "$disk rbps=1048576 wbps=max riops=max wiops=50"
	else
		is "$(knob - blkio blkio.throttle.read_bps_device)" "$disk 1048576"
		is "$(knob - blkio blkio.throttle.write_iops_device)" "$disk 50"
	fi
	gone
}

limits_huge() {
	needs hugetlb
	live huge '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 6291456}]'
	is "$(knob hugetlb.2MB.max hugetlb hugetlb.2MB.limit_in_bytes)" 6291456
	if [ -n "$V2" ] && [ -n "$CLEAT" ]; then is "$(knob hugetlb.2MB.rsvd.max)" 6291456; fi
	gone
}

limits_unified() {
	only_v2
	needs memory
	live unified '.linux.resources.unified = {"memory.high": "50331648", "cpu.weight": "77"}'
	is "$(knob memory.high)" 50331648
	is "$(knob cpu.weight)" 77
	gone
}

unified_refused() {
	only_v2
	bundle unibad '.linux.resources.unified = {"memory.nothing": "1"}'
	if run_it >"$T/o" 2>"$T/e"; then fail "taken"; fi
	has "$(cat "$T/e")" 'memory\.nothing'
	no_cgroup
}

# A cgroup that has processes of its own cannot give controllers to children.
busy_parent() {
	only_v2
	needs memory
	mkdir "/sys/fs/cgroup/$TAG-busy"
	sleep 1000 &
	sleeper=$!
	echo "$sleeper" >"/sys/fs/cgroup/$TAG-busy/cgroup.procs"
	bundle busy '.linux.resources.memory = {limit: 67108864} | .linux.cgroupsPath = "/\($TAG)-busy/c"'
	r=0
	run_it >"$T/o" 2>"$T/e" || r=$?
	left=$(find "/sys/fs/cgroup/$TAG-busy" -mindepth 1 -type d)
	kill "$sleeper"
	wait "$sleeper" || true
	rmdir "/sys/fs/cgroup/$TAG-busy"
	is "$r" 1
	is "$left" ""
	if [ -n "$CLEAT" ]; then has "$(cat "$T/e")" "$TAG-busy"; fi
}

# A relative path, or none, lies beside the caller's own cgroup, for a cgroup that holds
# processes cannot give controllers to children.
beside_own() {
	only_v2
	needs memory
	own=/sys/fs/cgroup/$TAG-own
	mkdir -p "$own/leaf"
	for path in "$TAG-rel" ""; do
		bundle "own$path" '.linux.cgroupsPath = "'"$path"'" | .linux.resources.memory = {limit: 67108864}' sleep 1000
		sh -c 'echo $$ >"$1/leaf/cgroup.procs"; shift; exec "$@"' sh "$own" \
			"$RUNTIME" --root "$ROOT" create --bundle "$B" "$ID" </dev/null >/dev/null 2>"$T/e" || fail "$(cat "$T/e")"
		is "$(cat "/proc/$(pid_of "$ID")/cgroup")" "0::/$TAG-own/${path:-$ID}"
		is "$(cat "$own/${path:-$ID}/memory.max")" 67108864
		gone
	done
	rmdir "$own/leaf" "$own"
}

# A cgroup that someone else lives in is not ours to confine.
taken_cgroup() {
	live taken ''
	bundle taken2 '.linux.cgroupsPath = "/\($TAG)-taken"'
	r=0
	run_it >"$T/o" 2>"$T/e" || r=$?
	is "$(state_of "$TAG-taken")" running
	gone "$TAG-taken"
	[ -z "$CLEAT" ] || is "$r" 1
}

cgroup_namespace() {
	needs memory
	live cgns '.linux.namespaces += [{type: "cgroup"}] | .linux.resources.memory = {limit: 67108864}'
	status 0 rt exec "$ID" cat /proc/self/cgroup
	if [ -n "$V2" ]; then
		is "$(cat "$T/o")" 0::/
		status 0 rt exec "$ID" cat /sys/fs/cgroup/memory.max
	else
		has "$(cat "$T/o")" 'memory:/$'
		status 0 rt exec "$ID" cat /sys/fs/cgroup/memory/memory.limit_in_bytes
	fi
	is "$(cat "$T/o")" 67108864
	status 1 rt exec "$ID" mkdir /sys/fs/cgroup/kid
	has "$(cat "$T/e")" 'Read-only file system'
	gone
}

# Without the namespace v2 shows the whole tree, v1 the container's own directories.
cgroup_bind() {
	needs memory
	live cgbind '.linux.resources.memory = {limit: 67108864}'
	if [ -n "$V2" ]; then
		status 0 rt exec "$ID" cat "/sys/fs/cgroup/$ID/memory.max"
	else
		status 0 rt exec "$ID" cat /sys/fs/cgroup/memory/memory.limit_in_bytes
	fi
	is "$(cat "$T/o")" 67108864
	gone
}

# What a container made below its own cgroup goes with it.
nested() {
	only_v2
	live nest '.linux.namespaces += [{type: "cgroup"}]
		| (.mounts[] | select(.type == "cgroup")).options -= ["ro"]' \
		sh -c 'mkdir -p /sys/fs/cgroup/kid/grandkid && echo 0 >/sys/fs/cgroup/kid/cgroup.procs; sleep 1000'
	until_true 5 test -d "$(cgdir)/kid/grandkid"
	has "$(rt exec "$ID" cat /proc/1/cgroup)" '^0::/kid$'
	gone
	no_cgroup
}

MKNOD='(.process.capabilities | .bounding, .effective, .permitted) += ["CAP_MKNOD"]'

device_denied() {
	live devno "$MKNOD"
	status 0 rt exec "$ID" mknod /tmp/vcs c 7 0
	status 1 rt exec "$ID" sh -c ': </tmp/vcs'
	has "$(cat "$T/e")" 'Operation not permitted'
	status 0 rt exec "$ID" sh -c 'rm /tmp/vcs; mknod /tmp/disk b 7 0'
	status 1 rt exec "$ID" sh -c ': </tmp/disk'
	has "$(cat "$T/e")" 'Operation not permitted'
	status 0 rt exec "$ID" sh -c 'rm /tmp/disk; echo x >/dev/null &&
		head -c 3 /dev/zero >/dev/null && head -c 3 /dev/urandom >/dev/null && head -c 3 /dev/random >/dev/null'
	status 1 rt exec "$ID" sh -c 'echo x >/dev/full'
	has "$(cat "$T/e")" 'No space left'
	gone
}

# Access is what the rule says and no more, and of two rules the last wins.
# vcs (7:0) opens for anyone that the cgroup lets through, without a capability.
device_rules() {
	[ -e /dev/vcs ] || skip "no virtual terminal"
	live devrule "$MKNOD"' | .linux.resources.devices += [
		{allow: true, type: "c", major: 7, minor: 0, access: "r"},
		{allow: true, type: "c", major: 7, minor: 1, access: "rw"},
		{allow: false, type: "c", major: 7, minor: 1, access: "rw"}]'
	status 0 rt exec "$ID" sh -c 'mknod /tmp/v c 7 0; : </tmp/v'
	status 1 rt exec "$ID" sh -c ': >/tmp/v'
	has "$(cat "$T/e")" 'Operation not permitted'
	status 1 rt exec "$ID" sh -c 'mknod /tmp/v1 c 7 1; : </tmp/v1'
	has "$(cat "$T/e")" 'Operation not permitted'
	status 0 rt exec "$ID" sh -c 'rm /tmp/v /tmp/v1'
	gone
}

# runc cannot take one device out of a range; cleat can, on v2.
device_hole() {
	only_v2
	[ -n "$CLEAT" ] || skip "not in runc"
	[ -e /dev/vcs ] || skip "no virtual terminal"
	live devhole "$MKNOD"' | .linux.resources.devices += [
		{allow: true, type: "c", major: 7, access: "rw"},
		{allow: false, type: "c", major: 7, minor: 1, access: "rw"}]'
	status 0 rt exec "$ID" sh -c 'mknod /tmp/v c 7 0; : </tmp/v'
	status 1 rt exec "$ID" sh -c 'mknod /tmp/v1 c 7 1; : </tmp/v1'
	has "$(cat "$T/e")" 'Operation not permitted'
	status 0 rt exec "$ID" sh -c 'rm /tmp/v /tmp/v1'
	gone
}

device_all() {
	[ -e /dev/vcs ] || skip "no virtual terminal"
	live devall "$MKNOD"' | .linux.resources.devices = [{allow: true, access: "rwm"}]'
	status 0 rt exec "$ID" sh -c 'mknod /tmp/v c 7 0; : </tmp/v; rm /tmp/v'
	gone
}

frozen() {
	if [ -n "$V2" ]; then
		grep -q "^frozen $1\$" "$(cgdir)/cgroup.events" && is "$(knob cgroup.freeze)" "$1"
	elif [ "$1" = 1 ]; then
		is "$(knob - freezer freezer.state)" FROZEN
	else
		is "$(knob - freezer freezer.state)" THAWED
	fi
}

pause() {
	live pause '' sh -c 'while :; do echo x; usleep 20000; done'
	until_true 5 test -s "$T/$ID.out"
	rt pause "$ID"
	is "$(state_of "$ID")" paused
	frozen 1
	n=$(wc -l <"$T/$ID.out")
	sleep 0.3
	is "$(wc -l <"$T/$ID.out")" "$n"
	rt resume "$ID"
	is "$(state_of "$ID")" running
	frozen 0
	more() { [ "$(wc -l <"$T/$ID.out")" -gt "$n" ]; }
	until_true 5 more
	gone
}

kill_paused() {
	live kpause ''
	rt pause "$ID"
	rt kill "$ID" KILL
	# v1's freezer holds even SIGKILL back, and runc leaves it so
	if [ -z "$V2" ] && [ -z "$CLEAT" ]; then rt resume "$ID"; fi
	until_true 5 is_state "$ID" stopped
	rt delete "$ID"
	no_cgroup
}

delete_paused() {
	live dpause ''
	rt pause "$ID"
	gone
	no_cgroup
}

kill_all() {
	live killall '.linux.namespaces |= map(select(.type != "pid"))' \
		sh -c 'for i in 1 2 3; do (trap "" TERM; setsid sleep 1000) & done; sleep 1000; sleep 1000'
	four() { [ "$(wc -l <"$(cgdir pids)/cgroup.procs")" -ge 5 ]; }
	until_true 5 four
	rt kill --all "$ID" KILL
	empty() { [ -z "$(cat "$(cgdir pids)/cgroup.procs")" ]; }
	until_true 5 empty
	until_true 5 is_state "$ID" stopped
	rt delete "$ID"
	no_cgroup
}

# Init is gone, its children in the same pid namespace as ours are not: delete takes them.
orphans() {
	live orphan '.linux.namespaces |= map(select(.type != "pid"))' \
		sh -c 'sleep 1000 & sleep 1000 & exit 0'
	until_true 5 is_state "$ID" stopped
	# runc leaves them and fails
	[ -n "$CLEAT" ] || rt kill --all "$ID" KILL
	rt delete "$ID"
	no_cgroup
}

USERNS='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'

exec_sub() {
	live exsub ''
	if [ -n "$V2" ]; then
		mkdir -p "$(cgdir)/in/er"
		status 0 rt exec --cgroup in/er "$ID" cat /proc/self/cgroup
		is "$(cat "$T/o")" "0::/$ID/in/er"
		refused 255 'unknown controller memory' rt exec --cgroup memory:in "$ID" true
	else
		mkdir -p "$(cgdir freezer)/in"
		status 0 rt exec --cgroup freezer:in "$ID" cat /proc/self/cgroup
		has "$(cat "$T/o")" "freezer:/$ID/in\$"
		has "$(cat "$T/o")" "pids:/$ID\$"
	fi
	refused 255 'not a sub cgroup path' rt exec --cgroup ../x "$ID" true
	gone
	no_cgroup
}

# What an init system does in its container: it moves down and enables controllers for its units.
exec_beside() {
	only_v2
	live beside '.linux.namespaces += [{type: "cgroup"}]'
	mkdir "$(cgdir)/init.scope"
	pid_of "$ID" >"$(cgdir)/init.scope/cgroup.procs"
	echo +pids >"$(cgdir)/cgroup.subtree_control"
	status 3 rt exec "$ID" sh -c 'cat /proc/self/cgroup; exit 3'
	is "$(cat "$T/o")" "0::/init.scope"
	if [ -n "$CLEAT" ]; then refused 255 . rt exec --cgroup / "$ID" true; fi
	gone
	no_cgroup
}

# One cgroup, two containers: runc's comes second, ours is frozen with it.
events_same() {
	needs memory pids cpu
	[ -n "$CLEAT" ] || skip "compares cleat with runc"
	live evsame '.linux.resources = {pids: {limit: 20}, cpu: {quota: 50000, period: 100000}, memory: {limit: 67108864}}'
	mkdir -p -m 0700 "$T/runc"
	runc --root "$T/runc" run -d --bundle "$B" "$ID" </dev/null >"$T/o" 2>&1
	sleep 0.3
	rt pause "$ID"
	rt events --stats "$ID" >"$T/ours"
	runc --root "$T/runc" events --stats "$ID" >"$T/theirs" 2>/dev/null
	rt resume "$ID"
	rt kill "$ID" KILL
	runc --root "$T/runc" kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	runc --root "$T/runc" delete --force "$ID"
	gone
	# v2 has a peak and pressure, which that runc does not print.
	norm='del(.data.cpu.psi, .data.memory.psi, .data.blkio.psi)
		| .data.memory |= (del(.usage.max, .swap.max, .kernel.max, .usage.usage, .swap.usage, .kernel.usage)
			| .raw |= map_values(0)) | .data.cpu |= (.usage |= map_values(type) | .throttling |= map_values(type))'
	jq -c "$norm" "$T/ours" >"$T/1"
	jq -c "$norm" "$T/theirs" >"$T/2"
	cmp "$T/1" "$T/2" || fail "ours: $(cat "$T/1") runc's: $(cat "$T/2")"
	jq -e '.data.pids.limit == 20 and .data.memory.usage.limit == 67108864' "$T/ours" >"$T/o"
	# periods go by between the two
	jq -es '.[0].data.cpu.throttling.periods as $n | .[1].data.cpu.throttling.periods | . >= $n and . < $n + 100' \
		"$T/ours" "$T/theirs" >"$T/o"
}

events_oom() {
	needs memory
	live evoom '.linux.resources.memory = {limit: 33554432}'
	rt events --interval 1h "$ID" >"$T/stream" &
	events=$!
	sleep 0.5
	status 137 rt exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1
	until_true 10 test -s "$T/stream"
	gone
	wait $events
	is "$(cat "$T/stream")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
}

userns() {
	needs memory
	needs_userns
	live userns "$USERNS"' | .linux.resources.memory = {limit: 67108864}'
	status 0 rt exec "$ID" sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map; echo >/dev/null'
	is "$(tr -s ' \n' ' ' <"$T/o")" "0 0 100000 65536 0 200000 65536 "
	is "$(stat -c %u "/proc/$(pid_of "$ID")")" 100000
	is "$(knob memory.max memory memory.limit_in_bytes)" 67108864
	gone
	no_cgroup
}

# With its own cgroup namespace and a writable mount the tree is the container's, the limits are not.
delegated() {
	only_v2
	[ -n "$CLEAT" ] || skip "not in runc's cgroupfs driver"
	needs memory
	needs_userns
	live deleg "$USERNS"' | .linux.namespaces += [{type: "cgroup"}]
		| (.mounts[] | select(.type == "cgroup")).options -= ["ro"]
		| .linux.resources.memory = {limit: 67108864}'
	is "$(stat -c %u "$(cgdir)" "$(cgdir)/cgroup.procs" "$(cgdir)/cgroup.subtree_control" | sort -u)" 100000
	is "$(stat -c %u "$(cgdir)/memory.max")" 0
	status 0 rt exec "$ID" mkdir /sys/fs/cgroup/kid
	status 1 rt exec "$ID" sh -c 'echo max >/sys/fs/cgroup/memory.max'
	gone
	no_cgroup
}

# A limit that the kernel cannot keep is an error, never left out.
lacking() {
	[ -n "$CLEAT" ] || skip "runc leaves such limits out"
	lacks=''
	for c in memory:'{memory: {limit: 67108864}}' pids:'{pids: {limit: 8}}' hugetlb:'{hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}' \
		cpuset:'{cpu: {cpus: "0"}}' cpu:'{cpu: {quota: 25000, period: 50000}}'; do
		! has_controller "${c%%:*}" || continue
		lacks="$lacks ${c%%:*}"
		bundle "lack-${c%%:*}" ".linux.resources += ${c#*:}"
		if run_it >"$T/o" 2>"$T/e"; then fail "a limit of ${c%%:*} is taken"; fi
		has "$(cat "$T/e")" "${c%%:*}"
		no_cgroup
	done
	[ -n "$lacks" ] || skip "no controller is missing"
}

# A user namespace by path: its root may not move processes between cgroups, the worker does.
userns_by_path() {
	needs pids
	needs_userns
	live usown "$USERNS"
	owner=$ID
	live usjoin '.linux.namespaces += [{type: "user", path: "/proc/'"$(pid_of "$owner")"'/ns/user"}]
		| .linux.resources.pids = {limit: 20}'
	is "$(readlink "/proc/$(pid_of "$ID")/ns/user")" "$(readlink "/proc/$(pid_of "$owner")/ns/user")"
	has "$(cat "$(cgdir pids)/cgroup.procs")" "^$(pid_of "$ID")\$"
	status 0 rt exec "$ID" true
	gone
	gone "$owner"
	no_cgroup
}

userns_forbidden() {
	[ "$(cat /proc/sys/user/max_user_namespaces)" -eq 0 ] || skip "user namespaces are allowed"
	bundle usernsno "$USERNS" true
	if run_it >"$T/o" 2>"$T/e"; then fail "taken"; fi
	[ -z "$CLEAT" ] || has "$(cat "$T/e")" max_user_namespaces
	no_cgroup
}

# A profile that the kernel does not have is refused by its name.
apparmor_absent() {
	grep -qx Y /sys/module/apparmor/parameters/enabled 2>/dev/null || skip "no AppArmor in this kernel"
	bundle aano '.process.apparmorProfile = "no-such-profile"' true
	if run_it >"$T/o" 2>"$T/e"; then fail "taken"; fi
	# runc's words have the errno alone
	[ -z "$CLEAT" ] || has "$(cat "$T/e")" no-such-profile
	no_cgroup
}

apparmor_enforced() {
	grep -qx Y /sys/module/apparmor/parameters/enabled 2>/dev/null || skip "no AppArmor in this kernel"
	command -v apparmor_parser >/dev/null || skip "apparmor_parser is not installed"
	printf 'profile lab-deny flags=(attach_disconnected) {\n  file,\n  signal,\n  capability,\n  deny /tmp/secret rw,\n}\n' \
		>"$T/profile"
	apparmor_parser -rKT "$T/profile"
	bundle aa '.process.apparmorProfile = "lab-deny"' \
		sh -c 'cat /proc/self/attr/current; touch /tmp/free && touch /tmp/secret'
	r=0
	run_it >"$T/o" 2>"$T/e" || r=$?
	rm -f "$T/rootfs/tmp/free"
	if grep -q 'not supported by this version' "$T/e"; then skip "AppArmor profiles are refused by name"; fi
	is "$r" 1
	is "$(cat "$T/o")" "lab-deny (enforce)"
	has "$(cat "$T/e")" 'Permission denied'
}

t "run below three levels that have no controller yet" first
if [ -n "${UNIT-}" ]; then
	for u in "$UNIT"/test_cgroup*; do
		[ -x "$u" ] && t "unit tests of ${u##*/}" unit "$u"
	done
fi
t "create, state, start, exec, kill, delete" life
t "memory limit: the allocating init is killed, status 137" oom_status
t "memory limit: the kernel counts one OOM kill" oom_event
t "memory limit: an exec is killed with 137, the container stays" oom_exec
t "cpu quota, shares and cpuset are in the files, and throttle" limits_cpu
t "cpu burst, cpu idle" limits_burst
t "a limit below the memory in use, checked before" checked_update
t "memory limit, reservation and swap are in the files" limits_memory
t "pids limit is in the file, and refuses a fork" limits_pids
t "io weight" limits_io
t "io throttles of a disk" limits_io_max
t "huge page limit" limits_huge
t "unified keys" limits_unified
t "an unknown unified key is refused by name" unified_refused
t "a parent cgroup with processes is an error that leaves nothing" busy_parent
t "a relative cgroupsPath, or none, lies beside the caller's cgroup" beside_own
t "a cgroup that another container lives in is refused" taken_cgroup
t "cgroup namespace: the container's cgroup is its root, read-only" cgroup_namespace
t "no cgroup namespace: what the mount shows" cgroup_bind
t "cgroups that the container made are removed with it" nested
t "devices: what no rule allows is EPERM, the usual nodes work" device_denied
t "devices: the last matching rule wins, access as given" device_rules
t "devices: one device taken out of a range" device_hole
t "devices: a rule for all" device_all
t "pause and resume" pause
t "a paused container can be killed" kill_paused
t "a paused container can be deleted by force" delete_paused
t "kill --all without a pid namespace empties the cgroup" kill_all
t "delete without a pid namespace kills what init left" orphans
t "exec --cgroup runs in a sub-cgroup" exec_sub
t "exec in a container whose cgroup is only for its children" exec_beside
t "events --stats prints what runc prints" events_same
t "events tells of kills, and ends with the container" events_oom
t "user namespace: ids, limits, devices" userns
t "user namespace: the cgroup is delegated, its limits are not" delegated
t "user namespace by path: the container is in its own cgroup" userns_by_path
t "a limit whose controller the kernel does not have is refused by its name" lacking
t "user namespace: an error names it where the kernel forbids it" userns_forbidden
t "AppArmor: a profile that is not loaded is refused" apparmor_absent
t "AppArmor: a profile is enforced" apparmor_enforced
finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# How a process runs (scheduler, I/O priority, CPUs, memory policy, execution
# domain, clocks, labels, notifying filters), for init and for exec.
# shellcheck disable=SC2016	# scripts for inside
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP runc 1.1 knows few of these fields"
	exit 0
fi
suite cli-fields

# inside FILTER SCRIPT: run SCRIPT in a container; its output in $T/o.
inside() {
	bundle in "$1" sh -c "$2"
	status 0 run_it
}

# process FILTER ARG...: a process document for exec in $T/p.json.
process() {
	f=$1
	shift
	jq "{args: \$ARGS.positional, cwd: \"/\", env: [\"PATH=/bin\"], user: {uid: 0, gid: 0}}${f:+ | $f}" -n --args -- "$@" >"$T/p.json"
}

# in_doc FILTER SCRIPT: exec by a document; output in $T/o.
in_doc() {
	process "$1" sh -c "$2"
	status 0 rt exec --process "$T/p.json" "$ID"
}

# ---- scheduling ----------------------------------------------------------------------

scheduler() {
	inside '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}' 'cut -d" " -f 19,41 /proc/self/stat'
	is "$(cat "$T/o")" "7 3"
	inside '.process.scheduler = {policy: "SCHED_IDLE"}' 'cut -d" " -f 41 /proc/self/stat'
	is "$(cat "$T/o")" 5
	inside '.process.scheduler = {policy: "SCHED_OTHER", nice: -3, flags: ["SCHED_FLAG_RESET_ON_FORK"]} | .process.user.uid = 5' \
		'cut -d" " -f 19 /proc/$$/stat; sh -c "cut -d\" \" -f 19 /proc/\$\$/stat"; true'
	is "$(tr '\n' ' ' <"$T/o")" "-3 0 "
}
t "scheduler: policy, nice, reset on fork" scheduler

realtime() {
	chrt -f 5 true 2>/dev/null || skip "no realtime here"
	rt=.
	[ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || rt='.linux.resources.cpu = {realtimePeriod: 1000000, realtimeRuntime: 10000}'
	inside "$rt"' | .process.scheduler = {policy: "SCHED_RR", priority: 11} | .process.user = {uid: 9, gid: 9}' 'cut -d" " -f 40,41 /proc/self/stat'
	is "$(cat "$T/o")" "11 2"
	# by the worker, who may, and not by the process, who may not
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:200000 "$T/uroot"
	inside "$rt"' | .root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .process.scheduler = {policy: "SCHED_FIFO", priority: 3}' 'cut -d" " -f 40,41 /proc/self/stat'
	is "$(cat "$T/o")" "3 1"
	rm -rf "$T/uroot"
}
t "scheduler: realtime, also in a user namespace" realtime

deadline() {
	chrt -d --sched-runtime 1000000 --sched-period 10000000 0 true 2>/dev/null || skip "no deadline scheduling here"
	inside '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 9000000, period: 10000000}' \
		'cut -d" " -f 41 /proc/$$/stat'
	is "$(cat "$T/o")" 6
}
t "scheduler: deadline" deadline

sched_exec() {
	bundle se '.process.scheduler = {policy: "SCHED_BATCH", nice: 4}' sleep 100
	detached
	status 0 rt exec "$ID" cut -d' ' -f 19,41 /proc/self/stat
	is "$(cat "$T/o")" "4 3"
	in_doc '' 'cut -d" " -f 19,41 /proc/self/stat'
	is "$(cat "$T/o")" "4 3"
	in_doc '.scheduler = {policy: "SCHED_IDLE"} | .ioPriority = {class: "IOPRIO_CLASS_IDLE"}' 'cut -d" " -f 19,41 /proc/self/stat; ionice -p $$'
	is "$(head -n 1 "$T/o" | cut -d' ' -f 2)" 5
	has "$(cat "$T/o")" idle
	process '.scheduler = {policy: "SCHED_OTHER", nice: 20}' true
	refused 255 '/process/scheduler/nice.*20' rt exec --process "$T/p.json" "$ID"
	gone
}
t "scheduler of exec: the container's, or the document's own" sched_exec

io_priority() {
	inside '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 2}' 'ionice -p $$'
	has "$(cat "$T/o")" 'best-effort: prio 2'
	inside '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 0} | .process.user.uid = 3' 'ionice -p $$'
	has "$(cat "$T/o")" 'realtime: prio 0'
	bundle io '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}' sleep 100
	detached
	status 0 rt exec "$ID" sh -c 'ionice -p $$'
	has "$(cat "$T/o")" 'best-effort: prio 6'
	gone
}
t "ioPriority" io_priority

cpus() { awk '/^Cpus_allowed_list/ { print $2 }' "$T/o"; }

affinity() {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	bundle af '.process.execCPUAffinity = {initial: "0", final: "1"}' sleep 100
	detached
	grep Cpus_allowed_list "/proc/$(pid_of "$ID")/status" >"$T/o"
	is "$(cpus)" "$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
	status 0 rt exec "$ID" cat /proc/self/status
	is "$(cpus)" 1
	in_doc '.execCPUAffinity = {final: "0"}' 'cat /proc/self/status'
	is "$(cpus)" 0
	in_doc '.execCPUAffinity = {initial: "1"}' 'cat /proc/self/status'
	is "$(cpus)" "$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
	process '.execCPUAffinity = {final: "8000"}' true
	refused 255 '/process/execCPUAffinity/final.*8000' rt exec --process "$T/p.json" "$ID"
	process '.execCPUAffinity = {initial: "8000"}' true
	refused 255 '/process/execCPUAffinity/initial.*8000' rt exec --process "$T/p.json" "$ID"
	gone
}
t "execCPUAffinity: for exec only" affinity

# A process run without a gate is no exec either.
affinity_run() {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	inside '.process.execCPUAffinity = {initial: "0", final: "1"}' 'cat /proc/self/status'
	is "$(cpus)" "$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
}
t "execCPUAffinity: not for run" affinity_run

affinity_reset() {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	bundle ar '' cat /proc/self/status
	status 0 taskset -c 1 "$RUNTIME" --root "$ROOT" run -b "$B" "$ID"
	is "$(cpus)" "$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
	bundle ar2 '.linux.resources.cpu = {cpus: "1"}' cat /proc/self/status
	status 0 taskset -c 0,1 "$RUNTIME" --root "$ROOT" run -b "$B" "$ID"
	is "$(cpus)" 1
}
t "the caller's own CPUs are not handed down, the cgroup's are" affinity_reset

# ---- domain, memory, clocks ------------------------------------------------------------

personality() {
	inside '.linux.personality = {domain: "LINUX32"}' 'uname -m; cat /proc/self/personality 2>/dev/null'
	hasnt "$(head -n 1 "$T/o")" 'x86_64'
	inside '.linux.personality = {domain: "LINUX"}' 'uname -m'
	is "$(cat "$T/o")" "$(uname -m)"
	inside '.linux.personality = {domain: "LINUX", flags: ["SOMETHING"]}' 'uname -m'
	has "$(cat "$T/e")" '/linux/personality/flags.*SOMETHING.*ignored'
	bundle pe '.linux.personality = {domain: "LINUX32"}' sleep 100
	detached
	status 0 rt exec "$ID" uname -m
	hasnt "$(cat "$T/o")" 'x86_64'
	in_doc '' 'uname -m'
	hasnt "$(cat "$T/o")" 'x86_64'
	gone
}
t "personality, for init and exec" personality

mempolicy() {
	[ -r /proc/self/numa_maps ] || skip "a kernel without memory nodes"
	inside '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}' 'cat /proc/self/numa_maps'
	has "$(cat "$T/o")" ' bind:0 '
	hasnt "$(cat "$T/o")" ' default '
	inside '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]} | .process.user.uid = 7' \
		'cat /proc/self/numa_maps'
	has "$(cat "$T/o")" ' interleave=static:0 '
	for m in '{mode: "MPOL_DEFAULT"}' '{mode: "MPOL_PREFERRED"}' '{mode: "MPOL_LOCAL"}'; do
		inside ".linux.memoryPolicy = $m" 'cat /proc/self/numa_maps'
		has "$(cat "$T/o")" ' (default|local) '
	done
	bundle mp '.linux.memoryPolicy = {mode: "MPOL_PREFERRED", nodes: "0"}' sleep 100
	detached
	status 0 rt exec "$ID" cat /proc/self/numa_maps
	has "$(cat "$T/o")" ' prefer(=|:)'
	in_doc '' 'cat /proc/self/numa_maps'
	has "$(cat "$T/o")" ' prefer(=|:)'
	gone
	create_refused '/linux/memoryPolicy.*1000.*none of the nodes' '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
}
t "memoryPolicy, for init and exec" mempolicy

# offset CLOCK: that of the container, by its own file
clocks() {
	[ -e /proc/self/ns/time ] || skip "a kernel without time namespaces"
	inside '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 7881, nanosecs: 2718281}, boottime: {secs: 1337, nanosecs: 31}}' \
		'cat /proc/self/timens_offsets; cut -d. -f 1 /proc/uptime; readlink /proc/self/ns/time; readlink /proc/self/ns/time_for_children'
	is "$(sed -n 's/  */ /g; 1,2p' "$T/o" | tr '\n' '|')" "monotonic 7881 2718281|boottime 1337 31|"
	d=$(($(sed -n 3p "$T/o") - $(cut -d. -f 1 /proc/uptime)))
	[ $d -ge 1330 ] && [ $d -le 1340 ] || fail "the uptime differs by $d"
	[ "$(sed -n 4p "$T/o")" != "$(readlink /proc/self/ns/time)" ]
	is "$(sed -n '4s/.*://p' "$T/o")" "$(sed -n '5s/.*://p' "$T/o")"
	inside '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: -1}}' 'cat /proc/self/timens_offsets'
	is "$(sed -n 's/  */ /g; 2p' "$T/o")" "boottime -1 0"
	inside '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {}' 'cat /proc/self/timens_offsets'
	is "$(sed -n 's/  */ /g; 1,2p' "$T/o" | tr '\n' '|')" "monotonic 0 0|boottime 0 0|"
}
t "timeOffsets" clocks

clocks_more() {
	[ -e /proc/self/ns/time ] || skip "a kernel without time namespaces"
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:200000 "$T/uroot"
	bundle cm '.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}, {type: "time"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .linux.timeOffsets = {monotonic: {secs: 5}, boottime: {secs: 86400}}' sleep 100
	detached
	[ "$(readlink "/proc/$(pid_of "$ID")/ns/time")" != "$(readlink /proc/self/ns/time)" ]
	status 0 rt exec "$ID" cat /proc/self/timens_offsets
	is "$(sed -n 's/  */ /g; 2p' "$T/o")" "boottime 86400 0"
	status 0 rt exec "$ID" cut -d. -f 1 /proc/uptime
	d=$(($(cat "$T/o") - $(cut -d. -f 1 /proc/uptime)))
	[ $d -ge 86390 ] && [ $d -le 86410 ] || fail "the uptime differs by $d"
	gone
	rm -rf "$T/uroot"
}
t "timeOffsets with a user namespace; exec has them too" clocks_more

# ---- notifying filters -------------------------------------------------------------------

# listening: start the receiver; its documents are lines of $T/docs.
listening() {
	rm -f "$T/docs" "$T/sock"
	"$TOOLS/listener" "$T/sock" "$T/docs" &
	L=$!
	until_true 5 test -S "$T/sock"
}

deaf() {
	kill "$L"
	wait "$L" 2>/dev/null || true
	rm -f "$T/sock"
}

NOTIFY='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($T + "/sock"), listenerMetadata: "a/b \"c\"",
	syscalls: [{names: ["mkdir", "mkdirat", "sethostname"], action: "SCMP_ACT_NOTIFY"}]}'

notify() {
	listening
	for nnp in true false; do
		inside "$NOTIFY"' | .process.noNewPrivileges = '$nnp' | .annotations = {"k": "v/w"}' \
			'mkdir /tmp/x 2>&1; hostname other; hostname; grep ^Seccomp: /proc/self/status; ls /proc/self/fd | wc -l'
		has "$(sed -n 1p "$T/o")" '[Nn]o medium found'
		is "$(sed -n 2p "$T/o")" cleat-test
		is "$(sed -n 3p "$T/o" | tr '\t' ' ')" "Seccomp: 2"
		is "$(sed -n 4p "$T/o")" 4
	done
	is "$(grep -c . "$T/docs")" 2
	is "$(sed -n 1p "$T/docs" | jq -c 'del(.pid, .state.pid)')" \
		"$(jq -cn --arg id "$ID" --arg b "$B" '{ociVersion: "1.0.2", fds: ["seccompFd"], metadata: "a/b \"c\"",
		state: {ociVersion: "1.0.2", id: $id, status: "creating", bundle: $b, annotations: {"k": "v/w"}}}')"
	is "$(sed -n 1p "$T/docs" | jq '.pid == .state.pid and .pid > 1')" true
	deaf
}
t "seccomp notify: create hands the listener over, with and without new privileges" notify

labels_exec() {
	bundle le '.process.apparmorProfile = "unconfined"' sleep 100
	detached
	refused 255 '(AppArmor is not enabled|not loaded)' rt exec --apparmor no-such "$ID" true
	refused 255 'process-label.*SELinux is not enabled' rt exec --process-label u:r:t "$ID" true
	status 0 rt exec --apparmor unconfined --process-label '' "$ID" true
	gone
}
t "exec: --apparmor and --process-label where there is neither" labels_exec

notify_exec() {
	listening
	bundle ne "$NOTIFY" sleep 100
	detached
	status 1 rt exec "$ID" mkdir /tmp/x
	has "$(cat "$T/e")" '[Nn]o medium found'
	in_doc '' 'mkdir /tmp/x 2>&1 || true'
	has "$(cat "$T/o")" '[Nn]o medium found'
	is "$(grep -c . "$T/docs")" 3
	is "$(sed -n 2p "$T/docs" | jq -r .state.status)" running
	is "$(sed -n 2p "$T/docs" | jq -r .state.pid)" "$(pid_of "$ID")"
	is "$(sed -n 2p "$T/docs" | jq '.pid == .state.pid')" false
	gone
	deaf
}
t "seccomp notify: exec has a listener of its own" notify_exec

notify_like_runc() {
	command -v runc >/dev/null || skip "no runc"
	listening
	bundle nr "$NOTIFY" sh -c 'mkdir /tmp/x 2>&1; true'
	mkdir -p "$T/runc"
	timeout 60 runc --root "$T/runc" run --bundle "$B" "$ID" >"$T/o.runc" 2>"$T/e" </dev/null || skip "runc: $(cat "$T/e")"
	status 0 run_it
	is "$(cat "$T/o")" "$(cat "$T/o.runc")"
	differ='del(.pid, .state.pid, .ociVersion, .state.ociVersion)'
	is "$(sed -n 2p "$T/docs" | jq -cS "$differ")" "$(sed -n 1p "$T/docs" | jq -cS "$differ")"
	deaf
}
t "seccomp notify: the same document as from runc" notify_like_runc

notify_odd() {
	# a long name, a socket that nobody reads, one that is gone
	mkdir -p "$T/$(printf '%0150d' 0)"
	( cd "$T/$(printf '%0150d' 0)" && exec "$TOOLS/listener" sock "$T/docs" ) &
	L=$!
	until_true 5 test -S "$T/$(printf '%0150d' 0)/sock"
	inside "$NOTIFY"' | .linux.seccomp.listenerPath = $T + "/" + ("0" * 150) + "/sock"' 'mkdir /tmp/x 2>&1 || true'
	has "$(cat "$T/o")" '[Nn]o medium found'
	deaf
	create_refused '/linux/seccomp/listenerPath.*sock.*([Nn]o such file|[Cc]onnection refused)' "$NOTIFY"
	listening
	bundle no "$NOTIFY" sleep 100
	detached
	deaf
	refused 255 '/linux/seccomp/listenerPath.*sock' rt exec "$ID" true
	gone
	# a path, and nothing to notify of
	inside '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/no/such", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}' true
}
t "seccomp notify: long names, nobody listens, nothing to notify of" notify_odd

notify_all_but() {
	# every call is held up but those that come before the listener is there
	listening
	inside '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($T + "/sock"), flags: [],
		syscalls: [{names: ["read", "close", "close_range", "openat", "openat2", "execve", "sendmsg", "recvmsg", "fcntl", "fstat", "sendto", "mmap"], action: "SCMP_ACT_NOTIFY"}]}' 'echo out'
	is "$(cat "$T/o")" out
	inside '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($T + "/sock"), flags: [],
		syscalls: [{names: ["read", "close", "close_range", "openat", "openat2", "execve", "sendmsg", "recvmsg", "setresuid", "capset", "prctl", "chdir"], action: "SCMP_ACT_NOTIFY"}]}' 'echo out'
	is "$(cat "$T/o")" out
	deaf
}
t "seccomp notify of our own calls" notify_all_but

killable() {
	listening
	inside "$NOTIFY"' | .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_LOG"]' 'mkdir /tmp/x 2>&1 || true'
	has "$(cat "$T/o")" '[Nn]o medium found'
	deaf
}
t "seccomp: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" killable

# ---- readiness ---------------------------------------------------------------------------

# manager: what stands above us; its messages are lines of $T/told.
manager() {
	rm -f "$T/told" "$T/nsock"
	"$TOOLS/notified" wait "${1:-$T/nsock}" "$T/told" &
	M=$!
	NOTIFY_SOCKET=${1:-$T/nsock}
	export NOTIFY_SOCKET
	cp "$TOOLS/notified" "$T/rootfs/bin/"
	sleep 0.2
}

unmanaged() {
	kill "$M"
	wait "$M" 2>/dev/null || true
	rm -f "$T/nsock"
	unset NOTIFY_SOCKET
}

ready_start() {
	manager
	bundle rs '' sh -c 'echo $NOTIFY_SOCKET; notified tell "STATUS=soon"; sleep 1; notified tell "$(printf "STATUS=now\nREADY=1\n")"; sleep 100'
	rt create -b "$B" "$ID" </dev/null >"$T/o" 2>"$T/e"
	[ ! -s "$T/told" ]
	rt start "$ID"
	is "$(sed -n 1p "$T/told")" "READY=1|MAINPID=$(pid_of "$ID")|"
	is "$(sed -n 2p "$T/told")" "BARRIER=1"
	is "$(grep -c . "$T/told")" 2
	is "$(cat "$T/o")" /run/notify/notify.sock
	status 1 rt exec "$ID" touch /run/notify/x
	gone
	unmanaged
}
t "NOTIFY_SOCKET: start waits for READY and tells the container's process" ready_start

ready_run() {
	manager "@$TAG-manager"
	bundle rr '.process.user = {uid: 9, gid: 9}' sh -c 'notified tell READY=1; sleep 100'
	status 0 rt run -d -b "$B" "$ID"
	is "$(sed -n 1p "$T/told")" "READY=1|MAINPID=$(pid_of "$ID")|"
	gone
	unmanaged
	manager
	bundle rf '' sh -c 'notified tell READY=1; exit 5'
	status 5 run_it
	has "$(cat "$T/told")" '^READY=1[|]MAINPID=[0-9]+[|]$'
	unmanaged
}
t "NOTIFY_SOCKET: run, detached (an abstract name, another user) and not" ready_run

ready_never() {
	manager
	bundle rn '' sh -c 'exit 3'
	rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	status 0 rt start "$ID"
	[ ! -s "$T/told" ]
	rt delete "$ID"
	bundle rx '' true
	NOTIFY_SOCKET=relative/path
	refused 1 'NOTIFY_SOCKET.*relative/path' rt run -b "$B" "$ID"
	unmanaged
	# made without, started with
	bundle rw '' sh -c 'echo ${NOTIFY_SOCKET-none}'
	rt create -b "$B" "$ID" </dev/null >"$T/o" 2>&1
	NOTIFY_SOCKET=$T/nsock status 0 rt start "$ID"
	until_true 5 grep -q none "$T/o"
	gone
}
t "NOTIFY_SOCKET: never ready, a bad name, made without one" ready_never

ready_userns() {
	manager
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:200000 "$T/uroot"
	bundle ru '.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings' \
		sh -c 'notified tell READY=1; sleep 100'
	status 0 rt run -d -b "$B" "$ID"
	is "$(sed -n 1p "$T/told")" "READY=1|MAINPID=$(pid_of "$ID")|"
	gone
	rm -rf "$T/uroot"
	unmanaged
}
t "NOTIFY_SOCKET with a user namespace" ready_userns

refused_rows "refused: " <<'END'
scheduler without a policy ~ /process/scheduler.*policy ~ .process.scheduler = {nice: 1}
scheduler of an unknown policy ~ /process/scheduler/policy.*SCHED_BOGUS ~ .process.scheduler = {policy: "SCHED_BOGUS"}
SCHED_ISO ~ /process/scheduler/policy.*SCHED_ISO ~ .process.scheduler = {policy: "SCHED_ISO"}
nice of 20 ~ /process/scheduler/nice.*20 ~ .process.scheduler = {policy: "SCHED_OTHER", nice: 20}
nice of -21 ~ /process/scheduler/nice.*-21 ~ .process.scheduler = {policy: "SCHED_BATCH", nice: -21}
priority without realtime ~ /process/scheduler/priority.*5.*SCHED_OTHER ~ .process.scheduler = {policy: "SCHED_OTHER", priority: 5}
priority of 100 ~ /process/scheduler/priority.*100 ~ .process.scheduler = {policy: "SCHED_FIFO", priority: 100}
realtime without a priority ~ /process/scheduler/priority.*0 ~ .process.scheduler = {policy: "SCHED_RR"}
runtime without SCHED_DEADLINE ~ /process/scheduler/runtime.*77 ~ .process.scheduler = {policy: "SCHED_FIFO", priority: 1, runtime: 77}
period without SCHED_DEADLINE ~ /process/scheduler/period.*78 ~ .process.scheduler = {policy: "SCHED_IDLE", period: 78}
unknown scheduler flag ~ /process/scheduler/flags.*BOGUS ~ .process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_BOGUS"]}
deadline with runtime above it ~ /process/scheduler.*runtime 9 ~ .process.scheduler = {policy: "SCHED_DEADLINE", runtime: 9000000, deadline: 5000000, period: 10000000}
unknown I/O class ~ /process/ioPriority/class.*BOGUS ~ .process.ioPriority = {class: "IOPRIO_CLASS_BOGUS", priority: 1}
I/O priority of 8 ~ /process/ioPriority/priority.*8 ~ .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}
I/O priority without a class ~ /process/ioPriority.*class ~ .process.ioPriority = {priority: 1}
CPUs that are no list ~ /process/execCPUAffinity/initial.*a-b ~ .process.execCPUAffinity = {initial: "a-b"}
CPUs upside down ~ /process/execCPUAffinity/final.*3-1 ~ .process.execCPUAffinity = {final: "3-1"}
a CPU that no kernel has ~ /process/execCPUAffinity/final.*99999 ~ .process.execCPUAffinity = {final: "99999"}
unknown personality ~ /linux/personality/domain.*SOLARIS ~ .linux.personality = {domain: "SOLARIS"}
personality without a domain ~ /linux/personality.*domain ~ .linux.personality = {flags: []}
unknown memory policy ~ /linux/memoryPolicy/mode.*MPOL_BOGUS ~ .linux.memoryPolicy = {mode: "MPOL_BOGUS"}
unknown memory policy flag ~ /linux/memoryPolicy/flags.*BOGUS ~ .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_BOGUS"]}
memory nodes with MPOL_LOCAL ~ /linux/memoryPolicy/nodes.*0.*MPOL_LOCAL ~ .linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: "0"}
memory nodes with MPOL_DEFAULT ~ /linux/memoryPolicy/nodes.*MPOL_DEFAULT ~ .linux.memoryPolicy = {mode: "MPOL_DEFAULT", nodes: "0"}
MPOL_BIND without nodes ~ /linux/memoryPolicy/nodes.*MPOL_BIND ~ .linux.memoryPolicy = {mode: "MPOL_BIND"}
memory nodes that are no list ~ /linux/memoryPolicy/nodes.*0,,1 ~ .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0,,1"}
static and relative nodes ~ /linux/memoryPolicy/flags ~ .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}
time offsets without the namespace ~ /linux/timeOffsets.*time namespace ~ .linux.timeOffsets = {boottime: {secs: 1}}
time offsets with a joined namespace ~ /linux/timeOffsets.*/proc/self/ns/time ~ .linux.timeOffsets = {boottime: {secs: 1}} | .linux.namespaces += [{type: "time", path: "/proc/self/ns/time"}]
time offset of another clock ~ /linux/timeOffsets/realtime ~ .linux.timeOffsets = {realtime: {secs: 1}} | .linux.namespaces += [{type: "time"}]
a thousand million nanoseconds ~ /linux/timeOffsets/monotonic/nanosecs.*1000000000 ~ .linux.timeOffsets = {monotonic: {nanosecs: 1000000000}} | .linux.namespaces += [{type: "time"}]
notify as the default action ~ /linux/seccomp/defaultAction.*SCMP_ACT_NOTIFY ~ .linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/s"}
notify without a socket ~ /linux/seccomp/listenerPath ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}
notify of write ~ /linux/seccomp/syscalls/0/names/1.*write ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/s", syscalls: [{names: ["mkdir", "write"], action: "SCMP_ACT_NOTIFY"}]}
metadata without a socket ~ /linux/seccomp/listenerMetadata.*words ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "words"}
WAIT_KILLABLE_RECV without notify ~ /linux/seccomp/flags.*WAIT_KILLABLE_RECV ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}
an AppArmor profile where there is no AppArmor ~ (AppArmor is not enabled|not loaded) ~ .process.apparmorProfile = "no-such-profile"
an SELinux label where there is no SELinux ~ /process/selinuxLabel.*u:r:t.*SELinux is not enabled ~ .process.selinuxLabel = "u:r:t"
a mount label where there is no SELinux ~ /linux/mountLabel.*u:r:t.*SELinux is not enabled ~ .linux.mountLabel = "u:r:t"
a mount label of an unknown kind ~ mount_context_type.*subcontext ~ .linux.mountLabel = "u:r:t" | .annotations = {"run.oci.mount_context_type": "subcontext"}
a clock before its beginning ~ /linux/timeOffsets/monotonic.*-99999999999 ~ .linux.timeOffsets = {monotonic: {secs: -99999999999}} | .linux.namespaces += [{type: "time"}]
END

# ---- annotations -------------------------------------------------------------------------

keep_groups() {
	command -v setpriv >/dev/null || skip "no setpriv"
	u='.linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup")) | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1000}]'
	for ns in . "$u"; do
		for keep in '.annotations = {"run.oci.keep_original_groups": "1"}' '.annotations = {"run.oci.keep_original_groups": "0"}'; do
			bundle kg "$keep | $ns | .process.user = {uid: 5, gid: 6}" sh -c 'grep ^Groups: /proc/self/status'
			setpriv --groups 77,88 "$RUNTIME" --root "$ROOT" run -b "$B" "$ID" </dev/null | xargs
		done
	done >"$T/o"
	is "$(tr '\n' ';' <"$T/o")" "Groups: 77 88;Groups:;Groups: 77 88;Groups:;"
}
t "annotations: the caller's groups are kept" keep_groups

# pidfd_by NAME COMMAND...: what comes to the socket while it runs, into $T/got.
pidfd_by() {
	rm -f "$T/fd.sock"
	timeout 20 "$TOOLS/takefd" "$T/fd.sock" >"$T/got" &
	x=$!
	until_true 5 test -S "$T/fd.sock"
	"$@" </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
	wait $x || fail "takefd: $?"
}

pidfds() {
	bundle pf '.annotations = {"run.oci.pidfd_receiver": ($T + "/fd.sock")}' sleep 100
	pidfd_by rt create -b "$B" "$ID"
	is "$(xargs <"$T/got")" "$ID $(pid_of "$ID")"
	gone
	bundle pf '' sleep 100
	pidfd_by rt create --pidfd-socket "$T/fd.sock" -b "$B" "$ID"
	is "$(xargs <"$T/got")" "standard $(pid_of "$ID")"
	rt start "$ID"
	pidfd_by rt exec -d --pid-file "$T/p" --pidfd-socket "$T/fd.sock" "$ID" sleep 100
	is "$(xargs <"$T/got")" "setns $(cat "$T/p")"
	gone
	pidfd_by rt run -d --pidfd-socket "$T/fd.sock" -b "$B" "$ID"
	is "$(xargs <"$T/got")" "standard $(pid_of "$ID")"
	gone
	refused 1 'pidfd socket.*no such file' rt run --pidfd-socket "$T/no.sock" -b "$B" "$ID"
}
t "a pidfd for who asks: --pidfd-socket of create, run and exec, an annotation" pidfds

receiver() {
	listening
	inside "$NOTIFY"' | .annotations = {"run.oci.seccomp.receiver": .linux.seccomp.listenerPath} | del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)' 'mkdir /tmp/x 2>&1; true'
	has "$(cat "$T/o")" '[Nn]o medium found'
	is "$(jq -r .fds[0] "$T/docs")" seccompFd
	deaf
}
t "annotations: a receiver of the seccomp listener" receiver

# ---- intelRdt ---------------------------------------------------------------------------

# A folder that looks like the resctrl file system, where that would be mounted; files of a group that is made there
# are not made by anybody, so the groups are there before.
fake_resctrl() {
	rm -rf "$T/up" "$T/resctrl"
	mkdir -p "$T/keep" "$T/resctrl"
	unshare -m sh -c 'mount --rbind /sys/fs/cgroup "$1/keep" && mount -t tmpfs none /sys/fs && mkdir /sys/fs/cgroup /sys/fs/resctrl &&
		mount --rbind "$1/keep" /sys/fs/cgroup && mount --bind "$1/resctrl" /sys/fs/resctrl && umount -l "$1/keep" && echo up >"$1/up" && exec sleep 1000' - "$T" &
	holder=$!
	until_true 5 test -s "$T/up"
	R=$T/resctrl
	mkdir -p "$R/info/L3" "$R/info/MB" "$R/mon_groups" "$R/gold/mon_groups"
	printf '    L3:0=fff\n    MB:0=100\n' | tee "$R/schemata" >"$R/gold/schemata"
	echo fff >"$R/info/L3/cbm_mask"
	echo 10 >"$R/info/MB/min_bandwidth"
	: >"$R/tasks"
	: >"$R/gold/tasks"
}

fake_gone() {
	kill "$holder"
	wait "$holder" || :
	rm -rf "$T/up" "$T/resctrl"
}

there() {
	timeout --foreground 60 nsenter -t "$holder" -m "$RUNTIME" --root "$ROOT" "$@"
}

rdt() {
	fake_resctrl
	bundle rdt '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=0fff", enableMonitoring: true}' sleep 100
	mkdir -p "$R/gold/mon_groups/$ID/mon_data/mon_L3_00"
	echo 4096 >"$R/gold/mon_groups/$ID/mon_data/mon_L3_00/llc_occupancy"
	: >"$R/gold/mon_groups/$ID/tasks"
	there create -b "$B" "$ID" </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
	p=$(pid_of "$ID")
	is "$(cat "$R/gold/tasks") $(cat "$R/gold/mon_groups/$ID/tasks") $(cat "$R/tasks")" "$p $p "
	there start "$ID"
	: >"$R/gold/tasks"
	: >"$R/gold/mon_groups/$ID/tasks"
	there exec -d --pid-file "$T/p" "$ID" sleep 100 </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
	is "$(cat "$R/gold/tasks") $(cat "$R/gold/mon_groups/$ID/tasks")" "$(cat "$T/p") $(cat "$T/p")"
	is "$(there events --stats "$ID" | jq -c .data.intel_rdt)" \
		'{"l3_cache_info":{"cbm_mask":"fff"},"l3_cache_schema_root":"L3:0=fff","l3_cache_schema":"L3:0=fff","mem_bw_info":{"min_bandwidth":10},"mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0=100","cmt_stats":[{"llc_occupancy":4096}]}'
	there update --mem-bw-schema MB:0=40 --pids-limit 77 "$ID"
	is "$(head -n 1 "$R/gold/schemata")" "MB:0=40"
	refused 1 'memBwSchema.*L3:0=1' there update --mem-bw-schema L3:0=1 "$ID"
	there delete --force "$ID"
	[ -d "$R/gold" ]
	fake_gone
}
t "intelRdt: a class that is there, for init and exec; events, update" rdt

rdt_refused() {
	bundle rdtno '.linux.intelRdt = {l3CacheSchema: "L3:0=f"}' true
	[ -e /sys/fs/resctrl/schemata ] || refused 1 '/linux/intelRdt: no resctrl file system is mounted \(mount -t resctrl' rt run -b "$B" "$ID"
	fake_resctrl
	# The class is made, and its files by nobody: what was made is gone again.
	refused 1 '/linux/intelRdt/schemata: write the schemata' there run -b "$B" "$ID"
	[ ! -e "$R/$ID" ]
	bundle rdtno '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=1"}' true
	refused 1 '/linux/intelRdt/closID: the class .*gold.* exists and its schemata are not .*L3:0=1' there run -b "$B" "$ID"
	bundle rdtno '.linux.intelRdt = {closID: "lead"}' true
	refused 1 '/linux/intelRdt/closID: the class .*lead.* does not exist' there run -b "$B" "$ID"
	bundle rdtno '' sleep 100
	detached
	refused 1 'made without linux.intelRdt' there update --l3-cache-schema L3:0=1 --pids-limit 5 "$ID"
	is "$(cat /sys/fs/cgroup/pids/"$TAG-rdtno"/pids.max 2>/dev/null || echo max)" max
	gone
	fake_gone
}
t "intelRdt: what cannot be is refused by name, nothing is left" rdt_refused

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in the lab's guest: a containerd of its own and the shim under `ctr`, on the
# cgroup layout the guest was booted with. SHIM=io.containerd.runc.v2 proves the suite.
# shellcheck source=tests/harness/lib.sh
. "${0%/*}/../harness/lib.sh"
# shellcheck source=tests/lab/guest-lib.sh
. "${0%/*}/guest-lib.sh"
SHIM=${SHIM:-io.containerd.cleat.v2}
suite lab-shim
for tool in containerd ctr; do
	command -v $tool >/dev/null && continue
	echo "1..0 # SKIP $tool is not installed"
	exit 0
done
# containerd looks for the shim in its PATH
if [ "$SHIM" = io.containerd.cleat.v2 ]; then PATH=$O:$PATH; fi

# without the tag: the namespace's own cgroup stays, the containers' do not
NS=lab
C=$T/containerd
mkdir -p "$C"
cat >"$C/config.toml" <<END
version = 2
root = "$C/root"
state = "$C/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.overlayfs"]
[grpc]
  address = "$C/sock"
[debug]
  level = "debug"
END
containerd --config "$C/config.toml" >"$C/log" 2>&1 </dev/null &
daemon $!

c() {
	timeout --foreground 60 ctr --address "$C/sock" --connect-timeout 30s --namespace "$NS" "$@"
}

up() {
	until_true 60 test -S "$C/sock"
	until_true 60 c version
}
up || { echo "Bail out! containerd: $(tail -n 3 "$C/log")"; exit 1; }
ctr --address "$C/sock" --namespace "$NS" events >"$T/events" 2>"$T/events.err" </dev/null &
daemon $!
sleep 1
expect

# crun_ ID [OPTION...] -- COMMAND... - in the foreground; streams in $T/o and $T/e
crun_() {
	ID=$TAG-$1
	shift
	options=''
	while [ "$1" != -- ]; do options="$options $1"; shift; done
	shift
	# shellcheck disable=SC2086	# options have no spaces
	c run --rm --runtime "$SHIM" $options --rootfs "$T/rootfs" "$ID" "$@" >"$T/o" 2>"$T/e" </dev/null
}

# live NAME [OPTION...] - a sleeping container
live() {
	ID=$TAG-$1
	shift
	c run -d --runtime "$SHIM" "$@" --rootfs "$T/rootfs" "$ID" /bin/sleep 1000 </dev/null
}

# away - kill and remove the container made last
away() {
	c task kill -s KILL "$ID" || true
	until_true 10 stopped_
	c task delete "$ID" >/dev/null 2>&1 || true
	c container delete "$ID"
}

stopped_() {
	c task ls | grep -Eq "^$ID +[0-9]+ +STOPPED"
}

# cg CONTROLLER - directory of the container's cgroup (containerd: /NAMESPACE/ID)
cg() {
	if [ -n "$V2" ]; then echo "/sys/fs/cgroup/$NS/$ID"; else echo "/sys/fs/cgroup/$1/$NS/$ID"; fi
}

# topics - the topics of ID's events so far, in order
topics() {
	grep -F "\"$ID\"" "$T/events" | grep -o ' /[a-z]*/[a-z-]* ' | tr -d ' '
}

had() {
	topics | grep -qx "$1"
}

streams() {
	r=0
	crun_ run -- /bin/sh -c 'echo out; echo err >&2; exit 7' || r=$?
	is "$r" 7
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
	until_true 10 had /tasks/delete
	is "$(topics | grep ^/tasks | tr '\n' ' ')" "/tasks/create /tasks/start /tasks/exit /tasks/delete "
	[ ! -e "$(cg pids)" ] || fail "its cgroup is left"
}

limits() {
	needs memory
	live lim --memory-limit 67108864 --cpu-quota 25000 --cpu-period 50000
	if [ -n "$V2" ]; then
		is "$(cat "$(cg -)/memory.max")" 67108864
		is "$(cat "$(cg -)/cpu.max")" "25000 50000"
	else
		is "$(cat "$(cg memory)/memory.limit_in_bytes")" 67108864
		is "$(cat "$(cg cpu)/cpu.cfs_quota_us")" 25000
	fi
	away
}

oom() {
	needs memory
	r=0
	crun_ oom --memory-limit 33554432 -- /bin/dd if=/dev/zero of=/dev/null bs=200M count=1 || r=$?
	is "$r" 137
	until_true 10 had /tasks/delete
	is "$(topics | grep ^/tasks | tr '\n' ' ')" \
		"/tasks/create /tasks/start /tasks/oom /tasks/exit /tasks/delete "
	has "$(grep "\"$ID\"" "$T/events" | grep /tasks/exit)" '"exit_status":137'
}

# An exec that is killed says so too, and the container stays.
oom_exec() {
	needs memory
	live oomex --memory-limit 33554432
	r=0
	c task exec --exec-id hog "$ID" /bin/dd if=/dev/zero of=/dev/null bs=200M count=1 >"$T/o" 2>&1 </dev/null || r=$?
	is "$r" 137
	until_true 10 had /tasks/oom
	until_true 10 had /tasks/exit
	# runc's shim does not keep that order for an exec
	[ -z "$CLEAT" ] ||
		is "$(topics | grep -Ex '/tasks/(oom|exit)' | tr '\n' ' ')" "/tasks/oom /tasks/exit "
	has "$(c task ls)" "^$ID +[0-9]+ +RUNNING"
	away
}

metrics() {
	needs memory
	live met --memory-limit 67108864
	m=$(c task metrics --format json "$ID")
	printf '%s\n' "$m"
	if [ -n "$V2" ]; then
		is "$(printf '%s' "$m" | jq .memory.usage_limit)" 67108864
		is "$(printf '%s' "$m" | jq '.memory.usage > 0 and .pids.current == 1 and .cpu.usage_usec > 0')" true
		has "$(printf '%s' "$m" | jq -c .memory_events)" .
	else
		is "$(printf '%s' "$m" | jq .memory.usage.limit)" 67108864
		is "$(printf '%s' "$m" | jq '.memory.usage.usage > 0 and .pids.current == 1 and .cpu.usage.total > 0')" true
	fi
	m=$(c task metrics "$ID")
	if [ -n "$V2" ]; then has "$m" '^memory\.usage +[1-9]'; fi
	away
}

exec_() {
	live ex
	r=0
	c task exec --exec-id e1 "$ID" /bin/sh -c 'cat /proc/self/cgroup; echo e >&2; exit 5' >"$T/o" 2>"$T/e" </dev/null || r=$?
	is "$r" 5
	is "$(cat "$T/e")" e
	if [ -n "$V2" ]; then is "$(cat "$T/o")" "0::/$NS/$ID"; else has "$(cat "$T/o")" "pids:/$NS/$ID\$"; fi
	is "$(echo in | c task exec --exec-id e2 "$ID" /bin/cat)" in
	away
}

pause() {
	live pau
	c task pause "$ID"
	has "$(c task ls)" "^$ID +[0-9]+ +PAUSED"
	if [ -n "$V2" ]; then
		has "$(cat "$(cg -)/cgroup.events")" '^frozen 1$'
	else
		is "$(cat "$(cg freezer)/freezer.state")" FROZEN
	fi
	c task resume "$ID"
	has "$(c task ls)" "^$ID +[0-9]+ +RUNNING"
	until_true 10 had /tasks/resumed
	is "$(topics | grep -Ex '/tasks/(paused|resumed)' | tr '\n' ' ')" "/tasks/paused /tasks/resumed "
	away
}

devices() {
	live dev --cap-add CAP_MKNOD
	r=0
	c task exec --exec-id d1 "$ID" /bin/sh -c 'mknod /tmp/d b 7 0; : </tmp/d' >"$T/o" 2>&1 </dev/null || r=$?
	rm -f "$T/rootfs/tmp/d"
	is "$r" 1
	has "$(cat "$T/o")" 'Operation not permitted'
	c task exec --exec-id d2 "$ID" /bin/sh -c 'echo >/dev/null && head -c 3 /dev/zero >/dev/null' </dev/null
	away
}

# Processes beside init are listed, and end with it.
pids() {
	live pid
	c task exec --detach --exec-id p1 "$ID" /bin/sleep 500
	is "$(c task ps "$ID" | sed 1d | wc -l)" 2
	away
	until_true 10 had /tasks/exit
	[ ! -e "$(cg pids)" ] || fail "its cgroup is left"
}

# The server dies: containerd's cleanup leaves neither process nor cgroup.
server_killed() {
	live skill
	init=$(c task ls | awk -v id="$ID" '$1 == id { print $2 }')
	shim=$(awk '{ print $4 }' "/proc/$init/stat")
	[ "$shim" -gt 1 ]
	kill -9 "$shim"
	until_true 20 test ! -e "/proc/$init"
	until_true 20 test ! -e "$(cg pids)"
	c task delete --force "$ID" >/dev/null 2>&1 || true
	c container delete "$ID"
}

t "run: streams, status, events in order, nothing left" streams
t "limits are in the files" limits
t "OOM: status 137, the event comes before the exit" oom
t "OOM of an exec: event, then its exit; the container stays" oom_exec
t "metrics of the cgroup version in use" metrics
t "exec: streams, status, cgroup" exec_
t "pause and resume" pause
t "devices: denied and usual ones" devices
t "processes are listed and end with init" pids
t "a killed server leaves nothing" server_killed
# what the daemons own goes with them
for pid in $STOP; do stop_daemon "$pid"; done
STOP='' KEEP=''	# read by the library
expect
finish

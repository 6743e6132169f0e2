#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in the lab's guest where systemd is PID 1: containers as its scopes, by the command
# line, under containerd, by podman, and of a user without privilege.
# shellcheck source=tests/harness/lib.sh
. "${0%/*}/../harness/lib.sh"
# shellcheck source=tests/lab/guest-lib.sh
. "${0%/*}/guest-lib.sh"
suite lab-systemd
[ "$(cat /proc/1/comm)" = systemd ] || { echo "1..0 # SKIP PID 1 is not systemd"; exit 0; }
if [ -n "$CLEAT" ] && [ ! -x "$O/cleat-systemd" ]; then
	echo "1..0 # SKIP built without libsystemd (Debian package libsystemd-dev)"
	exit 0
fi
# slices stay; podman puts conmon into a scope of its own
CGROUP_STAYS='*.slice'
LEAK_WAIT=10
if [ -n "$V2" ]; then FS=/sys/fs/cgroup; else FS=/sys/fs/cgroup/systemd; fi

# unit NAME FILTER [ARG...] - a bundle for a scope
unit() {
	n=$1 f=$2
	shift 2
	bundle "$n" ".linux.cgroupsPath = \"\\(\$TAG).slice:t:\\(\$TAG)-$n\" ${f:+| $f}" "$@"
	SCOPE=t-$ID.scope
	DIR=/$TAG.slice/$SCOPE
}

rts() {
	timeout --foreground 120 "$RUNTIME" --root "$ROOT" --systemd-cgroup "$@"
}

up() {
	rts create --bundle "$B" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err" || {
		cat "$T/$ID.err" >&2
		return 1
	}
	rts start "$ID"
}

show() {
	systemctl show -p "$1" --value "$SCOPE"
}

# no_unit - neither loaded nor failed
no_unit() {
	until_true 10 test ! -e "$FS$DIR"
	is "$(systemctl list-units --all --plain --no-legend "$SCOPE")" ""
}

# file CONTROLLER V2FILE V1FILE
file() {
	if [ -n "$V2" ]; then cat "/sys/fs/cgroup$DIR/$2"; else cat "/sys/fs/cgroup/$1$DIR/$3"; fi
}

life() {
	unit life '.linux.resources.memory = {limit: 67108864}' sh -c 'echo out; exit 7'
	status 7 rts run --bundle "$B" "$ID"
	is "$(cat "$T/o")" out
	no_unit
}

properties() {
	unit props '.linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 20}
		| .linux.resources.cpu = {shares: 2048, quota: 12345, period: 50000}
		| .annotations = {"org.systemd.property.TimeoutStopSec": "5"}' sleep 1000
	up
	is "$(show ActiveState)" active
	is "$(show Slice)" "$TAG.slice"
	is "$(show Delegate)" yes
	is "$(show TasksMax)" 20
	is "$(show CPUQuotaPerSecUSec)" 250ms
	is "$(show TimeoutStopUSec)" 5s
	is "$(show DevicePolicy)" strict
	has "$(file cpu cpu.max cpu.cfs_quota_us)" '^12500'
	is "$(file pids pids.max pids.max)" 20
	if [ -n "$V2" ]; then
		is "$(show MemoryMax)" 67108864
		is "$(show CPUWeight)" 174
		is "$(file - memory.max -)" 67108864
	else
		is "$(show MemoryLimit)" 67108864
		is "$(show CPUShares)" 2048
		is "$(file memory - memory.limit_in_bytes)" 67108864
	fi
	# what systemd sets up again it sets up as it was
	systemctl daemon-reload
	is "$(file memory memory.max memory.limit_in_bytes)" 67108864
	has "$(file cpu cpu.max cpu.cfs_quota_us)" '^12500'
	status 1 rts exec "$ID" sh -c 'mknod /tmp/d b 7 0; : </tmp/d'
	rts exec "$ID" sh -c 'echo >/dev/null && head -c 3 /dev/zero >/dev/null'
	rts update --memory 134217728 --memory-swap 134217728 --pids-limit 30 "$ID"
	systemctl daemon-reload
	is "$(file memory memory.max memory.limit_in_bytes)" 134217728
	is "$(file pids pids.max pids.max)" 30
	gone
	no_unit
}

inside() {
	unit in '' sleep 1000
	up
	status 3 rts exec "$ID" sh -c 'cat /proc/1/cgroup >/dev/null; sleep 500 & exit 3'
	for h in $(cut -d: -f1 "/proc/$(pid_of "$ID")/cgroup"); do
		# systemd's own tree on hybrid hosts is not told of other trees' processes
		case $(grep "^$h:" "/proc/$(pid_of "$ID")/cgroup") in
		*":$DIR") ;;
		*) fail "$(cat "/proc/$(pid_of "$ID")/cgroup")" ;;
		esac
	done
	is "$(rts ps --format json "$ID" | jq length)" 2
	rts pause "$ID"
	is "$(state_of "$ID")" paused
	rts resume "$ID"
	rts kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	rts delete "$ID"
	no_unit
}

oom() {
	unit oom '.linux.resources.memory = {limit: 33554432}' dd if=/dev/zero of=/dev/null bs=200M count=1
	status 137 rts run --bundle "$B" "$ID"
	no_unit
}

stopped_by_systemd() {
	unit stop '.annotations = {"org.systemd.property.TimeoutStopSec": "1"}' sleep 1000
	up
	systemctl stop "$SCOPE"
	until_true 10 is_state "$ID" stopped
	rts delete "$ID"
	no_unit
}

# By the message bus instead of the private socket.
by_bus() {
	unit bus '' true
	status 0 env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket \
		timeout 120 "$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$B" "$ID"
	no_unit
}

# PID 1 takes no SIGSTOP, but its cgroup can be frozen: it is connected to, and is silent. At the
# same time the message bus is stopped, and a container of before is deleted. All wait together.
unanswered() {
	only_v2
	frozen=/sys/fs/cgroup/init.scope/cgroup
	busctl status >/dev/null
	bus=$(systemctl show -p MainPID --value dbus.service)
	unit quiet3 '' sleep 1000
	up
	trap 'echo 0 >$frozen.freeze; kill -CONT "$bus"' EXIT
	echo 1 >$frozen.freeze
	kill -STOP "$bus"
	until_true 5 grep -q 'frozen 1' $frozen.events
	before=$(date +%s)
	rts delete --force "$ID" 2>"$T/3.err" &
	three=$!
	unit quiet1 '' true
	rts run --bundle "$B" "$ID" </dev/null >"$T/1.out" 2>"$T/1.err" &
	one=$!
	unit quiet2 '' true
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket
	rts run --bundle "$B" "$ID" </dev/null >"$T/2.out" 2>"$T/2.err" &
	two=$!
	! wait $one || fail "it ran: $(cat "$T/1.out")"
	! wait $two || fail "it ran: $(cat "$T/2.out")"
	wait $three || fail "delete: $(cat "$T/3.err")"
	[ $(($(date +%s) - before)) -lt 40 ] || fail "after $(($(date +%s) - before)) s"
	said='of t-.*.scope: systemd does not answer within 25 s'
	has "$(cat "$T/1.err")" "/run/systemd/private: StartTransientUnit $said"
	has "$(cat "$T/2.err")" "/run/dbus/system_bus_socket: StartTransientUnit $said"
	has "$(cat "$T/3.err")" "level=warning.*StopUnit $said"
	is "$(rts list -q)" ""
	# what it was asked for meanwhile, nobody waits for any more: it makes nothing of it
	trap - EXIT
	echo 0 >$frozen.freeze
	kill -CONT "$bus"
	unset DBUS_SYSTEM_BUS_ADDRESS
	until_true 10 no_scopes
}

no_scopes() {
	[ -z "$(systemctl list-units --all --plain --no-legend 't-*.scope')" ]
}

reexec() {
	unit re '' true
	for i in 1 2 3; do
		systemctl daemon-reexec &
		sleep 0.$i
		status 0 rts run --bundle "$B" "$ID"
		wait
	done
	no_unit
}

limit_refused() {
	unit bad '.linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 0}]' true
	status 1 rts run --bundle "$B" "$ID"
	no_unit
}

# Where systemd manages the host the form is enough.
by_form() {
	unit form '' cat /proc/self/cgroup
	jq 'del(.linux.namespaces[] | select(.type == "cgroup"))' "$B/config.json" >"$B/c" && mv "$B/c" "$B/config.json"
	status 0 run_it
	has "$(cat "$T/o")" ":$DIR\$"
	no_unit
}

# The figures: calls and time, of ten containers.
figures() {
	unit fig '' true
	n=$(count 5 20)
	: >"$T/fig"
	for i in $(seq "$n"); do
		timeout 120 "$RUNTIME" --root "$ROOT" --debug --systemd-cgroup run --bundle "$B" "$ID" </dev/null 2>>"$T/fig"
	done
	[ "$(grep -c 'systemd start.*: 1 calls' "$T/fig")" = "$n" ] || fail "$(cat "$T/fig")"
	[ "$(grep -c 'systemd stop.*: 1 calls' "$T/fig")" -le "$n" ] || fail "$(cat "$T/fig")"
	hasnt "$(cat "$T/fig")" 'systemd st.*: [02-9] calls'
	sed -n 's/.*systemd \(start\|stop\).*: \([0-9]*\) calls, \([0-9]*\) us.*/\1 \2 \3/p' "$T/fig" |
		awk '{ n[$1]++; c[$1] += $2; us[$1] += $3 }
			END { for (o in n) printf "%s: %d of %s calls, %d us each\n", o, n[o], c[o], us[o] / n[o] }' >"$T/figures"
	no_unit
}

# ---- containerd ----------------------------------------------------------------------

by_ctr() {
	command -v containerd >/dev/null && command -v ctr >/dev/null || skip "containerd is not installed"
	C=$T/containerd
	mkdir -p "$C"
	cat >"$C/config.toml" <<END
version = 2
root = "$C/root"
state = "$C/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$C/sock"
END
	# ctr has the option for runc's type only: our shim takes that name
	mkdir "$T/bin"
	ln -s "$O/containerd-shim-cleat-v2" "$T/bin/containerd-shim-runc-v2"
	ln -s "$O/cleat-systemd" "$O/containerd-shim-cleat-v2" "$T/bin/"
	PATH=$T/bin:$PATH containerd --config "$C/config.toml" >"$C/log" 2>&1 </dev/null &
	pid=$!
	trap 'kill $pid' EXIT
	until_true 60 test -S "$C/sock"
	SCOPE=ctr-$TAG-c.scope DIR=/system.slice/ctr-$TAG-c.scope
	c() { timeout --foreground 120 ctr --address "$C/sock" --connect-timeout 30s --namespace "$NS" "$@"; }
	c run -d --runtime io.containerd.runc.v2 --runc-systemd-cgroup --cgroup "system.slice:ctr:$TAG-c" \
		--memory-limit 67108864 --rootfs "$T/rootfs" "$TAG-c" /bin/sleep 1000 </dev/null
	is "$(show ActiveState)" active
	is "$(file memory memory.max memory.limit_in_bytes)" 67108864
	status 5 c task exec --exec-id e1 "$TAG-c" /bin/sh -c 'exit 5'
	has "$(c task metrics "$TAG-c")" 'memory'
	c task kill -s KILL "$TAG-c"
	until_true 20 ctr_stopped
	c task delete "$TAG-c" >/dev/null 2>&1 || true
	c container delete "$TAG-c"
	no_unit
	refused 1 'slice:prefix:name' c run --rm --runtime io.containerd.runc.v2 --runc-systemd-cgroup \
		--cgroup "/x/y" --rootfs "$T/rootfs" "$TAG-d" /bin/true
	# our own type: the form is enough
	status 0 c run --rm --runtime io.containerd.cleat.v2 --cgroup "system.slice:ctr:$TAG-c" \
		--rootfs "$T/rootfs" "$TAG-e" /bin/true
	no_unit
	trap - EXIT
	kill $pid
	wait $pid || true
}

ctr_stopped() {
	c task ls | grep -Eq "^$TAG-c +[0-9]+ +STOPPED"
}

# ---- a pod --------------------------------------------------------------------------

# As the kubelet does it with systemd as its driver: it makes the pod's slice and removes it,
# and what it hands on is the slice's path.
by_cri() {
	[ -d /usr/lib/python3/dist-packages/grpc ] || skip "python3-grpcio is not installed"
	# the series that hands a handler's options to our shim; with 1.6 the form has to be enough
	[ ! -d "$O/private/containerd-1.7/bin" ] || export CONTAINERD=1.7
	[ -n "${CONTAINERD-}" ] || command -v containerd >/dev/null || skip "containerd is not installed"
	# shellcheck source=tests/harness/containerd.sh
	. "$H/containerd.sh"
	# shellcheck source=tests/harness/cri.sh
	. "$H/cri.sh"
	trap 'set +e; for p in $STOP; do stop_daemon "$p"; done' EXIT
	containerd_choose
	cri_start
	CGROUP_STAYS='*.slice'
	expect
	slice=kubepods-burstable-pod$TAG.slice
	parent=/kubepods.slice/kubepods-burstable.slice/$slice
	if [ -n "$V2" ]; then limit=MemoryMax; else limit=MemoryLimit; fi
	busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit \
		'ssa(sv)a(sa(sv))' "$slice" replace 2 "$limit" t 268435456 TasksMax t 200 0 >/dev/null
	pod p ".linux.cgroup_parent = \"$parent\"" cleat-systemd
	placed "$POD"
	[ -z "$V2" ] || is "$(show CPUWeight)" 1
	container c '.linux.resources = {memory_limit_in_bytes: 67108864, cpu_period: 100000, cpu_quota: 25000}' sleep 1000
	start
	placed "$CTR"
	is "$(show CPUQuotaPerSecUSec)" 250ms
	is "$(file memory memory.max memory.limit_in_bytes)" 67108864
	has "$(file cpu cpu.max cpu.cfs_quota_us)" '^25000'
	is "$(exec_sync sh -c 'echo in')" in
	said=$(cri ContainerStats "{\"container_id\":\"$CTR\"}")
	has "$said" '"working_set_bytes": *\{"value": *"[1-9]'
	has "$said" '"usage_core_nano_seconds": *\{"value": *"[1-9]'
	cri UpdateContainerResources "{\"container_id\":\"$CTR\",\"linux\":{\"memory_limit_in_bytes\":33554432}}" >/dev/null
	is "$(file memory memory.max memory.limit_in_bytes)" 33554432
	is "$(show "$limit")" 33554432
	cri StopContainer "{\"container_id\":\"$CTR\"}" >/dev/null
	remove
	no_unit
	pod_gone
	is "$(systemctl list-units --all --plain --no-legend 'cri-containerd-*')" ""
	systemctl stop "$slice"
	until_true 10 test ! -e "$FS$parent"
}

# placed ID - its scope is in the pod's slice; what is asked for then is asked of it
placed() {
	SCOPE=cri-containerd-$1.scope DIR=$parent/cri-containerd-$1.scope
	is "$(show Slice)" "$slice"
	[ -d "$FS$DIR" ] || fail "no $FS$DIR"
}

# ---- podman ---------------------------------------------------------------------------------

by_podman() {
	command -v podman >/dev/null || skip "podman is not installed"
	P=$T/p
	mkdir -p "$P"
	printf '[containers]\nnetns = "none"\n[engine]\nevents_logger = "file"\n[network]\nnetwork_config_dir = "%s/net"\n' \
		"$P" >"$P/containers.conf"
	printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$P/policy.json"
	export CONTAINERS_CONF="$P/containers.conf" TMPDIR="$P"
	pod() {
		timeout --foreground 240 podman --root "$P/root" --runroot "$P/run" --tmpdir "$P/tmp" \
			--storage-driver vfs --cgroup-manager systemd --events-backend file --runtime "$RUNTIME" "$@"
	}
	tar -C "$T/rootfs" --numeric-owner -cf "$T/layer.tar" .
	pod import --change CMD=sh "$T/layer.tar" busybox:test >"$T/o" 2>&1 || fail "$(cat "$T/o")"
	id=$(pod run -d --security-opt apparmor=unconfined --network none --log-driver k8s-file --memory 64m busybox:test sleep 1000)
	SCOPE=libpod-$id.scope DIR=/machine.slice/libpod-$id.scope
	is "$(show ActiveState)" active
	is "$(file memory memory.max memory.limit_in_bytes)" 67108864
	status 4 pod exec "$id" sh -c 'exit 4'
	pod rm -f -t 0 "$id" >/dev/null
	no_unit
	for p in $(procs | awk '$3 ~ /^(catatonit|podman)/ { print $1 }'); do kill "$p"; done
}

# ---- a user without privilege ------------------------------------------------------------------

# The user's own systemd, as logind would start it; www-data has nothing to lose here.
user_manager() {
	uid=$(id -u www-data)
	mkdir -p "/run/user/$uid" "$T/home"
	chown www-data: "/run/user/$uid" "$T/home"
	chmod 700 "/run/user/$uid"
	cat >"/run/systemd/system/user@$uid.service" <<END
[Unit]
DefaultDependencies=no
[Service]
User=www-data
Slice=user-$uid.slice
Delegate=yes
Type=notify
Environment=XDG_RUNTIME_DIR=/run/user/$uid HOME=$T/home
ExecStart=/lib/systemd/systemd --user
END
	systemctl daemon-reload
	systemctl start "user@$uid.service"
	until_true 30 test -S "/run/user/$uid/systemd/private"
}

# Rootless podman is root of a user namespace as well.
as_user() {
	timeout --foreground 120 setpriv --reuid="$uid" --regid="$(id -g www-data)" --clear-groups \
		env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR="/run/user/$uid" HOME="$T/home" \
		unshare --user --map-root-user --mount "$@"
}

by_manager() {
	timeout --foreground 120 setpriv --reuid="$uid" --regid="$(id -g www-data)" --clear-groups \
		env XDG_RUNTIME_DIR="/run/user/$uid" systemctl --user "$@"
}

by_user() {
	[ -n "$V2" ] || skip "cgroup v2 only: v1 cannot be delegated"
	user_manager
	unit user ".linux.cgroupsPath = \":t:\\(\$TAG)-user\" | .linux.resources = {pids: {limit: 20}, memory: {limit: 67108864}}
		| .mounts |= map(select(.type != \"cgroup\")) | del(.mounts[].options[]? | select(startswith(\"gid=\")))" \
		sleep 1000
	chmod 755 "$T" "$T/b" "$B"
	UROOT=/run/user/$uid/cleat
	as_user "$RUNTIME" --root "$UROOT" --systemd-cgroup create --bundle "$B" "$ID" </dev/null >"$T/u.out" 2>"$T/u.err" ||
		fail "$(cat "$T/u.err")"
	as_user "$RUNTIME" --root "$UROOT" start "$ID"
	pid=$(as_user "$RUNTIME" --root "$UROOT" state "$ID" | jq .pid)
	DIR=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	has "$DIR" "user@$uid.service/user.slice/t-$ID.scope\$"
	is "$(cat "/sys/fs/cgroup$DIR/pids.max")" 20
	is "$(cat "/sys/fs/cgroup$DIR/memory.max")" 67108864
	is "$(by_manager show -p ActiveState --value "t-$ID.scope")" active
	as_user "$RUNTIME" --root "$UROOT" update --pids-limit 30 "$ID"
	is "$(by_manager show -p TasksMax --value "t-$ID.scope")" 30
	as_user "$RUNTIME" --root "$UROOT" delete --force "$ID"
	until_true 10 test ! -e "/sys/fs/cgroup$DIR"
	systemctl stop "user@$uid.service"
	# without a manager it is said so
	XDG=/run/user/none
	refused 1 'systemd does not run here, or its bus does not' timeout 60 setpriv --reuid="$uid" \
		--regid="$(id -g www-data)" --clear-groups env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR=$XDG \
		unshare --user --map-root-user --mount "$RUNTIME" --root "$UROOT" --systemd-cgroup run --bundle "$B" "$ID"
	rm -rf "/run/user/$uid"
}

t "run in a scope; nothing is left of it" life
t "properties, the same after a reload of systemd, and after an update" properties
t "exec, ps, pause, kill in a scope" inside
t "an OOM kill leaves no failed unit" oom
t "a scope that systemd stops" stopped_by_systemd
t "by the message bus" by_bus
t "systemd or the bus does not answer: said within half a minute, nothing left" unanswered
t "systemd executes itself anew meanwhile" reexec
t "a limit that is refused: the scope goes as well" limit_refused
t "the form of cgroupsPath is enough" by_form
t "one call to start, at most one to stop" figures
sed 's/^/# /' "$T/figures" 2>/dev/null
t "ctr with SystemdCgroup" by_ctr
t "a pod of the kubelet's kind, with SystemdCgroup" by_cri
t "podman with its systemd manager" by_podman
t "a user's own systemd" by_user
finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The systemd cgroup driver by the command line, with a systemd of our own on a private
# message bus: what is asked of it and how often, and what happens when it is slow,
# silent, gone or of another opinion. The real one is in the lab (guest-systemd.sh).
. "${0%/*}/../harness/lib.sh"
suite systemd
FAKE=$O/tests/systemd/fake-systemd
for tool in dbus-daemon "$FAKE" "$O/cleat-systemd"; do
	command -v "$tool" >/dev/null && continue
	echo "1..0 # SKIP no ${tool##*/} (Debian packages dbus-daemon, libsystemd-dev)"
	exit 0
done
[ -n "$CLEAT" ] || { echo "1..0 # SKIP the tests speak of cleat"; exit 0; }

# slices stay, as with systemd
CGROUP_STAYS="$TAG*.slice"
LOG=$T/calls MODE=$T/mode
: >"$MODE"
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/bus"

bus() {
	dbus-daemon --session --address="unix:path=$T/bus" --nofork --nopidfile 2>"$T/bus.err" </dev/null &
	BUS=$!
	until_true 10 test -S "$T/bus"
	sleep "${1:-0}"
	DBUS_SESSION_BUS_ADDRESS=unix:path=$T/bus "$FAKE" "$LOG" "$MODE" 2>"$T/fake.err" </dev/null &
	SYSTEMD=$!
	until_true 10 asked_for
}

# the name is taken once somebody answers by it
asked_for() {
	dbus-send --bus="unix:path=$T/bus" --dest=org.freedesktop.DBus --print-reply / \
		org.freedesktop.DBus.GetNameOwner string:org.freedesktop.systemd1
}

bus
daemon $BUS
daemon $SYSTEMD
expect

mode() {
	echo "$1" >"$MODE"
	: >"$LOG"
}

calls() {
	sed -n 's/^CALL //p' "$LOG" | tr '\n' ' '
}

# unit NAME FILTER [ARG...] - a bundle for the driver
unit() {
	n=$1 f=$2
	shift 2
	bundle "$n" ".linux.cgroupsPath = \"\\(\$TAG).slice:t:\\(\$TAG)-$n\" ${f:+| $f}" "$@"
	SCOPE=/$TAG.slice/t-$ID.scope
}

rts() {
	rt --systemd-cgroup "$@"
}

created() {
	rts create --bundle "$B" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err" || {
		cat "$T/$ID.err" >&2
		return 1
	}
	rt start "$ID"
}

cgroup_of() {
	sed -n "s/^[0-9]*:$1://p" "/proc/$(pid_of "$ID")/cgroup"
}

life() {
	mode ''
	unit life '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 20}, devices: [{allow: false, access: "rwm"}]}' \
		sh -c 'echo out; exit 7'
	status 7 rts run --bundle "$B" "$ID"
	is "$(cat "$T/o")" out
	is "$(calls)" "StartTransientUnit StopUnit "
}

properties() {
	mode ''
	unit props '.annotations = {"org.systemd.property.TimeoutStopSec": "90", "org.systemd.property.After": "[\"a.service\"]"}
		| .linux.resources = {memory: {limit: 67108864}, cpu: {quota: 12345, period: 50000}, pids: {limit: 20}}' sleep 1000
	created
	text=$(tr -s ' \n' ' ' <"$LOG")
	for p in "\"Slice\"; VARIANT \"s\" { STRING \"$TAG.slice\"" '"Delegate"; VARIANT "b" { BOOLEAN true' \
		'"DefaultDependencies"; VARIANT "b" { BOOLEAN false' '"TasksMax"; VARIANT "t" { UINT64 20' \
		'"CPUQuotaPerSecUSec"; VARIANT "t" { UINT64 250000' '"TimeoutStopUSec"; VARIANT "t" { UINT64 90000000' \
		'"DevicePolicy"; VARIANT "s" { STRING "strict"' '"MemoryAccounting"; VARIANT "b" { BOOLEAN true'; do
		case $text in *"STRING $p"*) ;; *) fail "no $p in $text" ;; esac
	done
	has "$text" '"Memory(Limit|Max)"; VARIANT "t" \{ UINT64 67108864'
	has "$text" '"PIDs"; VARIANT "au" \{ ARRAY "u" \{ UINT32 [1-9]'
	has "$text" '"After"; VARIANT "as" \{ ARRAY "s" \{ STRING "a.service"'
	gone
}

places() {
	mode ''
	unit place '' sleep 1000
	created
	for h in $(cut -d: -f2 "/proc/$(pid_of "$ID")/cgroup"); do
		is "$(cgroup_of "$h")" "$SCOPE"
	done
	is "$(rt state "$ID" | jq -r .status)" running
	is "$(rt ps --format json "$ID" | jq length)" 1
	rt pause "$ID"
	is "$(state_of "$ID")" paused
	rt resume "$ID"
	status 4 rt exec "$ID" sh -c 'cat /proc/self/cgroup; exit 4'
	hasnt "$(cat "$T/o")" 'ct[0-9]*-place.*/'
	rt kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	is "$(calls)" "StartTransientUnit "
	rt delete "$ID"
	is "$(calls)" "StartTransientUnit StopUnit "
}

nested_slices() {
	mode ''
	bundle nest '.linux.cgroupsPath = "\($TAG)-a-b.slice::\($TAG)-nest"' sleep 1000
	created
	has "$(cat "/proc/$(pid_of "$ID")/cgroup")" "name=systemd:/$TAG.slice/$TAG-a.slice/$TAG-a-b.slice/$ID.scope\$|^0::/$TAG.slice/$TAG-a"
	gone
}

# A slice holds no process for systemd: ours goes in by itself.
slice_unit() {
	mode ''
	bundle slice '.linux.cgroupsPath = "\($TAG).slice:x:\($TAG)-s.slice"' sleep 1000
	created
	has "$(cat "/proc/$(pid_of "$ID")/cgroup")" ":/$TAG.slice/$TAG-s.slice\$"
	hasnt "$(cat "$LOG")" '"(PIDs|Delegate)"'
	has "$(cat "$LOG")" '"Wants"'
	gone
	is "$(calls)" "StartTransientUnit Get StopUnit "
}

# Without the option, when cgroupsPath has the form and systemd manages the host.
by_form() {
	unit form '' true
	if [ -d /run/systemd/system ]; then
		mode ''
		status 0 run_it
		is "$(calls)" "StartTransientUnit StopUnit "
	else
		refused 1 'cgroupsPath: .*is for the systemd cgroup driver, and systemd does not manage this host' run_it
	fi
}

bad_form() {
	mode ''
	bundle form2 '' true
	refused 1 'cgroupsPath: .+/ct[0-9]*-form2.+: the systemd cgroup driver wants slice:prefix:name' \
		rts run --bundle "$B" "$ID"
	bundle form3 '.linux.cgroupsPath = "x:p:n"' true
	refused 1 'cgroupsPath: .+x:p:n.+: the first part is not the name of a slice' rts run --bundle "$B" "$ID"
	bundle form4 '.linux.cgroupsPath = "a.slice:p:n" | .annotations = {"org.systemd.property.Foo": "bar"}' true
	refused 1 'property.Foo: .+bar.+ is no value in GVariant' rts run --bundle "$B" "$ID"
	is "$(calls)" ""
}

update() {
	mode ''
	unit upd '.linux.resources = {pids: {limit: 20}}' sleep 1000
	created
	rt update --pids-limit 30 --cpu-quota 12345 --cpu-period 50000 "$ID"
	is "$(calls)" "StartTransientUnit SetUnitProperties "
	has "$(tr -s ' \n' ' ' <"$LOG")" '"CPUQuotaPerSecUSec"; VARIANT "t" \{ UINT64 250000'
	q=$(cat "/sys/fs/cgroup/cpu$SCOPE/cpu.cfs_quota_us" "/sys/fs/cgroup$SCOPE/cpu.max" 2>/dev/null || true)
	has "$q" '^12500'
	gone
}

old_systemd() {
	mode old
	unit old '' true
	status 0 rts run --bundle "$B" "$ID"
	is "$(calls)" "StartTransientUnit StartTransientUnit StopUnit "
}

failed_unit_of_that_name() {
	mode exists
	unit again '' true
	status 0 rts run --bundle "$B" "$ID"
	is "$(calls)" "StartTransientUnit ResetFailedUnit StartTransientUnit StopUnit "
}

# Another container's unit is no failed one: it stays as it is.
unit_in_use() {
	mode ''
	unit use '' sleep 1000
	created
	jq '.process.args = ["true"]' "$B/config.json" >"$B/c" && mv "$B/c" "$B/config.json"
	refused 1 't-ct[0-9]*-use.scope: StartTransientUnit: systemd says .+Unit .* already exists' \
		rts run --bundle "$B" "$ID-2"
	is "$(state_of "$ID")" running
	gone
}

job_fails() {
	mode failed
	unit fails '' true
	refused 1 'systemd.s job to start it ended as .+failed' rts run --bundle "$B" "$ID"
	mode ''
}

denied() {
	mode denied
	unit denied '' true
	refused 1 'StartTransientUnit: systemd says .+Access denied' rts run --bundle "$B" "$ID"
}

slow() {
	mode slow
	unit slow '' true
	status 0 rts run --bundle "$B" "$ID"
	is "$(calls)" "StartTransientUnit StopUnit "
}

# The limits are refused after systemd made the unit: it is stopped again.
undone() {
	mode ''
	unit undo '.linux.resources = {unified: {"nothing.max": "1"}}' true
	status 1 rts run --bundle "$B" "$ID"
	has "$(cat "$T/e")" unified
	is "$(calls)" "StartTransientUnit StopUnit "
}

absent() {
	unit absent '' true
	before=$(date +%s)
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/nowhere
	refused 1 "unix:path=$T/nowhere: systemd does not run here, or its bus does not: connect" \
		rts run --bundle "$B" "$ID"
	[ $(($(date +%s) - before)) -lt 10 ]
}

# A bus, and systemd is not on it.
not_on_the_bus() {
	dbus-daemon --session --address="unix:path=$T/bus2" --nofork --nopidfile 2>"$T/bus2.err" </dev/null &
	other=$!
	until_true 10 test -S "$T/bus2"
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus2
	unit alone '' true
	before=$(date +%s)
	refused 1 'StartTransientUnit' rts run --bundle "$B" "$ID"
	[ $(($(date +%s) - before)) -lt 15 ]
	kill $other
}

# The bus goes while the container is made, and comes back: the unit is looked for, not made twice.
restarted() {
	mode nojob
	unit re '' sleep 1000
	# shellcheck disable=SC2031
	rts create --bundle "$B" "$ID" </dev/null >"$T/re.out" 2>"$T/re.err" &
	creator=$!
	until_true 10 grep -q StartTransientUnit "$LOG"
	until_true 10 test -d "/sys/fs/cgroup/systemd$SCOPE" -o -d "/sys/fs/cgroup$SCOPE"
	kill "$BUS"
	while kill -0 "$BUS" 2>/dev/null; do sleep 0.05; done
	rm -f "$T/bus"
	# a bus is there before systemd is on it again
	bus 0.5
	wait $creator || fail "create: $(cat "$T/re.err")"
	is "$(state_of "$ID")" created
	is "$(calls)" "StartTransientUnit Get "
	mode ''
	gone
	kill "$BUS"
	wait "$BUS" "$SYSTEMD" || true
}

# Three at a time: one bus that takes no call, one that answers none, one whose jobs never end.
unanswered() {
	mode silent
	"$FAKE" --deaf "$T/deaf" </dev/null >/dev/null 2>&1 &
	deaf=$!
	until_true 10 test -S "$T/deaf"
	unit silent '' true
	before=$(date +%s)
	rts run --bundle "$B" "$ID" </dev/null >"$T/s.out" 2>"$T/s.err" &
	one=$!
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/deaf
	unit deaf '' true
	rts run --bundle "$B" "$ID" </dev/null >"$T/d.out" 2>"$T/d.err" &
	two=$!
	wait $one && fail "it ran: $(cat "$T/s.out")"
	wait $two && fail "it ran: $(cat "$T/d.out")"
	kill $deaf
	[ $(($(date +%s) - before)) -lt 35 ]
	has "$(cat "$T/s.err")" 'StartTransientUnit of t-.*: systemd does not answer within 25 s'
	has "$(cat "$T/d.err")" 'StartTransientUnit of t-.*: systemd does not answer within 25 s'
	rm "$T/deaf"
}

# What only waits for systemd is removed without it, and said so.
delete_unanswered() {
	mode ''
	unit del '' sleep 1000
	created
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/nowhere
	rt delete --force "$ID" 2>"$T/e"
	has "$(cat "$T/e")" 'level=warning.*systemd does not run here'
}

without_helper() {
	mkdir "$T/bin"
	cp "$RUNTIME" "$T/bin/cleat"
	unit helper '' true
	refused 1 'cleat-systemd: the systemd cgroup driver needs this program, which is not installed' \
		timeout 60 "$T/bin/cleat" --root "$ROOT" --systemd-cgroup run --bundle "$B" "$ID"
	is "$("$T/bin/cleat" features | jq .linux.cgroup.systemd)" false
	is "$("$RUNTIME" features | jq .linux.cgroup.systemd)" true
	cp "$O/cleat-systemd" "$T/bin/"
	mode ''
	status 0 timeout 60 "$T/bin/cleat" --root "$ROOT" --systemd-cgroup run --bundle "$B" "$ID"
	(cd "$T/bin" && status 0 timeout 60 ./cleat --root "$ROOT" --systemd-cgroup run --bundle "$B" "$ID")
}

# ctr has the option for runc's type only: our shim takes that name. It is executed from a
# mount without a name, and still finds the helper beside its own program.
shim() {
	command -v containerd >/dev/null && command -v ctr >/dev/null || skip "containerd is not installed"
	mode ''
	C=$T/containerd
	mkdir -p "$C" "$T/path"
	ln -s "$O/containerd-shim-cleat-v2" "$T/path/containerd-shim-runc-v2"
	ln -s "$O/cleat-systemd" "$T/path/"
	printf 'version = 2\nroot = "%s/root"\nstate = "%s/state"\n[grpc]\naddress = "%s/sock"\n' "$C" "$C" "$C" >"$C/config.toml"
	printf 'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n' |
		cat - "$C/config.toml" >"$C/c" && mv "$C/c" "$C/config.toml"
	PATH=$T/path:$PATH containerd --config "$C/config.toml" >"$C/log" 2>&1 </dev/null &
	pid=$!
	trap 'kill $pid; wait $pid' EXIT
	until_true 60 test -S "$C/sock"
	c() { timeout --foreground 60 ctr --address "$C/sock" --connect-timeout 30s --namespace "$NS" "$@"; }
	status 5 c run --rm --runtime io.containerd.runc.v2 --runc-systemd-cgroup --cgroup "$TAG.slice:ctr:$TAG-c" \
		--rootfs "$T/rootfs" "$TAG-c" /bin/sh -c 'exit 5'
	is "$(calls)" "StartTransientUnit StopUnit "
	refused 1 'slice:prefix:name' c run --rm --runtime io.containerd.runc.v2 --runc-systemd-cgroup \
		--cgroup "/$TAG/y" --rootfs "$T/rootfs" "$TAG-d" /bin/true
	c container delete "$TAG-d" >/dev/null 2>&1 || true
}

t "a container's life is one StartTransientUnit and one StopUnit" life
t "properties: limits, annotations, what a scope needs" properties
t "every hierarchy, exec, pause, ps: the unit's cgroup, and no calls" places
t "slices in slices" nested_slices
t "a slice as the unit" slice_unit
t "the form of cgroupsPath chooses the driver where systemd runs" by_form
t "other forms and bad annotations are refused before any call" bad_form
t "update: one call, and the files say the same" update
t "a property that systemd does not know is left out" old_systemd
t "a failed unit of the same name is reset, once" failed_unit_of_that_name
t "a unit in use is refused and left alone" unit_in_use
t "a job that fails" job_fails
t "no right" denied
t "slow jobs are waited for" slow
t "a limit that cannot be set: the unit is stopped again" undone
t "no bus: said at once, nothing left" absent
t "a bus without systemd: said soon, nothing left" not_on_the_bus
t "a bus that does not answer: said within half a minute, nothing left" unanswered
t "delete without a bus removes everything, with a warning" delete_unanswered
t "the helper program: missing, beside the program, by a relative name" without_helper
t "ctr with SystemdCgroup: the shim asks the same" shim
t "a bus that is restarted in the middle" restarted
find /sys/fs/cgroup -depth -type d -path "*$TAG*.slice*" -exec rmdir {} \;
finish

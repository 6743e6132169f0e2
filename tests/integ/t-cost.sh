#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# What operations cost, in figures that no busy machine changes: system calls and
# instructions, all processes counted, kept below a ceiling. A change that needs more raises
# the ceiling in CEILINGS and says why; one that needs less lowers it.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../bench/calls.sh"
LEAK_WAIT=5
suite cost
[ -n "$CLEAT" ] || { echo "1..0 # SKIP the ceilings are cleat's"; exit 0; }
command -v strace >/dev/null || { echo "1..0 # SKIP strace is not installed"; exit 0; }
strace -qq -o /dev/null true 2>/dev/null || { echo "1..0 # SKIP processes cannot be traced here"; exit 0; }
SHIM_BIN=$O/containerd-shim-cleat-v2
CLIENT=$TOOLS/task-client
FLOOR=$O/tests/bench/floor

# Calls on a hybrid host with ten hierarchies and dynamic linking (or musl, which maps pages where glibc has
# a heap), whichever is the dearest, and a tenth more, for other hosts.
CEILINGS="
run		720
create		680
start		121
state		105
kill		113
delete		117
exec		350
shim-create	665
shim-start	50
shim-exec	310
shim-delete	108
"
ceiling() {
	printf '%s' "$CEILINGS" | awk -v what="$1" '$1 == what { print $2 }'
}

# below OPERATION COUNT
below() {
	echo "$1: $2 calls" >>"$T/counts"
	[ "$2" -gt 20 ] || fail "$1: $2 calls cannot be all"
	[ "$2" -le "$(ceiling "$1")" ] || {
		sort -k4,4nr "$T/calls" | head -n 15 >&2
		fail "$1: $2 calls, the ceiling is $(ceiling "$1")"
	}
}

# calls COMMAND-OF-CLEAT...: how many; the container has files as its stdio.
calls() {
	calls_of "$T/calls" "$RUNTIME" --root "$ROOT" "$@"
}

# ---- the command line ----------------------------------------------------------

run() {
	bundle run '' true
	below run "$(calls run --bundle "$B" "$ID")"
}
t "run" run

life() {
	bundle life '' sleep 100
	below create "$(calls create --bundle "$B" "$ID")"
	below start "$(calls start "$ID")"
	below state "$(calls state "$ID")"
	below exec "$(calls exec "$ID" /bin/true)"
	below kill "$(calls kill "$ID" KILL)"
	until_true 5 is_state "$ID" stopped
	below delete "$(calls delete "$ID")"
}
t "create, start, state, exec, kill, delete" life

# fewest COMMAND-OF-CLEAT...: of three runs; on a busy machine a call that waits is begun again now and then.
fewest() {
	for i in 1 2 3; do calls "$@"; done | sort -n | head -n 1
}

# No walk over what others have.
others() {
	bundle one '' true
	one=$(fewest run --bundle "$B" "$ID")
	n=$(count 15 500)
	for i in $(seq "$n"); do
		bundle "other$i" '' sleep 100
		detached
	done
	bundle one '' true
	many=$(fewest run --bundle "$B" "$ID")
	# Each of them would be a call at least.
	[ "$many" -le $((one + 10)) ] || fail "run: $one calls alone, $many with $n other containers"
	bundle other1 '' sleep 100
	below exec "$(calls exec "$ID" /bin/true)"
	for i in $(seq "$n"); do gone "$TAG-other$i"; done
}
t "the number of other containers does not matter" others

# ---- the shim --------------------------------------------------------------------

EV=$T/ev
"$CLIENT" events-server "$EV.ttrpc" >"$T/events" 2>&1 &
daemon $!
until_true 5 test -S "$EV.ttrpc"
expect

tc() {
	timeout 60 "$CLIENT" --namespace "$NS" "$A" "$@"
}

# served: a server for the bundle made last; its address and pid are $A and $S.
served() {
	cd "$B"
	A=$(TTRPC_ADDRESS=$EV.ttrpc "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" start </dev/null)
	cd "$T"
	A=${A#unix://}
	S=$(tc connect id="$ID" | sed -n 's/^shim_pid=//p')
}

round_trip() {
	{
		echo "exec id=$ID exec_id=e spec={\"args\":[\"/bin/true\"],\"cwd\":\"/\"}"
		echo "&w wait id=$ID exec_id=e"
		echo "start id=$ID exec_id=e"
		echo "join w"
		echo "delete id=$ID exec_id=e"
	} | tc batch
}

# watched OPERATION COMMAND...: the calls of the server and its workers meanwhile, below the ceiling.
watched() {
	what=$1
	shift
	calls_watch "$T/calls" "$S"
	"$@" >"$T/o"
	# events are sent after the answer
	sleep 0.3
	calls_watched "$T/calls"
	below "$what" "$CALLS"
}

# shim_life BY: by "watched" or "stepped".
shim_life() {
	bundle "shim-$1" '' sleep 100
	served
	"$1" shim-create tc create id="$ID" bundle="$B"
	"$1" shim-start tc start id="$ID"
	round_trip >"$T/o"
	"$1" shim-exec round_trip
	has "$(cat "$T/o")" '^exit_status=0$'
	tc kill id="$ID" signal=9
	tc wait id="$ID" >/dev/null
	"$1" shim-delete tc delete id="$ID"
	tc shutdown id="$ID" >/dev/null 2>&1 || :
	until_true 4 test ! -e "$A"
}
t "shim: Create, Start, exec round trip, Delete" shim_life watched

# ---- instructions --------------------------------------------------------------------

# On a hybrid host with ten hierarchies, and a twentieth more: the static build by gcc, as it is shipped.
STEP_CEILINGS="
create		395000
start		51000
state		60500
exec		118000
kill		50000
delete		45500
shim-create	420000
shim-start	27000
shim-exec	182000
shim-delete	67000
"
steppable() {
	[ "$(uname -m)" = x86_64 ] || skip "the ceilings are of x86-64"
	nm "$RUNTIME" | grep -q ' __libc_malloc_impl$' || skip "the ceilings are of the static build with musl"
	if readelf -p .comment "$RUNTIME" | grep -q clang; then skip "the ceilings are of gcc's build"; fi
	if nm "$RUNTIME" | grep -q __asan_init; then skip "the ceilings are of a build without sanitizers"; fi
}

# few OPERATION INSTRUCTIONS
few() {
	echo "$1: $2 instructions" >>"$T/counts"
	max=$(printf '%s' "$STEP_CEILINGS" | awk -v what="$1" '$1 == what { print $2 }')
	[ "$2" -gt 5000 ] || fail "$1: $2 instructions cannot be all"
	[ "$2" -le "$max" ] || {
		sed 1d "$T/steps" >&2
		fail "$1: $2 instructions, the ceiling is $max"
	}
}

steps() {
	steps_of "$T/steps" "$RUNTIME" --root "$ROOT" "$@"
}

# The same as callgrind counts, which takes a turn of a string instruction for nothing.
counted_well() {
	steppable
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	ours=$(steps spec --help)
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$RUNTIME" spec --help >"$T/o" 2>"$T/e"
	theirs=$(sed -n 's/.*Collected : //p' "$T/e")
	echo "ours $ours, callgrind's $theirs"
	[ "$theirs" -gt 5000 ] && [ $((ours * 100)) -ge $((theirs * 97)) ] && [ $((ours * 100)) -le $((theirs * 105)) ]
}
t "instructions are counted as callgrind counts them" counted_well

instructions() {
	steppable
	bundle steps '' sleep 100
	if [ -n "${LONG-}" ]; then	# twenty seconds, for what shim-create has as well
		few create "$(steps create --bundle "$B" "$ID")"
	else
		rt create --bundle "$B" "$ID" </dev/null >"$T/o"
	fi
	few state "$(steps state "$ID")"
	few start "$(steps start "$ID")"
	few exec "$(steps exec "$ID" /bin/true)"
	few kill "$(steps kill "$ID" KILL)"
	until_true 5 is_state "$ID" stopped
	few delete "$(steps delete "$ID")"
}
t "instructions: create (long), state, start, exec, kill, delete" instructions

stepped() {
	what=$1
	shift
	steps_watch "$T/steps" "$S"
	"$@" >"$T/o"
	steps_watched "$T/steps"
	few "$what" "$STEPS"
}

shim_instructions() {
	steppable
	shim_life stepped
}
t "instructions: the shim's Create, Start, exec round trip, Delete" shim_instructions

# ---- idle servers ----------------------------------------------------------------------

asleep() {
	bundle asleep '' sleep 100
	served
	tc create id="$ID" bundle="$B" >/dev/null
	tc start id="$ID" >/dev/null
	sleep 3
	wakeups() {
		cat /proc/"$S"/task/*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'
	}
	before=$(wakeups)
	sleep 3
	is "$(wakeups)" "$before"
	tc kill id="$ID" signal=9
	tc wait id="$ID" >/dev/null
	tc delete id="$ID" >/dev/null
	tc shutdown id="$ID" >/dev/null 2>&1 || :
	until_true 4 test ! -e "$A"
}
t "an idle server is not woken" asleep

# ---- the floor of the benches --------------------------------------------------------

# What is inside, without what differs from one container to the next.
LOOK='sed "s/^[0-9]* [0-9]* [0-9:]* //" /proc/self/mountinfo; ls -l /dev | sed "s/[A-Z][a-z][a-z]  *[0-9]* [0-9:]* / /"
	grep -e ^Cap -e ^NoNew -e ^Seccomp: /proc/self/status; ulimit -n; ulimit -c; hostname; ip -o link; umask; pwd; env | sort; id
	cat /proc/self/cgroup; for f in /proc/self/fd/[0-9]; do echo "$f"; done'

same_as_floor() {
	mkdir "$T/spec"
	(cd "$T/spec" && "$RUNTIME" spec)
	jq --arg root "$T/rootfs" --arg look "$LOOK" --arg cg "/$TAG-floor" '.process.terminal = false | .root.path = $root
		| .linux.cgroupsPath = $cg | del(.linux.resources) | .process.args = ["/bin/sh", "-c", $look]' \
		"$T/spec/config.json" >"$T/spec/c"
	mv "$T/spec/c" "$T/spec/config.json"
	status 0 rt run --bundle "$T/spec" "$TAG-floor"
	mv "$T/o" "$T/cleat.look"
	status 0 "$FLOOR" -g "$TAG-floor" "$T/rootfs" /bin/sh -c "$LOOK"
	diff "$T/cleat.look" "$T/o"
	[ "$(wc -l <"$T/o")" -gt 40 ] || fail "that is not much"
	status 7 "$FLOOR" "$T/rootfs" /bin/sh -c 'exit 7'
}
t "the floor program makes the container of cleat spec" same_as_floor

[ -z "${SHOW_COUNTS-}" ] || sed 's/^/# /' "$T/counts"
finish

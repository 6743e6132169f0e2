# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Driving a shim without containerd: start actions, calls by task-client, the
# events that come back. Source after lib.sh and suite, then call events_listen.
# SHIM_BIN: the shim under test, or a wrapper of it.

SHIM_BIN=${SHIM_BIN:-$O/containerd-shim-cleat-v2}
CLIENT=$TOOLS/task-client
for f in "$SHIM_BIN" "$CLIENT"; do
	[ -x "$f" ] || { echo "Bail out! no $f"; exit 1; }
done

# events_listen: stand in for containerd's event service; what comes is in $T/events.
events_listen() {
	EV=$T/ev
	"$CLIENT" events-server "$EV.ttrpc" >"$T/events" 2>&1 &
	daemon $!
	until_true 5 test -S "$EV.ttrpc"
	expect
}

# boot NAME FILTER ARG...: a bundle and a server for it. Sets B, ID, A.
boot() {
	rm -f "$T/si" "$T/so" "$T/fo" "$T/fe" "$T/xo"
	bundle "$@"
	shim_start
}

# shim_start: a server for the bundle made last; START_IN is the file with what containerd would say on stdin.
shim_start() {
	cd "$B"
	A=$(TTRPC_ADDRESS=$EV.ttrpc "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" start \
		<"${START_IN:-/dev/null}")
	cd "$T"
	A=${A#unix://}
	[ -S "$A" ]
	MARK=$(($(wc -l <"$T/events") + 1))
}

# The events since the last server was started.
events() {
	tail -n "+$MARK" "$T/events"
}

# tc METHOD [FIELD=VALUE...]
tc() {
	timeout "${LONG:+9}60" "$CLIENT" --namespace "$NS" "$A" "$@"
}

# code NUMBER METHOD ...: it fails with this status.
code() {
	want=$1
	shift
	got=0
	tc "$@" >"$T/o" 2>"$T/e" || got=$?
	[ "$got" = 1 ] || fail "$*: exit $got: $(cat "$T/o" "$T/e")"
	has "$(head -n 1 "$T/o")" "^status $want "
}

field() {
	sed -n "s/^$1=//p"
}

# shellcheck disable=SC2119,SC2120	# suites give it fields
create() {
	tc create id="$ID" bundle="$B" "$@" >"$T/o"
}

# running NAME FILTER ARG...: a container that runs.
running() {
	boot "$@"
	create
	tc start id="$ID" >/dev/null
}

# down: delete and shut down; the server and its socket are gone then.
down() {
	tc kill id="$ID" signal=9 all=1 >/dev/null 2>&1 || :
	tc wait id="$ID" >/dev/null 2>&1 || :
	tc delete id="$ID" >/dev/null
	away
}

away() {
	tc shutdown id="$ID" >/dev/null 2>&1 || :
	until_true 4 test ! -e "$A"
}

topics() {
	events | sed -n 's|^/tasks/\([a-z-]*\) .*|\1|p' | tr '\n' ' '
}

# topics_are "create start ...": within two seconds, these and no others.
topics_are() {
	for poll in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(topics)" != "$1" ] || break
		sleep 0.2
	done
	is "$(topics)" "$1"
}

server_pid() {
	tc connect id="$ID" | field shim_pid
}

# workers NAME: pids of the server's workers of this kind.
workers() {
	for p in $(pgrep -P "$(cat "$T/server")"); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != "cleat:$1" ] || echo "$p"
	done
}

workers_are() {
	[ "$(workers "$1" | wc -l)" = "$2" ]
}

# hold: a lease on /bin/leased, so that its execve does not return before let_go (or 45 s).
hold() {
	rm -f "$T/held" "$T/rootfs/bin/leased"
	cp "$T/rootfs/bin/busybox" "$T/rootfs/bin/leased"
	perl -e '$SIG{IO} = "IGNORE"; open(F, "<", $ARGV[0]) or die; fcntl(F, 1024, 1) or die; $| = 1; print "held\n"; sleep 60' \
		"$T/rootfs/bin/leased" >"$T/held" 2>&1 &
	HOLD=$!
	until_true 3 grep -q held "$T/held"
}

let_go() {
	kill $HOLD
	wait $HOLD || :
}

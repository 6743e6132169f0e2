#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
#
# What single answers of the shim hold, field by field, where the other shim
# suites only look whether there is one.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-answers
. "${0%/*}/../harness/shim.sh"
events_listen

SLEEP='spec={"args":["/bin/sleep","1000"],"cwd":"/"}'

# exec_up NAME: an exec that sleeps; its pid.
exec_up() {
	tc exec id="$ID" exec_id="$1" "$SLEEP"
	tc start id="$ID" exec_id="$1" | field pid
}

exec_down() {
	tc kill id="$ID" exec_id="$1" signal=9
	tc wait id="$ID" exec_id="$1" >/dev/null
	tc delete id="$ID" exec_id="$1" >/dev/null
}

details() {
	boot det '' sh -c 'sleep 1000 & sleep 1000 & wait'
	create
	init=$(field pid <"$T/o")
	tc start id="$ID" >/dev/null
	one=$(exec_up one)
	two=$(exec_up two)
	tc exec id="$ID" exec_id=never "$SLEEP"
	until_true 3 sh -c "'$CLIENT' --namespace $NS $A pids id=$ID | grep -c 'pid=[0-9]' | grep -qx 5"
	tc pids id="$ID" >"$T/o"
	# "PID EXEC" of those that have one
	awk -F= '/\.pid=/ { pid = $2 } /\.info\.type_url=/ { type = $2 } /\.info\.exec_id=/ { print pid, $2, type }' "$T/o" | sort >"$T/infos"
	is "$(cat "$T/infos")" "$(printf '%s one %s\n%s two %s\n' "$one" containerd.runc.v1.ProcessDetails "$two" containerd.runc.v1.ProcessDetails | sort)"
	is "$(grep -c "pid=$init$" "$T/o")" 1
	# all of them are the host's pids of this container
	sed -n 's/.*\.pid=//p' "$T/o" | while read -r p; do has "$(cat "/proc/$p/cgroup")" "/$TAG-det$"; done
	exec_down one
	hasnt "$(tc pids id="$ID")" 'exec_id=one'
	exec_down two
	down
}
t "Pids: each process once, and of which exec it is" details

paused_exec() {
	running pe '' sleep 1000
	pid=$(exec_up e)
	tc exec id="$ID" exec_id=added "$SLEEP"
	tc pause id="$ID"
	is "$(tc state id="$ID" | field status)" PAUSED
	is "$(tc state id="$ID" exec_id=e | field status)" PAUSED
	code 9 start id="$ID" exec_id=added
	tc resume id="$ID"
	is "$(tc state id="$ID" exec_id=e | field status)" RUNNING
	tc state id="$ID" exec_id=e >"$T/o"
	is "$(field id <"$T/o") $(field exec_id <"$T/o") $(field pid <"$T/o") $(field exit_status <"$T/o")" "e e $pid 0"
	is "$(field bundle <"$T/o")" "$B"
	exec_down e
	down
}
t "State of an exec while its container is paused" paused_exec

exec_resize() {
	running er '' sleep 1000
	mkfifo "$T/si" "$T/so"
	cat "$T/so" >"$T/ro" &
	r=$!
	tc exec id="$ID" exec_id=t terminal=1 stdin="$T/si" stdout="$T/so" \
		'spec={"args":["/bin/sh","-c","stty -echo; stty size; read x; stty size; echo end"],"cwd":"/","env":["PATH=/bin"]}'
	# before its start, while it runs, after its end
	tc resize id="$ID" exec_id=t width=101 height=21
	tc start id="$ID" exec_id=t >/dev/null
	until_true 5 grep -q '^21 101' "$T/ro"
	tc resize id="$ID" exec_id=t width=133 height=41
	is "$(tc state id="$ID" exec_id=t | field terminal)" 1
	timeout 5 sh -c "echo >'$T/si'"
	is "$(tc wait id="$ID" exec_id=t | field exit_status)" 0
	code 9 resize id="$ID" exec_id=t width=1 height=1
	tc delete id="$ID" exec_id=t >/dev/null
	wait $r
	is "$(tr -d '\r' <"$T/ro" | grep -v '^$' | grep -A1 -x '41 133' | tail -n 2 | tr '\n' ' ')" "41 133 end "
	has "$(tr -d '\r' <"$T/ro")" '^21 101$'
	code 5 resize id="$ID" exec_id=none width=1 height=1
	# one without a terminal has no size, and that is no error
	exec_up plain >/dev/null
	tc resize id="$ID" exec_id=plain width=1 height=1
	exec_down plain
	down
}
t "ResizePty of an exec: before its start, while it runs, after its end" exec_resize

schemes() {
	boot sch '' true
	for s in ttrpc+unix://$T/x?streaming_id=1 grpc+unix://$T/x ttrpc+vsock://2:1024 grpc+hvsock://x http://x; do
		code 3 create id="$ID" bundle="$B" stdout="$s"
		grep -qF "unknown STDIO scheme ${s%%:*}: " "$T/o" || fail "$(cat "$T/o")"
		code 3 create id="$ID" bundle="$B" stdin="$s"
		code 3 create id="$ID" bundle="$B" stderr="$s"
	done
	code 3 create id="$ID" bundle="$B" stdin="file://$T/in"
	code 3 create id="$ID" bundle="$B" stdout=relative
	create
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	# an exec's is refused by Exec or by its Start, and the container does not notice
	down
	running sch '' sleep 100
	got=0
	tc exec id="$ID" exec_id=e stdout="ttrpc+unix://$T/x" "$SLEEP" >"$T/o" 2>&1 || got=$?
	[ $got != 0 ] || code 3 start id="$ID" exec_id=e
	has "$(cat "$T/o")" 'status 3 .*unknown STDIO scheme ttrpc\+unix'
	is "$(tc state id="$ID" | field status)" RUNNING
	down
}
t "stdio of a scheme that is not ours: InvalidArgument, and which" schemes

# exit_after READER-SCRIPT: milliseconds from the start of a program that prints a line to the answer of Wait.
exit_after() {
	rm -f "$T/slow"
	mkfifo "$T/slow"
	: >"$T/line"
	sh -c "exec <'$T/slow'; $1" >>"$T/line" &
	reader=$!
	boot slow '' echo hello
	create stdout="$T/slow"
	from=$(date +%s%3N)
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	echo $(($(date +%s%3N) - from)) >"$T/ms"
	echo told >>"$T/line"
	wait $reader
	tc delete id="$ID" >/dev/null
	away
}

# containerd's client drops a reader that has not come to its first read when it hears of the exit.
slow_reader() {
	exit_after 'sleep 0.12; head -n 1; cat'
	is "$(cat "$T/line")" "$(printf 'hello\ntold')"
	exit_after 'sleep 1; cat'
	is "$(cat "$T/line")" "$(printf 'told\nhello')"
	[ "$(cat "$T/ms")" -ge 200 ] && [ "$(cat "$T/ms")" -lt 900 ] || fail "told after $(cat "$T/ms") ms"
	exit_after 'cat'
	[ "$(cat "$T/ms")" -lt 200 ] || fail "told after $(cat "$T/ms") ms"
}
t "an exit is told when its output is being read, or after a quarter of a second" slow_reader

info() {
	"$SHIM_BIN" -info </dev/null >"$T/raw" 2>"$T/e"
	is "$(cat "$T/e")" ""
	"$CLIENT" decode containerd.types.RuntimeInfo <"$T/raw" >"$T/o"
	is "$(field name <"$T/o")" io.containerd.cleat.v2
	is "$(field version.version <"$T/o")" "$("$SHIM_BIN" -v | sed -n 's/.*Version: *//p')"
	is "$(field features.type_url <"$T/o")" types.containerd.io/opencontainers/runtime-spec/1/features/Features
	is "$(grep -c '^options' "$T/o")" 0
	is "$(grep -c '^annotations' "$T/o")" 0
	# printed by backslash and number, what is no text
	field features.value <"$T/o" | sed 's/\\x0a/ /g; s/\\x09/ /g' >"$T/features"
	is "$(jq -r '.linux | type' "$T/features")" object
	jq -e '.ociVersionMin and .ociVersionMax and (.mountOptions | index("rro")) and (.linux.namespaces | index("user"))
		and (.linux.mountExtensions.idmap.enabled | type == "boolean")' "$T/features" >/dev/null || fail "$(cat "$T/features")"
	is "$(jq -cS . "$T/features")" "$("$RUNTIME" features | jq -cS .)"
	# options come back as they were
	"$CLIENT" encode containerd.runc.v1.Options io_uid=77 root=/some >"$T/value"
	"$CLIENT" encode google.protobuf.Any type_url=containerd.runc.v1.Options "value=@$T/value" >"$T/any"
	( cd / && "$SHIM_BIN" -info <"$T/any" >"$T/raw" )
	"$CLIENT" decode containerd.types.RuntimeInfo <"$T/raw" >"$T/o"
	is "$(field options.io_uid <"$T/o") $(field options.root <"$T/o")" "77 /some"
	"$CLIENT" encode google.protobuf.Any type_url=example.com/x.v1 value=word >"$T/any"
	"$SHIM_BIN" -info <"$T/any" | "$CLIENT" decode containerd.types.RuntimeInfo >"$T/o"
	is "$(field options.type_url <"$T/o") $(field options.value <"$T/o")" "example.com/x.v1 word"
}
t "-info: the features that cleat has, options echoed" info

finish

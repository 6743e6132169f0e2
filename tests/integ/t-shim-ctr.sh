#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Debian's containerd with our shim, driven by ctr.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/containerd.sh"
LEAK_WAIT=5
suite shim-ctr
containerd_choose
if ip link set lo up 2>/dev/null; then	# of the suite's own network namespace
	CD_MORE='[metrics]
address = "127.0.0.1:1338"'
fi
containerd_start

# Until R is gone from containerd: task and container.
no_task() {
	! ctr task ls -q | grep -qx "$1"
}

away() {
	ctr task kill -s SIGKILL "$1" >/dev/null 2>&1 || :
	until_true 5 sh -c "! ctr task ls | grep -q '^$1 .*RUNNING'"
	ctr task delete "$1" >/dev/null 2>&1 || :
	ctr container delete "$1"
}

# up ID COMMAND...: a detached container with null stdio.
up() {
	i=$1
	shift
	ctr_run -d --null-io --rootfs "$T/rootfs" "$i" "$@"
}

# ---- run -------------------------------------------------------------------------------

run_both() {
	status 7 ctr_run --rm --rootfs "$T/rootfs" "$TAG-both" /bin/sh -c 'echo out; echo err >&2; exit 7'
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
	is "$(ctr task ls -q)$(ctr container ls -q)" ""
}
t "ctr run: both streams, status 7, nothing left" run_both

run_statuses() {
	for s in 0 1 126 127 255; do
		status $s ctr_run --rm --rootfs "$T/rootfs" "$TAG-st$s" /bin/sh -c "exit $s"
	done
	status 137 ctr_run --rm --rootfs "$T/rootfs" "$TAG-stk" /bin/sh -c 'sh -c "kill -9 \$\$"; exit $?'
}
t "ctr run: exit statuses" run_statuses

run_stdin() {
	head -c 2000000 /dev/urandom >"$T/big"
	ctr_run --rm --rootfs "$T/rootfs" "$TAG-in" sha256sum <"$T/big" >"$T/o"
	is "$(cut -d' ' -f1 "$T/o")" "$(sha256sum <"$T/big" | cut -d' ' -f1)"
}
t "ctr run: 2 MB through stdin" run_stdin

run_output() {
	ctr_run --rm --rootfs "$T/rootfs" "$TAG-big" sh -c 'head -c 20000000 /dev/zero | tr "\0" x' >"$T/o"
	is "$(wc -c <"$T/o")" 20000000
}
t "ctr run: 20 MB of output" run_output

run_lines() {
	ctr_run --rm --rootfs "$T/rootfs" "$TAG-ln" sh -c 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done' >"$T/o"
	is "$(wc -l <"$T/o")" 20000
	is "$(tail -n 1 "$T/o")" "line 19999"
}
t "ctr run: 20000 short lines, in order" run_lines

run_missing() {
	status 1 ctr_run --rm --rootfs "$T/rootfs" "$TAG-miss" /no/such/program
	has "$(cat "$T/e")" '/no/such/program.*no such file or directory'
	status 1 ctr_run --rm --rootfs "$T/rootfs" "$TAG-miss" nonesuch
	has "$(cat "$T/e")" 'nonesuch.*executable file not found in \$PATH'
	status 1 ctr_run --rm --rootfs "$T/nothing" "$TAG-miss"  /bin/true
	is "$(ctr container ls -q)" ""
}
t "ctr run: what fails says why and leaves nothing" run_missing

run_image() {
	image_tar
	ctr image import "$T/image.tar" >/dev/null 2>&1
	status 5 ctr_run --rm --snapshotter native docker.io/library/busybox:test "$TAG-img" sh -c 'echo image; exit 5'
	is "$(cat "$T/o")" image
}
t "ctr run: an image and its snapshot" run_image

# The lines of the documentation. No suite of Debian's has nerdctl: its line can only be compared.
documented() {
	[ -n "$CLEAT_SHIM" ] || skip "our shim"
	image_tar
	ctr image import "$T/image.tar" >/dev/null 2>&1
	line=$(snippet ctr | sed '/^$/d')
	has "$line" '^ctr run .* IMAGE ID COMMAND$'
	shown ctr '**containerd**'
	got=0
	eval "$(printf '%s' "$line" | sed "s|IMAGE ID COMMAND|--snapshotter native docker.io/library/busybox:test $TAG-doc sh -c 'echo doc; exit 6'|")" >"$T/o" 2>"$T/e" || got=$?
	is "$got $(cat "$T/o")" "6 doc"
	is "$(snippet nerdctl | sed '/^$/d')" "$(printf '%s' "$line" | sed 's/^ctr run --rm/nerdctl run/; s/ ID / /')"
}
t "ctr and nerdctl as the documentation has them" documented

run_tty() {
	got=0
	script -qec "stty rows 22 cols 99; ctr run --rm -t --runtime '$SHIM' --env PATH=/bin --rootfs '$T/rootfs' '$TAG-tty' sh -c 'sleep 0.5; tty; stty size; exit 4'" \
		/dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 4
	has "$(tr -d '\r' <"$T/o")" '/dev/(pts/0|console)$'
	has "$(tr -d '\r' <"$T/o")" '^22 99$'
}
t "ctr run -t: a terminal, its size" run_tty

run_tty_input() {
	( sleep 1.5; printf 'hello\n'; sleep 1 ) |
		script -qec "ctr run --rm -t --runtime '$SHIM' --env PATH=/bin --rootfs '$T/rootfs' '$TAG-tin' sh -c 'read x; echo got:\$x'" \
		/dev/null >"$T/o" 2>&1
	has "$(tr -d '\r' <"$T/o")" 'got:hello'
}
t "ctr run -t: input" run_tty_input

run_options() {
	mkdir -p "$T/vol"
	echo volume >"$T/vol/f"
	status 0 ctr_run --rm --rootfs --env A=b --cwd /etc --memory-limit 67108864 \
		--mount "type=bind,src=$T/vol,dst=/vol,options=rbind:ro" "$T/rootfs" "$TAG-opt" \
		sh -c 'echo $A; pwd; cat /vol/f; touch /vol/x 2>/dev/null || echo ro; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
	has "$(tr '\n' ' ' <"$T/o")" '^b /etc volume ro '
}
t "ctr run: environment, folder, volume, memory limit" run_options

run_read_only() {
	status 0 ctr_run --rm --read-only --rootfs "$T/rootfs" "$TAG-ro" sh -c 'touch /x || echo ro'
	is "$(cat "$T/o")" ro
}
t "ctr run --read-only" run_read_only

run_privileged() {
	status 0 ctr_run --rm --privileged --rootfs "$T/rootfs" "$TAG-priv" sh -c 'grep CapBnd /proc/self/status; mount -t tmpfs x /tmp && echo mounted'
	has "$(cat "$T/o")" '^mounted$'
}
t "ctr run --privileged" run_privileged

run_seccomp() {
	status 0 ctr_run --rm --seccomp --rootfs "$T/rootfs" "$TAG-sc" grep ^Seccomp: /proc/self/status
	has "$(cat "$T/o")" '2$'
}
t "ctr run --seccomp: containerd's default profile" run_seccomp

run_net_host() {
	status 0 ctr_run --rm --net-host --rootfs "$T/rootfs" "$TAG-nh" readlink /proc/self/ns/net
	is "$(cat "$T/o")" "$(readlink /proc/$CD_PID/ns/net)"
	is "$(grep -c @ /proc/net/unix || :)" 0
}
t "ctr run --net-host; no abstract socket exists" run_net_host

# ---- tasks --------------------------------------------------------------------------------

task_life() {
	up "$TAG-life" sleep 100
	has "$(ctr task ls)" "$TAG-life +[0-9]+ +RUNNING"
	pid=$(ctr task ls | awk -v i="$TAG-life" '$1 == i { print $2 }')
	is "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 100 "
	has "$(ctr task ps "$TAG-life")" "^$pid"
	status 9 ctr task exec --exec-id e1 "$TAG-life" sh -c 'echo eout; echo eerr >&2; exit 9'
	is "$(cat "$T/o")" eout
	is "$(cat "$T/e")" eerr
	is "$(echo through | ctr task exec --exec-id e2 "$TAG-life" cat)" through
	status 1 ctr task exec --exec-id e3 "$TAG-life" nonesuch
	has "$(cat "$T/e")" 'nonesuch.*executable file not found in \$PATH'
	ctr task pause "$TAG-life"
	has "$(ctr task ls)" "$TAG-life +[0-9]+ +PAUSED"
	ctr task resume "$TAG-life"
	has "$(ctr task ls)" "$TAG-life +[0-9]+ +RUNNING"
	ctr task kill -s SIGTERM "$TAG-life"
	ctr task kill -s SIGKILL "$TAG-life"
	until_true 5 sh -c "ctr task ls | grep -q '$TAG-life .*STOPPED'"
	status 0 ctr task delete "$TAG-life"
	has "$(cat "$T/e")" 'exit code 137'
	ctr container delete "$TAG-life"
}
t "ctr task: ls, ps, exec, pause, resume, kill, delete" task_life

task_kill_exec() {
	up "$TAG-ke" sleep 100
	( got=0
	ctr task exec --exec-id ex "$TAG-ke" sh -c 'trap "exit 44" TERM; echo up; while :; do sleep 0.05; done' >"$T/ke.out" || got=$?
	echo $got >"$T/ke.rc" ) &
	until_true 5 grep -q up "$T/ke.out"
	ctr task kill --exec-id ex -s SIGTERM "$TAG-ke"
	until_true 5 test -s "$T/ke.rc"
	is "$(cat "$T/ke.rc")" 44
	away "$TAG-ke"
}
t "ctr task kill --exec-id" task_kill_exec

exec_tty() {
	up "$TAG-et" sleep 100
	got=0
	script -qec "stty rows 20 cols 70; ctr task exec -t --exec-id t1 '$TAG-et' sh -c 'sleep 0.5; tty; stty size; exit 3'" \
		/dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 3
	has "$(tr -d '\r' <"$T/o")" '/dev/pts/0$'
	has "$(tr -d '\r' <"$T/o")" '^20 70$'
	away "$TAG-et"
}
t "ctr task exec -t" exec_tty

exec_user() {
	up "$TAG-eu" sleep 100
	is "$(ctr task exec --exec-id u1 --user 12:34 --cwd /etc "$TAG-eu" sh -c 'id -u; id -g; pwd' | tr '\n' ' ')" "12 34 /etc "
	away "$TAG-eu"
}
t "ctr task exec --user --cwd" exec_user

metrics() {
	up "$TAG-me" sleep 100
	m=$(ctr task metrics "$TAG-me")
	has "$m" "^$TAG-me"
	has "$m" '^memory\.usage|^memory\.usage_in_bytes'
	has "$m" '^pids\.current +1 *$'
	has "$m" '^cpuacct\.usage|^cpu\.usage_usec'
	away "$TAG-me"
}
t "ctr task metrics" metrics

# What containerd makes of the message for Prometheus.
metrics_plugin() {
	[ -n "${CD_MORE-}" ] || skip "ip is not installed"
	up "$TAG-mp" sleep 100
	until_true 20 sh -c "busybox wget -q -O '$T/m' http://127.0.0.1:1338/v1/metrics && grep -q 'container_id=\"$TAG-mp\"' '$T/m'"
	m=$(grep "container_id=\"$TAG-mp\"" "$T/m")
	has "$m" '^container_pids_current[a-z_]*\{.*\} 1$'
	has "$m" '^container_memory_usage_usage_bytes\{.*\} [1-9]|^container_memory_usage_bytes\{.*\} [1-9]'
	[ -z "$CLEAT_SHIM" ] || [ ! -d /sys/fs/cgroup/pids ] ||
		is "$(ctr task metrics --format json "$TAG-mp" | jq -c '.cgroup_stats.nr_sleeping')" 1
	away "$TAG-mp"
}
t "containerd's metrics plugin reads what Stats tells" metrics_plugin

task_start() {
	# ctr takes options behind the id for its own here.
	printf '#!/bin/sh\nexit 12\n' >"$T/rootfs/bin/exit12"
	chmod 0755 "$T/rootfs/bin/exit12"
	ctr container create --runtime "$SHIM" --env PATH=/bin --rootfs "$T/rootfs" "$TAG-cs" /bin/exit12
	status 12 ctr task start "$TAG-cs" </dev/null
	ctr task delete "$TAG-cs" >/dev/null 2>&1 || :
	ctr container delete "$TAG-cs"
}
t "ctr container create, task start" task_start

attach() {
	printf '#!/bin/sh\nread x; echo "got $x"; exit 2\n' >"$T/rootfs/bin/echo2"
	chmod 0755 "$T/rootfs/bin/echo2"
	ctr container create --runtime "$SHIM" --env PATH=/bin --rootfs "$T/rootfs" "$TAG-at" /bin/echo2
	ctr task start -d "$TAG-at"
	got=0
	( sleep 0.3; echo word; sleep 1 ) | ctr task attach "$TAG-at" >"$T/o" 2>"$T/e" || got=$?
	has "$(cat "$T/o")" 'got word'
	is "$got" 2
	away "$TAG-at" >/dev/null 2>&1 || :
}
t "ctr task start -d, attach" attach

# ---- events --------------------------------------------------------------------------------------

events_start() {
	command ctr events >"$T/events" 2>&1 &
	EV=$!
	# Events of before the subscription are lost: provoke some until one arrives.
	for poll in $(seq 100); do
		ctr namespaces label "$NS" "poll=$poll"
		if grep -aq /namespaces/update "$T/events"; then return; fi
		sleep 0.1
	done
	fail "no events: $(cat "$T/events")"
}

# events_stop ID TOPIC: once that has come, the last that is expected; and a moment more, for what is not.
events_stop() {
	until_true 10 grep -aq " /tasks/$2 .*\"$1\"" "$T/events"
	sleep 0.3
	kill $EV 2>/dev/null || :
	wait $EV 2>/dev/null || :
}

# topics ID: the task topics of this container, in order.
topics() {
	grep -aF "\"$1\"" "$T/events" | sed -n 's|.* /tasks/\([a-z-]*\) .*|\1|p' | tr '\n' ' '
}

event_order() {
	events_start
	status 3 ctr_run --rm --rootfs "$T/rootfs" "$TAG-ev" sh -c 'exit 3'
	events_stop "$TAG-ev" delete
	is "$(topics "$TAG-ev")" "create start exit delete "
	has "$(grep -aF /tasks/exit "$T/events")" '"exit_status":3'
}
t "events: create, start, exit, delete, once each and in order" event_order

event_exec() {
	up "$TAG-ee" sleep 100
	events_start
	status 6 ctr task exec --exec-id one "$TAG-ee" sh -c 'exit 6'
	ctr task pause "$TAG-ee"
	ctr task resume "$TAG-ee"
	events_stop "$TAG-ee" resumed
	has "$(topics "$TAG-ee")" '^exec-added exec-started exit paused resumed $'
	has "$(grep -aF /tasks/exit "$T/events")" '"exit_status":6'
	away "$TAG-ee"
}
t "events: of an exec, pause, resume" event_exec

oom() {
	for i in $(seq "$(count 3 100)"); do
		events_start
		status 137 ctr_run --rm --memory-limit 20971520 --rootfs "$T/rootfs" "$TAG-oom" dd if=/dev/zero of=/dev/null bs=200M count=1
		events_stop "$TAG-oom" delete
		is "$(topics "$TAG-oom")" "create start oom exit delete "
	done
}
t "OOM: its event comes, before the exit" oom

# ---- many ---------------------------------------------------------------------------------------

no_shims() {
	[ -z "$(shims)" ]
}

many() {
	for i in $(seq "$(count 15 1000)"); do
		status $((i % 128)) ctr_run --rm --rootfs "$T/rootfs" "$TAG-m$i" sh -c "echo $i; exit $((i % 128))"
		is "$(cat "$T/o")" "$i"
	done
	until_true 5 no_shims
}
t "many short containers, one after the other" many

many_at_once() {
	pids=
	for i in $(seq "$(count 10 100)"); do
		( got=0; ctr_run --rm --rootfs "$T/rootfs" "$TAG-p$i" sh -c "echo $i; exit $i" >"$T/p.$i" 2>"$T/p.$i.e" </dev/null || got=$?
		[ $got = "$i" ] && [ "$(cat "$T/p.$i")" = "$i" ] ) &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p" || { cat "$T"/p.*.e; exit 1; }
	done
}
t "many at once" many_at_once

execs_at_once() {
	up "$TAG-pe" sleep 100
	pids=
	for i in $(seq "$(count 15 100)"); do
		( got=0; ctr task exec --exec-id "x$i" "$TAG-pe" sh -c "echo $i; exit $i" >"$T/p.$i" 2>"$T/p.$i.e" </dev/null || got=$?
		[ $got = "$i" ] && [ "$(cat "$T/p.$i")" = "$i" ] ) &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p" || { cat "$T"/p.*.e; exit 1; }
	done
	away "$TAG-pe"
}
t "many execs at once" execs_at_once

# ---- crashes ------------------------------------------------------------------------------------------

shim_killed() {
	up "$TAG-sk" sh -c 'sleep 100 & sleep 100'
	s=$(shims | sed -n "s|^\([0-9]*\) .* -id $TAG-sk .*|\1|p")
	[ -n "$s" ]
	kill -9 "$s"
	until_true 10 sh -c "! ctr task ls | grep -q '$TAG-sk .*RUNNING'"
	ctr task delete "$TAG-sk" >/dev/null 2>&1 || :
	ctr container delete "$TAG-sk"
}
t "SIGKILL to the shim: containerd's delete action clears everything" shim_killed

containerd_restart() {
	up "$TAG-re" sh -c 'trap "exit 21" TERM; while :; do sleep 0.05; done'
	kill $CD_PID
	: >"$T/restarted"
	until_true 10 sh -c "! kill -0 $CD_PID 2>/dev/null || grep -q '^State:.Z' /proc/$CD_PID/status"
	PATH=$O:$PATH containerd --config "$CD/config.toml" >>"$CD/log" 2>&1 &
	new=$!
	# Only this test's subshell is its parent: it is stopped before the test ends.
	until_true 10 ctr version
	until_true 5 sh -c "ctr task ls | grep -q '$TAG-re .*RUNNING'"
	is "$(ctr task exec --exec-id after "$TAG-re" echo still)" still
	ctr task kill -s SIGTERM "$TAG-re"
	until_true 5 sh -c "ctr task ls | grep -q '$TAG-re .*STOPPED'"
	status 0 ctr task delete "$TAG-re"
	has "$(cat "$T/e")" 'exit code 21'
	ctr container delete "$TAG-re"
	kill $new
	wait $new || :
}
finish_restart() {
	[ -e "$T/restarted" ] || return 0
	rm "$T/restarted"
	wait "$CD_PID" 2>/dev/null
	containerd_start
}
t "containerd restarts: the container lives on, its exit arrives" containerd_restart
finish_restart

# Containers that stay, that end while containerd is away, and that are busy with execs when it is killed.
killed_under_load() {
	n=$(count 6 60)
	for j in $(seq "$n"); do
		up "$TAG-s$j" sleep 1000
		up "$TAG-e$j" sh -c "while [ ! -e /tmp/$TAG.go ]; do sleep 0.1; done; exit $((j + 1))"
	done
	for k in 1 2 3 4; do
		( i=0; while i=$((i + 1)); ctr task exec --exec-id "l$k-$i" "$TAG-s$k" true >/dev/null 2>&1; do :; done ) &
	done
	sleep 1
	kill -9 $CD_PID
	: >"$T/restarted"
	: >"$T/rootfs/tmp/$TAG.go"
	wait
	sleep 2
	# It takes events elsewhere until somebody listens: then each of meanwhile is seen, for nobody but the shims keeps them.
	sed "/^\[ttrpc\]/,/address/s|\.ttrpc\"|.later\"|" "$CD/config.toml" >"$CD/later.toml"
	rm -f "$CD_SOCK.ttrpc"
	PATH=$O:$PATH containerd --config "$CD/later.toml" >>"$CD/log" 2>&1 &
	new=$!
	until_true 20 ctr version
	events_start
	is "$(grep -ac ' /tasks/' "$T/events")" 0
	ln -s "$CD_SOCK.later" "$CD_SOCK.ttrpc"
	until_true 20 sh -c "test \$(grep -ac ' /tasks/exit .*\"id\":\"$TAG-e' '$T/events') -ge $n"
	ctr task ls >"$T/ls"
	for j in $(seq "$n"); do
		has "$(cat "$T/ls")" "^$TAG-s$j +[0-9]+ +RUNNING"
		status 0 ctr task delete "$TAG-e$j"
		has "$(cat "$T/e")" "exit code $((j + 1))([^0-9]|$)"
		ctr container delete "$TAG-e$j"
		[ "$j" -gt 4 ] || is "$(ctr task exec --exec-id after "$TAG-s$j" echo still)" still
		away "$TAG-s$j"
	done
	kill $EV
	wait $EV || :
	for j in $(seq "$n"); do
		is "$(grep -aF " /tasks/exit {\"container_id\":\"$TAG-e$j\"," "$T/events" | sed 's/.*"exit_status":\([0-9]*\).*/\1/')" $((j + 1))
	done
	# none is told twice, no exec's either
	is "$(grep -a ' /tasks/exit ' "$T/events" | grep -o '"id":"[^"]*"\|"container_id":"[^"]*"' | paste -d' ' - - | sort | uniq -d)" ""
	rm "$CD_SOCK.ttrpc"
	rm "$T/rootfs/tmp/$TAG.go"
	until_true 5 no_shims
	kill $new
	wait $new || :
}
t "SIGKILL to containerd under load: all go on, each exit of meanwhile is there, once" killed_under_load
finish_restart

cli_sees() {
	[ -n "$CLEAT_SHIM" ] && [ -n "$CLEAT" ] || skip "cleat and its shim"
	up "$TAG-cli" sleep 100
	R=/run/containerd/cleat/$NS
	has "$("$RUNTIME" --root "$R" list)" "$TAG-cli +[0-9]+ +running"
	is "$("$RUNTIME" --root "$R" exec "$TAG-cli" echo by-cli)" by-cli
	"$RUNTIME" --root "$R" kill "$TAG-cli" KILL
	until_true 5 sh -c "ctr task ls | grep -q '$TAG-cli .*STOPPED'"
	ctr task delete "$TAG-cli" >/dev/null 2>&1 || :
	ctr container delete "$TAG-cli"
}
t "cleat --root sees and serves the shim's containers" cli_sees

binary_words() {
	[ -n "$CLEAT_SHIM" ] || skip "our shim"
	has "$("$O/containerd-shim-cleat-v2" -v)" cleat
	"$O/containerd-shim-cleat-v2" -info </dev/null >"$T/o"
	has "$(tr -c '[:print:]' '\n' <"$T/o")" 'io.containerd.cleat.v2'
	has "$(tr -c '[:print:]' '\n' <"$T/o")" 'types.containerd.io/opencontainers/runtime-spec/1/features/Features'
	status 1 "$O/containerd-shim-cleat-v2" -nonesuch start
	status 1 "$O/containerd-shim-cleat-v2" -id x start
}
t "the shim's -v, -info, wrong usage" binary_words

finish

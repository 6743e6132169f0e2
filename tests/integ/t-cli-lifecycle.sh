#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# The commands of the CLI: states, exit statuses, files and sockets it hands
# out, signals, standard I/O.
# shellcheck disable=SC2016,SC2030,SC2031	# scripts for inside; tests are subshells
. "${0%/*}/../harness/lib.sh"
suite cli-lifecycle
cp "$TOOLS/probe" "$T/rootfs/bin/"

run_streams() {
	bundle run '' sh -c 'echo out; echo err >&2; exit 7'
	status 7 run_it
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
}
t "run: both streams and the exit status" run_streams

run_stdin() {
	bundle stdin '' sh -c 'sha256sum; echo end'
	head -c 3000000 /dev/urandom >"$T/big"
	run_it <"$T/big" >"$T/o"
	is "$(head -n 1 "$T/o" | cut -d' ' -f1)" "$(sha256sum <"$T/big" | cut -d' ' -f1)"
	is "$(tail -n 1 "$T/o")" end
}
t "run: 3 MB through stdin, then its end" run_stdin

run_output() {
	bundle output '' sh -c 'head -c 5000000 /dev/zero | tr "\0" x; echo; exit 3'
	got=0
	run_it >"$T/o" || got=$?
	is "$got" 3
	is "$(wc -c <"$T/o")" 5000001
}
t "run: 5 MB of output arrive before it returns" run_output

run_statuses() {
	for want in 0 1 2 126 127 128 255; do
		bundle "st$want" '' sh -c "exit $want"
		status "$want" run_it
	done
}
t "run: every exit status comes through as it is" run_statuses

run_killed() {
	for i in 1 2; do
		rm -f "$T/out.k"
		bundle killed '' sh -c 'echo up; while :; do sleep 0.1; done'
		run_it >"$T/out.k" 2>&1 &
		run=$!
		until_true 5 grep -q up "$T/out.k"
		rt kill "$ID" 9
		got=0
		wait $run || got=$?
		is "$got" 137
	done
}
t "run: killed by SIGKILL is 137" run_killed

run_forwards() {
	bundle fwd '' sh -c 'trap "echo got; exit 9" TERM; echo up; while :; do sleep 0.05; done'
	"$RUNTIME" --root "$ROOT" run --bundle "$B" "$ID" >"$T/out.f" 2>&1 &
	run=$!
	until_true 5 grep -q up "$T/out.f"
	kill -TERM $run
	got=0
	wait $run || got=$?
	is "$got" 9
	has "$(cat "$T/out.f")" got
}
t "run: SIGTERM to the runtime reaches the program" run_forwards

run_detached() {
	bundle det '' sleep 100
	run_it -d --pid-file "$T/det.pid" </dev/null >"$T/o" 2>&1
	is_state "$ID" running
	is "$(cat "$T/det.pid")" "$(pid_of "$ID")"
	rt kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	rt delete "$ID"
}
t "run -d returns with the program running" run_detached

life() {
	bundle life '.annotations = {"a.b/c": "d \"e\""}' sh -c 'echo started; sleep 100'
	rt create --bundle "$B" "$ID" </dev/null >"$T/life.out" 2>&1
	s=$(rt state "$ID")
	is "$(echo "$s" | jq -r '.id + " " + .status + " " + .bundle')" "$ID created $B"
	has "$(echo "$s" | jq -r .ociVersion)" '^1\.'
	has "$(echo "$s" | jq -r .created)" '^[0-9-]+T[0-9:.]+Z$'
	is "$(echo "$s" | jq -r '.annotations["a.b/c"]')" 'd "e"'
	is "$(echo "$s" | jq -r .rootfs)" "$T/rootfs"
	pid=$(echo "$s" | jq -r .pid)
	kill -0 "$pid"
	[ ! -s "$T/life.out" ]
	rt start "$ID"
	is_state "$ID" running
	is "$(pid_of "$ID")" "$pid"
	until_true 5 grep -q started "$T/life.out"
	refused 1 'cannot start an already running container' rt start "$ID"
	refused 1 "that is not stopped: running" rt delete "$ID"
	is_state "$ID" running
	rt kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	is "$(pid_of "$ID")" 0
	refused 1 'cannot start a container that has stopped' rt start "$ID"
	refused 1 'container not running' rt kill "$ID" TERM
	rt delete "$ID"
	refused 1 'does not exist' rt delete "$ID"
	refused 1 'does not exist' rt state "$ID"
	refused 1 'does not exist' rt kill "$ID" KILL
	refused 1 'does not exist' rt start "$ID"
	status 0 rt delete --force "$ID"
	[ ! -s "$T/e" ]
}
t "create, state, start, kill, delete and what each refuses" life

delete_created() {
	bundle delc '' sleep 100
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	pid=$(pid_of "$ID")
	rt delete "$ID"
	# its reaper may not have come by yet
	case $(ps -o stat= -p "$pid") in "" | Z*) ;; *) fail "process $pid is alive" ;; esac
}
t "delete of a created container kills it" delete_created

delete_force() {
	bundle delf '' sh -c 'sleep 100 & sleep 100 & trap "" TERM; while :; do sleep 1; done'
	detached
	rt delete --force "$ID"
}
t "delete --force of a running container with children" delete_force

kill_created() {
	bundle killc '' sleep 100
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	rt kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	refused 1 'cannot start a container that has stopped' rt start "$ID"
	rt delete "$ID"
}
t "a created container killed is stopped and cannot start" kill_created

kill_words() {
	bundle kw '' sh -c 'for s in HUP USR1 USR2 TERM; do trap "echo $s" $s; done; echo up; while :; do sleep 0.05; done'
	detached
	until_true 5 grep -q up "$T/$ID.out"
	for s in HUP SIGUSR1 usr2 sigterm; do
		rt kill "$ID" $s
		u=$(echo "$s" | tr a-z A-Z)
		until_true 5 grep -qx "${u#SIG}" "$T/$ID.out"
	done
	: >"$T/$ID.out"
	rt kill "$ID" 10
	until_true 5 grep -q USR1 "$T/$ID.out"
	rt kill "$ID"
	until_true 5 grep -q TERM "$T/$ID.out"
	: >"$T/$ID.out"
	rt kill "$ID" ""
	until_true 5 grep -q TERM "$T/$ID.out"
	[ -z "$CLEAT" ] || rt kill "$ID" 0
	refused 1 'BOGUS' rt kill "$ID" BOGUS
	is_state "$ID" running
	gone
}
t "kill: numbers, names with and without SIG, any case" kill_words

kill_all() {
	bundle ka 'del(.linux.namespaces[] | select(.type == "pid"))' sh -c 'sleep 200 & sleep 200 & wait'
	detached
	pid=$(pid_of "$ID")
	until_true 5 sh -c 'cat /proc/"$1"/task/*/children | grep -q .' - "$pid"
	kids=$(cat /proc/"$pid"/task/*/children)
	[ "$(echo "$kids" | wc -w)" = 2 ] || { sleep 0.3; kids=$(cat /proc/"$pid"/task/*/children); }
	if [ -n "$CLEAT" ]; then rt kill "$ID" KILL; else rt kill --all "$ID" KILL; fi
	until_true 5 is_state "$ID" stopped
	for k in $kids; do
		until_true 3 sh -c "! grep -q '^State:.[^Z]' /proc/$k/status 2>/dev/null"
	done
	rt delete "$ID"
}
t "kill KILL without a pid namespace kills every process of the cgroup" kill_all

list_them() {
	bundle la '' sleep 100
	a=$ID
	detached
	bundle lb '' sleep 100
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	is "$(rt list -q | sort | tr '\n' ' ')" "$a $ID "
	is "$(rt list --format json | jq -r '[.[] | .id + "=" + .status] | sort | join(" ")')" "$a=running $ID=created"
	has "$(rt list | head -n 1)" '^ID +PID +STATUS +BUNDLE +CREATED +OWNER'
	has "$(rt list | grep "^$a ")" "^$a +[0-9]+ +running +/.* root"
	rt delete -f "$a"
	rt delete "$ID"
	[ -z "$CLEAT" ] || is "$(rt list --format json)" '[]'
	is "$(rt list -q)" ''
}
t "list: table, json, quiet, empty" list_them

pid_file() {
	bundle pf '' sleep 100
	ln -s "$T/victim" "$T/link.pid"
	echo keep >"$T/victim"
	rt create --pid-file "$T/link.pid" --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	is "$(cat "$T/victim")" keep
	printf %s "$(pid_of "$ID")" | cmp - "$T/link.pid"
	[ ! -L "$T/link.pid" ]
	rt delete "$ID"
	# relative to the caller's folder, not the bundle
	mkdir "$T/elsewhere"
	( cd "$T/elsewhere" && rt create --pid-file rel.pid --bundle "$B" "$ID" </dev/null >/dev/null 2>&1 )
	printf %s "$(pid_of "$ID")" | cmp - "$T/elsewhere/rel.pid"
	is "$(ls -A "$T/elsewhere")" rel.pid
	gone
}
t "--pid-file: exact bytes, a symlink is replaced, relative paths" pid_file

no_extra() {
	bundle nx '' sleep 100
	# Only the container holds our stdout: the reader's EOF comes with its end.
	( rt create --bundle "$B" "$ID" </dev/null 2>/dev/null | cat >"$T/eof" ) &
	reader=$!
	until_true 5 is_state "$ID" created
	rt start "$ID"
	pid=$(pid_of "$ID")
	procs >"$T/p"
	ps -o pid,ppid,comm >"$T/ps" 2>/dev/null || :
	is "$(grep -c -e cleat -e runc "$T/p")" 0
	kill -0 "$pid"
	gone
	wait $reader
}
t "create leaves no process but the container's" no_extra

bundle_cwd() {
	bundle cwd '' sh -c 'exit 4'
	cd "$B"
	status 4 rt run "$ID"
}
t "run without --bundle takes the current folder" bundle_cwd

option_forms() {
	bundle of '' sh -c 'exit 5'
	status 5 rt run "--bundle=$B" "$ID"
	status 5 rt run -b "$B" "$ID"
	[ -n "$CLEAT" ] || return 0
	status 5 rt run -bundle "$B" "$ID"
	status 5 rt run "-bundle=$B" -no-subreaper "$ID"
	status 5 "$RUNTIME" "--root=$ROOT" --log-level debug --log "$T/of.log" run -b "$B" "$ID"
}
t "options: --x V, --x=V, one dash" option_forms

odd_id() {
	bundle odd '' sh -c 'exit 6'
	for i in -rf "$TAG+_.-x" "$(printf '%0200d' 0)"; do
		status 6 rt run -b "$B" -- "$i"
	done
}
t "ids: -rf behind --, every legal character, 200 long" odd_id

# ---- exec ---------------------------------------------------------------------------

exec_basic() {
	bundle ex '.process.env += ["A=1"] | .process.cwd = "/tmp"' sleep 100
	detached
	status 7 rt exec "$ID" sh -c 'echo out; echo err >&2; exit 7'
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
	is "$(rt exec "$ID" sh -c 'echo $A $B; pwd')" "1
/tmp"
	is "$(rt exec --env A=2 --env B=3 --cwd /etc "$ID" sh -c 'echo $A $B; pwd')" "2 3
/etc"
	is "$(rt exec --user 1000:7 "$ID" id -u).$(rt exec -u 1000:7 "$ID" id -g)" 1000.7
	is "$(rt exec -u 1000 "$ID" sh -c 'id -u; id -g' | tr '\n' ' ')" "1000 0 "
	is "$(echo hello | rt exec "$ID" cat)" hello
	is "$(rt exec "$ID" sh -c 'echo $HOME')" /root
	is "$(rt exec -u 1000:1000 "$ID" sh -c 'echo $HOME')" /home
	status 143 rt exec "$ID" sh -c 'kill -TERM $$'
	status 137 rt exec "$ID" sh -c 'kill -KILL $$'
	gone
}
t "exec: streams, status, env, cwd, user, signals" exec_basic

exec_options() {
	bundle eo '' sleep 100
	detached
	is "$(rt exec -g 11 -g 12 "$ID" sh -c 'id -G')" "0 11 12"
	has "$(rt exec --cap CAP_SYS_ADMIN "$ID" grep CapEff /proc/self/status)" '0*20200420$|0*20200422$'
	has "$(rt exec "$ID" grep CapEff /proc/self/status)" '0*20000420$'
	has "$(rt exec --no-new-privs "$ID" grep NoNewPrivs /proc/self/status)" '1$'
	gone
}
t "exec: additional gids, capabilities, no_new_privs" exec_options

exec_process() {
	bundle ep '' sleep 100
	detached
	cat >"$T/process.json" <<-END
	{ "terminal": false, "user": { "uid": 3, "gid": 4, "additionalGids": [5] },
	  "args": [ "sh", "-c", "id -u; id -G; echo \$X; pwd; ulimit -n; umask; exit 11" ],
	  "env": [ "PATH=/bin", "X=y" ], "cwd": "/etc",
	  "rlimits": [ { "type": "RLIMIT_NOFILE", "soft": 99, "hard": 100 } ] }
	END
	status 11 rt exec --process "$T/process.json" "$ID"
	is "$(tr '\n' ' ' <"$T/o")" "3 4 5 y /etc 99 0022 "
	rt exec --process "$T/process.json" --detach --pid-file "$T/ep.pid" "$ID" >/dev/null 2>&1 </dev/null
	has "$(cat "$T/ep.pid")" '^[0-9]+$'
	gone
}
t "exec: a process document" exec_process

exec_detached() {
	bundle ed '' sleep 100
	detached
	rt exec -d --pid-file "$T/ed.pid" "$ID" sleep 77 </dev/null >/dev/null 2>&1
	pid=$(cat "$T/ed.pid")
	[ -n "$CLEAT" ] || sleep 0.3
	is "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 77 "
	is "$(readlink "/proc/$pid/ns/pid")" "$(readlink "/proc/$(pid_of "$ID")/ns/pid")"
	is "$(sort "/proc/$pid/cgroup")" "$(sort "/proc/$(pid_of "$ID")/cgroup")"
	gone
	! kill -0 "$pid" 2>/dev/null
}
t "exec -d: pid file, namespaces, cgroups; dies with the container" exec_detached

exec_fails() {
	bundle ef '' sleep 100
	detached
	refused 255 'executable file not found in \$PATH' rt exec "$ID" nonesuch
	refused 255 'no such file or directory' rt exec "$ID" /no/such
	refused 255 'permission denied|is a directory' rt exec "$ID" /etc
	refused 255 'permission denied' rt exec "$ID" /etc/passwd
	if [ -n "$CLEAT" ]; then
		for u in '1:' ':1' '1:2x' 0x1 -1 4294967295 4294967296 ' 1' ''; do
			refused 255 . rt exec "--user=$u" "$ID" true
		done
		refused 255 'relative|absolute|etc' rt exec --cwd etc "$ID" true
	fi
	is_state "$ID" running
	rt kill "$ID" KILL
	until_true 5 is_state "$ID" stopped
	refused 255 'cannot exec in a stopped container|not running' rt exec "$ID" true
	rt delete "$ID"
	refused 255 'does not exist' rt exec "$ID" true
}
t "exec: its own failures are 255, by name" exec_fails

exec_many() {
	bundle em '' sleep 100
	detached
	for i in $(seq "$(count 20 500)"); do
		is "$(rt exec "$ID" echo "$i")" "$i"
	done
	gone
}
t "exec: many, one after the other" exec_many

exec_parallel() {
	bundle epar '' sleep 100
	detached
	pids=
	for i in $(seq "$(count 20 200)"); do
		rt exec "$ID" sh -c "echo $i; exit $((i % 100))" >"$T/par.$i" &
		pids="$pids $!"
	done
	i=0
	for p in $pids; do
		i=$((i + 1))
		got=0
		wait "$p" || got=$?
		is "$got" $((i % 100))
		is "$(cat "$T/par.$i")" "$i"
	done
	gone
}
t "exec: many at once, each with its own output and status" exec_parallel

# ---- pause ----------------------------------------------------------------------------

pause_it() {
	bundle pa '' sh -c 'while :; do echo x; sleep 0.02; done'
	detached
	rt pause "$ID"
	is_state "$ID" paused
	a=$(wc -c <"$T/$ID.out")
	sleep 0.3
	is "$(wc -c <"$T/$ID.out")" "$a"
	refused 255 'paused' rt exec "$ID" true
	rt resume "$ID"
	is_state "$ID" running
	until_true 5 sh -c '[ "$(wc -c <"$1")" -gt "$2" ]' - "$T/$ID.out" "$a"
	refused 1 'not paused' rt resume "$ID"
	rt pause "$ID"
	refused 1 "paused" rt delete "$ID"
	rt kill "$ID" KILL
	rt resume "$ID" 2>/dev/null || :
	until_true 5 is_state "$ID" stopped
	rt delete "$ID"
	refused 1 'does not exist' rt pause "$ID"
}
t "pause, resume; exec and delete of a paused container" pause_it

pause_exec() {
	bundle pe '' sleep 100
	detached
	rt pause "$ID"
	rt exec --ignore-paused "$ID" sh -c 'echo ran; exit 3' >"$T/pe.out" 2>&1 </dev/null &
	x=$!
	sleep 0.5
	is "$(cat "$T/pe.out")" ""
	is_state "$ID" paused
	# nobody who waits for the container to go on may keep it from going on
	timeout 5 "$RUNTIME" --root "$ROOT" resume "$ID"
	got=0
	wait $x || got=$?
	is "$got $(cat "$T/pe.out")" "3 ran"
	rt pause "$ID"
	rt exec --ignore-paused "$ID" sleep 100 >"$T/pe.out" 2>&1 </dev/null &
	x=$!
	sleep 0.5
	timeout 5 "$RUNTIME" --root "$ROOT" delete --force "$ID"
	wait $x || :
}
t "exec --ignore-paused of a paused container: it runs when that is resumed" pause_exec

pause_force() {
	bundle pf2 '' sleep 100
	detached
	rt pause "$ID"
	rt delete --force "$ID"
}
t "delete --force of a paused container" pause_force

# ---- log ---------------------------------------------------------------------------------

log_json() {
	bundle lj '' /no/such/program
	status 1 rt --log "$T/lj.log" --log-format json run -b "$B" "$ID"
	jq -e . <"$T/lj.log" >/dev/null
	is "$(jq -r 'select(.level == "error") | .level' <"$T/lj.log" | wc -l)" 1
	is "$(tail -n 1 "$T/lj.log" | jq -r .level)" error
	has "$(tail -n 1 "$T/lj.log" | jq -r .msg)" '/no/such/program.*no such file or directory'
	has "$(tail -n 1 "$T/lj.log" | jq -r .time)" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9:]+)$'
	has "$(cat "$T/e")" '/no/such/program'
	# a new line, an escape and a quote in a value stay in one line of the log
	bundle lj2 '' "$(printf '/no/\n\033"such')"
	: >"$T/lj.log"
	status 1 rt --log "$T/lj.log" --log-format json run -b "$B" "$ID"
	is "$(wc -l <"$T/lj.log")" "$(jq -c . <"$T/lj.log" | wc -l)"
	! grep -q "$(printf '\033')" "$T/lj.log"
	refused 1 'invalid log-format' rt --log-format yaml list
}
t "--log, --log-format json: one complete error, last" log_json

log_text() {
	bundle lt '' /no/such/program
	rt --log "$T/lt.log" run -b "$B" "$ID" 2>/dev/null || :
	has "$(cat "$T/lt.log")" '^time="[^"]+" level=error msg=".*no such file or directory'
}
t "--log as text" log_text

# ---- fds, consoles --------------------------------------------------------------------------

only_stdio() {
	bundle os '' /bin/probe fds
	status 0 run_it 7</etc/passwd 9>/dev/null
	is "$(cut -d' ' -f1 "$T/o" | sort -n | tr '\n' ' ')" '0 1 2 '
	rt create -b "$B" "$ID" </dev/null >"$T/os.out" 2>&1 5</etc/passwd
	rt start "$ID"
	until_true 5 is_state "$ID" stopped
	is "$(cut -d' ' -f1 "$T/os.out" | sort -n | tr '\n' ' ')" '0 1 2 '
	gone
	bundle os2 '' sleep 100
	detached
	is "$(rt exec "$ID" /bin/probe fds 6</etc/passwd </dev/null | cut -d' ' -f1 | sort -n | tr '\n' ' ')" '0 1 2 '
	gone
}
t "only 0, 1 and 2 are open in init and in exec" only_stdio

preserve() {
	echo three >"$T/f3"
	echo four >"$T/f4"
	bundle pr '' sh -c 'cat <&3; cat <&4; ls /proc/self/fd | sort -n | tail -n 2 | head -n 1'
	got=0
	run_it --preserve-fds 2 3<"$T/f3" 4<"$T/f4" 5</etc/passwd >"$T/o" || got=$?
	is "$(head -n 2 "$T/o" | tr '\n' ' ')" "three four "
	bundle pr2 '' sleep 100
	detached
	is "$(rt exec --preserve-fds 1 "$ID" sh -c 'cat <&3' 3<"$T/f3")" three
	gone
	[ -n "$CLEAT" ] || return 0
	bundle pr3 ''
	status 1 run_it --preserve-fds 1 3<&-
	has "$(cat "$T/e")" '3'
}
t "--preserve-fds" preserve

listen_fds() {
	[ -n "$CLEAT" ] || skip "asks for LISTEN_PID of the runtime itself"
	echo three >"$T/f3"
	bundle lf '' sh -c 'cat <&3; echo $LISTEN_FDS $LISTEN_PID'
	sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<"$0"' "$T/f3" "$RUNTIME" --root "$ROOT" run -b "$B" "$ID" >"$T/o" 2>&1
	is "$(tr '\n' ' ' <"$T/o")" "three 1 1 "
}
t "LISTEN_FDS are handed on" listen_fds

console() {
	bundle con '.process.terminal = true | .process.consoleSize = {"height": 33, "width": 77}' \
		sh -c 'tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo three; read x; echo "got $x"; exit 5'
	refused 1 'console.socket|tty' rt create -b "$B" "$ID"
	printf 'word\n' >"$T/con.in"
	( sleep 1; cat "$T/con.in"; sleep 3 ) | "$TOOLS/console" "$T/c.sock" >"$T/con.out" 2>"$T/con.err" &
	c=$!
	until_true 5 test -S "$T/c.sock"
	rt create --console-socket "$T/c.sock" -b "$B" "$ID" </dev/null >"$T/o" 2>&1
	rt start "$ID"
	until_true 5 is_state "$ID" stopped
	gone
	wait $c || { cat "$T/con.err"; exit 1; }
	out=$(tr -d '\r' <"$T/con.out")
	has "$out" '/dev/(pts/0|console)$'
	has "$out" '^33 77$'
	has "$out" '^three$'
	has "$out" '^got word$'
	bundle con2 ''
	refused 1 'console.socket' rt create --console-socket "$T/c2.sock" -b "$B" "$ID"
}
t "create --console-socket: a terminal of the container's, its size" console

console_exec() {
	bundle cex '' sleep 100
	detached
	"$TOOLS/console" "$T/ce.sock" </dev/null >"$T/ce.out" 2>"$T/ce.err" &
	c=$!
	until_true 5 test -S "$T/ce.sock"
	rt exec -d -t --console-socket "$T/ce.sock" "$ID" sh -c 'tty; ps -o tty,pid >/dev/null; echo done' </dev/null >/dev/null 2>"$T/e"
	wait $c || { cat "$T/ce.err" "$T/e"; exit 1; }
	has "$(tr -d '\r' <"$T/ce.out")" '^/dev/pts/0$'
	has "$(tr -d '\r' <"$T/ce.out")" '^done$'
	gone
}
t "exec --console-socket" console_exec

foreground_tty() {
	slow=
	[ -n "$CLEAT" ] || slow='sleep 0.3;'
	bundle tty '.process.terminal = true' sh -c "$slow tty; stty size; exit 6"
	got=0
	script -qec "stty rows 24 cols 81; '$RUNTIME' --root '$ROOT' run -b '$B' '$ID'" /dev/null >"$T/tty.out" 2>&1 </dev/null || got=$?
	is "$got" 6
	has "$(tr -d '\r' <"$T/tty.out")" '/dev/(pts/0|console)$'
	has "$(tr -d '\r' <"$T/tty.out")" '^24 81$'
	bundle tty2 '' sleep 100
	detached
	got=0
	script -qec "'$RUNTIME' --root '$ROOT' exec -t '$ID' sh -c 'tty; exit 8'" /dev/null >"$T/tty.out" 2>&1 </dev/null || got=$?
	is "$got" 8
	has "$(tr -d '\r' <"$T/tty.out")" '/dev/pts/0$'
	gone
}
t "run and exec -t at a terminal" foreground_tty

tty_keys() {
	bundle keys '.process.terminal = true' sh -c 'trap "echo INTED" INT; echo up; until read x; do :; done; echo "read $x"'
	( sleep 0.8; printf '\003'; sleep 0.3; printf 'abc\n'; sleep 0.5 ) |
		script -qec "'$RUNTIME' --root '$ROOT' run -b '$B' '$ID'" /dev/null >"$T/keys.out" 2>&1
	has "$(tr -d '\r' <"$T/keys.out")" 'INTED'
	has "$(tr -d '\r' <"$T/keys.out")" 'read .*abc'
}
t "run at a terminal: ^C goes to the container's program" tty_keys

# ---- races ---------------------------------------------------------------------------------------

two_creates() {
	bundle race '' sleep 100
	for i in $(seq "$(count 10 200)"); do
		rt create -b "$B" "$ID" </dev/null >/dev/null 2>"$T/r1" &
		a=$!
		rt create -b "$B" "$ID" </dev/null >/dev/null 2>"$T/r2" &
		b=$!
		ra=0 rb=0
		wait $a || ra=$?
		wait $b || rb=$?
		is "$(printf '%s\n' $ra $rb | sort | tr '\n' ' ')" "0 1 "
		has "$(cat "$T/r1" "$T/r2")" 'with given ID already exists'
		is_state "$ID" created
		gone
	done
}

two_starts() {
	bundle starts '' sleep 100
	for i in $(seq "$(count 10 200)"); do
		rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1
		rt start "$ID" 2>"$T/r1" &
		a=$!
		rt start "$ID" 2>"$T/r2" &
		b=$!
		ra=0 rb=0
		wait $a || ra=$?
		wait $b || rb=$?
		is "$(printf '%s\n' $ra $rb | sort | tr '\n' ' ')" "0 1 "
		is_state "$ID" running
		gone
	done
}
if [ -n "$CLEAT" ]; then
	t "two creates with one id: exactly one wins" two_creates
	t "two starts at once: exactly one wins" two_starts
fi

kill_exec() {
	bundle ke '' sleep 100
	for i in $(seq "$(count 10 1000)"); do
		detached
		rt exec "$ID" sleep 0.05 >/dev/null 2>&1 </dev/null &
		a=$!
		rt kill "$ID" KILL
		wait $a || :
		until_true 5 is_state "$ID" stopped
		rt delete "$ID"
	done
}
t "exec against kill leaves nothing" kill_exec

runtime_killed() {
	bundle rk '' sleep 100
	for ms in 0 1 2 3 5 8 13 21; do
		"$RUNTIME" --root "$ROOT" create -b "$B" "$ID" </dev/null >/dev/null 2>&1 &
		p=$!
		sleep "0.0$(printf %02d $ms)"
		kill -9 $p 2>/dev/null || :
		wait $p || :
		rt delete --force "$ID" || :
		sleep 0.05
		procs >"$T/p"
		[ ! -s "$T/p" ] || { sleep 0.5; procs >"$T/p"; }
		is "$(cat "$T/p")" ""
	done
}
if [ -n "$CLEAT" ]; then
	t "SIGKILL to create at any moment: delete --force clears it" runtime_killed
fi

# ---- the rest -----------------------------------------------------------------------------------------

words() {
	[ -n "$CLEAT" ] || skip "cleat's own texts"
	has "$("$RUNTIME" --version)" '^cleat version [0-9]'
	has "$("$RUNTIME" --version)" '^spec: 1\.'
	has "$("$RUNTIME" --version)" '^libseccomp: [0-9]'
	has "$("$RUNTIME" -v)" '^cleat version'
	for c in create start state kill delete run exec list pause resume spec; do
		has "$("$RUNTIME" help $c)" "$c"
		has "$("$RUNTIME" $c --help)" "$c"
	done
	has "$("$RUNTIME" --help)" 'create'
	has "$("$RUNTIME")" 'create'
	status 1 "$RUNTIME" nonesuch
	has "$(cat "$T/e")" nonesuch
	status 1 "$RUNTIME" --nonesuch list
	has "$(cat "$T/o" "$T/e")" nonesuch
	status 1 "$RUNTIME" create
	has "$(cat "$T/o" "$T/e")" 'create.{0,2} requires'
	status 1 "$RUNTIME" state a b
	# As nobody, if nobody may come here. (setpriv keeps capabilities up to its own execve.)
	nobody="setpriv --reuid 65534 --regid 65534 --clear-groups sh -c"
	if $nobody "test -x '$TOOLS/warden'"; then
		$nobody "'$RUNTIME' --version" >/dev/null
	fi
}
t "--version, help, wrong usage" words

spec_run() {
	mkdir "$T/sp" && cd "$T/sp"
	"$RUNTIME" spec
	jq -e '.process.terminal and .root.path == "rootfs"' config.json >/dev/null
	refused 1 'config.json.*exist|exists.*config.json|File config.json' "$RUNTIME" spec
	jq '.process.terminal = false | .process.args = ["sh", "-c", "exit 12"] | .root.path = "'"$T/rootfs"'"
		| .linux.cgroupsPath = "/'"$TAG"'-sp"' config.json >c2 && mv c2 config.json
	status 12 rt run "$TAG-sp"
	rm config.json
	"$RUNTIME" spec --rootless
	jq -e '[.linux.namespaces[].type] | index("user")' config.json >/dev/null
}
t "spec writes a config that runs" spec_run

default_root() {
	bundle dr '' sh -c 'exit 3'
	status 3 "$RUNTIME" run -b "$B" "$ID"
	hasnt "$("$RUNTIME" list -q)" "$ID"
}
t "the default root" default_root

many_runs() {
	bundle many ''
	for i in $(seq "$(count 30 2000)"); do
		run_it || fail "run $i"
	done
}
t "many short containers" many_runs

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Logging programs (binary://, binary-v2://): what they are given, when they
# count as ready, what happens when they are not there or do not end.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-logger
. "${0%/*}/../harness/shim.sh"
events_listen

ms() {
	date +%s%3N
}

# logger NAME < SCRIPT: a logging program, $T/NAME.
# It ends by the end of what it reads, not by Delete's SIGTERM, unless it says otherwise.
logger() {
	{ echo '#!/bin/sh'; echo "trap '' TERM"; cat; } >"$T/$1"
	chmod 0755 "$T/$1"
}

# took FROM LOW HIGH: milliseconds since FROM are between these.
took() {
	took=$(($(ms) - $1))
	[ $took -ge "$2" ] && [ $took -lt "$3" ] || fail "took $took ms, wanted $2 to $3"
}

# nothing: no state, no process of the server's, no pid file; and the id is free.
nothing() {
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	until_true 3 sh -c "! pgrep -P $(cat "$T/server") >/dev/null"
	[ ! -e "$B/init.pid" ]
	code 5 state id="$ID"
	is "$(events)" ""
}

given() {
	# in the background: the shell itself has nothing open then for a pipe or a redirection
	logger given <<-END
		while read -r k v; do
			case \$k in SigBlk: | SigIgn:) echo "\$k \$v" ;; esac
		done </proc/\$\$/status >$T/g.sig
		tr '\0' '\n' </proc/\$\$/environ | sort >$T/g.env
		ls -l /proc/\$\$/fd >$T/g.all & wait \$!
		awk '/->/ { print \$(NF - 2), \$NF }' $T/g.all | grep -v $T/given >$T/g.fds
		echo "\$(cut -d' ' -f6 /proc/\$\$/stat) \$\$" >$T/g.session
		for a; do echo "[\$a]"; done >$T/g.args
		exec 5>&-
		cat <&3 >$T/g.out &
		cat <&4 >$T/g.err
		wait
		echo end >$T/g.end
	END
	# what whoever starts the shim ignores is not the program's affair
	trap '' USR1 HUP
	boot given '' sh -c 'readlink /proc/self/fd/1; readlink /proc/self/fd/2 >&2; readlink /proc/self/fd/0'
	rm -f "$T"/g.*
	create "stdout=binary://$T/given?one=1&two&none=&sp%20ace=a+b%26c&one=second" "stderr=binary://$T/given"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	until_true 3 test -e "$T/g.end"
	# exactly these, no variable of containerd's or the shim's
	is "$(grep -v -E '^(PWD|SHLVL|_)=' "$T/g.env" | tr '\n' ' ')" "CONTAINER_ID=$ID CONTAINER_NAMESPACE=$NS "
	is "$(tr '\n' ' ' <"$T/g.args")" "[one] [1] [two] [none] [sp ace] [a b&c] "
	# 0 to 2 lead nowhere, 3 and 4 read, 5 is the pipe for readiness; and there is none else
	is "$(sed 's/:\[[0-9]*\]//' "$T/g.fds" | cut -d' ' -f1 | tr '\n' ' ')" "0 1 2 3 4 5 "
	is "$(sed -n '1,2s/.* //p' "$T/g.fds" | sort -u)" /dev/null
	is "$(sed -n '4,6s/.* \(pipe\):.*/\1/p' "$T/g.fds" | tr '\n' ' ')" "pipe pipe pipe "
	# the process writes into these very pipes: nobody copies
	is "$(head -n 1 "$T/g.out")" "$(sed -n 's/^3 //p' "$T/g.fds")"
	is "$(cat "$T/g.err")" "$(sed -n 's/^4 //p' "$T/g.fds")"
	is "$(sed -n 2p "$T/g.out")" /dev/null
	is "$(cut -d" " -f2 "$T/g.sig" | tr '\n' ' ')" "0000000000000000 0000000000004000 "
	read -r session pid <"$T/g.session"
	is "$session" "$pid"
}
t "what a logging program is given: environment, arguments, fds, signals" given

# ---- readiness -------------------------------------------------------------------------

waits_ready() {
	logger ready <<-END
		sleep 1
		[ "\$1" = byte ] && printf x >&5
		exec 5>&-
		cat <&3 >>$T/w.out
	END
	for how in binary-v2://$T/ready?byte binary://$T/ready?byte binary://$T/ready?eof; do
		rm -f "$T/w.out"
		boot ready '' sh -c 'echo said'
		from=$(ms)
		create "stdout=$how" &
		c=$!
		sleep 0.3
		# others are served meanwhile
		at=$(ms)
		code 5 state id="$ID"
		took "$at" 0 700
		wait $c
		took "$from" 1000 8000
		tc start id="$ID" >/dev/null
		is "$(tc wait id="$ID" | field exit_status)" 0
		down
		until_true 3 grep -qx said "$T/w.out"
	done
}
t "Create waits until the program is ready: a byte, or the end of the pipe" waits_ready

exec_waits() {
	logger xready <<-END
		sleep 1
		printf x >&5
		exec 5>&-
		echo "\$CONTAINER_ID \$(cat <&3)" >$T/x.out
	END
	running xr '' sleep 100
	tc exec id="$ID" exec_id=probe "stdout=binary-v2://$T/xready" 'spec={"args":["/bin/echo","of-exec"],"cwd":"/"}'
	from=$(ms)
	tc start id="$ID" exec_id=probe >/dev/null
	took "$from" 1000 8000
	is "$(tc wait id="$ID" exec_id=probe | field exit_status)" 0
	tc delete id="$ID" exec_id=probe >/dev/null
	until_true 3 test -s "$T/x.out"
	is "$(cat "$T/x.out")" "probe of-exec"
	# one that cannot be started fails the exec, not the container
	tc exec id="$ID" exec_id=bad "stdout=binary://$T/nonesuch" 'spec={"args":["/bin/true"],"cwd":"/"}'
	code 3 start id="$ID" exec_id=bad
	has "$(cat "$T/o")" "$T/nonesuch.*logging program.*no such file"
	tc delete id="$ID" exec_id=bad >/dev/null
	is "$(tc state id="$ID" | field status)" RUNNING
	down
}
t "an exec's logging program: its Start waits; its name is the exec's" exec_waits

not_there() {
	echo text >"$T/plain"
	boot nt '' sleep 100
	server_pid >"$T/server"
	for s in binary binary-v2; do
		code 3 create id="$ID" bundle="$B" "stdout=$s://$T/nonesuch"
		has "$(cat "$T/o")" "$T/nonesuch.*start logging program.*no such file"
		nothing
		code 3 create id="$ID" bundle="$B" "stdout=$s://$T/plain"
		has "$(cat "$T/o")" "$T/plain.*start logging program.*permission denied"
		nothing
		code 3 create id="$ID" bundle="$B" "stdout=$s://"
		nothing
	done
	create
	down
}
t "a program that is not there or cannot run: Create says which, and leaves nothing" not_there

not_ready() {
	logger dies <<-END
		exit 3
	END
	boot nr '' sh -c 'i=0; while [ $i -lt 200 ]; do echo line $i || exit 9; i=$((i+1)); sleep 0.01; done'
	server_pid >"$T/server"
	code '[0-9]+' create id="$ID" bundle="$B" "stdout=binary-v2://$T/dies"
	has "$(cat "$T/o")" "$T/dies.*logging program ended before it was ready"
	nothing
	# in the first version its end is readiness, too: the program then has nobody who reads
	create "stdout=binary://$T/dies"
	tc start id="$ID" >/dev/null
	has "$(tc wait id="$ID" | field exit_status)" '^(9|141)$'
	down
}
t "a program that ends without being ready" not_ready

gone_in_create() {
	logger never <<-END
		trap - TERM
		echo \$\$ >$T/never.pid
		exec sleep 1000
	END
	boot gc '' sleep 100
	server_pid >"$T/server"
	# by its deadline, or because it is gone
	for how in deadline gone; do
		rm -f "$T/never.pid"
		if [ $how = deadline ]; then
			! "$CLIENT" --namespace "$NS" --timeout 700 "$A" create id="$ID" bundle="$B" "stdout=binary-v2://$T/never" >/dev/null 2>&1
		else
			"$CLIENT" --namespace "$NS" "$A" create id="$ID" bundle="$B" "stdout=binary-v2://$T/never" >/dev/null 2>&1 &
			until_true 5 test -s "$T/never.pid"
			kill -9 $!
		fi
		[ -s "$T/never.pid" ]
		until_true 5 sh -c "! kill -0 $(cat "$T/never.pid")"
		until_true 5 sh -c "! pgrep -P $(cat "$T/server") >/dev/null"
		nothing
	done
	create
	down
}
t "a program that never is ready: it goes when the caller gives up" gone_in_create

# ---- terminals ---------------------------------------------------------------------------

terminal() {
	logger tty <<-END
		exec 5>&-
		cat <&3 >$T/t.out
		cat <&4 >$T/t.err
		echo end >$T/t.end
	END
	rm -f "$T"/t.*
	boot tty '.process.terminal = true' sh -c 'read x; tty; stty size; echo "got $x" >&2; exit 6'
	mkfifo "$T/si"
	create terminal=1 stdin="$T/si" "stdout=binary://$T/tty"
	tc start id="$ID" >/dev/null
	tc resize id="$ID" width=70 height=12
	echo word >"$T/si"
	is "$(tc wait id="$ID" | field exit_status)" 6
	down
	until_true 3 test -e "$T/t.end"
	out=$(tr -d '\r' <"$T/t.out")
	has "$out" '^/dev/(pts/0|console)$'
	has "$out" '^12 70$'
	has "$out" '^got word$'
	is "$(cat "$T/t.err")" ""
	# an exec's
	rm -f "$T"/t.*
	running ttyx '' sleep 100
	tc exec id="$ID" exec_id=t terminal=1 "stdout=binary://$T/tty" 'spec={"args":["/bin/tty"],"cwd":"/"}'
	tc start id="$ID" exec_id=t >/dev/null
	is "$(tc wait id="$ID" exec_id=t | field exit_status)" 0
	tc delete id="$ID" exec_id=t >/dev/null
	down
	until_true 3 test -e "$T/t.end"
	is "$(tr -d '\r' <"$T/t.out")" /dev/pts/0
}
t "a terminal's output to a logging program, of init and of an exec" terminal

# ---- its end -------------------------------------------------------------------------------

ends() {
	logger stays <<-END
		echo \$\$ >$T/s.pid
		trap 'echo term >>$T/s.log; exit 0' TERM
		exec 5>&-
		cat <&3 >/dev/null
		echo eof >>$T/s.log
		while :; do sleep 0.1; done
	END
	rm -f "$T"/s.*
	boot stays '' true
	create "stdout=binary://$T/stays"
	server_pid >"$T/server"
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 0
	at=$(ms)
	tc delete id="$ID" >/dev/null
	took "$at" 0 4000
	until_true 3 sh -c "! kill -0 $(cat "$T/s.pid")"
	is "$(tr '\n' ' ' <"$T/s.log")" "eof term "
	away
	topics_are "create start exit delete "
	# its death is no container's
	rm -f "$T"/s.*
	running dead '' sleep 100
	tc exec id="$ID" exec_id=e "stdout=binary://$T/stays" 'spec={"args":["/bin/sleep","100"],"cwd":"/"}'
	tc start id="$ID" exec_id=e >/dev/null
	kill -9 "$(cat "$T/s.pid")"
	sleep 0.3
	is "$(tc state id="$ID" exec_id=e | field status)" RUNNING
	is "$(tc state id="$ID" | field status)" RUNNING
	topics_are "create start exec-added exec-started "
	tc kill id="$ID" exec_id=e signal=9
	tc wait id="$ID" exec_id=e >/dev/null
	tc delete id="$ID" exec_id=e >/dev/null
	down
}
t "EOF, then SIGTERM at Delete, which does not wait; its death is nobody's exit" ends

stubborn() {
	logger stubborn <<-END
		echo \$\$ >$T/b.pid
		exec 5>&-
		while :; do sleep 0.1; done
	END
	rm -f "$T/b.pid"
	boot pod '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-pod")}' sleep 1000
	create "stdout=binary://$T/stubborn"
	POD=$ID
	tc start id="$POD" >/dev/null
	tc kill id="$POD" signal=9
	tc wait id="$POD" >/dev/null
	at=$(ms)
	tc delete id="$POD" >/dev/null
	took "$at" 0 4000
	kill -0 "$(cat "$T/b.pid")"
	until_true 20 sh -c "! kill -0 $(cat "$T/b.pid")"
	took "$at" 9000 20000
	away
}
[ -z "${LONG-}" ] || t "one that ignores SIGTERM is killed after twelve seconds" stubborn

finish

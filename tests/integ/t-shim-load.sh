#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# The shim under many and under much: containers and execs by the hundred, a
# stream of bytes, clients that speak badly or do not listen. What the server
# holds afterwards is what it held before.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-load
. "${0%/*}/../harness/shim.sh"
events_listen

# held PID: fds, children and private memory of a server.
held() {
	sleep 0.4	# the connection of the last call is closed by then
	printf '%s fds, %s children, %s KiB\n' "$(find "/proc/$1/fd" | wc -l)" "$(pgrep -cP "$1")" \
		"$(awk '/^Private_Dirty:/ { d += $2 } END { print d }' "/proc/$1/smaps_rollup")"
}

# no_more NOW BEFORE: the same fds and children, and no more memory than a few pages that the allocator keeps for itself.
no_more() {
	is "${1%, *}" "${2%, *}"
	now=${1##*, }
	was=${2##*, }
	[ "${now%% *}" -le $((${was%% *} + 64)) ] || fail "memory grew: '$2', now '$1'"
}

# cpu PID: nanoseconds that all threads have run.
cpu() {
	awk '{ n += $1 } END { printf "%.0f\n", n }' /proc/"$1"/task/*/schedstat
}

in_a_row() {
	running first '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-pod")}' sleep 1000
	first=$ID FB=$B
	server=$(server_pid)
	n=$(count 60 1000)
	run_them() {
		mkdir -p "$T/lines"
		for i in $(seq "$1"); do
			bundle "r$i" "" sh -c "echo line $i; exit $((i % 128))"
			rm -f "$T/lines/$i"
			mkfifo "$T/lines/$i"
			echo "create id=$ID bundle=$B stdout=$T/lines/$i"
			echo "start id=$ID"
			echo "wait id=$ID"
			echo "delete id=$ID"
		done >"$T/batch"
		for i in $(seq "$1"); do
			cat "$T/lines/$i"
		done >"$T/said" &
		reader=$!
		tc batch <"$T/batch" >"$T/o"
		wait $reader
	}
	run_them 20
	before=$(held "$server")
	MARK=$(($(wc -l <"$T/events") + 1))
	run_them "$n"
	no_more "$(held "$server")" "$before"
	hasnt "$(cat "$T/o")" '^status'
	is "$(awk '$2 != NR' "$T/said")$(wc -l <"$T/said")" "$n"
	until_true 10 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/delete') = $n"
	events | sed -n 's|^/tasks/exit .* exit_status=\([0-9]*\) .*|\1|p' >"$T/exits"
	is "$(awk '$1 != NR % 128' "$T/exits")$(wc -l <"$T/exits")" "$n"
	is "$(topics | tr ' ' '\n' | sed '/^$/d' | paste -d' ' - - - - | sort -u)" "create start exit delete"
	ID=$first B=$FB
	down
}
t "containers that print a line and exit: every line, every exit, in order" in_a_row

exec_load() {
	running execs '' sleep 1000
	server=$(server_pid)
	n=$(count 300 10000)
	run_them() {
		i=0
		while [ $i -lt "$1" ]; do
			for k in 1 2 3 4 5 6 7 8 9 10; do
				echo "exec id=$ID exec_id=e$k spec={\"args\":[\"/bin/sh\",\"-c\",\"exit\${IFS}$((i % 100 + k))\"],\"cwd\":\"/\"}"
				echo "&s$k start id=$ID exec_id=e$k"
			done
			echo join
			for k in 1 2 3 4 5 6 7 8 9 10; do
				echo "wait id=$ID exec_id=e$k"
				echo "delete id=$ID exec_id=e$k"
			done
			i=$((i + 10))
		done >"$T/batch"
		tc batch <"$T/batch" >"$T/o"
	}
	run_them 40
	before=$(held "$server")
	until_true 10 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/exit') = 40"
	MARK=$(($(wc -l <"$T/events") + 1))
	began=$(date +%s%3N)
	run_them "$n"
	took=$(($(date +%s%3N) - began))
	no_more "$(held "$server")" "$before"
	hasnt "$(cat "$T/o")" '^status'
	# hundreds on a machine with nothing else to do
	echo "$n execs took $took ms"
	[ $((n * 1000 / took)) -ge 40 ] || fail "$n execs took $took ms"
	is "$(grep -c '^exit_status=' "$T/o")" $((2 * n))
	# each Wait and each Delete has the status that this exec was told
	sed -n 's/^exit_status=//p' "$T/o" | awk '{ k = int((NR - 1) / 2); i = int(k / 10) * 10; if ($1 != i % 100 + k % 10 + 1) print NR, $1 }' >"$T/wrong"
	is "$(head -n 3 "$T/wrong")" ""
	until_true 10 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/exit') = $n"
	# The ids come again every round. Of each: added, started, ended with the status that it was told, and so on; one pid.
	events | awk -v n="$n" '
	function word(name,	i) {
		for (i = 1; i <= NF; i++)
			if (index($i, name "=") == 1)
				return substr($i, length(name) + 2)
	}
	{ topic = $1; sub(".*/", "", topic); id = word(topic == "exit" ? "id" : "exec_id"); was = at[id] }
	topic == "exec-added" && (was == "" || was == "exit") { at[id] = topic; round[id]++; next }
	topic == "exec-started" && was == "exec-added" { at[id] = topic; pid[id] = word("pid"); next }
	topic == "exit" && was == "exec-started" {
		at[id] = topic
		k = substr(id, 2)
		want = (round[id] - 1) * 10 % 100 + k
		if (word("exit_status") != want || word("pid") != pid[id])
			print "wanted " want " of " pid[id] ": " $0
		exits++
		next
	}
	{ print "after " was ": " $0 }
	END { if (exits != n) print exits " exits" }' >"$T/wrong"
	is "$(head -n 3 "$T/wrong")" ""
	down
}
t "execs, ten at once: every status, one exit each behind its start, and how many in a second" exec_load

# written PID: bytes that this process and its children have written so far. The server is not asked, it is being measured.
written() {
	for p in "$1" $(pgrep -P "$1"); do cat "/proc/$p/io"; done | awk '/^wchar:/ { n += $2 } END { print n }'
}

# blocked SERVER PID: while the reader does not read, nothing goes on.
blocked() {
	until_true 20 test -e "$T/stops"
	sleep 0.6
	w=$(written "$2") m=$(held "$1") c=$(cpu "$1")
	[ "$w" -ge 20000000 ]
	sleep 1.5
	c=$(($(cpu "$1") - c))
	is "$(written "$2")" "$w"
	no_more "$(held "$1")" "$m"
	[ $c -lt 20000000 ] || fail "the server ran for $c ns with nothing to do"
	# pipes and FIFO are full, and that is all that is on its way
	[ "$w" -lt 24000000 ] || fail "$w bytes were taken from the container"
}

# through SHIM NAME REPEAT [stops]: the bytes of /big so often through its stdout; the server's CPU time is in $T/cpu.
through() {
	SHIM_BIN=$1
	bundle "$2" '' sh -c "i=0; while [ \$i -lt $3 ]; do cat /big; i=\$((i+1)); done"
	rm -f "$T/so" "$T/fe" "$B/log"
	mkfifo "$T/so" "$T/fe" "$B/log"		# runc's shim does not serve without its log
	cat "$B/log" >/dev/null &
	idle=$!
	cat "$T/fe" >/dev/null &
	idle="$idle $!"
	shim_start
	rm -f "$T/stops" "$T/goes"
	if [ "${4-}" = stops ]; then
		{
			head -c 20000000
			: >"$T/stops"
			until [ -e "$T/goes" ]; do sleep 0.1; done
			exec cat
		} <"$T/so" | sha256sum >"$T/sum" &
	else
		sha256sum <"$T/so" >"$T/sum" &
	fi
	reader=$!
	create stdout="$T/so" stderr="$T/fe" || fail "$1: $(cat "$T/o")"
	pid=$(field pid <"$T/o")
	server=$(server_pid)
	from=$(cpu "$server")
	tc start id="$ID" >/dev/null
	[ "${4-}" != stops ] || blocked "$server" "$pid"
	: >"$T/goes"
	is "$(tc wait id="$ID" | field exit_status)" 0
	wait $reader
	echo $(($(cpu "$server") - from)) >"$T/cpu"
	down
	# one that came so late that nobody wrote any more waits for ever
	kill $idle 2>/dev/null || :
	# shellcheck disable=SC2034	# of shim.sh
	SHIM_BIN=$O/containerd-shim-cleat-v2
}

# cheaper SHIM NAME REPEAT: the lesser of two times, for what else the machine does only adds; the checksum of both.
cheaper() {
	cheaper=
	for half in a b; do
		through "$1" "$2$half" "$3"
		is "$(cat "$T/sum")" "$(cat "$T/wanted")"
		if [ -z "$cheaper" ] || [ "$(cat "$T/cpu")" -lt "$cheaper" ]; then cheaper=$(cat "$T/cpu"); fi
	done
}

gigabyte() {
	head -c 67108864 /dev/urandom >"$T/rootfs/big"
	n=$(count 4 16)
	i=0
	while [ $i -lt "$n" ]; do
		cat "$T/rootfs/big"
		i=$((i + 1))
	done | sha256sum >"$T/wanted"
	cheaper "$O/containerd-shim-cleat-v2" ours "$n"
	ours=$cheaper
	if command -v containerd-shim-runc-v2 >/dev/null; then
		cheaper "$(command -v containerd-shim-runc-v2)" theirs "$n"
		theirs=$cheaper
		echo "CPU of the servers: ours $((ours / 1000)) us, runc's $((theirs / 1000)) us"
		[ $((ours * 10)) -lt "$theirs" ] || fail "not below a tenth: $ours ns, runc's $theirs ns"
	fi
	rm -f "$T/rootfs/big"
}
t "much through stdout: the checksum, and a tenth of runc's shim's CPU" gigabyte

stopped_reader() {
	head -c 67108864 /dev/urandom >"$T/rootfs/big"
	n=$(count 1 16)
	i=0
	while [ $i -lt "$n" ]; do
		cat "$T/rootfs/big"
		i=$((i + 1))
	done | sha256sum >"$T/wanted"
	through "$SHIM_BIN" stopped "$n" stops
	is "$(cat "$T/sum")" "$(cat "$T/wanted")"
	rm -f "$T/rootfs/big"
}
t "a reader that stops half way: the writer waits, the server rests, and nothing is lost" stopped_reader

# A server of many keeps and finds its containers and processes in other ways than one of few, and its workers see less
# of it: all operations on one that came late.
crowd() {
	POD='.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-crowd")}'
	running crowd "$POD" sleep 1000
	first=$ID FB=$B
	server=$(server_pid)
	for i in $(seq 60); do
		bundle "c$i" "$POD" sleep 1000
		echo "create id=$ID bundle=$B"
		echo "start id=$ID"
	done >"$T/batch"
	tc batch <"$T/batch" >"$T/o"
	hasnt "$(cat "$T/o")" '^status'
	bundle late "$POD" sh -c 'trap "exit 7" TERM; sleep 1000 & while :; do wait; done'
	mkfifo "$T/so"
	printf '#!/bin/sh\nexec 5>&-\nexec cat <&3 >%s/logged\n' "$T" >"$T/logger"
	chmod 755 "$T/logger"
	create
	is "$(tc state id="$ID" | field status)" CREATED
	tc start id="$ID" >/dev/null
	pid=$(tc state id="$ID" | field pid)
	until_true 3 sh -c "test \$('$CLIENT' --namespace $NS $A pids id=$ID | grep -c 'pid=[0-9]') = 2"
	tc pids id="$ID" | grep -q "pid=$pid\$"
	has "$(tc stats id="$ID")" Metrics
	echo '{"pids": {"limit": 44}}' >"$T/res.json"
	tc update id="$ID" "resources=@$T/res.json"
	is "$(cat "/sys/fs/cgroup/pids/$ID/pids.max" 2>/dev/null || cat "/sys/fs/cgroup/$ID/pids.max")" 44
	tc pause id="$ID"
	is "$(tc state id="$ID" | field status)" PAUSED
	tc resume id="$ID"
	# execs: plain, with a terminal, with a logging program, one that cannot start, one that is killed
	tc exec id="$ID" exec_id=plain 'spec={"args":["/bin/sh","-c","exit 5"],"cwd":"/"}'
	cat "$T/so" >"$T/ro" &
	reader=$!
	tc exec id="$ID" exec_id=tty terminal=1 stdout="$T/so" \
		'spec={"args":["/bin/sh","-c","stty size; exit 6"],"cwd":"/","env":["PATH=/bin"]}'
	tc resize id="$ID" exec_id=tty width=101 height=21
	tc exec id="$ID" exec_id=log "stdout=binary://$T/logger" 'spec={"args":["/bin/echo","logged"],"cwd":"/"}'
	for x in plain:5 tty:6 log:0; do
		tc start id="$ID" exec_id=${x%:*} >/dev/null
		is "$(tc wait id="$ID" exec_id=${x%:*} | field exit_status)" ${x#*:}
		is "$(tc delete id="$ID" exec_id=${x%:*} | field exit_status)" ${x#*:}
	done
	wait $reader
	is "$(tr -d '\r' <"$T/ro")" "21 101"
	until_true 3 grep -qx logged "$T/logged"
	tc exec id="$ID" exec_id=none 'spec={"args":["/bin/none"],"cwd":"/"}'
	if tc start id="$ID" exec_id=none >"$T/o" 2>&1; then fail "started: $(cat "$T/o")"; fi
	has "$(cat "$T/o")" '/bin/none'
	tc delete id="$ID" exec_id=none >/dev/null
	tc exec id="$ID" exec_id=long 'spec={"args":["/bin/sleep","1000"],"cwd":"/"}'
	tc start id="$ID" exec_id=long >/dev/null
	tc kill id="$ID" exec_id=long signal=9
	is "$(tc wait id="$ID" exec_id=long | field exit_status)" 137
	tc kill id="$ID" signal=15
	is "$(tc wait id="$ID" | field exit_status)" 7
	tc delete id="$ID" exec_id=long >/dev/null
	is "$(tc delete id="$ID" | field exit_status)" 7
	code 5 state id="$ID"
	# all others at once: every exit, once, and nobody else's
	for i in $(seq 60); do echo "kill id=$TAG-c$i signal=9"; done | tc batch >"$T/o"
	for i in $(seq 60); do
		echo "wait id=$TAG-c$i"
		echo "delete id=$TAG-c$i"
	done | tc batch >"$T/o"
	is "$(grep -c '^exit_status=137$' "$T/o")" 120
	until_true 5 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/delete') = 61"
	is "$(events | sed -n 's|^/tasks/exit .* container_id=\([^ ]*\) .*|\1|p' | grep -c -- "-c[0-9]*$")" 60
	is "$(server_pid)" "$server"
	until_true 3 sh -c "test \$(pgrep -cP $server) = 1"
	ID=$first B=$FB
	down
}
t "every operation in a server of many" crowd

# Nobody takes events for a long time: each comes later, once, and in the order of what happened.
outage() {
	s=$(count 5 180)
	EV=$T/away
	timeout 600 "$CLIENT" --refuse "$s" events-server "$EV.ttrpc" >"$T/late" 2>&1 &
	service=$!
	running pod '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-pod")}' sleep 1000
	first=$ID FB=$B
	server=$(server_pid)
	printf '%s\n' "create $ID" "start $ID" >"$T/wanted"
	for i in 1 2 3 4 5 6 7 8; do
		bundle "out$i" '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-pod")}' sh -c "exit $i"
		create
		tc start id="$ID" >/dev/null
		is "$(tc wait id="$ID" | field exit_status)" $i
		printf '%s\n' "create $ID" "start $ID" "exit $ID $i" >>"$T/wanted"
		tc exec id="$first" exec_id=e$i 'spec={"args":["/bin/sh","-c","exit 9"],"cwd":"/"}'
		tc start id="$first" exec_id=e$i >/dev/null
		is "$(tc wait id="$first" exec_id=e$i | field exit_status)" 9
		printf '%s\n' "exec-added e$i" "exec-started e$i" "exit e$i 9" >>"$T/wanted"
		[ $((i % 2)) = 0 ] || continue
		tc delete id="$ID" >/dev/null
		echo "delete $ID" >>"$T/wanted"
	done
	# to try again costs next to nothing
	c=$(cpu "$server")
	at=$(date +%s%3N)
	until_true $((s + 20)) grep -q listening "$T/late"
	c=$((($(cpu "$server") - c) / ($(date +%s%3N) - at + 1)))
	[ $c -lt 20000 ] || fail "$c ns of CPU in a millisecond while nobody listened"
	until_true 20 sh -c "test \$(grep -c '^/tasks' '$T/late') = $(wc -l <"$T/wanted")"
	sleep 1.2
	sed -n 's|^/tasks/||p' "$T/late" | awk '
	function word(name,	i) {
		for (i = 1; i <= NF; i++)
			if (index($i, name "=") == 1)
				return substr($i, length(name) + 2)
	}
	{ print $1, $1 ~ /^exec/ ? word("exec_id") : $1 == "exit" ? word("id") " " word("exit_status") : word("container_id") }' >"$T/told"
	is "$(cat "$T/told")" "$(cat "$T/wanted")"
	# the times are those of what happened
	for i in 1 3 5 7; do
		id=$TAG-out$i
		is "$(grep "^/tasks/exit .* id=$id " "$T/late" | sed 's/.*exited_at=\([0-9.]*\).*/\1/')" "$(tc state id="$id" | field exited_at)"
		tc delete id="$id" >/dev/null
	done
	ID=$first B=$FB
	down
	kill $service
	wait $service || :
}
t "nobody takes events for long: each comes later, once, in order" outage

# A client that sends and does not read: what it is owed is bounded, and others do not notice.
deaf_client() {
	running deaf '' sleep 100
	server=$(server_pid)
	n=6000		# with more of them the server reads no further, and the client would wait for it
	hex=$(printf '0a%02x%s' ${#ID} "$(printf '%s' "$ID" | od -An -tx1 | tr -d ' \n')")
	words=
	for i in $(seq "$n"); do
		words="$words req:$((2 * i - 1)):containerd.task.v2.Task:State:$hex"
	done
	before=$(held "$server")
	for round in $(seq "$(count 1 5)"); do
		deaf_round
	done
	down
}

deaf_round() {
	timeout 40 "$CLIENT" "$A" raw $words sleep:3000 >"$T/deaf" 2>&1 &
	c=$!
	sleep 1
	for i in 1 2 3 4 5; do
		a=$(date +%s%3N)
		is "$(tc state id="$ID" | field status)" RUNNING
		[ $(($(date +%s%3N) - a)) -lt 1000 ] || fail "State took too long"
	done
	[ "$(awk '/^VmRSS:/ { print $2 }' "/proc/$server/status")" -lt 32768 ]
	wait $c || :
	is "$(grep -c 'type=2 .*code=0' "$T/deaf")" "$n"
	sleep 0.2
	no_more "$(held "$server")" "$before"
}
t "a client that does not read thousands of answers" deaf_client

bad_speakers() {
	running bad '' sleep 100
	server=$(server_pid)
	before=$(held "$server")
	# what is no protobuf: of the request inside a frame, and of the frame itself
	"$CLIENT" --timeout 300 "$A" raw req:1:containerd.task.v2.Task:State:ffffff req:3:containerd.task.v2.Task:Connect >"$T/o" 2>&1
	has "$(cat "$T/o")" 'stream=1 .*code=(3|13)'
	has "$(cat "$T/o")" 'stream=3 .*code=0'
	"$CLIENT" --timeout 300 "$A" raw 00000004000000010100ffffffff req:3:containerd.task.v2.Task:Connect >"$T/o" 2>&1
	has "$(cat "$T/o")" 'stream=1 .*code=3'
	has "$(cat "$T/o")" 'stream=3 .*code=0'
	# a stream id that goes back, one that is even, one again
	"$CLIENT" --timeout 300 "$A" raw req:7:containerd.task.v2.Task:Connect req:5:containerd.task.v2.Task:Connect \
		req:8:containerd.task.v2.Task:Connect req:7:containerd.task.v2.Task:Connect req:9:containerd.task.v2.Task:Connect >"$T/o" 2>&1
	has "$(cat "$T/o")" 'stream=5 .*code=3'
	has "$(cat "$T/o")" 'stream=8 .*code=3'
	has "$(cat "$T/o")" 'stream=9 .*code=0'
	is "$(grep -c 'stream=7 .*code=3' "$T/o")" 1
	# data for a stream that is not there
	"$CLIENT" --timeout 300 "$A" raw 00000001000000110300ff req:19:containerd.task.v2.Task:Connect >"$T/o" 2>&1
	has "$(cat "$T/o")" 'stream=17 .*code=3'
	has "$(cat "$T/o")" 'stream=19 .*code=0'
	# a text that is not UTF-8 must not come back in an answer
	"$CLIENT" --timeout 300 "$A" raw req:1:containerd.task.v2.Task:State:0a02ff80 >"$T/o" 2>&1
	has "$(cat "$T/o")" 'code=[1-9]'
	# noise, half frames and hang-ups, all at once
	for i in $(seq "$(count 40 2000)"); do
		"$CLIENT" --timeout 50 "$A" raw "$(head -c 300 /dev/urandom | od -An -tx1 | tr -d ' \n')" >/dev/null 2>&1 &
		"$CLIENT" --timeout 50 "$A" raw 0000 >/dev/null 2>&1 &
		[ $((i % 20)) != 0 ] || is "$(tc state id="$ID" | field status)" RUNNING
		[ $((i % 10)) != 0 ] || wait
	done
	wait
	sleep 0.3
	no_more "$(held "$server")" "$before"
	is "$(server_pid)" "$server"
	down
}
t "noise, wrong frames, wrong messages, wrong stream ids" bad_speakers

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# The shim without containerd: task-client speaks ttrpc to it and listens to
# its events. Orders, states, error codes and standard I/O as callers see them.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-raw
. "${0%/*}/../harness/shim.sh"
events_listen

# ---- the straight line ---------------------------------------------------------------

life() {
	boot life '' sh -c 'echo out; echo err >&2; exit 3'
	is "$(cat "$B/address")" "unix://$A"
	is "$(stat -c %a "$A")" 600
	mkfifo "$T/fo" "$T/fe"
	cat "$T/fo" >"$T/ro" &
	cat "$T/fe" >"$T/re" &
	create stdout="$T/fo" stderr="$T/fe"
	pid=$(field pid <"$T/o")
	is "$(tc state id="$ID" | field status)" CREATED
	is "$(cat "$B/init.pid")" "$pid"
	is "$(tc connect id="$ID" | field task_pid)" "$pid"
	is "$(tc pids id="$ID" | grep -c "pid=$pid$")" 1
	is "$(tc start id="$ID" | field pid)" "$pid"
	tc wait id="$ID" >"$T/w"
	is "$(field exit_status <"$T/w")" 3
	tc state id="$ID" >"$T/s"
	is "$(field status <"$T/s")" STOPPED
	# an empty list would make containerd 2 delete it unasked after a restart
	is "$(tc pids id="$ID" | grep -c "pid=$pid$")" 1
	is "$(field pid <"$T/s")" "$pid"
	is "$(field exited_at <"$T/s")" "$(field exited_at <"$T/w")"
	tc delete id="$ID" >"$T/d"
	is "$(field exit_status <"$T/d")" 3
	is "$(field pid <"$T/d")" "$pid"
	is "$(field exited_at <"$T/d")" "$(field exited_at <"$T/w")"
	code 5 delete id="$ID"
	is "$(cat "$T/ro")" out
	is "$(cat "$T/re")" err
	away
	topics_are "create start exit delete "
}
t "create, start, wait, state, delete, shutdown; events in order" life

both_services() {
	for v in v2 v3; do
		boot "svc$v" '' true
		"$CLIENT" --service $v --namespace "$NS" "$A" create id="$ID" bundle="$B" >/dev/null
		"$CLIENT" --service $v --namespace "$NS" "$A" start id="$ID" >/dev/null
		is "$("$CLIENT" --service $v --namespace "$NS" "$A" wait id="$ID" | field exit_status)" 0
		down
	done
	boot svcx '' true
	got=0
	"$CLIENT" --service no.such.Service --namespace "$NS" "$A" state id=x >"$T/o" 2>&1 || got=$?
	has "$(cat "$T/o")" '^status 12 '
	away
}
t "services task.v2 and task.v3, and none else" both_services

codes() {
	boot codes '' sleep 100
	for m in state start wait delete pids pause resume stats kill; do
		code 5 $m id=nobody
	done
	is "$(tc connect id=nobody | field task_pid)" 0
	create
	code 6 create id="$ID" bundle="$B"
	tc start id="$ID" >/dev/null
	code 9 start id="$ID"
	code 9 delete id="$ID"
	code 9 resume id="$ID"
	code 5 start id="$ID" exec_id=none
	code 5 kill id="$ID" exec_id=none signal=9
	code 5 wait id="$ID" exec_id=none
	code 12 checkpoint id="$ID"
	tc exec id="$ID" exec_id=e1 'spec={"args":["/bin/true"],"cwd":"/"}'
	code 6 exec id="$ID" exec_id=e1 'spec={"args":["/bin/true"],"cwd":"/"}'
	code 9 kill id="$ID" exec_id=e1 signal=9
	tc pause id="$ID"
	is "$(tc state id="$ID" | field status)" PAUSED
	code 9 pause id="$ID"
	code 9 exec id="$ID" exec_id=e2 'spec={"args":["/bin/true"],"cwd":"/"}'
	code 9 delete id="$ID"
	tc resume id="$ID"
	tc kill id="$ID" signal=9
	is "$(tc wait id="$ID" | field exit_status)" 137
	code 5 kill id="$ID" signal=9
	code 9 start id="$ID" exec_id=e1
	code 9 pause id="$ID"
	tc delete id="$ID" exec_id=e1 >/dev/null
	down
}
t "status codes of wrong calls" codes

create_fails() {
	boot cf '' /no/such/program
	code '[0-9]+' create id="$ID" bundle="$B"
	has "$(cat "$T/o")" '/no/such/program.*no such file or directory'
	bundle cf '' true
	echo '{' >"$B/config.json"
	code 3 create id="$ID" bundle="$B"
	has "$(cat "$T/o")" 'config.json|JSON|byte'
	bundle cf '' true
	code '[0-9]+' create id="$ID" bundle="$B" 'mount=nosuchfs|x|ro'
	code '[0-9]+' create id="$ID" bundle="$B" stdout=ttrpc+unix:///x
	# the same id is free again
	create
	down
}
t "a Create that fails says why and forgets the id" create_fails

created_deleted() {
	boot cd '' sleep 100
	create
	is "$(tc delete id="$ID" | field exit_status)" 137
	away
}
t "Delete of a container that never started" created_deleted

created_killed() {
	boot ck '' sleep 100
	create
	tc kill id="$ID" signal=9
	is "$(tc wait id="$ID" | field exit_status)" 137
	code 9 start id="$ID"
	tc delete id="$ID" >/dev/null
	away
	topics_are "create exit delete "
}
t "Kill before Start; then Start is refused" created_killed

paused_killed() {
	running pk '' sleep 100
	tc pause id="$ID"
	tc kill id="$ID" signal=9
	is "$(tc wait id="$ID" | field exit_status)" 137
	down
}
t "SIGKILL to a paused container takes effect" paused_killed

pids_stats_update() {
	running psu '' sh -c 'sleep 100 & sleep 100'
	until_true 3 sh -c "test \$('$CLIENT' --namespace $NS $A pids id=$ID | grep -c 'pid=[0-9]') -ge 2"
	tc stats id="$ID" >"$T/o"
	has "$(cat "$T/o")" 'io.containerd.cgroups.v[12].Metrics|Metrics'
	echo '{"memory": {"limit": 33554432}, "pids": {"limit": 44}}' >"$T/res.json"
	tc update id="$ID" "resources=@$T/res.json"
	has "$(cat /sys/fs/cgroup/memory/$TAG-psu/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/$TAG-psu/memory.max)" '^33554432$'
	down
}
t "Pids, Stats, Update" pids_stats_update

# What a veth, a disk and the tasks have counted arrives in the message of the hierarchy.
stats_more() {
	command -v ip >/dev/null || skip "ip is not installed"
	command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
	truncate -s 16M "$T/disk"
	mkfs.ext4 -q "$T/disk"
	mkdir -p "$T/mnt"
	mount -o loop "$T/disk" "$T/mnt"
	dev=$(findmnt -no SOURCE "$T/mnt")
	# newer kernels count only where a limit is set
	boot sm '.linux.resources.blockIO.throttleWriteBpsDevice = [{major: '$((0x$(stat -c %t "$dev")))', minor: '$((0x$(stat -c %T "$dev")))', rate: 1000000000}]
		| .mounts += [{type: "bind", source: ($T + "/mnt"), destination: "/mnt", options: ["rbind"]}]' \
		sh -c 'dd if=/dev/zero of=/mnt/f bs=64k count=16 conv=fsync 2>/dev/null; sleep 1000 & sleep 1000 & wait'
	create
	pid=$(field pid <"$T/o")
	ip link add "$TAG-o" type veth peer name inner netns "$pid"
	ip address add 10.99.99.1/24 dev "$TAG-o"
	ip link set "$TAG-o" up
	nsenter -t "$pid" -n ip link set inner up
	tc start id="$ID" >/dev/null
	until_true 5 sh -c "'$CLIENT' --namespace $NS $A pids id=$ID | grep -c 'pid=[0-9]' | grep -qx 3"
	# addresses of their own are announced
	until_true 5 sh -c "'$CLIENT' --namespace $NS $A stats id=$ID | grep -q '^stats\.network\.0\.rx_packets=[1-9]'"
	tc stats id="$ID" >"$T/o"
	has "$(cat "$T/o")" '^stats\.network\.0\.name=inner$'
	has "$(cat "$T/o")" '^stats\.network\.0\.rx_packets=[1-9]'
	hasnt "$(cat "$T/o")" '=lo$'
	if grep -q 'cgroups.v1' "$T/o"; then
		is "$(sed -n 's/^stats\.cgroup_stats\.nr_sleeping=//p' "$T/o")" 3
		if grep -q : "/sys/fs/cgroup/blkio/$TAG-sm/blkio.throttle.io_service_bytes_recursive" 2>/dev/null; then
			has "$(cat "$T/o")" "io_service_bytes_recursive\.[0-9]*\.device=$dev$"
			has "$(cat "$T/o")" 'io_service_bytes_recursive\.[0-9]*\.op=Write$'
			has "$(cat "$T/o")" 'io_serviced_recursive\.[0-9]*\.value=[1-9]'
		fi
	fi
	down
	ip link del "$TAG-o" 2>/dev/null || :
	umount "$T/mnt"
	# in the host's network namespace the devices are not the container's
	boot smh 'del(.linux.namespaces[] | select(.type == "network"))' sleep 1000
	create
	tc stats id="$ID" >"$T/o"
	hasnt "$(cat "$T/o")" 'network'
	down
}
t "Stats: tasks by state, devices of the network and of the disk" stats_more

# ---- exec ------------------------------------------------------------------------------

execs() {
	running ex '' sleep 100
	mkfifo "$T/xo"
	cat "$T/xo" >"$T/ro" &
	tc exec id="$ID" exec_id=e1 stdout="$T/xo" 'spec={"args":["/bin/sh","-c","echo $A; exit 8"],"cwd":"/","env":["A=b"]}'
	is "$(tc state id="$ID" exec_id=e1 | field status)" CREATED
	pid=$(tc start id="$ID" exec_id=e1 | field pid)
	is "$(tc wait id="$ID" exec_id=e1 | field exit_status)" 8
	is "$(tc state id="$ID" exec_id=e1 | field pid)" "$pid"
	is "$(tc delete id="$ID" exec_id=e1 | field exit_status)" 8
	code 5 state id="$ID" exec_id=e1
	is "$(cat "$T/ro")" b
	tc exec id="$ID" exec_id=e2 'spec={"args":["/no/such"],"cwd":"/"}'
	code '[0-9]+' start id="$ID" exec_id=e2
	has "$(cat "$T/o")" '/no/such.*no such file or directory'
	tc delete id="$ID" exec_id=e2 >/dev/null
	down
	topics_are "create start exec-added exec-started exit exec-added exit delete "
}
t "Exec, Start, Wait, Delete; one that fails has no exit event" execs

exec_order() {
	for i in $(seq "$(count 20 500)"); do
		boot eo '' sh -c 'read x; exit 1'
		mkfifo "$T/si"
		create stdin="$T/si"
		tc start id="$ID" >/dev/null
		tc exec id="$ID" exec_id=e 'spec={"args":["/bin/sh","-c","exit 2"],"cwd":"/"}'
		( echo go >"$T/si" ) &
		tc start id="$ID" exec_id=e >"$T/o" 2>&1 || :
		wait $!
		tc closeio id="$ID" stdin=1 || :
		tc wait id="$ID" >/dev/null
		tc delete id="$ID" exec_id=e >/dev/null
		down
		# init's exit is the last of all exits; every start comes before its exit
		for poll in 1 2 3 4 5 6 7 8 9 10; do
			if events | grep -q '^/tasks/delete'; then break; fi
			sleep 0.2
		done
		is "$(events | grep '^/tasks/exit' | tail -n 1 | sed -n 's/.* id=\([^ ]*\) .*/\1/p')" "$ID"
		n=$(events | grep -c '^/tasks/exec-started') || :
		is "$(events | grep '^/tasks/exit' | grep -c ' id=e ')" "$n"
		done
}
t "exec against init's exit: every exit told, init's last" exec_order

execs_parallel() {
	running par '' sleep 100
	n=$(count 50 500)
	{
		for i in $(seq "$n"); do
			echo "exec id=$ID exec_id=e$i spec={\"args\":[\"/bin/true\"],\"cwd\":\"/\"}"
		done
		for i in $(seq "$n"); do
			echo "&s$i start id=$ID exec_id=e$i"
		done
		echo join
		for i in $(seq "$n"); do
			echo "wait id=$ID exec_id=e$i"
			echo "delete id=$ID exec_id=e$i"
		done
	} >"$T/batch"
	tc batch <"$T/batch" >"$T/o"
	is "$(grep -c '^exit_status=0' "$T/o")" $((2 * n))
	down
	sleep 0.3
	is "$(events | grep -c '^/tasks/exit')" $((n + 1))
	is "$(events | sed -n 's/^\/tasks\/exit .* id=\([^ ]*\) .*/\1/p' | sort -u | wc -l)" $((n + 1))
}
t "many execs at once: one exit event each" execs_parallel

exec_worker_dies() {
	running ewd '' sleep 100
	server_pid >"$T/server"
	hold
	tc exec id="$ID" exec_id=e 'spec={"args":["/bin/leased","true"],"cwd":"/"}'
	mkfifo "$T/cmd"
	tc batch <"$T/cmd" >"$T/late" 2>&1 &
	b=$!
	exec 8>"$T/cmd"
	echo "connect id=$ID" >&8
	tc start id="$ID" exec_id=e >"$T/o" 2>&1 &
	c=$!
	until_true 3 workers_are exec 1
	sleep 0.3
	# its process dies after Delete was read: the server has to be stopped for that order
	kill -STOP "$(cat "$T/server")"
	kill -9 "$(workers exec)"
	echo "delete id=$ID exec_id=e" >&8
	exec 8>&-
	sleep 0.2
	kill -CONT "$(cat "$T/server")"
	wait $c || :
	has "$(cat "$T/o")" 'worker was killed'
	until_true 5 grep -Eq '^(exit_status=255|status 9 cannot delete a running)' "$T/late"
	wait $b || :
	# the server may well read Delete before it hears of the worker's end; then the next one does it
	grep -q '^exit_status=255' "$T/late" || tc delete id="$ID" exec_id=e | grep -q '^exit_status=255'
	let_go
	code 5 state id="$ID" exec_id=e
	down
	topics_are "create start exec-added exit delete "
}
t "the worker of an exec's Start dies: no process, no exit event, Delete answers" exec_worker_dies

exec_deleted_waiting() {
	running edw '' sleep 100
	server_pid >"$T/server"
	hold
	{
		for i in 1 2 3 4 5 6 7 8; do
			echo "exec id=$ID exec_id=e$i spec={\"args\":[\"/bin/leased\",\"true\"],\"cwd\":\"/\"}"
			echo "&s$i start id=$ID exec_id=e$i"
		done
		# these wait for their turn
		for i in a b; do
			echo "exec id=$ID exec_id=$i spec={\"args\":[\"/bin/true\"],\"cwd\":\"/\"}"
			echo "&s$i start id=$ID exec_id=$i"
		done
		echo "delete id=$ID exec_id=a"
		echo "sleep 300"
		echo "connect id=$ID"
		echo "join sa"
		echo join
	} | tc batch >"$T/late" 2>&1 &
	b=$!
	until_true 5 grep -q shim_pid "$T/late"
	let_go
	wait $b || :
	has "$(sed -n '/^join sa/,$p' "$T/late" | sed -n 2p)" '^status (5|9) '
	is "$(grep -c '^pid=[1-9]' "$T/late")" 9
	is "$(server_pid)" "$(cat "$T/server")"
	down
}
t "Delete of an exec whose Start has not had its turn" exec_deleted_waiting

exec_named_init() {
	boot eni '' sleep 100
	create
	pid=$(field pid <"$T/o")
	tc start id="$ID" >/dev/null
	tc exec id="$ID" exec_id=init 'spec={"args":["/bin/sleep","100"],"cwd":"/"}'
	tc start id="$ID" exec_id=init >/dev/null
	is "$(cat "$B/init.pid")" "$pid"
	tc kill id="$ID" exec_id=init signal=9
	tc wait id="$ID" exec_id=init >/dev/null
	tc delete id="$ID" exec_id=init >/dev/null
	is "$(cat "$B/init.pid")" "$pid"
	down
}
t "an exec called init does not take init's pid file" exec_named_init

# ---- standard I/O --------------------------------------------------------------------------

stdin_close() {
	boot in '' sha256sum
	head -c 1048576 /dev/urandom >"$T/big"
	mkfifo "$T/si" "$T/so"
	cat "$T/so" >"$T/ro" &
	create stdin="$T/si" stdout="$T/so"
	tc start id="$ID" >/dev/null
	cat "$T/big" >"$T/si"
	tc closeio id="$ID" stdin=1
	tc closeio id="$ID" stdin=1
	is "$(tc wait id="$ID" | field exit_status)" 0
	down
	is "$(cut -d' ' -f1 "$T/ro")" "$(sha256sum <"$T/big" | cut -d' ' -f1)"
}
t "1 MiB to stdin, CloseIO at once: nothing is lost" stdin_close

stdin_never() {
	boot never '' sh -c 'exit 5'
	mkfifo "$T/si"
	timeout 5 "$CLIENT" --namespace "$NS" "$A" create id="$ID" bundle="$B" stdin="$T/si" >/dev/null
	tc closeio id="$ID" stdin=1
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 5
	down
}
t "a client that never opens stdin; CloseIO before Start" stdin_never

late_reader() {
	boot late '' sh -c 'echo early; exit 0'
	mkfifo "$T/so"
	create stdout="$T/so"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	sleep 0.5
	is "$(timeout 5 cat "$T/so")" early
	down
}
t "a reader that opens after the exit gets everything" late_reader

no_reader() {
	boot noread '' sh -c 'echo nobody; exit 0'
	mkfifo "$T/so"
	create stdout="$T/so"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	a=$(date +%s%N)
	tc delete id="$ID" >/dev/null
	[ $((($(date +%s%N) - a) / 1000000)) -lt 4500 ] || fail "Delete took too long"
	away
}
t "no reader at all: Delete does not wait long" no_reader

reader_leaves() {
	boot leaves '' sh -c 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; exit 0'
	mkfifo "$T/so"
	create stdout="$T/so"
	( head -n 1 >"$T/h" ) <"$T/so" &
	tc start id="$ID" >/dev/null
	wait $!
	is "$(cat "$T/h")" "line 0"
	timeout 5 cat "$T/so" >"$T/ro"
	is "$(tc wait id="$ID" | field exit_status)" 0
	has "$(tail -n 1 "$T/ro")" 'line 2999'
	down
}
t "a reader that leaves does not hurt the program; another gets the rest" reader_leaves

slow_reader() {
	boot slow '' sh -c 'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'
	mkfifo "$T/so"
	create stdout="$T/so"
	# shellcheck disable=SC2217	# it holds the reading end and does not read
	sleep 100 <"$T/so" &
	r=$!
	tc start id="$ID" >/dev/null
	sleep 0.5
	a=$(date +%s%N)
	for i in 1 2 3 4 5; do
		tc state id="$ID" >/dev/null
	done
	[ $((($(date +%s%N) - a) / 1000000)) -lt 1000 ] || fail "State is slow"
	tc kill id="$ID" signal=9
	is "$(tc wait id="$ID" | field exit_status)" 137
	a=$(date +%s%N)
	tc delete id="$ID" >/dev/null
	[ $((($(date +%s%N) - a) / 1000000)) -lt 4500 ] || fail "Delete took too long"
	kill $r
	away
}
t "a reader that does not read: State answers, Delete is bounded" slow_reader

background_child() {
	boot bg 'del(.linux.namespaces[] | select(.type == "pid"))' sh -c 'sleep 60 & exit 4'
	mkfifo "$T/so"
	cat "$T/so" >"$T/ro" &
	create stdout="$T/so"
	tc start id="$ID" >/dev/null
	a=$(date +%s%N)
	is "$(tc wait id="$ID" | field exit_status)" 4
	tc delete id="$ID" >/dev/null
	[ $((($(date +%s%N) - a) / 1000000)) -lt 4500 ] || fail "took too long"
	away
}
t "a child that outlives init in the host's pid namespace is killed" background_child

exec_background() {
	boot ebg '' sleep 100
	mkfifo "$T/so"
	cat "$T/so" >"$T/ro" &
	create
	tc start id="$ID" >/dev/null
	tc exec id="$ID" exec_id=e stdout="$T/so" 'spec={"args":["/bin/sh","-c","sleep 60 & echo done"],"cwd":"/","env":["PATH=/bin"]}'
	tc start id="$ID" exec_id=e >/dev/null
	a=$(date +%s%N)
	is "$(tc wait id="$ID" exec_id=e | field exit_status)" 0
	[ $((($(date +%s%N) - a) / 1000000)) -lt 1500 ] || fail "Wait waited for the pipe"
	tc delete id="$ID" exec_id=e >/dev/null
	[ $((($(date +%s%N) - a) / 1000000)) -lt 5000 ] || fail "Delete took too long"
	down
	is "$(cat "$T/ro")" "done"
}
t "an exec's background child: Wait returns now, Delete is bounded" exec_background

terminal() {
	boot tty '.process.terminal = true' sh -c 'read x; stty size; tty; echo "got $x"; exit 9'
	mkfifo "$T/si" "$T/so"
	cat "$T/so" >"$T/ro" &
	create terminal=1 stdin="$T/si" stdout="$T/so"
	tc start id="$ID" >/dev/null
	tc resize id="$ID" width=123 height=45
	echo word >"$T/si"
	is "$(tc wait id="$ID" | field exit_status)" 9
	down
	out=$(tr -d '\r' <"$T/ro")
	has "$out" '^45 123$'
	has "$out" '^/dev/(pts/0|console)$'
	has "$out" '^got word$'
	boot notty '' sleep 100
	create
	tc resize id="$ID" width=1 height=1
	down
}
t "a terminal: input, output, ResizePty; without one it is no error" terminal

log_file() {
	boot lf '' sh -c 'echo one; echo two >&2'
	create stdout="file://$T/logs/deep/x.log" stderr="file://$T/logs/deep/x.log"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	is "$(sort "$T/logs/deep/x.log" | tr '\n' ' ')" "one two "
}
t "file:// output" log_file

# Whoever logs to /dev/stdout opens it anew, and needs the right to then.
OPENS='echo out >/dev/stdout && echo err >/proc/self/fd/2 && cat /dev/stdin && stat -L -c %u /proc/self/fd/1'
USERNS='.linux.namespaces += [{type: "user"}] | .root.path = $T + "/uroot"
	| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 165536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .mounts |= map(select(.type != "cgroup"))'

# opens FILTER USER ID OWNER EXEC_OWNER: whose the pipes of init are, and those of an exec by this user; ID is
# the owner by Create's options.
opens() {
	boot op "$1" sh -c "$OPENS; sleep 1000"
	rm -f "$T/xi"
	mkfifo "$T/si" "$T/so" "$T/fe" "$T/xi" "$T/xo"
	cat "$T/so" >"$T/ro" &
	cat "$T/fe" >"$T/re" &
	cat "$T/xo" >"$T/rx" &
	create stdin="$T/si" stdout="$T/so" stderr="$T/fe" ${3:+"options:containerd.runc.v1.Options:io_uid=$3" "options:containerd.runc.v1.Options:io_gid=$3"}
	tc start id="$ID" >/dev/null
	echo in >"$T/si"
	tc closeio id="$ID" stdin=1
	until_true 5 grep -Eqs '^[0-9]+$|denied' "$T/ro" "$T/re"
	is "$(cat "$T/ro" "$T/re" | tr '\n' ' ')" "out in $4 err "
	tc exec id="$ID" exec_id=x stdin="$T/xi" stdout="$T/xo" 'spec={"args":["/bin/sh","-c","'"$OPENS"'"],"cwd":"/","user":{"uid":'"$2"',"gid":'"$2"'}}'
	tc start id="$ID" exec_id=x >/dev/null
	echo in >"$T/xi"
	tc closeio id="$ID" exec_id=x stdin=1
	is "$(tc wait id="$ID" exec_id=x | field exit_status)" 0
	tc delete id="$ID" exec_id=x >/dev/null
	down
	wait
	is "$(tr '\n' ' ' <"$T/rx")" "out in $5 "
	rm -f "$T/si" "$T/so" "$T/fe" "$T/xi" "$T/xo"
}

opened_anew() {
	opens '' 0 '' 0 0
	opens '.process.user = {uid: 1000, gid: 1000}' 1001 '' 1000 1001
	opens '.process.capabilities[] += ["CAP_DAC_OVERRIDE"]' 0 4000 4000 4000
}
t "stdio that is opened anew: by root, without root, with an owner in the options" opened_anew

opened_in_userns() {
	rm -rf "$T/uroot"
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:300000 "$T/uroot"
	opens "$USERNS" 0 '' 0 0
	opens "$USERNS"'| .process.user = {uid: 1000, gid: 1000}' 1001 '' 1000 1001
	opens "$USERNS"'| .process.capabilities[] += ["CAP_DAC_OVERRIDE"]' 0 304000 104000 104000
	opens "$USERNS"'| .process.user = {uid: 1000, gid: 1000}' 1001 304000 1000 1001
}
t "stdio that is opened anew in a user namespace: by root, without root, with an owner in the options" opened_in_userns

log_binary() {
	cat >"$T/logger" <<-END
		#!/bin/sh
		exec 9>$T/logged
		env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort >&9
		echo "args \$*" >&9
		ls -l /proc/self/fd | grep -c -e 'pipe:' >&9
		exec 5>&-
		cat <&3 >&9
		cat <&4 >&9
	END
	chmod 0755 "$T/logger"
	boot lb '' sh -c 'echo to-logger; echo err-logger >&2'
	create "stdout=binary://$T/logger?k=v" "stderr=binary://$T/logger?k=v"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	until_true 3 grep -q err-logger "$T/logged"
	is "$(sed -n 1,3p "$T/logged" | tr '\n' '+')" "CONTAINER_ID=$ID+CONTAINER_NAMESPACE=$NS+args k v+"
	has "$(cat "$T/logged")" '^to-logger$'
}
t "binary:// logger: its environment, arguments, both streams" log_binary

# ---- rootfs, groups, server ------------------------------------------------------------------

rootfs_mounts() {
	mkdir -p "$T/low" "$T/up" "$T/wk"
	boot rm '.root.path = "rootfs"' sh -c 'echo new >/made; cat /etc/passwd | wc -l'
	mkdir -p "$B/rootfs"
	mkfifo "$T/so"
	cat "$T/so" >"$T/ro" &
	create stdout="$T/so" "mount=overlay|overlay|lowerdir=$T/rootfs,upperdir=$T/up,workdir=$T/wk"
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 0
	down
	is "$(cat "$T/ro")" 2
	is "$(cat "$T/up/made")" new
	is "$(ls -A "$B/rootfs")" ""
	rmdir "$B/rootfs"
	boot rmb '.root.path = "rootfs"' sh -c 'touch /x 2>/dev/null || exit 3'
	mkdir -p "$B/rootfs"
	create "mount=bind|$T/rootfs|rbind,ro"
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 3
	down
}
t "rootfs mounts: overlay, bind; undone at Delete" rootfs_mounts

group() {
	boot g1 '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-g1")}' sleep 100
	one=$ID A1=$A B1=$B
	create
	tc start id="$one" >/dev/null
	bundle g2 '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-g1")}
		| .linux.resources.memory = {limit: 20971520, swap: 20971520}' dd if=/dev/zero of=/dev/null bs=200M count=1
	shim_start
	is "$A" "$A1"
	create
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 137
	until_true 3 grep -q "^/tasks/oom.*container_id=$ID " "$T/events"
	tc shutdown id="$ID" >/dev/null 2>&1 || :
	tc delete id="$ID" >/dev/null
	is "$(tc state id="$one" | field status)" RUNNING
	ID=$one B=$B1
	down
}
t "a group shares one server; the second's OOM carries its id" group

oom_order() {
	for i in $(seq "$(count 3 100)"); do
		boot oom '.linux.resources.memory = {limit: 20971520, swap: 20971520}' dd if=/dev/zero of=/dev/null bs=200M count=1
		create
		tc start id="$ID" >/dev/null
		tc wait id="$ID" >/dev/null
		down
		topics_are "create start oom exit delete "
	done
}
t "OOM before exit" oom_order

server_killed() {
	running sk '' sh -c 'sleep 100 & sleep 100'
	pid=$(tc state id="$ID" | field pid)
	kill -9 "$(server_pid)"
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null >"$T/del" 2>"$T/del.err" )
	is "$(cat "$T/del.err")" ""
	"$CLIENT" decode cleat.task.DeleteResponse <"$T/del" >"$T/o"
	is "$(field pid <"$T/o")" "$pid"
	is "$(field exit_status <"$T/o")" 137
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null >/dev/null )
	rm -f "$A"
}
t "SIGKILL to the server: the delete action clears everything, twice" server_killed

delete_action_gentle() {
	running dg '' sleep 100
	other=$ID OB=$B
	# delete for an id that has nothing is silent and harms nobody
	mkdir -p "$T/b/empty"
	( cd "$T/b/empty" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$TAG-empty" -bundle "$T/b/empty" delete </dev/null >/dev/null )
	ID=$other B=$OB
	is "$(tc state id="$ID" | field status)" RUNNING
	down
}
t "the delete action of an id without anything" delete_action_gentle

bad_frames() {
	running bf '' sleep 100
	# a half frame, then silence: others are served
	"$CLIENT" "$A" raw 0000 sleep:3000 >/dev/null 2>&1 &
	h=$!
	is "$(tc state id="$ID" | field status)" RUNNING
	# an even stream id, an id again, a type nobody knows, a frame above the limit
	"$CLIENT" "$A" raw req:2:containerd.task.v2.Task:State sleep:200 >"$T/o" 2>&1 || :
	has "$(cat "$T/o")" 'code=3'
	"$CLIENT" "$A" raw 00000000000000010900 req:3:containerd.task.v2.Task:Connect sleep:300 >"$T/o" 2>&1 || :
	has "$(cat "$T/o")" 'stream=3'
	"$CLIENT" "$A" raw 00400001000000010100 zero:4194305 req:3:containerd.task.v2.Task:Connect sleep:500 >"$T/o" 2>&1 || :
	has "$(cat "$T/o")" 'stream=1 .*code=8'
	has "$(cat "$T/o")" 'stream=3'
	"$CLIENT" "$A" raw req:1:containerd.task.v2.Task:NoSuchMethod sleep:200 >"$T/o" 2>&1 || :
	has "$(cat "$T/o")" 'code=12'
	is "$(tc state id="$ID" | field status)" RUNNING
	kill $h 2>/dev/null || :
	wait $h || :
	down
}
t "frames that are wrong, half, too large" bad_frames

strangers() {
	running str '' sleep 100
	got=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$CLIENT" "$A" state id="$ID" >"$T/o" 2>&1 || got=$?
	[ "$got" != 0 ] || fail "another user was served"
	is "$(tc state id="$ID" | field status)" RUNNING
	is "$(grep -c '@' /proc/net/unix)" 0
	down
}
t "other users are not served; no abstract socket" strangers

waits() {
	running wt '' sleep 100
	n=$(count 200 10000)
	{
		for i in $(seq "$n"); do echo "&w$i wait id=$ID"; done
		echo "kill id=$ID signal=9"
		echo join
	} | tc batch >"$T/o"
	is "$(grep -c '^exit_status=137' "$T/o")" "$n"
	down
}
t "many Waits on one process" waits

flat() {
	running flat '' sleep 3000
	s=$(server_pid)
	round() {
		for i in $(seq "$1"); do
			echo "exec id=$ID exec_id=e spec={\"args\":[\"/bin/true\"],\"cwd\":\"/\"}"
			echo "start id=$ID exec_id=e"
			echo "wait id=$ID exec_id=e"
			echo "delete id=$ID exec_id=e"
		done | tc batch >"$T/o"
		! grep -q '^status' "$T/o"
	}
	round 20
	sleep 0.4	# the connection of the last call is closed by then
	fds=$(ls "/proc/$s/fd" | wc -l)
	rss=$(awk '/^Private_Dirty:/ { d += $2 } END { print d }' "/proc/$s/smaps_rollup")
	round "$(count 200 20000)"
	sleep 0.4
	is "$(ls "/proc/$s/fd" | wc -l)" "$fds"
	now=$(awk '/^Private_Dirty:/ { d += $2 } END { print d }' "/proc/$s/smaps_rollup")
	[ "$now" -le $((rss + 64)) ] || fail "private dirty grew from $rss to $now KiB"
	down
}
t "execs leave no fd and no memory in the server" flat

events_late() {
	boot el '' sh -c 'exit 3'
	EVOLD=$EV
	down_events=$T/ev2
	# a server whose event service does not answer at first
	"$CLIENT" --refuse 3 events-server "$down_events.ttrpc" >"$T/events2" 2>&1 &
	e2=$!
	away
	cd "$B"
	A=$(TTRPC_ADDRESS=$down_events.ttrpc "$SHIM_BIN" -namespace "$NS" -address "$down_events" -publish-binary /bin/false -id "$ID" start </dev/null)
	A=${A#unix://}
	cd "$T"
	create
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	tc delete id="$ID" >/dev/null
	until_true 20 grep -q '^/tasks/delete' "$T/events2"
	is "$(sed -n 's|^/tasks/\([a-z-]*\) .*|\1|p' "$T/events2" | tr '\n' ' ')" "create start exit delete "
	away
	kill $e2
	wait $e2 || :
	EV=$EVOLD
}
t "an event service that is away: events arrive later, once, in order" events_late

finish

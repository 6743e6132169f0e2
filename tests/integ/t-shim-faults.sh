#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# The shim when something goes wrong beside it: workers that are killed half
# way, disks and programs that hang, processes that do not die, events that
# are too large, hands on its containers from outside.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-faults
. "${0%/*}/../harness/shim.sh"
events_listen

ms() {
	date +%s%3N
}

# slowed: from now on what the server's workers answer takes two seconds.
slowed() {
	command -v strace >/dev/null || skip "strace is not installed"
	server_pid >"$T/server"
	strace -f -q -o /dev/null -e trace=sendmsg -e inject=sendmsg:delay_enter=2000000 \
		-p "$(cat "$T/server")" 2>/dev/null &
	STRACE=$!
	until_true 5 grep -q "^TracerPid:.*$STRACE" "/proc/$(cat "$T/server")/status"
}

# struck METHOD: the worker of this call is killed when it has done everything but answer.
struck() {
	slowed
	tc "$1" id="$ID" >"$T/late" 2>&1 &
	call=$!
	until_true 3 workers_are "$1" 1
	sleep 0.5
	kill -9 "$(workers "$1")"
	kill $STRACE
	wait $STRACE || :
	wait $call || :
}

# ---- workers that die ----------------------------------------------------------------

pause_worker_dies() {
	running pwd '' sleep 100
	struck pause
	is "$(tc state id="$ID" | field status)" PAUSED
	struck resume
	is "$(tc state id="$ID" | field status)" RUNNING
	tc pause id="$ID"
	tc resume id="$ID"
	down
	topics_are "create start paused resumed paused resumed exit delete "
}
t "the worker of Pause or Resume dies behind the freezer: State says what is" pause_worker_dies

start_worker_dies() {
	boot swd '.hooks = {poststart: [{path: "/bin/true"}]}' sleep 100
	create
	struck start
	has "$(cat "$T/late")" 'worker was killed'
	is "$(tc state id="$ID" | field status)" RUNNING
	tc kill id="$ID" signal=9
	is "$(tc wait id="$ID" | field exit_status)" 137
	down
	topics_are "create start exit delete "
}
t "the worker of Start dies behind the gate: the start is told, and then the exit" start_worker_dies

# starting ARG...: Start is asked for; $c is who waits.
starting() {
	server_pid >"$T/server"
	tc start id="$ID" >"$T/late" 2>&1 &
	c=$!
	sleep 0.3
}

# Start without hooks takes no worker: the server listens at the gate.
slow_start() {
	boot sst '' /bin/leased
	hold
	create
	starting
	is "$(pgrep -P "$(cat "$T/server")" | wc -l)" 1
	is "$(tc state id="$ID" | field status)" CREATED
	tc stats id="$ID" >/dev/null
	let_go
	wait $c
	has "$(cat "$T/late")" '^pid='
	is "$(tc wait id="$ID" | field exit_status)" 127
	down
	topics_are "create start exit delete "
}
t "a Start that takes long holds up nothing else" slow_start

killed_in_start() {
	boot kis '' sleep 100
	create
	pid=$(tc state id="$ID" | field pid)
	kill -STOP "$pid"
	starting
	tc kill id="$ID" signal=9
	wait $c || :
	has "$(cat "$T/late")" '^status 9 .*cannot start a container that has stopped'
	is "$(tc wait id="$ID" | field exit_status)" 137
	down
	topics_are "create exit delete "
}
t "init dies before it passes the gate: Start says so" killed_in_start

# What it said at the gate, and its end, are news at the same moment.
quick_start() {
	printf '#!/missing\n' >"$T/rootfs/bin/lame"
	chmod 0755 "$T/rootfs/bin/lame"
	for program in /bin/true /bin/lame; do
		boot "qst${program##*/}" '' $program
		create
		pid=$(tc state id="$ID" | field pid)
		kill -STOP "$pid"
		starting
		kill -STOP "$(cat "$T/server")"
		kill -CONT "$pid"
		until_true 3 grep -q '^State:.Z' "/proc/$pid/status"
		kill -CONT "$(cat "$T/server")"
		wait $c || :
		if [ $program = /bin/true ]; then
			has "$(cat "$T/late")" '^pid='
			is "$(tc wait id="$ID" | field exit_status)" 0
			down
			topics_are "create start exit delete "
		else
			has "$(cat "$T/late")" '^status [0-9]+ .*lame'
			down
		fi
	done
}
t "init passes the gate and ends before the server looks" quick_start

gone_client_in_start() {
	boot gcs '' sleep 100
	create
	pid=$(tc state id="$ID" | field pid)
	fds=$(find "/proc/$(server_pid)/fd" | wc -l)
	kill -STOP "$pid"
	starting
	kill $c
	wait $c || :
	kill -CONT "$pid"
	until_true 3 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -qx status=RUNNING"
	is "$(find "/proc/$(server_pid)/fd" | wc -l)" "$fds"
	down
	topics_are "create start exit delete "
}
t "whoever asked for a Start is gone: it is told all the same, and no fd is left" gone_client_in_start

start_and_lock() {
	boot sal '' sleep 100
	create
	flock "/run/containerd/cleat/$NS/$ID/lock" sleep 1 &
	holder=$!
	sleep 0.2
	a=$(ms)
	tc start id="$ID" >/dev/null
	[ $(($(ms) - a)) -ge 500 ] || fail "Start took $(($(ms) - a)) ms"
	wait $holder
	is "$(tc state id="$ID" | field status)" RUNNING
	down
	topics_are "create start exit delete "
}
t "Start waits for whoever holds the container" start_and_lock

# The server has not read yet what the command line did, when it is asked to start.
start_and_pause() {
	boot sap '' sleep 100
	create
	server_pid >"$T/server"
	kill -STOP "$(cat "$T/server")"
	"$RUNTIME" --root "/run/containerd/cleat/$NS" pause "$ID" >"$T/o" 2>&1 || :
	tc start id="$ID" >"$T/late" 2>&1 &
	c=$!
	sleep 0.2
	kill -CONT "$(cat "$T/server")"
	wait $c || :
	has "$(cat "$T/late")" '^status 9 .*paused'
	"$RUNTIME" --root "/run/containerd/cleat/$NS" resume "$ID"
	down
}
t "Start sees what the command line did just before" start_and_pause

# Nobody has told of it.
start_of_frozen() {
	[ -w /sys/fs/cgroup/freezer/cgroup.procs ] || skip "no freezer of cgroup v1"
	boot sof '' sleep 100
	create
	echo FROZEN >"/sys/fs/cgroup/freezer/$ID/freezer.state"
	starting
	sleep 2
	"$RUNTIME" --root "/run/containerd/cleat/$NS" resume "$ID"
	wait $c
	has "$(cat "$T/late")" '^pid='
	is "$(tc state id="$ID" | field status)" RUNNING
	down
	topics_are "create start exit delete "
}
t "a container that is frozen while Start waits can be resumed" start_of_frozen

poststart_hook() {
	boot psh '.hooks = {poststart: [{path: "/bin/sh", args: ["sh", "-c", "cat >'"$T"'/hook"]}]}' sleep 100
	create
	[ ! -e "$T/hook" ]
	tc start id="$ID" >/dev/null
	is "$(jq -r .status "$T/hook")" running
	down
	boot psf '.hooks = {poststart: [{path: "/bin/false"}]}' sleep 100
	create
	code '[0-9]+' start id="$ID"
	has "$(cat "$T/o")" poststart
	is "$(tc wait id="$ID" | field exit_status)" 137
	down
}
t "Start runs poststart hooks before it answers" poststart_hook

# stuck_exec NAME: a container that is killed while an exec hangs in its start; $c is who waits for that.
stuck_exec() {
	running "$1" '' sleep 100
	server_pid >"$T/server"
	hold
	tc exec id="$ID" exec_id=e 'spec={"args":["/bin/leased","true"],"cwd":"/"}'
	tc start id="$ID" exec_id=e >"$T/late" 2>&1 &
	c=$!
	until_true 3 workers_are exec 1
	sleep 0.3
	kill -STOP "$(workers exec)"
	tc kill id="$ID" signal=9
}

delete_and_stuck_exec() {
	stuck_exec dse
	tc wait id="$ID" >/dev/null
	a=$(ms)
	is "$(tc delete id="$ID" | field exit_status)" 137
	[ $(($(ms) - a)) -lt 5000 ] || fail "Delete took $(($(ms) - a)) ms"
	wait $c || :
	has "$(cat "$T/late")" 'worker was killed'
	let_go
	away
}
t "Delete of init does not wait for an exec that hangs in its start" delete_and_stuck_exec

# ---- hands from outside -----------------------------------------------------------------

pause_by_hand() {
	boot pbh '' sleep 100
	create
	"$RUNTIME" --root "/run/containerd/cleat/$NS" start "$ID"
	until_true 3 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -qx status=RUNNING"
	"$RUNTIME" --root "/run/containerd/cleat/$NS" pause "$ID"
	until_true 3 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -qx status=PAUSED"
	"$RUNTIME" --root "/run/containerd/cleat/$NS" resume "$ID"
	until_true 3 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -qx status=RUNNING"
	tc pause id="$ID"
	tc resume id="$ID"
	down
	topics_are "create start paused resumed paused resumed exit delete "
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
}
t "start, pause and resume on the command line are told to containerd" pause_by_hand

# ---- events --------------------------------------------------------------------------------

# A Create just below the largest frame, so that its event is just above: 500 mounts with long names.
event_too_large() {
	boot etl '.root.path = "rootfs"' true
	long=$(head -c 4000 /dev/zero | sed 's|\x00\x00|./|g')
	got=3
	for pad in $(seq 4000 -20 40); do
		[ "$got" != 0 ] || break
		{
			printf 'create id=%s bundle=%s' "$ID" "$B"
			for i in $(seq 522); do
				printf ' mount=tmpfs|%s|size=64k|%s' "$long" "$long"
			done
			printf ' mount=bind|%s/%s|rbind\n' "$T/rootfs" "$(printf '%s' "$long" | head -c $pad)"
		} >"$T/batch"
		got=0
		tc batch <"$T/batch" >"$T/o" 2>&1 || got=$?
	done
	has "$(cat "$T/o")" '^pid='
	tc start id="$ID" >/dev/null
	down
	topics_are "create start exit delete "
	hasnt "$(events | grep '^/tasks/create')" rootfs
}
t "an event that is too large for containerd holds no other back" event_too_large

delete_not_dying() {
	[ -d /sys/fs/cgroup/freezer ] || skip "needs the freezer of cgroup v1"
	boot dnd '' sleep 100
	create
	pid=$(field pid <"$T/o")
	tc start id="$ID" >/dev/null
	mkdir "/sys/fs/cgroup/freezer/$TAG-ice"
	echo "$pid" >"/sys/fs/cgroup/freezer/$TAG-ice/cgroup.procs"
	echo FROZEN >"/sys/fs/cgroup/freezer/$TAG-ice/freezer.state"
	kill -9 "$(server_pid)"
	a=$(ms)
	got=0
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null >"$T/o" 2>"$T/e" ) || got=$?
	took=$(($(ms) - a))
	[ "$got" != 0 ] || fail "it says that all is done"
	has "$(cat "$T/e")" 'delete|die|time'
	[ $took -lt 4800 ] || fail "the delete action took $took ms"
	echo THAWED >"/sys/fs/cgroup/freezer/$TAG-ice/freezer.state"
	until_true 5 sh -c "! kill -0 $pid"
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null >"$T/o" )
	"$CLIENT" decode cleat.task.DeleteResponse <"$T/o" >"$T/d"
	is "$(field pid <"$T/d")" "$pid"
	until_true 5 rmdir "/sys/fs/cgroup/freezer/$TAG-ice"
	rm -f "$A"
}
t "the delete action and a process that does not die: an answer within five seconds" delete_not_dying

# frozen PID: whatever kills it, it does not die before `thaw PID`.
frozen() {
	[ -d /sys/fs/cgroup/freezer ] || skip "needs the freezer of cgroup v1"
	mkdir -p "/sys/fs/cgroup/freezer/$TAG-ice"
	echo "$1" >"/sys/fs/cgroup/freezer/$TAG-ice/cgroup.procs"
	echo FROZEN >"/sys/fs/cgroup/freezer/$TAG-ice/freezer.state"
}

thaw() {
	echo THAWED >"/sys/fs/cgroup/freezer/$TAG-ice/freezer.state"
	until_true 5 sh -c "! kill -0 $1"
	until_true 5 rmdir "/sys/fs/cgroup/freezer/$TAG-ice"
}

# Its child does not die: the Delete fails when nobody waits for it any more, and nobody asks again.
delete_fails_late() {
	[ -d /sys/fs/cgroup/freezer ] || skip "needs the freezer of cgroup v1"
	running dfl '.linux.namespaces |= map(select(.type != "pid"))' sh -c 'sleep 1000 & echo $! >/child; exec sleep 1000'
	server_pid >"$T/server"
	s=$(cat "$T/server")
	until_true 3 test -s "$T/rootfs/child"
	child=$(cat "$T/rootfs/child")
	frozen "$child"
	tc kill id="$ID" signal=9 &
	k=$!
	tc wait id="$ID" >/dev/null
	a=$(ms)
	code 4 delete id="$ID"
	[ $(($(ms) - a)) -lt 5000 ] || fail "Delete took $(($(ms) - a)) ms"
	code 5 delete id="$ID"
	tc shutdown id="$ID" >/dev/null
	rm -rf "$B"
	wait $k || :
	workers_are delete 1
	until_true 30 workers_are delete 0
	kill -0 "$s"
	thaw "$child"
	until_true 12 sh -c "! kill -0 $s"
	[ ! -e "$A" ]
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	topics_are "create start exit delete "
}
t "a Delete that fails when its caller has gone is tried again until the server can end" delete_fails_late

# exit_order: whose exits were told, in this order.
exit_order() {
	events | sed -n 's/^\/tasks\/exit .* id=\([^ ]*\) .*/\1/p' | tr '\n' ' '
}

# An exec cannot be reaped: that holds the event of init's exit back, and nothing else.
wait_at_once() {
	running wao '.linux.namespaces |= map(select(.type != "pid"))' sleep 1000
	tc exec id="$ID" exec_id=e 'spec={"args":["/bin/sleep","1000"],"cwd":"/"}'
	child=$(tc start id="$ID" exec_id=e | field pid)
	frozen "$child"
	kill -9 "$child"	# where the freezer is its hierarchy, the engine does not find it
	tc wait id="$ID" >"$T/w" &
	w=$!
	tc kill id="$ID" signal=9 &
	a=$(ms)
	wait $w
	[ $(($(ms) - a)) -lt 500 ] || fail "Wait took $(($(ms) - a)) ms"
	is "$(field exit_status <"$T/w")" 137
	a=$(ms)
	is "$(tc wait id="$ID" | field exit_status)" 137
	[ $(($(ms) - a)) -lt 500 ] || fail "the second Wait took $(($(ms) - a)) ms"
	is "$(exit_order)" ""
	if [ "$1" = delete ]; then
		(sleep 1; thaw "$child") &
		is "$(tc delete id="$ID" | field exit_status)" 137
	else
		thaw "$child"
		until_true 2 sh -c "tail -n +$MARK '$T/events' | grep -q ' id=$ID '"
		tc delete id="$ID" >/dev/null
	fi
	wait
	is "$(exit_order)" "e $ID "
	topics_are "create start exec-added exec-started exit exit delete "
	away
}
t "Wait answers when init is reaped; the event comes behind those of execs" wait_at_once wait
t "Wait answers when init is reaped; a Delete leaves the order of the events" wait_at_once delete

wait_and_stuck_start() {
	stuck_exec wss
	a=$(ms)
	is "$(tc wait id="$ID" | field exit_status)" 137
	[ $(($(ms) - a)) -lt 500 ] || fail "Wait took $(($(ms) - a)) ms"
	is "$(exit_order)" ""
	kill -CONT "$(workers exec)"
	wait $c || :
	let_go 2>/dev/null
	until_true 2 sh -c "tail -n +$MARK '$T/events' | grep -q ' id=$ID '"
	# the program may have been seen to run
	has "$(exit_order)" "^(e )?$ID \$"
	down
}
t "Wait of init does not wait for an exec that hangs in its start" wait_and_stuck_start

# ---- state of another version ---------------------------------------------------------------

delete_action() {
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null )
}

# restate FILTER: another program has written state.json, and its server is gone.
restate() {
	state=/run/containerd/cleat/$NS/$ID/state.json
	kill -9 "$(server_pid)"
	jq "$1" "$state" >"$T/state.json"
	cp "$T/state.json" "$state"
}

other_version() {
	running ov '.linux.namespaces |= map(select(.type != "pid"))' sh -c 'sleep 1000 & echo $! >/child; exec sleep 1000'
	until_true 3 test -s "$T/rootfs/child"
	child=$(cat "$T/rootfs/child")
	pid=$(tc state id="$ID" | field pid)
	restate "$1"
	delete_action >"$T/o"
	"$CLIENT" decode cleat.task.DeleteResponse <"$T/o" >"$T/d"
	is "$(field pid <"$T/d")" "$pid"
	until_true 3 sh -c "! kill -0 $pid"
	until_true 3 sh -c "! kill -0 $child"
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	is "$(find /sys/fs/cgroup -type d -name "$TAG-ov")" ""
	rm -f "$A" "$T/rootfs/child"
}
t "the delete action knows a container of another version" other_version '.version = 99'
t "the delete action knows a container of a version with other fields" other_version \
	'.version = 99 | del(.bundle, .ociVersion) | .owner = {} | .hooks = 7 | .new = [{}]'
t "the delete action knows a container by its cgroup alone" other_version '.version = 99 | .pid = "?" | del(.startTime)'

other_pid() {
	sleep 1000 &
	p=$!
	for how in "" "| .startTime = 1" "| del(.startTime)" "| .startTime = \"x\""; do
		running op '' sleep 1000
		init=$(tc state id="$ID" | field pid)
		restate ".version = 99 | .pid = $p $how"
		delete_action >/dev/null
		kill -0 $p || fail "somebody else's process was killed"
		until_true 3 sh -c "! kill -0 $init"
		rm -f "$A"
	done
	# nothing is below these
	for cg in '"/"' '"//"' '"/../x"' '"relative"' '7'; do
		running op '' sleep 1000
		init=$(tc state id="$ID" | field pid)
		restate ".version = 99 | .cgroup = $cg"
		delete_action >/dev/null
		kill -0 $p
		until_true 3 sh -c "! kill -0 $init"
		find /sys/fs/cgroup -depth -type d -name "$TAG-op" -exec rmdir {} +
		rm -f "$A"
	done
	kill $p
	wait $p || :
}
t "the delete action kills nobody by the number alone" other_pid

# ---- output that hangs ------------------------------------------------------------------------

slow_disk() {
	command -v mkfs.ext4 >/dev/null && command -v fsfreeze >/dev/null || skip "mkfs.ext4 or fsfreeze is not installed"
	truncate -s 16M "$T/disk"
	mkfs.ext4 -q "$T/disk"
	mkdir -p "$T/mnt"
	mount -o loop "$T/disk" "$T/mnt"
	boot slow '' sh -c 'i=0; while [ $i -lt 30000 ]; do echo "line $i"; i=$((i + 1)); done; echo err >&2; exit 6'
	create "stdout=file://$T/mnt/log"
	fsfreeze -f "$T/mnt"
	tc start id="$ID" >/dev/null
	sleep 0.5
	a=$(ms)
	got=$("$CLIENT" --timeout 3000 --namespace "$NS" "$A" state id="$ID" | field status) || :
	took=$(($(ms) - a))
	fsfreeze -u "$T/mnt"
	is "$got" RUNNING
	[ $took -lt 1000 ] || fail "State took $took ms"
	is "$(tc wait id="$ID" | field exit_status)" 6
	down
	is "$(grep -c '^line ' "$T/mnt/log")" 30000
	has "$(tail -n 1 "$T/mnt/log")" '^(line 29999|err)$'
	umount "$T/mnt"
}
t "a disk that hangs under file:// stops the container's output, not the server" slow_disk

# filled DIR: nothing more can be written there.
filled() {
	# shellcheck disable=SC2217	# dd says that the disk is full
	dd if=/dev/zero of="$1/filling" bs=1k 2>/dev/null || :
}

# Without init.pid the delete action could not say whose exit it reports.
full_bundle() {
	mkdir -p "$T/b/fb"
	mount -t tmpfs -o size=16k none "$T/b/fb"
	boot fb '' sleep 100
	filled "$B"
	ls -A "$B" >"$T/before"
	code 2 create id="$ID" bundle="$B"
	has "$(cat "$T/o")" 'OCI runtime create failed: .*init.pid.*no space left'
	is "$(ls -A "$B")" "$(cat "$T/before")"
	code 5 state id="$ID"
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	rm "$B/filling"
	create
	is "$(cat "$B/init.pid")" "$(field pid <"$T/o")"
	down
	topics_are "create exit delete "
	umount "$B"
}
t "a full bundle: Create says so, and nothing is left" full_bundle

full_root() {
	mkdir -p "$T/state"
	mount -t tmpfs -o size=16k none "$T/state"
	mkdir "$T/state/$NS"
	boot fr '' sleep 100
	filled "$T/state"
	code 2 create id="$ID" bundle="$B" "options:containerd.runc.v1.Options:root=$T/state"
	has "$(cat "$T/o")" 'OCI runtime create failed: .*no space left'
	code 5 state id="$ID"
	is "$(ls -A "$T/state/$NS")" ""
	[ ! -e "$B/init.pid" ]
	rm "$T/state/filling"
	create "options:containerd.runc.v1.Options:root=$T/state"
	down
	topics_are "create exit delete "
	umount "$T/state"
}
t "a full state root: Create says so, and nothing is left" full_root

full_disk() {
	mkdir -p "$T/mnt"
	mount -t tmpfs -o size=64k none "$T/mnt"
	bundle full '' sh -c 'head -c 500000 /dev/zero | tr "\0" "\n"; exit 6'
	mkfifo "$B/log"
	cat "$B/log" >"$T/serverlog" &
	exec 8>"$B/log"
	shim_start
	exec 8>&-
	create "stdout=file://$T/mnt/log"
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 6
	down
	has "$(cat "$T/serverlog")" 'output was lost'
	umount "$T/mnt"
}
t "a full disk under file:// loses output, and stops nothing" full_disk

logger_stubborn() {
	printf '#!/bin/sh\ntrap "" TERM\nexec 5>&-\nexec 3<&- 4<&- sleep 300\n' >"$T/stubborn"
	chmod 0755 "$T/stubborn"
	boot stub '' true
	create "stdout=binary://$T/stubborn"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	p=$(pgrep -f '^sleep 300$' | while read -r p; do
		[ "$(tr '\0' '\n' <"/proc/$p/environ" | sed -n 's/^CONTAINER_ID=//p')" != "$ID" ] || echo "$p"
	done)
	[ -n "$p" ]
	s=$(server_pid)
	down
	until_true 4 sh -c "! kill -0 $s"
	until_true 18 sh -c "! kill -0 $p"
}
t "a logging program that ignores SIGTERM does not outlive the server for long" logger_stubborn

# $1: how long the server lives after the Delete.
logger_slow() {
	printf '#!/bin/sh\nexec 5>&-\nsleep 0.7\nwhile read -r l; do echo "$l"; sleep 0.1; done <&3 >>%s\n' "$T/slowlog" >"$T/slowlogger"
	chmod 0755 "$T/slowlogger"
	rm -f "$T/slowlog"
	boot slog '' sh -c 'echo one; echo two; echo last'
	create "stdout=binary://$T/slowlogger"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	a=$(ms)
	tc delete id="$ID" >/dev/null
	[ $(($(ms) - a)) -lt 600 ] || fail "Delete took $(($(ms) - a)) ms"
	sleep "$1"
	away
	until_true 3 grep -q last "$T/slowlog"
	is "$(tr '\n' ' ' <"$T/slowlog")" "one two last "
}
t "a logging program reads to the end when the server goes on" logger_slow 2
t "a logging program reads to the end when the server has gone" logger_slow 0

logger_told() {
	printf '#!/bin/sh\ntrap "echo told >%s; exit" TERM\nexec 5>&-\nexec 3<&- 4<&-\nwhile :; do sleep 0.1; done\n' "$T/told" >"$T/toldlogger"
	chmod 0755 "$T/toldlogger"
	for stay in 4 0; do
		rm -f "$T/told"
		boot told '' true
		create "stdout=binary://$T/toldlogger"
		tc start id="$ID" >/dev/null
		tc wait id="$ID" >/dev/null
		tc delete id="$ID" >/dev/null
		sleep $stay
		away
		until_true 4 test -e "$T/told"
	done
}
t "a logging program that does not end at EOF is told to" logger_told

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Where shims are known to have failed in the field: races of exits and
# execs, callers that give up, servers that are left over, starts that fail
# half way. What the other shim suites show is not repeated here.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-pitfalls
. "${0%/*}/../harness/shim.sh"
events_listen

TRUE='spec={"args":["/bin/true"],"cwd":"/"}'
SLEEP='spec={"args":["/bin/sleep","1000"],"cwd":"/"}'

ms() {
	date +%s%3N
}

# soon MS COMMAND...: it ends within that time; its status.
soon() {
	limit=$1
	shift
	begin=$(ms)
	ended=0
	"$@" || ended=$?
	took=$(($(ms) - begin))
	[ $took -lt "$limit" ] || fail "$* took $took ms"
	return $ended
}

# slow CALL MS: this system call of the server's workers takes so long. quick ends it.
slow() {
	command -v strace >/dev/null || skip "strace is not installed"
	server_pid >"$T/server"
	strace -f -q -o /dev/null -e "trace=$1" -e "inject=$1:delay_enter=$(($2 * 1000))" \
		-p "$(cat "$T/server")" 2>/dev/null &
	STRACE=$!
	until_true 5 grep -q "^TracerPid:.*$STRACE" "/proc/$(cat "$T/server")/status"
}

quick() {
	kill $STRACE
	wait $STRACE || :
}

# pod NAME: the first container of a group; its id stays in POD, and members join by `member`.
pod() {
	running "$1" '.annotations = {"io.kubernetes.cri.sandbox-id": ($TAG + "-'"$1"'")}' sleep 1000
	POD=$ID PB=$B PA=$A
}

# member NAME FILTER ARG...: its bundle only.
member() {
	name=$1
	filter=$2
	shift 2
	bundle "$name" '.annotations = {"io.kubernetes.cri.sandbox-id": "'"$POD"'"}'"${filter:+ | $filter}" "$@"
}

pod_down() {
	ID=$POD B=$PB A=$PA
	down
}

# shim_action ACTION [OPTION...]: as containerd calls it, in $B.
shim_action() {
	act=$1
	shift
	( cd "$B" && TTRPC_ADDRESS=$EV.ttrpc "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" "$@" "$act" )
}

# servers: pids of our servers that run.
servers() {
	procs | awk '$3 ~ /^containerd-shim/ { print $1 }'
}

# ---- exits and execs --------------------------------------------------------------------

exec_meets_exit() {
	pod race
	n=$(count 60 400)
	MARK=$(($(wc -l <"$T/events") + 1))
	for i in $(seq "$n"); do
		member "m$((i % 5))" '' sleep 1000
		cat <<-LINES
			create id=$ID bundle=$B
			start id=$ID
			exec id=$ID exec_id=e $TRUE
			&k kill id=$ID signal=9
			&s start id=$ID exec_id=e
			join
			wait id=$ID
			delete id=$ID
		LINES
	done >"$T/batch"
	for i in 0 1 2 3 4; do member "m$i" '' sleep 1000; done
	tc batch <"$T/batch" >"$T/o" || :
	until_true 10 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/delete') = $n"
	# per round: an exec that was started has its exit, and init's is the last one
	events | awk '
	/^\/tasks\/create/ { started = ended = init = 0 }
	/^\/tasks\/exec-started/ { started++ }
	/^\/tasks\/exit/ {
		if (init) print "an exit behind the exit of init: " $0
		if ($0 ~ / id=e /) { ended++; if (ended > started) print "an exit before its start: " $0 }
		else init = 1
	}
	/^\/tasks\/delete/ { if (!init || started != ended) print init, started, ended }' >"$T/wrong"
	is "$(head -n 3 "$T/wrong")" ""
	pod_down
}
t "an exec's start against the exit of init: no exit is lost or late" exec_meets_exit

probes_and_exit() {
	running probes '' sleep 1000
	tc exec id="$ID" exec_id=late "$TRUE"
	for p in a b; do
		for i in $(seq 400); do
			cat <<-LINES
				exec id=$ID exec_id=$p$i $TRUE
				start id=$ID exec_id=$p$i
				wait id=$ID exec_id=$p$i
				delete id=$ID exec_id=$p$i
			LINES
		done | timeout 60 sh -c "while read -r l; do echo \"\$l\"; done | '$CLIENT' --timeout 2000 --namespace $NS $A batch" >"$T/probe.$p" 2>&1 &
	done
	until_true 10 grep -q 'exit_status=0' "$T/probe.a"
	sleep 0.5
	tc kill id="$ID" signal=9
	soon 1000 tc wait id="$ID" >"$T/w"
	is "$(field exit_status <"$T/w")" 137
	code 9 start id="$ID" exec_id=late
	code 9 exec id="$ID" exec_id=later "$TRUE"
	soon 4500 tc delete id="$ID" >/dev/null
	wait
	away
	events | sed -n 's/^\/tasks\/exit .* id=\([^ ]*\) .*/\1/p' >"$T/exits"
	is "$(tail -n 1 "$T/exits")" "$ID"
	is "$(sort "$T/exits" | uniq -d)" ""
	is "$(events | grep -c '^/tasks/exec-started')" $(($(wc -l <"$T/exits") - 1))
}
t "constant probes do not hold the exit of init back" probes_and_exit

exits_at_once() {
	running once '' sleep 1000
	n=$(count 120 500)
	{
		for i in $(seq "$n"); do echo "exec id=$ID exec_id=e$i $SLEEP"; done
		for i in $(seq "$n"); do echo "&s$i start id=$ID exec_id=e$i"; done
		echo join
	} | tc batch >"$T/o"
	sed -n 's/^pid=//p' "$T/o" >"$T/pids"
	is "$(wc -l <"$T/pids")" "$n"
	s=$(server_pid)
	kill -STOP "$s"
	xargs kill -9 <"$T/pids"
	sleep 0.2
	kill -CONT "$s"
	for i in $(seq "$n"); do
		echo "wait id=$ID exec_id=e$i"
		echo "delete id=$ID exec_id=e$i"
	done | tc batch >"$T/o"
	is "$(grep -c '^exit_status=137' "$T/o")" $((2 * n))
	is "$(pgrep -cP "$s")" 1
	until_true 10 sh -c "test \$(tail -n +$MARK '$T/events' | grep -c '^/tasks/exit') = $n"
	is "$(events | sed -n 's/^\/tasks\/exit .* id=\([^ ]*\) .*/\1/p' | sort -u | wc -l)" "$n"
	down
}
t "hundreds of exits behind one SIGCHLD: none is lost" exits_at_once

polled() {
	running polled '' sleep 1000
	{
		for i in $(seq 100); do echo "exec id=$ID exec_id=e$i $TRUE"; done
		for i in $(seq 100); do echo "&s$i start id=$ID exec_id=e$i"; done
		echo join
		for i in $(seq 100); do echo "wait id=$ID exec_id=e$i"; echo "delete id=$ID exec_id=e$i"; done
	} >"$T/batch"
	tc batch <"$T/batch" >"$T/o" &
	c=$!
	for i in $(seq 60); do echo "state id=$ID"; echo "sleep 10"; done | "$CLIENT" --time --namespace "$NS" "$A" batch | sed -n 's/^state time_us=//p' | sort -n >"$T/times"
	wait $c
	is "$(grep -c '^exit_status=0' "$T/o")" 200
	is "$(wc -l <"$T/times")" 60
	# the machine may be busy with something else for one of them
	[ "$(sed -n 54p "$T/times")" -lt 100000 ] || fail "State took $(tail -n 7 "$T/times" | tr '\n' ' ') us"
	down
}
t "a hundred execs at once: State answers meanwhile" polled

# ---- memory -------------------------------------------------------------------------------

oom_of_parent() {
	if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
		par=/sys/fs/cgroup/memory/$TAG-par files='memory.limit_in_bytes memory.memsw.limit_in_bytes'
	else
		par=/sys/fs/cgroup/$TAG-par files='memory.max memory.swap.max'
	fi
	for own in 20971520 41943040; do
		mkdir -p "$par"
		[ -e "$par/${files%% *}" ] || skip "no memory controller"
		for f in $files; do
			[ ! -e "$par/$f" ] || echo 20971520 >"$par/$f"
		done
		boot oomp '.linux.cgroupsPath = ("/" + $TAG + "-par/c")
			| .linux.resources.memory = {limit: '$own', swap: '$own'}' dd if=/dev/zero of=/dev/null bs=200M count=1
		create
		tc start id="$ID" >/dev/null
		is "$(tc wait id="$ID" | field exit_status)" 137
		down
		topics_are "create start oom exit delete "
		find /sys/fs/cgroup -depth -type d -name "$TAG-par" -exec rmdir {} +
	done
}
t "the limit of the parent cgroup: an OOM event all the same" oom_of_parent

# ---- callers that give up -------------------------------------------------------------------

nothing_of_it() {
	is "$(tc connect id="$ID" | field task_pid)" 0
	code 5 state id="$ID"
	code 5 pids id="$ID"
	code 5 delete id="$ID"
	hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs"
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	[ ! -e "$B/init.pid" ]
}

create_timed_out() {
	boot cto '.root.path = "rootfs"' true
	slow mount 3000
	soon 2500 "$CLIENT" --timeout 1000 --namespace "$NS" "$A" create id="$ID" bundle="$B" "mount=bind|$T/rootfs|rbind" >"$T/o" 2>&1 && fail "it was made"
	until_true 6 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -q '^status 5 '"
	quick
	until_true 3 sh -c "! grep -q '$B/rootfs' /proc/self/mountinfo"
	nothing_of_it
	soon 3000 away
	is "$(topics)" ""
	rmdir "$B/rootfs"
}
t "a Create whose time is up: nothing remains, Shutdown ends the server" create_timed_out

create_left() {
	boot cl '.root.path = "rootfs"' true
	slow mount 2000
	"$CLIENT" --namespace "$NS" "$A" create id="$ID" bundle="$B" "mount=bind|$T/rootfs|rbind" >"$T/o" 2>&1 &
	c=$!
	until_true 3 workers_are create 1
	kill -9 $c
	wait $c || :
	until_true 6 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -q '^status 5 '"
	quick
	until_true 3 sh -c "! grep -q '$B/rootfs' /proc/self/mountinfo"
	nothing_of_it
	soon 3000 away
	rmdir "$B/rootfs"
}
t "a client that dies in its Create: nothing remains, Shutdown ends the server" create_left

delete_left() {
	boot dl '.root.path = "rootfs"' true
	create "mount=bind|$T/rootfs|rbind"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	slow umount2 "$(count 3000 15000)"
	soon 2500 "$CLIENT" --timeout 1000 --namespace "$NS" "$A" delete id="$ID" >"$T/o" 2>&1 && fail "it was quick"
	soon 1000 code 5 delete id="$ID"
	soon 1000 tc shutdown id="$ID" >/dev/null
	until_true 40 sh -c "! kill -0 $(cat "$T/server")"
	wait $STRACE || :
	[ ! -e "$A" ]
	hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs"
	rmdir "$B/rootfs"
	topics_are "create start exit delete "
}
t "a Delete that outlives its caller: the next says NotFound, Shutdown ends the server" delete_left

# ---- what was left over ------------------------------------------------------------------------

never_started() {
	for how in none left; do
		boot "ns-$how" '' sleep 1000
		mkfifo "$T/so" "$T/fe" "$T/si"
		if [ $how = left ]; then
			# shellcheck disable=SC2217	# it holds the reading end and does not read
			sleep 1000 <"$T/so" &
			r=$!
		fi
		create stdin="$T/si" stdout="$T/so" stderr="$T/fe"
		if [ $how = left ]; then
			kill $r
			wait $r || :
		fi
		tc kill id="$ID" signal=9
		soon 1000 tc wait id="$ID" >/dev/null
		soon 1000 tc delete id="$ID" >"$T/o"
		is "$(field exit_status <"$T/o")" 137
		away
		rm "$T/si"
	done
}
t "Delete of what never started does not wait for readers" never_started

leftover() {
	boot over '' sh -c 'echo unread'
	mkfifo "$T/so"
	create stdout="$T/so"
	tc exec id="$ID" exec_id=e "$TRUE"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	cat >"$T/batch" <<-LINES
		connect id=$ID
		state id=$ID
		state id=$ID exec_id=e
		pids id=$ID
		stats id=$ID
		wait id=$ID
		start id=$ID
		start id=$ID exec_id=e
		kill id=$ID signal=9
		kill id=$ID signal=9 all=1
		pause id=$ID
		resume id=$ID
		closeio id=$ID stdin=1
		resize id=$ID width=1 height=1
		exec id=$ID exec_id=f $TRUE
		checkpoint id=$ID
		shutdown id=$ID
		delete id=$ID exec_id=e
	LINES
	"$CLIENT" --time --namespace "$NS" "$A" batch <"$T/batch" >"$T/o" || :
	sed -n 's/ time_us=/ /p' "$T/o" | awk '$1 != "total" && $2 >= 1000000' >"$T/slow"
	is "$(cat "$T/slow")" ""
	is "$(grep -c ' time_us=' "$T/o")" $(($(wc -l <"$T/batch") + 1))
	# output that nobody has read may have its two seconds
	soon 3500 tc delete id="$ID" >/dev/null
	away
}
t "a server that was left over answers everything at once" leftover

members_alone() {
	pod alone
	member left '' sleep 1000
	create			# without a start action, as containerd 2 does it
	tc start id="$ID" >/dev/null
	m=$ID
	ID=$POD
	s=$(server_pid)
	tc kill id="$POD" signal=9
	tc wait id="$POD" >/dev/null
	tc delete id="$POD" >/dev/null
	tc shutdown id="$POD" >/dev/null
	is "$(tc state id="$m" | field status)" RUNNING
	tc kill id="$m" signal=9
	tc wait id="$m" >/dev/null
	tc delete id="$m" >/dev/null
	[ -e "$A" ]
	until_true 14 sh -c "! kill -0 $s"
	[ ! -e "$A" ]
}
t "no Shutdown after the last member's Delete: the server ends by itself" members_alone

pods_churn() {
	n=$(count 10 500)
	for i in $(seq "$n"); do
		pod "p$i"
		member "c$i" '' true
		shim_start
		is "$A" "$PA"
		create
		tc start id="$ID" >/dev/null
		tc wait id="$ID" >/dev/null
		tc delete id="$ID" >/dev/null
		tc shutdown id="$ID" >/dev/null
		shim_action delete -bundle "$B" </dev/null >/dev/null
		pod_down
		shim_action delete -bundle "$B" </dev/null >/dev/null
		rm -rf "$PB" "$T/b/c$i"
	done
	until_true 3 sh -c "test -z \"\$(pgrep -P $PPID containerd-shim)\""
	is "$(servers)" ""
}
t "pods come and go: no server, no socket, no cgroup stays" pods_churn

# ---- events ---------------------------------------------------------------------------------------

events_stuck() {
	s=$(count 14 60)	# longer than a server without containers waits for a caller
	"$CLIENT" --block "$s" events-server "$T/stuck.ttrpc" >"$T/stuck" 2>&1 &
	e=$!
	until_true 5 test -S "$T/stuck.ttrpc"
	old=$EV
	EV=$T/stuck
	bundle stuck '' sh -c 'exit 3'
	shim_start
	create
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 3
	soon 2000 tc delete id="$ID" >/dev/null
	until_true $((s + 10)) grep -q '^/tasks/delete' "$T/stuck"
	is "$(sed -n 's|^/tasks/\([a-z-]*\) .*|\1|p' "$T/stuck" | tr '\n' ' ')" "create start exit delete "
	away
	kill $e
	wait $e || :
	EV=$old
}
t "an event service that takes events and does not answer: told again, once, in order" events_stuck

# ---- streams ----------------------------------------------------------------------------------------

close_io() {
	for when in before during after; do
		boot "cio-$when" '' cat
		mkfifo "$T/si" "$T/so"
		cat "$T/so" >"$T/ro" &
		r=$!
		create stdin="$T/si" stdout="$T/so"
		timeout 10 sh -c "echo word >'$T/si'"
		case $when in
		before)
			tc closeio id="$ID" stdin=1
			tc start id="$ID" >/dev/null
			;;
		during)
			printf '&s start id=%s\ncloseio id=%s stdin=1\njoin\n' "$ID" "$ID" | tc batch >/dev/null
			;;
		after)
			tc start id="$ID" >/dev/null
			tc closeio id="$ID" stdin=1
			;;
		esac
		is "$(timeout 5 "$CLIENT" --namespace "$NS" "$A" wait id="$ID" | field exit_status)" 0
		wait $r
		is "$(cat "$T/ro")" word
		down
	done
}
t "CloseIO before, during and after Start: cat ends, with its word" close_io

one_stuck() {
	pod stuck
	mkfifo "$T/so"
	# shellcheck disable=SC2217	# it holds the reading end and does not read
	sleep 1000 <"$T/so" &
	r=$!
	member loud '' sh -c 'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'
	create stdout="$T/so"
	tc start id="$ID" >/dev/null
	loud=$ID
	sleep 0.3
	mkfifo "$T/fo"
	sha256sum <"$T/fo" >"$T/sum" &
	c=$!
	member other '' sh -c 'head -c 20000000 /dev/zero'
	create stdout="$T/fo"
	tc start id="$ID" >/dev/null
	soon 5000 tc wait id="$ID" >/dev/null
	wait $c
	is "$(cat "$T/sum")" "$(head -c 20000000 /dev/zero | sha256sum)"
	tc delete id="$ID" >/dev/null
	soon 500 tc state id="$loud" >/dev/null
	tc kill id="$loud" signal=9
	tc wait id="$loud" >/dev/null
	soon 4500 tc delete id="$loud" >/dev/null
	kill $r
	wait $r || :
	rm "$T/fo"
	pod_down
}
t "a reader that stops one container stops no other" one_stuck

helpers_and_reaping() {
	printf '#!/bin/sh\nexec 5>&-\ncat <&3 >>%s/logged\ncat <&4\n' "$T" >"$T/logger"
	chmod 0755 "$T/logger"
	: >"$T/logged"
	pod reap
	for i in $(seq 60); do
		printf 'exec id=%s exec_id=r%s %s\nstart id=%s exec_id=r%s\nwait id=%s exec_id=r%s\ndelete id=%s exec_id=r%s\n' \
			"$POD" $i "$TRUE" "$POD" $i "$POD" $i "$POD" $i
	done | tc batch >"$T/probes" &
	c=$!
	for i in $(seq 8); do
		hook=$((i % 2 * 7))
		member "h$i" '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "sleep 0.05; exit '$hook'"]}]}' \
			sh -c "echo line $i; exit $i"
		if [ $hook = 7 ]; then
			code '[0-9]+' create id="$ID" bundle="$B" "stdout=binary://$T/logger"
			has "$(cat "$T/o")" 'hook.*7'
			continue
		fi
		create "stdout=binary://$T/logger"
		tc start id="$ID" >/dev/null
		is "$(tc wait id="$ID" | field exit_status)" "$i"
		tc delete id="$ID" >/dev/null
	done
	wait $c
	is "$(grep -c '^exit_status=0' "$T/probes")" 120
	until_true 3 sh -c "test \$(wc -l <'$T/logged') = 4"
	is "$(sort "$T/logged" | tr '\n' ' ')" "line 2 line 4 line 6 line 8 "
	pod_down
}
t "hooks and logging programs keep their statuses while execs are reaped" helpers_and_reaping

# ---- the start action ---------------------------------------------------------------------------------

# any TYPE VALUE: a serialized Any; both shorter than 128 bytes.
any() {
	printf "\\012\\$(printf %o ${#1})%s\\022\\$(printf %o ${#2})" "$1"
	printf '%s' "$2"
}

# body TOML: a runtimeoptions message with it as config_body.
body() {
	printf "\\032\\$(printf %o ${#1})%s" "$1"
}

config_body() {
	toml='ShimCgroup = ""
SystemdCgroup = false
Root = ""
'
	bundle cb '' true
	any runtimeoptions.v1.Options "$(body "$toml")" >"$T/any"
	shim_action start <"$T/any" >"$T/o" 2>"$T/e"
	is "$(cat "$T/e")" ""
	A=$(sed 's|^unix://||' "$T/o")
	is "$(tr '\0' '\n' <"/proc/$(server_pid)/cgroup")" "$(cat /proc/self/cgroup)"
	create "options:runtimeoptions.v1.Options:config_body=$toml"
	down
	# one that names a cgroup is obeyed
	cg=/sys/fs/cgroup
	if [ -d $cg/pids ]; then
		for d in "$cg"/*/; do mkdir "$d$TAG-shim"; done
		for f in cpuset.cpus cpuset.mems; do cat "$cg/cpuset/$f" >"$cg/cpuset/$TAG-shim/$f"; done
		cg=$cg/pids
	else
		mkdir "$cg/$TAG-shim"
	fi
	any runtimeoptions.v1.Options "$(body "ShimCgroup = \"/$TAG-shim\"")" >"$T/any"
	shim_action start <"$T/any" >"$T/o"
	A=$(sed 's|^unix://||' "$T/o")
	is "$(cat "$cg/$TAG-shim/cgroup.procs")" "$(server_pid)"
	create
	down
	find /sys/fs/cgroup -depth -type d -name "$TAG-shim" -exec rmdir {} +
}
t "options as TOML: an empty ShimCgroup is none, a named one is entered" config_body

failed_start() {
	bundle fs '' true
	any runtimeoptions.v1.Options "$(body "ShimCgroup = \"/$TAG-none\"")" >"$T/any"
	ls /run/containerd/s >"$T/before"
	status 1 sh -c "cd '$B' && '$SHIM_BIN' -namespace $NS -address '$EV' -id $ID start <'$T/any'"
	has "$(cat "$T/e")" "ShimCgroup /$TAG-none"
	is "$(ls /run/containerd/s)" "$(cat "$T/before")"
	is "$(servers)" ""
	# the next one is not hindered
	boot fs '' true
	create
	down
}
t "a start that fails behind its bind leaves no socket" failed_start

bootstrap() {
	bundle bs '' true
	mkdir -m 0700 "$T/sd"
	"$CLIENT" encode containerd.runtime.bootstrap.v1.BootstrapParams instance_id="$ID" namespace="$NS" log_level=-4 \
		containerd_ttrpc_address="$EV.ttrpc" containerd_grpc_address="$EV" socket_dir="$T/sd" \
		"extensions+.value:runtimeoptions.v1.Options:config_body=SystemdCgroup = false" >"$T/params"
	( cd "$B" && env -u TTRPC_ADDRESS "$SHIM_BIN" -namespace "$NS" -address "$EV" -id "$ID" start <"$T/params" ) >"$T/result" 2>"$T/e"
	is "$(cat "$T/e")" ""
	# what trims white space from both ends must not cut it
	hasnt "$(head -c 1 "$T/result" | od -An -tx1)" ' (09|0a|0b|0c|0d|20)'
	hasnt "$(tail -c 1 "$T/result" | od -An -tx1)" ' (09|0a|0b|0c|0d|20)'
	"$CLIENT" decode containerd.runtime.bootstrap.v1.BootstrapResult <"$T/result" >"$T/o"
	is "$(field version <"$T/o")" 2
	is "$(field protocol <"$T/o")" ttrpc
	A=$(field address <"$T/o")
	is "$(cat "$B/address")" "$A"
	A=${A#unix://}
	is "${A%/*}" "$T/sd"
	has "${A##*/}" '^[0-9a-f]{64}$'
	has "$(tr '\0' ' ' <"/proc/$(server_pid)/cmdline")" ' -debug'
	MARK=$(($(wc -l <"$T/events") + 1))
	create
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	topics_are "create start exit delete "
	is "$(ls "$T/sd")" ""
}
t "BootstrapParams on stdin: its folder, its events, BootstrapResult back" bootstrap

many_starts() {
	pods=$(seq 6)
	for i in $pods; do
		bundle "ms$i" '.annotations = {"io.containerd.runc.v2.group": ($TAG + "-ms"), "io.kubernetes.cri.sandbox-id": "other"}' true
		( shim_action start </dev/null >"$T/a.$i" 2>"$T/e.$i" 9>"$T/mine" ) &
	done
	wait
	is "$(cat "$T"/e.*)" ""
	A=$(cat "$T/a.1")
	for i in $pods; do
		is "$(cat "$T/a.$i")" "$A"
		is "$(cat "$T/b/ms$i/address")" "$A"
	done
	is "$(servers | wc -l)" 1
	A=${A#unix://}
	s=$(server_pid)
	is "$(cat "/proc/$s/oom_score_adj")" "$(($(cat /proc/self/oom_score_adj) + 1))"
	is "$(readlink "/proc/$s/fd/0")" /dev/null
	is "$(find "/proc/$s/fd" -lname "$T/mine")" ""
	away
}
t "concurrent starts of a group: one server, every bundle has its address" many_starts

stale_socket() {
	boot stale '' sleep 1000
	create
	kill -9 "$(server_pid)"
	[ -S "$A" ]
	shim_action delete -bundle "$B" </dev/null >/dev/null
	boot stale '' true
	create
	down
}
t "the socket of a server that was killed is in nobody's way" stale_socket

asked_to_end() {
	boot term '' sh -c 'sleep 1000'
	create
	pid=$(field pid <"$T/o")
	tc start id="$ID" >/dev/null
	s=$(server_pid)
	kill -TERM "$s"
	until_true 4 sh -c "! kill -0 $s"
	[ ! -e "$A" ]
	kill -0 "$pid"
	shim_action delete -bundle "$B" </dev/null >"$T/del" 2>"$T/e"
	is "$(cat "$T/e")" ""
	is "$("$CLIENT" decode cleat.task.DeleteResponse <"$T/del" | field pid)" "$pid"
	! kill -0 "$pid" 2>/dev/null
}
t "SIGTERM ends the server in order, not the container" asked_to_end

full_log() {
	bundle log '' true
	mkfifo "$B/log"
	cat "$B/log" >"$T/log.1" &
	r=$!
	exec 8>"$B/log"		# as containerd: it is open when start runs
	shim_start
	exec 8>&-
	kill -USR1 "$(server_pid)"
	until_true 3 grep -q "server $ID" "$T/log.1"
	create
	down
	wait $r
	# full, and nobody reads: nothing waits for it
	exec 8<>"$B/log"
	shim_start
	timeout 1 dd if=/dev/zero of="$B/log" bs=4096 count=100 2>/dev/null || :
	s=$(server_pid)
	for i in $(seq 30); do kill -USR1 "$s"; done
	soon 1000 tc connect id="$ID" >/dev/null
	create
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	exec 8>&-
	rm "$B/log"
}
t "the log: opened at once; full, it stops nothing" full_log

colon_path() {
	[ ! -d /run/systemd/system ] || skip "systemd runs here"
	# by its form alone, and with the option: refused, never a directory with colons in its name
	boot colon '.linux.cgroupsPath = ("kubepods.slice:cri-containerd:" + $TAG)' true
	code 3 create id="$ID" bundle="$B"
	has "$(cat "$T/o")" 'kubepods.slice:cri-containerd:.*systemd does not manage this host'
	code 3 create id="$ID" bundle="$B" options:containerd.runc.v1.Options:systemd_cgroup=1
	is "$(find /sys/fs/cgroup -name 'kubepods.slice:*')" ""
	bundle colon '' true
	code 3 create id="$ID" bundle="$B" options:containerd.runc.v1.Options:systemd_cgroup=1
	has "$(cat "$T/o")" 'cgroupsPath.*slice:prefix:name'
	create
	down
}
t "a cgroup path of systemd's form where systemd does not run" colon_path

# containerd's client opens its end in the background, and no more once it deletes.
quick_process() {
	boot quick '' echo said
	mkfifo "$T/so"
	(sleep 0.1; echo opening >"$T/when"; exec cat "$T/so") >"$T/said" &
	r=$!
	create stdout="$T/so"
	is "$(cat "$T/when")" opening
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	wait $r
	is "$(cat "$T/said")" said
	down
	# nobody comes: nobody is waited for
	boot quick '' true
	mkfifo "$T/so"
	soon 1000 create stdout="$T/so"
	down
}
t "a reader that is about to come is there when Create answers" quick_process

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Commands that programs read: what they print is compared with what runc
# prints of the same cgroup, byte for byte where nothing moves.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
suite cli-commands

# both NAME FILTER COMMAND...: a container of ours and one of runc's, with the same id, in one cgroup.
# Ours is frozen with it, so no number moves while it is read.
both() {
	command -v runc >/dev/null || skip "runc is not installed"
	bundle "$@"
	mkdir -p -m 0700 "$T/runc"
	detached
	timeout 60 runc --root "$T/runc" run -d --bundle "$B" "$ID" </dev/null >"$T/runc.out" 2>&1 ||
		{ cat "$T/runc.out"; return 1; }
}

by_runc() {
	timeout 60 runc --root "$T/runc" "$@" 2>/dev/null
}

# runc removes the cgroup only when it is empty, so it goes last.
gone_both() {
	rt kill "$ID" KILL || :
	by_runc kill "$ID" KILL || :
	until_true 5 is_state "$ID" stopped
	by_runc delete --force "$ID"
	gone
}

# ---- events -------------------------------------------------------------------------

events_same() {
	both evsame '.linux.resources.pids = {limit: 20} | .linux.resources.cpu = {quota: 50000, period: 100000}' \
		sh -c 'dd if=/dev/zero of=/io bs=4096 count=50 conv=fsync 2>/dev/null; rm -f /io; cat /bin/busybox >/dev/null
			while :; do sleep 100; done'
	sleep 0.5
	rt pause "$ID"
	rt events --stats "$ID" >"$T/ours"
	by_runc events --stats "$ID" >"$T/theirs"
	rt resume "$ID"
	gone_both
	[ -s "$T/theirs" ]
	# What moves all the same: charges are given back in batches, and periods pass for the frozen too.
	same='s/("(periods|pgpgin|pgpgout|total_pgpgin|total_pgpgout|usage|max)"):[0-9]+/\1:N/g'
	sed -E "$same" "$T/ours" >"$T/1"
	sed -E "$same" "$T/theirs" >"$T/2"
	cmp "$T/1" "$T/2" || fail "ours: $(cat "$T/1") runc's: $(cat "$T/2")"
	jq -e '.data.pids.limit == 20 and .data.cpu.usage.total > 0' "$T/ours" >"$T/o"
}
t "events --stats prints what runc prints" events_same

events_stream() {
	bundle evstream '' sleep 1000
	detached
	rt events --interval 100ms "$ID" >"$T/stream" 2>"$T/e" &
	events=$!
	until_true 5 sh -c '[ $(wc -l <"$1") -ge 3 ]' - "$T/stream"
	rt kill "$ID" KILL
	got=0
	wait $events || got=$?
	is "$got" 0
	is "$(cat "$T/e")" ""
	is "$(jq -r '.type + " " + .id' "$T/stream" | sort -u)" "stats $ID"
	refused 1 "container with id $ID is not running" rt events --stats "$ID"
	rt delete "$ID"
	refused 1 'does not exist' rt events "$ID"
	refused 1 'not a duration above 0' rt events --interval 0 "$ID"
	refused 1 'not a duration above 0' rt events --interval 5 "$ID"
}
t "events prints a line every interval and ends with the container" events_stream

events_oom() {
	bundle evoom '.linux.resources.memory = {limit: 33554432}' sleep 1000
	detached
	rt events --interval 1h "$ID" >"$T/stream" &
	events=$!
	sleep 0.5
	for _ in 1 2; do
		status 137 rt exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1
	done
	until_true 5 sh -c '[ $(wc -l <"$1") = 2 ]' - "$T/stream"
	is "$(sort -u "$T/stream")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
	is_state "$ID" running
	gone
	wait $events
	is "$(wc -l <"$T/stream")" 2
}
t "events tells of each process killed for memory" events_oom

events_oom_init() {
	bundle evinit '.linux.resources.memory = {limit: 33554432}' \
		sh -c 'while [ ! -e /go ]; do sleep 0.05; done; exec dd if=/dev/zero of=/dev/null bs=200M count=1'
	rm -f "$T/rootfs/go"
	detached
	rt events --interval 1h "$ID" >"$T/stream" &
	events=$!
	sleep 0.5
	touch "$T/rootfs/go"
	wait $events
	is "$(cat "$T/stream")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
	rm -f "$T/rootfs/go"
	rt delete "$ID"
}
t "events tells of the kill that ended the container" events_oom_init

events_reader_gone() {
	bundle evgone '' sleep 1000
	detached
	# shellcheck disable=SC2094
	( rt events --interval 50ms "$ID" || echo "status $?" >"$T/s" ) 2>/dev/null | head -n 1 >"$T/o"
	until_true 5 test -s "$T/s"
	is "$(wc -l <"$T/o")" 1
	gone
}
t "events ends when nobody reads it" events_reader_gone

# ---- state, list, ps ---------------------------------------------------------------------

# Pids and times are each one's own, the rest is the same to the byte.
own() {
	sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g' -e "s/\\b$1\\b/PID/g" -e 's/1\.[0-9.]+(-dev)?"/VERSION"/' \
		-e 's/  +/  /g'
}

same_output() {
	rt "$@" >"$T/ours" 2>"$T/e"
	by_runc "$@" >"$T/theirs"
	own "$(pid_of "$ID")" <"$T/ours" >"$T/1"
	own "$(by_runc state "$ID" | jq .pid)" <"$T/theirs" >"$T/2"
	# runc ends some of its documents without a newline
	[ -z "$(tail -c 1 "$T/2")" ] || echo >>"$T/2"
	cmp "$T/1" "$T/2" || fail "$*: ours: $(cat "$T/1") runc's: $(cat "$T/2")"
}

outputs_same() {
	both outsame '.annotations = {"org.x/y": "v \"w\"", a: "b"}' sh -c 'sleep 1000; :'
	same_output state "$ID"
	same_output list
	same_output list --format table
	same_output list -f json
	same_output list -q
	gone_both
}
t "state and list print what runc prints" outputs_same

both_sleep() {
	[ "$(rt ps -f json "$ID" | jq length)" = 4 ]
}

# Of one cgroup, so of the same processes.
ps_same() {
	both pssame '' sh -c 'sleep 1000; :'
	until_true 5 both_sleep
	# The kernel keeps no order in a v1 cgroup.
	rt ps -f json "$ID" >"$T/o"
	by_runc ps -f json "$ID" >"$T/theirs"
	has "$(cat "$T/o")" '^\[[0-9]+(,[0-9]+)*\]$'
	is "$(jq -c sort "$T/o")" "$(jq -c sort "$T/theirs")"
	[ "$(jq length "$T/o")" -ge 2 ]
	is "$(rt ps "$ID" | sed -n 1p)" "$(by_runc ps "$ID" | sed -n 1p)"
	is "$(rt ps "$ID" -e -o pid,ppid,comm)" "$(by_runc ps "$ID" -e -o pid,ppid,comm)"
	is "$(rt ps "$ID" -e -o comm,pid | sed 1d | cut -d" " -f 1 | sort -u | tr '\n' ' ')" "sh sleep "
	gone_both
}
t "ps prints what runc prints, as a table and as JSON" ps_same

# ---- update ---------------------------------------------------------------------------------

# The same changes by both, one after the other, and after each what stands in the cgroup's files.
update_same() {
	command -v runc >/dev/null || skip "runc is not installed"
	[ -d /sys/fs/cgroup/memory ] || skip "no cgroup v1"
	mkdir -p -m 0700 "$T/runc"
	printf '{"memory": {"limit": 52428800, "reservation": 20971520, "swap": 104857600}, "cpu": {"shares": 77, "quota": 12000, "period": 60000}, "pids": {"limit": 44}}' >"$T/res1"
	printf '{"devices": [{"allow": true, "access": "rwm"}], "unknown": {"x": 1}}' >"$T/res3"
	for who in runc cleat; do
		bundle "up-$who" '.linux.resources.memory = {limit: 33554432, swap: 33554432}' sleep 1000
		R="$RUNTIME --root $ROOT"
		[ $who = cleat ] || R="runc --root $T/runc"
		timeout 60 $R run -d --bundle "$B" "$ID" </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
		while read -r args; do
			got=0
			# shellcheck disable=SC2086
			timeout 20 $R update $args "$ID" <"$T/res1" >"$T/o" 2>&1 || got=$?
			echo "== $args: $got"
			for f in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us \
				cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max devices/devices.list; do
				d=/sys/fs/cgroup/${f%/*}/$ID/${f##*/}
				[ ! -e "$d" ] || echo "$f $(sort "$d" | tr '\n' ' ')"
			done
		done >"$T/$who.updates" <<-END2
			--memory 64m
			--memory 128M --memory-swap 256mb
			--memory 33554432 --memory-reservation 16m
			--memory-swap 64m
			--memory 1g
			--memory-swap -1
			--memory -1
			--memory 10x
			--cpu-share 300
			--cpu-period 50000 --cpu-quota 20000
			--cpu-quota 30000
			--cpu-period 100000
			--cpu-quota -1
			--cpu-quota 1
			--cpuset-cpus 0 --cpuset-mems 0
			--cpuset-cpus 4000
			--pids-limit 33
			--pids-limit 5 --cpu-share 512 --memory 40m --memory-swap 40m
			--pids-limit -1
			-r $T/res1
			-r - --pids-limit 7
			--resources=$T/res3
			-r $T/no-such-file
			--kernel-memory 10m --kernel-memory-tcp 10m
		END2
		timeout 60 $R delete --force "$ID"
	done
	diff -u "$T/runc.updates" "$T/cleat.updates" >"$T/diff" || fail "runc (-) and cleat (+) differ: $(cat "$T/diff")"
	has "$(grep "^==" "$T/cleat.updates")" "^== -r - --pids-limit 7: 0"
}
t "update: every option leaves what runc leaves" update_same

# ---- exec --cgroup ----------------------------------------------------------------------

exec_cgroup() {
	[ -d /sys/fs/cgroup/memory ] || skip "no cgroup v1"
	bundle excg '' sleep 1000
	detached
	for c in memory pids cpu freezer; do mkdir -p "/sys/fs/cgroup/$c/$ID/in/er"; done
	status 0 rt exec --cgroup memory,pids:in/er --cgroup freezer:/in "$ID" cat /proc/self/cgroup
	has "$(cat "$T/o")" ":memory:/$ID/in/er\$"
	has "$(cat "$T/o")" ":pids:/$ID/in/er\$"
	has "$(cat "$T/o")" ":freezer:/$ID/in\$"
	has "$(cat "$T/o")" "[:,]cpu(,cpuacct)?:/$ID\$"
	# Without a controller: in all of them, so all must have it.
	refused 255 'open the sub-cgroup .*in' rt exec --cgroup in "$ID" true
	for c in /sys/fs/cgroup/*/"$ID"; do mkdir -p "$c/in"; done
	for f in cpus mems; do cat "/sys/fs/cgroup/cpuset/$ID/cpuset.$f" >"/sys/fs/cgroup/cpuset/$ID/in/cpuset.$f"; done
	status 0 rt exec --cgroup in "$ID" cat /proc/self/cgroup
	has "$(cat "$T/o")" "[:,]cpu(,cpuacct)?:/$ID/in\$"
	hasnt "$(grep "$ID" "$T/o")" "$ID\$"
	refused 255 'not a sub cgroup path' rt exec --cgroup memory:../x "$ID" true
	refused 255 'unknown controller nosuch' rt exec --cgroup nosuch:in "$ID" true
	refused 255 'missing <controller>: prefix' rt exec --cgroup in --cgroup memory:in "$ID" true
	gone
}
t "exec --cgroup enters sub-cgroups, of some controllers or of all" exec_cgroup

# ---- --trace ------------------------------------------------------------------------------

trace_run() {
	bundle trrun '' sh -c 'echo out; echo err >&2; exit 3'
	status 3 run_it --trace=json
	is "$(cat "$T/o")" out
	is "$(head -n 1 "$T/e")" err
	tail -n 1 "$T/e" >"$T/json"
	is "$(jq -r '.command + " " + .id' "$T/json")" "run $ID"
	for step in host.bundle host.spec host.launch init.mounts init.pivot root.hostname seal.ids seal.exec \
		host.start host.program host.delete-cgroup; do
		jq -e --arg s "$step" '[.steps[] | .stage + "." + .step] | index($s)' "$T/json" >"$T/o" || fail "no $step"
	done
	# Nothing lies outside of the whole, and the stages are the sums of their steps.
	jq -e '.microseconds as $all | all(.steps[]; .at >= 0 and .microseconds >= 0 and .at + .microseconds <= $all + 1)' "$T/json"
	jq -e '(.stages.init - ([.steps[] | select(.stage == "init").microseconds] | add)) | fabs < 2' "$T/json"
}
t "run --trace=json tells every stage's steps, and changes nothing else" trace_run

trace_text() {
	bundle trtext '' sleep 1000
	rt create --trace --bundle "$B" "$ID" </dev/null >"$T/o" 2>"$T/e"
	has "$(head -n 1 "$T/e")" "^cleat create $ID: [0-9.]+ us\$"
	has "$(cat "$T/e")" '^ +[0-9.]+ +[0-9.]+  init   mounts$'
	rt start "$ID"
	status 0 rt exec --trace=text "$ID" true
	has "$(cat "$T/e")" '^ +[0-9.]+ +[0-9.]+  join   session$'
	has "$(cat "$T/e")" '^ +[0-9.]+ +[0-9.]+  seal   exec$'
	refused 255 'not text or json' rt exec --trace=xml "$ID" true
	gone
}
t "create and exec --trace: a table" trace_text

trace_failed() {
	bundle trfail '' /no/such
	status 1 run_it --trace=json
	has "$(cat "$T/e")" 'no such file or directory'
	grep '^{' "$T/e" >"$T/json"
	is "$(jq -r '.steps | map(select(.stage == "seal"))[-1].step' "$T/json")" lookup
}
t "--trace of a run that fails ends with the step that failed" trace_failed

trace_off() {
	command -v strace >/dev/null || skip "strace is not installed"
	bundle troff '' true
	for how in '' --trace; do
		timeout 60 strace -f -qq -e trace=mmap -o "$T/calls$how" "$RUNTIME" --root "$ROOT" run $how --bundle "$B" "$ID" 2>"$T/e"
	done
	grep -q 'MAP_SHARED|MAP_ANONYMOUS' "$T/calls--trace"
	! grep 'MAP_SHARED|MAP_ANONYMOUS' "$T/calls"
}
t "without --trace there is no page for it" trace_off

# ---- check ----------------------------------------------------------------------------------

# finding NAME: verdict of a line of the last check --json, in $T/o
finding() {
	jq -r --arg n "$1" '.findings[] | select(.name == $n) | .verdict' "$T/o"
}

check_host() {
	status 0 rt check --json
	jq -e '.ok and (.findings | length > 35)' "$T/o" >"$T/e"
	jq -e 'all(.findings[]; (.verdict | IN("ok", "partly", "missing")) and (.detail != "")
		and ((.verdict == "ok") == (.remedy == "") or .group == "privilege"))' "$T/o"
	is "$(finding seccomp)" ok
	is "$(finding mount)" ok
	is "$(jq -r '[.findings[].group] | unique | join(" ")' "$T/o")" \
		"cgroups hardware kernel namespaces privilege security"
	for c in cpu memory pids; do [ ! -d "/sys/fs/cgroup/$c" ] || is "$(finding $c)" ok; done
	status 0 rt check
	has "$(cat "$T/o")" '^  seccomp +ok +libseccomp 2'
	hasnt "$(cat "$T/o")" "$(printf '\033')"
	# The state root is not even looked for.
	status 0 "$RUNTIME" --root /no/such/root check
	[ ! -e /no/such ]
}
t "check tells what the host can do, and makes nothing" check_host

check_colour() {
	TERM=xterm timeout 60 script -qec "'$RUNTIME' check" /dev/null </dev/null >"$T/o"
	grep -q "$(printf '\033\\[32mok')" "$T/o"
	NO_COLOR=1 TERM=xterm timeout 60 script -qec "'$RUNTIME' check" /dev/null </dev/null >"$T/o"
	! grep -q "$(printf '\033')" "$T/o"
	TERM=xterm timeout 60 script -qec "'$RUNTIME' check --json" /dev/null </dev/null >"$T/o"
	! grep -q "$(printf '\033')" "$T/o"
}
t "check has colours on a terminal only" check_colour

check_good() {
	bundle chkgood '.mounts += [{destination: "/x", type: "bind", source: "/etc", options: ["rbind", "rro"]}]
		| .linux.resources.memory = {limit: 67108864}' true
	status 0 rt check --json "$B"
	is "$(jq -r .ok "$T/o")" true
	is "$(finding config.json)" ok
	is "$(finding /process/args/0)" ok
	is "$(finding "/mounts/$(jq '.mounts | length - 1' "$B/config.json")/source")" ok
	is "$(finding /linux/resources/memory)" ok
	status 0 rt check --missing "$B"
	hasnt "$(cat "$T/o")" ' ok  '
	has "$(cat "$T/o")" 'This host can run the bundle'
}
t "check of a good bundle" check_good

check_bad() {
	bundle chkbad '.mounts += [{destination: "/x", type: "bind", source: "/no/source", options: ["bind"]},
			{destination: "/y", type: "nosuchfs", source: "y"}]
		| .hooks = {poststop: [{path: "/no/hook"}]}
		| .linux.namespaces += [{type: "uts", path: "/no/ns"}] | .linux.namespaces |= unique_by(.type)
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 99999999999}]' no-such-program
	n=$(jq '.mounts | length' "$B/config.json")
	status 1 rt check --json "$B"
	is "$(jq -r .ok "$T/o")" false
	is "$(finding /process/args/0)" missing
	is "$(finding "/mounts/$((n - 2))/source")" missing
	is "$(finding "/mounts/$((n - 1))/type")" partly
	is "$(finding /hooks/poststop/0/path)" missing
	if [ "$(finding CAP_SYS_RESOURCE)" = missing ]; then is "$(finding /process/rlimits/0)" missing; fi
	jq -e 'all(.findings[] | select(.group == "bundle" and .verdict != "ok"); .remedy != "")' "$T/o"
	status 1 rt check "$B"
	has "$(cat "$T/o")" '/hooks/poststop/0/path +missing +program "/no/hook" is not there'
	has "$(cat "$T/o")" 'This host cannot run the bundle'
	# What check says is what run does.
	status 1 run_it
}
t "check of a bad bundle names every pointer, the lack and the remedy" check_bad

check_invalid() {
	bundle chkinv '.process.cwd = "relative"' true
	status 1 rt check --json "$B"
	has "$(jq -r '.findings[] | select(.name == "config.json").detail' "$T/o")" '^/process/cwd: '
	refused 1 'open the bundle' rt check /no/such/bundle
	refused 1 'maximum of 1' sh -c '"$@" >/dev/null' - "$RUNTIME" check a b
	printf '{"ociVersion": "1.0.2", "root": {"path": "a\\u001b[31mb"}, "process": {"cwd": "/", "args": ["\\u0007"], "user": {"uid": 0, "gid": 0}}}' >"$B/config.json"
	status 1 rt check "$B"
	hasnt "$(cat "$T/o")" "$(printf '[\033\007]')"
	status 1 rt check --json "$B"
	jq -e . "$T/o" >"$T/e"
}
t "check of a document that is refused" check_invalid

check_user() {
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	bundle chkuser '' true
	chmod 0755 "$T/b" "$B"
	chmod 0644 "$B/config.json"
	cp "$RUNTIME" "$T/cleat-copy"
	chmod 0755 "$T/cleat-copy"
	status 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$T/cleat-copy" check --json "$B"
	is "$(finding caller)" partly
	is "$(finding /linux/namespaces)" missing
	rm "$T/cleat-copy"
}
t "check by an ordinary user" check_user

# ---- logs of daemons ----------------------------------------------------------------------

# logged DIR SOCKET PREFIX: what a daemon at SOCKET, in a /dev or /run of its own, gets of two failures.
logged() {
	unshare -m sh -ec 'mount --make-rprivate /; mount -t tmpfs tmpfs "$1"; mkdir -p "${2%/*}"
		[ -e /dev/null ] || mknod /dev/null c 1 3
		"$5/logsock" "$2" 2 >"$6/sock.out" & d=$!
		for _ in $(seq 200); do grep -q ready "$6/sock.out" && break; sleep 0.05; done
		for id in no-such-1 no-such-2; do
			"$4" --root "$7" --log "$3" delete "$id" 2>>"$6/sock.err" && exit 1
		done
		wait $d' - "$1" "$2" "$3" "$RUNTIME" "$TOOLS" "$T" "$ROOT"
}

log_daemons() {
	rm -f "$T"/sock.*
	logged /dev /dev/log syslog:my-name
	is "$(grep -c -E '^<11>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} my-name\[[0-9]+\]: cleat delete failed: no-such-[12]: container does not exist$' "$T/sock.out")" 2
	# The reason is on stderr too, and bare, as with a file.
	has "$(cat "$T/sock.err")" '^cleat delete failed: no-such-1: container does not exist$'
	logged /run /run/systemd/journal/socket journald:my-name
	is "$(grep -c '^MESSAGE=cleat delete failed: no-such-[12]: container does not exist$' "$T/sock.out")" 2
	is "$(grep -c '^PRIORITY=3$' "$T/sock.out")" 2
	is "$(grep -c '^SYSLOG_IDENTIFIER=my-name$' "$T/sock.out")" 2
}
t "--log syslog:NAME and journald:NAME" log_daemons

log_daemon_refused() {
	refused 1 'is no name' rt --log 'syslog:a b' state x
	unshare -m sh -ec 'mount --make-rprivate /; mount -t tmpfs tmpfs /run
		got=0; "$1" --root "$2" --log journald: state x 2>"$3/e" || got=$?; [ $got = 1 ]' - "$RUNTIME" "$ROOT" "$T"
	has "$(cat "$T/e")" '/run/systemd/journal/socket: --log journald:: connect: no such file or directory'
}
t "--log of a daemon that is not there" log_daemon_refused

finish

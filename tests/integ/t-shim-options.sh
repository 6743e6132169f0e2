#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# What a runtime's options do, by each of the messages and files that bring
# them: to the start action on stdin, and to Create.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-options
. "${0%/*}/../harness/shim.sh"
events_listen

RUNC=options:containerd.runc.v1.Options
TOML=options:runtimeoptions.v1.Options

# any TYPE [FIELD=VALUE...]: the file of an Any for the start action, in IN.
any() {
	"$CLIENT" encode "$@" >"$T/value"
	IN=$T/any
	"$CLIENT" encode google.protobuf.Any type_url="$1" "value=@$T/value" >"$IN"
}

# logged: from now on what the server of the next bundle says is in $T/log. To be called between bundle and shim_start.
logged() {
	rm -f "$B/log"
	mkfifo "$B/log"
	cat "$B/log" >"$T/log" &
	until_true 2 sh -c "ls -l /proc/$!/fd | grep -q ' 1 ->.*/log$'"
}

# says: the container's program ends well, and what it has printed.
says() {
	cat "$T/so" >"$T/said" &
	reader=$!
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 0
	wait $reader
	cat "$T/said"
}

# ---- files and bodies in TOML -------------------------------------------------------------

config_path() {
	cat >"$T/o.toml" <<-END
		# by an administrator
		IoUid = 1234			# of the pipes
		"IoGid" = 4321
		Root = '$T/other'
		NoPivotRoot = false
		CriuPath = "/no/such/criu"
		BinaryName = "/no/such/runc"
		Sundry = "word"
		[a.table]
		IoUid = 7
	END
	bundle cp '' stat -L -c '%u:%g' /proc/self/fd/1 /proc/self/fd/2
	logged
	shim_start
	mkfifo "$T/so" "$T/fe"
	create $TOML:config_path="$T/o.toml" stdout="$T/so" stderr="$T/fe"
	[ -d "$T/other/$NS/$ID" ]
	[ ! -e "/run/containerd/cleat/$NS/$ID" ]
	has "$("$RUNTIME" --root "$T/other/$NS" list)" "$ID +[0-9]+ +created"
	is "$(says | tr '\n' ' ')" "1234:4321 1234:4321 "
	down
	[ ! -e "$T/other/$NS/$ID" ]
	has "$(cat "$T/log")" 'unknown runtime option Sundry ignored'
	has "$(cat "$T/log")" 'table \[a\.table\] of the runtime options ignored'
	rm "$B/log"
}
t "config_path: a file in TOML; owner of the pipes, state directory" config_path

root_crash() {
	boot rc '' sleep 1000
	create $RUNC:root="$T/kept"
	tc start id="$ID" >/dev/null
	tc exec id="$ID" exec_id=e 'spec={"args":["/bin/true"],"cwd":"/"}'
	tc start id="$ID" exec_id=e >/dev/null
	is "$(tc wait id="$ID" exec_id=e | field exit_status)" 0
	pid=$(tc state id="$ID" | field pid)
	kill -9 "$(server_pid)"
	( cd "$B" && "$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete </dev/null >"$T/del" )
	is "$("$CLIENT" decode cleat.task.DeleteResponse <"$T/del" | field pid)" "$pid"
	[ ! -e "$T/kept/$NS/$ID" ]
	[ ! -e "/proc/$pid" ]
	rm -f "$A"
}
t "Root: execs and the delete action of another process find it" root_crash

config_wrong() {
	boot cw '' true
	code 3 create id="$ID" bundle="$B" $TOML:config_path="$T/nonesuch.toml"
	has "$(cat "$T/o")" "$T/nonesuch.toml.*runtime options.*no such file"
	echo 'IoUid = "many"' >"$T/o.toml"
	code 3 create id="$ID" bundle="$B" $TOML:config_path="$T/o.toml"
	has "$(cat "$T/o")" 'IoUid.*"many"'
	code 3 create id="$ID" bundle="$B" "$TOML:config_body=NoPivotRoot"
	has "$(cat "$T/o")" 'runtime options.*NoPivotRoot'
	# a message that is none of its type
	printf '\377\377' >"$T/noise"
	code 13 create id="$ID" bundle="$B" options.type_url=containerd.runc.v1.Options "options.value=@$T/noise"
	# a body wins over a path, and the id is free
	create "$TOML:config_path=$T/o.toml" "$TOML:config_body=IoUid = 5"
	down
}
t "options that are wrong: InvalidArgument, which one and why; the id stays free" config_wrong

# ---- what each option does -------------------------------------------------------------------

# A root that is private needs pivot_root: without it nobody could undo the sharing.
no_pivot() {
	echo 'NoPivotRoot = true' >"$T/o.toml"
	boot np '.linux.rootfsPropagation = "private"' true
	for o in $RUNC:no_pivot_root=1 "$TOML:config_body=NoPivotRoot = true" "$TOML:config_path=$T/o.toml"; do
		code 3 create id="$ID" bundle="$B" "$o"
		has "$(cat "$T/o")" '/linux/rootfsPropagation.*--no-pivot'
	done
	create $RUNC:no_pivot_root=0
	down
	boot np '.linux.rootfsPropagation = "rslave"' ls -d /bin/busybox
	mkfifo "$T/so"
	create $RUNC:no_pivot_root=1 stdout="$T/so"
	is "$(says)" /bin/busybox
	down
}
t "NoPivotRoot, by each message" no_pivot

no_new_keyring() {
	[ -r /proc/keys ] || skip "the kernel has no keys"
	for o in '' $RUNC:no_new_keyring=1 "$TOML:config_body=NoNewKeyring = true"; do
		boot nk '.linux.maskedPaths = []' sh -c 'cat /proc/keys; true'
		mkfifo "$T/so"
		create ${o:+"$o"} stdout="$T/so" 2>"$T/e" || fail "$(cat "$T/o" "$T/e")"
		says >"$T/keys"
		if [ -z "$o" ]; then
			has "$(cat "$T/keys")" "keyring +_ses\\.$ID"
		else
			hasnt "$(cat "$T/keys")" "_ses\\.$ID"
		fi
		down
	done
}
t "NoNewKeyring: no session keyring of the container's name" no_new_keyring

ignored() {
	boot ig '' sh -c 'exit 0'
	mkfifo "$T/so"
	create $RUNC:binary_name=/no/such $RUNC:criu_path=/no/such $RUNC:criu_image_path=/no/such $RUNC:criu_work_path=/no/such \
		$RUNC:task_api_address=unix:///no/such $RUNC:task_api_version=3 stdout="$T/so"
	is "$(says)" ""
	down
	# the prefix of a type is nobody's business
	boot ig '' sh -c 'stat -L -c %u /proc/self/fd/1'
	mkfifo "$T/so"
	"$CLIENT" encode containerd.runc.v1.Options io_uid=77 >"$T/value"
	create options.type_url=type.googleapis.com/containerd.runc.v1.Options "options.value=@$T/value" stdout="$T/so"
	is "$(says)" 77
	down
}
t "BinaryName, CriuPath and what else is containerd's own: ignored" ignored

# ---- messages that nobody knows -----------------------------------------------------------------

unknown() {
	bundle uk '' true
	logged
	IN=$T/any
	"$CLIENT" encode google.protobuf.Any type_url=example.com/some.v9.Options value=word >"$IN"
	START_IN=$IN shim_start 2>"$T/e"
	is "$(cat "$T/e")" ""
	create options.type_url=example.com/some.v9.Options options.value=word
	has "$(cat "$T/log")" 'runtime options of unknown type example.com/some.v9.Options ignored'
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 0
	down
	rm "$B/log"
	# a known one without a value, and what is no message at all
	: >"$T/nothing"
	head -c 500 /dev/urandom >"$T/noise"
	for IN in "$T/nothing" "$T/noise"; do
		bundle uk '' true
		START_IN=$IN shim_start
		create options.type_url=containerd.runc.v1.Options
		down
	done
}
t "options of an unknown type, empty ones, noise: logged, ignored" unknown

# ---- what the start action does with them ----------------------------------------------------------

shim_cgroup() {
	cg=/sys/fs/cgroup
	if [ -d $cg/pids ]; then
		for d in "$cg"/*/; do mkdir "$d$TAG-sc"; done
		for f in cpuset.cpus cpuset.mems; do cat "$cg/cpuset/$f" >"$cg/cpuset/$TAG-sc/$f"; done
		procs=$cg/pids/$TAG-sc/cgroup.procs
	else
		mkdir "$cg/$TAG-sc"
		procs=$cg/$TAG-sc/cgroup.procs
	fi
	echo "ShimCgroup = \"/$TAG-sc\"" >"$T/o.toml"
	for o in "containerd.runc.v1.Options shim_cgroup=/$TAG-sc" "runtimeoptions.v1.Options config_path=$T/o.toml"; do
		any $o
		bundle shc '' true
		START_IN=$IN shim_start
		is "$(cat "$procs")" "$(server_pid)"
		# its containers are not below it
		create
		hasnt "$(cat "/proc/$(field pid <"$T/o")/cgroup")" "$TAG-sc"
		down
	done
	find "$cg" -depth -type d -name "$TAG-sc" -exec rmdir {} +
}
t "ShimCgroup as runc's options and in a file" shim_cgroup

# cookie PID: of core scheduling.
cookie() {
	perl -e '$c = pack("Q", 0); syscall(157, 62, 0, $ARGV[0] + 0, 0, $c) == 0 or die "$!\n"; print unpack("Q", $c), "\n"' "$1"
}

sched_core() {
	# may the kernel do it? A child of ours asks.
	if perl -e 'exit(syscall(157, 62, 1, 0, 2, 0) == 0 ? 0 : 1)'; then
		bundle co '' sleep 100
		SCHED_CORE=1
		export SCHED_CORE
		shim_start
		unset SCHED_CORE
		[ "$(cookie "$(server_pid)")" != 0 ]
		create
		down
	else
		bundle co '' true
		status 1 sh -c "cd '$B' && SCHED_CORE=1 '$SHIM_BIN' -namespace $NS -address '$EV' -id $ID start"
		has "$(cat "$T/e")" 'SCHED_CORE'
		is "$(cat "$T/o")" ""
		[ ! -e "/run/containerd/s/$(printf %s "$EV/$NS/$ID" | sha256sum | cut -d' ' -f1)" ]
	fi
	# empty is not set
	bundle co '' true
	SCHED_CORE=
	export SCHED_CORE
	shim_start
	unset SCHED_CORE
	create
	down
}
t "SCHED_CORE: a cookie of its own, or a start that fails and says so" sched_core

finish

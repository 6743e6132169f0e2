#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
#
# The shim by root of an ordinary user's namespace, as under a rootless
# containerd: its own /run, a folder for sockets that it is told, no cgroup.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/user.sh"
CGROUP_STAYS=none
LEAK_WAIT=5
suite shim-rootless
. "${0%/*}/../harness/shim.sh"

user_make
for f in "$SHIM_BIN" "$CLIENT"; do cp "$f" "$X/"; done
chown -R $U:$U "$T/rootfs"
expect

# What a script of the user's knows; it is `sh`, inside of the namespaces, with a /run of its own.
cat >"$X/lib" <<END
set -e
X=$X
cd $X
NS=$NS
SHIM_BIN=$X/${SHIM_BIN##*/}
CLIENT=$X/${CLIENT##*/}
fail() { echo "\$*" >&2; exit 1; }
is() { [ "\$1" = "\$2" ] || fail "got '\$1', wanted '\$2'"; }
field() { sed -n "s/^\$1=//p"; }
tc() { timeout 30 "\$CLIENT" --namespace "\$NS" "\$A" "\$@"; }
listen() {
	rm -f $X/events
	"\$CLIENT" events-server $X/ev.ttrpc >$X/events 2>&1 &
	service=\$!
	until [ -S $X/ev.ttrpc ]; do sleep 0.05; done
}
# gone: the server has gone with its socket.
gone() {
	tc shutdown id="\$ID"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -e "\$A" ] || return 0
		sleep 0.1
	done
	fail "the server stays"
}
told() {
	sleep 0.3
	sed -n 's|^/tasks/\([a-z-]*\) .*|\1|p' $X/events | tr '\n' ' '
}
life() {
	mkfifo $X/so
	cat $X/so >$X/said &
	reader=\$!
	tc create id="\$ID" bundle="\$B" stdout=$X/so >$X/o
	is "\$(tc state id="\$ID" | field status)" CREATED
	pid=\$(field pid <$X/o)
	tc start id="\$ID" >/dev/null
	tc exec id="\$ID" exec_id=e stdout=file://$X/exec.log 'spec={"args":["/bin/sh","-c","id -u; cat /proc/self/uid_map; readlink /proc/1/ns/mnt; exit 5"],"cwd":"/","env":["PATH=/bin"]}'
	tc start id="\$ID" exec_id=e >/dev/null
	is "\$(tc wait id="\$ID" exec_id=e | field exit_status)" 5
	is "\$(tc delete id="\$ID" exec_id=e | field exit_status)" 5
	is "\$(head -n 1 $X/exec.log)" 0
	is "\$(tail -n 1 $X/exec.log)" "\$(readlink /proc/\$pid/ns/mnt)"
	is "\$(tc pids id="\$ID" | grep -c "\.pid=\$pid\$")" 1
	tc kill id="\$ID" signal=15
	is "\$(tc wait id="\$ID" | field exit_status)" 7
	is "\$(tc delete id="\$ID" | field exit_status)" 7
	wait \$reader
	is "\$(tr '\n' ' ' <$X/said)" "up 0 "
	rm -f $X/so $X/exec.log
}
END

# user_bundle NAME FILTER: a bundle as a rootless containerd makes it, for root of the outer namespace.
user_bundle() {
	bundle "$1" 'del(.linux.resources, .linux.cgroupsPath) | .mounts |= map(if .options then .options -= ["gid=5"] else . end)'"${2:+ | $2}" \
		sh -c 'trap "exit 7" TERM; echo up; id -u; while :; do sleep 0.05; done'
	chown -R $U:$U "$B"
}

# inside: run the script of stdin as the user, root in a namespace of his.
inside() {
	{ echo ". $X/lib"; echo "B=$B ID=$ID"; cat; } >"$X/script"
	got=0
	as timeout --foreground 80 unshare -Ur --mount sh -c 'mount -t tmpfs run /run && mkdir -m 0700 /run/user-of-mine && exec sh "$0"' "$X/script" \
		>"$T/o" 2>"$T/e" || got=$?
	[ $got = 0 ] || fail "status $got: $(cat "$T/o" "$T/e")"
}

no_unshare() {
	as unshare -Ur --mount true 2>/dev/null || skip "user namespaces are not for ordinary users here"
}

life() {
	no_unshare
	user_bundle life
	inside <<-'END'
		listen
		cd "$B"
		A=$(TTRPC_ADDRESS=$X/ev.ttrpc "$SHIM_BIN" -namespace "$NS" -address /run/user-of-mine/c.sock -id "$ID" start </dev/null)
		A=${A#unix://}
		is "${A%/*}" /run/containerd/s
		is "$(stat -c %a "$A")" 600
		life
		[ ! -e "/run/containerd/cleat/$NS/$ID" ]
		gone
		is "$(told)" "create start exec-added exec-started exit exit delete "
		kill $service
	END
	[ ! -e "/run/containerd/cleat/$NS" ]
}
t "the whole life of a container and an exec, with a /run of its own" life

# containerd 2 says where sockets are to be, and what it does not say must not be made.
socket_dir() {
	no_unshare
	user_bundle sd
	mkdir -p "$X/s"
	"$CLIENT" encode containerd.runtime.bootstrap.v1.BootstrapParams instance_id="$ID" namespace="$NS" \
		containerd_ttrpc_address="$X/ev.ttrpc" containerd_grpc_address="$X/c.sock" socket_dir="$X/s" \
		"extensions+.value:containerd.runc.v1.Options:root=$X/state" >"$X/params"
	chown $U:$U "$X/s" "$X/params"
	chmod 0700 "$X/s"
	inside <<-'END'
		listen
		cd "$B"
		"$SHIM_BIN" -namespace "$NS" -address /run/user-of-mine/c.sock -id "$ID" start <"$X/params" >"$X/result"
		cd "$X"
		A=$("$CLIENT" decode containerd.runtime.bootstrap.v1.BootstrapResult <result | field address)
		A=${A#unix://}
		is "${A%/*}" "$PWD/s"
		is "$(cat "$B/address")" "unix://$A"
		tc create id="$ID" bundle="$B" "options:containerd.runc.v1.Options:root=$PWD/state" >o || fail "$(cat o)"
		[ -d "$PWD/state/$NS/$ID" ]
		tc start id="$ID" >/dev/null
		tc exec id="$ID" exec_id=e 'spec={"args":["/bin/sh","-c","exit 5"],"cwd":"/","env":["PATH=/bin"]}'
		tc start id="$ID" exec_id=e >/dev/null
		is "$(tc wait id="$ID" exec_id=e | field exit_status)" 5
		tc kill id="$ID" signal=9
		is "$(tc wait id="$ID" | field exit_status)" 137
		tc delete id="$ID" >/dev/null
		[ ! -e "$PWD/state/$NS/$ID" ]
		gone
		is "$(ls s)" ""
		is "$(told)" "create start exec-added exec-started exit exit delete "
		is "$(ls /run)" user-of-mine
		kill $service
	END
}
t "a folder for sockets by BootstrapParams, a state directory by Root: nothing in /run" socket_dir

# A server that is killed: containerd's next call of the binary clears up, with the same rights.
crash() {
	no_unshare
	user_bundle cr
	inside <<-'END'
		listen
		cd "$B"
		A=$(TTRPC_ADDRESS=/nonesuch "$SHIM_BIN" -namespace "$NS" -address /run/user-of-mine/c.sock -id "$ID" start </dev/null)
		A=${A#unix://}
		tc create id="$ID" bundle="$B" >/dev/null
		pid=$(cat init.pid)
		tc start id="$ID" >/dev/null
		kill -9 "$(tc connect id="$ID" | field shim_pid)"
		"$SHIM_BIN" -namespace "$NS" -address /run/user-of-mine/c.sock -id "$ID" -bundle "$B" delete </dev/null >del
		is "$("$CLIENT" decode cleat.task.DeleteResponse <del | field pid)" "$pid"
		! kill -0 "$pid" 2>/dev/null || grep -q '^State:.Z' "/proc/$pid/status"
		[ ! -e "/run/containerd/cleat/$NS/$ID" ]
		kill $service
	END
}
t "SIGKILL to the server: the delete action kills the container" crash

finish

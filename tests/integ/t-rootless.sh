#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# The command line by an ordinary user, alone and with newuidmap, and by root
# of a user namespace. The user exists in this suite's mount namespace only.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/user.sh"
CGROUP_STAYS=none
suite rootless

user_make
cp "$TOOLS/probe" "$T/rootfs/bin/"
chown -R $U:$U "$T/rootfs"
ROOT=$X/run/cleat	# for the census and its broom
expect

rt() {
	as timeout --foreground 60 "$RT" "$@"
}

# rootless NAME FILTER [ARG...]: a bundle of the user's own; ids 0:0 are his.
rootless() {
	n=$1 more=$2
	shift 2
	bundle "$n" 'del(.linux.cgroupsPath, .linux.resources) | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: '$U', size: 1}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .options then .options -= ["gid=5"] else . end)'"${more:+ | $more}" "$@"
	chown -R $U:$U "$B"
}

SUBIDS='.linux.uidMappings = [{containerID: 0, hostID: '$U', size: 1}, {containerID: 1, hostID: 700000, size: 65535}]
	| .linux.gidMappings = .linux.uidMappings'

run() {
	rootless run '' sh -c 'echo out; echo err >&2; id -u; id -g; cat /proc/self/setgroups; exit 7'
	status 7 run_it
	is "$(tr '\n' ' ' <"$T/o")" "out 0 0 deny "
	is "$(cat "$T/e")" err
	is "$(stat -c '%a %u' "$X/run/cleat")" "1700 $U"
	is "$(ls "$X/run/cleat")" ""
}
[ -z "$CLEAT" ] || t "run: status, both streams, state in XDG_RUNTIME_DIR" run

life() {
	rootless life '' sleep 1000
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	is "$(state_of "$ID")" created
	rt start "$ID"
	is "$(state_of "$ID")" running
	has "$(rt list)" "$ID +[0-9]+ +running"
	status 5 rt exec "$ID" sh -c 'echo e; id -u; for p in self 1; do readlink /proc/$p/ns/user; done | uniq | wc -l; exit 5'
	is "$(tr '\n' ' ' <"$T/o")" "e 0 1 "
	is "$(echo piped | rt exec "$ID" cat)" piped
	status 255 rt exec "$ID" nonesuch
	has "$(cat "$T/e")" 'executable file not found'
	rt kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	rt delete "$ID"
	[ ! -e "$X/run/cleat/$ID" ]
}
t "create, start, exec, kill, delete" life

exec_created() {
	rootless created '' sleep 1000
	rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
	status 0 rt exec "$ID" id -u
	is "$(cat "$T/o")" 0
	gone
}
[ -z "$CLEAT" ] || t "exec before the start" exec_created

terminal() {
	rootless tty '.process.terminal = true' sh -c 'tty; echo size; exit 4'
	got=0
	as script -qec "timeout 60 $RT run --bundle '$B' $ID" /dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 4
	has "$(tr -d '\r' <"$T/o")" '/dev/(pts/0|console)$'
	rootless ttyx '' sleep 1000
	detached
	got=0
	as script -qec "timeout 60 $RT exec -t $ID sh -c 'tty; exit 6'" /dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 6
	has "$(tr -d '\r' <"$T/o")" '/dev/pts/0$'
	gone
}
[ -z "$CLEAT" ] || t "run and exec with a terminal" terminal

files() {
	mkdir -p "$X/vol/sub"
	echo in >"$X/vol/f"
	chown -R $U:$U "$X/vol"
	rootless mounts '.mounts += [{destination: "/rw", type: "bind", source: "'"$X"'/vol", options: ["bind"]},
		{destination: "/ro", type: "bind", source: "'"$X"'/vol", options: ["rbind", "ro"]},
		{destination: "/tm", type: "tmpfs", options: ["size=64k", "uid=0", "gid=0"]}] | .root.readonly = true' \
		sh -c 'cat /rw/f; echo new >/rw/n; touch /ro/x 2>/dev/null || echo ro; touch /x 2>/dev/null || echo root-ro
			touch /tm/x && echo tm; head -c 4 /dev/urandom | wc -c; echo x >/dev/null; cat /proc/keys | wc -c
			awk "\$3 == \"mqueue\" { print \$2 }" /proc/mounts; [ -d /sys/class ] && echo sys'
	status 0 run_it
	is "$(tr '\n' ' ' <"$T/o")" "in ro root-ro tm 4 0 /dev/mqueue sys "
	is "$(stat -c %u "$X/vol/n")" $U
}
t "binds, tmpfs, devices, mqueue, sysfs, read-only root" files

# A plain bind of a folder below which something is mounted.
submounts() {
	mkdir -p "$X/vol2/sub"
	chown -R $U:$U "$X/vol2"
	mount -t tmpfs sub "$X/vol2/sub"
	echo below >"$X/vol2/sub/f"
	rootless submounts '.mounts += [{destination: "/v", source: "'"$X"'/vol2", options: ["bind"]}]' cat /v/sub/f
	got=0
	rt run --bundle "$B" "$ID" >"$T/o" 2>"$T/e" || got=$?
	umount "$X/vol2/sub"
	is "$got $(cat "$T/o" "$T/e")" "0 below"
}
[ -z "$CLEAT" ] || t "a bind of a folder with mounts in it" submounts

host_sys() {
	rootless hostsys '.linux.namespaces |= map(select(.type != "network"))
		| .mounts |= map(select(.destination != "/sys/fs/cgroup"))' sh -c 'ls /sys/class | grep -c net; awk "\$2 ~ /^\/sys/ && \$4 !~ /^ro/" /proc/mounts
			readlink /proc/self/ns/net'
	status 0 run_it
	is "$(cat "$T/o")" "1
$(readlink /proc/self/ns/net)"
}
[ -z "$CLEAT" ] || t "with the host's network: the host's /sys, all of it read-only" host_sys

rbind_sys() {
	rootless rbindsys '.linux.namespaces |= map(select(.type != "network"))
		| .mounts |= map(select(.destination != "/sys/fs/cgroup") | if .destination == "/sys" then
			{destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro", "nosuid"]} else . end)' \
		awk '$2 ~ "^/sys" && $4 !~ /^ro/' /proc/mounts
	status 0 run_it
	is "$(cat "$T/o")" ""
}
[ -z "$CLEAT" ] || t "a bind of /sys that is read-only is so all the way down" rbind_sys

network() {
	rootless net '' sh -c 'ip addr show lo | grep -c "inet 127.0.0.1"; ip link | grep -c mtu'
	status 0 run_it
	is "$(tr '\n' ' ' <"$T/o")" "1 1 "
}
t "a network namespace of its own has a loopback" network

cgroup_none() {
	rootless cgnone '' sleep 1000
	detached
	is "$(jq -r .cgroup "$X/run/cleat/$ID/state.json")" ""
	status 0 rt exec "$ID" sh -c 'ls /sys/fs/cgroup | wc -l; touch /sys/fs/cgroup/x 2>/dev/null || echo ro'
	is "$(tr '\n' ' ' <"$T/o")" "0 ro "
	refused 1 'has no cgroup' rt pause "$ID"
	gone
}
[ -z "$CLEAT" ] || t "no right to a cgroup: none, and the caller's are hidden" cgroup_none

cgroup_asked() {
	rootless cgask1 '.linux.resources = {pids: {limit: 10}}' true
	refused 1 '/linux/resources/pids/limit: needs a cgroup' run_it
	rootless cgask2 '.linux.resources = {devices: [{allow: false, access: "rwm"}], memory: {limit: 10000000}}' true
	refused 1 '/linux/resources/memory/limit: needs a cgroup' run_it
	rootless cgask3 '.linux.cgroupsPath = "/\($TAG)/x"' true
	refused 1 '/linux/cgroupsPath: needs a cgroup' run_it
	rootless cgask4 '' true
	refused 1 'make the cgroup: permission denied' rt --rootless=false run --bundle "$B" "$ID"
	rootless cgask5 '.linux.resources = {devices: [{allow: false, access: "rwm"}], memory: {}, pids: {limit: 0}}' true
	status 0 rt --rootless=true run --bundle "$B" "$ID"
}
[ -z "$CLEAT" ] || t "no right to a cgroup: what needs one is refused by its name" cgroup_asked

cgroup_warn() {
	rootless cgwarn '.linux.namespaces |= map(select(.type != "pid"))
		| .mounts |= map(if .destination == "/proc" then {destination: "/proc", source: "/proc", options: ["rbind"]} else . end)' echo up
	status 0 run_it
	is "$(cat "$T/o")" up
	has "$(cat "$T/e")" 'level=warning.*outlive'
}
[ -z "$CLEAT" ] || t "neither cgroup nor pid namespace: a warning" cgroup_warn

refusals() {
	rootless r1 '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)' true
	refused 1 '/linux/namespaces: rootless container requires user namespaces' run_it
	rootless r2 '.process.user.additionalGids = [0]' true
	refused 1 '/process/user/additionalGids: cannot set any additional groups' run_it
	rootless r3 '.mounts[2].options += ["gid=5"]' true
	refused 1 '/mounts/2/options/[0-9]+: 5 is not mapped by /linux/gidMappings' run_it
	rootless r4 '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 999999999}]' true
	refused 1 '/process/rlimits/0: set RLIMIT_NOFILE.*not permitted' run_it
	rootless r5 '.linux.uidMappings[0].hostID = 0' true
	refused 1 '/linux/uidMappings: newuidmap' run_it
	rootless r6 '.mounts += [{destination: "/v", type: "bind", source: "'"$X"'", options: ["rbind", "idmap"],
		uidMappings: .linux.uidMappings, gidMappings: .linux.gidMappings}]' true
	refused 1 '/mounts.*id-mapped mounts need rights' run_it
	is "$(ls "$X/run/cleat")" ""
}
[ -z "$CLEAT" ] || t "what cannot be is refused by name, and nothing is left" refusals

oom() {
	rootless oom '.process.oomScoreAdj = 321' sh -c 'cat /proc/self/oom_score_adj; sleep 1000'
	detached
	until_true 5 grep -q 321 "$T/$ID.out"
	is "$(rt exec "$ID" cat /proc/self/oom_score_adj)" 321
	gone
	rootless oom2 '.process.oomScoreAdj = -500' true
	refused 1 '/process/oomScoreAdj: .*-500' run_it
}
[ -z "$CLEAT" ] || t "oomScoreAdj: raised, in an exec too; lowering is refused" oom

clocks() {
	[ -e /proc/self/timens_offsets ] || skip "no time namespaces"
	rootless clocks '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 864000}}' cat /proc/uptime
	status 0 run_it
	[ "$(cut -d. -f1 "$T/o")" -ge 864000 ] || fail "up $(cat "$T/o")"
}
[ -z "$CLEAT" ] || t "a time namespace with offsets" clocks

hooks() {
	printf '#!/bin/sh\ncat >/dev/null; id -u >>%s/hooks.out\n' "$X" >"$X/hook"
	chmod 755 "$X/hook"
	rootless hooks '.hooks = {createRuntime: [{path: "'"$X"'/hook"}], createContainer: [{path: "'"$X"'/hook"}],
		poststop: [{path: "'"$X"'/hook"}]}' true
	status 0 run_it
	is "$(tr '\n' ' ' <"$X/hooks.out")" "$U 0 $U "
}
t "hooks, the container's as its root" hooks

joined() {
	rootless first '' sleep 1000
	detached
	first=$ID
	p=$(pid_of "$first")
	rootless second '.linux.namespaces = [{type: "mount"}, {type: "pid"}, {type: "user", path: "/proc/'"$p"'/ns/user"},
		{type: "ipc", path: "/proc/'"$p"'/ns/ipc"}, {type: "network", path: "/proc/'"$p"'/ns/net"},
		{type: "uts", path: "/proc/'"$p"'/ns/uts"}] | del(.linux.uidMappings, .linux.gidMappings, .hostname)' \
		sh -c 'readlink /proc/self/ns/user; readlink /proc/self/ns/net; hostname'
	status 0 run_it
	is "$(cat "$T/o")" "$(readlink "/proc/$p/ns/user")
$(readlink "/proc/$p/ns/net")
cleat-test"
	gone "$first"
}
[ -z "$CLEAT" ] || t "the namespaces of another container, its user namespace too" joined

tools() {
	need_tools
	rootless tools "$SUBIDS"' | .process.user = {uid: 5, gid: 6, additionalGids: [7, 8]}' sh -c 'id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/setgroups | tr -s " "; touch /tmp/f; sleep 1000'
	rm -f "$T/rootfs/tmp/f"
	detached
	until_true 5 test -e "$T/rootfs/tmp/f"
	is "$(tr '\n' '.' <"$T/$ID.out")" "5.6.6 7 8. 0 $U 1. 1 700000 65535.allow."
	is "$(stat -c %u:%g "$T/rootfs/tmp/f")" 700004:700005
	is "$(rt exec --user 9:10 "$ID" sh -c 'id -u; id -g' | tr '\n' ' ')" "9 10 "
	is "$(rt exec --user 0:0 "$ID" id -u)" 0
	rt kill "$ID" KILL
	until_true 10 is_state "$ID" stopped
	rt delete "$ID"
	as "$RT" spec --rootless --bundle "$X/home"
	rm -f "$T/rootfs/tmp/f" "$X/home/config.json"
}
[ -z "$CLEAT" ] || t "newuidmap and newgidmap: many ids, groups, files, exec" tools

tools_refuse() {
	need_tools
	rootless trefuse "$SUBIDS"' | .linux.uidMappings[1].hostID = 800000' true
	refused 1 '/linux/uidMappings: newuidmap refuses it \(status 1\): .*not allowed' run_it
	rootless trefuse2 "$SUBIDS" true
	USER_PATH=/nowhere
	rt() { as "$RT" "$@"; }
	refused 1 '/linux/gidMappings: .*needs newgidmap, which is not in PATH' run_it
	is "$(ls "$X/run/cleat")" ""
}
[ -z "$CLEAT" ] || t "newuidmap refuses, or is not there: its words, or its package" tools_refuse

# Root of a user namespace, as podman runs us for an ordinary user.
nested() {
	for how in "--map-root-user" "--map-root-user --net"; do
		bundle nested 'del(.linux.cgroupsPath, .linux.resources) | .mounts |= map(if .options then .options -= ["gid=5"] else . end)
			| .linux.namespaces |= map(select(.type != "ipc")) | .mounts |= map(select(.type != "mqueue"))' \
			sh -c 'id -u; head -c 4 /dev/urandom | wc -c; [ -d /sys/class ] && echo sys; cat /proc/self/uid_map | tr -s " "'
		chown -R $U:$U "$B"
		# shellcheck disable=SC2086
		status 0 as unshare --user $how --mount --fork --pid --kill-child --mount-proc timeout 60 "$RT" run --bundle "$B" "$ID"
		is "$(tr '\n' '.' <"$T/o")" "0.4.sys. 0 $U 1."
	done
	rootless nested2 '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0' sh -c 'id -u; ls /sys/fs/cgroup | wc -l'
	status 0 as unshare --user --map-root-user --mount --fork --pid --kill-child --mount-proc timeout 60 "$RT" run --bundle "$B" "$ID"
	is "$(tr '\n' ' ' <"$T/o")" "0 0 "
	# It may not come back to the pid namespace of its own, which belongs to the host's root.
	rootless nested3 '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0' sleep 1000
	first=$ID
	bundle nested4 'del(.linux.cgroupsPath, .linux.resources, .hostname) | .mounts |= map(if .options then .options -= ["gid=5"] else . end)
		| .linux.namespaces = [{type: "mount"}, {type: "pid", path: "/proc/PID/ns/pid"}, {type: "ipc", path: "/proc/PID/ns/ipc"},
			{type: "network", path: "/proc/PID/ns/net"}, {type: "user", path: "/proc/PID/ns/user"}]' \
		sh -c 'ps | grep -c "[s]leep 1000"'
	chown -R $U:$U "$B"
	cat >"$X/nested.sh" <<END
set -e
"$RT" create --bundle "$T/b/nested3" $first >/dev/null 2>&1 </dev/null
"$RT" start $first
"$RT" exec $first sh -c 'id -u; echo \$\$'
p=\$("$RT" state $first | jq .pid)
sed -i "s,PID,\$p," "$B/config.json"
"$RT" run --bundle "$B" $ID
"$RT" delete -f $first
END
	status 0 as timeout 60 unshare --user --map-root-user --mount sh "$X/nested.sh"
	is "$(tr '\n' ' ' <"$T/o" | sed 's/ [0-9]* / N /')" "0 N 1 "
	is "$(ls "$X/run/cleat")" ""
}
[ -z "$CLEAT" ] || t "root of a user namespace, with and without another one below" nested

# A cgroup v2 directory that the user was given, whatever the host itself has: seen in a mount namespace of its own.
no_filter() {
	rootless filter '.linux.cgroupsPath = "/'"$TAG"'/c" | .linux.resources = {devices: [{allow: false, access: "rwm"}]}' echo ran
	cat >"$T/given.sh" <<END
mount -t cgroup2 none /sys/fs/cgroup || exit 77
home=/sys/fs/cgroup\$(sed -n 's/^0:://p' /proc/self/cgroup) given=/sys/fs/cgroup/$TAG
mkdir -p \$given/leaf
chown $U \$given \$given/cgroup.procs \$given/cgroup.subtree_control \$given/leaf \$given/leaf/cgroup.procs
echo \$\$ >\$given/leaf/cgroup.procs || exit 77
cd "$X"
env -i PATH="$PATH" XDG_RUNTIME_DIR="$X/run" setpriv --reuid $U --regid $U --clear-groups timeout 60 \
	"$RT" --rootless="\$1" --log-level debug run --bundle "$B" $ID
r=\$?
echo \$\$ >\$home/cgroup.procs
rmdir \$given/leaf \$given
exit \$r
END
	for how in auto true; do
		got=0
		unshare --mount sh "$T/given.sh" $how >"$T/o" 2>"$T/e" || got=$?
		[ $got != 77 ] || skip "no cgroup v2 here"
		is "$got" 0
		is "$(cat "$T/o")" ran
		has "$(cat "$T/e")" 'level=debug msg="devices are not filtered'
	done
	status 1 unshare --mount sh "$T/given.sh" false
	has "$(cat "$T/e")" 'resources.devices: load the BPF program that filters devices: operation not permitted'
}
[ -z "$CLEAT" ] || t "devices are not filtered without the right to it; with --rootless=false that is an error" no_filter

spec() {
	mkdir -p "$X/spec/rootfs"
	cp -a "$T/rootfs/bin" "$X/spec/rootfs/"
	chown -R $U:$U "$X/spec"
	rt spec --rootless --bundle "$X/spec"
	jq '.process.terminal = false | .process.args = ["sh", "-c", "id -u; exit 3"]' "$X/spec/config.json" >"$X/spec/c"
	mv "$X/spec/c" "$X/spec/config.json"
	status 3 rt run --bundle "$X/spec" "$TAG-spec"
	is "$(cat "$T/o")" 0
}
t "spec --rootless runs as it is" spec

many() {
	rootless many '' true
	for i in $(seq "$(count 5 300)"); do
		status 0 rt run --bundle "$B" "$ID-$i"
	done
}
t "many" many

finish

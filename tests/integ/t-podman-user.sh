#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 200
#
# podman by an ordinary user: our command line runs as root of podman's user
# namespace, with the user's sub ids, and may make no cgroup.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/user.sh"
. "${0%/*}/../harness/podman.sh"
LEAK_WAIT=5
CGROUP_STAYS=conmon
suite podman-user
for need in podman newuidmap; do
	command -v $need >/dev/null || { echo "1..0 # SKIP $need is not installed"; exit 0; }
done
user_make
containers_conf "$X"
chown $U:$U "$CONTAINERS_CONF"

podman_options() {
	echo "--root $X/root --runroot $X/rr --tmpdir $X/tmp --storage-driver vfs --cgroup-manager cgroupfs \
--events-backend file --runtime $RT"
}

podman() {
	# shellcheck disable=SC2046	# words
	as timeout --foreground 60 podman $(podman_options) "$@"
}

prun() {
	podman run --log-driver k8s-file --network "${NET:-none}" --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

tar -C "$T/rootfs" --numeric-owner -cf "$T/layer.tar" .
chmod 0644 "$T/layer.tar"
# Where the kernel grants an ordinary user no user namespace, podman has no way either.
if ! podman import --change CMD=sh "$T/layer.tar" busybox:test >"$T/o" 2>&1; then
	echo "1..0 # SKIP podman does not work for an ordinary user here: $(tail -n 1 "$T/o")"
	exit 0
fi
# The process that holds podman's user namespace stays until the end.
for p in $(procs | awk '$3 ~ /^(catatonit|podman)/ { print $1 }'); do
	daemon "$p"
done
expect

down() {
	podman rm -f -t 0 "$@" >/dev/null
}

run() {
	status 7 prun --rm busybox:test sh -c 'echo out; echo err >&2; id -u; tr -s " " </proc/self/uid_map; exit 7'
	is "$(tr '\n' '.' <"$T/o")" "out.0. 0 $U 1. 1 700000 65536."
	is "$(cat "$T/e")" err
	is "$(podman ps -aq)" ""
	status 127 prun --rm busybox:test nonesuch
	status 126 prun --rm busybox:test /etc/passwd
	podman rm -fa >/dev/null
}
t "run: both streams, statuses, ids" run

life() {
	prun -d --name life busybox:test sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	until_true 10 sh -c "grep -rq ready '$X/root/vfs-containers'"
	status 9 podman exec life sh -c 'echo e; exit 9'
	is "$(cat "$T/o")" e
	is "$(echo piped | podman exec -i life cat)" piped
	is "$(podman exec --user 12:34 --workdir /tmp --env A=b life sh -c 'id -u; id -g; pwd; echo $A' | tr '\n' ' ')" "12 34 /tmp b "
	has "$(podman ps --format '{{.Names}} {{.Status}}')" 'life Up'
	has "$(podman top life pid comm)" '^1 +sh'
	podman stop -t 5 life >/dev/null
	is "$(podman inspect --format '{{.State.ExitCode}}' life)" 5
	podman start life >/dev/null
	podman kill life >/dev/null
	is "$(podman wait life)" 137
	down life
}
t "run -d, exec, top, stop, start, kill, wait" life

terminal() {
	prun -d --name tty busybox:test sleep 1000 >/dev/null
	for what in "exec -it tty" "run --rm -it --log-driver k8s-file --network none busybox:test"; do
		got=0
		echo "stty rows 21 cols 91; timeout --foreground 60 podman $(podman_options) $what sh -c 'sleep 1; tty; stty size; exit 4'" >"$X/tty.sh"
		as script -qec "sh $X/tty.sh" /dev/null >"$T/o" 2>&1 </dev/null || got=$?
		is "$got" 4
		has "$(tr -d '\r' <"$T/o")" '/dev/(pts/0|console)$'
		has "$(tr -d '\r' <"$T/o")" '^21 91$'
	done
	down tty
}
t "exec -it, run -it" terminal

volumes() {
	mkdir -p "$X/vol"
	echo in >"$X/vol/f"
	chown -R $U:$U "$X/vol"
	status 0 prun --rm -v "$X/vol:/v" -v "$X/vol:/r:ro" busybox:test sh -c \
		'cat /v/f; echo new >/v/n; touch /v/other; chown 5:6 /v/other; touch /r/x 2>/dev/null || echo ro'
	is "$(tr '\n' ' ' <"$T/o")" "in ro "
	is "$(stat -c %u:%g "$X/vol/n")" $U:$U
	is "$(stat -c %u:%g "$X/vol/other")" 700004:700005
	status 0 prun --rm --userns=keep-id -v "$X/vol:/v" busybox:test sh -c 'id -u; stat -c %u /v/n; touch /v/mine'
	is "$(tr '\n' ' ' <"$T/o")" "$U $U "
	is "$(stat -c %u "$X/vol/mine")" $U
}
t "volumes, --userns=keep-id" volumes

options() {
	status 0 prun --rm --read-only --hostname hh --user 11:22 --group-add 33 --cap-drop all --security-opt no-new-privileges \
		--tmpfs /t:size=64k --oom-score-adj 300 busybox:test \
		sh -c 'hostname; id -u; id -g; id -G; grep -E "CapBnd|NoNewPrivs|^Seccomp:" /proc/self/status | cut -f2; touch /x 2>/dev/null || echo ro; cat /proc/self/oom_score_adj'
	is "$(tr '\n' ' ' <"$T/o")" "hh 11 22 22 33 0000000000000000 1 2 ro 300 "
	status 0 prun --rm --uidmap 0:0:1 --uidmap 1:1000:10 --gidmap 0:0:1 --gidmap 1:1000:10 busybox:test sh -c 'tr -s " " </proc/self/uid_map'
	is "$(cat "$T/o")" " 0 0 1
 1 1000 10"
	status 0 prun --rm --privileged busybox:test sh -c 'mount -t tmpfs x /mnt 2>/dev/null || mount -t tmpfs x /tmp; echo $?; head -c 1 /dev/zero | wc -c'
	is "$(tr '\n' ' ' <"$T/o")" "0 1 "
}
t "options: read-only, ids, capabilities, maps of maps, privileged" options

host_ns() {
	NET=host
	status 0 prun --rm --pid host --uts host busybox:test sh -c 'readlink /proc/self/ns/net; ls /sys/class | grep -c ^net$'
	is "$(cat "$T/o")" "$(readlink /proc/self/ns/net)
1"
}
t "the host's namespaces" host_ns

joined() {
	prun -d --name one busybox:test sleep 100 >/dev/null
	NET=container:one
	status 0 prun --rm --ipc container:one --pid container:one busybox:test sh -c 'readlink /proc/self/ns/net; ps | grep -c "[s]leep 100"'
	is "$(head -n 1 "$T/o")" "$(readlink "/proc/$(podman inspect --format '{{.State.Pid}}' one)/ns/net")"
	is "$(tail -n 1 "$T/o")" 1
	down one
}
t "namespaces of another container" joined

finish

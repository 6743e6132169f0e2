#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# podman and conmon with our command line as the runtime. Storage, events and
# temporary files are private; the image is made from busybox.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/podman.sh"
LEAK_WAIT=5
CGROUP_STAYS=conmon	# podman puts conmon there
suite podman
podman_start

run() {
	status 7 prun --rm busybox:test sh -c 'echo out; echo err >&2; exit 7'
	is "$(cat "$T/o")" out
	has "$(cat "$T/e")" '^err$'
	is "$(podman ps -aq)" ""
}
t "podman run: both streams and status 7" run

volume() {
	mkdir -p "$T/vol"
	echo in >"$T/vol/f"
	status 0 prun --rm -v "$T/vol:/v:rw" -v "$T/vol:/r:ro" busybox:test sh -c 'cat /v/f; echo new >/v/n; touch /r/x 2>/dev/null || echo ro'
	is "$(tr '\n' ' ' <"$T/o")" "in ro "
	is "$(cat "$T/vol/n")" new
}
t "podman run -v" volume

memory() {
	status 0 prun --rm --memory 64m --pids-limit 50 busybox:test sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
	is "$(cat "$T/o")" 67108864
	status 137 prun --memory 20m --memory-swap 20m --name oom busybox:test dd if=/dev/zero of=/dev/null bs=200M count=1
	is "$(podman inspect --format '{{.State.ExitCode}}' oom)" 137
	podman rm oom >/dev/null
}
t "podman run --memory; over it means 137" memory

missing() {
	status 127 prun --rm busybox:test nonesuch
	has "$(cat "$T/e")" 'nonesuch'
	status 127 prun --rm busybox:test /no/such
	status 126 prun --rm busybox:test /etc/passwd
	status 126 prun --rm busybox:test /etc
	podman rm -fa >/dev/null	# podman keeps one that never started, --rm or not
}
t "podman run: 127 and 126 by our messages" missing

life() {
	prun -d --name life busybox:test sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	until_true 10 sh -c "grep -rq ready '$P/root/vfs-containers' 2>/dev/null"
	has "$(podman logs life)" ready
	status 9 podman exec life sh -c 'echo e; exit 9'
	is "$(cat "$T/o")" e
	is "$(echo piped | podman exec -i life cat)" piped
	status 127 podman exec life nonesuch
	status 126 podman exec life /etc/passwd
	is "$(podman exec --user 12:34 --workdir /tmp --env A=b life sh -c 'id -u; id -g; pwd; echo $A' | tr '\n' ' ')" "12 34 /tmp b "
	podman pause life >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' life)" paused
	podman unpause life >/dev/null
	has "$(podman ps --format '{{.Names}} {{.Status}}')" 'life Up'
	has "$(podman top life pid comm 2>/dev/null || podman top life)" '1'
	podman stop -t 5 life >/dev/null
	is "$(podman inspect --format '{{.State.ExitCode}}' life)" 5
	podman start life >/dev/null
	podman kill life >/dev/null
	is "$(podman wait life)" 137
	podman rm -f life >/dev/null
}
life_wait() {
	prun -d --name w busybox:test sh -c 'sleep 0.5; exit 33' >/dev/null
	is "$(podman wait w)" 33
	podman rm w >/dev/null
}
t "podman run -d, logs, exec, pause, top, stop, start, kill" life
t "podman wait: the published exit code" life_wait

create_start() {
	podman create --log-driver k8s-file --cgroup-parent "/$TAG" --network none --name cs busybox:test sh -c 'echo started; exit 3' >/dev/null
	podman init cs >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' cs)" initialized
	status 3 podman start -a cs
	is "$(cat "$T/o")" started
	podman rm cs >/dev/null
}
t "podman create, init, start -a" create_start

tty() {
	on_a_terminal run --rm -t --log-driver k8s-file --cgroup-parent "/$TAG" --network none busybox:test \
		sh -c 'sleep 1; tty; stty size; exit 4'
	is "$got" 4
	has "$(cat "$T/o")" '/dev/(pts/0|console)$'
	has "$(cat "$T/o")" '^21 91$'
}
t "podman run -t" tty

options() {
	status 0 prun --rm --read-only --hostname hh --user 11:22 --cap-drop all --security-opt no-new-privileges \
		--tmpfs /t:size=64k --ulimit core=0:0 --sysctl net.ipv4.ip_unprivileged_port_start=80 busybox:test \
		sh -c 'hostname; id -u; id -g; grep CapBnd /proc/self/status; grep NoNewPrivs /proc/self/status; touch /x 2>/dev/null || echo ro; cat /proc/sys/net/ipv4/ip_unprivileged_port_start'
	is "$(tr '\n\t' '  ' <"$T/o")" "hh 11 22 CapBnd: 0000000000000000 NoNewPrivs: 1 ro 80 "
}
t "podman run: read-only, user, capabilities, sysctl" options

privileged() {
	status 0 prun --rm --privileged busybox:test sh -c 'mount -t tmpfs x /tmp && echo mounted'
	is "$(cat "$T/o")" mounted
}
t "podman run --privileged" privileged

pod() {
	podman pod create --help >/dev/null 2>&1 || skip "no pods"
	prun -d --name one busybox:test sleep 100 >/dev/null
	NET=container:one
	status 0 prun --rm --ipc container:one --pid container:one busybox:test sh -c 'readlink /proc/self/ns/net; ps | grep -c "[s]leep 100"'
	is "$(head -n 1 "$T/o")" "$(readlink "/proc/$(podman inspect --format '{{.State.Pid}}' one)/ns/net")"
	is "$(tail -n 1 "$T/o")" 1
	podman rm -f -t 0 one >/dev/null
}
t "podman run: namespaces of another container" pod

userns() {
	status 0 prun --rm --uidmap 0:200000:1000 --gidmap 0:200000:1000 busybox:test sh -c 'id -u; awk "{print \$2}" /proc/self/uid_map'
	is "$(tr '\n' ' ' <"$T/o")" "0 200000 "
}
t "podman run --uidmap" userns

host_ns() {
	NET=host
	status 0 prun --rm --pid host --uts host --ipc host busybox:test readlink /proc/self/ns/net
	is "$(cat "$T/o")" "$(readlink /proc/self/ns/net)"
}
t "podman run with the host's namespaces" host_ns

many() {
	for i in $(seq "$(count 5 200)"); do
		status $((i % 100)) prun --rm busybox:test sh -c "exit $((i % 100))"
	done
}
t "podman run: many" many

finish

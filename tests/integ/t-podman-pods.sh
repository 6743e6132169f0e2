#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 200
#
# Pods of podman and `podman play kube`: containers that share the namespaces
# of a first one.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/podman.sh"
LEAK_WAIT=5
CGROUP_STAYS=conmon
suite podman-pods
podman_start

pod_make() {
	podman pod create --name "$1" --infra-image busybox:test --infra-command 'sleep 1000' --network none \
		--share "${2:-ipc,net,uts}" >/dev/null
}

# in_pod POD ARG...: podman run in it
in_pod() {
	pod=$1
	shift
	podman run --pod "$pod" --log-driver k8s-file --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

down() {
	podman pod rm -f -t 0 "$@" >/dev/null
}

first_pid() {
	podman inspect --format '{{.State.Pid}}' "$(podman pod inspect --format '{{.InfraContainerID}}' "$1")"
}

shared() {
	pod_make one
	in_pod one -d --name a busybox:test sh -c 'echo in-a >/dev/shm/f; sleep 1000' >/dev/null
	p=$(first_pid one)
	status 0 in_pod one --rm busybox:test sh -c 'for n in net ipc uts; do readlink /proc/self/ns/$n; done; hostname; until cat /dev/shm/f 2>/dev/null; do sleep 0.1; done'
	is "$(cat "$T/o")" "$(for n in net ipc uts; do readlink "/proc/$p/ns/$n"; done)
one
in-a"
	has "$(podman pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}')" '^one Running 2'
	has "$(podman pod top one pid comm)" '1 +sleep'
	down one
}
t "pod: network, ipc, host name and /dev/shm are shared" shared

pidns() {
	pod_make two pid,ipc,net,uts
	in_pod two -d --name target busybox:test sh -c 'trap "exit 4" USR1; echo $$; while :; do sleep 0.1; done' >/dev/null
	status 0 in_pod two --rm busybox:test sh -c 'ps -o pid,args | grep -c "[s]leep 1000"; echo $$'
	is "$(head -n 1 "$T/o")" 1
	[ "$(tail -n 1 "$T/o")" != 1 ]
	has "$(podman exec target sh -c 'readlink /proc/1/exe')" busybox
	podman kill --signal USR1 target >/dev/null
	is "$(podman wait target)" 4
	podman start target >/dev/null
	podman kill target >/dev/null
	is "$(podman wait target)" 137
	down two
}
t "pod: one pid namespace; kill, start, kill of one of them" pidns

life() {
	pod_make three
	in_pod three -d --name x busybox:test sleep 1000 >/dev/null
	in_pod three -d --name y busybox:test sleep 1000 >/dev/null
	podman pod pause three >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' x y | uniq)" paused
	podman pod unpause three >/dev/null
	podman pod stop -t 0 three >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' x y | uniq)" exited
	podman pod start three >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' x y | uniq)" running
	podman pod kill three >/dev/null
	down three
}
t "pod: pause, unpause, stop, start, kill" life

userns() {
	podman pod create --name four --infra-image busybox:test --infra-command 'sleep 1000' --network none \
		--uidmap 0:300000:1000 --gidmap 0:300000:1000 >/dev/null
	status 0 in_pod four --rm busybox:test sh -c 'id -u; awk "{ print \$2 }" /proc/self/uid_map; readlink /proc/self/ns/user; readlink /proc/self/ns/net'
	p=$(first_pid four)
	is "$(cat "$T/o")" "0
300000
$(readlink "/proc/$p/ns/user")
$(readlink "/proc/$p/ns/net")"
	down four
}
t "pod with a user namespace" userns

kube() {
	mkdir -p "$T/kube"
	echo hello >"$T/kube/f"
	cat >"$T/pod.yaml" <<END
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  hostNetwork: false
  restartPolicy: Never
  containers:
  - name: first
    image: localhost/busybox:test
    imagePullPolicy: Never
    command: [/bin/sh, -c, "echo \$GREETING; cat /data/f; id -u; exec sleep 1000"]
    env:
    - {name: GREETING, value: good day}
    securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    resources: {limits: {memory: 64Mi, cpu: 500m}}
    volumeMounts:
    - {name: data, mountPath: /data, readOnly: true}
  - name: second
    image: localhost/busybox:test
    imagePullPolicy: Never
    command: [/bin/sleep, "1000"]
  volumes:
  - name: data
    hostPath: {path: "$T/kube"}
END
	podman import --change 'ENTRYPOINT ["sleep", "1000"]' "$T/layer.tar" pause:test >/dev/null 2>&1
	sed -i 's,^\[engine\],&\ninfra_image = "localhost/pause:test",' "$P/containers.conf"
	podman play kube --network none --log-driver k8s-file "$T/pod.yaml" >"$T/o" 2>&1 || fail "$(cat "$T/o")"
	until_true 10 sh -c "grep -rq hello '$P/root/vfs-containers'"
	is "$(podman logs kube-first | tr '\n' ' ')" "good day hello 1000 "
	is "$(podman exec kube-first /bin/grep -E 'CapBnd|NoNewPrivs' /proc/self/status | awk '{ printf "%s ", $2 }')" "0000000000000000 1 "
	is "$(podman exec kube-first /bin/sh -c '/bin/cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || /bin/cat /sys/fs/cgroup/memory.max')" 67108864
	podman generate kube kube >"$T/again.yaml"
	has "$(cat "$T/again.yaml")" 'kind: Pod'
	podman play kube --down "$T/pod.yaml" >"$T/o" 2>&1 || fail "$(cat "$T/o")"
	is "$(podman ps -aq)" ""
}
t "play kube, and down again" kube

finish

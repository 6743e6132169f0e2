#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# The shim as Kubernetes uses it: containerd's CRI plugin, driven through its
# socket, with the configuration of Documentation/kubernetes.rst.
# shellcheck disable=SC2016,SC2154
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/containerd.sh"
. "${0%/*}/../harness/cri.sh"
LEAK_WAIT=8
suite cri
containerd_choose
cri_start

straight() {
	pod straight
	is "$(cri PodSandboxStatus "{\"pod_sandbox_id\":\"$POD\"}" | jq -r '.status | "\(.state) \(.runtime_handler)"')" "0 cleat"
	is "$(shims | wc -l)" 1
	has "$(shims)" "containerd-shim-cleat-v2.* -id $POD "
	[ -z "$CLEAT" ] || has "$("$RUNTIME" --root /run/containerd/cleat/k8s.io list -q)" "^$POD\$"
	container one '' sh -c 'echo out; echo err >&2; exit 7'
	is "$(status_of state)" 0
	start
	until_true 10 exited
	is "$(status_of exit_code)" 7
	is "$(status_of reason)" Error
	is "$(sed 's/^[^ ]* //' "$T/logs/straight/one.log" | sort | tr '\n' '+')" "stderr F err+stdout F out+"
	remove
	container two '' true
	start
	until_true 10 exited
	is "$(status_of exit_code) $(status_of reason)" "0 Completed"
	remove
	pod_gone
	is "$(shims)" ""
}
t "a pod, containers in it, their logs and exits; one shim for all" straight

failing() {
	pod failing
	container no '' /no/such/program
	status 1 start
	has "$(cat "$T/e")" '/no/such/program.*no such file or directory'
	is "$(status_of state) $(status_of reason)" "2 StartError"
	remove
	pod_gone
	status 1 cri RunPodSandbox '{"config":{"metadata":{"name":"x","uid":"x","namespace":"x"}},"runtime_handler":"none"}'
	has "$(cat "$T/e")" 'no runtime for .*none.* is configured'
}
t "a program that is missing, a handler that is not configured" failing

execs() {
	pod execs
	container one '' sleep 1000
	start
	is "$(exec_sync sh -c 'echo in; exit 0')" in
	got=0
	exec_sync sh -c 'exit 9' || got=$?
	is $got 9
	got=0
	exec_sync /no/such >"$T/o" 2>&1 || got=$?
	[ $got != 0 ]
	a=$(date +%s)
	status 1 cri ExecSync "{\"container_id\":\"$CTR\",\"cmd\":[\"sleep\",\"100\"],\"timeout\":1}"
	[ $(($(date +%s) - a)) -lt 8 ] || fail "the timeout took $(($(date +%s) - a)) s"
	n=$(count 40 1000)
	is "$(cri probe "$n" ExecSync "{\"container_id\":\"$CTR\",\"cmd\":[\"true\"],\"timeout\":60}")" "$n"
	# what the pod's shim holds is as before
	s=$(shims | cut -d' ' -f1)
	fds=$(find "/proc/$s/fd" | wc -l)
	is "$(cri probe "$n" ExecSync "{\"container_id\":\"$CTR\",\"cmd\":[\"true\"],\"timeout\":60}")" "$n"
	is "$(find "/proc/$s/fd" | wc -l)" "$fds"
	is "$(procs | grep -c ' Z ' || :)" 0
	pod_gone
}
t "ExecSync: output, statuses, a timeout, many at once" execs

streams() {
	pod streams
	container one '' sleep 1000
	start
	url=$(cri Exec "{\"container_id\":\"$CTR\",\"cmd\":[\"sh\",\"-c\",\"read x; echo got \$x; echo err >&2; exit 5\"],\"stdin\":true,\"stdout\":true,\"stderr\":true}" | jq -r .url)
	got=0
	echo word | "$H/cri" stream "$url" >"$T/o" 2>"$T/e" || got=$?
	is "$got $(cat "$T/o") $(cat "$T/e")" "5 got word err"
	url=$(cri Exec "{\"container_id\":\"$CTR\",\"cmd\":[\"sh\",\"-c\",\"sleep 0.5; tty; stty size\"],\"stdin\":true,\"stdout\":true,\"tty\":true}" | jq -r .url)
	"$H/cri" stream "$url" resize 91 33 >"$T/o" </dev/null
	has "$(tr -d '\r' <"$T/o")" '^/dev/pts/0$'
	has "$(tr -d '\r' <"$T/o")" '^33 91$'
	remove
	container two '.stdin = true' sh -c 'while read x; do echo "echo $x"; done'
	start
	url=$(cri Attach "{\"container_id\":\"$CTR\",\"stdin\":true,\"stdout\":true,\"stderr\":true}" | jq -r .url)
	( echo one; sleep 1 ) | timeout 5 "$H/cri" stream "$url" >"$T/o" 2>"$T/e" &
	a=$!
	until_true 5 grep -q 'echo one' "$T/o"
	kill $a
	wait $a || :
	has "$(cat "$T/logs/streams/two.log")" 'stdout F echo one'
	pod_gone
}
t "Exec and Attach by stream, with a terminal and without" streams

log_reopen() {
	pod logs
	container one '' sh -c 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done'
	start
	until_true 5 grep -q ' 5$' "$T/logs/logs/one.log"
	mv "$T/logs/logs/one.log" "$T/logs/logs/old.log"
	cri ReopenContainerLog "{\"container_id\":\"$CTR\"}" >/dev/null
	until_true 5 test -s "$T/logs/logs/one.log"
	pod_gone
	# no line is lost between the two
	sed 's/.* //' "$T/logs/logs/old.log" "$T/logs/logs/one.log" >"$T/o"
	is "$(awk '$1 != NR - 1' "$T/o")" ""
}
t "logs, through a rotation" log_reopen

statistics() {
	pod stats
	container one '' sh -c 'while :; do :; done'
	start
	sleep 0.5
	s=$(cri ContainerStats "{\"container_id\":\"$CTR\"}")
	[ "$(printf '%s' "$s" | jq -r .stats.cpu.usage_core_nano_seconds.value)" -gt 1000000 ]
	[ "$(printf '%s' "$s" | jq -r .stats.memory.working_set_bytes.value)" -gt 4096 ]
	pod_gone
}
t "ContainerStats" statistics

update() {
	pod update
	container one '.linux.resources = {memory_limit_in_bytes: 67108864, cpu_shares: 512}' sleep 1000
	start
	f=$(find /sys/fs/cgroup -path "*pods-$TAG*$CTR*" \( -name memory.limit_in_bytes -o -name memory.max \) | head -n 1)
	is "$(cat "$f")" 67108864
	cri UpdateContainerResources "{\"container_id\":\"$CTR\",\"linux\":{\"memory_limit_in_bytes\":33554432}}" >/dev/null
	is "$(cat "$f")" 33554432
	pod_gone
}
t "UpdateContainerResources" update

stopping() {
	pod stop
	container term '' sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done'
	start
	until_true 5 grep -q up "$T/logs/stop/term.log"
	cri StopContainer "{\"container_id\":\"$CTR\",\"timeout\":10}" >/dev/null
	is "$(status_of exit_code)" 3
	has "$(cat "$T/logs/stop/term.log")" 'bye'
	remove
	container deaf '' sh -c 'trap "" TERM; while :; do sleep 1; done'
	start
	a=$(date +%s)
	cri StopContainer "{\"container_id\":\"$CTR\",\"timeout\":1}" >/dev/null
	[ $(($(date +%s) - a)) -lt 8 ]
	is "$(status_of exit_code)" 137
	remove
	container never '' sleep 1000
	remove
	pod_gone
}
t "StopContainer: SIGTERM, then SIGKILL; a container that never started" stopping

oom() {
	pod oom
	for i in $(seq "$(count 3 100)"); do
		container "one$i" '.linux.resources = {memory_limit_in_bytes: 20971520}' \
			dd if=/dev/zero of=/dev/null bs=200M count=1
		start
		until_true 10 exited
		is "$(status_of exit_code) $(status_of reason)" "137 OOMKilled"
		remove
	done
	pod_gone
}
t "a container above its memory limit: OOMKilled" oom

shared_pid() {
	pod shared '.linux.security_context.namespace_options.pid = 0'
	container one '' sleep 1000
	start
	container two '' sh -c 'ps | grep -c "[s]leep 1000$"; ps | grep -c "[s]leep 100000$"'
	start
	until_true 10 exited
	is "$(sed 's/.* //' "$T/logs/shared/two.log" | tr '\n' ' ')" "1 1 "
	pod_gone
}
t "a pod that shares its pid namespace" shared_pid

security() {
	pod sec
	container one '.linux.security_context += {run_as_user: {value: 1234}, run_as_group: {value: 5678},
		readonly_rootfs: true, no_new_privs: true, supplemental_groups: [77], capabilities: {drop_capabilities: ["ALL"]},
		seccomp: {profile_type: 0}} | .envs = [{key: "A", value: "b"}] | .working_dir = "/etc"
		| .mounts = [{container_path: "/vol", host_path: env.T, readonly: true}]' \
		sh -c 'id -u; id -g; id -G; touch /x 2>/dev/null || echo ro; grep -e NoNewPrivs -e CapBnd -e ^Seccomp: /proc/self/status | cut -f2; echo $A; pwd; ls /vol | grep -c cd; touch /vol/x 2>/dev/null || echo rovol'
	start
	until_true 10 exited
	has "$(sed 's/^[^ ]* [^ ]* F //' "$T/logs/sec/one.log" | tr '\n' ' ')" \
		'^1234 5678 5678 77 ro 0000000000000000 1 2 b /etc [0-9]+ rovol $'
	pod_gone
}
export T
t "security contexts, environment, mounts" security

# What the API server and the kubelet do with the two manifests: class by name, handler, sandbox, container.
manifests() {
	/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"
	class=$(manifest runtimeclass)
	pod=$(manifest pod)
	is "$(printf '%s' "$class" | jq -r '"\(.apiVersion) \(.kind)"')" "node.k8s.io/v1 RuntimeClass"
	is "$(printf '%s' "$pod" | jq -r '"\(.apiVersion) \(.kind)"')" "v1 Pod"
	is "$(printf '%s' "$pod" | jq -r .spec.runtimeClassName)" "$(printf '%s' "$class" | jq -r .metadata.name)"
	pod "$(printf '%s' "$pod" | jq -r .metadata.name)" . "$(printf '%s' "$class" | jq -r .handler)"
	has "$(shims)" "containerd-shim-cleat-v2.* -id $POD "
	one=$(printf '%s' "$pod" | jq -c '.spec.containers[0]')
	is "$(printf '%s' "$one" | jq -r .image)" busybox
	container "$(printf '%s' "$one" | jq -r .name)" ".command = $(printf '%s' "$one" | jq -c .command)"
	start
	until_true 5 grep -q 'stdout F hello' "$T/logs/hello/hello.log"
	is "$(status_of state)" 1
	pod_gone
	# the label is what the documentation's commands set and take away
	label=$(printf '%s' "$class" | jq -r '.scheduling.nodeSelector | to_entries[] | "\(.key)=\(.value)"')
	grep -q "kubectl label node NODE $label\`" "$SRC/Documentation/kubernetes.rst"
	grep -q "kubectl label node NODE ${label%=*}-\`" "$SRC/Documentation/kubernetes.rst"
}
t "RuntimeClass and pod as the documentation has them" manifests

default() {
	POD_CONFIG=$(jq -nc --arg t "$TAG" '{metadata: {name: "default", uid: $t, namespace: "default"},
		linux: {cgroup_parent: ("/pods-" + $t), security_context: {namespace_options: {network: 2}}}}')
	POD=$(cri RunPodSandbox "{\"config\":$POD_CONFIG}" | jq -r .pod_sandbox_id)
	has "$(shims)" "containerd-shim-cleat-v2.* -id $POD "
	pod_gone
}
t "the node's default: a pod that names no handler" default

readme_too() {
	shown containerd-1 'For Kubernetes (CRI)'
}
t "the README's lines for containerd are those of the documentation" readme_too

dropin() {
	[ "$CD_SERIES" != 1.6 ] || skip "containerd 1.6 has no runtime_path"
	pod dropin . cleat-runc
	has "$(shims)" "containerd-shim-cleat-v2.* -id $POD "
	container one '' sh -c 'echo dropin; exit 4'
	start
	until_true 10 exited
	is "$(status_of exit_code)" 4
	has "$(cat "$T/logs/dropin/one.log")" 'stdout F dropin'
	pod_gone
}
t "in runc's place, by runtime_path" dropin

# The option comes to the shim with the handler: what is no slice is refused, and by name.
systemd_option() {
	containerd --config "$CD/config.toml" config dump >"$T/dump"
	has "$(grep -A 9 'runtimes.cleat-systemd.*options\]' "$T/dump")" 'SystemdCgroup = true'
	[ "$CD_SERIES" != 1.6 ] || skip "containerd 1.6 hands no options to a runtime that is not runc's"
	status 1 pod systemd . cleat-systemd
	has "$(cat "$T/e")" '/linux/cgroupsPath.*slice:prefix:name'
}
t "SystemdCgroup as the documentation has it" systemd_option

userns() {
	[ "$CD_SERIES" != 1.6 ] || skip "containerd 1.6 has no pods with user namespaces"
	# containerd 2.1 asks only handlers of runc's type for their features; 1.7 has no list of them
	[ "$CD_SERIES" = 1.7 ] ||
		has "$(cri Status | jq -c '.runtime_handlers[] | select(.name == "cleat-runc")')" '"user_namespaces":true'
	for handler in cleat cleat-runc; do
		userns_pod $handler
	done
}

userns_pod() {
	map='[{host_id: 1000000, container_id: 0, length: 65536}]'
	rm -rf "$T/logs/userns"
	pod userns ".linux.security_context.namespace_options = {network: 0, userns_options: {mode: 0, uids: $map, gids: $map}}" "$1"
	container one '' sh -c 'cat /proc/self/uid_map; id -u; stat -c %u /etc/passwd; echo x >/new && stat -c %u /new; sleep 1000'
	start
	until_true 10 sh -c "test \$(wc -l <'$T/logs/userns/one.log') = 4"
	is "$(sed 's/^[^ ]* [^ ]* F *//; s/  */ /g' "$T/logs/userns/one.log" | tr '\n' '+')" "0 1000000 65536+0+0+0+"
	is "$(exec_sync sh -c 'id -u')" 0
	pod_gone
}
t "a pod with a user namespace" userns

restart() {
	pod restart
	container one '' sh -c 'trap "exit 21" TERM; while :; do sleep 0.05; done'
	start
	first=$CTR
	container two '' sh -c 'sleep 2; exit 22'
	start
	kill -9 "$CD_PID"
	until_true 10 sh -c "! kill -0 $CD_PID 2>/dev/null || grep -q '^State:.Z' /proc/$CD_PID/status"
	sleep 2.5
	PATH=$O:$PATH containerd --config "$CD/config.toml" >>"$CD/log" 2>&1 &
	new=$!
	until_true 15 cri ListContainers
	until_true 10 exited
	is "$(status_of exit_code)" 22
	is "$(status_of state "$first")" 1
	CTR=$first
	is "$(exec_sync echo still)" still
	cri StopContainer "{\"container_id\":\"$CTR\",\"timeout\":5}" >/dev/null
	is "$(status_of exit_code)" 21
	pod_gone
	kill $new
	wait $new || :
}
t "SIGKILL to containerd: pods go on, the exits of meanwhile are there" restart

finish

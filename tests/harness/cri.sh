# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A private containerd with its CRI plugin. Source after containerd.sh and
# suite; then cri_start. The runtime handlers are the snippets of
# Documentation/kubernetes.rst.

# oci_images: the suite's root, imported for CRI by two names: containers name their own command.
oci_images() {
	mkdir -p "$T/img"
	tar -C "$T/rootfs" --numeric-owner -cf "$T/img/layer.tar" .
	(
		cd "$T/img"
		printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin:/usr/bin"],"Entrypoint":["/bin/sleep","100000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
			"$(sha256sum layer.tar | cut -d' ' -f1)" >config.json
		printf '[{"Config":"config.json","RepoTags":["localhost/pause:test","localhost/busybox:test"],"Layers":["layer.tar"]}]' >manifest.json
		tar -cf image.tar manifest.json config.json layer.tar
	)
	ctr -n k8s.io image import "$T/img/image.tar" >/dev/null 2>&1
}

# image_known NAME
image_known() {
	cri ImageStatus "{\"image\":{\"image\":\"localhost/$1:test\"}}" | grep -q sha256
}

cri_config() {
	cat <<-END
		root = "$CD/root"
		state = "$CD/state"
		[grpc]
		  address = "$CD_SOCK"
		[ttrpc]
		  address = "$CD_SOCK.ttrpc"
		[debug]
		  level = "debug"
	END
	if [ "$CD_SERIES" = 2 ]; then
		cat <<-END
			[plugins.'io.containerd.cri.v1.images'.pinned_images]
			  sandbox = "localhost/pause:test"
			[plugins.'io.containerd.cri.v1.runtime']
			  restrict_oom_score_adj = true
			  netns_mounts_under_state_dir = true
			  max_container_log_line_size = 16384
			[plugins.'io.containerd.cri.v1.runtime'.cni]
			  bin_dir = "$T/cni/bin"
			  bin_dirs = []
			  conf_dir = "$T/cni/net.d"
			[plugins.'io.containerd.grpc.v1.cri']
			  stream_server_address = "127.0.0.1"
			  stream_server_port = "0"
		END
	else
		cat <<-END
			[plugins."io.containerd.grpc.v1.cri"]
			  sandbox_image = "localhost/pause:test"
			  restrict_oom_score_adj = true
			  netns_mounts_under_state_dir = true
			  stream_server_address = "127.0.0.1"
			  stream_server_port = "0"
			[plugins."io.containerd.grpc.v1.cri".cni]
			  bin_dir = "$T/cni/bin"
			  conf_dir = "$T/cni/net.d"
		END
	fi
	snippet "containerd-${CD_SERIES%.*}"
	snippet "default-${CD_SERIES%.*}"
	snippet "systemd-${CD_SERIES%.*}"
	# 1.6 has no runtime_path
	[ "$CD_SERIES" = 1.6 ] || snippet "dropin-${CD_SERIES%.*}"
}

# A network plugin that does nothing and says that it has.
fake_cni() {
	mkdir -p "$T/cni/bin" "$T/cni/net.d"
	cat >"$T/cni/bin/fake" <<-'END'
		#!/bin/sh
		case $CNI_COMMAND in
		VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
		ADD) printf '{"cniVersion":"0.4.0","interfaces":[{"name":"%s","sandbox":"%s"}],"ips":[{"version":"4","address":"10.88.0.9/24","interface":0}]}\n' "$CNI_IFNAME" "$CNI_NETNS" ;;
		esac
	END
	chmod 0755 "$T/cni/bin/fake"
	cp "$T/cni/bin/fake" "$T/cni/bin/loopback"
	echo '{"cniVersion":"0.4.0","name":"fake","plugins":[{"type":"fake"}]}' >"$T/cni/net.d/10-fake.conflist"
}

cri_start() {
	# not imported, which takes as long as the calls of a test
	/usr/bin/python3 -c 'from importlib.util import find_spec as f; f("grpc").name, f("google.protobuf").name' 2>/dev/null || {
		echo "1..0 # SKIP python3-grpcio is not installed"
		exit 0
	}
	ip link set lo up
	CD=$T/cd
	CD_SOCK=$CD/c.sock
	export CONTAINERD_ADDRESS="$CD_SOCK"
	mkdir -p "$CD"
	fake_cni
	{
		echo "version = $((${CD_SERIES%.*} + 1))"
		cri_config
	} >"$CD/config.toml"
	protoc-c --descriptor_set_out="$T/cri.ds" -I"$H" "$H/cri.proto"
	PATH=${SHIM_BIN:+${SHIM_BIN%/*}:}$O:$PATH containerd --config "$CD/config.toml" >"$CD/log" 2>&1 &
	CD_PID=$!
	cri_client
	daemon_up $CD_PID "$CD/log" 20 cri Version
	oci_images
	until_true 10 image_known pause
	until_true 10 image_known busybox
	CGROUP_STAYS=pods-$TAG
	expect
}

# One client for all calls: under an emulator its start takes seconds.
cri_client() {
	mkfifo "$T/cri.in" "$T/cri.out"
	/usr/bin/python3 "$H/cri" "$T/cri.ds" "$CD_SOCK" <"$T/cri.in" >"$T/cri.out" 2>"$T/cri.err" &
	daemon $!
	exec 8>"$T/cri.in" 9<"$T/cri.out"
}

# cri METHOD [JSON]
cri() {
	printf '%s\n' "$*" >&8
	read -r cri_ok cri_said <&9 || fail "the client is gone: $(cat "$T/cri.err")"
	if [ "$cri_ok" != ok ]; then
		printf '%s\n' "$cri_said" >&2
		return 1
	fi
	printf '%s\n' "$cri_said"
}

# manifest NAME: a manifest of the documentation, as JSON.
manifest() {
	snippet "$1" | /usr/bin/python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'
}

# pod NAME [FILTER [HANDLER]]: run a sandbox; POD is its id, POD_CONFIG its description.
pod() {
	mkdir -p "$T/logs/$1"
	POD_CONFIG=$(jq -nc --arg n "$1" --arg t "$TAG" --arg logs "$T/logs/$1" '{
		metadata: {name: $n, uid: ($t + $n), namespace: "default"}, log_directory: $logs,
		linux: {cgroup_parent: ("/pods-" + $t), security_context: {namespace_options: {network: 2}}}
	} | '"${2:-.}")
	POD=$(cri RunPodSandbox "$(jq -nc --argjson c "$POD_CONFIG" --arg h "${3:-cleat}" \
		'{config: $c, runtime_handler: $h}')" | jq -r .pod_sandbox_id)
	[ -n "$POD" ]
}

# container NAME FILTER COMMAND...: create one in the pod; CTR is its id.
container() {
	name_=$1
	filter_=${2:-.}
	shift 2
	CTR=$(cri CreateContainer "$(jq -nc --arg pod "$POD" --argjson c "$POD_CONFIG" --arg n "$name_" '{
		pod_sandbox_id: $pod, sandbox_config: $c, config: ({
			metadata: {name: $n}, image: {image: "localhost/busybox:test"}, command: $ARGS.positional,
			log_path: ($n + ".log"), linux: {security_context: {namespace_options: $c.linux.security_context.namespace_options}}
		} | '"$filter_"')}' --args -- "$@")" | jq -r .container_id)
	[ -n "$CTR" ]
}

start() {
	cri StartContainer "{\"container_id\":\"$CTR\"}" >/dev/null
}

# status_of FIELD
status_of() {
	cri ContainerStatus "{\"container_id\":\"${2:-$CTR}\"}" | jq -r ".status.$1"
}

exited() {
	[ "$(status_of state)" = 2 ]
}

remove() {
	cri RemoveContainer "{\"container_id\":\"${1:-$CTR}\"}" >/dev/null
}

pod_gone() {
	cri StopPodSandbox "{\"pod_sandbox_id\":\"${1:-$POD}\"}" >/dev/null
	cri RemovePodSandbox "{\"pod_sandbox_id\":\"${1:-$POD}\"}" >/dev/null
}

# exec_sync COMMAND...: its stdout; the status is the command's.
exec_sync() {
	said=$(cri ExecSync "$(jq -nc --arg c "$CTR" '{container_id: $c, cmd: $ARGS.positional, timeout: 20}' --args -- "$@")")
	[ -n "$said" ] || return 1
	printf '%s' "$said" | jq -r .stdout | base64 -d
	return "$(printf '%s' "$said" | jq -r .exit_code)"
}

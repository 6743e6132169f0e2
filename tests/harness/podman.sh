# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A podman of one's own, for suites that have sourced lib.sh: storage, events, networks and temporary files in
# $P, an image made of busybox, nothing of the system's.
#
#   podman_start		after `suite`
#   podman ARG...	one command
#   prun ARG...		podman run, in the suite's cgroup, without a network
#   containers_conf DIR	DIR/containers.conf as $CONTAINERS_CONF, for buildah too, and DIR/policy.json

containers_conf() {
	mkdir -p "$1"
	CONTAINERS_CONF=$1/containers.conf
	cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
image_default_transport = "docker://"
[network]
network_config_dir = "$1/net"
END
	printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$1/policy.json"
}

podman_start() {
	command -v podman >/dev/null || { echo "1..0 # SKIP podman is not installed"; exit 0; }
	P=$T/p
	containers_conf "$P"
	export CONTAINERS_CONF TMPDIR="$P"
	tar -C "$T/rootfs" --numeric-owner -cf "$T/layer.tar" .
	if ! podman import --change CMD=sh "$T/layer.tar" busybox:test >"$T/o" 2>&1; then
		echo "Bail out! podman import: $(cat "$T/o")"
		exit 1
	fi
	KEEP=$(procs | awk '$3 ~ /^(catatonit|podman)/ { printf "%s ", $1 }')
	expect
}

# The options that make it ours.
podman_options() {
	echo "--root $P/root --runroot $P/run --tmpdir $P/tmp --storage-driver vfs --cgroup-manager cgroupfs \
--events-backend file --runtime $(command -v "$RUNTIME")"
}

podman() {
	# shellcheck disable=SC2046	# words
	timeout --foreground 120 podman $(podman_options) "$@"
}

prun() {
	podman run --log-driver k8s-file --cgroup-parent "/$TAG" --network "${NET:-none}" --ulimit nofile=1024:1024 \
		--ulimit nproc=1024:1024 "$@"
}

# on_a_terminal ARG...: podman ARG... on a terminal of 21 rows and 91 columns; output in $T/o without CRs, status in $got.
on_a_terminal() {
	got=0
	printf 'stty rows 21 cols 91; timeout --foreground 60 podman %s' "$(podman_options)" >"$T/tty.sh"
	for word; do
		printf " '%s'" "$word" >>"$T/tty.sh"
	done
	script -qec "sh $T/tty.sh" /dev/null >"$T/tty" 2>&1 </dev/null || got=$?
	tr -d '\r' <"$T/tty" >"$T/o"
}

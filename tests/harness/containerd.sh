# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A private containerd for a suite: own root, state, socket and namespace.
# Source after lib.sh, call containerd_start after suite.
#
# SHIM is the runtime under test (default io.containerd.cleat.v2, found in
# the build folder); SHIM=io.containerd.runc.v2 tests the suites themselves.
# SHIM_BIN: a wrapper of our shim, by the shim's own name.

SHIM=${SHIM:-io.containerd.cleat.v2}
case $SHIM in
*cleat*) CLEAT_SHIM=1 ;;
*) CLEAT_SHIM= ;;
esac

# CONTAINERD=2 or 1.7: the one that private.sh fetched. CD_SERIES is 1.6, 1.7 or 2. Call before anything of this file.
containerd_choose() {
	[ -z "${CONTAINERD-}" ] || private "containerd-$CONTAINERD"
	if ! command -v containerd >/dev/null; then
		echo "1..0 # SKIP containerd is not installed"
		exit 0
	fi
	CD_SERIES=${CONTAINERD-}
	[ -n "$CD_SERIES" ] || CD_SERIES=$(containerd --version | sed 's/.* v\{0,1\}\([0-9]*\.[0-9]*\).*/\1/; s/^2\..*/2/')
}

# CD_MORE: more tables of the configuration.
containerd_start() {
	CD=$T/cd
	CD_SOCK=$CD/c.sock
	export CONTAINERD_ADDRESS="$CD_SOCK" CONTAINERD_NAMESPACE="$NS"
	mkdir -p "$CD"
	cat >"$CD/config.toml" <<-END
		version = 2
		root = "$CD/root"
		state = "$CD/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
			"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
			"io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$CD_SOCK"
		[ttrpc]
		  address = "$CD_SOCK.ttrpc"
		[debug]
		  level = "debug"
		${CD_MORE-}
	END
	PATH=${SHIM_BIN:+${SHIM_BIN%/*}:}$O:$PATH containerd --config "$CD/config.toml" >"$CD/log" 2>&1 &
	CD_PID=$!
	daemon_up $CD_PID "$CD/log" 10 ctr version
	expect
}

# Address and namespace come by the environment, so plain ctr in a script is the same.
ctr() {
	timeout --foreground 60 ctr "$@"
}

# ctr_run [OPTION...] -- ID COMMAND...: a container of the suite's root.
ctr_run() {
	ctr run --runtime "$SHIM" --env PATH=/bin "$@"
}

# The busybox image, from the suite's own root: nothing can be pulled.
image_tar() {
	[ -f "$T/image.tar" ] || (
		mkdir -p "$T/img"
		tar -C "$T/rootfs" --numeric-owner -cf "$T/img/layer.tar" .
		cd "$T/img" || exit 1
		sum=$(sha256sum layer.tar | cut -d' ' -f1)
		printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin:/usr/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
			"$sum" >config.json
		printf '[{"Config":"config.json","RepoTags":["docker.io/library/busybox:test"],"Layers":["layer.tar"]}]' >manifest.json
		tar -cf "$T/image.tar" manifest.json config.json layer.tar
	)
}

# One line per shim of ours that still runs.
shims() {
	for p in $(procs | awk '$3 ~ /^containerd-shim/ { print $1 }'); do
		printf '%s %s\n' "$p" "$(tr '\0' ' ' <"/proc/$p/cmdline")"
	done
}

# snippet NAME: a named block of the documentation, with the shim of this build.
snippet() {
	awk -v name="$1" '
	$0 == ".. snippet: " name { found = 1; next }
	found && /^\.\. code-block::/ { inside = 1; next }
	inside && /^[^ ]/ { exit }
	inside { print substr($0, 4) }' "$SRC/Documentation/kubernetes.rst" | sed "s|/usr/local/bin/|$O/|"
}

# readme WORDS: the first block after the README's line that begins so.
readme() {
	awk -v words="$1" '
	index($0, words) == 1 { found = 1; next }
	found && /^    / { inside = 1; print substr($0, 5); next }
	inside { exit }' "$SRC/README.md" | sed "s|/usr/local/bin/|$O/|"
}

# shown SNIPPET WORDS: the README has the documentation's block, without its empty lines.
shown() {
	[ -n "$(snippet "$1")" ]
	is "$(readme "$2")" "$(snippet "$1" | sed '/^$/d')"
}

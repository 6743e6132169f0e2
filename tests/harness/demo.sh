#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `make demo`: real containers on this machine, through `cleat` and through
# containerd-shim-cleat-v2 under a containerd of its own. Every line that is
# promised is checked; the exit status is 0 only if all of it was seen.
set -eu

O=${O:?build folder}
HERE=$(cd "${0%/*}" && pwd)
T=$(mktemp -d /tmp/cleat-demo-XXXXXX)
NS=demo
SOCK=$T/c.sock
CD_PID=
IDS="one probe term oom idle-cleat idle-runc"

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
show() { printf '  $ %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
ctr() { timeout 60 ctr --address "$SOCK" --namespace $NS "$@"; }

# shellcheck disable=SC2317	# called by trap
cleanup() {
	set +e
	if [ -n "$CD_PID" ]; then
		for id in $IDS; do
			ctr task delete -f "$id"
			ctr container delete "$id"
		done >/dev/null 2>&1
		kill "$CD_PID"
		wait "$CD_PID"
	fi
	for d in /sys/fs/cgroup/*/$NS /sys/fs/cgroup/$NS; do [ ! -d "$d" ] || rmdir "$d"; done
	rm -rf "$T"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

[ "$(id -u)" = 0 ] || die "run it as root: sudo make demo"

# ---- a root file system of one binary, a bundle -------------------------------------
mkdir -p "$T/bundle/rootfs/bin" "$T/bundle/rootfs/proc" "$T/bundle/rootfs/sys" "$T/bundle/rootfs/dev" \
	"$T/bundle/rootfs/tmp" "$T/bundle/rootfs/etc"
cp "$(command -v busybox)" "$T/bundle/rootfs/bin/busybox"
for a in $("$T/bundle/rootfs/bin/busybox" --list); do
	[ "$a" = busybox ] || ln -s busybox "$T/bundle/rootfs/bin/$a"
done
ROOTFS=$T/bundle/rootfs

say "cleat, the OCI runtime: $("$O/cleat" --version | head -n 1)"
(cd "$T/bundle" && "$O/cleat" spec)
jq '.process.terminal = false | .process.args = ["sh", "-c",
	"echo hello from $(hostname), pid $$, as $(id -u), under Linux $(uname -r)"]' \
	"$T/bundle/config.json" >"$T/config.json"
mv "$T/config.json" "$T/bundle/config.json"
show "cleat run --bundle BUNDLE hello"
out=$("$O/cleat" --root "$T/cleat" run --bundle "$T/bundle" hello </dev/null)
printf '  %s\n' "$out"
case $out in "hello from cleat, pid 1, as 0,"*) ;; *) die "cleat run printed something else" ;; esac

# ---- containerd with our shim ---------------------------------------------------------
cat >"$T/config.toml" <<END
version = 2
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$SOCK"
[ttrpc]
  address = "$SOCK.ttrpc"
END
PATH=$O:$PATH containerd --config "$T/config.toml" >"$T/log" 2>&1 &
CD_PID=$!
n=100
until ctr version >/dev/null 2>&1; do
	n=$((n - 1))
	[ $n -gt 0 ] || die "containerd does not come up: $(tail -n 3 "$T/log")"
	sleep 0.1
done
run() { ctr run --runtime io.containerd.cleat.v2 --env PATH=/bin "$@"; }

say "containerd-shim-cleat-v2 under $(containerd --version | cut -d' ' -f1-3)"
show "ctr run --rm --runtime io.containerd.cleat.v2 --rootfs DIR one /bin/sh -c 'echo out; echo err >&2; exit 7'"
status=0
run --rm --rootfs "$ROOTFS" one /bin/sh -c 'echo out; echo err >&2; exit 7' >"$T/out" 2>"$T/err" </dev/null || status=$?
printf '  stdout: %s\n  stderr: %s\n  exit status: %s\n' "$(cat "$T/out")" "$(cat "$T/err")" $status
[ "$(cat "$T/out")" = out ] || die "stdout is not \"out\""
[ "$(cat "$T/err")" = err ] || die "stderr is not \"err\""
[ $status = 7 ] || die "exit status is not 7"

say "a container that runs, and an exec in it"
run -d --rootfs "$ROOTFS" probe /bin/sleep 1000 </dev/null
show "ctr task exec --exec-id e1 probe ps"
out=$(ctr task exec --exec-id e1 probe /bin/ps </dev/null)
printf '%s\n' "$out" | sed 's/^/  /'
case $out in *"sleep 1000"*) ;; *) die "the exec does not see the container's process" ;; esac
ctr task kill -s KILL probe >/dev/null
ctr task delete -f probe >/dev/null 2>&1 || true

say "a terminal"
show "ctr run -t ... term tty"
script -qec "ctr --address $SOCK --namespace $NS run --rm -t --runtime io.containerd.cleat.v2 --env PATH=/bin \
	--rootfs $ROOTFS term /bin/sh -c 'tty; sleep 0.5'" /dev/null >"$T/tty" </dev/null || die "the terminal session failed"
tr -d '\r' <"$T/tty" | sed 's/^\^@//; s/^/  /'
grep -q '/dev/' "$T/tty" || die "tty names no terminal"

say "a memory limit, and what happens beyond it"
ctr events >"$T/events" 2>&1 &
EV_PID=$!
sleep 0.3
show "ctr run --memory-limit 16777216 ... (a process that takes 100 MiB)"
status=0
run --memory-limit 16777216 --rootfs "$ROOTFS" oom \
	/bin/sh -c 'dd if=/dev/zero of=/dev/null bs=100M count=1' >/dev/null 2>&1 </dev/null || status=$?
sleep 0.5
kill $EV_PID
wait $EV_PID 2>/dev/null || true
grep -E '/tasks/(oom|exit)' "$T/events" | cut -c1-150 | sed 's/^/  /'
printf '  exit status: %s\n' $status
[ $status = 137 ] || die "exit status is not 137 (128 + SIGKILL)"
first=$(grep -oE '/tasks/(oom|exit)' "$T/events" | head -n 1)
[ "$first" = /tasks/oom ] || die "the OOM event does not come before the exit"

say "what a server with one sleeping container and one finished exec holds, side by side"
sync
run -d --rootfs "$ROOTFS" idle-cleat /bin/sleep 1000 </dev/null
ctr run -d --runtime io.containerd.runc.v2 --env PATH=/bin --rootfs "$ROOTFS" idle-runc /bin/sleep 1000 </dev/null
ctr task exec --exec-id e1 idle-cleat /bin/true </dev/null
ctr task exec --exec-id e1 idle-runc /bin/true </dev/null
sleep 2
for rt in cleat runc; do
	pid=$("$HERE/shim-pid" "$SOCK" idle-$rt) || die "no shim of idle-$rt"
	awk -v n="containerd-shim-$rt-v2" '
		/^Pss:/ { pss = $2 } /^Private_Dirty:/ { dirty = $2 }
		END { printf "  %-26s PSS %6d KiB, private dirty %6d KiB\n", n, pss, dirty }' "/proc/$pid/smaps_rollup"
done

say "all of it was seen"

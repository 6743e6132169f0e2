#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The figures of README.md, measured in one run: `make bench`.
# Whole commands by hyperfine, peers side by side; the memory of shim servers
# as the mean of SERVERS of them, idle, after one exec each.
set -eu

O=${O:?build folder}
RUNS=${RUNS:-100}
SERVERS=${SERVERS:-10}
HERE=$(cd "${0%/*}" && pwd)
T=$(mktemp -d /tmp/cleat-bench-XXXXXX)
R=$T
CD_PID=
NS=bench

# shellcheck disable=SC2317	# called by trap
cleanup() {
	set +e
	if [ -n "$CD_PID" ]; then
		for rt in cleat runc; do
			for i in $(seq "$SERVERS"); do
				ctr task delete -f "$rt-$i"
				ctr container delete "$rt-$i"
			done
		done >/dev/null 2>&1
		kill "$CD_PID"
		wait "$CD_PID"
	fi
	for d in /sys/fs/cgroup/*/$NS /sys/fs/cgroup/$NS; do [ ! -d "$d" ] || rmdir "$d"; done
	rm -rf "$T" "$R"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
ctr() { timeout 60 ctr --address "$T/c.sock" --namespace $NS "$@"; }

mkdir -p "$T/b/rootfs/bin" "$T/b/rootfs/proc" "$T/b/rootfs/sys" "$T/b/rootfs/dev"
cp "$(command -v busybox)" "$T/b/rootfs/bin/busybox"
for a in sh true sleep; do ln -s busybox "$T/b/rootfs/bin/$a"; done
(cd "$T/b" && "$O/cleat" spec)
# The packaged crun knows no newer ociVersion, and for device rules it wants CAP_SYS_RESOURCE.
jq '.ociVersion = "1.0.2" | del(.linux.resources) | .process.terminal = false | .process.args = ["/bin/true"]' \
	"$T/b/config.json" >"$T/b/c"
mv "$T/b/c" "$T/b/config.json"
# State in memory, as /run is on most hosts, for all of them.
R=$(mktemp -d /dev/shm/cleat-bench-XXXXXX 2>/dev/null || mktemp -d "$T/XXXXXX")
sync

# The packaged crun refuses hybrid hosts: it gets a mount namespace with cgroup2 where it looks for it.
crun_here() {
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		echo "crun --root $R/crun run --bundle $T/b bench-crun"
	else
		cat >"$T/crun.sh" <<-END
			#!/bin/sh
			mount -t cgroup2 none /sys/fs/cgroup
			exec hyperfine -N -w 5 -r $RUNS --export-json $T/crun.json \
				"crun --root $R/crun run --bundle $T/b bench-crun" \
				"$O/cleat --root $R/cleat run --bundle $T/b bench-cleat" >/dev/null
		END
		chmod +x "$T/crun.sh"
		unshare -m --propagation private "$T/crun.sh" 2>"$T/crun.err" || cat "$T/crun.err" >&2
	fi
}

echo "# $(nproc) CPUs, Linux $(uname -r), $(gcc --version | head -n 1)"
echo "# run of /bin/true, the document of cleat spec without resources, hyperfine -N, $RUNS runs"
set -- hyperfine -N -w 5 -r "$RUNS" --export-json "$T/run.json"
set -- "$@" -n cleat "$O/cleat --root $R/cleat run --bundle $T/b bench-cleat"
set -- "$@" -n runc "runc --root $R/runc run --bundle $T/b bench-runc"
crun=$(crun_here)
[ -z "$crun" ] || set -- "$@" -n crun "$crun"
"$@" >/dev/null 2>&1 </dev/null
if [ -z "$crun" ]; then
	jq '.results[0].command = "crun(v2)" | .results[1].command = "cleat(v2)"' "$T/crun.json" >"$T/crun2.json"
else
	echo '{"results":[]}' >"$T/crun2.json"
fi
jq -rs '(.[0].results + .[1].results) as $r | ($r[] | select(.command == "cleat") | .median) as $c |
	$r[] | "\(.command) \(.median * 1000) \(.min * 1000) \((.user + .system) * 1000) \(.median / $c)"' \
	"$T/run.json" "$T/crun2.json" |
	awk 'BEGIN { printf "%-8s %10s %10s %10s %8s\n", "", "median ms", "min ms", "CPU ms", "ratio" }
		{ printf "%-8s %10.2f %10.2f %10.2f %8.2f\n", $1, $2, $3, $4, $5 }'

cat >"$T/config.toml" <<END
version = 2
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/c.sock"
[ttrpc]
  address = "$T/c.sock.ttrpc"
END
PATH=$O:$PATH containerd --config "$T/config.toml" >"$T/log" 2>&1 &
CD_PID=$!
n=100
until ctr version >/dev/null 2>&1; do
	n=$((n - 1))
	[ $n -gt 0 ] || { tail -n 3 "$T/log" >&2; exit 1; }
	sleep 0.1
done

echo
echo "# ctr run --rm of /bin/true, and ctr task exec of /bin/true, $((RUNS / 2)) runs"
ctr run -d --runtime io.containerd.cleat.v2 --rootfs "$T/b/rootfs" cleat-1 /bin/sleep 10000 </dev/null
ctr run -d --runtime io.containerd.runc.v2 --rootfs "$T/b/rootfs" runc-1 /bin/sleep 10000 </dev/null
set -- hyperfine -N -w 3 -r $((RUNS / 2)) --export-json "$T/ctr.json"
for rt in cleat runc; do
	set -- "$@" -n "run:$rt" "ctr -a $T/c.sock -n $NS run --rm --runtime io.containerd.$rt.v2 --rootfs $T/b/rootfs r-$rt /bin/true"
	set -- "$@" -n "exec:$rt" "ctr -a $T/c.sock -n $NS task exec --exec-id e $rt-1 /bin/true"
done
"$@" >/dev/null 2>&1 </dev/null
jq -r '.results[] | "\(.command) \(.median * 1000) \(.min * 1000)"' "$T/ctr.json" |
	awk '{ printf "%-12s %10.1f ms median %10.1f ms min\n", $1, $2, $3 }'

echo
echo "# servers with one sleeping container, idle 10 s after one exec, mean of $SERVERS"
for rt in cleat runc; do
	for i in $(seq 2 "$SERVERS"); do
		ctr run -d --runtime "io.containerd.$rt.v2" --rootfs "$T/b/rootfs" "$rt-$i" /bin/sleep 10000 </dev/null
	done
	for i in $(seq 2 "$SERVERS"); do ctr task exec --exec-id e "$rt-$i" /bin/true </dev/null; done
done
sync
sleep 10
for rt in cleat runc; do
	for i in $(seq "$SERVERS"); do
		cat "/proc/$("$HERE/../harness/shim-pid" "$T/c.sock" "$rt-$i")/smaps_rollup"
	done | awk -v n=$rt '/^Pss:/ { pss += $2; k++ } /^Private_Dirty:/ { dirty += $2 }
		END { printf "%-8s PSS %8.0f KiB, private dirty %8.0f KiB (%d servers)\n", n, pss / k, dirty / k, k }'
done

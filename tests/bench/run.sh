#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The benches: run.sh quick|full OUT. See Documentation/benchmarks/README.rst.
# Tables go to stdout and to OUT/results.rst, plots (full) beside them; samples
# stay in the build folder.
# PARTS="cli calls shim ctr memory density stream" takes only some.
set -eu

O=${O:?build folder}
HOW=${1:?quick or full}
OUT=${2:?folder for the results}
HERE=$(cd "${0%/*}" && pwd)
BIN=$O/tests/bench
PARTS=${PARTS:-cli calls shim ctr memory density stream}
# shellcheck source=tests/bench/calls.sh
. "$HERE/calls.sh"

case $HOW in
quick)
	ROUNDS=${ROUNDS:-10} AT_ONCE=${AT_ONCE:-1,8} COUNTS=${COUNTS:-1,10} EXECS=${EXECS:-10}
	IDLE=${IDLE:-10} OTHERS=${OTHERS:-50} MIB=${MIB:-128}
	;;
full)
	ROUNDS=${ROUNDS:-100} AT_ONCE=${AT_ONCE:-1,8,32} COUNTS=${COUNTS:-1,50,500,1000} EXECS=${EXECS:-100}
	IDLE=${IDLE:-10} OTHERS=${OTHERS:-2000} MIB=${MIB:-1024}
	;;
*) exit 2 ;;
esac
# What takes long is done less often.
SOME=$(((ROUNDS + 3) / 4))

[ "$(id -u)" = 0 ] || { echo "run.sh: needs root" >&2; exit 1; }
# Sockets, bundles and state folders are in /run, and that is in memory on nearly all hosts: also here, for all of them.
if [ "$(stat -f -c %T /run)" != tmpfs ] && [ -z "${BENCH_RUN-}" ]; then
	BENCH_RUN=tmpfs exec unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=0755 tmpfs /run && exec "$0" "$@"' "$0" "$@"
fi
T=$(mktemp -d /tmp/cleat-bench-XXXXXX)
TAG=cleat-bench-$$
NS=$TAG
export BENCH_NS="$NS"
R=$(mktemp -d /run/cleat-bench-XXXXXX)
mkdir -p "$OUT" "$O/bench" "$R/d" "$T/bin"
SAMPLES=$O/bench/samples.tsv
: >"$SAMPLES"

# ---- cgroups: all that is measured is in "run" and "ctr" below one of ours ------------------

if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
	HIERARCHIES=/sys/fs/cgroup
	CPU=/sys/fs/cgroup/$TAG/cpu.stat
	MEM=/sys/fs/cgroup/$TAG
else
	HIERARCHIES="/sys/fs/cgroup/cpuacct /sys/fs/cgroup/memory"
	CPU=/sys/fs/cgroup/cpuacct/$TAG/cpuacct.usage
	MEM=/sys/fs/cgroup/memory/$TAG
fi
for h in $HIERARCHIES; do
	echo "$h $(awk -F: -v h="${h##*/}" '$2 == h || $2 ~ "(^|,)" h "(,|$)" || (h == "cgroup" && $1 == 0) { print $3 }' /proc/self/cgroup)"
done >"$T/home"

# shellcheck disable=SC2317	# called by trap
cleanup() {
	set +e
	trap - EXIT
	# Servers and containers are in our cgroups, whoever is their parent.
	for i in 1 2 3; do
		for f in $(find /sys/fs/cgroup -path "*/$TAG*" -name cgroup.procs); do
			while read -r pid; do
				[ "$pid" = $$ ] || kill -9 "$pid"
			done <"$f"
		done
		sleep 0.2
	done
	wait
	while read -r h home; do echo $$ >"$h$home/cgroup.procs"; done <"$T/home"
	find /sys/fs/cgroup -depth -type d -path "*/$TAG*" -exec rmdir {} \;
	for d in $(awk '{ print $5 }' /proc/self/mountinfo); do
		case $d in "$T"/* | "$R"/*) umount -l "$d" ;; esac
	done
	for d in cleat runc; do rm -rf "/run/containerd/$d/$NS"; done
	[ -n "${KEEP_FILES-}" ] || rm -rf --one-file-system "$T" "$R"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

for h in $HIERARCHIES; do
	mkdir "$h/$TAG" "$h/$TAG/run" "$h/$TAG/ctr"
	echo $$ >"$h/$TAG/run/cgroup.procs"
done
# The parent of all containers is there before anybody is measured.
for h in /sys/fs/cgroup/*; do
	[ "$HIERARCHIES" != /sys/fs/cgroup ] && [ -e "$h/cgroup.procs" ] && [ ! -e "$h/cgroup.controllers" ] || continue
	mkdir -p "$h/$TAG/ctr"
	for f in cpuset.cpus cpuset.mems; do
		[ ! -e "$h/$f" ] || for d in "$TAG" "$TAG/ctr"; do cat "$h/$f" >"$h/$d/$f"; done
	done
done
if [ "$HIERARCHIES" = /sys/fs/cgroup ]; then
	for d in /sys/fs/cgroup "/sys/fs/cgroup/$TAG" "/sys/fs/cgroup/$TAG/ctr"; do
		echo +memory >"$d/cgroup.subtree_control" 2>/dev/null || :
	done
fi

# ---- what is run --------------------------------------------------------------------------------

mkdir -p "$T/root/bin" "$T/root/proc" "$T/root/sys" "$T/root/dev"
cp "$(command -v busybox)" "$T/root/bin/busybox"
for a in sh true sleep dd; do ln -s busybox "$T/root/bin/$a"; done

# config FILE FILTER: the document of `cleat spec`. The packaged crun knows no newer ociVersion, and
# for device rules it wants CAP_SYS_RESOURCE: so no resources, for anybody.
mkdir -p "$T/spec"
(cd "$T/spec" && "$O/cleat" spec)
config() {
	mkdir -p "${1%/*}"
	jq --arg root "$T/root" --arg tag "$TAG" '.ociVersion = "1.0.2" | del(.linux.resources)
		| .process.terminal = false | .root.path = $root | .process.args = ["/bin/sleep", "100000"]'" | $2" \
		"$T/spec/config.json" >"$1"
}
TRUE='.process.args = ["/bin/true"]'
for rt in cleat runc crun cleat2; do
	config "$T/$rt-true/config.json" "$TRUE | .linux.cgroupsPath = \"/$TAG/ctr/$rt-true\""
	config "$T/$rt-sleep/config.json" ".linux.cgroupsPath = \"/$TAG/ctr/$rt-sleep\""
	config "$T/$rt-kept/config.json" ".linux.cgroupsPath = \"/$TAG/ctr/$rt-kept\""
done
GROUP='.linux.cgroupsPath = "/\($tag)/ctr/@ID@" | .annotations = {"io.kubernetes.cri.sandbox-id": "@GROUP@"}'
config "$T/sleeps.json" "$GROUP"
config "$T/ends.json" "$GROUP | $TRUE"
config "$T/writes.json" "$GROUP | .process.args = [\"/bin/dd\", \"if=/dev/zero\", \"bs=65536\", \"count=$((MIB * 16))\"]"
CLEAT_SHIM=$O/containerd-shim-cleat-v2
RUNC_SHIM=$(command -v containerd-shim-runc-v2 || :)
SHIMS="cleat=$CLEAT_SHIM${RUNC_SHIM:+ runc=$RUNC_SHIM}"
sync

wanted() {
	case " $PARTS " in *" $1 "*) echo "# $1, $(date +%T)" >&2 ;; *) return 1 ;; esac
}

# The packaged crun refuses hybrid hosts: it gets a mount namespace with cgroup2 where it looks for
# it, and cleat is measured in there too. V2 is "@FILE" of that namespace.
V2=
crun_place() {
	command -v crun >/dev/null || return 0
	[ "$HIERARCHIES" != /sys/fs/cgroup ] || return 0
	unshare -m --propagation private sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec sleep 100000' >"$T/crun.err" 2>&1 &
	V2_PID=$!
	for i in $(seq 100); do
		[ "$(nsenter -m -t $V2_PID stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || break
		sleep 0.05
	done
	V2=@/proc/$V2_PID/ns/mnt
}
crun_place

# lines: for every runtime "WHO[@NS] ROOT-AND-COMMAND ID-PREFIX"
ALONE=
runtimes() {
	echo "cleat $O/cleat --root $R/cleat cleat"
	[ -z "$ALONE" ] || return 0
	! command -v runc >/dev/null || echo "runc runc --root $R/runc runc"
	if [ -n "$V2" ]; then
		echo "cleat(v2)$V2 $O/cleat --root $R/cleat2 cleat2"
		echo "crun(v2)$V2 crun --root $R/crun crun"
	elif command -v crun >/dev/null; then
		echo "crun crun --root $R/crun crun"
	fi
}

turns() {
	"$BIN/turns" -c "$CPU" "$@" >>"$SAMPLES"
}

# ---- parts ------------------------------------------------------------------------------------------

# cli_run FIGURE ROUNDS: floor beside run.
cli_run() {
	{
		echo "floor run $BIN/floor $T/root /bin/true"
		echo "floor+cgroups run $BIN/floor -g $TAG/ctr/floor $T/root /bin/true"
		runtimes | while read -r who cmd root dir name; do
			echo "$who run $cmd $root $dir run --bundle $T/$name-true $TAG-$name"
		done
	} | turns -n "$2" "$1"
}

# cli_life FIGURE ROUNDS
cli_life() {
	runtimes | while read -r who cmd root dir name; do
		echo "$who create $cmd $root $dir create --pid-file $T/$name.pid --bundle $T/$name-sleep $TAG-$name"
		echo "$who start $cmd $root $dir start $TAG-$name"
		echo "$who state $cmd $root $dir state $TAG-$name"
		echo "$who kill $cmd $root $dir kill $TAG-$name KILL"
		echo "$who - gone $T/$name.pid"
		echo "$who delete $cmd $root $dir delete $TAG-$name"
	done | turns -n "$2" -s "create, start, state, kill, delete" "$1"
}

# cli_exec FIGURE ROUNDS
cli_exec() {
	runtimes | while read -r who cmd root dir name; do
		ns=${who#"${who%%@*}"}
		${ns:+nsenter --mount="${ns#@}"} "$cmd" "$root" "$dir" run -d --bundle "$T/$name-kept" "$TAG-$name-kept" </dev/null >/dev/null
	done
	runtimes | while read -r who cmd root dir name; do
		echo "$who exec $cmd $root $dir exec $TAG-$name-kept /bin/true"
	done | turns -n "$2" "$1"
	runtimes | while read -r who cmd root dir name; do
		ns=${who#"${who%%@*}"}
		${ns:+nsenter --mount="${ns#@}"} "$cmd" "$root" "$dir" delete --force "$TAG-$name-kept"
	done
}

if wanted cli; then
	cli_run "Command line" "$ROUNDS"
	cli_life "Command line" "$ROUNDS"
	cli_exec "Command line" "$ROUNDS"
fi

if wanted calls; then
	one() {
		printf 'System calls|%s\t%s\tcalls\t%s\n' "$1" "$2" "$(shift 2 && calls_of "$T/calls" "$@")" >>"$SAMPLES"
	}
	# a runtime in Go takes fifty million, and half an hour to count
	steps() {
		printf 'Instructions|%s\t%s\tinstructions\t%s\n' "$1" "$2" "$(shift 2 && steps_of "$T/steps" "$@")" >>"$SAMPLES"
	}
	one run floor "$BIN/floor" "$T/root" /bin/true
	steps run floor "$BIN/floor" "$T/root" /bin/true
	for rt in cleat runc; do
		cmd=$(command -v $rt || echo "$O/$rt")
		[ $rt = runc ] || cmd=$O/cleat
		[ -x "$cmd" ] || continue
		cmd="$cmd --root $R/$rt"
		# shellcheck disable=SC2086	# words
		{
			one run $rt $cmd run --bundle "$T/$rt-true" $TAG-$rt
			one create $rt $cmd create --bundle "$T/$rt-sleep" $TAG-$rt
			one start $rt $cmd start $TAG-$rt
			one exec $rt $cmd exec $TAG-$rt /bin/true
			$cmd kill $TAG-$rt KILL
			sleep 0.5
			one delete $rt $cmd delete $TAG-$rt
			[ $rt = cleat ] || continue
			steps run $rt $cmd run --bundle "$T/$rt-true" $TAG-$rt
			steps create $rt $cmd create --bundle "$T/$rt-sleep" $TAG-$rt
			steps state $rt $cmd state $TAG-$rt
			steps start $rt $cmd start $TAG-$rt
			steps exec $rt $cmd exec $TAG-$rt /bin/true
			$cmd kill $TAG-$rt KILL
			sleep 0.5
			steps delete $rt $cmd delete $TAG-$rt
		}
	done
fi

# shellcheck disable=SC2086	# words
if wanted shim; then
	"$BIN/shim-ops" -n "$SOME" -c "$CPU" -a "$AT_ONCE" -t "$T/sleeps.json" -l "$T/ends.json" -d "$R/d" \
		"Task service" $SHIMS >>"$SAMPLES"
fi

if wanted ctr && command -v containerd >/dev/null; then
	ln -s "$BIN/null-shim" "$T/bin/containerd-shim-null-v2"
	ln -s "$CLEAT_SHIM" "$T/bin/containerd-shim-cleat-v2"
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/cr"
		state = "$R/cs"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$T/c.sock"
		[ttrpc]
		  address = "$T/c.sock.ttrpc"
	END
	PATH=$T/bin:$PATH containerd --config "$T/config.toml" >"$T/containerd.log" 2>&1 &
	CTR="ctr --address $T/c.sock --namespace $NS"
	n=100
	until timeout 10 $CTR version >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || { tail -n 3 "$T/containerd.log" >&2; exit 1; }
		sleep 0.1
	done
	names="null cleat${RUNC_SHIM:+ runc}"
	for rt in $names; do
		echo "$rt ctr_run_--rm $CTR run --rm --cgroup /$TAG/ctr/run-$rt --runtime io.containerd.$rt.v2 --rootfs $T/root run-$rt-% /bin/true"
	done | turns -n "$SOME" containerd
	for rt in $names; do
		$CTR run -d --cgroup "/$TAG/ctr/sleep-$rt" --runtime "io.containerd.$rt.v2" --rootfs "$T/root" \
			"sleep-$rt" /bin/sleep 100000 </dev/null
	done
	for rt in $names; do
		echo "$rt ctr_task_exec $CTR task exec --exec-id e% sleep-$rt /bin/true"
	done | turns -n "$SOME" containerd
	for rt in $names; do
		$CTR task delete -f "sleep-$rt" >/dev/null 2>&1
		$CTR container delete "sleep-$rt"
	done
fi

# shellcheck disable=SC2086	# words
if wanted memory; then
	# The kernel's memory is told where the cgroups have it.
	[ -e "$MEM/memory.stat" ] && m="-m $MEM" || m=
	"$BIN/shim-memory" $m -i "$IDLE" -e "$EXECS" -a "$COUNTS" -t "$T/sleeps.json" -d "$R/d" \
		"Memory, a pod for each" $SHIMS >>"$SAMPLES"
	"$BIN/shim-memory" $m -i "$IDLE" -g -a "$COUNTS" -t "$T/sleeps.json" -d "$R/d" \
		"Memory, all in one pod" $SHIMS >>"$SAMPLES"
fi

# shellcheck disable=SC2086	# words
if wanted density; then
	ops() {
		"$BIN/shim-ops" -n "$SOME" -c "$CPU" -t "$T/sleeps.json" -l "$T/ends.json" -d "$R/d" "$@" >>"$SAMPLES"
	}
	# Before and after, so that a change of the machine does not pass for one of ours.
	for pod in "" -g; do
		figure="Density, shim, ${pod:+all in one pod}"
		[ -n "$pod" ] || figure="Density, shim, a pod for each"
		ops $pod "$figure" alone="$CLEAT_SHIM"
		ops $pod -b "$OTHERS" "$figure" "with-$OTHERS-others=$CLEAT_SHIM"
		ops $pod "$figure" alone="$CLEAT_SHIM"
	done
	# The command line: the same commands and the floor, renamed by what else there is.
	ALONE=yes
	lines() {
		n=$(wc -l <"$SAMPLES")
		cli_run "$1" "$SOME"
		cli_life "$1" "$SOME"
		cli_exec "$1" "$SOME"
		awk -F '\t' -v OFS='\t' -v n="$n" -v who="$2" 'NR <= n { print; next }
			{ $2 = $2 "," who; print }' "$SAMPLES" >"$T/samples"
		cat "$T/samples" >"$SAMPLES"
	}
	lines "Density, command line" alone
	for i in $(seq "$OTHERS"); do
		jq ".linux.cgroupsPath = \"/$TAG/ctr/other-$i\"" "$T/cleat-sleep/config.json" >"$T/spec/config.json"
		"$O/cleat" --root "$R/cleat" run -d --bundle "$T/spec" "other-$i" </dev/null >/dev/null 2>&1
	done
	lines "Density, command line" "with-$OTHERS-others"
	for i in $(seq "$OTHERS"); do "$O/cleat" --root "$R/cleat" delete --force "other-$i"; done
	lines "Density, command line" alone
	ALONE=
fi

# shellcheck disable=SC2086	# words
if wanted stream; then
	"$BIN/shim-stream" -n "$(((ROUNDS + 39) / 40 + 1))" -x "$SOME" -s "$((MIB << 20))" -c "$CPU" -t "$T/sleeps.json" \
		-o "$T/writes.json" -d "$R/d" "Streams and exits" $SHIMS >>"$SAMPLES"
fi

[ "$HOW" = quick ] && plots= || plots=plots
"$HERE/report.sh" "$SAMPLES" "$OUT" $plots

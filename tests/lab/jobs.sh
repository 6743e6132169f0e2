# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154	# what the caller sets
#
# Guests that run suites, some at a time: what run.sh and kernels.sh have in common.
# The caller sets $here (this folder), $O, $RUNTIME, $SHIM and $work (a folder to keep
# things in), calls add for every guest, then lanes.

# variant NAME - how such a guest is booted: sets mode, pid1 and append
variant() {
	mode=v2 pid1=none append=''
	case $1 in
	v2) ;;
	hybrid | v1) mode=$1 ;;
	systemd) pid1=systemd ;;
	systemd-hybrid | systemd-v1) pid1=systemd mode=${1#systemd-} ;;
	apparmor) append='apparmor=1 security=apparmor' ;;
	selinux) append='selinux=1 security=selinux enforcing=0' ;;
	no-lsm) append='lsm=capability' ;;
	no-memory) append='cgroup_disable=memory' ;;
	no-pids) append='cgroup_disable=pids' ;;
	no-userns) append='sysctl.user.max_user_namespaces=0' ;;
	no-pressure) append='psi=0' ;;
	*) return 1 ;;
	esac
}

# boot FILE KERNEL [OPTION...] - the suites in a guest; FILE.out and FILE.err
boot() {
	file=$1 image=$2
	shift 2
	[ -z "${LONG-}" ] || set -- "$@" LONG="$LONG"
	[ -z "${ONLY-}" ] || set -- "$@" ONLY="$ONLY"
	# shellcheck disable=SC2086	# options and suites have no spaces
	"${LAB_BOOT:-$here/boot.sh}" -g "$mode" -i "$pid1" -a "$append ${LAB_APPEND-}" $plain -t "$limit" \
		${LAB_MODULES:+-M "$LAB_MODULES"} $image -- env O="$O" \
		RUNTIME="$RUNTIME" SHIM="$SHIM" UNIT="$O/tests/unit" NEED="${NEED-}" "$@" "$here/guest-run" $suites \
		>"$file.out" 2>"$file.err" &
	guest=$!
	wait "$guest"
	r=$?
	guest=''
	return $r
}

# report FILE CUT BEFORE - what that guest printed, as numberless TAP
report() {
	awk -v column="$column" -v suites="$suites" -v cut="$2" -v before="$3" -f "$here/results.awk" "$1.out"
}

# job N - boot it; its numberless TAP in $work/N.tap, the seconds in $work/N.time, and how
# the guest ended in $work/N.end: well, skipped, unbooted (no suite began) or gone. A guest whose kernel gave up, or that
# never came as far as a suite, is booted once more as the plainest machine there is.
job() {
	IFS='	' read -r column v suites image <"$work/$1.job"
	variant "$v" || { echo "not ok - $column: no variant $v" >"$work/$1.tap"; return; }
	limit=$((${LAB_LIMIT:-400} * $(echo "$suites" | wc -w)))
	[ -z "${LONG-}" ] || limit=$((limit * 4))
	tap=$work/$1.tap
	: >"$tap"
	begin=$(date +%s)
	for plain in '' -p; do
		boot "$work/$1$plain" "$image"
		r=$?
		if [ $r -eq 77 ]; then
			echo "ok - $column: the guest # SKIP $(cat "$work/$1.err")" >"$tap"
			cp "$work/$1.err" "$work/$1.skip"
			echo skipped >"$work/$1.end"
			return
		fi
		again=
		if [ -z "$plain" ] && { [ $r -eq 123 ] || ! grep -q '^#@ begin' "$work/$1.out"; }; then again=1; fi
		cp "$tap" "$work/$1.before"
		report "$work/$1$plain" "$again" "$work/$1.before" >>"$tap"
		sed 's/^/#  /' "$work/$1$plain.err" >>"$tap"
		[ -n "$again" ] || break
		echo "# $column: the guest ended with status $r, and is booted again as a plainer machine" >>"$tap"
	done
	[ "$r" -eq 0 ] || echo "not ok - $column: the guest ended with status $r" >>"$tap"
	if [ "$r" -eq 0 ]; then
		echo well
	elif grep -q '^#@ begin' "$work/$1"*.out; then
		echo gone
	else
		echo unbooted
	fi >"$work/$1.end"
	echo $(($(date +%s) - begin)) >"$work/$1.time"
}

# short 1 - the jobs that take seconds; short 0: the others
short() {
	i=0
	while [ "$((i += 1))" -le "$jobs" ]; do
		cut -f 3 "$work/$i.job" | grep -q '^features' && s=1 || s=0
		[ $s != "$1" ] || echo $i
	done
}

# lane - do jobs that nobody else has taken: the short ones last, so that all lanes end together
lane() {
	guest=''
	trap '[ -n "$guest" ] && kill "$guest" 2>/dev/null; exit 143' INT TERM HUP
	for n in $(short 0) $(short 1); do
		mkdir "$work/$n.taken" 2>/dev/null || continue
		job $n
		# one at a time
		( flock 6; "$1" $n ) 6>"$work/lock"
	done
}

# add COLUMN VARIANT "SUITE..." [KERNEL] - a guest to be booted
jobs=0
add() {
	jobs=$((jobs + 1))
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4-}" >"$work/$jobs.job"
}

# lanes COUNT PRINTER - boot them all, COUNT at a time; PRINTER N says what came of each
lanes() {
	lane_pids=''
	i=0
	while [ "$((i += 1))" -le "$1" ]; do
		lane "$2" &
		lane_pids="$lane_pids $!"
	done
	# shellcheck disable=SC2086	# a list
	trap 'kill $lane_pids 2>/dev/null; wait; exit 143' INT TERM HUP
	for pid in $lane_pids; do wait "$pid"; done
}

# number - stdin's numberless TAP with numbers; the count so far is in $work/count
number() {
	busybox awk -v n="$(cat "$work/count" 2>/dev/null)" -v keep="$work/count" '
	/^ok / { n++; sub(/^ok/, "ok " n) }
	/^not ok / { n++; sub(/^not ok/, "not ok " n) }
	{ print }
	END { print n + 0 >keep }'
}

# ready STATUS - end with it, and a word, when something is missing here
ready() {
	command -v busybox >/dev/null || { echo "1..0 # SKIP busybox is not installed (Debian package busybox-static)"; exit 0; }
	case $RUNTIME in
	*/*) ;;
	*) RUNTIME=$(command -v "$RUNTIME") ;;
	esac
	[ -x "$RUNTIME" ] && [ -x "$O/tests/integ/warden" ] && return
	echo "Bail out! no $RUNTIME or no $O/tests/integ/warden: make all tests"
	exit "$1"
}

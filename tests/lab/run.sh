#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The laboratory's suite (TAP): boot a Debian kernel under qemu and run the guest's
# suites in it, once per variant.
#
#   run.sh [-k KERNEL] [-s "SUITE..."] [VARIANT...]
#     VARIANT  v2 (the default): cgroup v2 and nothing else; hybrid: v1 controllers and
#              an empty v2 tree, as systemd mounts them; v1: no v2 tree at all;
#              apparmor: v2 with AppArmor as the chosen security module;
#              systemd, systemd-hybrid, systemd-v1: the same layouts, under systemd as PID 1
#     SUITE    cli, shim (the default is both), or the path of any other TAP suite
#   RUNTIME=runc SHIM=io.containerd.runc.v2 prove the suites themselves.
#
# Needs the packages that the file `packages` lists beside what other suites need
# (busybox-static jq containerd runc); without them all is skipped, with the reason.
set -u

here=$(cd "$(dirname "$0")" && pwd)
O=${O:-$(cd "$here/../.." && pwd)/build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
export O
RUNTIME=${RUNTIME:-$O/cleat}
SHIM=${SHIM:-io.containerd.cleat.v2}
limit=${LAB_LIMIT:-600}

usage() {
	sed -n 's/^#   \(run.sh.*\)/usage: \1/p' "$0" >&2
	exit 2
}

# guest_run - what the guest runs: the suites side by side, for each needs about one CPU;
# with mounts and sockets of their own, for they look for leaks. Lines carry the suite's name.
guest_run() {
	cat <<END
suite() {
	case \$1 in */*) p=\$1 ;; *) p=$here/guest-\$1.sh ;; esac
	{
		unshare --mount --net --propagation private sh -c 'ip link set lo up; exec "\$0"' "\$p" 2>&1
		echo "# status \$?"
	} | sed -u "s|^|\${1##*/} |"
}
for s in $suites; do
	suite "\$s" &
done
wait
END
}

# renumber VARIANT - many TAP streams to a part of one; the count so far goes through $count
renumber() {
	# busybox: mawk would hold lines back until it has a block of them
	busybox awk -v v="$1" -v n="$(cat "$count")" -v keep="$count" -v suites="$suites" '
	function out(ok, text) {
		n += 1
		printf "%s %d - %s %s: %s\n", ok ? "ok" : "not ok", n, v, s, text
		fflush()
	}
	BEGIN {
		words = split(suites, w, " ")
		for (i = 1; i <= words; i++) {
			sub(".*/", "", w[i])
			plan[w[i]] = -1
		}
	}
	!($1 in plan) { print; fflush(); next }
	{ s = $1; sub(/^[^ ]* /, "") }
	/^# status / {
		over[s] = 1
		if (skipped[s])
			next
		if (plan[s] < 0)
			out(0, "printed no plan (status " $3 ")")
		else if (plan[s] != seen[s])
			out(0, "planned " plan[s] " tests and ran " seen[s])
		else if ($3 != 0 && !failed[s])
			out(0, "ended with status " $3)
		next
	}
	/^1\.\.0/ { skipped[s] = 1; sub(/^[^#]*/, ""); out(1, $0); next }
	/^1\.\.[0-9]/ { plan[s] = substr($1, 4) + 0; next }
	/^(not )?ok / {
		ok = /^ok/
		sub(/^(not )?ok [0-9]* *(- )?/, "")
		seen[s]++
		failed[s] += !ok
		out(ok, $0)
		next
	}
	/^#  / { print; fflush(); next }
	{ print "# " s ": " $0; fflush() }
	END {
		# nothing at all is told by the status of the guest
		for (i = 1; NR && i <= words; i++) {
			s = w[i]
			if (!over[s])
				out(0, "was cut off")
		}
		print n + 0 >keep
	}'
}

kernel='' suites='cli shim'
while getopts k:s: o; do
	case $o in
	k) kernel=$OPTARG ;;
	s) suites=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ]; then
	set -- v2
	[ -z "${LONG-}" ] || set -- v2 hybrid v1 apparmor
fi

if ! command -v busybox >/dev/null; then
	echo "1..0 # SKIP busybox is not installed (Debian package busybox-static)"
	exit 0
fi
case $RUNTIME in
*/*) ;;
*) RUNTIME=$(command -v "$RUNTIME") ;;
esac
if [ ! -x "$RUNTIME" ] || [ ! -x "$O/tests/integ/warden" ]; then
	echo "Bail out! no $RUNTIME or no $O/tests/integ/warden: make all tests"
	exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/cleat-labrun.XXXXXX") || exit 1
lab=''
trap 'rm -rf "$work"' EXIT
trap '[ -n "$lab" ] && kill "$lab" 2>/dev/null; exit 143' INT TERM HUP
count=$work/count
echo 0 >"$count"
guest_run >"$work/guest"

failed=0
for variant; do
	mode=$variant append='' pid1=none
	case $variant in
	apparmor) mode=v2 append='apparmor=1 security=apparmor' ;;
	systemd) mode=v2 pid1=systemd ;;
	systemd-*) mode=${variant#systemd-} pid1=systemd ;;
	esac
	mkfifo "$work/pipe"
	renumber "$variant" <"$work/pipe" | tee "$work/out" &
	reader=$!
	# shellcheck disable=SC2086	# no kernel: no word
	"$here/boot.sh" -g "$mode" -i "$pid1" -a "$append" -t "$limit" $kernel -- env O="$O" RUNTIME="$RUNTIME" SHIM="$SHIM" \
		UNIT="$O/tests/unit" ${LONG:+LONG="$LONG"} sh "$work/guest" >"$work/pipe" 2>"$work/err" &
	lab=$!
	wait "$lab"
	r=$?
	lab=''
	wait "$reader"
	rm -f "$work/pipe"
	if [ $r -eq 77 ]; then
		echo "1..0 # SKIP $(cat "$work/err")"
		exit 0
	fi
	sed 's/^/#  /' "$work/err"
	! grep -q '^not ok' "$work/out" || failed=1
	if [ $r -ne 0 ]; then
		n=$(($(cat "$count") + 1))
		echo $n >"$count"
		echo "not ok $n - $variant: the guest ended with status $r"
		failed=1
	fi
done
echo "1..$(cat "$count")"
exit $failed

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The laboratory's suite (TAP): boot a Debian kernel under qemu and run the guest's
# suites in it, a guest for each variant and suite.
#
#   run.sh [-k KERNEL] [-s "SUITE..."] [VARIANT...]
#     VARIANT  v2 (the default): cgroup v2 and nothing else; hybrid: v1 controllers and
#              an empty v2 tree, as systemd mounts them; v1: no v2 tree at all;
#              apparmor: v2 with AppArmor as the chosen security module;
#              systemd, systemd-hybrid, systemd-v1: the same layouts, under systemd as PID 1
#     SUITE    cli, shim (the default is both), or the path of any other TAP suite
#   RUNTIME=runc SHIM=io.containerd.runc.v2 prove the suites themselves.
#   LAB_JOBS: guests at a time (default 2); LAB_LIMIT: seconds of one suite (default 400).
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
# shellcheck source=tests/lab/jobs.sh
. "$here/jobs.sh"

usage() {
	sed -n 's/^#   \(run.sh.*\)/usage: \1/p' "$0" >&2
	exit 2
}

kernel='' suites='cli shim rootless'
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
ready 1

work=$(mktemp -d "${TMPDIR:-/tmp}/cleat-labrun.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
for v; do
	variant "$v" || usage
	for s in $suites; do
		add "$v" "$v" "$s" "$kernel"
	done
done

show() {
	[ -e "$work/$1.skip" ] || number <"$work/$1.tap"
}
lanes "${LAB_JOBS:-2}" show
if [ ! -s "$work/count" ]; then
	echo "1..0 # SKIP $(cat "$work"/*.skip | sort -u)"
	exit 0
fi
echo "1..$(cat "$work/count")"
! grep -q '^not ok' "$work"/*.tap

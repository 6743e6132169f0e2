#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers on many kernels, or on one: boot each under qemu, run suites inside, and
# report KTAP. See Documentation/kernels.rst.
#
#   kernels.sh [-v "VARIANT..."] [-s "SUITE..."] [-q]
#     Debian's kernels, of this system and of other suites of the archive; at the end one
#     table of tests and kernels. -v, -s: only those. -q: this system's kernel alone.
#     Exit status: 0 when nothing failed.
#   kernels.sh -k KERNEL [-M DIR] [-v ...] [-s ...] [-a ARGS] [-n "FEATURE..."]
#     any bzImage. -M: where its lib/modules is; -a: more words for its command line;
#     -n: features that have to be there (names of the suite "features", or "all").
#     Exit status, as `git bisect run` wants it: 0 good, 1 a test fails, 125 it cannot be
#     booted or tested.
#
# VARIANT and SUITE as in run.sh; and cli-config or the like is tests/integ/t-cli-config.sh, where the lab has no suite
# of that name.
# LAB_JOBS: guests at a time (default 2); LAB_LIMIT: seconds of one suite (default 900).
set -u

here=$(cd "$(dirname "$0")" && pwd)
O=${O:-$(cd "$here/../.." && pwd)/build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
export O
RUNTIME=${RUNTIME:-$O/cleat}
SHIM=${SHIM:-io.containerd.cleat.v2}
LAB_LIMIT=${LAB_LIMIT:-900}
# shellcheck source=tests/lab/jobs.sh
. "$here/jobs.sh"

usage() {
	sed -n 's/^#   \(kernels.sh.*\)/usage: \1/p' "$0" >&2
	exit 2
}

# suites SUITE... - as run.sh takes them
suites() {
	for s; do
		p=$here/../integ/t-$s.sh
		if [ ! -e "$here/guest-$s.sh" ] && [ -e "$p" ]; then (cd "${p%/*}" && echo "$PWD/${p##*/}"); else echo "$s"; fi
	done | paste -s -d ' '
}

# special VARIANT - the suite that is about this layout
special() {
	case $1 in
	apparmor | selinux) special=lsm ;;
	systemd*) special=systemd ;;
	*) special=resources ;;
	esac
	[ ! -e "$here/guest-$special.sh" ] || echo $special
}

# column NAME VARIANT [KERNEL [SUITE...]] - one column of the table: all its guests
column() {
	name=$1 v=$2 image=${3-}
	shift 2
	[ $# -eq 0 ] || shift
	echo "$name" >>"$work/columns"
	[ $# -gt 0 ] || set -- cli shim features
	# shellcheck disable=SC2046	# one word or none
	[ -n "$kernel" ] || set -- "$@" $(special "$v")
	[ -z "$only_suites" ] || eval "set -- $only_suites"
	# the small ones share a guest, for booting takes longer than they do
	small=''
	for s in $(suites "$@"); do
		case $s in
		features | resources | */t-cli-errors.sh) small="$small $s" ;;
		*) add "$name" "$v" "$s" "$image" ;;
		esac
	done
	[ -z "$small" ] || add "$name" "$v" "${small# }" "$image"
}

# other SUITE VARIANT... - columns of the kernel of another suite of the archive
other() {
	from=$1
	shift
	if image=$("$here/fetch-kernel.sh" "$from" 2>"$work/reason"); then
		for v; do
			! wanted "$v" || column "$("$here/kernel-version" "$image") $v" "$v" "$image"
		done
		return
	fi
	echo "$from" >>"$work/columns"
	jobs=$((jobs + 1))	# nothing to boot
	mkdir "$work/$jobs.taken"
	printf '%s\t-\t-\t\n' "$from" >"$work/$jobs.job"
	echo skipped >"$work/$jobs.end"
	cp "$work/reason" "$work/$jobs.skip"
	echo "ok - $from: the kernel # SKIP $(tail -n 1 "$work/reason")" >"$work/$jobs.tap"
}

# wanted VARIANT
wanted() {
	[ -n "$only_variants" ] || return 0
	case " $only_variants " in *" $1 "*) return 0 ;; esac
	return 1
}

# said N - a guest has ended
said() {
	IFS='	' read -r c v s image <"$work/$1.job"
	ok=$(grep -c '^ok' "$work/$1.tap")
	skip=$(grep -c '^ok.*# SKIP' "$work/$1.tap")
	echo "# $c: $(for p in $s; do basename "$p" .sh; done | sed 's/^t-//' | paste -s -d ' '): $((ok - skip)) passed," \
		"$(grep -c '^not ok' "$work/$1.tap") failed, $skip skipped ($(cat "$work/$1.time" 2>/dev/null || echo 0) s)"
}

# taps COLUMN - all that its guests reported
taps() {
	n=0
	while [ "$((n += 1))" -le "$jobs" ]; do
		IFS='	' read -r c v s image <"$work/$n.job"
		[ "$c" != "$1" ] || cat "$work/$n.tap"
	done
}

# ktap - every column as a test with subtests
ktap() {
	echo "KTAP version 1"
	echo "1..$(grep -c . "$work/columns")"
	n=0
	while read -r c; do
		n=$((n + 1))
		rm -f "$work/count"
		taps "$c" | number >"$work/ktap"
		echo "# Subtest: $c"
		echo "    KTAP version 1"
		echo "    1..$(cat "$work/count")"
		sed 's/^/    /' "$work/ktap"
		if grep -q '^not ok' "$work/ktap"; then
			echo "not ok $n - $c"
		elif grep -q '^ok.*: the kernel # SKIP\|^ok.*: the guest # SKIP' "$work/ktap"; then
			echo "ok $n - $c # SKIP $(sed -n 's/^ok.*# SKIP //p' "$work/ktap" | head -n 1)"
		else
			echo "ok $n - $c"
		fi
	done <"$work/columns"
}

# table - one line per test, one letter per column; and why what was skipped was
table() {
	cat "$work"/*.tap | busybox awk -v columns="$work/columns" -f "$here/table.awk"
}

kernel='' only_variants='' only_suites='' quick=''
while getopts k:M:v:s:a:n:q o; do
	case $o in
	k) kernel=$OPTARG ;;
	M) LAB_MODULES=$OPTARG ;;
	v) only_variants=$OPTARG ;;
	s) only_suites=$OPTARG ;;
	a) LAB_APPEND=$OPTARG ;;
	n) NEED=$OPTARG ;;
	q) quick=1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || usage
for v in $only_variants; do
	variant "$v" || { echo "kernels.sh: no variant $v" >&2; exit 2; }
done
ready "$([ -n "$kernel" ] && echo 125 || echo 1)"

work=$(mktemp -d "${TMPDIR:-/tmp}/cleat-kernels.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
: >"$work/columns"
began=$(date +%s)
if [ -n "$kernel" ]; then
	if ! version=$("$here/kernel-version" "$kernel"); then
		echo "# $kernel is no bzImage: cannot be tested (125)"
		exit 125
	fi
	for v in ${only_variants:-v2}; do
		column "$version $v" "$v" "$kernel" features cli shim
	done
else
	own=$(uname -r)
	for k in /boot/vmlinuz-*; do
		[ -d "/lib/modules/${k#/boot/vmlinuz-}" ] && own=$("$here/kernel-version" "$k")
	done
	# what is asked for by name may be more than the table has
	for v in ${only_variants:-v2 systemd systemd-hybrid hybrid v1 apparmor selinux no-lsm no-memory no-userns}; do
		case $v in
		v2) set -- cli-config cli-lifecycle cli-net shim-raw shim-answers shim-options shim-pitfalls shim-ctr cri podman cgroup cli \
			shim features ;;
		systemd-*) set -- features ;;	# and what is about systemd
		selinux | no-*) set -- cli features ;;
		*) set -- cli shim features ;;
		esac
		column "$own $v" "$v" '' "$@"
	done
	if [ -z "$quick" ]; then
		other bookworm-backports v2
		other sid v2 hybrid
		other bullseye v2 hybrid
	fi
fi
if [ "$jobs" -eq 0 ]; then
	echo "kernels.sh: nothing to boot" >&2
	exit 2
fi

lanes "${LAB_JOBS:-2}" said
ktap
table
echo "# $(cat "$work"/*.tap | grep '^ok' | grep -vc '# SKIP') passed, $(cat "$work"/*.tap | grep -c '^not ok') failed," \
	"$(cat "$work"/*.tap | grep -c '^ok.*# SKIP') skipped, in $(($(date +%s) - began)) s" \
	"(guests: $(cat "$work"/*.time 2>/dev/null | busybox awk '{ s += $1 } END { print s + 0 }') s)"

if [ -n "$kernel" ]; then
	# what an unbooted guest reports is no failure of a test
	for end in "$work"/*.end; do
		case $(cat "$end") in
		unbooted | skipped)
			echo "# verdict: $version cannot be tested (125): $(cat "${end%.end}".skip 2>/dev/null || echo "it did not boot")"
			exit 125
			;;
		esac
	done
	if grep -q '^not ok' "$work"/*.tap; then
		grep -h '^not ok' "$work"/*.tap | sed 's/^not ok - /# fails: /'
		grep -h '^ok.* features: .*# SKIP' "$work"/*.tap | sed 's/^ok.* features: \(.*\) # SKIP not in this kernel/# lacks: \1/'
		echo "# verdict: $version is bad (1)"
		exit 1
	fi
	echo "# verdict: $version is good (0)"
	exit 0
fi
! grep -q '^not ok' "$work"/*.tap

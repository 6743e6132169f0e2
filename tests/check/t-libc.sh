#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
#
# The builds that the other suites do not run: with the compiler's own libc where they run the one
# with musl, and the other way round where musl's libraries could not be made.
set -u

SRC=$(cd "${0%/*}/../.." && pwd)
O=${O:-$SRC/build}
case $O in /*) ;; *) O=$PWD/$O ;; esac

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
n=0 bad=0

# builds WHAT FOLDER ARGUMENT...: `make` with these words, then the suite of the command line with its programs.
builds() {
	what=$1 folder=$O/$2
	shift 2
	n=$((n + 1))
	if env -u MAKEFLAGS make -j2 -C "$SRC" O="$folder" "$@" WERROR=1 all >"$log" 2>&1; then
		echo "ok $n - $what builds without a warning"
	else
		tail -n 20 "$log" | sed 's/^/#  /'
		echo "not ok $n - $what builds without a warning"
		bad=1
		return
	fi
	n=$((n + 1))
	ln -sfn "$O/tests" "$folder/tests"
	if O=$folder "$SRC/tests/integ/t-cli-lifecycle.sh" >"$log" 2>&1 && ! grep -q '^not ok' "$log"; then
		echo "ok $n - the command line works with $what"
	else
		grep -A5 '^not ok' "$log" | sed 's/^/#  /'
		echo "not ok $n - the command line works with $what"
		bad=1
	fi
}

if [ -e "$O/musl/libs.mk" ]; then
	builds "LIBC=glibc" with-glibc LIBC=glibc
	if [ -n "${LONG-}" ]; then
		builds "STATIC=1 LIBC=glibc" with-glibc-static STATIC=1 LIBC=glibc
		builds "SHARED=1" with-shared SHARED=1
	fi
elif command -v musl-gcc >/dev/null && [ -n "${LONG-}" ]; then
	builds "LIBC=musl" with-musl LIBC=musl
else
	echo "1..0 # SKIP the libraries for musl could not be made here"
	exit 0
fi
echo "1..$n"
exit $bad

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
#
# The build with musl, and the command line suite with it. It fetches and builds five libraries,
# so only LONG runs do it.
set -u

SRC=$(cd "${0%/*}/../.." && pwd)
O=${O:-$SRC/build}
case $O in /*) ;; *) O=$PWD/$O ;; esac

[ -n "${LONG-}" ] || { echo "1..0 # SKIP builds five libraries: set LONG=1"; exit 0; }
for tool in musl-gcc:musl-tools dpkg-source:dpkg-dev gperf:gperf; do
	command -v "${tool%%:*}" >/dev/null ||
		{ echo "1..0 # SKIP ${tool%%:*} is not installed (Debian package ${tool#*:})"; exit 0; }
done
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo 1..2
if env -u CC -u MAKEFLAGS make -C "$SRC" O="$O/with-musl" STATIC=1 LIBC=musl WERROR=1 all >"$log" 2>&1; then
	echo "ok 1 - STATIC=1 LIBC=musl builds without a warning"
else
	tail -n 20 "$log" | sed 's/^/#  /'
	echo "not ok 1 - STATIC=1 LIBC=musl builds without a warning"
	echo "not ok 2 - the command line works with it"
	exit 1
fi
ln -sfn "$O/tests" "$O/with-musl/tests"
if O="$O/with-musl" "$SRC/tests/integ/t-cli-lifecycle.sh" >"$log" 2>&1 && ! grep -q '^not ok' "$log"; then
	echo "ok 2 - the command line works with it"
else
	grep -A5 '^not ok' "$log" | sed 's/^/#  /'
	echo "not ok 2 - the command line works with it"
	exit 1
fi

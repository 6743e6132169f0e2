#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Take the two headers of the kselftest harness out of Debian's kernel source.
#   kselftest.sh ARCHIVE FOLDER
#
# Reading the archive takes ten seconds, so the headers are kept in a cache of
# the user's, by the archive's size and time. Nothing of them is in our tree.
set -eu

tar=$1 out=$2
top=linux-source-6.1/tools/testing/selftests
if [ ! -f "$tar" ]; then
	echo "$tar is missing; on Debian: apt-get install linux-source-6.1 xz-utils" >&2
	exit 1
fi
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cleat/kselftest-$(stat -Lc %s-%Y "$tar")
if [ ! -f "$cache/kselftest_harness.h" ]; then
	mkdir -p "$cache.$$"
	trap 'rm -rf "$cache.$$"' EXIT
	tar -C "$cache.$$" --strip-components=4 --occurrence=1 -xJf "$tar" \
		"$top/kselftest.h" "$top/kselftest_harness.h"
	if ! mv -T "$cache.$$" "$cache" 2>/dev/null; then
		rm -rf "$cache.$$"	# another build was first
	fi
fi
mkdir -p "$out"
cp "$cache/kselftest.h" "$out/"
cp "$cache/kselftest_harness.h" "$out/.harness.$$"
mv "$out/.harness.$$" "$out/kselftest_harness.h"

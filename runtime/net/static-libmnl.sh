#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Build libmnl.a for static binaries: Debian ships the library shared only.
#   CC=gcc AR=ar CFLAGS=... static-libmnl.sh RESULT
#
# The source package comes by apt, which checks its signatures, from where the
# system's own packages come: a private source list says deb-src where the
# system's lists say deb. Nothing outside RESULT's folder is touched, and root
# is not needed.
set -eu

result=$1
dir=$(dirname "$result")
fail() {
	printf 'cleat: STATIC=1 needs libmnl.a: %s; or name one: make STATIC=1 LIBMNL_A=/path/libmnl.a\n' "$1" >&2
	exit 1
}

command -v apt-get >/dev/null ||
	fail "the compiler finds none, and without apt-get its source cannot be fetched"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
work=$dir/libmnl.work
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/src"

# Both forms of source lists; what is one for packages becomes one for sources. Where apt
# knows whence libmnl-dev comes, no other server is asked.
from=$(apt-cache madison libmnl-dev 2>/dev/null | awk -F'|' '{ split($3, a, " "); print a[1]; exit }')
main=/dev/null
parts=/dev/null
eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
mkdir "$work/parts"
{
	cat "$main" 2>/dev/null || :
	find "$parts" -maxdepth 1 -type f -name '*.list' -exec cat {} + 2>/dev/null || :
} | sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' | awk -v from="$from" 'from == "" || index($0, from)' \
	>"$work/parts/a.list"
find "$parts" -maxdepth 1 -type f -name '*.sources' -exec awk -v from="$from" '
	BEGIN { RS = ""; ORS = "\n\n" }
	tolower($0) ~ /(^|\n)enabled:[ \t]*no/ || (from != "" && !index($0, from)) { next }
	/(^|\n)Types:[^\n]*deb([ \t\n]|$)/ { sub(/Types:[^\n]*/, "Types: deb-src"); print }' {} + \
	>"$work/parts/b.sources" 2>/dev/null || :
[ -s "$work/parts/a.list" ] || [ -s "$work/parts/b.sources" ] ||
	fail "the compiler finds none, and apt's source lists name no repository"

cat >"$work/apt.conf" <<EOF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Get::List-Cleanup "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
EOF
apt() {
	apt-get -c "$work/apt.conf" -q "$@" >>"$work/log" 2>&1
}
apt update || :	# a list that failed need not be the one that matters
cd "$work/src"
apt source --download-only --only-source libmnl || {
	grep '^E:' "$work/log" >&2 || :
	fail "the compiler finds none, and apt could not fetch the source package libmnl"
}
# apt unpacks what its archives may be compressed by: no further program is needed
/usr/lib/apt/apt-helper cat-file "$work/src"/libmnl_*.orig.tar.* | tar -x -f - -C "$work/src" --strip-components=1
: >"$work/src/config.h"
objects=
for c in "$work/src/src"/*.c; do
	# shellcheck disable=SC2086	# lists of words
	$CC $CFLAGS -w -D_GNU_SOURCE -I"$work/src" -I"$work/src/include" -c "$c" -o "${c%.c}.o"
	objects="$objects ${c%.c}.o"
done
# shellcheck disable=SC2086
$AR rcs "$work/libmnl.a" $objects
mv "$work/libmnl.a" "$dir/${result##*/}"

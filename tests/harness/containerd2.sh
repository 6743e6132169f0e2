#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A containerd of the 2.x series for the tests, out of Debian's newest suite.
#   containerd2.sh FOLDER		FOLDER/bin, or FOLDER/why there is none
#
# By apt with lists, cache and status of its own: nothing of the machine is
# changed. What was fetched is kept outside of the build folder. An offline
# machine is no failure, the suites then skip with the reason.
set -u

out=$1
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cleat/containerd2
mkdir -p "$out"
rm -f "$out/bin" "$out/why"

why() {
	echo "$*" >"$out/why"
	rm -rf "$work"
	exit 0
}

work=
if [ ! -x "$cache/usr/bin/containerd" ]; then
	command -v dpkg-deb >/dev/null || why "containerd 2 comes by apt, and there is no dpkg-deb"
	apt=$(cd "${0%/*}/../../runtime/build" && pwd)/private-apt.sh
	work=$(mktemp -d /tmp/cleat-containerd2.XXXXXX) || exit 1
	(cd "$work" && timeout 600 "$apt" "$work/apt" deb sid apt-get -qq download containerd >"$work/log" 2>&1) ||
		why "containerd cannot be fetched: $(tail -n 1 "$work/log")"
	dpkg-deb -x "$work"/containerd_*.deb "$work/root" || why "the package cannot be unpacked"
	mkdir -p "${cache%/*}"
	mv -T "$work/root" "$cache" 2>/dev/null	# another build may have been first
	rm -rf "$work"
fi
said=$("$cache/usr/bin/containerd" --version 2>&1) || why "it does not run here: $said"
case $said in
*' 2.'* | *' v2.'*) ln -s "$cache/usr/bin" "$out/bin" ;;
*) why "Debian's newest containerd is not 2.x: $said" ;;
esac

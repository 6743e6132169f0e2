#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs for the tests that the machine does not have, or has too old: packages of a suite of
# Debian's, unpacked into a folder of their own.
#   private.sh FOLDER NAME...	FOLDER/NAME/bin (and lib), or FOLDER/NAME/why there is none
#
# By apt with lists, cache and status of its own: nothing of the machine is
# changed. What was fetched is kept outside of the build folder. An offline
# machine is no failure, the suites then skip with the reason.
set -u

# What NAME is: a suite, a program that says its version, what it must say, packages.
row() {
	case $1 in
	containerd-1.7) echo "trixie containerd 1.7. containerd" ;;
	containerd-2) echo "sid containerd 2. containerd" ;;
	docker-26) echo "trixie dockerd 26. docker.io docker-cli" ;;
	fuse-overlayfs) echo "bookworm fuse-overlayfs 1. fuse-overlayfs fuse3 libfuse3-3" ;;
	*) echo "${0##*/}: unknown: $1" >&2; exit 2 ;;
	esac
}

folder=$1
shift
store=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cleat/private
apt=$(cd "${0%/*}/../../runtime/build" && pwd)/private-apt.sh
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# fetch NAME SUITE PACKAGE...: into the store; or say on stdout why not.
fetch() {
	name=$1 suite=$2
	shift 2
	command -v dpkg-deb >/dev/null || { echo "there is no dpkg-deb"; return 1; }
	mkdir -p "$work/$name"
	# One list of a suite for all, and one attempt at it: the next would fail as slowly.
	[ ! -s "$work/$suite.no" ] || { cat "$work/$suite.no"; return 1; }
	timeout 300 "$apt" "$work/$suite" deb "$suite" true 2>"$work/$suite.no" || {
		[ -s "$work/$suite.no" ] || echo "the lists of $suite did not come in 300 s" >"$work/$suite.no"
		cat "$work/$suite.no"
		return 1
	}
	(cd "$work/$name" && timeout 600 "$apt" "$work/$suite" deb "$suite" apt-get -qq download "$@") >"$work/log" 2>&1 || {
		echo "$* of $suite cannot be fetched: $(tail -n 1 "$work/log")"
		return 1
	}
	for p in "$work/$name"/*.deb; do
		dpkg-deb -x "$p" "$work/$name/root" || { echo "${p##*/} cannot be unpacked"; return 1; }
	done
	# All programs beside each other, and all libraries.
	mkdir -p "$work/$name/out/bin" "$work/$name/out/lib"
	for d in bin sbin usr/bin usr/sbin; do
		[ ! -d "$work/$name/root/$d" ] || cp -a "$work/$name/root/$d/." "$work/$name/out/bin/"
	done
	for d in "$work/$name"/root/lib/*-linux-* "$work/$name"/root/usr/lib/*-linux-*; do
		[ ! -d "$d" ] || cp -a "$d/." "$work/$name/out/lib/"
	done
	mv -T "$work/$name/out" "$store/$name" 2>/dev/null || :	# another build may have been first
	rm -rf "${work:?}/$name"
}

for name; do
	row=$(row "$name") || exit
	# shellcheck disable=SC2086
	set -- $row
	suite=$1 program=$2 version=$3
	shift 3
	out=$folder/$name
	mkdir -p "$out"
	rm -f "$out/bin" "$out/lib" "$out/why"
	if [ ! -x "$store/$name/bin/$program" ]; then
		[ -n "$work" ] || { mkdir -p "$store" && work=$(mktemp -d "$store/new.XXXXXX"); } || exit 1
		fetch "$name" "$suite" "$@" >"$out/why" || continue
	fi
	said=$(LD_LIBRARY_PATH="$store/$name/lib" "$store/$name/bin/$program" --version 2>&1) || {
		echo "the $program of Debian's $suite does not run here: $said" >"$out/why"
		continue
	}
	case $said in
	*[' v']"$version"*) ;;
	*) echo "the $program of Debian's $suite is not $version*: $said" >"$out/why"; continue ;;
	esac
	rm -f "$out/why"
	ln -s "$store/$name/bin" "$out/bin"
	ln -s "$store/$name/lib" "$out/lib"
done

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A kernel of another suite of Debian's archive, unpacked into a folder of its own. The
# host's apt, its lists and its packages are not touched.
#
#   fetch-kernel.sh SUITE
#     prints the path of a vmlinuz-VERSION whose modules are in ../lib/modules/VERSION.
#
# The archive's address is that of the system's own source list. What was fetched is kept
# in ~/.cache/cleat/kernels/SUITE and asked for again after a week.
# Exit status: 77 when the kernel cannot be had, with the reason on stderr.
set -u

[ $# -eq 1 ] || { echo "usage: ${0##*/} SUITE" >&2; exit 2; }
suite=$1
apt=$(cd "${0%/*}/../../runtime/build" && pwd)/private-apt.sh
keep=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cleat/kernels/$suite

none() {
	echo "$suite: $*" >&2
	exit 77
}

# have - print the kernel that is there
have() {
	for k in "$keep"/root/boot/vmlinuz-*; do
		[ -e "$k" ] && [ -d "$keep/root/lib/modules/${k##*/vmlinuz-}" ] && echo "$k" && return
	done
	return 1
}

# apt PROGRAM... - with the lists of $suite alone
apt() {
	LC_ALL=C "$apt" "$new/apt" deb "$suite" "$@"
}

if [ -n "$(find "$keep/stamp" -mtime -7 2>/dev/null)" ] && have; then exit 0; fi

for tool in dpkg-deb:dpkg flock:util-linux; do
	command -v "${tool%%:*}" >/dev/null || none "${tool%%:*} is not installed"
done

mkdir -p "$keep" || exit 1
exec 9>"$keep/lock"
flock 9
new=$keep/new
rm -rf "$new"
mkdir -p "$new/root" || exit 1
if ! apt apt-cache depends linux-image-amd64 >"$new/depends" 2>"$new/log"; then
	have && exit 0	# what was fetched before
	none "$(tail -n 1 "$new/log")"
fi
# the metapackage depends on the kernel of the day
package=$(sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' "$new/depends" | head -n 1)
[ -n "$package" ] || none "no linux-image-amd64 in $suite"
version=${package#linux-image-}
if [ ! -d "$keep/root/lib/modules/$version" ]; then
	# in newer suites the image, its modules and what is common are packages of their own
	wanted=$(apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "$package" 2>/dev/null |
		grep -Ex "linux-(image|modules|binary|base)-[0-9].*" | sort -u)
	for p in ${wanted:-$package}; do
		(cd "$new" && apt apt-get download "$p") >>"$new/log" 2>&1 ||
			none "$p: $(grep -m 1 '^E:' "$new/log" || echo "apt-get download failed")"
	done
	for deb in "$new"/*.deb; do
		dpkg-deb -x "$deb" "$new/root" || none "cannot unpack ${deb##*/}"
	done
	# a merged /usr in the package
	if [ ! -d "$new/root/lib/modules" ] && [ -d "$new/root/usr/lib/modules" ]; then
		mkdir -p "$new/root/lib" && ln -s ../usr/lib/modules "$new/root/lib/modules"
	fi
	[ -d "$new/root/lib/modules/$version" ] || none "$package has no modules"
	image=$new/root/lib/modules/$version/vmlinuz	# where newer suites have it
	if [ -f "$image" ]; then
		mkdir -p "$new/root/boot" && ln -f "$image" "$new/root/boot/vmlinuz-$version"
	fi
	depmod -b "$new/root" "$version" || none "depmod of $version failed"
	rm -rf "$keep/root"
	mv "$new/root" "$keep/root" || exit 1
fi
rm -rf "$new"
: >"$keep/stamp"
have || none "$package has no kernel"

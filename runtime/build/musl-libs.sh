#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The libraries of cleat for musl, built from Debian's source packages: `make STATIC=1 LIBC=musl`.
#
#   musl-libs.sh FOLDER
#     gives FOLDER/include and FOLDER/lib; FOLDER/libs.mk says which of them are there.
#
# Without the source of libmnl the build goes on without it; each other one must be had.
set -eu

[ $# -eq 1 ] || { echo "usage: ${0##*/} FOLDER" >&2; exit 2; }
mkdir -p "$1/src" "$1/lib" "$1/include"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
machine=$(uname -m)-linux-musl
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS
cc="musl-gcc -idirafter $out/include"
log=$out/log

die() {
	echo "${0##*/}: $*; the end of $log:" >&2
	tail -n 5 "$log" >&2
	exit 1
}

for tool in musl-gcc:musl-tools dpkg-source:dpkg-dev gperf:gperf make:make; do
	command -v "${tool%%:*}" >/dev/null ||
		{ echo "${0##*/}: ${tool%%:*} is missing (Debian package ${tool#*:})" >&2; exit 1; }
done
: >"$log"

# The kernel's headers, which musl-gcc does not see.
for d in linux asm-generic mtd "$(gcc -print-multiarch)/asm"; do
	ln -sfn "/usr/include/$d" "$out/include/${d##*/}"
done

# fetch PACKAGE - unpack its source, with Debian's changes, into src/PACKAGE
fetch() {
	[ ! -d "$out/src/$1" ] || return 0
	(cd "$out/src" && "$here/private-apt.sh" "$out/apt" deb-src "$suite" \
		apt-get -q source --download-only --only-source "$1" &&
		dpkg-source --no-check -x "$1"_*.dsc "$1.new") >>"$log" 2>&1 &&
		mv "$out/src/$1.new" "$out/src/$1"
}

# autotools PACKAGE TARGET ARCHIVE
autotools() (
	cd "$out/src/$1"
	./configure --host="$machine" --disable-shared --enable-static CC="$cc" CFLAGS="-O2 -g"
	make -j2 -C src "$2"
	cp "src/.libs/$3" "$out/lib/"
)

# objects SOURCE... - into one archive: ar's arguments come from $archive, the compiler's from $flags
objects() (
	rm -rf "$out/o"
	mkdir "$out/o"
	for c; do
		# shellcheck disable=SC2086	# lists of words
		$cc -O2 -g -fPIC -D_GNU_SOURCE $flags -c "$c" -o "$out/o/$(basename "$c" .c).o"
	done
	rm -f "$out/lib/$archive"
	ar rcs "$out/lib/$archive" "$out"/o/*.o
)

build_libseccomp() {
	autotools libseccomp libseccomp.la libseccomp.a
	cp "$out"/src/libseccomp/include/seccomp.h "$out"/src/libseccomp/include/seccomp-syscalls.h "$out/include/"
}

build_libmd() {
	autotools libmd libmd.la libmd.a
	cp "$out"/src/libmd/include/*.h "$out/include/"
}

build_libmnl() {
	autotools libmnl libmnl.la libmnl.a
	cp -r "$out/src/libmnl/include/libmnl" "$out/include/"
}

build_libcap2() {
	make -C "$out/src/libcap2/libcap" libcap.a CC="$cc" BUILD_CC=gcc
	cp "$out/src/libcap2/libcap/libcap.a" "$out/lib/"
	mkdir -p "$out/include/sys"
	cp "$out"/src/libcap2/libcap/include/sys/*.h "$out/include/sys/"
}

build_yajl() {
	mkdir -p "$out/include/yajl"
	cp "$out"/src/yajl/src/api/*.h "$out/include/yajl/"
	sed 's/\${YAJL_MAJOR}/2/; s/\${YAJL_MINOR}/1/; s/\${YAJL_MICRO}/0/' \
		"$out/src/yajl/src/api/yajl_version.h.cmake" >"$out/include/yajl/yajl_version.h"
	archive=libyajl_s.a flags="-I$out/include" objects "$out"/src/yajl/src/*.c
}

build_protobuf_c() {
	mkdir -p "$out/include/protobuf-c"
	cp "$out/src/protobuf-c/protobuf-c/protobuf-c.h" "$out/include/protobuf-c/"
	archive=libprotobuf-c.a flags="-I$out/src/protobuf-c -DPACKAGE_VERSION=\"\" -DPACKAGE_STRING=\"\"" \
		objects "$out/src/protobuf-c/protobuf-c/protobuf-c.c"
}

for p in libseccomp libcap2 yajl protobuf-c libmd; do
	fetch "$p" || die "the source package $p cannot be had"
	echo "  MUSL    $p"
	# in a shell of its own with -e: inside of `||` the option would mean nothing
	(set -e; build_"$(echo "$p" | tr - _)") >>"$log" 2>&1 & wait $! || die "cannot build $p"
done
mnl=
if fetch libmnl; then
	echo "  MUSL    libmnl"
	(set -e; build_libmnl) >>"$log" 2>&1 & wait $! || die "cannot build libmnl"
	mnl=$out/lib/libmnl.a
else
	echo "  MUSL    no source package of libmnl to be had: the loopback device is brought up by ioctl"
fi
echo "LIBMNL_A := $mnl" >"$out/libs.mk"

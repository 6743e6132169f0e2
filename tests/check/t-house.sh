#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Rules of the house that a program can check: needs no root, changes nothing.
set -u

SRC=$(cd "${0%/*}/../.." && pwd)
O=${O:-$SRC/build}
CC=${CC:-cc}
cd "$SRC" || exit 1
number=0
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# none TEXT: the lines in $tmp/found are offences. (Not a pipe: it counts.)
none() {
	number=$((number + 1))
	if [ -s "$tmp/found" ]; then
		failed=$((failed + 1))
		echo "not ok $number - $1"
		head -n 40 "$tmp/found" | sed 's/^/#  /'
	else
		echo "ok $number - $1"
	fi
}

product=$(find runtime shim nsenter cgroup seccomp -name '*.[ch]' | sort)
sources=$product\ $(find tests -name '*.[ch]' | sort)
scripts=$(find tests runtime/build .ci -type f \( -name '*.sh' -o -name run-tap -o -path .ci/run -o -name shim-pid \) | sort)

# code FILE...: without comments and strings, "file:line:text".
code() {
	awk 'FNR == 1 { inside = 0 }
	{
		s = $0; out = ""
		gsub(/"([^"\\]|\\.)*"/, "\"\"", s)
		while (s != "") {
			if (inside) {
				i = index(s, "*/")
				if (!i) { s = ""; break }
				s = substr(s, i + 2); inside = 0
			} else {
				i = index(s, "/*")
				if (!i) { out = out s; s = ""; break }
				out = out substr(s, 1, i - 1); s = substr(s, i + 2); inside = 1
			}
		}
		sub(/\/\/.*/, "", out)
		if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
	}' "$@"
}
# shellcheck disable=SC2086	# lists of our own names
code $product >"$tmp/code"

for f in $sources $scripts Makefile tests/*.mk; do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || echo "$f"
done >"$tmp/found"
none "every source file names its licence"

grep -E '[^a-z_](system|popen|strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|mktemp|tmpnam|alloca)\(' "$tmp/code" >"$tmp/found"
none "no system, popen, strcpy, sprintf, atoi and their like"

# A call that goes on in the next line is seen there. fd.c opens 0, 1 and 2, which are to stay.
grep -E '[^a-z_](open|openat|sysx_openat2?)\(' "$tmp/code" | grep -E 'O_(RDONLY|WRONLY|RDWR|PATH)' |
	grep -v -e O_CLOEXEC -e '|$' -e '^runtime/base/fd.c:' >"$tmp/found"
none "what is opened is close-on-exec from its birth"
grep -E '[^a-z_](pipe|accept|epoll_create|inotify_init|creat|fopen)\(' "$tmp/code" >"$tmp/found"
none "no pipe, accept, epoll_create, inotify_init without flags; no fopen"
grep -E '[^a-z_](socket|socketpair)\(' "$tmp/code" | grep -v SOCK_CLOEXEC >"$tmp/found"
none "sockets are close-on-exec from their birth"
# Of the paths: root.c makes the user's own folder, access("") of /dev, lookup asks inside the container.
grep -E '[^a-z_](access|chown|lchown|chmod|mknod|tempnam)\(' "$tmp/code" |
	grep -v -e '^runtime/cli/root.c:' -e '^runtime/rootfs/devices.c:' -e '^runtime/steps/lookup.c:' >"$tmp/found"
none "no access, chown, chmod, mknod by path"
grep -E '^[^:]*:[0-9]*:typedef struct|^[^:]*:[0-9]*:\} [a-z_]+_t;' "$tmp/code" >"$tmp/found"
none "no typedef of structs"
# shellcheck disable=SC2086
grep -n '#include "\.\./' $sources >"$tmp/found"
none "no include by ../"
# Messages are not broken, comments are for people.
# shellcheck disable=SC2086
awk '{ s = $0; n = 0; while (match(s, /\t/)) { s = substr(s, 1, RSTART - 1) substr("        ", 1, 8 - (RSTART - 1) % 8) substr(s, RSTART + 1) }
	if (length(s) > 120 && !/"/ && !/\/\*/ && !/^ \*/) print FILENAME ":" FNR ": " length(s) " columns" }' $product >"$tmp/found"
none "no line of code above 120 columns"
# shellcheck disable=SC2086
wc -l $product | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }' >"$tmp/found"
none "no file above 800 lines"
# shellcheck disable=SC2086
awk '/^[a-zA-Z].*[^;,]$/ { name = $0 } /^\{/ { start = FNR } /^\}/ { if (start && FNR - start > 101) print FILENAME ":" start ": " FNR - start - 1 " lines: " name; start = 0 }' $product >"$tmp/found"
none "no function above 100 lines"
# shellcheck disable=SC2086
grep -nE '[ 	]+$' $sources $scripts >"$tmp/found"
none "no blanks at line ends"
# shellcheck disable=SC2086
grep -nE '(TODO|FIXME|XXX)([^X]|$)' $product $scripts | grep -v 'XXXXXX' | grep -v 'tests/check/' >"$tmp/found"
none "nothing is left to be done later"

# Each layer includes only what lies below it (the include paths say the same to the compiler).
for f in $product; do
	case $f in
	runtime/base/*) may='runtime/base' ;;
	cgroup/*) may='cgroup runtime/base' ;;
	seccomp/*) may='seccomp runtime/base' ;;
	nsenter/*) may='nsenter runtime/base' ;;
	runtime/cli/*) may='runtime/cli runtime/include runtime/base cgroup' ;;
	runtime/*) may='runtime cgroup seccomp nsenter' ;;
	shim/rpc/*) may='shim/rpc runtime/base' ;;
	shim/client/*) may='shim/client shim/rpc runtime/base' ;;
	shim/*) may='shim runtime/include runtime/base cgroup' ;;
	*) continue ;;
	esac
	sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f" | while read -r h; do
		case $h in *.pb-c.h) continue ;; esac
		# shellcheck disable=SC2086
		[ -n "$(find $may -name "${h##*/}" -print -quit)" ] || echo "$f: $h is not below it"
	done
done >"$tmp/found"
none "includes point down only"

# members STRUCT HEADER: names, one per line.
members() {
	awk -v open="struct $1 {" '
	index($0, open) == 1 { inside = 1; next }
	inside && /^};/ { exit }
	!inside { next }
	{
		s = $0
		if (comment) {
			i = index(s, "*/")
			if (!i) next
			s = substr(s, i + 2); comment = 0
		}
		while ((i = index(s, "/*"))) {
			rest = substr(s, i + 2)
			s = substr(s, 1, i - 1)
			j = index(rest, "*/")
			if (j) s = s substr(rest, j + 2); else comment = 1
		}
		if (!sub(/;.*/, "", s)) next
		if (match(s, /\(\*[a-z_0-9]+\)/)) { print substr(s, RSTART + 2, RLENGTH - 3); next }
		n = split(s, name, ",")
		for (i = 1; i <= n; i++) {
			sub(/\[.*/, "", name[i])
			if (match(name[i], /[a-z_0-9]+[ \t]*$/)) print substr(name[i], RSTART, RLENGTH)
		}
	}' "shim/$2"
}

# The server's state can be handed on: no member of its structs is forgotten, no list of exceptions outdated.
grep -v '^ \*' shim/keep.c >"$tmp/keep"
for it in waiter:server.h proc:server.h ctr:server.h server:server.h stream:stream.h stream_fds:stream.h \
	event:publish.h publisher:publish.h rpc_token:rpc/ttrpc.h ttrpc_out:rpc/ttrpc.h ttrpc_chan:rpc/ttrpc.h \
	ttrpc_conn:rpc/ttrpc.h ttrpc_server:rpc/ttrpc.h; do
	name=${it%:*}
	members "$name" "${it#*:}" >"$tmp/members"
	[ -s "$tmp/members" ] || echo "struct $name is not in shim/${it#*:}"
	sed -n "s/^ \*   $name: //p" shim/keep.c | tr ' ' '\n' >"$tmp/left"
	while read -r m; do
		grep -Eq "(->|\.)$m([^a-z_0-9]|\$)" "$tmp/keep" || grep -qx "$m" "$tmp/left" ||
			echo "shim/keep.c does not deal with struct $name's member $m, nor lists it"
	done <"$tmp/members"
	grep -vxF -f "$tmp/members" "$tmp/left" | sed "s/^/shim\/keep.c lists what struct $name does not have: /"
done >"$tmp/found"
none "the server's state can be handed on"

# A header can be compiled alone.
gen=
[ ! -d "$O/gen" ] || gen="-I$O/gen"
dirs=$(find runtime shim nsenter cgroup seccomp -type d | sed 's/^/-I/')
for f in $(find runtime shim nsenter cgroup seccomp -name '*.h' | sort); do
	grep -q 'pb-c\.h' "$f" && [ -z "$gen" ] && continue
	# shellcheck disable=SC2086
	echo "#include \"${f##*/}\"" | $CC -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -I"${f%/*}" $dirs $gen -x c - >"$tmp/cc" 2>&1 ||
		{ echo "$f:"; cat "$tmp/cc"; }
done >"$tmp/found"
none "every header can be compiled alone"

# The place of the helper programs is in one object, which goes with it.
for prefix in /first /second; do
	make -s -C "$SRC" O="$tmp/build" PREFIX="$prefix" "$tmp/build/runtime/base/helper.o" >"$tmp/make" 2>&1 ||
		cat "$tmp/make"
	grep -aq "$prefix/libexec/cleat" "$tmp/build/runtime/base/helper.o" || echo "PREFIX=$prefix is not what was built"
done >"$tmp/found"
none "another PREFIX is built in"

if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2086
	shellcheck -x -S warning -e SC1090,SC1091,SC2034,SC2154,SC2174,SC2044,SC2115,SC2164,SC2221,SC2222,SC2097,SC2098 $scripts >"$tmp/found" 2>&1
none "shellcheck has no warning"
else
	number=$((number + 1))
	echo "ok $number - shellcheck # SKIP it is not installed"
fi


echo "1..$number"
exit $((failed > 0))

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shell library of the integration suites, which speak TAP.
#
#   . "${0%/*}/../harness/lib.sh"
#   suite NAME			temp folder $T, census, traps
#   t "what is shown" FUNCTION [ARG...]
#   finish			census against the beginning, plan
#
# A test function runs in a subshell under `set -e`; its output appears when
# it fails. `skip REASON` ends it. After each test the library looks for what
# is left of it (processes, mounts, cgroups, state, sockets); something left
# is a failure, and is removed.
#
# RUNTIME is the command line under test (default $O/cleat); RUNTIME=runc
# tests the suites themselves.

H=$(cd "${0%/*}/../harness" && pwd)
SRC=$(cd "$H/../.." && pwd)
O=${O:-$SRC/build}
RUNTIME=${RUNTIME:-$O/cleat}
TOOLS=$O/tests/integ
export O

case ${RUNTIME##*/} in
cleat) CLEAT=1 ;;
*) CLEAT= ;;
esac

# count SHORT LONG: how often a test does something. FEW=N: so many times fewer, where all is slow.
count() {
	if [ -n "${LONG-}" ]; then
		echo "$2"
	elif [ -n "${FEW-}" ] && [ "$1" -gt 5 ]; then
		echo $((($1 + FEW - 1) / FEW))
	else
		echo "$1"
	fi
}

# ---- processes, mounts, cgroups, sockets ---------------------------------------

# What the census reads of /proc, in one process: four hundred tests take it, and under an emulator a
# process is a tenth of a second. WHAT: "processes" or "all". Descendants of the warden, without this
# shell's own and those in KEEP; mounts; names of sockets.
# shellcheck disable=SC2016
census_awk() {
	awk -v what="$1" -v top="${WARDEN_PID:-$$}" -v keep=" $KEEP " '
	function ancestors(p) { while (p > 1 && !(p in mine)) { mine[p] = 1; p = parent[p] } }
	function print_mounts(line, w, n) {
		while ((getline line <"/proc/self/mountinfo") > 0) {
			n = split(line, w, " ")
			print "mount " w[5], w[4], w[n - 2], w[n - 1]
		}
	}
	function print_sockets(line, w, n) {
		getline line <"/proc/net/unix"
		while ((getline line <"/proc/net/unix") > 0)
			if (split(line, w, " ") > 7 && !(w[8] in said)) {
				said[w[8]] = 1
				print "socket " w[8]
			}
	}
	BEGIN {
		# By getline: a process that ends meanwhile must not end awk.
		for (i = 1; i < ARGC; i++) {
			if ((getline line < ARGV[i]) <= 0)
				continue
			close(ARGV[i])
			pid = line + 0
			open_at = index(line, "(")
			close_at = match(line, /\) [A-Za-z] [0-9]+ /)
			name[pid] = substr(line, open_at + 1, close_at - open_at - 1)
			split(substr(line, close_at + 2), w, " ")
			state[pid] = w[1]
			parent[pid] = w[2]
			if (i == 1)
				self = pid
		}
		ancestors(self)
		for (p in parent) {
			q = p
			while (q > 1 && q != top)
				q = parent[q]
			if (q != top || p == top || p in mine || index(keep, " " p " "))
				continue
			if (state[p] == "Z" && (parent[p] == top || index(keep, " " parent[p] " ")))
				continue
			print (what == "all" ? "process " : "") p, state[p], name[p]
		}
		if (what == "all") {
			print_mounts()
			print_sockets()
		}
	}' /proc/self/stat /proc/[1-9]*/stat 2>/dev/null
}

procs() {
	census_awk processes
}

mounts() {
	awk '{ print $5, $4, $(NF - 2), $(NF - 1) }' /proc/self/mountinfo | sort
}

# cgroups that carry our tag, or with CENSUS=all every cgroup. The folder of
# the containerd namespace, /$TAG, stays: containers of other shims share it;
# so does what a suite names in CGROUP_STAYS.
cgroups() {
	if [ "${CENSUS-}" = all ]; then
		find /sys/fs/cgroup -mindepth 1 -type d ! -name "$TAG" ! -name "$CGROUP_STAYS" -printf 'cgroup %p\n' 2>/dev/null
	else
		find /sys/fs/cgroup -type d -path "*$TAG*" ! -name "$TAG" ! -name "$CGROUP_STAYS" -printf 'cgroup %p\n' 2>/dev/null
	fi
}

# Names under the state roots; .cache holds compiled filters and stays.
states() {
	for d in "$ROOT" /run/containerd/cleat/"$NS" /run/containerd/s; do
		case $d in
		/run/containerd/s) [ "${CENSUS-}" = all ] || continue ;;
		esac
		for f in "$d"/* "$d"/.[!.]*; do
			[ -e "$f" ] || [ -L "$f" ] || continue
			[ "${f##*/}" = .cache ] || echo "state $f"
		done
	done
}

# census FILE. No pipe, whose other end would be one of the processes.
census() {
	{
		census_awk all
		cgroups
		states
	} >"$1"
}

# What a suite has on purpose: `expect` takes the census anew.
expect() {
	census "$T/.census"
}

# leaks SECONDS: print what there is more than expected, after waiting for it to go.
leaks() {
	tries=$(($1 * 10))
	while :; do
		census "$T/.now"
		# Processes and sockets may go.
		awk 'NR == FNR { had[$0]++; next }
			had[$0]-- <= 0
			END {
				for (line in had)
					if (line !~ /^(process|socket)/)
						while (had[line]-- > 0)
							print "missing", line
			}' "$T/.census" "$T/.now" >"$T/.left"
		if [ ! -s "$T/.left" ]; then return 0; fi
		tries=$((tries - 1))
		if [ "$tries" -lt 0 ]; then break; fi
		sleep 0.1
	done
	cat "$T/.left"
	return 1
}

# Remove what is left, whatever it takes, so that the next test starts clean.
sweep() {
	for s in "$ROOT"/*; do
		[ -d "$s" ] || continue
		timeout 20 "$RUNTIME" --root "$ROOT" delete --force "${s##*/}" >/dev/null 2>&1
	done
	for f in $(find /sys/fs/cgroup -path "*$TAG*" \( -name freezer.state -o -name cgroup.freeze \) 2>/dev/null); do
		case $f in
		*freezer.state) echo THAWED >"$f" ;;
		*) echo 0 >"$f" ;;
		esac 2>/dev/null
	done
	procs >"$T/.procs"
	while read -r pid _; do
		kill -9 "$pid" 2>/dev/null
	done <"$T/.procs"
	sleep 0.1
	mounts | cut -d' ' -f1 | while read -r m; do
		case $m in
		"$T"/*) umount -l "$m" 2>/dev/null ;;
		esac
	done
	find /sys/fs/cgroup -depth -type d -path "*$TAG*" -exec rmdir {} \; 2>/dev/null
	find "$ROOT" -mindepth 1 -maxdepth 1 ! -name .cache -exec rm -rf {} + 2>/dev/null
	return 0
}

# ---- suite, test -----------------------------------------------------------------

suite() {
	set +e
	name=$1
	number=0
	failed=0
	KEEP=
	STOP=
	CGROUP_STAYS=${CGROUP_STAYS:-none}
	if [ "$(id -u)" != 0 ]; then
		echo "1..0 # SKIP needs root"
		exit 0
	fi
	if [ -z "${WARDEN_PID-}" ]; then
		exec "$TOOLS/warden" "$0"
	fi
	for tool in busybox jq; do
		command -v "$tool" >/dev/null && continue
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	done
	if ! command -v "$RUNTIME" >/dev/null; then
		echo "Bail out! no $RUNTIME"
		exit 1
	fi
	umask 022
	T=$(mktemp -d "${TMPDIR:-/tmp}/cleat-test.XXXXXX")
	TAG=ct$$
	NS=$TAG
	ROOT=$T/run
	mkdir -p "$ROOT" "$T/b"
	chmod 0755 "$T"
	chmod 0700 "$ROOT"
	trap over EXIT
	trap 'exit 143' TERM INT HUP
	rootfs "$T/rootfs"
	expect
}

# Stop what was started, from the last to the first, and remove everything.
over() {
	trap - EXIT
	for pid in $STOP; do
		stop_daemon "$pid"
	done
	sweep
	# The state root of our containerd namespace: filters that were kept for the next container.
	[ "$NS" != "$TAG" ] || rm -rf "/run/containerd/cleat/$NS"
	[ -n "${KEEP_FILES-}" ] || rm -rf --one-file-system "$T" 2>/dev/null
}

finish() {
	for pid in $STOP; do
		stop_daemon "$pid"
	done
	KEEP=
	STOP=
	t "nothing is left of the whole suite" finish_census
	echo "1..$number"
	over
	exit $((failed > 0))
}

finish_census() {
	return 0
}

# t TEXT FUNCTION [ARG...]
t() {
	text=$1
	shift
	if [ -n "${ONLY-}" ] && [ "$1" != finish_census ]; then
		case $text in *$ONLY*) ;; *) return ;; esac
	fi
	number=$((number + 1))
	[ ! -e "$T/.skip" ] || rm "$T/.skip"
	( set -e; cd "$T"; "$@" ) >"$T/.out" 2>&1 </dev/null
	rc=$?
	left=$(leaks "${LEAK_WAIT:-1}")
	if [ -e "$T/.skip" ]; then
		echo "ok $number - $text # SKIP $(cat "$T/.skip")"
	elif [ $rc = 0 ] && [ -z "$left" ]; then
		echo "ok $number - $text"
	else
		failed=$((failed + 1))
		echo "not ok $number - $text"
		[ $rc = 0 ] || echo "#  status $rc; output:"
		head -c 6000 "$T/.out" | sed 's/^/#  /'
		[ -z "$left" ] || printf '%s\n' "$left" | sed -n '1,12s/^/#  left behind: /p; 13s/.*/#  and more/p'
	fi
	[ -z "$left" ] || { sweep; expect; }
	if [ -n "${LEFTOVER_KEEPS-}" ]; then expect; fi
}

skip() {
	echo "$*" >"$T/.skip"
	exit 0
}

# needs_call NAME: skip where the kernel, or a filter around the runtime, lacks what `cleat check` calls so.
needs_call() {
	[ -n "$CLEAT" ] || return 0
	! "$RUNTIME" check 2>/dev/null | grep -Eq "^  $1 +(partly|missing)" || skip "no $1 in this kernel"
}

# ---- assertions ----------------------------------------------------------------------

fail() {
	echo "$*" >&2
	exit 1
}

# is GOT WANTED
is() {
	[ "$1" = "$2" ] || fail "got '$1', wanted '$2'"
}

# has TEXT REGEX
has() {
	printf '%s\n' "$1" | grep -Eq -e "$2" || fail "'$1' does not match '$2'"
}

hasnt() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then fail "'$1' matches '$2'"; fi
}

# status WANTED COMMAND...: run it; stdout and stderr in $T/o and $T/e.
status() {
	wanted=$1
	shift
	got=0
	"$@" >"$T/o" 2>"$T/e" </dev/null || got=$?
	[ "$got" = "$wanted" ] || fail "status $got, wanted $wanted: $*: $(cat "$T/o" "$T/e")"
}

# refused STATUS REGEX COMMAND...: it fails so, with one sentence that matches.
refused() {
	wanted=$1
	re=$2
	shift 2
	status "$wanted" "$@"
	[ "$(grep -c . "$T/e")" = 1 ] || fail "not one sentence: $(cat "$T/e")"
	has "$(cat "$T/e")" "$re"
}

# create_refused REGEX [FILTER]: create and run fail with 1 and leave nothing.
create_refused() {
	re=$1
	shift
	[ $# = 0 ] || bundle bad "$1"
	refused 1 "$re" rt create -b "$B" "$ID"
	[ ! -e "$ROOT/$ID" ]
	refused 1 "$re" rt run -b "$B" "$ID"
	[ ! -e "$ROOT/$ID" ]
}

# refused_rows [PREFIX]: "what ~ regex ~ filter" from stdin, one test each.
refused_rows() {
	while IFS='~' read -r what re filter; do
		re=${re# }
		t "${1-}${what% }" create_refused "${re% }" "${filter# }"
	done
}

# until_true SECONDS COMMAND...: wait for it.
until_true() {
	polls=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		polls=$((polls - 1))
		[ $polls -gt 0 ] || fail "still not after the time: $*"
		sleep 0.05
	done
}

# ---- root file systems and bundles ---------------------------------------------------------

# rootfs DIR: busybox and a passwd file.
rootfs() {
	mkdir -p "$1"
	(
		cd "$1" || exit 1
		mkdir -p bin sbin usr/bin usr/sbin etc proc sys dev tmp root home var run
		chmod 1777 tmp
		cp "$(command -v busybox)" bin/busybox
		# by one process, not by four hundred
		bin/busybox --list | perl -ne 'chomp; symlink "busybox", "bin/$_" if $_ ne "busybox"'
		printf 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home:/bin/sh\n' >etc/passwd
		printf 'root:x:0:\nbob:x:1000:\n' >etc/group
	)
}

# bundle NAME FILTER [ARG...]: $T/b/NAME with the base config changed by a jq
# filter; ARGs, if any, are process.args. The suite's root is shared.
bundle() {
	b=$T/b/$1
	filter=$2
	shift 2
	mkdir -p "$b"
	jq --arg root "$T/rootfs" --arg cg "/$TAG-${b##*/}" --arg T "$T" --arg TAG "$TAG" \
		'.root.path = $root | .linux.cgroupsPath = $cg'"${filter:+ | $filter}"'
		| if ($ARGS.positional | length) > 0 then .process.args = $ARGS.positional else . end' \
		"$H/config.json" --args -- "$@" >"$b/config.json"
	B=$b
	ID=$TAG-${b##*/}
}

# ---- the command line under test ------------------------------------------------------------

rt() {
	timeout --foreground 60 "$RUNTIME" --root "$ROOT" "$@"
}

# run_it [OPTION...]: run the bundle made last, output in $T/o, $T/e.
run_it() {
	rt run "$@" --bundle "$B" "$ID"
}

# word KEY JSON: the first value of a key, without jq: suites ask often, and jq takes longer than the runtime.
word() {
	case $2 in *"\"$1\": "*) ;; *) return 0 ;; esac
	word=${2#*"\"$1\": "}
	word=${word#\"}
	echo "${word%%[\",
]*}"
}

state_of() {
	word status "$(rt state "$1")"
}

pid_of() {
	word pid "$(rt state "$1")"
}

is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

# detached [OPTION...]: create and start the bundle made last, with files as stdio.
detached() {
	rt create "$@" --bundle "$B" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err" || {
		cat "$T/$ID.err" >&2
		return 1
	}
	rt start "$ID"
}

# gone [ID]: kill and delete.
gone() {
	rt delete --force "${1:-$ID}"
}

# private NAME: the programs of this name in private.sh come first on PATH; without them there is no suite.
private() {
	[ -d "$O/private/$1/bin" ] || {
		echo "1..0 # SKIP $(cat "$O/private/$1/why" 2>/dev/null || echo "no $1 was fetched")"
		exit 0
	}
	PATH=$O/private/$1/bin:$PATH
}

# ---- daemons -----------------------------------------------------------------------------------

# Remember a daemon: it is no leak, and the suite's end stops it.
daemon() {
	KEEP="$KEEP $1"
	STOP="$1 $STOP"
}

# daemon_up PID LOG SECONDS COMMAND...: the same, and wait until COMMAND answers; without it there is no suite.
daemon_up() {
	daemon "$1"
	d_pid=$1 d_log=$2 polls=$(($3 * 10))
	shift 3
	until "$@" >/dev/null 2>&1; do
		polls=$((polls - 1))
		if [ $polls = 0 ] || ! kill -0 "$d_pid" 2>/dev/null; then
			echo "Bail out! $* does not answer: $(tail -n 3 "$d_log")"
			exit 1
		fi
		sleep 0.1
	done
}

stop_daemon() {
	kill "$1" 2>/dev/null || return 0
	polls=100
	while kill -0 "$1" 2>/dev/null && [ $polls -gt 0 ]; do
		polls=$((polls - 1))
		sleep 0.1
	done
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

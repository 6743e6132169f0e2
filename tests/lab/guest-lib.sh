# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the lab's suites have in common, on top of the harness's library.

# rootfs DIR - as the library's, but with hard links, in one process: four hundred
# processes take a quarter of a minute here
rootfs() {
	mkdir -p "$1"
	(
		cd "$1" || exit 1
		mkdir -p bin sbin usr/bin usr/sbin etc proc sys dev tmp root home var run
		chmod 1777 tmp
		cp "$(command -v busybox)" bin/busybox
		bin/busybox --install bin
		printf 'root:x:0:0:root:/root:/bin/sh\n' >etc/passwd
		printf 'root:x:0:\n' >etc/group
	)
}

if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then V2=1; else V2=; fi

only_v2() {
	[ -n "$V2" ] || skip "cgroup v2 only"
}

# has_controller NAME - by its v1 name; on v2 as the root has it to give
has_controller() {
	if [ -n "$V2" ]; then
		case $1 in blkio) set -- io ;; esac
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
	else
		awk -v c="$1" '$1 == c && $4 == 1 { found = 1 } END { exit !found }' /proc/cgroups
	fi
}

# needs CONTROLLER... - skip where the kernel lacks one
needs() {
	for c; do
		has_controller "$c" || skip "no controller $c in this kernel"
	done
}

needs_userns() {
	[ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || skip "user namespaces are forbidden"
}

# cgdir [CONTROLLER [ID]] - directory of the container's cgroup
cgdir() {
	if [ -n "$V2" ]; then
		echo "/sys/fs/cgroup/${2:-$ID}"
	else
		echo "/sys/fs/cgroup/$1/${2:-$ID}"
	fi
}

# knob V2FILE V1CONTROLLER V1FILE - its value in the container's cgroup
knob() {
	if [ -n "$V2" ]; then cat "$(cgdir)/$1"; else cat "$(cgdir "$2")/$3"; fi
}

# live NAME FILTER [ARG...] - a container that sleeps, or runs ARGs
live() {
	name=$1 filter=$2
	shift 2
	[ $# -gt 0 ] || set -- sleep 1000
	bundle "$name" "$filter" "$@"
	detached
}

no_cgroup() {
	[ -z "$(find /sys/fs/cgroup -type d -path "*/${1:-$ID}*")" ] || fail "its cgroup is left"
}


#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
#
# The suites once more, on kernels that lack what is new: a seccomp filter hides
# the calls (tests/integ/no-new-calls.c) from the command line or the shim. With
# LONG=1 nearly all of them.
# shellcheck disable=SC2030,SC2031	# tests are subshells
. "${0%/*}/../harness/lib.sh"
suite old-kernel
NNC=$TOOLS/no-new-calls
if ! "$NNC" clone3 true 2>/dev/null; then
	echo "1..0 # SKIP no seccomp filter can be installed"
	exit 0
fi
SUITES=${0%/*}
case $SUITES in /*) ;; *) SUITES=$PWD/$SUITES ;; esac

# wrap NAME ARG...: $T/NAME/cleat is the runtime under no-new-calls ARG..., and the shim beside it likewise
wrap() {
	w=$T/$1
	shift
	mkdir -p "$w"
	for program in "$RUNTIME" "$O/containerd-shim-cleat-v2"; do
		printf '#!/bin/sh\nexec "%s" %s "%s" "$@"\n' "$NNC" "$*" "$program" >"$w/${program##*/}"
		chmod 0755 "$w/${program##*/}"
	done
}

the_filter() {
	is "$("$NNC" 6.9 "$NNC" -m)" ""
	is "$("$NNC" clone3,openat2 "$NNC" -m | tr '\n' ' ')" "clone3 openat2 "
	is "$("$NNC" 5.11 "$NNC" -m | head -n 1)" mount_setattr
	is "$("$NNC" 4.19 "$NNC" -m | wc -l)" "$("$NNC" -l | grep -Evc 'clone_pidfd|_several|_cloexec|waitid|memfd')"
	is "$("$NNC" -p 4.19 "$NNC" -m | wc -l)" "$("$NNC" 4.19 "$NNC" -m | wc -l)"
	status 125 "$NNC" nonesuch true
	status 7 "$NNC" 4.19 sh -c 'exit 7'
}
t "the filter hides what it is told to hide" the_filter

# passes SUITE ARG...: every test of SUITE passes (or is skipped) under no-new-calls ARG...
passes() {
	s=$1
	shift
	wrap "w$s" "$@"
	RUNTIME=$T/w$s/cleat SHIM_BIN=$T/w$s/containerd-shim-cleat-v2 ONLY='' "$TOOLS/warden" "$SUITES/t-$s.sh" >"$T/tap" 2>&1 || {
		grep -v '^ok' "$T/tap"
		exit 1
	}
	grep -q '^1\.\.[1-9]' "$T/tap"
	! grep '^not ok' "$T/tap"
}

t "as on 4.19: the commands" passes cli-lifecycle 4.19
t "as on 4.19: the configuration" passes cli-config 4.19
t "as on 5.4: the configuration" passes cli-config 5.4
t "as on 5.10, without mount_setattr: the commands" passes cli-lifecycle 5.10
t "as on 5.10, without mount_setattr: the configuration" passes cli-config 5.10
t "only clone3 is missing: the configuration" passes cli-config clone3
t "a host's filter answers EPERM for what it does not know: the commands" passes cli-lifecycle -p 4.19

# Below 5.8 a pidfd is no namespace; without a pid namespace only the new process notices.
exec_no_pidns() {
	wrap several setns_several
	bundle nopid '.linux.namespaces |= map(select(.type != "pid"))' sleep 100
	detached
	is "$(rt exec "$ID" sh -c 'echo in; readlink /proc/self/ns/mnt' </dev/null | head -n 1)" in
	is "$(timeout 20 "$T/several/cleat" --root "$ROOT" exec "$ID" sh -c 'echo in' </dev/null)" in
	gone
}
t "exec by namespace files into a container without a pid namespace" exec_no_pidns

# What the host has shared must not learn of the container's mounts.
no_way_back() {
	wrap five 5.10
	unshare -m sh -c '
		mount --bind "$1" "$1" && mount --make-shared "$1" || exit 1
		"$2" --root "$3" run -b "$4" "$5" </dev/null || exit 2
		grep -c " $1/" /proc/self/mountinfo
		exit 0' sh "$T/rootfs" "$T/five/cleat" "$ROOT" "$B" "$ID" >"$T/o"
	is "$(tail -n 1 "$T/o")" 0
}
no_way_back_run() {
	bundle back '' true
	no_way_back
	bundle back2 '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{destination: "/home", type: "bind", source: ($T + "/rootfs/home"), options: ["rbind"]},
			{destination: "/home", type: "tmpfs", source: "tmpfs"}]' true
	no_way_back
}
t "no mount of a container reaches the host's shared mounts" no_way_back_run

finish

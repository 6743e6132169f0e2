#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
#
# The suites once more, on kernels that lack what is new: a seccomp filter hides
# the calls (tests/integ/no-new-calls.c) from the command line or the shim. With
# LONG=1 nearly all of them.
# shellcheck disable=SC2030,SC2031,SC2034	# tests are subshells; SHIM_BIN is shim.sh's
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
	# what containers are compared with: a filter is on both, though here it has next to nothing to hide
	printf '#!/bin/sh\nexec "%s" 6.9 "%s" "$@"\n' "$NNC" "$(command -v runc)" >"$w/runc"
	chmod 0755 "$w/runc"
}

the_filter() {
	is "$("$NNC" 6.9 "$NNC" -m)" ""
	is "$("$NNC" clone3,openat2 "$NNC" -m | tr '\n' ' ')" "clone3 openat2 "
	is "$("$NNC" 5.11 "$NNC" -m | head -n 1)" mount_setattr
	is "$("$NNC" 4.19 "$NNC" -m | wc -l)" "$("$NNC" -l | grep -Evc 'clone_pidfd|_several|_cloexec|waitid|memfd|statx|loop')"
	is "$("$NNC" -p 4.19 "$NNC" -m | wc -l)" "$("$NNC" 4.19 "$NNC" -m | wc -l)"
	status 125 "$NNC" nonesuch true
	status 7 "$NNC" 4.19 sh -c 'exit 7'
}
t "the filter hides what it is told to hide" the_filter

# passes SUITE KNOWN ARG...: every test of SUITE passes (or is skipped) under no-new-calls ARG..., but for the
# titles that KNOWN matches, which need what no such kernel can do
passes() {
	s=$1 known=$2
	shift 2
	wrap "w$s" "$@"
	PATH=$(case $s in cli-*) echo "$T/w$s:" ;; esac)$PATH RUNTIME=$T/w$s/cleat SHIM_BIN=$T/w$s/containerd-shim-cleat-v2 ONLY='' LONG='' "$TOOLS/warden" "$SUITES/t-$s.sh" \
		>"$T/tap" 2>&1 || :
	if ! grep -q '^1\.\.[0-9]' "$T/tap" || grep '^not ok' "$T/tap" | grep -Evq -e "- ($known)\$"; then
		grep -v '^ok' "$T/tap"
		exit 1
	fi
	[ -z "${LONG-}" ] || grep '# SKIP' "$T/tap" || :
}

t "as on 4.19: the commands" passes cli-lifecycle none 4.19
t "as on 4.19: the configuration" passes cli-config none 4.19
t "as on 5.4: the configuration" passes cli-config none 5.4
t "as on 5.10, without mount_setattr: the commands" passes cli-lifecycle none 5.10
t "as on 5.10, without mount_setattr: the configuration" passes cli-config none 5.10
t "only clone3 is missing: the configuration" passes cli-config none clone3
t "a host's filter answers EPERM for what it does not know: the commands" passes cli-lifecycle none -p 4.19

t "as on 4.19: the mounts" passes cli-mounts none 4.19
t "as on 4.19: the shim" passes shim-raw none 4.19
# Ids are mapped by mount_setattr alone; options beyond a page need fsconfig, or a common folder that takes most away.
NEW_ROOTS='an overlay of 120 layers.*|an overlay with options longer than a page.*|.*id-mapped.*'
t "no new mount calls, no LOOP_CONFIGURE: roots for the shim" passes shim-rootfs "$NEW_ROOTS" \
	fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr,loop_configure
# known_of SUITE: recursive flags are mount_setattr's, a time namespace clone3's, a pidfd 5.3's, a listener is taken out
# of a process by pidfd_getfd; and a copy of the wrapper leads nobody else to the filter.
known_of() {
	case $1 in
	cli-commands) echo 'check by an ordinary user' ;;
	cli-compare) echo 'flags of whole trees' ;;
	cli-errors) echo 'a receiver of the pidfd that is not there' ;;
	cli-fields) echo 'timeOffsets.*|seccomp notify of our own calls' ;;
	*) echo none ;;
	esac
}

if [ -n "${LONG-}" ]; then
	for s in cli-commands cli-compare cli-errors cli-fields cli-net cli-parity cgroup security rootless systemd shim-faults \
		shim-pitfalls shim-load shim-ctr podman podman-pods podman-user buildah; do
		t "as on 4.19: $s" passes $s "$(known_of $s)" 4.19
	done
	t "as on 4.19: roots for the shim" passes shim-rootfs "$NEW_ROOTS" 4.19
fi

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

# What cannot be handed over is not waited for, and nothing is left.
notify_held_up() {
	wrap nogetfd pidfd_getfd
	"$TOOLS/listener" "$T/sock" "$T/docs" &
	l=$!
	until_true 5 test -S "$T/sock"
	bundle held '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($T + "/sock"),
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}' sh -c 'mkdir /tmp/x 2>&1 || true'
	has "$("$T/nogetfd/cleat" --root "$ROOT" run --bundle "$B" "$ID")" '[Nn]o medium found'
	bundle held '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($T + "/sock"),
		syscalls: [{names: ["sendmsg"], action: "SCMP_ACT_NOTIFY"}]}' true
	if timeout 20 "$T/nogetfd/cleat" --root "$ROOT" run --bundle "$B" "$ID" >"$T/o" 2>"$T/e"; then fail "it ran"; fi
	has "$(cat "$T/e")" '/linux/seccomp/listenerPath.*holds up.*pidfd_getfd \(Linux 5\.6\)'
	code=0
	rt state "$ID" >/dev/null 2>&1 || code=$?
	[ $code -ne 0 ] || fail "it is still there"
	kill $l
	wait $l || :
}
t "without pidfd_getfd: a filter that holds up its listener's way out is refused" notify_held_up

# Layers whose names together are longer than a page, but not from the folder that they lie in.
layers_beside() {
	wrap shim fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
	SHIM_BIN=$T/shim/containerd-shim-cleat-v2
	list=
	for i in $(seq 50); do
		d=$T/deep/$(printf '%056d' "$i")/fs
		mkdir -p "$d"
		echo "$i" >"$d/layer$i"
		list=$list:$d
	done
	mkdir -p "$T/deep/root"
	cp -a "$T/rootfs/." "$T/deep/root"
	[ ${#list} -gt 4096 ]
	boot deep '.root.path = "rootfs"' sh -c 'ls / | grep -c ^layer; cat /layer33; sleep 100'
	mkfifo "$T/so"
	cat "$T/so" >"$T/layers" &
	create stdout="$T/so" mount="overlay|overlay|lowerdir=$T/deep/root$list" || fail "create: $(cat "$T/o")"
	tc start id="$ID" >/dev/null
	until_true 5 grep -q 33 "$T/layers"
	is "$(tr '\n' ' ' <"$T/layers")" "50 33 "
	down
}
. "${0%/*}/../harness/shim.sh"
events_listen
t "options longer than a page, by the folder that the layers lie in" layers_beside

# What LOOP_CONFIGURE does at once takes a call each.
loop_by_steps() {
	wrap loop loop_configure
	SHIM_BIN=$T/loop/containerd-shim-cleat-v2
	truncate -s 24M "$T/ext4"
	mkfs.ext4 -q -d "$T/rootfs" "$T/ext4"
	boot direct '.root.path = "rootfs"' sleep 100
	create mount="ext4|$T/ext4|loop,ro,direct-io" || fail "create: $(cat "$T/o")"
	is "$(losetup -n -l -O RO,AUTOCLEAR,DIO -j "$T/ext4" | tr -s ' ' ' ' | sed 's/^ //; s/ $//')" "1 1 1"
	down
}
t "a read-only loop device with direct I/O that goes by itself, without LOOP_CONFIGURE" loop_by_steps

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

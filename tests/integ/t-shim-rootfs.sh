#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The root file systems that containerd's snapshotters hand to a shim: made by
# Create, seen by the container, gone after Delete.
# shellcheck disable=SC2016,SC2086
. "${0%/*}/../harness/lib.sh"
LEAK_WAIT=5
suite shim-rootfs
. "${0%/*}/../harness/shim.sh"
events_listen

# as_words MOUNT...: "opt:WORD" adds a word with commas in it to the mount before.
as_words() {
	mounts=
	for m; do
		case $m in
		opt:*) mounts="$mounts rootfs.options=${m#opt:}" ;;
		*) mounts="$mounts mount=$m" ;;
		esac
	done
}

# see SCRIPT MOUNT...: what the script says in a container with these mounts for its root.
see() {
	script=$1
	shift
	as_words "$@"
	boot see '.root.path = "rootfs"' /bin/sh -c "$script"
	mkfifo "$T/so"
	cat "$T/so" >"$T/ro" &
	create stdout="$T/so" stderr="$T/so" $mounts || fail "create: $(cat "$T/o")"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	down
	wait $!
	hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs"
	rmdir "$B/rootfs"
}

# wrong REGEX MOUNT...: Create fails so, and nothing is left.
wrong() {
	re=$1
	shift
	as_words "$@"
	boot wrong '.root.path = "rootfs"' /bin/true
	code '[0-9]+' create id="$ID" bundle="$B" $mounts
	has "$(cat "$T/o")" "OCI runtime create failed: .*$re"
	hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs"
	away
}

loops() {
	losetup -n -O BACK-FILE -l | grep -c "$1" || :
}

image_ext4() {
	[ -f "$T/ext4" ] || {
		truncate -s 24M "$T/ext4"
		mkfs.ext4 -q -d "$T/rootfs" "$T/ext4"
	}
}

loop_mount() {
	image_ext4
	see 'echo kept >/new; wc -l </etc/passwd; grep " / " /proc/mounts' "ext4|$T/ext4|loop"
	is "$(sed -n 1p "$T/ro")" 2
	has "$(cat "$T/ro")" '^/dev/loop[0-9]+ / ext4 rw'
	see 'cat /new; touch /x 2>/dev/null || echo read-only' "ext4|$T/ext4|loop,ro,direct-io"
	is "$(tr '\n' ' ' <"$T/ro")" "kept read-only "
	until_true 3 sh -c "! losetup -l | grep -q '$T/ext4'"
}
t "an image by loop, read-only and direct-io; the device goes with the container" loop_mount

loop_wrong() {
	wrong "no such file or directory" "ext4|$T/missing|loop"
	head -c 100000 /dev/zero >"$T/nothing"
	wrong "nothing|loop" "ext4|$T/nothing|loop"
	is "$(loops "$T/nothing")" 0
	wrong "direct-io" "ext4|$T/ext4|direct-io"
	wrong "bind" "bind|$T/rootfs|rbind,loop"
}
t "an image that is none: said, and no loop device is left" loop_wrong

erofs() {
	command -v mkfs.erofs >/dev/null || skip "mkfs.erofs is not installed"
	grep -q erofs /proc/filesystems || skip "this kernel has no erofs"
	mkfs.erofs "$T/erofs" "$T/rootfs" >/dev/null 2>&1
	see 'wc -l </etc/passwd; touch /x 2>/dev/null || echo read-only' "erofs|$T/erofs|ro"
	is "$(sed -n '1p;$p' "$T/ro" | tr '\n' ' ')" "2 read-only "
	see 'grep " / " /proc/mounts' "erofs|$T/erofs|ro,loop"
	has "$(cat "$T/ro")" '^/dev/loop[0-9]+ / erofs ro'
}
t "erofs, from the file and by loop" erofs

layers() {
	mkdir -p "$T/l/a" "$T/l/b" "$T/l/up" "$T/l/wk"
	echo a >"$T/l/a/which"
	echo b >"$T/l/b/which"
	echo b >"$T/l/b/only-b"
	see 'cat /which /only-b; echo up >/made' "overlay|overlay|index=off,lowerdir=$T/l/a:$T/l/b:$T/rootfs,upperdir=$T/l/up,workdir=$T/l/wk"
	is "$(tr '\n' ' ' <"$T/ro")" "a b "
	is "$(cat "$T/l/up/made")" up
}
t "an overlay of several layers" layers

# 120 layers with names of 64 bytes: more than the page that mount(2) takes.
long_layers() {
	list=
	for i in $(seq 120); do
		d=$T/deep/$(printf '%060d' "$i")/fs
		mkdir -p "$d"
		echo "$i" >"$d/layer$i"
		list=$list:$d
	done
	[ ${#list} -gt 8192 ]
	see 'ls / | grep -c ^layer; cat /layer77' "overlay|overlay|lowerdir=$T/rootfs$list"
	is "$(tr '\n' ' ' <"$T/ro")" "120 77 "
}
t "an overlay of 120 layers, with options longer than a page" long_layers

# overlay_flags WORDS LAYERS: as the kernel shows them.
overlay_flags() {
	see 'grep " / " /proc/mounts' "overlay|overlay|$1,lowerdir=$T/rootfs$2,upperdir=$T/l/up,workdir=$T/l/wk"
	has "$(cat "$T/ro")" '^overlay / overlay'
	flags=$(awk '{ print $4 }' "$T/ro" | sed 's/,lowerdir.*//')
}

long_flags() {
	list=
	for i in $(seq 120); do
		d=$T/deep/$(printf '%060d' "$i")/fs
		mkdir -p "$d"
		list=$list:$d
	done
	mkdir -p "$T/l/up" "$T/l/wk"
	for words in rw sync dirsync strictatime noatime,strictatime nodiratime ro,sync,nosuid,nodev; do
		overlay_flags "$words" ""
		short=$flags
		overlay_flags "$words" "$list"
		is "$words: $flags" "$words: $short"
	done
}
t "an overlay with options longer than a page has the flags of a short one" long_flags

below() {
	mkdir -p "$T/vol"
	echo below >"$T/vol/f"
	see 'cat /tmp/f; touch /x 2>/dev/null || echo ro; touch /tmp/y && echo rw' "bind|$T/rootfs|rbind,ro" "bind|$T/vol|rbind|/tmp"
	is "$(tr '\n' ' ' <"$T/ro")" "below ro rw "
	# a link in the root must not lead out of it
	mkdir -p "$T/rl/etc" "$T/rl/bin"
	ln -sfn /etc "$T/rl/link"
	wrong "." "bind|$T/rl|rbind" "bind|$T/vol|rbind|/missing"
}
t "a mount below the root" below

mapped_bind() {
	mkdir -p "$T/own"
	cp -a "$T/rootfs/." "$T/own"
	chown 3:4 "$T/own/etc/passwd"
	see 'stat -c %u:%g /etc/passwd /etc' "bind|$T/own|rbind,uidmap=0:100000:65536,gidmap=0:200000:65536"
	is "$(tr '\n' ' ' <"$T/ro")" "100003:200004 100000:200000 "
	see 'stat -c %u:%g /etc/passwd /etc' "bind|$T/own|rbind,ro" "opt:uidmap=0:7:1,3:9:1" "opt:gidmap=0:8:1,4:10:1"
	is "$(tr '\n' ' ' <"$T/ro")" "9:10 7:8 "
}
t "an id-mapped bind" mapped_bind

mapped_overlay() {
	mkdir -p "$T/m/1" "$T/m/2" "$T/m/up" "$T/m/wk"
	cp -a "$T/rootfs/." "$T/m/1"
	echo x >"$T/m/2/f"
	chown 5:6 "$T/m/2/f"
	chown 100000:200000 "$T/m/up"
	chmod 0777 "$T/m/up"
	see 'stat -c %u:%g /f /etc; echo new >/made' "overlay|overlay|lowerdir=$T/m/2:$T/m/1,upperdir=$T/m/up,workdir=$T/m/wk,uidmap=0:100000:65536,gidmap=0:200000:65536"
	is "$(tr '\n' ' ' <"$T/ro")" "100005:200006 100000:200000 "
	is "$(cat "$T/m/up/made")" new
	is "$(stat -c %u "$T/m/2/f")" 5
}
t "an overlay with id-mapped layers" mapped_overlay

mapped_wrong() {
	wrong gidmap "bind|$T/rootfs|rbind,uidmap=0:1:2"
	wrong "container:host:size" "bind|$T/rootfs|rbind,uidmap=0:1,gidmap=0:1:2"
	wrong "container:host:size" "bind|$T/rootfs|rbind,uidmap=0:1:x,gidmap=0:1:2"
	wrong "proc" "proc|proc|uidmap=0:1:2,gidmap=0:1:2"
}
t "id mappings that are wrong, or that a file system does not take" mapped_wrong

own_options() {
	wrong 'X-containerd.mkdir.path=/x' "bind|$T/rootfs|rbind,X-containerd.mkdir.path=/x"
	wrong 'X-containerd.mkdir.path=/x' "fuse3.any|x|ro,X-containerd.mkdir.path=/x"
}
t "options of containerd's mount manager: refused by name" own_options

# How the helper is called: this one says so, and binds.
fuse() {
	mkdir -p "$T/helpers"
	for h in mount.fuse mount.fuse3; do
		cat >"$T/helpers/$h" <<-END
			#!/bin/sh
			printf '%s\n' "\${0##*/}" "\$@" >'$T/called'
			ls /proc/self/fd | wc -l >>'$T/called'
			case \$* in
			*broken*) echo "no such host" >&2; echo more >&2; exit 3 ;;
			*slow*) exec sleep 30 ;;
			esac
			mount --bind "\$1" "\$2"
		END
		chmod 0755 "$T/helpers/$h"
	done
	for type in fuse3.fuse-overlayfs fuse.sshfs; do
		PATH=$T/helpers:$PATH see 'wc -l </etc/passwd' "$type|$T/rootfs|ro" "opt:lowerdir=/a:/b,upperdir=/c"
		is "$(cat "$T/ro")" 2
		# three fds of its own and the one that ls opens
		is "$(tr '\n' ' ' <"$T/called")" \
			"mount.${type%%.*} $T/rootfs $T/b/see/rootfs -o ro -o lowerdir=/a:/b,upperdir=/c -t ${type#*.} 4 "
	done
	PATH=$T/helpers:$PATH wrong 'fuse.sshfs: mount.fuse ended with status 3: no such host$' "fuse.sshfs|broken|ro"
	# which goes with a Create whose time is up
	PATH=$T/helpers:$PATH
	boot slow '.root.path = "rootfs"' /bin/true
	timeout 10 "$CLIENT" --timeout 500 --namespace "$NS" "$A" create id="$ID" bundle="$B" "mount=fuse3.x|slow|ro" >"$T/o" 2>&1 && fail "it was made"
	until_true 5 sh -c "'$CLIENT' --namespace $NS $A state id=$ID | grep -q '^status 5 '"
	away
	rm -rf "$T/helpers"
	command -v mount.fuse3 >/dev/null || wrong 'mount.fuse3 cannot be executed' "fuse3.x|y|ro"
}
t "fuse.* and fuse3.*: by mount.fuse and mount.fuse3" fuse

# The daemon of a FUSE file system belongs to nobody: it goes with the mount.
fuse_daemons() {
	[ "$(procs | grep -c " fuse-overlayfs\$")" = "$1" ]
}

fuse_real() {
	[ -c /dev/fuse ] || skip "there is no /dev/fuse"
	p=$O/private/fuse-overlayfs
	[ -d "$p/bin" ] || skip "$(cat "$p/why" 2>/dev/null || echo "no fuse-overlayfs was fetched")"
	PATH=$p/bin:$PATH
	export LD_LIBRARY_PATH="$p/lib"
	mkdir -p "$T/f/a" "$T/f/b" "$T/f/up" "$T/f/wk"
	echo a >"$T/f/a/which"
	echo b >"$T/f/b/which"
	echo b >"$T/f/b/only-b"
	layers="opt:lowerdir=$T/f/a:$T/f/b:$T/rootfs,upperdir=$T/f/up,workdir=$T/f/wk"
	see 'grep " / " /proc/mounts; cat /which /only-b; rm /which; chmod 0751 /only-b; echo up >/made; stat -c %a /only-b' \
		"fuse3.fuse-overlayfs|fuse-overlayfs" "$layers"
	has "$(sed -n 1p "$T/ro")" ' / fuse.fuse-overlayfs rw'
	is "$(sed 1d "$T/ro" | tr '\n' ' ')" "a b 751 "
	is "$(cat "$T/f/up/made") $(stat -c %a "$T/f/up/only-b") $(cat "$T/f/a/which")" "up 751 a"
	until_true 3 fuse_daemons 0
	# read-only, and with what the first one left
	see 'ls / | grep -c -e which -e made; touch /x 2>/dev/null || echo ro' "fuse3.fuse-overlayfs|fuse-overlayfs|ro" "$layers"
	is "$(tr '\n' ' ' <"$T/ro")" "1 ro "
	# of a container that runs: one daemon, that outlives the worker that started it
	as_words "fuse3.fuse-overlayfs|fuse-overlayfs" "$layers"
	boot fuse '.root.path = "rootfs"' /bin/sh -c 'sleep 0.5; cat /made >/copy; exit 9'
	create $mounts
	fuse_daemons 1
	tc start id="$ID" >/dev/null
	is "$(tc wait id="$ID" | field exit_status)" 9
	is "$(cat "$T/f/up/copy")" up
	# the server dies: delete, as containerd calls it, unmounts
	kill -9 "$(server_pid)"
	cd "$B"
	"$SHIM_BIN" -namespace "$NS" -address "$EV" -publish-binary /bin/false -id "$ID" -bundle "$B" delete >"$T/o"
	cd "$T"
	hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs"
	until_true 3 fuse_daemons 0
	wrong 'fuse-overlayfs: mount.fuse3 ended with status [1-9][0-9]*: .*' \
		"fuse3.fuse-overlayfs|fuse-overlayfs|lowerdir=$T/missing"
	until_true 3 fuse_daemons 0
}
t "fuse-overlayfs by the real mount.fuse3" fuse_real

half_made() {
	wrong "missing" "bind|$T/rootfs|rbind" "bind|$T/vol|rbind|/tmp" "bind|$T/missing|rbind|/tmp"
}
t "the third of three mounts fails: the first two are undone" half_made

propagation() {
	see 'true' "bind|$T/rootfs|rbind,rslave"
	see 'true' "bind|$T/rootfs|rbind,rprivate"
}
t "propagation words" propagation

busy_root() {
	boot busy '.root.path = "rootfs"' /bin/sh -c 'exit 3'
	create "mount=bind|$T/rootfs|rbind"
	tc start id="$ID" >/dev/null
	tc wait id="$ID" >/dev/null
	# shellcheck disable=SC2217	# it holds a file open
	sleep 60 <"$B/rootfs/etc/passwd" &
	p=$!
	a=$(date +%s%3N)
	code 9 delete id="$ID"
	[ $(($(date +%s%3N) - a)) -lt 4500 ] || fail "Delete took too long"
	is "$(tc state id="$ID" | field status)" STOPPED
	kill $p
	wait $p || :
	is "$(tc delete id="$ID" | field exit_status)" 3
	away
	topics_are "create start exit delete "
}
t "a busy root: Delete says so, and the next one does it" busy_root

bundle_gone() {
	running bg '' sleep 100
	rm -rf "$B"
	is "$(tc state id="$ID" | field status)" RUNNING
	tc exec id="$ID" exec_id=e 'spec={"args":["/bin/true"],"cwd":"/"}'
	tc start id="$ID" exec_id=e >/dev/null
	is "$(tc wait id="$ID" exec_id=e | field exit_status)" 0
	down
	topics_are "create start exec-added exec-started exit exit delete "
}
t "a bundle that has vanished" bundle_gone

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Mounts beyond the usual: mapped ids, attributes of whole trees, tmpfs that keeps what it hides,
# propagation, cgroup trees.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP runc 1.1 has none of this"
	exit 0
fi
suite cli-mounts

inside() {
	filter=$1
	script=$2
	bundle in "$filter" sh -c "$script"
	status 0 run_it
}

# A folder whose files are root's and 1000's.
mkdir -p "$T/ids/sub"
: >"$T/ids/root"
: >"$T/ids/bob"
chown 1000:1000 "$T/ids/bob"

# ---- id-mapped mounts ----------------------------------------------------------------------------

cp -a "$T/rootfs" "$T/uroot"
chown -hR 200000:300000 "$T/uroot"
userns='.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .mounts |= map(select(.type != "cgroup"))'
maps() {
	printf 'uidMappings: [{containerID: %s, hostID: %s, size: 65536}], gidMappings: [{containerID: %s, hostID: %s, size: 65536}]' "$1" "$2" "$1" "$3"
}

can_idmap() {
	bundle can '.mounts += [{destination: "/v", type: "bind", source: ($T + "/ids"), options: ["bind"], '"$(maps 0 7 7)"'}]' true
	run_it >/dev/null 2>&1 || skip "no id-mapped mounts here"
}

idmap_plain() {
	can_idmap
	inside '.mounts += [
		{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap"], '"$(maps 0 5000 6000)"'},
		{destination: "/b", type: "none", source: ($T + "/ids"), options: ["rbind", "ro", "nosuid"], '"$(maps 1000 10 20)"'},
		{destination: "/c", type: "bind", source: ($T + "/ids"), options: ["bind"]}]' '
		stat -c "%n %u:%g" /a/root /a/bob /b/root /b/bob /c/root /c/bob; touch /b/x 2>/dev/null || echo ro'
	is "$(cat "$T/o")" "/a/root 5000:6000
/a/bob 6000:7000
/b/root 65534:65534
/b/bob 10:20
/c/root 0:0
/c/bob 1000:1000
ro"
}
t "idmap without a user namespace: the mount's own maps, alone they mean idmap" idmap_plain

idmap_write() {
	can_idmap
	inside '.process.user = {uid: 5001, gid: 6001} | .mounts += [
		{destination: "/a", type: "bind", source: ($T + "/ids/sub"), options: ["bind", "idmap"], '"$(maps 0 5000 6000)"'}]' 'true'
	chmod 0777 "$T/ids/sub"
	status 0 run_it
	inside '.process.user = {uid: 5001, gid: 6001} | .mounts += [
		{destination: "/a", type: "bind", source: ($T + "/ids/sub"), options: ["bind", "idmap"], '"$(maps 0 5000 6000)"'}]' 'touch /a/mine; stat -c %u:%g /a/mine'
	is "$(cat "$T/o")" 5001:6001
	is "$(stat -c %u:%g "$T/ids/sub/mine")" 1:1
	rm "$T/ids/sub/mine"
}
t "idmap: what is made there belongs to whom the map says" idmap_write

idmap_userns() {
	can_idmap
	inside "$userns"' | .mounts += [
		{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap"]},
		{destination: "/b", type: "bind", source: ($T + "/ids"), options: ["bind"], '"$(maps 0 200000 300000)"'},
		{destination: "/c", type: "bind", source: ($T + "/ids"), options: ["bind", "ridmap"], '"$(maps 0 201000 301000)"'},
		{destination: "/d", type: "bind", source: ($T + "/ids"), options: ["bind"]}]' '
		stat -c "%n %u:%g" /a/bob /b/bob /c/root /d/bob; touch /a/new; stat -c %u:%g /a/new'
	is "$(cat "$T/o")" "/a/bob 1000:1000
/b/bob 1000:1000
/c/root 1000:1000
/d/bob 65534:65534
0:0"
	is "$(stat -c %u:%g "$T/ids/new")" 0:0
	rm "$T/ids/new"
}
t "idmap with a user namespace: its maps, equal ones, others" idmap_userns

idmap_joined() {
	can_idmap
	bundle holder "$userns" sleep 100
	detached
	a=$ID
	p=$(pid_of "$a")
	inside "$userns"' | del(.linux.uidMappings, .linux.gidMappings)
		| .linux.namespaces |= map(if .type == "user" then .path = "/proc/'"$p"'/ns/user" else . end)
		| .mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap"]}]' 'stat -c %u:%g /a/bob'
	is "$(cat "$T/o")" 1000:1000
	gone "$a"
}
t "idmap with a user namespace that is joined by path" idmap_joined

idmap_deep() {
	can_idmap
	mkdir -p "$T/deep/in"
	mount -t tmpfs -o mode=755 deep "$T/deep/in"
	: >"$T/deep/top"
	: >"$T/deep/in/low"
	r=0
	( inside '.mounts += [
		{destination: "/one", type: "bind", source: ($T + "/deep"), options: ["rbind", "idmap"], '"$(maps 0 500 600)"'},
		{destination: "/all", type: "bind", source: ($T + "/deep"), options: ["rbind", "ridmap"], '"$(maps 0 500 600)"'},
		{destination: "/flat", type: "bind", source: ($T + "/deep"), options: ["bind", "ridmap"], '"$(maps 0 500 600)"'}]' '
		stat -c "%n %u:%g" /one/top /one/in/low /all/top /all/in/low; ls /flat/in | wc -l' ) || r=1
	umount "$T/deep/in"
	[ $r = 0 ] || { cat "$T/e"; grep -q "no id-mapped mounts on this kernel" "$T/e" && skip "tmpfs has no id-mapped mounts here"; exit 1; }
	is "$(cat "$T/o")" "/one/top 500:600
/one/in/low 0:0
/all/top 500:600
/all/in/low 500:600
0"
}
t "idmap is for one mount, ridmap for all below it" idmap_deep

idmap_text() {
	can_idmap
	inside '.mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap=uids=0-70-1#1000-80-10;gids=0-90-2000"]}]' \
		'stat -c %u:%g /a/root /a/bob'
	is "$(cat "$T/o")" "70:90
80:1090"
	# "@": ids of the container, wherever its map puts them
	inside "$userns"' | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 5}, {containerID: 5, hostID: 400000, size: 65531}]
		| .mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "ridmap=uids=@0-3-2000;gids=@0-0-65536"]}]' \
		'stat -c %u:%g /a/root /a/bob'
	is "$(cat "$T/o")" "3:0
1003:1000"
}
t "idmap=: maps as one word, also relative to the container's" idmap_text

idmap_refused() {
	can_idmap
	# no map may come for free: refused by the kernel's file system, by name
	bundle ir '.mounts += [{destination: "/a", type: "bind", source: "/sys/kernel", options: ["bind"], '"$(maps 0 500 600)"'}]' true
	refused 1 '/mounts/7.*/sys/kernel.*has no id-mapped mounts' rt run -b "$B" "$ID"
	bundle ir '.mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap=uids=0-1"], '"$(maps 0 500 600)"'}]' true
	status 0 run_it	# lists win over the word
	for w in idmap= idmap=uids=0-1-1 'idmap=uids=0-1;gids=0-1-1' 'idmap=uids=a-1-1;gids=0-1-1' 'ridmap=uids=0-1-0;gids=0-1-1' 'idmap=x' \
		'idmap=uids=0-4294967295-2;gids=0-1-1' 'idmap=uids=@0-0-1;gids=0-1-1' 'idmap=uids=0-1-1#;gids=0-1-1x'; do
		bundle ir '.mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "'"$w"'"]}]' true
		refused 1 '/mounts/7.*(idmap|id-mapped)' rt run -b "$B" "$ID"
	done
	bundle ir "$userns"' | .mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap=uids=@0-65000-1000;gids=0-1-1"]}]' true
	refused 1 '/mounts/6.*not mapped by /linux' rt run -b "$B" "$ID"
	# overlapping extents are the kernel's to refuse
	bundle ir '.mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind", "idmap=uids=0-1-9#5-1-9;gids=0-1-1"]}]' true
	refused 1 '/mounts/7' rt run -b "$B" "$ID"
}
t "idmap that cannot be is refused by name" idmap_refused

idmap_old() {
	nnc=$TOOLS/no-new-calls
	"$nnc" 5.11 true 2>/dev/null || skip "no seccomp filter can be installed"
	bundle io '.mounts += [{destination: "/a", type: "bind", source: ($T + "/ids"), options: ["bind"], '"$(maps 0 500 600)"'}]' true
	for k in 5.11 4.19; do
		refused 1 '/mounts/7.*need Linux 5\.12' "$nnc" $k "$RUNTIME" --root "$ROOT" run -b "$B" "$ID"
	done
}
t "idmap on kernels that have none" idmap_old

# ---- attributes, propagation, the rest -------------------------------------------------------------

default_device() {
	inside '.linux.devices = [{path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 384, uid: 3, gid: 4}]' '
		stat -c "%a %u:%g %t:%T" /dev/zero /dev/full; grep -c " /dev/zero " /proc/self/mountinfo || :'
	is "$(cat "$T/o")" "600 3:4 1:5
666 0:0 1:7
0"
	inside "$userns"' | .linux.devices = [{path: "/dev/zero", type: "c", major: 1, minor: 5}]' 'grep -c " /dev/zero " /proc/self/mountinfo || :'
	is "$(cat "$T/o")" 1
}
t "a default device that is listed is made once, as listed" default_device

whole_trees() {
	needs_call mount_setattr
	mkdir -p "$T/tree/in" "$T/tree2"
	mount -t tmpfs tree "$T/tree"
	mkdir -p "$T/tree/in"
	mount -t tmpfs -o noatime in "$T/tree/in"
	r=0
	( inside '.mounts += ([["rro"], ["ro"], ["rnosuid", "rnodev", "rnoexec"], ["rro", "rrw"], ["rro", "rnoatime"], ["rnoatime", "ratime"], ["rstrictatime"], ["rnodiratime"],
		["rnosymfollow"], ["rro", "rw"]] | to_entries | map({destination: "/r\(.key)", type: "bind", source: ($T + "/tree"), options: (["rbind"] + .value)}))' '
		grep " /r[0-9]" /proc/self/mountinfo | cut -d" " -f 5,6 | sort' ) || r=1
	umount "$T/tree/in" "$T/tree"
	[ $r = 0 ]
	is "$(cat "$T/o")" "/r0 ro,relatime
/r0/in ro,noatime
/r1 ro,relatime
/r1/in rw,noatime
/r2 rw,nosuid,nodev,noexec,relatime
/r2/in rw,nosuid,nodev,noexec,noatime
/r3 rw,relatime
/r3/in rw,noatime
/r4 ro,noatime
/r4/in ro,noatime
/r5 rw,relatime
/r5/in rw,relatime
/r6 rw
/r6/in rw
/r7 rw,nodiratime,relatime
/r7/in rw,noatime,nodiratime
/r8 rw,relatime,nosymfollow
/r8/in rw,noatime,nosymfollow
/r9 ro,relatime
/r9/in ro,noatime"
}
t "attributes of whole trees: all of them, on every mount below" whole_trees

propagated() {
	mkdir -p "$T/prop/sub"
	mount -t tmpfs prop "$T/prop"
	mount --make-shared "$T/prop"
	mkdir -p "$T/prop/late"
	bundle pg '.mounts += ([["rslave"], ["rprivate"], ["rshared"], ["slave", "shared"], ["unbindable"]] | to_entries
		| map({destination: "/p\(.key)", type: "bind", source: ($T + "/prop"), options: (["rbind"] + .value)}))' sleep 100
	detached
	mount -t tmpfs late "$T/prop/late"
	m=$(awk '{ for (i = 7; $i != "-"; i++) { sub(/:.*/, "", $i); o = o " " $i } print $5 o; o = "" }' "/proc/$(pid_of "$ID")/mountinfo")
	gone
	umount "$T/prop/late" "$T/prop"
	has "$m" '^/p0 master$'
	has "$m" '^/p0/late'
	has "$m" '^/p1$'
	hasnt "$m" '^/p1/late'
	has "$m" '^/p2 (shared master|shared propagate_from master|shared)$'
	has "$m" '^/p3 shared master$'
	has "$m" '^/p4 unbindable$'
}
t "propagation words: what the host mounts later arrives, or not" propagated

links() {
	mkdir -p "$T/lk"
	echo there >"$T/lk/real"
	ln -s real "$T/lk/link"
	ln -s /etc/passwd "$T/lk/abs"
	ln -sfn /real "$T/rootfs/was"
	for u in . "$userns"; do
		[ "$u" = . ] || ln -sfn /real "$T/uroot/was"
		inside "$u"' | .mounts += [
			{destination: "/a/link", type: "bind", source: ($T + "/lk/link"), options: ["bind", "copy-symlink"]},
			{destination: "/a/real", type: "bind", source: ($T + "/lk/real"), options: ["bind", "copy-symlink", "ro"]},
			{destination: "/a/abs", type: "bind", source: ($T + "/lk/abs"), options: ["rbind", "copy-symlink"]},
			{destination: "/b/link", type: "bind", source: ($T + "/lk/link"), options: ["bind"]},
			{destination: "/c/link", type: "bind", source: ($T + "/lk/link"), options: ["bind", "src-nofollow"]}]' '
			readlink /a/link; readlink /a/abs; cat /a/link /b/link; readlink /c/link; grep -c " /a/" /proc/self/mountinfo'
		is "$(cat "$T/o")" "real
/etc/passwd
there
there
real
1"
		# once more: it is there already
		status 0 run_it
	done
	bundle ln '.mounts += [{destination: "/was", type: "bind", source: ($T + "/lk/link"), options: ["bind", "copy-symlink"]}]' true
	refused 1 '/mounts/7.*/was.*no link to .*real' rt run -b "$B" "$ID"
	bundle ln '.mounts += [{destination: "/was", type: "bind", source: ($T + "/lk/real"), options: ["bind", "dest-nofollow"]}]' true
	refused 1 '/mounts/7.*/was.*symbolic link' rt run -b "$B" "$ID"
	bundle ln '.mounts += [{destination: "/proc/link", type: "bind", source: ($T + "/lk/link"), options: ["bind", "copy-symlink"]}]' true
	refused 1 '/mounts/7.*inside /proc' rt run -b "$B" "$ID"
}
t "copy-symlink, src-nofollow, dest-nofollow" links

cgroup_words() {
	needs_call mount_setattr
	for ns in . '.linux.namespaces += [{type: "cgroup"}]'; do
		inside "$ns"' | .mounts |= map(if .type == "cgroup" then .options = ["rro", "rnosuid", "rshared"] else . end)' '
			grep " /sys/fs/cgroup" /proc/self/mountinfo | sed "s/shared:[0-9]*/shared/; s/ master:[0-9]*//" | cut -d" " -f 6,7 | sort -u
			mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/*/x || echo ro'
		is "$(cat "$T/o")" "ro,nosuid,relatime shared
ro"
	done
}
t "attributes and propagation of the whole cgroup mount" cgroup_words

no_pivot() {
	for p in private rprivate; do
		bundle np '.linux.rootfsPropagation = "'$p'"' true
		refused 1 '/linux/rootfsPropagation.*'$p'.*--no-pivot' rt run --no-pivot -b "$B" "$ID"
		status 0 run_it
	done
	bundle np '.linux.rootfsPropagation = "rslave"' true
	status 0 rt run --no-pivot -b "$B" "$ID"
}
t "a private root needs pivot_root" no_pivot

finish

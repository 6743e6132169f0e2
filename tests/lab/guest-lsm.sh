#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Labels of the kernel's security modules, in a guest that has one of them, with profiles
# and a policy of our own (selinux.conf). TAP; what the guest does not have is skipped.
# shellcheck disable=SC2016,SC1091	# scripts for inside
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/guest-lib.sh"
suite guest-lsm
LAB_DIR=$(cd "${0%/*}" && pwd)

apparmor() {
	grep -qx Y /sys/module/apparmor/parameters/enabled 2>/dev/null || skip "no AppArmor in this kernel"
	command -v apparmor_parser >/dev/null || skip "apparmor_parser is not installed"
}

profiles() {
	apparmor
	for p in lab-one lab-two; do
		printf 'profile %s flags=(attach_disconnected) {\n  file,\n  signal,\n  capability,\n  network,\n  mount,\n  umount,\n  deny /tmp/%s rw,\n}\n' $p $p
	done >"$T/profiles"
	apparmor_parser -rKT "$T/profiles"
}

# process FILTER ARG...: a process document for exec in $T/p.json.
process() {
	f=$1
	shift
	jq "{args: \$ARGS.positional, cwd: \"/\", env: [\"PATH=/bin\"], user: {uid: 0, gid: 0}}${f:+ | $f}" -n --args -- "$@" >"$T/p.json"
}

aa_init() {
	apparmor
	bundle ai '.process.apparmorProfile = "lab-one"' sh -c 'cat /proc/self/attr/current; touch /tmp/lab-two && touch /tmp/lab-one'
	status 1 run_it
	is "$(cat "$T/o")" 'lab-one (enforce)'
	has "$(cat "$T/e")" 'lab-one.*Permission denied'
	bundle ai2 '.process.apparmorProfile = "lab-two" | .process.noNewPrivileges = false | .process.user = {uid: 9, gid: 9}' cat /proc/self/attr/current
	status 0 run_it
	is "$(cat "$T/o")" 'lab-two (enforce)'
	bundle ai3 '.process.apparmorProfile = "unconfined"' cat /proc/self/attr/current
	status 0 run_it
	is "$(cat "$T/o")" unconfined
	bundle ai4 '' cat /proc/self/attr/current
	status 0 run_it
	is "$(cat "$T/o")" unconfined
}

aa_exec() {
	apparmor
	live ae '.process.apparmorProfile = "lab-one"'
	status 0 rt exec "$ID" cat /proc/self/attr/current
	is "$(cat "$T/o")" 'lab-one (enforce)'
	status 0 rt exec --apparmor lab-two "$ID" cat /proc/self/attr/current
	is "$(cat "$T/o")" 'lab-two (enforce)'
	status 0 rt exec --apparmor unconfined "$ID" cat /proc/self/attr/current
	is "$(cat "$T/o")" unconfined
	process '' cat /proc/self/attr/current
	status 0 rt exec --process "$T/p.json" "$ID"
	is "$(cat "$T/o")" 'lab-one (enforce)'
	process '.apparmorProfile = "lab-two" | .noNewPrivileges = true' cat /proc/self/attr/current
	status 0 rt exec --process "$T/p.json" "$ID"
	is "$(cat "$T/o")" 'lab-two (enforce)'
	refused 255 'lab-none.*not loaded' rt exec --apparmor lab-none "$ID" true
	gone
}

# What stands on /proc in the container is not asked.
aa_fake_proc() {
	apparmor
	live af '.process.apparmorProfile = "lab-one" | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
		| .process.capabilities.permitted = .process.capabilities.bounding | .process.capabilities.effective = .process.capabilities.bounding' \
		sh -c 'mount -t tmpfs none /proc; mkdir -p /proc/self/attr/apparmor; : >/proc/self/attr/exec; : >/proc/self/attr/apparmor/exec; touch /tmp/ready; sleep 1000'
	until_true 20 test -e "$T/rootfs/tmp/ready"
	rm "$T/rootfs/tmp/ready"
	status 0 rt exec "$ID" sh -c 'touch /tmp/lab-two && touch /tmp/lab-one || cat /proc/self/attr/exec /proc/self/attr/apparmor/exec'
	is "$(cat "$T/o")" ''
	has "$(cat "$T/e")" 'lab-one.*Permission denied'
	gone
}

aa_userns() {
	apparmor
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:200000 "$T/uroot"
	live au '.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .process.apparmorProfile = "lab-one"' sh -c 'cat /proc/self/attr/current; sleep 1000'
	until_true 20 test -s "$T/$ID.out"
	is "$(cat "$T/$ID.out")" 'lab-one (enforce)'
	status 0 rt exec "$ID" cat /proc/self/attr/current
	is "$(cat "$T/o")" 'lab-one (enforce)'
	status 0 rt exec --apparmor lab-two "$ID" cat /proc/self/attr/current
	is "$(cat "$T/o")" 'lab-two (enforce)'
	gone
	rm -rf "$T/uroot"
}

aa_absent() {
	apparmor
	bundle aa '.process.apparmorProfile = "lab-none"' true
	refused 1 '/process/apparmorProfile.*lab-none.*not loaded' run_it
	no_cgroup
}

# ---- SELinux -----------------------------------------------------------------------

LAB=system_u:system_r:lab_t:s0:c1,c2
TWO=system_u:system_r:lab_two_t:s0:c1,c2
FILE=system_u:object_r:lab_file_t:s0:c1,c2
OTHER=system_u:object_r:lab_file_t:s0:c3
SECRET=system_u:object_r:secret_t:s0
PLAIN=system_u:object_r:file_t:s0

selinux() {
	grep -qw selinuxfs /proc/filesystems || skip "no SELinux in this kernel"
	command -v checkpolicy >/dev/null || skip "checkpolicy is not installed"
}

policy() {
	selinux
	checkpolicy -M -U allow -c "$(cat /sys/fs/selinux/policyvers)" -o "$T/policy" "$LAB_DIR/selinux.conf"
	# in one piece, or it is refused
	dd if="$T/policy" of=/sys/fs/selinux/load bs=1M 2>&1
	echo 1 >/sys/fs/selinux/enforce
	is "$(cat /sys/fs/selinux/enforce)" 1
	is "$(tr -d '\0' </proc/self/attr/current)" system_u:system_r:kernel_t:s0-s0:c0.c3
}

# labelled DIR LABEL - a tmpfs of that label, with a file in it
labelled() {
	mkdir -p "$1"
	# mount(8) drops the label where there is no /etc/selinux/config
	busybox mount -t tmpfs -o "context=\"$2\"" labelled "$1"
	echo text >"$1/f"
}

# labels ARG... - what the container made last says of itself and of paths, a line each
labels() {
	rt exec "$ID" /bin/probe labels "$@"
}

# What writes into four folders; those that it may not write to are said on stderr.
WRITE='for d in /file /other /secret /plain; do cat $d/f; echo x >$d/g || echo no $d >&2; done'

volumes() {
	labelled "$T/file" $FILE
	labelled "$T/other" $OTHER
	labelled "$T/secret" $SECRET
	labelled "$T/plain" $PLAIN
}
VOLUMES='.mounts += [("file", "other", "secret", "plain") | {destination: ("/" + .), source: ($T + "/" + .), type: "bind", options: ["bind"]}]'
unvolumes() {
	umount "$T/file" "$T/other" "$T/secret" "$T/plain"
}

se_init() {
	selinux
	volumes
	bundle si "$VOLUMES | .process.selinuxLabel = \"$LAB\"" sh -c "/bin/probe labels; $WRITE"
	run_it >"$T/o" 2>"$T/e" || :
	has "$(cat "$T/o")" "^process $LAB\$"
	is "$(grep -c text "$T/o")" 3
	has "$(cat "$T/e")" '/other/f.*Permission denied'
	is "$(grep '^no' "$T/e" | paste -s -d ' ')" 'no /other no /secret'
	bundle si2 "$VOLUMES | .process.selinuxLabel = \"$TWO\" | .process.noNewPrivileges = false | .process.user = {uid: 9, gid: 9}" \
		sh -c "/bin/probe labels; $WRITE"
	chmod 1777 "$T/file" "$T/other" "$T/secret" "$T/plain"
	rm "$T"/*/g
	run_it >"$T/o" 2>"$T/e" || :
	has "$(cat "$T/o")" "^process $TWO\$"
	is "$(grep '^no' "$T/e" | paste -s -d ' ')" 'no /file no /other no /secret'
	rm "$T"/*/g
	bundle si3 "$VOLUMES" sh -c "/bin/probe labels; $WRITE"
	status 0 run_it
	has "$(cat "$T/o")" '^process system_u:system_r:kernel_t:'
	is "$(cat "$T/e")" ''
	unvolumes
}

se_exec() {
	selinux
	volumes
	live se "$VOLUMES | .process.selinuxLabel = \"$LAB\""
	status 0 rt exec "$ID" sh -c "/bin/probe labels; $WRITE"
	has "$(cat "$T/o")" "^process $LAB\$"
	is "$(grep '^no' "$T/e" | paste -s -d ' ')" 'no /other no /secret'
	status 0 rt exec --process-label $TWO "$ID" sh -c "/bin/probe labels; $WRITE"
	has "$(cat "$T/o")" "^process $TWO\$"
	is "$(grep '^no' "$T/e" | paste -s -d ' ')" 'no /file no /other no /secret'
	process ".selinuxLabel = \"$TWO\"" /bin/probe labels
	status 0 rt exec --process "$T/p.json" "$ID"
	has "$(cat "$T/o")" "^process $TWO\$"
	process ".selinuxLabel = \"$TWO\" | .noNewPrivileges = true | .user = {uid: 9, gid: 9}" /bin/probe labels
	status 0 rt exec --process "$T/p.json" "$ID"
	has "$(cat "$T/o")" "^process $TWO\$"
	[ -z "$CLEAT" ] || {	# runc's has the runtime's own label then
		process '' /bin/probe labels
		status 0 rt exec --process "$T/p.json" "$ID"
		has "$(cat "$T/o")" "^process $LAB\$"
	}
	gone
	unvolumes
}

# What stands on /proc in the container is not asked.
se_fake_proc() {
	selinux
	live sf ".process.selinuxLabel = \"$LAB\""' | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
		| .process.capabilities.permitted = .process.capabilities.bounding | .process.capabilities.effective = .process.capabilities.bounding
		| .mounts += [{destination: "/fake", type: "tmpfs", source: "tmpfs"}]' \
		sh -c 'mkdir -p /fake/self/attr; : >/fake/self/attr/exec; : >/fake/self/attr/keycreate
			mkdir /fake/real; mount -o move /proc /fake/real; mount -o rbind /fake /proc && touch /tmp/ready; sleep 1000'
	until_true 20 test -e "$T/rootfs/tmp/ready"
	rm "$T/rootfs/tmp/ready"
	if [ -n "$CLEAT" ]; then
		status 0 rt exec "$ID" sh -c 'cat /proc/self/attr/exec /proc/self/attr/keycreate; cat /proc/real/self/attr/current'
		is "$(tr -d '\0' <"$T/o")" $LAB
	else
		refused 255 'proc' rt exec "$ID" true
	fi
	gone
}

se_userns() {
	selinux
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:200000 "$T/uroot"
	volumes
	chmod 1777 "$T/file" "$T/other" "$T/secret" "$T/plain"
	live su "$VOLUMES"' | .root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'"
		| .process.selinuxLabel = \"$LAB\" | .linux.mountLabel = \"$FILE\"" sh -c "/bin/probe labels /dev/shm; $WRITE; sleep 1000"
	until_true 20 grep -q 'no /secret' "$T/$ID.err"
	has "$(cat "$T/$ID.out")" "^process $LAB\$"
	has "$(cat "$T/$ID.out")" "^/dev/shm $FILE\$"
	is "$(grep '^no' "$T/$ID.err" | paste -s -d ' ')" 'no /other no /secret'
	is "$(labels /dev /dev/pts /dev/mqueue | paste -s -d ' ')" \
		"process $LAB keyring $LAB /dev $FILE /dev/pts $FILE /dev/mqueue $FILE"
	status 0 rt exec --process-label $TWO "$ID" /bin/probe labels
	has "$(cat "$T/o")" "^process $TWO\$"
	gone
	unvolumes
	rm -rf "$T/uroot"
}

se_keyring() {
	selinux
	live sk ".process.selinuxLabel = \"$LAB\""
	is "$(labels)" "process $LAB
keyring $LAB"
	is "$(rt exec "$ID" cat /proc/self/attr/keycreate)" ''
	# who is in the container may have another label; the keyring is the container's
	is "$(rt exec --process-label $TWO "$ID" /bin/probe labels)" "process $TWO
keyring: Permission denied"
	gone
	live sk2 ''
	has "$(labels)" '^keyring system_u:system_r:kernel_t:'
	gone
	bundle sk3 ".process.selinuxLabel = \"$LAB\"" /bin/probe labels
	run_it --no-new-keyring >"$T/o" || :	# there may be none
	has "$(cat "$T/o")" "^process $LAB\$"
	hasnt "$(cat "$T/o")" "keyring $LAB"
}

TMPFS='{destination: "/t", type: "tmpfs", source: "tmpfs"}'
se_mounts() {
	selinux
	live sm ".process.selinuxLabel = \"$LAB\" | .linux.mountLabel = \"$FILE\" | .mounts += [$TMPFS,"'
		{destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}, {destination: "/sys/fs/bpf", type: "tmpfs", source: "tmpfs"}]
		| .linux.maskedPaths = ["/root"]'
	is "$(labels /t /dev /dev/shm /dev/pts /dev/mqueue /root /etc/passwd /proc /sys /sys/fs/cgroup / | sed '/^keyring/d; /^process/d')" \
"/t $FILE
/dev $FILE
/dev/shm $FILE
/dev/pts $FILE
/dev/mqueue $FILE
/root $FILE
/etc/passwd $FILE
/proc $PLAIN
/sys $PLAIN
/sys/fs/cgroup $PLAIN
/ $PLAIN"
	rt exec "$ID" sh -c 'echo x >/t/f && echo x >/dev/shm/f && cat /t/f'
	status 1 rt exec --process-label $TWO "$ID" sh -c 'echo x >/t/f'
	has "$(cat "$T/e")" 'Permission denied'
	gone
	live sm2 ".mounts += [$TMPFS]"
	is "$(labels /t /dev/mqueue | sed '1,2d')" "/t $PLAIN
/dev/mqueue $PLAIN"
	gone
}

# A mount that says its own label keeps it.
se_mount_own() {
	selinux
	for o in "context=$SECRET" "context=\\\"$SECRET\\\"" "mode=700,context=\\\"$SECRET\\\",size=64k" "rootcontext=$SECRET"; do
		live so ".process.selinuxLabel = \"$LAB\" | .mounts += [$TMPFS + {options: [\"nodev\", \"$o\"]}]"
		has "$(labels /t)" "^/t $SECRET\$"
		gone
	done
	live so2 ".process.selinuxLabel = \"$LAB\" | .mounts += [$TMPFS + {options: [\"nodev\", \"context=\\\"$OTHER\\\"\"]}]"
	has "$(rt exec --process-label "${LAB%:c1,c2}:c0.c3" "$ID" /bin/probe labels /t)" "^/t $OTHER\$"
	status 1 rt exec "$ID" ls /t
	gone
	[ -n "$CLEAT" ] || return 0	# runc says both to the kernel, which refuses that
	for o in "context=$SECRET" "rootcontext=$SECRET" "mode=700,context=\\\"$SECRET\\\""; do
		live so3 ".process.selinuxLabel = \"$LAB\" | .linux.mountLabel = \"$FILE\" | .mounts += [$TMPFS + {options: [\"nodev\", \"$o\"]}]"
		is "$(labels /t /dev/shm | sed '1,2d')" "/t $SECRET
/dev/shm $FILE"
		gone
	done
	# with categories, and without quotes around them
	live so4 ".linux.mountLabel = \"$FILE\" | .mounts += [$TMPFS + {options: [\"context=$OTHER\"]}]"
	has "$(labels /t)" "^/t $OTHER\$"
	gone
}

se_mount_kinds() {
	selinux
	[ -n "$CLEAT" ] || skip "runc has no such annotation"
	for k in context fscontext rootcontext; do
		live sc ".linux.mountLabel = \"$FILE\" | .annotations = {\"run.oci.mount_context_type\": \"$k\"} | .mounts += [$TMPFS]"
		rt exec "$ID" grep ' /t ' /proc/self/mounts >"$T/o"
		has "$(cat "$T/o")" "[ ,]$k=\"?$FILE"
		gone
	done
	# it is for file systems that keep labels in attributes
	bundle sc2 ".linux.mountLabel = \"$FILE\" | .annotations = {\"run.oci.mount_context_type\": \"defcontext\"}" true
	refused 1 "/mounts/1: .*defcontext=$FILE" run_it
	no_cgroup
}

# A kernel of old takes all options in one text, where a label's commas stand in quotes.
se_old() {
	selinux
	[ -n "$CLEAT" ] || skip "cleat's fallbacks"
	printf '#!/bin/sh\nexec "%s" 4.19 "%s" "$@"\n' "$TOOLS/no-new-calls" "$RUNTIME" >"$T/cleat-old"
	chmod 755 "$T/cleat-old"
	RUNTIME=$T/cleat-old
	for o in "context=$OTHER" "context=\\\"$OTHER\\\"" "mode=700,context=\\\"$OTHER\\\""; do
		live sz ".process.selinuxLabel = \"${LAB%:c1,c2}:c0.c3\" | .linux.mountLabel = \"$FILE\" | .mounts |= map(select(.type != \"mqueue\"))
			| .mounts += [$TMPFS + {options: [\"nodev\", \"$o\"]}]"
		is "$(labels /t /dev/shm | sed 2d)" "process ${LAB%:c1,c2}:c0.c3
/t $OTHER
/dev/shm $FILE"
		gone
	done
}

# A label that the policy does not have: no container, no process, and the field is named.
se_unknown() {
	selinux
	want=
	for f in process.selinuxLabel linux.mountLabel; do
		for l in system_u:system_r:nobody_t:s0 system_u:system_r:lab_t:s0:c9 nothing; do
			[ -z "$CLEAT" ] || want="/$(echo $f | tr . /): .*$l.* is no label of the policy"
			bundle sn ".$f = \"$l\"" true
			refused 1 "$want" rt create --bundle "$B" "$ID"
			no_cgroup
			refused 1 "$want" run_it
			no_cgroup
		done
	done
	live sn2 ".process.selinuxLabel = \"$LAB\""
	[ -z "$CLEAT" ] || want='--process-label: .*system_u:system_r:nobody_t:s0.* is no label of the policy'
	refused 255 "$want" rt exec --process-label system_u:system_r:nobody_t:s0 "$ID" true
	[ -z "$CLEAT" ] || want='/selinuxLabel: .*nothing.* is no label of the policy'
	process '.selinuxLabel = "nothing"' true
	refused 255 "$want" rt exec --process "$T/p.json" "$ID"
	gone
}

# A label that the policy has and our domain may not take is the kernel's to refuse.
se_forbidden() {
	selinux
	for l in system_u:object_r:secret_t:s0 system_u:system_r:lab_three_t:s0; do
		want='[Pp]ermission denied'
		[ -z "$CLEAT" ] || want="$l.*$want"
		bundle sd ".process.selinuxLabel = \"$l\"" true
		got=0
		run_it >"$T/o" 2>"$T/e" || got=$?
		[ $got -ne 0 ] || fail "$l: it ran"
		has "$(cat "$T/e")" "$want"
		no_cgroup
	done
}

# Nothing changes where nobody asks: no file of SELinux is touched.
se_free() {
	selinux
	[ -n "$CLEAT" ] || skip "cleat's calls"
	command -v strace >/dev/null || skip "strace is not installed"
	bundle sx '' true
	status 0 strace -f -qq -o "$T/trace" -e trace=openat,open,statfs,write "$RUNTIME" --root "$ROOT" run --bundle "$B" "$ID"
	hasnt "$(cat "$T/trace")" 'selinux|/attr/'
}

se_permissive() {
	selinux
	echo 0 >/sys/fs/selinux/enforce
	volumes
	bundle sp "$VOLUMES | .process.selinuxLabel = \"$LAB\"" sh -c "/bin/probe labels; $WRITE"
	got=0
	status 0 run_it || got=1
	echo 1 >/sys/fs/selinux/enforce
	unvolumes
	[ $got = 0 ]
	has "$(cat "$T/o")" "^process $LAB\$"
	is "$(cat "$T/e")" ''
}

# A host without SELinux, or with its selinuxfs not mounted.
se_absent() {
	# shellcheck disable=SC2317	# called by name
	hidden() {
		unshare --mount sh -c '! mountpoint -q /sys/fs/selinux || umount /sys/fs/selinux; exec "$@"' sh "$@"
	}
	want=
	for f in process.selinuxLabel linux.mountLabel; do
		[ -z "$CLEAT" ] || want="/$(echo $f | tr . /): .*SELinux is not enabled"
		bundle sa ".$f = \"$LAB\"" true
		case $f:$CLEAT in linux*:) continue ;; esac	# runc asks the kernel, which mounts it
		refused 1 "$want" hidden timeout 60 "$RUNTIME" --root "$ROOT" run --bundle "$B" "$ID"
		no_cgroup
	done
}

if grep -qw selinuxfs /proc/filesystems && ! mountpoint -q /sys/fs/selinux; then
	mount -t selinuxfs selinuxfs /sys/fs/selinux
fi
cp "$TOOLS/probe" "$T/rootfs/bin/"
expect

t "AppArmor: profiles" profiles
t "AppArmor: init, with and without new privileges" aa_init
t "AppArmor: exec, its option, its document" aa_exec
t "AppArmor: a container's /proc is not asked" aa_fake_proc
t "AppArmor: with a user namespace" aa_userns
t "AppArmor: a profile that is not loaded is refused" aa_absent
t "SELinux: a label on a host without it is refused" se_absent
t "SELinux: a policy is loaded and enforced" policy
t "SELinux: init's label, and what it may write" se_init
t "SELinux: exec, its option, its document" se_exec
t "SELinux: a container's /proc is not asked" se_fake_proc
t "SELinux: with a user namespace" se_userns
t "SELinux: the session keyring has the process's label" se_keyring
t "SELinux: mountLabel is on what takes one" se_mounts
t "SELinux: a mount's own label wins over mountLabel" se_mount_own
t "SELinux: labels of mounts on a kernel without fsopen" se_old
t "SELinux: the four options for labels" se_mount_kinds
t "SELinux: a label that the policy does not have is refused" se_unknown
t "SELinux: a label that may not be taken" se_forbidden
t "SELinux: permissive" se_permissive
t "SELinux: nothing is asked of it where nobody wants a label" se_free
finish

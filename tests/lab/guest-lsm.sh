#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Labels of the kernel's security modules, in a guest that has one of them. TAP; what
# the guest does not have is skipped.
# shellcheck disable=SC2016,SC1091	# scripts for inside
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/guest-lib.sh"
suite guest-lsm

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

t "AppArmor: profiles" profiles
t "AppArmor: init, with and without new privileges" aa_init
t "AppArmor: exec, its option, its document" aa_exec
t "AppArmor: a container's /proc is not asked" aa_fake_proc
t "AppArmor: with a user namespace" aa_userns
t "AppArmor: a profile that is not loaded is refused" aa_absent
finish

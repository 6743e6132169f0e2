#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# What config.json says is what the container sees.
# shellcheck disable=SC2016	# scripts for inside
. "${0%/*}/../harness/lib.sh"
suite cli-config
cp "$TOOLS/probe" "$T/rootfs/bin/"

# inside FILTER SCRIPT: run SCRIPT in a container; its output in $T/o.
inside() {
	bundle in "$1" sh -c "$2"
	status 0 run_it
}

# cgroup_of CONTROLLER PID: the folder of the process, in v1 or v2.
cgroup_of() {
	p=$(awk -F: -v c="$1" '{ n = split($2, w, ","); for (i = 1; i <= n; i++) if (w[i] == c) print $3 }' "/proc/$2/cgroup")
	if [ -n "$p" ]; then
		V=1
		for d in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*,"$1" /sys/fs/cgroup/"$1",*; do
			[ -d "$d" ] && echo "$d$p" && return
		done
	fi
	echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$2/cgroup")"
}

# limit CONTROLLER V1FILE V2FILE: the value in force for the container made last.
limit() {
	d=$(cgroup_of "$1" "$(pid_of "$ID")")
	if [ -e "$d/$2" ]; then cat "$d/$2"; else cat "$d/$3"; fi
}

# ---- process -------------------------------------------------------------------------

ids() {
	inside '.process.user = {"uid": 12, "gid": 34, "additionalGids": [56, 78], "umask": 23}' \
		'id -u; id -g; id -G; umask; grep -E "^(Uid|Gid|Groups)" /proc/self/status'
	is "$(sed -n 1,4p "$T/o" | tr '\n' ' ')" "12 34 34 56 78 0027 "
	is "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "$T/o")" "12 12 12 12"
	is "$(awk '/^Groups/ { print $2, $3, $4 }' "$T/o")" "56 78 "
}
t "user: uid, gid, additional gids, umask" ids

umask_default() {
	bundle um '' sh -c umask
	( umask 077; status 0 run_it )
	is "$(cat "$T/o")" 0022
}
t "umask is 0022 when not given" umask_default

environ() {
	inside '.process.env += ["A=1", "B=with space", "A=2", "E="]' 'echo "$A|$B|${E-unset}|$HOME"; env | grep -c ^A='
	is "$(cat "$T/o")" "2|with space||/root
1"
	inside '.process.user.uid = 1000 | .process.env += ["HOME="]' 'echo $HOME'
	is "$(cat "$T/o")" /home
	SECRET=1 inside '' 'echo ${SECRET-none}'
	is "$(cat "$T/o")" none
}
t "env: later wins, HOME from passwd, nothing of ours" environ

big_env() {
	inside '.process.env += [range(2000) | "V\(.)=" + ("x" * 90)]' 'echo $V1999 | wc -c'
	is "$(cat "$T/o")" 91
}
t "env: 200 KB of it" big_env

cwd() {
	inside '.process.cwd = "/made/for/it"' 'pwd; stat -c "%a %u" .'
	is "$(cat "$T/o")" "/made/for/it
755 0"
	mkdir -m 0700 "$T/rootfs/priv"
	chown 1000 "$T/rootfs/priv"
	inside '.process.cwd = "/priv" | .process.user.uid = 1000' 'pwd'
	is "$(cat "$T/o")" /priv
}
t "cwd: made when missing; a folder only the user may enter" cwd

path_lookup() {
	mkdir -p "$T/rootfs/x1" "$T/rootfs/x2"
	printf '#!/bin/sh\necho found $0\n' >"$T/rootfs/x2/tool"
	cp "$T/rootfs/x2/tool" "$T/rootfs/x1/tool"
	chmod 0755 "$T/rootfs/x2/tool"
	chmod 0644 "$T/rootfs/x1/tool"
	bundle pl '.process.env = ["PATH=/x1:/x2:/bin"]' tool
	status 0 run_it
	is "$(cat "$T/o")" "found /x2/tool"
}
t "args[0] is looked up in the container's PATH" path_lookup

capabilities() {
	inside '.process.capabilities = {bounding: ["CAP_KILL","CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]} | .process.user.uid = 5' 'grep ^Cap /proc/self/status'
	is "$(awk '{ printf "%s ", substr($2, 9) }' "$T/o")" "00000020 00000020 00000020 00000021 00000020 "
	inside '.process.capabilities = {}' 'grep ^Cap /proc/self/status'
	is "$(awk '{ printf "%s ", substr($2, 9) }' "$T/o")" "00000000 00000000 00000000 00000000 00000000 "
	inside 'del(.process.capabilities)' 'grep ^CapEff /proc/self/status'
	is "$(awk '{ printf "%s ", $2 }' "$T/o")" "0000000000000000 "
}
t "capabilities: five sets, none" capabilities

cap_unknown() {
	bundle cu '.process.capabilities.bounding += ["CAP_NEVER_WAS"] | .process.capabilities.effective += ["CAP_NEVER_WAS"]' \
		grep CapEff /proc/self/status
	status 0 run_it
	is "$(awk '{ print $2 }' "$T/o")" 0000000020000420
	if [ -n "$CLEAT" ]; then has "$(cat "$T/e")" CAP_NEVER_WAS; fi
}
t "an unknown capability is warned of and skipped" cap_unknown

nnp() {
	inside '' 'grep NoNewPrivs /proc/self/status'
	has "$(cat "$T/o")" '1$'
	inside '.process.noNewPrivileges = false' 'grep NoNewPrivs /proc/self/status'
	has "$(cat "$T/o")" '0$'
}
t "noNewPrivileges" nnp

rlimits() {
	inside '.process.rlimits = [{type:"RLIMIT_NOFILE",soft:100,hard:200},{type:"RLIMIT_CORE",soft:0,hard:0},
		{type:"RLIMIT_STACK",soft:1048576,hard:2097152}]' 'cat /proc/self/limits'
	is "$(awk '/^Max open files/ { print $4, $5 }' "$T/o")" "100 200"
	is "$(awk '/^Max core/ { print $5, $6 }' "$T/o")" "0 0"
	is "$(awk '/^Max stack/ { print $4, $5 }' "$T/o")" "1048576 2097152"
}
t "rlimits" rlimits

oom_adj() {
	inside '.process.oomScoreAdj = 321' 'cat /proc/self/oom_score_adj'
	is "$(cat "$T/o")" 321
	inside '' 'cat /proc/self/oom_score_adj'
	is "$(cat "$T/o")" "$(cat /proc/self/oom_score_adj)"
}
t "oomScoreAdj" oom_adj

names() {
	inside '.hostname = "a-host" | .domainname = "a.domain"' 'hostname; cat /proc/sys/kernel/domainname'
	is "$(head -n 1 "$T/o")" a-host
	[ -z "$CLEAT" ] || is "$(tail -n 1 "$T/o")" a.domain
}
t "hostname, domainname" names

session() {
	inside '' 'cut -d" " -f 1,4-7 /proc/1/stat'
	is "$(cat "$T/o")" "1 0 1 1 0"
}
t "init is PID 1, leads its session, has no terminal" session

# ---- mounts ------------------------------------------------------------------------------

volumes() {
	mkdir -p "$T/vol/sub"
	echo data >"$T/vol/f"
	echo single >"$T/one"
	inside '.mounts += [
		{destination: "/v/rw", type: "bind", source: ($T + "/vol"), options: ["rbind", "rw"]},
		{destination: "/v/ro", type: "bind", source: ($T + "/vol"), options: ["bind", "ro"]},
		{destination: "/v/file", type: "none", source: ($T + "/one"), options: ["bind", "nosuid", "nodev", "noexec"]}]' '
		cat /v/rw/f /v/file
		echo new >/v/rw/n && echo written
		echo new >/v/ro/n || echo refused
		grep " /v/" /proc/self/mountinfo | cut -d" " -f 5,6 | sort'
	has "$(cat "$T/o")" '^refused$'
	is "$(cat "$T/vol/n")" new
	has "$(grep '^/v/ro' "$T/o")" '^/v/ro ro'
	has "$(grep '^/v/rw' "$T/o")" '^/v/rw rw'
	has "$(grep '^/v/file' "$T/o")" 'nosuid,nodev,noexec'
	[ -f "$T/rootfs/v/file" ]
}
t "bind mounts: folder, file, read-only, flags" volumes

volume_relative() {
	bundle rel '.mounts += [{destination: "/rel", type: "bind", source: "data", options: ["bind"]}]' cat /rel/f
	mkdir -p "$B/data"
	echo here >"$B/data/f"
	status 0 run_it
	is "$(cat "$T/o")" here
}
t "a relative bind source is the bundle's" volume_relative

tmpfs() {
	mkdir -m 0751 -p "$T/rootfs/tm"
	chmod 0751 "$T/rootfs/tm"
	inside '.mounts += [
		{destination: "/tm", type: "tmpfs", source: "tmpfs", options: ["noexec", "size=64k"]},
		{destination: "/tm2", type: "tmpfs", source: "tmpfs", options: ["mode=1770", "ro"]}]' '
		stat -c %a /tm /tm2
		grep " /tm" /proc/self/mountinfo | cut -d" " -f 5,6
		dd if=/dev/zero of=/tm/x bs=1k count=100 2>/dev/null || echo full
		touch /tm2/x || echo ro'
	has "$(cat "$T/o")" '^full$'
	has "$(cat "$T/o")" '^ro$'
	is "$(sed -n 2p "$T/o")" 1770
	if [ -n "$CLEAT" ]; then is "$(sed -n 1p "$T/o")" 751; fi
	has "$(cat "$T/o")" '^/tm rw.*noexec'
}
t "tmpfs: size, mode, the folder's own mode, ro" tmpfs

# Callers that take mount(8)'s words hand them on as they are.
tmpfs_words() {
	mkdir -p "$T/rootfs/tm"
	chmod 0751 "$T/rootfs/tm"
	inside '.mounts += [{destination: "/tm", type: "tmpfs", source: "tmpfs", options: ["noexec", "size=64k,mode=0711,uid=7"]}]' '
		stat -c "%a %u" /tm
		grep " /tm" /proc/self/mountinfo'
	has "$(cat "$T/o")" '^711 7$'
	has "$(cat "$T/o")" 'noexec.*size=64k'
}
t "tmpfs: many options in one word" tmpfs_words

mount_links() {
	mkdir -p "$T/vol2" "$T/rootfs/real"
	echo seen >"$T/vol2/f"
	ln -sfn /real "$T/rootfs/link"
	ln -sfn ../../../../../../real "$T/rootfs/updots"
	inside '.mounts += [
		{destination: "/link/a", type: "bind", source: ($T + "/vol2"), options: ["bind"]},
		{destination: "/updots/b", type: "bind", source: ($T + "/vol2"), options: ["bind"]}]' 'cat /real/a/f /real/b/f'
	is "$(cat "$T/o")" "seen
seen"
	rm "$T/rootfs/link" "$T/rootfs/updots"
}
t "symlinks in a destination stay in the root" mount_links

readonly_root() {
	inside '.root.readonly = true' 'touch /x || echo ro; touch /dev/shm/x && echo shm; echo >/dev/null && echo null'
	is "$(cat "$T/o")" "ro
shm
null"
}
t "root.readonly" readonly_root

masked() {
	mkdir -p "$T/rootfs/secret" "$T/rootfs/half"
	echo top >"$T/rootfs/secret/f"
	echo top >"$T/rootfs/sf"
	inside '.linux.maskedPaths += ["/secret", "/sf", "/no/such"] | .linux.readonlyPaths += ["/half", "/no/such"]' '
		ls -A /secret; cat /sf; wc -c </sf
		touch /secret/x || echo r1; touch /half/x || echo r2; echo 1 >/proc/sys/kernel/pid_max || echo r3'
	is "$(cat "$T/o")" "0
r1
r2
r3"
}
t "maskedPaths, readonlyPaths" masked

propagation() {
	for p in private rprivate slave rslave; do
		bundle prop '.linux.rootfsPropagation = "'$p'"' sleep 100
		detached
		hasnt "$(awk '$5 == "/"' "/proc/$(pid_of "$ID")/mountinfo")" 'shared:'
		gone
	done
	[ -n "$CLEAT" ] || return 0
	bundle prop2 '.linux.rootfsPropagation = "shared"' sleep 100
	detached
	has "$(awk '$5 == "/"' "/proc/$(pid_of "$ID")/mountinfo")" 'shared:'
	gone
}
t "rootfsPropagation" propagation

many_mounts() {
	mkdir -p "$T/mm"
	inside '.mounts += [range(300) | {destination: "/mm/\(.)", type: "bind", source: ($T + "/mm"), options: ["bind"]}]' \
		'grep -c " /mm/" /proc/self/mountinfo'
	is "$(cat "$T/o")" 300
}
t "300 mounts" many_mounts

own_proc_sys() {
	inside '' 'stat -f -c %T /proc /sys /dev /dev/pts /dev/shm; ls /sys/class/net; awk "\$5 == \"/sys\" { print \$6 }" /proc/self/mountinfo'
	is "$(sed -n '6p' "$T/o")" lo
	has "$(tail -n 1 "$T/o")" '^ro,nosuid,nodev,noexec'
}
t "/proc, /sys, /dev are the container's own" own_proc_sys

cgroup_mount() {
	inside '' 'ls /sys/fs/cgroup; cat /proc/self/cgroup; touch /sys/fs/cgroup/x || echo ro'
	has "$(cat "$T/o")" '^ro$'
	if [ -d /sys/fs/cgroup/memory ]; then
		has "$(cat "$T/o")" '^memory$'
	else
		has "$(cat "$T/o")" '^cgroup.procs$'
	fi
}
t "the cgroup mount" cgroup_mount

cgroup_ns() {
	inside '.linux.namespaces += [{type: "cgroup"}]' 'cut -d: -f3 /proc/self/cgroup | sort -u; ls /sys/fs/cgroup/memory/ /sys/fs/cgroup | grep -c "^cgroup.procs\|^cgroup.procs"'
	is "$(head -n 1 "$T/o")" /
	has "$(tail -n 1 "$T/o")" '[12]'
}
t "a cgroup namespace" cgroup_ns

# ---- devices -----------------------------------------------------------------------------------

devices() {
	inside '.linux.devices = [{path: "/dev/mine/a", type: "c", major: 1, minor: 3, fileMode: 432, uid: 3, gid: 4},
		{path: "/dev/fifo", type: "p", fileMode: 384}]' '
		stat -c "%n %F %t:%T %a" /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
		stat -c "%n %F %t:%T %a %u:%g" /dev/mine/a
		stat -c "%n %F %a" /dev/fifo
		for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done'
	is "$(cat "$T/o")" "/dev/null character special file 1:3 666
/dev/zero character special file 1:5 666
/dev/full character special file 1:7 666
/dev/random character special file 1:8 666
/dev/urandom character special file 1:9 666
/dev/tty character special file 5:0 666
/dev/mine/a character special file 1:3 660 3:4
/dev/fifo fifo 600
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx"
}
t "default devices and links, own devices with owner and mode" devices

device_rules() {
	caps='.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYSLOG"]) | .process.capabilities.ambient = []'
	inside "$caps" '
		mknod /kmsg c 1 11 && echo made
		head -c 0 /kmsg || echo denied
		head -c 1 /dev/zero | wc -c
		echo x >/dev/null && echo null; rm /kmsg'
	is "$(cat "$T/o")" "made
denied
1
null"
	inside "$caps"' | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "rm"}]' '
		mknod /kmsg c 1 11
		( : </kmsg ) && echo readable
		( : >/kmsg ) || echo "not writable"; rm /kmsg'
	is "$(cat "$T/o")" "readable
not writable"
}
t "device rules: denied by default, allowed by rule and access" device_rules

# ---- namespaces ----------------------------------------------------------------------------------

ns_new() {
	inside '.linux.namespaces += [{type: "cgroup"}]' 'for n in pid net ipc uts mnt user cgroup; do readlink /proc/self/ns/$n; done'
	for n in pid net ipc uts mnt cgroup; do
		hasnt "$(cat "$T/o")" "$(readlink /proc/self/ns/$n | sed 's/[][]/./g')"
	done
	has "$(cat "$T/o")" "$(readlink /proc/self/ns/user | sed 's/[][]/./g')"
	inside '.linux.namespaces = [{type: "mount"}] | del(.hostname)' 'for n in pid net ipc uts; do readlink /proc/self/ns/$n; done'
	is "$(cat "$T/o")" "$(for n in pid net ipc uts; do readlink /proc/self/ns/$n; done)"
}
t "namespaces: new ones, inherited ones" ns_new

loopback() {
	inside '' 'ip -o link show lo 2>/dev/null || ifconfig lo; ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1; cat /sys/class/net/lo/operstate; cat /sys/class/net/lo/flags'
	is "$(tail -n 1 "$T/o")" 0x9
}
t "the loopback is up in a new network namespace" loopback

ns_path() {
	bundle first '' sleep 100
	detached
	a=$ID
	p=$(pid_of "$a")
	for n in pid:pid network:net ipc:ipc uts:uts; do
		bundle "join${n%:*}" "del(.hostname) | .linux.namespaces |= map(if .type == \"${n%:*}\" then .path = \"/proc/$p/ns/${n#*:}\" else . end)" \
			readlink "/proc/self/ns/${n#*:}"
		status 0 run_it
		is "$(cat "$T/o")" "$(readlink "/proc/$p/ns/${n#*:}")"
	done
	# all of them at once, and the other's processes are seen
	bundle joinall "del(.hostname) | .linux.namespaces = [{type:\"mount\"},{type:\"pid\",path:\"/proc/$p/ns/pid\"},
		{type:\"network\",path:\"/proc/$p/ns/net\"},{type:\"ipc\",path:\"/proc/$p/ns/ipc\"},{type:\"uts\",path:\"/proc/$p/ns/uts\"}]" \
		sh -c 'hostname; ps | grep -c "sleep 100"; test $$ != 1 && echo second'
	status 0 run_it
	is "$(head -n 1 "$T/o")" cleat-test
	has "$(cat "$T/o")" '^second$'
	gone "$a"
}
t "namespaces by path: each kind, all together" ns_path

userns='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .mounts |= map(select(.type != "cgroup"))'

user_ns() {
	rm -rf "$T/uroot"
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:300000 "$T/uroot"
	bundle uns "$userns"' | .root.path = $T + "/uroot"' \
		sh -c 'id -u; awk "{print \$1,\$2,\$3}" /proc/self/uid_map /proc/self/gid_map; touch /made; stat -c "%u %g" /made /dev/null /dev/zero; echo x >/dev/null; cat /proc/self/setgroups; hostname'
	run_it >"$T/o"
	is "$(sed -n 1p "$T/o")" 0
	is "$(sed -n 2p "$T/o")" "0 200000 65536"
	is "$(sed -n 3p "$T/o")" "0 300000 65536"
	is "$(sed -n 4p "$T/o")" "0 0"
	has "$(cat "$T/o")" '^cleat-test$'
	is "$(stat -c %u "$T/uroot/made")" 200000
	# exec goes into it as well
	bundle uns2 "$userns"' | .root.path = $T + "/uroot"' sleep 100
	detached
	is "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of "$ID")/status")" 200000
	is "$(rt exec "$ID" sh -c 'id -u; cat /proc/self/uid_map | wc -l; readlink /proc/self/ns/user')" "0
1
$(readlink "/proc/$(pid_of "$ID")/ns/user")"
	is "$(rt exec -u 7:8 "$ID" sh -c 'id -u; id -g' | tr '\n' ' ')" "7 8 "
	gone
}
t "a user namespace: maps, owners, devices, exec" user_ns

user_ns_path() {
	[ -n "$CLEAT" ] || skip "runc 1.1 wants maps beside the path"
	[ -d "$T/uroot" ] || skip "no root for it"
	bundle un1 "$userns"' | .root.path = $T + "/uroot"' sleep 100
	detached
	a=$ID
	p=$(pid_of "$a")
	bundle un2 "$userns"' | .root.path = $T + "/uroot" | del(.linux.uidMappings, .linux.gidMappings)
		| .linux.namespaces |= map(if .type == "user" then .path = "/proc/'"$p"'/ns/user" else . end)' \
		sh -c 'readlink /proc/self/ns/user; id -u; cat /proc/self/uid_map'
	status 0 run_it
	is "$(head -n 1 "$T/o")" "$(readlink "/proc/$p/ns/user")"
	is "$(sed -n 2p "$T/o")" 0
	gone "$a"
}
t "a user namespace by path" user_ns_path

sysctls() {
	inside '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "80", "kernel/shm_rmid_forced": "1", "net.ipv4.conf.lo.forwarding": "1"}' \
		'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/conf/lo/forwarding'
	is "$(tr '\n' ' ' <"$T/o")" "80 1 1 "
}
t "sysctl" sysctls

# ---- cgroups ------------------------------------------------------------------------------------------

limits() {
	bundle lim '.linux.resources += {
		memory: {limit: 67108864}, pids: {limit: 33}, cpu: {shares: 2048, quota: 25000, period: 50000, cpus: "0", mems: "0"}}' sleep 100
	detached
	is "$(limit memory memory.limit_in_bytes memory.max)" 67108864
	is "$(limit pids pids.max pids.max)" 33
	is "$(limit cpuset cpuset.cpus cpuset.cpus)" 0
	if [ -d /sys/fs/cgroup/cpu ]; then
		is "$(limit cpu cpu.shares -)" 2048
		is "$(limit cpu cpu.cfs_quota_us -)" 25000
		is "$(limit cpu cpu.cfs_period_us -)" 50000
	else
		is "$(limit cpu - cpu.max)" "25000 50000"
	fi
	gone
}
t "resources: memory, pids, cpu, cpuset" limits

pids_limit() {
	bundle pl2 '.linux.resources.pids = {limit: 8}' sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait'
	run_it >"$T/o" 2>&1 || :
	has "$(cat "$T/o")" 'fork'
}
t "pids.limit holds" pids_limit

oom() {
	bundle oom '.linux.resources.memory = {limit: 20971520, swap: 20971520}' dd if=/dev/zero of=/dev/null bs=200M count=1
	got=0
	run_it >"$T/o" 2>&1 || got=$?
	is "$got" 137
}
t "memory.limit: over it means killed, 137" oom

oom_early() {
	[ -n "$CLEAT" ] || skip "runc says it in other words"
	bundle oom2 '.linux.resources.memory = {limit: 8192}' true
	for i in 1 2 3; do
		status 1 run_it
		has "$(cat "$T/e")" 'container init was OOM-killed'
	done
}
t "memory.limit: too low for init, and it says so" oom_early

cgroup_exists() {
	bundle ce '' sleep 100
	for d in /sys/fs/cgroup/pids /sys/fs/cgroup; do
		[ -e "$d/cgroup.procs" ] || continue
		mkdir "$d/$TAG-ce"
		sleep 60 &
		p=$!
		echo $p >"$d/$TAG-ce/cgroup.procs"
		break
	done
	[ -z "$CLEAT" ] || refused 1 "cgroup|processes|empty" rt create -b "$B" "$ID"
	kill $p
	wait $p || :
	rmdir "$d/$TAG-ce"
}
t "create into a cgroup that holds processes is refused" cgroup_exists

cgroup_default() {
	bundle cd 'del(.linux.cgroupsPath)' sleep 100
	detached
	has "$(cat "/proc/$(pid_of "$ID")/cgroup")" "/$ID\$"
	gone
	bundle cd2 '.linux.cgroupsPath = "/" + $TAG + "/a/b"' sleep 100
	detached
	has "$(cat "/proc/$(pid_of "$ID")/cgroup")" ":/$TAG/a/b\$"
	gone
	find /sys/fs/cgroup -depth -type d \( -path "*/$TAG/a" -o -path "*/$TAG" \) -exec rmdir {} \; 2>/dev/null || :
}
t "cgroupsPath: absent, nested" cgroup_default

# ---- seccomp --------------------------------------------------------------------------------------------

seccomp_errno() {
	inside '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95},
		{names: ["chmod", "fchmodat", "no_such_call"], action: "SCMP_ACT_ERRNO"},
		{names: ["kill"], action: "SCMP_ACT_ERRNO", errnoRet: 3, args: [{index: 1, value: 10, op: "SCMP_CMP_EQ"}]}]}' '
		mkdir /mm1 2>&1; chmod 700 /tmp 2>&1
		sleep 5 & kill -USR1 $! 2>&1; kill -9 $! 2>&1 && echo killed
		grep ^Seccomp: /proc/self/status'
	has "$(cat "$T/o")" 'mkdir:.*(not supported)'
	has "$(cat "$T/o")" 'chmod:.*not permitted'
	has "$(cat "$T/o")" 'No such process|no such process'
	has "$(cat "$T/o")" '^killed$'
	has "$(cat "$T/o")" '^Seccomp:.2$'
}
t "seccomp: errno, arguments, unknown names" seccomp_errno

seccomp_twice() {
	for i in 1 2 3; do
		seccomp_errno
	done
	bundle sx '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}' sleep 100
	detached
	got=0
	rt exec "$ID" mkdir /mm2 2>"$T/e" || got=$?
	is "$got" 1
	has "$(rt exec "$ID" grep Seccomp: /proc/self/status)" '2$'
	gone
}
t "seccomp: again from the cache, and for exec" seccomp_twice

seccomp_kill() {
	bundle sk '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["sync"], action: "SCMP_ACT_KILL_PROCESS"}]}' sync
	status 159 run_it
}
t "seccomp: killed by SIGSYS is 159" seccomp_kill

seccomp_arch() {
	[ "$(uname -m)" = x86_64 ] || skip "x86 only"
	bundle sa '' /bin/probe int80
	run_it >"$T/o" 2>&1 || skip "no 32-bit calls in this kernel"
	bundle sa2 '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
		syscalls: [{names: ["sync"], action: "SCMP_ACT_ERRNO"}]}' /bin/probe int80
	got=0
	run_it >"$T/o" 2>&1 || got=$?
	[ "$got" -gt 128 ] || fail "a call by another ABI went through: $(cat "$T/o")"
}
t "seccomp: another ABI's calls do not slip through" seccomp_arch

# ---- hooks ------------------------------------------------------------------------------------------------

hooks() {
	[ -n "$CLEAT" ] || skip "runc 1.1 runs poststart after create"
	mkdir -p "$T/hk" "$T/rootfs/hk"
	cat >"$T/hk/hook" <<-'END'
		#!/bin/sh
		# hook FOLDER NAME: keep stdin, order and surroundings.
		cat >"$1/$2.json"
		echo "$2" >>"$1/order"
		{ echo "env $(env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort | tr '\n' ' ')"; echo "pwd $(pwd)"; readlink /proc/self/ns/mnt; } >"$1/$2.env"
	END
	chmod 0755 "$T/hk/hook"
	cp "$T/hk/hook" "$T/rootfs/bin/hook"
	bundle hk '.annotations = {k: "v/w"} | .mounts += [{destination: "/hk", type: "bind", source: ($T + "/hk"), options: ["bind"]}]
		| .hooks = ((["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
			| map({(.): [{path: ($T + "/hk/hook"), args: ["hook", ($T + "/hk"), .], env: ["X=" + ., "PATH=/bin:/usr/bin"]}]}) | add)
			+ {startContainer: [{path: "/bin/hook", args: ["hook", "/hk", "startContainer"], env: ["PATH=/bin"]}]})' \
		sh -c 'echo main >>/hk/order; sleep 100'
	rt create -b "$B" "$ID" </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
	pid=$(pid_of "$ID")
	is "$(tr '\n' ' ' <"$T/hk/order")" "prestart createRuntime createContainer "
	rt start "$ID"
	until_true 5 grep -q main "$T/hk/order"
	has "$(tr '\n' ' ' <"$T/hk/order")" "createContainer startContainer (main poststart|poststart main) $"
	gone
	is "$(tail -n 1 "$T/hk/order")" poststop
	for h in prestart createRuntime; do
		is "$(jq -r '[.id, .status, .pid, .bundle, .annotations.k] | join(" ")' <"$T/hk/$h.json")" "$ID creating $pid $B v/w"
	done
	is "$(jq -r .status <"$T/hk/createContainer.json")" creating
	if [ -n "$CLEAT" ]; then
		is "$(jq -r .pid <"$T/hk/createContainer.json")" 1
		is "$(jq -r '.status + " " + (.pid | tostring)' <"$T/hk/startContainer.json")" "created 1"
	fi
	is "$(jq -r '.status + " " + (.pid | tostring)' <"$T/hk/poststart.json")" "running $pid"
	is "$(jq -r .status <"$T/hk/poststop.json")" stopped
	is "$(sed -n 's/^env //p' "$T/hk/createRuntime.env")" "PATH=/bin:/usr/bin X=createRuntime "
	[ "$(sed -n 3p "$T/hk/createContainer.env")" != "$(readlink /proc/self/ns/mnt)" ]
	is "$(sed -n 3p "$T/hk/createRuntime.env")" "$(readlink /proc/self/ns/mnt)"
	for h in prestart createContainer startContainer poststart poststop; do
		jq -e 'has("ociVersion")' <"$T/hk/$h.json" >/dev/null
	done
}
t "hooks: order, state on stdin, environment, namespaces" hooks

hook_fails() {
	mkdir -p "$T/hk"
	printf '#!/bin/sh\necho because >&2\nexit 3\n' >"$T/hk/bad"
	chmod 0755 "$T/hk/bad"
	printf '#!/bin/sh\necho post >>%s/hk/post\n' "$T" >"$T/hk/post-hook"
	chmod 0755 "$T/hk/post-hook"
	for h in prestart createRuntime createContainer; do
		rm -f "$T/hk/post"
		bundle hf '.hooks = {'$h': [{path: ($T + "/hk/bad")}], poststop: [{path: ($T + "/hk/post-hook")}]}'
		status 1 rt create -b "$B" "$ID"
		has "$(tail -n 1 "$T/e")" 'hook'
		if [ -n "$CLEAT" ]; then
			has "$(tail -n 1 "$T/e")" "because|status 3|exit.* 3"
			is "$(cat "$T/hk/post")" post
		fi
	done
	cp "$T/hk/bad" "$T/rootfs/bin/badhook"
	bundle hf2 '.hooks = {startContainer: [{path: "/bin/badhook"}]}'
	rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	[ -z "$CLEAT" ] || status 1 rt start "$ID"
	gone
	bundle hf3 '.hooks = {poststop: [{path: ($T + "/hk/bad")}]}'
	[ -z "$CLEAT" ] || status 0 run_it
}
t "hooks that fail: create and start fail, poststop only warns" hook_fails

hook_hangs() {
	mkdir -p "$T/hk"
	[ -n "$CLEAT" ] || skip "runc waits for the hook's children"
	printf '#!/bin/sh\nsleep 300 & sleep 300\n' >"$T/hk/hang"
	chmod 0755 "$T/hk/hang"
	bundle hh '.hooks = {createRuntime: [{path: ($T + "/hk/hang"), timeout: 1}]}'
	status 1 rt create -b "$B" "$ID"
	has "$(tail -n 1 "$T/e")" 'hook'
	# leaves a child that holds its pipes
	[ -n "$CLEAT" ] || return 0
	printf '#!/bin/sh\nsleep 3 &\nexit 0\n' >"$T/hk/bg"
	chmod 0755 "$T/hk/bg"
	bundle hh2 '.hooks = {createRuntime: [{path: ($T + "/hk/bg")}]}'
	a=$(date +%s%N)
	status 0 run_it
	[ $((($(date +%s%N) - a) / 1000000)) -lt 2000 ] || fail "waited for the hook's child"
	sleep 3
}
LEAK_WAIT=4
t "hooks that hang are killed with their children; a child left does not block" hook_hangs
LEAK_WAIT=1

# ---- unknown ------------------------------------------------------------------------------------------------

unknown_keys() {
	bundle uk '.zz = {a: [1, {b: null}]} | .process.later = "x" | .linux.futureThing = [{}]' true
	status 0 run_it
}
t "unknown keys are skipped" unknown_keys

not_built() {
	[ -n "$CLEAT" ] || skip "cleat's own refusals"
	while read -r what filter; do
		bundle nb "$filter"
		refused 1 "$what" rt run -b "$B" "$ID"
	done <<-'END'
		uidMappings .mounts[0].uidMappings=[{"containerID":0,"hostID":1,"size":1}]|.mounts[0].gidMappings=[{"containerID":0,"hostID":1,"size":1}]
	END
}
t "known keys that are not built are refused by name" not_built

changed_later() {
	[ -n "$CLEAT" ] || skip "runc reads the bundle again"
	bundle cl '' sleep 100
	rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	rm "$B/config.json"
	rt start "$ID"
	rt exec "$ID" true
	gone
}
t "after create the bundle is not needed" changed_later

finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# The same config.json by runc and by us: what the container's program sees of
# itself must be the same, but for ids and numbers that are each run's own.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP compares cleat with runc"
	exit 0
fi
suite cli-compare
command -v runc >/dev/null || { echo "1..0 # SKIP runc is not installed"; exit 0; }

# Everything a program can find out about its surroundings, without what differs by nature:
# pids, inode numbers of namespaces, mount ids, device numbers of new mounts, the container's name.
cat >"$T/rootfs/bin/dump" <<'END'
#!/bin/sh
part() { echo "== $1"; }
part ids; id -u; id -g; id -G
part status
grep -E '^(Umask|Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|SigBlk|SigIgn|SigCgt|THP_enabled|CoreDumping)' /proc/self/status
part limits; cat /proc/self/limits
part namespaces; ls /proc/self/ns
for n in pid net ipc uts mnt user cgroup time; do
	a=$(readlink /proc/self/ns/$n); grep -q -F "$a" /tmp/host-ns && echo "$n host" || echo "$n new"
done
part maps; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
part environment; env | sort
part arguments; tr '\0' '\n' </proc/self/cmdline | tail -n 2
part folder; pwd; umask
part fds; ls /proc/self/fd | grep -v -x 3
part oom; cat /proc/self/oom_score_adj
part names; hostname; cat /proc/sys/kernel/domainname
part session; cut -d' ' -f 1,4,5,6,7 /proc/1/stat
part cgroup; sed 's/^[0-9]*://' /proc/self/cgroup | sort
part mounts
awk '{
	opt = ""
	for (i = 7; $i != "-"; i++) { sub(/:.*/, "", $i); opt = opt " " $i }
	root = $4; if ($(i+1) == "ext4" || $(i+1) == "overlay") root = "-"
	print $5, root, $6, opt, $(i+1), ($(i+1) ~ /^(tmpfs|devpts|proc|sysfs|cgroup|cgroup2|mqueue)$/ ? $(i+3) : "")
}' /proc/self/mountinfo
part devices; ls -ln /dev | awk 'NR > 1 { $6 = $7 = $8 = ""; print }'; ls -ln /dev/pts /dev/shm /dev/mqueue | grep -v ^total | awk '{ $6 = $7 = $8 = ""; print }'
part masks; for f in /proc/kcore /proc/keys /proc/timer_list /proc/acpi /sys/firmware /proc/scsi; do
	[ -d $f ] && echo "$f folder $(ls -A $f | wc -l)"; [ -f $f ] && echo "$f file $(wc -c <$f)"; [ -c $f ] && echo "$f device"; done
part writable; for f in /proc/sys/kernel/pid_max /proc/sysrq-trigger /proc/irq /sys /proc/bus /proc/fs; do [ -w $f ] && echo "$f may be written"; done
part network; cat /sys/class/net/*/flags; ls /sys/class/net
part sysctl; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced 2>/dev/null
part keyring; cut -c 1-200 /proc/key-users 2>/dev/null | wc -l
part scheduling; cut -d' ' -f 18,19,40,41 /proc/self/stat; grep -E '^(Cpus_allowed_list|Mems_allowed_list)' /proc/self/status
part stdio; for f in 0 1 2; do [ -w /proc/self/fd/$f ] && echo $f writable; done
END
chmod 0755 "$T/rootfs/bin/dump"
for n in pid net ipc uts mnt user cgroup time; do readlink /proc/self/ns/$n; done >"$T/rootfs/tmp/host-ns"

# Where we differ from runc 1.1 on purpose is taken out here, line by line:
# - masks are made of a host's null device and of a smaller tmpfs (what they hide is in "masks");
# - the tmpfs of the cgroup mount is read-only when it was asked to be;
# - on a hybrid host runc enters the empty v2 hierarchy as well;
# - a tmpfs takes the mode of what it covers;
# - the root of mqueue in a user namespace;
# - signals 32 and 33, the C library's own, that the caller ignored.
sorted() {
	sed -E -e 's/^(SigIgn:).*(........)$/\1 \2/' -e '/^SigIgn: [89a-f]/{s/ 8/ 0/;s/ 9/ 1/;s/ a/ 2/;s/ b/ 3/;s/ c/ 4/;s/ d/ 5/;s/ e/ 6/;s/ f/ 7/}' \
		-e '/^\/(proc|sys)\/(acpi|keys|timer_list|kcore|firmware|scsi|asound|latency_stats|timer_stats|sched_debug) /s/ .*//' \
		-e '/^\/sys\/fs\/cgroup \/ r[ow],/s/ .*//' -e '/^\/sys\/fs\/cgroup\/unified /d' -e '/^:\//d' \
		-e 's/,mode=755//' -e '/ mqueue$/d' -e 's/^(\/proc\/timer_list file) .*/\1/' "$1" |
		awk '/^== / { part = $0; print part " 0"; next } { print part, "1", $0 }' | LC_ALL=C sort
}

# same FILTER [COMMAND...]: run it by both.
same() {
	filter=$1
	shift
	[ $# -gt 0 ] || set -- /bin/dump
	bundle cmp "$filter" "$@"
	mkdir -p "$T/runc"
	a=0 b=0
	timeout 60 runc --root "$T/runc" run --bundle "$B" "$ID" >"$T/by-runc" 2>"$T/runc.err" </dev/null || a=$?
	rt run --bundle "$B" "$ID" >"$T/by-cleat" 2>"$T/cleat.err" </dev/null || b=$?
	[ "$a" = "$b" ] || fail "status $a by runc ($(cat "$T/runc.err")), $b by cleat ($(cat "$T/cleat.err"))"
	[ -s "$T/by-cleat" ]
	sorted "$T/by-runc" >"$T/1"
	sorted "$T/by-cleat" >"$T/2"
	diff -u "$T/1" "$T/2" >"$T/diff" || fail "runc (-) and cleat (+) differ: $(grep '^[-+]' "$T/diff")"
}

t "the usual config" same ''
t "a user, groups, umask" same '.process.user = {uid: 12, gid: 34, additionalGids: [56, 78], umask: 63}'
t "capabilities with ambient ones" same '.process.user.uid = 9 | .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_SETUID"],
	permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
t "no capabilities" same 'del(.process.capabilities)'
t "rlimits, oom score, new privileges" same '.process.rlimits += [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_STACK", soft: 1048576, hard: 4194304}]
	| .process.oomScoreAdj = 77 | .process.noNewPrivileges = false'
t "environment, folder" same '.process.env += ["A=b c", "HOME=/x", "A=d"] | .process.cwd = "/usr"'
t "a read-only root" same '.root.readonly = true'
t "the host's namespaces" same '.linux.namespaces = [{type: "mount"}] | del(.hostname) | .mounts |= map(select(.type != "mqueue"))'
t "a cgroup namespace" same '.linux.namespaces += [{type: "cgroup"}]'
t "seccomp" same '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"], syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}'
t "mounts of every kind" same '.mounts += [
	{destination: "/a/b", type: "tmpfs", source: "t", options: ["nosuid", "noexec", "size=1m", "mode=0750"]},
	{destination: "/a/ro", type: "bind", source: "/etc", options: ["rbind", "ro", "nosuid", "nodev"]},
	{destination: "/a/f", type: "bind", source: "/etc/passwd", options: ["bind", "ro"]},
	{destination: "/a/p", type: "bind", source: "/usr", options: ["rbind", "rslave"]},
	{destination: "/a/noatime", type: "tmpfs", source: "x", options: ["noatime"]}]'
t "own devices" same '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 416, uid: 5, gid: 6}, {path: "/dev/pipe", type: "p", fileMode: 384}]'
t "sysctl" same '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "81", "kernel.shm_rmid_forced": "1"}'
t "no masked and no read-only paths" same '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
t "a cpuset" same '.linux.resources.cpu = {cpus: "0", mems: "0"}'

user_ns() {
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:300000 "$T/uroot"
	same '.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]'
}
t "a user namespace" user_ns

limits() {
	# what stands in the cgroup files
	bundle lim '.linux.resources += {memory: {limit: 67108864, reservation: 33554432, swap: 134217728}, pids: {limit: 55},
		cpu: {shares: 512, quota: 20000, period: 100000, cpus: "0-1", mems: "0"}, blockIO: {weight: 300}}' sleep 100
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	for r in runc "$RUNTIME"; do
		rr=$T/rr-${r##*/}
		mkdir -m 0700 "$rr"
		"$r" --root "$rr" create --bundle "$B" "$ID" </dev/null >/dev/null 2>"$T/e" || fail "$r: $(cat "$T/e")"
		for d in $(find /sys/fs/cgroup -type d -name "$ID" | sort); do
			for f in "$d"/*; do
				case ${f##*/} in
				memory.limit* | memory.soft* | memory.memsw.limit* | memory.max | memory.low | memory.swap.max | pids.max | cpu.shares | cpu.cfs_* | cpu.max* | cpu.weight* | \
				cpuset.cpus | cpuset.mems | blkio.*weight | blkio.bfq.weight | io.*weight | devices.list | freezer.state | notify_on_release)
					echo "$f: $(sort "$f" 2>/dev/null | tr '\n' ';')" ;;
				esac
			done
		done >"$T/lim-${r##*/}"
		"$r" --root "$rr" delete --force "$ID"
	done
	diff -u "$T/lim-runc" "$T/lim-cleat" >"$T/diff" || fail "runc (-) and cleat (+) differ: $(grep '^[-+]' "$T/diff")"
	[ "$(grep -c . "$T/lim-cleat")" -gt 8 ]
}
t "limits in the cgroup files" limits

spec_same() {
	# what both write as an example runs alike
	mkdir -p "$T/sp1" "$T/sp2"
	( cd "$T/sp1" && runc spec )
	( cd "$T/sp2" && "$RUNTIME" spec )
	for k in '[.mounts[].destination] | sort' '[.linux.namespaces[].type] | sort' '[.linux.maskedPaths[]] | sort' \
		'[.linux.readonlyPaths[]] | sort' '.process.rlimits' '.linux.resources' '.root'; do
		a=$(jq -cS "$k" "$T/sp1/config.json")
		b=$(jq -cS "$k" "$T/sp2/config.json")
		is "$b" "$a"
	done
}
t "spec: the same mounts, resources and read-only paths" spec_same

finish

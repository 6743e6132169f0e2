#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
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
part devices; stat -c "%n %F %t:%T %a %u:%g" /dev/* /dev/pts/* /dev/shm/* /dev/mqueue/* | grep -v "^/dev/fd \|^/dev/mqueue "; for l in /dev/*; do readlink "$l"; done
part masks; for f in /proc/kcore /proc/keys /proc/timer_list /proc/acpi /sys/firmware /proc/scsi; do
	[ -d $f ] && echo "$f folder $(ls -A $f | wc -l)"; [ -f $f ] && echo "$f file $(wc -c <$f)"; [ -c $f ] && echo "$f device"; done
part cgroup files; cd /sys/fs/cgroup 2>/dev/null && for f in memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.memsw.limit_in_bytes \
	memory/memory.swappiness memory/memory.oom_control pids/pids.max cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.cfs_burst_us cpu/cpu.idle \
	cpuset/cpuset.cpus cpuset/cpuset.mems blkio/blkio.throttle.*_device blkio/blkio.*weight devices/devices.list hugetlb/hugetlb.*limit_in_bytes; do
	[ -r "$f" ] && echo "$f $(sort $f | tr '\n' ';')"; done; ls | grep -v -x unified; cd /
part writable; for f in /proc/sys/kernel/pid_max /proc/sysrq-trigger /proc/irq /sys /proc/bus /proc/fs; do [ -w $f ] && echo "$f may be written"; done
part network; cat /sys/class/net/*/flags; ls /sys/class/net
part sysctl; grep -rs . /proc/sys/fs/mqueue /proc/sys/user /proc/sys/kernel/msg* /proc/sys/kernel/sem /proc/sys/kernel/shm* /proc/sys/net/core /proc/sys/net/unix /proc/sys/net/ipv4 |
	grep -v -e tcp_fastopen_key -e _rand
part clocks; cat /proc/self/timens_offsets
part process; cat /proc/self/coredump_filter /proc/self/personality /proc/1/comm; cut -c 1-60 /proc/self/attr/current 2>/dev/null
part files; ls -ld /tmp/. /proc/. /sys/. /dev/. /dev/shm/. /dev/pts/. | cut -c 1-10
part scheduling; cut -d' ' -f 18,19,40,41 /proc/self/stat; grep -E '^(Cpus_allowed_list|Mems_allowed_list)' /proc/self/status
part stdio; for f in 0 1 2; do [ -w /proc/self/fd/$f ] && echo $f writable; done
true
END
chmod 0755 "$T/rootfs/bin/dump"
for n in pid net ipc uts mnt user cgroup time; do readlink /proc/self/ns/$n; done >"$T/rootfs/tmp/host-ns"

# Where we differ from runc 1.1 on purpose is taken out here, line by line:
# - masks are made of a host's null device and of a smaller tmpfs (what they hide is in "masks");
# - the tmpfs of the cgroup mount is read-only when it was asked to be;
# - on a hybrid host runc enters the empty v2 hierarchy as well;
# - a tmpfs takes the mode of what it covers;
# - the root of mqueue in a user namespace;
# - with rootfsPropagation private or slave runc leaves its cgroup binds peers of the host's: those two go without;
# - of "rro" and "rrw" runc takes the first;
# - an exec gets the umask of the container's process here, as later versions of runc give it;
# - signals 32 and 33, the C library's own, that the caller ignored.
sorted() {
	sed -E -e 's/^(SigIgn:).*(........)$/\1 \2/' -e '/^SigIgn: [89a-f]/{s/ 8/ 0/;s/ 9/ 1/;s/ a/ 2/;s/ b/ 3/;s/ c/ 4/;s/ d/ 5/;s/ e/ 6/;s/ f/ 7/}' \
		-e '/^\/(proc|sys)\/(acpi|keys|timer_list|kcore|firmware|scsi|asound|latency_stats|timer_stats|sched_debug) /s/ .*//' \
		-e '/^\/sys\/fs\/cgroup \/ r[ow],/s/ .*//' -e '/^\/sys\/fs\/cgroup\/unified /d' -e '/^:\//d' \
		-e 's/,mode=[0-7]*//' -e '/ mqueue$/d' -e 's/^(\/proc\/timer_list file) .*/\1/' "$1" |
		awk '/^== / { part = $0; print part " 0"; next } { print part, "1", $0 }' | LC_ALL=C sort
}

# same FILTER [COMMAND...]: run it by both.
same() {
	filter=$1
	shift
	bundle cmp ".process.args = [\"dump\"]${filter:+ | $filter}" "$@"
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

# rows: "what ~ filter" from stdin, one test each.
rows() {
	while IFS='~' read -r what filter; do
		t "${what% }" same "${filter# }"
	done
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

mkdir -p "$T/vol/in" "$T/rootfs/full/sub" "$T/rootfs/hidden" "$T/rootfs/kept"
echo one >"$T/rootfs/full/f"
echo two >"$T/rootfs/full/sub/g"
ln -s f "$T/rootfs/full/l"
chmod 1750 "$T/rootfs/full"
chown 3:4 "$T/rootfs/full/f"
echo x >"$T/rootfs/hidden/f"
echo x >"$T/rootfs/secret"

rows <<'END'
a pid namespace and nothing else new ~ .linux.namespaces = [{type: "mount"}, {type: "pid"}] | del(.hostname) | .mounts |= map(select(.type != "mqueue"))
no network namespace ~ .linux.namespaces |= map(select(.type != "network"))
no ipc namespace ~ .linux.namespaces |= map(select(.type != "ipc")) | .mounts |= map(select(.type != "mqueue"))
no uts namespace ~ .linux.namespaces |= map(select(.type != "uts")) | del(.hostname)
no pid namespace ~ .linux.namespaces |= map(select(.type != "pid"))
rootfsPropagation private ~ .linux.rootfsPropagation = "private" | .mounts |= map(select(.type != "cgroup"))
rootfsPropagation rprivate ~ .linux.rootfsPropagation = "rprivate"
rootfsPropagation slave ~ .linux.rootfsPropagation = "slave" | .mounts |= map(select(.type != "cgroup"))
rootfsPropagation rslave ~ .linux.rootfsPropagation = "rslave"
propagation of single mounts ~ .mounts += (["shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable"] | to_entries | map({destination: "/p\(.key)", type: "bind", source: ($T + "/vol"), options: ["rbind", .value]}))
shared, then slave ~ .mounts += [{destination: "/p", type: "tmpfs", source: "t", options: ["shared"]}, {destination: "/q", type: "bind", source: ($T + "/vol"), options: ["bind", "rprivate", "shared"]}]
flags of binds ~ .mounts += ([["ro"], ["rw"], ["nosuid"], ["nodev", "noexec"], ["noatime"], ["nodiratime", "relatime"], ["strictatime"], ["ro", "nosuid", "nodev", "noexec", "noatime"], ["ro", "rw"]] | to_entries | map({destination: "/b\(.key)", type: "bind", source: ($T + "/vol"), options: (["bind"] + .value)}))
flags of tmpfs ~ .mounts += ([["ro"], ["nosuid"], ["nodev", "noexec"], ["noatime"], ["nodiratime"], ["relatime"], ["strictatime"], ["sync", "dirsync"], ["size=1m", "nr_inodes=100"]] | to_entries | map({destination: "/t\(.key)", type: "tmpfs", source: "t", options: (["mode=700"] + .value)}))
flags of whole trees ~ .mounts += ([["rro"], ["rnosuid", "rnodev"], ["rnoexec"], ["rnoatime"], ["rnodiratime"], ["rstrictatime"], ["rrelatime"], ["rnosymfollow"]] | to_entries | map({destination: "/r\(.key)", type: "bind", source: ($T + "/vol"), options: (["rbind"] + .value)}))
tmpcopyup ~ .mounts += [{destination: "/full", type: "tmpfs", source: "t", options: ["tmpcopyup"]}] | .process.args = ["sh", "-c", "dump; cd /full; stat -c \"%n %F %a %u:%g %s\" * sub/*; cat f sub/g l; stat -c %a ."]
a remount of a bind ~ .mounts += [{destination: "/b", type: "bind", source: ($T + "/vol"), options: ["bind"]}, {destination: "/b", type: "bind", source: ($T + "/vol"), options: ["bind", "remount", "ro", "nosuid"]}]
mounts on mounts, on files, through links ~ .mounts += [{destination: "/kept", type: "tmpfs", source: "t"}, {destination: "/kept/a", type: "bind", source: ($T + "/vol"), options: ["rbind"]}, {destination: "/etc/group", type: "bind", source: "/etc/passwd", options: ["bind", "ro"]}, {destination: "/kept/new/file", type: "bind", source: "/etc/hostname", options: ["bind"]}]
a type that is said and not meant ~ .mounts += [{destination: "/b", type: "ext4", source: ($T + "/vol"), options: ["rbind", "ro"]}, {destination: "/c", source: ($T + "/vol"), options: ["bind"]}]
a read-only /dev, a read-only tmpfs ~ .mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end) | .mounts += [{destination: "/t", type: "tmpfs", source: "t", options: ["ro", "mode=755"]}]
the host's /dev ~ .mounts |= map(if .destination == "/dev" then {destination: "/dev", type: "bind", source: "/dev", options: ["rbind"]} else . end) | .mounts |= map(select(.destination | startswith("/dev/") | not))
no /dev of its own ~ .mounts |= map(select(.destination | startswith("/dev") | not))
more masks ~ .linux.maskedPaths += ["/hidden", "/secret", "/no/such"] | .linux.readonlyPaths += ["/full", "/etc/passwd", "/no/such"] | .process.args = ["sh", "-c", "dump | grep -v -e /hidden -e /secret; ls -A /hidden; wc -c </secret; touch /full/x; touch /etc/passwd"]
a cgroup mount that may be written ~ .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)
a cgroup mount that may be written, with a namespace ~ .linux.namespaces += [{type: "cgroup"}] | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)
no cgroup mount ~ .mounts |= map(select(.type != "cgroup"))
sysfs to write, proc read-only ~ .mounts |= map(if .type == "sysfs" then .options -= ["ro"] elif .type == "proc" then .options = ["ro", "nosuid"] else . end) | .linux.readonlyPaths = []
more rlimits ~ .process.rlimits = (["AS", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "RSS", "RTTIME", "STACK"] | map({type: ("RLIMIT_" + .), soft: 10485760, hard: 20971520})) | .process.rlimits |= map(if .type == "RLIMIT_AS" or .type == "RLIMIT_DATA" then .soft *= 10 | .hard *= 10 elif .type == "RLIMIT_MSGQUEUE" then .soft = 1000 | .hard = 1000 elif .type == "RLIMIT_MEMLOCK" then .soft = 1000 | .hard = 2000 else . end)
memory, cpu, pids ~ .linux.resources += {memory: {limit: 67108864, reservation: 33554432, swap: 67108864, swappiness: 10}, pids: {limit: 55}, cpu: {shares: 512, quota: 20000, period: 50000}}
memory without end, no swap given ~ .linux.resources += {memory: {limit: -1}, pids: {limit: -1}}
out of memory without death ~ .linux.resources.memory = {limit: 67108864, disableOOMKiller: true}
device rules ~ .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "rwm"}, {allow: true, type: "b", major: 7, access: "r"}]
device rules that allow all ~ .linux.resources.devices = [{allow: true, access: "rwm"}]
no resources ~ del(.linux.resources)
many sysctls ~ .linux.sysctl = {"kernel.msgmax": "4096", "kernel.msgmnb": "9000", "kernel.msgmni": "77", "kernel.sem": "100 200 30 40", "kernel.shmall": "12345", "kernel.shmmax": "65536", "kernel.shmmni": "99", "fs.mqueue.msg_max": "12", "net.core.somaxconn": "99", "net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "1", "net.ipv4.ping_group_range": "0 5"}
another user with a home, none in the environment ~ .process.user = {uid: 1000, gid: 1000} | .process.env = ["PATH=/bin"]
an empty HOME ~ .process.env += ["HOME="]
a cwd that is made ~ .process.cwd = "/new/folder"
a cwd of a tmpfs ~ .process.cwd = "/dev/shm"
umask 0 ~ .process.user.umask = 0
umask 0777, and no root ~ .process.user = {uid: 12, gid: 34, umask: 511}
capabilities of root with all sets ~ .process.capabilities = (["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_ADMIN"] | {bounding: ., effective: ., permitted: ., inheritable: ., ambient: .})
capabilities: bounding only ~ .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"]}
capabilities of no root ~ .process.user.uid = 7 | .process.noNewPrivileges = true | .process.capabilities = (["CAP_CHOWN"] | {bounding: ., effective: ., permitted: .})
seccomp with new privileges, no root ~ .process.user.uid = 7 | .process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon", "reboot"], action: "SCMP_ACT_ERRNO"}]}
seccomp with arguments and an error number ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality"], action: "SCMP_ACT_ERRNO", errnoRet: 38, args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]}]}
the highest oom score ~ .process.oomScoreAdj = 1000
a host name with dots ~ .hostname = "a.b.c"
annotations, odd and many ~ .annotations = ([range(50) | {key: "k\(.).x/y", value: "v\n\(.)"}] | from_entries)
fifo and block devices ~ .linux.devices = [{path: "/dev/blk", type: "b", major: 7, minor: 200, fileMode: 432, uid: 0, gid: 6}, {path: "/dev/deep/er/fifo", type: "p", fileMode: 384}, {path: "/dev/full2", type: "u", major: 1, minor: 7, fileMode: 438}]
a mount point without a slash ~ .mounts += [{destination: "no/slash", type: "tmpfs", source: "t", options: ["mode=711"]}]
seccomp with every action ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], syscalls: (["KILL", "KILL_PROCESS", "TRAP", "LOG"] | to_entries | map({names: [["swapon", "swapoff", "reboot", "acct"][.key]], action: ("SCMP_ACT_" + .value)}))} | .linux.seccomp.syscalls += [{names: ["uselib", "no_such_call"], action: "SCMP_ACT_TRACE", errnoRet: 7}, {names: ["ustat"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 255, valueTwo: 16, op: "SCMP_CMP_MASKED_EQ"}, {index: 1, value: 9, op: "SCMP_CMP_GT"}]}]
options of proc, devpts and mqueue ~ .mounts |= map(if .type == "proc" then .options = ["nosuid", "noexec", "nodev", "hidepid=2"] elif .type == "devpts" then .options = ["nosuid", "noexec", "newinstance", "ptmxmode=0600", "mode=0600", "gid=7"] elif .type == "mqueue" then .options = ["nosuid", "ro"] else . end)
a tmpfs on the root's files, and one in it ~ .mounts += [{destination: "/usr", type: "tmpfs", source: "t", options: ["mode=0755", "uid=3", "gid=4", "nr_blocks=10"]}, {destination: "/usr/in", type: "tmpfs", source: "t", options: ["size=5%", "ro"]}]
a device where its folder is missing ~ .linux.devices = [{path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 438}, {path: "/made/here", type: "c", major: 1, minor: 5, fileMode: 384}]
rules for devices that take back ~ .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, access: "rw"}, {allow: false, type: "c", major: 10, access: "w"}, {allow: true, type: "b", access: "m"}]
a CPU's share without end, a weight ~ .linux.resources += {cpu: {shares: 2, quota: -1, period: 100000}}
swap without end ~ .linux.resources.memory = {limit: 67108864, swap: -1, swappiness: 0}
a createContainer hook that leaves a file ~ .hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "echo hi >hooked"], env: ["PATH=/bin"]}]} | .process.args = ["sh", "-c", "dump; cat /hooked; rm /hooked"]
END

# ---- the same by exec ------------------------------------------------------------------------------

# exec_same FILTER [OPTION...]: what a program sees that enters a running container.
exec_same() {
	bundle cmp "$1" sleep 100
	shift
	mkdir -p "$T/runc"
	for r in runc "$RUNTIME"; do
		rr=$ROOT
		[ "$r" != runc ] || rr=$T/runc
		rm -f "$T/by-${r##*/}"
		timeout 60 "$r" --root "$rr" run -d --bundle "$B" "$ID" </dev/null >/dev/null 2>"$T/e" || fail "$r: $(cat "$T/e")"
		x=0
		timeout 60 "$r" --root "$rr" exec "$@" "$ID" dump >"$T/by-${r##*/}" 2>"$T/e" </dev/null || x=$?
		"$r" --root "$rr" delete --force "$ID"
		[ $x = 0 ] || fail "$r: status $x: $(cat "$T/e")"
	done
	sorted "$T/by-runc" >"$T/1"
	sorted "$T/by-cleat" >"$T/2"
	diff -u "$T/1" "$T/2" >"$T/diff" || fail "runc (-) and cleat (+) differ: $(grep '^[-+]' "$T/diff")"
}

t "exec: the usual config" exec_same ''
t "exec: a user, an environment, a folder" exec_same '.process.user = {uid: 5, gid: 6, additionalGids: [7]}' -e A=b -e "C=d e" --cwd /usr
t "exec: -u and groups" exec_same '.process.rlimits += [{type: "RLIMIT_CORE", soft: 0, hard: 0}]' -u 12:34 -g 56 -g 78
t "exec: more capabilities" exec_same '.process.capabilities.inheritable = ["CAP_KILL"]' --cap CAP_CHOWN --cap CAP_NET_RAW
t "exec: a cgroup namespace, seccomp, an oom score" exec_same '.linux.namespaces += [{type: "cgroup"}] | .process.oomScoreAdj = 300
	| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}' --no-new-privs
t "exec: no pid namespace" exec_same '.linux.namespaces |= map(select(.type != "pid"))'

# ---- joined namespaces, user namespaces ------------------------------------------------------------

joined() {
	bundle holder '' sleep 100
	detached
	holder=$ID
	p=$(pid_of "$holder")
	same 'del(.hostname) | .linux.namespaces |= map(if .type != "mount" then .path = "/proc/'"$p"'/ns/" + (if .type == "network" then "net" else .type end) else . end)'
	same 'del(.hostname) | .linux.namespaces |= map(if .type == "network" or .type == "ipc" then .path = "/proc/'"$p"'/ns/" + (if .type == "network" then "net" else .type end) else . end)'
	gone "$holder"
}
t "namespaces of another container" joined

cp -a "$T/rootfs" "$T/uroot"
chown -hR 200000:300000 "$T/uroot"
u='.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]'
nocg="$u"' | .mounts |= map(select(.type != "cgroup"))'
t "a user namespace" same "$nocg"
t "a user namespace, no root in it" same "$nocg"' | .process.user = {uid: 12, gid: 34, additionalGids: [5]} | .process.capabilities.ambient = ["CAP_KILL"] | .process.capabilities.inheritable = ["CAP_KILL"]
	| .process.args = ["sh", "-c", "dump | sed /stdio/,\\$d"]'	# a file of root is handed on as it is here, through a pipe by runc
t "a user namespace of pieces" same "$nocg"' | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 10}, {containerID: 10, hostID: 400000, size: 1000}]'
t "a user namespace with a cgroup namespace and mount" same "$u"' | .linux.namespaces += [{type: "cgroup"}]'
t "a user namespace with the network of the host" same "$nocg"' | .linux.namespaces |= map(select(.type != "network"))
	| .mounts |= map(select(.destination != "/sys"))'
t "a user namespace with mounts and devices" same "$nocg"' | .mounts += [
	{destination: "/b", type: "bind", source: ($T + "/vol"), options: ["rbind", "ro", "nosuid"]}, {destination: "/t", type: "tmpfs", source: "t", options: ["size=1m", "noexec"]}]
	| .linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 438}]'
t "exec: a user namespace" exec_same "$nocg"

# ---- what the caller hands over --------------------------------------------------------------------

preserved() {
	bundle cmp '' sh -c 'ls /proc/self/fd | grep -v -x 6; cat <&3; cat <&4; env | grep ^LISTEN_ | sort'
	mkdir -p "$T/runc"
	for r in runc "$RUNTIME"; do
		rr=$ROOT
		[ "$r" != runc ] || rr=$T/runc
		for words in "" listen; do
			echo three >"$T/f3"
			echo four >"$T/f4"
			env ${words:+LISTEN_FDS=1} sh -c 'if [ -n "${LISTEN_FDS-}" ]; then export LISTEN_PID=$$; exec "$0" --root "$1" run --preserve-fds 1 --bundle "$2" "$3"; else
				exec "$0" --root "$1" run --preserve-fds 2 --bundle "$2" "$3"; fi' "$r" "$rr" "$B" "$ID" 3<"$T/f3" 4<"$T/f4" </dev/null 2>"$T/e" || fail "$r: $(cat "$T/e")"
		done >"$T/pre-${r##*/}"
	done
	diff -u "$T/pre-runc" "$T/pre-cleat"
	has "$(cat "$T/pre-cleat")" '^four$'
}
t "fds that are handed over, LISTEN_FDS" preserved

ignored() {
	( trap '' INT QUIT TERM USR1 PIPE; same '' )
}
t "a caller that ignores signals" ignored

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

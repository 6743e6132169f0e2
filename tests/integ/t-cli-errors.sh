#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Bad input: one sentence that names the field and the value, the right exit
# status, nothing left behind (the library looks after every test).
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP these are cleat's own texts"
	exit 0
fi
suite cli-errors

LONG256=$(printf '%0256d' 0)
LONG2000=$(printf '%02000d' 0)

# raw REGEX TEXT: the same with a config of these very bytes.
raw() {
	bundle raw ''
	printf "$2" >"$B/config.json"
	create_refused "$1"
}

# ---- bundle and file -------------------------------------------------------------------

no_config() {
	bundle nc ''
	rm "$B/config.json"
	create_refused 'config.json.*([Nn]o such file)'
	refused 1 'no/such/bundle.*[Nn]o such file' rt create -b "$T/no/such/bundle" x
	: >"$T/afile"
	refused 1 'afile.*[Nn]ot a directory' rt create -b "$T/afile" x
	bundle nc2 ''
	rm "$B/config.json"
	mkfifo "$B/config.json"
	create_refused 'config.json.*not a regular file'
	rm "$B/config.json"
	ln -s /dev/zero "$B/config.json"
	create_refused 'config.json'
	rm "$B/config.json"
	mkdir "$B/config.json"
	create_refused 'config.json'
	rmdir "$B/config.json"
	ln -s config.json "$B/config.json"
	create_refused 'config.json.*symbolic links'
}
t "no config.json, no bundle, odd files" no_config

broken() {
	raw 'config.json|byte|JSON' ''
	raw '' '{'
	raw '' 'nonsense'
	raw '' '{} {}'
	raw '' '{"ociVersion": "1.0.2",}'
	raw '' '\357\273\277{}'
	raw '' '{"ociVersion": "1.0.2" // x\n}'
	raw '' '[]'
	raw '' 'null'
	raw 'ociVersion' '{}'
	bundle tr ''
	head -c 300 "$B/config.json" >"$B/c2"
	mv "$B/c2" "$B/config.json"
	create_refused 'config.json|byte|JSON'
	has "$(cat "$T/e")" '[0-9]'
}
t "broken JSON" broken

too_much() {
	bundle tm ''
	{ echo '{"a": "'; head -c 17000000 /dev/zero | tr '\0' x; echo '"}'; } >"$B/config.json"
	create_refused 'config.json'
	{ head -c 200 /dev/zero | tr '\0' '['; } >"$B/config.json"
	create_refused '.'
	{ printf '{"zz":'; head -c 200 /dev/zero | tr '\0' '['; head -c 200 /dev/zero | tr '\0' ']'; echo '}'; } >"$B/config.json"
	create_refused '(deep|depth|nest)'
}
t "17 MB, 200 levels" too_much

refused_rows <<'END'
ociVersion of another major ~ ociVersion.*2\.0\.0 ~ .ociVersion = "2.0.0"
ociVersion is no version ~ ociVersion.*latest ~ .ociVersion = "latest"
ociVersion missing ~ ociVersion ~ del(.ociVersion)
wrong type: number for string ~ process.cwd ~ .process.cwd = 7
wrong type: string for number ~ process.user.uid ~ .process.user.uid = "0"
wrong type: string for array ~ process.args ~ .process.args = "sh"
wrong type: object for array ~ mounts ~ .mounts = {}
wrong type: array for object ~ process ~ .process = [7]
wrong type: string for bool ~ root.readonly ~ .root.readonly = "yes"
wrong type in an array ~ process.args.1 ~ .process.args = ["true", 1]
wrong type deep down ~ resources.memory.limit ~ .linux.resources.memory = {limit: "64M"}
a fraction for an integer ~ oomScoreAdj ~ .process.oomScoreAdj = 1.5
a negative uid ~ uid.*-1 ~ .process.user.uid = -1
a uid over 32 bit ~ uid.*4294967296 ~ .process.user.uid = 4294967296
2^64 ~ limit ~ .linux.resources.memory = {limit: 18446744073709551616}
root missing ~ root ~ del(.root)
rootfs that does not exist ~ no/such.*[Nn]o such file ~ .root.path = $T + "/no/such"
rootfs that is a file ~ config.json.*[Nn]ot a directory ~ .root.path = $T + "/b/bad/config.json"
rootfs / ~ root ~ .root.path = "/"
process missing ~ process ~ del(.process)
args empty ~ args ~ .process.args = []
args missing ~ args ~ del(.process.args)
cwd relative ~ cwd.*etc ~ .process.cwd = "etc"
cwd empty ~ cwd ~ .process.cwd = ""
cwd missing ~ cwd ~ del(.process.cwd)
env without = ~ env.*NOVALUE ~ .process.env += ["NOVALUE"]
env with an empty key ~ env ~ .process.env += ["=x"]
NUL in an argument ~ args ~ .process.args = ["true", "a\u0000b"]
NUL in env ~ env ~ .process.env += ["A=\u0000"]
NUL in cwd ~ cwd ~ .process.cwd = "/\u0000"
NUL in the hostname ~ hostname ~ .hostname = "a\u0000b"
unknown rlimit ~ rlimits.*RLIMIT_BOGUS ~ .process.rlimits = [{type: "RLIMIT_BOGUS", soft: 1, hard: 1}]
rlimit twice ~ rlimits.*RLIMIT_NOFILE ~ .process.rlimits += [{type: "RLIMIT_NOFILE", soft: 1, hard: 1}]
rlimit soft over hard ~ rlimits ~ .process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]
oomScoreAdj out of range ~ oomScoreAdj.*1001 ~ .process.oomScoreAdj = 1001
hostname of 65 bytes ~ hostname ~ .hostname = ("x" * 65)
hostname without a uts namespace ~ hostname ~ .linux.namespaces |= map(select(.type != "uts"))
unknown namespace type ~ namespaces.*bogus ~ .linux.namespaces += [{type: "bogus"}]
namespace twice ~ namespaces.*pid ~ .linux.namespaces += [{type: "pid"}]
namespace path relative ~ namespaces.*ns/net ~ .linux.namespaces = [{type: "mount"}, {type: "network", path: "ns/net"}] | del(.hostname)
namespace path missing ~ /no/such.*[Nn]o such file ~ .linux.namespaces = [{type: "mount"}, {type: "network", path: "/no/such"}] | del(.hostname)
namespace path is no namespace ~ /etc/passwd ~ .linux.namespaces = [{type: "mount"}, {type: "network", path: "/etc/passwd"}] | del(.hostname)
namespace path of another type ~ /proc/self/ns/ipc ~ .linux.namespaces = [{type: "mount"}, {type: "network", path: "/proc/self/ns/ipc"}] | del(.hostname)
user namespace without maps ~ (uidMappings|user) ~ .linux.namespaces += [{type: "user"}]
maps without a user namespace ~ (uidMappings|user) ~ .linux.uidMappings = [{containerID: 0, hostID: 1, size: 1}]
id maps overlap ~ uidMappings ~ .linux.namespaces += [{type: "user"}] | .linux.gidMappings = [{containerID: 0, hostID: 1, size: 1}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 10}, {containerID: 5, hostID: 3000, size: 10}]
id map of size 0 ~ uidMappings ~ .linux.namespaces += [{type: "user"}] | .linux.gidMappings = [{containerID: 0, hostID: 1, size: 1}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 0}]
id map that wraps ~ uidMappings ~ .linux.namespaces += [{type: "user"}] | .linux.gidMappings = [{containerID: 0, hostID: 1, size: 1}] | .linux.uidMappings = [{containerID: 0, hostID: 4294967290, size: 100}]
mount source missing ~ no/source.*[Nn]o such file ~ .mounts += [{destination: "/v", type: "bind", source: "/no/source", options: ["bind"]}]
mount of an unknown type ~ nosuchfs ~ .mounts += [{destination: "/v", type: "nosuchfs", source: "x"}]
mount without a destination ~ mounts.*destination ~ .mounts += [{type: "tmpfs"}]
folder on a file ~ (passwd|directory) ~ .mounts += [{destination: "/etc/passwd", type: "bind", source: "/tmp", options: ["bind"]}]
bind with data ~ mounts ~ .mounts += [{destination: "/v", type: "bind", source: "/tmp", options: ["bind", "nonsense=1"]}]
destination of 5000 bytes ~ destination|mounts ~ .mounts += [{destination: ("/" + "x" * 5000), type: "tmpfs", source: "t"}]
NUL in a destination ~ destination ~ .mounts += [{destination: "/a\u0000", type: "tmpfs", source: "t"}]
rootfsPropagation unknown ~ rootfsPropagation.*sideways ~ .linux.rootfsPropagation = "sideways"
device of an unknown type ~ devices.*x ~ .linux.devices = [{path: "/dev/x", type: "x", major: 1, minor: 1}]
device without a path ~ devices ~ .linux.devices = [{type: "c", major: 1, minor: 1}]
device rule with a bad access ~ access.*z ~ .linux.resources.devices += [{allow: true, type: "c", access: "z"}]
sysctl not namespaced ~ kernel.core_pattern ~ .linux.sysctl = {"kernel.core_pattern": "x"}
sysctl unknown ~ net.no.such ~ .linux.sysctl = {"net.no.such": "1"}
sysctl that climbs ~ sysctl ~ .linux.sysctl = {"net.ipv4/../../kernel/core_pattern": "x"}
sysctl of net without the namespace ~ net.ipv4.ip_forward ~ .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))
sysctl with a new line ~ sysctl ~ .linux.sysctl = {"net.ipv4.ip_forward": "1\n+kernel.core_pattern=x"}
seccomp action unknown ~ SCMP_ACT_BOGUS ~ .linux.seccomp = {defaultAction: "SCMP_ACT_BOGUS"}
seccomp architecture unknown ~ SCMP_ARCH_BOGUS ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_BOGUS"]}
seccomp operator unknown ~ SCMP_CMP_BOGUS ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: "SCMP_CMP_BOGUS"}]}]}
seccomp argument index 6 ~ (index|args) ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}]}
seccomp flag unknown ~ BOGUS ~ .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_BOGUS"], syscalls: [{names: ["sync"], action: "SCMP_ACT_ERRNO"}]}
seccomp notify as default ~ (NOTIFY|defaultAction) ~ .linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"}
hook path relative ~ hooks.*bin/true ~ .hooks = {createRuntime: [{path: "bin/true"}]}
hook missing ~ no/such/hook.*[Nn]o such file ~ .hooks = {createRuntime: [{path: "/no/such/hook"}]}
hook not executable ~ etc/passwd.*[Pp]ermission denied ~ .hooks = {createRuntime: [{path: "/etc/passwd"}]}
hook timeout 0 ~ timeout ~ .hooks = {createRuntime: [{path: "/bin/true", timeout: 0}]}
cgroupsPath that climbs ~ cgroupsPath ~ .linux.cgroupsPath = "/../../x"
unified key with a slash ~ unified|memory ~ .linux.resources.unified = {"../x": "1"}
unified cgroup.procs ~ cgroup.procs ~ .linux.resources.unified = {"cgroup.procs": "1"}
pids.limit of a wrong type ~ pids.limit ~ .linux.resources.pids = {limit: "many"}
hugepage size unknown ~ (3MB|hugetlb) ~ .linux.resources.hugepageLimits = [{pageSize: "3MB", limit: 1}]
a syscall that is unknown and must not be ~ /linux/seccomp/syscalls/0/names/1.*no_such_call ~ .annotations = {"run.oci.seccomp_fail_unknown_syscall": "1"} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill", "no_such_call"], action: "SCMP_ACT_ERRNO"}]}
groups that are kept and given ~ /process/user/additionalGids.*keep_original_groups ~ .annotations = {"run.oci.keep_original_groups": "1"} | .process.user.additionalGids = [5]
a receiver of the pidfd that is not there ~ /annotations/run.oci.pidfd_receiver.*/no/such/socket ~ .annotations = {"run.oci.pidfd_receiver": "/no/such/socket"}
apparmor where there is none ~ apparmor ~ .process.apparmorProfile = "no-such-profile"
selinux where there is none ~ selinux ~ .process.selinuxLabel = "system_u:system_r:x:s0"
args[0] not in PATH ~ nonesuch.*executable file not found in \$PATH ~ .process.args = ["nonesuch"]
args[0] an empty string ~ (args|exec) ~ .process.args = [""]
domainname without a uts namespace ~ domainname ~ .domainname = "d" | del(.hostname) | .linux.namespaces |= map(select(.type != "uts"))
domainname of 65 bytes ~ domainname ~ .domainname = ("x" * 65)
an annotation without a name ~ annotations ~ .annotations = {"": "x"}
a uid that is not mapped ~ /process/user/uid.*70000 ~ .process.user.uid = 70000 | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 1000, size: 10}]
a group that is not mapped ~ /process/user/additionalGids/0.*70000 ~ .process.user.additionalGids = [70000] | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 10}] | .linux.gidMappings = [{containerID: 0, hostID: 1000, size: 10}]
a group of 4294967295 ~ additionalGids/0.*4294967295 ~ .process.user.additionalGids = [4294967295]
umask over 07777 ~ umask.*4096 ~ .process.user.umask = 4096
no map for groups ~ gidMappings ~ .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1, size: 1}]
a map without a size ~ /linux/uidMappings/0/size ~ .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 1, size: 1}]
341 maps ~ uidMappings.*341 ~ .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(341) | {containerID: ., hostID: (. + 1000), size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: 1, size: 1}]
console size over 65535 ~ consoleSize/height.*70000 ~ .process.consoleSize = {height: 70000, width: 1}
bind without a source ~ /mounts/7/source ~ .mounts += [{destination: "/v", options: ["bind"]}]
type bind without the word ~ /mounts/7/options.*bind ~ .mounts += [{destination: "/v", type: "bind", source: "/tmp"}]
mount without a type ~ /mounts/7/type ~ .mounts += [{destination: "/v", source: "/tmp"}]
mount on the root ~ /mounts/7/destination ~ .mounts += [{destination: "/", type: "tmpfs", source: "t"}]
mount inside of /proc ~ /mounts/7/destination.*/proc/sys ~ .mounts += [{destination: "/proc/sys", type: "tmpfs", source: "t"}]
tmpfs on /proc ~ /mounts/7/destination.*/proc ~ .mounts += [{destination: "/proc", type: "tmpfs", source: "t"}]
mounts without a mount namespace ~ /mounts.*mount namespace ~ .linux.namespaces |= map(select(.type != "mount")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
a mount option that the file system does not know ~ /mounts/7.*nonsense ~ .mounts += [{destination: "/v", type: "tmpfs", source: "t", options: ["nonsense=1"]}]
mount options of 5000 bytes ~ /mounts/7/options.*5005 ~ .mounts += [{destination: "/v", type: "tmpfs", source: "t", options: ["size=" + "1" * 5000]}]
tmpcopyup of a bind ~ /mounts/7/options.*tmpcopyup ~ .mounts += [{destination: "/v", source: "/tmp", options: ["bind", "tmpcopyup"]}]
remount of what is no mount ~ /mounts/7.*/no/such ~ .mounts += [{destination: "/no/such", type: "tmpfs", source: "t", options: ["remount", "ro"]}]
idmap without maps ~ /mounts/7/options.*idmap ~ .mounts += [{destination: "/v", source: "/tmp", options: ["bind", "idmap"]}]
only one map of a mount ~ /mounts/7/gidMappings ~ .mounts += [{destination: "/v", source: "/tmp", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}]}]
a map of a mount of size 0 ~ /mounts/7/uidMappings/0.*size ~ .mounts += [{destination: "/v", source: "/tmp", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 0}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]
an id-mapped tmpfs ~ /mounts/7/uidMappings ~ .mounts += [{destination: "/v", type: "tmpfs", source: "t", uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]
rootfsPropagation without a mount namespace ~ (rootfsPropagation|mounts) ~ .linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.rootfsPropagation = "slave"
masked paths without a mount namespace ~ maskedPaths ~ .linux.namespaces |= map(select(.type != "mount")) | .mounts = []
a masked path that is relative ~ maskedPaths.*proc/x ~ .linux.maskedPaths = ["proc/x"]
a read-only path that is relative ~ readonlyPaths.*proc/x ~ .linux.readonlyPaths = ["proc/x"]
device path relative ~ devices/0/path ~ .linux.devices = [{path: "dev/x", type: "c", major: 1, minor: 1}]
device path without a name ~ devices/0/path ~ .linux.devices = [{path: "/dev/..", type: "c", major: 1, minor: 1}]
device with a major over 12 bits ~ devices/0/major.*5000 ~ .linux.devices = [{path: "/dev/x", type: "c", major: 5000, minor: 1}]
device where another file is ~ devices/0.*/etc/passwd ~ .linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]
a device rule of an unknown type ~ resources/devices/1/type.*x ~ .linux.resources.devices += [{allow: true, type: "x", access: "r"}]
a device rule without an access ~ resources/devices/1/access ~ .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 3, access: ""}]
a device rule that does not say what ~ resources/devices/1/allow ~ .linux.resources.devices += [{type: "c", access: "r"}]
sysctl that is the host name ~ sysctl.*kernel.hostname ~ .linux.sysctl = {"kernel.hostname": "x"}
sysctl of ipc without the namespace ~ sysctl.*kernel.msgmax ~ .linux.sysctl = {"kernel.msgmax": "1"} | .mounts |= map(select(.type != "mqueue")) | .linux.namespaces |= map(select(.type != "ipc"))
sysctl of mqueue without the namespace ~ sysctl.*fs.mqueue.msg_max ~ .linux.sysctl = {"fs.mqueue.msg_max": "1"} | .mounts |= map(select(.type != "mqueue")) | .linux.namespaces |= map(select(.type != "ipc"))
sysctl of a user namespace without one ~ sysctl.*user.max_net_namespaces ~ .linux.sysctl = {"user.max_net_namespaces": "1"}
sysctl with a value that the kernel refuses ~ /linux/sysctl/net.ipv4.ip_forward.*many ~ .linux.sysctl = {"net.ipv4.ip_forward": "many"}
sysctl of the host's network by path ~ sysctl.*/proc/1/ns/net|sysctl.*would change ~ .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)
a memory limit of -2 ~ memory/limit.*-2 ~ .linux.resources.memory = {limit: -2}
swap below the memory limit ~ memory/swap.*1000.*2000 ~ .linux.resources.memory = {limit: 2000, swap: 1000}
swappiness 101 ~ swappiness.*101 ~ .linux.resources.memory = {swappiness: 101}
cpu.idle 2 ~ cpu/idle.*2 ~ .linux.resources.cpu = {idle: 2}
cpus that are no list ~ cpu/cpus.*a-b ~ .linux.resources.cpu = {cpus: "a-b"}
mems that are no list ~ cpu/mems.*0-- ~ .linux.resources.cpu = {mems: "0--"}
cpus that the host lacks ~ resources.cpu.cpus.*4000 ~ .linux.resources.cpu = {cpus: "4000"}
a CPU quota below the least ~ cpu.quota.*10 ~ .linux.resources.cpu = {quota: 10, period: 100000}
an I/O weight of 9 ~ blockIO/weight.*9 ~ .linux.resources.blockIO = {weight: 9}
an I/O weight of 1001 ~ blockIO/weight.*1001 ~ .linux.resources.blockIO = {weight: 1001}
an I/O weight of a device ~ blockIO/weightDevice/0 ~ .linux.resources.blockIO = {weightDevice: [{major: 8, minor: 0, weight: 5}]}
a throttle without a rate ~ throttleReadBpsDevice/0/rate ~ .linux.resources.blockIO = {throttleReadBpsDevice: [{major: 8, minor: 0}]}
a throttle of a device number that cannot be ~ throttleWriteIOPSDevice/0/major.*5000 ~ .linux.resources.blockIO = {throttleWriteIOPSDevice: [{major: 5000, minor: 0, rate: 1}]}
a huge page size that is none ~ hugepageLimits/0/pageSize.*2M ~ .linux.resources.hugepageLimits = [{pageSize: "2M", limit: 1}]
a huge page size that climbs ~ hugepageLimits/0/pageSize ~ .linux.resources.hugepageLimits = [{pageSize: "../2MB", limit: 1}]
a huge page limit that is missing ~ hugepageLimits/0/limit ~ .linux.resources.hugepageLimits = [{pageSize: "2MB"}]
a unified value that is empty ~ unified.*memory.high ~ .linux.resources.unified = {"memory.high": ""}
a pids limit beyond 2^63 ~ pids/limit ~ .linux.resources.pids = {limit: 9223372036854775808}
a cgroup path with a control character ~ cgroupsPath ~ .linux.cgroupsPath = "/a\u0001b"
a hook without a path ~ hooks/poststop/0/path ~ .hooks = {poststop: [{args: ["x"]}]}
a hook list that is an object ~ hooks/prestart ~ .hooks = {prestart: {path: "/bin/true"}}
END

programs() {
	bundle pg '' /no/such/program
	create_refused '"?/no/such/program"?.*no such file or directory'
	bundle pg '' /etc/passwd
	create_refused '/etc/passwd.*permission denied'
	bundle pg '' /etc
	create_refused '/etc.*(is a directory|permission denied)'
	bundle pg '.process.cwd = "/etc/passwd"' true
	create_refused '/etc/passwd.*([Nn]ot a directory)'
	ln -sf /no/target "$T/rootfs/bin/dangling"
	bundle pg '' dangling
	create_refused 'dangling.*executable file not found'
	bundle pg '' /bin/dangling
	create_refused 'dangling.*no such file or directory'
}
t "args[0] missing, not executable, a folder, dangling; cwd a file" programs

cwd_missing() {
	# A cwd that is missing is made; one that cannot be made is refused by name.
	bundle cm '.process.cwd = "/proc/no/such"' true
	create_refused '/proc/no/such'
	bundle cm '.root.readonly = true | .process.cwd = "/dev/null/x"' true
	create_refused '/dev/null/x'
}
t "a cwd that does not exist and cannot be made" cwd_missing

late_exec() {
	# What only execve itself finds: a missing interpreter, a foreign binary.
	printf '#!/no/interpreter\n' >"$T/rootfs/bin/noint"
	printf '\177ELF\1\1\1nonsense' >"$T/rootfs/bin/elf"
	chmod 0755 "$T/rootfs/bin/noint" "$T/rootfs/bin/elf"
	bundle le '' /bin/noint
	refused 1 '/bin/noint.*no such file or directory' rt run -b "$B" "$ID"
	bundle le '' /bin/elf
	refused 1 '/bin/elf.*[Ee]xec format error' rt run -b "$B" "$ID"
	rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	refused 1 '/bin/elf.*[Ee]xec format error' rt start "$ID"
	gone
}
t "what execve itself refuses" late_exec

# ---- ids ------------------------------------------------------------------------------------

bad_ids() {
	bundle ids ''
	before=$(find "$ROOT" | sort)
	for i in '' . .. a/b ../x '%s' 'a b' '.hidden' "$(printf 'a\nb')" 'é' "$LONG256" "$LONG2000"; do
		refused 1 'invalid container ID format' rt create -b "$B" -- "$i"
		refused 1 'invalid container ID format' rt run -b "$B" -- "$i"
		for c in start state kill delete pause resume; do
			refused 1 'invalid container ID format|does not exist' rt $c -- "$i"
		done
		refused 255 'invalid container ID format|does not exist' rt exec -- "$i" true
	done
	is "$(find "$ROOT" | sort)" "$before"
	[ ! -e "$T/x" ]
}
t "bad ids: empty, dots, slashes, 2000 bytes" bad_ids

id_exists() {
	bundle ide '' sleep 100
	detached
	refused 1 'container with given ID already exists' rt create -b "$B" "$ID"
	refused 1 'container with given ID already exists' rt run -b "$B" "$ID"
	is_state "$ID" running
	gone
}
t "an id that exists" id_exists

no_container() {
	for c in start state kill delete pause resume; do
		refused 1 'container.*does not exist' rt $c nothing
	done
	refused 255 'container.*does not exist' rt exec nothing true
	status 0 rt delete --force nothing
}
t "no such container" no_container

# ---- options -----------------------------------------------------------------------------------

pid_files() {
	bundle pfs ''
	refused 1 '/no/such/dir' rt create --pid-file /no/such/dir/pid -b "$B" "$ID"
	mkdir -p "$T/adir"
	refused 1 'adir' rt create --pid-file "$T/adir" -b "$B" "$ID"
	is "$(ls -A "$T/adir")" ''
}
t "pid file in a folder that does not exist, or a folder itself" pid_files

console_sockets() {
	bundle cs '.process.terminal = true'
	refused 1 '/no/such.sock' rt create --console-socket /no/such.sock -b "$B" "$ID"
	refused 1 'config.json' rt create --console-socket "$B/config.json" -b "$B" "$ID"
	refused 1 'tty|console' rt create -b "$B" "$ID"
	bundle cs ''
	refused 1 'console' rt create --console-socket /no/such.sock -b "$B" "$ID"
}
t "console sockets that cannot be" console_sockets

roots() {
	bundle rts ''
	refused 1 'root' "$RUNTIME" --root / run -b "$B" "$ID"
	: >"$T/notdir"
	refused 1 'notdir' "$RUNTIME" --root "$T/notdir" run -b "$B" "$ID"
	mkdir -m 0777 "$T/open"
	chmod 0777 "$T/open"
	refused 1 'open' "$RUNTIME" --root "$T/open" run -b "$B" "$ID"
	mkdir -m 0700 "$T/foreign"
	chown 1000 "$T/foreign"
	refused 1 'foreign' "$RUNTIME" --root "$T/foreign" run -b "$B" "$ID"
}
t "--root: /, a file, open to others, of another owner" roots

logs() {
	bundle lgs ''
	refused 1 '/no/such' "$RUNTIME" --log /no/such/log --root "$ROOT" run -b "$B" "$ID"
	refused 1 'invalid log-format: yaml' "$RUNTIME" --log-format yaml --root "$ROOT" run -b "$B" "$ID"
	refused 1 'loud' "$RUNTIME" --log-level loud --root "$ROOT" run -b "$B" "$ID"
}
t "--log, --log-format, --log-level" logs

signals() {
	bundle sg '' sleep 100
	detached
	for s in BOGUS 0x9 -1 65 9x ' '; do
		refused 1 'unknown signal' rt kill "$ID" "$s"
	done
	is_state "$ID" running
	gone
}
t "signals that are none" signals

exec_bad() {
	bundle eb '' sleep 100
	detached
	refused 255 'no/such.json' rt exec -p "$T/no/such.json" "$ID"
	echo '{' >"$T/p.json"
	refused 255 'p.json|JSON|byte' rt exec -p "$T/p.json" "$ID"
	echo '{"args": ["true"], "cwd": "x"}' >"$T/p.json"
	refused 255 'cwd' rt exec -p "$T/p.json" "$ID"
	echo '{"args": [], "cwd": "/"}' >"$T/p.json"
	refused 255 'args' rt exec -p "$T/p.json" "$ID"
	refused 255 'NOVALUE' rt exec -e NOVALUE "$ID" true
	refused 255 '/etc/passwd.*[Nn]ot a directory' rt exec --cwd /etc/passwd "$ID" true
	refused 255 'nonesuch.*executable file not found in \$PATH' rt exec "$ID" nonesuch
	for g in x -1 4294967295 4294967296 ''; do
		refused 1 'additional-gids.*not an id' rt exec -g "$g" "$ID" true
	done
	refused 255 . rt exec --cgroup ../.. "$ID" true
	refused 255 . rt exec --cgroup a/../../b "$ID" true
	refused 255 '/no/pid' rt exec -d --pid-file /no/pid "$ID" sleep 50
	is "$(rt exec "$ID" sh -c 'ps | grep -c "sleep 5[0]"')" 0
	gone
}
t "exec: bad documents and options" exec_bad

# ---- state files -------------------------------------------------------------------------------------

states_bad() {
	bundle sb '' sleep 100
	detached
	pid=$(pid_of "$ID")
	cp "$ROOT/$ID/state.json" "$T/good"
	for text in '' '{' '[]' '{"version": 99999}' "$(head -c 100 "$T/good")"; do
		printf %s "$text" >"$ROOT/$ID/state.json"
		refused 1 "state.json|$ID" rt state "$ID"
		refused 1 "state.json|$ID" rt kill "$ID" KILL
		kill -0 "$pid"
		rt list >/dev/null 2>&1 || fail "list fails for one bad entry"
	done
	cp "$T/good" "$ROOT/$ID/state.json"
	is_state "$ID" running
	gone
}
t "state.json empty, truncated, of another kind" states_bad

pid_reuse() {
	bundle pr '' sleep 100
	detached
	cp "$ROOT/$ID/state.json" "$T/good"
	# A number that comes back is known by its birth, in clock ticks of 10 ms: no
	# number is born twice in one, but this stranger could be the container's twin.
	sleep 0.1
	sleep 60 &
	stranger=$!
	pid=$(pid_of "$ID")
	sed "s/\([^0-9]\)$pid\([^0-9]\)/\1$stranger\2/" "$T/good" >"$ROOT/$ID/state.json"
	is_state "$ID" stopped
	refused 1 'container not running' rt kill "$ID" KILL
	kill -0 $stranger
	for p in 1 -1 0; do
		sed "s/\([^0-9]\)$pid\([^0-9]\)/\1$p\2/" "$T/good" >"$ROOT/$ID/state.json"
		rt kill "$ID" KILL 2>/dev/null || :
	done
	kill -0 $stranger
	cp "$T/good" "$ROOT/$ID/state.json"
	is_state "$ID" running
	kill $stranger
	gone
}
t "a pid that is another's now is never signalled" pid_reuse

finish

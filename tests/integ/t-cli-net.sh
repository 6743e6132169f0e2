#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
#
# Network devices that move into a container: names, addresses, errors. The suite has a network
# namespace of its own, so no device here is the machine's.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP runc 1.1 moves no devices"
	exit 0
fi
suite cli-net
command -v ip >/dev/null || { echo "1..0 # SKIP ip is not installed"; exit 0; }
ip link add probe0 type veth peer name probe1 2>/dev/null || { echo "1..0 # SKIP this kernel has no veth"; exit 0; }
ip link del probe0

# pair A B: a cable; A is up.
pair() {
	ip link del "$1" 2>/dev/null || :
	ip link add "$1" type veth peer name "$2"
	ip link set "$1" up
	ip link set "$2" up
}

# What the container sees of its devices, from outside: its own tools are few.
look() {
	nsenter -t "$(pid_of "$ID")" -n ip -o "$@"
}

gone_link() {
	! ip link show "$1" >/dev/null 2>&1
}

moved() {
	pair out0 in0
	mac=$(ip -o link show in0 | grep -o 'link/ether [^ ]*')
	ip link set in0 mtu 1400
	ip addr add 10.7.0.2/24 broadcast 10.7.0.255 dev in0
	ip addr add 10.8.0.2 peer 10.8.0.1/32 dev in0
	ip addr add 10.9.0.9/16 dev in0 label in0:x
	ip addr add 169.254.7.7/16 scope link dev in0
	ip addr add fd00:7::2/64 nodad dev in0
	ip addr add 10.10.0.2/24 valid_lft 300 preferred_lft 300 dev in0
	ip addr add 10.7.0.1/24 dev out0
	bundle mv '.linux.netDevices = {in0: {}}' sleep 100
	detached
	gone_link in0
	a=$(look addr show dev in0)
	has "$a" 'inet 10\.7\.0\.2/24 brd 10\.7\.0\.255 scope global in0'
	has "$a" 'inet 10\.8\.0\.2 peer 10\.8\.0\.1/32 scope global'
	has "$a" 'inet 10\.9\.0\.9/16 scope global'
	has "$a" 'inet6 fd00:7::2/64 scope global'
	hasnt "$a" '169\.254'
	hasnt "$a" '10\.10\.0'
	has "$(look link show dev in0)" 'UP.* mtu 1400 '
	has "$(look link show dev in0)" "$mac"
	has "$(look link show dev lo)" '[<,]UP[,>]'
	# it carries
	is "$(rt exec "$ID" cat /sys/class/net/in0/operstate)" up
	until_true 5 busybox ping -c 1 -W 1 10.7.0.2
	gone
	until_true 5 gone_link out0
}
t "a device moves with its addresses, its MTU, its link address" moved

renamed() {
	pair out0 in0
	pair out1 in1
	ip addr add 10.7.0.2/24 dev in0
	bundle rn '.linux.netDevices = {in0: {name: "eth0"}, in1: {name: "eth%d"}} | .linux.sysctl = {"net.ipv4.conf.eth0.forwarding": "1"}' sleep 100
	detached
	is "$(look link show | awk -F'[:@ ]+' '{ print $2 }' | sort | tr '\n' ' ')" "eth0 eth1 lo "
	has "$(look addr show dev eth0)" 'inet 10\.7\.0\.2/24.* eth0'
	is "$(rt exec "$ID" cat /proc/sys/net/ipv4/conf/eth0/forwarding)" 1
	gone
	until_true 5 gone_link out0
	until_true 5 gone_link out1
}
t "a device is renamed; %d takes a free number; sysctls find it" renamed

by_path() {
	pair out0 in0
	ip addr add 10.7.0.2/24 dev in0
	unshare -n sleep 100 &
	holder=$!
	until_true 5 sh -c "[ \"\$(readlink /proc/$holder/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]"
	nsenter -t $holder -n ip link add taken0 type veth peer name taken1
	bundle bp '.linux.namespaces |= map(if .type == "network" then .path = "/proc/'$holder'/ns/net" else . end)
		| .linux.netDevices = {in0: {name: "moved"}}' sh -c 'ls /sys/class/net | tr "\n" " "'
	status 0 run_it
	is "$(cat "$T/o")" "lo moved taken0 taken1 "
	# it stays there, as its new owner's
	has "$(nsenter -t $holder -n ip -o addr show dev moved)" '10\.7\.0\.2/24'
	# a name that is there already: nothing moves
	pair out2 in2
	bundle bp '.linux.namespaces |= map(if .type == "network" then .path = "/proc/'$holder'/ns/net" else . end)
		| .linux.netDevices = {in2: {name: "taken1"}}' true
	refused 1 '/linux/netDevices/in2.*has a device .*taken1' rt run -b "$B" "$ID"
	has "$(ip -o link show in2)" '[<,]UP[,>]'
	bundle bp '.linux.namespaces |= map(if .type == "network" then .path = "/proc/'$$'/ns/net" else . end) | del(.hostname)
		| .linux.netDevices = {in2: {name: "x"}}' true
	refused 1 '/linux/netDevices.*would move nowhere' rt run -b "$B" "$ID"
	kill $holder
	wait $holder 2>/dev/null || true
	ip link del in2
	until_true 5 gone_link out0
}
t "into a network namespace that is joined by path" by_path

with_userns() {
	cp -a "$T/rootfs" "$T/uroot"
	chown -hR 200000:300000 "$T/uroot"
	pair out0 in0
	ip addr add 10.7.0.2/24 dev in0
	bundle us '.root.path = $T + "/uroot" | .linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
		| .linux.netDevices = {in0: {name: "eth0"}}' sleep 100
	detached
	has "$(look addr show dev eth0)" '10\.7\.0\.2/24'
	gone
	until_true 5 gone_link out0
}
t "with a user namespace" with_userns

hooks_see_it() {
	pair out0 in0
	printf '#!/bin/sh\nexec >%s\npid=$(jq -r .pid)\nnsenter -t $pid -n ip -o link show\n' "$T/hook.out" >"$T/hook"
	chmod 0755 "$T/hook"
	bundle hk '.linux.netDevices = {in0: {}} | .hooks = {createRuntime: [{path: ($T + "/hook"), env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}' true
	status 0 run_it
	has "$(cat "$T/hook.out")" 'in0@'
	until_true 5 gone_link out0
}
t "hooks find the device moved" hooks_see_it

bad() {
	pair out0 in0
	ip addr add 10.7.0.2/24 dev in0
	while IFS='~' read -r re filter; do
		bundle nb "$filter" true
		refused 1 "${re% }" rt run -b "$B" "$ID"
		[ ! -e "$ROOT/$ID" ]
		has "$(ip -o addr show dev in0)" '10\.7\.0\.2/24'
		has "$(ip -o link show in0)" '[<,]UP[,>]'
	done <<-'END'
	/linux/netDevices/none0.*none0.*[Nn]o such device ~ .linux.netDevices = {none0: {}}
	/linux/netDevices/lo.*has a device ~ .linux.netDevices = {lo: {}}
	/linux/netDevices/lo.*cannot leave ~ .linux.netDevices = {lo: {name: "x"}}
	/linux/netDevices.*network namespace ~ .linux.netDevices = {in0: {}} | .linux.namespaces |= map(select(.type != "network"))
	/linux/netDevices/in0/name.*not a device.*a/b ~ .linux.netDevices = {in0: {name: "a/b"}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: "a b"}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: "a:b"}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: "."}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: ".."}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: ("x" * 16)}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: "%s"}}
	/linux/netDevices/in0/name.*not a device ~ .linux.netDevices = {in0: {name: "%d%d"}}
	/linux/netDevices.*not a device ~ .linux.netDevices = {"": {}}
	/linux/netDevices.*not a device ~ .linux.netDevices = {("x" * 16): {}}
	/linux/netDevices.*not a device ~ .linux.netDevices = {"a/b": {}}
	/linux/netDevices/out0/name.*two devices ~ .linux.netDevices = {in0: {name: "x"}, out0: {name: "x"}}
	/linux/netDevices/in0.*(object|string) ~ .linux.netDevices = {in0: "eth0"}
	/linux/netDevices/in0/name ~ .linux.netDevices = {in0: {name: 7}}
	/linux/netDevices ~ .linux.netDevices = ["in0"]
	END
	ip link del in0
}
t "devices and names that cannot be: refused by name, the device stays as it was" bad

later_failure() {
	# What fails after the move takes the device along with the namespace: a veth is gone then.
	pair out0 in0
	bundle lf '.linux.netDevices = {in0: {}}' /no/such/program
	refused 1 'no/such/program' rt run -b "$B" "$ID"
	until_true 5 gone_link out0
}
t "a create that fails later" later_failure

many() {
	n=0
	while [ $n -lt 20 ]; do
		ip link add "o$n" type veth peer name "i$n"
		i=1
		while [ $i -le 40 ]; do
			echo "addr add 10.$n.$i.1/24 dev i$n"
			i=$((i + 1))
		done
		n=$((n + 1))
	done | ip -batch -
	bundle my '.linux.netDevices = ([range(20) | {key: "i\(.)", value: {name: "eth%d"}}] | from_entries)' sleep 100
	detached
	is "$(look link show | grep -c ' eth')" 20
	is "$(look -4 addr show | grep -c 'inet 10\.')" 800
	gone
	until_true 5 gone_link o19
	ip -o link | awk -F'[:@ ]+' '/^[0-9]+: [oi][0-9]/ { print $2 }' | while read -r l; do ip link del "$l" 2>/dev/null || :; done
}
t "20 devices with 40 addresses each" many

# ---- a new network namespace, whoever makes it: with cgroup v1 init, else the runtime while init mounts ----

# who_makes OPTION...: its loopback device is up, the container's sysfs shows it, and hooks are where the caller is.
who_makes() {
	bundle wm '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/net >'"$T"'/hook"]}]}
		| .linux.resources = {} | .mounts |= map(select(.type != "cgroup"))' \
		sh -c 'cd /sys/class/net; echo * $(cat lo/flags); readlink /proc/self/ns/net'
	rt "$@" run --bundle "$B" "$ID" >"$T/o" 2>"$T/e" || fail "$(cat "$T/e")"
	is "$(head -n 1 "$T/o")" "lo 0x9"
	is "$(cat "$T/hook")" "$(readlink /proc/self/ns/net)"
	[ "$(cat "$T/hook")" != "$(tail -n 1 "$T/o")" ] || fail "the container is in our network namespace"
}
new_network() {
	who_makes
	who_makes --cgroup-manager disabled
}
t "a new network namespace has its loopback device up, and hooks stay outside" new_network

# As root of a user namespace that the network around it does not belong to: nobody could come back there.
foreign_network() {
	unshare -Ur true 2>/dev/null || skip "no user namespaces here"
	bundle fn '.linux.resources = {} | .mounts |= map(select(.type != "cgroup") | if .options then .options -= ["gid=5"] else . end)' \
		cat /sys/class/net/lo/flags
	is "$(unshare -Ur -m --propagation private "$RUNTIME" --root "$T/foreign" --cgroup-manager disabled \
		run --bundle "$B" "$ID" 2>"$T/e" || cat "$T/e")" 0x9
}
t "a new network namespace inside a user namespace that does not own the network" foreign_network

finish

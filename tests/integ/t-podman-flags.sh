#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 200
#
# What podman's options become in a container of ours: limits, ids,
# capabilities, seccomp, figures, signals, health, terminals.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/podman.sh"
LEAK_WAIT=5
CGROUP_STAYS=conmon
suite podman-flags
podman_start

# knob V2FILE V1CONTROLLER/FILE: as the container sees its own.
knob() {
	podman exec "$N" sh -c 'cat "/sys/fs/cgroup/$0" 2>/dev/null || cat "/sys/fs/cgroup/$1"' "$1" "$2"
}

live() {
	N=$1
	shift
	prun -d --name "$N" "$@" >/dev/null
}

down() {
	podman rm -f -t 0 "$N" >/dev/null
}

limits() {
	live lim --memory 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --pids-limit 50 \
		--cpuset-cpus 0 --oom-score-adj 200 busybox:test sleep 1000
	is "$(knob memory.max memory/memory.limit_in_bytes)" 67108864
	has "$(knob memory.swap.max memory/memory.memsw.limit_in_bytes)" '^(33554432|100663296)$'
	is "$(knob memory.low memory/memory.soft_limit_in_bytes)" 33554432
	has "$(knob cpu.max cpu/cpu.cfs_quota_us)" '^50000'
	has "$(knob cpu.weight cpu/cpu.shares)" '^(20|59|512)$'
	is "$(knob pids.max pids/pids.max)" 50
	is "$(knob cpuset.cpus cpuset/cpuset.cpus)" 0
	is "$(podman exec lim cat /proc/self/oom_score_adj)" 200
	podman update --help >/dev/null 2>&1 && podman update --cpus 0.25 lim >/dev/null && has "$(knob cpu.max cpu/cpu.cfs_quota_us)" '^25000'
	down
}
t "--memory --memory-swap --cpus --cpu-shares --pids-limit --cpuset-cpus" limits

# More processes than allowed: fork fails inside, nothing else happens.
pids() {
	status 2 prun --rm --pids-limit 5 busybox:test sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait; echo done'
	has "$(cat "$T/e")" 'fork'
}
t "--pids-limit is felt" pids

users() {
	status 0 prun --rm --user bob busybox:test sh -c 'id -u; id -g; echo $HOME'
	is "$(tr '\n' ' ' <"$T/o")" "1000 1000 /home "
	status 0 prun --rm --user 5:6 --group-add 7 busybox:test id
	has "$(cat "$T/o")" '^uid=5.* gid=6.* groups=6.*,7.*$'
	status 0 prun --rm --user 1000 --cap-add net_raw busybox:test grep -E 'CapEff|CapAmb' /proc/self/status
	is "$(awk '{ print $2 }' "$T/o" | uniq)" 0000000000002000
}
t "--user, by name too, --group-add" users

auto_ids() {
	for f in subuid subgid; do
		{ cat "/etc/$f" 2>/dev/null; echo containers:2000000:655360; } >"$T/$f"
		[ -e "/etc/$f" ] || skip "no /etc/$f here"
		mount --bind "$T/$f" "/etc/$f"
	done
	got=0
	prun --rm --userns=auto busybox:test sh -c 'id -u; awk "{ print (\$2 >= 2000000) }" /proc/self/uid_map; touch /f && stat -c %u /f' >"$T/o" 2>"$T/e" || got=$?
	umount /etc/subuid /etc/subgid
	is "$got $(cat "$T/o" "$T/e" | tr '\n' ' ')" "0 0 1 0 "
}
t "--userns=auto" auto_ids

keep_ids() {
	status 0 prun --rm --uidmap 0:100000:5 --uidmap 7:200000:5 --gidmap 0:100000:100 --user 8:9 busybox:test \
		sh -c 'id -u; id -g; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map'
	is "$(tr '\n' '.' <"$T/o")" "8.9.0 100000 5.7 200000 5."
}
t "--uidmap in several pieces" keep_ids

caps() {
	status 0 prun --rm --cap-drop=all busybox:test grep Cap /proc/self/status
	is "$(awk '{ print $2 }' "$T/o" | sort -u)" 0000000000000000
	status 0 prun --rm --cap-drop=all --cap-add=chown --cap-add=net_bind_service busybox:test grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status
	is "$(awk '{ print $2 }' "$T/o" | sort -u)" 0000000000000401
	status 1 prun --rm --cap-drop=all busybox:test chown 5 /etc/passwd
	has "$(cat "$T/e")" 'not permitted'
}
t "--cap-drop=all, --cap-add" caps

readonly_() {
	status 0 prun --rm --read-only --tmpfs /t --mount type=tmpfs,destination=/u,tmpfs-size=64k busybox:test sh -c \
		'touch /x 2>/dev/null || echo ro; touch /t/x /u/x && echo rw; touch /tmp/x && echo tmp; touch /sys/x /proc/sys/kernel/x 2>/dev/null || echo ro
		echo 1 >/proc/sys/kernel/pid_max 2>/dev/null || echo ro'
	is "$(tr '\n' ' ' <"$T/o")" "ro rw tmp ro ro "
	status 0 prun --rm --read-only --read-only-tmpfs=false busybox:test sh -c 'touch /tmp/x 2>/dev/null || echo ro; touch /dev/shm/x 2>/dev/null || echo ro'
	has "$(head -n 1 "$T/o")" ro
}
t "--read-only" readonly_

filter() {
	printf '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
		{"names": ["sethostname"], "action": "SCMP_ACT_KILL_PROCESS"}]}\n' >"$T/filter.json"
	status 1 prun --rm --security-opt "seccomp=$T/filter.json" busybox:test mkdir /tmp/d
	has "$(cat "$T/e")" 'not supported'
	status 159 prun --rm --cap-add sys_admin --security-opt "seccomp=$T/filter.json" busybox:test hostname x
	status 0 prun --rm --security-opt seccomp=unconfined busybox:test grep ^Seccomp: /proc/self/status
	is "$(awk '{ print $2 }' "$T/o")" 0
	status 0 prun --rm busybox:test grep ^Seccomp: /proc/self/status
	is "$(awk '{ print $2 }' "$T/o")" 2
	status 0 prun --rm --security-opt no-new-privileges --security-opt mask=/etc/passwd --security-opt unmask=/proc/acpi busybox:test \
		sh -c 'wc -c </etc/passwd; grep NoNewPrivs /proc/self/status'
	is "$(tr '\n\t' '  ' <"$T/o")" "0 NoNewPrivs: 1 "
}
t "--security-opt seccomp=, no-new-privileges, mask" filter

figures() {
	live fig --memory 64m busybox:test sh -c 'while :; do sleep 0.2; done'
	has "$(podman stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' fig)" '^fig [1-9][0-9]* .*/ 67.11MB'
	has "$(podman top fig pid user args)" '^1 +root +sh -c'
	has "$(podman top fig hpid | sed -n 2p)" "^$(podman inspect --format '{{.State.Pid}}' fig)\$"
	podman pause fig >/dev/null
	is "$(podman inspect --format '{{.State.Status}}' fig)" paused
	got=0
	podman exec fig true >"$T/o" 2>&1 || got=$?
	[ "$got" != 0 ]
	podman unpause fig >/dev/null
	is "$(podman exec fig echo up)" up
	down
}
t "stats, top, pause, unpause" figures

signals() {
	live sig busybox:test sh -c 'trap "echo usr1" USR1; trap "echo hup; exit 3" HUP; echo ready; while :; do sleep 0.1; done'
	until_true 10 sh -c "grep -rq ready '$P/root/vfs-containers'"
	podman kill --signal USR1 sig >/dev/null
	until_true 10 sh -c "grep -rq usr1 '$P/root/vfs-containers'"
	podman kill --signal HUP sig >/dev/null
	is "$(podman wait sig)" 3
	down
	live sig2 --stop-signal USR2 busybox:test sh -c 'trap "exit 8" USR2; echo ready; while :; do sleep 0.1; done'
	until_true 10 sh -c "grep -rq ready '$P/root/vfs-containers'"
	podman stop -t 10 sig2 >/dev/null
	is "$(podman inspect --format '{{.State.ExitCode}}' sig2)" 8
	down
}
t "kill --signal, --stop-signal" signals

# The timer would be systemd's; the check itself is an exec.
health() {
	live health --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1 busybox:test sleep 1000
	got=0
	podman healthcheck run health >"$T/o" 2>&1 || got=$?
	is "$got" 1
	podman exec health touch /healthy
	podman healthcheck run health
	is "$(podman inspect --format '{{.State.Health.Status}}' health 2>/dev/null || podman inspect --format '{{.State.Healthcheck.Status}}' health)" healthy
	down
}
t "healthcheck" health

terminal() {
	on_a_terminal run --rm -it --log-driver k8s-file --cgroup-parent "/$TAG" --network none busybox:test \
		sh -c 'sleep 1; tty; stty size; test -t 0 && test -t 2 && echo all; exit 4'
	is "$got" 4
	has "$(cat "$T/o")" '^21 91$'
	has "$(cat "$T/o")" '^all$'
	live tt busybox:test sleep 1000
	on_a_terminal exec -it tt sh -c 'sleep 1; tty; stty size; exit 5'
	is "$got" 5
	has "$(cat "$T/o")" '/dev/pts/[0-9]$'
	has "$(cat "$T/o")" '^21 91$'
	down
}
t "run -it, exec -it" terminal

inits() {
	ldd /usr/bin/docker-init 2>&1 | grep -q -e static -e 'not a dynamic' || skip "no static init program"
	status 0 prun --rm --init --init-path /usr/bin/docker-init busybox:test sh -c 'cat /proc/1/comm; (sleep 0.1 &) ; sleep 0.5; ps | grep -c "[Z]omb" || true'
	has "$(head -n 1 "$T/o")" '^(docker-init|tini|catatonit|podman-init)$'
}
t "--init" inits

devices() {
	status 0 prun --rm --device /dev/full:/dev/mine:r --tmpfs /t:size=1m busybox:test sh -c \
		'head -c 3 /dev/mine | wc -c; echo x 2>/dev/null >/dev/mine || echo denied; stat -c "%t %T" /dev/mine'
	is "$(tr '\n' ' ' <"$T/o")" "3 denied 1 7 "
	# Nobody has such devices: what the rules let through finds none, the rest is not permitted.
	status 0 prun --rm --cap-add mknod --device-cgroup-rule 'c 99:1 rw' busybox:test sh -c \
		'mknod /tmp/a c 99 1; mknod /tmp/b c 99 2; head -c 1 /tmp/a; head -c 1 /tmp/b; true'
	has "$(cat "$T/e")" '/tmp/a: No such device'
	has "$(cat "$T/e")" '/tmp/b: Operation not permitted'
}
t "--device, --device-cgroup-rule" devices

volumes() {
	podman volume create vv >/dev/null
	status 0 prun --rm -v vv:/v -v vv:/w:ro,noexec,nosuid busybox:test sh -c 'echo x >/v/f; cat /w/f; grep -E " /w .*ro,nosuid,.*noexec" /proc/mounts | wc -l'
	is "$(tr '\n' ' ' <"$T/o")" "x 1 "
	mkdir -p "$T/prop"
	live prop -v "$T/prop:/p:rslave" busybox:test sleep 1000
	mkdir -p "$T/prop/m"
	mount -t tmpfs late "$T/prop/m"
	touch "$T/prop/m/seen"
	got=0
	podman exec prop test -e /p/m/seen || got=$?
	down
	umount "$T/prop/m"
	is "$got" 0
	status 0 prun --rm --volumes-from "$(prun -d --name from -v vv:/data busybox:test true)" busybox:test cat /data/f
	is "$(cat "$T/o")" x
	podman rm -f from >/dev/null
	podman volume rm vv >/dev/null
}
t "volumes: named, options, propagation, --volumes-from" volumes

cp_commit() {
	live cc busybox:test sh -c 'echo one >/one; sleep 1000'
	until_true 5 podman exec cc test -e /one
	podman cp cc:/one "$T/one"
	is "$(cat "$T/one")" one
	echo two >"$T/two"
	podman cp "$T/two" cc:/tmp/two
	is "$(podman exec cc cat /tmp/two)" two
	has "$(podman diff cc)" 'A /one'
	down
}
t "cp, diff" cp_commit

finish

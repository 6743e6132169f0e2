#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Docker's daemon over a private containerd, with our command line as a
# runtime (containerd's own shim calls it), and with our shim.
#
# DOCKER=26: the one that private.sh fetched, over the containerd 1.7 of its suite.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/containerd.sh"
LEAK_WAIT=8
suite docker
if [ -n "${DOCKER-}" ]; then
	private "docker-$DOCKER"
	CONTAINERD=1.7
fi
command -v dockerd >/dev/null || { echo "1..0 # SKIP docker.io is not installed"; exit 0; }
containerd_choose
containerd_start

D=$T/d
mkdir -p "$D"
# The file of the documentation. Shims by name came with Docker 23.
MAJOR=$(dockerd --version | sed 's/.*version \([0-9]*\).*/\1/')
{
	snippet docker
	[ -z "$CLEAT" ] || [ "$MAJOR" -lt 23 ] || snippet docker-shim
} | jq -s --arg path "$(command -v "$RUNTIME")" 'reduce .[] as $f ({}; . * $f) | .runtimes.cleat.path = $path' >"$D/daemon.json"
DOCKER_HOST=unix://$D/sock
export DOCKER_HOST DOCKER_CONFIG="$D"

engine() {
	PATH=$O:$PATH exec dockerd --config-file "$D/daemon.json" --data-root "$D/data" --exec-root "$D/exec" -H "$DOCKER_HOST" \
		--pidfile "$D/pid" --containerd "$CD_SOCK" --containerd-namespace "$NS" --iptables=false --ip-forward=false \
		--bridge=none --storage-driver vfs --cgroup-parent "/$TAG" --exec-opt native.cgroupdriver=cgroupfs \
		--default-ulimit nofile=1024:1024 --default-ulimit nproc=1024:1024 --live-restore >>"$D/log" 2>&1
}

engine &
DOCKERD=$!
daemon_up $DOCKERD "$D/log" 15 docker version
tar -C "$T/rootfs" --numeric-owner -cf "$T/layer.tar" .
if ! docker import -c 'CMD ["sh"]' "$T/layer.tar" busybox:test >"$T/o" 2>&1; then
	echo "Bail out! docker import: $(cat "$T/o")"
	exit 1
fi
expect

drun() {
	timeout --foreground 60 docker run --runtime "$R" --network none "$@"
}

run() {
	status 7 drun --rm busybox:test sh -c 'echo out; echo err >&2; exit 7'
	is "$(cat "$T/o")" out
	is "$(cat "$T/e")" err
	is "$(docker ps -aq)" ""
}

volume() {
	mkdir -p "$T/vol"
	echo in >"$T/vol/f"
	status 0 drun --rm -v "$T/vol:/v" -v "$T/vol:/r:ro" busybox:test sh -c 'cat /v/f; echo new >/v/n; touch /r/x 2>/dev/null || echo ro'
	is "$(tr '\n' ' ' <"$T/o")" "in ro "
	is "$(cat "$T/vol/n")" new
}

memory() {
	status 0 drun --rm --memory 64m --memory-swap 64m --pids-limit 50 busybox:test sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
	is "$(cat "$T/o")" 67108864
	status 137 drun --memory 20m --memory-swap 20m --name oom busybox:test dd if=/dev/zero of=/dev/null bs=200M count=1
	is "$(docker inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' oom)" "137 true"
	docker rm oom >/dev/null
}

missing() {
	status 127 drun --rm busybox:test nonesuch
	has "$(cat "$T/e")" 'nonesuch.*executable file not found in \$PATH'
	status 127 drun --rm busybox:test /no/such
	status 126 drun --rm busybox:test /etc/passwd
	status 126 drun --rm busybox:test /etc
	until_true 5 sh -c 'test -z "$(docker ps -aq)"'
}

life() {
	drun -d --name life busybox:test sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
	until_true 10 sh -c "docker logs life | grep -q ready"
	status 9 docker exec life sh -c 'echo e; exit 9'
	is "$(cat "$T/o")" e
	is "$(echo piped | docker exec -i life cat)" piped
	# Docker 20.10 makes 126 of both
	got=0
	docker exec life nonesuch >"$T/o" 2>&1 || got=$?
	has "$got" '^12[67]$'
	has "$(cat "$T/o")" 'nonesuch.*executable file not found in \$PATH'
	status 126 docker exec life /etc/passwd
	is "$(docker exec --user 12:34 --workdir /tmp --env A=b life sh -c 'id -u; id -g; pwd; echo $A' | tr '\n' ' ')" "12 34 /tmp b "
	docker pause life >/dev/null
	is "$(docker inspect --format '{{.State.Status}}' life)" paused
	docker unpause life >/dev/null
	has "$(docker top life)" 'sh'
	docker stop -t 5 life >/dev/null
	is "$(docker inspect --format '{{.State.ExitCode}}' life)" 5
	docker start life >/dev/null
	docker kill life >/dev/null
	docker wait life >/dev/null
	is "$(docker inspect --format '{{.State.ExitCode}}' life)" 137
	docker rm -f life >/dev/null
	drun -d --name waiter busybox:test sh -c 'sleep 0.5; exit 33' >/dev/null
	is "$(docker wait waiter)" 33
	docker rm waiter >/dev/null
}

tty() {
	got=0
	script -qec "stty rows 21 cols 91; timeout 60 docker run --runtime '$R' --network none --rm -it busybox:test sh -c 'sleep 1; tty; stty size; exit 4'" \
		/dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 4
	has "$(tr -d '\r' <"$T/o")" '/dev/(pts/0|console)$'
	has "$(tr -d '\r' <"$T/o")" '^21 91$'
}

options() {
	status 0 drun --rm --read-only --hostname hh --user 11:22 --cap-drop all --security-opt no-new-privileges \
		--tmpfs /t:size=64k --ulimit core=0:0 busybox:test \
		sh -c 'hostname; id -u; id -g; grep CapBnd /proc/self/status; grep NoNewPrivs /proc/self/status; touch /x 2>/dev/null || echo ro; grep ^Seccomp: /proc/self/status'
	is "$(tr '\n\t' '  ' <"$T/o")" "hh 11 22 CapBnd: 0000000000000000 NoNewPrivs: 1 ro Seccomp: 2 "
	[ -n "$CLEAT" ] || return 0	# runc 1.1 fails when a capability is missing here
	status 0 drun --rm --privileged busybox:test sh -c 'mount -t tmpfs x /tmp && echo mounted'
	is "$(cat "$T/o")" mounted
}

stats() {
	drun -d --name st busybox:test sleep 100 >/dev/null
	has "$(docker stats --no-stream --format '{{.Name}} {{.PIDs}}' st)" '^st 1$'
	has "$(docker stats --no-stream --format '{{.CPUPerc}} {{.MemUsage}}' st)" '^[0-9.]+% [1-9][0-9.]*[KM]iB / '
	docker update --memory 30m --memory-swap 30m st >/dev/null
	is "$(docker exec st sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')" 31457280
	docker rm -f st >/dev/null
}

# Docker's own profile: what it refuses without a capability, what it never lets through.
filter() {
	status 0 drun --rm busybox:test sh -c 'grep ^Seccomp: /proc/self/status | cut -f2; unshare -U true 2>&1 | grep -c permitted; mkdir /tmp/d && echo ok'
	is "$(tr '\n' ' ' <"$T/o")" "2 1 ok "
	status 0 drun --rm --cap-add sys_admin busybox:test unshare -U true
	printf '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}\n' >"$T/filter.json"
	status 1 drun --rm --security-opt "seccomp=$T/filter.json" busybox:test mkdir /tmp/d
	has "$(cat "$T/e")" 'not supported'
	status 0 drun --rm --security-opt seccomp=unconfined busybox:test grep ^Seccomp: /proc/self/status
	is "$(cut -f2 "$T/o")" 0
}

exec_tty() {
	drun -d --name et busybox:test sleep 1000 >/dev/null
	got=0
	script -qec "stty rows 21 cols 91; timeout --foreground 60 docker exec -it et sh -c 'sleep 1; tty; stty size; test -t 0 && test -t 2 && echo all; exit 5'" \
		/dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 5
	has "$(tr -d '\r' <"$T/o")" '/dev/pts/[0-9]$'
	has "$(tr -d '\r' <"$T/o")" '^21 91$'
	has "$(tr -d '\r' <"$T/o")" '^all$'
	docker rm -f et >/dev/null
}

inits() {
	status 3 drun --rm --init busybox:test sh -c 'cat /proc/1/comm; test $$ != 1 && exit 3'
	has "$(cat "$T/o")" 'init|tini'
}

shared() {
	drun -d --name one --ipc shareable busybox:test sleep 1000 >/dev/null
	status 0 timeout --foreground 60 docker run --runtime "$R" --rm --pid container:one --network container:one --ipc container:one busybox:test \
		sh -c 'ps | grep -c "[s]leep 1000"; readlink /proc/self/ns/net; readlink /proc/self/ns/ipc'
	p=$(docker inspect --format '{{.State.Pid}}' one)
	is "$(cat "$T/o")" "1
$(readlink "/proc/$p/ns/net")
$(readlink "/proc/$p/ns/ipc")"
	status 0 drun --rm --pid host --uts host busybox:test sh -c 'readlink /proc/self/ns/pid; readlink /proc/self/ns/uts'
	is "$(cat "$T/o")" "$(readlink /proc/self/ns/pid)
$(readlink /proc/self/ns/uts)"
	status 0 drun --rm busybox:test sh -c 'ls /sys/class/net'
	is "$(cat "$T/o")" lo
	docker rm -f one >/dev/null
}

restarts() {
	mkdir -p "$T/count"
	: >"$T/count/n"
	drun -d --name re --restart on-failure:3 -v "$T/count:/c" busybox:test sh -c 'echo x >>/c/n; exit 1' >/dev/null
	until_true 20 sh -c "test \$(wc -l <'$T/count/n') = 4 && test \$(docker inspect --format '{{.State.Status}}' re) = exited"
	is "$(docker inspect --format '{{.RestartCount}}' re)" 3
	docker rm -f re >/dev/null
	drun -d --name al --restart always busybox:test sleep 1000 >/dev/null
	p=$(docker inspect --format '{{.State.Pid}}' al)
	kill -9 "$p"
	until_true 10 sh -c "test \$(docker inspect --format '{{.RestartCount}} {{.State.Status}}' al | tr -d ' ') = 1running"
	status 0 docker exec al true
	docker restart -t 0 al >/dev/null
	status 0 docker exec al true
	docker rm -f al >/dev/null
}

logs() {
	drun -d --name lo busybox:test sh -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo err >&2; sleep 0.3; echo last' >/dev/null
	timeout -k 1 10 docker logs -f lo >"$T/o" 2>"$T/e"
	is "$(grep -c '^line ' "$T/o") $(sed -n '3000p;$p' "$T/o" | tr '\n' ' ')$(cat "$T/e")" "3000 line 2999 last err"
	is "$(docker logs --tail 1 lo 2>/dev/null)" last
	docker rm lo >/dev/null
	is "$(echo piped | drun -i --rm busybox:test sh -c 'read x; echo got $x')" "got piped"
	drun -di --name at busybox:test sh -c 'while read x && [ $x != end ]; do echo "echo $x"; done; exit 6' >/dev/null
	got=0
	# Docker, over runc's shim too, loses what comes right before the exit
	( printf 'a\nb\n'; sleep 1; echo end; sleep 1 ) | timeout -k 1 10 docker attach at >"$T/o" || got=$?
	is "$(docker logs at | tr '\n' ' ')" "echo a echo b "
	is "$got $(tr '\n' ' ' <"$T/o")" "6 echo a echo b "
	docker rm at >/dev/null
}

# With --live-restore: containers do not notice.
killed() {
	drun -d --name on busybox:test sleep 1000 >/dev/null
	drun -d --name off busybox:test sh -c 'sleep 1.5; exit 44' >/dev/null
	drun -d --name again --restart always busybox:test sleep 1000 >/dev/null
	p=$(docker inspect --format '{{.State.Pid}}' again)
	kill -9 $DOCKERD
	until_true 10 sh -c "! kill -0 $DOCKERD 2>/dev/null || grep -q '^State:.Z' /proc/$DOCKERD/status"
	kill -9 "$p"
	sleep 2
	rm -f "$D/pid"
	engine &
	new=$!
	until_true 20 docker version
	is "$(docker inspect --format '{{.State.Status}}' on)" running
	status 7 docker exec on sh -c 'exit 7'
	until_true 10 sh -c "test \"\$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' off)\" = 'exited 44'"
	until_true 10 sh -c "test \"\$(docker inspect --format '{{.State.Status}}' again)\" = running"
	status 0 docker exec again true
	docker rm -f on off again >/dev/null
	kill $new
	wait $new || :
}

health() {
	drun -d --name he --health-cmd 'test -e /healthy' --health-interval 300ms --health-retries 2 busybox:test sleep 1000 >/dev/null
	until_true 10 sh -c "docker inspect --format '{{.State.Health.Status}}' he | grep -q ^unhealthy"
	docker exec he touch /healthy
	until_true 10 sh -c "docker inspect --format '{{.State.Health.Status}}' he | grep -q ^healthy"
	docker rm -f he >/dev/null
}

both() {
	t "docker --runtime $R: both streams and status 7" run
	t "docker --runtime $R: logs, exec, pause, top, stop, start, kill, wait" life
	t "docker --runtime $R: a terminal" tty
}

all() {
	both
	t "docker --runtime $R: volumes" volume
	t "docker --runtime $R: a memory limit, over it means 137 and OOMKilled" memory
	t "docker --runtime $R: 127 and 126 by our messages" missing
	t "docker --runtime $R: read-only, user, capabilities, privileged" options
	t "docker --runtime $R: stats, update" stats
	t "docker --runtime $R: seccomp by default, by file, none" filter
	t "docker --runtime $R: exec -it" exec_tty
	t "docker --runtime $R: --init" inits
	t "docker --runtime $R: namespaces of another container, of the host, none" shared
	t "docker --runtime $R: restart policies" restarts
	t "docker --runtime $R: every line in the log, stdin, attach" logs
	t "docker --runtime $R: health" health
}

readme_too() {
	shown docker '**Docker**'
}
t "the README's lines for Docker are those of the documentation" readme_too

R=cleat
if [ -n "$CLEAT" ] && [ "$MAJOR" -ge 23 ]; then
	both
	R=cleat-shim
	t "docker --runtime $R: the shim by a name of daemon.json" run
	R=io.containerd.cleat.v2
fi
all
t "docker --runtime $R: SIGKILL to the daemon, and a new one" killed

finish

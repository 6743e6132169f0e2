#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# What the options of Debian's ctr become in the container and on the host,
# and its words for tasks and for a shim alone, which t-shim-ctr.sh has not.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/containerd.sh"
LEAK_WAIT=5
suite shim-flags
containerd_choose
containerd_start

V1=
[ ! -d /sys/fs/cgroup/memory ] || V1=1


# rootfs_run ID OPTION... -- COMMAND...
rootfs_run() {
	i=$1
	shift
	opts=
	while [ "$1" != -- ]; do
		opts="$opts $1"
		shift
	done
	shift
	# shellcheck disable=SC2086	# words
	ctr_run --rootfs $opts "$T/rootfs" "$i" "$@"
}

# inside OPTION... -- COMMAND...: run it; stdout in $T/o.
inside() {
	status 0 rootfs_run "$TAG-in" --rm "$@"
}

# detached ID OPTION... -- COMMAND...
detached() {
	i=$1
	shift
	rootfs_run "$i" -d --null-io "$@"
}

pid_of_task() {
	ctr task ls | awk -v i="$1" '$1 == i { print $2 }'
}

away() {
	ctr task kill -s SIGKILL "$1" >/dev/null 2>&1 || :
	until_true 5 sh -c "! ctr task ls | grep -q '^$1 .*RUNNING'"
	ctr task delete "$1" >/dev/null 2>&1 || :
	ctr container delete "$1"
}

# ---- ctr run ----------------------------------------------------------------------------

# What the container sees of its cgroup, read inside: the hierarchies are mounted for that.
limits() {
	CG=type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro
	if [ -n "$V1" ]; then
		inside --memory-limit 67108864 --cpus 0.5 --cpu-shares 512 --cgroup "/$TAG-cg" --mount $CG -- sh -c '
			cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.shares
			grep -E ":(memory|pids|freezer):" /proc/self/cgroup | sed "s/.*://" | sort -u'
		is "$(tr '\n' ' ' <"$T/o")" "67108864 50000 100000 512 /$TAG-cg "
		inside --cpu-quota 30000 --cpu-period 60000 --mount $CG -- sh -c 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'
		is "$(tr '\n' ' ' <"$T/o")" "30000 60000 "
		# without --cgroup: below the namespace
		inside -- sh -c 'grep -E ":(memory|pids|freezer):" /proc/self/cgroup | sed "s/.*://" | sort -u'
		is "$(cat "$T/o")" "/$NS/$TAG-in"
	else
		inside --memory-limit 67108864 --cpus 0.5 --cpu-shares 512 --cgroup "/$TAG-cg" --mount $CG -- sh -c '
			cd /sys/fs/cgroup; cat memory.max cpu.max cpu.weight'
		is "$(sed -n '1,2p' "$T/o" | tr '\n' ' ')" "67108864 50000 100000 "
		inside --cpu-quota 30000 --cpu-period 60000 --mount $CG -- cat /sys/fs/cgroup/cpu.max
		is "$(cat "$T/o")" "30000 60000"
		detached "$TAG-cgd" --cgroup "/$TAG-cg" -- sleep 100
		is "$(cat "/proc/$(pid_of_task "$TAG-cgd")/cgroup")" "0::/$TAG-cg"
		away "$TAG-cgd"
	fi
}
t "ctr run --memory-limit --cpus --cpu-shares --cpu-quota --cpu-period --cgroup" limits

# What ~ options ~ command ~ all that it prints.
words() {
	printf 'A=of-file\nB=2\n' >"$T/env"
	mknod "$T/rnd" c 1 5
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}' >"$T/profile"
	while IFS='~' read -r opts cmd want; do
		opts=${opts% } want=${want# }
		# shellcheck disable=SC2086	# words
		inside $opts -- sh -c "$cmd"
		is "$opts: $(tr '\n' ' ' <"$T/o")" "$opts: $want "
	done <<-END
		--env-file $T/env --env C=3 ~ echo \$A \$B \$C ~ of-file 2 3
		--cap-add CAP_SYS_TIME ~ grep ^CapEff /proc/self/status | tr -d '\t' ~ CapEff:00000000aa0425fb
		--cap-drop CAP_CHOWN --cap-drop CAP_KILL ~ grep ^CapEff /proc/self/status | tr -d '\t' ~ CapEff:00000000a80425da
		--allow-new-privs ~ grep ^NoNewPrivs /proc/self/status | tr -d '\t' ~ NoNewPrivs:0
		--cwd /usr/bin ~ pwd; grep ^NoNewPrivs /proc/self/status | tr -d '\t' ~ /usr/bin NoNewPrivs:1
		--device $T/rnd ~ stat -c '%F %t:%T' $T/rnd; head -c 3 $T/rnd | wc -c; echo x >$T/rnd && echo written ~ character special file 1:5 3 written
		--seccomp --seccomp-profile $T/profile ~ mkdir /tmp/x 2>&1 | sed 's/.*: //' ~ Operation not supported
		--rootfs-propagation rslave --mount type=tmpfs,src=tmpfs,dst=/mnt,options=size=64k:mode=700 ~ stat -c %a /mnt; df -k /mnt | awk '/mnt/ { print \$2 }' ~ 700 64
		--net-host --label some=label --annotation a=b ~ readlink /proc/self/ns/net ~ $(readlink /proc/$CD_PID/ns/net)
	END
}
t "ctr run: what each option becomes in the container" words

with_ns() {
	detached "$TAG-ns" -- sleep 100
	pid=$(pid_of_task "$TAG-ns")
	for n in network uts ipc pid; do
		link=$(echo $n | sed 's/network/net/')
		inside --with-ns "$n:/proc/$pid/ns/$link" -- readlink "/proc/self/ns/$link"
		is "$n $(cat "$T/o")" "$n $(readlink "/proc/$pid/ns/$link")"
	done
	inside -- readlink /proc/self/ns/net
	[ "$(cat "$T/o")" != "$(readlink "/proc/$pid/ns/net")" ]
	away "$TAG-ns"
}
t "ctr run --with-ns" with_ns

pid_file() {
	detached "$TAG-pf" --pid-file "$T/pidfile" --fifo-dir "$T/fifos" -- sleep 100
	is "$(cat "$T/pidfile")" "$(pid_of_task "$TAG-pf")"
	away "$TAG-pf"
}
t "ctr run --pid-file" pid_file

images() {
	image_tar
	ctr image import "$T/image.tar" >/dev/null 2>&1
	status 3 ctr_run --rm --snapshotter overlayfs docker.io/library/busybox:test "$TAG-ov" sh -c '
		awk "\$2 == \"/\" { print \$3 }" /proc/mounts; echo new >/made; cat /made; rm /etc/passwd; exit 3'
	is "$(tr '\n' ' ' <"$T/o")" "overlay new "
	is "$(grep -c "$CD" /proc/self/mountinfo || :)" 0
	# a user namespace: containerd hands over files with the mapped owners
	status 0 ctr_run --rm --snapshotter native --uidmap 0:100000:1000 --gidmap 0:200000:1000 docker.io/library/busybox:test "$TAG-um" sh -c '
		id -u; tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; stat -c %u:%g /etc/passwd; touch /x; chown 7:8 /x; stat -c %u:%g /x'
	is "$(sed 's/^ //' "$T/o" | tr '\n' '+')" "0+0 100000 1000+0 200000 1000+0:0+7:8+"
}
t "ctr run --snapshotter overlayfs; --uidmap and --gidmap" images

spec_file() {
	jq --arg r "$T/rootfs" --arg cg "/$TAG-spec" '.root.path = $r | .linux.cgroupsPath = $cg | .hostname = "of-file" | .process.args = ["hostname"]' \
		"$H/config.json" >"$T/spec.json"
	status 0 ctr run --rm --runtime "$SHIM" --config "$T/spec.json" "$TAG-cf"
	is "$(cat "$T/o")" of-file
}
t "ctr run --config: a whole config.json" spec_file

log_uri() {
	status 0 ctr_run --rm --log-uri "file://$T/lg/out.log" --rootfs "$T/rootfs" "$TAG-lf" sh -c 'echo one; echo two >&2'
	is "$(sort "$T/lg/out.log" | tr '\n' ' ')" "one two "
	printf '#!/bin/sh\nexec 5>&-\necho "$CONTAINER_NAMESPACE $CONTAINER_ID $*" >%s/lb\ncat <&3 >>%s/lb\n' "$T" "$T" >"$T/logger"
	chmod 0755 "$T/logger"
	status 0 ctr_run --rm --log-uri "binary://$T/logger?key=value" --rootfs "$T/rootfs" "$TAG-lb" echo logged
	until_true 3 grep -q logged "$T/lb"
	is "$(tr '\n' '+' <"$T/lb")" "$NS $TAG-lb key value+logged+"
	# an exec's
	detached "$TAG-le" -- sleep 100
	ctr task exec --exec-id el --log-uri "binary://$T/logger" "$TAG-le" echo by-exec
	until_true 3 grep -q by-exec "$T/lb"
	is "$(head -n 1 "$T/lb")" "$NS el "
	away "$TAG-le"
}
t "--log-uri: a file, a program, of run and of exec" log_uri

# The runtime's options from a file: ctr hands on its path only.
runtime_config() {
	printf 'Root = "%s/state"\nIoUid = 55\n' "$T" >"$T/rt.toml"
	ctr_run -d --runtime-config-path "$T/rt.toml" --log-uri "file://$T/rc.log" --rootfs "$T/rootfs" "$TAG-rc" \
		sh -c 'stat -L -c %u /proc/self/fd/1; sleep 100'
	[ -d "$T/state/$NS/$TAG-rc" ]
	until_true 3 grep -qx 55 "$T/rc.log"
	is "$(ctr task exec --exec-id e "$TAG-rc" echo found)" found
	# containerd's delete action has no options: it must find the state all the same
	s=$(shims | sed -n "s|^\([0-9]*\) .* -id $TAG-rc .*|\1|p")
	kill -9 "$s"
	until_true 10 sh -c "! ctr task ls | grep -q '$TAG-rc .*RUNNING'"
	ctr task delete "$TAG-rc" >/dev/null 2>&1 || :
	ctr container delete "$TAG-rc"
	[ ! -e "$T/state/$NS/$TAG-rc" ]
	# one that is not there
	status 1 ctr_run --rm --runtime-config-path "$T/nonesuch.toml" --rootfs "$T/rootfs" "$TAG-rn" true
	has "$(cat "$T/e")" "$T/nonesuch.toml"
}
[ -z "$CLEAT_SHIM" ] || t "ctr run --runtime-config-path" runtime_config

# ---- ctr task ------------------------------------------------------------------------------

tasks() {
	mkdir -p "$T/vol"
	ctr_run -d --null-io --mount "type=bind,src=$T/vol,dst=/vol,options=rbind" --rootfs "$T/rootfs" "$TAG-tk" sh -c '
		trap "echo init >>/vol/usr1" USR1
		sh -c "trap \"echo child >>/vol/usr1\" USR1; echo up >/vol/up; while :; do sleep 0.1; done" &
		while :; do sleep 0.1; done'
	until_true 5 test -e "$T/vol/up"
	pid=$(pid_of_task "$TAG-tk")
	# one signal to init, one to all
	ctr task kill -s SIGUSR1 "$TAG-tk"
	until_true 5 grep -q init "$T/vol/usr1"
	sleep 0.3
	is "$(cat "$T/vol/usr1")" init
	# sleeps die of it, which is no matter
	ctr task kill --all -s SIGUSR1 "$TAG-tk"
	until_true 5 grep -q child "$T/vol/usr1"
	is "$(sort "$T/vol/usr1" | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" "child1 init2 "
	# execs: listed with their names, kept until deleted, their status told
	ctr task exec -d --exec-id stay "$TAG-tk" sleep 100
	ctr task exec -d --exec-id quick "$TAG-tk" sh -c 'exit 33'
	ctr task ps "$TAG-tk" >"$T/o"
	has "$(cat "$T/o")" "^$pid +-"
	is "$(grep -c 'stay' "$T/o")" 1
	x=$(awk '/stay/ { print $1 }' "$T/o")
	is "$(tr '\0' ' ' <"/proc/$x/cmdline")" "sleep 100 "
	until_true 5 sh -c "! ctr task ps $TAG-tk | grep -q quick"
	status 33 ctr task delete --exec-id quick "$TAG-tk"
	status 1 ctr task delete --exec-id quick "$TAG-tk"
	has "$(cat "$T/e")" 'not found'
	status 1 ctr task delete --exec-id stay "$TAG-tk"
	ctr task kill --exec-id stay -s SIGKILL "$TAG-tk"
	until_true 5 sh -c "! ctr task ps $TAG-tk | grep -q stay"
	status 137 ctr task delete --exec-id stay "$TAG-tk"
	status 1 ctr task checkpoint "$TAG-tk"
	has "$(cat "$T/e")" 'checkpoint'
	is "$(ctr task ls -q)" "$TAG-tk"
	# by force, while it runs
	ctr task delete --force "$TAG-tk" >/dev/null 2>&1 || :
	is "$(ctr task ls -q)" ""
	ctr container delete "$TAG-tk"
}
t "ctr task: kill --all, exec -d, ps with names, delete --exec-id and --force, checkpoint" tasks

metrics() {
	detached "$TAG-mt" --memory-limit 67108864 -- sleep 100
	ctr task metrics "$TAG-mt" >"$T/table"
	ctr task metrics --format json "$TAG-mt" >"$T/json"
	row() { awk -v k="$1" '$1 == k { print $2 }' "$T/table"; }
	if [ -n "$V1" ]; then
		is "$(row memory.usage_in_bytes | wc -w) $(row memory.limit_in_bytes)" "1 67108864"
		is "$(jq -r '.memory.usage.limit' "$T/json")" 67108864
		[ "$(jq '.memory.usage.usage' "$T/json")" -gt 0 ]
		[ "$(jq '.cpu.usage.total' "$T/json")" -ge "$(row cpuacct.usage)" ]
	else
		is "$(row memory.usage_limit)" 67108864
		is "$(jq -r '.memory.usage_limit' "$T/json")" 67108864
		[ "$(jq '.cpu.usage_usec' "$T/json")" -ge "$(row cpu.usage_usec)" ]
	fi
	is "$(row pids.current) $(jq .pids.current "$T/json")" "1 1"
	away "$TAG-mt"
}
t "ctr task metrics, both formats: the same numbers" metrics

# ---- ctr shim -----------------------------------------------------------------------------------

# It finds the shim by itself: address of containerd, namespace and id make the socket's name.
shim_words() {
	detached "$TAG-sh" -- sleep 100
	pid=$(pid_of_task "$TAG-sh")
	name=$(printf %s "$CD_SOCK/$NS/$TAG-sh" | sha256sum | cut -d' ' -f1)
	[ -S "/run/containerd/s/$name" ]
	ctr shim --id "$TAG-sh" state >"$T/o"
	is "$(jq -r '.id + " " + (.pid | tostring) + " " + (.status | tostring)' "$T/o")" "$TAG-sh $pid 2"
	is "$(jq -r .bundle "$T/o")" "$CD/state/io.containerd.runtime.v2.task/$NS/$TAG-sh"
	# its exec panics in 1.6, before it calls any shim
	status 1 ctr shim --id "$TAG-none" state
	# What has ended is deleted past containerd, which must hear of it: by the shim's end.
	ctr task kill -s SIGKILL "$TAG-sh"
	until_true 5 sh -c "ctr shim --id $TAG-sh state | jq -e '.status == 3 and .exit_status == 137'"
	has "$(ctr shim --id "$TAG-sh" delete "$TAG-sh" 2>&1)" 'exit status 137$'
	status 1 ctr shim --id "$TAG-sh" state
	has "$(cat "$T/e")" 'not found'
	"$TOOLS/task-client" --namespace "$NS" "/run/containerd/s/$name" shutdown id="$TAG-sh"
	until_true 5 sh -c "! ctr task ls -q | grep -qx $TAG-sh"
	ctr container delete "$TAG-sh"
}
[ -z "$CLEAT_SHIM" ] || t "ctr shim: state and delete of a shim that it finds by its name" shim_words

finish

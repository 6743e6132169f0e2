#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 200
#
# buildah with our command line as its runtime: run, and builds of images.
# Storage is private, the base image is made of busybox.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
. "${0%/*}/../harness/podman.sh"
LEAK_WAIT=5
CGROUP_STAYS=buildah-buildah
suite buildah
command -v buildah >/dev/null || { echo "1..0 # SKIP buildah is not installed"; exit 0; }

P=$T/p
containers_conf "$P"
export CONTAINERS_CONF TMPDIR="$P" BUILDAH_RUNTIME BUILDAH_ISOLATION=oci
BUILDAH_RUNTIME=$(command -v "$RUNTIME")

buildah() {
	timeout --foreground 120 buildah --root "$P/root" --runroot "$P/run" --storage-driver vfs "$@"
}

base() {
	C=$(buildah from --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cgroup-parent "/$TAG" scratch)
	buildah copy -q "$C" "$T/rootfs" / >/dev/null
	buildah config --env PATH=/bin:/usr/bin --cmd sh "$C"
}

base
IMAGE=$(buildah commit -q --signature-policy "$P/policy.json" "$C" localhost/busybox:test) || {
	echo "Bail out! buildah commit: $IMAGE"
	exit 1
}
buildah rm "$C" >/dev/null
expect

from() {
	C=$(buildah from --pull-never --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cgroup-parent "/$TAG" "$@" localhost/busybox:test)
}

run() {
	from
	status 7 buildah run "$C" -- sh -c 'echo out; echo err >&2; echo kept >/kept; exit 7'
	is "$(cat "$T/o")" out
	has "$(cat "$T/e")" '^err$'
	is "$(buildah run "$C" cat /kept)" kept
	is "$(echo piped | buildah run "$C" cat)" piped
	# buildah takes the number of whatever failed: a program that is missing is a failure, not a status of its own
	got=0
	buildah run "$C" -- nonesuch >"$T/o" 2>&1 || got=$?
	[ "$got" != 0 ]
	has "$(cat "$T/o")" 'nonesuch.*(executable file not found|no such file)'
	buildah rm "$C" >/dev/null
}
t "run: both streams, status, stdin, what it writes stays" run

options() {
	from --cap-drop all
	mkdir -p "$T/vol"
	echo in >"$T/vol/f"
	buildah config --workingdir /tmp --env A=b --user 11:22 "$C"
	status 0 buildah run --hostname hh -v "$T/vol:/v:ro" "$C" -- sh -c \
		'hostname; pwd; echo $A; id -u; id -g; cat /v/f; touch /v/x 2>/dev/null || echo ro; grep -E "CapBnd|^Seccomp:" /proc/self/status | cut -f2'
	is "$(tr '\n' ' ' <"$T/o")" "hh /tmp b 11 22 in ro 0000000000000000 2 "
	status 0 buildah run --user bob --workingdir /home --cap-add CAP_CHOWN "$C" sh -c 'id -u; pwd; grep CapBnd /proc/self/status | cut -f2'
	is "$(tr '\n' ' ' <"$T/o")" "1000 /home 0000000000000001 "
	status 0 buildah run --pid private --ipc private "$C" sh -c 'echo $$'
	is "$(tr '\n' ' ' <"$T/o")" "1 "
	buildah rm "$C" >/dev/null
}
t "run: user, folder, environment, capabilities, volumes, namespaces" options

terminal() {
	from
	got=0
	{
		printf 'stty rows 21 cols 91\n'
		printf "timeout --foreground 60 buildah --root '%s' --runroot '%s' --storage-driver vfs run --tty '%s' -- sh -c 'sleep 1; tty; stty size; exit 4'\n" \
			"$P/root" "$P/run" "$C"
	} >"$T/tty.sh"
	script -qec "sh $T/tty.sh" /dev/null >"$T/o" 2>&1 </dev/null || got=$?
	is "$got" 4
	has "$(tr -d '\r' <"$T/o")" '/dev/(pts/0|console)$'
	buildah rm "$C" >/dev/null
}
t "run --tty" terminal

userns() {
	from --userns-uid-map 0:200000:65536 --userns-gid-map 0:200000:65536
	status 0 buildah run "$C" sh -c 'id -u; awk "{ print \$2 }" /proc/self/uid_map'
	is "$(tr '\n' ' ' <"$T/o")" "0 200000 "
	buildah rm "$C" >/dev/null
}
t "run in a user namespace" userns

bud() {
	mkdir -p "$T/ctx"
	echo data >"$T/ctx/file"
	cat >"$T/ctx/Containerfile" <<'END'
FROM localhost/busybox:test AS build
ARG WHO=nobody
WORKDIR /work
COPY file .
RUN echo "$WHO $(cat file)" >made && mkdir sub && chown bob sub
USER bob
RUN id -u >sub/uid && test ! -w /work
FROM localhost/busybox:test
COPY --from=build /work/made /work/sub/uid /
RUN --mount=type=tmpfs,target=/cache touch /cache/x && test "$(cat /uid)" = 1000
CMD ["cat", "/made"]
END
	buildah bud --pull-never --isolation oci --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cgroup-parent "/$TAG" --memory 128m \
		--signature-policy "$P/policy.json" --build-arg WHO=somebody -t localhost/built:test "$T/ctx" >"$T/o" 2>"$T/e" || fail "$(cat "$T/o" "$T/e")"
	C=$(buildah from --pull-never --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 localhost/built:test)
	is "$(buildah run "$C" cat /made)" "somebody data"
	buildah rm "$C" >/dev/null
	echo 'FROM localhost/busybox:test
RUN exit 9' >"$T/ctx/Containerfile"
	got=0
	buildah bud --pull-never --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --signature-policy "$P/policy.json" "$T/ctx" >"$T/o" 2>&1 || got=$?
	[ "$got" != 0 ]
	has "$(cat "$T/o")" 'exit status 9'
}
t "bud: RUN, USER, COPY --from, a mount, a memory limit; a RUN that fails" bud

finish

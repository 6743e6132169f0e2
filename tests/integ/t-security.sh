#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Published and imaginable attacks on runtimes, run against ours. Counts are
# small; LONG=1 runs the races for long.
# shellcheck disable=SC2016	# scripts for inside
. "${0%/*}/../harness/lib.sh"
suite security
cp "$TOOLS/probe" "$TOOLS/attack" "$T/rootfs/bin/"
[ -n "$CLEAT" ] || { echo "1..0 # SKIP attacks on cleat"; exit 0; }

BINARY=${SECURITY_OLD:-$RUNTIME}
all_caps='.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"]) | .process.capabilities.ambient = []'
userns='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
	| .mounts |= map(select(.type != "cgroup"))'

# once TEXT FUNCTION: a test that does not depend on which calls the kernel has.
once() {
	[ -n "${SECURITY_OLD-}" ] || t "$@"
}

# own_root NAME: a root file system of its own for the bundle, in $R.
own_root() {
	R=$T/r-$1
	rm -rf --one-file-system "$R"
	cp -a "$T/rootfs" "$R"
}

# outside: a directory of the host that must stay as it is.
outside() {
	rm -rf "$T/outside"
	mkdir -p "$T/outside/d"
	echo marker >"$T/outside/marker"
	chmod -R a+rwX "$T/outside"
	listing "$T/outside" >"$T/outside.before"
}

listing() {
	find "$1" -printf '%P %y %m %U:%G %s %T@ %C@\n' | sort
}

untouched() {
	listing "$T/outside" >"$T/outside.after"
	diff "$T/outside.before" "$T/outside.after" || fail "something outside of the container changed"
}

# swapping A B COMMAND...: run it while two names are exchanged all the time.
swapping() {
	"$TOOLS/attack" swap "$1" "$2" &
	swapper=$!
	shift 2
	r=0
	"$@" || r=$?
	kill "$swapper"
	wait "$swapper" || :
	[ "$r" = 0 ]
}

# ---- the binary, processes on their way in, leaked fds ------------------------------------

# An ELF interpreter of the image's is run by the kernel as soon as the runtime's binary is.
evil_loader() {
	cat >"$T/loader.c" <<-'C'
	static long sys(long n, long a, long b, long c)
	{
		long r;
		__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
		return r;
	}
	void _start(void)
	{
		static char digits[3], *argv[] = { "attack", "overwrite", digits, 0 }, *envp[] = { 0 };
		long fd = sys(2, (long)"/proc/self/exe", 0, 0);
		digits[0] = '0' + fd % 10;
		sys(59, (long)"/bin/attack", (long)argv, (long)envp);
		sys(60, 99, 0, 0);
	}
	C
	"${CC:-cc}" -O1 -nostdlib -static -fno-stack-protector -o "$T/loader" "$T/loader.c"
}

self_exe() {
	[ "$(uname -m)" = x86_64 ] || skip "the loader is written for x86_64"
	evil_loader || skip "no compiler"
	own_root exe
	interp=$(readelf -l "$BINARY" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	[ -n "$interp" ] || skip "$BINARY needs no loader"
	mkdir -p "$R${interp%/*}"
	cp "$T/loader" "$R$interp"
	printf '#!/proc/self/exe\n' >"$R/evil"
	chmod 0755 "$R/evil"
	before=$(sha256sum <"$BINARY")
	bundle exe '.root.path = $T + "/r-exe"' /evil
	status 0 run_it
	has "$(cat "$T/o")" '^overwrite: Read-only'
	bundle exe '.root.path = $T + "/r-exe"' /proc/self/exe
	status 0 run_it
	has "$(cat "$T/o")" '^overwrite: Read-only'
	bundle exe2 '.root.path = $T + "/r-exe"' sleep 100
	detached
	for i in $(seq "$(count 3 1000)"); do
		for target in /evil /proc/self/exe; do
			status 0 rt exec "$ID" "$target"
			has "$(cat "$T/o")" '^overwrite: Read-only'
		done
	done
	gone
	is "$(sha256sum <"$BINARY")" "$before"
}

hold_exe() {
	before=$(sha256sum <"$BINARY")
	bundle hold "$all_caps" probe open-exe "$(count 2 60)"
	detached
	end=$(($(date +%s) + $(count 1 58)))
	while [ "$(date +%s)" -lt "$end" ]; do rt exec "$ID" true || break; done
	until_true 10 is_state "$ID" stopped
	has "$(cat "$T/$ID.out")" 'writable 0$'
	gone
	is "$(sha256sum <"$BINARY")" "$before"
}

# What root in the container sees of a process that is on its way in.
lurk() {
	bundle lurk "$1" attack lurk "$(count 2 60)"
	detached
	until_true 5 grep -q watching "$T/$ID.out"
	end=$(($(date +%s) + $(count 1 58)))
	while [ "$(date +%s)" -lt "$end" ]; do rt exec "$ID" true || break; done
	until_true 10 is_state "$ID" stopped
	gone
	has "$(cat "$T/$ID.out")" 'seen [1-9]'
	has "$(cat "$T/$ID.out")" 'found 0$'
}

# Waiting at the gate, init may be looked at for long.
at_gate() {
	bundle gate "$all_caps" sleep 100
	rt create --bundle "$B" "$ID" </dev/null >/dev/null
	is "$(rt exec "$ID" attack look 1)" "found 0"
	gone
}

stopped_exec() {
	bundle stop '.process.capabilities |= map_values(. + ["CAP_KILL"])' attack stop 20
	detached
	until_true 5 grep -q watching "$T/$ID.out"
	rt exec "$ID" true &
	e=$!
	sleep 0.5
	begin=$(date +%s)
	status 0 rt delete --force "$ID"
	[ $(($(date +%s) - begin)) -lt 8 ] || fail "delete took $(($(date +%s) - begin)) s"
	wait $e || :
}

cwd_fd() {
	bundle cwdx '' sleep 100
	detached
	x=$ID
	for n in $(seq 3 "$(count 11 64)"); do
		bundle cwd '.process.cwd = "/proc/self/fd/'"$n"'"' cat /etc/passwd
		status 1 run_it
		bundle cwd '' "/proc/self/fd/$n/../../bin/busybox" true
		status 1 run_it
		bundle cwd '.process.env = ["PATH=/proc/self/fd/'"$n"'/../bin"]' busybox true
		status 1 run_it
		status 255 rt exec --cwd "/proc/self/fd/$n" "$x" true
		status 255 rt exec "$x" "/proc/self/fd/$n/../../bin/busybox" true
	done
	own_root cwd
	for n in $(seq 3 "$(count 7 20)"); do
		rm -rf "$R/way"
		ln -s "/proc/self/fd/$n" "$R/way"
		bundle cwd '.root.path = $T + "/r-cwd" | .process.cwd = "/way"' true
		status 1 run_it
		bundle cwd '.root.path = $T + "/r-cwd" | .process.cwd = "/way/../.."' true
		status 1 run_it
	done
	# The caller's own fds: a directory of the host on stdin is no way out either.
	bundle cwd '.process.cwd = "/proc/self/fd/0"' true
	rc=0
	rt run --bundle "$B" "$ID" </etc >"$T/o" 2>&1 || rc=$?
	is "$rc" 1
	rc=0
	rt exec --cwd /proc/self/fd/0 "$x" true </etc >"$T/o" 2>&1 || rc=$?
	is "$rc" 255
	gone "$x"
}

only_std() {
	is "$(awk '$1 > 2' "$1")" ""
}

no_fds() {
	printf '#!/bin/sh\nls -l /proc/self/fd | awk -v n="$1" "{ print n, \\$9, \\$NF }" >>%s\n' "$T/hookfds" >"$T/hook"
	chmod 0755 "$T/hook"
	h='[{path: ($T + "/hook")}]'
	own_root fds
	cp "$TOOLS/probe" "$R/hookin"
	bundle fds ".root.path = \$T + \"/r-fds\" | .hooks = {createRuntime: $h, createContainer: $h, poststart: $h, poststop: $h}" \
		probe fds
	rm -f "$T/hookfds"
	status 0 run_it
	only_std "$T/o"
	# 3 is the folder that ls reads, and the shell keeps 10 for the script
	is "$(awk '$2 ~ /^[0-9]+$/ && $2 > 3 && $2 != 10' "$T/hookfds")" ""
	[ "$(grep -c ' 0 ' "$T/hookfds")" = 4 ]
	bundle fds2 '' sleep 100
	detached
	is "$(ls /proc/"$(pid_of "$ID")"/fd | tr '\n' ' ')" "0 1 2 "
	status 0 rt exec "$ID" probe fds
	only_std "$T/o"
	gone
	# Fds of the caller that were not given over.
	exec 7</etc 8>"$T/eight"
	bundle fds3 '' probe fds
	status 0 run_it
	only_std "$T/o"
	refused 1 'not open' rt run --preserve-fds 9 --bundle "$B" "$ID"
}

closed_stdio() {
	bundle closedx '' sleep 100
	detached
	x=$ID
	bundle closed '' sh -c 'probe fds >/found; chmod 666 /found'
	own_root closed
	bundle closed '.root.path = $T + "/r-closed"' sh -c 'probe fds >/found'
	for c in '' '0<&-' '1>&-' '2>&-' '0<&- 1>&-' '0<&- 2>&-' '1>&- 2>&-' '0<&- 1>&- 2>&-'; do
		rm -f "$R/found"
		eval "timeout 20 \"\$RUNTIME\" --root \"\$ROOT\" run --bundle \"\$B\" \"\$ID\" $c"
		[ "$(awk '{ print $1 }' "$R/found" | tr '\n' ' ')" = "0 1 2 " ] || fail "with $c: $(cat "$R/found")"
		hasnt "$(cat "$R/found")" "/cleat$|state.json|lock|fifo|socket"
		eval "timeout 20 \"\$RUNTIME\" --root \"\$ROOT\" exec \"\$x\" true $c"
	done
	gone "$x"
}

t "the binary cannot be written by #!/proc/self/exe and a loader of the image" self_exe
t "the binary cannot be written by who holds /proc/PID/exe" hold_exe
once "root of the container sees nothing of an exec on its way in" lurk '.'
t "neither with CAP_SYS_PTRACE" lurk "$all_caps"
once "nor from a user namespace with CAP_SYS_PTRACE" lurk "$userns | $all_caps | .root.path = \$T + \"/rootfs\""
t "init at the gate holds nothing that leads out" at_gate
t "an exec that is stopped from inside does not keep the container from being deleted" stopped_exec
t "no cwd and no program by way of an fd" cwd_fd
t "no fd but 0, 1, 2 in init, exec, hooks" no_fds
t "0, 1, 2 closed, in all combinations" closed_stdio

# ---- tricks with paths of the root --------------------------------------------------------

racing_mounts() {
	for i in $(seq "$(count 10 5000)"); do
		run_it >"$T/o" 2>"$T/e" </dev/null || { [ "$(grep -c . "$T/e")" = 1 ] || fail "$(cat "$T/e")"; fails=$((fails + 1)); }
		hasnt "$(grep -v "^cat:" "$T/o")" marker
		runs=$((runs + 1))
	done
}

mount_race() {
	outside
	own_root mr
	mkdir -p "$T/vol/a/b" "$T/src"
	echo source >"$T/src/file"
	ln -sfn "$T/outside" "$T/vol/l"
	bundle mr '.root.path = $T + "/r-mr"
		| .mounts += [{destination: "/vol", type: "bind", source: ($T + "/vol"), options: ["rbind"]},
			{destination: "/vol/a", type: "bind", source: ($T + "/src"), options: ["bind", "ro"]},
			{destination: "/vol/a/b", type: "bind", source: ($T + "/src"), options: ["bind", "ro"]},
			{destination: "/vol/a/../c", type: "tmpfs", source: "tmpfs"}]' \
		sh -c 'awk "\$4 ~ /src\$/ && \$6 !~ /^ro/ { print \"marker: writable\", \$0 }" /proc/self/mountinfo; find / -xdev -name marker; cat '"$T"'/outside/marker /vol/l/marker /vol/a/marker 2>/dev/null; true'
	runs=0
	fails=0
	swapping "$T/vol/a" "$T/vol/l" racing_mounts
	ln -sfn / "$T/vol/l2"
	mkdir -p "$T/vol/d2/b"
	bundle mr2 '.root.path = $T + "/r-mr"
		| .mounts += [{destination: "/vol", type: "bind", source: ($T + "/vol"), options: ["rbind"]},
			{destination: "/vol/d2", type: "tmpfs", source: "tmpfs"}, {destination: "/vol/d2/b", type: "tmpfs", source: "tmpfs"}]' \
		sh -c 'ls '"$T"'/outside 2>/dev/null; true'
	swapping "$T/vol/d2" "$T/vol/l2" racing_mounts
	# a read-only volume stays so where the mount is looked up again for its flags (kernels below 5.2)
	mkdir -p "$T/vol/e"
	ln -sfn /dev/shm "$T/vol/l3"
	bundle mr3 '.root.path = $T + "/r-mr"
		| .mounts += [{destination: "/vol", type: "bind", source: ($T + "/vol"), options: ["rbind"]},
			{destination: "/vol/e", type: "bind", source: ($T + "/src"), options: ["bind", "ro"]}]' \
		sh -c 'awk "\$4 ~ /src\$/ && \$6 !~ /^ro/ { print \"marker: writable\", \$0 }" /proc/self/mountinfo'
	swapping "$T/vol/e" "$T/vol/l3" racing_mounts
	[ "$fails" -lt "$runs" ] || fail "none of $runs started"
	untouched
	rm -rf "$T/vol"
}

mkdir_race() {
	outside
	own_root mk
	mkdir -p "$T/vol/p"
	ln -sfn "$T/outside/d" "$T/vol/q"
	bundle mk '.root.path = $T + "/r-mk" | .mounts += [{destination: "/vol", type: "bind", source: ($T + "/vol"), options: ["rbind"]}]
		+ [range(8) | {destination: "/vol/p/n\(.)/deep/er", type: "tmpfs", source: "tmpfs"}]
		+ [{destination: "/vol/p/file", type: "bind", source: "/etc/hostname", options: ["bind"]}]
		| .process.cwd = "/vol/p/cwd"' true
	runs=0
	fails=0
	swapping "$T/vol/p" "$T/vol/q" racing_mounts
	untouched
	rm -rf "$T/vol"
}

fake_proc() {
	outside
	mkdir -p "$T/fake"
	bundle fp '.mounts |= map(select(.destination != "/proc")) | .mounts += [{destination: "/proc", type: "tmpfs", source: "tmpfs"}]' true
	refused 1 'proc' run_it
	bundle fp '.mounts |= map(select(.destination != "/proc")) | .mounts += [{destination: "/proc", type: "bind", source: ($T + "/fake"), options: ["bind"]}]' true
	refused 1 'proc' run_it
	for d in /proc//. /./proc /x/../proc /proc/self /proc/self/attr /proc/sys /proc/1; do
		bundle fp '.mounts += [{destination: "'"$d"'", type: "tmpfs", source: "tmpfs"}]' true
		refused 1 'proc' run_it
	done
	# A volume of the image that leads there.
	own_root fp
	for to in /proc proc ../proc /proc/sys /proc/self /sub/link; do
		rm -rf "$R/volume" "$R/sub"
		mkdir "$R/sub"
		ln -s ../proc "$R/sub/link"
		ln -s "$to" "$R/volume"
		bundle fp '.root.path = $T + "/r-fp" | .mounts += [{destination: "/volume", type: "tmpfs", source: "tmpfs"}]' true
		refused 1 'proc' run_it
		bundle fp '.root.path = $T + "/r-fp" | .mounts += [{destination: "/volume", type: "bind", source: ($T + "/fake"), options: ["bind"]}]' true
		refused 1 'proc' run_it
	done
	# What lxcfs does stays allowed, and so does a second look at a procfs of the host.
	echo 0 >"$T/uptime"
	bundle fp '.mounts += [{destination: "/proc/uptime", type: "bind", source: ($T + "/uptime"), options: ["bind"]},
		{destination: "/hostproc", type: "bind", source: "/proc", options: ["rbind", "ro"]}]' cat /proc/uptime
	status 0 run_it
	is "$(cat "$T/o")" 0
	# No /proc at all: nothing of the image is taken for it.
	own_root np
	mkdir -p "$R/proc/self/fd" "$R/proc/sys/kernel" "$R/proc/self/attr"
	bundle np '.root.path = $T + "/r-np" | .mounts |= map(select(.destination != "/proc"))
		| .linux.sysctl = {"kernel.shmmni": "4000"}' true
	status 0 run_it
	is "$(find "$R/proc" -type f | wc -l)" 0
}

link_proc_sys() {
	outside
	own_root ln
	for d in proc sys; do
		for to in "$T/outside" ../../../../../../../../"$T/outside" /tmp tmp; do
			rm -rf "${R:?}/$d"
			ln -s "$to" "$R/$d"
			bundle ln '.root.path = $T + "/r-ln"' true
			refused 1 'ordinary directory' run_it
		done
		rm "${R:?}/$d"
		mkdir "$R/$d"
	done
	untouched
	status 0 run_it
}

# /proc and a link change places while the container starts: what runs has a true /proc and its sysctl.
proc_redirect() {
	own_root pr
	outside
	mkdir -p "$R/evil/sys/net/ipv4" "$R/evil/self/attr"
	ln -s /evil "$R/plink"
	trigger=$(cat /proc/sys/kernel/core_pattern)
	bundle pr '.root.path = $T + "/r-pr" | .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "81"}' \
		sh -c 'mount | grep -q "proc on /evil" && echo moved; cat /proc/sys/net/ipv4/ip_unprivileged_port_start'
	redirected() {
		for i in $(seq "$(count 20 3000)"); do
			if run_it >"$T/o" 2>"$T/e" </dev/null; then
				is "$(cat "$T/o")" 81
			elif [ -s "$T/o" ]; then
				hasnt "$(cat "$T/o")" moved
			fi
		done
	}
	swapping "$R/proc" "$R/plink" redirected
	is "$(cat /proc/sys/kernel/core_pattern)" "$trigger"
	is "$(find "$R/evil" -type f)" ""
	untouched
}

mask_null() {
	own_root mn
	rm -rf "$R/dev"
	mkdir "$R/dev"
	nodev='.root.path = $T + "/r-mn" | .mounts |= map(select(.destination | startswith("/dev") | not))
		| .linux.maskedPaths = ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/etc/shadow-like", "/secret"]'
	mkdir "$R/secret"
	echo s >"$R/secret/s"
	echo s >"$R/etc/shadow-like"
	look='cat /proc/keys /proc/sysrq-trigger /proc/sys/kernel/core_pattern /etc/shadow-like | wc -c; ls /secret | wc -l
		echo x >/proc/sys/kernel/core_pattern; stat -c "%t:%T" /proc/keys'
	for kind in absent file dir link; do
		rm -rf "$R/dev"
		mkdir "$R/dev"
		case $kind in
		file) echo s >"$R/dev/null" ;;
		dir) mkdir "$R/dev/null" ;;
		link) ln -s /proc/sys/kernel/core_pattern "$R/dev/null" ;;
		esac
		bundle mn "$nodev" sh -c "$look"
		if [ $kind = absent ]; then
			status 0 run_it
			is "$(cat "$T/o" | tr '\n' ' ')" "0 0 1:3 "
		else
			refused 1 '/dev/null' run_it
		fi
	done
	# with a /dev of its own the image's does not matter
	bundle mn '.root.path = $T + "/r-mn" | .linux.maskedPaths += ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/etc/shadow-like", "/secret"]' \
		sh -c "$look"
	status 0 run_it
	is "$(cat "$T/o" | tr '\n' ' ')" "0 0 1:3 "
	before=$(cat /proc/sys/kernel/core_pattern)
	rm -rf "$R/dev/null"
	rm -f "$R/dev/other"
	mknod "$R/dev/null" c 1 3
	ln -s /proc/sys/kernel/core_pattern "$R/dev/other"
	bundle mn "$nodev" sh -c "$look"
	masked() {
		for i in $(seq "$(count 10 2000)"); do
			if run_it >"$T/o" 2>"$T/e" </dev/null; then is "$(cat "$T/o" | tr '\n' ' ')" "0 0 1:3 "; fi
		done
	}
	swapping "$R/dev/null" "$R/dev/other" masked
	is "$(cat /proc/sys/kernel/core_pattern)" "$before"
	# a link where a path to be masked is: nothing outside is touched
	outside
	rm -rf "$R/secret"
	ln -s "$T/outside" "$R/secret"
	rm -rf "$R/dev"
	mkdir "$R/dev"
	bundle mn "$nodev" true
	status 0 run_it
	untouched
}

console_race() {
	own_root cr
	outside
	nodev='.root.path = $T + "/r-cr" | .process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))'
	on_tty() {
		rm -f "$T/con"
		"$TOOLS/console" "$T/con" </dev/null >"$T/tty" 2>&1 &
		con=$!
		until_true 5 test -S "$T/con"
		rc=0
		rt create --console-socket "$T/con" --bundle "$B" "$ID" >"$T/o" 2>"$T/e" </dev/null || rc=$?
		if [ $rc = 0 ]; then
			rt start "$ID"
			wait $con || :
			gone
		else
			kill $con 2>/dev/null || :
			wait $con || :
		fi
	}
	# a ptmx of the image's is no pty multiplexer of a devpts
	for kind in absent file link fifo node; do
		rm -rf "$R/dev"
		mkdir -p "$R/dev/pts"
		case $kind in
		file) : >"$R/dev/pts/ptmx" ;;
		link) ln -s "$T/outside/marker" "$R/dev/pts/ptmx" ;;
		fifo) mkfifo "$R/dev/pts/ptmx" ;;
		node) mknod "$R/dev/pts/ptmx" c 5 2 ;;
		esac
		bundle cr "$nodev" true
		on_tty
		is $rc 1
	done
	# /dev/console is made in the root only
	pts='| .mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"]}]'
	rm -rf "$R/dev"
	mkdir -p "$R/dev/pts"
	ln -s "$T/outside/new" "$R/dev/console"
	bundle cr "$nodev $pts" true
	on_tty
	rm "$R/dev/console"
	: >"$R/dev/console"
	ln -s "$T/outside/marker" "$R/dev/other"
	bundle cr "$nodev $pts" sh -c 'tty; mount | grep -c "on /dev/console"'
	consoles() {
		for i in $(seq "$(count 6 1000)"); do on_tty; done
	}
	swapping "$R/dev/console" "$R/dev/other" consoles
	untouched
}

dev_symlink() {
	outside
	: >"$T/outside/ptmx"
	listing "$T/outside" >"$T/outside.before"
	own_root dl
	for to in "$T/outside" ../../../../../../../../../../"$T/outside" /chain /proc/1/root/"$T/outside"; do
		rm -rf "$R/dev" "$R/chain"
		ln -s "$to" "$R/dev"
		ln -s "$T/outside" "$R/chain"
		bundle dl '.root.path = $T + "/r-dl" | .mounts |= map(select(.destination | startswith("/dev") | not))
			| .linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3}]' true
		run_it >"$T/o" 2>"$T/e" || :
		untouched
		bundle dl '.root.path = $T + "/r-dl"' true
		run_it >"$T/o" 2>"$T/e" || :
		untouched
	done
}

write_symlink() {
	outside
	own_root ws
	for f in etc/passwd etc/group etc/hostname etc/resolv.conf dev/console .krun_config.json run/made home/cwd mnt vol; do
		mkdir -p "$R/${f%/*}"
		rm -rf "${R:?}/$f"
		ln -s "$T/outside/via" "$R/$f"
	done
	bundle ws '.root.path = $T + "/r-ws" | .process.cwd = "/home/cwd/deep"
		| .mounts += [{destination: "/vol", type: "bind", source: ($T + "/src"), options: ["bind"]},
			{destination: "/mnt/x", type: "tmpfs", source: "tmpfs"},
			{destination: "/etc/resolv.conf", type: "bind", source: "/etc/hostname", options: ["bind"]}]' true
	mkdir -p "$T/src"
	run_it >"$T/o" 2>"$T/e" || :
	untouched
	for m in '"/vol"' '"/mnt/x"' '"/home/cwd/y"'; do
		bundle ws '.root.path = $T + "/r-ws" | .mounts += [{destination: '"$m"', type: "tmpfs", source: "tmpfs"}]' true
		run_it >"$T/o" 2>"$T/e" || :
		untouched
	done
}

mount_root() {
	own_root rt
	ln -s / "$R/slash"
	ln -s . "$R/dot"
	ln -s ../../../.. "$R/up"
	for d in / // /. /.. /../.. /slash /dot /up /slash/up/dot; do
		bundle mrt '.root.path = $T + "/r-rt" | .mounts += [{destination: "'"$d"'", type: "tmpfs", source: "tmpfs"}]' true
		refused 1 'root|destination' run_it
		bundle mrt '.root.path = $T + "/r-rt" | .mounts += [{destination: "'"$d"'", type: "bind", source: ($T + "/src"), options: ["rbind"]}]' true
		refused 1 'root|destination' run_it
	done
	ln -sfn "$R" "$T/rootlink"
	bundle mrt '.root.path = $T + "/rootlink"' true
	status 0 run_it
	bundle mrt '.root.path = "/"' true
	refused 1 root run_it
	bundle mrt '.root.path = "."' true
	refused 1 root run_it
	ln -sfn / "$T/rootlink"
	bundle mrt '.root.path = $T + "/rootlink"' true
	refused 1 root run_it
}

t "mount points exchanged for links while containers start" mount_race
t "directories for mounts exchanged for links while they are made" mkdir_race
t "nothing but a procfs on /proc, and nothing on its files" fake_proc
t "/proc or /sys is a link" link_proc_sys
t "/proc exchanged for a link: sysctl lands where it belongs" proc_redirect
t "masks do not depend on the image's /dev/null" mask_null
t "the terminal is a pty of the container's devpts; /dev/console exchanged" console_race
t "/dev is a link: nothing is made or removed outside" dev_symlink
t "links where we make files: nothing is written through them" write_symlink
t "nothing is mounted on the root itself" mount_root

# ---- privileges, namespaces, cgroups ----------------------------------------------------------

inh() {
	awk '/^CapInh/ { print $2 }' "$1"
}

inheritable() {
	zero=0000000000000000
	bundle inh '.process.user = {uid: 1000, gid: 1000}' sh -c 'cat /proc/self/status; sleep 100'
	detached
	until_true 5 grep -q CapInh "$T/$ID.out"
	is "$(inh "$T/$ID.out")" $zero
	for o in "" "-u 0" "-u 1000:1000" "--cap CAP_NET_RAW" "--cap CAP_NET_RAW -u 1000" "--cap CAP_SYS_ADMIN -u 0"; do
		# shellcheck disable=SC2086	# options are words
		status 0 rt exec $o "$ID" cat /proc/self/status
		is "$(inh "$T/o")" $zero
		is "$(awk '/^NoNewPrivs/ { print $2 }' "$T/o")" 1
	done
	jq '.process | .args = ["cat", "/proc/self/status"] | .capabilities.bounding += ["CAP_NET_RAW"]' "$B/config.json" >"$T/p.json"
	status 0 rt exec --process "$T/p.json" "$ID"
	is "$(inh "$T/o")" $zero
	gone
}

exec_user() {
	bundle eu '' sleep 100
	detached
	for u in 1: :1 1:2x 0x1 -1 4294967295 4294967296 ' 1' '1 ' +1 1:-1 1:4294967295 1:4294967296 1:2:3 root '' 99999999999999999999; do
		if [ -z "$u" ]; then continue; fi
		refused 255 'user|UID' rt exec -u "$u" "$ID" id
	done
	is "$(rt exec -u 1 "$ID" id -u)" 1
	is "$(rt exec -u 1 "$ID" id -g)" 0
	is "$(rt exec -u 1:2 "$ID" sh -c 'echo $(id -u) $(id -g)')" "1 2"
	is "$(rt exec -u 4294967294:4294967294 "$ID" id -u)" 4294967294
	gone
}

groups_exact() {
	bundle gr '.process.user = {uid: 1000, gid: 1000, additionalGids: [7]}' sh -c 'grep ^Groups /proc/self/status; sleep 100'
	# our own groups are not theirs
	setpriv --groups 4,20 "$RUNTIME" --root "$ROOT" create --bundle "$B" "$ID" </dev/null >"$T/$ID.out" 2>"$T/e"
	rt start "$ID"
	until_true 5 grep -q Groups "$T/$ID.out"
	is "$(awk '{ print $2, $3 }' "$T/$ID.out")" "7 "
	for u in 0 1000 5:5; do
		is "$(setpriv --groups 4,20 "$RUNTIME" --root "$ROOT" exec -u $u "$ID" grep ^Groups /proc/self/status | awk '{ print $2, $3 }')" "7 "
	done
	gone
	bundle gr2 '' grep ^Groups /proc/self/status
	is "$(setpriv --groups 4,20 "$RUNTIME" --root "$ROOT" run --bundle "$B" "$ID" </dev/null | awk '{ print $2 }')" ""
}

setgroups_denied() {
	own_root sg
	chown -hR 200000:300000 "$R"
	bundle sg "$userns"' | .root.path = $T + "/r-sg" | .process.user.additionalGids = [5]' sh -c 'cat /proc/self/setgroups; grep ^Groups /proc/self/status'
	status 0 run_it
	is "$(awk '/^Groups/ { print $2, $3 }' "$T/o")" "5 "
	# a group that is not mapped, and one that nobody may take
	bundle sg "$userns"' | .root.path = $T + "/r-sg" | .process.user.additionalGids = [70000]' true
	refused 1 'setgroups|additionalGids' run_it
	# not root: the kernel only takes maps after setgroups was denied, so groups stay
	bundle sg2 '' true
	chmod 0755 "$T" "$T/b"
	rc=0
	setpriv --reuid 1000 --regid 1000 --groups 1000,1001 "$RUNTIME" --root "$T/nobody" run --bundle "$B" sg2 >"$T/o" 2>"$T/e" </dev/null || rc=$?
	[ $rc != 0 ]
}

sysctl_inject() {
	before=$(cat /proc/sys/kernel/core_pattern)
	for kv in '"kernel.core_pattern": "|/x"' '"kernel/core_pattern": "|/x"' '"net.ipv4/../../kernel/core_pattern": "x"' \
		'"net/ipv4/../../kernel/core_pattern": "x"' '"net.ipv4.ip_forward+kernel.core_pattern": "1"' \
		'"net.ipv4.ip_forward": "1\n"' '"net.ipv4.ip_forward": "1\u0000kernel"' '"net.ipv4.ip_forward": "1+kernel.core_pattern=x"' \
		'"net.ipv4.ip_forward\u0000": "1"' '"net..ipv4.ip_forward": "1"' '".net.ipv4.ip_forward": "1"' '"net": "1"' '"net.": "1"' \
		'"": "1"' '"fs.mqueue/../file-max": "1"' '"kernel.shmmax/../core_pattern": "x"' '"kernel.hostname": "x"' \
		'"net/../kernel/core_pattern": "x"' '"/net/ipv4/ip_forward": "1"' '"vm.overcommit_memory": "1"'; do
		bundle si '.linux.sysctl = {'"$kv"'}' true
		status 1 run_it
		is "$(cat /proc/sys/kernel/core_pattern)" "$before"
	done
	# namespaces of the host
	for ns in network ipc uts; do
		case $ns in network) k=net.ipv4.ip_forward ;; ipc) k=kernel.shmmax ;; uts) k=kernel.domainname ;; esac
		bundle si "del(.hostname) | .linux.namespaces |= map(select(.type != \"$ns\")) | .linux.sysctl = {\"$k\": \"1\"}" true
		refused 1 "$k" run_it
	done
	bundle si 'del(.hostname) | .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end) | .linux.sysctl = {"net.ipv4.ip_forward": "1"}' true
	refused 1 "net.ipv4.ip_forward" run_it
}

cgroup_paths() {
	for p in .. ../x /../x /a/../../b "/$TAG/../../x" '/a/./../..'; do
		bundle cp '.linux.cgroupsPath = "'"$p"'"' true
		refused 1 cgroup run_it
	done
	bundle cp '' sleep 100
	detached
	for p in .. ../.. a/../../b ../"$TAG-cp"/.. /..; do
		status 255 rt exec --cgroup "$p" "$ID" true
	done
	gone
}

big_maps() {
	own_root big
	cp "$H/config.json" "$T/none"
	seconds() {
		begin=$(date +%s%N)
		"$@"
		ms=$((($(date +%s%N) - begin) / 1000000))
	}
	# 200 KiB of env, all of it arrives, and none of it is ours
	bundle big '.process.env += [range(200) | "V\(.)=" + ("x" * 1000)] | .process.env += ["LD_PRELOAD=/nonesuch.so", "LISTEN_PID=1"]' \
		sh -c 'env | grep -c "^V.*x$"'
	status 0 run_it
	is "$(cat "$T/o")" 200
	# 340 mappings
	bundle big "$userns"' | .linux.uidMappings = [range(340) | {containerID: ., hostID: (1000 + . * 2), size: 1}]
		| .linux.gidMappings = .linux.uidMappings' sh -c 'wc -l </proc/self/uid_map; tail -n 1 /proc/self/gid_map'
	status 0 run_it
	is "$(awk '{ print $1, $2, $3 }' "$T/o" | tr '\n' ' ')" "340   339 1678 1 "
	bundle big "$userns"' | .linux.uidMappings = [range(341) | {containerID: ., hostID: (1000 + . * 2), size: 1}]' true
	refused 1 Mappings run_it
	# mounts: four times as many may take no more than six times as long (and 100 ms)
	n=$(count 500 2500)
	many() {
		bundle big '.mounts += [range('"$1"') | {destination: "/mm", type: "bind", source: ($T + "/mm\(. % 7)"), options: ["bind", "ro"]}]' true
	}
	mkdir -p "$T/mm0" "$T/mm1" "$T/mm2" "$T/mm3" "$T/mm4" "$T/mm5" "$T/mm6"
	flat() {
		bundle big '.mounts += [range('"$1"') | {destination: "/mm/\(.)", type: "bind", source: ($T + "/mm0"), options: ["bind"]}]' true
	}
	flat "$n"
	status 0 run_it
	seconds status 0 run_it
	small=$ms
	flat $((n * 4))
	seconds status 0 run_it
	echo "$n mounts: $small ms, $((n * 4)): $ms ms"
	[ "$ms" -le $((small * 6 + 300)) ] || fail "not linear: $small ms, $ms ms"
	many 200
	status 0 run_it
}

tiocsti() {
	command -v script >/dev/null || skip "no script"
	bundle ti '' attack tiocsti
	script -qec "'$RUNTIME' --root '$ROOT' run --bundle '$B' '$ID'; read -t 1 -n 1 x; echo \"read <\$x>\"" /dev/null >"$T/o" 2>&1 </dev/null || :
	has "$(cat "$T/o")" 'pushed 0'
	bundle ti2 '' sleep 100
	detached
	script -qec "'$RUNTIME' --root '$ROOT' exec '$ID' attack tiocsti" /dev/null >"$T/o" 2>&1 </dev/null || :
	has "$(cat "$T/o")" 'pushed 0'
	gone
}

once "exec has no inheritable capabilities and keeps no_new_privs" inheritable
once "exec -u: the whole string or nothing" exec_user
once "groups are the listed ones and no others" groups_exact
once "groups of a user namespace" setgroups_denied
once "sysctl: no key and no value reaches the host" sysctl_inject
once "cgroup paths do not lead out" cgroup_paths
once "big inputs: env, maps, mounts" big_maps
once "nothing can be pushed into the caller's terminal" tiocsti

# ---- files of the image, hooks, state ------------------------------------------------------------

passwd_bomb() {
	own_root pw
	for kind in huge line fifo device dir link; do
		rm -rf "$R/etc/passwd"
		case $kind in
		huge) truncate -s 1G "$R/etc/passwd" ;;
		line) head -c 900000 /dev/zero | tr '\0' x >"$R/etc/passwd" ;;
		fifo) mkfifo "$R/etc/passwd" ;;
		device) mknod "$R/etc/passwd" c 1 5 ;;
		dir) mkdir "$R/etc/passwd" ;;
		link) ln -s /proc/self/fd/0 "$R/etc/passwd" ;;
		esac
		bundle pw '.root.path = $T + "/r-pw" | .process.user.uid = 1000' sh -c 'echo $HOME'
		begin=$(date +%s%N)
		status 0 run_it
		is "$(cat "$T/o")" /
		[ $((($(date +%s%N) - begin) / 1000000)) -lt 1000 ] || fail "$kind took too long"
	done
}

nss() {
	own_root nss
	mkdir -p "$R/lib/x86_64-linux-gnu" "$R/usr/lib" "$R/lib64"
	printf 'passwd: evil files\ngroup: evil\nhosts: evil\n' >"$R/etc/nsswitch.conf"
	for l in libnss_evil.so.2 libnss_files.so.2 libc.so.6 libseccomp.so.2; do
		for d in lib lib64 lib/x86_64-linux-gnu usr/lib; do echo bad >"$R/$d/$l"; done
	done
	echo /evil.so >"$R/etc/ld.so.preload"
	bundle nss '.root.path = $T + "/r-nss"' sleep 100
	detached
	before=$(stat -c %X "$R/etc/nsswitch.conf" "$R/etc/ld.so.preload" "$R/lib/libnss_evil.so.2")
	is "$(rt exec -u 1000 "$ID" sh -c 'echo $HOME')" /home
	is "$(stat -c %X "$R/etc/nsswitch.conf" "$R/etc/ld.so.preload" "$R/lib/libnss_evil.so.2")" "$before"
	gone
}

hook_env() {
	printf '#!/bin/sh\n{ echo "$1 cwd $(pwd)"; cat /proc/self/environ | tr "\\0" "\\n"; } >>%s\ncat >/dev/null\n' "$T/hookenv" >"$T/hook"
	chmod 0755 "$T/hook"
	own_root he
	: >"$T/hookenv"
	bundle he '.root.path = $T + "/r-he" | .process.env += ["LD_PRELOAD=./evil.so", "SECRET=1", "BASH_ENV=/evil"]
		| .hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
			| map({(.): [{path: ($T + "/hook"), args: ["hook", .], env: ["GIVEN=1"]}, {path: ($T + "/hook"), args: ["hook", .]}]}) | add)' true
	status 0 run_it
	is "$(grep -c cwd "$T/hookenv")" 10
	is "$(grep -c GIVEN=1 "$T/hookenv")" 5
	hasnt "$(cat "$T/hookenv")" 'LD_PRELOAD|SECRET|evil'
	bundle he '.hooks = {createRuntime: [{path: "hook"}]}' true
	refused 1 hook run_it
}

hook_hang() {
	printf '#!/bin/sh\nsleep 300 &\ntrap "" TERM\nsleep 301\n' >"$T/hang"
	printf '#!/bin/sh\nhead -c 3000000 /dev/zero | tr "\\0" "x"\nexit 3\n' >"$T/loud"
	printf '#!/bin/sh\nsleep 0.4 >/dev/null 2>&1 &\nexit 0\n' >"$T/child"
	chmod 0755 "$T/hang" "$T/loud" "$T/child"
	for h in prestart createRuntime createContainer; do
		bundle hh ".hooks = {$h: [{path: (\$T + \"/hang\"), timeout: 1}]}" true
		begin=$(date +%s)
		refused 1 'hang' run_it
		[ $(($(date +%s) - begin)) -lt 30 ] || fail "$h: $(($(date +%s) - begin)) s"
	done
	bundle hh '.hooks = {createRuntime: [{path: ($T + "/loud")}]}' true
	status 1 run_it
	[ "$(wc -c <"$T/e")" -lt 4096 ]
	bundle hh '.hooks = {createRuntime: [{path: ($T + "/child")}]}' true
	status 0 run_it
	sleep 0.5
}

perms() {
	for m in 000 077 022; do
		root=$T/st$m
		bundle "pm$m" '' sleep 100
		# shellcheck disable=SC2064
		( umask $m; timeout 20 "$RUNTIME" --root "$root" create --pid-file "$T/pid" --bundle "$B" "$ID" </dev/null >/dev/null )
		is "$(stat -c %a:%u "$root")" 700:0
		[ "$(find "$root" -type d -perm /022)" = "" ] || fail "writable: $(find "$root" -type d -perm /022)"
		is "$(find "$root" ! -type d ! -name exec.fifo -perm /077 | sort)" ""
		is "$(find "$root/$ID" -maxdepth 0 -perm /066)" ""
		status 1 setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "ls $root/$ID || cat $root/$ID/state.json || echo x >$root/$ID/exec.fifo || exit 1"
		rc=0
		setpriv --reuid 1000 --regid 1000 --clear-groups "$RUNTIME" --root "$root" state "$ID" >"$T/o" 2>"$T/e" </dev/null || rc=$?
		[ $rc != 0 ]
		timeout 20 "$RUNTIME" --root "$root" start "$ID"
		timeout 20 "$RUNTIME" --root "$root" delete --force "$ID"
	done
	# roots that are not ours alone
	mkdir -m 0777 "$T/open"
	refused 1 'writable' rt --root "$T/open" state x
	mkdir "$T/theirs"
	chown 1000 "$T/theirs"
	refused 1 'belongs' rt --root "$T/theirs" state x
	refused 1 'root' rt --root / state x
	# a link where the pid file goes is replaced
	outside
	ln -sfn "$T/outside/marker" "$T/pidlink"
	bundle pl '' true
	status 0 rt run --pid-file "$T/pidlink" --bundle "$B" "$ID"
	untouched
	[ ! -L "$T/pidlink" ]
	# ids
	for id in '' . .. a/b ../x '%s/' "$(printf 'a\nb')" "$(head -c 300 /dev/zero | tr '\0' a)" 'ü'; do
		rc=0
		rt create --bundle "$B" -- "$id" >"$T/o" 2>"$T/e" </dev/null || rc=$?
		is $rc 1
	done
}

once "passwd of the image: huge, endless, no file" passwd_bomb
once "no library and no name service of the image is used" nss
once "hooks do not get the container's environment" hook_env
once "hooks that hang, flood, leave children" hook_hang
t "state is ours alone, whatever the umask" perms

# ---- the same where the newer calls are missing ---------------------------------------------------

old_calls() {
	"$TOOLS/no-new-calls" clone3 true 2>/dev/null || skip "no seccomp filter can be installed"
	mkdir -p "$T/old"
	printf '#!/bin/sh\nexec "%s" %s "%s" "$@"\n' "$TOOLS/no-new-calls" "$1" "$RUNTIME" >"$T/old/cleat"
	chmod 0755 "$T/old/cleat"
	SECURITY_OLD=$RUNTIME RUNTIME=$T/old/cleat ONLY="${ONLY_OLD-}" LONG='' "$TOOLS/warden" "$SUITE" >"$T/tap" 2>&1 || {
		grep -v '^ok' "$T/tap"
		exit 1
	}
	grep -q '^1\.\.[1-9]' "$T/tap"
}

case $0 in /*) SUITE=$0 ;; *) SUITE=$PWD/$0 ;; esac
[ -n "${SECURITY_OLD-}" ] || t "all of this as on 4.19" old_calls 4.19

finish

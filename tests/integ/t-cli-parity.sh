#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# Hooks and terminals by runc and by us: the same script for both, the same result.
# shellcheck disable=SC2016
. "${0%/*}/../harness/lib.sh"
if [ -z "$CLEAT" ]; then
	echo "1..0 # SKIP compares cleat with runc"
	exit 0
fi
suite cli-parity
command -v runc >/dev/null || { echo "1..0 # SKIP runc is not installed"; exit 0; }
mkdir -p -m 0700 "$T/runc"
PTY=$TOOLS/atpty

# with RUNTIME-NAME: $R is it, its root.
with() {
	who=$1
	R="$RUNTIME --root $ROOT"
	[ "$who" = cleat ] || R="runc --root $T/runc"
}

# same_files WHAT: what the two left in $T/runc.WHAT and $T/cleat.WHAT must be the same, and something.
same_files() {
	[ -s "$T/cleat.$1" ] || fail "nothing in $1"
	diff -u "$T/runc.$1" "$T/cleat.$1" >"$T/diff" || fail "runc (-) and cleat (+) differ in $1: $(cat "$T/diff")"
}

# ---- hooks -------------------------------------------------------------------------------------------

# hook FOLDER NAME [ARG...]: notes all that a hook can see of itself.
mkdir -p "$T/hk"
cat >"$T/rootfs/bin/hook" <<'END2'
#!/bin/sh
f=$1/$2
cat >"$f.json"
echo "$2 $#" >>"$1/order"
{
	echo "args $0 $*"
	for n in pid net ipc uts mnt user cgroup time; do
		a=$(readlink /proc/self/ns/$n)
		grep -q -F "$a" "$1/host-ns" && echo "$n host" || echo "$n new"
	done
	echo "cwd $(pwd | sed "s,^$3,BUNDLE,; s,^$4,ROOT,")"
	# without an environment of its own the container's is not createContainer's, as later versions of runc have it
	[ "$2" = createContainer ] || env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort
	for i in 0 1 2; do readlink /proc/self/fd/$i | sed -E "s/:.*//; s,^/memfd.*,pipe,"; done
	grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|SigBlk|SigIgn)' /proc/self/status | sed -E 's/(SigIgn:).*/\1/'
	umask
	grep -E 'open files|processes|core' /proc/self/limits | sed 's/  */ /g'
	case $2 in createContainer*) ;; *) cat /proc/self/oom_score_adj ;; esac
	sed 's/^[0-9]*://; /^:/d' /proc/self/cgroup | sort
	hostname
} >"$f.view" 2>&1
ls / | tr '\n' ' ' | cut -c 1-400 >"$f.root"
END2
chmod 0755 "$T/rootfs/bin/hook"
cp "$T/rootfs/bin/hook" "$T/hk/hook"
sed -i "1s,.*,#!$T/rootfs/bin/sh," "$T/hk/hook"
for n in pid net ipc uts mnt user cgroup time; do readlink /proc/self/ns/$n; done >"$T/host-ns"

# hooks_of NAME FILTER
hooks_same() {
	filter=$1
	for who in runc cleat; do
		with $who
		rm -rf "$T/rootfs/hk" "$T/out"
		mkdir -p "$T/rootfs/hk" "$T/out"
		cp "$T/host-ns" "$T/out"
		chmod 0777 "$T/out"; : >"$T/out/order"; chmod 0666 "$T/out/order"
		bundle hooks '.annotations = {k: "v/w \"q\"", "a.b": "c"}
			| .mounts += [{destination: "/hk", type: "bind", source: ($T + "/out"), options: ["rbind"]}]
			| .hooks = ((["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
				| map({(.): [{path: ($T + "/hk/hook"), args: ["hk", ($T + "/out"), ., ($T + "/b/hooks"), ($T + "/rootfs")]},
					{path: ($T + "/hk/hook"), args: ["hk", ($T + "/out"), . + "2", "a", "b"], env: ["PATH=/bin:/usr/bin", "X=y z"], timeout: 20},
					{path: ($T + "/hk/hook"), args: ["hk", ($T + "/out"), . + "3", "a", "b"], env: []}]}) | add)
				+ {startContainer: [{path: "/bin/hook", args: ["hk", "/hk", "startContainer"]},
					{path: "/bin/hook", args: ["hk", "/hk", "startContainer2"], env: ["PATH=/bin", "X=y z"]}]})
			| .process.env = ["PATH=/bin:/usr/bin", "INSIDE=1"] | .process.oomScoreAdj = 55'"${filter:+ | $filter}" sh -c 'echo main >>/hk/order; sleep 100'
		( cd /usr && OUTSIDE=1 $R create -b "$B" "$ID" </dev/null >"$T/o" 2>&1 ) || { cat "$T/o"; return 1; }
		p=$($R state "$ID" | jq .pid)
		( cd /usr && OUTSIDE=1 $R start "$ID" )
		until_true 5 grep -q main "$T/out/order"
		( cd /usr && OUTSIDE=1 $R delete --force "$ID" )
		rm -f "$T/$who".[ovs]*
		for f in "$T"/out/*.json; do
			echo "== ${f##*/}"
			jq -S -c ".pid |= if . == $p then \"PID\" else . end | .ociVersion |= type" "$f"
		done | sed -E '/^== poststart/{n;s/"(created|running)"/"ITS"/}' >"$T/$who.states"
		for f in "$T"/out/*.view "$T"/out/*.root; do
			echo "== ${f##*/}"
			cat "$f"
		done >"$T/$who.views"
		# runc of these versions runs poststart when the container is created; the specification says: after its program runs
		grep -v poststart "$T/out/order" >"$T/$who.order"
	done
	same_files order
	same_files states
	same_files views
}
t "hooks: order, state, surroundings" hooks_same ''
t "hooks: with a user namespace" hooks_same '.linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
	| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 65536}]'
t "hooks: no pid namespace, another user, no new privileges" hooks_same '.linux.namespaces |= map(select(.type != "pid")) | .process.user = {uid: 5, gid: 6, umask: 63} | .process.noNewPrivileges = true | .process.cwd = "/usr"'

# Hooks that bring files in do it by the root's path: from the runtime's side in the mount namespace of the pid
# they are told, from the container's side as they are, or they change their root to it.
hooks_mount() {
	mkdir -p "$T/gift"
	echo hello >"$T/gift/card"
	cat >"$T/hk/enter" <<-END2
		#!/bin/sh
		pid=\$(jq .pid)
		mkdir -p "$T/rootfs/from-\$1"
		exec nsenter -t "\$pid" -m mount --bind "$T/gift" "$T/rootfs/from-\$1"
	END2
	cat >"$T/hk/inside" <<-END2
		#!/bin/sh
		mkdir -p "$T/rootfs/from-inside"
		mount --bind "$T/gift" "$T/rootfs/from-inside"
		chroot "$T/rootfs" sh -c 'grep -c . /proc/self/mountinfo >/dev/null && cat /vol/card >/seen && ls /dev/null >>/seen'
	END2
	chmod 0755 "$T/hk/enter" "$T/hk/inside"
	for who in runc cleat; do
		with $who
		bundle hm '.mounts += [{destination: "/vol", type: "bind", source: ($T + "/gift"), options: ["bind"]}]
			| .hooks = {prestart: [{path: ($T + "/hk/enter"), args: ["e", "prestart"]}],
				createRuntime: [{path: ($T + "/hk/enter"), args: ["e", "runtime"]}], createContainer: [{path: ($T + "/hk/inside")}]}'"$1" \
			sh -c 'cat /from-*/card /seen; rm /seen; ls -d /from-*; rmdir /from-* 2>/dev/null; grep -c " /from-" /proc/self/mountinfo'
		timeout 20 $R run -b "$B" "$ID" >"$T/$who.got" 2>"$T/$who.err" </dev/null || cat "$T/$who.err"
		rmdir "$T/rootfs"/from-*
	done
	same_files got
	is "$(grep -c hello "$T/cleat.got")" 4
}
t "hooks that mount below the root's path" hooks_mount ''
t "hooks that mount below the root's path, the root being private" hooks_mount '| .linux.rootfsPropagation = "private" | .mounts |= map(select(.type != "cgroup"))'

# A hook of each kind that fails, does not exist, is no program, dies, or outlives its time, between two that do not.
hooks_fail() {
	cat >"$T/hk/note" <<-'END2'
		#!/bin/sh
		cat >/dev/null
		echo "$2" >>"$1/order"
	END2
	printf '#!/bin/sh\necho because >&2\nexit 3\n' >"$T/hk/bad"
	printf '#!/bin/sh\nkill -9 $$\n' >"$T/hk/dies"
	printf '#!/bin/sh\nexec sleep 30\n' >"$T/hk/hangs"
	chmod 0755 "$T/hk/note" "$T/hk/bad" "$T/hk/dies" "$T/hk/hangs"
	cp "$T/hk/note" "$T/hk/bad" "$T/hk/dies" "$T/hk/hangs" "$T/rootfs/bin"
	: >"$T/rootfs/bin/plain"
	: >"$T/hk/plain"
	kinds="prestart createRuntime createContainer startContainer poststop"
	for who in runc cleat; do
		with $who
		for kind in $kinds; do
			for how in bad none plain dies hangs; do
				rm -rf "$T/out"
				mkdir "$T/out"
				dir=$T/hk out=$T/out
				[ $kind != startContainer ] || dir=/bin out=/hk
				bundle hf '.mounts += [{destination: "/hk", type: "bind", source: ($T + "/out"), options: ["rbind"]}]
					| .hooks = ((["prestart", "createRuntime", "createContainer", "poststop"]
						| map({(.): [{path: ($T + "/hk/note"), args: ["n", ($T + "/out"), .]}]}) | add)
						+ {startContainer: [{path: "/bin/note", args: ["n", "/hk", "startContainer"]}]})
					| .hooks.'$kind' += [{path: "'"$dir/$how"'", timeout: 1}, {path: "'$dir'/note", args: ["n", "'"$out"'", "after"]}]' sleep 100
				echo "== $kind $how"
				a=0 b=0 c=0
				timeout 20 $R create -b "$B" "$ID" </dev/null >"$T/o" 2>&1 || a=$?
				echo "create $a: $($R state "$ID" 2>/dev/null | jq -r .status)"
				if [ $a = 0 ]; then
					timeout 20 $R start "$ID" </dev/null >"$T/o" 2>&1 || b=$?
					for _ in 1 2 3 4 5; do [ $b = 0 ] || $R state "$ID" | grep -q stopped || sleep 0.1; done
					# runc's start does not hear of it
					[ $kind != startContainer ] || [ $who = runc ] || is "$b" 1
					[ $kind != startContainer ] || b=
					echo "start $b: $($R state "$ID" 2>/dev/null | jq -r .status)"
					timeout 20 $R delete --force "$ID" >"$T/o" 2>&1 || c=$?
					# contract: a poststop hook's failure is a warning, where runc fails after all is gone
					[ $kind = poststop ] || echo "delete $c"
				fi
				echo "left $($R list -q | wc -l)"
				# contract: of poststop all are run, whatever becomes of one
				[ $kind != poststop ] || [ $who = runc ] || is "$(tail -n 1 "$T/out/order")" after
				[ $kind != poststop ] || sed -i '/^after$/d' "$T/out/order"
				tr '\n' ' ' <"$T/out/order"
				echo
			done
		done >"$T/$who.fails"
	done
	same_files fails
}
t "hooks that fail" hooks_fail

# ---- terminals ---------------------------------------------------------------------------------------

# What a program sees of its terminal.
cat >"$T/rootfs/bin/term" <<'END2'
#!/bin/sh
# runc sets the size, and how lines end, when the program runs already
sleep 0.3
tty
stty -a
stat -c '%n %F %t:%T %a %u:%g' /dev/console /dev/tty /dev/ptmx /dev/pts/*
for i in 0 1 2; do readlink /proc/self/fd/$i; test -t $i && echo "$i is one"; done
awk '{ print "session", ($6 == $1), "group", ($5 == $1), "tty", $7, "foreground", ($8 == $5) }' /proc/$$/stat
echo hi >/dev/tty && echo "has /dev/tty"
echo hi >/dev/console && echo "has /dev/console"
ls /proc/self/fd | grep -v -x 3 | tr '\n' ' '
env | grep -e ^TERM= -e ^COLUMNS= -e ^LINES=
grep -E ' /dev/console ' /proc/self/mountinfo | cut -d' ' -f 4-6
# 32 and 33 are the C library's own: runc leaves them as its caller had them
grep -E '^(SigBlk|SigIgn|Umask)' /proc/self/status | sed -E 's/^(SigIgn:).*([0-9a-f]{7})$/\1 \2/'
echo "shown"
END2
chmod 0755 "$T/rootfs/bin/term"

both_at_tty() {
	for who in runc cleat; do
		with $who
		"$@" >"$T/$who.raw" 2>&1 && a=0 || a=$?
		{ cat "$T/$who.raw"; echo "status $a"; } >"$T/$who.tty"
	done
}

# at_tty WORDS... [-- COMMAND]: actions at the terminal of "$R $words", by both, into $T/WHO.tty; its status is noted.
at_tty() {
	both_at_tty "$@"
	same_files tty
	hasnt "$(cat "$T/cleat.tty")" 'atpty:'
}

tty_run() {
	bundle ttr '.process.terminal = true'"${1:+ | $1}" sh -c 'term; read x; echo "got $x"
		until [ "$(stty size)" = "50 132" ]; do sleep 0.05; done; echo resized; read y; echo "got $y"; exit 7'
	go() { "$PTY" wait=shown 'send=ab\n' 'wait=got ab' size=50x132 wait=resized 'send=cd\n' -- $R run -b "$B" "$ID"; }
	at_tty go
	has "$(cat "$T/cleat.tty")" 'status 7'
	has "$(cat "$T/cleat.tty")" 'terminal kept'
}
t "run at a terminal: what the program sees, typed, resized" tty_run ''
t "run at a terminal: a size of its own, another user" tty_run '.process.consoleSize = {height: 11, width: 22} | .process.user = {uid: 7, gid: 8}'
t "run at a terminal: a user namespace" tty_run '.linux.namespaces += [{type: "user"}] | .mounts |= map(select(.type != "cgroup"))
	| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 65536}]'

tty_exec() {
	for who in runc cleat; do
		with $who
		bundle tte-$who '' sleep 100
		timeout 20 $R run -d -b "$B" "$ID" </dev/null >"$T/o" 2>&1 || { cat "$T/o"; return 1; }
	done
	go() {
		"$PTY" wait=shown 'send=ab\n' 'wait=got ab' size=50x132 wait=resized 'send=cd\n' -- $R exec -t "$@" "$TAG-tte-$who" sh -c 'term; read x; echo "got $x"
			until [ "$(stty size)" = "50 132" ]; do sleep 0.05; done; echo resized; read y; echo "got $y"; exit 7'
	}
	at_tty go
	has "$(cat "$T/cleat.tty")" 'status 7'
	has "$(cat "$T/cleat.tty")" 'terminal kept'
	at_tty go -u 7:8 -e TERM=vt100
	# by a document, with a size of its own
	printf '{"terminal": true, "consoleSize": {"height": 11, "width": 22}, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"], "args": ["sh", "-c", "term; exit 3"]}' >"$T/p.json"
	go() { "$PTY" wait=shown -- $R exec -p "$T/p.json" "$TAG-tte-$who"; }
	at_tty go
	go() { "$PTY" wait=shown -- $R exec -t -p "$T/p.json" "$TAG-tte-$who"; }
	at_tty go
	# two terminals at once, a pipe for input, a file for output
	go() { "$PTY" -- sh -c "$R exec -t $TAG-tte-$who sh -c 'sleep 0.3; tty; sleep 1; echo late' & sleep 0.6; $R exec -t $TAG-tte-$who tty; wait" | tr -d '\r'; }
	at_tty go
	go() { "$PTY" -- sh -c "$R exec -t $TAG-tte-$who sh -c 'sleep 0.3; tty; test -t 0 && echo yes' >$T/out.\$\$; cat $T/out.\$\$"; }
	at_tty go
	for who in runc cleat; do
		with $who
		$R delete --force "$TAG-tte-$who"
	done
}
t "exec -t: what the program sees, typed, resized, by a document" tty_exec

# However early the program prints: the carriage return is the caller's terminal's to add. (runc has this
# one as a race, so there is nothing to compare.)
tty_early() {
	with cleat
	bundle tty0 '.process.terminal = true' sh -c 'echo early; sleep 0.02'
	for i in 1 2 3 4 5; do
		"$PTY" -- sh -c "taskset -c 0 $R run -b $B $ID >$T/line"
		is "$(od -An -c "$T/line" | tr -d ' ')" 'early\n'
	done
	bundle tty1 '' sleep 100
	$R run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
	for i in $(seq 15); do
		"$PTY" -- sh -c "taskset -c 0 $R exec -t $ID echo early >$T/line"
		is "$(od -An -c "$T/line" | tr -d ' ')" 'early\n'
	done
	$R delete --force "$ID"
}
t "a terminal's first line has no carriage return of ours" tty_early

tty_keys() {
	bundle ttk '.process.terminal = true' sh -c 'trap "echo INT" INT; echo up; sleep 100; echo next; read x; echo "<$x>"; read y || echo end; exit 4'
	go() { "$PTY" wait=up pause=300 'send=\3' wait=next 'send=one\n' 'wait=<one>' 'send=\4' -- $R run -b "$B" "$ID"; }
	at_tty go
	# a shell as people use it
	bundle tts '.process.terminal = true | .process.env += ["PS1=ready>", "TERM=xterm"]' sh -i
	go() { "$PTY" 'wait=ready>' 'send=sleep 100\n' pause=500 'send=\3' 'wait=ready>' 'send=cat\n' pause=300 'send=x\n' pause=300 'send=\4' 'wait=ready>' 'send=exit 9\n' -- $R run -b "$B" "$ID"; }
	# its line editor prints what is typed early once more or not: it is not the same twice, for nobody
	both_at_tty go
	for who in runc cleat; do
		is "$(grep -c '^x' "$T/$who.tty")" 2
		has "$(cat "$T/$who.tty")" 'status 9'
		hasnt "$(cat "$T/$who.tty")" "job control|can.t access tty"
	done
	# a program that ends by a signal, one that turns the terminal around, one that prints much
	bundle ttx '.process.terminal = true' sh -c 'echo up; kill -9 $$'
	go() { "$PTY" -- $R run -b "$B" "$ID"; }
	at_tty go
	bundle tty '.process.terminal = true' sh -c 'stty raw -echo; printf "a\nb\r\n"; head -c 3 | od -c; stty sane; echo done'
	go() { "$PTY" wait=b 'send=\3x\4' wait=done -- $R run -b "$B" "$ID"; }
	at_tty go
	bundle ttm '.process.terminal = true' sh -c 'seq 1 20000'
	go() { "$PTY" -- $R run -b "$B" "$ID"; }
	at_tty go
}
t "run at a terminal: keys, a shell, ends, floods" tty_keys

tty_less() {
	# A terminal is asked for and there is none: runc cannot, here it is made all the same.
	bundle ttl '.process.terminal = true' sh -c 'test -t 0 && test -t 1 && echo yes; cat; echo end'
	echo typed | setsid timeout 10 "$RUNTIME" --root "$ROOT" run -b "$B" "$ID" >"$T/o" 2>"$T/e"
	is "$(tr -d '\r' <"$T/o" | tr '\n' ' ')" "typed yes typed end "
	is "$(cat "$T/e")" ""
}
t "a terminal and nobody at it" tty_less

# at_console WORD VERB [ARG...]: the container's or the exec's console goes to a socket, where WORD is typed.
at_console() {
	word=$1
	verb=$2
	shift 2
	{ [ -z "$word" ] || { sleep 1; echo "$word"; sleep 1; }; } |
		"$TOOLS/console" "$T/k.sock" >"$T/$who.con" 2>"$T/$who.conerr" &
	c=$!
	until_true 5 test -S "$T/k.sock"
	timeout 20 $R "$verb" -d --console-socket "$T/k.sock" "$@" "$ID" </dev/null >"$T/o" 2>&1 || fail "$(cat "$T/o")"
	wait $c || fail "$(cat "$T/$who.conerr")"
	$R delete --force "$ID"
	rm -f "$T/k.sock"
}

tty_sockets() {
	bundle tks '.process.terminal = true | .process.consoleSize = {height: 31, width: 71}' sh -c 'term; read x; echo "got $x"; sleep 0.2'
	for name in runc cleat; do
		with $name
		at_console word run -b "$B"
	done
	same_files con
	bundle tke '' sleep 100
	printf '{"terminal": true, "consoleSize": {"height": 12, "width": 23}, "user": {"uid": 3, "gid": 4}, "cwd": "/", "env": ["PATH=/bin"], "args": ["sh", "-c", "term; sleep 0.2"]}' >"$T/p.json"
	for name in runc cleat; do
		with $name
		timeout 20 $R run -d -b "$B" "$ID" </dev/null >"$T/o" 2>&1
		at_console "" exec -p "$T/p.json"
	done
	same_files con
}
t "console sockets: what the program sees" tty_sockets
finish

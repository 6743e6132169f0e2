#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
#
# What run.sh and kernels.sh make of guests. A stand-in for boot.sh plays them, so no kernel is booted, but for
# the last test, which tells two real ones apart.
# shellcheck source=tests/harness/lib.sh
. "${0%/*}/../harness/lib.sh"
suite lab-runner
here=$(cd "${0%/*}" && pwd)

# play FIRST AGAIN - shell text that stands in for the first guest, and for the one after it
play() {
	printf '#!/bin/sh\ncase "$*" in *" -p "*)\n%s\n;; *)\n%s\n;; esac\n' "$2" "$1" >"$T/boot"
	chmod 755 "$T/boot"
	r=0
	LAB_BOOT=$T/boot "$here/run.sh" -s one "${3:-v2}" >"$T/o" 2>&1 </dev/null || r=$?
	cat "$T/o"
}

GOOD='printf "%s\n" "#@ begin one" 1..2 "ok 1 - a" "ok 2 - b # SKIP no" "#@ end 0 9"'

passes() {
	play "$GOOD" 'echo "#@ begin one"; exit 9'
	is "$r" 0
	is "$(cat "$T/o")" "ok 1 - v2 one: a
ok 2 - v2 one: b # SKIP no
1..2"
}

# A failed test is no reason to boot again.
fails() {
	play 'printf "%s\n" "#@ begin one" 1..2 "ok 1 - a" "not ok 2 - b" "#  why" "#@ end 1 9"' 'exit 9'
	is "$r" 1
	has "$(cat "$T/o")" '^not ok 2 - v2 one: b$'
	has "$(cat "$T/o")" '^#  why$'
	is "$(tail -n 1 "$T/o")" 1..2
}

locked_up() {
	play 'printf "%s\n" "#@ begin one" 1..2 "ok 1 - a"; echo the backtrace >&2; exit 123' "$GOOD"
	is "$r" 0
	is "$(grep -c '^ok .*: a$' "$T/o")" 1
	has "$(cat "$T/o")" '^ok 2 - v2 one: b # SKIP no$'
	has "$(cat "$T/o")" '^#  the backtrace$'
	has "$(cat "$T/o")" '^# v2: the guest ended with status 123, and is booted again'
	is "$(tail -n 1 "$T/o")" 1..2
}

# What failed before the kernel gave up has failed.
failed_before() {
	play 'printf "%s\n" "#@ begin one" 1..2 "not ok 1 - a"; exit 123' "$GOOD"
	is "$r" 1
	is "$(grep -c ': a$' "$T/o")" 1
	has "$(cat "$T/o")" '^not ok 1 - v2 one: a$'
}

twice() {
	play 'printf "%s\n" "#@ begin one" 1..2 "ok 1 - a"; exit 123' 'echo "#@ begin one"; echo again >&2; exit 123'
	is "$r" 1
	has "$(cat "$T/o")" '^not ok 2 - v2 one: was cut off$'
	has "$(cat "$T/o")" '^#  again$'
	has "$(cat "$T/o")" '^not ok 3 - v2: the guest ended with status 123$'
}

never_booted() {
	play 'echo no console >&2; exit 125' "$GOOD"
	is "$r" 0
	play 'exit 124' 'exit 125'
	is "$r" 1
	has "$(cat "$T/o")" '^not ok 2 - v2: the guest ended with status 125$'
}

# A test that hangs is a test that fails.
hangs() {
	play 'printf "%s\n" "#@ begin one" 1..2 "ok 1 - a"; exit 124' "$GOOD"
	is "$r" 1
	has "$(cat "$T/o")" '^not ok 2 - v2 one: was cut off$'
	has "$(cat "$T/o")" 'status 124$'
}

broken_plans() {
	play 'printf "%s\n" "#@ begin one" "ok 1 - a" "#@ end 0 9"' 'exit 9'
	has "$(cat "$T/o")" '^not ok 2 - v2 one: printed no plan'
	play 'printf "%s\n" "#@ begin one" 1..3 "ok 1 - a" "#@ end 0 9"' 'exit 9'
	has "$(cat "$T/o")" '^not ok 2 - v2 one: planned 3 tests and ran 1$'
	play 'printf "%s\n" "#@ begin one" 1..1 "ok 1 - a" "#@ end 4 9"' 'exit 9'
	has "$(cat "$T/o")" '^not ok 2 - v2 one: ended with status 4$'
	play ':' ':'
	is "$r" 1
	has "$(cat "$T/o")" '^not ok 1 - v2 one: was cut off$'
}

skips() {
	play 'printf "%s\n" "#@ begin one" "1..0 # SKIP no disk" "#@ end 0 9"' 'exit 9'
	is "$r" 0
	has "$(cat "$T/o")" '^ok 1 - v2 one: the suite # SKIP no disk$'
	play 'echo qemu is not there >&2; exit 77' 'exit 9'
	is "$r" 0
	is "$(cat "$T/o")" "1..0 # SKIP qemu is not there"
}

# kernel - the head of a bzImage that calls itself 9.8.7-lab, in $T/kernel
kernel() {
	{
		head -c 514 /dev/zero
		printf 'HdrS'
		head -c 8 /dev/zero
		printf '\000\001'	# the version is 512 bytes further than 256
		head -c 240 /dev/zero
		printf '9.8.7-lab (who@where) #1 SMP\000'
	} >"$T/kernel"
}

# judge SCRIPT [OPTION...] - kernels.sh of a kernel that SCRIPT stands in for
judge() {
	kernel
	printf '#!/bin/sh\n%s\n' "$1" >"$T/boot"
	chmod 755 "$T/boot"
	shift
	r=0
	LAB_BOOT=$T/boot "$here/kernels.sh" -k "$T/kernel" -s one "$@" >"$T/o" 2>&1 </dev/null || r=$?
	cat "$T/o"
}

bisect_good() {
	judge "$GOOD"
	is "$r" 0
	is "$(tail -n 1 "$T/o")" "# verdict: 9.8.7-lab is good (0)"
	has "$(cat "$T/o")" '^KTAP version 1$'
	has "$(cat "$T/o")" '^ok 1 - 9\.8\.7-lab v2$'
	has "$(cat "$T/o")" '^    ok 1 - 9\.8\.7-lab v2 one: a$'
}

bisect_bad() {
	judge 'printf "%s\n" "#@ begin features" 1..3 "ok 1 - a" "not ok 2 - b" \
		"ok 3 - c # SKIP not in this kernel: No such thing" "#@ end 1 9" "#@ begin one" 1..1 "ok 1 - x" "#@ end 0 9"'
	is "$r" 1
	has "$(cat "$T/o")" '^# fails: 9\.8\.7-lab v2 features: b$'
	has "$(cat "$T/o")" '^# lacks: c: No such thing$'
	is "$(tail -n 1 "$T/o")" "# verdict: 9.8.7-lab is bad (1)"
	# it panics in the middle, twice
	judge 'printf "%s\n" "#@ begin one" 1..2 "ok 1 - a"; exit 123'
	is "$r" 1
}

bisect_untestable() {
	for script in 'exit 125' 'exit 124' 'exit 123' 'echo no qemu >&2; exit 77'; do
		judge "$script"
		is "$r" 125
		has "$(tail -n 1 "$T/o")" '^# verdict: 9\.8\.7-lab cannot be tested \(125\): '
	done
	has "$(tail -n 1 "$T/o")" 'no qemu$'
	r=0
	"$here/kernels.sh" -k /etc/passwd >"$T/o" 2>&1 || r=$?
	is "$r" 125
}

table() {
	judge 'case "$*" in *"-g hybrid "*) b="not ok" ;; *) b=ok ;; esac
		printf "%s\n" "#@ begin one" 1..3 "ok 1 - a" "$b 2 - b" "ok 3 - c # SKIP no disk" "#@ end 0 9"' -v "v2 hybrid"
	is "$r" 1
	is "$(sed -n '/^# AB  test/,/^#$/p' "$T/o")" "# AB  test
# ..  one: a
# .F  one: b
# ss  one: c
#"
	has "$(cat "$T/o")" '^#   AB  one: c: no disk$'
	has "$(cat "$T/o")" '^# 3 passed, 1 failed, 2 skipped, in '
}

# record - a guest that passes; how each was booted is in $T/booted
record() {
	printf '#!/bin/sh\necho "$*" >>"%s"\nprintf "%%s\\n" "#@ begin one" 1..1 "ok 1 - a" "#@ end 0 9"\n' "$T/booted" >"$T/boot"
	chmod 755 "$T/boot"
	: >"$T/booted"
}

# Layouts that the table leaves out are booted when they are asked for, with this system's kernel.
asked_for() {
	record
	r=0
	LAB_JOBS=1 LAB_BOOT=$T/boot "$here/kernels.sh" -q -s one -v "systemd-hybrid systemd-v1 no-pids no-pressure" \
		>"$T/o" 2>&1 </dev/null || r=$?
	cat "$T/o"
	is "$r" 0
	is "$(grep -c '^ok .* - ' "$T/o")" 4
	for words in '-g hybrid -i systemd' '-g v1 -i systemd' 'cgroup_disable=pids' 'psi=0'; do
		is "$(grep -c -e "$words" "$T/booted")" 1
	done
	has "$(tail -n 1 "$T/o")" '^# 4 passed, 0 failed, 0 skipped, in [0-9]+ s'
}

# The lab's own suite comes first where an integration suite has its name; that one is chosen by its path.
own_suites() {
	record
	LAB_JOBS=1 LAB_BOOT=$T/boot "$here/kernels.sh" -q -v systemd -s "systemd cgroup $SRC/tests/integ/t-systemd.sh" \
		>"$T/o" 2>&1 </dev/null || :
	is "$(sed 's/.* //' "$T/booted" | tr '\n' ' ')" "systemd $SRC/tests/integ/t-cgroup.sh $SRC/tests/integ/t-systemd.sh "
}

# newest FOLDER - the newest kernel in it
newest() {
	find "$1" -maxdepth 1 -name 'vmlinuz-*' 2>/dev/null | sort -V | tail -n 1
}

# cgroup.kill came with 5.14: the older kernel is bad, the newer one good, and the report says for want of what.
real_bisect() {
	[ "$(command -v qemu-system-x86_64)" ] || skip "qemu-system-x86_64 is not installed"
	old=$(newest "${XDG_CACHE_HOME:-$HOME/.cache}/cleat/kernels/bullseye/root/boot")
	new=$(newest /boot)
	[ -n "$old" ] || skip "make check-kernels has fetched no older kernel yet"
	[ -n "$new" ] || skip "no kernel in /boot"
	r=0
	"$here/kernels.sh" -k "$new" -s features -n cgroup-kill >"$T/new" 2>&1 || r=$?
	tail -n 3 "$T/new"
	is "$r" 0
	has "$(tail -n 1 "$T/new")" '^# verdict: .* is good \(0\)$'
	r=0
	"$here/kernels.sh" -k "$old" -s features -n cgroup-kill >"$T/old" 2>&1 || r=$?
	tail -n 9 "$T/old"
	is "$r" 1
	is "$(grep '^# fails:' "$T/old" | sed 's/.*features: //')" cgroup-kill
	has "$(tail -n 1 "$T/old")" '^# verdict: .* is bad \(1\)$'
}

t "results of a guest are numbered, with its layout and suite" passes
t "a failed test fails the suite, and the guest is not booted again" fails
t "a guest whose kernel gives up is booted again, nothing is told twice" locked_up
t "what failed before the kernel gave up stays failed" failed_before
t "a kernel that gives up twice is a failure" twice
t "a guest that never boots is booted again, once" never_booted
t "a guest that hangs in a test is not booted again" hangs
t "a suite that breaks its plan, or says nothing, has failed" broken_plans
t "a suite, and a machine without qemu, are skipped with the reason" skips
t "one kernel: all pass, status 0" bisect_good
t "one kernel: a test fails, status 1, with what fails and what it lacks" bisect_bad
t "one kernel: it does not boot, status 125" bisect_untestable
t "the table has a line per test and a letter per kernel" table
t "layouts that the table does not have are booted when asked for" asked_for
t "a suite of the lab comes before an integration suite of its name" own_suites
t "two kernels that differ in cgroup.kill: good, and bad for the want of it" real_bisect
finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What run.sh makes of guests: a stand-in for boot.sh plays them, so no kernel is booted.
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

t "results of a guest are numbered, with its layout and suite" passes
t "a failed test fails the suite, and the guest is not booted again" fails
t "a guest whose kernel gives up is booted again, nothing is told twice" locked_up
t "what failed before the kernel gave up stays failed" failed_before
t "a kernel that gives up twice is a failure" twice
t "a guest that never boots is booted again, once" never_booted
t "a guest that hangs in a test is not booted again" hangs
t "a suite that breaks its plan, or says nothing, has failed" broken_plans
t "a suite, and a machine without qemu, are skipped with the reason" skips
finish

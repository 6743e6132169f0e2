#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Every step of every stage fails once, on purpose. The error must name the
# step, and nothing may be left: no process, mount, cgroup, state. The steps
# are read out of the step tables, so a new step is tested from the start.
# shellcheck disable=SC2016,SC2030,SC2031	# scripts for inside; tests are subshells
FAULT_O=${O:?build folder}/fault
if [ -z "${WARDEN_PID-}" ]; then
	make -s -C "${0%/*}/../.." O="$FAULT_O" CFLAGS=-DCLEAT_FAULTS "$FAULT_O/cleat" >&2 || exit 1
fi
RUNTIME=$FAULT_O/cleat
. "${0%/*}/../harness/lib.sh"
suite fault-steps

# stage.step of each row such as: { "mounts", init_mounts, NULL },
steps() {
	sed -n 's/^\t{ "\([a-z0-9-]*\)", \([a-z]*\)_[a-z0-9_]*, .*/\2.\1/p' \
		"$SRC"/runtime/ops/create.c "$SRC"/runtime/steps/*_steps.c
}

EIO=5
wanted() {
	has "$(cat "$T/e")" "fault asked for in $1: input/output error"
}

in_run() {
	bundle "${1%.*}" '.process.user.uid = 0'
	status 1 run_it CLEAT_FAULT="$1:$EIO"
	wanted "$1"
}

in_exec() {
	bundle exec '' sleep 100
	detached
	got=0
	CLEAT_FAULT="$1:$EIO" rt exec "$ID" true >"$T/o" 2>"$T/e" || got=$?
	is "$got" 255
	wanted "$1"
	is_state "$ID" running
	status 0 rt exec "$ID" true
	gone
}

run_it() {
	env "$1" "$RUNTIME" --root "$ROOT" run --bundle "$B" "$ID"
}

# create_faulty STEP - up to the gate; the fault comes behind it
create_faulty() {
	bundle "gate-${1#*.}" ''
	CLEAT_FAULT="$1:$EIO" rt create --bundle "$B" "$ID" </dev/null >"$T/o" 2>"$T/e"
}

# create has answered by then, so nobody can be told but by the death.
at_gate() {
	create_faulty seal.gate
	status 1 rt start "$ID"
	has "$(cat "$T/e")" "cannot start a container that has stopped"
	gone
}

# Whoever starts is told through the gate.
behind_gate() {
	create_faulty "$1"
	status 1 rt start "$ID"
	wanted "$1"
	gone
}

for step in $(steps); do
	case $step in
	seal.gate) t "run: $step" in_run "$step"; t "start: $step" at_gate ;;
	join.*) t "exec: $step" in_exec "$step" ;;
	seal.start-hooks) t "run: $step" in_run "$step"; t "start: $step" behind_gate "$step" ;;
	seal.filter | seal.exec)
		t "run: $step" in_run "$step"
		t "start: $step" behind_gate "$step"
		t "exec: $step" in_exec "$step"
		;;
	seal.*) t "run: $step" in_run "$step"; t "exec: $step" in_exec "$step" ;;
	*) t "run: $step" in_run "$step" ;;
	esac
done

count_steps() {
	[ "$(steps | wc -l)" -ge 60 ]
}
t "the tables were found" count_steps
finish

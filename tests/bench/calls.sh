# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How many system calls and instructions something takes, for benches and for the
# suite that keeps cleat's counts below a ceiling. Of the calls, what depends on who
# is faster is not counted: waiting, and being interrupted.

# calls_in FILE: sum of a table of strace -c.
calls_in() {
	awk '$4 ~ /^[0-9]+$/ && NF >= 5 && $NF != "total" &&
		$NF !~ /^(futex|e?poll|ppoll|epoll_p?wait2?|wait4|waitid|restart_syscall|rt_sigreturn|sched_yield|(clock_)?nanosleep|select|pselect6)$/ {
			n += $4 }
		END { print n + 0 }' "$1"
}

# traced PID BY SAYS: wait until BY traces PID; what BY said is shown if it does not.
traced() {
	traced_tries=100
	until grep -q "^TracerPid:[^0-9]*$2$" "/proc/$1/status"; do
		traced_tries=$((traced_tries - 1))
		[ $traced_tries -gt 0 ] || { cat "$3" >&2; return 1; }
		sleep 0.05
	done
}

# calls_watch FILE PID: begin to count what PID and its children to come do; sets CALLS_STRACE.
calls_watch() {
	strace -f -qq -c -o "$1" -p "$2" >"$1.out" 2>&1 </dev/null &
	CALLS_STRACE=$!
	traced "$2" $CALLS_STRACE "$1.out"
}

# calls_watched FILE: end it; sets CALLS. By the shell that called calls_watch, which has to wait for strace.
calls_watched() {
	kill -TERM "$CALLS_STRACE" 2>/dev/null || :
	wait "$CALLS_STRACE" 2>/dev/null || :
	CALLS=$(calls_in "$1")
}

# calls_of FILE COMMAND...: the calls of a command and of what it starts, until it ends; the container of
# `create` lives on. What it says is in FILE.said, the table in FILE.
calls_of() {
	calls_file=$1
	shift
	# shellcheck disable=SC2016
	sh -c 'kill -STOP $$; exec "$@"' sh "$@" >"$calls_file.said" 2>&1 </dev/null &
	calls_pid=$!
	calls_tries=100
	until grep -q '^State:[^a-zA-Z]*T' "/proc/$calls_pid/status"; do
		calls_tries=$((calls_tries - 1))
		[ $calls_tries -gt 0 ] || return 1
		sleep 0.05
	done
	calls_watch "$calls_file" $calls_pid
	kill -CONT $calls_pid
	calls_rc=0
	wait $calls_pid || calls_rc=$?
	[ $calls_rc = 0 ] || cat "$calls_file.said" >&2
	# What it started may be on its way to where it waits.
	sleep 0.2
	calls_watched "$calls_file"
	echo "$CALLS"
	return $calls_rc
}

# ---- instructions in user space, by $O/tests/integ/instructions ------------------------

# steps_watch FILE PID: begin to count those of PID and its children to come; sets STEPS_PID.
steps_watch() {
	"$O/tests/integ/instructions" "$1" -p "$2" >"$1.out" 2>&1 </dev/null &
	STEPS_PID=$!
	traced "$2" $STEPS_PID "$1.out"
}

# steps_watched FILE: end it; sets STEPS.
steps_watched() {
	kill -TERM "$STEPS_PID" 2>/dev/null || :
	wait "$STEPS_PID" || { cat "$1.out" >&2; return 1; }
	STEPS=$(head -n 1 "$1")
}

# steps_of FILE COMMAND...: those of a command and of what it starts, without a container's programs. What it
# says is in FILE.said; the processes are in FILE.
steps_of() {
	steps_file=$1
	shift
	"$O/tests/integ/instructions" "$steps_file" "$@" >"$steps_file.said" 2>&1 </dev/null || {
		cat "$steps_file.said" >&2
		return 1
	}
	head -n 1 "$steps_file"
}

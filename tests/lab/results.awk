# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a guest printed (guest-run) as TAP lines without numbers: "ok - COLUMN SUITE: title".
# Variables: column, suites (that should have run), before (a file of earlier such lines of
# the same guest: what they tell is not told again), cut (1: the guest died and is booted
# again, so nothing is said of suites that did not end).

function out(ok, text, line) {
	line = sprintf("%s - %s %s: %s", ok ? "ok" : "not ok", column, s, text)
	if (!told(line))
		print line
}

# told LINE - was its test reported before
function told(line) {
	sub(/^(not )?ok - /, "", line)
	sub(/ # SKIP.*/, "", line)
	return line in known
}

BEGIN {
	words = split(suites, w, " ")
	for (i = 1; i <= words; i++) {
		sub(/.*\//, "", w[i])
		sub(/^t-/, "", w[i])
		sub(/\.sh$/, "", w[i])
	}
	while (before != "" && (getline line <before) > 0)
		if (sub(/^(not )?ok - /, "", line)) {
			sub(/ # SKIP.*/, "", line)
			known[line] = 1
		}
}

/^#@ begin / {
	s = $3
	plan = -1
	seen = failed = skipped = 0
	next
}

/^#@ end / {
	over[s] = 1
	if (!skipped && plan < 0)
		out(0, "printed no plan (status " $3 ")")
	else if (!skipped && plan != seen)
		out(0, "planned " plan " tests and ran " seen)
	else if (!skipped && $3 != 0 && !failed)
		out(0, "ended with status " $3)
	s = ""
	next
}

s == "" { print "# " $0; next }
/^1\.\.0/ { skipped = 1; sub(/^[^#]*/, ""); out(1, "the suite " $0); next }
/^1\.\.[0-9]/ { plan = substr($1, 4) + 0; next }
/^Bail out!/ { failed++; out(0, $0); next }

/^(not )?ok / {
	good = /^ok/ || /# SKIP/
	sub(/^(not )?ok [0-9]* *(- )?/, "")
	seen++
	failed += !good
	out(good, $0)
	next
}

/^#  / { print; next }
{ print "# " s ": " $0 }

END {
	for (i = 1; i <= words && !cut; i++) {
		s = w[i]
		if (!over[s])
			out(0, "was cut off")
	}
}

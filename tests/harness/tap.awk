# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Read one program's TAP; print what failed, with the lines before and after
# it, and one line for the suite; append "name passed failed skipped seconds"
# to the table. Variables: name rc limit secs table.

function flush_details(   i) {
	for (i = n > 60 ? n - 60 : 0; i < n; i++)
		print "    " held[i]
}

/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	planned = 1
	if (/# *[Ss][Kk][Ii][Pp]/) {
		whole = $0
		sub(/^.*# *[Ss][Kk][Ii][Pp][^ ]* */, "", whole)
		skip++
		print "  skip " name ": " whole
	}
	next
}

/^ok( |$)/ || /^not ok( |$)/ {
	seen++
	after = 0
	if (/# *[Ss][Kk][Ii][Pp]/) {
		skip++
		print "  skip " name ": " $0
	} else if (/^ok/) {
		ok++
	} else {
		bad++
		after = 1
		print "  FAIL " name ": " $0
		flush_details()
	}
	n = 0
	next
}

{
	# Lines after a "not ok" belong to it as long as they are comments of the shell suites.
	if (after && /^#  /)
		print "    " $0
	else {
		after = 0
		held[n++] = $0
	}
}

END {
	why = ""
	if (rc == 124 || rc == 137)
		why = "cut off after " limit " s (status " rc ")"
	else if (rc != 0 && !bad)
		why = "exit status " rc
	else if (planned && plan != seen && !(plan == 0 && skip))
		why = "planned " plan " tests, ran " seen
	else if (!planned && !seen)
		why = "ran no test"
	else if (!planned)
		why = "printed no plan"
	if (why != "") {
		bad++
		print "  FAIL " name ": " why
		flush_details()
	}
	printf "%s %-24s %d passed, %d failed, %d skipped (%d s)\n", \
		bad ? "FAIL" : " ok ", name, ok, bad, skip, secs
	print name, ok + 0, bad + 0, skip + 0, secs >> table
}

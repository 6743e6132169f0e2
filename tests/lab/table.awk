# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Numberless TAP of many guests as one table: a line per test, a letter per column (a
# kernel and how it was booted). Variable: columns, a file of their names. All output is
# comments, so that it may follow a TAP stream.

BEGIN {
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	while ((getline name <columns) > 0)
		column[++count] = name
}

/^(not )?ok - / {
	good = /^ok/
	skip = ""
	sub(/^(not )?ok - /, "")
	if (good && (at = index($0, " # SKIP"))) {
		skip = substr($0, at + 8)
		$0 = substr($0, 1, at - 1)
	}
	for (c = count; c > 0; c--)
		if (index($0, column[c]) == 1 && substr($0, length(column[c]) + 1) ~ /^[ :]/)
			break
	if (!c)
		next
	test = substr($0, length(column[c]) + 2)
	sub(/^ /, "", test)
	if (!(test in known)) {
		known[test] = ++tests
		title[tests] = test
	}
	cell[known[test], c] = !good ? "F" : skip != "" ? "s" : "."
	if (good && skip == "")
		passed[c]++
	else if (good) {
		skipped[c]++
		key = title[known[test]] ": " skip
		if (!(key in why))
			order[++whys] = key
		why[key] = why[key] substr(letters, c, 1)
	} else
		failed[c]++
}

END {
	print "#"
	print "# .: passed, F: failed, s: skipped, nothing: not run there"
	for (c = 1; c <= count; c++)
		printf "#   %s  %-34s %4d passed, %d failed, %d skipped\n", substr(letters, c, 1), column[c],
			passed[c], failed[c], skipped[c]
	print "#"
	print "# " substr(letters, 1, count) "  test"
	for (t = 1; t <= tests; t++) {
		row = ""
		for (c = 1; c <= count; c++)
			row = row ((t, c) in cell ? cell[t, c] : " ")
		print "# " row "  " title[t]
	}
	if (whys)
		print "#\n# skipped:"
	for (n = 1; n <= whys; n++)
		print "#   " why[order[n]] "  " order[n]
	print "#"
}

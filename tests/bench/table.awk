# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tables of the benches: one row per operation and contestant, ratios to cleat
# (or to the first, where it has no part; "NAME,..." to "NAME,alone"). Read after the lists of operations
# and of contestants, which give the order, are the statistics of report.sh.
# -v plots: name the plots that are in -v out.
FILENAME == ARGV[1] { figure[++nf] = $1; next }
FILENAME == ARGV[2] { who[++nw] = $1; next }
{
	k = $1 SUBSEP $2 SUBSEP $3
	num[k] = $4; min[k] = $5; med[k] = $6; p99[k] = $7
	if ($3 == "wall_ns" || $3 == "cpu_ns") timed[$1, $2] = 1
	else { plain[$1, $2] = $3 }
}
function ms(k, a) { return k in med ? sprintf("%.3f", a[k] / 1e6) : "-" }
function ratio(f, w, m,   b) {
	b = base(f, w)
	if (!((f, w, m) in med) || !((f, b, m) in med) || med[f, b, m] <= 0) return "-"
	return sprintf("%.2f", med[f, w, m] / med[f, b, m])
}
function base(f, w,   i) {
	if (w ~ /\(v2\)$/) return "cleat(v2)"
	if (w ~ /,/) return substr(w, 1, index(w, ",")) "alone"
	if ((f, "cleat") in timed || (f, "cleat") in plain) return "cleat"
	for (i = 1; i <= nw; i++)
		if ((f, who[i]) in timed || (f, who[i]) in plain) return who[i]
}
function row(a, b, c, d, e, g, h, i, j, k, l) {
	rows++
	cell[rows, 1] = a; cell[rows, 2] = b; cell[rows, 3] = c; cell[rows, 4] = d; cell[rows, 5] = e
	cell[rows, 6] = g; cell[rows, 7] = h; cell[rows, 8] = i; cell[rows, 9] = j; cell[rows, 10] = k; cell[rows, 11] = l
}
function flush(cols,   r, c, width, bar, line) {
	if (rows > 1) {
		for (c = 1; c <= cols; c++) {
			width = 1
			for (r = 1; r <= rows; r++)
				if (length(cell[r, c]) > width) width = length(cell[r, c])
			w[c] = width
			line = sprintf("%" width "s", ""); gsub(/ /, "=", line)
			bar = bar (c > 1 ? " " : "") line
		}
		print bar
		for (r = 1; r <= rows; r++) {
			line = ""
			for (c = 1; c <= cols; c++)
				line = line (c > 1 ? " " : "") sprintf(c < 3 ? "%-" w[c] "s" : "%" w[c] "s", cell[r, c])
			print line
			if (r == 1) print bar
		}
		print bar "\n"
	}
	rows = 0
}
function section_of(f) { return substr(f, 1, index(f, "|") - 1) }
function table(s,   i, j, f, op, a, b) {
	print s; line = s; gsub(/./, "-", line); print line "\n"
	row("operation", "who", "wall min", "median", "p99", "ratio", "CPU min", "median", "p99", "ratio", "runs")
	for (i = 1; i <= nf; i++) {
		f = figure[i]
		if (section_of(f) != s) continue
		op = substr(f, length(s) + 2)
		for (j = 1; j <= nw; j++) {
			if (!((f, who[j]) in timed)) continue
			a = f SUBSEP who[j] SUBSEP "wall_ns"; b = f SUBSEP who[j] SUBSEP "cpu_ns"
			row(op, who[j], ms(a, min), ms(a, med), ms(a, p99), ratio(f, who[j], "wall_ns"),
			    ms(b, min), ms(b, med), ms(b, p99), ratio(f, who[j], "cpu_ns"), a in num ? num[a] : num[b])
		}
	}
	flush(11)
	row("value", "who", "median", "unit", "ratio")
	for (i = 1; i <= nf; i++) {
		f = figure[i]
		if (section_of(f) != s) continue
		for (j = 1; j <= nw; j++)
			if ((f, who[j]) in plain)
				row(substr(f, length(s) + 2), who[j], sprintf("%.1f", med[f, who[j], plain[f, who[j]]]),
				    plain[f, who[j]], ratio(f, who[j], plain[f, who[j]]))
	}
	flush(5)
	if (plots) {
		slug = tolower(s); gsub(/[^a-z0-9]+/, "-", slug)
		for (i = 1; i <= 3; i++)
			if (system("test -e " out "/" slug "-" kinds[i] ".svg") == 0)
				print ".. image:: " slug "-" kinds[i] ".svg\n"
	}
}
END {
	split("wall cpu values", kinds, " ")
	for (i = 1; i <= nf; i++)
		if (!done[section_of(figure[i])]++) table(section_of(figure[i]))
}

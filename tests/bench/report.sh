#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# From samples to tables and plots: report.sh SAMPLES OUT [plots].
# A sample is "SECTION|OPERATION <tab> who <tab> metric <tab> value"; wall_ns
# and cpu_ns are times, other metrics are units of plain values.
set -eu

SAMPLES=$1
OUT=$2
PLOTS=${3-}
O=${O:?build folder}
LC_ALL=C
export LC_ALL
T=$(mktemp -d /tmp/cleat-bench-report-XXXXXX)
trap 'rm -rf "$T"' EXIT
tab=$(printf '\t')

# What is not containerd's and ctr's: each sample less the null shim's of the same round.
awk -F '\t' -v OFS='\t' '{ print }
	$1 !~ /^containerd\|/ || $3 !~ /_ns$/ { next }
	$2 == "null" { null[$1, $3, ++n[$1, $3]] = $4; next }
	{
		k = ++m[$1, $2, $3]
		if (($1, $3, k) in null)
			print $1 ", the shim'"'"'s part", $2, $3, $4 - null[$1, $3, k]
	}' "$SAMPLES" >"$T/all"

# order of figures and contestants as they came
awk -F '\t' -v OFS='\t' '!seen[$1]++ { print $1, ++n }' "$T/all" >"$T/figures"
awk -F '\t' -v OFS='\t' '!seen[$2]++ { print $2, ++n }' "$T/all" >"$T/whos"

# figure, who, metric, n, min, median, p99
sort -t "$tab" -k1,1 -k2,2 -k3,3 -k4,4g "$T/all" | awk -F '\t' -v OFS='\t' '
	function flush() {
		if (n)
			print f, w, m, n, v[1], n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2, v[int((n * 99 + 99) / 100)]
	}
	$1 != f || $2 != w || $3 != m { flush(); n = 0; f = $1; w = $2; m = $3 }
	{ v[++n] = $4 }
	END { flush() }' >"$T/stats"

# plots: medians of a section as bars
plot_one() {	# SECTION METRIC-REGEX KIND UNIT SCALE
	slug=$(echo "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9][^a-z0-9]*/-/g')
	rm -f "$OUT/$slug-$3.svg"
	awk -F '\t' -v s="$1" -v m="^$2\$" -v scale="$5" '
		FILENAME == ARGV[1] { figure[++nf] = $1; next }
		FILENAME == ARGV[2] { who[++nw] = $1; next }
		$3 ~ m && substr($1, 1, index($1, "|") - 1) == s { v[$1, $2] = $6 / scale; has[$1] = has[$2] = any = 1 }
		END {
			if (!any) exit
			printf "op"
			for (j = 1; j <= nw; j++) if (has[who[j]]) printf "\t\"%s\"", who[j]
			print ""
			for (i = 1; i <= nf; i++) {
				if (!has[figure[i]]) continue
				printf "\"%s\"", substr(figure[i], length(s) + 2)
				for (j = 1; j <= nw; j++) {
					x = v[figure[i], who[j]]
					if (has[who[j]]) printf "\t%s", (x > 0 ? x : "?")
				}
				print ""
			}
		}' "$T/figures" "$T/whos" "$T/stats" >"$T/plot"
	[ -s "$T/plot" ] || return 0
	columns=$(head -n 1 "$T/plot" | awk -F '\t' '{ print NF }')
	width=$(awk -F '\t' 'END { w = 400 + NR * 26 * NF; print (w > 2400 ? 2400 : w) }' "$T/plot")
	# A contestant has the same colour everywhere.
	bars=$(head -n 1 "$T/plot" | awk -F '\t' -v file="$T/plot" '
		BEGIN {
			split("floor a0a0a0 floor+cgroups 606060 kernel 606060 null 606060 cleat 1f77b4 cleat(v2) 6baed6 " \
				"alone 1f77b4 cleat,alone 1f77b4 floor,alone a0a0a0 floor+cgroups,alone 606060 runc d62728 crun 2ca02c crun(v2) 98df8a", w, " ")
			for (i = 1; i in w; i += 2) colour["\"" w[i] "\""] = w[i + 1]
		}
		{
			for (i = 2; i <= NF; i++)
				printf "%s \"%s\" using %d:xtic(1) title %s linecolor rgb \"#%s\"", (i > 2 ? "," : ""), file, i, $i,
					($i in colour ? colour[$i] : "ff7f0e")
		}')
	gnuplot <<-END
		set terminal svg size $width,620 background "white"
		set rmargin 40
		set output "$OUT/$slug-$3.svg"
		set datafile separator tab
		set datafile missing "?"
		set style data histograms
		set style histogram clustered gap 1
		set style fill solid 0.8
		set logscale y
		set grid ytics
		set key outside top center horizontal
		set xtics rotate by -35 nomirror noenhanced
		set ylabel "$4, median"
		set title "$1"
		plot $bars
	END
}
if [ -n "$PLOTS" ] && command -v gnuplot >/dev/null; then
	cut -d'|' -f1 "$T/figures" | uniq | sort -u >"$T/sections"
	while read -r s; do
		plot_one "$s" wall_ns wall "ms, wall" 1e6
		plot_one "$s" cpu_ns cpu "ms, CPU" 1e6
		plot_one "$s" '(KiB|calls)' values "KiB or calls" 1
	done <"$T/sections"
fi

version() {
	printf '%s' ":$1: "
	shift
	"$@" 2>/dev/null | head -n 1 || echo "not installed"
}
{
	cat <<-END
		.. SPDX-License-Identifier: LGPL-2.1-or-later
		.. Made by make bench; how to read it: README.rst.

		=======
		Results
		=======

		:date: $(date -u +%Y-%m-%d)
		:machine: $(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo), $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB
		:kernel: $(uname -sr), $(stat -f -c %T /sys/fs/cgroup | sed 's/cgroup2fs/cgroup v2/; s/tmpfs/cgroup v1 or hybrid/')
		:load before: $(cut -d' ' -f1-3 /proc/loadavg)
		:cleat: $(git -C "${0%/*}" describe --always --dirty 2>/dev/null || echo "no git"), $(file -b "$O/cleat" 2>/dev/null | grep -o -E '(statically|dynamically) linked' || echo "link mode unknown"), $(gcc --version | head -n 1)
	END
	version runc runc --version
	version crun crun --version
	version containerd containerd --version
	printf '\nMilliseconds; "ratio" is the median divided by cleat'"'"'s.\n\n'
	awk -F '\t' -v plots="$PLOTS" -v out="$OUT" -f "${0%/*}/table.awk" "$T/figures" "$T/whos" "$T/stats"
} >"$T/results"
cp "$T/results" "$OUT/results.rst"
cat "$OUT/results.rst"

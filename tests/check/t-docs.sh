#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is made of the option tables: manual pages that formatters take without
# a warning, and completion that completes.
here=$(cd "${0%/*}/../.." && pwd)
O=${O:-$here/build}
D=$O/docs
W=$(mktemp -d /tmp/cleat-docs.XXXXXX)
trap 'rm -rf "$W"' EXIT
n=0 bad=0

ok() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; sed 's/^/#  /' "$W/out" | head -n 20; fi
}

# t TEXT FUNCTION
t() {
	( set -e; "$2" ) >"$W/out" 2>&1 </dev/null
	rc=$?
	if [ $rc = 42 ]; then n=$((n + 1)); echo "ok $n - $1 # SKIP $(cat "$W/out")"; else ok $rc "$1"; fi
}

need() {
	command -v "$1" >/dev/null || { echo "$1 is not installed"; exit 42; }
}

pages() {
	"$O/cleat" help | sed -n '/^COMMANDS/,/^$/s/^   \([a-z]*\) .*/\1/p' >"$W/commands"
	[ "$(wc -l <"$W/commands")" -gt 15 ]
	while read -r c; do [ -s "$D/man8/cleat-$c.8" ] || { echo "no page of $c"; exit 1; }; done <"$W/commands"
	[ -s "$D/man8/cleat.8" ] && [ -s "$D/man8/containerd-shim-cleat-v2.8" ]
	[ "$(find "$D/man8" -type f | wc -l)" = $(($(wc -l <"$W/commands") + 2)) ]
}
t "a page for each command, the program and the shim" pages

lint() {
	need mandoc
	for f in "$D"/man8/*.8; do mandoc -T lint -W warning "$f"; done >"$W/lint" 2>&1 || :
	cat "$W/lint"
	[ ! -s "$W/lint" ]
}
t "mandoc has nothing to say against them" lint

render() {
	need groff
	for f in "$D"/man8/*.8; do groff -ww -mdoc -Tutf8 "$f" 2>"$W/err" >"$W/text"; cat "$W/err"; [ ! -s "$W/err" ]; [ -s "$W/text" ]; done
}
t "groff renders them without a warning" render

# The text has every option that the help has: both come from the same rows.
options_there() {
	need mandoc
	while read -r c; do
		mandoc -T ascii "$D/man8/cleat-$c.8" | sed 's/.\x08//g' >"$W/text"
		"$O/cleat" "$c" --help | sed -n 's/^   --\([a-z0-9-]*\).*/\1/p' >"$W/opts"
		while read -r o; do grep -q -e "--$o" "$W/text" || { echo "$c --$o"; exit 1; }; done <"$W/opts"
	done <"$W/commands"
}
t "every option of the help is in the page" options_there

# ---- completion -----------------------------------------------------------------------
cat >"$W/cleat" <<'END'
#!/bin/sh
[ "$*" = "--root /r list -q" ] && printf '%s\n' one-of-r two-of-r
[ "$*" = "list -q" ] && printf '%s\n' box1 box2 other
exit 0
END
chmod +x "$W/cleat"

# bash_is "WORDS GIVEN" WANTED: the last word is the one being typed, _ stands for an empty one.
bash_is() {
	# shellcheck disable=SC2016
	got=$(PATH=$W:$PATH bash -c '. "$1"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		[ "${COMP_WORDS[COMP_CWORD]}" = _ ] && COMP_WORDS[COMP_CWORD]=
		_cleat; printf "%s\n" "${COMPREPLY[@]}"' - "$D/cleat.bash" $1 | tr '\n' ' ')
	[ "${got% }" = "$2" ] || { echo "'$1' completes to '${got% }', not to '$2'"; exit 1; }
}

bash_words() {
	need bash
	bash -n "$D/cleat.bash"
	bash_is "cleat ru" run
	bash_is "cleat p" "ps pause"
	bash_is "cleat --ro" "--root --rootless"
	bash_is "cleat --log-format _" "text json"
	bash_is "cleat --log-format = j" json
	bash_is "cleat run --b" "--bundle"
	bash_is "cleat --debug list --format _" "table json"
	bash_is "cleat list -f t" table
	bash_is "cleat help fe" features
}
t "bash: commands, options, values" bash_words

bash_ids() {
	need bash
	bash_is "cleat kill b" "box1 box2"
	bash_is "cleat kill box1 KIL" KILL
	bash_is "cleat --root /r state _" "one-of-r two-of-r"
	bash_is "cleat --root = /r state one" one-of-r
	bash_is "cleat create _" ""
	bash_is "cleat exec -t --user 1 o" other
	bash_is "cleat exec box1 --e" ""
	bash_is "cleat state box1 _" ""
}
t "bash: ids of containers, signals" bash_ids

bash_files() {
	need bash
	mkdir -p "$W/some-dir"
	: >"$W/some-file"
	bash_is "cleat run --bundle $W/some" "$W/some-dir"
	bash_is "cleat run --pid-file $W/some-f" "$W/some-file"
}
t "bash: files and directories" bash_files

zsh_words() {
	need zsh
	zsh -n "$D/_cleat"
	mkdir -p "$W/fpath"
	cp "$D/_cleat" "$W/fpath/"
	cat >"$W/drive" <<'END'
zmodload zsh/zpty
zpty z "zsh -f -i"
say() { zpty -w z "$1"; }
wait_for() { local got line; while zpty -r z line "*$1*"; do got+=$line; [[ $got == *$1* ]] && break; done; print -r -- "$got"; }
say "PS1= ; fpath=($W/fpath \$fpath); PATH=$W:\$PATH; autoload -Uz compinit; compinit -u -d $W/dump; zstyle ':completion:*' verbose no; bindkey '^I' complete-word; unsetopt list_beep; echo rea''dy"
wait_for ready >/dev/null
for words in "cleat ru" "cleat run --bun" "cleat list --format js" "cleat kill oth" "cleat --root /r state two" "cleat help feat" "cleat run --trace=j"; do
	zpty -n -w z "$words"$'\t'"X; echo do''ne"$'\n'
	wait_for done
done
zpty -d z
END
	timeout 30 env W="$W" TERM=dumb HOME="$W" zsh -f "$W/drive" >"$W/zsh.out" 2>&1 || { cat -v "$W/zsh.out"; exit 1; }
	for want in 'cleat run X' 'run --bundle X' '--format json X' 'kill other X' 'state two-of-r X' 'help features X' 'run --trace=json X'; do
		tr -d '\b' <"$W/zsh.out" | sed 's/  *X/ X/' | grep -q -e "$want" || { echo "no '$want' in:"; cat -v "$W/zsh.out"; exit 1; }
	done
}
t "zsh: commands, options, values, ids" zsh_words

installed() {
	make -s -C "$here" O="$O" DESTDIR="$W/root" PREFIX=/usr install >"$W/log" 2>&1 || { cat "$W/log"; exit 1; }
	for f in bin/cleat bin/containerd-shim-cleat-v2 share/man/man8/cleat.8 share/man/man8/cleat-run.8 \
		share/man/man8/containerd-shim-cleat-v2.8 share/bash-completion/completions/cleat share/zsh/site-functions/_cleat; do
		[ -s "$W/root/usr/$f" ] || { echo "no $f"; exit 1; }
	done
}
t "make install puts them where shells and man look" installed

echo "1..$n"
exit $bad

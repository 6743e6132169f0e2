#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# apt with lists, cache and status of its own: packages of any suite of Debian's archive, or their
# sources, without a change to the machine's. The archive is the one that the machine's own list names.
#
#   private-apt.sh FOLDER deb|deb-src SUITE PROGRAM [ARGUMENT...]
#     PROGRAM is apt-get or apt-cache. The lists of FOLDER are fetched by the first use.
#
# Exit status: PROGRAM's; 77 when there is no apt, no archive or no list, with the reason on stderr.
set -u

[ $# -ge 4 ] || { sed -n 's/^#   \(private-apt\)/usage: \1/p' "$0" >&2; exit 2; }
mkdir -p "$1" || exit 1
folder=$(cd "$1" && pwd) type=$2 suite=$3
shift 3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

none() {
	echo "${0##*/}: $*" >&2
	exit 77
}

command -v apt-get >/dev/null || none "there is no apt-get"
[ -r "$keyring" ] || none "no $keyring (Debian package debian-archive-keyring)"
if [ ! -e "$folder/apt.conf" ]; then
	# shellcheck disable=SC2016	# apt's own words
	archive=$(LC_ALL=C apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 2>/dev/null | sort -u | head -n 1)
	[ -n "$archive" ] || none "the machine's source list names no archive of Debian's"
	mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial" || exit 1
	: >"$folder/status"
	echo "$type [signed-by=$keyring] $archive $suite main" >"$folder/sources.list"
	cat >"$folder/apt.new" <<-END
		Dir::Etc::SourceList "$folder/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$folder/state";
		Dir::State::status "$folder/status";
		Dir::Cache "$folder/cache";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		APT::Update::Error-Mode "any";
		Acquire::Retries "2";
		Acquire::http::Timeout "20";
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
	END
	APT_CONFIG="$folder/apt.new" timeout 300 apt-get -qq update >"$folder/log" 2>&1 ||
		none "no package lists of $suite: $(tail -n 1 "$folder/log")"
	mv "$folder/apt.new" "$folder/apt.conf"
fi
export APT_CONFIG="$folder/apt.conf"
exec "$@"

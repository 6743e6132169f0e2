#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Install the packages named that are missing (Debian and its like, as root).
#   deps.sh PACKAGE...
set -eu

missing=
for p; do
	s=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) || s=
	[ "$s" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "these packages are missing and there is no apt-get:$missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "missing packages; as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086	# a list of names
apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
	apt-get update -q
	apt-get install -y -q --no-install-recommends $missing
}

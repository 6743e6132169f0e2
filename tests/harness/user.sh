# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An ordinary user, for suites that have sourced lib.sh. The user is known in the suite's mount namespace only.
#
#   user_make		after `suite`: $U, the folder $X, the runtime under test as $RT, sub ids 700000+65536
#   as COMMAND...	by the user; PATH is USER_PATH if that is set

user_make() {
	U=61234
	X=$T/user
	RT=$X/${RUNTIME##*/}	# a copy: the build folder may be where nobody else may look
	mkdir -p "$X/run" "$X/home" "$T/etc"
	cp "$(command -v "$RUNTIME")" "$RT"
	for f in passwd group subuid subgid; do
		cp "/etc/$f" "$T/etc/$f" 2>/dev/null || : >"$T/etc/$f"
	done
	echo "ordinary:x:$U:$U::$X/home:/bin/sh" >>"$T/etc/passwd"
	echo "ordinary:x:$U:" >>"$T/etc/group"
	echo "ordinary:700000:65536" >>"$T/etc/subuid"
	echo "ordinary:700000:65536" >>"$T/etc/subgid"
	for f in passwd group subuid subgid; do
		[ ! -e "/etc/$f" ] || mount --bind "$T/etc/$f" "/etc/$f"
	done
	chown -R $U:$U "$X"
	chmod 0700 "$X/run"
}

as() {
	(
		cd "$X" || exit 1
		exec env -i PATH="${USER_PATH-$PATH}" HOME="$X/home" XDG_RUNTIME_DIR="$X/run" USER=ordinary \
			CONTAINERS_CONF="${CONTAINERS_CONF-}" /usr/bin/setpriv --reuid $U --regid $U --clear-groups "$@"
	)
}

need_tools() {
	command -v newuidmap >/dev/null || skip "newuidmap (package uidmap) is not installed"
}

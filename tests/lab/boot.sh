#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run one command as root in another kernel, under qemu without KVM.
#
#   boot.sh [-g v2|hybrid|v1] [-i none|systemd] [-a ARGS] [-m MIB] [-c CPUS] [-p] [-t SECONDS] [-M DIR] [KERNEL] -- COMMAND [ARG...]
#     -g  what is mounted on /sys/fs/cgroup (default v2: cgroup2 and nothing else)
#     -i  PID 1: a small script that runs COMMAND (default), or the caller's systemd, of which
#         COMMAND is a service then; systemd mounts the cgroups itself
#     -a  more words for the kernel's command line
#     -m  memory of the guest (default 1024)
#     -c  CPUs (default 1; more are slow with a qemu below 8.1, see below)
#     -p  the plainest emulated machine: one CPU, without newer features
#     -t  bound of the whole run (default 300)
#     -M  where lib/modules/VERSION is (default: DIR of a kernel in DIR/boot, then /)
#     KERNEL  any bzImage; without modules it needs virtio-pci, virtio-console, 9p over
#             virtio and overlayfs built in. Default: the newest /boot/vmlinuz-* that has
#             its modules.
#
# The guest's root is the caller's own / (9p, read-only) under a tmpfs overlay: every
# tool and path of the caller is there, and nothing that the guest writes leaves it.
# /proc, /sys, /dev, /run and /sys/fs/cgroup are the guest's own. COMMAND starts in the
# caller's working directory; its stdout and stderr arrive on stdout, stdin is empty.
#
# Exit status: COMMAND's own; 123 when the guest's kernel locked up or panicked, with the
# backtraces of its CPUs on stderr; 124 at the time limit, with the same backtraces; 125
# when the guest did not get as far as a status (the end of its console is on stderr);
# 77 when something that the lab needs is not installed (said on stderr).
# The small initramfs is kept in ${O:-build}/lab. LAB_CONSOLE=FILE keeps the console.
set -u

prog=${0##*/}
here=$(cd "$(dirname "$0")" && pwd)

die() {
	echo "$prog: $2" >&2
	exit "$1"
}

usage() {
	sed -n 's/^#   \(boot.sh.*\)/usage: \1/p' "$0" >&2
	exit 2
}

# newest_kernel - the newest kernel of /boot whose modules are installed
newest_kernel() {
	for k in /boot/vmlinuz-*; do
		[ -d "/lib/modules/${k#/boot/vmlinuz-}" ] && echo "$k"
	done | sort -V | tail -n 1
}

# quote WORD - as one word for sh
quote() {
	printf "'"
	printf '%s' "$1" | sed "s/'/'\\\\''/g"
	printf "' "
}

# copy_module FILE DIR - as a plain .ko: the guest's insmod knows no compression
copy_module() {
	case $1 in
	*.xz) xz -dc "$1" >"$2/$(basename "$1" .xz)" ;;
	*.zst) zstd -dcq "$1" >"$2/$(basename "$1" .zst)" ;;
	*.gz) gzip -dc "$1" >"$2/$(basename "$1" .gz)" ;;
	*) cp "$1" "$2/" ;;
	esac
}

# pack DIR FILE - an initramfs archive, complete or not there
pack() {
	(cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2.$$" && mv "$2.$$" "$2"
}

# build_initrd VERSION MODROOT FILE - what does not change from run to run; no MODROOT: no modules
build_initrd() {
	t=$work/base
	mkdir -p "$t/bin" "$t/modules" "$t/proc" "$t/sys" "$t/dev" "$t/lab" || return 1
	cp "$busybox" "$t/bin/busybox" && cp "$here/guest-init" "$t/init" &&
		cp "$here/guest-main" "$t/lab/main" || return 1
	chmod 755 "$t/init" "$t/lab/main" "$t/bin/busybox"
	: >"$t/modules/order"
	for m in ${2:+virtio_pci virtio_console 9pnet_virtio 9p overlay}; do
		modprobe -d "$2" -S "$1" --show-depends "$m" ||
			{ echo "$prog: kernel $1 has no module $m" >&2; return 1; }
	done >"$work/depends" || return 1
	# the order of --show-depends is the order of loading
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$work/depends" >"$work/order"
	while read -r ko; do
		copy_module "$ko" "$t/modules" || return 1
		basename "$ko" | sed 's/\.ko\..*/.ko/' >>"$t/modules/order"
	done <"$work/order"
	pack "$t" "$3"
}

# ends_within SECONDS - wait for qemu's end; 124 when that is too long
ends_within() {
	timeout "$1" tail --pid="$qemu_pid" -s 0.1 -f /dev/null &
	waiter=$!
	wait "$waiter"
}

cgroup=v2 pid1=none append='' mem=1024 cpus=1 cpu=max,la57=off,smap=off limit=300 kernel='' modroot=''
while getopts g:i:a:m:c:pt:M: o; do
	case $o in
	g) cgroup=$OPTARG ;;
	i) pid1=$OPTARG ;;
	a) append=$OPTARG ;;
	m) mem=$OPTARG ;;
	c) cpus=$OPTARG ;;
	p) cpus=1 cpu=qemu64 ;;
	t) limit=$OPTARG ;;
	M) modroot=$OPTARG ;;
	*) usage ;;
	esac
done
# getopts swallows a "--" that comes right after the options
last=''
[ "$OPTIND" -eq 1 ] || eval "last=\${$((OPTIND - 1))}"
shift $((OPTIND - 1))
if [ "$last" != -- ]; then
	if [ "${1---}" != -- ]; then
		kernel=$1
		shift
	fi
	[ "${1-}" = -- ] || usage
	shift
fi
[ $# -gt 0 ] || usage
case $pid1:$cgroup in
none:v2) append="cgroup_no_v1=all $append" ;;
none:v1 | none:hybrid) ;;
systemd:v2) append="systemd.unified_cgroup_hierarchy=1 $append" ;;
systemd:hybrid) append="systemd.unified_cgroup_hierarchy=0 $append" ;;
systemd:v1) append="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1 $append" ;;
*) usage ;;
esac

PATH=$PATH:/usr/sbin:/sbin
for tool in qemu-system-x86_64:qemu-system-x86 cpio:cpio modprobe:kmod timeout:coreutils flock:util-linux; do
	command -v "${tool%%:*}" >/dev/null ||
		die 77 "${tool%%:*} is not installed (Debian package ${tool#*:})"
done
busybox=$(command -v busybox) || die 77 "busybox is not installed (Debian package busybox-static)"
if [ "$pid1" = systemd ] && [ ! -x /lib/systemd/systemd ]; then
	die 77 "/lib/systemd/systemd is not installed (Debian package systemd)"
fi
if ldd "$busybox" >/dev/null 2>&1; then
	die 77 "$busybox is not static (Debian package busybox-static)"
fi
[ -n "$kernel" ] || kernel=$(newest_kernel)
[ -n "$kernel" ] || die 77 "no kernel with its modules in /boot (Debian package linux-image-amd64)"
[ -r "$kernel" ] || die 77 "no kernel image $kernel"
version=$("$here/kernel-version" "$kernel") || die 125 "$kernel is no bzImage"
for modroot in ${modroot:+"$modroot"} "$(cd "$(dirname "$kernel")/.." && pwd)" / ''; do
	[ -z "$modroot" ] || [ ! -d "$modroot/lib/modules/$version" ] || break
done

# A thread per CPU only where qemu can: below 8.1 one thread can translate code while another
# changes it, and goes on with what is no longer there. The kernel changes its own code (jump
# labels) when a cgroup controller or a BPF program comes into use, and then traps into the
# same breakpoint for ever.
threads=single
case $(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p') in
[0-7].* | 8.0 | '') ;;
*) threads=multi ;;
esac
# What is translated is kept by its virtual address: a program at another one in each process is translated anew each
# time, which takes longer than all the rest of its start. So no random addresses (-a sysctl.kernel.randomize_va_space=2
# brings them back), and no SMAP, which makes two of every address.
fixed=norandmaps
# What ends a guest whose kernel is stuck, soon and with backtraces.
watch="watchdog_thresh=15 softlockup_panic=1 softlockup_all_cpu_backtrace=1 oops=panic unknown_nmi_panic \
hung_task_panic=1 rcupdate.rcu_cpu_stall_timeout=30 sysctl.kernel.panic_on_rcu_stall=1"

cache=${O:-build}/lab
mkdir -p "$cache" || die 125 "cannot make $cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/cleat-lab.XXXXXX") || exit 125
qemu_pid='' cat_pid='' waiter='' late=''
trap 'rm -rf "$work"' EXIT
trap '[ -n "$qemu_pid" ] && kill "$qemu_pid" $cat_pid $waiter 2>/dev/null; exit 130' INT TERM HUP

stamp=$(cat "$0" "$here/guest-init" "$here/guest-main" "$kernel" | cksum | cut -d' ' -f1)
base=$cache/initrd-$version-$stamp
exec 5>"$cache/lock"	# several guests may begin together
flock 5
if [ ! -f "$base" ]; then
	rm -f "$cache/initrd-$version-"*
	build_initrd "$version" "$modroot" "$base" || die 125 "cannot build the initramfs"
fi
exec 5>&-

# a second archive, appended: the command of this run
mkdir -p "$work/run/lab" || exit 125
{
	printf 'cd '
	quote "$(pwd)"
	printf '|| exit 125\nexec '
	for word; do quote "$word"; done
	echo
} >"$work/run/lab/command"
echo "$cgroup" >"$work/run/lab/cgroup"
echo "$pid1" >"$work/run/lab/pid1"
case $modroot in
'' | /) ;;
*) echo "$modroot/lib/modules/$version" >"$work/run/lab/modules" ;;
esac
if ! pack "$work/run" "$work/run.cpio" || ! cat "$base" "$work/run.cpio" >"$work/initrd"; then
	die 125 "cannot build the initramfs"
fi

console=${LAB_CONSOLE:-$work/console}
: >"$work/status"
: >"$console"
# not qemu's stdio: at the end of its stdin it takes the port for unplugged, and the guest's
# writes block
mkfifo "$work/out" || exit 125
cat "$work/out" &
cat_pid=$!
exec 9>"$work/out"	# or cat waits for ever when qemu fails before it opens the FIFO
mkfifo "$work/monitor.in" "$work/monitor.out" || exit 125
exec 7<>"$work/monitor.out" 8<>"$work/monitor.in"
qemu-system-x86_64 -M pc -accel "tcg,thread=$threads" -cpu "${LAB_CPU:-$cpu}" \
	-smp "$cpus" -m "$mem" -nodefaults -display none -no-reboot -nic none \
	-kernel "$kernel" -initrd "$work/initrd" \
	-append "console=ttyS0 quiet loglevel=5 panic=-1 no_timer_check $fixed $watch random.trust_cpu=on mitigations=off $append" \
	-chardev "file,id=con,path=$console" -serial chardev:con \
	-chardev "pipe,id=mon,path=$work/monitor" -mon mon \
	-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap" \
	-device virtio-9p-pci,fsdev=root,mount_tag=hostroot \
	-drive if=none,id=null,driver=null-co,size=1M -device virtio-blk-pci,drive=null \
	-device virtio-serial-pci \
	-chardev "file,id=out,path=$work/out,append=on" -device virtserialport,chardev=out,name=out \
	-chardev "file,id=status,path=$work/status" -device virtserialport,chardev=status,name=status \
	</dev/null >"$work/qemu.err" 2>&1 7>&- 8>&- 9>&- &
qemu_pid=$!
if ! ends_within "$limit"; then
	late=1
	# an NMI that nobody expects is a panic, with its backtrace
	printf 'info registers -a\nnmi\n' >&8
	ends_within 10 || kill -9 "$qemu_pid"
fi
wait "$qemu_pid"
r=$?
qemu_pid=''
exec 8>&- 9>&-
[ -z "$late" ] || timeout 1 cat <&7 >"$work/registers"
exec 7>&-
wait "$cat_pid"

status=$(tr -dc 0-9 <"$work/status")
[ -n "$status" ] && exit "$status"
bad='Kernel panic|BUG:|LOCKUP|lockup|Oops|detected stall|blocked for more than'
{
	if [ -n "$late" ]; then
		echo "$prog: the guest was stopped after $limit s; its CPUs, and the end of its console:"
		grep -Eo '^CPU#[0-9]+|RIP=[0-9a-f]+|HLT=[01]' "$work/registers" | paste -s -d ' ' | sed 's/^/  | /'
	elif grep -Eq "$bad" "$console"; then
		echo "$prog: the guest's kernel gave up; its console:"
	else
		echo "$prog: the guest ended without a status (qemu: $r); the end of its console:"
	fi
	cat "$work/qemu.err"
	{
		# from the first complaint on
		if grep -Eq "$bad" "$console"; then
			sed -En "/$bad/,\$p" "$console" | head -n 120
		else
			tail -n 25 "$console"
		fi
	} | tr -d '\r' | sed 's/^/  | /'
} >&2
[ -z "$late" ] || exit 124
! grep -Eq "$bad" "$console" || exit 123
exit 125

#!/bin/sh
# The glue in hooks/, on the host: every script is run with the generator's helper functions, or the program's, replaced by
# ones that write down how they were called. Where Debian has the generator, its own functions and files are used as well.
# That images made by the real ones boot is test/images' business.
# Code in quotes, options unquoted, and functions that only it() calls, in a subshell:
# shellcheck disable=SC2013,SC2016,SC2030,SC2031,SC2086,SC2181,SC2317

set -u
umask 022
cd "$(dirname "$0")/.." || exit 1
hooks=$PWD/hooks
# shellcheck source=test/tap.sh
. test/tap.sh
build=$PWD/test/build
guest=$build/x86_64

# The one list of modules, and what Debian's kernel for a PC has of it, in test/build.
modules=$(sed 's/#.*//' hooks/modules)
mods='sierra qcserial option cdc-acm usbserial usb_wwan cdc-wdm usbnet cdc_ether cdc_ncm cdc_mbim qmi_wwan sierra_net'

# ---- the words tests are written in

die() {
	echo "$*"
	exit 1
}

# Each test has an empty folder $R and an empty record $R/log.
prepare() {
	rm -rf "$work/r"
	R=$work/r
	mkdir -p "$R/bin"
	: >"$R/log"
}

is() { [ "$1" = "$2" ] || die "${3:-result} is '$1', not '$2'"; }
logged() { grep -qxF -- "$1" "$R/log" || { cat "$R/log"; die "not done: $1"; }; }
unlogged() { ! grep -q -- "$1" "$R/log" || { cat "$R/log"; die "done: $1"; }; }
lines() { is "$(grep -c -- "$1" "$R/log")" "$2" "number of '$1'"; }
words() { tr -s '[:space:]' '\n' | sed '/^$/d; s/-/_/g' | sort; }
same() { [ "$(echo "$1" | words)" = "$(echo "$2" | words)" ] || die "'$(echo "$1" | words | tr '\n' ' ')', not '$2'"; }

# at FILE [LIST]: a copy in which all absolute paths but /dev's point into $R; prints its name. The list of modules is
# there as $R/at/LIST, where the generators' Makefile targets put it beside the hook.
at() {
	n=$R/at/${1#"$hooks"/}
	mkdir -p "${n%/*}"
	cp "$hooks/modules" "$R/at/${2:-modules}"
	sed -E "/^#!/!s,(^|[^[:alnum:]_./}*\$-])(/(usr|sbin|scripts|run|etc)(/|\>)),\1$R\2,g" "$1" >"$n"
	! cmp -s "$1" "$n" || die "$1: no path to move"
	chmod --reference="$1" "$n"
	echo "$n"
}

# program DIR HOW: a swflip in that folder of $R that writes down its arguments, and then exits with HOW, is killed, or
# takes its time.
program() {
	mkdir -p "$R$1"
	{
		echo '#!/bin/sh'
		echo "echo swflip \"\$@\" >>'$R/log'"
		case $2 in
		killed) echo 'kill -9 $$' ;;
		slow) echo "sleep 1; echo swflip ends >>'$R/log'; exit 1" ;;
		*) echo "exit $2" ;;
		esac
	} >"$R$1/swflip"
	chmod +x "$R$1/swflip"
}

# mock STATUS NAME...: functions that write down how they were called, to be put before a script.
mock() {
	status=$1
	shift
	for m; do echo "$m() { echo \"$m \$*\" >>'$R/log'; return $status; }"; done
}

busybox=$guest/busybox/bin/busybox
[ -x "$busybox" ] || busybox=$guest/busybox/usr/bin/busybox

# The shells that initramfs images have.
shells="dash:$busybox+ash:bash+--posix"
each_shell() {
	for sh in $(echo "$shells" | tr ':' ' '); do
		: >"$R/log"
		sh=$(echo "$sh" | tr '+' ' ')
		"$@"
	done
}

# as_root COMMAND...: in a user namespace of its own where this is not run by root.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else unshare -r "$@"; fi
}

# tool PACKAGE: sets $D to where Debian's package is: in place where test/setup has installed it, else below test/build.
tool() {
	D=''
	case $(dpkg-query -W -f '${Status}' "$1" 2>&1) in *' ok installed') return 0 ;; esac
	D=$build/hooks/$1
	[ ! -d "$D" ] || return 0
	mkdir -p "$build/hooks/deb"
	(cd "$build/hooks/deb" && rm -f "$1"_*.deb && apt-get -qq -o APT::Sandbox::User=root download "$1") ||
		die "cannot download $1"
	dpkg -x "$build/hooks/deb/$1"_*.deb "$D.part"
	mv "$D.part" "$D"
}

# ---- all of them

scripts='initramfs-tools/hooks/swflip initramfs-tools/scripts/init-top/swflip dracut/module-setup.sh dracut/swflip-start.sh
	dracut/swflip-finished.sh dracut/swflip-timeout.sh mkinitcpio/install/swflip mkinitcpio/hooks/swflip busybox/init
	busybox/swflip-hotplug mkinitfs/swflip.initd
	openwrt/files/swflip.init openwrt/files/swflip.hotplug openwrt/files/swflip.preinit openwrt/files/swflip.sh
	buildroot/S38swflip yocto/files/20-swflip'
sourced='dracut/swflip-start.sh dracut/swflip-finished.sh dracut/swflip-timeout.sh mkinitcpio/hooks/swflip
	openwrt/files/swflip.hotplug openwrt/files/swflip.preinit openwrt/files/swflip.sh mkinitfs/swflip.initd
	yocto/files/20-swflip'
executed='initramfs-tools/hooks/swflip initramfs-tools/scripts/init-top/swflip busybox/init busybox/swflip-hotplug'

t_lint() {
	for s in $scripts; do
		shellcheck -e SC1091 "$hooks/$s" || die "shellcheck $s"
		case $(head -n 1 "$hooks/$s") in
		*bash) bash -n "$hooks/$s" ;;
		*) dash -n "$hooks/$s" && "$busybox" ash -n "$hooks/$s" ;;
		esac || die "$s is no shell script"
	done
}

# None is forgotten above.
t_complete() {
	found=$(cd "$hooks" && grep -rlE '^#!.*sh|shellcheck shell=' . | sed 's,^\./,,')
	same "$found" "$scripts"
}

t_modes() {
	for s in $executed; do [ -x "$hooks/$s" ] || die "$s is not executable"; done
}

t_sourced_never_exit() {
	for s in $sourced; do
		! sed 's/#.*//' "$hooks/$s" | grep -nE '\b(exit|exec)\b' || die "$s ends who sources it"
	done
}

# Messages by -k, and no other options: all there is to set comes from the kernel's command line, config.h and, with
# OpenWrt, /etc/config/swflip. What answers hotplug events, and what begins beside it, uses -o.
t_command() {
	found=$(cd "$hooks" && find . -type f ! -path './openwrt/*' -exec grep -HvE 'echo "' {} + | grep -E '\<swflip +-|sbin/(\$DAEMON"|swflip) +-' |
		sed 's/^\([^:]*\):[[:blank:]]*#.*//; s/:.*\(swflip\|DAEMON"\) \(-[a-z -]*[a-z]\).*/ \2/; /^$/d; s/ *[|<].*//' | sort)
	is "$found" './buildroot/S38swflip -k
./busybox/init -k
./busybox/inittab -k
./busybox/swflip-hotplug -o -k
./dracut/swflip-start.sh -k
./initramfs-tools/scripts/init-top/swflip -k
./mkinitcpio/hooks/swflip -k
./mkinitfs/swflip.initd -o -k
./systemd/swflip.service -k
./yocto/files/20-swflip -k' 'the commands'
}

# One list of modules, one of vendors, one version. No file but the lists has two of their words.
t_one_list() {
	for f in $(cd "$hooks" && find . -type f ! -name modules ! -name vendors); do
		n=$(for m in usbserial usb_wwan qcserial cdc-acm xhci-hcd musb_hdrc; do grep -ow -- "$m" "$hooks/$f"; done | wc -l)
		[ "$n" -lt 2 ] || die "$f has a list of modules"
		n=$(for v in 1199 f3d 114f 413c; do grep -owi -- "$v" "$hooks/$f"; done | wc -l)
		[ "$n" -lt 2 ] || die "$f has a list of vendors"
		! grep -nE "\\<$(sed -n 's/^VERSION *= *//p' Makefile | sed 's/\./\\./g')\\>" "$hooks/$f" | grep -v ':#' ||
			die "$f has a version"
	done
}

vendors() { sed 's/#.*//; /^$/d' "$hooks/vendors" | paste -s -d '|' -; }

# Whatever config.h calls a modem is one here: as the kernel writes PRODUCT, hex without leading zeros.
t_vendors() {
	tr '\n' ' ' <config.h | grep -oE '\{ *0x[0-9a-fA-F]{4}, *(ANY_PID|0x[0-9a-fA-F]{4}), *(MODEM|STORAGE) *\}' |
		tr -d '{},' >"$R/rows"
	[ "$(wc -l <"$R/rows")" -ge 20 ] || die "no table in config.h"
	while read -r vid pid _; do
		[ "$pid" != ANY_PID ] || pid=0x9071
		product=$(printf '%x/%x/6' "$vid" "$pid")
		echo "$product" | grep -qE "^($(vendors))" || die "$product is not among hooks/vendors"
	done <"$R/rows"
	for product in 46d/c52b/1 11199/1/1 413c/2113/1 3f0/24/1 846/9011/1 c3f0/1/1; do
		! echo "$product" | grep -qE "^($(vendors))" || die "$product, a keyboard or the like, is among hooks/vendors"
	done
}

# Each module is a file of that name in a kernel for a PC, or one of another machine's hosts.
t_modules() {
	have=$(find "$guest/modules" -name '*.ko*' -printf '%f\n' | sed 's/\.ko.*//')
	for m in $modules; do
		echo "$have" | grep -qxF -- "$m" || grep -q "/$m\.ko" "$guest"/modules/lib/modules/*/modules.builtin ||
			case $m in xhci-plat-hcd | *-platform | dwc? | ci_hdrc | musb_hdrc) ;; *) die "$m: no such module" ;; esac
	done
}

# ---- initramfs-tools

it_prereqs() {	# FILE WANTED
	file=$hooks/initramfs-tools/$1
	each_shell it_prereqs_ "$2"
}
it_prereqs_() {
	out=$($sh "$file" prereqs) || die "$sh: status $?"
	is "$out" "$1" "$sh: prereqs"
}

functions() {	# STATUS
	mkdir -p "$R/usr/share/initramfs-tools"
	mock "$1" copy_exec manual_add_modules force_load >"$R/usr/share/initramfs-tools/hook-functions"
}

# mkinitramfs runs hooks with errexit set around them, so the hook's own status is all that counts.
run_hook() { $sh "$(at "$hooks/initramfs-tools/hooks/swflip" initramfs-tools/swflip.modules)" || die "$sh: status $?"; }

# A module that is on no list of this project's own, as who edits it has it.
t_it_hook_list() {
	functions 0
	program /sbin 0
	sh=dash
	at "$hooks/initramfs-tools/hooks/swflip" initramfs-tools/swflip.modules >"$R/hook"
	printf '# none\nmine # but this\n' >"$R/at/initramfs-tools/swflip.modules"
	$sh "$(cat "$R/hook")" || die "status $?"
	same "$(sed -n 's/^manual_add_modules//p' "$R/log")" mine
	: >"$R/log"
	rm "$R/at/initramfs-tools/swflip.modules"
	$sh "$(cat "$R/hook")" 2>"$R/said" || die "without a list: status $?"
	grep -q '^W: swflip: no list of modules' "$R/said"
	logged "copy_exec $R/sbin/swflip $R/sbin/swflip"
}

t_it_hook() {
	functions 0
	program /usr/local/sbin 0
	each_shell t_it_hook_
}
t_it_hook_() {
	run_hook
	logged "copy_exec $R/usr/local/sbin/swflip $R/sbin/swflip"
	same "$(sed -n 's/^manual_add_modules//p' "$R/log")" "$modules"
	unlogged '^swflip'
}

t_it_hook_helpers_fail() {
	functions 1
	program /sbin 0
	each_shell t_it_hook_helpers_fail_
}
t_it_hook_helpers_fail_() {
	run_hook
	logged "copy_exec $R/sbin/swflip $R/sbin/swflip"
	same "$(sed -n 's/^manual_add_modules//p' "$R/log")" "$modules"
}

t_it_hook_missing() {
	functions 0
	each_shell t_it_hook_missing_
}
t_it_hook_missing_() {
	run_hook >"$R/said" 2>&1
	grep -q '^W: swflip: not installed' "$R/said" || die "$sh: no warning"
	is "$(cat "$R/log")" ''
}

t_it_hook_order() {
	functions 0
	sh=dash
	program /opt 0
	for d in /opt /sbin /usr/sbin /usr/local/sbin; do
		: >"$R/log"
		program "$d" 0
		(PATH=$R/opt:$PATH; run_hook)
		logged "copy_exec $R$d/swflip $R/sbin/swflip"
	done
}

t_it_script() {	# HOW
	mkdir -p "$R/scripts"
	mock 0 log_begin_msg log_end_msg >"$R/scripts/functions"
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_it_script_ "$1"
}
t_it_script_() {
	script=$(at "$hooks/initramfs-tools/scripts/init-top/swflip")
	$sh "$script" || die "$sh: status $?"
	$sh -e "$script" || die "$sh -e: status $?"
	case $1 in
	missing) is "$(cat "$R/log")" '' ;;
	*) lines '^swflip -k$' 2 ;;
	esac
}

# Debian's own functions, and its own kernel.
t_it_real() {
	tool initramfs-tools-core
	mkdir -p "$R/usr/share/initramfs-tools" "$R/image"
	# Since 0.148 the kernel's folder is in there, and not for modprobe to say.
	sed "s,--kerneldir \"/lib/modules,--kerneldir \"$guest/modules/lib/modules," "$D/usr/share/initramfs-tools/hook-functions" \
		>"$R/usr/share/initramfs-tools/hook-functions"
	program /usr/local/sbin 0
	sed "s,$R/sbin/swflip,/sbin/swflip," "$(at "$hooks/initramfs-tools/hooks/swflip" swflip.modules)" >"$R/at/hook"
	mkdir "$R/at/hooks"
	# Since 0.148 a list is made first, and applied when all hooks have run.
	sed 's/^exit 0$/! command -v apply_add_modules >\/dev\/null || apply_add_modules/' "$R/at/hook" >"$R/at/hooks/swflip"
	: >"$R/add"
	DESTDIR=$R/image version=$(cat "$guest/version") verbose=n MODPROBE_OPTIONS="-d $guest/modules" \
		CONFDIR=$R MODULESDIR=none __MODULES_TO_ADD=$R/add dash "$R/at/hooks/swflip" || die "status $?"
	cmp "$R/usr/local/sbin/swflip" "$R/image/sbin/swflip" || cmp "$R/usr/local/sbin/swflip" "$R/image/usr/sbin/swflip"
	for m in $mods; do
		find "$R/image" -name "$m.ko*" | grep -q . || die "no $m in the image"
	done
}

# Debian's own order: init-top's udev, then swflip; and all that before init-premount, where dropbear is.
t_it_real_order() {
	mkdir -p "$R/scripts"
	for p in udev dropbear-initramfs initramfs-tools-core; do
		tool "$p"
		cp -R "$D/usr/share/initramfs-tools/scripts/." "$R/scripts/"
	done
	cp "$hooks/initramfs-tools/scripts/init-top/swflip" "$R/scripts/init-top/"
	{
		echo "verbose=n version= quiet=n CONFDIR='$R'"
		echo ". '$D/usr/share/initramfs-tools/scripts/functions'"
		echo ". '$D/usr/share/initramfs-tools/hook-functions'"
		echo "cache_run_scripts '$R' /scripts/init-top"
		echo "cache_run_scripts '$R' /scripts/init-premount"
	} >"$R/order"
	dash "$R/order"
	before /scripts/init-top/udev /scripts/init-top/swflip "$R/scripts/init-top/ORDER"
	grep -q /dropbear "$R/scripts/init-premount/ORDER" || die 'dropbear is not in init-premount any more'
	before 'run_scripts /scripts/init-top' 'run_scripts /scripts/init-premount' "$D/usr/share/initramfs-tools/init"
}

# before FIRST SECOND FILE: lines that begin so.
before() {
	awk -v a="$1" -v b="$2" 'index($0, a) == 1 { n = NR } index($0, b) == 1 && n { ok = 1 } END { exit !ok }' "$3" ||
		die "$1 does not come before $2"
}

# ---- dracut

# The functions as dracut 059's and 111's module-setup.sh files find them (dracut-functions.sh and dracut-init.sh there);
# t_dracut_real has Debian's own.
dracut() {	# SYSTEMD FUNCTION: runs one function of the module
	mkdir -p "$R/image"
	{
		mock 0 inst inst_simple inst_hook inst_multiple dwarn
		echo "instmods() { echo \"instmods [\$hostonly] \$*\" >>'$R/log'; }"
		echo "dracut_module_included() { [[ \$1 = systemd ]] && $1; }"
		echo "hostonly=-h moddir='$R/at' initdir='$R/image' systemdsystemunitdir=/units"
		cat "$(at "$hooks/dracut/module-setup.sh")"
		echo "$2"
	} >"$R/module"
	PATH=$R/opt:$PATH bash -e "$R/module"
}

t_dracut_check() {
	dracut false 'check || { [ $? = 1 ] && echo absent >>'"'$R/log'"'; }'
	logged absent
	grep -q '^dwarn swflip: not installed' "$R/log" || die 'no warning'
	program /usr/local/sbin 0
	dracut false check
	unlogged '^swflip'
}

t_dracut_depends() { is "$(dracut false depends)" ''; }

t_dracut_modules() {
	dracut false installkernel
	same "$(sed -n 's/^instmods \[\]//p' "$R/log")" "$modules"
	unlogged 'instmods \[-h\]'
}

t_dracut_install() {
	program /usr/sbin 0
	dracut false install
	logged "inst $R/usr/sbin/swflip $R/sbin/swflip"
	logged "inst_hook initqueue 01 $R/at/swflip-start.sh"
	logged "inst_hook initqueue/finished 90 $R/at/swflip-finished.sh"
	logged "inst_hook initqueue/timeout 90 $R/at/swflip-timeout.sh"
	unlogged 'service'
	[ ! -e "$R/image/units" ]
	(cd "$hooks/dracut" && sed -n 's,^inst_hook.*/,,p' "$R/log" | xargs ls >/dev/null)
}

t_dracut_install_systemd() {
	program /usr/sbin 0
	dracut true install
	logged "inst $R/usr/sbin/swflip $R/sbin/swflip"
	logged 'inst_simple /units/swflip.service'
	is "$(readlink "$R/image/units/initrd.target.wants/swflip.service")" ../swflip.service
	unlogged '^inst_hook'
}

t_dracut_install_order() {
	for d in /opt /sbin /usr/sbin /usr/local/sbin; do
		: >"$R/log"
		program "$d" 0
		dracut false install
		logged "inst $R$d/swflip $R/sbin/swflip"
	done
}

# Sourced by init in each round of its queue (init.sh of 059 to 111, where $job is the file): it has to be back at once,
# has to begin when the coldplug has settled, and only once, and leaves the status.
settle() {	# HOW
	printf '#!/bin/sh\necho udevadm "$@" >>"%s"\n%s\n' "$R/log" "$1" >"$R/bin/udevadm"
	chmod +x "$R/bin/udevadm"
}

t_dracut_hooks() {	# HOW RESULT
	mkdir -p "$R/run"
	settle 'exit 1'
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_dracut_hooks_ "$@"
}
t_dracut_hooks_() {
	rm -f "$R"/run/swflip*
	finished=$(at "$hooks/dracut/swflip-finished.sh")
	! $sh -c '. "$0"' "$finished" || die "$sh: finished before it began"
	PATH=$R/bin:$PATH $sh -e -c '. "$0"; echo back >>"$1"; . "$0"; wait; . "$0"; wait' \
		"$(at "$hooks/dracut/swflip-start.sh")" "$R/log" 2>/dev/null || die "$sh: status $?"
	logged back
	[ "$1" = missing ] || { lines '^swflip -k$' 1; lines '^udevadm settle$' 1; }
	$sh -c '. "$0"' "$finished" || die "$sh: not finished"
	is "$(cat "$R/run/swflip")" "$2" "$sh: result"
}

t_dracut_background() {
	mkdir -p "$R/run"
	settle 'sleep 0.5; echo settled >>"${0%/*}/../log"'
	program /sbin slow
	each_shell t_dracut_background_
}
t_dracut_background_() {
	rm -f "$R"/run/swflip*
	PATH=$R/bin:$PATH $sh -c '. "$0"; echo back >>"$1"; [ ! -e "$2" ] || echo early >>"$1"; wait' \
		"$(at "$hooks/dracut/swflip-start.sh")" "$R/log" "$R/run/swflip"
	is "$(grep -v '^udevadm' "$R/log" | tr '\n' ' ')" 'back settled swflip -k swflip ends ' "$sh: order"
	is "$(cat "$R/run/swflip")" 1
}

t_dracut_timeout() {
	mkdir -p "$R/run"
	each_shell t_dracut_timeout_
}
t_dracut_timeout_() {
	late=$(at "$hooks/dracut/swflip-timeout.sh")
	rm -f "$R/run/swflip"
	$sh -e -c '. "$0"' "$late"
	is "$(cat "$R/run/swflip")" late
	echo 0 >"$R/run/swflip"
	$sh -e -c '. "$0"' "$late"
	is "$(cat "$R/run/swflip")" 0
}

unit() { sed -n "s/^$1=//p" "$hooks/systemd/swflip.service" | tr '\n' ' '; }

t_unit() {
	is "$(unit Type)" 'oneshot '
	is "$(unit DefaultDependencies)" 'no '
	is "$(unit ExecStart)" '-/sbin/swflip -k '
	is "$(unit ExecStartPre)" '-udevadm settle '
	for u in systemd-udevd.service systemd-udev-trigger.service; do
		for k in After Wants; do
			case $(unit $k) in *"$u"*) ;; *) die "$k has no $u" ;; esac
		done
	done
	for u in cryptsetup-pre.target dracut-pre-mount.service dracut-mount.service sysroot.mount network-pre.target \
		ModemManager.service; do
		case $(unit Before) in *"$u"*) ;; *) die "not before $u" ;; esac
	done
	for u in cryptsetup-pre.target network-pre.target; do
		case $(unit Wants) in *"$u"*) ;; *) die "nobody pulls $u in" ;; esac
	done
	is "$(unit WantedBy)" 'sysinit.target '
	! grep -qE '^(Requires|Requisite|BindsTo|OnFailure|RequiredBy)' "$hooks/systemd/swflip.service" || die 'something is required'
	sed 's,-/sbin/swflip,-/bin/true,; s,-udevadm,-/bin/true,' "$hooks/systemd/swflip.service" >"$R/swflip.service"
	systemd-analyze verify --man=no "$R/swflip.service" >"$R/said" 2>&1 || die "$(cat "$R/said")"
	! grep swflip.service "$R/said" || die 'see above'
}

# That After=cryptsetup-pre.target is what systemd's own generator writes.
t_unit_before_passphrase() {
	echo 'root /dev/sda2 none luks' >"$R/crypttab"
	mkdir "$R/a" "$R/b" "$R/c"
	SYSTEMD_CRYPTTAB=$R/crypttab /lib/systemd/system-generators/systemd-cryptsetup-generator "$R/a" "$R/b" "$R/c"
	grep -q '^After=.*cryptsetup-pre.target' "$R/a/systemd-cryptsetup@root.service"
}

# Debian's own functions, and its own kernel.
t_dracut_real() {	# SYSTEMD
	tool dracut-core
	program /usr/local/sbin 0
	mkdir -p "$R/image" "$R/tmp"
	{
		echo "export dracutbasedir='$D/usr/lib/dracut' initdir='$R/image' DRACUT_TMPDIR='$R/tmp'"
		echo "export kernel='$(cat "$guest/version")'"
		echo "export hostonly=-h DRACUT_RESOLVE_DEPS=1 DRACUT_KERNEL_MODALIASES='$R/none' stdloglvl=4 fileloglvl=0"
		echo "export kmsgloglvl=0 sysloglvl=0 systemdsystemunitdir='$R/units'"
		echo ". '$D/usr/lib/dracut/dracut-init.sh'"
		# Which it has just set to the folder of the same version in /lib/modules.
		echo "srcmods='$guest/modules/lib/modules/$(cat "$guest/version")'"
		echo "moddir='$R/at' mods_to_load='$1' modules_loaded=' '"
		# The program is looked for in $R, and keeps its place in the image.
		sed "s,$R/sbin/swflip,/sbin/swflip,; s,$R/sbin;,$R/sbin;," "$(at "$hooks/dracut/module-setup.sh")"
		echo 'check && installkernel && install'
	} >"$R/module"
	: >"$R/none"
	cp "$hooks"/dracut/swflip-*.sh "$R/at/"
	mkdir -p "$R/units"
	cp "$hooks/systemd/swflip.service" "$R/units/"
	bash "$R/module" || die "status $?"
	cmp "$R/usr/local/sbin/swflip" "$R/image/sbin/swflip"
	for m in $mods; do
		find "$R/image" -name "$m.ko*" | grep -q . || die "no $m in the image"
	done
	# 106 has moved its hooks.
	h=$R/image/lib/dracut/hooks u=$R/image$R/units
	[ -d "$h" ] || h=$R/image/var/lib/dracut/hooks
	case $1 in
	systemd)
		cmp "$hooks/systemd/swflip.service" "$u/swflip.service"
		cmp "$hooks/systemd/swflip.service" "$u/initrd.target.wants/swflip.service" || die 'not wanted'
		[ ! -e "$h" ] || die 'hooks as well'
		;;
	*)
		[ -x "$h/initqueue/01-swflip-start.sh" ]
		[ -x "$h/initqueue/finished/90-swflip-finished.sh" ]
		[ -x "$h/initqueue/timeout/90-swflip-timeout.sh" ]
		[ ! -e "$u" ] || die 'a unit as well'
		;;
	esac
}

# ---- mkinitcpio: not in Debian. The functions as release 41 has them (functions, and install/systemd, which defines
# add_systemd_unit for the hooks after it). By hand, that release's own mkinitcpio on a Debian, with its hooks base and
# systemd: program, run-time hook or unit, its link and cryptsetup-pre.target, udevadm, and the 23 modules that Debian's
# kernel for a PC has of the list and for it.

mkinitcpio() {	# HOOKS
	{
		mock 0 add_binary add_file add_symlink add_module add_runscript error
		case $1 in *add_systemd_unit*) mock 0 add_systemd_unit ;; esac
		echo 'in_array() { local i n=$1; shift; for i; do [[ $i == "$n" ]] && return 0; done; return 1; }'
		echo "_hooks=($1)"
		echo ". '$(at "$hooks/mkinitcpio/install/swflip" mkinitcpio/swflip.modules)'"
		echo 'build'
	} >"$R/build"
	PATH=$R/opt:$PATH bash "$R/build"
}

t_mkinitcpio_build() {
	program /usr/local/sbin 0
	mkinitcpio 'base udev autodetect block swflip filesystems'
	logged "add_binary $R/usr/local/sbin/swflip $R/sbin/swflip 755"
	logged 'add_runscript '
	unlogged 'service'
	! grep '^add_module' "$R/log" | grep -v '?$' || die 'a module is not optional'
	same "$(sed -n 's/^add_module \(.*\)?$/\1/p' "$R/log")" "$modules"
}

t_mkinitcpio_build_systemd() {
	program /usr/bin 0
	mkinitcpio 'systemd autodetect block swflip sd-encrypt filesystems'
	logged "add_binary $R/usr/bin/swflip $R/sbin/swflip 755"
	unlogged add_runscript
	logged "add_file $R/usr/lib/systemd/system/swflip.service"
	logged "add_symlink $R/usr/lib/systemd/system/initrd.target.wants/swflip.service ../swflip.service"
	: >"$R/log"
	mkinitcpio 'systemd swflip add_systemd_unit'
	logged 'add_systemd_unit swflip.service'
	logged 'add_systemd_unit cryptsetup-pre.target'
	logged "add_symlink $R/usr/lib/systemd/system/initrd.target.wants/swflip.service ../swflip.service"
	unlogged '^add_file'
}

t_mkinitcpio_missing() {
	! mkinitcpio 'base udev swflip' || die 'no error'
	grep -q '^error swflip: not installed' "$R/log"
	unlogged '^add_'
}

t_mkinitcpio_help() {
	bash -c '. "$0"; help' "$hooks/mkinitcpio/install/swflip" | grep -q swflip.target=
}

t_mkinitcpio_run() {	# HOW
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_mkinitcpio_run_ "$1"
}
t_mkinitcpio_run_() {
	$sh -e -c '. "$0"; run_hook; echo on >>"$1"' "$(at "$hooks/mkinitcpio/hooks/swflip")" "$R/log" || die "$sh: status $?"
	logged on
	[ "$1" = missing ] || logged 'swflip -k'
}

# ---- mkinitfs: not in Debian. By hand, with release 3.13's own mkinitfs and Debian's kernel as it stands in test/build:
# `mkinitfs -l` names both programs and all modules.

t_mkinitfs_files() {
	same "$(sed '/^#/d' "$hooks/mkinitfs/swflip.files")" \
		"$(for d in /sbin /usr/sbin /usr/local/sbin; do echo "$d/swflip $d/swflip-hotplug"; done)"
}

# feature_files() of mkinitfs 3.13: it takes comments and empty lines out, puts the kernel's folder before each line, and
# lets the shell find what is there.
t_mkinitfs_modules() {
	tree=$guest/modules/lib/modules/$(cat "$guest/version")
	make -s install-mkinitfs DESTDIR="$R/dest"
	for p in $(sed -e '/^$/d' -e '/^#/d' -e "s|^/*|$tree/|" "$R/dest/etc/mkinitfs/features.d/swflip.modules"); do
		[ ! -e "$p" ] || echo "$p" | sed 's,.*/,,; s/\.ko.*//'
	done >"$R/found"
	for m in $mods ohci-pci uhci-hcd; do
		grep -qxF "$m" "$R/found" || die "no $m in the image"
	done
	same "$(sed 's,.*/,,; s/\.ko\*//' "$R/dest/etc/mkinitfs/features.d/swflip.modules")" "$modules"
}

# openrc-run sources it; ebegin and eend are its words, and a status other than 0 would fail the service.
t_mkinitfs_service() {	# HOW
	mkdir -p "$R/run" "$R/sys/kernel"
	echo 77 >"$R/sys/kernel/uevent_seqnum"
	[ "$1" = missing ] || program /usr/local/sbin "$1"
	each_shell t_mkinitfs_service_ "$1"
}
t_mkinitfs_service_() {
	{
		mock 0 ebegin eend after before need keyword
		sed "s,/sys/,$R/sys/,; s,/run/,$R/run/,; s,:/[a-z/]*sbin,:$R&,g; s,:$R:,:$R,g" "$hooks/mkinitfs/swflip.initd"
		echo 'depend; start'
	} >"$R/service"
	$sh "$R/service" 2>/dev/null || die "$sh: status $?"
	logged 'before net'
	logged 'eend 0'
	is "$(cat "$R/run/swflip.seqnum")" 77
	[ "$1" = missing ] || lines '^swflip -o -k$' 1
}

# ---- mdev, for mkinitfs and BusyBox: the real one, in a root of its own, with what make installs

mdev() { as_root env -i PATH=/bin "$@" "$(command -v chroot || echo /usr/sbin/chroot)" "$R" /bin/busybox mdev; }

mdev_root() {	# FOLDER PROGRAM
	mkdir -p "$R/dev" "$R/etc" "$R/sys/class" "$R/sys/kernel" "$R/sys/devices/1-1" "$R/sbin" "$R/run"
	cp "$busybox" "$R/bin/busybox"
	for a in sh cat grep ln readlink rm sleep; do ln -s busybox "$R/bin/$a"; done
	cp "$hooks/$1/mdev.conf" "$R/etc/"
	make -s mdev-helper DESTDIR="$R" PREFIX=
	# A line of the user's own after it.
	echo '.* 0:0 600 @echo other $DEVNAME >>/log' >>"$R/etc/mdev.conf"
	echo 189:1 >"$R/sys/devices/1-1/dev"
	echo 100 >"$R/sys/kernel/uevent_seqnum"
	: >"$R/dev/null"
	printf '#!/bin/sh\n%s\n' "$2" >"$R/sbin/swflip"
	chmod +x "$R/sbin/swflip"
	node='DEVPATH=/devices/1-1 SUBSYSTEM=usb DEVNAME=bus/usb/001/002 MAJOR=189 MINOR=1'
}

waits_for() {	# LINES
	n=0
	while [ "$(grep -c '^swflip' "$R/log")" -lt "$1" ] && [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done
}

t_mdev() {	# FOLDER
	mdev_root "$1" 'echo swflip "$@" $PRODUCT >>/log'
	wanted='1199/fff/0 f3d/68a3/6 114f/68a2/6 846/fff/0 846/68a2/0 413c/81b1/6 3f0/4e1d/2'
	for p in $wanted 46d/c52b/1 11199/1/1 c3f0/1/1 413c/2113/1; do
		mdev ACTION=add DEVTYPE=usb_device PRODUCT=$p $node
	done
	mdev ACTION=remove DEVTYPE=usb_device PRODUCT=1199/68a2/6 $node
	mdev ACTION=add DEVTYPE=usb_interface PRODUCT=1199/68a2/6 DEVPATH=/devices/1-1 SUBSYSTEM=usb
	waits_for 7
	for p in $wanted; do logged "swflip -o -k $p"; done
	lines '^swflip' 7
	lines '^other' 12
}

# Events 101 to 103 come while the run that 101 has started is at work, which ends at 104; mdev hears of 103 late.
t_mdev_late() {	# FOLDER
	mdev_root "$1" 'echo swflip $SEQNUM >>/log; echo 104 >/sys/kernel/uevent_seqnum'
	for n in 101 103 104; do
		mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 SEQNUM=$n $node
		waits_for 1
		sleep 0.2
	done
	lines '^swflip' 1
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 SEQNUM=105 $node
	waits_for 2
	logged 'swflip 105'
}

# An event between the end of a run and the note about it, and one after somebody who was killed at work.
t_mdev_between() {
	mdev_root busybox 'echo swflip $SEQNUM >>/log; echo 104 >/sys/kernel/uevent_seqnum'
	rm "$R/bin/cat"
	printf '#!/bin/busybox sh\ncase $1 in /sys/*) /bin/busybox sleep 1 ;; esac\n/bin/busybox cat "$@"\n' >"$R/bin/cat"
	chmod +x "$R/bin/cat"
	ln -s 999999999 "$R/run/swflip.busy"
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 SEQNUM=101 $node
	waits_for 1
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 SEQNUM=103 $node
	n=0
	while [ -h "$R/run/swflip.busy" ] && [ $n -lt 60 ]; do sleep 0.1; n=$((n + 1)); done
	sleep 3
	lines '^swflip' 1
	[ ! -h "$R/run/swflip.busy" ] || die 'it is at work for ever'
}

# The number of one that was killed may be another's by now, and that one may live for ever.
t_mdev_stale() {
	mdev_root busybox 'echo swflip >>/log'
	rm "$R/bin/sleep"
	printf '#!/bin/busybox sh\n' >"$R/bin/sleep"	# no time passes
	chmod +x "$R/bin/sleep"
	ln -s 1 "$R/run/swflip.busy"
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 $node
	n=0
	until grep -q swflip "$R/log" 2>/dev/null || [ $n -ge 100 ]; do sleep 0.1; n=$((n + 1)); done
	lines '^swflip' 1
}

# In a running system mdev goes on at once; in mkinitfs's image it waits.
t_mdev_background() {
	mdev_root busybox 'sleep 1; echo swflip >>/log'
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 $node
	unlogged swflip
	cp "$hooks/mkinitfs/mdev.conf" "$R/etc/"
	waits_for 1
	mdev ACTION=add DEVTYPE=usb_device PRODUCT=1199/68a2/6 $node
	lines '^swflip' 2
}

# ---- BusyBox: its init script with recorders for what would change the machine (not by BusyBox's shell, which has its own)

t_init() {	# HOW CMDLINE WANTED...
	how=$1 cmdline=$2
	shift 2
	mkdir -p "$R/dev" "$R/sbin" "$R/proc" "$R/sys/devices/1-1" "$R/lib/modules"
	sed -E "/^#!/!s,(^|[^[:alnum:]_./}*\$-])(/(sbin|usr|dev|proc|sys|run|newroot|lib|etc)(/|\>)),\1$R\2,g" "$hooks/busybox/init" \
		>"$R/init"
	mkdir -p "$R/etc" "$R/run" "$R/sys/kernel"
	cp "$hooks/modules" "$R/etc/modules"
	echo 55 >"$R/sys/kernel/uevent_seqnum"
	for a in mkdir mount umount mknod mdev modprobe switch_root findfs blkid sleep sh; do
		printf '#!/bin/sh\necho %s "$@" >>%s\n' $a "$R/log" >"$R/sbin/$a"
		case $a in
		mount) echo 'case $* in *nonesuch*) exit 1 ;; esac' ;;
		findfs) echo 'case $1 in UUID=*) echo /dev/sda9 ;; *) exit 1 ;; esac' ;;
		blkid) echo 'case $1 in *sda9) echo "$1: LABEL=\"a TYPE=b\" UUID=\"12-34\" TYPE=\"xfs\"" ;; esac' ;;
		modprobe) echo 'exit 1' ;;
		esac >>"$R/sbin/$a"
	done
	[ "$how" = missing ] || printf '#!/bin/sh\necho swflip "$@" >>%s\n%s\n' "$R/log" "$how" >"$R/sbin/swflip"
	chmod +x "$R"/sbin/*
	echo "$cmdline" >"$R/proc/cmdline"
	echo usb:v1199 >"$R/sys/devices/1-1/modalias"
	: >"$R/dev/console"
	: >"$R/dev/null"
	dash "$R/init" arg1 arg2 || die "status $?"
	sed -i "s,$R,,g" "$R/log"
	same "$(sed -n 's/^modprobe -aq //p' "$R/log")" "$modules"
	is "$(cat "$R/run/swflip.seqnum")" 55
	logged 'modprobe -abq usb:v1199'
	[ "$how" = missing ] || lines '^swflip -k$' 1
	after=0
	for w; do
		l=$(tail -n +$((after + 1)) "$R/log" | sed 's/ *$//' | grep -nxF -- "$w" | head -n 1 | cut -d: -f1)
		[ -n "$l" ] || { cat "$R/log"; die "not done after line $after: $w"; }
		after=$((after + l))
	done
}

t_init_boots() {	# HOW
	s='swflip -k'
	[ "$1" != missing ] || s='modprobe -abq usb:v1199'
	t_init "$1" 'quiet swflip.target=mbim root=/dev/vda1 rootfstype=ext4 rw init=/bin/my -- root=/dev/vdz' \
		'mount -t proc proc /proc' 'mount -t sysfs sysfs /sys' "$s" \
		'modprobe -q ext4' 'mount -o rw -t ext4 /dev/vda1 /newroot' 'umount /sys /proc' 'switch_root /newroot /bin/my arg1 arg2'
}

t_init_uuid() {
	t_init 'exit 0' 'root=UUID=12-34' 'modprobe -q xfs' 'mount -o ro -t xfs /dev/sda9 /newroot' 'switch_root /newroot /sbin/init arg1 arg2'
}

t_init_shell() {
	t_init 'exit 0' 'root=/dev/nonesuch' 'mount -o ro /dev/nonesuch /newroot' 'sleep 1' 'sh'
	grep -q 'here is a shell' "$R/dev/console"
	unlogged '^switch_root'
}

t_inittab() { is "$(sed '/^#/d' "$hooks/busybox/inittab")" '::sysinit:/sbin/swflip -k'; }

# ---- OpenWrt: not in Debian, and too large to be brought here. The mocks follow the sources of 2025 and 2026:
# include/package-pack.mk, scripts/package-metadata.pl (which puts Package/NAME/config behind the package's own config entry,
# as kmod-crypto-lib-curve25519 uses it for `imply`), base-files' rc.common, lib/functions.sh and lib/functions/preinit.sh,
# procd's plug/hotplug.c (one event after another, all variables of the event in the environment). By hand: what
# package-metadata.pl makes of such an entry, read by the kernel's kconfig (Buildroot's copy): the drivers are selected with the
# package, =m with =m, and each can be deselected.

# The modules of each kernel package, from OpenWrt's package/kernel/linux/modules/usb.mk.
kmods='usb-acm=cdc-acm usb-wdm=cdc-wdm usb-serial-sierrawireless=sierra usb-serial-qualcomm=qcserial
	usb-serial-option=option usb-net-cdc-ether=cdc_ether usb-net-cdc-ncm=cdc_ncm usb-net-cdc-mbim=cdc_mbim
	usb-net-qmi-wwan=qmi_wwan usb-net-sierrawireless=sierra_net'

# source DIR: stands in for swflip's own source.
source_() {
	mkdir -p "$1"
	{
		printf 'CC = host\nCFLAGS = host\nCPPFLAGS = host\nLDFLAGS = host\nall:\n'
		printf '\techo "build $(CC) | $(CFLAGS) | $(CPPFLAGS) | $(LDFLAGS)" >>"%s/log"\n\techo binary >swflip\n' "$R"
	} >"$1/Makefile"
	: >"$1/swflip.8"
}

t_openwrt_package() {
	mkdir -p "$R/top" "$R/include" "$R/image"
	make -s install-openwrt DESTDIR="$R/wrt"
	mv "$R/wrt/package/utils/swflip" "$R/package"
	source_ "$R/package/src"
	: >"$R/top/rules.mk"
	sed 's/^		//' >"$R/include/package.mk" <<'END'
		PKG_BUILD_DIR = $(TOPDIR)/../built
		INSTALL_DIR = install -d -m0755
		INSTALL_BIN = install -m0755
		INSTALL_DATA = install -m0644
		INSTALL_CONF = install -m0600
		TARGET_CFLAGS = -Ot
		TARGET_CPPFLAGS = -It
		TARGET_LDFLAGS = -Lt
		MAKE_FLAGS = CC="tcc"
		define BuildPackage
		$(eval $(call Package/$(1)))
		$(info depends $(DEPENDS))
		$(info title $(SECTION)/$(CATEGORY)/$(TITLE))
		$(info version $(PKG_VERSION))
		$(info maintainer $(PKG_MAINTAINER))
		$(info conffile $(Package/$(1)/conffiles))
		$(info $(Package/$(1)/config))
		all:
			mkdir -p $(PKG_BUILD_DIR)
			cp -R ./src/. $(PKG_BUILD_DIR)
			$$(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_FLAGS)
		$(call Package/$(1)/install,$(TOPDIR)/../image)
		endef
END
	make -C "$R/package" TOPDIR="$R/top" INCLUDE_DIR="$R/include" >"$R/said" 2>&1 || { cat "$R/said"; die 'make failed'; }
	logged 'build tcc | -Ot | -It | -Lt'
	grep -qx 'depends +kmod-usb-core' "$R/said"
	same "$(sed -n 's/^ *imply PACKAGE_kmod-//p' "$R/said")" "$(echo "$kmods" | sed 's/=[a-z_-]*//g')"
	# Every driver on the list has its package; the packages bring what these depend on, and the hosts are the target's.
	same "$(for k in $kmods; do echo "${k#*=}"; done)" "$(echo "$mods" | sed 's/usbserial\|usb_wwan\|usbnet//g')"
	grep -q '^title utils/Utilities/..*' "$R/said"
	grep -qx "version $(sed -n 's/^VERSION = //p' Makefile)" "$R/said"
	grep -q '^maintainer ..*' "$R/said"
	grep -qx 'conffile /etc/config/swflip' "$R/said"
	is "$(cd "$R/image" && find . -type f -printf '%m %P\n' | sort | tr '\n' ' ')" \
		'600 etc/config/swflip 644 etc/hotplug.d/usb/20-swflip 644 lib/functions/swflip.sh 644 lib/preinit/81_swflip 755 etc/init.d/swflip 755 sbin/swflip '
}

# OpenWrt's system: $R/etc/config/swflip is read as uci's output is (config_load of functions.sh: options of a list are joined
# by blanks; a section that is not there has none), and swflip says "no modem" and ends with $R/status.
wrt() {	# STATUS [LINE OF THE CONFIGURATION]...
	export R
	mkdir -p "$R/sbin" "$R/tmp" "$R/lib/functions" "$R/etc/init.d" "$R/sys/kernel" "$R/dev"
	echo 200 >"$R/sys/kernel/uevent_seqnum"
	: >"$R/kmsg"
	printf '#!/bin/sh\necho swflip "$@" >>"%s/log"\necho "swflip: some words"\nexit %s\n' "$R" "$1" >"$R/sbin/swflip"
	chmod +x "$R/sbin/swflip"
	shift
	printf '%s\n' "$@" >"$R/config"
	cat >"$R/lib/functions.sh" <<'END'
config_load() { [ "$1" = swflip ] || exit 9; }
config_get() {
	v=$(sed -n "s/^\(option\|list\) $3 '\(.*\)'/\2/p" "$R/config" | paste -s -d ' ' -)
	eval "$1=\$v"
}
END
	wrt_file lib/functions/swflip.sh swflip.sh
	wrt_file init.d swflip.init
	wrt_file preinit swflip.preinit
	make -s install-openwrt DESTDIR="$R/wrt"
	wrt_file hotplug "$R/wrt/package/utils/swflip/files/swflip.hotplug"
}

wrt_file() {	# TO FROM: with all of the system's folders moved
	case $2 in /*) f=$2 ;; *) f=$hooks/openwrt/files/$2 ;; esac
	sed -E "/^#/!s,(^|[[:space:]\"'=>(])/(sbin|tmp|lib|sys|etc)/,\1$R/\2/,g; s,>/dev/kmsg,>>$R/kmsg," "$f" >"$R/$1"
}

t_openwrt_init() {
	each_shell t_openwrt_init_
}
t_openwrt_init_() {
	rm -rf "$R/tmp"
	wrt 3
	# As rc.common does it; at boot `boot`, which is `start` unless the script has its own.
	echo ". '$R/lib/functions.sh'; . '$R/init.d'; echo \"\$START\"; \$1; wait" >"$R/rc"
	is "$($sh "$R/rc" boot)" 19
	is "$(cat "$R/log")" 'swflip -k -o' "$sh: at boot"
	is "$(cat "$R/kmsg")" '' "$sh: nothing twice"
	is "$(cat "$R/tmp/swflip.seqnum")" 200
	: >"$R/log"
	$sh "$R/rc" boot >/dev/null
	is "$(cat "$R/log")" 'swflip -k -o' "$sh: again, as no modem was found"
	# One that was found has had its run.
	: >"$R/log"
	wrt 1
	$sh "$R/rc" start >/dev/null
	$sh "$R/rc" boot >/dev/null
	is "$(cat "$R/log")" 'swflip -k -o' "$sh: once"
}

t_openwrt_config() {
	each_shell t_openwrt_config_
}
t_openwrt_config_() {
	wrt 0 "list target '1-1:mbim'" "list target 'qmi!'" "option appear '3'" "option wait '40'" "option code 'B*'"
	echo ". '$R/lib/functions.sh'; . '$R/init.d'; start; wait" >"$R/rc"
	$sh "$R/rc"
	logged 'swflip -k -o -a 3 -w 40 -c B* -t 1-1:mbim -t qmi!'
	wrt 0 "option target 'mbim'"
	$sh "$R/rc"
	logged 'swflip -k -o -t mbim'
	# What is shipped changes nothing, and names every option that there is.
	! grep -v '^#\|^$' "$hooks/openwrt/swflip.config" | grep -v "^config swflip 'swflip'$" || die 'a default that is none'
	for o in $(sed -n 's/^	config_get [a-z]* swflip //p' "$hooks/openwrt/files/swflip.sh"); do
		grep -q "^#	\(option\|list\) $o '" "$hooks/openwrt/swflip.config" || die "no $o"
	done
}

t_openwrt_hotplug() {
	each_shell t_openwrt_hotplug_
}
t_openwrt_hotplug_() {
	wrt 0 "option target 'mbim'"
	printf '#!/bin/sh\n[ "$1" != enabled ] || exit $(cat "%s/disabled")\n' "$R" >"$R/etc/init.d/swflip"
	chmod +x "$R/etc/init.d/swflip"
	echo ". '$R/hotplug'; echo on >>'$R/log'; wait" >"$R/call"
	event() {	# DISABLED RUNS [VARIABLE=VALUE]...
		echo "$1" >"$R/disabled"
		runs=$2
		shift 2
		: >"$R/log"
		env "$@" $sh -e "$R/call" || die "$sh: status $? for $*"
		lines '^on$' 1
		lines '^swflip -o -t mbim$' "$runs"
		rm -f "$R/tmp/swflip.seqnum"
	}
	for p in 1199/fff/0 f3d/68a3/6 114f/68a2/6 846/fff/0 413c/81b1/6 3f0/4e1d/2; do
		event 0 1 ACTION=add DEVTYPE=usb_device PRODUCT=$p
	done
	event 1 0 ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0
	event 0 0 ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0 SYNTH_UUID=0
	event 0 0 ACTION=remove DEVTYPE=usb_device PRODUCT=1199/fff/0
	event 0 0 ACTION=add DEVTYPE=usb_interface PRODUCT=1199/fff/0
	event 0 0 ACTION=add DEVTYPE=usb_device PRODUCT=11990/fff/0
	event 0 0 ACTION=add DEVTYPE=usb_device PRODUCT=46d/c52b/1
	event 0 0 ACTION=add
	# Of before the last run's end, and after it.
	echo 200 >"$R/tmp/swflip.seqnum"
	event 0 0 ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0 SEQNUM=200
	echo 200 >"$R/tmp/swflip.seqnum"
	event 0 1 ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0 SEQNUM=201
	# Of a run that has ended, and is about to note it.
	(sleep 0.3 && echo 200 >"$R/tmp/swflip.seqnum") &
	event 0 0 ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0 SEQNUM=200
}

t_openwrt_preinit() {	# HOW
	each_shell t_openwrt_preinit_ "$1"
}
t_openwrt_preinit_() {
	case $1 in
	missing | slow) wrt 0 ;;
	*) wrt "$1" ;;
	esac
	[ "$1" != missing ] || rm "$R/sbin/swflip"
	[ "$1" != slow ] || program /sbin slow
	{
		mock 0 boot_hook_add
		# As preinit does it, which has functions.sh already.
		echo ". '$R/lib/functions.sh'; . '$R/preinit'"
		echo "swflip_preinit; echo on >>'$R/log'; wait"
	} >"$R/pi"
	$sh -e "$R/pi" 2>"$R/said" || die "$sh: status $?"
	logged 'boot_hook_add preinit_main swflip_preinit'
	logged 'boot_hook_add initramfs swflip_preinit'
	logged on
	is "$(cat "$R/said")" '' "$sh: complaint"
	case $1 in
	missing) ;;
	slow) is "$(grep -E '^on|ends' "$R/log" | tr '\n' ' ')" 'on swflip ends ' "$sh: order" ;;
	3) is "$(cat "$R/kmsg")" '' "$sh: it says that there is no modem" ;;
	*) is "$(cat "$R/kmsg")" '<30>swflip: some words' ;;
	esac
	[ "$1" = missing ] || lines '^swflip -o$' 1
}

# ---- Buildroot: not in Debian. By hand, in a tree of August 2026: utils/check-package over what make installs (no warning);
# `make defconfig` and swflip-show-info, with the line in package/Config.in as well as with BR2_EXTERNAL at that folder.

t_buildroot_package() {
	mkdir -p "$R/image"
	make -s install-buildroot DESTDIR="$R"
	source_ "$R/package/swflip/src"
	sed 's/^		//' >"$R/Makefile" <<'END'
		SWFLIP_PKGDIR = package/swflip/
		TARGET_DIR = image
		TARGET_MAKE_ENV = FROM=env
		TARGET_CONFIGURE_OPTS = CC="tcc" CFLAGS="-Ot" CPPFLAGS="-It" LDFLAGS="-Lt"
		INSTALL = install
		generic-package = $(info $(SWFLIP_SITE_METHOD) $(SWFLIP_LICENSE) $(SWFLIP_LICENSE_FILES) $(SWFLIP_VERSION))built
		built = all
		KCONFIG_ENABLE_OPT = echo $(1) >>options
		include $(sort $(wildcard package/*/*.mk))
		all: $(SWFLIP_SITE)
		all: @D = built
		all:
			cp -R $(SWFLIP_SITE)/. built
			$(SWFLIP_BUILD_CMDS)
			$(SWFLIP_INSTALL_TARGET_CMDS)
			$(SWFLIP_INSTALL_INIT_SYSV)
			$(SWFLIP_INSTALL_INIT_SYSTEMD)
			$(SWFLIP_LINUX_CONFIG_FIXUPS)
END
	# What the real one evaluates to rules, here is nothing.
	sed -i 's/^generic-package = \(.*\)built$/generic-package = \1/' "$R/Makefile"
	sed -i 's/\$(@D)/built/g' "$R/package/swflip/swflip.mk"
	mkdir "$R/built"
	make -C "$R" >"$R/said" 2>&1 || { cat "$R/said"; die 'make failed'; }
	logged 'build tcc | -Ot | -It | -Lt'
	v=$(sed -n 's/^VERSION = //p' Makefile)
	grep -qx "local ISC LICENSE $v" "$R/said" || { cat "$R/said"; die 'not the local source'; }
	is "$(cd "$R/image" && find . -type f -printf '%m %P\n' | sort | tr '\n' ' ')" \
		'644 usr/lib/systemd/system/swflip.service 755 etc/init.d/S38swflip 755 sbin/swflip '
	# Options that a real kernel has.
	for o in $(cat "$R/options"); do grep -q "^$o=" "$guest/config" || die "$o is no option of Debian's kernel"; done
	[ "$(wc -l <"$R/options")" -ge 15 ]
}

# As support/scripts/br2-external wants it: external.desc with a name, Config.in and external.mk, which reads the package.
t_buildroot_external() {
	make -s install-buildroot DESTDIR="$R"
	grep -qx 'name: SWFLIP' "$R/package/swflip/external.desc"
	[ -f "$R/package/swflip/Config.in" ]
	{
		echo 'BR2_EXTERNAL_SWFLIP_PATH = package/swflip'
		echo 'include package/swflip/external.mk'
		echo 'all:; @echo $(SWFLIP_SITE_METHOD)'
	} >"$R/Makefile"
	is "$(make -s -C "$R" --no-print-directory)" local
}

# Name, type, dependency, indented help; what check-package of Buildroot would say about tabs and width.
t_buildroot_config() {
	c=$hooks/buildroot/Config.in
	is "$(head -n 1 "$c")" 'config BR2_PACKAGE_SWFLIP'
	is "$(sed -n 2p "$c")" "$(printf '\tbool "swflip"')"
	grep -qx "$(printf '\thelp')" "$c"
	! sed '1,/\thelp/d' "$c" | grep -vE "^$(printf '\t')  [^ ]|^$" || die 'help is tab and two blanks'
	! expand "$c" | grep -E '.{73}' || die 'wider than 72'
}

t_buildroot_hash() {
	[ -e LICENSE ] || die 'no LICENSE'
	is "$(sed '/^#/d' "$hooks/buildroot/swflip.hash")" "sha256  $(sha256sum LICENSE | cut -d' ' -f1)  LICENSE" 'swflip.hash'
}

t_buildroot_service() {	# HOW
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_buildroot_service_ "$1"
}
t_buildroot_service_() {
	s=$R/S38swflip
	cp "$hooks/buildroot/S38swflip" "$s"
	is "$(sed -n 's/^DAEMON="\(.*\)"$/\1/p' "$s")" swflip 'what check-package wants'
	[ ! -x "$s" ] || die 'executable, which check-package does not want'
	sed -i 's,"/sbin/\$DAEMON",'"$R"'/sbin/$DAEMON,' "$s"
	for word in stop restart ''; do
		$sh "$s" $word || die "$sh: $word: status $?"
	done
	unlogged swflip
	$sh -e "$s" start || die "$sh: status $?"
	[ "$1" = missing ] || logged 'swflip -k'
}

# ---- Yocto: no bitbake in Debian. By hand, oe-core and bitbake of August 2026: the recipe is parsed without a word, and with
# the host's compiler `bitbake -b ... -c install` puts the unit, the script, both or neither there by DISTRO_FEATURES.

recipe=$hooks/yocto/swflip.bb

# The recipe's functions, with bitbake's variables as the shell's.
t_yocto_recipe() {
	[ -e "$recipe" ] || die 'no recipe, or two'
	for v in SUMMARY LICENSE LIC_FILES_CHKSUM SRC_URI S EXTRA_OEMAKE PACKAGES FILES:initramfs-module-swflip \
		RDEPENDS:initramfs-module-swflip 'RRECOMMENDS:\${PN}' SECTION MAINTAINER 'SYSTEMD_SERVICE:\${PN}' INITSCRIPT_NAME \
		INITSCRIPT_PARAMS; do
		grep -qE "^$v =\+? \"" "$recipe" || grep -qE "^$v =\+? " "$recipe" || die "no $v"
	done
	! grep -E '_\$\{PN\}|_append|_prepend|_remove' "$recipe" || die 'overrides as before release 3.4'
	grep -qx 'inherit systemd update-rc.d' "$recipe"
	mkdir -p "$R/unpacked"
	make -s install-yocto DESTDIR="$R/layer"
	for r in "$R/layer/recipes-connectivity/swflip"/*.bb; do :; done
	same "$(grep -o 'kernel-module-[a-z0-9-]*' "$r" | sed 's/kernel-module-//')" "$modules"
	cp -R "$R/layer/recipes-connectivity/swflip/files/." "$R/unpacked"
	for f in $(sed -n 's/^SRC_URI = "\(.*\)"/\1/p' "$r"); do [ -e "$R/unpacked/${f#file://}" ] || die "no $f"; done
	source_ "$R/unpacked/src"
	echo theirs >"$R/unpacked/src/config.h"
	yocto_install 'systemd sysvinit'
	logged 'build tcc --sysroot=x | -Ot | -It | -Lt'
	is "$(cat "$R/unpacked/src/config.h")" theirs
	all='644 usr/share/man/man8/swflip.8 755 init.d/20-swflip 755 sbin/swflip'
	unit='644 usr/lib/systemd/system/swflip.service' script='755 etc/init.d/swflip'
	yocto_tree "$unit $all $script"
	yocto_install systemd
	yocto_tree "$unit $all"
	yocto_install sysvinit
	yocto_tree "$all $script"
	yocto_install ''
	yocto_tree "$all"
	echo mine >"$R/unpacked/config.h"
	yocto_install ''
	is "$(cat "$R/unpacked/src/config.h")" mine
}

yocto_tree() { same "$(cd "$R/image" && find . -type f -printf '%m_%P\n')" "$(echo "$1" | sed 's/\([0-9]\) /\1_/g; s/\.8_/.8 /g')"; }

# bitbake expands what is Python in the shell's functions before they are run.
yocto_install() {	# DISTRO_FEATURES
	rm -rf "$R/image"
	mkdir "$R/image"
	{
		sed -n '/^EXTRA_OEMAKE/p' "$recipe" | sed "s/^EXTRA_OEMAKE = /extra=/"
		sed -n '/^do_[a-z]*() {/,/^}/p' "$recipe" | sed 's/^do_\([a-z]*\)() {/do_\1() { set -e/'
		echo 'oe_runmake() { (cd "$S" && eval "make $extra"); }'
		echo 'do_configure && do_compile && do_install'
	} | sed "s/\${@bb.utils.contains('DISTRO_FEATURES', '\([a-z]*\)', 'true', 'false', d)}/has \1/" >"$R/bb"
	printf 'has() { case " %s " in *" $1 "*) ;; *) false ;; esac; }\n' "$1" | cat - "$R/bb" >"$R/bb.sh"
	S=$R/unpacked/src D=$R/image SWFLIP_UNPACKED=$R/unpacked base_sbindir=/sbin mandir=/usr/share/man sysconfdir=/etc \
		systemd_system_unitdir=/usr/lib/systemd/system \
		CC='tcc --sysroot=x' CFLAGS=-Ot CPPFLAGS=-It LDFLAGS=-Lt dash -e "$R/bb.sh" || die "status $?"
}

t_yocto_license() {
	[ -e LICENSE ] || die 'no LICENSE'
	is "$(sed -n 's/^LIC_FILES_CHKSUM = "file:\/\/LICENSE;md5=\(.*\)"$/\1/p' "$recipe")" "$(md5sum LICENSE | cut -d' ' -f1)" md5
}

# As initramfs-framework's init does it.
t_yocto_module() {	# HOW
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_yocto_module_ "$1"
}
t_yocto_module_() {
	cat >"$R/framework" <<-'END'
		module=${1##*/}
		module=${module#*-}
		module=${module%%-*}
		. "$1"
		if eval "${module}_enabled"; then eval "${module}_run"; fi
		echo on >>"$2"
	END
	$sh -e "$R/framework" "$(at "$hooks/yocto/files/20-swflip")" "$R/log" 2>"$R/said" || die "$sh: status $?"
	logged on
	case $1 in
	missing) is "$(cat "$R/said")" '' "$sh: complaint" ;;
	*) logged 'swflip -k' ;;
	esac
}

# ---- the Makefile

# make install-SYSTEM puts exactly these files there.
t_install() {	# SYSTEM WANTED
	wanted=$2
	case $1 in openwrt | buildroot | yocto)
		for f in LICENSE Makefile README config.h swflip.8 swflip.c; do
			wanted="$wanted
				644 $3/$f"
		done ;;
	esac
	make -s install-"$1" DESTDIR="$R/dest" PREFIX="${PREFIX-/usr/local}"
	is "$(cd "$R/dest" && find . -type f -printf '%m %P\n' | sort -k 2 | tr '\n' ',')" \
		"$(echo "$wanted" | sed 's/^[ \t]*//; /^$/d' | sort -k 2 | tr '\n' ',')" 'the tree'
}

# The number of dracut's folder: none where the generator's own have none.
t_install_dracut() {
	for base in 99base:50swflip 80base:50swflip base:swflip; do
		mkdir -p "$R/$base/usr/lib/dracut/modules.d/${base%:*}" "$R/$base/usr/lib/dracut/modules.d/91crypt-gpg"
		make -s install-dracut DESTDIR="$R/$base"
		[ -f "$R/$base/usr/lib/dracut/modules.d/${base#*:}/module-setup.sh" ] || die "$base"
	done
}

# Whatever is installed is filled in.
t_install_filled() {
	for t in initramfs-tools dracut mkinitcpio mkinitfs busybox openwrt buildroot yocto; do
		make -s install-$t DESTDIR="$R/dest"
	done
	! find "$R/dest" -type f ! -path '*/src/*' -exec grep -l '@[A-Z][A-Z]*@' {} + | grep . || die 'left open'
}

# ---- go

it lint t_lint
it complete t_complete
it modes t_modes
it sourced_never_exit t_sourced_never_exit
it command t_command
it one_list t_one_list
it vendors t_vendors
it modules t_modules

it initramfs-tools.hook_prereqs it_prereqs hooks/swflip ''
it initramfs-tools.script_prereqs it_prereqs scripts/init-top/swflip udev
it initramfs-tools.hook t_it_hook
it initramfs-tools.hook_helpers_fail t_it_hook_helpers_fail
it initramfs-tools.hook_missing t_it_hook_missing
it initramfs-tools.hook_order t_it_hook_order
it initramfs-tools.hook_list t_it_hook_list
for how in 0 1 2 3 killed missing; do it initramfs-tools.script_$how t_it_script $how; done
it initramfs-tools.real t_it_real
it initramfs-tools.real_order t_it_real_order

it dracut.check t_dracut_check
it dracut.depends t_dracut_depends
it dracut.modules t_dracut_modules
it dracut.install t_dracut_install
it dracut.install_systemd t_dracut_install_systemd
it dracut.install_order t_dracut_install_order
for how in 0 1 2 3; do it dracut.hooks_$how t_dracut_hooks $how $how; done
it dracut.hooks_killed t_dracut_hooks killed 137
it dracut.hooks_missing t_dracut_hooks missing missing
it dracut.background t_dracut_background
it dracut.timeout t_dracut_timeout
it dracut.unit t_unit
it dracut.unit_before_passphrase t_unit_before_passphrase
it dracut.real t_dracut_real bash
it dracut.real_systemd t_dracut_real systemd

it mkinitcpio.build t_mkinitcpio_build
it mkinitcpio.build_systemd t_mkinitcpio_build_systemd
it mkinitcpio.missing t_mkinitcpio_missing
it mkinitcpio.help t_mkinitcpio_help
for how in 0 1 2 3 killed missing; do it mkinitcpio.run_$how t_mkinitcpio_run $how; done

it mkinitfs.files t_mkinitfs_files
it mkinitfs.modules t_mkinitfs_modules
for how in 0 1 3 killed missing; do it mkinitfs.service_$how t_mkinitfs_service $how; done
it mkinitfs.mdev t_mdev mkinitfs
it mkinitfs.mdev_late t_mdev_late mkinitfs

it busybox.mdev t_mdev busybox
it busybox.mdev_late t_mdev_late busybox
it busybox.mdev_between t_mdev_between
it busybox.mdev_stale t_mdev_stale
it busybox.mdev_background t_mdev_background
for how in 0 1 3; do it busybox.init_$how t_init_boots "exit $how"; done
# shellcheck disable=SC2016
it busybox.init_killed t_init_boots 'kill -9 $$'
it busybox.init_missing t_init_boots missing
it busybox.init_uuid t_init_uuid
it busybox.init_shell t_init_shell
it busybox.inittab t_inittab

it openwrt.package t_openwrt_package
it openwrt.init t_openwrt_init
it openwrt.config t_openwrt_config
it openwrt.hotplug t_openwrt_hotplug
for how in 0 1 3 missing slow; do it openwrt.preinit_$how t_openwrt_preinit $how; done

it buildroot.package t_buildroot_package
it buildroot.external t_buildroot_external
it buildroot.config t_buildroot_config
it buildroot.hash t_buildroot_hash
for how in 0 1 killed missing; do it buildroot.service_$how t_buildroot_service $how; done

it yocto.recipe t_yocto_recipe
it yocto.license t_yocto_license
for how in 0 1 killed missing; do it yocto.module_$how t_yocto_module $how; done

it install.dracut_number t_install_dracut
it install.filled t_install_filled
it install.initramfs-tools t_install initramfs-tools '
	755 etc/initramfs-tools/hooks/swflip
	755 etc/initramfs-tools/scripts/init-top/swflip
	644 etc/initramfs-tools/swflip.modules'
PREFIX=/usr it install.initramfs-tools_packaged t_install initramfs-tools '
	755 usr/share/initramfs-tools/hooks/swflip
	755 usr/share/initramfs-tools/scripts/init-top/swflip
	644 usr/share/initramfs-tools/swflip.modules'
it install.dracut t_install dracut '
	755 usr/lib/dracut/modules.d/50swflip/module-setup.sh
	755 usr/lib/dracut/modules.d/50swflip/swflip-start.sh
	755 usr/lib/dracut/modules.d/50swflip/swflip-finished.sh
	755 usr/lib/dracut/modules.d/50swflip/swflip-timeout.sh
	644 usr/lib/dracut/modules.d/50swflip/modules
	644 usr/lib/systemd/system/swflip.service'
it install.mkinitcpio t_install mkinitcpio '
	644 etc/initcpio/install/swflip
	644 etc/initcpio/hooks/swflip
	644 etc/initcpio/swflip.modules
	644 usr/lib/systemd/system/swflip.service'
PREFIX=/usr it install.mkinitcpio_packaged t_install mkinitcpio '
	644 usr/lib/initcpio/install/swflip
	644 usr/lib/initcpio/hooks/swflip
	644 usr/lib/initcpio/swflip.modules
	644 usr/lib/systemd/system/swflip.service'
it install.mkinitfs t_install mkinitfs '
	644 etc/mkinitfs/features.d/swflip.files
	644 etc/mkinitfs/features.d/swflip.modules
	755 etc/init.d/swflip
	755 usr/local/sbin/swflip-hotplug'
it install.busybox t_install busybox '
	755 init
	755 sbin/swflip
	755 sbin/swflip-hotplug
	644 etc/modules
	644 etc/mdev.conf'
it install.openwrt t_install openwrt '
	644 package/utils/swflip/Makefile
	644 package/utils/swflip/files/swflip.config
	644 package/utils/swflip/files/swflip.init
	644 package/utils/swflip/files/swflip.hotplug
	644 package/utils/swflip/files/swflip.preinit
	644 package/utils/swflip/files/swflip.sh' package/utils/swflip/src
it install.buildroot t_install buildroot '
	644 package/swflip/Config.in
	644 package/swflip/S38swflip
	644 package/swflip/external.desc
	644 package/swflip/external.mk
	644 package/swflip/swflip.hash
	644 package/swflip/swflip.mk
	644 package/swflip/swflip.service' package/swflip/src
it install.yocto t_install yocto "
	644 recipes-connectivity/swflip/swflip_$(sed -n 's/^VERSION = //p' Makefile).bb
	644 recipes-connectivity/swflip/files/20-swflip
	644 recipes-connectivity/swflip/files/swflip.init
	644 recipes-connectivity/swflip/files/swflip.service" recipes-connectivity/swflip/files/src

finish

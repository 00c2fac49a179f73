#!/bin/sh
# The glue in hooks/, on the host: every script is run with the generator's helper functions, or the program's, replaced by
# ones that write down how they were called. Where Debian has the generator, its own functions and files are used as well.
# That images made by the real ones boot is test/images' business.
# Code in quotes, options unquoted, and functions that only it() calls, in a subshell:
# shellcheck disable=SC2016,SC2030,SC2031,SC2086,SC2181,SC2317

set -u
umask 022
cd "$(dirname "$0")/.." || exit 1
hooks=$PWD/hooks
build=$PWD/test/build
guest=$build/x86_64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

hosts='xhci-hcd xhci-pci xhci-plat-hcd ehci-hcd ehci-pci ehci-platform ohci-hcd ohci-pci ohci-platform uhci-hcd
	dwc2 dwc3 ci_hdrc musb_hdrc'
ports='usbserial usb_wwan sierra qcserial option cdc-acm'
nets='cdc-wdm usbnet cdc_ether cdc_ncm cdc_mbim qmi_wwan sierra_net'
# What Debian's kernel for a PC has of these, in test/build.
mods='sierra qcserial option cdc-acm usbserial usb_wwan cdc-wdm usbnet cdc_ether cdc_ncm cdc_mbim qmi_wwan sierra_net'

# ---- the words tests are written in

die() {
	echo "$*"
	exit 1
}

# it NAME COMMAND...: one test, in a subshell with an empty folder $R and an empty record $R/log; it fails if the command does,
# with the last line that it said.
it() {
	name=$1
	shift
	rm -rf "$work/r"
	R=$work/r
	mkdir -p "$R/bin"
	: >"$R/log"
	# Not in the condition, where the shell would ignore -e.
	(set -e; "$@") >"$work/said" 2>&1
	if [ $? -eq 0 ]; then
		echo "ok hooks.$name"
	else
		echo "not ok hooks.$name: $(tail -n 1 "$work/said")"
		sed 's/^/#   /' "$work/said"
		failed=1
	fi
}

is() { [ "$1" = "$2" ] || die "${3:-result} is '$1', not '$2'"; }
logged() { grep -qxF -- "$1" "$R/log" || { cat "$R/log"; die "not done: $1"; }; }
unlogged() { ! grep -q -- "$1" "$R/log" || { cat "$R/log"; die "done: $1"; }; }
lines() { is "$(grep -c -- "$1" "$R/log")" "$2" "number of '$1'"; }
words() { tr -s '[:space:]' '\n' | sed '/^$/d; s/-/_/g' | sort; }
same() { [ "$(echo "$1" | words)" = "$(echo "$2" | words)" ] || die "'$(echo "$1" | words | tr '\n' ' ')', not '$2'"; }

# at FILE: a copy in which all absolute paths but /dev's point into $R; prints its name.
at() {
	n=$R/at/${1#"$hooks"/}
	mkdir -p "${n%/*}"
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
	openwrt/files/swflip.init openwrt/files/swflip.hotplug openwrt/files/swflip.preinit buildroot/S38swflip
	yocto/files/20-swflip'
sourced='dracut/swflip-start.sh dracut/swflip-finished.sh dracut/swflip-timeout.sh mkinitcpio/hooks/swflip
	openwrt/files/swflip.hotplug openwrt/files/swflip.preinit yocto/files/20-swflip'
executed='initramfs-tools/hooks/swflip initramfs-tools/scripts/init-top/swflip busybox/init buildroot/S38swflip'

t_lint() {
	for s in $scripts; do
		shellcheck "$hooks/$s" || die "shellcheck $s"
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

# Messages by -k, and no options: all there is to set comes from the kernel's command line and config.h.
t_command() {
	found=$(cd "$hooks" && find . -type f -exec cat {} + | sed 's/#.*//; s/echo ".*"//; s/^	add_binary.*//' |
		grep -oE 'swflip( +-[A-Za-z]+| +[0-9]+)+' | sort -u)
	is "$found" 'swflip -k' 'the command'
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
run_hook() { $sh "$(at "$hooks/initramfs-tools/hooks/swflip")" || die "$sh: status $?"; }

t_it_hook() {
	functions 0
	program /usr/local/sbin 0
	each_shell t_it_hook_
}
t_it_hook_() {
	run_hook
	logged "copy_exec $R/usr/local/sbin/swflip $R/sbin/swflip"
	same "$(sed -n 's/^manual_add_modules//p' "$R/log")" "$hosts $ports $nets"
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
	same "$(sed -n 's/^manual_add_modules//p' "$R/log")" "$hosts $ports $nets"
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
	cp "$D/usr/share/initramfs-tools/hook-functions" "$R/usr/share/initramfs-tools/"
	program /usr/local/sbin 0
	sed "s,$R/sbin/swflip,/sbin/swflip," "$(at "$hooks/initramfs-tools/hooks/swflip")" >"$R/hook"
	DESTDIR=$R/image version=$(cat "$guest/version") verbose=n MODPROBE_OPTIONS="-d $guest/modules" \
		CONFDIR=$R MODULESDIR=none dash "$R/hook" || die "status $?"
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

dracut() {	# SYSTEMD FUNCTION: runs one function of the module
	{
		mock 0 inst inst_simple inst_hook inst_multiple dwarn systemctl
		echo "instmods() { echo \"instmods [\$hostonly] \$*\" >>'$R/log'; }"
		echo "dracut_module_included() { [[ \$1 = systemd ]] && $1; }"
		echo "hostonly=-h moddir='$hooks/dracut' initdir=/image systemdsystemunitdir=/units SYSTEMCTL=systemctl"
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
	same "$(sed -n 's/^instmods \[\]//p' "$R/log")" "$hosts $ports $nets"
	unlogged 'instmods \[-h\]'
}

t_dracut_install() {
	program /usr/sbin 0
	dracut false install
	logged "inst $R/usr/sbin/swflip $R/sbin/swflip"
	logged "inst_hook pre-trigger 90 $hooks/dracut/swflip-start.sh"
	logged "inst_hook initqueue/finished 90 $hooks/dracut/swflip-finished.sh"
	logged "inst_hook initqueue/timeout 90 $hooks/dracut/swflip-timeout.sh"
	unlogged 'service'
	sed -n 's/^inst_hook [^ ]* [^ ]* //p' "$R/log" | xargs ls >/dev/null
}

t_dracut_install_systemd() {
	program /usr/sbin 0
	dracut true install
	logged "inst $R/usr/sbin/swflip $R/sbin/swflip"
	logged "inst_simple $hooks/dracut/swflip.service /units/swflip.service"
	logged 'systemctl -q --root /image add-wants initrd.target swflip.service'
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

# Sourced by init, which has to be back at once, and to find the status later.
t_dracut_hooks() {	# HOW RESULT
	mkdir -p "$R/run"
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_dracut_hooks_ "$@"
}
t_dracut_hooks_() {
	rm -f "$R/run/swflip"
	finished=$(at "$hooks/dracut/swflip-finished.sh")
	! $sh -c '. "$0"' "$finished" || die "$sh: finished before it began"
	$sh -e -c '. "$0"; echo back >>"$1"; wait' "$(at "$hooks/dracut/swflip-start.sh")" "$R/log" 2>/dev/null || die "$sh: status $?"
	logged back
	[ "$1" = missing ] || logged 'swflip -k'
	$sh -c '. "$0"' "$finished" || die "$sh: not finished"
	is "$(cat "$R/run/swflip")" "$2" "$sh: result"
}

t_dracut_background() {
	mkdir -p "$R/run"
	program /sbin slow
	each_shell t_dracut_background_
}
t_dracut_background_() {
	rm -f "$R/run/swflip"
	$sh -c '. "$0"; echo back >>"$1"; [ ! -e "$2" ] || echo early >>"$1"; wait' "$(at "$hooks/dracut/swflip-start.sh")" \
		"$R/log" "$R/run/swflip"
	is "$(grep -v -- -k "$R/log" | tr '\n' ' ')" 'back swflip ends ' "$sh: order"
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

unit() { sed -n "s/^$1=//p" "$hooks/dracut/swflip.service" | tr '\n' ' '; }

t_unit() {
	is "$(unit Type)" 'oneshot '
	is "$(unit DefaultDependencies)" 'no '
	is "$(unit ExecStart)" '-/sbin/swflip -k '
	case $(unit After) in *systemd-udevd.service*) ;; *) die 'not after udev' ;; esac
	for u in cryptsetup-pre.target dracut-pre-mount.service dracut-mount.service sysroot.mount; do
		case $(unit Before) in *"$u"*) ;; *) die "not before $u" ;; esac
	done
	case $(unit Wants) in *cryptsetup-pre.target*) ;; *) die 'nobody pulls cryptsetup-pre.target in' ;; esac
	! grep -qE '^(Requires|Requisite|BindsTo|OnFailure|RequiredBy)' "$hooks/dracut/swflip.service" || die 'something is required'
	sed 's,-/sbin/swflip,-/bin/true,' "$hooks/dracut/swflip.service" >"$R/swflip.service"
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
		echo "export kmsgloglvl=0 sysloglvl=0 systemdsystemunitdir=/usr/lib/systemd/system SYSTEMCTL=systemctl"
		echo ". '$D/usr/lib/dracut/dracut-init.sh'"
		# Which it has just set to the folder of the same version in /lib/modules.
		echo "srcmods='$guest/modules/lib/modules/$(cat "$guest/version")'"
		echo "moddir='$hooks/dracut' mods_to_load='$1' modules_loaded=' '"
		# The program is looked for in $R, and keeps its place in the image.
		sed "s,$R/sbin/swflip,/sbin/swflip,; s,$R/sbin;,$R/sbin;," "$(at "$hooks/dracut/module-setup.sh")"
		echo 'check && installkernel && install'
	} >"$R/module"
	: >"$R/none"
	mkdir -p "$R/image/usr/lib/systemd/system"
	echo '[Unit]' >"$R/image/usr/lib/systemd/system/initrd.target"	# which 00systemd has put there
	bash "$R/module" || die "status $?"
	cmp "$R/usr/local/sbin/swflip" "$R/image/sbin/swflip"
	for m in $mods; do
		find "$R/image" -name "$m.ko*" | grep -q . || die "no $m in the image"
	done
	h=$R/image/lib/dracut/hooks u=$R/image/usr/lib/systemd/system e=$R/image/etc/systemd/system
	case $1 in
	systemd)
		cmp "$hooks/dracut/swflip.service" "$u/swflip.service"
		[ -L "$e/initrd.target.wants/swflip.service" ] || [ -L "$u/initrd.target.wants/swflip.service" ] || die 'not wanted'
		[ ! -e "$h" ] || die 'hooks as well'
		;;
	*)
		[ -x "$h/pre-trigger/90-swflip-start.sh" ]
		[ -x "$h/initqueue/finished/90-swflip-finished.sh" ]
		[ -x "$h/initqueue/timeout/90-swflip-timeout.sh" ]
		[ ! -e "$u/swflip.service" ] || die 'a unit as well'
		;;
	esac
}

# ---- mkinitcpio: not in Debian

mkinitcpio() {	# HOOKS
	{
		mock 0 add_binary add_file add_symlink add_module add_runscript error
		echo 'in_array() { local i n=$1; shift; for i; do [[ $i == "$n" ]] && return 0; done; return 1; }'
		echo "_hooks=($1)"
		echo ". '$(at "$hooks/mkinitcpio/install/swflip")'"
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
	same "$(sed -n 's/^add_module \(.*\)?$/\1/p' "$R/log")" "$hosts $ports $nets"
}

t_mkinitcpio_build_systemd() {
	program /usr/bin 0
	mkinitcpio 'systemd autodetect block swflip sd-encrypt filesystems'
	logged "add_binary $R/usr/bin/swflip $R/sbin/swflip 755"
	unlogged add_runscript
	logged "add_file $R/at/mkinitcpio/install/../swflip.service $R/usr/lib/systemd/system/swflip.service 644"
	logged "add_symlink $R/usr/lib/systemd/system/initrd.target.wants/swflip.service ../swflip.service"
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

# ---- mkinitfs: not in Debian

t_mkinitfs_files() {
	same "$(sed '/^#/d' "$hooks/mkinitfs/swflip.files")" '/sbin/swflip /usr/sbin/swflip /usr/local/sbin/swflip'
}

# The paths are those of a real kernel: each names what it means there.
t_mkinitfs_modules() {
	tree=$guest/modules/lib/modules/$(cat "$guest/version")
	named=''
	for p in $(sed '/^#/d' "$hooks/mkinitfs/swflip.modules" | tr '*' '%'); do
		p=$(echo "$p" | tr '%' '*')
		case $p in
		*.ko\*)
			set -- "$tree"/$p
			[ -e "$1" ] || die "$p is not in Debian's kernel"
			p=${p##*/}
			named="$named ${p%.ko*}"
			;;
		kernel/drivers/usb/*) ;;
		*) die "$p: not a module and not a folder" ;;
		esac
	done
	same "$named" "$ports $nets"
	[ -d "$tree/kernel/drivers/usb/host" ] || die 'no folder of hosts'
}

# ---- mdev, for mkinitfs and BusyBox: the real one, in a root of its own

mdev() { as_root env -i PATH=/bin "$@" "$(command -v chroot || echo /usr/sbin/chroot)" "$R" /bin/busybox mdev; }

t_mdev() {	# FOLDER
	mkdir -p "$R/dev" "$R/etc" "$R/sys/class" "$R/sys/devices/1-1" "$R/sbin"
	cp "$busybox" "$R/bin/busybox"
	ln -s busybox "$R/bin/sh"
	cp "$hooks/$1/mdev.conf" "$R/etc/"
	# A line of the user's own after it.
	echo '.* 0:0 600 @echo other $DEVNAME >>/log' >>"$R/etc/mdev.conf"
	echo 189:1 >"$R/sys/devices/1-1/dev"
	: >"$R/dev/null"
	printf '#!/bin/sh\necho swflip "$@" $PRODUCT >>/log\n' >"$R/sbin/swflip"
	chmod +x "$R/sbin/swflip"
	node='DEVPATH=/devices/1-1 SUBSYSTEM=usb DEVNAME=bus/usb/001/002 MAJOR=189 MINOR=1'
	for p in 1199/fff/0 f3d/68a3/6 114f/68a2/6 846/fff/0 413c/81b1/6 3f0/4e1d/2 46d/c52b/1 11199/1/1 c3f0/1/1; do
		mdev ACTION=add DEVTYPE=usb_device PRODUCT=$p $node
	done
	mdev ACTION=remove DEVTYPE=usb_device PRODUCT=1199/68a2/6 $node
	mdev ACTION=add DEVTYPE=usb_interface PRODUCT=1199/68a2/6 DEVPATH=/devices/1-1 SUBSYSTEM=usb
	n=0
	while [ "$(grep -c '^swflip' "$R/log")" -lt 6 ] && [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done
	for p in 1199/fff/0 f3d/68a3/6 114f/68a2/6 846/fff/0 413c/81b1/6 3f0/4e1d/2; do logged "swflip -k $p"; done
	lines '^swflip' 6
	lines '^other' 10
}

# In a running system mdev goes on at once; in mkinitfs's image it waits.
t_mdev_background() {
	case $(tail -n 1 "$hooks/busybox/mdev.conf") in *' swflip -k &') ;; *) die 'in the foreground' ;; esac
	case $(tail -n 1 "$hooks/mkinitfs/mdev.conf") in *' swflip -k') ;; *) die 'in the background' ;; esac
}

# ---- BusyBox: its init script with recorders for what would change the machine (not by BusyBox's shell, which has its own)

t_init() {	# HOW CMDLINE WANTED...
	how=$1 cmdline=$2
	shift 2
	mkdir -p "$R/dev" "$R/sbin" "$R/proc" "$R/sys/devices/1-1" "$R/lib/modules"
	sed -E "/^#!/!s,(^|[^[:alnum:]_./}*\$-])(/(sbin|usr|dev|proc|sys|run|newroot|lib)(/|\>)),\1$R\2,g" "$hooks/busybox/init" \
		>"$R/init"
	for a in mkdir mount umount mknod mdev modprobe switch_root findfs sleep sh; do
		printf '#!/bin/sh\necho %s "$@" >>%s\n' $a "$R/log" >"$R/sbin/$a"
		case $a in
		mount) echo 'case $* in *nonesuch*) exit 1 ;; esac' ;;
		findfs) echo 'case $1 in UUID=*) echo /dev/sda9 ;; *) exit 1 ;; esac' ;;
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
	same "$(sed -n 's/^modprobe -q //p' "$R/log")" "$hosts $ports $nets"
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
		'mount -o rw -t ext4 /dev/vda1 /newroot' 'umount /sys /proc' 'switch_root /newroot /bin/my arg1 arg2'
}

t_init_uuid() {
	t_init 'exit 0' 'root=UUID=12-34' 'mount -o ro /dev/sda9 /newroot' 'switch_root /newroot /sbin/init arg1 arg2'
}

t_init_shell() {
	t_init 'exit 0' 'root=/dev/nonesuch' 'mount -o ro /dev/nonesuch /newroot' 'sleep 1' 'sh'
	grep -q 'here is a shell' "$R/dev/console"
	unlogged '^switch_root'
}

t_inittab() { is "$(sed '/^#/d' "$hooks/busybox/inittab")" '::sysinit:/sbin/swflip -k'; }

# ---- OpenWrt: a source tree with just enough in it

# What the kernel packages are called, from OpenWrt's package/kernel/linux/modules/usb.mk.
kmods='usb-core usb-acm usb-wdm usb-serial-sierrawireless usb-serial-qualcomm usb-serial-option usb-net-cdc-ether
	usb-net-cdc-ncm usb-net-cdc-mbim usb-net-qmi-wwan usb-net-sierrawireless'

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
	mkdir -p "$R/top" "$R/include" "$R/package" "$R/image"
	cp -R "$hooks/openwrt/." "$R/package"
	source_ "$R/package/src"
	: >"$R/top/rules.mk"
	sed 's/^		//' >"$R/include/package.mk" <<'END'
		PKG_BUILD_DIR = $(TOPDIR)/../built
		INSTALL_DIR = install -d -m0755
		INSTALL_BIN = install -m0755
		INSTALL_DATA = install -m0644
		TARGET_CFLAGS = -Ot
		TARGET_CPPFLAGS = -It
		TARGET_LDFLAGS = -Lt
		MAKE_FLAGS = CC="tcc"
		define BuildPackage
		$(eval $(call Package/$(1)))
		$(info depends $(DEPENDS))
		$(info title $(SECTION)/$(CATEGORY)/$(TITLE))
		$(info version $(PKG_VERSION))
		all:
			mkdir -p $(PKG_BUILD_DIR)
			cp -R ./src/. $(PKG_BUILD_DIR)
			$$(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_FLAGS)
		$(call Package/$(1)/install,$(TOPDIR)/../image)
		endef
END
	make -C "$R/package" TOPDIR="$R/top" INCLUDE_DIR="$R/include" >"$R/said" 2>&1 || { cat "$R/said"; die 'make failed'; }
	logged 'build tcc | -Ot | -It | -Lt'
	same "$(sed -n 's/^depends //p' "$R/said" | sed 's/+kmod-//g')" "$kmods"
	grep -q '^title utils/Utilities/..*' "$R/said"
	is "$(cd "$R/image" && find . -type f -printf '%m %P\n' | sort | tr '\n' ' ')" \
		'644 etc/hotplug.d/usb/20-swflip 644 lib/preinit/25_swflip 755 etc/init.d/swflip 755 sbin/swflip '
}

t_openwrt_init() {
	each_shell t_openwrt_init_
}
t_openwrt_init_() {
	{
		mock 0 procd_open_instance procd_set_param procd_close_instance
		# As rc.common does it.
		echo ". '$hooks/openwrt/files/swflip.init'"
		echo "echo \"start \$START procd \$USE_PROCD\" >>'$R/log'; start_service"
	} >"$R/rc"
	$sh "$R/rc"
	is "$(tr '\n' ',' <"$R/log")" \
		'start 19 procd 1,procd_open_instance ,procd_set_param command /sbin/swflip -k,procd_close_instance ,'
}

t_openwrt_hotplug() {
	mkdir -p "$R/etc/init.d"
	printf '#!/bin/sh\n[ "$1" != enabled ] || exit $(cat "%s/disabled")\necho service "$@" >>"%s/log"\nexit 1\n' "$R" "$R" \
		>"$R/etc/init.d/swflip"
	chmod +x "$R/etc/init.d/swflip"
	each_shell t_openwrt_hotplug_
}
t_openwrt_hotplug_() {
	event() {	# DISABLED NOUBUS WANTED [VARIABLE=VALUE]...
		echo "$1" >"$R/disabled"
		# A function, because BusyBox's shell has a pidof of its own.
		echo "pidof() { [ \$1 = ubusd ] && return $2; }; . '$(at "$hooks/openwrt/files/swflip.hotplug")'" >"$R/hotplug"
		echo "echo on >>'$R/log'" >>"$R/hotplug"
		wanted=$3
		shift 3
		: >"$R/log"
		env "$@" $sh -e "$R/hotplug" || die "$sh: status $? for $*"
		is "$(tr '\n' ' ' <"$R/log")" "${wanted}on " "$sh: $*"
	}
	for v in 1199 f3d 114f 846 413c 3f0; do
		event 0 0 'service start ' ACTION=add DEVTYPE=usb_device PRODUCT=$v/fff/0
	done
	event 1 0 '' ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0
	event 0 1 '' ACTION=add DEVTYPE=usb_device PRODUCT=1199/fff/0
	event 0 0 '' ACTION=remove DEVTYPE=usb_device PRODUCT=1199/fff/0
	event 0 0 '' ACTION=add DEVTYPE=usb_interface PRODUCT=1199/fff/0
	event 0 0 '' ACTION=add DEVTYPE=usb_device PRODUCT=11990/fff/0
	event 0 0 '' ACTION=add DEVTYPE=usb_device PRODUCT=46d/c52b/1
	event 0 0 '' ACTION=add
}

t_openwrt_preinit() {	# HOW
	[ "$1" = missing ] || program /sbin "$1"
	each_shell t_openwrt_preinit_ "$1"
}
t_openwrt_preinit_() {
	{
		mock 0 boot_hook_add
		echo ". '$(at "$hooks/openwrt/files/swflip.preinit")'"
		echo "swflip_preinit; echo on >>'$R/log'; wait"
	} >"$R/pi"
	$sh -e "$R/pi" 2>"$R/said" || die "$sh: status $?"
	logged 'boot_hook_add preinit_main swflip_preinit'
	logged on
	case $1 in
	missing) is "$(cat "$R/said")" '' "$sh: complaint" ;;
	slow)
		logged 'swflip -k'
		is "$(grep -E '^on|ends' "$R/log" | tr '\n' ' ')" 'on swflip ends ' "$sh: order"
		;;
	*) logged 'swflip -k' ;;
	esac
}

# ---- Buildroot

t_buildroot_package() {
	mkdir -p "$R/package/swflip" "$R/image"
	cp -R "$hooks/buildroot/." "$R/package/swflip"
	source_ "$R/package/swflip/src"
	sed 's/^		//' >"$R/Makefile" <<'END'
		SWFLIP_PKGDIR = package/swflip/
		TARGET_DIR = image
		TARGET_MAKE_ENV = FROM=env
		TARGET_CONFIGURE_OPTS = CC="tcc" CFLAGS="-Ot" CPPFLAGS="-It" LDFLAGS="-Lt"
		INSTALL = install
		generic-package = $(info $(SWFLIP_SITE_METHOD) $(SWFLIP_LICENSE) $(SWFLIP_LICENSE_FILES))built
		built = all
		include package/swflip/swflip.mk
		all: $(SWFLIP_SITE)
		all: @D = built
		all:
			cp -R $(SWFLIP_SITE)/. built
			$(SWFLIP_BUILD_CMDS)
			$(SWFLIP_INSTALL_TARGET_CMDS)
			$(SWFLIP_INSTALL_INIT_SYSV)
END
	# What the real one evaluates to rules, here is nothing.
	sed -i 's/^generic-package = \(.*\)built$/generic-package = \1/' "$R/Makefile"
	sed -i 's/\$(@D)/built/g' "$R/package/swflip/swflip.mk"
	mkdir "$R/built"
	make -C "$R" >"$R/said" 2>&1 || { cat "$R/said"; die 'make failed'; }
	logged 'build tcc | -Ot | -It | -Lt'
	grep -qx 'local ISC LICENSE' "$R/said" || { cat "$R/said"; die 'not the local source'; }
	is "$(cd "$R/image" && find . -type f -printf '%m %P\n' | sort | tr '\n' ' ')" '755 etc/init.d/S38swflip 755 sbin/swflip '
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
	s=$(at "$hooks/buildroot/S38swflip")
	for word in stop restart ''; do
		$sh "$s" $word || die "$sh: $word: status $?"
	done
	unlogged swflip
	$sh -e "$s" start || die "$sh: status $?"
	[ "$1" = missing ] || logged 'swflip -k'
}

# ---- Yocto

recipe=$(echo "$hooks"/yocto/swflip_*.bb)

# The recipe's functions, with bitbake's variables as the shell's.
t_yocto_recipe() {
	[ -e "$recipe" ] || die 'no recipe, or two'
	for v in SUMMARY LICENSE LIC_FILES_CHKSUM SRC_URI S EXTRA_OEMAKE PACKAGES FILES:initramfs-module-swflip \
		RDEPENDS:initramfs-module-swflip 'RRECOMMENDS:\${PN}'; do
		grep -qE "^$v =\+? \"" "$recipe" || grep -qE "^$v =\+? " "$recipe" || die "no $v"
	done
	! grep -E '_\$\{PN\}|_append|_prepend|_remove' "$recipe" || die 'overrides as before release 3.4'
	same "$(grep -o 'kernel-module-[a-z0-9-]*' "$recipe" | sed 's/kernel-module-//')" \
		'sierra qcserial option cdc_acm cdc_wdm cdc_ether cdc_ncm cdc_mbim qmi_wwan sierra_net'
	mkdir -p "$R/unpacked" "$R/image"
	source_ "$R/unpacked/src"
	echo theirs >"$R/unpacked/src/config.h"
	cp "$hooks/yocto/files/20-swflip" "$R/unpacked/"
	{
		sed -n '/^EXTRA_OEMAKE/p' "$recipe" | sed "s/^EXTRA_OEMAKE = /extra=/"
		sed -n '/^do_[a-z]*() {/,/^}/p' "$recipe" | sed 's/^do_\([a-z]*\)() {/do_\1() { set -e/'
		echo 'oe_runmake() { (cd "$S" && eval "make $extra"); }'
		echo 'do_configure && do_compile && do_install'
	} >"$R/bb"
	S=$R/unpacked/src D=$R/image SWFLIP_UNPACKED=$R/unpacked base_sbindir=/sbin mandir=/usr/share/man \
		CC='tcc --sysroot=x' CFLAGS=-Ot CPPFLAGS=-It LDFLAGS=-Lt dash -e "$R/bb" || die "status $?"
	logged 'build tcc --sysroot=x | -Ot | -It | -Lt'
	is "$(cat "$R/unpacked/src/config.h")" theirs
	is "$(cd "$R/image" && find . -type f -printf '%m %P\n' | sort | tr '\n' ' ')" \
		'644 usr/share/man/man8/swflip.8 755 init.d/20-swflip 755 sbin/swflip '
	echo mine >"$R/unpacked/config.h"
	S=$R/unpacked/src D=$R/image SWFLIP_UNPACKED=$R/unpacked base_sbindir=/sbin mandir=/usr/share/man \
		CC=tcc CFLAGS=-Ot CPPFLAGS=-It LDFLAGS=-Lt dash -e "$R/bb"
	is "$(cat "$R/unpacked/src/config.h")" mine
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

t_versions() {
	v=$(sed -n 's/^VERSION *[:?]*= *//p' Makefile)
	[ -n "$v" ] || die 'no VERSION in the Makefile'
	is "$(sed -n 's/^PKG_VERSION:=//p' "$hooks/openwrt/Makefile")" "$v" "OpenWrt's version"
	is "$(sed -n 's/^SWFLIP_VERSION = //p' "$hooks/buildroot/swflip.mk")" "$v" "Buildroot's version"
	is "${recipe##*/}" "swflip_$v.bb" "Yocto's recipe"
}

# make install-SYSTEM puts exactly these files there.
t_install() {	# SYSTEM WANTED
	wanted=$2
	case $1 in openwrt | buildroot | yocto)
		for f in LICENSE Makefile README config.h swflip.8 swflip.c; do
			wanted="$wanted
				644 $3/$f"
		done ;;
	esac
	make -s install-"$1" DESTDIR="$R/dest"
	is "$(cd "$R/dest" && find . -type f -printf '%m %P\n' | sort -k 2 | tr '\n' ',')" \
		"$(echo "$wanted" | sed 's/^[ \t]*//; /^$/d' | sort -k 2 | tr '\n' ',')" 'the tree'
}

# ---- go

it lint t_lint
it complete t_complete
it modes t_modes
it sourced_never_exit t_sourced_never_exit
it command t_command

it initramfs-tools.hook_prereqs it_prereqs hooks/swflip ''
it initramfs-tools.script_prereqs it_prereqs scripts/init-top/swflip udev
it initramfs-tools.hook t_it_hook
it initramfs-tools.hook_helpers_fail t_it_hook_helpers_fail
it initramfs-tools.hook_missing t_it_hook_missing
it initramfs-tools.hook_order t_it_hook_order
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
it mkinitfs.mdev t_mdev mkinitfs

it busybox.mdev t_mdev busybox
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
it openwrt.hotplug t_openwrt_hotplug
for how in 0 1 killed missing slow; do it openwrt.preinit_$how t_openwrt_preinit $how; done

it buildroot.package t_buildroot_package
it buildroot.config t_buildroot_config
it buildroot.hash t_buildroot_hash
for how in 0 1 killed missing; do it buildroot.service_$how t_buildroot_service $how; done

it yocto.recipe t_yocto_recipe
it yocto.license t_yocto_license
for how in 0 1 killed missing; do it yocto.module_$how t_yocto_module $how; done

it versions t_versions
it install.initramfs-tools t_install initramfs-tools '
	755 etc/initramfs-tools/hooks/swflip
	755 etc/initramfs-tools/scripts/init-top/swflip'
it install.dracut t_install dracut '
	755 usr/lib/dracut/modules.d/90swflip/module-setup.sh
	755 usr/lib/dracut/modules.d/90swflip/swflip-start.sh
	755 usr/lib/dracut/modules.d/90swflip/swflip-finished.sh
	755 usr/lib/dracut/modules.d/90swflip/swflip-timeout.sh
	644 usr/lib/dracut/modules.d/90swflip/swflip.service'
it install.mkinitcpio t_install mkinitcpio '
	644 etc/initcpio/install/swflip
	644 etc/initcpio/hooks/swflip
	644 etc/initcpio/swflip.service'
it install.mkinitfs t_install mkinitfs '
	644 etc/mkinitfs/features.d/swflip.files
	644 etc/mkinitfs/features.d/swflip.modules'
it install.busybox t_install busybox '
	755 init
	755 sbin/swflip
	644 etc/mdev.conf'
it install.openwrt t_install openwrt '
	644 package/utils/swflip/Makefile
	644 package/utils/swflip/files/swflip.init
	644 package/utils/swflip/files/swflip.hotplug
	644 package/utils/swflip/files/swflip.preinit' package/utils/swflip/src
it install.buildroot t_install buildroot '
	644 package/swflip/Config.in
	644 package/swflip/swflip.mk
	644 package/swflip/swflip.hash
	755 package/swflip/S38swflip' package/swflip/src
it install.yocto t_install yocto "
	644 recipes-connectivity/swflip/${recipe##*/}
	644 recipes-connectivity/swflip/files/20-swflip" recipes-connectivity/swflip/files/src

exit $failed

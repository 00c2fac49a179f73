#!/bin/sh
# Runs the commands of README and swflip.8 as they stand there: those for a modem in a guest, the others in a copy of the
# tree, and what installs something or makes an image in a mount namespace whose /usr, /etc, /var and /boot are a tmpfs.
#
# A command is, in README: a line indented by four blanks, up to two blanks in a row. In the manual: what .Ic and .Dl have,
# and in a literal block each line behind `# `, or the whole block where there is no `# `. What stands below such a line is
# what the command has to print.
#
# rows() says of each how it is run, or why not. It fails the test if a command is missing there, or stands there and nowhere
# else; and running text must not have a command, an option or a make target that nobody has run.
# root: only root can have a /usr of its own
# shellcheck disable=SC2016,SC2317	# the commands are for other shells; functions that only it() and rows() call

set -u
umask 022
self=$(realpath "$0")
cd "$(dirname "$0")/.." || exit 1
top=$PWD version=$(sed -n 's/^VERSION = //p' Makefile)
export version

die() {
	echo "$*"
	exit 1
}

# ---- how each command is run, in this order; \n is the end of a line within one
#
#	guest MODEMS STATUS COMMAND RE	in a guest, with these modems in ports 1-1, 1-2 ..., or with those before (same);
#					a line of what it says must match RE
#	tree STATUS COMMAND CHECK	in a copy of the tree, where all rows before have been run; CHECK is the shell's, `said`
#					has what the command said
#	host STATUS COMMAND CHECK	the same, in the namespace, and a copy of its own
#	never COMMAND WHY

rows() {
	guest mc7710 0 'swflip -l' '^1-1	1199:68a2	modem	dm'
	guest same 0 './swflip -l' '^1-1	1199:68a2	modem	dm'
	guest same 0 'swflip -ql | cut -f 1-3,5,6' .
	guest same 0 'swflip -n -t mbim' .
	guest same 0 'swflip -lv' '> AT!UDUSBCOMP=\?'
	guest same 0 'cat /sys/bus/usb/devices/1-1/descriptors >mine.bin' ''
	guest same 0 'swflip -lv >mine.log 2>&1' ''
	guest same 0 'swflip -V' "^swflip $version\$"
	guest same 0 lsusb 'ID 1199:68a2'
	guest same 0 'lsusb -t' 'Driver=qmi_wwan'
	guest same 0 'swflip -v' 'in mode modem'
	guest same 0 'swflip -a 60 -t qmi' 'in mode qmi'
	guest same 0 'swflip -t 68a2/19@2' 'in mode 68a2/19@2: mbim; mbim driven by cdc_mbim'
	guest mc7710+em7565 0 'swflip -t 1-1:mbim -t 1-2:off' '1-1: 1199:68a2 in mode .*mbim'
	guest same 0 'swflip -t 1-1:qmi -t 1-2:off' '1-1: 1199:68a2 in mode .*qmi'
	guest em7565 0 'swflip -t mbim' '9091 in mode mbim: dm nmea at mbim'
	guest same 0 'swflip -t qmi' '9091 in mode qmi: dm nmea at qmi'
	guest same 0 'swflip -q -t mbim\ncase $? in\n0) echo ready ;;\n1) echo "see what swflip said" ;;\n3) echo "no modem" ;;\nesac' \
		'^ready$'
	guest mbim9 0 'swflip -t at+mbim' 'in mode at\+mbim: dm nmea at mbim'
	guest 68e2 0 'swflip -t 68a2/mbim' '68a2 in mode 68a2/mbim'
	guest same 2 'swflip -t 1-2:68a/mbim' .
	guest 330u 0 swflip '68a3 in mode modem'
	guest same 0 'dmesg | grep swflip' 'swflip: 1-1: .* in mode modem'

	tree 0 make 'test -x swflip'
	tree 0 'make CC=clang' 'grep -qx clang .command'
	tree 0 'make CC=aarch64-linux-gnu-gcc' 'readelf -h swflip | grep AArch64 && qemu-aarch64-static ./swflip -V'
	tree 0 'make CPPFLAGS=-DTARGET=mbim' './swflip -h | grep -q "[( ]mbim)"'
	tree 0 "make CPPFLAGS='-DTARGET=\"1-1:mbim 1-2:qmi\"'" './swflip -h | grep -q "1-1:mbim 1-2:qmi"'
	tree 0 'make CC=cc STATIC= SMALL= LDFLAGS= CFLAGS=-g' 'readelf -d swflip | grep NEEDED && readelf -S swflip | grep symtab'
	tree 0 'make install DESTDIR=pkg PREFIX=/usr MANPREFIX=/usr/share/man' \
		'test -x pkg/usr/sbin/swflip && test -f pkg/usr/share/man/man8/swflip.8'
	tree 0 'make install-initramfs-tools install-dracut DESTDIR=pkg PREFIX=/usr' \
		'test -x pkg/usr/share/initramfs-tools/hooks/swflip && ls pkg/usr/lib/dracut/modules.d/*swflip/module-setup.sh'
	tree 0 'make -n install-dracut' 'grep "install .*hooks/dracut" said'
	tree 0 'make install-busybox DESTDIR=root' 'test -x root/init && test -f root/etc/mdev.conf'
	tree 0 '(cd root && find . | cpio -o -H newc | gzip) >initramfs.gz' 'test -s initramfs.gz'
	tree 0 'gzip -dc initramfs.gz | cpio -t | grep swflip' 'grep -qx sbin/swflip said'
	tree 0 'make install-openwrt DESTDIR=openwrt' 'test -f openwrt/package/utils/swflip/src/swflip.c'
	tree 0 'make install-buildroot DESTDIR=buildroot' 'test -f buildroot/package/swflip/Config.in'
	tree 0 'make install-yocto DESTDIR=meta-yours' 'ls meta-yours/recipes-*/swflip/*.bb'
	tree 0 'make dist' 'test -s swflip-$version.tar.gz'
	tree 0 'test/record mine.bin mine.log >test/modems/mine' 'grep -qx "comp 6" test/modems/mine'
	tree 0 'make clean' 'test ! -e swflip'
	tree 0 'make distclean' 'test ! -e test/build'

	host 0 'make install' 'test -x /usr/local/sbin/swflip && test -f /usr/local/share/man/man8/swflip.8'
	host 0 'make install install-initramfs-tools' 'test -x /etc/initramfs-tools/hooks/swflip'
	host 0 'update-initramfs -u -k all' 'test -s /boot/initrd.img-$(uname -r)'
	host 0 'lsinitramfs /boot/initrd.img-$(uname -r) | grep swflip' 'grep -q sbin/swflip said'
	host 0 'make install install-dracut' 'ls /usr/lib/dracut/modules.d/*swflip/module-setup.sh'
	host 0 'dracut --force' ''
	host 0 'lsinitrd | grep swflip' 'grep -q sbin/swflip said'
	host 0 'make install install-mkinitcpio' 'test -f /etc/initcpio/install/swflip'
	host 0 'make install install-mkinitfs' 'test -f /etc/mkinitfs/features.d/swflip.modules'
	host 0 'cat hooks/mkinitfs/mdev.conf >>/etc/mdev.conf' 'grep swflip-hotplug /etc/mdev.conf'
	host 0 'make uninstall' 'test ! -e /usr/local/sbin/swflip'

	never 'mkinitcpio -P' 'not in Debian'
	never 'lsinitcpio /boot/initramfs-linux.img | grep swflip' 'not in Debian'
	never 'rc-update add swflip boot' 'not in Debian'
	never mkinitfs 'not in Debian'
	never 'mkinitfs -l | grep swflip' 'not in Debian'
	never 'make -C openwrt menuconfig' 'wants the source tree of OpenWrt'
	never 'make -C openwrt' 'wants the source tree of OpenWrt'
	never 'make -C buildroot menuconfig' 'wants the source tree of Buildroot'
	never 'make -C buildroot' 'wants the source tree of Buildroot'
	never 'make -C buildroot BR2_EXTERNAL=package/swflip menuconfig' 'wants the source tree of Buildroot'
	never 'ls buildroot/output/target/sbin/swflip' 'Buildroot makes that file'
	never 'make demo' 'a guest of its own; test/fresh runs it'
	never 'make try MODEM=em7565' 'wants a terminal; the guest here is started by the same script, test/try'
	never 'make test' 'this is a part of it'
	never 'test/fresh trixie test' 'takes half an hour; it is run by hand'
}

# each KIND: the rows of one kind, which a function of that name takes; number() gives each its $id.
each() {
	n=0 kind=$1
	eval "$(for k in guest tree host never; do [ $k = "$1" ] || echo "$k() { :; };"; done)"
	rows
}

number() {
	n=$((n + 1))
	id=$kind$n
}

# A copy of what make dist packs, without test/build.
copy() {
	mkdir -p "$work/$1/test"
	cp -R swflip.c config.h Makefile swflip.8 README LICENSE .ci hooks "$work/$1"
	(cd test && find . -path ./build -prune -o -type f -print | cpio --quiet -pdm "$work/$1/test")
	cd "$work/$1" || exit 1
}

# Leaves what it said and its status, and those of the check, where judge() finds them.
perform() {	# STATUS COMMAND CHECK
	number
	printf '%b\n' "$2" >"$work/$id.sh"
	sh "$work/$id.sh" >said 2>&1 </dev/null
	echo $? >"$work/$id.status"
	cp said "$work/$id.said"
	sh -c "$3" >"$work/$id.check.said" 2>&1 </dev/null
	echo $? >"$work/$id.check"
}

# ---- in the namespace

if [ "${docs_inside:-}" ]; then
	set -e
	work=$docs_inside
	mkdir "$work/tmp"
	mount -t tmpfs tmpfs "$work/tmp"
	for d in usr etc var; do
		mkdir "$work/tmp/$d" "$work/tmp/$d.work"
		mount -t overlay -o "lowerdir=/$d,upperdir=$work/tmp/$d,workdir=$work/tmp/$d.work" overlay "/$d"
	done
	mount -t tmpfs tmpfs /boot
	# The guest's kernel plays the one that this machine runs.
	running=$(uname -r) guest=$top/test/build/x86_64
	rm -rf "/usr/lib/modules/$running"
	mkdir -p /usr/lib/modules
	cp -R "$guest/modules/lib/modules/$(cat "$guest/version")" "/usr/lib/modules/$running"
	cp "$guest/config" "/boot/config-$running"
	: >"/boot/initrd.img-$running"
	: >"/boot/vmlinuz-$running"
	# Its package cannot be installed beside dracut's. What it needs beyond its library is in linux-base.
	for p in initramfs-tools:update-initramfs linux-base:linux-version; do
		! command -v "${p#*:}" || continue
		debs=$top/test/build/hooks/deb package=${p%:*}
		mkdir -p "$debs"
		cd "$debs"
		ls "${package}"_*.deb || apt-get -qq -o APT::Sandbox::User=root download "$package"
		dpkg -x "${package}"_*.deb /
	done
	cd "$top"
	set +e
	copy host
	host() { perform "$@"; }
	each host
	exit
fi

# ---- outside

# shellcheck source=test/tap.sh
. test/tap.sh

# ---- what the two say

of_readme() {
	sed -n 's/^    \([^ ].*\)/\1/p' README | sed 's/  .*//'
}

of_manual() {
	awk '
	/^\.(Ic|Dl) / { sub(/^\.(Ic|Dl) /, ""); sub(/ [].,:;)]+( .*)?$/, ""); print; next }
	/^\.Bd -literal/ { block = 1; script = ""; next }
	/^\.Ed/ { if (block && script != "") print script; block = 0; next }
	block && /^# / { print substr($0, 3); block = 2; next }
	block == 1 { script = script (script == "" ? "" : "\\n") $0 }' swflip.8
}

# What stands below a command in the manual.
shown() {	# COMMAND
	wanted="# $1" awk '/^\.Ed/ || /^# / { here = $0 == ENVIRON["wanted"]; next } here' swflip.8
}

t_all() {
	{ of_readme; of_manual; } | sort -u >"$work/theirs"
	guest() { printf '%s\n' "$3"; }
	tree() { printf '%s\n' "$2"; }
	host() { printf '%s\n' "$2"; }
	never() { printf '%s\n' "$1"; }
	rows | sort >"$work/ours"
	[ "$(wc -l <"$work/theirs")" -ge 40 ] || die 'hardly a command is found'
	[ -z "$(uniq -d "$work/ours")" ] || die "run twice: $(uniq -d "$work/ours")"
	comm -23 "$work/theirs" "$work/ours" | sed 's/^/not run, and no reason is given: /'
	comm -13 "$work/theirs" "$work/ours" | sed 's/^/is run, but README and manual do not have it: /'
	cmp -s "$work/theirs" "$work/ours"
}

# Running text: options in it are the program's, targets are the Makefile's, and what looks like a command is one.
t_text() {
	grep -v '^    [^ ]' README >"$work/text"
	sed '/^\.Bd -literal/,/^\.Ed/d; /^\.\(Ic\|Dl\) /d; s/\\&//g' swflip.8 >>"$work/text"
	letters=$(sed -n 's/.*usage: swflip \[-\([a-zA-Z]*\)\].*/\1/p' swflip.c)acwt
	grep -oE 'swflip -[a-zA-Z]+' "$work/text" | sed 's/.*-//' | grep "[^$letters]" && die 'no such option'
	sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile >"$work/targets"
	grep -oE 'make [a-z-]+' "$work/text" | sed 's/make //' | sort -u | while read -r t; do
		case $t in needs | a | an | the) continue ;; esac
		grep -qxF -- "$t" "$work/targets" || die "make has no $t"
	done
	{ of_readme; of_manual; } | sed 's/ .*//' | sort -u >"$work/first"
	grep -E '^ +[^ ]' README | grep -v '^    [^ ]' | while read -r first rest; do
		! grep -qxF -- "$first" "$work/first" || die "a command that is not indented by four blanks: $first $rest"
	done
}

judge() {	# STATUS RE
	cat "$work/$id.said" 2>/dev/null || die 'it was not run'
	[ "$(cat "$work/$id.status")" = "$1" ] || die "exit status $(cat "$work/$id.status"), not $1"
	[ -z "$2" ] || grep -Eq -- "$2" "$work/$id.said" || die "it does not say: $2"
}

blanks() { sed 's/[ 	][ 	]*/ /g; s/ $//'; }

name_of() { printf '%s\n' "${1%%\\n*}"; }

# What it is shown to print it prints.
judge_shown() {	# STATUS COMMAND RE
	shown "$2" | blanks >"$work/shown"
	judge "$1" "$3"
	[ ! -s "$work/shown" ] || blanks <"$work/$id.said" | diff - "$work/shown" || die 'the manual shows something else'
}

judge_checked() {	# STATUS CHECK
	judge "$1" ''
	cat "$work/$id.check.said"
	[ "$(cat "$work/$id.check")" = 0 ] || die "it did not do: $2"
}

# ---- go

it all t_all
it text t_text

# One guest for all of them, with the short times of a modem that takes a tenth of the real ones. By process 1's own modem
# there is something of swflip's in the kernel's log.
{
	cat <<-'END'
		. /test/lib.sh
		swflip -k
		mkdir /tmp/bin
		ln -s /bin/swflip-quick /tmp/bin/swflip
		cd /tmp/bin
		PATH=/tmp/bin:$PATH
		row() {	# ID MODEMS
			if [ "$2" != same ]; then
				killall modem
				gone
				modems=0
				for m in $(echo "$2" | tr + ' '); do
					(plug "$m")
					modems=$((modems + 1))
				done
			fi
			timeout 60 sh /tmp/command >/tmp/said 2>&1 </dev/null
			echo "status $1 $?"
			sed "s/^/said $1 /" /tmp/said
		}
	END
	guest() {
		number
		printf "cat >/tmp/command <<'COMMAND'\n%b\nCOMMAND\nrow %s '%s'\n" "$3" "$id" "$1"
	}
	each guest
	echo 'for f in mine.bin mine.log; do base64 $f | sed "s/^/$f /"; done'
} >"$work/guest.sh"
test/try -c "$(cat "$work/guest.sh")" em7565 >"$work/console" 2>&1
sed -i 's/\r//g' "$work/console"
grep -q '^ok .*try$' "$work/console" || sed 's/^/# /' "$work/console"
guest() {
	number
	sed -n "s/^said $id //p" "$work/console" >"$work/$id.said"
	sed -n "s/^status $id //p" "$work/console" >"$work/$id.status"
	it "$(name_of "$3")" judge_shown "$2" "$3" "$4"
}
each guest

(
	copy tree
	for f in mine.bin mine.log; do sed -n "s/^$f //p" "$work/console" | base64 -d >"$f"; done
	tree() { perform "$@"; }
	each tree
)
tree() {
	number
	it "$(name_of "$2")" judge_checked "$1" "$3"
}
each tree

docs_inside=$work unshare --mount "$self" >"$work/namespace" 2>&1 || sed 's/^/# /' "$work/namespace"
host() {
	number
	it "$(name_of "$2")" judge_checked "$1" "$3"
}
each host
finish

#!/bin/sh
# The system calls that swflip uses, in a guest: their set is printed, and a new one fails; so does a file that is opened
# without O_CLOEXEC, or for writing where it must not be, and a program that is executed. test/syscalls.c has the table.
# On the host this script starts the guest, in which it is process 1.
# shellcheck disable=SC1091,SC2034,SC2086,SC2154	# the guest's words are test/lib.sh's

if [ $$ -ne 1 ]; then
	set -eu
	cd "$(dirname "$0")"
	tmp=$(mktemp -d build/syscalls.XXXXXX)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	musl-gcc -std=c11 -Os -static -s -o "$tmp/syscalls" syscalls.c
	{
		cat syscalls.t
		echo '#PROGRAM'
		base64 "$tmp/syscalls"
	} >"$tmp/init"
	expected=''
	for e in story story_bare mbim qmi dual list kernel_log refused silent none nodes usage; do expected="$expected -e syscalls.$e"; done
	./vm -i "$tmp/init" -t 300 $expected
	exit
fi

. /test/lib.sh
boot
mkdir -p $W
exec </dev/console >/dev/console 2>&1
sed '1,/^#PROGRAM$/d' /init | base64 -d >/bin/syscalls
chmod +x /bin/syscalls

# held NAME STATUS ARGUMENT...: a run of swflip that must end so, and use nothing new.
held() {
	name=$1 wanted=$2
	shift 2
	timeout 60 syscalls swflip-quick "$@" >$W/out 2>$W/said </dev/null
	status=$?
	sed -n 's/^= //p' $W/out >>$W/used
	if grep -q '^not ok' $W/out; then
		grep '^not ok' $W/out | sort -u | sed "s/^not ok syscalls/not ok syscalls.$name/"
	elif [ $status -ne $wanted ]; then
		echo "not ok syscalls.$name: status $status"
		tail -n 20 $W/said
	else
		echo "ok syscalls.$name"
	fi
}
next() {
	kill "$M"
	gone
	modems=0
}

drivers usb-storage sierra qcserial cdc_mbim qmi_wwan
plug 330u -k linuxsku=2101
held story 0 -t mbim -v
held list 0 -lv
held kernel_log 0 -k -t mbim
held refused 1 -t 0x100d
next
nodrivers
plug 330u
held story_bare 0 -t mbim -v
next
plug mbim9
held mbim 0 -t at -v
next
plug no-at
held qmi 0 -t mbim -v
next
plug mc7710 -k comp=19
held dual 0 -t mbim
next
plug 330u -k truinstall=off -k deaf=100000
held silent 1 -t mbim
next
mkdir /tmp/usb
mount -o bind /tmp/usb /dev/bus/usb
plug mc7710
held nodes 0 -t mbim
umount /dev/bus/usb
next
held none 3 -a 0
held usage 2 -t 9071
echo "# $(sort -u $W/used | tr '\n' ' ')"
reboot -f

# What a kernel or an image may lack or have otherwise: device nodes, netlink, /proc, /sys, USB, open descriptors, a log
# that takes messages, authorized devices, autosuspend.

limit=40

# Runs a shell script in mounts of its own, so that what it unmounts is missing for swflip alone.
with() {
	run unshare -m sh -ec "$1"
}

# What swflip leaves in the places where it makes nodes.
left="ls -A /dev /run /tmp | grep swflip || exit \$status"

story_told() {
	status 0
	order 'dtr 3 3' 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'write'
	silent swflip-[0-9]
}

# No devtmpfs: the place where /dev is mounted holds nothing, and can be written.
t_no_dev() {
	nodrivers
	plug mc7710
	with "umount /dev; status=0; swflip-quick -t mbim || status=\$?; $left"
	story_told
}

t_dev_is_a_tmpfs() {
	nodrivers
	plug mc7710
	with "umount /dev; mount -t tmpfs dev /dev; status=0; swflip-quick -t mbim || status=\$?; $left"
	story_told
}

t_dev_is_read_only() {
	nodrivers
	plug mc7710
	with "umount /dev; mount -t tmpfs -o ro dev /dev; status=0; swflip-quick -t mbim || status=\$?; $left"
	story_told
}

# Nodes can be made there, but not opened.
t_dev_takes_no_devices() {
	nodrivers
	plug mc7710
	with "umount /dev; mount -t tmpfs -o nodev dev /dev; status=0; swflip-quick -t mbim || status=\$?; $left"
	story_told
}

t_only_tmp() {
	nodrivers
	plug mc7710
	with "umount /dev; mount -t tmpfs -o ro dev /dev; mount -t tmpfs -o ro run /run; status=0
		swflip-quick -t mbim || status=\$?; $left"
	story_told
}

# Nowhere to make a node: said, and over.
t_no_place_for_a_node() {
	nodrivers
	plug mc7710
	with "umount /dev; for d in /dev /run /tmp; do mount -t tmpfs -o ro x \$d; done; swflip-quick -t mbim"
	status 1
	says '/dev|node'
	nolog 'at 3'
	nolog 'dtr'
}

# The node of the tty is missing, as is that of the device.
t_no_dev_but_a_driver() {
	drivers qcserial
	plug mc7710
	within 5 tty 3
	with "umount /dev; mount -t tmpfs dev /dev; status=0; swflip-quick -v -t mbim || status=\$?; $left"
	story_told
	says 'interface 3 by tty: open'
}

# Nodes by the right names that are something else.
t_dev_lies() {
	drivers qcserial
	plug mc7710
	within 5 tty 3
	with "umount /dev; mount -t tmpfs dev /dev
		for n in ttyUSB0 ttyUSB1 ttyUSB2 ttyUSB3; do mknod /dev/\$n c 1 3; done
		mkdir -p /dev/bus/usb/001; for n in 1 2 3 4 5 6 7 8 9; do mknod /dev/bus/usb/001/00\$n c 1 3; done
		status=0; swflip-quick -t mbim || status=\$?; $left"
	story_told
}

t_no_dev_for_qmi() {
	drivers cdc_mbim
	plug mbim9
	within 5 test -c /dev/cdc-wdm0
	with "umount /dev; mount -t tmpfs dev /dev; status=0; swflip-quick -v -t 8 || status=\$?; $left"
	status 0
	says 'interface 12 by cdc-wdm: open'
	order 'write comp 8' 'reset qmi'
	silent swflip-[0-9]
}

# Nothing says that a modem is there, left or came back.
t_no_netlink() {
	nodrivers
	run nonetlink swflip-quick -a 0 -t mbim
	status 3
	attach 330u
	run nonetlink swflip-quick -t mbim
	status 0
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'reset at'
	[ "$T" -lt 9000 ] || die "took $T ms"
}

# The socket can be had, but the kernel's messages do not reach this network namespace.
t_netlink_is_deaf() {
	nodrivers
	plug 330u
	run unshare -r -n swflip-quick -t mbim -w 20
	status 0
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	[ "$T" -lt 9000 ] || die "took $T ms"
}

t_no_sys() {
	nodrivers
	plug mc7710
	with 'umount /sys; exec swflip-quick -t mbim'
	status 2
	says /sys
	nolog 'at 3'
	count_lines 1
}

count_lines() { [ "$(wc -l <"$OUT")" -eq "$1" ] || die "$(wc -l <"$OUT") lines, not $1"; }

# Without /proc the kernel's words are not known: only -t says what is wanted.
t_no_proc() {
	nodrivers
	plug mc7710
	with 'umount /proc; exec swflip-quick'
	status 2
	says /proc
	count_lines 1
	nolog 'at 3'
	with 'umount /proc; exec swflip-quick -t mbim'
	story_told
	says '/proc/cmdline'
}

t_no_proc_list() {
	nodrivers
	plug mc7710
	with 'umount /proc; exec swflip-quick -l'
	status 0
	says 'PID 68A2 composition 6'
}

# Descriptors 0 to 2 are closed: nothing that swflip says ends up in the modem.
t_closed_descriptors() {
	nodrivers
	plug mc7710
	run sh -c 'exec swflip-quick -v -t mbim 0<&- 1>&- 2>&-'
	story_told
	nolog 'at 3 .*swflip'
	drivers qcserial
	plug mc7710 -p 1
	run sh -c 'exec swflip-quick -v -t mbim 0<&- 1>&- 2>&-'
	story_told
	nolog 'at 3 .*swflip'
}

# Closed, and no /dev/null to open either.
t_closed_and_no_dev() {
	drivers qcserial
	plug mc7710
	within 5 tty 3
	with 'umount /dev; exec swflip-quick -v -t mbim 0<&- 1>&- 2>&-'
	story_told
	nolog 'at 3 .*swflip'
	nolog malformed
}

since() { dmesg -r | sed "1,/test: kernel.$1\$/d" | grep swflip: >"$W/dmesg" || :; }

in_dmesg() { grep -Eq -- "$1" "$W/dmesg" || die "not in the kernel's log: $1"; }

t_kernel_log() {
	nodrivers
	plug 330u
	run swflip-quick -k -t mbim
	status 0
	count_lines 0
	since kernel_log
	in_dmesg '^<30>.* swflip: 1-1: write PID 68A2$'
	in_dmesg '^<30>.* swflip: 1-1: 1199:68a2 in mode mbim: '
}

# A freshly opened log for each message: none is dropped for coming too fast.
t_kernel_log_drops_none() {
	nodrivers
	for p in 0 1 2 3 4 5; do attach mc7710 -p $p; done
	for p in 0 1 2 3 4 5; do within 8 configured "$(path 0 $p)"; done
	run swflip-quick -k -v -t 5
	status 1
	count_lines 0
	since kernel_log_drops_none
	[ "$(grep -c '^<27>.*not in mode 5' "$W/dmesg")" -eq 6 ] || die 'not six verdicts'
	! grep -q 'UDUSBCOMP' "$W/dmesg" || die 'AT lines in the kernel log'
}

t_kernel_log_quiet() {
	nodrivers
	plug mc7710
	run swflip-quick -k -q -t 5
	status 1
	since kernel_log_quiet
	in_dmesg '^<27>.* swflip: 1-1: 1199:68a2 not in mode 5: '
	[ "$(wc -l <"$W/dmesg")" -eq 1 ] || die 'more than the verdict'
}

# printk.devkmsg=off: the log cannot be opened, so stderr has to do.
t_kernel_log_is_off() {
	nodrivers
	plug mc7710
	echo off >/proc/sys/kernel/printk_devkmsg
	run swflip-quick -k -t 5
	echo on >/proc/sys/kernel/printk_devkmsg
	status 1
	says 'swflip: 1-1: 1199:68a2 not in mode 5: '
}

t_no_kernel_log() {
	nodrivers
	plug mc7710
	with 'umount /dev; exec swflip-quick -k -t 5'
	status 1
	says 'swflip: 1-1: 1199:68a2 not in mode 5: '
}

# The kernel configures no device on this bus until somebody allows it.
t_not_authorized() {
	nodrivers
	bus=$(path 0 0)
	bus=$usb/usb${bus%%-*}
	echo 0 >"$bus/authorized_default"
	attach mc7710
	within 8 test -e "$usb/$P/authorized" || die 'it does not appear'
	run swflip-quick -t mbim
	echo 1 >"$bus/authorized_default"
	status 1
	says 'not authorized'
	[ "$T" -lt 3000 ] || die "took $T ms"
	nolog 'at 3'
	run swflip-quick -l
	status 0
	says unauthorized
	echo 1 >"$usb/$P/authorized"
	within 5 configured "$P"
	run swflip-quick -t mbim
	status 0
}

t_storage_not_authorized() {
	nodrivers
	bus=$(path 0 0)
	bus=$usb/usb${bus%%-*}
	echo 0 >"$bus/authorized_default"
	attach 330u
	within 8 test -e "$usb/$P/authorized" || die 'it does not appear'
	run swflip-quick
	echo 1 >"$bus/authorized_default"
	status 1
	says 'not authorized'
	nolog swoc-mode
}

policy() { [ "$(cat "$usb/$P/power/control")" = "$1" ] || die "power/control is $(cat "$usb/$P/power/control"), not $1"; }

# Autosuspend is off while the modem is talked to, and as it was afterwards.
t_autosuspend() {
	nodrivers
	plug mc7710 -k "at=4:cat $usb/1-1/power/control >$W/during"
	[ "$P" = 1-1 ] || die "port $P"
	echo 0 >"$usb/$P/power/autosuspend_delay_ms"
	echo auto >"$usb/$P/power/control"
	within 5 grep -q suspended "$usb/$P/power/runtime_status" || die 'it does not suspend'
	run swflip-quick -t 5
	status 1
	[ "$(cat "$W/during")" = on ] || die "was $(cat "$W/during") during the dialogue"
	policy auto
	run swflip-quick -t 6
	status 0
	policy auto
	nolog write
	echo on >"$usb/$P/power/control"
	run swflip-quick -t 6
	policy on
	echo auto >"$usb/$P/power/control"
	within 5 grep -q suspended "$usb/$P/power/runtime_status" || die 'it does not suspend again'
	run swflip-quick -t mbim
	status 0
	count 1 'write comp 8'
}

t_autosuspend_without_at() {
	nodrivers
	plug mbim9
	echo 0 >"$usb/$P/power/autosuspend_delay_ms"
	echo auto >"$usb/$P/power/control"
	within 5 grep -q suspended "$usb/$P/power/runtime_status" || die 'it does not suspend'
	run swflip-quick -t 5
	status 1
	log 'qmi 2 555b'
	policy auto
	run swflip-quick -t 8
	status 0
	order 'write comp 8' 'reset qmi'
}

# Right at first sight: not even touched.
t_autosuspend_when_right() {
	nodrivers
	plug mc7710
	echo auto >"$usb/$P/power/control"
	run swflip-quick -t qmi
	status 0
	policy auto
	nolog 'dtr'
}

t_autosuspend_when_stopped() {
	nodrivers
	plug mc7710 -k hang=4
	echo auto >"$usb/$P/power/control"
	run timeout -s TERM 1 swflip-quick -t mbim
	policy auto
}

# usbcore goes too, so these are the last ones.
no_usb() {
	nodrivers
	trap 'modprobe vhci-hcd' EXIT
	rmmod vhci_hcd
	rmmod usbip_core
	rmmod usbcore
	[ ! -e /sys/bus/usb ] || die 'there is USB'
}

t_no_usb() {
	no_usb
	run swflip-quick -t mbim -a 2
	status 3
	says '/sys/bus/usb'
	case $T in 19?? | 2[0-8]??) ;; *) die "took $T ms" ;; esac
	run swflip-quick -t mbim -a 0
	status 3
	[ "$T" -lt 900 ] || die "took $T ms"
	run swflip-quick -l
	status 3
}

# USB comes while swflip waits for it, and the modem after it.
t_usb_comes_late() {
	no_usb
	swflip-quick -t mbim -a 10 >"$W/out" 2>&1 &
	swflip=$!
	sleep 0.7
	modprobe vhci-hcd
	plug 330u
	ST=0
	wait $swflip || ST=$?
	OUT=$W/out
	status 0
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at'
}

# AT without a serial driver: over usbfs, whatever the modem, the speed and the other drivers make of it.

limit=40

. /test/guest/herd

# A modem of mc7710's kind reaches composition 8 over usbfs, with one write and one reset.
reaches_8() {
	run "${program:-swflip-quick}" -t mbim "$@"
	status 0
	order 'dtr 3 3' 'at 3 ATI' 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'write'
	count 1 'reset at'
	nolog ' refuse '
	nolog malformed
	mode 1199:68a2
	driver 12 ''
}

# A refused target leaves everything as it was.
refuses() {
	run swflip-quick -t 5
	status 1
	says 'not in mode 5: .*on offer'
	log 'AT!UDUSBCOMP=[?]'
	nolog write
	nolog 'reset at'
}

t_plain() {
	nodrivers
	plug mc7710
	reaches_8
}

t_storage_and_direct_ip() {
	nodrivers
	plug 330u -k trickle=20 -k zlp
	run swflip-quick -t mbim
	status 0
	order 'swoc-mode 1' 'plug 1199:68a3' 'dtr 3 3' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 2 'write'
	count 1 'reset at'
}

# Every byte is a transfer of its own: a transfer that was given up would lose some. A busy guest needs seconds for a list
# that way, so an answer has its real time.
limit_trickle=120
t_trickle() {
	program=swflip
	nodrivers
	plug mc7710 -k trickle=1 -k eol=crcrlf
	reaches_8
}

limit_trickle_slowly=120
t_trickle_slowly() {
	program=swflip
	nodrivers
	plug mc7710 -k trickle=5:20
	reaches_8
}

t_empty_packets() {
	nodrivers
	plug mc7710 -k zlp -k trickle=100
	reaches_8
}

# Answers that end where a packet ends: 64, 512 and 1024 bytes at a time, nothing short behind them.
t_full_packets() {
	nodrivers
	plug mc7710 -k trickle=512
	reaches_8
}

t_no_echo() {
	nodrivers
	plug mc7710 -k echo=off -k at-dtr -k slow=500
	reaches_8
}

# Slower than the first question is repeated.
t_slow() {
	nodrivers
	plug mc7710 -k slow=3000
	reaches_8
}

t_deaf_at_first() {
	nodrivers
	plug mc7710 -k deaf=12000
	reaches_8
}

# A stall is cleared, and ATI asked again.
t_stall() {
	nodrivers
	plug mc7710 -k stall=1:3
	reaches_8
	count 1 'stall 3'
}

# A stall at any other command loses its answer: what was to be done is done, or all is as it was. Never QMI instead.
t_stall_anywhere() {
	nodrivers
	herd mc7710 stall=2:3 stall=3:3 stall=4:3 stall=5:3 stall=6:3 stall=7:3 stall=8:3
	run swflip-quick -t mbim -w 10
	each stalled
}
stalled() {
	count 1 'stall 3'
	nolog ' qmi '
	if right; then
		order 'write comp 8' 'reset at'
	else
		[ "$(grep -c 'write comp 8' "$L")" -eq "$(grep -c 'write comp 6' "$L")" ] || die "$K: written and left so"
	fi
}

# A USB 3 port: packets of 1024 bytes.
t_super_speed() {
	nodrivers
	plug mc7710 -p 15
	[ "$(cat "$usb/$P/speed")" = 5000 ] || die "speed $(cat "$usb/$P/speed")"
	reaches_8
	plug mc7710 -p 16 -k trickle=1024 -k zlp
	reaches_8 -t "$P1:off"
}

# The seed's port: 512-byte bulk endpoints on a link of 12 Mbit/s.
t_full_speed() {
	nodrivers
	plug 330u -k 'speed full' -k 'bulk 512'
	[ "$(cat "$usb/$P/speed")" = 12 ] || die "speed $(cat "$usb/$P/speed")"
	run swflip-quick -t mbim
	status 0
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at'
	count 2 'write'
	nolog ' refuse '
}

t_mask() {
	nodrivers
	plug mc7455
	run swflip-quick -t mbim
	status 0
	order 'dtr 3 3' 'unlock ok' 'write mask 100D type 1' 'reset at' 'plug 1199:9071'
	count 1 'write'
}

# Four interfaces that no driver wants, under a PID that was a typing error.
t_68e2() {
	drivers sierra qcserial qmi_wwan cdc_mbim
	plug 68e2
	[ ! -e "$(interface 03)/driver" ] || die 'a driver has it'
	run swflip-quick -t 68a2/mbim
	status 0
	order 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'reset at'
	within 5 driver 12 cdc_mbim || die 'no MBIM'
}

# Composition 6 under Direct IP's PID: sierra and qcserial both leave its AT port alone.
t_68a3_6() {
	drivers sierra qcserial qmi_wwan cdc_mbim
	plug 68a3-6
	[ ! -e "$(interface 03)/driver" ] || die 'a driver has it'
	run swflip-quick -t mbim
	status 0
	order 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'reset at'
}

# qmi_wwan was told of 9205 by a user and sits on the AT port.
wrong_driver() {
	drivers qcserial qmi_wwan cdc_mbim
	echo 1199 9205 >/sys/bus/usb/drivers/qmi_wwan/new_id
	plug 9205 "$@"
	within 5 driver 3 qmi_wwan || die 'qmi_wwan does not take interface 3'
}

t_wrong_driver() {
	wrong_driver -k 'mode 9205 8\nconfig dm nmea at mbim'
	run swflip-quick -t 8
	status 0
	order 'dtr 3 3' 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:9205'
	count 1 'write'
	nodrivers	# and its new_id
}

t_wrong_driver_has_it_back() {
	wrong_driver
	before=$(readlink "$(interface 08)/driver")
	refuses
	driver 3 qmi_wwan || die "interface 3 was not given back"
	[ "$(readlink "$(interface 08)/driver")" = "$before" ] || die 'interface 8 was touched'
	nodrivers
}

# A driver that came while the interface was claimed is asked to bind.
t_driver_comes_meanwhile() {
	nodrivers
	plug mc7710 -k slow=1500 -k 'at=2:modprobe qcserial'
	refuses
	log 'run modprobe'
	within 5 driver 3 qcserial || die 'qcserial was not asked to bind'
	within 5 tty 3
}

# A driver that goes takes its tty along: done, or all is as it was.
t_driver_goes_meanwhile() {
	drivers qcserial
	plug mc7710 -k slow=1000 -k 'at=6:echo 1-1:1.3 >/sys/bus/usb/drivers/qcserial/unbind'
	within 5 tty 3
	run swflip-quick -t mbim
	log 'run echo'
	nolog ' qmi '
	case $ST in
	0) order 'write comp 8' 'reset at' ;;
	1) nolog 'write' ;;
	*) die "exit status $ST" ;;
	esac
}

# Without a word: the modem that answers nothing gets nothing, and the interface is free again.
t_mute() {
	nodrivers
	plug mc7710 -k 'mode 68A2 6\nconfig dm nmea at' -k port=3:silent
	run swflip-quick -t mbim
	status 1
	says 'does not answer'
	[ "$T" -lt 7000 ] || die "took $T ms"
	nolog ENTERCND
	drivers qcserial
	within 5 driver 3 qcserial
}

t_flood() {
	nodrivers
	plug mc7710 -k 'flood=AT!UDUSBCOMP?' -k 'flood=AT!UDPID=?'
	run swflip-quick -t mbim -w 20
	nolog ' qmi '
	case $ST in
	0) order 'write comp 8' 'reset at' ;;
	1) nolog write ;;
	*) die "exit status $ST" ;;
	esac
	[ "$T" -lt 21000 ] || die "took $T ms"
}

# The cable is pulled in the middle: over soon, and nobody spins.
t_pulled() {
	nodrivers
	herd mc7710 pull=2 pull=5 pull=8
	run swflip-quick -t mbim -w 5
	status 1
	[ "$T" -lt 6300 ] || die "took $T ms"
	each is_away
}
is_away() {
	nolog 'write'
	says "$P: .*did not come back"
	within 5 absent "$P"
}

t_hangs() {
	nodrivers
	plug mc7710 -k hang=4
	run swflip-quick -t mbim -w 6
	status 1
	[ "$T" -lt 7000 ] || die "took $T ms"
}

# The process that talks to the modem dies behind its first write: the verdict knows of that write.
t_child_crashes() {
	nodrivers
	plug 330u -k truinstall=off -k slow=1000 -k "at=10:kill -SEGV \$(pidof swflip-quick | cut -d' ' -f1)"
	run swflip-quick -t mbim
	status 1
	log 'write pid 68A2'
	nolog 'reset at'
	says 'not in mode mbim: .*68A2'
	silent 'nothing was written'
}

t_tty_is_preferred() {
	drivers qcserial
	plug mc7710
	within 5 tty 3
	run swflip-quick -v -t 6
	status 0
	says 'interface 3 by tty: open'
	driver 3 qcserial
	nolog write
}

t_list() {
	nodrivers
	plug mc7710
	run swflip-quick -l
	status 0
	says "^$P	1199:68a2	modem	.*at\\(-\\).*	usbfs	PID 68A2 composition 6	"
	nolog write
}

# TRU-Install: the flip, and every way in which it fails, with usb-storage in the field and without it.

# shellcheck disable=SC1091
. /test/guest/judge

limit=90

# Only what may be sent: GetSwocInfo and SetSwocMode 1.
clean() { nolog 'ctrl (40|c0) (0[cde]|0b 000[^1])'; }

flips() {	# [knobs] : it is a modem in the end
	has 330u "$@"
	go -t modem
	status 0
	mode 1199:68a3
	clean
}

t_plain() {
	nodrivers
	flips
	order 'ctrl c0 0a 0000 0000 60' 'ctrl 40 0b 0001 0000 0' 'unplug flip'
	count 1 'swoc-mode'
	says 'SKU 0000'
}

t_stall() {	# refused, and gone all the same; or refused once
	nodrivers
	flips -k swoc=1:stall
	count 2 'swoc-mode'
}

t_silent() {	# a time-out says nothing
	nodrivers
	flips -k swoc=1:silent
	count 2 'swoc-mode'
}

t_vanish() {	# before the status stage
	nodrivers
	flips -k swoc=vanish
	count 1 'swoc-mode'
}

t_third() {	# obeyed only the third time, after the port was reset
	nodrivers
	flips -k flips=3
	count 3 'swoc-mode'
}

t_info() {	# it is for the log alone
	nodrivers
	for k in stall silent short; do
		flips -k swocinfo=$k
		count 1 'swoc-mode'
		unplug
	done
}

t_never() {	# it gives up, and the stick is as it was
	nodrivers
	for k in stay stall silent; do
		has 330u -k swoc=$k
		go -t mbim
		status 1
		ended 8
		says 'stays in TRU-Install'
		count 3 'swoc-mode'
		clean
		mode 1199:0fff
		unplug
	done
}

t_never_short() {	# with too little time it ends in time
	nodrivers
	has 330u -k swoc=silent
	run swflip-quick -w 1 -t mbim
	status 1
	ended 1
}

t_gone() {
	nodrivers
	has 330u -k flipback=gone
	run swflip-quick -w 20 -t mbim
	status 1
	[ "$T" -lt 6000 ] || die "waited $T ms for a modem that was never written to"
	says 'did not come back'
}

t_back_as_storage() {	# once more, and for ever
	nodrivers
	has 330u -k flipback=1:tru
	go -t modem
	status 0
	count 2 'swoc-mode'
	unplug
	has 330u -k flipback=tru
	go -t modem
	status 1
	[ "$(grep -c 'swoc-mode' "$L")" -le 6 ] || die 'no end of it'
	clean
}

t_back_in_boot() {
	nodrivers
	has 330u -k flipback=boot:500
	go -t modem
	status 0
	unplug
	has 330u -k flipback=boot
	go -t modem
	status 1
	says 'boot loader'
}

t_netgear() {	# 0846:0fff
	nodrivers
	has 330u -k 'tru 0846:0FFF\nconfig ms'
	go -t modem
	status 0
	count 1 'swoc-mode 1'
}

t_no_storage() {	# 0fff of another maker, or without a storage interface, is none
	nodrivers
	has 330u -k 'tru 05c6:0FFF\nconfig ms'
	has 330u -k 'tru 1199:0FFF\nconfig dm'
	go -a 1 -t modem
	for L in "$L1" "$L2"; do nolog 'swoc'; done
}

t_full_speed() {	# the seed's port
	nodrivers
	flips -k speed=full -k bulk=512
}

t_super_speed() {
	nodrivers
	has 330u -p 15
	go -t mbim
	status 0
	order 'swoc-mode 1' 'write comp 8' 'reset at'
}

# ---- the AirCard 340U: a configuration, not a flip ----

t_340u() {
	for d in '' 'usb-storage cdc_mbim'; do
		# shellcheck disable=SC2086
		drivers $d
		has 340u -k linuxsku=2101
		go -t mbim
		status 0
		order 'config 1' 'config 2'
		mode 1199:0fff
		[ "$(cat "$usb/$P/bConfigurationValue")" = 2 ] || die 'not in configuration 2'
		[ -z "$d" ] || within 3 driver 12 cdc_mbim || die 'cdc_mbim is not on it'
		[ -n "$d" ] || nolog swoc-mode
		unplug
	done
}

t_340u_modem() {	# any configuration that is not storage
	nodrivers
	has 340u
	go
	status 0
	nolog swoc-mode
	[ "$(cat "$usb/$P/bConfigurationValue")" = 2 ] || die 'not in configuration 2'
	go
	status 0
}

t_340u_refused() {	# nothing to ask on it
	nodrivers
	has 340u
	for t in qmi 8; do
		go -t $t
		status 1
		ended 8
	done
	nolog swoc-mode
}

# ---- with usb-storage ----

t_kernel_flips() {	# it asks first, and one asking is enough
	drivers usb-storage sierra
	attach 330u -s 3
	go -t mbim
	status 0
	count 1 'swoc-mode'
	order 'swoc-mode 1' 'write comp 8' 'reset at'
}

t_kernel_slow() {	# asked by the kernel, it takes 0.25 s to leave
	drivers usb-storage
	attach 330u -s 10
	go -t modem
	status 0
	count 1 'swoc-mode'
}

t_kernel_forces() {	# swi_tru_install=3: asks without a question
	nodrivers
	modprobe usb-storage swi_tru_install=3
	attach 330u -s 3
	go -t modem
	status 0
	count 1 'swoc-mode'
	nodrivers
}

t_kernel_never() {	# swi_tru_install=2: it keeps the storage
	nodrivers
	modprobe usb-storage swi_tru_install=2
	flips
	count 1 'swoc-mode'
	[ "$T" -lt 2000 ] || die 'waited for the kernel'
	nodrivers
}

t_kernel_keeps() {	# a Linux SKU: it stays storage for the kernel, not for us
	drivers usb-storage
	has sku
	within 3 grep -q SKU=2101 "$usb/$P:1.9/truinst" || die 'usb-storage did not keep it'
	go -t mbim
	status 0
	order 'swoc-info' 'swoc-mode 1' 'plug 1199:68a3' 'write comp 8' 'reset at'
	count 1 'swoc-mode'
	says 'SKU 2101'
}

t_kernel_refused() {	# the kernel's asking is stalled
	drivers usb-storage
	flips -k swoc=1:stall
	count 2 'swoc-mode'
}

t_kernel_gives_up() {	# three stalls of GetSwocInfo, 2 s each, then no flip; the device's lock is held for 6 s
	drivers usb-storage
	attach 330u -s 3 -k swocinfo=stall
	run swflip -w 20 -t modem
	status 0
	count 1 'swoc-mode'
	mode 1199:68a3
}

t_kernel_holds_the_lock() {	# 21 s; it ends in time all the same
	drivers usb-storage
	attach 330u -s 3 -k swocinfo=silent
	run swflip-quick -a 5 -w 3 -t modem
	status 1
	ended 3
}

t_kernel_holds_the_lock_real() {	# and the real one waits it out
	drivers usb-storage
	attach 330u -k swocinfo=silent
	run swflip -t modem
	status 0
	count 1 'swoc-mode'
}

t_real() {
	nodrivers
	plug 330u -s 100
	run swflip
	status 0
	count 1 'swoc-mode 1'
	[ "$T" -lt 5000 ] || die "took $T ms"
}

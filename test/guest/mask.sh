# The bitmask dialect: !USBCOMP. The type stays as the modem has it, bits come from its own list.

# shellcheck disable=SC1091
. /test/guest/judge

t_names() {
	drivers qcserial qmi_wwan
	has mc7455
	go -t mbim
	status 0
	order 'unlock ok' 'write mask 100D type 1' 'reset at' 'plug 1199:9071'
	count 1 ' write '
	count 1 'reset at'
	go -t qmi
	status 0
	order 'write mask 100D' 'write mask 10D type 1' 'reset at'
	count 2 ' write '
}

t_right() {
	nodrivers
	has mc7455
	go -t qmi+at
	status 0
	nolog ' at 3 '
	for t in 6 0x10D 0x010d 9071/6 9071/qmi; do
		go -t $t
		status 0
	done
	untouched
}

t_numbers() {	# 6, 8 and 9 mean the functions of QMI's table
	nodrivers
	has mc7455
	go -t 8
	status 0
	log 'write mask 100D type 1'
	go -t 6
	status 0
	order 'write mask 100D' 'write mask 10D'
	go -t 9	# present bits stay, and the AT port with them
	status 0
	order 'write mask 10D' 'write mask 100D'
	wrote 'mask 100D'
	count 3 ' write '
	count 3 'reset at'
}

t_other_numbers() {
	nodrivers
	has mc7455
	for n in 7 13 22 0 255; do
		go -t $n
		status 1
	done
	untouched
}

t_bits() {
	nodrivers
	has mc7455
	go -t 0x1009
	status 0
	order 'write mask 1009 type 1' 'reset at'
	count 1 ' write '
}

t_bits_without_at() {
	nodrivers
	has mc7455
	go -t 0x1000
	status 1
	untouched
	go -t 0x1000!
	status 0
	order 'write mask 1000 type 1' 'reset at'
}

t_bits_not_offered() {	# ADB is in the default and the examples, not in the list
	nodrivers
	has mc7455
	for t in 0x10F 0x400D 0x8000D 0x20100D; do
		go -t $t
		status 1
		says 'bits 0x150D'
	done
	untouched
}

t_present_bits_stay() {	# although the list does not have it
	nodrivers
	has mc7455 -k mask=20010D -k 'accept pid mask'
	go -t mbim
	status 0
	log 'write mask 20100D type 1'
}

t_only_the_wanted_net() {
	nodrivers
	has mc7455 -k mask=50D
	go -t mbim
	status 0
	log 'write mask 100D type 1'
}

t_adds_at() {	# asked by QMI there is no AT port; with one the bit stays
	nodrivers
	has mc7455 -k mask=100D
	go -t mbim
	status 0
	untouched
	go -t qmi!
	status 0
	log 'write mask 10D type 1'
}

t_no_bit_for_that() {
	nodrivers
	has mc7455
	for t in net ms ecm; do
		go -t $t
		status 1
	done
	untouched
}

t_pid_is_compared() {
	nodrivers
	has mc7455
	for t in 9079/mbim 68b1/9! 9070/0x100D; do
		go -t $t
		status 1
	done
	untouched
	go -t 9071/mbim
	status 0
	count 0 'write pid'
	log 'write mask 100D'
}

t_type_is_kept() {	# type 1 of a 74xx is another thing here; questions need the unlock
	drivers qcserial qmi_wwan
	has em7565
	go -t mbim
	status 0
	order 'unlock ok' 'write mask 100D type 3' 'reset at' 'plug 1199:9091'
	count 0 'write type'
}

t_em9191() {	# MBIM in interface 0, right from the start; no QMI to be had
	drivers option cdc_mbim
	has em9191
	go -t mbim
	status 0
	nolog ' at 3 '
	go -t 9
	status 0
	for t in qmi 8; do	# the list has no NMEA for 8
		go -t $t
		status 1
	done
	untouched
}

t_locked() {
	nodrivers
	has em7565 -k unlock=OTHER
	go -t mbim
	status 1
	count 1 'unlock refused'
	count 1 ' unlock '
	untouched
	go -t mbim -c OTHER
	status 0
	log 'write mask 100D type 3'
}

t_no_list() {	# only what is right already can succeed
	nodrivers
	has mc7455 -k 'error=AT!USBCOMP=?'
	go -t mbim
	status 1
	says 'list'
	go -t 0x100D
	status 1
	for t in qmi 6 0x10D; do
		go -t $t
		status 0
	done
	untouched
}

t_list_without_types() {
	nodrivers
	has mc7455 -k 'answer=AT!USBCOMP=?\nDIAG     - 0x00000001,\nMODEM    - 0x00000008,\nMBIM     - 0x00001000,\ne.g.\n10D  - diag, nmea'
	go -t mbim
	status 1
	untouched
}

t_list_of_examples() {	# examples and a default promise nothing
	nodrivers
	has mc7455 -k 'answer=AT!USBCOMP=?\n  <Config Type>       - 1:Generic\n  <Interface bitmask> - DIAG - 0x00000001,\n    MODEM - 0x00000008,\ne.g.\n 0x00001000 - mbim\nThe default configuration is:\nat!usbcomp=1,1,0x00001000'
	go -t mbim
	status 1
	untouched
}

t_type_not_listed() {
	nodrivers
	has mc7455 -k type=5 -k 'mode 9071 5\nconfig mask'
	go -t mbim
	status 1
	untouched
}

t_type_1_of_an_em7565() {	# the AT port is on interface 2 there, and what is on 3 says nothing
	nodrivers
	has em7565 -k pid=90B1 -k type=1 -k mask=100D
	go -t mbim
	status 0
	untouched
	go -t qmi
	status 0
	count 1 'write mask 10D type 1'
	count 1 'reset at'
}

t_write_refused() {
	nodrivers
	has mc7455 -k write-error=mask
	go -t mbim
	status 1
	count 1 'AT!USBCOMP=1,'
	count 0 'reset at'
	stored 'mask 10D' 'type 1'
}

t_write_lost() {
	nodrivers
	has mc7455 -k write-lost=mask
	go -t mbim
	status 1
	count 1 'AT!USBCOMP=1,'
	count 0 'reset at'
	stored 'mask 10D'
}

t_write_differs() {	# what was found is put back
	nodrivers
	has mc7455 -k write-differs=1:mask:1009
	go -t mbim
	status 1
	order 'write mask 1009' 'write mask 10D'
	count 0 'reset at'
	stored 'mask 10D' 'type 1'
}

t_write_differs_for_ever() {	# nor does that work: it is said
	nodrivers
	has mc7455 -k write-differs=mask:1009
	go -t mbim
	status 1
	count 0 'reset at'
	count 2 'AT!USBCOMP=1,'
	says '1009'
}

t_reset_ignored() {
	nodrivers
	has mc7455 -k reset=ignored
	go -t mbim
	status 1
	says 'does not reset'
	says 'not reset into'
	stored 'mask 100D'
	[ "$(grep -c 'AT!RESET' "$L")" -le 2 ] || die 'more than two resets'
}

t_dry() {
	nodrivers
	has mc7455
	go -n -t mbim
	status 0
	says 'would write bitmask 0x100D'
	says 'would reset'
	go -n -t 9079/mbim
	status 1
	untouched
}

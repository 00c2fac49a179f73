# Modems that left no AT port behind: the composition by QMI, bare or inside MBIM, through cdc-wdm or over usbfs.

limit=40

. /test/guest/herd

# Nothing here depends on how long a modem takes: a thirtieth of the real times, but time enough to hang up before a reset.
modem() {
	p=$2 c=$4
	shift 6
	exec /bin/modem -p "$p" -c "$c" -s 3 -k drop=8000 "$@"
}

# What is said and done on the way to composition $1 of a modem that runs.
switched() {
	status 0
	order 'qmi 0 0022' 'qmi 2 555b' 'qmi 2 555c' "write comp $1" 'qmi 2 002e' 'reset qmi' 'unplug reset' 'plug '
	count 1 'qmi 2 555c'
	count 1 'write'
	count 1 'reset qmi'
	count 2 'qmi 2 002e'
	polite
	nolog 'refuse'
}

# No CTL Sync, each client released, each MBIM function closed, nothing malformed.
polite() {
	nolog 'qmi 0 0027'
	nolog malformed
	[ "$(grep -c 'qmi 0 0022' "$L")" -eq "$(grep -c 'qmi 0 0023' "$L")" ] || die 'a client is not released'
	[ "$(grep -c 'mbim OPEN' "$L")" -eq "$(grep -c 'mbim CLOSE' "$L")" ] || die 'MBIM is not closed'
}

# Refused: nothing was written, nothing reset.
untouched() {
	status 1
	says "$P: .* not in mode .*nothing was written"
	nolog 555c
	nolog write
	nolog 'reset qmi'
	nolog malformed
}

t_9_to_8() {
	nodrivers
	plug mbim9
	run swflip-quick -t 8
	switched 8
	order 'mbim OPEN' 'qmi 2 555c' 'mbim CLOSE' 'unplug reset' 'at 3 ATI'
	nolog 'interface 13'
	nolog 'dtr 1[23]'
	mode 1199:68a2
	says 'in mode 8: dm nmea at mbim;'
}

t_9_to_6() {
	nodrivers
	plug mbim9
	run swflip-quick -t 6
	switched 6
	says 'in mode 6: dm nmea at qmi;'
}

t_9_to_8_with_cdc_mbim() {
	drivers cdc_mbim qcserial
	plug mbim9
	run swflip-quick -v -t 8
	switched 8
	says 'interface 12 by cdc-wdm: open'
	within 5 driver 12 cdc_mbim || die 'cdc_mbim has it no more'
}

t_9_to_6_with_cdc_mbim() {
	drivers cdc_mbim qcserial qmi_wwan
	plug mbim9
	run swflip-quick -t 6
	switched 6
	within 5 driver 8 qmi_wwan || die 'no QMI'
}

t_names() {
	nodrivers
	plug mbim9
	run swflip-quick -t at+mbim
	switched 8
}

# Right by its descriptors: nothing is opened, and that no AT port is there is said.
t_right_already() {
	nodrivers
	plug mbim9
	run swflip-quick -t mbim
	status 0
	says 'warning: no AT port'
	nolog 'mbim OPEN'
	nolog 'qmi'
	run swflip-quick -t 9
	status 0
	says 'warning: no AT port'
	log 'qmi 2 555b'
	nolog 555c
	polite
}

# What the modem does not list, or what has no AT port, is not even tried.
t_unlisted() {
	nodrivers
	plug mbim9
	for target in 5 23 255 ecm 0x100D 68a3/8; do
		run swflip-quick -t $target
		untouched
	done
	polite
}

t_no_at_port_unasked() {
	nodrivers
	plug mbim9
	run swflip-quick -t 10
	untouched
	says 'without an AT port'
	run swflip-quick -t '10!'
	switched 10
	says 'in mode 10!: nmea mbim'
}

# To 9 by AT, verified there, and back by QMI.
t_9_and_back() {
	nodrivers
	plug mc7710
	run swflip-quick -t '9!'
	status 0
	says 'in mode 9!: mbim'
	order 'write comp 9' 'reset at' 'plug 1199:68a2'
	count 1 'write'
	run swflip-quick -t 8
	status 0
	order 'write comp 9' 'reset at' 'write comp 8' 'reset qmi' 'plug 1199:68a2'
	count 2 'write'
	polite
}

t_dry() {
	nodrivers
	plug mbim9
	run swflip-quick -n -t 8
	status 0
	says 'would write composition 8'
	says 'would reset'
	nolog 555c
	nolog write
	polite
}

t_list() {
	nodrivers
	plug mbim9
	run swflip-quick -l
	status 0
	says "^$P	1199:68a2	modem	mbim\\(-\\)	-	PID 68A2 composition 9	.*compositions 6"
	nolog 555c
	polite
}

# Whatever 0x555B tells before the reset, in whatever order, and whoever else speaks.
t_peculiar() {
	nodrivers
	herd mbim9 qmi-running qmi-order qmi-indication qmi-stranger
	run swflip-quick -t 8
	each switched 8
}

# A third value is a read-back that differs: no reset, and what was found is put back.
t_third_value() {
	nodrivers
	plug mbim9 -k qmi-third=7
	run swflip-quick -t 8
	status 1
	order 'write comp 8' 'write comp 9'
	count 2 'write'
	nolog 'reset qmi'
	polite
}

# Not kept: seen after the reset, and not tried again.
t_set_is_lost() {
	nodrivers
	plug mbim9 -k qmi-lost
	run swflip-quick -t 8
	status 1
	says 'not in mode 8'
	count 1 'qmi 2 555c'
	count 1 'reset qmi'
	polite
}

t_set_fails() {
	nodrivers
	plug mbim9 -k qmi-error=0x555c:3
	run swflip-quick -v -t 8
	status 1
	says '555c: error 3'
	count 1 'qmi 2 555c'
	nolog write
	nolog 'reset qmi'
	polite
}

t_set_is_not_answered() {
	nodrivers
	plug mbim9 -k qmi-silent=0x555c
	run swflip-quick -t 8
	status 1
	count 1 'qmi 2 555c'
	nolog 'reset qmi'
	polite
}

t_get_fails() {
	nodrivers
	plug mbim9 -k qmi-error=0x555b:94
	run swflip-quick -t 8
	untouched
	polite
}

t_no_client() {
	nodrivers
	plug mbim9 -k qmi-error=0x0022:5
	run swflip-quick -t 8
	untouched
	nolog 'qmi 2'
}

# Operating mode 4 is refused: what is stored is put back, or it would come with the next power-on.
t_reset_fails() {
	nodrivers
	for knob in 0x002e:60 1:0x002e:60; do
		plug mbim9 -k qmi-error=$knob
		run swflip-quick -t 8
		status 1
		says 'does not reset'
		says 'not reset into'
		count 1 'write'
		polite
		unplug
	done
}

# A fault in one answer alone: all is done, or all is as it was.
done_or_not() {
	nolog malformed
	if right; then
		count 1 'write'
		count 1 'reset qmi'
	else
		nolog 'reset qmi'
		[ "$(grep -c 'write comp 8' "$L")" -eq "$(grep -c 'write comp 9' "$L")" ] || die "$K: written and left so"
	fi
}

# Every answer, and each of the first alone, is cut short or lies about a length.
t_cut_short() {
	nodrivers
	herd mbim9 qmi-short=1 qmi-short=4 qmi-short=9 qmi-short=20
	run swflip-quick -t 8
	each untouched
}

t_one_is_cut_short() {
	nodrivers
	herd mbim9 qmi-short=1:3 qmi-short=2:3 qmi-short=3:3 qmi-short=4:3 qmi-short=5:3 qmi-short=6:3
	run swflip-quick -t 8
	each done_or_not
}

t_lengths_lie() {
	nodrivers
	herd mbim9 qmi-length=1 qmi-length=100 qmi-length=65000 qmi-length=-4 qmi-tlv
	run swflip-quick -t 8
	each untouched
}

t_one_length_lies() {
	nodrivers
	herd mbim9 qmi-length=1:7 qmi-length=2:7 qmi-length=3:7 qmi-length=4:7 qmi-tlv=2:
	run swflip-quick -t 8
	each done_or_not
}

# The same through the kernel's driver.
t_faults_with_cdc_mbim() {
	drivers cdc_mbim
	plug mbim9 -k qmi-order -k qmi-indication -k qmi-stranger -k qmi-running -k mbim-fragment=64
	run swflip-quick -t 8
	switched 8
	unplug
	herd mbim9 qmi-short=9 qmi-length=100 qmi-length=-4 qmi-tlv
	run swflip-quick -t 8
	each untouched
}

t_one_fault_with_cdc_mbim() {
	drivers cdc_mbim
	herd mbim9 qmi-short=2:3 qmi-short=3:3 qmi-short=4:3 qmi-length=3:7
	run swflip-quick -t 8
	each done_or_not
}

# A list whose count does not fit is no list: no write, but what is right is right.
t_count_lies() {
	nodrivers
	herd mbim9 qmi-count=0 qmi-count=1 qmi-count=3 qmi-count=200 qmi-count=255
	run swflip-quick -t 8
	each untouched
	each polite
	run swflip-quick -t 9
	status 0
	each nolog 555c
}

t_no_tunnel() {
	nodrivers
	plug mbim9 -k notunnel
	run swflip-quick -t 8
	untouched
	says '[:;].*(MBIM|QMI)'
	polite
}

t_no_tunnel_with_cdc_mbim() {
	drivers cdc_mbim
	plug mbim9 -k notunnel
	run swflip-quick -t 8
	untouched
	polite
	driver 12 cdc_mbim
}

# Answers in pieces are not put together, nor taken for whole ones.
t_fragments() {
	nodrivers
	plug mbim9 -k mbim-fragment=64
	run swflip-quick -t 8
	status 0
	count 1 'write comp 8'
	log 'mbim CLOSE'
}

t_bare_qmi() {
	nodrivers
	plug no-at
	run swflip-quick -t 8
	switched 8
	order 'dtr 8 1' 'qmi 0 0022' 'qmi 0 0023'
	nolog 'dtr 8 0'
	says 'in mode 8: dm nmea at mbim;'
}

t_bare_qmi_with_qmi_wwan() {
	drivers qmi_wwan
	plug no-at
	run swflip-quick -v -t 8
	switched 8
	says 'interface 8 by cdc-wdm: open'
}

# Given back: qmi_wwan has its interface as before, and works.
t_qmi_wwan_has_it_back() {
	drivers qmi_wwan
	plug no-at
	run swflip-quick -t 5
	untouched
	polite
	driver 8 qmi_wwan
	within 5 test -c /dev/cdc-wdm0
	run swflip-quick -t 8
	switched 8
}

t_peculiar_bare_qmi() {
	nodrivers
	herd no-at qmi-running qmi-order qmi-indication qmi-stranger
	run swflip-quick -t 8
	each switched 8
}

t_peculiar_with_qmi_wwan() {
	drivers qmi_wwan
	herd no-at qmi-running qmi-order qmi-indication qmi-stranger
	run swflip-quick -t 8
	each switched 8
}

# A driver that came while the interface was claimed is asked to bind.
t_driver_comes_meanwhile() {
	nodrivers
	plug no-at -k qmi-silent=0x555b -k 'at=3:modprobe qmi_wwan'
	run swflip-quick -t 8
	untouched
	log 'run modprobe'
	within 5 driver 8 qmi_wwan || die 'qmi_wwan was not asked to bind'
}

# DTR by the USB version alone, for a PID that is in nobody's table; and no DTR where none is needed.
t_dtr() {
	nodrivers
	plug mc7710 -k 'mode 68A2 6\nusb 2.10\nconfig dm qmi' -k dtr
	run swflip-quick -t 8
	switched 8
	plug mc7710 -p 1 -k 'mode 68A2 6\nconfig dm qmi'
	run swflip-quick -t "$P1:off" -t 8
	switched 8
	nolog 'dtr 8'
}

# Without DTR it stays mute, where swflip cannot know that it needs it.
t_mute() {
	nodrivers
	plug mc7710 -k 'mode 68A2 6\nconfig dm qmi' -k dtr
	run swflip-quick -t 8
	untouched
	[ "$T" -lt 7000 ] || die "took $T ms"
}

# The kernel chose MBIM alone; the other configuration has an AT port, and that one is asked.
t_dual() {
	nodrivers
	plug mc7710 -k comp=14
	[ "$(cat "$usb/$P/bConfigurationValue")" = 2 ] || die 'the kernel chose another configuration'
	run swflip-quick -t 8
	status 0
	order 'config 2' 'config 1' 'at 3 ATI' 'write comp 8' 'reset at'
	count 1 'write'
	nolog 'mbim OPEN'
}

t_dual_refused() {
	nodrivers
	plug mc7710 -k comp=14
	run swflip-quick -t 5
	status 1
	nolog 'mbim OPEN'
	nolog write
	[ "$(cat "$usb/$P/bConfigurationValue")" = 2 ] || die 'its configuration was not put back'
}

# A dual composition without an AT port anywhere.
t_dual_without_at() {
	drivers cdc_mbim
	plug mc7710 -k comp=14 -k 'mode 68A2 14\nclass ef/02/01\nconfig dm qmi\nconfig mbim'
	run swflip-quick -t 8
	switched 8
}

# AT answers, if nothing of use: then QMI is not asked.
t_at_decides() {
	nodrivers
	plug mc7710 -k 'error=AT!UDUSBCOMP*'
	run swflip-quick -t 8
	untouched
	nolog ' qmi '
}

# An AT port that is dead for good is left for QMI.
t_at_is_dead() {
	nodrivers
	plug mc7710 -k port=3:silent
	run swflip-quick -t 8
	switched 8
}

t_dell() {
	drivers cdc_mbim qcserial
	plug dell
	run swflip-quick -t qmi
	switched 6
	mode 413c:81b1
}

# Modems with bitmasks take the numbers of QMI too; what they answer by AT afterwards is a mask.
t_bitmask_modem() {
	nodrivers
	plug mc7455 -k pid=9079 -k mask=1000
	run swflip-quick -t 8
	status 0
	order 'qmi 2 555c' 'write mask 100D' 'reset qmi' 'plug 1199:9079'
	count 1 'write'
	unplug
	plug mc7455 -k pid=9079 -k mask=1000
	run swflip-quick -t qmi
	status 0
	order 'qmi 2 555c' 'write mask 10D' 'reset qmi' 'plug 1199:9079'
	count 1 'write'
}

# MBIM in interfaces 0 and 1.
t_usb_if_layout() {
	nodrivers
	plug em9191 -k mask=1000
	run swflip-quick -t 8
	status 0
	order 'qmi 2 555c' 'write mask 100D' 'reset qmi'
	polite
}

# Nothing answers from some step on, or the cable is pulled there: over in time whatever was going on.
t_hangs() {
	nodrivers
	herd mbim9 hang=3 hang=6 hang=8 hang=12
	run swflip-quick -t 8 -w 5
	status 1
	[ "$T" -lt 6300 ] || die "took $T ms"
}

t_hangs_with_cdc_mbim() {
	drivers cdc_mbim
	herd mbim9 hang=3 hang=5 hang=7 hang=9
	run swflip-quick -t 8 -w 5
	status 1
	[ "$T" -lt 6300 ] || die "took $T ms"
}

is_away() { within 5 absent "$P"; }

t_pulled() {
	nodrivers
	herd mbim9 pull=3 pull=6 pull=8 pull=12
	run swflip-quick -t 8 -w 5
	status 1
	[ "$T" -lt 6300 ] || die "took $T ms"
	each is_away
}

# Stopped while it writes: finished or put back.
t_stopped() {
	nodrivers
	for step in 4 6 8 10; do
		plug mbim9 -k "at=$step:kill -TERM \$(pidof swflip-quick)"
		run swflip-quick -t 8
		status 1
		case $(grep -c 'write comp 8' "$L"),$(grep -c 'write comp 9' "$L"),$(grep -c 'reset qmi' "$L") in
		0,0,0 | 1,1,0) polite ;;
		1,0,1 | 1,1,1) ;;
		*) die "TERM at step $step: neither finished nor put back" ;;
		esac
		unplug
	done
}

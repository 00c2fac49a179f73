# AT as modems speak it: every quirk by a tty and by usbfs. The job is always the same, composition 6 to 8.

. /test/guest/judge

eight() {	# [knobs] : it is done, with one write and one reset, by qcserial's tty and, on a PID that has no driver, by usbfs
	drivers qcserial
	NV=$W/nv attach mc7710 "$@" -s 3
	attach 9205 "$@" -s 3
	for P in "$P1" "$P2"; do within 8 configured "$P"; done
	go -t 8
	status 0
	for L in "$L1" "$L2"; do
		order 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:(68a2|9205)'
		count 1 ' write '
		count 1 'reset '
	done
}

six() {	# [knobs] : it is left as it is
	has mc7710 "$@"
	go -t 8
	status 1
	untouched
	ended 12
	unplug
}

both() {	# by a tty, and where there is no driver
	drivers qcserial
	"$@"
	nodrivers
	"$@"
}

t_plain() { eight; }
t_deaf() { eight -k deaf=20000; }	# 0.6 s of it
t_slow() { eight -k slow=5000; }
t_no_echo() { eight -k echo=off; }
t_double_echo() { eight -k echo=double; }
t_lf() { eight -k eol=lf; }
t_cr() { eight -k eol=cr; }
t_crcrlf() { eight -k eol=crcrlf; }
t_crcrlf_echo() { eight -k eol=crcrlf -k echo=double; }
t_no_final() { eight -k 'nofinal=AT!UD*'; }
t_no_final_ever() { eight -k 'nofinal=AT*'; }
t_second_final() { eight -k second; }
t_stray_final() { eight -k stray; }
t_unsolicited() { eight -k 'noise=+CREG: 1,"00A0","0123ABCD",7'; }
t_unsolicited_qc() { eight -k 'noise=$QCCTLD: 8'; }
t_one_line() { eight -k flat; }
t_one_line_no_echo() { eight -k flat -k echo=off; }
t_garbage() { eight -k garbage; }
t_empty_packets() { eight -k zlp; }
t_locked_reads() { eight -k locked=both; }
t_trickle() {	# a byte or three at a time
	eight -k trickle=7:30
}
t_trickle_of_bytes() { eight -k trickle=1; }
t_flood() { eight -k 'flood=AT!UDPID?'; }
t_flood_ati() { eight -k 'flood=1:ATI'; }
t_stall() {	# the endpoint halts once; drivers do not get over it
	nodrivers
	has mc7710 -k stall=1:3
	go -t 8
	status 0
	order 'stall 3' 'write comp 8' 'reset at'
}
t_full_speed() { eight -k speed=full; }
t_full_speed_512() { eight -k speed=full -k bulk=512; }	# the seed's port
t_super_speed() {
	nodrivers
	has mc7710 -p 15
	go -t 8
	status 0
	order 'super' 'write comp 8' 'reset at'
}

# ---- what cannot be read is not believed ----

t_cut() { both six -k cut=30; }	# no row shows its status
t_cut_status() { both six -k cut=56; }	# `SUPPORTE`
t_no_table() { both six -k 'error=AT!UDUSBCOMP=?'; }
t_cme() { both six -k 'cme=AT!UDUSBCOMP=?'; }
t_table_is_silent() { both six -k 'silent=AT!UDUSBCOMP=?'; }
t_flood_of_tables() { nodrivers; six -k 'flood=AT!UDUSBCOMP=?'; }
t_examples() { nodrivers; six -k 'answer=AT!UDUSBCOMP=?\nAT!UDUSBCOMP=<n>\n6 - DM NMEA AT QMI SUPPORTED\ne.g. AT!UDUSBCOMP=8 selects 8 - MBIM'; }
t_contradiction() { nodrivers; six -k 'answer=AT!UDUSBCOMP=?\n6 - DM NMEA AT QMI SUPPORTED\n8 - DM NMEA AT MBIM SUPPORTED\n8 - DM NMEA AT MBIM NOT SUPPORTED'; }
t_huge_numbers() { nodrivers; six -k 'answer=AT!UDUSBCOMP=?\n6 - DM NMEA AT QMI SUPPORTED\n264 - DM AT MBIM SUPPORTED\n4294967304 - DM AT MBIM SUPPORTED\n-8 - AT MBIM SUPPORTED'; }
t_half_a_number() { nodrivers; six -k 'raw=AT!UDUSBCOMP?\n\r\n!UDUSBCOMP: 6x\r\n\r\nOK\r\n'; }
t_no_pids() {	# nothing to choose from: the composition still can be
	eight -k 'error=AT!UDPID=?'
	has 330u -k truinstall=off -k 'error=AT!UDPID=?'
	go -t mbim
	status 1
	untouched
}
t_pids_cut() {	# a PID of three digits is none
	nodrivers
	has 330u -k truinstall=off -k 'answer=AT!UDPID=?\n68A3\n68A\n268A2\n68A22\n0x68A2'
	go -t 68a2/8
	status 1
	untouched
}
t_free_text() {	# as AT!OPENCND on some: no result at all
	nodrivers
	six -k 'raw=AT!UDUSBCOMP?\n\r\nObsolete command - not supported\r\n'
}

# ---- which port ----

t_silent() {	# QMI does it then
	nodrivers
	has mc7710 -k port=3:silent
	go -t 8
	status 0
	order 'write comp 8' 'reset qmi'
	count 1 ' write '
}
t_password_only() {	# takes the password and answers nothing else; the next port does it
	nodrivers
	next -k port=3:password -k extra=at2
}
t_errors_only() { both next -k port=3:error -k extra=at2; }
t_silent_and_another() {
	drivers qcserial
	next -k port=3:silent -k extra=at2
}

next() {	# the job is done by interface 4
	has mc7710 "$@"
	go -t 8
	status 0
	order 'at 4 AT!UDUSBCOMP=8' 'write comp 8' 'reset at'
	count 1 ' write '
	count 1 'reset at'
	unplug
}

t_two_ports() {	# both answer; one is enough
	nodrivers
	has mc7710 -k extra=at2
	go -t 8
	status 0
	nolog ' at 4 '
}

held() {	# by another swflip, stopped in mid-dialogue and out of sight of the lock
	has mc7710 -k "at=4:kill -STOP \$(pidof swflip-quick)"
	# a second mount of sysfs is of another network, whose lock is another
	unshare -n -m sh -c 'mount -t sysfs sys /sys; exec swflip-quick -t 6' &
	within 5 seen 'step 4' || die 'the first one does not ask'
	sleep 0.2
	heard=$(grep -c ' at 3 ' "$L")
	go -t 8
	status 1
	says 'another process'
	count "$heard" ' at 3 '
	# shellcheck disable=SC2046
	kill -9 $(pidof swflip-quick)
	unplug
}

t_held() { both held; }

# ---- the unlock code ----

locked() {	# [options]
	has mc7710 -k unlock=A711
	go -t 8 "$@"
	status 1
	says 'code'
	count 1 ' unlock '
	untouched
	unplug
}

t_code_refused() {	# no second one is tried
	both locked
	nodrivers
	locked -c A712
	locked -c a711
}

t_code_given() {
	nodrivers
	has mc7710 -k unlock=Site2024
	go -t 8 -c Site2024
	status 0
	nolog 'unlock refused'
	log 'write comp 8'
}

t_code_unanswered() {	# so the write is refused
	nodrivers
	has mc7710 -k 'silent=AT!ENTERCND*'
	go -t 8
	status 1
	nolog ' (write|reset) '
}

# ---- what the port is left like ----

t_tty_as_it_was() {
	drivers qcserial
	has mc7710
	within 5 tty 3
	dev=$(tty 3)
	exec 4<>"$dev"	# else the last close forgets the settings
	stty -echo -icrnl -opost <&4
	before=$(stty -g <&4)
	go -t 6
	status 0
	log 'at 3 AT!UDUSBCOMP\?'
	[ "$(stty -g <&4)" = "$before" ] || die "settings were $before, are $(stty -g <&4)"
	exec 4>&-
}

t_driver_bound_again() {	# a driver that usbfs took the interface from, and one that came meanwhile
	nodrivers
	has mc7710 -k 'at=5:modprobe qcserial' -k slow=10000
	go -t 6
	status 0
	within 3 driver 3 qcserial || die 'no driver on the AT port'
}

t_wrong_driver() {	# 1199:9205: qmi_wwan was talked into the AT port
	drivers qmi_wwan
	echo 1199 9205 >/sys/bus/usb/drivers/qmi_wwan/new_id
	has 9205
	within 3 driver 3 qmi_wwan || die 'qmi_wwan does not take it'
	go -t 68a2/6
	status 0
	order 'write pid 68A2' 'reset at' 'plug 1199:68a2'
	drivers	# forgets the new_id
}

t_autosuspend() {
	nodrivers
	has mc7710
	echo auto >"$usb/$P/power/control"
	go -t 6
	status 0
	[ "$(cat "$usb/$P/power/control")" = auto ] || die 'the power policy is not as it was'
}

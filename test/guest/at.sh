# AT as modems speak it: every quirk by a tty and by usbfs. The job is always the same, composition 6 to 8.

# shellcheck disable=SC1091
. /test/guest/judge

# Eight modems at a time, a quirk each: every one of them is done, with one write and one reset.
eights() {	# KNOBS... : a + divides the knobs of one modem
	while [ $# -gt 0 ]; do
		modems=0 quirks=''
		while [ $# -gt 0 ] && [ $modems -lt 8 ]; do
			quirks="$quirks$1
"
			plus "$1"
			shift
		done
		each configured
		go -t 8
		each done8
		status 0
		each absent
	done
}

plus() {	# KNOB+KNOB
	knobs=$1
	set --
	while [ -n "$knobs" ]; do
		set -- "$@" -k "${knobs%%+*}"
		case $knobs in *+*) knobs=${knobs#*+} ;; *) knobs='' ;; esac
	done
	attach mc7710 "$@" -s 3 -c "$(hub "$modems")"
}

each() {
	for i in $(seq "$modems"); do
		eval "P=\$P$i L=\$L$i M=\$M$i"
		quirk=$(echo "$quirks" | sed -n "${i}p")
		case $1 in
		configured) within 8 configured "$P" || die "$P did not appear" ;;
		absent) kill "$M" && within 8 absent "$P" ;;
		*) ("$@") || die "$quirk: $(cat "$W/why")" ;;
		esac
	done
}

done8() {
	order 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 ' write '
	count 1 'reset '
	grep -q "$P: .* in mode 8:" "$OUT" || die "not in mode 8"
}

# shellcheck disable=SC2016	# a $ that modems say
quirks() {
	eights deaf=20000 slow=2000 echo=off echo=double eol=lf eol=cr eol=crcrlf eol=crcrlf+echo=double \
	    second stray 'noise=^CREG: 1,"00A0",7' 'noise=$QCCTLD: 8' garbage zlp locked=both trickle=3:30 \
	    flat flat+echo=off 'nofinal=AT!UD*' 'nofinal=AT*' trickle=7 speed=full speed=full+bulk=512 'error=AT!UDPID=?'
}

t_quirks_by_tty() {
	drivers qcserial
	quirks
}

t_quirks_by_usbfs() {
	nodrivers
	quirks
}

t_super_speed() {
	for d in '' qcserial; do
		# shellcheck disable=SC2086
		drivers $d
		has mc7710 -p 15
		go -t 8
		status 0
		order 'super' 'write comp 8' 'reset at'
		unplug
	done
}

t_flood() {	# a megabyte before the PID
	drivers qcserial
	has mc7710 -k 'flood=AT!UDPID?'
	go -t 8
	status 0
	order 'write comp 8' 'reset at'
}

t_flood_at_first() {
	nodrivers
	has mc7710 -k 'flood=1:ATI'
	go -t 8
	status 0
	order 'write comp 8' 'reset (at|qmi)'	# a slow machine may not be through with the flood before it asks over QMI
}

t_stall() {	# the endpoint halts once; drivers do not get over it
	nodrivers
	has mc7710 -k stall=1:3
	go -t 8
	status 0
	order 'stall 3' 'write comp 8' 'reset at'
}

# ---- what cannot be read is not believed ----

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

t_cut() { both six -k cut=30; }	# no row shows its status
t_cut_status() { both six -k cut=56; }	# `SUPPORTE`
t_no_table() { both six -k 'error=AT!UDUSBCOMP=?'; }
t_cme() { both six -k 'cme=AT!UDUSBCOMP=?'; }
t_table_is_silent() { both six -k 'silent=AT!UDUSBCOMP=?'; }
t_flood_of_tables() { both six -k 'flood=AT!UDUSBCOMP=?'; }

t_tables() {
	nodrivers
	six -k 'answer=AT!UDUSBCOMP=?\nAT!UDUSBCOMP=<n>\n6 - DM NMEA AT QMI SUPPORTED\ne.g. AT!UDUSBCOMP=8 selects 8 - MBIM'
	six -k 'answer=AT!UDUSBCOMP=?\n6 - DM NMEA AT QMI SUPPORTED\n8 - DM NMEA AT MBIM SUPPORTED\n8 - DM NMEA AT MBIM NOT SUPPORTED'
	six -k 'answer=AT!UDUSBCOMP=?\n6 - DM NMEA AT QMI SUPPORTED\n264 - DM AT MBIM SUPPORTED\n4294967304 - DM AT MBIM SUPPORTED\n-8 - AT MBIM SUPPORTED'
}

t_no_answer() {	# the port is right, the question is not answered: AT alone decides, QMI is not asked
	nodrivers
	six -k 'raw=AT!UDUSBCOMP?\n\r\n!UDUSBCOMP: 6x\r\n\r\nOK\r\n'
	six -k 'raw=AT!UDUSBCOMP?\n\r\nObsolete command - not supported\r\n'
	six -k 'error=AT!UDUSBCOMP?'
}

t_no_pids() {
	nodrivers
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

# ---- which port ----

next() {	# the job is done by interface 4
	has mc7710 "$@" -k extra=at2
	go -t 8
	status 0
	order 'at 4 AT!UDUSBCOMP=8' 'write comp 8' 'reset at'
	count 1 ' write '
	count 1 'reset at'
	unplug
}

t_password_only() {	# takes the password and answers nothing else
	nodrivers
	next -k port=3:password
}

t_errors_only() {
	drivers qcserial
	next -k port=3:error
}

t_silent_and_another() {
	drivers qcserial
	next -k port=3:silent
}

t_silent() {	# QMI does it then
	nodrivers
	has mc7710 -k port=3:silent
	go -t 8
	status 0
	order 'write comp 8' 'reset qmi'
	count 1 ' write '
}

t_two_ports() {	# both answer; one is enough
	nodrivers
	has mc7710 -k extra=at2
	go -t 8
	status 0
	nolog ' at 4 '
}

all_stopped() {
	for p in $(pidof swflip-quick); do grep -q '^State:.T' "/proc/$p/status" || return 1; done
}

# By another swflip, stopped in mid-dialogue and out of sight of the lock. The modem answers so slowly (half a second)
# that the dialogue is not over before the signal comes.
held() {
	has mc7710 -k slow=5000 -k "at=4:kill -STOP \$(pidof swflip-quick)"
	# a second mount of sysfs is of another network, whose lock is another
	unshare -n -m sh -c 'mount -t sysfs sys /sys; exec swflip-quick -t 6' &
	within 5 seen 'step 4' || die 'the first one does not ask'
	within 5 all_stopped || die 'the first one is not stopped'
	heard=$(grep -c ' at 3 ' "$L")
	go -t 8
	status 1
	says 'another process'
	count "$heard" ' at 3 '
	# shellcheck disable=SC2046
	kill -9 $(pidof swflip-quick)
	unplug
}

t_held_tty() {
	drivers qcserial
	held
}

t_held_interface() {
	nodrivers
	held
}

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
	exec 4<>"$(tty 3)"	# else the last close forgets the settings
	stty -echo -icrnl -opost <&4
	before=$(stty -g <&4)
	go -t 6
	status 0
	log 'at 3 AT!UDUSBCOMP\?'
	[ "$(stty -g <&4)" = "$before" ] || die "settings were $before, are $(stty -g <&4)"
}

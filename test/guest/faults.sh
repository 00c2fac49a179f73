# Every way in which a modem fails at being changed: it ends as it was, or the message says in what it differs.

# shellcheck disable=SC1091
. /test/guest/judge

# Direct IP with composition 3, MBIM wanted: PID, composition, one reset.
both() {	# KNOB... : both writes and a reset are due
	nodrivers
	has 330u -k truinstall=off "$@"
	go -t mbim
}

# Composition 6, 8 wanted: one write, one reset.
one() {
	nodrivers
	has mc7710 "$@"
	go -t 8
}

resets() { [ "$(grep -c ' reset ' "$L")" -le "$1" ] || die "more than $1 resets"; }

# ---- writes ----

t_pid_refused() {
	both -k write-error=pid
	status 1
	count 1 'AT!UDPID=[^?]'
	count 0 ' (write|reset) '
}

t_pid_lost() {
	both -k write-lost=pid
	status 1
	count 1 'AT!UDPID=[^?]'
	count 0 ' (write|reset) '
}

t_pid_differs() {	# what was found is put back
	both -k write-differs=1:pid:68A9
	status 1
	order 'write pid 68A9' 'write pid 68A3'
	count 0 ' reset '
	stored 'pid 68A3' 'comp 3'
}

t_pid_differs_for_ever() {
	both -k write-differs=pid:68A9
	status 1
	count 0 ' reset '
	count 2 'AT!UDPID=[^?]'
	says 68A9
}

t_comp_refused() {	# the PID is put back
	both -k write-error=comp
	status 1
	order 'write pid 68A2' 'AT!UDUSBCOMP=8' 'write pid 68A3'
	count 0 ' reset '
	stored 'pid 68A3' 'comp 3'
}

t_comp_lost() {
	both -k write-lost=comp
	status 1
	order 'write pid 68A2' 'lost comp' 'write pid 68A3'
	count 0 ' reset '
	stored 'pid 68A3' 'comp 3'
}

t_comp_differs() {	# and the composition follows the PID back
	both -k write-differs=1:comp:9
	status 1
	order 'write pid 68A2' 'write comp 9' 'write pid 68A3'
	count 0 ' reset '
	stored 'pid 68A3' 'comp 3'
}

t_comp_differs_not_followed() {	# it does not follow: it is put back too
	both -k write-differs=1:comp:9 -k nofollow
	status 1
	order 'write pid 68A2' 'write comp 9' 'write pid 68A3' 'write comp 3'
	count 0 ' reset '
	stored 'pid 68A3' 'comp 3'
}

t_back_refused() {	# the PID cannot be put back: it is said
	both -k write-error=comp -k write-error=2-:pid
	status 1
	count 0 ' reset '
	wrote 'pid 68A2'
	says '68A2.*68A3'
}

t_one_refused() {
	one -k write-error=comp
	status 1
	count 1 'AT!UDUSBCOMP=[^?]'
	count 0 ' (write|reset) '
}

t_one_lost() {
	one -k write-lost=comp
	status 1
	count 1 'AT!UDUSBCOMP=[^?]'
	count 0 ' (write|reset) '
}

t_one_differs() {
	one -k write-differs=1:comp:9
	status 1
	order 'write comp 9' 'write comp 6'
	count 0 ' reset '
	stored 'comp 6'
}

t_write_unanswered() {	# written all the same: what is read back counts
	one -k 'nofinal=AT!UDUSBCOMP=8'
	status 0
	count 1 'write comp 8'
	count 1 ' reset '
}

t_write_swallowed() {	# neither an answer nor a change
	one -k 'silent=AT!UDUSBCOMP=8'
	status 1
	count 1 'AT!UDUSBCOMP=8'
	count 0 ' reset '
	stored 'comp 6'
}

t_error_but_written() {	# it says ERROR, and does it
	one -k 'at=9:true' -k 'raw=AT!UDUSBCOMP=9!\nx'
	status 0
	count 1 ' reset '
}

t_unreadable_afterwards() {	# the read-back fails: no reset
	one -k 'error=2-:AT!UDUSBCOMP?'
	status 1
	count 0 ' reset '
	says '8'
}

# ---- resets ----

t_reset_ignored() {	# OK, not done: it stays stored, and takes effect when the power was off
	one -k reset=ignored
	status 1
	says 'does not reset'
	says 'stored is PID 68A2 composition 8 .*not reset into; next: power it off and on'
	order 'write comp 8' 'ignored reset'
	count 1 ' write '
	stored 'comp 8'
	count 1 'AT!RESET'
}

t_reset_ignored_both() {
	both -k reset=ignored
	status 1
	order 'write pid 68A2' 'write comp 8' 'ignored reset'
	count 1 'write pid'
	stored 'pid 68A2' 'comp 8'
}

t_reset_refused() {
	one -k reset=error
	status 1
	stored 'comp 8'
	[ "$(grep -c 'AT!RESET' "$L")" -le 2 ] || die 'more than two resets'
}

t_reset_silent() {
	one -k reset=silent
	status 0
	count 1 ' reset '
}

t_reset_slow() {	# 1 s to leave, 4 s to come back
	one -s 10 -k drop=10000 -k off=40000
	status 0
	count 1 ' reset '
}

t_reset_quick() {
	one -k drop=0 -k off=1
	status 0
	count 1 ' reset '
}

# ---- what comes back ----

t_gone() {
	nodrivers
	has mc7710 -k back=gone
	run swflip-quick -w 4 -t 8
	status 1
	ended 4
	says 'did not come back'
	count 1 ' reset '
	wrote 'comp 8'
}

t_back_as_storage() {	# once, and after every reset
	nodrivers
	for k in 1:tru tru; do
		has 330u -k truinstall=off -k back=$k
		go -t mbim
		status 0
		order 'reset at' 'plug 1199:0fff' 'swoc-mode 1' 'plug 1199:68a2'
		count 1 ' reset '
		count 1 'swoc-mode'
		unplug
	done
}

t_storage_always() {	# and with two resets
	nodrivers
	has 330u -k truinstall=always -k list-lag
	go -t mbim
	status 0
	count 2 ' reset '
	count 3 'swoc-mode'
}

t_other_vendor() {	# it is followed by its port
	one -k back=vid:0F3D
	status 0
	order 'reset at' 'plug 0f3d:68a2'
}

t_foreign_vendor() {
	nodrivers
	has mc7710 -k back=vid:1234
	run swflip-quick -w 6 -t 8
	status 1
	ended 6
	order 'reset at' 'plug 1234:68a2'
	says 'no Sierra modem'
	count 1 ' reset '
}

t_fewer() {	# the AT port is there and says what is stored; MBIM is not
	both -k back=fewer:3
	status 1
	count 1 'write pid'
	resets 2
	says 'not in mode'
}

t_fewer_without_at() {
	both -k back=fewer:2
	status 1
	resets 1
	says '68A2'
}

t_one_interface() {
	one -k back=fewer:1
	status 1
	resets 1
}

t_dead() {
	one -k back=dead
	status 1
	resets 1
	says 'boot loader|does not answer|asked'
}

t_boot_flashes_by() {
	one -k back=boot:2000
	status 0
	order 'reset at' 'plug 1199:9070' 'plug 1199:68a2'
}

t_boot_for_ever() {
	one -k back=boot
	status 1
	says 'boot loader'
	[ "$T" -lt 6000 ] || die 'waited too long'
	nolog 'plug 1199:9070.*(at|write)'
}

t_found_in_boot() {
	nodrivers
	has qdl
	go -t mbim
	status 1
	says 'boot loader'
	[ "$T" -ge 1200 ] || die 'was not watched'
	count 1 ' step '
}

t_crash_loop() {	# the old firmware's ECM: 5.3 s after each start; here 0.53 s
	nodrivers
	has mc7710-old -s 10
	go -t 5
	status 1
	order 'write comp 5' 'reset at' 'crash 1' 'plug'
	count 1 ' write '
	resets 1
	says 'again and again'
	silent '68a3 in mode 5'
}

t_crash_loop_found() {	# nothing was written yet
	nodrivers
	has mc7710-old -k comp=5 -k crash=5 -s 10
	run swflip-quick -w 12 -t 68a2/6
	ended 12
	resets 2
	[ "$ST" -le 1 ] || die "status $ST"
}

t_crash_once() {	# it stays the second time
	nodrivers
	has mc7710-old -s 10 -k crash=5:1 -k 'mode 68A3 5\nconfig dm hip nmea:ff/ff/ff at:ff/ff/ff ecm#12 ms'
	run swflip-quick -w 10 -t 5
	[ "$ST" -le 1 ] || die "status $ST"
	ended 10
	resets 1
}

t_companion_port() {	# it comes back on the USB 3 side of its connector
	nodrivers
	has mc7710 -p 0 -k back=port:15
	there=$(path 0 15)
	case $(readlink "$usb"/"${P%-*}"-0:1.0/usb"${P%-*}"-port1/peer) in *port1) ;; *) die 'the kernel knows no peer' ;; esac
	go -t 8
	status 0
	order 'reset at' 'super port 15/0'
	P=$there
	mode 1199:68a2
}

t_companion_port_back() {	# and a target that names the other one means it too
	nodrivers
	has mc7710 -p 15 -k back=port:0
	run swflip-quick -w 12 -t "$(path 0 0):8" -a 2
	status 0
	order 'reset at' 'high port 0/0'
}

t_another_port() {	# that is another modem: this one is gone
	nodrivers
	has mc7710 -p 0 -k back=port:3
	run swflip-quick -w 5 -t "$P:8" -a 2
	status 1
	ended 5
	says 'did not come back'
}

# ---- neighbours ----

t_neighbours() {	# a flash drive, another maker's modem, an Intel one and a Dell keyboard
	nodrivers
	has flash
	has other
	has other -k vid=1199 -k pid=A001 -k 'mode A001 *\nconfig dm at#3:ff/ff/ff'
	has other -k vid=413C -k pid=2003 -k 'mode 2003 *\nconfig dm at#3:ff/ff/ff'
	has mc7710
	go -t 8
	status 0
	log 'write comp 8'
	for L in "$L1" "$L2" "$L3" "$L4"; do count 1 ' step '; done
}

t_not_ours_on_its_port() {	# it leaves, and a flash drive is plugged into its port
	nodrivers
	has mc7710 -k back=gone -p 0
	(within 8 seen ' gone$' && within 5 absent "$P" && attach flash -p 0) &
	run swflip-quick -w 6 -t "$P:8"
	status 1
	ended 6
	L=$W/log2
	count 1 ' step '
}

t_replugged() {	# taken out and put in again while it is talked to
	nodrivers
	has 330u -k truinstall=off -k slow=5000 -k "at=5:kill -USR1 \$(pidof modem)"	# slow: the signal must come in time
	go -t mbim
	status 0
	resets 2
	order 'plug 1199:68a3' 'plug 1199:68a3' 'reset at' 'plug 1199:68a2'
}

t_replugged_after_write() {	# the PID is written, the cable comes loose: it starts with it, and the rest is done
	nodrivers
	has 330u -k truinstall=off -k "at=13:kill -USR1 \$(pidof modem)"
	go -t mbim
	resets 2
	[ "$ST" -eq 0 ] || says 'stored'
}

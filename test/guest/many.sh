# Several modems side by side, and two swflips.

# shellcheck disable=SC1091
. /test/guest/judge

# Plugs N modems at once, each on a port of another controller, and waits for all that there are.
plugs() {	# N FILE [options]
	more=$1
	shift
	while [ "$more" -gt 0 ]; do
		more=$((more - 1))
		attach "$@" -s 3 -c "$(hub $more)"
	done
	each "$modems" all
}

all() { within 15 configured "$P" || die "$P did not appear"; }

each() {	# of the first N modems: COMMAND...
	upto=$1
	shift
	for i in $(seq "$upto"); do
		eval "P=\$P$i L=\$L$i"
		"$@"
	done
}

done8() {
	order 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 ' write '
	count 1 'reset at'
}

t_eight() {	# as long as the slowest
	nodrivers
	plugs 1 mc7710
	go -t mbim
	status 0
	one=$T
	unplug
	modems=0
	plugs 8 mc7710
	go -t mbim
	status 0
	each 8 done8
	[ "$(grep -c 'in mode mbim:' "$OUT")" = 8 ] || die 'not a verdict for each'
	[ "$T" -le $((one * 2)) ] || die "eight took $T ms, one $one"
}

t_seven_sticks() {	# storage, with every driver there is; a hub each, as one that is busy tells late that a stick left
	drivers usb-storage sierra qcserial cdc_mbim qmi_wwan
	for c in 0 1 2 3 5 6 7; do attach 330u -s 3 -c $c; done
	run swflip-quick -a 5 -w 20 -t 68a2/mbim
	status 0
	each 7 order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	each 7 count 1 'reset at'
	each 7 count 1 'swoc-mode'
}

t_one_hub() {	# eight ports of one, which sees to one after the other
	nodrivers
	for i in 0 1 2 3 4 5 6 7; do attach mc7710 -s 3 -c 0 -p $i; done
	run swflip -w 30 -t mbim
	status 0
	each 8 done8
}

t_one_is_bad() {	# the others reach their target
	nodrivers
	plugs 3 mc7710
	attach mc7710 -s 3 -c 3 -k hang=4
	attach mc7710 -s 3 -c 5 -k back=gone
	attach mc7710 -s 3 -c 6 -k write-differs=1:comp:9
	attach mc7710-old -s 3 -c 7
	attach 330u -s 3 -c 0 -k swoc=stay
	plugs 0
	run swflip-quick -a 5 -w 8 -t mbim
	status 1
	ended 8
	each 3 done8
	[ "$(grep -c ' in mode mbim:' "$OUT")" = 8 ] || die 'not a verdict for each'
	[ "$(grep -c '68a2 in mode mbim:' "$OUT")" = 3 ] || die 'not three that are done'
	L=$L6
	order 'write comp 9' 'write comp 6'
	L=$L7
	order 'write pid 68A2' 'write pid 68A3'
}

t_ports() {	# each its own target
	nodrivers
	plugs 4 mc7710
	go -t "$P1:8" -t "$P2:9!" -t "$P3:off" -t 7
	status 0
	L=$L1
	log 'write comp 8'
	L=$L2
	log 'write comp 9'
	L=$L3
	count 1 ' step '
	L=$L4
	log 'write comp 7'
}

t_only_the_named() {
	nodrivers
	plugs 2 mc7710
	go -t "$P2:8"
	status 0
	L=$L2
	done8
	L=$L1
	count 1 ' step '
}

t_kinds() {	# every dialect at once
	drivers usb-storage sierra qcserial cdc_mbim qmi_wwan option
	plugs 1 330u
	attach mc7710 -s 3 -c 1
	attach mc7455 -s 3 -c 2
	attach em7565 -s 3 -c 3
	attach mc7304 -s 3 -c 5
	attach netgear -s 3 -c 6
	attach flash -s 3 -c 7
	attach mc7710 -s 3 -c 7 -k comp=8
	plugs 0
	run swflip-quick -a 5 -w 20 -t mbim
	status 0
	[ "$(grep -c ' in mode mbim:' "$OUT")" = 7 ] || die 'not a verdict for each'
	L=$L3
	log 'write mask 100D type 1'
	L=$L4
	log 'write mask 100D type 3'
	L=$L7
	nolog 'ctrl 40|write'
	L=$L8
	nolog ' (write|reset) '
}

t_comes_late() {	# while another one is worked on; one that comes in time has the target too
	nodrivers
	plugs 1 mc7710 -k slow=5000
	(within 8 seen 'write comp' && attach mc7710 -s 3 -c 1) &
	go -t 8
	status 0
	done8
	L=$W/log2
	done8
}

# ---- two swflips ----

t_two() {	# one after the other; the second has nothing left to do
	nodrivers
	plugs 1 mc7710
	swflip-quick -w 12 -t 8 >"$W/first" 2>&1 &
	first=$!
	within 5 seen 'ATI' || die 'the first one does not begin'
	go -t 8
	status 0
	wait $first || die 'the first one failed'
	done8
}

t_two_at_odds() {	# each gets its will, one after the other
	nodrivers
	plugs 1 mc7710
	swflip-quick -w 12 -t 8 >"$W/first" 2>&1 &
	within 5 seen 'ATI'
	go -t 6
	status 0
	order 'write comp 8' 'reset at' 'write comp 6' 'reset at'
	count 2 ' write '
}

t_two_waits_no_longer() {	# than its deadline
	nodrivers
	plugs 1 mc7710 -k slow=20000
	swflip-quick -w 20 -t 8 >"$W/first" 2>&1 &
	within 5 seen 'ATI'
	run swflip-quick -w 1 -t 8
	[ "$ST" -ne 0 ] || die 'says that it is done'
	says 'another swflip'
	ended 1
	run swflip-quick -V
	ended 0
	run swflip-quick -t off
	status 0
	ended 0
}

t_killed() {	# the lock goes with whoever had it
	nodrivers
	plugs 1 mc7710 -k slow=3000
	swflip-quick -w 20 -t 8 >"$W/first" 2>&1 &
	within 5 seen 'ATI'
	# shellcheck disable=SC2046
	kill -9 $(pidof swflip-quick)
	go -t 8
	status 0
	[ "$T" -lt 6000 ] || die 'waited for the dead'
}

# ---- more than there is room for ----

t_thirty() {
	nodrivers
	for i in $(seq 0 11); do attach mc7710 -s 3 -p "$i" -k comp=8; done
	for i in $(seq 0 11); do attach flash -s 3 -c 1 -p "$i"; done
	each 24 all
	go -t mbim
	status 0
	[ "$(grep -c 'in mode mbim' "$OUT")" = 12 ] || die "not twelve verdicts: $(wc -l <"$OUT")"
}

# The cable pulled, put in again, the modem falling silent, a signal: at every single step of the run, each in turn. It
# ends in time, and what is stored is what was found, or the target, or the message says what it is.
#
# A step is whatever a host does to the modem: test/modem counts them.

# shellcheck disable=SC1091
. /test/guest/judge

limit=300
W0=4	# -w of each run, at least

was='pid 68A3 .* comp 3 '	# as the modem is found

# Seven, each with its own step and its own hub, as one that is busy with a lost modem has no time for another.
seven() {	# FIRST-STEP 'MODEM AND OPTIONS' KNOB, in which N is the step
	turn=$1
	rm -f "$W"/nv*
	modems=0
	for c in 0 1 2 3 5 6 7; do
		# shellcheck disable=SC2086
		attach $2 -s 3 -n $W/nv$((modems + 1)) -c $c -k "$(echo "$3" | sed "s/N/$turn/")"
		turn=$((turn + 1))
	done
}

# The guest may be slow: each run gets twice the time that seven take to whom nothing happens.
pace() {
	seven 0 "$1" 'at=999:'
	run swflip-quick -a 5 -w 60 -t 68a2/8
	status 0
	for i in $(seq 7); do unplug "$i"; done
	[ $((W0 * 1000)) -ge $((2 * T)) ] || W0=$((2 * T / 1000 + 1))
}

# Seven at a time, until there is one whose step never came.
turns() {	# as for seven
	pace "$2"
	turn=$1 over=''
	while [ -z "$over" ]; do
		seven "$turn" "$2" "$3"
		run swflip-quick -a 5 -w "$W0" -t 68a2/8
		ended $W0
		for i in $(seq 7); do
			eval "P=\$P$i L=\$L$i M=\$M$i NV=$W/nv$i"
			step=$((turn - 8 + i))
			honest
			seen " step $step\$" || undisturbed
			kill "$M" 2>/dev/null || :
		done
		within 8 is_empty || die 'a port is not empty'
	done
	[ "$turn" -gt 20 ] || die "only $turn steps"
}

# All is over for whoever never came to its step and is done; with others that hang it may also have had no time.
undisturbed() {
	case $verdict in *'not in mode'* | *'left behind'*) ;; *) over=yes ;; esac
}

# What the verdict says is true, and says enough.
honest() {
	now=$(kept)
	verdict=$(grep -E "$P: .*(in mode|left behind)" "$OUT") || die "step $step: no verdict: $(cat "$OUT")"
	[ "$(grep -c 'reset at' "$L")" -le 2 ] || die "step $step: more than two resets"
	[ "$(grep -c 'write comp 8' "$L")" -le 1 ] || die "step $step: the composition was written more than once"
	case $verdict in
	*'not in mode'* | *'left behind'*) [ -z "$now" ] || echo "$now" | grep -q "$was" || named ;;
	*) case $now in *'pid 68A2 '*'comp 8 '*) ;; *) die "step $step: says it is done, but: $now" ;; esac ;;
	esac
}

named() {	# both settings as they are stored, or what was written and that it could not be read back
	pid=${now#*pid } comp=${now#*comp }
	case $verdict in
	*'stored is PID '"${pid%% *}"*' composition '"${comp%% *} "* | *'not read back: PID '"${pid%% *} "* | *'not read back:'*' composition '"${comp%% *} "*) ;;
	*) die "step $step: stored is $now, said is: $verdict" ;;
	esac
}

t_pulled() {
	nodrivers
	turns 2 330u pull=N
}

t_pulled_drivers() {
	drivers usb-storage sierra qcserial cdc_mbim
	turns 2 '330u -k truinstall=off' pull=N
}

t_replugged() {
	nodrivers
	W0=12
	turns 2 330u "at=N:kill -USR1 \$PPID"
}

t_silent() {	# the deadline holds wherever the modem stops answering
	nodrivers
	turns 2 330u hang=N
}

t_silent_drivers() {
	drivers qcserial qmi_wwan cdc_mbim
	was='pid 68A2 .* comp 6 '
	turns 2 mc7710 hang=N
}

# ---- signals, one run for each step ----

signals() {	# FILE TARGET 'FOUND' 'WANTED' COMMAND, and what is wanted is running
	step=2 fired=yes
	while [ -n "$fired" ]; do
		modems=0
		rm -f "$W/nv1"
		has "$1" -k truinstall=off -k "at=$step:$5" -s 2
		run sh -c "echo \$\$ >$W/pid; exec swflip-quick -w 12 -t $2"
		ended 5
		now=$(kept)
		if seen ' run '; then
			[ "$ST" -eq 1 ] || { [ "$ST" -eq 0 ] && seen 'reset at'; } || die "step $step: status $ST"
			says 'in mode|signal'
			case $now in
			"$3"* | '') ;;
			"$4"*) seen 'reset at' || die "step $step: $now is stored, not reset: $(cat "$OUT")" ;;
			*) die "step $step: $now is stored: $(cat "$OUT")" ;;
			esac
		else
			fired=''
			status 0
		fi
		unplug
		step=$((step + 1))
	done
	[ $step -gt 15 ] || die "only $step steps"
}

t_term() {	# to the one that was started
	nodrivers
	signals 330u 68a2/mbim 'vid 1199 pid 68A3 bootpid 9070 comp 3 ' 'vid 1199 pid 68A2 bootpid 9070 comp 8 ' "kill -TERM \$(cat $W/pid)"
}

t_int() {	# to all of them, as from a terminal
	drivers qcserial
	signals mc7710 mbim 'vid 1199 pid 68A2 bootpid 9070 comp 6 ' 'vid 1199 pid 68A2 bootpid 9070 comp 8 ' 'killall -INT swflip-quick'
}

t_signal_before_all() {	# while it waits for a modem
	for s in TERM INT HUP; do
		(sleep 0.3; killall -$s swflip-quick) &
		run swflip-quick -a 9 -t mbim
		status 1
		ended 0
	done
}

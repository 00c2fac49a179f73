# Process 1: the kernel starts swflip, and whatever befalls it the next init comes up, with everything that it is due.
# words: rdinit=/bin/swflip-quick swflip.init=/test/guest/init-next swflip.target=mbim swflip.wait=5 swflip.appear=2 colour=blue splash single -- -t x
# first: by_the_kernel

# In mounts of its own, so that it keeps /proc, /sys and /dev for what it runs at a step.
modem() { unshare -m /bin/modem "$@"; }

there() {
	nodrivers
	attach "$@"
	within 5 seen ' plug ' || die 'no modem'
}

# What is process 1 now, and all that a next init has a right to. Sets T, the time that swflip took.
became() {	# PATH
	grep -qx "pid 1 as $1" /tmp/started || die "$(head -n 1 /tmp/started), not $1"
	! grep '^mounted' /tmp/started || die 'a mount is left'
	grep -qx colour=blue /tmp/started || die 'its environment is not there'
	sed -n 's/^argument //p' /tmp/started >"$W/arguments"
	printf '%s\n' "${arguments:-splash
single
--
-t
x
two words

*}" | cmp -s - "$W/arguments" || die 'other arguments'
	for p in $(pidof swflip-quick); do
		[ "$left" ] || grep -q '^State:.Z' "/proc/$p/status" || die 'swflip is still there'
	done
	T=$(($(cat /tmp/ended) - $(cat /tmp/began 2>/dev/null || echo 0)))
	L=$W/log1
	P=$(path 0 0)
}

next=/test/guest/init-next

# The latest end, in ms: swflip.wait=5 and one second more; the rest is for the next init to start on a slow machine.
END=7500

# From the kernel directly, with nothing but its own words; and without USB.
t_by_the_kernel() {
	arguments='splash
single
-t
x'
	became $next
}

before_story() { there 330u; }
t_story() {
	became $next
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	mode 1199:68a2
	[ "$T" -lt 5000 ] || die "took $T ms"
}

before_right_already() { there mc7710 -k comp=8; }
t_right_already() {
	became $next
	nolog 'at 3'
	[ "$T" -lt 1000 ] || die "took $T ms"
}

before_no_modem() { :; }
t_no_modem() {
	became $next
	[ "$T" -lt 3000 ] || die "took $T ms"
}

before_refuses() { there mc7710-old; }
t_refuses() {
	became $next
	order 'write pid 68A2' 'write pid 68A3'
	nolog 'reset at'
}

before_hangs() { there mc7710 -k hang=4; }
t_hangs() {
	became $next
	[ "$T" -lt $END ] || die "took $T ms"
}

# The device's lock in the kernel is held, and nothing helps against that.
before_hangs_in_the_kernel() {
	drivers usb-storage
	attach 330u -k swocinfo=silent -k swoc=silent -k linuxsku=2101
	within 5 seen swoc-info
}
t_hangs_in_the_kernel() {
	left=behind
	became $next
	[ "$T" -lt $END ] || die "took $T ms"
}

# Only /proc is missing: what others mounted stays.
before_others_mounts() {
	there mc7710 -k comp=8
	echo mounts=/proc >"$W/how"
}
t_others_mounts() {
	grep -qx 'mounted /sys/bus' /tmp/started || die '/sys is gone'
	grep -qx 'mounted /dev/null' /tmp/started || die '/dev is gone'
	sed -i '/^mounted .*\(sys\|dev\)/d' /tmp/started
	became $next
}

# Not even the directories are there; those that swflip makes go again.
before_no_directories() {
	there mc7710-old	# one that stays on the bus: it loses its own /sys with the directory
	echo "mounts='/sys /proc' bare=y" >"$W/how"
}
t_no_directories() {
	! grep -Ex 'directory /(sys|proc)' /tmp/started || die 'a directory is left'
	sed -i '/^mounted .*dev/d' /tmp/started
	became $next
	log 'write pid 68A3'
}

# No console, so descriptors 0 to 2 are closed, and no /dev/null at first: what swflip says must not reach the modem.
before_no_console() {
	drivers qcserial
	attach mc7710
	within 5 tty 3
	echo closed=y >"$W/how"
}
t_no_console() {
	became $next
	order 'write comp 8' 'reset at' 'plug 1199:68a2'
	nolog 'at 3 .*swflip'
}

# What the modem says to a shell at a step: swflip's children get a signal. 1 is the parent of the one that process 1 made.
signal() {	# NAME first|second STEP
	there 330u -k "at=$3:for p in \$(pidof swflip-quick); do set -- \$(cat /proc/\$p/stat); case $2,\$4 in *,0) ;; first,1) kill -$1 \$p ;; first,*) ;; second,1) ;; *) kill -$1 \$p ;; esac; done"
}
killed() {
	became $next
	log 'run for p'
	[ "$T" -lt "${1:-5000}" ] || die "took $T ms"
}

before_first_KILL() { signal KILL first 8; }
t_first_KILL() { killed; }
before_first_SEGV() { signal SEGV first 8; }
t_first_SEGV() { killed; }
before_first_ABRT() { signal ABRT first 3; }
t_first_ABRT() { killed; }
before_first_TERM() { signal TERM first 10; }
t_first_TERM() { killed; }
before_first_STOP() { signal STOP first 8; }
t_first_STOP() { killed $END; }
before_second_KILL() { signal KILL second 8; }
t_second_KILL() { killed; }
before_second_SEGV() { signal SEGV second 12; }
t_second_SEGV() { killed; }
before_second_ABRT() { signal ABRT second 3; }
t_second_ABRT() { killed; }
before_second_STOP() { signal STOP second 8; }
t_second_STOP() { killed $END; }

# Ctrl-Alt-Del and the like, to process 1 itself: not its business yet.
before_signals_for_process_1() {
	there 330u -k 'at=3:kill -INT 1' -k 'at=5:kill -TERM 1' -k 'at=7:kill -HUP 1' -k 'at=8:kill -SEGV 1' -k 'at=9:kill -USR1 1'
}
t_signals_for_process_1() {
	became $next
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
}

# The modem ends in the middle of everything.
before_pulled() { there 330u -k pull=12; }
t_pulled() {
	became $next
	[ "$T" -lt $END ] || die "took $T ms"
}

# What is typed, on the command line and the kernel's: bad input touches nothing and ends in 2.

# shellcheck disable=SC1091
. /test/guest/judge

idle() { count 1 ' step '; }	# nothing but the kernel's own configuration

bad() {	# OPTION... : one line that has the last word in it
	run swflip-quick "$@"
	status 2
	ended 0
	[ "$(wc -l <"$OUT")" = 1 ] || die "not one line for $*: $(cat "$OUT")"
	shift $(($# - 1))
	grep -qF -- "$1" "$OUT" || die "does not say where for $1: $(cat "$OUT")"
}

t_targets() {
	nodrivers
	has mc7710
	for t in 9071 10d 1-2 1-1:1.0:mbim 0x0 @0 'mbim!@2' 'off!' 'modem!' off@1 68a2/off 68a2/modem '' qmi+mbim 0x1108 \
	    mbim@ mbim@0 mbim@x mbim+ +mbim mbim++at 256 0x 0x1 0x100000000 68a/mbim 68a2f/mbim 68g2/mbim 68a2/ / : 1-1: 1-1:off: \
	    1-:mbim -1:mbim 1-1.:mbim mbim!! mbim@2@1 'mbim ' ' mbim' rndis audio adb foo 8x 8.0 -8 +8 \
	    0x100d@1x 1-1:68a2:mbim 68a2/1-1:mbim off+mbim modem@0 'mbim
'; do
		case $t in 0x1) continue ;; esac	# fine: DM alone, but for the AT port
		bad -t "$t"
	done
	idle
	untouched
}

t_options() {
	nodrivers
	has mc7710
	for w in 0 -1 1.5 x '' 1s ' 1' 99999999999; do bad -w "$w"; done
	for a in -1 1.5 x '' 1s 99999999999; do bad -a "$a"; done
	for o in -z -x --helpp --verbose mbim; do bad -t mbim "$o"; done
	for o in -t -w -a -c; do bad $o; done
	for c in abc A71 1234567890123456 'A7"10' 'A7 10' 'A710
' ''; do
		run swflip-quick -t mbim -c "$c"
		status 2
		[ "$(wc -l <"$OUT")" = 1 ] || die 'not one line'
	done
	idle
}

t_bad_beats_all() {	# 2 comes before whatever else: after a good target, with -l, without a modem
	nodrivers
	run swflip-quick -a 0 -t mbim -t 1-9:nonsense
	status 2
	run swflip-quick -a 0 -w 0
	status 2
}

t_good_targets() {
	nodrivers
	has mc7710
	for t in qmi QMI 6 68A2/6 68a2/qmi@1 qmi! 6! "$P:qmi" "$P:68a2/6@1!" modem modem@1 at+dm+nmea+qmi diag+rmnet+modem off; do
		go -t "$t"
		status 0
	done
	untouched
}

t_help() {
	run swflip-quick -h
	status 0
	says usage
	run swflip-quick -V
	status 0
	says '^swflip [0-9]'
	run swflip-quick -hl -t mbim
	status 0
}

# ---- no modem, and how long that is waited for ----

t_no_modem() {
	nodrivers
	run swflip-quick -a 0 -t mbim
	status 3
	ended 0
	[ "$T" -lt 300 ] || die 'not at once'
	run swflip-quick -a 1 -t mbim
	status 3
	[ "$T" -ge 990 ] || die 'did not wait'
	ended 1
	run swflip-quick -a 9 -w 1	# the smaller one counts
	status 3
	ended 1
}

t_not_ours() {	# an empty port is what others look like
	nodrivers
	has flash
	has other
	run swflip-quick -a 1 -t mbim
	status 3
	for L in "$L1" "$L2"; do idle; done
}

t_comes_late() {
	nodrivers
	(sleep 1; has mc7710 -k comp=8) &
	run swflip-quick -a 5 -t mbim
	status 0
	[ "$T" -ge 900 ] || die 'did not wait'
	ended 2
}

t_empty_port() {	# named, and the other one is done: the worst of both
	nodrivers
	has mc7710
	go -a 1 -t mbim -t 1-9:mbim
	status 3
	says '1-9: no modem'
	log 'write comp 8'
}

t_worst() {	# 1 beats 3
	nodrivers
	has mc7710
	go -a 1 -t 3 -t 1-9:mbim
	status 1
	untouched
}

# ---- the kernel's words ----

words() {	# WORDS OPTION... : swflip-quick under that command line
	printf '%s\n' "$1" >"$W/cmdline"
	shift
	run unshare -m sh -c "mount -o bind $W/cmdline /proc/cmdline && exec swflip-quick \"\$@\"" sh "$@"
}

t_kernel_words() {
	nodrivers
	has mc7710
	words 'quiet swflip.target="mbim" swflip.wait=12 splash'
	status 0
	log 'write comp 8'
	words "swflip.target=$P:qmi swflip.target=1-9:off swflip.target=$P:8"	# each of its port
	status 0
	count 1 ' write '
	words 'swflip.target=8 swflip.target=6'	# a later one replaces
	status 0
	order 'write comp 8' 'write comp 6'
	words 'swflip.target=6 -- swflip.target=8'
	status 0
	count 2 ' write '
}

t_kernel_words_bad() {
	nodrivers
	has mc7710
	for w in swflip.target=9071 swflip.target= swflip.wait=0 swflip.wait=x swflip.appear=-1 swflip.code=A7 swflip.log=3; do
		words "quiet swflip.target=mbim $w"
		status 2
		[ "$(wc -l <"$OUT")" = 1 ] || die "not one line: $(cat "$OUT")"
		case $w in *code*) ;; *) says "${w%%=*}" ;; esac
	done
	idle
}

t_kernel_words_overridden() {	# are not even parsed
	nodrivers
	has mc7710
	words 'swflip.target=nonsense swflip.wait=0 swflip.appear=x swflip.code=- swflip.log=7' -t 6 -w 9 -a 1 -c A710 -v
	status 0
	log 'at 3 AT!UDUSBCOMP\?'
}

t_kernel_words_unknown() {
	nodrivers
	has mc7710
	words 'swflip.target=6 swflip.colour=red'
	status 0
	says 'swflip.colour'
}

t_kernel_words_rest() {
	nodrivers
	has mc7710 -k unlock=OTHER77
	words 'swflip.target=8 swflip.code=OTHER77 swflip.log=0'
	status 0
	log 'unlock ok'
	silent 'write|reset'
	words 'swflip.appear=0 swflip.target=1-9:mbim'
	status 3
	ended 0
}

# ---- what it says ----

t_code_is_never_shown() {
	nodrivers
	has mc7710 -k unlock=S3cretCode
	go -v -c S3cretCode -t mbim
	status 0
	silent '[Ss]3cret'
	says 'ENTERCND'
}

t_quiet() {
	nodrivers
	has mc7710
	go -q -t mbim
	status 0
	[ "$(wc -l <"$OUT")" = 1 ] || die "more than the verdict: $(cat "$OUT")"
	says "$P: 1199:68a2 in mode mbim"
}

t_kmsg() {
	nodrivers
	has mc7710
	go -k -v -t mbim
	status 0
	[ ! -s "$OUT" ] || die 'says something on stderr'
	dmesg | grep -q 'swflip: .*in mode mbim' || die 'nothing in the kernel log'
	! dmesg | grep -q 'swflip: .*AT!UD' || die 'the dialogue is in the kernel log'
}

# ---- a poor system ----

poor() {	# COMMANDS OPTION... : swflip-quick after these, in a mount namespace
	before=$1
	shift
	run unshare -m sh -c "$before; exec /bin/swflip-quick \"\$@\"" sh "$@"
}

t_no_sys() {
	poor 'umount -l /sys' -a 0 -t mbim
	status 2
	says /sys
}

t_no_proc() {
	nodrivers
	has mc7710
	poor 'umount -l /proc' -a 0
	status 2
	idle
	poor 'umount -l /proc' -a 0 -t 6
	status 0
	says /proc
}

t_no_dev() {	# nodes are made where there is room, and removed
	drivers qcserial
	has mc7710
	poor 'umount -l /dev; mount -t tmpfs none /dev' -a 0 -t 6
	status 0
	log 'at 3 AT!UDUSBCOMP\?'
	untouched
	nodrivers
	within 5 configured "$P"
	poor 'umount -l /dev; mount -t tmpfs none /dev' -w 12 -t 8
	status 0
	log 'write comp 8'
	[ -z "$(find /run /tmp -name '.swflip*')" ] || die 'left a node behind'
}

t_closed_descriptors() {
	nodrivers
	has mc7710
	run sh -c 'exec swflip-quick -w 12 -t 8 <&- >&- 2>&-'
	status 0
	log 'write comp 8'
}

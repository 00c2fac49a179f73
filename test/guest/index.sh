# The numbered dialect: what is asked, chosen, written and reset, for each kind of target.

# shellcheck disable=SC1091
. /test/guest/judge

# ---- nothing is written when it is right ----

t_right_names() {	# by the descriptors alone
	nodrivers
	has mc7710 -k comp=8
	go -t mbim
	status 0
	says '1199:68a2 in mode mbim: .*mbim'
	says 'cdc_mbim'
	nolog ' at 3 '
	untouched
}

t_right_number() {	# asked for
	drivers qcserial qmi_wwan
	has mc7710
	go -t 6
	status 0
	log 'at 3 AT!UDUSBCOMP\?'
	untouched
}

t_right_pid() {
	drivers qcserial
	has mc7710
	go -t 68A2/6
	status 0
	log 'at 3 AT!UDPID\?'
	untouched
}

t_right_without_at() {	# a modem that serves is left as it is, with a warning
	nodrivers
	has mbim9
	go -t mbim
	status 0
	says 'warning: no AT port'
	untouched
}

t_right_net() {
	nodrivers
	has 330u -k truinstall=off
	go -t net+ms
	status 0
	untouched
	go -t at
	status 0
	untouched
}

# ---- names ----

t_name() {
	drivers qcserial qmi_wwan
	has mc7710
	go -t MBIM
	status 0
	order 'unlock ok' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 ' write '
	count 1 'reset at'
}

t_names() {
	nodrivers
	has mc7710 -k comp=8
	go -t rmnet+diag+modem
	status 0
	order 'write comp 6' 'reset at'
	count 1 ' write '
}

t_modem_in_a_sum() {	# is at, and what is named twice counts once
	nodrivers
	has mc7710
	go -t modem+mbim+mbim
	status 0
	log 'write comp 8'
}

t_name_moves_pid() {
	drivers sierra qcserial
	has 330u -k truinstall=off
	go -t qmi
	status 0
	order 'write pid 68A2' 'follow comp 6' 'reset at' 'plug 1199:68a2'
	count 0 'write comp'
	count 1 'reset at'
}

t_name_moves_pid_not_followed() {	# the composition does not follow the PID: both are written, one reset
	nodrivers
	has 330u -k truinstall=off -k nofollow
	go -t mbim
	status 0
	order 'write pid 68A2' 'AT!UDUSBCOMP=\?' 'write comp 8' 'reset at'
	count 1 'reset at'
	nolog ' refuse '
}

t_ecm_when_named() {
	nodrivers
	has 330u -k truinstall=off
	go -t ecm
	status 0
	order 'write comp 5' 'reset at'
	count 0 'write pid'
}

t_name_not_offered() {	# the list after the PID speaks for it and has no MBIM: put back, no reset
	drivers sierra qcserial
	has mc7710-old
	go -t mbim
	status 1
	order 'write pid 68A2' 'AT!UDUSBCOMP=\?' 'write pid 68A3'
	count 2 'write pid'
	count 0 'write comp'
	count 0 'reset at'
	stored 'pid 68A3' 'comp 3'
	says 'not offer'
}

t_old_has_qmi() {
	nodrivers
	has mc7710-old
	go -t qmi
	status 0
	order 'write pid 68A2' 'reset at' 'plug 1199:68a2'
	count 1 'reset at'
}

t_words_that_are_none() {	# 8 is `Win8 Std Net`: no name finds it
	nodrivers
	has mc7750
	go -t mbim
	status 1
	untouched
	go -t 8
	status 1
	untouched
	says '!'
	go -t 8!
	status 0
	order 'write comp 8' 'reset at' 'plug 114f:68a2'
}

t_reserved() {
	nodrivers
	has mc7750
	for n in 9! 10! 11 77; do
		go -t $n
		status 1
	done
	untouched
}

# ---- numbers ----

t_number_not_supported() {
	drivers qcserial
	has mc7710
	go -t 3
	status 1
	says '6,7,8'
	untouched
}

t_number_never_changes_pid() {
	nodrivers
	has 330u -k truinstall=off
	go -t 8
	status 1
	untouched
}

t_number_without_at() {
	nodrivers
	has mc7710
	go -t 9
	status 1
	untouched
	go -t 9!
	status 0
	order 'write comp 9' 'reset at'
	count 1 ' write '
	count 1 'reset at'
	says 'in mode 9!'
}

t_bang_prefers_at() {
	nodrivers
	has mc7710
	go -t mbim!
	status 0
	order 'write comp 8' 'reset at'
}

t_no_bits() {
	nodrivers
	has mc7710
	go -t 0x100D
	status 1
	untouched
}

# ---- product IDs ----

t_pid() {
	drivers sierra qcserial
	has mc7710
	go -t 68A3/3
	status 0
	order 'write pid 68A3' 'reset at' 'plug 1199:68a3'
	count 1 'reset at'
	count 0 'write comp'
}

t_pid_and_number() {
	drivers sierra qcserial
	has 330u -k truinstall=off
	go -t 68a2/8
	status 0
	order 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'reset at'
}

t_pid_and_name() {
	nodrivers
	has mc7710
	go -t 68aa/net
	status 0
	order 'write pid 68AA' 'reset at' 'plug 1199:68aa'
}

t_pid_not_listed() {	# the modem would take it, and die of it
	nodrivers
	has mc7710
	for p in 68b1/9! 68e2/6 9205/mbim; do
		go -t $p
		status 1
		says '68A3,68AA,68A2,68A9'
	done
	untouched
}

t_pid_and_unlisted_number() {	# the PID is fine, the number is not there: put back
	nodrivers
	has 330u -k truinstall=off
	go -t 68a2/3
	status 1
	order 'write pid 68A2' 'write pid 68A3'
	count 0 'reset at'
	stored 'pid 68A3' 'comp 3'
}

t_68b1() {	# listed, but without an AT port: it wants a `!`
	nodrivers
	has mc7710 -k 'pids\n68A2\n68B1' -k 'follow 68B1 9' -k 'list 68B1\n9 - MBIM SUPPORTED' -k 'mode 68B1 9\nconfig mbim#0'
	for t in mbim 9; do
		go -t 68b1/$t
		status 1
		stored 'pid 68A2' 'comp 6'
	done
	count 0 'reset at'
	go -t 68b1/mbim!
	status 0
	order 'write pid 68B1' 'reset at' 'plug 1199:68b1'
	count 1 'reset at'
}

t_follows_without_at() {	# the composition that comes with the PID has no AT port: one that has is written
	nodrivers
	has 330u -k truinstall=off -k 'follow 68A2 9'
	go -t mbim
	status 0
	order 'write pid 68A2' 'follow comp 9' 'write comp 8' 'reset at'
	count 1 'reset at'
}

t_pid_pairs() {
	nodrivers
	has netgear
	go -t mbim
	status 0
	order 'write comp 8' 'reset at'
	count 0 'write pid'
	go -t 68e2/8
	status 0
	order 'write pid 68E2' 'write comp 8' 'reset at' 'plug 1199:68e2'
}

t_boot_pid_is_none_to_have() {
	nodrivers
	has netgear
	go -t 68e0/6
	status 1
	untouched
}

t_other_vendor() {	# 0f3d, after the flip
	nodrivers
	has 313u
	go -t mbim
	status 0
	order 'plug 1199:0fff' 'swoc-mode 1' 'plug 0f3d:68aa' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 0f3d:68a2'
	count 1 'reset at'
}

t_stranded() {	# owners who mistyped: AT where no driver looks for it
	drivers sierra qcserial qmi_wwan
	for f in 68e2 68a3-6 9205; do
		has $f
		go -t 68a2/8
		status 0
		order 'write pid 68A2|write comp 8' 'reset at' 'plug 1199:68a2'
		unplug
	done
}

t_quirky_net() {
	drivers qcserial qmi_wwan
	has mc7304
	go -t mbim
	status 0
	order 'write comp 8' 'reset at' 'plug 1199:68c0'
}

# ---- lists that lag ----

t_lag() {	# the list is the running PID's: reset into the new one, read again
	nodrivers
	has 330u -k truinstall=off -k list-lag
	go -t mbim
	status 0
	order 'write pid 68A2' 'reset at' 'plug 1199:68a2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 2 'reset at'
	count 1 'write pid'
	count 1 'write comp'
}

t_lag_in_vain() {	# it never offers the target: put back, reset, refused
	nodrivers
	has mc7710-old -k list-lag
	go -t mbim
	status 1
	order 'write pid 68A2' 'reset at' 'plug 1199:68a2' 'write pid 68A3' 'reset at' 'plug 1199:68a3'
	count 2 'reset at'
	stored 'pid 68A3' 'comp 3'
	mode 1199:68a3
	says 'not offer'
}

t_lag_in_vain_not_followed() {	# the composition does not follow: it is put back as well
	nodrivers
	has mc7710-old -k list-lag -k nofollow -k 'mode 68A2 3\nconfig dm hip nmea at mdm1 nic1 ms'
	go -t mbim
	status 1
	count 2 'reset at'
	stored 'pid 68A3' 'comp 3'
	mode 1199:68a3
}

# ---- dual compositions: the kernel itself picks configuration 2 of 14 and 19 ----

active() {
	c=$(cat "$usb/$P/bConfigurationValue")
	[ "$c" = "$1" ] || die "configuration $c, not $1"
}

t_dual_number() {
	drivers qcserial cdc_mbim
	has mc7710
	go -t 14
	status 0
	order 'write comp 14' 'reset at'
	active 2	# as the kernel chose
}

t_dual_number_config() {
	drivers qcserial cdc_mbim
	has mc7710
	go -t 19@1
	status 0
	order 'write comp 19' 'reset at' 'config 2' 'config 1'
	active 1
}

t_dual_selects() {	# only the configuration is selected, no port is opened
	for d in '' 'qcserial cdc_mbim qmi_wwan'; do
		# shellcheck disable=SC2086
		drivers $d
		has mc7710 -k comp=14
		active 2
		go -t qmi
		status 0
		active 1
		nolog ' at 3 '
		go -t mbim
		status 0
		active 2
		untouched
		unplug
	done
}

t_dual_selects_number() {	# the composition is right, the configuration is not
	nodrivers
	has mc7710 -k comp=14
	go -t 14@1
	status 0
	active 1
	untouched
}

t_dual_asked() {	# the AT port is in the other configuration
	drivers qcserial cdc_mbim
	has mc7710 -k comp=19
	go -t 8
	status 0
	order 'config 2' 'config 1' 'write comp 8' 'reset at'
	active 1
}

t_dual_refused() {	# and the configuration is as it was
	nodrivers
	has mc7710 -k comp=14
	go -t 3
	status 1
	order 'config 2' 'config 1' 'config 2'
	active 2
	untouched
}

t_dual_number_kept() {	# asking went by way of configuration 1; the kernel's choice is restored
	nodrivers
	has mc7710 -k comp=14
	go -t 14
	status 0
	untouched
	active 2
}

t_config_2() {	# functions in configuration 2 of a dual one
	nodrivers
	has mc7710
	go -t mbim@2
	status 0
	order 'write comp 13' 'reset at' 'config 2'
	active 2
}

t_no_such_config() {
	nodrivers
	has mc7710 -k comp=13
	for t in mbim@3 13@3 modem@3 qmi@2; do
		go -t $t
		status 1
	done
	untouched
	has mc7710
	go -t 6@2
	status 1
	untouched
}

t_modem_config() {
	nodrivers
	has mc7710 -k comp=14
	go -t modem@1
	status 0
	active 1
	nolog ' at 3 '
	untouched
}

# ---- modem, off ----

t_modem() {	# the default: leaves storage and no more
	nodrivers
	has 330u
	go
	status 0
	count 1 'swoc-mode 1'
	mode 1199:68a3
	nolog ' (at|write|reset) '
}

t_off() {
	nodrivers
	has 330u
	go -t off
	status 0
	ended 0
	go -t "$P:off" -t mbim -a 0
	status 3
	count 1 ' step '
}

# ---- dry run and list ----

t_dry() {
	drivers sierra qcserial
	has 330u -k truinstall=off
	go -n -t mbim
	status 0
	says 'would write PID 68A2'
	untouched
	mode 1199:68a3
}

t_dry_composition() {
	nodrivers
	has mc7710
	go -n -t mbim
	status 0
	nolog ' unlock '
	untouched
	grep -n . "$OUT" | grep -q 'would write composition 8' || die 'does not say what'
	says 'would reset'
}

t_dry_refused() {
	nodrivers
	has mc7710
	for t in 3 9 68b1/9! 0x100D; do
		go -n -t $t
		status 1
	done
	untouched
}

t_dry_storage() {
	nodrivers
	has 330u
	go -n -t mbim
	status 0
	count 1 '^[0-9.]+ config '
	untouched
	mode 1199:0fff
}

t_dry_config() {	# 14 runs configuration 2
	nodrivers
	has mc7710 -k comp=14
	go -n -t qmi
	status 0
	says 'would select configuration 1'
	go -n -t 6
	status 0
	active 2
	count 1 '^[0-9.]+ config '
	untouched
}

t_dry_right() {
	nodrivers
	has mc7710
	go -n -t qmi
	status 0
	silent 'would (write|select|reset|leave|ask)'
	untouched
}

column() { cut -f "$2" "$OUT" | sed -n "$1p"; }

t_list() {
	drivers qcserial qmi_wwan
	has mc7710
	run swflip-quick -lq
	status 0
	[ "$(awk -F '\t' '{ print NF }' "$OUT")" = 7 ] || die "not 7 columns: $(cat "$OUT")"
	[ "$(column 1 1) $(column 1 2) $(column 1 3)" = "$P 1199:68a2 modem" ] || die "wrong: $(cat "$OUT")"
	case $(column 1 4) in *'at(qcserial)'*'qmi(qmi_wwan)'*) ;; *) die "functions: $(column 1 4)" ;; esac
	case $(column 1 5) in ttyUSB*) ;; *) die "AT port: $(column 1 5)" ;; esac
	case $(column 1 6) in *68A2*6*) ;; *) die "has: $(column 1 6)" ;; esac
	case $(column 1 7) in *68A3*68A9*6=dm+nmea+at+qmi,7=*,8=dm+nmea+at+mbim,9=mbim,*22=*) ;; *) die "offers: $(column 1 7)" ;; esac
	untouched
}

t_list_all() {	# each kind of device, a line each, no order promised
	nodrivers
	has 330u
	has mc7455
	has qdl
	has mbim9
	has flash
	run swflip-quick -lq -t off
	status 0
	[ "$(wc -l <"$OUT")" = 4 ] || die "not 4 lines: $(cat "$OUT")"
	grep "^$P1	1199:0fff	storage	ms(-)	-	-	-\$" "$OUT" || die "storage: $(cat "$OUT")"
	grep "^$P2	1199:9071	modem	.*	usbfs	.*10D.*	.*" "$OUT" || die "mask: $(cat "$OUT")"
	grep "^$P3	1199:9090	boot	" "$OUT" || die "boot: $(cat "$OUT")"
	grep "^$P4	1199:68a2	modem	mbim(-)	-	.*9.*	.*6=.*,7=.*,8=dm+nmea+at+mbim" "$OUT" || die "mbim: $(cat "$OUT")"
	for L in "$L1" "$L2" "$L4"; do untouched; done
	L=$L5
	count 1 ' step '
}

t_list_none() {
	nodrivers
	run swflip-quick -l
	status 3
	ended 0
	has flash
	run swflip-quick -l
	status 3
}

t_list_waits() {
	nodrivers
	(sleep 0.5; plug mc7710) &
	run swflip-quick -l -a 5
	status 0
	grep -q '1199:68a2' "$OUT"
}

# ---- the program as it is installed ----

t_real() {
	drivers usb-storage sierra qcserial cdc_mbim
	plug 330u
	run swflip -t mbim
	status 0
	order 'swoc-mode 1' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'swoc-mode'
	[ "$T" -ge 6000 ] || die 'did not watch whether it stays'
}

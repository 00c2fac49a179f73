# Others than swflip believe the simulated modem: Debian's usb_modeswitch, qmicli and mbimcli, the kernel's own drivers, a
# person at a shell.

# One AT command as a shell script gives it, to the tty that is open as descriptor 3.
at() {
	printf '%s\r' "$1" >&3
	answer=''
	while read -r -t 5 line <&3; do
		line=${line%"$CR"}
		answer="$answer$line
"
		case $line in OK | ERROR) break ;; esac
	done
	echo "$answer"
}
CR=$(printf '\r')

t_usb_modeswitch() {
	nodrivers
	plug 330u
	mode 1199:0fff
	run usb_modeswitch -v 1199 -p 0fff -S
	status 0
	within 10 mode 1199:68a3 || die 'it is no modem'
	count 1 'swoc-mode 1'
}

t_usb_storage() {
	drivers usb-storage
	attach 330u
	within 20 mode 1199:68a3 || die 'it is no modem'
	order 'plug 1199:0fff' 'swoc-info' 'swoc-mode 1' 'plug 1199:68a3'
	count 1 'swoc-mode'
}

t_linux_sku() {
	drivers usb-storage
	plug 330u -k linuxsku=2101
	within 5 grep -q SKU=2101 "$usb/$P:1.9/truinst" || die 'usb-storage did not keep it'
	nolog swoc-mode
}

t_sierra() {
	drivers usb-storage sierra sierra_net
	attach 330u
	within 20 tty 3 || die 'interface 3 has no tty'
	for i in 0 2 3; do driver "$i" sierra; done
	driver 7 sierra_net
	driver 9 usb-storage
	exec 3<>"$(tty 3)"
	stty raw -echo <&3
	at ATI
	case $answer in *'Model: AC330U'*OK*) ;; *) die "ATI: $answer" ;; esac
	at 'AT!UDPID?'
	case $answer in *'!UDPID: 68A3'*OK*) ;; *) die "UDPID: $answer" ;; esac
	at 'AT!UDPID=68A2'
	case $answer in *ERROR*) ;; *) die "written before the unlock: $answer" ;; esac
	at 'AT!ENTERCND="A710"'
	at 'AT!UDPID=68A2'
	at 'AT!UDUSBCOMP?'
	case $answer in *'!UDUSBCOMP: 6'*OK*) ;; *) die "UDUSBCOMP: $answer" ;; esac
	at 'AT!UDUSBCOMP=8'
	at 'AT!RESET'
	order 'unlock ok' 'write pid 68A2' 'write comp 8' 'reset at'
	within 10 seen 'plug 1199:68a2' || die 'it does not come back'
}

t_qcserial() {
	drivers qcserial qmi_wwan
	plug 330u -k truinstall=off -k pid=68A2 -k comp=6
	within 5 tty 3 || die 'interface 3 has no tty'
	for i in 0 2 3; do driver "$i" qcserial; done
	driver 8 qmi_wwan
	exec 3<>"$(tty 3)"
	stty raw -echo <&3
	at ATI
	case $answer in *'Model: AC330U'*OK*) ;; *) die "ATI: $answer" ;; esac
}

t_option() {
	drivers option
	echo 1199 68a2 >/sys/bus/usb-serial/drivers/option1/new_id
	plug 330u -k truinstall=off -k pid=68A2 -k comp=6
	within 5 tty 3 || die 'interface 3 has no tty'
	drivers qcserial	# forgets the new_id
}

# The composition by QMI, there and back; MODE is how qmicli opens the node.
by_qmi() {	# MODE NOW WANTED
	within 10 test -c /dev/cdc-wdm0 || die 'no cdc-wdm0'
	set -- "$2" "$3" qmicli -d /dev/cdc-wdm0 "--device-open-$1"
	now=$1 wanted=$2
	shift 2
	run "$@" --dms-get-model
	status 0
	says 'AirCard 330U'
	run "$@" --dms-swi-get-usb-composition
	status 0
	says "\[\*\] USB composition $now:"
	says "USB composition $wanted:"
	run "$@" --dms-swi-set-usb-composition="$wanted"
	status 0
	run "$@" --dms-set-operating-mode=offline
	status 0
	run "$@" --dms-set-operating-mode=reset
	status 0
	order "write comp $wanted" 'reset qmi'
	count 1 'reset qmi'
	within 10 configured "$P" || die 'it does not come back'
}

t_qmicli() {
	drivers qcserial qmi_wwan cdc_mbim
	plug 330u -k truinstall=off -k pid=68A2 -k comp=6
	by_qmi qmi 6 8
	within 10 driver 12 cdc_mbim || die 'no MBIM'
}

t_qmicli_mbim() {
	drivers qcserial qmi_wwan cdc_mbim
	plug 330u -k truinstall=off -k pid=68A2 -k comp=8
	by_qmi mbim 8 6
	within 10 driver 8 qmi_wwan || die 'no QMI'
}

t_mbimcli() {
	drivers cdc_mbim
	plug 330u -k truinstall=off -k pid=68A2 -k comp=8
	within 10 test -c /dev/cdc-wdm0 || die 'no cdc-wdm0'
	run mbimcli -d /dev/cdc-wdm0 --query-device-caps
	status 0
	says 'Device ID'
	within 5 test -e /sys/class/net/wwan0 || die 'no wwan0'
}

# The seed's story on every architecture: storage stick, Direct IP, PID, composition, one reset, MBIM.
# arch: x86_64 arm64 armhf mipsel
# kernels: bullseye bookworm trixie newest
# words: swflip.target=mbim

limit=120

story() {
	plug 330u
	run swflip-quick "$@"
	status 0
	order 'plug 1199:0fff' 'swoc-mode 1' 'plug 1199:68a3' 'unlock ok' 'write pid 68A2' 'write comp 8' 'reset at' 'plug 1199:68a2'
	count 1 'write pid'
	count 1 'write comp'
	count 1 'reset at'
	nolog ' refuse '
}

t_bare() {
	nodrivers
	story
}

t_drivers() {
	drivers usb-storage sierra qcserial cdc_mbim qmi_wwan sierra_net
	story
	within 5 test -e /sys/class/net/wwan0 || die 'no wwan0'
}

t_number() {
	drivers sierra qcserial
	story -t 68a2/8
}

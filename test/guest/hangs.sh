# The deadline holds whatever hangs: a modem that stops answering, a driver that keeps the device's lock in the kernel, where
# opening the node, a control request, bConfigurationValue and on many kernels the mere reading of `descriptors` wait for it.
# arch: x86_64
# kernels: bullseye bookworm trixie newest

# shellcheck disable=SC1091
. /test/guest/judge
. /test/guest/herd

limit=90

named() { says "^swflip: $P: .*not in mode 8"; }

# Sticks, modems with an AT port and modems without, each silent from another step on.
silent_ones() {
	herd 330u hang=2 hang=3
	herd mc7710 hang=2 hang=4 hang=7
	herd mbim9 hang=3 hang=7 hang=11
	first=0
	run swflip-quick -t 8 -w 5
	status 1
	ended 5
	each named
}

t_usbfs() {
	nodrivers
	silent_ones
}

t_drivers() {
	drivers qcserial cdc_mbim
	silent_ones
}

# Where nobody can take the lock: whoever selects a configuration must.
locked() { ! timeout -s KILL 1 sh -c "echo 1 >$usb/$P/bConfigurationValue"; }

let_go() {
	kill "$M"
	within 40 absent "$P" || die 'the driver never lets go of the device'
}

# usb-storage asks the stick about its SWoC, three times for 7 s.
t_lock() {
	drivers usb-storage
	attach 330u -k swocinfo=silent -k swoc=silent -k linuxsku=2101
	within 8 seen swoc-info || die 'the kernel does not ask the stick'
	locked || die 'the lock is not held'
	run swflip-quick -l -w 3
	ended 3
	says "^$P	1199:0fff	"
	run swflip-quick -t mbim -w 3
	status 1
	ended 3
	says "^swflip: $P: .*not in mode mbim"
	(sleep 1; killall -TERM swflip-quick) &
	run swflip-quick -t mbim -w 20
	status 1
	ended 2
	locked || die 'the lock was not held all the time'
	let_go
}

# The network's driver asks while it is bound, which no modem answers.
t_lock_network() {
	drivers cdc_mbim qmi_wwan
	attach mc7710 -k comp=8 -k hang=2
	within 8 configured "$P"
	locked || die 'the lock is not held'
	run swflip-quick -t qmi -w 3
	status 1
	ended 3
	says "^swflip: $P: .*not in mode qmi"
	let_go
}

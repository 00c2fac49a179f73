# The words that scenarios are written in. Sourced by BusyBox's ash in the guest.
# shellcheck shell=sh
#
#	plug FILE [modem's options]	a modem from test/modems appears and the kernel configures it. Sets M (its process),
#					L (its log), P (its port, as in sysfs), and M1, L1, P1 for the first, M2 ...
#					It takes a tenth of the real times: -s 100 is real
#	attach FILE [modem's options]	the same, but does not wait for the kernel
#	unplug [N]			pulls the cable of the last one, or of the Nth, and waits for the port to be empty
#	drivers NAME...			these kernel modules and what they need, no others
#	nodrivers			none but the USB core and the virtual host
#	run COMMAND...			sets ST (status), OUT (file of all it said), T (milliseconds)
#	status N, says RE, silent RE	what that run must have ended with, said, not said
#	log RE, nolog RE, count N RE, order RE...	what the log of the last modem must show (L=$L1 log RE: of the first)
#	mode VID:PID			is what the last modem is now (also of P=$P1)
#	driver IF NAME			its interface number IF has that driver
#	tty IF				prints the tty of that interface, /dev/ttyUSB3
#	within SECONDS COMMAND...	waits for a command to succeed; `within 5 seen RE`: for a line in the log
#	die WHY				the scenario failed
#
# A command that fails fails the scenario (sh -e). A group file may set limit=SECONDS for all its scenarios (60), and
# limit_NAME for one.
# shellcheck disable=SC2034	# used by the scenarios

export PATH=/bin HOME=/root
W=/tmp/w

# What process 1 has to do first, where it is not done yet.
boot() {
	[ -e /bin/mount ] || /bin/busybox --install -s /bin
	[ -e /proc/mounts ] || mount -t proc proc /proc
	[ -e /sys/bus ] || mount -t sysfs sys /sys
	[ -e /dev/null ] || mount -t devtmpfs dev /dev
	modprobe vhci-hcd
}

die() {
	echo "$*" >$W/why
	exit 1
}

ms() {
	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}0"
}

usb=/sys/bus/usb/devices
modems=0

ports() {	# that a device is in
	for d in "$usb"/[0-9]*-*; do
		case $d in *:* | *\*) ;; *) echo "${d##*/}" ;; esac
	done
}

within() {
	end=$(($(ms) + $1 * 1000))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(ms)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

is_empty() { [ -z "$(ports)" ]; }
gone() { within 30 is_empty; }	# usb-storage may wait 5 s for an answer, more than once

# Configured means that it has interfaces; bConfigurationValue would block while a driver probes.
configured() { set -- "$usb/$1":*; [ -e "$1" ]; }

path() {	# of a port of a controller, as in sysfs; the first bus of a controller is high speed, the second super speed
	set -- "$1" "$2" /sys/devices/platform/vhci_hcd."$1"/usb*
	if [ "$2" -lt 15 ]; then echo "${3##*usb}-$(($2 + 1))"; else echo "${4##*usb}-$(($2 - 14))"; fi
}

attach() {
	file=$1 port=$modems ctl=0
	modems=$((modems + 1)) n=$(($# - 1))
	shift
	while [ $n -gt 0 ]; do	# rotates the options, to read these two on the way
		case $1 in
		-p) port=$2 ;;
		-c) ctl=$2 ;;
		esac
		set -- "$@" "$1"
		shift
		n=$((n - 1))
	done
	L=$W/log$modems P=$(path "$ctl" "$port")
	: >"$L"
	modem -p "$port" -c "$ctl" -s 10 -l "$L" "$@" "/test/modems/$file" &
	M=$!
	eval "M$modems=$M L$modems=$L P$modems=$P"
}

plug() {
	attach "$@"
	within 8 configured "$P" || die "$1 did not appear on port $P"
}

unplug() {
	n=${1:-$modems}
	pulled=''
	eval "pulled=\$P$n; kill \$M$n"
	within 8 absent "$pulled" || die "port $pulled is not empty"
}

absent() { [ ! -e "$usb/$1" ]; }
mode() { [ "$(cat "$usb/$P/idVendor"):$(cat "$usb/$P/idProduct")" = "$1" ]; }
interface() { for i in "$usb/$P":*; do [ "$(cat "$i/bInterfaceNumber")" != "$1" ] || echo "$i"; done; }
driver() { [ "$(basename "$(readlink "$(interface "$(printf %02x "$1")")/driver")")" = "$2" ]; }
tty() { for n in "$(interface "$(printf %02x "$1")")"/ttyUSB*; do [ -c "/dev/${n##*/}" ] && echo "/dev/${n##*/}"; done; }

# Loads and unloads nothing when these are already all that is loaded.
drivers() {
	[ "$(cat /tmp/drivers 2>/dev/null)" != "$*" ] || return 0
	nodrivers
	for d in "$@"; do modprobe "$d" || die "no module $d"; done
	echo "$*" >/tmp/drivers
}

nodrivers() {
	rm -f /tmp/drivers
	while awk '$1 !~ /^(vhci_hcd|usbip_core|usbcore|usb_common)$/ && $3 == 0 { print $1 }' /proc/modules >$W/rmmod &&
	    [ -s $W/rmmod ]; do
		while read -r d; do rmmod "$d" || die "cannot unload $d"; done <$W/rmmod
	done
	: >/tmp/drivers
}

run() {
	OUT=$W/out
	began=$(ms)
	ST=0
	timeout -s KILL "${RUNLIMIT:-50}" "$@" >$OUT 2>&1 || ST=$?
	T=$(($(ms) - began))
	echo "+ $* = $ST, $T ms"
}

status() { [ "$ST" -eq "$1" ] || die "exit status $ST, not $1"; }
says() { grep -Eq -- "$1" "$OUT" || die "does not say: $1"; }
silent() { ! grep -Eq -- "$1" "$OUT" || die "says: $1"; }
seen() { grep -Eq -- "$1" "$L"; }
log() { seen "$1" || die "not in the modem's log: $1"; }
nolog() { ! seen "$1" || die "in the modem's log: $1"; }

count() {
	n=$(grep -Ec -- "$2" "$L") || :
	[ "$n" -eq "$1" ] || die "$n times, not $1, in the modem's log: $2"
}

order() {
	after=0
	for re; do
		n=$(tail -n +$((after + 1)) "$L" | grep -nEm1 -- "$re") || die "not in the modem's log after line $after: $re"
		after=$((after + ${n%%:*}))
	done
}

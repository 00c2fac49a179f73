#!/bin/sh
# test/record goes the round: a simulated modem is recorded, the file that comes out is simulated, and swflip sees the same
# descriptors, prints the same list, does and says the same. On the host this script starts a guest, in which it is process 1.
# shellcheck disable=SC1091,SC2034,SC2086,SC2154	# the guest's words are test/lib.sh's

# Of each family one, with what is asked of it: storage alone, Direct IP, dual, bitmask, MBIM only, no driver, boot loader.
table='330u:mbim:-k_truinstall=off mc7710:qmi:-k_comp=14 mc7304:mbim: mc7455:mbim: em9191:mbim: mbim9:at: 9205:68a2/8: 68a3-6:mbim: gobi:at:
	qdl:mbim: 340u:mbim: dell:mbim:'

if [ $$ -ne 1 ]; then
	set -eu
	cd "$(dirname "$0")"
	tmp=$(mktemp -d build/record.XXXXXX)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	{
		cat record.t
		echo '#PROGRAM'
		cat record
	} >"$tmp/init"
	expected=''
	for m in $table; do expected="$expected -e record.${m%%:*}"; done
	./vm -i "$tmp/init" -t 300 $expected -e record.masked
	exit
fi

. /test/lib.sh
boot
mkdir -p $W
exec </dev/console >/dev/console 2>&1
sed '1,/^#PROGRAM$/d' /init >/bin/record
chmod +x /bin/record
drivers sierra qcserial cdc_mbim qmi_wwan

# see NAME FILE TARGET [options]: all that can be told of a modem, without its port and the numbers that come and go.
see() {
	as=$1 like=$2 wanted=$3
	shift 3
	plug "$like" "$@"
	sleep 0.5	# its drivers
	mkdir -p $W/$as
	cat "$usb/$P/descriptors" >$W/$as/descriptors
	swflip-quick -lv >$W/$as/log 2>&1 || :
	swflip-quick -ql 2>/dev/null | sed "s/^$P	//; s/tty[A-Za-z]*[0-9]*/tty/" >$W/$as/list
	swflip-quick -w 30 -t "$wanted" >$W/$as/run 2>&1
	echo "status $?" >>$W/$as/run
	sed -i "s/$P/PORT/; s/.*\r//; s/$(printf '\033')\[K//g; /^swflip: .* s left$/d" $W/$as/run
	grep -oE ' (write|reset|unlock|swoc-mode) .*| plug [0-9a-f:]*' "$L" >$W/$as/modem
	echo "$P" >$W/$as/port
	kill "$M"
	gone
	modems=0	# the next one in the same port
}

for m in $table; do
	which=${m%%:*} rest=${m#*:}
	wanted=${rest%%:*} options=$(echo "${rest#*:}" | tr '_' ' ')
	rm -rf $W/first $W/second
	see first "$which" "$wanted" $options
	why=''
	record -p "$(cat $W/first/port)" $W/first/descriptors $W/first/log >/test/modems/recorded 2>$W/said || why="not recorded: $(cat $W/said)"
	[ "$why" ] || see second recorded "$wanted"
	for what in descriptors list run modem; do
		[ "$why" ] || cmp -s $W/first/$what $W/second/$what || why="another $what"
	done
	if [ "$why" ]; then
		echo "not ok record.$which: $why"
		od -An -tx1 $W/first/descriptors | sed 's/^/    /'; od -An -tx1 $W/second/descriptors | sed 's/^/    /'
		for f in first/run second/run first/modem second/modem first/list second/list; do echo "    --- $f"; sed 's/^/    /' $W/$f; done
		sed 's/^/    /' /test/modems/recorded
	else
		echo "ok record.$which"
	fi
	[ "$which" != 330u ] || cp /test/modems/recorded $W/masked
done
if grep -E '[1-9][0-9]{7}|CC[0-9]*[1-9]' $W/masked | grep -v Revision; then
	echo 'not ok record.masked: a serial number'
else
	echo 'ok record.masked'
fi
reboot -f

#!/bin/sh
# test/record goes the round: a simulated modem is recorded, the file that comes out is simulated, and swflip sees the same
# descriptors, prints the same list, does and says the same. On the host this script starts a guest, in which it is process 1.
# shellcheck disable=SC1091,SC2086,SC2154	# the guest's words are test/lib.sh's

# Of each family one, with what is asked of it: storage alone, Direct IP, dual, bitmask, MBIM only, no driver, boot loader.
modems='330u:mbim:-k_truinstall=off mc7710:qmi:-k_comp=14 mc7710-old:mbim: mc7455:mbim: em9191:mbim: mbim9:at: 9205:68a2/8: 68a3-6:mbim: gobi:at:
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
	for m in $modems; do expected="$expected -e record.${m%%:*}"; done
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
	name=$1 wanted=$3 file=$2
	shift 3
	plug "$file" "$@"
	sleep 0.5	# its drivers
	mkdir -p $W/$name
	cat "$usb/$P/descriptors" >$W/$name/descriptors
	swflip-quick -lv >$W/$name/log 2>&1 || :
	swflip-quick -ql 2>/dev/null | sed "s/^$P	//; s/tty[A-Za-z]*[0-9]*/tty/" >$W/$name/list
	swflip-quick -w 30 -t "$wanted" >$W/$name/run 2>&1
	echo "status $?" >>$W/$name/run
	sed -i "s/$P/PORT/; s/.*\r//; s/$(printf '\033')\[K//g; /^swflip: .* s left$/d" $W/$name/run
	grep -oE ' (write|reset|unlock|swoc-mode) .*| plug [0-9a-f:]*' "$L" >$W/$name/modem
	echo "$P" >$W/$name/port
	kill "$M"
	gone
}

for m in $modems; do
	file=${m%%:*} rest=${m#*:}
	wanted=${rest%%:*} options=$(echo "${rest#*:}" | tr '_' ' ')
	rm -rf $W/first $W/second
	see first "$file" "$wanted" $options
	why=''
	record -p "$(cat $W/first/port)" $W/first/descriptors $W/first/log >/test/modems/recorded 2>$W/said || why="not recorded: $(cat $W/said)"
	[ "$why" ] || see second recorded "$wanted"
	for what in descriptors list run modem; do
		[ "$why" ] || cmp -s $W/first/$what $W/second/$what || why="another $what"
	done
	if [ "$why" ]; then
		echo "not ok record.$file: $why"
		for f in first/run second/run first/modem second/modem first/list second/list; do echo "    --- $f"; sed 's/^/    /' $W/$f; done
		sed 's/^/    /' /test/modems/recorded
	else
		echo "ok record.$file"
	fi
	[ "$file" != 330u ] || cp /test/modems/recorded $W/masked
done
if grep -E '[1-9][0-9]{7}|CC[0-9]*[1-9]' $W/masked | grep -v Revision; then
	echo 'not ok record.masked: a serial number'
else
	echo 'ok record.masked'
fi
reboot -f

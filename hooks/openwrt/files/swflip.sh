# shellcheck shell=ash
# What preinit, the service and hotplug have in common: /lib/functions/swflip.sh, sourced after
# /lib/functions.sh.

SWFLIP_NOTE=/tmp/swflip.seqnum
SWFLIP_FOUND=/tmp/swflip.found

# Starts swflip in the background, as /etc/config/swflip has it; with `quiet` nothing is said when
# there is no modem, as the service says it already. -o: while another one is at work this one
# leaves all to it. When a run has ended, the number of the kernel's last event is noted: up to
# there nothing is news. Without either a modem that falls back into its old mode would be written
# and reset again and again.
swflip_run() {
	local quiet target appear wait code t

	quiet=${1:-}
	config_load swflip
	config_get target swflip target
	config_get appear swflip appear
	config_get wait swflip wait
	config_get code swflip code
	set -- -o ${appear:+-a "$appear"} ${wait:+-w "$wait"} ${code:+-c "$code"}
	for t in $target; do
		set -- "$@" -t "$t"
	done
	(
		# an event that came when a run had just ended, but not noted it yet
		if [ -n "${SEQNUM:-}" ] && sleep 1 && swflip_is_old; then
			return
		fi
		status=0
		if [ -n "$quiet" ]; then
			swflip_unless_none "$@" || status=$?
		else
			/sbin/swflip -k "$@" || status=$?
		fi
		[ $status -eq 3 ] || : >$SWFLIP_FOUND
		cat /sys/kernel/uevent_seqnum >$SWFLIP_NOTE
	) </dev/null >/dev/null 2>&1 &
}

# Its messages follow when it has ended, and not with status 3, which means no modem.
swflip_unless_none() {
	local said status=0

	said=$(/sbin/swflip "$@" 2>&1) || status=$?
	if [ $status -ne 3 ]; then
		echo "$said" | while read -r line; do
			echo "<30>$line" >/dev/kmsg
		done
	fi
	return $status
}

# Has a run ended since the kernel sent this event?
swflip_is_old() {
	[ -r $SWFLIP_NOTE ] && [ "${SEQNUM:-0}" -le "$(cat $SWFLIP_NOTE)" ]
}

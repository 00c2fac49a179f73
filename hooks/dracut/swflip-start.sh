#!/bin/sh
# Hook pre-trigger (sourced: an exit would end init). In the background, because swflip listens for the modem by itself
# and udev is only now about to find the devices. The status goes to /run/swflip, which swflip-finished.sh looks for.

if [ -x /sbin/swflip ]; then
	(
		status=0
		/sbin/swflip -k < /dev/null || status=$?
		echo "$status" > /run/swflip
	) &
else
	echo missing > /run/swflip
fi

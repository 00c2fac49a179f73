#!/bin/sh
# Hook initqueue (sourced: an exit would end init). dracut comes here in every round of the queue;
# the first one starts swflip, in the background, as jobs after this one may ask for a passphrase.
# udev has been told of all devices by then, and is waited for: before it has loaded the drivers of
# the USB hosts no modem can appear. The status goes to /run/swflip, which swflip-finished.sh looks
# for.

if [ -e /run/swflip.started ]; then
	:
elif [ -x /sbin/swflip ]; then
	: > /run/swflip.started
	(
		status=0
		udevadm settle < /dev/null || :
		/sbin/swflip -k < /dev/null || status=$?
		echo "$status" > /run/swflip
	) &
else
	echo missing > /run/swflip
fi

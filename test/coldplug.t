#!/bin/sh
# A modem at a USB host whose driver udev has to load, on a machine where that takes longer than
# swflip.appear= (10 s). Images of dracut, with systemd and without, as test/images.t makes them; an
# xHCI of QEMU's with a keyboard, and the modem 8 s after it. swflip must not begin to count before
# the coldplug has settled.
# root: only root can run the generators

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=test/tap.sh
. test/tap.sh
test/vm -b
images=$(mktemp -d "$PWD/test/build/images.XXXXXX")
export images
trap 'rm -rf "$images" "$work"' EXIT
unshare --mount test/images.t >"$images/made" 2>&1 || {
	sed 's/^/#   /' "$images/made"
	not_ok coldplug 'not made'
	finish
}

words='quiet loglevel=2 systemd.show_status=0 slow=15 late=8 swflip.target=mbim'
words="$words expect=1199:68a2 modem=-s,20,/usr/lib/simulated/330u"
for i in dracut dracut-systemd; do
	others "" test/vm -t 300 -I "$images/$i" -e "coldplug.$i" -q '-device qemu-xhci -device usb-kbd' \
		-c "test=coldplug.$i $words"
done
finish

#!/bin/bash
# dracut's part: the simulated modem and what looks at it. There is no root file system to find.

installkernel() {
	hostonly='' instmods vhci-hcd usb-storage
}

hook() {	# HOOK LINE
	# shellcheck disable=SC2154
	echo "$2" >"$initdir/simulated-$1.sh"
	inst_hook "$1" 10 "$initdir/simulated-$1.sh"
	rm "$initdir/simulated-$1.sh"
}

install() {
	inst_multiple /usr/lib/simulated/* sed sleep dmesg
	hook cmdline 'root=simulated rootok=1'
	hook pre-udev '/usr/lib/simulated/plug'
	hook pre-mount '/usr/lib/simulated/look pre-mount'
	hook mount '/usr/lib/simulated/look root'
	dracut_module_included systemd || return 0
	# Where systemd-cryptsetup would ask for a passphrase.
	# shellcheck disable=SC2154
	cat >"$initdir$systemdsystemunitdir/simulated.service" <<-'END'
		[Unit]
		DefaultDependencies=no
		After=cryptsetup-pre.target
		Before=cryptsetup.target
		[Service]
		Type=oneshot
		ExecStart=/usr/lib/simulated/look cryptsetup
	END
	$SYSTEMCTL -q --root "$initdir" add-wants cryptsetup.target simulated.service
}

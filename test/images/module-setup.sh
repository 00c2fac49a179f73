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
	inst_multiple /usr/lib/simulated/* sed sleep dmesg ls
	# A slow machine: `slow=S` is how long udev takes to come to the USB host's driver.
	mkdir -p "$initdir/etc/udev/rules.d"
	cat >"$initdir/etc/udev/rules.d/10-slow.rules" <<-'END'
		ACTION!="add", GOTO="end"
		SUBSYSTEM=="pci", ATTR{class}=="0x0c0330", IMPORT{cmdline}="slow"
		ENV{slow}=="?*", PROGRAM="/bin/sleep $env{slow}"
		LABEL="end"
	END
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

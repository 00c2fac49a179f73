#!/bin/bash
# Puts swflip, and the modules it and the modem's network need, into the image: modules.d/90swflip/module-setup.sh.

swflip_binary() {
	local d

	# dracut sets its own PATH, without /usr/local.
	for d in /usr/local/sbin /usr/sbin /sbin; do
		[[ -x $d/swflip ]] && echo "$d/swflip" && return 0
	done
	command -v swflip
}

# 0: who installed this folder wants swflip in every image (omit_dracutmodules+=" swflip " leaves it out of one);
# 1: it is not installed. Not 255, which would mean only where add_dracutmodules names it.
check() {
	swflip_binary > /dev/null && return 0
	dwarn "swflip: not installed (make install), so it is not in this image"
	return 1
}

depends() {
	return 0
}

# The empty hostonly is what keeps modules of a modem that this machine does not have in it just now, or has in another
# mode. What a kernel does not have is passed over.
installkernel() {
	hostonly='' instmods \
		xhci-hcd xhci-pci xhci-plat-hcd ehci-hcd ehci-pci ehci-platform ohci-hcd ohci-pci ohci-platform uhci-hcd \
		dwc2 dwc3 ci_hdrc musb_hdrc
	hostonly='' instmods usbserial usb_wwan sierra qcserial option cdc-acm
	hostonly='' instmods cdc-wdm usbnet cdc_ether cdc_ncm cdc_mbim qmi_wwan sierra_net
	return 0
}

# With systemd a unit, because systemd-cryptsetup may ask for a passphrase long before the initqueue is reached. Without
# it the hooks: started before the devices are looked for, waited for in the initqueue.
install() {
	inst "$(swflip_binary)" /sbin/swflip
	if dracut_module_included systemd; then
		# shellcheck disable=SC2154
		inst_simple "$moddir/swflip.service" "$systemdsystemunitdir/swflip.service"
		# shellcheck disable=SC2154
		$SYSTEMCTL -q --root "$initdir" add-wants initrd.target swflip.service
	else
		# shellcheck disable=SC2154
		inst_hook pre-trigger 90 "$moddir/swflip-start.sh"
		inst_hook initqueue/finished 90 "$moddir/swflip-finished.sh"
		inst_hook initqueue/timeout 90 "$moddir/swflip-timeout.sh"
	fi
}

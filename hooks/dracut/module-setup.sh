#!/bin/bash
# Puts swflip, and the modules it and the modem's network need, into the image.

swflip_binary() {
	local d

	# dracut sets its own PATH, without /usr/local.
	for d in /usr/local/sbin /usr/sbin /sbin; do
		[[ -x $d/swflip ]] && echo "$d/swflip" && return 0
	done
	command -v swflip
}

# 0: who installed this folder wants swflip in every image (omit_dracutmodules+=" swflip " leaves
# it out of one); 1: it is not installed. Not 255, which would mean only where add_dracutmodules
# names it.
check() {
	swflip_binary > /dev/null && return 0
	dwarn "swflip: not installed (make install), so it is not in this image"
	return 1
}

depends() {
	return 0
}

# The empty hostonly is what keeps modules of a modem that this machine does not have in it just
# now, or has in another mode. What a kernel does not have is passed over.
installkernel() {
	# shellcheck disable=SC2046,SC2154
	hostonly='' instmods $(sed 's/#.*//' "$moddir/modules")
	return 0
}

# With systemd a unit, because systemd-cryptsetup may ask for a passphrase long before the initqueue
# is reached. Without it the hooks: begun in the initqueue's first round, which comes after the
# coldplug, and waited for at its end. The link is made by hand, as `systemctl add-wants` wants a
# target that is there, and the order of dracut's modules is not the same in all its versions.
install() {
	local units=${systemdsystemunitdir-}

	inst "$(swflip_binary)" /sbin/swflip
	if dracut_module_included systemd; then
		# shellcheck disable=SC2154
		mkdir -p "$initdir$units/initrd.target.wants"
		inst_simple "$units/swflip.service"
		ln -sfn ../swflip.service "$initdir$units/initrd.target.wants/swflip.service"
	else
		inst_hook initqueue 01 "$moddir/swflip-start.sh"
		inst_hook initqueue/finished 90 "$moddir/swflip-finished.sh"
		inst_hook initqueue/timeout 90 "$moddir/swflip-timeout.sh"
	fi
}

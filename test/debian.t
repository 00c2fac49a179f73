#!/bin/sh
# A Debian of this release as people have it: initramfs-tools, systemd, udev, ModemManager, a root file system on a disk. The
# simulated stick is there from the kernel's start. swflip, in the initramfs by its hook, makes it a modem in MBIM mode before
# ModemManager is started, which finds that modem and no other; and `swflip -l` beside ModemManager takes nothing from it.
# test/setup has made the system, test/images/beside judges in it.
# root: only root can run the generator and make the disk

set -u
self=$(realpath "$0")
cd "$(dirname "$0")/.." || exit 1
build=$PWD/test/build
guest=$build/x86_64

if [ -z "${debian-}" ]; then
	# shellcheck source=test/tap.sh
	. test/tap.sh
	[ -e "$build/debian/ready" ] || { not_ok debian 'no system, run test/setup first'; finish; }
	test/vm -b
	debian=$(mktemp -d "$build/images.XXXXXX")
	export debian
	trap 'rm -rf "$debian" "$work"' EXIT
	unshare --mount "$self" >"$debian/made" 2>&1 || {
		sed 's/^/#   /' "$debian/made"
		not_ok debian 'not made'
		finish
	}
	test/vm -t 500 -I "$debian/initrd" -q "-m 512 -drive file=$debian/disk,format=raw,if=virtio" \
		-e debian.initramfs -e debian.while_probing -e debian.one_modem \
		-e debian.disabled -e debian.enabled -e debian.undisturbed \
		-c "root=/dev/vda rw quiet systemd.show_status=0 swflip.target=mbim modem=-s,10,/usr/lib/simulated/believed"
	exit
fi

# In the namespace from here on.
set -e
root=$debian/root
mkdir "$root"
mount -t tmpfs root "$root"
tar -xf "$build/debian/root.tar" -C "$root"
for d in dev proc sys; do mount --rbind "/$d" "$root/$d"; done
version=$(cat "$guest/version")
mkdir -p "$root/usr/lib/modules" "$root/usr/lib/simulated"
cp -R "$guest/modules/lib/modules/$version" "$root/usr/lib/modules"
cp "$guest/config" "$root/boot/config-$version"
cp test/images/plug test/images/look test/images/beside test/images/believed test/modems/* "$guest/modem" \
	"$root/usr/lib/simulated"
chmod 755 "$root"/usr/lib/simulated/*
make -s install install-initramfs-tools PREFIX=/usr DESTDIR="$root"

etc=$root/etc/initramfs-tools
cp test/images/hook "$etc/hooks/simulated"
# shellcheck disable=SC2016
script() {	# NAME PREREQ LINE
	printf '#!/bin/sh\n[ "${1-}" != prereqs ] || { echo %s; exit 0; }\n%s\n' "$2" "$3" >"$etc/scripts/$1"
	chmod 755 "$etc/scripts/$1"
}
script init-top/simulated '' /usr/lib/simulated/plug
script init-premount/simulated udev '/usr/lib/simulated/look init-premount'
chmod 755 "$etc/hooks/simulated"
chroot "$root" mkinitramfs -o /initrd "$version"
mv "$root/initrd" "$debian/initrd"

units=$root/etc/systemd/system
mkdir -p "$units/ModemManager.service.d" "$units/multi-user.target.wants"
cat >"$units/ModemManager.service.d/debug.conf" <<-'END'
	[Service]
	ExecStart=
	ExecStart=/usr/sbin/ModemManager --debug
END
cat >"$units/simulated.service" <<-'END'
	[Unit]
	Wants=ModemManager.service
	After=dbus.service
	[Service]
	Type=oneshot
	ExecStart=/usr/lib/simulated/beside
	StandardOutput=file:/dev/console
	StandardError=inherit
END
ln -s /etc/systemd/system/simulated.service "$units/multi-user.target.wants"
# It is slow enough without what nobody looks at.
for u in getty@.service serial-getty@.service systemd-logind.service systemd-user-sessions.service systemd-random-seed.service \
	systemd-update-utmp.service systemd-binfmt.service systemd-sysctl.service systemd-journal-flush.service modprobe@.service \
	dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount e2scrub_reap.service \
	e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer systemd-tmpfiles-clean.timer; do
	ln -sf /dev/null "$units/$u"
done
for d in dev proc sys; do umount -l "$root/$d"; done
truncate -s 600M "$debian/disk"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$debian/disk"

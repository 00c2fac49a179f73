#!/bin/sh
# Images made by Debian's own generators, with the hooks of this tree as `make install-...` installs them: the stick is in
# its target mode before the root file system is mounted, and before what unlocks it over the network (init-premount, where
# dropbear starts) or asks for its passphrase. A modem that hangs, or none, does not stop the boot.
#
# The generators run in a mount namespace whose /usr and /etc are written to a tmpfs: nothing of it reaches the host.
# root: only root can run the generators

set -u
self=$(realpath "$0")
cd "$(dirname "$0")/.." || exit 1
build=$PWD/test/build/x86_64

if [ -z "${images-}" ]; then
	# shellcheck source=test/tap.sh
	. test/tap.sh
	test/vm -b
	images=$(mktemp -d "$PWD/test/build/images.XXXXXX")
	export images
	trap 'rm -rf "$images" "$work"' EXIT
	unshare --mount "$self" >"$images/made" 2>&1 || {
		sed 's/^/#   /' "$images/made"
		not_ok images 'not made'
		finish
	}

	words='quiet loglevel=2 systemd.show_status=0 swflip.target=mbim'
	boot() {	# IMAGE NAME WORDS [OPTION...]: of swflip and the simulated modem, and of test/vm
		name=images.$1$2 image=$images/$1 more=$3
		shift 3
		test/vm -t 300 -I "$image" -e "$name" -c "test=$name $words $more" "$@" >"$work/$name" 2>&1
	}
	told() { for b; do others '' cat "$work/images.$b"; done; }

	# Those that wait, for a modem that hangs or one that is late, wait beside the others.
	stick='modem=-s,20,/usr/lib/simulated/330u'
	for i in initramfs-tools dracut dracut-systemd; do
		boot $i -hang 'boot=simulated swflip.wait=15 expect=any modem=-k,swocinfo=silent,-k,swoc=silent,/usr/lib/simulated/330u' &
		boot $i '' "boot=simulated expect=1199:68a2 $stick"
		boot $i -none 'boot=simulated swflip.appear=3 expect=nothing'
		wait
		told $i $i-hang $i-none
	done

	# The modem at a USB host whose driver udev has to load, on a machine where that takes longer than swflip.appear= (10 s): an
	# xHCI of QEMU's with a keyboard, and the modem 8 s after it. swflip must not begin to count before the coldplug has settled.
	for i in dracut dracut-systemd; do
		boot $i -coldplug "slow=15 late=8 expect=1199:68a2 $stick" -q '-device qemu-xhci -device usb-kbd' &
	done
	wait
	told dracut-coldplug dracut-systemd-coldplug
	finish
fi

# In the namespace from here on.
set -e
version=$(cat "$build/version")
tmp=$images/tmp
mkdir "$tmp"
mount -t tmpfs tmpfs "$tmp"
for d in usr etc; do
	mkdir "$tmp/$d" "$tmp/$d.work"
	mount -t overlay -o "lowerdir=/$d,upperdir=$tmp/$d,workdir=$tmp/$d.work" overlay "/$d"
done
rm -rf "/usr/lib/modules/$version"
mkdir -p /usr/lib/modules /usr/lib/simulated
cp -R "$build/modules/lib/modules/$version" /usr/lib/modules
mkdir "$tmp/boot"
mount --bind "$tmp/boot" /boot
cp "$build/config" "/boot/config-$version"
cp test/images/plug test/images/look test/modems/* "$build/modem" /usr/lib/simulated
chmod 755 /usr/lib/simulated/*
make -s install install-initramfs-tools install-dracut PREFIX=/usr DESTDIR=

etc=/etc/initramfs-tools
# shellcheck disable=SC2016
script() {	# NAME PREREQ LINE
	printf '#!/bin/sh\n[ "${1-}" != prereqs ] || { echo %s; exit 0; }\n%s\n' "$2" "$3" >"$etc/scripts/$1"
	chmod 755 "$etc/scripts/$1"
}
mkdir -p $etc/scripts/init-top $etc/scripts/init-premount $etc/hooks
cp test/images/hook $etc/hooks/simulated
chmod 755 $etc/hooks/simulated
script init-top/simulated '' /usr/lib/simulated/plug
script init-premount/simulated udev '/usr/lib/simulated/look init-premount'
# The kernel's word `boot=simulated`, for mounting the root.
cat >$etc/scripts/simulated <<-'END'
	mount_top() { :; }
	mount_premount() { :; }
	mountroot() { /usr/lib/simulated/look root; }
END
mkinitramfs -o "$images/initramfs-tools" "$version"

modules=/usr/lib/dracut/modules.d/99simulated
mkdir -p $modules
cp test/images/module-setup.sh $modules
set -- --force --kver "$version" --no-hostonly
dracut "$@" --omit systemd "$images/dracut"
dracut "$@" --add systemd "$images/dracut-systemd"

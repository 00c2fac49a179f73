# The hooks that answer hotplug events, by BusyBox's real mdev: a daemon that works on one of the
# kernel's events after the other, with the lines and the script that `make install-busybox` and
# `make install-mkinitfs` put there. With the second the command is in the foreground, so that mdev
# hears of what happens during a run only after it, as nlplug-findfs does on one processor.
# words: swflip.target=mbim

limit=120

starts() {	# FOLDER
	mkdir -p $W/bin /etc
	printf '#!/bin/sh\necho "$@" >>/tmp/w/runs\nexec /bin/swflip-quick "$@"\n' >$W/bin/swflip
	chmod +x $W/bin/swflip
	: >$W/runs
	rm -f /run/swflip.seqnum
	cp "/hooks/$1.conf" /etc/mdev.conf
	PATH=$W/bin:/hooks/sbin:$PATH mdev -df &
	sleep 0.5	# until it listens
}

is_quiet() { [ -e /run/swflip.seqnum ] && ! pidof swflip-quick; }

# Whatever else would come has come.
settles() {
	within 60 is_quiet || die 'it does not end'
	sleep 8
	is_quiet || die 'it has begun again'
}

verdicts() { dmesg | sed -n "/test: $1\$/,\$p" | grep -cE '] swflip: 1-1: .*(in mode|next:)'; }

brings() {
	nodrivers
	starts "$1"
	attach mc7710
	within 30 test -e /run/swflip.seqnum || die 'swflip is not called'
	settles
	mode 1199:68a2
	count 1 'write comp 8'
	count 1 'reset at'
	[ "$(verdicts "mdev.$2")" -eq 1 ] || die 'not one verdict'
	[ "$(sort -u $W/runs)" = '-o -k' ] || die "called with: $(cat $W/runs)"
	# Another one, later on.
	L1=$L
	attach mc7710
	within 30 seen 'reset at' || die 'a second modem finds nobody'
	settles
	count 1 'reset at'
	L=$L1 count 1 'reset at'
}

# A modem that goes back to its old composition at each start: one write and one reset, not one for
# each of its comings.
falls_back() {
	nodrivers
	starts "$1"
	attach mc7710 -k 'forgets comp'
	within 30 seen 'reset at' || die 'nothing is done'
	settles
	count 1 'write comp 8'
	count 1 'reset at'
	[ "$(verdicts "mdev.$2")" -eq 1 ] || die 'not one verdict'
}

t_busybox() { brings busybox busybox; }
t_busybox_falls_back() { falls_back busybox busybox_falls_back; }
t_mkinitfs() { brings mkinitfs mkinitfs; }
t_mkinitfs_falls_back() { falls_back mkinitfs mkinitfs_falls_back; }

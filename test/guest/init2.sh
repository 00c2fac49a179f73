# Process 1 again, with a command line that cannot be understood and a next init that does not exist: which one it becomes.
# words: rdinit=/test/guest/init-next swflip.target=9071 swflip.nonsense=1 swflip.wait=60 swflip.init=/no/such colour=blue

. /test/guest/init1.sh

# The places where an init may be; each takes the copy that is needed.
clear() { rm -rf /init /sbin; mkdir /sbin; }
put() { cp /test/guest/init-next "$1"; }

at_once() {
	[ "$T" -lt 1000 ] || die "took $T ms"
	clear
}

before_init() {
	clear
	put /init
	put /sbin/init
}
t_init() {
	became /init
	at_once
}

before_sbin_init() {
	clear
	put /sbin/init
}
t_sbin_init() {
	became /sbin/init
	at_once
}

# swflip is /init itself: never again.
before_is_init() {
	before_sbin_init
	cp /bin/swflip-quick /init
	echo program=/init >"$W/how"
}
t_is_init() {
	became /sbin/init
	at_once
}

before_is_a_link() {
	before_sbin_init
	ln -s bin/swflip-quick /init
	echo program=/init >"$W/how"
}
t_is_a_link() {
	became /sbin/init
	at_once
}

before_not_executable() {
	before_init
	chmod -x /init
}
t_not_executable() {
	became /sbin/init
	at_once
}

before_no_interpreter() {
	before_sbin_init
	echo '#!/no/such' >/init
	chmod +x /init
}
t_no_interpreter() {
	became /sbin/init
	at_once
}

before_a_directory() {
	before_sbin_init
	mkdir /init
}
t_a_directory() {
	became /sbin/init
	at_once
}

# No init at all: a shell is better than a panic. This one finds the way back.
before_a_shell() {
	clear
	rm /bin/sh
	cat >/bin/sh <<-'END'
		#!/bin/busybox sh
		[ $$ = 1 ] || exec /bin/busybox sh "$@"
		/bin/busybox ln -sf busybox /bin/sh
		exec /test/guest/init-next "$@"
	END
	chmod +x /bin/sh
}
t_a_shell() {
	became /test/guest/init-next
	at_once
}

# An own /proc cannot be mounted, so nothing there tells who oneself is.
before_is_init_without_proc() {
	before_is_init
	echo 'no_proc=y' >>"$W/how"
}
t_is_init_without_proc() {
	became /sbin/init
	at_once
}

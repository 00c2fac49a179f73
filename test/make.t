#!/bin/sh
# The Makefile, in copies of the tree: builds without a word from any compiler, flags from outside, the same bytes twice,
# what install puts where, and that nothing is left behind.
# shellcheck disable=SC2317	# functions that only it() calls

set -u
umask 022
cd "$(dirname "$0")/.." || exit 1
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

die() {
	echo "$*"
	exit 1
}

# it NAME COMMAND...: one test, in a subshell; it fails if the command does, with the last line that it said.
it() {
	name=$1
	shift
	(set -e; "$@") >"$work/said" 2>&1
	# shellcheck disable=SC2181	# in a condition the shell would ignore -e
	if [ $? -eq 0 ]; then
		echo "ok make.$name"
	else
		echo "not ok make.$name: $(tail -n 1 "$work/said")"
		sed 's/^/#   /' "$work/said"
		failed=1
	fi
}

# A copy of what make dist packs, without test/build.
copy() {
	rm -rf "$work/${1:?}"
	mkdir -p "$work/$1/test"
	cp -R "$top/swflip.c" "$top/config.h" "$top/Makefile" "$top/swflip.8" "$top/README" "$top/LICENSE" "$top/.ci" \
		"$top/hooks" "$work/$1"
	(cd "$top/test" && find . -path ./build -prune -o -type f -print | cpio --quiet -pdm "$work/$1/test")
	cd "$work/$1"
}

t_quiet() {	# COMPILER [FLAGS]
	copy quiet
	make -s "$@" >"$work/warned" 2>&1 || { cat "$work/warned"; die 'make failed'; }
	[ ! -s "$work/warned" ] || { cat "$work/warned"; die 'it says something'; }
	file -b swflip 2>/dev/null | grep -q 'dynamically' && die 'not static'
	[ -x swflip ]
}

t_foreign() {	# ARCHITECTURE
	[ -x "$top/test/build/$1/musl-gcc" ] || die "no compiler for $1: test/setup $1"
	t_quiet CC="$top/test/build/$1/musl-gcc"
}

# What the compiler is given, by a compiler that tells.
t_flags() {	# WANTED ARGUMENT...
	wanted=$1
	shift
	copy flags
	# shellcheck disable=SC2016	# it is for the script
	printf '#!/bin/sh\nfor a; do echo "$a"; done >args; : >swflip\n' >tell
	chmod +x tell
	make -s CC=./tell "$@"
	grep -qxF -e "$wanted" args || { cat args; die "not among the arguments: $wanted"; }
}

t_defaults() {
	t_flags -Oz
	grep -qxF -e -s args || die 'not stripped'
}

t_rebuild() {
	copy rebuild
	make -s CC=true
	: >swflip
	for f in swflip.c config.h Makefile; do
		make -q CC=true || die "not up to date"
		sleep 0.01
		touch "$f"
		! make -q CC=true || die "$f is not what it depends on"
		touch swflip
	done
}

# Two places, two times, two time zones, two users' masks.
twice() {	# FILE
	copy a
	(umask 077 && TZ=Asia/Tokyo make -s ${2+"$2"} "${3:-all}" >/dev/null)
	copy deeper/and/longer/b
	find . -type f -exec touch -d '2001-02-03 04:05:06' {} +
	chmod -R g+w .
	(umask 002 && TZ=UTC LC_ALL=C make -s ${2+"$2"} "${3:-all}" >/dev/null)
	cmp "$work/a/$1" "$work/deeper/and/longer/b/$1"
}

t_unpacked() {
	copy packed
	make -s dist swflip
	tar -xzf swflip-*.tar.gz
	tar -tzf swflip-*.tar.gz | grep -v '^swflip-[0-9.]*/' && die 'not all of it in one folder'
	tar -tzf swflip-*.tar.gz | grep -q 'test/build' && die 'it has test/build'
	make -s -C swflip-*/
	cmp swflip swflip-*/swflip
	diff -r "$top/hooks" swflip-*/hooks
	(cd "$top" && find test -path test/build -prune -o -type f -print) | while read -r f; do
		cmp "$top/$f" "$(echo swflip-*/"$f")"
	done
}

t_install() {
	copy install
	make -s install uninstall DESTDIR="$work/none"
	[ -z "$(find "$work/none" -type f)" ] || die 'uninstall leaves something'
	make -s install DESTDIR="$work/root" PREFIX=/usr MANPREFIX=/usr/man
	tree=$(cd "$work/root" && find . -type f -printf '%m %P,' | sort)
	[ "$tree" = '755 usr/sbin/swflip,644 usr/man/man8/swflip.8,' ] ||
		[ "$tree" = '644 usr/man/man8/swflip.8,755 usr/sbin/swflip,' ] || die "the tree: $tree"
}

t_destdir() {	# TARGET
	copy destdir
	if make -s CC=true "$1" DESTDIR= >"$work/out" 2>&1; then die 'it would install into this machine'; fi
	grep -q DESTDIR= "$work/out"
}

t_clean() {
	copy clean
	find . -type f | sort >"$work/before"
	make -s all dist
	make -s clean
	find . -type f | sort | cmp - "$work/before"
}

it quiet.default t_quiet
it quiet.cc t_quiet CC=cc
it quiet.clang t_quiet CC=clang
it quiet.debug t_quiet CFLAGS='-g -O3' LDFLAGS=
for a in arm64 armhf mipsel s390x; do it "quiet.$a" t_foreign $a; done
it flags.defaults t_defaults
it flags.cflags t_flags -Ot CFLAGS=-Ot
it flags.ldflags t_flags -Lt LDFLAGS='-s -Lt'
it flags.mandatory t_flags -static CFLAGS= CPPFLAGS= LDFLAGS=
it flags.target t_flags '-DTARGET="mbim"' CPPFLAGS=-DTARGET='"mbim"'
it flags.target_escaped t_flags '-DTARGET="mbim"' CPPFLAGS='-DTARGET=\"mbim\"'
it flags.target_two t_flags '-DTARGET="1-1:mbim 1-2:qmi"' CPPFLAGS="-DTARGET='\"1-1:mbim 1-2:qmi\"' -DWAIT=9"
it rebuild t_rebuild
it reproducible.program twice swflip
it reproducible.cc twice swflip CC=cc
it reproducible.dist twice "swflip-$(sed -n 's/^VERSION = //p' Makefile).tar.gz" VERBOSE= dist
it dist t_unpacked
it install t_install
for s in busybox openwrt buildroot yocto; do it "destdir.$s" t_destdir "install-$s"; done
it clean t_clean
exit $failed

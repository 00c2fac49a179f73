#!/bin/sh
# The Makefile, in copies of the tree: builds without a word from any compiler, flags from outside, the same bytes twice,
# what install puts where, and that nothing is left behind.
# shellcheck disable=SC2317	# functions that only it() calls

set -u
umask 022
cd "$(dirname "$0")/.." || exit 1
top=$PWD
# shellcheck source=test/tap.sh
. test/tap.sh

die() {
	echo "$*"
	exit 1
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

need_compiler() {	# ARCHITECTURE
	[ -x "$top/test/build/$1/musl-gcc" ] || die "no compiler for $1: test/setup $1"
}

t_foreign() {	# ARCHITECTURE
	need_compiler "$1"
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

# Built again when a source is newer or another command is given, and only then.
t_rebuild() {
	copy rebuild
	cat >count <<-'END'
		#!/bin/sh
		case $* in *"-o swflip "*) echo "$*" >>calls && : >swflip ;; esac
	END
	chmod +x count
	built() {	# COUNT ARGUMENT...
		wanted=$1
		shift
		make -s CC=./count "$@"
		[ "$(wc -l <calls)" -eq "$wanted" ] || die "built $(wc -l <calls) times, not $wanted: $*"
	}
	built 1
	built 1
	n=1
	for f in swflip.c config.h Makefile; do
		sleep 0.01
		touch "$f"
		n=$((n + 1))
		built "$n"
		built "$n"
	done
	for w in CFLAGS=-O1 CPPFLAGS=-DTARGET=mbim CPPFLAGS=-DTARGET=qmi 'CPPFLAGS=-DTARGET=qmi -DWAIT=9' LDFLAGS= STATIC=; do
		n=$((n + 1))
		built "$n" "$w"
		built "$n" "$w"
	done
	touch -d '1 hour' swflip	# not older than .command, as for a make that compares whole seconds
	make -s CC=./count LDFLAGS=-Lt 2>/dev/null
	[ ! -e swflip ] || grep -q -e -Lt calls || die 'what was built with other options stays'
	make -s CC=true
	[ "$(cat .command)" != "$(make -s CC=./count && cat .command)" ] || die 'another compiler is not seen'
}

# What was built is what is installed, and not built again with other flags.
t_install_as_built() {
	copy as_built
	make -s CFLAGS=-O1 LDFLAGS= STATIC=
	cp swflip built
	make -s install DESTDIR="$work/as"
	cmp built "$work/as/usr/local/sbin/swflip"
	sleep 0.01
	touch swflip.c
	make -s install DESTDIR="$work/as"
	! cmp -s built "$work/as/usr/local/sbin/swflip" || die 'an old one is installed'
}

t_package() {	# as a distribution builds it
	copy package
	make -s STATIC= SMALL= LDFLAGS= CFLAGS='-g -O2'
	readelf -d swflip | grep -q NEEDED || die 'not dynamic'
	readelf -S swflip | grep -q '\.symtab' || die 'stripped'
}

# A target or a code that is compiled in, and what comes of it.
t_compiled_in() {	# good | bad CPPFLAGS [ARGUMENT...]
	wanted=$1 flags=$2
	shift 2
	copy compiled_in
	if make -s CPPFLAGS="$flags" "$@" >said 2>&1; then is=good; else is=bad; fi
	[ "$is" = "$wanted" ] || { cat said; die "it is $is: $flags"; }
	[ "$is" = bad ] || [ ! -s said ] || { cat said; die 'it says something'; }
	[ "$is" = good ] || [ ! -e swflip ] || die 'something is left to install'
	text=$(echo "$flags" | sed 's/^-D[A-Z]*=//; s/ -DWAIT=9$//; s/"//g')
	[ "$is" = bad ] || grep -aqF "$text" swflip || die "not in the program: $text"
	[ "$is" = good ] || grep -q 'config.h: \(TARGET\|CODE\)' said || { cat said; die 'it does not say which'; }
}

t_no_compiler() {
	copy no_compiler
	if make -s CC=nonesuch >said 2>&1; then die 'it would build'; fi
	[ "$(grep -vc '^make' said)" -eq 1 ] || { cat said; die 'not one line'; }
	grep -q 'no compiler nonesuch' said
}

# The commands that are run are what is printed.
t_printed() {
	copy printed
	make --no-print-directory >said 2>&1
	[ "$(wc -l <said)" -eq 1 ] || { cat said; die 'not one line'; }
	grep -q '^[a-z./]*\(musl-gcc\|cc\) .* -Oz .*-o swflip swflip.c -s$' said || { cat said; die 'not the command'; }
	cp swflip first
	sh -c "$(cat said)"
	cmp first swflip
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
	# The numbers of devices, which one release of tar fills in some formats, and another does not.
	[ "$(gzip -dc swflip-*.tar.gz | head -c 345 | tail -c 16 | tr -d '\0' | wc -c)" -eq 0 ] || die "tar's release would show"
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
	make -s install DESTDIR="$work/merged" PREFIX=/usr SBINDIR=/usr/bin
	[ -x "$work/merged/usr/bin/swflip" ] || die 'SBINDIR does not count'
}

# A folder that is an image already: what is there stays, and is named.
t_kept() {
	copy kept
	make -s swflip
	make -s install-busybox DESTDIR="$work/kept/root" >said
	[ ! -s said ] || { cat said; die 'it says something of a new folder'; }
	echo own >root/init
	make -s install-busybox DESTDIR="$work/kept/root" >said
	[ "$(cat root/init)" = own ] || die 'it does not stay'
	[ "$(wc -l <said)" -eq 1 ] || { cat said; die 'not one line'; }
	grep -q "root/init is there already .* is hooks/busybox/init$" said || { cat said; die 'it does not say so'; }
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
for a in arm64 armhf mipsel s390x; do
	if why=$(cat "$top/test/build/$a/none" 2>/dev/null); then
		skip "make.quiet.$a" "$why"
	else
		it "quiet.$a" t_foreign $a
	fi
done
it flags.defaults t_defaults
it flags.cflags t_flags -Ot CFLAGS=-Ot
it flags.ldflags t_flags -Lt LDFLAGS='-s -Lt'
it flags.mandatory t_flags -static CFLAGS= CPPFLAGS= LDFLAGS=
it flags.package t_package
for t in mbim 1-1.2:mbim 68A2/8 0x100D at+qmi@1 'mbim!' 'mbim@2!' 1-2:off '"1-1.2:mbim 1-1.3:qmi"'; do
	it "target.$t" t_compiled_in good "-DTARGET=$t -DWAIT=9"
done
for t in '' 9071 10d 1-1:1.0:mbim 0x0 mbim@0 'off!' 68a2/off qmi+mbim nonsense '"1-1.2:mbim nonsense"'; do
	it "target_bad.$t" t_compiled_in bad "-DTARGET=$t"
done
it target_bad.foreign t_compiled_in bad -DTARGET=9071 CC="$top/test/build/arm64/musl-gcc"
it target.foreign t_compiled_in good -DTARGET=mbim CC="$top/test/build/arm64/musl-gcc"
for c in A711 1234 0x10 abcdefghijklmno; do it "code.$c" t_compiled_in good "-DCODE=$c"; done
for c in ABC 1234567890123456 A-710; do it "code_bad.$c" t_compiled_in bad "-DCODE=$c"; done
it no_compiler t_no_compiler
it printed t_printed
it rebuild t_rebuild
it reproducible.program twice swflip
it reproducible.cc twice swflip CC=cc
it reproducible.dist twice "swflip-$(sed -n 's/^VERSION = //p' Makefile).tar.gz" VERBOSE= dist
it dist t_unpacked
it install t_install
it install.as_built t_install_as_built
for s in busybox openwrt buildroot yocto; do it "destdir.$s" t_destdir "install-$s"; done
it kept t_kept
it clean t_clean
finish

# swflip. What can be set from outside: CC, CFLAGS, CPPFLAGS, LDFLAGS, STATIC, SMALL, HOSTCC, DESTDIR, PREFIX, SBINDIR,
# MANPREFIX.
#   make                                   static, with musl-gcc where there is one
#   make CC=mipsel-linux-musl-gcc          for another machine
#   make CPPFLAGS=-DTARGET=mbim            with another target compiled in, see config.h
#   make CC=cc STATIC= SMALL= LDFLAGS=     dynamic, with symbols, as a distribution wants it
.POSIX:

VERSION = 1.0
EPOCH = 1795392000
PREFIX = /usr/local
SBINDIR = $(PREFIX)/sbin
MANPREFIX = $(PREFIX)/share/man
CC != command -v musl-gcc >/dev/null && echo musl-gcc || echo cc
CFLAGS != $(CC) -Oz -E - </dev/null >/dev/null 2>&1 && echo -Oz || echo -Os
CPPFLAGS =
LDFLAGS = -s
STATIC = -static
HOSTCC = cc
FUZZTIME = 60
MODEM = em7565

# What swflip needs of a compiler stays out of CFLAGS.
FLAGS = -std=c11 -Wall -Wextra -DVERSION='"$(VERSION)"'

# What makes it smaller:
#   -ffunction-sections -fdata-sections --gc-sections       the linker drops what nobody uses of the C library
#   -fno-pie -no-pie                                        fixed addresses need no table of relocations (beside -static
#                                                           clang has no use for -no-pie and would say so)
#   -fno-unwind-tables -fno-asynchronous-unwind-tables      C throws no exceptions, a debugger has its own tables
#   -fno-stack-protector                                    its checks cost 2 KB; the tests have ASan instead
#   -fno-schedule-insns2                                    instructions in the order in which they were written: they
#                                                           take 0.5 KB less after gzip (clang has no use for it)
#   -z norelro                                              no relocations, so nothing to protect after them
#   -z noseparate-code                                      code and data share a page of the file, no gap between
#   --build-id=none                                         names a file with debugging symbols, and there is none
SMALL = -ffunction-sections -fdata-sections -Wl,--gc-sections \
	-fno-pie -no-pie -Wno-unused-command-line-argument \
	-fno-unwind-tables -fno-asynchronous-unwind-tables \
	-fno-stack-protector \
	-fno-schedule-insns2 -Wno-ignored-optimization-argument \
	-Wl,-z,norelro \
	-Wl,-z,noseparate-code \
	-Wl,--build-id=none

COMMAND = $(CC) $(FLAGS) $(STATIC) $(SMALL) $(CPPFLAGS) $(CFLAGS)

all: swflip

swflip: swflip.c config.h Makefile .command
	@$(TRY)
	$(COMMAND) -o $@ swflip.c $(LDFLAGS)

# The words of the command that built swflip, one a line: written anew only when others are given, and then make builds again.
# The times of the two files would not do: some makes (bmake) compare whole seconds.
.command: FORCE
	@set -- $(CC); command -v "$$1" >/dev/null || \
		{ echo "no compiler $$1 here: install musl-tools or gcc, or say CC=" >&2; exit 1; }
	@new=$$(printf '%s\n' $(COMMAND) $(LDFLAGS)); \
	[ "$$new" = "$$(cat $@ 2>/dev/null)" ] || { rm -f swflip; printf '%s\n' "$$new" >$@; }

FORCE:

# A bad TARGET or CODE must not be found out by the board. Whatever CC builds for, the program is built for this machine as
# well, with a /sys that has no USB and a /proc that has no words for it: there it ends with 3, but with 2 if it cannot
# understand what was compiled in. Of CPPFLAGS only the -D go in, the rest is for the other machine.
TRY = set -- $(CPPFLAGS); \
	for f do shift; case $$f in -D*) set -- "$$@" "$$f" ;; esac; done; \
	try=$$(mktemp -d) && trap 'rm -rf $$try' EXIT && mkdir $$try/bus && : >$$try/cmdline || exit; \
	$(HOSTCC) -std=c11 -w "$$@" -USYS -UPROC -DSYS="\"$$try\"" -DPROC="\"$$try\"" -o $$try/swflip swflip.c 2>$$try/said || \
		{ echo "TARGET and CODE are not tried: $(HOSTCC) builds nothing for this machine" >&2; exit 0; }; \
	$$try/swflip -q -a 0 -w 1 2>$$try/said || [ $$? -ne 2 ] || { cat $$try/said >&2; exit 1; }

test:
	test/setup
	test/run

demo:
	test/setup demo
	test/demo

try:
	test/try $(MODEM)

bench:
	test/setup all x86_64
	test/bench

# The programs of the tests on the host; ASan and UBSan watch them. Each test/*.c that includes native.h (swflip.c's own
# functions) or world/world.h (the whole of it, in a played machine) is one; PROGRAMS=parse builds that one.
NATIVE = -std=c11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
PROGRAMS = *

native:
	@mkdir -p test/build
	@test/fuzz -u
	@export CC="$${NATIVE_CC:-cc}"; \
	grep -ls '^#include "\(native\|world/world\).h"' test/$(PROGRAMS).c | xargs -P $$(nproc) -n 1 sh -c ' \
		c=$$0 t=test/build/t-$$(basename $$0 .c); \
		sources="$$c test/*.h test/world test/modem swflip.c config.h Makefile"; \
		[ "$$(find $$sources -newer $$t 2>&1)" ] || exit 0; \
		echo $$t; \
		case $$(grep -c "^#include .world/world.h" $$c) in \
		0) $$CC $(NATIVE) -o $$t $$c ;; \
		*) test/world/build $$t $$c -- $(NATIVE) ;; \
		esac'

lint:
	test/lint.t

fuzz:
	test/fuzz $(FUZZTIME)

# What stands there is installed, whatever it was built with, unless it is older than its sources.
built:
	@[ -e swflip ] && [ -z "$$(find swflip.c config.h Makefile -newer swflip)" ] || $(MAKE) swflip

install: built
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANPREFIX)/man8
	install -m 755 swflip $(DESTDIR)$(SBINDIR)
	install -m 644 swflip.8 $(DESTDIR)$(MANPREFIX)/man8

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/swflip $(DESTDIR)$(MANPREFIX)/man8/swflip.8

# ---- hooks. DESTDIR is the root of the system, of the image, or of the builder's source tree.
# With PREFIX=/usr, as packagers have it, the generators' own folders are used, else the site's.
SOURCE = swflip.c config.h Makefile swflip.8 README LICENSE
ETC_OR_SHARE = $$([ "$(PREFIX)" = /usr ] && echo /usr/share || echo /etc)
ETC_OR_LIB = $$([ "$(PREFIX)" = /usr ] && echo /usr/lib || echo /etc)
INITRAMFS_TOOLS = $(DESTDIR)$(ETC_OR_SHARE)/initramfs-tools
INITCPIO = $(DESTDIR)$(ETC_OR_LIB)/initcpio
DRACUT = /usr/lib/dracut/modules.d
UNITS = $(DESTDIR)/usr/lib/systemd/system
MKINITFS = $(DESTDIR)/etc/mkinitfs/features.d
OPENWRT = $(DESTDIR)/package/utils/swflip
BUILDROOT = $(DESTDIR)/package/swflip
YOCTO = $(DESTDIR)/recipes-connectivity/swflip
NEEDS_DESTDIR = @[ "$(DESTDIR)" ] || \
	{ echo "$@: say DESTDIR=, the root of the image or of the builder's tree" >&2; exit 1; }

# The lists without their comments. FILL FILE writes it with what these and the Makefile know.
MODULES = awk '/^[a-z]/ { print $$1 }' hooks/modules
VENDORS = awk '/^[0-9a-f]/ { print $$1 }' hooks/vendors
FILL = v=$$($(VENDORS) | paste -s -d '|' -) && \
	m=$$($(MODULES) | sed 's/_/-/g; s/^/kernel-module-/' | paste -s -d ' ' -) && \
	sed -e "s,@VERSION@,$(VERSION),g; s,@VENDORS@,$$v,; s,@MODULES@,$$m,"

install-initramfs-tools:
	install -d $(INITRAMFS_TOOLS)/hooks $(INITRAMFS_TOOLS)/scripts/init-top
	install -m 755 hooks/initramfs-tools/hooks/swflip $(INITRAMFS_TOOLS)/hooks
	install -m 755 hooks/initramfs-tools/scripts/init-top/swflip \
		$(INITRAMFS_TOOLS)/scripts/init-top
	install -m 644 hooks/modules $(INITRAMFS_TOOLS)/swflip.modules

# dracut's modules have a number that orders them, up to release 111; 50 to 59 is for those of
# others. What the generator has there, or this machine's, tells. Both it and mkinitcpio take the
# unit from where systemd has its own.
install-dracut: systemd-unit
	for base in $(DESTDIR)$(DRACUT) $(DRACUT); do \
		set -- $$base/*base; \
		[ ! -d "$$1" ] || break; \
	done; \
	name=50swflip; \
	case $$1 in */modules.d/base) name=swflip ;; esac; \
	install -d $(DESTDIR)$(DRACUT)/$$name && \
	install -m 755 hooks/dracut/*.sh $(DESTDIR)$(DRACUT)/$$name && \
	install -m 644 hooks/modules $(DESTDIR)$(DRACUT)/$$name

install-mkinitcpio: systemd-unit
	install -d $(INITCPIO)/install $(INITCPIO)/hooks
	install -m 644 hooks/mkinitcpio/install/swflip $(INITCPIO)/install
	install -m 644 hooks/mkinitcpio/hooks/swflip $(INITCPIO)/hooks
	install -m 644 hooks/modules $(INITCPIO)/swflip.modules

systemd-unit:
	install -d $(UNITS)
	install -m 644 hooks/systemd/swflip.service $(UNITS)

install-mkinitfs: mdev-helper
	install -d $(MKINITFS) $(DESTDIR)/etc/init.d
	install -m 644 hooks/mkinitfs/swflip.files $(MKINITFS)
	$(MODULES) | sed 's,.*,kernel/drivers/*/*/&.ko*,' >$(MKINITFS)/swflip.modules
	install -m 755 hooks/mkinitfs/swflip.initd $(DESTDIR)/etc/init.d/swflip

mdev-helper:
	install -d $(DESTDIR)$(SBINDIR)
	$(FILL) hooks/busybox/swflip-hotplug >$(DESTDIR)$(SBINDIR)/swflip-hotplug
	chmod 755 $(DESTDIR)$(SBINDIR)/swflip-hotplug

# What is there already is somebody's own, and stays. TELL_KEPT OURS THEIRS says so, if they differ.
TELL_KEPT = @told() { cmp -s $$1 $$2 || echo "$$2 is there already and stays as it is; swflip's is $$1"; }; told

install-busybox: built
	$(NEEDS_DESTDIR)
	install -d $(DESTDIR)/sbin $(DESTDIR)/etc
	install -m 755 swflip $(DESTDIR)/sbin
	$(FILL) hooks/busybox/swflip-hotplug >$(DESTDIR)/sbin/swflip-hotplug
	chmod 755 $(DESTDIR)/sbin/swflip-hotplug
	[ -e $(DESTDIR)/init ] || install -m 755 hooks/busybox/init $(DESTDIR)/init
	$(TELL_KEPT) hooks/busybox/init $(DESTDIR)/init
	[ -e $(DESTDIR)/etc/modules ] || install -m 644 hooks/modules $(DESTDIR)/etc/modules
	$(TELL_KEPT) hooks/modules $(DESTDIR)/etc/modules
	[ -e $(DESTDIR)/etc/mdev.conf ] || install -m 644 hooks/busybox/mdev.conf $(DESTDIR)/etc/mdev.conf
	$(TELL_KEPT) hooks/busybox/mdev.conf $(DESTDIR)/etc/mdev.conf

install-openwrt:
	$(NEEDS_DESTDIR)
	install -d $(OPENWRT)/files $(OPENWRT)/src
	$(FILL) hooks/openwrt/Makefile >$(OPENWRT)/Makefile
	install -m 644 hooks/openwrt/files/* hooks/openwrt/swflip.config $(OPENWRT)/files
	$(FILL) hooks/openwrt/files/swflip.hotplug >$(OPENWRT)/files/swflip.hotplug
	install -m 644 $(SOURCE) $(OPENWRT)/src

# The folder is a package of Buildroot's own tree as well as a BR2_EXTERNAL tree of its own.
install-buildroot:
	$(NEEDS_DESTDIR)
	install -d $(BUILDROOT)/src
	install -m 644 hooks/buildroot/* hooks/systemd/swflip.service $(BUILDROOT)
	$(FILL) hooks/buildroot/swflip.mk >$(BUILDROOT)/swflip.mk
	install -m 644 $(SOURCE) $(BUILDROOT)/src

install-yocto:
	$(NEEDS_DESTDIR)
	install -d $(YOCTO)/files/src
	$(FILL) hooks/yocto/swflip.bb >$(YOCTO)/swflip_$(VERSION).bb
	install -m 644 hooks/yocto/files/20-swflip hooks/systemd/swflip.service $(YOCTO)/files
	install -m 644 hooks/buildroot/S38swflip $(YOCTO)/files/swflip.init
	install -m 644 $(SOURCE) $(YOCTO)/files/src

# The same bytes from the same tree, whoever packs it and when: everything in it is as old as EPOCH. Needs GNU tar; in its
# own format 1.34 and 1.35 write the same, in the others one has zeros for the numbers of devices, the other nothing.
dist:
	tar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu \
		--exclude=test/build --transform 's,^,swflip-$(VERSION)/,' -cf - $(SOURCE) .ci hooks test | \
		gzip -9n >swflip-$(VERSION).tar.gz

# All that was built; what test/setup and test/fresh downloaded stays.
clean:
	rm -rf swflip .command swflip-$(VERSION).tar.gz test/build/fresh/run.*
	[ ! -d test/build ] || find test/build \
		\( -name apt -o -name cache -o -name deb -o -name modules -o -name busybox -o -name musl \) -prune -o \
		! -type d ! -name linux ! -name config ! -name version ! -name ready ! -name none ! -name musl-gcc \
		! -name root.tar -exec rm -f {} +

distclean: clean
	rm -rf test/build

.PHONY: all built test demo try bench native lint fuzz install uninstall dist clean distclean \
	install-initramfs-tools install-dracut install-mkinitcpio systemd-unit install-mkinitfs \
	mdev-helper install-busybox install-openwrt install-buildroot install-yocto

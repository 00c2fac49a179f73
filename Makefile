# swflip. What can be set from outside: CC, CFLAGS, CPPFLAGS, LDFLAGS, DESTDIR, PREFIX, MANPREFIX.
#   make                                   static, with musl-gcc where there is one
#   make CC=mipsel-linux-musl-gcc          for another machine
#   make CPPFLAGS=-DTARGET='"mbim"'        with another target compiled in, see config.h
.POSIX:

VERSION = 1.0
EPOCH = 1795392000
PREFIX = /usr/local
MANPREFIX = $(PREFIX)/share/man
CC = $$(command -v musl-gcc || echo cc)
CFLAGS = $$($(CC) -Oz -E - </dev/null >/dev/null 2>&1 && echo -Oz || echo -Os)
CPPFLAGS =
LDFLAGS = -s
FUZZTIME = 60

# What swflip needs of a compiler stays out of CFLAGS; what only makes it smaller is asked for where it is understood.
FLAGS = -std=c11 -Wall -Wextra -DVERSION='"$(VERSION)"' -static
SMALL = -fno-pie -no-pie -fno-stack-protector -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections \
	-fdata-sections -mgeneral-regs-only -fira-region=mixed -fno-caller-saves -fno-forward-propagate -fno-if-conversion \
	-fno-ipa-modref -fno-ipa-sra -fno-jump-tables -fno-move-loop-invariants -fno-shrink-wrap -fno-thread-jumps \
	-fno-tree-dominator-opts -fno-tree-dse -fno-tree-loop-im -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,norelro \
	-Wl,-z,noseparate-code,-z,common-page-size=64

all: swflip

# The case: quotes that make's own command line was to protect, -DTARGET="mbim", reach the compiler without backslashes too.
swflip: swflip.c config.h Makefile
	set -f; f='$(CPPFLAGS)'; case $$f in *\\*) set -- $(CPPFLAGS) ;; *\"*) set -- $$f ;; *) set -- $(CPPFLAGS) ;; esac; \
	for f in $(SMALL); do $(CC) -Werror $$f -E - </dev/null >/dev/null 2>&1 && set -- $$f "$$@"; done; \
	$(CC) $(FLAGS) "$$@" $(CFLAGS) -o $@ swflip.c $(LDFLAGS)

test:
	test/setup
	test/run

demo:
	test/setup demo
	test/demo

bench:
	test/setup all x86_64
	test/bench

# The programs of the tests on the host; ASan and UBSan watch them. Each test/*.c that includes native.h or world.h is one.
NATIVE = -std=c11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined

native:
	@mkdir -p test/build
	@for c in $$(grep -ls '^#include "\(native\|world\).h"' test/*.c); do \
		t=test/build/t-$$(basename $$c .c); \
		[ -z "$$(find $$c test/native.h test/world.h swflip.c config.h Makefile -newer $$t 2>&1)" ] || \
		{ echo "$$t"; $${NATIVE_CC:-cc} $(NATIVE) -o $$t $$c -lutil || exit; }; \
	done

lint:
	test/lint.t

fuzz:
	test/fuzz $(FUZZTIME)

install: swflip
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(MANPREFIX)/man8
	install -m 755 swflip $(DESTDIR)$(PREFIX)/sbin
	install -m 644 swflip.8 $(DESTDIR)$(MANPREFIX)/man8

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/swflip $(DESTDIR)$(MANPREFIX)/man8/swflip.8

# ---- hooks. DESTDIR is the root of the system, of the image, or of the builder's source tree.
SOURCE = swflip.c config.h Makefile swflip.8 README LICENSE
INITRAMFS_TOOLS = $(DESTDIR)/etc/initramfs-tools
DRACUT = $(DESTDIR)/usr/lib/dracut/modules.d/90swflip
INITCPIO = $(DESTDIR)/etc/initcpio
MKINITFS = $(DESTDIR)/etc/mkinitfs/features.d
OPENWRT = $(DESTDIR)/package/utils/swflip
BUILDROOT = $(DESTDIR)/package/swflip
YOCTO = $(DESTDIR)/recipes-connectivity/swflip
NEEDS_DESTDIR = @[ "$(DESTDIR)" ] || { echo "$@: say DESTDIR=, the root of the image or of the builder's tree" >&2; exit 1; }

install-initramfs-tools:
	install -d $(INITRAMFS_TOOLS)/hooks $(INITRAMFS_TOOLS)/scripts/init-top
	install -m 755 hooks/initramfs-tools/hooks/swflip $(INITRAMFS_TOOLS)/hooks
	install -m 755 hooks/initramfs-tools/scripts/init-top/swflip $(INITRAMFS_TOOLS)/scripts/init-top

install-dracut:
	install -d $(DRACUT)
	install -m 755 hooks/dracut/*.sh $(DRACUT)
	install -m 644 hooks/dracut/swflip.service $(DRACUT)

install-mkinitcpio:
	install -d $(INITCPIO)/install $(INITCPIO)/hooks
	install -m 644 hooks/mkinitcpio/install/swflip $(INITCPIO)/install
	install -m 644 hooks/mkinitcpio/hooks/swflip $(INITCPIO)/hooks
	install -m 644 hooks/dracut/swflip.service $(INITCPIO)

install-mkinitfs:
	install -d $(MKINITFS)
	install -m 644 hooks/mkinitfs/swflip.files hooks/mkinitfs/swflip.modules $(MKINITFS)

# What is there already is somebody's own, and stays.
install-busybox: swflip
	$(NEEDS_DESTDIR)
	install -d $(DESTDIR)/sbin $(DESTDIR)/etc
	install -m 755 swflip $(DESTDIR)/sbin
	[ -e $(DESTDIR)/init ] || install -m 755 hooks/busybox/init $(DESTDIR)/init
	[ -e $(DESTDIR)/etc/mdev.conf ] || install -m 644 hooks/busybox/mdev.conf $(DESTDIR)/etc

install-openwrt:
	$(NEEDS_DESTDIR)
	install -d $(OPENWRT)/files $(OPENWRT)/src
	install -m 644 hooks/openwrt/Makefile $(OPENWRT)
	install -m 644 hooks/openwrt/files/* $(OPENWRT)/files
	install -m 644 $(SOURCE) $(OPENWRT)/src

install-buildroot:
	$(NEEDS_DESTDIR)
	install -d $(BUILDROOT)/src
	install -m 644 hooks/buildroot/Config.in hooks/buildroot/swflip.mk hooks/buildroot/swflip.hash $(BUILDROOT)
	install -m 755 hooks/buildroot/S38swflip $(BUILDROOT)
	install -m 644 $(SOURCE) $(BUILDROOT)/src

install-yocto:
	$(NEEDS_DESTDIR)
	install -d $(YOCTO)/files/src
	install -m 644 hooks/yocto/swflip_$(VERSION).bb $(YOCTO)
	install -m 644 hooks/yocto/files/20-swflip $(YOCTO)/files
	install -m 644 $(SOURCE) $(YOCTO)/files/src

# The same bytes from the same tree, whoever packs it and when: everything in it is as old as EPOCH. Needs GNU tar.
dist:
	tar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar \
		--exclude=test/build --transform 's,^,swflip-$(VERSION)/,' -cf - $(SOURCE) .ci hooks test | \
		gzip -9n >swflip-$(VERSION).tar.gz

clean:
	rm -f swflip swflip-$(VERSION).tar.gz test/build/t-*

.PHONY: all test demo bench native lint fuzz install uninstall dist clean install-initramfs-tools install-dracut \
	install-mkinitcpio install-mkinitfs install-busybox install-openwrt install-buildroot install-yocto

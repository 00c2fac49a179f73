# recipes-connectivity/swflip/swflip_@VERSION@.bb. `make install-yocto` puts swflip's own source
# beside it in files/src, so nothing is downloaded.

SUMMARY = "Puts Sierra Wireless modems into the wanted USB mode"
SECTION = "console/network"
MAINTAINER = "the swflip authors"
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=966da916a29d5299113f109ad6701a05"

SRC_URI = "file://src file://20-swflip file://swflip.init file://swflip.service"

# Where files are unpacked to has had a name of its own since release 5.0.
SWFLIP_UNPACKED = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${SWFLIP_UNPACKED}/src"

# A program that nobody starts is of no use: a unit where the distribution has systemd, a script
# where it has sysvinit.
inherit systemd update-rc.d

SYSTEMD_SERVICE:${PN} = "swflip.service"
INITSCRIPT_NAME = "swflip"
INITSCRIPT_PARAMS = "start 38 S ."

# On the command line, because the environment does not override a makefile's own. The program is
# static, so the C library's size counts: 719,208 bytes with glibc, a twelfth of that with
# TCLIBC = "musl".
EXTRA_OEMAKE = "'CC=${CC}' 'CFLAGS=${CFLAGS}' 'CPPFLAGS=${CPPFLAGS}' 'LDFLAGS=${LDFLAGS}'"

# A config.h of one's own: SRC_URI += "file://config.h" in a bbappend.
do_configure() {
	if [ -f ${SWFLIP_UNPACKED}/config.h ]; then
		cp ${SWFLIP_UNPACKED}/config.h ${S}/config.h
	fi
}

do_compile() {
	oe_runmake
}

do_install() {
	install -D -m 0755 ${S}/swflip ${D}${base_sbindir}/swflip
	install -D -m 0644 ${S}/swflip.8 ${D}${mandir}/man8/swflip.8
	install -D -m 0755 ${SWFLIP_UNPACKED}/20-swflip ${D}/init.d/20-swflip
	if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
		install -D -m 0644 ${SWFLIP_UNPACKED}/swflip.service \
			${D}${systemd_system_unitdir}/swflip.service
	fi
	if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
		install -D -m 0755 ${SWFLIP_UNPACKED}/swflip.init ${D}${sysconfdir}/init.d/swflip
	fi
}

# For an image of initramfs-framework: PACKAGE_INSTALL += "initramfs-module-swflip".
PACKAGES =+ "initramfs-module-swflip"
SUMMARY:initramfs-module-swflip = "initramfs support for swflip"
RDEPENDS:initramfs-module-swflip = "${PN} initramfs-framework-base"
FILES:initramfs-module-swflip = "/init.d/20-swflip"

# Recommended, since a kernel may have them built in, and swflip speaks AT over USB where it has no
# serial drivers at all.
RRECOMMENDS:${PN} = "@MODULES@"

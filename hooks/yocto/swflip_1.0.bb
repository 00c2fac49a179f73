# recipes-connectivity/swflip/swflip_1.0.bb. `make install-yocto` puts swflip's own source beside it in files/src, so
# nothing is downloaded.

SUMMARY = "Puts Sierra Wireless modems into the wanted USB mode"
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=966da916a29d5299113f109ad6701a05"

SRC_URI = "file://src file://20-swflip"

# Where files are unpacked to has had a name of its own since release 5.0.
SWFLIP_UNPACKED = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${SWFLIP_UNPACKED}/src"

# On the command line, because the environment does not override a makefile's own.
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
}

# For an image of initramfs-framework: PACKAGE_INSTALL += "initramfs-module-swflip".
PACKAGES =+ "initramfs-module-swflip"
SUMMARY:initramfs-module-swflip = "initramfs support for swflip"
RDEPENDS:initramfs-module-swflip = "${PN} initramfs-framework-base"
FILES:initramfs-module-swflip = "/init.d/20-swflip"

# Recommended, since a kernel may have them built in, and swflip speaks AT over USB where it has no serial drivers at all.
RRECOMMENDS:${PN} = " \
	kernel-module-sierra kernel-module-qcserial kernel-module-option kernel-module-cdc-acm \
	kernel-module-cdc-wdm kernel-module-cdc-ether kernel-module-cdc-ncm kernel-module-cdc-mbim \
	kernel-module-qmi-wwan kernel-module-sierra-net \
"

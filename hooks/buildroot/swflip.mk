################################################################################
#
# swflip
#
################################################################################

# `make install-buildroot` puts swflip's own source beside this file, so nothing is downloaded, and src/config.h is the
# one to edit.
SWFLIP_VERSION = 1.0
SWFLIP_SITE = $(SWFLIP_PKGDIR)/src
SWFLIP_SITE_METHOD = local
SWFLIP_LICENSE = ISC
SWFLIP_LICENSE_FILES = LICENSE

define SWFLIP_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) $(TARGET_CONFIGURE_OPTS) -C $(@D)
endef

define SWFLIP_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/swflip $(TARGET_DIR)/sbin/swflip
endef

# For BusyBox or sysv init, before the network (S40). In an initramfs, which has no init scripts, take hooks/busybox/init.
define SWFLIP_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(SWFLIP_PKGDIR)/S38swflip $(TARGET_DIR)/etc/init.d/S38swflip
endef

$(eval $(generic-package))

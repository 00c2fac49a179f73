################################################################################
#
# swflip
#
################################################################################

# `make install-buildroot` puts swflip's own source beside this file, so nothing
# is downloaded, and src/config.h is the one to edit.
SWFLIP_VERSION = @VERSION@
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

# For BusyBox or sysv init, before the network (S40). In an initramfs, which has
# no init scripts, take hooks/busybox/init.
define SWFLIP_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(SWFLIP_PKGDIR)/S38swflip \
		$(TARGET_DIR)/etc/init.d/S38swflip
endef

define SWFLIP_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(SWFLIP_PKGDIR)/swflip.service \
		$(TARGET_DIR)/usr/lib/systemd/system/swflip.service
endef

# What swflip needs of the kernel, and the drivers of the modem's AT ports and
# network, for what comes after it. The USB host is the board's own business.
define SWFLIP_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_NET)
	$(call KCONFIG_ENABLE_OPT,CONFIG_NETDEVICES)
	$(call KCONFIG_ENABLE_OPT,CONFIG_PRINTK)
	$(call KCONFIG_ENABLE_OPT,CONFIG_PROC_FS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_SYSFS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_TTY)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SUPPORT)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_ACM)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SERIAL)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SERIAL_OPTION)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SERIAL_QUALCOMM)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SERIAL_SIERRAWIRELESS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_NET_DRIVERS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_USBNET)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_NET_CDCETHER)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_NET_CDC_MBIM)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_NET_CDC_NCM)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_NET_QMI_WWAN)
	$(call KCONFIG_ENABLE_OPT,CONFIG_USB_SIERRA_NET)
endef

$(eval $(generic-package))

################################################################################
#
# swflip, where this folder is a BR2_EXTERNAL tree of its own
#
################################################################################

# As a package of Buildroot's own tree it has this file read as well.
ifneq ($(BR2_EXTERNAL_SWFLIP_PATH),)
include $(BR2_EXTERNAL_SWFLIP_PATH)/swflip.mk
endif

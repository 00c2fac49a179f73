/* The modem as a USB/IP device on one of vhci-hcd's ports. */
#ifndef USBIP_H
#define USBIP_H

#include "modem.h"

extern int usbip_socket; /* to the kernel, -1: off the bus */

bool usbip_attach(struct modem *);
void usbip_detach(struct modem *);
bool usbip_read(struct modem *); /* false: the kernel has closed it */
void usbip_pump(struct modem *); /* what the modem has for transfers that wait */

#endif

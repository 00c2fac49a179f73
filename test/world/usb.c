/* USB as the kernel has it: ports, devices that are enumerated by what their descriptors say,
 * drivers, uevents. */
#define _GNU_SOURCE
#include "inside.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Measured in a guest (attach to `add` 0.4 s with vhci's debounce), and usual for a driver. */
enum { ENUMERATION_US = 250000, DRIVERS_US = 50000, PORT_LINK_US = 50000 };
enum { STORAGE_TRIES = 3, STORAGE_TIMEOUT_US = 5000000, STORAGE_PAUSE_US = 2000000 };
enum { ANY = -1, GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9 };

struct device *usb_devices[DEVICES];
static unsigned devnums[20]; /* of each bus */

#define PCI "/sys/devices/pci0000:00/0000:00:14.0"

/* ---- names ---- */

/* A link to a file of sysfs, from another place in it, as sysfs has them: relative. */
static void make_link(const char *at, const char *to)
{
	char text[400] = "";
	const char *p = at + strlen("/sys/");

	for (; strchr(p, '/'); p = strchr(p, '/') + 1)
		strcat(text, "../");
	strcat(text, to + strlen("/sys/"));
	files_make(at, LINK, text);
}

static struct node *make_text(const char *dir, const char *name, const char *text)
{
	return files_make(format("%s/%s", dir, name), TEXT, text);
}

/* Where a device in this port stands in sysfs: through the hubs that lead to it. */
static void place(const char *port, char sys[120])
{
	int n = snprintf(sys, 120, PCI "/usb%d", atoi(port));

	for (const char *p = strchr(port, '-'); p; p = strchr(p + 1, '.')) {
		const char *end = strchr(p + 1, '.');
		int len = end ? (int)(end - port) : (int)strlen(port);

		n += snprintf(sys + n, 120 - (size_t)n, "/%.*s", len, port);
	}
}

/* The directory of a port object: below the hub's interface. */
static const char *port_object(const char *port)
{
	const char *dot = strrchr(port, '.'), *dash = strchr(port, '-');
	char hub[24], sys[120];

	if (!dot)
		return format(PCI "/usb%d/%d-0:1.0/usb%d-port%s", atoi(port), atoi(port),
			      atoi(port), dash + 1);
	snprintf(hub, sizeof hub, "%.*s", (int)(dot - port), port);
	place(hub, sys);
	return format("%s/%s:1.0/%s-port%s", sys, hub, hub, dot + 1);
}

/* The other half of a USB 3 connector, which is on the other bus of the same controller. */
static void peer_of(const char *port, char peer[24])
{
	int bus = atoi(port);

	snprintf(peer, 24, "%d%s", bus % 2 ? bus + 1 : bus - 1, strchr(port, '-'));
}

static void make_port(const char *port)
{
	char peer[24], object[400];

	peer_of(port, peer);
	snprintf(object, sizeof object, "%s", port_object(port));
	if (files_find(object, true))
		return;
	make_text(object, "connect_type", "hotplug\n");
	make_text(port_object(peer), "connect_type", "hotplug\n");
	make_link(format("%s/peer", object), port_object(peer));
	make_link(format("%s/peer", port_object(peer)), object);
}

/* A root hub, or a hub in a port. */
static void make_hub(const char *name, const char *sys)
{
	if (files_find(sys, true))
		return;
	make_text(sys, "idVendor", *name == 'u' ? "1d6b\n" : "05e3\n");
	make_text(sys, "idProduct", *name == 'u' ? "0002\n" : "0610\n");
	make_text(sys, "bDeviceClass", "09\n");
	make_text(sys, "devnum", "1\n");
	make_text(sys, "busnum", format("%d\n", atoi(*name == 'u' ? name + 3 : name)));
	make_text(sys, "descriptors", "\022\001");
	make_link(format("/sys/bus/usb/devices/%s", name), sys);
}

static void make_hubs(const char *port)
{
	char sys[120], hub[24];

	for (const char *dot = strchr(port, '.'); dot; dot = strchr(dot + 1, '.')) {
		snprintf(hub, sizeof hub, "%.*s", (int)(dot - port), port);
		make_port(hub);
		place(hub, sys);
		make_hub(hub, sys);
	}
}

void usb_machine(void)
{
	static const char *const own[] = { "usb", "hub", "usbfs" };

	for (int bus = 1; bus <= 4; bus++) {
		make_hub(format("usb%d", bus), format(PCI "/usb%d", bus));
		make_link(format("/sys/bus/usb/devices/%d-0:1.0", bus),
			  format(PCI "/usb%d/%d-0:1.0", bus, bus));
	}
	for (int bus = 1; bus <= 3; bus += 2)
		for (int port = 1; port <= 15; port++)
			make_port(format("%d-%d", bus, port));
	for (unsigned i = 0; i < LEN(own); i++)
		files_make(format("/sys/bus/usb/drivers/%s", own[i]), DIRECTORY, NULL);
	for (unsigned bus = 0; bus < LEN(devnums); bus++)
		devnums[bus] = 96; /* most machines have seen some devices come and go */
}

/* ---- uevents ---- */

void usb_uevent(const char *action, const struct node *dir, const char *subsystem, const char *type)
{
	char message[512];
	const char *path = files_path(dir) + strlen("/sys");
	int n = snprintf(message, sizeof message,
			 "%s@%s%cACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s%cDEVTYPE=%s", action, path, 0,
			 action, 0, path, 0, subsystem, 0, type);

	uevents_send(message, (size_t)n + 1);
}

/* ---- drivers: what Linux 6.1 binds to what (sierra.c, qcserial.c, option.c, qmi_wwan.c,
 * unusual_devs.h) ---- */

struct match {
	const char *driver;
	int vid, pid, number, class, subclass, protocol;
};

static const struct match matches[] = {
	{ "usb-storage", ANY, ANY, ANY, 8, 6, 0x50 },
	{ "cdc_mbim", ANY, ANY, ANY, 2, 0x0e, 0 },
	{ "cdc_ether", ANY, ANY, ANY, 2, 6, 0 },
	{ "option", 0x1199, 0x90d3, ANY, 0xff, 0xff, 0x30 },
	{ "option", 0x1199, 0x90d3, ANY, 0xff, 0xff, 0x40 },
	{ "option", 0x1199, 0x90d3, ANY, 0xff, 0, 0 },
	{ "sierra_net", 0x1199, 0x68a3, 7, 0xff, 0xff, 0xff },
	{ "sierra_net", 0x0f3d, 0x68a3, 7, 0xff, 0xff, 0xff },
	{ "sierra_net", 0x1199, 0x68aa, 7, 0xff, 0xff, 0xff },
	{ "sierra_net", 0x0f3d, 0x68aa, 7, 0xff, 0xff, 0xff },
	{ "qmi_wwan", 0x1199, 0x68c0, 10, 0xff, ANY, ANY },
	{ "qmi_wwan", 0x1199, 0x9041, 10, 0xff, ANY, ANY },
	{ "qmi_wwan", 0x1199, 0x9071, 10, 0xff, ANY, ANY },
	{ "qmi_wwan", 0x1199, 0x9079, 10, 0xff, ANY, ANY },
	{ "qmi_wwan", 0x1199, 0x68a2, 19, 0xff, ANY, ANY },
};

/* The vendors' product IDs of the drivers that go by interface numbers. */
static const int sierra_pids[] = { 0x0017, 0x0018, 0x0218, 0x0020, 0x0220, 0x6855, 0x6856, 0x6859 };
static const int sierra_ff_pids[] = { 0x0023, 0x0025, 0x6880, 0x6890, 0x6891,
				      0x6892, 0x6893, 0x68a3, 0x68aa };
static const int swi_pids[] = { 0x68a2, 0x68c0, 0x901c, 0x901f, 0x9040, 0x9041, 0x9051, 0x9053,
				0x9054, 0x9055, 0x9056, 0x9060, 0x9061, 0x9063, 0x9071, 0x9079,
				0x9091, 0x90e5, 0xc081, 0x81a2, 0x81a3, 0x81a4, 0x81a8, 0x81a9,
				0x81b1, 0x81b3, 0x81b6, 0x81c2, 0x81cc, 0x81cf, 0x81d0, 0x81d1,
				0x81d2, 0x8217, 0x8218, 0x4e1d };
static const int gobi_pids[] = { 0x9000, 0x9001, 0x9002, 0x9003, 0x9004, 0x9005,
				 0x9006, 0x9007, 0x9008, 0x9009, 0x900a, 0x9011,
				 0x9013, 0x9015, 0x9019, 0x901b, 0x68a5, 0x68a9 };
static const int qmi_pids[] = { 0x68a2, 0x68c0, 0x901c, 0x901f, 0x9041, 0x9051, 0x9053, 0x9054,
				0x9055, 0x9056, 0x9057, 0x9061, 0x9063, 0x9071, 0x9079, 0x907b,
				0x9091, 0xc081, 0x68d3, 0x81a2, 0x81a3, 0x81a4, 0x81a8, 0x81a9,
				0x81b1, 0x81b3, 0x81b6, 0x81c2, 0x81cc, 0x4e1d };

#define HAS(list, pid) has(list, LEN(list), pid)
static bool has(const int *list, size_t n, int pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == pid)
			return true;
	return false;
}

bool has_driver(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = world.drivers; p && (p = strstr(p, name)); p += n)
		if ((p == world.drivers || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static unsigned vid_of(const struct device *d)
{
	return (unsigned)(d->descriptors[8] | d->descriptors[9] << 8);
}

static unsigned pid_of(const struct device *d)
{
	return (unsigned)(d->descriptors[10] | d->descriptors[11] << 8);
}

static bool fits(const struct match *m, const struct device *d, const struct interface *i)
{
	return (m->vid == ANY || m->vid == (int)vid_of(d)) &&
	       (m->pid == ANY || m->pid == (int)pid_of(d)) &&
	       (m->number == ANY || m->number == (int)i->number) &&
	       (m->class == ANY || m->class == (int)i->class) &&
	       (m->subclass == ANY || m->subclass == (int)i->subclass) &&
	       (m->protocol == ANY || m->protocol == (int)i->protocol);
}

/* Those that go by interface numbers; all of them want class ff. */
static const char *by_number(const struct device *d, const struct interface *i)
{
	int pid = (int)pid_of(d);
	bool direct = pid == 0x68a3 || pid == 0x68aa,
	     ff = i->subclass == 0xff && i->protocol == 0xff;
	bool maker = vid_of(d) == 0x1199 || vid_of(d) == 0x0f3d || vid_of(d) == 0x114f ||
		     vid_of(d) == 0x413c || vid_of(d) == 0x03f0;

	if (i->class != 0xff || !maker)
		return NULL;
	if (HAS(sierra_pids, pid) || (pid == 0x1e1d && vid_of(d) == 0x03f0))
		return "sierra";
	if (HAS(sierra_ff_pids, pid) && ff && !(direct && i->number >= 7))
		return "sierra";
	if (HAS(swi_pids, pid) && (i->number == 0 || i->number == 2 || i->number == 3))
		return "qcserial";
	if (HAS(gobi_pids, pid) && i->number >= 1 && i->number <= 3)
		return "qcserial";
	if ((HAS(qmi_pids, pid) && i->number == 8 && i->neps == 3) ||
	    (HAS(gobi_pids, pid) && !i->number && i->neps == 3))
		return "qmi_wwan";
	return NULL;
}

static const char *driver_for(const struct device *d, const struct interface *i)
{
	const char *name = by_number(d, i);

	for (size_t k = 0; !name && k < LEN(matches); k++)
		if (fits(&matches[k], d, i))
			name = matches[k].driver;
	return name && has_driver(name) ? name : NULL;
}

static bool is_serial(const char *driver)
{
	return !strcmp(driver, "sierra") || !strcmp(driver, "qcserial") ||
	       !strcmp(driver, "option");
}

static bool control(struct device *d, unsigned type, unsigned request, unsigned value,
		    unsigned length, uint8_t *answer, int *n)
{
	uint8_t setup[8] = {
		(uint8_t)type,   (uint8_t)request,      (uint8_t)value, (uint8_t)(value >> 8), 0, 0,
		(uint8_t)length, (uint8_t)(length >> 8)
	};

	*n = modem_control(d->modem, setup, NULL, answer);
	return *n != NEVER;
}

void usb_unbind(struct device *d, struct interface *i)
{
	if (!i->driver)
		return;
	if (i->line)
		line_gone(i->line);
	i->line = NULL;
	files_remove(files_find(format("%s/driver", files_path(i->dir)), false));
	files_remove(
		files_find(format("/sys/bus/usb/drivers/%s/%s", i->driver, i->dir->name), false));
	i->driver = NULL;
	usb_uevent("unbind", i->dir, "usb", "usb_interface");
	(void)d;
}

/* qmi_wwan's quirk: these, and whoever says USB 2.01 or more. */
static bool wants_dtr(const struct device *d)
{
	static const int pids[] = { 0x68c0, 0x9071, 0x9079, 0x907b, 0x9091, 0xc081 };

	return HAS(pids, (int)pid_of(d)) || (d->descriptors[2] | d->descriptors[3] << 8) >= 0x201;
}

static void set_dtr(struct device *d, const struct interface *i)
{
	uint8_t setup[8] = { 0x21, 0x22, 1, 0, (uint8_t)i->number }, answer[MAXMSG];

	modem_control(d->modem, setup, NULL, answer);
}

static void bound(struct device *d, struct interface *i, const char *driver)
{
	i->driver = driver;
	make_link(format("%s/driver", files_path(i->dir)),
		  format("/sys/bus/usb/drivers/%s", driver));
	make_link(format("/sys/bus/usb/drivers/%s/%s", driver, i->dir->name), files_path(i->dir));
	if (is_serial(driver) && i->in && i->out)
		i->line = line_new(d, i, true);
	if (!strcmp(driver, "qmi_wwan") && wants_dtr(d))
		set_dtr(d, i);
	if ((!strcmp(driver, "qmi_wwan") || !strcmp(driver, "cdc_mbim")) && i->note)
		i->line = line_new(d, i, false);
	usb_uevent("bind", i->dir, "usb", "usb_interface");
}

/* usb-storage and a TRU-Install stick: sierra_ms.c asks it up to three times, and sends it on
 * unless it carries a Linux package. The device is locked meanwhile. */
static void probe_storage(struct device *d, struct interface *i)
{
	uint8_t info[MAXMSG];
	unsigned sku;
	int n;
	bool answered = control(d, 0xc0, 0x0a, 0, 60, info, &n);

	d->storage_at = 0;
	if (!answered || n != 60) {
		int64_t took = answered ? 0 : STORAGE_TIMEOUT_US;

		d->locked_until = world.clock + took + STORAGE_PAUSE_US;
		if (++d->storage_try < STORAGE_TRIES)
			d->storage_at = d->locked_until;
		return;
	}
	sku = (unsigned)(info[9] | info[10] << 8);
	if ((sku >= 0x2100 && sku <= 0x2fff) || (sku >= 0x7100 && sku <= 0x7fff)) {
		make_text(files_path(i->dir), "truinst",
			  format("REV=%02d SKU=%04X VER=%04X\n", info[0], sku,
				 (unsigned)(info[11] | info[12] << 8)));
		bound(d, i, "usb-storage");
		return;
	}
	if (!control(d, 0x40, 0x0b, 1, 0, info, &n))
		d->locked_until = world.clock + STORAGE_TIMEOUT_US;
}

void usb_bind(struct device *d, struct interface *i)
{
	const char *driver = i->driver || i->held ? NULL : driver_for(d, i);

	if (!driver)
		return;
	if (!strcmp(driver, "usb-storage") && vid_of(d) == 0x1199 && pid_of(d) == 0x0fff) {
		d->storage_try = 0;
		probe_storage(d, i);
		return;
	}
	bound(d, i, driver);
}

/* ---- interfaces ---- */

static bool held(const struct device *d, unsigned number)
{
	const char *where, *colon;

	for (unsigned i = 0; (where = fault_value("held", i)); i++) {
		colon = strchr(where, ':');
		if (colon && !strncmp(where, d->port, (size_t)(colon - where)) &&
		    strtoul(colon + 1, NULL, 10) == number)
			return true;
	}
	return false;
}

static void show_interface(struct device *d, struct interface *i)
{
	char name[48], sys[400];

	snprintf(name, sizeof name, "%s:%u.%u", d->port, d->config, i->number);
	snprintf(sys, sizeof sys, "%s/%s", d->sys, name);
	i->dir = files_make(sys, DIRECTORY, NULL);
	make_text(sys, "bInterfaceNumber", format("%02x\n", i->number));
	make_text(sys, "bAlternateSetting", format("%2u\n", i->alt));
	make_text(sys, "bNumEndpoints", format("%02x\n", i->neps));
	make_text(sys, "bInterfaceClass", format("%02x\n", i->class));
	make_text(sys, "bInterfaceSubClass", format("%02x\n", i->subclass));
	make_text(sys, "bInterfaceProtocol", format("%02x\n", i->protocol));
	make_text(sys, "modalias",
		  format("usb:v%04Xp%04Xd0006dc00dsc00dp00ic%02Xisc%02Xip%02Xin%02X\n", vid_of(d),
			 pid_of(d), i->class, i->subclass, i->protocol, i->number));
	make_link(format("/sys/bus/usb/devices/%s", name), sys);
	usb_uevent("add", i->dir, "usb", "usb_interface");
}

/* The interfaces of a configuration, each in its first setting; endpoints of the last one
 * count, as MBIM's data has them. */
static void parse_interfaces(struct device *d, const uint8_t *p, size_t n)
{
	struct interface *i = NULL;

	for (; n >= 2 && p[0] >= 2 && p[0] <= n; n -= p[0], p += p[0]) {
		if (p[1] == 4 && p[0] >= 9 && !p[3] && d->ninterfaces < INTERFACES) {
			i = &d->interface[d->ninterfaces++];
			*i = (struct interface){ .number = p[2],
						 .neps = p[4],
						 .class = p[5],
						 .subclass = p[6],
						 .protocol = p[7],
						 .held = held(d, p[2]) };
		}
		if (p[1] != 5 || p[0] < 7 || !i)
			continue;
		if ((p[3] & 3) == 3 && !i->note)
			i->note = p[2];
		if ((p[3] & 3) == 2 && p[2] & 0x80 && !i->in)
			i->in = p[2];
		if ((p[3] & 3) == 2 && !(p[2] & 0x80) && !i->out)
			i->out = p[2];
	}
}

/* The nth configuration, or the one with this value. */
static const uint8_t *find_config(const struct device *d, unsigned nth, unsigned value,
				  size_t *size)
{
	const uint8_t *p = d->descriptors + 18;

	for (unsigned i = 0; p + 9 <= d->descriptors + d->ndescriptors; i++) {
		*size = (size_t)(p[2] | p[3] << 8);
		if (value ? p[5] == value : i == nth)
			return p;
		p += *size ? *size : 9;
	}
	return NULL;
}

static void hide_interfaces(struct device *d)
{
	for (unsigned k = 0; k < d->ninterfaces; k++) {
		struct interface *i = &d->interface[k];

		usb_unbind(d, i);
		usb_uevent("remove", i->dir, "usb", "usb_interface");
		files_remove(files_find(format("/sys/bus/usb/devices/%s", i->dir->name), false));
		files_remove(i->dir);
	}
	d->ninterfaces = 0;
	d->storage_at = 0;
}

static long set_config(struct device *d, unsigned value)
{
	uint8_t answer[MAXMSG];
	size_t size;
	const uint8_t *config = find_config(d, 0, value, &size);
	int n;

	if (value && !config)
		return -EINVAL;
	hide_interfaces(d);
	if (!control(d, 0, SET_CONFIGURATION, value, 0, answer, &n))
		return -ETIMEDOUT;
	if (n < 0)
		return n;
	d->config = value;
	make_text(d->sys, "bConfigurationValue", value ? format("%u\n", value) : "\n");
	if (config)
		parse_interfaces(d, config, size);
	make_text(d->sys, "bNumInterfaces", format("%2u\n", d->ninterfaces));
	for (unsigned k = 0; k < d->ninterfaces; k++)
		show_interface(d, &d->interface[k]);
	return 0;
}

static long write_config(struct node *n, const char *text, size_t size)
{
	struct device *d = n->device;
	long r = usb_configure(d, (unsigned)strtoul(text, NULL, 10));

	return r ? r : (long)size;
}

static void watch_config(struct device *d)
{
	struct node *n = files_find(format("%s/bConfigurationValue", d->sys), true);

	if (n) {
		n->device = d;
		n->write = write_config;
	}
}

/* Through sysfs: drivers are probed before this returns. */
long usb_configure(struct device *d, unsigned value)
{
	long r;

	if (fault("config-fails"))
		return -EIO;
	r = set_config(d, value);
	watch_config(d);
	for (unsigned k = 0; !r && k < d->ninterfaces; k++)
		usb_bind(d, &d->interface[k]);
	return r;
}

/* ---- a device comes and goes ---- */

/* usb_choose_configuration(): the first whose first interface has a class that is not the
 * vendor's; else the first. */
static unsigned choose_config(const struct device *d)
{
	size_t size;
	const uint8_t *config;

	for (unsigned i = 0; (config = find_config(d, i, 0, &size)); i++)
		for (const uint8_t *p = config; p < config + size && p[0]; p += p[0])
			if (p[1] == 4) {
				if (p[5] != 0xff)
					return config[5];
				break;
			}
	config = find_config(d, 0, 0, &size);
	return config ? config[5] : 0;
}

static bool read_descriptors(struct device *d)
{
	uint8_t answer[MAXMSG];
	int n;

	if (!control(d, 0x80, GET_DESCRIPTOR, 0x100, 18, answer, &n) || n != 18)
		return false;
	memcpy(d->descriptors, answer, 18);
	d->ndescriptors = 18;
	for (unsigned i = 0; i < answer[17] && i < 4; i++) {
		uint8_t config[MAXMSG];

		if (!control(d, 0x80, GET_DESCRIPTOR, 0x200 + i, sizeof config, config, &n) ||
		    n < 9)
			return false;
		memcpy(d->descriptors + d->ndescriptors, config, (size_t)n);
		d->ndescriptors += (size_t)n;
	}
	return true;
}

static void show_device(struct device *d)
{
	const uint8_t *b = d->descriptors;
	unsigned minor = (d->bus - 1) * 128 + d->devnum - 1;
	bool barred = fault("barred");
	char dev[40], number[20];
	struct node *n;

	d->dir = files_make(d->sys, DIRECTORY, NULL);
	files_text(make_text(d->sys, "descriptors", ""), b, d->ndescriptors);
	files_find(format("%s/descriptors", d->sys), true)->device = fault("lock") ? d : NULL;
	make_text(d->sys, "devnum", format("%u\n", d->devnum));
	make_text(d->sys, "busnum", format("%u\n", d->bus));
	make_text(d->sys, "idVendor", format("%04x\n", vid_of(d)));
	make_text(d->sys, "idProduct", format("%04x\n", pid_of(d)));
	make_text(d->sys, "bcdDevice", format("%04x\n", b[12] | b[13] << 8));
	make_text(d->sys, "bDeviceClass", format("%02x\n", b[4]));
	make_text(d->sys, "version", format("%2x.%02x\n", b[3], b[2]));
	make_text(d->sys, "bNumConfigurations", format("%u\n", b[17]));
	make_text(d->sys, "speed", modem_speed(d->modem) == SUPER ? "5000\n" : "480\n");
	make_text(d->sys, "authorized", barred ? "0\n" : "1\n");
	make_text(d->sys, "power/control", fault("awake") ? "on\n" : "auto\n");
	make_text(d->sys, "bConfigurationValue", "\n");
	watch_config(d);
	snprintf(number, sizeof number, "189:%u", minor);
	make_text(d->sys, "dev", format("%s\n", number));
	snprintf(dev, sizeof dev, "/dev/bus/usb/%03u/%03u", d->bus, d->devnum);
	n = files_make(dev, CHARACTER, NULL);
	if (n) {
		n->major = 189;
		n->minor = minor;
	}
	d->node = n;
	make_link(format("/sys/dev/char/%s", number),
		  fault("elsewhere") ? PCI "/usb1/9-9/9-9:1.3" : d->sys);
	make_link(format("/sys/bus/usb/devices/%s", d->port), d->sys);
	usb_uevent("add", d->dir, "usb", "usb_device");
}

static void take_port(struct device *d)
{
	unsigned controller, port = modem_port(d->modem, &controller);

	if (port != d->truport || controller != d->trucontroller) {
		d->truport = port;
		d->trucontroller = controller;
		snprintf(d->port, sizeof d->port, "%u-%u", 2 * controller + (port >= 15 ? 2 : 1),
			 port % 15 + 1);
	}
	make_hubs(d->port);
	make_port(d->port);
	place(d->port, d->sys);
	d->bus = (unsigned)atoi(d->port);
}

static void configure(struct device *d)
{
	const char *late = fault_value("late-drivers", 0);

	d->configure_at = 0;
	set_config(d, choose_config(d));
	watch_config(d);
	d->drivers_at = world.clock + (late ? strtol(late, NULL, 10) * 1000 : DRIVERS_US);
}

static void enumerate(struct device *d)
{
	const char *late = fault_value("late-config", 0);

	d->enumerate_at = 0;
	if (!read_descriptors(d))
		return;
	take_port(d);
	devnums[d->bus] = devnums[d->bus] % 126 + 2;
	d->devnum = devnums[d->bus]--;
	d->present = true;
	d->ninterfaces = d->config = 0;
	d->locked_until = 0;
	show_device(d);
	if (fault("barred"))
		return;
	if (late)
		d->configure_at = world.clock + strtol(late, NULL, 10) * 1000;
	else
		configure(d);
}

static void probe_drivers(struct device *d)
{
	d->drivers_at = 0;
	for (unsigned k = 0; k < d->ninterfaces; k++)
		usb_bind(d, &d->interface[k]);
	if (!fault("latepeer")) {
		make_link(format("%s/port", d->sys), port_object(d->port));
		make_link(format("%s/device", port_object(d->port)), d->sys);
	}
	if (!fault("nobind"))
		usb_uevent("bind", d->dir, "usb", "usb_device");
}

static void retry_storage(struct device *d)
{
	for (unsigned k = 0; k < d->ninterfaces; k++)
		if (d->interface[k].class == 8)
			probe_storage(d, &d->interface[k]);
}

static void disappear(struct device *d)
{
	if (!d->present)
		return;
	d->present = false;
	d->configure_at = d->drivers_at = d->storage_at = d->locked_until = 0;
	hide_interfaces(d);
	usb_uevent("remove", d->dir, "usb", "usb_device");
	files_remove(files_find(format("/sys/dev/char/189:%u", (d->bus - 1) * 128 + d->devnum - 1),
				false));
	files_remove(files_find(format("/sys/bus/usb/devices/%s", d->port), false));
	files_remove(files_find(format("%s/device", port_object(d->port)), false));
	files_remove(d->node);
	files_remove(d->dir);
	d->dir = d->node = NULL;
}

/* ---- the modem's host ---- */

static struct device *device_of(const struct modem *modem)
{
	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++)
		if (usb_devices[i]->modem == modem)
			return usb_devices[i];
	abort();
}

static long long host_now(void)
{
	return world.clock / 1000;
}

void usb_log(struct device *d, const char *line)
{
	size_t n = strlen(line);

	if (d->nlog + n + 2 > d->roomlog) {
		char *larger = realloc(d->log, 2 * d->roomlog + n + 4096);

		if (!larger)
			abort();
		d->log = larger;
		d->roomlog = 2 * d->roomlog + n + 4096;
	}
	memcpy(d->log + d->nlog, line, n);
	d->nlog += n;
	d->log[d->nlog++] = '\n';
	d->log[d->nlog] = '\0';
	events_line(line);
}

static void host_say(struct modem *modem, const char *line)
{
	usb_log(device_of(modem), line);
}

static bool host_attach(struct modem *modem)
{
	struct device *d = device_of(modem);

	d->attached = true;
	d->enumerate_at = world.clock + ENUMERATION_US;
	return true;
}

static void host_detach(struct modem *modem)
{
	struct device *d = device_of(modem);

	d->attached = false;
	d->enumerate_at = 0;
	disappear(d);
}

static void host_run(struct modem *modem, const char *command)
{
	(void)modem;
	(void)command;
	abort();
}

static const struct host host = { host_now,    host_say,    host_attach,
				  host_detach, host_detach, host_run };

/* ---- what a test does ---- */

/* A misspelt knob would do nothing, and nobody would know: each must be in test/modem/words. */
static void check_knob(const char *line)
{
	static char words[20000] = "\n";
	const size_t n = strcspn(line, " =");
	char word[40];

	if (!words[1]) {
		FILE *f = fopen(MODEMS "/../modem/words", "r");

		if (!f || !fread(words + 1, 1, sizeof words - 2, f))
			abort();
		fclose(f);
	}
	snprintf(word, sizeof word, "%.*s", (int)n, line);
	for (const char *p = strstr(words, word); p; p = strstr(p + 1, word))
		if (!isalnum((unsigned char)p[-1]) && p[-1] != '-' &&
		    !isalnum((unsigned char)p[n]) && p[n] != '-')
			return;
	fprintf(stderr, "test/modem/words has no '%s'\n", word);
	abort();
}

struct device *world_plug(const char *port, const char *file, const char *knobs, int64_t ms)
{
	struct device *d = calloc(1, sizeof *d);
	unsigned i = 0, bus = (unsigned)atoi(port);
	char line[600];

	while (i < DEVICES && usb_devices[i])
		i++;
	if (!d || i == DEVICES)
		abort();
	usb_devices[i] = d;
	snprintf(d->port, sizeof d->port, "%s", port);
	d->truport = ((unsigned)atoi(strchr(port, '-') + 1) - 1) % 15 + (bus % 2 ? 0 : 15);
	d->trucontroller = (bus - 1) / 2;
	d->modem = modem_new(&host, false, d->truport, d->trucontroller, 100);
	for (const char *p = knobs; p && *p; p += strcspn(p, ";"), p += *p == ';') {
		snprintf(line, sizeof line, "%.*s", (int)strcspn(p, ";"), p);
		if (*line && !strchr(" \t", *line)) /* else it goes on with the line before */
			check_knob(line);
		modem_line(d->modem, line);
	}
	snprintf(line, sizeof line, strchr(file, '/') ? "%s" : MODEMS "/%s", file);
	modem_file(d->modem, line, NULL);
	d->start_at = world.clock + ms * 1000 + 1;
	make_hubs(port);
	make_port(port);
	if (!ms)
		process_idle(world.clock + 1000000);
	return d;
}

bool world_bound(const struct device *d, const char *driver)
{
	for (unsigned i = 0; i < d->ninterfaces; i++)
		if (d->interface[i].driver && !strcmp(d->interface[i].driver, driver))
			return true;
	return false;
}

void usb_tick(void)
{
	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++) {
		struct device *d = usb_devices[i];
		long long due;

		if (!d->started && d->start_at <= world.clock) {
			d->started = true;
			modem_start(d->modem);
		}
		due = d->started ? modem_due(d->modem) : 0;
		if (due && due <= world.clock / 1000)
			modem_tick(d->modem);
		if (d->enumerate_at && d->enumerate_at <= world.clock)
			enumerate(d);
		if (d->configure_at && d->configure_at <= world.clock)
			configure(d);
		if (d->drivers_at && d->drivers_at <= world.clock)
			probe_drivers(d);
		if (d->storage_at && d->storage_at <= world.clock)
			retry_storage(d);
	}
}

int64_t usb_due(void)
{
	int64_t next = 0;

	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++) {
		const struct device *d = usb_devices[i];
		int64_t at[] = { d->started ? modem_due(d->modem) * 1000 : d->start_at,
				 d->enumerate_at, d->configure_at, d->drivers_at, d->storage_at };

		for (unsigned k = 0; k < LEN(at); k++)
			if (at[k] && (!next || at[k] < next))
				next = at[k];
	}
	return next;
}

void usb_reset(void)
{
	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++) {
		modem_free(usb_devices[i]->modem);
		free(usb_devices[i]->log);
		free(usb_devices[i]);
		usb_devices[i] = NULL;
	}
}

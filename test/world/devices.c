/* Devices as the drivers give them: ttys, cdc-wdm, usbfs; uevents, signals, the null device,
 * what is written to nowhere. */
#define _GNU_SOURCE
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

enum { SET_LINE = 0x22, SEND_ENCAPSULATED = 0, GET_ENCAPSULATED = 1, CLOSING_US = 30000000 };

static struct line_device *lines[200];
size_t (*world_garble)(uint8_t *data, size_t n);

/* ---- ttys and cdc-wdm ---- */

static unsigned free_number(bool tty)
{
	for (unsigned n = 0;; n++) {
		bool taken = false;

		for (unsigned i = 0; i < LEN(lines) && lines[i]; i++)
			taken |= lines[i]->tty == tty && !lines[i]->gone && lines[i]->number == n;
		if (!taken)
			return n;
	}
}

/* What a driver gives a terminal, and a mark by which it is known again afterwards. */
static void first_settings(struct line_device *l)
{
	memset(&l->termios, 0, sizeof l->termios);
	l->termios.c_iflag = ICRNL | IXON;
	l->termios.c_oflag = OPOST | ONLCR;
	l->termios.c_cflag = B9600 | CS8 | HUPCL | CRTSCTS;
	l->termios.c_lflag = ISIG | ICANON | ECHO | ECHOE | IEXTEN;
	l->termios.c_cc[VMIN] = 7;
	l->found = l->termios;
}

/* The files that go with it: PORT:C.I/ttyUSB3/tty/ttyUSB3, PORT:C.I/usbmisc/cdc-wdm0. */
struct line_device *line_new(struct device *d, struct interface *i, bool tty)
{
	struct line_device *l = calloc(1, sizeof *l);
	const char *class = tty ? "tty" : "usbmisc";
	char sys[400], name[20], number[20];
	unsigned slot = 0;

	while (slot < LEN(lines) && lines[slot])
		slot++;
	if (!l || slot == LEN(lines))
		abort();
	lines[slot] = l;
	*l = (struct line_device){ .tty = tty, .device = d, .interface = i, .gone = true };
	l->number = free_number(tty);
	l->gone = false;
	first_settings(l);
	snprintf(name, sizeof name, tty ? "ttyUSB%u" : "cdc-wdm%u", l->number);
	snprintf(number, sizeof number, "%u:%u", tty ? 188u : 180u,
		 tty ? l->number : 176 + l->number);
	snprintf(sys, sizeof sys, tty ? "%s/%s/tty/%s" : "%s/%.0susbmisc/%s", files_path(i->dir),
		 name, name);
	files_make(format("%s/dev", sys), TEXT, format("%s\n", number));
	l->class = files_find(sys, true);
	files_make(format("/sys/class/%s/%s", class, name), LINK, format("../../%s", sys + 5));
	files_make(format("/sys/dev/char/%s", number), LINK,
		   fault("elsewhere") ? "../../devices/pci0000:00/0000:00:14.0/usb1/9-9/9-9:1.3"
				      : format("../../%s", sys + 5));
	l->dev = files_make(format("/dev/%s", name), CHARACTER, NULL);
	if (l->dev) {
		l->dev->major = tty ? 188 : 180;
		l->dev->minor = tty ? l->number : 176 + l->number;
	}
	for (unsigned k = 0; fault_value("exclusive", k); k++)
		l->exclusive |= !strcmp(fault_value("exclusive", k), format("/dev/%s", name));
	usb_uevent("add", l->class, class, "");
	return l;
}

void line_gone(struct line_device *l)
{
	l->gone = true;
	usb_uevent("remove", l->class, l->tty ? "tty" : "usbmisc", "");
	files_remove(files_find(
		format("/sys/class/%s/%s", l->tty ? "tty" : "usbmisc", l->class->name), false));
	files_remove(files_find(l->tty ? format("/sys/dev/char/188:%u", l->number)
				       : format("/sys/dev/char/180:%u", 176 + l->number),
				false));
	files_remove(l->class->parent);
	files_remove(l->dev);
}

struct line_device *line_of(unsigned major, unsigned minor);
struct line_device *line_of(unsigned major, unsigned minor)
{
	for (unsigned i = 0; i < LEN(lines) && lines[i]; i++) {
		struct line_device *l = lines[i];

		if (!l->gone && major == (l->tty ? 188u : 180u) &&
		    minor == (l->tty ? l->number : 176 + l->number))
			return l;
	}
	return NULL;
}

static bool same_settings(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && a->c_line == b->c_line &&
	       !memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) && cfgetispeed(a) == cfgetispeed(b) &&
	       cfgetospeed(a) == cfgetospeed(b);
}

const char *line_left(void)
{
	for (unsigned i = 0; i < LEN(lines) && lines[i]; i++) {
		const struct line_device *l = lines[i];

		if (l->gone || !l->tty)
			continue;
		if (!same_settings(&l->termios, &l->found))
			return "the terminal's settings are others";
		if (l->exclusive && !fault("exclusive"))
			return "the terminal is held";
	}
	return NULL;
}

void lines_reset(void)
{
	for (unsigned i = 0; i < LEN(lines) && lines[i]; i++) {
		free(lines[i]->input);
		free(lines[i]);
		lines[i] = NULL;
	}
}

static int line_control(const struct line_device *l, unsigned type, unsigned request,
			unsigned value, unsigned length, const void *data, uint8_t *answer)
{
	uint8_t setup[8] = { (uint8_t)type,
			     (uint8_t)request,
			     (uint8_t)value,
			     (uint8_t)(value >> 8),
			     (uint8_t)l->interface->number,
			     0,
			     (uint8_t)length,
			     (uint8_t)(length >> 8) };

	return modem_control(l->device->modem, setup, data, answer);
}

void line_open(struct line_device *l);
void line_open(struct line_device *l)
{
	uint8_t answer[MAXMSG];

	if (l->opens++ || !l->tty)
		return;
	if (strcmp(l->interface->driver, "sierra") || l->interface->note)
		line_control(l, 0x21, SET_LINE, 3, 0, NULL, answer);
}

static void add_input(struct line_device *l, const void *data, size_t n)
{
	char *more = realloc(l->input, l->ninput + n + 1);

	if (!more)
		abort();
	l->input = more;
	memcpy(l->input + l->ninput, data, n);
	l->ninput += n;
}

/* What has come: bytes by the bulk endpoint; messages one by one, announced by the interrupt
 * endpoint. */
static size_t garbled(uint8_t *data, int n)
{
	return world_garble ? world_garble(data, (size_t)n) : (size_t)n;
}

static void pull(struct line_device *l)
{
	uint8_t data[MAXMSG];
	int n;

	while (l->tty && !l->gone) {
		n = modem_in(l->device->modem, l->interface->in, data, sizeof data);
		if (n < 0)
			break;
		add_input(l, data, garbled(data, n));
	}
	while (!l->tty && !l->gone && !l->ninput &&
	       modem_in(l->device->modem, l->interface->note, data, sizeof data) >= 0) {
		n = line_control(l, 0xa1, GET_ENCAPSULATED, 0, MAXMSG, NULL, data);
		if (n > 0)
			add_input(l, data, garbled(data, n));
	}
}

static long tty_read(struct open *o, void *buf, size_t n)
{
	struct line_device *l = o->line;

	pull(l);
	if (l->gone)
		return 0; /* hung up */
	if (!l->ninput)
		return -EAGAIN;
	if (n > l->ninput)
		n = l->ninput;
	memcpy(buf, l->input, n);
	l->ninput -= n;
	memmove(l->input, l->input + n, l->ninput);
	return (long)n;
}

/* Taken by the driver; whether the modem takes it is another matter. */
/* A modem that has no carrier and no flow control hears nothing by a line that waits for them,
 * and its echo would be taken for its answer. */
static bool is_raw(const struct termios *t)
{
	return (t->c_cflag & CLOCAL) && (t->c_cflag & CREAD) && !(t->c_cflag & CRTSCTS) &&
	       !(t->c_iflag & (ICRNL | IXON)) && !(t->c_oflag & OPOST) &&
	       !(t->c_lflag & (ISIG | ICANON | ECHO)) && t->c_cc[VMIN] == 1;
}

static long tty_write(struct open *o, const void *buf, size_t n)
{
	struct line_device *l = o->line;

	if (l->gone)
		return -EIO;
	if (!is_raw(&l->termios) || !l->exclusive)
		world.left = "the terminal was written to, and not raw, or not taken";
	if (l->unsent > 16384)
		return -EAGAIN;
	if (modem_out(l->device->modem, l->interface->out, buf, n) == NEVER)
		l->unsent += n;
	return (long)n;
}

static long tty_ioctl(struct open *o, unsigned long request, void *arg)
{
	struct line_device *l = o->line;

	if (l->gone)
		return -EIO;
	switch (request) {
	case TIOCEXCL:
		l->exclusive = true;
		return 0;
	case TIOCNXCL:
		l->exclusive = false;
		return 0;
	case TIOCGEXCL:
		*(int *)arg = l->exclusive;
		return 0;
	default:
		return -ENOTTY;
	}
}

static short line_poll(struct open *o)
{
	struct line_device *l = o->line;

	pull(l);
	if (l->gone)
		return POLLIN | POLLHUP | POLLERR;
	return (short)((l->ninput ? POLLIN : 0) | (l->unsent > 16384 ? 0 : POLLOUT));
}

static bool never(struct process *p)
{
	(void)p;
	return false;
}

/* The last close waits for what is unsent. */
static void tty_close(struct open *o)
{
	struct line_device *l = o->line;
	uint8_t answer[MAXMSG];

	if (--l->opens || l->gone)
		return;
	if (l->unsent && world.self->state == READY)
		process_block("close", never, world.clock + CLOSING_US, true);
	l->unsent = 0;
	l->ninput = 0;
	if (!l->gone)
		line_control(l, 0x21, SET_LINE, 0, 0, NULL, answer);
}

const struct ops tty_ops = { tty_read, tty_write, tty_ioctl, line_poll, tty_close };

static long wdm_read(struct open *o, void *buf, size_t n)
{
	struct line_device *l = o->line;
	const char *wanted = fault_value("wdm-error", 0);

	pull(l);
	if (l->gone)
		return -ENODEV;
	if (!l->ninput)
		return -EAGAIN;
	if (wanted && l->errors < strtoul(wanted, NULL, 10)) {
		l->errors++;
		l->ninput = 0;
		return -EPIPE;
	}
	if (n > l->ninput)
		n = l->ninput;
	memcpy(buf, l->input, n);
	l->ninput = 0;
	return (long)n;
}

static long wdm_write(struct open *o, const void *buf, size_t n)
{
	struct line_device *l = o->line;
	uint8_t answer[MAXMSG];

	if (l->gone)
		return -ENODEV;
	if (n > MAXMSG)
		return -EINVAL;
	line_control(l, 0x21, SEND_ENCAPSULATED, 0, (unsigned)n, buf, answer);
	return (long)n;
}

static long wdm_ioctl(struct open *o, unsigned long request, void *arg)
{
	(void)o;
	(void)request;
	*(uint16_t *)arg = MAXMSG; /* IOCTL_WDM_MAX_COMMAND */
	return 0;
}

static void wdm_close(struct open *o)
{
	o->line->opens--;
}

const struct ops wdm_ops = { wdm_read, wdm_write, wdm_ioctl, line_poll, wdm_close };

/* ---- usbfs ---- */

static struct interface *interface_of(struct device *d, unsigned number)
{
	for (unsigned i = 0; i < d->ninterfaces; i++)
		if (d->interface[i].number == number)
			return &d->interface[i];
	return NULL;
}

/* Waits in the kernel, where no signal reaches. */
static void stay(const char *in, int64_t until)
{
	if (until > world.clock)
		process_block(in, never, until, false);
}

static long usbfs_control(struct open *o, struct usbdevfs_ctrltransfer *c)
{
	struct device *d = o->device;
	uint8_t setup[8] = { c->bRequestType,     c->bRequest,
			     (uint8_t)c->wValue,  (uint8_t)(c->wValue >> 8),
			     (uint8_t)c->wIndex,  (uint8_t)(c->wIndex >> 8),
			     (uint8_t)c->wLength, (uint8_t)(c->wLength >> 8) };
	uint8_t answer[MAXMSG];
	int64_t end = c->timeout ? world.clock + (int64_t)c->timeout * 1000 : FOREVER;
	int n;

	stay("control", d->locked_until);
	if (!d->present)
		return -ENODEV;
	if (c->wLength > MAXMSG)
		return -EINVAL;
	n = modem_control(d->modem, setup, c->data, answer);
	if (n == NEVER) {
		d->locked_until = end;
		process_block("control", never, end, false);
		return d->present ? -ETIMEDOUT : -ENODEV;
	}
	if (n >= 0 && !(c->bRequestType & 0x80))
		return c->wLength;
	if (n > 0) {
		n = (int)garbled(answer, n);
		memcpy(c->data, answer, (size_t)n);
	}
	return n;
}

static long usbfs_bulk(struct open *o, struct usbdevfs_bulktransfer *b)
{
	struct device *d = o->device;
	int64_t end = b->timeout ? world.clock + (int64_t)b->timeout * 1000 : FOREVER;
	int n;

	for (;;) {
		if (!d->present)
			return -ENODEV;
		n = b->ep & 0x80 ? modem_in(d->modem, b->ep, b->data, b->len)
				 : modem_out(d->modem, b->ep, b->data, b->len);
		if (n != NEVER && n != NOTYET)
			return n;
		if (end != FOREVER && world.clock >= end)
			return -ETIMEDOUT;
		process_block("bulk", never, n == NEVER ? end : world.clock + 1000, false);
	}
}

static long claim(struct open *o, unsigned number, bool disconnect)
{
	struct interface *i = interface_of(o->device, number);

	if (fault("oops"))
		process_exit(SIGKILL);
	if (!i)
		return -ENOENT;
	if (o->claimed >> number & 1)
		return 0;
	if (i->held)
		return -EBUSY;
	if (i->driver && !disconnect)
		return -EBUSY;
	i->taken |= i->driver != NULL;
	usb_unbind(o->device, i);
	o->claimed |= 1u << number;
	i->held = true;
	return 0;
}

static long release(struct open *o, unsigned number)
{
	struct interface *i = interface_of(o->device, number);

	if (number > 31 || !(o->claimed >> number & 1))
		return -EINVAL;
	o->claimed &= ~(1u << number);
	if (i)
		i->held = false;
	return 0;
}

static long interface_ioctl(struct open *o, const struct usbdevfs_ioctl *i)
{
	struct interface *itf = interface_of(o->device, (unsigned)i->ifno);

	if (!itf)
		return -EINVAL;
	if (i->ioctl_code == (int)USBDEVFS_DISCONNECT) {
		if (!itf->driver)
			return -ENODATA;
		usb_unbind(o->device, itf);
		return 0;
	}
	if (i->ioctl_code != (int)USBDEVFS_CONNECT)
		return -ENOTTY;
	if (itf->driver || itf->held)
		return -EBUSY;
	usb_bind(o->device, itf);
	itf->taken &= !itf->driver;
	return itf->driver ? 1 : 0;
}

/* Is the transfer that waits one of those that are to fail? */
static bool is_next_error(struct device *d)
{
	const char *wanted = fault_value("urb-error", 0);

	if (!wanted || d->urb_errors >= strtoul(wanted, NULL, 10))
		return false;
	d->urb_errors++;
	return true;
}

/* What has come for transfers that wait. */
static void pump(struct open *o)
{
	for (unsigned k = 0; k < URBS; k++) {
		struct urb_slot *u = &o->urb[k];
		int n;

		if (!u->user || u->done)
			continue;
		n = o->device->present ? modem_in(o->device->modem, u->ep, u->data, u->size)
				       : -ESHUTDOWN;
		if (is_next_error(o->device))
			n = -EPROTO;
		if (n == NOTYET)
			continue;
		u->done = true;
		u->status = n < 0 ? n : 0;
		u->got = n < 0 ? 0 : (int)garbled(u->data, n);
	}
}

/* May a transfer of this type go to the endpoint? Only interrupt endpoints take both. */
static bool takes_type(const struct open *o, unsigned ep, unsigned type)
{
	const struct device *d = o->device;

	for (unsigned i = 0; i < d->ninterfaces; i++)
		if (o->claimed >> d->interface[i].number & 1) {
			if (d->interface[i].in == ep)
				return type == USBDEVFS_URB_TYPE_BULK;
			if (d->interface[i].note == ep)
				return type == USBDEVFS_URB_TYPE_BULK ||
				       type == USBDEVFS_URB_TYPE_INTERRUPT;
		}
	return false;
}

static long submit(struct open *o, struct usbdevfs_urb *user)
{
	if (!takes_type(o, user->endpoint, user->type))
		return -EINVAL;
	for (unsigned k = 0; k < URBS; k++) {
		struct urb_slot *u = &o->urb[k];

		if (u->user)
			continue;
		if (!(user->endpoint & 0x80) || (size_t)user->buffer_length > sizeof u->data)
			return -EINVAL;
		u->user = user;
		u->ep = user->endpoint;
		u->size = (unsigned)user->buffer_length;
		u->done = false;
		return 0;
	}
	return -ENOMEM;
}

static long reap(struct open *o, struct usbdevfs_urb **to)
{
	pump(o);
	for (unsigned k = 0; k < URBS; k++) {
		struct urb_slot *u = &o->urb[k];
		struct usbdevfs_urb *user = u->user;

		if (!user || !u->done)
			continue;
		user->status = u->status;
		user->actual_length = u->got;
		memcpy(user->buffer, u->data, (size_t)u->got);
		u->user = NULL;
		*to = user;
		return 0;
	}
	return o->device->present ? -EAGAIN : -ENODEV;
}

static long discard(struct open *o, const void *user)
{
	pump(o);
	for (unsigned k = 0; k < URBS; k++)
		if (o->urb[k].user == user && !o->urb[k].done) {
			o->urb[k].done = true;
			o->urb[k].status = -ENOENT;
			o->urb[k].got = 0;
			return 0;
		}
	return -EINVAL;
}

static long clear_halt(struct open *o, unsigned ep)
{
	uint8_t setup[8] = { 0x02, 1, 0, 0, (uint8_t)ep }, answer[MAXMSG];

	return modem_control(o->device->modem, setup, NULL, answer) < 0 ? -EPIPE : 0;
}

static long usbfs_ioctl(struct open *o, unsigned long request, void *arg)
{
	struct device *d = o->device;

	if (request == USBDEVFS_REAPURBNDELAY || request == USBDEVFS_REAPURB)
		return reap(o, (struct usbdevfs_urb **)arg);
	if (request == USBDEVFS_DISCARDURB)
		return discard(o, arg);
	if (!d->present)
		return -ENODEV;
	switch (request) {
	case USBDEVFS_CONTROL:
		return usbfs_control(o, arg);
	case USBDEVFS_BULK:
		return usbfs_bulk(o, arg);
	case USBDEVFS_SUBMITURB:
		return submit(o, arg);
	case USBDEVFS_CLEAR_HALT:
	case USBDEVFS_RESETEP:
		return clear_halt(o, *(unsigned *)arg);
	case USBDEVFS_CLAIMINTERFACE:
		stay("claim", d->locked_until);
		return d->present ? claim(o, *(unsigned *)arg, false) : -ENODEV;
	case USBDEVFS_DISCONNECT_CLAIM:
		stay("claim", d->locked_until);
		return d->present ? claim(o, ((struct usbdevfs_disconnect_claim *)arg)->interface,
					  true)
				  : -ENODEV;
	case USBDEVFS_RELEASEINTERFACE:
		return release(o, *(unsigned *)arg);
	case USBDEVFS_IOCTL:
		return interface_ioctl(o, arg);
	case USBDEVFS_SETCONFIGURATION:
		return usb_configure(d, *(unsigned *)arg);
	case USBDEVFS_RESET:
		usb_log(d, "port-reset");
		__attribute__((fallthrough));
	case USBDEVFS_SETINTERFACE:
		stay("reset", d->locked_until);
		return d->present ? 0 : -ENODEV;
	default:
		return -ENOTTY;
	}
}

static short usbfs_poll(struct open *o)
{
	short events = o->device->present ? 0 : POLLOUT | POLLHUP;

	pump(o);
	for (unsigned k = 0; k < URBS; k++)
		if (o->urb[k].user && o->urb[k].done)
			events |= POLLOUT;
	return events;
}

static long no_read(struct open *o, void *buf, size_t n)
{
	(void)o;
	(void)buf;
	(void)n;
	return -EINVAL;
}

static long no_write(struct open *o, const void *buf, size_t n)
{
	(void)o;
	(void)buf;
	(void)n;
	return -EINVAL;
}

static void usbfs_close(struct open *o)
{
	free(o->urb);
	for (unsigned i = 0; i < 32; i++)
		if (o->claimed >> i & 1 && o->device->present)
			release(o, i);
}

const struct ops usbfs_ops = { no_read, no_write, usbfs_ioctl, usbfs_poll, usbfs_close };

/* ---- the null device, and what a test looks at afterwards ---- */

static long null_read(struct open *o, void *buf, size_t n)
{
	(void)o;
	(void)buf;
	(void)n;
	return 0;
}

static long null_write(struct open *o, const void *buf, size_t n)
{
	(void)o;
	(void)buf;
	return (long)n;
}

const struct ops null_ops = { .read = null_read, .write = null_write };

static long sink_write(struct open *o, const void *buf, size_t n)
{
	size_t has = strlen(o->sink), fits = o->room - has - 1;

	if (fits > n)
		fits = n;
	memcpy(o->sink + has, buf, fits);
	o->sink[has + fits] = '\0';
	return (long)n;
}

const struct ops sink_ops = { .read = null_read, .write = sink_write };

/* ---- uevents ---- */

enum { QUEUE = 64 };
static struct open *listeners[PROCESSES];

void uevents_listen(struct open *o, bool on)
{
	for (unsigned i = 0; i < LEN(listeners); i++)
		if (listeners[i] == (on ? NULL : o)) {
			listeners[i] = on ? o : NULL;
			return;
		}
}

static void enqueue(struct open *o, const char *message, size_t n)
{
	if (!o->queue)
		o->queue = calloc(QUEUE, sizeof *o->queue);
	if (!o->queue)
		abort();
	if (o->queued == QUEUE || fault("overrun")) {
		o->overrun = true;
		return;
	}
	memcpy(o->queue[(o->first + o->queued++) % QUEUE], message,
	       n < sizeof *o->queue ? n : sizeof *o->queue);
}

/* The first byte says who sends it: 0 the kernel, else a process. */
void uevents_send(const char *message, size_t n)
{
	char with[512] = "";

	if (n > sizeof with - 1)
		n = sizeof with - 1;
	memcpy(with + 1, message, n);
	for (unsigned i = 0; i < LEN(listeners); i++)
		if (listeners[i]) {
			char other[512] = "\1add@/devices/x/9-9";

			enqueue(listeners[i], other, sizeof other);
			enqueue(listeners[i], with, sizeof with);
		}
}

static long uevent_read(struct open *o, void *buf, size_t n)
{
	const char *message;

	if (o->overrun) {
		o->overrun = false;
		return -ENOBUFS;
	}
	if (!o->queued)
		return -EAGAIN;
	message = o->queue[o->first];
	if (n > sizeof *o->queue)
		n = sizeof *o->queue;
	memcpy(buf, message, n);
	o->first = (o->first + 1) % QUEUE;
	o->queued--;
	return (long)n;
}

static short uevent_poll(struct open *o)
{
	return o->queued || o->overrun ? POLLIN : 0;
}

static void uevent_close(struct open *o)
{
	uevents_listen(o, false);
	free(o->queue);
	o->queue = NULL;
}

const struct ops uevent_ops = { .read = uevent_read, .poll = uevent_poll, .close = uevent_close };

/* ---- signals, of who reads ---- */

static long signal_read(struct open *o, void *buf, size_t n)
{
	struct signalfd_siginfo info = { 0 };

	if (n < sizeof info)
		return -EINVAL;
	for (unsigned s = 1; s < 64; s++)
		if (world.self->pending & o->mask & (uint64_t)1 << s) {
			world.self->pending &= ~((uint64_t)1 << s);
			info.ssi_signo = s;
			memcpy(buf, &info, sizeof info);
			return sizeof info;
		}
	return -EAGAIN;
}

const struct ops signal_ops = { .read = signal_read };

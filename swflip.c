/* swflip - bring a Sierra Wireless USB modem into its target mode, once, at early boot
 * ISC licence, see LICENSE. Manual page: swflip.8. What can be set: config.h.
 *
 * The protocol in ten lines
 *  A TRU-Install stick (1199:0fff, class 08/06/50) becomes a modem by the vendor request SetSwocMode, 40 0b 0001 0000,
 *  no data (linux: drivers/usb/storage/sierra_ms.c). It leaves the bus and comes back on the same port.
 *  A modem's mode is kept in its flash and read at its start: !UDPID (product ID) and !UDUSBCOMP (a numbered
 *  composition) up to the MC73xx, !USBCOMP (a bitmask of interfaces, bit n = bInterfaceNumber n) from the MC74xx on. All
 *  want AT!ENTERCND="code" first, forget that at every reset, and take effect by AT!RESET.
 *  Writing !UDPID moves !UDUSBCOMP at once, and the list of compositions is often that of the PID: PID first, list again.
 *  A modem without an AT port takes the same numbers by QMI, DMS 0x555B and 0x555C, bare or inside MBIM.
 *  A dual composition has two USB configurations; which one runs is the host's choice (bConfigurationValue).
 *  Firmware takes product IDs and compositions that it does not list, and dies of them. So nothing unlisted is written.
 *
 * Not attempted: firmware, boot loaders, turning TRU-Install off for good (no such command is known), connecting.
 *
 * Data flows one way: look (sysfs) -> decide (pure, all the rules) -> act (the modem) -> wait (uevents), and round again.
 */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "1.0"
#endif

/* ---- types: what is known of a modem, what is wanted of it, what was done to it ---- */

#define LEN(a) (sizeof(a) / sizeof *(a))
#define BIT(n) (1u << (n))

/* ioctl's own idea of a request number, where the C libraries differ. */
#ifdef __GLIBC__
typedef unsigned long request_t;
#else
typedef int request_t;
#endif

enum kind_of_function { AT, DM, NMEA, QMI, MBIM, NET, ECM, MS, FUNCTIONS, SPARE = FUNCTIONS };
enum layout { SWI = 1, DIRECT = 2, GOBI = 4 };
enum needs { BULK = 1, INTERRUPT = 2 };
enum { ANY = 0x100, VENDOR = 0xff, NETS = BIT(QMI) | BIT(MBIM) | BIT(NET) | BIT(ECM), UNKNOWN = -1 };

struct id {
	uint16_t vid, pid;
};

struct shape {
	uint8_t layouts;
	uint16_t number, class, subclass;
	uint8_t needs;
	enum kind_of_function function;
};

struct function {
	const char *name, *alias;
	uint32_t bit;
	const char *module;
};

#include "config.h"

struct interface {
	uint8_t number, alt, class, subclass, protocol;
	uint8_t in, out, interrupt; /* endpoint addresses, 0 = none */
	uint16_t packet;	    /* wMaxPacketSize of in, or else of interrupt */
	uint16_t message;	    /* wMaxControlMessage of an MBIM interface */
};

struct config {
	uint8_t value, interfaces; /* value: bConfigurationValue */
	struct interface interface[24];
};

enum { PORT = 32 }; /* longest port path: bus, and seven numbers of at most three digits */

struct modem {
	char port[PORT];
	enum kind { GONE, FOREIGN, STORAGE, MODEM, BOOT } kind;
	uint16_t vid, pid, bcdusb;
	uint8_t active, configs; /* active: bConfigurationValue, 0 = none yet */
	bool barred;		 /* not authorized: the kernel gives it no configuration */
	uint32_t devnum;	 /* another one means another start of the modem */
	struct config config[4];
};

struct row {
	uint8_t number, configs;
	bool supported;
	uint8_t comp[2];       /* a dual row names two others */
	uint16_t functions[2]; /* bits, by configuration */
};

/* What the modem answered: the same from every dialect. */
struct offer {
	enum dialect { NOBODY, INDEX, MASK, WIRE } dialect; /* !UDUSBCOMP, !USBCOMP, QMI */
	int pid;					    /* stored, UNKNOWN if it does not say */
	uint32_t now;					    /* stored composition or bitmask */
	uint16_t pids[32];
	struct row row[40];
	uint8_t npids, rows;
	uint8_t type;	      /* !USBCOMP's configuration type */
	uint32_t types, bits; /* types and bits on offer */
};

struct target {
	char text[24], port[PORT];
	enum mode { OFF, LEAVE, NAMES, NUMBER, BITS } mode;
	int pid;	/* UNKNOWN: any */
	uint32_t value; /* function bits, composition or bitmask */
	uint8_t config; /* 0: any */
	bool bare;	/* a composition without an AT port will do */
};

enum why {
	FINE, NO_LEAVE, NO_CONFIG, NO_SUCH_CONFIG, BARRED, IN_BOOT, NOT_OURS, MISSING, UNCONFIGURED, NO_PORT, MUTE, HELD,
	LOCKED, STRANGE, NO_LIST, NO_TYPE, NO_BIT, NO_BITS, NO_INDEX, NO_AT, NOT_LISTED, PID_NOT_LISTED, PID_DIFFERS,
	DIFFERS, NO_RESET, NOT_SHOWN, CRASHES, STOPPED, LATE, LOST,
};

enum wrote { PID = 1, COMP = 2 };

/* What was done so far: with look and offer all that decide() knows. */
struct past {
	enum why why;			/* not FINE: refused, and on the way back */
	enum why mute;			/* nobody answered, and why */
	bool asked, stop, late, ignored; /* late: no time left to begin a write */
	bool stuck, unset;		/* did not leave storage; did not take its configuration */
	bool committed, stayed;		/* the target went in with a reset; and survived it */
	uint8_t flips, resets, losses, selections;
	uint8_t config;			/* configuration found active before another was selected to ask */
	uint8_t written, restored;	/* bits of enum wrote */
	int pid;			/* PID written */
	uint32_t comp;			/* composition or mask written */
	uint16_t expect[2];		/* functions of the composition written, by configuration */
	struct offer found, running;	/* as first answered; as answered first since the last start */
};

struct step {
	enum doing { WAITING, FLIP, SELECT, ASK, WRITE_PID, WRITE_COMP, RESET, WATCH, DONE, REFUSE } doing;
	uint32_t value;
	enum why why;
	bool last;	    /* RESET: the target goes in with it */
	uint16_t expect[2]; /* WRITE_COMP: what is to be seen afterwards */
};

/* A port and the child that works on it, in memory that both see: the child may hang in the kernel for good. */
struct slot {
	char port[PORT], peer[PORT];
	pid_t pid;
	const struct target *target;
	enum { WORKING, SETTLED } state;
	int status;
	bool written;  /* something was written: silence no longer ends it, the deadline does */
	bool dirty;    /* and no reset followed yet: being stopped must wait */
	int64_t heard; /* ms: the last sign of life */
	char doing[64], left[112], verdict[400];
};

enum level { ERROR, VERDICT, WARNING, INFO, DEBUG };

static struct {
	enum level level;
	bool kmsg, tty, dry, list;
	char code[16];
	int64_t appear, deadline; /* ms on CLOCK_MONOTONIC */
	struct target target[16];
	unsigned targets;
	int uevents, lock;  /* descriptors, -1 = none */
	struct slot *slots; /* shared with the children */
	int64_t *limit;	    /* process 1's child's deadline, shared likewise */
	struct slot *me;    /* a child's own */
	volatile sig_atomic_t stop;
	bool hold;	/* a change is begun: stopping waits for it */
	sigset_t waiting; /* the signal mask while waiting: only there do signals come in */
} g = { .level = INFO, .uevents = -1, .lock = -1 };

/* ---- messages: stderr or the kernel's log ---- */

/* Appends to the string in buf (size bytes), cut to fit. %s %c %u %x %X, with a width filled with zeros, and %%. The C
 * library's own would cost 14 KiB of the 40. */
static void vappend(char *buf, size_t size, const char *fmt, va_list ap)
{
	size_t n = strlen(buf);

	for (; *fmt && n + 1 < size; fmt++) {
		char digits[12] = { 0 }, *s = digits + sizeof digits - 1;
		unsigned width = 0, base = *fmt == '%' ? 10 : 0, value;

		if (!base) {
			buf[n++] = *fmt;
			continue;
		}
		while (*++fmt >= '0' && *fmt <= '9')
			width = width * 10 + (unsigned)(*fmt - '0');
		switch (*fmt) {
		case 's':
			s = va_arg(ap, char *);
			break;
		case 'c':
			*--s = (char)va_arg(ap, int);
			break;
		case 'x':
		case 'X':
			base = 16; /* fall through */
		case 'u':
			value = va_arg(ap, unsigned);
			do
				*--s = (*fmt == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
			while (((value /= base) || (size_t)(digits + sizeof digits - 1 - s) < width) && s > digits);
			break;
		default:
			*--s = *fmt;
		}
		while (*s && n + 1 < size)
			buf[n++] = *s++;
	}
	buf[n] = '\0';
}

__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vappend(buf, size, fmt, ap);
	va_end(ap);
}

/* One line, one write. The kernel's log gets a freshly opened descriptor for each, as it limits the rate of each. */
__attribute__((format(printf, 2, 3))) static void say(enum level level, const char *fmt, ...)
{
	static const char *const priority[] = { "<27>", "<30>", "<28>", "<30>", "" };
	char line[700] = "";
	int fd = g.kmsg && level != DEBUG ? open(DEV "/kmsg", O_WRONLY | O_CLOEXEC) : -1;
	va_list ap;

	if (level > g.level || (g.kmsg && level == DEBUG))
		goto out;
	append(line, sizeof line, "%sswflip: ", fd >= 0 ? priority[level] : g.tty ? "\r\033[K" : "");
	if (g.me)
		append(line, sizeof line, "%s: ", g.me->port);
	va_start(ap, fmt);
	vappend(line, sizeof line - 1, fmt, ap);
	va_end(ap);
	append(line, sizeof line, "\n");
	(void)!write(fd >= 0 ? fd : 2, line, strlen(line));
out:
	if (fd >= 0)
		close(fd);
}

/* What is being waited for, for the message of whoever gives up. */
__attribute__((format(printf, 1, 2))) static void doing(const char *fmt, ...)
{
	va_list ap;

	g.me->doing[0] = '\0';
	va_start(ap, fmt);
	vappend(g.me->doing, sizeof g.me->doing, fmt, ap);
	va_end(ap);
}

/* -v: n bytes of an AT dialogue on one line, control characters escaped, the unlock code never shown. */
static void trace(const char *arrow, const char *text, size_t n)
{
	char line[400] = "";
	size_t code = strlen(g.code);

	if (g.level < DEBUG)
		return;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (n - i >= code && !strncasecmp(text + i, g.code, code)) {
			append(line, sizeof line, "****");
			i += code - 1;
		} else if (c >= ' ' && c < 0x7f && c != '\\') {
			append(line, sizeof line, "%c", c);
		} else {
			append(line, sizeof line, "\\x%02x", c);
		}
		if (c == '\n' || i + 1 >= n || strlen(line) > sizeof line - 8) {
			say(DEBUG, "%s %s", arrow, line);
			line[0] = '\0';
		}
	}
}

/* ---- time: deadlines on CLOCK_MONOTONIC, and the one place that waits ---- */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t within(int64_t ms)
{
	return sooner(now() + ms, g.deadline);
}

/* The time by which this modem must have given a sign of life. */
static int64_t patience(void)
{
	return g.me->written ? g.deadline : sooner(g.deadline, g.me->heard + SILENCE_MS);
}

static void heard(void)
{
	g.me->heard = now();
}

static bool stopped(void)
{
	return g.stop && !g.hold;
}

static void on_signal(int signal)
{
	if (signal != SIGCHLD)
		g.stop = 1;
}

/* Waits for fd (-1: nothing but time). Returns the poll events, 0 when until has come or a child has ended, -1 when the
 * run is to stop. */
static int await(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t ms = until - now();
	struct timespec t = { 0 };

	if (stopped())
		return -1;
	if (ms > 0) {
		t.tv_sec = (time_t)(ms / 1000);
		t.tv_nsec = (long)(ms % 1000) * 1000000;
	}
	if (ppoll(&p, 1, &t, &g.waiting) > 0)
		return p.revents;
	return stopped() ? -1 : 0;
}

/* ---- text: digits and bytes that nobody vouches for ---- */

/* Reads the digits at *s and moves behind them. False where there is none or the value is above max. */
static bool digits(const char **s, unsigned base, uint32_t max, uint32_t *value)
{
	const char *p = *s;
	uint64_t v = 0;

	for (;; p++) {
		unsigned c = (unsigned char)*p, d = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 99;

		if (d >= base)
			break;
		if ((v = v * base + d) > max)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*value = (uint32_t)v;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* A USB port path as sysfs spells it, 1-1.2: the length of one at the start of s, or 0. */
static size_t portlen(const char *s)
{
	const char *p = s;
	uint32_t n;

	if (!digits(&p, 10, 999, &n) || *p++ != '-' || !digits(&p, 10, 255, &n))
		return 0;
	while (*p == '.' && p++)
		if (!digits(&p, 10, 255, &n))
			return 0;
	return p - s < PORT ? (size_t)(p - s) : 0;
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	*p++ = (uint8_t)v;
	*p++ = (uint8_t)(v >> 8);
	return p;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v & 0xffff), v >> 16);
}

/* ---- sysfs: reads only what takes no device lock ---- */

#define USB SYS "/bus/usb/devices/"

/* Reads at most size - 1 bytes of a file and ends them with a NUL. Returns their number, -1 on failure. */
__attribute__((format(printf, 3, 4))) static int slurp(void *buf, size_t size, const char *fmt, ...)
{
	char path[200] = "", *p = buf;
	size_t n = 0;
	ssize_t r;
	va_list ap;
	int fd;

	va_start(ap, fmt);
	vappend(path, sizeof path, fmt, ap);
	va_end(ap);
	p[0] = '\0';
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	while (n < size - 1 && (r = read(fd, p + n, size - 1 - n)) != 0) {
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			break;
		n += (size_t)r;
	}
	close(fd);
	p[n] = '\0';
	return (int)n;
}

/* Writes text to a file, with what may block in the kernel. */
__attribute__((format(printf, 2, 3))) static bool spit(const char *text, const char *fmt, ...)
{
	char path[200] = "";
	va_list ap;
	bool ok;
	int fd;

	va_start(ap, fmt);
	vappend(path, sizeof path, fmt, ap);
	va_end(ap);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* The last name in the path that a symbolic link holds, "" where there is none. */
__attribute__((format(printf, 2, 3))) static void target_of(char name[64], const char *fmt, ...)
{
	char path[200] = "", link[300];
	const char *base = "";
	ssize_t n;
	va_list ap;

	va_start(ap, fmt);
	vappend(path, sizeof path, fmt, ap);
	va_end(ap);
	if ((n = readlink(path, link, sizeof link - 1)) > 0) {
		link[n] = '\0';
		base = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
	}
	name[0] = '\0';
	append(name, 64, "%s", base);
}

/* A directory being read; the C library's own would allocate. */
struct dir {
	int fd;
	long n, at;
	_Alignas(8) char buf[2048];
};

static bool open_dir(struct dir *d, const char *path)
{
	d->n = d->at = 0;
	return (d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0;
}

/* The next name, or NULL at the end, where it closes the directory. */
static const char *next(struct dir *d)
{
	enum { RECLEN = 16, NAME = 19 }; /* of struct linux_dirent64 */
	const char *name;
	uint16_t length;

	if (d->at >= d->n) {
		d->at = 0;
		if ((d->n = syscall(SYS_getdents64, d->fd, d->buf, sizeof d->buf)) <= 0) {
			close(d->fd);
			return NULL;
		}
	}
	name = d->buf + d->at + NAME;
	memcpy(&length, d->buf + d->at + RECLEN, sizeof length);
	d->at += length;
	return name;
}

/* The first name in a directory that begins with prefix, "" where there is none. */
__attribute__((format(printf, 3, 4))) static bool first(char name[64], const char *prefix, const char *fmt, ...)
{
	char path[200] = "";
	const char *entry;
	struct dir d;
	va_list ap;

	va_start(ap, fmt);
	vappend(path, sizeof path, fmt, ap);
	va_end(ap);
	name[0] = '\0';
	if (!open_dir(&d, path))
		return false;
	while ((entry = next(&d)))
		if (!name[0] && !strncmp(entry, prefix, strlen(prefix)) && entry[0] != '.')
			append(name, 64, "%s", entry);
	return name[0] != '\0';
}

static uint32_t sysfs_number(const char *port, const char *attribute)
{
	char text[32];
	const char *s = text;
	uint32_t n = 0;

	slurp(text, sizeof text, USB "%s/%s", port, attribute);
	digits(&s, 10, UINT32_MAX, &n);
	return n;
}

/* The companion of a USB 3 connector's port: the same socket under another path. "" where there is none. */
static void find_peer(char peer[PORT], const char *port)
{
	char hub[PORT] = "", link[64];
	const char *dot = strrchr(port, '.'), *s = link;
	size_t n;

	peer[0] = '\0';
	if (dot) {
		append(hub, sizeof hub, "%s", port);
		hub[dot - port] = '\0';
		target_of(link, USB "%s:1.0/%s-port%s/peer", hub, hub, dot + 1);
	} else {
		append(hub, sizeof hub, "%s", port);
		*strchr(hub, '-') = '\0';
		target_of(link, USB "%s-0:1.0/usb%s-port%s/peer", hub, hub, strchr(port, '-') + 1);
	}
	/* usb2-port1 is 2-1, 2-1-port3 is 2-1.3 */
	s += strncmp(link, "usb", 3) ? 0 : 3;
	if ((n = (size_t)(strstr(s, "-port") ? strstr(s, "-port") - s : 0)) && n < PORT - 8) {
		append(peer, n + 1, "%s", s);
		append(peer, PORT, "%c%s", s == link ? '.' : '-', s + n + 5);
		if (portlen(peer) != strlen(peer))
			peer[0] = '\0';
	}
}

/* ---- look: descriptors into struct modem ---- */

static bool has_id(const struct id *table, size_t n, uint16_t vid, uint16_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].vid == vid && table[i].pid == pid)
			return true;
	return false;
}

static bool has16(const uint16_t *table, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		if (table[i] == value)
			return true;
	return false;
}

static enum layout layout_of(const struct modem *m)
{
	for (size_t i = 0; i < LEN(layouts); i++)
		if (layouts[i].pid == m->pid)
			return layouts[i].layout;
	return SWI;
}

/* The function of an interface by config.h's table, SPARE and FUNCTIONS meaning none. */
static enum kind_of_function function_of(const struct modem *m, const struct interface *i)
{
	enum layout layout = layout_of(m);
	unsigned has = (i->in && i->out ? BULK : 0u) | (i->interrupt ? INTERRUPT : 0u);

	for (const struct shape *s = shapes; s < shapes + LEN(shapes); s++)
		if ((s->layouts & layout) && (s->number == ANY || s->number == i->number) && s->class == i->class &&
		    (s->subclass == ANY || s->subclass == i->subclass) && (s->needs & ~has) == 0)
			return s->function;
	return FUNCTIONS;
}

static const struct interface *find_function(const struct modem *m, const struct config *c, enum kind_of_function f)
{
	for (unsigned i = 0; c && i < c->interfaces; i++)
		if (function_of(m, &c->interface[i]) == f)
			return &c->interface[i];
	return NULL;
}

static unsigned functions_of(const struct modem *m, const struct config *c)
{
	unsigned bits = 0;

	for (unsigned i = 0; c && i < c->interfaces; i++)
		bits |= BIT(function_of(m, &c->interface[i]));
	return bits & (BIT(FUNCTIONS) - 1);
}

static const struct config *config_of(const struct modem *m, uint8_t value)
{
	for (unsigned i = 0; i < m->configs; i++)
		if (m->config[i].value == value)
			return &m->config[i];
	return NULL;
}

/* An interface descriptor. Of several alternate settings the first with a bulk pair counts; none before it is of use. */
static struct interface *read_interface(struct config *c, const uint8_t *p)
{
	struct interface *i = c->interface;

	while (i < c->interface + c->interfaces && i->number != p[2])
		i++;
	if (i == c->interface + c->interfaces) {
		if (c->interfaces == LEN(c->interface))
			return NULL;
		c->interfaces++;
	} else if (i->in && i->out) {
		return NULL;
	}
	*i = (struct interface){ .number = p[2], .alt = p[3], .class = p[5], .subclass = p[6], .protocol = p[7],
				 .message = i->message };
	return i;
}

static void read_endpoint(struct interface *i, const uint8_t *p)
{
	enum { BULK_TYPE = 2, INTERRUPT_TYPE = 3, IN = 0x80 };
	unsigned type = p[3] & 3;

	if (type == BULK_TYPE && (p[2] & IN) && !i->in) {
		i->in = p[2];
		i->packet = le16(p + 4) & 0x7ff;
	} else if (type == BULK_TYPE && !(p[2] & IN) && !i->out) {
		i->out = p[2];
	} else if (type == INTERRUPT_TYPE && (p[2] & IN) && !i->interrupt) {
		i->interrupt = p[2];
		i->packet = i->in ? i->packet : le16(p + 4) & 0x7ff;
	}
}

/* The kernel's `descriptors` file: the device's descriptor, then each configuration's, as the modem sent them. A length
 * of less than two, or one that reaches past the end, ends the reading. */
static bool read_descriptors(struct modem *m, const uint8_t *d, size_t size)
{
	enum { DEVICE = 1, CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5, FUNCTIONAL = 0x24, MBIM_FUNCTIONAL = 0x1b };
	struct config *c = NULL;
	struct interface *i = NULL;

	if (size < 18 || d[0] != 18 || d[1] != DEVICE)
		return false;
	m->bcdusb = le16(d + 2);
	m->vid = le16(d + 8);
	m->pid = le16(d + 10);
	for (size_t at = 18; size - at >= 2 && d[at] >= 2 && d[at] <= size - at; at += d[at]) {
		const uint8_t *p = d + at;

		if (p[1] == CONFIGURATION) {
			i = NULL;
			c = p[0] >= 9 && m->configs < LEN(m->config) ? &m->config[m->configs++] : NULL;
			if (c)
				c->value = p[5];
		} else if (p[1] == INTERFACE) {
			i = c && p[0] >= 9 ? read_interface(c, p) : NULL;
		} else if (p[1] == ENDPOINT && i && p[0] >= 7) {
			read_endpoint(i, p);
		} else if (p[1] == FUNCTIONAL && i && p[0] >= 7 && p[2] == MBIM_FUNCTIONAL) {
			i->message = le16(p + 5);
		}
	}
	return true;
}

static bool is_modem(uint16_t vid, uint16_t pid)
{
	return (has16(vendors, LEN(vendors), vid) && !has_id(foreign, LEN(foreign), vid, pid)) ||
	       has_id(shared, LEN(shared), vid, pid);
}

static enum kind classify(const struct modem *m)
{
	const struct config *c = m->config;
	unsigned all = 0;

	if (!is_modem(m->vid, m->pid))
		return FOREIGN;
	for (unsigned i = 0; i < m->configs; i++)
		all |= functions_of(m, c + i);
	if (has_id(truinstall, LEN(truinstall), m->vid, m->pid) && (all & BIT(MS)))
		return m->active && functions_of(m, config_of(m, m->active)) != BIT(MS) ? MODEM : STORAGE;
	/* one vendor interface that is no AT port: QDL, whatever the PID says, as a crashed modem keeps its own */
	if (m->configs == 1 && c->interfaces == 1 && c->interface[0].class == VENDOR &&
	    (!(all & BIT(AT)) || has16(boot, LEN(boot), m->pid)))
		return BOOT;
	return MODEM;
}

/* What stands at a port. Nothing that can be trusted there: kind GONE. */
static void look(struct modem *m, const char *port)
{
	uint8_t raw[4096];
	char path[100] = USB;
	const char *entry;
	struct dir d;
	int n;

	memset(m, 0, sizeof *m);
	append(m->port, sizeof m->port, "%s", port);
	n = slurp(raw, sizeof raw, USB "%s/descriptors", port);
	if (n < 0 || !read_descriptors(m, raw, (size_t)n))
		return;
	m->devnum = sysfs_number(port, "devnum");
	append(path, sizeof path, "%s", port);
	if (!m->devnum || !open_dir(&d, path))
		return;
	/* the active configuration is in the names of its interfaces; the attribute could block for seconds */
	while ((entry = next(&d))) {
		const char *s = entry + strlen(port) + 1;
		uint32_t value;

		if (!strncmp(entry, port, strlen(port)) && s[-1] == ':' && digits(&s, 10, 255, &value) && *s == '.')
			m->active = (uint8_t)value;
	}
	if (!m->active) {
		char text[8];

		m->barred = slurp(text, sizeof text, USB "%s/authorized", port) > 0 && text[0] == '0';
	}
	m->kind = classify(m);
}

static bool same(const struct modem *a, const struct modem *b)
{
	return a->kind != GONE && b->kind != GONE && a->devnum == b->devnum && !strcmp(a->port, b->port);
}

/* " at qmi" for function bits, " -" for none. */
static void name_functions(char *buf, size_t size, unsigned bits)
{
	for (unsigned f = 0; f < FUNCTIONS; f++)
		if (bits & BIT(f))
			append(buf, size, " %s", functions[f].name);
	if (!bits)
		append(buf, size, " -");
}

/* ---- uevents: the kernel says when to look again; what it says is not believed, only looked up ---- */

static void open_uevents(void)
{
	enum { KOBJECT_UEVENT = 15 };
	/* struct sockaddr_nl, of a header that musl's own include path lacks */
	struct {
		sa_family_t family;
		uint16_t pad;
		uint32_t pid, groups;
	} kernel = { .family = AF_NETLINK, .groups = 1 };
	int size = 256 * 1024;

	if (g.uevents >= 0)
		close(g.uevents);
	g.uevents = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, KOBJECT_UEVENT);
	if (g.uevents >= 0 && bind(g.uevents, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
		close(g.uevents);
		g.uevents = -1;
	}
	if (g.uevents >= 0)
		setsockopt(g.uevents, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static bool at_port(const char *path, const char *port)
{
	size_t n = strlen(port);

	for (const char *p = path; n && (p = strstr(p, port)); p++)
		if (p > path && p[-1] == '/' && (!p[n] || p[n] == '/' || p[n] == ':'))
			return true;
	return false;
}

/* A message is "action@/devices/..." and more behind a NUL. Does it speak of our port, or of any for who watches all? */
static bool concerns(const char *message)
{
	const char *path = strchr(message, '@'), *last = path ? strrchr(path, '/') : NULL;

	if (!last)
		return false;
	return g.me ? at_port(path, g.me->port) || at_port(path, g.me->peer) : portlen(last + 1) > 0;
}

/* Takes all messages that are there. True when one of them is a reason to look. */
static bool stir(void)
{
	char message[2048];
	struct {
		sa_family_t family;
		uint16_t pad;
		uint32_t pid, groups;
	} from;
	bool news = false;
	ssize_t n;

	for (;;) {
		socklen_t size = sizeof from;

		n = recvfrom(g.uevents, message, sizeof message - 1, 0, (struct sockaddr *)&from, &size);
		if (n < 0 && errno == ENOBUFS)
			news = true;
		else if (n < 0)
			return news;
		else if (size == sizeof from && from.pid == 0)
			message[n] = '\0', news = news || concerns(message);
	}
}

/* Waits for a reason to look again. Returns 1 for one, 0 when until has come, -1 when the run is to stop. */
static int watch(int64_t until)
{
	enum { BLIND_MS = 100 };

	for (;;) {
		int r = await(g.uevents, POLLIN, g.uevents < 0 ? sooner(until, now() + BLIND_MS) : until);

		if (r < 0)
			return -1;
		if (now() >= until)
			return 0;
		if (r == 0 || stir())
			return 1;
	}
}

/* ---- nodes: opened where they are, or made where there is room; believed when sysfs places them ---- */

/* Opens the character device number dev, DEV/name if that is it. A missing node is made in a private place and removed. */
static int open_node(const char *name, dev_t dev)
{
	static const char *const places[] = { DEV, "/run", "/tmp" };
	enum { FLAGS = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };
	char path[100] = DEV "/";
	struct stat st;
	int fd;

	append(path, sizeof path, "%s", name);
	if (!stat(path, &st) && S_ISCHR(st.st_mode) && st.st_rdev == dev) {
		doing("opening %s", path);
		return open(path, FLAGS);
	}
	for (unsigned i = 0; i < LEN(places); i++) {
		path[0] = '\0';
		append(path, sizeof path, "%s/.swflip-%u", places[i], (unsigned)getpid());
		if (mknod(path, S_IFCHR | 0600, dev) < 0)
			continue;
		doing("opening %s", name);
		fd = open(path, FLAGS);
		unlink(path);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* Device numbers are given again while modems come and go: does sysfs still place the open fd at where? */
static bool placed(int fd, const char *where)
{
	char path[100] = "", link[300];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return false;
	append(path, sizeof path, SYS "/dev/char/%u:%u", (unsigned)major(st.st_rdev), (unsigned)minor(st.st_rdev));
	if ((n = readlink(path, link, sizeof link - 1)) < 0)
		return false;
	link[n] = '\0';
	return at_port(link, where);
}

/* Opens the node whose number stands in the sysfs file dev, below USB; -1 when it is not at where by then. */
static int open_placed(const char *name, const char *dev, const char *where)
{
	char text[32];
	const char *s = text;
	uint32_t major, minor;
	int fd;

	if (slurp(text, sizeof text, USB "%s/dev", dev) < 0 || !digits(&s, 10, 4095, &major) || *s++ != ':' ||
	    !digits(&s, 10, 0xfffff, &minor))
		return -1;
	if ((fd = open_node(name, makedev(major, minor))) >= 0 && !placed(fd, where)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- usbfs: the kernel's own structures and requests, as its header is not in musl's include path ---- */

struct ctrltransfer {
	uint8_t bRequestType, bRequest;
	uint16_t wValue, wIndex, wLength;
	uint32_t timeout; /* ms */
	void *data;
};

struct urb {
	unsigned char type, endpoint;
	int status;
	unsigned flags;
	void *buffer;
	int buffer_length, actual_length, start_frame, number_of_packets, error_count;
	unsigned signr;
	void *usercontext;
};

struct usbfs_ioctl {
	int ifno, ioctl_code;
	void *data;
};

struct disconnect_claim {
	unsigned interface, flags;
	char driver[256];
};

struct setinterface {
	unsigned interface, altsetting;
};

enum { URB_INTERRUPT = 1, URB_BULK = 3 };

#define USBDEVFS_CONTROL	  _IOWR('U', 0, struct ctrltransfer)
#define USBDEVFS_SETINTERFACE	  _IOR('U', 4, struct setinterface)
#define USBDEVFS_SUBMITURB	  _IOR('U', 10, struct urb)
#define USBDEVFS_DISCARDURB	  _IO('U', 11)
#define USBDEVFS_REAPURBNDELAY	  _IOW('U', 13, void *)
#define USBDEVFS_RELEASEINTERFACE _IOR('U', 16, unsigned)
#define USBDEVFS_IOCTL		  _IOWR('U', 18, struct usbfs_ioctl)
#define USBDEVFS_RESET		  _IO('U', 20)
#define USBDEVFS_CLEAR_HALT	  _IOR('U', 21, unsigned)
#define USBDEVFS_CONNECT	  _IO('U', 23)
#define USBDEVFS_DISCONNECT_CLAIM _IOR('U', 27, struct disconnect_claim)

static int usbfs(int fd, unsigned long request, void *data)
{
	return ioctl(fd, (request_t)request, data);
}

static int open_usbfs(const struct modem *m)
{
	char name[32] = "", number[8] = "";
	uint32_t bus = 0;
	const char *s = m->port;

	digits(&s, 10, 999, &bus);
	append(number, sizeof number, "%u", m->devnum);
	append(name, sizeof name, "bus/usb/%03u/%03u", bus, m->devnum);
	return open_placed(name, m->port, m->port);
}

/* A control transfer. Returns the bytes moved, or -1 with errno: EPIPE is a stall, ENODEV and ESHUTDOWN a modem that left. */
static int control(int fd, unsigned type, unsigned request, unsigned value, unsigned index, void *data, size_t n)
{
	struct ctrltransfer c = { .bRequestType = (uint8_t)type, .bRequest = (uint8_t)request, .wValue = (uint16_t)value,
				  .wIndex = (uint16_t)index, .wLength = (uint16_t)n, .timeout = CONTROL_MS, .data = data };
	int r = usbfs(fd, USBDEVFS_CONTROL, &c);
	int error = errno;

	say(DEBUG, "usb %02x %02x %04x %04x %u: %s", type, request, value, index, (unsigned)n, r < 0 ? strerror(error) : "ok");
	errno = error;
	return r;
}

/* ---- link: carries bytes to one interface, by a tty, by usbfs, or by cdc-wdm ---- */

enum { CHUNK = 1024, FRAME = 4096 }; /* the largest bulk packet, USB 3; the largest QMI or MBIM message taken */

struct link {
	enum carrier { CLOSED, TTY, URBS, WDM } carrier;
	int fd;
	uint8_t number, endpoint_in, endpoint_out; /* bInterfaceNumber, and where its bytes go */
	uint8_t client, tid;			   /* QMI */
	bool mbim, inward, outward, gone;	   /* inward, outward: that URB is with the kernel */
	uint16_t packet, message;
	struct termios saved;
	struct urb in, out;
	uint8_t chunk[CHUNK], sent[256];
};

/* A tty of the kernel's for this interface: its name and its directory below USB. False where there is none. */
static bool find_tty(const struct modem *m, uint8_t number, char name[64], char dir[160])
{
	char interface[64] = "";

	dir[0] = '\0';
	append(interface, sizeof interface, "%s:%u.%u", m->port, m->active, number);
	if (first(name, "ttyUSB", USB "%s", interface))
		append(dir, 160, "%s/%s/tty/%s", interface, name, name);
	else if (first(name, "tty", USB "%s/tty", interface))
		append(dir, 160, "%s/tty/%s", interface, name);
	return dir[0] != '\0';
}

/* A tty may still be coming where the kernel has a driver for one. */
static bool has_serial_driver(void)
{
	const char *entry;
	struct dir d;
	bool any = false;

	if (!open_dir(&d, SYS "/bus/usb-serial/drivers"))
		return false;
	while ((entry = next(&d)))
		any = any || (entry[0] != '.' && strcmp(entry, "generic"));
	return any;
}

/* Opens the file that a driver made for an interface: a tty, or else cdc-wdm's. */
static enum why open_file(struct link *l, const struct modem *m, bool encapsulated)
{
	char where[64] = "", name[64], dir[160] = "";
	struct termios raw;
	int held = 0;

	append(where, sizeof where, "%s:%u.%u", m->port, m->active, l->number);
	if (encapsulated && first(name, "cdc-wdm", USB "%s/usbmisc", where))
		append(dir, sizeof dir, "%s/usbmisc/%s", where, name);
	if (!dir[0] && (encapsulated || !find_tty(m, l->number, name, dir)))
		return MUTE;
	errno = 0;
	if ((l->fd = open_placed(name, dir, where)) < 0)
		return errno == EBUSY ? HELD : MUTE;
	l->carrier = WDM;
	if (encapsulated)
		return FINE;
	l->carrier = TTY;
	/* TIOCEXCL does not keep root out, so root asks */
	if ((!ioctl(l->fd, (request_t)TIOCGEXCL, &held) && held) || tcgetattr(l->fd, &l->saved) < 0) {
		close(l->fd);
		l->carrier = CLOSED;
		return held ? HELD : MUTE;
	}
	ioctl(l->fd, TIOCEXCL);
	raw = l->saved;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cflag &= ~(tcflag_t)CRTSCTS;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(l->fd, TCSANOW, &raw);
	tcflush(l->fd, TCIOFLUSH);
	return FINE;
}

static bool submit(struct link *l, struct urb *u, unsigned type, uint8_t endpoint, void *buffer, size_t n)
{
	*u = (struct urb){ .type = (unsigned char)type, .endpoint = endpoint, .buffer = buffer, .buffer_length = (int)n };
	return !usbfs(l->fd, USBDEVFS_SUBMITURB, u);
}

/* One IN transfer is with the kernel before anything goes out, or bytes would be lost. */
static bool listen_in(struct link *l)
{
	if (!l->inward)
		l->inward = submit(l, &l->in, l->endpoint_out ? URB_BULK : URB_INTERRUPT, l->endpoint_in, l->chunk, l->packet);
	return l->inward;
}

/* Takes the interface from whatever driver holds it, with DTR and RTS as a tty would set them. */
static enum why open_urbs(struct link *l, const struct modem *m, const struct interface *i, bool encapsulated)
{
	enum { SET_CONTROL_LINE_STATE = 0x22, DTR = 1, RTS = 2 };
	struct disconnect_claim claim = { .interface = i->number };
	struct setinterface alt = { .interface = i->number, .altsetting = i->alt };

	l->endpoint_in = encapsulated ? i->interrupt : i->in;
	l->endpoint_out = encapsulated ? 0 : i->out;
	l->packet = encapsulated || i->packet > CHUNK || !i->packet ? 64 : i->packet;
	if ((l->fd = open_usbfs(m)) < 0)
		return MUTE;
	if (usbfs(l->fd, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) {
		enum why why = errno == EBUSY ? HELD : MUTE;

		close(l->fd);
		return why;
	}
	l->carrier = URBS;
	if (i->alt)
		usbfs(l->fd, USBDEVFS_SETINTERFACE, &alt);
	if (!encapsulated)
		control(l->fd, 0x21, SET_CONTROL_LINE_STATE, DTR | RTS, i->number, NULL, 0);
	else if (!l->mbim && (m->bcdusb >= 0x0201 || has16(dtr, LEN(dtr), m->pid)))
		control(l->fd, 0x21, SET_CONTROL_LINE_STATE, DTR, i->number, NULL, 0);
	listen_in(l);
	return FINE;
}

/* Takes back one URB that is done. False when none is. */
static bool reap(struct link *l, struct urb **done)
{
	if (!(l->inward || l->outward) || usbfs(l->fd, USBDEVFS_REAPURBNDELAY, done) < 0)
		return false;
	*(*done == &l->in ? &l->inward : &l->outward) = false;
	return true;
}

/* Receives at most CHUNK bytes until the deadline. Returns their number, 0 for none, -1 for a modem that left (gone) or
 * a run that is to stop. */
static int receive_urb(struct link *l, void *buf, int64_t until)
{
	struct urb *done;

	for (int r = 0, stalls = 0;;) {
		if (!listen_in(l) || stalls > 3)
			l->gone = true;
		while (!l->gone && reap(l, &done)) {
			unsigned endpoint = done->endpoint;
			int n = done->actual_length;

			r = 0;
			if (done->status == -EPIPE && ++stalls)
				usbfs(l->fd, USBDEVFS_CLEAR_HALT, &endpoint);
			else if (done->status && done->status != -EOVERFLOW)
				l->gone = true;
			if (done == &l->in && !done->status && n > 0 && n <= CHUNK) {
				memcpy(buf, l->chunk, (size_t)n);
				listen_in(l);
				return n;
			}
			if (done == &l->in)
				break;
		}
		if (r & (POLLHUP | POLLERR)) /* from the last round, and nothing to reap since */
			l->gone = true;
		if (l->gone || (r = await(l->fd, POLLOUT, until)) < 0)
			return -1;
		if (now() >= until)
			return 0;
	}
}

static int receive_fd(struct link *l, void *buf, size_t size, int64_t until)
{
	for (;;) {
		ssize_t n = read(l->fd, buf, size);
		int r;

		if (n > 0)
			return (int)n;
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			l->gone = true;
			return -1;
		}
		if ((r = await(l->fd, POLLIN, until)) < 0)
			return -1;
		if (r == 0 && now() >= until)
			return 0;
	}
}

static int receive(struct link *l, void *buf, int64_t until)
{
	return l->carrier == URBS ? receive_urb(l, buf, until) : receive_fd(l, buf, CHUNK, until);
}

/* Sends n bytes, at most 256. False when the modem takes none: it may be deaf still. */
static bool transmit(struct link *l, const void *buf, size_t n)
{
	struct urb *done;

	if (l->carrier == TTY)
		return write(l->fd, buf, n) == (ssize_t)n;
	while (l->outward && reap(l, &done))
		if (done == &l->in)
			listen_in(l);
	if (l->outward || n > sizeof l->sent)
		return false;
	memcpy(l->sent, buf, n);
	return l->outward = submit(l, &l->out, URB_BULK, l->endpoint_out, l->sent, n);
}

/* Gives everything back as it was: the tty's settings, nothing unsent in it; the interface to its driver. */
static void close_link(struct link *l)
{
	struct usbfs_ioctl connect = { .ifno = l->number, .ioctl_code = (int)(USBDEVFS_CONNECT) };
	unsigned number = l->number;
	int64_t until = now() + 500;
	struct urb *done;

	if (l->carrier == TTY) {
		tcflush(l->fd, TCIOFLUSH);
		tcsetattr(l->fd, TCSANOW, &l->saved);
		ioctl(l->fd, TIOCNXCL);
	} else if (l->carrier == URBS) {
		if (l->inward)
			usbfs(l->fd, USBDEVFS_DISCARDURB, &l->in);
		if (l->outward)
			usbfs(l->fd, USBDEVFS_DISCARDURB, &l->out);
		while ((l->inward || l->outward) && now() < until)
			if (!reap(l, &done) && await(l->fd, POLLOUT, until) < 0)
				break;
		usbfs(l->fd, USBDEVFS_RELEASEINTERFACE, &number);
		usbfs(l->fd, USBDEVFS_IOCTL, &connect);
	}
	if (l->carrier != CLOSED)
		close(l->fd);
	*l = (struct link){ .carrier = CLOSED, .fd = -1 };
}

/* ---- AT: one command, one answer ---- */

enum result { GONE_OFF, SILENT, OK, FAILED };
enum { TEXT = 6144 }; /* the longest table seen has 1.6 KiB; a longer answer is not believed */

/* Drops the echo, once or doubled, with its line end or without, and lines that a modem sends unasked. */
static void tidy(char *text, const char *command)
{
	size_t n = strlen(command);
	char *out = text;

	for (const char *p = text, *end; *p; p = end) {
		while (blank(*p))
			p++;
		if (n && !strncasecmp(p, command, n)) {
			end = p + n;
			continue;
		}
		end = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p);
		if (strchr("+$^*", *p) && strncasecmp(p, "+CM", 3))
			continue;
		memmove(out, p, (size_t)(end - p));
		out += end - p;
	}
	*out = '\0';
}

/* The final result, if the last line of text is one; with loose set the last word will do, for an answer that came as
 * one line. The result is cut off the text. */
static enum result final(char *text, bool loose)
{
	static const struct {
		const char *word;
		enum result result;
		bool prefix;
	} finals[] = { { "OK", OK, false }, { "ERROR", FAILED, false }, { "+CME ERROR", FAILED, true },
		       { "+CMS ERROR", FAILED, true } };
	size_t n = strlen(text);
	char *line;

	if (!loose && (!n || text[n - 1] != '\n'))
		return SILENT;
	while (n && blank(text[n - 1]))
		n--;
	for (unsigned i = 0; i < LEN(finals); i++) {
		size_t length = strlen(finals[i].word);

		for (line = text + n; line > text && line[-1] != '\n' && !(loose && !finals[i].prefix && blank(line[-1]));)
			line--;
		while (line < text + n && blank(*line))
			line++;
		if ((size_t)(text + n - line) >= length && !strncasecmp(line, finals[i].word, length) &&
		    (finals[i].prefix || line + length == text + n)) {
			*line = '\0';
			return finals[i].result;
		}
	}
	return SILENT;
}

/* Takes bytes into text with every line end an LF, and what no answer holds left out. An answer too long for the room
 * starts over and is told by *over. */
static void take(char text[TEXT], size_t *n, bool *over, const uint8_t *chunk, int size)
{
	for (int i = 0; i < size; i++) {
		unsigned c = chunk[i] == '\r' ? '\n' : chunk[i] == '\t' ? ' ' : chunk[i];

		if (*n == TEXT - 1) {
			*n = 0;
			*over = true;
		}
		if (c == '\n' || (c >= ' ' && c < 0x7f))
			text[(*n)++] = (char)c;
	}
	text[*n] = '\0';
}

static bool is_query(const char *command)
{
	return strchr(command, '?') != NULL;
}

/* Is there a line of information in this answer? tidy() works in place, so on a copy. */
static bool informs(const char *text, const char *command)
{
	char copy[TEXT];

	memcpy(copy, text, strlen(text) + 1);
	tidy(copy, command);
	return copy[strspn(copy, " \n")] != '\0';
}

/* Sends a command and takes its answer, without echo and final result, into text. At most ms until it begins, QUIET_MS
 * between its bytes, twice ms in all. SILENT with text: an answer that has no final result. */
static enum result at_within(struct link *l, const char *command, char text[TEXT], int64_t ms)
{
	enum { STRAY_MS = 300, LINGER_MS = 40 };
	int64_t begin = now() + ms, end = begin + ms, until = begin;
	uint8_t chunk[CHUNK];
	enum result result = SILENT;
	char line[80] = "";
	bool over = false;
	size_t n = 0;
	int r;

	while ((r = receive(l, chunk, now())) > 0 && now() < begin) /* what is left of an earlier answer */
		continue;
	append(line, sizeof line, "%s\r", command);
	trace(">", command, strlen(command));
	text[0] = '\0';
	if (r < 0 || (!transmit(l, line, strlen(line)) && l->carrier == URBS && !l->outward))
		return GONE_OFF;
	while ((r = receive(l, chunk, until)) > 0) {
		take(text, &n, &over, chunk, r);
		until = sooner(end, now() + QUIET_MS);
		if (now() >= end)
			break;
		if ((result = final(text, false)) == SILENT)
			continue;
		n = strlen(text);
		if (result == OK && !over && is_query(command) && !informs(text, command))
			until = now() + STRAY_MS; /* an OK that came too early, or twice: the answer is still to come */
		else if (result == OK && strstr(command, "=?"))
			until = now() + LINGER_MS; /* an OK in the middle of a list */
		else
			break;
	}
	if (r < 0)
		return GONE_OFF;
	if (result == SILENT)
		result = final(text, true);
	tidy(text, command);
	trace("<", text, strlen(text));
	say(DEBUG, "< %s", result == OK ? "OK" : result == FAILED ? "ERROR" : "(no final result)");
	if (over)
		text[0] = '\0';
	if (result != SILENT || text[0])
		heard();
	return result;
}

static enum result at(struct link *l, const char *command, char text[TEXT])
{
	doing("waiting for the answer to %s", strchr(command, '"') ? "AT!ENTERCND" : command);
	return at_within(l, command, text, ANSWER_MS);
}

/* ---- dialects: what a modem answers into struct offer ---- */

/* Behind the first header in text, blanks skipped; NULL where there is none. */
static const char *after(const char *text, const char *header)
{
	const char *p = strcasestr(text, header);

	if (!p)
		return NULL;
	p += strlen(header);
	while (blank(*p))
		p++;
	return p;
}

/* A number that stands for itself: digits behind a header, and a blank or the end behind them, as a cut one must not be
 * taken for a smaller one. */
static bool number_after(const char *text, const char *header, unsigned base, uint32_t *value)
{
	const char *p = after(text, header);

	return p && digits(&p, base, UINT32_MAX, value) && blank(*p);
}

/* Four hex digits and no more. */
static bool read_pid(const char **s, uint16_t *pid)
{
	const char *p = *s;
	uint32_t value;

	if (!digits(&p, 16, 0xffff, &value) || p - *s != 4)
		return false;
	*pid = (uint16_t)value;
	*s = p;
	return true;
}

/* !UDPID? and !USBPID?: `!UDPID: 68A3`, or `APP : 68E2` and `BOOT: 68E0` below the header. */
static int parse_pid(const char *text, const char *header)
{
	const char *p = after(text, header), *app = p ? after(p, "APP") : NULL;
	uint16_t pid;

	if (app && *app == ':')
		for (p = app + 1; blank(*p);)
			p++;
	return p && read_pid(&p, &pid) && (blank(*p) || *p == ',') ? pid : UNKNOWN;
}

/* !UDPID=? and !USBPID=?: a PID a line, or pairs with the boot loader's second, which is no PID to be had: what comes
 * behind a comma, and under a heading that says BOOT every other one. */
static void parse_pids(struct offer *o, const char *text)
{
	bool pairs = strcasestr(text, "BOOT") != NULL, second = false;

	for (const char *s = text; *s && o->npids < LEN(o->pids);) {
		const char *gap = s;
		bool comma = false;

		for (; blank(*s) || *s == ','; s++)
			comma = comma || *s == ',';
		if (memchr(gap, '\n', (size_t)(s - gap)))
			second = false;
		if (read_pid(&s, &o->pids[o->npids]) && (blank(*s) || *s == ',' || !*s)) {
			second = comma || (pairs && second);
			o->npids = (uint8_t)(o->npids + !second);
			second = !second;
		} else {
			while (*s && !blank(*s) && *s != ',')
				s++;
		}
	}
}

static unsigned function_word(const char *word, size_t n)
{
	while (n && word[n - 1] >= '0' && word[n - 1] <= '9')
		n--;
	for (size_t i = 0; i < LEN(words); i++)
		if (strlen(words[i].word) == n && !strncasecmp(words[i].word, word, n))
			return BIT(words[i].function);
	return 0;
}

/* A row whose number came before is supported only if both say so and mean the same. */
static void add_row(struct offer *o, const struct row *r)
{
	for (unsigned i = 0; i < o->rows; i++)
		if (o->row[i].number == r->number) {
			o->row[i].supported = o->row[i].supported && r->supported && o->row[i].configs == r->configs &&
					      !memcmp(o->row[i].functions, r->functions, sizeof r->functions) &&
					      !memcmp(o->row[i].comp, r->comp, sizeof r->comp);
			return;
		}
	if (o->rows < LEN(o->row))
		o->row[o->rows++] = *r;
}

static const struct row *find_row(const struct offer *o, uint32_t number)
{
	for (unsigned i = 0; i < o->rows; i++)
		if (o->row[i].number == number)
			return &o->row[i];
	return NULL;
}

/* A dual row has the functions of the two that it names, whatever their own status. */
static void resolve_rows(struct offer *o)
{
	for (unsigned i = 0; i < o->rows; i++)
		for (unsigned c = 0; o->row[i].configs == 2 && c < 2; c++) {
			const struct row *r = find_row(o, o->row[i].comp[c]);

			o->row[i].functions[c] = r && r->configs == 1 ? r->functions[0] : 0;
		}
}

/* !UDUSBCOMP=?: number, `-`, words, status; over as many lines as may be. A row ends at its status. One that does not end
 * in a status is not supported, nor one with a NOT anywhere in it. */
static void parse_rows(struct offer *o, const char *s)
{
	struct row r;
	bool open = false, no = false;

	for (;;) {
		const char *p = s += strspn(s, " \n");
		uint32_t n;
		size_t length;

		if (digits(&p, 10, 255, &n) && (p += strspn(p, " "), *p == '-')) {
			if (open)
				add_row(o, &r);
			r = (struct row){ .number = (uint8_t)n, .configs = 1 };
			open = true;
			no = false;
			s = p + 1;
			continue;
		}
		if (!(length = strcspn(s, " \n")))
			break;
		p = s + 4;
		if (open && length == 9 && !strncasecmp(s, "SUPPORTED", 9)) {
			r.supported = !no;
			add_row(o, &r);
			open = false;
		} else if (open && length >= 3 && !strncasecmp(s, "NOT", 3)) {
			no = true;
		} else if (open && length > 4 && !strncasecmp(s, "comp", 4) && digits(&p, 10, 255, &n) && p == s + length) {
			r.configs = r.comp[0] || r.configs == 2 ? 2 : 1;
			if (!r.comp[0])
				r.comp[0] = (uint8_t)n;
			else
				r.comp[1] = (uint8_t)n, r.configs = 2;
		} else if (open) {
			r.functions[0] = (uint16_t)(r.functions[0] | function_word(s, length));
		}
		s += length;
	}
	if (open)
		add_row(o, &r);
	resolve_rows(o);
}

/* !USBCOMP=?: the types between `<Config Type> -` and `<Interface bitmask> -`, and behind that the bits, up to the
 * examples, which promise nothing. */
static void parse_mask(struct offer *o, const char *text)
{
	static const char type[] = "<Config Type>", mask[] = "<Interface bitmask>";
	const char *types = after(text, type), *bits = after(text, mask), *end, *stop;
	uint32_t value;

	while (types && *types != '-')
		types = after(types, type);
	while (bits && *bits != '-')
		bits = after(bits, mask);
	if (!types || !bits)
		return;
	end = text + strlen(text);
	if ((stop = strcasestr(bits, "e.g.")))
		end = stop;
	if ((stop = strcasestr(bits, "default")) && stop < end)
		end = stop;
	for (const char *p = types; p < bits; p++)
		if (blank(p[-1]) && digits(&p, 10, 31, &value) && *p == ':')
			o->types |= BIT(value);
	for (const char *p = bits; (p = strcasestr(p, "0x")) && p < end;) {
		const char *hex = p += 2;

		if (digits(&p, 16, UINT32_MAX, &value) && p - hex == 8 && !(value & (value - 1)))
			o->bits |= value;
	}
}

/* Asks an unlocked AT port for everything. False when it answers neither dialect: not the right port, or no longer. */
static bool ask_at(struct link *l, struct offer *o)
{
	char text[TEXT];
	uint32_t value;

	*o = (struct offer){ .pid = UNKNOWN };
	if (at(l, "AT!UDUSBCOMP?", text) == GONE_OFF)
		return false;
	if (number_after(text, "!UDUSBCOMP:", 10, &o->now)) {
		at(l, "AT!UDUSBCOMP=?", text);
		parse_rows(o, text);
		at(l, "AT!UDPID?", text);
		o->pid = parse_pid(text, "!UDPID:");
		if (at(l, "AT!UDPID=?", text) != FAILED)
			parse_pids(o, text);
		o->dialect = INDEX;
	} else if (!l->gone && at(l, "AT!USBCOMP?", text) != GONE_OFF && number_after(text, "Config Type:", 10, &value) &&
		   number_after(text, "Interface bitmask:", 16, &o->now) && value < 32) {
		o->type = (uint8_t)value;
		at(l, "AT!USBCOMP=?", text);
		parse_mask(o, text);
		at(l, "AT!USBPID?", text);
		o->pid = parse_pid(text, "!USBPID:");
		at(l, "AT!USBVID?", text);
		at(l, "AT!USBINFO?", text);
		o->dialect = MASK;
	}
	return o->dialect != NOBODY && !l->gone;
}

/* ---- QMI: the same questions in encapsulated commands, bare or inside MBIM ---- */

enum { CTL = 0, DMS = 2, GET_CLIENT = 0x22, RELEASE_CLIENT = 0x23, SET_MODE = 0x2e, GET_COMP = 0x555b, SET_COMP = 0x555c };
enum { MBIM_OPEN = 1, MBIM_CLOSE = 2, MBIM_COMMAND = 3, MBIM_HEAD = 48 };
#define MBIM_DONE 0x80000000u /* set in the type of every answer */

/* Sierra's service for QMUX frames inside MBIM (libmbim: mbim-uuid.c), bytes in wire order. */
static const uint8_t tunnel[16] = { 0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e, 0x43,
				    0xbf, 0x65, 0xc7, 0xe2, 0x4f, 0xb0, 0xf0, 0xd3 };

static bool encapsulate(struct link *l, void *frame, size_t n)
{
	if (l->carrier == WDM)
		return write(l->fd, frame, n) == (ssize_t)n;
	return control(l->fd, 0x21, 0x00, 0, l->number, frame, n) == (int)n;
}

/* One message, at most FRAME bytes. Returns its length, 0 for none until the deadline, -1 when the modem left. */
static int receive_frame(struct link *l, uint8_t *frame, int64_t until)
{
	enum { RESPONSE_AVAILABLE = 1 };
	uint8_t notice[CHUNK];
	int n;

	if (l->carrier == WDM)
		return receive_fd(l, frame, FRAME, until);
	while ((n = receive_urb(l, notice, until)) > 0)
		if (n >= 8 && notice[0] == 0xa1 && notice[1] == RESPONSE_AVAILABLE &&
		    (n = control(l->fd, 0xa1, 0x01, 0, l->number, frame, FRAME)) > 0)
			return n;
	return n;
}

/* A TLV's value by its type; NULL where there is none within the n bytes. */
static const uint8_t *tlv(const uint8_t *p, size_t n, uint8_t type, size_t *length)
{
	while (n >= 3 && (size_t)le16(p + 1) + 3 <= n) {
		*length = le16(p + 1);
		if (p[0] == type)
			return p + 3;
		n -= *length + 3;
		p += *length + 3;
	}
	return NULL;
}

/* The QMUX frame in a message: the message itself, or what a COMMAND_DONE of ours carries. NULL for a stranger's;
 * *refused is set where the modem says that it has no such service. */
static const uint8_t *unwrap(const struct link *l, const uint8_t *p, size_t *n, bool *refused)
{
	size_t size;

	if (!l->mbim)
		return p;
	if (*n < 12 || le32(p + 4) > *n || le32(p + 8) != l->tid)
		return NULL;
	size = le32(p + 4);
	*refused = le32(p) == (MBIM_DONE | 4) || (le32(p) == (MBIM_DONE | MBIM_COMMAND) && size >= MBIM_HEAD && le32(p + 40));
	if (*refused || le32(p) != (MBIM_DONE | MBIM_COMMAND) || size < MBIM_HEAD || le32(p + 12) != 1 || le32(p + 16) != 0 ||
	    memcmp(p + 20, tunnel, sizeof tunnel) || le32(p + 44) > size - MBIM_HEAD)
		return NULL;
	*n = le32(p + 44);
	return p + MBIM_HEAD;
}

/* The TLVs of the answer in a QMUX frame, if it is the one to this message of ours; NULL for anything else. */
static const uint8_t *answer_of(const struct link *l, const uint8_t *p, size_t *n, uint8_t service, unsigned message)
{
	size_t head = service == CTL ? 12 : 13, tid_size = service == CTL ? 1 : 2;
	const uint8_t *sdu = p + 6 + 1 + tid_size;

	if (*n < head || p[0] != 1 || le16(p + 1) + 1u > *n || p[4] != service || p[5] != (service == CTL ? 0 : l->client))
		return NULL;
	*n = le16(p + 1) + 1u;
	if (*n < head || p[6] != (service == CTL ? 1 : 2) || p[7] != l->tid || (service != CTL && p[8]) ||
	    le16(sdu) != message || le16(sdu + 2) > *n - head)
		return NULL;
	*n = le16(sdu + 2);
	return p + head;
}

/* Sends a message with at most one TLV, type 0x01, and waits for its answer. Returns the QMI error, 0 for none, or -1 for
 * no answer. The answer's TLVs are then in frame at *tlvs, *n bytes. */
static int qmi(struct link *l, uint8_t service, unsigned message, const uint8_t *value, size_t length, uint8_t frame[FRAME],
	       const uint8_t **tlvs, size_t *n)
{
	uint8_t *p = frame, *qmux;
	int64_t until = now() + ANSWER_MS;
	size_t payload = length ? length + 3 : 0, size = (service == CTL ? 12u : 13u) + payload;
	bool refused = false;
	int r;

	l->tid = (uint8_t)(l->tid % 250 + 1);
	doing("waiting for the answer to QMI %04x", message);
	if (l->mbim) {
		p = put32(put32(put32(p, MBIM_COMMAND), (uint32_t)(MBIM_HEAD + size)), l->tid);
		p = put32(put32(p, 1), 0);
		p = (uint8_t *)memcpy(p, tunnel, sizeof tunnel) + sizeof tunnel;
		p = put32(put32(put32(p, 1), 1), (uint32_t)size);
	}
	qmux = p;
	*p++ = 1;
	p = put16(p, (unsigned)size - 1);
	*p++ = 0;
	*p++ = service;
	*p++ = service == CTL ? 0 : l->client;
	*p++ = 0;
	*p++ = l->tid;
	if (service != CTL)
		*p++ = 0;
	p = put16(put16(p, message), (unsigned)payload);
	if (length) {
		*p++ = 0x01;
		p = put16(p, (unsigned)length);
		memcpy(p, value, length);
		p += length;
	}
	say(DEBUG, "> QMI %02x %04x, %u bytes", service, message, (unsigned)(p - qmux));
	if (!encapsulate(l, frame, (size_t)(p - frame)))
		return -1;
	while ((r = receive_frame(l, frame, until)) > 0 && now() < until) {
		const uint8_t *q;
		size_t size_of_result;

		*n = (size_t)r;
		q = unwrap(l, frame, n, &refused);
		if (refused)
			break;
		if (!q || !(*tlvs = answer_of(l, q, n, service, message)) || !(q = tlv(*tlvs, *n, 0x02, &size_of_result)) ||
		    size_of_result < 4)
			continue;
		heard();
		say(DEBUG, "< QMI %04x: error %u", message, le16(q) ? le16(q + 2) : 0u);
		return le16(q) ? le16(q + 2) : 0;
	}
	return -1;
}

/* OPEN or CLOSE of an MBIM function. */
static bool mbim(struct link *l, unsigned type)
{
	unsigned room = l->message && l->message < FRAME ? l->message : FRAME;
	uint8_t frame[FRAME];
	int64_t until = now() + ANSWER_MS;
	int r;

	l->tid = (uint8_t)(l->tid % 250 + 1);
	put32(put32(put32(put32(frame, type), type == MBIM_OPEN ? 16 : 12), l->tid), room);
	if (!encapsulate(l, frame, type == MBIM_OPEN ? 16 : 12))
		return false;
	while ((r = receive_frame(l, frame, until)) > 0 && now() < until)
		if (r >= 16 && le32(frame) == (MBIM_DONE | type) && le32(frame + 8) == l->tid)
			return le32(frame + 12) == 0;
	return false;
}

/* A client of the device management service. No CTL Sync: it would drop other people's clients. */
static bool open_qmi(struct link *l)
{
	static const uint8_t dms = DMS;
	uint8_t frame[FRAME];
	const uint8_t *p;
	size_t n;

	if (l->mbim && !mbim(l, MBIM_OPEN))
		return false;
	if (qmi(l, CTL, GET_CLIENT, &dms, 1, frame, &p, &n) || !(p = tlv(p, n, 0x01, &n)) || n < 2 || p[0] != DMS)
		return false;
	l->client = p[1];
	return true;
}

static void close_qmi(struct link *l)
{
	uint8_t frame[FRAME], client[2] = { DMS, l->client };
	const uint8_t *p;
	size_t n;

	if (l->client && !l->gone)
		qmi(l, CTL, RELEASE_CLIENT, client, sizeof client, frame, &p, &n);
	if (l->mbim && !l->gone)
		mbim(l, MBIM_CLOSE);
}

/* 0x555B: the composition, and the numbers on offer. There is no text: config.h knows what the numbers mean. */
static bool ask_qmi(struct link *l, struct offer *o)
{
	uint8_t frame[FRAME];
	const uint8_t *p, *v;
	size_t n, length;

	*o = (struct offer){ .pid = UNKNOWN };
	if (qmi(l, DMS, GET_COMP, NULL, 0, frame, &p, &n) || !(v = tlv(p, n, 0x10, &length)) || length < 1)
		return false;
	o->now = v[0];
	o->dialect = WIRE;
	v = tlv(p, n, 0x11, &length);
	if (!v || length < 1 || v[0] != length - 1) /* a list that lies about its length is none */
		return true;
	for (unsigned i = 1; i < length; i++) {
		struct row r = { .number = v[i], .supported = true, .configs = 1 };

		if (v[i] < LEN(compositions)) {
			r.functions[0] = compositions[v[i]];
		} else if (v[i] < 23) {
			r.configs = 2;
			r.functions[0] = compositions[v[i] < 18 ? 6 : 7];
			r.functions[1] = compositions[8 + (v[i] - 13) % 5];
		}
		if (!find_row(o, v[i]))
			add_row(o, &r);
	}
	return true;
}

/* ---- target: [PORT:][PID/]MODE[@CONFIG][!] ---- */

/* How many network families are in a bitmask. */
static unsigned count_families(uint32_t bits)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LEN(families); i++)
		n += (bits & families[i]) != 0;
	return n;
}

/* Function names joined by `+` into function bits; behind the last one on success. */
static bool parse_names(const char **s, uint32_t *bits)
{
	for (*bits = 0;; ++*s) {
		size_t n = strspn(*s, "abcdefghijklmnopqrstuvwxyz");
		unsigned f = 0;

		while (f < FUNCTIONS && (strncmp(functions[f].name, *s, n) || functions[f].name[n]) &&
		       (strncmp(functions[f].alias, *s, n) || functions[f].alias[n]))
			f++;
		if (!n || f == FUNCTIONS)
			return false;
		*bits |= BIT(f);
		*s += n;
		if (**s != '+')
			return true;
	}
}

/* False for what cannot be understood, and for what no modem can have. */
static bool parse_target(struct target *t, const char *text)
{
	char buf[sizeof t->text];
	const char *s = buf;
	uint32_t value;
	uint16_t pid;
	size_t n = strlen(text);

	*t = (struct target){ .pid = UNKNOWN };
	if (n >= sizeof buf)
		return false;
	append(t->text, sizeof t->text, "%s", text);
	for (size_t i = 0; i <= n; i++)
		buf[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i]);
	if ((n = portlen(s)) && s[n] == ':') {
		append(t->port, n + 1, "%s", s);
		s += n + 1;
	}
	if (s[0] && strcspn(s, "/") == 4 && read_pid(&s, &pid)) {
		t->pid = pid;
		s++;
	}
	if (s[0] == '0' && s[1] == 'x') {
		s += 2;
		t->mode = BITS;
		if (!digits(&s, 16, UINT32_MAX, &t->value) || !t->value || count_families(t->value) > 1)
			return false;
	} else if (digits(&s, 10, 255, &t->value)) {
		t->mode = NUMBER;
	} else if (!strncmp(s, "off", 3)) {
		s += 3;
		return t->mode = OFF, !*s && t->pid == UNKNOWN;
	} else if (!strncmp(s, "modem", 5) && s[5] != '+') {
		s += 5;
		t->mode = LEAVE;
	} else {
		t->mode = NAMES;
		if (!parse_names(&s, &t->value) || ((t->value & NETS) & ((t->value & NETS) - 1)))
			return false;
	}
	if (*s == '@' && s++) {
		if (!digits(&s, 10, 255, &value) || !value)
			return false;
		t->config = (uint8_t)value;
	}
	if (*s == '!' && s++)
		t->bare = true;
	return !*s && !(t->mode == LEAVE && (t->bare || t->pid != UNKNOWN));
}

/* ---- decide: every rule of what may be done to a modem; no system call, no clock, no device ---- */

static struct step step(enum doing doing, uint32_t value)
{
	return (struct step){ .doing = doing, .value = value };
}

static struct step refuse(enum doing doing, enum why why)
{
	return (struct step){ .doing = doing, .why = why };
}

/* Something is stored that is not running. */
static bool is_dirty(const struct offer *o, const struct past *p)
{
	return p->asked && p->written && (o->pid != p->running.pid || o->now != p->running.now);
}

/* Refuses, but first puts back what was found, as long as the target has not gone in with a reset. */
static struct step back_out(const struct modem *m, const struct offer *o, const struct past *p, enum why why)
{
	struct step s = refuse(REFUSE, why);

	if (p->asked && p->written && !p->committed) {
		if (o->pid != p->found.pid && !(p->restored & PID))
			s.doing = WRITE_PID, s.value = (uint32_t)p->found.pid;
		else if (o->now != p->found.now && !(p->restored & COMP))
			s.doing = WRITE_COMP, s.value = p->found.now;
		else if (is_dirty(o, p) && o->pid == p->found.pid && o->now == p->found.now && p->resets < 2 && !p->ignored)
			s.doing = RESET;
	}
	if (s.doing == REFUSE && !p->stop && p->config && p->config != m->active && config_of(m, p->config) && !p->unset)
		s.doing = SELECT, s.value = p->config;
	return s;
}

/* The configuration in which all functions of the target are, the active one first; 0 = none. */
static uint8_t serving(const struct modem *m, const struct target *t)
{
	uint8_t found = 0;

	for (unsigned i = 0; i < m->configs; i++) {
		const struct config *c = &m->config[i];

		if ((!t->config || t->config == c->value) && !(t->value & ~functions_of(m, c)) &&
		    (!found || c->value == m->active))
			found = c->value;
	}
	return found;
}

/* The target is there, in this configuration; what is left is to select it and to see whether it lasts. */
static struct step settle(const struct modem *m, const struct offer *o, const struct past *p, uint8_t config)
{
	if (!config_of(m, config))
		return back_out(m, o, p, NO_SUCH_CONFIG);
	if (config != m->active)
		return step(SELECT, config);
	return step(p->committed && !p->stayed ? WATCH : DONE, 0);
}

/* A number says nothing about the configuration: as asked, else as the kernel chose. */
static struct step settle_number(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	return settle(m, o, p, t->config ? t->config : p->config ? p->config : m->active);
}

/* Has each configuration the AT port and the network expected of it? Nothing expected: not known, so no. */
static bool shows(const struct modem *m, const uint16_t expect[2])
{
	unsigned any = 0;

	for (unsigned c = 0; c < 2; c++) {
		unsigned bits = expect[c] & (BIT(AT) | NETS);

		any |= bits;
		if (bits && (c >= m->configs || (bits & ~functions_of(m, &m->config[c]))))
			return false;
	}
	return any != 0;
}

/* Storage is left by a configuration where there is one, else by a flip. */
static struct step leave_storage(const struct modem *m, const struct target *t, const struct past *p)
{
	uint8_t config = t->mode == NAMES ? serving(m, t) : t->config;

	if (p->stuck || p->flips >= FLIPS)
		return refuse(REFUSE, NO_LEAVE);
	if (p->unset)
		return refuse(REFUSE, NO_CONFIG);
	for (unsigned i = 0; i < m->configs && !(config && config_of(m, config)); i++)
		if (functions_of(m, &m->config[i]) & ~BIT(MS))
			config = m->config[i].value;
	if (config && config_of(m, config) && (functions_of(m, config_of(m, config)) & ~BIT(MS)))
		return config == m->active ? refuse(REFUSE, NO_LEAVE) : step(SELECT, config);
	return step(FLIP, 0);
}

/* Where to ask: an AT port, before all others; it may be in the other configuration. */
static struct step find_port(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	static const unsigned ports[] = { BIT(AT), BIT(MBIM) | BIT(QMI) };
	bool shown = p->committed && shows(m, p->expect);

	if (p->mute)
		return shown ? settle_number(m, o, t, p) : back_out(m, o, p, p->mute);
	for (unsigned i = 0; i < LEN(ports); i++) {
		if (functions_of(m, config_of(m, m->active)) & ports[i])
			return step(ASK, 0);
		if (shown)
			return settle_number(m, o, t, p);
		for (unsigned c = 0; c < m->configs; c++)
			if (functions_of(m, &m->config[c]) & ports[i])
				return step(SELECT, m->config[c].value);
	}
	return back_out(m, o, p, NO_PORT);
}

static bool row_serves(const struct row *r, const struct target *t)
{
	if (!r->supported || t->mode == NUMBER)
		return r->supported && r->number == t->value;
	for (unsigned c = 0; c < r->configs; c++)
		if ((!t->config || t->config == c + 1) && !(t->value & ~(unsigned)r->functions[c]))
			return true;
	return false;
}

/* The best row for the target: what the modem has, with an AT port, one configuration, fewest functions that nobody
 * asked for, lowest number. NULL = none; without an AT port only if bare. */
static const struct row *pick(const struct offer *o, const struct target *t, bool bare)
{
	const struct row *best = NULL;
	unsigned cost_of_best = 0;

	for (const struct row *r = o->row; r < o->row + o->rows; r++) {
		unsigned all = r->functions[0] | r->functions[1], cost = r->number;

		if (!row_serves(r, t))
			continue;
		if (r->number == o->now)
			return r;
		if (!(all & BIT(AT)) && !bare)
			continue;
		for (unsigned extra = all & ~t->value; extra; extra &= extra - 1)
			cost += 1u << 8;
		cost += (r->configs > 1 ? 1u << 12 : 0) + (all & BIT(AT) ? 0 : 1u << 13);
		if (!best || cost < cost_of_best)
			best = r, cost_of_best = cost;
	}
	return best;
}

/* Another PID under which config.h says that the functions are; UNKNOWN where none is known and listed. */
static int other_pid(const struct offer *o, const struct target *t)
{
	for (unsigned i = 0; t->mode == NAMES && t->pid == UNKNOWN && i < LEN(moves); i++)
		if (moves[i].from == o->pid && !(t->value & ~moves[i].functions) && has16(o->pids, o->npids, moves[i].to))
			return moves[i].to;
	return UNKNOWN;
}

/* A list read after the PID was written speaks for the new PID if it is another one and has the present composition. */
static bool speaks_for_new(const struct offer *o, const struct past *p)
{
	const struct row *r = find_row(o, o->now);

	return r && r->supported && (o->rows != p->running.rows || memcmp(o->row, p->running.row, sizeof o->row));
}

/* No row will do. Another PID may have one; one that was written may have it after a reset. */
static struct step no_row(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	int pid = other_pid(o, t);

	if (pid != UNKNOWN && !(p->written & PID))
		return step(WRITE_PID, (uint32_t)pid);
	if (is_dirty(o, p) && (p->written & PID) && !p->resets && !speaks_for_new(o, p))
		return step(RESET, 0);
	return back_out(m, o, p, !o->rows ? NO_LIST : pick(o, t, true) ? NO_AT : NOT_LISTED);
}

/* The setting is as wanted. Does it run? Names are here because their functions are not to be seen. */
static struct step stored(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p,
			  const uint16_t expect[2])
{
	struct step reset = { .doing = RESET, .last = true, .expect = { expect[0], expect[1] } };

	if (is_dirty(o, p) || (!p->resets && (t->mode == NAMES || (((expect[0] | expect[1]) & (BIT(AT) | NETS)) && !shows(m, expect)))))
		return reset;
	return t->mode == NAMES ? back_out(m, o, p, NOT_SHOWN) : settle_number(m, o, t, p);
}

/* The numbered compositions of !UDUSBCOMP and QMI. */
static struct step decide_row(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	const struct row *r;
	struct step s;

	if (t->mode == BITS)
		return back_out(m, o, p, NO_BITS);
	if (o->dialect == WIRE && t->pid != UNKNOWN && t->pid != m->pid)
		return back_out(m, o, p, PID_DIFFERS);
	if (o->dialect == INDEX && t->pid != UNKNOWN && t->pid != o->pid)
		return p->written & PID			     ? back_out(m, o, p, DIFFERS)
		       : has16(o->pids, o->npids, (uint32_t)t->pid) ? step(WRITE_PID, (uint32_t)t->pid)
								     : back_out(m, o, p, PID_NOT_LISTED);
	if (!(r = pick(o, t, t->bare)))
		return no_row(m, o, t, p);
	if (t->config > r->configs && (r->functions[0] | r->functions[1]))
		return back_out(m, o, p, NO_SUCH_CONFIG);
	if (r->number == o->now)
		return stored(m, o, t, p, r->functions);
	if (p->written & COMP)
		return back_out(m, o, p, DIFFERS);
	s = step(WRITE_COMP, r->number);
	memcpy(s.expect, r->functions, sizeof s.expect);
	return s;
}

/* The bitmask wanted: a mask as it is; names added to what is there, with the AT port, and of the networks only theirs. */
static uint32_t merge(const struct offer *o, const struct target *t, uint32_t names)
{
	uint32_t bits = 0, mask;

	if (t->mode == BITS)
		return t->value;
	for (unsigned f = 0; f < FUNCTIONS; f++)
		bits |= names & BIT(f) ? functions[f].bit : 0;
	mask = o->now | bits | (t->bare ? 0 : functions[AT].bit);
	for (unsigned i = 0; i < LEN(families); i++)
		if (count_families(bits) && !(bits & families[i]))
			mask &= ~families[i];
	return mask;
}

/* What a mask must show: the AT port and the network, as the others' numbers differ with the type. */
static uint16_t mask_shows(uint32_t mask)
{
	static const enum kind_of_function seen[] = { AT, QMI, MBIM, ECM };
	unsigned bits = 0;

	for (unsigned i = 0; i < LEN(seen); i++)
		bits |= mask & functions[seen[i]].bit ? BIT(seen[i]) : 0;
	return (uint16_t)bits;
}

/* The bitmask of !USBCOMP. Its type stays as the modem has it. */
static struct step decide_mask(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	bool named = t->mode == NUMBER && (t->value == 6 || t->value == 8 || t->value == 9);
	uint32_t names = t->mode == NAMES ? t->value : named ? compositions[t->value] : 0, mask = merge(o, t, names);
	struct step s = step(WRITE_COMP, mask);

	s.expect[0] = mask_shows(mask);
	if (t->mode == NUMBER && !named)
		return back_out(m, o, p, NO_INDEX);
	if (t->pid != UNKNOWN && t->pid != (o->pid == UNKNOWN ? m->pid : o->pid))
		return back_out(m, o, p, PID_DIFFERS);
	if (names & (BIT(NET) | BIT(MS)))
		return back_out(m, o, p, NO_BIT);
	if (mask == o->now)
		return stored(m, o, t, p, s.expect);
	if (p->written & COMP)
		return back_out(m, o, p, DIFFERS);
	if (!o->bits || !(o->types & BIT(o->type)))
		return back_out(m, o, p, o->bits ? NO_TYPE : NO_LIST);
	if (mask & ~o->now & ~o->bits)
		return back_out(m, o, p, NOT_LISTED);
	if (!(mask & functions[AT].bit) && !t->bare)
		return back_out(m, o, p, NO_AT);
	return s;
}

/* The modem is there and runs: ask, choose, write, reset, in this order and as little of it as possible. */
static struct step decide_mode(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	bool seen = t->mode == NAMES && (t->pid == UNKNOWN || t->pid == m->pid) && !is_dirty(o, p);

	if (p->why)
		return back_out(m, o, p, p->why);
	if (p->stop)
		return back_out(m, o, p, STOPPED);
	if (p->unset || p->selections > 5)
		return back_out(m, o, p, NO_CONFIG);
	if (p->ignored)
		return back_out(m, o, p, NO_RESET);
	if (t->mode == LEAVE)
		return settle(m, o, p, t->config ? t->config : m->active);
	if (seen && serving(m, t))
		return settle(m, o, p, serving(m, t));
	if (!p->asked || p->mute)
		return find_port(m, o, t, p);
	/* read back: what was written must be what is stored */
	if (((p->written & PID) && o->pid != p->pid) || ((p->written & COMP) && o->now != p->comp))
		return back_out(m, o, p, DIFFERS);
	return o->dialect == MASK ? decide_mask(m, o, t, p) : decide_row(m, o, t, p);
}

/* The next step from what is seen (m), what was answered (o, once asked), what is wanted and what was done so far. Every
 * chain of steps ends in DONE or REFUSE. A step with a why is on the way back. */
static struct step decide(const struct modem *m, const struct offer *o, const struct target *t, const struct past *p)
{
	static const struct { enum doing doing; enum why why; } absent[] = {
		[GONE] = { WAITING, MISSING }, [FOREIGN] = { WAITING, NOT_OURS }, [BOOT] = { WAITING, IN_BOOT },
	};
	struct step s;

	if (p->losses >= LOSSES)
		return refuse(REFUSE, CRASHES);
	if (p->stop && !is_dirty(o, p))
		return refuse(REFUSE, p->why ? p->why : STOPPED);
	if (m->kind == STORAGE && m->barred)
		return refuse(REFUSE, BARRED);
	if (m->kind == STORAGE)
		return leave_storage(m, t, p);
	if (m->kind != MODEM)
		return refuse(absent[m->kind].doing, absent[m->kind].why);
	if (!m->active)
		return m->barred ? refuse(REFUSE, BARRED) : refuse(WAITING, UNCONFIGURED);
	s = decide_mode(m, o, t, p);
	if ((s.doing == WRITE_PID || s.doing == WRITE_COMP) && !s.why && p->late)
		return back_out(m, o, p, LATE);
	return s;
}

/* ---- act: the only room that touches a modem ---- */

struct work {
	const struct target *target;
	struct modem modem;
	struct offer offer;
	struct past past;
	struct link link;
	int64_t since;	/* ms: when this start of the modem, or this configuration of it, was first seen */
	uint32_t awake; /* devnum of the modem whose autosuspend was turned off */
	bool leaving;	 /* it was told to leave the bus */
	bool known;	 /* past.running is of this start */
	uint8_t assumed; /* dry run: the configuration that would be active */
};

/* Has the modem left its port, or started again, before until? */
static bool has_left(const struct work *w, int64_t until)
{
	struct modem m;

	do {
		look(&m, w->modem.port);
		if (!same(&m, &w->modem))
			return true;
	} while (watch(until) > 0);
	look(&m, w->modem.port);
	return !same(&m, &w->modem);
}

/* The kernel's sierra_ms asks in usb-storage's probe, unless it was told not to, or has decided to keep the storage. */
static bool kernel_flips(const struct modem *m)
{
	char text[16], driver[64];

	return first(driver, "", SYS "/bus/usb/drivers/usb-storage") &&
	       !(slurp(text, sizeof text, SYS "/module/usb_storage/parameters/swi_tru_install") > 0 && text[0] == '2') &&
	       slurp(text, sizeof text, USB "%s:%u.9/truinst", m->port, m->active) < 0;
}

/* GetSwocInfo is for the log alone: a Linux package on the stick is no reason to leave it there. */
static void report_swoc(int fd)
{
	uint8_t info[60];
	int n = control(fd, 0xc0, 0x0a, 0, 0, info, sizeof info);

	if (n >= 13)
		say(INFO, "TRU-Install storage, SWoC revision %u, SKU %04X, version %04X", info[0], le16(info + 9), le16(info + 11));
	else
		say(INFO, "TRU-Install storage, no SWoC info: %s", n < 0 ? strerror(errno) : "too short");
}

/* SetSwocMode, three times at most, a port reset before the last. Whether it stalls or times out, only leaving counts. */
static void flip(struct work *w)
{
	w->past.flips++;
	doing("waiting for the stick to leave storage mode");
	if (kernel_flips(&w->modem) && has_left(w, sooner(patience(), w->since + KERNEL_FLIP_MS))) {
		say(INFO, "left storage mode, asked by the kernel's usb-storage");
		return;
	}
	for (unsigned try = 0; try < 3 && !stopped(); try++) {
		int fd = open_usbfs(&w->modem), r = -1;

		if (fd >= 0) {
			if (try == 0)
				report_swoc(fd);
			if (try == 2 && usbfs(fd, USBDEVFS_RESET, NULL) < 0)
				say(INFO, "port reset: %s", strerror(errno));
			doing("waiting for the stick to leave storage mode");
			r = control(fd, 0x40, 0x0b, 1, 0, NULL, 0);
			if (r >= 0 || errno == EPIPE)
				heard();
			say(INFO, "SetSwocMode 1: %s", r < 0 ? strerror(errno) : "accepted");
			close(fd);
		}
		if (has_left(w, sooner(patience(), now() + FLIP_MS)))
			return;
	}
	w->past.stuck = true;
}

/* Autosuspend off while the modem is talked to; the policy goes back to what it was. */
static void keep_awake(struct work *w, bool on)
{
	char text[16];

	if (on && slurp(text, sizeof text, USB "%s/power/control", w->modem.port) > 0 && !strncmp(text, "auto", 4)) {
		if (spit("on", USB "%s/power/control", w->modem.port))
			w->awake = w->modem.devnum;
	} else if (!on && w->awake) {
		if (w->awake == sysfs_number(w->modem.port, "devnum"))
			spit("auto", USB "%s/power/control", w->modem.port);
		w->awake = 0;
	}
}

static void hang_up(struct work *w)
{
	if (w->link.client || w->link.mbim)
		close_qmi(&w->link);
	close_link(&w->link);
	keep_awake(w, false);
}

/* Opens the way to an interface: the device file that a driver makes, waited for where there is such a driver; or usbfs. */
static enum why dial(struct work *w, const struct interface *i, bool encapsulated)
{
	static const char *const drivers[] = { "qmi_wwan", "cdc_mbim", "cdc_wdm" };
	struct link *l = &w->link;
	bool expected = !encapsulated && has_serial_driver();
	char driver[64];
	enum why why;

	*l = (struct link){ .number = i->number, .message = i->message, .fd = -1 };
	l->mbim = encapsulated && i->class != VENDOR;
	keep_awake(w, true);
	for (unsigned d = 0; encapsulated && d < LEN(drivers); d++)
		expected = expected || first(driver, "", SYS "/bus/usb/drivers/%s", drivers[d]);
	do
		why = open_file(l, &w->modem, encapsulated);
	while (why != FINE && why != HELD && expected && watch(within(w->since + TTY_MS - now())) > 0);
	if (why != FINE && why != HELD)
		why = open_urbs(l, &w->modem, i, encapsulated);
	say(DEBUG, "interface %u by %s: %s", i->number, l->carrier == URBS ? "usbfs" : "its driver", why ? "not opened" : "open");
	return why;
}

/* Asks an AT port: is there life, does it unlock, does it answer. The code is sent once. */
static enum why talk_at(struct work *w, const struct interface *i, int64_t until)
{
	struct link *l = &w->link;
	char text[TEXT], command[40] = "";
	enum result r = SILENT;
	enum why why = dial(w, i, false);

	if (why)
		return why;
	while (r != GONE_OFF && now() < until && !stopped()) {
		doing("waiting for an answer on interface %u", i->number);
		r = at_within(l, "ATI", text, RETRY_MS);
		if (r == OK || r == FAILED || text[0])
			break;
	}
	if (r == GONE_OFF || (r == SILENT && !text[0]))
		return MUTE;
	append(command, sizeof command, "AT!ENTERCND=\"%s\"", g.code);
	r = at(l, command, text);
	if (r == FAILED)
		return LOCKED;
	return r != GONE_OFF && ask_at(l, &w->offer) ? FINE : STRANGE;
}

static enum why talk_qmi(struct work *w, const struct interface *i)
{
	enum why why = dial(w, i, true);

	if (why)
		return why;
	return open_qmi(&w->link) && ask_qmi(&w->link, &w->offer) ? FINE : MUTE;
}

/* Opens a link to the first interface that answers, AT before the rest, and asks. Where AT answers, it alone decides. */
static enum why ask(struct work *w)
{
	static const enum kind_of_function ports[] = { AT, SPARE, MBIM, QMI };
	const struct config *c = config_of(&w->modem, w->modem.active);
	bool others = functions_of(&w->modem, c) & (BIT(MBIM) | BIT(QMI)) || find_function(&w->modem, c, SPARE);
	enum why why = NO_PORT;

	for (unsigned p = 0; p < LEN(ports); p++) {
		const struct interface *i = find_function(&w->modem, c, ports[p]);
		enum why now_why;

		if (!i || stopped() || (ports[p] == SPARE && i->protocol == 0x30)) /* 0x30: DIAG of the EM91 */
			continue;
		hang_up(w);
		if (ports[p] == AT || ports[p] == SPARE)
			now_why = talk_at(w, i, others ? sooner(patience(), now() + DEAF_MS) : patience());
		else
			now_why = talk_qmi(w, i);
		if (now_why == FINE || now_why == HELD || now_why == LOCKED)
			return now_why;
		if (why == NO_PORT || why == MUTE)
			why = now_why;
		if (ports[p] == SPARE && why == STRANGE)
			break;
	}
	return why;
}

/* Asks for the first time since the modem started, or after the link was lost. */
static void inquire(struct work *w)
{
	struct past *p = &w->past;
	enum why why = ask(w);

	if (why) {
		hang_up(w);
		if (!has_left(w, 0) && !stopped())
			p->mute = why;
		return;
	}
	if (!w->known)
		p->running = w->offer;
	w->known = true;
	if (!p->written)
		p->found = w->offer;
	p->asked = true;
	say(INFO, w->offer.dialect == MASK ? "has PID %04X, bitmask %X" : "has PID %04X, composition %u",
	    w->offer.pid == UNKNOWN ? w->modem.pid : (unsigned)w->offer.pid, w->offer.now);
}

/* One setting: written once, read back at once. What the read-back says is decide()'s to judge. */
static void write_setting(struct work *w, const struct step *s)
{
	struct past *p = &w->past;
	struct link *l = &w->link;
	uint8_t frame[FRAME], number = (uint8_t)s->value;
	const uint8_t *tlvs;
	char text[TEXT], command[40] = "";
	uint32_t old = w->offer.now;
	size_t n;
	int refused = 1;
	bool pid = s->doing == WRITE_PID, again;

	if (l->carrier == CLOSED && (p->mute = ask(w)))
		return;
	g.hold = g.me->written = g.me->dirty = true;
	if (s->why)
		p->restored = (uint8_t)(p->restored | (pid ? PID : COMP));
	else
		p->written = (uint8_t)(p->written | (pid ? PID : COMP));
	if (!s->why && pid)
		p->pid = (int)s->value;
	else if (!s->why)
		p->comp = s->value;
	say(INFO, w->offer.dialect == MASK ? "%s bitmask %X" : pid ? "%s PID %04X" : "%s composition %u",
	    s->why ? "putting back" : "writing", s->value);
	if (w->offer.dialect == WIRE) {
		refused = qmi(l, DMS, SET_COMP, &number, 1, frame, &tlvs, &n);
		again = ask_qmi(l, &w->offer);
		if (!refused && again && w->offer.now == old) /* it may tell what runs until the reset */
			w->offer.now = s->value;
	} else {
		append(command, sizeof command, w->offer.dialect == MASK ? "AT!USBCOMP=1,%u,%X" : pid ? "AT!UDPID=%04X"
								: "AT!UDUSBCOMP=%u", w->offer.dialect == MASK ? w->offer.type : s->value, s->value);
		if (at(l, command, text) == FAILED)
			say(INFO, "the modem answers ERROR");
		again = ask_at(l, &w->offer);
	}
	if (!again) {
		w->offer = p->running; /* nothing known of it but what runs */
		hang_up(w);
		p->asked = false;
	}
	g.hold = g.me->dirty = is_dirty(&w->offer, p);
}

/* A reset is done when the modem has left the bus. */
static void reset(struct work *w, bool last)
{
	static const uint8_t modes[] = { 3, 4 }; /* offline, reset: 4 is refused before 3 */
	struct past *p = &w->past;
	char text[TEXT];
	uint8_t frame[FRAME];
	const uint8_t *tlvs;
	size_t n;

	if (w->link.carrier == CLOSED && (p->mute = ask(w)))
		return;
	say(INFO, "resetting the modem");
	if (w->offer.dialect == WIRE) {
		for (unsigned i = 0; i < LEN(modes); i++)
			qmi(&w->link, DMS, SET_MODE, modes + i, 1, frame, &tlvs, &n);
	} else {
		at(&w->link, "AT!RESET", text);
	}
	hang_up(w);
	doing("waiting for the modem to leave the bus");
	p->resets++;
	g.hold = false;
	if (!has_left(w, within(LEAVE_MS)) && !stopped()) {
		p->ignored = true;
		return;
	}
	g.me->dirty = false;
	w->leaving = true;
	p->committed = p->committed || last;
}

/* Through sysfs, which unbinds the drivers itself, and blocks while others are probed. */
static void select_config(struct work *w, uint8_t value)
{
	char text[4] = "";

	hang_up(w);
	doing("waiting for the kernel to select configuration %u", value);
	say(INFO, "selecting configuration %u", value);
	w->past.selections++;
	if (!w->past.config)
		w->past.config = w->modem.active;
	append(text, sizeof text, "%u", value);
	if (!spit(text, USB "%s/bConfigurationValue", w->modem.port) && !has_left(w, 0)) {
		say(INFO, "configuration %u: %s", value, strerror(errno));
		w->past.unset = true;
	}
	w->since = now();
}

/* Dry run: says the step instead of doing it. True when nothing more can be known. */
static bool pretend(struct work *w, const struct step *s)
{
	struct past *p = &w->past;

	switch (s->doing) {
	case FLIP:
		say(VERDICT, "would leave storage mode; what lies beneath is not known");
		return true;
	case SELECT:
		say(VERDICT, "would select configuration %u", s->value);
		w->assumed = (uint8_t)s->value;
		return p->selections++ > 3;
	case ASK:
		if (!w->assumed)
			return false;
		say(VERDICT, "would ask there; the answer is not known");
		return true;
	case WRITE_PID:
		say(VERDICT, "would write PID %04X and read the list of compositions again; it is not known yet", s->value);
		return true;
	case WRITE_COMP:
		say(VERDICT, w->offer.dialect == MASK ? "would write bitmask %X" : "would write composition %u", s->value);
		w->offer.now = p->comp = s->value;
		p->written |= COMP;
		return false;
	case RESET:
		say(VERDICT, "would reset the modem");
		return true;
	default:
		return s->doing == WATCH;
	}
}

/* ---- work: one modem, until decide() says that it is over ---- */

/* Why a modem is not in its target mode, and the next thing to do. */
static const struct { const char *text, *next; } whys[] = {
	[NO_LEAVE] = { "it stays in TRU-Install storage mode", "replug it, or try another USB port" },
	[NO_CONFIG] = { "the kernel does not set the configuration", "see dmesg" },
	[NO_SUCH_CONFIG] = { "there is no such configuration", "choose one of those" },
	[BARRED] = { "the device is not authorized", "write 1 to its authorized file in sysfs" },
	[IN_BOOT] = { "it stays in its boot loader", "power it off and on; else it needs the maker's firmware tool" },
	[NOT_OURS] = { "what came back is no Sierra modem", "see lsusb" },
	[MISSING] = { "it left and did not come back", "power it off and on" },
	[UNCONFIGURED] = { "it got no configuration", "see dmesg" },
	[NO_PORT] = { "nothing on it can be asked: no AT port, no MBIM, no QMI", "select another configuration, or see -l" },
	[MUTE] = { "it does not answer", "power it off and on" },
	[HELD] = { "another process holds its port", "stop ModemManager or whoever uses it" },
	[LOCKED] = { "it refuses the unlock code", "give its own with -c" },
	[STRANGE] = { "its AT port answers neither !UDUSBCOMP nor !USBCOMP", "see -v -l" },
	[NO_LIST] = { "it has no list of compositions that could be read", "update its firmware" },
	[NO_TYPE] = { "its configuration type is not in its own list", "set the type by hand" },
	[NO_BIT] = { "a bitmask has no bit for that", "name another function" },
	[NO_BITS] = { "this modem takes a composition, not a bitmask", "give names or a number" },
	[NO_INDEX] = { "this modem takes a bitmask, not this number", "give names or 0xHEX" },
	[NO_AT] = { "only a composition without an AT port would do", "end the target with ! if that is wanted" },
	[NOT_LISTED] = { "the modem does not offer it", "choose what it offers, or update its firmware" },
	[PID_NOT_LISTED] = { "the modem does not list that PID", "choose one of its own" },
	[PID_DIFFERS] = { "it has another PID, which cannot be written this way", "leave the PID out of the target" },
	[DIFFERS] = { "what it reads back is not what was written", "see -v" },
	[NO_RESET] = { "it does not reset", "power it off and on" },
	[NOT_SHOWN] = { "it says that it has it, but does not show it", "see -v -l" },
	[CRASHES] = { "it leaves the bus again and again", "choose another composition quickly after it comes back" },
	[STOPPED] = { "stopped by a signal", "run swflip again" },
	[LATE] = { "there was no time left", "give it more with -w" },
	[LOST] = { "the work on it ended too early", "see -v" },
};

/* What the modem offers, numbers of rows that follow each other as a range. */
static void name_offer(char *buf, size_t size, const struct offer *o)
{
	for (unsigned i = 0; i < o->npids; i++)
		append(buf, size, "%s%04X", i ? "," : " PIDs ", o->pids[i]);
	for (unsigned i = 0, any = 0; i < o->rows; i++)
		if (o->row[i].supported)
			append(buf, size, "%s%u", any++ ? "," : " compositions ", o->row[i].number);
	if (o->dialect == MASK)
		append(buf, size, " type %u bits %X", o->type, o->bits);
}

/* The state in which a modem is left, kept where the parent can read it should the child hang. */
static void note_state(const struct work *w)
{
	const struct past *p = &w->past;
	const struct offer *o = &w->offer;
	char *buf = g.me->left;
	size_t size = sizeof g.me->left;
	bool mask = p->found.dialect == MASK;

	buf[0] = '\0';
	if (!p->written)
		append(buf, size, "%s", p->flips ? "nothing was written but SetSwocMode" : "nothing was written");
	else if (p->asked && o->pid == p->found.pid && o->now == p->found.now)
		append(buf, size, "what was found is stored%s", is_dirty(o, p) ? ", but not reset into" : " again");
	else if (p->found.pid == UNKNOWN || mask)
		append(buf, size, mask ? "bitmask %X is stored (was %X)" : "composition %u is stored (was %u)",
		       p->asked ? o->now : p->comp, p->found.now);
	else
		append(buf, size, "PID %04X, composition %u are stored (were %04X, %u)%s",
		       (unsigned)(p->asked ? o->pid : p->written & PID ? p->pid : p->found.pid),
		       p->asked ? o->now : p->written & COMP ? p->comp : p->found.now, (unsigned)p->found.pid, p->found.now,
		       is_dirty(o, p) ? ", not reset" : "");
}

/* The verdict on a modem that is not in its target mode. */
static int fail(struct slot *s, const struct modem *m, enum why why, const char *more)
{
	append(s->verdict, sizeof s->verdict, "%04x:%04x not in mode %s: %s%s; %s; next: %s", m->vid, m->pid, s->target->text,
	       whys[why].text, more, s->left[0] ? s->left : "nothing was written", whys[why].next);
	return 1;
}

/* The verdict on one that is. */
static int succeed(struct slot *s, const struct modem *m)
{
	const struct config *c = config_of(m, m->active);
	unsigned all = functions_of(m, c), wanted = s->target->mode == NAMES ? s->target->value : all;
	unsigned f = 0, key = wanted & NETS ? wanted & NETS : wanted ? wanted : all;
	const struct interface *i;
	char driver[64];

	append(s->verdict, sizeof s->verdict, "%04x:%04x in mode %s:", m->vid, m->pid, s->target->text);
	name_functions(s->verdict, sizeof s->verdict, all);
	while (f < FUNCTIONS && !(key & BIT(f)))
		f++;
	if ((i = find_function(m, c, f))) {
		target_of(driver, USB "%s:%u.%u/driver", m->port, m->active, i->number);
		append(s->verdict, sizeof s->verdict, driver[0] ? "; %s driven by %s" : "; %s has no driver, %s would be its",
		       functions[f].name, driver[0] ? driver : functions[f].module);
	}
	if (!(all & BIT(AT)) && s->target->mode != LEAVE && !s->target->bare)
		append(s->verdict, sizeof s->verdict, "; warning: no AT port");
	return 0;
}

/* Looks at the port, or its companion if the modem went over there, and keeps account of its comings and goings. */
static void meet(struct work *w)
{
	struct modem m;
	struct past *p = &w->past;

	look(&m, w->modem.port);
	if (m.kind == GONE && g.me->peer[0]) {
		look(&m, strcmp(w->modem.port, g.me->port) ? g.me->port : g.me->peer);
		if (m.kind == GONE)
			append(m.port, sizeof m.port, "%s", w->modem.port);
	}
	if (m.kind == GONE ? w->modem.kind != GONE : !same(&m, &w->modem)) {
		if (w->modem.kind == MODEM && !w->leaving)
			p->losses++;
		w->leaving = w->known = false;
		hang_up(w);
		p->asked = p->ignored = p->stayed = p->unset = p->stuck = false;
		p->mute = FINE;
		p->config = p->selections = 0;
		w->since = now();
		heard();
	}
	w->modem = m;
}

/* Waits for the port to change. False when the wait is over and nothing came. */
static bool wait_for(const struct work *w, const struct step *s)
{
	bool bounded = w->modem.kind == BOOT || w->modem.kind == FOREIGN;

	doing(s->why == MISSING ? "waiting for the modem to come back" : "waiting for the modem to become ready");
	return watch(bounded ? sooner(w->since + BOOT_MS, patience()) : patience()) != 0;
}

/* Does one step. Returns the child's exit status, or UNKNOWN to go on. */
static int act(struct work *w, const struct step *s)
{
	struct past *p = &w->past;
	char more[200] = "";

	if (s->why && s->doing != WAITING)
		p->why = s->why;
	if (s->expect[0] || s->expect[1])
		memcpy(p->expect, s->expect, sizeof p->expect);
	if (g.dry && s->doing < DONE && s->doing != WAITING && pretend(w, s))
		return append(g.me->verdict, sizeof g.me->verdict, "dry run: nothing stands against it"), 0;
	switch (s->doing) {
	case WAITING:
		if (wait_for(w, s))
			break;
		return fail(g.me, &w->modem, s->why, "");
	case FLIP:
		flip(w);
		break;
	case SELECT:
		if (!g.dry)
			select_config(w, (uint8_t)s->value);
		break;
	case ASK:
		inquire(w);
		break;
	case WRITE_PID:
	case WRITE_COMP:
		if (!g.dry)
			write_setting(w, s);
		break;
	case RESET:
		reset(w, s->last);
		break;
	case WATCH:
		doing("watching whether the modem stays");
		if (watch(sooner(w->since + STAY_MS, g.deadline)) == 0) {
			p->stayed = now() >= w->since + STAY_MS;
			if (!p->stayed)
				return fail(g.me, &w->modem, LATE, " to see whether it stays");
		}
		break;
	case DONE:
		return succeed(g.me, &w->modem);
	case REFUSE:
		if (s->why == NOT_LISTED || s->why == NO_AT || s->why == PID_NOT_LISTED || s->why == NO_SUCH_CONFIG) {
			append(more, sizeof more, "; on offer:");
			name_offer(more, sizeof more, &w->offer);
			for (unsigned i = 0; i < w->modem.configs; i++)
				append(more, sizeof more, "%s%u", i ? "," : " configurations ", w->modem.config[i].value);
		}
		return fail(g.me, &w->modem, s->why, more);
	}
	return UNKNOWN;
}

static int work(struct work *w)
{
	int status;

	do {
		struct step s;

		meet(w);
		if (w->assumed)
			w->modem.active = w->assumed;
		w->past.stop = stopped() || g.stop;
		w->past.late = g.deadline - now() < MARGIN_MS;
		s = decide(&w->modem, &w->offer, w->target, &w->past);
		status = act(w, &s);
		note_state(w);
	} while (status == UNKNOWN);
	hang_up(w);
	return status;
}

/* ---- list: one modem, one line ---- */

static int list(struct work *w)
{
	static const char *const kinds[] = { "gone", "foreign", "storage", "modem", "boot" };
	const struct modem *m = &w->modem;
	char *line = g.me->verdict, driver[64], name[64], dir[160];
	size_t size = sizeof g.me->verdict;
	const struct config *c;
	const struct interface *at_port;
	bool any = false;

	meet(w);
	while (m->kind == MODEM && !m->active && !m->barred && watch(patience()) > 0)
		meet(w);
	c = config_of(m, m->active);
	at_port = find_function(m, c, AT);
	append(line, size, "%s\t%04x:%04x\t%s\t", m->port, m->vid, m->pid, m->barred ? "unauthorized" : kinds[m->kind]);
	for (unsigned i = 0; c && i < c->interfaces; i++) {
		enum kind_of_function f = function_of(m, &c->interface[i]);

		if (f >= FUNCTIONS)
			continue;
		target_of(driver, USB "%s:%u.%u/driver", m->port, m->active, c->interface[i].number);
		append(line, size, "%s%s(%s)", any ? " " : "", functions[f].name, driver[0] ? driver : "-");
		any = true;
	}
	append(line, size, "%s\t", any ? "" : "-");
	if (m->kind == MODEM && m->active)
		inquire(w);
	if (at_port && find_tty(m, at_port->number, name, dir))
		append(line, size, "%s\t", name);
	else
		append(line, size, "%s\t", at_port ? "usbfs" : "-");
	if (!w->past.asked)
		append(line, size, "%s\t-", w->past.mute ? whys[w->past.mute].text : "-");
	else if (w->offer.dialect == MASK)
		append(line, size, "PID %04X type %u bits %X\t", (unsigned)w->offer.pid & 0xffff, w->offer.type, w->offer.now);
	else
		append(line, size, "PID %04X composition %u\t", w->offer.pid == UNKNOWN ? m->pid : (unsigned)w->offer.pid,
		       w->offer.now);
	if (w->past.asked)
		name_offer(line, size, &w->offer);
	hang_up(w);
	return 0;
}

/* ---- supervise: a child for every modem that is not right at first sight, and a verdict from each ---- */

static const struct target *target_for(const char *port, const char *peer)
{
	static const struct target any = { .text = "-", .mode = OFF };
	const struct target *found = NULL;

	if (g.list)
		return &any;
	for (unsigned i = 0; i < g.targets; i++) {
		const struct target *t = &g.target[i];

		if (t->port[0] && (!strcmp(t->port, port) || !strcmp(t->port, peer)))
			return t;
		if (!t->port[0])
			found = t;
	}
	return found;
}

static void pronounce(struct slot *s, int status)
{
	s->state = SETTLED;
	s->status = status;
	if (g.list)
		return;
	g.me = s;
	say(status ? ERROR : VERDICT, "%s", s->verdict);
	g.me = NULL;
}

static void start(struct slot *s, const struct modem *m)
{
	struct work w = { .target = s->target, .modem = { .kind = GONE }, .link = { .fd = -1 } };
	struct step first_step;
	pid_t pid;

	append(w.modem.port, sizeof w.modem.port, "%s", m->port);
	s->heard = now();
	first_step = decide(m, &w.offer, w.target, &w.past);
	if (!g.list && first_step.doing == DONE) {
		pronounce(s, succeed(s, m));
		return;
	}
	if ((pid = fork()) < 0) {
		append(s->verdict, sizeof s->verdict, "no child for it: %s", strerror(errno));
		pronounce(s, 1);
	} else if (pid) {
		s->pid = pid; /* not in the child: the slot is shared */
	} else {
		g.me = s;
		open_uevents();
		_exit(g.list ? list(&w) : work(&w));
	}
}

/* Finds modems on ports that have no slot yet. */
static void scan(void)
{
	struct modem m;
	const char *name;
	struct dir d;

	if (!open_dir(&d, USB))
		return;
	while ((name = next(&d))) {
		struct slot *s = g.slots;
		const struct target *t;
		char peer[PORT];

		if (portlen(name) != strlen(name))
			continue;
		look(&m, name);
		if (m.kind == GONE || m.kind == FOREIGN)
			continue;
		find_peer(peer, name);
		t = target_for(name, peer);
		while (s < g.slots + SLOTS && s->port[0] && strcmp(s->port, name) && strcmp(s->peer, name))
			s++;
		if (s == g.slots + SLOTS || s->port[0] || !t || (t->mode == OFF && !g.list))
			continue;
		append(s->port, sizeof s->port, "%s", name);
		append(s->peer, sizeof s->peer, "%s", peer);
		s->target = t;
		start(s, &m);
	}
}

/* A child that ended tells its own verdict; one that was killed or crashed has its last words read. */
static void collect(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct slot *s = g.slots; s < g.slots + SLOTS; s++) {
			struct modem m;

			if (s->pid != pid || s->state == SETTLED)
				continue;
			if (!WIFEXITED(status)) {
				s->verdict[0] = '\0';
				look(&m, s->port);
				fail(s, &m, now() >= g.deadline ? LATE : s->written ? LOST : MUTE, "");
				append(s->verdict, sizeof s->verdict, " (it was %s)", s->doing);
			}
			pronounce(s, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
		}
}

/* Who is still at work. Kills those who should have ended: the time is up, or their modem was silent for too long. */
static unsigned busy(void)
{
	enum { GRACE_MS = 400 };
	unsigned n = 0;

	for (struct slot *s = g.slots; s < g.slots + SLOTS; s++) {
		if (!s->pid || s->state == SETTLED)
			continue;
		n++;
		if (now() > g.deadline + GRACE_MS || (!s->written && now() > s->heard + SILENCE_MS + GRACE_MS))
			kill(s->pid, SIGKILL);
		else if (g.stop && !s->dirty)
			kill(s->pid, SIGTERM);
	}
	return n;
}

static bool has_slot(const struct target *t)
{
	for (const struct slot *s = g.slots; s < g.slots + SLOTS && s->port[0]; s++)
		if (s->target == t || g.list)
			return true;
	return false;
}

/* Is a modem still to come that somebody waits for? */
static bool awaits(void)
{
	for (unsigned i = 0; i < g.targets; i++)
		if (g.target[i].mode != OFF && !has_slot(&g.target[i]))
			return true;
	return g.list && !has_slot(NULL);
}

/* One line, rewritten, for a person at a terminal. */
static void show_life(unsigned working)
{
	char line[120] = "";
	const struct slot *s = g.slots;

	while (s->state == SETTLED && s->port[0])
		s++;
	append(line, sizeof line, "\rswflip: %s%s%s, %u s left\033[K", working ? s->port : "", working ? ": " : "",
	       working && s->doing[0] ? s->doing : working ? "at work" : "waiting for a modem",
	       (unsigned)((sooner(working ? g.deadline : g.appear, g.deadline) - now()) / 1000));
	(void)!write(2, line, strlen(line));
}

static int worse(int a, int b)
{
	static const int order[] = { [0] = 0, [3] = 1, [1] = 2, [2] = 3 };

	return order[a & 3] > order[b & 3] ? a : b;
}

/* What is left to say when all is over, and the exit status. */
static int conclude(void)
{
	int status = 0;

	for (struct slot *s = g.slots; s < g.slots + SLOTS && s->port[0]; s++) {
		if (s->state != SETTLED) {
			append(s->verdict, sizeof s->verdict, "hangs in the kernel, %s; left behind; %s; next: see dmesg", s->doing,
			       s->left);
			pronounce(s, 1);
		}
		status = worse(status, s->status);
		if (g.list) {
			append(s->verdict, sizeof s->verdict, "\n");
			(void)!write(1, s->verdict, strlen(s->verdict));
		}
	}
	if (g.list && !g.slots->port[0])
		return 3;
	for (unsigned i = 0; !g.list && i < g.targets; i++)
		if (g.target[i].mode != OFF && !has_slot(&g.target[i])) {
			say(ERROR, "%s%sno modem%s", g.target[i].port, g.target[i].port[0] ? ": " : "",
			    access(USB, F_OK) ? ": there is no USB (" SYS "/bus/usb); load the host controller's driver" : "");
			status = worse(status, 3);
		}
	return status;
}

/* One run at a time: a lock on a directory of sysfs. False at the deadline. */
static bool lock_bus(void)
{
	while (g.lock < 0 || flock(g.lock, LOCK_EX | LOCK_NB) < 0) {
		if (g.lock < 0 && (g.lock = open(SYS "/bus/usb", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
			return true; /* no USB yet: tried again when there is */
		if (errno != EWOULDBLOCK && errno != EINTR)
			continue;
		if (await(-1, 0, sooner(g.deadline, now() + 50)) < 0 || now() >= g.deadline)
			return false;
	}
	return true;
}

static int supervise(void)
{
	enum { LIFE_MS = 2000, TAIL_MS = 900 };
	int64_t begin = now();
	unsigned working;

	if (!lock_bus()) {
		say(ERROR, "another swflip is at work; next: wait for it to end");
		return 1;
	}
	open_uevents();
	for (;;) {
		int64_t until;

		if (g.lock < 0 && !lock_bus())
			return 1;
		scan();
		collect();
		working = busy();
		if (now() >= g.deadline + TAIL_MS || (!working && (g.stop || !awaits() || now() >= g.appear)))
			break;
		until = working ? g.deadline + TAIL_MS : g.appear;
		if (g.tty && g.level >= INFO && now() > begin + LIFE_MS)
			show_life(working);
		until = sooner(until, now() + (working || g.tty || g.stop ? 500 : 5000));
		if (g.stop && await(-1, 0, 0) < 0)
			g.hold = true; /* from now on only the children are waited for */
		watch(now() > g.deadline ? now() + 50 : until);
	}
	if (g.tty)
		(void)!write(2, "\r\033[K", 4);
	flock(g.lock, LOCK_UN); /* a child left behind has it too */
	return g.stop && !g.slots->port[0] ? 1 : conclude();
}

/* ---- the command line: the kernel's words, then the options over them ---- */

static const char HELP[] = "usage: swflip [-hklnqvV] [-a seconds] [-c code] [-w seconds] [-t target]...\n"
			   "  -t  wanted mode: off, modem, mbim, qmi, at+qmi, 8, 0x100D; [PORT:][PID/]MODE[@CONFIG][!]\n"
			   "  -a  seconds to wait for a modem, 0 looks once; -w  seconds for everything\n"
			   "  -c  unlock code; -n  only say what would be done; -l  list modems\n"
			   "  -k  messages to the kernel's log; -q, -v  fewer, more of them; -V  version\n";

enum { A_TARGET, A_APPEAR, A_WAIT, A_CODE, A_LOG, A_INIT, WORDS };

static int usage(const char *where, const char *what, const char *expected)
{
	say(ERROR, "%s%s: %s", where, what, expected);
	return 2;
}

static bool add_target(const char *text)
{
	struct target t;
	unsigned i = 0;

	if (!parse_target(&t, text))
		return false;
	while (i < g.targets && strcmp(g.target[i].port, t.port))
		i++;
	if (i == LEN(g.target))
		return false;
	g.target[i] = t;
	g.targets += i == g.targets;
	return true;
}

/* Targets divided by blanks, as config.h has them. */
static bool add_targets(const char *text)
{
	char one[64];

	for (size_t n; *(text += strspn(text, " \t")); text += n) {
		if ((n = strcspn(text, " \t")) >= sizeof one)
			return false;
		one[0] = '\0';
		append(one, n + 1, "%s", text);
		if (!add_target(one))
			return false;
	}
	return true;
}

static bool read_seconds(const char *text, uint32_t least, uint32_t *value)
{
	return digits(&text, 10, 86400, value) && !*text && *value >= least;
}

static bool read_code(const char *text)
{
	size_t n = strlen(text);

	if (n < 4 || n > 15 ||
	    strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != n)
		return false;
	g.code[0] = '\0';
	append(g.code, sizeof g.code, "%s", text);
	return true;
}

/* Takes the next of the kernel's words from *s, quotes protecting blanks and gone in the result; NULL at the end. */
static char *next_word(char **s)
{
	char *word, *out;
	bool quoted = false;

	*s += strspn(*s, " \t\n");
	if (!**s)
		return NULL;
	for (word = out = *s; **s && (quoted || !strchr(" \t\n", **s)); ++*s) {
		if (**s == '"')
			quoted = !quoted;
		else
			*out++ = **s;
	}
	if (**s)
		++*s;
	*out = '\0';
	return word;
}

/* The swflip. words of the kernel's command line: the last value of each into word[], targets as they come unless
 * word[A_TARGET] is set already. Returns 0 or 2. */
static int read_kernel(char *line, const char *word[WORDS])
{
	static const char *const names[] = { "target=", "appear=", "wait=", "code=", "log=", "init=" };
	bool given[WORDS], targets = !word[A_TARGET];
	char *one;

	for (unsigned i = 0; i < WORDS; i++)
		given[i] = word[i] != NULL;
	while ((one = next_word(&line)) && strcmp(one, "--")) {
		unsigned i = 0;

		if (strncmp(one, "swflip.", 7))
			continue;
		while (i < WORDS && strncmp(one + 7, names[i], strlen(names[i])))
			i++;
		if (i == WORDS)
			say(WARNING, "kernel command line: unknown word %s", one);
		else if (i == A_TARGET && targets && !add_target(one + 14))
			return usage("kernel command line: ", one, "not a target");
		else if (!given[i])
			word[i] = one + 7 + strlen(names[i]);
	}
	return 0;
}

/* Makes settings of the words. from: what to say of where each stands. Returns 0 or 2. */
static int apply(const char *word[WORDS], const bool option[WORDS])
{
	uint32_t appear = APPEAR, wait = WAIT, log = 1;
	int64_t begin = now();

	if (word[A_APPEAR] && !read_seconds(word[A_APPEAR], 0, &appear))
		return usage(option[A_APPEAR] ? "-a " : "swflip.appear=", word[A_APPEAR], "not a number of seconds, 0 to 86400");
	if (word[A_WAIT] && !read_seconds(word[A_WAIT], 1, &wait))
		return usage(option[A_WAIT] ? "-w " : "swflip.wait=", word[A_WAIT], "not a number of seconds, 1 to 86400");
	if (!read_code(word[A_CODE] ? word[A_CODE] : CODE))
		return usage(option[A_CODE] ? "-c" : word[A_CODE] ? "swflip.code=" : "config.h: CODE", "",
			     "not a code, 4 to 15 of 0-9A-Za-z");
	if (word[A_LOG] && (!digits(&word[A_LOG], 10, 2, &log) || *word[A_LOG]))
		return usage("swflip.log=", word[A_LOG], "not 0, 1 or 2");
	if (word[A_LOG])
		g.level = log == 0 ? VERDICT : log == 1 ? INFO : DEBUG;
	if (g.list && !word[A_APPEAR])
		appear = 0;
	g.deadline = begin + (int64_t)wait * 1000;
	g.appear = sooner(g.deadline, begin + (int64_t)appear * 1000);
	*g.limit = g.deadline;
	return 0;
}

/* Reads options and kernel words. Returns 0, or the exit status of a run that is over already: 2, or 0 with *over. */
static int configure(int argc, char **argv, bool *over)
{
	static const char flags[] = "hklnqvV", values[] = "tawc";
	static const unsigned char index_of[] = { A_TARGET, A_APPEAR, A_WAIT, A_CODE };
	const char *word[WORDS] = { NULL }, *targets[LEN(g.target)];
	bool option[WORDS] = { false }, help = false, version = false;
	unsigned n = 0;
	char line[4098];
	int length, status;

	for (int i = 1; i < argc; i++) {
		const char *s = argv[i];

		if (!strcmp(s, "--") && i + 1 == argc)
			break;
		if (*s++ != '-' || !*s)
			return usage("", argv[i], "not an option, see -h");
		for (; *s; s++) {
			const char *value = strchr(values, *s);

			if (!value && !strchr(flags, *s))
				return usage("", argv[i], "no such option, see -h");
			if (!value) {
				g.kmsg |= *s == 'k';
				g.list |= *s == 'l';
				g.dry |= *s == 'n';
				help |= *s == 'h';
				version |= *s == 'V';
				if (*s == 'q' || *s == 'v')
					word[A_LOG] = *s == 'q' ? "0" : "2";
				continue;
			}
			if (!*++s && ++i == argc)
				return usage("-", (const char[2]){ *value, 0 }, "wants a value, see -h");
			s = *s ? s : argv[i];
			word[index_of[value - values]] = s;
			option[index_of[value - values]] = true;
			if (*value == 't' && n == LEN(targets))
				return usage("-t ", s, "one target too many");
			if (*value == 't')
				targets[n++] = s;
			break;
		}
	}
	*over = help || version;
	if (help)
		(void)!write(1, HELP, sizeof HELP - 1);
	else if (version)
		(void)!write(1, "swflip " VERSION "\n", sizeof "swflip " VERSION);
	if (*over)
		return 0;
	for (unsigned i = 0; i < n; i++)
		if (!add_target(targets[i]))
			return usage("-t ", targets[i], "not a target");
	length = slurp(line, sizeof line, PROC "/cmdline");
	if (length < 0 && !n && !g.list)
		return usage(PROC "/cmdline", "", "cannot be read; mount /proc or give -t");
	if (length < 0)
		say(WARNING, "%s cannot be read, its words are not known", PROC "/cmdline");
	else if ((size_t)length == sizeof line - 1)
		return usage(PROC "/cmdline", "", "longer than 4096 bytes");
	else if ((status = read_kernel(line, word)))
		return status;
	if ((status = apply(word, option)))
		return status;
	if (!g.targets && !add_targets(TARGET))
		return usage("config.h: TARGET ", TARGET, "not a target");
	*over = !g.list;
	for (unsigned i = 0; i < g.targets; i++)
		*over = *over && g.target[i].mode == OFF;
	return 0;
}

static int run(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t block;
	bool over = false;
	int status = configure(argc, argv, &over);

	if (status || over)
		return status;
	if (access(SYS "/bus", F_OK))
		return usage(SYS, "", "not mounted; next: mount -t sysfs sysfs /sys");
	sigemptyset(&block);
	for (unsigned i = 0; i < LEN(signals); i++) {
		sigaddset(&block, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, &g.waiting);
	for (unsigned i = 0; i < LEN(signals); i++)
		sigdelset(&g.waiting, signals[i]);
	signal(SIGPIPE, SIG_IGN);
	g.tty = !g.kmsg && isatty(2);
	return supervise();
}

/* ---- process 1: no failure keeps the machine from booting ---- */

/* The init that swflip.init= names, if it does. */
static void read_init(char init[128])
{
	const char *word[WORDS] = { [A_TARGET] = "" };
	char line[4098];

	init[0] = '\0';
	if (slurp(line, sizeof line, PROC "/cmdline") > 0 && !read_kernel(line, word) && word[A_INIT])
		append(init, 128, "%s", word[A_INIT]);
}

/* Mounts what is missing, lets a child do the work, waits for it no longer than its deadline and a second, and becomes
 * the next init, with the arguments that the kernel gave. */
static int first_process(char **argv)
{
	static const struct { const char *type, *where; } mounts[] = { { "proc", PROC }, { "sysfs", SYS }, { "devtmpfs", DEV } };
	char init[128], *next[] = { init, (char[]){ "/init" }, (char[]){ "/sbin/init" }, (char[]){ "/bin/sh" } };
	bool mounted[LEN(mounts)], made[LEN(mounts)];
	struct stat me = { 0 }, st;
	sigset_t none;
	int64_t until;
	pid_t pid;

	for (unsigned i = 0; i < LEN(mounts); i++) {
		made[i] = !mkdir(mounts[i].where, 0755);
		mounted[i] = !mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	stat(PROC "/self/exe", &me);
	sigemptyset(&g.waiting);
	signal(SIGCHLD, on_signal);
	*g.limit = now() + WAIT * 1000;
	if ((pid = fork()) == 0) {
		setpgid(0, 0);
		_exit(run(1, argv));
	}
	do
		until = *g.limit + 1000;
	while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0 && now() < until && await(-1, 0, sooner(until, now() + 200)) == 0);
	if (pid > 0)
		kill(-pid, SIGKILL);
	read_init(init);
	for (unsigned i = LEN(mounts); i-- > 0;) {
		if (mounted[i])
			umount2(mounts[i].where, MNT_DETACH);
		if (made[i])
			rmdir(mounts[i].where);
	}
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (unsigned i = 0; i < LEN(next); i++) {
		if (!next[i][0] || stat(next[i], &st) < 0 || (st.st_dev == me.st_dev && st.st_ino == me.st_ino))
			continue;
		argv[0] = next[i];
		execv(next[i], argv);
	}
	say(ERROR, "no init to become");
	return 1;
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd;

	while ((fd = open(DEV "/null", O_RDWR)) >= 0 && fd <= 2)
		continue;
	if (fd > 2)
		close(fd);
	append(g.code, sizeof g.code, "%s", CODE);
	g.limit = mmap(NULL, sizeof *g.limit + sizeof *g.slots * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g.limit == MAP_FAILED) {
		say(ERROR, "no memory");
		return 1;
	}
	g.slots = (struct slot *)(g.limit + 1);
	if (getpid() == 1 && stat(PROC "/self", &st) < 0)
		return first_process(argv);
	return run(argc, argv);
}

/* swflip - bring a Sierra Wireless USB modem into its target mode, once, at early boot
 * ISC licence, see LICENSE. Manual page: swflip.8. What can be set: config.h.
 *
 * The protocol in ten lines
 *  A TRU-Install stick (1199:0fff, class 08/06/50) becomes a modem by the vendor request SetSwocMode, 40 0b 0001 0000,
 *  no data (linux: drivers/usb/storage/sierra_ms.c). It leaves the bus and comes back on the same port.
 *  A modem's mode is kept in its flash and read at its start: !UDPID (product ID) and !UDUSBCOMP (a numbered
 *  composition) up to the MC73xx, !USBCOMP (a bitmask of interfaces, bit n = bInterfaceNumber n) from the MC74xx on.
 *  All want AT!ENTERCND="code" first, forget that at every reset, and take effect by AT!RESET.
 *  Writing !UDPID moves !UDUSBCOMP, and the list of compositions is often that of the PID: PID first, list again.
 *  A modem without an AT port takes the same numbers by QMI, DMS 0x555B and 0x555C, bare or inside MBIM.
 *  A dual composition has two USB configurations; which one runs is the host's choice (bConfigurationValue).
 *  Firmware takes product IDs and compositions that it does not list, and dies of them. So nothing unlisted is written.
 *
 * Not attempted: firmware, boot loaders, turning TRU-Install off for good (no such command is known), connecting.
 *
 * Data flows one way: look (sysfs) -> decide (pure, all the rules) -> act (the modem) -> wait (uevents), and again.
 */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "1.0"
#endif

/* ---- types: what is known of a modem, what is wanted of it, what was done to it ---- */

#define LEN(a) (sizeof(a) / sizeof *(a))
#define BIT(n) (1u << (n))
#define PRINTF(n) __attribute__((format(printf, (n), (n) + 1)))

enum function_kind { AT, DM, NMEA, QMI, MBIM, NET, ECM, MS, FUNCTIONS, SPARE = FUNCTIONS };
enum layout { SWI = 1, DIRECT = 2, GOBI = 4 };
enum needs { BULK = 1, INTERRUPT = 2 };
enum { ANY = 0x100, VENDOR = 0xff, NETS = BIT(QMI) | BIT(MBIM) | BIT(NET) | BIT(ECM), UNKNOWN = -1 };

struct id { uint16_t vid, pid; };

struct shape { uint16_t number, class, subclass; uint8_t layouts, needs, function; };

struct error { uint8_t number; char name[19]; };

struct function { const char *name, *alias, *module; uint32_t bit; };

enum why {
	FINE, NO_LEAVE, NO_CONFIG, NO_SUCH_CONFIG, BARRED, IN_BOOT, NOT_OURS, MISSING, UNCONFIGURED, NO_PORT, NO_NODE,
	NO_TUNNEL, MUTE, HELD, LOCKED, STRANGE, NO_LIST, NO_TYPE, NO_BIT, NO_BITS, NO_INDEX, NO_AT, NOT_LISTED,
	PID_NOT_LISTED, PID_DIFFERS, DIFFERS, NO_RESET, NOT_SHOWN, CRASHES, STOPPED, LATE, LOST,
};

#include "config.h"

struct interface {
	uint8_t number, alt, class, subclass, protocol;
	uint8_t in, out, interrupt; /* endpoint addresses, 0 = none */
	uint16_t packet, message;   /* wMaxPacketSize of in; wMaxControlMessage of an MBIM interface */
};

struct config {
	uint8_t value, interfaces; /* value: bConfigurationValue */
	struct interface interface[24];
};

enum { PORT = 32, NAME = 64, PATH = 256 }; /* room for a port's path, a name in sysfs, a link's content */

struct modem {
	char port[PORT];
	enum kind { GONE, FOREIGN, STORAGE, MODEM, BOOT } kind;
	uint32_t devnum; /* another one means another start of the modem */
	uint16_t vid, pid, bcdusb;
	uint8_t active, configs; /* active: bConfigurationValue, 0 = none yet */
	bool barred;		 /* not authorized: the kernel gives it no configuration */
	struct config config[4];
};

struct row {
	uint8_t number, configs, comp[2]; /* a dual row names two others */
	uint16_t functions[2];		  /* bits, by configuration */
	uint16_t supported;		  /* 0 or 1; no gap is left, as rows are compared whole */
};

/* What the modem answered: the same from every dialect. */
struct offer {
	enum dialect { NOBODY, INDEX, MASK, WIRE } dialect; /* !UDUSBCOMP, !USBCOMP, QMI */
	int pid;					    /* stored, UNKNOWN if it does not say */
	uint32_t now;					    /* stored composition or bitmask */
	uint32_t types, bits;				    /* of !USBCOMP, on offer */
	uint8_t type, npids, rows;
	uint16_t pids[32];
	struct row row[40];
};

struct target {
	char text[48], port[PORT];
	enum mode { OFF, LEAVE, NAMES, NUMBER, BITS } mode;
	int pid;	/* UNKNOWN: any */
	uint32_t value; /* function bits, composition or bitmask */
	uint8_t config; /* 0: any */
	bool bare;	/* a composition without an AT port will do */
};

enum setting { PID = 1, COMP = 2 };

/* What was done so far: with the modem and its offer all that decide() knows. */
struct past {
	enum why why;		 /* refused, and on the way back; NO_RESET is taken back if it leaves after all */
	enum why mute;		 /* since its last start: does not answer, or leave storage, and why */
	bool asked, stop, late;	 /* late: no time left to begin a write */
	bool committed, stayed;	 /* the target went in with a reset; this start has lasted */
	unsigned flips, resets, losses, selections; /* losses: each time that it left as a modem */
	unsigned written, restored;		    /* bits of enum setting */
	uint8_t config;				    /* found active before another was selected to ask */
	int pid;		   /* PID written */
	uint32_t comp;		   /* composition or mask written */
	struct offer found, running; /* as first answered; as first answered since the last start */
};

struct step {
	enum doing { WAITING, FLIP, SELECT, ASK, WRITE_PID, WRITE_COMP, RESET, WATCH, DONE, REFUSE } doing;
	enum why why;	/* set on the way back, too */
	uint32_t value; /* of RESET: the target goes in with it */
};

struct text { char s[640]; };

/* A port and the child that works on it, in memory that both see: the child may hang in the kernel for good. */
struct slot {
	char port[PORT], peer[PORT];
	const struct target *target;
	pid_t pid;
	int status;
	bool settled;
	bool written;  /* something was written: silence no longer ends it, the deadline does */
	int64_t heard; /* ms: the last sign of life */
	struct text doing, left, verdict;
};

enum level { ERROR, VERDICT, WARNING, INFO, DEBUG };

static struct {
	uint8_t level; /* messages above it are not said */
	bool kmsg, tty, dry, list, hold; /* hold: a change is begun, being stopped must wait */
	char code[16];
	int64_t begin, appear, deadline; /* ms on CLOCK_MONOTONIC */
	unsigned targets;
	struct target target[16];
	int uevents, signals, lock; /* descriptors, 0 = none */
	int64_t *limit;	    /* the deadline, for process 1 to see */
	struct slot *slots; /* shared with the children */
	struct slot *me;    /* a child's own */
	struct text path;
	bool stop; /* TERM, INT or HUP came */
} g;

/* ---- text: digits, words and bytes that nobody vouches for ---- */

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static const char *skip(const char *s) {
	while (blank(*s)) s++;
	return s;
}

/* The length of a word, up to a blank or the end. */
static size_t word_length(const char *s) {
	size_t n = 0;
	while (s[n] && !blank(s[n])) n++;
	return n;
}

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c | 32 : c); }

/* Are n characters the same, in whatever case? */
static bool alike(const char *a, const char *b, size_t n) {
	for (; n && lower(*a) == lower(*b); a++, b++) n--;
	return !n;
}

static bool begins(const char *s, const char *word) { return alike(s, word, strlen(word)); }

/* Is the word of n characters at s this one, in whatever case? */
static bool is_word(const char *s, size_t n, const char *word) { return strlen(word) == n && alike(s, word, n); }

/* Where a word begins in text, in whatever case; NULL = nowhere. */
static const char *find(const char *text, const char *word) {
	while (*text && !begins(text, word)) text++;
	return *text ? text : NULL;
}

/* Reads the digits at *s and moves behind them. False where there is none or the value is above max. */
static bool digits(const char **s, unsigned base, uint32_t max, uint32_t *value) {
	const char *p = *s;
	uint64_t v = 0;
	for (;; p++) {
		unsigned c = (unsigned char)*p, letter = (c | 32) - 'a';
		unsigned d = c - '0' < 10 ? c - '0' : letter < 6 ? letter + 10 : 99;
		if (d >= base) break;
		if ((v = v * base + d) > max) return false;
	}
	if (p == *s) return false;
	*s = p;
	*value = (uint32_t)v;
	return true;
}

/* A USB port path as sysfs spells it, 1-1.2: the length of one at the start of s, or 0. */
static size_t portlen(const char *s) {
	const char *p = s;
	uint32_t n;
	if (!digits(&p, 10, 999, &n) || *p != '-') return 0;
	do {
		p++;
		if (!digits(&p, 10, 255, &n)) return 0;
	} while (*p == '.');
	return p - s < PORT ? (size_t)(p - s) : 0;
}

static uint16_t le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t le32(const uint8_t *p) { return le16(p) | (uint32_t)le16(p + 2) << 16; }

static uint8_t *put16(uint8_t *p, unsigned v) {
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v) { return put16(put16(p, v), v >> 16); }

/* ---- messages: stderr or the kernel's log ---- */

/* Appends, cut to fit: %s %c %u %x %X, zeros up to a width. The C library's own would cost 14 KiB of the 40. */
static void vadd(struct text *t, const char *fmt, va_list ap) {
	char *p = t->s + strlen(t->s), *end = t->s + sizeof t->s - 1;
	for (; *fmt && p < end; fmt++) {
		if (*fmt != '%') {
			*p++ = *fmt;
			continue;
		}
		char digits[12] = "", *last = digits + sizeof digits - 1, *s = last;
		int width = 0;
		while (*++fmt >= '0' && *fmt <= '9') width = *fmt - '0';
		if (*fmt == 's') {
			s = va_arg(ap, char *);
		} else if (*fmt == 'c') {
			*--s = (char)va_arg(ap, int);
		} else {
			unsigned value = va_arg(ap, unsigned), base = *fmt == 'u' ? 10 : 16;
			do *--s = (char)("0123456789ABCDEF"[value % base] | (*fmt & 32)); /* 32: in small letters */
			while ((value /= base) || last - s < width);
		}
		while (*s && p < end) *p++ = *s++;
	}
	*p = '\0';
}

PRINTF(2) static void add(struct text *t, const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	vadd(t, fmt, ap);
	va_end(ap);
}

/* The same from the start. Returns the text, for a path that is wanted at once. */
PRINTF(2) static const char *print(struct text *t, const char *fmt, ...) {
	va_list ap;
	t->s[0] = '\0';
	va_start(ap, fmt);
	vadd(t, fmt, ap);
	va_end(ap);
	return t->s;
}

#define doing(...) print(&g.me->doing, __VA_ARGS__) /* what is being waited for, for whoever gives up */
#define path(...)  print(&g.path, __VA_ARGS__)	    /* good until the next one is made */

/* One line, one write. The kernel's log gets a freshly opened descriptor for each, as it limits the rate of each. */
PRINTF(2) static void say(enum level level, const char *fmt, ...) {
	static const char priority[][5] = { "<27>", "<30>", "<28>", "<30>" };
	if (level > g.level || (g.kmsg && level == DEBUG)) return;
	int fd = g.kmsg ? open(DEV "/kmsg", O_WRONLY | O_CLOEXEC) : -1;
	struct text line;
	va_list ap;
	print(&line, "%s", fd >= 0 ? priority[level] : g.tty ? "\r\033[K" : "");
	char *p = line.s + strlen(line.s);
	add(&line, g.me ? "swflip: %s: " : "swflip: ", g.me ? g.me->port : "");
	va_start(ap, fmt);
	vadd(&line, fmt, ap);
	va_end(ap);
	for (; *p; p++)
		if (*p < ' ' || *p == 0x7f) *p = '?'; /* foreign words, too */
	if (p == line.s + sizeof line.s - 1) p--;
	*p++ = '\n';
	(void)!write(fd >= 0 ? fd : 2, line.s, (size_t)(p - line.s));
	if (fd >= 0) close(fd);
}

/* An error by its number, in the field's own words. */
static const char *name_of(const struct error *table, size_t n, int number) {
	while (n && table[n - 1].number != number) n--;
	return n ? table[n - 1].name : "failed";
}

static const char *reason(int error) { return name_of(errors, LEN(errors), error); }

/* -v: an AT dialogue, a line of it a line, control characters escaped, the unlock code never shown. */
static void trace(const char *arrow, const char *text) {
	size_t code = strlen(g.code);
	while (g.level >= DEBUG && *text) {
		struct text line = { "" };
		for (unsigned char c = 0; *text && c != '\n' && strlen(line.s) < 300; text++) {
			c = (unsigned char)*text;
			if (alike(text, g.code, code)) {
				add(&line, "****");
				text += code - 1;
			} else {
				add(&line, c < ' ' || c > '~' || c == '\\' ? "\\x%2x" : "%c", c);
			}
		}
		say(DEBUG, "%s %s", arrow, line.s);
	}
}

/* ---- time: deadlines on CLOCK_MONOTONIC, and the one place that waits ---- */

/* The C library's own would bring 1 KiB of search for the vDSO; on 32 bits its structure may not be the kernel's. */
#ifdef __LP64__
#define monotonic(t) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, t)
#else
#define monotonic(t) clock_gettime(CLOCK_MONOTONIC, t)
#endif

static int64_t now(void) {
	struct timespec t;
	monotonic(&t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t sooner(int64_t a, int64_t b) { return a < b ? a : b; }
static void heard(void) { g.me->heard = now(); }
static bool stopped(void) { return g.stop && !g.hold; }

/* The time by which this modem must have given a sign of life. */
static int64_t patience(void) { return g.me->written ? g.deadline : sooner(g.deadline, g.me->heard + SILENCE_MS); }

/* Waits for fd (-1: nothing but time). Returns the poll events, 0 when until has come or a signal woke it, -1 when the
 * run is to stop. Signals are blocked and come in here alone. */
static int await(int fd, short events, int64_t until) {
	struct pollfd p[] = { { .fd = fd, .events = events }, { .fd = g.signals, .events = POLLIN } };
	struct signalfd_siginfo signal;
	int64_t ms = until - now();
	if (stopped()) return -1;
	if (poll(p, LEN(p), ms < 0 ? 0 : (int)ms) <= 0) return 0;
	while (p[1].revents && read(g.signals, &signal, sizeof signal) > 0) g.stop |= signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT || signal.ssi_signo == SIGHUP;
	return stopped() ? -1 : p[0].revents;
}

/* ---- sysfs: reads only what takes no device lock ---- */

#define USB SYS "/bus/usb/devices/"

/* A file of the USB device at a port; of an interface, PORT:C.I. Good until the next path is made. */
static const char *device_file(const char *port, const char *name) { return path(USB "%s/%s", port, name); }
static const char *interface_file(const struct modem *m, unsigned number, const char *name) {
	return path(USB "%s:%u.%u/%s", m->port, m->active, number, name);
}

static void copy_port(char to[PORT], const char *from, size_t n) {
	memset(to, 0, PORT);
	memcpy(to, from, n < PORT ? n : PORT - 1);
}

/* Reads at most size - 1 bytes of a file and ends them with a NUL. Returns their number, -1 on failure. */
static int slurp(void *buf, size_t size, const char *file) {
	char *p = buf;
	size_t n = 0;
	ssize_t r = -1;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < size - 1 && (r = read(fd, p + n, size - 1 - n)) > 0) n += (size_t)r;
	if (fd >= 0) close(fd);
	p[n] = '\0';
	return r < 0 && !n ? -1 : (int)n;
}

/* Writes a sysfs attribute, which may block in the kernel. */
static bool spit(const char *file, const char *text) {
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0) close(fd);
	return ok;
}


/* The last name in the path that a symbolic link holds, "" where there is none. */
static const char *base_of(char link[PATH], const char *file) {
	ssize_t n = readlink(file, link, PATH - 1);
	link[n < 0 ? 0 : n] = '\0';
	return strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
}

/* A directory being read; the C library's own would allocate. */
struct dir { int fd; long n, at; _Alignas(8) char buf[1024]; };

static bool open_dir(struct dir *d, const char *file) {
	d->n = d->at = 0;
	return (d->fd = open(file, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0;
}

/* The next name, or NULL at the end, where it closes the directory. */
static const char *next(struct dir *d) {
	enum { RECLEN = 16, D_NAME = 19 }; /* in struct linux_dirent64 */
	if (d->at >= d->n) {
		d->at = 0;
		if ((d->n = syscall(SYS_getdents64, d->fd, d->buf, sizeof d->buf)) <= 0) {
			close(d->fd);
			return NULL;
		}
	}
	const char *entry = d->buf + d->at;
	uint16_t length;
	memcpy(&length, entry + RECLEN, sizeof length);
	d->at += length;
	return entry + D_NAME;
}

/* The first name in a directory that begins with prefix, but not "generic"; false where there is none. */
static bool first(char name[NAME], const char *prefix, const char *directory) {
	struct dir d;
	name[0] = '\0';
	if (!open_dir(&d, directory)) return false;
	for (const char *entry; (entry = next(&d));)
		if (!name[0] && entry[0] != '.' && begins(entry, prefix) && strcmp(entry, "generic"))
			memcpy(name, entry, strlen(entry) < NAME ? strlen(entry) + 1 : 0);
	return name[0];
}

static uint32_t number_in(const char *file) {
	char text[16];
	const char *s = text;
	uint32_t n = 0;
	slurp(text, sizeof text, file);
	digits(&s, 10, UINT32_MAX, &n);
	return n;
}

/* The companion of a USB 3 connector's port: the same socket under another path. "" where there is none. */
static void find_peer(char peer[PORT], const char *port) {
	char hub[PORT], link[PATH];
	const char *dot = strrchr(port, '.'), *number = dot ? dot : strrchr(port, '-');
	copy_port(hub, port, (size_t)(number - port));
	/* usb2-port1 is 2-1, 2-1-port3 is 2-1.3 */
	path(dot ? USB "%s:1.0/%s-port%s/peer" : USB "%s-0:1.0/usb%s-port%s/peer", hub, hub, number + 1);
	const char *s = base_of(link, g.path.s);
	bool root = begins(s, "usb");
	if (root) s += 3;
	const char *tail = find(s, "-port");
	copy_port(hub, s, tail ? (size_t)(tail - s) : 0);
	path(root ? "%s-%s" : "%s.%s", hub, tail ? tail + 5 : "");
	copy_port(peer, g.path.s, portlen(g.path.s));
}

/* ---- look: descriptors into struct modem ---- */

static bool has_id(const struct id *table, size_t n, uint16_t vid, uint16_t pid) {
	while (n && (table[n - 1].vid != vid || table[n - 1].pid != pid)) n--;
	return n;
}

static bool has16(const uint16_t *table, size_t n, uint32_t value) {
	while (n && table[n - 1] != value) n--;
	return n;
}

/* The function of an interface by config.h's table; SPARE is none, or a spare AT port. */
static unsigned function_of(const struct modem *m, const struct interface *i) {
	unsigned layout = SWI, has = (i->in && i->out ? BULK : 0u) | (i->interrupt ? INTERRUPT : 0u);
	for (size_t l = 0; l < LEN(layouts); l++)
		if (layouts[l].pid == m->pid) layout = layouts[l].layout;
	for (const struct shape *s = shapes; s < shapes + LEN(shapes); s++)
		if ((s->layouts & layout) && (s->number == ANY || s->number == i->number) && s->class == i->class &&
		    (s->subclass == ANY || s->subclass == i->subclass) && !(s->needs & ~has))
			return s->function;
	return FUNCTIONS + 1;
}

static const struct interface *find_function(const struct modem *m, const struct config *c, unsigned function) {
	for (unsigned i = 0; c && i < c->interfaces; i++)
		if (function_of(m, &c->interface[i]) == function) return &c->interface[i];
	return NULL;
}

static unsigned functions_of(const struct modem *m, const struct config *c) {
	unsigned bits = 0;
	for (unsigned i = 0; c && i < c->interfaces; i++) bits |= BIT(function_of(m, &c->interface[i]));
	return bits & (BIT(FUNCTIONS) - 1);
}

static const struct config *config_of(const struct modem *m, uint32_t value) {
	for (unsigned i = 0; i < m->configs; i++)
		if (m->config[i].value == value) return &m->config[i];
	return NULL;
}

/* An interface descriptor. Of several alternate settings the first with a bulk pair counts. */
static struct interface *read_interface(struct config *c, const uint8_t *p) {
	struct interface *i = c->interface, *end = i + c->interfaces;
	while (i < end && i->number != p[2]) i++;
	if (i == c->interface + LEN(c->interface) || (i->in && i->out)) return NULL;
	c->interfaces = (uint8_t)(c->interfaces + (i == end));
	*i = (struct interface){
		.number = p[2], .alt = p[3], .class = p[5], .subclass = p[6], .protocol = p[7], .message = i->message,
	};
	return i;
}

static void read_endpoint(struct interface *i, const uint8_t *p) {
	enum { BULK_OUT = 0x02, BULK_IN = 0x82, INTERRUPT_IN = 0x83 }; /* direction and type */
	unsigned kind = (p[2] & 0x80u) | (p[3] & 3);
	if (kind == BULK_IN && !i->in) i->packet = le16(p + 4) & 0x7ff;
	uint8_t *to = kind == BULK_IN ? &i->in : kind == BULK_OUT ? &i->out : NULL;
	if (kind == INTERRUPT_IN) to = &i->interrupt;
	if (to && !*to) *to = p[2];
}

/* The kernel's `descriptors` file: the device's descriptor, then each configuration's, as the modem sent them. A length
 * of less than two, or one that reaches past the end, ends the reading. */
static bool read_descriptors(struct modem *m, const uint8_t *d, size_t size) {
	enum { DEVICE = 1, CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5, FUNCTIONAL = 0x24, MBIM_FUNCTIONAL = 0x1b };
	struct config *c = NULL;
	struct interface *i = NULL;
	if (size < 18 || d[0] != 18 || d[1] != DEVICE) return false;
	m->bcdusb = le16(d + 2);
	m->vid = le16(d + 8);
	m->pid = le16(d + 10);
	for (const uint8_t *p = d + 18, *end = d + size; end - p >= 2 && p[0] >= 2 && p[0] <= end - p; p += p[0]) {
		if (p[1] == CONFIGURATION || p[1] == INTERFACE) i = NULL;
		if (p[1] == CONFIGURATION) {
			c = p[0] >= 9 && m->configs < LEN(m->config) ? &m->config[m->configs++] : NULL;
			if (c) c->value = p[5];
		}
		if (p[1] == INTERFACE && c && p[0] >= 9) i = read_interface(c, p);
		if (!i || p[0] < 7) continue;
		if (p[1] == ENDPOINT) read_endpoint(i, p);
		if (p[1] == FUNCTIONAL && p[2] == MBIM_FUNCTIONAL) i->message = le16(p + 5);
	}
	return true;
}

static enum kind classify(const struct modem *m) {
	const struct interface *only = m->config->interface;
	unsigned all = 0;
	if (!has_id(shared, LEN(shared), m->vid, m->pid) &&
	    (!has16(vendors, LEN(vendors), m->vid) || has_id(foreign, LEN(foreign), m->vid, m->pid)))
		return FOREIGN;
	for (unsigned i = 0; i < m->configs; i++) all |= functions_of(m, &m->config[i]);
	if (has_id(truinstall, LEN(truinstall), m->vid, m->pid) && (all & BIT(MS)))
		return m->active && functions_of(m, config_of(m, m->active)) != BIT(MS) ? MODEM : STORAGE;
	/* one vendor interface that is no AT port: QDL, whatever the PID says, as a crashed modem keeps its own */
	bool single = m->configs == 1 && m->config->interfaces == 1 && only->class == VENDOR;
	return single && (!(all & BIT(AT)) || has16(boot, LEN(boot), m->pid)) ? BOOT : MODEM;
}

/* What stands at a port. Nothing that can be trusted there: kind GONE. */
static void look(struct modem *m, const char *port) {
	uint8_t raw[4096];
	char name[NAME];
	const char *s = name;
	struct text interface;
	uint32_t active = 0;
	memset(m, 0, sizeof *m);
	copy_port(m->port, port, strlen(port));
	int n = slurp(raw, sizeof raw, device_file(port, "descriptors"));
	m->devnum = number_in(device_file(port, "devnum"));
	if (n < 0 || !read_descriptors(m, raw, (size_t)n) || !m->devnum) return;
	/* the active configuration is in the names of its interfaces; reading the attribute could block for seconds */
	if (first(name, print(&interface, "%s:", port), device_file(port, ""))) {
		s += strlen(interface.s);
		digits(&s, 10, 255, &active);
		m->active = (uint8_t)active;
	} else {
		m->barred = slurp(name, 2, device_file(port, "authorized")) > 0 && name[0] == '0';
	}
	m->kind = classify(m);
}

static bool same(const struct modem *a, const struct modem *b) {
	return a->kind && b->kind && a->devnum == b->devnum && !strcmp(a->port, b->port);
}

/* ---- uevents: the kernel says when to look again; what it says is not believed, only looked up ---- */

/* struct sockaddr_nl, of a header that is not in musl's include path */
struct netlink { sa_family_t family; uint16_t pad; uint32_t pid, groups; };

static void open_uevents(void) {
	enum { KOBJECT_UEVENT = 15 };
	struct netlink kernel = { .family = AF_NETLINK, .groups = 1 };
	if (g.uevents > 0) close(g.uevents);
	g.uevents = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, KOBJECT_UEVENT);
	if (g.uevents > 0 && bind(g.uevents, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
		close(g.uevents);
		g.uevents = 0;
	}
}

/* Is port, or an interface of it, one of the directories in this path? */
static bool at_port(const char *file, const char *port) {
	size_t n = strlen(port);
	for (const char *p = file; n && (p = find(p, port)); p++)
		if (p > file && p[-1] == '/' && (!p[n] || p[n] == '/' || p[n] == ':')) return true;
	return false;
}

/* A message is "action@/devices/..." and more behind a NUL. Is it about our port, or about any, if all are watched? */
static bool concerns(const char *message) {
	const char *last = strrchr(message, '/');
	return last && (g.me ? at_port(message, g.me->port) || at_port(message, g.me->peer) : portlen(last + 1) > 0);
}

/* Takes all messages that are there. True when one of them is a reason to look. */
static bool stir(void) {
	for (bool news = false;;) {
		char message[2048];
		struct netlink from = { 0 };
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(g.uevents, message, sizeof message - 1, 0, (struct sockaddr *)&from, &size);
		if (n < 0 && errno != ENOBUFS) return news;
		message[n < 0 ? 0 : n] = '\0';
		news |= n < 0 || (size == sizeof from && !from.pid && concerns(message));
	}
}

/* Waits for a reason to look again. Returns 1 for one, 0 when until has come, -1 when the run is to stop. */
static int watch(int64_t until) {
	enum { BLIND_MS = 100, IDLE_MS = 1000 }; /* without a socket; with one, which in a container may say nothing */
	for (int64_t end = now() + (g.uevents > 0 ? IDLE_MS : BLIND_MS);;) {
		int r = await(g.uevents > 0 ? g.uevents : -1, POLLIN, sooner(until, end));
		if (r < 0) return -1;
		if (now() >= until) return 0;
		if (r == 0 || stir()) return 1;
	}
}

/* ---- nodes: opened where they are, or made where there is room; believed when sysfs places them ---- */

/* Opens the character device number dev, DEV/name if it is that. A missing one is made where it can be, and removed. */
static int open_node(const char *name, dev_t dev) {
	static const char *const places[] = { DEV, "/run", "/tmp" };
	enum { FLAGS = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };
	struct stat st;
	doing("opening %s", name);
	if (!stat(path(DEV "/%s", name), &st) && S_ISCHR(st.st_mode) && st.st_rdev == dev) return open(g.path.s, FLAGS);
	for (unsigned i = 0; i < LEN(places); i++) {
		if (mknod(path("%s/.swflip-%u", places[i], (unsigned)getpid()), S_IFCHR | 0600, dev) < 0) continue;
		int fd = open(g.path.s, FLAGS);
		unlink(g.path.s);
		if (fd >= 0) return fd;
	}
	return -1;
}

/* Opens the node whose number stands in a sysfs file. Numbers are given again while modems come and go: it is closed,
 * and -1 returned, where sysfs does not place the open node at where. */
static int open_placed(const char *name, const char *dev, const char *where) {
	char text[32], link[PATH];
	const char *s = text;
	uint32_t major, minor;
	slurp(text, sizeof text, dev);
	if (!digits(&s, 10, 4095, &major) || *s++ != ':' || !digits(&s, 10, 0xfffff, &minor)) return -1;
	int fd = open_node(name, makedev(major, minor));
	base_of(link, path(SYS "/dev/char/%u:%u", major, minor));
	if (fd < 0 || at_port(link, where)) return fd;
	close(fd);
	return -1;
}

/* ---- usbfs: the kernel's own structures and requests, of a header that is not in musl's include path ---- */

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

struct usbfs_ioctl { int ifno, ioctl_code; void *data; };

struct disconnect_claim { unsigned interface, flags; char driver[256]; };

struct setinterface { unsigned interface, altsetting; };

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

/* A request is an int to musl's ioctl, an unsigned long to glibc's; to the kernel it is this. */
static int usbfs(int fd, unsigned request, void *data) { return (int)syscall(SYS_ioctl, fd, request, data); }

static int open_usbfs(const struct modem *m) {
	struct text name;
	const char *s = m->port;
	uint32_t bus = 0;
	digits(&s, 10, 999, &bus);
	print(&name, "bus/usb/%3u/%3u", bus, m->devnum);
	return open_placed(name.s, device_file(m->port, "dev"), m->port);
}

/* A control transfer. Returns the bytes moved, or -1 with errno: EPIPE is a stall, ENODEV or ESHUTDOWN a modem gone. */
static int control(int fd, unsigned type, unsigned request, unsigned value, unsigned index, void *data, size_t n) {
	struct ctrltransfer c = {
		(uint8_t)type, (uint8_t)request, (uint16_t)value, (uint16_t)index, (uint16_t)n, CONTROL_MS, data,
	};
	int r = usbfs(fd, USBDEVFS_CONTROL, &c), error = errno;
	say(DEBUG, "usb %2x %2x %4x %4x %u: %s", type, request, value, index, c.wLength, r < 0 ? reason(error) : "ok");
	errno = error;
	return r;
}

/* ---- link: carries bytes to one interface, by a tty, by usbfs, or by cdc-wdm ---- */

enum { CHUNK = 1024, FRAME = 4096 }; /* the largest bulk packet, USB 3; the largest QMI or MBIM message taken */
enum { TEXT = 6144 }; /* the longest table seen has 1.6 KiB; a longer answer is not believed */

struct link {
	enum carrier { CLOSED, TTY, URBS, WDM } carrier;
	int fd;
	uint8_t number, endpoint_in, endpoint_out; /* bInterfaceNumber, and where its bytes go */
	uint8_t client, tid;			   /* QMI */
	bool mbim, inward, outward, gone;	   /* inward, outward: that URB is with the kernel */
	uint16_t packet, message;
	struct termios saved;
	struct urb in, out;
	uint8_t chunk[CHUNK], sent[64];
	char text[TEXT];     /* the last answer of an AT port */
	uint8_t frame[FRAME]; /* the last one of QMI or MBIM, and in it */
	const uint8_t *tlvs; /* its TLVs, size bytes of them */
	size_t size;
};

/* One modem at work: what decide() is told, and the link to it. */
struct work {
	const struct target *t;
	int64_t since;	 /* ms: when this start of the modem, or this configuration of it, was first seen */
	uint32_t awake;	 /* devnum of the modem whose autosuspend was turned off */
	struct past p;
	struct modem m;
	struct offer o; /* the last answer */
	struct link l;
};

/* The name of the file that a driver made for an interface: cdc-wdm's, or a tty, some of which are one level deeper. */
static bool find_file(char name[NAME], const char *interface, bool encapsulated) {
	if (encapsulated) return first(name, "cdc-wdm", device_file(interface, "usbmisc"));
	return first(name, "ttyUSB", device_file(interface, "")) || first(name, "tty", device_file(interface, "tty"));
}

/* Opened in vain. */
static enum why drop(struct link *l, enum why why) {
	close(l->fd);
	l->carrier = CLOSED;
	return why;
}

static enum why open_file(struct link *l, const char *interface, bool encapsulated) {
	char name[NAME];
	int held = 0;
	if (!find_file(name, interface, encapsulated)) return MUTE;
	errno = 0;
	l->fd = open_placed(name, path(SYS "/class/%s/%s/dev", encapsulated ? "usbmisc" : "tty", name), interface);
	if (l->fd < 0) return errno == EBUSY ? HELD : MUTE;
	l->carrier = encapsulated ? WDM : TTY;
	if (encapsulated) return FINE;
	usbfs(l->fd, TIOCGEXCL, &held); /* TIOCEXCL does not keep root out, so root asks */
	if (held || tcgetattr(l->fd, &l->saved) < 0) return drop(l, held ? HELD : MUTE);
	struct termios raw = l->saved;
	cfmakeraw(&raw);
	raw.c_cflag = (raw.c_cflag | CLOCAL | CREAD) & ~(tcflag_t)CRTSCTS;
	ioctl(l->fd, TIOCEXCL);
	tcsetattr(l->fd, TCSANOW, &raw);
	tcflush(l->fd, TCIOFLUSH);
	return FINE;
}

static bool submit(struct link *l, struct urb *u, unsigned type, uint8_t endpoint, void *buffer, size_t n) {
	*u = (struct urb){ .type = (uint8_t)type, .endpoint = endpoint, .buffer = buffer, .buffer_length = (int)n };
	return !usbfs(l->fd, USBDEVFS_SUBMITURB, u);
}

/* One IN transfer is with the kernel before anything goes out, or bytes would be lost. */
static bool listen_in(struct link *l) {
	unsigned type = l->endpoint_out ? URB_BULK : URB_INTERRUPT;
	return l->inward = l->inward || submit(l, &l->in, type, l->endpoint_in, l->chunk, l->packet);
}

/* Takes the interface from whatever driver holds it, with DTR and RTS as a tty would set them. */
static enum why open_urbs(struct link *l, const struct modem *m, const struct interface *i, bool encapsulated) {
	enum { SET_CONTROL_LINE_STATE = 0x22, DTR = 1, RTS = 2, EXCEPT_DRIVER = 2 };
	struct disconnect_claim claim = { .interface = i->number, .flags = EXCEPT_DRIVER, .driver = "usbfs" };
	struct setinterface alt = { .interface = i->number, .altsetting = i->alt };
	l->endpoint_in = encapsulated ? i->interrupt : i->in;
	l->endpoint_out = encapsulated ? 0 : i->out;
	l->packet = encapsulated || i->packet > CHUNK || !i->packet ? 64 : i->packet;
	if ((l->fd = open_usbfs(m)) < 0) return NO_NODE;
	l->carrier = URBS;
	if (usbfs(l->fd, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) return drop(l, errno == EBUSY ? HELD : MUTE);
	if (i->alt) usbfs(l->fd, USBDEVFS_SETINTERFACE, &alt);
	if (!encapsulated || (!l->mbim && (m->bcdusb >= 0x0201 || has16(dtr, LEN(dtr), m->pid))))
		control(l->fd, 0x21, SET_CONTROL_LINE_STATE, encapsulated ? DTR : DTR | RTS, i->number, NULL, 0);
	listen_in(l);
	return FINE;
}

/* Takes back one URB that is done; NULL when none is. */
static struct urb *reap(struct link *l) {
	struct urb *done;
	if (!(l->inward || l->outward) || usbfs(l->fd, USBDEVFS_REAPURBNDELAY, &done) < 0) return NULL;
	*(done == &l->in ? &l->inward : &l->outward) = false;
	return done;
}

/* Receives at most CHUNK bytes until the deadline. Returns their number, 0 for none, -1 for a modem that left (gone) or
 * a run that is to stop. */
static int receive_urb(struct link *l, void *buf, int64_t until) {
	for (int r = 0, stalls = 0;;) {
		struct urb *done = NULL;
		if (!listen_in(l) || stalls > 3) l->gone = true;
		while (!l->gone && done != &l->in && (done = reap(l))) {
			unsigned endpoint = done->endpoint;
			r = 0;
			if (done->status == -EPIPE && ++stalls)
				usbfs(l->fd, USBDEVFS_CLEAR_HALT, &endpoint);
			else if (done->status && done->status != -EOVERFLOW)
				l->gone = true;
			int n = done == &l->in && !done->status ? done->actual_length : 0;
			if (n > 0 && n <= CHUNK) {
				memcpy(buf, l->chunk, (size_t)n);
				listen_in(l);
				return n;
			}
		}
		if (done == &l->in && now() < until) continue;
		if (r & (POLLHUP | POLLERR)) l->gone = true; /* from the last round, and nothing to reap since */
		if (l->gone || (r = await(l->fd, POLLOUT, until)) < 0) return -1;
		if (now() >= until) return 0;
	}
}

static int receive_file(struct link *l, void *buf, size_t size, int64_t until) {
	for (;;) {
		ssize_t n = read(l->fd, buf, size);
		if (n > 0) return (int)n;
		l->gone = n == 0 || (errno != EAGAIN && errno != EINTR);
		if (l->gone || await(l->fd, POLLIN, until) < 0) return -1;
		if (now() >= until) return 0;
	}
}

static int receive(struct link *l, void *buf, int64_t until) {
	return l->carrier == URBS ? receive_urb(l, buf, until) : receive_file(l, buf, CHUNK, until);
}

/* Sends n bytes, at most those of sent[]. False when the modem takes none: it may be deaf still. */
static bool transmit(struct link *l, const void *buf, size_t n) {
	if (l->carrier == TTY) return write(l->fd, buf, n) == (ssize_t)n;
	for (int64_t until = now() + CONTROL_MS; l->outward;) {
		struct urb *done = reap(l);
		if (!done && ((await(l->fd, POLLOUT, until) & ~POLLOUT) || now() >= until)) return false;
		if (done == &l->in) listen_in(l); /* of an earlier answer, and lost */
	}
	memcpy(l->sent, buf, n < sizeof l->sent ? n : sizeof l->sent);
	return l->outward = submit(l, &l->out, URB_BULK, l->endpoint_out, l->sent, n);
}

/* Gives everything back as it was: the tty's settings, nothing unsent in it; the interface to its driver. */
static void close_link(struct link *l) {
	enum { REAP_MS = 500 };
	struct usbfs_ioctl connect = { .ifno = l->number, .ioctl_code = (int)USBDEVFS_CONNECT };
	unsigned number = l->number;
	if (l->carrier == TTY) {
		tcflush(l->fd, TCIOFLUSH);
		tcsetattr(l->fd, TCSANOW, &l->saved);
		ioctl(l->fd, TIOCNXCL);
	} else if (l->carrier == URBS) {
		usbfs(l->fd, USBDEVFS_DISCARDURB, &l->in); /* an error where it is not with the kernel */
		usbfs(l->fd, USBDEVFS_DISCARDURB, &l->out);
		for (int64_t until = now() + REAP_MS; (l->inward || l->outward) && now() < until;)
			if (!reap(l) && await(l->fd, POLLOUT, until) < 0) break;
		usbfs(l->fd, USBDEVFS_RELEASEINTERFACE, &number);
		usbfs(l->fd, USBDEVFS_IOCTL, &connect);
	}
	if (l->carrier) close(l->fd);
	memset(l, 0, sizeof *l);
}

/* ---- AT: one command, one answer ---- */

enum result { GONE_OFF, SILENT, OK, FAILED };

/* Drops the echo, once or doubled, with its line end or without, and lines that a modem sends unasked. */
static void tidy(char *text, const char *command) {
	size_t n = strlen(command);
	char *out = text;
	for (const char *p = text, *end; *(p = skip(p)); p = end) {
		bool echo = n && begins(p, command);
		end = find(p, "\n");
		end = echo ? p + n : end ? end + 1 : p + strlen(p);
		if (echo || *p == '$' || *p == '^' || *p == '*' || (*p == '+' && !begins(p, "+CM"))) continue;
		memmove(out, p, (size_t)(end - p));
		out += end - p;
	}
	*out = '\0';
}

/* The final result, if the last line of text is one; with loose set the last word will do, for an answer that came as
 * one line. The result is cut off the text. */
static enum result final(char *text, bool loose) {
	char *end = text + strlen(text), *line, *word;
	if (!loose && (end == text || end[-1] != '\n')) return SILENT;
	while (end > text && blank(end[-1])) end--;
	for (word = end; word > text && !blank(word[-1]);) word--;
	for (line = word; line > text && line[-1] != '\n';) line--;
	while (line < word && blank(*line)) line++;
	size_t n = (size_t)(end - word);
	enum result result = begins(line, "+CME ERROR") || begins(line, "+CMS ERROR") ? FAILED : SILENT;
	if (result == SILENT && (loose || word == line)) {
		line = word;
		result = is_word(word, n, "OK") ? OK : is_word(word, n, "ERROR") ? FAILED : SILENT;
	}
	if (result != SILENT) *line = '\0';
	return result;
}

/* Takes bytes into text, n of it used, with every line end an LF, and what no answer holds left out. An answer too long
 * for the room starts over, and *over says so. */
static size_t take(char text[TEXT], size_t n, bool *over, const uint8_t *chunk, int size) {
	for (int i = 0; i < size; i++) {
		unsigned c = chunk[i] == '\r' ? '\n' : chunk[i] == '\t' ? ' ' : chunk[i];
		*over |= n == TEXT - 1;
		if (n == TEXT - 1) n = 0;
		if (c == '\n' || (c >= ' ' && c < 0x7f)) text[n++] = (char)c;
	}
	text[n] = '\0';
	return n;
}

/* Sends a command and takes its answer, without echo and final result, into l->text. At most ms until it begins,
 * QUIET_MS between its bytes, twice ms in all. SILENT with text: an answer that has no final result. */
static enum result at_within(struct link *l, const char *command, int64_t ms) {
	enum { STRAY_MS = 300, LINGER_MS = 40 };
	int64_t until = now() + ms, end = until + ms;
	uint8_t chunk[CHUNK];
	char *text = l->text;
	enum result result = SILENT;
	struct text line;
	bool over = false;
	size_t n = 0;
	int r;
	while ((r = receive(l, chunk, now())) > 0 && now() < until) continue; /* what is left of an earlier answer */
	print(&line, "%s\r", command);
	trace(">", command);
	text[0] = '\0';
	if (r < 0) return GONE_OFF;
	if (!transmit(l, line.s, strlen(line.s)) && l->carrier == URBS) {
		l->gone = !l->outward;
		return l->gone ? GONE_OFF : SILENT;
	}
	while ((r = receive(l, chunk, until)) > 0 && now() < end) {
		n = take(text, n, &over, chunk, r);
		until = sooner(end, now() + QUIET_MS);
		if ((result = final(text, false)) == SILENT) continue;
		tidy(text, command);
		n = strlen(text);
		/* an OK alone came too early, or was the last command's */
		bool stray = result == OK && !over && !*skip(text) && find(command, "?");
		if (!stray && (result != OK || !find(command, "=?"))) break;
		until = now() + (stray ? STRAY_MS : LINGER_MS); /* an OK can stand in the middle of a list, too */
	}
	if (r < 0) return GONE_OFF;
	if (result == SILENT) result = final(text, true);
	tidy(text, command);
	trace("<", text);
	say(DEBUG, "< %s", result == OK ? "OK" : result == FAILED ? "ERROR" : "(no final result)");
	if (over) text[0] = '\0';
	if (result != SILENT || text[0]) heard();
	return result;
}

static enum result at(struct link *l, const char *command) {
	doing("waiting for the answer to %s", find(command, "\"") ? "AT!ENTERCND" : command);
	return at_within(l, command, ANSWER_MS);
}

static const char *answer_to(struct link *l, const char *command) {
	at(l, command);
	return l->text;
}

/* ---- dialects: what a modem answers into struct offer ---- */

/* Behind the first header in text, blanks skipped; NULL where there is none. */
static const char *after(const char *text, const char *header) {
	const char *p = find(text, header);
	return p ? skip(p + strlen(header)) : NULL;
}

/* A number that stands for itself: digits behind a header, and a blank behind them, as a cut one is a smaller one. */
static bool number_after(const char *text, const char *header, unsigned base, uint32_t *value) {
	const char *p = after(text, header);
	return p && digits(&p, base, UINT32_MAX, value) && blank(*p);
}

/* Four hex digits and no more. */
static bool read_pid(const char **s, uint16_t *pid) {
	const char *p = *s;
	uint32_t value;
	if (!digits(&p, 16, 0xffff, &value) || p - *s != 4) return false;
	*pid = (uint16_t)value;
	*s = p;
	return true;
}

/* !UDPID? and !USBPID?: `!UDPID: 68A3`, or `APP : 68E2` and `BOOT: 68E0` below the header. */
static int parse_pid(const char *text, const char *header) {
	const char *p = after(text, header), *app = p ? after(p, "APP") : NULL;
	uint16_t pid;
	if (app && *app == ':') p = skip(app + 1);
	return p && read_pid(&p, &pid) && (blank(*p) || *p == ',') ? pid : UNKNOWN;
}

/* !UDPID=? and !USBPID=?: a PID a line, or pairs with the boot loader's second, which is no PID to be had: what comes
 * behind a comma, and under a heading that says BOOT every other one. */
static void parse_pids(struct offer *o, const char *s) {
	bool pairs = find(s, "BOOT"), second = false;
	while (*s && o->npids < LEN(o->pids)) {
		for (; blank(*s) || *s == ','; s++) {
			second = *s == ',' || (second && *s != '\n');
		}
		uint16_t *pid = &o->pids[o->npids];
		if (read_pid(&s, pid) && (blank(*s) || *s == ',' || !*s)) {
			o->npids = (uint8_t)(o->npids + !second);
			second = pairs && !second;
		} else {
			while (*s && !blank(*s) && *s != ',') s++;
		}
	}
}

/* The function of a word in a row, without the digits at its end. */
static unsigned function_word(const char *word, size_t n) {
	while (n && word[n - 1] >= '0' && word[n - 1] <= '9') n--;
	for (size_t i = 0; i < LEN(words); i++)
		if (is_word(word, n, words[i].word)) return BIT(words[i].function);
	return 0;
}

static struct row *find_row(const struct offer *o, uint32_t number) {
	for (unsigned i = 0; i < o->rows; i++)
		if (o->row[i].number == number) return (struct row *)&o->row[i];
	return NULL;
}

/* A row whose number came before is supported only if both are the same. */
static void add_row(struct offer *o, const struct row *r) {
	struct row *old = find_row(o, r->number);
	if (old)
		old->supported = old->supported && !memcmp(old, r, sizeof *r);
	else if (o->rows < LEN(o->row))
		o->row[o->rows++] = *r;
}

/* A dual row has the functions of the two that it names, whatever their own status. */
static void resolve_rows(struct offer *o) {
	for (struct row *r = o->row; r < o->row + o->rows; r++)
		for (unsigned c = 0; r->configs == 2 && c < 2; c++) {
			const struct row *one = find_row(o, r->comp[c]);
			r->functions[c] = one && one->configs == 1 ? one->functions[0] : 0;
		}
}

/* !UDUSBCOMP=?: number, `-`, words, status; over as many lines as may be. A row ends at its status. One that has no
 * status is not supported, nor one with a NOT, or a piece of one, anywhere in it. */
static void parse_rows(struct offer *o, const char *s) {
	struct row r = { 0 };
	unsigned comps = 0;
	bool open = false, no = false;
	for (size_t length; *(s = skip(s)); s += length) {
		const char *p = s;
		uint32_t n;
		length = word_length(s);
		if (digits(&p, 10, 255, &n) && *(p = skip(p)) == '-') {
			if (open) add_row(o, &r);
			memset(&r, 0, sizeof r);
			r.number = (uint8_t)n;
			r.configs = 1;
			comps = 0;
			open = true;
			no = false;
			length = (size_t)(p + 1 - s);
		} else if (open && is_word(s, length, "SUPPORTED")) {
			r.supported = !no;
			add_row(o, &r);
			open = false;
		} else if (begins(s, "comp") && (p = s + 4, digits(&p, 10, 255, &n)) && p == s + length) {
			if (comps < 2) r.comp[comps] = (uint8_t)n;
			r.configs = (uint8_t)++comps;
		} else {
			for (size_t i = 0; i + length <= 3; i++) no |= alike(&"NOT"[i], s, length);
			r.functions[0] = (uint16_t)(r.functions[0] | function_word(s, length));
		}
	}
	if (open) add_row(o, &r);
	resolve_rows(o);
}

/* !USBCOMP=?: the types between `<Config Type> -` and `<Interface bitmask> -`, and behind that the bits, up to the
 * examples, which promise nothing. */
static void parse_mask(struct offer *o, const char *text) {
	const char *types = text, *bits = text;
	uint32_t value;
	do types = after(types, "<Config Type>");
	while (types && *types != '-');
	do bits = after(bits, "<Interface bitmask>");
	while (bits && *bits != '-');
	if (!types || !bits) return;
	for (const char *p = types + 1; p < bits; p++)
		if (blank(p[-1]) && digits(&p, 10, 31, &value) && *p == ':') o->types |= BIT(value);
	for (const char *p = bits; *p && !begins(p, "e.g.") && !begins(p, "default"); p++) {
		const char *hex = p + 2;
		if (!begins(p, "0x") || !digits(&hex, 16, UINT32_MAX, &value)) continue;
		if (hex - p == 10 && !(value & (value - 1))) o->bits |= value;
		p = hex - 1;
	}
}

/* Asks an unlocked AT port what is stored, and for the lists of what it offers, which only a PID changes. False when it
 * answers neither dialect: not the right port, or no longer. */
static bool ask_at(struct link *l, struct offer *o, bool lists) {
	uint32_t type;
	if (lists) memset(o, 0, sizeof *o);
	o->dialect = NOBODY;
	o->pid = UNKNOWN;
	if (number_after(answer_to(l, "AT!UDUSBCOMP?"), "!UDUSBCOMP:", 10, &o->now)) {
		if (lists) parse_rows(o, answer_to(l, "AT!UDUSBCOMP=?"));
		if (lists) parse_pids(o, answer_to(l, "AT!UDPID=?"));
		o->pid = parse_pid(answer_to(l, "AT!UDPID?"), "!UDPID:");
		o->dialect = INDEX;
	} else if (!l->gone) {
		if (!number_after(answer_to(l, "AT!USBCOMP?"), "Config Type:", 10, &type) ||
		    !number_after(l->text, "Interface bitmask:", 16, &o->now))
			return false;
		o->type = (uint8_t)(type & 31);
		if (lists) {
			parse_mask(o, answer_to(l, "AT!USBCOMP=?"));
			at(l, "AT!USBVID?"); /* for the log alone, as the next */
			at(l, "AT!USBINFO?");
		}
		o->pid = parse_pid(answer_to(l, "AT!USBPID?"), "!USBPID:");
		o->dialect = MASK;
	}
	return o->dialect && !l->gone;
}

/* ---- QMI: the same questions in encapsulated commands, bare or inside MBIM ---- */

enum { CTL, DMS = 2, GET_CLIENT = 0x22, RELEASE_CLIENT = 0x23, SET_MODE = 0x2e, GET_COMP = 0x555b, SET_COMP = 0x555c };
enum { MBIM_OPEN = 1, MBIM_CLOSE = 2, MBIM_COMMAND = 3, MBIM_ERROR = 4, MBIM_HEAD = 48 };
#define MBIM_DONE 0x80000000u /* set in the type of every answer */

/* Sierra's service for QMUX frames inside MBIM (libmbim: mbim-uuid.c), bytes in wire order. */
static const uint8_t tunnel[16] = {
	0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e, 0x43, 0xbf, 0x65, 0xc7, 0xe2, 0x4f, 0xb0, 0xf0, 0xd3,
};

static bool encapsulate(struct link *l, size_t n) {
	if (l->carrier == WDM) return write(l->fd, l->frame, n) == (ssize_t)n;
	return control(l->fd, 0x21, 0x00, 0, l->number, l->frame, n) == (int)n;
}

/* One message into l->frame. Returns its length, 0 for none until the deadline, -1 when the modem left. */
static int receive_frame(struct link *l, int64_t until) {
	enum { RESPONSE_AVAILABLE = 1 };
	uint8_t notice[CHUNK];
	int n;
	if (l->carrier == WDM) return receive_file(l, l->frame, FRAME, until);
	while ((n = receive_urb(l, notice, until)) > 0)
		if (n >= 2 && notice[0] == 0xa1 && notice[1] == RESPONSE_AVAILABLE &&
		    (n = control(l->fd, 0xa1, 0x01, 0, l->number, l->frame, FRAME)) > 0)
			return n;
	return n;
}

/* The value of a TLV of the last answer, by its type; NULL where there is none. */
static const uint8_t *tlv(const struct link *l, uint8_t type, size_t *length) {
	const uint8_t *p = l->tlvs;
	for (size_t n = l->size; n >= 3 && (*length = le16(p + 1)) + 3 <= n; n -= *length + 3, p += *length + 3)
		if (p[0] == type) return p + 3;
	return NULL;
}

/* The QMUX frame in a message: the message itself, or what a COMMAND_DONE of ours carries. NULL for a stranger's;
 * *refused is set where the modem says that it has no such service. */
static const uint8_t *unwrap(const struct link *l, const uint8_t *p, size_t *n, bool *refused) {
	if (!l->mbim) return p;
	if (*n < 12 || le32(p + 4) > *n || le32(p + 8) != l->tid) return NULL;
	bool done = le32(p) == (MBIM_DONE | MBIM_COMMAND) && le32(p + 4) >= MBIM_HEAD;
	*refused = le32(p) == (MBIM_DONE | MBIM_ERROR) || (done && le32(p + 40));
	if (*refused || !done || le32(p + 12) != 1 || le32(p + 16) || memcmp(p + 20, tunnel, sizeof tunnel) ||
	    le32(p + 44) > le32(p + 4) - MBIM_HEAD)
		return NULL;
	*n = le32(p + 44);
	return p + MBIM_HEAD;
}

/* The TLVs of the answer in a QMUX frame, if it is the one to this message of ours; NULL for anything else. */
static const uint8_t *answer_of(const struct link *l, const uint8_t *p, size_t *n, uint8_t service, unsigned message) {
	size_t head = service == CTL ? 12 : 13; /* CTL's transaction is a byte, a service's two */
	if (*n < head || p[0] != 1 || le16(p + 1) + 1u > *n || le16(p + 1) + 1u < head || p[4] != service ||
	    p[5] != (service ? l->client : 0) || p[6] != (service ? 2 : 1) || p[7] != l->tid || (service && p[8]) ||
	    le16(p + head - 4) != message || le16(p + head - 2) > le16(p + 1) + 1u - head)
		return NULL;
	*n = le16(p + head - 2);
	return p + head;
}

/* Sends a message with at most one TLV, type 0x01, and waits for its answer, whose TLVs are then l->tlvs. Returns the QMI
 * error, 0 for none, or -1 for no answer. */
static int qmi(struct link *l, uint8_t service, unsigned message, const uint8_t *value, size_t length) {
	uint8_t *qmux = l->frame + (l->mbim ? MBIM_HEAD : 0), *p;
	int64_t until = now() + ANSWER_MS;
	bool refused = false;
	l->tid = (uint8_t)(l->tid % 250 + 1);
	doing("waiting for the answer to QMI %4x", message);
	memset(qmux, 0, 13);
	qmux[0] = 1;
	qmux[4] = service;
	qmux[5] = service ? l->client : 0;
	qmux[7] = l->tid;
	p = put16(put16(qmux + (service ? 9 : 8), message), length ? (unsigned)length + 3 : 0);
	if (length) {
		*p = 0x01;
		p = (uint8_t *)memcpy(put16(p + 1, (unsigned)length), value, length) + length;
	}
	uint32_t size = (uint32_t)(p - qmux);
	put16(qmux + 1, size - 1);
	if (l->mbim) {
		put32(put32(put32(put32(put32(l->frame, MBIM_COMMAND), MBIM_HEAD + size), l->tid), 1), 0);
		memcpy(l->frame + 20, tunnel, sizeof tunnel);
		put32(put32(put32(l->frame + 36, 1), 1), size);
	}
	say(DEBUG, "> QMI %2x %4x, %u bytes", service, message, size);
	if (!encapsulate(l, (size_t)(p - l->frame))) return -1;
	for (int r; !refused && (r = receive_frame(l, until)) > 0 && now() < until;) {
		l->size = (size_t)r;
		const uint8_t *result = unwrap(l, l->frame, &l->size, &refused);
		l->tlvs = result ? answer_of(l, result, &l->size, service, message) : NULL;
		result = l->tlvs ? tlv(l, 0x02, &length) : NULL;
		if (!result || length < 4) continue;
		int error = le16(result) ? le16(result + 2) : 0;
		heard();
		say(DEBUG, "< QMI %4x: %u %s", message, (unsigned)error, name_of(qmi_errors, LEN(qmi_errors), error));
		return error;
	}
	return -1;
}

/* OPEN or CLOSE of an MBIM function. */
static bool mbim(struct link *l, unsigned type) {
	unsigned n = type == MBIM_OPEN ? 16 : 12;
	const uint8_t *p = l->frame;
	int64_t until = now() + ANSWER_MS;
	l->tid = (uint8_t)(l->tid % 250 + 1);
	doing("waiting for MBIM %s", type == MBIM_OPEN ? "OPEN" : "CLOSE");
	put32(put32(put32(put32(l->frame, type), n), l->tid), l->message && l->message < FRAME ? l->message : FRAME);
	if (!encapsulate(l, n)) return false;
	for (int r; (r = receive_frame(l, until)) > 0 && now() < until;)
		if (r >= 16 && le32(p) == (MBIM_DONE | type) && le32(p + 8) == l->tid) return !le32(p + 12);
	return false;
}

/* A client of the device management service. No CTL Sync: it would drop other people's clients. */
static bool open_qmi(struct link *l) {
	static const uint8_t dms = DMS;
	size_t n;
	if ((l->mbim && !mbim(l, MBIM_OPEN)) || qmi(l, CTL, GET_CLIENT, &dms, 1)) return false;
	const uint8_t *p = tlv(l, 0x01, &n);
	if (p && n >= 2 && p[0] == DMS) l->client = p[1];
	return l->client;
}

static void close_qmi(struct link *l) {
	uint8_t client[] = { DMS, l->client };
	if (l->client && !l->gone) qmi(l, CTL, RELEASE_CLIENT, client, sizeof client);
	if (l->mbim && !l->gone) mbim(l, MBIM_CLOSE);
}

/* 0x555B: the composition, and the numbers on offer. There is no text: config.h knows what the numbers mean. */
static bool ask_qmi(struct link *l, struct offer *o) {
	const uint8_t *v;
	size_t length;
	memset(o, 0, sizeof *o);
	o->pid = UNKNOWN;
	int error = qmi(l, DMS, GET_COMP, NULL, 0);
	if (error < 0) error = qmi(l, DMS, GET_COMP, NULL, 0); /* one answer may be lost */
	if (error || !(v = tlv(l, 0x10, &length)) || !length) return false;
	o->now = v[0];
	o->dialect = WIRE;
	v = tlv(l, 0x11, &length);
	if (!v || !length || v[0] != length - 1) return true; /* a list that lies about its length is none */
	while (--length) {
		struct row r;
		unsigned number = *++v;
		memset(&r, 0, sizeof r);
		r.number = *v;
		r.supported = true;
		r.configs = number < LEN(compositions) ? 1 : 2;
		if (number < 23) r.functions[0] = compositions[r.configs == 1 ? number : number < 18 ? 6 : 7];
		if (number < 23 && r.configs == 2) r.functions[1] = compositions[8 + (number - 13) % 5];
		add_row(o, &r);
	}
	return true;
}

/* ---- target: [PORT:][PID/]MODE[@CONFIG][!] ---- */

/* How many network families are in a bitmask. */
static unsigned count_families(uint32_t bits) {
	unsigned n = 0;
	for (unsigned i = 0; i < LEN(families); i++) n += (bits & families[i]) != 0;
	return n;
}

/* Function names joined by `+` into function bits; behind the last one on success. */
static bool parse_names(const char **s, uint32_t *bits) {
	for (*bits = 0;; ++*s) {
		size_t n = 0;
		unsigned f = 0;
		while ((*s)[n] >= 'a' && (*s)[n] <= 'z') n++;
		while (f < FUNCTIONS && !is_word(*s, n, functions[f].name) && !is_word(*s, n, functions[f].alias)) f++;
		if (!n || f == FUNCTIONS) return false;
		*bits |= BIT(f);
		*s += n;
		if (**s != '+') return true;
	}
}

/* False for what cannot be understood, and for what no modem can have. */
static bool parse_target(struct target *t, const char *text) {
	const char *s = t->text, *slash;
	uint32_t config = 0;
	uint16_t pid;
	size_t n = strlen(text);
	memset(t, 0, sizeof *t);
	t->pid = UNKNOWN;
	if (n >= sizeof t->text) return false;
	for (size_t i = 0; i < n; i++) t->text[i] = lower(text[i]);
	if ((n = portlen(s)) && s[n] == ':') {
		copy_port(t->port, s, n);
		s += n + 1;
	}
	slash = s;
	if (read_pid(&slash, &pid) && *slash == '/') {
		t->pid = pid;
		s = slash + 1;
	}
	if (!strcmp(s, "off")) return t->pid == UNKNOWN;
	if (s[0] == '0' && s[1] == 'x') {
		t->mode = BITS;
		s += 2;
		if (!digits(&s, 16, UINT32_MAX, &t->value) || !t->value || count_families(t->value) > 1) return false;
	} else if (digits(&s, 10, 255, &t->value)) {
		t->mode = NUMBER;
	} else if (begins(s, "modem") && s[5] != '+') {
		t->mode = LEAVE;
		s += 5;
	} else {
		t->mode = NAMES;
		if (!parse_names(&s, &t->value) || ((t->value & NETS) & ((t->value & NETS) - 1))) return false;
	}
	if (*s == '@' && (++s, !digits(&s, 10, 255, &config) || !config)) return false;
	t->config = (uint8_t)config;
	t->bare = *s == '!';
	return !s[t->bare] && !(t->mode == LEAVE && (t->bare || t->pid != UNKNOWN));
}

/* ---- decide: every rule of what may be done to a modem; no system call, no clock, no device ---- */

enum { SELECTIONS = 5, RESETS = 2 }; /* at most: of one start of the modem, of all */

static struct step step(enum doing doing, uint32_t value) { return (struct step){ .doing = doing, .value = value }; }
static struct step refuse(enum why why) { return (struct step){ .doing = REFUSE, .why = why }; }

/* Two PIDs that are known, and not the same. */
static bool unlike(int a, int b) { return a != b && a != UNKNOWN && b != UNKNOWN; }

/* The PID stored; the one that runs where nobody says, as over QMI. */
static int pid_of(const struct modem *m, const struct offer *o) { return o->pid == UNKNOWN ? m->pid : o->pid; }

/* Is something else stored in the one than in the other? */
static bool differs(const struct offer *a, const struct offer *b) { return unlike(a->pid, b->pid) || a->now != b->now; }

/* A change was begun and is neither in nor put back. */
static bool unfinished(const struct work *w) {
	const struct past *p = &w->p;
	if (!p->written || (p->committed && p->why != NO_RESET)) return false;
	return !p->asked || differs(&w->o, &p->found) || differs(&w->o, &p->running);
}

/* The next step of the way back: what was found is stored again, as long as the target has not gone in with a reset. */
static struct step back_out(const struct work *w) {
	const struct past *p = &w->p;
	const struct offer *o = &w->o, *found = &p->found;
	bool begun = p->asked && unfinished(w), other = p->config && p->config != w->m.active;
	if (begun && o->dialect == INDEX && unlike(o->pid, found->pid) && !(p->restored & PID))
		return step(WRITE_PID, (uint32_t)found->pid);
	if (begun && o->now != found->now && !(p->restored & COMP)) return step(WRITE_COMP, found->now);
	if (begun && !differs(o, found) && p->resets < RESETS && p->why != NO_RESET) return step(RESET, false);
	return other && p->selections < SELECTIONS && !p->stop ? step(SELECT, p->config) : step(REFUSE, 0);
}

/* The configuration that has all these functions, the active one first, or only that one if it is given; 0 = none. */
static uint8_t find_config(const struct modem *m, unsigned bits, uint8_t only) {
	uint8_t found = 0;
	for (const struct config *c = m->config; c < m->config + m->configs; c++) {
		if ((only && only != c->value) || (bits & ~functions_of(m, c))) continue;
		if (!found || c->value == m->active) found = c->value;
	}
	return found;
}

/* The configuration to be in: of names the one that has them, else the one asked for. 0 = none, or any. */
static uint8_t wanted_config(const struct work *w) {
	return w->t->mode == NAMES ? find_config(&w->m, w->t->value, w->t->config) : w->t->config;
}

/* Storage is left by a configuration where there is one, the wanted one first, else by a flip. */
static struct step leave_storage(const struct work *w) {
	uint8_t wanted = wanted_config(w), config = 0;
	for (const struct config *c = w->m.config; c < w->m.config + w->m.configs; c++)
		if ((functions_of(&w->m, c) & ~BIT(MS)) && (!config || c->value == wanted)) config = c->value;
	if (config) return step(SELECT, config);
	return w->p.mute || w->p.flips >= FLIPS ? refuse(w->p.mute ? w->p.mute : NO_LEAVE) : step(FLIP, 0);
}

/* The target is there; what is left is to select its configuration, for a number the one that the kernel chose, and to
 * see whether it lasts. */
static struct step settle(const struct work *w) {
	uint8_t config = wanted_config(w);
	if (!config) config = w->p.config ? w->p.config : w->m.active;
	if (!config_of(&w->m, config)) return refuse(NO_SUCH_CONFIG);
	if (config != w->m.active) return step(SELECT, config);
	return step(w->p.written && !w->p.stayed ? WATCH : DONE, 0);
}

/* The functions that what is stored promises for the first or the second configuration; 0: none, or nobody knows. */
static unsigned promised(const struct offer *o, unsigned config) {
	const struct row *r = find_row(o, o->now);
	unsigned bits = 0;
	if (o->dialect != MASK) return r ? r->functions[config] : 0;
	for (unsigned f = 0; !config && f < FUNCTIONS; f++) bits |= o->now & functions[f].bit ? BIT(f) : 0;
	return bits;
}

/* Is what is stored to be seen: AT port and network, in each configuration? The numbers of the others differ. Names are
 * not judged by it. */
static bool shows(const struct work *w) {
	unsigned first = promised(&w->o, 0), second = promised(&w->o, 1), seen = BIT(AT) | NETS;
	return w->t->mode != NAMES && !(first & seen & ~functions_of(&w->m, &w->m.config[0])) &&
	       !(second & seen & ~functions_of(&w->m, &w->m.config[1])) && (second || !first || w->m.configs < 2);
}

/* Where to ask: an AT port before all others, be it in another configuration. What went in with a reset and can be seen
 * needs no answer from there. A bitmask is asked for by AT alone: QMI has other numbers. */
static struct step find_port(const struct work *w) {
	static const uint8_t ports[] = { AT, MBIM, QMI };
	const struct past *p = &w->p;
	bool known = (promised(&w->o, 0) | promised(&w->o, 1)) & (BIT(AT) | NETS);
	bool seen = p->committed && !p->why && known && shows(w) && !unlike(w->t->pid, w->m.pid);
	for (unsigned i = 0; i < (p->found.dialect == MASK ? 1 : LEN(ports)) && !p->mute; i++) {
		uint8_t config = find_config(&w->m, BIT(ports[i]), seen ? w->m.active : 0);
		if (config) return step(config == w->m.active ? ASK : SELECT, config);
	}
	return seen ? settle(w) : refuse(p->mute ? p->mute : NO_PORT);
}

static bool row_serves(const struct row *r, const struct target *t) {
	if (!r->supported || t->mode == NUMBER) return r->supported && r->number == t->value;
	for (unsigned c = 0; c < r->configs && c < LEN(r->functions); c++)
		if ((!t->config || t->config == c + 1) && !(t->value & ~(unsigned)r->functions[c])) return true;
	return false;
}

/* The best row for the target: what the modem has, with an AT port, one configuration, fewest functions that nobody
 * asked for, lowest number. NULL = none; without an AT port only if bare. */
static const struct row *pick(const struct work *w, bool bare) {
	const struct offer *o = &w->o;
	const struct row *best = NULL;
	unsigned least = 0;
	for (const struct row *r = o->row; r < o->row + o->rows; r++) {
		unsigned all = r->functions[0] | r->functions[1], cost = r->number;
		bool has = r->number == o->now && !w->p.written; /* what follows a written PID is not yet what it has */
		if (!row_serves(r, w->t) || (!(all & BIT(AT)) && !bare && !has)) continue;
		if (r->number == o->now) return r;
		for (unsigned extra = all & ~w->t->value; extra; extra &= extra - 1) cost += 1u << 8;
		cost += (r->configs > 1 ? 1u << 12 : 0) + (all & BIT(AT) ? 0 : 1u << 13);
		if (!best || cost < least) best = r, least = cost;
	}
	return best;
}

/* The numbered compositions of !UDUSBCOMP and QMI: the one to be stored, or what may bring one. */
static struct step choose_row(const struct work *w) {
	const struct target *t = w->t;
	const struct past *p = &w->p;
	const struct offer *o = &w->o;
	const struct row *r = pick(w, t->bare), *is = find_row(o, o->now);
	uint32_t pid = (uint32_t)t->pid;
	bool has = !p->written || p->committed; /* what follows a written PID is not yet what it has */
	if (t->mode == BITS) return refuse(NO_BITS);
	if (unlike(t->pid, pid_of(&w->m, o))) {
		if (o->dialect == WIRE || o->pid == UNKNOWN) return refuse(o->dialect == WIRE ? PID_DIFFERS : NO_LIST);
		return has16(o->pids, o->npids, pid) ? step(WRITE_PID, pid) : refuse(PID_NOT_LISTED);
	}
	if (t->mode == NUMBER && t->value == o->now && has) return step(WRITE_COMP, o->now); /* listed or not */
	if (r) return t->config > r->configs ? refuse(NO_SUCH_CONFIG) : step(WRITE_COMP, r->number);
	/* another PID may have one, by config.h's table */
	for (unsigned i = 0; t->mode == NAMES && t->pid == UNKNOWN && !p->written && i < LEN(moves); i++) {
		if (moves[i].from != o->pid || (t->value & ~(uint32_t)moves[i].functions)) continue;
		if (has16(o->pids, o->npids, moves[i].to)) return step(WRITE_PID, moves[i].to);
	}
	/* the one that was written may have it after a reset, unless the list speaks for it already: it is another than
	 * before, and has the present composition */
	bool speaks = is && is->supported && memcmp(o->row, p->running.row, sizeof o->row);
	if (p->written == PID && !p->resets && differs(o, &p->running) && !speaks) return step(RESET, false);
	return refuse(!o->rows ? NO_LIST : pick(w, true) ? NO_AT : NOT_LISTED);
}

/* The bitmask of !USBCOMP to be stored: as given; or names added to what is there, with the AT port, and of the
 * networks only theirs. Its type stays as the modem has it. */
static struct step choose_mask(const struct work *w) {
	const struct target *t = w->t;
	const struct offer *o = &w->o;
	bool number = t->mode == NUMBER, named = number && (t->value == 6 || t->value == 8 || t->value == 9);
	uint32_t names = named ? compositions[t->value] : t->value, bits = 0;
	uint32_t mask = o->now | (t->bare ? 0 : functions[AT].bit);
	for (unsigned f = 0; f < FUNCTIONS; f++) bits |= names & BIT(f) ? functions[f].bit : 0;
	for (unsigned i = 0; i < LEN(families); i++)
		if (count_families(bits) && !(bits & families[i])) mask &= ~families[i];
	mask = t->mode == BITS ? t->value : mask | bits;
	if (number && !named) return refuse(NO_INDEX);
	if (unlike(t->pid, pid_of(&w->m, o))) return refuse(PID_DIFFERS);
	if (t->mode != BITS && (names & (BIT(NET) | BIT(MS)))) return refuse(NO_BIT);
	enum why why = mask == o->now ? FINE : !o->bits ? NO_LIST : !(o->types & BIT(o->type)) ? NO_TYPE :
		mask & ~o->now & ~o->bits ? NOT_LISTED : !(mask & functions[AT].bit) && !t->bare ? NO_AT :
		t->config > 1 ? NO_SUCH_CONFIG : FINE;
	return why ? refuse(why) : step(WRITE_COMP, mask);
}

/* The modem runs: ask, choose, write, reset, in this order and as little of it as possible. */
static struct step approach(const struct work *w) {
	const struct target *t = w->t;
	const struct past *p = &w->p;
	const struct offer *o = &w->o;
	bool over = p->why || p->stop, begun = unfinished(w);
	if (over && (p->asked || !begun)) return refuse(STOPPED); /* or why it was over before */
	if (!over && t->mode == LEAVE) return settle(w);
	if (!begun && t->mode == NAMES && !unlike(t->pid, w->m.pid) && wanted_config(w)) return settle(w);
	if (!p->asked) return find_port(w);
	/* read back: what was written must be what is stored, and nothing else may have moved */
	if (p->written && !p->committed && (unlike(o->pid, p->written & PID ? p->pid : p->found.pid) ||
					    ((p->written & COMP) && o->now != p->comp)))
		return refuse(DIFFERS);
	struct step s = o->dialect == MASK ? choose_mask(w) : choose_row(w);
	bool pid = s.doing == WRITE_PID, comp = s.doing == WRITE_COMP;
	if (comp && s.value == o->now) { /* it is stored; does it run? */
		bool runs = !differs(o, &p->running) && (p->resets || shows(w));
		if (!runs && p->resets < RESETS) return step(RESET, true);
		return t->mode == NAMES ? refuse(NOT_SHOWN) : settle(w);
	}
	if (pid ? p->written : comp && (p->committed || (p->written & COMP))) return refuse(DIFFERS);
	return p->late && (pid || comp) ? refuse(LATE) : s;
}

/* The next step, from what is seen (m), what was answered (o, once asked), what is wanted (t) and what was done so far
 * (p). Every chain of steps ends in DONE or REFUSE. A step with a why is on the way back. */
static struct step decide(const struct work *w) {
	static const uint8_t absent[] = {
		[GONE] = MISSING, [FOREIGN] = NOT_OURS, [BOOT] = IN_BOOT, [MODEM] = UNCONFIGURED,
	};
	const struct past *p = &w->p;
	bool ready = w->m.kind == MODEM && w->m.active;
	enum why why = p->losses >= LOSSES + p->resets ? CRASHES : w->m.barred ? BARRED : FINE;
	if (p->stop && !unfinished(w)) why = STOPPED;
	struct step s = why ? refuse(why) : ready ? approach(w) : w->m.kind == STORAGE ? leave_storage(w) :
		(struct step){ .doing = WAITING, .why = absent[w->m.kind] };
	if (s.doing == SELECT && p->selections >= SELECTIONS) s = refuse(NO_CONFIG);
	if (s.doing != REFUSE) return s;
	enum why first = p->why ? p->why : s.why;
	if (ready && !why) s = back_out(w);
	s.why = first;
	return s;
}

/* ---- act: the only room that touches a modem ---- */

/* Has the modem left its port, or started again, before until? */
static bool has_left(const struct work *w, int64_t until) {
	for (int r = 1;; r = watch(until)) {
		struct modem m;
		look(&m, w->m.port);
		if (!same(&m, &w->m)) return true;
		if (r <= 0) return false;
	}
}

/* SetSwocMode, three times at most, a port reset before the last. Whether it stalls or times out, only leaving counts.
 * Where usb-storage is, it asks by itself, unless told not to (2), and comes first. GetSwocInfo is for the log alone: a
 * Linux package on the stick is no reason to leave it there. */
static void flip(struct work *w) {
	char name[NAME];
	bool kernel = first(name, "", SYS "/bus/usb/drivers/usb-storage") &&
		      number_in(SYS "/module/usb_storage/parameters/swi_tru_install") != 2;
	w->p.flips++;
	w->p.mute = NO_NODE;
	if (kernel) say(INFO, "the kernel's usb-storage asks first");
	for (unsigned try = kernel ? 0 : 1; try <= 3 && !stopped(); try++) {
		uint8_t info[60] = { 0 };
		int fd = try ? open_usbfs(&w->m) : -1;
		doing("waiting for the stick to leave storage mode");
		if (fd >= 0) {
			if (try == 1 && control(fd, 0xc0, 0x0a, 0, 0, info, sizeof info) >= 13)
				say(INFO, "SWoC %u, SKU %4X, version %4X", info[0], le16(info + 9), le16(info + 11));
			if (try == 3) usbfs(fd, USBDEVFS_RESET, NULL);
			int r = control(fd, 0x40, 0x0b, 1, 0, NULL, 0);
			if (r >= 0 || errno == EPIPE) heard();
			say(INFO, "SetSwocMode 1: %s", r < 0 ? reason(errno) : "accepted");
			close(fd);
			w->p.mute = NO_LEAVE;
		}
		if (has_left(w, sooner(patience(), try ? now() + FLIP_MS : w->since + KERNEL_FLIP_MS))) return;
	}
}

static void hang_up(struct work *w) {
	const char *port = w->m.port;
	if (w->l.carrier) close_qmi(&w->l);
	close_link(&w->l);
	if (w->awake && w->awake == number_in(device_file(port, "devnum")))
		spit(device_file(port, "power/control"), "auto");
	w->awake = 0;
}

/* Opens the way to an interface: the file that a driver makes, waited for where there is such a driver; or usbfs. */
static enum why dial(struct work *w, const struct interface *i, bool encapsulated) {
	struct link *l = &w->l;
	struct text interface = { "" };
	char name[NAME], power[2];
	enum why why;
	hang_up(w);
	l->number = i->number;
	l->message = i->message;
	l->mbim = encapsulated && i->class != VENDOR;
	add(&interface, "%s:%u.%u", w->m.port, w->m.active, i->number);
	/* autosuspend is off while the modem is talked to */
	slurp(power, sizeof power, device_file(w->m.port, "power/control"));
	if (power[0] == 'a' && spit(g.path.s, "on")) w->awake = w->m.devnum;
	bool expected = first(name, "", encapsulated ? SYS "/bus/usb/drivers/cdc_wdm" : SYS "/bus/usb-serial/drivers");
	do why = open_file(l, interface.s, encapsulated);
	while (why == MUTE && expected && watch(sooner(w->since + TTY_MS, g.deadline)) > 0);
	if (why == MUTE) why = open_urbs(l, &w->m, i, encapsulated);
	const char *by = l->carrier == URBS ? "usbfs" : "its driver";
	say(DEBUG, "interface %u by %s: %s", i->number, by, why ? "not opened" : "open");
	return why;
}

/* Swallows what is still on its way: answers to what was asked twice, or by who came before and was killed. */
static void drain(struct link *l) {
	uint8_t chunk[CHUNK];
	int64_t until = now() + ANSWER_MS;
	while (now() < until && receive(l, chunk, now() + (int64_t)2 * RETRY_MS) > 0) continue;
}

/* Asks what is stored, by AT for the lists only if they are wanted. Once something was written an AT answer without
 * the PID is none. What was known before stays then. */
static bool read_back(struct work *w, bool lists) {
	struct offer o = w->o;
	bool wire = w->l.client, answered = wire ? ask_qmi(&w->l, &o) : ask_at(&w->l, &o, lists);
	if (!wire && o.pid == UNKNOWN && w->p.found.pid != UNKNOWN && w->p.written) answered = false;
	if (answered) w->o = o;
	return answered;
}

/* Asks an AT port: is there life, does it unlock, does it answer. The code is sent once. Who answers at once, but to
 * another question, may be out of step, and is asked again. */
static enum why talk_at(struct work *w, int64_t until) {
	const char *text = w->l.text;
	struct text command;
	enum result r = SILENT;
	unsigned asked = 0;
	doing("waiting for an answer on interface %u", w->l.number);
	for (; r == SILENT && !text[0] && now() < until && !stopped(); asked++) r = at_within(&w->l, "ATI", RETRY_MS);
	if (r == GONE_OFF || (r == SILENT && !text[0])) return MUTE;
	if (asked > 1) drain(&w->l);
	print(&command, "AT!ENTERCND=\"%s\"", g.code);
	if (at(&w->l, command.s) == FAILED) return LOCKED;
	until = now() + ANSWER_MS;
	bool answers = read_back(w, true);
	if (!answers && !w->l.gone && now() < until) {
		drain(&w->l);
		answers = read_back(w, true);
	}
	return answers ? FINE : STRANGE;
}

/* Opens a link to the first interface that answers and asks, AT before the rest. Where AT answers, it alone decides. */
static enum why ask(struct work *w) {
	enum { DIAG = 0x30, GONE_MS = 1000 }; /* bInterfaceProtocol of the EM91's interface 4 */
	static const uint8_t ports[] = { AT, SPARE, MBIM, QMI };
	const struct interface *found[LEN(ports)];
	unsigned n = 0;
	enum why why = NO_PORT;
	for (unsigned p = 0; p < LEN(ports); p++)
		if ((found[p] = find_function(&w->m, config_of(&w->m, w->m.active), ports[p]))) n++;
	for (unsigned p = 0; p < LEN(ports) && !stopped(); p++) {
		if (p > 1 && (why == STRANGE || w->p.found.dialect == MASK)) break;
		if (!found[p] || (ports[p] == SPARE && (found[p]->protocol == DIAG || !found[0]))) continue;
		int64_t until = n > 1 ? sooner(patience(), now() + DEAF_MS) : patience();
		enum why one = dial(w, found[p], p > 1);
		if (!one && p < 2) one = talk_at(w, until);
		else if (!one && !(open_qmi(&w->l) && read_back(w, true))) one = w->l.gone ? MUTE : NO_TUNNEL;
		if (one == FINE || one == HELD || one == LOCKED) return one;
		if (why != STRANGE) why = one;
	}
	if (w->l.gone) has_left(w, now() + GONE_MS); /* the link was told first */
	return why;
}

/* What is stored: the PID, and the composition or the bitmask. */
static void name_setting(struct text *t, const struct modem *m, const struct offer *o) {
	add(t, o->dialect == MASK ? "PID %4X bits %X" : "PID %4X composition %u", (unsigned)pid_of(m, o), o->now);
}

/* Opens a link and asks. */
static void inquire(struct work *w) {
	struct past *p = &w->p;
	struct text t = { "has " };
	p->mute = ask(w);
	p->asked = !p->mute;
	if (p->mute) return;
	if (!p->running.dialect) p->running = w->o;
	if (!p->written) p->found = w->o;
	name_setting(&t, &w->m, &w->o);
	say(INFO, "%s", t.s);
}

/* The state in which a modem is left, kept where the parent can read it should the child hang. */
static void note_state(const struct work *w) {
	const struct past *p = &w->p;
	struct text *t = &g.me->left;
	if (!p->written) return;
	if (p->asked && !differs(&w->o, &p->found)) {
		print(t, "what was found is stored");
	} else {
		print(t, p->asked ? "stored is " : "not read back: ");
		name_setting(t, &w->m, &w->o);
		add(t, " (was ");
		name_setting(t, &w->m, &p->found);
		add(t, ")");
	}
	if (p->asked && differs(&w->o, &p->running)) add(t, ", not reset into");
}

/* One setting: written once, read back at once. What the read-back says is decide()'s to judge. */
static void write_setting(struct work *w, const struct step *s) {
	struct past *p = &w->p;
	struct offer *o = &w->o;
	struct text command;
	bool pid = s->doing == WRITE_PID;
	uint8_t number = (uint8_t)s->value;
	uint32_t old = o->now;
	*(s->why ? &p->restored : &p->written) |= pid ? PID : COMP;
	if (pid)
		p->pid = o->pid = (int)s->value;
	else
		p->comp = o->now = s->value;
	p->asked = false; /* nobody knows, until it is read back */
	note_state(w);
	g.hold = g.me->written = true;
	if (o->dialect == WIRE) {
		bool taken = !qmi(&w->l, DMS, SET_COMP, &number, 1);
		p->asked = read_back(w, false);
		if (taken && o->now == old) o->now = s->value; /* it may tell what runs until the reset */
	} else {
		print(&command, pid ? "AT!UDPID=%4X" : "AT!UDUSBCOMP=%u", s->value);
		if (o->dialect == MASK) print(&command, "AT!USBCOMP=1,%u,%X", o->type, s->value);
		at(&w->l, command.s);
		p->asked = read_back(w, pid);
	}
}

/* A reset is done when the modem has left the bus. */
static void reset(struct work *w, bool last) {
	struct past *p = &w->p;
	bool wire = w->o.dialect == WIRE;
	for (uint8_t mode = 3; wire && mode <= 4; mode++) qmi(&w->l, DMS, SET_MODE, &mode, 1); /* offline, reset */
	if (!wire) at(&w->l, "AT!RESET");
	hang_up(w);
	doing("waiting for the modem to leave the bus");
	p->resets++;
	p->committed = last && p->written;
	if (!has_left(w, sooner(now() + LEAVE_MS, g.deadline)) && !stopped()) p->why = NO_RESET;
}

/* Through sysfs, which unbinds the drivers itself, and blocks while others are probed. */
static void select_config(struct work *w, uint32_t value) {
	struct past *p = &w->p;
	struct text text;
	hang_up(w);
	doing("waiting for the kernel to select configuration %u", value);
	if (!p->config && w->m.kind == MODEM) p->config = w->m.active;
	p->selections++;
	print(&text, "%u", value);
	if (!spit(device_file(w->m.port, "bConfigurationValue"), text.s)) {
		say(INFO, "configuration %u: %s", value, reason(errno));
		p->selections = SELECTIONS;
	}
	w->since = now();
}

/* ---- work: one modem, until decide() says that it is over ---- */

/* What the modem offers. */
static void name_offer(struct text *t, const struct offer *o) {
	for (unsigned i = 0; i < o->npids; i++) add(t, "%s%4X", i ? "," : "PIDs ", o->pids[i]);
	if (o->dialect == MASK) add(t, "%stype %u bits %X", o->npids ? " " : "", o->type, o->bits);
	const char *before = o->npids ? " compositions " : "compositions ";
	for (const struct row *r = o->row; r < o->row + o->rows; r++) {
		if (!r->supported) continue;
		add(t, "%s%u", before, r->number);
		before = ",";
	}
}

/* The verdict on a modem that is not in its target mode. */
static int fail(struct slot *s, const struct modem *m, enum why why, const char *more) {
	add(&s->verdict, "%4x:%4x not in mode %s: %s%s; %s; next: %s", m->vid, m->pid, s->target->text, whys[why], more,
	    s->left.s[0] ? s->left.s : "nothing was written", whys[why] + strlen(whys[why]) + 1);
	return 1;
}

/* The name of the driver that an interface is bound to, "" for none. */
static const char *driver_of(const struct modem *m, const struct interface *i, char link[PATH]) {
	return base_of(link, interface_file(m, i->number, "driver"));
}

/* The verdict on one that is. */
static int succeed(struct slot *s, const struct modem *m) {
	const struct config *c = config_of(m, m->active);
	unsigned all = functions_of(m, c), wanted = s->target->mode == NAMES ? s->target->value : all, f = 0;
	add(&s->verdict, "%4x:%4x in mode %s:", m->vid, m->pid, s->target->text);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		if (all & BIT(i)) add(&s->verdict, " %s", functions[i].name);
	if (wanted & NETS) wanted &= NETS;
	while (f < FUNCTIONS && !(wanted & BIT(f))) f++;
	const struct interface *i = find_function(m, c, f);
	if (i) {
		char link[PATH];
		const char *driver = driver_of(m, i, link);
		add(&s->verdict, driver[0] ? "; %s driven by %s" : "; %s has no driver, %s would be its",
		    functions[f].name, driver[0] ? driver : functions[f].module);
	}
	for (unsigned j = 0; j < m->configs; j++) all |= functions_of(m, &m->config[j]);
	if (!(all & BIT(AT)) && s->target->mode != LEAVE && !s->target->bare) add(&s->verdict, "; warning: no AT port");
	return 0;
}

/* Looks at the port, or its companion if the modem went over there, and keeps account of its comings and goings. */
static void meet(struct work *w) {
	struct past *p = &w->p;
	struct modem m;
	look(&m, g.me->port);
	if (!m.kind && g.me->peer[0]) look(&m, g.me->peer);
	if ((m.kind || w->m.kind) && !same(&m, &w->m)) {
		p->losses += w->m.kind == MODEM;
		if (p->why == NO_RESET && !p->restored) p->why = FINE;
		w->l.gone = true;
		hang_up(w);
		p->asked = false;
		p->mute = FINE;
		p->selections = p->config = 0;
		p->running.dialect = NOBODY;
		w->since = now();
		heard();
	}
	if (!m.kind) m.vid = w->m.vid, m.pid = w->m.pid; /* for the verdict on one that is gone */
	w->m = m;
}

/* Does one step. Returns the child's exit status, or UNKNOWN to go on. */
static int act(struct work *w, const struct step *s) {
	static const char *const names[] = {
		[FLIP] = "leave storage mode", [SELECT] = "select configuration %u", [WRITE_PID] = "write PID %4X",
		[WRITE_COMP] = "write composition %u", [RESET] = "reset the modem",
	};
	struct past *p = &w->p;
	struct text text = { "" };
	bool bounded = w->m.kind == BOOT || w->m.kind == FOREIGN;
	if (s->why && s->doing != WAITING) p->why = s->why;
	if (s->doing >= WRITE_PID && s->doing <= RESET && !w->l.carrier) { /* closed meanwhile: ask again first */
		p->asked = false;
		return UNKNOWN;
	}
	if (s->doing <= RESET && names[s->doing]) {
		bool mask = s->doing == WRITE_COMP && w->o.dialect == MASK;
		add(&text, mask ? "write bitmask %X" : names[s->doing], s->value);
		say(g.dry ? VERDICT : INFO, "%s%s", g.dry ? "would " : s->why ? "back: " : "", text.s);
		if (g.dry) { /* no step after it can be known, but for the reset */
			if (s->doing == WRITE_COMP) say(VERDICT, "would reset the modem");
			add(&g.me->verdict, "dry run: nothing stands against it");
			return 0;
		}
	}
	switch (s->doing) {
	case WAITING:
		doing("waiting for the modem");
		if (watch(bounded ? sooner(w->since + BOOT_MS, patience()) : patience())) return UNKNOWN;
		return fail(g.me, &w->m, s->why, "");
	case FLIP: flip(w); return UNKNOWN;
	case SELECT: select_config(w, s->value); return UNKNOWN;
	case ASK: inquire(w); return UNKNOWN;
	case WRITE_PID:
	case WRITE_COMP: write_setting(w, s); return UNKNOWN;
	case RESET: reset(w, s->value); return UNKNOWN;
	case WATCH:
		doing("watching whether the modem stays");
		if (watch(sooner(w->since + STAY_MS, g.deadline)) || now() >= w->since + STAY_MS) return UNKNOWN;
		return fail(g.me, &w->m, LATE, " to see whether it stays");
	case DONE: return succeed(g.me, &w->m);
	case REFUSE: break;
	}
	if (s->why == NOT_LISTED || s->why == NO_AT || s->why == PID_NOT_LISTED || s->why == NO_SUCH_CONFIG) {
		print(&text, "; on offer: ");
		name_offer(&text, &w->o);
		for (unsigned i = 0; i < w->m.configs; i++)
			add(&text, "%s%u", i ? "," : " configurations ", w->m.config[i].value);
	}
	return fail(g.me, &w->m, s->why, text.s);
}

static int work(struct work *w) {
	int status;
	do {
		meet(w);
		w->p.stop = g.stop;
		w->p.stayed = now() >= w->since + STAY_MS;
		w->p.late = g.deadline - now() < MARGIN_MS;
		g.hold = unfinished(w);
		struct step s = decide(w);
		status = act(w, &s);
		note_state(w);
	} while (status == UNKNOWN);
	hang_up(w);
	return status;
}

/* ---- list: one modem, one line ---- */

static int list(struct work *w) {
	static const char *const kinds[] = { "gone", "foreign", "storage", "modem", "boot" };
	const struct modem *m = &w->m;
	struct text *t = &g.me->verdict, interface;
	char name[NAME], link[PATH];
	do meet(w);
	while (m->kind == MODEM && !m->active && !m->barred && watch(patience()) > 0);
	const struct config *c = config_of(m, m->active);
	const struct interface *port = find_function(m, c, AT);
	add(t, "%s\t%4x:%4x\t%s\t", m->port, m->vid, m->pid, m->barred ? "unauthorized" : kinds[m->kind]);
	const char *before = "";
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		const struct interface *i = find_function(m, c, f);
		if (!i) continue;
		const char *driver = driver_of(m, i, link);
		add(t, "%s%s(%s)", before, functions[f].name, driver[0] ? driver : "-");
		before = " ";
	}
	print(&interface, "%s:%u.%u", m->port, m->active, port ? port->number : 0);
	add(t, "%s\t%s\t", before[0] ? "" : "-", !port ? "-" : find_file(name, interface.s, false) ? name : "usbfs");
	if (m->kind == MODEM && m->active) inquire(w);
	if (w->p.asked) {
		name_setting(t, m, &w->o);
		add(t, "\t");
		name_offer(t, &w->o);
	} else {
		add(t, "%s\t-", w->p.mute ? whys[w->p.mute] : "-");
	}
	hang_up(w);
	return 0;
}

/* ---- supervise: a child for every modem that is not right at first sight, and a verdict from each ---- */

static const struct target *target_for(const char *port, const char *peer) {
	const struct target *found = NULL;
	for (const struct target *t = g.target; t < g.target + g.targets; t++) {
		if (t->port[0] && (!strcmp(t->port, port) || !strcmp(t->port, peer))) return t;
		if (!t->port[0]) found = t;
	}
	return found;
}

static void pronounce(struct slot *s, int status) {
	s->settled = true;
	s->status = status;
	if (g.list) return;
	g.me = s;
	say(status ? ERROR : VERDICT, "%s", s->verdict.s);
	g.me = NULL;
}

static void start(struct slot *s, const struct modem *m) {
	struct work w;
	memset(&w, 0, sizeof w);
	w.t = s->target;
	s->heard = now();
	w.m = *m;
	if (!g.list && decide(&w).doing == DONE) {
		pronounce(s, succeed(s, m));
		return;
	}
	w.m.kind = GONE;
	pid_t pid = _Fork(); /* no handlers to run, as fork() would */
	if (!pid) {
		g.me = s;
		g.hold = false;
		open_uevents();
		_exit(g.list ? list(&w) : work(&w));
	}
	s->pid = pid; /* not in the child: the slot is shared */
	if (pid < 0) pronounce(s, fail(s, m, LOST, ""));
}

/* Finds modems on ports that have no slot yet. */
static void scan(void) {
	struct dir d;
	if (!open_dir(&d, USB)) return;
	for (const char *name; (name = next(&d));) {
		struct slot *s = g.slots;
		struct modem m;
		char peer[PORT];
		if (portlen(name) != strlen(name)) continue;
		look(&m, name);
		if (m.kind == GONE || m.kind == FOREIGN) continue;
		find_peer(peer, name);
		const struct target *t = target_for(name, peer);
		while (s < g.slots + SLOTS && s->port[0] && strcmp(s->port, name) && strcmp(s->peer, name)) s++;
		if (s == g.slots + SLOTS || s->port[0] || !t || t->mode == OFF) continue;
		copy_port(s->port, name, PORT);
		copy_port(s->peer, peer, PORT);
		s->target = t;
		start(s, &m);
	}
}

/* The verdict on a modem whose child cannot give one: its last words, and what is seen of the modem. */
static int give_up(struct slot *s, enum why why, const char *how) {
	struct modem m;
	struct text more;
	look(&m, s->port);
	s->verdict.s[0] = '\0';
	return fail(s, &m, why, print(&more, ", %s%s", s->doing.s, how));
}

/* A child that ended has left its verdict, if it was not killed and did not crash. */
static void collect(void) {
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (struct slot *s = g.slots; s < g.slots + SLOTS; s++)
			if (s->pid == pid && !s->settled)
				pronounce(s, WIFEXITED(status) ? WEXITSTATUS(status)
					: give_up(s, now() >= g.deadline ? LATE : now() > s->heard + SILENCE_MS ? MUTE : LOST, ""));
}

/* Who is still at work. Kills those who should have ended: the time is up, or their modem was silent for too long. */
static unsigned busy(void) {
	enum { GRACE_MS = 400 };
	unsigned n = 0;
	for (struct slot *s = g.slots; s < g.slots + SLOTS; s++) {
		if (s->pid <= 0 || s->settled) continue;
		n++;
		if (now() > g.deadline + GRACE_MS || (!s->written && now() > s->heard + SILENCE_MS + GRACE_MS))
			kill(s->pid, SIGKILL);
		else if (g.stop)
			kill(s->pid, SIGTERM);
	}
	return n;
}

/* Has no modem come yet for a target that wants one? Without a port it wants any. */
static bool awaits(const struct target *t) {
	const struct slot *s = g.slots;
	while (s < g.slots + SLOTS && s->port[0] && t->port[0] && s->target != t) s++;
	return t->mode != OFF && (s == g.slots + SLOTS || !s->port[0]);
}

/* One line, rewritten, for a person at a terminal. */
static void show_life(bool working) {
	const struct slot *s = g.slots;
	struct text line = { "\rswflip: " };
	while (working && (s->settled || s->pid <= 0)) s++;
	if (working) add(&line, "%s: ", s->port);
	add(&line, "%s, %u s left\033[K", working ? s->doing.s : "waiting for a modem",
	    (unsigned)(((working ? g.deadline : g.appear) - now() + 999) / 1000));
	(void)!write(2, line.s, strlen(line.s));
}

/* What is left to say when all is over, and the exit status. */
static int conclude(void) {
	int status = g.stop;
	for (struct slot *s = g.slots; s < g.slots + SLOTS && s->port[0]; s++) {
		if (!s->settled) pronounce(s, give_up(s, LATE, "; it hangs in the kernel and is left behind"));
		if (s->status == 1 || !status) status = s->status;
		add(&s->verdict, "\n");
		if (g.list) (void)!write(1, s->verdict.s, strlen(s->verdict.s));
	}
	for (const struct target *t = g.target; !g.stop && t < g.target + g.targets; t++)
		if (awaits(t)) {
			say(ERROR, "%s%sno modem%s", t->port, t->port[0] ? ": " : "",
			    access(USB, F_OK) ? ", as there is no USB (" SYS "/bus/usb); next: load the host controller's driver" : "");
			if (!status) status = 3;
		}
	return status;
}

/* One run at a time: a lock on a directory of sysfs, if it is there yet. False when another run has it at the deadline. */
static bool lock_bus(void) {
	enum { AGAIN_MS = 50 };
	if (g.lock <= 0) g.lock = open(SYS "/bus/usb", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (g.lock > 0 && flock(g.lock, LOCK_EX | LOCK_NB) < 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
		if (g.stop || now() >= g.deadline) return false;
		await(-1, 0, sooner(g.deadline, now() + AGAIN_MS));
	}
	return true;
}

static int supervise(void) {
	enum { LIFE_MS = 2000, TAIL_MS = 900, TICK_MS = 500 };
	g.hold = true; /* who is stopped here waits for the children */
	open_uevents();
	for (;;) {
		if (g.lock <= 0 && !lock_bus()) {
			say(ERROR, "another swflip is at work; next: wait for it to end");
			return 1;
		}
		scan();
		collect();
		unsigned working = busy(), awaited = 0;
		for (unsigned i = 0; i < g.targets; i++) awaited += awaits(&g.target[i]);
		if (now() >= g.deadline + TAIL_MS || (!working && (g.stop || !awaited || now() >= g.appear))) break;
		if (g.tty && g.level >= INFO && now() > g.begin + LIFE_MS) show_life(working);
		watch(working || g.tty ? now() + TICK_MS : g.appear);
	}
	if (g.tty) (void)!write(2, "\r\033[K", 4);
	flock(g.lock, LOCK_UN); /* a child left behind has it too */
	return conclude();
}

/* ---- the command line: the kernel's words, then the options over them ---- */

static const char help[] = "usage: swflip [-hklnqvV] [-a seconds] [-c code] [-w seconds] [-t target]...\n"
	"-t [PORT:][PID/]MODE[@CONFIG][!], MODE off, modem, mbim, at+qmi, 8 or 0x100D\n"
	"-a, -w seconds to wait for a modem, and for all; -c unlock code; -n dry run; -l list\n"
	"-k to the kernel's log; -q, -v less, more; -V version\n";

/* What can be set: its option, its word on the kernel's command line. */
enum { A_TARGET, A_APPEAR, A_WAIT, A_CODE, A_LOG, A_INIT, WORDS };
static const struct { char option, word[8]; } settings[WORDS] = {
	{ 't', "target=" }, { 'a', "appear=" }, { 'w', "wait=" }, { 'c', "code=" }, { 'q', "log=" }, { 0, "init=" },
};

/* Refuses what cannot be understood: where it stands, what it is, what it should be. */
static int usage(const char *where, const char *what, const char *expected) {
	say(ERROR, "%s%s: %s", where, what, expected);
	return 2;
}

/* A later target of the same port replaces an earlier one. */
static bool add_target(const char *text) {
	struct target t = { .mode = OFF };
	unsigned i = 0;
	if (!parse_target(&t, text)) return false;
	while (i < g.targets && strcmp(g.target[i].port, t.port)) i++;
	if (i == LEN(g.target)) return false;
	g.target[i] = t;
	g.targets += i == g.targets;
	return true;
}

/* Takes the next word from *s, quotes protecting blanks and gone in the result; NULL at the end. */
static char *next_word(char **s) {
	while (blank(**s)) ++*s;
	char *word = *s, *out = word;
	bool quoted = false;
	if (!**s) return NULL;
	for (; **s && (quoted || !blank(**s)); ++*s) {
		quoted ^= **s == '"';
		if (**s != '"') *out++ = **s;
	}
	if (**s) ++*s;
	*out = '\0';
	return word;
}

/* The kernel's swflip. words: the last value of each into word[], where none is given yet. Returns 0 or 2. */
static int read_kernel(char *line, const char *word[WORDS]) {
	bool given[WORDS];
	for (unsigned i = 0; i < WORDS; i++) given[i] = word[i];
	for (char *one; (one = next_word(&line)) && strcmp(one, "--");) {
		unsigned i = 0;
		if (!begins(one, "swflip.")) continue;
		while (i < WORDS && !begins(one + 7, settings[i].word)) i++;
		if (i == WORDS)
			say(WARNING, "kernel command line: unknown word %s", one);
		else if (!given[i])
			word[i] = one + 7 + strlen(settings[i].word);
		if (i == A_TARGET && !given[i] && !add_target(word[i])) return usage("kernel command line: ", one, "not a target");
	}
	return 0;
}

/* Seconds, from least to a day. */
static bool seconds(const char *text, uint32_t least, uint32_t *value) {
	return digits(&text, 10, 86400, value) && !*text && *value >= least;
}

static bool read_code(const char *code) {
	size_t n = strlen(code);
	for (const char *p = code; *p; p++)
		if ((*p < '0' || *p > '9') && ((*p | 32) < 'a' || (*p | 32) > 'z')) return false;
	if (n < 4 || n > 15) return false;
	memcpy(g.code, code, n + 1);
	return true;
}

/* Makes settings of the words, whether they come from options (of) or the kernel. Returns 0 or 2. */
static int apply(const char *word[WORDS], const char *const of[WORDS]) {
	uint32_t appear = g.list ? 0 : APPEAR, wait = WAIT, log = 1;
	if (word[A_APPEAR] && !seconds(word[A_APPEAR], 0, &appear))
		return usage(of[A_APPEAR] ? "-a " : "swflip.appear=", word[A_APPEAR], "not a number of seconds, 0 to 86400");
	if (word[A_WAIT] && !seconds(word[A_WAIT], 1, &wait))
		return usage(of[A_WAIT] ? "-w " : "swflip.wait=", word[A_WAIT], "not a number of seconds, 1 to 86400");
	if (!read_code(word[A_CODE] ? word[A_CODE] : CODE))
		return usage(of[A_CODE] ? "-c" : word[A_CODE] ? "swflip.code=" : "config.h: CODE", "", "not a code, 4 to 15 of 0-9A-Za-z");
	if (word[A_LOG] && (!seconds(word[A_LOG], 0, &log) || log > 2)) return usage("swflip.log=", word[A_LOG], "not 0, 1 or 2");
	g.level = log == 0 ? VERDICT : log == 1 ? INFO : DEBUG;
	*g.limit = g.deadline = g.begin + (int64_t)wait * 1000;
	g.appear = sooner(g.deadline, g.begin + (int64_t)appear * 1000);
	return 0;
}

/* Options into word[], targets as they come. Returns 0, 2, or UNKNOWN when all is said (-h, -V). */
static int read_options(char **argv, const char *word[WORDS]) {
	for (; *argv; argv++) {
		const char *s = *argv;
		if (!strcmp(s, "--") && !argv[1]) break;
		if (*s++ != '-' || !*s) return usage("", *argv, "not an option, see -h");
		for (; *s; s++) {
			unsigned i = 0;
			while (i < A_LOG && settings[i].option != *s) i++;
			if (i < A_LOG) {
				const char *option = *argv, *value = s[1] ? s + 1 : *++argv;
				if (!value) return usage("", option, "wants a value, see -h");
				word[i] = value;
				if (i == A_TARGET && !add_target(value)) return usage("-t ", value, "not a target");
				break;
			}
			switch (*s) {
			case 'k': g.kmsg = true; break;
			case 'l': g.list = true; break;
			case 'n': g.dry = true; break;
			case 'q': word[A_LOG] = "0"; break;
			case 'v': word[A_LOG] = "2"; break;
			case 'h': (void)!write(1, help, sizeof help - 1); return UNKNOWN;
			case 'V': (void)!write(1, "swflip " VERSION "\n", sizeof "swflip " VERSION); return UNKNOWN;
			default: return usage("", *argv, "no such option, see -h");
			}
		}
	}
	return 0;
}

/* All settings, from all sources. Returns 0, 2, or UNKNOWN when there is nothing to do. */
static int configure(char **argv) {
	const char *word[WORDS] = { NULL }, *option[WORDS];
	static char line[4098], compiled[] = TARGET;
	char *targets = compiled;
	int status = read_options(argv, word);
	if (status) return status;
	memcpy(option, word, sizeof option);
	int n = slurp(line, sizeof line, PROC "/cmdline");
	if (n < 0 && !word[A_TARGET] && !g.list) return usage(PROC "/cmdline", "", "cannot be read; next: mount /proc, or give -t");
	if (n < 0) say(WARNING, PROC "/cmdline cannot be read, its words are not known");
	if (n > 4096) return usage(PROC "/cmdline", "", "longer than 4096 bytes");
	if ((status = read_kernel(line, word)) || (status = apply(word, option))) return status;
	for (char *one; !word[A_TARGET] && (one = next_word(&targets));)
		if (!add_target(one)) return usage("config.h: TARGET ", one, "not a target");
	if (g.list) { /* any modem, whatever is wanted of it */
		memset(g.target, 0, sizeof g.target);
		g.target[0].mode = LEAVE;
		g.targets = 1;
	}
	for (unsigned i = 0; i < g.targets; i++)
		if (g.target[i].mode != OFF) return 0;
	return UNKNOWN;
}

static int run(char **argv) {
	struct termios t;
	int status = configure(argv);
	if (status) return status == UNKNOWN ? 0 : status;
	if (access(SYS "/bus", F_OK)) return usage(SYS, "", "not mounted; next: mount -t sysfs sysfs /sys");
	g.tty = !g.kmsg && !tcgetattr(2, &t);
	return supervise();
}

/* ---- process 1: no failure keeps the machine from booting ---- */

/* Mounts what is missing, lets a child do the work, waits for it no longer than its deadline and a second, and becomes
 * the next init, with the arguments that the kernel gave. */
static int first_process(char **argv) {
	static const struct { const char *type, *where; } mounts[] = { { "proc", PROC }, { "sysfs", SYS }, { "devtmpfs", DEV } };
	static char init[] = "/init", sbin_init[] = "/sbin/init", sh[] = "/bin/sh", line[4098];
	const char *word[WORDS] = { [A_TARGET] = "" };
	bool mounted[LEN(mounts)], made[LEN(mounts)];
	struct stat me = { 0 }, st;
	sigset_t none;
	for (unsigned i = 0; i < LEN(mounts); i++) {
		made[i] = !mkdir(mounts[i].where, 0755);
		mounted[i] = !mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	if (stat(PROC "/self/exe", &me) < 0) stat(argv[0], &me);
	*g.limit = g.begin + (int64_t)WAIT * 1000;
	g.hold = true; /* nothing stops process 1 */
	pid_t pid = _Fork();
	if (!pid) {
		setpgid(0, 0);
		_exit(run((char *[]){ NULL }));
	}
	while (pid > 0 && !waitpid(pid, NULL, WNOHANG) && now() < *g.limit + 1000) await(-1, 0, now() + 100);
	if (pid > 0) kill(-pid, SIGKILL);
	g.level = ERROR; /* the child has said it all */
	if (slurp(line, sizeof line, PROC "/cmdline") > 0) read_kernel(line, word);
	for (unsigned i = LEN(mounts); i-- > 0;) {
		if (mounted[i]) umount2(mounts[i].where, MNT_DETACH);
		if (made[i]) rmdir(mounts[i].where);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	char *next_init[] = { (char *)word[A_INIT], init, sbin_init, sh };
	for (unsigned i = 0; i < LEN(next_init); i++) {
		if (!next_init[i] || stat(next_init[i], &st) < 0 || (st.st_dev == me.st_dev && st.st_ino == me.st_ino)) continue;
		argv[0] = next_init[i];
		execv(next_init[i], argv);
	}
	return usage("", "init", "nothing to become");
}

int main(int argc, char **argv) {
	static const uint8_t heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE };
	sigset_t signals;
	int fd;
	while (((fd = open(DEV "/null", O_RDWR)) >= 0 || (fd = open("/", O_RDONLY)) >= 0) && fd <= 2) continue;
	if (fd > 2) close(fd);
	g.begin = now();
	g.level = INFO;
	sigemptyset(&signals); /* not even a console that goes away (SIGPIPE) may end a change in the middle */
	for (unsigned i = 0; i < LEN(heeded); i++) sigaddset(&signals, heeded[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	g.signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	g.limit = mmap(NULL, sizeof *g.limit + sizeof *g.slots * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g.limit == MAP_FAILED) return usage("", "memory", "none to be had");
	g.slots = (struct slot *)(g.limit + 1);
	return getpid() == 1 && access(PROC "/self", F_OK) ? first_process(argv) : run(argv + (argc > 0));
}

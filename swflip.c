/* swflip - bring a Sierra Wireless USB modem into its target mode, once, at early boot
 * ISC licence, see LICENSE. Manual page: swflip.8. What can be set: config.h.
 *
 * A TRU-Install stick (1199:0fff, class 08/06/50) becomes a modem by the vendor request SetSwocMode, 40 0b 0001 0000, no
 * data (linux: drivers/usb/storage/sierra_ms.c). It leaves the bus and comes back on the same port.
 * A modem's mode is kept in its flash and read at its start: !UDPID (product ID) and !UDUSBCOMP (a numbered composition)
 * up to the MC73xx, !USBCOMP (a bitmask of interfaces, bit n = bInterfaceNumber n) from the MC74xx on.
 * All want AT!ENTERCND="code" first, forget that at every reset, and take effect by AT!RESET.
 * Writing !UDPID moves !UDUSBCOMP, and the list of compositions is often that of the PID: PID first, list again.
 * A modem without an AT port takes the same numbers by QMI, DMS 0x555B and 0x555C, bare or inside MBIM.
 * A dual composition has two USB configurations; which one runs is the host's choice (bConfigurationValue).
 * Firmware takes product IDs and compositions that it does not list, and dies of them. So nothing unlisted is written.
 * Not attempted: firmware, boot loaders, turning TRU-Install off for good (no such command is known), connecting.
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
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- types: what is known of a modem, what is wanted of it, what was done to it ---- */

#define LEN(a)    (sizeof(a) / sizeof *(a))
#define BIT(n)    (1u << (n))
#define PRINTF(n) __attribute__((format(printf, (n), (n) + 1)))
#include "config.h"

enum {
	PORT = 32,
	NAME = 64,
	PATH = 256
}; /* room for a port's path, a name in sysfs, a link's content */

struct interface {
	uint8_t number, alt, class, subclass, protocol;
	uint8_t in, out, interrupt; /* endpoint addresses, 0 = none */
	uint16_t packet,
		message; /* wMaxPacketSize of in; wMaxControlMessage of an MBIM interface */
};
struct config {
	uint8_t value, interfaces;
	struct interface interface[24];
}; /* value: bConfigurationValue */

struct modem {
	char port[PORT];
	enum kind kind;
	bool barred;     /* not authorized: the kernel gives it no configuration */
	uint32_t devnum; /* another one means another start of the modem */
	uint16_t vid, pid, bcdusb;
	uint8_t active, configs; /* active: bConfigurationValue, 0 = none yet */
	struct config config[4];
};

/* A composition on offer. No gap is left, as rows are compared whole. */
struct row {
	uint8_t number, configs, comp[2];
	uint16_t functions[2], supported;
}; /* comp: of a dual row; bits; 0 or 1 */
/* What the modem answered: the same from every dialect. */
struct offer {
	enum dialect { NOBODY, INDEX, MASK, WIRE } dialect; /* !UDUSBCOMP, !USBCOMP, QMI */
	int pid;
	uint32_t now, types,
		bits; /* stored: UNKNOWN if it does not say; composition or bitmask; !USBCOMP's offer */
	uint8_t type, npids, rows;
	uint16_t pids[32];
	struct row row[40];
};

struct target {
	char text[48], port[PORT];
	enum mode { OFF, LEAVE, NAMES, NUMBER, BITS } mode;
	int pid;
	uint32_t value; /* UNKNOWN: any; function bits, composition or bitmask */
	uint8_t config;
	bool bare; /* 0: any; a composition without an AT port will do */
};

/* What was done so far: with the modem and its offer all that decide() knows. */
struct past {
	enum why
		why; /* refused, and on the way back; NO_RESET is taken back if it leaves after all */
	enum why mute; /* since its last start: does not answer, or leave storage, and why */
	bool asked, stop, late; /* late: no time left to begin a write */
	bool committed, stayed; /* the target went in with a reset; this start has lasted */
	unsigned flips, resets, losses, selections; /* losses: each time that it left as a modem */
	enum setting { PID = 1, COMP = 2 } written, restored; /* bits */
	uint8_t config; /* found active before another was selected to ask */
	int pid;
	uint32_t comp;               /* written; composition or mask */
	struct offer found, running; /* as first answered; as first answered since the last start */
};

struct step {
	enum doing {
		WAITING,
		FLIP,
		SELECT,
		ASK,
		WRITE_PID,
		WRITE_COMP,
		RESET,
		WATCH,
		DONE,
		REFUSE
	} doing;
	enum why why;
	uint32_t value; /* set on the way back, too; of RESET: the target goes in with it */
};

struct text {
	char s[640];
};
/* A port and the child that works on it, in memory that both see: the child may hang in the kernel for good. */
struct slot {
	char port[PORT], peer[PORT];
	const struct target *target;
	pid_t pid;
	int status;    /* of the child, 0 = none */
	bool written;  /* something was written: silence no longer ends it, the deadline does */
	int64_t heard; /* ms: the last sign of life */
	struct text doing, left, verdict;
};

static struct {
	enum level {
		ERROR,
		VERDICT,
		WARNING,
		INFO,
		DEBUG
	} level; /* messages above it are not said */
	bool kmsg, tty, dry, list;
	bool stop, hold; /* TERM, INT or HUP came; a change is begun, and being stopped must wait */
	char code[16];
	int64_t begin, appear, deadline,
		*limit; /* ms on CLOCK_MONOTONIC; limit: deadline, for process 1 to see */
	int uevents, signals, lock; /* descriptors, -1 or 0 = none */
	sigset_t blocked;           /* signals; they come by the descriptor alone */
	struct slot *slots, *me;    /* shared with the children; a child's own */
	unsigned targets;
	struct target target[16];
	struct text path;
} g;

/* ---- text: digits, words and bytes that nobody vouches for ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}
static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
}
/* How many blanks, or other characters up to a blank, are at s. */
static size_t span(const char *s, bool blanks)
{
	size_t n = 0;
	while (s[n] && blank(s[n]) == blanks)
		n++;
	return n;
}
static const char *skip(const char *s)
{
	return s + span(s, true);
}
static size_t word_length(const char *s)
{
	return span(s, false);
}

/* Are n characters the same, in whatever case? */
static bool alike(const char *a, const char *b, size_t n)
{
	for (; n && lower(*a) == lower(*b); a++, b++)
		n--;
	return !n;
}
static bool begins(const char *s, const char *word)
{
	return alike(s, word, strlen(word));
}
static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && begins(s, word);
}
/* Where a word begins in text, in whatever case; NULL = nowhere. */
static const char *find(const char *text, const char *word)
{
	while (*text && !begins(text, word))
		text++;
	return *text ? text : NULL;
}

/* The value of a digit, also of a hexadecimal one in either case; of another character more than any base. */
static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : lower(c) >= 'a' ? lower(c) - 'a' + 10 : 99);
}
/* Reads the digits at *s and moves behind them. False where there is none or the value is above max. */
static bool digits(const char **s, unsigned base, uint32_t max, uint32_t *value)
{
	const char *p = *s;
	uint64_t v = 0;
	for (; digit(*p) < base; p++)
		if ((v = v * base + digit(*p)) > max)
			return false;
	if (p == *s)
		return false;
	*s = p;
	*value = (uint32_t)v;
	return true;
}

/* A USB port path as sysfs spells it, 1-1.2: the length of one at the start of s, or 0. */
static size_t portlen(const char *s)
{
	const char *p = s;
	uint32_t n;
	if (!digits(&p, 10, 999, &n) || *p != '-')
		return 0;
	for (p++; digits(&p, 10, 255, &n); p++)
		if (*p != '.')
			return p - s < PORT ? (size_t)(p - s) : 0;
	return 0;
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
	return *p++ = (uint8_t)v, *p++ = (uint8_t)(v >> 8), p;
}
static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v), v >> 16);
}

/* ---- messages: stderr or the kernel's log ---- */

/* Appends, cut to fit: %s %c %u %x %X, zeros up to a width. The C library's own would cost 14 KiB of the 40. */
static void vadd(struct text *t, const char *fmt, va_list ap)
{
	char *p = t->s + strlen(t->s), *end = t->s + sizeof t->s - 1;
	for (; *fmt && p < end; fmt++) {
		char digits[12] = "", *last = digits + sizeof digits - 1, *s = last;
		bool literal = *fmt != '%';
		int width = 0;
		while (!literal && *++fmt >= '0' && *fmt <= '9')
			width = *fmt - '0';
		if (literal)
			*--s = *fmt;
		else if (*fmt == 's')
			s = va_arg(ap, char *);
		else if (*fmt == 'c')
			*--s = (char)va_arg(ap, int);
		else {
			unsigned value = va_arg(ap, unsigned), base = *fmt == 'u' ? 10 : 16;
			do
				*--s = (char)("0123456789ABCDEF"[value % base] |
					      (*fmt & 32)); /* 32: in small letters */
			while ((value /= base) || last - s < width);
		}
		while (*s && p < end)
			*p++ = *s++;
	}
	*p = '\0';
}

/* The same, after its text; returns it all, for a path that is wanted at once. */
PRINTF(2) static const char *add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vadd(t, fmt, ap);
	va_end(ap);
	return t->s;
}

#define print(t, ...) ((t)->s[0] = '\0', add(t, __VA_ARGS__))
#define doing(...) \
	print(&g.me->doing, __VA_ARGS__)      /* what is being waited for, for whoever gives up */
#define path(...) print(&g.path, __VA_ARGS__) /* good until the next one is made */

/* One line, one write. The kernel's log gets a freshly opened descriptor for each, as it limits the rate of each. */
PRINTF(2) static void say(enum level level, const char *fmt, ...)
{
	static const char priority[][5] = { "<27>", "<30>", "<28>", "<30>" };
	if (level > g.level || (g.kmsg && level == DEBUG))
		return;
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
		if (*p < ' ' || *p == 0x7f)
			*p = '?'; /* foreign words, too */
	if (p == line.s + sizeof line.s - 1)
		p--;
	*p++ = '\n';
	(void)!write(fd >= 0 ? fd : 2, line.s, (size_t)(p - line.s));
	if (fd >= 0)
		close(fd);
}

static const char *name_of(const struct error *table, size_t n, int number)
{
	while (n && table[n - 1].number != number)
		n--;
	return n ? table[n - 1].name : "failed";
}
static const char *reason(int error)
{
	return name_of(errors, LEN(errors), error);
}

/* -v: an AT dialogue, a line of it a line, control characters escaped, the unlock code never shown. */
static void trace(const char *arrow, const char *text)
{
	while (g.level >= DEBUG && *text) {
		struct text line = { "" };
		char c = 0;
		for (bool code; *text && c != '\n' && strlen(line.s) < 300;
		     text += code ? strlen(g.code) : 1) {
			code = begins(text, g.code);
			c = *text;
			add(&line,
			    code                              ? "****"
			    : c < ' ' || c > '~' || c == '\\' ? "\\x%2x"
							      : "%c",
			    (unsigned char)c);
		}
		say(DEBUG, "%s %s", arrow, line.s);
	}
}

/* ---- time: deadlines on CLOCK_MONOTONIC, and the one place that waits ---- */

static int64_t now(void)
{
	struct timespec t;
#ifdef __LP64__ /* the C library's own brings 1 KiB of search for the vDSO, but on 32 bits knows whose structure it is */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
#else
	clock_gettime(CLOCK_MONOTONIC, &t);
#endif
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static void heard(void)
{
	g.me->heard = now();
}
static bool stopped(void)
{
	return g.stop && !g.hold;
}
/* The time by which this modem must have given a sign of life. */
static int64_t patience(void)
{
	return g.me->written ? g.deadline : sooner(g.deadline, g.me->heard + SILENCE_MS);
}
static int64_t within(int64_t ms)
{
	return sooner(now() + ms, patience());
}

/* Waits for fd (-1: nothing but time). Returns the poll events, 0 when until has come or a signal woke it, -1 when the
 * run is to stop. Signals are blocked and come in here alone. */
static int await(int fd, short events, int64_t until)
{
	struct pollfd p[] = { { .fd = fd, .events = events },
			      { .fd = g.signals, .events = POLLIN } };
	struct signalfd_siginfo signal;
	int64_t ms = until - now();
	if (stopped())
		return -1;
	if (poll(p, LEN(p), ms < 0 ? 0 : (int)ms) <= 0)
		return 0;
	while (p[1].revents && read(g.signals, &signal, sizeof signal) > 0)
		g.stop |= signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT ||
			  signal.ssi_signo == SIGHUP;
	return stopped() ? -1 : p[0].revents;
}

/* ---- sysfs: reads only what takes no device lock ---- */

#define USB SYS "/bus/usb/devices/"
/* A file of the USB device at a port, or of an interface, PORT:C.I. Good until the next path is made. */
static const char *device_file(const char *port, const char *name)
{
	return path(USB "%s/%s", port, name);
}

static void copy_port(char to[PORT], const char *from, size_t n)
{
	memset(to, 0, PORT);
	memcpy(to, from, n < PORT ? n : PORT - 1);
}

/* Reads at most size - 1 bytes of a file and ends them with a NUL. Returns their number, -1 on failure. */
static int slurp(void *buf, size_t size, const char *file)
{
	char *p = buf;
	size_t n = 0;
	ssize_t r = -1;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < size - 1 && (r = read(fd, p + n, size - 1 - n)) > 0)
		n += (size_t)r;
	if (fd >= 0)
		close(fd);
	p[n] = '\0';
	return r < 0 && !n ? -1 : (int)n;
}

/* Writes a sysfs attribute, which may block in the kernel. */
static bool spit(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}
/* The last name in the path that a symbolic link holds, "" where there is none. */
static const char *base_of(char link[PATH], const char *file)
{
	ssize_t n = readlink(file, link, PATH - 1);
	link[n < 0 ? 0 : n] = '\0';
	return strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
}

/* A directory being read; the C library's own would allocate. */
struct dir {
	int fd;
	long n, at;
	_Alignas(8) char buf[1024];
};
enum { DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
/* The next name, or NULL at the end, where it closes the directory, or where there is none. */
static const char *next(struct dir *d)
{
	enum { RECLEN = 16, D_NAME = 19 }; /* in struct linux_dirent64 */
	if (d->at >= d->n &&
	    (d->at = 0, d->n = syscall(SYS_getdents64, d->fd, d->buf, sizeof d->buf)) <= 0) {
		if (d->fd >= 0)
			close(d->fd);
		return NULL;
	}
	uint16_t length;
	memcpy(&length, d->buf + d->at + RECLEN, sizeof length);
	d->at += length;
	return d->buf + d->at - length + D_NAME;
}

/* The first name in a directory that begins with prefix, but not "generic"; false where there is none. */
static bool first(char name[NAME], const char *prefix, const char *directory)
{
	struct dir d = { .fd = open(directory, DIRECTORY) };
	const char *entry;
	for (name[0] = '\0'; (entry = next(&d));)
		if (!name[0] && entry[0] != '.' && begins(entry, prefix) &&
		    strcmp(entry, "generic"))
			memcpy(name, entry, strlen(entry) < NAME ? strlen(entry) + 1 : 0);
	return name[0];
}

/* The number that a file holds, 0 where there is none. */
static uint32_t number_in(const char *file)
{
	char text[16];
	const char *s = text;
	uint32_t n;
	return slurp(text, sizeof text, file) > 0 && digits(&s, 10, UINT32_MAX, &n) ? n : 0;
}

/* The companion of a USB 3 connector's port: the same socket under another path. "" where there is none. */
static void find_peer(char peer[PORT], const char *port)
{
	char link[PATH];
	const char *hub = base_of(
		link, device_file(port, "port/peer")); /* usb2-port1 is 2-1, 2-1-port3 is 2-1.3 */
	bool root = begins(hub, "usb");
	char *number = (char *)find(hub, "-port");
	if (number)
		*number = '\0';
	path(root ? "%s-%s" : "%s.%s", root ? hub + 3 : hub, number ? number + 5 : "");
	copy_port(peer, g.path.s, portlen(g.path.s));
}

/* ---- look: descriptors into struct modem ---- */

static bool has16(const uint16_t *table, size_t n, uint32_t value)
{
	while (n && table[n - 1] != value)
		n--;
	return n;
}

/* The function of an interface by config.h's table; SPARE is none, or a spare AT port. */
static unsigned function_of(const struct modem *m, const struct interface *i)
{
	unsigned layout = SWI,
		 has = (i->in && i->out ? BULK : 0u) | (i->interrupt ? INTERRUPT : 0u);
	for (size_t l = 0; l < LEN(layouts); l++)
		if (layouts[l].pid == m->pid)
			layout = layouts[l].layout;
	for (const struct shape *s = shapes; s < shapes + LEN(shapes); s++)
		if ((s->layouts & layout) && (s->number == ANY || s->number == i->number) &&
		    s->class == i->class && (s->subclass == ANY || s->subclass == i->subclass) &&
		    !(s->needs & ~has))
			return s->function;
	return FUNCTIONS + 1;
}

static const struct interface *find_function(const struct modem *m, const struct config *c,
					     unsigned function)
{
	unsigned i = 0;
	while (c && i < c->interfaces && function_of(m, &c->interface[i]) != function)
		i++;
	return c && i < c->interfaces ? &c->interface[i] : NULL;
}
static unsigned functions_of(const struct modem *m, const struct config *c)
{
	unsigned bits = 0;
	for (unsigned i = 0; c && i < c->interfaces; i++)
		bits |= BIT(function_of(m, &c->interface[i]));
	return bits & (BIT(FUNCTIONS) - 1);
}
static const struct config *config_of(const struct modem *m, uint32_t value)
{
	unsigned i = 0;
	while (i < m->configs && m->config[i].value != value)
		i++;
	return i < m->configs ? &m->config[i] : NULL;
}

/* An interface descriptor. Of several alternate settings the first with a bulk pair counts. */
static struct interface *read_interface(struct config *c, const uint8_t *p)
{
	struct interface *i = c->interface, *end = i + c->interfaces;
	while (i < end && i->number != p[2])
		i++;
	if (i == c->interface + LEN(c->interface) || (i->in && i->out))
		return NULL;
	c->interfaces = (uint8_t)(c->interfaces + (i == end));
	*i = (struct interface){ p[2], p[3], p[5], p[6], p[7], .message = i->message };
	return i;
}

/* The kernel's `descriptors` file, as the modem sent it. A length below two, or past the end, ends the reading. */
static bool read_descriptors(struct modem *m, const uint8_t *d, size_t size)
{
	enum {
		DEVICE = 1,
		CONFIGURATION = 2,
		INTERFACE = 4,
		ENDPOINT = 5,
		FUNCTIONAL = 0x24,
		MBIM_FUNCTIONAL = 0x1b
	};
	struct config *c = NULL;
	struct interface *i = NULL;
	if (size < 18 || d[0] != 18 || d[1] != DEVICE)
		return false;
	m->bcdusb = le16(d + 2);
	m->vid = le16(d + 8);
	m->pid = le16(d + 10);
	for (const uint8_t *p = d + 18, *end = d + size;
	     end - p >= 2 && p[0] >= 2 && p[0] <= end - p; p += p[0]) {
		if (p[1] == CONFIGURATION || p[1] == INTERFACE)
			i = NULL;
		if (p[1] == CONFIGURATION) {
			c = p[0] >= 9 && m->configs < LEN(m->config) ? &m->config[m->configs++]
								     : NULL;
			if (c)
				c->value = p[5];
		}
		if (p[1] == INTERFACE && c && p[0] >= 9)
			i = read_interface(c, p);
		if (!i || p[0] < 7)
			continue;
		if (p[1] == FUNCTIONAL && p[2] == MBIM_FUNCTIONAL)
			i->message = le16(p + 5);
		unsigned kind = (p[2] & 0x80u) |
				(p[3] & 3); /* direction and type: bulk IN and OUT, interrupt IN */
		uint8_t *to = kind == 0x82   ? &i->in
			      : kind == 0x02 ? &i->out
			      : kind == 0x83 ? &i->interrupt
					     : NULL;
		if (p[1] != ENDPOINT || !to || *to)
			continue;
		*to = p[2];
		if (to == &i->in)
			i->packet = le16(p + 4) & 0x7ff;
	}
	return true;
}

/* What a device is, by config.h's table of IDs and by its interfaces. */
static enum kind classify(const struct modem *m)
{
	unsigned all = 0, d = 0;
	while (d < LEN(devices) && (devices[d].vid != m->vid ||
				    (devices[d].pid != m->pid && devices[d].pid != ANY_PID)))
		d++;
	if (d == LEN(devices) || devices[d].kind == FOREIGN)
		return FOREIGN;
	for (unsigned i = 0; i < m->configs; i++)
		all |= functions_of(m, &m->config[i]);
	if (devices[d].kind == STORAGE && (all & BIT(MS)))
		return m->active && functions_of(m, config_of(m, m->active)) != BIT(MS) ? MODEM
											: STORAGE;
	/* one vendor interface that is no AT port: QDL, whatever the PID says, as a crashed modem keeps its own */
	bool single = m->configs == 1 && m->config->interfaces == 1 &&
		      m->config->interface->class == VENDOR;
	return single && (!(all & BIT(AT)) || has16(boot, LEN(boot), m->pid)) ? BOOT : MODEM;
}

/* What stands at a port. Nothing that can be trusted there: kind GONE. */
static void look(struct modem *m, const char *port)
{
	uint8_t raw[4096];
	char name[NAME];
	const char *s = name + strlen(port) + 1;
	struct text interface;
	uint32_t active;
	memset(m, 0, sizeof *m);
	copy_port(m->port, port, strlen(port));
	int n = slurp(raw, sizeof raw, device_file(port, "descriptors"));
	m->devnum = number_in(device_file(port, "devnum"));
	if (n < 0 || !read_descriptors(m, raw, (size_t)n) || !m->devnum)
		return;
	/* the active configuration is in the names of its interfaces; reading the attribute could block for seconds */
	if (first(name, print(&interface, "%s:", port), device_file(port, "")))
		m->active = digits(&s, 10, 255, &active) ? (uint8_t)active : 0;
	else
		m->barred = slurp(name, 2, device_file(port, "authorized")) > 0 && name[0] == '0';
	m->kind = classify(m);
}

static bool same(const struct modem *a, const struct modem *b)
{
	return a->kind && b->kind && a->devnum == b->devnum && !strcmp(a->port, b->port);
}

/* ---- uevents: the kernel says when to look again; what it says is not believed, only looked up ---- */

/* struct sockaddr_nl, of a header that is not in musl's include path */
struct netlink {
	sa_family_t family;
	uint16_t pad;
	uint32_t pid, groups;
};
static void open_uevents(void)
{
	enum { KOBJECT_UEVENT = 15 };
	struct netlink kernel = { .family = AF_NETLINK, .groups = 1 };
	g.uevents = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, KOBJECT_UEVENT);
	if (bind(g.uevents, (struct sockaddr *)&kernel, sizeof kernel) == 0)
		return;
	if (g.uevents > 0)
		close(g.uevents);
	g.uevents = -1;
}

/* Is port, or an interface of it, one of the directories in this path? */
static bool at_port(const char *file, const char *port)
{
	size_t n = strlen(port);
	for (const char *p = file; n && (p = find(p, port)); p++)
		if (p > file && p[-1] == '/' && (!p[n] || p[n] == '/' || p[n] == ':'))
			return true;
	return false;
}
/* A message is "action@/devices/..." and more behind a NUL. Is it about our port, or about any, if all are watched? */
static bool concerns(const char *message)
{
	const char *last = strrchr(message, '/');
	return last && (g.me ? at_port(message, g.me->port) || at_port(message, g.me->peer)
			     : portlen(last + 1) > 0);
}

/* Takes all messages that are there. True when one of them is a reason to look. */
static bool stir(void)
{
	for (bool news = false;;) {
		char message[2048];
		struct netlink from = { 0 };
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(g.uevents, message, sizeof message - 1, 0,
				     (struct sockaddr *)&from, &size);
		if (n < 0 && errno != ENOBUFS)
			return news;
		message[n < 0 ? 0 : n] = '\0';
		news |= n < 0 || (size == sizeof from && !from.pid && concerns(message));
	}
}

/* Waits for a reason to look again. Returns 1 for one, 0 when until has come, -1 when the run is to stop. */
static int watch(int64_t until)
{
	enum {
		BLIND_MS = 100,
		IDLE_MS = 1000
	}; /* without a socket; with one, which in a container may say nothing */
	for (int64_t end = now() + (g.uevents < 0 ? BLIND_MS : IDLE_MS);;) {
		int r = await(g.uevents, POLLIN, sooner(until, end));
		if (r < 0 || now() >= until)
			return r < 0 ? -1 : 0;
		if (r == 0 || stir())
			return 1;
	}
}

/* ---- nodes: opened where they are, or made where there is room; believed when sysfs places them ---- */

/* What the kernel says of a file; the C library's stat() costs 1.2 KiB. False before Linux 4.11, too. */
struct identity {
	uint32_t head[7];
	uint16_t mode, pad;
	uint64_t ino, more[11];
	uint32_t rdev[2], dev[2];
	uint64_t rest[14];
};
static bool identify(const char *file, struct identity *st)
{
	enum { TYPE = 1, INO = 0x100 };
	return !syscall(SYS_statx, AT_FDCWD, file, 0, TYPE | INO, st);
}

/* Opens the node whose number stands in a sysfs file: DEV/name if it has that number, else one that is made where there is
 * room, and removed. Numbers are given again while modems come and go: -1 where sysfs does not place it at where. */
static int open_placed(const char *name, const char *file, const char *where)
{
	static const char *const places[] = { DEV, "/run", "/tmp" };
	enum { FLAGS = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };
	struct identity st;
	char text[32], link[PATH];
	const char *s = text;
	uint32_t dev[2];
	int fd = -1;
	doing("opening %s", name);
	slurp(text, sizeof text, file);
	if (!digits(&s, 10, 4095, &dev[0]) || *s++ != ':' || !digits(&s, 10, 0xfffff, &dev[1]))
		return -1;
	bool there = identify(path(DEV "/%s", name), &st) && S_ISCHR(st.mode) &&
		     !memcmp(st.rdev, dev, sizeof dev);
	if (there)
		fd = open(g.path.s, FLAGS);
	for (unsigned i = 0; !there && fd < 0 && i < LEN(places); i++) {
		path("%s/.swflip-%u", places[i], (unsigned)getpid());
		if (mknod(g.path.s, S_IFCHR | 0600, makedev(dev[0], dev[1])) < 0)
			continue;
		fd = open(g.path.s, FLAGS);
		unlink(g.path.s);
	}
	base_of(link, path(SYS "/dev/char/%u:%u", dev[0], dev[1]));
	if (fd < 0 || at_port(link, where))
		return fd;
	close(fd);
	return -1;
}

/* ---- usbfs: the kernel's own structures and requests, of a header that is not in musl's include path ---- */

struct ctrltransfer {
	uint8_t bRequestType, bRequest;
	uint16_t wValue, wIndex, wLength;
	unsigned timeout;
	void *data;
};
struct bulktransfer {
	unsigned ep, len, timeout;
	void *data;
};
struct usbfs_ioctl {
	int ifno, ioctl_code;
	void *data;
};
struct disconnect_claim {
	unsigned interface, flags;
	char driver[256];
};
struct urb {
	uint8_t type, endpoint;
	int status, flags;
	void *buffer;
	int buffer_length, actual_length, unused[4];
	void *usercontext;
};

enum { /* control requests: bmRequestType and bRequest */
       GET_SWOC_INFO = 0xc00a,
       SET_SWOC_MODE = 0x400b,
       SET_CONTROL_LINE_STATE = 0x2122,
       SEND_ENCAPSULATED_COMMAND = 0x2100,
       GET_ENCAPSULATED_RESPONSE = 0xa101,
};

#define USBDEVFS_CONTROL          _IOWR('U', 0, struct ctrltransfer)
#define USBDEVFS_BULK             _IOWR('U', 2, struct bulktransfer)
#define USBDEVFS_SETINTERFACE     _IOR('U', 4, unsigned[2]) /* interface, altsetting */
#define USBDEVFS_SUBMITURB        _IOR('U', 10, struct urb)
#define USBDEVFS_REAPURBNDELAY    _IOW('U', 13, void *)
#define USBDEVFS_RELEASEINTERFACE _IOR('U', 16, unsigned)
#define USBDEVFS_IOCTL            _IOWR('U', 18, struct usbfs_ioctl)
#define USBDEVFS_RESET            _IO('U', 20)
#define USBDEVFS_CLEAR_HALT       _IOR('U', 21, unsigned)
#define USBDEVFS_CONNECT          _IO('U', 23)
#define USBDEVFS_DISCONNECT_CLAIM _IOR('U', 27, struct disconnect_claim)

/* A request is an int to musl's ioctl, an unsigned long to glibc's; to the kernel it is this. */
static int usbfs(int fd, unsigned request, void *data)
{
	return (int)syscall(SYS_ioctl, fd, request, data);
}
static int open_usbfs(const struct modem *m)
{
	struct text name;
	print(&name, "bus/usb/%3u/%3u", number_in(device_file(m->port, "busnum")), m->devnum);
	return open_placed(name.s, device_file(m->port, "dev"), m->port);
}

/* A control transfer. Returns the bytes moved, or -1 with errno: EPIPE is a stall, ENODEV or ESHUTDOWN a modem gone. */
static int control(int fd, unsigned request, unsigned value, unsigned index, void *data, size_t n)
{
	struct ctrltransfer c = {
		.bRequestType = (uint8_t)(request >> 8),
		.bRequest = (uint8_t)request,
		.wValue = (uint16_t)value,
		.wIndex = (uint16_t)index,
		.wLength = (uint16_t)n,
		.timeout = CONTROL_MS,
		.data = data,
	};
	int r = usbfs(fd, USBDEVFS_CONTROL, &c), error = errno;
	say(DEBUG, "usb %4x %4x %4x %u: %s", request, value, index, c.wLength,
	    r < 0 ? reason(error) : "ok");
	errno = error;
	return r;
}

/* ---- link: carries bytes to one interface, by a tty, by cdc-wdm, or by usbfs ---- */

/* The largest QMI or MBIM message taken; the longest AT answer believed: the longest table seen has 1.6 KiB. */
enum { FRAME = 4096, TEXT = 6144 };

struct link {
	enum carrier { CLOSED, TTY, WDM, URBS } carrier;
	int fd;
	uint8_t number, out,
		stalls; /* bInterfaceNumber; the endpoint for commands, 0: they are encapsulated */
	uint8_t client, tid;   /* QMI */
	bool mbim, gone, over; /* over: the answer is too long */
	uint16_t message;      /* wMaxControlMessage */
	enum result { SILENT, OK, FAILED } result;
	size_t used, line,
		size; /* the length of text, where its last line begins; the length of tlvs */
	const uint8_t *tlvs; /* in frame */
	struct urb in;       /* with the kernel all the time */
	struct termios saved;
	uint8_t frame[FRAME]; /* what came last: bytes of an AT port, or a message of QMI or MBIM */
	char text[TEXT];      /* the last answer of an AT port */
};

/* One modem at work: what decide() is told, and the link to it. */
struct work {
	const struct target *t;
	int64_t since; /* ms: when this start of the modem, or this configuration of it, was first seen */
	uint32_t awake; /* devnum of the modem whose autosuspend was turned off */
	struct past p;
	struct modem m;
	struct offer o;
	struct link l; /* o: the last answer */
};

/* The name of the file that a driver made for an interface: cdc-wdm's, or a tty, some of which are one level deeper. */
static bool find_file(char name[NAME], const char *interface, bool encapsulated)
{
	if (encapsulated)
		return first(name, "cdc-wdm", device_file(interface, "usbmisc"));
	return first(name, "ttyUSB", device_file(interface, "")) ||
	       first(name, "tty", device_file(interface, "tty"));
}

/* Not opened, or in vain: errno says whether another process has it. */
static enum why drop(int fd)
{
	enum why why = errno == EBUSY ? HELD : MUTE;
	if (fd >= 0)
		close(fd);
	return why;
}

static enum why open_file(struct link *l, const char *interface, bool encapsulated)
{
	char name[NAME];
	int held = 0;
	if (!find_file(name, interface, encapsulated))
		return MUTE;
	errno = 0;
	l->fd = open_placed(name,
			    path(SYS "/class/%s/%s/dev", encapsulated ? "usbmisc" : "tty", name),
			    interface);
	if (l->fd < 0)
		return drop(l->fd);
	if (!encapsulated) {
		usbfs(l->fd, TIOCGEXCL, &held); /* TIOCEXCL does not keep root out, so root asks */
		if (held)
			errno = EBUSY;
		if (held || tcgetattr(l->fd, &l->saved) < 0)
			return drop(l->fd);
		struct termios raw = l->saved;
		cfmakeraw(&raw);
		raw.c_cflag = (raw.c_cflag | CLOCAL | CREAD) & ~(tcflag_t)CRTSCTS;
		ioctl(l->fd, TIOCEXCL);
		tcsetattr(l->fd, TCSANOW, &raw);
		tcflush(l->fd, TCIOFLUSH);
	}
	l->carrier = encapsulated ? WDM : TTY;
	return FINE;
}

/* Takes the interface from whatever driver holds it, with DTR and RTS as a tty would set them. Answers are waited for
 * from here on, by a transfer of one packet: one that is given up when time is short would lose bytes. */
static enum why open_urbs(struct link *l, const struct modem *m, const struct interface *i,
			  bool encapsulated)
{
	enum { DTR = 1, RTS = 2, EXCEPT_DRIVER = 2, NOTICE = 64, URB_INTERRUPT = 1, URB_BULK = 3 };
	struct disconnect_claim claim = { .interface = i->number,
					  .flags = EXCEPT_DRIVER,
					  .driver = "usbfs" };
	if ((l->fd = open_usbfs(m)) < 0)
		return NO_NODE;
	if (usbfs(l->fd, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0)
		return drop(l->fd);
	if (i->alt)
		usbfs(l->fd, USBDEVFS_SETINTERFACE, &(unsigned[2]){ i->number, i->alt });
	if (!encapsulated || (!l->mbim && (m->bcdusb >= 0x0201 || has16(dtr, LEN(dtr), m->pid))))
		control(l->fd, SET_CONTROL_LINE_STATE, encapsulated ? DTR : DTR | RTS, i->number,
			NULL, 0);
	l->carrier = URBS;
	l->out = encapsulated ? 0 : i->out;
	l->in = (struct urb){
		.type = encapsulated ? URB_INTERRUPT : URB_BULK,
		.endpoint = encapsulated ? i->interrupt : i->in,
		.buffer = l->frame,
		.buffer_length = encapsulated ? NOTICE : i->packet,
	};
	l->gone = usbfs(l->fd, USBDEVFS_SUBMITURB, &l->in) < 0;
	return FINE;
}

/* Takes what has come into l->frame: bytes of an AT port, or a message. Returns their number, 0 for none yet, -1 where
 * none will come. A transfer goes back to the kernel at once, which fills its buffer when it is reaped, not before. */
static int fetch(struct link *l)
{
	enum { RESPONSE_AVAILABLE = 1, STALLS = 4 };
	struct urb *done;
	int n = l->carrier == URBS ? usbfs(l->fd, USBDEVFS_REAPURBNDELAY, &done)
				   : (int)read(l->fd, l->frame, FRAME);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 || l->carrier != URBS)
		return n > 0 ? n : -1;
	int status = l->in.status;
	bool stalled = status == -EPIPE && l->stalls++ < STALLS;
	if (stalled)
		usbfs(l->fd, USBDEVFS_CLEAR_HALT, (unsigned[]){ l->in.endpoint });
	if ((status && status != -EOVERFLOW && !stalled) ||
	    usbfs(l->fd, USBDEVFS_SUBMITURB, &l->in) < 0)
		return -1;
	n = status ? 0 : l->in.actual_length;
	bool notice = n > 0 && l->frame[0] == 0xa1 && l->frame[1] == RESPONSE_AVAILABLE;
	if (l->out || !notice)
		return l->out ? n : 0;
	n = control(l->fd, GET_ENCAPSULATED_RESPONSE, 0, l->number, l->frame, FRAME);
	return n > 0 ? n : 0;
}

/* Waits for what fetch() brings: its length, 0 for nothing until then, -1 for a modem that left (gone), or to stop. */
static int receive(struct link *l, int64_t until)
{
	while (!l->gone) {
		int n = fetch(l);
		if (n > 0)
			return n;
		if ((l->gone = n < 0) ||
		    await(l->fd, l->carrier == URBS ? POLLOUT : POLLIN, until) < 0)
			break;
		if (now() >= until)
			return 0;
	}
	return -1;
}

/* Sends a command or a message. False when the modem takes none until the deadline: it may be deaf still. */
static bool transmit(struct link *l, void *buf, size_t n, int64_t until)
{
	struct bulktransfer bulk = {
		.ep = l->out, .len = (unsigned)n, .timeout = CONTROL_MS, .data = buf
	};
	int r;
	if (l->carrier != URBS)
		return write(l->fd, buf, n) == (ssize_t)n;
	if (!l->out)
		return control(l->fd, SEND_ENCAPSULATED_COMMAND, 0, l->number, buf, n) == (int)n;
	do
		r = usbfs(l->fd, USBDEVFS_BULK, &bulk);
	while (r < 0 && errno == ETIMEDOUT && now() < until && !await(-1, 0, 0));
	return r == (int)n;
}

/* Gives everything back as it was: the tty's settings, nothing unsent in it; the interface to its driver. */
static void close_link(struct link *l)
{
	if (l->carrier == TTY) {
		tcflush(l->fd, TCIOFLUSH);
		tcsetattr(l->fd, TCSANOW, &l->saved);
		ioctl(l->fd, TIOCNXCL);
	} else if (l->carrier == URBS) {
		usbfs(l->fd, USBDEVFS_RELEASEINTERFACE,
		      (unsigned[]){ l->number }); /* which ends the IN transfer, too */
		usbfs(l->fd, USBDEVFS_IOCTL,
		      &(struct usbfs_ioctl){ l->number, (int)USBDEVFS_CONNECT, NULL });
	}
	if (l->carrier)
		close(l->fd);
	memset(l, 0, sizeof *l);
}

/* ---- AT: one command, one answer ---- */

/* The final result that a line is, blanks behind it or not; SILENT for any other. */
static enum result final(const char *line)
{
	size_t n = word_length(line);
	if (begins(line, "+CME ERROR") || begins(line, "+CMS ERROR"))
		return FAILED;
	if (*skip(line + n))
		return SILENT;
	return is_word(line, n, "OK") ? OK : is_word(line, n, "ERROR") ? FAILED : SILENT;
}

/* Judges the last line of an answer. It stays, without the echo, once or doubled, with its line end or without; but not
 * if it is a result, blank, or one that a modem sends unasked. */
static void judge(struct link *l, const char *command)
{
	char *line = l->text + l->line;
	const char *s = skip(line);
	for (size_t n = strlen(command); n && begins(s, command);)
		s = skip(s + n);
	enum result result = final(s);
	bool unasked =
		result == SILENT && (!*s || *s == '$' || *s == '^' || *s == '*' || *s == '+');
	if (!unasked)
		l->result = result;
	if (unasked || result != SILENT)
		s += strlen(s);
	memmove(line, s, strlen(s) + 1);
	l->used = l->line += strlen(line);
}

/* Takes bytes into the answer, every line end an LF, foreign bytes left out. One too long for the room starts over. */
static void take(struct link *l, const char *command, int size)
{
	for (const uint8_t *p = l->frame; p < l->frame + size; p++) {
		char c = (char)(*p == '\r' ? '\n' : *p == '\t' ? ' ' : *p);
		if (l->used == TEXT - 1)
			l->over = true, l->used = l->line = 0;
		if (c != '\n' && (c < ' ' || c > '~'))
			continue;
		l->text[l->used++] = c;
		l->text[l->used] = '\0';
		if (c == '\n')
			judge(l, command);
	}
}

/* No more will come: the last line may have no end, and of an answer in one line the last word may be the result. */
static void end_answer(struct link *l, const char *command)
{
	judge(l, command);
	char *word = l->text + l->used;
	while (word > l->text && blank(word[-1]))
		word--;
	while (word > l->text && !blank(word[-1]))
		word--;
	if (l->result == SILENT && (l->result = final(word)) != SILENT)
		*word = '\0';
	if (l->over)
		l->text[0] = '\0';
}

/* Sends a command. Returns the answer, l->text, without echo and result, which is l->result: SILENT with text for an
 * answer that has none. At most ms until it begins, QUIET_MS between its bytes, twice ms in all. */
static const char *at_within(struct link *l, const char *command, int64_t ms)
{
	enum { STRAY_MS = 300, LINGER_MS = 40 };
	int64_t until = within(ms), end = within(2 * ms);
	struct text line;
	int r;
	doing("waiting for the answer to %s", find(command, "\"") ? "AT!ENTERCND" : command);
	while ((r = receive(l, now())) > 0 && now() < until)
		continue; /* what is left of an earlier answer */
	print(&line, "%s\r", command);
	trace(">", command);
	l->text[0] = '\0';
	l->used = l->line = 0;
	l->over = false;
	l->result = SILENT;
	if (r >= 0)
		transmit(l, line.s, strlen(line.s), until);
	while (r >= 0 && (r = receive(l, until)) > 0 && now() < end) {
		take(l, command, r);
		until = sooner(end, now() + QUIET_MS);
		if (l->result == SILENT || l->used > l->line)
			continue;
		/* an OK alone came too early, or was the last command's; one can stand in the middle of a list, too */
		bool stray = l->result == OK && !l->used && find(command, "?");
		if (!stray && (l->result != OK || !find(command, "=?")))
			break;
		until = now() + (stray ? STRAY_MS : LINGER_MS);
	}
	end_answer(l, command);
	if (r < 0)
		l->result = SILENT, l->text[0] = '\0';
	trace("<", l->text);
	say(DEBUG, "< %s",
	    l->result == OK       ? "OK"
	    : l->result == FAILED ? "ERROR"
				  : "(no final result)");
	if (l->result != SILENT || l->text[0])
		heard();
	return l->text;
}
static const char *at(struct link *l, const char *command)
{
	return at_within(l, command, ANSWER_MS);
}

/* ---- dialects: what a modem answers into struct offer ---- */

/* Behind the first header that has this mark behind it, and blanks around that; NULL where there is none. */
static const char *after(const char *text, const char *header, char mark)
{
	for (const char *p = text; (p = find(p, header));)
		if (*(p = skip(p + strlen(header))) == mark)
			return skip(p + 1);
	return NULL;
}
/* A number that stands for itself: digits behind a header, and a blank behind them, as a cut one is a smaller one. */
static bool number_after(const char *text, const char *header, unsigned base, uint32_t *value)
{
	const char *p = after(text, header, ':');
	return p && digits(&p, base, UINT32_MAX, value) && blank(*p);
}
static const char *next_of(const char *word)
{
	return skip(word + word_length(word));
}
static bool parts(char c)
{
	return blank(c) || c == ',';
} /* what stands behind a PID that is not cut */

/* Four hex digits and no more; UNKNOWN for anything else. */
static int read_pid(const char *s)
{
	const char *p = s;
	uint32_t pid;
	return digits(&p, 16, 0xffff, &pid) && p - s == 4 ? (int)pid : UNKNOWN;
}

/* !UDPID? and !USBPID?: `!UDPID: 68A3`, or `APP : 68E2` and `BOOT: 68E0` below the header. */
static int parse_pid(const char *text)
{
	const char *p = after(text, "PID", ':'), *app = p ? after(p, "APP", ':') : NULL;
	if (app)
		p = app;
	int pid = p ? read_pid(p) : UNKNOWN;
	return pid != UNKNOWN && parts(p[4]) ? pid : UNKNOWN;
}

/* !UDPID=? and !USBPID=?: a PID a line, or pairs with the boot loader's second, which is no PID to be had: what comes
 * behind a comma, and under a heading that says BOOT every other one. */
static void parse_pids(struct offer *o, const char *s)
{
	bool pairs = find(s, "BOOT"), second = false;
	while (*s && o->npids < LEN(o->pids)) {
		for (; parts(*s); s++)
			second = *s == ',' || (second && *s != '\n');
		int pid = read_pid(s);
		if (pid != UNKNOWN && parts(s[4])) {
			if (!second)
				o->pids[o->npids++] = (uint16_t)pid;
			second = pairs && !second;
		}
		while (*s && !parts(*s))
			s++;
	}
}

static struct row *find_row(const struct offer *o, uint32_t number)
{
	unsigned i = 0;
	while (i < o->rows && o->row[i].number != number)
		i++;
	return i < o->rows ? (struct row *)&o->row[i] : NULL;
}
/* A row whose number came before is supported only if both are the same. */
static void add_row(struct offer *o, const struct row *r)
{
	struct row *old = find_row(o, r->number);
	if (old)
		old->supported &= !memcmp(old, r, sizeof *r);
	else if (o->rows < LEN(o->row))
		o->row[o->rows++] = *r;
}

/* A row that names two others has their functions, whatever their own status. */
static void resolve_rows(struct offer *o)
{
	for (struct row *r = o->row; r < o->row + o->rows; r++) {
		for (unsigned c = 0; r->configs == 2 && c < 2; c++) {
			const struct row *one = find_row(o, r->comp[c]);
			r->functions[c] = one && one->configs < 2 ? one->functions[0] : 0;
		}
		if (!r->configs)
			r->configs = 1;
	}
}

/* !UDUSBCOMP=?: number, `-`, words, status; over as many lines as may be. A row ends at its status. One that has no
 * status is not supported, nor one with a NOT, or a piece of one, anywhere in it. */
static void parse_rows(struct offer *o, const char *s)
{
	struct row r = { 0 };
	bool open = false;
	size_t length;
	do { /* word by word, the last one empty */
		const char *p = s = skip(s);
		uint32_t n = 0;
		length = word_length(s);
		bool begin = digits(&p, 10, 255, &n) && *(p = skip(p)) == '-',
		     end = is_word(s, length, "SUPPORTED");
		if (open && (begin || end || !length)) {
			r.supported &= end;
			add_row(o, &r);
		}
		open = begin || (open && !end);
		if (begin) {
			r = (struct row){ .number = (uint8_t)n, .supported = true };
			length = (size_t)(p + 1 - s);
		} else if (begins(s, "comp") && (p = s + 4, digits(&p, 10, 255, &n)) &&
			   p == s + length) {
			if (r.configs++ < 2)
				r.comp[r.configs - 1] = (uint8_t)n;
		} else {
			for (size_t i = 0; i + length <= 3; i++)
				r.supported &= !alike(&"NOT"[i], s, length);
			size_t stem = length; /* without the digits at its end */
			while (stem && s[stem - 1] >= '0' && s[stem - 1] <= '9')
				stem--;
			for (size_t i = 0; i < LEN(words); i++)
				if (is_word(s, stem, words[i].word))
					r.functions[0] |= (uint16_t)BIT(words[i].function);
		}
		s += length;
	} while (length);
	resolve_rows(o);
}

/* !USBCOMP=?: types behind `<Config Type> -`, bits behind `<Interface bitmask> -`, up to the examples, no promises. */
static void parse_mask(struct offer *o, const char *text)
{
	const char *types = after(text, "<Config Type>", '-'),
		   *bits = after(text, "<Interface bitmask>", '-');
	uint32_t value;
	if (!types || !bits)
		return;
	for (const char *p = types, *s = p; p < bits; s = p = next_of(p))
		if (digits(&s, 10, 31, &value) && *s == ':')
			o->types |= BIT(value);
	for (const char *p = bits, *s; *p && !begins(p, "e.g.") && !begins(p, "default");
	     p = next_of(p)) {
		bool eight = begins(p, "0x") && (s = p + 2, digits(&s, 16, UINT32_MAX, &value)) &&
			     s - p == 10;
		if (eight && !(value & (value - 1)))
			o->bits |= value;
	}
}

/* Asks an unlocked AT port what is stored, and for the lists of what it offers, which only a PID changes. False when it
 * answers neither dialect: not the right port, or no longer. */
static bool ask_at(struct link *l, struct offer *o, bool lists)
{
	uint32_t type;
	if (lists)
		memset(o, 0, sizeof *o);
	o->dialect = NOBODY;
	if (number_after(at(l, "AT!UDUSBCOMP?"), "!UDUSBCOMP", 10, &o->now)) {
		o->dialect = INDEX;
		if (lists)
			parse_rows(o, at(l, "AT!UDUSBCOMP=?"));
		if (lists)
			parse_pids(o, at(l, "AT!UDPID=?"));
		o->pid = parse_pid(at(l, "AT!UDPID?"));
	} else if (number_after(at(l, "AT!USBCOMP?"), "Config Type", 10, &type) &&
		   number_after(l->text, "Interface bitmask", 16, &o->now)) {
		o->dialect = MASK;
		o->type = (uint8_t)(type & 31);
		if (lists)
			parse_mask(o, at(l, "AT!USBCOMP=?"));
		for (unsigned i = 0; lists && i < 2; i++)
			at(l, i ? "AT!USBINFO?" : "AT!USBVID?"); /* for the log alone */
		o->pid = parse_pid(at(l, "AT!USBPID?"));
	}
	return o->dialect && !l->gone;
}

/* ---- QMI: the same questions in encapsulated commands, bare or inside MBIM ---- */

enum {
	CTL,
	DMS = 2,
	GET_CLIENT = 0x22,
	RELEASE_CLIENT = 0x23,
	SET_MODE = 0x2e,
	GET_COMP = 0x555b,
	SET_COMP = 0x555c
};
enum { MBIM_OPEN = 1, MBIM_CLOSE = 2, MBIM_COMMAND = 3, MBIM_HEAD = 48 };
#define MBIM_DONE 0x80000000u /* set in the type of every answer */

/* Of an MBIM command: one fragment, Sierra's service for QMUX frames (libmbim: mbim-uuid.c), its command 1, to set. */
static const uint8_t tunnel[MBIM_HEAD] = {
	[12] = 1, [20] = 0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e,     0x43,     0xbf,
	0x65,     0xc7,        0xe2, 0x4f, 0xb0, 0xf0, 0xd3, [36] = 1, [40] = 1,
};

/* The value of a TLV of the last answer, by its type; NULL where there is none. */
static const uint8_t *tlv(const struct link *l, uint8_t type, size_t *length)
{
	const uint8_t *p = l->tlvs;
	for (size_t n = l->size; n >= 3 && (*length = le16(p + 1)) + 3 <= n;
	     n -= *length + 3, p += *length + 3)
		if (p[0] == type)
			return p + 3;
	return NULL;
}

static uint8_t next_tid(struct link *l)
{
	return l->tid = (uint8_t)(l->tid < 250 ? l->tid + 1 : 1);
}

/* Is a message of n bytes the good answer to an MBIM message? From the transaction up to the status it is the same. */
static bool is_done(const struct link *l, size_t n, const uint8_t *ask, size_t status)
{
	const uint8_t *p = l->frame;
	return n >= status + 4 && le32(p) == (MBIM_DONE | le32(ask)) &&
	       !memcmp(p + 8, ask + 8, status - 8) && !le32(p + status);
}

/* Sends an MBIM message of n bytes, complete but for its type, length and transaction, and waits for its answer.
 * Returns the answer's length, -1 for none and for a refusal. */
static int mbim(struct link *l, uint8_t *ask, unsigned type, size_t n, size_t status)
{
	int64_t until = within(ANSWER_MS);
	int r;
	put32(put32(put32(ask, type), (uint32_t)n), l->tid);
	if (!transmit(l, ask, n, until))
		return -1;
	while ((r = receive(l, until)) > 0 && now() < until &&
	       (r < 12 || le32(l->frame + 8) != l->tid))
		continue;
	return r > 0 && is_done(l, (size_t)r, ask, status) ? r : -1;
}

/* Is a message of n bytes, or what is inside it, the answer to q? Its TLVs are then l->tlvs, a result among them. */
static bool is_answer(struct link *l, size_t n, const uint8_t *q)
{
	size_t at = l->mbim ? MBIM_HEAD : 0, head = q[4] == CTL ? 12 : 13, length;
	const uint8_t *p = l->frame + at;
	l->tlvs = p + head;
	l->size = le16(p + head - 2);
	return at + le16(p + 1) < n && head + l->size <= le16(p + 1) + 1u && p[0] == 1 &&
	       !memcmp(p + 4, q + 4, head - 6) && tlv(l, 0x02, &length) && length >= 4;
}

/* Sends a message with at most one TLV, 0x01; the answer's are then l->tlvs. Returns the QMI error, 0, -1 for none. */
static int qmi(struct link *l, uint8_t service, unsigned message, const uint8_t *value,
	       size_t length)
{
	uint8_t ask[MBIM_HEAD + 32] = { [MBIM_HEAD] = 1,         0, 0,          0, service,
					service ? l->client : 0, 0, next_tid(l) };
	uint8_t *q = ask + MBIM_HEAD;
	int64_t until = within(ANSWER_MS);
	memcpy(ask, tunnel, sizeof tunnel);
	size_t head = service == CTL ? 12 : 13,
	       n = head + (length ? length + 3 : 0); /* CTL's transaction is a byte */
	put16(put16(q + head - 4, message), (unsigned)(n - head));
	q[head] = 0x01;
	if (length)
		memcpy(put16(q + head + 1, (unsigned)length), value, length);
	put16(q + 1, (unsigned)n - 1);
	put32(q - 4, (uint32_t)n);
	doing("waiting for the answer to QMI %4x", message);
	say(DEBUG, "> QMI %2x %4x, %u bytes", service, message, (unsigned)n);
	int r = l->mbim                    ? mbim(l, ask, MBIM_COMMAND, MBIM_HEAD + n, 40)
		: transmit(l, q, n, until) ? receive(l, until)
					   : -1;
	q[6] = service == CTL ? 1 : 2; /* a response */
	while (r > 0 && !is_answer(l, (size_t)r, q))
		r = now() < until ? receive(l, until) : -1;
	if (r <= 0)
		return -1;
	const uint8_t *result = tlv(l, 0x02, &length);
	int error = le16(result) ? le16(result + 2) : 0;
	heard();
	say(DEBUG, "< QMI %4x: %u %s", message, (unsigned)error,
	    name_of(qmi_errors, LEN(qmi_errors), error));
	return error;
}

/* A client of the device management service. No CTL Sync: it would drop other people's clients. */
static bool open_qmi(struct link *l)
{
	uint8_t dms = DMS, ask[16];
	size_t n;
	next_tid(l);
	doing("waiting for the MBIM function to open");
	put32(ask + 12, l->message && l->message < FRAME ? l->message : FRAME);
	if ((l->mbim && mbim(l, ask, MBIM_OPEN, sizeof ask, 12) < 0) ||
	    qmi(l, CTL, GET_CLIENT, &dms, 1))
		return false;
	const uint8_t *p = tlv(l, 0x01, &n);
	if (p && n >= 2 && p[0] == DMS)
		l->client = p[1];
	return l->client;
}

static void close_qmi(struct link *l)
{
	uint8_t client[] = { DMS, l->client }, ask[12];
	if (l->client && !l->gone)
		qmi(l, CTL, RELEASE_CLIENT, client, sizeof client);
	next_tid(l);
	if (l->mbim && !l->gone)
		mbim(l, ask, MBIM_CLOSE, sizeof ask, 12);
}

/* 0x555B: the composition, and the numbers on offer. There is no text: config.h knows what the numbers mean. */
static bool ask_qmi(struct link *l, struct offer *o)
{
	const uint8_t *v;
	size_t length;
	int error = qmi(l, DMS, GET_COMP, NULL, 0);
	if (error < 0)
		error = qmi(l, DMS, GET_COMP, NULL, 0); /* one answer may be lost */
	if (error || !(v = tlv(l, 0x10, &length)) || !length)
		return false;
	*o = (struct offer){ .dialect = WIRE, .pid = UNKNOWN, .now = v[0] };
	/* a list that lies about its length is none */
	if (!(v = tlv(l, 0x11, &length)) || !length || v[0] != length - 1)
		return true;
	while (--length) {
		struct row r = { .number = *++v, .configs = 1, .supported = true };
		if (r.number < LEN(compositions))
			memcpy(r.functions, compositions[r.number], sizeof r.functions);
		if (r.functions[1])
			r.configs = 2;
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
		size_t n = 0, f = 0;
		while ((*s)[n] >= 'a' && (*s)[n] <= 'z')
			n++;
		while (f < FUNCTIONS && !is_word(*s, n, functions[f].name) &&
		       !is_word(*s, n, functions[f].alias))
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
	const char *s = t->text;
	uint32_t bits = 0, config = 0;
	size_t n = strlen(text);
	memset(t, 0, sizeof *t);
	t->pid = UNKNOWN;
	if (n >= sizeof t->text)
		return false;
	for (size_t i = 0; i < n; i++)
		t->text[i] = lower(text[i]);
	if ((n = portlen(s)) && s[n] == ':') {
		copy_port(t->port, s, n);
		s += n + 1;
	}
	if (read_pid(s) != UNKNOWN && s[4] == '/') {
		t->pid = read_pid(s);
		s += 5;
	}
	if (!strcmp(s, "off"))
		return t->pid == UNKNOWN;
	bool leave = begins(s, "modem") && s[5] != '+';
	t->mode = begins(s, "0x")              ? BITS
		  : digits(&s, 10, 255, &bits) ? NUMBER
		  : leave                      ? LEAVE
					       : NAMES;
	s += t->mode == BITS ? 2 : t->mode == LEAVE ? 5 : 0;
	if (t->mode == BITS &&
	    (!digits(&s, 16, UINT32_MAX, &bits) || !bits || count_families(bits) > 1))
		return false;
	if (t->mode == NAMES && (!parse_names(&s, &bits) || (bits & NETS & ((bits & NETS) - 1))))
		return false;
	t->value = bits;
	if (*s == '@' && (++s, !digits(&s, 10, 255, &config) || !config))
		return false;
	t->config = (uint8_t)config;
	t->bare = *s == '!';
	return !s[t->bare] && !(t->mode == LEAVE && (t->bare || t->pid != UNKNOWN));
}

/* ---- decide: every rule of what may be done to a modem; no system call, no clock, no device ---- */

enum { SELECTIONS = 5, RESETS = 2 }; /* at most: of one start of the modem, of all */
static struct step step(enum doing doing, uint32_t value)
{
	return (struct step){ .doing = doing, .value = value };
}
static struct step refuse(enum why why)
{
	return (struct step){ .doing = REFUSE, .why = why };
}

/* Two PIDs that are known, and not the same. */
static bool unlike(int a, int b)
{
	return a != b && a != UNKNOWN && b != UNKNOWN;
}
/* The PID stored; the one that runs where nobody says, as over QMI. */
static int pid_of(const struct modem *m, const struct offer *o)
{
	return o->pid == UNKNOWN ? m->pid : o->pid;
}
/* Is something else stored in the one than in the other? */
static bool differs(const struct offer *a, const struct offer *b)
{
	return unlike(a->pid, b->pid) || a->now != b->now;
}

/* A change was begun and is neither in nor put back. */
static bool unfinished(const struct work *w)
{
	if (!w->p.written || (w->p.committed && w->p.why != NO_RESET))
		return false;
	return !w->p.asked || differs(&w->o, &w->p.found) || differs(&w->o, &w->p.running);
}

/* The next step of the way back: what was found is stored again, as long as the target has not gone in with a reset. */
static struct step back_out(const struct work *w)
{
	const struct offer *o = &w->o, *found = &w->p.found;
	bool begun = w->p.asked && unfinished(w), other = w->p.config && w->p.config != w->m.active;
	if (begun && o->dialect == INDEX && unlike(o->pid, found->pid) && !(w->p.restored & PID))
		return step(WRITE_PID, (uint32_t)found->pid);
	if (begun && o->now != found->now && !(w->p.restored & COMP))
		return step(WRITE_COMP, found->now);
	if (begun && !differs(o, found) && w->p.resets < RESETS && w->p.why != NO_RESET)
		return step(RESET, false);
	return other && w->p.selections < SELECTIONS && !w->p.stop ? step(SELECT, w->p.config)
								   : step(REFUSE, 0);
}

/* The configuration that has all these functions, the active one first, or only that one if it is given; 0 = none. */
static uint8_t find_config(const struct modem *m, unsigned bits, uint8_t only)
{
	uint8_t found = 0;
	for (const struct config *c = m->config; c < m->config + m->configs; c++)
		if ((!only || only == c->value) && !(bits & ~functions_of(m, c)) &&
		    (!found || c->value == m->active))
			found = c->value;
	return found;
}
/* The configuration to be in: of names the one that has them, else the one asked for. 0 = none, or any. */
static uint8_t wanted_config(const struct work *w)
{
	return w->t->mode == NAMES ? find_config(&w->m, w->t->value, w->t->config) : w->t->config;
}

/* Storage is left by a configuration where there is one, the wanted one first, else by a flip. */
static struct step leave_storage(const struct work *w)
{
	uint8_t wanted = wanted_config(w), config = 0;
	for (const struct config *c = w->m.config; c < w->m.config + w->m.configs; c++)
		if ((functions_of(&w->m, c) & ~BIT(MS)) && (!config || c->value == wanted))
			config = c->value;
	if (config || (!w->p.mute && w->p.flips < FLIPS))
		return step(config ? SELECT : FLIP, config);
	return refuse(w->p.mute ? w->p.mute : NO_LEAVE);
}

/* The target is there; what is left: its configuration, for a number the kernel's choice, and whether it lasts. */
static struct step settle(const struct work *w)
{
	uint8_t wanted = wanted_config(w), config = wanted        ? wanted
						    : w->p.config ? w->p.config
								  : w->m.active;
	if (!config_of(&w->m, config))
		return refuse(NO_SUCH_CONFIG);
	if (config != w->m.active)
		return step(SELECT, config);
	return step(w->p.written && !w->p.stayed ? WATCH : DONE, 0);
}

/* The functions that what is stored promises for the first or the second configuration; 0: none, or nobody knows. */
static unsigned promised(const struct offer *o, unsigned config)
{
	const struct row *r = find_row(o, o->now);
	unsigned bits = 0;
	if (o->dialect != MASK)
		return r ? r->functions[config] : 0;
	for (unsigned f = 0; !config && f < FUNCTIONS; f++)
		bits |= o->now & functions[f].bit ? BIT(f) : 0;
	return bits;
}

/* Is what is stored to be seen: AT port and network, in each configuration? Other numbers differ. Not for names. */
static bool shows(const struct work *w)
{
	unsigned first = promised(&w->o, 0), second = promised(&w->o, 1), seen = BIT(AT) | NETS;
	return w->t->mode != NAMES && !(first & seen & ~functions_of(&w->m, &w->m.config[0])) &&
	       !(second & seen & ~functions_of(&w->m, &w->m.config[1])) &&
	       (second || !first || w->m.configs < 2);
}

/* Where to ask: an AT port before all others, be it in another configuration. What went in with a reset and can be seen
 * needs no answer from there. A bitmask is asked for by AT alone: QMI has other numbers. */
static struct step find_port(const struct work *w)
{
	static const uint8_t ports[] = { AT, MBIM, QMI };
	bool known = (promised(&w->o, 0) | promised(&w->o, 1)) & (BIT(AT) | NETS);
	bool seen =
		w->p.committed && !w->p.why && known && shows(w) && !unlike(w->t->pid, w->m.pid);
	for (unsigned i = 0; i < (w->p.found.dialect == MASK ? 1 : LEN(ports)) && !w->p.mute; i++) {
		uint8_t config = find_config(&w->m, BIT(ports[i]), seen ? w->m.active : 0);
		if (config)
			return step(config == w->m.active ? ASK : SELECT, config);
	}
	return seen ? settle(w) : refuse(w->p.mute ? w->p.mute : NO_PORT);
}

/* The best row for the target: what the modem has, with an AT port, one configuration, fewest functions that nobody
 * asked for, lowest number. NULL = none; without an AT port only if bare. */
static const struct row *pick(const struct work *w, bool bare)
{
	const struct target *t = w->t;
	const struct row *best = NULL;
	unsigned least = 0;
	for (const struct row *r = w->o.row; r < w->o.row + w->o.rows; r++) {
		unsigned all = r->functions[0] | r->functions[1], cost = r->number;
		bool now = r->number == w->o.now,
		     serves = t->mode == NUMBER && r->number == t->value;
		for (unsigned c = 0; t->mode != NUMBER && c < r->configs && c < LEN(r->functions);
		     c++)
			serves |= (!t->config || t->config == c + 1) &&
				  !(t->value & ~(unsigned)r->functions[c]);
		/* what follows a written PID is not yet what it has */
		if (!r->supported || !serves ||
		    (!(all & BIT(AT)) && !bare && (!now || w->p.written)))
			continue;
		if (now)
			return r;
		for (unsigned extra = all & ~t->value; extra; extra &= extra - 1)
			cost += 1u << 8;
		cost += (r->configs > 1 ? 1u << 12 : 0) + (all & BIT(AT) ? 0 : 1u << 13);
		if (!best || cost < least)
			best = r, least = cost;
	}
	return best;
}

/* The numbered compositions of !UDUSBCOMP and QMI: the one to be stored, or what may bring one. */
static struct step choose_row(const struct work *w)
{
	const struct offer *o = &w->o;
	const struct row *r = pick(w, w->t->bare), *is = find_row(o, o->now);
	uint32_t pid = (uint32_t)w->t->pid;
	bool has = !w->p.written || w->p.committed; /* as in pick() */
	if (w->t->mode == BITS)
		return refuse(NO_BITS);
	if (unlike(w->t->pid, pid_of(&w->m, o)))
		return o->dialect == WIRE              ? refuse(PID_DIFFERS)
		       : o->pid == UNKNOWN             ? refuse(NO_LIST)
		       : has16(o->pids, o->npids, pid) ? step(WRITE_PID, pid)
						       : refuse(PID_NOT_LISTED);
	if (w->t->mode == NUMBER && w->t->value == o->now && has)
		return step(WRITE_COMP, o->now); /* listed or not */
	if (r)
		return w->t->config > r->configs ? refuse(NO_SUCH_CONFIG)
						 : step(WRITE_COMP, r->number);
	/* another PID may have one, by config.h's table */
	for (unsigned i = 0;
	     w->t->mode == NAMES && w->t->pid == UNKNOWN && !w->p.written && i < LEN(moves); i++)
		if (moves[i].from == o->pid && !(w->t->value & ~(uint32_t)moves[i].functions) &&
		    has16(o->pids, o->npids, moves[i].to))
			return step(WRITE_PID, moves[i].to);
	/* the one that was written may have it after a reset, unless the list speaks for it already: it is another than
	 * before, and has the present composition */
	bool speaks = is && is->supported && memcmp(o->row, w->p.running.row, sizeof o->row);
	if (w->p.written == PID && !w->p.resets && differs(o, &w->p.running) && !speaks)
		return step(RESET, false);
	return refuse(!o->rows ? NO_LIST : pick(w, true) ? NO_AT : NOT_LISTED);
}

/* The bitmask of !USBCOMP to be stored: as given; or names added to what is there, with the AT port, and of the
 * networks only theirs. Its type stays as the modem has it. */
static struct step choose_mask(const struct work *w)
{
	const struct target *t = w->t;
	bool number = t->mode == NUMBER,
	     named = number && (t->value == 6 || t->value == 8 || t->value == 9);
	uint32_t names = named ? compositions[t->value][0] : t->value, bits = 0;
	uint32_t mask = w->o.now | (t->bare ? 0 : functions[AT].bit);
	for (unsigned f = 0; f < FUNCTIONS; f++)
		bits |= names & BIT(f) ? functions[f].bit : 0;
	for (unsigned i = 0; i < LEN(families); i++)
		if (count_families(bits) && !(bits & families[i]))
			mask &= ~families[i];
	mask = t->mode == BITS ? t->value : mask | bits;
	enum why why = number && !named                                    ? NO_INDEX
		       : unlike(t->pid, pid_of(&w->m, &w->o))              ? PID_DIFFERS
		       : t->mode != BITS && (names & (BIT(NET) | BIT(MS))) ? NO_BIT
		       : mask == w->o.now                                  ? FINE
		       : !w->o.bits                                        ? NO_LIST
		       : !(w->o.types & BIT(w->o.type))                    ? NO_TYPE
		       : mask & ~w->o.now & ~w->o.bits                     ? NOT_LISTED
		       : !(mask & functions[AT].bit) && !t->bare           ? NO_AT
		       : t->config > 1                                     ? NO_SUCH_CONFIG
									   : FINE;
	return why ? refuse(why) : step(WRITE_COMP, mask);
}

/* The modem runs: ask, choose, write, reset, in this order and as little of it as possible. */
static struct step approach(const struct work *w)
{
	bool over = w->p.why || w->p.stop, begun = unfinished(w);
	if (over && (w->p.asked || !begun))
		return refuse(STOPPED); /* or why it was over before */
	if (!over && w->t->mode == LEAVE)
		return settle(w);
	if (!begun && w->t->mode == NAMES && !unlike(w->t->pid, w->m.pid) && wanted_config(w))
		return settle(w);
	if (!w->p.asked)
		return find_port(w);
	/* read back: what was written must be what is stored, and nothing else may have moved */
	if (w->p.written && !w->p.committed &&
	    (unlike(w->o.pid, w->p.written & PID ? w->p.pid : w->p.found.pid) ||
	     ((w->p.written & COMP) && w->o.now != w->p.comp)))
		return refuse(DIFFERS);
	struct step s = w->o.dialect == MASK ? choose_mask(w) : choose_row(w);
	bool pid = s.doing == WRITE_PID, comp = s.doing == WRITE_COMP;
	if (comp && s.value == w->o.now) { /* it is stored; does it run? */
		bool runs = !differs(&w->o, &w->p.running) && (w->p.resets || shows(w));
		if (!runs && w->p.resets < RESETS)
			return step(RESET, true);
		return w->t->mode == NAMES ? refuse(NOT_SHOWN) : settle(w);
	}
	if (pid ? w->p.written : comp && (w->p.committed || (w->p.written & COMP)))
		return refuse(DIFFERS);
	return w->p.late && (pid || comp) ? refuse(LATE) : s;
}

/* The next step, from what is seen (m), what was answered (o, once asked), what is wanted (t) and what was done so far
 * (p). Every chain of steps ends in DONE or REFUSE. A step with a why is on the way back. */
static struct step decide(const struct work *w)
{
	static const enum why absent[] = {
		[GONE] = MISSING, [FOREIGN] = NOT_OURS, [MODEM] = UNCONFIGURED, [BOOT] = IN_BOOT
	};
	bool ready = w->m.kind == MODEM && w->m.active;
	enum why why = w->p.losses >= LOSSES + w->p.resets ? CRASHES : w->m.barred ? BARRED : FINE;
	if (w->p.stop && !unfinished(w))
		why = STOPPED;
	struct step s = why     ? refuse(why)
			: ready ? approach(w)
			: w->m.kind == STORAGE
				? leave_storage(w)
				: (struct step){ .doing = WAITING, .why = absent[w->m.kind] };
	if (s.doing == SELECT && w->p.selections >= SELECTIONS)
		s = refuse(NO_CONFIG);
	if (s.doing != REFUSE)
		return s;
	struct step back = ready && !why ? back_out(w) : s;
	back.why = w->p.why ? w->p.why : s.why;
	return back;
}

/* ---- act: the only room that touches a modem ---- */

/* Has the modem left its port, or started again, before until? */
static bool has_left(const struct work *w, int64_t until)
{
	struct modem m;
	for (int r = 1;; r = watch(until)) {
		look(&m, w->m.port);
		if (!same(&m, &w->m) || r <= 0)
			return !same(&m, &w->m);
	}
}

/* SetSwocMode, three times at most, a port reset before the last; only leaving counts. usb-storage, where it is, asks
 * by itself, unless told not to (2), and first. GetSwocInfo is for the log: a Linux package is no reason to stay there. */
static void flip(struct work *w, const struct step *s)
{
	char name[NAME];
	bool kernel = first(name, "", SYS "/bus/usb/drivers/usb-storage") &&
		      number_in(SYS "/module/usb_storage/parameters/swi_tru_install") != 2;
	w->p.flips += s->doing == FLIP;
	w->p.mute = NO_NODE;
	if (kernel)
		say(INFO, "the kernel's usb-storage asks first");
	for (unsigned try = kernel ? 0 : 1; try <= 3 && !stopped(); try++) {
		uint8_t info[60] = { 0 };
		int fd = try ? open_usbfs(&w->m) : -1;
		doing("waiting for the stick to leave storage mode");
		if (fd >= 0) {
			if (try == 1 && control(fd, GET_SWOC_INFO, 0, 0, info, sizeof info) >= 13)
				say(INFO, "SWoC %u, SKU %4X, version %4X", info[0], le16(info + 9),
				    le16(info + 11));
			if (try == 3)
				usbfs(fd, USBDEVFS_RESET, NULL);
			int r = control(fd, SET_SWOC_MODE, 1, 0, NULL, 0);
			if (r >= 0 || errno == EPIPE)
				heard();
			say(INFO, "SetSwocMode 1: %s", r < 0 ? reason(errno) : "accepted");
			close(fd);
			w->p.mute = NO_LEAVE;
		}
		if (has_left(w,
			     sooner(patience(), try ? now() + FLIP_MS : w->since + KERNEL_FLIP_MS)))
			return;
	}
}

static void hang_up(struct work *w)
{
	if (w->l.carrier)
		close_qmi(&w->l);
	close_link(&w->l);
	if (w->awake && w->awake == number_in(device_file(w->m.port, "devnum")))
		spit(device_file(w->m.port, "power/control"), "auto");
	w->awake = 0;
}

/* Opens the way to an interface: the file that a driver makes, waited for where there is such a driver; or usbfs. */
static enum why dial(struct work *w, const struct interface *i, bool encapsulated)
{
	struct link *l = &w->l;
	struct text interface = { "" };
	char name[NAME], power[2];
	enum why why;
	hang_up(w);
	l->number = i->number;
	l->message = i->message;
	l->mbim = encapsulated && i->class != VENDOR;
	add(&interface, "%s:%u.%u", w->m.port, w->m.active, i->number);
	slurp(power, sizeof power, device_file(w->m.port, "power/control"));
	if (power[0] == 'a' && spit(g.path.s, "on"))
		w->awake = w->m.devnum; /* while it is talked to */
	bool expected = first(name, "",
			      encapsulated ? SYS "/bus/usb/drivers/cdc_wdm"
					   : SYS "/bus/usb-serial/drivers");
	do
		why = open_file(l, interface.s, encapsulated);
	while (why == MUTE && expected && watch(sooner(w->since + TTY_MS, g.deadline)) > 0);
	if (why == MUTE)
		why = open_urbs(l, &w->m, i, encapsulated);
	say(DEBUG,
	    why                  ? "interface %u: not opened"
	    : l->carrier == URBS ? "interface %u by usbfs: open"
				 : "interface %u by its driver: open",
	    i->number);
	return why;
}

/* Swallows what is still on its way: answers to what was asked twice, or by who came before and was killed. */
static void drain(struct link *l)
{
	int64_t until = within(ANSWER_MS), quiet = (int64_t)2 * RETRY_MS;
	while (now() < until && receive(l, now() + quiet) > 0)
		continue;
}

/* Asks what is stored, by AT for the lists only if they are wanted. Once something was written an AT answer without
 * the PID is none. What was known before stays then. */
static bool read_back(struct work *w, bool lists)
{
	struct offer o = w->o;
	bool wire = w->l.client, answered = wire ? ask_qmi(&w->l, &o) : ask_at(&w->l, &o, lists);
	if (!wire && o.pid == UNKNOWN && w->p.found.pid != UNKNOWN && w->p.written)
		answered = false;
	if (answered)
		w->o = o;
	return answered;
}

/* Asks an AT port: is there life, does it unlock, does it answer. The code is sent once. Who answers at once, but to
 * another question, may be out of step, and is asked again. */
static enum why talk_at(struct work *w, const struct interface *i, int64_t until)
{
	struct link *l = &w->l;
	struct text command;
	enum why why = dial(w, i, false);
	unsigned asked = 0;
	if (why)
		return why;
	for (; !l->result && !l->text[0] && !l->gone && now() < until && !stopped(); asked++)
		at_within(l, "ATI", RETRY_MS);
	if (!l->result && !l->text[0])
		return MUTE;
	if (asked > 1)
		drain(l);
	at(l, print(&command, "AT!ENTERCND=\"%s\"", g.code));
	if (l->result == FAILED)
		return LOCKED;
	until = within(ANSWER_MS);
	bool good = read_back(w, true), again = !good && !l->gone && now() < until;
	if (again)
		drain(l);
	return good || (again && read_back(w, true)) ? FINE : STRANGE;
}

/* Opens a link to the first interface that answers and asks, AT before the rest. Where AT answers, it alone decides. */
static enum why ask(struct work *w)
{
	enum { DIAG = 0x30, GONE_MS = 1000 }; /* bInterfaceProtocol of the EM91's interface 4 */
	static const uint8_t ports[] = { AT, SPARE, MBIM, QMI };
	const struct interface *found[LEN(ports)];
	unsigned n = 0;
	enum why why = NO_PORT;
	for (unsigned p = 0; p < LEN(ports); p++)
		n += (found[p] = find_function(&w->m, config_of(&w->m, w->m.active), ports[p])) !=
		     NULL;
	for (unsigned p = 0; p < LEN(ports) && !stopped(); p++) {
		if (p > 1 && (why == STRANGE || w->p.found.dialect == MASK))
			break;
		if (!found[p] || (ports[p] == SPARE && (found[p]->protocol == DIAG || !found[0])))
			continue;
		int64_t until = n > 1 ? sooner(patience(), now() + DEAF_MS) : patience();
		enum why one;
		do
			one = p < 2 ? talk_at(w, found[p], until)
				    : dial(w, found[p], true); /* again, if but the link was lost */
		while (p < 2 && w->l.gone && now() < until && !stopped() &&
		       !has_left(w, sooner(until, now() + RETRY_MS)));
		if (p > 1 && !one && !(open_qmi(&w->l) && read_back(w, true)))
			one = w->l.gone ? MUTE : NO_TUNNEL;
		if (one == FINE || one == HELD || one == LOCKED)
			return one;
		if (why != STRANGE)
			why = one;
	}
	if (w->l.gone)
		has_left(w, now() + GONE_MS); /* the link was told first */
	return why;
}

/* What is stored: the PID, and the composition or the bitmask. Returns it all. */
static const char *name_setting(struct text *t, const char *before, const struct modem *m,
				const struct offer *o)
{
	add(t, "%sPID %4X %s", before, (unsigned)pid_of(m, o),
	    o->dialect == MASK ? "bits " : "composition ");
	return add(t, o->dialect == MASK ? "%X" : "%u", o->now);
}

static void inquire(struct work *w, const struct step *s)
{
	struct text t = { "" };
	(void)s;
	w->p.mute = ask(w);
	w->p.asked = !w->p.mute;
	if (w->p.mute)
		return;
	if (!w->p.running.dialect)
		w->p.running = w->o;
	if (!w->p.written)
		w->p.found = w->o;
	say(INFO, "%s", name_setting(&t, "has ", &w->m, &w->o));
}

/* The state in which a modem is left, kept where the parent can read it should the child hang. */
static void note_state(const struct work *w)
{
	struct text *t = &g.me->left;
	bool known = w->p.asked, as_found = known && !differs(&w->o, &w->p.found);
	if (!w->p.written)
		return;
	print(t, "%s", as_found ? "what was found is stored" : "");
	if (!as_found)
		name_setting(t, known ? "stored is " : "not read back: ", &w->m, &w->o);
	if (!as_found)
		name_setting(t, " (was ", &w->m, &w->p.found);
	add(t, "%s%s", as_found ? "" : ")",
	    known && differs(&w->o, &w->p.running) ? ", not reset into" : "");
}

/* One setting: written once, read back at once. What the read-back says is decide()'s to judge. */
static void write_setting(struct work *w, const struct step *s)
{
	struct text text;
	bool pid = s->doing == WRITE_PID, wire = w->o.dialect == WIRE;
	uint32_t old = w->o.now;
	*(s->why ? &w->p.restored : &w->p.written) |= pid ? PID : COMP;
	if (pid)
		w->p.pid = w->o.pid = (int)s->value;
	else
		w->p.comp = w->o.now = s->value;
	w->p.asked = false; /* nobody knows, until it is read back */
	note_state(w);
	g.hold = g.me->written = true;
	bool taken = wire && !qmi(&w->l, DMS, SET_COMP, (uint8_t[]){ (uint8_t)s->value }, 1);
	print(&text, pid ? "AT!UDPID=%4X" : "AT!UDUSBCOMP=%u", s->value);
	if (w->o.dialect == MASK)
		print(&text, "AT!USBCOMP=1,%u,%X", w->o.type, s->value);
	if (!wire)
		at(&w->l, text.s);
	w->p.asked = read_back(w, pid);
	if (taken && w->o.now == old)
		w->o.now = s->value; /* QMI may tell what runs until the reset */
}

/* A reset is done when the modem has left the bus. */
static void reset(struct work *w, const struct step *s)
{
	bool wire = w->o.dialect == WIRE;
	for (uint8_t mode = 3; wire && mode <= 4; mode++)
		qmi(&w->l, DMS, SET_MODE, &mode, 1); /* offline, reset */
	if (!wire)
		at(&w->l, "AT!RESET");
	hang_up(w);
	doing("waiting for the modem to leave the bus");
	w->p.resets++;
	w->p.committed = s->value && w->p.written;
	if (!has_left(w, sooner(now() + LEAVE_MS, g.deadline)) && !stopped())
		w->p.why = NO_RESET;
}

/* Through sysfs, which unbinds the drivers itself, and blocks while others are probed. */
static void select_config(struct work *w, const struct step *s)
{
	struct text text;
	hang_up(w);
	doing("waiting for the kernel to select configuration %u", s->value);
	if (!w->p.config && w->m.kind == MODEM)
		w->p.config = w->m.active;
	w->p.selections++;
	if (!spit(device_file(w->m.port, "bConfigurationValue"), print(&text, "%u", s->value))) {
		say(INFO, "configuration %u: %s", s->value, reason(errno));
		w->p.selections = SELECTIONS;
	}
	w->since = now();
}

/* What a step is called, and who does it. */
static const struct {
	const char *name;
	void (*act)(struct work *w, const struct step *s);
} doings[] = {
	[FLIP] = { "leave storage mode", flip },
	[SELECT] = { "select configuration %u", select_config },
	[ASK] = { NULL, inquire },
	[WRITE_PID] = { "write PID %4X", write_setting },
	[WRITE_COMP] = { "write composition %u", write_setting },
	[RESET] = { "reset the modem", reset },
};

/* ---- work: one modem, until decide() says that it is over ---- */

static void name_offer(struct text *t, const struct offer *o)
{
	unsigned n = 0;
	for (unsigned i = 0; i < o->npids; i++)
		add(t, "%s%4X", i ? "," : "PIDs ", o->pids[i]);
	if (o->dialect == MASK)
		add(t, "%stype %u bits %X", o->npids ? " " : "", o->type, o->bits);
	for (const struct row *r = o->row; r < o->row + o->rows; r++)
		if (r->supported)
			add(t, "%s%u",
			    n++        ? ","
			    : o->npids ? " compositions "
				       : "compositions ",
			    r->number);
}

/* The verdict on a modem that is not in its target mode. */
static int fail(struct slot *s, const struct modem *m, enum why why, const char *more)
{
	add(&s->verdict, "%4x:%4x not in mode %s: %s%s; %s; next: %s", m->vid, m->pid,
	    s->target->text, whys[why], more, s->left.s[0] ? s->left.s : "nothing was written",
	    whys[why] + strlen(whys[why]) + 1);
	return 1;
}

/* The name of the driver that an interface is bound to, "" for none. */
static const char *driver_of(const struct modem *m, const struct interface *i, char link[PATH])
{
	return base_of(link, path(USB "%s:%u.%u/driver", m->port, m->active, i->number));
}

/* The verdict on one that is. */
static int succeed(struct slot *s, const struct modem *m)
{
	char link[PATH];
	const struct config *c = config_of(m, m->active);
	unsigned all = functions_of(m, c),
		 wanted = s->target->mode == NAMES ? s->target->value : all, f = 0;
	add(&s->verdict, "%4x:%4x in mode %s:", m->vid, m->pid, s->target->text);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		if (all & BIT(i))
			add(&s->verdict, " %s", functions[i].name);
	if (wanted & NETS)
		wanted &= NETS;
	while (f < FUNCTIONS && !(wanted & BIT(f)))
		f++;
	const struct interface *i = find_function(m, c, f);
	const char *driver = i ? driver_of(m, i, link) : "";
	if (i)
		add(&s->verdict,
		    driver[0] ? "; %s driven by %s" : "; %s has no driver, %s would be its",
		    functions[f].name, driver[0] ? driver : functions[f].module);
	for (unsigned j = 0; j < m->configs; j++)
		all |= functions_of(m, &m->config[j]);
	if (!(all & BIT(AT)) && s->target->mode != LEAVE && !s->target->bare)
		add(&s->verdict, "; warning: no AT port");
	return 0;
}

/* Looks at the port, or its companion if the modem went over there, and keeps account of its comings and goings. */
static void meet(struct work *w)
{
	struct modem m;
	look(&m, g.me->port);
	if (!m.kind && g.me->peer[0])
		look(&m, g.me->peer);
	if ((m.kind || w->m.kind) && !same(&m, &w->m)) {
		w->p.losses += w->m.kind == MODEM;
		if (w->p.why == NO_RESET && !w->p.restored)
			w->p.why = FINE;
		w->l.gone = true;
		hang_up(w);
		w->p.mute = FINE;
		w->p.selections = w->p.config = w->p.asked = false;
		w->p.running.dialect = NOBODY;
		w->since = now();
		heard();
	}
	if (!m.kind)
		m.vid = w->m.vid, m.pid = w->m.pid; /* for the verdict on one that is gone */
	w->m = m;
}

/* Says the step, and does it, or would. Returns the child's exit status, or UNKNOWN to go on. */
static int act(struct work *w, struct step s)
{
	const char *name = s.doing <= RESET ? doings[s.doing].name : NULL;
	struct text text = { "" };
	if (s.why && s.doing != WAITING)
		w->p.why = s.why;
	bool closed = !w->l.carrier && s.doing >= WRITE_PID && s.doing <= RESET;
	if (closed)
		return w->p.asked = false, UNKNOWN; /* meanwhile: ask again first */
	if (name)
		add(&text,
		    s.doing == WRITE_COMP && w->o.dialect == MASK ? "write bitmask %X" : name,
		    s.value);
	if (name)
		say(g.dry ? VERDICT : INFO, "%s%s",
		    g.dry   ? "would "
		    : s.why ? "back: "
			    : "",
		    text.s);
	if (name && g.dry) { /* no step after it can be known, but for the reset */
		if (s.doing == WRITE_PID)
			say(VERDICT, "would read the list again, and choose from it");
		if (s.doing == WRITE_PID || s.doing == WRITE_COMP)
			say(VERDICT, "would reset the modem");
		add(&g.me->verdict, "dry run: nothing stands against it");
		return 0;
	}
	if (s.doing == WAITING) {
		bool bounded = w->m.kind == BOOT || w->m.kind == FOREIGN;
		doing("waiting for the modem");
		if (watch(bounded ? sooner(w->since + BOOT_MS, patience()) : patience()))
			return UNKNOWN;
	}
	if (s.doing == WATCH) {
		doing("watching whether the modem stays");
		if (watch(sooner(w->since + STAY_MS, g.deadline)) || now() >= w->since + STAY_MS)
			return UNKNOWN;
		return fail(g.me, &w->m, LATE, " to see whether it stays");
	}
	if (s.doing == DONE)
		return succeed(g.me, &w->m);
	if (s.doing != REFUSE && s.doing != WAITING)
		return doings[s.doing].act(w, &s), UNKNOWN;
	if (s.why == NOT_LISTED || s.why == NO_AT || s.why == PID_NOT_LISTED ||
	    s.why == NO_SUCH_CONFIG) {
		print(&text, "; on offer: ");
		name_offer(&text, &w->o);
		for (unsigned i = 0; i < w->m.configs; i++)
			add(&text, "%s%u", i ? "," : " configurations ", w->m.config[i].value);
	}
	return fail(g.me, &w->m, s.why, text.s);
}

static int work(struct work *w)
{
	int status;
	do {
		meet(w);
		w->p.stop = g.stop;
		w->p.stayed = now() >= w->since + STAY_MS;
		w->p.late = g.deadline - now() < MARGIN_MS;
		g.hold = unfinished(w);
		status = act(w, decide(w));
		note_state(w);
	} while (status == UNKNOWN);
	hang_up(w);
	return status;
}

/* ---- list: one modem, one line ---- */

static int list(struct work *w)
{
	static const char *const kinds[] = { "gone", "foreign", "storage", "modem", "boot" };
	const struct modem *m = &w->m;
	struct text *t = &g.me->verdict, interface;
	char name[NAME], link[PATH];
	unsigned n = 0;
	do
		meet(w);
	while (m->kind == MODEM && !m->active && !m->barred && watch(patience()) > 0);
	const struct config *c = config_of(m, m->active);
	const struct interface *i, *port = find_function(m, c, AT);
	add(t, "%s\t%4x:%4x\t%s\t", m->port, m->vid, m->pid,
	    m->barred ? "unauthorized" : kinds[m->kind]);
	for (unsigned f = 0; f < FUNCTIONS; f++)
		if ((i = find_function(m, c, f)))
			add(t, "%s%s(%s)", n++ ? " " : "", functions[f].name,
			    *driver_of(m, i, link) ? driver_of(m, i, link) : "-");
	print(&interface, "%s:%u.%u", m->port, m->active, port ? port->number : 0);
	add(t, "%s\t%s\t", n ? "" : "-",
	    !port                                 ? "-"
	    : find_file(name, interface.s, false) ? name
						  : "usbfs");
	if (m->kind == MODEM && m->active)
		inquire(w, NULL);
	if (w->p.asked)
		name_setting(t, "", m, &w->o);
	add(t, "%s\t%s",
	    w->p.asked  ? ""
	    : w->p.mute ? whys[w->p.mute]
			: "-",
	    w->p.asked ? "" : "-");
	if (w->p.asked)
		name_offer(t, &w->o);
	hang_up(w);
	return 0;
}

/* ---- supervise: a child for every modem that is not right at first sight, and a verdict from each ---- */

/* There are no threads, whose locks make the C library's own ten times as long; new architectures have clone alone. */
#ifdef SYS_fork
#define clone_me() (pid_t) syscall(SYS_fork)
#else
#define clone_me() (pid_t) syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)
#endif

/* The target for a port, its own before the one for all; NULL where it is none's. */
static const struct target *target_for(const char *port, const char *peer)
{
	const struct target *any = NULL, *t = g.target, *end = t + g.targets;
	for (; t < end && strcmp(t->port, port) && (!peer[0] || strcmp(t->port, peer)); t++)
		if (!t->port[0])
			any = t;
	return t < end ? t : any;
}

static void pronounce(struct slot *s, int status)
{
	s->pid = 0;
	s->status = status;
	g.me = s;
	if (!g.list)
		say(status ? ERROR : VERDICT, "%s", s->verdict.s);
	g.me = NULL;
}

static void start(struct slot *s, const struct modem *m)
{
	struct work w = { .t = s->target, .m = *m };
	s->heard = now();
	bool right = !g.list && decide(&w).doing == DONE;
	pid_t pid = right ? -1 : clone_me();
	if (!pid) {
		g.me = s;
		g.hold = false;
		w.m.kind = GONE;
		open_uevents();
		_exit(g.list ? list(&w) : work(&w));
	}
	s->pid = pid; /* not in the child: the slot is shared */
	if (pid < 0)
		pronounce(s, right ? succeed(s, m) : fail(s, m, LOST, ""));
}

/* Finds modems on ports that have no slot yet. */
static void scan(void)
{
	struct dir d = { .fd = open(USB, DIRECTORY) };
	for (const char *name; (name = next(&d));) {
		struct slot *s = g.slots;
		struct modem m;
		char peer[PORT];
		if (portlen(name) != strlen(name))
			continue;
		look(&m, name);
		if (m.kind == GONE || m.kind == FOREIGN)
			continue;
		find_peer(peer, name);
		const struct target *t = target_for(name, peer);
		while (s < g.slots + SLOTS && s->port[0] && strcmp(s->port, name) &&
		       strcmp(s->peer, name))
			s++;
		if (s == g.slots + SLOTS || s->port[0] || !t || t->mode == OFF)
			continue;
		copy_port(s->port, name, PORT);
		copy_port(s->peer, peer, PORT);
		s->target = t;
		start(s, &m);
	}
}

/* The verdict on a modem whose child cannot give one: its last words, and what is seen of the modem. */
static int give_up(struct slot *s, enum why why, const char *how)
{
	struct modem m;
	struct text more;
	look(&m, s->port);
	s->verdict.s[0] = '\0';
	return fail(s, &m, why, print(&more, ", %s%s", s->doing.s, how));
}

/* Takes the verdicts of children that ended, and kills those that should have. Returns one still at work, or NULL. */
static const struct slot *tend(void)
{
	enum { GRACE_MS = 400 };
	const struct slot *busy = NULL;
	for (struct slot *s = g.slots; s < g.slots + SLOTS; s++) {
		if (!s->pid)
			continue;
		int64_t end = s->written ? g.deadline : sooner(g.deadline, s->heard + SILENCE_MS);
		int status, late = now() > end + GRACE_MS;
		if (waitpid(s->pid, &status, WNOHANG) > 0) {
			enum why why = now() < end ? LOST : now() < g.deadline ? MUTE : LATE;
			pronounce(s, WIFEXITED(status) ? WEXITSTATUS(status) : give_up(s, why, ""));
		} else {
			busy = s;
			if (g.stop || late)
				kill(s->pid, late ? SIGKILL : SIGTERM);
		}
	}
	return busy;
}

/* Has no modem come yet for a target that wants one? Without a port it wants any. */
static bool awaits(const struct target *t)
{
	bool found = t->mode == OFF;
	for (const struct slot *s = g.slots; s < g.slots + SLOTS && s->port[0]; s++)
		found |= !t->port[0] || s->target == t;
	return !found;
}

/* One line, rewritten, for a person at a terminal. */
static void show_life(const struct slot *busy)
{
	struct text line = { "\rswflip: " };
	int64_t left = (busy ? g.deadline : g.appear) - now() + 999;
	add(&line, "%s%s", busy ? busy->port : "", busy ? ": " : "");
	add(&line, "%s, %u s left\033[K", busy ? busy->doing.s : "waiting for a modem",
	    (unsigned)(left / 1000));
	(void)!write(2, line.s, strlen(line.s));
}

/* What is left to say when all is over, and the exit status. */
static int conclude(void)
{
	int status = g.stop;
	for (struct slot *s = g.slots; s < g.slots + SLOTS && s->port[0]; s++) {
		if (s->pid)
			pronounce(s,
				  give_up(s, LATE, "; it hangs in the kernel and is left behind"));
		if (s->status == 1 || !status)
			status = s->status;
		add(&s->verdict, "\n");
		if (g.list)
			(void)!write(1, s->verdict.s, strlen(s->verdict.s));
	}
	for (const struct target *t = g.target; !g.stop && t < g.target + g.targets; t++) {
		if (!awaits(t))
			continue;
		say(ERROR, "%s%sno modem%s", t->port, t->port[0] ? ": " : "",
		    access(USB, F_OK) ? ", as there is no USB (" SYS
					"/bus/usb); next: load the host controller's driver"
				      : "");
		if (!status)
			status = 3;
	}
	return status;
}

static int supervise(void)
{
	enum { AGAIN_MS = 50, LIFE_MS = 2000, TAIL_MS = 900, TICK_MS = 500 };
	g.hold = true; /* who is stopped here waits for the children */
	open_uevents();
	for (;;) {
		/* one run at a time: a lock on a directory of sysfs, if it is there yet */
		if (g.lock <= 0)
			g.lock = open(SYS "/bus/usb", DIRECTORY);
		bool locked = g.lock > 0 && flock(g.lock, LOCK_EX | LOCK_NB) < 0 &&
			      errno == EWOULDBLOCK,
		     awaited = locked;
		if (locked && (g.stop || now() >= g.deadline))
			return say(ERROR, "another swflip is at work; next: wait for it to end"), 1;
		if (!locked)
			scan();
		const struct slot *busy = tend();
		for (unsigned i = 0; i < g.targets; i++)
			awaited |= awaits(&g.target[i]);
		if (now() >= g.deadline + TAIL_MS ||
		    (!locked && !busy && (g.stop || !awaited || now() >= g.appear)))
			break;
		if (g.tty && g.level >= INFO && now() > g.begin + LIFE_MS)
			show_life(busy);
		watch(locked ? now() + AGAIN_MS : busy || g.tty ? now() + TICK_MS : g.appear);
	}
	if (g.tty)
		(void)!write(2, "\r\033[K", 4);
	if (g.lock > 0)
		flock(g.lock, LOCK_UN); /* a child left behind has it too */
	return conclude();
}

/* ---- the command line: the kernel's words, then the options over them ---- */

/* What was given last of each, and where: by an option, which no word of the kernel's replaces, by that, by config.h. */
struct given {
	const char *text, *where;
};
/* Refuses what cannot be understood: where it stands, what it is, what it should be. */
static int usage(const char *where, const char *what, const char *expected)
{
	say(ERROR, "%s%s: %s", where, what, expected);
	return 2;
}

/* A setting is given. A target counts at once, and replaces one of the same port. Returns 0 or 2. */
static int give(struct given *given, unsigned i, const char *text, const char *where)
{
	struct target t = { .mode = OFF };
	unsigned n = 0;
	*given = (struct given){ text, where };
	if (i != A_TARGET || (g.list && where == settings[i].word))
		return 0;
	bool good = parse_target(&t, text);
	while (n < g.targets && strcmp(g.target[n].port, t.port))
		n++;
	if (!good || n == LEN(g.target))
		return usage(where, text, settings[i].expected);
	g.target[n] = t;
	g.targets += n == g.targets;
	return 0;
}

/* Takes the next word from *s, quotes protecting blanks and gone in the result; NULL at the end. */
static char *next_word(char **s)
{
	char *word = *s += span(*s, true), *out = word;
	bool quoted = false;
	if (!*word)
		return NULL;
	for (; **s && (quoted || !blank(**s)); ++*s) {
		quoted ^= **s == '"';
		if (**s != '"')
			*out++ = **s;
	}
	if (**s)
		++*s;
	*out = '\0';
	return word;
}

/* The kernel's swflip. words. Returns 0 or 2. */
static int read_kernel(char *line, struct given given[WORDS])
{
	for (char *one; (one = next_word(&line)) && strcmp(one, "--");) {
		unsigned i = 0;
		while (i < WORDS && !begins(one, settings[i].word))
			i++;
		if (i == WORDS && begins(one, "swflip."))
			say(WARNING, "kernel command line: unknown word %s", one);
		if (i == WORDS || given[i].where == settings[i].option)
			continue;
		if (give(&given[i], i, one + strlen(settings[i].word), settings[i].word))
			return 2;
	}
	return 0;
}

/* Is this text a number within the setting's bounds, or a code of so many characters? */
static bool understand(unsigned i, const char *s, uint32_t *value)
{
	if (i != A_CODE)
		return digits(&s, 10, settings[i].most, value) && !*s &&
		       *value >= settings[i].least;
	size_t n = 0;
	while ((s[n] >= '0' && s[n] <= '9') || (lower(s[n]) >= 'a' && lower(s[n]) <= 'z'))
		n++;
	if (s[n] || n < settings[i].least || n > settings[i].most)
		return false;
	memcpy(g.code, s, n + 1);
	return true;
}

/* Makes settings of what was given. Returns 0 or 2. */
static int apply(const struct given given[WORDS])
{
	uint32_t value[WORDS] = { [A_APPEAR] = g.list ? 0 : APPEAR, [A_WAIT] = WAIT, [A_LOG] = 1 };
	for (unsigned i = A_CODE; i <= A_LOG; i++)
		if (given[i].text &&
		    !understand(i, given[i].text,
				&value[i])) /* a code is not shown, not even a wrong one */
			return usage(given[i].where, i == A_CODE ? "" : given[i].text,
				     settings[i].expected);
	g.level = value[A_LOG] == 0 ? VERDICT : value[A_LOG] == 1 ? INFO : DEBUG;
	*g.limit = g.deadline = g.begin + (int64_t)value[A_WAIT] * 1000;
	g.appear = sooner(g.deadline, g.begin + (int64_t)value[A_APPEAR] * 1000);
	return 0;
}

/* Returns 0, 2, or UNKNOWN when all is said (-h, -V). */
static int read_options(char **argv, struct given given[WORDS])
{
	for (; *argv; argv++) {
		const char *option = *argv, *s = option + 1;
		if (!strcmp(option, "--") && !argv[1])
			break;
		if (option[0] != '-' || !*s)
			return usage("", option, "not an option, see -h");
		for (unsigned i = 0; *s; s++, i = 0) {
			while (i < A_LOG && settings[i].option[1] != *s)
				i++;
			if (i < A_LOG) {
				if (!*++s && !(s = *++argv))
					return usage("", option, "wants a value, see -h");
				if (give(&given[i], i, s, settings[i].option))
					return 2;
				break;
			}
			switch (*s) {
			case 'k':
				g.kmsg = true;
				break;
			case 'l':
				g.list = true;
				break;
			case 'n':
				g.dry = true;
				break;
			case 'q':
				give(&given[A_LOG], A_LOG, "0", settings[A_LOG].option);
				break;
			case 'v':
				give(&given[A_LOG], A_LOG, "2", settings[A_LOG].option);
				break;
			case 'h':
				(void)!write(1, help, sizeof help - 1);
				return UNKNOWN;
			case 'V':
				(void)!write(1, "swflip " VERSION "\n", sizeof "swflip " VERSION);
				return UNKNOWN;
			default:
				return usage("", option, "no such option, see -h");
			}
		}
	}
	return 0;
}

/* All settings, from all sources. Returns 0, 2, or UNKNOWN when there is nothing to do. */
static int configure(char **argv)
{
	static char line[4098], compiled[] = STR(TARGET);
	struct given given[WORDS] = { [A_CODE] = { STR(CODE), "config.h: CODE" } };
	int status = read_options(argv, given), n = slurp(line, sizeof line, PROC "/cmdline");
	if (status)
		return status;
	if (n > 4096)
		return usage(PROC "/cmdline", "", "longer than 4096 bytes");
	if (n < 0 && !g.targets && !g.list)
		return usage(PROC "/cmdline", "", "cannot be read; next: mount /proc, or give -t");
	if (n < 0)
		say(WARNING, PROC "/cmdline cannot be read, its words are not known");
	if (read_kernel(line, given) || apply(given))
		return 2;
	char *targets = given[A_TARGET].text ? NULL : compiled;
	for (char *one; targets && (one = next_word(&targets));)
		if (give(&given[A_TARGET], A_TARGET, one, "config.h: TARGET "))
			return 2;
	if (g.list)
		g.targets = 0,
		give(&given[A_TARGET], A_TARGET, "modem", ""); /* any, whatever is wanted of it */
	for (unsigned i = 0; i < g.targets; i++)
		if (g.target[i].mode != OFF)
			return 0;
	return UNKNOWN;
}

static int run(char **argv)
{
	struct termios t;
	int status = configure(argv);
	if (status)
		return status == UNKNOWN ? 0 : status;
	if (access(SYS "/bus", F_OK))
		return usage(SYS, "", "not mounted; next: mount -t sysfs sysfs /sys");
	g.tty = !g.kmsg && !tcgetattr(2, &t);
	return supervise();
}

/* ---- process 1: no failure keeps the machine from booting ---- */

/* Mounts what is missing, lets a child work until its deadline and a second, and becomes the next init. */
static int first_process(char **argv)
{
	static const char *const mounts[][2] = { { "proc", PROC },
						 { "sysfs", SYS },
						 { "devtmpfs", DEV } };
	static char line[4098];
	struct given given[WORDS] = { [A_TARGET] = {
					      "", settings[A_TARGET].option } }; /* the child's */
	bool mounted[LEN(mounts)], made[LEN(mounts)];
	struct identity me = { .mode = 0 }, it;
	const char *own = argv[0];
	for (unsigned i = 0; i < LEN(mounts); i++) {
		made[i] = !mkdir(mounts[i][1], 0755);
		mounted[i] = !mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
	if (!identify(PROC "/self/exe", &me))
		identify(own, &me);
	g.hold = true; /* nothing stops process 1 */
	if (g.slots)
		*g.limit = g.begin + (int64_t)WAIT * 1000;
	pid_t pid =
		g.slots ? clone_me() : -1; /* without memory to share there is only the next init */
	if (!pid) {
		setpgid(0, 0);
		_exit(run((char *[]){ NULL }));
	}
	while (pid > 0 && !waitpid(pid, NULL, WNOHANG) && now() < *g.limit + 1000)
		await(-1, 0, now() + 100);
	if (pid > 0)
		kill(-pid, SIGKILL);
	g.level = ERROR; /* the child has said it all */
	if (slurp(line, sizeof line, PROC "/cmdline") > 0)
		read_kernel(line, given);
	for (unsigned i = LEN(mounts); i-- > 0;) {
		if (mounted[i])
			umount2(mounts[i][1], MNT_DETACH);
		if (made[i])
			rmdir(mounts[i][1]);
	}
	sigprocmask(SIG_UNBLOCK, &g.blocked, NULL);
	const char *const inits[] = { given[A_INIT].text, "/init", "/sbin/init", "/bin/sh" };
	for (unsigned i = 0; i < LEN(inits); i++) {
		if (!inits[i] || !strcmp(inits[i], own))
			continue;
		if (identify(inits[i], &it) && it.ino == me.ino &&
		    !memcmp(it.dev, me.dev, sizeof me.dev))
			continue;
		argv[0] = (char *)inits[i];
		execv(inits[i], argv);
	}
	return usage("", "init", "nothing to become");
}

int main(int argc, char **argv)
{
	static const uint8_t heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE };
	int fd;
	while (((fd = open(DEV "/null", O_RDWR)) >= 0 || (fd = open("/", O_RDONLY)) >= 0) &&
	       fd <= 2)
		continue;
	if (fd > 2)
		close(fd);
	g.begin = now();
	g.level = INFO;
	sigemptyset(
		&g.blocked); /* not even a console that goes away (SIGPIPE) may end a change in the middle */
	for (unsigned i = 0; i < LEN(heeded); i++)
		sigaddset(&g.blocked, heeded[i]);
	sigprocmask(SIG_BLOCK, &g.blocked, NULL);
	g.signals = signalfd(-1, &g.blocked, SFD_NONBLOCK | SFD_CLOEXEC);
	g.limit = mmap(NULL, sizeof *g.limit + sizeof *g.slots * SLOTS, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool is_first = getpid() == 1 && access(PROC "/self", F_OK), poor = g.limit == MAP_FAILED;
	if (poor && !is_first)
		return usage("", "memory", "none to be had");
	g.slots = poor ? NULL : (struct slot *)(g.limit + 1);
	return is_first ? first_process(argv) : run(argv + (argc > 0));
}
